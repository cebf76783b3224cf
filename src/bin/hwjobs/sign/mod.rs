//! `hwjobs sign`: prints every step of a signature, and where that of a gateway differs.

use std::error::Error;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::signing::{Algorithm, Date, Request, SignedHeaders, Signer};

use super::exit::{Usage, usage};
use super::files;
use super::output::ReportFormat;

mod address;
mod canonical;
mod compare;
mod print;

use address::Address;
use canonical::{DATE, HOST, SECURITY_TOKEN, is_name};
use compare::compare;
use print::{as_json, as_text};

const ACCESS_KEY_VARIABLE: &str = "HUAWEICLOUD_SDK_AK";
const SECRET_KEY_VARIABLE: &str = "HUAWEICLOUD_SDK_SK";
const SECURITY_TOKEN_VARIABLE: &str = "HUAWEICLOUD_SDK_SECURITY_TOKEN";

/// What to do with signatures.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Print every step of a signature: canonical request, string to sign, signature, Authorization.
    #[command(after_help = "Examples:\n  \
            export HUAWEICLOUD_SDK_AK=AccessKey\n  \
            hwjobs sign explain --method GET --sk - \\\n    \
            --url 'https://example.com/resources?size=1' < secret-key\n  \
            hwjobs sign explain --method PUT --url /v1/jobs/10 --body body.json \\\n    \
            --header 'Host: example.com' --signed-headers 'host;x-sdk-date' \\\n    \
            --date 20200608T023900Z \\\n    \
            --compare 'canonicalRequest:PUT|/v1/...'\n\n\
            Exit code: 0, with --compare if both are equal; 1 if they differ; 2 for mistakes.")]
    Explain(Box<Explain>),
}

/// The parts of a request, keys and choices.
#[derive(Args)]
pub(super) struct Explain {
    /// The method, for example PUT.
    #[arg(long)]
    method: String,
    /// The address, as it is sent: https://HOST/PATH?QUERY, or /PATH?QUERY if there is a header Host.
    #[arg(long, allow_hyphen_values = true)]
    url: String,
    /// A header of the request; as often as there are headers. A header Host goes before the host in --url.
    #[arg(long = "header", value_name = "NAME:VALUE", allow_hyphen_values = true)]
    headers: Vec<String>,
    /// The file that holds the body, byte by byte as it is sent; - is the standard input. Without it, the body is empty.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    body: Option<PathBuf>,
    /// The access key. Without it, the variable HUAWEICLOUD_SDK_AK counts.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    ak: Option<String>,
    /// The secret key; - reads it from the standard input. Without it, the variable HUAWEICLOUD_SDK_SK counts. A key
    /// that is written here is visible to others: in the list of processes and in the history of the shell.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    sk: Option<Secret>,
    /// The time of the signature, as X-Sdk-Date writes it: YYYYMMDDTHHMMSSZ. Without it, a header X-Sdk-Date counts, or
    /// else the clock.
    #[arg(long, allow_hyphen_values = true)]
    date: Option<String>,
    /// The names of the headers to sign, as 'a;b'; X-Sdk-Date always is. Without it, every header is signed, but not
    /// those with _ in their name.
    #[arg(long, value_name = "NAMES", allow_hyphen_values = true)]
    signed_headers: Option<String>,
    /// Adds the header X-Project-Id.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    project_id: Option<String>,
    /// Adds the header X-Security-Token, which temporary keys need. Without it, the variable
    /// HUAWEICLOUD_SDK_SECURITY_TOKEN counts if the secret key is from its variable too. Visible to others like --sk.
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    security_token: Option<String>,
    /// The algorithm. V11-HMAC-SHA256 needs --region and --service; SDK-HMAC-SHA256 with both of them is the legacy
    /// layout (Credential=.../sdk_request).
    #[arg(long, value_enum, default_value_t = Name::Plain)]
    algorithm: Name,
    /// The region in the credential, for example cn-north-4.
    #[arg(long, requires = "service", allow_hyphen_values = true)]
    region: Option<String>,
    /// The service in the credential, for example modelarts.
    #[arg(long, requires = "region", allow_hyphen_values = true)]
    service: Option<String>,
    /// The canonical request that a gateway echoes, or the whole message with it. Reports the first step that differs.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    compare: Option<String>,
    /// How to print. Text has *** for tokens in signed headers; the canonical request in JSON is complete.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
    /// An unnamed argument. It is accepted here so that no message repeats it, since it may be a key.
    #[arg(hide = true)]
    stray: Vec<Secret>,
}

/// The algorithm, with its name in the header.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    #[value(name = "SDK-HMAC-SHA256")]
    Plain,
    #[value(name = "V11-HMAC-SHA256")]
    Derived,
}

/// Runs the command. Returns false if a comparison found a difference.
pub(super) fn run(command: Command, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let Command::Explain(explain) = command;
    let (text, equal) = explain.run()?;
    match out.write_all(text.as_bytes()) {
        // The exit code still says whether both are equal.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        outcome => outcome?,
    }
    Ok(equal)
}

impl Explain {
    /// Returns the text to print, and whether the comparison found no difference.
    fn run(&self) -> Result<(String, bool), Usage> {
        if !self.stray.is_empty() {
            return usage("there is a value without an option before it; values with blanks or `;` need quotes");
        }
        let address = Address::parse(&self.url)?;
        let mut headers = Vec::new();
        for (place, header) in self.headers.iter().enumerate() {
            match header.split_once(':') {
                Some((name, value)) if is_name(name) => headers.push((name, value)),
                _ => return usage(format!("--header number {} is not `name: value`", place + 1)),
            }
        }
        let has = |headers: &[(&str, &str)], name| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some(host) = address.host
            && !has(&headers, HOST)
        {
            headers.push((HOST, host));
        }
        if self.signed_headers.is_none() && !has(&headers, HOST) {
            return usage(
                "there is no host: --url has to begin with https:// or http://, or there is a --header 'Host: …'",
            );
        }
        if let Some(id) = &self.project_id {
            headers.push(("x-project-id", id));
        }
        let Keys { access_key, secret_key, security_token } = self.keys(has(&headers, SECURITY_TOKEN))?;
        if let Some(token) = &security_token {
            headers.push((SECURITY_TOKEN, token));
        }
        let given = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(DATE)).map(|(_, value)| value.trim());
        let date = match (&self.date, given) {
            (Some(text), _) => text.parse::<Date>().map_err(|error| Usage(format!("--date is {error}")))?,
            (None, Some(text)) => text.parse().map_err(|error| Usage(format!("the header `{DATE}` is {error}")))?,
            (None, None) => Date::try_from(SystemTime::now()).map_err(|error| Usage(format!("the clock: {error}")))?,
        };
        let names: Option<Vec<&str>> =
            self.signed_headers.as_ref().map(|names| names.split(';').map(str::trim).collect());
        if names.as_ref().is_some_and(|names| !names.iter().all(|name| is_name(name))) {
            return usage("--signed-headers are not names of headers with `;` between them");
        }
        let body = self.body()?;
        let request =
            Request { method: &self.method, path: address.path, query: address.query, headers: &headers, body: &body };
        let signed = Signer::new(&access_key, &secret_key)
            .algorithm(self.algorithm()?)
            .headers(names.as_ref().map_or(SignedHeaders::Every, |names| SignedHeaders::Named(names)))
            .sign(&request, &date)
            .map_err(|error| Usage(error.to_string()))?;
        let differences = match &self.compare {
            Some(text) => Some(compare(&signed, text, &body)?),
            None => None,
        };
        let text = match self.format {
            ReportFormat::Text => as_text(&signed, differences.as_deref()),
            ReportFormat::Json => as_json(&signed, differences.as_deref()),
        };
        Ok((text, differences.is_none_or(|differences| differences.is_empty())))
    }

    fn algorithm(&self) -> Result<Algorithm<'_>, Usage> {
        match (self.algorithm, self.region.as_deref(), self.service.as_deref()) {
            (Name::Plain, Some(region), Some(service)) => Ok(Algorithm::Legacy { region, service }),
            (Name::Plain, ..) => Ok(Algorithm::Plain),
            (Name::Derived, Some(region), Some(service)) if !region.is_empty() && !service.is_empty() => {
                Ok(Algorithm::Derived { region, service })
            }
            (Name::Derived, ..) => usage("V11-HMAC-SHA256 needs --region and --service"),
        }
    }

    fn body(&self) -> Result<Vec<u8>, Usage> {
        let Some(path) = &self.body else { return Ok(Vec::new()) };
        if path == Path::new("-") {
            return stdin("the body");
        }
        std::fs::read(path).map_err(|error| Usage(format!("--body {}: {error}", path.display())))
    }

    fn keys(&self, has_token: bool) -> Result<Keys, Usage> {
        let access_key = match &self.ak {
            Some(key) => Some(key.clone()),
            None => variable(ACCESS_KEY_VARIABLE)?,
        };
        let Some(access_key) = access_key else {
            return usage(format!("there is no access key: give --ak or set {ACCESS_KEY_VARIABLE}"));
        };
        let mut from_environment = false;
        let secret_key = match &self.sk {
            Some(key) if *key == Secret::from("-") => {
                if self.body.as_deref() == Some(Path::new("-")) {
                    return usage("--sk - and --body - both read the standard input; give one of them another way");
                }
                key_of(stdin("the secret key")?)?
            }
            Some(key) if *key == Secret::from("") => return usage("--sk is empty"),
            Some(key) => key.clone(),
            None => {
                from_environment = true;
                let Some(key) = variable(SECRET_KEY_VARIABLE)? else {
                    return usage(format!(
                        "there is no secret key: set {SECRET_KEY_VARIABLE}, or give --sk - and the key on the standard input"
                    ));
                };
                key.into()
            }
        };
        let security_token = match &self.security_token {
            Some(token) => Some(token.clone()),
            None if from_environment && !has_token => variable(SECURITY_TOKEN_VARIABLE)?,
            None => None,
        };
        Ok(Keys { access_key, secret_key, security_token })
    }
}

struct Keys {
    access_key: String,
    secret_key: Secret,
    security_token: Option<String>,
}

/// Reads a variable. An empty one counts as unset.
fn variable(name: &str) -> Result<Option<String>, Usage> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => usage(format!("the variable {name} is no text")),
    }
}

fn stdin(what: &str) -> Result<Vec<u8>, Usage> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| Usage(format!("{what}: standard input: {error}")))?;
    Ok(bytes)
}

/// Reads the secret key from the only line of the standard input.
fn key_of(bytes: Vec<u8>) -> Result<Secret, Usage> {
    let mark =
        files::mark_length(&bytes).map_err(|reason| Usage(format!("the secret key on the standard input {reason}")))?;
    let Ok(text) = str::from_utf8(&bytes[mark..]) else {
        return usage("the secret key on the standard input is no text");
    };
    let key = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if key.is_empty() {
        return usage("there is no secret key on the standard input");
    }
    if key.contains('\n') {
        return usage("there is more than one line on the standard input, where the secret key should be");
    }
    Ok(key.into())
}
