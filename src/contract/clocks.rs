//! The clocks of emulators that are tried: their control API moves them on, so that nobody waits.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::error::Error;
use crate::session::Session;
use crate::transport::body;

/// The path of the clock in `openapi/emulator.yaml`.
const PATH: &str = "/_emulator/clock";
/// The largest answer of the control API that is read, in bytes.
const LIMIT: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// The clocks of all emulators at the addresses of a session.
#[derive(Clone, Debug)]
pub(super) struct Clocks(Vec<(reqwest::Client, String)>);

impl Clocks {
    /// Asks each address of the services whether an emulator is there. It speaks plain HTTP, so no cloud is asked.
    pub(super) async fn of(session: &Session, services: &BTreeSet<&str>) -> Option<Self> {
        let (mut clocks, mut asked) = (Vec::new(), BTreeSet::new());
        for service in services {
            let (_, http, base) = session.way_to(service);
            if base.starts_with("http://") && asked.insert(base) {
                let answer = call(http, Method::GET, base, None).await;
                if answer.is_ok_and(|clock| clock["now"].is_i64() && clock["scale"].is_number()) {
                    clocks.push((http.clone(), base.to_owned()));
                }
            }
        }
        (!clocks.is_empty()).then_some(Self(clocks))
    }

    /// Moves all of them on.
    pub(super) async fn advance(&self, by: Duration) -> Result<(), Error> {
        for (http, base) in &self.0 {
            call(http, Method::PATCH, base, Some(json!({"advance": by.as_secs_f64()}))).await?;
        }
        Ok(())
    }
}

/// Reads or changes a clock.
async fn call(http: &reqwest::Client, method: Method, base: &str, body: Option<Value>) -> Result<Value, Error> {
    let failed = |what: &dyn std::fmt::Display| Error::service(format!("the emulator's clock cannot be moved: {what}"));
    let url = reqwest::Url::parse(&format!("{base}{PATH}")).map_err(|error| failed(&error))?;
    let mut request = reqwest::Request::new(method, url);
    *request.timeout_mut() = Some(TIMEOUT);
    if let Some(body) = body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.to_string().into());
    }
    let mut response = http.execute(request).await?;
    let mut bytes = BytesMut::new();
    body::read(&mut response, &mut bytes, LIMIT).await.map_err(|error| failed(&format_args!("{error:?}")))?;
    match response.status() {
        StatusCode::OK => serde_json::from_slice(&bytes).map_err(|error| failed(&error)),
        status => Err(failed(&status)),
    }
}
