//! Generates values at the edge of what a schema allows.

use regress::Regex;
use serde_json::{Map, Value, json};

use super::model::Op;
use super::schema::{item, keyword, properties};
use crate::spec::load;

/// A limit of a value: the last values that a schema allows, and the first ones that it does not.
pub(super) struct Bound {
    pub(super) name: &'static str,
    pub(super) accepted: Vec<Value>,
    pub(super) rejected: Vec<Value>,
}

/// Returns all limits of a value, but not those of the fields inside it.
pub(super) fn bounds(document: &'static Value, schema: &'static Value) -> Vec<Bound> {
    let keyword = |name: &str| keyword(document, schema, name);
    let mut bounds: Vec<Bound> = Vec::new();
    let mut add = |name: &'static str, accepted: Vec<Value>, rejected: Vec<Value>| {
        if !bounds.iter().any(|bound| bound.name == name) {
            bounds.push(Bound { name, accepted, rejected });
        }
    };
    let number = |key: &str| keyword(key).and_then(Value::as_i64);
    let pattern = keyword("pattern").and_then(Value::as_str);
    let kind = keyword("type").and_then(Value::as_str).unwrap_or_default();
    if let Some(other) = wrong_type(kind) {
        // Clients that send all fields of a struct send null for an optional list or object.
        let null = (!matches!(kind, "array" | "object")).then_some(Value::Null);
        add("type", vec![], [other].into_iter().chain(null).collect());
    }
    if let Some(values) = keyword("enum").and_then(Value::as_array) {
        let unsupported = keyword("x-unsupported").and_then(Value::as_array);
        let supported = |value: &&Value| !unsupported.is_some_and(|list| list.contains(value));
        let unknown = match values.iter().filter_map(Value::as_i64).max() {
            Some(largest) => json!(largest + 1),
            None => json!("hwjobs-unknown"),
        };
        add("enum", values.iter().filter(supported).cloned().collect(), vec![unknown]);
    }
    if let Some(least) = number("minLength").and_then(|least| usize::try_from(least).ok()) {
        // A text of one character may be long enough and still make no sense.
        let accepted = if least > 1 || (least == 1 && pattern.is_some()) { text(pattern, least) } else { None };
        let rejected = least.checked_sub(1).map(|length| text(None, length).unwrap_or_default());
        let rejected = rejected.filter(|text| !text.is_empty() || keyword("x-empty").is_none());
        if accepted.is_some() || rejected.is_some() {
            add(
                "min-length",
                accepted.into_iter().map(Value::from).collect(),
                rejected.into_iter().map(Value::from).collect(),
            );
        }
    }
    if let Some(most) = number("maxLength").and_then(|most| usize::try_from(most).ok()) {
        let of = |length| text(pattern, length).map(Value::from).into_iter().collect();
        add("max-length", of(most), of(most + 1));
    }
    if let Some(pattern) = pattern {
        add(
            "pattern",
            every_kind(pattern).into_iter().map(Value::from).collect(),
            breaking(pattern).into_iter().map(Value::from).collect(),
        );
        if pattern.contains("[^") {
            let (allowed, excluded) = punctuation(pattern);
            add(
                "characters",
                allowed.into_iter().map(Value::from).collect(),
                excluded.into_iter().map(Value::from).collect(),
            );
        }
    }
    if let Some(least) = number("minimum") {
        add("minimum", vec![json!(least)], vec![json!(least - 1)]);
    }
    if let Some(most) = number("maximum") {
        add("maximum", vec![json!(most)], vec![json!(most + 1)]);
    }
    match keyword("format").and_then(Value::as_str) {
        Some("int32") if number("maximum").is_none() => add("format", vec![], vec![json!(i64::from(i32::MAX) + 1)]),
        Some("int64") => add("format", vec![], vec![json!(i64::MAX as u64 + 1)]),
        _ => {}
    }
    if let Some(least) = number("minItems").filter(|least| *least > 0) {
        let one = sample(document, keyword("items").map_or(&Value::Null, |_| item(document, schema)));
        add("min-items", vec![vec![one; usize::try_from(least).unwrap_or(1)].into()], vec![json!([])]);
    }
    // A value that may have several forms has the limits of each form.
    let alternatives = load::resolve(document, schema).get("anyOf").and_then(Value::as_array);
    for alternative in alternatives.into_iter().flatten() {
        for bound in self::bounds(document, alternative).into_iter().filter(|bound| bound.name != "type") {
            add(bound.name, bound.accepted, bound.rejected);
        }
    }
    bounds
}

fn wrong_type(kind: &str) -> Option<Value> {
    Some(match kind {
        "string" => json!(12345),
        "integer" | "number" => json!("many"),
        "boolean" => json!("maybe"),
        "array" | "object" => json!("text"),
        _ => return None,
    })
}

/// Returns a small value that a schema allows, with all its required fields.
pub(super) fn sample(document: &'static Value, schema: &'static Value) -> Value {
    let keyword = |name: &str| keyword(document, schema, name);
    if let Some(first) = keyword("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    let number = |key: &str| keyword(key).and_then(Value::as_i64);
    match keyword("type").and_then(Value::as_str) {
        Some("string") => {
            let pattern = keyword("pattern").and_then(Value::as_str);
            let length = number("minLength").and_then(|least| usize::try_from(least).ok()).unwrap_or_default().max(8);
            text(pattern, length).unwrap_or_default().into()
        }
        Some("integer" | "number") => json!(number("minimum").unwrap_or(1)),
        Some("boolean") => json!(false),
        Some("array") => json!([sample(document, item(document, schema))]),
        Some("object") => {
            let required = keyword("required").and_then(Value::as_array).cloned().unwrap_or_default();
            // Fields that only the tables call mandatory are sent too: a service may require them.
            properties(document, schema)
                .into_iter()
                .filter(|(name, property)| {
                    required.iter().any(|required| required == name) || property["x-mandatory"] == true
                })
                .map(|(name, property)| (name.to_owned(), sample(document, property)))
                .collect::<Map<_, _>>()
                .into()
        }
        _ => match load::resolve(document, schema).get("anyOf").and_then(|forms| forms.get(0)) {
            Some(form) => sample(document, form),
            None => json!("text"),
        },
    }
}

/// Returns a text of a length that a pattern allows: one of the usual beginnings, letters, one of the usual ends.
pub(super) fn text(pattern: Option<&str>, length: usize) -> Option<String> {
    let pattern = pattern.and_then(|pattern| Regex::new(pattern).ok());
    for begin in ["", "/", "s3a://"] {
        for end in ["", ".sql", "/"] {
            for fill in ["a", "1"] {
                let Some(middle) = length.checked_sub(begin.len() + end.len()) else { continue };
                let text = format!("{begin}{}{end}", fill.repeat(middle));
                if pattern.as_ref().is_none_or(|pattern| pattern.find(&text).is_some()) {
                    return Some(text);
                }
            }
        }
    }
    None
}

/// Returns a text with every kind of character that a pattern allows in names or paths.
fn every_kind(pattern: &str) -> Option<String> {
    let pattern = Regex::new(pattern).ok()?;
    let candidates = ["aZ09_-", "/aZ09_-/x.y", "/aZ09_-/x.sql", "12.5", "1"];
    candidates.into_iter().find(|text| pattern.find(text).is_some()).map(str::to_owned)
}

/// Returns a short text that is not empty and that a pattern forbids.
fn breaking(pattern: &str) -> Option<String> {
    let pattern = Regex::new(pattern).ok()?;
    let candidates = ["%%123", "a b", "/a;b.sql", "x"];
    candidates.into_iter().find(|text| pattern.find(text).is_none()).map(str::to_owned)
}

/// Returns a text with all punctuation that a pattern allows, and one text for each character of it that the pattern
/// excludes.
fn punctuation(pattern: &str) -> (Option<String>, Vec<String>) {
    let (Ok(regex), Some(plain)) = (Regex::new(pattern), every_kind(pattern)) else { return (None, Vec::new()) };
    let with = |characters: &str| {
        let (begin, end) = plain.split_at(2);
        format!("{begin}{characters}{end}")
    };
    let all = (' '..='~').filter(char::is_ascii_punctuation);
    let (allowed, excluded): (Vec<char>, Vec<char>) = all.partition(|c| regex.find(&with(&c.to_string())).is_some());
    let allowed = with(&allowed.into_iter().collect::<String>());
    let fits = regex.find(&allowed).is_some();
    (fits.then_some(allowed), excluded.iter().map(|c| with(&c.to_string())).collect())
}

/// Puts a value at a place of a body. Missing parents are created as small as possible.
pub(super) fn put(document: &'static Value, schema: &'static Value, body: &mut Value, place: &[String], value: Value) {
    let Some((first, rest)) = place.split_first() else {
        *body = value;
        return;
    };
    if let Ok(index) = first.parse::<usize>() {
        let inner = item(document, schema);
        if !body.is_array() {
            *body = json!([]);
        }
        let Some(items) = body.as_array_mut() else { return };
        while items.len() <= index {
            items.push(sample(document, inner));
        }
        put(document, inner, &mut items[index], rest, value);
    } else {
        let inner = properties(document, schema)
            .into_iter()
            .find(|(name, _)| name == first)
            .map_or(&Value::Null, |(_, inner)| inner);
        if !body.is_object() {
            *body = sample(document, schema);
        }
        let Some(fields) = body.as_object_mut() else { return };
        let field = fields.entry(first.clone()).or_insert_with(|| sample(document, inner));
        put(document, inner, field, rest, value);
    }
}

/// Returns the documented request bodies of an operation, or else the smallest one.
pub(super) fn bodies(op: &Op) -> Vec<Value> {
    let Some(schema) = op.body else { return Vec::new() };
    let documented: Vec<Value> = op.examples.iter().filter_map(|example| example.request.cloned()).collect();
    if documented.is_empty() { vec![sample(op.document.value(), schema)] } else { documented }
}
