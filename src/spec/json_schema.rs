//! Converts OpenAPI 3.0 schemas into JSON Schema: `nullable` becomes a type, and referenced components are included.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::load;

/// Converts a schema. All components that it uses are under `$defs`.
pub(super) fn convert(document: &Value, schema: &Value) -> Value {
    let mut wanted = BTreeSet::new();
    let mut converted = translate(schema, &mut wanted);
    let mut definitions = Map::new();
    while let Some(name) = wanted.iter().find(|name| !definitions.contains_key(*name)).cloned() {
        let component = &document["components"]["schemas"][&name];
        definitions.insert(name, translate(component, &mut wanted));
    }
    if let (Some(converted), false) = (converted.as_object_mut(), definitions.is_empty()) {
        converted.insert("$defs".to_owned(), Value::Object(definitions));
    }
    converted
}

fn translate(schema: &Value, wanted: &mut BTreeSet<String>) -> Value {
    let Some(schema) = schema.as_object() else { return schema.clone() };
    let mut converted = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "$ref" => {
                let name = value.as_str().and_then(load::schema_name).unwrap_or_default();
                wanted.insert(name.to_owned());
                json!(format!("#/$defs/{name}"))
            }
            "properties" => value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, property)| (name.clone(), translate(property, wanted)))
                .collect::<Map<_, _>>()
                .into(),
            "oneOf" | "anyOf" | "allOf" => {
                value.as_array().into_iter().flatten().map(|part| translate(part, wanted)).collect()
            }
            "items" | "not" | "additionalProperties" => translate(value, wanted),
            "type" | "required" | "enum" | "minLength" | "maxLength" | "pattern" | "minimum" | "maximum"
            | "minItems" | "maxItems" | "uniqueItems" | "multipleOf" => value.clone(),
            // In OpenAPI 3.0 these are flags beside the bound.
            "exclusiveMinimum" | "exclusiveMaximum" | "nullable" => continue,
            // An integer that exceeds its format is not valid in these APIs.
            "format" if *value == "int32" => {
                for (bound, limit) in [("minimum", i64::from(i32::MIN)), ("maximum", i64::from(i32::MAX))] {
                    if !schema.contains_key(bound) {
                        converted.insert(bound.to_owned(), json!(limit));
                    }
                }
                continue;
            }
            "format" if *value == "int64" => {
                for (bound, limit) in [("minimum", i64::MIN), ("maximum", i64::MAX)] {
                    if !schema.contains_key(bound) {
                        converted.insert(bound.to_owned(), json!(limit));
                    }
                }
                continue;
            }
            // Descriptions, defaults, examples and extensions do not affect validity.
            _ => continue,
        };
        converted.insert(key.clone(), value);
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        converted = Map::from_iter([("anyOf".to_owned(), json!([converted, {"type": "null"}]))]);
    }
    Value::Object(converted)
}
