//! Requests and answers held against the strict description.

use std::collections::HashMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use super::answer::Refusal;
use crate::spec::Document;
use crate::spec::load::Operation;

/// The schemas of one operation, compiled when they are first needed: most runs use a few operations only.
pub(super) struct Checker {
    document: &'static Document,
    operation: Operation<'static>,
    parameters: Vec<Parameter>,
    body: OnceLock<Option<Validator>>,
    answer: OnceLock<Option<Validator>>,
}

struct Parameter {
    name: &'static str,
    in_path: bool,
    required: bool,
    kind: &'static str,
    schema: &'static Value,
    validator: OnceLock<Validator>,
}

impl Checker {
    pub(super) fn new(document: &'static Document, operation: Operation<'static>) -> Self {
        let parameter = |parameter: &'static Value| {
            let schema = crate::spec::load::resolve(document.value(), &parameter["schema"]);
            Parameter {
                name: parameter["name"].as_str().unwrap_or_default(),
                in_path: parameter["in"] == "path",
                required: parameter["required"] == true,
                kind: schema["type"].as_str().unwrap_or("string"),
                schema: &parameter["schema"],
                validator: OnceLock::new(),
            }
        };
        let parameters = document.parameters(operation).map(parameter).collect();
        Self { document, operation, parameters, body: OnceLock::new(), answer: OnceLock::new() }
    }

    /// Path and query as typed values by name.
    pub(super) fn parameters(
        &self,
        path: &[(String, String)],
        query: &[(String, String)],
    ) -> Result<HashMap<&'static str, Value>, Refusal> {
        let mut values = HashMap::new();
        for parameter in &self.parameters {
            let given = if parameter.in_path { path } else { query };
            let Some((_, text)) = given.iter().find(|(name, _)| name == parameter.name) else {
                if parameter.required {
                    return Err(Refusal::Invalid(format!("The parameter {} is missing.", parameter.name)));
                }
                continue;
            };
            let value = typed(parameter.kind, text);
            let validator = parameter.validator.get_or_init(|| self.document.validator(parameter.schema));
            if let Err(error) = validator.validate(&value) {
                return Err(Refusal::Invalid(format!("The parameter {} is invalid: {error}", parameter.name)));
            }
            values.insert(parameter.name, value);
        }
        Ok(values)
    }

    /// The body as JSON, held against the description; `null` where the operation has none.
    pub(super) fn body(&self, bytes: &[u8]) -> Result<Value, Refusal> {
        let validator = self
            .body
            .get_or_init(|| self.document.request_schema(self.operation).map(|schema| self.document.validator(schema)));
        let Some(validator) = validator else { return Ok(Value::Null) };
        let body: Value = serde_json::from_slice(bytes)
            .map_err(|error| Refusal::Invalid(format!("The body is not JSON: {error}")))?;
        let problem = validator.iter_errors(&body).next().map(|error| describe(&error));
        problem.map_or(Ok(body), |problem| Err(Refusal::Invalid(problem)))
    }

    /// Where an answer differs from the description, if it does.
    pub(super) fn answer(&self, status: u16, body: Option<&Value>) -> Option<String> {
        let validator = self.answer.get_or_init(|| {
            let response = self.document.response(self.operation, status)?;
            Some(self.document.validator(response.pointer("/content/application~1json/schema")?))
        });
        match (validator, body) {
            (None, None) => None,
            (Some(validator), Some(body)) => validator.iter_errors(body).next().map(|error| describe(&error)),
            (None, Some(_)) => Some("a body where none is described".to_owned()),
            (Some(_), None) => Some("no body where one is described".to_owned()),
        }
    }
}

/// Field, limit, and for a text its length: what a caller needs to put it right.
fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let place =
        if place.is_empty() { "The body".to_owned() } else { format!("The field {}", place[1..].replace('/', ".")) };
    match error.instance().as_str() {
        Some(text) if text.chars().count() > 40 => {
            format!("{place} is invalid: it has {} characters ({})", text.chars().count(), error.kind().keyword())
        }
        _ => format!("{place} is invalid: {error}"),
    }
}

/// A parameter's text as the type that the description gives it, or as text where it is not one.
fn typed(kind: &str, text: &str) -> Value {
    match kind {
        "integer" => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        "number" => text.parse::<f64>().map_or_else(|_| text.into(), Value::from),
        "boolean" => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

/// A field of a body as text; the description has made sure of its type.
pub(super) fn text<'a>(body: &'a Value, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Value::as_str)
}

/// The fields of a body.
pub(super) fn fields(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    body.as_object().into_iter().flatten()
}
