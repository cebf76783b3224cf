//! A signature and every step to it, and where a gateway took another one.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::signing::{Algorithm, Date, Request, Signed, SignedHeaders, Signer, wire_host};
use huaweicloud_jobs::terminal;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Format;
use super::exit::{Usage, usage};
use super::files;

const ACCESS_KEY_VARIABLE: &str = "HUAWEICLOUD_SDK_AK";
const SECRET_KEY_VARIABLE: &str = "HUAWEICLOUD_SDK_SK";
const SECURITY_TOKEN_VARIABLE: &str = "HUAWEICLOUD_SDK_SECURITY_TOKEN";

const HOST: &str = "host";
const DATE: &str = "x-sdk-date";
const CONTENT_HASH: &str = "x-sdk-content-sha256";
const SECURITY_TOKEN: &str = "x-security-token";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Headers whose values people should not find on their screen.
const SECRET_HEADERS: [&str; 6] =
    [SECURITY_TOKEN, "x-auth-token", "x-subject-token", "authorization", "proxy-authorization", "cookie"];

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
    /// The canonical request that a gateway echoes, or the whole message with it. Tells which step differs from ours.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    compare: Option<String>,
    /// How to print. Text has *** for tokens in signed headers; the canonical request in JSON is complete.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// What has no name. It is taken so that it is not repeated in a message: it may be a key.
    #[arg(hide = true)]
    stray: Vec<Secret>,
}

/// The algorithm, as the wire names it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    #[value(name = "SDK-HMAC-SHA256")]
    Plain,
    #[value(name = "V11-HMAC-SHA256")]
    Derived,
}

/// Whether it went well; with a comparison, whether both are equal.
pub(super) fn run(command: Command, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let Command::Explain(explain) = command;
    let (text, equal) = explain.run()?;
    match out.write_all(text.as_bytes()) {
        // Who has read enough still gets to know whether both are equal.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        outcome => outcome?,
    }
    Ok(equal)
}

impl Explain {
    /// What to print, and whether it compares well.
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
            Format::Text => as_text(&signed, differences.as_deref()),
            Format::Json => as_json(&signed, differences.as_deref()),
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

/// A variable; an empty one is none.
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

/// The only line.
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

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The parts of an address, as they were written: what is encoded stays so, dots stay dots.
#[derive(Debug, PartialEq)]
struct Address<'a> {
    host: Option<&'a str>,
    path: &'a str,
    query: &'a str,
}

impl<'a> Address<'a> {
    /// The messages do not repeat the address: a password may be in it.
    fn parse(url: &'a str) -> Result<Self, Usage> {
        let (host, target) = match url.split_once("://") {
            _ if url.starts_with('/') => (None, url),
            Some((scheme, rest)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                if authority.contains('@') {
                    return usage("--url has a user in it, which no signature covers; leave it out");
                }
                let host = wire_host(&scheme.to_ascii_lowercase(), authority);
                if !is_host(host) {
                    return usage("--url has a malformed host");
                }
                (Some(host), target)
            }
            _ => return usage("--url is neither https://HOST/PATH or http://HOST/PATH, nor a path that begins with /"),
        };
        if target.contains('#') {
            return usage("--url has a `#` in it; what follows is never sent, and in a path or query it is `%23`");
        }
        if target.contains(char::is_control) {
            return usage("--url has a control character in it");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Self { host, path, query })
    }
}

fn is_host(authority: &str) -> bool {
    let (name, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) if name.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte)) => {
            (name, port)
        }
        Some(_) => return false,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
    !name.is_empty()
        && !name.contains(|c: char| c.is_control() || c.is_whitespace() || "[]\\\"<>^`{|}%".contains(c))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn as_text(signed: &Signed, differences: Option<&[Difference]>) -> String {
    let canonical_request = signed.canonical_request();
    let (shown, hidden) = without_secrets(canonical_request);
    let mut out = String::new();
    let mut section = |title: &str, text: &str| {
        let space = if out.is_empty() { "" } else { "\n" };
        // A text in memory takes all that is written.
        let _ = writeln!(out, "{space}== {title}\n{}", terminal::text(text));
    };
    section("Canonical request", &shown);
    section("String to sign", signed.string_to_sign());
    section("Signature", signed.signature());
    section("Authorization", signed.authorization());
    if !hidden.is_empty() {
        let text = format!("*** stands for the value of {}; --format json has it.", hidden.join(" and "));
        section("Note", &text);
    }
    match differences {
        None => {}
        Some([]) => section(
            "Comparison",
            "The canonical requests are equal. If the gateway still refuses the signature, it has another secret key:\n\
             look for a key of another account, a blank or line break that came along, or temporary keys without their\n\
             security token.",
        ),
        Some(differences) => {
            for Difference { step, ours, theirs, hint } in differences {
                let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".to_owned());
                section(
                    &format!("Different: {step}"),
                    &format!("ours:    {}\ngateway: {}\n{hint}", side(ours), side(theirs)),
                );
            }
        }
    }
    out
}

fn as_json(signed: &Signed, differences: Option<&[Difference]>) -> String {
    let mut value = json!({
        "canonical_request": signed.canonical_request(),
        "string_to_sign": signed.string_to_sign(),
        "signature": signed.signature(),
        "authorization": signed.authorization(),
    });
    if let Some(differences) = differences {
        value["differences"] = json!(differences);
    }
    format!("{value:#}\n")
}

/// The canonical request with `***` for secret values, and the names of their headers.
fn without_secrets(canonical_request: &str) -> (String, Vec<&str>) {
    let mut hidden = Vec::new();
    let mut lines = Vec::new();
    let mut in_headers = true;
    for (place, line) in canonical_request.split('\n').enumerate() {
        in_headers &= place < 3 || !line.is_empty();
        match line.split_once(':') {
            Some((name, _)) if place >= 3 && in_headers && SECRET_HEADERS.contains(&name) => {
                hidden.push(name);
                lines.push(format!("{name}:***"));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    (lines.join("\n"), hidden)
}

/// A step in which two canonical requests differ.
#[derive(Serialize)]
struct Difference {
    step: String,
    ours: Option<String>,
    theirs: Option<String>,
    /// What usually causes it.
    hint: String,
}

/// A canonical request, taken apart.
struct Canonical {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    signed_headers: String,
    payload: String,
}

/// How echoes write a line break.
const BREAKS: [&str; 3] = ["\n", "|", "\\n"];

impl Canonical {
    /// Reads the canonical request that a text begins with. What follows it does not count.
    fn parse(text: &str) -> Option<Self> {
        let (method, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_alphabetic).count());
        let line_break = BREAKS.into_iter().find(|line_break| rest.starts_with(line_break))?;
        let lines: Vec<&str> = text.split(line_break).collect();
        // A value can look like the end of the headers, but does not name all of them.
        let is_list = |at: usize| lines[at - 1].is_empty() && lines[at].split(';').all(is_name);
        let has = |name, until: usize| {
            lines[3..until].iter().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
        };
        let mut places = (4..lines.len().saturating_sub(1)).filter(|at| is_list(*at));
        let first = places.clone().next()?;
        let place = places.find(|at| lines[*at].split(';').all(|name| has(name, *at))).unwrap_or(first);
        let (names, payload) = (lines[place], lines[place + 1]);
        let payload =
            &payload[..payload.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count()];
        if method.is_empty() || payload.is_empty() {
            return None;
        }
        // A value may have a `|` in it.
        let header_lines = &lines[3..place - 1];
        let mut headers = join(header_lines, line_break, |name| names.split(';').any(|other| other == name));
        if headers.len() != names.split(';').count() {
            headers = join(header_lines, line_break, is_name);
        }
        let [path, query, signed_headers, payload] = [lines[1], lines[2], names, payload].map(str::to_owned);
        Some(Self { method: method.to_owned(), path, query, headers, signed_headers, payload })
    }

    /// Finds the canonical request in a message.
    fn find(text: &str) -> Option<Self> {
        let text = text.trim().replace("\r\n", "\n");
        let lower = text.to_ascii_lowercase();
        let named = ["canonicalrequest", "canonical_request", "canonical request"].iter().find_map(|name| {
            let after = lower.find(name)? + name.len();
            Some(text[after..].trim_start_matches(|c: char| c.is_whitespace() || ":=\"'`\\".contains(c)))
        });
        let beginnings = text.char_indices().filter(|(at, c)| {
            let rest = &text[at + c.len_utf8()..];
            !c.is_ascii_alphabetic() && rest.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        named.and_then(Self::parse).or_else(|| Self::parse(&text)).or_else(|| {
            beginnings
                .map(|(at, c)| Self::parse(&text[at + c.len_utf8()..]))
                .find_map(|found| found.filter(|found| found.path.starts_with('/')))
        })
    }
}

/// Headers out of lines; a line that begins with no name of a header goes on with the value before it.
fn join(lines: &[&str], line_break: &str, is_name: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match headers.last_mut() {
            Some((_, before)) if !is_name(name) => {
                before.push_str(line_break);
                before.push_str(line);
            }
            _ => headers.push((name.to_owned(), value.to_owned())),
        }
    }
    headers
}

/// All texts in a JSON value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

/// The steps in which our canonical request differs from the one in a message.
fn compare(signed: &Signed, message: &str, body: &[u8]) -> Result<Vec<Difference>, Usage> {
    let json: Option<Value> = serde_json::from_str(message).ok();
    let mut candidates = Vec::new();
    match &json {
        Some(json) => texts(json, &mut candidates),
        None => candidates.push(message),
    }
    let Some(theirs) = candidates.into_iter().find_map(Canonical::find) else {
        return usage(
            "there is no complete canonical request in what --compare gives: METHOD|/path/|query|headers||names|hash",
        );
    };
    let ours = Canonical::parse(signed.canonical_request()).ok_or_else(|| Usage("our own canonical request".into()))?;

    let mut found = Vec::new();
    differ(&mut found, "method", &ours.method, &theirs.method, || {
        "The request was sent with another method than it was signed with; a redirect can change it too.".into()
    });
    differ(&mut found, "path", &ours.path, &theirs.path, || path_hint(&ours.path, &theirs.path));
    differ(&mut found, "query", &ours.query, &theirs.query, || query_hint(&ours.query, &theirs.query));
    compare_headers(&ours, &theirs, &mut found);
    differ(&mut found, "signed headers", &ours.signed_headers, &theirs.signed_headers, || {
        let set =
            |names: &str| names.split(';').map(str::to_ascii_lowercase).collect::<std::collections::BTreeSet<_>>();
        if set(&ours.signed_headers) == set(&theirs.signed_headers) {
            "The same headers in another form: names are in lower case, sorted, each once.".into()
        } else {
            "The gateway takes the list from SignedHeaders in Authorization. To sign the same headers here, give its \
             list with --signed-headers."
                .into()
        }
    });
    differ(&mut found, "body hash", &ours.payload, &theirs.payload, || {
        payload_hint(&ours.payload, &theirs.payload, body)
    });
    Ok(found)
}

/// Notes a step if its two texts differ.
fn differ(found: &mut Vec<Difference>, step: &str, ours: &str, theirs: &str, hint: impl FnOnce() -> String) {
    if ours != theirs {
        let [ours, theirs] = [ours, theirs].map(|text| Some(text.to_owned()));
        found.push(Difference { step: step.to_owned(), ours, theirs, hint: hint() });
    }
}

fn compare_headers(ours: &Canonical, theirs: &Canonical, found: &mut Vec<Difference>) {
    let values = |headers: &[(String, String)], name: &str| {
        let values: Vec<_> =
            headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect();
        (!values.is_empty()).then(|| values.join(" / "))
    };
    let before = found.len();
    let mut names: Vec<&String> = ours.headers.iter().chain(&theirs.headers).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (our_value, their_value) = (values(&ours.headers, name), values(&theirs.headers, name));
        if our_value == their_value {
            continue;
        }
        let mut hint = header_hint(name, our_value.as_deref(), their_value.as_deref());
        let mut sides = [our_value, their_value];
        if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            if let [Some(ours), Some(theirs)] = &sides {
                let _ = write!(hint, " Ours has {} bytes, the gateway's {}.", ours.len(), theirs.len());
            }
            sides = sides.map(|side| side.map(|_| "***".to_owned()));
        }
        let [ours, theirs] = sides;
        found.push(Difference { step: format!("header {name}"), ours, theirs, hint });
    }
    if found.len() == before && ours.headers != theirs.headers {
        let order = |headers: &[(String, String)]| {
            Some(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
        };
        found.push(Difference {
            step: "order of the headers".to_owned(),
            ours: order(&ours.headers),
            theirs: order(&theirs.headers),
            hint: "The lines of the headers are sorted by name.".to_owned(),
        });
    }
}

fn header_hint(name: &str, ours: Option<&str>, theirs: Option<&str>) -> String {
    let hint = match (name, ours, theirs) {
        (_, Some(_), None) => {
            "It is signed here and not there: it is not among the SignedHeaders that were sent, or it got lost on the \
             way (gateways drop names with _)."
        }
        (_, None, _) => {
            "It is signed there and not here: give it with --header, and name it if there are --signed-headers."
        }
        (HOST, Some(ours), Some(theirs)) if host_name(ours) == host_name(theirs) => {
            "The port: it goes along in Host unless it is the scheme's own, 443 or 80."
        }
        (HOST, ..) => {
            "The request reached the gateway under another name: a proxy that rewrites Host, or a name of one's own for \
             the endpoint."
        }
        (DATE, ..) => {
            "Another time: give --date as the request had it. The date that is signed has to be the one that is sent, \
             also when a request is repeated."
        }
        ("content-type", ..) => {
            "HTTP libraries add a charset or a boundary after signing. Content-Type need not be signed: leave it out."
        }
        (SECURITY_TOKEN, ..) => {
            "Another token: the keys were renewed in between, or the token was cut short or folded by a header's limit."
        }
        ("x-project-id", ..) => "Another project: compare with the one in the path.",
        (CONTENT_HASH, ..) => "Another hash of the body, or UNSIGNED-PAYLOAD on one side only.",
        ("user-agent" | "content-length" | "connection" | "accept" | "accept-encoding" | "transfer-encoding", ..) => {
            "Proxies and HTTP libraries change this header. Do not sign it."
        }
        (_, Some(ours), Some(theirs)) if ours.split_whitespace().eq(theirs.split_whitespace()) => {
            "Blanks: those at the ends of a value are cut off, those inside stay as they are."
        }
        _ => {
            "The value was changed after signing. host and x-sdk-date are enough to be signed; proxies leave these alone."
        }
    };
    hint.to_owned()
}

fn host_name(authority: &str) -> &str {
    authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(authority, |(name, _)| name)
}

/// Decoded as often as it takes, so that texts that were encoded a different number of times become equal.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    loop {
        let next: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if next == bytes {
            return bytes;
        }
        bytes = next;
    }
}

fn path_hint(ours: &str, theirs: &str) -> String {
    let bare = |path: &str| path.trim_end_matches('/').to_owned();
    if bare(ours) == bare(theirs) {
        "The slash at the end: a canonical path ends in exactly one, whatever the path that is sent ends in."
    } else if decoded(&bare(ours)) == decoded(&bare(theirs)) {
        "The encoding: each segment is percent-encoded exactly once, all but A-Za-z0-9-_.~, with digits in upper case. \
         %25 is the sign of a path that was encoded twice."
    } else if bare(theirs).ends_with(&bare(ours)) || bare(ours).ends_with(&bare(theirs)) {
        "A part at the beginning: a proxy adds or takes off a prefix, or the address of the endpoint has a path of its own."
    } else {
        "The request was sent to another path than it was signed for. Look at the project and the other ids in it."
    }
    .to_owned()
}

fn query_hint(ours: &str, theirs: &str) -> String {
    let pairs = |query: &str, plus: &str| {
        let mut pairs: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let pair = pair.replace('+', plus);
                let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
                (decoded(name), decoded(value))
            })
            .collect();
        pairs.sort();
        pairs
    };
    let (our_pairs, their_pairs) = (pairs(ours, "+"), pairs(theirs, "+"));
    let sorted = |query: &str| {
        let mut pieces: Vec<_> = query.split('&').map(str::to_owned).collect();
        pieces.sort();
        pieces
    };
    if sorted(ours) == sorted(theirs) {
        return "The order: pairs are sorted by name, upper case before lower case, and then by value.".to_owned();
    }
    if our_pairs == their_pairs {
        return "The encoding: names and values are percent-encoded exactly once, all but A-Za-z0-9-_.~, and a name \
                without a value keeps its =."
            .to_owned();
    }
    // Only as a blank `+` and `%20` are the same, and as a plus `+` and `%2B`.
    let blanks = |query: &str| pairs(&query.replace("%2B", "+").replace("%2b", "+"), "%20");
    if blanks(ours) == blanks(theirs) {
        return "A blank or a plus: in a canonical query a blank is %20 and a plus is %2B. HTTP libraries send a blank \
                as +, which gateways read either way."
            .to_owned();
    }
    let missing = |from: &[(Vec<u8>, Vec<u8>)], other: &[(Vec<u8>, Vec<u8>)]| {
        let names = from
            .iter()
            .filter(|pair| !other.contains(pair))
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut hint = "The query that is sent has to be the one that is signed.".to_owned();
    for (side, names) in
        [("Only ours", missing(&our_pairs, &their_pairs)), ("Only the gateway's", missing(&their_pairs, &our_pairs))]
    {
        if !names.is_empty() {
            let _ = write!(hint, " {side} has this value of: {names}.");
        }
    }
    hint
}

fn payload_hint(ours: &str, theirs: &str, body: &[u8]) -> String {
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let empty = hash(b"");
    let longer = [body, b"\n"].concat();
    let shorter = body.strip_suffix(b"\n").unwrap_or(body);
    if ours == UNSIGNED || theirs == UNSIGNED {
        "One side does not cover the body: the header X-Sdk-Content-Sha256 says UNSIGNED-PAYLOAD on one side only."
    } else if ours.eq_ignore_ascii_case(theirs) {
        "Only the case of the digits: they are in lower case."
    } else if theirs == hash(&longer) || (theirs == hash(shorter) && shorter != body) {
        "The newline at the end of the body: it is part of it on one side only. Editors and JSON encoders add it."
    } else if ours == empty {
        "Ours is the hash of an empty body: give the body with --body, exactly as it was sent."
    } else if theirs == empty {
        "The gateway saw an empty body: it was not sent, or was lost in a redirect or with Transfer-Encoding: chunked."
    } else {
        "The bytes that were sent are not those that were signed: JSON that was written a second time (order, blanks, \
         escapes), another character set, or compression. Sign exactly what is sent."
    }
    .to_owned()
}
