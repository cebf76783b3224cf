//! Serves requests: finds the operation, authenticates, validates, calls the handler, and records the exchange.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tokio::time::sleep;

use super::access;
use super::clock::iso;
use super::control;
use super::faults::{Hit, Plan};
use super::handlers::LIFECYCLES;
use super::handlers::call::{Call, Outcome};
use super::lifecycle::Lifecycles;
use super::log::Sent;
use super::query::{decode, pairs};
use super::record::{self, Exchange, Verdict};
use super::response::{Abort, Defect, Family, Rejection, Response, respond};
use super::routes::{Found, Route};
use super::state::State;
use crate::cloud::Cloud;
use crate::error::ErrorCode;

impl State {
    /// Serves one request, or ends its connection.
    pub(super) async fn serve(
        &self,
        peer: SocketAddr,
        parts: &Parts,
        body: Result<Bytes, Rejection>,
    ) -> Result<Response, Abort> {
        if control::is_meant(parts) {
            return Ok(control::serve(self, peer, parts, body));
        }
        let (started, time) = (Instant::now(), self.clock.now());
        let request_id = format!("{:032x}", self.requests.fetch_add(1, Ordering::Relaxed) + 1);
        let found = self.routes.find(parts);
        let Plan { delay, hit } = match &found {
            // A request whose head is rejected meets no fault.
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
                .unwrap_or_else(|rejection| rejection.into_response(found.family(), &request_id))
        };
        let outcome = match &hit {
            None => Ok(act(&mut ignored)),
            Some(hit) => {
                let done = hit.acts().then(|| act(&mut ignored));
                hit.show(done, found.family(), &request_id)
            }
        };
        let outcome = outcome.map(|response| with_prefix(response, self.cloud.map_or("APIG", Cloud::code_prefix)));
        self.note(
            &Seen { peer, parts, body: &body, started, time, request_id, found: &found, hit: hit.as_ref(), ignored },
            &outcome,
        );
        outcome
    }

    fn respond(
        &self,
        found: &Found<'_>,
        parts: &Parts,
        body: Result<&Bytes, &Rejection>,
        request_id: &str,
        ignored: &mut Vec<String>,
    ) -> Response {
        if let (true, Err(rejection)) = (is_head_rejected(body), body) {
            return rejection.clone().into_response(Family::Job, request_id);
        }
        let (route, path) = match found {
            Found::Operation(route, path) => (route, path),
            Found::Extra(extra) => {
                let outcome = body.map_err(Rejection::clone).and_then(|body| {
                    let (now, base) = (self.clock.shown(&self.store)?, access::base(&parts.headers, &self.endpoint));
                    extra.respond(&self.access, &self.store, parts, body, now, &base)
                });
                return match outcome {
                    Ok(outcome) => finish(StatusCode::OK, outcome, request_id),
                    Err(rejection) => rejection.into_response(Family::Identity, request_id),
                };
            }
            Found::Unmatched => {
                let message = "The API does not exist or has not been published.".to_owned();
                let rejection = Rejection::Gateway { status: StatusCode::NOT_FOUND, code: "APIG.0101", message };
                return rejection.into_response(Family::Job, request_id);
            }
            Found::MethodNotAllowed(methods) => {
                let mut response = if parts.method == Method::OPTIONS {
                    respond(StatusCode::NO_CONTENT, None, request_id)
                } else {
                    let message = format!("The API does not have this method; it has {methods}.");
                    let status = StatusCode::METHOD_NOT_ALLOWED;
                    Rejection::Gateway { status, code: "APIG.0101", message }.into_response(Family::Job, request_id)
                };
                if let Ok(allow) = HeaderValue::from_str(methods) {
                    response.headers_mut().insert(header::ALLOW, allow);
                }
                return response;
            }
        };
        let response = match self.act(route, parts, path, body, ignored) {
            Err(rejection) => rejection.into_response(route.family, request_id),
            Ok(mut outcome) => {
                if let Some(printed) = &self.printed {
                    outcome.body = outcome.body.map(|body| printed.imitate(route.checker.id(), body));
                }
                finish(route.success, outcome, request_id)
            }
        };
        match self.check_responses.then(|| route.checker.response(&response)).flatten() {
            Some(difference) => Rejection::Broken(format!("the response breaks the description: {difference}"))
                .into_response(route.family, request_id),
            None => response,
        }
    }

    /// Authenticates and validates a request, and calls its handler.
    fn act(
        &self,
        route: &Route,
        parts: &Parts,
        path: &[(String, String)],
        body: Result<&Bytes, &Rejection>,
        ignored: &mut Vec<String>,
    ) -> Result<Outcome, Rejection> {
        let malformed = |what: &str, problem| {
            Rejection::malformed(StatusCode::BAD_REQUEST, format!("The {what} of the request {problem}."))
        };
        let path: Vec<(String, String)> = path
            .iter()
            .map(|(name, value)| Ok((name.clone(), decode(value)?)))
            .collect::<Result<_, _>>()
            .map_err(|problem| malformed("path", problem))?;
        let query = pairs(parts.uri.query().unwrap_or_default()).map_err(|problem| malformed("query", problem))?;
        let bytes = body.map_err(Rejection::clone)?;
        let rejected = |code| {
            let message = ErrorCode::lookup(code).and_then(ErrorCode::meaning).unwrap_or_default().to_owned();
            Rejection::Documented { code, message }
        };
        let (now, base) = (self.clock.shown(&self.store)?, access::base(&parts.headers, &self.endpoint));
        let caller = match route.authenticated {
            true => Some(self.access.caller(&self.store, parts, bytes, now)?),
            false => None,
        };
        let project = match (&caller, path.iter().find(|(name, _)| name == "project_id")) {
            (Some(caller), Some((_, id))) => &caller.enter(id, &parts.headers).ok_or(Rejection::OtherProject)?.id,
            _ => "",
        };
        if let Some(code) = route.rejected {
            return Err(rejected(code));
        }
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
            return Err(Rejection::Invalid(format!(
                "Not described, and the emulator is strict: {}",
                ignored.join(", ")
            )));
        }
        self.store.write(|transaction| {
            let transitions = *self.transitions.lock();
            Lifecycles { transaction, transitions, now }.advance(&LIFECYCLES)?;
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

    /// Returns whether exchanges are logged or recorded, or whether a client listens to events.
    fn is_watched(&self) -> bool {
        self.log.is_on() || self.record.lock().is_on() || self.events.is_on()
    }

    /// Logs and records an exchange.
    fn note(&self, seen: &Seen<'_>, outcome: &Result<Response, Abort>) {
        if !self.is_watched() {
            return;
        }
        let took = seen.started.elapsed();
        let mut exchange = seen.exchange(outcome);
        // With a seed the same requests have the same record.
        exchange.duration_us = self.seed.is_none().then(|| u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        let bytes = outcome.as_ref().map_or(0, |response| response.body().len());
        self.log.add(&exchange, &Sent { peer: seen.peer, took, bytes });
        self.events.request(&exchange);
        self.record.lock().add(exchange);
    }
}

/// One request, for the log and the record.
struct Seen<'a> {
    peer: SocketAddr,
    parts: &'a Parts,
    body: &'a Result<Bytes, Rejection>,
    started: Instant,
    /// The time of the request by the emulator's clock, in milliseconds since the Unix epoch.
    time: i64,
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
        let (status, (response, reason)) = match outcome {
            Ok(whole) => (whole.status().as_u16(), record::response(whole.body(), is_described)),
            Err(_) => Default::default(),
        };
        let is_defect = outcome.as_ref().is_ok_and(|response| response.extensions().get::<Defect>().is_some());
        let verdict = match (self.hit, status) {
            (Some(_), _) => Verdict::Fault,
            (None, _) if is_defect => Verdict::Failed,
            (None, ..400) => Verdict::Accepted,
            (None, _) => Verdict::Rejected,
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
            response,
            request_id: self.request_id.clone(),
            operation: checker.map(|checker| checker.id().to_owned()),
            verdict,
            time: iso(self.time),
            duration_us: None,
            ignored: record::ignored(self.ignored.clone()),
        }
    }
}

/// Returns whether a request was rejected for its head, which is malformed, too large or names another host.
fn is_head_rejected(body: Result<&Bytes, &Rejection>) -> bool {
    matches!(body, Err(Rejection::Gateway { status, .. }) if matches!(status.as_u16(), 400 | 403 | 414 | 494))
}

/// The response with the prefix of a cloud in the code of its gateway.
fn with_prefix(response: Response, prefix: &str) -> Response {
    if prefix == "APIG" || response.status().as_u16() < 400 {
        return response;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(response.body()) else { return response };
    let Some(number) = body["error_code"].as_str().and_then(|code| code.strip_prefix("APIG.")) else { return response };
    body["error_code"] = format!("{prefix}.{number}").into();
    response.map(|_| body.to_string().into())
}

pub(super) fn finish(status: StatusCode, outcome: Outcome, request_id: &str) -> Response {
    let mut response = respond(status, outcome.body.as_ref(), request_id);
    response.headers_mut().extend(outcome.headers);
    response
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
            let broken = || state.store.write(|_| -> Result<Response, Rejection> { panic!("canary") });
            let response = state.caught(broken).unwrap_err().into_response(family, "id");
            let body = String::from_utf8_lossy(response.body()).into_owned();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(body.starts_with(shape) && !body.contains("canary"), "{body}");
        }
        assert_eq!(state.panics.load(Ordering::Relaxed), 4);
        let session = emulator.session().unwrap();
        session.modelarts().training_job(10).unwrap().update_description("usable").await.unwrap();
    }
}
