//! Writes the report of a run and the matrix as HTML: first a heat map, then all clauses.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::super::clause::Kind;
use super::super::matrix::Matrix;
use super::super::verdict::{Leftover, Outcome, Report, Verdict};
use super::common::CommonDifference;
use super::story::{Story, linked};
use super::texts::{headline, reason};
use crate::spec::html;
use crate::terminal;

const PAGE: &str = include_str!("page.html");

/// Returns the page of one endpoint.
pub(super) fn report(report: &Report) -> String {
    let services: BTreeSet<&str> = report.endpoints.keys().map(String::as_str).collect();
    let outcomes: Vec<&Outcome> = report.outcomes.iter().collect();
    let mut body = format!("<p>{}</p>", html(&headline(report, str::to_owned)));
    let columns: Vec<_> = kinds(&outcomes).iter().map(|kind| (kind.name().to_owned(), Some(*kind))).collect();
    body.push_str(&heat_map(
        "Operations and kinds of clauses",
        &columns,
        &operations(&outcomes),
        |(_, kind), operation| {
            outcomes.iter().copied().filter(|it| it.operation == operation && Some(it.kind) == *kind).collect()
        },
    ));
    body.push_str(&common(report));
    body.push_str(&leftovers(&report.leftovers));
    let failing = report.failures().next().is_some();
    body.push_str(&filters(&services, &operations(&outcomes), kinds(&outcomes), failing));
    body.push_str(&table(
        ["Verdict"].into_iter(),
        report.outcomes.iter().map(|outcome| (outcome, outcome.verdict.name().to_owned(), verdict_cell(outcome))),
    ));
    page(&body, "Contract tests")
}

/// Returns the page of several endpoints, which has a column for each.
pub(super) fn matrix(matrix: &Matrix) -> String {
    let firsts: Vec<&Outcome> = matrix.rows().map(|row| &row.first).collect();
    let services: BTreeSet<&str> = firsts.iter().map(|outcome| outcome.service.as_str()).collect();
    let columns: Vec<(String, usize)> = matrix.headings().zip(0..).collect();
    let mut body = heat_map("Operations and endpoints", &columns, &operations(&firsts), |(_, column), operation| {
        let rows = matrix.rows().filter(|row| row.first.operation == operation);
        rows.filter_map(|row| row.outcomes.get(*column)?.as_ref()).collect()
    });
    body.push_str(&filters(&services, &operations(&firsts), kinds(&firsts), false));
    body.push_str("<p><label><input id=\"differing\" type=\"checkbox\"> only where they differ</label></p>");
    body.push_str(&table(
        columns.iter().map(|(heading, _)| heading.as_str()),
        matrix.rows().map(|row| {
            let cells = row.outcomes.iter().zip(matrix.cells(row));
            let cells = cells
                .map(|(outcome, words)| outcome.as_ref().map_or_else(|| format!("<td>{words}</td>"), verdict_cell));
            let mut verdicts: Vec<&str> = row.verdicts().flatten().map(Verdict::name).collect();
            if !row.agrees() {
                verdicts.push("~");
            }
            (&row.first, verdicts.join(","), cells.collect())
        }),
    ));
    page(&body, "Contract matrix")
}

fn page(body: &str, title: &str) -> String {
    PAGE.replace("{title}", title).replace("{body}", body)
}

/// Returns service and id of each operation, in the order of the clauses.
fn operations(outcomes: &[&Outcome]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for outcome in outcomes {
        if seen.insert(&outcome.operation) {
            found.push((outcome.service.clone(), outcome.operation.clone()));
        }
    }
    found
}

/// Returns the heat map: a row for each operation, and a cell for the clauses of each column. A click shows those clauses below.
fn heat_map<'a, C>(
    caption: &str,
    columns: &[(String, C)],
    operations: &[(String, String)],
    clauses: impl Fn(&(String, C), &str) -> Vec<&'a Outcome>,
) -> String {
    let mut map =
        format!("<div class=\"wide\"><table class=\"heat\"><caption>{caption}</caption><thead><tr><th>Operation</th>");
    for (name, _) in columns {
        let _ = write!(map, "<th scope=\"col\">{}</th>", html(&terminal::line(name)));
    }
    map.push_str("</tr></thead>");
    let mut service = "";
    for (of, operation) in operations {
        if of != service {
            service = of;
            let _ = write!(
                map,
                "<tbody><tr><th class=\"service\" colspan=\"{}\">{}</th></tr>",
                columns.len() + 1,
                html(of)
            );
        }
        let operation = html(operation);
        let _ = write!(
            map,
            "<tr><th scope=\"row\"><button type=\"button\" data-operation=\"{operation}\">{operation}</button></th>"
        );
        for column in columns {
            map.push_str(&heat(&clauses(column, &operation), &operation, &column.0));
        }
        map.push_str("</tr>");
    }
    map + "</table></div>"
}

/// Returns a cell of the heat map: the number of clauses that are not honoured, the number of all, and a colour.
fn heat(clauses: &[&Outcome], operation: &str, column: &str) -> String {
    if clauses.is_empty() {
        return "<td></td>".to_owned();
    }
    let count = |verdict| clauses.iter().filter(|outcome| outcome.verdict == verdict).count();
    let counts = Verdict::ALL.map(|verdict| (count(verdict), verdict));
    let (tried, failing) = (clauses.len() - count(Verdict::NotTried), count(Verdict::Differs) + count(Verdict::Absent));
    let class = match failing {
        _ if tried == 0 => "not-tried".to_owned(),
        0 => "heat-0".to_owned(),
        _ if count(Verdict::Absent) == tried => "heat-absent".to_owned(),
        _ => format!("heat-{}", (failing * 4).div_ceil(tried)),
    };
    let text = match failing {
        0 => clauses.len().to_string(),
        _ => format!("{failing}/{}", clauses.len()),
    };
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(n, verdict)| format!("{n} {verdict}")).collect();
    format!(
        "<td><button type=\"button\" class=\"{class}\" data-operation=\"{operation}\" data-column=\"{column}\" \
         title=\"{operation}, {column}: {told}\">{text}</button></td>",
        column = html(&terminal::line(column)),
        told = told.join(", ")
    )
}

/// Returns the list of the most common differences.
fn common(report: &Report) -> String {
    let common = report.common_differences();
    if common.is_empty() {
        return String::new();
    }
    let item = |list: String, it: &CommonDifference| {
        let clauses = if it.clauses == 1 { "clause" } else { "clauses" };
        let text: String = it.text.replace('`', "'").chars().take(300).collect();
        list + &format!("<li>{} {clauses}, <strong>{}</strong>: {}</li>", it.clauses, it.check, html(&text))
    };
    format!("<h2>The most common differences</h2><ol>{}</ol>", common.iter().take(3).fold(String::new(), item))
}

/// Returns the folded table of leftovers: they are no findings, but have to be removed.
fn leftovers(leftovers: &[Leftover]) -> String {
    if leftovers.is_empty() {
        return String::new();
    }
    let row = |rows: String, Leftover { created_by, what, reason }: &Leftover| {
        let cells = [what, created_by, reason]
            .map(|text| format!("<td>{}</td>", html(&terminal::line(text)).replace('`', "'")));
        rows + "<tr>" + &cells.concat() + "</tr>"
    };
    let objects = if leftovers.len() == 1 { "object was" } else { "objects were" };
    format!(
        "<details id=\"leftovers\"><summary>{} {objects} left behind</summary><table><thead><tr><th>Object</th>\
         <th>Created by</th><th>Why it is still there</th></tr></thead><tbody>{}</tbody></table></details>",
        leftovers.len(),
        leftovers.iter().fold(String::new(), row)
    )
}

/// Returns the kinds that outcomes can have. Recorded traffic has its own kind, which no run has, and no other one.
fn kinds(outcomes: &[&Outcome]) -> &'static [Kind] {
    let is_recorded = outcomes.iter().any(|outcome| outcome.kind == Kind::Recorded);
    if is_recorded { &[Kind::Recorded] } else { &Kind::PLANNED }
}

/// Returns the fields that filter a page. At first it shows the failures.
fn filters(services: &BTreeSet<&str>, operations: &[(String, String)], kinds: &[Kind], failing: bool) -> String {
    let options = |values: &mut dyn Iterator<Item = &str>| {
        values.fold(String::new(), |options, value| options + "<option>" + &html(value) + "</option>")
    };
    let select = |id: &str, label: &str, all: &str, options: String| {
        format!("<select id=\"{id}\" aria-label=\"{label}\"><option value=\"\">{all}</option>{options}</select> ")
    };
    let failed = if failing { " selected" } else { "" };
    let failed = format!("<option value=\"differs,absent\"{failed}>differs or absent</option>");
    [
        "<h2>Clauses</h2><p class=\"filters\"><input id=\"text\" type=\"search\" placeholder=\"Filter by id or text\" \
         aria-label=\"Filter\"> "
            .to_owned(),
        select("service", "Service", "all services", options(&mut services.iter().copied())),
        select("operation", "Operation", "all operations", options(&mut operations.iter().map(|(_, id)| id.as_str()))),
        select("kind", "Kind", "all kinds", options(&mut kinds.iter().map(|kind| kind.name()))),
        select(
            "verdict",
            "Verdict",
            "all verdicts",
            failed + &options(&mut Verdict::ALL.into_iter().map(Verdict::name)),
        ),
        "<button type=\"button\" id=\"all\">Show all</button> <span id=\"shown\" role=\"status\"></span></p>"
            .to_owned(),
    ]
    .concat()
}

/// Returns the table of all clauses: each row has the attributes for the filters and a cell for each verdict.
fn table<'a>(
    heads: impl Iterator<Item = &'a str>,
    rows: impl Iterator<Item = (&'a Outcome, String, String)>,
) -> String {
    let heads: Vec<String> = heads.map(|head| format!("<th>{}</th>", html(&terminal::line(head)))).collect();
    // With one column of verdicts the cells of a row stand below each other on paper.
    let class = if heads.len() == 1 { " class=\"single\"" } else { "" };
    let heads = heads.concat();
    let mut table =
        format!("<table id=\"clauses\"{class}><thead><tr><th>Clause</th><th>Promise</th>{heads}</tr></thead><tbody>\n");
    for (outcome, verdicts, cells) in rows {
        let _ = writeln!(
            table,
            "<tr data-service=\"{}\" data-operation=\"{}\" data-kind=\"{}\" data-verdict=\"{}\"><td><code>{}</code></td>\
             <td>{}</td>{cells}</tr>",
            html(&outcome.service),
            html(&outcome.operation),
            outcome.kind,
            html(&verdicts),
            html(&outcome.id),
            linked(outcome),
        );
    }
    table + "</tbody></table>"
}

fn verdict_cell(outcome: &Outcome) -> String {
    let details = match outcome.verdict {
        Verdict::Differs | Verdict::Absent => Story::new(outcome).html(),
        _ => html(&reason(outcome).replace('`', "'")),
    };
    let class = outcome.verdict.name().replace(' ', "-");
    let notes = notes(&outcome.notes);
    format!("<td><span class=\"{class}\">{}</span> {details}{notes}</td>", outcome.verdict)
}

/// What the description does not say of a request.
fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let item =
        |list: String, note: &String| list + &format!("<li>{}</li>", html(&terminal::line(note).replace('`', "'")));
    format!(
        "<details><summary>notes on the request</summary><ul>{}</ul></details>",
        notes.iter().fold(String::new(), item)
    )
}
