//! Tests of the emulator's pages as files and in a real browser.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::process::Stdio;
use std::time::Duration;

use huaweicloud_jobs::Session;
use huaweicloud_jobs::emulator::{Emulator, Fault, Transitions};
use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
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
        let response = get(&emulator, path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(!page.contains("//"), "an address of elsewhere in {path}");
        for part in page.split('"').filter(|part| part.starts_with("/_emulator/") || part.starts_with("/docs/")) {
            let response = get(&emulator, part).await;
            assert_eq!(response.status(), 200, "{part}");
        }
    }
    assert_eq!(get(&emulator, "/docs/nothing.json").await.status(), 404);
    assert_eq!(get(&emulator, "/docs/emulator.json").await.status(), 200);
    let rejected =
        reqwest::Client::builder().no_proxy().build().unwrap().post(emulator.endpoint()).send().await.unwrap();
    assert_eq!(rejected.status(), 404, "POST / is nothing");
}

#[tokio::test]
async fn the_summary_says_what_is_there() {
    let emulator = Emulator::builder().record(10).start().await.unwrap();
    let session = emulator.session().unwrap();
    session.modelarts().training_job(10).unwrap().update_description("shown").await.unwrap();
    session.modelarts().training_job(99).unwrap().update_description("unknown").await.unwrap_err();
    let summary: serde_json::Value = get(&emulator, "/_emulator/summary").await.json().await.unwrap();
    let training = summary["objects"].as_array().unwrap().iter().find(|row| row["kind"] == "training job").unwrap();
    assert!(training["count"].as_i64().unwrap() >= 2, "{summary}");
    assert!(training["states"].to_string().contains("JOBSTAT_COMPLETED"), "{summary}");
    let latest = summary["latest"].as_array().unwrap();
    assert_eq!((latest.len(), &latest[1]["verdict"]), (2, &serde_json::json!("accepted")), "the latest comes first");
    assert!(latest[0]["verdict"].as_str().unwrap().contains("ModelArts.0102"), "{summary}");
    assert!(!summary.to_string().contains("not-a-secret"), "{summary}");
}

/// A page that loads quickly is small; a script must name nothing that a policy would stop.
#[test]
fn the_console_is_small_and_writes_no_markup() {
    let mut size = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/console")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        size += text.len();
        for word in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http:", "https:", " style="]
        {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
    assert!(size < 60_000, "{size} bytes");
}

/// What a `GET` would return, without a trace of it.
#[tokio::test]
async fn a_view_leaves_no_trace() {
    let emulator = Emulator::builder().record(10).transitions(Transitions::AfterReads(1)).start().await.unwrap();
    let session = emulator.session().unwrap();
    let project = emulator.project_id().to_owned();
    let id = create(&session).await;
    emulator.take_exchanges();
    emulator.faults().add(Fault::status(503)).unwrap();
    let before = emulator.snapshot().unwrap();
    let target = |path: &str| {
        let target = format!("/v1/{project}{path}");
        format!("/_emulator/view?target={}", utf8_percent_encode(&target, NON_ALPHANUMERIC))
    };
    let versions = target(&format!("/training-jobs/{id}/versions?page=1&per_page=10"));
    let versions: Value = get(&emulator, &versions).await.json().await.unwrap();
    let version = format!("/training-jobs/{id}/versions/{}", versions["versions"][0]["version_id"]);
    for _ in 0..3 {
        let job: Value = get(&emulator, &target("/training-jobs?page=1&per_page=100")).await.json().await.unwrap();
        assert!(job["jobs"].as_array().unwrap().iter().any(|job| job["job_id"].as_i64() == Some(id)), "{job}");
        let seen: Value = get(&emulator, &target(&version)).await.json().await.unwrap();
        assert_eq!(seen["status"], 1, "no read was counted: {seen}");
    }
    assert_eq!(emulator.snapshot().unwrap(), before);
    assert!(emulator.take_exchanges().is_empty());
    assert_eq!(emulator.faults().list()[0].hits, 0);
    let health: Value = get(&emulator, "/_emulator/health").await.json().await.unwrap();
    assert_eq!((&health["requests"], &health["panics"]), (&json!(1), &json!(0)));
    let elsewhere = format!("/_emulator/view?target=/v1/{project}");
    for (path, status, named) in [
        (target("/training-jobs/99/versions"), 400, "99"),
        (target("/training-jobs?page=x&per_page=1"), 400, "page"),
        (target("/nothing"), 400, "nothing"),
        (format!("{elsewhere}/training-jobs&other=1"), 400, "other"),
        (format!("{elsewhere}/training-jobs&target=/"), 400, "more than once"),
        ("/_emulator/view?target=http%3A%2F%2Felsewhere/".to_owned(), 400, "elsewhere"),
        ("/_emulator/view?target=/v3/projects".to_owned(), 404, "/v3/projects"),
        ("/_emulator/view?target=%00".to_owned(), 400, "NUL"),
        ("/_emulator/view".to_owned(), 400, "target"),
        ("/_emulator/clock?target=/".to_owned(), 400, "target"),
    ] {
        let response = get(&emulator, &path).await;
        assert_eq!(response.status(), status, "{path}");
        let text = response.text().await.unwrap();
        assert!(text.contains(named), "{path}: {text}");
    }
}

/// Creates a training job and returns its id.
async fn create(session: &Session) -> i64 {
    let code = Code::own("/bucket/src/", "/bucket/src/boot.py").engine(1);
    let training = Training::new(code, Data::obs("/bucket/data/"), Resources::spec(1));
    let job = session.modelarts().training_jobs().create("created-while-open", training).send().await.unwrap();
    job.id().to_string().parse().unwrap()
}

/// Reads the stream until an event of this name comes, and returns its data.
async fn next_event(stream: &mut reqwest::Response, name: &str) -> Value {
    let mut text = String::new();
    loop {
        let chunk = timeout(Duration::from_secs(60), stream.chunk()).await.expect("an event").unwrap();
        text += std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap();
        let events = text.split("\n\n").filter_map(|event| event.strip_prefix(&format!("event: {name}\ndata: ")));
        if let Some(data) = events.filter_map(|data| serde_json::from_str(data).ok()).next() {
            return data;
        }
    }
}

#[tokio::test]
async fn the_stream_tells_what_happens() {
    // Nothing is recorded, and yet a listener hears of each request.
    let emulator = Emulator::builder().transitions(Transitions::AtOnce).start().await.unwrap();
    let session = emulator.session().unwrap();
    let mut stream = get(&emulator, "/_emulator/events").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let _first = stream.chunk().await.unwrap().unwrap();
    session.modelarts().training_job(10).unwrap().update_description("heard").await.unwrap();
    let heard = next_event(&mut stream, "request").await;
    assert_eq!((&heard["operation"], &heard["verdict"]), (&json!("update_training_job"), &json!("accepted")));
    assert!(heard["duration_us"].is_u64() && heard["request"] == r#"{"job_desc":"heard"}"#, "{heard}");
    emulator.set_time_scale(1.0).unwrap();
    assert_eq!(next_event(&mut stream, "change").await["what"], "clock");
    let fault = emulator.faults().add(Fault::status(503)).unwrap();
    assert_eq!(next_event(&mut stream, "change").await["what"], "faults");
    emulator.faults().remove(fault);
    assert_eq!(next_event(&mut stream, "change").await["what"], "faults");
    emulator.set_transitions(Transitions::Clock).unwrap();
    assert_eq!(next_event(&mut stream, "change").await["what"], "transitions");
    emulator.set_time_scale(0.0).unwrap();
    create(&session).await;
    // The clock alone moves the job from state to state, without a request between.
    for seconds in [1, 2, 2, 3600] {
        emulator.advance_clock(Duration::from_secs(seconds)).unwrap();
        next_event(&mut stream, "objects").await;
    }
    emulator.reset().unwrap();
    assert_eq!(next_event(&mut stream, "change").await["what"], "state");
    // A stop does not wait for those who listen.
    let ended = async {
        let (stopped, rest) = tokio::join!(emulator.stop(), async { while stream.chunk().await.unwrap().is_some() {} });
        (stopped, rest)
    };
    timeout(Duration::from_secs(5), ended).await.expect("the stream ends with the emulator");
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
    responses: Split<BufReader<ChildStdout>>,
    messages: u64,
    page: Value,
    /// What the page's console has shown as an error.
    errors: Vec<String>,
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
        let responses = BufReader::new(process.stdout.take().unwrap()).split(0);
        let mut browser =
            Self { process, responses, messages: 0, page: Value::Null, errors: Vec::new(), _profile: profile };
        let tab = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attached = json!({"targetId": tab["targetId"], "flatten": true});
        browser.page = browser.call("Target.attachToTarget", attached).await["sessionId"].take();
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.call(domain, json!({})).await;
        }
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
            let response = timeout(Duration::from_secs(60), self.responses.next_segment()).await;
            let response = response.unwrap_or_else(|_| panic!("no response to {message}")).unwrap().unwrap();
            let mut response: Value = serde_json::from_slice(&response).unwrap();
            // Events come in between.
            let (event, params) = (response["method"].as_str().unwrap_or_default(), &response["params"]);
            if event == "Runtime.exceptionThrown"
                || (event == "Log.entryAdded" && params["entry"]["level"] == "error")
                || (event == "Runtime.consoleAPICalled" && params["type"] == "error")
            {
                self.errors.push(params.to_string());
            }
            if response["id"] == self.messages {
                assert!(response["error"].is_null(), "{message}: {response}");
                return response["result"].take();
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
        let response = self.call("Runtime.evaluate", evaluation).await;
        response["result"]["value"].as_str().unwrap_or_else(|| panic!("{response}")).to_owned()
    }

    /// Kills the browser with all its processes, so that none writes into the profile any more.
    async fn close(mut self) {
        self.call("Browser.close", json!({})).await;
        self.process.wait().await.unwrap();
    }
}

#[tokio::test]
async fn a_browser_follows_what_happens() {
    let emulator = Emulator::builder().record(100).start().await.unwrap();
    let session = emulator.session().unwrap();
    let job = session.modelarts().training_job(10).unwrap();
    // Markup in what a client sends is shown as it is, and does nothing.
    job.update_description("<img src=x onerror=alert(1)><script>alert(2)</script>").await.unwrap();
    let Some(mut browser) = Browser::open(&emulator.endpoint()).await else { return };

    // A job that is created while the page is open appears without a reload, and the search finds it.
    browser.find("main", "td", "testModelArtsJob", "").await;
    let id = create(&session).await;
    browser.find("main", "td", "created-while-open", "").await;
    browser.find("main", "input", "", "it.value = 'created-while'; it.dispatchEvent(new Event('input'))").await;
    browser.find("main", "caption", "1 of 4", "").await;
    browser.find("main", "tr", "created-while-open", "it.querySelector('a').click()").await;
    browser.find("main", "h2", "JOBSTAT_", "").await;
    browser.find("main", "a", "POST /v1/", "").await;
    let state = browser.find("main", ".chip", "JOBSTAT_", "").await;
    assert!(!state.contains("COMPLETED"), "{state}");

    // The clock is moved on by the page; the state follows.
    browser.find("nav", "a", "Controls", "it.click()").await;
    browser.find("#show_clock", "button", "1 day", "it.click()").await;
    browser.find("nav", "a", "Objects", "it.click()").await;
    browser.find("main", "tr", "created-while-open", "it.querySelector('a').click()").await;
    browser.find("main", "h2", "JOBSTAT_COMPLETED", "").await;

    // A fault is added by the form, hits once and is gone.
    browser.find("nav", "a", "Controls", "it.click()").await;
    let choose = "[...it.options].find((o) => o.value === 'update_training_job').selected = true; \
                  it.dispatchEvent(new Event('change', {bubbles: true}))";
    browser.find("#add_fault", "select", "", choose).await;
    browser.find("#add_fault", "input", "", "it.value = 1; it.dispatchEvent(new Event('input'))").await;
    let inputs = "[...it.querySelectorAll('label')].find((l) => l.innerText.startsWith('status')).control.value = 500";
    browser.find("main", "#add_fault", "", inputs).await;
    browser.find("#add_fault", "button", "Add a fault", "it.click()").await;
    browser.find("#list_faults", "tr", "update_training_job", "").await;
    job.update_description("hit by a fault").await.unwrap_err();
    browser.find("#list_faults", "p", "No fault waits", "").await;

    // The list of requests has it, and is filtered.
    browser.find("nav", "a", "Requests", "it.click()").await;
    browser.find("main", "td", "fault 1", "").await;
    browser.find("main", "select", "fault", "it.value = 'fault'; it.dispatchEvent(new Event('change'))").await;
    browser.find("main", "caption", "1 of 3", "").await;
    browser.find("main", "select", "fault", "it.value = ''; it.dispatchEvent(new Event('change'))").await;

    // A rejected request appears live; it shows the field, its limit and a command.
    job.update_description("x".repeat(10)).await.unwrap();
    let body = json!({"job_desc": "x".repeat(257)}).to_string();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/v1/{}/training-jobs/{id}", emulator.endpoint(), emulator.project_id());
    let request = http.put(address).header("x-auth-token", "emulator-token-not-a-secret").body(body);
    assert_eq!(request.header("content-type", "application/json").send().await.unwrap().status(), 400);
    browser.find("main", "tr", "rejected", "it.querySelector('a').click()").await;
    browser.find("main", "mark", "job_desc", "").await;
    browser.find(".rule", "p", "at most 256 characters", "").await;
    browser.find("main", "pre", "This is a ModelArts job", "").await;
    let command = browser.find("main", ".command", "curl", "").await;
    assert!(command.contains("-X PUT") && command.contains("job_desc"), "{command}");

    // Each page by keyboard, and as narrow as a telephone.
    let metrics = json!({"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": false});
    browser.call("Emulation.setDeviceMetricsOverride", metrics).await;
    for (page, shows) in
        [("Objects", "created-while-open"), ("Requests", "update_training_job"), ("Controls", "Add a fault")]
    {
        browser.find("nav", "a", page, "it.focus()").await;
        for kind in ["rawKeyDown", "char", "keyUp"] {
            let key = json!({"type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13});
            browser.call("Input.dispatchKeyEvent", key).await;
        }
        browser.find("html", "main", shows, "").await;
        let width = browser.find("html", "body", "", "it.value = String(document.documentElement.scrollWidth)").await;
        assert!(width.parse::<u32>().unwrap() <= 400, "{page} is wider than the window: {width}");
    }
    assert!(browser.errors.is_empty(), "{:#?}", browser.errors);
    browser.close().await;
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

/// A report with a failure whose texts are hostile, and two objects left behind.
#[cfg(feature = "contract")]
fn report() -> huaweicloud_jobs::contract::Report {
    let clause = |operation: &str, kind: &str, verdict: &str, more: Value| {
        let mut clause = json!({
            "id": format!("mrs.{operation}.{kind}.x"), "kind": kind, "service": "mrs", "operation": operation,
            "summary": "It does what is promised", "sources": ["a page"], "verdict": verdict, "requests": 1, "milliseconds": 1,
        });
        clause.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        clause
    };
    let hostile = "<script>document.title = 'taken'</script>`x`";
    let exchange = json!({
        "operation": "update_job", "method": "PATCH", "url": "http://127.0.0.1:1/v1.1/p/jobs/1", "headers": [],
        "body": format!("{{\"name\": \"{hostile}\"}}"), "status": 418, "response_headers": [["x-tea", "pot"]], "response": hostile,
    });
    let differs = json!({
        "differences": [{"check": "status", "text": format!("418 {hostile} instead of 200"), "exchange": 0}],
        "exchanges": [exchange],
    });
    let left = |n: u32| json!({"created_by": "create_job", "what": format!("/v1.1/p/jobs/{n}"), "reason": hostile});
    serde_json::from_value(json!({
        "tool": "hwjobs 0.1.0", "endpoints": {"mrs": "http://127.0.0.1:1"}, "embedded": false, "seed": 1, "interrupted": false,
        "outcomes": [
            clause("update_job", "example", "differs", differs),
            clause("update_job", "access", "honours", json!({})),
            clause("list_jobs", "example", "honours", json!({})),
            clause("list_jobs", "access", "not-tried", json!({"reason": "no credentials"})),
        ],
        "leftovers": [left(1), left(2)], "requests": 9, "milliseconds": 1000,
    }))
    .unwrap()
}

#[cfg(feature = "contract")]
#[tokio::test]
async fn a_browser_shows_the_report_of_a_run() {
    use huaweicloud_jobs::contract::{Format, Matrix};

    let report = report();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).unwrap();
        format!("file://{}", folder.path().join(name).display())
    };
    let address = file("report.html", Format::Html.report(&report).unwrap());
    let Some(mut browser) = Browser::open(&address).await else { return };
    // What failed comes first, as a story; what is left behind is folded.
    browser.find("html", "#shown", "1 of 4", "").await;
    let told = browser.find("#clauses", "tr", "differs", "it.querySelector('details').open = true").await;
    assert!(told.contains("418") && told.contains("instead of 200"), "{told}");
    let story = browser.find("#clauses", "tr", "What it may mean", "").await;
    let parts =
        ["What was sent", "PATCH", "What came", "x-tea: pot", "What the description says", "openapi/mrs.yaml", "curl"];
    for part in parts {
        assert!(story.contains(part), "no {part} in {story}");
    }
    let folded = browser.find("html", "#leftovers", "2 objects were left behind", "it.title = it.open").await;
    assert!(!folded.contains("/v1.1/p/jobs/1"), "{folded}");
    // A click on a cell shows its clauses, a second one all.
    let cell = "[data-operation=list_jobs][data-column=access]";
    browser.find(".heat", cell, "1", "it.click()").await;
    browser.find("html", "#shown", "1 of 4", "").await;
    browser.find("#clauses", "tr:not([hidden])", "no credentials", "").await;
    browser.find(".heat", cell, "1", "it.click()").await;
    browser.find("html", "#shown", "4 of 4", "").await;
    browser.find(".heat", "button", "update_job", "it.click()").await;
    browser.find("html", "#shown", "2 of 4", "").await;

    let mut matrix = Matrix::default();
    matrix.add("one <b>", &report);
    let mut other = report.clone();
    other.outcomes.retain(|outcome| outcome.operation == "update_job");
    other.outcomes[0].verdict = huaweicloud_jobs::contract::Verdict::Honours;
    matrix.add("two", &other);
    browser.call("Page.navigate", json!({"url": file("matrix.html", Format::Html.matrix(&matrix).unwrap())})).await;
    browser.find(".heat", "tr", "one <b>", "").await;
    browser.find(".heat", "button", "1/2", "it.click()").await;
    browser.find("html", "#shown", "2 of 4", "").await;
    browser.find("html", "#differing", "", "it.click()").await;
    browser.find("html", "#shown", "1 of 4", "").await;
    assert!(browser.errors.is_empty(), "{:#?}", browser.errors);
    browser.close().await;
}
