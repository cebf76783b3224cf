//! Tests of the emulator as a server: rejections, limits, faults, and the control API.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::PROJECT;
use crate::common::wire::{self, Reply, exchange, reply};
use huaweicloud_jobs::emulator::{Emulator, EmulatorBuilder, Fault, FaultAction, Transitions, Verdict};
use huaweicloud_jobs::spec;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

const TOKEN: (&str, &str) = ("x-auth-token", "emulator-token-not-a-secret");
const JSON: (&str, &str) = ("content-type", "application/json");
const MRS_JOB: &str = "b8ea4daa-0042-45e0-a522-e8b714e74760";
const LABELING_JOB: &str = "062ef90a-da4d-4af4-82ba-1523da57e78e";

/// An emulator with its own runtime, so that requests can be blocking.
struct Cloud {
    emulator: Option<Emulator>,
    endpoint: String,
    runtime: Runtime,
}

impl Cloud {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(told: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let builder = told(Emulator::builder().record(64).check_responses(true));
        let emulator = runtime.block_on(builder.start()).unwrap();
        Self { endpoint: emulator.endpoint(), emulator: Some(emulator), runtime }
    }

    fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        wire::send(&self.endpoint, method, target, headers, body)
    }

    fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[TOKEN], b"")
    }

    fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, &[TOKEN, JSON], body.to_string().as_bytes())
    }

    /// Changes the description of training job 10.
    fn update(&self, text: &str) -> Reply {
        self.put(&training_job(), &json!({"job_desc": text}))
    }

    fn description(&self) -> String {
        let listed = self.get(&format!("/v1/{PROJECT}/training-jobs?search_content=testModelArtsJob")).json();
        listed["jobs"][0]["job_desc"].as_str().unwrap().to_owned()
    }

    /// Sends a request of the control API, and validates the response with its description.
    fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let (headers, bytes): (&[_], _) = match body {
            Some(body) => (&[JSON], body.to_string()),
            None => (&[], String::new()),
        };
        let reply = self.send(method, &format!("/_emulator{path}"), headers, bytes.as_bytes());
        described(method, path, &reply);
        reply
    }
}

fn training_job() -> String {
    format!("/v1/{PROJECT}/training-jobs/10")
}

/// Returns the message of an error, whose form must be that of the family.
fn message(reply: &Reply, path: &str) -> String {
    let body = reply.json();
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let (expected, at): (&[&str], _) = match path {
        _ if body.get("request_id").is_some() => (&["error_msg", "error_code", "request_id"], "/error_msg"),
        _ if path.starts_with("/v3") => (&["error"], "/error/message"),
        _ if path.starts_with("/v1.1") || path.contains("annotation") => (&["error_code", "error_msg"], "/error_msg"),
        _ => (&["is_success", "error_message", "error_code"], "/error_message"),
    };
    assert_eq!(keys, expected, "{path}");
    assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    body.pointer(at).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn an_unknown_path_is_the_gateways_404_and_an_undeclared_method_names_the_declared_ones() {
    let cloud = Cloud::new();
    for path in ["/nope", "/v1", "/v1/", "//v1/x/training-jobs", "/v1/x/training-jobs/10/", "/v3/users"] {
        let rejected = cloud.get(path);
        assert_eq!((rejected.status, &rejected.json()["error_code"]), (404, &json!("APIG.0101")), "{path}");
        message(&rejected, path);
    }
    let mut paths = BTreeSet::new();
    for document in spec::documents() {
        for operation in document.operations() {
            paths.insert((operation.path, document.name()));
        }
    }
    assert_eq!(paths.len(), 35, "all described paths");
    for (path, document) in paths {
        let document = spec::documents().iter().find(|known| known.name() == document).unwrap();
        let declared: Vec<String> = document
            .operations()
            .filter(|operation| operation.path == path)
            .map(|operation| operation.method.to_uppercase())
            .collect();
        let target = path.replace("{project_id}", PROJECT).replace(['{', '}'], "");
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "QUERY", "OPTIONS", "HEAD"] {
            let sent = cloud.send(method, &target, &[], b"");
            let known = declared.iter().any(|name| name == method || (name == "GET" && method == "HEAD"));
            let expected = match method {
                _ if known => continue,
                "OPTIONS" => 204,
                _ => 405,
            };
            assert_eq!(sent.status, expected, "{method} {path}");
            let mut allowed: Vec<&str> = sent.header("allow").unwrap().split(", ").collect();
            let mut declared: Vec<&str> = declared.iter().map(String::as_str).collect();
            allowed.sort_unstable();
            declared.sort_unstable();
            assert_eq!(allowed, declared, "{method} {path}");
        }
    }
}

#[test]
fn head_is_get_without_a_body() {
    let cloud = Cloud::new();
    let path = format!("/v1/{PROJECT}/training-jobs");
    let (head, get) = (cloud.send("HEAD", &path, &[TOKEN], b""), cloud.get(&path));
    assert_eq!((head.status, head.body.len()), (200, 0));
    let length = get.body.len().to_string();
    assert_eq!(
        (head.header("content-length"), head.header("content-type")),
        (Some(&*length), Some("application/json"))
    );
    assert_eq!(cloud.send("HEAD", &path, &[], b"").status, 401);
    assert_eq!(cloud.send("HEAD", &training_job(), &[TOKEN], b"").status, 405);
}

#[test]
fn json_that_means_nothing_or_two_things_is_rejected_by_each_family() {
    let cloud = Cloud::new();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = |json: &str| format!(r#"{{"job_desc":"x","description":"x","auth":{{}},"y":{json}}}"#);
    let mut cases: Vec<(String, Vec<u8>, &str)> = vec![
        ("nothing".into(), b"".to_vec(), "missing"),
        ("blank".into(), b"  ".to_vec(), "JSON"),
        ("cut".into(), br#"{"job_desc":"#.to_vec(), "JSON"),
        ("two values".into(), b"{}{}".to_vec(), "JSON"),
        ("not UTF-8".into(), b"{\"job_desc\":\"\xff\xfe\"}".to_vec(), "JSON"),
        ("two byte order marks".into(), b"\xef\xbb\xbf\xef\xbb\xbf{}".to_vec(), "JSON"),
        ("single quotes".into(), b"{'job_desc':'x'}".to_vec(), "JSON"),
        ("not a number".into(), nested("NaN").into_bytes(), "JSON"),
    ];
    for scalar in ["[]", "\"text\"", "1", "true", "null", "[{}]"] {
        cases.push((scalar.into(), scalar.into(), "body"));
    }
    for (name, json, named) in [
        ("repeated key", r#"{"a":1,"a":1}"#, "`a` comes twice"),
        ("repeated key in another spelling", r#"{"a":1,"\u0061":1}"#, "`a` comes twice"),
        ("NUL", r#""\u0000""#, "NUL"),
        ("NUL in a name", r#"{"\u0000":1}"#, "NUL"),
        ("lone surrogate", r#""\ud800""#, "JSON"),
        ("reversed surrogates", r#""\udc00\ud800""#, "JSON"),
        ("huge number", "1e999", "JSON"),
        ("deep nesting", deep.as_str(), "JSON"),
    ] {
        cases.push((name.into(), nested(json).into_bytes(), named));
    }
    let targets = [
        ("PUT", training_job()),
        ("PUT", format!("/v1/{PROJECT}/annotation-jobs/{LABELING_JOB}")),
        ("PATCH", format!("/v1.1/{PROJECT}/jobs/{MRS_JOB}")),
        ("POST", "/v3/auth/tokens".to_owned()),
    ];
    for (method, path) in &targets {
        for (name, body, named) in &cases {
            let rejected = cloud.send(method, path, &[TOKEN, JSON], body);
            assert_eq!(rejected.status, 400, "{method} {path} {name}");
            let said = message(&rejected, path);
            assert!(said.contains(named), "{path} {name}: {said}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", ""]
        {
            let rejected = cloud.send(method, path, &[TOKEN, ("content-type", kind)], b"{}");
            assert_eq!(rejected.status, 400, "{kind}");
            assert!(message(&rejected, path).contains("Content-Type"), "{kind}");
        }
    }
    assert_eq!(cloud.description(), "This is ModelArts job", "nothing was changed");
    for kind in ["application/json", "Application/JSON", "application/json;charset=utf-8", "application/json ; x=y"] {
        let body = br#"{"job_desc":"x"}"#;
        assert_eq!(cloud.send("PUT", &training_job(), &[TOKEN, ("content-type", kind)], body).status, 200, "{kind}");
    }
    // Clients send it without a body, too.
    assert_eq!(cloud.send("GET", &format!("/v1/{PROJECT}/training-jobs"), &[TOKEN, JSON], b"").status, 200);
}

#[test]
fn numbers_beyond_their_width_are_rejected() {
    let cloud = Cloud::new();
    let config = |field: &str, number: &str| {
        format!(
            r#"{{"config_name":"n","worker_server_num":1,"app_url":"/a/","boot_file_url":"/a/b.py","data_url":"/d/",
                "engine_id":1,"{field}":{number}}}"#
        )
    };
    for number in
        ["-9223372036854775809", "9223372036854775808", "1e400", "1.5", "\"1\"", "123456789012345678901234567890"]
    {
        let body = config("spec_id", number);
        let rejected =
            cloud.send("POST", &format!("/v1/{PROJECT}/training-job-configs"), &[TOKEN, JSON], body.as_bytes());
        assert_eq!(rejected.status, 400, "{number}");
    }
    for per_page in ["0", "1001", "99999999999999999999", "1.0", "", "x", "+1e1"] {
        let rejected = cloud.get(&format!("/v1/{PROJECT}/training-jobs?per_page={per_page}"));
        assert_eq!(rejected.status, 400, "{per_page}");
        assert!(message(&rejected, "/v1/").contains("per_page"), "{per_page}");
    }
}

#[test]
fn the_gateways_limits_hold_to_the_byte() {
    const LIMIT: usize = 12 * 1024 * 1024;
    let cloud = Cloud::with(|builder| builder.record(0));
    let body = |size: usize| {
        let empty = r#"{"job_desc":"x","y":""}"#.len();
        format!(r#"{{"job_desc":"x","y":"{}"}}"#, "x".repeat(size - empty))
    };
    for (size, status) in [(LIMIT, 200), (LIMIT + 1, 413), (3 * LIMIT, 413)] {
        let body = body(size);
        assert_eq!(body.len(), size);
        let returned = cloud.send("PUT", &training_job(), &[TOKEN, JSON], body.as_bytes());
        assert_eq!(returned.status, status, "{size}");
        if status == 413 {
            assert!(message(&returned, "").contains("12582912"));
        }
    }
    // In pieces, without a length.
    let head = format!("PUT {} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n", training_job());
    let piece = [format!("{:x}\r\n", LIMIT + 1).as_bytes(), &vec![b'x'; LIMIT + 1], b"\r\n0\r\n\r\n"].concat();
    assert_eq!(reply(&exchange(&cloud.endpoint, &[head.as_bytes(), &piece].concat()).unwrap()).status, 413);
    // A client that asks first sends nothing of it.
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        training_job(),
        LIMIT + 1
    );
    assert_eq!(reply(&exchange(&cloud.endpoint, head.as_bytes()).unwrap()).status, 413);

    let address = |size: usize| {
        let path = format!("/v1/{PROJECT}/training-jobs?x=");
        format!("{path}{}", "x".repeat(size - path.len()))
    };
    for (size, status) in [(32 * 1024, 200), (32 * 1024 + 1, 414), (60 * 1024, 414)] {
        assert_eq!(cloud.get(&address(size)).status, status, "{size}");
    }
    let list = format!("/v1/{PROJECT}/training-jobs");
    let value = |size: usize| "x".repeat(size - "a: \r\n".len());
    for (size, status) in [(32 * 1024, 200), (32 * 1024 + 1, 494)] {
        let returned = cloud.send("GET", &list, &[TOKEN, ("a", &value(size))], b"");
        assert_eq!(returned.status, status, "{size}");
        assert_eq!(status == 494, returned.json()["error_code"] == "APIG.0201");
    }
    let many = value(30 * 1024);
    for (count, status) in [(4, 200), (5, 494)] {
        let headers: Vec<_> = std::iter::once(TOKEN).chain((0..count).map(|_| ("a", &*many))).collect();
        assert_eq!(cloud.send("GET", &list, &headers, b"").status, status, "{count}");
    }
}

#[test]
fn addresses_that_cannot_be_read_are_rejected() {
    let cloud = Cloud::new();
    for part in ["%", "%4", "%zz", "%ff", "%c3%28", "a%00b", "%ed%a0%80"] {
        for target in [
            format!("/v1/{part}/training-jobs"),
            format!("/v1.1/{PROJECT}/jobs/{part}"),
            format!("/v1/{PROJECT}/training-jobs?search_content={part}"),
            format!("/v1/{PROJECT}/training-jobs?{part}"),
        ] {
            let rejected = cloud.get(&target);
            assert_eq!((rejected.status, &rejected.json()["error_code"]), (400, &json!("APIG.0201")), "{target}");
        }
    }
    let twice = cloud.get(&format!("/v1/{PROJECT}/training-jobs?page=1&per_page=5&page=1"));
    assert_eq!((twice.status, message(&twice, "/v1/").contains("page comes 2 times")), (400, true));
    // An address with unnecessary encoding is the same.
    let encoded: String = PROJECT.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(
        cloud.get(&format!("/v1/{encoded}/training-jobs?&per%5Fpage=1&")).json()["jobs"].as_array().unwrap().len(),
        1
    );
    let absolute = format!("{}/v1/{PROJECT}/training-jobs", cloud.endpoint);
    assert_eq!(cloud.get(&absolute).status, 200);
}

#[test]
fn what_is_not_described_is_ignored_and_named_or_rejected() {
    let body = json!({"job_desc": "x", "colour": "blue", "auth": {"password": "canary-1"}});
    let target = training_job() + "?verbose=canary-2";
    let lenient = Cloud::new();
    assert_eq!(lenient.put(&target, &body).status, 200);
    let seen = lenient.emulator().take_exchanges().pop().unwrap();
    assert_eq!(seen.ignored, ["the parameter verbose", "the field colour", "the field auth"]);
    assert_eq!((seen.verdict, seen.operation.as_deref()), (Verdict::Accepted, Some("update_training_job")));

    let strict = Cloud::with(|builder| builder.strict(true));
    let rejected = strict.put(&target, &body);
    assert_eq!(rejected.status, 400);
    assert!(message(&rejected, &target).contains("the parameter verbose, the field colour, the field auth"));
    assert_eq!(strict.update("described").status, 200);
    let nested = json!({"name": "n", "type": "DistCp", "interface": [{"name": "a", "odd": 1}]});
    let rejected = strict.send("POST", &format!("/v1.1/{PROJECT}/jobs"), &[TOKEN, JSON], nested.to_string().as_bytes());
    assert!([202, 400].contains(&rejected.status), "{rejected:?}");
}

#[test]
fn the_record_has_no_secrets() {
    let cloud = Cloud::new();
    let user = json!({"name": "canary-user", "password": "canary-1", "domain": {"name": "d"}});
    let identity = json!({"methods": ["password"], "password": {"user": user}, "token": {"id": "canary-2"}});
    let body = json!({"auth": {"identity": identity}}).to_string();
    let headers = [("x-auth-token", "canary-3"), ("authorization", "canary-4"), ("cookie", "canary-5"), JSON];
    let path = "/v3/auth/tokens?access_token=canary-6";
    assert_eq!(cloud.send("POST", path, &headers, body.as_bytes()).status, 401);
    cloud.send("POST", "/v2.0/tokens", &[JSON], format!("{body}x").as_bytes());
    let (shown, wire) = (format!("{:?}", cloud.emulator().take_exchanges()), cloud.control("GET", "/requests", None));
    assert!(shown.contains("canary-user") && !shown.contains("canary-1"), "{shown}");
    for number in 2..=6 {
        assert!(!shown.contains(&format!("canary-{number}")), "{shown}");
    }
    assert_eq!(wire.json(), json!({"requests": []}), "they were taken");
}

#[test]
fn no_secret_is_recorded_wherever_it_is_put() {
    let cloud = Cloud::new();
    let canary = |number: u32| format!("canary-{number}-");
    let shown = || {
        let recorded = cloud.control("GET", "/requests", None).json().to_string();
        format!("{recorded} {}", cloud.control("GET", "/summary", None).json())
    };
    // The error for a rejected signature contains the signed request; the record has the redacted one.
    let authorization = format!(
        "SDK-HMAC-SHA256 Access=EMULATORACCESSKEY01, \
         SignedHeaders=cookie;host;x-own;x-sdk-date;x-security-token;x-subject-token, Signature={}",
        "0".repeat(64)
    );
    let headers = [
        ("host", "localhost"),
        ("x-sdk-date", "20261122T034500Z"),
        ("x-subject-token", "canary-1-"),
        ("cookie", "canary-2-|canary-3-"),
        ("x-security-token", "canary-4-"),
        ("x-own", "canary-5-"),
        ("authorization", &*authorization),
    ];
    let path = format!("/v1/{PROJECT}/training-jobs?page=1&password=canary-6-&canary-7-&access%5Ftoken=canary-8-");
    let rejected = cloud.send("GET", &path, &headers, b"");
    let said = message(&rejected, "/v1");
    assert_eq!(rejected.status, 401);
    for number in [1, 2, 3, 5, 6, 7, 8] {
        assert!(said.contains(&canary(number)), "the client is told what it signed: {number} {said}");
    }
    let text = shown();
    assert!(
        text.contains("canonicalRequest:GET|") && text.contains("page=1&") && text.contains("host:localhost"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");

    // In bodies, by name, by label, as arguments, and as numbers; and in their responses.
    let body = json!({
        "name": "a-source",
        "type": "hdfs",
        "url": "/a",
        "description": "password=canary-1- and --secret canary-2- and more",
        "credentials": {"user": "canary-3-", "password": "canary-4-"},
        "tokens": ["canary-5-", {"x": "canary-6-"}],
        "parameter": [{"label": "db_password", "value": "canary-7-"}, {"label": "plain", "value": "shown-1"}],
        "arguments": ["--password", "canary-8-", "--token=canary-9-", "shown-2"],
        "passcode": 1_234_567_890,
        "token": {"id": "canary-10-"},
        "has_password": true,
    });
    let created =
        cloud.send("POST", &format!("/v1.1/{PROJECT}/data-sources"), &[TOKEN, JSON], body.to_string().as_bytes());
    assert!(created.status == 202 && created.json().to_string().contains("canary-1-"), "{created:?}");
    let rejected = cloud.put(&training_job(), &json!({"job_desc": "x".repeat(300), "password": "canary-11-"}));
    assert_eq!(rejected.status, 400);
    cloud.send("POST", "/v3/auth/tokens", &[JSON], sign_in("canary-12-").as_bytes());
    cloud.send("POST", "/v3/auth/tokens?canary-13-", &[JSON], b"canary-14-");
    cloud.get("/v1/nowhere?key=canary-15-");
    let token = cloud.send("POST", "/v3/auth/tokens", &[JSON], sign_in("emulator-password-not-a-secret").as_bytes());
    let token = token.header("x-subject-token").unwrap().to_owned();
    let own = cloud.send("GET", "/v3/auth/tokens", &[TOKEN, ("x-subject-token", &token)], b"");
    assert_eq!(own.status, 200);
    let text = shown();
    for hidden in ["canary", "1234567890", &token, TOKEN.1, "emulator-password-not-a-secret"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    for needed in ["shown-1", "shown-2", "has_password", "emulator-user", "and more"] {
        assert!(text.contains(needed), "{needed}: {text}");
    }
    let strict = Cloud::with(|builder| builder.strict(true));
    assert_eq!(strict.get(&format!("/v1/{PROJECT}/training-jobs?canary-1-")).status, 400);
    let text = format!("{:?}", strict.emulator().take_exchanges());
    assert!(text.contains("the parameter ***") && !text.contains("canary"), "{text}");
}

#[test]
fn a_host_that_is_none_is_rejected_and_in_no_address() {
    let cloud = Cloud::with(|builder| builder.allow_host("here"));
    let sign_in = sign_in("emulator-password-not-a-secret");
    for host in
        ["", "a b", "user:pass@here", "here/there", "here:port", "here:99999", "h\u{e4}", "<here>", "here?x", ":80"]
    {
        for (method, path) in
            [("POST", "/v3/auth/tokens"), ("GET", "/v3"), ("GET", "/nope"), ("GET", "/_emulator/health")]
        {
            let body = if method == "POST" { sign_in.as_bytes() } else { b"" };
            let rejected = cloud.send(method, path, &[("host", host), JSON], body);
            let text = String::from_utf8(rejected.body.clone()).unwrap();
            assert!(rejected.status == 400 && text.contains("The header Host"), "{host} {path} {rejected:?}");
        }
    }
    let path = format!("/v1/{PROJECT}/training-jobs");
    let two = cloud.send("GET", &path, &[TOKEN, ("host", "a"), ("host", "a")], b"");
    assert_eq!((two.status, message(&two, "/v1").contains("more than once")), (400, true));
    let none = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n\r\n");
    let none = reply(&exchange(&cloud.endpoint, none.as_bytes()).unwrap());
    assert_eq!((none.status, message(&none, "/v1").contains("missing")), (400, true));
    let old = reply(&exchange(&cloud.endpoint, b"GET /v3 HTTP/1.0\r\n\r\n").unwrap());
    assert!(String::from_utf8(old.body).unwrap().contains(&cloud.endpoint), "HTTP/1.0 has none");
    for host in ["here", "here:8080", "here:", "127.0.0.1", "[::1]:443"] {
        let given = cloud.send("POST", "/v3/auth/tokens", &[("host", host), JSON], sign_in.as_bytes());
        assert_eq!(given.status, 201, "{host}");
        assert!(given.json()["token"]["catalog"].to_string().contains(&format!("http://{host}/v3")), "{host}");
    }
}

/// The HTTP layer rejects unparsable requests with only a status.
#[test]
fn what_is_no_request_has_a_bare_response() {
    let cloud = Cloud::new();
    let head = |line: &str, more: &str| format!("{line}\r\nhost: localhost\r\n{more}\r\n").into_bytes();
    let list = format!("GET /v1/{PROJECT}/training-jobs HTTP/1.1");
    for (sent, status) in [
        (b"hello\r\n\r\n".to_vec(), Some(400)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), Some(400)),
        (head("GET / HTTP/3.0", ""), Some(400)),
        (head("GET /v1 /x HTTP/1.1", ""), Some(400)),
        (head(&list, "bad name: x\r\n"), Some(400)),
        (head(&list, "a: \u{1}\r\n"), Some(400)),
        (head(&list, "a: b\r\n c\r\n"), Some(400)),
        (head(&list, "content-length: x\r\n"), Some(400)),
        (head(&list, "content-length: 1\r\ncontent-length: 2\r\n"), Some(400)),
        (head(&list, "transfer-encoding: gzip\r\n"), Some(400)),
        (head(&format!("GET /{} HTTP/1.1", "x".repeat(64 * 1024)), ""), Some(414)),
        (head(&list, &"a: b\r\n".repeat(100)), Some(431)),
        (head(&list, &format!("a: {}\r\n", "b".repeat(4 * 1024 * 1024))), Some(431)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), None),
    ] {
        let shown = String::from_utf8_lossy(&sent[..sent.len().min(60)]).into_owned();
        let response = match exchange(&cloud.endpoint, &sent) {
            Ok(response) => response,
            // The server responded and closed before it read everything.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => continue,
            Err(error) => panic!("{shown}: {error}"),
        };
        match status {
            None => assert!(response.is_empty(), "{shown}"),
            Some(status) => {
                let response = reply(&response);
                assert_eq!((response.status, response.body.len()), (status, 0), "{shown}");
                assert_eq!(
                    (response.header("connection"), response.header("x-request-id")),
                    (Some("close"), None),
                    "{shown}"
                );
            }
        }
    }
    assert!(cloud.emulator().take_exchanges().is_empty(), "they are not recorded");
    assert_eq!(cloud.control("GET", "/health", None).json()["requests"], 0);
}

#[test]
fn a_state_begins_anew_as_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let described =
        |cloud: &Cloud| cloud.get(&format!("/v1/{PROJECT}/training-jobs")).json()["job_total_count"].clone();
    let snapshot = {
        let other = Cloud::new();
        other.update("of the snapshot");
        other.emulator().snapshot().unwrap()
    };
    for (name, builder, count) in [
        ("empty", Emulator::builder().empty(), 0),
        ("documented", Emulator::builder(), 3),
        ("snapshot", Emulator::builder().load(snapshot.clone()), 3),
    ] {
        let file = folder.path().join(name);
        let first = Cloud::with(|_| builder.data(&file));
        let before = described(&first);
        assert!(before == count && !first.emulator().is_resumed(), "{name} {before}");
        first.update("changed");
        drop(first);
        // The same file without options keeps its state, and a reset returns to its own origin.
        let second = Cloud::with(|builder| builder.data(&file));
        assert!(second.emulator().is_resumed(), "{name}");
        second.emulator().faults().add(Fault::status(503)).unwrap();
        // Another state is loaded, which is not the origin.
        assert_eq!(second.control("PUT", "/state", Some(&json!({"format": 1, "tables": {}}))).status, 204);
        drop(second);
        let third = Cloud::with(|builder| builder.data(&file));
        assert_eq!(described(&third), 0, "{name}: what was loaded is there");
        assert_eq!(third.control("DELETE", "/state", None).status, 204);
        assert_eq!(described(&third), count, "{name}");
        if count > 0 {
            let text = if name == "snapshot" { "of the snapshot" } else { "This is ModelArts job" };
            assert_eq!(third.description(), text);
        }
        assert_eq!(third.emulator().faults().add(Fault::status(503)).unwrap(), 1, "{name}: faults too");
        drop(third);
        let runtime = Runtime::new().unwrap();
        let rejected = runtime.block_on(Emulator::builder().data(&file).load(snapshot.clone()).start()).unwrap_err();
        let said = rejected.to_string();
        assert!(said.contains(file.to_str().unwrap()) && said.contains("holds a state already"), "{said}");
        assert_eq!(described(&Cloud::with(|builder| builder.data(&file))), count, "{name}: nothing was replaced");
    }
}

#[test]
fn names_and_secrets_that_no_client_could_send_are_rejected() {
    let runtime = Runtime::new().unwrap();
    let builder = Emulator::builder;
    for (told, named) in [
        (builder().domain(""), "account"),
        (builder().user("", "p"), "user"),
        (builder().user("u", ""), "user"),
        (builder().key("A B", "s"), "access key"),
        (builder().key("A/B", "s"), "access key"),
        (builder().key("", "s"), "access key"),
        (builder().key("A", ""), "secret key"),
        (builder().temporary_key("A", "s", ""), "token"),
        (builder().temporary_key("A", "s", "t t"), "token"),
        (builder().token(""), "token"),
        (builder().data(":memory:"), "no name of a file"),
        (builder().data(""), "no name of a file"),
    ] {
        let said = runtime.block_on(told.start()).unwrap_err().to_string();
        assert!(said.contains(named), "{named}: {said}");
    }
}

#[test]
fn slow_clients_are_cut_off() {
    let cloud = Cloud::with(|builder| builder.client_time(Duration::from_millis(200)));
    let started = Instant::now();
    for head in ["", "GET /v1", "GET / HTTP/1.1\r\nhost: localhost\r\n"] {
        let response = exchange(&cloud.endpoint, head.as_bytes()).unwrap();
        assert!(response.is_empty(), "{}", String::from_utf8_lossy(&response));
    }
    let head = format!("PUT {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{{", training_job());
    let response = reply(&exchange(&cloud.endpoint, head.as_bytes()).unwrap());
    assert_eq!((response.status, response.header("connection")), (408, Some("close")));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(cloud.update("still here").status, 200);
}

#[test]
fn a_stop_waits_for_what_has_begun() {
    let mut cloud = Cloud::new();
    cloud.emulator().faults().add(Fault::delay(Duration::from_millis(300)).times(1)).unwrap();
    let mut idle = TcpStream::connect(cloud.endpoint.trim_start_matches("http://")).unwrap();
    let mut busy = TcpStream::connect(cloud.endpoint.trim_start_matches("http://")).unwrap();
    let request =
        format!("GET /v1/{PROJECT}/training-jobs HTTP/1.1\r\nhost: localhost\r\n{}: {}\r\n\r\n", TOKEN.0, TOKEN.1);
    busy.write_all(request.as_bytes()).unwrap();
    while !cloud.emulator().faults().list().is_empty() {
        std::thread::yield_now();
    }
    let emulator = cloud.emulator.take().unwrap();
    cloud.runtime.block_on(emulator.stop());
    let (mut response, mut nothing) = (Vec::new(), Vec::new());
    busy.read_to_end(&mut response).unwrap();
    assert_eq!(reply(&response).status, 200);
    // The connection may be reset without a response.
    let _ = idle.read_to_end(&mut nothing);
    assert!(nothing.is_empty());
    assert!(TcpStream::connect(cloud.endpoint.trim_start_matches("http://")).is_err(), "nobody listens any more");
}

#[test]
fn faults_hit_what_they_name_as_often_as_they_say() {
    let cloud = Cloud::new();
    let faults = cloud.emulator().faults();
    faults.add(Fault::status(503).on("update_training_job").times(2)).unwrap();
    assert_eq!(cloud.get(&format!("/v1/{PROJECT}/training-jobs")).status, 200);
    let statuses: Vec<u16> = (0..3).map(|_| cloud.update("x").status).collect();
    assert_eq!(statuses, [503, 503, 200]);
    assert!(faults.list().is_empty());

    for (status, code, path, shown) in [
        (429, None, "/v1/", "APIG.0308"),
        (401, None, "/v1/", "APIG.0301"),
        (500, None, "/v1/", "ModelArts.0010"),
        (404, None, "/v1/", "ModelArts.0102"),
        (200, Some("ModelArts.0105"), "/v1/", "ModelArts.0105"),
        (502, Some("APIGW.0202"), "/v1/", "APIGW.0202"),
    ] {
        faults.add(code.map_or(Fault::status(status), |code| Fault::code(status, code)).times(1)).unwrap();
        let failed = cloud.update("x");
        assert_eq!((failed.status, &failed.json()["error_code"]), (status, &json!(shown)));
        message(&failed, path);
    }
    let seen = cloud.emulator().take_exchanges().pop().unwrap();
    assert_eq!((seen.verdict, seen.status), (Verdict::Fault, 502));

    for (fault, reason) in [
        (Fault::status(503).times(0), "count"),
        (Fault::delay(Duration::from_secs(3601)), "milliseconds"),
        (Fault::status(503).on("update_everything"), "update_everything"),
        (Fault::status(302), "302"),
        (Fault::status(503).with_probability(0.0), "probability"),
        (Fault::status(503).with_probability(f64::NAN), "probability"),
        (Fault::code(503, ""), "empty"),
        (Fault::new(FaultAction::Throttle { requests: 1, seconds: 0 }), "seconds"),
        (Fault::new(FaultAction::Length { by: 0 }), "by"),
    ] {
        let rejected = faults.add(fault).unwrap_err().to_string();
        assert!(rejected.contains(reason), "{rejected}");
    }
}

#[test]
fn a_status_on_command_has_a_code_that_goes_with_it() {
    let cloud = Cloud::new();
    let gateway = [
        (401, "APIG.0301"),
        (403, "APIG.0302"),
        (405, "APIG.0101"),
        (413, "APIG.0201"),
        (429, "APIG.0308"),
        (502, "APIG.0202"),
        (503, "APIG.0613"),
        (504, "APIG.0203"),
    ];
    let families = [
        ("PUT", training_job(), [(400, "ModelArts.0104"), (404, "ModelArts.0102"), (500, "ModelArts.0010")]),
        (
            "PUT",
            format!("/v1/{PROJECT}/annotation-jobs/{LABELING_JOB}"),
            [(400, "ModelArts.0104"), (404, "ModelArts.0102"), (500, "ModelArts.0010")],
        ),
        ("PATCH", format!("/v1.1/{PROJECT}/jobs/{MRS_JOB}"), [(400, "12000002"), (404, "0176"), (500, "0193")]),
    ];
    for (method, path, own) in families {
        for (status, code) in own.into_iter().chain(gateway) {
            cloud.emulator().faults().add(Fault::status(status).times(1)).unwrap();
            let failed = cloud.send(method, &path, &[TOKEN, JSON], b"{}");
            assert_eq!((failed.status, &failed.json()["error_code"]), (status, &json!(code)), "{path}");
            assert!(!message(&failed, &path).is_empty(), "{path} {status}");
            assert_eq!(failed.json().get("request_id").is_some(), code.starts_with("APIG"), "{path} {status}");
        }
    }
    // IAM has no codes except statuses; the gateway has its own errors.
    for status in [400, 401, 403, 404, 500, 503] {
        cloud.emulator().faults().add(Fault::status(status).times(1)).unwrap();
        let failed = cloud.get("/v3/auth/projects");
        assert_eq!((failed.status, &failed.json()["error"]["code"]), (status, &json!(status)));
        assert!(!message(&failed, "/v3").is_empty(), "{status}");
    }
    cloud.emulator().faults().add(Fault::status(429).times(1)).unwrap();
    assert_eq!(cloud.get("/v3/auth/projects").json()["error_code"], "APIG.0308");
}

#[test]
fn faults_break_connections() {
    let cloud = Cloud::new();
    let faults = cloud.emulator().faults();
    let request = |text: &str| {
        let body = json!({"job_desc": text}).to_string();
        format!(
            "PUT {} HTTP/1.1\r\nhost: localhost\r\n{}: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            training_job(),
            TOKEN.0,
            TOKEN.1,
            body.len()
        )
    };
    faults.add(Fault::new(FaultAction::Reset).times(1)).unwrap();
    let error = exchange(&cloud.endpoint, request("reset").as_bytes()).unwrap_err();
    assert_eq!((error.kind(), &*cloud.description()), (std::io::ErrorKind::ConnectionReset, "This is ModelArts job"));

    faults.add(Fault::new(FaultAction::Reset).times(1).after()).unwrap();
    exchange(&cloud.endpoint, request("done, but who knows").as_bytes()).unwrap_err();
    assert_eq!(cloud.description(), "done, but who knows");

    faults.add(Fault::new(FaultAction::Cut { bytes: 5 }).times(1)).unwrap();
    let cut = reply(&exchange(&cloud.endpoint, request("cut").as_bytes()).unwrap());
    assert_eq!((cut.status, cut.body.as_slice(), cut.header("content-length")), (200, &b"{\"is_"[..], Some("19")));
    assert_eq!(cloud.description(), "cut");

    for (by, declared) in [(7, "26"), (-4, "15"), (-100, "0")] {
        faults.add(Fault::new(FaultAction::Length { by }).times(1)).unwrap();
        let wrong = reply(&exchange(&cloud.endpoint, request("length").as_bytes()).unwrap());
        assert_eq!((wrong.body.len(), wrong.header("content-length")), (19, Some(declared)));
    }

    faults.add(Fault::status(500).times(1).after()).unwrap();
    assert_eq!((cloud.update("after").status, &*cloud.description()), (500, "after"));

    faults.add(Fault::delay(Duration::from_millis(150)).times(1)).unwrap();
    faults.add(Fault::delay(Duration::from_millis(150)).times(1)).unwrap();
    faults.add(Fault::status(504).times(1)).unwrap();
    let started = Instant::now();
    assert_eq!(cloud.update("late").status, 504);
    assert!(started.elapsed() >= Duration::from_millis(300), "delays add up");
}

#[test]
fn a_throttle_lets_the_rate_pass_by_the_emulators_clock() {
    let cloud = Cloud::with(|builder| builder.time_scale(0.0));
    cloud.emulator().faults().add(Fault::new(FaultAction::Throttle { requests: 2, seconds: 10 })).unwrap();
    let statuses = || -> Vec<u16> { (0..3).map(|_| cloud.update("x").status).collect() };
    assert_eq!(statuses(), [200, 200, 429]);
    let rejected = cloud.update("x");
    assert_eq!((rejected.header("retry-after"), &rejected.json()["error_code"]), (Some("5"), &json!("APIG.0308")));
    cloud.emulator().advance_clock(Duration::from_secs(5)).unwrap();
    assert_eq!(statuses(), [200, 429, 429]);
    cloud.emulator().advance_clock(Duration::from_secs(3600)).unwrap();
    assert_eq!(statuses(), [200, 200, 429]);
}

#[test]
fn a_seed_decides_which_requests_a_probability_hits() {
    let run = |seed: u64| {
        let cloud = Cloud::with(|builder| builder.seed(seed));
        cloud.emulator().faults().add(Fault::status(503).with_probability(0.5)).unwrap();
        (0..40).map(|_| cloud.update("x").status).collect::<Vec<_>>()
    };
    let first = run(7);
    assert_eq!(first, run(7));
    assert_ne!(first, run(8));
    let hit = first.iter().filter(|status| **status == 503).count();
    assert!((5..=35).contains(&hit), "{hit} of 40");
}

/// The description of the control API.
fn description() -> Value {
    serde_saphyr::from_str(include_str!("../../openapi/emulator.yaml")).unwrap()
}

/// Validates a response of the control API with its description.
fn described(method: &str, path: &str, reply: &Reply) {
    let mut document = description();
    let path = path.split('?').next().unwrap();
    let template = if path.starts_with("/faults/") { "/faults/{fault_id}" } else { path };
    let responses = &document["paths"][template][method.to_lowercase()]["responses"];
    // Statuses of methods and paths that are not described are those of the server.
    if responses.is_null() {
        return;
    }
    let class = format!("{}XX", reply.status / 100);
    let mut response =
        responses.get(reply.status.to_string()).or(responses.get(&class)).unwrap_or(&Value::Null).clone();
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(&reference[1..]).unwrap().clone();
    }
    assert!(response.is_object(), "{method} {path}: {} is not described", reply.status);
    assert!(reply.header("x-request-id").is_some());
    let schema = response.pointer("/content/application~1json/schema");
    assert_eq!(schema.is_some(), !reply.body.is_empty(), "{method} {path}");
    let Some(schema) = schema else { return };
    nullable_in_2020(&mut document["components"]);
    let schema = json!({"$ref": schema["$ref"], "components": document["components"]});
    let validator = jsonschema::validator_for(&schema).unwrap();
    if let Some(error) = validator.iter_errors(&reply.json()).next() {
        panic!("{method} {path}: {error} at {}", error.instance_path());
    }
}

/// OpenAPI 3.0 says `nullable` beside the type, JSON Schema has a type for it.
fn nullable_in_2020(value: &mut Value) {
    if value["nullable"] == true {
        value["type"] = json!([value["type"], "null"]);
    }
    // Bounds of that name are flags in the one and numbers in the other.
    if let Some(fields) = value.as_object_mut() {
        fields.remove("exclusiveMinimum");
        fields.values_mut().for_each(nullable_in_2020);
    } else if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(nullable_in_2020);
    }
}

#[test]
fn the_control_api_takes_its_documented_requests() {
    let document = description();
    let cloud = Cloud::new();
    let mut requests = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            let empty = Map::new();
            let bodies = operation.pointer("/requestBody/content/application~1json/examples");
            let bodies = bodies.and_then(Value::as_object).unwrap_or(&empty);
            if path.contains('{') {
                cloud.emulator().faults().add(Fault::status(500)).unwrap();
            }
            let target =
                path.replace("{fault_id}", &cloud.emulator().faults().list().first().map_or(1, |f| f.id).to_string());
            // What does not end is read elsewhere.
            if operation.pointer("/responses/200/content/text~1event-stream").is_some() {
                continue;
            }
            let query = operation["parameters"].as_array().into_iter().flatten().find(|it| it["in"] == "query");
            let target = query.map_or(target.clone(), |it| {
                let value = utf8_percent_encode(it["example"].as_str().unwrap(), NON_ALPHANUMERIC).to_string();
                format!("{target}?{}={value}", it["name"].as_str().unwrap())
            });
            let send = |body| cloud.control(&method.to_uppercase(), &target, body);
            let responses: Vec<Reply> = match bodies.is_empty() {
                true => vec![send(None)],
                false => bodies.values().map(|example| send(Some(&example["value"]))).collect(),
            };
            for response in responses {
                requests += 1;
                assert!((200..300).contains(&response.status), "{method} {path}: {response:?}");
            }
        }
    }
    assert_eq!(requests, 21);
    for (method, path, body, status, named) in [
        ("GET", "/nothing", None, 404, "path"),
        ("DELETE", "/health", None, 405, "GET"),
        ("DELETE", "/faults/99", None, 404, "99"),
        ("DELETE", "/faults/x", None, 404, "path"),
        ("PATCH", "/clock", Some(json!({"advance": -1})), 400, "advance"),
        ("PATCH", "/clock", Some(json!({"scale": -1})), 400, "scale"),
        ("PATCH", "/clock", Some(json!({"advance": "1"})), 400, "advance"),
        ("PATCH", "/clock", Some(json!({"forward": 1})), 400, "forward"),
        ("PUT", "/transitions", Some(json!({"mode": "reads"})), 400, "reads"),
        ("PUT", "/transitions", Some(json!({"mode": "sometimes"})), 400, "mode"),
        ("POST", "/faults", Some(json!({"action": {"kind": "status", "status": 99}})), 400, "the least is 200"),
        ("POST", "/faults", Some(json!({"action": {"kind": "status", "status": 302}})), 400, "302"),
        ("POST", "/faults", Some(json!({"action": {"kind": "explode"}})), 400, "action"),
        ("POST", "/faults", Some(json!({"action": {"kind": "reset"}, "operations": ["x"]})), 400, "`x`"),
        ("PUT", "/state", Some(json!({"format": 99, "tables": {}})), 400, "newer version"),
        ("PUT", "/state", Some(json!({"format": 1, "tables": {"no_table": []}})), 400, "no_table"),
        ("PUT", "/state", Some(json!({"format": 1, "tables": {"sequence": [{"odd": 1}]}})), 400, "odd"),
        (
            "PUT",
            "/state",
            Some(json!({"format": 1, "tables": {"sequence": [{"name": "x", "last": "y"}]}})),
            400,
            "row 0",
        ),
        ("PUT", "/state", Some(json!([])), 400, "object"),
    ] {
        let rejected = cloud.control(method, path, body.as_ref());
        assert_eq!(rejected.status, status, "{method} {path} {body:?}: {rejected:?}");
        let said = rejected.json()["error_msg"].as_str().unwrap().to_owned();
        assert!(said.contains(named), "{method} {path} {body:?}: {said}");
    }
    assert_eq!(cloud.control("GET", "/health", None).json()["panics"], 0);
}

/// Requests that the control API rejects, with field and limit.
#[test]
fn the_control_api_takes_nothing_for_something_else() {
    let cloud = Cloud::new();
    let fault = |more: Value| {
        let mut fault = json!({"action": {"kind": "reset"}});
        fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fault
    };
    let action = |action: Value| json!({"action": action});
    let huge = 1_u64 << 63;
    for (method, path, body, named) in [
        ("PATCH", "/clock", json!([3600]), "object"),
        ("PATCH", "/clock", json!("3600"), "object"),
        ("PATCH", "/clock", json!({"advance": null}), "advance"),
        ("PATCH", "/clock", json!({"scale": null}), "scale"),
        ("PATCH", "/clock", json!({"scale": 1e10}), "the limit is 1000000000"),
        ("PATCH", "/clock", json!({"advance": 1e300}), "the limit is 252000000000"),
        ("PATCH", "/clock", json!({"advance": 252_000_000_000_u64}), "9999"),
        ("PATCH", "/clock", json!({"Advance": 1}), "Advance"),
        ("PUT", "/transitions", json!(["reads", 2]), "object"),
        ("PUT", "/transitions", json!({"mode": "clock", "reads": null}), "reads"),
        ("PUT", "/transitions", json!({"mode": "reads", "reads": -1}), "reads is invalid: it is -1, the least is 0"),
        ("PUT", "/transitions", json!({"mode": "reads", "reads": 1_u64 << 31}), "the limit is 2147483647"),
        ("PUT", "/transitions", json!({"mode": "reads", "reads": 2, "read": 2}), "read"),
        ("POST", "/faults", json!([[], 1, 1.0, false, {"kind": "reset"}]), "object"),
        ("POST", "/faults", action(json!(["status", 503])), "action"),
        ("POST", "/faults", action(json!({"kind": "reset", "bytes": 1})), "bytes"),
        ("POST", "/faults", action(json!({"kind": "status", "status": 503, "retry-after": 1})), "retry-after"),
        ("POST", "/faults", action(json!({"kind": "status", "status": 503, "code": null})), "action.code"),
        ("POST", "/faults", action(json!({"kind": "status", "status": 503.5})), "action.status"),
        (
            "POST",
            "/faults",
            action(json!({"kind": "status", "status": 503, "retry_after": 1_u64 << 32})),
            "action.retry_after",
        ),
        ("POST", "/faults", action(json!({"kind": "delay", "milliseconds": 3_600_001})), "the limit is 3600000"),
        ("POST", "/faults", action(json!({"kind": "delay"})), "milliseconds"),
        ("POST", "/faults", action(json!({"kind": "cut", "bytes": -1})), "action.bytes"),
        ("POST", "/faults", action(json!({"kind": "length", "by": huge})), "action.by"),
        ("POST", "/faults", action(json!({"kind": "throttle", "requests": 1, "seconds": 0})), "action.seconds"),
        ("POST", "/faults", fault(json!({"count": 0})), "count is invalid: it is 0, the least is 1"),
        ("POST", "/faults", fault(json!({"count": null})), "count"),
        ("POST", "/faults", fault(json!({"count": huge})), "count"),
        ("POST", "/faults", fault(json!({"probability": 1.5})), "probability is invalid: it is 1.5, the limit is 1"),
        ("POST", "/faults", fault(json!({"probability": -0.5})), "probability"),
        ("POST", "/faults", fault(json!({"probability": 0})), "probability"),
        ("POST", "/faults", fault(json!({"operation": ["update_training_job"]})), "operation"),
        ("POST", "/faults", fault(json!({"operations": "update_training_job"})), "operations"),
        ("PUT", "/state", json!({"format": 0, "tables": {}}), "it has format 0"),
        ("PUT", "/state", json!({"format": 1, "tables": {}, "extra": 1}), "extra"),
        ("PUT", "/state", json!({"format": 1, "tables": []}), "tables"),
    ] {
        let rejected = cloud.control(method, path, Some(&body));
        let said = rejected.json()["error_msg"].as_str().unwrap_or_default().to_owned();
        assert!(rejected.status == 400 && said.contains(named), "{method} {path} {body}: {} {said}", rejected.status);
    }
    let misspelled = cloud.send("GET", "/_emulator/requests?latest=1", &[], b"");
    assert_eq!(misspelled.status, 400);
    assert!(misspelled.json()["error_msg"].as_str().unwrap().contains("`latest`"), "{misspelled:?}");
    assert_eq!(cloud.control("GET", "/faults", None).json(), json!({"faults": []}), "nothing was taken");
    assert_eq!(cloud.control("GET", "/health", None).json()["panics"], 0);
}

#[test]
fn the_clock_stops_where_times_have_no_form_any_more() {
    let cloud = Cloud::with(|builder| builder.seed(1));
    let far = Duration::from_secs(1_000_000_000_000);
    assert!(cloud.emulator().advance_clock(far).unwrap_err().to_string().contains("9999"));
    assert!(cloud.emulator().advance_clock(Duration::MAX).is_err());
    let now = cloud.control("GET", "/clock", None).json()["now"].as_i64().unwrap();
    let left = (253_370_764_800_000 - now) / 1000;
    let moved = cloud.control("PATCH", "/clock", Some(&json!({"advance": left, "scale": 1e9})));
    assert_eq!((moved.status, &moved.json()["time"]), (200, &json!("9999-01-01T00:00:00Z")));
    assert_eq!(cloud.control("PATCH", "/clock", Some(&json!({"advance": 1}))).status, 400);
    let listed = cloud.get(&format!("/v1/{PROJECT}/training-jobs"));
    assert_eq!((listed.status, listed.header("date")), (200, Some("Fri, 01 Jan 9999 00:00:00 GMT")));
    let token = cloud.send("POST", "/v3/auth/tokens", &[JSON], sign_in("emulator-password-not-a-secret").as_bytes());
    assert_eq!((token.status, &token.json()["token"]["expires_at"]), (201, &json!("9999-01-02T00:00:00.000000Z")));
    assert_eq!(cloud.control("GET", "/health", None).json()["panics"], 0);
}

fn sign_in(password: &str) -> String {
    let user = json!({"name": "emulator-user", "password": password, "domain": {"name": "emulator-domain"}});
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}).to_string()
}

#[test]
fn the_control_api_is_for_this_machine_and_no_web_page() {
    let cloud = Cloud::new();
    let own = cloud.endpoint.trim_start_matches("http://").to_owned();
    let port = own.rsplit(':').next().unwrap();
    let fault = json!({"action": {"kind": "reset"}}).to_string();
    let (page, here) = ("http://evil.example".to_owned(), format!("http://localhost:{port}"));
    for (headers, status) in [
        (vec![("host", "evil.example")], 403),
        (vec![("host", "127.0.0.1.evil.example")], 403),
        (vec![("host", "192.0.2.1")], 403),
        (vec![("host", own.as_str()), ("origin", page.as_str())], 403),
        (vec![("host", own.as_str()), ("origin", "null")], 403),
        (vec![("host", own.as_str()), ("sec-fetch-site", "cross-site")], 403),
        (vec![("host", own.as_str()), ("sec-fetch-site", "same-site")], 403),
        (vec![("host", own.as_str())], 201),
        (vec![("host", "[::1]:80")], 201),
        (vec![("host", &here["http://".len()..]), ("origin", here.as_str())], 201),
    ] {
        let headers: Vec<_> = headers.into_iter().chain([JSON]).collect();
        let returned = cloud.send("POST", "/_emulator/faults", &headers, fault.as_bytes());
        assert_eq!(returned.status, status, "{headers:?}");
        cloud.emulator().faults().clear();
    }
    let form = cloud.send("POST", "/_emulator/faults", &[("content-type", "text/plain")], fault.as_bytes());
    assert_eq!(form.status, 400, "what a form of a page can send is not taken");
}

#[test]
fn a_snapshot_makes_the_same_emulator_again() {
    let first = Cloud::with(|builder| builder.transitions(Transitions::AtOnce).seed(5));
    first.update("kept");
    let created = json!({"name": "a-binary", "url": "/a.jar", "description": ""});
    let binaries = format!("/v1.1/{PROJECT}/job-binaries");
    assert_eq!(first.send("POST", &binaries, &[TOKEN, JSON], created.to_string().as_bytes()).status, 202);
    first.emulator().advance_clock(Duration::from_secs(86_400)).unwrap();
    let snapshot = first.control("GET", "/state", None).json();
    assert_eq!(snapshot, first.emulator().snapshot().unwrap());

    let second = Cloud::with(|builder| builder.empty());
    assert_eq!(second.control("PUT", "/state", Some(&snapshot)).status, 204);
    let third = Cloud::with(|builder| builder.load(snapshot.clone()));
    for cloud in [&second, &third] {
        assert_eq!(cloud.description(), "kept");
        for path in [&binaries, &format!("/v1/{PROJECT}/visualization-jobs"), &format!("/v1.1/{PROJECT}/jobs")] {
            assert_eq!(cloud.get(path).json(), first.get(path).json());
        }
        assert_eq!(cloud.emulator().now(), first.emulator().now());
        let broken = cloud.control("PUT", "/state", Some(&json!({"format": 1, "tables": {"training_job": [1]}})));
        assert_eq!((broken.status, &*cloud.description()), (400, "kept"), "what cannot be loaded changes nothing");
    }
    // Ids continue.
    let ids = |cloud: &Cloud| {
        let created = json!({"name": "another", "url": "/a.jar", "description": ""}).to_string();
        cloud.send("POST", &binaries, &[TOKEN, JSON], created.as_bytes()).json()["job_binary"]["id"].clone()
    };
    assert_eq!(ids(&third), ids(&first));

    first.emulator().faults().add(Fault::status(503)).unwrap();
    assert_eq!(first.control("DELETE", "/state", None).status, 204);
    assert_eq!((&*first.description(), first.emulator().faults().list().len()), ("This is ModelArts job", 0));
    assert_eq!(first.emulator().take_exchanges().len(), 1);
}

#[test]
fn a_seed_fixes_every_byte() {
    let run = || -> Vec<String> {
        let cloud = Cloud::with(|builder| builder.seed(42));
        let created = json!({"name": "b", "url": "/a.jar", "description": ""}).to_string();
        let binaries = format!("/v1.1/{PROJECT}/job-binaries");
        let fault = json!({"probability": 0.5, "operations": ["list_training_jobs"], "action": {"kind": "reset"}});
        let fault = fault.to_string();
        let jobs = format!("/v1/{PROJECT}/training-jobs");
        let sign_in = sign_in("emulator-password-not-a-secret");
        let requests: Vec<(&str, &str, &str)> = vec![
            ("POST", &binaries, &created),
            ("POST", "/v3/auth/tokens", &sign_in),
            ("GET", &binaries, ""),
            ("GET", "/nope", ""),
            ("GET", "/v1/x/training-jobs?page=0x1", ""),
            ("GET", "/_emulator/clock", ""),
            ("PATCH", "/_emulator/clock", r#"{"advance": 86400}"#),
            ("GET", "/_emulator/state", ""),
            ("GET", "/_emulator/summary", ""),
            ("GET", "/_emulator/requests", ""),
            ("DELETE", "/_emulator/state", ""),
            ("POST", "/_emulator/faults", &fault),
            ("GET", &jobs, ""),
            ("GET", &jobs, ""),
            ("GET", &jobs, ""),
            ("POST", &binaries, &created),
            ("GET", "/_emulator/state", ""),
            ("GET", "/", ""),
            ("GET", "/_emulator/faults", ""),
            ("GET", "bad target", ""),
        ];
        let responses = requests.into_iter().map(|(method, target, body)| {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{}: {}\r\n{}: {}\r\n\
                 content-length: {}\r\n\r\n{body}",
                TOKEN.0,
                TOKEN.1,
                JSON.0,
                JSON.1,
                body.len()
            );
            match exchange(&cloud.endpoint, request.as_bytes()) {
                Ok(bytes) => String::from_utf8(bytes).unwrap(),
                Err(error) => error.kind().to_string(),
            }
        });
        responses.collect()
    };
    let first = run();
    // The real time passes between the two; its second is what `Date` shows.
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    while std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() == started {
        std::thread::yield_now();
    }
    for (index, (first, second)) in first.iter().zip(run()).enumerate() {
        assert_eq!(*first, second, "response {index}");
    }
    assert!(first[0].contains("\r\ndate: Sun, 01 Jan 2040 00:00:00 GMT\r\n"), "{}", first[0]);
    assert!(first[6].contains("\r\ndate: Mon, 02 Jan 2040 00:00:00 GMT\r\n"), "{}", first[6]);
}

/// The time for the search of a counterexample to each of the two properties below.
fn fuzz_time() -> Duration {
    let seconds = std::env::var("HWJOBS_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(2);
    Duration::from_secs(seconds) / 2
}

/// Tests a property repeatedly within the time, with one emulator that must be healthy at the end.
fn fuzz<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, sent: impl Fn(&T) -> Vec<u8>) {
    let cloud = Cloud::with(|builder| builder.client_time(Duration::from_secs(5)));
    let (started, mut tried) = (Instant::now(), 0_u64);
    while started.elapsed() < fuzz_time() {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let outcome = runner.run(&strategy, |input| {
            let mut stream = TcpStream::connect(cloud.endpoint.trim_start_matches("http://")).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let _ = stream.write_all(&sent(&input));
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut response = Vec::new();
            match stream.read_to_end(&mut response) {
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
                outcome => prop_assert!(outcome.is_ok(), "it hangs: {outcome:?}"),
            }
            for line in response.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"HTTP/1.1 ")) {
                // Some codes of requests that are wrong are documented with 500; those of defects are these.
                let text = String::from_utf8_lossy(&response);
                let is_defect = ["\"error_code\"", "0193", "ModelArts.0010"].map(|part| text.contains(part));
                prop_assert!(line[9] != b'5' || is_defect == [true, false, false], "{text}");
            }
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{error}");
        }
        tried += 64;
    }
    let health = cloud.control("GET", "/health", None).json();
    assert_eq!(health["panics"], 0);
    println!("{tried} inputs, {} requests returned", health["requests"]);
}

#[test]
fn arbitrary_bytes_are_no_failure_of_the_server() {
    let line = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "(GET|PUT|POST|X) (/|/v1/[a-z0-9%]{0,9}/training-jobs|/v3/auth/tokens|\\*|http://a/) HTTP/1\\.[01]\r\n"
            .prop_map(String::into_bytes),
        "(host|content-length|transfer-encoding|expect|x-auth-token|authorization): ?[ -~]{0,40}\r\n"
            .prop_map(String::into_bytes),
        Just(b"\r\n".to_vec()),
        Just(b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec()),
    ];
    fuzz(proptest::collection::vec(line, 0..8), |parts| parts.concat());
}

/// Values that JSON can represent, and some that it cannot.
fn jsonish() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| value.to_string()),
        "-?[0-9]{1,40}([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| json!(text).to_string()),
        "\"(\\\\u[0-9a-fA-F]{4}|[a-z])*\"",
        "[ -~]{0,9}",
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![
            "(job_desc|job_name|name|type|mains|libs|config|auth|identity|description|url|interface|schedule|spec_id)"
                .prop_map(|name| json!(name).to_string()),
            any::<String>().prop_map(|text| json!(text).to_string()),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((name, inner), 0..6).prop_map(|fields| {
                let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

#[test]
fn arbitrary_requests_for_each_operation_are_no_failure_of_the_server() {
    let operations: Vec<(String, String)> = spec::documents()
        .iter()
        .flat_map(|document| document.operations())
        .map(|operation| (operation.method.to_uppercase(), operation.path.replace("{project_id}", PROJECT)))
        .collect();
    let text = || {
        prop_oneof![
            "[0-9]{1,20}",
            any::<String>().prop_map(|text| form_urlencoded::byte_serialize(text.as_bytes()).collect()),
            "[!-~]{0,12}"
        ]
    };
    let query = proptest::collection::vec(
        ("(page|per_page|limit|marker|sortBy|sort_by|order|status|search_content|offset|[a-z]{1,4})", text()),
        0..4,
    );
    let input = (proptest::sample::select(operations), text(), query, jsonish());
    fuzz(input, |((method, path), id, query, body)| {
        let mut parts = path.split('/').map(|part| if part.starts_with('{') { id.as_str() } else { part });
        let first = parts.next().unwrap_or_default().to_owned();
        let target = parts.fold(first, |target, part| target + "/" + part);
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "{method} {target}?{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{}: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            query.join("&"),
            TOKEN.0,
            TOKEN.1,
            body.len()
        )
        .into_bytes()
    });
}
