//! What every call can be told: who, where, and how to print.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huaweicloud_jobs::Session;
use huaweicloud_jobs::session::SessionBuilder;
use huaweicloud_jobs::session::credentials::{Chain, Context};

use super::exit::{Failure, usage};
use super::output::Format;

/// The options of every command that makes calls.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    pub(super) project: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) output: Format,
    pub(super) query: Option<String>,
    pub(super) verbose: bool,
    pub(super) dry_run: bool,
    pub(super) yes: bool,
}

const HEADING: &str = "Options of every call";

/// The options as they are declared, each for all commands below.
fn arguments() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    vec![
        text("profile", "NAME", "Profile in ~/.huaweicloud/credentials [env: HWJOBS_PROFILE]"),
        text("region", "ID", "Region, for example cn-north-4 [env: HWJOBS_REGION]"),
        text("project", "ID", "Id of the project [env: HUAWEICLOUD_SDK_PROJECT_ID]"),
        text("endpoint", "URL", "One address for all services, for example an emulator's [env: HWJOBS_ENDPOINT]"),
        text("output", "FORMAT", "How to print").short('o').value_parser(value_parser!(Format)).default_value("table"),
        text("query", "JMESPATH", "What to take out of the answer before it is printed"),
        flag("verbose", "Show requests and attempts on the standard error, secrets hidden").short('v'),
        flag("dry-run", "Print the request and send nothing"),
        flag("yes", "Do not ask before deleting").short('y'),
    ]
    .into_iter()
    .map(|argument| argument.global(true).help_heading(HEADING))
    .collect()
}

/// Adds the options to a command and all below it.
pub(super) fn add(command: Command) -> Command {
    command.args(arguments())
}

/// Keeps the options out of the help of a command that makes no calls, and of all below it; one of its own stays.
pub(super) fn hide(command: Command) -> Command {
    let own: Vec<_> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    let others = arguments().into_iter().filter(|argument| !own.contains(argument.get_id()));
    command.args(others.map(|argument| argument.hide(true)))
}

impl Options {
    /// The options among the arguments of the last subcommand.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        Self {
            profile: text("profile"),
            region: text("region"),
            project: text("project"),
            endpoint: text("endpoint"),
            output: matches.get_one("output").copied().unwrap_or(Format::Table),
            query: text("query"),
            verbose: matches.get_flag("verbose"),
            dry_run: matches.get_flag("dry-run"),
            yes: matches.get_flag("yes"),
        }
    }

    /// Where credentials are looked for.
    pub(super) fn context(&self) -> Context {
        let context = Context::default();
        match &self.profile {
            Some(name) => context.profile(name),
            None => context,
        }
    }

    /// What was said of region, project and address.
    pub(super) fn builder(&self) -> SessionBuilder {
        let mut builder = Session::builder();
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(project) = &self.project {
            builder = builder.project_id(project);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        builder
    }

    /// The session to make calls with. For a dry run nothing is looked up over the network.
    pub(super) async fn session(&self) -> Result<Session, Failure> {
        let mut builder = self.builder();
        if !self.dry_run {
            return Ok(builder.context(self.context()).connect().await?);
        }
        let found = Chain::default().resolve(&self.context().metadata(false)).await?;
        let settings = found.settings;
        let name = settings.project_name.clone().or_else(|| self.region.clone()).or_else(|| settings.region.clone());
        let has_id = self.project.is_some() || settings.project_id.is_some();
        if let (false, Some(name)) = (has_id, name) {
            eprintln!("hwjobs: the id of the project {name} is looked up when the request is sent");
            builder = builder.project_id(format!("id-of-{name}"));
        }
        Ok(builder.settings(settings).credentials(found.credentials).build()?)
    }

    /// Asks before something is deleted; without a terminal to ask on, it has to be allowed beforehand.
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
