//! Measures the time of the contract tests, and of the same requests without any check.
//!
//! `cargo bench --all-features --bench contract`

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use huaweicloud_jobs::contract::{Exchange, Plan, Runner};
use huaweicloud_jobs::emulator::Emulator;

const WORKERS: usize = 4;
const TOKEN: &str = "emulator-token-not-a-secret";

#[tokio::main]
async fn main() {
    let emulator = Arc::new(Emulator::start().await.expect("loopback is there"));
    let session = emulator.session().expect("the emulator has a session");
    let started = Instant::now();
    let plan = Plan::of_description();
    let planned = started.elapsed();
    let runner = Runner::new(session).embedded(true).allow_billed(true).workers(WORKERS).keep_exchanges(true);
    let runner = runner.advance({
        let emulator = Arc::clone(&emulator);
        move |by| emulator.advance_clock(by)
    });
    let report = runner.run(&plan, |_| {}).await.expect("the emulator is there");
    let checked = started.elapsed();
    report.assert_honoured();

    // Sends the same requests to a new emulator. Half of the objects do not exist there; those responses are faster.
    let other = Emulator::start().await.expect("loopback is there");
    let exchanges: Vec<Exchange> = report.outcomes.into_iter().flat_map(|outcome| outcome.exchanges).collect();
    let count = exchanges.len();
    let (from, to) = (emulator.endpoint(), other.endpoint());
    let queue = Arc::new(Mutex::new(exchanges.into_iter()));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let (queue, http, from, to) = (Arc::clone(&queue), http.clone(), from.clone(), to.clone());
        tasks.spawn(async move {
            loop {
                let next = queue.lock().expect("nobody panics").next();
                let Some(exchange) = next else { return };
                let method = exchange.method.parse().expect("it was sent before");
                let mut request = http.request(method, exchange.url.replace(&from, &to));
                for (name, value) in &exchange.headers {
                    request = request.header(name, if name == "x-auth-token" { TOKEN } else { value });
                }
                let response = request.body(exchange.body.unwrap_or_default()).send().await.expect("it responds");
                response.bytes().await.expect("it responds whole");
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    let bare = started.elapsed();
    // Requests that prepare something belong to no clause, so they are not repeated: times of one request are compared.
    let one = |time: Duration, requests: usize| time.as_secs_f64() / requests as f64;
    println!(
        "{} clauses, {} requests: planned in {planned:.2?}, tried in {checked:.2?}; {count} of the requests alone {bare:.2?}; \
         {:.1} times for one request",
        plan.clauses().len(),
        report.requests,
        one(checked, report.requests) / one(bare, count),
    );
}
