//! The global options: credentials, addresses, and output.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use huaweicloud_jobs::har::Recorder;
use huaweicloud_jobs::session::SessionBuilder;
use huaweicloud_jobs::session::credentials::{Chain, Context, Outcome, Profile, Provider, Settings};
use huaweicloud_jobs::{Cloud, Documented, Session, spec};
use jiff::SignedDuration;
use serde_json::Value;

use super::exit::{Failure, usage};
use super::output::{self, Format, Times};

/// The options of every command that makes calls.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) profile: Option<String>,
    pub(super) cloud: Option<String>,
    pub(super) region: Option<String>,
    pub(super) project: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) proxy: Option<String>,
    pub(super) output: Format,
    pub(super) times: Times,
    pub(super) query: Option<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) verbose: bool,
    pub(super) dry_run: bool,
    pub(super) yes: bool,
    /// Records what is sent, for `--record`.
    pub(super) recorder: Option<Recorder>,
}

/// The prefix of a placeholder for the id of a project in a dry run.
const TO_BE_LOOKED_UP: &str = "id-of-";

/// Returns whether a text is a placeholder for the id of a project.
pub(super) fn is_to_be_looked_up(project: &str) -> bool {
    project.starts_with(TO_BE_LOOKED_UP)
}

/// The default time limit of a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

const HEADING: &str = "Options of every call";

/// Declares the options for all commands.
fn arguments() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    vec![
        text("profile", "NAME", "Profile in ~/.huaweicloud/credentials [env: HWJOBS_PROFILE]")
            .add(ArgValueCandidates::new(profiles)),
        text("cloud", "NAME", "Cloud, whose regions have addresses of their own [env: HWJOBS_CLOUD]").value_parser(clouds()),
        text("region", "ID", "Region, for example cn-north-4 [env: HWJOBS_REGION]"),
        text("project", "ID", "Id of the project [env: HUAWEICLOUD_SDK_PROJECT_ID]"),
        text("endpoint", "URL", "One address for all services, for example an emulator's [env: HWJOBS_ENDPOINT]"),
        text(
            "proxy",
            "URL",
            "Proxy for addresses that are not of this machine, or `none` [env: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY]",
        ),
        text("output", "FORMAT", "How to print").short('o').value_parser(value_parser!(Format)).default_value("table"),
        text("times", "STYLE", "How tables show times: in UTC, or in the local time zone")
            .value_parser(value_parser!(Times))
            .default_value("iso"),
        text("query", "JMESPATH", "What to take out of the response before it is printed"),
        text("timeout", "DURATION", "How long a call may take with its retries, for example 30s; 60s by default")
            .value_parser(duration),
        flag("verbose", "Show requests and attempts on the standard error, secrets redacted").short('v'),
        flag("dry-run", "Print the request and send nothing"),
        flag("yes", "Do not ask before deleting").short('y'),
    ]
    .into_iter()
    .map(|argument| argument.global(true).help_heading(HEADING))
    .collect()
}

/// Accepts the names of clouds.
pub(super) fn clouds() -> PossibleValuesParser {
    PossibleValuesParser::new(Cloud::all().map(Cloud::name))
}

/// The profiles that a shell offers. A file that cannot be read offers none; the command itself says what is wrong.
fn profiles() -> Vec<CompletionCandidate> {
    let names = Profile.names(&Context::default()).unwrap_or_default();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Reads a duration that is not negative, for example `90s` or `1h30m`.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    if duration.is_negative() { Err("it is negative".to_owned()) } else { Ok(duration) }
}

/// Adds the options to a command and its subcommands.
pub(super) fn add(command: Command) -> Command {
    command.args(arguments())
}

/// The option that records all requests of a command.
const RECORD: &str = "record";

/// Adds the option `--record` to a command that makes calls. The emulator has an option of this name that counts requests,
/// so this one is not global.
pub(super) fn recorded(command: Command) -> Command {
    let record = Arg::new(RECORD).long(RECORD).value_name("FILE").value_parser(value_parser!(PathBuf));
    let help = "File for all requests and responses as HAR, secrets redacted; `hwjobs contract check` reads it";
    command.arg(record.help(help).help_heading(HEADING).display_order(0))
}

/// Adds the option `--record` among a command's own ones, for a command that hides those of every call.
pub(super) fn recorded_alone(command: Command) -> Command {
    recorded(command).mut_arg(RECORD, |record| record.help_heading(None::<&str>).display_order(900))
}

/// Returns the file of `--record`.
pub(super) fn record(matches: &ArgMatches) -> Option<&PathBuf> {
    matches.try_get_one(RECORD).ok().flatten()
}

/// Hides the options in the help of a command that makes no calls, except for its own ones.
pub(super) fn hide(command: Command) -> Command {
    let own: Vec<_> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    let others = arguments().into_iter().filter(|argument| !own.contains(argument.get_id()));
    command.args(others.map(|argument| argument.hide(true)))
}

impl Options {
    /// Reads the options from the arguments of the last subcommand.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let timeout =
            matches.get_one::<SignedDuration>("timeout").and_then(|timeout| Duration::try_from(*timeout).ok());
        // The timeout of a command that waits is for all its calls together. Each call has at most its usual time.
        let waits = matches.try_contains_id("interval").is_ok();
        Self {
            profile: text("profile"),
            cloud: text("cloud"),
            region: text("region"),
            project: text("project"),
            endpoint: text("endpoint"),
            proxy: text("proxy"),
            output: matches.get_one("output").copied().unwrap_or(Format::Table),
            times: matches.get_one("times").copied().unwrap_or_default(),
            query: text("query"),
            timeout: timeout.map(|timeout| if waits { timeout.min(CALL_TIMEOUT) } else { timeout }),
            verbose: matches.get_flag("verbose"),
            dry_run: matches.get_flag("dry-run"),
            yes: matches.get_flag("yes"),
            recorder: None,
        }
    }

    /// Returns the context in which credentials are looked for.
    pub(super) fn context(&self) -> Context {
        let context = Context::default();
        match &self.profile {
            Some(name) => context.profile(name),
            None => context,
        }
    }

    /// Returns the settings that were given as options.
    pub(super) fn settings(&self) -> Settings {
        // The library lets HWJOBS_REGION and HWJOBS_ENDPOINT count before the profile. HUAWEICLOUD_SDK_PROJECT_ID counts after it there.
        let variable = || std::env::var("HUAWEICLOUD_SDK_PROJECT_ID").ok().map(|id| id.trim().to_owned());
        let mut settings = Settings::default();
        settings.cloud = self.cloud.clone();
        settings.region = self.region.clone();
        settings.project_id = self.project.clone().or_else(variable).filter(|id| !id.is_empty());
        settings.endpoint = self.endpoint.clone();
        settings
    }

    /// Returns a builder of a session with these options.
    pub(super) fn builder(&self) -> SessionBuilder {
        let mut builder = Session::builder().settings(self.settings());
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(recorder) = &self.recorder {
            builder = builder.record(recorder);
        }
        match self.proxy.as_deref() {
            None => builder,
            Some("none") => builder.no_proxy(),
            Some(proxy) => builder.proxy(proxy),
        }
    }

    /// Connects a session. A dry run looks nothing up over the network.
    pub(super) async fn session(&self) -> Result<Session, Failure> {
        // Checked before anything is sent, so that a failing command changes nothing.
        self.query.as_deref().map(output::compile).transpose()?;
        if !self.dry_run {
            return Ok(self.builder().context(self.context()).connect().await?);
        }
        let found = Chain::default().resolve(&self.context().metadata(false)).await?;
        let mut settings = Settings::layered([self.settings(), found.settings]);
        if let (None, Some(name)) = (&settings.project_id, settings.project_name.as_ref().or(settings.region.as_ref()))
        {
            eprintln!("hwjobs: the id of the project {name} is looked up when the request is sent");
            settings.project_id = Some(format!("{TO_BE_LOOKED_UP}{name}"));
        }
        Ok(self.builder().settings(settings).credentials(found.credentials).build()?)
    }

    /// Connects a session for an operation. An operation without authentication, such as signing in, needs no credentials.
    pub(super) async fn session_for(&self, operation: &str) -> Result<Session, Failure> {
        let session = self.any_session_for(operation).await?;
        note_cloud(&session, operation);
        Ok(session)
    }

    async fn any_session_for(&self, operation: &str) -> Result<Session, Failure> {
        let described = spec::operation(operation).map(|(_, operation)| &operation.value["security"]);
        if described.and_then(Value::as_array).is_none_or(|security| !security.is_empty()) {
            return self.session().await;
        }
        self.query.as_deref().map(output::compile).transpose()?;
        let context = self.context();
        let settings = match Profile.provide(&context).await? {
            Outcome::Found(_) => Chain::first_try(Profile).resolve(&context).await?.settings,
            Outcome::Absent(_) => Settings::environment(&context)?,
        };
        let mut settings = Settings::layered([self.settings(), settings]);
        // Neither the project nor the token is sent.
        settings.project_id.get_or_insert_with(|| "none".to_owned());
        Ok(self.builder().settings(settings).token("none").build()?)
    }

    /// Returns the cloud that an option or a variable names.
    pub(super) fn cloud(&self) -> Result<Option<Cloud>, Failure> {
        let settings = Settings::layered([self.settings(), Settings::environment(&self.context())?]);
        Ok(settings.known_cloud()?)
    }

    /// Asks for confirmation before something is deleted. Without a terminal, `--yes` is necessary.
    pub(super) fn confirm(&self, what: &str) -> Result<(), Failure> {
        if self.yes || self.dry_run {
            return Ok(());
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Ok(usage(format!("this would {what}: give --yes, since there is no terminal to ask on"))?);
        }
        write!(io::stderr(), "This will {what}. Go on? [y/N] ")?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Ok(usage("nothing was deleted")?),
        }
    }
}

/// Says on standard error that the documentation of the session's cloud does not have an operation.
pub(super) fn note_cloud(session: &Session, operation: &str) {
    let Some(cloud) = session.cloud() else { return };
    let note = match cloud.documents(operation) {
        Documented::Yes => return,
        Documented::No => format!("{cloud} does not document {operation}; it may be missing there"),
        Documented::Unknown => format!("it is not known whether {cloud} documents {operation}"),
    };
    // A closed standard error is no reason to stop.
    let _ = writeln!(io::stderr(), "hwjobs: note: {note}");
}
