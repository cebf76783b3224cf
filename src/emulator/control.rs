//! The control API under `/_emulator/`. It is not part of the cloud; `openapi/emulator.yaml` describes it.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::check::{Checker, is_json};
use super::clock::iso;
use super::faults::Fault;
use super::handlers::LIFECYCLES;
use super::lifecycle::Transitions;
use super::query::pairs;
use super::response::{Rejection, Response, respond};
use super::state::State;
use super::{pages, snapshot, stream};
use crate::spec;

const PREFIX: &str = "/_emulator/";

/// Returns whether a path belongs to this API, or to a page.
pub(super) fn is_meant(parts: &Parts) -> bool {
    let path = parts.uri.path();
    path.starts_with(PREFIX) || path == "/" || path == "/docs" || path.starts_with("/docs/")
}

/// A rejection of the control API: status and message.
type Failure = (StatusCode, String);

fn bad(message: impl Into<String>) -> Failure {
    (StatusCode::BAD_REQUEST, message.into())
}

/// A response of the control API: status, and a body if there is one.
type Done = Result<(StatusCode, Option<Value>), Failure>;

fn ok(body: Value) -> Done {
    Ok((StatusCode::OK, Some(body)))
}

const NOTHING: Done = Ok((StatusCode::NO_CONTENT, None));

pub(super) fn serve(state: &State, peer: SocketAddr, parts: &Parts, body: Result<Bytes, Rejection>) -> Response {
    // These are not counted as requests of clients, whose ids must be the same in each run.
    let request_id = format!("emulator-{}", state.control_requests.fetch_add(1, Ordering::Relaxed) + 1);
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let act = || {
        let body = body.map_err(failure)?;
        may_come_in(state, peer, parts)?;
        if let Some(page) = pages::find(state, parts) {
            return Ok(page);
        }
        let target = target(path, parts)?;
        // HEAD is served as GET; hyper drops the body.
        let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
        match (path, method, target) {
            ("events", &Method::GET, _) => return Ok(stream::response(&request_id)),
            ("view", &Method::GET, Some(target)) => {
                return state.view(&target, &request_id).map_err(|(family, rejection)| {
                    (rejection.clone().into_response(family, &request_id).status(), rejection.text())
                });
            }
            ("view", &Method::GET, None) => return Err(bad("the parameter `target` is missing")),
            _ => {}
        }
        let (status, body) = act(state, method.as_str(), path, &ControlRequest { parts, body })?;
        Ok(respond(status, body.as_ref(), &request_id))
    };
    let done = state.caught(act).unwrap_or_else(|rejection| Err(failure(rejection)));
    let mut response = done.unwrap_or_else(|(status, message): Failure| {
        respond(status, Some(&json!({"error_msg": message, "request_id": request_id})), &request_id)
    });
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods(path)));
    }
    response
}

/// Returns the parameter `target` of the path that has one. No other parameter is known.
fn target(path: &str, parts: &Parts) -> Result<Option<String>, Failure> {
    let query = pairs(parts.uri.query().unwrap_or_default()).map_err(|problem| bad(format!("the query {problem}")))?;
    let mut target = None;
    for (name, value) in query {
        if path != "view" || name != "target" {
            return Err(bad(format!("the control API has no parameter `{}` here", name.escape_debug())));
        }
        if target.replace(value).is_some() {
            return Err(bad("the parameter `target` comes more than once"));
        }
    }
    Ok(target)
}

/// Only this machine, and no web page that a browser on it shows.
fn may_come_in(state: &State, peer: SocketAddr, parts: &Parts) -> Result<(), Failure> {
    let forbidden = |message: &str| Err((StatusCode::FORBIDDEN, message.to_owned()));
    if !state.allow_remote && !peer.ip().to_canonical().is_loopback() {
        return forbidden("the control API serves this machine only; see --allow-remote");
    }
    let header = |name| parts.headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let host = header(header::HOST).or(parts.uri.authority().map(Authority::as_str)).unwrap_or_default();
    let foreign = header(header::ORIGIN).is_some_and(|origin| origin.strip_prefix("http://") != Some(host))
        || header(header::HeaderName::from_static("sec-fetch-site"))
            .is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if foreign {
        return forbidden("the request comes from a page of another site");
    }
    Ok(())
}

/// Returns whether a request loads a snapshot and its caller is allowed to.
pub(super) fn loads_snapshot(state: &State, peer: SocketAddr, parts: &Parts) -> bool {
    parts.method == Method::PUT
        && parts.uri.path().strip_prefix(PREFIX) == Some("state")
        && may_come_in(state, peer, parts).is_ok()
}

struct ControlRequest<'a> {
    parts: &'a Parts,
    body: Bytes,
}

impl ControlRequest<'_> {
    /// Returns the body if its type is JSON: a web page can send a form to any address, but not JSON.
    fn json(&self) -> Result<&Bytes, Failure> {
        match self.parts.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
            true => Ok(&self.body),
            false => Err(bad("the header Content-Type must be `application/json`")),
        }
    }

    /// Validates the body with the description, so that misspelled fields and values out of bounds are rejected.
    fn read<T: DeserializeOwned>(&self, operation: &str) -> Result<T, Failure> {
        static CHECKERS: LazyLock<Vec<Checker>> = LazyLock::new(|| {
            let document = spec::control();
            document.operations().map(|operation| Checker::new(document, operation)).collect()
        });
        let body = self.json()?;
        let checker = CHECKERS.iter().find(|checker| checker.id() == operation).expect("an operation of this API");
        let value = checker.body(&self.parts.headers, body, true).map_err(failure)?;
        serde_path_to_error::deserialize(value).map_err(|error| bad(format!("The body is invalid: {error}")))
    }
}

#[derive(Deserialize)]
struct ClockChange {
    /// Seconds to move the clock forward by.
    #[serde(default)]
    advance: f64,
    /// The new speed: virtual seconds for each real second.
    scale: Option<f64>,
}

#[derive(Deserialize)]
struct TransitionsChange {
    mode: Mode,
    reads: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    AtOnce,
    Reads,
    Clock,
}

fn transitions(state: &State) -> Value {
    match *state.transitions.lock() {
        Transitions::AtOnce => json!({"mode": "at_once"}),
        Transitions::AfterReads(reads) => json!({"mode": "reads", "reads": reads}),
        Transitions::Clock => json!({"mode": "clock"}),
    }
}

/// Returns the methods of a path for `Allow`, or the empty string for an unknown path.
fn methods(path: &str) -> &'static str {
    match path {
        "health" | "version" | "summary" | "events" | "view" => "GET",
        "state" => "GET, PUT, DELETE",
        "clock" => "GET, PATCH",
        "transitions" => "GET, PUT",
        "faults" => "GET, POST, DELETE",
        "requests" => "GET, DELETE",
        _ if path.strip_prefix("faults/").is_some_and(|id| id.parse::<u64>().is_ok()) => "DELETE",
        _ => "",
    }
}

fn act(state: &State, method: &str, path: &str, request: &ControlRequest<'_>) -> Done {
    let faults = state.faults();
    match (path, method) {
        ("health", "GET") => ok(json!({
            "status": "ok",
            "requests": state.requests.load(Ordering::Relaxed),
            "panics": state.panics.load(Ordering::Relaxed),
        })),
        ("version", "GET") => {
            let version =
                |document: &spec::Document| (document.name().to_owned(), document.value()["info"]["version"].clone());
            ok(json!({
                "version": env!("CARGO_PKG_VERSION"),
                "descriptions": spec::rules().iter().map(version).collect::<serde_json::Map<_, _>>(),
            }))
        }
        ("summary", "GET") => ok(pages::summary(state).map_err(|error| failure(error.into()))?),
        ("state", "GET") => ok(state.snapshot().map_err(failure)?),
        ("state", "PUT") => {
            let text = request.json()?;
            state.load(|transaction| snapshot::read(transaction, text)).map_err(failure)?;
            NOTHING
        }
        ("state", "DELETE") => {
            state.reset().map_err(failure)?;
            NOTHING
        }
        ("clock", "GET") => ok(clock(state).map_err(failure)?),
        ("clock", "PATCH") => {
            let ClockChange { advance, scale } = request.read("change_clock")?;
            let advance = Duration::try_from_secs_f64(advance).map_err(|error| bad(format!("advance: {error}")))?;
            state.change_clock(advance, scale).map_err(failure)?;
            ok(clock(state).map_err(failure)?)
        }
        ("transitions", "GET") => ok(transitions(state)),
        ("transitions", "PUT") => {
            let wanted = match request.read("set_transitions")? {
                TransitionsChange { mode: Mode::AtOnce, reads: None } => Transitions::AtOnce,
                TransitionsChange { mode: Mode::Clock, reads: None } => Transitions::Clock,
                TransitionsChange { mode: Mode::Reads, reads: Some(reads) } => Transitions::AfterReads(reads),
                _ => return Err(bad("the body is invalid: `reads` goes with the mode `reads`, and with no other")),
            };
            state.set_transitions(wanted, &LIFECYCLES).map_err(failure)?;
            ok(transitions(state))
        }
        ("faults", "GET") => ok(json!({"faults": faults.list()})),
        ("faults", "POST") => {
            let fault: Fault = request.read("add_fault")?;
            let id = faults.add(fault).map_err(|error| bad(error.to_string()))?;
            Ok((StatusCode::CREATED, Some(json!({"id": id}))))
        }
        ("faults", "DELETE") => {
            faults.clear();
            NOTHING
        }
        ("requests", "GET") => ok(json!({"requests": state.record.lock().list()})),
        ("requests", "DELETE") => {
            state.take_exchanges();
            NOTHING
        }
        _ => match path.strip_prefix("faults/").and_then(|id| id.parse().ok()) {
            Some(id) if method == "DELETE" && faults.remove(id) => NOTHING,
            Some(id) if method == "DELETE" => Err((StatusCode::NOT_FOUND, format!("there is no fault {id}"))),
            _ if methods(path).is_empty() => {
                Err((StatusCode::NOT_FOUND, "the control API has no such path".to_owned()))
            }
            _ => Err((StatusCode::METHOD_NOT_ALLOWED, format!("the path has {}", methods(path)))),
        },
    }
}

fn clock(state: &State) -> Result<Value, Rejection> {
    let now = state.clock.shown(&state.store)?;
    Ok(json!({"now": now, "time": iso(now), "scale": state.clock.scale()}))
}

fn failure(rejection: Rejection) -> Failure {
    match rejection {
        Rejection::Invalid(message) => bad(message),
        Rejection::Gateway { status, message, .. } => (status, message),
        other => (StatusCode::INTERNAL_SERVER_ERROR, other.text()),
    }
}
