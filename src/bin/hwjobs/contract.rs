//! `hwjobs contract`: tests which documented behaviour an endpoint honours.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use comfy_table::{ColumnConstraint, ContentArrangement, Width};
use huaweicloud_jobs::contract::{Conclusion, Format, Matrix, Plan, Recording, Report, Runner, Verdict};
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::session::credentials::Service;
use huaweicloud_jobs::{Cloud, Session, har, terminal};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::Notify;

use super::exit::{self, Failure, Interrupted, Usage, stop_signal, usage};
use super::files::{self, Readers};
use super::options::Options;
use super::output::terminal_width;
use super::summary::{leftovers, summary, table};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Test which clauses of the description an endpoint honours.
    #[command(after_help = RUN_HELP)]
    Run(Box<RunArguments>),
    /// Compare reports of several endpoints.
    #[command(after_help = "Example:\n  hwjobs contract matrix otc.json hws.json --report html=matrix.html")]
    Matrix(MatrixArguments),
    /// Check recorded requests and responses against the description, without sending anything.
    #[command(after_help = CHECK_HELP)]
    Check(Recorded),
}

const CHECK_HELP: &str = "\
The file is a HAR file: of --record, of the developer tools of a browser, or of mitmproxy.
Neither the output nor the reports nor the copy of --redact contain a secret.

Exit codes: 0 every response is as described, 1 something differs, 2 the file cannot be
read or has no response of these APIs.

Examples:
  hwjobs contract check traffic.har
  hwjobs contract check traffic.har --report html=report.html
  hwjobs contract check traffic.har --redact shared.har
  hwjobs contract check traffic.har --cloud otc";

/// The largest HAR file that is read, in bytes.
const MOST_RECORDED: u64 = 512 * 1024 * 1024;

/// Which recording to check.
#[derive(Args)]
pub(super) struct Recorded {
    /// The HAR file; `-` reads the standard input.
    file: PathBuf,
    /// Write a copy that can be shared: without secrets, and without requests of other services.
    #[arg(long, value_name = "FILE")]
    redact: Option<PathBuf>,
    /// Reports to write: json, junit, markdown, html or sarif.
    #[arg(long, value_name = "FORMAT=FILE", value_delimiter = ',')]
    report: Vec<Output>,
}

impl Recorded {
    fn run(&self, options: &Options) -> exit::Outcome {
        let text = files::text_up_to(&self.file, MOST_RECORDED)?;
        let recording = Recording::read(&text, options.cloud()?).map_err(|error| shown(&self.file, &error))?;
        drop(text);
        let reports = opened(&self.report)?;
        let copy =
            self.redact.as_ref().map(|copy| files::Output::open(copy, Readers::Owner, har::wrote)).transpose()?;
        let report = recording.check();
        if let Some(copy) = copy {
            copy.write(recording.redacted().as_bytes())?;
        }
        for (format, file) in reports {
            file.write(format.report(&report)?.as_bytes())?;
        }
        let mut out = io::stdout().lock();
        for outcome in &report.outcomes {
            let is_failure = matches!(outcome.verdict, Verdict::Differs | Verdict::Absent);
            if is_failure || !outcome.notes.is_empty() {
                writeln!(out, "{}: {}", outcome.id, outcome.verdict)?;
            }
            for difference in &outcome.differences {
                writeln!(out, "  {}: {}", difference.check, terminal::line(&difference.text))?;
            }
            if let Some(reason) = outcome.reason.as_ref().filter(|_| is_failure) {
                writeln!(out, "  {}", terminal::line(reason))?;
            }
            for note in &outcome.notes {
                writeln!(out, "  note: {}", terminal::line(note))?;
            }
        }
        summary(&report, true, &mut out)?;
        match report.conclusion() {
            Conclusion::Honoured => Ok(true),
            Conclusion::NothingTried => Ok(usage(format!(
                "{}: no response of these APIs could be checked, see the reasons above",
                files::shown(&self.file)
            ))?),
            _ => Ok(false),
        }
    }
}

const RUN_HELP: &str = "\
Without an address (--endpoint, --region, --profile, or HWJOBS_ENDPOINT, HWJOBS_REGION, HWJOBS_PROFILE) it tests the
embedded emulator. Credentials are found as by every call.

Exit codes: 0 everything is honoured, 1 something differs, is absent or is left behind, 2 it could not run or nothing
could be tried, 130 interrupted.

Examples:
  hwjobs contract run
  hwjobs contract run --plan --only 'mrs.*.property.*'
  hwjobs contract run --endpoint https://gateway.example --read-only --rate 5 \\
    --report html=report.html,junit=junit.xml
  hwjobs contract run --endpoint https://gateway.example --replay report.json
  hwjobs contract run --cloud otc

With --cloud the clauses are those of what that cloud documents: an operation that it does not document must be absent.";

/// What to test, where and how.
#[derive(Args)]
pub(super) struct RunArguments {
    /// Address of the identity service.
    #[arg(long, value_name = "URL")]
    iam_endpoint: Option<String>,
    /// Address of ModelArts.
    #[arg(long, value_name = "URL")]
    modelarts_endpoint: Option<String>,
    /// Address of the MapReduce Service.
    #[arg(long, value_name = "URL")]
    mrs_endpoint: Option<String>,
    /// Print what would be sent, and send nothing.
    #[arg(long)]
    plan: bool,
    /// Send only requests that change nothing; read existing objects instead of creating some.
    #[arg(long)]
    read_only: bool,
    /// Test also what starts billed work: training and visualization jobs, job executions.
    #[arg(long)]
    allow_billed: bool,
    /// Test only clauses with these ids; `*` stands for anything.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Test only what failed in this report.
    #[arg(long, value_name = "FILE", conflicts_with = "only")]
    replay: Option<PathBuf>,
    /// Seed by which names and values are chosen; a new one each time by default, which is printed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many clauses run at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,
    /// The largest number of requests in a second.
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// A value for what must exist already, for example cluster_id=... or train_url=/bucket/out/.
    #[arg(long, value_name = "NAME=VALUE")]
    given: Vec<String>,
    /// How many seconds to wait for a job to end or to become removable, and to retry a throttled request.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    /// Reports to write: json, junit, markdown, html or sarif.
    #[arg(long, value_name = "FORMAT=FILE", value_delimiter = ',')]
    report: Vec<Output>,
}

/// Returns whether the environment has an endpoint.
fn is_addressed() -> bool {
    ["ENDPOINT", "REGION", "PROFILE", "IAM_ENDPOINT", "MODELARTS_ENDPOINT", "MRS_ENDPOINT"]
        .iter()
        .any(|name| std::env::var_os(format!("HWJOBS_{name}")).is_some_and(|value| !value.is_empty()))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if (0.001..=1e6).contains(&rate) { Ok(rate) } else { Err("it must be 0.001 to 1000000".to_owned()) }
}

/// Which reports to compare.
#[derive(Args)]
pub(super) struct MatrixArguments {
    /// Reports in JSON, each of one endpoint; NAME=FILE gives it another name than the file's.
    #[arg(required = true, num_args = 1.., value_name = "FILE")]
    files: Vec<String>,
    /// Show also the clauses on which all agree.
    #[arg(long)]
    all: bool,
    /// What to write: markdown, json or html.
    #[arg(long, value_name = "FORMAT=FILE", value_delimiter = ',')]
    report: Vec<Output>,
}

/// `FORMAT=FILE`.
#[derive(Clone)]
struct Output {
    format: Format,
    file: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = text.split_once('=').ok_or("it must be FORMAT=FILE, for example json=report.json")?;
        Ok(Self { format: format.parse()?, file: file.into() })
    }
}

/// Runs a command. A failure to run has an exit code of its own, so that scripts can distinguish it from differences.
pub(super) async fn run(command: Command, options: Options) -> exit::Outcome {
    let outcome = match command {
        Command::Run(run) => run.run(&options).await,
        Command::Matrix(compare) => compare.run(),
        Command::Check(recorded) => recorded.run(&options),
    };
    let left = |error: &Failure| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    outcome.map_err(
        |error| if left(&error) || error.is::<Interrupted>() { error } else { Usage(error.to_string()).into() },
    )
}

impl RunArguments {
    async fn run(&self, options: &Options) -> exit::Outcome {
        let cloud = options.cloud()?;
        let mut plan = self.chosen(cloud)?;
        if self.plan {
            return print_plan(&plan, self.read_only);
        }
        let elsewhere = [&options.endpoint, &options.region, &options.profile];
        let own = [&self.iam_endpoint, &self.modelarts_endpoint, &self.mrs_endpoint];
        let embedded = elsewhere.into_iter().chain(own).all(Option::is_none) && !is_addressed();
        // Before the run, since a file that cannot be written would lose all results.
        let reports = opened(&self.report)?;
        let emulator = match (embedded, cloud) {
            (false, _) => None,
            (true, None) => Some(Arc::new(Emulator::start().await?)),
            (true, Some(cloud)) => Some(Arc::new(Emulator::builder().cloud(cloud).start().await?)),
        };
        let session = match &emulator {
            Some(emulator) => match &options.recorder {
                Some(recorder) => emulator.session_builder().record(recorder).build()?,
                None => emulator.session()?,
            },
            None => self.session(options).await?,
        };
        if !embedded && session.cloud() != cloud {
            // A profile names it.
            plan = self.chosen(session.cloud())?;
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
        let mut runner = Runner::new(session)
            .embedded(embedded)
            .read_only(self.read_only)
            .allow_billed(self.allow_billed || embedded)
            .workers(self.workers.into())
            .seed(seed)
            .patience(Duration::from_secs(self.patience));
        if let Some(rate) = self.rate {
            runner = runner.rate(rate);
        }
        for given in &self.given {
            let Some((name, value)) = given.split_once('=') else {
                return Ok(usage(format!("--given {given}: it must be NAME=VALUE"))?);
            };
            runner = runner.given(name, value);
        }
        let target = match &emulator {
            Some(emulator) => {
                let advanced = Arc::clone(emulator);
                runner = runner.advance(move |by| advanced.advance_clock(by));
                format!("Tests the embedded emulator at {}, no cloud", emulator.endpoint())
            }
            None => {
                let endpoints = runner.endpoints();
                let tested = plan.clauses().iter().filter_map(|clause| endpoints.get(clause.service()));
                let tested: BTreeSet<&str> = tested.map(String::as_str).collect();
                format!("Tests {}", tested.into_iter().collect::<Vec<_>>().join(", "))
            }
        };
        let (interrupt, gave_up) = (runner.interrupt(), Arc::new(Notify::new()));
        let asked_to_stop = stop_signal()?;
        let listening = tokio::spawn({
            let (interrupt, gave_up) = (interrupt.clone(), Arc::clone(&gave_up));
            async move {
                asked_to_stop.await;
                let asked_again = stop_signal();
                interrupt.stop();
                // If standard error is closed, there is no other place to report that.
                let _ = writeln!(
                    io::stderr(),
                    "hwjobs: stopping; what was created is being removed. A second signal ends at once"
                );
                if let Ok(asked_again) = asked_again {
                    asked_again.await;
                    gave_up.notify_one();
                }
            }
        });
        // A closed output does not stop the run and its reports.
        let edition = plan.cloud().map(|cloud| format!(", held to what {cloud} documents")).unwrap_or_default();
        let _ = writeln!(io::stdout(), "{target}{edition}; seed {seed}.");
        let bar = bar(plan.clauses().len());
        let shown = bar.clone();
        let running = runner.run(&plan, move |outcome| {
            shown.inc(1);
            shown.set_message(outcome.operation.clone());
            if matches!(outcome.verdict, Verdict::Differs | Verdict::Absent) {
                let line = format!("{}: {}", outcome.verdict, outcome.id);
                // The bar writes the line and itself at once, so that it does not flicker.
                match shown.is_hidden() {
                    true => drop(writeln!(io::stderr(), "{line}")),
                    false => shown.println(line),
                }
            }
        });
        let report = tokio::select! {
            biased;
            () = gave_up.notified() => None,
            report = running => Some(report),
        };
        listening.abort();
        bar.finish_and_clear();
        let Some(report) = report else {
            leftovers(&interrupt.leftovers(), &mut io::stderr().lock())?;
            return Err(Interrupted.into());
        };
        let report = report?;
        // A report that cannot be written keeps neither the others nor the summary from being written.
        let write = |(format, file): (Format, files::Output)| file.write(format.report(&report)?.as_bytes());
        let written: Vec<Result<(), Failure>> = reports.into_iter().map(write).collect();
        match summary(&report, written.iter().all(Result::is_ok), &mut io::stdout().lock()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        }
        drop(runner);
        if let Some(emulator) = emulator.and_then(Arc::into_inner) {
            emulator.stop().await;
        }
        written.into_iter().collect::<Result<(), _>>()?;
        // The exit code matches the last line of the summary.
        match report.conclusion() {
            Conclusion::Honoured => Ok(true),
            Conclusion::NotHonoured | Conclusion::LeftBehind => Ok(false),
            Conclusion::NothingTried => Ok(usage("nothing could be tried, see the reasons above")?),
            Conclusion::Interrupted => Err(Interrupted.into()),
            Conclusion::EndedEarly => Ok(usage(report.aborted.unwrap_or_default())?),
        }
    }

    /// Returns the selected clauses.
    fn chosen(&self, cloud: Option<Cloud>) -> Result<Plan, Failure> {
        let plan = cloud.map_or_else(Plan::of_description, Plan::of_cloud);
        if let Some(file) = &self.replay {
            let failed: Vec<String> = read(file)?.failures().map(|outcome| outcome.id.clone()).collect();
            if failed.is_empty() {
                return Ok(usage(format!("{}: nothing failed", file.display()))?);
            }
            return Ok(plan.only(&failed)?);
        }
        Ok(if self.only.is_empty() { plan } else { plan.only(&self.only)? })
    }

    async fn session(&self, options: &Options) -> Result<Session, Failure> {
        let mut builder = options.builder().context(options.context());
        let own = [
            (Service::Iam, &self.iam_endpoint),
            (Service::ModelArts, &self.modelarts_endpoint),
            (Service::Mrs, &self.mrs_endpoint),
        ];
        for (service, endpoint) in own {
            if let Some(endpoint) = endpoint {
                builder = builder.endpoint_of(service, endpoint);
            }
        }
        Ok(builder.connect().await?)
    }
}

fn print_plan(plan: &Plan, read_only: bool) -> exit::Outcome {
    let mut out = io::stdout().lock();
    let (mut count, mut billed) = (0, 0);
    for clause in plan.clauses().iter().filter(|clause| !read_only || clause.reads_only()) {
        count += 1;
        billed += usize::from(clause.is_billed());
        let mark = if clause.is_billed() { " [billed]" } else { "" };
        let reads = if clause.reads_only() { " [reads only]" } else { "" };
        writeln!(out, "{}{mark}{reads}\n  {}", clause.id(), clause.summary())?;
        // With --read-only nothing is created to be read.
        for request in clause.requests().into_iter().filter(|request| !read_only || request.starts_with("GET ")) {
            writeln!(out, "    {request}")?;
        }
    }
    writeln!(out, "\n{count} clauses")?;
    if billed > 0 {
        writeln!(out, "{billed} of them start billed work, and run only with --allow-billed.")?;
    }
    Ok(true)
}

/// Returns a progress bar on a terminal, and a hidden one elsewhere.
fn bar(clauses: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(clauses as u64).with_style(style)
}

/// Returns a failure that names the file.
fn shown(file: &Path, error: &dyn fmt::Display) -> Failure {
    format!("{}: {error}", file.display()).into()
}

fn read(file: &Path) -> Result<Report, Failure> {
    let text = files::text(file)?;
    serde_json::from_str(&text).map_err(|error| shown(file, &error))
}

/// Opens files for reports. Reports have requests and responses, so only their owner can read them.
fn opened(reports: &[Output]) -> Result<Vec<(Format, files::Output)>, Failure> {
    let open = |report: &Output| {
        let file = files::Output::open(&report.file, Readers::Owner, |text| report.format.wrote(text))?;
        Ok((report.format, file))
    };
    reports.iter().map(open).collect()
}

/// The width of a column of verdicts, with its padding.
const VERDICT: usize = "not promised".len() + 2;

/// Breaks an id after dots into lines of a width. A part without dots is not broken.
fn broken_at_dots(id: &str, width: usize) -> String {
    let (mut lines, mut column) = (String::with_capacity(id.len()), 0);
    for part in id.split_inclusive('.') {
        if column > 0 && column + part.len() > width {
            lines.push('\n');
            column = 0;
        }
        lines.push_str(part);
        column += part.len();
    }
    lines
}

impl MatrixArguments {
    fn run(&self) -> exit::Outcome {
        let mut matrix = Matrix::default();
        for file in &self.files {
            let (name, file) = match file.split_once('=') {
                Some((name, file)) => (name.to_owned(), PathBuf::from(file)),
                None => {
                    (PathBuf::from(file).file_stem().unwrap_or_default().to_string_lossy().into_owned(), file.into())
                }
            };
            matrix.add(name, &read(&file)?);
        }
        for (format, file) in opened(&self.report)? {
            file.write(format.matrix(&matrix)?.as_bytes())?;
        }
        let count = matrix.names().len();
        let width = terminal_width();
        // Each column has a border, the last one two; the first one is padded, too.
        let for_ids = width.map(|width| usize::from(width).saturating_sub(count * (VERDICT + 1) + 4));
        let mut table = table();
        let names = matrix.headings().map(|name| terminal::line(&name).into_owned());
        table.set_header(std::iter::once("clause".to_owned()).chain(names));
        for row in matrix.rows().filter(|row| self.all || !row.agrees()) {
            let id = broken_at_dots(&terminal::line(row.id()), for_ids.unwrap_or(usize::MAX));
            table.add_row(std::iter::once(id).chain(matrix.cells(row).map(str::to_owned)));
        }
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            let verdicts = (1..=count).map(|_| ColumnConstraint::UpperBoundary(Width::Fixed(VERDICT as u16)));
            table.set_constraints(std::iter::once(ColumnConstraint::ContentWidth).chain(verdicts));
        }
        let differing = matrix.rows().filter(|row| !row.agrees()).count();
        let mut out = io::stdout().lock();
        writeln!(out, "{table}\nthe endpoints differ in {differing} of {} clauses", matrix.rows().count())?;
        Ok(true)
    }
}
