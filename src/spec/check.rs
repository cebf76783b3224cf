//! Finds constructs that the generator does not support or that its users would not want, and reports each with its place
//! and a remedy.
//!
//! `progenitor` and `typify` panic on some OpenAPI constructs and ignore others. Each rule here covers one such limit
//! and runs on the strict description before anything is generated. Limits of generator features that this crate does
//! not use (paging streams, command line, HTTP mocks) need no rule. `lower` handles errors without a JSON body and
//! closed enums.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::load::{self, Operation};
use super::lower::{self, Side, WIRE_TYPES};
use super::shape::PageShape;
use super::{edition, list, schema, states};

/// A construct that the generator does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the rule.
    pub rule: &'static str,
    /// The place in the YAML: keys joined by ` > `.
    pub at: String,
    /// The problem.
    pub message: String,
    /// The remedy.
    pub remedy: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]; {}", self.at, self.message, self.rule, self.remedy)
    }
}

/// Returns all problems of a description. Without any, the generator supports it.
pub fn check(document: &Value) -> Vec<Problem> {
    let mut report = Report { document, problems: Vec::new() };
    report.version();
    report.references(document, &mut Vec::new());
    report.operations();
    report.schemas();
    report.sides();
    report.equal_schemas();
    report.problems
}

struct Report<'a> {
    document: &'a Value,
    problems: Vec<Problem>,
}

impl<'a> Report<'a> {
    fn add(&mut self, rule: &'static str, at: &[&str], message: impl Into<String>, remedy: &'static str) {
        self.problems.push(Problem { rule, at: at.join(" > "), message: message.into(), remedy });
    }

    fn version(&mut self) {
        let version = self.document["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.0.") {
            self.add(
                "openapi_version",
                &["openapi"],
                format!("version `{version}` is not 3.0.x"),
                "write `openapi: 3.0.3`",
            );
        }
        self.description(&self.document["info"], &["info"]);
    }

    fn references(&mut self, value: &'a Value, path: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    self.reference(reference, path);
                    if map.len() > 1 {
                        self.add(
                            "reference_with_siblings",
                            path,
                            "keys beside `$ref` are ignored",
                            "wrap the reference: `allOf: [{$ref: ...}]` beside the other keys",
                        );
                    }
                }
                for (key, inner) in map.iter().filter(|(key, _)| !schema::is_data(key)) {
                    path.push(key);
                    match inner {
                        // A field can have the name of a keyword.
                        Value::Object(fields) if key == "properties" => {
                            for (name, field) in fields {
                                path.push(name);
                                self.references(field, path);
                                path.pop();
                            }
                        }
                        _ => self.references(inner, path),
                    }
                    path.pop();
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.references(item, path)),
            _ => {}
        }
    }

    fn reference(&mut self, reference: &str, path: &[&str]) {
        let kind = kind_at(path);
        if !reference.starts_with("#/") {
            self.add(
                "external_reference",
                path,
                format!("`{reference}` leaves the file"),
                "copy the component into this file",
            );
        } else if load::target(self.document, reference).is_none() {
            self.add(
                "dangling_reference",
                path,
                format!("`{reference}` does not exist"),
                "define it under `components`",
            );
        } else if !matches!(reference.split('/').collect::<Vec<_>>()[..], ["#", "components", k, _] if k == kind) {
            self.add(
                "reference_kind",
                path,
                format!("`{reference}` is looked up among `{kind}` by its last part alone"),
                "refer to a whole component of the kind that stands here",
            );
        }
    }

    fn operations(&mut self) {
        for (path, item) in self.document["paths"].as_object().into_iter().flatten() {
            for key in ["$ref", "servers"] {
                if item.get(key).is_some() {
                    self.add(
                        "path_item",
                        &["paths", path],
                        format!("`{key}` of a path is not followed"),
                        "write the operations out; the wrapper chooses the endpoint",
                    );
                }
            }
        }
        let mut ids = BTreeSet::new();
        for operation in load::operations(self.document) {
            let at = ["paths", operation.path, operation.method];
            let id = operation.id();
            if !is_snake(id) {
                self.add(
                    "operation_id",
                    &at,
                    format!("operationId `{id}` is missing or not snake_case"),
                    "name it with lower-case verb and noun: `update_training_job`",
                );
            } else if !ids.insert(id) {
                self.add(
                    "operation_id",
                    &at,
                    format!("operationId `{id}` is used twice"),
                    "give each operation its own name",
                );
            }
            for key in ["callbacks", "servers"] {
                if operation.value.get(key).is_some() {
                    self.add("operation_key", &at, format!("`{key}` is ignored by the generator"), "leave it out");
                }
            }
            if operation.value["tags"].as_array().is_some_and(|tags| tags.len() > 1) {
                self.add("one_tag", &at, "two tags put one method into two traits", "keep the first tag");
            }
            self.description(operation.value, &at);
            self.path_template(operation);
            self.parameters(operation);
            self.request_body(operation);
            self.responses(operation);
            self.list(operation);
        }
    }

    fn path_template(&mut self, operation: Operation<'a>) {
        let described: BTreeSet<&str> = operation
            .parameters(self.document)
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let written: BTreeSet<&str> =
            operation.path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        for name in written.symmetric_difference(&described) {
            self.add(
                "path_template",
                &["paths", operation.path, operation.method],
                format!("`{name}` is either in the path or among its parameters, not in both"),
                "describe each name in braces as a parameter in `path`, and no other",
            );
        }
    }

    fn parameters(&mut self, operation: Operation<'a>) {
        let mut names = BTreeSet::new();
        for parameter in operation.parameters(self.document) {
            let name = parameter["name"].as_str().unwrap_or_default();
            let at = ["paths", operation.path, operation.method, "parameters", name];
            let place = parameter["in"].as_str().unwrap_or_default();
            if !names.insert(name) {
                self.add(
                    "parameter_twice",
                    &at,
                    "a parameter of this name exists already",
                    "override nothing: define it once",
                );
            }
            match place {
                "path" | "query" => {}
                "header" if is_secret_header(name) => self.add(
                    "secret_header",
                    &at,
                    "a generated header parameter is neither signed nor hidden in traces",
                    "describe it under `securitySchemes`; the session sends it",
                ),
                "header" => {}
                _ => self.add(
                    "parameter_place",
                    &at,
                    format!("parameters in `{place}` cannot be generated"),
                    "use path, query or header",
                ),
            }
            let styled = parameter.get("style").is_some_and(|style| style != "form" && style != "simple")
                || parameter.get("explode") == Some(&Value::Bool(false));
            if styled {
                self.add(
                    "parameter_style",
                    &at,
                    "only the default style is generated",
                    "take the list as one string, separated by commas",
                );
            }
            if parameter.get("schema").is_none() {
                self.add(
                    "parameter_schema",
                    &at,
                    "a parameter needs a `schema`; `content` cannot be generated",
                    "describe it by `schema`",
                );
            }
            self.description(parameter, &at);
            if place == "path" {
                self.path_parameter(parameter, &at);
            }
        }
    }

    fn path_parameter(&mut self, parameter: &Value, at: &[&str]) {
        if parameter["required"] != true {
            self.add(
                "path_parameter",
                at,
                "an optional part of a path makes the generator panic",
                "add `required: true`",
            );
        }
        let schema = &parameter["schema"];
        match schema["type"].as_str() {
            Some("string") if schema["minLength"].as_u64().unwrap_or(0) == 0 => {
                self.add("path_parameter", at, "an empty value changes the path", "add `minLength: 1`");
            }
            Some("string" | "integer") => {}
            _ => self.add(
                "path_parameter",
                at,
                "`lower` guards against `..` only where it sees a text",
                "write `type: string` or `type: integer` in place",
            ),
        }
    }

    fn request_body(&mut self, operation: Operation<'a>) {
        let Some(body) = operation.value.get("requestBody") else { return };
        let at = ["paths", operation.path, operation.method, "requestBody"];
        let body = load::resolve(self.document, body);
        if body["required"] != true {
            self.add(
                "optional_body",
                &at,
                "an optional body is generated as a required one",
                "say `required: true` or split the operation",
            );
        }
        let types: Vec<&String> = body["content"].as_object().into_iter().flat_map(Map::keys).collect();
        if types != ["application/json"] {
            self.add(
                "request_media_type",
                &at,
                format!("media types {types:?} cannot be generated"),
                "keep `application/json` alone",
            );
        }
        self.body(body, &at);
    }

    /// Reports inline schemas, which the rules for components do not reach, neither here nor in `lower`.
    fn body(&mut self, holder: &Value, at: &[&str]) {
        for (_, media) in holder["content"].as_object().into_iter().flatten() {
            if media["schema"].get("$ref").is_none() {
                self.add(
                    "inline_body",
                    at,
                    "a body without the name of a schema",
                    "move its schema to `components/schemas` and refer to it",
                );
            }
        }
    }

    fn responses(&mut self, operation: Operation<'a>) {
        let mut success = Vec::new();
        for (status, response) in operation.value["responses"].as_object().into_iter().flatten() {
            let at = ["paths", operation.path, operation.method, "responses", status];
            if status == "default" {
                self.add("default_response", &at, "`default` counts as success and as error", "write `4XX` and `5XX`");
            }
            let response = load::resolve(self.document, response);
            let content = response.get("content").and_then(Value::as_object);
            if content.into_iter().flatten().any(|(media_type, _)| media_type != "application/json") {
                self.add(
                    "response_media_type",
                    &at,
                    "a body that is not JSON is generated as a raw stream",
                    "keep `application/json` alone",
                );
            }
            if status.starts_with('2') {
                self.body(response, &at);
                success.push(status.as_str());
            }
        }
        if success.len() != 1 {
            self.add(
                "one_success",
                &["paths", operation.path, operation.method, "responses"],
                format!("success statuses {success:?}: the generator wants exactly one"),
                "keep the documented one; the client accepts any 2xx",
            );
        }
    }

    /// Reports an `x-list` with unknown names, and an operation that lists objects without one.
    fn list(&mut self, operation: Operation<'a>) {
        let at = ["paths", operation.path, operation.method, "x-list"];
        let remedy = "see the table of extensions in openapi/README.md";
        let Some(shape) = list::list(operation) else {
            if operation.id().starts_with("list_") {
                self.add("list", &at, "an operation that lists objects does not say how", remedy);
            }
            return;
        };
        for key in operation.value["x-list"].as_object().into_iter().flat_map(Map::keys) {
            if !list::KEYS.contains(&key.as_str()) {
                self.add("list", &at, format!("`{key}` is not a key of it"), remedy);
            }
        }
        let document = self.document;
        let responses = operation.value["responses"].as_object();
        let success = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
        let success = success.map_or(&Value::Null, |(_, response)| load::resolve(document, response));
        let body = success.pointer("/content/application~1json/schema").unwrap_or(&Value::Null);
        let field = |schema: &'a Value, name: &str| {
            load::resolve_whole(document, schema)["properties"]
                .get(name)
                .map(|field| load::resolve_whole(document, field))
        };
        let items = field(body, shape.items).and_then(|items| items.get("items"));
        let Some(items) = items else {
            self.add("list", &at, format!("`{}` is no array of the response", shape.items), remedy);
            return;
        };
        if let Some(id) = shape.id
            && field(items, id).is_none()
        {
            self.add("list", &at, format!("`{id}` is no field of an item"), remedy);
        }
        if let Some(total) = shape.total
            && field(body, total).is_none()
        {
            self.add("list", &at, format!("`{total}` is no field of the response"), remedy);
        }
        if let Some((parameter, size)) = shape.pages.parameters() {
            for name in [parameter, size] {
                let is_it = |known: &Value| known["name"] == name && known["in"] == "query";
                if !operation.parameters(document).any(is_it) {
                    self.add("list", &at, format!("`{name}` is no query parameter"), remedy);
                }
            }
        }
        if let PageShape::Marked { next, .. } = shape.pages {
            let mut tokens = next.split('/').skip(1);
            if tokens.clone().count() == 0 || tokens.try_fold(body, field).is_none() {
                self.add("list", &at, format!("`{next}` points to no field of the response"), remedy);
            }
        }
    }

    /// Reports an `x-states` that does not have each code of its schema exactly once, with a phase.
    fn states(&mut self, name: &'a str, schema: &'a Value) {
        let Some(rows) = schema.get("x-states") else { return };
        let at = ["components", "schemas", name, "x-states"];
        let remedy = "give each code one row with `code`, `name`, `meaning` and `phase`";
        let codes: BTreeSet<i64> = states::states(schema).map(|state| state.code).collect();
        if rows.as_array().is_none_or(|rows| rows.is_empty() || rows.len() != codes.len()) {
            self.add("states", &at, "it is no list of different codes", remedy);
        }
        for state in states::states(schema) {
            if state.name.is_empty() || state.meaning.is_empty() || !states::PHASES.contains(&state.phase) {
                self.add("states", &at, format!("the row of {} is not complete", state.code), remedy);
            }
        }
        let form = schema["anyOf"].as_array().and_then(|forms| forms.first()).unwrap_or(schema);
        let described: BTreeSet<i64> =
            match (form["enum"].as_array(), form["minimum"].as_i64(), form["maximum"].as_i64()) {
                (Some(values), ..) => values.iter().filter_map(Value::as_i64).collect(),
                (None, Some(low), Some(high)) => (low..=high).collect(),
                _ => codes.clone(),
            };
        for code in codes.symmetric_difference(&described) {
            self.add("states", &at, format!("{code} is either a code of the schema or has a row, not both"), remedy);
        }
    }

    fn schemas(&mut self) {
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

    fn description(&mut self, described: &Value, at: &[&str]) {
        for key in ["summary", "description"] {
            if let Some(message) = described[key].as_str().and_then(breaks_rustdoc) {
                self.add("description", at, message, "say it in plain sentences; `code` in single backticks is fine");
            }
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
    fn sides(&mut self) {
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
    fn equal_schemas(&mut self) {
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

/// Returns the kind of component that a reference at this place must name.
fn kind_at<'p>(path: &[&'p str]) -> &'p str {
    match path {
        ["components", kind, _] => kind,
        [.., "properties", _] => "schemas",
        [.., "parameters"] => "parameters",
        [.., "requestBody"] => "requestBodies",
        [.., "responses", _] => "responses",
        [.., "headers", _] => "headers",
        _ => "schemas",
    }
}

/// Returns whether the generator keeps the name. It changes the case of names, and operations are found by name at run
/// time.
fn is_snake(id: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('_').all(word)
}

fn is_wire_type(name: &str) -> bool {
    WIRE_TYPES.iter().any(|(wire, _)| *wire == name)
}

fn is_secret_header(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "authorization" | "x-auth-token" | "x-subject-token" | "x-security-token" | "x-sdk-date" | "cookie"
    )
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

/// Returns why a description is not valid rustdoc; the generator copies descriptions unchanged.
fn breaks_rustdoc(text: &str) -> Option<&'static str> {
    if text.contains("```") {
        return Some("a fenced block becomes a doctest");
    }
    if text.lines().any(|line| line.starts_with("    ") || line.starts_with('\t')) {
        return Some("an indented block becomes a doctest");
    }
    if text.contains("http://") || text.contains("https://") {
        return Some("a bare address is a rustdoc warning");
    }
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            return Some("an angle bracket starts an HTML tag in rustdoc");
        }
    }
    None
}
