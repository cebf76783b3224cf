//! Any bytes to the emulator: what it answers is HTTP, and it goes on.

#![no_main]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use huaweicloud_jobs::emulator::Emulator;
use libfuzzer_sys::fuzz_target;
use socket2::SockRef;
use tokio::runtime::Runtime;

static EMULATOR: LazyLock<(Runtime, Emulator)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let emulator = runtime.block_on(Emulator::builder().client_time(Duration::from_millis(500)).start());
    (runtime, emulator.expect("the emulator starts"))
});
static REQUESTS: AtomicUsize = AtomicUsize::new(0);

fuzz_target!(|input: &[u8]| {
    let (_, emulator) = &*EMULATOR;
    // What was created is not to fill the memory.
    if REQUESTS.fetch_add(1, Ordering::Relaxed) % 10_000 == 9_999 {
        emulator.reset().expect("it begins anew");
    }
    let endpoint = emulator.endpoint();
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    // A reset at the end, since ports of connections that end well are in use for a minute.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket can linger");
    // It may have answered and closed before all is sent.
    let _ = stream.write_all(input);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut response = Vec::new();
    match stream.read_to_end(&mut response) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
            panic!("the emulator neither answers nor closes")
        }
        _ => assert!(response.is_empty() || response.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&response)),
    }
});
