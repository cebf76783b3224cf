//! The pages of the emulator, as files and in a real browser.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::process::Command;

use huaweicloud_jobs::emulator::Emulator;
use sha2::{Digest, Sha256};

async fn get(emulator: &Emulator, path: &str) -> reqwest::Response {
    reqwest::get(format!("{}{path}", emulator.endpoint())).await.unwrap()
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let emulator = Emulator::start().await.unwrap();
    // Chooses the TLS provider that any client wants to have.
    emulator.session().unwrap();
    for path in ["/", "/docs", "/docs?api=mrs"] {
        let answer = get(&emulator, path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("//"), "an address of elsewhere in {path}");
        for part in page.split('"').filter(|part| part.starts_with("/_emulator/") || part.starts_with("/docs/")) {
            let answer = get(&emulator, part).await;
            assert_eq!(answer.status(), 200, "{part}");
        }
    }
    assert_eq!(get(&emulator, "/docs/nothing.json").await.status(), 404);
    let refused = reqwest::Client::new().post(emulator.endpoint()).send().await.unwrap();
    assert_eq!(refused.status(), 404, "POST / is nothing");
}

#[tokio::test]
async fn the_first_page_shows_what_is_there() {
    let emulator = Emulator::builder().record(10).start().await.unwrap();
    let session = emulator.session().unwrap();
    session.modelarts().training_job(10).unwrap().update_description("shown").await.unwrap();
    session.modelarts().training_job(99).unwrap().update_description("unknown").await.unwrap_err();
    let summary: serde_json::Value = get(&emulator, "/_emulator/summary").await.json().await.unwrap();
    let training = summary["holdings"].as_array().unwrap().iter().find(|row| row["kind"] == "training job").unwrap();
    assert!(training["count"].as_i64().unwrap() >= 2, "{summary}");
    assert!(training["states"].to_string().contains("JOBSTAT_COMPLETED"), "{summary}");
    let latest = summary["latest"].as_array().unwrap();
    assert_eq!((latest.len(), &latest[1]["verdict"]), (2, &serde_json::json!("accepted")), "the latest comes first");
    assert!(latest[0]["verdict"].as_str().unwrap().contains("ModelArts.0102"), "{summary}");
    assert!(!summary.to_string().contains("not-a-secret"), "{summary}");
}

#[test]
fn the_reference_is_drawn_by_what_is_named() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rapidoc");
    let script = std::fs::read(format!("{folder}/rapidoc-min.js.gz")).unwrap();
    let page = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    assert!(page.contains(&hex::encode(Sha256::digest(&script))));
}

/// What a page has become after its scripts ran. Without a browser nothing is known, unless one was promised.
fn rendered(address: &str) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let promised = std::env::var("HWJOBS_TEST_BROWSER").ok();
    let browser = promised.as_deref().unwrap_or("chromium");
    if promised.is_none() && Command::new(browser).arg("--version").output().is_err() {
        return None;
    }
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--virtual-time-budget=15000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(address)
        .output()
        .unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_draws_the_first_page() {
    let emulator = Emulator::builder().record(10).start().await.unwrap();
    let job = emulator.session().unwrap().modelarts().training_job(10).unwrap();
    job.update_description("<b>seen</b>").await.unwrap();
    let address = emulator.endpoint();
    let Some(page) = tokio::task::spawn_blocking(move || rendered(&address)).await.unwrap() else {
        eprintln!("not looked at: there is no chromium");
        return;
    };
    for text in ["training job", "JOBSTAT_COMPLETED", "/training-jobs/10", "accepted"] {
        assert!(page.contains(text), "no {text} in {page}");
    }
}
