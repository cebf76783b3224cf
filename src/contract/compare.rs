//! Compares values with documented ones.

use serde_json::Value;

/// Returns whether two values are the same. Numbers and texts that print alike are: the documents print many numbers as
/// text.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        // Requests name objects by id where responses show the whole object.
        (Value::String(id), Value::Object(whole)) | (Value::Object(whole), Value::String(id)) => {
            whole.get("id").is_some_and(|known| known == id)
        }
        (Value::Object(left), Value::Object(right)) => {
            left.iter().all(|(name, value)| right.get(name).is_none_or(|other| same(value, other)))
        }
        _ => left == right || plain(left).is_some_and(|text| Some(text) == plain(right)),
    }
}

/// Returns the text of a number, a truth value or a text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns whether a field has a time or a duration, which depends on the clock.
pub(super) fn is_time(name: &str) -> bool {
    name.ends_with("_at") || name.ends_with("_time") || name.ends_with("duration") || name == "spend_time"
}

/// Returns the fields that differ between two states of an object, except for times and the state itself.
pub(super) fn changed(before: &Value, after: &Value) -> Vec<String> {
    let (Some(left), Some(right)) = (before.as_object(), after.as_object()) else {
        return if before == after { Vec::new() } else { vec!["everything".to_owned()] };
    };
    let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
    let moves = |name: &&String| !is_time(name) && !matches!(name.as_str(), "status" | "info" | "return_code");
    names.filter(moves).filter(|name| left.get(*name) != right.get(*name)).cloned().collect()
}

/// Compares a response with the documented one.
pub(super) struct Comparison<'a> {
    /// Documented values of the request by name, and what the request sent instead.
    pub(super) determined: Vec<(String, Value, Value)>,
    /// Names of fields that a response has only if the request set them.
    pub(super) optional: Vec<&'static str>,
    /// Names of fields that the request set.
    pub(super) given: Vec<String>,
    /// The responses of all examples of the operation: a field that all of them have is expected.
    pub(super) editions: Vec<&'a Value>,
    /// Whether the response shows an object, whose fields depend on its state.
    pub(super) shows: bool,
    pub(super) differences: Vec<String>,
}

impl Comparison<'_> {
    /// Records where a response differs from the documented one.
    pub(super) fn compare(&mut self, name: &str, path: &str, documented: &Value, actual: &Value) {
        match (documented, actual) {
            (Value::Object(documented), Value::Object(fields)) => {
                for (name, value) in documented {
                    let path = format!("{path}/{name}");
                    match fields.get(name) {
                        Some(other) => self.compare(name, &path, value, other),
                        None if self.is_expected(name, &path) => {
                            self.differences.push(format!("`{}` is missing", super::schema::field(&path)));
                        }
                        None => {}
                    }
                }
            }
            (Value::Array(documented), Value::Array(items)) => {
                if let Some(documented) = documented.first().filter(|first| first.is_object()) {
                    for item in items {
                        // These are other objects than the documented one: only their form is compared.
                        let determined = std::mem::take(&mut self.determined);
                        self.compare(name, &format!("{path}/0"), documented, item);
                        self.determined = determined;
                    }
                }
            }
            _ => self.leaf(name, path, documented, actual),
        }
    }

    fn leaf(&mut self, name: &str, path: &str, documented: &Value, actual: &Value) {
        let place = super::schema::field(path);
        let sent = self.determined.iter().find(|(known, value, _)| known == name && same(value, documented));
        if let Some((_, _, sent)) = sent {
            if !same(sent, actual) {
                self.differences.push(format!("`{place}` is {actual}, and the request says {sent}"));
            }
            return;
        }
        match (documented, actual) {
            (Value::Bool(documented), Value::Bool(actual)) if name == "is_success" && documented != actual => {
                self.differences.push(format!("`{place}` is {actual}, documented is {documented}"));
            }
            (Value::String(_), Value::String(actual)) if name == "id" && actual.is_empty() => {
                self.differences.push(format!("`{place}` is an empty id"));
            }
            (Value::String(documented), Value::String(actual))
                if is_time(name) && shape(documented) != shape(actual) =>
            {
                self.differences.push(format!("`{place}` is {actual:?}, documented times look like {documented:?}"));
            }
            (Value::Number(_), Value::Number(actual)) if is_id(name) && actual.as_i64().is_some_and(|id| id <= 0) => {
                self.differences.push(format!("`{place}` is {actual}, which is no id"));
            }
            _ => {}
        }
    }

    /// Returns whether a documented field is expected that the schema does not require.
    fn is_expected(&self, name: &str, path: &str) -> bool {
        if self.optional.contains(&name) {
            return self.given.iter().any(|given| given == name);
        }
        if self.shows || path.contains("/0/") {
            return false;
        }
        self.editions.iter().all(|edition| edition.pointer(path).is_some())
    }
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id")
}

/// Replaces each digit of a time by 0.
fn shape(text: &str) -> String {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(digits).collect()
}
