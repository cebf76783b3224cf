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
use super::exit::{Failure, Interrupted, Outcome, Usage, stop_signal, usage};
use super::fields::Field;
use super::files;
use super::options::is_to_be_looked_up;
use super::output::{self, Shape};

/// One call.
#[derive(Debug)]
pub(super) struct Row {
    /// The line of the file that says it.
    pub(super) line: Option<usize>,
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Row {
    /// Which object it is about.
    fn object(&self) -> String {
        self.parameters.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What is the same for the same call only.
    fn digest(&self) -> String {
        let parameters: BTreeMap<_, _> = self.parameters.iter().map(|(name, value)| (*name, value)).collect();
        hex::encode(Sha256::digest(json!([parameters, self.body]).to_string()))
    }
}

/// The calls to make.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The file that says them.
    file: Option<String>,
    rows: Vec<Row>,
    /// What is wrong, by line.
    bad: Vec<(Option<usize>, String)>,
}

impl Rows {
    /// Calls that the command line says itself.
    pub(super) fn given(rows: Vec<Row>) -> Self {
        Self { rows, ..Self::default() }
    }

    /// The rows of a file: CSV with a header, or JSON Lines. What the command line says holds for each row that does not
    /// say otherwise.
    pub(super) fn read(
        file: &str,
        fields: &[Field],
        parameters: &[(&'static str, String)],
        body: Option<&Value>,
    ) -> Result<Self, Failure> {
        let text = files::text(file)?;
        let lines = match text.trim_start().chars().next() {
            None => return Ok(usage(format!("{file}: is empty"))?),
            Some('{') => json_lines(&text),
            Some(_) => csv_rows(&text, fields),
        };
        let mut found = Self { file: Some(file.to_owned()), ..Self::default() };
        let mut seen = BTreeMap::new();
        for (line, values) in lines {
            let row = values.and_then(|values| row(values, fields, parameters, body)).and_then(|mut row| {
                row.line = Some(line);
                match seen.insert(row.object(), line) {
                    // Which of the two would be the last one is not known.
                    Some(before) => Err(format!("names the same object as line {before}")),
                    None => Ok(row),
                }
            });
            match row {
                Ok(row) => found.rows.push(row),
                Err(reason) => found.bad.push((Some(line), reason)),
            }
        }
        Ok(found)
    }

    /// All rows with their requests, or all that is wrong with them.
    fn requests(mut self, session: &Session, operation: &str) -> Result<Vec<(Row, Request)>, Failure> {
        let mut good = Vec::new();
        for row in self.rows {
            let request = request(session, operation, &row.parameters, row.body.as_ref())?;
            match request.preview() {
                Ok(_) => good.push((row, request)),
                Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                    self.bad.push((row.line, format!("{}: {error}", row.object())));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.bad.is_empty() {
            return Ok(good);
        }
        self.bad.sort();
        let told = self.bad.into_iter().map(|(line, reason)| match (&self.file, line) {
            (Some(file), Some(line)) => format!("{file}, line {line}: {reason}"),
            _ => reason,
        });
        Ok(usage(told.collect::<Vec<_>>().join("\n"))?)
    }
}

/// The values of a line put over what holds for all of them.
fn row(
    values: Map<String, Value>,
    fields: &[Field],
    parameters: &[(&'static str, String)],
    body: Option<&Value>,
) -> Result<Row, String> {
    let mut row = Row { line: None, parameters: parameters.to_vec(), body: body.cloned() };
    for (name, value) in values {
        let known = fields.iter().find(|field| field.name == name || field.flag() == name);
        let Some(field) = known.or_else(|| only_id(fields).filter(|_| name == "id")) else {
            let names: Vec<_> = fields.iter().map(|field| field.name).collect();
            return Err(format!("no column `{name}`; there are {}", names.join(", ")));
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
    let mut ids = fields.iter().filter(|field| field.is_in_path());
    match ids.find(|field| !row.parameters.iter().any(|(name, _)| *name == field.name)) {
        Some(missing) => Err(format!("{} is missing", missing.name)),
        None => Ok(row),
    }
}

fn only_id(fields: &[Field]) -> Option<&Field> {
    let mut ids = fields.iter().filter(|field| field.is_in_path());
    ids.next().filter(|_| ids.next().is_none())
}

/// The values of each line with its number, or what is wrong with it.
type Lines = Vec<(usize, Result<Map<String, Value>, String>)>;

fn json_lines(text: &str) -> Lines {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            (index + 1, serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}")))
        })
        .collect()
}

fn csv_rows(text: &str, fields: &[Field]) -> Lines {
    if let Some(line) = unclosed_quote(text) {
        return vec![(line, Err("a quotation mark is opened and not closed: is the file cut off?".to_owned()))];
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return vec![(1, Err(error.to_string()))],
    };
    // An empty cell leaves a field as it is.
    let values = |record: &csv::StringRecord| {
        let cells = header.iter().zip(record).filter(|(_, cell)| !cell.is_empty());
        cells
            .map(|(name, cell)| {
                let field = fields.iter().find(|field| field.name == name || field.flag() == name);
                let value = match field.filter(|field| field.is_in_body()) {
                    Some(field) => field.value(cell).map_err(|error| format!("{name}: {error}"))?,
                    None => cell.into(),
                };
                Ok((name.to_owned(), value))
            })
            .collect()
    };
    let line = |position: Option<&csv::Position>| position.map_or(0, |position| position.line() as usize);
    reader
        .records()
        .map(|record| match record {
            Ok(record) => (line(record.position()), values(&record)),
            Err(error) => {
                let reason = match error.kind() {
                    csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        format!("{len} cells, and the header has {expected_len}")
                    }
                    _ => error.to_string(),
                };
                (line(error.position()), Err(reason))
            }
        })
        .collect()
}

/// The line of a quotation mark that is never closed: the reader takes the end of the file for its other half.
fn unclosed_quote(text: &str) -> Option<usize> {
    let (mut opened, mut begins, mut line) = (None, true, 1);
    for letter in text.chars() {
        match (letter, opened) {
            ('"', None) if begins => opened = Some(line),
            // Of a doubled one the second opens again what the first has closed.
            ('"', Some(_)) => (opened, begins) = (None, true),
            _ if opened.is_none() => begins = matches!(letter, ',' | '\n' | '\r'),
            _ => {}
        }
        line += usize::from(letter == '\n');
    }
    opened
}

/// The first line of a journal: what was done elsewhere is not done here.
#[derive(Serialize, Deserialize, PartialEq)]
struct Target {
    operation: String,
    endpoint: String,
    project: String,
}

impl Target {
    fn of(session: &Session, request: &Request, operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            endpoint: request.endpoint().to_owned(),
            project: session.project_id().to_string(),
        }
    }

    /// Whether both are the same, as far as it is known before a project is looked up.
    fn agrees(&self, other: &Self) -> bool {
        let same_project = self.project == other.project || is_to_be_looked_up(&other.project);
        self.operation == other.operation && self.endpoint == other.endpoint && same_project
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in the project {} at {}", self.operation, self.project, self.endpoint)
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

/// What was done before, and where it is written down.
#[derive(Default)]
struct Journal {
    done: BTreeSet<String>,
    file: Option<File>,
}

impl Journal {
    fn open(path: &str, target: &Target, write: bool) -> Result<Self, Failure> {
        let mut done = BTreeSet::new();
        let broken = |error: &dyn std::fmt::Display| Usage(format!("{path}: {error}"));
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| broken(&error))?,
        };
        // The power may have gone off while the last line was written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].lines().enumerate();
        let is_none = |index: usize| broken(&format!("line {} is not of a journal", index + 1));
        if let Some((index, line)) = lines.next() {
            let other: Target = serde_json::from_str(line).map_err(|_| is_none(index))?;
            if !other.agrees(target) {
                let reason =
                    format!("this is the journal of {other}, and not of {target}; name another with --journal");
                return Err(broken(&reason).into());
            }
        }
        for (index, line) in lines {
            match serde_json::from_str::<Entry>(line) {
                Ok(entry) if entry.done => drop(done.insert(entry.digest)),
                Ok(entry) => drop(done.remove(&entry.digest)),
                Err(_) => return Err(is_none(index).into()),
            }
        }
        let mut journal = Self { done, file: None };
        if write {
            let opened = OpenOptions::new().append(true).create(true).open(path).map_err(|error| broken(&error))?;
            if whole < text.len() {
                opened.set_len(whole as u64).map_err(|error| broken(&error))?;
            }
            journal.file = Some(opened);
            if whole == 0 {
                journal.add(target)?;
            }
        }
        Ok(journal)
    }

    fn add(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{}\n", serde_json::to_string(line)?).as_bytes())?;
        }
        Ok(())
    }
}

/// Does all rows; whether all went well.
pub(super) async fn run(
    call: &Call<'_>,
    session: &Session,
    operation: &str,
    rows: Rows,
    journal_path: Option<&str>,
    concurrency: u16,
) -> Outcome {
    // It ends in its own way: what was done is to be told.
    let mut interrupt = std::pin::pin!(stop_signal()?);
    // All of them are checked before the first one is sent.
    let rows = rows.requests(session, operation)?;
    let mut journal = match (journal_path, rows.first()) {
        (Some(path), Some((_, request))) => {
            Journal::open(path, &Target::of(session, request, operation), !call.options.dry_run)?
        }
        _ => Journal::default(),
    };
    let (before, waiting): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(row, _)| journal.done.contains(&row.digest()));
    if call.options.dry_run {
        for (_, request) in &waiting {
            call.show(request)?;
            writeln!(io::stdout())?;
        }
        for (row, _) in &before {
            writeln!(io::stderr(), "hwjobs: done before, and not sent again: {}", row.object())?;
        }
        return Ok(true);
    }
    let bar = ProgressBar::new(waiting.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}")?);
    let (left, requests): (Vec<Row>, Vec<Request>) = waiting.into_iter().unzip();
    let mut calls = session.send_all(bulk::iter(requests)).at_most(concurrency.into());
    let (mut results, mut failed, mut refused, mut interrupted) = (Vec::new(), 0, None, false);
    loop {
        let ended = tokio::select! {
            biased;
            ended = calls.next() => ended,
            _ = &mut interrupt => {
                interrupted = true;
                None
            }
        };
        let Some(ended) = ended else { break };
        let row = usize::try_from(ended.index).ok().and_then(|index| left.get(index)).ok_or("a call of no row")?;
        let error = ended.result.err();
        let entry = Entry {
            digest: row.digest(),
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
    let printed =
        output::print(&json!({"results": results}), &shape, call.options.output, call.options.query.as_deref());
    let mut summary = format!("{done} done, {failed} failed");
    let rest = if interrupted { "without an answer" } else { "not tried" };
    for (count, what) in [(before.len(), "done before"), (left, rest)] {
        if count > 0 {
            summary += &format!(", {count} {what}");
        }
    }
    if let Some(path) = journal_path {
        summary += &format!("; journal: {path}");
    }
    if interrupted && journal_path.is_some() {
        summary += "; the same command goes on from there";
    }
    writeln!(io::stderr(), "hwjobs: {summary}")?;
    printed?;
    match refused {
        Some(error) => Err(error.into()),
        None if interrupted => Err(Interrupted.into()),
        None => Ok(failed == 0),
    }
}
