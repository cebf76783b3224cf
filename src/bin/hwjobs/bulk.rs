//! Sends an operation for many objects, with a journal from which an interrupted run resumes.

use std::collections::HashMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use huaweicloud_jobs::bulk::Pause;
use huaweicloud_jobs::raw::Request;
use huaweicloud_jobs::{Session, bulk, terminal};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::SignedDuration;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::exit::{Failure, Interrupted, Outcome, stop_signal};
use super::journal::{Done, Entry, Journal, Target};
use super::output::{self, Format, Shape};
use super::request::Call;
use super::rows::{Row, Rows};

/// The common state of the sender of requests and the reader of results.
#[derive(Default)]
struct Flight {
    /// Rows in flight, by their place among the requests.
    sent: HashMap<u64, Sent>,
    next: u64,
    /// The number of rows that were done before and are not sent.
    before: usize,
    /// Whether no further row is sent.
    stop: bool,
    /// The reason why no more rows can be read.
    broken: Option<String>,
}

struct Sent {
    digest: String,
    object: String,
}

fn lock(flight: &Mutex<Flight>) -> MutexGuard<'_, Flight> {
    flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The limits of a run: the number of calls in flight, and the longest pause that the service may demand.
pub(super) struct Pace {
    pub(super) concurrency: u16,
    pub(super) patience: Duration,
}

/// The shortest pause that is reported.
const SHORT_PAUSE: Duration = Duration::from_secs(2);

/// Returns the message about a pause that the service demands.
fn told(pause: Pause) -> Option<String> {
    let seconds = |duration: Duration| SignedDuration::from_secs(duration.as_secs().try_into().unwrap_or(i64::MAX));
    let asked = pause.asked.filter(|asked| *asked >= SHORT_PAUSE)?;
    Some(match asked > pause.duration {
        true => format!(
            "hwjobs: the service asks to wait for {:#}; it is tried again in {:#} (see --patience)",
            seconds(asked),
            seconds(pause.duration)
        ),
        false => format!("hwjobs: the service asks to wait for {:#}", seconds(asked)),
    })
}

/// Sends all rows. Returns whether all succeeded.
pub(super) async fn run(
    call: &Call<'_>,
    session: &Session,
    operation: &str,
    rows: Rows,
    journal_path: Option<&str>,
    pace: Pace,
) -> Outcome {
    // Handled here, because an interrupted run reports what it has done.
    let mut interrupt = std::pin::pin!(stop_signal()?);
    let base = session.request(operation)?;
    // All rows are validated before the first one is sent.
    let checked = rows.check(&base, || interrupt.as_mut().now_or_never().is_some())?;
    let target = Target::of(session, &base, operation);
    if call.options.dry_run {
        let done = journal_path.map(|path| Journal::read(path, &target)).transpose()?.unwrap_or_default();
        return show(call, &base, &rows, &done, || interrupt.as_mut().now_or_never().is_some());
    }
    let (mut journal, done) = match journal_path {
        Some(path) => {
            let (journal, done) = Journal::open(path, &target)?;
            (Some(journal), done)
        }
        None => (None, Done::default()),
    };
    let bar = ProgressBar::new(checked.count as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}")?);
    let flight = Arc::new(Mutex::new(Flight::default()));
    let mut left = rows.read()?;
    let requests = {
        let (flight, bar, base, done) = (Arc::clone(&flight), bar.clone(), base.clone(), &done);
        std::iter::from_fn(move || {
            loop {
                let mut flight = lock(&flight);
                if flight.stop {
                    return None;
                }
                let row = match left.next()?.1 {
                    Ok(row) => row,
                    Err(reason) => {
                        flight.broken = Some(format!("the file was changed while it was read: {reason}"));
                        return None;
                    }
                };
                let (digest, object) = (row.digest(), row.object());
                if done.contains(&digest) {
                    flight.before += 1;
                    bar.inc(1);
                    continue;
                }
                let place = flight.next;
                flight.next += 1;
                flight.sent.insert(place, Sent { digest, object });
                return Some(row.request(&base));
            }
        })
    };
    let mut calls = session.send_all(bulk::iter(requests)).at_most(pace.concurrency.into()).patience(pace.patience);
    calls = calls.observe_pauses(|pause| {
        if let Some(told) = told(pause) {
            bar.suspend(|| drop(writeln!(io::stderr(), "{told}")));
        }
    });
    let mut results = Results::new(call, checked.widest, bar.clone());
    let (mut good, mut failed, mut interrupted) = (0, 0, false);
    // The rows that were sent after the journal became unwritable.
    let (mut journal_error, mut not_noted) = (None, Vec::new());
    loop {
        let ended = tokio::select! {
            biased;
            ended = calls.next() => ended,
            () = &mut interrupt => {
                interrupted = true;
                None
            }
        };
        let Some(ended) = ended else { break };
        let Sent { digest, object } = lock(&flight).sent.remove(&ended.index).ok_or("a call of no row")?;
        let error = ended.result.err();
        let entry = Entry { digest, object, done: error.is_none(), error: error.as_ref().map(ToString::to_string) };
        if let Some(journal) = &mut journal {
            if journal_error.is_none() {
                journal_error = journal.add(&entry).err();
            }
            if journal_error.is_some() {
                // Without its entry the next run would send the update again.
                lock(&flight).stop = true;
                not_noted.extend(entry.done.then(|| entry.object.clone()));
            }
        }
        if call.options.verbose {
            let (object, said) = (terminal::line(&entry.object), entry.error.as_deref().unwrap_or("done"));
            bar.suspend(|| drop(writeln!(io::stderr(), "< {operation} {object}: {said}")));
        }
        results.add(&entry.object, entry.error.as_deref());
        bar.inc(1);
        match error {
            None => good += 1,
            Some(error) => {
                failed += 1;
                bar.set_message(format!("{failed} failed"));
                let body = error.excerpt().filter(|body| call.options.verbose && !body.trim().is_empty());
                if let Some(body) = body {
                    let body = terminal::line(body);
                    bar.suspend(|| drop(writeln!(io::stderr(), "  the body begins: {body}")));
                }
            }
        }
    }
    let ended = calls.ended_early().cloned();
    drop(calls);
    bar.finish_and_clear();
    let Flight { mut before, broken, stop, .. } = std::mem::take(&mut *lock(&flight));
    if (interrupted || stop || ended.is_some()) && !done.is_empty() {
        // The rows after the last one that was sent count too.
        before = rows.read()?.filter(|(_, row)| row.as_ref().is_ok_and(|row| done.contains(&row.digest()))).count();
    }
    let printed = results.finish();
    let mut summary = format!("{good} done, {failed} failed");
    let rest = if interrupted { "without a response" } else { "not tried" };
    for (count, what) in [(before, "done before"), (checked.count.saturating_sub(before + good + failed), rest)] {
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
    writeln!(io::stderr(), "hwjobs: {}", terminal::line(&summary))?;
    if let (Some(journal), Some(error)) = (&journal, journal_error) {
        let mut reason = format!("{}: {error}; nothing more was sent", journal.path().display());
        if !not_noted.is_empty() {
            reason += &format!("; done and not noted there: {}", not_noted.join(", "));
        }
        return Err(reason.into());
    }
    printed?;
    match (ended, broken) {
        (Some(error), _) => Err(error.into()),
        (None, Some(reason)) => Err(reason.into()),
        (None, None) if interrupted => Err(Interrupted.into()),
        (None, None) => Ok(failed == 0),
    }
}

/// Prints the requests of a dry run.
fn show(call: &Call<'_>, base: &Request, rows: &Rows, done: &Done, mut stopped: impl FnMut() -> bool) -> Outcome {
    let (mut out, mut err) = (BufWriter::new(io::stdout().lock()), BufWriter::new(io::stderr().lock()));
    for (index, (_, row)) in rows.read()?.enumerate() {
        if index % 1024 == 0 && stopped() {
            return Err(Interrupted.into());
        }
        let row: Row = row?;
        if !done.is_empty() && done.contains(&row.digest()) {
            writeln!(err, "hwjobs: done before, and not sent again: {}", terminal::line(&row.object()))?;
            continue;
        }
        call.show_to(&row.request(base), &mut out)?;
        writeln!(out)?;
    }
    out.flush()?;
    err.flush()?;
    Ok(true)
}

/// The results of the updates, printed as they arrive. A format of one value, or a query, is printed at the end.
struct Results<'a> {
    call: &'a Call<'a>,
    shape: Shape,
    whole: Option<Vec<Value>>,
    /// The width of the column of objects.
    width: usize,
    has_header: bool,
    bar: ProgressBar,
    /// The reason why nothing more is printed. The updates go on all the same.
    failure: Option<Failure>,
}

const COLUMNS: [&str; 3] = ["object", "done", "error"];

impl<'a> Results<'a> {
    fn new(call: &'a Call<'a>, widest: usize, bar: ProgressBar) -> Self {
        let shape = Shape { list: Some("results"), columns: &COLUMNS, ..Shape::default() };
        let options = call.options;
        let at_end = options.query.is_some() || matches!(options.output, Format::Json | Format::Yaml);
        let width = widest.max(COLUMNS[0].len());
        Self { call, shape, whole: at_end.then(Vec::new), width, has_header: false, bar, failure: None }
    }

    fn add(&mut self, object: &str, error: Option<&str>) {
        if let Some(whole) = &mut self.whole {
            whole.push(json!({"object": object, "done": error.is_none(), "error": error}));
        } else if self.failure.is_none() {
            // Rows on a terminal show how far it is. With a bar between them the terminal would flicker.
            if io::stdout().is_terminal() {
                self.bar.set_draw_target(ProgressDrawTarget::hidden());
            }
            let bar = self.bar.clone();
            self.failure = bar.suspend(|| self.print(Some((object, error)))).err();
        }
    }

    /// Prints a row, and the header before the first one.
    fn print(&mut self, row: Option<(&str, Option<&str>)>) -> Result<(), Failure> {
        let format = self.call.options.output;
        let header = (!self.has_header && format != Format::Jsonl).then(|| COLUMNS.map(str::to_owned));
        self.has_header = true;
        let row = row.map(|(object, error)| {
            [object.to_owned(), error.is_none().to_string(), error.unwrap_or_default().to_owned()]
        });
        match (format, row) {
            (Format::Jsonl, Some([object, _, error])) => {
                let done = error.is_empty();
                let error = (!done).then_some(error);
                output::print(&json!({"object": object, "done": done, "error": error}), &Shape::default(), format, None)
            }
            (Format::Csv, row) => output::records(header.into_iter().chain(row)),
            (_, row) => {
                let line = |[object, done, error]: [String; 3]| {
                    let object = terminal::line(&object);
                    let blanks = " ".repeat(self.width.saturating_sub(object.width()));
                    format!("{object}{blanks}  {done:5}  {}", terminal::line(&error)).trim_end().to_owned()
                };
                let header = header.map(|names| line(names.map(|name| name.to_uppercase())));
                output::lines(header.as_deref(), row.map(line))
            }
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let (format, query) = (self.call.options.output, self.call.options.query.as_deref());
        match self.whole.take() {
            Some(whole) => output::print(&json!({"results": whole}), &self.shape, format, query),
            None if self.has_header || format == Format::Jsonl => Ok(()),
            None => self.print(None),
        }
    }
}
