//! Exit codes and error messages of commands.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use huaweicloud_jobs::{Error, ErrorCode, ErrorKind, Setting, terminal};
use unicode_width::UnicodeWidthStr;

/// A failure of a command.
pub(super) type Failure = Box<dyn StdError>;

/// The result of a command. `false` is a negative result, for example "these two differ".
pub(super) type Outcome = Result<bool, Failure>;

/// The exit codes with their meaning, for the help and the documentation.
pub(super) const CODES: &str = "\
Exit codes:
    0  success
    1  negative result (a difference, a failed job or update), or local failure
    2  usage, or an invalid request
    3  configuration
    4  authentication
    5  not found
    6  conflict
    7  throttled
    8  service
    9  network
   10  timeout
   11  decode: the response does not match the description
   12  permission: the credentials do not allow it
  130  interrupted";

const NO: u8 = 1;
pub(super) const USAGE: u8 = 2;
const TIMEOUT: u8 = 10;
const INTERRUPTED: u8 = 130;

/// The exit code of a kind of failure.
fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidRequest => USAGE,
        ErrorKind::Configuration => 3,
        ErrorKind::Authentication => 4,
        ErrorKind::NotFound => 5,
        ErrorKind::Conflict => 6,
        ErrorKind::Throttled => 7,
        ErrorKind::Network => 9,
        ErrorKind::Timeout => TIMEOUT,
        ErrorKind::Decode => 11,
        ErrorKind::Permission => 12,
        // Kinds to come count as failures of the service until they have a code here.
        _ => 8,
    }
}

/// An argument is wrong or missing, one problem for each line. The text contains no part that may be a secret.
#[derive(Debug)]
pub(super) struct Usage(pub(super) String);

/// The time limit of a wait was reached.
#[derive(Debug)]
pub(super) struct TimedOut(pub(super) String);

/// A failure of a command that has an advice of its own.
#[derive(Debug)]
pub(super) struct Advised {
    pub(super) error: Error,
    pub(super) next: &'static str,
}

/// Ctrl-C.
#[derive(Debug)]
pub(super) struct Interrupted;

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl StdError for Usage {}
impl StdError for TimedOut {}
impl StdError for Advised {}
impl StdError for Interrupted {}

/// Returns a usage error.
pub(super) fn usage<T>(text: impl Into<String>) -> Result<T, Usage> {
    Err(Usage(text.into()))
}

/// Runs a future until it ends or a termination signal comes.
pub(super) async fn interruptible<T, E: Into<Failure>>(what: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    tokio::select! {
        // Polled first, so that a prompt appears before the signal is handled.
        biased;
        outcome = what => outcome.map_err(Into::into),
        () = async {
            match stop_signal() {
                Ok(signal) => signal.await,
                Err(_) => std::future::pending().await,
            }
        } => Err(Interrupted.into()),
    }
}

/// Returns a future that ends with a termination signal; signals are handled from now on.
#[cfg(unix)]
pub(super) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // A signal that `nohup` ignores must stay ignored.
    let mut hangup = if ignores_hangups() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hung_up => (),
        }
    })
}

/// Waits for a termination signal.
#[cfg(not(unix))]
pub(super) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    // Without a handler the process ends at once, which loses no acknowledged change.
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// Returns whether the process was started by `nohup`; only Linux reports it.
#[cfg(unix)]
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    // The lowest bit belongs to the first signal, SIGHUP.
    ignored.is_some_and(|signals| signals & 1 == 1)
}

/// Prints the error, if there is one, and returns the exit code.
pub(super) fn conclude(outcome: Outcome, verbose: bool) -> ExitCode {
    let error = match outcome {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => return NO.into(),
        Err(error) => error,
    };
    // The reader of a pipe has seen enough, as `head` does.
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    let advised = error.downcast_ref::<Advised>();
    let (code, lines) = match advised.map(|advised| &advised.error).or_else(|| error.downcast_ref::<Error>()) {
        Some(error) => (code(error.kind()), explain(error, advised.map(|advised| advised.next), verbose)),
        None if error.is::<Usage>() => (USAGE, error.to_string().lines().map(str::to_owned).collect()),
        None if error.is::<TimedOut>() => (TIMEOUT, vec![error.to_string()]),
        None if error.is::<Interrupted>() => (INTERRUPTED, vec![error.to_string()]),
        None => (NO, vec![error.to_string()]),
    };
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let width = io::stderr()
        .is_terminal()
        .then(|| terminal_size::terminal_size_of(io::stderr()))
        .flatten()
        .map(|size| size.0.0);
    let mut err = anstream::stderr();
    for (index, line) in lines.iter().enumerate() {
        let (front, before) =
            if index == 0 { (format!("{red}hwjobs:{red:#} "), "hwjobs: ".len()) } else { ("  ".to_owned(), 2) };
        // A line may hold names from files and services.
        let line = wrapped(&terminal::line(line), before, width.map(usize::from));
        // There is no other place to report a failure of this.
        let _ = writeln!(err, "{front}{line}");
    }
    code.into()
}

/// Breaks a line between words where a terminal of this width would break it within a word. `before` is the width of the
/// text in front of it; further lines are indented.
fn wrapped(line: &str, before: usize, width: Option<usize>) -> String {
    const INDENT: &str = "    ";
    let (mut out, mut column) = (String::with_capacity(line.len()), before);
    for word in line.split_inclusive(' ') {
        if width.is_some_and(|width| column > before.max(INDENT.len()) && column + word.trim_end().width() > width) {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(INDENT);
            column = INDENT.len();
        }
        out.push_str(word);
        column += word.width();
    }
    out
}

/// Returns what happened, what it means and what to do next, each on a line, as far as it is known.
fn explain(error: &Error, advice: Option<&'static str>, verbose: bool) -> Vec<String> {
    // The method to call is of no use on a command line.
    let text = error.to_string();
    let text = text.split_once(": call `").map_or(text.as_str(), |(text, _)| text);
    let mut lines = vec![format!("{}: {text}", error.kind())];
    let known = error.code_info();
    lines.extend(known.and_then(ErrorCode::meaning).map(|meaning| format!("meaning: {meaning}")));
    // The remedy of a general code, such as to retry, does not fit a missing permission.
    let documented = known.filter(|code| error.kind() != ErrorKind::Permission || code.kind() == Some(error.kind()));
    let next = documented.and_then(ErrorCode::remedy).or(advice).or_else(|| remedy(error));
    lines.extend(next.map(|next| format!("next: {next}")));
    let reason = error.encoded_authorization_message();
    lines.extend(reason.map(|text| format!("encoded authorization message: {text}")));
    if verbose {
        let body = error.excerpt().filter(|body| !body.trim().is_empty());
        lines.extend(body.map(|body| format!("the body begins: {body}")));
    }
    lines
}

/// Returns what to do about a failure without a documented remedy.
fn remedy(error: &Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::Configuration if error.missing() == Some(Setting::ProjectId) => {
            "Give --project or HUAWEICLOUD_SDK_PROJECT_ID, or write it into a profile: hwjobs profile init."
        }
        ErrorKind::Configuration if error.missing() == Some(Setting::Endpoint) => {
            "Give --region or --endpoint, set HWJOBS_REGION or HWJOBS_ENDPOINT, or write it into a profile."
        }
        ErrorKind::Configuration if error.missing() == Some(Setting::Credentials) => {
            "Write a profile with `hwjobs profile init`, or set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK."
        }
        ErrorKind::Configuration => "See docs/credentials.md; `hwjobs profile show` says what is used.",
        ErrorKind::Authentication => {
            "Check the credentials with `hwjobs profile check`. Do not repeat: several failures lock a key for minutes."
        }
        ErrorKind::Permission => "Grant the permission to the user; check that the project is the right one.",
        ErrorKind::NotFound => "Check the id, the project and the region.",
        ErrorKind::Throttled => "Wait a little and send fewer requests.",
        ErrorKind::Network => "Check the address, a proxy and the network; --verbose shows each attempt.",
        ErrorKind::Timeout => "It may have had its effect all the same: look before you repeat it.",
        _ => return None,
    })
}
