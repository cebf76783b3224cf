//! The common state of all requests of an emulator: store, clock, faults, record and counters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use super::access::Access;
use super::body::Room;
use super::clock::Clock;
use super::events::Events;
use super::faults::{Faults, Injected};
use super::lifecycle::{Lifecycle, Lifecycles, Transitions};
use super::log::Log;
use super::printed::Printed;
use super::record::{Exchange, Record};
use super::response::Rejection;
use super::routes::Routes;
use super::seed_data;
use super::snapshot::{self, Origin};
use super::store::{self, Store, Transaction};
use crate::cloud::Cloud;

/// The common state of all requests.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) transitions: Mutex<Transitions>,
    pub(super) quota: i64,
    /// The seed of ids and tokens; a random one if absent.
    pub(super) seed: Option<u64>,
    /// The number of additional training jobs at the start.
    pub(super) training_jobs: u32,
    pub(super) routes: Routes,
    /// The cloud whose edition is served; none for all editions together.
    pub(super) cloud: Option<Cloud>,
    pub(super) access: Access,
    /// The base address of the emulator.
    pub(super) endpoint: String,
    pub(super) check_responses: bool,
    /// Whether the differences that clients have from the documents are rejected.
    pub(super) strict: bool,
    /// The printed responses that responses imitate; `None` for the types of the tables.
    pub(super) printed: Option<Printed>,
    pub(super) record: Mutex<Record>,
    pub(super) log: Log,
    pub(super) events: Events,
    pub(super) faults: Mutex<Injected>,
    /// The time for a client to send a head, to send a body, and to read a response.
    pub(super) client_time: Duration,
    /// Whether the control API serves other machines too.
    pub(super) allow_remote: bool,
    /// Names that the header `Host` may have, besides those of this machine.
    pub(super) allowed_hosts: Vec<String>,
    /// The memory for the bodies of requests.
    pub(super) room: Room,
    /// The content of the state at the start.
    pub(super) origin: Origin,
    /// Requests that failed by a defect of the emulator.
    pub(super) panics: AtomicU64,
    /// Requests of the control API.
    pub(super) control_requests: AtomicU64,
    /// The number of requests, from which their ids are made.
    pub(super) requests: AtomicU64,
}

impl State {
    /// Returns the whole state as one JSON value.
    pub(super) fn snapshot(&self) -> Result<Value, Rejection> {
        self.store.write(|transaction| snapshot::dump(transaction).map_err(Rejection::from))
    }

    /// Replaces the state and the time by a snapshot.
    pub(super) fn load(&self, put: impl FnOnce(&Transaction<'_>) -> Result<(), Rejection>) -> Result<(), Rejection> {
        self.store.write(|transaction| {
            put(transaction)?;
            self.origin.write(transaction)?;
            self.resume(transaction).map_err(Rejection::from)
        })?;
        self.events.change("state");
        Ok(())
    }

    /// Resets the state, the time, the faults and the record to the start.
    pub(super) fn reset(&self) -> Result<(), Rejection> {
        self.store.write(|transaction| {
            snapshot::empty(transaction)?;
            self.begin(transaction)?;
            *self.faults.lock() = Injected::new(self.seed);
            self.record.lock().take();
            self.requests.store(0, Ordering::Relaxed);
            Ok::<_, Rejection>(())
        })?;
        self.events.change("state");
        Ok(())
    }

    /// Writes the origin into empty tables.
    pub(super) fn begin(&self, transaction: &Transaction<'_>) -> Result<(), Rejection> {
        if let Origin::Snapshot(snapshot) = &self.origin {
            snapshot::load(transaction, snapshot)?;
            self.resume(transaction)?;
        } else {
            self.resume(transaction)?;
            store::set_seed(transaction, self.seed.unwrap_or_else(|| fastrand::u64(..)))?;
            let project = &self.access.project().id;
            if matches!(self.origin, Origin::Documented) {
                seed_data::documented(transaction, project)?;
            }
            seed_data::many_training_jobs(transaction, project, self.training_jobs, self.clock.now())?;
        }
        Ok(self.origin.write(transaction)?)
    }

    /// Continues with tables that have just been filled.
    fn resume(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.access.forget();
        self.clock.restart(transaction)?;
        Lifecycles { transaction, transitions: *self.transitions.lock(), now: self.clock.now() }.adopt()
    }

    /// Changes the transitions of all kinds of jobs between two requests.
    pub(super) fn set_transitions(&self, transitions: Transitions, kinds: &[&Lifecycle]) -> Result<(), Rejection> {
        self.store.write(|transaction| {
            *self.transitions.lock() = transitions;
            let lifecycles = Lifecycles { transaction, transitions, now: self.clock.now() };
            lifecycles.adopt()?;
            // What is due by the new rule has happened before the next request, whatever is chosen meanwhile.
            lifecycles.advance(kinds)
        })?;
        self.events.change("transitions");
        Ok(())
    }

    /// Moves the clock forward at once, and changes its speed if a scale is given.
    pub(super) fn change_clock(&self, by: Duration, scale: Option<f64>) -> Result<(), Rejection> {
        self.clock.change(&self.store, by, scale)?;
        self.events.change("clock");
        Ok(())
    }

    /// Returns the active faults.
    pub(super) fn faults(&self) -> Faults<'_> {
        Faults { injected: &self.faults, events: &self.events }
    }

    /// Removes and returns all recorded exchanges.
    pub(super) fn take_exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.record.lock().take();
        self.events.change("requests");
        exchanges
    }

    /// Runs `act`, and turns a panic into a rejection. The message of the panic may hold secrets and is dropped.
    pub(super) fn caught<T>(&self, act: impl FnOnce() -> T) -> Result<T, Rejection> {
        catch_unwind(AssertUnwindSafe(act)).map_err(|_| {
            self.panics.fetch_add(1, Ordering::Relaxed);
            Rejection::Broken("The emulator has failed; please report it.".to_owned())
        })
    }
}
