//! Training jobs and their versions.

use super::status::phase;
use super::{JobState, PER_PAGE, page_number, types};
use crate::api::modelarts::operations;
use crate::api::wire::{bounded, checked};
use crate::api::{Operation, call};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::{TrainingJobId, TrainingJobVersionId};
use crate::paging::{Batch, List, Numbered, Position, Query};
use crate::session::Session;
use crate::waiting::{Awaited, Phase, Wait};

/// The training jobs of a project.
#[derive(Clone, Debug)]
pub struct TrainingJobs {
    session: Session,
}

impl TrainingJobs {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a training job and, unless the configuration says otherwise, starts its first version.
    ///
    /// The name has 1 to 64 letters, digits, `_` or `-`, and is new in the project.
    #[doc(alias = "fit")]
    pub fn create(&self, name: impl Into<String>, config: types::TrainingJobConfig) -> CreateTrainingJob {
        CreateTrainingJob {
            session: self.session.clone(),
            name: name.into(),
            config,
            description: None,
            workspace_id: None,
        }
    }

    /// Lists the training jobs, see [`paging`](crate::paging).
    #[doc(alias = "get_job_list")]
    pub fn list(&self) -> List<TrainingJobsQuery> {
        List::new(TrainingJobsQuery {
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

/// A training job to be created, see [`TrainingJobs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTrainingJob {
    session: Session,
    name: String,
    config: types::TrainingJobConfig,
    description: Option<String>,
    workspace_id: Option<String>,
}

impl CreateTrainingJob {
    /// Description, 0 to 256 characters; empty by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Workspace of the job; the default workspace `0` if not given.
    pub fn workspace_id(mut self, workspace_id: impl Into<String>) -> Self {
        self.workspace_id = Some(workspace_id.into());
        self
    }

    /// Creates the job.
    pub async fn send(self) -> Result<Entry<TrainingJob, types::CreateTrainingJobResponse>, Error> {
        let body = types::CreateTrainingJobRequest {
            job_name: checked("job_name", self.name)?,
            job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
            config: self.config,
            workspace_id: self.workspace_id,
        };
        let client = self.session.modelarts_client();
        let request = client.create_training_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_TRAINING_JOB, request.send()).await?;
        let job = TrainingJob::new(self.session.clone(), created.job_id.get().into());
        Ok(Entry::new(job, created))
    }
}

/// Training jobs, see [`TrainingJobs::list`].
#[derive(Clone, Debug)]
pub struct TrainingJobsQuery {
    session: Session,
    per_page: Option<u32>,
    status: Option<JobState>,
    search: Option<String>,
    sort_by: Option<types::TrainingJobSortKey>,
    order: Option<types::SortOrder>,
    workspace_id: Option<String>,
}

impl List<TrainingJobsQuery> {
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
    pub fn sort_by(mut self, key: types::TrainingJobSortKey) -> Self {
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

impl Query for TrainingJobsQuery {
    type Entry = Entry<TrainingJob, types::TrainingJob>;
    const OPERATION: &'static Operation = &operations::LIST_TRAINING_JOBS;
    const START: Position = Position::Page(1);

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, per_page, status, search, sort_by, order, workspace_id } = self;
        let request = session.modelarts_client().list_training_jobs().project_id(session.project_id());
        let mut request = request.page(bounded("page", at.page()?)?);
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        if let Some(state) = status {
            request = request.status(state.filter()?);
        }
        if let Some(text) = search {
            request = request.search_content(checked::<types::ListTrainingJobsSearchContent>("search_content", text)?);
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
        let entry =
            |job: types::TrainingJob| Entry::new(TrainingJob::new(session.clone(), job.job_id.get().into()), job);
        let entries = page.jobs.into_iter().map(entry).collect();
        Ok(Batch::numbered(entries, page.job_total_count, per_page.unwrap_or(PER_PAGE)))
    }
}

impl Numbered for TrainingJobsQuery {}

/// One training job. The same handle whether named by id, created, or found in a list.
#[derive(Clone, Debug)]
pub struct TrainingJob {
    session: Session,
    id: TrainingJobId,
}

impl TrainingJob {
    pub(super) fn new(session: Session, id: TrainingJobId) -> Self {
        Self { session, id }
    }

    /// Id of the job.
    pub fn id(&self) -> TrainingJobId {
        self.id
    }

    /// Replaces the description of the job, which all its versions share.
    ///
    /// The description has 0 to 256 characters (not bytes); a longer one is refused before anything is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(182626)?.update_description("update description").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_job_description")]
    pub async fn update_description(&self, description: impl AsRef<str>) -> Result<(), Error> {
        let body = types::UpdateTrainingJobRequest { job_desc: checked("job_desc", description)? };
        let client = self.session.modelarts_client();
        let request =
            client.update_training_job().project_id(self.session.project_id()).job_id(self.id.get()).body(body);
        call(&operations::UPDATE_TRAINING_JOB, request.send()).await?;
        Ok(())
    }

    /// One version by its id; nothing is sent.
    pub fn version(&self, id: impl Into<TrainingJobVersionId>) -> TrainingJobVersion {
        TrainingJobVersion { job: self.clone(), id: id.into() }
    }

    /// The versions of the job.
    pub fn versions(&self) -> TrainingJobVersions {
        TrainingJobVersions { job: self.clone() }
    }
}

/// The versions of a training job.
#[derive(Clone, Debug)]
pub struct TrainingJobVersions {
    job: TrainingJob,
}

impl TrainingJobVersions {
    /// Lists the versions, see [`paging`](crate::paging).
    #[doc(alias = "get_job_version_object_list")]
    pub fn list(&self) -> List<TrainingJobVersionsQuery> {
        List::new(TrainingJobVersionsQuery { job: self.job.clone(), per_page: None })
    }
}

/// Versions of a training job, see [`TrainingJobVersions::list`].
#[derive(Clone, Debug)]
pub struct TrainingJobVersionsQuery {
    job: TrainingJob,
    per_page: Option<u32>,
}

impl List<TrainingJobVersionsQuery> {
    /// Versions on a page, 1 to 1000; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.query().per_page = Some(per_page);
        self
    }
}

impl Query for TrainingJobVersionsQuery {
    type Entry = Entry<TrainingJobVersion, types::TrainingJobVersion>;
    const OPERATION: &'static Operation = &operations::LIST_TRAINING_JOB_VERSIONS;
    const START: Position = Position::Page(1);

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { job, per_page } = self;
        let client = job.session.modelarts_client();
        let request = client.list_training_job_versions().project_id(job.session.project_id()).job_id(job.id.get());
        let mut request = request.page(page_number(&at)?);
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        let entry = |version: types::TrainingJobVersion| {
            let id = version.version_id.get().into();
            Entry::new(TrainingJobVersion { job: job.clone(), id }, version)
        };
        let entries = page.versions.into_iter().map(entry).collect();
        Ok(Batch::numbered(entries, page.version_count, per_page.unwrap_or(PER_PAGE)))
    }
}

impl Numbered for TrainingJobVersionsQuery {}

/// One version of a training job.
#[derive(Clone, Debug)]
pub struct TrainingJobVersion {
    job: TrainingJob,
    id: TrainingJobVersionId,
}

impl TrainingJobVersion {
    /// Id of the version.
    pub fn id(&self) -> TrainingJobVersionId {
        self.id
    }

    /// What the service knows of the version.
    #[doc(alias = "get_job_info")]
    #[doc(alias = "get_job_version_info")]
    pub async fn show(&self) -> Result<types::ShowTrainingJobVersionResponse, Error> {
        let Self { job: TrainingJob { session, id: job_id }, id } = self;
        let client = session.modelarts_client();
        let request = client.show_training_job_version().project_id(session.project_id());
        call(&operations::SHOW_TRAINING_JOB_VERSION, request.job_id(job_id.get()).version_id(id.get()).send()).await
    }

    /// Waits until the version is done, see [`waiting`](crate::waiting).
    pub fn wait(&self) -> Wait<'_, Self> {
        Wait::new(self)
    }

    /// The job that the version belongs to. The description is the job's: change it there.
    pub fn job(&self) -> &TrainingJob {
        &self.job
    }
}

impl Awaited for TrainingJobVersion {
    type Details = types::ShowTrainingJobVersionResponse;

    fn session(&self) -> &Session {
        &self.job.session
    }

    async fn details(&self) -> Result<Self::Details, Error> {
        self.show().await
    }

    fn phase(details: &Self::Details) -> (Phase, String) {
        phase(details.status.as_ref())
    }
}
