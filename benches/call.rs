//! Compares a complete call over loopback with a hand-written one that signs and sends the same bytes and parses the same
//! response.
//!
//! `cargo bench --bench call` prints the ratio of their user CPU time. Each round runs each of them in a separate process,
//! so that the CPU time of the server and of the other call is not counted.

use std::process::Command;

#[cfg(unix)]
#[path = "shared/cpu.rs"]
mod cpu;
#[path = "shared/call.rs"]
mod shared;

const ROUNDS: usize = 21;
const WARM_UP: u32 = 500;
const CALLS: u32 = 20_000;

#[cfg(unix)]
fn main() {
    if let (Ok(variant), Ok(endpoint)) = (std::env::var("CALL_VARIANT"), std::env::var("CALL_ENDPOINT")) {
        return child(&variant, &endpoint);
    }
    let (endpoint, first) = shared::server();

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let before = runtime.block_on(async {
        let caller = shared::Caller::new(variant, endpoint);
        caller.call(WARM_UP).await;
        let before = cpu::used();
        caller.call(CALLS).await;
        before
    });
    let after = cpu::used();
    println!("{} {}", (after[0] - before[0]) / f64::from(CALLS), (after[1] - before[1]) / f64::from(CALLS));
}
