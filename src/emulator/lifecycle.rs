//! The lifecycles of jobs.
//!
//! A job that will change its state has a row in the table `lifecycle` with the next state and the time of the change. Before
//! each request one look into an index finds the due rows. The states are stored, not computed on request, so that lists can
//! sort and filter by them.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::store::Transaction;

/// The transition mode: the trigger of state transitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transitions {
    /// Jobs reach their last state before the next request is handled.
    AtOnce,
    /// Jobs move on after this many responses have shown their state.
    AfterReads(u32),
    /// Jobs take their usual time by the emulator's clock: a training job half a minute.
    #[default]
    Clock,
}

/// The state that follows the present one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    /// The next state.
    pub(super) state: i64,
    /// The duration of the current state by the clock.
    pub(super) after: Duration,
    /// Whether only the clock brings it about, because a client has set the time.
    pub(super) timed: bool,
}

impl Next {
    /// Returns a state that follows after some seconds.
    pub(super) const fn after_seconds(seconds: u64, state: i64) -> Option<Self> {
        Some(Self { state, after: Duration::from_secs(seconds), timed: false })
    }
}

/// The rules by which jobs of one kind change their states.
pub(super) struct Lifecycle {
    /// The name of the kind in the store.
    pub(super) kind: &'static str,
    /// Returns the state that follows a state of the job (project, id); `None` for a final one.
    pub(super) next: fn(&Transaction<'_>, &str, &str, i64) -> rusqlite::Result<Option<Next>>,
    /// Writes a state, and the time at which it began, into the job (project, id).
    pub(super) write: fn(&Transaction<'_>, &str, &str, i64, i64) -> rusqlite::Result<()>,
}

/// The lifecycles of a store while one request is handled.
#[derive(Clone, Copy)]
pub(super) struct Lifecycles<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) transitions: Transitions,
    /// The emulator's time in milliseconds since the Unix epoch.
    pub(super) now: i64,
}

impl Lifecycles<'_> {
    /// Moves all jobs that are due, each at its own time, by the rules of their `kinds`.
    pub(super) fn advance(&self, kinds: &[&Lifecycle]) -> rusqlite::Result<()> {
        loop {
            let due = self
                .transaction
                .prepare_cached(
                    "SELECT kind, project_id, id, next, due FROM lifecycle WHERE due <= ?1
                     ORDER BY due, kind, project_id, id LIMIT 1",
                )?
                .query_row([self.now], |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, String>(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                })
                .optional()?;
            let Some((kind, project, id, state, due)) = due else { return Ok(()) };
            match kinds.iter().find(|lifecycle| lifecycle.kind == kind) {
                Some(lifecycle) => self.enter(lifecycle, &project, &id, state, due)?,
                None => self.end(&kind, &project, &id)?,
            }
        }
    }

    /// Puts a job into a state. The following states come by themselves.
    pub(super) fn enter(
        &self,
        lifecycle: &Lifecycle,
        project: &str,
        id: &str,
        state: i64,
        at: i64,
    ) -> rusqlite::Result<()> {
        (lifecycle.write)(self.transaction, project, id, state, at)?;
        let Some(next) = (lifecycle.next)(self.transaction, project, id, state)? else {
            return self.end(lifecycle.kind, project, id);
        };
        let after = i64::try_from(next.after.as_millis()).unwrap_or(i64::MAX);
        self.transaction.prepare_cached("REPLACE INTO lifecycle VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)")?.execute(
            params![lifecycle.kind, project, id, next.state, at, after, next.timed, self.due(at, after, next.timed)],
        )?;
        Ok(())
    }

    /// Returns when a state that began at `at` ends. `None` means that the number of reads decides.
    fn due(&self, at: i64, after: i64, timed: bool) -> Option<i64> {
        match self.transitions {
            Transitions::AtOnce | Transitions::AfterReads(0) if !timed => Some(at),
            Transitions::AfterReads(_) if !timed => None,
            _ => Some(at.saturating_add(after)),
        }
    }

    /// Counts that a response shows the state of a job.
    pub(super) fn seen(&self, lifecycle: &Lifecycle, project: &str, id: &str) -> rusqlite::Result<()> {
        if let Transitions::AfterReads(reads) = self.transitions {
            self.transaction
                .prepare_cached(
                    "UPDATE lifecycle SET reads = reads + 1, due = iif(reads + 1 >= ?4, ?5, due)
                     WHERE kind = ?1 AND project_id = ?2 AND id = ?3 AND NOT timed",
                )?
                .execute(params![lifecycle.kind, project, id, reads, self.now])?;
        }
        Ok(())
    }

    /// Removes the row of a job that moves no further or is deleted.
    pub(super) fn end(&self, kind: &str, project: &str, id: &str) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM lifecycle WHERE kind = ?1 AND project_id = ?2 AND id = ?3")?
            .execute([kind, project, id])?;
        Ok(())
    }

    /// Applies the present transitions to all jobs that move.
    pub(super) fn adopt(&self) -> rusqlite::Result<()> {
        let due = match self.transitions {
            Transitions::Clock => "since + after".to_owned(),
            Transitions::AtOnce | Transitions::AfterReads(0) => self.now.to_string(),
            Transitions::AfterReads(_) => "NULL".to_owned(),
        };
        self.transaction.execute(&format!("UPDATE lifecycle SET reads = 0, due = {due} WHERE NOT timed"), [])?;
        Ok(())
    }
}
