//! Moves the clocks of emulators by their control API, so that no time is lost by waiting.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::error::Error;
use crate::session::Session;
use crate::transport::body;

/// The paths of the control API in `openapi/emulator.yaml`.
const CLOCK: &str = "/_emulator/clock";
const TRANSITIONS: &str = "/_emulator/transitions";
/// The largest response of the control API that is read, in bytes.
const LIMIT: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// The clocks of all emulators at the addresses of a session.
#[derive(Clone, Debug)]
pub(super) struct Clocks(Vec<Emulator>);

#[derive(Clone, Debug)]
struct Emulator {
    http: reqwest::Client,
    base: String,
    /// The transitions of an emulator whose jobs move by reads instead of by the clock.
    transitions: Option<Value>,
}

impl Clocks {
    /// Finds the emulators among the addresses of the services. An emulator speaks plain HTTP, so no cloud gets a
    /// request.
    pub(super) async fn of(session: &Session, services: &BTreeSet<&str>) -> Option<Self> {
        let (mut clocks, mut asked) = (Vec::new(), BTreeSet::new());
        for service in services {
            let (_, http, base) = session.way_to(service);
            if base.starts_with("http://") && asked.insert(base) {
                let mut emulator = Emulator { http: http.clone(), base: base.to_owned(), transitions: None };
                let clock = emulator.call(Method::GET, CLOCK, None).await;
                if clock.is_ok_and(|clock| clock["now"].is_i64() && clock["scale"].is_number()) {
                    let transitions = emulator.call(Method::GET, TRANSITIONS, None).await.ok();
                    emulator.transitions = transitions.filter(|transitions| transitions["mode"] == "reads");
                    clocks.push(emulator);
                }
            }
        }
        (!clocks.is_empty()).then_some(Self(clocks))
    }

    /// Moves all clocks on. Jobs that move by reads go on as if the clock moved them, since a hundred reads would take
    /// long.
    pub(super) async fn advance(&self, by: Duration) -> Result<(), Error> {
        for emulator in &self.0 {
            emulator.call(Method::PATCH, CLOCK, Some(&json!({"advance": by.as_secs_f64()}))).await?;
            if let Some(reads) = &emulator.transitions {
                emulator.call(Method::PUT, TRANSITIONS, Some(&json!({"mode": "clock"}))).await?;
                emulator.call(Method::PUT, TRANSITIONS, Some(reads)).await?;
            }
        }
        Ok(())
    }
}

impl Emulator {
    /// Sends a request to the control API and returns the body of its response.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let failed =
            |what: &dyn std::fmt::Display| Error::service(format!("the emulator's clock cannot be moved: {what}"));
        let url = reqwest::Url::parse(&format!("{}{path}", self.base)).map_err(|error| failed(&error))?;
        let mut request = reqwest::Request::new(method, url);
        *request.timeout_mut() = Some(TIMEOUT);
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        let mut response = self.http.execute(request).await?;
        let mut bytes = BytesMut::new();
        body::read(&mut response, &mut bytes, LIMIT).await.map_err(|error| failed(&format_args!("{error:?}")))?;
        match response.status() {
            StatusCode::OK => serde_json::from_slice(&bytes).map_err(|error| failed(&error)),
            status => Err(failed(&status)),
        }
    }
}
