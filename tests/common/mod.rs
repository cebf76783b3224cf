//! A real HTTP server that sends exactly the bytes of a test.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

pub mod wire;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use huaweicloud_jobs::Session;
use huaweicloud_jobs::session::{Clock, SessionBuilder};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A project and a token that do not exist.
pub const PROJECT: &str = "5a3314075bfa49b9ae360f4ecd333695";
pub const TOKEN: &str = "test-token-not-a-secret";

/// Runs a test once more, alone in a process of its own, and returns whether this is that process.
///
/// It is for tests that measure or change something of the whole process. `test` has the module in its name, for example
/// `bulk::updates`; `prepare` completes the command.
pub async fn is_alone(test: &str, prepare: impl FnOnce(&mut std::process::Command)) -> bool {
    const ALONE: &str = "HWJOBS_TEST_IS_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).env(ALONE, "1");
    prepare(&mut command);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {text}");
    false
}

/// A received request.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Arrived {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The reaction of the server to a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends these bytes and closes.
    Answer(Vec<u8>),
    /// Sends these bytes and waits for the next request on the same connection.
    Keep(Vec<u8>),
    /// Closes the connection without a response.
    Close,
    /// Closes the connection without a response, and stops listening.
    Gone,
    /// Closes so that the client sees a reset, and has read nothing.
    ResetUnread,
    /// Closes so that the client sees a reset.
    Reset,
    /// Sends nothing until the client disconnects.
    Hang,
    /// Sends these bytes, then nothing until the client disconnects.
    Stall(Vec<u8>),
}

impl From<String> for Act {
    fn from(answer: String) -> Self {
        Self::Answer(answer.into_bytes())
    }
}

/// Reacts to the requests in order, and repeats the last reaction.
pub struct Server {
    pub endpoint: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Sends these bytes as a complete response.
    pub async fn raw(answer: impl Into<Vec<u8>>) -> Self {
        Self::acting([Act::Answer(answer.into())]).await
    }

    /// Acts on each request in turn.
    pub async fn acting(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let (record, acts) = (Arc::clone(&arrived), acts.into_iter().collect::<Vec<Act>>());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let (mut held, mut kept) = (Vec::new(), None);
            loop {
                let mut stream = match kept.take() {
                    Some(stream) => stream,
                    None => {
                        let (stream, _) = listener.accept().await.unwrap();
                        count.fetch_add(1, Ordering::Relaxed);
                        stream
                    }
                };
                let unread = {
                    let mut record = record.lock().unwrap();
                    let unread = matches!(acts.get(record.len()).or(acts.last()), Some(Act::ResetUnread));
                    if unread {
                        record.push(Arrived::default());
                    }
                    unread
                };
                if unread {
                    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                    continue;
                }
                let Some(request) = read(&mut stream).await else { continue };
                let act = {
                    let mut record = record.lock().unwrap();
                    record.push(request);
                    acts.get(record.len() - 1).or(acts.last()).unwrap().clone()
                };
                match act {
                    Act::Answer(bytes) => {
                        // The client may close the connection before the end.
                        let _ = stream.write_all(&bytes).await;
                        let _ = stream.shutdown().await;
                    }
                    Act::Keep(bytes) => {
                        stream.write_all(&bytes).await.unwrap();
                        kept = Some(stream);
                    }
                    Act::Close | Act::ResetUnread => drop(stream),
                    Act::Gone => return,
                    Act::Reset => {
                        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                        drop(stream);
                    }
                    Act::Hang => held.push(stream),
                    Act::Stall(bytes) => {
                        stream.write_all(&bytes).await.unwrap();
                        held.push(stream);
                    }
                }
            }
        });
        Self { endpoint, arrived, connections, task }
    }

    /// Sends a response with a status and a JSON body.
    pub async fn json(status: u16, body: &str) -> Self {
        Self::raw(head(status, "content-type: application/json\r\nx-request-id: req-7\r\n", body.len()) + body).await
    }

    /// Returns the requests so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// A session with this server.
    pub fn session(&self) -> Session {
        self.builder().build().unwrap()
    }

    /// Returns the builder of a session with this server, with a clock that does not wait.
    pub fn builder(&self) -> SessionBuilder {
        let clock = Arc::new(TestClock::default());
        Session::builder().endpoint(&self.endpoint).project_id(PROJECT).token(TOKEN).clock(clock)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A recorder of traces.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns a subscriber that records events and spans.
    pub fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish()
    }

    /// Returns the traces so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A virtual clock: only waits advance it, and they return at once.
#[derive(Debug, Default)]
pub struct TestClock {
    waits: Mutex<Vec<Duration>>,
}

impl TestClock {
    /// The waits so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }

    /// Advances the clock.
    pub fn advance(&self, duration: Duration) {
        self.waits.lock().unwrap().push(duration);
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        // The service's clock is the real one.
        SystemTime::now() + self.waits.lock().unwrap().iter().sum::<Duration>()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

/// Returns the head of a response.
pub fn head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n")
}

/// Reads a request, or returns `None` if the connection ends early.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Arrived> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let mut arrived =
        Arrived { method: first.next()?, target: first.next()?, headers, body: bytes.split_off(head_end) };
    let length = arrived.header("content-length").map_or(0, |length| length.parse().unwrap());
    while arrived.body.len() < length {
        if stream.read_buf(&mut arrived.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(arrived)
}
