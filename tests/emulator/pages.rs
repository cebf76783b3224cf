//! Tests of the emulator's pages as files and in a real browser.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::process::Stdio;
use std::time::Duration;

use huaweicloud_jobs::emulator::Emulator;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Split};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

async fn get(emulator: &Emulator, path: &str) -> reqwest::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.get(format!("{}{path}", emulator.endpoint())).send().await.unwrap()
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let emulator = Emulator::start().await.unwrap();
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
    let refused =
        reqwest::Client::builder().no_proxy().build().unwrap().post(emulator.endpoint()).send().await.unwrap();
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

/// A headless Chromium, controlled through a pipe (DevTools protocol).
struct Browser {
    process: Child,
    answers: Split<BufReader<ChildStdout>>,
    messages: u64,
    page: Value,
    _profile: TempDir,
}

impl Browser {
    /// Opens an address in a browser. Without a browser the test is skipped, unless the environment requires one.
    async fn open(address: &str) -> Option<Self> {
        let promised = std::env::var("HWJOBS_TEST_BROWSER").ok();
        let program = promised.as_deref().unwrap_or("chromium");
        if promised.is_none() && Command::new(program).arg("--version").output().await.is_err() {
            eprintln!("not looked at: there is no chromium");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            // The protocol comes in by descriptor 3 and goes out by descriptor 4; nobody waits for the other outputs to end.
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1", program])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-pipe", "--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).split(0);
        let mut browser = Self { process, answers, messages: 0, page: Value::Null, _profile: profile };
        let tab = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attached = json!({"targetId": tab["targetId"], "flatten": true});
        browser.page = browser.call("Target.attachToTarget", attached).await["sessionId"].take();
        browser.call("Page.navigate", json!({"url": address})).await;
        Some(browser)
    }

    /// Calls a method of the protocol, with a time limit of a minute.
    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.messages += 1;
        let mut message = json!({"id": self.messages, "method": method, "params": params});
        if self.page.is_string() {
            message["sessionId"] = self.page.clone();
        }
        self.process.stdin.as_mut().unwrap().write_all(format!("{message}\0").as_bytes()).await.unwrap();
        loop {
            let answer = timeout(Duration::from_secs(60), self.answers.next_segment()).await;
            let answer = answer.unwrap_or_else(|_| panic!("no answer to {message}")).unwrap().unwrap();
            let mut answer: Value = serde_json::from_slice(&answer).unwrap();
            // Events come in between.
            if answer["id"] == self.messages {
                assert!(answer["error"].is_null(), "{message}: {answer}");
                return answer["result"].take();
            }
        }
    }

    /// Waits within an element, its shadow trees included, for one with this text, does something with it (`it`), and gives
    /// all that it says.
    async fn find(&mut self, within: &str, selector: &str, text: &str, action: &str) -> String {
        let script = format!(
            "new Promise((done) => {{
                const all = (root) => [...root.querySelectorAll('*')].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
                const says = (e) => e.value || e.innerText;
                const look = () => {{
                    const inside = all(document).filter((e) => e.matches({})).flatMap((e) => all(e.shadowRoot ?? e));
                    const it = inside.find((e) => e.matches({}) && says(e).includes({}));
                    if (!it) return setTimeout(look, 20);
                    {action};
                    done(says(it));
                }};
                look();
            }})",
            json!(within),
            json!(selector),
            json!(text)
        );
        let evaluation = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", evaluation).await;
        answer["result"]["value"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Kills the browser with all its processes, so that none writes into the profile any more.
    async fn close(mut self) {
        self.call("Browser.close", json!({})).await;
        self.process.wait().await.unwrap();
    }
}

#[tokio::test]
async fn a_browser_draws_the_first_page() {
    let emulator = Emulator::builder().record(10).start().await.unwrap();
    let job = emulator.session().unwrap().modelarts().training_job(10).unwrap();
    job.update_description("<b>seen</b>").await.unwrap();
    let Some(mut browser) = Browser::open(&emulator.endpoint()).await else { return };
    let page = browser.find("html", "body", "accepted", "").await;
    browser.close().await;
    for text in ["training job", "JOBSTAT_COMPLETED", "/training-jobs/10"] {
        assert!(page.contains(text), "no {text} in {page}");
    }
}

#[tokio::test]
async fn a_browser_tries_a_request() {
    let emulator = Emulator::builder().record(10).start().await.unwrap();
    let Some(mut browser) = Browser::open(&format!("{}/docs", emulator.endpoint())).await else { return };
    browser.find("rapi-doc", ".nav-bar-path", "Change a training job's description", "it.click()").await;
    let operation = "[id='put-/v1/-project_id-/training-jobs/-job_id-']";
    browser.find(operation, "textarea", "This is a ModelArts job", "it.focus(); it.select()").await;
    browser.call("Input.insertText", json!({"text": r#"{"job_desc": "tried in a browser"}"#})).await;
    browser.find(operation, "button", "TRY", "it.click()").await;
    browser.find(operation, ".response-message", "200", "").await;
    browser.close().await;
    let taken = emulator.take_exchanges();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].operation.as_deref(), Some("update_training_job"));
    let state = emulator.snapshot().unwrap().to_string();
    assert!(state.contains("tried in a browser"), "{state}");
}
