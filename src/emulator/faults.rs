//! Fault injection.

use std::time::Duration;

use http::{StatusCode, header};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::events::Events;
use super::response::{Abort, Family, Response, commanded, on_the_wire};
use crate::error::Error;
use crate::spec;

/// The longest delay, an hour.
const MAX_DELAY: u64 = 60 * 60 * 1000;

/// A fault to inject, with its condition.
///
/// ```
/// use huaweicloud_jobs::emulator::Fault;
///
/// // The next two updates of a training job return 503.
/// let fault = Fault::status(503).on("update_training_job").times(2);
/// # assert_eq!(fault.count, Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Fault {
    /// The ids of the affected operations; if empty, all operations.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The number of requests that it still affects, at least 1; if absent, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The probability that it affects a request, up to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// Whether the operation is done before the fault: it has its effect, but the response is lost.
    #[serde(default)]
    pub after: bool,
    /// The action.
    pub action: FaultAction,
}

/// The action of a [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FaultAction {
    /// The response is delayed, in real time. Other faults can affect the same request.
    Delay {
        /// The delay, at most an hour.
        milliseconds: u64,
    },
    /// The response is an error with this status, in the form of the operation's family.
    Status {
        /// The status: 400 to 599, or 200, with which ModelArts may fail too.
        status: u16,
        /// The code of the error; the default is the usual one of the status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The message of the error; the default is the documented meaning of the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Seconds for the header `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// The connection is reset without a response.
    Reset,
    /// The operation is done, and the connection is closed after some bytes of the response's body.
    Cut {
        /// The number of bytes of the body that are sent.
        bytes: usize,
    },
    /// The operation is done, `Content-Length` is wrong, and the connection is closed.
    Length {
        /// The declared length minus the sent length.
        by: i64,
    },
    /// Requests beyond a rate get 429. The emulator's clock measures the rate.
    Throttle {
        /// The number of allowed requests.
        requests: u32,
        /// The period, in seconds.
        seconds: u32,
    },
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// Returns a fault that affects every request.
    pub fn new(action: FaultAction) -> Self {
        Self { operations: Vec::new(), count: None, probability: 1.0, after: false, action }
    }

    /// Returns a fault with an error response of this status.
    pub fn status(status: u16) -> Self {
        Self::new(FaultAction::Status { status, code: None, message: None, retry_after: None })
    }

    /// Returns a fault with an error response of this status and code.
    pub fn code(status: u16, code: impl Into<String>) -> Self {
        Self::new(FaultAction::Status { status, code: Some(code.into()), message: None, retry_after: None })
    }

    /// Returns a fault that delays the response.
    pub fn delay(delay: Duration) -> Self {
        Self::new(FaultAction::Delay { milliseconds: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX) })
    }

    /// Adds an affected operation.
    #[must_use]
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operations.push(operation.into());
        self
    }

    /// Limits the number of affected requests.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Sets the probability.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Makes the operation be done before the fault.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.after = true;
        self
    }

    /// Validates the fault.
    pub(super) fn problem(&self) -> Option<String> {
        let known = |id: &str| spec::rules().iter().any(|document| document.operation(id).is_some());
        if let Some(unknown) = self.operations.iter().find(|id| !known(id)) {
            return Some(format!("no operation is called `{unknown}`"));
        }
        if !(self.probability > 0.0 && self.probability <= 1.0) {
            return Some(format!("the probability is {}; it is above 0 and up to 1", self.probability));
        }
        if self.count == Some(0) {
            return Some("`count` is 0; it is 1 or more".to_owned());
        }
        match &self.action {
            FaultAction::Delay { milliseconds } if *milliseconds > MAX_DELAY => {
                Some(format!("`milliseconds` is {milliseconds}; it is {MAX_DELAY} or less"))
            }
            FaultAction::Status { status, .. } if *status != 200 && !(400..=599).contains(status) => {
                Some(format!("the status is {status}; it is 200 or 400 to 599"))
            }
            FaultAction::Status { code: Some(code), .. } if code.is_empty() => Some("the code is empty".to_owned()),
            FaultAction::Throttle { seconds: 0, .. } => Some("`seconds` is 0; it is 1 or more".to_owned()),
            FaultAction::Length { by: 0 } => Some("`by` is 0, which is the right length".to_owned()),
            _ => None,
        }
    }
}

/// An active fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActiveFault {
    /// The id of the fault.
    pub id: u64,
    /// The number of requests that it has affected.
    pub hits: u64,
    /// The fault; its count decreases with each affected request.
    #[serde(flatten)]
    pub fault: Fault,
}

/// The faults of a running emulator, see [`Emulator::faults`](super::Emulator::faults).
#[derive(Clone, Copy, Debug)]
pub struct Faults<'a> {
    pub(super) injected: &'a Mutex<Injected>,
    pub(super) events: &'a Events,
}

impl Faults<'_> {
    /// Adds a fault and returns its id.
    ///
    /// # Errors
    ///
    /// A fault that is malformed.
    pub fn add(&self, fault: Fault) -> Result<u64, Error> {
        if let Some(problem) = fault.problem() {
            return Err(Error::configuration(format!("the fault cannot be: {problem}")));
        }
        let id = self.injected().add(fault);
        self.events.change("faults");
        Ok(id)
    }

    /// Returns the active faults, the oldest first.
    pub fn list(&self) -> Vec<ActiveFault> {
        self.injected().list()
    }

    /// Removes a fault, and returns whether it existed.
    pub fn remove(&self, id: u64) -> bool {
        let was_there = self.injected().remove(id);
        self.events.change("faults");
        was_there
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.injected().clear();
        self.events.change("faults");
    }

    fn injected(&self) -> MutexGuard<'_, Injected> {
        self.injected.lock()
    }
}

/// The effect of all faults on one request.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) delay: Duration,
    pub(super) hit: Option<Hit>,
}

/// The fault that determines the response.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) id: u64,
    pub(super) after: bool,
    pub(super) action: FaultAction,
}

impl Hit {
    /// Whether the operation is done.
    pub(super) fn acts(&self) -> bool {
        self.after || matches!(self.action, FaultAction::Cut { .. } | FaultAction::Length { .. })
    }

    /// Returns the replacement of the response, if there is one.
    pub(super) fn show(&self, done: Option<Response>, family: Family, request_id: &str) -> Result<Response, Abort> {
        match (&self.action, done) {
            (FaultAction::Cut { bytes }, Some(response)) => {
                let length = response.body().len();
                let response = response.map(|body| body.slice(..length.min(*bytes)));
                Err(Abort { bytes: on_the_wire(&response, length), reset: false })
            }
            (FaultAction::Length { by }, Some(response)) => {
                let length = response.body().len().saturating_add_signed(isize::try_from(*by).unwrap_or(isize::MAX));
                Err(Abort { bytes: on_the_wire(&response, length), reset: false })
            }
            (FaultAction::Status { status, code, message, retry_after }, _) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let response = commanded(family, status, code.as_deref(), message.as_deref(), request_id);
                Ok(match retry_after {
                    Some(seconds) => in_seconds(response, *seconds),
                    None => response,
                })
            }
            (FaultAction::Throttle { requests, seconds }, _) => {
                let message = format!(
                    "The throttling threshold has been reached: policy user over ratelimit,limit:{requests},\
                     time:{seconds} second"
                );
                let response = commanded(family, StatusCode::TOO_MANY_REQUESTS, None, Some(&message), request_id);
                Ok(in_seconds(response, seconds.div_ceil((*requests).max(1))))
            }
            (FaultAction::Delay { .. }, Some(response)) => Ok(response),
            _ => Err(Abort { bytes: Vec::new(), reset: true }),
        }
    }
}

/// Adds `Retry-After`.
fn in_seconds(mut response: Response, seconds: u32) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// All faults, and their random generator.
#[derive(Debug)]
pub(super) struct Injected {
    last: u64,
    entries: Vec<Entry>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Entry {
    active: ActiveFault,
    /// For `Throttle`: the number of requests that are still allowed, and the time of this number in milliseconds.
    allowance: Option<(f64, i64)>,
}

impl Injected {
    pub(super) fn new(seed: Option<u64>) -> Self {
        let random = seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Self { last: 0, entries: Vec::new(), random }
    }

    pub(super) fn add(&mut self, fault: Fault) -> u64 {
        self.last += 1;
        let active = ActiveFault { id: self.last, hits: 0, fault };
        self.entries.push(Entry { active, allowance: None });
        self.last
    }

    pub(super) fn list(&self) -> Vec<ActiveFault> {
        self.entries.iter().map(|entry| entry.active.clone()).collect()
    }

    pub(super) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.active.id != id);
        self.entries.len() < before
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Returns the effect on a request for an operation at a time of the emulator's clock, in milliseconds.
    pub(super) fn plan(&mut self, operation: &str, now: i64) -> Plan {
        let mut plan = Plan::default();
        for Entry { active, allowance } in &mut self.entries {
            let fault = &mut active.fault;
            let meant = fault.operations.is_empty() || fault.operations.iter().any(|id| id == operation);
            if !meant || (fault.probability < 1.0 && self.random.f64() >= fault.probability) {
                continue;
            }
            match &fault.action {
                FaultAction::Delay { milliseconds } => plan.delay += Duration::from_millis(*milliseconds),
                _ if plan.hit.is_some() => continue,
                FaultAction::Throttle { requests, seconds } if passes(*requests, *seconds, allowance, now) => continue,
                action => plan.hit = Some(Hit { id: active.id, after: fault.after, action: action.clone() }),
            }
            active.hits += 1;
            fault.count = fault.count.map(|count| count - 1);
        }
        self.entries.retain(|entry| entry.active.fault.count != Some(0));
        plan
    }
}

/// Returns whether a request is within the rate: a token bucket.
fn passes(requests: u32, seconds: u32, allowance: &mut Option<(f64, i64)>, now: i64) -> bool {
    let (left, at) = allowance.unwrap_or((f64::from(requests), now));
    let gained = (now - at).max(0) as f64 / 1000.0 * f64::from(requests) / f64::from(seconds);
    let left = (left + gained).min(f64::from(requests));
    let pass = left >= 1.0;
    *allowance = Some((if pass { left - 1.0 } else { left }, now));
    pass
}
