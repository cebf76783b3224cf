//! Tests of MRS on the emulator: each documented example over HTTP, and behaviour beyond the examples.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;

use http::Method;
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::spec;
use serde_json::{Value, json};

/// An emulator and a client without validation.
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
        // The first test of this process installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { emulator, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Status and body of the response; the path is that below the project.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/v1.1/{}/{path}", self.emulator.endpoint(), self.emulator.project_id());
        let mut request = self.http.request(method, url).header("x-auth-token", "emulator-token-not-a-secret");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    /// Returns the created object without its wrapper.
    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, response) = self.call(Method::POST, path, Some(&body)).await;
        assert!(status == 202 || status == 200, "{path}: {status} {response}");
        response.as_object().unwrap().values().next().unwrap().clone()
    }

    /// Returns status and code of an error.
    async fn rejected(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String, String) {
        let (status, response) = self.call(method, path, body.as_ref()).await;
        assert!((400..600).contains(&status), "{path}: {status} {response}");
        let text = |field: &str| response[field].as_str().unwrap_or_else(|| panic!("{response}")).to_owned();
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

/// The known differences between the emulator's and the documented responses, with reasons.
const OTHERWISE: [(&str, &str, &str); 8] = [
    ("execute_job", "/job_execution/cluster_id", "the printed response belongs to another run than the request"),
    ("execute_job", "/job_execution/input_id", "the printed response belongs to another run than the request"),
    ("execute_job", "/job_execution/output_id", "the printed response belongs to another run than the request"),
    ("execute_job", "/job_execution/job_configs/args/0", "the printed response has a blank more than the request"),
    ("submit_job", "/job_execution/is_protected", "the Chinese page prints null, the English one false"),
    ("list_job_exes", "/job_executions", "the page prints one of the ten on the first page"),
    ("list_job_exes", "/job_executions/0/cluster_id", "the printed response is of another cluster than the request"),
    (
        "list_job_exes",
        "/job_executions/0/job_state",
        "the request asks for completed jobs, the response prints a running one",
    ),
];

/// The kind of a value that differs between calls.
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

/// Compares a response with the documented one, field by field.
struct Comparison<'a> {
    operation: &'a str,
    /// Fields with the same kind, but other values.
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

    fn compare(&mut self, place: &str, printed: &Value, returned: &Value) {
        let field = place.rsplit('/').next().unwrap();
        match (printed, returned) {
            (Value::Object(printed), Value::Object(returned)) => {
                for (name, value) in returned.iter().filter(|(name, _)| !printed.contains_key(*name)) {
                    self.differ(&format!("{place}/{name}"), format!("{value} is not printed"));
                }
                for (name, value) in printed {
                    let place = format!("{place}/{name}");
                    match returned.get(name) {
                        Some(returned) => self.compare(&place, value, returned),
                        None => self.differ(&place, "is missing".to_owned()),
                    }
                }
            }
            (Value::Array(printed), Value::Array(returned)) => {
                if printed.len() != returned.len() {
                    self.differ(place, format!("{} elements for {}", returned.len(), printed.len()));
                }
                for (index, (printed, returned)) in printed.iter().zip(returned).enumerate() {
                    self.compare(&format!("{place}/{index}"), printed, returned);
                }
            }
            _ if ["tenant_id", "create_by", "update_by", "user_id"].contains(&field) => {
                if returned != self.project {
                    self.differ(place, format!("{returned} is not the project"));
                }
            }
            _ if self.fresh.contains(&field) => {
                if kind(printed) != kind(returned) {
                    self.differ(place, format!("{returned} is not of the kind of {printed}"));
                }
            }
            // The Chinese pages print numbers and booleans as strings.
            _ if printed == returned || printed.as_str() == Some(&returned.to_string()) => {}
            _ => self.differ(place, format!("{returned} instead of {printed}")),
        }
    }
}

#[tokio::test]
async fn every_documented_request_has_its_documented_response() {
    let document = spec::documents().iter().find(|document| document.name() == "mrs").unwrap();
    let (mut requests, mut responses, mut excused, mut differences) = (0, 0, BTreeSet::new(), Vec::new());
    for operation in document.operations() {
        for example in document.examples(operation) {
            let Some(parameters) = example.parameters else {
                panic!("{} {}: an response without a request", operation.id(), example.key)
            };
            let cloud = Cloud::new(Emulator::builder().as_printed(true).start().await.unwrap());
            let method: Method = operation.method.to_ascii_uppercase().parse().unwrap();
            let (status, response) = cloud.call(method, &target(operation, parameters), example.request).await;
            let place = format!("{} {}: {response}", operation.id(), example.key);
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
            comparison.compare("", printed, &response);
            differences.extend(comparison.differences);
            responses += 1;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    println!("{requests} documented requests, {responses} documented responses");
    assert_eq!((requests, responses), (42, 22));
    let listed: BTreeSet<_> = OTHERWISE.iter().map(|(_, at, _)| *at).collect();
    assert_eq!(excused, listed, "a difference that is listed is there");
}

/// A job binary, a data source and a job object to work with.
async fn objects(cloud: &Cloud) -> [String; 3] {
    let id = |object: Value| object["id"].as_str().unwrap().to_owned();
    let binary = id(cloud.post("job-binaries", json!({"name": "b", "url": "/b.jar", "description": ""})).await);
    let source = id(cloud.post("data-sources", json!({"name": "d", "url": "/d", "type": "hdfs"})).await);
    let job = id(cloud.post("jobs", json!({"name": "j", "type": "MapReduce", "libs": [binary]})).await);
    [binary, source, job]
}

/// Returns a request to execute a job.
fn execution(source: &str) -> Value {
    json!({"cluster_id": "c", "input_id": source, "output_id": source, "job_configs": {"args": ["wordcount"]}})
}

fn submission(name: &str, cluster: &str) -> Value {
    json!({"job_type": 1, "job_name": name, "cluster_id": cluster, "jar_path": "/program.jar"})
}

#[tokio::test]
async fn what_a_partial_update_leaves_out_stays() {
    let cloud = Cloud::empty().await;
    let [binary, source, job] = objects(&cloud).await;
    cloud.emulator.set_time_scale(0.0).unwrap();
    let kinds = [
        (
            Method::PUT,
            format!("job-binaries/{binary}"),
            vec!["name", "url", "description", "is_public", "is_protected"],
        ),
        (
            Method::PUT,
            format!("data-sources/{source}"),
            vec!["name", "url", "description", "is_public", "is_protected"],
        ),
        (
            Method::PATCH,
            format!("jobs/{job}"),
            vec!["name", "type", "description", "mains", "libs", "interface", "is_public", "is_protected"],
        ),
    ];
    for (method, path, fields) in kinds {
        let (_, body) = cloud.get(&path).await;
        let mut expected = body.as_object().unwrap().values().next().unwrap().clone();
        for field in fields {
            let value = match field {
                "type" => json!("DistCp"),
                "url" => json!("/elsewhere"),
                "mains" => json!([binary]),
                "libs" => json!([]),
                "interface" => json!([{"name": "n"}]),
                "is_public" | "is_protected" => json!(true),
                _ => json!(format!("new-{field}")),
            };
            cloud.emulator.advance_clock(std::time::Duration::from_secs(1)).unwrap();
            let (status, response) = cloud.call(method.clone(), &path, Some(&json!({field: value}))).await;
            assert_eq!(status, 202, "{response}");
            let changed = response.as_object().unwrap().values().next().unwrap();
            assert_ne!(changed["updated_at"], expected["updated_at"]);
            expected["updated_at"] = changed["updated_at"].clone();
            match field {
                "mains" => assert_eq!(changed["mains"][0]["id"], json!(binary)),
                _ => assert_eq!(changed[field], value),
            }
            expected[field] = changed[field].clone();
            assert_eq!(changed, &expected, "{path} {field}");
        }
        // An empty update changes nothing.
        let (status, response) = cloud.call(method, &path, Some(&json!({}))).await;
        assert_eq!(status, 202);
        let unchanged = response.as_object().unwrap().values().next().unwrap();
        assert_eq!(unchanged, &expected);
        assert_eq!(cloud.get(&path).await.1, response);
    }
}

#[tokio::test]
async fn what_is_unknown_is_told_in_each_operation() {
    let cloud = Cloud::documented().await;
    let binaries = json!({"description": ""});
    let (sources, jobs, run) = (json!({"type": "hdfs"}), json!({}), execution(""));
    let mut requests = vec![
        (Method::PUT, "job-binaries/nobody", Some(binaries)),
        (Method::PUT, "data-sources/nobody", Some(sources)),
        (Method::PATCH, "jobs/nobody", Some(jobs)),
        (Method::POST, "jobs/nobody/execute", Some(run)),
        (Method::GET, "job-executions/nobody/cancel", None),
        (Method::GET, "job-exes/nobody", None),
        // Runs of job objects are not exe objects, and markers must exist.
        (Method::GET, "job-exes/2c12ff33-da22-47b1-b51f-2828c16bbad8", None),
    ];
    for list in ["job-binaries", "data-sources", "jobs", "job-executions"] {
        for method in [Method::GET, Method::DELETE] {
            requests.push((method, Box::leak(format!("{list}/nobody").into_boxed_str()), None));
        }
        requests.push((Method::GET, Box::leak(format!("{list}?marker=nobody").into_boxed_str()), None));
    }
    for (method, path, body) in requests {
        let (status, code, message) = cloud.rejected(method, path, body).await;
        // Sahara's clients go by the status of objects; exe objects have the documented one of the code.
        let expected = if path.starts_with("job-exes/") { 500 } else { 404 };
        assert_eq!((status, code.as_str()), (expected, "0176"), "{path}: {message}");
        assert!(message.contains("nobody") || message.contains("2c12ff33"), "{message}");
    }
}

#[tokio::test]
async fn the_documented_rules_have_their_documented_codes() {
    let cloud = Cloud::empty().await;
    let [binary, source, job] = objects(&cloud).await;
    let created =
        |kind: &str, mains: &[&str], libs: &[&str]| json!({"name": "j", "type": kind, "mains": mains, "libs": libs});
    let submitted = |more: Value| {
        let mut body = json!({"job_name": "j", "cluster_id": "c"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let copy = |input: &str, output: &str, action: &str| {
        submitted(json!({"job_type": 5, "input": input, "output": output, "file_action": action}))
    };
    let at = |kind: &str, url: &str| json!({"name": "d", "type": kind, "url": url});
    let (put, put_source) = (Method::PUT, format!("data-sources/{source}"));
    let long = "n".repeat(65);
    let rejected = [
        (
            Method::POST,
            "jobs",
            created("MapReduce", &[&binary], &[]),
            500,
            "12000069",
            "libs is invalid: it has 0 items, it needs 1",
        ),
        (Method::POST, "jobs", json!({"name": "j", "type": "Spark"}), 500, "12000069", "libs"),
        (Method::POST, "jobs", created("Hive", &[], &[&binary]), 400, "12000068", "mains"),
        (Method::POST, "jobs", json!({"name": "j", "type": "SparkScript"}), 400, "12000068", "mains"),
        (Method::POST, "jobs", created("Spark", &[], &["nobody"]), 404, "0176", "nobody"),
        (
            Method::POST,
            "jobs",
            created("Flink", &[], &[]),
            400,
            "12000002",
            r#"type is invalid: the value is none of "MapReduce", "Spark", "Hive", "hql", "DistCp", "SparkScript", "SparkSql""#,
        ),
        (
            Method::POST,
            "jobs/submit-job",
            submitted(json!({"job_type": 8})),
            400,
            "12000002",
            "none of 1, 2, 3, 4, 5, 6, 7",
        ),
        (Method::POST, "jobs", json!({"name": long, "type": "DistCp"}), 400, "12000002", "name"),
        (Method::POST, "jobs", json!({"name": "a b", "type": "DistCp"}), 400, "12000002", "name"),
        (Method::POST, "jobs", json!({"type": "DistCp"}), 400, "12000002", "name"),
        (Method::POST, "data-sources", at("hdfs", "s3a://d"), 400, "12000002", "url"),
        (Method::POST, "data-sources", at("obs", "/d"), 400, "12000002", "url"),
        (put.clone(), &put_source, json!({"type": "hdfs", "url": "s3a://d"}), 400, "12000002", "url"),
        (put.clone(), &put_source, json!({"url": "s3a://d"}), 400, "12000002", "url"),
        (put, &put_source, json!({"type": "obs"}), 400, "12000002", "url"),
        (Method::POST, "job-binaries", json!({"name": "b", "url": "b", "description": ""}), 400, "12000002", "url"),
        (Method::POST, "jobs/submit-job", submitted(json!({"job_type": 1})), 400, "12000081", "jar_path"),
        (
            Method::POST,
            "jobs/submit-job",
            submitted(json!({"job_type": 2, "jar_path": "/a.sql"})),
            400,
            "12000081",
            "jar_path",
        ),
        (Method::POST, "jobs/submit-job", submitted(json!({"job_type": 3})), 400, "12000114", "hive_script_path"),
        (
            Method::POST,
            "jobs/submit-job",
            submitted(json!({"job_type": 6, "jar_path": "/a.sql", "hive_script_path": ""})),
            400,
            "12000114",
            "hive_script_path",
        ),
        (Method::POST, "jobs/submit-job", copy("s3a://a", "/b", "export"), 400, "12000002", "input"),
        (Method::POST, "jobs/submit-job", copy("s3a://a", "s3a://b", "import"), 400, "12000002", "output"),
        (Method::POST, "jobs/submit-job", copy("s3a://a", "/b", ""), 400, "12000002", "file_action"),
        (Method::POST, "jobs/submit-job", submitted(json!({"job_type": 5})), 400, "12000002", "file_action"),
        (Method::POST, &format!("jobs/{job}/execute"), execution("nobody"), 404, "0176", "data source nobody"),
        (Method::POST, &format!("jobs/{job}/execute"), json!({"cluster_id": "c"}), 400, "12000002", "input_id"),
    ];
    for (method, path, body, status, code, names) in rejected {
        let (was, with, message) = cloud.rejected(method, path, Some(body.clone())).await;
        assert_eq!((was, with.as_str()), (status, code), "{path} {body}: {message}");
        assert!(message.contains(names), "{path} {body}: {message}");
    }
    assert_eq!(cloud.get(&put_source).await.1["data_source"]["updated_at"], Value::Null, "nothing was changed");
    for list in ["jobs", "job-executions"] {
        let (_, response) = cloud.get(list).await;
        assert!(response.to_string().matches("\"created_at\"").count() < 2, "{response}");
    }
}

/// The codes of MRS that the described operations can return: caused here, or with the reason why no request causes
/// them.
const CODES: [(&str, &[&str]); 6] = [
    (
        "clusters are not modelled: every cluster exists, runs and takes every type of job",
        &[
            "0023", "0056", "0057", "0093", "0168", "0169", "0192", "12000003", "12000023", "12000041", "12000060",
            "12000062", "12000063", "12000064", "12000080", "12000085", "12000086", "0177", "0191", "0187",
        ],
    ),
    (
        "operations of other versions of the API",
        &[
            "0161", "0165", "0167", "0170", "0171", "0172", "0179", "0181", "0182", "0185", "0188", "0189", "0190",
            "0199", "0200", "MRS.0011",
        ],
    ),
    (
        "the emulator does not fail inside; faults are injected through its control interface",
        &[
            "0162", "0166", "0173", "0174", "0193", "0194", "12000004", "12000055", "12000057", "12000061", "12000070",
            "12000071", "12000073", "0202",
        ],
    ),
    (
        "another code says the same of the same request",
        &["0160", "0178", "0180", "0183", "0201", "12000009", "12000054", "12000107", "12000113", "120000213"],
    ),
    ("the gateway rejects before the service is asked", &["12000001", "12000052", "12000126", "12000136", "130000002"]),
    ("tried by the tests above", &["0175", "0176", "12000002", "12000068", "12000069", "12000081", "12000114"]),
];

#[test]
fn every_documented_code_is_provoked_or_has_a_reason() {
    let listed: BTreeSet<&str> = CODES.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
    let described: BTreeSet<&str> = huaweicloud_jobs::ErrorCode::all()
        .iter()
        .filter(|code| code.family() == "mrs" && code.meaning().is_some())
        .map(huaweicloud_jobs::ErrorCode::code)
        .collect();
    assert_eq!(listed, described);
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_everywhere() {
    let cloud = Cloud::empty().await;
    let [binary, source, job] = objects(&cloud).await;
    let run = cloud.post(&format!("jobs/{job}/execute"), execution(&source)).await;
    let run = run["id"].as_str().unwrap();
    for path in [
        format!("job-binaries/{binary}"),
        format!("data-sources/{source}"),
        format!("jobs/{job}"),
        // It still runs: the documentation deletes a running one.
        format!("job-executions/{run}"),
    ] {
        let (status, response) = cloud.call(Method::DELETE, &path, None).await;
        assert_eq!((status, response), (204, Value::Null), "{path}");
        assert_eq!(cloud.rejected(Method::GET, &path, None).await.0, 404, "{path}");
        assert_eq!(cloud.rejected(Method::DELETE, &path, None).await.0, 404, "{path}");
        if path.starts_with("job-binaries") {
            let (_, response) = cloud.get(&format!("jobs/{job}")).await;
            assert_eq!(response["job"]["libs"], json!([]));
        }
        let (_, response) = cloud.get(path.split('/').next().unwrap()).await;
        assert!(response.as_object().unwrap().values().any(|list| *list == json!([])), "{response}");
    }
}

#[tokio::test]
async fn a_run_runs_ends_and_can_be_canceled() {
    let cloud = Cloud::empty().await;
    cloud.emulator.set_time_scale(0.0).unwrap();
    let [_, source, job] = objects(&cloud).await;
    let execute = format!("jobs/{job}/execute");
    let executed = cloud.post(&execute, execution(&source)).await;
    assert_eq!(executed["job_id"], json!(job));
    assert_eq!(executed["input_id"], json!(source));
    assert_eq!(executed["job_configs"], json!({"args": ["wordcount"]}));
    let path = format!("job-executions/{}", executed["id"].as_str().unwrap());
    assert_eq!(cloud.get(&path).await.1["job_execution"]["end_time"], Value::Null);

    // Canceled, and not twice.
    let second = cloud.post(&execute, execution(&source)).await;
    let second = format!("job-executions/{}", second["id"].as_str().unwrap());
    cloud.emulator.advance_clock(std::time::Duration::from_secs(5)).unwrap();
    let (status, response) = cloud.get(&format!("{second}/cancel")).await;
    assert_eq!((status, &response["job_execution"]["end_time"]), (200, &Value::Null));
    assert_ne!(cloud.get(&second).await.1["job_execution"]["end_time"], Value::Null);
    let (status, code, _) = cloud.rejected(Method::GET, &format!("{second}/cancel"), None).await;
    assert_eq!((status, code.as_str()), (500, "0175"));

    // The other one completes.
    cloud.emulator.advance_clock(std::time::Duration::from_secs(60)).unwrap();
    let (_, response) = cloud.get(&path).await;
    assert_ne!(response["job_execution"]["end_time"], Value::Null);
    assert_eq!(response["job_execution"]["updated_at"], response["job_execution"]["end_time"]);
    assert_eq!(cloud.rejected(Method::GET, &format!("{path}/cancel"), None).await.1, "0175");
}

#[tokio::test]
async fn a_submitted_job_is_an_exe_object_and_a_job_execution() {
    let cloud = Cloud::empty().await;
    cloud.emulator.set_time_scale(0.0).unwrap();
    let mut submission = submission("word-count", "c1");
    submission["arguments"] = json!("wordcount user=admin @password=admin_123");
    let submitted = cloud.post("jobs/submit-job", submission).await;
    assert_eq!(submitted["arguments"], json!("wordcount user=admin @password=***"), "as documented, not shown");
    assert_eq!((&submitted["job_state"], &submitted["job_final_status"]), (&json!(2), &json!(0)));
    let seconds = submitted["created_at"].as_i64().unwrap();
    let id = submitted["id"].as_str().unwrap();

    let (_, response) = cloud.get(&format!("job-exes/{id}")).await;
    let exe = &response["job_execution"];
    assert_eq!(exe["create_at"].as_i64().unwrap() / 1000, seconds, "milliseconds here, seconds there");
    assert_eq!((&exe["job_state"], &exe["spend_time"]), (&json!(2), &Value::Null));
    let (_, response) = cloud.get(&format!("job-executions/{id}")).await;
    assert_eq!(response["job_execution"]["job_id"], json!(""));

    cloud.emulator.advance_clock(std::time::Duration::from_secs(60)).unwrap();
    let (_, response) = cloud.get(&format!("job-exes/{id}")).await;
    let exe = &response["job_execution"];
    assert_eq!((&exe["job_state"], &exe["job_final_status"], &exe["spend_time"]), (&json!(3), &json!(2), &json!(30)));

    let second = cloud.post("jobs/submit-job", self::submission("second", "c2")).await;
    let second = second["id"].as_str().unwrap();
    assert_eq!(cloud.get(&format!("job-executions/{second}/cancel")).await.0, 200);
    let (_, response) = cloud.get(&format!("job-exes/{second}")).await;
    let exe = &response["job_execution"];
    assert_eq!((&exe["job_state"], &exe["job_final_status"]), (&json!(-1), &json!(3)));

    for (query, found) in [
        ("", vec![second, id]),
        ("?page_size=1&current_page=1", vec![second]),
        ("?page_size=1&current_page=2", vec![id]),
        ("?page_size=1&current_page=3", vec![]),
        ("?cluster_id=c1", vec![id]),
        ("?cluster_id=c2&state=-1", vec![second]),
        ("?cluster_id=c2&state=3", vec![]),
        ("?state=3", vec![id]),
        ("?job_name=second", vec![second]),
        ("?job_name=secon", vec![]),
    ] {
        let (_, response) = cloud.get(&format!("job-exes{query}")).await;
        let ids: Vec<_> =
            response["job_executions"].as_array().unwrap().iter().map(|exe| exe["id"].as_str().unwrap()).collect();
        assert_eq!(ids, found, "{query}");
        let total = if query.contains("current_page") { 2 } else { found.len() };
        assert_eq!(response["totalRecord"], json!(total), "{query}");
    }
    let (_, response) = cloud.get(&format!("job-exes?id={id}")).await;
    assert_eq!(response["totalRecord"], json!(1));
    assert_eq!(cloud.call(Method::DELETE, &format!("job-executions/{id}"), None).await.0, 204);
    assert_eq!(cloud.rejected(Method::GET, &format!("job-exes/{id}"), None).await.0, 500);
    assert_eq!(cloud.get("job-exes").await.1["totalRecord"], json!(1));
}

#[tokio::test]
async fn pages_show_everything_once_in_every_order() {
    let cloud = Cloud::empty().await;
    cloud.emulator.set_time_scale(0.0).unwrap();
    let [binary, source, _] = objects(&cloud).await;
    // Many equal names: their order must be the same on every page.
    for number in 0..7 {
        let name = format!("n{}", number % 3);
        cloud.emulator.advance_clock(std::time::Duration::from_secs(1)).unwrap();
        cloud.post("job-binaries", json!({"name": name, "url": "/b", "description": ""})).await;
        cloud.post("data-sources", json!({"name": name, "url": "/d", "type": "hdfs"})).await;
        let job = cloud.post("jobs", json!({"name": name, "type": "MapReduce", "libs": [binary]})).await;
        cloud.post(&format!("jobs/{}/execute", job["id"].as_str().unwrap()), execution(&source)).await;
    }
    for (list, field) in [
        ("job-binaries", "binaries"),
        ("data-sources", "data_sources"),
        ("jobs", "jobs"),
        ("job-executions", "job_executions"),
    ] {
        for order in [
            "",
            "name",
            "-name",
            "id",
            "-id",
            "created_at",
            "-created_at",
            "updated_at",
            "-updated_at",
            "type",
            "unknown",
        ] {
            let sort = if order.is_empty() { String::new() } else { format!("&sort_by={order}") };
            let read = async |query: String| {
                let (status, response) = cloud.get(&format!("{list}?{query}{sort}")).await;
                assert_eq!(status, 200, "{response}");
                let ids: Vec<String> = response[field]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["id"].as_str().unwrap().to_owned())
                    .collect();
                let marker = |name: &str| response["markers"][name].as_str().map(str::to_owned);
                (ids, marker("prev"), marker("next"), response)
            };
            let (all, prev, next, response) = read(String::new()).await;
            assert_eq!((all.len(), prev, next), (if list == "job-executions" { 7 } else { 8 }, None, None), "{list}");
            let key = order.trim_start_matches('-');
            let keys: Vec<_> = response[field].as_array().unwrap().iter().filter_map(|one| one[key].as_str()).collect();
            if order.starts_with('-') {
                assert!(keys.is_sorted_by(|a, b| a >= b), "{list} {order} {keys:?}");
            } else {
                assert!(keys.is_sorted(), "{list} {order} {keys:?}");
            }
            for limit in [1, 2, 3, all.len() - 1, all.len(), all.len() + 1] {
                let (mut seen, mut pages): (Vec<String>, Vec<Vec<String>>) = Default::default();
                let mut marker: Option<String> = None;
                loop {
                    let at = marker.as_ref().map_or(String::new(), |marker| format!("&marker={marker}"));
                    let (page, prev, next, _) = read(format!("limit={limit}{at}")).await;
                    assert!(page.len() <= limit);
                    // `prev` is the marker of the page before, where it has one.
                    let before = pages.len().checked_sub(2).map(|index| pages[index].last().unwrap().clone());
                    assert_eq!(prev, before, "{list} {order} {limit}");
                    seen.extend(page.clone());
                    pages.push(page);
                    let Some(next) = next else { break };
                    assert_eq!(Some(&next), seen.last());
                    marker = Some(next);
                }
                assert_eq!(seen, all, "{list} {order} {limit}");
            }
            let last = all.last().unwrap();
            let (beyond, prev, next, _) = read(format!("limit=2&marker={last}")).await;
            assert_eq!((beyond, next), (Vec::<String>::new(), None), "{list} {order}");
            assert_eq!(prev.as_ref(), Some(&all[all.len() - 3]));
            assert_eq!(read(format!("marker={}", all[2])).await.0, all[3..], "the rest without a limit");
        }
    }
}
