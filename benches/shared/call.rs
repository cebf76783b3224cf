//! One call over loopback, by a session and by hand, and the server of both.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use huaweicloud_jobs::Session;
use huaweicloud_jobs::modelarts::TrainingJob;
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::credentials::Credentials;
use huaweicloud_jobs::session::signing::{Date, Request, Signer};
use serde::{Deserialize, Serialize};

pub(crate) const ACCESS_KEY: &str = "FAKEACCESSKEY0000001";
pub(crate) const SECRET_KEY: &str = "fake-secret-key-for-tests-only-000000001";
pub(crate) const PROJECT: &str = "77b6a44cba5143ab91d13ab9a8ff44fd";
const JOB: i64 = 182_626;
const DESCRIPTION: &str = "learning rate 0.1, 8 GPUs";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: 0123456789abcdef\r\n\
    content-length: 20\r\n\r\n{\"is_success\": true}";

/// Starts a server that sends every request the same response. Returns its address, and the first request of each
/// connection.
pub(crate) fn server() -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let (requests, first) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let requests = requests.clone();
            std::thread::spawn(move || serve(stream.expect("a connection"), &requests));
        }
    });
    (endpoint, first)
}

/// Sends the same response to every request of a connection, and reports the first request.
fn serve(mut stream: TcpStream, requests: &mpsc::Sender<Vec<u8>>) {
    stream.set_nodelay(true).expect("an option of every socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut is_first = true;
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
        if std::mem::take(&mut is_first) {
            let _ = requests.send(request);
        }
        if stream.write_all(RESPONSE).is_err() {
            return;
        }
    }
}

/// Makes the calls.
pub(crate) enum Caller {
    /// By this crate.
    Session(TrainingJob),
    /// By hand.
    Hand(Hand),
}

impl Caller {
    /// Returns the caller with a name: `session` or `hand`.
    pub(crate) fn new(name: &str, endpoint: &str) -> Self {
        if name == "hand" {
            return Self::Hand(Hand::new(endpoint));
        }
        Self::Session(session(endpoint).modelarts().training_job(JOB).expect("a job"))
    }

    /// Makes a number of calls, one after the other.
    pub(crate) async fn call(&self, times: u32) {
        match self {
            Self::Session(job) => {
                for _ in 0..times {
                    job.update_description(DESCRIPTION).await.expect("an update");
                }
            }
            Self::Hand(hand) => {
                for _ in 0..times {
                    hand.update_description(JOB, DESCRIPTION).await.expect("an update");
                }
            }
        }
    }
}

/// Returns the session that makes the calls of this crate.
pub(crate) fn session(endpoint: &str) -> Session {
    let session = Session::builder().endpoint(endpoint).project_id(PROJECT);
    session.credentials(Credentials::access_key(ACCESS_KEY, SECRET_KEY)).build().expect("a session")
}

/// A hand-written client for this one call.
pub(crate) struct Hand {
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
    pub(crate) fn new(endpoint: &str) -> Self {
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

    pub(crate) async fn update_description(&self, job: i64, job_desc: &str) -> Result<(), Failure> {
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
        let response = response.bytes().await?;
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&response)).into());
        }
        let updated: Updated = serde_json::from_slice(&response)?;
        if !updated.is_success {
            return Err(format!("{:?}: {:?}", updated.error_code, updated.error_message).into());
        }
        Ok(())
    }
}
