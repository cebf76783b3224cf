//! Compares the JSON Schema of the generated types with the description. It finds parts that the generator ignores
//! silently.

use std::collections::BTreeSet;

use serde_json::Value;

use super::lower::{self, WIRE_TYPES};
use super::{documents, load};

/// Returns the type of a value in one word, the same for both sides.
fn shape_of_description(document: &Value, schema: &Value) -> String {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    if let Some(name) = reference.and_then(load::schema_name) {
        if let Some((_, path)) = WIRE_TYPES.iter().find(|(wire, _)| *wire == name) {
            let path = path.split('<').next().unwrap_or_default();
            return path.rsplit("::").next().unwrap_or_default().to_owned();
        }
        if let Some((low, high)) = lower::bounds_of(name) {
            return format!("Bounded_{low}_{high}");
        }
        let component = &document["components"]["schemas"][name];
        // The generator chooses the names of strings and numbers; their types must agree.
        return if component["type"] == "object" { name.to_owned() } else { shape_of_description(document, component) };
    }
    match schema["type"].as_str() {
        Some("array") => format!("[{}]", shape_of_description(document, &schema["items"])),
        Some("object") => "map".to_owned(),
        Some(kind @ ("integer" | "number")) => format!("{kind} {}", schema["format"].as_str().unwrap_or_default()),
        Some(kind) => kind.to_owned(),
        None => "any".to_owned(),
    }
}

fn shape_of_type(definitions: &Value, schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        let wire = name.split('_').next().unwrap_or_default();
        let hand_written = WIRE_TYPES.iter().any(|(_, path)| path.split('<').next().is_some_and(|p| p.ends_with(wire)));
        let definition = &definitions[name];
        return match () {
            () if wire == "Bounded" => name.to_owned(),
            () if hand_written => wire.to_owned(),
            () if definition["type"] == "object" => name.to_owned(),
            () => shape_of_type(definitions, definition),
        };
    }
    let parts = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
    if let Some(part) = parts.into_iter().flatten().find(|part| part["type"] != "null") {
        return shape_of_type(definitions, part);
    }
    let kind = schema["type"].as_array().and_then(|kinds| kinds.iter().find(|kind| **kind != "null"));
    match kind.unwrap_or(&schema["type"]).as_str() {
        Some("array") => format!("[{}]", shape_of_type(definitions, &schema["items"])),
        Some("object") => "map".to_owned(),
        Some(kind @ ("integer" | "number")) => format!("{kind} {}", schema["format"].as_str().unwrap_or_default()),
        Some(kind) => kind.to_owned(),
        None => "any".to_owned(),
    }
}

fn may_be_null(schema: &Value) -> bool {
    let null = |kind: &Value| kind == "null";
    schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(null))
        || schema["anyOf"].as_array().is_some_and(|parts| parts.iter().any(|part| null(&part["type"])))
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns the differences between a lowered description and the types, one line each, and the number of fields that
/// agree.
fn differences(document: &Value, definitions: &Value) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    let mut fields = 0;
    let mut known = BTreeSet::new();
    let components = document["components"]["schemas"].as_object().into_iter().flatten();
    let objects = components.filter(|(name, schema)| {
        schema["type"] == "object" && schema.get("properties").is_some() && !WIRE_TYPES.iter().any(|(w, _)| w == name)
    });
    for (name, schema) in objects {
        known.insert(name.as_str());
        let Some(definition) = definitions.get(name) else {
            found.push(format!("{name}: no such type"));
            continue;
        };
        let required = names(&schema["required"]);
        let or_default = names(&schema[lower::OR_DEFAULT]);
        // A missing field is null if it is nullable; otherwise it has a default.
        let may_be_missing =
            |field: &str| schema["properties"][field]["nullable"] == true || or_default.contains(field);
        let insisted: BTreeSet<_> = required.iter().copied().filter(|field| !may_be_missing(field)).collect();
        if names(&definition["required"]) != insisted {
            found.push(format!("{name}: requires {:?}, described {insisted:?}", names(&definition["required"])));
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (field, property) in properties {
            let Some(typed) = definition["properties"].get(field) else {
                found.push(format!("{name}.{field}: no such field"));
                continue;
            };
            let (is, described) = (shape_of_type(definitions, typed), shape_of_description(document, property));
            if is != described {
                found.push(format!("{name}.{field}: {is}, described {described}"));
            } else if may_be_null(typed) == (insisted.contains(field.as_str()) || or_default.contains(field.as_str()))
                && described != "any"
            {
                found.push(format!("{name}.{field}: null is {}", may_be_null(typed)));
            } else {
                fields += 1;
            }
        }
        for field in definition["properties"].as_object().into_iter().flatten().map(|(field, _)| field) {
            if schema["properties"].get(field).is_none() {
                found.push(format!("{name}.{field}: not described"));
            }
        }
    }
    for (name, definition) in definitions.as_object().into_iter().flatten() {
        if definition.get("properties").is_some() && !known.contains(name.as_str()) {
            found.push(format!("{name}: not described"));
        }
    }
    (found, fields)
}

fn definitions(service: &str) -> Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    crate::api::schema::add(service, &mut generator);
    generator.take_definitions(true).into()
}

#[test]
fn types_have_the_fields_that_are_described() {
    let mut total = 0;
    for document in documents() {
        let (found, fields) = differences(&lower::lower(document.value()), &definitions(document.name()));
        assert!(found.is_empty(), "{}:\n{}", document.name(), found.join("\n"));
        total += fields;
    }
    assert!(total > 700, "{total} fields agree");
    println!("{total} fields of the generated types agree with the description");
}

#[test]
fn a_loss_is_seen() {
    let document = documents().iter().find(|document| document.name() == "mrs").expect("it is there");
    let lowered = lower::lower(document.value());
    let lost = |pointer: &str, change: &dyn Fn(&mut Value)| {
        let mut definitions = definitions("mrs");
        change(definitions.pointer_mut(pointer).expect("the pointer leads somewhere"));
        differences(&lowered, &definitions).0
    };
    assert_eq!(lost("", &|_| ()), [""; 0]);
    let gone = lost("/UpdateJobRequest", &|request| {
        let mut fields = request["properties"].take();
        fields["mains"].take();
        let left = fields.as_object().into_iter().flatten().filter(|(_, field)| !field.is_null());
        request["properties"] = left.map(|(name, field)| (name.clone(), field.clone())).collect();
    });
    assert_eq!(gone, ["UpdateJobRequest.mains: no such field"]);
    let retyped = lost("/UpdateJobRequest/properties/mains", &|field| *field = serde_json::json!({"type": "string"}));
    assert_eq!(retyped, ["UpdateJobRequest.mains: string, described [string]"]);
    let optional = lost("/CreateJobRequest/required", &|required| *required = serde_json::json!(["name"]));
    assert_eq!(optional, [r#"CreateJobRequest: requires {"name"}, described {"name", "type"}"#]);
    let more = lost("", &|all| all["More"] = serde_json::json!({"properties": {}}));
    assert_eq!(more, ["More: not described"]);
    let null = lost("/JobDetails/properties/id", &|field| *field = serde_json::json!({"type": ["string", "null"]}));
    assert_eq!(null, ["JobDetails.id: null is true"]);
}
