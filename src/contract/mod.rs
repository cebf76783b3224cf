//! Contract tests: which documented behaviour does an endpoint honour?
//!
//! All clauses are derived from the description. They are tested with real requests of a [`Session`], in the order in
//! which objects depend on each other, and what was created is removed again. `docs/contract-tests.md` explains the
//! reports.
//!
//! [`Session`]: crate::Session
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), huaweicloud_jobs::Error> {
//! # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
//! # let session = emulator.session()?;
//! use huaweicloud_jobs::contract::{Plan, Runner};
//!
//! // A session with the server under test.
//! let plan = Plan::of_description().only(&["modelarts.update_training_job.*"])?;
//! let report = Runner::new(session).allow_billed(true).run(&plan, |_| {}).await?;
//! report.assert_honoured();
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod attempt;
mod check;
mod clause;
mod cleanup;
mod clocks;
mod compare;
mod exchange;
mod generate;
mod ids;
mod interrupt;
mod inventory;
mod list_properties;
mod lists;
mod matrix;
mod model;
mod objects;
mod plan;
mod properties;
mod read;
mod recording;
mod references;
mod report;
mod run;
mod runner;
mod scheduler;
mod schema;
mod trials;
mod verdict;

pub use clause::{Clause, Kind};
pub use interrupt::Interrupt;
pub use matrix::{Matrix, Row};
pub use plan::Plan;
pub use recording::Recording;
pub use report::{CommonDifference, Format};
pub use runner::Runner;
pub use verdict::{Check, Conclusion, Difference, Exchange, Leftover, Outcome, Report, Verdict};
