//! Recorded requests and responses.

use std::collections::VecDeque;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::Serialize;
use serde_json::Value;

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

/// Headers without secrets; all others are redacted.
const HARMLESS: [&str; 7] =
    ["accept", "content-length", "content-type", "host", "user-agent", "x-project-id", "x-sdk-date"];
/// Parts of names that mean a secret.
const SECRET: [&str; 14] = [
    "password",
    "passwd",
    "passcode",
    "passphrase",
    "secret",
    "token",
    "credential",
    "authorization",
    "cookie",
    "apikey",
    "api_key",
    "access_key",
    "access.key",
    "private_key",
];
/// The replacement for a secret.
const HIDDEN: &str = "***";
/// The longest recorded part of a body.
const MAX_KEPT: usize = 64 * 1024;
/// The longest recorded part of a reason, which is also logged.
const MAX_REASON: usize = 4 * 1024;
/// The largest number of recorded undescribed parts; further ones are only counted.
const MAX_IGNORED: usize = 50;

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

pub(super) fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let readable = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())).to_owned())
    };
    headers.iter().map(readable).collect()
}

/// Returns the value of a header, redacted if necessary; a host may contain a password.
fn header<'a>(name: &str, value: &'a str) -> &'a str {
    if HARMLESS.contains(&name) && !(name == "host" && value.contains('@')) { value } else { HIDDEN }
}

/// Path and query.
pub(super) fn target(uri: &Uri, is_described: impl Fn(&str) -> bool) -> String {
    let path = uri.path().escape_default();
    match uri.query() {
        Some(text) => format!("{path}?{}", query(text, is_described)),
        None => path.to_string(),
    }
}

/// Redacts a query: the value or name of an undescribed parameter may be a secret.
fn query(text: &str, is_described: impl Fn(&str) -> bool) -> String {
    let readable = |pair: &str| match pair.split_once('=').unwrap_or((pair, "")) {
        (name, _) if name.is_empty() || is_described(name) => pair.escape_default().to_string(),
        (_, "") => HIDDEN.to_owned(),
        (name, _) => format!("{}={HIDDEN}", name.escape_default()),
    };
    text.split('&').map(readable).collect::<Vec<_>>().join("&")
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
            let hidden = hide(&mut value, false);
            kept(body, &value, hidden)
        }
        Err(_) if body.is_empty() => String::new(),
        // Secrets cannot be found in it.
        Err(_) => format!("({} bytes that are no JSON)", body.len()),
    }
}

/// Returns the recorded body of a response, and the reason if it is an error.
pub(super) fn response(body: &[u8], is_described: impl Fn(&str) -> bool) -> (String, Option<String>) {
    let Ok(mut value) = serde_json::from_slice(body) else { return (String::new(), None) };
    let hidden = hide(&mut value, false) | hide_echo(&mut value, is_described);
    (kept(body, &value, hidden), reason(&value))
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

/// Redacts values whose name means a secret, or all strings and numbers. Returns whether there were any.
fn hide(value: &mut Value, all: bool) -> bool {
    let mut hidden = false;
    match value {
        Value::Object(fields) => {
            // Parameters of jobs have the form `{"label": …, "value": …}`.
            let labelled = ["label", "name", "key"]
                .iter()
                .any(|name| fields.get(*name).and_then(Value::as_str).is_some_and(is_secret));
            for (name, value) in fields {
                // IAM has objects of these names, in which only some fields are secret.
                let open = value.is_object() && ["password", "token"].contains(&name.as_str());
                if open
                    && name == "token"
                    && let Some(id) = value.get_mut("id")
                {
                    hidden |= hide(id, true);
                }
                hidden |= hide(value, !open && (all || is_secret(name) || (labelled && name == "value")));
            }
        }
        Value::Array(items) => {
            let mut follows = false;
            for item in items {
                let next = item.as_str().is_some_and(is_option);
                hidden |= hide(item, all || follows);
                follows = next;
            }
        }
        Value::String(_) | Value::Number(_) if all => {
            *value = HIDDEN.into();
            hidden = true;
        }
        Value::String(text) => {
            let shown = arguments(text);
            hidden = shown != *text;
            *text = shown;
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
    hidden
}

/// Returns whether the next argument is a secret: `--password`.
fn is_option(argument: &str) -> bool {
    argument.starts_with('-') && !argument.contains('=') && is_secret(argument)
}

/// Redacts the values after `password=` or `--password` in arguments of a program.
fn arguments(text: &str) -> String {
    let mut follows = false;
    let readable = |word: &str| {
        let hidden = std::mem::replace(&mut follows, is_option(word));
        match word.split_once('=') {
            _ if hidden => HIDDEN.to_owned(),
            Some((name, _)) if is_secret(name) && !text.contains(ECHO) => format!("{name}={HIDDEN}"),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(readable).collect::<Vec<_>>().join(" ")
}

/// The beginning of the canonical request in a response.
const ECHO: &str = "canonicalRequest:";
/// The fields with the message of an error.
const MESSAGES: [&str; 3] = ["/error_msg", "/error_message", "/error/message"];

/// Redacts the repeated request in an error like the request itself. Returns whether there was one.
fn hide_echo(response: &mut Value, is_described: impl Fn(&str) -> bool) -> bool {
    let Some(message) = MESSAGES.iter().find(|place| response.pointer(place).is_some()) else { return false };
    let Some(Value::String(message)) = response.pointer_mut(message) else { return false };
    let Some((front, request)) = message.split_once(ECHO) else { return false };
    let lines: Vec<&str> = request.split('|').collect();
    // Method, path, query, headers, then an empty line, the names of the headers and a hash.
    let headers = 3..lines.len().saturating_sub(3);
    let readable = |(place, line): (usize, &&str)| match line.split_once(':') {
        _ if place == 2 => query(line, &is_described),
        Some((name, value)) if headers.contains(&place) => format!("{name}:{}", header(name, value)),
        None if headers.contains(&place) => HIDDEN.to_owned(),
        _ => (*line).to_owned(),
    };
    let shown: Vec<String> = lines.iter().enumerate().map(readable).collect();
    *message = format!("{front}{ECHO}{}", shown.join("|"));
    true
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
