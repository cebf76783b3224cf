#![doc = include_str!("../README.md")]

pub mod api;
#[cfg(feature = "contract")]
pub mod contract;
mod entry;
mod error;
mod ids;
pub mod modelarts;
pub mod mrs;
pub mod session;

#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(feature = "raw")]
pub mod raw;
#[cfg(any(test, feature = "spec"))]
pub mod spec;

pub use entry::Entry;
pub use error::{Error, ErrorCode, ErrorKind, Retry};
pub use ids::{JobBinaryId, JobId, LabelingJobId, ProjectId, TrainingJobId, TrainingJobVersionId, VisualizationJobId};
pub use session::Session;
