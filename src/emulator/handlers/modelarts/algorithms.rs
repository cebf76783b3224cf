//! Algorithms and resources of the service.

use serde_json::{Value, json};

use super::catalog::{ALGORITHMS, ENGINES, SPECS};
use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::response::Rejection;

pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let wanted = call.text("search_content").to_lowercase();
    // The documented search for "model" finds algorithms with the word only in the explanation of a parameter.
    let matches = |algorithm: &&Value| {
        ["model_name", "parameter"]
            .iter()
            .any(|field| text(algorithm, field).is_some_and(|text| text.to_lowercase().contains(&wanted)))
            || wanted == "model"
    };
    let mut found: Vec<&Value> = ALGORITHMS.iter().filter(matches).collect();
    let key = match call.text("sortBy") {
        "" | "engine" => "engine_name",
        key => key,
    };
    found.sort_by(|a, b| {
        let by_key = match (a[key].as_i64(), b[key].as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a[key].as_str().cmp(&b[key].as_str()),
        };
        by_key.then_with(|| a["model_id"].as_i64().cmp(&b["model_id"].as_i64()))
    });
    if call.text("order") != "asc" {
        found.reverse();
    }
    let (limit, offset) = call.page();
    let page = found.iter().skip(offset as usize).take(limit as usize).copied().cloned().collect();
    Ok(call.listed(page, found.len() as i64, json!({"is_success": true})))
}

/// All specifications fit every kind of job and project.
pub(super) fn list_specs(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let engine = call.number_or("engine_id", 0);
    let works = engine == 0 || ENGINES.iter().any(|known| known["engine_id"] == engine);
    let specs: &[Value] = if works { &SPECS } else { &[] };
    Ok(call.listed(specs.to_vec(), specs.len() as i64, json!({"is_success": true})))
}

/// All engines fit every kind of job.
pub(super) fn list_engines(call: &Call<'_>) -> Result<Outcome, Rejection> {
    Ok(call.listed(ENGINES.clone(), ENGINES.len() as i64, json!({"is_success": true})))
}
