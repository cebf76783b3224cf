//! `hwjobs emulator`: the stand-in for the cloud as a process of its own.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use huaweicloud_jobs::emulator::{AccessLog, Emulator, Transitions};
use huaweicloud_jobs::terminal;

use super::exit::{Advised, stop_signal};
use super::files::{self, Output, Place, Readers};
use super::options::clouds;

/// How to run it.
#[derive(Args)]
pub(super) struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the state in this file, which stays; in memory by default. A file that holds a state goes on with it.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Start with what the documents' examples name (the default).
    #[arg(long)]
    documented: bool,
    /// Start with nothing.
    #[arg(long, conflicts_with = "documented")]
    empty: bool,
    /// Start with this JSON snapshot, as the control API writes it; not with a file of --data that holds a state already.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["documented", "empty"])]
    load: Option<String>,
    /// Let the emulator's time pass so many times as fast as real time; 0 stops it.
    #[arg(long, value_name = "X", value_parser = time_scale)]
    time_scale: Option<f64>,
    /// Fix ids, tokens, times and random choices; the time stands still unless --time-scale says otherwise.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What moves jobs from one state to the next: `at-once`, `reads:N` (once responses have shown a state N times) or `clock`.
    #[arg(long, value_name = "HOW", default_value = "clock", value_parser = transitions)]
    transitions: Transitions,
    /// Lock an access key for five minutes after five failures in a row, as the gateway does.
    #[arg(long)]
    lock_out: bool,
    /// Name of the account; its users and projects belong to it.
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// A user, for signing in by password; repeat for more. Replaces the default one.
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = pair)]
    user: Vec<(String, String)>,
    /// An access key; repeat for more. Replaces the default one. A temporary one has its security token at the end.
    #[arg(long, value_name = "AK:SK[:TOKEN]", value_parser = pair)]
    key: Vec<(String, String)>,
    /// A project by id and name; repeat for more, the first has the documented objects. Replaces the default one.
    #[arg(long, value_name = "ID:NAME", value_parser = pair)]
    serve_project: Vec<(String, String)>,
    /// Serve what this cloud documents, with its limits; without it all that any cloud documents is served.
    #[arg(long, value_name = "NAME", value_parser = clouds())]
    cloud: Option<String>,
    /// Let all clusters of MRS be of this version. From 3.0.0 on Huawei Cloud's do not serve version 1.1.
    #[arg(long, value_name = "VERSION")]
    mrs_version: Option<String>,
    /// Reject what clients do and the documents do not show: fields and query parameters that are not described, fields that
    /// are empty instead of missing, and missing ones that the tables call mandatory.
    #[arg(long)]
    strict: bool,
    /// Respond with the types that the documents' examples print, such as a text as `job_id`, instead of those of the tables.
    #[arg(long)]
    as_printed: bool,
    /// Write the base address into this file as soon as requests are served; it is removed at the end.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Write a line on standard error for each request.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Log::Text)]
    log: Log,
    /// Let the control API serve other machines too. It has no authentication.
    #[arg(long)]
    allow_remote: bool,
    /// Serve requests whose header Host has this name too; repeat for more. Others than the names of this machine and the
    /// address of --listen are rejected.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Keep so many of the latest exchanges for the control API.
    #[arg(long, value_name = "N", default_value_t = 100)]
    record: usize,
}

fn time_scale(text: &str) -> Result<f64, &'static str> {
    let scale = text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale >= 0.0);
    scale.ok_or("it is a number that is not below 0")
}

fn transitions(text: &str) -> Result<Transitions, String> {
    match text {
        "at-once" => Ok(Transitions::AtOnce),
        "clock" => Ok(Transitions::Clock),
        _ => text
            .strip_prefix("reads:")
            .and_then(|reads| reads.parse().ok())
            .map(Transitions::AfterReads)
            .ok_or_else(|| "it is `at-once`, `reads:N` or `clock`".to_owned()),
    }
}

/// Two texts with a colon between; the second may have more of them.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((first, second)) if !first.is_empty() && !second.is_empty() => Ok((first.to_owned(), second.to_owned())),
        _ => Err("two texts with a colon between are needed"),
    }
}

/// How to write the access log.
#[derive(Clone, Copy, ValueEnum)]
enum Log {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Not at all.
    Off,
}

/// Runs an emulator until a signal stops it.
pub(super) async fn run(options: Options, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    // Signals are handled from here on: one that comes during the start stops the emulator in the same orderly way.
    let stopped = stop_signal()?;
    let log = match options.log {
        Log::Text => AccessLog::Text,
        Log::Json => AccessLog::Json,
        Log::Off => AccessLog::Off,
    };
    let mut builder = Emulator::builder()
        .listen(options.listen)
        .strict(options.strict)
        .as_printed(options.as_printed)
        .transitions(options.transitions)
        .lock_out(options.lock_out)
        .log(log)
        .allow_remote(options.allow_remote)
        .record(options.record);
    builder = options.allow_host.into_iter().fold(builder, |builder, name| builder.allow_host(name));
    if let Some(name) = &options.cloud {
        builder = builder.cloud(name.parse()?);
    }
    if let Some(version) = options.mrs_version {
        builder = builder.mrs_version(version);
    }
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    if let Some(domain) = options.domain {
        builder = builder.domain(domain);
    }
    builder = options.user.into_iter().fold(builder, |builder, (name, password)| builder.user(name, password));
    builder = options.key.into_iter().fold(builder, |builder, (key, secrets)| match secrets.split_once(':') {
        Some((secret, token)) => builder.temporary_key(key, secret, token),
        None => builder.key(key, secrets),
    });
    builder = options.serve_project.into_iter().fold(builder, |builder, (id, name)| builder.project(id, name));
    if options.empty {
        builder = builder.empty();
    }
    if let Some(file) = &options.load {
        builder = builder.load(files::json(file)?);
    }
    if let Some(file) = &options.data {
        builder = builder.data(file);
    }
    if let Some(scale) = options.time_scale {
        builder = builder.time_scale(scale);
    }
    if let Some(file) = &options.ready_file
        && let Place::File = files::place(file).map_err(|error| files::named(file, &error))?
    {
        Output::open(file, Readers::Others, is_address)?;
        // The address in a file of an earlier run is no longer valid.
        std::fs::remove_file(file).map_err(|error| files::named(file, &error))?;
    }
    // Fails before the start if the file cannot be written.
    let ready = options.ready_file.as_ref().map(|file| Output::open(file, Readers::Others, is_address)).transpose()?;
    let emulator = builder
        .start()
        .await
        .map_err(|error| Advised { error, next: "See docs/emulator.md for the options of the emulator." })?;
    if !options.listen.ip().is_loopback() {
        eprintln!(
            "{} can be reached from other machines. The keys, passwords and tokens of the emulator are public, and nothing \
             is encrypted: whoever reaches it can use it.",
            emulator.endpoint()
        );
    }
    if let (true, Some(file), true) = (emulator.is_resumed(), &options.data, options.empty || options.documented) {
        let flag = if options.empty { "--empty" } else { "--documented" };
        eprintln!("{} holds a state already and goes on with it; {flag} is for new files", file.display());
    }
    for (name, value) in emulator.environment() {
        writeln!(out, "export {name}={}", terminal::word(&value))?;
    }
    out.flush()?;
    if let Some(file) = ready {
        file.write(emulator.endpoint().as_bytes())?;
    }
    stopped.await;
    let endpoint = emulator.endpoint();
    emulator.stop().await;
    if let Some(file) = &options.ready_file
        && std::fs::read_to_string(file).is_ok_and(|text| text == endpoint)
    {
        // The file may have been removed already.
        let _ = std::fs::remove_file(file);
    }
    Ok(true)
}

/// Returns whether a text is the content of a ready file.
fn is_address(text: &[u8]) -> bool {
    let text = str::from_utf8(text).unwrap_or_default();
    text.strip_prefix("http://").is_some_and(|address| address.trim_end().parse::<SocketAddr>().is_ok())
}
