//! Sends requests and notes what came back.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::attempt::Attempt;
use super::compare::plain;
use super::model::{Op, all_names};
use super::objects::id_of;
use super::plan::{Identity, Payload};
use super::run::{Halt, Run};
use super::verdict::{Check, Exchange, MOST_TEXT, clipped};
use crate::error::{Error, ErrorCode, Redactor, ResponseInfo};
use crate::session::Transport;
use crate::spec::{self, PageShape};
use crate::transport::body::{self, Unread};

/// The largest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// So many refusals in a row of the own credentials end a run: five lock a key.
const MOST_REFUSALS: u32 = 3;

/// So many requests in a row without an answer end a run.
const MOST_SILENCES: u32 = 3;

/// So many requests in a row that are throttled to the end, end a run.
const MOST_THROTTLED: u32 = 3;
/// More items of a list are not looked at.
const MOST_ITEMS: usize = 10_000;
/// How often a request is sent that is throttled.
const ATTEMPTS: u32 = 6;

/// Headers of answers that are kept.
const KEPT: [&str; 4] = ["content-type", "x-request-id", "retry-after", "allow"];

/// A request to be sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) op: usize,
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Payload,
    pub(super) identity: Identity,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: Option<Value>,
    /// Which exchange it is.
    pub(super) exchange: usize,
}

impl Answer {
    /// Whether the service did what it was asked; some say under 200 that they did not.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.body.as_ref().is_none_or(|body| body["is_success"] != false)
    }

    pub(super) fn json(&self) -> &Value {
        self.body.as_ref().unwrap_or(&Value::Null)
    }

    pub(super) fn code(&self) -> Option<&str> {
        self.json()["error_code"].as_str()
    }

    /// Whether the service refused in a documented way, and not just anything came.
    pub(super) fn is_refusal(&self) -> bool {
        self.status >= 400 && self.code().is_some_and(|code| ErrorCode::lookup(code).is_some())
    }

    /// The answer as the error that a client would see.
    pub(super) fn refusal(&self, op: &Op) -> Error {
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        let answer = ResponseInfo::new(status, &self.headers, Redactor::default());
        Error::answered(self.text.as_bytes(), &answer).with_operation(op.id)
    }

    pub(super) fn told(&self) -> String {
        format!("{} {}", self.status, self.text.chars().take(200).collect::<String>())
    }
}

impl Run {
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

    /// Authenticates a request as an identity.
    pub(super) async fn prove(
        &self,
        identity: Identity,
        transport: &Transport,
        request: &mut reqwest::Request,
    ) -> Result<(), Error> {
        match identity {
            Identity::Own | Identity::OtherProject => transport.authenticate(request).await,
            Identity::Nobody => Ok(()),
            Identity::BadToken => {
                let token = HeaderValue::from_static("made-up-token-known-to-nobody");
                request.headers_mut().insert("x-auth-token", token);
                Ok(())
            }
            Identity::BadSignature => self.strangers[0].authenticate(request).await,
            Identity::StaleDate => self.strangers[1].authenticate(request).await,
        }
    }
}

impl Attempt<'_> {
    /// Sends a request, again while it is throttled; notes what it creates.
    pub(super) async fn send(&mut self, request: &Request) -> Result<Answer, Halt> {
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
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut outgoing = reqwest::Request::new(method.clone(), url.clone());
            outgoing.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(body) = &body {
                outgoing.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *outgoing.body_mut() = Some(body.clone().into());
            }
            *outgoing.timeout_mut() = Some(transport.timeout());
            if op.is_authenticated() {
                self.run.prove(request.identity, transport, &mut outgoing).await.map_err(Halt::Fatal)?;
            }
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
                answer_headers: Vec::new(),
                answer: String::new(),
            };
            // Before it is sent: what ends the run meanwhile must not lose it.
            let pending = self.expect(request);
            let (status, headers, bytes) = match receive(http, outgoing).await {
                Ok(answer) => answer,
                Err(Failed::Connect(error)) => {
                    self.settle(request, pending, Settled::NotDone);
                    return Err(Halt::Fatal(error.into()));
                }
                Err(Failed::Midway { is_timeout, error }) => {
                    self.settle(request, pending, Settled::Unknown);
                    let silences = &self.run.silences;
                    if is_timeout && silences.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENCES {
                        return Err(Halt::Fatal(error));
                    }
                    self.keep(exchange);
                    self.differs(Check::Status, format!("no whole answer came: {error}"));
                    return Err(Halt::Broken);
                }
            };
            self.run.silences.store(0, Ordering::Relaxed);
            if status == 429 && attempt < ATTEMPTS && self.run.throttled.load(Ordering::Relaxed) < MOST_THROTTLED {
                self.settle(request, pending, Settled::NotDone);
                let asked = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                tokio::time::sleep(asked.map_or(Duration::from_secs(1), Duration::from_secs).min(LONGEST_WAIT)).await;
                continue;
            }
            let raw = String::from_utf8_lossy(&bytes).into_owned();
            let text = redactor.redact(raw.clone());
            // All that is kept and printed comes from what is left.
            let parsed: Option<Value> =
                if text == raw { serde_json::from_slice(&bytes).ok() } else { serde_json::from_str(&text).ok() };
            drop((raw, bytes));
            exchange.status = status;
            exchange.answer = clipped(&text, MOST_TEXT).into_owned();
            exchange.answer_headers = KEPT
                .iter()
                .filter_map(|name| {
                    let value = headers.get(*name)?.to_str().ok()?;
                    Some(((*name).to_owned(), redactor.redact(value.to_owned())))
                })
                .collect();
            self.keep(exchange);
            let answer = Answer { status, headers, text, body: parsed, exchange: self.exchanges.len() - 1 };
            self.settle(
                request,
                pending,
                match status {
                    _ if answer.is_success() => Settled::Done(&answer),
                    500.. => Settled::Doubtful,
                    _ => Settled::NotDone,
                },
            );
            if status == 429 && self.run.throttled.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_THROTTLED {
                return Err(Halt::Fatal(answer.refusal(op)));
            } else if status != 429 {
                self.run.throttled.store(0, Ordering::Relaxed);
            }
            if request.identity == Identity::Own && op.is_authenticated() {
                let refusals = &self.run.refusals;
                if status != 401 {
                    refusals.store(0, Ordering::Relaxed);
                } else if refusals.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_REFUSALS {
                    return Err(Halt::Fatal(answer.refusal(op)));
                }
            }
            let gateway = answer
                .code()
                .is_some_and(|code| ErrorCode::lookup(code).is_some_and(|code| code.code() == "APIG.0101"));
            if matches!(status, 405 | 501) || (status == 404 && (gateway || answer.body.is_none())) {
                return Err(Halt::Absent(
                    request.op,
                    format!("{} {} answered {}", method, op.operation.path, answer.told()),
                ));
            }
            self.check_length(request.op, &answer)?;
            return Ok(answer);
        }
    }

    /// The address of a request. A value of the path that would lead elsewhere is refused.
    fn address(&self, request: &Request, base: &str) -> Result<reqwest::Url, Halt> {
        let op = &self.model().operations[request.op];
        let own = self.run.session.project_id().as_str();
        let other = other_project(own);
        let project = if request.identity == Identity::OtherProject { &other } else { own };
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

    /// Notes that a request may rename or create something; gives the key of what may be created.
    fn expect(&self, request: &Request) -> Option<u64> {
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

    /// Notes what became of a request that may create or delete something.
    fn settle(&self, request: &Request, pending: Option<u64>, settled: Settled<'_>) {
        let inventory = &self.run.inventory;
        let body = if let Payload::Json(body) = &request.body { Some(body) } else { None };
        if let (Some(key), Some(object)) = (pending, self.model().created_by(request.op)) {
            match settled {
                Settled::NotDone => inventory.forget(key),
                Settled::Unknown => {}
                Settled::Doubtful => inventory.doubt(key, &self.run.prefix()),
                // What is no JSON says nothing of an object, whatever its status.
                Settled::Done(answer) => {
                    let id = answer.body.as_ref().map(|answer| id_of(&self.model().objects[object], answer, body));
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

    /// A list that is much longer than it can be is not looked at any further.
    fn check_length(&mut self, op: usize, answer: &Answer) -> Result<(), Halt> {
        let op = &self.model().operations[op];
        let items = op.items().and_then(|(field, _)| answer.json().get(field)?.as_array());
        let count = items.map_or(0, Vec::len);
        if count <= MOST_ITEMS {
            return Ok(());
        }
        let text = format!("{} answered with {count} items at once", op.id);
        if op.pages() == PageShape::Whole {
            return Err(Halt::NotTried(format!("{text}; up to {MOST_ITEMS} are looked at")));
        }
        self.differs(Check::Law, text);
        Err(Halt::Broken)
    }
}

/// What became of a request, as far as it is known.
#[derive(Clone, Copy)]
enum Settled<'a> {
    Done(&'a Answer),
    NotDone,
    /// The service failed, most often before it did anything.
    Doubtful,
    /// No complete response was received.
    Unknown,
}

/// Why there is no whole answer.
enum Failed {
    /// Nothing was sent.
    Connect(reqwest::Error),
    Midway {
        is_timeout: bool,
        error: Error,
    },
}

/// Sends a request and reads the answer as far as anything is read.
async fn receive(http: &reqwest::Client, request: reqwest::Request) -> Result<(u16, HeaderMap, BytesMut), Failed> {
    let midway =
        |error: reqwest::Error| Failed::Midway { is_timeout: error.is_timeout(), error: error.without_url().into() };
    let mut response = match http.execute(request).await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(Failed::Connect(error)),
        Err(error) => return Err(midway(error)),
    };
    let mut bytes = BytesMut::new();
    let outcome = body::read(&mut response, &mut bytes, body::LIMIT).await;
    let info = ResponseInfo::new(response.status(), response.headers(), Redactor::default());
    let error = match outcome {
        Ok(()) => return Ok((response.status().as_u16(), std::mem::take(response.headers_mut()), bytes)),
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

/// Headers of a request, proofs as variables of a shell.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
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

/// A body without what the description calls a password.
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
