//! Tests single requests.

use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Expected, Payload, Target, Trial};
use super::compare::plain;
use super::exchange::{Call, Reply};
use super::model::Op;
use super::read::ended_too_soon;
use super::run::Halt;
use super::schema::{item, keyword, properties};
use super::verdict::Check;

impl Attempt<'_> {
    pub(super) async fn trials(&mut self, trials: &[Trial]) -> Result<(), Halt> {
        let mut excuse = None;
        for trial in trials {
            let reply = self.trial(trial).await?;
            let is_query =
                trial.place.is_none() && self.model().object_of(&self.model().operations[trial.op]).is_some();
            // A valid value may name an object that does not exist.
            if trial.expected == Expected::Accepted && !reply.is_success() && !(is_query && reply.is_unknown()) {
                // A value without an example may need other fields, which only the text of the documents says.
                match self.rules(trial) {
                    Some(rule) => {
                        excuse = Some(format!(
                            "{} was rejected with {}; the reason may be the rule: {rule}",
                            trial.what,
                            reply.summary()
                        ));
                    }
                    None => {
                        let text = format!(
                            "{}: {} instead of {}",
                            trial.what,
                            reply.summary(),
                            self.model().operations[trial.op].success
                        );
                        self.differs(Check::Status, text);
                    }
                }
            }
        }
        match excuse {
            Some(excuse) if self.differences.is_empty() => Err(Halt::NotTried(excuse)),
            _ => Ok(()),
        }
    }

    /// Checks that the endpoint does not have an operation: sends a request that must reach no operation.
    pub(super) async fn absence(&mut self, trial: &Trial) -> Result<(), Halt> {
        let op = &self.model().operations[trial.op];
        let path = op.path_parameters().map(|name| (name, self.unknown_id(op, name))).collect();
        let request = Call { op: trial.op, path, query: vec![], body: Payload::None, caller: trial.caller };
        match self.send(&request).await {
            Err(Halt::Absent(..)) => Ok(()),
            Err(halt) => Err(halt),
            Ok(reply) => {
                self.differs(Check::Status, format!("the operation exists: it returned {}", reply.summary()));
                Err(Halt::Broken)
            }
        }
    }

    /// Returns the rules between fields that apply where an enumerated value without an example is under test.
    pub(super) fn rules(&self, trial: &Trial) -> Option<String> {
        let (Some(place), Payload::Json(body)) = (&trial.place, &trial.body) else { return None };
        let op = &self.model().operations[trial.op];
        let document = op.document.value();
        let value = body.pointer(place);
        if op.examples.iter().any(|example| example.request.is_some_and(|body| body.pointer(place) == value)) {
            return None;
        }
        let (mut schema, mut rules) = (op.body?, Vec::new());
        for token in place.split('/').skip(1) {
            let here = keyword(document, schema, "x-rules").and_then(Value::as_array);
            rules.extend(here.into_iter().flatten().filter_map(Value::as_str));
            schema = match token.parse::<usize>() {
                Ok(_) => item(document, schema),
                Err(_) => properties(document, schema).into_iter().find(|(name, _)| *name == token)?.1,
            };
        }
        let rules = rules.join(" ");
        (keyword(document, schema, "enum").is_some() && !rules.is_empty()).then_some(rules)
    }

    pub(super) async fn trial(&mut self, trial: &Trial) -> Result<Reply, Halt> {
        let signs_in =
            matches!(trial.expected, Expected::Accepted | Expected::Documented(_) | Expected::Unauthenticated);
        if signs_in && !self.model().operations[trial.op].is_authenticated() && !self.run.options.embedded {
            return Err(Halt::NotTried(
                "it signs in as a user that only the documents and the emulator know".to_owned(),
            ));
        }
        let request = self.prepare(trial).await?;
        let mut reply = self.send(&request).await?;
        if trial.target == Target::Fresh && matches!(trial.expected, Expected::Accepted | Expected::Documented(_)) {
            reply = self.in_another_state(&request, reply).await?;
        }
        match trial.expected {
            Expected::Accepted => {
                if reply.is_success() {
                    self.check_success(trial.op, &reply);
                }
            }
            Expected::Documented(index) => {
                if self.check_success(trial.op, &reply) {
                    self.compare(trial, index, &request, &reply).await?;
                }
            }
            expected => self.check_rejection(trial.op, &trial.what, expected, &reply),
        }
        Ok(reply)
    }

    /// Sends the same request again once the object has ended, if its first state does not allow it.
    pub(super) async fn in_another_state(&mut self, request: &Call, reply: Reply) -> Result<Reply, Halt> {
        let Some(object) = self.model().object_of(&self.model().operations[request.op]).filter(|_| !reply.is_success())
        else {
            return Ok(reply);
        };
        match self.model().objects[object].stop {
            None => Ok(reply),
            // What has ended cannot be stopped.
            Some(stop) if stop == request.op => {
                if reply.is_rejection() && self.has_ended(object, &request.path).await? {
                    return Err(ended_too_soon("stopped"));
                }
                Ok(reply)
            }
            Some(_) => {
                self.stop(object, &request.path).await?;
                if self.ended(object, &request.path).await?.is_none() {
                    return Err(self.never_ended());
                }
                self.send(request).await
            }
        }
    }

    /// Returns the request of a trial, after creating the objects that it needs.
    pub(super) async fn prepare(&mut self, trial: &Trial) -> Result<Call, Halt> {
        let op = &self.model().operations[trial.op];
        let mut path: Vec<(&'static str, String)> = Vec::new();
        let mut unknown = trial.target == Target::Unknown;
        let names: Vec<&'static str> = op.path_parameters().collect();
        for (index, name) in names.iter().copied().enumerate() {
            unknown |= trial.target == Target::UnknownAt(name);
            match self.model().named_by(op.operation.path, name) {
                Some(object) if !unknown => {
                    let fresh = trial.target == Target::Fresh && index + 1 == names.len();
                    path.clone_from(&self.fixture(object, fresh).await?.path);
                    // The operation may call the id otherwise.
                    if let Some((own, _)) = path.last_mut() {
                        *own = name;
                    }
                }
                _ => path.push((name, self.unknown_id(op, name))),
            }
        }
        for (name, value) in &mut path {
            if let Some(on_trial) = trial.parameters.get(*name).and_then(plain) {
                *value = on_trial;
            }
        }
        let mut query = Vec::new();
        for (name, value) in trial.parameters.iter() {
            if names.contains(&name.as_str()) {
                continue;
            }
            let given = self.run.options.given.get(name).cloned();
            let is_documented = matches!(trial.expected, Expected::Documented(_));
            let object = self.model().objects.iter().position(|object| object.list == Some(trial.op));
            let text = match (given, object) {
                (Some(given), _) => given,
                // The example's marker names an object that only the documents have.
                (None, Some(object)) if name == "marker" && is_documented => {
                    self.fixture(object, false).await?.id().to_owned()
                }
                _ => plain(value).unwrap_or_default(),
            };
            query.push((name.clone(), text));
        }
        let accepted = matches!(trial.expected, Expected::Accepted | Expected::Documented(_));
        let body = match &trial.body {
            Payload::Json(body) => {
                let mut body = body.clone();
                if trial.target == Target::Unknown {
                    self.rename(op, &mut body, trial.place.as_deref(), accepted);
                } else {
                    self.adapt(trial.op, &path, &mut body, trial.place.as_deref(), accepted).await?;
                }
                Payload::Json(body)
            }
            other => other.clone(),
        };
        Ok(Call { op: trial.op, path, query, body, caller: trial.caller })
    }

    /// Returns an id that no object has.
    pub(super) fn unknown_id(&mut self, op: &Op, name: &str) -> String {
        let schema = op.parameter(name).map_or(&Value::Null, |parameter| parameter.schema);
        let integer = keyword(op.document.value(), schema, "type").is_some_and(|kind| kind == "integer");
        let number = fastrand::Rng::with_seed(self.run.options.seed ^ self.index as u64).u64(0..1 << 40);
        if integer { (number + (1 << 50)).to_string() } else { format!("00000000-0000-4000-8000-{number:012x}") }
    }
}
