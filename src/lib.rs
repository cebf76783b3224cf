#![doc = include_str!("../README.md")]

pub mod api;
mod entry;
mod error;
mod ids;
pub mod modelarts;
pub mod mrs;
pub mod paging;
pub mod session;
pub mod waiting;

#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(any(test, feature = "spec"))]
pub mod spec;

pub use entry::Entry;
pub use error::{Error, ErrorCode, ErrorKind, Retry};
pub use ids::{
    JobBinaryId, JobId, LabelingJobId, ProjectId, TrainingJobConfigName, TrainingJobId, TrainingJobVersionId,
    VisualizationJobId,
};
/// The crate whose [`Timestamp`](jiff::Timestamp) and [`SignedDuration`](jiff::SignedDuration) the answers hold.
pub use jiff;
pub use session::Session;
