//! Reads a description and finds its operations, schemas and examples.

use serde_json::{Map, Value};

/// The methods that a path item can have, as OpenAPI spells them.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation of a description with its context.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Path template, for example `/v1/{project_id}/training-jobs`.
    pub path: &'a str,
    /// Method in lower case.
    pub method: &'a str,
    /// The path item that holds the operation.
    pub item: &'a Map<String, Value>,
    /// The operation itself.
    pub value: &'a Value,
}

impl<'a> Operation<'a> {
    /// Returns the `operationId`, or the empty string without one.
    pub fn id(self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// Returns all parameters with references resolved, those of the path item first.
    pub fn parameters(self, document: &'a Value) -> impl Iterator<Item = &'a Value> {
        [self.item.get("parameters"), self.value.get("parameters")]
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| resolve(document, parameter))
    }

    /// Returns the schema of the successful response, if it has a body. References are not resolved.
    pub fn success_schema(self, document: &'a Value) -> Option<&'a Value> {
        let mut responses = self.value["responses"].as_object()?.iter();
        let (_, response) = responses.find(|(status, _)| status.starts_with('2'))?;
        resolve(document, response).pointer("/content/application~1json/schema")
    }

    /// Returns the subject of a successful response, or `None` if all of its fields are optional.
    pub fn subject(self, document: &'a Value) -> Option<Subject<'a>> {
        let schema = self.success_schema(document)?;
        let response = resolve_whole(document, schema);
        let required = || response["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let field_where = |holds: fn(&Value) -> bool| {
            required().find_map(|name| {
                let field = response["properties"].get(name)?;
                holds(resolve_whole(document, field)).then_some((name, field))
            })
        };
        let (field, is_list, schema) = if let Some((name, list)) = field_where(|field| field["type"] == "array") {
            (Some(name), true, &resolve_whole(document, list)["items"])
        } else if let Some((name, wrapped)) = field_where(|field| field.get("properties").is_some()) {
            (Some(name), false, wrapped)
        } else {
            (None, false, schema)
        };
        let known = resolve_whole(document, schema)["required"].as_array();
        let requires = |name: &str| known.is_some_and(|known| known.iter().any(|known| known == name));
        let id = self.id_fields(document).into_iter().find(|name| requires(name));
        // The caller of a change or deletion knows the id; the response confirms the change.
        let confirms = field.is_none() && (id.is_none() || !matches!(self.method, "get" | "post"));
        let confirmation = (self.method != "get" && requires("is_success")).then_some("is_success");
        let key = if confirms { confirmation } else { id };
        (field.is_some() || key.is_some()).then_some(Subject { field, is_list, schema, key })
    }

    /// Returns the possible names of the id field in the response, the likeliest first.
    fn id_fields(self, document: &'a Value) -> Vec<&'a str> {
        let parameter = |path: &'a str| path.strip_suffix('}')?.rsplit_once('{').map(|(_, name)| name);
        let of_item = operations(document).find_map(|other| {
            let rest = other.path.strip_prefix(self.path)?.strip_prefix("/{")?;
            rest.strip_suffix('}').filter(|name| !name.contains('/'))
        });
        ["id"].into_iter().chain(of_item).chain(parameter(self.path)).collect()
    }

    /// Checks that a successful response has its subject; the error is the place and the problem. The items of a list
    /// are checked when they are read.
    ///
    /// # Errors
    ///
    /// The place in the response that makes it unusable, and the reason.
    pub fn usable(self, document: &'a Value, body: &Value) -> Result<(), (String, String)> {
        let problem = |place: &str, reason: String| Err((place.to_owned(), reason));
        if self.success_schema(document).is_none() {
            return Ok(());
        }
        if !body.is_object() {
            return problem(".", "is not an object".to_owned());
        }
        let Some(Subject { field, is_list, key, .. }) = self.subject(document) else { return Ok(()) };
        let subject = match field {
            None => body,
            Some(field) => match body.get(field) {
                Some(Value::Null | Value::Array(_)) if is_list => return Ok(()),
                Some(_) if is_list => return problem(field, "is not a list".to_owned()),
                Some(subject) if subject.is_object() => subject,
                None | Some(Value::Null) => return problem(".", format!("missing field `{field}`")),
                Some(_) => return problem(field, "is not an object".to_owned()),
            },
        };
        match key {
            Some(key) if subject[key].is_null() => problem(field.unwrap_or("."), format!("missing field `{key}`")),
            _ => Ok(()),
        }
    }

    /// Returns the names of the fields of the request body that hold a secret (`format: password`), at any depth.
    pub fn secrets(self, document: &'a Value) -> Vec<&'a str> {
        fn collect<'a>(document: &'a Value, schema: &'a Value, depth: usize, names: &mut Vec<&'a str>) {
            let schema = resolve(document, schema);
            // A deeper schema is a cycle of references.
            if depth == 16 {
                return;
            }
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if resolve_whole(document, property)["format"] == "password" && !names.contains(&name.as_str()) {
                    names.push(name);
                }
                collect(document, property, depth + 1, names);
            }
            for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
                collect(document, part, depth + 1, names);
            }
            if schema.get("items").is_some() {
                collect(document, &schema["items"], depth + 1, names);
            }
        }
        let mut names = Vec::new();
        let body = self.value.get("requestBody").map(|body| resolve(document, body));
        if let Some(schema) = body.and_then(|body| body.pointer("/content/application~1json/schema")) {
            collect(document, schema, 0, &mut names);
        }
        names
    }

    /// Returns the response that an empty body means, with `{name}` for path parameters. `None` for an operation whose
    /// documented response has more than success and the object's id.
    pub fn acknowledgement(self, document: &'a Value) -> Option<String> {
        let schema = resolve_whole(document, self.success_schema(document)?);
        let in_path = |name: &str| self.path.contains(&format!("{{{name}}}"));
        let says_more = |name: &String| !ENVELOPE.contains(&name.as_str()) && !in_path(name);
        if self.method == "get" || schema["properties"].as_object()?.keys().any(says_more) {
            return None;
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let fields = required.map(|name| match name {
            "is_success" => (name.to_owned(), Value::Bool(true)),
            name => (name.to_owned(), format!("{{{name}}}").into()),
        });
        Some(Value::Object(fields.collect()).to_string())
    }

    /// All documented examples: requests with their responses first, then failures without a request. An example that no page
    /// prints (`x-assumption`) is not among them.
    pub fn examples(self, document: &'a Value) -> Vec<Example<'a>> {
        let mut responses: Vec<(&str, &str, &Value)> = Vec::new();
        for (status, response) in self.value["responses"].as_object().into_iter().flatten() {
            let response = resolve(document, response);
            let examples = response.pointer("/content/application~1json/examples").and_then(Value::as_object);
            let printed = examples.into_iter().flatten().filter(|(_, example)| example.get("x-assumption").is_none());
            responses.extend(printed.map(|(key, example)| (key.as_str(), status.as_str(), &example["value"])));
        }
        let bodies = self.value.pointer("/requestBody/content/application~1json/examples");
        let requests = self.value["x-example-requests"].as_object();
        let mut examples: Vec<Example<'a>> = Vec::new();
        for (key, request) in requests.into_iter().flatten() {
            let response = responses.iter().position(|(name, ..)| name == key).map(|index| responses.remove(index));
            examples.push(Example {
                key,
                parameters: request["parameters"].as_object(),
                request: bodies.and_then(|bodies| bodies.get(key)).map(|example| &example["value"]),
                response: response.map(|(_, status, body)| (status, body)),
            });
        }
        examples.extend(responses.into_iter().map(|(key, status, body)| Example {
            key,
            parameters: None,
            request: None,
            response: Some((status, body)),
        }));
        examples
    }
}

/// What an operation says of its life span and of the permissions that it needs, one sentence each.
pub fn lifecycle(operation: &Value) -> Vec<String> {
    let mut sentences = Vec::new();
    match operation["x-sunset"].as_str() {
        Some(day) => sentences.push(format!("Deprecated: no cloud documents it since {day}.")),
        None if operation["deprecated"] == true => sentences.push(
            "Deprecated: the clouds that document it call it deprecated, historical or not recommended.".to_owned(),
        ),
        None => {}
    }
    if operation["x-stability-level"] == "draft" {
        sentences.push("Only pages of an SDK name it, so its form is a draft.".to_owned());
    }
    if operation["x-documented"] == "unknown" {
        sentences.push("It is not known whether this cloud documents it.".to_owned());
    }
    let actions = operation["x-permissions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let actions: Vec<_> = actions.map(|action| format!("`{action}`")).collect();
    if !actions.is_empty() {
        sentences.push(format!("Permissions: {}.", actions.join(", ")));
    }
    sentences
}

/// The subject of a response: the part that it cannot be used without.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The field of the response that holds it, or `None` if the response itself is the object.
    pub field: Option<&'a str>,
    /// Whether the field holds a list.
    pub is_list: bool,
    /// The schema of the object, or of an item of the list. References are not resolved.
    pub schema: &'a Value,
    /// The field of the object's id, if it has one; `is_success` for a confirmation.
    pub key: Option<&'a str>,
}

/// A documented example: a request and its response.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// The key of the example, the same in request and response.
    pub key: &'a str,
    /// The values of path and query parameters by name. Empty for an error without a documented request.
    pub parameters: Option<&'a Map<String, Value>>,
    /// The body of the request, if it has one.
    pub request: Option<&'a Value>,
    /// The status (`200`, `4XX`) and body of the response, if one is documented.
    pub response: Option<(&'a str, &'a Value)>,
}

/// Follows local references to their final target. A dangling reference results in `null`.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // A longer chain is a cycle of references.
    for _ in 0..16 {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => value = target(document, reference).unwrap_or(&Value::Null),
            None => return value,
        }
    }
    &Value::Null
}

/// Follows local references, also one that is the only element of an `allOf` beside a description.
pub fn resolve_whole<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolve(document, schema);
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([only]) if schema.get("properties").is_none() => resolve_whole(document, only),
        _ => schema,
    }
}

/// Returns whether a schema allows null: itself, by an alternative, or by each schema that it combines.
pub fn may_be_null(document: &Value, schema: &Value) -> bool {
    let schema = resolve(document, schema);
    let parts = |key: &str| schema[key].as_array().map_or(&[][..], Vec::as_slice);
    let combined = parts("allOf");
    schema["nullable"] == true
        || parts("oneOf").iter().chain(parts("anyOf")).any(|part| may_be_null(document, part))
        || (schema.get("type").is_none()
            && !combined.is_empty()
            && combined.iter().all(|part| may_be_null(document, part)))
}

/// Returns the component schema that a schema refers to, directly or by an `allOf` with one element.
pub fn component<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a str> {
    let whole = resolve_whole(document, schema);
    let mut components = document["components"]["schemas"].as_object()?.iter();
    components.find(|(_, component)| std::ptr::eq(*component, whole)).map(|(name, _)| name.as_str())
}

/// Returns the target of a local reference (`#/components/...`).
pub fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// Returns the component schema that a reference names.
pub fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// All operations in the order of the document.
pub fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
        item.as_object().into_iter().flat_map(move |item| {
            item.iter().filter(|(method, _)| METHODS.contains(&method.as_str())).map(move |(method, value)| Operation {
                path,
                method,
                item,
                value,
            })
        })
    })
}

/// The fields of a response that say whether the request succeeded.
const ENVELOPE: [&str; 4] = ["is_success", "error_code", "error_msg", "error_message"];
