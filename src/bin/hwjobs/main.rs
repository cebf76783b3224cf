//! `hwjobs`: the job APIs of Huawei Cloud on the command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

mod emulator;
mod quickstart;
mod sign;
mod spec;

/// The job APIs of Huawei Cloud: ModelArts v1 and MRS v1.1.
#[derive(Parser)]
#[command(name = "hwjobs", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the documented APIs on this machine, as a stand-in for the cloud.
    #[command(after_help = "Example:\n  hwjobs emulator --data jobs.db")]
    Emulator(Box<emulator::Options>),
    /// Do the nine documented updates against an embedded emulator and compare with the documents.
    #[command(after_help = "Example:\n  hwjobs quickstart --format json")]
    Quickstart {
        /// How to print what happened.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Look into signatures made with an access key.
    #[command(subcommand)]
    Sign(sign::Command),
    /// Read, export and compare the OpenAPI descriptions.
    #[command(subcommand)]
    Spec(spec::Command),
}

/// How to print.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// As one JSON value.
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Emulator(options) => emulator::run(*options, &mut io::stdout().lock()).await,
        Command::Quickstart { format } => quickstart::run(format, &mut io::stdout().lock()).await,
        Command::Sign(command) => sign::run(command, &mut io::stdout().lock()),
        Command::Spec(command) => spec::run(command, &mut io::stdout().lock()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell it to if this fails too.
            let _ = writeln!(io::stderr(), "hwjobs: {error}");
            // `sign explain` says with 1 that two requests differ.
            if error.is::<sign::Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
