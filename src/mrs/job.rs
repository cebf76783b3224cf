//! Job objects, the templates from which executions are started.

use futures_core::Stream;
use serde_json::{Map, Value};

use super::execution::Execution;
use super::list::lists;
use super::types;
use crate::api::mrs::operations;
use crate::api::{call, wire::checked};
use crate::bulk::Bulk;
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::{JobId, Texts};
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
        CreateJob { session: self.session.clone(), name: name.into(), job_type, fields: Fields::default() }
    }

    /// Lists the job objects, see [`paging`](crate::paging).
    pub fn list(&self) -> List<JobsQuery> {
        JobsQuery::list(&self.session)
    }

    /// Replaces the descriptions of many jobs, several at once, see [`bulk`](crate::bulk).
    pub fn update_descriptions<'a, D>(&self, updates: impl Stream<Item = (JobId, D)> + Send + 'a) -> Bulk<'a, JobId>
    where
        D: Into<String>,
    {
        let session = self.session.clone();
        Bulk::new(self.session.clone(), updates, move |id, description| {
            let job = Job::new(session.clone(), id);
            Box::pin(async move { job.update().description(description).change().await.map(drop) })
        })
    }
}

lists! {
    /// Job objects, see [`Jobs::list`].
    JobsQuery: "Jobs", LIST_JOBS list_jobs(ListJobsMarker, ListJobsSortBy), jobs -> Job, Job;
}

/// The fields that creation and update share; what was not given is not sent.
#[derive(Clone, Debug, Default)]
struct Fields {
    mains: Option<Vec<String>>,
    libs: Option<Vec<String>>,
    is_protected: Option<bool>,
    interface: Option<Vec<Map<String, Value>>>,
    is_public: Option<bool>,
    description: Option<String>,
}

fn ids<T>(field: &'static str, ids: Option<Vec<String>>) -> Result<Option<Vec<T>>, Error>
where
    T: for<'a> TryFrom<&'a str, Error: std::fmt::Display>,
{
    ids.map(|ids| ids.into_iter().map(|id| checked(field, id)).collect()).transpose()
}

macro_rules! shared_fields {
    () => {
        /// Ids of the job binaries to run. An empty list is a value and is sent.
        pub fn mains(mut self, ids: impl Texts) -> Self {
            self.fields.mains = Some(ids.into_texts());
            self
        }

        /// Ids of the job binaries to use as libraries. An empty list is a value and is sent.
        pub fn libs(mut self, ids: impl Texts) -> Self {
            self.fields.libs = Some(ids.into_texts());
            self
        }

        /// Whether the job is protected. Documented as without effect in the current version.
        pub fn is_protected(mut self, is_protected: bool) -> Self {
            self.fields.is_protected = Some(is_protected);
            self
        }

        /// User-defined interfaces. Documented as without effect in the current version.
        pub fn interface(mut self, interface: impl IntoIterator<Item = Map<String, Value>>) -> Self {
            self.fields.interface = Some(interface.into_iter().collect());
            self
        }

        /// Whether the job is public. Documented as without effect in the current version.
        pub fn is_public(mut self, is_public: bool) -> Self {
            self.fields.is_public = Some(is_public);
            self
        }

        /// Description, at most 65535 characters. The empty text is a value and is sent.
        pub fn description(mut self, description: impl Into<String>) -> Self {
            self.fields.description = Some(description.into());
            self
        }
    };
}

/// A job object to be created, see [`Jobs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateJob {
    session: Session,
    name: String,
    job_type: types::JobTypeForCreate,
    fields: Fields,
}

impl CreateJob {
    shared_fields!();

    /// Creates the job.
    pub async fn send(self) -> Result<Entry<Job, types::Job>, Error> {
        let Fields { mains, libs, is_protected, interface, is_public, description } = self.fields;
        let body = operations::CREATE_JOB.prepare(|| {
            Ok(types::CreateJobRequest {
                name: checked("name", self.name)?,
                mains: ids("mains", mains)?,
                libs: ids("libs", libs)?,
                is_protected,
                interface,
                is_public,
                type_: self.job_type,
                description: description.map(|text| checked("description", text)).transpose()?,
            })
        })?;
        let request = self.session.mrs_client().create_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_JOB, request.send()).await?.job;
        let id = operations::CREATE_JOB.read_id("job.id", &created.id)?;
        Ok(Entry::new(Job::new(self.session.clone(), id), created))
    }
}

/// One job object. The same handle whether named by id or created.
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

    /// What the service knows of the job.
    pub async fn show(&self) -> Result<types::Job, Error> {
        let request = self.session.mrs_client().show_job().project_id(self.session.project_id()).job_id(&self.id);
        Ok(call(&operations::SHOW_JOB, request.send()).await?.job)
    }

    /// Changes the given fields of the job; other ones stay unchanged.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.mrs().job("b8ea4daa-0042-45e0-a522-e8b714e74760")?;
    /// let changed = job.update().name("my-mapreduce-job-update").is_public(false).send().await?;
    /// assert_eq!(changed.name, "my-mapreduce-job-update");
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateJob<'_> {
        UpdateJob { job: self, name: None, job_type: None, fields: Fields::default() }
    }

    /// Deletes the job. Its binaries and executions stay.
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
    /// let execution = job.execute(cluster, input, output).args(["wordcount"]).send().await?;
    /// execution.wait().for_completion().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn execute(
        &self,
        cluster_id: impl Into<String>,
        input_id: impl Into<String>,
        output_id: impl Into<String>,
    ) -> ExecuteJob<'_> {
        ExecuteJob::new(self, cluster_id.into(), input_id.into(), output_id.into())
    }
}

/// An execution to be started, see [`Job::execute`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ExecuteJob<'a> {
    job: &'a Job,
    cluster_id: String,
    input_id: String,
    output_id: String,
    is_protected: Option<bool>,
    is_public: Option<bool>,
    configs: Option<Map<String, Value>>,
    args: Option<Vec<String>>,
    params: Option<Map<String, Value>>,
}

impl<'a> ExecuteJob<'a> {
    pub(super) fn new(job: &'a Job, cluster_id: String, input_id: String, output_id: String) -> Self {
        Self {
            job,
            cluster_id,
            input_id,
            output_id,
            is_protected: None,
            is_public: None,
            configs: None,
            args: None,
            params: None,
        }
    }

    /// Settings of the engine by name, for example `mapred.map.tasks`.
    pub fn configs(mut self, configs: Map<String, Value>) -> Self {
        self.configs = Some(configs);
        self
    }

    /// Arguments of the program, in order.
    pub fn args(mut self, args: impl Texts) -> Self {
        self.args = Some(args.into_texts());
        self
    }

    /// Parameters of the run by name.
    pub fn params(mut self, params: Map<String, Value>) -> Self {
        self.params = Some(params);
        self
    }

    /// Whether it is protected. Documented as without effect in the current version.
    pub fn is_protected(mut self, is_protected: bool) -> Self {
        self.is_protected = Some(is_protected);
        self
    }

    /// Whether it is public. Documented as without effect in the current version.
    pub fn is_public(mut self, is_public: bool) -> Self {
        self.is_public = Some(is_public);
        self
    }

    /// Starts the execution. On a cloud this is work that is billed.
    pub async fn send(self) -> Result<Entry<Execution, types::JobExecution>, Error> {
        let body = types::ExecuteJobRequest {
            cluster_id: self.cluster_id,
            input_id: self.input_id,
            output_id: self.output_id,
            is_protected: self.is_protected,
            is_public: self.is_public,
            job_configs: types::ExecutionSettings { configs: self.configs, args: self.args, params: self.params },
        };
        let Job { session, id } = self.job;
        let request = session.mrs_client().execute_job().project_id(session.project_id()).job_id(id).body(body);
        let started = call(&operations::EXECUTE_JOB, request.send()).await?.job_execution;
        let id = operations::EXECUTE_JOB.read_id("job_execution.id", &started.id)?;
        Ok(Entry::new(Execution::new(session.clone(), id), started))
    }
}

/// A change of a job object, see [`Job::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateJob<'a> {
    job: &'a Job,
    name: Option<String>,
    job_type: Option<types::JobTypeForUpdate>,
    fields: Fields,
}

impl UpdateJob<'_> {
    /// New name, 1 to 80 letters, digits, `-` or `_`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// New type.
    pub fn job_type(mut self, job_type: types::JobTypeForUpdate) -> Self {
        self.job_type = Some(job_type);
        self
    }

    shared_fields!();

    /// Changes the job and answers what it is now.
    pub async fn send(self) -> Result<types::Job, Error> {
        let job = self.job;
        match self.change().await? {
            Some(changed) => Ok(changed),
            None => job.show().await,
        }
    }

    /// Changes the job and returns what it is now, if the service says it.
    async fn change(self) -> Result<Option<types::Job>, Error> {
        let Fields { mains, libs, is_protected, interface, is_public, description } = self.fields;
        let body = operations::UPDATE_JOB.prepare(|| {
            Ok(types::UpdateJobRequest {
                name: self.name.map(|text| checked("name", text)).transpose()?,
                mains: ids("mains", mains)?,
                libs: ids("libs", libs)?,
                is_protected,
                interface,
                is_public,
                type_: self.job_type,
                description: description.map(|text| checked("description", text)).transpose()?,
            })
        })?;
        let Job { session, id } = self.job;
        let request = session.mrs_client().update_job().project_id(session.project_id()).job_id(id).body(body);
        match call(&operations::UPDATE_JOB, request.send()).await {
            Err(error) if error.is_empty_success() => Ok(None),
            response => Ok(Some(response?.job)),
        }
    }
}
