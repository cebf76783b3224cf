//! Accepts connections and reads requests from them.

use std::convert::Infallible;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderValue, Response, header};
use hyper::Request;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::body::{Body, MAX_BODY, MAX_SNAPSHOT, read};
use super::control;
use super::head::{HEAD_BUFFER, is_readable, too_large, wrong_host};
use super::response::Abort;
use super::state::State;
use super::stream;

/// The number of open connections. Further ones wait until one of these is closed.
const MAX_CONNECTIONS: usize = 1024;
/// The default time in which a client must send the head of a request, send its body, and read the response. An idle
/// connection is closed after the same time.
pub(super) const CLIENT_TIME: Duration = Duration::from_secs(30);
/// The time limit for open connections when the server stops.
const STOP_TIME: Duration = Duration::from_secs(10);

/// Serves until the sender of `stop` is dropped, then finishes the requests that have begun.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: oneshot::Receiver<()>) {
    let (closing, _) = watch::channel(false);
    // Dropping the set closes its connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(ended) = connections.join_next() => note(&state, ended),
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, Arc::clone(&state), closing.subscribe()));
                }
                // Most likely there are no file descriptors left; some become free when a connection ends.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    closing.send_replace(true);
    // Connections that are still open then are cut off.
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
    // Responses are written whole; a delay is no error.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(state.client_time));
    let client_time = state.client_time;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(client_time)
        // With a seed, the date is the time of the emulator's clock.
        .auto_date_header(state.seed.is_none())
        .max_buf_size(HEAD_BUFFER)
        .half_close(true);
    let local = stream.get_ref().local_addr().ok().map(|address| address.ip());
    let stopping = closing.clone();
    let service = service_fn(move |request| respond(Arc::clone(&state), local, peer, stopping.clone(), request));
    let mut connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        // Sent once; the sender outlives all connections.
        _ = closing.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let Some(error) = outcome.err() else { return };
    // All other errors are caused by the client, which has got a response or is gone.
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

async fn respond(
    state: Arc<State>,
    local: Option<IpAddr>,
    peer: SocketAddr,
    stopping: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> Result<Response<stream::Body<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + use<>>>, Abort> {
    let (parts, body) = request.into_parts();
    if !is_readable(&parts.headers) {
        let bytes = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        return Err(Abort { bytes, reset: false });
    }
    let rejected = too_large(&parts).or_else(|| wrong_host(&parts, &state.allowed_hosts, local));
    let body = match rejected {
        Some(rejection) => Err(rejection),
        None => {
            // Only a snapshot from an accepted client has a limit of its own.
            let (limit, room) = match control::loads_snapshot(&state, peer, &parts) {
                true => (MAX_SNAPSHOT, &state.room.snapshots),
                false => (MAX_BODY, &state.room.bodies),
            };
            read(&parts.headers, body, limit, room, state.client_time).await
        }
    };
    let broken = matches!(&body, Err(rejection) if rejection.ends_connection());
    // The room is released when the response is built.
    let (body, _room) = match body {
        Ok(Body { bytes, _room }) => (Ok(bytes), _room),
        Err(rejection) => (Err(rejection), None),
    };
    let mut response = Box::pin(state.serve(peer, &parts, body)).await?;
    let headers = response.headers_mut();
    if broken {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if state.seed.is_some()
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(state.clock.system_time()))
    {
        headers.insert(header::DATE, date);
    }
    Ok(stream::with_body(response, state, stopping))
}
