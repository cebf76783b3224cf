//! Prints responses for people and for programs.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Seek, Write};

use anstyle::Style;
use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use huaweicloud_jobs::api::wire::since_epoch;
use huaweicloud_jobs::terminal;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, SignedDurationRound, Timestamp, Unit};
use jmespath::DEFAULT_RUNTIME;
use jmespath::ast::Ast;
use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::exit::{Failure, usage};

/// The output format of a response: a table, a JSON value, JSON lines, YAML, or CSV with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Jsonl,
    Yaml,
    Csv,
}

/// The output format of a command that is not an operation.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people.
    Text,
    /// As one JSON value.
    Json,
}

/// How tables show times: in UTC, or in the time zone of this machine with its offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Times {
    #[default]
    Iso,
    Local,
}

impl Times {
    fn show(self, time: Timestamp) -> String {
        match self {
            Self::Iso => time.to_string(),
            Self::Local => time.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        }
    }
}

/// Facts of a response that help to print it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// The field with the items, for a list.
    pub(super) list: Option<&'static str>,
    /// The columns of a table; if empty, all fields.
    pub(super) columns: &'static [&'static str],
    /// Fields that hold a time: a number since the Unix epoch, or a text in UTC.
    pub(super) times: Vec<&'static str>,
    /// How they are shown.
    pub(super) time_style: Times,
    /// Fields that hold a duration, with the number of their units in a second.
    pub(super) durations: Vec<(&'static str, f64)>,
    /// Whether `status` is a code of ModelArts.
    pub(super) has_status: bool,
}

/// The blanks around the content of a column.
const PADDING: usize = 2;

/// The last column of a table is cut down to this width before it is left out.
const SHORTEST: usize = 16;

/// Fields that only report success.
const ENVELOPE: [&str; 4] = ["is_success", "error_code", "error_msg", "error_message"];

/// Compiles a JMESPath expression.
pub(super) fn compile(query: &str) -> Result<jmespath::Expression<'static>, Failure> {
    let wrong = |reason: &str| usage(format!("--query: {}", one_line(reason)));
    let compiled = jmespath::compile(query).or_else(|error| wrong(&error.to_string()))?;
    match unknown_function(compiled.as_ast()) {
        Some(name) => Ok(wrong(&format!("there is no function `{name}`"))?),
        None => Ok(compiled),
    }
}

/// Finds a function that does not exist. The library reports it only when it is called.
fn unknown_function(ast: &Ast) -> Option<&str> {
    match ast {
        Ast::Function { name, .. } if DEFAULT_RUNTIME.get_function(name).is_none() => Some(name),
        Ast::Function { args: parts, .. } | Ast::MultiList { elements: parts, .. } => {
            parts.iter().find_map(unknown_function)
        }
        Ast::MultiHash { elements, .. } => elements.iter().find_map(|element| unknown_function(&element.value)),
        Ast::Comparison { lhs: one, rhs: other, .. }
        | Ast::Condition { predicate: one, then: other, .. }
        | Ast::Projection { lhs: one, rhs: other, .. }
        | Ast::And { lhs: one, rhs: other, .. }
        | Ast::Or { lhs: one, rhs: other, .. }
        | Ast::Subexpr { lhs: one, rhs: other, .. } => unknown_function(one).or_else(|| unknown_function(other)),
        Ast::Expref { ast: inner, .. }
        | Ast::Flatten { node: inner, .. }
        | Ast::Not { node: inner, .. }
        | Ast::ObjectValues { node: inner, .. } => unknown_function(inner),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => None,
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Prints a response. If the query fails on it, the whole response is printed before the error is returned: it may be of a
/// change that cannot be repeated.
pub(super) fn print(response: &Value, shape: &Shape, format: Format, query: Option<&str>) -> Result<(), Failure> {
    write(response, shape, format, query, &mut io::stdout().lock())
}

/// Writes a response, as [`print()`] does.
pub(super) fn write(
    response: &Value,
    shape: &Shape,
    format: Format,
    query: Option<&str>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Some(query) = query else { return write_whole(response, shape, format, out) };
    match compile(query)?.search(response) {
        Ok(found) => write_whole(&serde_json::to_value(found)?, &Shape::default(), format, out),
        Err(error) => {
            write_whole(response, shape, format, out)?;
            Ok(usage(format!("--query: {}", one_line(&error.to_string())))?)
        }
    }
}

fn write_whole(value: &Value, shape: &Shape, format: Format, out: &mut impl Write) -> Result<(), Failure> {
    match format {
        Format::Json => writeln!(out, "{}", escaped(format!("{value:#}")))?,
        Format::Yaml => out.write_all(for_reader(&serde_saphyr::to_string(value)?).as_bytes())?,
        Format::Jsonl => {
            let rows = rows(value, shape).map_or(std::slice::from_ref(value), Vec::as_slice);
            rows.iter().try_for_each(|row| writeln!(out, "{}", escaped(row.to_string())))?;
        }
        Format::Csv => csv(value, shape, out)?,
        Format::Table => {
            let (lines, has_header) = table(value, shape, terminal_width());
            let (header, rows) = lines.split_at(usize::from(has_header).min(lines.len()));
            header.iter().try_for_each(|line| write_header(line, out))?;
            rows.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    Ok(())
}

fn write_header(line: &str, out: &mut impl Write) -> io::Result<()> {
    let bold = Style::new().bold();
    let is_coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    if is_coloured { writeln!(out, "{bold}{line}{bold:#}") } else { writeln!(out, "{line}") }
}

/// Prints lines of a table, with a header if there is one.
pub(super) fn lines(header: Option<&str>, rows: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    header.map(|line| write_header(line, &mut out)).transpose()?;
    Ok(rows.into_iter().try_for_each(|line| writeln!(out, "{line}"))?)
}

/// Prints records as CSV.
pub(super) fn records<const N: usize>(records: impl IntoIterator<Item = [String; N]>) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    for record in records {
        writer.write_record(record.iter().map(|text| cell(text).into_owned())).map_err(csv_error)?;
    }
    Ok(writer.flush()?)
}

fn in_csv(value: &Value) -> String {
    cell(&plain(value)).into_owned()
}

/// Formats a cell of CSV. On a terminal, control characters and line ends are escaped.
fn cell(text: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() { terminal::line(text) } else { text.into() }
}

/// Returns the items of a list; `None` for other responses.
fn rows<'a>(value: &'a Value, shape: &Shape) -> Option<&'a Vec<Value>> {
    shape.list.and_then(|list| value[list].as_array()).or_else(|| value.as_array())
}

/// Unwraps a single object that is the only field of a response.
fn record(value: &Value) -> Option<&Map<String, Value>> {
    let fields = value.as_object()?;
    match fields.values().next() {
        Some(Value::Object(only)) if fields.len() == 1 => Some(only),
        _ => Some(fields),
    }
}

/// Collects all names in the order of their first occurrence.
fn names<'a>(rows: impl IntoIterator<Item = &'a Map<String, Value>>) -> Vec<&'a str> {
    let mut known = HashSet::new();
    rows.into_iter().flat_map(Map::keys).map(String::as_str).filter(|name| known.insert(*name)).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Formats a value in a table. Characters that would steer the terminal or forge another row are escaped.
fn visible(value: &Value) -> String {
    terminal::line(&plain(value)).into_owned()
}

/// Escapes all characters of a JSON text that a terminal does not show. It stays the same JSON, because they occur only in
/// strings.
fn escaped(json: String) -> String {
    let is_plain = |c: char| c == '\n' || terminal::is_shown(c);
    if json.chars().all(is_plain) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match is_plain(c) {
            true => out.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}")),
        }
        out
    })
}

/// Makes control characters visible on a terminal, for formats that cannot escape all of them.
pub(super) fn for_reader(text: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() { terminal::text(text) } else { text.into() }
}

/// Prints the items of a list page by page, in the memory of one page. The header of CSV is known only at the end, so the
/// rows wait in a temporary file.
pub(super) struct Rows {
    waiting: Option<Waiting>,
}

struct Waiting {
    file: io::BufWriter<File>,
    columns: Vec<String>,
    /// The same names, to be looked up.
    known: HashSet<String>,
}

impl Rows {
    /// Rows in JSON Lines or CSV.
    pub(super) fn new(format: Format) -> Result<Self, Failure> {
        let waiting = match format {
            Format::Csv => {
                let file = io::BufWriter::new(tempfile::tempfile()?);
                Some(Waiting { file, columns: Vec::new(), known: HashSet::new() })
            }
            _ => None,
        };
        Ok(Self { waiting })
    }

    pub(super) fn write(&mut self, rows: &[Value]) -> Result<(), Failure> {
        let Some(Waiting { file, columns, known }) = &mut self.waiting else {
            let mut out = io::stdout().lock();
            rows.iter().try_for_each(|row| writeln!(out, "{}", escaped(row.to_string())))?;
            return Ok(out.flush()?);
        };
        for row in rows {
            for name in record(row).into_iter().flat_map(Map::keys) {
                if !known.contains(name) {
                    known.insert(name.clone());
                    columns.push(name.clone());
                }
            }
            writeln!(file, "{row}")?;
        }
        Ok(())
    }

    /// Prints the rows that wait.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Some(Waiting { file, columns, known: _ }) = self.waiting else { return Ok(()) };
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut print = |line: &[Value]| {
            let mut data = Vec::new();
            csv_rows(line, &columns, &mut data)?;
            Ok::<_, Failure>(out.write_all(for_reader(&String::from_utf8_lossy(&data)).as_bytes())?)
        };
        if !columns.is_empty() {
            print(&[Value::from(columns.clone())])?;
        }
        for line in io::BufReader::new(file).lines() {
            let row: Value = serde_json::from_str(&line?)?;
            if columns.is_empty() || record(&row).is_some() {
                print(&[row])?;
            }
        }
        Ok(out.flush()?)
    }
}

/// Makes rows of CSV: of objects the named columns, of arrays all cells.
fn csv_rows(rows: &[Value], columns: &[impl AsRef<str>], out: &mut impl Write) -> Result<(), Failure> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
    for row in rows {
        let cells: Vec<String> = match (record(row), row.as_array()) {
            (Some(fields), _) => {
                columns.iter().map(|name| fields.get(name.as_ref()).map_or_else(String::new, in_csv)).collect()
            }
            (None, Some(cells)) => cells.iter().map(in_csv).collect(),
            (None, None) => vec![in_csv(row)],
        };
        writer.write_record(cells).map_err(csv_error)?;
    }
    Ok(writer.flush()?)
}

fn csv(value: &Value, shape: &Shape, out: &mut impl Write) -> Result<(), Failure> {
    let single = [value.clone()];
    let rows: &[Value] = rows(value, shape).map_or(&single, Vec::as_slice);
    let objects: Vec<_> = rows.iter().filter_map(record).collect();
    if objects.is_empty() {
        return csv_rows(rows, &[""; 0], out);
    }
    let columns = names(objects.iter().copied());
    csv_rows(&[Value::from(columns.clone())], &columns, out)?;
    rows.iter()
        .filter(|row| record(row).is_some())
        .try_for_each(|row| csv_rows(std::slice::from_ref(row), &columns, out))
}

/// Converts an error of the CSV writer to its I/O error, by which a closed pipe is recognized.
fn csv_error(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => format!("{other:?}").into(),
    }
}

/// Returns the width of the terminal, if the standard output is one.
pub(super) fn terminal_width() -> Option<u16> {
    io::stdout().is_terminal().then(|| terminal_size::terminal_size().map(|(width, _)| width.0)).flatten()
}

/// Lays out a table. Returns its lines, and whether the first one is its header.
fn table(value: &Value, shape: &Shape, width: Option<u16>) -> (Vec<String>, bool) {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match rows(value, shape) {
        Some(rows) => {
            let objects: Vec<_> = rows.iter().filter_map(Value::as_object).collect();
            let columns = match shape.columns {
                [] => names(objects.iter().copied()),
                columns => columns.to_vec(),
            };
            if columns.is_empty() && !rows.iter().any(Value::is_array) {
                return (rows.iter().map(visible).collect(), false);
            }
            let header: Vec<String> = columns.iter().map(|name| visible(&name.to_uppercase().into())).collect();
            let cells = rows.iter().map(|row| match row {
                Value::Object(row) => columns.iter().map(|name| shape.cell(name, row.get(*name))).collect(),
                Value::Array(cells) => cells.iter().map(visible).collect(),
                scalar => vec![visible(scalar)],
            });
            let mut lines: Vec<Vec<String>> = std::iter::once(header).chain(cells).collect();
            if let Some(width) = width {
                fit(&mut lines, width.into());
            }
            let mut lines = lines.into_iter();
            if let Some(header) = lines.next().filter(|header| !header.is_empty()) {
                table.set_header(header);
            }
            lines.for_each(|line| {
                table.add_row(line);
            });
        }
        None => match record(value) {
            None if value.is_null() => return (Vec::new(), false),
            // A single text keeps its line ends.
            None => return (vec![terminal::text(&plain(value)).into_owned()], false),
            Some(fields) => {
                if let Some(width) = width {
                    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
                }
                let says_nothing = |name: &str, value: &Value| {
                    ENVELOPE.contains(&name) && (value.is_null() || *value == true || *value == "")
                };
                let only = fields.len() == 1;
                for (name, value) in fields.iter().filter(|(name, value)| only || !says_nothing(name, value)) {
                    table.add_row([visible(&name.as_str().into()), shape.cell(name, Some(value))]);
                }
            }
        },
    }
    // The first column needs no blank before it.
    let lines = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    (lines.collect(), table.header().is_some())
}

/// Fits the lines of a table, the header among them, to a width: cuts the cells of the last column short, or removes the column.
/// The first column stays whole. No cell is wrapped, so that an id can be copied.
fn fit(lines: &mut [Vec<String>], width: usize) {
    let count = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..count).filter_map(widest).collect();
    let mut columns = widths.len();
    // The blanks before the first column and after the last one are not printed.
    let mut needed = widths.iter().map(|width| width + PADDING).sum::<usize>().saturating_sub(PADDING);
    while columns > 1 && needed > width {
        let last = widths[columns - 1];
        let header = lines.first().and_then(|header| header.get(columns - 1)).map_or(0, |cell| cell.width());
        let shorter = last.checked_sub(needed - width).filter(|left| *left >= SHORTEST.max(header));
        if let Some(shorter) = shorter {
            lines.iter_mut().filter_map(|line| line.get_mut(columns - 1)).for_each(|cell| cut(cell, shorter));
            break;
        }
        needed -= last + PADDING;
        columns -= 1;
    }
    lines.iter_mut().for_each(|line| line.truncate(columns));
}

/// Cuts a text to a width on a terminal, where some characters take two columns.
fn cut(text: &mut String, width: usize) {
    if text.width() <= width {
        return;
    }
    let mut taken = 1;
    let end = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or_default();
        taken > width
    });
    if let Some((end, _)) = end {
        text.replace_range(end.., "…");
    }
}

impl Shape {
    /// Formats a value for people: times are written out, and codes are replaced by words.
    fn cell(&self, name: &str, value: Option<&Value>) -> String {
        let Some(value) = value else { return String::new() };
        if self.times.contains(&name)
            && let Some(time) = time(value)
        {
            return self.time_style.show(time);
        }
        if let Some((_, units)) = self.durations.iter().find(|(duration, _)| *duration == name)
            && let Some(number) = value.as_f64().or_else(|| value.as_str()?.parse().ok())
            && let Some(duration) = duration(number / units)
        {
            return duration;
        }
        if self.has_status
            && name == "status"
            && let Some(word) = status_word(value)
        {
            return format!("{} {word}", visible(value));
        }
        visible(value)
    }
}

/// Reads a time in the forms of these services: a number since the Unix epoch, or a date and time in UTC.
fn time(value: &Value) -> Option<Timestamp> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match number {
        Some(number) => Timestamp::from_second(since_epoch(number).as_second()).ok(),
        None => value.as_str()?.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp()),
    }
}

/// Formats a duration, for example `8m 52s`. Less than a second is shown with fractions.
fn duration(seconds: f64) -> Option<String> {
    let duration = SignedDuration::try_from_secs_f64(seconds).ok().filter(|_| seconds >= 0.0)?;
    let unit = if seconds < 1.0 { Unit::Millisecond } else { Unit::Second };
    let rounded = duration.round(SignedDurationRound::new().smallest(unit).mode(RoundMode::Trunc)).ok()?;
    Some(format!("{rounded:#}"))
}

fn status_word(value: &Value) -> Option<String> {
    use huaweicloud_jobs::modelarts::{JobState, JobStatus};
    let state = serde_json::from_value::<JobStatus>(value.clone()).ok()?.state();
    let is_code = plain(value).parse::<i64>().is_ok();
    (is_code && state != JobState::Undocumented).then(|| format!("{state:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_fits_and_breaks_no_cell() {
        let jobs = json!({"jobs": [
            {"id": "2c12ff33-da22", "name": "数据分析作业", "about": "a long text about the job 一二三四五六七八九十"},
            {"id": "62a287e9-76c3", "name": "my-job", "about": "short"},
        ]});
        let shape = Shape { list: Some("jobs"), ..Shape::default() };
        let whole = table(&jobs, &shape, None).0;
        let place = |line: &str, text: &str| line[..line.find(text).unwrap()].width();
        assert_eq!(place(&whole[1], "a long"), place(&whole[2], "short"), "{whole:#?}");
        for width in 1..90_u16 {
            let lines = table(&jobs, &shape, Some(width)).0;
            assert_eq!(lines.len(), 3, "a line for each object: {lines:#?}");
            let widest = lines.iter().map(|line| line.width()).max().unwrap();
            assert!(widest <= usize::from(width.max(13)), "{width}: {lines:#?}");
            assert!(lines[1].starts_with("2c12ff33-da22") && lines[2].starts_with("62a287e9-76c3"), "{lines:#?}");
        }
        assert!(table(&jobs, &shape, Some(60)).0[1].ends_with('…'));
    }

    #[test]
    fn times_of_all_forms_are_shown_alike() {
        let shape = Shape { times: vec!["at"], ..Shape::default() };
        for value in
            [json!(1_524_189_990_635_i64), json!("1524189990635"), json!(1_524_189_990), json!("2018-04-20T02:06:30")]
        {
            assert_eq!(shape.cell("at", Some(&value)), "2018-04-20T02:06:30Z", "{value}");
        }
        let utc = Times::Local.show(Timestamp::UNIX_EPOCH);
        assert!(utc.starts_with("19") && utc.len() == "1970-01-01T00:00:00+00:00".len(), "{utc}");
    }
}
