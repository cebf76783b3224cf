//! Deletes the objects of a run.

use std::sync::Arc;

use super::attempt::Attempt;
use super::inventory::{Created, Owner, Ownership};
use super::run::{Halt, RunState, caught};
use super::scheduler::{Advance, Slot, each};
use super::verdict::Check;
use crate::error::Error;

/// The result of removing an object.
enum Removal {
    Gone,
    /// The state of the object does not allow a deletion yet.
    NotYet,
    /// The object is not removed, for this reason.
    Kept(String),
}

impl RunState {
    /// Removes the objects of an owner, and waits until their states allow it.
    pub(super) async fn clean_up(self: &Arc<Self>, owner: Owner, advance: Option<Advance>) {
        let created = self.inventory.of(owner);
        each(self.options.workers, advance, created.into_iter().rev(), |object, mut slot| {
            let run = Arc::clone(self);
            async move {
                run.remove(&object, Some(&mut slot)).await;
                ((), slot)
            }
        })
        .await;
    }

    /// Removes an object and records the result. Without a slot it does not wait until the state of the object allows
    /// the removal; such an object is removed later.
    pub(super) async fn remove(&self, created: &Created, slot: Option<&mut Slot>) {
        let removal = caught(self.try_to_remove(created, slot)).await;
        match removal.unwrap_or_else(|panic| Removal::Kept(format!("removing it failed: {panic}"))) {
            Removal::Gone => self.inventory.forget(created.key),
            Removal::NotYet => self.inventory.change(created.key, |created| created.owner = Owner::Later),
            Removal::Kept(reason) => self.inventory.leave(created.key, reason),
        }
    }

    async fn try_to_remove(&self, created: &Created, slot: Option<&mut Slot>) -> Removal {
        let object = created.described();
        let Some(delete) = object.removed_by else {
            return Removal::Kept("no operation deletes it".to_owned());
        };
        if let Some(error) = self.fatal().filter(Error::is_unauthenticated) {
            return Removal::Kept(format!("the credentials are rejected: {error}"));
        }
        let may_wait = slot.is_some();
        let mut attempt = Attempt { slot, ..Attempt::new(self, None, usize::MAX, created.owner) };
        let (mut created, mut reason) = (created.clone(), "its id is not known".to_owned());
        let outcome = loop {
            if !created.has_id {
                // No response named its id, but the list may. An object with a name of another kind is not the run's.
                let Some(name) = created.names.first().filter(|name| name.starts_with(&self.prefix())).cloned() else {
                    return Removal::Kept(reason);
                };
                match attempt.find_by_name(created.object, &created.path, &name).await {
                    Ok(Some(id)) => {
                        self.inventory.identify(created.key, &id);
                        self.inventory.change(created.key, |created| created.identified = true);
                        created.path.push((object.parameter, id));
                    }
                    Ok(None) if object.list.is_some() => return Removal::Gone,
                    _ => return Removal::Kept(format!("{reason}, and no list could be searched for its name")),
                }
            }
            match attempt.delete_when_possible(created.object, &created.path).await {
                Err(Halt::NotTried(why)) if created.has_id => match self.inventory.current(created.key) {
                    // The response named the id of an object that others made.
                    Some(current) if !current.has_id => (created, reason) = (current, why),
                    _ => break Err(Halt::NotTried(why)),
                },
                outcome => break outcome,
            }
        };
        match outcome {
            Ok(reply) if reply.is_success() || reply.is_unknown() => Removal::Gone,
            Ok(_) if !may_wait => Removal::NotYet,
            Ok(reply) => Removal::Kept(format!("{} returned {}", self.model.operations[delete].id, reply.summary())),
            Err(Halt::Absent(op, how)) => Removal::Kept(format!("{} is absent: {how}", self.model.operations[op].id)),
            // Some services show a new object only a moment later.
            Err(Halt::Unknown) if !may_wait => Removal::NotYet,
            Err(Halt::Unknown) => Removal::Kept("nothing shows it under its id".to_owned()),
            Err(Halt::NotTried(reason)) => Removal::Kept(reason),
            Err(Halt::Broken) => Removal::Kept("no complete response".to_owned()),
            Err(Halt::Fatal(error)) => Removal::Kept(error.to_string()),
        }
    }
}

impl Attempt<'_> {
    /// Reads the objects that a request is about to change, once each: the id that a response names may be that of an
    /// object which others made.
    pub(super) async fn look_first(&mut self, path: &[(&'static str, String)]) -> Result<(), Halt> {
        for created in self.run.inventory.unidentified(path) {
            self.identify(&created).await?;
            self.run.inventory.change(created.key, |created| created.identified = true);
        }
        if let Some(why) = self.run.inventory.foreign(path) {
            return Err(Halt::NotTried(why));
        }
        Ok(())
    }

    /// Verifies that an object is the one that the run created.
    async fn identify(&mut self, created: &Created) -> Result<(), Halt> {
        // An object inside of an object of the run is the run's as well.
        let is_inside = created.path.len() > 1;
        if is_inside && created.names.is_empty() {
            return Ok(());
        }
        let create = created.described().create;
        let text = match self.run.inventory.foreign(&created.path) {
            Some(text) => text,
            None => {
                let mut look = Attempt::new(self.run, None, self.index, created.owner);
                let Some(shown) = Box::pin(look.show(created)).await? else { return Err(Halt::Unknown) };
                let (create, id) = (self.model().operations[create].id, created.path.last().map_or("", |(_, id)| id));
                // Another clause may have renamed it meanwhile.
                let Some(created) = self.run.inventory.current(created.key) else { return Ok(()) };
                match created.identify(&shown, &self.run.prefix()) {
                    Ownership::Own => return Ok(()),
                    Ownership::Unclear if is_inside => return Ok(()),
                    Ownership::Unclear => {
                        let text = format!("nothing shows whether {id} is what {create} created");
                        return Err(Halt::NotTried(text));
                    }
                    Ownership::Foreign(what) => {
                        look.exchanges.into_iter().for_each(|exchange| self.keep(exchange));
                        format!("{create} returned the id {id}, which is that of an object with {what}")
                    }
                }
            }
        };
        // The clean-up may find the created object by its name.
        self.run.inventory.disown(created.key, text.clone());
        if self.op != Some(create) {
            return Err(Halt::NotTried(text));
        }
        self.differs(Check::Property, text);
        Err(Halt::Broken)
    }
}
