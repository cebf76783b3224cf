//! The documents that are built into the crate.

use std::ops::Deref;
use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

use super::clouds;
use super::edition;
use super::json_schema;
use super::load::{self, Example, Operation};
use crate::api;
use crate::cloud::Cloud;

/// One of the published OpenAPI documents. It is read when it is first needed.
#[derive(Debug)]
pub struct Document {
    name: &'static str,
    yaml: &'static str,
    value: Content,
    /// What the generated client knows of its operations.
    operations: &'static [api::Operation],
    cloud: Option<Cloud>,
}

/// The content of a document.
#[derive(Debug)]
enum Content {
    /// Read from what `build.rs` wrote, when it is first needed.
    Built(LazyLock<Value>),
    /// Made at run time.
    Made(Value),
}

impl Deref for Content {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Built(value) => value,
            Self::Made(value) => value,
        }
    }
}

macro_rules! document {
    ($name:literal, $file:literal, $operations:expr) => {
        Document {
            name: $name,
            yaml: include_str!(concat!("../../openapi/", $name, ".yaml")),
            value: Content::Built(LazyLock::new(|| {
                serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/", $name, $file)))
                    .expect("build.rs wrote it")
            })),
            operations: $operations,
            cloud: None,
        }
    };
}

macro_rules! documents {
    ($file:literal) => {
        [
            document!("iam", $file, api::iam::operations::ALL),
            document!("modelarts", $file, api::modelarts::operations::ALL),
            document!("mrs", $file, api::mrs::operations::ALL),
        ]
    };
}

/// All documents.
pub fn documents() -> &'static [Document] {
    static DOCUMENTS: [Document; 3] = documents!(".json");
    &DOCUMENTS
}

/// The editions of a cloud: all documents as its overlay changes them, but for those of services that it does not have.
///
/// They are made when they are first asked for, and kept.
pub fn documents_of(cloud: Cloud) -> &'static [Document] {
    static EDITIONS: LazyLock<Vec<OnceLock<Vec<Document>>>> =
        LazyLock::new(|| Cloud::all().map(|_| OnceLock::new()).collect());
    EDITIONS[cloud.index()].get_or_init(|| resolved(cloud, |document| document))
}

/// The documents as the overlay of a cloud changes them, each then reduced.
fn resolved(cloud: Cloud, reduce: impl Fn(Value) -> Value) -> Vec<Document> {
    let overlay = clouds::overlay(cloud).parsed();
    let documents = documents().iter().map(|base| {
        let (value, _) = edition::resolve(&base.value, &overlay).expect("build.rs has applied it");
        Document {
            value: Content::Made(reduce(value)),
            cloud: Some(cloud),
            name: base.name,
            yaml: base.yaml,
            operations: base.operations,
        }
    });
    documents.filter(|document| document.operations().next().is_some()).collect()
}

/// The rules of a cloud's edition, or of all editions together; see [`rules`].
#[cfg(feature = "emulator")]
pub(crate) fn rules_of(cloud: Option<Cloud>) -> &'static [Document] {
    static EDITIONS: LazyLock<Vec<OnceLock<Vec<Document>>>> =
        LazyLock::new(|| Cloud::all().map(|_| OnceLock::new()).collect());
    match cloud {
        None => rules(),
        Some(cloud) => EDITIONS[cloud.index()].get_or_init(|| resolved(cloud, |document| edition::rules(&document))),
    }
}

/// The documents without parts that are only for readers, such as descriptions and examples. They take about half the
/// memory.
#[cfg(feature = "emulator")]
pub(crate) fn rules() -> &'static [Document] {
    static RULES: [Document; 3] = documents!(".rules.json");
    &RULES
}

/// The description of the emulator's control API, which is not part of the cloud.
#[cfg(any(feature = "emulator", feature = "publish"))]
pub(crate) fn control() -> &'static Document {
    static CONTROL: Document = document!("emulator", ".json", &[]);
    &CONTROL
}

/// Returns an operation of any document by its id.
pub fn operation(id: &str) -> Option<(&'static Document, Operation<'static>)> {
    // Only the document that describes it is read.
    let document = documents().iter().find(|document| document.operations.iter().any(|known| known.id == id))?;
    Some((document, document.operation(id)?))
}

impl Document {
    /// Name of the document: `iam`, `modelarts` or `mrs`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The cloud whose edition it is; none for the description that holds all editions together.
    pub fn cloud(&self) -> Option<Cloud> {
        self.cloud
    }

    /// The description of all editions together, in YAML as it is written. `publish::text` writes
    /// the edition of a cloud.
    pub fn yaml(&self) -> &'static str {
        self.yaml
    }

    /// The document as a JSON value; the order of keys is that of the YAML.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// All operations in the order of the document.
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

    /// Returns the response for a status: its own entry, otherwise that of its class (`4XX`).
    pub fn response<'a>(&'a self, operation: Operation<'a>, status: u16) -> Option<&'a Value> {
        let responses = operation.value["responses"].as_object()?;
        let entry = responses.get(&status.to_string()).or_else(|| responses.get(&format!("{}XX", status / 100)))?;
        Some(load::resolve(&self.value, entry))
    }

    /// The documented success status.
    pub fn success_status(&self, operation: Operation<'_>) -> Option<u16> {
        operation.value["responses"].as_object()?.keys().find(|status| status.starts_with('2'))?.parse().ok()
    }

    /// Returns the schema of the successful response, if it has a body.
    pub fn success_schema<'a>(&'a self, operation: Operation<'a>) -> Option<&'a Value> {
        operation.success_schema(&self.value)
    }

    /// Converts a schema of this document into a self-contained JSON Schema (draft 2020-12).
    pub fn json_schema(&self, schema: &Value) -> Value {
        json_schema::convert(&self.value, schema)
    }

    /// Returns a validator for a schema of this document.
    #[cfg(any(feature = "emulator", feature = "contract", feature = "raw"))]
    pub(crate) fn validator(&self, schema: &Value) -> jsonschema::Validator {
        jsonschema::validator_for(&self.json_schema(schema)).expect("the description holds valid schemas")
    }

    /// Returns all documented examples of an operation: first requests with their responses, then errors without a
    /// request.
    pub fn examples<'a>(&'a self, operation: Operation<'a>) -> Vec<Example<'a>> {
        operation.examples(&self.value)
    }
}
