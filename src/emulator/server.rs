//! From a request on the wire to an operation and back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use form_urlencoded::parse;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::access::{self, Access};
use super::answer::{Family, Refusal, respond};
use super::check::Checker;
use super::clock::Clock;
use super::handlers::iam::Extra;
use super::handlers::{self, Call};
use super::lifecycle::{Lifecycles, Transitions};
use super::record::{self, Exchange, Record};
use super::store::Store;
use crate::error::Error;
use crate::spec;

/// The gateway's documented limit of a body.
const MAX_BODY: usize = 12 * 1024 * 1024;

/// What all requests share.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) transitions: Mutex<Transitions>,
    pub(super) quota: i64,
    /// Whether nothing in an answer may come from elsewhere than the seed and the requests.
    pub(super) is_seeded: bool,
    pub(super) routes: Routes,
    pub(super) access: Access,
    /// Its own base address.
    pub(super) endpoint: String,
    pub(super) check_answers: bool,
    pub(super) record: Mutex<Record>,
    /// How many have come: their ids are the same for the same sequence of requests.
    pub(super) requests: AtomicU64,
}

impl State {
    /// Chooses what moves jobs, between two requests.
    pub(super) fn set_transitions(&self, transitions: Transitions) -> Result<(), Error> {
        self.store
            .write(|transaction| {
                *self.transitions.lock().unwrap_or_else(PoisonError::into_inner) = transitions;
                Lifecycles { transaction, transitions, now: self.clock.now() }.adopt()
            })
            .map_err(|error: rusqlite::Error| {
                Error::configuration("the emulator cannot change how its jobs move").with_source(error)
            })
    }
}

/// One operation, ready to be served.
struct Route {
    method: Method,
    family: Family,
    success: StatusCode,
    authenticated: bool,
    checker: Checker,
    handler: handlers::Handler,
}

/// The described paths; each leads to its operations.
pub(super) struct Routes(matchit::Router<Vec<Route>>);

impl Routes {
    /// All operations of the description that have a handler.
    pub(super) fn new() -> Self {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for document in spec::documents() {
            for operation in document.operations() {
                let Some(handler) = handlers::find(operation.id()) else { continue };
                let route = Route {
                    method: Method::from_bytes(operation.method.to_ascii_uppercase().as_bytes())
                        .expect("a method of OpenAPI"),
                    family: Family::of(operation.path),
                    success: document
                        .success_status(operation)
                        .and_then(|status| StatusCode::from_u16(status).ok())
                        .expect("checked by build.rs"),
                    authenticated: operation.value.get("security").is_none(),
                    checker: Checker::new(document, operation),
                    handler,
                };
                match by_path.iter_mut().find(|(path, _)| *path == operation.path) {
                    Some((_, routes)) => routes.push(route),
                    None => by_path.push((operation.path, vec![route])),
                }
            }
        }
        let mut router = matchit::Router::new();
        for (path, routes) in by_path {
            router.insert(path, routes).expect("the described paths do not collide");
        }
        Self(router)
    }
}

/// Serves every path: which of them exist is for the description to say.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new().fallback(serve).with_state(state)
}

async fn serve(Shared(state): Shared<Arc<State>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    // The gateway's documented limit comes before anything else; a body that breaks off is the client's own doing.
    let bytes = to_bytes(body, MAX_BODY).await;
    let response = respond_to(&state, &parts, bytes.as_ref().map_err(ToString::to_string));
    let (mut head, body) = response.into_parts();
    if state.is_seeded
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(state.clock.system_time()))
    {
        head.headers.insert(header::DATE, date);
    }
    // Answers are whole in memory: this takes, and waits for nothing.
    let answer = to_bytes(body, usize::MAX).await.unwrap_or_default();
    state.record.lock().unwrap_or_else(PoisonError::into_inner).add(|| Exchange {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: record::readable(&parts.headers),
        request: String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned(),
        status: head.status.as_u16(),
        answer: String::from_utf8_lossy(&answer).into_owned(),
    });
    Response::from_parts(head, Body::from(answer))
}

fn respond_to(state: &State, parts: &Parts, bytes: Result<&Bytes, String>) -> Response {
    let request_id = format!("{:032x}", state.requests.fetch_add(1, Ordering::Relaxed) + 1);
    let gateway = |status, code, message: &str| {
        Refusal::Gateway { status, code, message: message.to_owned() }.answer(Family::Job, &request_id)
    };
    let (now, base) = (state.clock.now(), access::base(&parts.headers, &state.endpoint));
    if let Some(extra) = Extra::find(parts) {
        let body = bytes.map_or(&[][..], |bytes| &bytes[..]);
        return match extra.answer(&state.access, &state.store, parts, body, now, &base) {
            Ok(answer) => finish(StatusCode::OK, answer, &request_id),
            Err(refusal) => refusal.answer(Family::Identity, &request_id),
        };
    }
    let Ok(found) = state.routes.0.at(parts.uri.path()) else {
        return gateway(StatusCode::NOT_FOUND, "APIG.0101", "The API does not exist or has not been published.");
    };
    let Some(route) = found.value.iter().find(|route| route.method == parts.method) else {
        let mut response = gateway(StatusCode::METHOD_NOT_ALLOWED, "APIG.0101", "The API does not have this method.");
        let methods: Vec<&str> = found.value.iter().map(|route| route.method.as_str()).collect();
        if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return response;
    };
    let path: Vec<(String, String)> = found
        .params
        .iter()
        .map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned()))
        .collect();
    let query: Vec<(String, String)> = parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let outcome = || {
        let bytes = bytes.map_err(|error| Refusal::Gateway {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "APIG.0201",
            message: format!("The body cannot be read or is larger than {MAX_BODY} bytes: {error}"),
        })?;
        let caller = match route.authenticated {
            true => Some(state.access.caller(&state.store, parts, bytes, now)?),
            false => None,
        };
        let project = match (&caller, path.iter().find(|(name, _)| name == "project_id")) {
            (Some(caller), Some((_, id))) => &caller.enter(id, &parts.headers).ok_or(Refusal::OtherProject)?.id,
            _ => "",
        };
        let parameters = route.checker.parameters(&path, &query)?;
        let body = route.checker.body(bytes)?;
        state.store.write(|transaction| {
            let transitions = *state.transitions.lock().unwrap_or_else(PoisonError::into_inner);
            Lifecycles { transaction, transitions, now }.advance()?;
            (route.handler)(&Call {
                transaction,
                project,
                caller: caller.as_ref(),
                access: &state.access,
                base: &base,
                parameters: &parameters,
                body: &body,
                now,
                transitions,
                quota: state.quota,
            })
        })
    };
    match outcome() {
        Err(refusal) => refusal.answer(route.family, &request_id),
        Ok(answer) => {
            let body = answer.body.as_ref();
            let wrong = state.check_answers.then(|| route.checker.answer(route.success.as_u16(), body)).flatten();
            match wrong {
                Some(difference) => Refusal::Broken(format!("the answer breaks the description: {difference}"))
                    .answer(route.family, &request_id),
                None => finish(route.success, answer, &request_id),
            }
        }
    }
}

fn finish(status: StatusCode, answer: handlers::Answer, request_id: &str) -> Response {
    let mut response = respond(status, answer.body.as_ref(), request_id);
    response.headers_mut().extend(answer.headers);
    response
}
