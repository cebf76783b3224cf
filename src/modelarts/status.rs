//! States of training and visualization jobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::api::wire::{Integer, Text};
use crate::error::Error;
use crate::waiting::Phase;

/// The status of a job as the answer printed it: a code from 0 to 22, or in some answers its text.
///
/// ```
/// use huaweicloud_jobs::modelarts::{JobState, JobStatus};
/// let status: JobStatus = serde_json::from_str("10")?;
/// assert_eq!(status.state(), JobState::Completed);
/// assert!(status.is_terminal() && status.is_success());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobStatus {
    /// A code, printed as number or as text.
    Code(Integer),
    /// Anything else, kept as it came.
    Undocumented(Text),
}

macro_rules! states {
    ($($code:literal $name:literal $state:ident $meaning:literal,)+) => {
        /// What a status code means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum JobState {
            $(#[doc = concat!($meaning, " (", $code, ", `", $name, "`).")] $state,)+
            /// A status that is not documented.
            Undocumented,
        }

        impl JobState {
            /// The documented name, for example `JOBSTAT_COMPLETED`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$state => $name,)+
                    Self::Undocumented => "undocumented",
                }
            }

            /// The documented code; none for what is not documented.
            pub const fn code(self) -> Option<i64> {
                match self {
                    $(Self::$state => Some($code),)+
                    Self::Undocumented => None,
                }
            }
        }

        impl JobStatus {
            /// What the status means.
            pub fn state(&self) -> JobState {
                match self {
                    Self::Code(code) => match code.get() {
                        $($code => JobState::$state,)+
                        _ => JobState::Undocumented,
                    },
                    Self::Undocumented(Text::String(name)) => match name.as_str() {
                        $($name => JobState::$state,)+
                        _ => JobState::Undocumented,
                    },
                    Self::Undocumented(Text::Number(_)) => JobState::Undocumented,
                }
            }
        }
    };
}

states! {
    0 "JOBSTAT_UNKNOWN" Unknown "The service does not know the state",
    1 "JOBSTAT_INIT" Initializing "Being initialized",
    2 "JOBSTAT_IMAGE_CREATING" CreatingImage "The image is being made",
    3 "JOBSTAT_IMAGE_FAILED" ImageFailed "The image could not be made",
    4 "JOBSTAT_SUBMIT_TRYING" Submitting "Being submitted",
    5 "JOBSTAT_SUBMIT_FAILED" SubmitFailed "Could not be submitted",
    6 "JOBSTAT_DELETE_FAILED" DeleteFailed "Could not be deleted",
    7 "JOBSTAT_WAITING" Waiting "Waiting in the queue",
    8 "JOBSTAT_RUNNING" Running "Running",
    9 "JOBSTAT_KILLING" Stopping "Being stopped",
    10 "JOBSTAT_COMPLETED" Completed "Completed",
    11 "JOBSTAT_FAILED" Failed "Failed",
    12 "JOBSTAT_KILLED" Stopped "Stopped",
    13 "JOBSTAT_CANCELED" Canceled "Canceled",
    14 "JOBSTAT_LOST" Lost "Lost",
    15 "JOBSTAT_SCALING" Scaling "Being scaled",
    16 "JOBSTAT_SUBMIT_MODEL_FAILED" SubmitModelFailed "The model could not be submitted",
    17 "JOBSTAT_DEPLOY_SERVICE_FAILED" DeployServiceFailed "The service could not be deployed",
    18 "JOBSTAT_CHECK_INIT" ReviewInitializing "The review is being initialized",
    19 "JOBSTAT_CHECK_RUNNING" Reviewing "Under review",
    20 "JOBSTAT_CHECK_RUNNING_COMPLETED" Reviewed "The review is completed",
    21 "JOBSTAT_CHECK_FAILED" ReviewFailed "The review failed",
    22 "MOUNT_FAILED" MountFailed "A volume could not be mounted",
}

impl JobState {
    /// The state as lists filter by it.
    pub(super) fn filter(self) -> Result<String, Error> {
        let code = self.code().ok_or_else(|| Error::invalid_field("status", "is not a documented state"))?;
        Ok(code.to_string())
    }
}

impl JobState {
    /// Whether the job will not change by itself any more. A state that is not documented is none of those.
    pub const fn is_terminal(self) -> bool {
        use JobState as S;
        matches!(
            self,
            S::ImageFailed
                | S::SubmitFailed
                | S::DeleteFailed
                | S::Completed
                | S::Failed
                | S::Stopped
                | S::Canceled
                | S::Lost
                | S::SubmitModelFailed
                | S::DeployServiceFailed
                | S::Reviewed
                | S::ReviewFailed
                | S::MountFailed
        )
    }

    /// Whether the job came to its end as wanted.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Completed | Self::Reviewed)
    }
}

impl JobStatus {
    /// Whether the job will not change by itself any more.
    pub fn is_terminal(&self) -> bool {
        self.state().is_terminal()
    }

    /// Whether the job came to its end as wanted.
    pub fn is_success(&self) -> bool {
        self.state().is_success()
    }
}

/// How far a job is. Without a status nobody knows that it is done.
pub(super) fn phase(status: Option<&JobStatus>) -> (Phase, String) {
    let state = status.map_or(JobState::Undocumented, JobStatus::state);
    let phase = match (state.is_terminal(), state.is_success()) {
        (false, _) => Phase::Underway,
        (true, true) => Phase::Succeeded,
        (true, false) => Phase::Failed,
    };
    let word = match (state, status) {
        (JobState::Undocumented, Some(status)) => status.to_string(),
        (JobState::Undocumented, None) => "not given".to_owned(),
        (state, _) => state.name().to_owned(),
    };
    (phase, word)
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => code.fmt(f),
            Self::Undocumented(text) => text.fmt(f),
        }
    }
}

impl FromStr for JobStatus {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Undocumented(Text::String(text.to_owned())), Self::Code))
    }
}
