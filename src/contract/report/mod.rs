//! Writes reports and matrices in the formats of other programs.

mod common;
mod pages;
mod story;
mod texts;

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::clause::Kind;
use super::matrix::Matrix;
use super::verdict::{Check, Leftover, Outcome, Report, Verdict};
use crate::error::Error;
use crate::terminal;

pub use common::CommonDifference;
use story::{Story, line, sources};
use texts::{GUIDE, headline, reason};

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The complete report, for `--replay` and the matrix.
    Json,
    /// XML of JUnit, for CI systems.
    Junit,
    /// Markdown, for a comment or a wiki.
    Markdown,
    /// One page without dependencies.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "json" => Self::Json,
            "junit" => Self::Junit,
            "markdown" => Self::Markdown,
            "html" => Self::Html,
            "sarif" => Self::Sarif,
            _ => return Err(format!("`{text}` is none of json, junit, markdown, html and sarif")),
        })
    }
}

impl Format {
    /// Returns whether a file begins like a report or a matrix in this format.
    pub fn wrote(self, beginning: &[u8]) -> bool {
        let text = String::from_utf8_lossy(beginning);
        let begins = |openings: &[&str]| openings.iter().any(|opening| text.starts_with(opening));
        match self {
            Self::Json => begins(&["{\n  \"tool\": \"hwjobs ", "{\n  \"endpoints\": ["]),
            Self::Junit => text.contains("<testsuites name=\"hwjobs contract\""),
            Self::Markdown => begins(&["# Contract tests\n", "| Clause | "]),
            Self::Html => text.starts_with("<!DOCTYPE html>") && text.contains("<title>Contract "),
            Self::Sarif => {
                begins(&["{\n  \"$schema\": \"https://json.schemastore.org/sarif-"])
                    && text.contains("\"name\": \"hwjobs\"")
            }
        }
    }

    /// Returns a report in this format.
    ///
    /// # Errors
    ///
    /// A text of a response cannot be written in this format.
    pub fn report(self, report: &Report) -> Result<String, Error> {
        let failed =
            |error: &dyn std::fmt::Display| Error::configuration(format!("the report cannot be written: {error}"));
        match self {
            Self::Json => serde_json::to_string_pretty(report).map(|text| text + "\n").map_err(|error| failed(&error)),
            Self::Junit => junit(report).to_string().map_err(|error| failed(&error)),
            Self::Markdown => Ok(markdown(report)),
            Self::Html => Ok(pages::report(report)),
            Self::Sarif => Ok(format!("{:#}\n", sarif(report))),
        }
    }

    /// Returns a matrix in this format.
    ///
    /// # Errors
    ///
    /// This format only supports the report of one endpoint.
    pub fn matrix(self, matrix: &Matrix) -> Result<String, Error> {
        match self {
            Self::Json => Ok(format!("{:#}\n", matrix_json(matrix))),
            Self::Markdown => Ok(matrix_markdown(matrix)),
            Self::Html => Ok(pages::matrix(matrix)),
            Self::Junit | Self::Sarif => {
                Err(Error::configuration("junit and sarif are for one endpoint; a matrix is json, markdown or html"))
            }
        }
    }
}

/// Returns the text of a failure for formats without markup.
fn story(outcome: &Outcome) -> String {
    Story::new(outcome).text()
}

/// Returns a line about an object that is left behind.
fn leftover(leftover: &Leftover) -> String {
    let Leftover { created_by, what, reason } = leftover;
    terminal::line(&format!("Left behind by {created_by}: {what} ({reason})")).into_owned()
}

/// Returns a text with only the characters that XML allows.
fn xml(text: &str) -> String {
    terminal::text(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

fn junit(report: &Report) -> quick_junit::Report {
    let mut root = quick_junit::Report::new("hwjobs contract");
    root.set_time(Duration::from_millis(report.milliseconds));
    let mut suites: Vec<TestSuite> = Vec::new();
    for outcome in &report.outcomes {
        let name = xml(&format!("{}.{}", outcome.service, outcome.operation));
        let status = match outcome.verdict {
            Verdict::Honours => TestCaseStatus::success(),
            Verdict::Differs | Verdict::Absent => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(xml(&reason(outcome)));
                status.set_type(outcome.verdict.name()).set_description(xml(&story(outcome)));
                status
            }
            Verdict::NotTried => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(xml(&reason(outcome)));
                status
            }
        };
        let time = Duration::from_millis(outcome.milliseconds);
        let mut case = TestCase::new(xml(&outcome.id), status);
        case.set_classname(name.as_str()).set_time(time);
        if !outcome.notes.is_empty() {
            case.set_system_out(xml(&outcome.notes.join("\n")));
        }
        let known = suites.iter().position(|suite| suite.name.as_str() == name);
        let index = known.unwrap_or_else(|| {
            suites.push(suite(report, &outcome.service, name));
            suites.len() - 1
        });
        suites[index].add_test_case(case);
        suites[index].time = suites[index].time.map(|sum| sum + time);
    }
    root.add_test_suites(suites);
    root
}

/// Returns a suite without cases, with the properties of a run that viewers show.
fn suite(report: &Report, service: &str, name: String) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.set_time(Duration::ZERO);
    for (name, value) in [
        ("endpoint", report.endpoints.get(service).cloned().unwrap_or_default()),
        ("seed", report.seed.to_string()),
        ("tool", report.tool.clone()),
    ] {
        suite.add_property(Property::new(name, xml(&value)));
    }
    suite
}

/// Returns the length of the longest run of backticks in a text.
fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Returns a text as inline code in Markdown: nothing in it is markup, HTML, a link or a mention.
fn code(text: &str) -> String {
    let text = terminal::line(text);
    let text = text.trim();
    let fence = "`".repeat(backticks(text) + 1);
    // Spaces separate a backtick at the edge from the fence. A reader removes one on each side.
    let blank = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Returns a text as inline code in a cell of a table, which a bar would end.
fn cell(text: &str) -> String {
    code(&text.replace('|', "\u{a6}"))
}

/// Returns a text as a block of code in Markdown, with a fence that is longer than any in the text.
fn block(text: &str) -> String {
    let fence = "`".repeat(backticks(text).max(3) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}text\n{text}{end}{fence}")
}

fn markdown(report: &Report) -> String {
    let mut text = format!("# Contract tests\n\n{}\n", headline(report, code));
    let _ = writeln!(
        text,
        "\n| Service | Kind | {} |\n| --- | --- | ---: | ---: | ---: | ---: |",
        Verdict::ALL.map(Verdict::name).join(" | ")
    );
    for (service, kind, counts) in counts(report) {
        let _ = writeln!(text, "| {service} | {kind} | {} |", counts.map(|count| count.to_string()).join(" | "));
    }
    for outcome in report.failures() {
        let (id, verdict, reason) = (code(&outcome.id), outcome.verdict, code(&reason(outcome)));
        let _ = writeln!(text, "\n## {id}\n\n{} **{verdict}**: {reason}\n", outcome.summary);
        let _ = writeln!(text, "{}", block(&story(outcome)));
    }
    for outcome in report.outcomes.iter().filter(|outcome| !outcome.notes.is_empty()) {
        let _ = writeln!(text, "\nNotes on the request of {}:\n", code(&outcome.id));
        for note in &outcome.notes {
            let _ = writeln!(text, "- {}", code(note));
        }
    }
    for left in &report.leftovers {
        let _ = writeln!(text, "\n{}", code(&leftover(left)));
    }
    text
}

/// Counts the clauses of each service and kind by verdict.
fn counts(report: &Report) -> Vec<(&str, Kind, [usize; 4])> {
    let mut rows: Vec<(&str, Kind, [usize; 4])> = Vec::new();
    for outcome in &report.outcomes {
        let verdict = Verdict::ALL.iter().position(|known| *known == outcome.verdict).unwrap_or_default();
        match rows.iter_mut().find(|(service, kind, _)| *service == outcome.service && *kind == outcome.kind) {
            Some((.., counts)) => counts[verdict] += 1,
            None => {
                let mut counts = [0; 4];
                counts[verdict] = 1;
                rows.push((&outcome.service, outcome.kind, counts));
            }
        }
    }
    rows.sort_unstable();
    rows
}

fn sarif(report: &Report) -> Value {
    let rules = Check::ALL.map(|check| json!({"id": check.id(), "help": {"text": format!("See {GUIDE}#{check}.")}}));
    let results: Vec<Value> = report
        .failures()
        .map(|outcome| {
            let check = outcome.differences.first().map_or(Check::Status, |difference| difference.check);
            let message = format!("{}: {}", outcome.id, reason(outcome));
            json!({
                "ruleId": check.id(),
                "level": "error",
                // Brackets would become a link.
                "message": {"text": terminal::line(&message).replace('[', "\\[").replace(']', "\\]")},
                "partialFingerprints": {"clause/v1": outcome.id},
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": {"uri": format!("openapi/{}.yaml", outcome.service)},
                        "region": {"startLine": line(outcome)},
                    },
                    "logicalLocations": [{"fullyQualifiedName": outcome.id, "kind": "member"}],
                }],
                "properties": {"verdict": outcome.verdict, "source": sources(outcome).join(", "), "story": story(outcome)},
            })
        })
        .collect();
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, ""));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": name, "version": version, "rules": rules}}, "results": results}],
    })
}

fn matrix_json(matrix: &Matrix) -> Value {
    let clauses: Vec<Value> = matrix
        .rows()
        .map(|row| {
            let verdicts: serde_json::Map<String, Value> = matrix
                .names()
                .iter()
                .zip(row.outcomes.iter().zip(matrix.promised(row)))
                .map(|(name, (outcome, promised))| {
                    let mut cell = match outcome {
                        Some(outcome) => json!({"verdict": outcome.verdict, "reason": reason(outcome)}),
                        None => Value::Null,
                    };
                    if let Some(promised) = promised {
                        cell["promised"] = promised.into();
                    }
                    (name.clone(), cell)
                })
                .collect();
            json!({"id": row.id(), "summary": row.first.summary, "agrees": row.agrees(), "endpoints": verdicts})
        })
        .collect();
    json!({"endpoints": matrix.names(), "clauses": clauses})
}

fn matrix_markdown(matrix: &Matrix) -> String {
    let names = matrix.headings().map(|name| cell(&name)).collect::<Vec<_>>().join(" | ");
    let mut text = format!("| Clause | {names} |\n| --- |{}\n", " --- |".repeat(matrix.names().len()));
    for row in matrix.rows() {
        let verdicts = matrix.cells(row).collect::<Vec<_>>().join(" | ");
        let _ = writeln!(text, "| {} | {verdicts} |", cell(row.id()));
    }
    text
}
