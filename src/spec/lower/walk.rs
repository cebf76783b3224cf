//! Finding schemas in a description and changing them, and the components that hand-written types replace.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::{load, schema};

/// The components with a hand-written type in the generated code.
pub const WIRE_TYPES: &[(&str, &str)] = &[
    ("TrainingJobId", "crate::api::wire::TrainingJobId"),
    ("TrainingJobVersionId", "crate::api::wire::TrainingJobVersionId"),
    ("VisualizationJobId", "crate::api::wire::VisualizationJobId"),
    ("EngineId", "crate::api::wire::EngineId"),
    ("SpecId", "crate::api::wire::SpecId"),
    ("ModelId", "crate::api::wire::ModelId"),
    (INTEGER, "crate::api::wire::Integer"),
    (NUMBER, "crate::api::wire::Number"),
    ("TextOrNumber", "crate::api::wire::Text"),
    (SEGMENT, "crate::api::wire::Segment"),
    (SECRET, "crate::session::Secret"),
    ("LogPosition", "crate::api::wire::Text"),
    ("PassRate", "crate::api::wire::Percent"),
    ("JobStatus", "crate::api::wire::JobStatus"),
    ("JobExeType", "crate::api::wire::Integer"),
    ("JobExeState", "crate::api::wire::Integer"),
    ("JobExeFinalStatus", "crate::api::wire::Integer"),
    ("OptionalIntegerOrText", "crate::api::wire::Integer"),
    ("BooleanOrText", "crate::api::wire::Boolean"),
    ("EpochMillis", "crate::api::wire::EpochMillis"),
    ("EpochSeconds", "crate::api::wire::EpochSeconds"),
    ("Millis", "crate::api::wire::Millis"),
    ("Seconds", "crate::api::wire::Seconds"),
    ("ZonelessTime", "crate::api::wire::ZonelessTime"),
    (
        "DataSourceCredentials",
        "crate::api::wire::Hidden<::serde_json::Map<::std::string::String, ::serde_json::Value>>",
    ),
    ("TextOrObject", "crate::api::wire::Embedded<::serde_json::Map<::std::string::String, ::serde_json::Value>>"),
    ("ModelMetricsOrText", "crate::api::wire::Embedded<crate::api::modelarts::types::ModelMetrics>"),
    ("SystemMetricsOrText", "crate::api::wire::Embedded<crate::api::modelarts::types::SystemMetrics>"),
    (
        "BuiltInAlgorithmParameters",
        "crate::api::wire::Embedded<::std::vec::Vec<crate::api::modelarts::types::BuiltInAlgorithmParameter>>",
    ),
];
pub(super) const INTEGER: &str = "IntegerOrText";
pub(super) const NUMBER: &str = "NumberOrText";
pub(super) const SEGMENT: &str = "PathSegment";
pub(super) const SECRET: &str = "SecretText";
/// Key that marks a text of a request with limits, and holds them.
pub(super) const LIMITS: &str = "x-limits";
/// The prefix of the component for a bounded integer of a request: `IntegerFrom1To1000`.
pub const BOUNDED: &str = "IntegerFrom";
/// Content of a component that a hand-written type replaces; the generator does not read it.
pub(super) fn placeholder() -> Value {
    json!({"type": "string"})
}

pub(super) fn components<'a>(document: &'a mut Value, kind: &str) -> Option<&'a mut Map<String, Value>> {
    document.get_mut("components")?.get_mut(kind)?.as_object_mut()
}

/// Turns a schema into a reference, and keeps its description and whether it is nullable.
pub(super) fn refer_to(schema: &mut Map<String, Value>, name: &str) {
    let mut replaced =
        Map::from_iter([("allOf".to_owned(), json!([{"$ref": format!("#/components/schemas/{name}")}]))]);
    for key in ["description", "nullable"] {
        if let Some(value) = schema.shift_remove(key) {
            replaced.insert(key.to_owned(), value);
        }
    }
    *schema = replaced;
}

/// The use of a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// In parameters and request bodies.
    Request,
    /// In responses.
    Response,
    /// Anywhere.
    Either,
}

/// Returns the names of the component schemas that requests or responses use.
pub fn reachable(document: &Value, side: Side) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for operation in load::operations(document) {
        if side != Side::Response {
            for parameter in operation.parameters(document) {
                schema::references(document, parameter, &mut found);
            }
            schema::references(document, &operation.value["requestBody"], &mut found);
        }
        if side != Side::Request {
            schema::references(document, &operation.value["responses"], &mut found);
        }
    }
    found.iter().filter_map(|reference| load::schema_name(reference)).map(str::to_owned).collect()
}

pub(super) fn each_operation(document: &mut Value, mut visit: impl FnMut(&mut Value)) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for (method, operation) in item {
            if load::METHODS.contains(&method.as_str()) {
                visit(operation);
            }
        }
    }
}

/// Visits every schema of one side, inner schemas first. It skips schemas with a hand-written wire type and scalars
/// that both sides use; the rules for `Either` handle them.
pub(super) fn each_schema(document: &mut Value, side: Side, mut visit: impl FnMut(&mut Map<String, Value>)) {
    let names = match side {
        Side::Either => None,
        Side::Request => Some(reachable(document, Side::Request)),
        Side::Response => Some(&reachable(document, Side::Response) - &reachable(document, Side::Request)),
    };
    if let Some(schemas) = components(document, "schemas") {
        for (name, schema) in schemas {
            let replaced = WIRE_TYPES.iter().any(|(wire, _)| wire == name)
                || name.starts_with(BOUNDED)
                || schema.get(LIMITS).is_some();
            if !replaced && names.as_ref().is_none_or(|names| names.contains(name)) {
                visit_schema(schema, &mut visit);
            }
        }
    }
    if side != Side::Response {
        each_parameter(document, |parameter| visit_schema(&mut parameter["schema"], &mut visit));
    }
}

/// Visits every parameter: in the components, on a path, on an operation.
pub(super) fn each_parameter(document: &mut Value, mut visit: impl FnMut(&mut Value)) {
    if let Some(parameters) = components(document, "parameters") {
        parameters.values_mut().for_each(&mut visit);
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for (key, value) in item {
            let parameters = if key == "parameters" { Some(value) } else { value.get_mut("parameters") };
            let written = parameters.and_then(Value::as_array_mut).into_iter().flatten();
            written.filter(|parameter| parameter.get("schema").is_some()).for_each(&mut visit);
        }
    }
}

fn visit_schema(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(schema) = schema.as_object_mut() else { return };
    for key in ["properties"] {
        for inner in schema.get_mut(key).and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut()) {
            visit_schema(inner, visit);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for inner in schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            visit_schema(inner, visit);
        }
    }
    for key in ["items", "not", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(key) {
            visit_schema(inner, visit);
        }
    }
    visit(schema);
}
