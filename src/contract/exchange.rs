//! Sends requests and records the responses.

use std::string::FromUtf8Error;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Caller, Payload};
use super::compare::plain;
use super::ids::id_of;
use super::model::Op;
use super::run::{Halt, RunState};
use super::schema::all_names;
use super::verdict::{Check, Exchange, MOST_TEXT, clipped};
use crate::error::{Error, ErrorCode, ErrorKind, Redactor, ResponseInfo};
use crate::har::Noted;
use crate::secret::Secret;
use crate::session::Transport;
use crate::spec::{self, PageShape};
use crate::transport::body::{self, Unread};

/// The wait before a throttled request is sent again where the response names none.
const THROTTLED_WAIT: Duration = Duration::from_secs(1);

/// The number of rejections in a row of the own credentials that end a run: five lock a key.
const MOST_REJECTIONS: u32 = 3;

/// The number of requests in a row without a response that end a run.
const MOST_TIMEOUTS: u32 = 3;

/// The number of requests in a row that end a run when all their attempts are throttled.
const MOST_THROTTLED: u32 = 3;
/// The number of items of a list in one response that are read.
const MOST_ITEMS: usize = 10_000;
/// The number of attempts of a throttled request.
const ATTEMPTS: u32 = 6;

/// Headers of responses that are kept.
const KEPT: [&str; 4] = ["content-type", "x-request-id", "retry-after", "allow"];

/// A request of a clause, before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) op: usize,
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Payload,
    pub(super) caller: Caller,
}

/// The response to a [`Call`].
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: Option<Value>,
    /// The index of its exchange.
    pub(super) exchange: usize,
}

impl Reply {
    /// Returns whether the request succeeded: some services report a failure under status 200.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.body.as_ref().is_none_or(|body| body["is_success"] != false)
    }

    pub(super) fn json(&self) -> &Value {
        self.body.as_ref().unwrap_or(&Value::Null)
    }

    pub(super) fn code(&self) -> Option<&str> {
        self.json()["error_code"].as_str()
    }

    /// Returns whether it is a failure with a documented code.
    pub(super) fn is_rejection(&self) -> bool {
        self.status >= 400 && self.code().is_some_and(|code| ErrorCode::lookup(code).is_some())
    }

    /// Returns whether it says that there is no such object.
    pub(super) fn is_unknown(&self) -> bool {
        let kind = self.code().and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
        kind == Some(ErrorKind::NotFound) || (kind.is_none() && self.status == 404)
    }

    /// Returns whether the endpoint does not have the operation.
    pub(super) fn is_absent(&self) -> bool {
        let gateway = self.code().and_then(ErrorCode::lookup).is_some_and(|code| code.code() == "APIG.0101");
        matches!(self.status, 405 | 501) || (self.status == 404 && (gateway || self.body.is_none()))
    }

    /// Returns the error that a client would get.
    pub(super) fn rejection(&self, op: &Op) -> Error {
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        let reply = ResponseInfo::new(status, &self.headers, Redactor::default());
        Error::answered(self.text.as_bytes(), &reply).with_operation(op.id)
    }

    pub(super) fn summary(&self) -> String {
        format!("{} {}", self.status, self.text.chars().take(200).collect::<String>())
    }
}

impl RunState {
    /// Waits until the next request may be sent.
    pub(super) async fn paced(&self) {
        let Some(interval) = self.options.interval else { return };
        let mut next = self.next.lock().await;
        let now = Instant::now();
        let at = (*next).max(now);
        *next = at + interval;
        drop(next);
        tokio::time::sleep(at - now).await;
    }

    /// Authenticates a request as a caller. Returns the secret of the session, if the request has it.
    pub(super) async fn authenticate(
        &self,
        caller: Caller,
        transport: &Transport,
        request: &mut reqwest::Request,
    ) -> Result<Option<Secret>, Error> {
        match caller {
            Caller::Own | Caller::OtherProject => return transport.authenticate(request).await,
            Caller::Anonymous => {}
            Caller::BadToken => {
                let token = HeaderValue::from_static("made-up-token-not-a-secret");
                request.headers_mut().insert("x-auth-token", token);
            }
            Caller::BadSignature => drop(self.strangers[0].authenticate(request).await?),
            Caller::StaleDate => drop(self.strangers[1].authenticate(request).await?),
        }
        Ok(None)
    }
}

impl Attempt<'_> {
    /// Sends a request, and retries it while it is throttled. Records what it creates.
    pub(super) async fn send(&mut self, request: &Call) -> Result<Reply, Halt> {
        let op = &self.model().operations[request.op];
        if !op.reads() {
            self.look_first(&request.path).await?;
        }
        let (transport, http, base) = self.run.session.way_to(op.service());
        let url = self.address(request, base)?;
        let malformed = |error: &dyn std::fmt::Display| Halt::NotTried(format!("the request cannot be made: {error}"));
        let body = match &request.body {
            Payload::None => None,
            Payload::Json(body) => Some(body.to_string()),
            Payload::Raw(text) => Some((*text).to_owned()),
        };
        let method = Method::from_bytes(op.operation.method.to_ascii_uppercase().as_bytes())
            .map_err(|error| malformed(&error))?;
        let (mut attempt, mut waited, mut renewed) = (0, Duration::ZERO, false);
        loop {
            attempt += 1;
            let mut outgoing = reqwest::Request::new(method.clone(), url.clone());
            outgoing.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(body) = &body {
                outgoing.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *outgoing.body_mut() = Some(body.clone().into());
            }
            *outgoing.timeout_mut() = Some(transport.timeout());
            let token = match op.is_authenticated() {
                true => self.run.authenticate(request.caller, transport, &mut outgoing).await.map_err(Halt::Fatal)?,
                false => None,
            };
            let authenticated = Instant::now();
            let redactor = Redactor::of(&outgoing, &op.operation.secrets(op.document.value()));
            self.run.paced().await;
            self.run.requests.fetch_add(1, Ordering::Relaxed);
            self.sent += 1;
            let mut exchange = Exchange {
                operation: op.id.to_owned(),
                method: method.to_string(),
                url: outgoing.url().to_string(),
                headers: shown(outgoing.headers()),
                body: body.as_deref().map(|body| hidden(op, body)),
                status: 0,
                response_headers: Vec::new(),
                response: String::new(),
            };
            // Before the request is sent, so that the object is known whatever ends the run meanwhile.
            let pending = self.expect(request);
            let noted = transport.noted(&outgoing);
            let (status, headers, bytes) = match receive(http, outgoing, noted).await {
                Ok(reply) => reply,
                Err(Failed::Connect(error)) => {
                    self.settle(request, pending, Settled::NotDone);
                    return Err(Halt::Fatal(error.into()));
                }
                Err(Failed::Midway { is_timeout, error }) => {
                    self.settle(request, pending, Settled::Unknown);
                    let timeouts = &self.run.timeouts;
                    if is_timeout && timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_TIMEOUTS {
                        return Err(Halt::Fatal(error));
                    }
                    self.keep(exchange);
                    self.differs(Check::Status, format!("no complete response: {error}"));
                    return Err(Halt::Broken);
                }
            };
            self.run.timeouts.store(0, Ordering::Relaxed);
            if matches!(status, 401 | 403) && !renewed && request.caller == Caller::Own {
                let status = StatusCode::from_u16(status).unwrap_or_default();
                let rejection = Error::answered(&bytes, &ResponseInfo::new(status, &headers, redactor.clone()));
                // A request that is rejected for its token has done nothing.
                if transport.renews(&rejection, token.as_ref(), authenticated) {
                    renewed = true;
                    self.settle(request, pending, Settled::NotDone);
                    continue;
                }
            }
            if status == 429 && attempt < ATTEMPTS && self.run.throttled.load(Ordering::Relaxed) < MOST_THROTTLED {
                let status = StatusCode::from_u16(status).unwrap_or_default();
                let asked = ResponseInfo::new(status, &headers, Redactor::default()).retry_after;
                // A service may name a wait of years.
                waited = waited.saturating_add(asked.unwrap_or(THROTTLED_WAIT));
                if waited <= self.run.options.patience {
                    self.settle(request, pending, Settled::NotDone);
                    tokio::time::sleep(asked.unwrap_or(THROTTLED_WAIT)).await;
                    continue;
                }
            }
            let received = String::from_utf8(bytes.into());
            let is_text = received.is_ok();
            let lossy = |error: FromUtf8Error| String::from_utf8_lossy(error.as_bytes()).into_owned();
            // The rest of the run uses only the redacted text.
            let text = redactor.redact(received.unwrap_or_else(lossy));
            let parsed: Option<Value> = if is_text { serde_json::from_str(&text).ok() } else { None };
            exchange.status = status;
            exchange.response = clipped(&text, MOST_TEXT).into_owned();
            exchange.response_headers = kept(&headers);
            for (_, value) in &mut exchange.response_headers {
                *value = redactor.redact(std::mem::take(value));
            }
            self.keep(exchange);
            let reply = Reply { status, headers, text, body: parsed, exchange: self.exchanges.len() - 1 };
            self.settle(
                request,
                pending,
                match status {
                    _ if reply.is_success() => Settled::Done(&reply),
                    500.. => Settled::Doubtful,
                    _ => Settled::NotDone,
                },
            );
            if status == 429 && self.run.throttled.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_THROTTLED {
                return Err(Halt::Fatal(reply.rejection(op)));
            } else if status != 429 {
                self.run.throttled.store(0, Ordering::Relaxed);
            }
            if request.caller == Caller::Own && op.is_authenticated() {
                let rejections = &self.run.rejections;
                if status != 401 {
                    rejections.store(0, Ordering::Relaxed);
                } else if rejections.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_REJECTIONS {
                    return Err(Halt::Fatal(reply.rejection(op)));
                }
            }
            if reply.is_absent() {
                return Err(Halt::Absent(
                    request.op,
                    format!("{} {} returned {}", method, op.operation.path, reply.summary()),
                ));
            }
            self.check_length(request.op, &reply)?;
            return Ok(reply);
        }
    }

    /// Returns the address of a request. A value that would change the path is an error.
    fn address(&self, request: &Call, base: &str) -> Result<reqwest::Url, Halt> {
        let op = &self.model().operations[request.op];
        let own = self.run.session.project_id().as_str();
        let other = other_project(own);
        let project = if request.caller == Caller::OtherProject { &other } else { own };
        let malformed = |error: &dyn std::fmt::Display| Halt::NotTried(format!("the request cannot be made: {error}"));
        for (name, value) in &request.path {
            if matches!(value.as_str(), "" | "." | "..") {
                return Err(malformed(&format_args!("the {name} {value:?} would lead elsewhere")));
            }
        }
        let values = request.path.iter().map(|(name, value)| (&**name, value.as_str()));
        let query = request.query.iter().map(|(name, value)| (&**name, value.as_str()));
        let values = [("project_id", project)].into_iter().chain(values);
        spec::address(base, op.operation.path, values, query).map_err(|reason| malformed(&reason))
    }

    /// Records that a request may rename or create an object. Returns the key of the object that may be created.
    fn expect(&self, request: &Call) -> Option<u64> {
        let body = if let Payload::Json(body) = &request.body { Some(body) } else { None };
        if self.model().objects.iter().any(|object| object.update == Some(request.op)) {
            let field = self.model().operations[request.op].name_field();
            if let Some(name) = field.and_then(|field| plain(body?.get(field)?)) {
                self.run.inventory.renamed(&request.path, &name);
            }
        }
        let object = self.model().created_by(request.op)?;
        Some(self.run.inventory.expect(self.owner, object, &request.path, body))
    }

    /// Records the result of a request that may create or delete an object.
    fn settle(&self, request: &Call, pending: Option<u64>, settled: Settled<'_>) {
        let inventory = &self.run.inventory;
        let body = if let Payload::Json(body) = &request.body { Some(body) } else { None };
        if let (Some(key), Some(object)) = (pending, self.model().created_by(request.op)) {
            match settled {
                Settled::NotDone => inventory.forget(key),
                Settled::Unknown => {}
                Settled::Doubtful => inventory.doubt(key, &self.run.prefix()),
                // A body that is no JSON names no object, whatever its status.
                Settled::Done(reply) => {
                    let id = reply.body.as_ref().map(|reply| id_of(&self.model().objects[object], reply, body));
                    if let Some(Ok(Some(id))) = id {
                        inventory.identify(key, &id);
                    }
                }
            }
        }
        if matches!(settled, Settled::Done(_)) {
            inventory.deleted(request.op, &request.path);
        }
    }

    /// Ends the clause where a list has too many items to be read.
    fn check_length(&mut self, op: usize, reply: &Reply) -> Result<(), Halt> {
        let op = &self.model().operations[op];
        let items = op.items().and_then(|(field, _)| reply.json().get(field)?.as_array());
        let count = items.map_or(0, Vec::len);
        if count <= MOST_ITEMS {
            return Ok(());
        }
        let text = format!("{} returned {count} items at once", op.id);
        if op.pages() == PageShape::Whole {
            return Err(Halt::NotTried(format!("{text}; up to {MOST_ITEMS} are looked at")));
        }
        self.differs(Check::Property, text);
        Err(Halt::Broken)
    }
}

/// The result of a request, as far as it is known.
#[derive(Clone, Copy)]
enum Settled<'a> {
    Done(&'a Reply),
    NotDone,
    /// The service failed, in most cases before it did anything.
    Doubtful,
    /// No complete response was received.
    Unknown,
}

/// Why there is no complete response.
enum Failed {
    /// Nothing was sent.
    Connect(reqwest::Error),
    Midway {
        is_timeout: bool,
        error: Error,
    },
}

/// Sends a request and reads the response up to the limit for bodies.
async fn receive(
    http: &reqwest::Client,
    request: reqwest::Request,
    mut noted: Noted,
) -> Result<(u16, HeaderMap, BytesMut), Failed> {
    let midway =
        |error: reqwest::Error| Failed::Midway { is_timeout: error.is_timeout(), error: error.without_url().into() };
    let mut response = match http.execute(request).await.inspect_err(|error| noted.failed(error)) {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(Failed::Connect(error)),
        Err(error) => return Err(midway(error)),
    };
    noted.answered(&response);
    let mut bytes = BytesMut::new();
    let outcome = body::read(&mut response, &mut bytes, body::LIMIT).await;
    let info = ResponseInfo::new(response.status(), response.headers(), Redactor::default());
    let error = match outcome {
        Ok(()) => {
            noted.received(&bytes);
            return Ok((response.status().as_u16(), std::mem::take(response.headers_mut()), bytes));
        }
        Err(Unread::TooLarge) => Error::too_large(body::LIMIT, b"", &info),
        Err(Unread::Undecodable(reason)) => Error::incomplete(reason, b"", &info),
        Err(Unread::Broken(error)) => return Err(midway(error)),
    };
    Err(Failed::Midway { is_timeout: false, error })
}

/// Returns the id of another project.
fn other_project(own: &str) -> String {
    let other = "0123456789abcdef0123456789abcdef";
    if own == other { other.chars().rev().collect() } else { other.to_owned() }
}

/// Returns the headers of a response that reports show.
pub(super) fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |name: &str| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned()));
    KEPT.iter().filter_map(|name| value(name)).collect()
}

/// Returns the headers of a request, with variables of a shell instead of secrets.
pub(super) fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let variable = |name: &str| match name {
        "x-auth-token" => Some("$HUAWEICLOUD_TOKEN"),
        "authorization" => Some("$HUAWEICLOUD_AUTHORIZATION"),
        "x-security-token" => Some("$HUAWEICLOUD_SECURITY_TOKEN"),
        _ => None,
    };
    headers
        .iter()
        .map(|(name, value)| {
            let value = variable(name.as_str())
                .map_or_else(|| String::from_utf8_lossy(value.as_bytes()).into_owned(), str::to_owned);
            (name.to_string(), value)
        })
        .collect()
}

/// Returns a body with its password redacted.
fn hidden(op: &Op, body: &str) -> String {
    let is_secret = op.body.is_some_and(|schema| all_names(op.document.value(), schema).contains(&"password"));
    match serde_json::from_str::<Value>(body) {
        Ok(mut body) if is_secret => {
            if let Some(password) = body.pointer_mut("/auth/identity/password/user/password") {
                *password = "***".into();
            }
            body.to_string()
        }
        _ => body.to_owned(),
    }
}
