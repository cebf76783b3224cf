//! Leniency: fields that clients leave out or send empty although the documents demand them.

use serde_json::Value;

use crate::spec::load;

/// Finds the fields of a body that stand for a missing one, as JSON pointers.
///
/// Clients that always send all fields of a struct send `null` for an optional array or object, and the empty string
/// for an optional path. The description marks the latter with `x-empty: absent`.
pub(super) fn empty_fields(document: &Value, schema: &Value, body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if is_blank(body) {
        find_empty(document, schema, body, "", &mut found);
    }
    found
}

/// Finds the fields that the tables call mandatory (`x-mandatory`) and the body lacks, as JSON pointers.
pub(super) fn missing_fields(document: &Value, schema: &Value, body: &Value) -> Vec<String> {
    let schema = load::resolve_whole(document, schema);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let missing = properties.filter(|(name, property)| property["x-mandatory"] == true && body.get(name).is_none());
    missing.map(|(name, _)| format!("/{name}")).collect()
}

/// Replaces `1.0` and `1e0` by the whole number 1, so that responses show a whole number.
pub(super) fn unify_numbers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(unify_numbers),
        Value::Object(fields) => fields.values_mut().for_each(unify_numbers),
        Value::Number(number) if number.is_f64() => {
            // Up to this limit each whole number has a double of its own.
            let whole = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 2_f64.powi(53));
            if let Some(whole) = whole {
                *value = Value::from(whole as i64);
            }
        }
        _ => {}
    }
}

/// Removes a field.
pub(super) fn remove(body: &mut Value, pointer: &str) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(fields) = body.pointer_mut(parent).and_then(Value::as_object_mut)
    {
        fields.shift_remove(name);
    }
}

/// Returns whether a value, or one inside it, is empty. Most bodies have none, and need no look at their schema.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty() || items.iter().any(is_blank),
        Value::Object(fields) => fields.values().any(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn find_empty(document: &Value, schema: &Value, value: &Value, pointer: &str, found: &mut Vec<String>) {
    let schema = load::resolve_whole(document, schema);
    match value {
        Value::Object(fields) => {
            let required = |name: &str| {
                schema["required"].as_array().is_some_and(|required| required.iter().any(|required| required == name))
            };
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let Some(value) = fields.get(name) else { continue };
                let pointer = format!("{pointer}/{name}");
                if !required(name) && is_empty(load::resolve_whole(document, property), property, value) {
                    found.push(pointer);
                } else {
                    find_empty(document, property, value, &pointer, found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_empty(document, &schema["items"], item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Returns whether a value stands for a missing optional property.
fn is_empty(schema: &Value, property: &Value, value: &Value) -> bool {
    match value {
        Value::Null => matches!(schema["type"].as_str(), Some("array" | "object")) && schema["nullable"] != true,
        Value::String(text) => text.is_empty() && property["x-empty"] == "absent",
        Value::Array(items) => items.is_empty() && property["x-empty"] == "absent",
        _ => false,
    }
}
