//! Temporary keys of a cloud server's agency from the metadata service.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;

use super::{Context, Credentials, Found, Outcome, Provider, Providing, broken, settings};
use crate::error::{Error, in_full};
use crate::secret::Secret;
use crate::session::tls::Tls;
use crate::transport::body::{self, Unread};

/// The metadata service of a cloud server.
///
/// It is used only if [`Context::metadata`] or the variable `HWJOBS_METADATA` allows it. If nothing listens at its
/// address, this is not a cloud server, and the provider is *absent*; so it is on a server without an agency. An
/// undocumented response is *broken*.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata;

const TOKEN_PATH: &str = "/meta-data/latest/api/token";
const KEY_PATH: &str = "/openstack/latest/securitykey";
/// The requested lifetime of the token for the metadata service.
const TOKEN_SECONDS: &str = "21600";

/// The time limit for a connection, and for the next bytes.
const PATIENCE: Duration = Duration::from_secs(3);
/// The time limit of a request to the metadata service.
const WHOLE: Duration = Duration::from_secs(10);
const MAX_BODY: usize = 64 * 1024;

/// The response on a server without an agency.
const NO_AGENCY: &str = "configure Cloud Service Agency first";

#[derive(Deserialize)]
struct Temporary {
    credential: Key,
}

#[derive(Deserialize)]
struct Key {
    access: String,
    secret: Secret,
    securitytoken: Secret,
    expires_at: String,
}

impl Provider for Metadata {
    fn name(&self) -> &'static str {
        "metadata service"
    }

    fn provide<'a>(&'a self, context: &'a Context) -> Providing<'a> {
        Box::pin(self.look(context))
    }
}

impl Metadata {
    async fn look(&self, context: &Context) -> Result<Outcome, Error> {
        if let Err(reason) = context.metadata_allowed()? {
            return Ok(Outcome::Absent(reason.to_owned()));
        }
        let base = settings::endpoint(context.metadata_base())
            .map_err(|reason| broken("the address of the metadata service", reason))?;
        let http = match context.http_client() {
            Some(client) => client.clone(),
            None => client()?,
        };

        let place = format!("{base}{TOKEN_PATH}");
        let request =
            http.put(&place).header("x-metadata-token-ttl-seconds", TOKEN_SECONDS).header("content-length", "0");
        let token = match send(request, &place).await? {
            None => return Ok(Outcome::Absent(format!("nothing listens at {base}: this is not a cloud server"))),
            Some((StatusCode::OK, body)) => Some(token(&body, &place)?),
            // Version 1 of the service has no tokens.
            Some((StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::SERVICE_UNAVAILABLE, _)) => None,
            Some((status, _)) => return Err(broken(place, format_args!("returned {}", in_full(status)))),
        };

        let place = format!("{base}{KEY_PATH}");
        let mut request = http.get(&place);
        if let Some(token) = token {
            request = request.header("x-metadata-token", token);
        }
        match send(request, &place).await? {
            None => Err(broken(place, "accepts no more connections")),
            Some((StatusCode::OK, body)) => {
                let credentials = credentials(&body, &place, context.now())?;
                Ok(Outcome::Found(Found::new(credentials, self.name(), place)))
            }
            Some((StatusCode::NOT_FOUND, _)) => Ok(Outcome::Absent(format!("{place} does not exist"))),
            Some((_, body)) if String::from_utf8_lossy(&body).contains(NO_AGENCY) => {
                Ok(Outcome::Absent("this server has no agency that provides keys".to_owned()))
            }
            Some((status, _)) => Err(broken(place, format_args!("returned {}", in_full(status)))),
        }
    }
}

/// Returns status and body of a response, or `None` without a connection.
async fn send(request: RequestBuilder, place: &str) -> Result<Option<(StatusCode, BytesMut)>, Error> {
    let failed = |error: reqwest::Error| {
        let reason = if error.is_timeout() { "sent no response in time" } else { "sent no complete response" };
        broken(place, reason).with_source(error.without_url())
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = BytesMut::new();
    match body::read(&mut response, &mut bytes, MAX_BODY).await {
        Ok(()) => Ok(Some((response.status(), bytes))),
        Err(Unread::TooLarge) => Err(broken(place, format_args!("returned more than {MAX_BODY} bytes"))),
        Err(Unread::Broken(error)) => Err(failed(error)),
        Err(Unread::Undecodable(reason)) => Err(broken(place, format_args!("sent no readable response: {reason}"))),
    }
}

fn token(body: &[u8], place: &str) -> Result<HeaderValue, Error> {
    match HeaderValue::from_bytes(body.trim_ascii()) {
        Ok(mut token) if !token.is_empty() => {
            token.set_sensitive(true);
            Ok(token)
        }
        _ => Err(broken(place, "did not return a token")),
    }
}

fn credentials(body: &[u8], place: &str, now: Timestamp) -> Result<Credentials, Error> {
    // The parser's message could contain a value.
    let Temporary { credential } = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        broken(place, format_args!("did not return a security key: line {line}, column {column}"))
    })?;
    let Key { access, secret, securitytoken, expires_at } = credential;
    let visible = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if ![&access, secret.expose(), securitytoken.expose()].into_iter().all(visible) {
        return Err(broken(place, "returned a key that is empty or has an invalid character"));
    }
    let expires_at: Timestamp =
        expires_at.parse().map_err(|_| broken(place, "returned an `expires_at` that is not a time"))?;
    if expires_at <= now {
        return Err(broken(place, format_args!("returned keys that expired at {expires_at}; it is {now} now")));
    }
    Ok(Credentials::temporary(access, secret, securitytoken, Some(expires_at)))
}

/// Returns the default client. It is cached, because creating one loads certificates.
fn client() -> Result<Client, Error> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = Client::builder()
        .tls_backend_preconfigured(Tls::default().config(false)?)
        // The address is local to each machine; a proxy would return the keys of its own machine.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .read_timeout(PATIENCE)
        .timeout(WHOLE)
        // A connection must not outlive its runtime.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| Error::configuration("the HTTP client cannot be set up").with_source(error))?;
    Ok(CLIENT.get_or_init(|| client).clone())
}
