//! A real HTTP server that says exactly what a test tells it to, byte for byte.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::sync::{Arc, Mutex};

use huaweicloud_jobs::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A project and a token that exist nowhere.
pub const PROJECT: &str = "5a3314075bfa49b9ae360f4ecd333695";
pub const TOKEN: &str = "test-token-not-a-secret";

/// A request as it arrived.
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

/// Answers every request with the same bytes, then closes the connection.
pub struct Server {
    pub endpoint: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers with these bytes, head and all.
    pub async fn raw(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let (record, answer) = (Arc::clone(&arrived), answer.into());
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if let Some(request) = read(&mut stream).await {
                    record.lock().unwrap().push(request);
                    // The client may have seen enough before the end.
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        Self { endpoint, arrived, task }
    }

    /// Answers with a status and a JSON body.
    pub async fn json(status: u16, body: &str) -> Self {
        Self::raw(head(status, "content-type: application/json\r\nx-request-id: req-7\r\n", body.len()) + body).await
    }

    /// What arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// A session with this server.
    pub fn session(&self) -> Session {
        Session::builder().endpoint(&self.endpoint).project_id(PROJECT).token(TOKEN).build().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The head of an answer.
pub fn head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n")
}

async fn read(stream: &mut TcpStream) -> Option<Arrived> {
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
