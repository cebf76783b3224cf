//! Tests the rules between the description and the generator, each with a small document.

use serde_json::{Value, json};

use super::check::check;
use super::documents;
use super::lower::{WIRE_TYPES, lower};

mod check;
mod lower;

/// Returns a valid document with one operation, a parameter, a request schema `In` and a response schema `Out`.
fn document() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Jobs", "version": "1"},
        "paths": {"/jobs/{id}": {"put": {
            "operationId": "update_job",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}},
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}}},
        }}},
        "components": {"schemas": {
            "In": {"type": "object", "properties": {}},
            "Out": {"type": "object", "properties": {}},
        }},
    })
}

/// The pointer to the operation of [`document`].
const OPERATION: &str = "/paths/~1jobs~1{id}/put";

/// Sets the value at a pointer; its parent must exist. A final `-` appends.
fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    match (parent, key) {
        (Value::Array(items), "-") => items.push(value),
        (Value::Array(items), index) => items[index.parse::<usize>().expect("an index")] = value,
        (parent, key) => parent[key.replace("~1", "/")] = value,
    }
}

#[test]
fn published_documents_pass() {
    assert_eq!(documents().len(), 3);
    for document in documents() {
        let problems: Vec<String> = check(document.value()).iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{}: {problems:#?}", document.name());
    }
}

/// Every replacement must have its component: the generator ignores one for an unknown name.
#[test]
fn wire_types_exist() {
    let lowered: Vec<Value> = documents().iter().map(|document| lower(document.value())).collect();
    let stale: Vec<&str> = WIRE_TYPES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| lowered.iter().all(|document| document["components"]["schemas"].get(name).is_none()))
        .collect();
    assert!(stale.is_empty(), "no document has {stale:?}");
}

/// The emulator validates requests with the documents without their parts for readers.
#[cfg(feature = "emulator")]
#[test]
fn what_is_for_readers_is_no_rule() {
    for (whole, rules) in documents().iter().zip(super::rules()) {
        assert!(rules.value().to_string().len() < whole.value().to_string().len() / 2);
        for (of_whole, of_rules) in whole.operations().zip(rules.operations()) {
            let id = of_whole.id();
            assert_eq!((id, of_whole.path, of_whole.method), (of_rules.id(), of_rules.path, of_rules.method));
            assert_eq!(of_whole.value.get("security"), of_rules.value.get("security"), "{id}");
            let schema = |schema: Option<&Value>, document: &super::Document| schema.map(|it| document.json_schema(it));
            assert_eq!(
                schema(whole.request_schema(of_whole), whole),
                schema(rules.request_schema(of_rules), rules),
                "{id}"
            );
            for (one, other) in whole.parameters(of_whole).zip(rules.parameters(of_rules)) {
                assert_eq!(
                    (&one["name"], &one["in"], &one["required"]),
                    (&other["name"], &other["in"], &other["required"])
                );
                assert_eq!(whole.json_schema(&one["schema"]), rules.json_schema(&other["schema"]), "{id}");
            }
            for status in of_whole.value["responses"].as_object().into_iter().flatten().map(|(status, _)| status) {
                let status = status.replace("XX", "99").parse().expect("a status");
                let [one, other] = [(whole, of_whole), (rules, of_rules)].map(|(document, operation)| {
                    let response = document.response(operation, status).expect("it is described");
                    (
                        schema(response.pointer("/content/application~1json/schema"), document),
                        response["headers"].as_object().map(|headers| headers.keys().collect::<Vec<_>>()),
                    )
                });
                assert_eq!(one, other, "{id}: {status}");
            }
        }
    }
}
