//! Measures the updates of a description for each second of the emulator: authenticated, validated and stored.
//!
//! `cargo bench --bench emulator_put --features emulator` compares the emulator, in memory and with a file, with a minimal
//! handler that parses the same JSON and returns the same response: alternately, in one process, with the same clients.
//! `PRISM=http://127.0.0.1:4010` adds a running Prism mock of `openapi/modelarts.yaml`. Only the ratios are meaningful.

use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::put;
use huaweicloud_jobs::emulator::Emulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: [usize; 4] = [1, 4, 16, 64];
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let builder = Emulator::builder().check_responses(false);
    let memory = builder.clone().start().await.expect("it starts");
    let file = builder.data(folder.path().join("state.db")).start().await.expect("it starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bare = listener.local_addr().expect("an address").to_string();
    let handler = |Json(body): Json<Value>| async move { Json(json!({"is_success": body["job_desc"].is_string()})) };
    let app = axum::Router::new().route("/v1/{project_id}/training-jobs/{job_id}", put(handler));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let mut targets = vec![
        ("bare handler", bare),
        ("emulator", address(&memory.endpoint())),
        ("emulator with a file", address(&file.endpoint())),
    ];
    targets.extend(std::env::var("PRISM").ok().map(|prism| ("Prism", address(&prism))));
    println!("{:22} {:>11} {:>10} {:>8} {:>8} {:>8}", "", "connections", "a second", "of bare", "p50 ms", "p99 ms");
    for connections in CONNECTIONS {
        let mut rounds = vec![Vec::new(); targets.len()];
        for _ in 0..ROUNDS {
            for (index, (_, address)) in targets.iter().enumerate() {
                rounds[index].push(round(address, memory.project_id(), connections).await);
            }
        }
        let mut bare = None;
        for ((name, _), rounds) in targets.iter().zip(&rounds) {
            let [rate, p50, p99] = [0, 1, 2].map(|column| {
                let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
                values.sort_by(f64::total_cmp);
                values[ROUNDS / 2]
            });
            let share = rate / *bare.get_or_insert(rate);
            println!("{name:22} {connections:>11} {rate:>10.0} {share:>8.2} {p50:>8.3} {p99:>8.3}");
        }
    }
}

/// Returns the requests for each second of several clients with one connection each, and the median and the 99th percentile of
/// their durations in milliseconds.
async fn round(address: &str, project: &str, connections: usize) -> [f64; 3] {
    let started = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|number| {
            // Each request changes the description.
            let requests = ["May", "June"].map(|month| {
                let body = format!(r#"{{"job_desc": "trained on the {month} images, {number}"}}"#);
                format!(
                    "PUT /v1/{project}/training-jobs/10 HTTP/1.1\r\nHost: {address}\r\nX-Auth-Token: \
                     emulator-token-not-a-secret\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            });
            tokio::spawn(client(address.to_owned(), requests, started + ROUND))
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.expect("no client fails"));
    }
    let elapsed = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1000.0;
    [times.len() as f64 / elapsed, at(50), at(99)]
}

/// Sends the two requests alternately, and returns the duration of each.
async fn client(address: String, requests: [String; 2], until: Instant) -> Vec<Duration> {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.set_nodelay(true).expect("a socket");
    let (mut times, mut buffer, mut read) = (Vec::new(), vec![0; 16 * 1024], 0);
    while Instant::now() < until {
        let sent = Instant::now();
        connection.write_all(requests[times.len() % 2].as_bytes()).await.expect("it reads");
        loop {
            let got = connection.read(&mut buffer[read..]).await.expect("it responds");
            assert!(got > 0, "the connection stays open");
            read += got;
            if is_whole(&buffer[..read]) {
                break;
            }
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..read]));
        times.push(sent.elapsed());
        read = 0;
    }
    times
}

/// Whether a response with a `Content-Length` is there to its end.
fn is_whole(response: &[u8]) -> bool {
    let Some(head) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&response[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    response.len() >= head + 4 + length.expect("a Content-Length")
}
