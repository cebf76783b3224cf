//! Removes what a run created.

use std::sync::{Arc, Mutex};

use super::attempt::Attempt;
use super::model::{Object, model};
use super::objects::{Created, is_unknown};
use super::run::{Halt, PREFIX, Run, lock};
use super::turns::{Advance, Turn, each};
use super::verdict::Leftover;
use crate::error::Error;

impl Run {
    /// Removes objects, however long their states take.
    pub(super) async fn clean_up(self: &Arc<Self>, created: &Mutex<Vec<Created>>, advance: Option<Advance>) {
        let created = std::mem::take(&mut *lock(created));
        let done = each(self.options.workers, advance, created.into_iter().rev(), |object, mut turn| {
            let run = Arc::clone(self);
            async move {
                if let Err(reason) = run.remove(&object, Some(&mut turn)).await {
                    run.leave(object, reason);
                }
                ((), turn)
            }
        });
        if let Err(error) = done.await {
            std::panic::resume_unwind(error.into_panic());
        }
    }

    /// Notes that an object stays.
    pub(super) fn leave(&self, object: Created, reason: String) {
        let Object { item, create, delete, .. } = &model().objects[object.object];
        let what = match &object.id {
            Some(_) => object
                .path
                .iter()
                .fold((*item).to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value)),
            None => object.name.unwrap_or_else(|| "an object without name and id".to_owned()),
        };
        let created_by = model().operations[*create].id.to_owned();
        lock(&self.leftovers).push(Leftover { created_by, what, reason, lasts: delete.is_none() });
    }

    /// Removes an object. Without a turn that could be given up it does not wait until the object's state allows it, and
    /// then it is not removed yet.
    pub(super) async fn remove(&self, created: &Created, turn: Option<&mut Turn>) -> Result<bool, String> {
        let object = &model().objects[created.object];
        let Some(delete) = object.delete else {
            return Err("no operation deletes it".to_owned());
        };
        if lock(&self.fatal).as_ref().is_some_and(Error::is_unauthenticated) {
            return Err("the credentials are refused".to_owned());
        }
        let may_wait = turn.is_some();
        let mut attempt = Attempt { turn, ..Attempt::new(self, None, usize::MAX) };
        let mut path = created.path.clone();
        if created.id.is_none() {
            // The answer told no id: the list may. What has a name of another kind is somebody else's.
            let Some(name) = created.name.as_ref().filter(|name| name.starts_with(PREFIX)) else {
                return Err("its id is not known".to_owned());
            };
            let found = attempt.find_by_name(created.object, &path, name).await;
            let Ok(Some(id)) = found else { return Err("its id is not known, and no list has its name".to_owned()) };
            path.push((object.parameter, id));
        }
        match attempt.delete_when_possible(created.object, &path).await {
            Ok(answer) if answer.is_success() || is_unknown(&answer) => Ok(true),
            Ok(_) if !may_wait => Ok(false),
            Ok(answer) => Err(format!("{} answered {}", model().operations[delete].id, answer.told())),
            Err(Halt::Absent(..)) => Err(format!("{} is absent", model().operations[delete].id)),
            Err(Halt::NotTried(reason)) => Err(reason),
            Err(Halt::Broken) => Err("no whole answer came".to_owned()),
            Err(Halt::Fatal(error)) => Err(error.to_string()),
        }
    }
}
