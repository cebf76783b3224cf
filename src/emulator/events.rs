//! Events for the console and other clients that listen, in the form of server-sent events.
//!
//! | Event | Meaning |
//! | --- | --- |
//! | `request` | A request for the cloud's APIs with its response, as in the record. |
//! | `change` | The clock, faults, recorded requests, the state or the transitions were changed; the data names it. |
//! | `objects` | The clock has moved a job to its next state. |
//! | `lost` | The client read too slowly; the data has the number of lost events. |

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::record::Exchange;

/// The number of events that a slow listener may be behind.
const CAPACITY: usize = 64;

/// Sends events to all listeners.
#[derive(Debug)]
pub(super) struct Events(broadcast::Sender<Bytes>);

impl Events {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }

    /// Returns whether anyone listens.
    pub(super) fn is_on(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Returns a receiver of the events from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Bytes> {
        self.0.subscribe()
    }

    /// Sends a request with its response.
    pub(super) fn request(&self, exchange: &Exchange) {
        self.send("request", &json!(exchange));
    }

    /// Sends the name of what was changed: `clock`, `faults`, `requests`, `state` or `transitions`.
    pub(super) fn change(&self, what: &str) {
        self.send("change", &json!({"what": what}));
    }

    fn send(&self, event: &str, data: &Value) {
        if self.is_on() {
            // Sending fails if the last listener has just gone.
            let _ = self.0.send(frame(event, data));
        }
    }
}

/// Formats an event. Its data is one line, because JSON escapes line breaks.
pub(super) fn frame(event: &str, data: &Value) -> Bytes {
    format!("event: {event}\ndata: {data}\n\n").into()
}
