//! Tests each rule of `check` with a document that breaks it and one that does not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{OPERATION, document, set};
use crate::spec::check::check;
use crate::spec::lower;

/// A place in the small document, a value that breaks a rule there, and a valid one.
struct Case {
    rule: &'static str,
    /// The reported place.
    at: &'static str,
    pointer: String,
    broken: Value,
    /// Null leaves the document unchanged.
    sound: Value,
}

fn case(rule: &'static str, at: &'static str, pointer: impl Into<String>, broken: Value, sound: Value) -> Case {
    Case { rule, at, pointer: pointer.into(), broken, sound }
}

/// Returns a case in the operation.
fn operation(rule: &'static str, at: &'static str, pointer: &str, broken: Value, sound: Value) -> Case {
    case(rule, at, format!("{OPERATION}{pointer}"), broken, sound)
}

/// Returns a case in a query parameter `q` with the given properties.
fn parameter(rule: &'static str, at: &'static str, broken: Value, sound: Value) -> Case {
    let whole = |parts: Value| {
        let mut parameter = json!({"name": "q", "in": "query", "schema": {"type": "string"}});
        let Value::Object(parts) = parts else { panic!("parts are an object") };
        for (key, value) in parts {
            if value.is_null() {
                parameter.as_object_mut().and_then(|parameter| parameter.shift_remove(&key));
            } else {
                parameter[key] = value;
            }
        }
        parameter
    };
    operation(rule, at, "/parameters/-", whole(broken), whole(sound))
}

/// Returns a case in a field `x` of the request schema.
fn field(rule: &'static str, at: &'static str, broken: Value, sound: Value) -> Case {
    case(rule, at, "/components/schemas/In/properties/x", broken, sound)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn text() -> Value {
    json!({"type": "string"})
}

/// Returns schemas in which a request refers to `Kind` and `other`.
fn two_schemas(other: Value) -> Value {
    json!({
        "In": {"type": "object", "properties": {"x": reference("Kind"), "y": reference("Other")}},
        "Out": {"type": "object", "properties": {}},
        "Kind": {"type": "string", "enum": ["a"]},
        "Other": other,
    })
}

fn cases() -> Vec<Case> {
    const PUT: &str = "paths > /jobs/{id} > put";
    const ID: &str = "paths > /jobs/{id} > put > parameters > id";
    const Q: &str = "paths > /jobs/{id} > put > parameters > q";
    const BODY: &str = "paths > /jobs/{id} > put > requestBody";
    const RESPONSES: &str = "paths > /jobs/{id} > put > responses";
    const OK: &str = "paths > /jobs/{id} > put > responses > 200";
    const LIST: &str = "paths > /jobs/{id} > put > x-list";
    const X: &str = "components > schemas > In > properties > x";
    let json_body = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
    let ok = json_body(reference("Out"));
    vec![
        case("openapi_version", "openapi", "/openapi", json!("3.1.0"), json!("3.0.1")),
        // References.
        field("external_reference", X, json!({"$ref": "common.yaml#/Id"}), json!({"allOf": [reference("In")]})),
        field("dangling_reference", X, reference("Nobody"), reference("In")),
        // Fields with the names of keywords are checked too.
        case(
            "dangling_reference",
            "components > schemas > In > properties > example",
            "/components/schemas/In/properties/example",
            reference("Nobody"),
            reference("In"),
        ),
        field("reference_kind", X, json!({"$ref": "#/components/schemas/In/properties"}), reference("In")),
        operation(
            "reference_kind",
            OK,
            "/responses/200",
            // The reference is valid, but the generator would look for a response `Out`.
            reference("Out"),
            ok.clone(),
        ),
        field(
            "reference_with_siblings",
            X,
            json!({"$ref": "#/components/schemas/In", "description": "Inner."}),
            json!({"allOf": [reference("In")], "description": "Inner."}),
        ),
        // Paths and operations.
        case("path_item", "paths > /jobs/{id}", "/paths/~1jobs~1{id}/servers", json!([]), Value::Null),
        operation("operation_id", PUT, "/operationId", json!("UpdateJob"), json!("update_job")),
        operation("operation_id", PUT, "/operationId", json!("update__job"), json!("update_job2")),
        operation("operation_id", PUT, "/operationId", json!(""), json!("update")),
        operation("operation_id", PUT, "/operationId", json!("2jobs"), json!("jobs2")),
        operation("operation_key", PUT, "/callbacks", json!({}), Value::Null),
        operation("operation_key", PUT, "/servers", json!([]), Value::Null),
        operation("one_tag", PUT, "/tags", json!(["Jobs", "All"]), json!(["Jobs"])),
        operation("path_template", PUT, "/parameters/0/name", json!("job_id"), json!("id")),
        // Parameters.
        parameter("parameter_twice", ID, json!({"name": "id"}), json!({"name": "q"})),
        parameter(
            "secret_header",
            "paths > /jobs/{id} > put > parameters > X-Auth-Token",
            json!({"name": "X-Auth-Token", "in": "header"}),
            json!({"name": "X-Language", "in": "header"}),
        ),
        parameter("parameter_place", Q, json!({"in": "cookie"}), json!({"in": "header"})),
        parameter("parameter_style", Q, json!({"style": "deepObject"}), json!({"style": "form"})),
        parameter("parameter_style", Q, json!({"explode": false}), json!({"explode": true})),
        parameter("parameter_schema", Q, json!({"schema": null, "content": {}}), json!({})),
        operation("path_parameter", ID, "/parameters/0/required", json!(false), json!(true)),
        operation("path_parameter", ID, "/parameters/0/schema", text(), json!({"type": "string", "minLength": 1})),
        operation(
            "path_parameter",
            ID,
            "/parameters/0/schema",
            reference("In"),
            json!({"type": "integer", "format": "int64"}),
        ),
        // Bodies.
        operation("optional_body", BODY, "/requestBody/required", json!(false), json!(true)),
        operation(
            "request_media_type",
            BODY,
            "/requestBody/content",
            json!({"application/json": {"schema": reference("In")}, "text/plain": {"schema": reference("In")}}),
            json!({"application/json": {"schema": reference("In")}}),
        ),
        operation(
            "inline_body",
            BODY,
            "/requestBody/content/application~1json",
            json!({}),
            json!({"schema": reference("In")}),
        ),
        operation(
            "inline_body",
            OK,
            "/responses/200",
            json_body(json!({"type": "array", "items": reference("Out")})),
            ok.clone(),
        ),
        operation(
            "default_response",
            "paths > /jobs/{id} > put > responses > default",
            "/responses",
            json!({"200": ok.clone(), "default": ok.clone()}),
            json!({"200": ok.clone(), "4XX": ok.clone(), "503": json_body(json!({"type": "object"}))}),
        ),
        operation(
            "response_media_type",
            OK,
            "/responses/200/content",
            json!({"text/plain": {"schema": reference("Out")}}),
            json!({}),
        ),
        operation("one_success", RESPONSES, "/responses", json!({"4XX": {}}), json!({"204": {}})),
        operation("one_success", RESPONSES, "/responses", json!({"200": {}, "202": {}}), json!({"2XX": {}})),
        // Schemas.
        case(
            "schema_name",
            "components > schemas > I_n",
            "/components/schemas/I_n",
            json!({"type": "object"}),
            Value::Null,
        ),
        field("discriminator", X, json!({"type": "string", "discriminator": {"propertyName": "y"}}), text()),
        field("type", X, json!({"nullable": false}), json!({"x-any": true})),
        // Rules between fields do not define the type of a value.
        field(
            "type",
            X,
            json!({"oneOf": [{"required": ["a"]}]}),
            json!({"type": "object", "oneOf": [{"required": ["a"]}]}),
        ),
        field("inline_object", X, json!({"type": "object", "properties": {}}), json!({"type": "object"})),
        field("items", X, json!({"type": "array"}), json!({"type": "array", "items": text()})),
        // Inner schemas are checked too.
        field(
            "items",
            "components > schemas > In > properties > x > items",
            json!({"type": "array", "items": {"type": "array"}}),
            json!({"type": "array", "items": {"type": "array", "items": text()}}),
        ),
        field(
            "type",
            "components > schemas > In > properties > x > additionalProperties",
            json!({"type": "object", "additionalProperties": {}}),
            json!({"type": "object", "additionalProperties": true}),
        ),
        parameter(
            "items",
            Q,
            json!({"schema": {"type": "array"}}),
            json!({"schema": {"type": "array", "items": text()}}),
        ),
        field("integer_format", X, json!({"type": "integer"}), json!({"type": "integer", "format": "int32"})),
        field(
            "integer_format",
            X,
            json!({"type": "integer", "format": "uint8"}),
            json!({"type": "integer", "format": "int64"}),
        ),
        field(
            "exclusive_bound",
            X,
            json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}),
            json!({"type": "number", "minimum": 1}),
        ),
        field(
            "composition",
            "components > schemas > In > properties > x > oneOf",
            json!({"oneOf": [text(), {"type": "integer", "format": "int32"}]}),
            reference("In"),
        ),
        field(
            "composition",
            "components > schemas > In > properties > x > anyOf",
            json!({"anyOf": [reference("In"), {"required": ["a"]}]}),
            json!({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        ),
        field(
            "composition",
            "components > schemas > In > properties > x > allOf",
            json!({"allOf": [reference("In"), reference("In")]}),
            json!({"allOf": [reference("In")]}),
        ),
        field(
            "composition",
            "components > schemas > In > properties > x > allOf",
            json!({"allOf": [reference("In")], "required": ["a"]}),
            json!({"allOf": [reference("In")], "description": "Inner.", "x-source": "page"}),
        ),
        field(
            "composition",
            "components > schemas > In > properties > x > not",
            json!({"type": "object", "not": {"type": "string"}}),
            json!({"type": "object", "not": {"required": ["a", "b"]}}),
        ),
        case(
            "property_name",
            "components > schemas > In > properties > job_id",
            "/components/schemas/In/properties",
            json!({"jobId": text(), "job_id": text()}),
            json!({"jobId": text(), "jobIds": text()}),
        ),
        case(
            "secret_property",
            "components > schemas > In > properties > Password",
            "/components/schemas/In/properties",
            json!({"Password": text()}),
            json!({"Password": {"type": "string", "format": "password"}, "password_expires_at": text()}),
        ),
        // The string can also be a component.
        case(
            "secret_property",
            "components > schemas > In > properties > secret_key",
            "/components/schemas",
            json!({"In": {"type": "object", "properties": {"secret_key": {"allOf": [reference("Key")]}}}, "Key": text(), "Out": text()}),
            json!({"In": {"type": "object", "properties": {"secret_key": {"allOf": [reference("Key")]}}},
                "Key": {"type": "string", "format": "password"}, "Out": text()}),
        ),
        // Sides.
        case(
            "one_side",
            "components > schemas > Both",
            "/components/schemas",
            json!({"In": {"type": "object", "properties": {"x": reference("Both")}}, "Both": text(),
                "Out": {"type": "object", "properties": {"required": reference("Both")}}}),
            json!({"In": {"type": "object", "properties": {"x": reference("IntegerOrText")}}, "IntegerOrText": {},
                "Out": {"type": "object", "properties": {"required": reference("IntegerOrText")}}}),
        ),
        case(
            "equal_schemas",
            "components > schemas > Other",
            "/components/schemas",
            two_schemas(json!({"type": "string", "description": "Other words.", "enum": ["a"]})),
            two_schemas(json!({"type": "string", "x-distinct": "They differ elsewhere.", "enum": ["a"]})),
        ),
        field("nullable_request", X, json!({"type": "string", "nullable": true}), text()),
        // Extensions.
        operation("list", LIST, "/x-list", json!({"items": "jobs", "number": "page"}), Value::Null),
        operation("list", LIST, "/x-list", json!({"item": "jobs"}), Value::Null),
        operation("list", LIST, "/operationId", json!("list_jobs"), Value::Null),
        case(
            "states",
            "components > schemas > Code > x-states",
            "/components/schemas/Code",
            json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 1,
                "x-states": [{"code": 0, "name": "new", "meaning": "New", "phase": "over"}]}),
            json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 1,
                "x-states": [{"code": 0, "name": "new", "meaning": "New", "phase": "underway"},
                    {"code": 1, "name": "old", "meaning": "Old", "phase": "succeeded"}]}),
        ),
        case(
            "nullable_request",
            "components > schemas > In",
            "/components/schemas/In",
            json!({"type": "object", "nullable": true}),
            json!({"type": "object"}),
        ),
        case(
            "nullable_request",
            "components > schemas > In > properties > x",
            "/components/schemas",
            json!({"In": {"type": "object", "properties": {"x": {"type": "string", "nullable": true}}}, "Out": text()}),
            json!({"In": text(), "Out": {"type": "object", "properties": {"x": {"type": "string", "nullable": true}}}}),
        ),
        // Descriptions.
        field("description", X, described("```\nlet x;\n```"), described("The code `x`, for 1 < 2 jobs.")),
        field("description", X, described("As in\n\n    let x;"), described("As in\n  two blanks")),
        field("description", X, described("See https://example.com"), described("See the page")),
        field("description", X, described("A Vec<String> of ids"), described("A list of ids")),
        case("description", "info", "/info/description", json!("See http://example.com"), json!("Jobs.")),
        operation("description", PUT, "/summary", json!("Change <job>"), json!("Change a job")),
        operation("description", ID, "/parameters/0/description", json!("The <id>"), json!("The id")),
    ]
}

fn described(text: &str) -> Value {
    json!({"type": "string", "description": text})
}

#[test]
fn broken_documents_are_rejected() {
    for Case { rule, at, pointer, broken, .. } in cases() {
        let mut document = document();
        set(&mut document, &pointer, broken.clone());
        let problems = check(&document);
        assert!(!problems.is_empty(), "{rule} does not see {broken} at {pointer}");
        for problem in problems {
            assert_eq!((problem.rule, problem.at.as_str()), (rule, at), "{broken} at {pointer}: {problem}");
            assert!(!problem.message.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
            let line = problem.to_string();
            for part in [problem.rule, &problem.at, &problem.message, problem.remedy] {
                assert!(line.contains(part), "{line}");
            }
        }
    }
}

#[test]
fn sound_documents_pass() {
    assert_eq!(check(&document()), []);
    for Case { rule, pointer, sound, .. } in cases() {
        let mut document = document();
        if !sound.is_null() {
            set(&mut document, &pointer, sound.clone());
        }
        assert_eq!(check(&document), [], "{rule}: {sound} at {pointer}");
    }
}

/// Returns the rules from the source: each is the first argument of a call of `add`.
fn rules() -> BTreeSet<&'static str> {
    [include_str!("../check/mod.rs"), include_str!("../check/operations.rs"), include_str!("../check/schemas.rs")]
        .into_iter()
        .flat_map(|source| source.split("self.add(").skip(1))
        .map(|call| call.trim_start().strip_prefix('"').and_then(|call| call.split('"').next()).expect("a literal"))
        .collect()
}

#[test]
fn every_rule_has_a_case() {
    let covered: BTreeSet<&str> = cases().iter().map(|case| case.rule).collect();
    assert_eq!(rules(), covered);
}

/// The limits of the generator (progenitor 0.15.1 with typify 0.8.0) with the rules of `check` or `lower` that cover
/// them, or the reason why none is needed.
const LIMITS: [(&str, &[&str], &[&str], &str); 21] = [
    ("one type of success and one of failure", &["one_success"], &["drop_error_responses"], ""),
    ("`default` is success and failure at once", &["default_response"], &["drop_error_responses"], ""),
    ("a failure whose body is not what is described loses its status", &[], &["drop_error_responses"], ""),
    ("OpenAPI 3.0 alone", &["openapi_version"], &[], ""),
    (
        "references leave no file, and are looked up by their last part",
        &["external_reference", "dangling_reference", "reference_kind"],
        &[],
        "",
    ),
    (
        "paths by reference, bad names of operations, keys that are ignored",
        &["path_item", "path_template", "operation_id", "operation_key"],
        &[],
        "`security` is read by build.rs",
    ),
    ("one media type of a request", &["request_media_type", "inline_body"], &[], ""),
    (
        "JSON or a raw stream, and no headers of responses",
        &["response_media_type", "inline_body"],
        &[],
        "headers of responses are read in `session`",
    ),
    ("an optional body is required", &["optional_body"], &[], ""),
    (
        "cookies, styles and `content` of parameters",
        &["parameter_place", "parameter_style", "parameter_schema", "parameter_twice"],
        &[],
        "",
    ),
    (
        "headers are not secret; `api-version` is always sent",
        &["secret_header"],
        &[],
        "build.rs leaves `api-version` out",
    ),
    (
        "no discriminators; alternatives are guesswork",
        &["discriminator", "composition"],
        &["drop_field_rules", "use_wire_types"],
        "",
    ),
    (
        "`nullable` is lost beside a reference, on a component and without a type; null and absent are one",
        &["reference_with_siblings", "type", "nullable_request"],
        &["lift_nullable"],
        "",
    ),
    ("null is no array", &[], &["nullable_request_arrays", "nullable_response_arrays"], ""),
    (
        "responses are rejected over enums, lengths, patterns, bounds",
        &["one_side", "integer_format", "exclusive_bound"],
        &["open_response_enums", "unbound_response_values", "tolerant_response_numbers", "bind_request_integers"],
        "",
    ),
    ("its paging streams know one shape", &[], &[], "not used: they need an extension key that we do not write"),
    ("`..` and the empty text as a part of a path", &["path_parameter"], &["guard_path_segments"], ""),
    ("its command line", &[], &[], "not used"),
    ("its HTTP mocks", &[], &[], "not used"),
    ("everything generated can be printed", &["secret_property"], &["guard_secrets"], ""),
    (
        "ten lines of code for three of the description",
        &["equal_schemas"],
        &[],
        "the three documents compile in seconds",
    ),
];

#[test]
fn every_limit_is_met() {
    let lowering: BTreeSet<&str> = lower::RULES.iter().map(|rule| rule.name).collect();
    for (index, (limit, checks, lowerings, reason)) in LIMITS.into_iter().enumerate() {
        let number = index + 1;
        assert!(!(checks.is_empty() && lowerings.is_empty() && reason.is_empty()), "{number}: {limit}");
        for rule in checks {
            assert!(rules().contains(rule), "{number}: {limit}: no rule {rule}");
        }
        for rule in lowerings {
            assert!(lowering.contains(rule), "{number}: {limit}: no rule {rule}");
        }
    }
}
