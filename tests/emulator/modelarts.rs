//! Tests of the emulator's ModelArts operations: every documented example, the documented rules, and lifecycles.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;
use std::time::Duration;

use huaweicloud_jobs::emulator::{Emulator, Transitions};
use huaweicloud_jobs::spec::{self, Example};
use reqwest::Method;
use serde_json::{Value, json};

/// Sends requests without validation.
struct Wire<'a> {
    emulator: &'a Emulator,
    http: reqwest::Client,
}

impl<'a> Wire<'a> {
    fn new(emulator: &'a Emulator) -> Self {
        // Loopback needs no TLS, but the client requires a TLS provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { emulator, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Sends a request to a path of the project.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/v1/{}{path}", self.emulator.endpoint(), self.emulator.project_id());
        let mut request = self.http.request(method, url).header("x-auth-token", "emulator-token-not-a-secret");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(&body)).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PUT, path, Some(&body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.send(Method::DELETE, path, None).await
    }

    /// Returns the request of a documented example.
    async fn example(&self, operation: spec::load::Operation<'_>, example: &Example<'_>) -> (u16, Value) {
        let mut path = operation.path.strip_prefix("/v1/{project_id}").unwrap().to_owned();
        let mut query = Vec::new();
        for (name, value) in example.parameters.unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match path.contains(&format!("{{{name}}}")) {
                true => path = path.replace(&format!("{{{name}}}"), &text),
                // Labeling examples name a project of their own.
                false if name == "project_id" => {}
                false => query.push(format!("{name}={text}")),
            }
        }
        if !query.is_empty() {
            path += &format!("?{}", query.join("&"));
        }
        let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
        self.send(method, &path, example.request).await
    }
}

/// Values that differ from the printed ones: operation, field, reason.
const OTHER_VALUES: [(&str, &str, &str); 37] = [
    ("create_training_job", "job_id", "an id of what was created"),
    ("create_training_job", "job_name", "one response is printed for three names"),
    ("create_training_job", "create_time", "now"),
    ("create_training_job", "version_id", "an id of what was created"),
    ("create_training_job", "resource_id", "an id of what was created"),
    ("create_training_job_version", "job_name", "pages on job 10 spell its name in two ways"),
    ("create_training_job_version", "create_time", "now"),
    ("create_training_job_version", "version_id", "an id of what was created"),
    ("create_training_job_version", "version_name", "not the first version of its job"),
    ("create_visualization_job", "job_id", "an id of what was created"),
    ("create_visualization_job", "create_time", "now"),
    ("list_training_jobs", "quotas", "the emulator's own limit"),
    ("list_training_jobs", "job_count_limit", "the emulator's own limit"),
    ("list_training_jobs", "job_id", "C031: asked for waiting jobs, and job 10 is completed"),
    ("list_training_jobs", "job_name", "C031"),
    ("list_training_jobs", "version_id", "C031"),
    ("list_training_jobs", "status", "C031"),
    ("list_training_jobs", "duration", "C031"),
    ("list_training_jobs", "version_count", "C031"),
    ("list_training_job_versions", "job_desc", "pages on job 10 show three descriptions"),
    ("show_training_job_version", "job_name", "pages on job 10 spell its name in two ways"),
    ("show_training_job_version", "job_desc", "pages on job 10 show three descriptions"),
    ("show_training_job_version", "version_name", "the list calls version 10 V0004"),
    ("list_training_job_log_files", "log_file_list", "named after the job"),
    ("show_training_job_log", "start_line", "a position in another log"),
    ("show_training_job_log", "content", "lines of another log"),
    ("show_training_job_log", "end_line", "a position in another log"),
    ("show_training_job_log", "lines", "lines of another log"),
    ("list_training_job_configs", "config_name", "C140: the printed one does not have the text searched for"),
    ("list_built_in_algorithms", "model_total_count", "C128: the example prints two of 41"),
    ("show_visualization_job", "job_id", "C181: the response for job 10 is that of job 197"),
    ("list_visualization_jobs", "quotas", "the emulator's own limit"),
    ("list_visualization_jobs", "job_count_limit", "the emulator's own limit"),
    ("list_visualization_jobs", "status", "C171: asked for waiting jobs, and the printed one is not"),
    ("list_visualization_jobs", "job_name", "C172: the printed one does not have the text searched for"),
    ("list_visualization_jobs", "service_url", "holds project and id"),
    ("show_visualization_job", "service_url", "holds project and id"),
];

/// The differences, and the known ones that occurred.
#[derive(Default)]
struct Comparison {
    differences: Vec<String>,
    used: BTreeSet<(&'static str, &'static str)>,
}

impl Comparison {
    /// Compares a response with the documented one: the same fields with values of the same kind, and the same values.
    fn compare(&mut self, operation: &str, example: &str, field: &str, printed: &Value, returned: &Value) {
        let mut differs = |text: String| self.differences.push(format!("{operation} {example}: {text}"));
        match (printed, returned) {
            // A documented null, or a blank that was replaced by null, allows any value.
            (Value::Null, _) => {}
            (Value::Object(printed), Value::Object(returned)) => {
                for (name, value) in printed {
                    match returned.get(name) {
                        Some(response) => self.compare(operation, example, name, value, response),
                        None => self.differences.push(format!("{operation} {example}: {name} is missing")),
                    }
                }
            }
            (Value::Array(printed), Value::Array(returned)) => {
                for (index, value) in printed.iter().enumerate() {
                    // Lists may have more items than documented, in another order; items are matched by id.
                    let same = ["version_id", "job_id", "model_id", "spec_id", "engine_id"].iter().find_map(|id| {
                        returned.iter().find(|item| value.get(id).is_some() && item.get(id) == value.get(id))
                    });
                    match same.or_else(|| returned.get(index)) {
                        Some(response) => self.compare(operation, example, field, value, response),
                        None => self.differences.push(format!("{operation} {example}: {field} lacks {value}")),
                    }
                }
            }
            _ if printed == returned => {}
            _ if std::mem::discriminant(printed) != std::mem::discriminant(returned) => {
                differs(format!("{field} is {returned}, printed {printed}"));
            }
            _ => match OTHER_VALUES.iter().find(|(at, name, _)| *at == operation && *name == field) {
                Some((operation, field, _)) => _ = self.used.insert((operation, field)),
                // The English edition has the same objects with other texts; the emulator has the Chinese ones.
                None if example.ends_with("-en") => {}
                None => differs(format!("{field} is {returned}, printed {printed}")),
            },
        }
    }
}

#[tokio::test]
async fn every_documented_request_has_its_documented_response() {
    let (mut requests, mut responses, mut comparison) = (0, 0, Comparison::default());
    let document = spec::documents().iter().find(|document| document.name() == "modelarts").unwrap();
    for operation in document.operations() {
        for example in document.examples(operation).iter().filter(|example| example.parameters.is_some()) {
            // Each example has its own emulator, since the next one needs the deleted objects.
            let emulator = Emulator::builder().as_printed(true).start().await.unwrap();
            let (status, returned) = Wire::new(&emulator).example(operation, example).await;
            let id = operation.id();
            requests += 1;
            if status != document.success_status(operation).unwrap() {
                comparison.differences.push(format!("{id} {}: {status} {returned}", example.key));
                continue;
            }
            // Some requests share one documented response; labeling pages have none.
            let first = || document.examples(operation)[0].response;
            let Some((_, printed)) = example.response.or_else(first) else { continue };
            responses += 1;
            comparison.compare(id, example.key, "", printed, &returned);
            if id == "list_training_jobs" {
                assert_eq!(
                    (&returned["jobs"][0]["status"], returned["jobs"].as_array().unwrap().len()),
                    (&json!(7), 1)
                );
            }
        }
    }
    assert!(comparison.differences.is_empty(), "{:#?}", comparison.differences);
    let stale: Vec<_> =
        OTHER_VALUES.iter().filter(|(at, field, _)| !comparison.used.contains(&(*at, *field))).collect();
    assert!(stale.is_empty(), "these do not differ: {stale:#?}");
    assert_eq!((requests, responses), (48, 42));
}

/// Returns a valid training configuration.
fn config() -> Value {
    json!({
        "worker_server_num": 1, "app_url": "/usr/app/", "boot_file_url": "/usr/app/boot.py", "data_url": "/usr/data/",
        "spec_id": 4, "engine_id": 1, "train_url": "/usr/train/", "log_url": "/usr/log/",
    })
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

/// Creates a training job, and returns its id and the path of its first version.
async fn training_job(wire: &Wire<'_>, name: &str) -> (i64, String) {
    let (status, created) = wire.post("/training-jobs", json!({"job_name": name, "config": config()})).await;
    assert_eq!(status, 200, "{created}");
    let id = number(&created["job_id"]);
    (id, format!("/training-jobs/{id}/versions/{}", number(&created["version_id"])))
}

async fn visualization_job(wire: &Wire<'_>, name: &str, schedule: Option<Value>) -> String {
    let mut body = json!({"job_name": name, "train_url": "/obs/name/"});
    if let Some(schedule) = schedule {
        body["schedule"] = schedule;
    }
    let (status, created) = wire.post("/visualization-jobs", body).await;
    assert_eq!(status, 200, "{created}");
    format!("/visualization-jobs/{}", number(&created["job_id"]))
}

/// Causes each documented error of an operation that names a reason.
async fn provoke(wire: &Wire<'_>, operation: &str, example: &str) -> Option<(u16, Value)> {
    let second = Duration::from_secs(1);
    Some(match (operation, example) {
        ("create_training_job", "name-taken") => {
            let body = json!({"job_name": "TestModelArtsJob", "config": config()});
            wire.post("/training-jobs", body.clone()).await;
            wire.post("/training-jobs", body).await
        }
        ("create_visualization_job", "unspecified-failure") => {
            let body = json!({"job_name": "twice", "train_url": "/obs/name/"});
            wire.post("/visualization-jobs", body.clone()).await;
            wire.post("/visualization-jobs", body).await
        }
        ("update_visualization_job", "illegal-name") => {
            wire.put("/visualization-jobs/10", json!({"job_desc": "%".repeat(257)})).await
        }
        ("show_visualization_job", _) => {
            // The text belongs to the list, whose response in the English edition is the same.
            let path = format!("/visualization-jobs?search_content={}", "x".repeat(101));
            wire.send(Method::GET, &path, None).await
        }
        ("delete_visualization_job", "state-forbids-deletion") => {
            let job = visualization_job(wire, "stopping", None).await;
            wire.post(&format!("{job}/stop"), Value::Null).await;
            wire.delete(&job).await
        }
        ("stop_visualization_job", "state-forbids-stop") => {
            let job = visualization_job(wire, "stopped", None).await;
            wire.post(&format!("{job}/stop"), Value::Null).await;
            wire.emulator.advance_clock(10 * second).unwrap();
            wire.post(&format!("{job}/stop"), Value::Null).await
        }
        ("restart_visualization_job", "state-forbids-restart") => {
            let job = visualization_job(wire, "running", None).await;
            wire.emulator.advance_clock(10 * second).unwrap();
            wire.post(&format!("{job}/restart"), Value::Null).await
        }
        _ => return None,
    })
}

#[tokio::test]
async fn documented_failures_can_be_provoked() {
    let document = spec::documents().iter().find(|document| document.name() == "modelarts").unwrap();
    let (mut provoked, mut left) = (0, Vec::new());
    for operation in document.operations() {
        for example in document.examples(operation).iter().filter(|example| example.parameters.is_none()) {
            let (_, printed) = example.response.unwrap();
            let emulator = Emulator::start().await.unwrap();
            let Some((status, returned)) = provoke(&Wire::new(&emulator), operation.id(), example.key).await else {
                left.push((operation.id(), example.key));
                continue;
            };
            assert!(matches!(status, 400 | 409), "{status} {returned}");
            assert_eq!((&returned["is_success"], &returned["error_code"]), (&json!(false), &printed["error_code"]));
            let words = |text: &Value| text.as_str().unwrap().rsplit_once(' ').unwrap().0.to_owned();
            if operation.id().ends_with("_visualization_job") && example.key.starts_with("state") {
                assert_eq!(words(&returned["error_message"]), words(&printed["error_message"]));
            }
            if example.key == "name-taken" {
                assert_eq!(returned["error_message"], printed["error_message"]);
            }
            provoked += 1;
        }
    }
    // "Error string" and "error message" with a code for everything: no reason is printed that could be brought about.
    assert!(left.iter().all(|(_, example)| *example == "unspecified-failure"), "{left:?}");
    assert_eq!((provoked, left.len()), (8, 19), "{left:?}");
}

#[tokio::test]
async fn a_training_job_runs_by_the_clock() {
    let emulator = Emulator::builder().empty().start().await.unwrap();
    emulator.set_time_scale(0.0).unwrap();
    let wire = Wire::new(&emulator);
    let (job, version) = training_job(&wire, "runs").await;
    let (mut states, mut logged) = (Vec::new(), Vec::new());
    for _ in 0..32 {
        let shown = wire.get(&version).await;
        let listed = wire.get("/training-jobs").await["jobs"][0].clone();
        assert_eq!((&shown["status"], &shown["duration"]), (&listed["status"], &listed["duration"]));
        states.push(number(&shown["status"]));
        let log = wire.get(&format!("{version}/aom-log?log_file=runs.0&lines=500")).await;
        logged.push(number(&log["lines"]));
        emulator.advance_clock(Duration::from_secs(1)).unwrap();
    }
    assert_eq!(states[..7], [1, 4, 4, 7, 7, 8, 8]);
    assert_eq!(states[29..], [8, 10, 10]);
    assert!(logged.is_sorted(), "{logged:?}");
    assert_eq!((logged[5], logged[6], logged[31]), (0, 10, 250));
    let shown = wire.get(&version).await;
    assert_eq!((&shown["status"], &shown["duration"]), (&json!(10), &json!(25_000)));
    assert_eq!(number(&shown["start_time"]) - number(&shown["create_time"]), 5000);
    assert_eq!(shown["system_metric_list"]["cpuUsage"].as_array().unwrap().len(), 25);
    assert!(shown["model_metric_list"].as_str().unwrap().contains("accuracy"));
    let versions = wire.get(&format!("/training-jobs/{job}/versions")).await;
    assert_eq!((&versions["version_count"], &versions["versions"][0]["status"]), (&json!(1), &json!(10)));
}

#[tokio::test]
async fn transitions_are_chosen_at_the_start_and_at_run_time() {
    let emulator = Emulator::builder().empty().transitions(Transitions::AtOnce).start().await.unwrap();
    emulator.set_time_scale(0.0).unwrap();
    let wire = Wire::new(&emulator);
    let (_, version) = training_job(&wire, "at-once").await;
    assert_eq!(wire.get(&version).await["status"], 10);
    let log = wire.get(&format!("{version}/aom-log?log_file=at-once.0")).await;
    assert_eq!(log["lines"], 50);

    emulator.set_transitions(Transitions::AfterReads(2)).unwrap();
    let (_, version) = training_job(&wire, "reads").await;
    let mut states = Vec::new();
    for _ in 0..9 {
        states.push(number(&wire.get(&version).await["status"]));
    }
    assert_eq!(states, [1, 1, 4, 4, 7, 7, 8, 8, 10]);
    // The list shows the state as well.
    let (_, version) = training_job(&wire, "seen-in-list").await;
    wire.get("/training-jobs?search_content=seen").await;
    wire.get("/training-jobs?search_content=seen").await;
    assert_eq!(wire.get(&version).await["status"], 4);

    // A job that waits for reads continues with the clock, or at once.
    emulator.set_transitions(Transitions::Clock).unwrap();
    emulator.advance_clock(Duration::from_secs(3)).unwrap();
    assert_eq!(wire.get(&version).await["status"], 7);
    emulator.set_transitions(Transitions::AtOnce).unwrap();
    assert_eq!(wire.get(&version).await["status"], 10);
}

#[tokio::test]
async fn stop_delete_and_restart_act_as_documented() {
    let emulator = Emulator::builder().empty().start().await.unwrap();
    emulator.set_time_scale(0.0).unwrap();
    let wire = Wire::new(&emulator);
    let seconds = |seconds| emulator.advance_clock(Duration::from_secs(seconds)).unwrap();
    let (job, version) = training_job(&wire, "stops").await;
    seconds(15);
    assert_eq!(wire.get(&version).await["status"], 8);
    assert_eq!(wire.post(&format!("{version}/stop"), Value::Null).await.0, 200);
    let shown = wire.get(&version).await;
    assert_eq!((&shown["status"], &shown["duration"]), (&json!(9), &json!(10_000)));
    let (status, rejected) = wire.post(&format!("{version}/stop"), Value::Null).await;
    assert_eq!((status, &rejected["error_code"]), (409, &json!("ModelArts.0105")));
    seconds(60);
    let shown = wire.get(&version).await;
    assert_eq!((&shown["status"], &shown["duration"]), (&json!(12), &json!(10_000)), "it rests");
    // The job shows its latest version, or the previous one after a deletion.
    let mut config = config();
    config["pre_version_id"] = version.rsplit('/').next().unwrap().parse::<i64>().unwrap().into();
    let versions = format!("/training-jobs/{job}/versions");
    let (_, created) = wire.post(&versions, json!({"config": config, "job_desc": "second"})).await;
    assert_eq!(created["version_name"], "V0002");
    let listed = |listed: Value| {
        let job = &listed["jobs"][0];
        (number(&job["version_id"]), number(&job["status"]), number(&job["version_count"]), job["job_desc"].clone())
    };
    let first = number(&config["pre_version_id"]);
    let second = number(&created["version_id"]);
    assert_eq!(listed(wire.get("/training-jobs").await), (second, 1, 2, json!("second")));
    assert_eq!(wire.delete(&format!("{versions}/{second}")).await.0, 200);
    assert_eq!(wire.delete(&format!("{versions}/{second}")).await.0, 400);
    assert_eq!(listed(wire.get("/training-jobs").await), (first, 12, 1, json!("second")));
    let (_, created) = wire.post(&versions, json!({"config": config})).await;
    assert_eq!(created["version_name"], "V0003", "names are not used twice");
    for version in wire.get(&versions).await["versions"].as_array().unwrap() {
        assert_eq!(wire.delete(&format!("{versions}/{}", version["version_id"])).await.0, 200);
    }
    assert_eq!(listed(wire.get("/training-jobs").await), (0, 0, 0, json!("second")), "a job without versions");
    assert_eq!(wire.get("/training-jobs?status=12").await["job_total_count"], 0);
    assert_eq!(wire.get("/training-jobs?status=0").await["job_total_count"], 1);
    assert_eq!(wire.delete(&format!("/training-jobs/{job}")).await.0, 200);
    let (status, rejected) = wire.delete(&format!("/training-jobs/{job}")).await;
    assert_eq!((status, &rejected["error_code"]), (400, &json!("ModelArts.0102")));
    assert_eq!(wire.get("/training-jobs").await["job_total_count"], 0);
    seconds(60);
    training_job(&wire, "stops").await;

    // A visualization job runs until it is stopped or its schedule ends.
    let stays = visualization_job(&wire, "stays", None).await;
    let rule = json!([{"type": "stop", "time_unit": "HOURS", "duration": 2}]);
    let ends = visualization_job(&wire, "ends", Some(rule)).await;
    emulator.set_transitions(Transitions::AtOnce).unwrap();
    assert_eq!(wire.get(&stays).await["status"], 8);
    let shown = wire.get(&ends).await;
    assert_eq!((&shown["status"], &shown["schedule"][0]["timeUnit"]), (&json!(8), &json!("HOURS")));
    seconds(3600);
    assert_eq!(wire.get(&ends).await["remaining_duration"], 3_600_000);
    seconds(3600);
    let shown = wire.get(&ends).await;
    assert_eq!((&shown["status"], &shown["duration"]), (&json!(12), &json!(7_200_000)));
    assert_eq!(wire.get(&stays).await["status"], 8);
    assert_eq!(wire.post(&format!("{ends}/restart"), Value::Null).await.0, 200);
    let shown = wire.get(&ends).await;
    assert_eq!((&shown["status"], &shown["duration"]), (&json!(8), &json!(0)));
    assert_eq!(wire.delete(&ends).await.0, 200);
    assert_eq!(wire.send(Method::GET, &ends, None).await.0, 400);
}

#[tokio::test]
async fn documented_rules_beyond_the_schema_hold() {
    let emulator = Emulator::builder().empty().quota(2).start().await.unwrap();
    let wire = Wire::new(&emulator);
    let source = |kind: &str, field: &str| json!({"type": kind, field: "x", "dataset_version": "y"});
    let path = |kind: &str| json!({"type": kind, "data_url": "/a/"});
    let changed = |field: &str, value: Value| {
        let mut config = config();
        config[field] = value;
        config
    };
    let without = |field: &str, config: Value| {
        let mut config = config.as_object().unwrap().clone();
        config.remove(field);
        Value::from(config)
    };
    let sources = |sources: Value| without("data_url", changed("data_source", sources));
    for (config, named) in [
        (without("app_url", changed("model_id", json!(4))), "boot_file_url"),
        (changed("user_command", json!("bash")), "user_command"),
        (changed("worker_server_num", json!(5)), "worker_server_num"),
        (sources(json!([path("dataset")])), "data_source"),
        (sources(json!([path("obs"), source("dataset", "dataset_id")])), "data_source"),
    ] {
        let (status, rejected) = wire.post("/training-jobs", json!({"job_name": "x", "config": config})).await;
        assert_eq!((status, &rejected["error_code"]), (409, &json!("ModelArts.0105")), "{config} {rejected}");
        assert!(rejected["error_message"].as_str().unwrap().contains(named), "{rejected}");
        let mut config = config;
        config["config_name"] = json!("x");
        assert!(matches!(wire.post("/training-job-configs", config).await.0, 400 | 409));
    }
    assert_eq!(wire.get("/training-jobs").await["job_total_count"], 0, "what is rejected leaves nothing");
    let sampled = wire.send(Method::GET, "/training-job-configs?config_type=sample&sortBy=create_time", None).await;
    assert_eq!((sampled.0, &sampled.1["error_code"]), (409, &json!("ModelArts.0105")));
    assert_eq!(wire.get("/training-job-configs?config_type=sample").await["config_total_count"], 0);

    let (job, _) = training_job(&wire, "one").await;
    let derived = json!({"config": changed("pre_version_id", json!(99))});
    assert_eq!(wire.post(&format!("/training-jobs/{job}/versions"), derived).await.0, 400);
    training_job(&wire, "two").await;
    let (status, rejected) = wire.post("/training-jobs", json!({"job_name": "three", "config": config()})).await;
    assert_eq!((status, &rejected["error_code"]), (409, &json!("ModelArts.0106")), "{rejected}");
    assert_eq!(wire.get("/training-jobs").await["job_count_limit"], 0);
}

#[tokio::test]
async fn a_rejection_names_all_that_is_allowed_and_what_was_sent() {
    let emulator = Emulator::start().await.unwrap();
    let wire = Wire::new(&emulator);
    let said = async |method: Method, path: &str, body: Option<&Value>| {
        let (status, rejected) = wire.send(method, path, body).await;
        assert_eq!((status, &rejected["error_code"]), (400, &json!("ModelArts.0104")), "{path}: {rejected}");
        let message = rejected.get("error_message").or_else(|| rejected.get("error_msg"));
        message.and_then(Value::as_str).unwrap_or_else(|| panic!("{rejected}")).to_owned()
    };
    let document = spec::documents().iter().find(|document| document.name() == "modelarts").unwrap();
    let mut tried = BTreeSet::new();
    for operation in document.operations() {
        for parameter in document.parameters(operation).filter(|parameter| parameter["in"] == "query") {
            let schema = spec::load::resolve_whole(document.value(), &parameter["schema"]);
            let Some(options) = schema["enum"].as_array() else { continue };
            let path = operation.path.strip_prefix("/v1/{project_id}").unwrap();
            let path = path.replace("{job_id}", "10").replace("{version_id}", "20");
            let name = parameter["name"].as_str().unwrap();
            // A value that is not a number matches no listed type.
            let nonsense = if options[0].is_number() { "99" } else { "Nonsense" };
            let path = format!("{path}?log_file=x&{name}={nonsense}");
            let message = said(Method::GET, &path, None).await;
            let options: Vec<String> = options.iter().map(Value::to_string).collect();
            let expected = format!("The parameter {name} is invalid: the value is none of {}", options.join(", "));
            assert_eq!(message, expected, "{path}");
            tried.insert((operation.id(), name));
        }
    }
    assert!(tried.contains(&("list_training_jobs", "sortBy")) && tried.contains(&("list_annotation_jobs", "order")));
    assert!(tried.len() > 10, "{tried:?}");

    let rule = json!({"type": "stop", "time_unit": "HOURS", "duration": 25});
    for (path, body, expected) in [
        ("/training-jobs?per_page=1001", None, "The parameter per_page is invalid: it is 1001, the limit is 1000"),
        ("/training-jobs?per_page=-1", None, "The parameter per_page is invalid: it is -1, the least is 1"),
        (
            "/visualization-jobs",
            Some(json!({"job_name": "n".repeat(21), "train_url": "/a/"})),
            "The field job_name is invalid: it has 21 characters, the limit is 20",
        ),
        (
            "/visualization-jobs",
            Some(json!({"job_name": "x", "train_url": "/a/", "schedule": [rule]})),
            "The field schedule.0.duration is invalid: it is 25, the limit is 24",
        ),
    ] {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let message = said(method, path, body.as_ref()).await;
        assert!(message.contains(expected), "{path}: {message}");
    }
}

#[tokio::test]
async fn configurations_and_labeling_jobs_read_back() {
    let emulator = Emulator::builder().empty().start().await.unwrap();
    let wire = Wire::new(&emulator);
    let mut body = config();
    body["config_name"] = json!("mine");
    body["undocumented"] = json!("ignored");
    body["status"] = json!({});
    assert_eq!(wire.post("/training-job-configs", body.clone()).await.0, 200);
    let (status, rejected) = wire.post("/training-job-configs", body.clone()).await;
    assert_eq!((status, &rejected["error_code"]), (409, &json!("ModelArts.0103")));
    let shown = wire.get("/training-job-configs/mine").await;
    assert_eq!((&shown["spec_code"], &shown["engine_name"]), (&json!("modelarts.vm.gpu.v100"), &json!("TensorFlow")));
    assert!(shown.get("undocumented").is_none() && shown.get("status").is_none(), "{shown}");
    let mut other = config();
    other["parameter"] = json!([{"key": "batch_size", "value": 32}, {}]);
    other.as_object_mut().unwrap().remove("log_url");
    assert_eq!(wire.put("/training-job-configs/mine", other).await.0, 200);
    let shown = wire.get("/training-job-configs/mine").await;
    assert_eq!(shown["parameter"], json!([{"value": "32", "label": "batch_size"}, {"label": ""}]));
    assert!(shown.get("log_url").is_none());
    assert_eq!(wire.delete("/training-job-configs/mine").await.0, 200);
    assert_eq!(wire.delete("/training-job-configs/mine").await.0, 400);

    let body =
        json!({"name": "a", "data_type": "OBS", "type": "Manual Image classify", "path": "p/", "filter_id": "f"});
    let (_, created) = wire.post("/annotation-jobs", body).await;
    let job = format!("/annotation-jobs/{}", created["job_id"].as_str().unwrap());
    let listed = wire.get("/annotation-jobs").await["jobs"][0].clone();
    assert!(listed.get("filter_name").is_none(), "without effect for images of OBS");
    let validation = wire.get(&format!("{job}/validation")).await;
    assert_eq!(validation["images"].as_array().unwrap().len(), validation["image_count"]);
    assert!(validation.get("last_pass_rate").is_none());
    for (rate, read) in [(json!("98.00"), 98.0), (json!(12.345), 12.35)] {
        assert_eq!(wire.post(&format!("{job}/validation"), json!({"pass_rate": rate})).await.0, 200);
        assert_eq!(wire.get(&format!("{job}/validation")).await["last_pass_rate"], read);
    }
    assert_eq!(wire.delete(&job).await.0, 200);
    for path in [job.clone(), format!("{job}/validation")] {
        let (status, rejected) = wire.send(Method::DELETE, &path, None).await;
        assert!(status == 400 || status == 405, "{rejected}");
    }
}

#[tokio::test]
async fn what_names_no_job_finds_none() {
    let emulator = Emulator::builder().empty().start().await.unwrap();
    let wire = Wire::new(&emulator);
    let (job, _) = training_job(&wire, "t").await;
    let view = visualization_job(&wire, "v", None).await;
    let view = view.rsplit('/').next().unwrap();
    let labeling = json!({"name": "l", "data_type": "OBS", "type": "Manual Image classify", "path": "p/"});
    assert_eq!(wire.post("/annotation-jobs", labeling).await.0, 200);
    let (text, taken) = (json!({"job_desc": "x"}), json!({"name": "l"}));
    for (path, body, status) in [
        (format!("/training-jobs/{job}"), &text, 200),
        (format!("/training-jobs/+{job}"), &text, 400),
        (format!("/training-jobs/-{job}"), &text, 400),
        (format!("/visualization-jobs/{view}"), &text, 200),
        (format!("/visualization-jobs/+{view}"), &text, 400),
        (format!("/visualization-jobs/0{view}"), &text, 400),
        ("/annotation-jobs/nobody".to_owned(), &taken, 400),
    ] {
        let (was, response) = wire.put(&path, body.clone()).await;
        assert_eq!(was, status, "{path}: {response}");
    }
}

#[tokio::test]
async fn a_log_reads_on_from_either_end() {
    let emulator = Emulator::builder().empty().transitions(Transitions::AtOnce).start().await.unwrap();
    let wire = Wire::new(&emulator);
    let (_, version) = training_job(&wire, "log").await;
    let files = wire.get(&format!("{version}/log/file-names")).await;
    assert_eq!(files["log_file_list"], json!(["log.0"]));
    let log = format!("{version}/aom-log?log_file=log.0");
    let text = |page: &Value| page["content"].as_str().unwrap().to_owned();
    let whole = text(&wire.get(&format!("{log}&lines=500")).await);
    assert_eq!(whole.lines().count(), 250);
    // From the end to the beginning, then from there to the end.
    let mut page = wire.get(&format!("{log}&lines=70")).await;
    let mut pages = vec![text(&page)];
    loop {
        page = wire.get(&format!("{log}&lines=70&order=asc&base_line={}", page["start_line"].as_str().unwrap())).await;
        if page["lines"] == 0 {
            break;
        }
        pages.insert(0, text(&page));
    }
    assert_eq!(pages.join("\n"), whole);
    let mut again = Vec::new();
    while again.len() < 4 {
        page = wire.get(&format!("{log}&lines=70&order=desc&base_line={}", page["end_line"].as_str().unwrap())).await;
        again.push(text(&page));
    }
    assert_eq!(again.join("\n"), whole);
    for wrong in ["other.0", "log.1", "log.-1", "log2.log", "log0.log"] {
        let (status, rejected) = wire.send(Method::GET, &format!("{version}/aom-log?log_file={wrong}"), None).await;
        assert_eq!((status, &rejected["error_code"]), (400, &json!("ModelArts.0102")), "{wrong}");
    }
}

#[tokio::test]
async fn the_same_seed_and_requests_give_the_same_bytes() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let emulator = Emulator::builder().seed(seed).start().await.unwrap();
        let url = |path: &str| format!("{}/v1/{}{path}", emulator.endpoint(), emulator.project_id());
        let wire = Wire::new(&emulator);
        let mut bytes = Vec::new();
        for step in 0..12 {
            let name = format!("job-{step}");
            let (path, body) = match step % 3 {
                0 => ("/training-jobs", json!({"job_name": name, "config": config()})),
                1 => ("/visualization-jobs", json!({"job_name": name, "train_url": "/a/"})),
                _ => ("/annotation-jobs", json!({"name": name, "data_type": "OBS", "type": "Manual Image classify"})),
            };
            let post = wire.http.post(url(path)).body(body.to_string());
            for request in [post, wire.http.get(url(path)), wire.http.get(url("/training-jobs/182627/versions"))] {
                let response = request.header("x-auth-token", "emulator-token-not-a-secret").send().await.unwrap();
                let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.clone()));
                let headers: Vec<_> = headers.collect();
                bytes.push((response.status(), headers, response.bytes().await.unwrap()));
            }
            emulator.advance_clock(Duration::from_secs(4)).unwrap();
        }
        runs.push(bytes);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let text = format!("{:?}", runs[0][0]);
    assert!(text.contains("2040") && text.contains("2208988800000"), "{text}");
}

#[tokio::test]
async fn lists_are_the_same_from_both_ends_and_after_a_snapshot() {
    let emulator = Emulator::builder().empty().training_jobs(60).start().await.unwrap();
    emulator.set_time_scale(0.0).unwrap();
    let wire = Wire::new(&emulator);
    let (job, version) = training_job(&wire, "100_mine").await;
    assert_eq!(wire.post(&format!("{version}/stop"), Value::Null).await.0, 200);
    let copy = Emulator::builder().load(emulator.snapshot().unwrap()).start().await.unwrap();
    for wire in [&wire, &Wire::new(&copy)] {
        for key in ["job_name", "job_desc", "status", "duration", "version_count", "create_time"] {
            for status in ["", "10", "12"] {
                let list = |rest: String| {
                    let path = format!("/training-jobs?sortBy={key}&status={status}{rest}");
                    async move { wire.get(&path).await["jobs"].as_array().unwrap().clone() }
                };
                let whole = list("&per_page=1000".to_owned()).await;
                assert_eq!(
                    whole.len(),
                    if status.is_empty() {
                        61
                    } else if status == "10" {
                        53
                    } else {
                        7
                    }
                );
                let mut reversed = list("&per_page=1000&order=desc".to_owned()).await;
                reversed.reverse();
                assert_eq!(whole, reversed, "{key} {status}");
                let mut paged = Vec::new();
                for page in 1..=10 {
                    paged.extend(list(format!("&per_page=7&page={page}")).await);
                }
                assert_eq!(whole, paged, "{key} {status}");
            }
        }
        // A string of any length is found literally.
        for (text, found) in
            [("mine", 1), ("0_m", 1), ("_", 1), ("MINE", 1), ("%25", 0), ("%25mine", 0), ("o_b", 0), ("ob-", 60)]
        {
            let listed = wire.get(&format!("/training-jobs?search_content={text}")).await;
            assert_eq!(listed["job_total_count"], found, "{text}");
        }
        // Each page of a search has the number of all jobs that are found, also the page after the last one.
        let whole = wire.get("/training-jobs?per_page=1000").await;
        let names: Vec<_> =
            whole["jobs"].as_array().unwrap().iter().map(|job| job["job_name"].as_str().unwrap()).collect();
        for text in (4..10).map(|at| &names[7][at..at + 3]) {
            let found: Vec<_> = names.iter().copied().filter(|name| name.contains(text)).collect();
            for (size, page) in [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (1000, 1)] {
                let path = format!("/training-jobs?search_content={text}&per_page={size}&page={page}");
                let listed = wire.get(&path).await;
                assert_eq!(listed["job_total_count"], found.len(), "{path}");
                let jobs = listed["jobs"].as_array().unwrap();
                let shown: Vec<_> = jobs.iter().map(|job| job["job_name"].as_str().unwrap()).collect();
                let expected: Vec<_> = found.iter().copied().skip((page - 1) * size).take(size).collect();
                assert_eq!(shown, expected, "{path}");
            }
        }
        assert_eq!(wire.get("/training-jobs?status=9").await["job_total_count"], 1);
        assert_eq!(wire.delete(&format!("/training-jobs/{job}")).await.0, 200);
        assert_eq!(wire.get("/training-jobs?search_content=mine").await["job_total_count"], 0);
        assert_eq!(wire.get("/training-jobs").await["job_total_count"], 60);
    }
}
