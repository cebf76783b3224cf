//! Compares signing with the hashing that it needs.
//!
//! `cargo bench --bench signing` prints first the ratio of the two, from alternating rounds in one run, and then each
//! one with its allocations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use huaweicloud_jobs::session::Secret;
use shared::{SECRET_KEY, date, hash, keyed, sign};

#[path = "shared/signing.rs"]
mod shared;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const ROUNDS: usize = 3_001;
/// The number of signatures in a round: small, so that most rounds are not interrupted.
const CALLS: u32 = 100;

fn main() {
    let (secret, date) = (Secret::from(SECRET_KEY), date());
    let signed = sign(&secret, &date);
    assert_eq!(signed.signature(), hex::encode(hash(&signed, keyed())[2]), "both do the same work");

    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let hashing = time(|| hash(black_box(&signed), keyed()));
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
    bencher.bench(|| hash(black_box(&signed), keyed()));
}
