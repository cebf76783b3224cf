//! Jobs that move through their states by themselves.
//!
//! A job that will move has a row in the table `lifecycle`; one that rests has none. The row says which state comes next
//! and when, so before each request one look into an index finds what is due. Writing the states down, instead of working
//! them out when they are asked for, lets lists sort and filter by them.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use super::handlers::{LIFECYCLES, Lifecycle};

/// What moves jobs from one state to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transitions {
    /// They are where they are going as soon as the next request comes.
    AtOnce,
    /// They move on once an answer has shown their state so many times.
    AfterReads(u32),
    /// They take the time that is usual for them, by the emulator's clock: a training job half a minute.
    #[default]
    Clock,
}

/// Where a job goes from the state that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    /// The state that follows.
    pub(super) state: i64,
    /// How long the present one lasts by the clock.
    pub(super) after: Duration,
    /// Whether only the clock can bring it about, because a client has asked for that time.
    pub(super) timed: bool,
}

impl Next {
    /// A state that follows by itself.
    pub(super) const fn after_seconds(seconds: u64, state: i64) -> Option<Self> {
        Some(Self { state, after: Duration::from_secs(seconds), timed: false })
    }
}

/// The lifecycles of a store while one request is answered.
#[derive(Clone, Copy)]
pub(super) struct Lifecycles<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) transitions: Transitions,
    /// Milliseconds since the Unix epoch by the emulator's clock.
    pub(super) now: i64,
}

impl Lifecycles<'_> {
    /// Moves all that is due, each at its own time.
    pub(super) fn advance(&self) -> rusqlite::Result<()> {
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
            match LIFECYCLES.iter().find(|lifecycle| lifecycle.kind == kind) {
                Some(lifecycle) => self.enter(lifecycle, &project, &id, state, due)?,
                None => self.end(&kind, &project, &id)?,
            }
        }
    }

    /// Puts a job into a state, from which it goes on by itself.
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

    /// When a state ends that began at a time; nothing if reading it decides.
    fn due(&self, at: i64, after: i64, timed: bool) -> Option<i64> {
        match self.transitions {
            Transitions::AtOnce | Transitions::AfterReads(0) if !timed => Some(at),
            Transitions::AfterReads(_) if !timed => None,
            _ => Some(at.saturating_add(after)),
        }
    }

    /// Counts that an answer shows the state of a job.
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

    /// A job rests, or is gone.
    pub(super) fn end(&self, kind: &str, project: &str, id: &str) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM lifecycle WHERE kind = ?1 AND project_id = ?2 AND id = ?3")?
            .execute([kind, project, id])?;
        Ok(())
    }

    /// Lets the transitions of this moment hold for all that is on its way.
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
