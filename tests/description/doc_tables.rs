//! Compares the description with the tables of the documentation in both directions: every row is in the description,
//! and every property of the description has a row, an example or a reason. Each difference has an explanation at its
//! place.
#![cfg(feature = "spec")]

use crate::fixtures;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::fixtures::{Facts, Kind, Operation, Row, Side, Spot};
use huaweicloud_jobs::spec::{self, Document};
use serde_json::{Value, json};

/// The place of a property: document and pointer.
type Key = (&'static str, String);

/// The result for one row.
#[derive(Default)]
struct Verdict {
    /// Extensions at the place that explain a difference.
    reasons: BTreeSet<&'static str>,
    problems: Vec<String>,
}

/// A property or parameter with its context.
struct Place {
    spot: Spot<'static>,
    /// The object schema with the property, or `None` for a parameter.
    holder: Option<Spot<'static>>,
}

/// The subject of a difference; not every reason explains every difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concern {
    Name,
    Type,
    Mandatory,
    /// The rules between fields.
    Rule,
    /// The length or the range or the form of a value.
    Limit,
    Values,
    Default,
    /// The editions with the property, and the differences of the others.
    Edition,
    /// The presence of the property.
    Presence,
}

impl Concern {
    /// Returns the kinds of contradictions whose `x-deviation` explains it; contradictions that were found by eye
    /// explain any.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Concern::Name => &["name_case", "by_eye"],
            Concern::Type => &["type_mismatch", "json_in_string", "element_type_unstated", "cross_page", "by_eye"],
            Concern::Mandatory => &["mandatory_missing", "table_self_contradiction", "cross_page", "by_eye"],
            Concern::Rule => &["required_with_violation", "exclusive_violation", "table_self_contradiction"],
            Concern::Limit => &[],
            Concern::Values => &["enum_violation", "table_self_contradiction", "cross_page", "by_eye"],
            Concern::Default => &["mandatory_missing", "table_self_contradiction", "cross_page"],
            Concern::Edition => &["wrapper_not_in_table", "type_mismatch", "enum_violation", "cross_page", "by_eye"],
            Concern::Presence => &[
                "not_in_table",
                "wrapper_not_in_table",
                "undescribed_object",
                "null_value",
                "type_mismatch",
                "enum_violation",
                "cross_page",
                "by_eye",
            ],
        }
    }

    /// Returns whether an `x-edition-differs` explains it.
    fn differs_by_edition(self) -> bool {
        matches!(self, Concern::Type | Concern::Mandatory | Concern::Values | Concern::Default)
    }

    fn explained_by(self, spots: &[Spot<'static>]) -> Option<&'static str> {
        let contradictions = &fixtures::tables().contradictions;
        let decides = |spot: &Spot<'_>| {
            let entries = spot.value["x-deviation"].as_array().into_iter().flatten();
            let ids: Vec<String> = entries.flat_map(|entry| strings(&entry["ids"])).collect();
            contradictions.iter().any(|one| ids.contains(&one.id) && self.kinds().contains(&one.kind.as_str()))
        };
        let has = |key: &str| spots.iter().any(|spot| spot.value.get(key).is_some());
        if spots.iter().any(decides) {
            Some("x-deviation")
        } else if has("x-assumption") {
            Some("x-assumption")
        } else if self.differs_by_edition() && has("x-edition-differs") {
            Some("x-edition-differs")
        } else {
            None
        }
    }
}

impl Place {
    /// Returns the extension that explains a difference, here or at the target of a reference.
    fn explains(&self, concern: Concern) -> Option<&'static str> {
        let mut spots = self.spot.parts();
        spots.extend(self.schema().parts());
        concern.explained_by(&spots)
    }

    /// Returns the extension that explains a difference, here or at the object, for rules between fields.
    fn explains_with_holder(&self, concern: Concern) -> Option<&'static str> {
        self.explains(concern).or_else(|| concern.explained_by(self.holder.as_slice()))
    }

    /// The schema: a parameter holds it, a property is it.
    fn schema(&self) -> Spot<'static> {
        self.spot.get("schema").unwrap_or_else(|| self.spot.clone())
    }

    fn key(&self) -> Key {
        (self.spot.document.name(), self.spot.pointer.clone())
    }

    /// The extension, at the place or at what it refers to.
    fn extension(&self, key: &str) -> Option<&'static Value> {
        self.spot.value.get(key).or_else(|| self.schema().deep_parts().iter().find_map(|part| part.value.get(key)))
    }
}

impl Verdict {
    /// Requires a fact, or an extension that explains the difference.
    fn demand(&mut self, holds: bool, place: &Place, concern: Concern, problem: impl FnOnce() -> String) {
        if !holds {
            self.settle(place.explains(concern), problem);
        }
    }

    /// Requires a fact about several fields of an object; the object may explain the difference.
    fn demand_together(&mut self, holds: bool, place: &Place, concern: Concern, problem: impl FnOnce() -> String) {
        if !holds {
            self.settle(place.explains_with_holder(concern), problem);
        }
    }

    fn settle(&mut self, reason: Option<&'static str>, problem: impl FnOnce() -> String) {
        match reason {
            Some(key) => drop(self.reasons.insert(key)),
            None => self.problems.push(problem()),
        }
    }
}

/// The combined facts of all rows about a property.
#[derive(Default)]
struct Said {
    facts: Vec<Facts>,
    editions: BTreeSet<Option<String>>,
    rows: Vec<String>,
}

#[test]
fn tables_and_description_agree() {
    let tables = fixtures::tables();
    let mut said: BTreeMap<Key, Said> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut rows, mut matched) = (0, 0);

    for operation in &tables.operations {
        let Some((document, described)) = spec::operation(&operation.id) else {
            problems.push(format!("{}: no such operation", operation.id));
            continue;
        };
        if (described.method, described.path) != (operation.method.as_str(), operation.path.as_str()) {
            problems.push(format!("{}: is {} {}", operation.id, operation.method, operation.path));
        }
        if document.name() != operation.service {
            problems.push(format!("{}: belongs into {}", operation.id, operation.service));
        }
        let status = document.success_status(described);
        if !operation.success.is_empty() && status.is_none_or(|status| !operation.success.contains(&status)) {
            problems.push(format!("{}: succeeds with {:?}, not {status:?}", operation.id, operation.success));
        }
        for row in &operation.rows {
            rows += 1;
            let verdict = check_row(document, operation, row, &mut said);
            if verdict.problems.is_empty() {
                matched += 1;
                *counts.entry(if verdict.reasons.is_empty() { "exactly" } else { "with a reason" }).or_default() += 1;
                for reason in verdict.reasons {
                    *counts.entry(reason).or_default() += 1;
                }
            }
            problems.extend(verdict.problems.iter().map(|problem| format!("{}: {problem}", label(operation, row))));
        }
    }
    println!("{matched} of {rows} rows matched: {counts:?}");

    let shown = Shown::all();
    let (mut properties, mut parameters) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    for document in spec::documents() {
        for (place, name) in all_properties(document) {
            let name = format!("{} {name}", document.name());
            let backing = backing(&place, &said, shown);
            *properties.entry(backing.unwrap_or("nothing")).or_default() += 1;
            if backing.is_none() {
                problems.push(format!("{name}: no row, no example, no x-deviation and no x-assumption has it"));
            }
            let facts = said.get(&place.key());
            let mut verdict = Verdict::default();
            unsaid(&place, facts, shown, &tables.job_status, &mut verdict);
            problems.extend(verdict.problems.iter().map(|problem| format!("{name}: {problem}")));
        }
        for described in document.operations() {
            for spot in fixtures::parameters(document, described) {
                let place = Place { spot, holder: None };
                let name = format!("{} parameter {}", described.id(), place.spot.value["name"]);
                let backing = backing(&place, &said, shown);
                *parameters.entry(backing.unwrap_or("nothing")).or_default() += 1;
                if backing.is_none() {
                    problems.push(format!("{name}: no row, no example, no x-deviation and no x-assumption has it"));
                }
                let mut verdict = Verdict::default();
                unsaid(&place, said.get(&place.key()), shown, &tables.job_status, &mut verdict);
                problems.extend(verdict.problems.iter().map(|problem| format!("{name}: {problem}")));
            }
        }
    }
    println!("properties backed by: {properties:?}");
    println!("parameters backed by: {parameters:?}");
    problems.dedup();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert_eq!((rows, matched), (1191, 1191));
}

fn label(operation: &Operation, row: &Row) -> String {
    let field = row.field.as_deref().map(|field| format!("{field} > ")).unwrap_or_default();
    format!("{} {:?} {field}{}", operation.id, row.side, row.name)
}

/// Finds the row in the description and compares.
fn check_row(document: &'static Document, operation: &Operation, row: &Row, said: &mut BTreeMap<Key, Said>) -> Verdict {
    let mut verdict = Verdict::default();
    let described = document.operation(&operation.id).expect("the caller found it");
    let places = match row.side {
        Side::RequestHeader => {
            header_is_described(document, operation, row, &mut verdict);
            return verdict;
        }
        Side::ResponseHeader => {
            let found = fixtures::responses(document, described).into_iter().any(|(status, response)| {
                status.starts_with('2') && response.value["headers"].get(&row.name).is_some()
            });
            if !found {
                verdict.problems.push("no 2xx response has the header".to_owned());
            }
            return verdict;
        }
        Side::Path | Side::Query => parameter_places(document, described, row, &mut verdict),
        Side::Request => {
            let schema = fixtures::request_schema(document, described);
            schema.map(|schema| body_places(&schema, row, &mut verdict)).unwrap_or_default()
        }
        Side::Response => {
            let success =
                fixtures::responses(document, described).into_iter().find(|(status, _)| status.starts_with('2'));
            let schema = success.and_then(|(_, response)| fixtures::body_schema(&response));
            schema.map(|schema| body_places(&schema, row, &mut verdict)).unwrap_or_default()
        }
    };
    if places.is_empty() && verdict.problems.is_empty() {
        verdict.problems.push("not in the description".to_owned());
    }
    for place in &places {
        compare(place, row, &mut verdict);
        let entry = said.entry(place.key()).or_default();
        entry.facts.push(row.facts.clone());
        entry.editions.insert(row.only_in.clone());
        entry.rows.push(operation.id.clone());
    }
    verdict
}

/// A header that clients set by themselves: the token by way of `security`, the content type by way of the body.
fn header_is_described(document: &Document, operation: &Operation, row: &Row, verdict: &mut Verdict) {
    let described = document.operation(&operation.id).expect("the caller found it");
    let holds = match row.name.as_str() {
        "X-Auth-Token" => {
            let security = described.value.get("security").unwrap_or(&document.value()["security"]);
            let schemes = &document.value()["components"]["securitySchemes"];
            security.as_array().into_iter().flatten().filter_map(Value::as_object).flatten().any(|(scheme, _)| {
                schemes[scheme]["in"] == "header" && schemes[scheme]["name"].as_str() == Some(&row.name)
            })
        }
        "Content-Type" => match described.value.get("requestBody") {
            Some(body) => body["content"].get("application/json").is_some(),
            None => matches!(operation.method.as_str(), "get" | "delete"),
        },
        _ => false,
    };
    if !holds {
        verdict.problems.push("the header is not described".to_owned());
    }
}

fn parameter_places(
    document: &'static Document,
    described: spec::load::Operation<'static>,
    row: &Row,
    verdict: &mut Verdict,
) -> Vec<Place> {
    let side = if row.side == Side::Path { "path" } else { "query" };
    let mut places = Vec::new();
    for spot in fixtures::parameters(document, described) {
        let name = spot.value["name"].as_str().unwrap_or_default();
        if spot.value["in"] == side && name.eq_ignore_ascii_case(&row.name) {
            let place = Place { spot, holder: None };
            verdict.demand(name == row.name, &place, Concern::Name, || format!("is spelled {name}"));
            places.push(place);
        }
    }
    places
}

/// Returns the properties that a row describes.
fn body_places(root: &Spot<'static>, row: &Row, verdict: &mut Verdict) -> Vec<Place> {
    let holders = match &row.field {
        None => root.holders(),
        Some(field) => field_holders(root, field, verdict),
    };
    let mut places = named(&holders, &row.name);
    if places.is_empty() && row.field.is_none() {
        // A wrapper that the table does not show; the place must say so.
        for holder in &holders {
            for (_, wrapper) in holder.properties() {
                let place = Place { spot: wrapper.clone(), holder: Some(holder.clone()) };
                if place.explains_with_holder(Concern::Presence).is_some() {
                    places.extend(named(&wrapper.holders(), &row.name));
                }
            }
        }
        if !places.is_empty() {
            verdict.reasons.insert("x-deviation");
        }
    } else if row.field.is_some() && places.len() < holders.len() {
        for holder in &holders {
            if named(std::slice::from_ref(holder), &row.name).is_empty() {
                verdict.problems.push(format!("{} has no such property", holder.pointer));
            }
        }
    }
    for place in &places {
        let name = place.spot.pointer.rsplit('/').next().unwrap_or_default();
        verdict.demand(name == row.name, place, Concern::Name, || format!("is spelled {name}"));
    }
    places
}

/// Returns the properties of this name, otherwise those that differ only in case.
fn named(holders: &[Spot<'static>], wanted: &str) -> Vec<Place> {
    let all = || {
        holders.iter().flat_map(|holder| {
            holder
                .properties()
                .into_iter()
                .map(move |(name, spot)| (name, Place { spot, holder: Some(holder.clone()) }))
        })
    };
    let exact: Vec<Place> = all().filter(|(name, _)| *name == wanted).map(|(_, place)| place).collect();
    if !exact.is_empty() {
        return exact;
    }
    all().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, place)| place).collect()
}

/// Returns the objects in the field that a table describes.
fn field_holders(root: &Spot<'static>, field: &str, verdict: &mut Verdict) -> Vec<Spot<'static>> {
    let wanted: Vec<String> = field.split('.').map(str::to_ascii_lowercase).collect();
    let mut found: Vec<(Vec<String>, Spot<'static>)> = Vec::new();
    collect_fields(root, &mut Vec::new(), &mut Vec::new(), &mut |path, spot| {
        if path.ends_with(&wanted) {
            found.push((path.to_vec(), spot.clone()));
        }
    });
    if found.iter().any(|(path, _)| *path == wanted) {
        found.retain(|(path, _)| *path == wanted);
    }
    if found.is_empty() {
        verdict.problems.push(format!("no property {field}"));
    }
    let mut holders = Vec::new();
    for (path, spot) in found {
        let inner = spot.holders();
        if inner.is_empty() {
            verdict.problems.push(format!("{} has no properties", path.join(".")));
        }
        for holder in inner {
            if !holders.iter().any(|known: &Spot<'_>| known.pointer == holder.pointer) {
                holders.push(holder);
            }
        }
    }
    holders
}

/// Calls back for every property below a schema with the names on the way, in lower case.
fn collect_fields(
    schema: &Spot<'static>,
    path: &mut Vec<String>,
    open: &mut Vec<String>,
    see: &mut dyn FnMut(&[String], &Spot<'static>),
) {
    for holder in schema.holders() {
        if open.contains(&holder.pointer) {
            continue;
        }
        open.push(holder.pointer.clone());
        for (name, property) in holder.properties() {
            path.push(name.to_ascii_lowercase());
            see(path, &property);
            collect_fields(&property, path, open, see);
            path.pop();
        }
        open.pop();
    }
}

/// The JSON type, the width of an integer and the type of an array's elements that a printed type means.
#[derive(Debug, PartialEq, Eq)]
struct Printed {
    json: &'static str,
    wide: bool,
    items: Option<&'static str>,
}

fn printed(kind: &str) -> Printed {
    let lower = kind.to_ascii_lowercase();
    let plain = |json| Printed { json, wide: false, items: None };
    match lower.as_str() {
        "string" | "uuid" | "datetime" => plain("string"),
        "int" | "integer" => plain("integer"),
        "long" => Printed { json: "integer", wide: true, items: None },
        "bool" | "boolean" => plain("boolean"),
        "float" => plain("number"),
        "array" | "list" => plain("array"),
        "array of strings" => Printed { json: "array", wide: false, items: Some("string") },
        "json array" | "array<object>" => Printed { json: "array", wide: false, items: Some("object") },
        "json" | "object" | "dict" => plain("object"),
        _ if lower.ends_with(" object") || lower.starts_with("map<") => plain("object"),
        _ if lower.ends_with(" array") || lower.starts_with("array of ") => {
            Printed { json: "array", wide: false, items: Some("object") }
        }
        _ => panic!("the type {kind} is new"),
    }
}

/// Compares a row with the property or parameter it describes.
fn compare(place: &Place, row: &Row, verdict: &mut Verdict) {
    let schema = place.schema();
    if let Some(kind) = &row.kind {
        compare_type(place, &schema, kind, row, verdict);
    }
    compare_mandatory(place, row, verdict);
    compare_facts(place, &schema, row, verdict);
    compare_editions(place, row, verdict);
}

fn compare_type(place: &Place, schema: &Spot<'static>, kind: &str, row: &Row, verdict: &mut Verdict) {
    let documented = printed(kind);
    let types: Vec<&str> = schema.types().into_iter().filter(|kind| *kind != "null").collect();
    verdict.demand_together(types == [documented.json], place, Concern::Type, || {
        format!("documented as {kind}, described as {types:?}")
    });
    if documented.json == "integer" && types.contains(&"integer") {
        let formats: Vec<&Value> = schema.parts().iter().filter_map(|part| part.value.get("format")).collect();
        let wide = formats.iter().any(|format| **format == "int64");
        // Timestamps and what another edition calls Long do not fit into 32 bits.
        let widened = row.facts.format.as_deref().is_some_and(|format| format.starts_with("timestamp"))
            || row.differs.values().any(|other| other.kind.as_deref() == Some("Long"));
        let agrees = if documented.wide { wide } else { !wide || widened };
        verdict.demand(agrees, place, Concern::Type, || format!("documented as {kind}, described with {formats:?}"));
    }
    if let (Some(wanted), Some(items)) = (documented.items, schema.items()) {
        let types = items.types();
        verdict.demand(types == [wanted], place, Concern::Type, || format!("{kind}, but the elements are {types:?}"));
    }
}

fn compare_mandatory(place: &Place, row: &Row, verdict: &mut Verdict) {
    let Some(mandatory) = row.mandatory else { return };
    let (required, explained_by_rules) = match &place.holder {
        None => (place.spot.value["required"] == true, false),
        Some(holder) => {
            let listed = holder.whole().iter().any(|part| lists(part.value, "required", &row.name));
            let mut ruled = BTreeSet::new();
            composed_names(holder, &mut ruled);
            (listed, ruled.contains(&row.name) || stated_by_rule(holder, &[&row.name]))
        }
    };
    // A table for one kind of job cannot require a field of all kinds.
    if required == mandatory || (explained_by_rules && mandatory) || (row.variant.is_some() && !required) {
        return;
    }
    if row.side == Side::Response && !mandatory {
        // The mandatory column in a response's table repeats that of the request.
        return;
    }
    verdict.demand_together(false, place, Concern::Mandatory, || format!("mandatory {mandatory}, required {required}"));
}

fn lists(value: &Value, key: &str, wanted: &str) -> bool {
    value.get(key).and_then(Value::as_array).is_some_and(|list| list.iter().any(|name| name == wanted))
}

/// Whether an `x-rules` of the object names all these fields in one rule.
fn stated_by_rule(holder: &Spot<'_>, names: &[&str]) -> bool {
    holder
        .value
        .get("x-rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .any(|rule| names.iter().all(|name| rule.contains(&format!("`{name}`"))))
}

fn compare_facts(place: &Place, schema: &Spot<'static>, row: &Row, verdict: &mut Verdict) {
    let Facts {
        min_length,
        max_length,
        pattern,
        prefix,
        suffix,
        excluded_chars,
        minimum,
        maximum,
        decimals,
        default,
        values,
        enum_unsupported,
        unit,
        format,
        exclusive_with,
        required_with,
        one_of_required,
        one_of,
        not_needed_when_set,
        absent_on_success,
        unsupported,
        kept_for_compatibility,
        nullable,
        example,
        example_values,
    } = &row.facts;
    let mut equal = |keyword: &'static str, stated: Option<Value>| {
        let Some(stated) = stated else { return };
        let found = keyword_for(schema, keyword, row.kind.as_deref());
        let holds = found.is_some_and(|found| same(found, &stated));
        let concern = if keyword == "default" { Concern::Default } else { Concern::Limit };
        verdict.demand(holds, place, concern, || format!("{keyword} is {stated}, described as {found:?}"));
    };
    equal("minLength", min_length.map(Value::from));
    equal("maxLength", max_length.map(Value::from));
    equal("pattern", pattern.clone().map(Value::from));
    equal("minimum", minimum.map(Value::from));
    equal("maximum", maximum.map(Value::from));
    // `NULL` and a blank both mean that there is no value.
    equal("default", default.clone().map(|value| if value == "NULL" { json!("") } else { value }));
    if let Some(decimals) = decimals {
        let found = place.extension("x-decimals");
        verdict.demand(found == Some(&json!(decimals)), place, Concern::Limit, || format!("{decimals} decimals"));
    }
    if !values.is_empty() {
        let booleans = values.iter().all(Value::is_boolean) && schema.types().contains(&"boolean");
        // Limits of an array apply to its elements.
        let about = schema.items().unwrap_or_else(|| schema.clone());
        let found = keyword_for(&about, "enum", row.kind.as_deref());
        let range = about.parts().iter().any(|part| range_is(part, values));
        let holds = booleans || range || found.and_then(Value::as_array).is_some_and(|found| same_set(found, values));
        verdict.demand(holds, place, Concern::Values, || format!("values are {values:?}, described as {found:?}"));
    }
    if !enum_unsupported.is_empty() {
        let found = place.extension("x-unsupported").and_then(Value::as_array);
        let holds = found.is_some_and(|found| same_set(found, enum_unsupported));
        verdict
            .demand(holds, place, Concern::Values, || format!("unsupported are {enum_unsupported:?}, not {found:?}"));
    }
    if *unsupported {
        let found = place.extension("x-unsupported");
        verdict.demand(found == Some(&json!(true)), place, Concern::Limit, || {
            "unsupported, without x-unsupported".to_owned()
        });
    }
    if !prefix.is_empty() || !suffix.is_empty() || !excluded_chars.is_empty() {
        let found = keyword_for(schema, "pattern", row.kind.as_deref()).and_then(Value::as_str);
        let holds = found.is_some_and(|found| pattern_says(found, prefix, suffix, excluded_chars));
        verdict.demand(holds, place, Concern::Limit, || {
            format!("starts with {prefix:?}, ends with {suffix:?}, without {excluded_chars:?}; pattern {found:?}")
        });
    }
    let unit = match (unit.as_deref(), format.as_deref()) {
        (Some(unit), _) => Some(unit),
        (None, Some("timestamp" | "timestamp, 13 digits")) => Some("ms since the Unix epoch"),
        (None, Some("timestamp, 10 digits")) => Some("s since the Unix epoch"),
        (None, _) => None,
    };
    if let Some(unit) = unit {
        let found = place.extension("x-unit").and_then(Value::as_str);
        verdict.demand(found == Some(unit), place, Concern::Limit, || format!("unit is {unit}, not {found:?}"));
    }
    if *nullable {
        verdict.demand(schema.types().contains(&"null"), place, Concern::Limit, || "can be null".to_owned());
    }
    let description = place.extension("description").and_then(Value::as_str).unwrap_or_default();
    if *kept_for_compatibility {
        verdict
            .demand(description.contains("Not used"), place, Concern::Limit, || "is kept for compatibility".to_owned());
    }
    if *absent_on_success {
        let required = place.holder.as_ref().is_some_and(|holder| lists(holder.value, "required", &row.name));
        verdict.demand(!required, place, Concern::Mandatory, || "is absent on success, but required".to_owned());
    }
    for value in example.iter().chain(example_values) {
        let taken = fixtures::is_valid(schema.document, schema.value, value);
        verdict.demand(taken, place, Concern::Values, || format!("the example {value} is invalid"));
    }
    if let Some(holder) = &place.holder {
        let rules = [(exclusive_with, Together::Never), (required_with, Together::Always)];
        for (others, together) in rules {
            for other in others {
                let other = neighbor(holder, other);
                let holds =
                    rule_holds(holder, &row.name, other, together) || stated_by_rule(holder, &[&row.name, other]);
                verdict.demand(holds, place, Concern::Rule, || {
                    format!("goes {together:?} with {other}, and nothing says so")
                });
            }
        }
        if *one_of_required {
            let group: Vec<&str> =
                [row.name.as_str()].into_iter().chain(exclusive_with.iter().map(String::as_str)).collect();
            verdict
                .demand(one_is_needed(holder, &group), place, Concern::Rule, || format!("one of {group:?} is needed"));
        }
        if let Some(other) = not_needed_when_set {
            let holds = !lists(holder.value, "required", &row.name);
            verdict.demand(holds, place, Concern::Mandatory, || format!("is not needed with {other}"));
        }
        if !one_of.is_empty() {
            // The choice is about the fields inside, or about this field and its neighbors.
            let group: Vec<&str> = one_of.iter().map(String::as_str).collect();
            let inner = schema.holders();
            let about = if group.contains(&row.name.as_str()) { std::slice::from_ref(holder) } else { &inner };
            let holds = about.iter().any(|object| one_is_needed(object, &group) || stated_by_rule(object, &group));
            verdict.demand(holds, place, Concern::Rule, || format!("one of {group:?}, and nothing says so"));
        }
    } else {
        for other in exclusive_with.iter().chain(required_with) {
            // Only text can express rules between parameters.
            let operation_says =
                operations_using(place).all(|operation| stated_by_rule(&operation, &[&row.name, other]));
            verdict.demand(operation_says, place, Concern::Rule, || format!("no x-rules tells about {other}"));
        }
    }
}

/// Returns the operations with this parameter.
fn operations_using(place: &Place) -> impl Iterator<Item = Spot<'static>> {
    let document = place.spot.document;
    let pointer = place.spot.pointer.clone();
    document.operations().filter_map(move |described| {
        let found = fixtures::parameters(document, described).iter().any(|spot| spot.pointer == pointer);
        found.then(|| fixtures::operation_spot(document, described))
    })
}

/// The keyword where the documented type stands: of a choice between a number and its text, that is one branch.
fn keyword_for(schema: &Spot<'static>, key: &str, kind: Option<&str>) -> Option<&'static Value> {
    if let Some(found) = schema.keyword(key) {
        return Some(found);
    }
    let json = printed(kind?).json;
    let parts = schema.parts();
    parts.iter().filter(|part| part.types() == [json]).find_map(|part| part.value.get(key))
}

fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn same_set(left: &[Value], right: &[Value]) -> bool {
    left.len() == right.len() && left.iter().all(|value| right.contains(value))
}

/// Tests strings that the documentation allows and forbids.
fn pattern_says(pattern: &str, prefix: &[String], suffix: &[String], excluded: &str) -> bool {
    let regex = regress::Regex::new(pattern).expect("the pattern is one");
    let takes = |text: String| regex.find(&text).is_some();
    let (first, last) = (prefix.first().map_or("", String::as_str), suffix.first().map_or("", String::as_str));
    let all_prefixes = prefix.iter().all(|prefix| takes(format!("{prefix}x{last}")));
    let other_prefix = prefix.is_empty() || !takes(format!("x{last}"));
    let other_suffix = suffix.is_empty() || !takes(format!("{first}x"));
    let all_suffixes = suffix.iter().all(|suffix| takes(format!("{first}x{suffix}")));
    let no_excluded = excluded.chars().all(|bad| !takes(format!("{first}x{bad}x{last}")));
    takes(format!("{first}x{last}")) && all_prefixes && other_prefix && other_suffix && all_suffixes && no_excluded
}

/// Whether a range of integers holds exactly these values.
fn range_is(part: &Spot<'_>, values: &[Value]) -> bool {
    let (Some(low), Some(high)) = (part.value["minimum"].as_i64(), part.value["maximum"].as_i64()) else {
        return false;
    };
    values.iter().filter_map(Value::as_i64).eq(low..=high)
}

/// The property that a rule names; one page calls `dataset_version` by the name that it has elsewhere.
fn neighbor<'a>(holder: &Spot<'a>, name: &'a str) -> &'a str {
    let properties = holder.properties();
    if properties.iter().any(|(known, _)| *known == name) {
        return name;
    }
    properties.into_iter().map(|(known, _)| known).find(|known| name == format!("{known}_id")).unwrap_or(name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Together {
    Never,
    Always,
}

/// Whether the compositions of an object say that the second field goes never or always with the first.
fn rule_holds(holder: &Spot<'_>, first: &str, second: &str, together: Together) -> bool {
    let sets = allowed_sets(holder, &[first, second]);
    let has = |one: bool, two: bool| sets.iter().any(|set| set.contains(first) == one && set.contains(second) == two);
    match together {
        Together::Never => !has(true, true) && has(true, false) && has(false, true),
        Together::Always => !has(true, false) && has(true, true),
    }
}

/// Whether every allowed object has at least one field of the group, and each of them can be the one.
fn one_is_needed(holder: &Spot<'_>, group: &[&str]) -> bool {
    let sets = allowed_sets(holder, group);
    sets.iter().all(|set| group.iter().any(|name| set.contains(*name)))
        && group.iter().all(|name| sets.iter().any(|set| set.contains(*name)))
}

/// All sets of fields that the compositions of an object allow.
fn allowed_sets(holder: &Spot<'_>, names: &[&str]) -> Vec<BTreeSet<String>> {
    let mut universe: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    composed_names(holder, &mut universe);
    let universe: Vec<String> = universe.into_iter().collect();
    assert!(universe.len() <= 16, "{} has too many rules to try them all", holder.pointer);
    let always: BTreeSet<String> = strings(&holder.value["required"]).filter(|name| !universe.contains(name)).collect();
    (0_u32..1 << universe.len())
        .map(|bits| {
            let chosen = universe.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            chosen.map(|(_, name)| name.clone()).chain(always.iter().cloned()).collect()
        })
        .filter(|set| allows(holder, set))
        .collect()
}

fn strings(value: &Value) -> impl Iterator<Item = String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

/// The fields that the compositions of an object are about.
fn composed_names(holder: &Spot<'_>, names: &mut BTreeSet<String>) {
    for key in ["allOf", "anyOf", "oneOf"] {
        for index in 0..holder.value[key].as_array().map_or(0, Vec::len) {
            let branch = holder.get(key).and_then(|list| list.get(&index.to_string())).expect("it is listed");
            names.extend(strings(&branch.value["required"]));
            composed_names(&branch, names);
        }
    }
    if let Some(not) = holder.get("not") {
        names.extend(strings(&not.value["required"]));
        composed_names(&not, names);
    }
}

/// Whether an object with exactly these fields fulfils the rules on fields.
fn allows(holder: &Spot<'_>, fields: &BTreeSet<String>) -> bool {
    let count = |key: &str| {
        let length = holder.value[key].as_array().map_or(0, Vec::len);
        let list = holder.get(key);
        let branches = (0..length).filter_map(|index| list.as_ref()?.get(&index.to_string()));
        (branches.filter(|branch| allows(branch, fields)).count(), length)
    };
    let (all, any, one) = (count("allOf"), count("anyOf"), count("oneOf"));
    strings(&holder.value["required"]).all(|name| fields.contains(&name))
        && all.0 == all.1
        && (any.1 == 0 || any.0 > 0)
        && (one.1 == 0 || one.0 == 1)
        && holder.get("not").is_none_or(|not| !allows(&not, fields))
}

/// A difference of another edition must be at the place, or be decided there.
fn compare_editions(place: &Place, row: &Row, verdict: &mut Verdict) {
    for (edition, other) in &row.differs {
        let kind = match (&row.kind, &other.kind) {
            (Some(ours), Some(theirs)) => printed(ours).json != printed(theirs).json,
            (None, _) | (_, None) => false,
        };
        let facts = other.facts.as_ref().is_some_and(|facts| !only_another_blank(facts, &row.facts))
            || other.facts_absent.iter().any(|fact| fact != "enum" || !row.facts.values.iter().all(Value::is_boolean));
        let mandatory = other.mandatory.is_some();
        if !(kind || facts || mandatory) {
            continue;
        }
        let told = place.extension("x-edition-differs").and_then(Value::as_str).unwrap_or_default();
        let told = told.split(';').any(|part| part.trim().starts_with(&format!("{edition}: ")));
        verdict.demand(told, place, Concern::Edition, || {
            format!("edition {edition} differs, and x-edition-differs does not say so")
        });
        if told {
            verdict.reasons.insert("x-edition-differs");
        }
    }
}

/// Whether all that another edition states is a blank default, where this one prints `NULL`.
fn only_another_blank(other: &Facts, ours: &Facts) -> bool {
    let blank = |value: &Option<Value>| value.as_ref().is_some_and(|value| value == "" || value == "NULL");
    let rest = Facts { default: None, ..other.clone() };
    blank(&other.default) && blank(&ours.default) && rest == Facts::default()
}

/// The properties in the documentation's examples.
#[derive(Default)]
struct Shown {
    present: BTreeSet<Key>,
    types: BTreeMap<Key, BTreeSet<&'static str>>,
    parameters: BTreeSet<(String, String)>,
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Shown {
    fn all() -> &'static Shown {
        static SHOWN: LazyLock<Shown> = LazyLock::new(|| Shown::collect(fixtures::tables()));
        &SHOWN
    }

    fn collect(tables: &fixtures::Tables) -> Shown {
        let mut shown = Shown::default();
        for operation in &tables.operations {
            let Some((document, described)) = spec::operation(&operation.id) else { continue };
            for example in &operation.examples {
                for name in example.url.iter().flat_map(|url| query_names(url)) {
                    shown.parameters.insert((operation.id.clone(), name.to_owned()));
                }
                let Some(body) = &example.body else { continue };
                let schemas: Vec<Spot<'_>> = match example.kind {
                    Kind::Request => fixtures::request_schema(document, described).into_iter().collect(),
                    kind => fixtures::responses(document, described)
                        .into_iter()
                        .filter(|(status, _)| status.starts_with('2') == (kind == Kind::ResponseSuccess))
                        .filter_map(|(_, response)| fixtures::body_schema(&response))
                        .collect(),
                };
                for schema in schemas {
                    shown.see(document, &schema, body);
                }
            }
        }
        for error in &tables.error_bodies {
            for document in spec::documents().iter().filter(|document| document.name() == error.service) {
                for (name, schema) in fixtures::schemas(document) {
                    if name.ends_with("Error") && fixtures::is_valid(document, schema.value, &error.body) {
                        shown.see(document, &schema, &error.body);
                    }
                }
            }
        }
        shown
    }

    fn see(&mut self, document: &'static Document, schema: &Spot<'_>, body: &Value) {
        fixtures::walk(schema, body, "", &mut |_, spot, value| {
            let key = (document.name(), spot.pointer.clone());
            self.types.entry(key.clone()).or_default().insert(json_type(value));
            self.present.insert(key);
        });
    }
}

fn query_names(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name)
}

/// All properties of all schemas of a document, with a name for messages.
fn all_properties(document: &'static Document) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, Spot<'static>)> =
        fixtures::schemas(document).into_iter().map(|(name, spot)| (name.to_owned(), spot)).collect();
    while let Some((name, spot)) = open.pop() {
        for part in spot.holders().into_iter().filter(|part| part.pointer.starts_with(&spot.pointer)) {
            for (property, inner) in part.properties() {
                let name = format!("{name}.{property}");
                found.push((Place { spot: inner.clone(), holder: Some(part.clone()) }, name.clone()));
                if inner.value.get("$ref").is_none() {
                    open.push((name, inner));
                }
            }
        }
    }
    found.sort_by(|left, right| left.1.cmp(&right.1));
    found.dedup_by(|left, right| left.0.spot.pointer == right.0.spot.pointer);
    found
}

/// Returns the evidence for a property or parameter.
fn backing(place: &Place, said: &BTreeMap<Key, Said>, shown: &Shown) -> Option<&'static str> {
    if said.contains_key(&place.key()) {
        return Some("a row");
    }
    let name = place.spot.value["name"].as_str().unwrap_or_default();
    let in_url = place.holder.is_none()
        && operations_using(place).all(|operation| {
            let id = operation.value["operationId"].as_str().unwrap_or_default();
            shown.parameters.contains(&(id.to_owned(), name.to_owned()))
        });
    if in_url || shown.present.contains(&place.key()) {
        return Some("an example");
    }
    place.explains_with_holder(Concern::Presence)
}

/// Checks facts of the description without a row: each needs an example or a reason.
fn unsaid(place: &Place, said: Option<&Said>, shown: &Shown, job_status: &[i64], verdict: &mut Verdict) {
    let schema = place.schema();
    let facts = said.map_or(&[][..], |said| &said.facts);
    let stated = |test: &dyn Fn(&Facts) -> bool| facts.iter().any(test);
    let keyword = |key: &str| schema.keyword(key);
    let known: [(&str, bool); 7] = [
        // A path segment cannot be empty, whatever the table says.
        ("minLength", stated(&|facts| facts.min_length.is_some()) || place.spot.value["in"] == "path"),
        ("maxLength", stated(&|facts| facts.max_length.is_some())),
        (
            "pattern",
            stated(&|facts| {
                facts.pattern.is_some()
                    || !facts.prefix.is_empty()
                    || !facts.suffix.is_empty()
                    || !facts.excluded_chars.is_empty()
            }),
        ),
        ("minimum", stated(&|facts| facts.minimum.is_some())),
        ("maximum", stated(&|facts| facts.maximum.is_some())),
        ("default", stated(&|facts| facts.default.is_some())),
        ("enum", stated(&|facts| !facts.values.is_empty())),
    ];
    for (key, known) in known {
        let Some(found) = keyword(key) else { continue };
        if key == "minLength" && *found == 0 {
            continue;
        }
        // An object without a table explains its fields itself.
        let holder = if said.is_none() { place.explains_with_holder(Concern::Presence) } else { None };
        let concern = match key {
            "default" => Concern::Default,
            "enum" => Concern::Values,
            _ => Concern::Limit,
        };
        verdict.demand(known || holder.is_some(), place, concern, || format!("{key} {found} is in no table"));
    }
    // A choice that holds a number holds all codes of a list: of the row, or of the appendix on job states.
    for part in schema.parts() {
        let bounds = (part.value["minimum"].as_i64(), part.value["maximum"].as_i64());
        if let ((Some(low), Some(high)), None) = (bounds, keyword("minimum")) {
            let appendix = job_status.iter().copied().eq(low..=high)
                || stated(&|facts| range_is(&part, &facts.values))
                || stated(&|facts| (facts.minimum, facts.maximum) == (Some(low as f64), Some(high as f64)));
            verdict.demand(appendix, place, Concern::Limit, || format!("{low} to {high} is in no table"));
        }
        if let (Some(values), None) = (part.value["enum"].as_array(), keyword("enum")) {
            let row = stated(&|facts| !facts.values.is_empty());
            // A branch of a choice is there because of a contradiction about the type.
            verdict.demand(row, place, Concern::Type, || format!("values {values:?} are in no table"));
        }
    }
    if schema.types().contains(&"null") {
        let known = stated(&|facts| facts.nullable)
            || shown.types.get(&place.key()).is_some_and(|types| types.contains("null"));
        verdict.demand(known, place, Concern::Type, || "can be null, which no example shows".to_owned());
    }
    if place.extension("x-unsupported").is_some() {
        let known = stated(&|facts| facts.unsupported || !facts.enum_unsupported.is_empty());
        verdict.demand(known, place, Concern::Values, || "x-unsupported is in no table".to_owned());
    }
    let Some(said) = said else { return };
    let only: Vec<&String> = said.editions.iter().flatten().collect();
    let edition = match only[..] {
        [editions] if !said.editions.contains(&None) => json!(editions.split('+').collect::<Vec<_>>()),
        _ => Value::Null,
    };
    let found = place.spot.value.get("x-edition").unwrap_or(&Value::Null);
    // A row that one edition alone has may belong to an object of which the place says so.
    let holder = place.holder.as_ref().and_then(|holder| holder.value.get("x-edition")).unwrap_or(&Value::Null);
    verdict.demand(*found == edition || (found.is_null() && *holder == edition), place, Concern::Edition, || {
        format!("x-edition is {found}, the rows of {:?} say {edition}", said.rows)
    });
}
