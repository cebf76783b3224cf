//! The other end: is the signature that came with a request the one that it should have?

use std::borrow::Cow;
use std::fmt;

use hmac::Mac;
use sha2::{Digest, Sha256};

use super::canonical::{self, Dialect, UNSIGNED};
use super::{
    Algorithm, CONTENT_HASH, DATE, DERIVED_NAME, Date, HeaderFault, Hex, PLAIN_NAME, Request, SCOPE_END, Secret, Text,
    find, is_content_hash, is_part_of_credential, is_token,
};

/// An `Authorization` header that was read, and not yet verified.
///
/// It names the access key, for which the server looks the secret key up:
///
/// ```
/// use huaweicloud_jobs::session::Secret;
/// use huaweicloud_jobs::session::signing::{Authorization, Refusal, Request};
///
/// let header = "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=host;x-sdk-date, \
///               Signature=cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842";
/// let mut request = Request {
///     method: "GET",
///     path: "/resources",
///     query: "size=1",
///     headers: &[("host", "service.endpoint.myhuaweicloud.com"), ("x-sdk-date", "20200608T023900Z")],
///     body: b"",
/// };
/// let authorization = Authorization::parse(header)?;
/// let secret = match authorization.access_key() {
///     "AccessKey" => Secret::from("SecretKey"),
///     unknown => panic!("{unknown} is nobody's"),
/// };
/// let date = authorization.verify(&request, &secret)?;
/// // Whether that is too long ago is for the server to say.
/// assert_eq!(date.as_str(), "20200608T023900Z");
///
/// request.query = "size=2";
/// let Err(Refusal::Mismatch(mismatch)) = authorization.verify(&request, &secret) else { panic!() };
/// assert!(mismatch.canonical_request().starts_with("GET\n/resources/\nsize=2\n"));
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Authorization<'a> {
    algorithm: Algorithm<'a>,
    /// The day of the scope, if there is a scope.
    day: Option<&'a str>,
    access_key: &'a str,
    signed_headers: &'a str,
    signature: [u8; 32],
}

/// Without the signature: with it, the request could be sent again.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, day, access_key, signed_headers, signature: _ } = self;
        f.debug_struct("Authorization")
            .field("algorithm", algorithm)
            .field("day", day)
            .field("access_key", access_key)
            .field("signed_headers", signed_headers)
            .finish_non_exhaustive()
    }
}

impl<'a> Authorization<'a> {
    /// Reads the value of an `Authorization` header in any of the layouts of [`Algorithm`].
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownAlgorithm`] and [`Refusal::Malformed`].
    pub fn parse(header: &'a str) -> Result<Self, Refusal> {
        let malformed = |what| Refusal::Malformed { what };
        let (name, fields) = header.trim().split_once(' ').ok_or(malformed("there is nothing after the algorithm"))?;
        if !matches!(name, PLAIN_NAME | DERIVED_NAME) {
            return Err(Refusal::UnknownAlgorithm);
        }
        let (mut access, mut credential, mut signed_headers, mut signature) = (None, None, None, None);
        for field in fields.split(',') {
            let (key, value) = field.trim().split_once('=').ok_or(malformed("a field has no `=`"))?;
            let place = match key {
                "Access" => &mut access,
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(malformed("a field is unknown")),
            };
            if place.replace(value).is_some() {
                return Err(malformed("a field is there twice"));
            }
        }
        let (access_key, day, algorithm) = match (name, access, credential) {
            (PLAIN_NAME, Some(access_key), None) => (access_key, None, Algorithm::Plain),
            (_, None, Some(credential)) => {
                let parts: Vec<_> = credential.splitn(6, '/').collect();
                match (name, &parts[..]) {
                    (PLAIN_NAME, [access_key, day, region, service, SCOPE_END]) => {
                        (*access_key, Some(*day), Algorithm::Legacy { region, service })
                    }
                    (DERIVED_NAME, [access_key, day, region, service]) => {
                        (*access_key, Some(*day), Algorithm::Derived { region, service })
                    }
                    _ => return Err(malformed("the credential has not the parts that the algorithm asks for")),
                }
            }
            _ => return Err(malformed("the algorithm asks for `Access` or for `Credential`")),
        };
        if access_key.is_empty() || !is_part_of_credential(access_key) {
            return Err(malformed("the access key is empty or has blanks in it"));
        }
        let signed_headers = signed_headers.ok_or(malformed("there are no `SignedHeaders`"))?;
        if !signed_headers.split(';').all(|name| is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase()))
        {
            return Err(malformed("`SignedHeaders` are not names in lower case with `;` between them"));
        }
        let digits = signature.ok_or(malformed("there is no `Signature`"))?;
        let mut signature = [0; 32];
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) || hex::decode_to_slice(digits, &mut signature).is_err()
        {
            return Err(malformed("the signature is not 64 hexadecimal digits in lower case"));
        }
        Ok(Self { algorithm, day, access_key, signed_headers, signature })
    }

    /// Whose signature it is said to be.
    pub fn access_key(&self) -> &'a str {
        self.access_key
    }

    /// The algorithm, with region and service if they are named. Whether they are the server's own is for it to say.
    pub fn algorithm(&self) -> Algorithm<'a> {
        self.algorithm
    }

    /// The names of the headers that are said to be signed.
    pub fn signed_headers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.signed_headers.split(';')
    }

    /// Verifies the signature of a request as it was received, and gives its date.
    ///
    /// Path and query are decoded and encoded again, and the query is sorted, so the request need not be in the form that
    /// [the wire should have](super#what-the-wire-must-look-like). Where clients are known to sign a form of their own,
    /// that form is good too: the vendor's Python core for `%2F` in a path and for `UNSIGNED-PAYLOAD` without a body, Open
    /// Telekom Cloud's Go client within the legacy layout.
    ///
    /// The comparison takes the same time wherever two signatures differ. The clock is not looked at.
    ///
    /// # Errors
    ///
    /// [`Refusal`]: the first thing that is wrong.
    pub fn verify(&self, request: &Request<'_>, secret_key: &Secret) -> Result<Date, Refusal> {
        let Request { method, path, query, headers, body } = *request;
        let date: Date =
            find(headers, DATE)?.ok_or(Refusal::DateMissing)?.parse().map_err(|_| Refusal::DateMalformed)?;
        if !self.signed_headers().any(|name| name == DATE) {
            return Err(Refusal::DateNotSigned);
        }
        if self.day.is_some_and(|day| day != date.day()) {
            return Err(Refusal::DayDiffers);
        }
        if !is_token(method) {
            return Err(Refusal::MethodMalformed);
        }
        let mut signed = Vec::with_capacity(8);
        for name in self.signed_headers() {
            let value = find(headers, name)?.ok_or_else(|| HeaderFault::Absent { name: name.to_owned() })?;
            signed.push((name, value));
        }
        let given = find(headers, CONTENT_HASH)?;
        let mac = self.algorithm.keyed(self.access_key, secret_key, date.day());
        let attempt = |query: &str, payload: &str, dialect| {
            let request = Request { method, path, query, headers, body };
            let text = Text::new(&request, &signed, payload, &self.algorithm, &date, dialect);
            let mut mac = mac.clone();
            mac.update(text.string_to_sign().as_bytes());
            if mac.verify_slice(&self.signature).is_ok() { Ok(date) } else { Err(Refusal::Mismatch(Mismatch(text))) }
        };

        let payloads = payloads(given, body)?;
        let first = attempt(query, &payloads[0], Dialect::Plain);
        if first.is_ok() {
            return first;
        }
        let mut dialects = vec![Dialect::Plain];
        if path.contains("%2F") || path.contains("%2f") {
            dialects.push(Dialect::DecodedPath);
        }
        if let Algorithm::Legacy { .. } = self.algorithm {
            dialects.push(Dialect::FirstValues);
            if method == "POST" && body.is_empty() {
                // That client takes the query for the body of a POST that has none.
                let payload = given.map_or_else(|| hash(canonical::go_query(query).as_bytes()), str::to_owned);
                if let Ok(date) = attempt("", &payload, Dialect::FirstValues) {
                    return Ok(date);
                }
            }
        }
        for dialect in dialects {
            for payload in &payloads {
                if let Ok(date) = attempt(query, payload, dialect) {
                    return Ok(date);
                }
            }
        }
        first
    }

    /// Whether the signature is that of another canonical request, with the date of one that did not match.
    #[cfg(feature = "emulator")]
    pub(crate) fn fits(&self, canonical_request: &str, mismatch: &Mismatch, secret_key: &Secret) -> bool {
        let (front, _) = mismatch.string_to_sign().rsplit_once('\n').unwrap_or_default();
        let date = front.split('\n').nth(1).unwrap_or_default();
        let mut mac = self.algorithm.keyed(self.access_key, secret_key, date.get(..8).unwrap_or_default());
        mac.update(front.as_bytes());
        mac.update(b"\n");
        mac.update(Hex::of(&Sha256::digest(canonical_request).into()).as_str().as_bytes());
        mac.verify_slice(&self.signature).is_ok()
    }
}

/// The payload lines that a request can have.
fn payloads<'a>(given: Option<&'a str>, body: &[u8]) -> Result<Vec<Cow<'a, str>>, Refusal> {
    let Some(given) = given else { return Ok(vec![hash(body).into()]) };
    if !is_content_hash(given) {
        return Err(HeaderFault::Malformed { name: CONTENT_HASH.to_owned() }.into());
    }
    if given == UNSIGNED {
        // Without a body, the vendor's Python core sends the header and signs the hash of nothing.
        return Ok(if body.is_empty() { vec![given.into(), hash(body).into()] } else { vec![given.into()] });
    }
    // The signature covers the header, and only this comparison the body.
    if given.eq_ignore_ascii_case(&hash(body)) { Ok(vec![given.into()]) } else { Err(Refusal::BodyDiffers) }
}

fn hash(bytes: &[u8]) -> String {
    Hex::of(&Sha256::digest(bytes).into()).as_str().to_owned()
}

/// Why a signature is rejected. All of these are a 401.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The `Authorization` header is not what its algorithm asks for.
    #[error("the header `authorization` is malformed: {what}")]
    Malformed {
        /// What is wrong, for people.
        what: &'static str,
    },
    /// The `Authorization` header names an algorithm that is not verified here.
    #[error("the header `authorization` names an unknown algorithm")]
    UnknownAlgorithm,
    /// The method is none.
    #[error("the method is malformed")]
    MethodMalformed,
    /// There is no header `X-Sdk-Date`.
    #[error("the request has no header `x-sdk-date`")]
    DateMissing,
    /// The header `X-Sdk-Date` is not `YYYYMMDDTHHMMSSZ`.
    #[error("the header `x-sdk-date` is not a time written as YYYYMMDDTHHMMSSZ")]
    DateMalformed,
    /// The header `X-Sdk-Date` is not among the signed ones.
    #[error("the header `x-sdk-date` is not signed")]
    DateNotSigned,
    /// The day in the credential is not that of `X-Sdk-Date`.
    #[error("the day in the credential is not that of the header `x-sdk-date`")]
    DayDiffers,
    /// A signed header is absent, there twice, or malformed.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// The header `X-Sdk-Content-Sha256` is not the hash of the body.
    #[error("the header `x-sdk-content-sha256` is not the hash of the body")]
    BodyDiffers,
    /// The signature is another one.
    #[error("the signature is not that of the request as it was received")]
    Mismatch(Mismatch),
}

/// What was computed from a request whose signature is another one.
///
/// Compared line by line with what the client computed, it tells which step differs; the gateway echoes it for that.
/// `Debug` does not show it, as the values of the signed headers are in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch(Text);

impl Mismatch {
    /// The canonical request as [`Signed::canonical_request`](super::Signed::canonical_request) gives it. May hold a
    /// security token.
    pub fn canonical_request(&self) -> &str {
        self.0.canonical_request()
    }

    /// The string to sign as [`Signed::string_to_sign`](super::Signed::string_to_sign) gives it.
    pub fn string_to_sign(&self) -> &str {
        self.0.string_to_sign()
    }
}

impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch").finish_non_exhaustive()
    }
}
