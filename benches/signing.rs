//! Compares signing with the hashing that it needs.
//!
//! `cargo bench --bench signing` prints first the ratio of the two, from alternating rounds in one run, and then each
//! one with its allocations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::signing::{Date, Request, Signed, Signer};
use sha2::{Digest, Sha256};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const ACCESS_KEY: &str = "FAKEACCESSKEY0000001";
const SECRET_KEY: &str = "fake-secret-key-for-tests-only-000000001";
const BODY: &[u8; 40] = br#"{"job_desc":"learning rate 0.1, 8 GPUs"}"#;

const ROUNDS: usize = 3_001;
/// The number of signatures in a round: small, so that most rounds are not interrupted.
const CALLS: u32 = 100;

fn date() -> Date {
    "20191115T033655Z".parse().expect("a date")
}

/// Signs an update of a description as a session does.
fn sign(secret: &Secret, date: &Date) -> Signed {
    let request = Request {
        method: "PUT",
        path: "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/training-jobs/182626",
        query: "",
        headers: &[
            ("content-type", "application/json"),
            ("host", "modelarts.cn-north-4.myhuaweicloud.com"),
            ("x-sdk-date", date.as_str()),
            ("x-project-id", "77b6a44cba5143ab91d13ab9a8ff44fd"),
        ],
        body: BODY,
    };
    Signer::new(ACCESS_KEY, secret).sign(&request, date).expect("can be signed")
}

/// Computes only the two hashes and the HMAC, over the same bytes.
fn hash(signed: &Signed) -> [[u8; 32]; 3] {
    let body = Sha256::digest(black_box(BODY));
    let request = Sha256::digest(black_box(signed.canonical_request()));
    let mut mac = Hmac::<Sha256>::new_from_slice(black_box(SECRET_KEY).as_bytes()).expect("a key");
    mac.update(black_box(signed.string_to_sign()).as_bytes());
    [body.into(), request.into(), mac.finalize().into_bytes().into()]
}

fn main() {
    let (secret, date) = (Secret::from(SECRET_KEY), date());
    let signed = sign(&secret, &date);
    assert_eq!(signed.signature(), hex::encode(hash(&signed)[2]), "both do the same work");

    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let hashing = time(|| hash(black_box(&signed)));
            let signing = time(|| sign(black_box(&secret), black_box(&date)));
            signing.as_secs_f64() / hashing.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |percent: usize| ratios[ROUNDS * percent / 100];
    println!("signing / bare hashing: median {:.3} (5 % {:.3}, 95 % {:.3})", at(50), at(5), at(95));

    divan::main();
}

fn time<T>(work: impl Fn() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..CALLS {
        black_box(work());
    }
    start.elapsed()
}

#[divan::bench]
fn signing(bencher: divan::Bencher<'_, '_>) {
    let (secret, date) = (Secret::from(SECRET_KEY), date());
    bencher.bench(|| sign(black_box(&secret), black_box(&date)));
}

#[divan::bench]
fn bare_hashing(bencher: divan::Bencher<'_, '_>) {
    let signed = sign(&Secret::from(SECRET_KEY), &date());
    bencher.bench(|| hash(black_box(&signed)));
}
