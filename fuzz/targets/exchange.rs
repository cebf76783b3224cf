//! Whole HTTP responses, head and body: each call ends in a value or in one error, within its time.

#![no_main]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use huaweicloud_jobs::session::RetryPolicy;
use huaweicloud_jobs::session::credentials::Credentials;
use huaweicloud_jobs::{Error, Session};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

/// What the server answers to every request, and how to reach it.
struct Peer {
    response: Arc<Mutex<Vec<u8>>>,
    runtime: Runtime,
    token: Session,
    password: Session,
}

static PEER: LazyLock<Peer> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    let response = Arc::new(Mutex::new(Vec::new()));
    let answer = Arc::clone(&response);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(read) if read > 0 => request.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let bytes = answer.lock().expect("no thread panics").clone();
            // The client may be gone.
            let _ = stream.write_all(&bytes);
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let builder = || {
        let builder = Session::builder().endpoint(&endpoint).project_id("p").timeout(Duration::from_secs(2));
        builder.retry(RetryPolicy::never())
    };
    Peer {
        response,
        runtime,
        token: builder().token("fuzz-token-not-a-secret").build().expect("a session"),
        password: builder().credentials(Credentials::password("d", None, "fuzz-not-a-secret")).build().expect("a session"),
    }
});

async fn call(which: u8, peer: &Peer) -> Result<(), Error> {
    let session = if which & 0x80 == 0 { &peer.token } else { &peer.password };
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    match which & 0x7f {
        0 => modelarts.training_job(1)?.update_description("x").await,
        1 => modelarts.training_jobs().list().try_next().await.map(drop),
        2 => modelarts.visualization_job(1)?.show().await.map(drop),
        3 => modelarts.labeling_jobs().list().try_next().await.map(drop),
        4 => mrs.job("x")?.update().send().await.map(drop),
        5 => mrs.jobs().list().try_next().await.map(drop),
        _ => session.request("show_training_job_version")?.param("job_id", 1).param("version_id", 1).send().await.map(drop),
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let peer = &*PEER;
    *peer.response.lock().expect("no thread panics") = input.1.to_vec();
    let outcome = peer.runtime.block_on(call(input.0, peer));
    if let Err(error) = outcome {
        let line = error.to_string();
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
});
