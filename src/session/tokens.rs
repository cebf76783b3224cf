//! Gets, caches and renews tokens for a user and password. Concurrent callers share one login.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::api::iam::{self, operations, types};
use crate::api::{exchange, wire};
use crate::clock::Clock;
use crate::error::Error;
use crate::secret::Secret;

/// A token is not used in the last minutes before it expires: the service's clock may be ahead.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// The documented lifetime of a token, for responses that do not state it.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The login of a user, and the project of the token.
#[derive(Clone, Debug)]
pub(super) struct SignIn {
    pub(super) account: String,
    pub(super) user: String,
    pub(super) password: Secret,
    /// The project, or `None` for the whole domain.
    pub(super) project: Option<Project>,
}

/// The project of a token.
#[derive(Clone, Debug)]
pub(super) enum Project {
    Id(String),
    Name(String),
}

/// The tokens of one user for one project.
pub(super) struct Tokens {
    iam: iam::Client,
    request: types::CreateTokenRequest,
    known: Mutex<Option<Known>>,
    /// Held during a login.
    fetching: tokio::sync::Mutex<()>,
    /// Counts fetches that failed. A call that waited for one of them returns its failure and does not try the password
    /// again.
    failures: AtomicU64,
    last_failure: Mutex<Option<Error>>,
}

struct Known {
    token: Secret,
    renew_at: SystemTime,
    /// When it was fetched. An identity service may return the same token twice.
    since: Instant,
}

impl Tokens {
    pub(super) fn new(iam: iam::Client, sign_in: SignIn) -> Self {
        let SignIn { account, user, password, project } = sign_in;
        let scope = match project {
            Some(Project::Id(id)) => in_project(Some(id), None),
            Some(Project::Name(name)) => in_project(None, Some(name)),
            None => {
                let domain = types::ScopeDomain { id: None, name: Some(account.clone()) };
                types::Scope { domain: Some(domain), project: None }
            }
        };
        let request = types::CreateTokenRequest {
            auth: types::Authentication {
                identity: types::Identity {
                    methods: vec![types::AuthenticationMethod::Password],
                    password: types::PasswordCredential {
                        user: types::UserCredential {
                            domain: types::UserDomain { name: account },
                            name: user,
                            password,
                        },
                    },
                },
                scope: Some(scope),
            },
        };
        Self::of(iam, request)
    }

    /// The tokens of the same user for another project.
    pub(super) fn for_project(&self, project_id: &str) -> Self {
        let mut request = self.request.clone();
        request.auth.scope = Some(in_project(Some(project_id.to_owned()), None));
        Self::of(self.iam.clone(), request)
    }

    fn of(iam: iam::Client, request: types::CreateTokenRequest) -> Self {
        Self {
            iam,
            request,
            known: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
            failures: AtomicU64::default(),
            last_failure: Mutex::default(),
        }
    }

    /// Returns a token that does not expire soon.
    pub(super) async fn token(&self, clock: &dyn Clock) -> Result<Secret, Error> {
        match self.fresh(clock) {
            Some(token) => Ok(token),
            None => self.renewed(clock).await,
        }
    }

    /// Boxed because the login is itself a call of this session.
    fn renewed<'a>(&'a self, clock: &'a dyn Clock) -> Pin<Box<dyn Future<Output = Result<Secret, Error>> + Send + 'a>> {
        Box::pin(self.renew(clock))
    }

    async fn renew(&self, clock: &dyn Clock) -> Result<Secret, Error> {
        let seen = self.failures.load(Ordering::Acquire);
        let _fetching = self.fetching.lock().await;
        // Another call may have fetched it, or failed to, in the meantime.
        if let Some(token) = self.fresh(clock) {
            return Ok(token);
        }
        if self.failures.load(Ordering::Acquire) != seen
            && let Some(failure) = lock(&self.last_failure).clone()
        {
            return Err(failure);
        }
        match self.sign_in(clock).await {
            Ok(known) => {
                let token = known.token.clone();
                *lock(&self.known) = Some(known);
                Ok(token)
            }
            Err(error) => {
                *lock(&self.last_failure) = Some(error.clone());
                self.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }

    /// Drops the token that authenticated a request at this time, unless it was replaced since then: all requests that
    /// were rejected with the old token share the new one.
    pub(super) fn forget(&self, token: &Secret, authenticated: Instant) {
        lock(&self.known).take_if(|known| known.token == *token && known.since <= authenticated);
    }

    fn fresh(&self, clock: &dyn Clock) -> Option<Secret> {
        let known = lock(&self.known);
        known.as_ref().filter(|known| clock.now() < known.renew_at).map(|known| known.token.clone())
    }

    async fn sign_in(&self, clock: &dyn Clock) -> Result<Known, Error> {
        let request = self.iam.create_token().body(self.request.clone());
        let response = exchange(&operations::CREATE_TOKEN, request.send()).await?;
        let token = response.headers().get("x-subject-token").and_then(|token| token.to_str().ok());
        let token = token.filter(|token| !token.trim().is_empty()).map(Secret::from);
        let token = token.ok_or_else(|| {
            Error::decode("X-Subject-Token".to_owned(), "the response has no token in its header".to_owned(), b"")
                .with_operation(operations::CREATE_TOKEN.id)
        })?;
        let now = clock.now();
        let expires_at = response.token.expires_at.as_deref().and_then(wire::time).unwrap_or(now + LIFETIME);
        Ok(Known { token, renew_at: expires_at.checked_sub(MARGIN).unwrap_or(now), since: Instant::now() })
    }
}

fn in_project(id: Option<String>, name: Option<String>) -> types::Scope {
    types::Scope { domain: None, project: Some(types::ScopeProject { id, name }) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The guarded value is always replaced as a whole, so a poisoned lock is still valid.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
