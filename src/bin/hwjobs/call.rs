//! Commands that are one operation: call it, print the answer.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use clap::ArgMatches;
use huaweicloud_jobs::raw::{Answer, Request};
use huaweicloud_jobs::spec::load::{self, Operation};
use huaweicloud_jobs::spec::{self, Document};
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
            Action::Wait(ended) => call.wait(&request, *ended, &Pace::of(matches), &what).await,
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
    let mut shape = Shape { columns, has_status: document.name() == "modelarts", ..Shape::default() };
    for (name, field) in fields(schema) {
        let mut inner = load::resolve_whole(root, field);
        if inner["type"] == "array" {
            if operation.id().starts_with("list_") && shape.list.is_none() {
                shape.list = Some(name);
            }
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

/// How long to wait, and how often to look.
struct Pace {
    timeout: std::time::Duration,
    interval: std::time::Duration,
}

impl Pace {
    fn of(matches: &ArgMatches) -> Self {
        Self { timeout: Self::duration(matches, "timeout"), interval: Self::duration(matches, "interval") }
    }

    fn duration(matches: &ArgMatches, name: &str) -> std::time::Duration {
        let duration = matches.try_get_one::<SignedDuration>(name).ok().flatten().copied().unwrap_or_default();
        duration.try_into().unwrap_or_default()
    }

    /// Waits until it is time to look again, unless the time is up then.
    async fn next(&self, started: Instant, what: &str) -> Result<(), TimedOut> {
        if started.elapsed() + self.interval > self.timeout {
            return Err(TimedOut(format!("{what}: not at its end after {:?}", self.timeout)));
        }
        tokio::time::sleep(self.interval).await;
        Ok(())
    }
}

impl Call<'_> {
    /// Makes a call, and shows it where that is wanted.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, huaweicloud_jobs::Error> {
        if self.options.verbose {
            for line in request.preview()?.to_string().lines() {
                eprintln!("> {}", terminal::line(line));
            }
        }
        let answer = request.send().await?;
        if self.options.verbose {
            eprintln!("< {} [request {}]", answer.status(), answer.request_id().unwrap_or("-"));
        }
        Ok(answer)
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
        let answer = self.send(request).await?;
        match answer.body() {
            Value::Null => writeln!(io::stderr(), "hwjobs: done")?,
            body => self.print(body)?,
        }
        Ok(true)
    }

    /// All pages, as one answer: the last page with the items of all.
    pub(super) async fn all(&self, request: Request) -> Outcome {
        if self.options.dry_run {
            self.show(&request)?;
            return Ok(true);
        }
        let mut pages = request.pages();
        let (mut items, mut last) = (Vec::new(), Value::Null);
        while let Some(page) = pages.next().await? {
            items.extend_from_slice(page.items());
            let list = page.list();
            last = page.into_body();
            if let (Some(list), Some(fields)) = (list, last.as_object_mut()) {
                fields.insert(list.to_owned(), items.clone().into());
            }
        }
        self.print(&last)?;
        Ok(true)
    }

    /// Calls until it has come to its end, and prints the last answer.
    async fn wait(&self, request: &Request, ended: fn(&Value) -> Option<bool>, pace: &Pace, what: &str) -> Outcome {
        if self.options.dry_run {
            self.show(request)?;
            return Ok(true);
        }
        let started = Instant::now();
        let bar = indicatif::ProgressBar::new_spinner().with_message(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        loop {
            let answer = self.send(request).await?;
            if let Some(good) = ended(answer.body()) {
                bar.finish_and_clear();
                self.print(answer.body())?;
                return Ok(good);
            }
            pace.next(started, what).await?;
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
        if !has_flag(matches, "follow") {
            match self.options.output {
                Format::Table if self.options.query.is_none() => lines(answer.body(), raw)?,
                _ => self.print(answer.body())?,
            }
            return Ok(true);
        }
        lines(answer.body(), raw)?;
        let (pace, started) = (Pace::of(matches), Instant::now());
        let (mut end, mut ended) = (line_number(&answer.body()["end_line"]), false);
        let version = request(session, "show_training_job_version", &ids, None)?;
        loop {
            if let Some(end) = &end {
                parameters.retain(|(name, _)| !matches!(*name, "base_line" | "order"));
                parameters.extend([("base_line", end.clone()), ("order", "desc".to_owned())]);
            }
            let answer = self.send(&read(&parameters)?).await?;
            let next = line_number(&answer.body()["end_line"]);
            let is_new = next.is_some() && next != end && !content(answer.body()).is_empty();
            if is_new {
                lines(answer.body(), raw)?;
                end = next;
                continue;
            }
            if ended {
                return Ok(true);
            }
            // What is written between the last look and the end is read in one more round.
            let status = self.send(&version).await?.body()["status"].clone();
            ended = serde_json::from_value::<huaweicloud_jobs::modelarts::JobStatus>(status)?.is_terminal();
            if !ended {
                pace.next(started, "the version").await?;
            }
        }
    }
}

fn content(answer: &Value) -> &str {
    answer["content"].as_str().unwrap_or_default()
}

/// Line numbers are numbers in some answers and texts in others.
fn line_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Prints the lines of a log. On a terminal they can set colours and nothing else, unless they are wanted raw.
fn lines(answer: &Value, raw: bool) -> io::Result<()> {
    let is_shown = !raw && io::stdout().is_terminal();
    let text = if is_shown { terminal::log(content(answer)) } else { content(answer).into() };
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
