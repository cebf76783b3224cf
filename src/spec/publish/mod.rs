//! Exports the descriptions as files: YAML, JSON, pages that need no network, and checksums.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Write as _;
use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::errors::{self, ErrorFile};
use super::load::{self, Operation};
use super::{Document, control, deviations, documents, html};
use crate::error::{ErrorCode, Retry};

pub mod clouds;
pub mod conformance;
pub mod generators;
mod markdown;
mod newer;

/// The renderer of the pages; see `assets/redoc/README.md`.
const RENDERER: &str = include_str!("../../../assets/redoc/redoc.standalone.js");
/// The only address that the renderer would load from: a picture beside its name.
const PICTURE: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_PICTURE: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";
/// The name of the file with the checksums of all other files.
const SUMS: &str = "SHA256SUMS";
/// Where the page for users of other languages is, seen from `openapi/README.md`.
const PUBLISHING: &str = "../docs/publishing.md";

macro_rules! workflows {
    ($($name:literal),+) => {
        &[$(($name, include_str!(concat!("../../../openapi/workflows/", $name, ".yaml")))),+]
    };
}

/// The documented updates as Arazzo workflows.
const WORKFLOWS: &[(&str, &str)] = workflows!(
    "update-training-job",
    "update-created-training-job",
    "update-visualization-job",
    "update-labeling-job",
    "update-mrs-job"
);

/// Exports all files into a directory and returns their names. Files of an earlier export are overwritten. Each file is
/// written atomically.
///
/// # Errors
///
/// `AlreadyExists` if a file of the same name was not written by an export, or was changed since; then nothing is
/// written. Otherwise an error of the file system.
pub fn export(directory: &Path) -> io::Result<Vec<String>> {
    let readme = deviations::readme().replace(&format!("({PUBLISHING})"), "(publishing.html)");
    let mut files = vec![
        (
            "README.html".to_owned(),
            markdown::page("The description", &readme, |link| exported(link).then(|| link.to_owned())),
        ),
        ("README.md".to_owned(), readme),
        (
            "publishing.html".to_owned(),
            markdown::page("Using the description", include_str!("../../../docs/publishing.md"), of_guide),
        ),
        ("index.html".to_owned(), index()),
    ];
    for document in documents().iter().chain([control()]) {
        let name = document.name();
        files.extend(forms(document)?.map(|(ending, text)| (format!("{name}.{ending}"), text)));
        files.push((format!("3.1/{name}.yaml"), yaml(&newer::upgrade(document.value()))?));
    }
    for document in documents() {
        let name = document.name();
        files.push((format!("generators/{name}.yaml"), yaml(&generators::view(document))?));
        files.push((format!("conformance/{name}.json"), pretty(&conformance::vectors(document).into())));
    }
    files.push((
        "conformance/signing.json".to_owned(),
        include_str!(concat!(env!("OUT_DIR"), "/signing.json")).to_owned(),
    ));
    files.push(("conformance/README.md".to_owned(), include_str!("conformance/README.md").to_owned()));
    files.push(("conformance/run.py".to_owned(), include_str!("conformance/run.py").to_owned()));
    files.extend(WORKFLOWS.iter().map(|(name, text)| (format!("workflows/{name}.yaml"), (*text).to_owned())));
    files.extend(clouds::files(forms)?);
    files.push(("errors.html".to_owned(), error_page()));
    for file in errors::files() {
        files.push((format!("errors/{}.yaml", file.name()), file.yaml().to_owned()));
        files.push((format!("errors/{}.json", file.name()), pretty(file.value())));
    }
    files.sort();
    let sums = files.iter().fold(String::new(), |mut sums, (name, content)| {
        let _ = writeln!(sums, "{}  {name}", hex::encode(Sha256::digest(content)));
        sums
    });
    // The checksums are last: until then each file belongs to the earlier export, whose checksums are still there, or
    // to this one.
    files.push((SUMS.to_owned(), sums));
    let earlier = fs::read_to_string(directory.join(SUMS)).unwrap_or_default();
    let earlier: BTreeMap<&str, &str> =
        earlier.lines().filter_map(|line| line.split_once("  ")).map(|(sum, name)| (name, sum)).collect();
    // A checksum file of other programs has other names in it.
    let is_earlier =
        documents().iter().all(|document| earlier.contains_key(format!("{}.html", document.name()).as_str()));
    for (name, content) in &files {
        let path = directory.join(name);
        let own = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {
                let there = fs::read(&path)?;
                let known = || hex::encode(Sha256::digest(&there));
                there == content.as_bytes()
                    || is_earlier && (name == SUMS || earlier.get(name.as_str()).is_some_and(|sum| *sum == known()))
            }
            // A link would make the export overwrite another file.
            Ok(_) => false,
            Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        };
        if !own {
            let reason = format!("{name} is there and not from an export, or changed since; nothing was written");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
        }
    }
    fs::create_dir_all(directory)?;
    for (name, content) in &files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        replace(&path, content)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// Writes a file atomically. Its permissions follow the user's umask.
fn replace(path: &Path, content: &str) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(path.parent().unwrap_or(path))?;
    file.write_all(content.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Whether a link of the README leads to something in the exported folder.
fn exported(link: &str) -> bool {
    let outside = link.starts_with("..") || link.starts_with("released/");
    !outside
}

/// Where a link of the page for users of other languages leads from inside the exported folder.
fn of_guide(link: &str) -> Option<String> {
    match link.split_once('#').map_or(link, |(file, _)| file) {
        "" => Some(link.to_owned()),
        "../openapi/README.md" => Some(link.replace("../openapi/README.md", "README.html")),
        _ if link.starts_with("https://") => Some(link.to_owned()),
        _ => None,
    }
}

fn yaml(value: &Value) -> io::Result<String> {
    serde_saphyr::to_string(value).map_err(io::Error::other)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Returns a document in YAML, JSON and HTML, each with the ending of its file.
fn forms(document: &Document) -> io::Result<[(&'static str, String); 3]> {
    Ok([("yaml", text(document)?), ("json", pretty(document.value())), ("html", reference(document))])
}

/// Returns a document in YAML: the description as it is written, the edition of a cloud as it results.
///
/// # Errors
///
/// Fails if the document cannot be written as YAML.
pub fn text(document: &Document) -> io::Result<String> {
    match document.cloud() {
        None => Ok(document.yaml().to_owned()),
        Some(_) => yaml(document.value()),
    }
}

/// Returns the HTML reference of a document: one searchable file with all examples that loads nothing.
pub fn reference(document: &Document) -> String {
    let title = title(document);
    // `</` would end the script element; JSON allows an escaped slash.
    let description = presented(document).to_string().replace("</", "<\\/");
    include_str!("pages/reference.html")
        .replace("{title}", &html(&title))
        .replace("{name}", document.name())
        .replace("{renderer}", &RENDERER.replace(PICTURE, NO_PICTURE))
        .replace("{description}", &description)
}

/// Returns the title of a document, with the name of the cloud whose edition it is.
fn title(document: &Document) -> String {
    let title = document.value()["info"]["title"].as_str().unwrap_or_default();
    match document.cloud() {
        None => title.to_owned(),
        Some(cloud) => format!("{title}: {cloud}"),
    }
}

/// Returns the document for the renderer: descriptions include the content of our extensions.
fn presented(document: &Document) -> Value {
    let mut value = document.value().clone();
    let name = document.name();
    let up = if document.cloud().is_some() { "../../" } else { "" };
    let links = format!(
        "\n\nThe same as data: [{name}.yaml]({name}.yaml), [{name}.json]({name}.json). \
         See also [the other APIs]({up}index.html) and [the error codes]({up}errors.html)."
    );
    value["info"]["title"] = title(document).into();
    append(&mut value["info"], &links);
    for operation in document.operations() {
        let samples = samples(document, operation);
        let shown = &mut value["paths"][operation.path][operation.method];
        if !samples.is_empty() {
            shown["x-codeSamples"] = Value::Array(samples);
        }
        let repeated = if operation.value["x-idempotent"] == true {
            "Sending it twice has the effect of sending it once."
        } else {
            "Sending it twice may do it twice."
        };
        let lifecycle = load::lifecycle(operation.value).join(" ");
        append(shown, &format!("\n\n{repeated}\n\n{lifecycle}"));
    }
    tell(&mut value);
    value
}

fn append(holder: &mut Value, text: &str) {
    let description = holder["description"].as_str().unwrap_or_default();
    holder["description"] = json!(format!("{description}{text}").trim_start());
}

/// Adds the content of extensions to the descriptions beside them.
fn tell(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let mut notes = notes(map);
            map.retain(|key, _| !key.starts_with("x-") || key == "x-codeSamples");
            for key in ["oneOf", "anyOf", "allOf", "not"] {
                // The renderer would show rules between fields as empty alternative objects.
                if let Some(rules) = map.get(key).and_then(|part| field_rules(key, part)) {
                    map.shift_remove(key);
                    notes = format!("{}\n\n{notes}", sentence(&rules)).trim_end().to_owned();
                }
            }
            for (key, inner) in map.iter_mut() {
                match key.as_str() {
                    // These values are data.
                    "example" | "default" | "enum" | "value" | "x-codeSamples" => {}
                    // These keys are names of fields, which can equal a keyword.
                    "properties" => inner.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(tell),
                    _ => tell(inner),
                }
            }
            if !notes.is_empty() {
                append(value, &format!("\n\n{notes}"));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tell),
        _ => {}
    }
}

/// Returns rules between fields in words, if a composition contains only rules.
fn field_rules(key: &str, part: &Value) -> Option<String> {
    let parts = || part.as_array()?.iter().map(field_rule).collect::<Option<Vec<_>>>();
    Some(match key {
        "oneOf" => format!("exactly one of: {}", parts()?.join("; ")),
        "anyOf" => format!("at least one of: {}", parts()?.join("; ")),
        "allOf" => parts()?.iter().map(|rule| sentence(rule.trim_matches(['(', ')']))).collect::<Vec<_>>().join("\n\n"),
        _ => format!("not {}", field_rule(part)?),
    })
}

fn field_rule(schema: &Value) -> Option<String> {
    let rules = schema.as_object()?.iter().map(|(key, value)| match key.as_str() {
        "required" => {
            let fields: Vec<_> =
                value.as_array()?.iter().map(|field| format!("`{}`", field.as_str().unwrap_or(""))).collect();
            Some(fields.join(" and "))
        }
        "oneOf" | "anyOf" | "allOf" | "not" => Some(format!("({})", field_rules(key, value)?)),
        _ => None,
    });
    Some(rules.collect::<Option<Vec<_>>>()?.join(", "))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

fn notes(map: &Map<String, Value>) -> String {
    let mut notes = Vec::new();
    let list = |key: &str| map.get(key).and_then(Value::as_array).into_iter().flatten();
    let words = |key: &str| match map.get(key) {
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Some(Value::String(word)) => word.clone(),
        _ => String::new(),
    };
    if let Some(unit) = map.get("x-unit").and_then(Value::as_str) {
        notes.push(format!("Unit: {unit}."));
    }
    if let Some(decimals) = map.get("x-decimals") {
        notes.push(format!("Decimal places: {decimals}."));
    }
    for (key, label) in [
        ("x-unsupported", "Not supported"),
        ("x-edition", "Printed only by"),
        ("x-edition-differs", "Differs in"),
        ("x-mended", "Mended"),
        ("x-assumption", "Assumed"),
    ] {
        let words = if key.starts_with("x-edition") { editions(&words(key)) } else { words(key) };
        if !words.is_empty() {
            notes.push(format!("{label}: {}.", words.trim_end_matches('.')));
        }
    }
    let rules: Vec<_> = list("x-rules").filter_map(Value::as_str).map(|rule| format!("- {rule}")).collect();
    if !rules.is_empty() {
        notes.push(format!("Rules:\n{}", rules.join("\n")));
    }
    for deviation in list("x-deviation") {
        let text = |key: &str| deviation[key].as_str().unwrap_or_default();
        notes.push(format!(
            "<details><summary>Deviation</summary>\n\nDocumented: {}\n\nObserved: {}\n\nHere: {}\n\n</details>",
            text("documented"),
            text("observed"),
            text("decision")
        ));
    }
    let sources: Vec<_> = list("x-source").filter_map(Value::as_str).map(|source| format!("- {source}")).collect();
    if !sources.is_empty() {
        notes.push(format!("Written from these pages:\n{}", sources.join("\n")));
    }
    notes.join("\n\n")
}

/// The editions of the documentation by what readers can look for: `en: at most 64` becomes `the English edition: at most 64`.
fn editions(text: &str) -> String {
    const NAMES: [(&str, &str); 4] = [
        ("zh-2019", "the Chinese edition of 2019"),
        ("zh", "the Chinese edition"),
        ("en", "the English edition"),
        ("seed", "the page of this operation"),
    ];
    let name = |word: &str| NAMES.iter().find(|(short, _)| *short == word).map_or(word, |(_, name)| name).to_owned();
    match text.split_once(": ") {
        Some((edition, rest)) => format!("{}: {rest}", name(edition)),
        None => text.split(", ").map(name).collect::<Vec<_>>().join(" and "),
    }
}

/// Returns the documented requests without a body, which the renderer does not show.
fn samples(document: &Document, operation: Operation<'_>) -> Vec<Value> {
    let examples = document.examples(operation).into_iter().filter(|example| example.request.is_none());
    examples
        .filter_map(|example| {
            let request = request_line(document, operation, example.parameters?);
            Some(json!({"lang": "http", "label": example.key, "source": request}))
        })
        .collect()
}

fn request_line(document: &Document, operation: Operation<'_>, values: &Map<String, Value>) -> String {
    let mut path = operation.path.to_owned();
    let mut query = form_urlencoded::Serializer::new(String::new());
    for parameter in operation.parameters(document.value()) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if parameter["in"] == "path" {
            let value = values.get(name).unwrap_or(&parameter["example"]);
            path = path.replace(&format!("{{{name}}}"), &text(value));
        } else if let Some(value) = values.get(name) {
            query.append_pair(name, &text(value));
        }
    }
    let query = query.finish();
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let server = &document.value()["servers"][0];
    let mut host = server["url"].as_str().unwrap_or_default().trim_start_matches("https://").to_owned();
    for (name, variable) in server["variables"].as_object().into_iter().flatten() {
        host = host.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
    }
    format!("{} {target} HTTP/1.1\nHost: {host}\nX-Auth-Token: ...\n", operation.method.to_uppercase())
}

fn index() -> String {
    let named = |kind: &str, more: &[&str]| -> Vec<String> {
        let own = documents().iter().map(|document| format!("{}.{kind}", document.name()));
        own.chain(more.iter().map(|name| (*name).to_owned())).collect()
    };
    let folders = [
        ("Code generators", "generators", named("yaml", &[])),
        ("Tools that read OpenAPI 3.1", "3.1", named("yaml", &["emulator.yaml"])),
        ("Conformance tests", "conformance", named("json", &["signing.json", "README.md", "run.py"])),
        ("Workflows (Arazzo)", "workflows", WORKFLOWS.iter().map(|(name, _)| format!("{name}.yaml")).collect()),
    ];
    let folders = folders.map(|(title, folder, names)| {
        let links = names.iter().map(|name| format!("<a href=\"{folder}/{name}\">{name}</a>"));
        format!("<tr><td>{title}</td><td>{}</td></tr>\n", links.collect::<Vec<_>>().join(" "))
    });
    let folders = folders.concat();
    let rows = documents().iter().chain([control()]).fold(String::new(), |mut rows, document| {
        let info = &document.value()["info"];
        let name = document.name();
        let _ = writeln!(
            rows,
            "<tr><td><a href=\"{name}.html\">{}</a></td><td>{}</td><td>{}</td>\
             <td><a href=\"{name}.yaml\">YAML</a> <a href=\"{name}.json\">JSON</a></td></tr>",
            html(info["title"].as_str().unwrap_or_default()),
            html(info["version"].as_str().unwrap_or_default()),
            document.operations().count(),
        );
        rows
    });
    let links: Vec<_> = errors::files()
        .iter()
        .map(ErrorFile::name)
        .map(|name| {
            format!("{name} (<a href=\"errors/{name}.yaml\">YAML</a>, <a href=\"errors/{name}.json\">JSON</a>)")
        })
        .collect();
    include_str!("pages/index.html")
        .replace("{style}", markdown::STYLE)
        .replace("{rows}", &rows)
        .replace("{folders}", &folders)
        .replace("{clouds}", &clouds::rows())
        .replace("{errors}", &links.join(", "))
        .replace("{version}", env!("CARGO_PKG_VERSION"))
}

fn error_page() -> String {
    let (described, others): (Vec<_>, Vec<_>) =
        ErrorCode::all().iter().partition(|code: &&ErrorCode| code.meaning().is_some());
    let rows = described.iter().chain(&others).fold(String::new(), |mut rows, code| {
        let statuses: Vec<_> = code.statuses().iter().map(u16::to_string).collect();
        let retry = match code.retry() {
            Retry::Yes => "yes",
            Retry::Later => "later",
            Retry::No => "no",
        };
        let _ = writeln!(
            rows,
            "<tr><td><code>{}</code></td><td>{}</td><td>{retry}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            html(code.code()),
            statuses.join(" "),
            html(&code.group().map(|group| format!("{}, {group}", code.family())).unwrap_or(code.family().to_owned())),
            html(code.meaning().unwrap_or_default()),
            html(code.remedy().unwrap_or_default()),
        );
        rows
    });
    include_str!("pages/errors.html")
        .replace("{style}", markdown::STYLE)
        .replace("{described}", &described.len().to_string())
        .replace("{others}", &others.len().to_string())
        .replace("{rows}", &rows)
}
