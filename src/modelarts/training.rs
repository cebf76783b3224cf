//! Training jobs and their versions.

use futures_core::Stream;

use super::{JobState, Training, Volume, types};
use crate::api::modelarts::operations;
use crate::api::wire::job_status::phase;
use crate::api::wire::{bounded, checked};
use crate::api::{Operation, call};
use crate::bulk::Bulk;
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

    /// Creates a training job and, by default, starts its first version.
    ///
    /// The name has 1 to 64 letters, digits, `_` or `-`, and is new in the project.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let training = Training::new(
    ///     Code::own("/bucket/src/", "/bucket/src/boot.py"),
    ///     Data::obs("/bucket/data/"),
    ///     Resources::spec(1),
    /// );
    /// let job = session.modelarts().training_jobs().create("my-job", training).description("first try").send().await?;
    /// job.update_description("it works").await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    #[doc(alias = "fit")]
    pub fn create(&self, name: impl Into<String>, training: Training) -> CreateTrainingJob {
        CreateTrainingJob {
            session: self.session.clone(),
            name: name.into(),
            training,
            description: None,
            workspace_id: None,
            volumes: None,
            create_version: None,
        }
    }

    /// Replaces the descriptions of many jobs concurrently, see [`bulk`](crate::bulk).
    #[doc(alias = "update_job_description")]
    pub fn update_descriptions<'a, I, D>(
        &self,
        updates: impl Stream<Item = (I, D)> + Send + 'a,
    ) -> Bulk<'a, TrainingJobId>
    where
        I: Into<TrainingJobId>,
        D: Into<String>,
    {
        let session = self.session.clone();
        Bulk::new(self.session.clone(), updates, move |id, description| {
            let job = TrainingJob::new(session.clone(), id);
            Box::pin(async move { job.update_description(description).await })
        })
    }

    /// Lists the training jobs, see [`paging`](crate::paging).
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::JobState;
    /// use huaweicloud_jobs::modelarts::types::{SortOrder, TrainingJobSortKey};
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let jobs = session.modelarts().training_jobs().list();
    /// let jobs = jobs.status(JobState::Running).search("job");
    /// let mut jobs = jobs.sort_by(TrainingJobSortKey::CreateTime).order(SortOrder::Desc);
    /// while let Some(job) = jobs.try_next().await? {
    ///     println!("{} {}", job.id(), job.details.job_name);
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
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

/// The creation of a training job, see [`TrainingJobs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTrainingJob {
    session: Session,
    name: String,
    training: Training,
    description: Option<String>,
    workspace_id: Option<String>,
    volumes: Option<Vec<types::VolumeInput>>,
    create_version: Option<bool>,
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

    /// Volumes to mount; none by default.
    pub fn volumes(mut self, volumes: impl IntoIterator<Item = Volume>) -> Self {
        self.volumes = Some(volumes.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the first version is created and started too; it is by default.
    pub fn create_version(mut self, create_version: bool) -> Self {
        self.create_version = Some(create_version);
        self
    }

    /// Creates the job.
    pub async fn send(self) -> Result<Entry<TrainingJob, types::CreateTrainingJobResponse>, Error> {
        let body = operations::CREATE_TRAINING_JOB.prepare(|| {
            let fields = self.training.fields()?;
            Ok(types::CreateTrainingJobRequest {
                job_name: checked("job_name", self.name)?,
                job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
                config: types::TrainingJobConfig {
                    worker_server_num: fields.worker_server_num,
                    app_url: fields.app_url,
                    boot_file_url: fields.boot_file_url,
                    parameter: fields.parameter,
                    data_url: fields.data_url,
                    dataset_id: fields.dataset_id,
                    dataset_version_id: fields.dataset_version_id,
                    data_source: fields.data_source,
                    spec_id: fields.spec_id,
                    engine_id: fields.engine_id,
                    model_id: fields.model_id,
                    train_url: fields.train_url,
                    log_url: fields.log_url,
                    user_image_url: fields.user_image_url,
                    user_command: fields.user_command,
                    create_version: self.create_version,
                    volumes: self.volumes,
                    flavor: None,
                    nas_share_addr: None,
                    nas_mount_path: None,
                    nas_type: None,
                    pool_id: fields.pool_id,
                },
                workspace_id: self.workspace_id,
            })
        })?;
        let client = self.session.modelarts_client();
        let request = client.create_training_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_TRAINING_JOB, request.send()).await?;
        let job = TrainingJob::new(self.session.clone(), created.job_id.get().into());
        Ok(Entry::new(job, created))
    }
}

impl Entry<TrainingJob, types::CreateTrainingJobResponse> {
    /// Returns the first version, if it was created.
    pub fn first_version(&self) -> Option<TrainingJobVersion> {
        self.details.version_id.map(|id| self.version(id.get()))
    }
}

impl Entry<TrainingJob, types::TrainingJob> {
    /// The version whose id and state the list shows, if it shows one.
    pub fn shown_version(&self) -> Option<TrainingJobVersion> {
        self.details.version_id.map(|id| self.version(id.get()))
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

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, per_page, status, search, sort_by, order, workspace_id } = self;
        let request = session.modelarts_client().list_training_jobs().project_id(session.project_id());
        let mut request = request.page(bounded("page", at.number(Self::OPERATION)?)?);
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
        Ok(Batch::numbered(entries, page.job_total_count, per_page))
    }
}

impl Numbered for TrainingJobsQuery {}

/// A training job, named by id, created or found in a list.
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
    /// The description has 0 to 256 characters (not bytes); a longer one is rejected before anything is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(182626)?.update_description("update description").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_job_description")]
    pub async fn update_description(&self, description: impl AsRef<str>) -> Result<(), Error> {
        let body = operations::UPDATE_TRAINING_JOB
            .prepare(|| Ok(types::UpdateTrainingJobRequest { job_desc: checked("job_desc", description)? }))?;
        let client = self.session.modelarts_client();
        let request =
            client.update_training_job().project_id(self.session.project_id()).job_id(self.id.get()).body(body);
        call(&operations::UPDATE_TRAINING_JOB, request.send()).await?;
        Ok(())
    }

    /// Returns the name, the description and all versions of the job.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let job = session.modelarts().training_job(10)?.show().await?;
    /// println!("{} has {} versions", job.job_name, job.versions.len());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn show(&self) -> Result<types::ListTrainingJobVersionsResponse, Error> {
        let client = self.session.modelarts_client();
        // Page 0 is the whole list.
        let request = client.list_training_job_versions().project_id(self.session.project_id());
        call(&operations::LIST_TRAINING_JOB_VERSIONS, request.job_id(self.id.get()).page(0_i64).send()).await
    }

    /// Deletes the job with all its versions. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(182626)?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "delete_job")]
    #[doc(alias = "delete_job_by_id")]
    pub async fn delete(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.delete_training_job().project_id(self.session.project_id()).job_id(self.id.get());
        call(&operations::DELETE_TRAINING_JOB, request.send()).await?;
        Ok(())
    }

    /// Waits until the newest version of the job has ended, see [`waiting`](crate::waiting).
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(182626)?.wait().for_completion().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(&self) -> Wait<'_, Self> {
        Wait::new(self)
    }

    /// Returns a version by its id; nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let version = session.modelarts().training_job(10)?.version(20).show().await?;
    /// println!("{:?}", version.status.map(|status| status.state()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn version(&self, id: impl Into<TrainingJobVersionId>) -> TrainingJobVersion {
        TrainingJobVersion { job: self.clone(), id: id.into() }
    }

    /// Returns the versions of the job.
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
    /// Creates a version that is derived from an earlier one, and starts it. The training needs a
    /// [`train_url`](Training::train_url).
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let code = Code::own("/bucket/src/", "/bucket/src/boot.py");
    /// let training = Training::new(code, Data::obs("/bucket/data/"), Resources::spec(1));
    /// let version = session.modelarts().training_job(10)?.versions().create(10, training);
    /// # // Without an output nothing is sent.
    /// assert_eq!(version.send().await.unwrap_err().field(), Some("train_url"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    #[doc(alias = "create_job_version")]
    pub fn create(
        &self,
        pre_version_id: impl Into<TrainingJobVersionId>,
        training: Training,
    ) -> CreateTrainingJobVersion {
        let (job, pre_version_id) = (self.job.clone(), pre_version_id.into());
        CreateTrainingJobVersion { job, pre_version_id, training, description: None }
    }

    /// Lists the versions, see [`paging`](crate::paging).
    #[doc(alias = "get_job_version_object_list")]
    pub fn list(&self) -> List<TrainingJobVersionsQuery> {
        List::new(TrainingJobVersionsQuery { job: self.job.clone(), per_page: None })
    }
}

/// The creation of a version, see [`TrainingJobVersions::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTrainingJobVersion {
    job: TrainingJob,
    pre_version_id: TrainingJobVersionId,
    training: Training,
    description: Option<String>,
}

impl CreateTrainingJobVersion {
    /// Description of the job, 0 to 256 characters; not sent by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Creates the version.
    pub async fn send(self) -> Result<Entry<TrainingJobVersion, types::CreateTrainingJobVersionResponse>, Error> {
        let body = operations::CREATE_TRAINING_JOB_VERSION.prepare(|| {
            let fields = self.training.fields()?;
            let train_url = fields.train_url.ok_or_else(|| {
                Error::invalid_field("train_url", "is needed for a version: call `.train_url(..)` of the training")
            })?;
            Ok(types::CreateTrainingJobVersionRequest {
                job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
                config: types::TrainingJobVersionConfig {
                    worker_server_num: fields.worker_server_num,
                    app_url: fields.app_url,
                    boot_file_url: fields.boot_file_url,
                    parameter: fields.parameter,
                    data_url: fields.data_url,
                    dataset_id: fields.dataset_id,
                    dataset_version_id: fields.dataset_version_id,
                    data_source: fields.data_source,
                    spec_id: fields.spec_id,
                    engine_id: fields.engine_id,
                    model_id: fields.model_id,
                    train_url,
                    log_url: fields.log_url,
                    pre_version_id: self.pre_version_id.get(),
                    user_image_url: fields.user_image_url,
                    user_command: fields.user_command,
                    flavor: None,
                    nas_share_addr: None,
                    nas_mount_path: None,
                    nas_type: None,
                    pool_id: fields.pool_id,
                },
            })
        })?;
        let TrainingJob { session, id } = &self.job;
        let request = session.modelarts_client().create_training_job_version().project_id(session.project_id());
        let request = request.job_id(id.get()).body(body);
        let created = call(&operations::CREATE_TRAINING_JOB_VERSION, request.send()).await?;
        Ok(Entry::new(self.job.version(created.version_id.get()), created))
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

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { job, per_page } = self;
        let client = job.session.modelarts_client();
        let request = client.list_training_job_versions().project_id(job.session.project_id()).job_id(job.id.get());
        let mut request = request.page(bounded("page", at.number(Self::OPERATION)?)?);
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        let entry = |version: types::TrainingJobVersion| {
            let id = version.version_id.get().into();
            Entry::new(TrainingJobVersion { job: job.clone(), id }, version)
        };
        let entries = page.versions.into_iter().map(entry).collect();
        Ok(Batch::numbered(entries, page.version_count, per_page))
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

    /// Stops the version. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(10)?.version(20).stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "stop_job_version")]
    pub async fn stop(&self) -> Result<(), Error> {
        let Self { job: TrainingJob { session, id: job_id }, id } = self;
        let request = session.modelarts_client().stop_training_job_version().project_id(session.project_id());
        let request = request.job_id(job_id.get()).version_id(id.get());
        call(&operations::STOP_TRAINING_JOB_VERSION, request.send()).await?;
        Ok(())
    }

    /// Deletes only this version. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(10)?.version(20).delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "delete_job_version")]
    pub async fn delete(&self) -> Result<(), Error> {
        let Self { job: TrainingJob { session, id: job_id }, id } = self;
        let request = session.modelarts_client().delete_training_job_version().project_id(session.project_id());
        let request = request.job_id(job_id.get()).version_id(id.get());
        call(&operations::DELETE_TRAINING_JOB_VERSION, request.send()).await?;
        Ok(())
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

impl Awaited for TrainingJob {
    type Details = types::ListTrainingJobVersionsResponse;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Self::Details, Error> {
        self.show().await
    }

    fn phase(details: &Self::Details) -> (Phase, String) {
        let newest = details.versions.iter().max_by_key(|version| version.version_id.get());
        phase(newest.and_then(|version| version.status.as_ref()))
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
