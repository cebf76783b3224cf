#![doc = include_str!("../README.md")]
// Shows which feature brings what, where the documentation is built with a toolchain that can.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod api;
pub mod bulk;
mod clock;
mod cloud;
#[cfg(feature = "contract")]
pub mod contract;
#[doc = include_str!("../docs/coming-from-the-python-sdk.md")]
pub mod coming_from_the_python_sdk {}
mod entry;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
#[doc(hidden)]
pub mod json;
#[cfg(feature = "mock")]
pub mod mock;
pub mod modelarts;
pub mod mrs;
pub mod paging;
mod secret;
pub mod session;
mod shape;
pub mod terminal;
mod transport;
pub mod waiting;

#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(feature = "raw")]
pub mod raw;
#[cfg(any(test, feature = "spec"))]
pub mod spec;

pub use cloud::{Cloud, Documented, UnknownCloud};
pub use entry::Entry;
pub use error::{Error, ErrorCode, ErrorKind, Retry, Setting};
pub use ids::{
    DataSourceId, JobBinaryId, JobExeId, JobExecutionId, JobId, LabelingJobId, ProjectId, Texts, TrainingJobConfigName,
    TrainingJobId, TrainingJobVersionId, VisualizationJobId,
};
/// The Rust code of the guides, run with the doc tests.
#[cfg(all(doctest, feature = "emulator", feature = "contract"))]
mod guides {
    macro_rules! guides {
        ($($name:ident $file:literal,)+) => {$(
            #[doc = include_str!(concat!("../docs/", $file))]
            struct $name;
        )+};
    }
    guides! {
        Clouds "clouds.md",
        ContractTests "contract-tests.md",
        Credentials "credentials.md",
        Emulator "emulator.md",
        Errors "errors.md",
        TestingYourProgram "testing-your-program.md",
    }
}

/// The crate whose [`Timestamp`](jiff::Timestamp) and [`SignedDuration`](jiff::SignedDuration) the answers hold.
pub use jiff;
pub use session::Session;
