//! The common parts of all handlers: the call, its outcome, and the state of jobs.

use std::collections::HashMap;

use http::{HeaderName, HeaderValue};
use rusqlite::params;
use serde_json::Value;

use crate::api::{ListShape, PageShape};
use crate::emulator::access::{Access, Caller};
use crate::emulator::lifecycle::{Lifecycle, Lifecycles, Transitions};
use crate::emulator::response::Rejection;
use crate::emulator::store::Transaction;

/// One validated request.
pub(in crate::emulator) struct Call<'a> {
    pub(in crate::emulator) transaction: &'a Transaction<'a>,
    /// The project of the path; empty if the path has none.
    pub(in crate::emulator) project: &'a str,
    /// The caller; `None` where the operation needs no authentication.
    pub(in crate::emulator) caller: Option<&'a Caller<'a>>,
    pub(in crate::emulator) access: &'a Access,
    /// The base address that the client used.
    pub(in crate::emulator) base: &'a str,
    pub(in crate::emulator) parameters: &'a HashMap<&'static str, Value>,
    pub(in crate::emulator) body: &'a Value,
    /// The time in milliseconds since the Unix epoch by the emulator's clock: the same during the whole request.
    pub(in crate::emulator) now: i64,
    pub(in crate::emulator) transitions: Transitions,
    /// The number of objects of a kind that a project may have.
    pub(in crate::emulator) quota: i64,
    /// The shape of the list, for an operation that lists objects.
    pub(in crate::emulator) list: Option<ListShape<'static>>,
}

/// The result of a handler. The status of the response is the documented one.
pub(in crate::emulator) struct Outcome {
    pub(in crate::emulator) body: Option<Value>,
    /// Headers besides those that all responses have.
    pub(in crate::emulator) headers: Vec<(HeaderName, HeaderValue)>,
}

impl From<Value> for Outcome {
    fn from(body: Value) -> Self {
        Self { body: Some(body), headers: Vec::new() }
    }
}

impl Outcome {
    /// Returns an outcome without a body.
    pub(super) fn empty() -> Self {
        Self { body: None, headers: Vec::new() }
    }
}

/// Carries out an operation.
pub(in crate::emulator) type Handler = fn(&Call<'_>) -> Result<Outcome, Rejection>;

impl Call<'_> {
    fn lifecycles(&self) -> Lifecycles<'_> {
        Lifecycles { transaction: self.transaction, transitions: self.transitions, now: self.now }
    }

    /// Puts a job into a state now. The following states come by themselves.
    pub(super) fn enter(&self, lifecycle: &Lifecycle, id: impl ToString, state: i64) -> Result<(), Rejection> {
        Ok(self.lifecycles().enter(lifecycle, self.project, &id.to_string(), state, self.now)?)
    }

    /// Counts that the response shows the state of a job.
    pub(super) fn seen(&self, lifecycle: &Lifecycle, id: impl ToString) -> Result<(), Rejection> {
        Ok(self.lifecycles().seen(lifecycle, self.project, &id.to_string())?)
    }

    /// Removes the lifecycle of a deleted job.
    pub(super) fn gone(&self, lifecycle: &Lifecycle, id: impl ToString) -> Result<(), Rejection> {
        Ok(self.lifecycles().end(lifecycle.kind, self.project, &id.to_string())?)
    }

    /// Returns a numeric path parameter.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.parameters.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// Returns a path or query parameter as text, empty if it was not given.
    pub(super) fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a numeric query parameter, or its documented default.
    pub(super) fn number_or(&self, name: &str, default: i64) -> i64 {
        self.parameters.get(name).and_then(Value::as_i64).unwrap_or(default)
    }

    /// Returns the number of the page that the request names.
    pub(super) fn page_number(&self) -> Option<i64> {
        let (parameter, _) = self.list?.pages.parameters()?;
        self.parameters.get(parameter).and_then(Value::as_i64)
    }

    /// Returns the number of items on the page, and of those before it, by the shape of the list.
    pub(super) fn page(&self) -> (i64, i64) {
        let Some(PageShape::Numbered { parameter, first, size, default, .. }) = self.list.map(|list| list.pages) else {
            return (-1, 0);
        };
        let (first, limit) = (first.into(), self.number_or(size, default.map_or(-1, i64::from)));
        let before = self.number_or(parameter, first).saturating_sub(first).max(0);
        (limit, before.saturating_mul(limit.max(0)))
    }

    /// Returns the object after which the page begins and the number of items on it, where the request names them.
    pub(super) fn marker(&self) -> (Option<&str>, Option<i64>) {
        let Some(PageShape::Marked { parameter, size, .. }) = self.list.map(|list| list.pages) else {
            return (None, None);
        };
        let marker = Some(self.text(parameter)).filter(|marker| !marker.is_empty());
        (marker, self.parameters.get(size).and_then(Value::as_i64))
    }

    /// Builds the response of a list: its items and their total, under the names of the description, beside other fields.
    pub(super) fn listed(&self, items: Vec<Value>, total: i64, mut others: Value) -> Outcome {
        if let Some(list) = self.list {
            if let Some(name) = list.total {
                others[name] = total.into();
            }
            others[list.items] = items.into();
        }
        others.into()
    }

    /// Returns the state by which the list is filtered. A text that is no number is no state of any job.
    pub(super) fn status_filter(&self) -> Option<i64> {
        Some(self.text("status")).filter(|text| !text.is_empty()).map(|text| text.parse().unwrap_or(-1))
    }

    /// Counts the objects of a kind in the project: all, or those of a part and in a state.
    pub(super) fn tally(&self, kind: &str, part: Option<&str>, status: Option<i64>) -> Result<i64, Rejection> {
        Ok(self
            .transaction
            .prepare_cached(
                "SELECT coalesce(sum(amount), 0) FROM tally
                 WHERE project_id = ?1 AND kind = ?2 AND part = coalesce(?3, part) AND status = coalesce(?4, status)",
            )?
            .query_row(params![self.project, kind, part, status], |row| row.get(0))?)
    }

    /// Returns how many more objects of a kind the project may have.
    pub(super) fn left(&self, kind: &str) -> Result<i64, Rejection> {
        Ok((self.quota - self.tally(kind, None, None)?).max(0))
    }

    /// Rejects the request if the project may have no more objects of a kind.
    pub(super) fn within_quota(&self, kind: &str) -> Result<(), Rejection> {
        if self.left(kind)? > 0 { Ok(()) } else { Err(Rejection::QuotaReached(self.quota)) }
    }
}

/// Makes a pattern for `LIKE ... ESCAPE '\'` that finds a text anywhere in another one.
pub(super) fn anywhere(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
