//! The chain of credential providers.

use std::fmt;
use std::sync::Arc;

use super::{Context, Environment, Found, Metadata, ModelArtsConfig, Outcome, Profile, Provider, environment};
use crate::error::Error;

/// Credential providers in the order of the search.
///
/// The default is [`Environment`], [`Profile`], [`ModelArtsConfig`], [`Metadata`].
///
/// ```
/// use huaweicloud_jobs::session::credentials::{Chain, Environment, Profile};
///
/// let chain = Chain::first_try(Environment).or_else(Profile);
/// assert_eq!(format!("{chain:?}"), r#"Chain(["environment", "profile file"])"#);
/// ```
#[derive(Clone)]
#[must_use = "no provider is asked before `resolve`"]
pub struct Chain(Vec<Arc<dyn Provider>>);

impl Chain {
    /// Returns a chain with this provider first.
    pub fn first_try(provider: impl Provider + 'static) -> Self {
        Self(vec![Arc::new(provider)])
    }

    /// Adds a provider, which is used if all earlier ones are absent.
    pub fn or_else(mut self, provider: impl Provider + 'static) -> Self {
        self.0.push(Arc::new(provider));
        self
    }

    /// Returns the credentials of the first provider that has some, with the settings of the environment applied.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration): a provider is broken, or all are absent; then the message
    /// lists each one with its reason.
    pub async fn resolve(&self, context: &Context) -> Result<Found, Error> {
        let mut tried = Vec::new();
        for provider in &self.0 {
            match provider.provide(context).await? {
                Outcome::Found(found) => {
                    let mut found = found;
                    found.settings = environment::around(found.settings, context)?;
                    let expires_at = found.expires_at().map(|at| at.to_string());
                    tracing::debug!(source = %found.source, expires_at, "credentials found");
                    return Ok(found);
                }
                Outcome::Absent(reason) => tried.push(format!("{}: {reason}", provider.name())),
            }
        }
        if tried.is_empty() {
            tried.push("nothing was tried".to_owned());
        }
        Err(Error::no_credentials(&tried.join("; ")))
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::first_try(Environment).or_else(Profile).or_else(ModelArtsConfig).or_else(Metadata)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|provider| provider.name()).collect();
        f.debug_tuple("Chain").field(&names).finish()
    }
}
