//! Derives clauses for limits: the last value that is allowed and the first one that is not.

use serde_json::Value;

use super::Planner;
use crate::contract::clause::{Case, Expected, Kind, Payload, Target, Trial, short};
use crate::contract::generate::{bodies, bounds, put, sample};
use crate::contract::model::Op;
use crate::contract::schema::{field, item, keyword, properties};
use crate::spec::load;

impl Planner {
    pub(super) fn limits(&mut self, op: usize) {
        let described = &self.model.operations[op];
        let document = described.document.value();
        for parameter in described.parameters.iter().filter(|parameter| parameter.name != "project_id") {
            self.parameter_limits(op, parameter.name);
        }
        let Some(schema) = described.body else { return };
        let mut places = Vec::new();
        walk(document, schema, &mut Vec::new(), false, &mut places);
        for place in places {
            self.body_limits(op, &place);
        }
    }

    fn parameter_limits(&mut self, op: usize, name: &'static str) {
        let described = &self.model.operations[op];
        let Some(parameter) = described.parameter(name) else { return };
        let document = described.document.value();
        let is_text = keyword(document, parameter.schema, "type").is_some_and(|kind| kind == "string");
        for bound in bounds(document, parameter.schema) {
            let mut trials = Vec::new();
            // An id is accepted only if there is such an object.
            let accepted = if parameter.in_path { &[][..] } else { &bound.accepted };
            for (value, expected) in accepted
                .iter()
                .map(|value| (value, Expected::Accepted))
                .chain(bound.rejected.iter().map(|value| (value, Expected::Invalid)))
            {
                // An address has texts only. It cannot have `null`, or an empty segment.
                if value.is_null()
                    || (is_text && (bound.name == "type" || (parameter.in_path && bound.name == "min-length")))
                {
                    continue;
                }
                let mut trial = self.base(op, what(expected, name, value), expected);
                trial.parameters.insert(name.to_owned(), value.clone());
                if let Some((other, value)) = parameter.together {
                    trial.parameters.insert(other.to_owned(), value.clone());
                }
                if expected != Expected::Accepted && trial.target == Target::Fresh {
                    trial.target = Target::Shared;
                }
                trials.push(trial);
            }
            if !trials.is_empty() {
                let summary = format!("The parameter `{name}` keeps to its {}.", bound.name.replace('-', " "));
                self.add(op, Kind::Limit, &format!("{name}.{}", bound.name), summary, Case::Trials(trials));
            }
        }
        if parameter.required && !parameter.in_path {
            let mut trial = self.base(op, format!("no {name}"), Expected::Invalid);
            trial.parameters.remove(name);
            let summary = format!("The parameter `{name}` is required.");
            self.add(op, Kind::Limit, &format!("{name}.required"), summary, Case::Trials(vec![trial]));
        }
    }

    fn body_limits(&mut self, op: usize, place: &Place) {
        let described = &self.model.operations[op];
        let document = described.document.value();
        let last = place.tokens.len().saturating_sub(1);
        let label: Vec<&str> = place
            .tokens
            .iter()
            .enumerate()
            .filter_map(|(index, token)| match token.parse::<usize>() {
                Ok(_) => (index == last).then_some("item"),
                Err(_) => Some(token.as_str()),
            })
            .collect();
        let label = if label.is_empty() { "body".to_owned() } else { label.join(".") };
        let pointer = place.tokens.iter().fold(String::new(), |pointer, token| pointer + "/" + token);
        let shown = if pointer.is_empty() { "body".to_owned() } else { field(&pointer) };
        let trial = |planner: &Self, what: String, body: Value, expected: Expected| {
            let mut trial = planner.base(op, what, expected);
            trial.body = Payload::Json(body);
            trial.place = Some(pointer.clone());
            trial
        };
        for bound in bounds(document, place.schema) {
            let mut trials = Vec::new();
            let documented =
                bodies(described).iter().find_map(|body| body.pointer(&pointer)?.as_str().map(str::to_owned));
            for value in &bound.accepted {
                let value = &match (documented.as_deref().filter(|text| !text.is_empty()), value.as_str()) {
                    (Some(text), Some(value)) if bound.name == "max-length" => {
                        stretched(text, value.chars().count()).into()
                    }
                    // The end of a path often matters, what it leads to does not.
                    (Some(text), Some(_)) if bound.name == "pattern" && text.contains('/') => {
                        stretched(text, text.chars().count() + 6).into()
                    }
                    _ => value.clone(),
                };
                if let Some(body) = fit(described, &place.tokens, &pointer, value) {
                    trials.push(trial(self, what(Expected::Accepted, &shown, value), body, Expected::Accepted));
                }
            }
            // The request must be rejected for this value alone: with another one it is valid.
            let good = bound.accepted.first().cloned().unwrap_or_else(|| sample(document, place.schema));
            if let Some(control) = fit(described, &place.tokens, &pointer, &good) {
                for value in &bound.rejected {
                    let mut body = control.clone();
                    if let Some(spot) = body.pointer_mut(&pointer) {
                        *spot = value.clone();
                    }
                    if !described.allows(&body) {
                        trials.push(trial(self, what(Expected::Invalid, &shown, value), body, Expected::Invalid));
                    }
                }
            }
            if !trials.is_empty() {
                let summary = format!("The field `{shown}` keeps to its {}.", bound.name.replace('-', " "));
                self.add(op, Kind::Limit, &format!("{label}.{}", bound.name), summary, Case::Trials(trials));
            }
        }
        if place.required {
            let good = sample(document, place.schema);
            let present = bodies(described).into_iter().find(|body| body.pointer(&pointer).is_some());
            let control = present.or_else(|| fit(described, &place.tokens, &pointer, &good));
            if let Some(mut body) = control {
                remove(&mut body, &pointer);
                if !described.allows(&body) {
                    let trial = trial(self, format!("no {shown}"), body, Expected::Invalid);
                    let summary = format!("The field `{shown}` is required.");
                    self.add(op, Kind::Limit, &format!("{label}.required"), summary, Case::Trials(vec![trial]));
                }
            }
        }
        self.combinations(op, place, &label, &pointer);
    }

    /// Rules of the form "one of these fields".
    fn combinations(&mut self, op: usize, place: &Place, label: &str, pointer: &str) {
        let described = &self.model.operations[op];
        let document = described.document.value();
        let schema = load::resolve(document, place.schema);
        let groups = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
        let mut trials: Vec<Trial> = Vec::new();
        for group in groups.flat_map(|group| [group.get("oneOf"), group.get("anyOf")]).flatten() {
            let alternatives: Vec<Vec<&str>> = group
                .as_array()
                .into_iter()
                .flatten()
                .map(|part| part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect())
                .filter(|fields: &Vec<&str>| !fields.is_empty())
                .collect();
            for control in bodies(described).into_iter().take(1) {
                let Some(object) = control.pointer(pointer) else { continue };
                let mut none = object.clone();
                if let Some(fields) = none.as_object_mut() {
                    fields.retain(|name, _| !alternatives.iter().flatten().any(|other| other == name));
                }
                let mut all = object.clone();
                for name in alternatives.iter().flatten() {
                    put(document, place.schema, &mut all, &[(*name).to_owned()], Value::Null);
                    let inner = properties(document, place.schema).into_iter().find(|(other, _)| other == name);
                    all[name] = inner.map_or(Value::Null, |(_, inner)| sample(document, inner));
                }
                let names = alternatives.iter().map(|fields| fields.join(" and ")).collect::<Vec<_>>().join(", ");
                for (value, what) in [(none, format!("none of {names}")), (all, format!("all of {names}"))] {
                    let mut body = control.clone();
                    if let Some(spot) = body.pointer_mut(pointer) {
                        *spot = value;
                    }
                    if !described.allows(&body)
                        && !trials.iter().any(|trial| matches!(&trial.body, Payload::Json(other) if *other == body))
                    {
                        let mut trial = self.base(op, what, Expected::Invalid);
                        trial.body = Payload::Json(body);
                        trials.push(trial);
                    }
                }
            }
        }
        if !trials.is_empty() {
            let name = format!("{label}.combination");
            let summary = "Fields that exclude or need each other are held to it.".to_owned();
            self.add(op, Kind::Limit, &name, summary, Case::Trials(trials));
        }
    }
}

fn what(expected: Expected, name: &str, value: &Value) -> String {
    let verb = if expected == Expected::Accepted { "accepts" } else { "rejects" };
    format!("{verb} {name} = {}", if value == "" { "the empty text".to_owned() } else { short(value) })
}

/// A field of a request body, or the body itself.
struct Place {
    tokens: Vec<String>,
    schema: &'static Value,
    required: bool,
}

/// Collects all fields of a body, each once: the first item stands for an array.
fn walk(
    document: &'static Value,
    schema: &'static Value,
    tokens: &mut Vec<String>,
    required: bool,
    places: &mut Vec<Place>,
) {
    places.push(Place { tokens: tokens.clone(), schema, required });
    let demanded = keyword(document, schema, "required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (name, property) in properties(document, schema) {
        tokens.push(name.to_owned());
        walk(document, property, tokens, demanded.iter().any(|demanded| demanded == name), places);
        tokens.pop();
    }
    let items = item(document, schema);
    if !items.is_null() {
        tokens.push("0".to_owned());
        walk(document, items, tokens, false, places);
        tokens.pop();
    }
}

/// Returns a text of a length that begins and ends like another one.
fn stretched(text: &str, length: usize) -> String {
    let end = text.rfind(['.', '/']).filter(|end| text[*end..].len() < 8).unwrap_or(text.len());
    let more = length.saturating_sub(text.chars().count());
    // Names consist of one letter, so that they can be distinguished later.
    let begin = if text.contains('/') { &text[..end] } else { "" };
    let more = if begin.is_empty() { length } else { more };
    let end = if begin.is_empty() { "" } else { &text[end..] };
    format!("{begin}{}{end}", "a".repeat(more))
}

/// Returns a valid request with a value at a place. Fields that the value excludes are left out.
fn fit(op: &Op, tokens: &[String], pointer: &str, value: &Value) -> Option<Value> {
    let (document, schema) = (op.document.value(), op.body?);
    let mut candidates = bodies(op);
    // First those that have this value, then those that have another one there.
    candidates.sort_by_key(|body| match body.pointer(pointer) {
        Some(known) if known == value => 0,
        Some(_) => 1,
        None => 2,
    });
    for base in candidates {
        let mut body = base;
        put(document, schema, &mut body, tokens, value.clone());
        if op.allows(&body) {
            return Some(body);
        }
        let parents: Vec<String> = (0..tokens.len())
            .map(|depth| tokens[..depth].iter().fold(String::new(), |pointer, token| pointer + "/" + token))
            .collect();
        let removable: Vec<String> = parents
            .iter()
            .flat_map(|parent| {
                let fields = body.pointer(parent).and_then(Value::as_object).into_iter().flatten();
                fields.map(move |(name, _)| format!("{parent}/{name}"))
            })
            .filter(|other| !pointer.starts_with(other.as_str()))
            .collect();
        for first in &removable {
            let mut one = body.clone();
            remove(&mut one, first);
            if op.allows(&one) {
                return Some(one);
            }
            for second in &removable {
                let mut two = one.clone();
                remove(&mut two, second);
                if op.allows(&two) {
                    return Some(two);
                }
            }
        }
    }
    None
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match body.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(name)),
        Some(Value::Array(items)) => items.clear(),
        _ => {}
    }
}
