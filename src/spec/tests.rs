//! The rules that stand between the description and the generator, each on a small document.

use serde_json::{Value, json};

use super::check::check;
use super::documents;
use super::lower::{WIRE_TYPES, lower};

mod check;
mod lower;

/// One operation with a parameter, a request schema `In` and an answer schema `Out`; no rule objects to it.
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

/// Pointer to the one operation of [`document`].
const OPERATION: &str = "/paths/~1jobs~1{id}/put";

/// Puts a value where the pointer says, in place of what is there; the parent must exist. A final `-` appends.
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

/// The generator ignores a replacement for a name that it never meets.
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
