//! Tests of the credential chain: each folder of `tests/credentials` is a case with an environment, a home folder, the
//! responses of a metadata service and the expected result. `tests/credentials/README.md` describes the files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::credentials::{
    Chain, Context, Credentials, Environment, Found, Metadata, Outcome, Profile, Provider, Providing, Service, Settings,
};
use huaweicloud_jobs::{Error, ErrorKind};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Every secret of the cases contains this word, and no other value does.
const CANARY: &str = "canary";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The description of the case.
    about: String,
    /// The profile that the caller selects.
    profile: Option<String>,
    /// Whether the caller allows the metadata service.
    metadata: Option<bool>,
    /// The time.
    now: String,
    /// Files of the home folder that cannot be read.
    #[serde(default)]
    unreadable: Vec<String>,
    expect: Expect,
    /// The expected requests to the metadata service.
    #[serde(default)]
    requests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Expect {
    Found(Box<Expected>),
    Error { kind: String, contains: Vec<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    source: String,
    credentials: Login,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    needs_refresh: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Login {
    AccessKey { access_key: String, secret_key: String, security_token: Option<String>, expires_at: Option<String> },
    Password { account: String, user: String, password: String },
    Token(String),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    body: String,
    /// Accepts the request and sends nothing.
    #[serde(default)]
    hangs: bool,
}

/// A metadata service with scripted responses.
struct Scripted {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start(answers: Option<Vec<Answer>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        // Without a script nothing listens.
        if let Some(answers) = answers {
            let seen = Arc::clone(&requests);
            tokio::spawn(async move {
                for answer in answers {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let request = request(&mut stream).await;
                    seen.lock().unwrap().push(request);
                    if answer.hangs {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    let Answer { status, body, hangs: _ } = answer;
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
                    stream.write_all((head + &body).as_bytes()).await.unwrap();
                }
            });
        }
        Self { endpoint, requests }
    }
}

/// Formats a request: method, path, and the headers of this protocol.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request ends early");
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut short = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    for line in head.lines().filter(|line| line.to_lowercase().starts_with("x-")) {
        short = format!("{short} {line}");
    }
    short
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/credentials");
    let mut folders: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Returns the environment of a folder.
fn context(folder: &Path, case: &Case, metadata: &str, fill: &dyn Fn(&str) -> String) -> Context {
    let variables: BTreeMap<String, String> = fs::read_to_string(folder.join("env.json"))
        .map_or_else(|_| BTreeMap::new(), |text| serde_json::from_str(&text).unwrap());
    let unreadable: Vec<_> = case.unreadable.iter().map(|path| folder.join("home").join(path)).collect();
    let now = time(&case.now);
    let mut context = Context::empty()
        .variables(variables.iter().map(|(name, value)| (name, fill(value))))
        .home(folder.join("home"))
        .files(move |path| {
            if unreadable.iter().any(|one| one == path) {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            fs::read(path)
        })
        .clock(move || now)
        .metadata_endpoint(metadata);
    if let Some(profile) = &case.profile {
        context = context.profile(profile);
    }
    if let Some(allowed) = case.metadata {
        context = context.metadata(allowed);
    }
    context
}

fn expected(login: &Login) -> Credentials {
    match login {
        Login::AccessKey { access_key, secret_key, security_token: None, expires_at: None } => {
            Credentials::access_key(access_key, secret_key.as_str())
        }
        Login::AccessKey { access_key, secret_key, security_token, expires_at } => {
            let token = security_token.as_deref().expect("temporary keys of a case have a security token");
            Credentials::temporary(access_key, secret_key.as_str(), token, expires_at.as_deref().map(time))
        }
        Login::Password { account, user, password } => {
            Credentials::password(account, Some(user.clone()), password.as_str())
        }
        Login::Token(token) => Credentials::Token(Secret::from(token.as_str())),
    }
}

/// Returns the settings by name.
fn flat(settings: &Settings) -> BTreeMap<String, String> {
    let fields = [
        ("project_id", &settings.project_id),
        ("project_name", &settings.project_name),
        ("domain_id", &settings.domain_id),
        ("region", &settings.region),
        ("endpoint", &settings.endpoint),
        ("modelarts_endpoint", &settings.modelarts_endpoint),
        ("mrs_endpoint", &settings.mrs_endpoint),
        ("iam_endpoint", &settings.iam_endpoint),
    ];
    let said = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    said.chain(settings.region_endpoints.clone()).collect()
}

fn assert_silent(what: &str, text: &str) {
    assert!(!text.to_lowercase().contains(CANARY), "{what}: {text}");
}

/// Returns all output of an error.
fn all_of(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {}", error.message());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text} {cause} {cause:?}");
        source = cause.source();
    }
    text
}

async fn check(folder: &Path) {
    let text = fs::read_to_string(folder.join("case.json")).unwrap();
    let case: Case = serde_json::from_str(&text).unwrap();
    assert!(!case.about.is_empty());
    let answers: Option<Vec<Answer>> =
        fs::read_to_string(folder.join("metadata.json")).ok().map(|text| serde_json::from_str(&text).unwrap());
    let server = Scripted::start(answers).await;
    let home = folder.join("home");
    let fill = |text: &str| text.replace("${HOME}", home.to_str().unwrap()).replace("${METADATA}", &server.endpoint);
    let context = context(folder, &case, &server.endpoint, &fill);
    assert_silent("context", &format!("{context:?}"));

    let outcome = Chain::default().resolve(&context).await;
    match (&outcome, &case.expect) {
        (Ok(found), Expect::Found(expect)) => {
            assert_eq!(found.source.to_string(), fill(&expect.source));
            assert_eq!(found.credentials, expected(&expect.credentials), "{found:?}");
            assert_eq!(flat(&found.settings), expect.settings);
            assert_eq!(found.needs_refresh(time(&case.now)), expect.needs_refresh);
            assert_silent("found", &format!("{found:?} {found:#?} {}", found.source));
        }
        (Err(error), Expect::Error { kind, contains }) => {
            assert_eq!(format!("{:?}", error.kind()), *kind);
            for fragment in contains {
                assert!(error.message().contains(&fill(fragment)), "{fragment} is not in: {error}");
            }
            assert_silent("error", &all_of(error));
        }
        (Ok(found), Expect::Error { .. }) => panic!("an error is expected: {found:?}"),
        (Err(error), Expect::Found(_)) => panic!("{error}"),
    }
    assert_eq!(*server.requests.lock().unwrap(), case.requests);
}

#[tokio::test]
async fn the_cases() {
    let mut failed = Vec::new();
    let mut checks = Vec::new();
    for folder in folders() {
        checks.push((folder.clone(), tokio::spawn(async move { check(&folder).await })));
    }
    assert!(checks.len() >= 25, "there are {} cases only", checks.len());
    for (folder, check) in checks {
        if check.await.is_err() {
            failed.push(folder.file_name().unwrap().to_owned());
        }
    }
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}

/// The secrets of the cases must be canaries.
#[test]
fn the_secrets_of_the_cases_are_canaries() {
    for folder in folders() {
        let case: Case = serde_json::from_str(&fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
        let Expect::Found(expect) = case.expect else { continue };
        let secrets = match expect.credentials {
            Login::AccessKey { secret_key, security_token, .. } => vec![Some(secret_key), security_token],
            Login::Password { password, .. } => vec![Some(password)],
            Login::Token(token) => vec![Some(token)],
        };
        assert!(secrets.iter().flatten().all(|secret| secret.contains(CANARY)), "{}", folder.display());
    }
}

/// An error must not repeat any value of the sources.
#[tokio::test]
async fn errors_keep_silent_about_values_of_every_variable() {
    let secret = format!("\u{1}{CANARY} \"{CANARY}\" http://u:{CANARY}@x/?{CANARY}");
    let names = "HUAWEICLOUD_SDK_AK HUAWEICLOUD_SDK_SK HUAWEICLOUD_SDK_SECURITY_TOKEN HUAWEICLOUD_SDK_PROJECT_ID \
                 HUAWEICLOUD_SDK_DOMAIN_ID HUAWEICLOUD_SDK_IAM_ENDPOINT HUAWEICLOUD_SDK_REGION_MRS_CN_NORTH_4 HWJOBS_TOKEN \
                 HWJOBS_PASSWORD HWJOBS_ENDPOINT HWJOBS_MODELARTS_ENDPOINT HWJOBS_MRS_ENDPOINT HWJOBS_IAM_ENDPOINT \
                 HWJOBS_REGION HWJOBS_METADATA";
    for name in names.split_whitespace() {
        // Complete credentials, so that the search reaches the settings.
        let mut variables = BTreeMap::from([("HWJOBS_USER", "somebody"), ("HWJOBS_PASSWORD", "x")]);
        match name {
            "HWJOBS_PASSWORD" => _ = variables.remove("HWJOBS_USER"),
            "HWJOBS_METADATA" => variables.clear(),
            _ => {}
        }
        variables.insert(name, &secret);
        let error = Chain::default().resolve(&Context::empty().variables(variables)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains(name), "{error}");
        assert_silent(name, &all_of(&error));
    }
}

/// Tests the same for files: each line of valid ones is broken in turn.
#[tokio::test]
async fn errors_keep_silent_about_every_line_of_a_file() {
    let ini =
        format!("[default]\nak = EXAMPLE\nsk = {CANARY}\nsecurity_token = {CANARY}\nendpoint = http://{CANARY}\n");
    let json = format!(
        "{{\"account\": \"a\",\n\"username\": \"u\",\n\"password\": \"{CANARY}\",\n\"iam_endpoint\": \"{CANARY}\"\n}}"
    );
    for (file, text) in [(".huaweicloud/credentials", ini), (".modelarts/config.json", json)] {
        for line in 0..text.lines().count() {
            for (spoil, with) in
                [(" =", ""), ("= ", "= \" "), ("[", ""), ("]", ""), (":", ""), ("\"", ""), ("\n", "\0\n")]
            {
                let spoiled: Vec<_> = text
                    .lines()
                    .enumerate()
                    .map(
                        |(n, text)| {
                            if n == line { format!("{text}\n").replace(spoil, with) } else { format!("{text}\n") }
                        },
                    )
                    .collect();
                let spoiled = spoiled.concat();
                let context = Context::empty().home("/home/u").files(move |path| match path.ends_with(file) {
                    true => Ok(spoiled.clone().into_bytes()),
                    false => Err(io::ErrorKind::NotFound.into()),
                });
                match Chain::default().resolve(&context).await {
                    Ok(found) => assert_silent("found", &format!("{:?} {}", found.credentials, found.source)),
                    Err(error) => assert_silent("error", &all_of(&error)),
                }
            }
        }
    }
}

struct Broken;

impl Provider for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn provide<'a>(&'a self, _context: &'a Context) -> Providing<'a> {
        Box::pin(async { panic!("a provider after one that found something was asked") })
    }
}

struct Fixed;

impl Provider for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn provide<'a>(&'a self, _context: &'a Context) -> Providing<'a> {
        Box::pin(async { Ok(Outcome::Found(Found::new(Credentials::Token(CANARY.into()), self.name(), "here"))) })
    }
}

#[tokio::test]
async fn a_chain_of_ones_own_is_asked_in_order() {
    let chain = Chain::first_try(Environment).or_else(Fixed).or_else(Broken);
    let context = Context::empty().variables([("HWJOBS_REGION", "cn-north-4")]);
    let found = chain.resolve(&context).await.unwrap();
    assert_eq!(found.source.to_string(), "fixed (here)");
    assert_eq!(found.settings.region.as_deref(), Some("cn-north-4"));
    assert_eq!(format!("{chain:?}"), r#"Chain(["environment", "fixed", "broken"])"#);
    let default = format!("{:?}", Chain::default());
    assert_eq!(default, r#"Chain(["environment", "profile file", "ModelArts SDK configuration", "metadata service"])"#);
}

#[tokio::test]
async fn the_default_context_is_this_process() {
    let home = std::env::home_dir().unwrap();
    let error = Chain::first_try(Profile).resolve(&Context::default().profile("no-such-profile")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("no-such-profile"), "{error}");
    assert!(error.message().contains(home.join(".huaweicloud/credentials").to_str().unwrap()), "{error}");
    let skew = Context::default().now().duration_since(Timestamp::now());
    assert!(skew.abs() < jiff::SignedDuration::from_secs(60));
}

#[tokio::test]
async fn a_large_file_is_refused() {
    let path = std::env::temp_dir().join(format!("credentials-{}", std::process::id()));
    fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    let context = Context::empty().real_files().variables([("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &path)]);
    let outcome = Chain::default().resolve(&context).await;
    fs::remove_file(&path).unwrap();
    assert!(outcome.unwrap_err().message().contains("larger than"));
}

/// Only Unix has variables that are not text.
#[cfg(unix)]
#[tokio::test]
async fn a_variable_that_is_not_text_is_broken() {
    use std::os::unix::ffi::OsStrExt;
    let value = std::ffi::OsStr::from_bytes(b"canary\xff");
    let error =
        Chain::default().resolve(&Context::empty().variables([("HUAWEICLOUD_SDK_SK", value)])).await.unwrap_err();
    assert_eq!(error.message(), "HUAWEICLOUD_SDK_SK is not UTF-8");
    assert_silent("error", &all_of(&error));
}

#[test]
fn keys_are_refreshed_forty_minutes_before_they_end() {
    let end = time("2030-01-01T12:00:00Z");
    let found = Found::new(Credentials::temporary("EXAMPLE", CANARY, CANARY, Some(end)), "test", "here");
    assert!(!found.needs_refresh(time("2030-01-01T11:20:00Z")));
    assert!(found.needs_refresh(time("2030-01-01T11:20:00.001Z")));
    assert!(!found.is_expired(time("2030-01-01T11:59:59.999Z")));
    assert!(found.is_expired(end));
    assert_eq!(found.expires_at(), Some(end));
    let lasting = Found::new(Credentials::access_key("EXAMPLE", CANARY), "test", "here");
    assert!(!lasting.needs_refresh(end) && !lasting.is_expired(end) && lasting.expires_at().is_none());
}

#[test]
fn the_endpoint_of_a_service_is_the_most_specific_one() {
    let context = |variables: &[(&'static str, &'static str)]| {
        Settings::environment(&Context::empty().variables(variables.iter().copied())).unwrap()
    };
    let region = ("HUAWEICLOUD_SDK_REGION_MRS_CN_NORTH_4", "https://mrs.region, https://other");
    let all = ("HWJOBS_ENDPOINT", "http://127.0.0.1:8080/");
    let own = ("HWJOBS_MRS_ENDPOINT", "mrs.own");

    let settings = context(&[region]);
    assert_eq!(settings.endpoint_of(Service::Mrs, Some("cn-north-4")), Some("https://mrs.region"));
    assert_eq!(settings.endpoint_of(Service::Mrs, Some("cn-north-1")), None);
    assert_eq!(settings.endpoint_of(Service::Mrs, None), None);
    assert_eq!(settings.endpoint_of(Service::ModelArts, Some("cn-north-4")), None);
    let settings = context(&[region, ("HWJOBS_REGION", "cn-north-4")]);
    assert_eq!(settings.endpoint_of(Service::Mrs, None), Some("https://mrs.region"));
    let settings = context(&[region, all]);
    assert_eq!(settings.endpoint_of(Service::Mrs, Some("cn-north-4")), Some("http://127.0.0.1:8080"));
    let settings = context(&[region, all, own]);
    assert_eq!(settings.endpoint_of(Service::Mrs, Some("cn-north-4")), Some("https://mrs.own"));
    assert_eq!(settings.endpoint_of(Service::Iam, None), Some("http://127.0.0.1:8080"));
}

fn metadata(server: &Scripted) -> Context {
    Context::empty().metadata(true).metadata_endpoint(&server.endpoint)
}

fn hanging() -> Option<Vec<Answer>> {
    Some(vec![Answer { status: 200, body: String::new(), hangs: true }])
}

#[tokio::test]
async fn the_metadata_service_has_three_seconds() {
    let server = Scripted::start(hanging()).await;
    let begin = Instant::now();
    let error = Chain::first_try(Metadata).resolve(&metadata(&server)).await.unwrap_err();
    let waited = begin.elapsed();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("sent no response in time"), "{error}");
    assert!(waited >= Duration::from_secs(3) && waited < Duration::from_secs(8), "{waited:?}");
}

#[tokio::test]
async fn an_http_client_of_ones_own_has_its_own_patience() {
    // A program with its own client chooses the TLS provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().read_timeout(Duration::from_millis(50)).build().unwrap();
    let server = Scripted::start(hanging()).await;
    let begin = Instant::now();
    let error = Chain::first_try(Metadata).resolve(&metadata(&server).http(client)).await.unwrap_err();
    assert!(error.message().contains("sent no response in time"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_metadata_service_may_not_say_too_much() {
    let body = "x".repeat(64 * 1024 + 1);
    let server = Scripted::start(Some(vec![Answer { status: 200, body, hangs: false }])).await;
    let error = Chain::first_try(Metadata).resolve(&metadata(&server)).await.unwrap_err();
    assert!(error.message().contains("returned more than 65536 bytes"), "{error}");
}
