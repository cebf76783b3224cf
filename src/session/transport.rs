//! One way out for every request: authenticate, send, read the whole answer, tell failure from success.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use http::HeaderValue;
use reqwest::{Request, Response};
use tracing::Instrument;

use super::Secret;
use crate::api::Operation;
use crate::error::{self, Answer, Error};

/// The largest body of an answer that is read.
const MAX_BODY: usize = 16 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const USER_AGENT: &str = concat!("huaweicloud-jobs/", env!("CARGO_PKG_VERSION"));

/// What every client of a session shares: how to authenticate and how to send.
#[derive(Clone)]
pub struct Transport {
    token: Secret,
    header: HeaderValue,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, header: _ } = self;
        f.debug_struct("Transport").field("token", token).finish_non_exhaustive()
    }
}

tokio::task_local! {
    /// What the current call learned of its answer. The generator's errors lose the status of a body they cannot read.
    static ANSWER: RefCell<Answer>;
}

/// Runs a call and keeps what was learned of its answer.
pub(crate) async fn observe<T>(call: impl Future<Output = T>) -> (T, Answer) {
    ANSWER
        .scope(RefCell::default(), async {
            let outcome = call.await;
            (outcome, ANSWER.with(RefCell::take))
        })
        .await
}

/// The HTTP client of a session.
pub(crate) fn http_client() -> Result<reqwest::Client, Error> {
    // A program that has chosen a TLS provider keeps its choice.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        // A redirect would send the token elsewhere; these APIs have none.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Error::configuration("the HTTP client cannot be set up").with_source(error))
}

impl Transport {
    pub(crate) fn new(token: Secret) -> Result<Self, Error> {
        let mut header = HeaderValue::from_str(token.expose())
            .map_err(|_| Error::configuration("the token holds characters that cannot be in a header"))?;
        if header.is_empty() {
            return Err(Error::configuration("the token is empty"));
        }
        header.set_sensitive(true);
        Ok(Self { token, header })
    }

    /// Sends a request of a generated client. Failures come back as a response that carries an [`Error`].
    pub(crate) async fn exec(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation: Option<&'static Operation>,
    ) -> reqwest::Result<Response> {
        let id = operation.map_or("unknown", |operation| operation.id);
        let span = tracing::debug_span!(
            "call",
            operation = id,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty
        );
        // The generator sends the version of the description on every call; the APIs know no such header.
        request.headers_mut().remove("api-version");
        if operation.is_none_or(|operation| operation.authenticated) {
            request.headers_mut().insert("x-auth-token", self.header.clone());
        }
        async {
            let response = http.execute(request).await?;
            let span = tracing::Span::current();
            span.record("status", response.status().as_u16());
            let answer = Answer::new(response.status(), response.headers(), Some(self.token.clone()));
            if let Some(request_id) = &answer.request_id {
                span.record("request_id", request_id);
            }
            // Outside of `observe` there is nobody to tell.
            let _ = ANSWER.try_with(|cell| cell.replace(answer.clone()));
            Ok(match self.read(response, &answer).await {
                Ok(response) => response,
                Err(error) => {
                    tracing::debug!(kind = ?error.kind(), code = error.code(), "failed");
                    carry(error)
                }
            })
        }
        .instrument(span)
        .await
    }

    /// Reads the body once, whatever the status.
    async fn read(&self, mut response: Response, answer: &Answer) -> Result<Response, Error> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_BODY => {
                    return Err(Error::incomplete(format!("the body is larger than {MAX_BODY} bytes"), &body, answer));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(broken(error, &body, answer)),
            }
        }
        if !response.status().is_success() || error::says_failure(&body) {
            return Err(Error::answered(&body, answer));
        }
        let mut whole = http::Response::new(body);
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        Ok(whole.into())
    }
}

/// An answer that broke off: what came of it is kept.
fn broken(error: reqwest::Error, body: &[u8], answer: &Answer) -> Error {
    if error.is_timeout() {
        return Error::from(error).with_answer(answer);
    }
    Error::incomplete(format!("the answer broke off after {} bytes", body.len()), body, answer)
        .with_source(error.without_url())
}

/// The generator's way back takes responses only, so an error travels in one.
fn carry(error: Error) -> Response {
    let mut response = http::Response::new(Vec::new());
    // A status that no operation documents: the generated client hands the response over untouched.
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(error);
    response.into()
}
