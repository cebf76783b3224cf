//! `hwjobs spec`: prints, exports and compares the descriptions.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use huaweicloud_jobs::spec::{self, Document, compat, deviations, publish};
use huaweicloud_jobs::{Cloud, Documented};
use serde_json::Value;

use super::exit::{Usage, usage};
use super::files::{self, Output, Readers};
use super::options::clouds;

/// The mark in a derived page.
const MARK: &str = "<!-- Written by `cargo hwjobs spec readme`";

/// What to do with the description.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Name, title, version and number of operations of each description.
    #[command(after_help = "Examples:\n  hwjobs spec list\n  hwjobs spec list --clouds")]
    List {
        /// Clouds instead: name, title and number of operations that the cloud documents.
        #[arg(long)]
        clouds: bool,
    },
    /// Print a description, or what a cloud documents of it.
    #[command(after_help = "Examples:\n  hwjobs spec show mrs --format json\n  hwjobs spec show mrs --cloud otc")]
    Show {
        /// Its name, as `list` prints it.
        #[arg(value_parser = ["iam", "modelarts", "mrs"])]
        name: String,
        /// The cloud whose edition is printed; without it the description of all editions together.
        #[arg(long, value_name = "NAME", value_parser = clouds())]
        cloud: Option<String>,
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
    /// Compare descriptions with released ones; fail on a breaking change without a new major version.
    ///
    /// While the major version is 0, a new minor version is enough.
    #[command(after_help = "Examples:\n  hwjobs spec compat\n  hwjobs spec compat old/mrs.yaml new/mrs.yaml")]
    Compat {
        /// What was released: a file, or a directory of files.
        #[arg(default_value = "openapi/released")]
        released: PathBuf,
        /// What is compared with it: a file, or a directory with files of the same names.
        #[arg(default_value = "openapi")]
        working: PathBuf,
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

/// Runs the command. Returns whether it succeeded.
pub(super) fn run(command: Command, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    match command {
        Command::List { clouds: false } => list(out),
        Command::List { clouds: true } => list_clouds(out),
        Command::Show { name, cloud, format } => show(&name, cloud.as_deref(), format, out),
        Command::Export { directory } => export(&directory, out),
        Command::Compat { released, working } => compatible(&released, &working, out),
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

fn list_clouds(out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    for cloud in Cloud::all() {
        let count = |service: &str| {
            let documents = spec::documents_of(cloud).iter().filter(|document| document.name() == service);
            let operations = documents.flat_map(Document::operations);
            operations.filter(|operation| cloud.documents(operation.id()) == Documented::Yes).count()
        };
        let counts = ["iam", "modelarts", "mrs"].map(|service| format!("{service} {}", count(service))).join(", ");
        writeln!(out, "{:<16} {cloud:<20} {counts}", cloud.name())?;
    }
    Ok(true)
}

fn show(name: &str, cloud: Option<&str>, format: Format, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let cloud = cloud.map(str::parse::<Cloud>).transpose()?;
    let documents = cloud.map_or_else(spec::documents, spec::documents_of);
    let document = documents.iter().find(|document| document.name() == name).ok_or_else(|| match cloud {
        Some(cloud) => Usage(format!("{cloud} documents nothing of {name}")),
        None => Usage(format!("there is no description of the name {name}")),
    })?;
    match format {
        Format::Yaml => out.write_all(publish::text(document)?.as_bytes())?,
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
        let is_own = |text: &[u8]| text.windows(MARK.len()).any(|part| part == MARK.as_bytes());
        Output::open(file, Readers::Others, is_own)?.write(page.as_bytes())?;
        writeln!(out, "{name} written")?;
        return Ok(true);
    }
    let current = files::text(file)?;
    if current == page {
        writeln!(out, "{name} is up to date")?;
        return Ok(true);
    }
    let line = current.lines().zip(page.lines()).take_while(|(old, new)| old == new).count() + 1;
    writeln!(out, "{name} is stale from line {line} on; `cargo hwjobs spec readme` rewrites it")?;
    Ok(false)
}

fn compatible(released: &Path, working: &Path, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let mut good = true;
    for (old, new) in pairs(released, working)? {
        let name = old.file_stem().unwrap_or_default().to_string_lossy();
        let (old, new) = (read(&old)?, read(&new)?);
        let changes = compat::compare(&old, &new);
        for change in &changes {
            writeln!(out, "{name}: {change}")?;
        }
        let breaking = changes.iter().filter(|change| change.impact == compat::Impact::Breaking).count();
        let version = |document: &Value| document["info"]["version"].as_str().unwrap_or("?").to_owned();
        let verdict = match compat::allowed(&old, &new, &changes) {
            Ok(()) => "ok".to_owned(),
            Err(reason) => {
                good = false;
                format!("rejected: {reason}")
            }
        };
        let additive = changes.len() - breaking;
        let (before, after) = (version(&old), version(&new));
        writeln!(out, "{name} {before} -> {after}: {breaking} breaking, {additive} additive: {verdict}")?;
    }
    Ok(good)
}

/// Lists the files to compare, ordered by name.
fn pairs(released: &Path, working: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Box<dyn Error>> {
    if released.is_file() {
        return Ok(vec![(released.to_owned(), working.to_owned())]);
    }
    let entries = std::fs::read_dir(released).map_err(|error| Usage(format!("{}: {error}", released.display())))?;
    let mut pairs = Vec::new();
    for entry in entries {
        let old = entry?.path();
        if let (Some("yaml"), Some(name)) = (old.extension().and_then(|kind| kind.to_str()), old.file_name()) {
            let new = working.join(name);
            pairs.push((old, new));
        }
    }
    if pairs.is_empty() {
        return Ok(usage(format!("{}: no YAML files", released.display()))?);
    }
    pairs.sort();
    Ok(pairs)
}

fn read(file: &Path) -> Result<Value, Box<dyn Error>> {
    let broken = |reason: String| Usage(format!("{}: {reason}", file.display()));
    let text = files::text(file)?;
    Ok(serde_saphyr::from_str(&text).map_err(|error| broken(error.to_string().replace('\n', " ")))?)
}
