//! ModelArts v1: training jobs, visualization jobs and labeling jobs.

use crate::api::modelarts::Client;
use crate::error::Error;
use crate::ids::{LabelingJobId, TrainingJobId, VisualizationJobId};
use crate::paging::Position;
use crate::session::Session;

mod labeling;
mod status;
mod training;
mod visualization;

pub use crate::api::modelarts::{open, types};
pub use labeling::{CreateLabelingJob, LabelingJob, LabelingJobs, LabelingJobsQuery, UpdateLabelingJob};
pub use status::{JobState, JobStatus};
pub use training::{
    CreateTrainingJob, TrainingJob, TrainingJobVersion, TrainingJobVersions, TrainingJobVersionsQuery, TrainingJobs,
    TrainingJobsQuery,
};
pub use visualization::{CreateVisualizationJob, VisualizationJob, VisualizationJobs, VisualizationJobsQuery};

/// How many entries the services put on a page if nothing else is asked for.
const PER_PAGE: u32 = 10;

/// The number of a page as most lists take it.
fn page_number(at: &Position) -> Result<i32, Error> {
    i32::try_from(at.page()?).map_err(|_| Error::invalid_field("page", "is too large"))
}

/// ModelArts in the project of a session.
#[derive(Clone, Debug)]
pub struct ModelArts {
    session: Session,
}

impl ModelArts {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// The generated client, for what the handles do not offer.
    pub fn client(&self) -> &Client {
        self.session.modelarts_client()
    }

    /// All training jobs of the project.
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

    /// All visualization jobs of the project.
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

    /// All labeling jobs of the project.
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
