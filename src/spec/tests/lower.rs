//! Tests each rule of `lower` alone: its changes, and that it changes nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{OPERATION, document, set};
use crate::spec::lower::{RULES, Side, bounded_name, bounds_of, limited_type, lower, open_enums, reachable};

/// Values to insert into the small document before a rule is applied, and the expected changes.
struct Case {
    rule: &'static str,
    before: Vec<(String, Value)>,
    after: Vec<(String, Value)>,
}

fn case<const N: usize, const M: usize>(
    rule: &'static str,
    before: [(String, Value); N],
    after: [(String, Value); M],
) -> Case {
    Case { rule, before: before.into(), after: after.into() }
}

/// Returns fields of the request schema.
fn request(fields: Value) -> (String, Value) {
    ("/components/schemas/In/properties".to_owned(), fields)
}

/// Returns fields of the response schema.
fn answer(fields: Value) -> (String, Value) {
    ("/components/schemas/Out/properties".to_owned(), fields)
}

fn component(name: &str, value: Value) -> (String, Value) {
    (format!("/components/schemas/{name}"), value)
}

fn operation(pointer: &str, value: Value) -> (String, Value) {
    (format!("{OPERATION}{pointer}"), value)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A reference with other keywords beside it.
fn wrapped(name: &str, key: &str, value: Value) -> Value {
    json!({"allOf": [reference(name)], key: value})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn cases() -> Vec<Case> {
    let arrays = json!({
        "array": {"type": "array", "items": text()},
        "map": {"type": "object", "additionalProperties": true},
        "text": text(),
    });
    let nullable_arrays = json!({
        "array": {"type": "array", "items": text(), "nullable": true},
        "map": {"type": "object", "additionalProperties": true, "nullable": true},
        "text": text(),
    });
    let required = |fields: &Value| {
        [
            request(fields.clone()),
            answer(fields.clone()),
            ("/components/schemas/In/required".to_owned(), json!([])),
            component("Item", json!({"type": "object", "required": ["array", "map"], "properties": fields})),
        ]
    };
    let limited = json!({
        "text": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a"},
        "number": {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.5},
        "array": {"type": "array", "items": text(), "minItems": 1, "maxItems": 2, "uniqueItems": true},
        // A field can have the name of a limit.
        "pattern": text(),
    });
    let numbers = json!({"whole": {"type": "integer", "format": "int64", "description": "Id."},
        "share": {"type": "number", "nullable": true}, "text": text()});
    vec![
        case(
            "drop_error_responses",
            [operation("/responses", json!({"200": {}, "204": {}, "404": {}, "4XX": {}, "default": {}, "301": {}}))],
            [operation("/responses", json!({"200": {}, "204": {}}))],
        ),
        // A schema that only failures reach goes with them; one that a success has too stays, and one that nothing reaches.
        case(
            "drop_error_responses",
            [
                operation("/responses/4XX", json!({"content": {"application/json": {"schema": reference("Failure")}}})),
                operation("/responses/5XX", json!({"content": {"application/json": {"schema": reference("Out")}}})),
                component("Failure", json!({"type": "object", "properties": {"detail": reference("Detail")}})),
                component("Detail", text()),
                component("Unused", text()),
            ],
            [
                operation(
                    "/responses",
                    json!({"200": {"content": {"application/json": {"schema": reference("Out")}}}}),
                ),
                (
                    "/components/schemas".to_owned(),
                    json!({"In": {"type": "object", "properties": {}}, "Out": {"type": "object", "properties": {}},
                        "Unused": text()}),
                ),
            ],
        ),
        case(
            "accept_any_success_status",
            [operation("/responses", json!({"202": {"description": "Later."}}))],
            [operation("/responses", json!({"2XX": {"description": "Later."}}))],
        ),
        // It is ambiguous which of the two types applies.
        case("accept_any_success_status", [operation("/responses", json!({"200": {}, "202": {}}))], []),
        // The type may stand beside the values of a rule; alone it is a type.
        case(
            "drop_field_rules",
            [component(
                "In",
                json!({"type": "object", "anyOf": [{"properties": {"url": {"type": "string", "pattern": "^/"}}}],
                    "oneOf": [{"properties": {"url": {"type": "string"}}}]}),
            )],
            [component("In", json!({"type": "object", "oneOf": [{"properties": {"url": {"type": "string"}}}]}))],
        ),
        case(
            "drop_field_rules",
            [
                component(
                    "In",
                    json!({"type": "object", "oneOf": [{"required": ["a"]}, {"not": {"required": ["b"]}}],
                        "anyOf": [{"properties": {"kind": {"enum": ["obs"]}}, "description": "With a path."}]}),
                ),
                component(
                    "Out",
                    json!({"type": "object", "not": {"required": ["a", "b"]}, "allOf": [{"oneOf": [{"required": ["a"]}]}],
                        "properties": {"x": {"allOf": [reference("In")]}, "y": {"not": {"type": "string"}},
                            "z": {"anyOf": [{"required": ["a"]}, text()]}}}),
                ),
            ],
            [
                component("In", json!({"type": "object"})),
                component(
                    "Out",
                    json!({"type": "object", "properties": {"x": {"allOf": [reference("In")]},
                        "y": {"not": {"type": "string"}}, "z": {"anyOf": [{"required": ["a"]}, text()]}}}),
                ),
            ],
        ),
        case(
            "drop_defaults",
            [
                request(json!({"x": {"type": "string", "default": "a"}, "default": text()})),
                answer(json!({"x": {"type": "array", "items": {"type": "string", "default": "a"}}})),
                operation("/parameters/0/schema/default", json!("a")),
            ],
            [
                request(json!({"x": text(), "default": text()})),
                answer(json!({"x": {"type": "array", "items": text()}})),
                operation("/parameters/0/schema", json!({"type": "string", "minLength": 1})),
            ],
        ),
        case(
            "drop_zero_minimum_length",
            [
                request(
                    json!({"x": {"type": "string", "minLength": 0, "maxLength": 4}, "y": {"type": "string", "minLength": 1}}),
                ),
                operation("/parameters/0/schema", json!({"type": "string", "minLength": 0})),
            ],
            [
                request(json!({"x": {"type": "string", "maxLength": 4}, "y": {"type": "string", "minLength": 1}})),
                operation("/parameters/0/schema", text()),
            ],
        ),
        case(
            "bind_request_integers",
            [
                request(json!({"x": {"type": "integer", "format": "int32", "minimum": 1, "description": "Count."},
                    "free": {"type": "integer", "format": "int32"}, "share": {"type": "number", "minimum": 0}})),
                answer(json!({"x": {"type": "integer", "format": "int32", "minimum": 1}})),
                operation(
                    "/parameters/0/schema",
                    json!({"type": "integer", "format": "int64", "minimum": -5, "maximum": 5}),
                ),
            ],
            [
                request(json!({"x": wrapped("IntegerFrom1To2147483647", "description", json!("Count.")),
                    "free": {"type": "integer", "format": "int32"}, "share": {"type": "number", "minimum": 0}})),
                operation("/parameters/0/schema", json!({"allOf": [reference("IntegerFromMinus5To5")]})),
                component("IntegerFrom1To2147483647", json!({"type": "integer", "format": "int64"})),
                component("IntegerFromMinus5To5", json!({"type": "integer", "format": "int64"})),
            ],
        ),
        case(
            "guard_path_segments",
            [operation(
                "/parameters",
                json!([{"in": "path", "schema": {"type": "string", "minLength": 1}},
                    {"in": "path", "schema": {"type": "integer"}}, {"in": "query", "schema": text()}]),
            )],
            [operation("/parameters/0/schema", reference("PathSegment")), component("PathSegment", text())],
        ),
        // The rule also applies to parameters in other places.
        case(
            "guard_path_segments",
            [
                operation("/parameters", json!([])),
                ("/components/parameters".to_owned(), json!({"Id": {"in": "path", "schema": text()}})),
                ("/paths/~1jobs~1{id}/parameters".to_owned(), json!([{"in": "path", "schema": text()}])),
            ],
            [
                ("/components/parameters/Id/schema".to_owned(), reference("PathSegment")),
                ("/paths/~1jobs~1{id}/parameters/0/schema".to_owned(), reference("PathSegment")),
                component("PathSegment", text()),
            ],
        ),
        case(
            "guard_secrets",
            [
                request(json!({"x": {"type": "string", "format": "password", "description": "Key."}, "y": text()})),
                answer(json!({"x": {"type": "string", "format": "password"}})),
            ],
            [
                request(json!({"x": wrapped("SecretText", "description", json!("Key.")), "y": text()})),
                answer(json!({"x": {"allOf": [reference("SecretText")]}})),
                component("SecretText", text()),
            ],
        ),
        case("nullable_request_arrays", required(&arrays), [request(nullable_arrays.clone())]),
        case("nullable_response_arrays", required(&arrays), [answer(nullable_arrays)]),
        case(
            "open_response_enums",
            [
                request(
                    json!({"x": {"type": "string", "enum": ["a"]}, "order": reference("Order"), "both": reference("Both")}),
                ),
                answer(json!({"x": {"type": "string", "enum": ["a"]}, "state": reference("State"),
                    "code": reference("Code"), "both": reference("Both"), "enum": reference("Kind")})),
                component("Order", json!({"type": "string", "enum": ["asc"]})),
                component("State", json!({"type": "string", "enum": ["on", "off"]})),
                component("Kind", json!({"type": "string", "enum": ["hive"]})),
                component("Code", json!({"type": "integer", "enum": [1, 2]})),
                component("Both", json!({"type": "string", "enum": ["a"]})),
                component("JobStatus", json!({"type": "integer", "enum": [1, 2]})),
            ],
            [
                answer(json!({"x": text(), "state": reference("State"), "code": reference("Code"),
                    "both": reference("Both"), "enum": reference("Kind")})),
                component("State", json!({"type": "string", "x-open-enum": ["on", "off"]})),
                component("Kind", json!({"type": "string", "x-open-enum": ["hive"]})),
                component("Code", json!({"type": "integer"})),
            ],
        ),
        case(
            "unbound_response_values",
            [
                component("In", json!({"type": "object", "additionalProperties": false, "properties": limited})),
                component("Out", json!({"type": "object", "additionalProperties": false, "properties": limited})),
            ],
            [component(
                "Out",
                json!({"type": "object", "properties": {"text": text(), "number": {"type": "number"},
                    "array": {"type": "array", "items": text()}, "pattern": text()}}),
            )],
        ),
        case(
            "unbound_response_values",
            [answer(json!({"map": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 1}}}))],
            [answer(json!({"map": {"type": "object", "additionalProperties": text()}}))],
        ),
        case(
            "relax_response_requirements",
            [
                component("In", json!({"type": "object", "required": ["text"], "properties": {"text": text()}})),
                component(
                    "Out",
                    json!({"type": "object", "required": ["id", "text", "unset", "list", "inner"], "properties": {
                        "id": text(), "text": text(), "unset": {"type": "string", "nullable": true},
                        "list": {"type": "array", "items": text()}, "inner": reference("Settings")}}),
                ),
                component("Settings", json!({"type": "object"})),
            ],
            [
                ("/components/schemas/Out/required".to_owned(), json!(["id", "unset", "list"])),
                ("/components/schemas/Out/x-or-default".to_owned(), json!(["id"])),
            ],
        ),
        // A response must have its subject: here an object in a field, and its id.
        case(
            "relax_response_requirements",
            [
                ("/paths/~1jobs~1{id}".to_owned(), json!({"get": document()["paths"]["/jobs/{id}"]["put"]})),
                component(
                    "Out",
                    json!({"type": "object", "required": ["job", "links"], "properties": {
                    "job": wrapped("Job", "description", json!("It.")), "links": reference("Links")}}),
                ),
                component(
                    "Job",
                    json!({"type": "object", "required": ["id", "name", "size", "owner"], "properties": {
                    "id": text(), "name": text(), "size": {"type": "integer"}, "owner": reference("Links")}}),
                ),
                component(
                    "Links",
                    json!({"type": "object", "required": ["id", "self"], "properties": {
                    "id": {"type": "integer"}, "self": text()}}),
                ),
            ],
            [
                ("/components/schemas/Out/required".to_owned(), json!(["job"])),
                ("/components/schemas/Job/required".to_owned(), json!(["id", "name"])),
                ("/components/schemas/Job/x-or-default".to_owned(), json!(["name"])),
                ("/components/schemas/Links/required".to_owned(), json!([])),
            ],
        ),
        case(
            "type_response_times",
            [
                request(json!({"x": {"type": "integer", "x-unit": "ms"}})),
                component("OptionalIntegerOrText", json!({"oneOf": [{"type": "integer", "nullable": true}, text()]})),
                answer(json!({
                    "at": {"type": "integer", "x-unit": "ms since the Unix epoch", "description": "When."},
                    "end": {"allOf": [reference("OptionalIntegerOrText")], "x-unit": "s since the Unix epoch"},
                    "zoneless": {"type": "string", "nullable": true, "x-unit": "date and time, taken as UTC"},
                    "size": {"type": "integer", "x-unit": "byte"},
                })),
            ],
            [
                answer(json!({
                    "at": wrapped("EpochMillis", "description", json!("When.")),
                    "end": wrapped("EpochSeconds", "nullable", json!(true)),
                    "zoneless": wrapped("ZonelessTime", "nullable", json!(true)),
                    "size": {"type": "integer", "x-unit": "byte"},
                })),
                component("EpochMillis", text()),
                component("EpochSeconds", text()),
                component("ZonelessTime", text()),
            ],
        ),
        case(
            "tolerant_response_numbers",
            [request(numbers.clone()), answer(numbers)],
            [
                answer(json!({"whole": wrapped("IntegerOrText", "description", json!("Id.")),
                    "share": wrapped("NumberOrText", "nullable", json!(true)), "text": text()})),
                component("IntegerOrText", text()),
                component("NumberOrText", text()),
            ],
        ),
        case(
            "lift_nullable",
            [
                component("Settings", json!({"type": "object", "nullable": true})),
                component("OptionalIntegerOrText", json!({"oneOf": [{"type": "integer", "nullable": true}, text()]})),
                component("Plain", text()),
                answer(json!({
                    "x": wrapped("Settings", "description", json!("How.")),
                    "y": reference("OptionalIntegerOrText"),
                    "z": reference("Plain"),
                    "list": {"type": "array", "items": reference("Settings")},
                    "map": {"type": "object", "additionalProperties": reference("Settings")},
                })),
            ],
            [
                component("Settings", json!({"type": "object"})),
                answer(json!({
                    "x": {"allOf": [reference("Settings")], "description": "How.", "nullable": true},
                    "y": wrapped("OptionalIntegerOrText", "nullable", json!(true)),
                    "z": reference("Plain"),
                    "list": {"type": "array", "items": wrapped("Settings", "nullable", json!(true))},
                    "map": {"type": "object", "additionalProperties": wrapped("Settings", "nullable", json!(true))},
                })),
            ],
        ),
        case(
            "name_types_apart",
            [
                ("/info/title".to_owned(), json!("MRS v1.1 jobs")),
                component("Job", json!({"type": "object", "properties": {"binary": reference("JobBinaryReference")}})),
                component("JobBinaryReference", text()),
                answer(json!({"job": wrapped("Job", "description", json!("It."))})),
            ],
            [(
                "/components/schemas".to_owned(),
                json!({"In": {"type": "object", "properties": {}}, "JobBinaryReference": text(),
                    "JobDetails": {"type": "object", "properties": {"binary": reference("JobBinaryReference")}},
                    "Out": {"type": "object",
                        "properties": {"job": wrapped("JobDetails", "description", json!("It."))}}}),
            )],
        ),
        // The same names in the document of another service.
        case("name_types_apart", [component("Job", text()), answer(json!({"job": reference("Job")}))], []),
        case(
            "bind_request_texts",
            [
                request(json!({
                    "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]*$",
                        "description": "Name."},
                    "ids": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
                    "kind": {"type": "string", "enum": ["a"], "maxLength": 1},
                    "secret": {"type": "string", "format": "password", "maxLength": 9},
                    "free": text(),
                })),
                answer(json!({"name": {"type": "string", "maxLength": 64}})),
            ],
            [
                request(json!({
                    "name": wrapped("InName", "description", json!("Name.")),
                    "ids": {"type": "array", "items": {"allOf": [reference("InIdsItem")]}, "minItems": 1},
                    "kind": {"type": "string", "enum": ["a"], "maxLength": 1},
                    "secret": {"type": "string", "format": "password", "maxLength": 9},
                    "free": text(),
                })),
                operation("/parameters/0/schema", json!({"allOf": [reference("UpdateJobId")]})),
                component(
                    "InName",
                    json!({"type": "string",
                        "x-limits": {"minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]*$"}}),
                ),
                component("InIdsItem", json!({"type": "string", "x-limits": {"minLength": 1}})),
                component("UpdateJobId", json!({"type": "string", "x-limits": {"minLength": 1}})),
            ],
        ),
        case(
            "type_response_ids",
            [
                request(json!({"spec_id": {"type": "integer"}})),
                answer(json!({
                    "job_id": {"type": "integer", "format": "int64", "description": "Id."},
                    "version_id": wrapped("IntegerOrText", "nullable", json!(true)),
                    "engine_id": text(),
                    "count": {"type": "integer"},
                    "board": reference("VisualizationJobSummary"),
                })),
                component(
                    "VisualizationJobSummary",
                    json!({"type": "object", "properties": {"job_id": {"type": "integer"}}}),
                ),
            ],
            [
                answer(json!({
                    "job_id": wrapped("TrainingJobId", "description", json!("Id.")),
                    "version_id": wrapped("TrainingJobVersionId", "nullable", json!(true)),
                    "engine_id": text(),
                    "count": {"type": "integer"},
                    "board": reference("VisualizationJobSummary"),
                })),
                component(
                    "VisualizationJobSummary",
                    json!({"type": "object", "properties": {"job_id": {"allOf": [reference("VisualizationJobId")]}}}),
                ),
                component("TrainingJobId", text()),
                component("TrainingJobVersionId", text()),
                component("VisualizationJobId", text()),
            ],
        ),
        case(
            "use_wire_types",
            [
                component("JobStatus", json!({"type": "integer", "enum": [1]})),
                component("PassRate", json!({"oneOf": [{"type": "number"}, text()]})),
                component("Jobs", json!({"type": "integer", "enum": [1]})),
            ],
            [component("JobStatus", text()), component("PassRate", text())],
        ),
    ]
}

/// The comparison of whole documents shows that the other side is unchanged.
#[test]
fn each_rule_changes_what_it_says_and_nothing_else() {
    for Case { rule, before, after } in cases() {
        let mut lowered = document();
        for (pointer, value) in before {
            set(&mut lowered, &pointer, value);
        }
        let mut expected = lowered.clone();
        for (pointer, value) in after {
            set(&mut expected, &pointer, value);
        }
        RULES.iter().find(|known| known.name == rule).unwrap_or_else(|| panic!("no rule {rule}")).apply(&mut lowered);
        assert_eq!(lowered, expected, "{rule}: {lowered:#}");
    }
}

/// A pattern without a type is an error of the build that says what to add.
#[test]
fn limits_name_their_type() {
    let limited = |limits: Value| limited_type(&json!({"type": "string", "x-limits": limits}));
    let plain = limited(json!({"minLength": 1, "maxLength": 64})).unwrap().unwrap();
    assert_eq!(plain, "crate::api::wire::Limited<crate::api::wire::pattern::Any, 1, 64>");
    let word = limited(json!({"pattern": "^[A-Za-z0-9_-]*$"})).unwrap().unwrap();
    assert_eq!(word, "crate::api::wire::Limited<crate::api::wire::pattern::Word, 0, 4294967295>");
    assert!(limited(json!({"pattern": "^x$"})).unwrap().unwrap_err().contains("TEXT_PATTERNS"));
    assert!(limited_type(&text()).is_none());
}

#[test]
fn every_rule_has_a_case_and_a_reason() {
    let known: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(known.len(), RULES.len(), "two rules of one name");
    assert_eq!(known, cases().iter().map(|case| case.rule).collect::<BTreeSet<_>>());
    assert!(RULES.iter().all(|rule| !rule.reason.is_empty()));
}

/// The rules work together: each one sees the result of the earlier ones.
#[test]
fn all_rules_in_order() {
    let mut strict = document();
    set(&mut strict, "/components/schemas/State", json!({"type": "string", "enum": ["on"], "nullable": true}));
    set(&mut strict, "/components/schemas/Failure", json!({"type": "string", "enum": ["bad"]}));
    set(&mut strict, &format!("{OPERATION}/responses/4XX"), reference("Failure"));
    set(
        &mut strict,
        "/components/schemas/Out/properties",
        json!({"count": {"type": "integer", "minimum": 0, "nullable": true}, "state": reference("State"),
            "ids": {"type": "array", "items": {"type": "integer", "enum": [1]}}}),
    );
    let lowered = lower(&strict);
    assert_eq!(
        lowered["components"]["schemas"]["Out"]["properties"],
        json!({"count": wrapped("IntegerOrText", "nullable", json!(true)), "state": wrapped("State", "nullable", json!(true)),
            "ids": {"type": "array", "items": {"allOf": [reference("IntegerOrText")]}, "nullable": true}}),
    );
    // What only failures reach is gone.
    assert!(lowered["components"]["schemas"].get("Failure").is_none());
    assert_eq!(open_enums(&lowered), [("State".to_owned(), vec!["on".to_owned()])].into());
    assert_eq!(lowered, lower(&strict), "the strict description stays as it was");
}

/// A wire type can contain a generated one: the rules for responses also apply inside it.
#[test]
fn wire_types_do_not_hide_what_they_hold() {
    let mut strict = document();
    set(&mut strict, "/components/schemas/Out/properties/metrics", reference("ModelMetricsOrText"));
    set(&mut strict, "/components/schemas/ModelMetricsOrText", json!({"oneOf": [text(), reference("Metrics")]}));
    set(
        &mut strict,
        "/components/schemas/Metrics",
        json!({"type": "object", "properties": {"list": {"type": "array", "items": {"type": "number"}, "minItems": 1}}}),
    );
    assert_eq!(
        lower(&strict)["components"]["schemas"]["Metrics"]["properties"]["list"],
        json!({"type": "array", "items": {"allOf": [reference("NumberOrText")]}, "nullable": true}),
    );
}

#[test]
fn reachable_follows_fields_whatever_their_name() {
    let mut document = document();
    set(
        &mut document,
        "/components/schemas/Out",
        json!({"properties": {"default": reference("A"), "properties": {"items": reference("B")}},
            "example": reference("C"), "x-note": reference("C"), "enum": [reference("C")]}),
    );
    set(&mut document, "/components/schemas/A", json!({"allOf": [reference("A")]}));
    let names = |side| reachable(&document, side).into_iter().collect::<Vec<_>>();
    assert_eq!(names(Side::Response), ["A", "B", "Out"]);
    assert_eq!(names(Side::Request), ["In"]);
    assert_eq!(names(Side::Either), ["A", "B", "In", "Out"]);
}

proptest! {
    #[test]
    fn names_of_bounds_can_be_read_back(low: i64, high: i64) {
        prop_assert_eq!(bounds_of(&bounded_name(low, high)), Some((low, high)));
    }

    #[test]
    fn other_names_are_no_bounds(name in "(IntegerFrom)?[A-Za-su-z]{0,8}") {
        prop_assert_eq!(bounds_of(&name), None);
    }
}
