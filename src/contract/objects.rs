//! Creates, finds and deletes the objects that clauses need.

use std::sync::Arc;

use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Caller, Payload};
use super::exchange::{Call, Reply};
use super::generate::bodies;
use super::ids::{id_of, item_id, unwrapped, usable_id};
use super::inventory::Owner;
use super::read::final_phase;
use super::run::{Fixture, Halt};
use super::verdict::Check;

impl Attempt<'_> {
    /// Returns an object of a kind: the one that all clauses share, or a new one.
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
                    "it needs {}, which returned no complete response",
                    self.model().operations[self.model().objects[object].create].id
                ),
                Halt::Unknown => "nothing shows what was created for it".to_owned(),
                Halt::Fatal(error) => error.to_string(),
            })
        });
        Box::pin(shared).await.clone().map_err(Halt::NotTried)
    }

    /// Creates an object as in the first example, changed by `edit`.
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

    /// Creates an object under a given parent, changed by `edit`.
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
        let request = Call {
            op,
            path: path.clone(),
            query: Vec::new(),
            body: body.clone().map_or(Payload::None, Payload::Json),
            caller: Caller::Own,
        };
        let reply = self.send(&request).await?;
        self.called(op, &reply)?;
        let id = match id_of(&self.model().objects[object], reply.json(), body.as_ref()) {
            Ok(Some(id)) => id,
            Ok(None) => return Err(Halt::NotTried(format!("it needs {}, whose response has no id", described.id))),
            Err(error) if self.op == Some(op) => {
                self.differs(Check::Schema, format!("the id of what was created cannot be one: {error}"));
                return Err(Halt::Broken);
            }
            Err(error) => {
                return Err(Halt::NotTried(format!(
                    "it needs {}, whose response has no usable id: {error}",
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
        Ok(Fixture { object, path, request: body.unwrap_or_default(), reply: unwrapped(reply.json()).clone() })
    }

    /// Returns the first object of a list, where nothing may be created.
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
        Ok(Fixture { object, path, request: Value::Null, reply: first.clone() })
    }

    /// Checks a call that prepares or reads for another one: it must succeed. If it is of the operation under test, the
    /// response is checked in full.
    pub(super) fn called(&mut self, op: usize, reply: &Reply) -> Result<(), Halt> {
        if self.op == Some(op) {
            return if self.check_success(op, reply) { Ok(()) } else { Err(Halt::Broken) };
        }
        if reply.is_success() {
            return Ok(());
        }
        Err(Halt::NotTried(format!("it needs {}, which returned {}", self.model().operations[op].id, reply.summary())))
    }

    /// Deletes an object as soon as its state allows it: it may have to be stopped before, and to end.
    pub(super) async fn delete_when_possible(
        &mut self,
        object: usize,
        path: &[(&'static str, String)],
    ) -> Result<Reply, Halt> {
        let described = &self.model().objects[object];
        let Some(delete) = described.removed_by else {
            return Err(Halt::NotTried("no operation deletes it".to_owned()));
        };
        let removal = described.removal_path(self.model(), path);
        let request = Call { op: delete, path: removal, query: vec![], body: Payload::None, caller: Caller::Own };
        let mut waits = self.waits();
        loop {
            let reply = self.send(&request).await?;
            if reply.is_success() || reply.is_unknown() {
                return Ok(reply);
            }
            if let Some(stop) = described.stop {
                let request = Call { op: stop, path: path.to_vec(), ..request.clone() };
                self.send(&request).await?;
            }
            // Some states change only when they are read.
            loop {
                let Some(wait) = waits.next() else { return Ok(reply) };
                self.wait(wait).await;
                if self.looks_over(object, path).await? {
                    break;
                }
            }
        }
    }

    /// Returns whether an object may have ended: the endpoint shows that, or does not show the object.
    async fn looks_over(&mut self, object: usize, path: &[(&'static str, String)]) -> Result<bool, Halt> {
        let mut look = Attempt::new(self.run, None, self.index, self.owner);
        match Box::pin(look.read(object, path, &Value::Null)).await {
            Ok(Some(shown)) => Ok(final_phase(self.model(), object, &shown).is_some()),
            Err(Halt::Fatal(error)) => Err(Halt::Fatal(error)),
            _ => Ok(true),
        }
    }
}
