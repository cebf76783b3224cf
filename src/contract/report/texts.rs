//! Writes the texts that several formats share.

use std::collections::BTreeSet;

use super::super::clause::Kind;
use super::super::verdict::{Outcome, Report, Verdict};
use crate::terminal;

/// The guide that explains the checks.
pub(super) const GUIDE: &str = "docs/contract-tests.md";

/// Returns the reason for a verdict in one line.
pub(super) fn reason(outcome: &Outcome) -> String {
    match (&outcome.reason, outcome.differences.first()) {
        (Some(reason), _) => terminal::line(reason).into_owned(),
        (None, Some(difference)) => terminal::line(&format!("{}: {}", difference.check, difference.text)).into_owned(),
        (None, None) => String::new(),
    }
}

/// Returns the line that sums up a report. `address` writes the address of an endpoint.
pub(super) fn headline(report: &Report, address: impl Fn(&str) -> String) -> String {
    let addresses: BTreeSet<&str> = report.endpoints.values().map(String::as_str).collect();
    let addresses = addresses.into_iter().map(address).collect::<Vec<_>>().join(", ");
    let embedded = if report.embedded { " (the embedded emulator)" } else { "" };
    let counts = Verdict::ALL.map(|verdict| format!("{} {verdict}", report.count(verdict))).join(", ");
    // Recorded requests were not chosen by a seed.
    let is_recorded = report.outcomes.iter().any(|outcome| outcome.kind == Kind::Recorded);
    let seed = if is_recorded { String::new() } else { format!(", seed {}", report.seed) };
    format!("{addresses}{embedded}{seed}, {}: {counts}", report.tool)
}
