//! Credentials, and the places where they are looked for.
//!
//! A [`Chain`] asks its [`Provider`]s in order. A provider without credentials is *absent*, and the next one is asked. A
//! provider with malformed ones (half of a key pair, a file that cannot be read, a response without sense) is *broken*, and
//! the search stops with an error that names the variable or the file and line. So a session never uses other credentials
//! than the ones you meant. Credentials that you give to a session yourself are not looked for.
//!
//! ```
//! use huaweicloud_jobs::session::credentials::{Chain, Context, Credentials};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let context = Context::empty().variables([("HUAWEICLOUD_SDK_AK", "EXAMPLEKEY"), ("HUAWEICLOUD_SDK_SK", "not-a-key")]);
//! let found = Chain::default().resolve(&context).await?;
//! assert!(matches!(&found.credentials, Credentials::AccessKey { access_key, .. } if access_key == "EXAMPLEKEY"));
//! assert_eq!(found.source.to_string(), "environment (HUAWEICLOUD_SDK_AK)");
//! # Ok::<(), huaweicloud_jobs::Error>(()) }).unwrap();
//! ```
//!
//! `docs/credentials.md` has the variables and the files, with examples.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::secret::Secret;

mod chain;
mod context;
mod environment;
mod given;
mod metadata;
mod modelarts_config;
mod profile;
mod settings;

pub use chain::Chain;
pub use context::Context;
pub use environment::Environment;
pub use metadata::Metadata;
pub use modelarts_config::ModelArtsConfig;
pub use profile::Profile;
pub use settings::{Service, Settings};
pub(super) use settings::{base, endpoint};

/// Temporary keys with less remaining time are refreshed.
const REFRESH_BEFORE: SignedDuration = SignedDuration::from_mins(40);

/// How a caller authenticates.
///
/// `Debug` shows names and times, but no secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Credentials {
    /// A key pair: requests are signed with it.
    #[non_exhaustive]
    AccessKey {
        /// The AK, which every signed request contains.
        access_key: String,
        /// The SK.
        secret_key: Secret,
        /// The security token of temporary keys.
        security_token: Option<Secret>,
        /// The expiry of temporary keys, if it is known.
        expires_at: Option<Timestamp>,
    },
    /// A login, for which the identity service returns a token.
    #[non_exhaustive]
    Password {
        /// The domain.
        account: String,
        /// The IAM user, or the account's name if the account itself logs in.
        user: String,
        /// The password of the user.
        password: Secret,
    },
    /// A token of the identity service, used unchanged.
    Token(Secret),
}

impl Credentials {
    /// Returns a permanent key pair.
    pub fn access_key(access_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        Self::AccessKey {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: None,
            expires_at: None,
        }
    }

    /// Returns a temporary key pair with its security token.
    pub fn temporary(
        access_key: impl Into<String>,
        secret_key: impl Into<Secret>,
        security_token: impl Into<Secret>,
        expires_at: Option<Timestamp>,
    ) -> Self {
        Self::AccessKey {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: Some(security_token.into()),
            expires_at,
        }
    }

    /// Returns the login of an IAM user, or of the account itself without a `user`.
    pub fn password(account: impl Into<String>, user: Option<String>, password: impl Into<Secret>) -> Self {
        let account = account.into();
        let user = user.unwrap_or_else(|| account.clone());
        Self::Password { account, user, password: password.into() }
    }

    /// A token of the identity service, which is used as it is and not renewed.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self::Token(token.into())
    }

    /// When the credentials expire, if that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::AccessKey { expires_at, .. } => *expires_at,
            Self::Password { .. } | Self::Token(_) => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All fields are named, so that a new one is not forgotten here. `Secret` redacts itself.
        match self {
            Self::AccessKey { access_key, secret_key, security_token, expires_at } => f
                .debug_struct("AccessKey")
                .field("access_key", access_key)
                .field("secret_key", secret_key)
                .field("security_token", security_token)
                .field("expires_at", &expires_at.map(|at| at.to_string()))
                .finish(),
            Self::Password { account, user, password } => f
                .debug_struct("Password")
                .field("account", account)
                .field("user", user)
                .field("password", password)
                .finish(),
            Self::Token(token) => f.debug_tuple("Token").field(token).finish(),
        }
    }
}

/// The source of credentials. `Display` prints for example `profile file (/home/me/.huaweicloud/credentials, line 1:
/// [basic])`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The [name](Provider::name) of the provider.
    pub provider: &'static str,
    /// The variable, the file with line and section, or the address.
    pub place: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, place } = self;
        write!(f, "{provider} ({place})")
    }
}

/// Credentials with the settings of their source.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The credentials.
    pub credentials: Credentials,
    /// Project, region and endpoints, if the source has them.
    pub settings: Settings,
    /// The source of the credentials.
    pub source: Source,
}

impl Found {
    /// Returns credentials of a place without settings, for providers.
    pub fn new(credentials: Credentials, provider: &'static str, place: impl Into<String>) -> Self {
        Self { credentials, settings: Settings::default(), source: Source { provider, place: place.into() } }
    }

    /// Returns the expiry of the credentials, if it is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.credentials.expires_at()
    }

    /// Returns whether the credentials have expired.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// Returns whether the credentials should be refreshed: they expire within 40 minutes.
    pub fn needs_refresh(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at.duration_since(now) < REFRESH_BEFORE)
    }
}

/// What a [`Provider`] returns unless it is broken.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once a search, and taken apart at once")]
pub enum Outcome {
    /// The credentials.
    Found(Found),
    /// There are none, for this reason: the next provider is asked.
    Absent(String),
}

/// The future of [`Provider::provide`].
pub type Providing<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Error>> + Send + 'a>>;

/// A source of credentials.
///
/// An *absent* source ([`Outcome::Absent`]) continues the search, a *broken* one (an [`Error`]) stops it. An error
/// names the variable, or the file and line, and never contains a value.
///
/// ```
/// use huaweicloud_jobs::session::credentials::{Chain, Context, Credentials, Found, Outcome, Provider, Providing};
///
/// struct Vault;
///
/// impl Provider for Vault {
///     fn name(&self) -> &'static str {
///         "vault"
///     }
///
///     fn provide<'a>(&'a self, _context: &'a Context) -> Providing<'a> {
///         Box::pin(async {
///             let credentials = Credentials::access_key("EXAMPLEKEY", "not-a-key");
///             Ok(Outcome::Found(Found::new(credentials, self.name(), "a drawer")))
///         })
///     }
/// }
///
/// let chain = Chain::first_try(Vault);
/// ```
pub trait Provider: Send + Sync {
    /// Returns the name of the provider in errors and in [`Source`].
    fn name(&self) -> &'static str;

    /// Finds credentials.
    fn provide<'a>(&'a self, context: &'a Context) -> Providing<'a>;
}

/// The error of a broken provider.
fn broken(place: impl fmt::Display, reason: impl fmt::Display) -> Error {
    Error::configuration(format!("{place} {reason}"))
}
