//! Sends requests and notes what came back.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use progenitor_client::encode_path;
use serde_json::Value;

use super::attempt::Attempt;
use super::compare::plain;
use super::model::{Op, all_names, model};
use super::objects::{Created, id_of};
use super::plan::{Identity, Payload};
use super::run::{Halt, Run, lock};
use super::verdict::{Check, Exchange};
use crate::error::{Error, ErrorCode, Redactor};
use crate::session::Transport;

/// The largest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// So many refusals in a row of the own credentials end a run: five lock a key.
const MOST_REFUSALS: u32 = 3;

/// So many requests in a row without an answer end a run.
const MOST_SILENCES: u32 = 3;

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

    /// The answer as the error that a client would see.
    pub(super) fn refusal(&self, op: usize) -> Error {
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        let answer = crate::error::ResponseInfo::new(status, &self.headers, Redactor::default());
        Error::answered(self.text.as_bytes(), &answer).with_operation(model().operations[op].id)
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
        let op = &model().operations[request.op];
        let (transport, http, base) = self.run.session.way_to(op.service());
        let other = other_project(self.run.session.project_id().as_str());
        let project =
            if request.identity == Identity::OtherProject { &other } else { self.run.session.project_id().as_str() };
        let mut path = op.operation.path.replace("{project_id}", &encode_path(project));
        for (name, value) in &request.path {
            path = path.replace(&format!("{{{name}}}"), &encode_path(value));
        }
        let malformed = |error: &dyn std::fmt::Display| Halt::NotTried(format!("the request cannot be made: {error}"));
        let mut url = reqwest::Url::parse(&format!("{base}{path}")).map_err(|error| malformed(&error))?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
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
            let outcome = match http.execute(outgoing).await {
                Ok(response) => {
                    let (status, headers) = (response.status().as_u16(), response.headers().clone());
                    response.bytes().await.map(|bytes| (status, headers, bytes))
                }
                Err(error) => Err(error),
            };
            let (status, headers, bytes) = match outcome {
                Ok(answer) => answer,
                Err(error) if error.is_connect() => return Err(Halt::Fatal(error.into())),
                Err(error) => {
                    self.note(request, None);
                    let silences = &self.run.silences;
                    if error.is_timeout() && silences.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENCES {
                        return Err(Halt::Fatal(error.into()));
                    }
                    self.exchanges.push(exchange);
                    self.differs(Check::Status, format!("no whole answer came: {}", error.without_url()));
                    return Err(Halt::Broken);
                }
            };
            self.run.silences.store(0, Ordering::Relaxed);
            if status == 429 && attempt < ATTEMPTS {
                let asked = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                tokio::time::sleep(asked.map_or(Duration::from_secs(1), Duration::from_secs).min(LONGEST_WAIT)).await;
                continue;
            }
            let text = redactor.redact(String::from_utf8_lossy(&bytes).into_owned());
            let parsed = serde_json::from_slice(&bytes).ok();
            exchange.status = status;
            exchange.answer.clone_from(&text);
            exchange.answer_headers = KEPT
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned())))
                .collect();
            self.exchanges.push(exchange);
            let answer = Answer { status, headers, text, body: parsed, exchange: self.exchanges.len() - 1 };
            if answer.is_success() {
                self.note(request, Some(&answer));
            }
            if request.identity == Identity::Own && op.is_authenticated() {
                let refusals = &self.run.refusals;
                if status != 401 {
                    refusals.store(0, Ordering::Relaxed);
                } else if refusals.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_REFUSALS {
                    return Err(Halt::Fatal(answer.refusal(request.op)));
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
            return Ok(answer);
        }
    }

    /// Notes what a request creates or deletes; without an answer it may have.
    pub(super) fn note(&mut self, request: &Request, answer: Option<&Answer>) {
        if let Some(object) = model().created_by(request.op) {
            let described = &model().objects[object];
            let body = if let Payload::Json(body) = &request.body { Some(body) } else { None };
            // What is no JSON says nothing of an object, whatever its status.
            let id = answer.and_then(|answer| id_of(object, answer.body.as_ref()?, body));
            let mut path: Vec<_> = request
                .path
                .iter()
                .filter(|(name, _)| described.item.contains(&format!("{{{name}}}")))
                .cloned()
                .collect();
            path.retain(|(name, _)| *name != described.parameter);
            path.extend(id.clone().map(|id| (described.parameter, id)));
            let name = model().operations[request.op].name_field().and_then(|name| plain(&body?[name]));
            self.created.push(Created { object, path, id, name });
        }
        if answer.is_some() {
            let gone = |created: &Created| {
                model().objects[created.object].delete == Some(request.op) && created.path == request.path
            };
            self.created.retain(|created| !gone(created));
            lock(&self.run.shared).retain(|created| !gone(created));
        }
    }
}

/// A project that is not the own one.
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
