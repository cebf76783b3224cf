//! Bulk updates with several requests in flight.
//!
//! `update_descriptions` of training jobs, visualization jobs, labeling jobs and MRS jobs takes a stream of ids and texts and
//! returns a [`Bulk`]: a stream of the outcome of each update, in the order in which they finish.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use huaweicloud_jobs::bulk;
//! # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
//! # let session = emulator.session()?;
//! let updates = [(10, "new text"), (182626, "another text"), (404, "no such job")];
//! let mut updates = session.modelarts().training_jobs().update_descriptions(bulk::iter(updates));
//! while let Some(done) = updates.next().await {
//!     match done.result {
//!         Ok(()) => println!("{} is changed", done.id),
//!         Err(error) => println!("{} is not: {error}", done.id),
//!     }
//! }
//! assert_eq!(updates.position(), 3);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```
//!
//! The number of updates in flight follows the service: each success raises it, each 429 halves it and delays all updates for
//! as long as the service asks, within the [`patience`](Bulk::patience). Updates that fail with a transient error are sent
//! again. Any other failure, a missing permission included, is the outcome of its update and stops no other one. Two things
//! end a bulk early, and [`ended_early`](Bulk::ended_early) returns the error:
//!
//! - The credentials are rejected. They would be rejected for every other update too, and several failures in a row lock a
//!   key. So only a few updates are in flight at first, and nothing new is sent after the first rejection.
//! - The service asks to wait for longer than the patience lasts.
//!
//! A bulk stores no finished updates and reads its input only as far as updates are in flight. To resume after a crash or
//! after an early end, skip as many updates of the input as [`position`](Bulk::position) returned.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
#[doc(no_inline)]
pub use futures_util::stream::iter;
use futures_util::stream::{BoxStream, FuturesUnordered};

use crate::error::Error;
use crate::paging;
use crate::session::Session;
use crate::transport::once;

/// The number of updates in flight at first: fewer than the five failures in a row that lock a key.
const START: f64 = 4.0;
/// The default limit of updates in flight.
const MOST: u32 = 32;
/// How often one update is sent: where the service throttles it, and where it fails with a transient error.
const THROTTLED: u32 = 20;
const FAILED: u32 = 4;
/// The default of [`Bulk::patience`].
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The first pause; it doubles up to the longest one.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The outcome of one update.
#[derive(Debug)]
#[non_exhaustive]
pub struct Done<K> {
    /// The place of the update in the input, from 0.
    pub index: u64,
    /// The id of the object.
    pub id: K,
    /// How often the update was sent.
    pub attempts: u32,
    /// Whether the object was updated, or the last error.
    pub result: Result<(), Error>,
}

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// An update in flight, and its outcome.
type Attempt<K> = Pending<(Item<K>, Result<(), Error>)>;
/// Sends one update; each call sends it once more.
pub(crate) type Update = Arc<dyn Fn() -> Pending<Result<(), Error>> + Send + Sync>;

/// An [`Update`] that calls a handle with a value.
pub(crate) fn update<H, V, F>(handle: H, value: V, call: fn(H, V) -> F) -> Update
where
    H: Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    Arc::new(move || Box::pin(call(handle.clone(), value.clone())))
}

/// A pause of all updates, since the service rejects more of them for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The duration of the pause.
    pub duration: Duration,
    /// The wait that the service asked for, if it did; it can be longer than the patience.
    pub asked: Option<Duration>,
}

type Observer<'a> = Box<dyn FnMut(Pause) + Send + 'a>;

/// Many updates in progress, see the [module](self).
#[must_use = "nothing is sent before it is read"]
pub struct Bulk<'a, K> {
    session: Session,
    input: Option<BoxStream<'a, (K, Update)>>,
    running: FuturesUnordered<Attempt<K>>,
    /// Updates that wait after a failure until they are sent again.
    waiting: FuturesUnordered<Pending<Item<K>>>,
    /// Updates to be sent again, before anything new from the input.
    again: VecDeque<Item<K>>,
    pause: Option<Pending<()>>,
    pace: Pace,
    patience: Duration,
    /// How long the service has delayed all updates since the last success.
    waited: Duration,
    observer: Option<Observer<'a>>,
    ended: Option<Ended>,
    /// The number of updates taken from the input, and the indexes of those that have not finished.
    taken: u64,
    open: BTreeSet<u64>,
}

/// Why a bulk ended early.
struct Ended {
    error: Error,
    /// The number of updates that were not sent, if the input knows its length.
    untried: Option<u64>,
}

/// One update that has not finished.
struct Item<K> {
    index: u64,
    id: K,
    update: Update,
    throttled: u32,
    failed: u32,
    /// The epoch of the [`Pace`] when it was sent.
    epoch: u64,
}

/// The limit of updates in flight.
struct Pace {
    limit: f64,
    most: f64,
    /// The number of times that the limit was lowered; until the first time, every success raises it by one.
    epoch: u64,
    /// The number of rejections in a row, which determines the pause.
    rejections: u32,
}

impl Pace {
    fn succeeded(&mut self) {
        self.rejections = 0;
        // The limit doubles with each round at first, and grows by one with each round after the first rejection.
        let step = if self.epoch == 0 { 1.0 } else { 1.0 / self.limit };
        self.limit = (self.limit + step).min(self.most);
    }

    /// Halves the limit, once for all updates that were in flight together. Returns the pause for a service that asks for
    /// none.
    fn throttled(&mut self, epoch: u64) -> Duration {
        if epoch == self.epoch {
            self.limit = (self.limit / 2.0).max(1.0);
            self.epoch += 1;
            self.rejections += 1;
        }
        let longest = PAUSE.saturating_mul(1 << self.rejections.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        longest.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

impl<'a, K: Clone + Send + Unpin + 'static> Bulk<'a, K> {
    /// `plan` makes an id and an update of each item of the input.
    pub(crate) fn new<T>(
        session: Session,
        updates: impl Stream<Item = T> + Send + 'a,
        plan: impl FnMut(T) -> (K, Update) + Send + 'a,
    ) -> Self {
        Self {
            session,
            input: Some(updates.map(plan).boxed()),
            running: FuturesUnordered::new(),
            waiting: FuturesUnordered::new(),
            again: VecDeque::new(),
            pause: None,
            pace: Pace { limit: START, most: MOST.into(), epoch: 0, rejections: 0 },
            patience: PATIENCE,
            waited: Duration::ZERO,
            observer: None,
            ended: None,
            taken: 0,
            open: BTreeSet::new(),
        }
    }

    /// Sets how long the service may delay all updates (`Retry-After`) without a success in between; 5 minutes by default.
    ///
    /// A longer delay is cut, and the updates are sent once more then. If the service still asks to wait, the bulk ends early.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets a callback that is called when a pause begins.
    pub fn observe_pauses(mut self, observer: impl FnMut(Pause) + Send + 'a) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Sets the highest number of updates in flight; 32 by default. A bulk begins with 4.
    pub fn at_most(mut self, most: u32) -> Self {
        self.pace.most = most.max(1).into();
        self.pace.limit = self.pace.limit.min(self.pace.most);
        self
    }

    /// Returns the current limit of updates in flight.
    pub fn limit(&self) -> u32 {
        // Never more than `most`, which is a `u32`.
        self.pace.limit as u32
    }

    /// Returns the number of leading updates of the input that have finished, successfully or not. To resume, skip as many.
    /// Some updates after them may have finished too; sending those a second time has no further effect.
    pub fn position(&self) -> u64 {
        self.open.first().copied().unwrap_or(self.taken)
    }

    /// Returns the error that ended the bulk before all updates were sent: rejected credentials, or a service that delayed the
    /// updates for longer than the patience lasts. `None` while the bulk is in progress, and after all updates were sent.
    ///
    /// Updates in flight still get their outcome; all others have to be sent again, see [`position`](Self::position).
    pub fn ended_early(&self) -> Option<&Error> {
        self.ended.as_ref().map(|ended| &ended.error)
    }

    /// Returns the number of updates without an outcome because the bulk [ended early](Self::ended_early), if the input knows
    /// its length.
    pub fn untried(&self) -> Option<u64> {
        self.ended.as_ref().map_or(Some(0), |ended| ended.untried)
    }

    /// Returns the outcome of the next update that finishes; `None` after the last one, or after an early end.
    pub async fn next(&mut self) -> Option<Done<K>> {
        paging::next(self).await
    }

    fn send(&self, mut item: Item<K>) {
        item.epoch = self.pace.epoch;
        self.running.push(Box::pin(async move {
            let result = once((item.update)()).await;
            (item, result)
        }));
    }

    /// Retries an update after a pause of its own.
    fn send_later(&self, item: Item<K>) {
        let session = self.session.clone();
        let longest = PAUSE.saturating_mul(1 << (item.failed - 1).min(10));
        self.waiting.push(Box::pin(async move {
            session.clock().sleep(longest.mul_f64(fastrand::f64())).await;
            item
        }));
    }

    /// Pauses all updates, unless the service has asked for longer than the patience lasts.
    fn wait(&mut self, error: &Error, own: Duration) {
        if self.pause.is_some() {
            return;
        }
        let asked = error.retry_after();
        let left = self.patience.saturating_sub(self.waited);
        if asked.is_some_and(|asked| !asked.is_zero()) && left.is_zero() {
            return self.end(error);
        }
        let served = asked.unwrap_or_default().min(left);
        self.waited += served;
        // The own pauses are bounded as well; without one, updates would be sent again at once.
        let duration = own.min(self.patience.max(PAUSE)).max(served);
        if let Some(observer) = &mut self.observer {
            observer(Pause { duration, asked });
        }
        let session = self.session.clone();
        self.pause = Some(Box::pin(async move { session.clock().sleep(duration).await }));
    }

    /// Ends the bulk early.
    fn end(&mut self, error: &Error) {
        if self.ended.is_some() {
            return;
        }
        let left = self.input.take().map_or(Some(0), |input| match input.size_hint() {
            (least, Some(most)) if least == most => Some(most as u64),
            _ => None,
        });
        let held = (self.again.len() + self.waiting.len()) as u64;
        self.ended = Some(Ended { error: error.clone(), untried: left.map(|left| left + held) });
        self.again.clear();
        self.waiting.clear();
        self.pause = None;
    }

    /// Takes the result of an attempt. Returns the outcome of its update, unless that is to be sent again.
    fn take(&mut self, mut item: Item<K>, result: Result<(), Error>) -> Option<Done<K>> {
        // Whether the attempt would be repeated if the bulk went on.
        let mut passing = false;
        match &result {
            Ok(()) => {
                self.pace.succeeded();
                self.waited = Duration::ZERO;
            }
            Err(error) if error.is_throttled() => {
                passing = true;
                item.throttled += 1;
                let own = self.pace.throttled(item.epoch);
                if item.throttled < THROTTLED && self.ended.is_none() {
                    self.wait(error, own);
                    if self.ended.is_none() {
                        self.again.push_back(item);
                        return None;
                    }
                }
            }
            Err(error) if error.is_transient() => {
                passing = true;
                item.failed += 1;
                if item.failed < FAILED && self.ended.is_none() {
                    self.send_later(item);
                    return None;
                }
            }
            Err(error) if error.is_unauthenticated() => self.end(error),
            Err(_) => {}
        }
        // An update that was not repeated only because the bulk has ended counts as not finished.
        let is_unauthenticated = result.as_ref().is_err_and(Error::is_unauthenticated);
        if !(is_unauthenticated || passing && self.ended.is_some()) {
            self.open.remove(&item.index);
        }
        let attempts = item.throttled + item.failed + u32::from(!passing);
        Some(Done { index: item.index, id: item.id, attempts, result })
    }

    /// Sends as many updates as the limit allows.
    fn fill(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(item)) = self.waiting.poll_next_unpin(context) {
            self.again.push_back(item);
        }
        while self.pause.is_none() && self.running.len() + self.waiting.len() < self.limit() as usize {
            if let Some(item) = self.again.pop_front() {
                self.send(item);
                continue;
            }
            let Some(input) = &mut self.input else { return };
            match input.as_mut().poll_next(context) {
                Poll::Ready(Some((id, update))) => {
                    let index = self.taken;
                    self.taken += 1;
                    self.open.insert(index);
                    self.send(Item { index, id, update, throttled: 0, failed: 0, epoch: 0 });
                }
                Poll::Ready(None) => self.input = None,
                Poll::Pending => return,
            }
        }
    }
}

impl<K: Clone + Send + Unpin + 'static> Stream for Bulk<'_, K> {
    type Item = Done<K>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Done<K>>> {
        let this = self.get_mut();
        loop {
            if let Some(pause) = &mut this.pause
                && pause.as_mut().poll(context).is_ready()
            {
                this.pause = None;
            }
            this.fill(context);
            match this.running.poll_next_unpin(context) {
                Poll::Ready(Some((item, result))) => {
                    if let Some(done) = this.take(item, result) {
                        return Poll::Ready(Some(done));
                    }
                }
                Poll::Ready(None) if this.input.is_none() && this.again.is_empty() && this.waiting.is_empty() => {
                    return Poll::Ready(None);
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<K> fmt::Debug for Bulk<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("running", &self.running.len())
            .field("limit", &self.pace.limit)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
