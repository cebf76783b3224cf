//! Tests breaking and additive changes, each with a small description.

use serde_json::json;

use super::*;

/// A description with one operation, which the tests change.
fn base() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Jobs", "version": "1.2.3"},
        "servers": [{"url": "https://{region}.example.com", "variables": {"region": {"default": "a", "enum": ["a", "b"]}}}],
        "security": [{"token": []}],
        "paths": {"/jobs/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "put": {
                "operationId": "update_job",
                "x-idempotent": true,
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "format": "int32", "maximum": 100, "default": 10}}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Input"}}}},
                "responses": {
                    "200": {"description": "Done.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Output"}}}},
                    "4XX": {"description": "Refused.", "content": {"application/json": {"schema": {"type": "object"}}}}
                }
            }
        }},
        "components": {"schemas": {
            "Input": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^a"},
                    "kind": {"allOf": [{"$ref": "#/components/schemas/Kind"}]},
                    "note": {"type": "string", "default": ""}
                },
                "oneOf": [{"required": ["kind"]}, {"required": ["note"]}]
            },
            "Kind": {"type": "string", "enum": ["x", "y"]},
            "Output": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "integer", "format": "int64"},
                    "state": {"type": "string", "enum": ["up", "down"]},
                    "parent": {"allOf": [{"$ref": "#/components/schemas/Output"}], "description": "A circle."},
                    "all": {"type": "array", "items": {"$ref": "#/components/schemas/Output"}}
                }
            }
        }}
    })
}

const INPUT: &str = "/components/schemas/Input";
const OUTPUT: &str = "/components/schemas/Output";
const OPERATION: &str = "/paths/~1jobs~1{id}/put";

/// Returns the changes after a merge patch at a pointer, as lines.
fn after(pointer: &str, patch: &Value) -> Vec<String> {
    let mut new = base();
    merge(new.pointer_mut(pointer).expect("the pointer leads somewhere"), patch);
    compare(&base(), &new).iter().map(ToString::to_string).collect()
}

fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(key);
                } else {
                    merge(target.entry(key.clone()).or_insert(json!({})), value);
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

#[test]
fn the_same_and_other_words_are_no_change() {
    assert_eq!(after("", &json!({})), [""; 0]);
    assert_eq!(after(INPUT, &json!({"description": "Other words.", "x-rules": ["One."]})), [""; 0]);
    assert_eq!(after(OPERATION, &json!({"summary": "Other words", "tags": ["Other"]})), [""; 0]);
    assert_eq!(after("/components/schemas/Input/properties/note", &json!({"minLength": 0})), [""; 0]);
}

/// Pointer, patch, and the expected line.
type Case = (&'static str, Value, &'static str);

fn all(cases: Vec<Case>) {
    for (pointer, patch, line) in cases {
        assert_eq!(after(pointer, &patch), [line], "{pointer} {patch}");
    }
}

#[test]
fn a_stricter_request_breaks_and_a_looser_one_adds() {
    let name = "/components/schemas/Input/properties/name";
    all(vec![
        (name, json!({"maxLength": 32}), "breaking: update_job request: `name`: `maxLength` was 64, is 32"),
        (name, json!({"maxLength": 80}), "additive: update_job request: `name`: `maxLength` was 64, is 80"),
        (name, json!({"maxLength": null}), "additive: update_job request: `name`: `maxLength` was 64, is none"),
        (name, json!({"minLength": 2}), "breaking: update_job request: `name`: `minLength` was 1, is 2"),
        (name, json!({"pattern": "^b"}), "breaking: update_job request: `name`: `pattern` was \"^a\", is \"^b\""),
        (name, json!({"pattern": null}), "additive: update_job request: `name`: `pattern` \"^a\" is gone"),
        (name, json!({"nullable": true}), "additive: update_job request: `name`: it may be null"),
        (name, json!({"type": "integer"}), "breaking: update_job request: `name`: the type was string, is integer"),
        (INPUT, json!({"required": []}), "additive: update_job request: `name`: it is optional"),
        (INPUT, json!({"required": ["name", "note"]}), "breaking: update_job request: `note`: it is required"),
        (
            INPUT,
            json!({"properties": {"more": {"type": "string"}}}),
            "additive: update_job request: `more`: the field is new",
        ),
        (INPUT, json!({"properties": {"note": null}}), "breaking: update_job request: `note`: the field is gone"),
        (
            INPUT,
            json!({"oneOf": [{"required": ["kind"]}]}),
            "breaking: update_job request: {\"required\":[\"note\"]} in `oneOf` is gone",
        ),
        (INPUT, json!({"oneOf": null}), "additive: update_job request: `oneOf` is gone"),
        (INPUT, json!({"not": {"required": ["kind"]}}), "breaking: update_job request: `not` is new"),
        (INPUT, json!({"additionalProperties": false}), "breaking: update_job request: further fields are restricted"),
        (
            "/components/schemas/Kind",
            json!({"enum": ["x"]}),
            "breaking: update_job request: `kind`: the value \"y\" is gone",
        ),
        (
            "/components/schemas/Kind",
            json!({"enum": ["x", "y", "z"]}),
            "additive: update_job request: `kind`: the value \"z\" is new",
        ),
        (
            "/components/schemas/Input/properties/note",
            json!({"default": "a"}),
            "breaking: update_job request: `note`: the default was \"\", is \"a\"",
        ),
    ]);
}

#[test]
fn a_looser_answer_breaks_and_a_stricter_one_adds() {
    let id = "/components/schemas/Output/properties/id";
    all(vec![
        (id, json!({"nullable": true}), "breaking: update_job response 200: `id`: it may be null"),
        (id, json!({"format": "int32"}), "additive: update_job response 200: `id`: the format was int64, is int32"),
        (id, json!({"type": "number"}), "breaking: update_job response 200: `id`: the type was integer, is number"),
        (id, json!({"maximum": 9}), "additive: update_job response 200: `id`: `maximum` was none, is 9"),
        (OUTPUT, json!({"required": []}), "breaking: update_job response 200: `id`: it is optional"),
        (OUTPUT, json!({"required": ["id", "state"]}), "additive: update_job response 200: `state`: it is required"),
        (
            OUTPUT,
            json!({"properties": {"state": null}}),
            "breaking: update_job response 200: `state`: the field is gone",
        ),
        (
            OUTPUT,
            json!({"properties": {"more": {"type": "string"}}}),
            "additive: update_job response 200: `more`: the field is new",
        ),
        (
            "/components/schemas/Output/properties/state",
            json!({"enum": ["up", "down", "lost"]}),
            "breaking: update_job response 200: `state`: the value \"lost\" is new",
        ),
        // A keyword beside a reference whose target has been compared.
        (
            "/components/schemas/Output/properties/parent",
            json!({"nullable": true}),
            "breaking: update_job response 200: `parent`: it may be null",
        ),
    ]);
}

#[test]
fn operations_parameters_and_answers_count() {
    let limit = "/paths/~1jobs~1{id}/put/parameters/0";
    let schema = json!({"content": {"application/json": {"schema": {"type": "object"}}}});
    all(vec![
        ("/paths/~1jobs~1{id}", json!({"put": null}), "breaking: update_job: the operation is gone"),
        (
            "/paths/~1jobs~1{id}",
            json!({"get": {"operationId": "show_job", "responses": {}}}),
            "additive: show_job: the operation is new",
        ),
        (OPERATION, json!({"operationId": "change_job"}), "breaking: update_job: the operation is called `change_job`"),
        (OPERATION, json!({"x-idempotent": false}), "breaking: update_job: sending it twice may now do it twice"),
        (OPERATION, json!({"security": []}), "additive: update_job: authentication is not needed"),
        (
            OPERATION,
            json!({"security": [{"token": []}, {"signature": []}]}),
            "additive: update_job: authentication {\"signature\":[]} is new",
        ),
        (OPERATION, json!({"parameters": []}), "breaking: update_job query `limit`: the parameter is gone"),
        (limit, json!({"required": true}), "breaking: update_job query `limit`: it is required"),
        (limit, json!({"schema": {"maximum": 10}}), "breaking: update_job query `limit`: `maximum` was 100, is 10"),
        (limit, json!({"schema": {"default": 20}}), "breaking: update_job query `limit`: the default was 10, is 20"),
        (
            "/paths/~1jobs~1{id}/parameters/0",
            json!({"schema": {"minLength": 1}}),
            "breaking: update_job path `id`: `minLength` was none, is 1",
        ),
        (OPERATION, json!({"requestBody": null}), "breaking: update_job request: the body is gone"),
        (OPERATION, json!({"requestBody": {"required": false}}), "additive: update_job request: it is optional"),
        (
            OPERATION,
            json!({"responses": {"200": null}}),
            "breaking: update_job response 200: the success status is gone",
        ),
        (
            OPERATION,
            json!({"responses": {"202": schema}}),
            "breaking: update_job response 202: the success status is new",
        ),
        (
            OPERATION,
            json!({"responses": {"5XX": schema}}),
            "additive: update_job response 5XX: the response is described",
        ),
        (OPERATION, json!({"responses": {"404": schema}}), "additive: update_job response 404: the status is named"),
        (
            OPERATION,
            json!({"responses": {"4XX": null}}),
            "breaking: update_job response 4XX: the response is not described any more",
        ),
        (
            "/servers/0/variables/region",
            json!({"enum": ["a"]}),
            "breaking: servers: region \"b\" of server https://{region}.example.com is gone",
        ),
        ("/components/schemas", json!({"More": {"type": "string"}}), "additive: components: schema More is new"),
    ]);
}

#[test]
fn a_status_that_loses_its_name_is_compared_with_its_class() {
    let named = |schema: Value| {
        let mut old = base();
        old["paths"]["/jobs/{id}"]["put"]["responses"]["429"] =
            json!({"content": {"application/json": {"schema": schema}}});
        compare(&old, &base()).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(named(json!({"type": "object"})), [""; 0]);
    let breaking = "breaking: update_job response 429: the type was string, is object";
    assert_eq!(named(json!({"type": "string"})), [breaking]);
}

#[test]
fn path_parameters_may_be_renamed_only_for_generated_clients() {
    let mut new = base();
    let item = new["paths"]["/jobs/{id}"].take();
    new["paths"] = json!({"/jobs/{job_id}": item});
    new["paths"]["/jobs/{job_id}"]["parameters"][0]["name"] = json!("job_id");
    let lines: Vec<_> = compare(&base(), &new).iter().map(ToString::to_string).collect();
    let expected = [
        "breaking: update_job path `id`: the parameter is gone",
        "breaking: update_job path `job_id`: the parameter is new",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn breaking_changes_need_a_step_of_the_version() {
    let version = |number: &str| json!({"info": {"version": number}});
    let change = |impact| Change { impact, place: String::new(), what: String::new() };
    let verdict = |old: &str, new: &str, impact| allowed(&version(old), &version(new), &[change(impact)]);
    use Impact::{Additive, Breaking};
    assert_eq!(verdict("1.2.3", "1.2.3", Additive), Ok(()));
    assert_eq!(verdict("1.2.3", "2.0.0", Breaking), Ok(()));
    assert_eq!(verdict("0.1.0", "0.2.0", Breaking), Ok(()));
    assert_eq!(verdict("0.1.0", "1.0.0", Breaking), Ok(()));
    let refused = verdict("1.2.3", "1.3.0", Breaking).unwrap_err();
    assert_eq!(refused, "1 breaking changes since 1.2.3 need the version 2.0.0, not 1.3.0");
    let refused = verdict("0.1.0", "0.1.1", Breaking).unwrap_err();
    assert_eq!(refused, "1 breaking changes since 0.1.0 need the version 0.2.0, not 0.1.1");
    assert_eq!(verdict("1.2.3", "1.2.2", Additive).unwrap_err(), "the version went back from 1.2.3 to 1.2.2");
    assert_eq!(verdict("1.2", "2.0.0", Additive).unwrap_err(), "the version `1.2` has not the form 1.2.3");
}
