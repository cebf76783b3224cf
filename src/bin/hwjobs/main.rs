//! `hwjobs`: the job APIs of Huawei Cloud on the command line.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

mod api;
mod bulk;
mod call;
mod contract;
mod emulator;
mod exit;
mod fields;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod journal;
mod man;
mod nouns;
mod options;
mod output;
mod profile;
mod quickstart;
mod record;
mod request;
mod rows;
mod sign;
mod spec;
mod summary;

use exit::{Outcome, interruptible};
use options::Options;
use output::ReportFormat;
use record::Record;

/// The job APIs of Huawei Cloud: ModelArts v1 and MRS v1.1.
#[derive(Parser)]
#[command(name = "hwjobs", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Local,
}

/// The commands that are not an operation.
#[derive(Subcommand)]
enum Local {
    /// Test which documented behaviour an endpoint honours.
    #[command(subcommand, after_help = "Example:\n  hwjobs contract run --report html=report.html")]
    Contract(contract::Command),
    /// Run the emulator: serve the documented APIs on this machine.
    #[command(after_help = "Example:\n  hwjobs emulator --data jobs.db")]
    Emulator(Box<emulator::Options>),
    /// Run the nine documented updates on an embedded emulator and compare them with the documentation.
    #[command(after_help = "Example:\n  hwjobs quickstart --format json")]
    Quickstart {
        /// How to print what happened.
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Explain signatures with an access key.
    #[command(
        subcommand,
        after_help = "Example:\n  hwjobs sign explain --method GET --url https://example.com/ --sk - < sk"
    )]
    Sign(sign::Command),
    /// Read, export and compare the OpenAPI descriptions.
    #[command(subcommand, after_help = "Example:\n  hwjobs spec export ./public")]
    Spec(spec::Command),
    /// Print a script that completes commands in a shell.
    #[command(
        after_help = "Example:\n  hwjobs completions bash \\\n    > ~/.local/share/bash-completion/completions/hwjobs"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write manual pages into a directory, one a command.
    #[command(after_help = "Example:\n  hwjobs man ~/.local/share/man/man1")]
    Man {
        /// The directory; it is made if it is missing.
        directory: std::path::PathBuf,
    },
}

/// Builds the whole command line. Parts that come from the description are built when they are needed.
fn command() -> clap::Command {
    // Operations are first in the help.
    let local = Cli::command().mut_subcommands(|command| options::hide(command).display_order(900));
    let local = local.mut_subcommand("contract", |contract| contract.mut_subcommand("run", options::recorded_alone));
    let profile = profile::Command::augment_subcommands(clap::Command::new("profile"))
        .about("Write, list, show, choose and check profiles of credentials")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .mut_subcommand("check", options::recorded)
        .after_help("Examples:\n  hwjobs profile init\n  hwjobs profile check");
    options::add(local)
        .subcommands(nouns::commands())
        .subcommand(options::recorded(api::command()))
        .subcommand(profile)
        .after_help(format!("{EXAMPLES}\n\n{}", exit::CODES))
}

const EXAMPLES: &str = "\
Examples:
  hwjobs quickstart
  hwjobs profile init
  hwjobs training-job list --output csv
  hwjobs training-job update 10 --job-desc 'trained on the May images'";

/// What people do first, for a command line without a word.
const FIRST: &str = "\
hwjobs calls the job APIs of Huawei Cloud: ModelArts v1 and MRS v1.1.
What people do first:

  hwjobs quickstart          see nine updates at work, without a cloud
  hwjobs emulator            start a stand-in for the cloud on this machine
  hwjobs profile init        save the credentials for a real cloud
  hwjobs training-job list   list jobs; `update` and `delete` change them
  hwjobs contract run        find out which documented behaviour is honoured

hwjobs --help lists all commands, hwjobs COMMAND --help explains one.
";

/// The variable by which a shell requests completions.
const COMPLETE: &str = "HWJOBS_COMPLETE";

fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(command).var(COMPLETE).complete();
    if env::args_os().len() <= 1 {
        // As for every incomplete command line: on the standard error, with the exit code of a usage error.
        let _ = io::stderr().write_all(FIRST.as_bytes());
        return exit::USAGE.into();
    }
    let mut command = command();
    match command.try_get_matches_from_mut(env::args_os()) {
        Ok(matches) => exit::conclude(run(&matches), request::has_flag(leaf(&matches).1, "verbose")),
        Err(outcome) => report(outcome, &command),
    }
}

/// Prints the requested help or version, or the error in the command line.
fn report(mut outcome: clap::Error, command: &clap::Command) -> ExitCode {
    if let Some(ContextValue::String(unknown)) = outcome.get(ContextKind::InvalidSubcommand)
        && outcome.get(ContextKind::SuggestedSubcommand).is_none()
    {
        let mut above = command;
        for word in env::args_os().skip(1).take_while(|word| word != unknown.as_str()) {
            above = above.find_subcommand(&word).unwrap_or(above);
        }
        let known: Vec<_> = above.get_subcommands().map(clap::Command::get_name).collect();
        let tip = format!("{} has {}", above.get_name(), known.join(", "));
        outcome.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    match outcome.print() {
        Err(failure) if !outcome.use_stderr() => exit::conclude(Err(failure.into()), false),
        _ => u8::try_from(outcome.exit_code()).unwrap_or(u8::MAX).into(),
    }
}

/// Returns the words of the command, and the arguments of the last one.
fn leaf(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut words, mut leaf) = (Vec::new(), matches);
    while let Some((word, below)) = leaf.subcommand() {
        words.push(word);
        leaf = below;
    }
    (words, leaf)
}

fn run(matches: &ArgMatches) -> Outcome {
    let (words, leaf) = leaf(matches);
    if let Some((noun, verb)) = nouns::find(&words) {
        return run_recorded(leaf, |options| call::run(noun, verb, leaf, options));
    }
    match words.first() {
        Some(&"api") => return run_recorded(leaf, |options| interruptible(api::run(leaf, options))),
        Some(&"profile") => {
            let profile = matches.subcommand_matches("profile").unwrap_or(matches);
            return run_recorded(leaf, |options| interruptible(profile::run(profile, options)));
        }
        _ => {}
    }
    match Cli::from_arg_matches(matches)?.command {
        // A contract run cleans up before it stops.
        Local::Contract(command) => run_recorded(leaf, |options| contract::run(command, options)),
        Local::Emulator(options) => {
            // The emulator handles the signals itself.
            wait_for(leaf, async { emulator::run(*options, &mut io::stdout().lock()).await })
        }
        Local::Quickstart { format } => {
            wait_for(leaf, interruptible(async { quickstart::run(format, &mut io::stdout().lock()).await }))
        }
        Local::Sign(command) => sign::run(command, &mut io::stdout().lock()),
        Local::Spec(command) => spec::run(command, &mut io::stdout().lock()),
        Local::Completions { shell } => {
            let shells = clap_complete::env::Shells::builtins();
            let completer = shells.completer(&shell.to_string()).ok_or("this shell has no completions")?;
            completer.write_registration(COMPLETE, "hwjobs", "hwjobs", "hwjobs", &mut io::stdout().lock())?;
            Ok(true)
        }
        Local::Man { directory } => {
            man::write(command(), &directory)?;
            Ok(true)
        }
    }
}

/// Runs a command that makes calls with the options of every call, and records it if `--record` is given.
fn run_recorded<F: Future<Output = Outcome>>(matches: &ArgMatches, command: impl FnOnce(Options) -> F) -> Outcome {
    let mut options = Options::of(matches);
    let record = options::record(matches).map(|path| Record::open(path)).transpose()?;
    options.recorder = record.as_ref().map(|record| record.recorder.clone());
    let outcome = wait_for(matches, command(options));
    match record {
        Some(record) => record.write(outcome),
        None => outcome,
    }
}

/// Runs a command that makes calls.
fn wait_for(matches: &ArgMatches, command: impl Future<Output = Outcome>) -> Outcome {
    if request::has_flag(matches, "verbose") {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_writer(io::stderr).with_ansi(false);
        let subscriber = subscriber.without_time().with_target(false).with_span_events(FmtSpan::CLOSE).finish();
        // Events of the HTTP library are left out.
        subscriber.with(Targets::new().with_target("huaweicloud_jobs", Level::DEBUG)).init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command);
    // Calls that were abandoned are not awaited.
    runtime.shutdown_background();
    outcome
}
