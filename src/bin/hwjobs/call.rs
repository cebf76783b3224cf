//! The commands that are one operation each.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ArgMatches;
use huaweicloud_jobs::raw::Request;
use huaweicloud_jobs::spec;
use huaweicloud_jobs::waiting::Wait;
use huaweicloud_jobs::{Session, terminal};
use jiff::SignedDuration;
use serde_json::Value;

use super::bulk;
use super::exit::{Outcome, TimedOut, Usage, interruptible, usage};
use super::fields::{self, Field};
use super::nouns::{Action, Noun, Verb};
use super::options::{Options, note_cloud};
use super::output::Format;
use super::request::{Call, has_flag, request, shape};
use super::rows::{Row, Rows};

/// Runs a command of the table.
pub(super) async fn run(noun: &Noun, verb: &Verb, matches: &ArgMatches, options: Options) -> Outcome {
    let (document, operation) = spec::operation(verb.operation).ok_or("the description has no such operation")?;
    let fields = Field::all(document, operation);
    let call = Call { options: &options, shape: shape(document, operation, verb.columns, options.times) };
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
        note_cloud(&session, verb.operation);
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
    let called = async {
        match &verb.action {
            Action::Call if has_flag(matches, "paginate") => call.all(request).await,
            Action::Call => call.once(&request).await,
            Action::Wait => call.wait(&request, false, &Pace::of(matches), &what).await,
            Action::WaitForRunning => call.wait(&request, true, &Pace::of(matches), &what).await,
            Action::Logs => call.logs(&session, &parameters, matches).await,
        }
    };
    interruptible(called).await
}

/// The time limit of a wait, and the first interval between two requests.
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

impl Call<'_> {
    /// Waits like the library, and prints the last response.
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
            Ok(response) => {
                self.print(response.body())?;
                Ok(true)
            }
            Err(error) if error.is_timeout() => Err(pace.timed_out(what, error.state()).into()),
            Err(error) if error.is_failure() => {
                error.last().map_or(Ok(()), |response| self.print(response.body()))?;
                Ok(false)
            }
            Err(error) => Err(huaweicloud_jobs::Error::from(error).into()),
        }
    }

    /// Prints a log, and follows it with `--follow`.
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
        let response = self.send(&read(&parameters)?).await?;
        let content = response.body()["content"].as_str().unwrap_or_default();
        if !has_flag(matches, "follow") {
            match self.options.output {
                Format::Table if self.options.query.is_none() => lines(content, raw)?,
                _ => self.print(response.body())?,
            }
            return Ok(true);
        }
        lines(content, raw)?;
        let given = |name: &str| parameters.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
        let version = session.modelarts().training_job(given("job_id"))?.version(given("version_id"))?;
        let file = version.log_file(given("log_file"));
        let pace = Pace::of(matches);
        let mut follow = file.follow().every(pace.interval);
        if let Some(end) = line_number(&response.body()["end_line"]) {
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

/// Parses a line number, which is a number in some responses and a string in others.
fn line_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Prints lines of a log, the last one with a line end too. On a terminal, control sequences other than colours are escaped
/// unless `raw` is set.
fn lines(text: &str, raw: bool) -> io::Result<()> {
    let is_shown = !raw && io::stdout().is_terminal();
    let text = if is_shown { terminal::log(text) } else { text.into() };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    // Resets a colour that the log leaves set.
    if is_shown && text.contains('\u{1b}') {
        out.write_all(b"\x1b[0m")?;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}
