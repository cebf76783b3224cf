//! Creates, explains and verifies signatures with an access key.
//!
//! Signing is a pure function of the parts of a request. It sends nothing and reads neither clock nor environment. The
//! returned [`Signed`] contains every step:
//!
//! ```
//! use huaweicloud_jobs::session::Secret;
//! use huaweicloud_jobs::session::signing::{Date, Request, Signer};
//!
//! // The keys of the vendor's own test vectors.
//! let secret = Secret::from("SecretKey");
//! let date: Date = "20200608T023900Z".parse()?;
//! let request = Request {
//!     method: "POST",
//!     path: "/resources",
//!     query: "size=1",
//!     headers: &[("Host", "service.endpoint.myhuaweicloud.com"), ("X-Sdk-Date", date.as_str())],
//!     body: br#"{"name":"test","id":1}"#,
//! };
//! let signed = Signer::new("AccessKey", &secret).sign(&request, &date)?;
//! assert_eq!(
//!     signed.authorization(),
//!     "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=host;x-sdk-date, \
//!      Signature=436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f",
//! );
//! assert!(signed.canonical_request().starts_with("POST\n/resources/\nsize=1\nhost:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the wire must look like
//!
//! A server decodes and encodes the received request before it compares the signature, and gateways and SDKs differ in
//! this. A request in the following form has the same meaning for all of them. The helper functions return this form.
//!
//! - **Path**: every segment percent-encoded exactly once, all but `A-Za-z0-9-_.~`, digits upper-case: [`wire_path`], and
//!   [`encode`] for a single segment. The canonical form has a slash at the end, the wire needs none. No empty, `.` or
//!   `..` segments, and no slash inside of a segment: what becomes of `%2F` depends on who reads it.
//! - **Query**: pairs sorted by name and then by value, encoded like segments, a blank as `%20`, `name=` for an empty
//!   value: [`wire_query`].
//! - **Host**: the port goes along unless it is the scheme's own: [`wire_host`].
//! - **Headers**: the signed values are the sent ones, except for blanks at their ends.
//! - **Body**: exactly the bytes that are sent, a final newline included. If `X-Sdk-Content-Sha256` is among the
//!   headers, its value stands for the body: `UNSIGNED-PAYLOAD`, or the SHA-256 of the body in hexadecimal digits.
//!
//! `tests/signing/` of the repository contains this module's test cases as data for any language.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};

use self::canonical::{Dialect, UNSIGNED};
use crate::secret::Secret;

mod canonical;
mod date;
mod verify;

pub(super) use canonical::is_plain_path;
pub use date::{Date, DateError};
pub use verify::{Authorization, Mismatch, VerifyError};

const PLAIN_NAME: &str = "SDK-HMAC-SHA256";
const DERIVED_NAME: &str = "V11-HMAC-SHA256";
/// The end of the scope in the legacy layout.
const SCOPE_END: &str = "sdk_request";

const HOST: &str = "host";
const DATE: &str = "x-sdk-date";
const CONTENT_HASH: &str = "x-sdk-content-sha256";

/// The headers of [`SignedHeaders::Usual`], in their order.
const USUAL: [&str; 6] = [HOST, "x-domain-id", "x-project-id", CONTENT_HASH, DATE, "x-security-token"];
const USUAL_HOST: usize = 0;
const USUAL_CONTENT_HASH: usize = 3;
const USUAL_DATE: usize = 4;

/// The parts of a request that a signature covers, as they are sent.
///
/// `Debug` shows neither query nor headers nor body, since they can contain secrets.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method in upper case, for example `PUT`.
    pub method: &'a str,
    /// The path as sent, for example `/v1/0123/training-jobs/10`: with its percent-encoding, without query.
    pub path: &'a str,
    /// The query as sent, without the `?`; empty if there is none.
    pub query: &'a str,
    /// Names in any case, and values. A value that is not text cannot be signed; leave out such a header.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body as sent. It is not read if a header `X-Sdk-Content-Sha256` replaces it.
    pub body: &'a [u8],
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, query: _, headers: _, body: _ } = self;
        f.debug_struct("Request").field("method", method).field("path", path).finish_non_exhaustive()
    }
}

/// The derivation of the key and the layout of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm<'a> {
    /// `SDK-HMAC-SHA256 Access=…`: all current services accept it. The secret key signs.
    Plain,
    /// `V11-HMAC-SHA256 Credential=…/day/region/service`: a key for one day, region and service signs, which
    /// HKDF-SHA256 derives. Some endpoints require it.
    Derived {
        /// For example `cn-north-4`, or `globe` for global services.
        region: &'a str,
        /// The service's name in lower case, for example `modelarts`.
        service: &'a str,
    },
    /// `SDK-HMAC-SHA256 Credential=…/day/region/service/sdk_request`: the legacy layout, a chain of HMACs. Open Telekom
    /// Cloud's Go client still sends it.
    Legacy {
        /// For example `eu-de`; may be empty.
        region: &'a str,
        /// For example `ec2`; may be empty.
        service: &'a str,
    },
}

impl Algorithm<'_> {
    /// The name in the header: `SDK-HMAC-SHA256` or `V11-HMAC-SHA256`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plain | Self::Legacy { .. } => PLAIN_NAME,
            Self::Derived { .. } => DERIVED_NAME,
        }
    }

    /// Appends `day/region/service`, and for the legacy layout `/sdk_request`. Nothing without a scope.
    fn write_scope(&self, out: &mut String, day: &str) {
        let (Self::Derived { region, service } | Self::Legacy { region, service }) = self else { return };
        for part in [day, "/", region, "/", service] {
            out.push_str(part);
        }
        if let Self::Legacy { .. } = self {
            out.push('/');
            out.push_str(SCOPE_END);
        }
    }

    /// Returns the HMAC with the signing key.
    fn keyed(&self, access_key: &str, secret_key: &Secret, day: &str) -> Hmac<Sha256> {
        match self {
            Self::Plain => secret_key.hmac(),
            Self::Derived { .. } => {
                let mut info = String::new();
                self.write_scope(&mut info, day);
                keyed(&*derived_key(access_key, secret_key.expose().as_bytes(), &info))
            }
            Self::Legacy { region, service } => {
                let mut first = Zeroizing::new(b"SDK".to_vec());
                first.extend(secret_key.expose().as_bytes());
                [day, region, service, SCOPE_END].iter().fold(keyed(&first), |mut mac, part| {
                    mac.update(part.as_bytes());
                    keyed(&Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()))[..])
                })
            }
        }
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The derived key: 32 bytes of HKDF, and of these the 64 hexadecimal digits.
fn derived_key(access_key: &str, secret_key: &[u8], info: &str) -> Zeroizing<[u8; 64]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(access_key.as_bytes()), secret_key)
        .expand(info.as_bytes(), &mut *key)
        .expect("32 bytes are not too many");
    Zeroizing::new(Hex::of(&key).0)
}

/// The headers that a signature covers.
///
/// `X-Sdk-Date` is always covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedHeaders<'a> {
    /// `host` and `x-sdk-date`, and those of `x-project-id`, `x-domain-id`, `x-security-token` and
    /// `x-sdk-content-sha256` that the request has. Proxies do not change these.
    #[default]
    Usual,
    /// Every header of the request except `Authorization` and those with `_` in their name, which gateways drop. The
    /// vendor's Python SDK and older Java SDKs do the same.
    Every,
    /// These headers, in any order and case; the request must have each of them. Names with `_` are signed too.
    Named(&'a [&'a str]),
}

/// The keys and settings of a signer.
///
/// `Debug` shows the access key, which is public, and not the secret key.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    access_key: &'a str,
    secret_key: &'a Secret,
    algorithm: Algorithm<'a>,
    headers: SignedHeaders<'a>,
}

impl<'a> Signer<'a> {
    /// Returns a signer with [`Algorithm::Plain`] and [`SignedHeaders::Usual`].
    pub fn new(access_key: &'a str, secret_key: &'a Secret) -> Self {
        Self { access_key, secret_key, algorithm: Algorithm::Plain, headers: SignedHeaders::Usual }
    }

    /// Sets the algorithm.
    pub fn algorithm(mut self, algorithm: Algorithm<'a>) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets the signed headers.
    pub fn headers(mut self, headers: SignedHeaders<'a>) -> Self {
        self.headers = headers;
        self
    }

    /// Signs a request with a date.
    ///
    /// The request must be sent with the header `X-Sdk-Date` of that date. If the headers do not contain it, it is
    /// signed nevertheless; add it before sending. The method is signed, and must be sent, in upper case. Temporary
    /// keys need the header `X-Security-Token`.
    ///
    /// # Errors
    ///
    /// [`SignError`]: a part cannot be sent in HTTP, or a header to be signed is missing, repeated or malformed.
    pub fn sign(&self, request: &Request<'_>, date: &Date) -> Result<Signed, SignError> {
        let Self { access_key, secret_key, algorithm, headers } = self;
        self.check(request)?;
        let usual = usual(request.headers)?;
        if usual[USUAL_DATE].is_some_and(|value| value != date.as_str()) {
            return Err(SignError::DateDiffers);
        }
        let computed;
        let payload = match usual[USUAL_CONTENT_HASH] {
            Some(hash) if is_content_hash(hash) => hash,
            Some(_) => return Err(HeaderFault::Malformed { name: CONTENT_HASH.to_owned() }.into()),
            None => {
                computed = Hex::of(&Sha256::digest(request.body).into());
                computed.as_str()
            }
        };
        let method = upper(request.method);
        let request = Request { method: &method, ..*request };
        let mut text = match headers {
            SignedHeaders::Usual => {
                // What is signed by default needs no memory of its own.
                let mut place = [("", ""); USUAL.len()];
                let headers = select_usual(&usual, date, &mut place)?;
                Text::new(&request, headers, payload, algorithm, date, Dialect::Plain)
            }
            SignedHeaders::Every => {
                let names = request.headers.iter().map(|(name, _)| *name);
                let kept = |name: &&str| !name.contains('_') && !name.eq_ignore_ascii_case("authorization");
                let headers = select(request.headers, names.filter(kept), date)?;
                Text::new(&request, &headers, payload, algorithm, date, Dialect::Plain)
            }
            SignedHeaders::Named(names) => {
                let headers = select(request.headers, names.iter().copied(), date)?;
                Text::new(&request, &headers, payload, algorithm, date, Dialect::Plain)
            }
        };
        let mut mac = algorithm.keyed(access_key, secret_key, date.day());
        mac.update(text.string_to_sign().as_bytes());
        let out = &mut text.all;
        let authorization = out.len();
        out.push_str(algorithm.name());
        if *algorithm == Algorithm::Plain {
            out.push_str(" Access=");
            out.push_str(access_key);
        } else {
            out.push_str(" Credential=");
            out.push_str(access_key);
            out.push('/');
            algorithm.write_scope(out, date.day());
        }
        out.push_str(", SignedHeaders=");
        out.extend_from_within(text.signed_headers.clone());
        out.push_str(", Signature=");
        out.push_str(Hex::of(&mac.finalize().into_bytes().into()).as_str());
        Ok(Signed { text, authorization })
    }

    fn check(&self, request: &Request<'_>) -> Result<(), SignError> {
        let malformed = |part| Err(SignError::Malformed { part });
        if !is_part_of_credential(self.access_key) || self.access_key.is_empty() {
            return malformed("access key");
        }
        if let Algorithm::Derived { region, service } | Algorithm::Legacy { region, service } = self.algorithm {
            if !is_part_of_credential(region) {
                return malformed("region");
            }
            if !is_part_of_credential(service) {
                return malformed("service");
            }
        }
        if !is_token(request.method) {
            return malformed("method");
        }
        if !request.path.is_empty() && !request.path.starts_with('/') {
            return malformed("path");
        }
        Ok(())
    }
}

fn upper(method: &str) -> Cow<'_, str> {
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        method.to_ascii_uppercase().into()
    } else {
        method.into()
    }
}

/// Returns the trimmed values of the usual headers, each at the index of its name in [`USUAL`].
fn usual<'a>(headers: &[(&str, &'a str)]) -> Result<[Option<&'a str>; 6], HeaderFault> {
    let mut values = [None; 6];
    for (name, value) in headers {
        if let Some(place) = USUAL.iter().position(|usual| usual.eq_ignore_ascii_case(name)) {
            let value = checked(USUAL[place], value)?;
            if values[place].replace(value).is_some() {
                return Err(HeaderFault::Repeated { name: USUAL[place].to_owned() });
            }
        }
    }
    Ok(values)
}

/// The headers of [`SignedHeaders::Usual`] with their trimmed values, sorted by name.
fn select_usual<'a, 'p>(
    usual: &[Option<&'a str>; USUAL.len()],
    date: &'a Date,
    place: &'p mut [(&'a str, &'a str); USUAL.len()],
) -> Result<&'p [(&'a str, &'a str)], HeaderFault> {
    if usual[USUAL_HOST].is_none() {
        return Err(absent(HOST));
    }
    let mut count = 0;
    for (index, (name, value)) in USUAL.into_iter().zip(usual).enumerate() {
        let value = if index == USUAL_DATE { Some(date.as_str()) } else { *value };
        if let Some(value) = value {
            place[count] = (name, value);
            count += 1;
        }
    }
    Ok(&place[..count])
}

fn absent(name: &str) -> HeaderFault {
    HeaderFault::Absent { name: name.to_owned() }
}

/// The headers with these names, and the date: the names in lower case and sorted, the values trimmed.
fn select<'a>(
    headers: &[(&'a str, &'a str)],
    names: impl Iterator<Item = &'a str>,
    date: &'a Date,
) -> Result<Vec<(String, &'a str)>, HeaderFault> {
    let mut selected = vec![(DATE.to_owned(), date.as_str())];
    for name in names.filter(|name| !name.eq_ignore_ascii_case(DATE)) {
        let value = find(headers, name)?.ok_or_else(|| absent(name))?;
        selected.push((name.to_ascii_lowercase(), value));
    }
    selected.sort();
    // The list can contain a name twice.
    selected.dedup();
    Ok(selected)
}

/// Returns the trimmed value of a header that may appear only once.
fn find<'a>(headers: &[(&str, &'a str)], name: &str) -> Result<Option<&'a str>, HeaderFault> {
    let mut values = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderFault::Repeated { name: name.to_ascii_lowercase() });
    }
    if !is_token(name) {
        return Err(HeaderFault::Malformed { name: name.to_ascii_lowercase() });
    }
    checked(name, value).map(Some)
}

/// Returns the trimmed value, if it is valid. A line break in it could forge another line of the canonical request.
fn checked<'a>(name: &str, value: &'a str) -> Result<&'a str, HeaderFault> {
    if value.bytes().fold(false, |control, byte| control | (byte.is_ascii_control() & (byte != b'\t'))) {
        return Err(HeaderFault::Malformed { name: name.to_ascii_lowercase() });
    }
    Ok(value.trim())
}

/// Returns whether a string is a valid method or header name.
fn is_token(text: &str) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut rest: &[u8] = b"!#$%&'*+-.^_`|~";
        while let [byte, after @ ..] = rest {
            table[*byte as usize] = true;
            rest = after;
        }
        table
    };
    !text.is_empty() && text.bytes().all(|byte| TOKEN[usize::from(byte)])
}

/// Returns whether a string can be part of an `Authorization` header without ambiguity.
fn is_part_of_credential(text: &str) -> bool {
    text.bytes().fold(true, |fits, byte| fits & byte.is_ascii_graphic() & (byte != b'/') & (byte != b','))
}

fn is_content_hash(text: &str) -> bool {
    text == UNSIGNED || (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Writes 32 bytes as lower-case hexadecimal digits.
struct Hex([u8; 64]);

impl Hex {
    fn of(bytes: &[u8; 32]) -> Self {
        let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        Self(digits)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits")
    }
}

/// Returns the canonical request followed by the string to sign.
#[derive(Clone, PartialEq, Eq)]
struct Text {
    all: String,
    canonical_request: usize,
    string_to_sign: usize,
    signed_headers: Range<usize>,
}

impl Text {
    /// `headers` as for [`canonical::write`].
    fn new(
        request: &Request<'_>,
        headers: &[(impl AsRef<str>, &str)],
        payload: &str,
        algorithm: &Algorithm<'_>,
        date: &Date,
        dialect: Dialect,
    ) -> Self {
        let Request { method, path, query, .. } = request;
        let lines: usize = headers.iter().map(|(name, value)| 3 * name.as_ref().len() + value.len() + 4).sum();
        // Enough for all that follows, the `Authorization` header too, unless much has to be encoded.
        let mut all = String::with_capacity(512 + method.len() + path.len() + query.len() + lines);
        let signed_headers = canonical::write(&mut all, method, path, query, headers, payload, dialect);
        let canonical_request = all.len();
        let hash = Sha256::digest(&all);
        all.push_str(algorithm.name());
        all.push('\n');
        all.push_str(date.as_str());
        all.push('\n');
        if *algorithm != Algorithm::Plain {
            algorithm.write_scope(&mut all, date.day());
            all.push('\n');
        }
        all.push_str(Hex::of(&hash.into()).as_str());
        let string_to_sign = all.len();
        Self { all, canonical_request, string_to_sign, signed_headers }
    }

    fn canonical_request(&self) -> &str {
        &self.all[..self.canonical_request]
    }

    fn string_to_sign(&self) -> &str {
        &self.all[self.canonical_request..self.string_to_sign]
    }
}

/// A signature with all of its steps.
///
/// The canonical request contains the values of the signed headers, `X-Security-Token` among them, so `Debug` does not
/// show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    text: Text,
    authorization: usize,
}

impl Signed {
    /// The canonical request: method, path, query, headers, names of the headers and hash of the body, one line each.
    /// It may contain a security token.
    pub fn canonical_request(&self) -> &str {
        self.text.canonical_request()
    }

    /// The string to sign: algorithm, date, scope if there is one, and the hash of the canonical request.
    pub fn string_to_sign(&self) -> &str {
        self.text.string_to_sign()
    }

    /// The names of the signed headers in lower case, sorted, with `;` between them.
    pub fn signed_headers(&self) -> &str {
        &self.text.all[self.text.signed_headers.clone()]
    }

    /// The signature: 64 hexadecimal digits in lower case.
    pub fn signature(&self) -> &str {
        &self.text.all[self.text.all.len() - 64..]
    }

    /// The value of the header `Authorization`.
    pub fn authorization(&self) -> &str {
        &self.text.all[self.authorization..]
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("signed_headers", &self.signed_headers()).finish_non_exhaustive()
    }
}

/// The reason why a header cannot be signed or verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The request does not have the named header.
    #[error("the request has no header `{}`", name.escape_debug())]
    Absent {
        /// Its name in lower case.
        name: String,
    },
    /// The request has the header more than once, and implementations differ in which one counts.
    #[error("the header `{}` is there more than once", name.escape_debug())]
    Repeated {
        /// Its name in lower case.
        name: String,
    },
    /// The name or value is not valid in a header, or the value is not valid for this header.
    #[error("the header `{}` is malformed", name.escape_debug())]
    Malformed {
        /// Its name in lower case.
        name: String,
    },
}

/// The reason why a request cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A part of the request or the key cannot be sent in HTTP.
    // The value is not shown: it could be a secret key that was passed as the access key.
    #[error("the {part} is malformed")]
    Malformed {
        /// `access key`, `region`, `service`, `method` or `path`.
        part: &'static str,
    },
    /// The request has a header `X-Sdk-Date`, and it is not the date to sign with.
    #[error("the header `x-sdk-date` is not the date to sign with")]
    DateDiffers,
    /// A header to be signed is missing, repeated or malformed.
    #[error(transparent)]
    Header(#[from] HeaderFault),
}

/// Percent-encodes a segment of a path, or a name or value of a query: all characters but `A-Za-z0-9-_.~`.
///
/// ```
/// use huaweicloud_jobs::session::signing::encode;
///
/// assert_eq!(encode("a b/ü~%"), "a%20b%2F%C3%BC~%25");
/// ```
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    canonical::encode(&mut out, text.as_bytes());
    out
}

/// Returns the path to send: each segment encoded exactly once, whether it was encoded or not.
///
/// ```
/// use huaweicloud_jobs::session::signing::wire_path;
///
/// assert_eq!(wire_path("/v1/a b/c%20d/e:f"), "/v1/a%20b/c%20d/e%3Af");
/// assert_eq!(wire_path(""), "/");
/// ```
pub fn wire_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        out.push('/');
    }
    canonical::recode_path(&mut out, path, false);
    out
}

/// Returns the query to send: encoded, sorted by name and then by value. The given pairs are not encoded.
///
/// ```
/// use huaweicloud_jobs::session::signing::wire_query;
///
/// assert_eq!(wire_query([("name", "a b"), ("limit", "10"), ("name", "")]), "limit=10&name=&name=a%20b");
/// // An address in which a blank may be a `+`:
/// let address: reqwest::Url = "https://example.com/?b=1+2&a"
///     .parse()
///     .expect("an address");
/// assert_eq!(wire_query(address.query_pairs()), "a=&b=1%202");
/// ```
pub fn wire_query<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let pairs: Vec<_> = pairs.into_iter().collect();
    let bytes = |text| Cow::Borrowed(str::as_bytes(text));
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (bytes(name.as_ref()), bytes(value.as_ref()))).collect();
    pairs.sort();
    let mut out = String::new();
    canonical::join(&mut out, &pairs);
    out
}

/// Returns the value of the header `Host` for an address: the authority, without the scheme's default port.
///
/// ```
/// use huaweicloud_jobs::session::signing::wire_host;
///
/// assert_eq!(wire_host("https", "example.com:443"), "example.com");
/// assert_eq!(wire_host("http", "127.0.0.1:8080"), "127.0.0.1:8080");
/// ```
pub fn wire_host<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return authority,
    };
    authority.strip_suffix(port).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key that the vendor's documents print for their derived example (vector V4).
    #[test]
    fn published_derived_key() {
        let secret_key = b"MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
        let key = derived_key("QTWAOYTTINDUT2QVKYUC", secret_key, "20191115/region-id-1/service");
        assert_eq!(&key[..], b"2ab2ae5b2edc6bd9e51bbcb7f9a58a04ed811d722d6646016aa2f2d70f6a042c");
    }
}
