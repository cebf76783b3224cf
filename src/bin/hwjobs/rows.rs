//! The rows of a file of updates: CSV with a header, or JSON Lines.
//!
//! A file is read twice: first all rows are validated, then they are sent. Only a few bytes of each row stay in memory, so a
//! file can be larger than the memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::ByteRecord;
use huaweicloud_jobs::raw::Request;
use huaweicloud_jobs::{ErrorKind, json, terminal};
use serde_json::Value;
use sha2::{Digest, Sha256};
use unicode_width::UnicodeWidthStr;

use super::exit::{Failure, Interrupted, Usage, usage};
use super::fields::Field;
use super::files::{self, NOT_UTF_8};

/// The number of problems of a file that are reported.
const TOLD: usize = 1000;

/// Makes one call.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Row {
    /// Returns the object of the row.
    pub(super) fn object(&self) -> String {
        self.parameters.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Returns a digest that identifies the call.
    pub(super) fn digest(&self) -> String {
        let parameters: BTreeMap<_, _> = self.parameters.iter().map(|(name, value)| (*name, value)).collect();
        hex::encode(Sha256::digest(serde_json::json!([parameters, self.body]).to_string()))
    }

    /// Builds the request of the row from one without parameters and body.
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
    /// The calls that the command line gives.
    Given(Vec<Row>),
    /// The calls of a file.
    File(Table),
}

/// Each row with its line, or its problem.
type Checked<'a> = Box<dyn Iterator<Item = (Option<usize>, Result<Row, String>)> + Send + 'a>;

/// A summary of validated rows.
pub(super) struct Summary {
    pub(super) count: usize,
    /// The width of the longest object on a terminal.
    pub(super) widest: usize,
}

impl Rows {
    /// Opens the rows of a file. The values of the command line are the defaults of each row.
    pub(super) fn open(
        file: &str,
        fields: Vec<Field>,
        parameters: Vec<(&'static str, String)>,
        body: Option<Value>,
    ) -> Result<Self, Usage> {
        Table::open(file, fields, parameters, body).map(Self::File)
    }

    /// Reads all rows from the beginning.
    pub(super) fn read(&self) -> Result<Checked<'_>, Failure> {
        Ok(match self {
            Self::Given(rows) => Box::new(rows.iter().map(|row| (None, Ok(row.clone())))),
            Self::File(table) => table.read()?,
        })
    }

    /// Validates all rows, and reports all problems. Nothing is sent.
    pub(super) fn check(&self, base: &Request, mut stopped: impl FnMut() -> bool) -> Result<Summary, Failure> {
        let (mut count, mut widest) = (0, 0);
        let mut faults = Faults::default();
        // Objects are remembered by the beginnings of their digests: a million of them needs 20 MB.
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
            widest = widest.max(terminal::line(&object).width());
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
                // The order of two updates of one object is not defined.
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

/// The problems of rows.
#[derive(Default)]
struct Faults {
    told: Vec<(Option<usize>, String)>,
    more: usize,
}

impl Faults {
    fn add(&mut self, line: Option<usize>, reason: String) {
        if self.told.len() < TOLD { self.told.push((line, reason)) } else { self.more += 1 }
    }

    /// Returns a failure with all problems in the order of their lines, if there are any.
    fn conclude(mut self, file: Option<&str>) -> Result<(), Usage> {
        if self.told.is_empty() {
            return Ok(());
        }
        // The problems of a line keep their order.
        self.told.sort_by_key(|(line, _)| *line);
        let mut lines: Vec<String> = self
            .told
            .into_iter()
            .map(|(line, reason)| match (file, line) {
                // A name in a file may contain line ends.
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

/// A file of rows, and the defaults of all rows.
pub(super) struct Table {
    name: String,
    file: File,
    /// The start of the text, after a byte order mark.
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

    /// Reads the rows of a CSV file. Problems of its header come first. If they make the rows ambiguous, no rows follow.
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
                        // Spreadsheets write empty rows.
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

    /// Returns the field of each column, the problems of the header, and whether the rows are unambiguous all the same.
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
        // An unknown name may have been meant for it.
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
            // An empty cell does not change the field.
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

    /// Finds the field that a column or a key names; `id` is enough if there is one id.
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

    /// Applies the values of a line to the defaults.
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
                // Other values are not printed as they were written.
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

/// Reads a text and tracks whether a quotation mark is open: the CSV reader accepts the end of the file as its other half.
struct Quotes<R> {
    text: R,
    /// The line of the open quotation mark.
    opened: Option<usize>,
    /// Whether a cell begins at this place.
    begins: bool,
    line: usize,
    ended: bool,
}

impl<R> Quotes<R> {
    /// Returns the line of a quotation mark that is never closed.
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
                // The second of two quotation marks reopens the quotation that the first has closed.
                (b'"', Some(_)) => (self.opened, self.begins) = (None, true),
                (letter, None) => self.begins = matches!(letter, b',' | b'\n' | b'\r'),
                _ => {}
            }
            self.line += usize::from(*letter == b'\n');
        }
        Ok(length)
    }
}
