//! The description, read, written out and compared.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use huaweicloud_jobs::spec::{self, deviations, publish};

/// What to do with the description.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Name, title, version and number of operations of each description.
    #[command(after_help = "Example:\n  hwjobs spec list")]
    List,
    /// Print a description.
    #[command(after_help = "Example:\n  hwjobs spec show mrs --format json")]
    Show {
        /// Its name, as `list` prints it.
        name: String,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Yaml)]
        format: Format,
    },
    /// Write YAML, JSON and HTML pages of all descriptions, the error codes and checksums into a directory.
    #[command(after_help = "Example:\n  hwjobs spec export ./public")]
    Export {
        /// The directory; it is made if it is missing.
        directory: PathBuf,
    },
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

/// How to print a description.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// As it is written.
    Yaml,
    /// As one JSON value.
    Json,
}

/// Whether it went well.
pub(super) fn run(command: Command, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    match command {
        Command::List => list(out),
        Command::Show { name, format } => show(&name, format, out),
        Command::Export { directory } => export(&directory, out),
        Command::Readme { check, file } => readme(check, &file, out),
    }
}

fn list(out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    for document in spec::documents() {
        let info = |key: &str| document.value()["info"][key].as_str().unwrap_or_default();
        let operations = document.operations().count();
        writeln!(
            out,
            "{:<10} {:<18} {:<8} {operations:>2} operations",
            document.name(),
            info("title"),
            info("version")
        )?;
    }
    Ok(true)
}

fn show(name: &str, format: Format, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let Some(document) = spec::documents().iter().find(|document| document.name() == name) else {
        let names: Vec<_> = spec::documents().iter().map(spec::Document::name).collect();
        return Err(format!("no description `{name}`; there are {}", names.join(", ")).into());
    };
    match format {
        Format::Yaml => out.write_all(document.yaml().as_bytes())?,
        Format::Json => writeln!(out, "{:#}", document.value())?,
    }
    Ok(true)
}

fn export(directory: &Path, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let files = publish::export(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    writeln!(out, "{} files in {}; begin with index.html", files.len(), directory.display())?;
    Ok(true)
}

fn readme(check: bool, file: &Path, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
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
