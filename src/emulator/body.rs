//! The bodies of requests: their limits, and the memory that they may take together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::response::Rejection;

/// The gateway's documented limit of a body, in bytes.
pub(super) const MAX_BODY: usize = 12 * 1024 * 1024;
/// The limit of a snapshot that the control API loads, in bytes.
pub(super) const MAX_SNAPSHOT: usize = 1024 * 1024 * 1024;
/// Of a body that is too large, this many times the limit is read and dropped, so that the client gets to read the response.
const DROPPED: usize = 4;
/// This many bytes of each body do not count for `MAX_HELD`, so that there is always room for short bodies.
const FREE: usize = 64 * 1024;
/// The limit for further bytes of bodies of all connections together.
const MAX_HELD: usize = 128 * 1024 * 1024;

/// The memory for bodies of requests, in bytes. Bodies are read before the caller is authenticated.
pub(super) struct Room {
    pub(super) bodies: Arc<Semaphore>,
    /// The memory for one large snapshot, or several smaller ones.
    pub(super) snapshots: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { bodies: Arc::new(Semaphore::new(MAX_HELD)), snapshots: Arc::new(Semaphore::new(MAX_SNAPSHOT)) }
    }
}

/// A body with the memory that it reserves while it exists.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) _room: Option<OwnedSemaphorePermit>,
}

/// Reads the whole body, within the limit, the room and the time.
pub(super) async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    limit: usize,
    room: &Arc<Semaphore>,
    time: Duration,
) -> Result<Body, Rejection> {
    let too_large = || {
        let message = format!("The body is larger than the limit of {limit} bytes.");
        Rejection::malformed(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let declared = length.unwrap_or(0);
    if declared > DROPPED * limit || (declared > limit && headers.contains_key(header::EXPECT)) {
        return Err(too_large());
    }
    let (mut whole, mut read, mut held) = (BytesMut::new(), 0, None::<OwnedSemaphorePermit>);
    let all = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                Rejection::malformed(StatusCode::BAD_REQUEST, format!("The body cannot be read: {error}"))
            })?;
            let Ok(data) = frame.into_data() else { continue };
            let before = read.max(FREE);
            read += data.len();
            if read > DROPPED * limit {
                break;
            }
            if read > limit {
                (whole, held) = (BytesMut::new(), None);
                continue;
            }
            if let Some(more) = read.checked_sub(before).filter(|more| *more > 0) {
                let more = u32::try_from(more).ok().and_then(|more| Arc::clone(room).try_acquire_many_owned(more).ok());
                let more = more.ok_or_else(|| {
                    let message = "The bodies of other requests leave no room for this one; send it again.".to_owned();
                    Rejection::Gateway { status: StatusCode::TOO_MANY_REQUESTS, code: "APIG.0308", message }
                })?;
                match &mut held {
                    Some(held) => held.merge(more),
                    None => held = Some(more),
                }
            }
            whole.extend_from_slice(&data);
        }
        Ok::<_, Rejection>(())
    };
    timeout(time, all).await.map_err(|_| {
        let message = format!("The body did not arrive within {} seconds.", time.as_secs_f64());
        Rejection::malformed(StatusCode::REQUEST_TIMEOUT, message)
    })??;
    if read > limit { Err(too_large()) } else { Ok(Body { bytes: whole.freeze(), _room: held }) }
}
