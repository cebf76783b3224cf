//! Decides whether a call is retried, and after which wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::Operation;
use crate::error::{Error, ErrorKind};

/// The number of retries that a full budget pays for.
const BUDGET: u32 = 100;
/// The cost of a retry. A success refills the budget by one.
const COST: u32 = 5;

/// How often and after which delays a call is retried.
///
/// A call is retried after 429, 502, 503, 504 and a broken connection if the description declares it idempotent, and any
/// call if nothing of it was sent. A certificate that is not accepted is never retried. The delays grow exponentially, with
/// full jitter, and are at least what the service asks for by `Retry-After`. All attempts together stay within the
/// session's timeout of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The highest number of attempts, the first one included; with 1, no call is retried.
    pub max_attempts: u32,
    /// The upper bound of the first delay; it doubles with every further one.
    pub base: Duration,
    /// The upper bound of every delay.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 4, base: Duration::from_millis(200), cap: Duration::from_secs(10) }
    }
}

impl RetryPolicy {
    /// Sends every call once.
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Returns the delay before the attempt after this one (counted from 1), if there is another one.
    pub(super) fn wait(&self, attempt: u32, operation: Option<&Operation>, error: &Error) -> Option<Duration> {
        if attempt >= self.max_attempts || !is_repeatable(operation, error) {
            return None;
        }
        let longest = self.base.saturating_mul(1 << (attempt - 1).min(16)).min(self.cap);
        let jittered = longest.mul_f64(fastrand::f64());
        Some(jittered.max(error.retry_after().unwrap_or_default()))
    }
}

fn is_repeatable(operation: Option<&Operation>, error: &Error) -> bool {
    let passing = match error.status().map(|status| status.as_u16()) {
        Some(429 | 502 | 503 | 504) => true,
        Some(_) | None => match error.kind() {
            // A status means that there was a response, unless that broke off.
            ErrorKind::Network => !error.has_bad_certificate(),
            // A connection that was not established in time is like one that was refused.
            ErrorKind::Timeout => !error.may_have_been_sent(),
            _ => false,
        },
    };
    passing && (operation.is_some_and(|operation| operation.idempotent) || !error.may_have_been_sent())
}

/// Limits the retries of all calls of a session together: while many calls fail, retries add to the load.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicU32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(BUDGET * COST)))
    }
}

impl Budget {
    /// Takes a retry from the budget, if one is left.
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        let took = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(COST));
        took.ok().map(|_| Taken(self))
    }

    /// Refills the budget after a successful call.
    pub(super) fn refill(&self) {
        self.give(1);
    }

    fn give(&self, parts: u32) {
        let full = BUDGET * COST;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left < full).then_some(full.min(left + parts)));
    }
}

/// A retry that was paid for. Dropping it refunds its cost, for calls that are canceled before the retry is sent.
pub(super) struct Taken<'a>(&'a Budget);

impl Taken<'_> {
    /// Keeps the cost: the retry is sent.
    pub(super) fn spend(self) {
        std::mem::forget(self);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.give(COST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_budget_repeats_nothing_until_calls_go_well() {
        let budget = Budget::default();
        let spend = |budget: &Budget| budget.take().map(Taken::spend).is_some();
        let left = || (0..1000).filter(|_| spend(&budget)).count();
        (0..1000).for_each(|_| drop(budget.take()));
        assert_eq!(left(), BUDGET as usize, "what is not spent goes back");
        (0..COST).for_each(|_| budget.refill());
        assert!(spend(&budget.clone()), "clones share it");
        assert!(!spend(&budget));
        (0..10_000).for_each(|_| budget.refill());
        assert_eq!(left(), BUDGET as usize, "it does not grow beyond its size");
    }
}
