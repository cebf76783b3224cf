//! MRS v1.1: the Sahara-compatible job objects of MapReduce Service.

use crate::api::mrs::Client;
use crate::error::Error;
use crate::ids::{DataSourceId, JobBinaryId, JobExeId, JobExecutionId, JobId};
use crate::session::Session;

mod data_source;
mod exe;
mod execution;
mod job;
mod job_binary;
mod list;

pub use crate::api::mrs::{open, types};
pub use data_source::{CreateDataSource, DataSource, DataSources, DataSourcesQuery, UpdateDataSource};
pub use exe::{JobExe, JobExeState, JobExeType, JobExes, JobExesQuery, SubmitJob};
pub use execution::{Execution, Executions, ExecutionsQuery};
pub use job::{CreateJob, ExecuteJob, Job, Jobs, JobsQuery, UpdateJob};
pub use job_binary::{CreateJobBinary, JobBinaries, JobBinariesQuery, JobBinary, UpdateJobBinary};

/// MapReduce Service in the project of a session.
#[derive(Clone, Debug)]
pub struct Mrs {
    session: Session,
}

impl Session {
    /// Returns MapReduce Service: job objects.
    pub fn mrs(&self) -> Mrs {
        Mrs::new(self.clone())
    }
}

impl Mrs {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Returns the generated client, for operations that the handles do not offer.
    pub fn client(&self) -> &Client {
        self.session.mrs_client()
    }

    /// Returns the job objects of the project.
    pub fn jobs(&self) -> Jobs {
        Jobs::new(self.session.clone())
    }

    /// One job object by its id; nothing is sent.
    pub fn job<I>(&self, id: I) -> Result<Job, Error>
    where
        I: TryInto<JobId>,
        Error: From<I::Error>,
    {
        Ok(Job::new(self.session.clone(), id.try_into()?))
    }

    /// Returns the job binaries of the project.
    pub fn job_binaries(&self) -> JobBinaries {
        JobBinaries::new(self.session.clone())
    }

    /// One job binary by its id; nothing is sent.
    pub fn job_binary<I>(&self, id: I) -> Result<JobBinary, Error>
    where
        I: TryInto<JobBinaryId>,
        Error: From<I::Error>,
    {
        Ok(JobBinary::new(self.session.clone(), id.try_into()?))
    }

    /// Returns the data sources of the project.
    pub fn data_sources(&self) -> DataSources {
        DataSources::new(self.session.clone())
    }

    /// One data source by its id; nothing is sent.
    pub fn data_source<I>(&self, id: I) -> Result<DataSource, Error>
    where
        I: TryInto<DataSourceId>,
        Error: From<I::Error>,
    {
        Ok(DataSource::new(self.session.clone(), id.try_into()?))
    }

    /// Returns the executions of job objects in the project.
    pub fn executions(&self) -> Executions {
        Executions::new(self.session.clone())
    }

    /// One execution by its id; nothing is sent.
    pub fn execution<I>(&self, id: I) -> Result<Execution, Error>
    where
        I: TryInto<JobExecutionId>,
        Error: From<I::Error>,
    {
        Ok(Execution::new(self.session.clone(), id.try_into()?))
    }

    /// Returns the jobs that were submitted to clusters.
    pub fn job_exes(&self) -> JobExes {
        JobExes::new(self.session.clone())
    }

    /// One submitted job by its id; nothing is sent.
    pub fn job_exe<I>(&self, id: I) -> Result<JobExe, Error>
    where
        I: TryInto<JobExeId>,
        Error: From<I::Error>,
    {
        Ok(JobExe::new(self.session.clone(), id.try_into()?))
    }
}
