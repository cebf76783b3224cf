//! Texts of requests with limits become checked wire types.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::walk::{LIMITS, Side, WIRE_TYPES, components, each_operation, placeholder, reachable, refer_to};

/// The patterns of requests, with the types of `api::wire::pattern` that check them.
pub const TEXT_PATTERNS: &[(&str, &str)] = &[
    (r"^[A-Za-z0-9_-]*$", "Word"),
    (r"^[^;|&><'$]*$", "NoShell"),
    (r"^(s3a://|/)", "Path"),
    (r"^(s3a://|/)[^;|&><'$]*$", "PlainPath"),
    (r"^((s3a://|/)[^;|&><'$]*)?$", "PlainPathOrEmpty"),
    (r"^((s3a://|/)[^;|&><'$]*\.[sS][qQ][lL])?$", "ScriptPathOrEmpty"),
    (r"^([0-9]|1[0-9]|2[0-2])$", "StateCode"),
];

pub(super) fn bind_request_texts(document: &mut Value) {
    let named = reachable(document, Side::Request);
    let mut limited = BTreeMap::new();
    for (name, schema) in components(document, "schemas").into_iter().flatten() {
        if named.contains(name) && !WIRE_TYPES.iter().any(|(wire, _)| wire == name) {
            match limits(schema) {
                Some(limits) => *schema = limits,
                None => bind_texts(schema, name, &mut limited),
            }
        }
    }
    for (name, parameter) in components(document, "parameters").into_iter().flatten() {
        if let Some(schema) = parameter.get_mut("schema") {
            bind_text(schema, name.clone(), &mut limited);
        }
    }
    each_operation(document, |operation| {
        let id = operation["operationId"].as_str().map(pascal).unwrap_or_default();
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter["name"].as_str().map(pascal).unwrap_or_default();
            if let Some(schema) = parameter.get_mut("schema") {
                bind_text(schema, format!("{id}{name}"), &mut limited);
            }
        }
    });
    for (name, limits) in limited {
        document["components"]["schemas"][name] = limits;
    }
}

/// Makes each text with limits among the properties of a schema a reference to a component of its own.
fn bind_texts(schema: &mut Value, name: &str, limited: &mut BTreeMap<String, Value>) {
    for (field, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        bind_text(property, format!("{name}{}", pascal(field)), limited);
    }
}

fn bind_text(schema: &mut Value, name: String, limited: &mut BTreeMap<String, Value>) {
    if let Some(items) = schema.get_mut("items") {
        return bind_text(items, name + "Item", limited);
    }
    bind_texts(schema, &name, limited);
    if let (Some(limits), Some(schema)) = (limits(schema), schema.as_object_mut()) {
        refer_to(schema, &name);
        limited.insert(name, limits);
    }
}

/// The component for a text with limits; none for anything else.
fn limits(schema: &Value) -> Option<Value> {
    let keys = ["minLength", "maxLength", "pattern"];
    let is_text = schema["type"] == "string" && schema.get("enum").is_none() && schema.get("format").is_none();
    if !is_text || !keys.iter().any(|key| schema.get(*key).is_some()) {
        return None;
    }
    let limits: Map<String, Value> =
        keys.iter().filter_map(|key| Some(((*key).to_owned(), schema.get(*key)?.clone()))).collect();
    let mut component = placeholder();
    component[LIMITS] = limits.into();
    Some(component)
}

/// The Rust type of a component that stands for a text with limits; none for other components.
///
/// # Errors
///
/// A pattern that has no type.
pub fn limited_type(component: &Value) -> Option<Result<String, String>> {
    let limits = component.get(LIMITS)?;
    let pattern = match limits["pattern"].as_str() {
        None => "Any",
        Some(pattern) => match TEXT_PATTERNS.iter().find(|(known, _)| *known == pattern) {
            Some((_, name)) => name,
            None => {
                return Some(Err(format!(
                    "the pattern {pattern} of a request has no type: add one to src/api/wire/pattern.rs and to \
                     TEXT_PATTERNS in src/spec/lower/texts.rs"
                )));
            }
        },
    };
    let length = |key: &str, default: u32| limits[key].as_u64().unwrap_or(default.into());
    let (min, max) = (length("minLength", 0), length("maxLength", u32::MAX));
    Some(Ok(format!("crate::api::wire::Limited<crate::api::wire::pattern::{pattern}, {min}, {max}>")))
}

/// `ListJobs` for `list_jobs`, `SortBy` for `sortBy`.
fn pascal(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}
