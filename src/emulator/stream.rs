//! The response with the stream of events. Its body ends when the client or the server stops.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use super::events::frame;
use super::handlers::LIFECYCLES;
use super::lifecycle::Lifecycles;
use super::response::{Response, respond};
use super::state::State;

/// After this time without an event a comment is sent, so that the connection of a client that has gone is noticed.
const IDLE: Duration = Duration::from_secs(15);

/// Marks a response whose body is the stream.
#[derive(Clone, Copy)]
struct Live;

/// Returns the response to a request for the stream. [`with_body`] adds its body.
pub(super) fn response(request_id: &str) -> Response {
    let mut response = respond(StatusCode::OK, None, request_id);
    for (name, value) in [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.extensions_mut().insert(Live);
    response
}

/// A body of known bytes, or the stream of events.
pub(super) type Body<S> = Either<Full<Bytes>, StreamBody<S>>;

/// Adds the body to a response. The stream ends when `closing` reports that the server stops.
pub(super) fn with_body(
    mut response: Response,
    state: Arc<State>,
    closing: watch::Receiver<bool>,
) -> http::Response<Body<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>> {
    let live = response.extensions_mut().remove::<Live>().is_some();
    response.map(|bytes| match live {
        false => Either::Left(Full::new(bytes)),
        true => {
            let listener = Listener { events: state.events.listen(), seen: state.clock.now(), state, closing };
            // The first bytes send the headers. They tell a browser to reconnect after a second.
            let first = Some(Bytes::from_static(b"retry: 1000\n\n"));
            Either::Right(StreamBody::new(Box::pin(unfold((first, listener), |(first, mut listener)| async move {
                let bytes = match first {
                    Some(bytes) => bytes,
                    None => listener.next().await?,
                };
                Some((Ok(Frame::data(bytes)), (None, listener)))
            }))))
        }
    })
}

/// One client of the stream.
struct Listener {
    state: Arc<State>,
    events: broadcast::Receiver<Bytes>,
    closing: watch::Receiver<bool>,
    /// Moves of jobs up to this time of the emulator's clock have been sent.
    seen: i64,
}

impl Listener {
    /// Returns the next event; `None` once the server stops.
    async fn next(&mut self) -> Option<Bytes> {
        let due = self.until_a_job_moves();
        let moves = due.is_some_and(|due| due <= IDLE);
        tokio::select! {
            // Sent once; the sender outlives all connections.
            _ = self.closing.changed() => None,
            event = self.events.recv() => match event {
                Ok(bytes) => Some(bytes),
                Err(RecvError::Lagged(events)) => Some(frame("lost", &json!({"events": events}))),
                Err(RecvError::Closed) => None,
            },
            () = sleep(due.unwrap_or(IDLE).min(IDLE)) => Some(if moves {
                self.seen = self.state.clock.now();
                frame("objects", &json!({}))
            } else {
                Bytes::from_static(b":\n\n")
            }),
        }
    }

    /// Returns the real time until the clock moves a job; zero if it has moved one already since the last event.
    ///
    /// The moves before are made in a transaction that is rolled back. The next request makes them for good.
    fn until_a_job_moves(&self) -> Option<Duration> {
        let State { store, clock, transitions, .. } = &*self.state;
        let (scale, now, transitions) = (clock.scale(), clock.now(), *transitions.lock());
        let due = store.peek(|transaction| {
            Lifecycles { transaction, transitions, now: self.seen }.advance(&LIFECYCLES)?;
            transaction.query_row("SELECT min(due) FROM lifecycle", [], |row| row.get::<_, Option<i64>>(0))
        });
        let left = due.ok().flatten()?.saturating_sub(now);
        if left <= 0 {
            return Some(Duration::ZERO);
        }
        // The clock is read in whole milliseconds, so one more is needed to be past the time.
        (scale > 0.0).then(|| Duration::try_from_secs_f64((left + 1) as f64 / 1000.0 / scale).unwrap_or(Duration::MAX))
    }
}
