//! What the description says of operations and of the objects that they are about.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use super::generate::item;
use crate::cloud::{Cloud, Documented};
use crate::spec::load::{self, Operation};
use crate::spec::{self, Document, Example, PageShape};

/// All operations and all kinds of objects.
pub(super) struct Model {
    /// The cloud whose edition is meant; none for all editions together.
    pub(super) cloud: Option<Cloud>,
    /// Those that the cloud does not document come last.
    pub(super) operations: Vec<Op>,
    pub(super) objects: Vec<Object>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

/// An operation with what is looked up of it again and again.
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
    answer_validators: [OnceLock<Option<Validator>>; 4],
}

/// A path or query parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) in_path: bool,
    pub(super) required: bool,
    pub(super) schema: &'static Value,
    /// The parameter without which this one is refused, and an example of it.
    pub(super) together: Option<(&'static str, &'static Value)>,
}

/// A kind of object: what creates one, what names one, and what else there is to do with it.
///
/// It is derived from the paths: `{job_id}` in `/jobs/{job_id}` names what `POST /jobs` creates. Where nothing is
/// posted to the collection, the `POST` of the same tag creates.
pub(super) struct Object {
    /// The path of an object up to its own parameter.
    pub(super) item: &'static str,
    pub(super) parameter: &'static str,
    pub(super) create: usize,
    pub(super) list: Option<usize>,
    pub(super) show: Option<usize>,
    pub(super) update: Option<usize>,
    pub(super) delete: Option<usize>,
    /// Removes it: its own deletion, or that of another kind of which the description says so with `x-also-deletes`.
    pub(super) removed_by: Option<usize>,
    /// The operation that stops it.
    pub(super) stop: Option<usize>,
}

impl Object {
    /// The path of the operation that removes an object which this path names; it may call the id otherwise.
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

/// The model of a cloud's edition, or of all editions together.
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

    /// The kind of object that a parameter of a path names: the kind with that path, or else the kind that the operation of
    /// the path removes under another id.
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

    /// The kind of object that an operation is about: the last one that its path names.
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
            answer_validators: Default::default(),
        }
    }

    /// `iam`, `modelarts` or `mrs`.
    pub(super) fn service(&self) -> &'static str {
        self.document.name()
    }

    /// The parameters of the path but for the project, outermost first.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.operation
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}').filter(|name| *name != "project_id"))
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Whether it only reads: a `GET` that may be sent twice.
    pub(super) fn reads(&self) -> bool {
        self.operation.method == "get" && self.operation.value["x-idempotent"] != false
    }

    pub(super) fn is_billed(&self) -> bool {
        self.operation.value["x-billed"] == true
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.operation.value.get("security").is_none()
    }

    /// Whether it changes more of its object than the values of fields.
    pub(super) fn transforms(&self) -> bool {
        let acts = self.operation.method == "post" || self.operation.value["x-idempotent"] == false;
        self.operation.method == "delete" || (acts && self.path_parameters().last().is_some() && self.body.is_none())
    }

    /// Whether a body is as described.
    pub(super) fn allows(&self, body: &Value) -> bool {
        let Some(schema) = self.body else { return false };
        self.body_validator.get_or_init(|| self.document.validator(schema)).is_valid(body)
    }

    /// The schema of an answer.
    pub(super) fn answer_schema(&self, status: u16) -> Option<&'static Value> {
        self.document.response(self.operation, status)?.pointer("/content/application~1json/schema")
    }

    /// The headers that are described for a status.
    pub(super) fn answer_headers(&self, status: u16) -> impl Iterator<Item = &'static str> {
        let headers =
            self.document.response(self.operation, status).and_then(|response| response["headers"].as_object());
        headers.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Where an answer's body differs from its schema. A status that is not described has none.
    pub(super) fn differences(&self, status: u16, body: &Value) -> Vec<String> {
        // One schema serves all statuses of a class, but for those that have their own.
        let (index, status) = match status {
            200..300 => (0, self.success),
            401 => (1, 401),
            ..500 => (2, 400),
            _ => (3, 500),
        };
        let validator = self.answer_validators[index]
            .get_or_init(|| self.answer_schema(status).map(|schema| self.document.validator(schema)));
        let errors = validator.iter().flat_map(|validator| validator.iter_errors(body));
        errors.take(3).map(|error| format!("`{}`: {error}", field(&error.instance_path().to_string()))).collect()
    }

    /// The name that a request gives to what it creates or changes: `name`, `job_name`, `config_name`.
    pub(super) fn name_field(&self) -> Option<&'static str> {
        let schema = load::resolve(self.document.value(), self.body?);
        let properties = schema["properties"].as_object()?;
        let is_name = |name: &&String| *name == "name" || name.ends_with("_name");
        properties.keys().find(is_name).map(String::as_str)
    }

    /// The field of an answer that holds the items of a list, with their schema.
    pub(super) fn items(&self) -> Option<(&'static str, &'static Value)> {
        let document = self.document.value();
        let list = spec::list(self.operation)?;
        let schema = load::resolve(document, self.answer_schema(self.success)?);
        let property = load::resolve(document, &schema["properties"][list.items]);
        let items = load::resolve(document, property.get("items")?);
        items.get("properties").map(|_| (list.items, items))
    }

    /// Returns how the pages of a list are addressed.
    pub(super) fn pages(&self) -> PageShape<'static> {
        spec::list(self.operation).map_or(PageShape::Whole, |list| list.pages)
    }

    /// The field of an answer that counts the items of all pages.
    pub(super) fn total(&self) -> Option<&'static str> {
        spec::list(self.operation)?.total
    }
}

/// A JSON pointer as people write places: `config.data_source[0].type`.
pub(super) fn field(pointer: &str) -> String {
    let mut place = String::new();
    for token in pointer.split('/').skip(1) {
        if token.parse::<usize>().is_ok() {
            place.push_str(&format!("[{token}]"));
        } else {
            if !place.is_empty() {
                place.push('.');
            }
            place.push_str(&token.replace("~1", "/").replace("~0", "~"));
        }
    }
    place
}

/// The properties of a schema, those of its parts included, references resolved on the way.
pub(super) fn properties(document: &'static Value, schema: &'static Value) -> Vec<(&'static str, &'static Value)> {
    let schema = load::resolve(document, schema);
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| properties(document, part));
    own.chain(parts).collect()
}

/// A keyword of a schema, or else of one of its parts.
pub(super) fn keyword(document: &'static Value, schema: &'static Value, name: &str) -> Option<&'static Value> {
    let schema = load::resolve(document, schema);
    schema.get(name).or_else(|| schema["allOf"].as_array()?.iter().find_map(|part| keyword(document, part, name)))
}

/// All names of fields in a schema.
pub(super) fn all_names(document: &'static Value, schema: &'static Value) -> Vec<&'static str> {
    let items = item(document, schema);
    let inside = if items.is_null() { Vec::new() } else { all_names(document, items) };
    properties(document, schema)
        .into_iter()
        .flat_map(|(name, inner)| [vec![name], all_names(document, inner)].concat())
        .chain(inside)
        .collect()
}

/// Fields of a request that change nothing.
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
