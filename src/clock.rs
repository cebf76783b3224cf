//! Time, so that tests can have their own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// What a session knows of time. The default is the real one; a test can bring a clock that waits for nobody.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now, for signatures, expiry and deadlines.
    fn now(&self) -> SystemTime;

    /// Returns when the duration has passed.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The real time.
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
