//! The transport of all requests: authenticates, sends, reads the whole response, separates errors from successes, and
//! retries.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http::header::LOCATION;
use percent_encoding::percent_decode_str;
use reqwest::{Request, Response, ResponseBuilderExt, Url};
use serde_json::Value;
use tracing::{Instrument, Span, field};

use crate::clock::Clock;
use crate::error::{self, Error, Redactor, ResponseInfo};
use crate::har::{Noted, Recorder};
use crate::secret::Secret;

pub(crate) mod body;
mod carry;
mod operation;
mod retry;

pub use operation::Operation;
pub(crate) use retry::Budget;
pub use retry::RetryPolicy;

use body::Unread;
use carry::carry;

/// Authenticates requests. The session implements it, since it has the credentials.
pub(crate) trait Authenticate: fmt::Debug + Send + Sync {
    /// Authenticates a request. Returns its secret, which must be redacted if a server echoes it.
    fn authenticate<'a>(
        &'a self,
        request: &'a mut Request,
        clock: &'a dyn Clock,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Secret>, Error>> + Send + 'a>>;

    /// Authenticates a request for display only: it does not fetch a token.
    #[cfg(feature = "raw")]
    fn preview(&self, request: &mut Request, clock: &dyn Clock) -> Result<(), Error>;

    /// Drops a rejected token, and returns whether another one can be fetched. `authenticated` is the time when the
    /// token was added to the request.
    fn forget(&self, token: &Secret, authenticated: Instant) -> bool;
}

/// The transport that all clients of a session share.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) auth: Arc<dyn Authenticate>,
    pub(crate) route: Route,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    pub(crate) clock: Arc<dyn Clock>,
    /// The connection timeout of the HTTP clients, for messages.
    pub(crate) connect_timeout: Duration,
    /// The time limit for all attempts of a call.
    pub(crate) timeout: Duration,
    /// Notes each attempt.
    pub(crate) recorder: Option<Recorder>,
}

/// The route to a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// The proxy, without its credentials.
    pub(crate) proxy: Option<String>,
    /// The error if the address of the service is unknown.
    pub(crate) unaddressed: Option<Error>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { auth, route, retry, budget, clock, connect_timeout, timeout, recorder } = &*self.0;
        f.debug_struct("Transport")
            .field("auth", auth)
            .field("route", route)
            .field("retry", retry)
            .field("budget", budget)
            .field("clock", clock)
            .field("connect_timeout", connect_timeout)
            .field("timeout", timeout)
            .field("recorder", recorder)
            .finish()
    }
}

tokio::task_local! {
    /// Status and request id of the current call's response. The generator's errors lose them if a body cannot be
    /// parsed.
    static RESPONSE: RefCell<ResponseInfo>;
    /// Set if the caller retries calls itself.
    static ONCE: ();
}

/// Runs calls without retries, whatever the session's [`RetryPolicy`] is.
pub(crate) async fn once<T>(calls: impl Future<Output = T>) -> T {
    ONCE.scope((), calls).await
}

/// Runs a call and returns the properties of its response.
pub(crate) async fn observe<T>(call: impl Future<Output = T>) -> (T, ResponseInfo) {
    RESPONSE
        .scope(RefCell::default(), async {
            let outcome = call.await;
            (outcome, RESPONSE.with(RefCell::take))
        })
        .await
}

impl Transport {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Returns the clock of the session.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// Returns the time limit of a call with all its attempts.
    #[cfg(feature = "contract")]
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Returns the same transport with another authenticator.
    pub(crate) fn authenticated_by(&self, auth: Arc<dyn Authenticate>) -> Self {
        Self::new(Inner { auth, ..(*self.0).clone() })
    }

    /// Returns the same transport with another route.
    pub(crate) fn routed(&self, route: Route) -> Self {
        Self::new(Inner { route, ..(*self.0).clone() })
    }

    /// Whether the address of the service is known.
    pub(crate) fn is_addressed(&self) -> bool {
        self.0.route.unaddressed.is_none()
    }

    /// Returns an error if the address of the service is unknown.
    fn addressed(&self) -> Result<(), Error> {
        self.0.route.unaddressed.clone().map_or(Ok(()), Err)
    }

    /// Sends a request of a generated client. An error is returned as a response that carries an [`Error`].
    pub(crate) async fn exec(
        &self,
        http: &reqwest::Client,
        request: Request,
        operation: Option<&'static Operation>,
    ) -> reqwest::Result<Response> {
        Ok(match self.send(http, request, operation).await {
            Ok((response, info)) => {
                let acknowledgement =
                    operation.and_then(|operation| operation.acknowledgement).filter(|_| info.is_empty);
                let response = match acknowledgement {
                    Some(template) => acknowledge(response, operation.map_or("", |operation| operation.path), template),
                    None => response,
                };
                // Outside of `observe` the properties of the response are not needed.
                let _ = RESPONSE.try_with(|cell| cell.replace(info));
                response
            }
            Err(error) => carry(error),
        })
    }

    /// Sends a request with its retries.
    pub(crate) fn send(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation: Option<&'static Operation>,
    ) -> impl Future<Output = Result<(Response, ResponseInfo), Error>> {
        // Boxed because the future is large: each enclosing async layer would store its own copy.
        Box::pin(async move {
            let span = Timed::new(tracing::debug_span!(
                "call",
                operation = operation.map_or("unknown", |operation| operation.id),
                status = field::Empty,
                request_id = field::Empty,
                duration_ms = field::Empty
            ));
            let outcome = self.attempts(http, &mut request, operation).instrument(span.0.clone()).await;
            let outcome = outcome.map_err(|error| {
                let Inner { connect_timeout, timeout, .. } = *self.0;
                let error = error.at(|| base(request.url(), operation), connect_timeout, timeout);
                match operation {
                    Some(operation) => error.or_operation(operation.id),
                    None => error,
                }
            });
            match &outcome {
                Ok((_, info)) => record(&span.0, info.status, || info.request_id()),
                Err(error) => record(&span.0, error.status(), || error.request_id().map(str::to_owned)),
            }
            outcome
        })
    }

    /// Authenticates a request that is sent by other means. Returns the secret that goes along.
    #[cfg(feature = "contract")]
    pub(crate) async fn authenticate(&self, request: &mut Request) -> Result<Option<Secret>, Error> {
        self.addressed()?;
        self.0.auth.authenticate(request, self.clock()).await
    }

    /// Whether a request that failed may be sent again with a new token: the failure rejects its token, which is dropped,
    /// and the credentials can bring another one. `authenticated` is when the token was put onto the request.
    pub(crate) fn renews(&self, error: &Error, token: Option<&Secret>, authenticated: Instant) -> bool {
        error.rejects_token() && token.is_some_and(|token| self.0.auth.forget(token, authenticated))
    }

    /// Begins the record of an authenticated request that is about to be sent.
    pub(crate) fn noted(&self, request: &Request) -> Noted {
        Noted::new(self.0.recorder.as_ref(), request, self.clock())
    }

    /// Prepares a request for display, without sending anything.
    #[cfg(feature = "raw")]
    pub(crate) fn preview(&self, request: &mut Request, operation: &Operation) -> Result<(), Error> {
        self.addressed()?;
        if operation.authenticated { self.0.auth.preview(request, self.clock()) } else { Ok(()) }
    }

    async fn attempts(
        &self,
        http: &reqwest::Client,
        request: &mut Request,
        operation: Option<&'static Operation>,
    ) -> Result<(Response, ResponseInfo), Error> {
        self.addressed()?;
        let Inner { auth, route: Route { proxy, .. }, retry, budget, clock, timeout, .. } = &*self.0;
        let started = clock.now();
        // A clock that was set back has used no time.
        let spent = || clock.now().duration_since(started).unwrap_or_default();
        let repeats = ONCE.try_with(|()| ()).is_err();
        let (mut attempt, mut renewed) = (1, false);
        // Whether any attempt so far may have reached the service.
        let mut sent = false;
        loop {
            // This block drops the request early.
            let (pending, secret, redactor, authenticated, noted) = {
                let Some(mut this) = take(request) else {
                    return Err(Error::invalid_request("a body that is a stream cannot be sent"));
                };
                let secret = match operation {
                    Some(operation) if !operation.authenticated => None,
                    // If no token could be fetched, this request was not sent, even if the token request was.
                    _ => auth.authenticate(&mut this, &**clock).await.map_err(|error| error.with_sent(sent))?,
                };
                let authenticated = Instant::now();
                // Computed after the login, which uses part of the time.
                let Some(left) = timeout.checked_sub(spent()).filter(|left| !left.is_zero()) else {
                    return Err(Error::timeout("no complete response").with_sent(sent).after(attempt));
                };
                *this.timeout_mut() = Some(left);
                let redactor = Redactor::of(&this, operation.map_or(&[], |operation| operation.secrets));
                let noted = self.noted(&this);
                (http.execute(this), secret, redactor, authenticated, noted)
            };
            let error = {
                let span = Timed::new(tracing::debug_span!(
                    "attempt",
                    attempt,
                    status = field::Empty,
                    request_id = field::Empty,
                    duration_ms = field::Empty
                ));
                match receive(pending, redactor, noted).instrument(span.0.clone()).await {
                    Ok((response, mut info)) => {
                        budget.refill();
                        info.proxy.clone_from(proxy);
                        return Ok((response, info));
                    }
                    Err(error) => error.with_proxy(proxy.as_deref()),
                }
            };
            tracing::debug!(attempt, kind = ?error.kind(), code = error.code(), "failed");
            if !renewed && self.renews(&error, secret.as_ref(), authenticated) {
                tracing::debug!("the token was rejected; signing in again");
                // A request that was rejected for its token has done nothing, so any request can be retried.
                renewed = true;
                continue;
            }
            sent |= error.may_have_been_sent();
            // The service's wait may overflow the addition.
            let wait = retry.wait(attempt, operation, &error).filter(|_| repeats);
            let wait = wait.filter(|wait| spent().saturating_add(*wait) < *timeout);
            let Some((wait, taken)) = wait.and_then(|wait| Some((wait, budget.take()?))) else {
                return Err(error.with_sent(sent).after(attempt));
            };
            clock.sleep(wait).await;
            taken.spend();
            attempt += 1;
        }
    }
}

/// Takes a request and leaves a copy in its place. Returns `None` if its body is a stream.
///
/// [`Request::try_clone`] also copies parts that a generated request does not have, which is slower.
fn take(request: &mut Request) -> Option<Request> {
    let mut copy = Request::new(request.method().clone(), request.url().clone());
    request.headers().clone_into(copy.headers_mut());
    if let Some(body) = request.body() {
        *copy.body_mut() = Some(body.as_bytes()?.to_vec().into());
    }
    // The copy has no spare room for headers, so the original is sent.
    Some(std::mem::replace(request, copy))
}

/// A span that records its duration, also if it is dropped early.
struct Timed(Span, Option<Instant>);

impl Timed {
    fn new(span: Span) -> Self {
        let started = (!span.is_disabled()).then(Instant::now);
        Self(span, started)
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        let Self(span, started) = self;
        if let Some(started) = started {
            span.record("duration_ms", u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        }
    }
}

/// Reads the response of one attempt, whatever its status is.
async fn receive(
    sent: impl Future<Output = reqwest::Result<Response>>,
    redactor: Redactor,
    mut noted: Noted,
) -> Result<(Response, ResponseInfo), Error> {
    let mut response = sent.await.inspect_err(|error| noted.failed(error))?;
    noted.answered(&response);
    let status = response.status();
    let mut info = ResponseInfo::new(status, response.headers(), redactor);
    record(&Span::current(), info.status, || info.request_id());
    let mut body = BytesMut::new();
    match body::read(&mut response, &mut body, body::LIMIT).await {
        Ok(()) => noted.received(&body),
        Err(Unread::Broken(error)) => return Err(broken(error, &body, &info)),
        // The status of an error page is more useful than its unreadable body.
        Err(Unread::TooLarge | Unread::Undecodable(_)) if !status.is_success() => {}
        Err(Unread::TooLarge) => return Err(Error::too_large(body::LIMIT, &body, &info)),
        Err(Unread::Undecodable(reason)) => {
            return Err(Error::undecodable(".".to_owned(), reason, b"", &info));
        }
    }
    if status.is_redirection() {
        return Err(Error::redirected(redirection(&response), &body, &info));
    }
    if !status.is_success() || error::says_failure(&body) {
        return Err(Error::answered(&body, &info));
    }
    info.is_empty = matches!(body.trim_ascii(), b"" | b"null");
    let mut whole = http::Response::builder();
    if let Some(extensions) = whole.extensions_mut() {
        *extensions = std::mem::take(response.extensions_mut());
    }
    // Without an explicit address, the response would parse a default address each time.
    let mut whole = whole
        .url(response.url().clone())
        .body(body.freeze())
        .map_err(|error| Error::incomplete("the response cannot be handed on", b"", &info).with_source(error))?;
    *whole.status_mut() = status;
    *whole.headers_mut() = std::mem::take(response.headers_mut());
    Ok((whole.into(), info))
}

/// Returns the error for a redirect with its target and the setting to change.
fn redirection(response: &Response) -> String {
    let here = response.url();
    let there = response.headers().get(LOCATION).and_then(|location| here.join(location.to_str().ok()?).ok());
    let Some(mut there) = there.filter(|there| matches!(there.scheme(), "http" | "https")) else {
        return "the response is a redirect that does not say where to; check the endpoint".to_owned();
    };
    // Passwords and tokens in the address are not shown.
    let _ = (there.set_username(""), there.set_password(None));
    there.set_query(None);
    there.set_fragment(None);
    let mut endpoint = there.clone();
    endpoint.set_path(there.path().strip_suffix(here.path()).unwrap_or_default());
    let endpoint = endpoint.as_str().trim_end_matches('/');
    format!(
        "the response is a redirect to {there}, which is not followed, since the credentials would go there; if the \
         service is at {endpoint}, set the endpoint to it (`SessionBuilder::endpoint_of`, HWJOBS_ENDPOINT, --endpoint)"
    )
}

/// Returns the address before the path of the operation.
fn base(url: &Url, operation: Option<&Operation>) -> Url {
    let mut base = url.clone();
    base.set_query(None);
    let segments = operation.map_or(usize::MAX, |operation| operation.path.matches('/').count());
    if let Ok(mut path) = base.path_segments_mut() {
        let all = url.path().matches('/').count();
        (0..segments.min(all)).for_each(|_| {
            path.pop();
        });
    }
    base
}

/// Returns the response that an empty body means, with the path parameters of its request.
fn acknowledge(response: Response, path: &str, template: &str) -> Response {
    let url = response.url().clone();
    let given = url.path().rsplit('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy());
    let mut body = template.to_owned();
    for (name, value) in path.rsplit('/').zip(given).filter(|(name, _)| name.starts_with('{')) {
        // Both placeholders are inside quotation marks.
        let value = Value::from(&*value).to_string();
        body = body.replace(&format!("\"{name}\""), &value);
    }
    let (parts, _) = http::Response::<reqwest::Body>::from(response).into_parts();
    http::Response::from_parts(parts, body).into()
}

/// Records what is known of a response, if somebody looks at the span.
fn record(span: &Span, status: Option<http::StatusCode>, request_id: impl FnOnce() -> Option<String>) {
    if span.is_disabled() {
        return;
    }
    if let Some(status) = status {
        span.record("status", status.as_u16());
    }
    if let Some(request_id) = request_id() {
        span.record("request_id", request_id.as_str());
    }
}

/// Returns the error for a response that broke off, with the received part.
fn broken(error: reqwest::Error, body: &[u8], info: &ResponseInfo) -> Error {
    if error.is_timeout() {
        return Error::from(error).with_response(info);
    }
    let reason = format!("the response broke off after {} bytes", body.len());
    Error::incomplete(reason, body, info).with_source(error.without_url())
}
