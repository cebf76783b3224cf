//! From a request on the wire to an operation and back.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use rusqlite::Transaction;
use serde_json::Value;
use tokio::time::sleep;

use super::access::{self, Access};
use super::answer::{Defect, Family, Refusal, Response, respond};
use super::check::Checker;
use super::clock::Clock;
use super::connection::{Abort, Room};
use super::control;
use super::faults::{Hit, Injected, Plan};
use super::handlers::iam::Extra;
use super::handlers::{self, Answer, Call};
use super::lifecycle::{Lifecycles, Transitions};
use super::log::{Log, Sent};
use super::printed::Printed;
use super::record::{self, Exchange, Record, Verdict};
use super::snapshot::{self, Origin};
use super::store::{self, Store};
use super::world;
use crate::api::{self, ListShape};
use crate::spec;

/// What all requests share.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) transitions: Mutex<Transitions>,
    pub(super) quota: i64,
    /// What fixes ids, times and bytes of answers; a different one each time if absent.
    pub(super) seed: Option<u64>,
    /// With how many training jobs of no interest it begins.
    pub(super) training_jobs: u32,
    pub(super) routes: Routes,
    pub(super) access: Access,
    /// Its own base address.
    pub(super) endpoint: String,
    pub(super) check_answers: bool,
    /// Whether requests are rejected that differ from the documents where clients do.
    pub(super) strict: bool,
    /// What responses are made to look like, instead of having the types of the tables.
    pub(super) printed: Option<Printed>,
    pub(super) record: Mutex<Record>,
    pub(super) log: Log,
    pub(super) faults: Mutex<Injected>,
    /// How long a client may take for anything.
    pub(super) client_time: Duration,
    /// Whether the control API serves other machines too.
    pub(super) allow_remote: bool,
    /// Names that a request may come under, besides those of this machine.
    pub(super) allowed_hosts: Vec<String>,
    /// For the bodies of requests.
    pub(super) room: Room,
    /// What its state began with.
    pub(super) origin: Origin,
    /// Requests that failed by a defect of the emulator.
    pub(super) panics: AtomicU64,
    /// Requests of the control API.
    pub(super) control_requests: AtomicU64,
    /// How many have come: their ids are the same for the same sequence of requests.
    pub(super) requests: AtomicU64,
}

/// One operation, ready to be served.
struct Route {
    method: Method,
    family: Family,
    success: StatusCode,
    authenticated: bool,
    checker: Checker,
    handler: handlers::Handler,
    list: Option<ListShape<'static>>,
}

/// The described paths; each leads to its operations.
pub(super) struct Routes(matchit::Router<Vec<Route>>);

impl Routes {
    /// All operations of the description that have a handler.
    pub(super) fn new() -> Self {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for document in spec::rules() {
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
                    list: api::operation(operation.id()).and_then(|known| known.list),
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

/// Where a request leads.
enum Found<'a> {
    /// To an operation, with the values of its path as they were sent.
    Operation(&'a Route, Vec<(String, String)>),
    /// To something that clients do and the documents do not show.
    Extra(Extra<'a>),
    /// To a path that has other methods.
    OtherMethod(String),
    Nowhere,
}

impl Routes {
    fn find<'a>(&'a self, parts: &'a Parts) -> Found<'a> {
        // What answers GET answers HEAD; the body stays behind.
        let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
        let extra = match Extra::find(parts) {
            Some(extra) if method == Method::GET => return Found::Extra(extra),
            extra => extra.map(|_| Method::GET.as_str()),
        };
        let found = self.0.at(parts.uri.path()).ok();
        let routes = found.as_ref().map_or(&[][..], |found| found.value);
        if let (Some(route), Some(found)) = (routes.iter().find(|route| route.method == *method), &found) {
            let values = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            return Found::Operation(route, values.collect());
        }
        let methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).chain(extra).collect();
        if methods.is_empty() { Found::Nowhere } else { Found::OtherMethod(methods.join(", ")) }
    }
}

impl State {
    /// The whole state as one JSON value.
    pub(super) fn snapshot(&self) -> Result<Value, Refusal> {
        self.store.write(|transaction| snapshot::dump(transaction).map_err(Refusal::from))
    }

    /// Puts a snapshot, with its time, in the place of all that is there.
    pub(super) fn load(&self, put: impl FnOnce(&Transaction<'_>) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.store.write(|transaction| {
            put(transaction)?;
            self.origin.write(transaction)?;
            Ok(self.resume(transaction)?)
        })
    }

    /// Goes back to what it began with, faults, records and time included.
    pub(super) fn reset(&self) -> Result<(), Refusal> {
        self.store.write(|transaction| {
            snapshot::empty(transaction)?;
            self.begin(transaction)?;
            *self.faults.lock() = Injected::new(self.seed);
            self.record.lock().take();
            self.requests.store(0, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Writes what it begins with into empty tables.
    pub(super) fn begin(&self, transaction: &Transaction<'_>) -> Result<(), Refusal> {
        if let Origin::Snapshot(snapshot) = &self.origin {
            snapshot::load(transaction, snapshot)?;
            self.resume(transaction)?;
        } else {
            self.resume(transaction)?;
            store::set_seed(transaction, self.seed.unwrap_or_else(|| fastrand::u64(..)))?;
            let project = &self.access.project().id;
            if matches!(self.origin, Origin::Documented) {
                world::documented(transaction, project)?;
            }
            world::many_training_jobs(transaction, project, self.training_jobs, self.clock.now())?;
        }
        Ok(self.origin.write(transaction)?)
    }

    /// Goes on with tables that have just been filled.
    fn resume(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.access.forget();
        self.clock.restart(transaction)?;
        Lifecycles { transaction, transitions: *self.transitions.lock(), now: self.clock.now() }.adopt()
    }

    /// Chooses what moves jobs, between two requests.
    pub(super) fn set_transitions(&self, transitions: Transitions) -> Result<(), Refusal> {
        self.store.write(|transaction| {
            *self.transitions.lock() = transitions;
            Ok(Lifecycles { transaction, transitions, now: self.clock.now() }.adopt()?)
        })
    }

    /// Answers one request, or ends its connection.
    pub(super) async fn serve(
        &self,
        peer: SocketAddr,
        parts: &Parts,
        body: Result<Bytes, Refusal>,
    ) -> Result<Response, Abort> {
        if control::is_meant(parts) {
            return Ok(control::serve(self, peer, parts, body));
        }
        let started = Instant::now();
        let request_id = format!("{:032x}", self.requests.fetch_add(1, Ordering::Relaxed) + 1);
        let found = self.routes.find(parts);
        let Plan { delay, hit } = match &found {
            // Faults are for those who may ask.
            Found::Operation(route, _) if !is_head_rejected(body.as_ref()) => {
                self.faults.lock().plan(route.checker.id(), self.clock.now())
            }
            _ => Plan::default(),
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let mut ignored = Vec::new();
        let act = |ignored: &mut Vec<String>| {
            self.caught(|| self.respond(&found, parts, body.as_ref(), &request_id, ignored))
                .unwrap_or_else(|refusal| refusal.answer(found.family(), &request_id))
        };
        let outcome = match &hit {
            None => Ok(act(&mut ignored)),
            Some(hit) => {
                let done = hit.acts().then(|| act(&mut ignored));
                hit.show(done, found.family(), &request_id)
            }
        };
        self.note(
            &Seen { peer, parts, body: &body, started, request_id, found: &found, hit: hit.as_ref(), ignored },
            &outcome,
        );
        outcome
    }

    /// Does something that must not end the connection if it panics. What the panic says may have secrets, and stays here.
    pub(super) fn caught<T>(&self, act: impl FnOnce() -> T) -> Result<T, Refusal> {
        catch_unwind(AssertUnwindSafe(act)).map_err(|_| {
            self.panics.fetch_add(1, Ordering::Relaxed);
            Refusal::Broken("The emulator has failed; please report it.".to_owned())
        })
    }

    fn respond(
        &self,
        found: &Found<'_>,
        parts: &Parts,
        body: Result<&Bytes, &Refusal>,
        request_id: &str,
        ignored: &mut Vec<String>,
    ) -> Response {
        if let (true, Err(refusal)) = (is_head_rejected(body), body) {
            return refusal.clone().answer(Family::Job, request_id);
        }
        let (route, path) = match found {
            Found::Operation(route, path) => (route, path),
            Found::Extra(extra) => {
                let outcome = body.map_err(Refusal::clone).and_then(|body| {
                    let (now, base) = (self.clock.shown(&self.store)?, access::base(&parts.headers, &self.endpoint));
                    extra.answer(&self.access, &self.store, parts, body, now, &base)
                });
                return match outcome {
                    Ok(answer) => finish(StatusCode::OK, answer, request_id),
                    Err(refusal) => refusal.answer(Family::Identity, request_id),
                };
            }
            Found::Nowhere => {
                let message = "The API does not exist or has not been published.".to_owned();
                let refusal = Refusal::Gateway { status: StatusCode::NOT_FOUND, code: "APIG.0101", message };
                return refusal.answer(Family::Job, request_id);
            }
            Found::OtherMethod(methods) => {
                let mut response = if parts.method == Method::OPTIONS {
                    respond(StatusCode::NO_CONTENT, None, request_id)
                } else {
                    let message = format!("The API does not have this method; it has {methods}.");
                    let status = StatusCode::METHOD_NOT_ALLOWED;
                    Refusal::Gateway { status, code: "APIG.0101", message }.answer(Family::Job, request_id)
                };
                if let Ok(allow) = HeaderValue::from_str(methods) {
                    response.headers_mut().insert(header::ALLOW, allow);
                }
                return response;
            }
        };
        let response = match self.act(route, parts, path, body, ignored) {
            Err(refusal) => refusal.answer(route.family, request_id),
            Ok(mut answer) => {
                if let Some(printed) = &self.printed {
                    answer.body = answer.body.map(|body| printed.imitate(route.checker.id(), body));
                }
                finish(route.success, answer, request_id)
            }
        };
        match self.check_answers.then(|| route.checker.answer(&response)).flatten() {
            Some(difference) => Refusal::Broken(format!("the answer breaks the description: {difference}"))
                .answer(route.family, request_id),
            None => response,
        }
    }

    /// Does what an operation does.
    fn act(
        &self,
        route: &Route,
        parts: &Parts,
        path: &[(String, String)],
        body: Result<&Bytes, &Refusal>,
        ignored: &mut Vec<String>,
    ) -> Result<Answer, Refusal> {
        let malformed = |what: &str, problem| {
            Refusal::malformed(StatusCode::BAD_REQUEST, format!("The {what} of the request {problem}."))
        };
        let path: Vec<(String, String)> = path
            .iter()
            .map(|(name, value)| Ok((name.clone(), decode(value)?)))
            .collect::<Result<_, _>>()
            .map_err(|problem| malformed("path", problem))?;
        let query = pairs(parts.uri.query().unwrap_or_default()).map_err(|problem| malformed("query", problem))?;
        let bytes = body.map_err(Refusal::clone)?;
        let (now, base) = (self.clock.shown(&self.store)?, access::base(&parts.headers, &self.endpoint));
        let caller = match route.authenticated {
            true => Some(self.access.caller(&self.store, parts, bytes, now)?),
            false => None,
        };
        let project = match (&caller, path.iter().find(|(name, _)| name == "project_id")) {
            (Some(caller), Some((_, id))) => &caller.enter(id, &parts.headers).ok_or(Refusal::OtherProject)?.id,
            _ => "",
        };
        let parameters = route.checker.parameters(&path, &query, &parts.headers)?;
        let body = route.checker.body(&parts.headers, bytes, self.strict)?;
        if self.strict || self.is_watched() {
            let shown = |(name, value): &(String, String)| match route.checker.has_query(name) {
                true => (name.clone(), value.clone()),
                false => (record::name_of(name, value).to_owned(), value.clone()),
            };
            *ignored = route.checker.undescribed(&query.iter().map(shown).collect::<Vec<_>>(), &body);
        }
        if self.strict && !ignored.is_empty() {
            return Err(Refusal::Invalid(format!("Not described, and the emulator is strict: {}", ignored.join(", "))));
        }
        self.store.write(|transaction| {
            let transitions = *self.transitions.lock();
            Lifecycles { transaction, transitions, now }.advance()?;
            (route.handler)(&Call {
                transaction,
                project,
                caller: caller.as_ref(),
                access: &self.access,
                base: &base,
                parameters: &parameters,
                body: &body,
                now,
                transitions,
                quota: self.quota,
                list: route.list,
            })
        })
    }

    /// Whether somebody wants to know what comes.
    fn is_watched(&self) -> bool {
        self.log.is_on() || self.record.lock().is_on()
    }

    /// Writes down what came and how it was answered.
    fn note(&self, seen: &Seen<'_>, outcome: &Result<Response, Abort>) {
        if !self.is_watched() {
            return;
        }
        let exchange = seen.exchange(outcome);
        let bytes = outcome.as_ref().map_or(0, |response| response.body().len());
        self.log.add(&exchange, &Sent { peer: seen.peer, took: seen.started.elapsed(), bytes });
        self.record.lock().add(exchange);
    }
}

impl Found<'_> {
    fn family(&self) -> Family {
        match self {
            Self::Operation(route, _) => route.family,
            Self::Extra(_) => Family::Identity,
            Self::OtherMethod(_) | Self::Nowhere => Family::Job,
        }
    }
}

/// One request, for those who watch.
struct Seen<'a> {
    peer: SocketAddr,
    parts: &'a Parts,
    body: &'a Result<Bytes, Refusal>,
    started: Instant,
    request_id: String,
    found: &'a Found<'a>,
    hit: Option<&'a Hit>,
    ignored: Vec<String>,
}

impl Seen<'_> {
    fn exchange(&self, outcome: &Result<Response, Abort>) -> Exchange {
        let route = match self.found {
            Found::Operation(route, _) => Some(route),
            _ => None,
        };
        let checker = route.map(|route| &route.checker);
        let is_described = |name: &str| checker.is_some_and(|checker| checker.has_query(name));
        let (status, (answer, reason)) = match outcome {
            Ok(response) => (response.status().as_u16(), record::answer(response.body(), is_described)),
            Err(_) => Default::default(),
        };
        let is_defect = outcome.as_ref().is_ok_and(|response| response.extensions().get::<Defect>().is_some());
        let verdict = match (self.hit, status) {
            (Some(_), _) => Verdict::Fault,
            (None, _) if is_defect => Verdict::Failed,
            (None, ..400) => Verdict::Accepted,
            (None, _) => Verdict::Refused,
        };
        Exchange {
            method: self.parts.method.to_string(),
            target: record::target(&self.parts.uri, is_described),
            headers: record::readable(&self.parts.headers),
            request: self.body.as_deref().map(record::request).unwrap_or_default(),
            status,
            reason: match self.hit {
                Some(hit) => Some(format!("fault {}", hit.id)),
                None if verdict == Verdict::Accepted => None,
                None => reason,
            },
            answer,
            request_id: self.request_id.clone(),
            operation: checker.map(|checker| checker.id().to_owned()),
            verdict,
            ignored: record::ignored(self.ignored.clone()),
        }
    }
}

/// Whether a request was rejected for its head, which is malformed, too large or of another host: nobody has looked at it.
fn is_head_rejected(body: Result<&Bytes, &Refusal>) -> bool {
    matches!(body, Err(Refusal::Gateway { status, .. }) if matches!(status.as_u16(), 400 | 403 | 414 | 494))
}

fn finish(status: StatusCode, answer: Answer, request_id: &str) -> Response {
    let mut response = respond(status, answer.body.as_ref(), request_id);
    response.headers_mut().extend(answer.headers);
    response
}

/// A part of an address as text.
pub(super) fn decode(text: &str) -> Result<String, &'static str> {
    let bytes = text.as_bytes();
    let broken = |(at, _): (usize, &u8)| {
        !bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').any(broken) {
        return Err("has a `%` without two hexadecimal digits");
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "is not UTF-8")?;
    if decoded.contains('\0') { Err("has the character NUL") } else { Ok(decoded.into_owned()) }
}

/// Names and values of a query in their order.
fn pairs(query: &str) -> Result<Vec<(String, String)>, &'static str> {
    let decode = |text: &str| decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Emulator;

    #[tokio::test]
    async fn a_panic_is_a_500_without_its_text_and_leaves_all_usable() {
        let emulator = Emulator::start().await.unwrap();
        let state = &emulator.state;
        for (family, shape) in [
            (Family::Job, r#"{"is_success":false,"error_message":"#),
            (Family::Labeling, r#"{"error_code":"#),
            (Family::Mrs, r#"{"error_code":"#),
            (Family::Identity, r#"{"error":{"code":500,"#),
        ] {
            let broken = || state.store.write(|_| -> Result<Response, Refusal> { panic!("canary") });
            let answer = state.caught(broken).unwrap_err().answer(family, "id");
            let body = String::from_utf8_lossy(answer.body()).into_owned();
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(body.starts_with(shape) && !body.contains("canary"), "{body}");
        }
        assert_eq!(state.panics.load(Ordering::Relaxed), 4);
        let session = emulator.session().unwrap();
        session.modelarts().training_job(10).unwrap().update_description("usable").await.unwrap();
    }
}
