//! MRS on the emulator: each documented example over HTTP, and what the objects do beyond the examples.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;

use http::Method;
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::spec;
use serde_json::{Value, json};

/// An emulator and a client that checks nothing.
struct Cloud {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Cloud {
    async fn documented() -> Self {
        Self::new(Emulator::start().await.unwrap())
    }

    async fn empty() -> Self {
        Self::new(Emulator::builder().empty().start().await.unwrap())
    }

    fn new(emulator: Emulator) -> Self {
        // The first of the tests of this process installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { emulator, http: reqwest::Client::new() }
    }

    /// Status and body of the answer; the path is that below the project.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/v1.1/{}/{path}", self.emulator.endpoint(), self.emulator.project_id());
        let mut request = self.http.request(method, url).header("x-auth-token", "emulator-token-not-a-secret");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    /// What is created, without its wrapper.
    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, Some(&body)).await;
        assert!(status == 202 || status == 200, "{path}: {status} {answer}");
        answer.as_object().unwrap().values().next().unwrap().clone()
    }

    /// Status and code of a refusal.
    async fn refused(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String, String) {
        let (status, answer) = self.call(method, path, body.as_ref()).await;
        assert!((400..500).contains(&status), "{path}: {status} {answer}");
        let text = |field: &str| answer[field].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (status, text("error_code"), text("error_msg"))
    }
}

/// The path and query of an example, below the project.
fn target(operation: spec::load::Operation<'_>, parameters: &serde_json::Map<String, Value>) -> String {
    let mut path = operation.path.strip_prefix("/v1.1/{project_id}/").unwrap().to_owned();
    let mut query = Vec::new();
    for (name, value) in parameters {
        let (slot, text) = (format!("{{{name}}}"), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if path.contains(&slot) {
            path = path.replace(&slot, &text);
        } else {
            query.push(format!("{name}={text}"));
        }
    }
    assert!(!path.contains('{'), "{path}");
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Where the emulator's answer is not the printed one, and why.
const OTHERWISE: [(&str, &str, &str); 9] = [
    ("execute_job", "/job_execution/cluster_id", "the printed answer belongs to another run than the request"),
    ("execute_job", "/job_execution/input_id", "the printed answer belongs to another run than the request"),
    ("execute_job", "/job_execution/output_id", "the printed answer belongs to another run than the request"),
    ("execute_job", "/job_execution/job_configs/args/0", "the printed answer has a blank more than the request"),
    ("submit_job", "/job_execution/is_protected", "the Chinese page prints null, the English one false"),
    ("list_job_exes", "/job_executions", "the page prints one of the ten on the first page"),
    ("list_job_exes", "/job_executions/0/cluster_id", "the printed answer is of another cluster than the request"),
    (
        "list_job_exes",
        "/job_executions/0/job_state",
        "the request asks for completed jobs, the answer prints a running one",
    ),
    ("create_job", "/job/libs/0/id", "the printed answer names another job binary than the request"),
];

/// What a value is, for those that differ from one call to the next.
fn kind(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let id = text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    match () {
        () if id => "id".to_owned(),
        () if text.parse::<jiff::civil::DateTime>().is_ok() && text.len() == 19 => "time".to_owned(),
        () if text.parse::<i64>().is_ok() => format!("{} digits", text.len()),
        () => text,
    }
}

/// Compares an answer with the printed one, field by field.
struct Comparison<'a> {
    operation: &'a str,
    /// Fields of which only the kind is the same.
    fresh: &'a [&'a str],
    project: &'a str,
    excused: &'a mut BTreeSet<&'static str>,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn differ(&mut self, place: &str, why: String) {
        match OTHERWISE.iter().find(|(operation, at, _)| *operation == self.operation && *at == place) {
            Some((_, at, _)) => {
                self.excused.insert(at);
            }
            None => self.differences.push(format!("{} {place}: {why}", self.operation)),
        }
    }

    fn compare(&mut self, place: &str, printed: &Value, answered: &Value) {
        let field = place.rsplit('/').next().unwrap();
        match (printed, answered) {
            (Value::Object(printed), Value::Object(answered)) => {
                for (name, value) in answered.iter().filter(|(name, _)| !printed.contains_key(*name)) {
                    self.differ(&format!("{place}/{name}"), format!("{value} is not printed"));
                }
                for (name, value) in printed {
                    let place = format!("{place}/{name}");
                    match answered.get(name) {
                        Some(answered) => self.compare(&place, value, answered),
                        None => self.differ(&place, "is missing".to_owned()),
                    }
                }
            }
            (Value::Array(printed), Value::Array(answered)) => {
                if printed.len() != answered.len() {
                    self.differ(place, format!("{} elements for {}", answered.len(), printed.len()));
                }
                for (index, (printed, answered)) in printed.iter().zip(answered).enumerate() {
                    self.compare(&format!("{place}/{index}"), printed, answered);
                }
            }
            _ if ["tenant_id", "create_by", "update_by", "user_id"].contains(&field) => {
                if answered != self.project {
                    self.differ(place, format!("{answered} is not the project"));
                }
            }
            _ if self.fresh.contains(&field) => {
                if kind(printed) != kind(answered) {
                    self.differ(place, format!("{answered} is not of the kind of {printed}"));
                }
            }
            // The Chinese pages print numbers and truth values as text.
            _ if printed == answered || printed.as_str() == Some(&answered.to_string()) => {}
            _ => self.differ(place, format!("{answered} instead of {printed}")),
        }
    }
}

#[tokio::test]
async fn every_documented_request_has_its_documented_answer() {
    let document = spec::documents().iter().find(|document| document.name() == "mrs").unwrap();
    let (mut requests, mut answers, mut excused, mut differences) = (0, 0, BTreeSet::new(), Vec::new());
    for operation in document.operations() {
        for example in document.examples(operation) {
            let Some(parameters) = example.parameters else {
                panic!("{} {}: an answer without a request", operation.id(), example.key)
            };
            let cloud = Cloud::documented().await;
            let method: Method = operation.method.to_ascii_uppercase().parse().unwrap();
            let (status, answer) = cloud.call(method, &target(operation, parameters), example.request).await;
            let place = format!("{} {}: {answer}", operation.id(), example.key);
            assert_eq!(Some(status), document.success_status(operation), "{place}");
            requests += 1;
            let Some((_, printed)) = example.response else { continue };
            let id = operation.id();
            let fresh: &[&str] = match operation.method {
                "post" => &["id", "group_id", "created_at", "updated_at", "start_time", "postpone_at"],
                _ if id.starts_with("update") || id.starts_with("cancel") => &["updated_at"],
                _ => &[],
            };
            let project = cloud.emulator.project_id();
            let mut comparison =
                Comparison { operation: id, fresh, project, excused: &mut excused, differences: Vec::new() };
            comparison.compare("", printed, &answer);
            differences.extend(comparison.differences);
            answers += 1;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    println!("{requests} documented requests, {answers} documented answers");
    assert_eq!((requests, answers), (42, 22));
    let listed: BTreeSet<_> = OTHERWISE.iter().map(|(_, at, _)| *at).collect();
    assert_eq!(excused, listed, "a difference that is listed is there");
}
