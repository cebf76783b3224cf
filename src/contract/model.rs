//! Reads from the description which objects there are, and what operations do with them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use super::schema::{keyword, place, properties};
use crate::cloud::{Cloud, Documented};
use crate::spec::load::{self, Operation};
use crate::spec::{self, Document, Example, PageShape};

/// All operations and all kinds of objects.
pub(super) struct Model {
    /// The cloud whose edition it is; `None` for all editions together.
    pub(super) cloud: Option<Cloud>,
    /// Operations that the cloud does not document come last.
    pub(super) operations: Vec<Op>,
    pub(super) objects: Vec<Object>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

/// An operation with its parameters, schemas and examples.
pub(super) struct Op {
    pub(super) id: &'static str,
    pub(super) document: &'static Document,
    pub(super) operation: Operation<'static>,
    pub(super) success: u16,
    pub(super) parameters: Vec<Parameter>,
    /// The schema of the body, references not resolved.
    pub(super) body: Option<&'static Value>,
    pub(super) examples: Vec<Example<'static>>,
    /// Whether the cloud documents it.
    pub(super) documented: Documented,
    /// Compiled when they are first needed.
    body_validator: OnceLock<Validator>,
    response_validators: [OnceLock<Option<Validator>>; 4],
}

/// A path or query parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) in_path: bool,
    pub(super) required: bool,
    pub(super) schema: &'static Value,
    /// The parameter without which this one is rejected, and an example of it.
    pub(super) together: Option<(&'static str, &'static Value)>,
    /// Compiled when it is first needed.
    validator: OnceLock<Validator>,
}

impl Parameter {
    /// Whether a value is as described in its document.
    pub(super) fn allows(&self, document: &Document, value: &Value) -> bool {
        self.validator.get_or_init(|| document.validator(self.schema)).is_valid(value)
    }
}

/// A kind of object, with the operations that create, name, read, change and remove one.
///
/// It is derived from the paths: `{job_id}` in `/jobs/{job_id}` names what `POST /jobs` creates. Where the collection
/// has no `POST`, the `POST` of the same tag creates.
pub(super) struct Object {
    /// The path of an object up to its own parameter.
    pub(super) item: &'static str,
    pub(super) parameter: &'static str,
    pub(super) create: usize,
    pub(super) list: Option<usize>,
    pub(super) show: Option<usize>,
    pub(super) update: Option<usize>,
    pub(super) delete: Option<usize>,
    /// Removes it: its own deletion, or that of another kind that has `x-also-deletes`.
    pub(super) removed_by: Option<usize>,
    /// The operation that stops it.
    pub(super) stop: Option<usize>,
}

impl Object {
    /// Returns the path of the operation that removes an object; it may have another name for the id.
    pub(super) fn removal_path(
        &self,
        model: &'static Model,
        path: &[(&'static str, String)],
    ) -> Vec<(&'static str, String)> {
        let mut path = path.to_vec();
        let parameter = self.removed_by.and_then(|op| model.operations[op].path_parameters().last());
        if let (Some((name, _)), Some(parameter)) = (path.last_mut(), parameter) {
            *name = parameter;
        }
        path
    }
}

/// Returns the model of a cloud's edition, or of all editions together.
pub(super) fn model(cloud: Option<Cloud>) -> &'static Model {
    static MODELS: LazyLock<BTreeMap<Option<&'static str>, OnceLock<Model>>> = LazyLock::new(|| {
        let clouds = Cloud::all().map(|cloud| (Some(cloud.name()), OnceLock::new()));
        clouds.chain([(None, OnceLock::new())]).collect()
    });
    MODELS[&cloud.map(Cloud::name)].get_or_init(|| Model::new(cloud))
}

impl Model {
    fn new(cloud: Option<Cloud>) -> Self {
        let documented = |id: &str| cloud.map_or(Documented::Yes, |cloud| cloud.documents(id));
        let all = |documents: &'static [Document]| {
            documents.iter().flat_map(|document| document.operations().map(move |operation| (document, operation)))
        };
        let described = all(cloud.map_or_else(spec::documents, spec::documents_of));
        let missing = all(spec::documents()).filter(|(_, operation)| documented(operation.id()) == Documented::No);
        let operations: Vec<Op> = described
            .chain(missing)
            .map(|(document, operation)| Op::new(document, operation, documented(operation.id())))
            .collect();
        let known = |op: &&Op| op.documented != Documented::No;
        let find = |method: &str, path: &str| {
            operations.iter().position(|op| known(&op) && op.operation.method == method && op.operation.path == path)
        };
        let mut objects: Vec<Object> = Vec::new();
        for op in operations.iter().filter(known) {
            let path = op.operation.path;
            let Some((item, parameter)) = path.rfind("/{").and_then(|start| {
                let end = start + path[start..].find('}')?;
                Some((&path[..=end], &path[start + 2..end]))
            }) else {
                continue;
            };
            if parameter == "project_id" || objects.iter().any(|object| object.item == item) {
                continue;
            }
            let collection = item.rsplit_once('/').map_or("", |(collection, _)| collection);
            let tag = |op: &Op| op.operation.value["tags"][0].as_str().unwrap_or_default();
            let create = find("post", collection).or_else(|| {
                operations.iter().position(|other| {
                    known(&other)
                        && other.operation.method == "post"
                        && other.document.name() == op.document.name()
                        && tag(other) == tag(op)
                        && !other.operation.path.starts_with(item)
                })
            });
            let Some(create) = create else { continue };
            let created = operations[create].id;
            let also_deletes = |other: &Op| {
                let also = other.operation.value["x-also-deletes"].as_array();
                also.into_iter().flatten().any(|name| name == created)
            };
            let delete = find("delete", item);
            objects.push(Object {
                item,
                parameter,
                create,
                list: find("get", collection),
                show: find("get", item),
                update: find("put", item).or_else(|| find("patch", item)),
                delete,
                removed_by: delete.or_else(|| operations.iter().position(|op| known(&op) && also_deletes(op))),
                stop: find("post", &format!("{item}/stop")).or_else(|| find("get", &format!("{item}/cancel"))),
            });
        }
        Self { cloud, operations, objects }
    }

    pub(super) fn op(&self, id: &str) -> Option<usize> {
        self.operations.iter().position(|op| op.id == id)
    }

    /// Returns the kind of object that a parameter of a path names: the kind with that path, or else the kind that the
    /// operation of the path removes under another id.
    pub(super) fn named_by(&self, path: &str, parameter: &str) -> Option<usize> {
        let item = &path[..path.find(&format!("{{{parameter}}}"))? + parameter.len() + 2];
        let removes = |object: &Object| object.removed_by.is_some_and(|op| self.operations[op].operation.path == item);
        let own = self.objects.iter().position(|object| object.item == item);
        own.or_else(|| self.objects.iter().position(removes))
    }

    /// Returns the kind of object that an operation creates.
    pub(super) fn created_by(&self, op: usize) -> Option<usize> {
        self.objects.iter().position(|object| object.create == op)
    }

    /// Returns the kind of object that an operation is about: the last one that its path names.
    pub(super) fn object_of(&self, op: &Op) -> Option<usize> {
        let parameter = op.path_parameters().last()?;
        self.named_by(op.operation.path, parameter)
    }
}

impl Op {
    fn new(document: &'static Document, operation: Operation<'static>, documented: Documented) -> Self {
        let parameter = |value: &'static Value| Parameter {
            name: value["name"].as_str().unwrap_or_default(),
            in_path: value["in"] == "path",
            required: value["required"] == true,
            schema: &value["schema"],
            together: document
                .parameters(operation)
                .find(|other| other["name"] == value["x-together"])
                .map(|other| (other["name"].as_str().unwrap_or_default(), &other["example"])),
            validator: OnceLock::new(),
        };
        Self {
            id: operation.id(),
            document,
            operation,
            success: document.success_status(operation).unwrap_or(200),
            parameters: document.parameters(operation).map(parameter).collect(),
            body: document.request_schema(operation),
            examples: document.examples(operation),
            documented,
            body_validator: OnceLock::new(),
            response_validators: Default::default(),
        }
    }

    /// Returns `iam`, `modelarts` or `mrs`.
    pub(super) fn service(&self) -> &'static str {
        self.document.name()
    }

    /// Returns the parameters of the path except for the project, outermost first.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.operation
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}').filter(|name| *name != "project_id"))
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Returns whether it only reads: a `GET` that may be sent twice.
    pub(super) fn reads(&self) -> bool {
        self.operation.method == "get" && self.operation.value["x-idempotent"] != false
    }

    pub(super) fn is_billed(&self) -> bool {
        self.operation.value["x-billed"] == true
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.operation.value.get("security").is_none()
    }

    /// Returns whether it changes more of its object than the values of fields.
    pub(super) fn transforms(&self) -> bool {
        let acts = self.operation.method == "post" || self.operation.value["x-idempotent"] == false;
        self.operation.method == "delete" || (acts && self.path_parameters().last().is_some() && self.body.is_none())
    }

    /// Returns whether a body is as described.
    pub(super) fn allows(&self, body: &Value) -> bool {
        let Some(schema) = self.body else { return false };
        self.body_validator.get_or_init(|| self.document.validator(schema)).is_valid(body)
    }

    /// Returns the schema of a response.
    pub(super) fn response_schema(&self, status: u16) -> Option<&'static Value> {
        self.document.response(self.operation, status)?.pointer("/content/application~1json/schema")
    }

    /// Returns the headers that are described for a status.
    pub(super) fn response_headers(&self, status: u16) -> impl Iterator<Item = &'static str> {
        let headers =
            self.document.response(self.operation, status).and_then(|response| response["headers"].as_object());
        headers.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Returns where the body of a response differs from its schema. A status that is not described has no schema.
    pub(super) fn differences(&self, status: u16, body: &Value) -> Vec<String> {
        // One schema is for all statuses of a class, except for those that have their own.
        let (index, status) = match status {
            200..300 => (0, self.success),
            401 => (1, 401),
            ..500 => (2, 400),
            _ => (3, 500),
        };
        let validator = self.response_validators[index]
            .get_or_init(|| self.response_schema(status).map(|schema| self.document.validator(schema)));
        let errors = validator.iter().flat_map(|validator| validator.iter_errors(body));
        errors.take(3).map(|error| format!("{}: {error}", place(error.instance_path().as_str()))).collect()
    }

    /// Returns the field with which a request names what it creates or changes: `name`, `job_name`, `config_name`.
    pub(super) fn name_field(&self) -> Option<&'static str> {
        let schema = load::resolve(self.document.value(), self.body?);
        let properties = schema["properties"].as_object()?;
        let is_name = |name: &&String| *name == "name" || name.ends_with("_name");
        properties.keys().find(is_name).map(String::as_str)
    }

    /// Returns the field of a response that has the items of a list, with their schema.
    pub(super) fn items(&self) -> Option<(&'static str, &'static Value)> {
        let document = self.document.value();
        let list = spec::list(self.operation)?;
        let schema = load::resolve(document, self.response_schema(self.success)?);
        let property = load::resolve(document, &schema["properties"][list.items]);
        let items = load::resolve(document, property.get("items")?);
        items.get("properties").map(|_| (list.items, items))
    }

    /// Returns how the pages of a list are addressed.
    pub(super) fn pages(&self) -> PageShape<'static> {
        spec::list(self.operation).map_or(PageShape::Whole, |list| list.pages)
    }

    /// Returns the field of a response that counts the items of all pages.
    pub(super) fn total(&self) -> Option<&'static str> {
        spec::list(self.operation)?.total
    }
}

/// Returns the fields of a request that change nothing.
pub(super) fn unsupported(op: &Op) -> Vec<&'static str> {
    let Some(schema) = op.body else { return Vec::new() };
    let document = op.document.value();
    let without_effect =
        |schema: &'static Value| keyword(document, schema, "x-unsupported") == Some(&Value::Bool(true));
    properties(document, schema)
        .into_iter()
        .filter(|(_, schema)| without_effect(schema))
        .map(|(name, _)| name)
        .collect()
}
