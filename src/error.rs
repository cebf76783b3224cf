//! The one error of this crate.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;

use crate::session::Secret;

mod code;
pub use code::{ErrorCode, Retry};

/// How much of an answer's body an error keeps, in characters.
const EXCERPT: usize = 512;

/// The gateway's own name for the id of a request; some services and clouds use the others.
static REQUEST_IDS: [HeaderName; 4] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-openstack-request-id"),
    HeaderName::from_static("x-compute-request-id"),
    HeaderName::from_static("x-iam-trace-id"),
];

/// What kind of failure an [`Error`] is. The words are the ones that the command line uses too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a documented limit and was not sent, or the service refused it as malformed.
    InvalidRequest,
    /// The session cannot be built from what was given.
    Configuration,
    /// The gateway or the service does not accept who is asking.
    Authentication,
    /// The named object does not exist, or not for this project.
    NotFound,
    /// The name is taken, or the state of the object does not allow it.
    Conflict,
    /// Too many calls; later it may work.
    Throttled,
    /// The service failed or refused for another reason.
    Service,
    /// No complete answer came over the network.
    Network,
    /// No complete answer came in time.
    Timeout,
    /// An answer came that is not what the description promises.
    Decode,
}

/// Any failure of a call.
///
/// It is one opaque type: ask [`kind`](Self::kind), a predicate, or an accessor. `Display` is one line for logs.
///
/// ```
/// use huaweicloud_jobs::{Error, Session};
///
/// let error: Error = Session::builder().endpoint("not an address").build().unwrap_err();
/// assert_eq!(error.kind(), huaweicloud_jobs::ErrorKind::Configuration);
/// ```
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Inner {
    kind: Option<ErrorKind>,
    operation: Option<&'static str>,
    status: Option<StatusCode>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    field: Option<&'static str>,
    place: Option<String>,
    excerpt: Option<String>,
    may_have_been_sent: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What is known of an answer besides its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// What was sent and may come back: servers echo.
    secret: Option<Secret>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, secret: Option<Secret>) -> Self {
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let request_id = REQUEST_IDS.iter().find_map(text).map(str::to_owned);
        let retry_after = text(&RETRY_AFTER).and_then(|text| retry_after(text.trim()));
        let mut answer = Self { status: Some(status), request_id, retry_after, secret };
        answer.request_id = answer.request_id.take().map(|text| answer.hide(text));
        answer
    }

    /// A text from the answer without what must not be seen.
    fn hide(&self, text: String) -> String {
        match &self.secret {
            // What is as short as a word is no secret, and hiding it would hide the text.
            Some(secret) if secret.expose().len() >= 8 && text.contains(secret.expose()) => {
                text.replace(secret.expose(), "***")
            }
            _ => text,
        }
    }
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind: Some(kind), message: message.into(), ..Inner::default() }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// A value of a request that breaks its limit; nothing was sent.
    pub(crate) fn invalid_field(field: &'static str, reason: impl fmt::Display) -> Self {
        let mut error = Self::invalid_request(format!("{field} {reason}"));
        error.0.field = Some(field);
        error
    }

    /// A body under a success status that is not what is documented.
    pub(crate) fn decode(place: String, message: String, body: &[u8]) -> Self {
        let mut error = Self::new(ErrorKind::Decode, message);
        error.0.place = Some(place);
        error.0.excerpt = Some(excerpt(body));
        error.0.may_have_been_sent = true;
        error
    }

    /// An answer that could not be read to its end.
    pub(crate) fn incomplete(reason: impl Into<String>, body: &[u8], answer: &Answer) -> Self {
        let mut error = Self::new(ErrorKind::Network, reason);
        error.0.excerpt = Some(excerpt(body));
        error.0.may_have_been_sent = true;
        error.with_answer(answer)
    }

    /// An answer that is not read to its end.
    pub(crate) fn too_large(limit: usize, body: &[u8], answer: &Answer) -> Self {
        let mut error = Self::incomplete(format!("the body is larger than {limit} bytes"), body, answer);
        // The connection is sound: sending again would bring the same.
        error.0.kind = Some(ErrorKind::Decode);
        error
    }

    pub(crate) fn service(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Service, message)
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, message)
    }

    /// A failure that the service or the gateway answered, whatever the shape of its body.
    pub(crate) fn answered(body: &[u8], answer: &Answer) -> Self {
        let status = answer.status.unwrap_or_default();
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let Failure { code, message, request_id } = Failure::read(&parsed);
        let kind = kind_of(status, code.as_deref());
        let message = message.unwrap_or_else(|| match (status.is_success(), body.is_empty()) {
            (true, _) => "the answer says that the request failed".to_owned(),
            (false, true) => "no body".to_owned(),
            (false, false) => "the body says nothing in a known form".to_owned(),
        });
        let mut error = Self::new(kind, message);
        error.0.code = code;
        error.0.request_id = request_id;
        error.0.excerpt = Some(excerpt(body));
        error.0.may_have_been_sent = true;
        error.with_answer(answer)
    }

    pub(crate) fn with_answer(mut self, answer: &Answer) -> Self {
        let inner = &mut *self.0;
        inner.status = answer.status;
        inner.retry_after = answer.retry_after;
        if answer.request_id.is_some() {
            inner.request_id.clone_from(&answer.request_id);
        }
        let texts = [
            Some(&mut inner.message),
            inner.code.as_mut(),
            inner.request_id.as_mut(),
            inner.place.as_mut(),
            inner.excerpt.as_mut(),
        ];
        for text in texts.into_iter().flatten() {
            *text = answer.hide(std::mem::take(text));
        }
        self
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Names the operation, unless the failure is of another one that this one needed.
    pub(crate) fn or_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says whether the request may have arrived, where this failure alone does not tell.
    pub(crate) fn with_sent(mut self, sent: bool) -> Self {
        self.0.may_have_been_sent = sent;
        self
    }

    /// Whether who answered is not who it should be: the next time it will be the same one.
    pub(crate) fn says_bad_certificate(&self) -> bool {
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            if matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
                return true;
            }
            // What an I/O error wraps is not its source, and it may wrap another one.
            let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            source = wrapped.map(|wrapped| wrapped as _).or_else(|| cause.source());
        }
        false
    }

    /// Whether a token that was good has run out; the gateway says so by a code, or in words only.
    pub(crate) fn says_expired_token(&self) -> bool {
        let number = self.code().and_then(|code| code.rsplit_once('.'));
        self.status() == Some(StatusCode::UNAUTHORIZED)
            && (matches!(number, Some(("ModelArts", "0202") | (_, "0307"))) || self.message().contains("token expires"))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind.unwrap_or(ErrorKind::Service)
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The code of the service or the gateway, for example `ModelArts.0103`, `APIG.0301` or `12000002`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What the documents say of the code, if it is documented.
    pub fn code_info(&self) -> Option<&'static ErrorCode> {
        ErrorCode::lookup(self.code()?)
    }

    /// What the service said, or what is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The id of the request, to be quoted in a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The operation that failed, as the description names it.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation
    }

    /// How long the service asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The field of the request that breaks its limit, where one was found before sending.
    pub fn field(&self) -> Option<&str> {
        self.0.field
    }

    /// The place in the answer's body that could not be read, for example `jobs[3].job_id`.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// The beginning of the answer's body, at most 512 characters.
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// Whether the request may have reached the service. If not, sending it again cannot do anything twice.
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// The object does not exist. Check the id, the project and the region.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Too many calls. Wait for [`retry_after`](Self::retry_after), or a little, and send fewer.
    pub fn is_throttled(&self) -> bool {
        self.kind() == ErrorKind::Throttled
    }

    /// The credentials were not accepted. Do not repeat: several failures lock a key for minutes.
    pub fn is_unauthenticated(&self) -> bool {
        self.kind() == ErrorKind::Authentication
    }

    /// The name is taken, or the state of the object does not allow the change.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// The request is malformed. Where nothing was sent, [`field`](Self::field) says which value it is.
    pub fn is_invalid_request(&self) -> bool {
        self.kind() == ErrorKind::InvalidRequest
    }

    /// No answer in time. The request may have had its effect all the same.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, status, code, message, request_id, place, .. } = &*self.0;
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        match (code, status) {
            (Some(code), Some(status)) => write!(f, "{code} ({status}): ")?,
            (Some(code), None) => write!(f, "{code}: ")?,
            (None, Some(status)) => write!(f, "{status}: ")?,
            (None, None) => {}
        }
        if let Some(place) = place {
            write!(f, "body at `{place}`: ")?;
        }
        one_line(f, message)?;
        if let Some(request_id) = request_id {
            f.write_str(" [request ")?;
            one_line(f, request_id)?;
            f.write_str("]")?;
        }
        Ok(())
    }
}

/// Writes a text from outside so that it stays on one line and is read in the order in which it is written.
fn one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;
    let is_bidi =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().try_for_each(|c| f.write_char(if c.is_control() || is_bidi(c) { ' ' } else { c }))
}

/// For people: every part that is there.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All fields by name, so that a new one is not forgotten here.
        let Inner {
            kind: _,
            operation,
            status,
            code,
            message,
            request_id,
            retry_after,
            field,
            place,
            excerpt,
            may_have_been_sent,
            source,
        } = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind()).field("message", message);
        let parts: [(&str, Option<&dyn fmt::Debug>); 9] = [
            ("operation", operation.as_ref().map(|v| v as _)),
            ("status", status.as_ref().map(|v| v as _)),
            ("code", code.as_ref().map(|v| v as _)),
            ("request_id", request_id.as_ref().map(|v| v as _)),
            ("retry_after", retry_after.as_ref().map(|v| v as _)),
            ("field", field.as_ref().map(|v| v as _)),
            ("place", place.as_ref().map(|v| v as _)),
            ("excerpt", excerpt.as_ref().map(|v| v as _)),
            ("source", source.as_ref().map(|v| v as _)),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                debug.field(name, value);
            }
        }
        debug.field("may_have_been_sent", may_have_been_sent).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // Addresses may hold what their owner wants to keep.
        let error = error.without_url();
        let (kind, sent) = match () {
            () if error.is_builder() => (ErrorKind::InvalidRequest, false),
            () if error.is_connect() => {
                (if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network }, false)
            }
            () if error.is_timeout() => (ErrorKind::Timeout, true),
            () => (ErrorKind::Network, true),
        };
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        let mut converted = Self::new(kind, message).with_source(error);
        converted.0.may_have_been_sent = sent;
        converted
    }
}

/// Everything that the generated clients can end in.
impl From<progenitor_client::Error<()>> for Error {
    fn from(error: progenitor_client::Error<()>) -> Self {
        use progenitor_client::Error as Generated;
        match error {
            // The transport hands typed errors over inside a response, since the generator carries only strings.
            Generated::UnexpectedResponse(mut response) => response.extensions_mut().remove().unwrap_or_else(|| {
                let answer = Answer::new(response.status(), response.headers(), None);
                Self::new(kind_of(response.status(), None), "unexpected answer").with_answer(&answer)
            }),
            Generated::InvalidResponsePayload(body, error) => Self::decode(".".to_owned(), error.to_string(), &body),
            Generated::InvalidRequest(reason) => Self::invalid_request(reason),
            Generated::CommunicationError(error)
            | Generated::InvalidUpgrade(error)
            | Generated::ResponseBodyError(error) => error.into(),
            Generated::ErrorResponse(response) => {
                let answer = Answer::new(response.status(), response.headers(), None);
                Self::new(kind_of(response.status(), None), "the service refused").with_answer(&answer)
            }
            Generated::Custom(reason) => Self::new(ErrorKind::Service, reason),
        }
    }
}

/// Errors travel inside a response's extensions, which must be cloneable; each is taken out once.
impl Clone for Error {
    fn clone(&self) -> Self {
        let Inner {
            kind,
            operation,
            status,
            code,
            message,
            request_id,
            retry_after,
            field,
            place,
            excerpt,
            may_have_been_sent,
            source,
        } = &*self.0;
        Self(Box::new(Inner {
            kind: *kind,
            operation: *operation,
            status: *status,
            code: code.clone(),
            message: message.clone(),
            request_id: request_id.clone(),
            retry_after: *retry_after,
            field: *field,
            place: place.clone(),
            excerpt: excerpt.clone(),
            may_have_been_sent: *may_have_been_sent,
            // A source cannot be cloned; its words can.
            source: source.as_ref().map(|source| source.to_string().into()),
        }))
    }
}

/// `Retry-After` in both its forms: seconds, or a date; a date that has passed asks for no wait.
fn retry_after(text: &str) -> Option<Duration> {
    let by_date = || Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default());
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large to be read asks for longer than anyone waits.
    if digits { Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX))) } else { by_date() }
}

/// Whether a body under a success status says that the call failed.
pub(crate) fn says_failure(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        is_success: Option<bool>,
        #[serde(borrow)]
        error_code: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow)]
        error: Option<&'a serde_json::value::RawValue>,
    }
    // Only an object can say it; whatever else there is, is for the generated type to judge.
    serde_json::from_slice::<Envelope<'_>>(body).is_ok_and(|envelope| {
        let coded = envelope.error_code.is_some_and(|code| !matches!(code.get(), "null" | "\"\""));
        // IAM nests its failure.
        let nested = envelope.error.is_some_and(|error| error.get().starts_with('{'));
        envelope.is_success == Some(false) || coded || nested
    })
}

struct Failure {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

impl Failure {
    /// Reads the shapes that the gateway, IAM, ModelArts, MRS and OpenStack's Sahara use.
    fn read(body: &Value) -> Self {
        // IAM nests: {"error": {"code": 401, "message": ..., "title": ...}}.
        let inner = if body["error"].is_object() { &body["error"] } else { body };
        let first = |names: &[&str]| names.iter().find_map(|name| text(&inner[*name]));
        Self {
            code: first(&["error_code", "errorCode", "code", "errcode"]),
            message: first(&["error_msg", "error_message", "errorMsg", "message", "error", "title", "error_name"]),
            request_id: first(&["request_id", "requestId"]),
        }
    }
}

/// A text, or a number as text: codes come both ways.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The kind that a code says, else the one that the status says.
fn kind_of(status: StatusCode, code: Option<&str>) -> ErrorKind {
    let by_code = code.and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
    by_code.unwrap_or(match status.as_u16() {
        401 | 403 => ErrorKind::Authentication,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        400 | 405..=428 => ErrorKind::InvalidRequest,
        _ => ErrorKind::Service,
    })
}

/// The beginning of a body as readable text.
fn excerpt(body: &[u8]) -> String {
    // Four bytes a character at the most; a cut character at the end becomes a replacement character.
    let head = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT)]);
    head.chars().take(EXCERPT).map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}
