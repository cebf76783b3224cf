//! Reads schemas of the description.

use serde_json::Value;

use crate::spec::load;

/// Returns a JSON pointer as people write it: `config.data_source[0].type`.
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

/// Returns the place of a JSON pointer, for a message.
pub(super) fn place(pointer: &str) -> String {
    if pointer.is_empty() { "the body".to_owned() } else { format!("`{}`", field(pointer)) }
}

/// Returns the properties of a schema and of its parts. References are resolved.
pub(super) fn properties(document: &'static Value, schema: &'static Value) -> Vec<(&'static str, &'static Value)> {
    let schema = load::resolve(document, schema);
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| properties(document, part));
    own.chain(parts).collect()
}

/// Returns a keyword of a schema, or else of one of its parts.
pub(super) fn keyword(document: &'static Value, schema: &'static Value, name: &str) -> Option<&'static Value> {
    let schema = load::resolve(document, schema);
    schema.get(name).or_else(|| schema["allOf"].as_array()?.iter().find_map(|part| keyword(document, part, name)))
}

/// Returns the schema of an array's items.
pub(super) fn item(document: &'static Value, schema: &'static Value) -> &'static Value {
    let schema = load::resolve(document, schema);
    schema
        .get("items")
        .or_else(|| schema["allOf"][0].get("$ref").map(|_| item(document, &schema["allOf"][0])))
        .unwrap_or(&Value::Null)
}

/// Returns all names of fields in a schema.
pub(super) fn all_names(document: &'static Value, schema: &'static Value) -> Vec<&'static str> {
    let items = item(document, schema);
    let inside = if items.is_null() { Vec::new() } else { all_names(document, items) };
    properties(document, schema)
        .into_iter()
        .flat_map(|(name, inner)| [vec![name], all_names(document, inner)].concat())
        .chain(inside)
        .collect()
}
