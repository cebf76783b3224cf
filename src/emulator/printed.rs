//! Responses with the types of the documentation's examples instead of its tables.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use crate::spec;

/// The first documented response of each operation.
pub(super) struct Printed(HashMap<&'static str, &'static Value>);

impl Printed {
    /// Collects the responses from the description.
    pub(super) fn new() -> Self {
        let operations = spec::documents().iter().flat_map(|document| {
            document.operations().filter_map(|operation| {
                let (_, response) = document.examples(operation).first()?.response?;
                Some((operation.id(), response))
            })
        });
        Self(operations.collect())
    }

    /// Converts a response to the types and the order of fields that the printed response has.
    pub(super) fn imitate(&self, operation: &str, response: Value) -> Value {
        match self.0.get(operation) {
            Some(printed) => imitate(printed, response),
            None => response,
        }
    }
}

fn imitate(printed: &Value, value: Value) -> Value {
    match (printed, value) {
        (Value::Object(printed), Value::Object(mut fields)) => {
            let mut ordered: Map<String, Value> = printed
                .iter()
                .filter_map(|(name, printed)| Some((name.clone(), imitate(printed, fields.shift_remove(name)?))))
                .collect();
            ordered.extend(fields);
            Value::Object(ordered)
        }
        // All items have the form of the first one.
        (Value::Array(printed), Value::Array(items)) => match printed.first() {
            Some(printed) => items.into_iter().map(|item| imitate(printed, item)).collect(),
            None => items.into(),
        },
        (Value::String(_), value @ (Value::Number(_) | Value::Bool(_))) => value.to_string().into(),
        (Value::Number(_), Value::String(text)) => text.parse::<Number>().map_or(Value::String(text), Value::Number),
        (Value::Bool(_), Value::String(text)) => text.parse::<bool>().map_or(Value::String(text), Value::Bool),
        (_, value) => value,
    }
}
