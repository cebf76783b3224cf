//! A misbehaving server: its reaction to each request is a list of steps.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{self, Arrived};

/// A part of what the server does with a request. After the last one it closes the connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends the same bytes so many times, as fast as they are taken.
    Flood(Vec<u8>, u64),
    /// Sends the bytes in a circle, one at a time, a few each second, until the client closes.
    Drip(Vec<u8>),
    /// Sends nothing until the client closes.
    Hang,
    /// Closes so that the client sees a reset.
    Reset,
    /// Reads the next request on the same connection.
    Next,
}

/// A request and its number, counted from 0 over all connections.
pub struct Asked<'a> {
    pub request: &'a Arrived,
    pub number: usize,
}

/// The behaviour of the server.
pub type Behaviour = fn(&Asked<'_>) -> Vec<Step>;

/// A listening server; it ends when it is dropped.
pub struct Server {
    pub endpoint: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts a server on a free port of loopback.
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&arrived);
        let task = tokio::spawn(async move {
            // Dropping the set ends the connections.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(connection(stream, behaviour, Arc::clone(&record)));
            }
        });
        Self { endpoint, arrived, task }
    }

    /// The requests so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(mut stream: TcpStream, behaviour: Behaviour, record: Arc<Mutex<Vec<Arrived>>>) {
    while let Some(request) = common::read(&mut stream).await {
        let number = {
            let mut record = record.lock().unwrap();
            record.push(request.clone());
            record.len() - 1
        };
        let steps = behaviour(&Asked { request: &request, number });
        // A client that has seen enough closes: the rest is not sent.
        if !matches!(perform(&mut stream, &steps).await, Ok(true)) {
            return;
        }
    }
}

/// Performs the steps; true if another request is to be read.
async fn perform(stream: &mut TcpStream, steps: &[Step]) -> std::io::Result<bool> {
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(bytes).await?,
            Step::Flood(bytes, times) => {
                // Larger pieces: the server is not to be what is slow.
                let pieces = (65_536 / bytes.len().max(1)).max(1);
                let block = bytes.repeat(pieces);
                for _ in 0..times / pieces as u64 {
                    stream.write_all(&block).await?;
                }
                let rest = bytes.repeat(usize::try_from(times % pieces as u64).unwrap());
                stream.write_all(&rest).await?;
            }
            Step::Drip(bytes) => {
                for byte in bytes.iter().cycle() {
                    stream.write_all(&[*byte]).await?;
                    let closed = tokio::time::timeout(Duration::from_millis(150), stream.read_u8()).await;
                    if closed.is_ok() {
                        return Ok(false);
                    }
                }
            }
            Step::Hang => {
                let _ = stream.read_u8().await;
                return Ok(false);
            }
            Step::Reset => {
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
            Step::Next => return Ok(true),
        }
    }
    // A client that is still sending should see the end instead of a reset.
    let _ = stream.shutdown().await;
    Ok(false)
}
