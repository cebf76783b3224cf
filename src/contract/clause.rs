//! Clauses: what each one promises, and the requests that test it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::{Model, Op};

/// The kind of promise that a clause makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A documented request returns its documented response.
    Example,
    /// A request that must fail does so as documented.
    Failure,
    /// The last allowed value is accepted and the first forbidden one rejected.
    Limit,
    /// A property of several requests holds.
    Property,
    /// Requests without valid credentials are rejected.
    Access,
    /// A recorded response is as described.
    Recorded,
}

impl Kind {
    /// The kinds of clauses that a plan has: all but recorded traffic.
    pub const PLANNED: [Self; 5] = [Self::Example, Self::Failure, Self::Limit, Self::Property, Self::Access];

    /// The word in ids and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Example => "example",
            Self::Failure => "failure",
            Self::Limit => "limit",
            Self::Property => "property",
            Self::Access => "access",
            Self::Recorded => "recorded",
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
    pub(super) model: &'static Model,
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

/// How a clause is tested.
#[derive(Clone, Debug)]
pub(super) enum Case {
    Trials(Vec<Trial>),
    Property(Property),
    /// The operation must be absent.
    Absence(Box<Trial>),
    /// It cannot be tested, for this reason.
    Untried(&'static str),
}

/// One request and the expected result.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) op: usize,
    pub(super) what: String,
    /// Values of the query, and of path parameters under test.
    pub(super) parameters: Map<String, Value>,
    pub(super) body: Payload,
    /// The JSON pointer of the value under test: it is sent as it is.
    pub(super) place: Option<String>,
    pub(super) caller: Caller,
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

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Own,
    Anonymous,
    BadToken,
    BadSignature,
    StaleDate,
    /// The session's own caller, for another project.
    OtherProject,
}

/// The object that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One that many clauses share.
    Shared,
    /// A new one.
    Fresh,
    /// One that does not exist.
    Unknown,
    /// This parameter names an object that does not exist; those before it name objects that do.
    UnknownAt(&'static str),
}

/// The expected result of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    Accepted,
    /// Accepted, with a response like the documented example of this index.
    Documented(usize),
    /// Rejected as invalid.
    Invalid,
    /// Rejected since there is no such object.
    Unknown,
    /// Rejected with this documented code.
    Code(&'static str),
    /// Rejected since the caller is not authenticated.
    Unauthenticated,
    /// Rejected with one of the statuses that hide an object or deny access.
    Denied,
}

/// What holds between several requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
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
    /// Returns the stable id: `modelarts.update_training_job.limit.job_desc.max-length`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the kind of promise.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the operation under test.
    pub fn operation(&self) -> &'static str {
        self.op().id
    }

    /// Returns the service of the operation: `iam`, `modelarts`, `mrs`.
    pub fn service(&self) -> &'static str {
        self.op().service()
    }

    /// Returns what is promised, in a line.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Returns the pages of the documentation that say so.
    pub fn sources(&self) -> impl Iterator<Item = &'static str> {
        self.op().operation.value["x-source"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns the address of the documentation.
    pub fn documentation(&self) -> Option<&'static str> {
        self.op().operation.value["externalDocs"]["url"].as_str()
    }

    /// Returns whether testing it changes nothing, whatever the endpoint does.
    pub fn reads_only(&self) -> bool {
        self.reads
    }

    /// Returns whether testing it starts billed work, or would if the endpoint does not honour the clause.
    pub fn is_billed(&self) -> bool {
        self.billed
    }

    /// Returns what would be sent, a line for each request. Values in braces are not known before.
    pub fn requests(&self) -> Vec<String> {
        match &self.case {
            Case::Trials(trials) => trials.iter().map(|trial| trial.line(self.model)).collect(),
            Case::Property(property) => property
                .operations(self.model, self.op)
                .into_iter()
                .map(|op| line(&self.model.operations[op]))
                .collect(),
            Case::Absence(trial) => vec![trial.line(self.model)],
            Case::Untried(_) => Vec::new(),
        }
    }

    pub(super) fn op(&self) -> &'static Op {
        &self.model.operations[self.op]
    }
}

pub(super) fn line(op: &Op) -> String {
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

/// Returns a value for people: only the length of a long text.
pub(super) fn short(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > 60 => format!("<{} characters>", text.chars().count()),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Property {
    /// Returns the operations that testing it calls, apart from those for fixtures.
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
