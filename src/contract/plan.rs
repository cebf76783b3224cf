//! Which clauses there are: derived from the description alone, the same each time.

use std::fmt;

use globset::Glob;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::generate::{bounds, item, put, sample};
use super::model::{Model, Op, field, keyword, model, properties};
use crate::cloud::{Cloud, Documented};
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::spec::{PageShape, load};

/// What kind of promise a clause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A documented request gets its documented answer.
    Example,
    /// A request that must fail does so as documented.
    Failure,
    /// The last allowed value is accepted and the first forbidden one refused.
    Limit,
    /// What holds between several requests.
    Law,
    /// Nobody gets in without the right to.
    Access,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Example, Self::Failure, Self::Limit, Self::Law, Self::Access];

    /// The word in ids and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Example => "example",
            Self::Failure => "failure",
            Self::Limit => "limit",
            Self::Law => "law",
            Self::Access => "access",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One promise of the description.
#[derive(Clone, Debug)]
pub struct Clause {
    model: &'static Model,
    /// Its place among all clauses.
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) op: usize,
    pub(super) summary: String,
    pub(super) case: Case,
    pub(super) reads: bool,
    pub(super) billed: bool,
}

/// How a clause is tried.
#[derive(Clone, Debug)]
pub(super) enum Case {
    Trials(Vec<Trial>),
    Law(Law),
    /// The operation must be absent.
    Absence(Box<Trial>),
    /// It cannot be; for this reason.
    Untried(&'static str),
}

/// One request and what it must lead to.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) op: usize,
    pub(super) what: String,
    /// Values of the query, and of path parameters that are on trial.
    pub(super) parameters: Map<String, Value>,
    pub(super) body: Payload,
    /// The JSON pointer of what is on trial: it is sent as it is.
    pub(super) place: Option<String>,
    pub(super) identity: Identity,
    pub(super) target: Target,
    pub(super) expected: Expected,
}

#[derive(Clone, Debug)]
pub(super) enum Payload {
    None,
    Json(Value),
    /// Bytes that are not JSON.
    Raw(&'static str),
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Own,
    Nobody,
    BadToken,
    BadSignature,
    StaleDate,
    /// The right one, for another project.
    OtherProject,
}

/// Which object a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One that many clauses share.
    Shared,
    /// One of the trial's own.
    Fresh,
    /// One that does not exist.
    Unknown,
    /// The parameter names nothing that exists, those before it do.
    UnknownAt(&'static str),
}

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    Accepted,
    /// Like the documented example of this index.
    Documented(usize),
    /// For what is wrong with the request.
    Invalid,
    /// Because there is no such object.
    Unknown,
    /// With this documented code.
    Code(&'static str),
    /// As nobody that is known.
    Unauthenticated,
    /// With one of the statuses that hide or deny.
    Denied,
}

/// What holds between several requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    CreateReadsBack(usize),
    CreateIsDistinct(usize),
    UpdateReadsBack(usize),
    UpdateIsIdempotent(usize),
    UpdateLeavesRest(usize),
    UpdateLeavesOthers(usize),
    Listed(usize),
    Forgotten(usize),
    StopEnds(usize),
    InvisibleElsewhere(usize),
    NameTaken(usize),
    StateForbids(usize),
    Pages,
    PageSize,
    Sort(&'static str),
    Search,
    Filter(&'static str),
}

impl Clause {
    /// The id, which stays: `modelarts.update_training_job.limit.job_desc.max-length`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What kind of promise it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The operation that makes it.
    pub fn operation(&self) -> &'static str {
        self.op().id
    }

    /// The service of the operation: `iam`, `modelarts`, `mrs`.
    pub fn service(&self) -> &'static str {
        self.op().service()
    }

    /// What is promised, in a line.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The pages of the documentation that say so.
    pub fn sources(&self) -> impl Iterator<Item = &'static str> {
        self.op().operation.value["x-source"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// The address of the documentation.
    pub fn documentation(&self) -> Option<&'static str> {
        self.op().operation.value["externalDocs"]["url"].as_str()
    }

    /// Whether trying it changes nothing, whatever the endpoint does.
    pub fn reads_only(&self) -> bool {
        self.reads
    }

    /// Whether trying it starts work that is paid for, or does if the endpoint does not honour the clause.
    pub fn is_billed(&self) -> bool {
        self.billed
    }

    /// What would be sent, a line for each request; values in braces are known only then.
    pub fn requests(&self) -> Vec<String> {
        match &self.case {
            Case::Trials(trials) => trials.iter().map(|trial| trial.line(self.model)).collect(),
            Case::Law(law) => {
                law.operations(self.model, self.op).into_iter().map(|op| line(&self.model.operations[op])).collect()
            }
            Case::Absence(trial) => vec![trial.line(self.model)],
            Case::Untried(_) => Vec::new(),
        }
    }

    pub(super) fn op(&self) -> &'static Op {
        &self.model.operations[self.op]
    }
}

fn line(op: &Op) -> String {
    format!("{} {}", op.operation.method.to_ascii_uppercase(), op.operation.path)
}

impl Trial {
    fn line(&self, model: &Model) -> String {
        let op = &model.operations[self.op];
        let mut path = op.operation.path.to_owned();
        let mut query = Vec::new();
        for (name, value) in &self.parameters {
            if op.parameter(name).is_some_and(|parameter| parameter.in_path) {
                path = path.replace(&format!("{{{name}}}"), &short(value));
            } else {
                query.push(format!("{name}={}", short(value)));
            }
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let body = match &self.body {
            Payload::None => String::new(),
            Payload::Raw(text) => format!(" {text:?}"),
            Payload::Json(body) => {
                let mut body = body.clone();
                shorten(&mut body);
                format!(" {body}")
            }
        };
        format!("{} {path}{query}{body}  # {}", op.operation.method.to_ascii_uppercase(), self.what)
    }
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().count() > 60 => *value = short(value).into(),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

/// A value for people: long texts by their length.
pub(super) fn short(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > 60 => format!("<{} characters>", text.chars().count()),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Law {
    /// The operations that trying it calls, fixtures aside.
    pub(super) fn operations(self, model: &Model, own: usize) -> Vec<usize> {
        let objects = &model.objects;
        let read = |object: usize| objects[object].show.or(objects[object].list);
        let create = |object: usize| Some(objects[object].create);
        let update = |object: usize| objects[object].update;
        let steps = match self {
            Self::CreateReadsBack(object) => vec![create(object), read(object)],
            Self::CreateIsDistinct(object) => vec![create(object), create(object)],
            Self::UpdateReadsBack(object) | Self::UpdateLeavesRest(object) | Self::UpdateLeavesOthers(object) => {
                vec![create(object), update(object), read(object)]
            }
            Self::UpdateIsIdempotent(object) => vec![create(object), update(object), update(object), read(object)],
            Self::Listed(object) => vec![create(object), objects[object].list],
            Self::Forgotten(object) => vec![create(object), objects[object].delete, read(object)],
            Self::StopEnds(object) => vec![create(object), objects[object].stop, read(object)],
            Self::InvisibleElsewhere(object) | Self::NameTaken(object) | Self::StateForbids(object) => {
                vec![create(object), Some(own)]
            }
            Self::Pages | Self::PageSize | Self::Sort(_) | Self::Search | Self::Filter(_) => {
                let object = objects.iter().find(|object| object.list == Some(own));
                vec![object.map(|object| object.create), Some(own)]
            }
        };
        steps.into_iter().flatten().collect()
    }
}

/// The clauses that are to be tried, in the order in which operations depend on each other.
#[derive(Clone, Debug)]
pub struct Plan {
    model: &'static Model,
    clauses: Vec<Clause>,
}

impl Plan {
    /// All clauses of the description, which holds the editions of all clouds together.
    pub fn of_description() -> Self {
        Self::of(model(None))
    }

    /// All clauses of what a cloud documents. An operation that it does not document must be absent; of one of which that is
    /// not known, nothing is promised.
    pub fn of_cloud(cloud: Cloud) -> Self {
        Self::of(model(Some(cloud)))
    }

    fn of(model: &'static Model) -> Self {
        let mut planner = Planner { model, clauses: Vec::new() };
        for (index, op) in model.operations.iter().enumerate() {
            match op.documented {
                Documented::Yes => {
                    planner.examples(index);
                    planner.failures(index);
                    planner.limits(index);
                    planner.laws(index);
                    planner.access(index);
                }
                // A service of which the cloud documents nothing has no known address where it could be absent.
                Documented::No if model.cloud.is_some_and(|cloud| cloud.form(op.service()).is_some()) => {
                    planner.absence(index);
                }
                Documented::No | Documented::Unknown => {}
            }
        }
        Self { model, clauses: planner.clauses }
    }

    /// The cloud whose edition it is; none for all editions together.
    pub fn cloud(&self) -> Option<Cloud> {
        self.model.cloud
    }

    pub(super) fn model(&self) -> &'static Model {
        self.model
    }

    /// The clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Keeps the clauses whose id matches one of the patterns, in which `*` stands for anything.
    ///
    /// # Errors
    ///
    /// A pattern is malformed, or no clause matches it.
    pub fn only(mut self, patterns: &[impl AsRef<str>]) -> Result<Self, Error> {
        let mut chosen = vec![false; self.clauses.len()];
        for pattern in patterns {
            let text = pattern.as_ref();
            let glob = Glob::new(text)
                .map_err(|error| Error::configuration(format!("`{text}` is no pattern of clause ids: {error}")))?
                .compile_matcher();
            let mut found = false;
            for (clause, chosen) in self.clauses.iter().zip(&mut chosen) {
                if clause.id == text || glob.is_match(&clause.id) {
                    (found, *chosen) = (true, true);
                }
            }
            if !found {
                return Err(Error::configuration(format!("no clause has an id like `{text}`")));
            }
        }
        let mut chosen = chosen.into_iter();
        self.clauses.retain(|_| chosen.next().unwrap_or_default());
        Ok(self)
    }
}

struct Planner {
    model: &'static Model,
    clauses: Vec<Clause>,
}

impl Planner {
    fn add(&mut self, op: usize, kind: Kind, name: &str, summary: String, case: Case) {
        let described = &self.model.operations[op];
        let id = format!("{}.{}.{kind}.{name}", described.service(), described.id);
        let (reads, billed) = match &case {
            Case::Trials(trials) => (
                trials.iter().all(|trial| self.model.operations[trial.op].reads()),
                trials.iter().any(|trial| self.trial_is_billed(trial)),
            ),
            Case::Law(law) => {
                let operations = law.operations(self.model, op);
                let reading = matches!(law, Law::Pages | Law::PageSize | Law::Sort(_) | Law::Search | Law::Filter(_));
                let reads = reading || operations.iter().all(|op| self.model.operations[*op].reads());
                (reads, operations.iter().any(|op| self.is_billed(*op)))
            }
            Case::Absence(_) => (described.reads(), false),
            Case::Untried(_) => (true, false),
        };
        let index = self.clauses.len();
        let model = self.model;
        self.clauses.push(Clause { model, index, id, kind, op, summary, case, reads, billed });
    }

    /// The operation must be absent: a request without a body, about an object that does not exist, must meet nobody.
    fn absence(&mut self, op: usize) {
        let described = &self.model.operations[op];
        let trial = Trial {
            op,
            what: "the operation is absent".to_owned(),
            parameters: Map::new(),
            body: Payload::None,
            place: None,
            identity: Identity::Own,
            target: Target::Unknown,
            expected: Expected::Unknown,
        };
        let summary = format!("{} is not documented by this cloud and is absent", line(described));
        self.add(op, Kind::Failure, "absent", summary, Case::Absence(Box::new(trial)));
    }

    fn trial_is_billed(&self, trial: &Trial) -> bool {
        // The marker of an example becomes one of an object that exists.
        let listed = self.model.objects.iter().find(|object| object.list == Some(trial.op));
        if let Some(object) = listed.filter(|_| trial.parameters.contains_key("marker"))
            && self.is_billed(object.create)
        {
            return true;
        }
        match trial.target {
            Target::Unknown => self.model.operations[trial.op].is_billed(),
            Target::Shared | Target::Fresh | Target::UnknownAt(_) => self.is_billed(trial.op),
        }
    }

    /// Whether an operation is paid for, or one that creates what it is about.
    fn is_billed(&self, op: usize) -> bool {
        let described = &self.model.operations[op];
        let path = described.operation.path;
        described.is_billed()
            || described.path_parameters().filter_map(|name| self.model.named_by(path, name)).any(|object| {
                self.model.objects[object].create != op && self.is_billed(self.model.objects[object].create)
            })
    }

    /// A request that goes well, as the documents print it or as small as it can be.
    fn base(&self, op: usize, what: impl Into<String>, expected: Expected) -> Trial {
        let described = &self.model.operations[op];
        let example = described.examples.iter().find(|example| example.parameters.is_some());
        let mut parameters = Map::new();
        for parameter in described.parameters.iter().filter(|parameter| parameter.required && !parameter.in_path) {
            let documented = example.and_then(|example| example.parameters?.get(parameter.name)).cloned();
            let value = documented.unwrap_or_else(|| sample(described.document.value(), parameter.schema));
            parameters.insert(parameter.name.to_owned(), value);
        }
        Trial {
            op,
            what: what.into(),
            parameters,
            body: bodies(described).into_iter().next().map_or(Payload::None, Payload::Json),
            place: None,
            identity: Identity::Own,
            target: if described.transforms() { Target::Fresh } else { Target::Shared },
            expected,
        }
    }

    fn examples(&mut self, op: usize) {
        let described = &self.model.operations[op];
        for (index, example) in described.examples.iter().enumerate() {
            let Some(parameters) = example.parameters else { continue };
            let query = described.parameters.iter().filter(|parameter| !parameter.in_path);
            let mut trial = self.base(op, format!("example `{}`", example.key), Expected::Documented(index));
            trial.parameters =
                query.filter_map(|known| Some((known.name.to_owned(), parameters.get(known.name)?.clone()))).collect();
            trial.body = example.request.cloned().map_or(Payload::None, Payload::Json);
            let summary = format!("The documented example `{}` gets its documented answer.", example.key);
            self.add(op, Kind::Example, example.key, summary, Case::Trials(vec![trial]));
        }
    }

    fn failures(&mut self, op: usize) {
        let described = &self.model.operations[op];
        for parameter in described.path_parameters() {
            let mut trial = self.base(op, format!("an unknown {parameter}"), Expected::Unknown);
            trial.target = Target::UnknownAt(parameter);
            let summary = format!("An unknown `{parameter}` is refused as unknown.");
            self.add(op, Kind::Failure, &format!("unknown-{parameter}"), summary, Case::Trials(vec![trial]));
        }
        if described.body.is_some() {
            for (name, text) in [("empty-body", ""), ("malformed-body", "{\"")] {
                let mut trial = self.base(op, name.replace('-', " "), Expected::Invalid);
                trial.body = Payload::Raw(text);
                trial.target = Target::Shared;
                let summary = format!(
                    "A request with {} is refused.",
                    if text.is_empty() { "no body" } else { "a body that is no JSON" }
                );
                self.add(op, Kind::Failure, name, summary, Case::Trials(vec![trial]));
            }
        }
        for example in described.examples.iter().filter(|example| example.parameters.is_none()) {
            let Some((status, answer)) = example.response else { continue };
            if status.starts_with('2') || example.key == "unspecified-failure" {
                continue;
            }
            let summary = format!("The documented failure `{}` comes as documented.", example.key);
            let case = self.documented_failure(op, example.key, answer);
            self.add(op, Kind::Failure, example.key, summary, case);
        }
    }

    /// The way to a failure that the documents print without the request.
    fn documented_failure(&self, op: usize, key: &'static str, answer: &'static Value) -> Case {
        let described = &self.model.operations[op];
        let code = answer["error_code"].as_str();
        let object = self.model.object_of(described).or_else(|| self.model.created_by(op));
        let kind = code.and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
        let (Some(code), Some(object)) = (code, object) else {
            return self.identity_failure(op, key);
        };
        if kind == Some(ErrorKind::Conflict) && self.model.created_by(op).is_some() {
            return Case::Law(Law::NameTaken(object));
        }
        if key.starts_with("state-forbids") {
            return Case::Law(Law::StateForbids(object));
        }
        // Some pages print the failures of a neighbour: a name belongs to creation, a search to the list.
        let object = &self.model.objects[object];
        let trial = match key {
            "illegal-name" => {
                let create = &self.model.operations[object.create];
                create.name_field().map(|name| {
                    let mut trial = self.base(object.create, "an illegal name", Expected::Code(code));
                    if let Payload::Json(body) = &mut trial.body {
                        body[name] = "%%123".into();
                    }
                    trial.place = Some(format!("/{name}"));
                    trial
                })
            }
            _ if key.starts_with("search-too-long") => object.list.map(|list| {
                let mut trial = self.base(list, "a search of 101 characters", Expected::Code(code));
                trial.parameters.insert("search_content".to_owned(), "a".repeat(101).into());
                trial
            }),
            _ => None,
        };
        trial.map_or(Case::Untried("no documented request leads to it"), |trial| Case::Trials(vec![trial]))
    }

    /// The identity service has no codes of its own, its failures are known by their names.
    fn identity_failure(&self, op: usize, key: &'static str) -> Case {
        let mut trial = self.base(op, key.replace('-', " "), Expected::Invalid);
        match key {
            "wrong-password" => {
                let Payload::Json(body) = &mut trial.body else {
                    return Case::Untried("there is no request to change");
                };
                body["auth"]["identity"]["password"]["user"]["password"] = "not-the-password".into();
                trial.place = Some("/auth/identity/password/user/password".to_owned());
                trial.expected = Expected::Unauthenticated;
            }
            "invalid-body" => trial.body = Payload::Json(Value::Object(Map::new())),
            _ => return Case::Untried("no documented request leads to it"),
        }
        Case::Trials(vec![trial])
    }

    fn limits(&mut self, op: usize) {
        let described = &self.model.operations[op];
        let document = described.document.value();
        for parameter in described.parameters.iter().filter(|parameter| parameter.name != "project_id") {
            self.parameter_limits(op, parameter.name);
        }
        let Some(schema) = described.body else { return };
        let mut places = Vec::new();
        walk(document, schema, &mut Vec::new(), false, &mut places);
        for place in places {
            self.body_limits(op, &place);
        }
    }

    fn parameter_limits(&mut self, op: usize, name: &'static str) {
        let described = &self.model.operations[op];
        let Some(parameter) = described.parameter(name) else { return };
        let document = described.document.value();
        let is_text = keyword(document, parameter.schema, "type").is_some_and(|kind| kind == "string");
        for bound in bounds(document, parameter.schema) {
            let mut trials = Vec::new();
            // What names an object is accepted if there is such an object.
            let accepted = if parameter.in_path { &[][..] } else { &bound.accepted };
            for (value, expected) in accepted
                .iter()
                .map(|value| (value, Expected::Accepted))
                .chain(bound.refused.iter().map(|value| (value, Expected::Invalid)))
            {
                // An address has texts only, and none of them is `null` or empty where a segment must be.
                if value.is_null()
                    || (is_text && (bound.name == "type" || (parameter.in_path && bound.name == "min-length")))
                {
                    continue;
                }
                let mut trial = self.base(op, what(expected, name, value), expected);
                trial.parameters.insert(name.to_owned(), value.clone());
                if let Some((other, value)) = parameter.together {
                    trial.parameters.insert(other.to_owned(), value.clone());
                }
                if expected != Expected::Accepted && trial.target == Target::Fresh {
                    trial.target = Target::Shared;
                }
                trials.push(trial);
            }
            if !trials.is_empty() {
                let summary = format!("The parameter `{name}` keeps to its {}.", bound.name.replace('-', " "));
                self.add(op, Kind::Limit, &format!("{name}.{}", bound.name), summary, Case::Trials(trials));
            }
        }
        if parameter.required && !parameter.in_path {
            let mut trial = self.base(op, format!("no {name}"), Expected::Invalid);
            trial.parameters.remove(name);
            let summary = format!("The parameter `{name}` is required.");
            self.add(op, Kind::Limit, &format!("{name}.required"), summary, Case::Trials(vec![trial]));
        }
    }

    fn body_limits(&mut self, op: usize, place: &Place) {
        let described = &self.model.operations[op];
        let document = described.document.value();
        let last = place.tokens.len().saturating_sub(1);
        let label: Vec<&str> = place
            .tokens
            .iter()
            .enumerate()
            .filter_map(|(index, token)| match token.parse::<usize>() {
                Ok(_) => (index == last).then_some("item"),
                Err(_) => Some(token.as_str()),
            })
            .collect();
        let label = if label.is_empty() { "body".to_owned() } else { label.join(".") };
        let pointer = place.tokens.iter().fold(String::new(), |pointer, token| pointer + "/" + token);
        let shown = if pointer.is_empty() { "body".to_owned() } else { field(&pointer) };
        let trial = |planner: &Self, what: String, body: Value, expected: Expected| {
            let mut trial = planner.base(op, what, expected);
            trial.body = Payload::Json(body);
            trial.place = Some(pointer.clone());
            trial
        };
        for bound in bounds(document, place.schema) {
            let mut trials = Vec::new();
            let documented =
                bodies(described).iter().find_map(|body| body.pointer(&pointer)?.as_str().map(str::to_owned));
            for value in &bound.accepted {
                let value = &match (documented.as_deref().filter(|text| !text.is_empty()), value.as_str()) {
                    (Some(text), Some(value)) if bound.name == "max-length" => {
                        stretched(text, value.chars().count()).into()
                    }
                    // What a path leads to is no matter of its form, but its end often is.
                    (Some(text), Some(_)) if bound.name == "pattern" && text.contains('/') => {
                        stretched(text, text.chars().count() + 6).into()
                    }
                    _ => value.clone(),
                };
                if let Some(body) = fit(described, &place.tokens, &pointer, value) {
                    trials.push(trial(self, what(Expected::Accepted, &shown, value), body, Expected::Accepted));
                }
            }
            // What is refused must be so for this value alone: with another one the request is good.
            let good = bound.accepted.first().cloned().unwrap_or_else(|| sample(document, place.schema));
            if let Some(control) = fit(described, &place.tokens, &pointer, &good) {
                for value in &bound.refused {
                    let mut body = control.clone();
                    if let Some(spot) = body.pointer_mut(&pointer) {
                        *spot = value.clone();
                    }
                    if !described.allows(&body) {
                        trials.push(trial(self, what(Expected::Invalid, &shown, value), body, Expected::Invalid));
                    }
                }
            }
            if !trials.is_empty() {
                let summary = format!("The field `{shown}` keeps to its {}.", bound.name.replace('-', " "));
                self.add(op, Kind::Limit, &format!("{label}.{}", bound.name), summary, Case::Trials(trials));
            }
        }
        if place.required {
            let good = sample(document, place.schema);
            let present = bodies(described).into_iter().find(|body| body.pointer(&pointer).is_some());
            let control = present.or_else(|| fit(described, &place.tokens, &pointer, &good));
            if let Some(mut body) = control {
                remove(&mut body, &pointer);
                if !described.allows(&body) {
                    let trial = trial(self, format!("no {shown}"), body, Expected::Invalid);
                    let summary = format!("The field `{shown}` is required.");
                    self.add(op, Kind::Limit, &format!("{label}.required"), summary, Case::Trials(vec![trial]));
                }
            }
        }
        self.combinations(op, place, &label, &pointer);
    }

    /// Rules of the form "one of these fields".
    fn combinations(&mut self, op: usize, place: &Place, label: &str, pointer: &str) {
        let described = &self.model.operations[op];
        let document = described.document.value();
        let schema = load::resolve(document, place.schema);
        let groups = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
        let mut trials: Vec<Trial> = Vec::new();
        for group in groups.flat_map(|group| [group.get("oneOf"), group.get("anyOf")]).flatten() {
            let alternatives: Vec<Vec<&str>> = group
                .as_array()
                .into_iter()
                .flatten()
                .map(|part| part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect())
                .filter(|fields: &Vec<&str>| !fields.is_empty())
                .collect();
            for control in bodies(described).into_iter().take(1) {
                let Some(object) = control.pointer(pointer) else { continue };
                let mut none = object.clone();
                if let Some(fields) = none.as_object_mut() {
                    fields.retain(|name, _| !alternatives.iter().flatten().any(|other| other == name));
                }
                let mut all = object.clone();
                for name in alternatives.iter().flatten() {
                    put(document, place.schema, &mut all, &[(*name).to_owned()], Value::Null);
                    let inner = properties(document, place.schema).into_iter().find(|(other, _)| other == name);
                    all[name] = inner.map_or(Value::Null, |(_, inner)| sample(document, inner));
                }
                let names = alternatives.iter().map(|fields| fields.join(" and ")).collect::<Vec<_>>().join(", ");
                for (value, what) in [(none, format!("none of {names}")), (all, format!("all of {names}"))] {
                    let mut body = control.clone();
                    if let Some(spot) = body.pointer_mut(pointer) {
                        *spot = value;
                    }
                    if !described.allows(&body)
                        && !trials.iter().any(|trial| matches!(&trial.body, Payload::Json(other) if *other == body))
                    {
                        let mut trial = self.base(op, what, Expected::Invalid);
                        trial.body = Payload::Json(body);
                        trials.push(trial);
                    }
                }
            }
        }
        if !trials.is_empty() {
            let name = format!("{label}.combination");
            let summary = "Fields that exclude or need each other are held to it.".to_owned();
            self.add(op, Kind::Limit, &name, summary, Case::Trials(trials));
        }
    }

    fn laws(&mut self, op: usize) {
        let described = &self.model.operations[op];
        let objects = &self.model.objects;
        for (index, object) in objects.iter().enumerate() {
            let readable = object.show.is_some() || object.list.is_some();
            let law = |planner: &mut Self, name: &str, summary: &str, law: Law| {
                planner.add(op, Kind::Law, name, summary.to_owned(), Case::Law(law));
            };
            if object.create == op {
                law(self, "distinct", "Each creation makes an object of its own.", Law::CreateIsDistinct(index));
                if readable && described.body.is_some() {
                    law(self, "reads-back", "What was created reads back.", Law::CreateReadsBack(index));
                }
            }
            if object.update == Some(op) && readable {
                law(self, "reads-back", "What was updated reads back.", Law::UpdateReadsBack(index));
                law(self, "idempotent", "The same update twice is the update once.", Law::UpdateIsIdempotent(index));
                law(self, "leaves-others", "An update changes its own object only.", Law::UpdateLeavesOthers(index));
                if described.operation.method == "patch" {
                    law(self, "leaves-rest", "What an update leaves out stays.", Law::UpdateLeavesRest(index));
                }
            }
            if object.list == Some(op) {
                law(self, "contains-created", "What was created is listed.", Law::Listed(index));
            }
            if object.delete == Some(op) {
                law(self, "forgets", "What was deleted is unknown.", Law::Forgotten(index));
            }
            if object.stop == Some(op) {
                law(self, "ends", "What was stopped ends.", Law::StopEnds(index));
            }
            if object.show == Some(op) || (object.show.is_none() && object.update == Some(op)) {
                let summary = "An id means nothing in another project.";
                law(self, "invisible-elsewhere", summary, Law::InvisibleElsewhere(index));
            }
        }
        let Some((_, items)) = described.items() else { return };
        let document = described.document.value();
        let fields = properties(document, items);
        let known = |name: &str| fields.iter().any(|(field, _)| *field == name);
        if described.pages() != PageShape::Whole {
            let summary = "The pages hold everything exactly once.".to_owned();
            self.add(op, Kind::Law, "pages", summary, Case::Law(Law::Pages));
            let summary = "A page holds no more than was asked for.".to_owned();
            self.add(op, Kind::Law, "page-size", summary, Case::Law(Law::PageSize));
        }
        for parameter in described.parameters.iter().filter(|parameter| !parameter.in_path) {
            match parameter.name {
                "sortBy" | "sort_by" => {
                    let documented =
                        described.examples.iter().filter_map(|example| example.parameters?.get(parameter.name));
                    let keys: Vec<&'static str> = match load::resolve(document, parameter.schema)["enum"].as_array() {
                        Some(keys) => keys.iter().filter_map(Value::as_str).collect(),
                        None => documented.filter_map(Value::as_str).collect(),
                    };
                    for key in keys.into_iter().filter(|key| known(key)) {
                        let summary = format!("Sorting by `{key}` holds in both directions.");
                        let name = format!("sort.{key}");
                        if !self
                            .clauses
                            .iter()
                            .any(|clause| clause.op == op && clause.id.ends_with(&format!(".law.{name}")))
                        {
                            self.add(op, Kind::Law, &name, summary, Case::Law(Law::Sort(key)));
                        }
                    }
                }
                "search_content" => {
                    let summary = "A search finds what has the text and nothing else.".to_owned();
                    self.add(op, Kind::Law, "search", summary, Case::Law(Law::Search));
                }
                name if known(name) => {
                    let summary = format!("The filter `{name}` gives what has the value and nothing else.");
                    self.add(op, Kind::Law, &format!("filter.{name}"), summary, Case::Law(Law::Filter(name)));
                }
                _ => {}
            }
        }
    }

    fn access(&mut self, op: usize) {
        let described = &self.model.operations[op];
        if !described.is_authenticated() {
            return;
        }
        let cases = [
            ("no-token", "Without proof nobody gets in.", Identity::Nobody, Expected::Unauthenticated),
            ("bad-token", "A token that nobody gave is refused.", Identity::BadToken, Expected::Unauthenticated),
            (
                "bad-signature",
                "A signature that is wrong is refused.",
                Identity::BadSignature,
                Expected::Unauthenticated,
            ),
            ("stale-date", "A signature of last week is refused.", Identity::StaleDate, Expected::Unauthenticated),
            ("other-project", "Another project's address is refused.", Identity::OtherProject, Expected::Denied),
        ];
        for (name, summary, identity, expected) in cases {
            if identity == Identity::OtherProject && !described.operation.path.contains("{project_id}") {
                continue;
            }
            let mut trial = self.base(op, name.replace('-', " "), expected);
            trial.identity = identity;
            // Whoever gets in all the same shall find nothing; what is there in the own project is not in another one.
            if identity != Identity::OtherProject {
                trial.target = Target::Unknown;
            }
            self.add(op, Kind::Access, name, summary.to_owned(), Case::Trials(vec![trial]));
        }
    }
}

fn what(expected: Expected, name: &str, value: &Value) -> String {
    let verb = if expected == Expected::Accepted { "accepts" } else { "refuses" };
    format!("{verb} {name} = {}", if value == "" { "the empty text".to_owned() } else { short(value) })
}

/// A place of a request body.
struct Place {
    tokens: Vec<String>,
    schema: &'static Value,
    required: bool,
}

/// All places of a body, each once: items of arrays by their first.
fn walk(
    document: &'static Value,
    schema: &'static Value,
    tokens: &mut Vec<String>,
    required: bool,
    places: &mut Vec<Place>,
) {
    places.push(Place { tokens: tokens.clone(), schema, required });
    let demanded = keyword(document, schema, "required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (name, property) in properties(document, schema) {
        tokens.push(name.to_owned());
        walk(document, property, tokens, demanded.iter().any(|demanded| demanded == name), places);
        tokens.pop();
    }
    let items = item(document, schema);
    if !items.is_null() {
        tokens.push("0".to_owned());
        walk(document, items, tokens, false, places);
        tokens.pop();
    }
}

/// The documented bodies of an operation, or the smallest one.
pub(super) fn bodies(op: &Op) -> Vec<Value> {
    let Some(schema) = op.body else { return Vec::new() };
    let documented: Vec<Value> = op.examples.iter().filter_map(|example| example.request.cloned()).collect();
    if documented.is_empty() { vec![sample(op.document.value(), schema)] } else { documented }
}

/// A text of a length that begins and ends as another one does.
fn stretched(text: &str, length: usize) -> String {
    let end = text.rfind(['.', '/']).filter(|end| text[*end..].len() < 8).unwrap_or(text.len());
    let more = length.saturating_sub(text.chars().count());
    // Names are made of one letter alone, so that they can be told apart later.
    let begin = if text.contains('/') { &text[..end] } else { "" };
    let more = if begin.is_empty() { length } else { more };
    let end = if begin.is_empty() { "" } else { &text[end..] };
    format!("{begin}{}{end}", "a".repeat(more))
}

/// A good request with a value at a place; what the value excludes is left out.
fn fit(op: &Op, tokens: &[String], pointer: &str, value: &Value) -> Option<Value> {
    let (document, schema) = (op.document.value(), op.body?);
    let mut candidates = bodies(op);
    // First those that have the very value, then those that have another one there.
    candidates.sort_by_key(|body| match body.pointer(pointer) {
        Some(known) if known == value => 0,
        Some(_) => 1,
        None => 2,
    });
    for base in candidates {
        let mut body = base;
        put(document, schema, &mut body, tokens, value.clone());
        if op.allows(&body) {
            return Some(body);
        }
        let parents: Vec<String> = (0..tokens.len())
            .map(|depth| tokens[..depth].iter().fold(String::new(), |pointer, token| pointer + "/" + token))
            .collect();
        let removable: Vec<String> = parents
            .iter()
            .flat_map(|parent| {
                let fields = body.pointer(parent).and_then(Value::as_object).into_iter().flatten();
                fields.map(move |(name, _)| format!("{parent}/{name}"))
            })
            .filter(|other| !pointer.starts_with(other.as_str()))
            .collect();
        for first in &removable {
            let mut one = body.clone();
            remove(&mut one, first);
            if op.allows(&one) {
                return Some(one);
            }
            for second in &removable {
                let mut two = one.clone();
                remove(&mut two, second);
                if op.allows(&two) {
                    return Some(two);
                }
            }
        }
    }
    None
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match body.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(name)),
        Some(Value::Array(items)) => items.clear(),
        _ => {}
    }
}
