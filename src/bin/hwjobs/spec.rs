//! The description, read, written out and compared.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use huaweicloud_jobs::spec::deviations;

/// What to do with the description.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Write openapi/README.md from the descriptions.
    #[command(after_help = "Example:\n  hwjobs spec readme --check")]
    Readme {
        /// Write nothing; fail if the file is not as it would be written.
        #[arg(long)]
        check: bool,
        /// The file.
        #[arg(long, default_value = "openapi/README.md")]
        file: PathBuf,
    },
}

/// Whether it went well.
pub(super) fn run(command: Command, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    match command {
        Command::Readme { check, file } => readme(check, &file, out),
    }
}

fn readme(check: bool, file: &std::path::Path, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let page = deviations::readme();
    let name = file.display();
    if !check {
        std::fs::write(file, page).map_err(|error| format!("{name}: {error}"))?;
        writeln!(out, "{name} written")?;
        return Ok(true);
    }
    let current = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    if current == page {
        writeln!(out, "{name} is up to date")?;
        return Ok(true);
    }
    let line = current.lines().zip(page.lines()).take_while(|(old, new)| old == new).count() + 1;
    writeln!(out, "{name} is stale from line {line} on; `cargo hwjobs spec readme` rewrites it")?;
    Ok(false)
}
