//! What a run has created and not removed yet.
//!
//! An entry is made before the request is sent that creates an object, and it goes when the object is gone. So whatever
//! ends a run, and wherever it is then, the inventory says what may be left behind.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::compare::plain;
use super::model::{Model, Object};
use super::verdict::Leftover;

type Path = Vec<(&'static str, String)>;

/// The owner of an object, who deletes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The clause of this index, as soon as it is done.
    Clause(usize),
    /// The run at its end: clauses share the object.
    Shared,
    /// The run after the clauses: the object's state did not allow it before.
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
    /// Names that requests gave it, the one of its creation first.
    pub(super) names: Vec<String>,
    /// Values of the path under which it was created, for example the job of an execution.
    pub(super) parents: Path,
    /// The body that created it.
    pub(super) request: Value,
    /// Whether the object with this id was seen to be the one that was created.
    pub(super) identified: bool,
    /// Why it could not be removed, once that was tried.
    reason: Option<String>,
}

/// Whose object an id leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Identity {
    Own,
    /// It shows this instead of what the run gave it.
    Foreign(String),
    /// It shows nothing that tells.
    Unclear,
}

impl Created {
    pub(super) fn described(&self) -> &'static Object {
        &self.model.objects[self.object]
    }

    /// The path by which an operation names the object that is known by another path, or by this one.
    pub(super) fn removal_path(&self) -> Path {
        self.described().removal_path(self.model, &self.path)
    }

    /// Whether a request with this path is about the object, or about something inside it.
    fn is_in(&self, path: &[(&'static str, String)]) -> bool {
        self.has_id && [&self.path, &self.removal_path()].into_iter().any(|own| path.starts_with(own))
    }

    /// Holds what the object shows of itself against what requests gave it.
    pub(super) fn identify(&self, shown: &Value, prefix: &str) -> Identity {
        let field = self.model.operations[self.described().create].name_field().unwrap_or("name");
        let shown_name = [field, "name", "job_name"].into_iter().find_map(|field| plain(shown.get(field)?));
        let mut evidence = false;
        if let (Some(name), false) = (shown_name, self.names.is_empty()) {
            if !self.names.contains(&name) && !name.starts_with(prefix) {
                return Identity::Foreign(format!("the name {name:?}"));
            }
            evidence = true;
        }
        for (parameter, value) in &self.parents {
            match shown.get(*parameter).and_then(plain) {
                Some(other) if other != *value => return Identity::Foreign(format!("the {parameter} {other:?}")),
                Some(_) => evidence = true,
                None => {}
            }
        }
        if evidence { Identity::Own } else { Identity::Unclear }
    }

    fn leftover(&self) -> Leftover {
        let operation = &self.model.operations[self.described().create];
        let filled = |template: &str, path: &Path| {
            path.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let (what, reason) = if self.has_id {
            (filled(self.described().item, &self.path), "the run ended before it was removed")
        } else {
            // An object without a name is told by the place in which it is created.
            let name = self.names.first().cloned();
            let name =
                name.unwrap_or_else(|| format!("an object in {}", filled(operation.operation.path, &self.parents)));
            let reason = "it may exist: the run ended before a response named its id";
            (format!("{name} (its id is not known)"), reason)
        };
        let reason = self.reason.clone().unwrap_or_else(|| reason.to_owned());
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
    /// Paths of objects that others made although a response gave their ids to what the run created, each with what shows it.
    foreign: Vec<(Path, String)>,
}

impl Inventory {
    /// An inventory that holds nothing yet.
    pub(super) fn new(model: &'static Model) -> Self {
        Self(Mutex::new(Contents { model, count: 0, created: Vec::new(), foreign: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a request may create an object; gives the key of the entry.
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

    /// Notes the id that a response gave to what was created.
    pub(super) fn identify(&self, key: u64, id: &str) {
        self.change(key, |created| {
            created.path.push((created.described().parameter, id.to_owned()));
            created.has_id = true;
        });
    }

    /// Notes that an object is gone, or was never there.
    pub(super) fn forget(&self, key: u64) {
        self.lock().created.retain(|created| created.key != key);
    }

    /// Notes that an object may be there all the same, if its name can be looked for.
    pub(super) fn doubt(&self, key: u64, prefix: &str) {
        let named = |created: &Created| created.names.first().is_some_and(|name| name.starts_with(prefix));
        self.lock().created.retain(|created| created.key != key || named(created));
    }

    /// Notes that an operation succeeded which deletes the object with this path.
    pub(super) fn deleted(&self, op: usize, path: &[(&'static str, String)]) {
        self.lock().created.retain(|created| {
            !(created.has_id && created.described().removed_by == Some(op) && created.removal_path() == path)
        });
    }

    /// An entry as it is now, if it is still there.
    pub(super) fn current(&self, key: u64) -> Option<Created> {
        self.lock().created.iter().find(|created| created.key == key).cloned()
    }

    /// Notes that a request may give an object another name.
    pub(super) fn renamed(&self, path: &[(&'static str, String)], name: &str) {
        let mut inventory = self.lock();
        if let Some(created) = inventory.created.iter_mut().find(|created| created.has_id && created.path == path) {
            created.names.push(name.to_owned());
        }
    }

    /// Notes why an object stays.
    pub(super) fn leave(&self, key: u64, reason: String) {
        self.change(key, |created| created.reason = Some(reason));
    }

    /// Notes that the id which a response gave is that of somebody else's object.
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

    /// What shows that a path leads to, or through, an object that others made.
    pub(super) fn foreign(&self, path: &[(&'static str, String)]) -> Option<String> {
        let inventory = self.lock();
        inventory.foreign.iter().find(|(foreign, _)| path.starts_with(foreign)).map(|(_, what)| what.clone())
    }

    /// What somebody has to remove, in the order of its creation.
    pub(super) fn of(&self, owner: Owner) -> Vec<Created> {
        self.lock().created.iter().filter(|created| created.owner == owner).cloned().collect()
    }

    /// Returns the objects of a path that were not verified yet.
    pub(super) fn unidentified(&self, path: &[(&'static str, String)]) -> Vec<Created> {
        let inventory = self.lock();
        inventory.created.iter().filter(|created| !created.identified && created.is_in(path)).cloned().collect()
    }

    /// All that is still there, or may be.
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
        assert_eq!(identify(json!({"id": "7", "name": "hwjobs-ct-abcde1"})), Identity::Own);
        assert_eq!(identify(json!({"name": "hwjobs-ct-abcde2"})), Identity::Own, "an update gave it another name");
        assert!(matches!(identify(json!({"name": "payroll"})), Identity::Foreign(_)));
        assert!(matches!(identify(json!({"name": "hwjobs-ct-other1"})), Identity::Foreign(_)));
        assert_eq!(identify(json!({"id": "7"})), Identity::Unclear);

        let run = created("execute_job", &[("job_id", "j".to_owned())], json!({}));
        assert_eq!(run.identify(&json!({"job_id": "j"}), "p"), Identity::Own);
        assert!(matches!(run.identify(&json!({"job_id": "k"}), "p"), Identity::Foreign(_)));
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
