//! The documented engines, resource specifications and built-in algorithms of the service.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::api;
use crate::emulator::check::whole;
use crate::emulator::seed_data::response;

/// The engines that jobs can use.
pub(super) static ENGINES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut engines = documented("list_job_ai_engines");
    // Examples of job configurations and of algorithms name these.
    for (id, kind, name, version) in
        [(3, 1, "TensorFlow", "TF-1.8.0-python2.7"), (501, 2, "MXNet", "MXNet-1.2.1-python2.7")]
    {
        engines.push(json!({"engine_type": kind, "engine_name": name, "engine_id": id, "engine_version": version}));
    }
    engines
});

/// The listed resource specifications.
pub(super) static SPECS: LazyLock<Vec<Value>> = LazyLock::new(|| documented("list_job_resource_specs"));

/// The specification of most examples. It is valid, but the documented list does not have it.
static UNLISTED_SPEC: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "spec_id": 1, "core": "2", "cpu": "8", "gpu_num": 2, "gpu_type": "P100", "spec_code": "modelarts.vm.gpu.p100",
        "max_num": 4,
    })
});

/// The built-in algorithms.
pub(super) static ALGORITHMS: LazyLock<Vec<Value>> = LazyLock::new(|| documented("list_built_in_algorithms"));

/// The items of the documented response of a list.
fn documented(operation: &str) -> Vec<Value> {
    let list = api::operation(operation).and_then(|operation| operation.list);
    list.and_then(|list| response(operation)[list.items].as_array().cloned()).unwrap_or_default()
}

/// Returns the specification of a configuration by id, otherwise by code, if the emulator has it; a region may have
/// others.
pub(super) fn spec(config: &Value) -> Option<&'static Value> {
    let mut known = SPECS.iter().chain([&*UNLISTED_SPEC]);
    match config.get("spec_id") {
        Some(id) => {
            let id = whole(id)?;
            known.find(|spec| spec["spec_id"] == id)
        }
        None => {
            let code = config.pointer("/flavor/code")?;
            known.find(|spec| spec["spec_code"] == *code)
        }
    }
}

/// Returns the engine of a configuration: its own, that of its algorithm, or the default.
pub(super) fn engine(config: &Value) -> Option<&'static Value> {
    let by_id = |id: i64| ENGINES.iter().find(|engine| engine["engine_id"] == id);
    if let Some(id) = config.get("engine_id") {
        return by_id(whole(id)?);
    }
    if let Some(model) = config.get("model_id") {
        let model = whole(model)?;
        return by_id(ALGORITHMS.iter().find(|known| known["model_id"] == model)?["engine_id"].as_i64()?);
    }
    // A custom image contains its own engine.
    if config.get("user_image_url").is_some() { None } else { by_id(1) }
}
