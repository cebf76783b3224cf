//! The facts in which the editions of clouds differ.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::load::{self, Operation};
use super::{documents, documents_of};
use crate::cloud::{Cloud, Documented};

/// A fact in which the editions of clouds differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The operation that it is about.
    pub operation: String,
    /// The place in the operation: `request.config.pool_id`, `query cluster_id`; empty for the operation as a whole.
    pub place: String,
    /// What the edition of each cloud says, in the order of the clouds; empty where the cloud does not have the operation.
    pub values: Vec<String>,
}

/// Returns the facts in which the editions of clouds differ. Sentences and examples are no facts; of a field that only some
/// editions have, what it holds is not compared.
pub fn differences(clouds: &[Cloud]) -> Vec<Difference> {
    let mut found = Vec::new();
    for base in documents() {
        for operation in base.operations() {
            let id = operation.id();
            let editions: Vec<Edition<'static>> = clouds
                .iter()
                .map(|cloud| {
                    let document = documents_of(*cloud).iter().find(|document| document.name() == base.name())?;
                    Some((document.value(), document.operation(id)?))
                })
                .collect();
            let mut comparison = Comparison { operation: id, found: &mut found };
            let words = |cloud: &Cloud| match cloud.documents(id) {
                Documented::Yes if cloud.deprecates(id) => "deprecated",
                Documented::Yes => "documented",
                Documented::No => "not documented",
                Documented::Unknown => "not known",
            };
            comparison.note("", clouds.iter().map(|cloud| words(cloud).to_owned()).collect());
            comparison.operation(&editions);
        }
    }
    found
}

/// An operation in the edition of a cloud, with its document; none where the cloud does not have it.
type Edition<'a> = Option<(&'a Value, Operation<'a>)>;

/// A schema in the edition of a cloud, with its document; none where it is missing.
type Schema<'a> = Option<(&'a Value, &'a Value)>;

const BODY: &str = "/content/application~1json/schema";

/// The schema of a request body.
fn request<'a>(edition: &Edition<'a>) -> Schema<'a> {
    let (document, operation) = (*edition)?;
    Some((document, load::resolve(document, operation.value.get("requestBody")?).pointer(BODY)?))
}

/// The schema of the response for a status or a class of them.
fn response<'a>(edition: &Edition<'a>, status: &str) -> Schema<'a> {
    let (document, operation) = (*edition)?;
    Some((document, load::resolve(document, operation.value["responses"].get(status)?).pointer(BODY)?))
}

/// What a schema has under a key.
fn inside<'a>(schema: Schema<'a>, of: impl Fn(&'a Value) -> Option<&'a Value>) -> Schema<'a> {
    let (document, schema) = schema?;
    Some((document, of(schema)?))
}

/// Keywords that are facts.
const KEYWORDS: [&str; 14] = [
    "type",
    "format",
    "nullable",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "default",
    "not",
    "x-unsupported",
];

struct Comparison<'a> {
    operation: &'a str,
    found: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    /// Notes a fact if those that have it differ.
    fn note(&mut self, place: &str, values: Vec<String>) -> bool {
        let mut said = values.iter().filter(|value| !value.is_empty());
        let first = said.next();
        let differ = said.any(|value| Some(value) != first);
        if differ {
            self.found.push(Difference { operation: self.operation.to_owned(), place: place.to_owned(), values });
        }
        differ
    }

    fn operation<'d>(&mut self, editions: &[Edition<'d>]) {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        for (document, operation) in editions.iter().flatten() {
            for parameter in operation.parameters(document) {
                let [kind, name] = ["in", "name"].map(|key| parameter[key].as_str().unwrap_or_default());
                if !parameters.contains(&(kind, name)) {
                    parameters.push((kind, name));
                }
            }
        }
        for (kind, name) in parameters {
            let place = format!("{kind} {name}");
            let find = |(document, operation): &(&'d Value, Operation<'d>)| {
                let mut parameters = operation.parameters(document);
                parameters.find(|parameter| parameter["in"] == kind && parameter["name"] == name)
            };
            let words = |edition: &Edition<'d>| match edition.as_ref().map(find) {
                None => "",
                Some(None) => "absent",
                Some(Some(parameter)) if parameter["required"] == true => "mandatory",
                Some(Some(_)) => "optional",
            };
            self.note(&place, editions.iter().map(|edition| words(edition).to_owned()).collect());
            let schemas = editions.iter().map(|edition| {
                let edition = edition.as_ref()?;
                Some((edition.0, &find(edition)?["schema"]))
            });
            self.schema(&place, &schemas.collect::<Vec<_>>(), 0);
        }
        self.schema("request", &editions.iter().map(request).collect::<Vec<_>>(), 0);
        let statuses: BTreeSet<&String> = editions
            .iter()
            .flatten()
            .filter_map(|(_, operation)| operation.value["responses"].as_object())
            .flat_map(Map::keys)
            .collect();
        for status in statuses {
            let place = if status.starts_with('2') { "response".to_owned() } else { format!("response {status}") };
            let schemas: Vec<_> = editions.iter().map(|edition| response(edition, status)).collect();
            self.schema(&place, &schemas, 0);
        }
    }

    fn schema(&mut self, place: &str, schemas: &[Schema<'_>], depth: usize) {
        // A deeper schema is a cycle of references.
        if depth == 16 || schemas.iter().flatten().count() < 2 {
            return;
        }
        let schemas: Vec<Schema<'_>> = schemas
            .iter()
            .map(|schema| schema.map(|(document, schema)| (document, load::resolve_whole(document, schema))))
            .collect();
        let texts = |of: &dyn Fn(&Value) -> String| -> Vec<String> {
            schemas.iter().map(|schema| schema.map(|(_, schema)| of(schema)).unwrap_or_default()).collect()
        };
        // A value can have several forms in one edition and one in another. Then the number of forms is the fact: fields of
        // different forms are not compared.
        let forms = |schema: &Value| match schema["anyOf"].as_array() {
            Some(forms) if schema.get("type").is_none() => format!("{} forms", forms.len()),
            _ => "one form".to_owned(),
        };
        if self.note(place, texts(&forms)) {
            return;
        }
        for keyword in KEYWORDS {
            let value = |schema: &Value| {
                schema.get(keyword).map_or_else(|| format!("no {keyword}"), |value| format!("{keyword} {value}"))
            };
            self.note(place, texts(&value));
        }
        let mut names: Vec<&String> = Vec::new();
        for name in
            schemas.iter().flatten().filter_map(|(_, schema)| schema["properties"].as_object()).flat_map(Map::keys)
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let place = format!("{place}.{name}");
            let words = |schema: &Value| {
                let required = schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
                match schema["properties"].get(name) {
                    None => "absent",
                    Some(_) if required => "mandatory",
                    Some(_) => "optional",
                }
                .to_owned()
            };
            self.note(&place, texts(&words));
            let inner = schemas.iter().map(|schema| inside(*schema, |schema| schema["properties"].get(name)));
            self.schema(&place, &inner.collect::<Vec<_>>(), depth + 1);
        }
        let items = schemas.iter().map(|schema| inside(*schema, |schema| schema.get("items")));
        self.schema(&format!("{place}[]"), &items.collect::<Vec<_>>(), depth + 1);
        for keyword in ["allOf", "oneOf", "anyOf"] {
            let count = |schema: &Value| schema[keyword].as_array().map_or(0, Vec::len);
            if self.note(place, texts(&|schema: &Value| format!("{} parts of {keyword}", count(schema)))) {
                continue;
            }
            // All have as many parts.
            let most = schemas.iter().flatten().map(|(_, schema)| count(schema)).max().unwrap_or_default();
            for index in 0..most {
                let needs = |schema: &Value| format!("{keyword} needs {}", schema[keyword][index]["required"]);
                self.note(place, texts(&needs));
                let inner = schemas.iter().map(|schema| inside(*schema, |schema| schema[keyword].get(index)));
                self.schema(place, &inner.collect::<Vec<_>>(), depth + 1);
            }
        }
    }
}
