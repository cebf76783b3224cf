//! Creates, finds and deletes the objects that clauses need.

use std::sync::Arc;

use serde_json::Value;

use super::attempt::Attempt;
use super::compare::plain;
use super::exchange::{Answer, Request};
use super::inventory::Owner;
use super::laws::is_over;
use super::model::Object;
use super::plan::{Identity, Payload, bodies};
use super::run::Halt;
use super::verdict::Check;
use crate::api::wire::{Segment, checked};
use crate::error::{Error, ErrorCode, ErrorKind};

/// Longer ids are not used, in bytes: they are part of an address.
const LONGEST_ID: usize = 512;

/// An object to try things on.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) object: usize,
    /// Values of the path, its own last.
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) request: Value,
    pub(super) answer: Value,
}

impl Fixture {
    pub(super) fn id(&self) -> &str {
        self.path.last().map_or("", |(_, id)| id)
    }
}

impl Attempt<'_> {
    /// An object of a kind: the one that all share, or one of the attempt's own.
    pub(super) async fn fixture(&mut self, object: usize, fresh: bool) -> Result<Arc<Fixture>, Halt> {
        let run = self.run;
        if fresh && !run.options.read_only {
            let made = Arc::new(Box::pin(self.create(object, |_| {})).await?);
            self.own.push(Arc::clone(&made));
            return Ok(made);
        }
        let shared = run.fixtures[object].get_or_init(|| async {
            let mut attempt = Attempt::new(run, None, 46_000 + object, Owner::Shared);
            let made = if run.options.read_only {
                Box::pin(attempt.first(object)).await
            } else {
                Box::pin(attempt.create(object, |_| {})).await
            };
            made.map(Arc::new).map_err(|halt| match halt {
                Halt::NotTried(reason) => reason,
                Halt::Absent(op, _) => format!("it needs {}, which is absent", self.model().operations[op].id),
                Halt::Broken => format!(
                    "it needs {}, which gave no whole answer",
                    self.model().operations[self.model().objects[object].create].id
                ),
                Halt::Unknown => "nothing shows what was created for it".to_owned(),
                Halt::Fatal(error) => error.to_string(),
            })
        });
        Box::pin(shared).await.clone().map_err(Halt::NotTried)
    }

    /// Creates an object as the first example does, changed by `edit`.
    pub(super) async fn create(&mut self, object: usize, edit: impl Fn(&mut Value) + Send) -> Result<Fixture, Halt> {
        let op = self.model().objects[object].create;
        let described = &self.model().operations[op];
        let mut path = Vec::new();
        for name in described.path_parameters() {
            if let Some(parent) = self.model().named_by(described.operation.path, name) {
                path.clone_from(&self.fixture(parent, false).await?.path);
            }
        }
        self.create_in(object, path, edit).await
    }

    /// The same under a given parent.
    pub(super) async fn create_in(
        &mut self,
        object: usize,
        path: Vec<(&'static str, String)>,
        edit: impl Fn(&mut Value) + Send,
    ) -> Result<Fixture, Halt> {
        let op = self.model().objects[object].create;
        let described = &self.model().operations[op];
        let mut body = bodies(described).into_iter().next();
        if let Some(body) = &mut body {
            self.adapt(op, &path, body, None, true).await?;
            edit(body);
        }
        let request = Request {
            op,
            path: path.clone(),
            query: Vec::new(),
            body: body.clone().map_or(Payload::None, Payload::Json),
            identity: Identity::Own,
        };
        let answer = self.send(&request).await?;
        self.called(op, &answer)?;
        let id = match id_of(&self.model().objects[object], answer.json(), body.as_ref()) {
            Ok(Some(id)) => id,
            Ok(None) => return Err(Halt::NotTried(format!("it needs {}, whose answer has no id", described.id))),
            Err(error) if self.op == Some(op) => {
                self.differs(Check::Schema, format!("the id of what was created cannot be one: {error}"));
                return Err(Halt::Broken);
            }
            Err(error) => {
                return Err(Halt::NotTried(format!(
                    "it needs {}, whose answer has no usable id: {error}",
                    described.id
                )));
            }
        };
        let mut path: Vec<_> = path
            .into_iter()
            .filter(|(name, _)| self.model().objects[object].item.contains(&format!("{{{name}}}")))
            .collect();
        path.retain(|(name, _)| *name != self.model().objects[object].parameter);
        path.push((self.model().objects[object].parameter, id));
        Ok(Fixture { object, path, request: body.unwrap_or_default(), answer: unwrapped(answer.json()).clone() })
    }

    /// The first object that a list has, where nothing may be created.
    pub(super) async fn first(&mut self, object: usize) -> Result<Fixture, Halt> {
        let described = &self.model().objects[object];
        let none = || Halt::NotTried(format!("only reading is allowed, and no {} was found", described.parameter));
        let list = described.list.ok_or_else(none)?;
        let mut path = Vec::new();
        for name in self.model().operations[list].path_parameters() {
            if let Some(parent) = self.model().named_by(self.model().operations[list].operation.path, name) {
                path.clone_from(&self.fixture(parent, false).await?.path);
            }
        }
        let items = self.page(list, &path, &[]).await?;
        let first = items.first().ok_or_else(none)?;
        let id = item_id(described, first).ok_or_else(none)?;
        let id = usable_id(described.parameter, id).map_err(|error| Halt::NotTried(error.to_string()))?;
        path.push((described.parameter, id));
        Ok(Fixture { object, path, request: Value::Null, answer: first.clone() })
    }

    /// A call in the course of something else: it must work, and if it is of the clause's own operation, well.
    pub(super) fn called(&mut self, op: usize, answer: &Answer) -> Result<(), Halt> {
        if self.op == Some(op) {
            return if self.check_success(op, answer) { Ok(()) } else { Err(Halt::Broken) };
        }
        if answer.is_success() {
            return Ok(());
        }
        Err(Halt::NotTried(format!("it needs {}, which answered {}", self.model().operations[op].id, answer.told())))
    }

    /// Deletes as soon as the state of the object allows, which may take a stop and some time.
    pub(super) async fn delete_when_possible(
        &mut self,
        object: usize,
        path: &[(&'static str, String)],
    ) -> Result<Answer, Halt> {
        let described = &self.model().objects[object];
        let Some(delete) = described.removed_by else {
            return Err(Halt::NotTried("no operation deletes it".to_owned()));
        };
        let removal = described.removal_path(self.model(), path);
        let request =
            Request { op: delete, path: removal, query: vec![], body: Payload::None, identity: Identity::Own };
        let mut waits = self.waits();
        loop {
            let answer = self.send(&request).await?;
            if answer.is_success() || is_unknown(&answer) {
                return Ok(answer);
            }
            if let Some(stop) = described.stop {
                let request = Request { op: stop, path: path.to_vec(), ..request.clone() };
                self.send(&request).await?;
            }
            // Some states change only when they are read.
            loop {
                let Some(wait) = waits.next() else { return Ok(answer) };
                self.wait(wait).await;
                if self.looks_over(object, path).await? {
                    break;
                }
            }
        }
    }

    /// Whether an object has ended, as far as the endpoint shows it: whatever shows nothing may have.
    async fn looks_over(&mut self, object: usize, path: &[(&'static str, String)]) -> Result<bool, Halt> {
        let mut look = Attempt::new(self.run, None, self.index, self.owner);
        match Box::pin(look.read(object, path, &Value::Null)).await {
            Ok(Some(shown)) => Ok(is_over(&shown)),
            Err(Halt::Fatal(error)) => Err(Halt::Fatal(error)),
            _ => Ok(true),
        }
    }
}

/// Whether an answer says that there is no such object.
pub(super) fn is_unknown(answer: &Answer) -> bool {
    let kind = answer.code().and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
    kind == Some(ErrorKind::NotFound) || (kind.is_none() && answer.status == 404)
}

/// What is inside of an answer that wraps an object in one field.
pub(super) fn unwrapped(answer: &Value) -> &Value {
    let inner = answer.as_object().and_then(|fields| fields.values().find(|value| value.get("id").is_some()));
    inner.unwrap_or(answer)
}

/// The id of what was created, out of the answer or, where the name is the id, out of the request.
///
/// # Errors
///
/// What the answer gives as the id would lead a request elsewhere.
pub(super) fn id_of(described: &Object, answer: &Value, request: Option<&Value>) -> Result<Option<String>, Error> {
    let parameter = described.parameter;
    let own = unwrapped(answer);
    let ids = [answer.get(parameter), own.get("id"), request.and_then(|request| request.get(parameter))];
    let id = ids.into_iter().flatten().find_map(plain).filter(|id| !id.is_empty());
    id.map(|id| usable_id(parameter, id)).transpose()
}

/// An id that a response gave, if it can be a segment of a path.
pub(super) fn usable_id(parameter: &'static str, id: String) -> Result<String, Error> {
    if id.len() > LONGEST_ID {
        return Err(Error::invalid_field(parameter, format!("has {} bytes; ids have up to {LONGEST_ID}", id.len())));
    }
    checked::<Segment>(parameter, &id)?;
    Ok(id)
}

/// The id of an item of a list.
pub(super) fn item_id(described: &Object, item: &Value) -> Option<String> {
    item.get(described.parameter).or_else(|| item.get("id")).and_then(plain)
}
