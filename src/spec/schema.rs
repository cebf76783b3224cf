//! Walking through a document's schemas, for those that derive another view of them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::load;

/// Keys whose content is data, not a schema.
pub fn is_data(key: &str) -> bool {
    matches!(key, "example" | "examples" | "enum" | "default" | "required") || key.starts_with("x-")
}

/// Returns whether a composition only states which fields go together.
pub fn is_field_rule(schema: &Value) -> bool {
    schema.as_object().is_some_and(|schema| {
        schema.iter().all(|(key, value)| match key.as_str() {
            "required" => true,
            "not" => is_field_rule(value),
            "oneOf" | "anyOf" | "allOf" => value.as_array().is_some_and(|parts| parts.iter().all(is_field_rule)),
            "properties" => value.as_object().is_some_and(|fields| fields.values().all(narrows)),
            _ => key.starts_with("x-") || key == "description",
        })
    })
}

/// Whether a rule ties the value of a field to that of another: `properties: {type: {enum: [obs]}}`. The type may be said
/// beside the values that are left, not alone.
fn narrows(field: &Value) -> bool {
    const VALUES: [&str; 4] = ["enum", "pattern", "minLength", "minItems"];
    field.as_object().is_some_and(|field| {
        let is_value = |key: &str| VALUES.contains(&key);
        field.keys().all(|key| key == "type" || is_value(key)) && field.keys().any(|key| is_value(key))
    })
}

/// Removes the compositions of a schema that are only rules between fields.
pub fn drop_field_rules(schema: &mut Map<String, Value>) {
    for key in ["oneOf", "anyOf", "allOf"] {
        let only_rules = schema.get(key).and_then(Value::as_array).is_some_and(|parts| parts.iter().all(is_field_rule));
        if only_rules {
            schema.shift_remove(key);
        }
    }
    if schema.get("not").is_some_and(is_field_rule) {
        schema.shift_remove("not");
    }
}

/// Visits every object of a document that is no data, inner ones before outer ones.
#[cfg(feature = "publish")]
pub fn visit(value: &mut Value, visitor: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut().filter(|(key, _)| !is_data(key)) {
                match inner {
                    // A field can have the name of a keyword.
                    Value::Object(fields) if key == "properties" => {
                        fields.values_mut().for_each(|field| visit(field, visitor));
                    }
                    _ => visit(inner, visitor),
                }
            }
            visitor(map);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, visitor)),
        _ => {}
    }
}

/// Collects all local references that a part of a document reaches.
pub fn references(document: &Value, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                && found.insert(reference.to_owned())
                && let Some(target) = load::target(document, reference)
            {
                references(document, target, found);
            }
            for (key, inner) in map.iter().filter(|(key, _)| !is_data(key)) {
                match inner {
                    Value::Object(fields) if key == "properties" => {
                        fields.values().for_each(|field| references(document, field, found));
                    }
                    _ => references(document, inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(document, item, found)),
        _ => {}
    }
}
