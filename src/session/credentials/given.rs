//! The unvalidated values of a source, and the common validation for variables and files.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Credentials, Found, Settings, Source, broken, settings};
use crate::cloud::Cloud;
use crate::error::Error;

/// The meaning of a value. The names are those of the profile file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    AccessKey,
    SecretKey,
    SecurityToken,
    ExpiresAt,
    Domain,
    User,
    Password,
    Token,
    ProjectId,
    ProjectName,
    DomainId,
    Cloud,
    Region,
    Endpoint,
    ModelArtsEndpoint,
    MrsEndpoint,
    IamEndpoint,
}

struct Value {
    text: String,
    /// The place of the value: a variable, or a file with line and key.
    at: String,
}

/// The names of the keys in a source.
pub(super) type Names = [(Field, &'static str)];

/// The values of one source.
pub(super) struct Given {
    values: BTreeMap<Field, Value>,
    names: &'static Names,
}

impl Given {
    pub(super) fn new(names: &'static Names) -> Self {
        Self { values: BTreeMap::new(), names }
    }

    /// Adds a value; an empty one is the same as none.
    pub(super) fn add(&mut self, key: Field, text: impl Into<String>, at: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.values.insert(key, Value { text, at: at.into() });
        }
    }

    /// Ignores a login beside a key pair, so that programs that sign and programs that log in can share variables.
    pub(super) fn keys_before_login(mut self) -> Self {
        if self.values.contains_key(&Field::AccessKey) {
            self.values.retain(|key, _| !matches!(key, Field::Domain | Field::User | Field::Password));
        }
        self
    }

    /// Returns the credentials and settings of the values, if there are credentials.
    pub(super) fn found(
        &self,
        provider: &'static str,
        place: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Found>, Error> {
        let kinds = [self.access_key(now)?, self.password()?, self.token()?];
        let mut kinds = kinds.into_iter().flatten();
        let Some((credentials, key)) = kinds.next() else { return Ok(None) };
        if let Some((_, second)) = kinds.next() {
            let (first, second) = (self.at(key), self.at(second));
            return Err(broken(first, format_args!("and {second} are both given: keep one kind of credentials")));
        }
        let place = place.unwrap_or_else(|| self.at(key).to_owned());
        Ok(Some(Found { credentials, settings: self.settings()?, source: Source { provider, place } }))
    }

    /// Returns the key pair, which must be complete.
    fn access_key(&self, now: Timestamp) -> Result<Option<(Credentials, Field)>, Error> {
        let (access_key, secret_key) = (self.visible(Field::AccessKey)?, self.visible(Field::SecretKey)?);
        let security_token = self.visible(Field::SecurityToken)?;
        let expires_at = self.visible(Field::ExpiresAt)?;
        let (access_key, secret_key) = match (access_key, secret_key) {
            (Some(access_key), Some(secret_key)) => (access_key, secret_key),
            (Some(_), None) => return Err(self.half(Field::AccessKey, Field::SecretKey)),
            (None, Some(_)) => return Err(self.half(Field::SecretKey, Field::AccessKey)),
            (None, None) if security_token.is_some() => return Err(self.half(Field::SecurityToken, Field::AccessKey)),
            (None, None) => return Ok(None),
        };
        let expires_at = match expires_at {
            None => None,
            Some(text) => {
                let at: Timestamp = text
                    .parse()
                    .map_err(|_| broken(self.at(Field::ExpiresAt), "is not a time such as 2030-01-01T00:00:00Z"))?;
                if at <= now {
                    return Err(broken(
                        self.at(Field::ExpiresAt),
                        format_args!("says that the keys ended at {at}; now it is {now}"),
                    ));
                }
                Some(at)
            }
        };
        let credentials = Credentials::AccessKey {
            access_key: access_key.to_owned(),
            secret_key: secret_key.into(),
            security_token: security_token.map(Into::into),
            expires_at,
        };
        Ok(Some((credentials, Field::AccessKey)))
    }

    /// Returns the login of an IAM user, or of an account, which is both user and domain.
    fn password(&self) -> Result<Option<(Credentials, Field)>, Error> {
        let (domain, user) = (self.text(Field::Domain), self.text(Field::User));
        let Some(password) = self.text(Field::Password) else {
            return match (user, domain) {
                (Some(_), _) => Err(self.half(Field::User, Field::Password)),
                (None, Some(_)) => Err(self.half(Field::Domain, Field::Password)),
                (None, None) => Ok(None),
            };
        };
        let account = domain.or(user).ok_or_else(|| self.half(Field::Password, Field::User))?;
        Ok(Some((Credentials::password(account, user.map(str::to_owned), password), Field::Password)))
    }

    fn token(&self) -> Result<Option<(Credentials, Field)>, Error> {
        Ok(self.visible(Field::Token)?.map(|token| (Credentials::Token(token.into()), Field::Token)))
    }

    pub(super) fn settings(&self) -> Result<Settings, Error> {
        let owned = |key| Ok::<_, Error>(self.visible(key)?.map(str::to_owned));
        let endpoint = |key| match self.values.get(&key) {
            Some(Value { text, at }) => settings::endpoint(text).map(Some).map_err(|reason| broken(at, reason)),
            None => Ok(None),
        };
        Ok(Settings {
            project_id: owned(Field::ProjectId)?,
            project_name: self.text(Field::ProjectName).map(str::to_owned),
            domain_id: owned(Field::DomainId)?,
            cloud: self.cloud()?,
            region: owned(Field::Region)?,
            endpoint: endpoint(Field::Endpoint)?,
            modelarts_endpoint: endpoint(Field::ModelArtsEndpoint)?,
            mrs_endpoint: endpoint(Field::MrsEndpoint)?,
            iam_endpoint: endpoint(Field::IamEndpoint)?,
            region_endpoints: BTreeMap::new(),
        })
    }

    fn cloud(&self) -> Result<Option<String>, Error> {
        let Some(name) = self.visible(Field::Cloud)? else { return Ok(None) };
        let cloud: Cloud =
            name.parse().map_err(|reason| broken(self.at(Field::Cloud), format_args!("names none: {reason}")))?;
        Ok(Some(cloud.into()))
    }

    fn text(&self, key: Field) -> Option<&str> {
        self.values.get(&key).map(|value| value.text.as_str())
    }

    /// Validates a value for headers or addresses: keys, tokens, ids.
    fn visible(&self, key: Field) -> Result<Option<&str>, Error> {
        let Some(Value { text, at }) = self.values.get(&key) else { return Ok(None) };
        if text.contains(char::is_whitespace) {
            return Err(broken(at, "holds white space; a comment needs a line of its own"));
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(broken(at, "holds a character that it cannot have: copy it again"));
        }
        if text.starts_with(['"', '\'']) {
            return Err(broken(at, "begins with a quotation mark, which would be part of it"));
        }
        Ok(Some(text))
    }

    /// Returns the place of a value.
    fn at(&self, key: Field) -> &str {
        self.values.get(&key).map_or("", |value| &value.at)
    }

    fn half(&self, given: Field, missing: Field) -> Error {
        let name = self.names.iter().find(|(key, _)| *key == missing).map_or("its other half", |(_, name)| name);
        broken(self.at(given), format_args!("is given, but {name} is not"))
    }
}
