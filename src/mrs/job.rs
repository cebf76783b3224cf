//! Job objects, the templates from which executions are started.

use futures_core::Stream;
use serde_json::{Map, Value};

use super::execution::Execution;
use super::list::marked_list;
use super::types;
use crate::api::call;
use crate::api::mrs::operations;
use crate::api::wire::{ClusterId, DataSourceId, JobBinaryId, JobId, checked};
use crate::bulk::{self, Bulk};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, setters};
use crate::ids::{Ids, Texts, given};
use crate::paging::List;
use crate::session::Session;

/// The job objects of a project.
#[derive(Clone, Debug)]
pub struct Jobs {
    session: Session,
}

impl Jobs {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a job object.
    ///
    /// The name has 1 to 64 letters, digits, `-` or `_`. MapReduce and Spark jobs need `libs`, Hive and SparkScript
    /// jobs need `mains`.
    pub fn create(&self, name: impl Into<String>, job_type: types::JobTypeForCreate) -> CreateJob {
        CreateJob::new(self.session.clone(), name.into(), job_type)
    }

    /// Lists the job objects, see [`paging`](crate::paging).
    pub fn list(&self) -> List<JobsQuery> {
        JobsQuery::list(self.session.clone())
    }

    /// Replaces the descriptions of many jobs concurrently, see [`bulk`](crate::bulk).
    pub fn update_descriptions<'a, I, D>(&self, updates: impl Stream<Item = (I, D)> + Send + 'a) -> Bulk<'a, JobId>
    where
        I: Into<JobId>,
        D: Into<String>,
    {
        let session = self.session.clone();
        Bulk::new(self.session.clone(), updates, move |(id, description)| {
            let job = Job::new(session.clone(), id.into());
            let update = |job: Job, text: String| async move { job.update_description(text).await };
            (job.id.clone(), bulk::update(job, description.into(), update))
        })
    }
}

marked_list! {
    /// Job objects, see [`Jobs::list`].
    JobsQuery: "job objects", LIST_JOBS list_jobs(JobMarker), jobs -> Job, JobDetails;
}

/// The optional fields that creation and update share, with the rest of a builder's fields.
macro_rules! builder {
    ($(#[$attribute:meta])* $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        #[must_use = "nothing is sent before `send`"]
        pub struct $name {
            $($field: $type,)*
            /// Why an id is malformed is reported by `send`.
            mains: Option<Result<Vec<JobBinaryId>, Error>>,
            libs: Option<Result<Vec<JobBinaryId>, Error>>,
            is_protected: Option<bool>,
            interface: Option<Vec<Map<String, Value>>>,
            is_public: Option<bool>,
            description: Option<String>,
        }

        impl $name {
            fn new($($field: $type),*) -> Self {
                Self {
                    $($field,)*
                    mains: None,
                    libs: None,
                    is_protected: None,
                    interface: None,
                    is_public: None,
                    description: None,
                }
            }

            setters! {
                /// Sets the job binaries to run. An empty list is a value and is sent.
                mains(ids: impl Ids<JobBinaryId>) = ids.into_ids();
                /// Sets the job binaries to use as libraries. An empty list is a value and is sent.
                libs(ids: impl Ids<JobBinaryId>) = ids.into_ids();
                /// Sets whether the job is protected. Documented as without effect in the current version.
                is_protected(is_protected: bool) = is_protected;
                /// Sets user-defined interfaces. Documented as without effect in the current version.
                interface(interface: impl IntoIterator<Item = Map<String, Value>>) = interface.into_iter().collect();
                /// Sets whether the job is public. Documented as without effect in the current version.
                is_public(is_public: bool) = is_public;
                /// Sets the description, at most 65535 characters. The empty text is a value and is sent.
                description(description: impl Into<String>) = description.into();
            }
        }
    };
}

/// Makes the request type of a creation or an update from a builder.
macro_rules! request {
    ($type:ident, $builder:ident { $($further:tt)* }) => {
        types::$type {
            mains: ids("mains", $builder.mains)?,
            libs: ids("libs", $builder.libs)?,
            is_protected: $builder.is_protected,
            interface: $builder.interface,
            is_public: $builder.is_public,
            description: $builder.description.map(|text| checked("description", text)).transpose()?,
            $($further)*
        }
    };
}

/// Converts ids to the items of a field, or names the field in the error of a malformed one.
fn ids<T>(field: &'static str, ids: Option<Result<Vec<JobBinaryId>, Error>>) -> Result<Option<Vec<T>>, Error>
where
    T: for<'a> TryFrom<&'a str, Error: std::fmt::Display>,
{
    let Some(ids) = ids else { return Ok(None) };
    let ids = ids.map_err(|error| Error::invalid_field(field, format!("has a malformed id: {}", error.message())))?;
    ids.iter().map(|id| checked(field, id)).collect::<Result<_, _>>().map(Some)
}

builder! {
    /// The creation of a job object, see [`Jobs::create`].
    CreateJob {
        session: Session,
        name: String,
        job_type: types::JobTypeForCreate,
    }
}

builder! {
    /// An update of a job object, see [`Job::update`].
    UpdateJob {
        job: Job,
        name: Option<String>,
        job_type: Option<types::JobTypeForUpdate>,
    }
}

impl CreateJob {
    /// Creates the job.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<Job, types::JobDetails>, Error> {
        let body = operations::CREATE_JOB.prepare(|| {
            Ok(request!(CreateJobRequest, self { name: checked("name", self.name)?, type_: self.job_type }))
        })?;
        let request = self.session.mrs_client().create_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_JOB, request.send()).await?.job;
        let id = operations::CREATE_JOB.read_id("job.id", &created.id)?;
        Ok(Entry::new(Job::new(self.session.clone(), id), created))
    }
}

awaitable! {
    CreateJob => Result<Entry<Job, types::JobDetails>, Error>;
    UpdateJob => Result<types::JobDetails, Error>;
}

identified! {
    Job.id => JobId;
}

/// A job object, named by id, created or found in a list.
#[derive(Clone, Debug)]
pub struct Job {
    pub(super) session: Session,
    pub(super) id: JobId,
}

impl Job {
    pub(super) fn new(session: Session, id: JobId) -> Self {
        Self { session, id }
    }

    /// Id of the job.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Returns the details of the job.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn show(&self) -> Result<types::JobDetails, Error> {
        let request = self.session.mrs_client().show_job().project_id(self.session.project_id()).job_id(&self.id);
        Ok(call(&operations::SHOW_JOB, request.send()).await?.job)
    }

    /// Changes the given fields of the job; other ones stay unchanged.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.mrs().job("b8ea4daa-0042-45e0-a522-e8b714e74760")?;
    /// let changed = job.update().name("my-mapreduce-job-update").is_public(false).await?;
    /// assert_eq!(changed.name, "my-mapreduce-job-update");
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateJob {
        UpdateJob::new(self.clone(), None, None)
    }

    /// Replaces the description.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.mrs().job("b8ea4daa-0042-45e0-a522-e8b714e74760")?.update_description("runs each night").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A description of more than 65535 characters; else as any call, see [`Error`].
    pub async fn update_description(&self, description: impl Into<String>) -> Result<(), Error> {
        self.update().description(description).change().await.map(drop)
    }

    /// Deletes the job, but not its binaries and executions.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::DELETE_JOB, request.send()).await
    }

    /// Runs the job on a cluster, with data sources for its input and output.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.mrs().job("b8ea4daa-0042-45e0-a522-e8b714e74760")?;
    /// let (cluster, input, output) = (
    ///     "33dff020-7f96-4270-9c3a-88b99627f6e2",
    ///     "0e0aa8d5-6ef3-4d0c-a6ca-4a8a4bd3d1ba",
    ///     "7c5ea4fc-0c8b-4d41-a9d4-3b3c1a8d6e0d",
    /// );
    /// let execution = job.execute(cluster, input, output).args(["wordcount"]).await?;
    /// execution.wait().for_completion().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn execute(
        &self,
        cluster_id: impl TryInto<ClusterId, Error: Into<Error>>,
        input_id: impl TryInto<DataSourceId, Error: Into<Error>>,
        output_id: impl TryInto<DataSourceId, Error: Into<Error>>,
    ) -> ExecuteJob {
        let ids = || Ok((given(cluster_id)?, given(input_id)?, given(output_id)?));
        ExecuteJob::new(self.clone(), ids())
    }
}

impl UpdateJob {
    setters! {
        /// Sets the new name, 1 to 80 letters, digits, `-` or `_`.
        name(name: impl Into<String>) = name.into();
        /// Sets the new type.
        job_type(job_type: types::JobTypeForUpdate) = job_type;
    }

    /// Changes the job and returns its new state.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<types::JobDetails, Error> {
        let job = self.job.clone();
        match self.change().await? {
            Some(changed) => Ok(changed),
            None => job.show().await,
        }
    }

    /// Changes the job and returns its new state, if the response holds it.
    async fn change(self) -> Result<Option<types::JobDetails>, Error> {
        let body = operations::UPDATE_JOB.prepare(|| {
            let name = self.name.map(|text| checked("name", text)).transpose()?;
            Ok(request!(UpdateJobRequest, self { name, type_: self.job_type }))
        })?;
        let Job { session, id } = &self.job;
        let request = session.mrs_client().update_job().project_id(session.project_id()).job_id(id).body(body);
        match call(&operations::UPDATE_JOB, request.send()).await {
            Err(error) if error.is_empty_success() => Ok(None),
            response => Ok(Some(response?.job)),
        }
    }
}

/// The start of an execution, see [`Job::execute`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ExecuteJob {
    job: Job,
    /// Why an id is malformed is reported by `send`.
    ids: Result<(ClusterId, DataSourceId, DataSourceId), Error>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
    configs: Option<Map<String, Value>>,
    args: Option<Vec<String>>,
    params: Option<Map<String, Value>>,
}

impl ExecuteJob {
    fn new(job: Job, ids: Result<(ClusterId, DataSourceId, DataSourceId), Error>) -> Self {
        Self { job, ids, is_protected: None, is_public: None, configs: None, args: None, params: None }
    }

    setters! {
        /// Sets properties of the engine by name, for example `mapred.map.tasks`.
        configs(configs: Map<String, Value>) = configs;
        /// Sets the arguments of the program, in order.
        args(args: impl Texts) = args.into_texts();
        /// Sets parameters of the run by name.
        params(params: Map<String, Value>) = params;
        /// Sets whether it is protected. Documented as without effect in the current version.
        is_protected(is_protected: bool) = is_protected;
        /// Sets whether it is public. Documented as without effect in the current version.
        is_public(is_public: bool) = is_public;
    }

    /// Starts the execution. A cloud bills this work.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<Execution, types::JobExecutionDetails>, Error> {
        let (cluster_id, input_id, output_id) = operations::EXECUTE_JOB.prepare(|| self.ids)?;
        let body = types::ExecuteJobRequest {
            cluster_id: cluster_id.into(),
            input_id: input_id.into(),
            output_id: output_id.into(),
            is_protected: self.is_protected,
            is_public: self.is_public,
            job_configs: types::ExecutionSettings { configs: self.configs, args: self.args, params: self.params },
        };
        let Job { session, id } = &self.job;
        let request = session.mrs_client().execute_job().project_id(session.project_id()).job_id(id).body(body);
        let started = call(&operations::EXECUTE_JOB, request.send()).await?.job_execution;
        let id = operations::EXECUTE_JOB.read_id("job_execution.id", &started.id)?;
        Ok(Entry::new(Execution::new(session.clone(), id), started))
    }
}

awaitable! {
    ExecuteJob => Result<Entry<Execution, types::JobExecutionDetails>, Error>;
}
