//! Client, emulator and OpenAPI description for the job APIs of Huawei Cloud that no SDK covers well: **ModelArts v1**
//! training jobs, visualization jobs and labeling jobs, and the Sahara-compatible **MRS v1.1** job objects.
//!
//! ```sh
//! cargo add huaweicloud-jobs
//! cargo add tokio --features macros,rt
//! ```
//!
//! ```no_run
//! use huaweicloud_jobs::{Error, Session};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let session = Session::from_environment().await?;
//!     let job = session.modelarts().training_job(182626)?;
//!     job.update_description("trained on the May images").await?;
//!     println!("{}", job.show().await?.job_name);
//!     Ok(())
//! }
//! ```
//!
//! # Modules
//!
//! | module | holds |
//! | --- | --- |
//! | [`modelarts`] | training jobs and their versions, logs, configurations, visualization jobs, labeling jobs |
//! | [`mrs`] | job objects, job binaries, data sources, executions, submitted jobs |
//! | [`session`] | credentials, regions and addresses, retries, signing |
//! | [`paging`] | lists: streams of entries, pages, cursors |
//! | [`waiting`] | waits until a job has ended |
//! | [`bulk`] | many updates, several at once |
//! | [`Error`], [`ErrorKind`], [`ErrorCode`] | the one error, its kinds, the documented codes |
//! | [`api`] | the generated clients and wire types, for what the handles do not offer |
//! | [`har`] | recorded requests and responses as HAR files |
//! | `emulator` | a stateful emulator of the services for tests |
//! | `mock` | typed mocks of every operation |
//! | `raw` | any operation by its name |
//! | `contract` | tests of an endpoint against the description |
//! | `spec` | the description as data |
//!
//! # Features
//!
//! | feature | brings |
//! | --- | --- |
//! | `ring` (default) | a provider of cryptography for TLS, unless the program has installed another one |
//! | `emulator`, `mock`, `raw`, `contract`, `spec` | the modules of these names |
//! | `publish` | the description as published pages and files |
//! | `schemars` | `JsonSchema` for the generated types |
//! | `builders` | builders of the generated types |
//! | `cli` | the binary `hwjobs` |
//!
//! # Runtime
//!
//! All calls need a [tokio](https://docs.rs/tokio) runtime with timers and I/O enabled; without one, the first call panics.
//! A program without `async` runs one for itself:
//!
//! ```no_run
//! use huaweicloud_jobs::{Error, Session};
//!
//! fn main() -> Result<(), Error> {
//!     let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
//!     runtime.block_on(async {
//!         let session = Session::from_environment().await?;
//!         session.modelarts().training_job(182626)?.update_description("trained on the May images").await
//!     })
//! }
//! ```
//!
//! # Public dependencies
//!
//! Types of [`jiff`] (times and durations), [`http`] (statuses) and [`serde_json`] (free-form values) are part of the
//! interface; the first two are re-exported. [`reqwest`] appears where a program hands over a client of its own, `httpmock` with the feature
//! `mock`. A new major version of one of these is a new major version of this crate. The [generated clients](api) also show
//! `progenitor_client` and `bytes`; they are as stable as the generator.
//!
//! # Guides
//!
//! The [`guides`] are the pages of the folder `docs`: [getting started](guides::getting_started),
//! [credentials](guides::credentials), [errors](guides::errors), [testing your program](guides::testing_your_program),
//! [the emulator](guides::emulator) and others.

// Shows which feature brings what, where the documentation is built with a toolchain that can.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod api;
pub mod bulk;
mod clock;
mod cloud;
#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "emulator")]
pub mod emulator;
mod entry;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(doc)]
pub mod guides;
mod handles;
pub mod har;
mod ids;
#[doc(hidden)]
pub mod json;
#[cfg(feature = "mock")]
pub mod mock;
pub mod modelarts;
pub mod mrs;
pub mod paging;
#[cfg(feature = "raw")]
pub mod raw;
mod secret;
pub mod session;
mod shape;
#[cfg(any(test, feature = "spec"))]
pub mod spec;
pub mod terminal;
mod transport;
pub mod waiting;

pub use api::wire::{
    ClusterId, DataSourceId, EngineId, JobBinaryId, JobExeId, JobExecutionId, JobId, LabelingJobId, ModelId, ProjectId,
    SpecId, TrainingJobConfigName, TrainingJobId, TrainingJobVersionId, VisualizationJobId,
};
pub use cloud::{Cloud, Documented, UnknownCloud};
pub use entry::Entry;
pub use error::{Error, ErrorCode, ErrorKind, Retry, Setting};
pub use ids::{Ids, Texts};
pub use session::credentials::Credentials;
pub use session::{RetryPolicy, Secret, Service, Session, SessionBuilder};

/// The crate whose [`StatusCode`](http::StatusCode) errors return.
pub use http;
/// The crate whose [`Timestamp`](jiff::Timestamp) and [`SignedDuration`](jiff::SignedDuration) responses hold.
pub use jiff;
