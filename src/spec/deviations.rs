//! Contradictions within the documentation, and `openapi/README.md`, which lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};

use super::load::{self, Operation};
use super::{Document, documents};

/// A contradiction that the description decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation<'a> {
    /// The place, for example ``response `jobs[].status` ``.
    pub place: String,
    /// JSON pointer to the part of the document with the `x-deviation`.
    pub pointer: String,
    /// The affected operations, in the order of the document.
    pub operations: Vec<&'a str>,
    /// Numbers of the findings.
    pub ids: Vec<&'a str>,
    /// The documented behaviour.
    pub documented: &'a str,
    /// The behaviour in examples or on other pages.
    pub observed: &'a str,
    /// The decision of the description.
    pub decision: &'a str,
}

/// A finding that needs no deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption<'a> {
    /// The affected operation.
    pub operation: &'a str,
    /// Numbers of the findings.
    pub ids: Vec<&'a str>,
    /// The reason.
    pub reason: &'a str,
}

/// Returns all deviations of a document, in the order of its operations.
pub fn deviations(document: &Value) -> Vec<Deviation<'_>> {
    let mut walk = Walk { document, found: Vec::new(), at: BTreeMap::new(), open: BTreeSet::new(), operation: "" };
    for operation in load::operations(document) {
        walk.operation(operation);
    }
    walk.found
}

/// Returns all findings of a document that need no deviation.
pub fn exemptions(document: &Value) -> Vec<Exemption<'_>> {
    load::operations(document)
        .flat_map(|operation| {
            entries(operation.value, "x-no-deviation").map(move |entry| Exemption {
                operation: operation.id(),
                ids: ids(entry),
                reason: entry["reason"].as_str().unwrap_or_default(),
            })
        })
        .collect()
}

fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn ids(entry: &Value) -> Vec<&str> {
    entries(entry, "ids").filter_map(Value::as_str).collect()
}

/// Visits every part of the document that an operation uses, together with its place in the request or response.
struct Walk<'a> {
    document: &'a Value,
    found: Vec<Deviation<'a>>,
    /// Maps the pointer of a deviation to its entries in `found`.
    at: BTreeMap<String, std::ops::Range<usize>>,
    /// The components that are being visited, since a schema can contain itself.
    open: BTreeSet<&'a str>,
    operation: &'a str,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, operation: Operation<'a>) {
        self.operation = operation.id();
        let path = format!("/paths/{}", escape(operation.path));
        let own = format!("{path}/{}", operation.method);
        self.note(operation.value, "operation", &own);
        let lists = [(operation.item.get("parameters"), &path), (operation.value.get("parameters"), &own)];
        for (list, pointer) in lists {
            for (index, parameter) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
                self.parameter(parameter, format!("{pointer}/parameters/{index}"));
            }
        }
        if let Some(body) = operation.value.get("requestBody") {
            self.content(body, "request", &format!("{own}/requestBody"));
        }
        for (status, response) in operation.value["responses"].as_object().into_iter().flatten() {
            let place = if status.starts_with('2') { "response".to_owned() } else { format!("response {status}") };
            self.content(response, &place, &format!("{own}/responses/{status}"));
        }
    }

    fn parameter(&mut self, parameter: &'a Value, pointer: String) {
        let (parameter, pointer) = self.follow(parameter, pointer);
        let name = parameter["name"].as_str().unwrap_or_default();
        let place = format!("{} `{name}`", parameter["in"].as_str().unwrap_or("parameter"));
        self.note(parameter, &place, &pointer);
        self.schema(&parameter["schema"], &place, "", format!("{pointer}/schema"));
    }

    fn content(&mut self, body: &'a Value, side: &str, pointer: &str) {
        let (body, pointer) = self.follow(body, pointer.to_owned());
        self.note(body, side, &pointer);
        for (media_type, content) in body.get("content").and_then(Value::as_object).into_iter().flatten() {
            let pointer = format!("{pointer}/content/{}", escape(media_type));
            self.note(content, side, &pointer);
            self.schema(&content["schema"], side, "", format!("{pointer}/schema"));
        }
    }

    /// Visits a schema. `side` is the request or response, `path` the place in it: `jobs[].status`.
    fn schema(&mut self, schema: &'a Value, side: &str, path: &str, pointer: String) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            if !self.open.insert(reference) {
                return;
            }
            if let Some(target) = load::target(self.document, reference) {
                self.schema(target, side, path, reference.trim_start_matches('#').to_owned());
            }
            self.open.remove(reference);
            return;
        }
        let place = if path.is_empty() { side.to_owned() } else { format!("{side} `{path}`") };
        self.note(schema, &place, &pointer);
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.schema(property, side, &inner, format!("{pointer}/properties/{}", escape(name)));
        }
        for (key, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let Some(inner) = schema.get(key) {
                self.schema(inner, side, &format!("{path}{suffix}"), format!("{pointer}/{key}"));
            }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for (index, part) in entries(schema, key).enumerate() {
                self.schema(part, side, path, format!("{pointer}/{key}/{index}"));
            }
        }
    }

    fn follow(&self, value: &'a Value, pointer: String) -> (&'a Value, String) {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => (load::resolve(self.document, value), reference.trim_start_matches('#').to_owned()),
            None => (value, pointer),
        }
    }

    fn note(&mut self, value: &'a Value, place: &str, pointer: &str) {
        if value.get("x-deviation").is_none() {
            return;
        }
        if let Some(known) = self.at.get(pointer) {
            for deviation in &mut self.found[known.clone()] {
                if deviation.operations.last() != Some(&self.operation) {
                    deviation.operations.push(self.operation);
                }
            }
            return;
        }
        let start = self.found.len();
        self.found.extend(entries(value, "x-deviation").map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            Deviation {
                place: place.to_owned(),
                pointer: pointer.to_owned(),
                operations: vec![self.operation],
                ids: ids(entry),
                documented: text("documented"),
                observed: text("observed"),
                decision: text("decision"),
            }
        }));
        self.at.insert(pointer.to_owned(), start..self.found.len());
    }
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Returns the schema that a pointer is in, and the path from there: `TrainingJobConfig.spec_id`.
fn in_schema(pointer: &str) -> String {
    let way = pointer.strip_prefix("/components/").unwrap_or(pointer);
    let mut parts = way.split('/').skip(1).filter(|part| !matches!(*part, "properties" | "schema"));
    let name = parts.next().unwrap_or_default();
    parts.fold(name.to_owned(), |path, part| if part == "items" { path + "[]" } else { path + "." + part })
}

/// Returns the content of `openapi/README.md`.
pub fn readme() -> String {
    let mut totals = Totals::default();
    let mut lists = String::new();
    let mut contents = String::new();
    for document in documents() {
        let title = document.value()["info"]["title"].as_str().unwrap_or_default();
        let _ = write!(contents, "\n  - [{title}](#{})", anchor(title));
        let _ = write!(lists, "\n### {title}\n");
        service(document, &mut totals, &mut lists);
    }
    let operations: usize = documents().iter().map(|document| document.operations().count()).sum();
    let head = include_str!("publish/pages/readme.md")
        .replace("{rows}", &format!("{operations} operations"))
        .replace("{files}", files().trim_end())
        .replace("{contents}", &contents)
        .replace("{scalars}", scalars().trim_end());
    let mut page = head;
    let _ = write!(
        page,
        "\n## Deviations\n\n\
         Reading the documentation field by field left findings: places where a table, an example or another page\n\
         disagree. Each has a number, C001 and so on. {} of them are decided in {} deviations, listed here by operation;\n\
         {} need none, and the reason stands under the operation. \"Documented\" is what the tables and texts say,\n\
         \"observed\" what the examples or other pages show, \"here\" what the description does about it.\n\n\
         | | Deviations | Findings decided by them | Findings that need none |\n| --- | ---: | ---: | ---: |\n",
        totals.decided.len(),
        totals.deviations,
        totals.exempt.len(),
    );
    for (title, [deviations, decided, exempt]) in &totals.rows {
        let _ = writeln!(page, "| [{title}](#{}) | {deviations} | {decided} | {exempt} |", anchor(title));
    }
    let _ = writeln!(
        page,
        "| **All** | **{}** | **{}** | **{}** |",
        totals.deviations,
        totals.decided.len(),
        totals.exempt.len()
    );
    page + &lists + &mended() + &assumptions()
}

#[derive(Default)]
struct Totals {
    deviations: usize,
    decided: BTreeSet<&'static str>,
    exempt: BTreeSet<&'static str>,
    rows: Vec<(&'static str, [usize; 3])>,
}

fn service(document: &'static Document, totals: &mut Totals, page: &mut String) {
    let found = deviations(document.value());
    let exempt = exemptions(document.value());
    let decided: BTreeSet<&str> = found.iter().flat_map(|deviation| deviation.ids.iter().copied()).collect();
    let needless: BTreeSet<&str> = exempt.iter().flat_map(|exemption| exemption.ids.iter().copied()).collect();
    let title = document.value()["info"]["title"].as_str().unwrap_or_default();
    totals.rows.push((title, [found.len(), decided.len(), needless.len()]));
    totals.deviations += found.len();
    totals.decided.extend(decided);
    totals.exempt.extend(needless);

    let (shared, own): (Vec<_>, Vec<_>) = found.iter().partition(|deviation| deviation.operations.len() > 1);
    let of = |id: &str| -> Vec<&Deviation<'_>> {
        own.iter().filter(|deviation| deviation.operations == [id]).copied().collect()
    };
    let (told, brief): (Vec<_>, Vec<_>) = document.operations().partition(|operation| !of(operation.id()).is_empty());
    let links: Vec<String> = told.iter().map(|operation| format!("[{0}](#{0})", operation.id())).collect();
    let first = format!("Shared by operations of {title}");
    let last = format!("Without a deviation of their own in {title}");
    let _ = write!(page, "\n{}", links.join(" · "));
    for (heading, wanted) in [(&first, !shared.is_empty()), (&last, !brief.is_empty())] {
        if wanted {
            let short = if *heading == first { "shared" } else { "without a deviation of their own" };
            let _ = write!(page, " · [{short}](#{})", anchor(heading));
        }
    }
    page.push('\n');
    for operation in told {
        let id = operation.id();
        let summary = operation.value["summary"].as_str().unwrap_or_default();
        let _ = write!(page, "\n#### {id}\n\n{summary}: `{} {}`\n", operation.method.to_uppercase(), operation.path);
        table(page, "Where", of(id).into_iter().map(|deviation| (deviation.place.clone(), deviation)));
        let exempt: Vec<_> = exempt.iter().filter(|exemption| exemption.operation == id).collect();
        if !exempt.is_empty() {
            page.push_str("\nNeeds no deviation:\n\n");
            for exemption in exempt {
                let _ = writeln!(page, "- {} ({})", cell(exemption.reason), exemption.ids.join(", "));
            }
        }
    }
    if !shared.is_empty() {
        let _ = write!(page, "\n#### {first}\n");
        let mut groups: Vec<(&[&str], Vec<&Deviation<'_>>)> = Vec::new();
        for deviation in shared {
            match groups.iter_mut().find(|(operations, _)| *operations == deviation.operations) {
                Some((_, group)) => group.push(deviation),
                None => groups.push((&deviation.operations, vec![deviation])),
            }
        }
        for (operations, group) in groups {
            let used: Vec<_> = operations.iter().map(|id| format!("`{id}`")).collect();
            let _ = write!(page, "\nIn {}:\n", used.join(", "));
            table(page, "Schema", group.into_iter().map(|deviation| (schema_place(deviation), deviation)));
        }
    }
    if !brief.is_empty() {
        let _ = write!(
            page,
            "\n#### {last}\n\n| Operation | Finding that needs none, and why | Ids |\n| --- | --- | --- |\n"
        );
        for operation in brief {
            let mut rows = exempt.iter().filter(|exemption| exemption.operation == operation.id()).peekable();
            if rows.peek().is_none() {
                let _ = writeln!(page, "| `{}` | No finding. | |", operation.id());
            }
            for exemption in rows {
                let _ = writeln!(
                    page,
                    "| `{}` | {} | {} |",
                    operation.id(),
                    cell(exemption.reason),
                    exemption.ids.join(" ")
                );
            }
        }
    }
}

fn schema_place(deviation: &Deviation<'_>) -> String {
    if deviation.pointer.starts_with("/components/schemas/") {
        format!("`{}`", in_schema(&deviation.pointer))
    } else {
        deviation.place.clone()
    }
}

/// Writes one row for each decision. Places with the same decision share a row.
fn table<'a>(page: &mut String, first: &str, rows: impl Iterator<Item = (String, &'a Deviation<'a>)>) {
    let mut merged: Vec<(Vec<String>, Vec<&str>, &Deviation<'_>)> = Vec::new();
    for (place, deviation) in rows {
        let same = merged.iter_mut().find(|(.., other)| {
            (other.documented, other.observed, other.decision)
                == (deviation.documented, deviation.observed, deviation.decision)
        });
        match same {
            Some((places, ids, _)) => {
                places.push(place);
                ids.extend(deviation.ids.iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
            }
            None => merged.push((vec![place], deviation.ids.clone(), deviation)),
        }
    }
    if merged.is_empty() {
        return;
    }
    let _ = write!(page, "\n| {first} | Documented | Observed | Here | Ids |\n| --- | --- | --- | --- | --- |\n");
    for (places, mut ids, deviation) in merged {
        ids.sort_unstable();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            places.join("<br>"),
            cell(deviation.documented),
            cell(deviation.observed),
            cell(deviation.decision),
            ids.join(" "),
        );
    }
}

/// Escapes a text for a table cell.
fn cell(text: &str) -> String {
    let mut code = false;
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().fold(String::new(), |mut out, c| {
        code ^= c == '`';
        match c {
            '|' => out.push_str("\\|"),
            '<' if !code => out.push_str("&lt;"),
            _ => out.push(c),
        }
        out
    })
}

/// Returns the anchor that GitHub and most renderers give a heading.
pub(super) fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn files() -> String {
    let mut table = "| File | What | Version | Operations |\n| --- | --- | --- | ---: |\n".to_owned();
    for document in documents() {
        let info = &document.value()["info"];
        let what = info["description"].as_str().unwrap_or_default().split(". ").next().unwrap_or_default();
        let _ = writeln!(
            table,
            "| [{0}.yaml]({0}.yaml) | {what} | {1} | {2} |",
            document.name(),
            info["version"].as_str().unwrap_or_default(),
            document.operations().count(),
        );
    }
    table
}

/// Lists the components that accept a value in two forms.
fn scalars() -> String {
    let mut rows: BTreeMap<&str, (&str, Vec<&str>)> = BTreeMap::new();
    for document in documents() {
        for (name, schema) in document.value()["components"]["schemas"].as_object().into_iter().flatten() {
            if is_scalar_choice(schema) {
                let description = schema["description"].as_str().unwrap_or_default();
                rows.entry(name).or_insert((description, Vec::new())).1.push(document.name());
            }
        }
    }
    let mut table = "| Type | Meaning | In |\n| --- | --- | --- |\n".to_owned();
    for (name, (description, files)) in rows {
        let short = description.split(": ").next().unwrap_or_default().trim_end_matches('.');
        let _ = writeln!(table, "| `{name}` | {}. | {} |", cell(short), files.join(", "));
    }
    table
}

fn is_scalar_choice(schema: &Value) -> bool {
    let mut parts = entries(schema, "oneOf").chain(entries(schema, "anyOf")).peekable();
    parts.peek().is_some()
        && parts.all(|part| matches!(part["type"].as_str(), Some("string" | "integer" | "number" | "boolean")))
}

fn mended() -> String {
    let mut rows = String::new();
    for document in documents() {
        for operation in document.operations() {
            let mut found = Vec::new();
            collect(operation.value, "", "x-mended", &mut found);
            for (pointer, text) in found {
                let key = pointer.rsplit('/').next().unwrap_or_default();
                let side = match () {
                    () if pointer.starts_with("/responses") => "response",
                    () => "request",
                };
                let _ = writeln!(rows, "| `{}` | {side} `{key}` | {} |", operation.id(), cell(text));
            }
        }
    }
    format!(
        "\n## Mended examples\n\nAs printed, these documented examples are no valid request or no valid \
         JSON.\n\n| Operation | Example | What was mended |\n| --- | --- | --- |\n{rows}"
    )
}

fn assumptions() -> String {
    let mut rows = String::new();
    for document in documents() {
        let mut found = Vec::new();
        collect(document.value(), "", "x-assumption", &mut found);
        for (pointer, text) in found {
            let at = if pointer.starts_with("/components/") {
                format!("`{}`", in_schema(&pointer))
            } else {
                let holder = document.operations().find(|operation| {
                    pointer.starts_with(&format!("/paths/{}/{}/", escape(operation.path), operation.method))
                });
                let name = document.value().pointer(&pointer).and_then(|value| value["name"].as_str());
                format!("`{}` of `{}`", name.unwrap_or_default(), holder.map(Operation::id).unwrap_or_default())
            };
            let _ = writeln!(rows, "| {at} | {} |", cell(text));
        }
    }
    format!(
        "\n## Assumptions\n\nWhere the documentation says nothing at all and something had to be chosen.\n\n\
         | Where | Assumption |\n| --- | --- |\n{rows}"
    )
}

/// Returns every string under a key, with the pointer of its object.
fn collect<'a>(value: &'a Value, pointer: &str, key: &str, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::Object(map) => {
            if let Some(text) = map.get(key).and_then(Value::as_str) {
                found.push((pointer.to_owned(), text));
            }
            for (name, inner) in map as &Map<String, Value> {
                collect(inner, &format!("{pointer}/{}", escape(name)), key, found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect(inner, &format!("{pointer}/{index}"), key, found);
            }
        }
        _ => {}
    }
}
