//! Measures the updates of a description for each second of the emulator: authenticated, validated and stored.
//!
//! `cargo bench --bench emulator_put` compares the emulator with a minimal handler that parses the same JSON and returns
//! the same response: alternately, in one process, with the same clients. `PRISM=http://127.0.0.1:4010` adds a running
//! Prism mock of `openapi/modelarts.yaml`. The numbers are requests for each second; only their ratios are meaningful.

use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::put;
use huaweicloud_jobs::emulator::Emulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let emulator = Emulator::builder().check_answers(false).start().await.expect("it starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bare = listener.local_addr().expect("an address").to_string();
    let handler = |Json(body): Json<Value>| async move { Json(json!({"is_success": body["job_desc"].is_string()})) };
    let app = axum::Router::new().route("/v1/{project_id}/training-jobs/{job_id}", put(handler));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let address = emulator.endpoint().trim_start_matches("http://").to_owned();
    let mut targets = vec![("emulator", address), ("bare handler", bare)];
    let prism = std::env::var("PRISM").ok();
    targets.extend(prism.map(|prism| ("Prism", prism.trim_start_matches("http://").to_owned())));
    let mut rates = vec![Vec::new(); targets.len()];
    for _ in 0..ROUNDS {
        for (index, (_, address)) in targets.iter().enumerate() {
            rates[index].push(rate(address, emulator.project_id()).await);
        }
    }
    let medians: Vec<f64> = rates
        .iter_mut()
        .map(|rates| {
            rates.sort_by(f64::total_cmp);
            rates[ROUNDS / 2]
        })
        .collect();
    for ((name, _), median) in targets.iter().zip(&medians) {
        println!("{name}: {median:.0} in a second; the emulator does {:.2} times as many", medians[0] / median);
    }
}

/// Returns the requests for each second of several clients with one connection each.
async fn rate(address: &str, project: &str) -> f64 {
    let body = r#"{"job_desc": "trained on the May images"}"#;
    let request = format!(
        "PUT /v1/{project}/training-jobs/10 HTTP/1.1\r\nHost: {address}\r\nX-Auth-Token: emulator-token-not-a-secret\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let started = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(client(address.to_owned(), request.clone().into_bytes(), started + ROUND)))
        .collect();
    let mut done = 0;
    for client in clients {
        done += client.await.expect("no client fails");
    }
    done as f64 / started.elapsed().as_secs_f64()
}

async fn client(address: String, request: Vec<u8>, until: Instant) -> u32 {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.set_nodelay(true).expect("a socket");
    let (mut done, mut buffer, mut read) = (0, vec![0; 16 * 1024], 0);
    while Instant::now() < until {
        connection.write_all(&request).await.expect("it reads");
        loop {
            let got = connection.read(&mut buffer[read..]).await.expect("it answers");
            assert!(got > 0, "the connection stays open");
            read += got;
            if is_whole(&buffer[..read]) {
                break;
            }
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..read]));
        (done, read) = (done + 1, 0);
    }
    done
}

/// Returns whether a response with a `Content-Length` is complete.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    answer.len() >= head + 4 + length.expect("a Content-Length")
}
