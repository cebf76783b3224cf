//! Tests of requests with fewer or more fields than documented: accepted if real clients send them, rejected in strict
//! mode; and of the statuses of rejections, which are the documented ones of their codes.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::fixtures::{Spot, request_schema};
use huaweicloud_jobs::ErrorCode;
use huaweicloud_jobs::emulator::{Emulator, Transitions};
use huaweicloud_jobs::spec::load::Operation;
use huaweicloud_jobs::spec::{self, Example};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const TOKEN: &str = "emulator-token-not-a-secret";

fn client() -> Client {
    // Loopback needs no TLS, but the client requires a TLS provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// Status and body of the response; the path may have the project as `{project_id}`.
async fn send(emulator: &Emulator, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let path = path.replace("{project_id}", emulator.project_id());
    let mut request = client().request(method, emulator.endpoint() + &path).header("x-auth-token", TOKEN);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

/// The path of a documented example.
fn path(operation: Operation<'_>, example: &Example<'_>) -> String {
    let mut path = operation.path.to_owned();
    for (name, value) in example.parameters.unwrap().iter().filter(|(name, _)| *name != "project_id") {
        path = path.replace(&format!("{{{name}}}"), &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    path
}

/// Values that clients send for a missing field: place in the body, and value.
fn stand_ins(schema: &Spot<'static>, body: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    for holder in schema.holders() {
        let required = holder.value["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in holder.properties() {
            let pointer = format!("{pointer}/{name}");
            if !required.contains(&json!(name)) {
                let types = property.types();
                let is_container = types == ["array"] || types == ["object"];
                if is_container {
                    found.push((pointer.clone(), Value::Null));
                }
                if property.value["x-empty"] == "absent" {
                    found.push((pointer.clone(), if types == ["array"] { json!([]) } else { json!("") }));
                }
            }
            match body.get(name) {
                Some(Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate().filter(|(_, item)| item.is_object()) {
                        stand_ins(&property, item, &format!("{pointer}/{index}"), found);
                    }
                }
                Some(inner @ Value::Object(_)) => stand_ins(&property, inner, &pointer, found),
                _ => {}
            }
        }
    }
}

/// Sets a field of a body, or removes it.
fn with(body: &Value, pointer: &str, value: Option<&Value>) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let fields = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => _ = fields.insert(name.to_owned(), value.clone()),
        None => _ = fields.remove(name),
    }
    body
}

#[tokio::test]
async fn what_stands_for_a_missing_field_is_taken_for_one_unless_the_emulator_is_strict() {
    let (mut tried, mut differences) = (0, Vec::new());
    for document in spec::documents().iter().filter(|document| document.name() != "iam") {
        for operation in document.operations() {
            let Some(schema) = request_schema(document, operation) else { continue };
            let mut done: Vec<(String, Value)> = Vec::new();
            for example in document.examples(operation).iter().filter(|example| example.request.is_some()) {
                let (body, path) = (example.request.unwrap(), path(operation, example));
                let mut found = Vec::new();
                stand_ins(&schema, body, "", &mut found);
                for (pointer, value) in found {
                    let removed = body.pointer(&pointer).is_some();
                    // Once added to a request, and once replacing a value.
                    let key = (format!("{pointer} {removed}"), value.clone());
                    if done.contains(&key) {
                        continue;
                    }
                    done.push(key);
                    tried += 1;
                    let place = format!("{} {}: {value} as {pointer}", operation.id(), example.key);
                    let lenient = Emulator::builder().start().await.unwrap();
                    let expected = send(&lenient, operation.method, &path, Some(&with(body, &pointer, None))).await;
                    lenient.reset().unwrap();
                    let empty = with(body, &pointer, Some(&value));
                    let accepted = send(&lenient, operation.method, &path, Some(&empty)).await;
                    if (expected.0, &expected.1["error_code"]) != (accepted.0, &accepted.1["error_code"]) {
                        differences.push(format!("{place}: {accepted:?} instead of {expected:?}"));
                    }
                    let strict = Emulator::builder().strict(true).start().await.unwrap();
                    let rejected = send(&strict, operation.method, &path, Some(&empty)).await;
                    let text = rejected.1.to_string();
                    if rejected.0 != 400 || !text.contains(pointer.rsplit('/').next().unwrap()) {
                        differences.push(format!("{place}, strict: {} {text}", rejected.0));
                    }
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    println!("{tried} empty fields");
    assert!(tried >= 60, "{tried}");
}

#[tokio::test]
async fn null_stays_wrong_for_what_must_be_there_and_for_texts_and_numbers() {
    let emulator = Emulator::start().await.unwrap();
    let config = json!({"worker_server_num": 1, "data_url": "/d/", "user_image_url": "i", "spec_id": 4});
    for (field, body) in [
        ("config", json!({"job_name": "j", "config": null})),
        ("job_desc", json!({"job_name": "j", "job_desc": null, "config": config})),
        ("spec_id", json!({"job_name": "j", "config": with(&config, "/spec_id", Some(&Value::Null))})),
        ("parameter", json!({"job_name": "j", "config": with(&config, "/parameter", Some(&json!([null])))})),
    ] {
        let (status, response) = send(&emulator, "post", "/v1/{project_id}/training-jobs", Some(&body)).await;
        let message = response["error_message"].as_str().unwrap();
        assert!(status == 400 && message.contains(field), "{field}: {status} {response}");
    }
}

#[tokio::test]
async fn a_field_that_only_the_table_calls_mandatory_may_be_left_out_unless_the_emulator_is_strict() {
    let mut tried = 0;
    for document in spec::documents() {
        for operation in document.operations() {
            let Some(schema) = request_schema(document, operation) else { continue };
            let properties = schema.holders().into_iter().flat_map(|holder| holder.properties());
            for (name, _) in properties.filter(|(_, property)| property.value["x-mandatory"] == true) {
                tried += 1;
                let example = document.examples(operation)[0];
                let body = with(example.request.unwrap(), &format!("/{name}"), None);
                for (strict, expected) in [(false, document.success_status(operation).unwrap()), (true, 400)] {
                    let emulator = Emulator::builder().strict(strict).start().await.unwrap();
                    let (status, response) =
                        send(&emulator, operation.method, &path(operation, &example), Some(&body)).await;
                    assert_eq!(status, expected, "{} without {name}: {response}", operation.id());
                }
            }
        }
    }
    assert_eq!(tried, 1, "create_job_binary without a description");
}

#[tokio::test]
async fn a_bearer_token_is_a_token() {
    let emulator = Emulator::start().await.unwrap();
    let url = format!("{}/v1/{}/training-jobs", emulator.endpoint(), emulator.project_id());
    for (authorization, status) in [
        (format!("Bearer {TOKEN}"), 200),
        (format!("bearer  {TOKEN}"), 200),
        ("Bearer another".to_owned(), 401),
        ("Bearer ".to_owned(), 401),
        (format!("Basic {TOKEN}"), 401),
    ] {
        let response = client().get(&url).header("authorization", &authorization).send().await.unwrap();
        assert_eq!(response.status(), status, "{authorization}");
    }
}

#[tokio::test]
async fn the_status_of_a_rejection_is_a_documented_one_of_its_code() {
    let emulator = Emulator::builder().quota(8).transitions(Transitions::AtOnce).start().await.unwrap();
    let config = json!({"worker_server_num": 1, "data_url": "/d/", "user_image_url": "i", "spec_id": 4});
    let job = json!({"job_name": "testModelArtsJob", "config": config});
    let mut requests: Vec<(String, String, Option<Value>)> = vec![
        // A name that is taken, a rule, a state, a quota, another project, a code of its own, a wrong field.
        ("post".into(), "/v1/{project_id}/training-jobs".into(), Some(job)),
        ("post".into(), "/v1/{project_id}/visualization-jobs/10/stop".into(), None),
        ("post".into(), "/v1/{project_id}/visualization-jobs/10/stop".into(), None),
        ("get".into(), "/v1.1/{project_id}/job-executions/84900772-8807-4ddc-9484-f719fa43711f/cancel".into(), None),
        ("get".into(), "/v1/elsewhere/training-jobs".into(), None),
        ("get".into(), "/v1.1/elsewhere/jobs".into(), None),
        ("post".into(), "/v1.1/{project_id}/jobs".into(), Some(json!({"name": "j", "type": "MapReduce"}))),
        ("get".into(), "/v1/{project_id}/nothing".into(), None),
        ("patch".into(), "/v1/{project_id}/training-jobs".into(), None),
    ];
    for number in 0..10 {
        let view = json!({"job_name": format!("v{number}"), "train_url": "/x/"});
        requests.push(("post".into(), "/v1/{project_id}/visualization-jobs".into(), Some(view)));
    }
    // An unknown field, and a body that is not an object, in each operation.
    for document in spec::documents().iter().filter(|document| document.name() != "iam") {
        for operation in document.operations() {
            let mut path = operation.path.to_owned();
            for parameter in document.parameters(operation).filter(|parameter| parameter["in"] == "path") {
                let name = parameter["name"].as_str().unwrap();
                if name != "project_id" {
                    path = path.replace(&format!("{{{name}}}"), "4711");
                }
            }
            let required = document.parameters(operation).filter(|one| one["in"] == "query" && one["required"] == true);
            let query: Vec<String> = required.map(|one| format!("{}=x", one["name"].as_str().unwrap())).collect();
            let path = format!("{path}?{}", query.join("&"));
            let body = document.examples(operation).first().and_then(|example| example.request.cloned());
            requests.push((operation.method.to_owned(), path.clone(), body.clone()));
            if body.is_some() {
                requests.push((operation.method.to_owned(), path, Some(json!([]))));
            }
        }
    }
    let (mut codes, mut wrong) = (std::collections::BTreeSet::new(), Vec::new());
    for (method, path, body) in &requests {
        let (status, response) = send(&emulator, method, path, body.as_ref()).await;
        if status < 400 {
            continue;
        }
        let code = response["error_code"].as_str().unwrap_or_else(|| panic!("{path}: {response}"));
        codes.insert(code.to_owned());
        let statuses = ErrorCode::lookup(code).unwrap().statuses();
        // OpenStack's and Sahara's clients need this status to find and delete objects of MRS, but not exe objects.
        let by_status = (status, code) == (404, "0176") && !path.contains("/job-exes/");
        if !(statuses.is_empty() || statuses.contains(&status) || by_status) {
            wrong.push(format!("{method} {path}: {status}, but {code} has {statuses:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(codes.len() >= 10, "{codes:?}");
    let (status, response) = send(&emulator, "get", "/v1.1/{project_id}/job-exes/nobody", None).await;
    assert_eq!((status, &response["error_code"]), (500, &json!("0176")), "{response}");
}

#[tokio::test]
async fn the_requests_of_a_client_in_production_are_accepted() {
    let emulator = Emulator::start().await.unwrap();
    let config = json!({
        "worker_server_num": 1, "app_url": "/made-up/code/", "boot_file_url": "/made-up/code/train.py", "parameter": null,
        "data_url": "/made-up/data/", "dataset_id": "", "dataset_version_id": "", "data_source": null, "engine_id": 1,
        "train_url": "/made-up/out/", "log_url": "/made-up/log/", "create_version": true, "pool_id": "pool1",
        "flavor": {"code": "modelarts.bm.910.arm.public.1"}, "user_image_url": "", "user_command": "",
        "nas_share_addr": "192.0.2.1:/x", "nas_mount_path": "/cache", "nas_type": "nfs", "volumes": null,
    });
    let body = json!({"job_name": "openi", "job_desc": "", "config": config, "workspace_id": ""});
    for strict in [false, true] {
        let emulator = Emulator::builder().strict(strict).start().await.unwrap();
        let (status, response) = send(&emulator, "post", "/v1/{project_id}/training-jobs", Some(&body)).await;
        assert_eq!(status, if strict { 400 } else { 200 }, "{response}");
    }
    let (_, created) = send(&emulator, "post", "/v1/{project_id}/training-jobs", Some(&body)).await;
    let path = format!("/v1/{{project_id}}/training-jobs/{}/versions/{}", created["job_id"], created["version_id"]);
    let (status, shown) = send(&emulator, "get", &path, None).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(
        [&shown["spec_code"], &shown["nas_share_addr"], &shown["nas_type"], &shown["pool_id"], &shown["data_url"]],
        ["modelarts.bm.910.arm.public.1", "192.0.2.1:/x", "nfs", "pool1", "/made-up/data/"]
    );
    for absent in ["parameter", "dataset_id", "user_image_url", "flavor", "volumes"] {
        assert!(shown.get(absent).is_none(), "{shown}");
    }
    // Another one, of MRS, sends all fields of its structure for a Spark SQL job.
    let submitted = json!({
        "job_type": 7, "job_name": "t", "cluster_id": "c", "jar_path": "", "arguments": "", "input": "", "output": "",
        "job_log": "", "file_action": "", "hql": "gc2hvdyB0YWJsZXM7", "hive_script_path": "",
    });
    let (status, response) = send(&emulator, "post", "/v1.1/{project_id}/jobs/submit-job", Some(&submitted)).await;
    assert_eq!(status, 200, "{response}");
    // It is in the default workspace.
    let (_, listed) = send(&emulator, "get", "/v1/{project_id}/training-jobs?search_content=openi", None).await;
    assert_eq!(listed["job_total_count"], 1);
}

/// A rejection names the fields that exclude each other, or the one that is missing, in whichever body the rule is.
#[tokio::test]
async fn fields_that_exclude_each_other_are_named() {
    let emulator = Emulator::start().await.unwrap();
    let config = |more: Value| {
        let mut config = json!({
            "worker_server_num": 1, "app_url": "/usr/app/", "boot_file_url": "/usr/app/boot.py", "data_url": "/usr/data/",
            "spec_id": 1, "engine_id": 1, "train_url": "/usr/train/",
        });
        let fields = config.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        config
    };
    let source = json!([{"type": "obs", "data_url": "/usr/data/"}]);
    let both = json!([{"type": "obs", "data_url": "/usr/data/", "dataset_id": "a", "dataset_version": "b"}]);
    for (more, told) in [
        (json!({"data_source": source}), "The field config is invalid: data_url and data_source exclude each other"),
        (
            json!({"dataset_id": "a", "dataset_version_id": "b"}),
            "The field config is invalid: data_url and dataset_id exclude each other",
        ),
        (
            json!({"data_url": null, "data_source": both}),
            "The field config.data_source.0 is invalid: data_url and dataset_id exclude each other",
        ),
    ] {
        let body = json!({"job_name": "x", "config": config(more)});
        let (status, rejection) = send(&emulator, "post", "/v1/{project_id}/training-jobs", Some(&body)).await;
        assert_eq!((status, rejection["error_message"].as_str().unwrap()), (400, told));
    }
    let update = "/v1/{project_id}/training-job-configs/config123";
    for (change, told) in [
        (json!({"boot_file_url": "/usr/app/boot.py", "app_url": null}), "boot_file_url goes only with app_url"),
        (json!({"data_source": source}), "data_url and data_source exclude each other"),
    ] {
        let (status, rejection) = send(&emulator, "put", update, Some(&config(change))).await;
        assert_eq!(status, 400, "{rejection}");
        assert!(rejection["error_message"].as_str().unwrap().contains(told), "{rejection}");
    }
    // Clients in Java send the empty list beside the path: it counts as absent.
    let body = json!({"job_name": "empty", "config": config(json!({"data_source": []}))});
    let (status, created) = send(&emulator, "post", "/v1/{project_id}/training-jobs", Some(&body)).await;
    assert_eq!(status, 200, "{created}");
}
