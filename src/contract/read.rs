//! Reads objects, stops jobs and waits until they have ended.

use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Caller, Payload};
use super::exchange::{Call, Reply};
use super::ids::{item_id, unwrapped};
use super::inventory::Created;
use super::lists::part_of_name;
use super::model::Model;
use super::run::{Fixture, Halt, Path};
use super::verdict::Check;
use crate::api::wire::JobStatus;
use crate::raw;
use crate::shape::Phase;

/// The number of searches of a list for an object that must be in it.
const MOST_SEARCHES: usize = 3;

impl Attempt<'_> {
    pub(super) async fn call(&mut self, op: usize, path: &Path, body: Option<Value>) -> Result<Reply, Halt> {
        let body = body.map_or(Payload::None, Payload::Json);
        let request = Call { op, path: path.to_vec(), query: Vec::new(), body, caller: Caller::Own };
        self.send(&request).await
    }

    /// Reads an object; `None` if the endpoint does not know it.
    pub(super) async fn read(&mut self, object: usize, path: &Path, request: &Value) -> Result<Option<Value>, Halt> {
        let described = &self.model().objects[object];
        if let Some(show) = described.show {
            let reply = self.call(show, path, None).await?;
            if !reply.is_success() {
                if reply.is_unknown() {
                    return Ok(None);
                }
                self.called(show, &reply)?;
            }
            self.called(show, &reply)?;
            return Ok(Some(unwrapped(reply.json()).clone()));
        }
        self.find(object, path, &self.prefix(), request).await
    }

    /// Finds an object in its list, by a part of its name where the list has a search.
    pub(super) async fn find(
        &mut self,
        object: usize,
        path: &Path,
        search: &str,
        request: &Value,
    ) -> Result<Option<Value>, Halt> {
        let described = &self.model().objects[object];
        let Some(list) = described.list else {
            return Err(Halt::NotTried("nothing reads it".to_owned()));
        };
        let filters = [self.search(list, search), self.scope(list, request)].concat();
        let id = path.last().map(|(_, id)| id.as_str());
        let mut found = None;
        self.walk(list, &path[..path.len() - 1], &filters, None, |items| {
            found = items.into_iter().find(|item| item_id(described, item).as_deref() == id);
            found.is_none()
        })
        .await?;
        Ok(found)
    }

    /// Reads an object that was created; `None` if neither its id nor its name leads to it.
    pub(super) async fn show(&mut self, created: &Created) -> Result<Option<Value>, Halt> {
        if created.described().show.is_some() || created.names.is_empty() {
            match self.read(created.object, &created.path, &created.request).await {
                Err(Halt::NotTried(_) | Halt::Absent(..) | Halt::Broken)
                    if created.described().list.is_some() && !created.names.is_empty() => {}
                shown => return shown,
            }
        }
        // A short name is part of many others, and a list may skip an object while others are deleted.
        for name in created.names.iter().rev().cycle().take(MOST_SEARCHES * created.names.len()) {
            let search = part_of_name(name);
            let found = self.find(created.object, &created.path, &search, &created.request).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Reads an object that must exist.
    pub(super) async fn must_read(&mut self, made: &Fixture) -> Result<Value, Halt> {
        match self.read(made.object, &made.path, &made.request).await? {
            Some(value) => Ok(value),
            None => {
                self.differs(Check::Property, "what was created is unknown");
                Err(Halt::Broken)
            }
        }
    }

    /// Stops a job as soon as its state allows it. Returns false if the job ended by itself before.
    pub(super) async fn stop(&mut self, object: usize, path: &Path) -> Result<bool, Halt> {
        let Some(stop) = self.model().objects[object].stop else { return Ok(true) };
        let mut waits = self.waits();
        loop {
            let reply = self.call(stop, path, None).await?;
            if reply.is_success() {
                return self.called(stop, &reply).map(|()| true);
            }
            if reply.is_rejection() && self.has_ended(object, path).await? {
                return Ok(false);
            }
            match waits.next() {
                Some(wait) => self.wait(wait).await,
                None => return self.called(stop, &reply).map(|()| true),
            }
        }
    }

    /// Returns whether the endpoint shows that an object has ended.
    pub(super) async fn has_ended(&mut self, object: usize, path: &Path) -> Result<bool, Halt> {
        Ok(self.final_phase(object, path).await?.is_some())
    }

    /// Returns how an object has ended; `None` if the endpoint does not show that it has.
    async fn final_phase(&mut self, object: usize, path: &Path) -> Result<Option<Phase>, Halt> {
        let shown = self.read(object, path, &Value::Null).await?;
        Ok(shown.and_then(|shown| final_phase(self.model(), object, &shown)))
    }

    /// Ends a clause that needs a state which the object does not reach.
    pub(super) fn never_ended(&self) -> Halt {
        Halt::NotTried(format!("what it needs has not ended after {:?}", self.run.options.patience))
    }

    /// Waits until an object has ended, and returns how; `None` if it did not.
    pub(super) async fn ended(&mut self, object: usize, path: &Path) -> Result<Option<Phase>, Halt> {
        let mut waits = self.waits();
        loop {
            let phase = self.final_phase(object, path).await?;
            if phase.is_some() {
                return Ok(phase);
            }
            let Some(wait) = waits.next() else { return Ok(None) };
            self.wait(wait).await;
        }
    }
}

/// Ends a clause that is about a state which has passed.
pub(super) fn ended_too_soon(what: &str) -> Halt {
    Halt::NotTried(format!("it had ended before it could be {what}"))
}

/// Returns how a job has ended; `None` if it has not. `shown` are its details as the operation returns them that reads
/// it, or an item of the list of jobs.
pub(super) fn final_phase(model: &Model, object: usize, shown: &Value) -> Option<Phase> {
    let show = model.objects[object].show.map(|show| model.operations[show].id);
    let phase = match show.and_then(|show| raw::progress(show, shown)) {
        Some(progress) => progress.ok().map(|(phase, _)| phase),
        None => serde_json::from_value::<JobStatus>(shown["status"].clone()).ok().map(|status| status.state().phase()),
    };
    phase.filter(|phase| *phase != Phase::Underway)
}
