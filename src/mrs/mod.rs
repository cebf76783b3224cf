//! MRS v1.1: the Sahara-compatible job objects of MapReduce Service.
//!
//! [`Session::mrs`] returns [`Mrs`]. From there, a plural such as [`jobs`](Mrs::jobs) leads to all objects of a kind, to
//! create and to list them; a singular such as [`job`](Mrs::job) names one of them by its id.
//!
//! | kind | all | one |
//! | --- | --- | --- |
//! | job objects, the templates of executions | [`Jobs`] | [`Job`] |
//! | job binaries: programs and scripts | [`JobBinaries`] | [`JobBinary`] |
//! | data sources: places to read from and to write to | [`DataSources`] | [`DataSource`] |
//! | executions of job objects | [`Executions`] | [`Execution`] |
//! | jobs that are submitted straight to a cluster | [`JobExes`] | [`JobExe`] |
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use huaweicloud_jobs::ClusterId;
//! use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
//! # use huaweicloud_jobs::emulator::{Emulator, Transitions};
//! # let emulator = Emulator::builder().transitions(Transitions::AfterReads(1)).start().await?;
//! # let session = emulator.session()?;
//! let mrs = session.mrs();
//! let program = mrs.job_binaries().create("wordcount", "s3a://bucket/wordcount.jar", "counts words").await?;
//! let input = mrs.data_sources().create("in", "s3a://bucket/in/", DataSourceTypeForRequest::Obs).await?;
//! let output = mrs.data_sources().create("out", "s3a://bucket/out/", DataSourceTypeForRequest::Obs).await?;
//! let job = mrs.jobs().create("count", JobTypeForCreate::MapReduce).libs([&program]).await?;
//!
//! let cluster: ClusterId = "e955a7a3-d334-4943-a39a-994976900d56".parse()?;
//! let execution = job.execute(&cluster, &input, &output).args(["wordcount"]).await?;
//! # execution.wait().every(std::time::Duration::from_millis(1)).await?;
//! execution.wait().await?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use crate::api::mrs::Client;
use crate::api::wire::{DataSourceId, JobBinaryId, JobExeId, JobExecutionId, JobId};
use crate::error::Error;
use crate::ids::given;
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

    /// Returns a job object by its id; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn job(&self, id: impl TryInto<JobId, Error: Into<Error>>) -> Result<Job, Error> {
        Ok(Job::new(self.session.clone(), given(id)?))
    }

    /// Returns the job binaries of the project.
    pub fn job_binaries(&self) -> JobBinaries {
        JobBinaries::new(self.session.clone())
    }

    /// Returns a job binary by its id; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn job_binary(&self, id: impl TryInto<JobBinaryId, Error: Into<Error>>) -> Result<JobBinary, Error> {
        Ok(JobBinary::new(self.session.clone(), given(id)?))
    }

    /// Returns the data sources of the project.
    pub fn data_sources(&self) -> DataSources {
        DataSources::new(self.session.clone())
    }

    /// Returns a data source by its id; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn data_source(&self, id: impl TryInto<DataSourceId, Error: Into<Error>>) -> Result<DataSource, Error> {
        Ok(DataSource::new(self.session.clone(), given(id)?))
    }

    /// Returns the executions of job objects in the project.
    pub fn executions(&self) -> Executions {
        Executions::new(self.session.clone())
    }

    /// Returns an execution by its id; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn execution(&self, id: impl TryInto<JobExecutionId, Error: Into<Error>>) -> Result<Execution, Error> {
        Ok(Execution::new(self.session.clone(), given(id)?))
    }

    /// Returns the jobs that were submitted to clusters.
    pub fn job_exes(&self) -> JobExes {
        JobExes::new(self.session.clone())
    }

    /// Returns a submitted job by its id; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn job_exe(&self, id: impl TryInto<JobExeId, Error: Into<Error>>) -> Result<JobExe, Error> {
        Ok(JobExe::new(self.session.clone(), given(id)?))
    }
}
