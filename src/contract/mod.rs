//! Contract tests: which documented behaviour does an endpoint honour?
//!
//! All clauses are derived from the description. They are tried with real requests, signed by a [`Session`], in the order
//! in which objects depend on each other; what was created is removed again. `docs/contract-tests.md` tells how to read
//! what comes out.
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
mod cleanup;
mod clocks;
mod compare;
mod exchange;
mod generate;
mod inventory;
mod laws;
mod matrix;
mod model;
mod objects;
mod plan;
mod references;
mod report;
mod run;
mod runner;
mod trials;
mod turns;
mod verdict;

pub use matrix::{Matrix, Row};
pub use plan::{Clause, Kind, Plan};
pub use report::{CommonDifference, Format};
pub use runner::{Interrupt, Runner};
pub use verdict::{Check, Conclusion, Difference, Exchange, Leftover, Outcome, Report, Verdict};
