//! Recorded traffic against the description: what differs is found, and no secret leaves.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use huaweicloud_jobs::contract::{Conclusion, Outcome, Recording};
use serde_json::json;
use tempfile::TempDir;

use super::*;

const JOBS: &str = "https://modelarts.cn-north-4.myhuaweicloud.com/v1/0123456789abcdef0123456789abcdef/training-jobs";
const TOKENS: &str = "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens";

/// An entry with what the format demands.
fn entry(method: &str, url: &str, sent: Option<Value>, status: u16, received: &Value) -> Value {
    let text = if received.is_null() { String::new() } else { received.to_string() };
    let mut request = json!({
        "method": method, "url": url, "httpVersion": "HTTP/1.1", "cookies": [], "queryString": [], "headersSize": -1,
        "bodySize": -1, "headers": [],
    });
    if let Some(sent) = sent {
        request["postData"] = json!({"mimeType": "application/json", "text": sent.to_string()});
    }
    let headers =
        json!([{"name": "Content-Type", "value": "application/json"}, {"name": "X-Request-Id", "value": "r-1"}]);
    json!({
        "startedDateTime": "2026-01-01T00:00:00.000Z", "time": 3, "cache": {}, "request": request,
        "timings": {"send": 0, "wait": 2, "receive": 1},
        "response": {
            "status": status, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [], "redirectURL": "",
            "headersSize": -1, "bodySize": -1, "headers": headers,
            "content": {"size": text.len(), "mimeType": "application/json", "text": text},
        },
    })
}

fn har(entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}}).to_string()
}

fn checked(entries: &[Value]) -> Report {
    Recording::read(&har(entries), None).unwrap().check()
}

fn outcome(entry: Value) -> Outcome {
    checked(&[entry]).outcomes.remove(0)
}

fn texts(outcome: &Outcome) -> Vec<(Check, &str)> {
    outcome.differences.iter().map(|difference| (difference.check, difference.text.as_str())).collect()
}

fn jobs() -> Value {
    let job = json!({
        "job_id": 10, "job_name": "a", "version_id": 1, "status": 8, "create_time": 1, "version_count": 1, "job_desc": "",
        "duration": 0,
    });
    json!({"is_success": true, "job_total_count": 1, "job_count_limit": 1, "quotas": 1, "jobs": [job]})
}

fn update(received: &Value) -> Value {
    entry("PUT", &format!("{JOBS}/10"), Some(json!({"job_desc": "x"})), 200, received)
}

/// The command with a home of its own, so that nothing of this machine counts.
fn check(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    let command = command.args(["contract", "check"]).args(arguments);
    command.env_clear().env("HOME", folder.path()).current_dir(folder.path()).output().unwrap()
}

#[test]
fn traffic_as_described_is_honoured() {
    let failure = json!({"is_success": false, "error_code": "ModelArts.0102", "error_message": "no such job"});
    let mut failed = update(&failure);
    failed["response"]["status"] = json!(404);
    for (entry, id) in [
        (entry("GET", JOBS, None, 200, &jobs()), "modelarts.list_training_jobs.recorded.1"),
        (update(&json!({"is_success": true})), "modelarts.update_training_job.recorded.1"),
        (failed, "modelarts.update_training_job.recorded.1"),
        // The documents know failures with a status of success.
        (update(&failure), "modelarts.update_training_job.recorded.1"),
        // A gateway with a path of its own.
        (
            entry("GET", "http://gateway.example:8080/hw/v1/p/training-jobs?per_page=5&page=1", None, 200, &jobs()),
            "modelarts.list_training_jobs.recorded.1",
        ),
    ] {
        let found = outcome(entry);
        assert_eq!((found.verdict, found.id.as_str(), &found.notes[..]), (Verdict::Honours, id, &[][..]), "{found:?}");
    }
}

#[test]
fn every_kind_of_difference_is_found() {
    let with = |name: &str, value: Value| {
        let mut body = jobs();
        body["jobs"][0][name] = value;
        entry("GET", JOBS, None, 200, &body)
    };
    let mut without = jobs();
    without["jobs"][0].as_object_mut().unwrap().remove("job_id");
    let failure = json!({"is_success": false, "error_code": "ModelArts.98765", "error_message": "m"});
    let mut other_code = failure.clone();
    other_code["error_code"] = json!("0176");
    let status = |mut entry: Value, status: u16| {
        entry["response"]["status"] = json!(status);
        entry
    };
    let mut no_id = update(&json!({"is_success": true}));
    no_id["response"]["headers"].as_array_mut().unwrap().truncate(1);
    let mut html = update(&Value::Null);
    html["response"]["content"] = json!({"size": 15, "mimeType": "text/html", "text": "<p>busy</p>"});
    html["response"]["headers"][0]["value"] = json!("text/html");
    for (changed, check, said) in [
        (with("gpu_model", json!("x")), Check::Schema, "`jobs[].gpu_model` is not described"),
        (with("job_name", json!(5)), Check::Schema, "`jobs[0].job_name`"),
        (entry("GET", JOBS, None, 200, &without), Check::Schema, "\"job_id\" is a required property"),
        (status(with("job_name", json!("a")), 299), Check::Status, "299 instead of 200"),
        (status(with("job_name", json!("a")), 307), Check::Status, "the status 307 is not described"),
        (status(update(&failure), 400), Check::Code, "the code `ModelArts.98765` is not documented"),
        (update(&failure), Check::Code, "the code `ModelArts.98765` is not documented"),
        (status(update(&other_code), 400), Check::Code, "0176 is a code of mrs"),
        (no_id, Check::Headers, "the header `X-Request-Id` is missing"),
        (html, Check::ContentType, "the body is no JSON"),
    ] {
        let found = outcome(changed);
        let differences = texts(&found);
        assert!(differences.iter().any(|(by, text)| *by == check && text.contains(said)), "{said}: {differences:?}");
        assert_eq!((found.verdict, found.exchanges.len()), (Verdict::Differs, 1));
    }
    let gone = json!({"error_code": "APIG.0101", "error_msg": "The API does not exist", "request_id": "r"});
    assert_eq!(outcome(status(update(&gone), 404)).verdict, Verdict::Absent);
}

#[test]
fn a_request_is_judged_by_notes_alone() {
    let fine = json!({"is_success": true});
    let put = |body: Option<Value>| entry("PUT", &format!("{JOBS}/10"), body, 200, &fine);
    for (entry, said) in [
        (entry("GET", &format!("{JOBS}?colour=red"), None, 200, &jobs()), "the parameter `colour` of the request"),
        (
            entry("GET", &format!("{JOBS}?per_page=many"), None, 200, &jobs()),
            "`per_page` of the request cannot be `many`",
        ),
        (entry("PUT", &format!("{JOBS}/ten"), Some(json!({"job_desc": "x"})), 200, &fine), "`job_id` of the request"),
        (put(Some(json!({"job_desc": "x".repeat(257)}))), "`job_desc` of the request: the value is longer than 256"),
        (put(Some(json!({"job_desc": "x", "colour": 1}))), "`colour` of the request is not described"),
        (put(Some(json!([]))), "the body of the request: "),
        (put(None), "the request has no body"),
    ] {
        let found = outcome(entry);
        assert_eq!(found.verdict, Verdict::Honours, "{found:?}");
        assert!(found.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", found.notes);
    }
}

#[test]
fn the_edition_of_a_cloud_counts() {
    let labeling = "https://modelarts.eu-de.otc.t-systems.com/v1/p/annotation-jobs";
    let entries = har(&[entry("GET", labeling, None, 200, &json!({"jobs": [], "total": 0}))]);
    let of = |cloud: Option<&str>| {
        let cloud = cloud.map(|name| name.parse().unwrap());
        Recording::read(&entries, cloud).unwrap().check().outcomes.remove(0)
    };
    assert_ne!(of(None).verdict, Verdict::NotTried);
    let found = of(Some("otc"));
    assert!(texts(&found)[0].1.starts_with("Open Telekom Cloud does not document "), "{found:?}");
}

#[test]
fn what_is_not_of_these_apis_is_counted() {
    let none = Value::Null;
    let get = |url: &str| entry("GET", url, None, 200, &none);
    let report = checked(&[
        get("https://elsewhere.example/app.js?key=private"),
        get("https://ecs.cn-north-4.myhuaweicloud.com/v3/projects"),
        get("data:text/plain,hello"),
        get("not an address"),
        entry("OPTIONS", JOBS, None, 200, &none),
        entry("PATCH", JOBS, None, 200, &none),
        json!({"request": {"method": "GET", "url": "wss://elsewhere.example/socket"}, "response": {"status": 101}}),
        json!({"response": {}}),
        json!(1),
    ]);
    let reasons: Vec<&str> = report.outcomes.iter().map(|outcome| outcome.reason.as_deref().unwrap()).collect();
    assert_eq!(reasons.iter().filter(|reason| **reason == "not of these APIs").count(), 5, "{reasons:?}");
    assert!(reasons[5].contains("no such method"), "{reasons:?}");
    assert!(reasons[7].contains("cannot be read: it has no `request.method`"), "{reasons:?}");
    assert_eq!(report.conclusion(), Conclusion::NothingTried);
    // The paths of other services may be secret.
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("GET https://elsewhere.example") && !text.contains("private"), "{text}");
}

/// The files of Chrome, Firefox and mitmproxy, each with what it does differently.
#[test]
fn files_of_other_tools_are_read() {
    let fine = json!({"is_success": true}).to_string();
    let chrome = json!({"log": {
        "version": "1.2",
        "creator": {"name": "WebInspector", "version": "537.36"},
        "pages": [{"startedDateTime": "2026-01-01T00:00:00.000Z", "id": "page_1", "title": "console",
            "pageTimings": {"onContentLoad": 1.5, "onLoad": null}}],
        "entries": [
            {
                "_connectionId": "12", "_initiator": {"type": "script", "stack": {"callFrames": []}}, "_priority": "High",
                "_resourceType": "fetch", "cache": {}, "connection": "443", "pageref": "page_1", "serverIPAddress": "10.0.0.1",
                "startedDateTime": "2026-01-01T00:00:00.123Z", "time": 12.25,
                "timings": {"blocked": 1, "dns": -1, "ssl": -1, "connect": -1, "send": 0.1, "wait": 10.5, "receive": 0.7,
                    "_blocked_queueing": 0.9},
                "request": {"method": "PUT", "url": format!("{JOBS}/10"), "httpVersion": "http/2.0",
                    "headers": [{"name": ":authority", "value": "h"}, {"name": ":method", "value": "PUT"},
                        {"name": "content-type", "value": "application/json"}],
                    "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 16,
                    "postData": {"mimeType": "application/json", "text": "{\"job_desc\":\"x\"}"}},
                "response": {"status": 200, "statusText": "", "httpVersion": "http/2.0",
                    "headers": [{"name": "content-type", "value": "application/json"}, {"name": "x-request-id", "value": "r"}],
                    "cookies": [], "content": {"size": fine.len(), "mimeType": "application/json", "text": fine},
                    "redirectURL": "", "headersSize": -1, "bodySize": -1, "_transferSize": 80, "_error": null},
            },
            // Blocked: no response at all.
            {
                "request": {"method": "GET", "url": JOBS, "headers": []},
                "response": {"status": 0, "statusText": "", "headers": [], "content": {"size": 0, "mimeType": "x-unknown"},
                    "_error": "net::ERR_BLOCKED_BY_CLIENT"},
                "time": null, "timings": {"wait": -1},
            },
            // The body was evicted.
            {
                "request": {"method": "GET", "url": JOBS, "headers": []},
                "response": {"status": 200, "content": {"size": 512, "mimeType": "application/json"},
                    "headers": [{"name": "x-request-id", "value": "r"}]},
            },
        ],
    }});
    let text = format!("\u{feff}{chrome}");
    let report = Recording::read(&text, None).unwrap().check();
    let [fetched, blocked, evicted] = &report.outcomes[..] else { panic!("{report:?}") };
    assert_eq!(
        (fetched.verdict, &fetched.notes[..], fetched.milliseconds),
        (Verdict::Honours, &[][..], 11),
        "{fetched:?}"
    );
    assert_eq!(blocked.reason.as_deref(), Some("no response was recorded"));
    assert_eq!(evicted.reason.as_deref(), Some("the body of the response was not recorded"));

    // Firefox cuts long bodies and says so in a comment.
    let cut = &jobs().to_string()[..60];
    let firefox = har(&[json!({
        "startedDateTime": "2026-01-01T01:00:00.000+01:00",
        "request": {"method": "GET", "url": JOBS, "httpVersion": "HTTP/2", "headers": [], "bodySize": 0},
        "response": {"status": 200, "headers": [], "bodySize": 60,
            "content": {"mimeType": "application/json", "size": 2_000_000, "text": cut, "comment": "cut at the limit"}},
        "cache": {}, "timings": {"blocked": 0, "wait": 5, "receive": 0}, "time": 5, "_securityState": "secure",
    })]);
    let found = Recording::read(&firefox, None).unwrap().check().outcomes.remove(0);
    assert_eq!(
        (found.verdict, found.reason.as_deref()),
        (Verdict::NotTried, Some("the body of the response was not recorded to its end: cut at the limit"))
    );

    // mitmproxy writes bodies that it takes for binary in base64.
    let mut wrong = jobs();
    wrong["jobs"][0]["job_name"] = json!(5);
    let mut encoded = entry("GET", JOBS, None, 200, &Value::Null);
    let text = BASE64_STANDARD.encode(wrong.to_string());
    encoded["response"]["content"] =
        json!({"size": 9, "mimeType": "application/json", "text": text, "encoding": "base64"});
    assert!(texts(&outcome(encoded.clone()))[0].1.contains("`jobs[0].job_name`"));
    for (text, said) in [("/w==", "is no text"), ("!", "is no base64")] {
        encoded["response"]["content"]["text"] = json!(text);
        let found = outcome(encoded.clone());
        assert!(found.reason.is_some_and(|reason| reason.contains(said)), "{said}");
    }
}

/// A secret in each place of a file that can hold one, and where a server repeats it in another exchange.
#[test]
fn no_secret_leaves_a_recording() {
    let canary = |place: &str| format!("canary-{place}-0123456789");
    let named = |name: &str, place: &str| json!({"name": name, "value": canary(place)});
    let user = json!({"name": "u", "password": canary("password"), "domain": {"name": "d"}});
    let sign_in = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}});
    let mut first = entry("POST", TOKENS, Some(sign_in), 201, &json!({"token": {"id": canary("token-id")}}));
    first["request"]["url"] = json!(
        format!("{TOKENS}?x%2Dsecurity%2Dtoken={}", canary("query"))
            .replace("https://", &format!("https://user:{}@", canary("userinfo")))
    );
    first["request"]["queryString"] = json!([named("X-Security-Token", "query")]);
    first["request"]["cookies"] = json!([named("session", "cookie")]);
    first["request"]["headers"] = json!([
        named("X-Auth-Token", "auth-token"),
        named("X-Security-Token", "security-token"),
        {"name": "Cookie", "value": format!("a=b; session={}", canary("cookie-header"))},
        {"name": "Authorization", "value": format!("SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature={}", canary("signature"))},
        named(":path", "pseudo"),
        named("X-Custom", "custom"),
    ]);
    first["response"]["headers"].as_array_mut().unwrap().extend([named("X-Subject-Token", "subject-token"), {
        let cookie = format!("session={}; Path=/", canary("set-cookie"));
        json!({"name": "Set-Cookie", "value": cookie})
    }]);
    first["_initiator"] = json!(canary("initiator"));
    first["comment"] = json!(canary("comment"));
    let said = [
        "password",
        "token-id",
        "query",
        "userinfo",
        "cookie",
        "cookie-header",
        "signature",
        "auth-token",
        "security-token",
        "subject-token",
        "set-cookie",
    ];
    let message = said.map(canary).join(" and ");
    let signed = format!("http://obs.example/a?X-Amz-Signature={}&AWSAccessKeyId=k", canary("presigned"));
    let echo = json!({
        "is_success": false, "error_code": "ModelArts.98765", "error_message": message, "extra": signed,
        "db_password": canary("field"), "list": [{"label": "api_key", "value": canary("label")}],
    });
    let encoded = BASE64_STANDARD.encode(echo.to_string());
    let mut second = update(&Value::Null);
    second["response"]["content"] =
        json!({"mimeType": "application/json", "text": encoded, "encoding": "base64", "size": 9});
    second["response"]["status"] = json!(400);
    let mut page = update(&Value::Null);
    let html = format!("<input name=csrf_token value={}>", canary("html"));
    page["response"]["content"] = json!({"mimeType": "text/html", "text": html, "size": 9});
    let mut form = update(&json!({"is_success": true}));
    form["request"]["postData"] = json!({"mimeType": "application/x-www-form-urlencoded", "text": format!("password={}", canary("form")),
        "params": [named("password", "form")]});
    let mut elsewhere = entry("GET", "https://elsewhere.example/", None, 200, &json!({}));
    elsewhere["request"]["url"] = json!(format!("https://elsewhere.example/{}?x={0}", canary("elsewhere")));

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("traffic.har"), har(&[first, second, page, form, elsewhere])).unwrap();
    let formats = ["json", "junit", "markdown", "html", "sarif"];
    let reports: Vec<String> = formats.map(|format| format!("{format}=report.{format}")).into();
    let arguments = ["traffic.har", "--redact", "shared.har", "--report", &reports.join(",")];
    let output = check(&folder, &arguments);
    let (told, failed) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{told}{failed}");
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let mut all = vec![told, failed, read("shared.har")];
    all.extend(formats.map(|format| read(&format!("report.{format}"))));
    for text in &all {
        assert!(!text.contains("canary") && !text.contains("0123456789 "), "{text}");
    }
    // The copy has the same verdicts, and not what is of other services.
    let shared = Recording::read(&all[2], None).unwrap().check();
    let original = Recording::read(&read("traffic.har"), None).unwrap().check();
    assert_eq!(shared.outcomes[..], original.outcomes[..4]);
    assert!(!all[2].contains("elsewhere") && all[2].contains("1 other exchanges were left out"), "{}", all[2]);
    assert!(all[2].contains("SDK-HMAC") || all[2].contains("Authorization"), "{}", all[2]);
    #[cfg(unix)]
    for file in ["shared.har", "report.json"] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&path(file).metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // An earlier copy is replaced, another file is not.
    assert_eq!(check(&folder, &arguments).status.code(), Some(1));
    std::fs::write(path("shared.har"), "mine").unwrap();
    assert_eq!(check(&folder, &arguments).status.code(), Some(2));
    assert_eq!(read("shared.har"), "mine");
}

#[test]
fn a_file_that_is_no_recording_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    for (content, said) in [
        (&b""[..], "it is not JSON"),
        (b"GET / HTTP/1.1", "it is not JSON"),
        (b"[]", "it has no `log.entries`"),
        (b"{\"log\": {\"entries\": {}}}", "it has no `log.entries`"),
        (b"\xff\xfe{\0", "is UTF-16"),
        (b"{\"log\": {\"entries\": []}}", "no response of these APIs"),
        (&[b'['; 100_000], "it is not JSON"),
    ] {
        std::fs::write(folder.path().join("traffic.har"), content).unwrap();
        let output = check(&folder, &["traffic.har"]);
        let failed = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}: {failed}");
        assert!(failed.contains("traffic.har: ") && failed.contains(said), "{said}: {failed}");
    }
    assert_eq!(check(&folder, &["missing.har"]).status.code(), Some(2));
}

/// A run is recorded as it happened, and its record holds to the description as the run did.
#[test]
fn a_recorded_run_is_honoured_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let only = ["--only", "*.update_*.example.*", "--only", "iam.*.access.*", "--only", "mrs.create_job.failure.*"];
    let mut arguments = vec!["contract", "run", "--record", "run.har", "--report", "json=run.json"];
    arguments.extend(only);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    let output = command.args(&arguments).env_clear().env("HOME", folder.path()).current_dir(folder.path()).output();
    assert!(output.as_ref().unwrap().status.success(), "{output:?}");
    let run: Report = serde_json::from_str(&std::fs::read_to_string(path("run.json")).unwrap()).unwrap();
    let text = std::fs::read_to_string(path("run.har")).unwrap();
    let report = Recording::read(&text, None).unwrap().check();
    assert_eq!((report.conclusion(), report.outcomes.len()), (Conclusion::Honoured, run.requests));
    let output = check(&folder, &["run.har"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // What HAR 1.2 demands of each entry.
    let file: Value = serde_json::from_str(&text).unwrap();
    let log = &file["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("hwjobs")));
    assert!(log["creator"]["version"].is_string());
    let is = |value: &Value, names: &[&str], kind: fn(&Value) -> bool| {
        names.iter().for_each(|name| assert!(kind(&value[*name]), "{name}: {value}"));
    };
    for entry in log["entries"].as_array().unwrap() {
        let (request, response) = (&entry["request"], &entry["response"]);
        let started: Result<jiff::Timestamp, _> = entry["startedDateTime"].as_str().unwrap().parse();
        assert!(started.is_ok(), "{entry}");
        is(entry, &["time"], Value::is_number);
        is(entry, &["cache", "timings"], Value::is_object);
        is(&entry["timings"], &["send", "wait", "receive"], Value::is_number);
        for message in [request, response] {
            is(message, &["httpVersion"], Value::is_string);
            is(message, &["cookies", "headers"], Value::is_array);
            is(message, &["headersSize", "bodySize"], Value::is_number);
            for header in message["headers"].as_array().unwrap() {
                is(header, &["name", "value"], Value::is_string);
            }
        }
        is(request, &["method", "url"], Value::is_string);
        is(request, &["queryString"], Value::is_array);
        if let Some(data) = request.get("postData") {
            is(data, &["mimeType", "text"], Value::is_string);
        }
        is(response, &["status"], Value::is_number);
        is(response, &["statusText", "redirectURL"], Value::is_string);
        is(&response["content"], &["size"], Value::is_number);
        is(&response["content"], &["mimeType"], Value::is_string);
    }
}
