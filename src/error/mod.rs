//! The error type of this crate.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use reqwest::Url;

mod code;
mod failure;
mod kind;
mod redact;
mod response;
mod setting;

pub use code::{ErrorCode, Retry};
pub(crate) use failure::says_failure;
pub use kind::ErrorKind;
pub(crate) use redact::Redactor;
pub(crate) use response::ResponseInfo;
pub use setting::Setting;

use code::kind_of;
use failure::Failure;

use crate::terminal::line;

/// How much of a response's body an error keeps, in characters.
const EXCERPT: usize = 512;
/// The longest message of a service in an error, in characters.
const MESSAGE: usize = 4096;
/// How much of a body is looked at for its excerpt, in bytes: a secret that is cut off could not be redacted.
const WINDOW: usize = 64 * 1024;

/// A failure of a call.
///
/// It is one opaque type: ask [`kind`](Self::kind), a predicate, or an accessor. `Display` is one line for logs.
///
/// ```
/// use huaweicloud_jobs::{Error, Session};
///
/// let error: Error = Session::builder().endpoint("not an address").build().unwrap_err();
/// assert_eq!(error.kind(), huaweicloud_jobs::ErrorKind::Configuration);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone, Default)]
struct Inner {
    kind: Option<ErrorKind>,
    operation: Option<&'static str>,
    status: Option<StatusCode>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    authorization_message: Option<String>,
    retry_after: Option<Duration>,
    field: Option<&'static str>,
    place: Option<String>,
    excerpt: Option<String>,
    proxy: Option<String>,
    host: Option<String>,
    attempts: u32,
    may_have_been_sent: bool,
    missing: Option<Setting>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind: Some(kind), message: message.into(), ..Inner::default() }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// A setting without which no session can be built.
    pub(crate) fn missing_setting(setting: Setting) -> Self {
        let what = setting.as_str();
        let mut error = Self::configuration(format!("no {what} given: call `.{what}(..)`"));
        error.0.missing = Some(setting);
        error
    }

    /// No place holds credentials; `tried` lists the places.
    pub(crate) fn no_credentials(tried: &str) -> Self {
        let mut error = Self::configuration(format!("no credentials found; {tried}"));
        error.0.missing = Some(Setting::Credentials);
        error
    }

    /// Returns the error for a setting that is empty or contains only white space.
    pub(crate) fn blank(what: &str) -> Self {
        Self::configuration(format!("the {what} is blank"))
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// Returns the error for a value of a request that breaks its limit; nothing was sent.
    pub(crate) fn invalid_field(field: &'static str, reason: impl fmt::Display) -> Self {
        let mut error = Self::invalid_request(format!("{field} {reason}"));
        error.0.field = Some(field);
        error
    }

    /// Returns the error for a value that does not match its pattern; `reason` contains the value.
    pub(crate) fn mismatched_field(field: &'static str, reason: impl fmt::Display) -> Self {
        let mut error = Self::invalid_request(format!("{field}: {reason}"));
        error.0.field = Some(field);
        error
    }

    /// Returns the error for a part of a successful response that does not match the description.
    pub(crate) fn decode(place: String, message: String, body: &[u8]) -> Self {
        Self::undecodable(place, message, body, &ResponseInfo::default())
    }

    /// Returns the error for a body with a success status that does not match the description.
    pub(crate) fn undecodable(place: String, message: String, body: &[u8], info: &ResponseInfo) -> Self {
        let mut error = Self::new(ErrorKind::Decode, message).with_body(body, info);
        error.0.place = Some(info.kept(place, response::NAME));
        error
    }

    /// An answer that could not be read to its end.
    pub(crate) fn incomplete(reason: impl Into<String>, body: &[u8], info: &ResponseInfo) -> Self {
        Self::new(ErrorKind::Network, reason).with_body(body, info)
    }

    /// An answer that is not read to its end.
    pub(crate) fn too_large(limit: usize, body: &[u8], info: &ResponseInfo) -> Self {
        let mut error = Self::incomplete(format!("the body is larger than {limit} bytes"), body, info);
        // The connection is intact: a retry would get the same response.
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
    pub(crate) fn answered(body: &[u8], info: &ResponseInfo) -> Self {
        let status = info.status.unwrap_or_default();
        let Failure { code, message, request_id, authorization_message, is_known } = Failure::read(body);
        let kind = kind_of(status, code.as_deref());
        let message = message.unwrap_or_else(|| match (is_known || status.is_success(), body.is_empty()) {
            (true, _) => "the response says that the request failed".to_owned(),
            (false, true) => "no body".to_owned(),
            (false, false) => format!("a body of {} bytes in no known form", body.len()),
        });
        let mut error = Self::new(kind, message);
        error.0.code = code.map(|code| info.kept(code, response::NAME));
        error.0.request_id = request_id.map(|id| info.kept(id, response::NAME));
        error.0.authorization_message = authorization_message.map(|text| info.kept(text, MESSAGE));
        error.with_body(body, info)
    }

    /// Adds what came, with every secret of the request redacted.
    fn with_body(mut self, body: &[u8], info: &ResponseInfo) -> Self {
        let head = String::from_utf8_lossy(&body[..body.len().min(WINDOW)]).into_owned();
        let visible = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
        self.0.excerpt = Some(info.redactor.redact(head).chars().take(EXCERPT).map(visible).collect());
        self.0.may_have_been_sent = true;
        self.with_response(info)
    }

    /// A response that leads elsewhere; `message` says where.
    pub(crate) fn redirected(message: String, body: &[u8], info: &ResponseInfo) -> Self {
        let mut error = Self::answered(body, info);
        error.0.kind = Some(ErrorKind::Configuration);
        error.0.message = message;
        error.with_response(info)
    }

    pub(crate) fn with_response(mut self, info: &ResponseInfo) -> Self {
        let inner = &mut *self.0;
        inner.status = info.status;
        inner.retry_after = info.retry_after;
        inner.proxy.clone_from(&info.proxy);
        if let Some(request_id) = info.request_id() {
            inner.request_id = Some(request_id);
        }
        inner.message = info.kept(std::mem::take(&mut inner.message), MESSAGE);
        self
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Sets the operation, unless the error belongs to another operation that this one needed.
    pub(crate) fn or_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the proxy of the request, without its credentials.
    pub(crate) fn with_proxy(mut self, proxy: Option<&str>) -> Self {
        self.0.proxy = proxy.map(str::to_owned);
        self
    }

    /// Sets the number of attempts.
    pub(crate) fn after(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets the server if the error is about it, and the time limit that was exceeded: `connect` for a connection,
    /// `whole` for the rest of a call.
    pub(crate) fn at(mut self, base: impl FnOnce() -> Url, connect: Duration, whole: Duration) -> Self {
        // The error of another call that this one needed has its own server.
        if self.0.operation.is_some() || self.0.host.is_some() {
            return self;
        }
        let inner = &mut *self.0;
        let is_answered = inner.status.is_some() && inner.excerpt.is_some();
        let cause = inner.source.as_ref().and_then(|source| source.downcast_ref::<reqwest::Error>());
        let within = if cause.is_some_and(reqwest::Error::is_connect) { connect } else { whole };
        let attempts = match inner.attempts {
            1 => "1 attempt".to_owned(),
            attempts => format!("{attempts} attempts"),
        };
        let message = &inner.message;
        let base = base();
        let host = match (base.host_str(), base.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let message = match inner.kind {
            Some(ErrorKind::Timeout) if !is_answered => {
                format!("{host}: {message} within {} ({attempts})", in_words(within))
            }
            Some(ErrorKind::Network) if inner.attempts > 1 => format!("{host}: {message} ({attempts})"),
            Some(ErrorKind::Network) => format!("{host}: {message}"),
            // The message of a redirect already contains its target.
            Some(ErrorKind::Configuration) if is_answered && inner.code.is_some() => {
                let path = base.path().trim_end_matches('/');
                let address = base.as_str().trim_end_matches('/');
                let doubt = match path {
                    "" => String::new(),
                    path => format!("; its path {path} goes in front of the path of each operation"),
                };
                format!("{message} (the endpoint is {address}{doubt})")
            }
            _ => return self,
        };
        inner.message = message;
        inner.host = Some(host);
        self
    }

    /// Sets whether the request may have arrived, if the error itself does not say so.
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
            // The error inside an I/O error is not its source, and it may contain another I/O error.
            let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            source = wrapped.map(|wrapped| wrapped as _).or_else(|| cause.source());
        }
        false
    }

    /// Whether a success was answered with nothing where the description promises a body.
    pub(crate) fn is_empty_success(&self) -> bool {
        self.kind() == ErrorKind::Decode
            && self.status().is_some_and(|status| status.is_success())
            && self.excerpt().is_some_and(|body| matches!(body.trim(), "" | "null"))
    }

    /// Returns whether the error rejects the token of the request, so that a new one may be accepted: any 401, and an
    /// error whose code or message says so.
    pub(crate) fn rejects_token(&self) -> bool {
        match self.status() {
            Some(StatusCode::UNAUTHORIZED) => true,
            Some(status) => {
                self.code_info().is_some_and(ErrorCode::rejects_token)
                    || status == StatusCode::FORBIDDEN && code::words_reject_token(self.message())
            }
            None => false,
        }
    }

    /// Whether the same request may succeed later: throttled calls, failures of the network and 5xx statuses.
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Throttled | ErrorKind::Network | ErrorKind::Timeout => !self.says_bad_certificate(),
            ErrorKind::Service => self.status().is_some_and(|status| status.is_server_error()),
            _ => false,
        }
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

    /// The meaning and remedy of the code, if it is documented.
    pub fn code_info(&self) -> Option<&'static ErrorCode> {
        ErrorCode::lookup(self.code()?)
    }

    /// What the service said, or what is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The setting that is missing, where the session could not be built for want of it.
    ///
    /// ```
    /// use huaweicloud_jobs::{Session, Setting};
    ///
    /// let error = Session::builder().token("t").build().unwrap_err();
    /// assert_eq!(error.missing(), Some(Setting::ProjectId));
    /// ```
    pub fn missing(&self) -> Option<Setting> {
        self.0.missing
    }

    /// The id of the request, to be quoted in a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The encoded reason of a missing permission, where the service gave one; who may decode it learns which permission
    /// it is.
    pub fn encoded_authorization_message(&self) -> Option<&str> {
        self.0.authorization_message.as_deref()
    }

    /// The operation that failed, as the description names it.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation
    }

    /// The wait that the service asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The field of the request that breaks its limit, if it was found before sending.
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

    /// The proxy of the request, without its credentials, or `None` without a proxy.
    pub fn proxy(&self) -> Option<&str> {
        self.0.proxy.as_deref()
    }

    /// The host and the port of the request, if the error is about them.
    pub fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }

    /// How often the request was sent, where that is known; 0 if not.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the request may have reached the service. If not, a retry is safe.
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

    /// The credentials are accepted, but they do not allow this request. Grant the permission, and check the project.
    pub fn is_forbidden(&self) -> bool {
        self.kind() == ErrorKind::Permission
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
        let Inner { operation, status, code, message, request_id, place, proxy, .. } = &*self.0;
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        match (code, status) {
            (Some(code), Some(status)) => write!(f, "{} ({status}): ", line(code))?,
            (Some(code), None) => write!(f, "{}: ", line(code))?,
            (None, Some(status)) => write!(f, "{status}: ")?,
            (None, None) => {}
        }
        if let Some(place) = place {
            write!(f, "body at `{}`: ", line(place))?;
        }
        f.write_str(&line(message))?;
        // A failure with a code is the service's own; any other may be of the proxy.
        if let (Some(proxy), None) = (proxy, code) {
            write!(f, " (through the proxy {proxy})")?;
        }
        match request_id {
            Some(request_id) => write!(f, " [request {}]", line(request_id)),
            None => Ok(()),
        }
    }
}

/// A duration as it is said: whole seconds, else milliseconds.
fn in_words(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
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
            authorization_message,
            retry_after,
            field,
            place,
            excerpt,
            proxy,
            host,
            attempts,
            may_have_been_sent,
            missing: _,
            source,
        } = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind()).field("message", message);
        let parts: [(&str, Option<&dyn fmt::Debug>); 13] = [
            ("operation", operation.as_ref().map(|v| v as _)),
            ("status", status.as_ref().map(|v| v as _)),
            ("code", code.as_ref().map(|v| v as _)),
            ("request_id", request_id.as_ref().map(|v| v as _)),
            ("encoded_authorization_message", authorization_message.as_ref().map(|v| v as _)),
            ("retry_after", retry_after.as_ref().map(|v| v as _)),
            ("field", field.as_ref().map(|v| v as _)),
            ("place", place.as_ref().map(|v| v as _)),
            ("excerpt", excerpt.as_ref().map(|v| v as _)),
            ("proxy", proxy.as_ref().map(|v| v as _)),
            ("host", host.as_ref().map(|v| v as _)),
            ("attempts", Some(attempts).filter(|attempts| **attempts > 0).map(|v| v as _)),
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
        // The address is left out, since it may contain secrets.
        let error = error.without_url();
        // The last cause says what happened, those before it only where in the client.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let (kind, sent, message) = match () {
            () if error.is_builder() => (ErrorKind::InvalidRequest, false, cause.to_string()),
            () if error.is_connect() && error.is_timeout() => (ErrorKind::Timeout, false, "no connection".to_owned()),
            () if error.is_connect() => (ErrorKind::Network, false, format!("cannot connect: {cause}")),
            () if error.is_timeout() => (ErrorKind::Timeout, true, "no complete response".to_owned()),
            () => (ErrorKind::Network, true, format!("the connection broke off: {cause}")),
        };
        let mut converted = Self::new(kind, message).with_source(error);
        converted.0.may_have_been_sent = sent;
        converted
    }
}
