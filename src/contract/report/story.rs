//! Explains a failure: the request, the response, what the description says, and possible causes.

use std::fmt::Write;

use super::super::verdict::{Check, Difference, Exchange, Outcome, Verdict};
use super::texts::{GUIDE, reason};
use crate::spec::{self, html};
use crate::terminal;

/// The parts of an explanation, each as plain text.
pub(super) struct Story<'a> {
    outcome: &'a Outcome,
    /// The exchanges that show the differences.
    exchanges: Vec<&'a Exchange>,
}

impl<'a> Story<'a> {
    pub(super) fn new(outcome: &'a Outcome) -> Self {
        let mut shown: Vec<usize> = outcome.differences.iter().map(|difference| difference.exchange).collect();
        shown.dedup();
        let exchanges = shown.into_iter().filter_map(|index| outcome.exchanges.get(index)).collect();
        Self { outcome, exchanges }
    }

    /// Returns the differences, a line for each.
    fn differences(&self) -> String {
        let line = |text: String, difference: &Difference| {
            let check = difference.check;
            text + &format!("{check} ({GUIDE}#{check}): {}\n", difference.text)
        };
        self.outcome.differences.iter().fold(String::new(), line)
    }

    /// Returns the place in the description, and the pages that are its source.
    fn places(&self) -> String {
        let Outcome { service, .. } = self.outcome;
        format!("openapi/{service}.yaml, line {}\n{}", line(self.outcome), sources(self.outcome).join("\n"))
    }

    /// Returns possible causes.
    fn meaning(&self) -> &'static str {
        match (self.outcome.verdict, self.outcome.differences.first().map(|difference| difference.check)) {
            (Verdict::Absent, _) | (_, None) => {
                "The endpoint does not offer the operation, or offers it under another address."
            }
            (_, Some(Check::Status)) => {
                "The endpoint accepts other requests than the description does, or reports the same outcome by another status."
            }
            (_, Some(Check::ContentType)) => {
                "A gateway or proxy responded in place of the service, or the service leaves out the header Content-Type."
            }
            (_, Some(Check::Headers)) => {
                "A proxy on the way removes headers, or the endpoint has another version of the API."
            }
            (_, Some(Check::Schema)) => {
                "The endpoint has another version of the API, or prints a value with another type."
            }
            (_, Some(Check::Code)) => {
                "The endpoint has the codes of another version, or another component rejects the request first."
            }
            (_, Some(Check::Example)) => "The endpoint renames a field, computes it otherwise, or does not keep it.",
            (_, Some(Check::Property)) => {
                "A later request does not see what an earlier one did: by a cache, a delay or a lost update."
            }
            (_, Some(Check::Access)) => {
                "Credentials are checked elsewhere, too late or not at all. Look at this before everything else."
            }
        }
    }

    /// Returns the explanation as text, for formats without markup.
    pub(super) fn text(&self) -> String {
        let mut text = self.differences();
        for exchange in &self.exchanges {
            let _ = writeln!(text, "\nSent:\n\n{}\n\nReceived:\n\n{}", exchange.curl(), received(exchange));
        }
        let places = self.places().replace('\n', "\n  ");
        let _ = writeln!(text, "\nThe description says: {}\n  {places}", self.outcome.summary);
        let _ = writeln!(text, "\nIt may mean: {}", self.meaning());
        terminal::text(&text).into_owned()
    }

    /// Returns the explanation as HTML, folded under its first difference.
    pub(super) fn html(&self) -> String {
        let mut page = format!("<details><summary>{}</summary>", shown(&reason(self.outcome)));
        for exchange in &self.exchanges {
            let body = exchange.body.as_deref().map(|body| format!("\n\n{body}")).unwrap_or_default();
            let _ = write!(
                page,
                "<h4>What was sent</h4><pre>{}</pre><h4>What came</h4><pre>{}</pre>",
                shown(&format!("{} {}{body}", exchange.method, exchange.url)),
                shown(&received(exchange))
            );
        }
        let differences = self.outcome.differences.iter().fold(String::new(), |list, difference| {
            list + &format!("<li><strong>{}</strong>: {}</li>", difference.check, shown(&difference.text))
        });
        let _ = write!(
            page,
            "<h4>What the description says</h4><p>{}</p><ul>{differences}</ul><p class=\"faint\">{}</p>\
             <h4>What it may mean</h4><p>{}</p>",
            linked(self.outcome),
            shown(&self.places()).replace('\n', "<br>"),
            html(self.meaning())
        );
        for exchange in &self.exchanges {
            let _ = write!(page, "<h4>Send it again</h4><pre>{}</pre>", shown(&exchange.curl()));
        }
        page + "</details>"
    }
}

/// Returns status, headers and body of a response.
fn received(exchange: &Exchange) -> String {
    let headers = exchange.response_headers.iter();
    let headers = headers.fold(String::new(), |text, (name, value)| text + &format!("{name}: {value}\n"));
    format!("{}\n{headers}\n{}", exchange.status, exchange.response)
}

/// Returns a text of a server, escaped for HTML. A backtick in it is no markup.
fn shown(text: &str) -> String {
    html(&terminal::text(text).replace('`', "'"))
}

/// Returns the promise, as a link to the page of the documentation that makes it.
pub(super) fn linked(outcome: &Outcome) -> String {
    let summary = html(&outcome.summary);
    let documentation = outcome.documentation.as_ref().filter(|url| url.starts_with("https://"));
    documentation.map_or_else(|| summary.clone(), |url| format!("{summary} <a href=\"{}\">source</a>", html(url)))
}

pub(super) fn sources(outcome: &Outcome) -> Vec<&str> {
    outcome.documentation.iter().chain(&outcome.sources).map(String::as_str).collect()
}

/// Returns the line of its file in which the description of a clause's operation begins.
pub(super) fn line(outcome: &Outcome) -> usize {
    let declared =
        |line: &str| line.trim().strip_prefix("operationId:").is_some_and(|id| id.trim() == outcome.operation);
    let yaml = spec::operation(&outcome.operation).map_or("", |(document, _)| document.yaml());
    yaml.lines().position(declared).map_or(1, |index| index + 1)
}
