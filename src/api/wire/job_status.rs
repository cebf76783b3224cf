//! States of training and visualization jobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Integer, Text};
use crate::error::Error;
use crate::shape::Phase;

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
    ($($code:literal $name:literal $state:ident $phase:ident $meaning:literal,)+) => {
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

            /// The documented code, or `None` for an undocumented state.
            pub const fn code(self) -> Option<i64> {
                match self {
                    $(Self::$state => Some($code),)+
                    Self::Undocumented => None,
                }
            }
        }

        impl JobState {
            /// How far a job in this state is. A job in a state that is not documented is not known to have ended.
            pub const fn phase(self) -> Phase {
                match self {
                    $(Self::$state => Phase::$phase,)+
                    Self::Undocumented => Phase::Underway,
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

// The rows of `x-states` in the description.
include!(concat!(env!("OUT_DIR"), "/modelarts_states.rs"));

impl JobState {
    /// The value of the state in the filter of a list.
    pub(crate) fn filter(self) -> Result<String, Error> {
        let code = self.code().ok_or_else(|| Error::invalid_field("status", "is not a documented state"))?;
        Ok(code.to_string())
    }
}

impl JobState {
    /// Whether the job will not change by itself any more. A state that is not documented is none of those.
    pub const fn is_terminal(self) -> bool {
        !matches!(self.phase(), Phase::Underway)
    }

    /// Whether the job came to its end as wanted.
    pub const fn is_success(self) -> bool {
        matches!(self.phase(), Phase::Succeeded)
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
pub(crate) fn phase(status: Option<&JobStatus>) -> (Phase, String) {
    let state = status.map_or(JobState::Undocumented, JobStatus::state);
    let word = match (state, status) {
        (JobState::Undocumented, Some(status)) => status.to_string(),
        (JobState::Undocumented, None) => "not given".to_owned(),
        (state, _) => state.name().to_owned(),
    };
    (state.phase(), word)
}

/// Whether a visualization job can be looked at.
pub(crate) fn runs(status: Option<&JobStatus>) -> bool {
    status.is_some_and(|status| status.state() == JobState::Running)
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
