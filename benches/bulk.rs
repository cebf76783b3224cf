//! Compares 100,000 updates in bulk with as many hand-written calls that are as many at once, both against the emulator.
//!
//! `cargo bench --features emulator --bench bulk` prints the ratio of their CPU time and of their duration, and the private
//! memory of both at the end. Each round runs each of them in a separate process.

#[cfg(unix)]
#[path = "shared/call.rs"]
#[allow(dead_code, reason = "the other benches count calls one after the other")]
mod call;
#[cfg(unix)]
#[path = "shared/cpu.rs"]
mod cpu;

#[cfg(unix)]
fn main() {
    measured::main();
}

#[cfg(not(unix))]
fn main() {
    println!("this benchmark needs Unix");
}

#[cfg(unix)]
mod measured {
    use std::process::Command;
    use std::time::Instant;

    use futures_util::{StreamExt, stream};
    use huaweicloud_jobs::emulator::Emulator;
    use tokio::runtime;

    use super::{call, cpu};

    const ROUNDS: usize = 5;
    const UPDATES: u32 = 100_000;
    const JOBS: u32 = 1_000;
    /// The number of updates in flight: that of a bulk once it has gone well for a while.
    const AT_ONCE: usize = 32;

    pub(super) fn main() {
        if let (Ok(variant), Ok(endpoint)) = (std::env::var("BULK_VARIANT"), std::env::var("BULK_ENDPOINT")) {
            return child(&variant, &endpoint);
        }
        let server = runtime::Runtime::new().expect("a runtime");
        let emulator = Emulator::builder()
            .empty()
            .training_jobs(JOBS)
            .project(call::PROJECT, "measured")
            .key(call::ACCESS_KEY, call::SECRET_KEY)
            .check_responses(false);
        let emulator = server.block_on(emulator.start()).expect("the emulator starts");
        let measure = |variant: &str| -> [f64; 3] {
            let output = Command::new(std::env::current_exe().expect("this program"))
                .env("BULK_VARIANT", variant)
                .env("BULK_ENDPOINT", emulator.endpoint())
                .output()
                .expect("this program runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let said = String::from_utf8(output.stdout).expect("text");
            let numbers: Vec<f64> = said.split_whitespace().map(|number| number.parse().expect("a number")).collect();
            numbers.try_into().expect("three numbers")
        };
        let rounds: Vec<_> = (0..ROUNDS).map(|_| (measure("bulk"), measure("hand"))).collect();
        let middle = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[ROUNDS / 2]
        };
        println!("{UPDATES} updates, {AT_ONCE} at once: {:>10} {:>12} {:>8}", "bulk", "hand-written", "ratio");
        for (index, what) in ["seconds of CPU", "seconds", "MiB of private memory"].into_iter().enumerate() {
            let [bulk, hand] = [
                middle(rounds.iter().map(|(bulk, _)| bulk[index]).collect()),
                middle(rounds.iter().map(|(_, hand)| hand[index]).collect()),
            ];
            let ratio = middle(rounds.iter().map(|(bulk, hand)| bulk[index] / hand[index]).collect());
            println!("{what:32} {bulk:>10.2} {hand:>12.2} {ratio:>8.2}");
        }
    }

    /// Makes all updates, and prints the seconds of CPU, the seconds, and the private memory in MiB.
    fn child(variant: &str, endpoint: &str) {
        let updates = (0..UPDATES).map(|number| (i64::from(number % JOBS) + 1, format!("update number {number}")));
        let (started, before) = (Instant::now(), cpu::used());
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let memory = runtime.block_on(async {
            let mut done = 0;
            if variant == "hand" {
                let hand = call::Hand::new(endpoint);
                let update = |(job, text): (i64, String)| {
                    let hand = &hand;
                    async move { hand.update_description(job, &text).await.expect("an update") }
                };
                let mut calls = stream::iter(updates.map(update)).buffer_unordered(AT_ONCE);
                while let Some(()) = calls.next().await {
                    done += 1;
                }
            } else {
                let jobs = call::session(endpoint).modelarts().training_jobs();
                let mut bulk = jobs.update_descriptions(stream::iter(updates));
                while let Some(update) = bulk.next().await {
                    update.result.expect("an update");
                    done += 1;
                }
            }
            assert_eq!(done, UPDATES);
            private_memory()
        });
        let after = cpu::used();
        let used: f64 = after.iter().sum::<f64>() - before.iter().sum::<f64>();
        println!("{} {} {memory}", used / 1e6, started.elapsed().as_secs_f64());
    }

    /// Returns the memory of this process that is not a part of a file, in MiB; 0 where the system does not say it.
    fn private_memory() -> f64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
    }
}
