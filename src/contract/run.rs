//! What all clauses of a run share.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt;
use tokio::sync::OnceCell;

use super::attempt::Attempt;
use super::exchange::Request;
use super::inventory::{Inventory, Owner};
use super::model::{Model, Op, all_names};
use super::objects::Fixture;
use super::plan::{Identity, Payload, Plan};
use super::runner::Interrupt;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::session::credentials::Credentials;
use crate::session::{Session, Transport};

/// What all names begin with that the tests give.
pub(super) const PREFIX: &str = "hwjobs-ct-";

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) read_only: bool,
    pub(super) allow_billed: bool,
    pub(super) workers: usize,
    pub(super) seed: u64,
    /// The least time between two requests.
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

/// What all clauses of a run share.
pub(super) struct Run {
    pub(super) model: &'static Model,
    pub(super) options: Options,
    pub(super) session: Session,
    /// Signs with a made-up key, now and a week ago.
    pub(super) strangers: [Transport; 2],
    /// One object of each kind, which clauses share.
    pub(super) fixtures: Vec<OnceCell<Result<Arc<Fixture>, String>>>,
    pub(super) inventory: Arc<Inventory>,
    pub(super) fatal: Mutex<Option<Error>>,
    pub(super) interrupt: Interrupt,
    pub(super) requests: AtomicUsize,
    /// How often in a row the own credentials were refused.
    pub(super) refusals: AtomicU32,
    /// How often in a row no answer came in time.
    pub(super) silences: AtomicU32,
    /// How often in a row a request was throttled to the end.
    pub(super) throttled: AtomicU32,
    /// How many bytes of bodies are kept for the report.
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

/// Why an attempt goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// The endpoint does not have an operation.
    Absent(usize, String),
    /// Something is missing that the clause needs.
    NotTried(String),
    /// The differences say it all.
    Broken,
    /// Nothing shows an object that was created.
    Unknown,
    Fatal(Error),
}

impl Run {
    pub(super) fn new(
        model: &'static Model,
        session: Session,
        options: Options,
        interrupt: Interrupt,
    ) -> Result<Self, Error> {
        let made_up = Credentials::access_key("HWJOBSCONTRACTMADEUP", "made-up-and-known-to-nobody");
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
            refusals: AtomicU32::default(),
            silences: AtomicU32::default(),
            throttled: AtomicU32::default(),
            kept: AtomicUsize::default(),
            next: tokio::sync::Mutex::new(Instant::now()),
            tag,
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.interrupt.is_asked() || self.fatal().is_some()
    }

    /// What ended the run early.
    pub(super) fn fatal(&self) -> Option<Error> {
        lock(&self.fatal).clone()
    }

    /// Ends the run early; no further clause is tried.
    pub(super) fn end(&self, error: Error) {
        lock(&self.fatal).get_or_insert(error);
    }

    /// What all names begin with that this run gives.
    pub(super) fn prefix(&self) -> String {
        format!("{PREFIX}{}", self.tag)
    }

    /// Asks each service of a plan for something, so that credentials that it refuses are sent once and no more.
    pub(super) async fn greet(&self, plan: &Plan) -> Result<(), Error> {
        let known = |name: &str| {
            let has = |op: &Op| {
                op.parameter(name).is_some()
                    || op.body.is_some_and(|schema| all_names(op.document.value(), schema).contains(&name))
            };
            self.model.operations.iter().any(has)
        };
        if let Some(unknown) = self.options.given.keys().find(|name| !known(name)) {
            return Err(Error::configuration(format!("no parameter or field is called `{unknown}`")));
        }
        let services: BTreeSet<&str> = plan.clauses().iter().map(|clause| clause.op().service()).collect();
        for service in services {
            let easy = |op: &Op| {
                op.service() == service
                    && op.reads()
                    && op.is_authenticated()
                    && op.path_parameters().next().is_none()
                    && op.parameters.iter().all(|parameter| parameter.in_path || !parameter.required)
            };
            let Some(op) = self.model.operations.iter().position(easy) else { continue };
            let request = Request { op, path: vec![], query: vec![], body: Payload::None, identity: Identity::Own };
            match Attempt::new(self, None, usize::MAX, Owner::Shared).send(&request).await {
                Err(Halt::Fatal(error)) => return Err(error),
                Ok(answer) if answer.status == 401 => return Err(answer.refusal(&self.model.operations[op])),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Runs something that panics where the runner has a defect; gives the message of the panic then.
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
