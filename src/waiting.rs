//! Waiting until a job has ended.
//!
//! `wait()` of a job returns a [`Wait`]: set its limits, then await it or call [`for_completion`](Wait::for_completion). It
//! owns its job, so it can be moved to another task.
//!
//! ```no_run
//! use std::time::Duration;
//! # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
//! let version = session.modelarts().training_job(182626)?.version(1)?;
//! let done = version
//!     .wait()
//!     .at_most(Duration::from_secs(2 * 3600))
//!     .observe(|progress| println!("{} after {:?}", progress.state, progress.elapsed))
//!     .for_completion()
//!     .await;
//! match done {
//!     Ok(details) => println!("done: {:?}", details.train_url),
//!     Err(error) if error.is_timeout() => println!("still {:?}", error.state()),
//!     Err(error) if error.is_failure() => println!("ended as {:?}", error.state()),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The first request is sent at once, the next one 5 seconds later, then at growing intervals up to a minute, for at most a
//! day. The clock of the [`Session`] measures all of this, so a test need not wait.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::session::Session;
pub use crate::shape::Phase;

/// The number of transient failures in a row that ends a wait.
pub(crate) const PATIENCE: u32 = 3;

/// A job whose state changes by itself until it has ended. Implemented by the handles of this crate.
pub trait Awaited: Clone + fmt::Debug + Send + Sync + 'static {
    /// The details of the job that the service returns.
    type Details: fmt::Debug + Send;

    /// The session, which has the clock.
    #[doc(hidden)]
    fn session(&self) -> &Session;

    /// Requests the details.
    #[doc(hidden)]
    fn details(&self) -> impl Future<Output = Result<Self::Details, Error>> + Send;

    /// The phase of the job, and the service's word for its state.
    #[doc(hidden)]
    fn phase(details: &Self::Details) -> (Phase, String);
}

/// What the observer of a wait gets after each response.
#[derive(Debug)]
#[non_exhaustive]
pub struct Progress<'a, D> {
    /// The details of the job.
    pub details: &'a D,
    /// The state of the job.
    pub state: &'a str,
    /// The phase of the job.
    pub phase: Phase,
    /// The elapsed time of the wait.
    pub elapsed: Duration,
    /// The number of requests so far.
    pub polls: u32,
}

/// A wait for a job: set its limits, then await it or call [`for_completion`](Self::for_completion).
#[must_use = "nothing is sent before it is awaited"]
pub struct Wait<'a, J: Awaited> {
    job: J,
    at_most: Duration,
    every: Duration,
    growth: f64,
    longest: Duration,
    observer: Option<Observer<'a, J::Details>>,
}

type Observer<'a, D> = Box<dyn FnMut(Progress<'_, D>) + Send + 'a>;

impl<J: Awaited> fmt::Debug for Wait<'_, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, at_most, every, growth, longest, observer: _ } = self;
        f.debug_struct("Wait")
            .field("job", job)
            .field("at_most", at_most)
            .field("every", every)
            .field("growth", growth)
            .field("longest", longest)
            .finish_non_exhaustive()
    }
}

impl<'a, J: Awaited> Wait<'a, J> {
    pub(crate) fn new(job: J) -> Self {
        Self {
            job,
            at_most: Duration::from_secs(24 * 3600),
            every: Duration::from_secs(5),
            growth: 1.5,
            longest: Duration::from_secs(60),
            observer: None,
        }
    }

    /// Sets how long to wait; 24 hours by default. One last request is sent when the time is over.
    pub fn at_most(mut self, at_most: Duration) -> Self {
        self.at_most = at_most;
        self
    }

    /// Sets the time between the first two requests; 5 seconds by default.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Sets the factor by which the time between two requests grows, and its longest value; 1.5 and 60 seconds by default. A
    /// factor of 1 keeps the time constant.
    pub fn backoff(mut self, factor: f64, longest: Duration) -> Self {
        self.growth = factor;
        self.longest = longest;
        self
    }

    /// Sets a callback that is called after each response.
    pub fn observe(mut self, observer: impl FnMut(Progress<'_, J::Details>) + Send + 'a) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Waits until the job has succeeded, and returns its details.
    ///
    /// # Errors
    ///
    /// The job ended in another way, the time is over, three requests in a row failed with a transient error, or one failed
    /// with any other error.
    pub async fn for_completion(self) -> Result<J::Details, WaitError<J::Details>> {
        self.until(|_| false).await
    }

    /// Waits until the condition holds for the details, or the job has succeeded.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::JobState;
    /// let version = session.modelarts().training_job(10)?.version(10)?;
    /// version.wait().until(|details| details.status.as_ref().is_some_and(|s| s.state() == JobState::Running)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`for_completion`](Self::for_completion).
    pub async fn until(
        mut self,
        mut wanted: impl FnMut(&J::Details) -> bool + Send,
    ) -> Result<J::Details, WaitError<J::Details>> {
        let clock = self.job.session().clock();
        let (started, mut pause) = (clock.now(), self.every);
        let mut error = WaitError { reason: Reason::TimedOut, last: None, elapsed: Duration::ZERO, polls: 0 };
        let mut failures = 0;
        loop {
            let outcome = Box::pin(self.job.details()).await;
            error.polls += 1;
            error.elapsed = since(started, clock.now());
            let mut least = Duration::ZERO;
            match outcome {
                Ok(details) => {
                    failures = 0;
                    let (phase, state) = J::phase(&details);
                    if let Some(observer) = &mut self.observer {
                        let (elapsed, polls) = (error.elapsed, error.polls);
                        observer(Progress { details: &details, state: &state, phase, elapsed, polls });
                    }
                    if phase == Phase::Succeeded || wanted(&details) {
                        return Ok(details);
                    }
                    error.last = Some((details, state));
                    if phase == Phase::Failed {
                        return Err(WaitError { reason: Reason::Ended, ..error });
                    }
                }
                Err(call) => {
                    failures += 1;
                    if failures == PATIENCE || !call.is_transient() {
                        return Err(WaitError { reason: Reason::Call(call), ..error });
                    }
                    least = call.retry_after().unwrap_or_default();
                }
            }
            let Some(left) = self.at_most.checked_sub(error.elapsed).filter(|left| !left.is_zero()) else {
                return Err(error);
            };
            clock.sleep(pause.max(least).min(left)).await;
            pause = Duration::try_from_secs_f64(pause.as_secs_f64() * self.growth)
                .unwrap_or(self.longest)
                .min(self.longest)
                .max(self.every);
        }
    }
}

/// Waits like [`for_completion`](Wait::for_completion).
impl<'a, J: Awaited> IntoFuture for Wait<'a, J> {
    type Output = Result<J::Details, WaitError<J::Details>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.for_completion())
    }
}

/// The time between two readings of a clock; none if the clock was set back.
fn since(started: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(started).unwrap_or_default()
}

/// Why a wait failed, with the last details of the job.
pub struct WaitError<D> {
    reason: Reason,
    last: Option<(D, String)>,
    elapsed: Duration,
    polls: u32,
}

#[derive(Debug)]
enum Reason {
    TimedOut,
    Ended,
    Call(Error),
}

impl<D> WaitError<D> {
    /// Whether the time was over before the job had ended.
    pub fn is_timeout(&self) -> bool {
        matches!(self.reason, Reason::TimedOut)
    }

    /// Whether the job ended without success.
    pub fn is_failure(&self) -> bool {
        matches!(self.reason, Reason::Ended)
    }

    /// The call that failed, if one did. The job may still be in progress.
    pub fn call(&self) -> Option<&Error> {
        match &self.reason {
            Reason::Call(error) => Some(error),
            Reason::TimedOut | Reason::Ended => None,
        }
    }

    /// The last details of the job, if there was a response.
    pub fn last(&self) -> Option<&D> {
        self.last.as_ref().map(|(details, _)| details)
    }

    /// Returns the latest state of the job.
    pub fn state(&self) -> Option<&str> {
        self.last.as_ref().map(|(_, state)| state.as_str())
    }

    /// Returns the elapsed time of the wait.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The number of requests.
    pub fn polls(&self) -> u32 {
        self.polls
    }
}

impl<D> fmt::Display for WaitError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, last: _, elapsed, polls } = self;
        let state = self.state().unwrap_or("not known");
        match reason {
            Reason::TimedOut => write!(f, "the job is not done in time: its state is {state}")?,
            Reason::Ended => write!(f, "the job did not succeed: its state is {state}")?,
            Reason::Call(error) => write!(f, "the state of the job cannot be read: {error}; it was {state}")?,
        }
        write!(f, " (after {:.1} s, asked {polls} times)", elapsed.as_secs_f64())
    }
}

impl<D> fmt::Debug for WaitError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, last: _, elapsed, polls } = self;
        f.debug_struct("WaitError")
            .field("reason", reason)
            .field("state", &self.state())
            .field("elapsed", elapsed)
            .field("polls", polls)
            .finish_non_exhaustive()
    }
}

impl<D> StdError for WaitError<D> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.call().map(|error| error as _)
    }
}

/// A failed call keeps its error; the end of the time becomes a timeout, the failure of a job an error of the service.
impl<D> From<WaitError<D>> for Error {
    fn from(error: WaitError<D>) -> Self {
        let message = error.to_string();
        match error.reason {
            Reason::TimedOut => Self::timeout(message),
            Reason::Ended => Self::service(message),
            Reason::Call(error) => error,
        }
    }
}
