//! The emulator's own time, which can be stopped, hurried and moved on.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Virtual time: a point of it, the real instant of that point, and how fast it has passed since.
pub(super) struct Clock(Mutex<Hand>);

#[derive(Clone, Copy)]
struct Hand {
    /// Milliseconds since the Unix epoch at `since`.
    at: i64,
    since: Instant,
    /// Virtual seconds in a real second; 0 while the clock is stopped.
    scale: f64,
}

impl Hand {
    fn now(self) -> i64 {
        self.at + (self.since.elapsed().as_secs_f64() * self.scale * 1000.0) as i64
    }
}

impl Clock {
    /// A clock that starts at a time, or at the real one.
    pub(super) fn new(at: Option<i64>, scale: f64) -> Self {
        let real = || {
            let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
        };
        Self(Mutex::new(Hand { at: at.unwrap_or_else(real), since: Instant::now(), scale }))
    }

    /// Milliseconds since the Unix epoch, the time of ModelArts.
    pub(super) fn now(&self) -> i64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// The same as a system time.
    pub(super) fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.now()).unwrap_or_default())
    }

    /// Moves on at once.
    pub(super) fn advance(&self, by: Duration) {
        let mut hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hand.at = hand.at.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Lets time pass so many times as fast as real time from now on; 0 stops it.
    pub(super) fn set_scale(&self, scale: f64) {
        let mut hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *hand = Hand { at: hand.now(), since: Instant::now(), scale };
    }
}
