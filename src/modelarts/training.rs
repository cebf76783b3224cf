//! Training jobs and their versions.

use super::types;
use crate::api::modelarts::{builder, operations};
use crate::api::{call, wire::checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::{TrainingJobId, TrainingJobVersionId};
use crate::session::Session;

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

    /// Lists the training jobs, a page at a time.
    #[doc(alias = "get_job_list")]
    pub fn list(&self) -> ListTrainingJobs<'_> {
        let request = self.session.modelarts_client().list_training_jobs().project_id(self.session.project_id());
        ListTrainingJobs { session: &self.session, request }
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

/// A list of training jobs to be asked for, see [`TrainingJobs::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListTrainingJobs<'a> {
    session: &'a Session,
    request: builder::ListTrainingJobs<'a>,
}

impl ListTrainingJobs<'_> {
    /// Number of the page, 1 to 65535; 1 by default.
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
    pub async fn send(self) -> Result<Vec<Entry<TrainingJob, types::TrainingJob>>, Error> {
        let page = call(&operations::LIST_TRAINING_JOBS, self.request.send()).await?;
        let entry =
            |job: types::TrainingJob| Entry::new(TrainingJob::new(self.session.clone(), job.job_id.get().into()), job);
        Ok(page.jobs.into_iter().map(entry).collect())
    }
}

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
    /// Lists the versions.
    #[doc(alias = "get_job_version_object_list")]
    pub fn list(&self) -> ListTrainingJobVersions<'_> {
        let session = &self.job.session;
        let client = session.modelarts_client();
        let request = client.list_training_job_versions().project_id(session.project_id()).job_id(self.job.id.get());
        ListTrainingJobVersions { job: &self.job, request }
    }
}

/// A list of versions to be asked for, see [`TrainingJobVersions::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListTrainingJobVersions<'a> {
    job: &'a TrainingJob,
    request: builder::ListTrainingJobVersions<'a>,
}

impl ListTrainingJobVersions<'_> {
    /// Number of the page, from 1; 0, the default, does not divide the list into pages.
    pub fn page(mut self, page: u32) -> Self {
        self.request = self.request.page(page);
        self
    }

    /// Versions on a page, 1 to 1000; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.request = self.request.per_page(per_page);
        self
    }

    /// Asks for the versions.
    pub async fn send(self) -> Result<Vec<Entry<TrainingJobVersion, types::TrainingJobVersion>>, Error> {
        let page = call(&operations::LIST_TRAINING_JOB_VERSIONS, self.request.send()).await?;
        let entry = |version: types::TrainingJobVersion| {
            let id = version.version_id.get().into();
            Entry::new(TrainingJobVersion { job: self.job.clone(), id }, version)
        };
        Ok(page.versions.into_iter().map(entry).collect())
    }
}

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

    /// The job that the version belongs to. The description is the job's: change it there.
    pub fn job(&self) -> &TrainingJob {
        &self.job
    }
}
