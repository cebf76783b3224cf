//! Profiles in the vendor's credentials file: written, listed, shown, chosen, checked.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{ArgMatches, FromArgMatches, Subcommand};
use futures_util::FutureExt;
use huaweicloud_jobs::session::credentials::{
    Chain, Context, Credentials, Found, Outcome as Looked, Profile, Provider, Settings,
};
use huaweicloud_jobs::{Error, terminal};
use serde_json::{Map, Value, json};

use super::exit::{Failure, Interrupted, Outcome, Usage, usage};
use super::files::{self, Place};
use super::options::Options;
use super::output::{self, Shape};
use super::request::Call;

/// What to do with profiles.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Write a profile; the rest of the file stays as it is.
    ///
    /// The secret key or the password is asked for on the terminal, or read from the standard input: it is never written on a
    /// command line. --cloud, --region, --project and --endpoint go into the profile.
    #[command(after_help = "Examples:\n  hwjobs profile init\n  \
            hwjobs profile init team --ak EXAMPLEKEY --region cn-north-4 < secret-key\n  \
            hwjobs profile init local --domain example --user me \\\n    --endpoint http://127.0.0.1:8080 < password")]
    Init {
        /// Name of the profile.
        #[arg(default_value = "default")]
        name: String,
        /// The access key of a key pair.
        #[arg(long, value_name = "KEY", conflicts_with_all = ["user", "domain"])]
        ak: Option<String>,
        /// The IAM user that logs in with a password.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// The account of the user.
        #[arg(long, value_name = "NAME")]
        domain: Option<String>,
    },
    /// List the profiles.
    #[command(after_help = "Example:\n  hwjobs profile list")]
    List,
    /// Show what would be used, and where it comes from; secrets are never shown.
    #[command(after_help = "Examples:\n  hwjobs profile show\n  hwjobs profile show team")]
    Show {
        /// Name of the profile. Without it, what every call would use.
        name: Option<String>,
    },
    /// Make a profile the one that counts when none is asked for.
    #[command(after_help = "Example:\n  hwjobs profile use team")]
    Use {
        /// Name of the profile.
        name: String,
    },
    /// Ask the identity service which projects the credentials can use: a call that costs and changes nothing.
    #[command(after_help = "Example:\n  hwjobs profile check team")]
    Check {
        /// Name of the profile. Without it, what every call would use.
        name: Option<String>,
    },
}

/// Keys of credentials. Those that are not given anew are removed.
const CREDENTIALS: [&str; 8] = ["ak", "sk", "security_token", "expires_at", "domain", "user", "password", "token"];

/// Keys whose values are not shown.
const SECRETS: [&str; 4] = ["sk", "security_token", "password", "token"];

pub(super) async fn run(matches: &ArgMatches, mut options: Options) -> Outcome {
    let command = Command::from_arg_matches(matches)?;
    if let Command::Show { name: Some(name) } | Command::Check { name: Some(name) } = &command {
        options.profile = Some(name.clone());
    }
    match command {
        Command::Init { name, ak, user, domain } => init(&options, &name, ak, user, domain).await?,
        Command::List => list(&options).await?,
        Command::Show { .. } => {
            let mut found = Chain::default().resolve(&options.context()).await?;
            found.settings = Settings::layered([options.settings(), found.settings]);
            print(&options, &described(&found), &[])?;
        }
        Command::Use { name } => choose(&options, &name).await?,
        Command::Check { .. } => check(&options).await?,
    }
    Ok(true)
}

fn print(options: &Options, value: &Value, columns: &'static [&'static str]) -> Result<(), Failure> {
    output::print(value, &Shape { columns, ..Shape::default() }, options.output, options.query.as_deref())
}

/// Describes found credentials without secrets.
fn described(found: &Found) -> Value {
    let mut fields = Map::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value.into());
        }
    };
    let (kind, parts) = kind(&found.credentials);
    say("source", Some(found.source.to_string()));
    say("credentials", Some(kind.to_owned()));
    for (name, value) in parts {
        say(name, Some(value));
    }
    say("expires_at", found.expires_at().map(|at| at.to_string()));
    let settings = &found.settings;
    for (name, value) in [
        ("cloud", &settings.cloud),
        ("region", &settings.region),
        ("project_id", &settings.project_id),
        ("project_name", &settings.project_name),
        ("domain_id", &settings.domain_id),
        ("endpoint", &settings.endpoint),
        ("modelarts_endpoint", &settings.modelarts_endpoint),
        ("mrs_endpoint", &settings.mrs_endpoint),
        ("iam_endpoint", &settings.iam_endpoint),
    ] {
        say(name, value.clone());
    }
    fields.into()
}

fn kind(credentials: &Credentials) -> (&'static str, Vec<(&'static str, String)>) {
    match credentials {
        Credentials::AccessKey { access_key, security_token, .. } => {
            let kind = if security_token.is_some() { "temporary key pair" } else { "key pair" };
            (kind, vec![("ak", access_key.clone())])
        }
        Credentials::Password { account, user, .. } => {
            ("password", vec![("domain", account.clone()), ("user", user.clone())])
        }
        Credentials::Token(_) => ("token", Vec::new()),
        _ => ("other", Vec::new()),
    }
}

/// Reads the profile of this name from the file.
async fn in_file(context: Context, name: Option<&str>) -> Result<Looked, Error> {
    let context = match name {
        Some(name) => context.profile(name),
        None => context,
    };
    Profile.provide(&context).await
}

async fn list(options: &Options) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let chosen = match in_file(options.context(), None).await {
        Ok(Looked::Found(found)) => Some(found.source),
        _ => None,
    };
    for name in Profile.names(&options.context())? {
        let row = match in_file(options.context(), Some(&name)).await {
            Ok(Looked::Found(found)) => json!({
                "profile": name,
                "chosen": chosen.as_ref() == Some(&found.source),
                "credentials": kind(&found.credentials).0,
                "region": found.settings.region,
                "project": found.settings.project_id.or(found.settings.project_name),
                "problem": null,
            }),
            Ok(Looked::Absent(reason)) => json!({"profile": name, "chosen": false, "problem": reason}),
            Err(error) => json!({"profile": name, "chosen": false, "problem": error.message()}),
        };
        rows.push(row);
    }
    if rows.is_empty() {
        writeln!(io::stderr(), "hwjobs: there is no profile yet; `hwjobs profile init` writes one")?;
    }
    print(options, &rows.into(), &["profile", "chosen", "credentials", "region", "project", "problem"])
}

async fn check(options: &Options) -> Result<(), Failure> {
    if options.dry_run {
        // The request does not depend on the project.
        let options =
            Options { project: options.project.clone().or_else(|| Some("any".to_owned())), ..options.clone() };
        let request = options.session().await?.request("list_auth_projects")?;
        return Call { options: &options, shape: Shape::default() }.show(&request);
    }
    options.query.as_deref().map(output::compile).transpose()?;
    let found = Chain::default().resolve(&options.context()).await?;
    let projects = options.builder().context(options.context()).projects().await?;
    let Settings { project_id, project_name, region, .. } = Settings::layered([options.settings(), found.settings]);
    let known = match (&project_id, project_name.as_ref().or(region.as_ref())) {
        (Some(id), _) => projects.iter().find(|project| project.id == *id),
        (None, Some(name)) => projects.iter().find(|project| project.name == *name),
        (None, None) => None,
    };
    let rows = projects.iter().map(|project| {
        let chosen = known.is_some_and(|known| known.id == project.id);
        json!({"id": project.id, "name": project.name, "chosen": chosen})
    });
    let report = json!({
        "source": found.source.to_string(),
        "credentials": "accepted",
        "project_id": known.map(|project| &project.id),
        "project_name": known.map(|project| &project.name),
        "projects": rows.collect::<Vec<_>>(),
    });
    let shape = Shape { list: Some("projects"), columns: &["id", "name", "chosen"], ..Shape::default() };
    output::print(&report, &shape, options.output, options.query.as_deref())?;
    let said = match (known, project_id.or(project_name)) {
        (Some(known), _) => format!("the credentials are good for the project {}", terminal::line(&known.name)),
        (None, None) => "the credentials are good, and no project is chosen".to_owned(),
        (None, Some(chosen)) => {
            return Ok(usage(format!("the credentials are good, but the project {chosen} is not among theirs"))?);
        }
    };
    Ok(writeln!(io::stderr(), "hwjobs: {said}")?)
}

async fn choose(options: &Options, name: &str) -> Result<(), Failure> {
    if let Looked::Absent(reason) = in_file(options.context(), Some(name)).await? {
        return Ok(usage(reason)?);
    }
    let path = path(options)?;
    let text = files::text(&path)?;
    let own = matches!(in_file(options.context(), Some("default")).await, Ok(Looked::Found(_)));
    if own && name != "default" {
        let reason =
            format!("{}: [default] holds credentials itself; give them a name of their own first", path.display());
        return Ok(usage(reason)?);
    }
    let chosen = (name != "default").then(|| name.to_owned());
    let written = edited(&text, "default", &[("profile", chosen)]);
    if options.dry_run {
        return preview(&path, &written, "default");
    }
    replace(&path, &written)?;
    Ok(writeln!(
        io::stderr(),
        "hwjobs: {name} counts from now on, unless --profile or HWJOBS_PROFILE asks for another"
    )?)
}

async fn init(
    options: &Options,
    name: &str,
    ak: Option<String>,
    user: Option<String>,
    domain: Option<String>,
) -> Result<(), Failure> {
    let is_plain = |name: &str| name.trim() == name && name.chars().all(|c| terminal::is_shown(c) && !"[]".contains(c));
    if name.is_empty() || !is_plain(name) || name.starts_with("profile ") {
        return Ok(usage("this is no name of a profile")?);
    }
    let path = path(options)?;
    let text = match files::place(&path).map_err(|error| files::named(&path, &error))? {
        Place::Free => String::new(),
        Place::File => files::text(&path)?,
        Place::Device => return Ok(usage(format!("{}: is no file", path.display()))?),
    };
    if !options.yes && !text.is_empty() && Profile.names(&options.context())?.iter().any(|known| known == name) {
        return Ok(usage(format!("{} has a profile {name}; --yes replaces its credentials", path.display()))?);
    }
    let terminal = io::stdin().is_terminal();
    let by_password = user.is_some() || domain.is_some();
    let ak = match ak {
        None if !by_password && terminal => Some(ask("Access key (AK): ")?),
        None if !by_password => return Ok(usage("give --ak, or --domain and --user: there is no terminal to ask on")?),
        given => given,
    };
    let mut region = options.region.clone();
    if terminal && region.is_none() && options.endpoint.is_none() {
        region = Some(ask("Region, for example cn-north-4 (empty for none): ")?).filter(|region| !region.is_empty());
    }
    // Last, because from then on Ctrl-C is handled and no longer ends a question.
    let secret = secret(if by_password { "Password: " } else { "Secret key (SK): " }, terminal)?;
    let (sk, password) = if by_password { (None, Some(secret)) } else { (Some(secret), None) };
    let mut values: Vec<(&str, Option<String>)> = CREDENTIALS.iter().map(|key| (*key, None)).collect();
    for (key, value) in [("ak", ak), ("sk", sk), ("domain", domain), ("user", user), ("password", password)] {
        values.retain(|(known, _)| *known != key);
        values.push((key, value));
    }
    for (key, value) in [
        ("cloud", options.cloud.clone()),
        ("region", region),
        ("project_id", options.project.clone()),
        ("endpoint", options.endpoint.clone()),
    ] {
        values.extend(value.map(|value| (key, Some(value))));
    }
    let is_shown = |value: &Option<String>| value.iter().flat_map(|value| value.chars()).all(terminal::is_shown);
    if let Some((key, _)) = values.iter().find(|(_, value)| !is_shown(value)) {
        return Ok(usage(format!("{key} holds a line end or another character that is not shown"))?);
    }
    let written = edited(&text, name, &values);
    // A section that cannot be read back is not written.
    let bytes = written.clone().into_bytes();
    let read_back = in_file(options.context().files(move |_| Ok(bytes.clone())), Some(name)).await?;
    if let Looked::Absent(reason) = read_back {
        return Ok(usage(reason)?);
    }
    if options.dry_run {
        return preview(&path, &written, name);
    }
    replace(&path, &written)?;
    let path = path.display();
    Ok(writeln!(io::stderr(), "hwjobs: {path}: profile {name} written; try it with `hwjobs profile check {name}`")?)
}

fn path(options: &Options) -> Result<PathBuf, Failure> {
    let path = Profile.file(&options.context())?;
    Ok(path
        .ok_or_else(|| Usage("there is no home folder; name a file in HUAWEICLOUD_SDK_CREDENTIALS_FILE".to_owned()))?)
}

fn ask(prompt: &str) -> Result<String, Failure> {
    write!(io::stderr(), "{prompt}")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn secret(prompt: &str, terminal: bool) -> Result<String, Failure> {
    let secret = if terminal {
        // While the signal is handled, Ctrl-C does not end the process before the terminal has its echo back.
        let _ = tokio::signal::ctrl_c().now_or_never();
        match rpassword::prompt_password(prompt) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(Interrupted.into()),
            secret => secret?,
        }
    } else {
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        files::decoded(line).map_err(|reason| Usage(format!("the secret on the standard input {reason}")))?
    };
    let secret = secret.trim_end_matches(['\r', '\n']).to_owned();
    if secret.is_empty() { Ok(usage("the secret is empty; it is read from the standard input")?) } else { Ok(secret) }
}

/// Prints a section as it would be written, without secrets.
fn preview(path: &Path, written: &str, section: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}:", path.display())?;
    let mut lines = written.lines().skip_while(|line| name_of(line).as_deref() != Some(section));
    lines.next().map(|head| writeln!(out, "{head}")).transpose()?;
    for line in lines.take_while(|line| name_of(line).is_none()) {
        match key_of(line) {
            Some(key) if SECRETS.contains(&key.as_str()) => writeln!(out, "{key} = ***")?,
            Some(_) => writeln!(out, "{line}")?,
            // A comment may hold an old secret.
            None => {}
        }
    }
    Ok(())
}

/// Returns the name of the section that a line begins.
fn name_of(line: &str) -> Option<String> {
    let name = line.trim().strip_prefix('[')?.split_once(']')?.0.trim().to_owned();
    Some(name.strip_prefix("profile ").map_or(name.clone(), |name| name.trim().to_owned()))
}

/// Returns the key of a line.
fn key_of(line: &str) -> Option<String> {
    let line = line.trim();
    let is_property = !line.starts_with(['#', ';', '[']);
    line.split_once(['=', ':']).filter(|_| is_property).map(|(key, _)| key.trim().to_lowercase())
}

/// Returns the file with the values of a section set or, without a value, removed. Everything else stays as it is.
fn edited(text: &str, section: &str, values: &[(&str, Option<String>)]) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let begin = match lines.iter().position(|line| name_of(line).as_deref() == Some(section)) {
        Some(begin) => begin,
        None => {
            if lines.last().is_some_and(|line| !line.trim().is_empty()) {
                lines.push(String::new());
            }
            lines.push(format!("[{section}]"));
            lines.len() - 1
        }
    };
    for (key, value) in values {
        let next = lines[begin + 1..].iter().position(|line| name_of(line).is_some());
        let stop = next.map_or(lines.len(), |next| begin + 1 + next);
        let at = (begin + 1..stop).find(|index| key_of(&lines[*index]).as_deref() == Some(*key));
        match (at, value) {
            (Some(at), Some(value)) => lines[at] = format!("{key} = {value}"),
            (Some(at), None) => drop(lines.remove(at)),
            (None, Some(value)) => {
                // After the last value, so that comments before the next section stay with that section.
                let last = (begin..stop).rev().find(|index| *index == begin || key_of(&lines[*index]).is_some());
                lines.insert(last.unwrap_or(begin) + 1, format!("{key} = {value}"));
            }
            (None, None) => {}
        }
    }
    lines.into_iter().map(|line| line + end).collect()
}

/// Writes a file whole or not at all, readable only by its owner.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::from(format!("{}: {error}", path.display()));
    // A link remains a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    // Temporary files are readable by their owner only.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_stays_as_it_is() {
        let text = "# mine\n[basic]\nak=A\n  sk : S\n\n; about the other one\n[profile team]\nuser = u\n";
        let set = |key, value: &str| (key, Some(value.to_owned()));
        assert_eq!(
            edited(text, "basic", &[set("ak", "B"), set("region", "r"), ("sk", None)]),
            "# mine\n[basic]\nak = B\nregion = r\n\n; about the other one\n[profile team]\nuser = u\n"
        );
        assert_eq!(edited(text, "team", &[set("domain", "d")]), format!("{text}domain = d\n"));
        assert_eq!(edited(text, "new", &[set("token", "t")]), format!("{text}\n[new]\ntoken = t\n"));
        assert_eq!(edited("", "default", &[set("ak", "a")]), "[default]\nak = a\n");
        assert_eq!(edited("[a]\r\nak = x\r\n", "a", &[set("ak", "y")]), "[a]\r\nak = y\r\n");
    }
}
