//! Validates requests and responses against the strict description.

use std::collections::HashMap;
use std::sync::OnceLock;

use http::{HeaderMap, HeaderValue, header};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::leniency;
use super::response::{Rejection, Response};
use crate::error::ErrorCode;
use crate::json;
use crate::spec::load::{self, Operation};
use crate::spec::{self, Document};

/// No page shows this field, but Keystone's clients name the domain beside the name of a project.
const ACCOUNT_OF_PROJECT: &str = "auth.scope.project.domain";

/// The schemas of one operation, compiled at the first use, since most runs use only a few operations.
pub(super) struct Checker {
    document: &'static Document,
    operation: Operation<'static>,
    parameters: Vec<Parameter>,
    /// The schema of the request body, if there is one.
    request: Option<&'static Value>,
    body: OnceLock<Option<Validator>>,
    response: OnceLock<Option<Validator>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

struct Parameter {
    name: &'static str,
    place: Place,
    required: bool,
    kind: &'static str,
    /// The parameter without which this one is invalid.
    together: Option<&'static str>,
    schema: &'static Value,
    validator: OnceLock<Validator>,
}

impl Checker {
    pub(super) fn new(document: &'static Document, operation: Operation<'static>) -> Self {
        let parameter = |parameter: &'static Value| {
            let schema = load::resolve(document.value(), &parameter["schema"]);
            Parameter {
                name: parameter["name"].as_str().unwrap_or_default(),
                place: match parameter["in"].as_str() {
                    Some("path") => Place::Path,
                    Some("header") => Place::Header,
                    _ => Place::Query,
                },
                required: parameter["required"] == true,
                kind: schema["type"].as_str().unwrap_or("string"),
                together: parameter["x-together"].as_str(),
                schema: &parameter["schema"],
                validator: OnceLock::new(),
            }
        };
        let parameters = document.parameters(operation).map(parameter).collect();
        let request = document.request_schema(operation);
        Self { document, operation, parameters, request, body: OnceLock::new(), response: OnceLock::new() }
    }

    /// Id of the operation.
    pub(super) fn id(&self) -> &'static str {
        self.operation.id()
    }

    /// Returns whether a query parameter of this name is described.
    pub(super) fn has_query(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.place == Place::Query && parameter.name == name)
    }

    /// Returns the described values of path, query and headers, with their types, by name.
    pub(super) fn parameters(
        &self,
        path: &[(String, String)],
        query: &[(String, String)],
        headers: &HeaderMap,
    ) -> Result<HashMap<&'static str, Value>, Rejection> {
        let mut values = HashMap::new();
        for parameter in &self.parameters {
            let name = parameter.name;
            let text = match parameter.place {
                Place::Path => single(name, named(path, name))?,
                Place::Query => single(name, named(query, name))?,
                Place::Header => {
                    let values = headers.get_all(name).iter().map(HeaderValue::to_str).collect::<Result<Vec<_>, _>>();
                    let values = values.map_err(|_| Rejection::Invalid(format!("The header {name} is no text.")))?;
                    single(name, values.into_iter())?
                }
            };
            let Some(text) = text else {
                if parameter.required {
                    return Err(Rejection::Invalid(format!("The parameter {name} is missing.")));
                }
                continue;
            };
            let value = typed(parameter.kind, text);
            let validator = parameter.validator.get_or_init(|| self.document.validator(parameter.schema));
            if let Err(error) = validator.validate(&value) {
                return Err(Rejection::Invalid(format!("The parameter {name} is invalid: {}", reason(&error))));
            }
            values.insert(name, value);
        }
        for Parameter { name, together, .. } in &self.parameters {
            if let Some(other) = together.filter(|other| values.contains_key(name) && !values.contains_key(other)) {
                return Err(Rejection::Invalid(format!("The parameter {name} goes together with {other}.")));
            }
        }
        Ok(values)
    }

    /// Parses the body as JSON and validates it against the description; `null` where the operation has none.
    ///
    /// A field that stands for a missing one, such as `null`, is removed. `strict` rejects such fields, and bodies that lack
    /// a field that only the tables call mandatory.
    pub(super) fn body(&self, headers: &HeaderMap, bytes: &[u8], strict: bool) -> Result<Value, Rejection> {
        let validator = self.body.get_or_init(|| self.request.map(|schema| self.document.validator(schema)));
        let (Some(schema), Some(validator)) = (self.request, validator) else { return Ok(Value::Null) };
        if bytes.is_empty() {
            return Err(Rejection::Invalid("The body is missing.".to_owned()));
        }
        if let Some(kind) = headers.get(header::CONTENT_TYPE)
            && !is_json(kind)
        {
            let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
            return Err(Rejection::Invalid(format!(
                "The header Content-Type is `{kind}`; it must be `application/json`."
            )));
        }
        let mut body =
            json::parse(bytes).map_err(|error| Rejection::Invalid(format!("The body is no valid JSON: {error}")))?;
        let empty = leniency::empty_fields(self.document.value(), schema, &body);
        if strict {
            let field = |pointer: &str| pointer[1..].replace('/', ".");
            if let Some(pointer) = empty.first() {
                let message =
                    format!("The field {} is empty, and the emulator is strict: leave it out.", field(pointer));
                return Err(Rejection::Invalid(message));
            }
            if let Some(pointer) = leniency::missing_fields(self.document.value(), schema, &body).first() {
                let message = format!("The field {} is missing, and the emulator is strict.", field(pointer));
                return Err(Rejection::Invalid(message));
            }
        }
        empty.iter().for_each(|pointer| leniency::remove(&mut body, pointer));
        leniency::unify_numbers(&mut body);
        // It is faster to find out whether it is valid than why it is not.
        if validator.is_valid(&body) {
            return Ok(body);
        }
        let rejection = validator.iter_errors(&body).next().map(|error| self.rejection(&error));
        rejection.map_or(Ok(body), Err)
    }

    /// Turns an error of the schema into a rejection. If a body matches none of several alternatives, the error is about the
    /// alternative whose fixed values the body has.
    fn rejection(&self, error: &ValidationError<'_>) -> Rejection {
        let fixed = |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Enum { .. });
        let meant = match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                context.iter().enumerate().find(|(_, errors)| !errors.iter().any(fixed))
            }
            _ => None,
        };
        if let Some(reason) = self.together(error) {
            return Rejection::Invalid(invalid(error, &reason));
        }
        let Some((index, [first, ..])) = meant.map(|(index, errors)| (index, errors.as_slice())) else {
            return Rejection::Invalid(describe(error));
        };
        // The description can give a rule between fields a code of its own, such as "12000068".
        let schema = load::resolve(self.document.value(), self.request.unwrap_or(&Value::Null));
        let alternatives = error.schema_path().as_str().find("/allOf/").map(|at| &error.schema_path().as_str()[at..]);
        let code = alternatives
            .and_then(|path| schema.pointer(&format!("{path}/{index}/x-error-code")))
            .and_then(Value::as_str)
            .and_then(ErrorCode::lookup);
        match code {
            Some(code) => Rejection::Documented { code: code.code(), message: describe(first) },
            None => Rejection::Invalid(describe(first)),
        }
    }

    /// Returns what is wrong with fields that are there together: more than one of several alternatives holds, or none does
    /// and one is there in part.
    fn together(&self, error: &ValidationError<'_>) -> Option<String> {
        let document = self.document.value();
        let mut schema = load::resolve_whole(document, self.document.request_schema(self.operation)?);
        for step in error.instance_path().as_str().split('/').skip(1) {
            schema = load::resolve_whole(document, schema["properties"].get(step).or_else(|| schema.get("items"))?);
        }
        let path = error.schema_path().as_str();
        let alternatives = schema.pointer(&path[path.rfind("/allOf/")?..])?.as_array()?;
        // A field that every request has cannot be what is wrong.
        let always =
            |field: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|name| name == field));
        let given = error.instance().as_object()?;
        let sorted = |alternatives: &[Value]| -> (Vec<String>, Vec<String>) {
            let mut fields = Vec::new();
            required_fields(alternatives, &mut fields);
            let fields = fields.into_iter().filter(|field| !always(field)).map(str::to_owned);
            fields.partition(|field| given.contains_key(field))
        };
        let goes_with = |there: &[String], missing: &[String]| {
            Some(format!("{} goes only with {}", there.join(" and "), missing.join(" and ")))
        };
        match error.kind() {
            ValidationErrorKind::OneOfMultipleValid { .. } => {
                let (there, missing) = sorted(alternatives);
                match (there.as_slice(), missing.as_slice()) {
                    ([only], [_, ..]) => goes_with(std::slice::from_ref(only), &missing),
                    ([_, _, ..], _) => Some(format!("{} exclude each other", there.join(" and "))),
                    _ => None,
                }
            }
            ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
                let names_fields = |rule: &&Value| rule.as_object().is_some_and(|rule| rule.keys().eq(["required"]));
                let mut in_part =
                    alternatives.iter().filter(names_fields).map(|rule| sorted(std::slice::from_ref(rule)));
                let (there, missing) = in_part.find(|(there, missing)| !there.is_empty() && !missing.is_empty())?;
                goes_with(&there, &missing)
            }
            _ => None,
        }
    }

    /// Lists the parts of a valid request that are not described. They have no effect.
    pub(super) fn undescribed(&self, query: &[(String, String)], body: &Value) -> Vec<String> {
        let mut found: Vec<String> = query
            .iter()
            .filter(|(name, _)| !self.has_query(name))
            .map(|(name, _)| format!("the parameter {name}"))
            .collect();
        if let Some(schema) = self.request {
            let fields = spec::undescribed(self.document.value(), schema, body).into_iter();
            found.extend(fields.filter(|field| field != ACCOUNT_OF_PROJECT).map(|field| format!("the field {field}")));
        }
        found
    }

    /// Validates a response. Returns where it differs from the description, if it does.
    pub(super) fn response(&self, response: &Response) -> Option<String> {
        let status = response.status().as_u16();
        let Some(described) = self.document.response(self.operation, status) else {
            return Some(format!("the status {status} is not described"));
        };
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let header = load::resolve(self.document.value(), header);
            match response.headers().get(name).map(HeaderValue::to_str) {
                None if header["required"] == true || name == "X-Request-Id" => {
                    return Some(format!("the header {name} is missing"));
                }
                None => {}
                Some(value) => {
                    let schema = &header["schema"];
                    let value = typed(schema["type"].as_str().unwrap_or("string"), value.unwrap_or_default());
                    if let Err(error) = self.document.validator(schema).validate(&value) {
                        return Some(format!("the header {name} is invalid: {error}"));
                    }
                }
            }
        }
        let schema =
            || described.pointer("/content/application~1json/schema").map(|schema| self.document.validator(schema));
        let compiled;
        // The validator of successes is compiled once; failures are rare.
        let validator = if response.status().is_success() {
            self.response.get_or_init(schema)
        } else {
            compiled = schema();
            &compiled
        };
        let body = response.body();
        match validator {
            None if body.is_empty() => None,
            None => Some("a body where none is described".to_owned()),
            Some(_) if body.is_empty() => Some("no body where one is described".to_owned()),
            Some(validator) => match serde_json::from_slice(body) {
                Ok(body) => validator.iter_errors(&body).next().map(|error| describe(&error)),
                Err(error) => Some(format!("the body is no JSON: {error}")),
            },
        }
    }
}

/// Returns the values of a name.
fn named<'a>(pairs: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    pairs.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// Returns the only value of a parameter, if it has one.
fn single<'a>(name: &str, mut values: impl Iterator<Item = &'a str>) -> Result<Option<&'a str>, Rejection> {
    let first = values.next();
    match values.count() {
        0 => Ok(first),
        more => Err(Rejection::Invalid(format!("The parameter {name} comes {} times.", more + 1))),
    }
}

/// Returns whether a content type is JSON. Any charset is accepted, since JSON has only one.
pub(super) fn is_json(kind: &HeaderValue) -> bool {
    let essence = kind.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The fields that alternatives ask for, each once.
fn required_fields<'a>(alternatives: &'a [Value], found: &mut Vec<&'a str>) {
    for alternative in alternatives {
        for field in alternative["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !found.contains(&field) {
                found.push(field);
            }
        }
        for inner in ["oneOf", "anyOf"].iter().filter_map(|key| alternative[*key].as_array()) {
            required_fields(inner, found);
        }
    }
}

/// Describes an invalid value by its field and limit.
fn describe(error: &ValidationError<'_>) -> String {
    invalid(error, &reason(error))
}

fn invalid(error: &ValidationError<'_>, reason: &str) -> String {
    let place = error.instance_path().to_string();
    let place =
        if place.is_empty() { "The body".to_owned() } else { format!("The field {}", place[1..].replace('/', ".")) };
    format!("{place} is invalid: {reason}")
}

/// Describes what is wrong with a value, with the limit. A text is not repeated: it may be long, or a password.
fn reason(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let characters = || value.as_str().map_or(0, |text| text.chars().count());
    match error.kind() {
        ValidationErrorKind::MaxLength { limit } => format!("it has {} characters, the limit is {limit}", characters()),
        ValidationErrorKind::MinLength { limit } => format!("it has {} characters, it needs {limit}", characters()),
        ValidationErrorKind::Maximum { limit } => format!("it is {value}, the limit is {limit}"),
        ValidationErrorKind::Minimum { limit } => format!("it is {value}, the least is {limit}"),
        ValidationErrorKind::MinItems { limit } => {
            format!("it has {} items, it needs {limit}", value.as_array().map_or(0, Vec::len))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(Value::to_string).collect();
            format!("the value is none of {}", options.join(", "))
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let choices: Vec<String> = context.iter().filter_map(|errors| errors.first()).map(reason).collect();
            choices.join(", or ")
        }
        _ => error.masked_with("the value").to_string(),
    }
}

/// Converts the text of a parameter into its described type. A text that does not fit stays a text.
fn typed(kind: &str, text: &str) -> Value {
    match kind {
        // JSON has no plus before a number.
        _ if text.starts_with('+') => text.into(),
        "integer" => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        "number" => text.parse::<f64>().map_or_else(|_| text.into(), Value::from),
        "boolean" => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

/// Returns a field of a validated body as text.
pub(super) fn text<'a>(body: &'a Value, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Value::as_str)
}

/// Returns the fields of a body.
pub(super) fn fields(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    body.as_object().into_iter().flatten()
}

/// Reads a whole number of a body. `1.0` is one, too.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let exact = |number: f64| (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(exact))
}
