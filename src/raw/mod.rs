//! Calls any operation by its name, for operations without a handle and for data-driven programs.
//!
//! A raw call takes the same way as every other call of a [`Session`]: it is authenticated, retried and
//! traced, and fails with the one [`Error`]. Parameters and body are validated against the description before anything is sent.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), huaweicloud_jobs::Error> {
//! # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
//! # let session = emulator.session()?;
//! use serde_json::json;
//!
//! let request = session.request("update_training_job")?.param("job_id", 10).body(json!({"job_desc": "raw"}));
//! println!("{}", request.preview()?);
//! let response = request.send().await?;
//! assert_eq!((response.status().as_u16(), &response.body()["is_success"]), (200, &json!(true)));
//!
//! let wrong = session.request("update_training_job")?.param("job", 10).send().await.unwrap_err();
//! assert_eq!(wrong.to_string(), "update_training_job: no parameter `job`; there are job_id, project_id");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_core::Stream;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use crate::api::wire::{Segment, checked};
use crate::api::{self, Operation};
use crate::bulk::{self, Bulk};
use crate::error::{Error, ErrorKind, ResponseInfo};
use crate::session::{Session, Transport};
use crate::spec::{self, Document, load};

mod pages;
mod response;
mod validate;
mod waiting;

pub use pages::Pages;
pub use response::Response;
#[cfg(feature = "contract")]
pub(crate) use waiting::progress;

use response::salvaged;
use validate::{Parameter, Validators, holds, redact};

impl Session {
    /// A call of any described operation, for example `update_training_job`.
    ///
    /// # Errors
    ///
    /// The description has no such operation.
    pub fn request(&self, operation: &str) -> Result<Request, Error> {
        let known = api::operation(operation);
        let (Some(known), Some((document, described))) = (known, spec::operation(operation)) else {
            return Err(Error::invalid_request(format!("the description has no operation `{operation}`")));
        };
        Ok(Request {
            session: self.clone(),
            operation: known,
            document,
            described,
            parameters: BTreeMap::new(),
            body: None,
            checks: true,
            validators: Arc::default(),
        })
    }

    /// Makes many raw calls, several at once, as fast as the service allows. Their responses are not kept.
    pub fn send_all<'a>(&self, requests: impl Stream<Item = Request> + Send + 'a) -> Bulk<'a, Request> {
        let send = |request: Request, ()| async move { request.send().await.map(drop) };
        Bulk::new(self.clone(), requests, move |request: Request| (request.clone(), bulk::update(request, (), send)))
    }
}

/// A raw request, see [`Session::request`].
#[derive(Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    session: Session,
    operation: &'static Operation,
    document: &'static Document,
    described: load::Operation<'static>,
    parameters: BTreeMap<String, String>,
    body: Option<Value>,
    checks: bool,
    /// Clones share it, so that many requests of an operation compile its schemas once.
    validators: Arc<Validators>,
}

impl Request {
    /// Sets a path or query parameter. `project_id` defaults to the session's.
    pub fn param(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.insert(name.into(), value.to_string());
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends values and body as they are, whatever the description says of them, and accepts any JSON as a response. A value
    /// that would lead the path elsewhere is rejected all the same.
    pub fn unchecked(mut self) -> Self {
        self.checks = false;
        self
    }

    /// Validates the request with the description like [`send`](Self::send), without sending it.
    ///
    /// # Errors
    ///
    /// The request does not match the description.
    pub fn check(&self) -> Result<(), Error> {
        self.prepare().map(drop).map_err(|error| error.or_operation(self.operation.id))
    }

    /// Returns the request as it would be sent, with secrets redacted. Nothing is sent, and nobody signs in: a token that has
    /// yet to be obtained is `***`, like any other.
    ///
    /// # Errors
    ///
    /// The request does not match the description, or cannot be signed.
    pub fn preview(&self) -> Result<Preview, Error> {
        let mut request = self.prepare().map_err(|error| error.or_operation(self.operation.id))?;
        self.client().0.preview(&mut request, self.operation)?;
        let headers = request.headers().iter().map(|(name, value)| {
            let value =
                if value.is_sensitive() { "***".to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into() };
            (name.to_string(), value)
        });
        let mut body = self.body.clone();
        if let (Some(body), Some(schema)) = (&mut body, self.document.request_schema(self.described)) {
            redact(self.document.value(), schema, body);
        }
        Ok(Preview { method: self.operation.method, url: request.url().to_string(), headers: headers.collect(), body })
    }

    /// Makes the call.
    ///
    /// # Errors
    ///
    /// The call failed, or its response does not match the description.
    pub async fn send(&self) -> Result<Response, Error> {
        let (response, problem) = self.attempt().await?;
        problem.map_or(Ok(response), Err)
    }

    /// Makes the call, and returns the readable part of an unusable response with the reason.
    ///
    /// Use it for requests that start work, so that the id is not lost. Unreadable parts are `null`.
    ///
    /// # Errors
    ///
    /// The call failed.
    pub async fn attempt(&self) -> Result<(Response, Option<Error>), Error> {
        // Boxed because the future is large: each enclosing async layer would move it along.
        match Box::pin(self.exchange()).await.map_err(|error| error.or_operation(self.operation.id)) {
            Err(error) if is_cut_off(&error) => {
                let response = Response {
                    status: error.status().unwrap_or_default(),
                    headers: HeaderMap::new(),
                    info: ResponseInfo::default(),
                    request_id: OnceLock::from(error.request_id().map(str::to_owned)),
                    body: salvaged(error.excerpt().unwrap_or_default().as_bytes()),
                    operation: self.operation,
                };
                Ok((response, Some(error)))
            }
            Err(error) => Err(error),
            Ok((response, problem)) => Ok((response, problem.map(|error| error.or_operation(self.operation.id)))),
        }
    }

    async fn exchange(&self) -> Result<(Response, Option<Error>), Error> {
        let request = self.prepare()?;
        let (transport, http, _) = self.client();
        let (mut received, known) = transport.send(http, request, Some(self.operation)).await?;
        let mut headers = std::mem::take(received.headers_mut());
        if let Some(token) = headers.get_mut("x-subject-token") {
            token.set_sensitive(true);
        }
        let status = received.status();
        let bytes = received.bytes().await?;
        let mut problem = None;
        let mut body = match bytes.trim_ascii() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).unwrap_or_else(|error| {
                problem = Some(Error::undecodable(".".to_owned(), error.to_string(), text, &known));
                salvaged(text)
            }),
        };
        known.redactor.redact_body(bytes.len(), &mut body);
        // An empty response to a change of an object means that it is done.
        let is_done = body.is_null() && matches!(self.operation.method, "PUT" | "DELETE");
        let is_done = is_done || (body.is_null() && self.operation.acknowledgement.is_some());
        if self.checks
            && !is_done
            && problem.is_none()
            && let Err((place, reason)) = self.described.usable(self.document.value(), &body)
        {
            problem = Some(Error::undecodable(place, reason, &bytes, &known));
        }
        let response =
            Response { status, headers, info: known, request_id: OnceLock::new(), body, operation: self.operation };
        Ok((response, problem))
    }

    /// Returns whether the operation is idempotent.
    pub fn is_idempotent(&self) -> bool {
        self.operation.idempotent
    }

    /// Returns whether the operation starts billed work.
    pub fn is_billed(&self) -> bool {
        self.operation.billed
    }

    /// Returns the base address of its service.
    pub fn endpoint(&self) -> &str {
        self.client().2
    }

    fn client(&self) -> (&Transport, &reqwest::Client, &str) {
        self.session.way_to(self.document.name())
    }

    /// Builds the request without its credentials.
    fn prepare(&self) -> Result<reqwest::Request, Error> {
        let described: Vec<_> = self.document.parameters(self.described).map(Parameter).collect();
        if let Some(unknown) = self.parameters.keys().find(|name| !described.iter().any(|known| known.name() == *name))
        {
            let mut names: Vec<_> = described.iter().map(|known| known.name()).collect();
            names.sort_unstable();
            let known =
                if names.is_empty() { "it has none".to_owned() } else { format!("there are {}", names.join(", ")) };
            return Err(Error::invalid_request(format!("no parameter `{unknown}`; {known}")));
        }
        let (mut path, mut query) = (Vec::new(), Vec::new());
        for parameter in &described {
            let name = parameter.name();
            let given = self.parameters.get(name).map(String::as_str);
            let given = given.or_else(|| (name == "project_id").then(|| self.session.project_id().as_str()));
            let Some(text) = given else {
                if parameter.is_required() {
                    return Err(Error::invalid_field(name, "is missing"));
                }
                continue;
            };
            if self.checks {
                parameter.check(self.document, &self.validators, text)?;
            }
            if parameter.0["in"] == "path" {
                checked::<Segment>(name, text)?;
                path.push((name, text));
            } else {
                query.push((name, text));
            }
        }
        let url = spec::address(self.client().2, self.operation.path, path, query)
            .map_err(|reason| Error::invalid_request(format!("the address is malformed: {reason}")))?;
        let method = Method::from_bytes(self.operation.method.as_bytes())
            .map_err(|error| Error::invalid_request(error.to_string()))?;
        let mut request = reqwest::Request::new(method, url);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json.clone());
        self.check_body()?;
        if let Some(body) = &self.body {
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            *request.body_mut() = Some(body.to_string().into());
        }
        Ok(request)
    }

    fn check_body(&self) -> Result<(), Error> {
        if !self.checks {
            return Ok(());
        }
        match (self.document.request_schema(self.described), &self.body) {
            (None, Some(_)) => Err(Error::invalid_field("body", "is given, and this operation has none")),
            (Some(_), None) => Err(Error::invalid_field("body", "is missing")),
            (None, None) => Ok(()),
            (Some(schema), Some(body)) => {
                let known = load::resolve(self.document.value(), schema)["properties"].as_object();
                for name in body.as_object().into_iter().flatten().map(|(name, _)| name) {
                    if let Some(known) = known.filter(|known| !known.contains_key(name)) {
                        let names: Vec<_> = known.keys().map(String::as_str).collect();
                        let names = names.join(", ");
                        return Err(Error::invalid_request(format!(
                            "the body has no field `{name}`; there are {names}"
                        )));
                    }
                }
                holds(&self.validators.get("", self.document, schema), body).map_err(|(place, reason)| {
                    let place = if place.is_empty() { "the body".to_owned() } else { place };
                    Error::invalid_request(format!("{place}: {reason}"))
                })
            }
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A body may contain a password.
        let Self { session, operation, document: _, described: _, parameters, body: _, checks, validators: _ } = self;
        f.debug_struct("Request")
            .field("session", session)
            .field("operation", &operation.id)
            .field("parameters", parameters)
            .field("checks", checks)
            .finish_non_exhaustive()
    }
}

/// Returns whether a successful response broke off or is too large.
fn is_cut_off(error: &Error) -> bool {
    let kind = matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Decode);
    kind && error.excerpt().is_some() && error.status().is_some_and(|status| status.is_success())
}

/// A request as it would be sent, with secrets redacted. `Display` shows all of it; what HTTP itself adds is left out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Preview {
    /// Method in upper case.
    pub method: &'static str,
    /// The complete address.
    pub url: String,
    /// Headers; `***` stands for a secret.
    pub headers: Vec<(String, String)>,
    /// The body, with `***` for passwords.
    pub body: Option<Value>,
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, headers, body } = self;
        write!(f, "{method} {url}")?;
        for (name, value) in headers {
            write!(f, "\n{name}: {value}")?;
        }
        match body {
            Some(body) => write!(f, "\n\n{body:#}"),
            None => Ok(()),
        }
    }
}
