//! Counts the instructions of one signature and of one call with callgrind. The load of the machine does not change them.
//!
//! `cargo bench --bench instructions` prints a line for each, and needs `valgrind`. callgrind does not know the processor's
//! instructions for SHA-256, so the hashing is counted separately too. `tools/instructions` compares the numbers.

use std::hint::black_box;
use std::process::Command;

use huaweicloud_jobs::session::Secret;
use signing::{SECRET_KEY, date, hash, keyed, sign};

#[path = "shared/call.rs"]
mod call;
#[path = "shared/signing.rs"]
mod signing;

/// The two numbers of repetitions. Their difference excludes what happens once.
const FEW: u32 = 100;
const MANY: u32 = 1_100;

fn main() {
    if let Ok(work) = std::env::var("COUNTED_WORK") {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
        return run(&work, number("COUNTED_TIMES").expect("a number"));
    }
    let (endpoint, _first) = call::server();
    let count = |work: &str| (total(work, MANY, &endpoint) - total(work, FEW, &endpoint)) / u64::from(MANY - FEW);
    let [hashing, signing] = ["hashing", "signing"].map(count);
    let [hand, session] = ["hand", "session"].map(count);
    println!("hashing {hashing}");
    println!("signing {signing}");
    println!("signing_without_hashing {}", signing.saturating_sub(hashing));
    println!("hand_written_call {hand}");
    println!("call {session}");
    #[allow(clippy::cast_precision_loss, reason = "less than 2^52")]
    let ratio = session as f64 / hand as f64;
    println!("call_to_hand_written {ratio:.3}");
}

/// Repeats a piece of work.
fn run(work: &str, times: u32) {
    let (secret, date) = (Secret::from(SECRET_KEY), date());
    match work {
        "hashing" => {
            let (signed, mac) = (sign(&secret, &date), keyed());
            for _ in 0..times {
                black_box(hash(black_box(&signed), mac.clone()));
            }
        }
        "signing" => {
            for _ in 0..times {
                black_box(sign(black_box(&secret), black_box(&date)));
            }
        }
        caller => {
            let endpoint = std::env::var("COUNTED_ENDPOINT").expect("an address");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(call::Caller::new(caller, &endpoint).call(times));
        }
    }
}

/// Returns all instructions of a process that repeats a piece of work.
fn total(work: &str, times: u32, endpoint: &str) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .env("COUNTED_WORK", work)
        .env("COUNTED_TIMES", times.to_string())
        .env("COUNTED_ENDPOINT", endpoint)
        .output()
        .expect("valgrind is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    collected.and_then(|(_, count)| count.trim().parse().ok()).expect("valgrind says how many")
}
