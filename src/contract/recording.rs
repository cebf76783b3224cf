//! Checks recorded traffic against the description, without sending anything.

use std::collections::BTreeSet;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use jsonschema::Validator;
use reqwest::Url;
use serde_json::Value;

use super::check::{code_differences, form_differences};
use super::clause::Kind;
use super::exchange::{Reply, kept, shown};
use super::model::{Model, Op, model};
use super::schema::place;
use super::verdict::{Check, Difference, Exchange, Outcome, Report, Verdict, clipped};
use crate::cloud::{Cloud, Documented};
use crate::error::Error;
use crate::error::confidential::HIDDEN;
use crate::har::{self, Entry, Message};
use crate::spec;

/// So many differences and so many notes of an exchange are kept, and so many bytes of each.
const MOST: usize = 30;
const MOST_TEXT: usize = 2000;
/// The reason of an exchange that is none of the described services.
const FOREIGN: &str = "not of these APIs";

/// Recorded requests and responses: a HAR file of [`Recorder`](har::Recorder), of a browser or of a proxy.
///
/// All secrets are redacted when it is read, so neither the report nor the [copy](Self::redacted) contains one.
#[derive(Clone)]
pub struct Recording {
    /// An entry that could not be read has the reason in its place.
    entries: Vec<Result<Entry, String>>,
    model: &'static Model,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("entries", &self.entries.len()).field("model", self.model).finish()
    }
}

/// The place of a request in the description.
enum Place<'a> {
    /// An operation, with the values of its path.
    Operation(&'static Op, Vec<(&'static str, &'a str)>),
    /// A described path that has other methods.
    OtherMethod,
    Foreign,
}

impl Recording {
    /// Reads a HAR file; a byte order mark before it is skipped. The traffic is held to the edition of a cloud, or to all
    /// editions together.
    ///
    /// ```
    /// use huaweicloud_jobs::contract::{Recording, Verdict};
    ///
    /// let har = r#"{"log": {"entries": [{
    ///     "request": {"method": "PUT", "url": "https://modelarts.cn-north-4.myhuaweicloud.com/v1/p/training-jobs/10",
    ///         "postData": {"mimeType": "application/json", "text": "{\"job_desc\": \"x\"}"}},
    ///     "response": {"status": 200, "headers": [{"name": "content-type", "value": "application/json"},
    ///         {"name": "x-request-id", "value": "r"}], "content": {"text": "{\"is_success\": 1}"}}}]}}"#;
    /// let report = Recording::read(har, None)?.check();
    /// assert_eq!(report.outcomes[0].verdict, Verdict::Differs);
    /// assert!(report.outcomes[0].differences[0].text.contains("is_success"));
    /// # Ok::<(), huaweicloud_jobs::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is not JSON, or has no `log.entries`.
    pub fn read(text: &str, cloud: Option<Cloud>) -> Result<Self, Error> {
        let mut entries =
            har::read(text).map_err(|reason| Error::configuration(format!("this is no HAR file: {reason}")))?;
        har::redact(entries.iter_mut().flatten());
        Ok(Self { entries, model: model(cloud) })
    }

    /// Matches each exchange to its operation and checks it.
    ///
    /// The response is held to account; what is wrong with a request is a [note](Outcome::notes).
    pub fn check(&self) -> Report {
        let outcomes: Vec<Outcome> =
            self.entries.iter().enumerate().map(|(index, entry)| self.outcome(index, entry)).collect();
        let endpoints = self.entries.iter().flatten().filter_map(|entry| {
            let url = Url::parse(&entry.url).ok()?;
            match self.place(&entry.method, &url) {
                Place::Operation(op, _) => Some((op.service().to_owned(), url.origin().ascii_serialization())),
                _ => None,
            }
        });
        Report {
            tool: concat!("hwjobs ", env!("CARGO_PKG_VERSION")).to_owned(),
            cloud: self.model.cloud.map(Into::into),
            endpoints: endpoints.collect(),
            embedded: false,
            seed: 0,
            interrupted: false,
            aborted: None,
            requests: outcomes.len(),
            milliseconds: outcomes.iter().map(|outcome| outcome.milliseconds).sum(),
            outcomes,
            leftovers: Vec::new(),
        }
    }

    /// Writes a copy that can be shared: all secrets read `***`, and only exchanges of described operations are in it.
    pub fn redacted(&self) -> String {
        let is_described = |entry: &&Entry| {
            let url = Url::parse(&entry.url);
            url.is_ok_and(|url| matches!(self.place(&entry.method, &url), Place::Operation(..)))
        };
        let described: Vec<Entry> = self.entries.iter().flatten().filter(is_described).cloned().collect();
        let others = self.entries.len() - described.len();
        let comment = format!("{others} other exchanges were left out");
        har::write(&described, (others > 0).then_some(&comment))
    }

    fn outcome(&self, index: usize, entry: &Result<Entry, String>) -> Outcome {
        let number = index + 1;
        let untried = |summary: String, reason: &str| Outcome {
            id: format!("other.unknown.recorded.{number}"),
            kind: Kind::Recorded,
            service: "other".to_owned(),
            operation: "unknown".to_owned(),
            summary,
            sources: Vec::new(),
            documentation: None,
            verdict: Verdict::NotTried,
            reason: Some(reason.to_owned()),
            differences: Vec::new(),
            notes: Vec::new(),
            exchanges: Vec::new(),
            requests: 1,
            milliseconds: 0,
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(reason) => return untried(format!("entry {number}"), &format!("the entry cannot be read: {reason}")),
        };
        let Ok(url) = Url::parse(&entry.url) else {
            return untried(format!("entry {number}"), "the address of the request cannot be read");
        };
        // Path and query of another service may be a secret.
        let elsewhere = || format!("{} {}", clipped(&entry.method, 20), url.origin().ascii_serialization());
        let (op, values) = match self.place(&entry.method, &url) {
            Place::Operation(op, values) => (op, values),
            Place::OtherMethod => {
                return untried(elsewhere(), "the description has no such method for the path of the request");
            }
            Place::Foreign => return untried(elsewhere(), FOREIGN),
        };
        let described = &op.operation;
        let mut outcome = Outcome {
            id: format!("{}.{}.recorded.{number}", op.service(), op.id),
            service: op.service().to_owned(),
            operation: op.id.to_owned(),
            sources: described.value["x-source"].as_array().into_iter().flatten().filter_map(text).collect(),
            documentation: text(&described.value["externalDocs"]["url"]),
            reason: None,
            milliseconds: (entry.wait + entry.receive) as u64,
            ..untried(format!("{} {} responded with {}", entry.method, described.path, entry.status), "")
        };
        outcome.notes = notes(op, entry, &url, &values);
        outcome.notes.truncate(MOST);
        let reply = reply(entry);
        let (verdict, reason, differences) = self.judge(op, entry, &reply);
        let difference = |(check, text): (Check, String)| Difference {
            check,
            text: clipped(&text, MOST_TEXT).into_owned(),
            exchange: 0,
        };
        outcome.differences = differences.into_iter().take(MOST).map(difference).collect();
        (outcome.verdict, outcome.reason) = (verdict, reason);
        if matches!(verdict, Verdict::Differs | Verdict::Absent) {
            outcome.exchanges.push(exchange(op, entry, &reply));
        }
        outcome
    }

    /// Returns the verdict on a response, its reason, and the differences.
    fn judge(&self, op: &Op, entry: &Entry, reply: &Reply) -> (Verdict, Option<String>, Vec<(Check, String)>) {
        let untried = |reason: String| (Verdict::NotTried, Some(reason), Vec::new());
        let response = &entry.response;
        if entry.status == 0 {
            let reason = response.comment.as_deref();
            return untried(reason.map_or_else(|| "no response was recorded".to_owned(), str::to_owned));
        }
        let missing = missing_body(op, response, reply);
        let is_absent = missing.is_none() && reply.is_absent();
        if op.documented == Documented::No {
            let title = self.model.cloud.map_or("", Cloud::title);
            let text = format!("{title} does not document {}", op.id);
            return match is_absent {
                true => (Verdict::Honours, None, Vec::new()),
                false if reply.is_success() => {
                    let found = vec![(Check::Status, format!("{text}, and the endpoint has it"))];
                    (Verdict::Differs, None, found)
                }
                false => untried(text),
            };
        }
        if is_absent {
            return (Verdict::Absent, Some(format!("the response was {}", reply.summary())), Vec::new());
        }
        let mut found = Vec::new();
        // The documents know failures under a status of success, too.
        let is_failure = reply.body.is_some() && !reply.is_success();
        let judged = match reply.status {
            200..300 if is_failure => Reply { status: 400, ..reply.clone() },
            _ => reply.clone(),
        };
        if (200..300).contains(&judged.status) && judged.status != op.success {
            found.push((Check::Status, format!("{} instead of {}", reply.status, op.success)));
        } else if op.document.response(op.operation, judged.status).is_none() {
            found.push((Check::Status, format!("the status {} is not described", reply.status)));
        } else {
            let form = form_differences(op, &judged).into_iter();
            // Without headers the tool that wrote the file has removed them.
            let is_known = |check: Check| match check {
                Check::Headers => !response.headers.is_empty(),
                Check::ContentType | Check::Schema => missing.is_none(),
                _ => true,
            };
            found.extend(form.filter(|(check, _)| is_known(*check)));
        }
        if is_failure {
            found.extend(code_differences(op, &judged).into_iter().map(|text| (Check::Code, text)));
        }
        if let (Some(schema), Some(body)) = (op.response_schema(judged.status), &judged.body) {
            found.extend(
                undescribed(op, schema, body).map(|name| (Check::Schema, format!("`{name}` is not described"))),
            );
        }
        match (found.is_empty(), missing) {
            (true, Some(reason)) => untried(reason),
            (true, None) => (Verdict::Honours, None, found),
            (false, _) => (Verdict::Differs, None, found),
        }
    }

    /// Finds the operation of a request. A gateway may have a path of its own in front; of several operations the one with
    /// the most fixed segments is meant.
    fn place<'a>(&self, method: &str, url: &'a Url) -> Place<'a> {
        if !matches!(url.scheme(), "http" | "https") || method.eq_ignore_ascii_case("OPTIONS") {
            return Place::Foreign;
        }
        let path: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        let model: &'static Model = self.model;
        let fitting = model.operations.iter().filter_map(|op| {
            let template: Vec<&'static str> = op.operation.path.trim_matches('/').split('/').collect();
            let tail = path.get(path.len().checked_sub(template.len())?..)?;
            let (mut fixed, mut values) = (0, Vec::new());
            for (wanted, given) in template.into_iter().zip(tail) {
                match wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}')) {
                    Some(name) if !given.is_empty() => values.push((name, *given)),
                    None if wanted == *given => fixed += 1,
                    _ => return None,
                }
            }
            serves(url, op.service()).then_some((fixed, op, values))
        });
        let fitting: Vec<_> = fitting.collect();
        let is_method = |op: &Op| op.operation.method.eq_ignore_ascii_case(method);
        let best = fitting.iter().filter(|(_, op, _)| is_method(op)).max_by_key(|(fixed, ..)| *fixed);
        match best {
            Some((_, op, values)) => Place::Operation(op, values.clone()),
            None if fitting.is_empty() => Place::Foreign,
            None => Place::OtherMethod,
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Whether an address may be that of a service. In the domain of a known cloud the first part of a host names its service;
/// any other host can be a gateway.
fn serves(url: &Url, service: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    let mut is_cloud = false;
    for cloud in Cloud::all() {
        for known in ["iam", "modelarts", "mrs"] {
            let form = cloud.form(known).and_then(|form| form.strip_prefix("https://"));
            let Some((before, domain)) = form.and_then(|form| form.split_once("{region}")) else { continue };
            if host.ends_with(domain) {
                is_cloud = true;
                if known == service && host.starts_with(before) {
                    return true;
                }
            }
        }
    }
    !is_cloud
}

/// The reason why the body of a response cannot be checked, if it cannot.
fn missing_body(op: &Op, response: &Message, reply: &Reply) -> Option<String> {
    let comment = || response.comment.as_deref().map(|comment| format!(": {comment}")).unwrap_or_default();
    match &response.body {
        // A size that is not known says nothing where a body is described.
        None if response.is_cut() || (response.size.is_none() && op.response_schema(reply.status).is_some()) => {
            Some(format!("the body of the response was not recorded{}", comment()))
        }
        Some(text) if reply.body.is_none() => {
            let ends_early = serde_json::from_str::<Value>(text).is_err_and(|error| error.is_eof());
            let is_shorter = response.size.is_some_and(|size| size > text.len() as u64);
            (ends_early && (is_shorter || response.comment.is_some()))
                .then(|| format!("the body of the response was not recorded to its end{}", comment()))
        }
        _ => None,
    }
}

/// A recorded response, as the runner would have received it.
fn reply(entry: &Entry) -> Reply {
    let response = &entry.response;
    let mut headers = headers(&response.headers);
    if let (false, Ok(media_type)) =
        (headers.contains_key(http::header::CONTENT_TYPE), HeaderValue::from_str(&response.media_type))
    {
        headers.insert(http::header::CONTENT_TYPE, media_type);
    }
    let text = response.body.clone().unwrap_or_default();
    Reply { status: entry.status, headers, body: serde_json::from_str(&text).ok(), text, exchange: 0 }
}

/// The headers that HTTP allows.
fn headers(recorded: &[(String, String)]) -> HeaderMap {
    let pair =
        |(name, value): &(String, String)| Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?));
    recorded.iter().filter_map(pair).collect()
}

/// The exchange as reports show it.
fn exchange(op: &Op, entry: &Entry, reply: &Reply) -> Exchange {
    let mut sent = shown(&headers(&entry.request.headers));
    // A header that is not known would be sent with its redaction.
    sent.retain(|(_, value)| value != HIDDEN);
    let mut exchange = Exchange {
        operation: op.id.to_owned(),
        method: entry.method.to_ascii_uppercase(),
        url: entry.url.clone(),
        headers: sent,
        body: entry.request.body.clone(),
        status: entry.status,
        response_headers: kept(&reply.headers),
        response: reply.text.clone(),
    };
    exchange.clip();
    exchange
}

/// What the description does not say of a request.
fn notes(op: &Op, entry: &Entry, url: &Url, values: &[(&'static str, &str)]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut check = |name: &str, value: &str| {
        let Some(parameter) = op.parameters.iter().find(|parameter| parameter.name == name) else {
            notes.push(format!("the parameter `{name}` of the request is not described"));
            return;
        };
        let allows = |value: &Value| parameter.allows(op.document, value);
        let typed = || serde_json::from_str(value).is_ok_and(|value| allows(&value));
        if value != HIDDEN && !allows(&value.into()) && !typed() {
            notes.push(format!("the parameter `{name}` of the request cannot be `{value}`"));
        }
    };
    for (name, value) in values {
        check(name, &percent_encoding::percent_decode_str(value).decode_utf8_lossy());
    }
    let query: Vec<_> = url.query_pairs().collect();
    for (name, value) in &query {
        check(name, value);
    }
    let missing = op.parameters.iter().filter(|parameter| {
        parameter.required && !parameter.in_path && !query.iter().any(|(name, _)| name == parameter.name)
    });
    notes.extend(missing.map(|parameter| format!("the request lacks the parameter `{}`", parameter.name)));
    match (&entry.request.body, op.body) {
        (Some(text), Some(schema)) => match serde_json::from_str(text) {
            Ok(body) => {
                if !op.allows(&body) {
                    notes.extend(invalid(&op.document.validator(schema), &body));
                }
                notes.extend(
                    undescribed(op, schema, &body).map(|name| format!("`{name}` of the request is not described")),
                );
            }
            Err(error) => notes.push(format!("the body of the request is no JSON: {error}")),
        },
        (Some(_), None) => notes.push("the request has a body, and none is described".to_owned()),
        (None, Some(_)) if entry.request.is_cut() => {
            notes.push("the body of the request was not recorded".to_owned());
        }
        (None, Some(_)) => notes.push("the request has no body, and one is described".to_owned()),
        (None, None) => {}
    }
    for note in &mut notes {
        *note = clipped(note, MOST_TEXT).into_owned();
    }
    notes
}

/// What is invalid in the body of a request. A redacted value is not known.
fn invalid(validator: &Validator, body: &Value) -> Vec<String> {
    let errors = validator.iter_errors(body).filter(|error| error.instance().as_str() != Some(HIDDEN));
    let told = |error: jsonschema::ValidationError<'_>| {
        format!("{} of the request: {}", place(error.instance_path().as_str()), error.masked_with("the value"))
    };
    errors.take(MOST).map(told).collect()
}

/// The fields that a schema does not name, each once for all items of a list.
fn undescribed(op: &Op, schema: &Value, body: &Value) -> impl Iterator<Item = String> + use<> {
    let places = spec::undescribed(op.document.value(), schema, body);
    let alike = |place: String| {
        let segments = place.split('.').map(|segment| if segment.parse::<usize>().is_ok() { "[]" } else { segment });
        segments.collect::<Vec<_>>().join(".").replace(".[]", "[]")
    };
    places.into_iter().map(alike).collect::<BTreeSet<_>>().into_iter()
}
