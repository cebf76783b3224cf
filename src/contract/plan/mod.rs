//! Derives the clauses from the description alone, the same each time.

mod limits;
mod properties;

use globset::Glob;
use serde_json::{Map, Value};

use super::clause::{Caller, Case, Clause, Expected, Kind, Payload, Property, Target, Trial, line};
use super::generate::{bodies, sample};
use super::model::{Model, model};
use crate::cloud::{Cloud, Documented};
use crate::error::{Error, ErrorCode, ErrorKind};

/// The clauses of a run, in the order in which operations depend on each other.
#[derive(Clone, Debug)]
pub struct Plan {
    model: &'static Model,
    clauses: Vec<Clause>,
}

impl Plan {
    /// Returns all clauses of the description, which holds the editions of all clouds together.
    pub fn of_description() -> Self {
        Self::of(model(None))
    }

    /// Returns all clauses of what a cloud documents. An operation that the cloud does not document must be absent. Where
    /// that is not known of an operation, nothing is promised.
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
                    planner.properties(index);
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

    /// Returns the cloud whose edition it is; `None` for all editions together.
    pub fn cloud(&self) -> Option<Cloud> {
        self.model.cloud
    }

    pub(super) fn model(&self) -> &'static Model {
        self.model
    }

    /// Returns the clauses.
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
            Case::Property(property) => {
                let operations = property.operations(self.model, op);
                let reading = matches!(
                    property,
                    Property::Pages | Property::PageSize | Property::Sort(_) | Property::Search | Property::Filter(_)
                );
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

    /// The operation must be absent: a request without a body, about an object that does not exist, must reach no operation.
    fn absence(&mut self, op: usize) {
        let described = &self.model.operations[op];
        let trial = Trial {
            op,
            what: "the operation is absent".to_owned(),
            parameters: Map::new(),
            body: Payload::None,
            place: None,
            caller: Caller::Own,
            target: Target::Unknown,
            expected: Expected::Unknown,
        };
        let summary = format!("{} is not documented by this cloud and is absent", line(described));
        self.add(op, Kind::Failure, "absent", summary, Case::Absence(Box::new(trial)));
    }

    fn trial_is_billed(&self, trial: &Trial) -> bool {
        // The marker of an example is replaced by one of an object that exists.
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

    /// Returns whether an operation is billed, or one that creates what it is about.
    fn is_billed(&self, op: usize) -> bool {
        let described = &self.model.operations[op];
        let path = described.operation.path;
        described.is_billed()
            || described.path_parameters().filter_map(|name| self.model.named_by(path, name)).any(|object| {
                self.model.objects[object].create != op && self.is_billed(self.model.objects[object].create)
            })
    }

    /// Returns a valid request: the documented one, or else the smallest one.
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
            caller: Caller::Own,
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
            let summary = format!("The documented example `{}` returns its documented response.", example.key);
            self.add(op, Kind::Example, example.key, summary, Case::Trials(vec![trial]));
        }
    }

    fn failures(&mut self, op: usize) {
        let described = &self.model.operations[op];
        for parameter in described.path_parameters() {
            let mut trial = self.base(op, format!("an unknown {parameter}"), Expected::Unknown);
            trial.target = Target::UnknownAt(parameter);
            let summary = format!("An unknown `{parameter}` is rejected as unknown.");
            self.add(op, Kind::Failure, &format!("unknown-{parameter}"), summary, Case::Trials(vec![trial]));
        }
        if described.body.is_some() {
            for (name, text) in [("empty-body", ""), ("malformed-body", "{\"")] {
                let mut trial = self.base(op, name.replace('-', " "), Expected::Invalid);
                trial.body = Payload::Raw(text);
                trial.target = Target::Shared;
                let summary = format!(
                    "A request with {} is rejected.",
                    if text.is_empty() { "no body" } else { "a body that is no JSON" }
                );
                self.add(op, Kind::Failure, name, summary, Case::Trials(vec![trial]));
            }
        }
        for example in described.examples.iter().filter(|example| example.parameters.is_none()) {
            let Some((status, reply)) = example.response else { continue };
            if status.starts_with('2') || example.key == "unspecified-failure" {
                continue;
            }
            let summary = format!("The documented failure `{}` is returned as documented.", example.key);
            let case = self.documented_failure(op, example.key, reply);
            self.add(op, Kind::Failure, example.key, summary, case);
        }
    }

    /// Returns how to provoke a failure that the documents print without the request.
    fn documented_failure(&self, op: usize, key: &'static str, reply: &'static Value) -> Case {
        let described = &self.model.operations[op];
        let code = reply["error_code"].as_str();
        let object = self.model.object_of(described).or_else(|| self.model.created_by(op));
        let kind = code.and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
        let (Some(code), Some(object)) = (code, object) else {
            return self.identity_failure(op, key);
        };
        if kind == Some(ErrorKind::Conflict) && self.model.created_by(op).is_some() {
            return Case::Property(Property::NameTaken(object));
        }
        if key.starts_with("state-forbids") {
            return Case::Property(Property::StateForbids(object));
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

    fn access(&mut self, op: usize) {
        let described = &self.model.operations[op];
        if !described.is_authenticated() {
            return;
        }
        let cases = [
            ("no-token", "A request without a token is rejected.", Caller::Anonymous, Expected::Unauthenticated),
            ("bad-token", "A made-up token is rejected.", Caller::BadToken, Expected::Unauthenticated),
            ("bad-signature", "A wrong signature is rejected.", Caller::BadSignature, Expected::Unauthenticated),
            ("stale-date", "A signature of last week is rejected.", Caller::StaleDate, Expected::Unauthenticated),
            ("other-project", "A request to another project is rejected.", Caller::OtherProject, Expected::Denied),
        ];
        for (name, summary, caller, expected) in cases {
            if caller == Caller::OtherProject && !described.operation.path.contains("{project_id}") {
                continue;
            }
            let mut trial = self.base(op, name.replace('-', " "), expected);
            trial.caller = caller;
            // If the caller is accepted all the same, it must find nothing: the objects of its own project are not in another one.
            if caller != Caller::OtherProject {
                trial.target = Target::Unknown;
            }
            self.add(op, Kind::Access, name, summary.to_owned(), Case::Trials(vec![trial]));
        }
    }
}
