//! Reading a description and finding one's way in it.

use serde_json::{Map, Value};

/// The methods that a path item can have, as OpenAPI spells them.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One operation of a description, with what surrounds it.
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
    /// The `operationId`, or the empty text where it is missing.
    pub fn id(self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// All parameters, those of the path item first, references resolved.
    pub fn parameters(self, document: &'a Value) -> impl Iterator<Item = &'a Value> {
        [self.item.get("parameters"), self.value.get("parameters")]
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| resolve(document, parameter))
    }

    /// All documented examples: requests with their answers first, then failures without a request.
    pub fn examples(self, document: &'a Value) -> Vec<Example<'a>> {
        let mut responses: Vec<(&str, &str, &Value)> = Vec::new();
        for (status, response) in self.value["responses"].as_object().into_iter().flatten() {
            let response = resolve(document, response);
            let examples = response.pointer("/content/application~1json/examples").and_then(Value::as_object);
            responses.extend(
                examples.into_iter().flatten().map(|(key, example)| (key.as_str(), status.as_str(), &example["value"])),
            );
        }
        let bodies = self.value.pointer("/requestBody/content/application~1json/examples");
        let requests = self.value["x-example-requests"].as_object();
        let mut examples: Vec<Example<'a>> = Vec::new();
        for (key, request) in requests.into_iter().flatten() {
            let answer = responses.iter().position(|(name, ..)| name == key).map(|index| responses.remove(index));
            examples.push(Example {
                key,
                parameters: request["parameters"].as_object(),
                request: bodies.and_then(|bodies| bodies.get(key)).map(|example| &example["value"]),
                response: answer.map(|(_, status, body)| (status, body)),
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

/// A documented example: a request and the answer it gets.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// Key of the example, the same on request and answer.
    pub key: &'a str,
    /// Values of path and query parameters by name; empty for a failure that no documented request leads to.
    pub parameters: Option<&'a Map<String, Value>>,
    /// Body of the request, if it has one.
    pub request: Option<&'a Value>,
    /// Status (`200`, `4XX`) and body of the answer, if one is documented.
    pub response: Option<(&'a str, &'a Value)>,
}

/// Follows local references until something else is found; a dangling one gives `null`.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // A chain longer than this is a circle of references.
    for _ in 0..16 {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => value = target(document, reference).unwrap_or(&Value::Null),
            None => return value,
        }
    }
    &Value::Null
}

/// The same, also where the reference stands alone in an `allOf`, beside a description.
pub fn resolve_whole<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolve(document, schema);
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([only]) if schema.get("properties").is_none() => resolve_whole(document, only),
        _ => schema,
    }
}

/// What a local reference (`#/components/...`) points to.
pub fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// The component schema that a reference names.
pub fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// All operations in the order in which they are written.
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

/// What an answer is about: without these it cannot be used.
const ESSENTIAL: [&str; 7] = ["is_success", "id", "job_id", "version_id", "name", "job_name", "config_name"];

/// Whether an answer cannot be used without this required field; other texts and numbers may be missing.
pub fn is_essential(name: &str, property: &Value) -> bool {
    let scalar = matches!(property["type"].as_str(), Some("string" | "integer" | "number" | "boolean"));
    !scalar || ESSENTIAL.contains(&name)
}
