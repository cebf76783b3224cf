//! Visualization jobs: TensorBoard and MindInsight on a training output.

use super::{JobState, PER_PAGE, page_number, types};
use crate::api::modelarts::operations;
use crate::api::wire::{bounded, checked};
use crate::api::{Operation, call};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::VisualizationJobId;
use crate::paging::{Batch, List, Numbered, Position, Query};
use crate::session::Session;

/// The visualization jobs of a project.
#[derive(Clone, Debug)]
pub struct VisualizationJobs {
    session: Session,
}

impl VisualizationJobs {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a visualization job that shows the training output at an OBS path.
    ///
    /// The name has 1 to 20 letters, digits, `_` or `-`.
    pub fn create(&self, name: impl Into<String>, train_url: impl Into<String>) -> CreateVisualizationJob {
        CreateVisualizationJob {
            session: self.session.clone(),
            name: name.into(),
            train_url: train_url.into(),
            description: None,
            job_type: None,
            schedule: None,
        }
    }

    /// Lists the visualization jobs, see [`paging`](crate::paging).
    #[doc(alias = "get_visualization_job_list")]
    #[doc(alias = "get_visualization_job_object_list")]
    pub fn list(&self) -> List<VisualizationJobsQuery> {
        List::new(VisualizationJobsQuery {
            session: self.session.clone(),
            per_page: None,
            status: None,
            search: None,
            sort_by: None,
            order: None,
            workspace_id: None,
        })
    }
}

/// A visualization job to be created, see [`VisualizationJobs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateVisualizationJob {
    session: Session,
    name: String,
    train_url: String,
    description: Option<String>,
    job_type: Option<types::VisualizationJobType>,
    schedule: Option<Vec<types::AutoStopInput>>,
}

impl CreateVisualizationJob {
    /// Description, 0 to 256 characters; empty by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// What shows the output; TensorBoard by default.
    pub fn job_type(mut self, job_type: types::VisualizationJobType) -> Self {
        self.job_type = Some(job_type);
        self
    }

    /// When the job stops by itself; the documents' request sends a list of one.
    pub fn schedule(mut self, schedule: impl Into<Vec<types::AutoStopInput>>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Creates the job.
    pub async fn send(self) -> Result<Entry<VisualizationJob, types::CreateVisualizationJobResponse>, Error> {
        let body = types::CreateVisualizationJobRequest {
            job_name: checked("job_name", self.name)?,
            job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
            train_url: self.train_url,
            job_type: self.job_type,
            flavor: None,
            schedule: self.schedule,
        };
        let client = self.session.modelarts_client();
        let request = client.create_visualization_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_VISUALIZATION_JOB, request.send()).await?;
        let job = VisualizationJob::new(self.session.clone(), created.job_id.get().into());
        Ok(Entry::new(job, created))
    }
}

/// Visualization jobs, see [`VisualizationJobs::list`].
#[derive(Clone, Debug)]
pub struct VisualizationJobsQuery {
    session: Session,
    per_page: Option<u32>,
    status: Option<JobState>,
    search: Option<String>,
    sort_by: Option<types::VisualizationJobSortKey>,
    order: Option<types::SortOrder>,
    workspace_id: Option<String>,
}

impl List<VisualizationJobsQuery> {
    /// Jobs on a page, 1 to 1000; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.query().per_page = Some(per_page);
        self
    }

    /// Only jobs in this state. Failed jobs are in several: see [`JobState`].
    pub fn status(mut self, state: JobState) -> Self {
        self.query().status = Some(state);
        self
    }

    /// Only jobs whose name contains the text, 0 to 64 characters.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query().search = Some(text.into());
        self
    }

    /// What the jobs are sorted by.
    pub fn sort_by(mut self, key: types::VisualizationJobSortKey) -> Self {
        self.query().sort_by = Some(key);
        self
    }

    /// Whether they are sorted upwards or downwards.
    pub fn order(mut self, order: types::SortOrder) -> Self {
        self.query().order = Some(order);
        self
    }

    /// Only jobs of this workspace; the default workspace `0` if not given.
    pub fn workspace_id(mut self, workspace_id: impl Into<String>) -> Self {
        self.query().workspace_id = Some(workspace_id.into());
        self
    }
}

impl Query for VisualizationJobsQuery {
    type Entry = Entry<VisualizationJob, types::VisualizationJob>;
    const OPERATION: &'static Operation = &operations::LIST_VISUALIZATION_JOBS;
    const START: Position = Position::Page(1);

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, per_page, status, search, sort_by, order, workspace_id } = self;
        let request = session.modelarts_client().list_visualization_jobs().project_id(session.project_id());
        let mut request = request.page(page_number(&at)?);
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        if let Some(state) = status {
            request = request.status(state.filter()?);
        }
        if let Some(text) = search {
            let text: types::ListVisualizationJobsSearchContent = checked("search_content", text)?;
            request = request.search_content(text);
        }
        if let Some(key) = sort_by {
            request = request.sort_by(key);
        }
        if let Some(order) = order {
            request = request.order(order);
        }
        if let Some(id) = workspace_id {
            request = request.workspace_id(id);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        let entry = |job: types::VisualizationJob| {
            Entry::new(VisualizationJob::new(session.clone(), job.job_id.get().into()), job)
        };
        let entries = page.jobs.into_iter().map(entry).collect();
        Ok(Batch::numbered(entries, page.job_total_count, per_page.unwrap_or(PER_PAGE)))
    }
}

impl Numbered for VisualizationJobsQuery {}

/// One visualization job. The same handle whether named by id, created, or found in a list.
#[derive(Clone, Debug)]
pub struct VisualizationJob {
    session: Session,
    id: VisualizationJobId,
}

impl VisualizationJob {
    pub(super) fn new(session: Session, id: VisualizationJobId) -> Self {
        Self { session, id }
    }

    /// Id of the job.
    pub fn id(&self) -> &VisualizationJobId {
        &self.id
    }

    /// What the service knows of the job.
    #[doc(alias = "get_visualization_job_info")]
    pub async fn show(&self) -> Result<types::ShowVisualizationJobResponse, Error> {
        let client = self.session.modelarts_client();
        let request = client.show_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::SHOW_VISUALIZATION_JOB, request.send()).await
    }

    /// Replaces the description of the job.
    ///
    /// The description has 0 to 256 characters (not bytes); a longer one is refused before anything is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.update_description("update visualization job").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_visualization_job")]
    pub async fn update_description(&self, description: impl AsRef<str>) -> Result<(), Error> {
        let body = types::UpdateVisualizationJobRequest { job_desc: checked("job_desc", description)? };
        let client = self.session.modelarts_client();
        let request =
            client.update_visualization_job().project_id(self.session.project_id()).job_id(&self.id).body(body);
        call(&operations::UPDATE_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }
}
