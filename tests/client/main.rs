//! The client: sessions, calls, handles, lists, waiting, and what servers do to it.

#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "spec")]
#[path = "../drivers/mod.rs"]
mod drivers;
#[cfg(feature = "spec")]
#[path = "../fixtures/mod.rs"]
mod fixtures;

mod bulk;
mod credentials;
mod errors;
mod examples;
mod faults;
#[cfg(feature = "builders")]
mod generated;
mod handles_modelarts;
mod handles_mrs;
mod lists;
mod mock;
mod raw;
mod sdk_calls;
mod secrets;
mod session;
mod signing;
mod tolerance;
mod updates;
mod waiting;
