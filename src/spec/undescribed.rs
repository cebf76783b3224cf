//! Finds the fields of a body that its schema does not name.

use serde_json::Value;

use super::load;

/// Returns the places of all fields that a schema does not name, for example `interface.0.odd`.
pub(crate) fn undescribed(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, &[schema], value, "", &mut found);
    found
}

fn collect<'a>(document: &'a Value, schemas: &[&'a Value], value: &Value, place: &str, found: &mut Vec<String>) {
    let mut known = Vec::new();
    schemas.iter().for_each(|schema| alternatives(document, schema, &mut known));
    match value {
        Value::Object(fields) => {
            let is_open = |schema: &&Value| schema["type"] == "object" && !schema["properties"].is_object();
            if known.iter().any(is_open) || !known.iter().any(|schema| schema["properties"].is_object()) {
                return;
            }
            for (name, value) in fields {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                let other = |schema: &&'a Value| schema.get("additionalProperties").filter(|other| **other != false);
                let named = |schema: &&'a Value| schema["properties"].get(name).or_else(|| other(schema));
                let inner: Vec<&Value> = known.iter().filter_map(named).collect();
                match inner[..] {
                    [] => found.push(place),
                    _ => collect(document, &inner, value, &place, found),
                }
            }
        }
        Value::Array(items) => {
            let inner: Vec<&Value> = known.iter().filter_map(|schema| schema.get("items")).collect();
            for (index, item) in items.iter().enumerate() {
                collect(document, &inner, item, &format!("{place}.{index}"), found);
            }
        }
        _ => {}
    }
}

/// Collects a schema and those that it combines, references resolved.
fn alternatives<'a>(document: &'a Value, schema: &'a Value, found: &mut Vec<&'a Value>) {
    let schema = load::resolve_whole(document, schema);
    found.push(schema);
    for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        alternatives(document, part, found);
    }
}
