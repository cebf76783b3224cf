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
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::wire::{Segment, checked, pattern};
use crate::api::{self, Operation, PageShape};
use crate::bulk::Bulk;
use crate::error::{Error, ErrorKind};
use crate::modelarts::{JobStatus, TrainingJob, TrainingJobVersion, VisualizationJob};
use crate::mrs::{Execution, JobExe};
use crate::paging::{Cursor, Position, Then, Walk};
use crate::session::{Session, Transport};
use crate::spec::{self, Document, load};
use crate::waiting::{Awaited, Phase, Wait, WaitError};

/// Items on a page, where the request names no number. Each list allows as many.
const PER_PAGE: u32 = 100;

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
    ///
    /// # Errors
    ///
    /// The call failed, or its response is not usable.
    pub async fn send(&self) -> Result<Answer, Error> {
        let (answer, problem) = self.attempt().await?;
        problem.map_or(Ok(answer), Err)
    }

    /// Makes the call, and returns what can be read of a response that is not usable, with the reason.
    ///
    /// It is for requests that start something: the id of what was started must not be lost. What cannot be read is
    /// `null`.
    ///
    /// # Errors
    ///
    /// The call failed.
    pub async fn attempt(&self) -> Result<(Answer, Option<Error>), Error> {
        // Boxed because the future is large: each enclosing async layer would move it along.
        match Box::pin(self.exchange()).await.map_err(|error| error.or_operation(self.operation.id)) {
            Err(error) if is_cut_off(&error) => {
                let answer = Answer {
                    status: error.status().unwrap_or_default(),
                    headers: HeaderMap::new(),
                    request_id: error.request_id().map(str::to_owned),
                    body: salvaged(error.excerpt().unwrap_or_default().as_bytes()),
                    operation: self.operation,
                };
                Ok((answer, Some(error)))
            }
            Err(error) => Err(error),
            Ok((answer, problem)) => Ok((answer, problem.map(|error| error.or_operation(self.operation.id)))),
        }
    }

    async fn exchange(&self) -> Result<(Answer, Option<Error>), Error> {
        let request = self.prepare()?;
        let (transport, http, _) = self.client();
        let (mut response, known) = transport.send(http, request, Some(self.operation)).await?;
        let mut headers = std::mem::take(response.headers_mut());
        if let Some(token) = headers.get_mut("x-subject-token") {
            token.set_sensitive(true);
        }
        let status = response.status();
        let bytes = response.bytes().await?;
        let mut problem = None;
        let mut body = match bytes.trim_ascii() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).unwrap_or_else(|error| {
                problem = Some(Error::undecodable(".".to_owned(), error.to_string(), text, &known));
                salvaged(text)
            }),
        };
        known.redactor.redact_body(bytes.len(), &mut body);
        // What changes an object and is answered with nothing is done.
        let is_done = body.is_null() && matches!(self.operation.method, "PUT" | "DELETE");
        let is_done = is_done || (body.is_null() && self.operation.acknowledgement.is_some());
        if self.checks
            && !is_done
            && problem.is_none()
            && let Err((place, reason)) = self.described.usable(self.document.value(), &body)
        {
            problem = Some(Error::undecodable(place, reason, &bytes, &known));
        }
        let answer = Answer { status, headers, request_id: known.request_id, body, operation: self.operation };
        Ok((answer, problem))
    }

    /// The pages of a list, one call each. An operation that does not answer in pages has one.
    ///
    /// They begin with the page that the request names, or else with the first one.
    pub fn pages(self) -> Pages {
        let mut walk = Walk::new(self.operation);
        let given = |parameter: &str| self.parameters.get(parameter);
        match self.operation.list.map(|list| list.pages) {
            Some(PageShape::Numbered { parameter, first, .. }) => {
                if let Some(number) = given(parameter).and_then(|text| text.parse::<u32>().ok()) {
                    walk.begin(Position::Page(number.saturating_sub(first).saturating_add(1)));
                }
            }
            Some(PageShape::Marked { parameter, .. }) => walk.begin(Position::Marker(given(parameter).cloned())),
            Some(PageShape::Whole) | None => {}
        }
        Pages { request: self, walk, failed: false }
    }

    /// Whether sending it twice has the effect of sending it once.
    pub fn is_idempotent(&self) -> bool {
        self.operation.idempotent
    }

    /// Whether it starts work that is billed.
    pub fn is_billed(&self) -> bool {
        self.operation.billed
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

/// Whether a success came whose body ends too early or is too large.
fn is_cut_off(error: &Error) -> bool {
    let kind = matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Decode);
    kind && error.excerpt().is_some() && error.status().is_some_and(|status| status.is_success())
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
    operation: &'static Operation,
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
        self.operation.list.map(|list| list.items)
    }

    /// The items, for an operation that lists something.
    pub fn items(&self) -> &[Value] {
        self.list().and_then(|list| self.body[list].as_array()).map_or(&[], Vec::as_slice)
    }
}

/// The pages of a list, see [`Request::pages`].
///
/// They follow the rules of [`paging`](crate::paging): each page holds the items that were on no page before. After an error
/// they are at their end; [`cursor`](Self::cursor) still says where to go on.
#[derive(Debug)]
#[must_use = "nothing is sent before `next`"]
pub struct Pages {
    request: Request,
    walk: Walk,
    failed: bool,
}

impl Pages {
    /// The next page, or nothing behind the last one.
    ///
    /// # Errors
    ///
    /// The call failed, or the service repeats pages.
    pub async fn next(&mut self) -> Result<Option<Answer>, Error> {
        if self.failed {
            return Ok(None);
        }
        let page = self.page().await;
        self.failed = page.is_err();
        page
    }

    /// Where the pages go on; nothing at their end.
    pub fn cursor(&self) -> Option<Cursor> {
        self.walk.cursor().cloned()
    }

    /// Goes on where the pages of the same request were. A cursor of another operation is rejected.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.walk.resume(cursor);
        self
    }

    async fn page(&mut self) -> Result<Option<Answer>, Error> {
        let Some(at) = self.walk.next()? else { return Ok(None) };
        let operation = self.request.operation;
        let list = operation.list.filter(|list| list.pages != PageShape::Whole);
        let mut request = self.request.clone();
        let mut asked = None;
        match list.map(|list| list.pages) {
            Some(PageShape::Numbered { parameter, size, .. }) => {
                if request.parameters.get(parameter).is_some_and(|text| text.parse::<u32>().is_err()) {
                    return Err(Error::invalid_field(parameter, "is no number of a page").or_operation(operation.id));
                }
                asked = request.parameters.get(size).map_or(Some(PER_PAGE), |text| text.parse().ok());
                request = request.param(parameter, at.number(operation)?);
                if !request.parameters.contains_key(size) {
                    request = request.param(size, PER_PAGE);
                }
            }
            Some(PageShape::Marked { parameter, .. }) => {
                if let Some(marker) = at.marker()? {
                    request = request.param(parameter, marker);
                }
            }
            Some(PageShape::Whole) | None => {}
        }
        let mut answer = request.send().await?;
        let Some(list) = list else {
            self.walk.take(Vec::new(), Then::Nothing);
            return Ok(Some(answer));
        };
        let then = match list.pages {
            PageShape::Marked { next, .. } => {
                Then::Marker(answer.body.pointer(next).and_then(Value::as_str).map(str::to_owned))
            }
            _ => Then::Count { total: list.total.and_then(|total| whole(&answer.body[total])), size: asked },
        };
        let ids = answer.items().iter().map(|item| id_of(item, list.id)).collect();
        let mut new = self.walk.take(ids, then).into_iter();
        if let Some(items) = answer.body.get_mut(list.items).and_then(Value::as_array_mut) {
            items.retain(|_| new.next().unwrap_or_default());
        }
        Ok(Some(answer))
    }
}

/// What distinguishes an item from all others: its id, or all of it where it has none.
fn id_of(item: &Value, id: Option<&str>) -> String {
    match id.map(|id| &item[id]) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => number.to_string(),
        _ => item.to_string(),
    }
}

/// A count, which some responses print as text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl Request {
    /// Waits until the job that the response shows has ended, see [`waiting`](crate::waiting).
    pub fn wait(&self) -> Wait<'_, Self> {
        Wait::new(self)
    }
}

/// Requests that show one job. Others fail at once.
impl Awaited for Request {
    type Details = Answer;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Answer, Error> {
        let answer = self.send().await?;
        // A state that cannot be read must not look like one that goes on.
        answer.progress()?;
        Ok(answer)
    }

    fn phase(answer: &Answer) -> (Phase, String) {
        answer.progress().unwrap_or_else(|_| (Phase::Underway, "not known".to_owned()))
    }
}

impl Wait<'_, Request> {
    /// Waits until a visualization job runs and can be looked at.
    ///
    /// # Errors
    ///
    /// As of [`for_completion`](Wait::for_completion).
    pub async fn for_running(self) -> Result<Answer, WaitError<Answer>> {
        self.until(|answer| {
            let status = serde_json::from_value::<JobStatus>(answer.body["status"].clone()).ok();
            crate::api::wire::job_status::runs(status.as_ref())
        })
        .await
    }
}

impl Answer {
    /// How far the job is that the response shows, as the handle of the job says.
    fn progress(&self) -> Result<(Phase, String), Error> {
        let unwrapped = |name: &str| &self.body[name];
        match self.operation.id {
            "list_training_job_versions" => phase::<TrainingJob>(&self.body),
            "show_training_job_version" => phase::<TrainingJobVersion>(&self.body),
            "show_visualization_job" => phase::<VisualizationJob>(&self.body),
            "show_job_execution" | "cancel_job_execution" => phase::<Execution>(unwrapped("job_execution")),
            "show_job_exe" => phase::<JobExe>(unwrapped("job_execution")),
            _ => Err(Error::invalid_request("its response shows no job that can be waited for")),
        }
        .map_err(|error| error.or_operation(self.operation.id))
    }
}

/// How far a job is, from the JSON of its details.
fn phase<J: Awaited<Details: DeserializeOwned>>(details: &Value) -> Result<(Phase, String), Error> {
    let details: J::Details = serde_path_to_error::deserialize(details).map_err(|error| {
        let place = error.path().to_string();
        Error::decode(place, error.into_inner().to_string(), details.to_string().as_bytes())
    })?;
    Ok(J::phase(&details))
}

/// What can be read of a JSON text that is cut off or broken: all before that place.
fn salvaged(text: &[u8]) -> Value {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    // The last place before which all is complete, with the brackets that are open there.
    let mut cut = (0, Vec::new());
    for (place, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            // The reader takes no more levels.
            b'{' | b'[' if open.len() > 100 => break,
            b'{' | b'[' => {
                open.push(if *byte == b'{' { b'}' } else { b']' });
                cut.0 = place + 1;
                cut.1.clone_from(&open);
            }
            b'}' | b']' if open.pop() == Some(*byte) => {
                cut.0 = place + 1;
                cut.1.clone_from(&open);
            }
            b'}' | b']' => break,
            b',' => {
                cut.0 = place;
                cut.1.clone_from(&open);
            }
            _ => {}
        }
    }
    let whole: Vec<u8> = text[..cut.0].iter().copied().chain(cut.1.into_iter().rev()).collect();
    serde_json::from_slice(&whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_comes_before_a_cut_is_read() {
        let whole = br#"{"job_execution": {"id": "a,\"}", "list": [1, {"x": 2}], "n": 12}}"#;
        for cut in 0..whole.len() {
            let read = salvaged(&whole[..cut]);
            let known = cut > 32;
            assert_eq!(read["job_execution"]["id"] == "a,\"}", known, "{cut}: {read}");
        }
        assert_eq!(salvaged(br#"{"id": "a", "x": nul"#), json!({"id": "a"}));
        assert_eq!(salvaged(b"<html>"), Value::Null);
        assert_eq!(salvaged(b"]"), Value::Null);
    }
}
