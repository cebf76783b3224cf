//! Prints the summary of a contract run, in 80 columns.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use huaweicloud_jobs::contract::{Conclusion, Kind, Leftover, Outcome, Report, Verdict};
use huaweicloud_jobs::terminal;

/// Wider lines would be broken by terminals and tickets.
const WIDTH: u16 = 80;
/// The longest text of a server that is printed, in characters.
const MOST_TEXT: usize = 200;
/// The number of differences that are printed.
const COMMON: usize = 3;

/// Returns an empty table with lines.
pub(super) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table
}

/// Writes the counts by service and kind, the reasons for clauses that were not tried, the leftovers, and the most common
/// differences. The conclusion, which matches the exit code, is the last line.
pub(super) fn summary(report: &Report, written: bool, out: &mut impl Write) -> io::Result<()> {
    let mut counts: BTreeMap<(&str, Kind), [usize; 4]> = BTreeMap::new();
    for Outcome { service, kind, verdict, .. } in &report.outcomes {
        let place = Verdict::ALL.iter().position(|known| known == verdict).unwrap_or_default();
        counts.entry((service, *kind)).or_default()[place] += 1;
    }
    let mut table = table();
    table.set_header(["service", "kind"].into_iter().chain(Verdict::ALL.map(Verdict::name)));
    for column in 2..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut totals = [0; 4];
    for ((service, kind), row) in &counts {
        table.add_row([(*service).to_owned(), kind.to_string()].into_iter().chain(row.map(|count| count.to_string())));
        for (total, count) in totals.iter_mut().zip(row) {
            *total += count;
        }
    }
    table.add_row(["all".to_owned(), String::new()].into_iter().chain(totals.map(|count| count.to_string())));
    writeln!(out, "{table}")?;
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in report.outcomes.iter().filter(|outcome| outcome.verdict == Verdict::NotTried) {
        *reasons.entry(outcome.reason.as_deref().unwrap_or_default()).or_default() += 1;
    }
    if !reasons.is_empty() {
        writeln!(out, "not tried:")?;
        list(reasons.into_iter().map(|(reason, count)| (count.to_string(), reason)), out)?;
    }
    if !report.leftovers.is_empty() {
        writeln!(out, "left behind:")?;
        let objects =
            report.leftovers.iter().map(|left| (left.what.clone(), format!("{}: {}", left.created_by, left.reason)));
        for (what, why) in objects {
            writeln!(out, "  {}", terminal::line(&what))?;
            list([(String::new(), &*why)].into_iter(), out)?;
        }
    }
    let common = report.common_differences();
    if !common.is_empty() {
        writeln!(out, "the most common differences:")?;
        let rows = common.iter().take(COMMON).map(|it| (format!("{} {}", it.clauses, it.check), &*it.text));
        list(rows, out)?;
    }
    let clauses = report.outcomes.len();
    let word = match report.conclusion() {
        _ if !written => "a report could not be written".to_owned(),
        Conclusion::Honoured => "everything that was tried is honoured".to_owned(),
        Conclusion::NotHonoured => format!("{} of {clauses} clauses are not honoured", report.failures().count()),
        Conclusion::LeftBehind => {
            format!("everything that was tried is honoured, but {} objects are left behind", report.leftovers.len())
        }
        Conclusion::NothingTried => "nothing could be tried".to_owned(),
        Conclusion::Interrupted => "interrupted".to_owned(),
        Conclusion::EndedEarly => "ended early".to_owned(),
    };
    let seconds = report.milliseconds as f64 / 1000.0;
    writeln!(out, "{word}; {} requests in {seconds:.1} s", report.requests)?;
    Ok(())
}

/// Writes rows of a short text and a longer one, which is broken where the line ends.
fn list<'a>(rows: impl Iterator<Item = (String, &'a str)>, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    for (short, long) in rows {
        let mut long = terminal::line(long).into_owned();
        if let Some((end, _)) = long.char_indices().nth(MOST_TEXT) {
            long.replace_range(end.., "…");
        }
        table.add_row([Cell::new(format!(" {short}")), Cell::new(long)]);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(24)));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Writes a line for each object that is left behind.
pub(super) fn leftovers(leftovers: &[Leftover], out: &mut impl Write) -> io::Result<()> {
    for Leftover { created_by, what, reason } in leftovers {
        writeln!(out, "left behind: {}", terminal::line(&format!("{what} of {created_by}: {reason}")))?;
    }
    Ok(())
}
