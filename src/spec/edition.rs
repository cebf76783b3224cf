//! What a description becomes under the overlay of a cloud.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::load::{self, METHODS};
use super::overlay::{Overlay, OverlayError};

/// Applies an overlay to a description and returns the result with the number of nodes that each action selected.
///
/// What then has no use is left out too: paths without an operation, components that nothing refers to, tags without an
/// operation, and documented requests of which the overlay removed the body or the response.
///
/// # Errors
///
/// Fails if an action does not fit the description.
pub fn resolve(base: &Value, overlay: &Overlay) -> Result<(Value, Vec<usize>), OverlayError> {
    let mut document = base.clone();
    let counts = overlay.apply(&mut document)?;
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|_, item| METHODS.iter().any(|method| item.get(*method).is_some()));
    }
    drop_requests(base, &mut document);
    drop_tags(&mut document);
    drop_components(&mut document);
    Ok((document, counts))
}

/// Drops documented requests of which the overlay removed the body or the response.
fn drop_requests(base: &Value, document: &mut Value) {
    let mut dropped = Vec::new();
    for operation in load::operations(document) {
        let before = &base["paths"][operation.path][operation.method];
        let requests = operation.value["x-example-requests"].as_object();
        for key in requests.into_iter().flatten().map(|(key, _)| key) {
            let lost = |old: Vec<&Value>, new: Vec<&Value>| !old.is_empty() && new.is_empty();
            let gone = lost(bodies(before, key), bodies(operation.value, key))
                || lost(responses(base, before, key), responses(document, operation.value, key));
            if gone {
                dropped.push((operation.path.to_owned(), operation.method.to_owned(), key.clone()));
            }
        }
    }
    for (path, method, key) in dropped {
        let operation = &mut document["paths"][&path][&method];
        let Some(requests) = operation["x-example-requests"].as_object_mut() else { continue };
        requests.shift_remove(&key);
        if requests.is_empty() {
            operation.as_object_mut().map(|operation| operation.shift_remove("x-example-requests"));
        }
    }
}

fn bodies<'a>(operation: &'a Value, key: &str) -> Vec<&'a Value> {
    operation
        .pointer("/requestBody/content/application~1json/examples")
        .and_then(|all| all.get(key))
        .into_iter()
        .collect()
}

fn responses<'a>(document: &'a Value, operation: &'a Value, key: &str) -> Vec<&'a Value> {
    let responses = operation["responses"].as_object().into_iter().flatten().map(|(_, response)| response);
    responses
        .filter_map(|response| {
            load::resolve(document, response).pointer("/content/application~1json/examples")?.get(key)
        })
        .collect()
}

fn drop_tags(document: &mut Value) {
    let used: BTreeSet<String> = load::operations(document)
        .flat_map(|operation| operation.value["tags"].as_array().into_iter().flatten())
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| tag["name"].as_str().is_some_and(|name| used.contains(name)));
    }
}

/// Drops components that nothing refers to. Ways to authenticate are referred to by name and stay.
fn drop_components(document: &mut Value) {
    loop {
        let mut used = BTreeSet::new();
        references(document, &mut used);
        let Some(components) = document["components"].as_object_mut() else { return };
        let mut changed = false;
        for (section, entries) in components.iter_mut().filter(|(section, _)| *section != "securitySchemes") {
            let Some(entries) = entries.as_object_mut() else { continue };
            let before = entries.len();
            entries.retain(|name, _| used.contains(&format!("#/components/{section}/{name}")));
            changed |= entries.len() < before;
        }
        components.retain(|_, entries| entries.as_object().is_none_or(|entries: &Map<_, _>| !entries.is_empty()));
        if !changed {
            return;
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Extensions that are rules; all others are for readers.
const RULES: [&str; 6] = ["x-error-code", "x-together", "x-empty", "x-mandatory", "x-documented", "x-mrs-versions"];

/// Returns a description without what is only for readers, such as descriptions and examples.
pub fn rules(document: &Value) -> Value {
    rules_of(document, false)
}

/// `named`: the keys are names of the description, not of OpenAPI.
fn rules_of(value: &Value, named: bool) -> Value {
    let for_readers = |key: &str| {
        matches!(
            key,
            "description" | "summary" | "externalDocs" | "tags" | "default" | "example" | "examples" | "links"
        ) || (key.starts_with("x-") && !RULES.contains(&key))
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| named || !for_readers(key))
            .map(|(key, value)| {
                let named = !named && matches!(key.as_str(), "properties" | "schemas" | "responses" | "headers");
                (key.clone(), rules_of(value, named))
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| rules_of(item, false)).collect(),
        _ => value.clone(),
    }
}
