//! The rows of a file of updates: CSV with a header, or JSON Lines.
//!
//! A file is read twice: first all rows are checked, then they are sent. What is held meanwhile is a few bytes for each
//! row, so a file can be larger than the memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::ByteRecord;
use huaweicloud_jobs::raw::Request;
use huaweicloud_jobs::{ErrorKind, json, terminal};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::exit::{Failure, Interrupted, Usage, usage};
use super::fields::Field;
use super::files::{self, NOT_UTF_8};

/// How many faults of a file are told.
const TOLD: usize = 1000;

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Row {
    /// Which object it is about.
    pub(super) fn object(&self) -> String {
        self.parameters.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What is the same for the same call only.
    pub(super) fn digest(&self) -> String {
        let parameters: BTreeMap<_, _> = self.parameters.iter().map(|(name, value)| (*name, value)).collect();
        hex::encode(Sha256::digest(serde_json::json!([parameters, self.body]).to_string()))
    }

    /// The request of the row, made from one without parameters and body.
    pub(super) fn request(&self, base: &Request) -> Request {
        let request = self.parameters.iter().fold(base.clone(), |request, (name, value)| request.param(*name, value));
        match &self.body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }
}

/// The calls to make.
pub(super) enum Rows {
    /// Those that the command line says itself.
    Given(Vec<Row>),
    /// Those of a file.
    File(Table),
}

/// Each row with the line that says it, or what is wrong with it.
type Checked<'a> = Box<dyn Iterator<Item = (Option<usize>, Result<Row, String>)> + Send + 'a>;

/// What is known of rows that were checked.
pub(super) struct Summary {
    pub(super) count: usize,
    /// The characters of the longest object.
    pub(super) widest: usize,
}

impl Rows {
    /// The rows of a file. What the command line says holds for each row that does not say otherwise.
    pub(super) fn open(
        file: &str,
        fields: Vec<Field>,
        parameters: Vec<(&'static str, String)>,
        body: Option<Value>,
    ) -> Result<Self, Usage> {
        Table::open(file, fields, parameters, body).map(Self::File)
    }

    /// All rows from the beginning.
    pub(super) fn read(&self) -> Result<Checked<'_>, Failure> {
        Ok(match self {
            Self::Given(rows) => Box::new(rows.iter().map(|row| (None, Ok(row.clone())))),
            Self::File(table) => table.read()?,
        })
    }

    /// Checks all rows, and tells all that is wrong with them. Nothing is sent.
    pub(super) fn check(&self, base: &Request, mut stopped: impl FnMut() -> bool) -> Result<Summary, Failure> {
        let (mut count, mut widest) = (0, 0);
        let mut faults = Faults::default();
        // Objects are held by the beginnings of their digests: a million of them needs 20 MB.
        let mut seen: Vec<([u8; 16], u32)> = Vec::new();
        for (line, row) in self.read()? {
            count += 1;
            if count % 1024 == 0 && stopped() {
                return Err(Interrupted.into());
            }
            let row = match row {
                Ok(row) => row,
                Err(reason) => {
                    faults.add(line, reason);
                    continue;
                }
            };
            let object = row.object();
            widest = widest.max(object.chars().count());
            if let Some(line) = line.and_then(|line| u32::try_from(line).ok()) {
                let digest = Sha256::digest(&object);
                seen.push((digest[..16].try_into()?, line));
            }
            match row.request(base).check() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                    faults.add(line, format!("{object}: {error}"))
                }
                Err(error) => return Err(error.into()),
            }
        }
        seen.sort_unstable();
        for same in seen.chunk_by(|(one, _), (other, _)| one == other) {
            for (_, line) in &same[1..] {
                // Which of the two would be the last one is not known.
                faults.add(usize::try_from(*line).ok(), format!("names the same object as line {}", same[0].1));
            }
        }
        let file = match self {
            Self::Given(_) => None,
            Self::File(table) => Some(table.name.as_str()),
        };
        faults.conclude(file)?;
        match file {
            Some(file) if count == 0 => Ok(usage(format!("{file}: has no rows, so there is nothing to do"))?),
            _ => Ok(Summary { count, widest }),
        }
    }
}

/// What is wrong with rows.
#[derive(Default)]
struct Faults {
    told: Vec<(Option<usize>, String)>,
    more: usize,
}

impl Faults {
    fn add(&mut self, line: Option<usize>, reason: String) {
        if self.told.len() < TOLD { self.told.push((line, reason)) } else { self.more += 1 }
    }

    /// A failure with all faults in the order of their lines, if there are any.
    fn conclude(mut self, file: Option<&str>) -> Result<(), Usage> {
        if self.told.is_empty() {
            return Ok(());
        }
        // Of the faults of a line the first one stays the first.
        self.told.sort_by_key(|(line, _)| *line);
        let mut lines: Vec<String> = self
            .told
            .into_iter()
            .map(|(line, reason)| match (file, line) {
                // A name in a file may have several lines itself.
                (Some(file), Some(line)) => format!("{file}, line {line}: {}", terminal::line(&reason)),
                _ => terminal::line(&reason).into_owned(),
            })
            .collect();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        usage(lines.join("\n"))
    }
}

/// A file of rows, and what holds for all of them.
pub(super) struct Table {
    name: String,
    file: File,
    /// Where the text begins, behind a byte order mark.
    start: u64,
    is_json: bool,
    fields: Vec<Field>,
    parameters: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Table {
    fn open(
        name: &str,
        fields: Vec<Field>,
        parameters: Vec<(&'static str, String)>,
        body: Option<Value>,
    ) -> Result<Self, Usage> {
        let file = files::open(name)?;
        let broken = |error: &dyn std::fmt::Display| Usage(format!("{}: {error}", files::shown(Path::new(name))));
        let mut text = BufReader::new(&file);
        let start =
            files::mark_length(text.fill_buf().map_err(|error| broken(&error))?).map_err(|reason| broken(&reason))?;
        text.consume(start);
        let first = text.bytes().find(|byte| !byte.as_ref().is_ok_and(u8::is_ascii_whitespace));
        let is_json = match first.transpose().map_err(|error| broken(&error))? {
            None => return usage(format!("{}: is empty", files::shown(Path::new(name)))),
            Some(b'[') => {
                return usage(format!(
                    "{}: is a JSON array; JSON Lines has one object a line",
                    files::shown(Path::new(name))
                ));
            }
            Some(first) => first == b'{',
        };
        Ok(Self { name: name.to_owned(), file, start: start as u64, is_json, fields, parameters, body })
    }

    fn read(&self) -> Result<Checked<'_>, Failure> {
        (&self.file).seek(SeekFrom::Start(self.start))?;
        if self.is_json { Ok(self.json_lines()) } else { self.csv() }
    }

    fn json_lines(&self) -> Checked<'_> {
        let (mut text, mut line, mut number) = (BufReader::new(&self.file), Vec::new(), 0);
        Box::new(std::iter::from_fn(move || {
            loop {
                line.clear();
                number += 1;
                match text.read_until(b'\n', &mut line) {
                    Ok(0) => return None,
                    Ok(_) if line.trim_ascii().is_empty() => {}
                    Ok(_) => return Some((Some(number), self.json_row(&line))),
                    Err(error) => return Some((Some(number), Err(error.to_string()))),
                }
            }
        }))
    }

    fn json_row(&self, line: &[u8]) -> Result<Row, String> {
        let text = std::str::from_utf8(line).map_err(|_| NOT_UTF_8.to_owned())?;
        let values = match json::parse(text.as_bytes()) {
            Ok(Value::Object(values)) => values,
            Ok(_) => return Err("is no JSON object".to_owned()),
            Err(error) => return Err(format!("not a JSON object: {error}")),
        };
        let mut cells = Vec::with_capacity(values.len());
        for (name, value) in values {
            let field = self.field(&name)?;
            if cells.iter().any(|(known, _): &(&Field, Value)| known.name == field.name) {
                return Err(format!("{} is given twice, once as `{name}`", field.name));
            }
            cells.push((field, value));
        }
        self.row(cells)
    }

    /// The rows of a CSV file. What is wrong with its header comes first; where that leaves unclear what a row says, no
    /// rows follow.
    fn csv(&self) -> Result<Checked<'_>, Failure> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::Headers).from_reader(Quotes {
            text: &self.file,
            opened: None,
            begins: true,
            line: 1,
            ended: false,
        });
        let header = reader.byte_headers()?.clone();
        let at = header.position().map_or(1, |position| position.line() as usize);
        let (columns, faults, is_clear) = self.columns(&header);
        let faults = faults.into_iter().map(move |fault| (Some(at), Err(fault)));
        let mut record = ByteRecord::new();
        let mut ended = !is_clear;
        let rows = std::iter::from_fn(move || {
            while !ended {
                let read = reader.read_byte_record(&mut record);
                let line = record.position().map(|position| position.line() as usize);
                match read {
                    Ok(false) => ended = true,
                    Err(error) => {
                        ended = true;
                        return Some((line, Err(error.to_string())));
                    }
                    Ok(true) => {
                        if let Some(opened) = reader.get_ref().unclosed() {
                            let reason = "a quotation mark is opened and not closed: is the file cut off?";
                            return Some((Some(opened), Err(reason.to_owned())));
                        }
                        // Spreadsheets write rows without content.
                        if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                            return Some((line, self.csv_row(&columns, &record)));
                        }
                    }
                }
            }
            None
        });
        Ok(Box::new(faults.chain(rows)))
    }

    /// The field of each column, what is wrong with the header, and whether it is clear all the same what a row says.
    fn columns(&self, header: &ByteRecord) -> (Vec<Option<&Field>>, Vec<String>, bool) {
        let mut columns: Vec<Option<&Field>> = Vec::with_capacity(header.len());
        let (mut faults, mut is_clear) = (Vec::new(), true);
        for name in header {
            let known = match std::str::from_utf8(name) {
                Ok("") => Ok(None),
                Ok(name) => self.field(name).map(Some),
                Err(_) => Err(NOT_UTF_8.to_owned()),
            };
            let twice = known
                .as_ref()
                .ok()
                .copied()
                .flatten()
                .filter(|field| columns.iter().flatten().any(|known| known.name == field.name));
            if let Some(field) = twice {
                faults.push(format!("there are two columns of {}", field.name));
            }
            columns.push(known.unwrap_or_else(|fault| {
                faults.push(fault);
                is_clear = false;
                None
            }));
        }
        let is_there = |field: &Field| columns.iter().flatten().any(|known| known.name == field.name);
        let missing = self.fields.iter().filter(|field| field.is_in_path() && !is_there(field));
        // A name that is not known may have been meant for it.
        if let (Some(missing), true) = (missing.map(|field| field.name).next(), is_clear) {
            faults.push(format!("{missing} is missing: no column has this name"));
            is_clear = false;
        }
        (columns, faults, is_clear)
    }

    fn csv_row(&self, columns: &[Option<&Field>], record: &ByteRecord) -> Result<Row, String> {
        if record.len() != columns.len() {
            return Err(format!("{} cells, and the header has {}", record.len(), columns.len()));
        }
        let mut cells = Vec::with_capacity(columns.len());
        for (index, (field, cell)) in columns.iter().zip(record).enumerate() {
            // An empty cell leaves a field as it is.
            if cell.is_empty() {
                continue;
            }
            let cell = std::str::from_utf8(cell).map_err(|_| NOT_UTF_8.to_owned())?;
            let Some(field) = field else {
                return Err(format!("column {} has no name in the header", index + 1));
            };
            let value = match field.is_in_body() {
                true => field.value(cell).map_err(|error| format!("{}: {error}", field.name))?,
                false => cell.into(),
            };
            cells.push((*field, value));
        }
        self.row(cells)
    }

    /// The field that a column or a key names; `id` will do where there is one id.
    fn field(&self, name: &str) -> Result<&Field, String> {
        let known = self.fields.iter().find(|field| field.name == name);
        let known = known.or_else(|| self.fields.iter().find(|field| field.flag() == name));
        let mut ids = self.fields.iter().filter(|field| field.is_in_path());
        let only_id = ids.next().filter(|_| ids.next().is_none() && name == "id");
        known.or(only_id).ok_or_else(|| {
            let names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
            let separated = if !name.contains('\n') && name.contains([';', '\t', '|']) {
                "; columns are separated by commas"
            } else {
                ""
            };
            format!("no column `{name}`; there are {}{separated}", names.join(", "))
        })
    }

    /// The values of a line put over what holds for all of them.
    fn row(&self, cells: Vec<(&Field, Value)>) -> Result<Row, String> {
        let mut row = Row { parameters: self.parameters.clone(), body: self.body.clone() };
        for (field, value) in cells {
            if field.is_in_body() {
                if let Some(body) = row.body.as_mut().and_then(Value::as_object_mut) {
                    body.insert(field.name.to_owned(), value);
                }
                continue;
            }
            let text = match value {
                Value::String(text) => text,
                // Others are not printed as they were written.
                Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
                Value::Bool(value) if !field.is_in_path() => value.to_string(),
                _ => return Err(format!("{} is neither a text nor a whole number", field.name)),
            };
            field.check_id(&text)?;
            row.parameters.retain(|(name, _)| *name != field.name);
            row.parameters.push((field.name, text));
        }
        let place = |name: &str| self.fields.iter().position(|field| field.name == name);
        row.parameters.sort_by_key(|(name, _)| place(name));
        let mut ids = self.fields.iter().filter(|field| field.is_in_path());
        match ids.find(|field| !row.parameters.iter().any(|(name, _)| *name == field.name)) {
            Some(missing) => Err(format!("{} is missing", missing.name)),
            None => Ok(row),
        }
    }
}

/// A text that is read, and whether a quotation mark in it is still open: the reader of CSV takes the end of the file for
/// its other half.
struct Quotes<R> {
    text: R,
    /// The line of the quotation mark that is open.
    opened: Option<usize>,
    /// Whether a cell begins here.
    begins: bool,
    line: usize,
    ended: bool,
}

impl<R> Quotes<R> {
    /// The line of a quotation mark that is never closed.
    fn unclosed(&self) -> Option<usize> {
        self.opened.filter(|_| self.ended)
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.text.read(buffer)?;
        self.ended |= length == 0 && !buffer.is_empty();
        for letter in &buffer[..length] {
            match (letter, self.opened) {
                (b'"', None) if self.begins => self.opened = Some(self.line),
                // Of a doubled one the second opens again what the first has closed.
                (b'"', Some(_)) => (self.opened, self.begins) = (None, true),
                (letter, None) => self.begins = matches!(letter, b',' | b'\n' | b'\r'),
                _ => {}
            }
            self.line += usize::from(*letter == b'\n');
        }
        Ok(length)
    }
}
