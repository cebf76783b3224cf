//! Compares two descriptions: does a client of the old one still work with the new one?
//!
//! Existing tools do not fit. `drift`, the crate of our generator's family, calls every added field and every changed
//! limit "unhandled", does not report a changed `nullable`, and panics if a media type is added or removed. The
//! complete tools (such as oasdiff) need Go or Node, which users of this crate may not have. The descriptions use a
//! small part of OpenAPI, which `check` enforces, so a comparison of this part is small.
//!
//! A change is judged for a correct client of the old description. Its requests must still be accepted: a request may
//! become looser, not stricter. It must still understand the responses: a response may become stricter, not looser.
//! Names in generated clients (operation ids, schemas) must stay. Descriptions, examples and extensions do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::load::{self, Operation};

/// The effect of a change on clients of the old description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Impact {
    /// Some clients may fail.
    Breaking,
    /// All clients continue to work.
    Additive,
}

/// One difference between two descriptions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The effect on clients.
    pub impact: Impact,
    /// The place, for example ``list_jobs response 200: `jobs[].name` ``.
    pub place: String,
    /// The difference.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let impact = match self.impact {
            Impact::Breaking => "breaking",
            Impact::Additive => "additive",
        };
        write!(f, "{impact}: {}: {}", self.place, self.what)
    }
}

/// Returns all differences that affect clients, breaking ones first.
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let mut comparison = Comparison { old, new, found: BTreeSet::new(), visited: BTreeSet::new() };
    comparison.servers();
    comparison.operations();
    comparison.schema_names();
    comparison.found.into_iter().collect()
}

/// Checks that the new version number allows the changes: a breaking change needs a new major version, or a new minor
/// version while the major one is 0. The error is the reason.
pub fn allowed(old: &Value, new: &Value, changes: &[Change]) -> Result<(), String> {
    let text = |document: &Value| document["info"]["version"].as_str().unwrap_or_default().to_owned();
    let (old, new) = (text(old), text(new));
    let number = |text: &str| -> Option<[u64; 3]> {
        let parts = text.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        parts.try_into().ok()
    };
    let unreadable = |text: &str| format!("the version `{text}` has not the form 1.2.3");
    let before = number(&old).ok_or_else(|| unreadable(&old))?;
    let after = number(&new).ok_or_else(|| unreadable(&new))?;
    if after < before {
        return Err(format!("the version went back from {old} to {new}"));
    }
    let breaking = changes.iter().filter(|change| change.impact == Impact::Breaking).count();
    let stepped = after[0] > before[0] || (before[0] == 0 && after[1] > before[1]);
    if breaking > 0 && !stepped {
        let next = if before[0] == 0 { format!("0.{}.0", before[1] + 1) } else { format!("{}.0.0", before[0] + 1) };
        return Err(format!("{breaking} breaking changes since {old} need the version {next}, not {new}"));
    }
    Ok(())
}

/// The sender of the value that a schema describes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    Client,
    Service,
}

/// The change of a set of allowed values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Looser,
    Stricter,
    /// Neither set contains the other, or this is unknown.
    Other,
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    found: BTreeSet<Change>,
    /// The pairs of components that have been compared.
    visited: BTreeSet<(&'a str, &'a str, Sender)>,
}

impl<'a> Comparison<'a> {
    fn add(&mut self, impact: Impact, place: &str, what: impl Into<String>) {
        self.found.insert(Change { impact, place: place.to_owned(), what: what.into() });
    }

    fn judge(&mut self, sender: Sender, way: Way, place: &str, what: impl Into<String>) {
        let harmless = matches!((sender, way), (Sender::Client, Way::Looser) | (Sender::Service, Way::Stricter));
        self.add(if harmless { Impact::Additive } else { Impact::Breaking }, place, what);
    }

    fn servers(&mut self) {
        fn listed(document: &Value) -> BTreeSet<String> {
            let mut found = BTreeSet::new();
            for server in items(&document["servers"]) {
                let url = server["url"].as_str().unwrap_or_default();
                found.insert(format!("server {url}"));
                for (name, variable) in fields(server, "variables") {
                    found.extend(items(&variable["enum"]).map(|value| format!("{name} {value} of server {url}")));
                }
            }
            found
        }
        self.sets("servers", &listed(self.old), &listed(self.new));
    }

    /// A removed value is breaking, an added one is not.
    fn sets(&mut self, place: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
        for gone in old - new {
            self.add(Impact::Breaking, place, format!("{gone} is gone"));
        }
        for added in new - old {
            self.add(Impact::Additive, place, format!("{added} is new"));
        }
    }

    fn schema_names(&mut self) {
        let names = |document: &Value| {
            fields(&document["components"], "schemas").map(|(name, _)| format!("schema {name}")).collect()
        };
        self.sets("components", &names(self.old), &names(self.new));
    }

    fn operations(&mut self) {
        let (old, new) = (self.old, self.new);
        let same = |a: &Operation<'_>, b: &Operation<'_>| a.method == b.method && template(a.path) == template(b.path);
        for before in load::operations(old) {
            match load::operations(new).find(|after| same(&before, after)) {
                Some(after) => self.operation(before, after),
                None => self.add(Impact::Breaking, before.id(), "the operation is gone"),
            }
        }
        for after in load::operations(new) {
            if !load::operations(old).any(|before| same(&before, &after)) {
                self.add(Impact::Additive, after.id(), "the operation is new");
            }
        }
    }

    fn operation(&mut self, old: Operation<'a>, new: Operation<'a>) {
        let id = old.id();
        if id != new.id() {
            self.add(Impact::Breaking, id, format!("the operation is called `{}`", new.id()));
        }
        if old.value["x-idempotent"] == true && new.value["x-idempotent"] != true {
            self.add(Impact::Breaking, id, "sending it twice may now do it twice");
        }
        let security = |document: &Value, operation: Operation<'_>| {
            let list = operation.value.get("security").unwrap_or(&document["security"]);
            items(list).map(|way| format!("authentication {way}")).collect::<BTreeSet<_>>()
        };
        let (ways, now) = (security(self.old, old), security(self.new, new));
        if ways.is_empty() && !now.is_empty() {
            self.add(Impact::Breaking, id, "authentication is needed");
        } else if !now.is_empty() {
            self.sets(id, &ways, &now);
        } else if !ways.is_empty() {
            self.add(Impact::Additive, id, "authentication is not needed");
        }
        self.parameters(old, new);
        self.body(id, &old.value["requestBody"], &new.value["requestBody"]);
        self.responses(id, &old.value["responses"], &new.value["responses"]);
    }

    fn parameters(&mut self, old: Operation<'a>, new: Operation<'a>) {
        let id = old.id();
        let before: Vec<_> = old.parameters(self.old).collect();
        let after: Vec<_> = new.parameters(self.new).collect();
        let place = |parameter: &Value| {
            let name = parameter["name"].as_str().unwrap_or_default();
            format!("{id} {} `{name}`", parameter["in"].as_str().unwrap_or_default())
        };
        // Names of path parameters are not sent, but they are arguments of generated clients.
        let same = |a: &Value, b: &Value| a["in"] == b["in"] && a["name"] == b["name"];
        for parameter in &before {
            let place = place(parameter);
            let Some(now) = after.iter().find(|now| same(parameter, now)) else {
                self.add(Impact::Breaking, &place, "the parameter is gone");
                continue;
            };
            self.required(&place, parameter, now);
            self.default(&place, &parameter["schema"], &now["schema"]);
            self.schema(Sender::Client, &place, "", &parameter["schema"], &now["schema"]);
        }
        for parameter in after.iter().filter(|now| !before.iter().any(|parameter| same(parameter, now))) {
            let impact = if parameter["required"] == true { Impact::Breaking } else { Impact::Additive };
            self.add(impact, &place(parameter), "the parameter is new");
        }
    }

    fn required(&mut self, place: &str, old: &Value, new: &Value) {
        match (old["required"] == true, new["required"] == true) {
            (false, true) => self.add(Impact::Breaking, place, "it is required"),
            (true, false) => self.add(Impact::Additive, place, "it is optional"),
            _ => {}
        }
    }

    /// Compares the default, which applies to clients that do not send the parameter.
    fn default(&mut self, place: &str, old: &Value, new: &Value) {
        let (old, new) = (flatten(self.old, old), flatten(self.new, new));
        match (old.get("default"), new.get("default")) {
            (None, Some(now)) => self.add(Impact::Additive, place, format!("the default {now} is new")),
            (Some(before), now) if Some(before) != now => {
                let now = now.map_or_else(|| "not stated".to_owned(), |now| now.to_string());
                self.add(Impact::Breaking, place, format!("the default was {before}, is {now}"));
            }
            _ => {}
        }
    }

    fn body(&mut self, id: &str, old: &'a Value, new: &'a Value) {
        let place = format!("{id} request");
        let (old, new) = (load::resolve(self.old, old), load::resolve(self.new, new));
        match (old.is_null(), new.is_null()) {
            (true, true) => {}
            (true, false) => {
                let impact = if new["required"] == true { Impact::Breaking } else { Impact::Additive };
                self.add(impact, &place, "the body is new");
            }
            (false, true) => self.add(Impact::Breaking, &place, "the body is gone"),
            (false, false) => {
                self.required(&place, old, new);
                self.content(Sender::Client, &place, old, new);
            }
        }
    }

    fn responses(&mut self, id: &str, old: &'a Value, new: &'a Value) {
        for (status, response) in object(old) {
            let place = format!("{id} response {status}");
            match new.get(status).or_else(|| new.get(class(status))) {
                Some(now) => {
                    let (before, now) = (load::resolve(self.old, response), load::resolve(self.new, now));
                    self.content(Sender::Service, &place, before, now);
                    let headers = |response: &Value| {
                        fields(response, "headers").map(|(name, _)| format!("header {name}")).collect()
                    };
                    self.sets(&place, &headers(before), &headers(now));
                }
                None if status.starts_with('2') => self.add(Impact::Breaking, &place, "the success status is gone"),
                None => self.add(Impact::Breaking, &place, "the response is not described any more"),
            }
        }
        for (status, response) in object(new).filter(|(status, _)| old.get(*status).is_none()) {
            let place = format!("{id} response {status}");
            match old.get(class(status)) {
                // Old clients know this status as part of a class.
                Some(before) => {
                    let (before, now) = (load::resolve(self.old, before), load::resolve(self.new, response));
                    self.content(Sender::Service, &place, before, now);
                    self.add(Impact::Additive, &place, "the status is named");
                }
                None if status.starts_with('2') => self.add(Impact::Breaking, &place, "the success status is new"),
                None => self.add(Impact::Additive, &place, "the response is described"),
            }
        }
    }

    fn content(&mut self, sender: Sender, place: &str, old: &'a Value, new: &'a Value) {
        for (media_type, content) in fields(old, "content") {
            match new["content"].get(media_type) {
                Some(now) => self.schema(sender, place, "", &content["schema"], &now["schema"]),
                None => self.add(Impact::Breaking, place, format!("{media_type} is gone")),
            }
        }
        for (media_type, _) in fields(new, "content").filter(|(name, _)| old["content"].get(name).is_none()) {
            self.judge(sender, Way::Looser, place, format!("{media_type} is new"));
        }
    }

    /// Compares two schemas. `root` is the body or parameter, `path` the place in it.
    fn schema(&mut self, sender: Sender, root: &str, path: &str, old: &'a Value, new: &'a Value) {
        let pair = reference(old).zip(reference(new));
        let seen = pair.is_some_and(|(before, now)| !self.visited.insert((before, now, sender)));
        if seen && old.get("$ref").is_some() && new.get("$ref").is_some() {
            return;
        }
        let place = if path.is_empty() { root.to_owned() } else { format!("{root}: `{path}`") };
        let (old, new) = (flatten(self.old, old), flatten(self.new, new));
        self.kind(sender, &place, &old, &new);
        self.limits(sender, &place, &old, &new);
        self.values(sender, &place, &old, &new);
        // Keywords beside a reference are compared each time, its target only once.
        if seen {
            return;
        }
        self.compositions(sender, root, path, &old, &new);
        self.properties(sender, root, path, &old, &new);
        match (old.get("items"), new.get("items")) {
            (Some(before), Some(now)) => self.schema(sender, root, &format!("{path}[]"), before, now),
            (Some(_), None) => self.judge(sender, Way::Looser, &place, "the items are not described any more"),
            (None, Some(_)) => self.judge(sender, Way::Stricter, &place, "the items are described"),
            (None, None) => {}
        }
        let open = |schema: &Schema<'a>| schema.get("additionalProperties").is_none_or(|any| **any == true);
        match (old.get("additionalProperties"), new.get("additionalProperties")) {
            (Some(before @ Value::Object(_)), Some(now @ Value::Object(_))) => {
                self.schema(sender, root, &format!("{path}.*"), before, now);
            }
            (before, now) if before == now || (open(&old) && open(&new)) => {}
            _ if open(&new) => self.judge(sender, Way::Looser, &place, "further fields may have any value"),
            _ if open(&old) => self.judge(sender, Way::Stricter, &place, "further fields are restricted"),
            _ => self.judge(sender, Way::Other, &place, "further fields are described otherwise"),
        }
    }

    fn kind(&mut self, sender: Sender, place: &str, old: &Schema<'a>, new: &Schema<'a>) {
        let text = |schema: &Schema<'a>, key: &str| schema.get(key).and_then(|value| value.as_str());
        let way = match (text(old, "type"), text(new, "type")) {
            (before, now) if before == now => None,
            (None, Some(_)) => Some(Way::Stricter),
            (Some(_), None) | (Some("integer"), Some("number")) => Some(Way::Looser),
            (Some("number"), Some("integer")) => Some(Way::Stricter),
            _ => Some(Way::Other),
        };
        if let Some(way) = way {
            let named = |schema| text(schema, "type").unwrap_or("not stated").to_owned();
            self.judge(sender, way, place, format!("the type was {}, is {}", named(old), named(new)));
        }
        // `password` affects how programs print a value, not the value itself.
        let format = |schema| text(schema, "format").filter(|format| *format != "password");
        let way = match (format(old), format(new)) {
            (before, now) if before == now => None,
            (Some("int32"), Some("int64")) | (Some("float"), Some("double")) | (Some(_), None) => Some(Way::Looser),
            (Some("int64"), Some("int32")) | (Some("double"), Some("float")) | (None, Some(_)) => Some(Way::Stricter),
            _ => Some(Way::Other),
        };
        if let Some(way) = way {
            let named = |schema| format(schema).unwrap_or("not stated").to_owned();
            self.judge(sender, way, place, format!("the format was {}, is {}", named(old), named(new)));
        }
        match (truth(old, "nullable"), truth(new, "nullable")) {
            (false, true) => self.judge(sender, Way::Looser, place, "it may be null"),
            (true, false) => self.judge(sender, Way::Stricter, place, "it may not be null"),
            _ => {}
        }
    }

    fn limits(&mut self, sender: Sender, place: &str, old: &Schema<'a>, new: &Schema<'a>) {
        for (key, is_floor) in [
            ("minLength", true),
            ("minimum", true),
            ("minItems", true),
            ("minProperties", true),
            ("maxLength", false),
            ("maximum", false),
            ("maxItems", false),
            ("maxProperties", false),
        ] {
            // A minimum length of 0 is no limit.
            let limit = |schema: &Schema<'a>| {
                let value = schema.get(key)?.as_f64()?;
                (key == "minimum" || key == "maximum" || !is_floor || value > 0.0).then_some(value)
            };
            let way = match (limit(old), limit(new)) {
                (before, now) if before == now => continue,
                (None, _) => Way::Stricter,
                (_, None) => Way::Looser,
                (Some(before), Some(now)) if (now > before) == is_floor => Way::Stricter,
                _ => Way::Looser,
            };
            let named = |limit: Option<f64>| limit.map_or("none".to_owned(), |limit| limit.to_string());
            self.judge(sender, way, place, format!("`{key}` was {}, is {}", named(limit(old)), named(limit(new))));
        }
        for key in ["exclusiveMinimum", "exclusiveMaximum", "uniqueItems"] {
            match (truth(old, key), truth(new, key)) {
                (false, true) => self.judge(sender, Way::Stricter, place, format!("`{key}` is new")),
                (true, false) => self.judge(sender, Way::Looser, place, format!("`{key}` is gone")),
                _ => {}
            }
        }
        for key in ["pattern", "multipleOf"] {
            match (old.get(key), new.get(key)) {
                (before, now) if before == now => {}
                (None, Some(now)) => self.judge(sender, Way::Stricter, place, format!("`{key}` {now} is new")),
                (Some(before), None) => self.judge(sender, Way::Looser, place, format!("`{key}` {before} is gone")),
                (Some(before), Some(now)) => {
                    self.judge(sender, Way::Other, place, format!("`{key}` was {before}, is {now}"));
                }
                (None, None) => {}
            }
        }
    }

    fn values(&mut self, sender: Sender, place: &str, old: &Schema<'a>, new: &Schema<'a>) {
        match (old.get("enum"), new.get("enum")) {
            (None, Some(_)) => self.judge(sender, Way::Stricter, place, "the values are listed"),
            (Some(_), None) => self.judge(sender, Way::Looser, place, "the values are not listed any more"),
            (Some(before), Some(now)) => {
                for value in items(before).filter(|value| !items(now).any(|other| other == *value)) {
                    self.judge(sender, Way::Stricter, place, format!("the value {value} is gone"));
                }
                for value in items(now).filter(|value| !items(before).any(|other| other == *value)) {
                    self.judge(sender, Way::Looser, place, format!("the value {value} is new"));
                }
            }
            (None, None) => {}
        }
    }

    /// Compares alternatives and rules between fields literally. Components in them are followed.
    fn compositions(&mut self, sender: Sender, root: &str, path: &str, old: &Schema<'a>, new: &Schema<'a>) {
        let place = if path.is_empty() { root.to_owned() } else { format!("{root}: `{path}`") };
        for (key, when_added) in
            [("oneOf", Way::Looser), ("anyOf", Way::Looser), ("allOf", Way::Stricter), ("not", Way::Stricter)]
        {
            let when_gone = if when_added == Way::Looser { Way::Stricter } else { Way::Looser };
            let parts = |schema: &Schema<'a>| -> Vec<&'a Value> {
                match schema.get(key) {
                    Some(Value::Array(parts)) => parts.iter().collect(),
                    Some(part) => vec![part],
                    None => Vec::new(),
                }
            };
            let (before, now) = (parts(old), parts(new));
            match (before.is_empty(), now.is_empty()) {
                (true, true) => continue,
                (true, false) => self.judge(sender, Way::Stricter, &place, format!("`{key}` is new")),
                (false, true) => self.judge(sender, Way::Looser, &place, format!("`{key}` is gone")),
                (false, false) => {
                    let bare: Vec<_> = now.iter().map(|part| essence(part)).collect();
                    for part in &before {
                        match now.iter().zip(&bare).find(|(_, bare)| **bare == essence(part)) {
                            // Equal references can have a target that changed.
                            Some((same, _)) => self.schema(sender, root, path, part, same),
                            None => {
                                self.judge(sender, when_gone, &place, format!("{} in `{key}` is gone", essence(part)))
                            }
                        }
                    }
                    let old: Vec<_> = before.iter().map(|part| essence(part)).collect();
                    for part in bare.iter().filter(|part| !old.contains(part)) {
                        self.judge(sender, when_added, &place, format!("{part} in `{key}` is new"));
                    }
                }
            }
        }
    }

    fn properties(&mut self, sender: Sender, root: &str, path: &str, old: &Schema<'a>, new: &Schema<'a>) {
        let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let place = |name: &str| format!("{root}: `{}`", inner(name));
        let (none, before, now) = (&Value::Null, old.get("properties").copied(), new.get("properties").copied());
        let (before, now) = (before.unwrap_or(none), now.unwrap_or(none));
        let needed = |schema: &Schema<'a>, name: &str| {
            schema.get("required").is_some_and(|required| items(required).any(|field| field == name))
        };
        for (name, property) in object(before) {
            let Some(same) = now.get(name) else {
                self.add(Impact::Breaking, &place(name), "the field is gone");
                continue;
            };
            match (needed(old, name), needed(new, name)) {
                (false, true) => self.judge(sender, Way::Stricter, &place(name), "it is required"),
                (true, false) => self.judge(sender, Way::Looser, &place(name), "it is optional"),
                _ => {}
            }
            if sender == Sender::Client {
                self.default(&place(name), property, same);
            }
            self.schema(sender, root, &inner(name), property, same);
        }
        for (name, _) in object(now).filter(|(name, _)| before.get(*name).is_none()) {
            let breaks = sender == Sender::Client && needed(new, name);
            let what = if needed(new, name) { "the field is new and required" } else { "the field is new" };
            self.add(if breaks { Impact::Breaking } else { Impact::Additive }, &place(name), what);
        }
    }
}

/// A schema merged with the targets of its references, by keyword.
type Schema<'a> = BTreeMap<&'a str, &'a Value>;

/// Follows references, also wrapped ones (an `allOf` with one element). Keywords beside the wrapper override those of
/// the target.
fn flatten<'a>(document: &'a Value, schema: &'a Value) -> Schema<'a> {
    let mut flat = Schema::new();
    let mut schema = schema;
    // A longer chain is a cycle of references.
    for _ in 0..16 {
        let next = reference(schema).and_then(|reference| load::target(document, reference));
        for (key, value) in object(schema).filter(|(key, _)| *key != "$ref" && !(*key == "allOf" && next.is_some())) {
            flat.entry(key).or_insert(value);
        }
        match next {
            Some(target) => schema = target,
            None => break,
        }
    }
    flat
}

/// Returns the name of the component that a schema refers to or wraps.
fn reference(schema: &Value) -> Option<&str> {
    let wrapped = schema["allOf"].as_array().filter(|parts| parts.len() == 1).and_then(|parts| parts[0].get("$ref"));
    schema.get("$ref").or(wrapped)?.as_str()
}

/// Returns a schema without the keywords that do not constrain values.
fn essence(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "description" | "title" | "example") && !key.starts_with("x-"))
            .map(|(key, value)| (key.clone(), essence(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(essence).collect(),
        other => other.clone(),
    }
}

fn truth(schema: &Schema<'_>, key: &str) -> bool {
    schema.get(key).is_some_and(|value| **value == true)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn fields<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    value.get(key).into_iter().flat_map(object)
}

/// Returns the class of a status: `4XX` for `404`.
fn class(status: &str) -> &'static str {
    match status.as_bytes().first() {
        Some(b'2') => "2XX",
        Some(b'3') => "3XX",
        Some(b'4') => "4XX",
        Some(b'5') => "5XX",
        _ => "default",
    }
}

/// Returns a path without the names of its parameters, which are not sent.
fn template(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
