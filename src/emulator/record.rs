//! What went over the wire, for those who drive the emulator.

use std::collections::VecDeque;

use http::HeaderMap;
use serde::Serialize;

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
    /// Status of the answer.
    pub status: u16,
    /// Body of the answer.
    pub answer: String,
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

    /// Keeps an exchange; nothing is made where nothing is kept.
    pub(super) fn add(&mut self, exchange: impl FnOnce() -> Exchange) {
        if self.capacity == 0 {
            return;
        }
        if self.exchanges.len() == self.capacity {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange());
    }

    pub(super) fn take(&mut self) -> Vec<Exchange> {
        self.exchanges.drain(..).collect()
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
