//! Connections: their limits, and what may go wrong on them.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::answer::Refusal;
use super::control;
use super::server::State;

/// More wait until one of these ends.
const MAX_CONNECTIONS: usize = 1024;
/// How long a client may take, unless it is said otherwise: for the head of a request, for its body, and to read the
/// answer. An idle connection may last as long.
pub(super) const CLIENT_TIME: Duration = Duration::from_secs(30);
/// How long open connections may take when the server stops.
const STOP_TIME: Duration = Duration::from_secs(10);
/// The gateway's documented limits, in bytes.
const MAX_ADDRESS: usize = 32 * 1024;
const MAX_HEADER: usize = 32 * 1024;
const MAX_HEADERS: usize = 128 * 1024;
const MAX_BODY: usize = 12 * 1024 * 1024;
/// The limit of a snapshot that the control API loads, in bytes.
const MAX_SNAPSHOT: usize = 1024 * 1024 * 1024;
/// So many times the limit of a body that is too large are read and dropped, so that the client comes to read the
/// response.
const DROPPED: usize = 4;
/// The first bytes of each body need no room among those of all connections: short bodies always find some.
const FREE: usize = 64 * 1024;
/// How many further bytes of bodies all connections together may hold.
const MAX_HELD: usize = 128 * 1024 * 1024;
/// Room for the largest head, and some more, so that one too large is refused with an answer that says so.
const HEAD_BUFFER: usize = 2 * (MAX_ADDRESS + MAX_HEADERS);

/// Room for the bodies of requests, in bytes. They are read before it is known whether the caller may send them.
pub(super) struct Room {
    bodies: Arc<Semaphore>,
    /// For one large snapshot, or some that are smaller.
    snapshots: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { bodies: Arc::new(Semaphore::new(MAX_HELD)), snapshots: Arc::new(Semaphore::new(MAX_SNAPSHOT)) }
    }
}

/// A body, and the room that it takes as long as it is held.
struct Body {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// An answer that HTTP does not allow for: these bytes go out as they are, then the connection ends.
#[derive(Debug)]
pub(super) struct Abort {
    pub(super) bytes: Vec<u8>,
    /// Whether the client sees a reset instead of an end.
    pub(super) reset: bool,
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is to be cut")
    }
}

impl Error for Abort {}

/// Serves until the sender of `stop` is dropped, then until what has begun is answered.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: oneshot::Receiver<()>) {
    let (closing, _) = watch::channel(false);
    // Dropping the set ends its connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(ended) = connections.join_next() => note(&state, ended),
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, Arc::clone(&state), closing.subscribe()));
                }
                // Out of file descriptors, most likely: some are free again when a connection has ended.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    closing.send_replace(true);
    // Whoever takes longer is cut off.
    let _ = timeout(STOP_TIME, async {
        while let Some(ended) = connections.join_next().await {
            note(&state, ended);
        }
    })
    .await;
}

fn note(state: &State, ended: Result<(), tokio::task::JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        state.panics.fetch_add(1, Ordering::Relaxed);
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, state: Arc<State>, mut closing: watch::Receiver<bool>) {
    // Answers are written whole; one that goes out late is no error.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(state.client_time));
    let client_time = state.client_time;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(client_time)
        // With a seed the date is that of the emulator's clock.
        .auto_date_header(state.seed.is_none())
        .max_buf_size(HEAD_BUFFER)
        .half_close(true);
    let local = stream.get_ref().local_addr().ok().map(|address| address.ip());
    let service = service_fn(move |request| answer(Arc::clone(&state), local, peer, request));
    let mut connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        // Said once, and the sender outlives all connections.
        _ = closing.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let Some(error) = outcome.err() else { return };
    // All other errors are the client's doing, and it has heard of them or is gone.
    if let Some(abort) = error.source().and_then(|source| source.downcast_ref::<Abort>()) {
        let mut stream = connection.into_parts().io.into_inner();
        let sent = stream.write_all(&abort.bytes).await;
        if abort.reset {
            let _ = stream.as_ref().get_ref().get_ref().set_zero_linger();
        } else if sent.is_ok() {
            let _ = stream.shutdown().await;
        }
    }
}

async fn answer(
    state: Arc<State>,
    local: Option<IpAddr>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Abort> {
    let (parts, body) = request.into_parts();
    if !is_readable(&parts.headers) {
        let bytes = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        return Err(Abort { bytes, reset: false });
    }
    let rejected =
        too_large(&parts).or_else(|| wrong_host(&parts)).or_else(|| foreign_host(&parts, &state.allowed_hosts, local));
    let body = match rejected {
        Some(refusal) => Err(refusal),
        None => {
            // Only a snapshot that will be looked at has a limit of its own.
            let (limit, room) = match control::loads_snapshot(&state, peer, &parts) {
                true => (MAX_SNAPSHOT, &state.room.snapshots),
                false => (MAX_BODY, &state.room.bodies),
            };
            read(&parts.headers, body, limit, room, state.client_time).await
        }
    };
    let broken = matches!(&body, Err(refusal) if refusal.ends_connection());
    // The room is free again when the response is made.
    let (body, _room) = match body {
        Ok(Body { bytes, _room }) => (Ok(bytes), _room),
        Err(refusal) => (Err(refusal), None),
    };
    let mut response = Box::pin(state.serve(peer, &parts, body)).await?.map(Full::new);
    let headers = response.headers_mut();
    if broken {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if state.seed.is_some()
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(state.clock.system_time()))
    {
        headers.insert(header::DATE, date);
    }
    Ok(response)
}

/// Whether the body comes in a coding that is understood: none, or `chunked` alone.
fn is_readable(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"))
        && codings.next().is_none()
}

/// What the gateway says to a head that is too large.
fn too_large(parts: &Parts) -> Option<Refusal> {
    let address = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if address > MAX_ADDRESS {
        let message = format!("The address has {address} bytes; the limit is {MAX_ADDRESS}.");
        return Some(Refusal::malformed(StatusCode::URI_TOO_LONG, message));
    }
    // ": " and the line's end count, as they do on the wire.
    let size = |(name, value): (&header::HeaderName, &header::HeaderValue)| name.as_str().len() + value.len() + 4;
    let (largest, all) =
        parts.headers.iter().map(size).fold((0, 0), |(largest, all), size| (size.max(largest), all + size));
    let status = StatusCode::from_u16(494).unwrap_or(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    if largest > MAX_HEADER {
        let message = format!("A header has {largest} bytes; the limit is {MAX_HEADER}.");
        return Some(Refusal::malformed(status, message));
    }
    (all > MAX_HEADERS).then(|| {
        let message = format!("The headers have {all} bytes; the limit is {MAX_HEADERS}.");
        Refusal::malformed(status, message)
    })
}

/// What is wrong with the header `Host`: it says where addresses in answers lead.
fn wrong_host(parts: &Parts) -> Option<Refusal> {
    let hosts: Vec<&HeaderValue> = parts.headers.get_all(header::HOST).iter().collect();
    let problem = match hosts.as_slice() {
        [] if parts.version < Version::HTTP_11 => return None,
        [] => "is missing",
        [host] if host.to_str().is_ok_and(is_host) => return None,
        [_] => "is no host with or without a port",
        _ => "comes more than once",
    };
    Some(Refusal::malformed(StatusCode::BAD_REQUEST, format!("The header Host {problem}.")))
}

/// Why a request is rejected that came under a name of somebody else. A page in a browser can make such a name lead here,
/// and would then be allowed to read the responses.
fn foreign_host(parts: &Parts, allowed: &[String], local: Option<IpAddr>) -> Option<Refusal> {
    let header = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let foreign = header.iter().chain(parts.uri.authority()).find(|host| !is_own(host.host(), allowed, local))?;
    let message = format!("The header Host names {foreign}, which is not this emulator; --allow-host lets it pass.");
    Some(Refusal::Gateway { status: StatusCode::FORBIDDEN, code: "APIG.0302", message })
}

/// Whether a host is this machine whoever is asked, the address that the client is connected to, or an allowed name.
fn is_own(host: &str, allowed: &[String], local: Option<IpAddr>) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        if address.is_loopback() || local.is_some_and(|local| local.to_canonical() == address) {
            return true;
        }
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    name.eq_ignore_ascii_case("localhost") || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

pub(super) fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let port = text.strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':'));
    !authority.host().is_empty()
        && (text == authority.host() || port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok()))
}

/// The whole body, or what is wrong with it.
async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    limit: usize,
    room: &Arc<Semaphore>,
    time: Duration,
) -> Result<Body, Refusal> {
    let too_large = || {
        let message = format!("The body is larger than the limit of {limit} bytes.");
        Refusal::malformed(StatusCode::PAYLOAD_TOO_LARGE, message)
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
                Refusal::malformed(StatusCode::BAD_REQUEST, format!("The body cannot be read: {error}"))
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
                    Refusal::Gateway { status: StatusCode::TOO_MANY_REQUESTS, code: "APIG.0308", message }
                })?;
                match &mut held {
                    Some(held) => held.merge(more),
                    None => held = Some(more),
                }
            }
            whole.extend_from_slice(&data);
        }
        Ok::<_, Refusal>(())
    };
    timeout(time, all).await.map_err(|_| {
        let message = format!("The body did not arrive within {} seconds.", time.as_secs_f64());
        Refusal::malformed(StatusCode::REQUEST_TIMEOUT, message)
    })??;
    if read > limit { Err(too_large()) } else { Ok(Body { bytes: whole.freeze(), _room: held }) }
}

/// An answer as it goes over the wire, for those that HTTP does not allow for.
pub(super) fn on_the_wire(response: &Response<Bytes>, content_length: usize) -> Vec<u8> {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(format!("content-length: {content_length}\r\n\r\n").into_bytes());
    bytes.extend(response.body());
    bytes
}
