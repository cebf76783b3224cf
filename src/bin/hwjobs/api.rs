//! `hwjobs api`: calls any operation by its name.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use huaweicloud_jobs::api::{iam, modelarts, mrs};
use huaweicloud_jobs::spec;
use serde_json::{Map, Value, json};

use super::exit::{Outcome, usage};
use super::files;
use super::nouns;
use super::options::Options;
use super::request::{Call, has_flag, shape};

/// The command.
pub(super) fn command() -> Command {
    let names: Vec<_> = names().collect();
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new("api")
        .about("Call any of the 58 operations by its name")
        .args([
            Arg::new("operation")
                .value_name("OPERATION")
                .required(true)
                .value_parser(Operation)
                .hide_possible_values(true)
                .help(format!("The operation, as the description names it: {}", names.join(", "))),
            Arg::new("param")
                .long("param")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .value_parser(pair)
                .help("A parameter of the path or the query; as often as there are parameters"),
            Arg::new("body")
                .long("body")
                .value_name("FILE")
                .help("The body as JSON in a file, - for the standard input"),
            nouns::paginate(),
            flag("include", "Print status and headers along with the body; the token in X-Subject-Token shows"),
            flag("no-check", "Send values and body whatever the description says of them"),
        ])
        .after_help(
            "Examples:\n  hwjobs api list_training_jobs --param per_page=100 --paginate\n  \
         echo '{\"job_desc\": \"May\"}' \\\n    | hwjobs api update_training_job --param job_id=10 --body -",
        )
}

/// Returns the names of all operations.
fn names() -> impl Iterator<Item = &'static str> {
    let operations = [modelarts::operations::ALL, mrs::operations::ALL, iam::operations::ALL];
    operations.into_iter().flatten().map(|operation| operation.id)
}

/// The least similarity of two names, in thousandths, that suggests a slip.
const SIMILAR: u32 = 700;

/// Parses the name of an operation. An error suggests the most similar one, if one is similar, instead of listing all 58.
#[derive(Clone)]
struct Operation;

impl TypedValueParser for Operation {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let known = |text: &str| {
            let similar = |name: &&str| (strsim::jaro(text, name) * 1000.0) as u32;
            match names().max_by_key(similar).map(|name| (name, similar(&name))) {
                Some((name, 1000)) => Ok(name.to_owned()),
                Some((name, SIMILAR..)) => Err(format!("did you mean `{name}`?")),
                _ => Err("no operation has such a name; `hwjobs api --help` lists them".to_owned()),
            }
        };
        known.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names().map(PossibleValue::new)))
    }
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) async fn run(matches: &ArgMatches, options: Options) -> Outcome {
    let name = matches.get_one::<String>("operation").ok_or("no operation")?;
    let (document, operation) = spec::operation(name).ok_or("the description has no such operation")?;
    let body = matches.get_one::<String>("body").map(files::json).transpose()?;
    if operation.method == "delete" {
        options.confirm(name)?;
    }
    let given: Vec<_> = matches.get_many::<(String, String)>("param").into_iter().flatten().collect();
    if let Some((_, twice)) =
        given.iter().enumerate().find(|(index, (name, _))| given[..*index].iter().any(|(before, _)| before == name))
    {
        return Ok(usage(format!("--param: {} is given twice", twice.0))?);
    }
    let request = options.session_for(name).await?.request(name)?;
    let mut request = given.into_iter().fold(request, |request, (name, value)| request.param(name, value));
    if let Some(body) = body {
        request = request.body(body);
    }
    if has_flag(matches, "no-check") {
        request = request.unchecked();
    }
    let call = Call { options: &options, shape: shape(document, operation, &[], options.times) };
    match () {
        () if has_flag(matches, "paginate") => call.all(request).await,
        () if has_flag(matches, "include") && !options.dry_run => {
            let response = call.send(&request).await?;
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers: Map<String, Value> =
                response.headers().map(|(name, value)| (name.to_string(), text(value).into())).collect();
            let whole = json!({"status": response.status().as_u16(), "headers": headers, "body": response.body()});
            Call { options: &options, shape: Default::default() }.print(&whole)?;
            Ok(true)
        }
        () => call.once(&request).await,
    }
}
