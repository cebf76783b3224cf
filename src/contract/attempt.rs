//! One clause on its way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::model::model;
use super::objects::{Created, Fixture};
use super::plan::{Case, Clause};
use super::run::{Halt, PREFIX, Run, base36, lock, milliseconds};
use super::turns::{Turn, waits};
use super::verdict::{Check, Difference, Exchange, Outcome, Verdict};

/// One clause on its way.
pub(super) struct Attempt<'a> {
    pub(super) run: &'a Run,
    /// The operation that is looked at; calls of others only have to work.
    pub(super) op: Option<usize>,
    /// What its names are told apart by.
    pub(super) index: usize,
    pub(super) names: usize,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) differences: Vec<Difference>,
    pub(super) created: Vec<Created>,
    /// Objects that it has for itself.
    pub(super) own: Vec<Arc<Fixture>>,
    /// What it gives up while it waits; without it, it does not wait.
    pub(super) turn: Option<&'a mut Turn>,
}

impl Run {
    /// Tries one clause and removes what it created.
    pub(super) async fn attempt(&self, clause: &Clause, turn: Turn) -> (Outcome, Turn) {
        let reason = match &clause.case {
            Case::Untried(reason) => Some((*reason).to_owned()),
            _ if self.options.read_only && !clause.reads => Some("it writes, and only reading is allowed".to_owned()),
            _ if !self.options.read_only && !self.options.allow_billed && clause.billed => {
                Some("it starts work that is paid for; allow it with --allow-billed".to_owned())
            }
            _ => None,
        };
        if let Some(reason) = reason {
            return (Outcome::new(clause, Verdict::NotTried, Some(reason)), turn);
        }
        let started = Instant::now();
        let mut turn = turn;
        let mut attempt = Attempt { turn: Some(&mut turn), ..Attempt::new(self, Some(clause.op), clause.index) };
        let halt = match &clause.case {
            Case::Trials(trials) => attempt.trials(trials).await,
            Case::Law(law) => Box::pin(attempt.law(*law)).await,
            Case::Untried(_) => Ok(()),
        };
        for object in std::mem::take(&mut attempt.created).into_iter().rev() {
            match self.remove(&object, None).await {
                Ok(true) => {}
                Ok(false) => lock(&self.later).push(object),
                Err(reason) => self.leave(object, reason),
            }
        }
        let (verdict, reason) = match halt {
            Err(Halt::Fatal(error)) => {
                let reason = error.to_string();
                *lock(&self.fatal) = Some(error);
                (Verdict::NotTried, Some(reason))
            }
            _ if !attempt.differences.is_empty() => (Verdict::Differs, None),
            Err(Halt::Absent(op, how)) if op == clause.op => (Verdict::Absent, Some(how)),
            Err(Halt::Absent(op, _)) => {
                (Verdict::NotTried, Some(format!("it needs {}, which is absent", model().operations[op].id)))
            }
            Err(Halt::NotTried(reason)) => (Verdict::NotTried, Some(reason)),
            Ok(()) | Err(Halt::Broken) => (Verdict::Honours, None),
        };
        let mut outcome = Outcome::new(clause, verdict, reason);
        outcome.requests = attempt.exchanges.len();
        outcome.milliseconds = milliseconds(started);
        outcome.differences = attempt.differences;
        if verdict != Verdict::Honours || self.options.exchanges {
            outcome.exchanges = attempt.exchanges;
        }
        (outcome, turn)
    }
}

impl<'a> Attempt<'a> {
    pub(super) fn new(run: &'a Run, op: Option<usize>, index: usize) -> Self {
        Self {
            run,
            op,
            index,
            names: 0,
            exchanges: Vec::new(),
            differences: Vec::new(),
            created: Vec::new(),
            own: Vec::new(),
            turn: None,
        }
    }

    /// How long to wait, and again, for the state of an object to change.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        waits(if self.turn.is_some() { self.run.options.patience } else { Duration::ZERO })
    }

    pub(super) async fn wait(&mut self, time: Duration) {
        if let Some(turn) = &mut self.turn {
            turn.wait(time).await;
        }
    }

    /// What all names of this attempt begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{PREFIX}{}{}", self.run.tag, base36(self.index as u64, 3))
    }

    /// A name that nobody else has.
    pub(super) fn name(&mut self) -> String {
        self.names += 1;
        // Later ones sort before earlier ones, so that the order of names is not that of creation.
        format!("{}{}", self.prefix(), base36(36 * 36 - 1 - self.names as u64, 2))
    }

    /// A name of a length that nobody else has, where there is room for that.
    pub(super) fn name_of(&mut self, length: usize) -> String {
        let name = self.name();
        match length.checked_sub(name.len()) {
            Some(more) => name + &"a".repeat(more),
            // The end tells names apart.
            None => name[name.len() - length..].to_owned(),
        }
    }

    pub(super) fn differs(&mut self, check: Check, text: impl Into<String>) {
        let exchange = self.exchanges.len().saturating_sub(1);
        self.differences.push(Difference { check, text: text.into(), exchange });
    }
}
