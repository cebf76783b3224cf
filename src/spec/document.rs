//! The documents that are built into the crate.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::json_schema;
use super::load::{self, Operation};

/// One of the published OpenAPI documents.
#[derive(Debug)]
pub struct Document {
    name: &'static str,
    yaml: &'static str,
    value: Value,
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

macro_rules! document {
    ($name:literal) => {
        Document {
            name: $name,
            yaml: include_str!(concat!("../../openapi/", $name, ".yaml")),
            value: serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json")))
                .expect("build.rs wrote it"),
        }
    };
}
static DOCUMENTS: LazyLock<Vec<Document>> =
    LazyLock::new(|| vec![document!("iam"), document!("modelarts"), document!("mrs")]);

/// All documents.
pub fn documents() -> &'static [Document] {
    &DOCUMENTS
}

/// The description of the emulator's control API, which is no part of the cloud.
#[cfg(feature = "emulator")]
pub(crate) fn control() -> &'static Document {
    static CONTROL: LazyLock<Document> = LazyLock::new(|| document!("emulator"));
    &CONTROL
}

/// An operation of any document by its id.
pub fn operation(id: &str) -> Option<(&'static Document, Operation<'static>)> {
    documents().iter().find_map(|document| Some((document, document.operation(id)?)))
}

impl Document {
    /// Name of the document: `iam`, `modelarts` or `mrs`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The document as it is published, in YAML.
    pub fn yaml(&self) -> &'static str {
        self.yaml
    }

    /// The document as a JSON value; the order of keys is that of the YAML.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// All operations in the order in which they are written.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        load::operations(&self.value)
    }

    /// An operation by its id.
    pub fn operation(&self, id: &str) -> Option<Operation<'_>> {
        self.operations().find(|operation| operation.id() == id)
    }

    /// Path and query parameters of an operation, references resolved.
    pub fn parameters<'a>(&'a self, operation: Operation<'a>) -> impl Iterator<Item = &'a Value> {
        operation.parameters(&self.value)
    }

    /// The schema of the request body, if the operation has one.
    pub fn request_schema<'a>(&'a self, operation: Operation<'a>) -> Option<&'a Value> {
        load::resolve(&self.value, operation.value.get("requestBody")?).pointer("/content/application~1json/schema")
    }

    /// The response for a status: its own entry, else the one of its class (`4XX`).
    pub fn response<'a>(&'a self, operation: Operation<'a>, status: u16) -> Option<&'a Value> {
        let responses = operation.value["responses"].as_object()?;
        let entry = responses.get(&status.to_string()).or_else(|| responses.get(&format!("{}XX", status / 100)))?;
        Some(load::resolve(&self.value, entry))
    }

    /// The documented success status.
    pub fn success_status(&self, operation: Operation<'_>) -> Option<u16> {
        operation.value["responses"].as_object()?.keys().find(|status| status.starts_with('2'))?.parse().ok()
    }

    /// The schema of the answer of a success, if it has a body.
    pub fn success_schema<'a>(&'a self, operation: Operation<'a>) -> Option<&'a Value> {
        let status = self.success_status(operation)?;
        self.response(operation, status)?.pointer("/content/application~1json/schema")
    }

    /// A schema of this document as JSON Schema (draft 2020-12) that stands alone.
    pub fn json_schema(&self, schema: &Value) -> Value {
        json_schema::convert(&self.value, schema)
    }

    /// What holds values against a schema of this document.
    #[cfg(any(feature = "emulator", feature = "contract", feature = "raw"))]
    pub(crate) fn validator(&self, schema: &Value) -> jsonschema::Validator {
        jsonschema::validator_for(&self.json_schema(schema)).expect("the description holds valid schemas")
    }

    /// All documented examples of an operation: requests with their answers first, then failures without a request.
    pub fn examples<'a>(&'a self, operation: Operation<'a>) -> Vec<Example<'a>> {
        let mut responses: Vec<(&str, &str, &Value)> = Vec::new();
        for (status, response) in operation.value["responses"].as_object().into_iter().flatten() {
            let response = load::resolve(&self.value, response);
            let examples = response.pointer("/content/application~1json/examples").and_then(Value::as_object);
            responses.extend(
                examples.into_iter().flatten().map(|(key, example)| (key.as_str(), status.as_str(), &example["value"])),
            );
        }
        let bodies = operation.value.pointer("/requestBody/content/application~1json/examples");
        let requests = operation.value["x-example-requests"].as_object();
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
