//! The clock of a session, which tests can replace.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// The clock of a session. The default is the real time; a test can use a clock that does not wait.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time, for signatures, expiry and deadlines.
    fn now(&self) -> SystemTime;

    /// Returns when the duration has passed.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The real clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
