//! Training jobs and their versions.

use futures_core::Stream;

use super::setup::training_request;
use super::{JobState, Training, Volume, types};
use crate::api::call;
use crate::api::modelarts::operations;
use crate::api::wire::job_status::phase;
use crate::api::wire::{TrainingJobId, TrainingJobVersionId, bounded, checked};
use crate::bulk::{self, Bulk};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, lists, setters};
use crate::ids::given;
use crate::paging::{Batch, List, Numbered, SortOrder};
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
    /// let job = session.modelarts().training_jobs().create("my-job", training).description("first try").await?;
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
        Bulk::new(self.session.clone(), updates, move |(id, description)| {
            let job = TrainingJob::new(session.clone(), id.into());
            let update = |job: TrainingJob, text: String| async move { job.update_description(text).await };
            (job.id, bulk::update(job, description.into(), update))
        })
    }

    /// Lists the training jobs, see [`paging`](crate::paging).
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::JobState;
    /// use huaweicloud_jobs::modelarts::types::TrainingJobSortKey;
    /// use huaweicloud_jobs::paging::SortOrder;
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
        TrainingJobsQuery::list(self.session.clone())
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
    setters! {
        /// Sets the description, 0 to 256 characters; empty by default.
        description(description: impl Into<String>) = description.into();
        /// Sets the workspace of the job; the default workspace `0` if not given.
        workspace_id(workspace_id: impl Into<String>) = workspace_id.into();
        /// Sets the volumes to mount; none by default.
        volumes(volumes: impl IntoIterator<Item = Volume>) = volumes.into_iter().map(Into::into).collect();
        /// Sets whether the first version is created and started too; it is by default.
        create_version(create_version: bool) = create_version;
    }

    /// Creates the job.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<TrainingJob, types::CreateTrainingJobResponse>, Error> {
        let body = operations::CREATE_TRAINING_JOB.prepare(|| {
            let fields = self.training.fields()?;
            Ok(types::CreateTrainingJobRequest {
                job_name: checked("job_name", self.name)?,
                job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
                config: training_request!(TrainingJobSettings, fields, {
                    parameter: fields.parameter,
                    data_source: fields.data_source,
                    spec_id: fields.spec_id,
                    train_url: fields.train_url,
                    create_version: self.create_version,
                    volumes: self.volumes,
                    flavor: None,
                    nas_share_addr: None,
                    nas_mount_path: None,
                    nas_type: None,
                    pool_id: fields.pool_id,
                }),
                workspace_id: self.workspace_id,
            })
        })?;
        let client = self.session.modelarts_client();
        let request = client.create_training_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_TRAINING_JOB, request.send()).await?;
        let job = TrainingJob::new(self.session.clone(), created.job_id);
        Ok(Entry::new(job, created))
    }
}

awaitable! {
    CreateTrainingJob => Result<Entry<TrainingJob, types::CreateTrainingJobResponse>, Error>;
    CreateTrainingJobVersion => Result<Entry<TrainingJobVersion, types::CreateTrainingJobVersionResponse>, Error>;
}

identified! {
    TrainingJob.id => TrainingJobId;
    TrainingJobVersion.id => TrainingJobVersionId;
}

impl Entry<TrainingJob, types::CreateTrainingJobResponse> {
    /// Returns the first version, if it was created.
    pub fn first_version(&self) -> Option<TrainingJobVersion> {
        self.details.version_id.map(|id| self.version_of(id))
    }
}

impl Entry<TrainingJob, types::TrainingJobSummary> {
    /// Returns the version in the list's entry, if there is one.
    pub fn shown_version(&self) -> Option<TrainingJobVersion> {
        self.details.version_id.map(|id| self.version_of(id))
    }
}

lists! {
    /// Training jobs, see [`TrainingJobs::list`].
    TrainingJobsQuery { session: Session } of Entry<TrainingJob, types::TrainingJobSummary>, operations::LIST_TRAINING_JOBS;
    id(entry) entry.id().to_string();
    request(query, at) {
        let request = query.session.modelarts_client().list_training_jobs().project_id(query.session.project_id());
        request.page(bounded("page", at.number(Self::OPERATION)?)?)
    };
    batch(page) {
        let entry = |job: types::TrainingJobSummary| Entry::new(TrainingJob::new(query.session.clone(), job.job_id), job);
        Batch::numbered(page.jobs.into_iter().map(entry).collect(), page.job_total_count, query.per_page)
    };
    filters {
    /// Sets the number of jobs on a page, 1 to 1000; 10 by default.
    per_page(per_page: u32): u32 = per_page => |request| request.per_page(bounded("per_page", per_page)?);
    /// Returns only jobs in this state. Failed jobs are in several: see [`JobState`].
    status(state: JobState): JobState = state => |request| request.status(state.filter()?);
    /// Returns only jobs whose name contains the text, 0 to 64 characters.
    search(text: impl Into<String>): String = text.into()
        => |request| request.search_content(checked::<types::JobSearchContent>("search_content", text)?);
    /// Sorts the jobs by this key.
    sort_by(key: types::TrainingJobSortKey): types::TrainingJobSortKey = key => |request| request.sort_by(key);
    /// Sorts upwards or downwards.
    order(order: SortOrder): SortOrder = order => |request| request.order(order);
    /// Returns only jobs of this workspace; the default workspace `0` if not given.
    workspace_id(workspace_id: impl Into<String>): String = workspace_id.into()
        => |request| request.workspace_id(workspace_id);
    }

    /// Versions of a training job, see [`TrainingJobVersions::list`].
    TrainingJobVersionsQuery { job: TrainingJob } of Entry<TrainingJobVersion, types::TrainingJobVersionSummary>,
        operations::LIST_TRAINING_JOB_VERSIONS;
    id(entry) entry.id().to_string();
    request(query, at) {
        let TrainingJob { session, id } = &query.job;
        let request = session.modelarts_client().list_training_job_versions().project_id(session.project_id());
        request.job_id(*id).page(bounded("page", at.number(Self::OPERATION)?)?)
    };
    batch(page) {
        let entry = |version: types::TrainingJobVersionSummary| {
            Entry::new(query.job.version_of(version.version_id), version)
        };
        Batch::numbered(page.versions.into_iter().map(entry).collect(), page.version_count, query.per_page)
    };
    filters {
    /// Sets the number of versions on a page, 1 to 1000; 10 by default.
    per_page(per_page: u32): u32 = per_page => |request| request.per_page(bounded("per_page", per_page)?);
    }
}

impl Numbered for TrainingJobsQuery {}
impl Numbered for TrainingJobVersionsQuery {}

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
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    #[doc(alias = "update_job_description")]
    pub async fn update_description(&self, description: impl AsRef<str>) -> Result<(), Error> {
        let body = operations::UPDATE_TRAINING_JOB
            .prepare(|| Ok(types::UpdateTrainingJobRequest { job_desc: checked("job_desc", description)? }))?;
        let client = self.session.modelarts_client();
        let request = client.update_training_job().project_id(self.session.project_id()).job_id(self.id).body(body);
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
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn show(&self) -> Result<types::TrainingJobDetails, Error> {
        let client = self.session.modelarts_client();
        // Page 0 is the whole list.
        let request = client.list_training_job_versions().project_id(self.session.project_id());
        call(&operations::LIST_TRAINING_JOB_VERSIONS, request.job_id(self.id).page(0_i64).send()).await
    }

    /// Deletes the job with all its versions. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(182626)?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "delete_job")]
    #[doc(alias = "delete_job_by_id")]
    pub async fn delete(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.delete_training_job().project_id(self.session.project_id()).job_id(self.id);
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
    pub fn wait<'a>(&self) -> Wait<'a, Self> {
        Wait::new(self.clone())
    }

    /// Returns a version by its id; nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let version = session.modelarts().training_job(10)?.version(20)?.show().await?;
    /// println!("{:?}", version.status.map(|status| status.state()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A text that is not a whole number.
    pub fn version(
        &self,
        id: impl TryInto<TrainingJobVersionId, Error: Into<Error>>,
    ) -> Result<TrainingJobVersion, Error> {
        Ok(self.version_of(given(id)?))
    }

    fn version_of(&self, id: TrainingJobVersionId) -> TrainingJobVersion {
        TrainingJobVersion { job: self.clone(), id }
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
        pre_version_id: impl TryInto<TrainingJobVersionId, Error: Into<Error>>,
        training: Training,
    ) -> CreateTrainingJobVersion {
        let (job, pre_version_id) = (self.job.clone(), given(pre_version_id));
        CreateTrainingJobVersion { job, pre_version_id, training, description: None }
    }

    /// Lists the versions, see [`paging`](crate::paging).
    #[doc(alias = "get_job_version_object_list")]
    pub fn list(&self) -> List<TrainingJobVersionsQuery> {
        TrainingJobVersionsQuery::list(self.job.clone())
    }
}

/// The creation of a version, see [`TrainingJobVersions::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTrainingJobVersion {
    job: TrainingJob,
    /// Why the id is malformed is reported by `send`.
    pre_version_id: Result<TrainingJobVersionId, Error>,
    training: Training,
    description: Option<String>,
}

impl CreateTrainingJobVersion {
    setters! {
        /// Sets the description of the job, 0 to 256 characters; not sent by default.
        description(description: impl Into<String>) = description.into();
    }

    /// Creates the version.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<TrainingJobVersion, types::CreateTrainingJobVersionResponse>, Error> {
        let body = operations::CREATE_TRAINING_JOB_VERSION.prepare(|| {
            let pre_version_id = self.pre_version_id?;
            let fields = self.training.fields()?;
            let train_url = fields.train_url.ok_or_else(|| {
                Error::invalid_field("train_url", "is needed for a version: call `.train_url(..)` of the training")
            })?;
            Ok(types::CreateTrainingJobVersionRequest {
                job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
                config: training_request!(TrainingJobVersionSettings, fields, {
                    parameter: fields.parameter,
                    data_source: fields.data_source,
                    spec_id: fields.spec_id,
                    train_url,
                    pre_version_id: pre_version_id.get(),
                    flavor: None,
                    nas_share_addr: None,
                    nas_mount_path: None,
                    nas_type: None,
                    pool_id: fields.pool_id,
                }),
            })
        })?;
        let TrainingJob { session, id } = &self.job;
        let request = session.modelarts_client().create_training_job_version().project_id(session.project_id());
        let request = request.job_id(*id).body(body);
        let created = call(&operations::CREATE_TRAINING_JOB_VERSION, request.send()).await?;
        Ok(Entry::new(self.job.version_of(created.version_id), created))
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

    /// Replaces the description of the job that the version belongs to; all its versions share it.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let versions: Vec<_> = session.modelarts().training_job(10)?.versions().list().try_collect().await?;
    /// versions[0].update_description("from the list of versions").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`TrainingJob::update_description`].
    #[doc(alias = "update_job_description")]
    pub async fn update_description(&self, description: impl AsRef<str>) -> Result<(), Error> {
        self.job.update_description(description).await
    }

    /// Returns the details of the version.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "get_job_info")]
    #[doc(alias = "get_job_version_info")]
    pub async fn show(&self) -> Result<types::TrainingJobVersionDetails, Error> {
        let Self { job: TrainingJob { session, id: job_id }, id } = self;
        let client = session.modelarts_client();
        let request = client.show_training_job_version().project_id(session.project_id());
        call(&operations::SHOW_TRAINING_JOB_VERSION, request.job_id(*job_id).version_id(*id).send()).await
    }

    /// Stops the version. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(10)?.version(20)?.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "stop_job_version")]
    pub async fn stop(&self) -> Result<(), Error> {
        let Self { job: TrainingJob { session, id: job_id }, id } = self;
        let request = session.modelarts_client().stop_training_job_version().project_id(session.project_id());
        let request = request.job_id(*job_id).version_id(*id);
        call(&operations::STOP_TRAINING_JOB_VERSION, request.send()).await?;
        Ok(())
    }

    /// Deletes only this version. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job(10)?.version(20)?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "delete_job_version")]
    pub async fn delete(&self) -> Result<(), Error> {
        let Self { job: TrainingJob { session, id: job_id }, id } = self;
        let request = session.modelarts_client().delete_training_job_version().project_id(session.project_id());
        let request = request.job_id(*job_id).version_id(*id);
        call(&operations::DELETE_TRAINING_JOB_VERSION, request.send()).await?;
        Ok(())
    }

    /// Waits until the version has ended, see [`waiting`](crate::waiting).
    pub fn wait<'a>(&self) -> Wait<'a, Self> {
        Wait::new(self.clone())
    }

    /// The job that the version belongs to.
    pub fn job(&self) -> &TrainingJob {
        &self.job
    }
}

impl Awaited for TrainingJob {
    type Details = types::TrainingJobDetails;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Self::Details, Error> {
        self.show().await
    }

    fn phase(details: &Self::Details) -> (Phase, String) {
        let newest = details.versions.iter().max_by_key(|version| version.version_id);
        phase(newest.and_then(|version| version.status.as_ref()))
    }
}

impl Awaited for TrainingJobVersion {
    type Details = types::TrainingJobVersionDetails;

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
