//! Any operation by its name: for what has no handle, and for programs that are made of data.
//!
//! A raw call takes the same way as every other call of a [`Session`]: it is signed, repeated, traced, and fails with the
//! one [`Error`]. What can be given to an operation is what the description says of it. It is checked before anything is
//! sent.
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
//! let answer = request.send().await?;
//! assert_eq!((answer.status().as_u16(), &answer.body()["is_success"]), (200, &json!(true)));
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
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jsonschema::Validator;
use progenitor_client::encode_path;
use serde_json::{Map, Value};

use crate::api::wire::{Segment, checked, pattern};
use crate::api::{Operation, iam, modelarts, mrs};
use crate::bulk::Bulk;
use crate::error::Error;
use crate::session::{Session, Transport};
use crate::spec::{self, Document, load};

/// Items on a page, where none are asked for and the description allows as many.
const PER_PAGE: u64 = 100;

impl Session {
    /// A call of any described operation, for example `update_training_job`.
    ///
    /// # Errors
    ///
    /// The description has no such operation.
    pub fn request(&self, operation: &str) -> Result<Request, Error> {
        let known = [iam::operations::ALL, modelarts::operations::ALL, mrs::operations::ALL];
        let known = known.into_iter().flatten().find(|known| known.id == operation);
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

    /// Makes many raw calls, several at once, as the service can bear it; what they are answered is not kept.
    pub fn send_all<'a>(&self, requests: impl Stream<Item = Request> + Send + 'a) -> Bulk<'a, Request> {
        let calls = requests.map(|request| (request, String::new()));
        Bulk::new(self.clone(), calls, |request: Request, _| {
            Box::pin(async move { request.send().await.map(|_answer| ()) })
        })
    }
}

/// A call to be made, see [`Session::request`].
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
    /// Shared by clones: many requests of an operation compile its schemas once.
    validators: Arc<Validators>,
}

impl Request {
    /// Gives a parameter of the path or the query its value. `project_id` is the session's, unless it is given.
    pub fn param(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.insert(name.into(), value.to_string());
        self
    }

    /// Gives the body.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends values and body as they are, whatever the description says of them, and takes any JSON for an answer. What would
    /// lead a path elsewhere is refused all the same.
    pub fn unchecked(mut self) -> Self {
        self.checks = false;
        self
    }

    /// Checks the request against the description, as [`send`](Self::send) does first. Nothing is sent.
    ///
    /// # Errors
    ///
    /// The request is not what the description allows.
    pub fn check(&self) -> Result<(), Error> {
        self.prepare().map(drop).map_err(|error| error.or_operation(self.operation.id))
    }

    /// What would be sent, with secrets hidden. Nothing is sent, also no sign-in: a token that is not there yet is `***`
    /// like any other.
    ///
    /// # Errors
    ///
    /// The request is not what the description allows, or cannot be signed.
    pub fn preview(&self) -> Result<Preview, Error> {
        let mut request = self.prepare().map_err(|error| error.or_operation(self.operation.id))?;
        self.client().0.preview(&mut request, self.operation)?;
        let hidden = |value: &HeaderValue| value.is_sensitive();
        let headers = request.headers().iter().map(|(name, value)| {
            let value = if hidden(value) { "***".to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into() };
            (name.to_string(), value)
        });
        let mut body = self.body.clone();
        if let (Some(body), Some(schema)) = (&mut body, self.document.request_schema(self.described)) {
            hide(self.document.value(), schema, body);
        }
        Ok(Preview { method: self.operation.method, url: request.url().to_string(), headers: headers.collect(), body })
    }

    /// Makes the call.
    pub async fn send(&self) -> Result<Answer, Error> {
        // What is large lies still: every layer above would move it along.
        Box::pin(self.exchange()).await.map_err(|error| error.or_operation(self.operation.id))
    }

    async fn exchange(&self) -> Result<Answer, Error> {
        let request = self.prepare()?;
        let (transport, http, _) = self.client();
        let (mut response, known) = transport.send(http, request, Some(self.operation)).await?;
        let mut headers = std::mem::take(response.headers_mut());
        if let Some(token) = headers.get_mut("x-subject-token") {
            token.set_sensitive(true);
        }
        let status = response.status();
        let bytes = response.bytes().await?;
        let mut body = match bytes.trim_ascii() {
            b"" => Value::Null,
            text => serde_json::from_slice(text)
                .map_err(|error| Error::undecodable(".".to_owned(), error.to_string(), text, &known))?,
        };
        known.redactor.redact_body(bytes.len(), &mut body);
        // What changes an object and is answered with nothing is done.
        let is_done = body.is_null() && matches!(self.operation.method, "PUT" | "DELETE");
        let is_done = is_done || (body.is_null() && self.operation.acknowledgement.is_some());
        if self.checks
            && !is_done
            && status != StatusCode::NO_CONTENT
            && let Err((place, reason)) = self.described.usable(self.document.value(), &body)
        {
            return Err(Error::undecodable(place, reason, &bytes, &known));
        }
        Ok(Answer { status, headers, request_id: known.request_id, body, list: list_of(self.document, self.described) })
    }

    /// The pages of a list, one call each. An operation that does not answer in pages has one.
    pub fn pages(self) -> Pages {
        let turning = Turning::of(&self);
        Pages { request: self, turning: Some(turning), taken: 0, before: Vec::new() }
    }

    /// The base address of the service that it goes to.
    pub fn endpoint(&self) -> &str {
        self.client().2
    }

    fn client(&self) -> (&Transport, &reqwest::Client, &str) {
        self.session.way_to(self.document.name())
    }

    /// The request without what says who sends it.
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
        let (base, mut path) = (self.client().2, self.operation.path.to_owned());
        let mut query = Vec::new();
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
                let segment: Segment = checked(name, text)?;
                path = path.replace(&format!("{{{name}}}"), &encode_path(segment.as_str()));
            } else {
                query.push((name, text));
            }
        }
        let mut url = reqwest::Url::parse(&format!("{base}{path}"))
            .map_err(|error| Error::invalid_request(format!("the address is malformed: {error}")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
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
        // A body may hold a password.
        let Self { session, operation, document: _, described: _, parameters, body: _, checks, validators: _ } = self;
        f.debug_struct("Request")
            .field("session", session)
            .field("operation", &operation.id)
            .field("parameters", parameters)
            .field("checks", checks)
            .finish_non_exhaustive()
    }
}

/// A parameter as the description has it.
struct Parameter(&'static Value);

impl Parameter {
    fn name(&self) -> &'static str {
        self.0["name"].as_str().unwrap_or_default()
    }

    fn is_required(&self) -> bool {
        self.0["required"] == true
    }

    fn check(&self, document: &Document, validators: &Validators, text: &str) -> Result<(), Error> {
        let schema = &self.0["schema"];
        let value = match load::resolve(document.value(), schema)["type"].as_str() {
            Some("integer") => text.parse::<i64>().ok().map(Value::from),
            Some("boolean") => text.parse::<bool>().ok().map(Value::from),
            _ => None,
        };
        holds(&validators.get(self.name(), document, schema), &value.unwrap_or_else(|| text.into()))
            .map_err(|(_, reason)| Error::invalid_field(self.name(), format!("is not as described: {reason}")))
    }
}

/// The compiled schemas of an operation: of its parameters by their names, and of its body under an empty one.
#[derive(Default)]
struct Validators(Mutex<BTreeMap<&'static str, Arc<Validator>>>);

impl Validators {
    fn get(&self, name: &'static str, document: &Document, schema: &Value) -> Arc<Validator> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(name).or_insert_with(|| Arc::new(document.validator(schema))))
    }
}

/// Whether a value is as described; else where it is not, and why.
fn holds(validator: &Validator, value: &Value) -> Result<(), (String, String)> {
    let Some(error) = validator.iter_errors(value).next() else { return Ok(()) };
    let place = error.instance_path().to_string().trim_start_matches('/').replace('/', ".");
    if let (jsonschema::error::ValidationErrorKind::Pattern { pattern: broken }, Some(text)) =
        (error.kind(), error.instance().as_str())
    {
        return Err((place, pattern::mismatch(text, broken)));
    }
    let reason = match error.instance().as_str() {
        Some(text) if text.chars().count() > 40 => {
            format!("it has {} characters, which breaks the limit {}", text.chars().count(), limit(&error))
        }
        // What is refused may be a password.
        _ => error.masked_with("the value").to_string(),
    };
    Err((place, reason))
}

/// The broken limit, for example `maxLength 256`.
fn limit(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    let keyword = error.kind().keyword();
    match error.kind() {
        Kind::MaxLength { limit } | Kind::MinLength { limit } => format!("{keyword} {limit}"),
        _ => keyword.to_owned(),
    }
}

/// Takes out what the description calls a password.
fn hide(document: &Value, schema: &Value, value: &mut Value) {
    let schema = load::resolve(document, schema);
    if schema["format"] == "password" {
        *value = "***".into();
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        hide(document, part, value);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                hide(document, &schema["properties"][name], field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(document, &schema["items"], item)),
        _ => {}
    }
}

/// The field of an answer that holds the items of a list.
fn list_of(document: &'static Document, operation: load::Operation<'static>) -> Option<&'static str> {
    fields_of(document, operation).find(|(_, field)| field["type"] == "array").map(|(name, _)| name.as_str())
}

/// The field of an answer that counts the items of all pages.
fn total_of(document: &'static Document, operation: load::Operation<'static>) -> Option<&'static str> {
    let counts = |name: &str| name.ends_with("total_count") || matches!(name, "version_count" | "totalRecord");
    fields_of(document, operation).find(|(name, _)| counts(name)).map(|(name, _)| name.as_str())
}

/// The fields of the answer of an operation that lists something, as described; none for others.
fn fields_of(
    document: &'static Document,
    operation: load::Operation<'static>,
) -> impl Iterator<Item = (&'static String, &'static Value)> {
    let schema = document.success_schema(operation).filter(|_| operation.id().starts_with("list_"));
    let fields: Option<&Map<String, Value>> =
        schema.and_then(|schema| load::resolve(document.value(), schema)["properties"].as_object());
    fields.into_iter().flatten().map(|(name, field)| (name, load::resolve(document.value(), field)))
}

/// A request as it would be sent, with secrets hidden. `Display` shows all of it; what HTTP itself adds is left out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Preview {
    /// Method in upper case.
    pub method: &'static str,
    /// The whole address.
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

/// What a raw call was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
    body: Value,
    list: Option<&'static str>,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. The token in `X-Subject-Token` is marked sensitive.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers.iter()
    }

    /// The id of the request, to be quoted in a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The body; `null` where there is none.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The body, to be kept.
    pub fn into_body(self) -> Value {
        self.body
    }

    /// The name of the field with the items, for an operation that lists something.
    pub fn list(&self) -> Option<&'static str> {
        self.list
    }

    /// The items, for an operation that lists something.
    pub fn items(&self) -> &[Value] {
        self.list.and_then(|list| self.body[list].as_array()).map_or(&[], Vec::as_slice)
    }
}

/// The pages of a list, see [`Request::pages`].
#[derive(Debug)]
pub struct Pages {
    request: Request,
    /// How to ask for the next page, if there is one.
    turning: Option<Turning>,
    taken: u64,
    /// The items of the page before, to notice a service that does not turn pages.
    before: Vec<Value>,
}

/// How a list goes on.
#[derive(Clone, Debug)]
enum Turning {
    /// It does not.
    Whole,
    /// Behind a marker that each answer names.
    Marker,
    /// By a number.
    Number(Numbered),
}

/// A list whose pages have numbers.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    /// The parameter for the number, and the one for how many items a page has.
    parameter: &'static str,
    size: &'static str,
    at: u64,
    step: u64,
    /// The field that counts the items of all pages.
    total: Option<&'static str>,
}

impl Turning {
    fn of(request: &Request) -> Self {
        let parameters: Vec<_> = request.document.parameters(request.described).map(Parameter).collect();
        let find = |name: &'static str| parameters.iter().find(|parameter| parameter.name() == name);
        if find("marker").is_some() {
            return Self::Marker;
        }
        // The documents call `offset` the number of a page, and their example counts jobs: see `numbered`.
        for (parameter, size, start) in
            [("page", "per_page", 1), ("current_page", "page_size", 1), ("offset", "limit", 0)]
        {
            if find(parameter).is_some() && find(size).is_some() {
                let given = request.parameters.get(parameter).and_then(|text| text.parse().ok());
                let total = total_of(request.document, request.described);
                return Self::Number(Numbered { parameter, size, at: given.unwrap_or(start), step: 1, total });
            }
        }
        Self::Whole
    }
}

impl Pages {
    /// The next page, or nothing behind the last one.
    pub async fn next(&mut self) -> Result<Option<Answer>, Error> {
        let Some(turning) = self.turning.take() else { return Ok(None) };
        match turning {
            Turning::Whole => Ok(Some(self.request.send().await?)),
            Turning::Marker => {
                let answer = self.request.send().await?;
                let next = answer.body.pointer("/markers/next").and_then(Value::as_str).filter(|next| !next.is_empty());
                if let Some(next) = next {
                    if self.request.parameters.get("marker").is_some_and(|marker| marker == next) {
                        return Err(self.endless());
                    }
                    self.request = self.request.clone().param("marker", next);
                    self.turning = Some(Turning::Marker);
                }
                Ok(Some(answer))
            }
            Turning::Number(numbered) => self.numbered(numbered).await.map(Some),
        }
    }

    async fn numbered(&mut self, mut page: Numbered) -> Result<Answer, Error> {
        let asked = self.request.parameters.get(page.size).and_then(|text| text.parse().ok()).unwrap_or(PER_PAGE);
        let request = self.request.clone().param(page.size, asked);
        let mut answer = request.clone().param(page.parameter, page.at).send().await?;
        let second = self.before.get(1).filter(|_| page.parameter == "offset" && page.step == 1 && page.at == 1);
        if second.is_some() && second == answer.items().first() {
            // This service counts items, not pages.
            (page.at, page.step) = (asked, asked);
            answer = request.param(page.parameter, page.at).send().await?;
        }
        let items = answer.items();
        if !items.is_empty() && items == self.before {
            return Err(self.endless());
        }
        self.taken += items.len() as u64;
        let more = match page.total.and_then(|name| whole(&answer.body[name])) {
            Some(total) => !items.is_empty() && self.taken < total,
            None => items.len() as u64 >= asked,
        };
        if more {
            self.before = items.to_vec();
            self.turning = Some(Turning::Number(Numbered { at: page.at + page.step, ..page }));
        }
        Ok(answer)
    }

    fn endless(&self) -> Error {
        Error::invalid_request("the service answers the same page again and again")
            .or_operation(self.request.operation.id)
    }
}

/// A count, which some answers print as text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
