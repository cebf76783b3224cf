//! Validates parameters and bodies of raw calls against the description.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

use crate::api::wire::pattern;
use crate::error::Error;
use crate::spec::{Document, load};

/// A parameter of an operation, as the description defines it.
pub(super) struct Parameter(pub(super) &'static Value);

impl Parameter {
    pub(super) fn name(&self) -> &'static str {
        self.0["name"].as_str().unwrap_or_default()
    }

    pub(super) fn is_required(&self) -> bool {
        self.0["required"] == true
    }

    pub(super) fn check(&self, document: &Document, validators: &Validators, text: &str) -> Result<(), Error> {
        let schema = &self.0["schema"];
        let value = match load::resolve(document.value(), schema)["type"].as_str() {
            Some("integer") => text.parse::<i64>().ok().map(Value::from),
            Some("boolean") => text.parse::<bool>().ok().map(Value::from),
            _ => None,
        };
        holds(&validators.get(self.name(), document, schema), &value.unwrap_or_else(|| text.into()))
            .map_err(|(_, reason)| Error::invalid_field(self.name(), format!("is not as described: {reason}")))
    }
}

/// The compiled schemas of an operation: of its parameters by their names, and of its body under an empty one.
#[derive(Default)]
pub(super) struct Validators(Mutex<BTreeMap<&'static str, Arc<Validator>>>);

impl Validators {
    pub(super) fn get(&self, name: &'static str, document: &Document, schema: &Value) -> Arc<Validator> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(name).or_insert_with(|| Arc::new(document.validator(schema))))
    }
}

/// Validates a value. The error has the place in the value and the reason.
pub(super) fn holds(validator: &Validator, value: &Value) -> Result<(), (String, String)> {
    // It is faster to find out whether it is valid than why it is not.
    if validator.is_valid(value) {
        return Ok(());
    }
    let Some(error) = validator.iter_errors(value).next() else { return Ok(()) };
    let place = error.instance_path().to_string().trim_start_matches('/').replace('/', ".");
    if let (jsonschema::error::ValidationErrorKind::Pattern { pattern: broken }, Some(text)) =
        (error.kind(), error.instance().as_str())
    {
        return Err((place, pattern::mismatch(text, broken)));
    }
    let reason = match error.instance().as_str() {
        Some(text) if text.chars().count() > 40 => {
            format!("it has {} characters, which breaks the limit {}", text.chars().count(), limit(&error))
        }
        // The rejected value may be a password.
        _ => error.masked_with("the value").to_string(),
    };
    Err((place, reason))
}

/// The broken limit, for example `maxLength 256`.
fn limit(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    let keyword = error.kind().keyword();
    match error.kind() {
        Kind::MaxLength { limit } | Kind::MinLength { limit } => format!("{keyword} {limit}"),
        _ => keyword.to_owned(),
    }
}

/// Redacts each value that the description calls a password.
pub(super) fn redact(document: &Value, schema: &Value, value: &mut Value) {
    let schema = load::resolve(document, schema);
    if schema["format"] == "password" {
        *value = "***".into();
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        redact(document, part, value);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                redact(document, &schema["properties"][name], field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(document, &schema["items"], item)),
        _ => {}
    }
}
