//! Checks responses against the description.

use http::header;
use serde_json::Value;

use super::attempt::Attempt;
use super::compare::Comparison;
use super::exchange::{Answer, Request};
use super::model::{all_names, unsupported};
use super::plan::{Expected, Payload, Trial};
use super::run::Halt;
use super::verdict::Check;
use crate::error::{ErrorCode, ErrorKind};

impl Attempt<'_> {
    /// Whether an answer is a success as described; notes what is not.
    pub(super) fn check_success(&mut self, op: usize, answer: &Answer) -> bool {
        let described = &self.model().operations[op];
        if answer.status != described.success || !answer.is_success() {
            let text = format!("{} instead of {}", answer.told(), described.success);
            self.note_difference(Check::Status, text, answer.exchange);
            return false;
        }
        self.check_form(op, answer);
        true
    }

    /// Content type, headers and schema.
    pub(super) fn check_form(&mut self, op: usize, answer: &Answer) {
        let described = &self.model().operations[op];
        let schema = described.answer_schema(answer.status);
        let media_type =
            answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match (schema, answer.text.is_empty()) {
            (None, false) => self.note_difference(
                Check::ContentType,
                format!("a body where none is described: {}", answer.told()),
                answer.exchange,
            ),
            (None, true) => {}
            (Some(_), true) => {
                self.note_difference(Check::ContentType, "no body where one is described".to_owned(), answer.exchange)
            }
            (Some(_), false) => {
                if media_type.split(';').next().map(str::trim) != Some("application/json") {
                    self.note_difference(
                        Check::ContentType,
                        format!("the body is announced as `{media_type}`"),
                        answer.exchange,
                    );
                }
                match &answer.body {
                    None => self.note_difference(
                        Check::ContentType,
                        format!("the body is no JSON: {}", answer.told()),
                        answer.exchange,
                    ),
                    Some(body) => {
                        for difference in described.differences(answer.status, body) {
                            self.note_difference(Check::Schema, difference, answer.exchange);
                        }
                    }
                }
            }
        }
        for name in described.answer_headers(answer.status) {
            if !answer.headers.contains_key(name) {
                self.note_difference(Check::Headers, format!("the header `{name}` is missing"), answer.exchange);
            }
        }
    }

    /// Whether a request is refused as it must be; notes what is not.
    pub(super) fn check_refusal(&mut self, op: usize, what: &str, expected: Expected, answer: &Answer) {
        let code = answer.code().and_then(ErrorCode::lookup);
        let kind = code.and_then(ErrorCode::kind);
        let access = matches!(expected, Expected::Unauthenticated | Expected::Denied);
        let check = if access { Check::Access } else { Check::Status };
        if answer.is_success() {
            return self.note_difference(check, format!("{what}: accepted with {}", answer.told()), answer.exchange);
        }
        let fits = match expected {
            Expected::Unauthenticated => answer.status == 401,
            Expected::Denied => matches!(answer.status, 401 | 403 | 404),
            // Some services say with a code that it is the request, and with the status something else.
            _ => {
                (400..500).contains(&answer.status) || code.is_some_and(|code| code.statuses().contains(&answer.status))
            }
        };
        if !fits {
            return self.note_difference(check, format!("{what}: {}", answer.told()), answer.exchange);
        }
        self.check_form(op, answer);
        let service = self.model().operations[op].service();
        match (code, answer.code()) {
            (Some(code), _) if code.family() != service && code.family() != "gateway" => {
                self.note_difference(
                    Check::Code,
                    format!("{what}: {} is a code of {}", code.code(), code.family()),
                    answer.exchange,
                );
            }
            (None, Some(unknown)) if service != "iam" => {
                self.note_difference(
                    Check::Code,
                    format!("{what}: the code `{unknown}` is not documented"),
                    answer.exchange,
                );
            }
            _ => {}
        }
        // Such a code says that the service failed, and the status that it was the request.
        if let Some(code) = code
            && kind.is_none()
            && (400..500).contains(&answer.status)
            && !code.statuses().is_empty()
            && code.statuses().iter().all(|status| *status >= 500)
        {
            let text = format!("{what}: the code {} is documented with {:?} alone", code.code(), code.statuses());
            self.note_difference(Check::Code, text, answer.exchange);
        }
        let means = match expected {
            Expected::Code(wanted) => code.is_some_and(|code| code.code() == wanted),
            Expected::Unknown => {
                service == "iam" || kind == Some(ErrorKind::NotFound) || (code.is_none() && answer.status == 404)
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
            self.note_difference(Check::Code, format!("{what}: {}, {wanted}", answer.told()), answer.exchange);
        }
    }

    /// Compares a response with the documented one.
    pub(super) async fn compare(
        &mut self,
        trial: &Trial,
        index: usize,
        request: &Request,
        answer: &Answer,
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
        comparison.compare("", "", documented, answer.json());
        for difference in comparison.differences {
            self.note_difference(Check::Example, difference, answer.exchange);
        }
        Ok(())
    }
}

/// Documented values by name with what was sent in their place.
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

/// All names of fields in a value.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}
