//! How a request says who sends it.

use std::fmt;

use http::HeaderValue;
use reqwest::Request;

use super::clock::Clock;
use super::secret::Secret;
use super::tokens::Tokens;
use crate::error::Error;

/// One way of authenticating.
pub(super) enum Auth {
    /// A token that was given and is used as it is.
    Token { token: Secret, header: HeaderValue },
    /// Tokens that the identity service gives for a password.
    Password(Tokens),
    /// Nobody: for signing in.
    Nobody,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token { token: _, header: _ } => "Token(***)",
            Self::Password(_) => "Password(***)",
            Self::Nobody => "Nobody",
        })
    }
}

impl Auth {
    pub(super) fn token(token: Secret) -> Result<Self, Error> {
        Ok(Self::Token { header: token_header(&token)?, token })
    }

    /// Puts the proof onto a request; gives the secret that must not come back in what is shown.
    pub(super) async fn apply(&self, request: &mut Request, clock: &dyn Clock) -> Result<Secret, Error> {
        let (token, header) = match self {
            Self::Token { token, header } => (token.clone(), header.clone()),
            Self::Password(tokens) => {
                let token = tokens.token(clock).await?;
                let header = token_header(&token)?;
                (token, header)
            }
            Self::Nobody => return Err(Error::configuration("this session can only sign in")),
        };
        request.headers_mut().insert("x-auth-token", header);
        Ok(token)
    }

    /// Drops a token that the service calls expired; whether there will be another one.
    pub(super) fn forget(&self, token: &Secret) -> bool {
        match self {
            Self::Password(tokens) => {
                tokens.forget(token);
                true
            }
            Self::Token { .. } | Self::Nobody => false,
        }
    }
}

fn token_header(token: &Secret) -> Result<HeaderValue, Error> {
    let mut header = HeaderValue::from_str(token.expose())
        .map_err(|_| Error::configuration("the token holds characters that cannot be in a header"))?;
    if header.is_empty() {
        return Err(Error::configuration("the token is empty"));
    }
    header.set_sensitive(true);
    Ok(header)
}
