//! Checks responses against the description.

use http::header;
use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Expected, Payload, Trial};
use super::compare::Comparison;
use super::exchange::{Call, Reply};
use super::model::unsupported;
use super::run::Halt;
use super::schema::all_names;
use super::verdict::Check;
use crate::error::{ErrorCode, ErrorKind};

impl Attempt<'_> {
    /// Returns whether a response is a success as described, and records what differs.
    pub(super) fn check_success(&mut self, op: usize, reply: &Reply) -> bool {
        let described = &self.model().operations[op];
        if reply.status != described.success || !reply.is_success() {
            let text = format!("{} instead of {}", reply.summary(), described.success);
            self.note_difference(Check::Status, text, reply.exchange);
            return false;
        }
        self.check_form(op, reply);
        true
    }

    /// Checks content type, headers and schema.
    pub(super) fn check_form(&mut self, op: usize, reply: &Reply) {
        let described = &self.model().operations[op];
        let schema = described.response_schema(reply.status);
        let media_type =
            reply.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match (schema, reply.text.is_empty()) {
            (None, false) => self.note_difference(
                Check::ContentType,
                format!("a body where none is described: {}", reply.summary()),
                reply.exchange,
            ),
            (None, true) => {}
            (Some(_), true) => {
                self.note_difference(Check::ContentType, "no body where one is described".to_owned(), reply.exchange)
            }
            (Some(_), false) => {
                if media_type.split(';').next().map(str::trim) != Some("application/json") {
                    self.note_difference(
                        Check::ContentType,
                        format!("the body is announced as `{media_type}`"),
                        reply.exchange,
                    );
                }
                match &reply.body {
                    None => self.note_difference(
                        Check::ContentType,
                        format!("the body is no JSON: {}", reply.summary()),
                        reply.exchange,
                    ),
                    Some(body) => {
                        for difference in described.differences(reply.status, body) {
                            self.note_difference(Check::Schema, difference, reply.exchange);
                        }
                    }
                }
            }
        }
        for name in described.response_headers(reply.status) {
            if !reply.headers.contains_key(name) {
                self.note_difference(Check::Headers, format!("the header `{name}` is missing"), reply.exchange);
            }
        }
    }

    /// Checks that a request is rejected as it must be, and records what differs.
    pub(super) fn check_rejection(&mut self, op: usize, what: &str, expected: Expected, reply: &Reply) {
        let code = reply.code().and_then(ErrorCode::lookup);
        let kind = code.and_then(ErrorCode::kind);
        let access = matches!(expected, Expected::Unauthenticated | Expected::Denied);
        let check = if access { Check::Access } else { Check::Status };
        if reply.is_success() {
            return self.note_difference(check, format!("{what}: accepted with {}", reply.summary()), reply.exchange);
        }
        let fits = match expected {
            Expected::Unauthenticated => reply.status == 401,
            Expected::Denied => matches!(reply.status, 401 | 403 | 404),
            // Some services blame the request with the code, and return the status of another failure.
            _ => (400..500).contains(&reply.status) || code.is_some_and(|code| code.statuses().contains(&reply.status)),
        };
        if !fits {
            return self.note_difference(check, format!("{what}: {}", reply.summary()), reply.exchange);
        }
        self.check_form(op, reply);
        let service = self.model().operations[op].service();
        match (code, reply.code()) {
            (Some(code), _) if code.family() != service && code.family() != "gateway" => {
                self.note_difference(
                    Check::Code,
                    format!("{what}: {} is a code of {}", code.code(), code.family()),
                    reply.exchange,
                );
            }
            (None, Some(unknown)) if service != "iam" => {
                self.note_difference(
                    Check::Code,
                    format!("{what}: the code `{unknown}` is not documented"),
                    reply.exchange,
                );
            }
            _ => {}
        }
        // The code is for failures of the service, and the status blames the request.
        if let Some(code) = code
            && kind.is_none()
            && (400..500).contains(&reply.status)
            && !code.statuses().is_empty()
            && code.statuses().iter().all(|status| *status >= 500)
        {
            let text = format!("{what}: the code {} is documented with {:?} alone", code.code(), code.statuses());
            self.note_difference(Check::Code, text, reply.exchange);
        }
        let means = match expected {
            Expected::Code(wanted) => code.is_some_and(|code| code.code() == wanted),
            Expected::Unknown => {
                service == "iam" || kind == Some(ErrorKind::NotFound) || (code.is_none() && reply.status == 404)
            }
            Expected::Invalid => {
                !matches!(kind, Some(ErrorKind::Authentication | ErrorKind::Permission | ErrorKind::Conflict))
            }
            Expected::Unauthenticated => {
                kind.is_none_or(|kind| matches!(kind, ErrorKind::Authentication | ErrorKind::Permission))
            }
            _ => true,
        };
        if !means {
            let wanted = match expected {
                Expected::Code(wanted) => format!("the documented code is {wanted}"),
                Expected::Unknown => "the code does not say that it is unknown".to_owned(),
                _ => "the code says something else".to_owned(),
            };
            self.note_difference(Check::Code, format!("{what}: {}, {wanted}", reply.summary()), reply.exchange);
        }
    }

    /// Compares a response with the documented one.
    pub(super) async fn compare(
        &mut self,
        trial: &Trial,
        index: usize,
        request: &Call,
        reply: &Reply,
    ) -> Result<(), Halt> {
        let op = &self.model().operations[trial.op];
        let example = &op.examples[index];
        let Some((_, documented)) = example.response else { return Ok(()) };
        let mut determined = Vec::new();
        let mut given = Vec::new();
        for (name, value) in example.parameters.into_iter().flatten() {
            let sent = request.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            determined.extend(sent.map(|sent| (name.clone(), value.clone(), Value::from(sent))));
        }
        if let (Some(documented), Payload::Json(sent)) = (example.request, &request.body) {
            let unsupported = unsupported(op);
            pair(documented, sent, &mut determined);
            determined.retain(|(name, ..)| !unsupported.contains(&name.as_str()));
            given.extend(names(sent));
        }
        let mut optional = Vec::new();
        let creates = self.model().object_of(op).map(|object| &self.model().objects[object]).or_else(|| {
            self.model().objects.iter().find(|object| object.create == trial.op || object.list == Some(trial.op))
        });
        if let Some(object) = creates {
            let create = &self.model().operations[object.create];
            optional = create.body.map(|schema| all_names(create.document.value(), schema)).unwrap_or_default();
            if trial.op != object.create && !self.run.options.read_only {
                let fixture = self.run.fixtures[self.model().created_by(object.create).unwrap_or_default()].get();
                given.extend(fixture.into_iter().flatten().flat_map(|fixture| names(&fixture.request)));
            }
        }
        let editions = op.examples.iter().filter_map(|example| example.response);
        let editions = editions.filter(|(status, _)| status.starts_with('2')).map(|(_, body)| body).collect();
        let shows = self.model().objects.iter().any(|object| object.show == Some(trial.op));
        let mut comparison = Comparison { determined, optional, given, editions, shows, differences: Vec::new() };
        comparison.compare("", "", documented, reply.json());
        for difference in comparison.differences {
            self.note_difference(Check::Example, difference, reply.exchange);
        }
        Ok(())
    }
}

/// Collects documented values by name, with what the request sends in their place.
fn pair(documented: &Value, sent: &Value, pairs: &mut Vec<(String, Value, Value)>) {
    let Value::Object(fields) = documented else { return };
    for (name, value) in fields {
        match (value, sent.get(name)) {
            (Value::Object(_), Some(sent)) => pair(value, sent, pairs),
            (Value::String(_) | Value::Number(_) | Value::Bool(_), Some(sent)) => {
                pairs.push((name.clone(), value.clone(), sent.clone()));
            }
            _ => {}
        }
    }
}

/// Collects all names of fields in a value.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}
