//! Compares a complete call over loopback with a hand-written one that signs and sends the same bytes and parses the same
//! response.
//!
//! `cargo bench --bench call` prints the ratio of their user CPU time. Each round runs each of them in a separate process,
//! so that the CPU time of the server and of the other call is not counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use huaweicloud_jobs::Session;
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::credentials::Credentials;
use huaweicloud_jobs::session::signing::{Date, Request, Signer};
use serde::{Deserialize, Serialize};

const ACCESS_KEY: &str = "FAKEACCESSKEY0000001";
const SECRET_KEY: &str = "fake-secret-key-for-tests-only-000000001";
const PROJECT: &str = "77b6a44cba5143ab91d13ab9a8ff44fd";
const JOB: i64 = 182_626;
const DESCRIPTION: &str = "learning rate 0.1, 8 GPUs";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: 0123456789abcdef\r\n\
    content-length: 20\r\n\r\n{\"is_success\": true}";

const ROUNDS: usize = 21;
const WARM_UP: u32 = 500;
const CALLS: u32 = 20_000;

#[cfg(unix)]
fn main() {
    if let (Ok(variant), Ok(endpoint)) = (std::env::var("CALL_VARIANT"), std::env::var("CALL_ENDPOINT")) {
        return child(&variant, &endpoint);
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let (requests, first) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let requests = requests.clone();
            std::thread::spawn(move || serve(stream.expect("a connection"), &requests));
        }
    });

    let measure = |variant: &str| {
        let executable = std::env::current_exe().expect("this program");
        let output = Command::new(executable)
            .env("CALL_VARIANT", variant)
            .env("CALL_ENDPOINT", &endpoint)
            .output()
            .expect("this program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).expect("text");
        let mut times = said.split_whitespace().map(|time| time.parse::<f64>().expect("a time"));
        let times = (times.next().expect("user"), times.next().expect("system"));
        (times, comparable(&first.recv().expect("a request")))
    };
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        // Alternate the order, so that each is first equally often.
        let (ours, hand) = if round % 2 == 0 {
            let ours = measure("session");
            (ours, measure("hand"))
        } else {
            let hand = measure("hand");
            (measure("session"), hand)
        };
        assert_eq!(ours.1, hand.1, "both send the same");
        rounds.push((ours.0, hand.0));
    }
    let show = |what: &str, of: &dyn Fn((f64, f64)) -> f64| {
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let ratios = sorted(rounds.iter().map(|(ours, hand)| of(*ours) / of(*hand)).collect());
        let ours = sorted(rounds.iter().map(|(ours, _)| of(*ours)).collect());
        let hand = sorted(rounds.iter().map(|(_, hand)| of(*hand)).collect());
        let middle = ROUNDS / 2;
        println!(
            "update_description / hand-written, {what}: median {:.3} (least {:.3}, most {:.3}); {:.1} and {:.1} µs a call",
            ratios[middle],
            ratios[0],
            ratios[ROUNDS - 1],
            ours[middle],
            hand[middle],
        );
    };
    show("user CPU", &|(user, _)| user);
    show("user and system CPU", &|(user, system)| user + system);
}

#[cfg(not(unix))]
fn main() {
    println!("this benchmark needs Unix");
}

/// Sends the same response to every request of a connection, and reports the first request.
fn serve(mut stream: TcpStream, requests: &mpsc::Sender<Vec<u8>>) {
    stream.set_nodelay(true).expect("an option of every socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut told = false;
    loop {
        let (mut request, mut length) = (Vec::new(), 0);
        loop {
            let start = request.len();
            if reader.read_until(b'\n', &mut request).unwrap_or(0) == 0 {
                return;
            }
            let line = String::from_utf8_lossy(&request[start..]).to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        let head = request.len();
        request.resize(head + length, 0);
        reader.read_exact(&mut request[head..]).expect("the body");
        if !std::mem::replace(&mut told, true) {
            let _ = requests.send(request);
        }
        if stream.write_all(ANSWER).is_err() {
            return;
        }
    }
}

/// Returns the sorted lines of a request, without those that change every second.
fn comparable(request: &[u8]) -> Vec<String> {
    let text = String::from_utf8(request.to_vec()).expect("text");
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.split("Signature=").next().unwrap_or_default().to_owned())
        .map(|line| if line.starts_with("x-sdk-date") { "x-sdk-date".to_owned() } else { line })
        .collect();
    lines.sort();
    lines
}

/// Makes the calls, and prints the microseconds of user and system CPU time of one call.
#[cfg(unix)]
fn child(variant: &str, endpoint: &str) {
    use nix::sys::resource::{UsageWho, getrusage};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the time used");
        [usage.user_time(), usage.system_time()].map(|time| {
            #[allow(clippy::cast_precision_loss, reason = "less than a day")]
            let micros = (time.tv_sec() * 1_000_000 + time.tv_usec()) as f64;
            micros
        })
    };
    let before = runtime.block_on(async {
        match variant {
            "session" => {
                let session = Session::builder()
                    .endpoint(endpoint)
                    .project_id(PROJECT)
                    .credentials(Credentials::access_key(ACCESS_KEY, SECRET_KEY))
                    .build()
                    .expect("a session");
                let job = session.modelarts().training_job(JOB).expect("a job");
                let mut before = used();
                for call in 0..WARM_UP + CALLS {
                    if call == WARM_UP {
                        before = used();
                    }
                    job.update_description(DESCRIPTION).await.expect("an update");
                }
                before
            }
            _ => {
                let hand = Hand::new(endpoint);
                let mut before = used();
                for call in 0..WARM_UP + CALLS {
                    if call == WARM_UP {
                        before = used();
                    }
                    hand.update_description(JOB, DESCRIPTION).await.expect("an update");
                }
                before
            }
        }
    });
    let after = used();
    println!("{} {}", (after[0] - before[0]) / f64::from(CALLS), (after[1] - before[1]) / f64::from(CALLS));
}

/// A hand-written client for this one call.
struct Hand {
    http: reqwest::Client,
    endpoint: String,
    host: String,
    secret_key: Secret,
}

#[derive(Serialize)]
struct Update<'a> {
    job_desc: &'a str,
}

#[derive(Deserialize)]
struct Updated {
    is_success: bool,
    #[serde(default)]
    error_message: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
}

type Failure = Box<dyn std::error::Error>;

impl Hand {
    fn new(endpoint: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("huaweicloud-jobs/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let host = endpoint.trim_start_matches("http://").to_owned();
        Self { http, endpoint: endpoint.to_owned(), host, secret_key: SECRET_KEY.into() }
    }

    async fn update_description(&self, job: i64, job_desc: &str) -> Result<(), Failure> {
        let path = format!("/v1/{PROJECT}/training-jobs/{job}");
        let body = serde_json::to_vec(&Update { job_desc })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let date = Date::from_unix_seconds(i64::try_from(now)?)?;
        let signed = Signer::new(ACCESS_KEY, &self.secret_key).sign(
            &Request {
                method: "PUT",
                path: &path,
                query: "",
                headers: &[("host", &self.host), ("x-sdk-date", date.as_str()), ("x-project-id", PROJECT)],
                body: &body,
            },
            &date,
        )?;
        let response = self
            .http
            .put(format!("{}{path}", self.endpoint))
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("x-sdk-date", date.as_str())
            .header("x-project-id", PROJECT)
            .header("authorization", signed.authorization())
            .timeout(Duration::from_secs(60))
            .body(body)
            .send()
            .await?;
        let status = response.status();
        let answer = response.bytes().await?;
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
        }
        let updated: Updated = serde_json::from_slice(&answer)?;
        if !updated.is_success {
            return Err(format!("{:?}: {:?}", updated.error_code, updated.error_message).into());
        }
        Ok(())
    }
}
