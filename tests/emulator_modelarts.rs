//! The ModelArts operations of the emulator: every documented example, the documented rules, and how jobs move.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::spec::{self, Example};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Sends requests as they are, whatever the client's types think of them.
struct Wire<'a> {
    emulator: &'a Emulator,
    http: reqwest::Client,
}

impl<'a> Wire<'a> {
    fn new(emulator: &'a Emulator) -> Self {
        Self { emulator, http: reqwest::Client::new() }
    }

    /// A request to a path under the project.
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

    /// The request of a documented example.
    async fn example(&self, operation: spec::Operation<'_>, example: &Example<'_>) -> (u16, Value) {
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
const OTHER_VALUES: [(&str, &str, &str); 27] = [
    ("", "resource_id", "an id of what was created"),
    ("", "create_time", "a time of what was created"),
    ("", "service_url", "holds project and id"),
    ("", "quotas", "the emulator's own limit"),
    ("", "job_count_limit", "the emulator's own limit"),
    ("create_training_job", "job_id", "an id of what was created"),
    ("create_training_job", "job_name", "one answer is printed for three requests"),
    ("create_training_job", "version_id", "an id of what was created"),
    ("create_visualization_job", "job_id", "an id of what was created"),
    ("create_training_job_version", "job_name", "pages on job 10 spell its name in two ways"),
    ("create_training_job_version", "version_id", "an id of what was created"),
    ("create_training_job_version", "version_name", "the third version of a job is not its first"),
    ("list_training_jobs", "job_id", "C031: asked for waiting jobs, job 10 is completed"),
    ("list_training_jobs", "job_name", "C031"),
    ("list_training_jobs", "version_id", "C031"),
    ("list_training_jobs", "status", "C031"),
    ("list_training_jobs", "duration", "C031: a waiting job has not run"),
    ("list_training_jobs", "version_count", "C031"),
    ("list_training_job_versions", "job_desc", "pages on job 10 show three descriptions"),
    ("show_training_job_version", "job_name", "pages on job 10 spell its name in two ways"),
    ("show_training_job_version", "job_desc", "pages on job 10 show three descriptions"),
    ("show_training_job_version", "version_name", "the list calls version 10 V0004"),
    ("list_training_job_log_files", "log_file_list", "named after the job"),
    ("list_training_job_configs", "config_name", "C140: the printed one does not have the text searched for"),
    ("list_built_in_algorithms", "model_total_count", "C128: the example prints two of 41"),
    ("list_visualization_jobs", "status", "C171: asked for waiting jobs, the printed one is not"),
    ("show_visualization_job", "job_id", "C181: the answer for job 10 is that of job 197"),
];

/// Holds an answer against the printed one: the same fields with values of the same kind, and the same values.
fn compare(
    operation: &str,
    example: &str,
    field: &str,
    printed: &Value,
    answered: &Value,
    differences: &mut Vec<String>,
) {
    let free = |field: &str| OTHER_VALUES.iter().any(|(o, f, _)| (o.is_empty() || *o == operation) && *f == field);
    match (printed, answered) {
        // A printed null, or a printed blank made null, says nothing of what else may stand there.
        (Value::Null, _) => {}
        (Value::Object(printed), Value::Object(answered)) => {
            for (name, value) in printed {
                match answered.get(name) {
                    Some(answer) => compare(operation, example, name, value, answer, differences),
                    None => differences.push(format!("{operation} {example}: {name} is missing")),
                }
            }
        }
        (Value::Array(printed), Value::Array(answered)) => {
            for (index, value) in printed.iter().enumerate() {
                // Lists may hold more than is printed, in another order: what has the same id is the same.
                let same = ["job_id", "version_id", "model_id", "spec_id", "engine_id"].iter().find_map(|id| {
                    answered.iter().find(|item| value.get(id).is_some() && item.get(id) == value.get(id))
                });
                match same.or_else(|| answered.get(index)) {
                    Some(answer) => compare(operation, example, field, value, answer, differences),
                    None => differences.push(format!("{operation} {example}: {field} has no {value}")),
                }
            }
        }
        _ if std::mem::discriminant(printed) != std::mem::discriminant(answered) => {
            differences.push(format!("{operation} {example}: {field} is {answered}, printed {printed}"));
        }
        // The English edition prints the same objects with other texts; the emulator's are those of the Chinese one.
        _ if printed == answered || free(field) || example.ends_with("-en") => {}
        _ => differences.push(format!("{operation} {example}: {field} is {answered}, printed {printed}")),
    }
}

/// Examples whose answer has other positions and lines than the printed one: texts of no document.
const LOG: [&str; 3] = ["start_line", "content", "end_line"];

#[tokio::test]
async fn every_documented_request_has_its_documented_answer() {
    let (mut requests, mut answers, mut differences) = (0, 0, Vec::new());
    let document = spec::documents().iter().find(|document| document.name() == "modelarts").unwrap();
    for operation in document.operations() {
        for example in document.examples(operation).iter().filter(|example| example.parameters.is_some()) {
            // Each in a world of its own: what one creates or deletes, the next one needs.
            let emulator = Emulator::start().await.unwrap();
            let (status, answered) = Wire::new(&emulator).example(operation, example).await;
            let id = operation.id();
            requests += 1;
            if status != document.success_status(operation).unwrap() {
                differences.push(format!("{id} {}: {status} {answered}", example.key));
                continue;
            }
            let Some((_, printed)) = example.response else { continue };
            answers += 1;
            let mut printed = printed.clone();
            if id == "show_training_job_log" {
                for field in LOG {
                    assert_eq!(printed[field].is_string(), answered[field].is_string(), "{field}");
                    printed.as_object_mut().unwrap().remove(field);
                }
                printed["lines"] = json!("50");
            }
            if id == "list_training_jobs" {
                assert_eq!(
                    (answered["jobs"][0]["status"].clone(), answered["job_total_count"].clone()),
                    (json!(7), json!(1))
                );
            }
            compare(id, example.key, "", &printed, &answered, &mut differences);
        }
    }
    assert_eq!(differences, [""; 0], "{differences:#?}");
    assert_eq!((requests, answers), (54, 45));
    let unused = OTHER_VALUES.iter().filter(|(.., reason)| reason.is_empty()).count();
    assert_eq!(unused, 0);
}
