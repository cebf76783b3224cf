//! Checks responses against the description.

use http::header;
use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Expected, Payload, Trial};
use super::compare::Comparison;
use super::exchange::{Call, Reply};
use super::model::{Op, unsupported};
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
        for (check, text) in form_differences(&self.model().operations[op], reply) {
            self.note_difference(check, text, reply.exchange);
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
        let described = &self.model().operations[op];
        for text in code_differences(described, reply) {
            self.note_difference(Check::Code, format!("{what}: {text}"), reply.exchange);
        }
        let service = described.service();
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

/// Where content type, headers and body of a response are not as described.
pub(super) fn form_differences(described: &Op, reply: &Reply) -> Vec<(Check, String)> {
    let mut found = Vec::new();
    let media_type = reply.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match (described.response_schema(reply.status), reply.text.is_empty()) {
        (None, false) => {
            found.push((Check::ContentType, format!("a body where none is described: {}", reply.summary())));
        }
        (None, true) => {}
        (Some(_), true) => found.push((Check::ContentType, "no body where one is described".to_owned())),
        (Some(_), false) => {
            if media_type.split(';').next().map(str::trim) != Some("application/json") {
                found.push((Check::ContentType, format!("the body is announced as `{media_type}`")));
            }
            match &reply.body {
                None => found.push((Check::ContentType, format!("the body is no JSON: {}", reply.summary()))),
                Some(body) => {
                    let differences = described.differences(reply.status, body).into_iter();
                    found.extend(differences.map(|difference| (Check::Schema, difference)));
                }
            }
        }
    }
    for name in described.response_headers(reply.status) {
        if !reply.headers.contains_key(name) {
            found.push((Check::Headers, format!("the header `{name}` is missing")));
        }
    }
    found
}

/// Where the code of a failure is not a documented one of the service, or documented for other statuses.
pub(super) fn code_differences(described: &Op, reply: &Reply) -> Vec<String> {
    let (mut found, service) = (Vec::new(), described.service());
    match reply.code().map(|code| (code, ErrorCode::lookup(code))) {
        Some((_, Some(code))) => {
            if code.family() != service && code.family() != "gateway" {
                found.push(format!("{} is a code of {}", code.code(), code.family()));
            }
            // Such a code says that the service failed, and the status that it was the request.
            if code.kind().is_none()
                && (400..500).contains(&reply.status)
                && !code.statuses().is_empty()
                && code.statuses().iter().all(|status| *status >= 500)
            {
                found.push(format!("the code {} is documented with {:?} alone", code.code(), code.statuses()));
            }
        }
        Some((unknown, None)) if service != "iam" => found.push(format!("the code `{unknown}` is not documented")),
        _ => {}
    }
    found
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
