//! Requests of the command line: built from arguments, sent, and their responses printed.

use std::io::{self, Write};

use clap::ArgMatches;
use huaweicloud_jobs::raw::{Request, Response};
use huaweicloud_jobs::spec::load::{self, Operation};
use huaweicloud_jobs::spec::{self, Document};
use huaweicloud_jobs::{Session, terminal};
use serde_json::{Value, json};

use super::exit::{Failure, Outcome};
use super::options::Options;
use super::output::{self, Format, Shape, Times};

/// Builds a request with its parameters and body.
pub(super) fn request(
    session: &Session,
    operation: &str,
    parameters: &[(&'static str, String)],
    body: Option<&Value>,
) -> Result<Request, huaweicloud_jobs::Error> {
    let mut request = session.request(operation)?;
    for (name, value) in parameters {
        request = request.param(*name, value);
    }
    Ok(match body {
        Some(body) => request.body(body.clone()),
        None => request,
    })
}

/// Returns whether a flag was given. A command that lacks the flag has it not.
pub(super) fn has_flag(matches: &ArgMatches, name: &str) -> bool {
    matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or_default()
}

/// Describes the responses of an operation, for tables.
pub(super) fn shape(
    document: &'static Document,
    operation: Operation<'static>,
    columns: &'static [&'static str],
    time_style: Times,
) -> Shape {
    let root = document.value();
    let schema = document.success_schema(operation);
    let fields = |schema: Option<&'static Value>| {
        let schema = schema.map(|schema| load::resolve_whole(root, schema));
        schema.and_then(|schema| schema["properties"].as_object()).into_iter().flatten()
    };
    let list = spec::list(operation).map(|list| list.items);
    let mut shape = Shape { list, columns, time_style, has_status: document.name() == "modelarts", ..Shape::default() };
    for (name, field) in fields(schema) {
        let mut inner = load::resolve_whole(root, field);
        if inner["type"] == "array" {
            inner = &inner["items"];
        }
        let one = std::iter::once((name, field));
        for (name, field) in one.chain(fields(Some(inner))) {
            match field["x-unit"].as_str() {
                Some(unit) if unit.ends_with("since the Unix epoch") || unit.ends_with("taken as UTC") => {
                    shape.times.push(name);
                }
                Some("ms") => shape.durations.push((name, 1000.0)),
                Some("s") => shape.durations.push((name, 1.0)),
                _ => {}
            }
        }
    }
    shape
}

/// The options with which calls are made and printed.
pub(super) struct Call<'a> {
    pub(super) options: &'a Options,
    pub(super) shape: Shape,
}

/// The fields that identify the started work, the most important one first.
const IDS: [&str; 4] = ["id", "job_id", "version_id", "config_name"];

/// Returns a response with its ids first.
fn ids_first(body: Value) -> Value {
    match body {
        Value::Object(mut fields) => {
            for name in IDS.iter().rev() {
                if let Some(id) = fields.shift_remove(*name) {
                    fields.shift_insert(0, (*name).to_owned(), id);
                }
            }
            for (_, field) in fields.iter_mut().filter(|(_, field)| field.is_object()) {
                *field = ids_first(field.take());
            }
            Value::Object(fields)
        }
        other => other,
    }
}

impl Call<'_> {
    /// Makes a call, and traces it with `--verbose`.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, huaweicloud_jobs::Error> {
        self.trace_request(request)?;
        let response = request.send().await?;
        self.trace(&response);
        Ok(response)
    }

    pub(super) fn trace(&self, response: &Response) {
        if self.options.verbose {
            eprintln!("< {} [request {}]", response.status(), response.request_id().unwrap_or("-"));
        }
    }

    pub(super) fn trace_request(&self, request: &Request) -> Result<(), huaweicloud_jobs::Error> {
        if self.options.verbose {
            for line in request.preview()?.to_string().lines() {
                eprintln!("> {}", terminal::line(line));
            }
        }
        Ok(())
    }

    pub(super) fn print(&self, response: &Value) -> Result<(), Failure> {
        output::print(response, &self.shape, self.options.output, self.options.query.as_deref())
    }

    /// Prints the request instead of sending it.
    pub(super) fn show(&self, request: &Request) -> Result<(), Failure> {
        self.show_to(request, &mut io::stdout().lock())
    }

    /// Writes the request that would be sent.
    pub(super) fn show_to(&self, request: &Request, out: &mut impl Write) -> Result<(), Failure> {
        let preview = request.preview()?;
        if self.options.output == Format::Table {
            return Ok(writeln!(out, "{}", output::for_reader(&preview.to_string()))?);
        }
        let headers: serde_json::Map<String, Value> =
            preview.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let request = json!({"method": preview.method, "url": preview.url, "headers": headers, "body": preview.body});
        output::write(&request, &Shape::default(), self.options.output, self.options.query.as_deref(), out)
    }

    /// Makes one call and prints its response.
    pub(super) async fn once(&self, request: &Request) -> Outcome {
        if self.options.dry_run {
            self.show(request)?;
            return Ok(true);
        }
        self.trace_request(request)?;
        let (response, problem) = request.attempt().await?;
        self.trace(&response);
        match (problem, response.body()) {
            // An idempotent request can be sent again.
            (Some(problem), _) if request.is_idempotent() => Err(problem.into()),
            (Some(problem), body) => {
                if !body.is_null() {
                    self.print(&ids_first(body.clone()))?;
                }
                let started = if request.is_billed() { "the work was started" } else { "the request was carried out" };
                let rest = if body.is_null() { "" } else { "; what there is of the response is printed" };
                writeln!(io::stderr(), "hwjobs: {started}, but its response cannot be read in full{rest}")?;
                Err(problem.into())
            }
            (None, Value::Null) => {
                writeln!(io::stderr(), "hwjobs: done")?;
                Ok(true)
            }
            (None, body) => {
                self.print(body)?;
                Ok(true)
            }
        }
    }

    /// Prints all pages as one response: the last page with the items of all. In formats with a line for each item, the items
    /// are printed as they come.
    pub(super) async fn all(&self, request: Request) -> Outcome {
        if self.options.dry_run {
            self.show(&request)?;
            return Ok(true);
        }
        let mut pages = request.pages();
        let streams = self.options.query.is_none() && matches!(self.options.output, Format::Jsonl | Format::Csv);
        let mut rows = if streams { Some(output::Rows::new(self.options.output)?) } else { None };
        let (mut items, mut last) = (Vec::new(), Value::Null);
        let failure = loop {
            let (list, mut body) = match pages.next().await {
                Ok(Some(page)) => (page.list(), page.into_body()),
                Ok(None) => break None,
                Err(error) => break Some(error),
            };
            let page = list.and_then(|list| body.get_mut(list)?.as_array_mut()).map(std::mem::take).unwrap_or_default();
            match &mut rows {
                Some(rows) if list.is_some() => rows.write(&page)?,
                _ => items.extend(page),
            }
            last = body;
        };
        match rows.filter(|_| !last.is_null()) {
            Some(rows) if self.shape.list.is_some() => rows.finish()?,
            _ if failure.is_none() => {
                if let Some(list) = self.shape.list.and_then(|list| last.get_mut(list)) {
                    *list = items.into();
                }
                self.print(&last)?;
            }
            _ => {}
        }
        failure.map_or(Ok(true), |error| Err(error.into()))
    }
}
