//! The clients of the hostile server: a command of the command line, and the same call of the library.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use huaweicloud_jobs::session::SessionBuilder;
use huaweicloud_jobs::session::credentials::{Context, Credentials};
use huaweicloud_jobs::{Error, Session, bulk};
use tempfile::TempDir;

use crate::common::{PROJECT, TOKEN, TestClock};
use crate::table::BULK;

/// Secrets that must never be printed.
pub const PASSWORD: &str = "p\u{e4}ss\"w/rd+ n\\ot-a-secret";
pub const SECRET_KEY: &str = "hostile-key-not-a-secret";

/// The host of the service behind a proxy.
pub const ELSEWHERE: &str = "service.example.invalid";

/// The time limit of a call.
const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    List,
    Rows,
    Pages,
    PagesOfMany,
    Markers,
    Show,
    Update,
    Create,
    Bulk,
    Raw,
    Proxied,
    Tunnelled,
    Signed,
    SignIn,
    Token,
    Lookup,
    Wait,
    Follow,
}

impl Call {
    /// The words of the command.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::List | Self::Proxied | Self::Tunnelled | Self::Signed | Self::SignIn | Self::Lookup => {
                &["training-job", "list"]
            }
            Self::Rows => &["training-job", "list", "--output", "csv"],
            Self::Pages => &["training-job", "list", "--paginate"],
            Self::PagesOfMany => &["training-job", "list", "--paginate", "--output", "jsonl"],
            Self::Markers => &["mrs", "job", "list", "--paginate"],
            Self::Show => &["training-job-version", "show", "10", "20"],
            Self::Update => &["training-job", "update", "10", "--job-desc", "x"],
            Self::Create => &["mrs", "job", "create", "--name", "n", "--type", "MapReduce", "--libs", "a"],
            Self::Bulk => &["training-job", "update", "--from", "rows.csv", "--patience", "1s"],
            Self::Raw => &["api", "update_training_job", "--param", "job_id=10", "--body", "body.json", "--include"],
            Self::Token => &["iam", "token", "create", "--body", "login.json"],
            Self::Wait => &["training-job-version", "wait", "10", "20", "--interval", "100ms"],
            Self::Follow => {
                &["training-job-version", "logs", "10", "20", "--log-file", "f", "--follow", "--interval", "100ms"]
            }
        }
    }

    /// The variables of the environment with which the command finds the server.
    pub fn variables(self, endpoint: &str) -> Vec<(&'static str, String)> {
        let credentials: &[(&str, &str)] = match self {
            Self::Signed => &[("HUAWEICLOUD_SDK_AK", "HOSTILEKEY"), ("HUAWEICLOUD_SDK_SK", SECRET_KEY)],
            Self::SignIn => &[("HWJOBS_USER", "u"), ("HWJOBS_DOMAIN", "d"), ("HWJOBS_PASSWORD", PASSWORD)],
            _ => &[("HWJOBS_TOKEN", TOKEN)],
        };
        let project =
            if self == Self::Lookup { ("HWJOBS_PROJECT_NAME", "p") } else { ("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT) };
        let (service, proxy) = self.addresses(endpoint);
        let mut variables = vec![("HWJOBS_ENDPOINT", service), (project.0, project.1.to_owned())];
        variables.extend(proxy.map(|proxy| ("ALL_PROXY", proxy)));
        variables.extend(credentials.iter().map(|(name, value)| (*name, (*value).to_owned())));
        variables
    }

    /// The address of the service, and of the proxy, if there is one.
    fn addresses(self, endpoint: &str) -> (String, Option<String>) {
        match self {
            Self::Proxied => (format!("http://{ELSEWHERE}"), Some(endpoint.to_owned())),
            Self::Tunnelled => (format!("https://{ELSEWHERE}"), Some(endpoint.to_owned())),
            _ => (endpoint.to_owned(), None),
        }
    }

    /// Writes the files that commands read.
    pub fn files(folder: &TempDir) {
        let write = |name: &str, text: &str| {
            std::fs::File::create(folder.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
        };
        let rows: String = (0..BULK).map(|index| format!("{},x\n", index + 10)).collect();
        write("rows.csv", &format!("job_id,job_desc\n{rows}"));
        write("body.json", r#"{"job_desc": "x"}"#);
        write(
            "login.json",
            &serde_json::json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
            {"name": "u", "password": PASSWORD, "domain": {"name": "d"}}}}}})
            .to_string(),
        );
    }

    /// Returns a session with the command's settings. Waits take no time.
    pub async fn session(self, endpoint: &str) -> Result<Session, Error> {
        let builder = || -> SessionBuilder {
            let (service, proxy) = self.addresses(endpoint);
            let builder = Session::builder().endpoint(service).clock(Arc::new(TestClock::default()));
            // The session ignores the environment of this machine.
            let builder = builder.context(Context::empty());
            let builder = match proxy {
                Some(proxy) => builder.proxy(proxy),
                None => builder.no_proxy(),
            };
            builder.timeout(TIMEOUT).credentials(match self {
                Self::Signed => Credentials::access_key("HOSTILEKEY", SECRET_KEY),
                Self::SignIn => Credentials::password("d", Some("u".to_owned()), PASSWORD),
                _ => Credentials::Token(TOKEN.into()),
            })
        };
        match self {
            Self::Lookup => builder().project_name("p").connect().await,
            _ => builder().project_id(PROJECT).build(),
        }
    }

    /// Makes the same call with the library, and returns whether it succeeded.
    pub async fn by_library(self, endpoint: &str) -> Result<bool, Error> {
        let session = self.session(endpoint).await?;
        let (modelarts, mrs) = (session.modelarts(), session.mrs());
        let request = |operation: &str| session.request(operation);
        match self {
            Self::List | Self::Proxied | Self::Tunnelled | Self::Signed | Self::SignIn | Self::Lookup => {
                modelarts.training_jobs().list().try_next().await?;
            }
            Self::Rows | Self::Pages => {
                modelarts.training_jobs().list().try_collect::<Vec<_>>().await?;
            }
            // There is no end: a reader that has seen enough drops the stream.
            Self::PagesOfMany => {
                let mut jobs = modelarts.training_jobs().list();
                for _ in 0..5_000 {
                    jobs.try_next().await?;
                }
            }
            Self::Markers => {
                mrs.jobs().list().try_collect::<Vec<_>>().await?;
            }
            Self::Show => {
                modelarts.training_job(10)?.version(20)?.show().await?;
            }
            Self::Update => modelarts.training_job(10)?.update_description("x").await?,
            Self::Create => {
                request("create_job")?
                    .body(serde_json::json!({"name": "n", "type": "MapReduce", "libs": ["a"]}))
                    .send()
                    .await?;
            }
            Self::Bulk => {
                let requests = (0..BULK).map(|index| {
                    let request = request("update_training_job")?.param("job_id", index + 10);
                    Ok(request.body(serde_json::json!({"job_desc": "x"})))
                });
                let mut calls = session.send_all(bulk::iter(requests.collect::<Result<Vec<_>, Error>>()?));
                let mut good = true;
                while let Some(ended) = calls.next().await {
                    match ended.result {
                        Err(error) if error.is_unauthenticated() => return Err(error),
                        result => good &= result.is_ok(),
                    }
                }
                return Ok(good);
            }
            Self::Raw => {
                request("update_training_job")?
                    .param("job_id", 10)
                    .body(serde_json::json!({"job_desc": "x"}))
                    .send()
                    .await?;
            }
            Self::Token => {
                let login = serde_json::json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
                    {"name": "u", "password": PASSWORD, "domain": {"name": "d"}}}}}});
                request("create_token")?.body(login).send().await?;
            }
            Self::Wait => {
                modelarts.training_job(10)?.version(20)?.wait().at_most(TIMEOUT).for_completion().await?;
            }
            Self::Follow => {
                let mut log = modelarts.training_job(10)?.version(20)?.log_file("f").follow();
                for _ in 0..1_000 {
                    log.try_next().await?;
                }
            }
        }
        Ok(true)
    }
}
