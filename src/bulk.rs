//! Many updates, several at once.
//!
//! `update_descriptions` of the training jobs and of the MRS jobs takes a stream of ids and texts and gives a [`Bulk`], a
//! stream of what became of each, in the order in which they are done.
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
//! How many run at once depends on what the service can bear: each success raises the number, each 429 halves it and makes
//! all wait for as long as the service asks. Updates that meet a failure that may pass are sent again; any other failure is
//! the outcome of its update and stops no other one. Only a refusal of the credentials ends it all: it would be the same for
//! each, and a few of them lock a key.
//!
//! Nothing is kept of what is done, and no more is taken from the input than runs. To resume after a crash or the end of a
//! bulk, skip as many updates as [`position`](Bulk::position) said.

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
use crate::session::{Session, once};

/// How many run at once before anything is known of the service.
const START: f64 = 4.0;
/// How many run at once at the most, if nothing else is said.
const MOST: u32 = 32;
/// How often one update is sent: where the service asks to wait, and where it fails.
const THROTTLED: u32 = 20;
const FAILED: u32 = 4;
/// The first pause; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What became of one update.
#[derive(Debug)]
#[non_exhaustive]
pub struct Done<K> {
    /// The place of the update in the input, from 0.
    pub index: u64,
    /// What was to be updated.
    pub id: K,
    /// How often it was sent.
    pub attempts: u32,
    /// Whether it is updated, or why not.
    pub result: Result<(), Error>,
}

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// An update on its way, and what became of it.
type Attempt<K> = Pending<(Item<K>, Result<(), Error>)>;
type Update<K> = Arc<dyn Fn(K, String) -> Pending<Result<(), Error>> + Send + Sync>;

/// Updates that run, see the [module](self).
#[must_use = "nothing is sent before it is read"]
pub struct Bulk<'a, K> {
    session: Session,
    update: Update<K>,
    input: Option<BoxStream<'a, (K, String)>>,
    running: FuturesUnordered<Attempt<K>>,
    /// Throttled, to be sent again before anything new.
    again: VecDeque<Item<K>>,
    pause: Option<Pending<()>>,
    pace: Pace,
    /// How many updates were taken from the input, and those among them that are not done.
    taken: u64,
    open: BTreeSet<u64>,
}

/// One update on its way.
struct Item<K> {
    index: u64,
    id: K,
    description: String,
    throttled: u32,
    failed: u32,
    /// Which of the service's refusals it was sent after.
    epoch: u64,
}

/// How many may run at once.
struct Pace {
    limit: f64,
    most: f64,
    /// Counts how often the limit was lowered; until then every success raises it by one.
    epoch: u64,
    /// Refusals in a row, for the length of the pause.
    refusals: u32,
}

impl Pace {
    fn succeeded(&mut self) {
        self.refusals = 0;
        // Doubles with each round at first, and grows by one with each round once the service's limit was met.
        let step = if self.epoch == 0 { 1.0 } else { 1.0 / self.limit };
        self.limit = (self.limit + step).min(self.most);
    }

    /// Halves the limit, once for all that were under way together. Gives how long all shall wait.
    fn throttled(&mut self, epoch: u64, retry_after: Option<Duration>) -> Duration {
        if epoch == self.epoch {
            self.limit = (self.limit / 2.0).max(1.0);
            self.epoch += 1;
            self.refusals += 1;
        }
        let longest = PAUSE.saturating_mul(1 << self.refusals.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        longest.mul_f64(0.5 + fastrand::f64() / 2.0).max(retry_after.unwrap_or_default())
    }
}

impl<'a, K: Clone + Send + Unpin + 'static> Bulk<'a, K> {
    pub(crate) fn new<I, D>(
        session: Session,
        updates: impl Stream<Item = (I, D)> + Send + 'a,
        update: impl Fn(K, String) -> Pending<Result<(), Error>> + Send + Sync + 'static,
    ) -> Self
    where
        I: Into<K>,
        D: Into<String>,
    {
        Self {
            session,
            update: Arc::new(update),
            input: Some(updates.map(|(id, description)| (id.into(), description.into())).boxed()),
            running: FuturesUnordered::new(),
            again: VecDeque::new(),
            pause: None,
            pace: Pace { limit: START, most: MOST.into(), epoch: 0, refusals: 0 },
            taken: 0,
            open: BTreeSet::new(),
        }
    }

    /// How many run at once at the most; 32 by default. It begins with 4.
    pub fn at_most(mut self, most: u32) -> Self {
        self.pace.most = most.max(1).into();
        self.pace.limit = self.pace.limit.min(self.pace.most);
        self
    }

    /// How many may run at once now.
    pub fn limit(&self) -> u32 {
        // Never more than `most`, which is one.
        self.pace.limit as u32
    }

    /// How many updates from the beginning of the input are done, one way or another. To resume, skip as many; some behind
    /// them may be done too and are then done twice, which changes nothing.
    pub fn position(&self) -> u64 {
        self.open.first().copied().unwrap_or(self.taken)
    }

    /// What became of the next update that is done; nothing once all are.
    pub async fn next(&mut self) -> Option<Done<K>> {
        paging::next(self).await
    }

    /// Sends an update, after a pause if it failed before.
    fn send(&self, mut item: Item<K>) {
        item.epoch = self.pace.epoch;
        let (update, session) = (Arc::clone(&self.update), self.session.clone());
        self.running.push(Box::pin(async move {
            if item.failed > 0 {
                let longest = PAUSE.saturating_mul(1 << (item.failed - 1).min(10));
                session.clock().sleep(longest.mul_f64(fastrand::f64())).await;
            }
            let result = once(update(item.id.clone(), item.description.clone())).await;
            (item, result)
        }));
    }

    /// Takes what became of an attempt: the outcome of its update, unless it is to be sent again.
    fn take(&mut self, mut item: Item<K>, result: Result<(), Error>) -> Option<Done<K>> {
        let mut settled = true;
        match &result {
            Ok(()) => self.pace.succeeded(),
            Err(error) if error.is_throttled() => {
                let pause = self.pace.throttled(item.epoch, error.retry_after());
                item.throttled += 1;
                if item.throttled < THROTTLED {
                    if self.pause.is_none() {
                        let session = self.session.clone();
                        self.pause = Some(Box::pin(async move { session.clock().sleep(pause).await }));
                    }
                    self.again.push_back(item);
                    return None;
                }
            }
            Err(error) if error.is_transient() => {
                item.failed += 1;
                if item.failed < FAILED {
                    self.send(item);
                    return None;
                }
            }
            Err(error) if error.is_unauthenticated() => {
                // What is refused for who asks is refused for all: nothing more is begun, and all is to be done again.
                self.input = None;
                self.again.clear();
                settled = false;
            }
            Err(_) => {}
        }
        if settled {
            self.open.remove(&item.index);
        }
        let failed = u32::from(!result.as_ref().is_err_and(|error| error.is_throttled() || error.is_transient()));
        Some(Done { index: item.index, id: item.id, attempts: item.throttled + item.failed + failed, result })
    }

    /// Starts as many as may run. Says whether there may be more later.
    fn fill(&mut self, context: &mut Context<'_>) {
        while self.pause.is_none() && self.running.len() < self.limit() as usize {
            if let Some(item) = self.again.pop_front() {
                self.send(item);
                continue;
            }
            let Some(input) = &mut self.input else { return };
            match input.as_mut().poll_next(context) {
                Poll::Ready(Some((id, description))) => {
                    let index = self.taken;
                    self.taken += 1;
                    self.open.insert(index);
                    self.send(Item { index, id, description, throttled: 0, failed: 0, epoch: 0 });
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
                Poll::Ready(None) if this.input.is_none() && this.again.is_empty() => return Poll::Ready(None),
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
