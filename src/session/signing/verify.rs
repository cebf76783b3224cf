//! Verifies the signatures of received requests.

use std::borrow::Cow;
use std::fmt;

use hmac::Mac;
use sha2::{Digest, Sha256};

use super::canonical::{self, Dialect, UNSIGNED};
use super::{
    Algorithm, CONTENT_HASH, DATE, DERIVED_NAME, Date, HeaderFault, Hex, PLAIN_NAME, Request, SCOPE_END, Secret, Text,
    find, is_content_hash, is_part_of_credential, is_token,
};

/// A parsed `Authorization` header that is not yet verified.
///
/// It contains the access key, for which the server looks up the secret key:
///
/// ```
/// use huaweicloud_jobs::session::Secret;
/// use huaweicloud_jobs::session::signing::{Authorization, VerifyError, Request};
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
/// // The server decides whether the date is too old.
/// assert_eq!(date.as_str(), "20200608T023900Z");
///
/// request.query = "size=2";
/// let Err(VerifyError::Mismatch(mismatch)) = authorization.verify(&request, &secret) else { panic!() };
/// assert!(mismatch.canonical_request().starts_with("GET\n/resources/\nsize=2\n"));
/// # Ok::<(), VerifyError>(())
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

/// Does not show the signature: an attacker could replay the request with it.
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
    /// Parses the value of an `Authorization` header in any of the layouts of [`Algorithm`].
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownAlgorithm`] and [`VerifyError::Malformed`].
    pub fn parse(header: &'a str) -> Result<Self, VerifyError> {
        let malformed = |what| VerifyError::Malformed { what };
        let (name, fields) = header.trim().split_once(' ').ok_or(malformed("there is nothing after the algorithm"))?;
        if !matches!(name, PLAIN_NAME | DERIVED_NAME) {
            return Err(VerifyError::UnknownAlgorithm);
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

    /// The access key that the header names.
    pub fn access_key(&self) -> &'a str {
        self.access_key
    }

    /// The algorithm, with region and service if the header names them. The server checks whether they are its own.
    pub fn algorithm(&self) -> Algorithm<'a> {
        self.algorithm
    }

    /// The names of the signed headers.
    pub fn signed_headers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.signed_headers.split(';')
    }

    /// Verifies the signature of a received request, and returns its date.
    ///
    /// Path and query are decoded and encoded again, and the query is sorted, so the request need not have [the
    /// recommended form](super#what-the-wire-must-look-like). Known forms of other clients are accepted too: that of
    /// the vendor's Python core for `%2F` in a path and for `UNSIGNED-PAYLOAD` without a body, and that of Open Telekom
    /// Cloud's Go client in the legacy layout.
    ///
    /// The comparison takes constant time. The clock is not read.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]: the first problem.
    pub fn verify(&self, request: &Request<'_>, secret_key: &Secret) -> Result<Date, VerifyError> {
        let Request { method, path, query, headers, body } = *request;
        let date: Date =
            find(headers, DATE)?.ok_or(VerifyError::DateMissing)?.parse().map_err(|_| VerifyError::DateMalformed)?;
        if !self.signed_headers().any(|name| name == DATE) {
            return Err(VerifyError::DateNotSigned);
        }
        if self.day.is_some_and(|day| day != date.day()) {
            return Err(VerifyError::DayDiffers);
        }
        if !is_token(method) {
            return Err(VerifyError::MethodMalformed);
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
            if mac.verify_slice(&self.signature).is_ok() {
                Ok(date)
            } else {
                Err(VerifyError::Mismatch(Mismatch(text)))
            }
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
                // That client signs the query as the body of a POST without a body.
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

    /// Returns whether the signature matches another canonical request, with the date of a failed verification.
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

/// Returns the possible payload lines of a request.
fn payloads<'a>(given: Option<&'a str>, body: &[u8]) -> Result<Vec<Cow<'a, str>>, VerifyError> {
    let Some(given) = given else { return Ok(vec![hash(body).into()]) };
    if !is_content_hash(given) {
        return Err(HeaderFault::Malformed { name: CONTENT_HASH.to_owned() }.into());
    }
    if given == UNSIGNED {
        // Without a body, the vendor's Python core sends the header and signs the hash of the empty string.
        return Ok(if body.is_empty() { vec![given.into(), hash(body).into()] } else { vec![given.into()] });
    }
    // The signature covers only the header; this comparison covers the body.
    if given.eq_ignore_ascii_case(&hash(body)) { Ok(vec![given.into()]) } else { Err(VerifyError::BodyDiffers) }
}

fn hash(bytes: &[u8]) -> String {
    Hex::of(&Sha256::digest(bytes).into()).as_str().to_owned()
}

/// The reason why a signature is rejected. The status of all of them is 401.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The `Authorization` header does not have the form of its algorithm.
    #[error("the header `authorization` is malformed: {what}")]
    Malformed {
        /// The problem in words.
        what: &'static str,
    },
    /// The `Authorization` header names an unsupported algorithm.
    #[error("the header `authorization` names an unknown algorithm")]
    UnknownAlgorithm,
    /// The method is malformed.
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
    /// A signed header is missing, repeated or malformed.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// The header `X-Sdk-Content-Sha256` is not the hash of the body.
    #[error("the header `x-sdk-content-sha256` is not the hash of the body")]
    BodyDiffers,
    /// The signature does not match.
    #[error("the signature is not that of the request as it was received")]
    Mismatch(Mismatch),
}

/// The computed values of a request whose signature does not match.
///
/// A comparison with the client's values, line by line, shows which step differs; the gateway echoes the canonical
/// request for this. `Debug` does not show it, since it contains the values of the signed headers.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch(Text);

impl Mismatch {
    /// The canonical request, as in [`Signed::canonical_request`](super::Signed::canonical_request). It may contain a
    /// security token.
    pub fn canonical_request(&self) -> &str {
        self.0.canonical_request()
    }

    /// The string to sign, as in [`Signed::string_to_sign`](super::Signed::string_to_sign).
    pub fn string_to_sign(&self) -> &str {
        self.0.string_to_sign()
    }
}

impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch").finish_non_exhaustive()
    }
}
