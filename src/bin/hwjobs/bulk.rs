//! The same operation for many objects, with a journal to go on from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use huaweicloud_jobs::raw::Request;
use huaweicloud_jobs::{Error, ErrorKind, Session, bulk};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::call::{Call, request};
use super::exit::{Failure, Outcome, Usage, usage};
use super::fields::Field;
use super::files;
use super::output::{self, Shape};

/// One call.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Row {
    /// Which object it is about.
    fn object(&self) -> String {
        self.parameters.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What is the same for the same call only.
    fn digest(&self, operation: &str) -> String {
        let parameters: BTreeMap<_, _> = self.parameters.iter().map(|(name, value)| (*name, value)).collect();
        hex::encode(Sha256::digest(json!([operation, parameters, self.body]).to_string()))
    }
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Entry {
    digest: String,
    object: String,
    done: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The rows of a file: CSV with a header, or JSON Lines. What the command line says holds for each row that does not say
/// otherwise.
pub(super) fn read(
    file: &str,
    fields: &[Field],
    parameters: &[(&'static str, String)],
    body: Option<&Value>,
) -> Result<Vec<Row>, Failure> {
    let text = files::text(file)?;
    let rows = if text.trim_start().starts_with('{') { json_lines(&text) } else { csv_rows(&text, fields) };
    let rows = rows.map_err(|error| Usage(format!("{file}, {error}")))?;
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for (line, values) in rows {
        let refused = |reason: String| Usage(format!("{file}, line {line}: {reason}"));
        let mut row = Row { parameters: parameters.to_vec(), body: body.cloned() };
        for (name, value) in values {
            let known = fields.iter().find(|field| field.name == name || field.flag() == name);
            let Some(field) = known.or_else(|| only_id(fields).filter(|_| name == "id")) else {
                let names: Vec<_> = fields.iter().map(|field| field.name).collect();
                return Err(refused(format!("no column `{name}`; there are {}", names.join(", "))).into());
            };
            if field.is_in_body() {
                if let Some(body) = row.body.as_mut().and_then(Value::as_object_mut) {
                    body.insert(field.name.to_owned(), value);
                }
            } else {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                row.parameters.push((field.name, text));
            }
        }
        if let Some(missing) = fields
            .iter()
            .filter(|field| field.is_in_path())
            .find(|field| !row.parameters.iter().any(|(name, _)| *name == field.name))
        {
            return Err(refused(format!("{} is missing", missing.name)).into());
        }
        if let Some(before) = seen.insert(row.object(), line) {
            // Which of the two would be the last one is not known.
            return Err(refused(format!("names the same object as line {before}")).into());
        }
        found.push(row);
    }
    Ok(found)
}

fn only_id(fields: &[Field]) -> Option<&Field> {
    let mut ids = fields.iter().filter(|field| field.is_in_path());
    ids.next().filter(|_| ids.next().is_none())
}

type Rows = Result<Vec<(usize, Map<String, Value>)>, String>;

fn json_lines(text: &str) -> Rows {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match serde_json::from_str(line) {
            Ok(row) => Ok((index + 1, row)),
            Err(error) => Err(format!("line {}: not a JSON object: {error}", index + 1)),
        })
        .collect()
}

fn csv_rows(text: &str, fields: &[Field]) -> Rows {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let mut row = Map::new();
        // An empty cell leaves a field as it is.
        for (name, cell) in header.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()) {
            let field = fields.iter().find(|field| field.name == name || field.flag() == name);
            let value = match field.filter(|field| field.is_in_body()) {
                Some(field) => field.value(cell).map_err(|error| format!("line {line}: {name}: {error}"))?,
                None => cell.into(),
            };
            row.insert(name.to_owned(), value);
        }
        rows.push((line, row));
    }
    Ok(rows)
}

/// What was done before, and where it is written down.
struct Journal {
    done: BTreeSet<String>,
    file: Option<File>,
}

impl Journal {
    fn open(path: Option<&str>, write: bool) -> Result<Self, Failure> {
        let mut done = BTreeSet::new();
        let Some(path) = path else { return Ok(Self { done, file: None }) };
        let broken = |error: &dyn std::fmt::Display| Usage(format!("{path}: {error}"));
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| broken(&error))?,
        };
        // The power may have gone off while the last line was written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for (index, line) in text[..whole].lines().enumerate() {
            match serde_json::from_str::<Entry>(line) {
                Ok(entry) if entry.done => drop(done.insert(entry.digest)),
                Ok(entry) => drop(done.remove(&entry.digest)),
                Err(_) => return Err(broken(&format!("line {} is not of a journal", index + 1)).into()),
            }
        }
        let mut file = None;
        if write {
            let opened = OpenOptions::new().append(true).create(true).open(path).map_err(|error| broken(&error))?;
            if whole < text.len() {
                opened.set_len(whole as u64).map_err(|error| broken(&error))?;
            }
            file = Some(opened);
        }
        Ok(Self { done, file })
    }

    fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{}\n", serde_json::to_string(entry)?).as_bytes())?;
        }
        Ok(())
    }
}

/// Does all rows; whether all went well.
pub(super) async fn run(
    call: &Call<'_>,
    session: &Session,
    operation: &str,
    rows: Vec<Row>,
    journal_path: Option<&str>,
    concurrency: u16,
) -> Outcome {
    // All of them are checked before the first one is sent.
    let mut requests = Vec::new();
    for row in &rows {
        let request = request(session, operation, &row.parameters, row.body.as_ref())?;
        if let Err(error) = request.preview() {
            return match error.kind() {
                ErrorKind::InvalidRequest => Ok(usage(format!("{}: {error}", row.object()))?),
                _ => Err(error.into()),
            };
        }
        requests.push(request);
    }
    let mut journal = Journal::open(journal_path, !call.options.dry_run)?;
    let total = rows.len();
    let waiting: Vec<(Row, Request)> =
        rows.into_iter().zip(requests).filter(|(row, _)| !journal.done.contains(&row.digest(operation))).collect();
    let before = total - waiting.len();
    if call.options.dry_run {
        for (_, request) in &waiting {
            call.show(request)?;
            writeln!(io::stdout())?;
        }
        return Ok(true);
    }
    let bar = ProgressBar::new(waiting.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}")?);
    let (left, requests): (Vec<Row>, Vec<Request>) = waiting.into_iter().unzip();
    let mut calls = session.send_all(bulk::iter(requests)).at_most(concurrency.into());
    let (mut results, mut failed, mut refused) = (Vec::new(), 0, None);
    while let Some(ended) = calls.next().await {
        let row = usize::try_from(ended.index).ok().and_then(|index| left.get(index)).ok_or("a call of no row")?;
        let error = ended.result.err();
        let entry = Entry {
            digest: row.digest(operation),
            object: row.object(),
            done: error.is_none(),
            error: error.as_ref().map(ToString::to_string),
        };
        journal.add(&entry)?;
        if call.options.verbose {
            bar.suspend(|| eprintln!("< {operation} {}: {}", entry.object, entry.error.as_deref().unwrap_or("done")));
        }
        results.push(json!({"object": entry.object, "done": entry.done, "error": entry.error}));
        bar.inc(1);
        if let Some(error) = error {
            failed += 1;
            bar.set_message(format!("{failed} failed"));
            // Nothing more was begun after it.
            refused = Some(error).filter(Error::is_unauthenticated).or(refused);
        }
    }
    bar.finish_and_clear();
    let shape = Shape { list: Some("results"), columns: &["object", "done", "error"], ..Shape::default() };
    let done = results.len() - failed;
    let left = left.len() - results.len();
    output::print(&json!({"results": results}), &shape, call.options.output, call.options.query.as_deref())?;
    let mut summary = format!("{done} done, {failed} failed");
    for (count, what) in [(before, "done before"), (left, "not tried")] {
        if count > 0 {
            summary += &format!(", {count} {what}");
        }
    }
    if let Some(path) = journal_path {
        summary += &format!("; journal: {path}");
    }
    writeln!(io::stderr(), "hwjobs: {summary}")?;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(failed == 0),
    }
}
