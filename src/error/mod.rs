//! The error type of this crate.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use reqwest::Url;

mod code;
pub(crate) mod confidential;
mod display;
mod failure;
mod kind;
mod redact;
mod response;
mod setting;

pub use code::{ErrorCode, Retry};
pub(crate) use display::in_full;
pub(crate) use failure::says_failure;
pub use kind::ErrorKind;
pub(crate) use redact::{Patterns, Redactor, credential};
pub(crate) use response::ResponseInfo;
pub use setting::Setting;

use code::kind_of;
use failure::Failure;

/// The longest excerpt of a response body in an error, in characters.
const EXCERPT: usize = 512;
/// The longest message of a service in an error, in characters.
const MESSAGE: usize = 4096;
/// How much of a body is read for its excerpt, in bytes. It is more than the excerpt, because a secret that is cut off could
/// not be redacted.
const WINDOW: usize = 64 * 1024;

/// A failure of a call.
///
/// It is one opaque type with a [`kind`](Self::kind), a predicate for each kind, and accessors. `Display` is one line for
/// logs; `{:?}` is the same line with the kind, and `{:#?}` shows every part.
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
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
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

    /// A response that could not be read to its end.
    pub(crate) fn incomplete(reason: impl Into<String>, body: &[u8], info: &ResponseInfo) -> Self {
        Self::new(ErrorKind::Network, reason).with_body(body, info)
    }

    /// A response that is larger than the limit and not read to its end.
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

    /// A failure that the service or the gateway returned, whatever the shape of its body.
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

    /// Adds the beginning of the body, with every secret of the request redacted.
    fn with_body(mut self, body: &[u8], info: &ResponseInfo) -> Self {
        let head = String::from_utf8_lossy(&body[..body.len().min(WINDOW)]).into_owned();
        let visible = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
        self.0.excerpt = Some(info.redactor.redact(head).chars().take(EXCERPT).map(visible).collect());
        self.0.may_have_been_sent = true;
        self.with_response(info)
    }

    /// A redirect; `message` says where it leads.
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

    /// Whether the certificate of the server was not accepted.
    pub(crate) fn has_bad_certificate(&self) -> bool {
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

    /// Whether a successful response is empty where the description promises a body.
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

    /// Whether the failure is transient: too many requests, a failure of the network, or a 5xx status. A certificate that is
    /// not accepted will not be accepted the next time either.
    pub(crate) fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Throttled | ErrorKind::Network | ErrorKind::Timeout => !self.has_bad_certificate(),
            ErrorKind::Service => self.status().is_some_and(|status| status.is_server_error()),
            _ => false,
        }
    }

    /// Whether the same request may succeed if it is sent again after a pause: what the documentation says of the
    /// [code](ErrorCode::retry), else whether the failure is transient. Sending a request twice can do a thing twice, see
    /// [`may_have_been_sent`](Self::may_have_been_sent).
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let job = session.modelarts().training_job(10)?;
    /// match job.update_description("text").await {
    ///     Err(error) if error.is_retryable() => println!("later, in {:?}", error.retry_after()),
    ///     outcome => outcome?,
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn is_retryable(&self) -> bool {
        let is_passing = || matches!(self.status().map(|status| status.as_u16()), Some(429 | 502 | 503 | 504));
        match self.code_info().map(ErrorCode::retry) {
            Some(Retry::Yes) => true,
            // Some codes stand for failures of several kinds; these statuses tell the transient ones.
            Some(Retry::No | Retry::Later) => is_passing() && self.is_transient(),
            None => self.is_transient(),
        }
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind.unwrap_or(ErrorKind::Service)
    }

    /// The HTTP status, if there was a response.
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

    /// The message of the service, or what is wrong.
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

    /// The encoded reason of a missing permission, where the service returned one. An administrator can decode which
    /// permission it is.
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

    /// The place in the response's body that could not be read, for example `jobs[3].job_id`.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// The beginning of the response's body, at most 512 characters.
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

    /// How often the request was sent; 0 if it was not sent or the number is not known.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the request may have reached the service. If not, a retry is safe.
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// Whether the object does not exist. Check the id, the project and the region.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether there are too many requests. Wait for [`retry_after`](Self::retry_after), or a little, and send fewer.
    pub fn is_throttled(&self) -> bool {
        self.kind() == ErrorKind::Throttled
    }

    /// Whether the credentials were not accepted. Do not repeat the request: several failures lock a key for minutes.
    #[doc(alias = "is_authentication")]
    pub fn is_unauthenticated(&self) -> bool {
        self.kind() == ErrorKind::Authentication
    }

    /// Whether the credentials are accepted but do not allow this request. Grant the permission, and check the project.
    #[doc(alias = "is_permission")]
    pub fn is_forbidden(&self) -> bool {
        self.kind() == ErrorKind::Permission
    }

    /// Whether the name is taken, or the state of the object does not allow the change.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Whether the request is malformed. Where nothing was sent, [`field`](Self::field) names the value.
    pub fn is_invalid_request(&self) -> bool {
        self.kind() == ErrorKind::InvalidRequest
    }

    /// Whether the session cannot be built from what was given, or the endpoint does not have the operation.
    pub fn is_configuration(&self) -> bool {
        self.kind() == ErrorKind::Configuration
    }

    /// Whether the service failed or rejected the request for a reason that no other kind covers.
    pub fn is_service(&self) -> bool {
        self.kind() == ErrorKind::Service
    }

    /// Whether no complete response came over the network.
    pub fn is_network(&self) -> bool {
        self.kind() == ErrorKind::Network
    }

    /// Whether no complete response came in time. The request may have had its effect all the same.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the response does not match the description. [`place`](Self::place) names the part that could not be read.
    pub fn is_decode(&self) -> bool {
        self.kind() == ErrorKind::Decode
    }
}

/// A duration in words: whole seconds, else milliseconds.
fn in_words(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
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
        // The last cause describes the failure; the ones before it only name layers of the client.
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
