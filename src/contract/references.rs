//! Replaces the objects that the documents name by objects that exist.

use std::collections::BTreeMap;

use serde_json::Value;

use super::attempt::Attempt;
use super::compare::plain;
use super::model::Op;
use super::run::Halt;
use super::schema::{item, properties};
use crate::spec::load;

impl Attempt<'_> {
    /// Replaces the objects that a body names by objects that exist, except for the value under test.
    pub(super) async fn adapt(
        &mut self,
        op: usize,
        path: &[(&'static str, String)],
        body: &mut Value,
        place: Option<&str>,
        accepted: bool,
    ) -> Result<(), Halt> {
        let described = &self.model().operations[op];
        let Some(schema) = described.body else { return Ok(()) };
        let mut references = Vec::new();
        refers(described.document.value(), schema, body, String::new(), &mut references);
        for (pointer, target) in references {
            if place == Some(&pointer) {
                continue;
            }
            let Some(object) = self.model().op(target).and_then(|op| self.model().created_by(op)) else { continue };
            let id = self.reference(object, path).await?;
            if let Some(spot) = body.pointer_mut(&pointer) {
                // The value has the type of the field's schema.
                *spot = match (&*spot, id.parse::<i64>()) {
                    (Value::Number(_), Ok(number)) => number.into(),
                    _ => id.into(),
                };
            }
        }
        self.rename(described, body, place, accepted);
        give(&self.run.options.given, body, String::new(), place);
        Ok(())
    }

    /// Replaces the name in a request by a new one. A name under test keeps its form.
    pub(super) fn rename(&mut self, described: &Op, body: &mut Value, place: Option<&str>, accepted: bool) {
        if let Some(name) = described.name_field()
            && body.get(name).is_some_and(Value::is_string)
        {
            let on_trial = place == Some(&format!("/{name}"));
            let known = body[name].as_str().unwrap_or_default();
            if !on_trial {
                body[name] = self.name().into();
            } else if accepted && known.chars().all(|c| c == 'a') {
                body[name] = self.name_of(known.len()).into();
            } else if accepted {
                body[name] = format!("{}{known}", self.name()).chars().take(20).collect::<String>().into();
            }
        }
    }

    /// Returns an object to refer to: one that was created with the parent, else a shared one.
    pub(super) async fn reference(&mut self, object: usize, path: &[(&'static str, String)]) -> Result<String, Halt> {
        let parameter = self.model().objects[object].parameter;
        let shared = self.run.fixtures.iter().filter_map(|cell| cell.get()?.as_ref().ok());
        let parent = self.own.iter().chain(shared).find(|fixture| !path.is_empty() && fixture.path == path);
        if let Some(id) = parent.and_then(|parent| plain(parent.reply.get(parameter)?)) {
            return Ok(id);
        }
        Ok(self.fixture(object, false).await?.id().to_owned())
    }
}

/// Collects the places where a body refers to other objects, with the operation that creates them.
fn refers(
    document: &'static Value,
    schema: &'static Value,
    body: &Value,
    pointer: String,
    found: &mut Vec<(String, &'static str)>,
) {
    if let Some(target) = load::resolve(document, schema).get("x-refers-to").and_then(Value::as_str) {
        found.push((pointer, target));
        return;
    }
    match body {
        Value::Object(fields) => {
            for (name, inner) in properties(document, schema) {
                if let Some(value) = fields.get(name) {
                    refers(document, inner, value, format!("{pointer}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                refers(document, item(document, schema), value, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Sets the given values in all fields of their names.
fn give(given: &BTreeMap<String, String>, value: &mut Value, pointer: String, place: Option<&str>) {
    if given.is_empty() {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let pointer = format!("{pointer}/{name}");
                match given.get(name) {
                    Some(text) if place != Some(&pointer) => {
                        *value = match (&*value, text.parse::<i64>()) {
                            (Value::Number(_), Ok(number)) => number.into(),
                            _ => text.clone().into(),
                        };
                    }
                    _ => give(given, value, pointer, place),
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                give(given, value, format!("{pointer}/{index}"), place);
            }
        }
        _ => {}
    }
}
