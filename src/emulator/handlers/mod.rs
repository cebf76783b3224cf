//! What each operation does with the store.

use std::collections::HashMap;

use http::{HeaderName, HeaderValue};
use rusqlite::Transaction;
use serde_json::Value;

use super::access::{Access, Caller};
use super::answer::Refusal;

pub(super) mod iam;
mod modelarts;
mod mrs;

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
}

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

    /// `ORDER BY` for the sort keys of the description, which are column names but for the ones given.
    fn order(&self, key: &str, default: &str, columns: &[(&str, &str)]) -> String {
        let wanted = Some(self.text(key)).filter(|text| !text.is_empty()).unwrap_or(default);
        let column = columns.iter().find(|(name, _)| *name == wanted).map_or("id", |(_, column)| column);
        let direction = if self.text("order") == "desc" { "DESC" } else { "ASC" };
        format!("ORDER BY {column} {direction}, id {direction}")
    }
}

/// A text to be found anywhere in another one by `LIKE ... ESCAPE '\'`.
fn anywhere(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
