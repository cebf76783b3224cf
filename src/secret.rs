//! Secrets that cannot be printed.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use hmac::{Hmac, KeyInit};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

/// A token, a key or a password. `Debug` prints `Secret(***)`.
///
/// ```
/// let secret = huaweicloud_jobs::session::Secret::from("not-a-real-token");
/// assert_eq!(format!("{secret:?}"), "Secret(***)");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    text: SecretString,
    /// Both the text and this are overwritten when the last clone is dropped.
    hmac: OnceLock<Hmac<Sha256>>,
}

impl Secret {
    /// Returns the secret, for the code that sends it.
    pub(crate) fn expose(&self) -> &str {
        self.0.text.expose_secret()
    }

    /// Returns the HMAC-SHA256 with the text as its key, without any message yet. Hashing the key is a fifth of a signature,
    /// so it is done once.
    pub(crate) fn hmac(&self) -> Hmac<Sha256> {
        let keyed = || Hmac::new_from_slice(self.expose().as_bytes()).expect("HMAC takes keys of any length");
        self.0.hmac.get_or_init(keyed).clone()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Arc::new(Inner { text: text.into(), hmac: OnceLock::new() }))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Serializes the secret for the body of a token request.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

/// Compares two secrets in constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = (self.expose().as_bytes(), other.expose().as_bytes());
        left.len() == right.len() && left.iter().zip(right).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
