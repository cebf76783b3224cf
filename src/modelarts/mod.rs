//! ModelArts v1: training jobs, visualization jobs and labeling jobs.

use crate::api::modelarts::Client;
use crate::error::Error;
use crate::ids::{LabelingJobId, TrainingJobConfigName, TrainingJobId, VisualizationJobId};
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

    /// One training job by its id, given as number or as text; nothing is sent.
    pub fn training_job<I>(&self, id: I) -> Result<TrainingJob, Error>
    where
        I: TryInto<TrainingJobId>,
        Error: From<I::Error>,
    {
        Ok(TrainingJob::new(self.session.clone(), id.try_into()?))
    }

    /// Returns the saved configurations of training jobs.
    pub fn training_job_configs(&self) -> TrainingJobConfigs {
        TrainingJobConfigs::new(self.session.clone())
    }

    /// One saved configuration by its name; nothing is sent.
    pub fn training_job_config<I>(&self, name: I) -> Result<TrainingJobConfig, Error>
    where
        I: TryInto<TrainingJobConfigName>,
        Error: From<I::Error>,
    {
        Ok(TrainingJobConfig::new(self.session.clone(), name.try_into()?))
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

    /// One visualization job by its id, given as number or as text; nothing is sent.
    pub fn visualization_job<I>(&self, id: I) -> Result<VisualizationJob, Error>
    where
        I: TryInto<VisualizationJobId>,
        Error: From<I::Error>,
    {
        Ok(VisualizationJob::new(self.session.clone(), id.try_into()?))
    }

    /// Returns the labeling jobs of the project.
    pub fn labeling_jobs(&self) -> LabelingJobs {
        LabelingJobs::new(self.session.clone())
    }

    /// One labeling job by its id; nothing is sent.
    pub fn labeling_job<I>(&self, id: I) -> Result<LabelingJob, Error>
    where
        I: TryInto<LabelingJobId>,
        Error: From<I::Error>,
    {
        Ok(LabelingJob::new(self.session.clone(), id.try_into()?))
    }
}
