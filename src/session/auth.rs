//! Authenticates the requests of a session.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, UNIX_EPOCH};

use http::{HeaderName, HeaderValue};
use reqwest::Request;

use super::credentials::{Chain, Context, Credentials, Found};
use super::signing::{self, Date, Signer, is_plain_path, wire_path, wire_query};
use super::tokens::Tokens;
use crate::api::wire::ProjectId;
use crate::clock::Clock;
use crate::error::Error;
use crate::secret::Secret;
use crate::transport::Authenticate;
#[cfg(feature = "contract")]
use crate::transport::{self, Transport};

/// A method of authentication.
pub(super) enum Auth {
    /// A given token, used unchanged.
    Token { token: Secret, header: HeaderValue },
    /// Tokens that the identity service returns for a password.
    Password(Box<Tokens>),
    /// A signature with an access key.
    Signature(SigningKey),
    /// A signature with temporary keys, which are renewed before they expire.
    Keys(Box<Keys>),
    /// None: for signing in.
    Nobody,
}

/// An access key and the scope of its signatures.
#[derive(Clone, Debug)]
pub(super) struct SigningKey {
    access_key: String,
    secret_key: Secret,
    /// The security token of temporary keys.
    security_token: Option<Secret>,
}

/// What a signature is valid for; it is signed too.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// A project, by its id.
    Project(String),
    /// The domain, by its id: for services that belong to no project.
    Domain(String),
}

impl Scope {
    fn header(&self) -> (&'static str, &str) {
        match self {
            Self::Project(id) => ("x-project-id", id),
            Self::Domain(id) => ("x-domain-id", id),
        }
    }
}

/// Keys that expire, with the chain that renews them.
pub(super) struct Keys {
    chain: Chain,
    context: Context,
    current: Mutex<Found>,
    /// Held while a call renews the keys. Other calls use the old keys, or wait if those have expired.
    looking: tokio::sync::Mutex<()>,
}

impl Keys {
    pub(super) fn new(chain: Chain, context: Context, found: Found) -> Self {
        Self { chain, context, current: Mutex::new(found), looking: tokio::sync::Mutex::default() }
    }

    /// Returns valid keys, renewed if they expire soon.
    async fn current(&self) -> Result<Credentials, Error> {
        let known = self.known(|found| !found.needs_refresh(self.context.now()));
        match known {
            Some(credentials) => Ok(credentials),
            None => Box::pin(self.renewed()).await,
        }
    }

    /// Returns the keys if they fulfil a condition.
    fn known(&self, fit: impl FnOnce(&Found) -> bool) -> Option<Credentials> {
        let found = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        fit(&found).then(|| found.credentials.clone())
    }

    async fn renewed(&self) -> Result<Credentials, Error> {
        let alive = || self.known(|found| !found.is_expired(self.context.now()));
        let _looking = match self.looking.try_lock() {
            Ok(guard) => guard,
            Err(_) => match alive() {
                Some(credentials) => return Ok(credentials),
                None => self.looking.lock().await,
            },
        };
        // Another call may have renewed them in the meantime.
        if let Some(credentials) = self.known(|found| !found.needs_refresh(self.context.now())) {
            return Ok(credentials);
        }
        match self.chain.resolve(&self.context).await {
            Ok(next) => {
                let credentials = next.credentials.clone();
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = next;
                Ok(credentials)
            }
            Err(error) => match alive() {
                // The old keys are still valid; the next call tries again.
                Some(credentials) => {
                    tracing::warn!(%error, "temporary keys could not be renewed yet");
                    Ok(credentials)
                }
                None => Err(error),
            },
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token { token: _, header: _ } => "Token(***)",
            Self::Password(_) => "Password(***)",
            Self::Signature(_) => "Signature(***)",
            Self::Keys(_) => "Keys(***)",
            Self::Nobody => "Nobody",
        })
    }
}

impl Auth {
    pub(super) fn token(token: Secret) -> Result<Self, Error> {
        Ok(Self::Token { header: token_header(&token)?, token })
    }

    /// Validates a key pair before it signs a request.
    pub(super) fn signature(credentials: &Credentials) -> Result<Self, Error> {
        SigningKey::new(credentials).map(Self::Signature)
    }

    /// The same way of authenticating for another project; `None` where it is for all projects.
    pub(super) fn for_project(&self, project_id: &ProjectId) -> Option<Self> {
        match self {
            Self::Password(tokens) => Some(Self::Password(tokens.for_project(project_id.as_str()).into())),
            Self::Token { .. } | Self::Signature(_) | Self::Keys(_) | Self::Nobody => None,
        }
    }

    /// Authenticates a request, and returns the token that it goes with. Only a signature needs the scope: a token has its
    /// own.
    async fn apply(
        &self,
        request: &mut Request,
        scope: Option<&Scope>,
        clock: &dyn Clock,
    ) -> Result<Option<Secret>, Error> {
        let (token, header) = match self {
            Self::Token { token, header } => (token.clone(), header.clone()),
            Self::Password(tokens) => {
                let token = tokens.token(clock).await?;
                let header = token_header(&token)?;
                (token, header)
            }
            Self::Signature(key) => {
                key.sign(request, scope, clock)?;
                return Ok(key.security_token.clone());
            }
            Self::Keys(keys) => {
                let key = SigningKey::new(&keys.current().await?)?;
                key.sign(request, scope, clock)?;
                return Ok(key.security_token);
            }
            Self::Nobody => return Err(Error::configuration("this session can only sign in")),
        };
        request.headers_mut().insert("x-auth-token", header);
        Ok(Some(token))
    }

    #[cfg(feature = "raw")]
    fn preview(&self, request: &mut Request, scope: Option<&Scope>, clock: &dyn Clock) -> Result<(), Error> {
        let header = match self {
            Self::Token { header, .. } => header.clone(),
            Self::Password(_) => token_header(&"to be fetched".into())?,
            Self::Signature(key) => return key.sign(request, scope, clock),
            Self::Keys(keys) => {
                let found = keys.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
                return SigningKey::new(&found.credentials)?.sign(request, scope, clock);
            }
            Self::Nobody => return Err(Error::configuration("this session can only sign in")),
        };
        request.headers_mut().insert("x-auth-token", header);
        Ok(())
    }

    fn forget(&self, token: &Secret, authenticated: Instant) -> bool {
        match self {
            Self::Password(tokens) => {
                tokens.forget(token, authenticated);
                true
            }
            Self::Token { .. } | Self::Signature(_) | Self::Keys(_) | Self::Nobody => false,
        }
    }
}

/// Credentials together with the scope of their signatures.
#[derive(Clone, Debug)]
pub(super) struct Scoped {
    pub(super) auth: Arc<Auth>,
    pub(super) scope: Option<Scope>,
}

impl Authenticate for Scoped {
    fn authenticate<'a>(
        &'a self,
        request: &'a mut Request,
        clock: &'a dyn Clock,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Secret>, Error>> + Send + 'a>> {
        Box::pin(self.auth.apply(request, self.scope.as_ref(), clock))
    }

    #[cfg(feature = "raw")]
    fn preview(&self, request: &mut Request, clock: &dyn Clock) -> Result<(), Error> {
        self.auth.preview(request, self.scope.as_ref(), clock)
    }

    fn forget(&self, token: &Secret, authenticated: Instant) -> bool {
        self.auth.forget(token, authenticated)
    }
}

/// Signs with another key and another clock, for requests that a service must reject.
#[cfg(feature = "contract")]
pub(crate) fn stranger(credentials: &Credentials, clock: Arc<dyn Clock>) -> Result<Transport, Error> {
    Ok(Transport::new(transport::Inner {
        auth: Arc::new(Scoped { auth: Auth::signature(credentials)?.into(), scope: None }),
        route: transport::Route::default(),
        retry: transport::RetryPolicy::default(),
        budget: transport::Budget::default(),
        clock,
        connect_timeout: std::time::Duration::from_secs(5),
        timeout: std::time::Duration::from_secs(60),
        recorder: None,
    }))
}

impl SigningKey {
    fn new(credentials: &Credentials) -> Result<Self, Error> {
        let Credentials::AccessKey { access_key, secret_key, security_token, expires_at: _ } = credentials else {
            return Err(Error::configuration("these credentials are not a key pair"));
        };
        let refused =
            |what: &str| Err(Error::configuration(format!("the {what} is empty or holds characters that no key has")));
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        match () {
            () if !plain(access_key) => refused("access key"),
            () if secret_key.expose().trim().is_empty() => refused("secret key"),
            () if security_token.as_ref().is_some_and(|token| !plain(token.expose())) => refused("security token"),
            () => Ok(Self {
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
                security_token: security_token.clone(),
            }),
        }
    }

    fn sign(&self, request: &mut Request, scope: Option<&Scope>, clock: &dyn Clock) -> Result<(), Error> {
        let unsigned =
            |error: &dyn fmt::Display| Error::invalid_request(format!("the request cannot be signed: {error}"));
        let since = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let date = Date::from_unix_seconds(seconds).map_err(|error| unsigned(&error))?;

        // The signed form is the sent form, and all gateways parse it in the same way.
        let url = request.url_mut();
        if !is_plain_path(url.path()) {
            let path = wire_path(url.path());
            url.set_path(&path);
        }
        if url.query().is_some() {
            let query = wire_query(url.query_pairs());
            url.set_query((!query.is_empty()).then_some(&query));
        }
        // The HTTP client has removed the user and the default port from the address.
        let host = url.authority().to_owned();

        let mut headers = Vec::with_capacity(4);
        headers.extend([("host", host.as_str()), ("x-sdk-date", date.as_str())]);
        headers.extend(scope.map(Scope::header));
        headers.extend(self.security_token.as_ref().map(|token| ("x-security-token", token.expose())));
        let signed = Signer::new(&self.access_key, &self.secret_key)
            .sign(
                &signing::Request {
                    method: request.method().as_str(),
                    path: request.url().path(),
                    query: request.url().query().unwrap_or_default(),
                    headers: &headers,
                    body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default(),
                },
                &date,
            )
            .map_err(|error| unsigned(&error))?;

        // The HTTP client itself sends the host, in the same form.
        for (name, value) in headers.iter().skip(1).copied().chain([("authorization", signed.authorization())]) {
            let mut value = HeaderValue::from_str(value).map_err(|error| unsigned(&error))?;
            value.set_sensitive(matches!(name, "authorization" | "x-security-token"));
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        Ok(())
    }
}

fn token_header(token: &Secret) -> Result<HeaderValue, Error> {
    let mut header = HeaderValue::from_str(token.expose())
        .map_err(|_| Error::configuration("the token holds characters that cannot be in a header"))?;
    if token.expose().trim().is_empty() {
        return Err(Error::blank("token"));
    }
    header.set_sensitive(true);
    Ok(header)
}
