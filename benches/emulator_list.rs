//! Measures lists of the emulator with a thousand and with a million training jobs, over HTTP.
//!
//! `cargo bench --bench emulator_list --features emulator` compares the two in one run: the first and the last page by
//! each documented sort key, all jobs and those in one state; a search that finds one job; and changing a description,
//! which the indexes of the lists must not make slow.

use std::sync::LazyLock;

use divan::Bencher;
use huaweicloud_jobs::emulator::Emulator;
use reqwest::{Client, Method};
use tokio::runtime::Runtime;

const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;
/// Divides every total number of jobs, so that the last page is as long as the first one.
const PER_PAGE: u32 = 25;
/// Each documented sort key with a state to filter by, or none.
const KEYS: [(&str, &str); 12] = [
    ("job_name", ""),
    ("job_desc", ""),
    ("status", ""),
    ("duration", ""),
    ("version_count", ""),
    ("create_time", ""),
    ("job_name", "12"),
    ("job_desc", "12"),
    ("status", "12"),
    ("duration", "12"),
    ("version_count", "12"),
    ("create_time", "12"),
];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Runtime::new().expect("a runtime")
});
static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::builder().no_proxy().build().expect("a client"));
static EMULATORS: [LazyLock<Emulator>; 2] = [LazyLock::new(|| start(FEW)), LazyLock::new(|| start(MANY))];

fn start(jobs: u32) -> Emulator {
    let emulator = Emulator::builder().empty().training_jobs(jobs).check_responses(false);
    RUNTIME.block_on(emulator.start()).expect("the emulator starts")
}

fn main() {
    divan::main();
}

/// Sends a request and reads the response, many times.
fn measure(bencher: Bencher<'_, '_>, jobs: u32, method: Method, path: &str, body: &'static str) {
    let emulator = &EMULATORS[usize::from(jobs == MANY)];
    let url = format!("{}/v1/{}/training-jobs{path}", emulator.endpoint(), emulator.project_id());
    bencher.bench_local(|| {
        RUNTIME.block_on(async {
            let request = CLIENT.request(method.clone(), &url).header("x-auth-token", "emulator-token-not-a-secret");
            let response = request.body(body).send().await.expect("a response");
            assert!(response.status().is_success(), "{:?}", response.status());
            response.bytes().await.expect("a body")
        })
    });
}

fn page(bencher: Bencher<'_, '_>, jobs: u32, (key, status): (&str, &str), last: bool) {
    // Every eighth job is stopped.
    let found = if status.is_empty() { jobs } else { jobs / 8 };
    let page = if last { found / PER_PAGE } else { 1 };
    let query = format!("?sortBy={key}&status={status}&per_page={PER_PAGE}&page={page}");
    measure(bencher, jobs, Method::GET, &query, "");
}

#[divan::bench(args = KEYS, consts = [FEW, MANY])]
fn first_page<const JOBS: u32>(bencher: Bencher<'_, '_>, key: (&str, &str)) {
    page(bencher, JOBS, key, false);
}

#[divan::bench(args = KEYS, consts = [FEW, MANY])]
fn last_page<const JOBS: u32>(bencher: Bencher<'_, '_>, key: (&str, &str)) {
    page(bencher, JOBS, key, true);
}

#[divan::bench(consts = [FEW, MANY])]
fn search<const JOBS: u32>(bencher: Bencher<'_, '_>) {
    measure(bencher, JOBS, Method::GET, "?search_content=job-9e3779b1", "");
}

#[divan::bench(consts = [FEW, MANY])]
fn change_description<const JOBS: u32>(bencher: Bencher<'_, '_>) {
    measure(bencher, JOBS, Method::PUT, "/500", r#"{"job_desc": "learning rate 0.1, 8 GPUs"}"#);
}
