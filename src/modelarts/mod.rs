//! ModelArts v1: training jobs, visualization jobs and labeling jobs.
//!
//! [`Session::modelarts`] returns [`ModelArts`]. From there, a plural such as [`training_jobs`](ModelArts::training_jobs) leads to
//! all objects of a kind, to create and to list them; a singular such as [`training_job`](ModelArts::training_job) names one of
//! them by its id. `create` and lists return an [`Entry`](crate::Entry): the handle of the object together with the details of the response.
//!
//! | kind | all | one |
//! | --- | --- | --- |
//! | training jobs | [`TrainingJobs`] | [`TrainingJob`] |
//! | versions of a training job, with their logs | [`TrainingJobVersions`] | [`TrainingJobVersion`], [`LogFile`] |
//! | saved configurations | [`TrainingJobConfigs`] | [`TrainingJobConfig`] |
//! | visualization jobs | [`VisualizationJobs`] | [`VisualizationJob`] |
//! | labeling jobs | [`LabelingJobs`] | [`LabelingJob`] |
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
//! # use huaweicloud_jobs::emulator::{Emulator, Transitions};
//! # let emulator = Emulator::builder().transitions(Transitions::AfterReads(1)).start().await?;
//! # let session = emulator.session()?;
//! let modelarts = session.modelarts();
//! let training = Training::new(
//!     Code::own("/bucket/src/", "/bucket/src/boot.py").engine(1),
//!     Data::obs("/bucket/data/"),
//!     Resources::spec(1).workers(1),
//! );
//! let job = modelarts.training_jobs().create("my-job", training).description("first try").await?;
//! # let job = job.handle.clone();
//! # let wait = job.wait().every(std::time::Duration::from_millis(1));
//! # wait.await?;
//! let details = job.wait().await?;
//! println!("{} has {} versions", details.job_name, details.versions.len());
//! job.update_description("it works").await?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use crate::api::modelarts::Client;
use crate::api::wire::{LabelingJobId, TrainingJobConfigName, TrainingJobId, VisualizationJobId};
use crate::error::Error;
use crate::ids::given;
use crate::paging::List;
use crate::session::Session;

mod catalog;
mod job_configs;
mod labeling;
mod logs;
pub(crate) mod obs;
mod setup;
mod training;
mod visualization;

pub use crate::api::modelarts::{open, types};
pub use crate::api::wire::{JobState, JobStatus};
pub use catalog::{BuiltInAlgorithmsQuery, EnginesQuery, ResourceSpecsQuery};
pub use job_configs::{
    CreateTrainingJobConfig, TrainingJobConfig, TrainingJobConfigs, TrainingJobConfigsQuery, UpdateTrainingJobConfig,
};
pub use labeling::{CreateLabelingJob, LabelingJob, LabelingJobs, LabelingJobsQuery, UpdateLabelingJob};
pub use logs::{FollowLog, LogFile, ReadLog};
pub use setup::{Code, Data, Resources, Training, Volume};
pub use training::{
    CreateTrainingJob, CreateTrainingJobVersion, TrainingJob, TrainingJobVersion, TrainingJobVersions,
    TrainingJobVersionsQuery, TrainingJobs, TrainingJobsQuery,
};
pub use visualization::{CreateVisualizationJob, VisualizationJob, VisualizationJobs, VisualizationJobsQuery};

/// ModelArts in the project of a session.
#[derive(Clone, Debug)]
pub struct ModelArts {
    session: Session,
}

impl Session {
    /// Returns ModelArts: training, visualization and labeling jobs.
    pub fn modelarts(&self) -> ModelArts {
        ModelArts::new(self.clone())
    }
}

impl ModelArts {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Returns the generated client, for operations that the handles do not offer.
    pub fn client(&self) -> &Client {
        self.session.modelarts_client()
    }

    /// Returns the training jobs of the project.
    pub fn training_jobs(&self) -> TrainingJobs {
        TrainingJobs::new(self.session.clone())
    }

    /// Returns a training job by its id, a number or a string; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn training_job(&self, id: impl TryInto<TrainingJobId, Error: Into<Error>>) -> Result<TrainingJob, Error> {
        Ok(TrainingJob::new(self.session.clone(), given(id)?))
    }

    /// Returns the saved configurations of training jobs.
    pub fn training_job_configs(&self) -> TrainingJobConfigs {
        TrainingJobConfigs::new(self.session.clone())
    }

    /// Returns a saved configuration by its name; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed name.
    pub fn training_job_config(
        &self,
        name: impl TryInto<TrainingJobConfigName, Error: Into<Error>>,
    ) -> Result<TrainingJobConfig, Error> {
        Ok(TrainingJobConfig::new(self.session.clone(), given(name)?))
    }

    /// Lists the built-in algorithms of the service, see [`paging`](crate::paging).
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let algorithms: Vec<_> = session.modelarts().built_in_algorithms().search("yolo").try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_built_in_algorithms")]
    pub fn built_in_algorithms(&self) -> List<BuiltInAlgorithmsQuery> {
        BuiltInAlgorithmsQuery::list(self.session.clone())
    }

    /// Lists the specifications of machines for jobs.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::types::ResourceJobType;
    /// let specs: Vec<_> = session.modelarts().resource_specs().job_type(ResourceJobType::Train).try_collect().await?;
    /// let cpu = specs.iter().find(|spec| spec.core.as_deref() == Some("2"));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_train_instance_types")]
    pub fn resource_specs(&self) -> List<ResourceSpecsQuery> {
        ResourceSpecsQuery::list(self.session.clone())
    }

    /// Lists the engines that run code, each in one version.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let mut engines = session.modelarts().engines();
    /// while let Some(engine) = engines.try_next().await? {
    ///     println!("{:?} {:?}", engine.engine_id, engine.engine_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_framework_list")]
    pub fn engines(&self) -> List<EnginesQuery> {
        EnginesQuery::list(self.session.clone())
    }

    /// Returns the visualization jobs of the project.
    pub fn visualization_jobs(&self) -> VisualizationJobs {
        VisualizationJobs::new(self.session.clone())
    }

    /// Returns a visualization job by its id, a number or a string; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn visualization_job(
        &self,
        id: impl TryInto<VisualizationJobId, Error: Into<Error>>,
    ) -> Result<VisualizationJob, Error> {
        Ok(VisualizationJob::new(self.session.clone(), given(id)?))
    }

    /// Returns the labeling jobs of the project.
    pub fn labeling_jobs(&self) -> LabelingJobs {
        LabelingJobs::new(self.session.clone())
    }

    /// Returns a labeling job by its id; nothing is sent.
    ///
    /// # Errors
    ///
    /// A malformed id.
    pub fn labeling_job(&self, id: impl TryInto<LabelingJobId, Error: Into<Error>>) -> Result<LabelingJob, Error> {
        Ok(LabelingJob::new(self.session.clone(), given(id)?))
    }
}
