//! Stops runs from outside.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::inventory::Inventory;
use super::model::Model;
use super::verdict::Leftover;

/// Stops a run: clauses that are being tried are finished, and everything is cleaned up.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    asked: AtomicBool,
    /// The inventories of the runs that have not returned. A run whose future is dropped leaves its inventory here.
    inventories: Mutex<Vec<Arc<Inventory>>>,
}

impl Interrupt {
    /// Requests that the run ends.
    pub fn stop(&self) {
        self.0.asked.store(true, Ordering::Relaxed);
    }

    /// Returns what has been created so far and not removed, for callers that do not wait until the run has ended. It
    /// includes what requests in flight may create, and it stays after the future of [`Runner::run`](super::Runner::run)
    /// was dropped. Once that future has returned a [`Report`](super::Report), the leftovers are in the report instead.
    pub fn leftovers(&self) -> Vec<Leftover> {
        self.0
            .inventories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .flat_map(|inventory| inventory.leftovers())
            .collect()
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Returns the inventory of a new run.
    pub(super) fn inventory(&self, model: &'static Model) -> Arc<Inventory> {
        let inventory = Arc::new(Inventory::new(model));
        self.0.inventories.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&inventory));
        inventory
    }

    /// Drops the inventory of a run that has returned.
    pub(super) fn ended(&self, inventory: &Arc<Inventory>) {
        self.0
            .inventories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|other| !Arc::ptr_eq(other, inventory));
    }
}
