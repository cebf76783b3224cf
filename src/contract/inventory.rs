//! Knows what a run has created and not removed yet.
//!
//! An entry is added before the request is sent that creates an object, and removed when the object is gone. So the
//! inventory knows what may be left behind, whatever ends a run.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::compare::plain;
use super::model::{Model, Object};
use super::verdict::{Leftover, MOST_REASON, clipped};

type Path = Vec<(&'static str, String)>;

/// The owner of an object, who deletes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The clause of this index, at its end.
    Clause(usize),
    /// The run at its end, since clauses share the object.
    Shared,
    /// The run after the clauses, since the object's state did not allow it before.
    Later,
}

/// An object that a run has created, or may have created.
#[derive(Clone, Debug)]
pub(super) struct Created {
    model: &'static Model,
    pub(super) key: u64,
    pub(super) owner: Owner,
    pub(super) object: usize,
    /// The path values; the last one is the object's own id, if it is known.
    pub(super) path: Path,
    /// Whether a response contained the object's id.
    pub(super) has_id: bool,
    /// Names that requests set, the one of its creation first.
    pub(super) names: Vec<String>,
    /// Values of the path of its creation, for example the job of an execution.
    pub(super) parents: Path,
    /// The body of the request that created it.
    pub(super) request: Value,
    /// Whether the object with this id was verified to be the one that was created.
    pub(super) identified: bool,
    /// Why it could not be removed.
    reason: Option<String>,
}

/// Who made the object that has an id.
#[derive(Debug, PartialEq)]
pub(super) enum Ownership {
    Own,
    /// Others: it shows this instead of what the run set.
    Foreign(String),
    /// Not known: it shows neither a name nor a parent.
    Unclear,
}

impl Created {
    pub(super) fn described(&self) -> &'static Object {
        &self.model.objects[self.object]
    }

    /// Returns the path of the operation that removes the object.
    pub(super) fn removal_path(&self) -> Path {
        self.described().removal_path(self.model, &self.path)
    }

    /// Returns whether a request with this path is about the object, or about an object inside it.
    fn is_in(&self, path: &[(&'static str, String)]) -> bool {
        self.has_id && [&self.path, &self.removal_path()].into_iter().any(|own| path.starts_with(own))
    }

    /// Compares the name and the parents that the object shows with those of its creation.
    pub(super) fn identify(&self, shown: &Value, prefix: &str) -> Ownership {
        let field = self.model.operations[self.described().create].name_field().unwrap_or("name");
        let shown_name = [field, "name", "job_name"].into_iter().find_map(|field| plain(shown.get(field)?));
        let mut evidence = false;
        if let (Some(name), false) = (shown_name, self.names.is_empty()) {
            if !self.names.contains(&name) && !name.starts_with(prefix) {
                return Ownership::Foreign(format!("the name {name:?}"));
            }
            evidence = true;
        }
        for (parameter, value) in &self.parents {
            match shown.get(*parameter).and_then(plain) {
                Some(other) if other != *value => return Ownership::Foreign(format!("the {parameter} {other:?}")),
                Some(_) => evidence = true,
                None => {}
            }
        }
        if evidence { Ownership::Own } else { Ownership::Unclear }
    }

    fn leftover(&self) -> Leftover {
        let operation = &self.model.operations[self.described().create];
        let filled = |template: &str, path: &Path| {
            path.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let (what, reason) = if self.has_id {
            (filled(self.described().item, &self.path), "the run ended before it was removed")
        } else {
            // An object without a name is described by its collection.
            let name = self.names.first().cloned();
            let name =
                name.unwrap_or_else(|| format!("an object in {}", filled(operation.operation.path, &self.parents)));
            let reason = "it may exist: the run ended before a response named its id";
            (format!("{name} (its id is not known)"), reason)
        };
        let reason = clipped(self.reason.as_deref().unwrap_or(reason), MOST_REASON).into_owned();
        Leftover { created_by: operation.id.to_owned(), what, reason }
    }
}

/// Everything that a run has created and not removed yet.
#[derive(Debug)]
pub(super) struct Inventory(Mutex<Contents>);

#[derive(Debug)]
struct Contents {
    model: &'static Model,
    count: u64,
    created: Vec<Created>,
    /// Paths of objects that others made although a response named their ids, each with what shows that.
    foreign: Vec<(Path, String)>,
}

impl Inventory {
    /// Returns an inventory without entries.
    pub(super) fn new(model: &'static Model) -> Self {
        Self(Mutex::new(Contents { model, count: 0, created: Vec::new(), foreign: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry for an object that a request may create. Returns the key of the entry.
    pub(super) fn expect(
        &self,
        owner: Owner,
        object: usize,
        path: &[(&'static str, String)],
        request: Option<&Value>,
    ) -> u64 {
        let mut inventory = self.lock();
        inventory.count += 1;
        let key = inventory.count;
        let model = inventory.model;
        let Object { item, parameter, create, .. } = &model.objects[object];
        let is_own = |name: &str| item.contains(&format!("{{{name}}}")) && name != *parameter;
        let name = model.operations[*create].name_field().and_then(|field| plain(request?.get(field)?));
        inventory.created.push(Created {
            model,
            key,
            owner,
            object,
            path: path.iter().filter(|(name, _)| is_own(name)).cloned().collect(),
            has_id: false,
            names: name.into_iter().collect(),
            parents: path.to_vec(),
            request: request.cloned().unwrap_or_default(),
            identified: false,
            reason: None,
        });
        key
    }

    /// Changes an entry, if it exists.
    pub(super) fn change(&self, key: u64, change: impl FnOnce(&mut Created)) {
        if let Some(created) = self.lock().created.iter_mut().find(|created| created.key == key) {
            change(created);
        }
    }

    /// Sets the id of an object.
    pub(super) fn identify(&self, key: u64, id: &str) {
        self.change(key, |created| {
            created.path.push((created.described().parameter, id.to_owned()));
            created.has_id = true;
        });
    }

    /// Removes the entry of an object that is gone, or was never created.
    pub(super) fn forget(&self, key: u64) {
        self.lock().created.retain(|created| created.key != key);
    }

    /// Keeps the entry of an object that may exist, if a list can be searched for its name.
    pub(super) fn doubt(&self, key: u64, prefix: &str) {
        let named = |created: &Created| created.names.first().is_some_and(|name| name.starts_with(prefix));
        self.lock().created.retain(|created| created.key != key || named(created));
    }

    /// Removes the entry of the object with this path after an operation that deletes it.
    pub(super) fn deleted(&self, op: usize, path: &[(&'static str, String)]) {
        self.lock().created.retain(|created| {
            !(created.has_id && created.described().removed_by == Some(op) && created.removal_path() == path)
        });
    }

    /// Returns an entry as it is now, if it is still there.
    pub(super) fn current(&self, key: u64) -> Option<Created> {
        self.lock().created.iter().find(|created| created.key == key).cloned()
    }

    /// Adds the name that a request may set.
    pub(super) fn renamed(&self, path: &[(&'static str, String)], name: &str) {
        let mut inventory = self.lock();
        if let Some(created) = inventory.created.iter_mut().find(|created| created.has_id && created.path == path) {
            created.names.push(name.to_owned());
        }
    }

    /// Sets the reason why an object is not removed.
    pub(super) fn leave(&self, key: u64, reason: String) {
        self.change(key, |created| created.reason = Some(reason));
    }

    /// Records that the id of an entry is that of an object which others made.
    pub(super) fn disown(&self, key: u64, what: String) {
        let mut inventory = self.lock();
        let Some(created) = inventory.created.iter_mut().find(|created| created.key == key && created.has_id) else {
            return;
        };
        let paths = [created.path.clone(), created.removal_path()];
        created.path.pop();
        created.has_id = false;
        inventory.foreign.extend(paths.map(|path| (path, what.clone())));
    }

    /// Returns what shows that a path names an object which others made.
    pub(super) fn foreign(&self, path: &[(&'static str, String)]) -> Option<String> {
        let inventory = self.lock();
        inventory.foreign.iter().find(|(foreign, _)| path.starts_with(foreign)).map(|(_, what)| what.clone())
    }

    /// Returns what an owner has to remove, in the order of creation.
    pub(super) fn of(&self, owner: Owner) -> Vec<Created> {
        self.lock().created.iter().filter(|created| created.owner == owner).cloned().collect()
    }

    /// Returns the objects of a path that were not verified yet.
    pub(super) fn unidentified(&self, path: &[(&'static str, String)]) -> Vec<Created> {
        let inventory = self.lock();
        inventory.created.iter().filter(|created| !created.identified && created.is_in(path)).cloned().collect()
    }

    /// Returns all objects that exist or may exist.
    pub(super) fn leftovers(&self) -> Vec<Leftover> {
        self.lock().created.iter().map(Created::leftover).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::model::model;
    use super::*;

    fn object(create: &str) -> usize {
        model(None).created_by(model(None).op(create).unwrap()).unwrap()
    }

    fn created(create: &str, path: &[(&'static str, String)], body: Value) -> Created {
        let inventory = Inventory::new(model(None));
        let key = inventory.expect(Owner::Shared, object(create), path, Some(&body));
        inventory.identify(key, "7");
        inventory.of(Owner::Shared).remove(0)
    }

    #[test]
    fn an_object_is_known_by_its_name_or_by_its_parent() {
        let job = created("create_job", &[], json!({"name": "hwjobs-ct-abcde1"}));
        let identify = |shown: Value| job.identify(&shown, "hwjobs-ct-abcde");
        assert_eq!(identify(json!({"id": "7", "name": "hwjobs-ct-abcde1"})), Ownership::Own);
        assert_eq!(identify(json!({"name": "hwjobs-ct-abcde2"})), Ownership::Own, "an update gave it another name");
        assert!(matches!(identify(json!({"name": "payroll"})), Ownership::Foreign(_)));
        assert!(matches!(identify(json!({"name": "hwjobs-ct-other1"})), Ownership::Foreign(_)));
        assert_eq!(identify(json!({"id": "7"})), Ownership::Unclear);

        let run = created("execute_job", &[("job_id", "j".to_owned())], json!({}));
        assert_eq!(run.identify(&json!({"job_id": "j"}), "p"), Ownership::Own);
        assert!(matches!(run.identify(&json!({"job_id": "k"}), "p"), Ownership::Foreign(_)));
    }

    #[test]
    fn every_kind_of_object_can_be_removed() {
        for object in &model(None).objects {
            let create = model(None).operations[object.create].id;
            assert!(object.removed_by.is_some(), "nothing removes what {create} creates: see x-also-deletes");
        }
        let exe = created("submit_job", &[], json!({"job_name": "a"}));
        assert_eq!(exe.removal_path(), [("job_execution_id", "7".to_owned())]);
        let inventory = Inventory::new(model(None));
        let key = inventory.expect(Owner::Later, object("submit_job"), &[], None);
        inventory.identify(key, "7");
        inventory.deleted(model(None).op("delete_job_execution").unwrap(), &exe.removal_path());
        assert!(inventory.leftovers().is_empty());
    }
}
