//! States of training and visualization jobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Integer, Text};
use crate::error::Error;
use crate::shape::Phase;

/// The status of a job as a response has it: a code from 0 to 22, or in some responses its name.
///
/// ```
/// use huaweicloud_jobs::modelarts::{JobState, JobStatus};
/// let status: JobStatus = serde_json::from_str("10")?;
/// assert_eq!(status.state(), JobState::Completed);
/// assert!(status.is_terminal() && status.is_success());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum JobStatus {
    /// A code, printed as a number or as text.
    Code(Integer),
    /// Anything else, as it was printed.
    Other(Text),
}

/// Shows the state by its name, for example `JobStatus(JOBSTAT_COMPLETED)`.
impl fmt::Debug for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobStatus").field(&format_args!("{self}")).finish()
    }
}

macro_rules! states {
    ($($code:literal $name:literal $state:ident $phase:ident $meaning:literal,)+) => {
        /// The state of a job: the meaning of a status code.
        ///
        /// `Display` writes the documented name, for example `JOBSTAT_COMPLETED`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum JobState {
            $(#[doc = concat!($meaning, " (", $code, ", `", $name, "`).")] $state,)+
            /// A status that the documentation does not list.
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
            /// The phase of a job in this state. A job in a state that is not documented is not known to have ended.
            pub const fn phase(self) -> Phase {
                match self {
                    $(Self::$state => Phase::$phase,)+
                    Self::Undocumented => Phase::Underway,
                }
            }
        }

        impl JobStatus {
            /// The state that the status stands for.
            pub fn state(&self) -> JobState {
                match self {
                    Self::Code(code) => match code.get() {
                        $($code => JobState::$state,)+
                        _ => JobState::Undocumented,
                    },
                    Self::Other(Text::String(name)) => match name.as_str() {
                        $($name => JobState::$state,)+
                        _ => JobState::Undocumented,
                    },
                    Self::Other(Text::Number(_)) => JobState::Undocumented,
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
    /// Whether the job has ended. A state that is not documented counts as not ended.
    pub const fn is_terminal(self) -> bool {
        !matches!(self.phase(), Phase::Underway)
    }

    /// Whether the job has succeeded.
    pub const fn is_success(self) -> bool {
        matches!(self.phase(), Phase::Succeeded)
    }
}

impl JobStatus {
    /// Whether the job has ended.
    pub fn is_terminal(&self) -> bool {
        self.state().is_terminal()
    }

    /// Whether the job has succeeded.
    pub fn is_success(&self) -> bool {
        self.state().is_success()
    }
}

/// The phase of a job, and the word for its state. A job without a status is not known to have ended.
pub(crate) fn phase(status: Option<&JobStatus>) -> (Phase, String) {
    let state = status.map_or(JobState::Undocumented, JobStatus::state);
    (state.phase(), status.map_or_else(|| "not given".to_owned(), JobStatus::to_string))
}

/// Whether a visualization job runs and can be opened.
pub(crate) fn runs(status: Option<&JobStatus>) -> bool {
    status.is_some_and(|status| status.state() == JobState::Running)
}

/// Writes the documented name, for example `JOBSTAT_COMPLETED`.
impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Writes the documented name of the state, or an undocumented status as it was printed.
impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            _ if self.state() != JobState::Undocumented => self.state().fmt(f),
            Self::Code(code) => code.fmt(f),
            Self::Other(text) => text.fmt(f),
        }
    }
}

impl FromStr for JobStatus {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Other(Text::String(text.to_owned())), Self::Code))
    }
}
