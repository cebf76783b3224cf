//! Tests of the types in the emulator's responses: those of the documentation's tables, or with `as_printed` those of
//! the examples.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;

use crate::fixtures::{Row, Side, tables};
use huaweicloud_jobs::emulator::{Emulator, EmulatorBuilder, Transitions};
use huaweicloud_jobs::spec::load::Operation;
use huaweicloud_jobs::spec::{self, Document, Example};
use reqwest::Method;
use serde_json::{Value, json};

/// Sends requests without validation.
struct Wire {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Wire {
    async fn start(builder: EmulatorBuilder) -> Self {
        // Loopback needs no TLS, but the client requires a TLS provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { emulator: builder.transitions(Transitions::AtOnce).start().await.unwrap(), http }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let url = format!("{}{path}", self.emulator.endpoint());
        let mut request = self.http.request(method, url).header("x-auth-token", "emulator-token-not-a-secret");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Calls an operation with values for its path, whose project is the emulator's.
    async fn call(&self, id: &str, path: &[(&str, &str)], query: &str, body: Option<Value>) -> Value {
        let (_, operation) = spec::operation(id).unwrap();
        let mut target = operation.path.replace("{project_id}", self.emulator.project_id());
        for (name, value) in path {
            target = target.replace(&format!("{{{name}}}"), value);
        }
        let (status, text) = self.send(operation.method, &format!("{target}?{query}"), body.as_ref()).await;
        assert!((200..300).contains(&status), "{id}: {status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Sends the request of a documented example.
    async fn example(&self, operation: Operation<'_>, example: &Example<'_>) -> (u16, String) {
        let mut path = operation.path.to_owned();
        let mut query = Vec::new();
        for (name, value) in example.parameters.unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match path.contains(&format!("{{{name}}}")) {
                _ if name == "project_id" => {}
                true => path = path.replace(&format!("{{{name}}}"), &text),
                false => query.push(format!("{name}={text}")),
            }
        }
        let path = path.replace("{project_id}", self.emulator.project_id());
        self.send(operation.method, &format!("{path}?{}", query.join("&")), example.request).await
    }
}

/// Returns all documented requests with the responses of a new emulator.
async fn examples(as_printed: bool) -> Vec<(&'static Document, Operation<'static>, Example<'static>, String)> {
    let mut all = Vec::new();
    for document in spec::documents() {
        for operation in document.operations() {
            for example in document.examples(operation).into_iter().filter(|example| example.parameters.is_some()) {
                let wire = Wire::start(Emulator::builder().as_printed(as_printed)).await;
                let (status, text) = wire.example(operation, &example).await;
                assert_eq!(status, document.success_status(operation).unwrap(), "{} {}", operation.id(), text);
                all.push((document, operation, example, text));
            }
        }
    }
    all
}

/// Responses that the examples do not show: objects with all their fields, jobs that have run, lists of what was made.
async fn more() -> Vec<(&'static str, Value)> {
    let wire = Wire::start(Emulator::builder()).await;
    let mut all = Vec::new();
    let config = json!({
        "worker_server_num": 1.0, "app_url": "/usr/app/", "boot_file_url": "/usr/app/boot.py", "spec_id": 4, "engine_id": 1e0,
        "parameter": [{"label": "rate", "value": "0.01"}, {"label": "size", "value": "32"}], "train_url": "/usr/train/",
        "log_url": "/usr/log/", "user_image_url": "swr/x:1", "user_command": "bash a.sh", "pool_id": "pool",
        "data_source": [{"type": "obs", "data_url": "/usr/data/"}],
        "volumes": [{"nfs": {"id": "n", "src_path": "192.0.2.1:/", "dest_path": "/nas", "read_only": false}},
                    {"host_path": {"src_path": "/root", "dest_path": "/home", "read_only": true}}],
    });
    let with = |fields: Value| {
        let mut config = config.clone();
        config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        config
    };
    let without = |fields: &[&str], more: Value| {
        let mut config = with(more);
        fields.iter().for_each(|field| _ = config.as_object_mut().unwrap().remove(*field));
        config
    };
    let dataset = json!({"dataset_id": "d", "dataset_version_id": "v", "model_id": 1});
    for (name, config) in [
        ("all", config.clone()),
        ("dataset", without(&["data_source"], dataset.clone())),
        (
            "flavor",
            without(
                &["spec_id"],
                json!({"flavor": {"code": "made.up"}, "nas_type": "nfs", "nas_share_addr": "a:/", "nas_mount_path": "/n"}),
            ),
        ),
    ] {
        let created =
            wire.call("create_training_job", &[], "", Some(json!({"job_name": name, "config": config}))).await;
        let (job, version) = (created["job_id"].to_string(), created["version_id"].to_string());
        all.push(("create_training_job", created));
        let path = [("job_id", job.as_str()), ("version_id", version.as_str())];
        // The next request finds it done.
        all.push(("list_training_job_versions", wire.call("list_training_job_versions", &path, "", None).await));
        all.push(("show_training_job_version", wire.call("show_training_job_version", &path, "", None).await));
        let file = format!("log_file={name}.0");
        all.push(("show_training_job_log", wire.call("show_training_job_log", &path, &file, None).await));
        let mut saved = config.clone();
        for field in ["pool_id", "flavor", "nas_type", "nas_share_addr", "nas_mount_path"] {
            saved.as_object_mut().unwrap().remove(field);
        }
        saved["config_name"] = json!(name);
        saved["spec_id"] = json!(4);
        wire.call("create_training_job_config", &[], "", Some(saved)).await;
        let path = [("config_name", name)];
        all.push(("show_training_job_config", wire.call("show_training_job_config", &path, "", None).await));
    }
    all.push(("list_training_job_configs", wire.call("list_training_job_configs", &[], "", None).await));
    all.push(("list_training_jobs", wire.call("list_training_jobs", &[], "per_page=100", None).await));
    let schedule = json!([{"type": "stop", "time_unit": "HOURS", "duration": 1}]);
    let view = json!({"job_name": "view", "train_url": "/x/", "schedule": schedule});
    let created = wire.call("create_visualization_job", &[], "", Some(view)).await;
    let view = created["job_id"].to_string();
    all.push(("create_visualization_job", created));
    all.push(("list_visualization_jobs", wire.call("list_visualization_jobs", &[], "", None).await));
    all.push(("show_visualization_job", wire.call("show_visualization_job", &[("job_id", &view)], "", None).await));
    let labeling =
        json!({"name": "l", "description": "d", "data_type": "OBS", "path": "/x/", "type": "Manual Object detection"});
    wire.call("create_annotation_job", &[], "", Some(labeling)).await;
    let filtered = json!({"name": "f", "data_type": "filter job", "filter_id": "f", "type": "Manual Image classify"});
    let created = wire.call("create_annotation_job", &[], "", Some(filtered)).await;
    let job = [("job_id", created["job_id"].as_str().unwrap())];
    wire.call("save_annotation_job_validation", &job, "", Some(json!({"pass_rate": "98.00"}))).await;
    all.push(("list_annotation_jobs", wire.call("list_annotation_jobs", &[], "", None).await));
    all.push(("show_annotation_job_validation", wire.call("show_annotation_job_validation", &job, "", None).await));
    let submitted = json!({"job_type": 1, "job_name": "j", "cluster_id": "c", "jar_path": "/x.jar"});
    let submitted = wire.call("submit_job", &[], "", Some(submitted)).await;
    let exe = [("job_exe_id", submitted["job_execution"]["id"].as_str().unwrap())];
    all.push(("show_job_exe", wire.call("show_job_exe", &exe, "", None).await));
    all.push(("list_job_exes", wire.call("list_job_exes", &[], "", None).await));
    all.push(("list_job_executions", wire.call("list_job_executions", &[], "", None).await));
    all
}

/// The differences from the tables with reasons: operation, field.
const OTHERWISE: [(&str, &str); 4] = [
    // The page shows a list, and a client in production reads one.
    ("list_training_job_log_files", "log_file_list"),
    // The table of the version's own page says object, and both pages print one, inside a text.
    ("list_training_job_versions", "total_metric_meta"),
    ("list_training_job_versions", "total_reserved_data"),
    ("list_training_job_versions", "total_metric_values"),
];

/// Returns whether a value has a type of the tables; null and the empty string have every type.
fn is_of(kind: &str, value: &Value) -> bool {
    if value.is_null() {
        return true;
    }
    match kind {
        "String" | "UUID" | "Datetime" | "DateTime" => value.is_string(),
        "Integer" | "integer" | "Int" | "Long" => value.is_i64(),
        "Boolean" | "Bool" => value.is_boolean(),
        "Float" => value.is_number(),
        "Object" | "JSON" | "Dict" | "object" => value.is_object(),
        _ if kind.starts_with("Map<") => value.is_object(),
        "List" => value.is_array(),
        _ if kind.contains("rray") || kind.ends_with("数组") => value.is_array(),
        _ if kind.ends_with(" object") => value.is_object(),
        _ => panic!("the tables have another type, {kind}"),
    }
}

/// The values of a row in a response.
fn values(row: &Row, response: &Value) -> Vec<Value> {
    fn holders(field: &str, value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name.eq_ignore_ascii_case(field) {
                        let inner = match value {
                            // Some objects stand in a text.
                            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
                            other => other.clone(),
                        };
                        found.extend(match inner {
                            Value::Array(items) => items,
                            other => vec![other],
                        });
                    }
                    match value {
                        Value::String(text) if text.starts_with('{') => {
                            holders(field, &serde_json::from_str(text).unwrap_or_default(), found);
                        }
                        other => holders(field, other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| holders(field, item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    match &row.field {
        Some(field) => holders(field.rsplit('.').next().unwrap(), response, &mut found),
        None => {
            found.push(response.clone());
            // The tables of MRS begin inside the one field that holds the object.
            found.extend(
                response
                    .as_object()
                    .filter(|fields| fields.len() == 1)
                    .and_then(|fields| fields.values().next())
                    .cloned(),
            );
        }
    }
    let name = |holder: &Value| {
        let fields = holder.as_object()?;
        fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&row.name)).map(|(_, value)| value.clone())
    };
    found.iter().filter_map(name).collect()
}

#[tokio::test]
async fn every_field_of_every_response_has_the_type_of_the_documents_table() {
    let mut responses: Vec<(&str, Value)> = Vec::new();
    for (_, operation, _, text) in examples(false).await {
        if !text.is_empty() {
            responses.push((operation.id(), serde_json::from_str(&text).unwrap()));
        }
    }
    responses.extend(more().await);
    let (mut wrong, mut seen, mut rows, mut used) = (BTreeSet::new(), 0, 0, BTreeSet::new());
    let mut unseen = Vec::new();
    for operation in &tables().operations {
        let of_it: Vec<&Value> =
            responses.iter().filter(|(id, _)| *id == operation.id).map(|(_, response)| response).collect();
        let described = operation.rows.iter().filter(|row| row.side == Side::Response && !row.facts.absent_on_success);
        for row in described {
            let kinds: Vec<&String> =
                row.kind.iter().chain(row.differs.values().filter_map(|other| other.kind.as_ref())).collect();
            let found: Vec<Value> = of_it.iter().flat_map(|response| values(row, response)).collect();
            rows += 1;
            match found.iter().any(|value| !value.is_null()) {
                true => seen += 1,
                false => unseen.push(format!("{} {}", operation.id, row.name)),
            }
            for value in found.iter().filter(|value| !kinds.is_empty() && !kinds.iter().any(|kind| is_of(kind, value)))
            {
                match OTHERWISE.iter().find(|known| **known == (operation.id.as_str(), row.name.as_str())) {
                    Some(known) => _ = used.insert(known),
                    None => {
                        _ = wrong
                            .insert(format!("{} {:?}.{}: {value} is no {kinds:?}", operation.id, row.field, row.name))
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(used.len(), OTHERWISE.len(), "as the table says after all: {OTHERWISE:?} without {used:?}");
    // The others are fields that are never set, such as those that the documentation calls unused.
    println!("{seen} of {rows} rows, without {unseen:#?}");
    assert!(seen * 10 > rows * 9, "{seen} of {rows}: {unseen:#?}");
}

#[tokio::test]
async fn as_printed_each_response_has_the_types_and_the_order_of_the_printed_one() {
    /// Returns the first place where two values differ in type or in the order of their fields.
    fn difference(place: &str, printed: &Value, value: &Value) -> Option<String> {
        match (printed, value) {
            // A documented null allows any type.
            (Value::Null, _) => None,
            (Value::Object(printed), Value::Object(value)) => {
                // The response to another request may have other fields.
                let names: Vec<&String> = printed.keys().filter(|name| value.contains_key(*name)).collect();
                let order: Vec<&String> = value.keys().filter(|name| printed.contains_key(*name)).collect();
                if names != order {
                    return Some(format!("{place}: the fields {order:?} instead of {names:?}"));
                }
                names.into_iter().find_map(|name| difference(&format!("{place}.{name}"), &printed[name], &value[name]))
            }
            (Value::Array(printed), Value::Array(value)) => {
                printed.iter().zip(value).find_map(|(printed, value)| difference(place, printed, value))
            }
            _ if std::mem::discriminant(printed) == std::mem::discriminant(value) => None,
            _ => Some(format!("{place}: {value} instead of {printed}")),
        }
    }
    let (mut differences, mut equal, mut compared) = (Vec::new(), 0, 0);
    for (document, operation, example, text) in examples(true).await {
        // Several requests share the one printed response.
        let Some((_, printed)) = document.examples(operation)[0].response else { continue };
        compared += 1;
        equal += usize::from(*text == *printed.to_string());
        let found = difference("", printed, &serde_json::from_str(&text).unwrap());
        differences.extend(found.map(|found| format!("{} {}: {found}", operation.id(), example.key)));
    }
    println!("{equal} of {compared} responses are the printed ones, byte for byte");
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(equal >= 20, "{equal} of {compared}");
}
