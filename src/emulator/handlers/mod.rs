//! What each operation does with the store.

use std::collections::HashMap;

use http::{HeaderName, HeaderValue};
use rusqlite::{Transaction, params};
use serde_json::Value;

use super::access::{Access, Caller};
use super::answer::Refusal;
use super::lifecycle::{Lifecycles, Next, Transitions};
use crate::api::{ListShape, PageShape};

pub(super) mod iam;
mod list;
mod modelarts;
mod mrs;

use list::List;

/// One checked request.
pub(super) struct Call<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    /// The project of the address; empty where the address names none.
    pub(super) project: &'a str,
    /// Nobody where the description asks for no proof.
    pub(super) caller: Option<&'a Caller<'a>>,
    pub(super) access: &'a Access,
    /// The base address through which the client came.
    pub(super) base: &'a str,
    pub(super) parameters: &'a HashMap<&'static str, Value>,
    pub(super) body: &'a Value,
    /// Milliseconds since the Unix epoch by the emulator's clock: the same for all that a request does.
    pub(super) now: i64,
    pub(super) transitions: Transitions,
    /// How many objects of a kind a project may have.
    pub(super) quota: i64,
    /// How the operation lists objects, if it does.
    pub(super) list: Option<ListShape<'static>>,
}

/// How jobs of one kind move.
pub(super) struct Lifecycle {
    /// What the store calls them.
    pub(super) kind: &'static str,
    /// Where the job (project, id) goes from a state, if it does not rest there.
    pub(super) next: fn(&Transaction<'_>, &str, &str, i64) -> rusqlite::Result<Option<Next>>,
    /// Writes a state, and the time at which it began, into the job (project, id).
    pub(super) write: fn(&Transaction<'_>, &str, &str, i64, i64) -> rusqlite::Result<()>,
}

/// All kinds of jobs that move.
pub(super) static LIFECYCLES: [&Lifecycle; 3] =
    [&modelarts::TRAINING_JOB_VERSION, &modelarts::VISUALIZATION_JOB, &mrs::RUN];

/// What a handler answers; the status is the documented one.
pub(super) struct Answer {
    pub(super) body: Option<Value>,
    /// Headers besides those that all answers have.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self { body: Some(body), headers: Vec::new() }
    }
}

impl Answer {
    /// An answer without a body.
    fn empty() -> Self {
        Self { body: None, headers: Vec::new() }
    }
}

/// Does an operation.
pub(super) type Handler = fn(&Call<'_>) -> Result<Answer, Refusal>;

/// The handler of an operation.
pub(super) fn find(operation: &str) -> Option<Handler> {
    iam::find(operation).or_else(|| modelarts::find(operation)).or_else(|| mrs::find(operation))
}

impl Call<'_> {
    fn lifecycles(&self) -> Lifecycles<'_> {
        Lifecycles { transaction: self.transaction, transitions: self.transitions, now: self.now }
    }

    /// Puts a job into a state now; it goes on from there by itself.
    fn enter(&self, lifecycle: &Lifecycle, id: impl ToString, state: i64) -> Result<(), Refusal> {
        Ok(self.lifecycles().enter(lifecycle, self.project, &id.to_string(), state, self.now)?)
    }

    /// Says that the answer shows the state of a job.
    fn seen(&self, lifecycle: &Lifecycle, id: impl ToString) -> Result<(), Refusal> {
        Ok(self.lifecycles().seen(lifecycle, self.project, &id.to_string())?)
    }

    /// Says that a job is gone.
    fn gone(&self, lifecycle: &Lifecycle, id: impl ToString) -> Result<(), Refusal> {
        Ok(self.lifecycles().end(lifecycle.kind, self.project, &id.to_string())?)
    }

    /// A numeric path parameter.
    fn number(&self, name: &str) -> i64 {
        self.parameters.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A path or query parameter as text, empty if it was not given.
    fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A numeric query parameter, or its documented default.
    fn number_or(&self, name: &str, default: i64) -> i64 {
        self.parameters.get(name).and_then(Value::as_i64).unwrap_or(default)
    }

    /// Number of items on a page and of those before it, as the description says that the list counts.
    fn page(&self) -> (i64, i64) {
        let Some(PageShape::Numbered { parameter, first, size, default, .. }) = self.list.map(|list| list.pages) else {
            return (-1, 0);
        };
        let (first, limit) = (first.into(), self.number_or(size, default.map_or(-1, i64::from)));
        let before = self.number_or(parameter, first).saturating_sub(first).max(0);
        (limit, before.saturating_mul(limit.max(0)))
    }

    /// The state that a list is filtered by; what is no number is no state of any job.
    fn status_filter(&self) -> Option<i64> {
        Some(self.text("status")).filter(|text| !text.is_empty()).map(|text| text.parse().unwrap_or(-1))
    }

    /// How many objects of a kind the project has, all of them or those of a part and in a state.
    fn tally(&self, kind: &str, part: Option<&str>, status: Option<i64>) -> Result<i64, Refusal> {
        Ok(self
            .transaction
            .prepare_cached(
                "SELECT coalesce(sum(amount), 0) FROM tally
                 WHERE project_id = ?1 AND kind = ?2 AND part = coalesce(?3, part) AND status = coalesce(?4, status)",
            )?
            .query_row(params![self.project, kind, part, status], |row| row.get(0))?)
    }

    /// How many more objects of a kind the project may have.
    fn left(&self, kind: &str) -> Result<i64, Refusal> {
        Ok((self.quota - self.tally(kind, None, None)?).max(0))
    }

    /// Refuses to create one more than a project may have.
    fn within_quota(&self, kind: &str) -> Result<(), Refusal> {
        if self.left(kind)? > 0 { Ok(()) } else { Err(Refusal::QuotaReached(self.quota)) }
    }
}

/// A text to be found anywhere in another one by `LIKE ... ESCAPE '\'`.
fn anywhere(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
