//! What all requests of an emulator share: its store, clock, faults, record and counters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Transaction;
use serde_json::Value;

use super::access::Access;
use super::answer::Refusal;
use super::body::Room;
use super::clock::Clock;
use super::faults::Injected;
use super::lifecycle::{Lifecycles, Transitions};
use super::log::Log;
use super::printed::Printed;
use super::record::Record;
use super::routes::Routes;
use super::snapshot::{self, Origin};
use super::store::{self, Store};
use super::world;

/// What all requests share.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) transitions: Mutex<Transitions>,
    pub(super) quota: i64,
    /// What fixes ids, times and bytes of answers; a different one each time if absent.
    pub(super) seed: Option<u64>,
    /// With how many training jobs of no interest it begins.
    pub(super) training_jobs: u32,
    pub(super) routes: Routes,
    pub(super) access: Access,
    /// Its own base address.
    pub(super) endpoint: String,
    pub(super) check_answers: bool,
    /// Whether requests are rejected that differ from the documents where clients do.
    pub(super) strict: bool,
    /// What responses are made to look like, instead of having the types of the tables.
    pub(super) printed: Option<Printed>,
    pub(super) record: Mutex<Record>,
    pub(super) log: Log,
    pub(super) faults: Mutex<Injected>,
    /// How long a client may take for anything.
    pub(super) client_time: Duration,
    /// Whether the control API serves other machines too.
    pub(super) allow_remote: bool,
    /// Names that a request may come under, besides those of this machine.
    pub(super) allowed_hosts: Vec<String>,
    /// For the bodies of requests.
    pub(super) room: Room,
    /// What its state began with.
    pub(super) origin: Origin,
    /// Requests that failed by a defect of the emulator.
    pub(super) panics: AtomicU64,
    /// Requests of the control API.
    pub(super) control_requests: AtomicU64,
    /// How many have come: their ids are the same for the same sequence of requests.
    pub(super) requests: AtomicU64,
}

impl State {
    /// The whole state as one JSON value.
    pub(super) fn snapshot(&self) -> Result<Value, Refusal> {
        self.store.write(|transaction| snapshot::dump(transaction).map_err(Refusal::from))
    }

    /// Puts a snapshot, with its time, in the place of all that is there.
    pub(super) fn load(&self, put: impl FnOnce(&Transaction<'_>) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.store.write(|transaction| {
            put(transaction)?;
            self.origin.write(transaction)?;
            Ok(self.resume(transaction)?)
        })
    }

    /// Goes back to what it began with, faults, records and time included.
    pub(super) fn reset(&self) -> Result<(), Refusal> {
        self.store.write(|transaction| {
            snapshot::empty(transaction)?;
            self.begin(transaction)?;
            *self.faults.lock() = Injected::new(self.seed);
            self.record.lock().take();
            self.requests.store(0, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Writes what it begins with into empty tables.
    pub(super) fn begin(&self, transaction: &Transaction<'_>) -> Result<(), Refusal> {
        if let Origin::Snapshot(snapshot) = &self.origin {
            snapshot::load(transaction, snapshot)?;
            self.resume(transaction)?;
        } else {
            self.resume(transaction)?;
            store::set_seed(transaction, self.seed.unwrap_or_else(|| fastrand::u64(..)))?;
            let project = &self.access.project().id;
            if matches!(self.origin, Origin::Documented) {
                world::documented(transaction, project)?;
            }
            world::many_training_jobs(transaction, project, self.training_jobs, self.clock.now())?;
        }
        Ok(self.origin.write(transaction)?)
    }

    /// Goes on with tables that have just been filled.
    fn resume(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.access.forget();
        self.clock.restart(transaction)?;
        Lifecycles { transaction, transitions: *self.transitions.lock(), now: self.clock.now() }.adopt()
    }

    /// Chooses what moves jobs, between two requests.
    pub(super) fn set_transitions(&self, transitions: Transitions) -> Result<(), Refusal> {
        self.store.write(|transaction| {
            *self.transitions.lock() = transitions;
            Ok(Lifecycles { transaction, transitions, now: self.clock.now() }.adopt()?)
        })
    }

    /// Does something that must not end the connection if it panics. What the panic says may have secrets, and stays here.
    pub(super) fn caught<T>(&self, act: impl FnOnce() -> T) -> Result<T, Refusal> {
        catch_unwind(AssertUnwindSafe(act)).map_err(|_| {
            self.panics.fetch_add(1, Ordering::Relaxed);
            Refusal::Broken("The emulator has failed; please report it.".to_owned())
        })
    }
}
