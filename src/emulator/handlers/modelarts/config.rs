//! The configuration of a training job version, and saved configurations.

use serde_json::{Map, Value, json};

use super::catalog;
use crate::emulator::check::{fields, whole};
use crate::emulator::response::Rejection;

/// The documented fields of a configuration; others are not stored.
const FIELDS: [&str; 21] = [
    "worker_server_num",
    "app_url",
    "boot_file_url",
    "parameter",
    "data_url",
    "dataset_id",
    "dataset_version_id",
    "data_source",
    "spec_id",
    "engine_id",
    "model_id",
    "train_url",
    "log_url",
    "user_image_url",
    "user_command",
    "volumes",
    "flavor",
    "nas_share_addr",
    "nas_mount_path",
    "nas_type",
    "pool_id",
];

/// Validates a configuration against the documented rules that a schema cannot express, and returns the fields to store. The
/// description allows what breaks these rules, so the rejection is a conflict.
pub(super) fn accept(config: &Value) -> Result<Value, Rejection> {
    let has = |field: &str| config.get(field).is_some();
    let invalid = |message: &str| Err(Rejection::not_allowed(message));
    if has("boot_file_url") && !has("app_url") {
        return invalid("The field boot_file_url goes only with app_url, the directory that the file lies in.");
    }
    if has("user_command") && !has("user_image_url") {
        return invalid("The field user_command goes only with user_image_url, the image whose container it starts.");
    }
    let sources = config.get("data_source").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for source in sources {
        let needed = if source["type"] == "dataset" { "dataset_id" } else { "data_url" };
        if source.get("type").is_some() && source.get(needed).is_none() {
            return invalid(&format!("A source of type {} in the field data_source has {needed}.", source["type"]));
        }
        if source.get("type") != sources[0].get("type") {
            return invalid("All sources in the field data_source have the same type.");
        }
    }
    let most = catalog::spec(config).and_then(|spec| spec["max_num"].as_i64());
    if let (Some(wanted), Some(most)) = (config.get("worker_server_num").and_then(whole), most)
        && wanted > most
    {
        return invalid(&format!("The field worker_server_num is {wanted}; the specification allows {most} at most."));
    }
    let kept = FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), config.get(*field)?.clone())));
    Ok(Value::Object(kept.collect()))
}

/// Converts a number to its text.
fn as_text(value: &mut Value) {
    if value.is_number() {
        *value = value.to_string().into();
    }
}

/// Describes a configuration as responses show it: with its engine, specification, data and volumes. Stored values of the
/// seed data count before derived ones.
pub(super) fn show(config: &Value) -> Map<String, Value> {
    let mut shown = Map::new();
    if let Some(engine) = catalog::engine(config) {
        for field in ["engine_type", "engine_name", "engine_id", "engine_version"] {
            shown.insert(field.to_owned(), engine[field].clone());
        }
    }
    if let Some(spec) = catalog::spec(config) {
        for field in ["core", "cpu", "gpu_num", "gpu_type", "spec_code"] {
            shown.insert(field.to_owned(), spec[field].clone());
        }
    }
    for (id, name) in [("dataset_id", "dataset_name"), ("dataset_version_id", "dataset_version_name")] {
        if let Some(id) = config.get(id).and_then(Value::as_str) {
            shown.insert(name.to_owned(), json!(format!("{}-{id}", &name[..name.len() - "_name".len()])));
        }
    }
    if let Some(pool) = config.get("pool_id") {
        shown.insert("pool_name".to_owned(), pool.clone());
    }
    let volumes = config.get("volumes").and_then(Value::as_array).into_iter().flatten();
    if let Some(nfs) = volumes.filter_map(|volume| volume.get("nfs")).next() {
        shown.insert("nas_mount_path".to_owned(), nfs["dest_path"].clone());
        shown.insert("nas_share_addr".to_owned(), nfs["src_path"].clone());
        shown.insert("nas_type".to_owned(), json!("nfs"));
    }
    for (field, value) in fields(config).filter(|(field, _)| *field != "flavor") {
        shown.insert(field.clone(), value.clone());
    }
    if let Some(code) = config.pointer("/flavor/code") {
        shown.entry("spec_code").or_insert_with(|| code.clone());
    }
    // The tables have strings; the examples print numbers, and a request may contain them.
    for field in ["core", "cpu"] {
        shown.get_mut(field).map(as_text);
    }
    for parameter in shown.get_mut("parameter").and_then(Value::as_array_mut).into_iter().flatten() {
        parameter.get_mut("value").map(as_text);
        // Requests may leave the label out, or call it `key`; responses have it.
        if let Some(parameter) = parameter.as_object_mut()
            && !parameter.contains_key("label")
        {
            let label = parameter.remove("key").unwrap_or_else(|| json!(""));
            parameter.insert("label".to_owned(), label);
        }
    }
    shown
}
