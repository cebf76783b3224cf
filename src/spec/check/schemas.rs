//! Rules about schemas.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::lower::{self, Side, WIRE_TYPES};
use super::super::{edition, load, schema};
use super::Report;

impl<'a> Report<'a> {
    pub(super) fn schemas(&mut self) {
        let document = self.document;
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        let of_failures = lower::of_failures(document);
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            if let Some(other) = names.insert(squash(name), name) {
                self.add(
                    "schema_name",
                    &["components", "schemas", name],
                    format!("gives the same Rust name as `{other}`"),
                    "rename one of them",
                );
            }
            self.states(name, schema);
            if !is_wire_type(name) && !of_failures.contains(name) {
                self.schema(schema, &mut vec!["components", "schemas", name], true);
            }
        }
        for operation in load::operations(document) {
            for parameter in operation.parameters(document) {
                let name = parameter["name"].as_str().unwrap_or_default();
                let at = &mut vec!["paths", operation.path, operation.method, "parameters", name];
                self.schema(&parameter["schema"], at, false);
            }
        }
    }

    fn schema(&mut self, schema: &'a Value, at: &mut Vec<&'a str>, component: bool) {
        let Some(map) = schema.as_object() else { return };
        if map.contains_key("$ref") {
            return;
        }
        if map.contains_key("discriminator") {
            self.add("discriminator", at, "`discriminator` is ignored", "write one schema with optional fields");
        }
        self.description(schema, at);
        self.composition(map, at);
        let kind = map.get("type").and_then(Value::as_str);
        let composed = ["oneOf", "anyOf", "allOf"]
            .iter()
            .filter_map(|key| map.get(*key)?.as_array())
            .any(|parts| !parts.iter().all(schema::is_field_rule));
        if kind.is_none() && !composed && map.get("x-any") != Some(&Value::Bool(true)) {
            self.add(
                "type",
                at,
                "a schema without `type` becomes any JSON value",
                "say its `type`, or `x-any: true` if nothing is known of it",
            );
        }
        if !component && map.contains_key("properties") {
            self.add(
                "inline_object",
                at,
                "the generator invents a name for an object written in place",
                "move it to `components/schemas` and refer to it",
            );
        }
        if kind == Some("array") && !map.contains_key("items") {
            self.add("items", at, "an array without `items` holds any JSON value", "say what it holds");
        }
        if kind == Some("integer") && !matches!(map.get("format").and_then(Value::as_str), Some("int32" | "int64")) {
            self.add(
                "integer_format",
                at,
                "an integer without `format` has no certain Rust type",
                "add `format: int32` or `int64`",
            );
        }
        for key in ["exclusiveMinimum", "exclusiveMaximum"] {
            if map.contains_key(key) {
                self.add("exclusive_bound", at, format!("`{key}` is ignored"), "write the last value that is allowed");
            }
        }
        self.properties(map, at);
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = map.get(key) {
                at.push(key);
                self.schema(inner, at, false);
                at.pop();
            }
        }
    }

    fn composition(&mut self, map: &'a Map<String, Value>, at: &mut Vec<&'a str>) {
        for key in ["oneOf", "anyOf"] {
            let parts = map.get(key).and_then(Value::as_array);
            if parts.is_some_and(|parts| !parts.iter().all(schema::is_field_rule)) {
                at.push(key);
                self.add(
                    "composition",
                    at,
                    "alternatives become an untagged enum, or a struct that fails at run time",
                    "use one of the wire types (IntegerOrText, NumberOrText, TextOrNumber) or add one in `lower::WIRE_TYPES`",
                );
                at.pop();
            }
        }
        if let Some(parts) = map.get("allOf").and_then(Value::as_array) {
            let types = parts.iter().filter(|part| !schema::is_field_rule(part)).count();
            let wraps = parts.len() == 1
                && parts[0].get("$ref").is_some()
                && map.keys().all(|key| key.starts_with("x-") || BESIDE_A_WRAPPED_REFERENCE.contains(&key.as_str()));
            if types > 0 && !wraps {
                at.push("allOf");
                self.add(
                    "composition",
                    at,
                    "parts of an object are merged by guesswork",
                    "write one object, or wrap exactly one `$ref` and describe it",
                );
                at.pop();
            }
        }
        if map.get("not").is_some_and(|not| !schema::is_field_rule(not)) {
            at.push("not");
            self.add("composition", at, "the generator panics", "say what a value is, not what it is not");
            at.pop();
        }
    }

    fn properties(&mut self, map: &'a Map<String, Value>, at: &mut Vec<&'a str>) {
        let mut fields: BTreeMap<String, &str> = BTreeMap::new();
        at.push("properties");
        for (name, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            at.push(name);
            if let Some(other) = fields.insert(squash(name), name) {
                self.add(
                    "property_name",
                    at,
                    format!("gives the same Rust field as `{other}`"),
                    "drop one of them, or replace the schema by a wire type",
                );
            }
            let schema = load::resolve(self.document, property.pointer("/allOf/0").unwrap_or(property));
            let secret = is_secret_name(&name.to_ascii_lowercase());
            if secret && schema["type"] == "string" && schema["format"] != "password" {
                self.add("secret_property", at, "generated types print their fields", "add `format: password`");
            }
            self.schema(property, at, false);
            at.pop();
        }
        at.pop();
    }

    /// Reports a schema that requests and responses share although lowering treats them differently.
    pub(super) fn sides(&mut self) {
        let request = lower::reachable(self.document, Side::Request);
        let response = lower::reachable(self.document, Side::Response);
        for name in request.intersection(&response).filter(|name| !is_wire_type(name)) {
            self.add(
                "one_side",
                &["components", "schemas", name],
                "serves requests and responses, but requests are checked and responses are read tolerantly",
                "give the response a schema of its own",
            );
        }
        for name in request.iter().filter(|name| !is_wire_type(name)) {
            let schema = &self.document["components"]["schemas"][name];
            self.nullable_request(schema, &["components", "schemas", name]);
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                self.nullable_request(property, &["components", "schemas", name, "properties", field]);
            }
        }
    }

    /// Reports a schema that equals an earlier one: each generated client would have two types for one thing. A request and
    /// a response cannot share one.
    pub(super) fn equal_schemas(&mut self) {
        fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
            document["components"]["schemas"].as_object().into_iter().flatten()
        }
        let document = self.document;
        let (request, response) =
            (lower::reachable(document, Side::Request), lower::reachable(document, Side::Response));
        let rules = edition::rules(document);
        let mut known: Vec<((bool, bool), &Value, &str)> = Vec::new();
        for ((name, schema), (_, rules)) in schemas(document).zip(schemas(&rules)) {
            let side = (request.contains(name), response.contains(name));
            // A type alone says too little to be the same thing.
            let is_said = rules.as_object().is_some_and(|rules| rules.len() > 1);
            let other = known.iter().find(|(of, known, _)| is_said && *of == side && *known == rules);
            match (other, schema.get("x-distinct")) {
                (Some((.., other)), None) => self.add(
                    "equal_schemas",
                    &["components", "schemas", name],
                    format!("equals `{other}` but for its words"),
                    "refer to one of them, or say in `x-distinct` why there are two",
                ),
                _ => known.push((side, rules, name)),
            }
        }
    }

    fn nullable_request(&mut self, schema: &Value, at: &[&str]) {
        if schema["nullable"] == true {
            self.add(
                "nullable_request",
                at,
                "an optional field that can be null cannot say null: both are `None`",
                "leave `nullable` out of requests",
            );
        }
    }
}

/// Keywords that do not change the schema of a wrapped reference (`allOf: [{$ref: ...}]`).
const BESIDE_A_WRAPPED_REFERENCE: [&str; 8] =
    ["allOf", "description", "nullable", "default", "example", "title", "deprecated", "externalDocs"];

fn is_wire_type(name: &str) -> bool {
    WIRE_TYPES.iter().any(|(wire, _)| *wire == name)
}

/// Returns whether a property of this name holds a secret. `password_expires_at` does not: it is a time.
fn is_secret_name(name: &str) -> bool {
    ["password", "secret", "access_key", "credentials", "security_token", "securitytoken"]
        .iter()
        .any(|word| name.contains(word))
        && !name.ends_with("_at")
}

/// Returns the name without the characters that a Rust name loses.
fn squash(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
