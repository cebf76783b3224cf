//! Tests the description: every documented example is in it and valid, its schemas reject invalid values, every
//! contradiction of the documentation is decided at its place, and every operation is complete.
#![cfg(feature = "spec")]

use crate::fixtures;
use std::collections::{BTreeMap, BTreeSet};

use crate::fixtures::{Kind, Operation, Spot};
use huaweicloud_jobs::spec::load::Operation as Described;
use huaweicloud_jobs::spec::{self, Document};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Every operation of every document.
fn operations() -> impl Iterator<Item = (&'static Document, Described<'static>)> {
    spec::documents().iter().flat_map(|document| document.operations().map(move |described| (document, described)))
}

/// A body of the description: its place, its schema, its example.
struct Body {
    /// For messages: operation, status and key.
    name: String,
    document: &'static Document,
    schema: Spot<'static>,
    key: &'static str,
    /// Status of the answer; none for a request.
    status: Option<&'static str>,
    example: &'static Value,
}

impl Body {
    fn value(&self) -> &'static Value {
        &self.example["value"]
    }
}

/// All bodies of an operation that have an example.
fn bodies(document: &'static Document, described: Described<'static>) -> Vec<Body> {
    let mut found = Vec::new();
    let request = fixtures::operation_spot(document, described).get("requestBody");
    let holders = request.into_iter().map(|spot| (None, spot));
    let answers = fixtures::responses(document, described).into_iter().map(|(status, spot)| (Some(status), spot));
    for (status, holder) in holders.chain(answers) {
        let Some(schema) = fixtures::body_schema(&holder) else { continue };
        for (key, example) in fixtures::body_examples(&holder) {
            let name = format!("{} {} {key}", described.id(), status.unwrap_or("request"));
            found.push(Body { name, document, schema: schema.clone(), key, status, example: example.value });
        }
    }
    found
}

fn all_bodies() -> Vec<Body> {
    operations().flat_map(|(document, described)| bodies(document, described)).collect()
}

fn report(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_documented_example_is_there_exactly_once() {
    let mut problems = Vec::new();
    let (mut documented, mut found) = (0, 0);
    for operation in &fixtures::tables().operations {
        let (document, described) = spec::operation(&operation.id).expect("doc_tables.rs finds it");
        documented += operation.examples.len();
        let mut bodies = bodies(document, described);
        let mut requests: Map<String, Value> =
            described.value["x-example-requests"].as_object().cloned().unwrap_or_default();
        for (index, example) in operation.examples.iter().enumerate() {
            let name = format!("{} example {index} ({:?})", operation.id, example.kind);
            let place = match (example.kind, &example.body) {
                (Kind::Request, None) => take_request(operation, example, document, described, &mut requests),
                (kind, Some(body)) => {
                    let position = bodies.iter().position(|known| kind_of(known) == kind && known.value() == body);
                    let taken = position.map(|position| bodies.remove(position));
                    if let (Some(taken), Kind::Request) = (&taken, kind) {
                        match requests.remove(taken.key) {
                            Some(request) => {
                                problems.extend(
                                    url_problem(example.url.as_deref(), &request, document, described)
                                        .map(|problem| format!("{name}: {problem}")),
                                );
                            }
                            None => problems.push(format!("{name}: {} has no x-example-requests entry", taken.key)),
                        }
                    }
                    taken.map(|taken| taken.example.clone())
                }
                (_, None) => unreachable!("an answer is printed with its body"),
            };
            let Some(place) = place else {
                problems.push(format!("{name}: is not in the description: {:?} {:?}", example.url, example.body));
                continue;
            };
            found += 1;
            if place.get("x-mended").is_some() != example.mended {
                problems.push(format!("{name}: mended is {}, x-mended is {:?}", example.mended, place.get("x-mended")));
            }
            if example.method.as_deref().is_some_and(|method| method != described.method) {
                problems.push(format!("{name}: is printed as {:?}", example.method));
            }
            if let Some(edition) = place.get("x-edition")
                && *edition != json!(example.edition.split('+').collect::<Vec<_>>())
            {
                problems.push(format!("{name}: is of edition {}, x-edition is {edition}", example.edition));
            }
        }
        // What no page prints says so.
        bodies.retain(|body| body.example.get("x-assumption").is_none());
        problems.extend(bodies.iter().map(|body| format!("{}: no page has this example", body.name)));
        problems.extend(requests.keys().filter(|key| !answers(document, described, key)).map(|key| {
            format!("{} x-example-requests {key}: no page has this request or an answer to it", operation.id)
        }));
    }
    println!("{found} of {documented} documented examples are in the description");
    report(&problems);
    assert_eq!((documented, found), (170, 170));
}

fn kind_of(body: &Body) -> Kind {
    match body.status {
        None => Kind::Request,
        Some(status) if status.starts_with('2') => Kind::ResponseSuccess,
        Some(_) => Kind::ResponseFailure,
    }
}

/// Returns whether a successful response has this key: a page may have the response without its request.
fn answers(document: &'static Document, described: Described<'static>, key: &str) -> bool {
    bodies(document, described)
        .iter()
        .any(|body| body.key == key && body.status.is_some_and(|status| status.starts_with('2')))
}

/// Returns the request without a body that matches the URL of an example.
fn take_request(
    operation: &Operation,
    example: &fixtures::Example,
    document: &'static Document,
    described: Described<'static>,
    requests: &mut Map<String, Value>,
) -> Option<Value> {
    let fits = |request: &Value| url_problem(example.url.as_deref(), request, document, described).is_none();
    let same_mending = |request: &Value| request.get("x-mended").is_some() == example.mended;
    let editions: Vec<&str> = example.edition.split('+').collect();
    let edition = |request: &Value| request.get("x-edition").is_none_or(|printed| *printed == json!(editions));
    let key = requests
        .iter()
        .find(|(_, request)| fits(request) && same_mending(request) && edition(request))
        .or_else(|| requests.iter().find(|(_, request)| fits(request)))
        .map(|(key, _)| key.clone());
    assert!(operation.method == described.method, "doc_tables.rs compares them");
    requests.shift_remove(&key?)
}

/// Returns the differences between a printed URL and the parameters of a request.
fn url_problem(
    url: Option<&str>,
    request: &Value,
    document: &'static Document,
    described: Described<'static>,
) -> Option<String> {
    let url = url?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let start = path.find("/v").expect("the path starts with a version");
    let printed: Vec<&str> = path[start..].trim_end_matches('/').split('/').collect();
    let template: Vec<&str> = described.path.split('/').collect();
    if printed.len() != template.len() {
        return Some(format!("{path} is not {}", described.path));
    }
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut open = BTreeSet::new();
    for (printed, template) in printed.iter().zip(&template) {
        match template.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            // The page prints no value; the description may give one.
            Some(name) if printed.starts_with('{') => drop(open.insert(name)),
            Some(name) => drop(wanted.insert(name.to_owned(), (*printed).to_owned())),
            None if printed == template => {}
            None => return Some(format!("{path} is not {}", described.path)),
        }
    }
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        // One page spells a parameter in its example otherwise than in its table.
        let spelled = fixtures::parameters(document, described).into_iter().find_map(|spot| {
            let known = spot.value["name"].as_str()?;
            let deviates = spot.value.get("x-deviation").is_some() && squash(known) == squash(name);
            (known == name || deviates).then(|| known.to_owned())
        });
        wanted.insert(spelled.unwrap_or_else(|| name.to_owned()), value.to_owned());
    }
    let given: BTreeMap<String, String> = request["parameters"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !open.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    (given != wanted).then(|| format!("the URL has {wanted:?}, the description {given:?}"))
}

fn squash(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "")
}

#[test]
fn every_example_is_valid() {
    let mut problems = Vec::new();
    let mut valid = 0;
    for body in all_bodies() {
        let validator = fixtures::validator(body.document, body.schema.value);
        let errors: Vec<String> =
            validator.iter_errors(body.value()).map(|error| format!("{}: {error}", body.name)).collect();
        valid += usize::from(errors.is_empty());
        problems.extend(errors);
    }
    let mut parameters = 0;
    for (document, described) in operations() {
        for (key, request) in described.value["x-example-requests"].as_object().into_iter().flatten() {
            for (name, value) in request["parameters"].as_object().into_iter().flatten() {
                let known = fixtures::parameters(document, described);
                match known.iter().find(|spot| spot.value["name"] == name.as_str()) {
                    Some(spot) if fixtures::is_valid(document, &spot.value["schema"], value) => parameters += 1,
                    Some(_) => problems.push(format!("{} {key}: {name} cannot be {value}", described.id())),
                    None => problems.push(format!("{} {key}: {name} is no parameter", described.id())),
                }
            }
        }
        for spot in fixtures::parameters(document, described) {
            let value = &spot.value["example"];
            if !fixtures::is_valid(document, &spot.value["schema"], value) {
                problems.push(format!("{} parameter {}: cannot be {value}", described.id(), spot.value["name"]));
            }
        }
    }
    for document in spec::documents() {
        for (name, schema) in fixtures::schemas(document) {
            for (property, spot) in schema.properties() {
                for key in ["example", "default"] {
                    if let Some(value) = spot.keyword(key)
                        && !fixtures::is_valid(document, spot.value, value)
                    {
                        problems.push(format!("{} {name}.{property}: {key} {value} is invalid", document.name()));
                    }
                }
            }
        }
    }
    println!("{valid} bodies and {parameters} parameter values of examples are valid");
    report(&problems);
}

/// A mutation that makes a valid value invalid.
struct Mutant {
    kind: &'static str,
    pointer: String,
    /// The new value, or `None` to remove it.
    value: Option<Value>,
}

impl Mutant {
    fn apply(&self, body: &Value) -> Value {
        let mut body = body.clone();
        match &self.value {
            Some(value) => *body.pointer_mut(&self.pointer).expect("it was there") = value.clone(),
            None => {
                let (parent, name) = self.pointer.rsplit_once('/').expect("a property is in an object");
                let parent = body.pointer_mut(parent).and_then(Value::as_object_mut).expect("it was there");
                parent.shift_remove(name);
            }
        }
        body
    }
}

/// Values of every JSON type.
fn one_of_each_type() -> [(&'static str, Value); 6] {
    [
        ("null", Value::Null),
        ("boolean", json!(true)),
        ("number", json!(1.5)),
        ("string", json!("mutant")),
        ("array", json!([])),
        ("object", json!({})),
    ]
}

/// Returns a string of a valid length that does not match a pattern.
fn off_pattern(pattern: &str, schema: &Spot<'_>) -> Option<String> {
    let regex = regress::Regex::new(pattern).expect("the pattern is one");
    let length = |key: &str| schema.keyword(key).and_then(Value::as_u64);
    ["mutant", "mutant with blank", ";|&><'$", "/a;b", "s3a://a|b", "x", " ", "-", ""]
        .into_iter()
        .find(|text| {
            let count = text.chars().count() as u64;
            regex.find(text).is_none()
                && length("maxLength").is_none_or(|most| count <= most)
                && length("minLength").is_none_or(|least| count >= least)
        })
        .map(str::to_owned)
}

/// Returns all mutations of a valid body at one place that its schema forbids.
fn mutants(pointer: &str, schema: &Spot<'_>, value: &Value) -> Vec<Mutant> {
    let mut found = Vec::new();
    let mut add = |kind, value| found.push(Mutant { kind, pointer: pointer.to_owned(), value });
    let types = schema.types();
    if !types.is_empty() {
        let number_too = |kind: &str| kind == "number" && types.contains(&"number");
        for (kind, other) in one_of_each_type() {
            // A fraction is not an integer.
            if !types.contains(&kind) && !number_too(kind) {
                add("wrong type", Some(other));
            }
        }
    }
    if let Some(values) = schema.keyword("enum").and_then(Value::as_array) {
        let other = match values.first() {
            Some(Value::String(_)) => json!("mutant"),
            Some(Value::Number(_)) => json!(987_654),
            Some(Value::Bool(known)) => json!(!known),
            other => panic!("an enum of {other:?} is new"),
        };
        add("off enum", Some(other));
    }
    let unsigned = |key: &str| schema.keyword(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    if let Some(text) = value.as_str() {
        if let Some(most) = unsigned("maxLength") {
            let last = text.chars().next_back().unwrap_or('a');
            let longer: String = text.chars().chain(std::iter::repeat(last)).take(most + 1).collect();
            add("too long", Some(json!(longer)));
        }
        if let Some(least @ 1..) = unsigned("minLength") {
            let shorter: String = text.chars().take(least - 1).collect();
            add("too short", Some(json!(shorter)));
        }
        if let Some(other) = schema.keyword("pattern").and_then(Value::as_str).and_then(|p| off_pattern(p, schema)) {
            add("off pattern", Some(json!(other)));
        }
    }
    if value.is_number() {
        for (key, step) in [("minimum", -1), ("maximum", 1)] {
            match schema.keyword(key) {
                Some(bound) if bound.is_i64() => {
                    add("out of range", Some(json!(bound.as_i64().expect("it is one") + step)));
                }
                Some(bound) => {
                    let step = if step < 0 { -1.0 } else { 1.0 };
                    add("out of range", Some(json!(bound.as_f64().expect("a bound is a number") + step)));
                }
                None => {}
            }
        }
        if schema.keyword("format") == Some(&json!("int32")) {
            add("beyond int32", Some(json!(i64::from(i32::MAX) + 1)));
        }
    }
    if value.is_array() && unsigned("minItems") > Some(0) {
        add("too few", Some(json!([])));
    }
    if let Some(object) = value.as_object() {
        // A choice between lists of fields may still be satisfied; doc_tables.rs tests these rules.
        let whole: Vec<String> = schema.whole().into_iter().map(|part| part.pointer).collect();
        let required = fixtures::applicable(schema, value)
            .into_iter()
            .filter(|part| whole.contains(&part.pointer) || part.value.get("properties").is_some())
            .filter_map(|part| part.value.get("required"));
        for name in required.filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
            if object.contains_key(name) {
                found.push(Mutant { kind: "missing required", pointer: format!("{pointer}/{name}"), value: None });
            }
        }
    }
    found
}

/// Applies every mutation of a body, counts the rejected ones and returns the accepted ones.
fn mutate(
    name: &str,
    schema: &Spot<'static>,
    body: &Value,
    counts: &mut BTreeMap<&'static str, usize>,
    problems: &mut Vec<String>,
) -> usize {
    let validator: Validator = fixtures::validator(schema.document, schema.value);
    assert!(validator.is_valid(body), "{name}: {body} is not valid itself");
    let mut all = Vec::new();
    fixtures::walk(schema, body, "", &mut |pointer, spot, value| all.extend(mutants(pointer, spot, value)));
    for mutant in &all {
        if validator.is_valid(&mutant.apply(body)) {
            problems.push(format!("{name}: accepts {} {} = {:?}", mutant.kind, mutant.pointer, mutant.value));
        } else {
            *counts.entry(mutant.kind).or_default() += 1;
        }
    }
    all.len()
}

#[test]
fn mutants_of_examples_are_refused() {
    let (mut counts, mut problems) = (BTreeMap::new(), Vec::new());
    for body in all_bodies() {
        if mutate(&body.name, &body.schema, body.value(), &mut counts, &mut problems) == 0 {
            problems.push(format!("{}: nothing is forbidden", body.name));
        }
    }
    println!("refused mutants of examples: {counts:?}, in all {}", counts.values().sum::<usize>());
    report(&problems);
    for kind in ["wrong type", "missing required", "too long", "too short", "out of range", "off pattern", "off enum"] {
        assert!(counts.contains_key(kind), "no example has a mutant of the kind {kind}");
    }
}

/// Returns a value with all fields of a schema that its rules allow together.
fn sample(schema: &Spot<'static>) -> Value {
    let valid = |value: &Value| fixtures::is_valid(schema.document, schema.value, value);
    for key in ["example", "default"] {
        if let Some(value) = schema.keyword(key)
            && valid(value)
            && *value != json!("")
        {
            return value.clone();
        }
    }
    if let Some(value) = schema.keyword("enum").and_then(|values| values.get(0)) {
        return value.clone();
    }
    let holders: Vec<Spot<'_>> = schema.parts().into_iter().filter(Spot::is_object).collect();
    if !holders.is_empty() {
        let mut object = Map::new();
        for (name, property) in holders.iter().flat_map(Spot::properties) {
            object.insert(name.to_owned(), sample(&property));
        }
        return fit(object, schema);
    }
    if let Some(items) = schema.items() {
        return json!([sample(&items)]);
    }
    let candidates = [
        json!("sample"),
        json!("/sample"),
        json!("/sample.sql"),
        json!("s3a://sample"),
        json!("ModelArts.0105"),
        json!("APIG.0301"),
        json!("1"),
        json!(1),
        json!(true),
        json!(1.5),
        json!({}),
        json!([]),
    ];
    candidates.into_iter().find(|value| valid(value)).unwrap_or_else(|| panic!("no sample for {}", schema.pointer))
}

/// Removes fields until the rules about exclusive fields are satisfied.
fn fit(object: Map<String, Value>, schema: &Spot<'static>) -> Value {
    let validator = fixtures::validator(schema.document, schema.value);
    let names: Vec<String> = object.keys().cloned().collect();
    let without = |gone: &[&String]| {
        let kept = object.iter().filter(|(name, _)| !gone.contains(name));
        Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    let mut tries: Vec<Vec<&String>> = vec![Vec::new()];
    for size in 0..5 {
        let next: Vec<Vec<&String>> = tries.iter().filter(|gone| gone.len() == size).cloned().collect();
        for gone in next {
            let value = without(&gone);
            if validator.is_valid(&value) {
                return value;
            }
            let from = gone.last().map_or(0, |last| names.iter().position(|name| name == *last).expect("known") + 1);
            tries.extend(names[from..].iter().map(|name| gone.iter().copied().chain([name]).collect()));
        }
    }
    panic!("no sample for {}", schema.pointer);
}

#[test]
fn every_schema_refuses_something() {
    let (mut counts, mut problems) = (BTreeMap::new(), Vec::new());
    let mut schemas = 0;
    for document in spec::documents() {
        for (name, schema) in fixtures::schemas(document) {
            // A union of components: each of them is tried by itself.
            let parts = schema.value["anyOf"].as_array();
            if parts.is_some_and(|parts| parts.iter().all(|part| part.get("$ref").is_some())) {
                continue;
            }
            schemas += 1;
            let name = format!("{} {name}", document.name());
            let refused = mutate(&name, &schema, &sample(&schema), &mut counts, &mut problems);
            if refused == 0 {
                problems.push(format!("{name}: nothing is forbidden"));
            }
            for (property, spot) in schema.properties() {
                let free = spot.types().is_empty() && spot.value.get("x-any").is_none();
                let refused = one_of_each_type()
                    .iter()
                    .filter(|(_, value)| !fixtures::is_valid(document, spot.value, value))
                    .count();
                if free || refused == 0 {
                    problems.push(format!("{name}.{property}: takes a value of any type"));
                }
            }
        }
    }
    for (document, described) in operations() {
        for spot in fixtures::parameters(document, described) {
            schemas += 1;
            let name = format!("{} parameter {}", described.id(), spot.value["name"]);
            let schema = spot.get("schema").expect("a parameter has a schema");
            mutate(&name, &schema, &spot.value["example"], &mut counts, &mut problems);
        }
    }
    println!("{schemas} schemas; refused mutants of samples: {counts:?}, in all {}", counts.values().sum::<usize>());
    report(&problems);
}

#[test]
fn every_body_has_a_schema_that_refuses_something() {
    let mut problems = Vec::new();
    let mut bodies = 0;
    for (document, described) in operations() {
        let request = fixtures::operation_spot(document, described).get("requestBody").map(|spot| ("request", spot));
        for (status, holder) in request.into_iter().chain(fixtures::responses(document, described)) {
            let name = format!("{} {status}", described.id());
            if status == "204" {
                if holder.get("content").is_some() {
                    problems.push(format!("{name}: has content"));
                }
                continue;
            }
            let Some(schema) = fixtures::body_schema(&holder) else {
                problems.push(format!("{name}: has no schema"));
                continue;
            };
            bodies += 1;
            let taken: Vec<&str> = one_of_each_type()
                .into_iter()
                .filter(|(_, value)| fixtures::is_valid(document, schema.value, value))
                .map(|(kind, _)| kind)
                .collect();
            if !taken.iter().all(|kind| *kind == "object") {
                problems.push(format!("{name}: takes {taken:?}"));
            }
            let properties = schema.holders().iter().flat_map(Spot::properties).count();
            if properties == 0 {
                problems.push(format!("{name}: has no properties"));
            }
        }
    }
    println!("{bodies} bodies take objects only");
    report(&problems);
}

/// An extension with its place.
struct Decision {
    document: &'static Document,
    pointer: String,
    ids: Vec<String>,
    deviates: bool,
}

fn decisions(problems: &mut Vec<String>) -> Vec<Decision> {
    let mut found = Vec::new();
    for document in spec::documents() {
        collect(document, document.value(), &mut String::new(), &mut found, problems);
    }
    found
}

fn collect(
    document: &'static Document,
    value: &'static Value,
    pointer: &mut String,
    found: &mut Vec<Decision>,
    problems: &mut Vec<String>,
) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return,
    };
    for (key, inner) in entries {
        if key == "x-deviation" || key == "x-no-deviation" {
            let deviates = key == "x-deviation";
            let wanted: BTreeSet<&str> =
                if deviates { ["ids", "documented", "observed", "decision"].into() } else { ["ids", "reason"].into() };
            for entry in inner.as_array().into_iter().flatten() {
                let keys: BTreeSet<&str> =
                    entry.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
                if keys != wanted {
                    problems.push(format!("{} {pointer} {key}: has {keys:?}", document.name()));
                }
                let ids: Vec<String> = entry["ids"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect();
                if ids.is_empty() {
                    problems.push(format!("{} {pointer} {key}: has no ids", document.name()));
                }
                found.push(Decision { document, pointer: pointer.clone(), ids, deviates });
            }
            continue;
        }
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        collect(document, inner, pointer, found, problems);
        pointer.truncate(length);
    }
}

/// Returns whether a place belongs to an operation: inside of it, or in a component that it refers to.
fn reaches(document: &'static Document, described: Described<'static>, pointer: &str) -> bool {
    let mut open = vec![fixtures::operation_spot(document, described).pointer];
    open.extend(fixtures::parameters(document, described).into_iter().map(|spot| spot.pointer));
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        if !seen.insert(next.clone()) {
            continue;
        }
        if pointer == next || pointer.strip_prefix(&next).is_some_and(|rest| rest.starts_with('/')) {
            return true;
        }
        references(Spot::at(document, &next).value, &mut open);
    }
    false
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                found.push(reference.trim_start_matches('#').to_owned());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_contradiction_is_decided_at_its_place() {
    let tables = fixtures::tables();
    let mut problems = Vec::new();
    let decisions = decisions(&mut problems);
    let known: BTreeMap<&str, &fixtures::Contradiction> =
        tables.contradictions.iter().map(|one| (one.id.as_str(), one)).collect();
    let (mut deviating, mut settled) = (BTreeSet::new(), BTreeSet::new());
    for decision in &decisions {
        let at = format!("{} {}", decision.document.name(), decision.pointer);
        for id in &decision.ids {
            let Some(contradiction) = known.get(id.as_str()) else {
                problems.push(format!("{at}: {id} is no contradiction"));
                continue;
            };
            if decision.deviates {
                deviating.insert(id.as_str())
            } else {
                settled.insert(id.as_str())
            };
            // Contradictions of the SDK, of a general chapter or between pages are decided at the affected place.
            if contradiction.operation.contains(':') || contradiction.class == "cross_page" {
                continue;
            }
            let Some((document, described)) = spec::operation(&contradiction.operation) else {
                problems.push(format!("{id}: {} is no operation", contradiction.operation));
                continue;
            };
            if document.name() != decision.document.name() || !reaches(document, described, &decision.pointer) {
                problems.push(format!("{at}: {id} concerns {}, which is not there", contradiction.operation));
            }
        }
    }
    let wanted: BTreeSet<&str> =
        tables.contradictions.iter().filter(|one| one.class == "contradiction").map(|one| one.id.as_str()).collect();
    let decided: BTreeSet<&str> = deviating.union(&settled).copied().collect();
    problems.extend(wanted.difference(&decided).map(|id| format!("{id} ({}): undecided", known[id].operation)));
    problems
        .extend(deviating.intersection(&settled).map(|id| format!("{id}: is in x-deviation and in x-no-deviation")));
    println!(
        "{} of {} contradictions decided: {} deviate, {} do not; {} gaps and differences between pages besides",
        wanted.intersection(&decided).count(),
        wanted.len(),
        wanted.intersection(&deviating).count(),
        wanted.intersection(&settled).count(),
        decided.difference(&wanted).count(),
    );
    report(&problems);
    assert_eq!(wanted.len(), 279);
}

#[test]
fn examples_pair_up() {
    let mut problems = Vec::new();
    let mut pairs = 0;
    for (document, described) in operations() {
        let requests = described.value["x-example-requests"].as_object();
        for body in bodies(document, described) {
            let paired = requests.is_some_and(|requests| requests.contains_key(body.key));
            match body.status {
                Some(status) if !status.starts_with('2') => {}
                _ if paired => pairs += 1,
                _ => problems.push(format!("{}: no x-example-requests entry has this key", body.name)),
            }
            if body.status.is_some() && body.status.is_some_and(|status| status.starts_with('2')) {
                let examples = document.examples(described);
                let example = examples.iter().find(|example| example.key == body.key).expect("spec::examples lists it");
                let needs_body = described.value.get("requestBody").is_some();
                if example.parameters.is_none() || example.request.is_some() != needs_body {
                    problems.push(format!("{}: has no complete request", body.name));
                }
            }
        }
    }
    println!("{pairs} bodies have the key of a request");
    report(&problems);
}

#[test]
fn every_operation_is_complete() {
    let mut problems = Vec::new();
    let mut count = 0;
    for (document, described) in operations() {
        count += 1;
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("{}: {what}", described.id()));
            }
        };
        let value = described.value;
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
        for key in ["summary", "description"] {
            demand(text(&value[key]), key);
        }
        demand(value["summary"].as_str().is_some_and(|text| !text.ends_with('.')), "the summary is a title");
        demand(value["x-source"].as_array().is_some_and(|list| !list.is_empty() && list.iter().all(text)), "x-source");
        let docs = &value["externalDocs"];
        let url = docs["url"].as_str().is_some_and(|url| url.starts_with("https://"));
        demand(url && text(&docs["description"]), "externalDocs");
        let idempotent = match described.method {
            "post" => false,
            "get" => !described.path.ends_with("/cancel"),
            _ => true,
        };
        demand(value["x-idempotent"] == idempotent, "x-idempotent");
        let tags: Vec<&Value> =
            document.value()["tags"].as_array().into_iter().flatten().map(|tag| &tag["name"]).collect();
        demand(
            value["tags"].as_array().is_some_and(|list| list.len() == 1 && tags.contains(&&list[0])),
            "one of the document's tags",
        );
        let responses = fixtures::responses(document, described);
        for wanted in ["401", "429", "4XX", "5XX"] {
            demand(responses.iter().any(|(status, _)| *status == wanted), wanted);
        }
        demand(responses.iter().filter(|(status, _)| status.starts_with('2')).count() == 1, "one 2xx response");
        for (status, response) in &responses {
            demand(text(&response.value["description"]), &format!("a description of {status}"));
            demand(response.value["headers"].get("X-Request-Id").is_some(), &format!("X-Request-Id on {status}"));
        }
        for parameter in fixtures::parameters(document, described) {
            let name = parameter.value["name"].as_str().unwrap_or_default();
            demand(text(&parameter.value["description"]), &format!("a description of {name}"));
            demand(parameter.value.get("example").is_some(), &format!("an example of {name}"));
        }
        for (key, request) in value["x-example-requests"].as_object().into_iter().flatten() {
            let with_body = value.pointer(&format!("/requestBody/content/application~1json/examples/{key}/summary"));
            demand(with_body.or(request.get("summary")).is_some_and(text), &format!("a summary of the example {key}"));
        }
        for body in bodies(document, described) {
            demand(text(&body.example["summary"]), &format!("a summary of the example {}", body.key));
        }
    }
    println!("{count} operations are complete");
    report(&problems);
    assert_eq!(count, 58);
}
