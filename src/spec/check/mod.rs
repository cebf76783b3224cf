//! Finds constructs that the generator does not support or that its users would not want, and reports each with its place
//! and a remedy.
//!
//! `progenitor` and `typify` panic on some OpenAPI constructs and ignore others. Each rule here covers one such limit
//! and runs on the strict description before anything is generated. Limits of generator features that this crate does
//! not use (paging streams, command line, HTTP mocks) need no rule. `lower` handles errors without a JSON body and
//! closed enums.

mod operations;
mod schemas;

use std::fmt;

use serde_json::Value;

use super::{load, schema};

/// A construct that the generator does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the rule.
    pub rule: &'static str,
    /// The place in the YAML: keys joined by ` > `.
    pub at: String,
    /// The problem.
    pub message: String,
    /// The remedy.
    pub remedy: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]; {}", self.at, self.message, self.rule, self.remedy)
    }
}

/// Returns all problems of a description. Without any, the generator supports it.
pub fn check(document: &Value) -> Vec<Problem> {
    let mut report = Report { document, problems: Vec::new() };
    report.version();
    report.references(document, &mut Vec::new());
    report.operations();
    report.schemas();
    report.sides();
    report.equal_schemas();
    report.problems
}

struct Report<'a> {
    document: &'a Value,
    problems: Vec<Problem>,
}

impl<'a> Report<'a> {
    fn add(&mut self, rule: &'static str, at: &[&str], message: impl Into<String>, remedy: &'static str) {
        self.problems.push(Problem { rule, at: at.join(" > "), message: message.into(), remedy });
    }

    fn version(&mut self) {
        let version = self.document["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.0.") {
            self.add(
                "openapi_version",
                &["openapi"],
                format!("version `{version}` is not 3.0.x"),
                "write `openapi: 3.0.3`",
            );
        }
        self.description(&self.document["info"], &["info"]);
    }

    fn references(&mut self, value: &'a Value, path: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    self.reference(reference, path);
                    if map.len() > 1 {
                        self.add(
                            "reference_with_siblings",
                            path,
                            "keys beside `$ref` are ignored",
                            "wrap the reference: `allOf: [{$ref: ...}]` beside the other keys",
                        );
                    }
                }
                for (key, inner) in map.iter().filter(|(key, _)| !schema::is_data(key)) {
                    path.push(key);
                    match inner {
                        // A field can have the name of a keyword.
                        Value::Object(fields) if key == "properties" => {
                            for (name, field) in fields {
                                path.push(name);
                                self.references(field, path);
                                path.pop();
                            }
                        }
                        _ => self.references(inner, path),
                    }
                    path.pop();
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.references(item, path)),
            _ => {}
        }
    }

    fn reference(&mut self, reference: &str, path: &[&str]) {
        let kind = kind_at(path);
        if !reference.starts_with("#/") {
            self.add(
                "external_reference",
                path,
                format!("`{reference}` leaves the file"),
                "copy the component into this file",
            );
        } else if load::target(self.document, reference).is_none() {
            self.add(
                "dangling_reference",
                path,
                format!("`{reference}` does not exist"),
                "define it under `components`",
            );
        } else if !matches!(reference.split('/').collect::<Vec<_>>()[..], ["#", "components", k, _] if k == kind) {
            self.add(
                "reference_kind",
                path,
                format!("`{reference}` is looked up among `{kind}` by its last part alone"),
                "refer to a whole component of the kind that stands here",
            );
        }
    }

    fn description(&mut self, described: &Value, at: &[&str]) {
        for key in ["summary", "description"] {
            if let Some(message) = described[key].as_str().and_then(breaks_rustdoc) {
                self.add("description", at, message, "say it in plain sentences; `code` in single backticks is fine");
            }
        }
    }
}

/// Returns the kind of component that a reference at this place must name.
fn kind_at<'p>(path: &[&'p str]) -> &'p str {
    match path {
        ["components", kind, _] => kind,
        [.., "properties", _] => "schemas",
        [.., "parameters"] => "parameters",
        [.., "requestBody"] => "requestBodies",
        [.., "responses", _] => "responses",
        [.., "headers", _] => "headers",
        _ => "schemas",
    }
}

/// Returns why a description is not valid rustdoc; the generator copies descriptions unchanged.
fn breaks_rustdoc(text: &str) -> Option<&'static str> {
    if text.contains("```") {
        return Some("a fenced block becomes a doctest");
    }
    if text.lines().any(|line| line.starts_with("    ") || line.starts_with('\t')) {
        return Some("an indented block becomes a doctest");
    }
    if text.contains("http://") || text.contains("https://") {
        return Some("a bare address is a rustdoc warning");
    }
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            return Some("an angle bracket starts an HTML tag in rustdoc");
        }
    }
    None
}
