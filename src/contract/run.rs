//! Holds what all clauses of a run share.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::interrupt::Interrupt;
use super::inventory::Inventory;
use super::model::Model;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::session::credentials::Credentials;
use crate::session::{Session, Transport};

/// The beginning of all names that the tests set.
pub(super) const PREFIX: &str = "hwjobs-ct-";

/// Values of the parameters of a path, outermost first.
pub(super) type Path = [(&'static str, String)];

/// The options of a run.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) read_only: bool,
    pub(super) allow_billed: bool,
    pub(super) workers: usize,
    pub(super) seed: u64,
    /// The shortest time between two requests.
    pub(super) interval: Option<Duration>,
    pub(super) given: BTreeMap<String, String>,
    pub(super) patience: Duration,
    pub(super) embedded: bool,
    pub(super) exchanges: bool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// An object for clauses to work on.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) object: usize,
    /// Values of the path, its own last.
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) request: Value,
    pub(super) reply: Value,
}

impl Fixture {
    pub(super) fn id(&self) -> &str {
        self.path.last().map_or("", |(_, id)| id)
    }
}

/// Holds what all clauses of a run share.
pub(super) struct RunState {
    pub(super) model: &'static Model,
    pub(super) options: Options,
    pub(super) session: Session,
    /// Transports that sign with a made-up key, one now and one with the date of a week ago.
    pub(super) strangers: [Transport; 2],
    /// One object of each kind, which clauses share.
    pub(super) fixtures: Vec<OnceCell<Result<Arc<Fixture>, String>>>,
    pub(super) inventory: Arc<Inventory>,
    pub(super) fatal: Mutex<Option<Error>>,
    pub(super) interrupt: Interrupt,
    pub(super) requests: AtomicUsize,
    /// The number of rejections in a row of the own credentials.
    pub(super) rejections: AtomicU32,
    /// The number of requests in a row without a response in time.
    pub(super) timeouts: AtomicU32,
    /// The number of requests in a row of which all attempts were throttled.
    pub(super) throttled: AtomicU32,
    /// The number of bytes of bodies that are kept for the report.
    pub(super) kept: AtomicUsize,
    /// The earliest time of the next request.
    pub(super) next: tokio::sync::Mutex<Instant>,
    pub(super) tag: String,
}

/// A clock that is a week behind.
#[derive(Debug)]
struct LastWeek;

impl Clock for LastWeek {
    fn now(&self) -> SystemTime {
        SystemTime::now() - Duration::from_secs(7 * 24 * 60 * 60)
    }

    fn sleep(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock.sleep(duration)
    }
}

/// Why an attempt ends early.
#[derive(Debug)]
pub(super) enum Halt {
    /// The endpoint does not have an operation.
    Absent(usize, String),
    /// The clause lacks what it needs.
    NotTried(String),
    /// The recorded differences say why.
    Broken,
    /// No operation shows an object that was created.
    Unknown,
    Fatal(Error),
}

impl RunState {
    pub(super) fn new(
        model: &'static Model,
        session: Session,
        options: Options,
        interrupt: Interrupt,
    ) -> Result<Self, Error> {
        let made_up = Credentials::access_key("HWJOBSCONTRACTMADEUP", "made-up-not-a-secret");
        let strangers = [
            crate::session::stranger(&made_up, Arc::new(SystemClock))?,
            crate::session::stranger(&made_up, Arc::new(LastWeek))?,
        ];
        let tag = base36(options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20, 5);
        Ok(Self {
            model,
            options,
            session,
            strangers,
            fixtures: model.objects.iter().map(|_| OnceCell::new()).collect(),
            inventory: interrupt.inventory(model),
            fatal: Mutex::default(),
            interrupt,
            requests: AtomicUsize::default(),
            rejections: AtomicU32::default(),
            timeouts: AtomicU32::default(),
            throttled: AtomicU32::default(),
            kept: AtomicUsize::default(),
            next: tokio::sync::Mutex::new(Instant::now()),
            tag,
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.interrupt.is_asked() || self.fatal().is_some()
    }

    /// Returns what ended the run early.
    pub(super) fn fatal(&self) -> Option<Error> {
        lock(&self.fatal).clone()
    }

    /// Ends the run early; no further clause is tried.
    pub(super) fn end(&self, error: Error) {
        lock(&self.fatal).get_or_insert(error);
    }

    /// Returns the beginning of all names of this run.
    pub(super) fn prefix(&self) -> String {
        format!("{PREFIX}{}", self.tag)
    }
}

/// Runs a future that panics where the runner has a defect. Returns the message of the panic as the error.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
    })
}

pub(super) fn base36(mut number: u64, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).unwrap_or_default()];
        number /= 36;
    }
    String::from_utf8(text).unwrap_or_default()
}
