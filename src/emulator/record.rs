//! Recorded requests and responses.

use std::collections::VecDeque;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::Serialize;
use serde_json::Value;

use crate::error::confidential::{HIDDEN, MESSAGES, header, hide, hide_echo, query};

/// A request and its response, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Method, for example `PUT`.
    pub method: String,
    /// Path and query, for example `/v1/{project_id}/training-jobs/10` with the project's id.
    pub target: String,
    /// Headers of the request by name; the values of unknown headers are redacted as `***`.
    pub headers: Vec<(String, String)>,
    /// Body of the request.
    pub request: String,
    /// Status of the response; 0 if there was none, or a broken one.
    pub status: u16,
    /// Body of the response.
    pub response: String,
    /// Id of the request, as in the response's header `X-Request-Id`.
    pub request_id: String,
    /// Id of the operation, if the path has one.
    pub operation: Option<String>,
    /// When it came, by the emulator's clock, for example `2040-01-01T00:00:00Z`.
    pub time: String,
    /// How long the response took, in microseconds of real time; nothing with a seed, which makes the record reproducible.
    pub duration_us: Option<u64>,
    /// What became of it.
    pub verdict: Verdict,
    /// The reason of a rejection: code and message.
    pub reason: Option<String>,
    /// Undescribed parts of the request, which had no effect.
    pub ignored: Vec<String>,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The request was accepted.
    Accepted,
    /// The request was rejected.
    Rejected,
    /// The emulator failed.
    Failed,
    /// A fault was injected.
    Fault,
}

/// The latest exchanges, the oldest first.
#[derive(Debug)]
pub(super) struct Record {
    capacity: usize,
    exchanges: VecDeque<Exchange>,
}

impl Record {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, exchanges: VecDeque::new() }
    }

    /// Returns whether recording is enabled.
    pub(super) fn is_on(&self) -> bool {
        self.capacity > 0
    }

    pub(super) fn add(&mut self, exchange: Exchange) {
        if self.exchanges.len() == self.capacity {
            self.exchanges.pop_front();
        }
        if self.is_on() {
            self.exchanges.push_back(exchange);
        }
    }

    pub(super) fn list(&self) -> Vec<Exchange> {
        self.exchanges.iter().cloned().collect()
    }

    pub(super) fn take(&mut self) -> Vec<Exchange> {
        self.exchanges.drain(..).collect()
    }
}

/// The longest recorded part of a body.
const MAX_KEPT: usize = 64 * 1024;
/// The longest recorded part of a reason, which is also logged.
const MAX_REASON: usize = 4 * 1024;
/// The largest number of recorded undescribed parts; further ones are only counted.
const MAX_IGNORED: usize = 50;

pub(super) fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let readable = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())).to_owned())
    };
    headers.iter().map(readable).collect()
}

/// Path and query.
pub(super) fn target(uri: &Uri, is_described: impl Fn(&str) -> bool) -> String {
    let path = uri.path().escape_default();
    match uri.query() {
        Some(text) => format!("{path}?{}", query(text, is_described)),
        None => path.to_string(),
    }
}

/// Returns the name of an undescribed parameter with this value, redacted if necessary.
pub(super) fn name_of<'a>(name: &'a str, value: &str) -> &'a str {
    if value.is_empty() { HIDDEN } else { name }
}

/// Returns the undescribed parts of a request, up to the limit.
pub(super) fn ignored(mut names: Vec<String>) -> Vec<String> {
    if let Some(more @ 1..) = names.len().checked_sub(MAX_IGNORED) {
        names.truncate(MAX_IGNORED);
        names.push(format!("{more} more"));
    }
    names
}

/// Returns the recorded body of a request, without passwords, keys and tokens.
pub(super) fn request(body: &[u8]) -> String {
    match serde_json::from_slice(body) {
        Ok(mut value) => {
            let mut hidden = Vec::new();
            hide(&mut value, false, &mut hidden);
            kept(body, &value, !hidden.is_empty())
        }
        Err(_) if body.is_empty() => String::new(),
        // Secrets cannot be found in it.
        Err(_) => format!("({} bytes that are no JSON)", body.len()),
    }
}

/// Returns the recorded body of a response, and the reason if it is an error.
pub(super) fn response(body: &[u8], is_described: impl Fn(&str) -> bool) -> (String, Option<String>) {
    let Ok(mut value) = serde_json::from_slice(body) else { return (String::new(), None) };
    let mut hidden = Vec::new();
    hide(&mut value, false, &mut hidden);
    let echoed = hide_echo(&mut value, is_described);
    (kept(body, &value, echoed || !hidden.is_empty()), reason(&value))
}

/// Returns the unchanged bytes, unless a part of them was redacted.
fn kept(body: &[u8], value: &Value, hidden: bool) -> String {
    let text = if hidden { value.to_string() } else { String::from_utf8_lossy(body).into_owned() };
    match cut(&text, MAX_KEPT) {
        Some(front) => format!("{front}… ({} bytes)", text.len()),
        None => text,
    }
}

/// Returns the beginning of a text that is too long.
fn cut(text: &str, limit: usize) -> Option<&str> {
    text.char_indices().find(|(at, _)| *at >= limit).map(|(at, _)| &text[..at])
}

/// Returns code and message of an error in any form.
fn reason(response: &Value) -> Option<String> {
    let message = MESSAGES.iter().find_map(|place| response.pointer(place)?.as_str())?;
    let message = cut(message, MAX_REASON).map_or_else(|| message.to_owned(), |front| format!("{front}…"));
    Some(match response.get("error_code").and_then(Value::as_str) {
        Some(code) => format!("{code}: {message}"),
        None => message,
    })
}
