//! Commands that are one operation: call it, print the answer.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ArgMatches;
use huaweicloud_jobs::raw::{Answer, Request};
use huaweicloud_jobs::spec::load::{self, Operation};
use huaweicloud_jobs::spec::{self, Document};
use huaweicloud_jobs::waiting::Wait;
use huaweicloud_jobs::{Session, terminal};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::bulk;
use super::exit::{Failure, Outcome, TimedOut, Usage, interruptible, usage};
use super::fields::{self, Field};
use super::nouns::{Action, Noun, Verb};
use super::options::Options;
use super::output::{self, Format, Shape};
use super::rows::{Row, Rows};

/// Runs a command of the table.
pub(super) async fn run(noun: &Noun, verb: &Verb, matches: &ArgMatches) -> Outcome {
    let options = Options::of(matches);
    let (document, operation) = spec::operation(verb.operation).ok_or("the description has no such operation")?;
    let fields = Field::all(document, operation);
    let call = Call { options: &options, shape: shape(document, operation, verb.columns) };
    let parameters = fields::parameters(&fields, matches);
    let what = format!("{} {}", noun.words, verb.name);
    let from = if verb.takes_file() { matches.get_one::<String>("from") } else { None };
    let body = fields::body(&fields, matches, from.is_some())?;
    if let Some(file) = from {
        let rows = Rows::open(file, fields, parameters, body)?;
        let journal = matches.get_one::<String>("journal").cloned();
        let journal = journal.or_else(|| (file != "-").then(|| format!("{file}.journal")));
        let concurrency = matches.get_one::<u16>("concurrency").copied().unwrap_or(1);
        let session = interruptible(options.session()).await?;
        let pace = bulk::Pace { concurrency, patience: Pace::duration(matches, "patience") };
        return bulk::run(&call, &session, verb.operation, rows, journal.as_deref(), pace).await;
    }
    let last = fields.iter().rfind(|field| field.is_in_path());
    let ids: Vec<&String> = match last {
        Some(last) => matches.get_many(&last.id()).into_iter().flatten().collect(),
        None => Vec::new(),
    };
    if let Some(twice) = ids.iter().enumerate().find(|(index, id)| ids[..*index].contains(id)) {
        return Ok(usage(format!("{} is given twice", twice.1))?);
    }
    if verb.name == "delete" {
        let shown: Vec<_> =
            parameters.iter().rev().skip(1).rev().map(|(_, id)| id).chain(ids.iter().copied()).collect();
        let shown = shown.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        options.confirm(&format!("delete {} {shown}", noun.words))?;
    }
    let session = interruptible(options.session_for(verb.operation)).await?;
    if let (Some(last), [_, _, ..]) = (last, &ids[..]) {
        let row = |id: &&String| {
            let mut parameters = parameters.clone();
            parameters.retain(|(name, _)| *name != last.name);
            parameters.push((last.name, (*id).clone()));
            Row { parameters, body: body.clone() }
        };
        let rows = Rows::Given(ids.iter().map(row).collect());
        let pace = bulk::Pace { concurrency: 1, patience: Pace::duration(matches, "patience") };
        return bulk::run(&call, &session, verb.operation, rows, None, pace).await;
    }
    let request = request(&session, verb.operation, &parameters, body.as_ref())?;
    let answered = async {
        match &verb.action {
            Action::Call if has_flag(matches, "paginate") => call.all(request).await,
            Action::Call => call.once(&request).await,
            Action::Wait => call.wait(&request, false, &Pace::of(matches), &what).await,
            Action::WaitForRunning => call.wait(&request, true, &Pace::of(matches), &what).await,
            Action::Logs => call.logs(&session, &parameters, matches).await,
        }
    };
    interruptible(answered).await
}

/// A request with its parameters and body.
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

/// Whether a flag was given; commands without it have not.
pub(super) fn has_flag(matches: &ArgMatches, name: &str) -> bool {
    matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or_default()
}

/// What a table has to know of an operation's answer.
pub(super) fn shape(
    document: &'static Document,
    operation: Operation<'static>,
    columns: &'static [&'static str],
) -> Shape {
    let root = document.value();
    let schema = document.success_schema(operation);
    let fields = |schema: Option<&'static Value>| {
        let schema = schema.map(|schema| load::resolve_whole(root, schema));
        schema.and_then(|schema| schema["properties"].as_object()).into_iter().flatten()
    };
    let list = spec::list(operation).map(|list| list.items);
    let mut shape = Shape { list, columns, has_status: document.name() == "modelarts", ..Shape::default() };
    for (name, field) in fields(schema) {
        let mut inner = load::resolve_whole(root, field);
        if inner["type"] == "array" {
            inner = &inner["items"];
        }
        let one = std::iter::once((name, field));
        for (name, field) in one.chain(fields(Some(inner))) {
            match field["x-unit"].as_str() {
                Some(unit) if unit.ends_with("since the Unix epoch") => shape.times.push(name),
                Some("ms") => shape.durations.push((name, 1000.0)),
                Some("s") => shape.durations.push((name, 1.0)),
                _ => {}
            }
        }
    }
    shape
}

/// How calls are made and printed.
pub(super) struct Call<'a> {
    pub(super) options: &'a Options,
    pub(super) shape: Shape,
}

/// How long to wait, and how long at first between two requests.
struct Pace {
    timeout: Duration,
    interval: Duration,
}

impl Pace {
    fn of(matches: &ArgMatches) -> Self {
        Self { timeout: Self::duration(matches, "timeout"), interval: Self::duration(matches, "interval") }
    }

    fn duration(matches: &ArgMatches, name: &str) -> std::time::Duration {
        let duration = matches.try_get_one::<SignedDuration>(name).ok().flatten().copied().unwrap_or_default();
        duration.try_into().unwrap_or_default()
    }

    fn timed_out(&self, what: &str, state: Option<&str>) -> TimedOut {
        let state = state.map(|state| format!("; its state is {state}")).unwrap_or_default();
        TimedOut(format!("{what}: not at its end after {:?}{state}", self.timeout))
    }
}

/// Fields that identify what a request has started, the first ones first.
const IDS: [&str; 4] = ["id", "job_id", "version_id", "config_name"];

/// A response with the ids before everything else.
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
    /// Makes a call, and shows it where that is wanted.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, huaweicloud_jobs::Error> {
        self.trace_request(request)?;
        let answer = request.send().await?;
        self.trace(&answer);
        Ok(answer)
    }

    fn trace(&self, answer: &Answer) {
        if self.options.verbose {
            eprintln!("< {} [request {}]", answer.status(), answer.request_id().unwrap_or("-"));
        }
    }

    fn trace_request(&self, request: &Request) -> Result<(), huaweicloud_jobs::Error> {
        if self.options.verbose {
            for line in request.preview()?.to_string().lines() {
                eprintln!("> {}", terminal::line(line));
            }
        }
        Ok(())
    }

    pub(super) fn print(&self, answer: &Value) -> Result<(), Failure> {
        output::print(answer, &self.shape, self.options.output, self.options.query.as_deref())
    }

    /// Prints what would be sent.
    pub(super) fn show(&self, request: &Request) -> Result<(), Failure> {
        self.show_to(request, &mut io::stdout().lock())
    }

    /// Writes what would be sent on its way to the standard output.
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

    /// One call.
    pub(super) async fn once(&self, request: &Request) -> Outcome {
        if self.options.dry_run {
            self.show(request)?;
            return Ok(true);
        }
        self.trace_request(request)?;
        let (answer, problem) = request.attempt().await?;
        self.trace(&answer);
        match (problem, answer.body()) {
            // Reading again brings the same, and what was not started can be requested again.
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

    /// All pages, as one response: the last page with the items of all. Where each item has a line of its own, they are
    /// printed as they come.
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

    /// Waits as the library does, and prints the last response.
    async fn wait(&self, request: &Request, for_running: bool, pace: &Pace, what: &str) -> Outcome {
        if self.options.dry_run {
            self.show(request)?;
            return Ok(true);
        }
        let bar = indicatif::ProgressBar::new_spinner().with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.trace_request(request)?;
        let wait: Wait<'_, Request> = request.wait().at_most(pace.timeout).every(pace.interval);
        let wait = wait.observe(|progress| {
            bar.set_message(terminal::line(&format!("{what}: {}", progress.state)).into_owned());
            self.trace(progress.details);
        });
        let ended = if for_running { wait.for_running().await } else { wait.for_completion().await };
        bar.finish_and_clear();
        match ended {
            Ok(answer) => {
                self.print(answer.body())?;
                Ok(true)
            }
            Err(error) if error.is_timeout() => Err(pace.timed_out(what, error.state()).into()),
            Err(error) if error.is_failure() => {
                error.last().map_or(Ok(()), |answer| self.print(answer.body()))?;
                Ok(false)
            }
            Err(error) => Err(huaweicloud_jobs::Error::from(error).into()),
        }
    }

    /// Prints a log, and follows it if that is wanted.
    async fn logs(&self, session: &Session, parameters: &[(&'static str, String)], matches: &ArgMatches) -> Outcome {
        let ids: Vec<_> = parameters.iter().filter(|(name, _)| name.ends_with("_id")).cloned().collect();
        let mut parameters = parameters.to_vec();
        if !parameters.iter().any(|(name, _)| *name == "log_file") && !self.options.dry_run {
            let files = self.send(&request(session, "list_training_job_log_files", &ids, None)?).await?;
            let first = files.items().first().and_then(Value::as_str);
            let first = first.ok_or_else(|| Usage("this version has no log file yet".to_owned()))?;
            parameters.push(("log_file", first.to_owned()));
        }
        let read = |from: &[(&'static str, String)]| request(session, "show_training_job_log", from, None);
        if self.options.dry_run {
            if !parameters.iter().any(|(name, _)| *name == "log_file") {
                parameters.push(("log_file", "the-first-one".to_owned()));
            }
            self.show(&read(&parameters)?)?;
            return Ok(true);
        }
        let raw = has_flag(matches, "raw");
        let answer = self.send(&read(&parameters)?).await?;
        let content = answer.body()["content"].as_str().unwrap_or_default();
        if !has_flag(matches, "follow") {
            match self.options.output {
                Format::Table if self.options.query.is_none() => lines(content, raw)?,
                _ => self.print(answer.body())?,
            }
            return Ok(true);
        }
        lines(content, raw)?;
        let given = |name: &str| parameters.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
        let number = given("version_id").parse::<i64>().map_err(|_| Usage("version_id is no number".to_owned()))?;
        let file = session.modelarts().training_job(given("job_id"))?.version(number).log_file(given("log_file"));
        let pace = Pace::of(matches);
        let mut follow = file.follow().every(pace.interval);
        if let Some(end) = line_number(&answer.body()["end_line"]) {
            follow = follow.after(end);
        }
        let print = async {
            while let Some(line) = follow.try_next().await? {
                lines(&line, raw)?;
            }
            Ok(true)
        };
        tokio::time::timeout(pace.timeout, print)
            .await
            .unwrap_or_else(|_| Err(pace.timed_out("the version", None).into()))
    }
}

/// Line numbers are numbers in some responses and texts in others.
fn line_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Prints lines of a log; the last one ends as the others do. On a terminal they can set colours and nothing else, unless
/// they are wanted raw.
fn lines(text: &str, raw: bool) -> io::Result<()> {
    let is_shown = !raw && io::stdout().is_terminal();
    let text = if is_shown { terminal::log(text) } else { text.into() };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    // A colour does not last longer than the log.
    if is_shown && text.contains('\u{1b}') {
        out.write_all(b"\x1b[0m")?;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}
