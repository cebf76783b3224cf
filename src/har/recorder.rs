//! Notes what the transport sends and receives.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use reqwest::{Request, Response};

use super::{Entry, Message, redact, write};
use crate::clock::Clock;

/// The largest body that is kept, in bytes.
const MOST_BODY: usize = 1024 * 1024;
/// The most bytes of all exchanges together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Records the requests and responses of sessions, see [`SessionBuilder::record`](crate::SessionBuilder::record).
///
/// Clones share their record. It is kept in memory up to 64 MiB: bodies of more than 1 MiB are left out, and further
/// exchanges are only [counted](Self::dropped).
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    entries: Vec<Entry>,
    bytes: usize,
    dropped: usize,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { entries, bytes, dropped } = &*self.lock();
        let mut shown = f.debug_struct("Recorder");
        shown.field("entries", &entries.len()).field("bytes", bytes).field("dropped", dropped).finish()
    }
}

impl Recorder {
    /// Returns everything that was recorded so far as a HAR file, with all secrets redacted.
    pub fn har(&self) -> String {
        let (mut entries, dropped) = {
            let record = self.lock();
            (record.entries.clone(), record.dropped)
        };
        redact(&mut entries);
        let comment =
            format!("{dropped} more exchanges are not recorded, since the record has {MOST_BYTES} bytes at most");
        write(&entries, (dropped > 0).then_some(&comment))
    }

    /// Returns the number of exchanges that were not recorded, since the record is full.
    pub fn dropped(&self) -> usize {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // An entry is added as a whole, so a poisoned lock is still valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, entry: Entry) {
        let mut record = self.lock();
        let size = entry.bytes();
        if record.dropped > 0 || record.bytes + size > MOST_BYTES {
            record.dropped += 1;
            return;
        }
        record.bytes += size;
        record.entries.push(entry);
    }
}

impl Entry {
    /// The bytes of its texts.
    fn bytes(&self) -> usize {
        let message = |message: &Message| {
            let headers: usize = message.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            headers + message.body.as_ref().map_or(0, String::len)
        };
        self.url.len() + message(&self.request) + message(&self.response)
    }
}

/// A request in flight. It is recorded when it is dropped, however it ends. Without a recorder nothing is noted.
///
/// Boxed, because futures of calls hold it.
pub(crate) struct Noted(Option<Box<InFlight>>);

struct InFlight {
    recorder: Recorder,
    entry: Entry,
    sent: Instant,
    /// When the head of the response came.
    answered: Option<Instant>,
}

impl Noted {
    /// Notes a request that is about to be sent.
    pub(crate) fn new(recorder: Option<&Recorder>, request: &Request, clock: &dyn Clock) -> Self {
        Self(recorder.map(|recorder| {
            let mut sent = Message { version: "HTTP/1.1".to_owned(), ..Message::of(request.headers()) };
            let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
            sent.keep(body);
            let lost = Message { comment: Some("the request was abandoned".to_owned()), ..Message::default() };
            let entry = Entry {
                started: started(clock),
                method: request.method().to_string(),
                url: request.url().to_string(),
                request: sent,
                response: lost,
                ..Entry::default()
            };
            Box::new(InFlight { recorder: recorder.clone(), entry, sent: Instant::now(), answered: None })
        }))
    }

    /// Notes the head of the response.
    pub(crate) fn answered(&mut self, response: &Response) {
        let Some(InFlight { entry, answered, .. }) = self.0.as_deref_mut() else { return };
        *answered = Some(Instant::now());
        entry.status = response.status().as_u16();
        entry.status_text = response.status().canonical_reason().unwrap_or_default().to_owned();
        entry.response = Message {
            version: format!("{:?}", response.version()),
            comment: Some("the body was not received to its end".to_owned()),
            ..Message::of(response.headers())
        };
        entry.request.version.clone_from(&entry.response.version);
    }

    /// Notes the body of the response, decoded.
    pub(crate) fn received(&mut self, body: &[u8]) {
        let Some(InFlight { entry, .. }) = self.0.as_deref_mut() else { return };
        entry.response.comment = None;
        entry.response.keep(body);
    }

    /// Notes why no response came.
    pub(crate) fn failed(&mut self, error: &reqwest::Error) {
        let Some(InFlight { entry, .. }) = self.0.as_deref_mut() else { return };
        // The text of the error holds the address.
        entry.response.comment = Some(match () {
            () if error.is_timeout() => "no response came in time".to_owned(),
            () if error.is_connect() => "no connection could be made".to_owned(),
            () => "the connection broke before a response came".to_owned(),
        });
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let Some(in_flight) = self.0.take() else { return };
        let InFlight { recorder, mut entry, sent, answered } = *in_flight;
        let milliseconds = |from: Instant, to: Instant| (to - from).as_micros() as f64 / 1000.0;
        let now = Instant::now();
        entry.wait = milliseconds(sent, answered.unwrap_or(now));
        entry.receive = milliseconds(answered.unwrap_or(now), now);
        recorder.add(entry);
    }
}

/// The time to the millisecond, as most tools write it.
fn started(clock: &dyn Clock) -> String {
    let now = Timestamp::try_from(clock.now()).unwrap_or_default();
    Timestamp::from_millisecond(now.as_millisecond()).map_or_else(|_| now.to_string(), |now| now.to_string())
}

impl Message {
    fn of(headers: &HeaderMap) -> Self {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            media_type: headers.get(CONTENT_TYPE).map(text).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Takes a body along, if it is text and not too long.
    fn keep(&mut self, body: &[u8]) {
        self.size = Some(body.len() as u64);
        match std::str::from_utf8(body) {
            _ if body.len() > MOST_BODY => {
                self.comment = Some(format!("a body of {} bytes was left out, the limit is {MOST_BODY}", body.len()));
            }
            Ok("") => {}
            Ok(text) => self.body = Some(text.to_owned()),
            Err(_) => self.comment = Some(format!("a body of {} bytes that is no text was left out", body.len())),
        }
    }
}
