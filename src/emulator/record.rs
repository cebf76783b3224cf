//! What went over the wire, for those who drive the emulator.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// One request and its answer, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Method, for example `PUT`.
    pub method: String,
    /// Path and query, for example `/v1/{project_id}/training-jobs/10` with the project's id.
    pub target: String,
    /// Headers of the request by name; those that are not known to be harmless read `***`.
    pub headers: Vec<(String, String)>,
    /// Body of the request.
    pub request: String,
    /// Status of the answer; 0 if there was none, or a broken one.
    pub status: u16,
    /// Body of the answer.
    pub answer: String,
    /// Id of the request, as in the answer's header `X-Request-Id`.
    pub request_id: String,
    /// Id of the operation that was meant; nothing if there is none at this address.
    pub operation: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was not accepted: code and message.
    pub reason: Option<String>,
    /// What came along that is not described, and had no effect.
    pub ignored: Vec<String>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It was done.
    Accepted,
    /// It was refused: the client is to do something else.
    Refused,
    /// The emulator failed.
    Failed,
    /// It was hit by a fault.
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

    /// Whether anything is kept.
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

/// A line on standard error for each request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLog {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// None.
    #[default]
    Off,
}

impl AccessLog {
    pub(super) fn write(self, exchange: &Exchange, peer: SocketAddr, took: Duration) {
        let now = format!("{:.3}", Timestamp::now());
        let Exchange { method, target, status, request_id, operation, verdict, reason, ignored, answer, .. } = exchange;
        let milliseconds = took.as_micros() as f64 / 1000.0;
        let line = match self {
            Self::Off => return,
            Self::Json => json!({
                "time": now, "peer": peer.to_string(), "method": method, "target": target, "status": status,
                "bytes": answer.len(), "milliseconds": milliseconds, "request_id": request_id, "operation": operation,
                "verdict": verdict, "reason": reason, "ignored": ignored,
            })
            .to_string(),
            Self::Text => {
                let operation = operation.as_deref().unwrap_or("-");
                let mut line =
                    format!("{now} {peer} {method} {target} {status} {milliseconds:.1}ms {request_id} {operation}");
                if let Some(reason) = reason {
                    line += &format!(": {}", reason.escape_debug());
                }
                if !ignored.is_empty() {
                    line += &format!(" (ignored: {})", ignored.join(", ").escape_debug());
                }
                line
            }
        };
        // Nobody is left to tell it to if this fails.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// Headers that carry no secret; everything else is hidden, whatever it is called.
const HARMLESS: [&str; 7] =
    ["accept", "content-length", "content-type", "host", "user-agent", "x-project-id", "x-sdk-date"];

pub(super) fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = if HARMLESS.contains(&name.as_str()) {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            } else {
                "***".to_owned()
            };
            (name.to_string(), shown)
        })
        .collect()
}

/// Path and query; a parameter that is not described may be anything, a token too.
pub(super) fn target(uri: &Uri, is_described: impl Fn(&str) -> bool) -> String {
    let mut target = uri.path().escape_default().to_string();
    let pairs = uri.query().into_iter().flat_map(|query| query.split('&'));
    for (index, pair) in pairs.enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if !is_described(name) => target += &format!("{}=***", name.escape_default()),
            _ => target.extend(pair.escape_default()),
        }
    }
    target
}

/// Longer bodies are kept in part.
const MAX_KEPT: usize = 64 * 1024;

/// A body as it is kept: passwords, keys and tokens are not.
pub(super) fn body(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let text = match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            if hide(&mut value) {
                value.to_string()
            } else {
                String::from_utf8_lossy(bytes).into_owned()
            }
        }
        Err(_) if bytes.is_empty() => String::new(),
        // Where the secrets are in it cannot be told.
        Err(_) => return format!("({} bytes that are no JSON)", bytes.len()),
    };
    match text.char_indices().find(|(at, _)| *at >= MAX_KEPT) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text,
    }
}

/// Hides what is called like a secret; whether there was any.
fn hide(value: &mut Value) -> bool {
    let secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["password", "passcode", "secret", "token"].iter().any(|word| name.contains(word))
    };
    let mut hidden = false;
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if secret(name) => {
                        "***".clone_into(text);
                        hidden = true;
                    }
                    // `identity.token.id` is a token.
                    Value::Object(inner) if name == "token" => match inner.get_mut("id") {
                        Some(id) => {
                            *id = "***".into();
                            hidden = true;
                        }
                        None => hidden |= hide(value),
                    },
                    value => hidden |= hide(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hidden |= hide(item)),
        _ => {}
    }
    hidden
}

/// Code and message of a failure, in whatever shape.
pub(super) fn reason(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let text = |pointers: &[&str]| pointers.iter().find_map(|pointer| answer.pointer(pointer)?.as_str());
    let message = text(&["/error_msg", "/error_message", "/error/message"])?;
    Some(match text(&["/error_code"]) {
        Some(code) => format!("{code}: {message}"),
        None => message.to_owned(),
    })
}
