//! Rules about operations: paths, parameters, bodies, responses, lists and states.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::load::{self, Operation};
use super::super::shape::PageShape;
use super::super::{list, states};
use super::Report;

impl<'a> Report<'a> {
    pub(super) fn operations(&mut self) {
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
    pub(super) fn states(&mut self, name: &'a str, schema: &'a Value) {
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
}

/// Returns whether the generator keeps the name. It changes the case of names, and operations are found by name at run
/// time.
fn is_snake(id: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('_').all(word)
}

fn is_secret_header(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "authorization" | "x-auth-token" | "x-subject-token" | "x-security-token" | "x-sdk-date" | "cookie"
    )
}
