//! Visualization jobs: TensorBoard and MindInsight on a training output.

use super::types;
use crate::api::modelarts::{builder, operations};
use crate::api::{call, wire::checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::VisualizationJobId;
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

    /// Lists the visualization jobs, a page at a time.
    #[doc(alias = "get_visualization_job_object_list")]
    pub fn list(&self) -> ListVisualizationJobs<'_> {
        let request = self.session.modelarts_client().list_visualization_jobs().project_id(self.session.project_id());
        ListVisualizationJobs { session: &self.session, request }
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

/// A list of visualization jobs to be asked for, see [`VisualizationJobs::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListVisualizationJobs<'a> {
    session: &'a Session,
    request: builder::ListVisualizationJobs<'a>,
}

impl ListVisualizationJobs<'_> {
    /// Number of the page, from 1; 1 by default.
    pub fn page(mut self, page: u32) -> Self {
        self.request = self.request.page(page);
        self
    }

    /// Jobs on a page, 1 to 1000; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.request = self.request.per_page(per_page);
        self
    }

    /// Only jobs whose name contains the text, 0 to 64 characters.
    pub fn search(mut self, text: &str) -> Self {
        self.request = self.request.search_content(text);
        self
    }

    /// Asks for the page.
    pub async fn send(self) -> Result<Vec<Entry<VisualizationJob, types::VisualizationJob>>, Error> {
        let page = call(&operations::LIST_VISUALIZATION_JOBS, self.request.send()).await?;
        let entry = |job: types::VisualizationJob| {
            Entry::new(VisualizationJob::new(self.session.clone(), job.job_id.get().into()), job)
        };
        Ok(page.jobs.into_iter().map(entry).collect())
    }
}

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
