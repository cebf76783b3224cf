//! Authentication: domains with their users, keys and projects, tokens, and signatures.

use std::collections::HashMap;
use std::time::SystemTime;

use http::request::Parts;
use http::{HeaderMap, header};
use parking_lot::Mutex;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::response::Rejection;
use super::store::{Store, Transaction, next_id};
use crate::error::Error;
use crate::secret::Secret;
use crate::session::signing::{self, Authorization, Date, Request};

mod difference;

/// The documented lifetime of a token, 24 hours, in milliseconds.
const TOKEN_LIFE: i64 = 24 * 60 * 60 * 1000;
/// The largest difference between the date of a signature and the real time, in seconds.
const DATE_TOLERANCE: u64 = 15 * 60;
/// The number of failures in a row that lock a key.
const FAILURES: u32 = 5;
/// The duration of a key's lock, in milliseconds.
const LOCK: i64 = 5 * 60 * 1000;

/// The number of recent tokens that are kept in memory, so that authenticating them needs no look into the store.
const LATELY: usize = 1024;

/// A domain: an account with its users and projects.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) projects: Vec<Project>,
    users: Vec<User>,
}

/// A project, which objects belong to.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
}

/// A user, who signs in with a password.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    password: Secret,
}

/// A key pair; a temporary one also has a security token.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
    pub(super) security_token: Option<Secret>,
}

/// The failures of a key in a row, and the time until which it is locked.
#[derive(Default)]
struct Strikes {
    failures: u32,
    locked_until: i64,
}

/// All credentials that the emulator accepts.
///
/// The first domain is that of the builder, which has at least one project, user and key. Its first user owns its keys and
/// the token that never expires, which is for its first project.
pub(super) struct Access {
    domains: Vec<Domain>,
    keys: Vec<Key>,
    token: Secret,
    token_hash: Hash,
    lock_out: bool,
    strikes: Mutex<HashMap<String, Strikes>>,
    /// Recent tokens: most requests carry the token of the request before.
    lately: Mutex<HashMap<Hash, Row>>,
}

/// The SHA-256 of a token.
type Hash = [u8; 32];

/// A token as a row of the store.
#[derive(Clone)]
struct Row {
    user_id: String,
    project_id: Option<String>,
    is_for_account: bool,
    issued: i64,
    expires: i64,
}

/// The authenticated caller of a request.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) domain: &'a Domain,
    pub(super) user: &'a User,
    pub(super) scope: Scope<'a>,
}

/// The scope of a caller's credentials.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// A token for one project.
    Project(&'a Project),
    /// A token for the domain: its services without projects.
    Account,
    /// A token without a scope: it only identifies the user.
    Nothing,
    /// A key: all projects of the domain.
    Key,
}

/// An issued token, and its times in milliseconds since the Unix epoch.
pub(super) struct Token<'a> {
    pub(super) caller: Caller<'a>,
    pub(super) issued: i64,
    pub(super) expires: i64,
}

impl Domain {
    pub(super) fn new(name: &str, projects: Vec<Project>, users: impl IntoIterator<Item = (String, Secret)>) -> Self {
        let users = users.into_iter().map(|(user, password)| User { id: id_of(&[name, &user]), name: user, password });
        Self { id: id_of(&[name]), name: name.to_owned(), projects, users: users.collect() }
    }

    /// The domain of the documents' examples.
    fn documented() -> Self {
        let project = |id: &str, name: &str| Project { id: id.to_owned(), name: name.to_owned() };
        let projects = vec![
            project("06f1cbbaf280106b2f14c00313a9d065", "af-south-1"),
            project("065a7c66da0010992ff7c0031e5a5e7d", "cn-north-1"),
        ];
        let users = [("IAMUser".to_owned(), "IAMPassword".into())];
        Self { id: "d78cbac186b744899480f25bd022f468".to_owned(), ..Self::new("IAMDomain", projects, users) }
    }
}

impl<'a> Caller<'a> {
    /// Returns the project of an address, if this caller has access to it.
    pub(super) fn enter(&self, project: &str, headers: &HeaderMap) -> Option<&'a Project> {
        match self.scope {
            Scope::Project(own) => Some(own).filter(|own| own.id == project),
            Scope::Key => {
                // A header that names the project has to name that of the path.
                let said = headers.get("x-project-id").is_none_or(|said| said.as_bytes() == project.as_bytes());
                self.domain.projects.iter().find(|own| said && own.id == project)
            }
            Scope::Account | Scope::Nothing => None,
        }
    }
}

impl Access {
    /// Validates that no name or key is missing or repeated.
    pub(super) fn new(
        domain: Domain,
        keys: Vec<Key>,
        token: Secret,
        documented: bool,
        lock_out: bool,
    ) -> Result<Self, Error> {
        let wrong = |what: String| Err(Error::configuration(format!("the emulator cannot start: {what}")));
        for (place, project) in domain.projects.iter().enumerate() {
            let (before, name) = (&domain.projects[..place], &project.name);
            if project.id.is_empty() || project.id.contains('/') || name.is_empty() {
                return wrong("a project has no id, no name, or a slash in its id".to_owned());
            }
            if before.iter().any(|other| other.id == project.id || other.name == *name) {
                return wrong(format!("the project {name} is given twice, by name or by id"));
            }
        }
        for (place, user) in domain.users.iter().enumerate() {
            if domain.users[..place].iter().any(|other| other.id == user.id) {
                return wrong(format!("the user {} is given twice", user.name));
            }
        }
        for (place, Key { access_key, .. }) in keys.iter().enumerate() {
            if keys[..place].iter().any(|other| other.access_key == *access_key) {
                return wrong(format!("the access key {access_key} is given twice"));
            }
        }
        let mut domains = vec![domain];
        let mut other = Domain::documented();
        if documented && other.name != domains[0].name {
            other.projects.retain(|project| domains[0].projects.iter().all(|own| own.id != project.id));
            domains.push(other);
        }
        let token_hash = hash(token.expose().as_bytes());
        Ok(Self { domains, keys, token, token_hash, lock_out, strikes: Mutex::default(), lately: Mutex::default() })
    }

    /// Forgets failures of keys and recent tokens, because the tables have been replaced.
    pub(super) fn forget(&self) {
        self.strikes.lock().clear();
        self.lately.lock().clear();
    }

    /// Authenticates the caller by token, otherwise by signature.
    ///
    /// A signature beside a token is ignored, as by the gateway. A token may also be sent as `Authorization: Bearer`.
    pub(super) fn caller(&self, store: &Store, parts: &Parts, body: &[u8], now: i64) -> Result<Caller<'_>, Rejection> {
        let header = |name| parts.headers.get(name).map(|value| value.as_bytes()).filter(|value| !value.is_empty());
        let authorization = header(header::AUTHORIZATION.as_str());
        if let Some(token) = header("x-auth-token").or_else(|| bearer(authorization?)) {
            return self.live_token(store, token, now).map(|token| token.caller);
        }
        match authorization {
            Some(authorization) => self.signed(authorization, parts, body, now),
            None => Err(Rejection::token("x-auth-token not found")),
        }
    }

    /// Finds a token that has not expired.
    pub(super) fn live_token(&self, store: &Store, token: &[u8], now: i64) -> Result<Token<'_>, Rejection> {
        let token = self.find_token(store, token, now)?.ok_or_else(|| Rejection::token("decrypt token fail"))?;
        if token.expires <= now {
            return Err(Rejection::Unauthenticated {
                code: "APIG.0307",
                reason: format!("The token must be updated: token expires, expires_at: {}", timestamp(token.expires)),
            });
        }
        Ok(token)
    }

    fn find_token(&self, store: &Store, token: &[u8], now: i64) -> Result<Option<Token<'_>>, Rejection> {
        let hash = hash(token);
        if hash == self.token_hash {
            let caller = self.first(Scope::Project(self.project()));
            return Ok(Some(Token { caller, issued: now, expires: now + TOKEN_LIFE }));
        }
        let known = || self.lately.lock();
        let lately = known().get(&hash).cloned();
        let row = match lately {
            Some(row) => Some(row),
            None => store.write(|transaction| {
                let row = Row::read(transaction, &hash)?;
                // Inside the transaction, so that a concurrent `forget` leaves no stale token.
                if let Some(row) = &row {
                    let mut known = known();
                    if known.len() == LATELY {
                        known.clear();
                    }
                    known.insert(hash, row.clone());
                }
                Ok::<_, rusqlite::Error>(row)
            })?,
        };
        let found = row.and_then(|Row { user_id, project_id, is_for_account, issued, expires }| {
            let find = |domain: &'_ Domain| domain.users.iter().position(|user| user.id == user_id);
            let (domain, user) = self.domains.iter().find_map(|domain| Some((domain, &domain.users[find(domain)?])))?;
            let scope = match project_id {
                Some(id) => Scope::Project(domain.projects.iter().find(|project| project.id == id)?),
                None if is_for_account => Scope::Account,
                None => Scope::Nothing,
            };
            Some(Token { caller: Caller { domain, user, scope }, issued, expires })
        });
        Ok(found)
    }

    /// Returns the project of the token that never expires.
    pub(super) fn project(&self) -> &Project {
        &self.domains[0].projects[0]
    }

    /// Returns the token that never expires.
    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// Returns the first key pair.
    pub(super) fn key(&self) -> &Key {
        &self.keys[0]
    }

    /// Returns the domain, name and password of the first user.
    pub(super) fn login(&self) -> (&str, &str, &Secret) {
        let Domain { name: account, users, .. } = &self.domains[0];
        (account, &users[0].name, &users[0].password)
    }

    /// Returns the owner of the builder's keys and token.
    fn first<'a>(&'a self, scope: Scope<'a>) -> Caller<'a> {
        let domain = &self.domains[0];
        Caller { domain, user: &domain.users[0], scope }
    }

    /// Returns the domain and the user, if the password is right.
    pub(super) fn sign_in(&self, domain: &str, user: &str, password: &str) -> Option<(&Domain, &User)> {
        let domain = self.domains.iter().find(|known| known.name == domain)?;
        let user = domain.users.iter().find(|known| known.name == user)?;
        (user.password == Secret::from(password)).then_some((domain, user))
    }

    /// Issues a token. The same sequence of calls gets the same tokens.
    pub(super) fn give_token<'a>(
        transaction: &Transaction<'_>,
        caller: Caller<'a>,
        now: i64,
    ) -> rusqlite::Result<(String, Token<'a>)> {
        let text = format!("emulator-token-{}", next_id(transaction)?);
        let token = Token { caller, issued: now, expires: now + TOKEN_LIFE };
        // An expired token is kept for a while, so that its rejection can give the reason.
        transaction.execute("DELETE FROM token WHERE expires < ?1", [now - TOKEN_LIFE])?;
        transaction.prepare_cached("INSERT INTO token VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
            hash(text.as_bytes()),
            caller.user.id,
            match caller.scope {
                Scope::Project(project) => Some(&project.id),
                Scope::Account | Scope::Nothing | Scope::Key => None,
            },
            matches!(caller.scope, Scope::Account),
            token.issued,
            token.expires,
        ])?;
        Ok((text, token))
    }

    /// Authenticates the caller by a signature.
    fn signed(&self, header: &[u8], parts: &Parts, body: &[u8], now: i64) -> Result<Caller<'_>, Rejection> {
        let header = std::str::from_utf8(header)
            .map_err(|_| Rejection::signature("the header `authorization` is malformed: it is not text"))?;
        let authorization =
            Authorization::parse(header).map_err(|rejection| Rejection::signature(&rejection.to_string()))?;
        let access_key = authorization.access_key();
        let key = self.keys.iter().find(|key| key.access_key == access_key).ok_or_else(|| {
            Rejection::signature(&format!("Get secretKey failed,ak:{access_key},err:ak {access_key} not exist"))
        })?;
        if !self.lock_out {
            return self.verified(&authorization, key, parts, body);
        }
        let mut strikes = self.strikes.lock();
        let strikes = strikes.entry(access_key.to_owned()).or_default();
        if now < strikes.locked_until {
            return Err(Rejection::signature("AK access failed to reach the limit,forbidden."));
        }
        let outcome = self.verified(&authorization, key, parts, body);
        strikes.failures = if outcome.is_ok() { 0 } else { strikes.failures + 1 };
        if strikes.failures == FAILURES {
            *strikes = Strikes { failures: 0, locked_until: now + LOCK };
        }
        outcome
    }

    fn verified(
        &self,
        authorization: &Authorization<'_>,
        key: &Key,
        parts: &Parts,
        body: &[u8],
    ) -> Result<Caller<'_>, Rejection> {
        let invalid = |reason: String| Rejection::signature(&format!("verify aksk signature fail, {reason}"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &parts.headers {
            match std::str::from_utf8(value.as_bytes()) {
                Ok(value) => headers.push((name.as_str(), value)),
                // A path or header that is no text cannot be shown in a canonical request.
                Err(_) if authorization.signed_headers().any(|signed| signed == name.as_str()) => {
                    return Err(invalid(format!("the signed header `{name}` is not UTF-8")));
                }
                Err(_) => {}
            }
        }
        let request = Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let date = authorization.verify(&request, &key.secret_key).map_err(|rejection| {
            invalid(match &rejection {
                signing::VerifyError::Mismatch(mismatch) => {
                    let differs = difference::find(authorization, mismatch, &request, &key.secret_key);
                    format!("{differs}, canonicalRequest:{}", difference::echo(mismatch.canonical_request()))
                }
                other => other.to_string(),
            })
        })?;
        let real = Date::try_from(SystemTime::now()).map_err(|_| Rejection::Broken("the clock is wrong".to_owned()))?;
        if date.unix_seconds().abs_diff(real.unix_seconds()) > DATE_TOLERANCE {
            return Err(Rejection::signature(&format!(
                "calc aksk signature fail:signature expired, signature time:{date},server time:{real}"
            )));
        }
        let given = headers.iter().find(|(name, _)| *name == "x-security-token").map(|(_, token)| Secret::from(*token));
        match (&key.security_token, given) {
            (None, None) => {}
            (Some(expected), Some(given)) if *expected == given => {}
            (Some(_), None) => return Err(invalid("a temporary key needs the header `x-security-token`".to_owned())),
            (Some(_), Some(_)) => return Err(invalid("the header `x-security-token` is not the key's".to_owned())),
            (None, Some(_)) => return Err(invalid("a permanent key has no `x-security-token`".to_owned())),
        }
        Ok(self.first(Scope::Key))
    }
}

impl Row {
    fn read(transaction: &Transaction<'_>, hash: &Hash) -> rusqlite::Result<Option<Self>> {
        transaction
            .prepare_cached("SELECT user_id, project_id, is_for_account, issued, expires FROM token WHERE hash = ?1")?
            .query_row([&hash[..]], |row| {
                Ok(Self {
                    user_id: row.get(0)?,
                    project_id: row.get(1)?,
                    is_for_account: row.get(2)?,
                    issued: row.get(3)?,
                    expires: row.get(4)?,
                })
            })
            .optional()
    }
}

/// Returns the token of a header `Authorization` with the scheme `Bearer`.
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(b"Bearer ".len())?;
    Some(token.trim_ascii()).filter(|token| scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty())
}

/// Returns the base address that the client used; `own` where no header names it. The host is valid: a request with another one
/// has been rejected.
pub(super) fn base(headers: &HeaderMap, own: &str) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match text("x-forwarded-proto").map(|protocols| protocols.split(',').next().unwrap_or_default().trim())
    {
        Some("https") => "https",
        _ => "http",
    };
    match text("host") {
        Some(host) => format!("{scheme}://{host}"),
        None => own.to_owned(),
    }
}

/// Derives an id from names.
pub(super) fn id_of(names: &[&str]) -> String {
    hex::encode(&hash(names.join("/").as_bytes())[..16])
}

fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Formats milliseconds since the Unix epoch as IAM does: `2020-01-04T09:05:22.701000Z`.
pub(super) fn timestamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
