//! The results of clauses, as data.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::clause::{Clause, Kind};
use crate::terminal;

/// What is checked in a response. `docs/contract-tests.md` has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// The status is the documented one, or of the documented family.
    Status,
    /// A body has the content type of JSON and is JSON; where no body is described there is none.
    ContentType,
    /// The described headers are present.
    Headers,
    /// The body is valid by its schema.
    Schema,
    /// An error has a documented code with the right meaning.
    Code,
    /// The response is like the documented one.
    Example,
    /// A property between several requests holds.
    Property,
    /// Requests without valid credentials are rejected.
    Access,
}

impl Check {
    /// All checks.
    pub const ALL: [Self; 8] = [
        Self::Status,
        Self::ContentType,
        Self::Headers,
        Self::Schema,
        Self::Code,
        Self::Example,
        Self::Property,
        Self::Access,
    ];

    /// The id in reports and the anchor in the documentation.
    pub fn id(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::ContentType => "content-type",
            Self::Headers => "headers",
            Self::Schema => "schema",
            Self::Code => "code",
            Self::Example => "example",
            Self::Property => "property",
            Self::Access => "access",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// The verdict on an endpoint for one clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The endpoint behaves as documented.
    Honours,
    /// The endpoint behaves differently.
    Differs,
    /// It does not have the operation.
    Absent,
    /// It was not tested; the outcome has the reason.
    NotTried,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 4] = [Self::Honours, Self::Differs, Self::Absent, Self::NotTried];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Honours => "honours",
            Self::Differs => "differs",
            Self::Absent => "absent",
            Self::NotTried => "not tried",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A difference from the documented behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The check that found it.
    pub check: Check,
    /// What was expected, and what the response has instead.
    pub text: String,
    /// The index of the exchange that shows it.
    pub exchange: usize,
}

/// A request and its response. Secrets are redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The called operation.
    pub operation: String,
    /// The method in upper case.
    pub method: String,
    /// The complete address.
    pub url: String,
    /// The headers of the request, with variables of a shell instead of secrets.
    pub headers: Vec<(String, String)>,
    /// The sent body.
    pub body: Option<String>,
    /// The status of the response.
    pub status: u16,
    /// Headers of the response.
    pub response_headers: Vec<(String, String)>,
    /// The body of the response.
    pub response: String,
}

/// The longest text of a difference or a reason, in bytes: it may quote a response.
pub(super) const MOST_REASON: usize = 2000;
/// The longest recorded text of an exchange, in bytes.
pub(super) const MOST_TEXT: usize = 64 * 1024;

impl Exchange {
    /// Shortens texts that are too long to be kept.
    pub(super) fn clip(&mut self) {
        for text in [&mut self.url, &mut self.response].into_iter().chain(&mut self.body) {
            if text.len() > MOST_TEXT {
                *text = clipped(text, MOST_TEXT).into_owned();
            }
        }
        for (_, value) in &mut self.response_headers {
            *value = clipped(value, 1000).into_owned();
        }
    }

    /// Removes the bodies.
    pub(super) fn strip(&mut self) {
        for text in [&mut self.response].into_iter().chain(&mut self.body) {
            if !text.is_empty() {
                *text = format!("({} bytes, left out)", text.len());
            }
        }
    }

    /// Returns the request as a command to copy. Tokens are variables to be set; a signature has to be made anew.
    pub fn curl(&self) -> String {
        let mut command = format!("curl -i -X {} {}", self.method, terminal::word(&self.url));
        for (name, value) in &self.headers {
            // The shell has to replace a variable.
            let header = format!("{name}: {value}");
            let header =
                if value.starts_with('$') { format!("\"{header}\"") } else { terminal::word(&header).into_owned() };
            command.push_str(&format!(" \\\n  -H {header}"));
        }
        if let Some(body) = &self.body {
            command.push_str(&format!(" \\\n  --data-raw {}", terminal::word(body)));
        }
        command
    }
}

/// Returns a text of at most `most` bytes; a longer one is cut, and its length added.
pub(super) fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}… ({} bytes in all)", &text[..end], text.len()).into()
}

/// The result of a clause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The clause.
    pub id: String,
    /// The kind of the clause.
    pub kind: Kind,
    /// The service of the operation.
    pub service: String,
    /// The operation of the clause.
    pub operation: String,
    /// The documented behaviour.
    pub summary: String,
    /// Pages of the documentation that make the promise.
    pub sources: Vec<String>,
    /// Address of the documentation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub documentation: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was not tested, or how the operation was found absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The differences.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub differences: Vec<Difference>,
    /// What the description does not say of a recorded request. Notes do not affect the verdict, which is on the response.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// The requests and responses, where there are differences.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exchanges: Vec<Exchange>,
    /// The number of requests.
    pub requests: usize,
    /// The time that it took, in milliseconds.
    pub milliseconds: u64,
}

impl Outcome {
    /// Creates the outcome of a clause without requests.
    pub(super) fn new(clause: &Clause, verdict: Verdict, reason: Option<String>) -> Self {
        Self {
            id: clause.id().to_owned(),
            kind: clause.kind(),
            service: clause.service().to_owned(),
            operation: clause.operation().to_owned(),
            summary: clause.summary().to_owned(),
            sources: clause.sources().map(str::to_owned).collect(),
            documentation: clause.documentation().map(str::to_owned),
            verdict,
            reason: reason.map(|reason| clipped(&reason, MOST_REASON).into_owned()),
            differences: Vec::new(),
            notes: Vec::new(),
            exchanges: Vec::new(),
            requests: 0,
            milliseconds: 0,
        }
    }
}

/// An object that was created, or may have been, and could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// The operation that created it.
    pub created_by: String,
    /// Its path, or its name if the id is unknown.
    pub what: String,
    /// Why it is, or may be, still there.
    pub reason: String,
}

/// The result of a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Everything that was tested is honoured.
    Honoured,
    /// A clause differs, or an operation is absent.
    NotHonoured,
    /// Everything that was tested is honoured, and something that was created is still there.
    LeftBehind,
    /// No clause could be tested.
    NothingTried,
    /// The run was interrupted.
    Interrupted,
    /// The run ended early, see [`Report::aborted`].
    EndedEarly,
}

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name and version of the program that wrote the report.
    pub tool: String,
    /// The name of the cloud whose edition the clauses are from; `None` for all editions together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// Address of each service under test.
    pub endpoints: std::collections::BTreeMap<String, String>,
    /// Whether the endpoint was the embedded emulator.
    pub embedded: bool,
    /// The seed by which names and values were chosen.
    pub seed: u64,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// Why it ended early by itself: for example, the endpoint stopped responding, or rejects the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<String>,
    /// The outcome of each clause, in the order of the description.
    pub outcomes: Vec<Outcome>,
    /// The remaining objects.
    pub leftovers: Vec<Leftover>,
    /// The number of requests, clean-up included.
    pub requests: usize,
    /// The time that it took, in milliseconds.
    pub milliseconds: u64,
}

impl Report {
    /// Returns how many clauses have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.verdict == verdict).count()
    }

    /// Returns the result of the whole run. The last line of the command and its exit code say the same.
    pub fn conclusion(&self) -> Conclusion {
        if self.interrupted {
            Conclusion::Interrupted
        } else if self.aborted.is_some() {
            Conclusion::EndedEarly
        } else if self.count(Verdict::NotTried) == self.outcomes.len() {
            Conclusion::NothingTried
        } else if self.failures().next().is_some() {
            Conclusion::NotHonoured
        } else if !self.leftovers.is_empty() {
            Conclusion::LeftBehind
        } else {
            Conclusion::Honoured
        }
    }

    /// Returns whether something was tested, nothing that was tested differs or is absent, nothing was left behind, and
    /// the run came to its end.
    pub fn is_honoured(&self) -> bool {
        self.conclusion() == Conclusion::Honoured
    }

    /// Returns the outcomes that differ or are absent.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Differs | Verdict::Absent))
    }

    /// Fails a test with all differences.
    ///
    /// # Panics
    ///
    /// Something differs, is absent, or was left behind, nothing was tested, or the run ended early.
    #[track_caller]
    pub fn assert_honoured(&self) {
        let mut text = String::new();
        for outcome in self.failures() {
            text.push_str(&format!("\n{}: {}", outcome.id, outcome.verdict));
            if let Some(reason) = &outcome.reason {
                text.push_str(&format!(" ({reason})"));
            }
            for Difference { check, text: what, exchange } in &outcome.differences {
                text.push_str(&format!("\n  {check}: {what}"));
                if let Some(exchange) = outcome.exchanges.get(*exchange) {
                    text.push_str(&format!("\n  {}\n  {} {}", exchange.curl(), exchange.status, exchange.response));
                }
            }
        }
        for leftover in &self.leftovers {
            text.push_str(&format!("\nleft behind: {} ({})", leftover.what, leftover.reason));
        }
        if let Some(why) = &self.aborted {
            text.push_str(&format!("\nended early: {why}"));
        }
        let conclusion = self.conclusion();
        let text = terminal::text(&text);
        assert!(conclusion == Conclusion::Honoured, "not everything is as documented ({conclusion:?}):{text}");
    }
}
