//! Runs one clause.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::clause::{Case, Clause};
use super::inventory::Owner;
use super::model::Model;
use super::run::{Fixture, Halt, RunState, base36, caught, milliseconds};
use super::scheduler::{Slot, waits};
use super::verdict::{Check, Difference, Exchange, MOST_REASON, Outcome, Verdict, clipped};
use crate::error::Error;

/// The number of differences that a report has of a clause: the first ones say what is wrong.
const MOST_DIFFERENCES: usize = 20;
/// The number of exchanges of a clause that are kept with their bodies.
const MOST_EXCHANGES: usize = 100;
/// The number of bytes of bodies that all clauses keep together for the report.
const MOST_KEPT: usize = 32 * 1024 * 1024;

/// Runs one clause.
pub(super) struct Attempt<'a> {
    pub(super) run: &'a RunState,
    /// The operation under test; calls of other operations only have to succeed.
    pub(super) op: Option<usize>,
    /// The number in its names, which distinguishes them from those of other clauses.
    pub(super) index: usize,
    pub(super) names: usize,
    /// The number of requests that it has sent.
    pub(super) sent: usize,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) differences: Vec<Difference>,
    /// The owner of the objects that it creates.
    pub(super) owner: Owner,
    /// Objects that no other clause uses.
    pub(super) own: Vec<Arc<Fixture>>,
    /// The slot that it frees while it waits. An attempt without a slot does not wait.
    pub(super) slot: Option<&'a mut Slot>,
}

impl RunState {
    /// Tries one clause and removes what it created.
    pub(super) async fn attempt(&self, clause: &Clause, slot: &mut Slot) -> Outcome {
        let reason = match &clause.case {
            Case::Untried(reason) => Some((*reason).to_owned()),
            _ if self.options.read_only && !clause.reads => Some("it writes, and only reading is allowed".to_owned()),
            _ if !self.options.read_only && !self.options.allow_billed && clause.billed => {
                Some("it starts work that is paid for; allow it with --allow-billed".to_owned())
            }
            _ => None,
        };
        if let Some(reason) = reason {
            return Outcome::new(clause, Verdict::NotTried, Some(reason));
        }
        let started = Instant::now();
        let owner = Owner::Clause(clause.index);
        let mut attempt = Attempt { slot: Some(slot), ..Attempt::new(self, Some(clause.op), clause.index, owner) };
        let tried = async {
            let outcome = match &clause.case {
                Case::Trials(trials) => attempt.trials(trials).await,
                Case::Property(property) => Box::pin(attempt.property(*property)).await,
                Case::Absence(trial) => attempt.absence(trial).await,
                Case::Untried(_) => Ok(()),
            };
            attempt.look_at_created(outcome).await
        };
        let halt = caught(tried).await.unwrap_or_else(|panic| {
            Err(Halt::Fatal(Error::service(format!("the runner failed in {}: {panic}", clause.id))))
        });
        for object in self.inventory.of(owner).into_iter().rev() {
            self.remove(&object, None).await;
        }
        let (verdict, reason) = match halt {
            Err(Halt::Fatal(error)) => {
                let reason = error.to_string();
                self.end(error);
                (Verdict::NotTried, Some(reason))
            }
            _ if !attempt.differences.is_empty() => (Verdict::Differs, None),
            Err(Halt::Absent(op, how)) if op == clause.op => (Verdict::Absent, Some(how)),
            Err(Halt::Absent(op, _)) => {
                (Verdict::NotTried, Some(format!("it needs {}, which is absent", self.model.operations[op].id)))
            }
            Err(Halt::Unknown) => (Verdict::NotTried, Some("nothing shows what was created for it".to_owned())),
            Err(Halt::NotTried(reason)) => (Verdict::NotTried, Some(reason)),
            Ok(()) | Err(Halt::Broken) => (Verdict::Honours, None),
        };
        let mut outcome = Outcome::new(clause, verdict, reason);
        outcome.requests = attempt.sent;
        outcome.milliseconds = milliseconds(started);
        outcome.differences = attempt.differences;
        if verdict != Verdict::Honours || self.options.exchanges {
            outcome.exchanges = self.within_budget(attempt.exchanges);
        }
        outcome
    }

    /// Returns the exchanges of a clause as the report keeps them: without bodies once the report has many.
    fn within_budget(&self, mut exchanges: Vec<Exchange>) -> Vec<Exchange> {
        for exchange in &mut exchanges {
            let size = exchange.response.len() + exchange.body.as_ref().map_or(0, String::len);
            if self.kept.fetch_add(size, Ordering::Relaxed) > MOST_KEPT {
                exchange.strip();
            }
        }
        exchanges
    }
}

impl<'a> Attempt<'a> {
    pub(super) fn new(run: &'a RunState, op: Option<usize>, index: usize, owner: Owner) -> Self {
        Self {
            run,
            op,
            index,
            names: 0,
            exchanges: Vec::new(),
            differences: Vec::new(),
            sent: 0,
            owner,
            own: Vec::new(),
            slot: None,
        }
    }

    /// Returns the model that the run tests.
    pub(super) fn model(&self) -> &'static Model {
        self.run.model
    }

    /// Reads what the clause's operation created, unless the clause has ended early.
    async fn look_at_created(&mut self, outcome: Result<(), Halt>) -> Result<(), Halt> {
        outcome?;
        for created in self.run.inventory.of(self.owner) {
            if self.op == Some(created.described().create) && created.has_id {
                match self.look_first(&created.path).await {
                    // The clean-up reads it again.
                    Err(Halt::Unknown | Halt::NotTried(_) | Halt::Absent(..)) | Ok(()) => {}
                    Err(halt) => return Err(halt),
                }
            }
        }
        Ok(())
    }

    /// Returns the waits between two reads of an object whose state is to change.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        waits(if self.slot.is_some() { self.run.options.patience } else { Duration::ZERO })
    }

    pub(super) async fn wait(&mut self, time: Duration) {
        if let Some(slot) = &mut self.slot {
            slot.wait(time).await;
        }
    }

    /// Returns the beginning of all names of this attempt.
    pub(super) fn prefix(&self) -> String {
        self.run.prefix() + &base36(self.index as u64, 3)
    }

    /// Returns a new name.
    pub(super) fn name(&mut self) -> String {
        self.names += 1;
        // Later names sort before earlier ones, so that the order of names differs from the order of creation.
        format!("{}{}", self.prefix(), base36(36 * 36 - 1 - self.names as u64, 2))
    }

    /// Returns a new name of a length. A name of one or two characters may not be new.
    pub(super) fn name_of(&mut self, length: usize) -> String {
        let name = self.name();
        match length.checked_sub(name.len()) {
            Some(more) => name + &"a".repeat(more),
            // The end distinguishes names.
            None => name[name.len() - length..].to_owned(),
        }
    }

    /// Records a difference that the latest exchange shows.
    pub(super) fn differs(&mut self, check: Check, text: impl Into<String>) {
        self.note_difference(check, text.into(), self.exchanges.len().saturating_sub(1));
    }

    /// Records a difference that an exchange shows. A response may be large, and differ in a million places.
    pub(super) fn note_difference(&mut self, check: Check, text: String, exchange: usize) {
        if self.differences.len() < MOST_DIFFERENCES {
            let text = clipped(&text, MOST_REASON).into_owned();
            self.differences.push(Difference { check, text, exchange });
        }
    }

    /// Keeps an exchange for the report. After many exchanges, the rest is kept without bodies.
    pub(super) fn keep(&mut self, mut exchange: Exchange) {
        if self.exchanges.len() >= MOST_EXCHANGES {
            exchange.strip();
        }
        exchange.clip();
        self.exchanges.push(exchange);
    }
}
