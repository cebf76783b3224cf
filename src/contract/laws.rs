//! What holds between several requests.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::attempt::Attempt;
use super::compare::{changed, is_time, plain, same};
use super::exchange::{Answer, Request};
use super::inventory::Created;
use super::model::{keyword, properties, unsupported};
use super::objects::{Fixture, is_unknown, item_id, unwrapped, usable_id};
use super::plan::{Expected, Identity, Law, Payload, bodies};
use super::run::Halt;
use super::verdict::Check;
use crate::api::wire::JobStatus;
use crate::spec::PageShape;

/// More pages than this are taken for a list without an end.
const MOST_PAGES: usize = 500;

/// How often a list is searched for an object that must be in it.
const MOST_SEARCHES: usize = 3;

type Path = [(&'static str, String)];

impl Attempt<'_> {
    pub(super) async fn law(&mut self, law: Law) -> Result<(), Halt> {
        match law {
            Law::CreateReadsBack(object) => self.create_reads_back(object).await,
            Law::CreateIsDistinct(object) => self.create_is_distinct(object).await,
            Law::UpdateReadsBack(object) => self.update_reads_back(object).await,
            Law::UpdateIsIdempotent(object) => self.update_is_idempotent(object).await,
            Law::UpdateLeavesRest(object) => self.update_leaves_rest(object).await,
            Law::UpdateLeavesOthers(object) => self.update_leaves_others(object).await,
            Law::Listed(object) => self.listed(object).await,
            Law::Forgotten(object) => self.forgotten(object).await,
            Law::StopEnds(object) => self.stop_ends(object).await,
            Law::InvisibleElsewhere(object) => self.invisible_elsewhere(object).await,
            Law::NameTaken(object) => self.name_taken(object).await,
            Law::StateForbids(object) => self.state_forbids(object).await,
            Law::Pages | Law::PageSize | Law::Sort(_) | Law::Search | Law::Filter(_) => self.list_law(law).await,
        }
    }

    async fn call(&mut self, op: usize, path: &Path, body: Option<Value>) -> Result<Answer, Halt> {
        let body = body.map_or(Payload::None, Payload::Json);
        let request = Request { op, path: path.to_vec(), query: Vec::new(), body, identity: Identity::Own };
        self.send(&request).await
    }

    /// An object as the endpoint shows it; nothing if it does not know it.
    pub(super) async fn read(&mut self, object: usize, path: &Path, request: &Value) -> Result<Option<Value>, Halt> {
        let described = &self.model().objects[object];
        if let Some(show) = described.show {
            let answer = self.call(show, path, None).await?;
            if !answer.is_success() {
                if is_unknown(&answer) {
                    return Ok(None);
                }
                self.called(show, &answer)?;
            }
            self.called(show, &answer)?;
            return Ok(Some(unwrapped(answer.json()).clone()));
        }
        self.find(object, path, &self.prefix(), request).await
    }

    /// An object as its list shows it, found by a part of its name where the list searches.
    async fn find(&mut self, object: usize, path: &Path, search: &str, request: &Value) -> Result<Option<Value>, Halt> {
        let model = self.model();
        let Some(list) = self.model().objects[object].list else {
            return Err(Halt::NotTried("nothing reads it".to_owned()));
        };
        let filters = [self.search(list, search), self.scope(list, request)].concat();
        let id = path.last().map(|(_, id)| id.as_str());
        let mut found = None;
        self.walk(list, &path[..path.len() - 1], &filters, None, |items| {
            found = items.into_iter().find(|item| item_id(&model.objects[object], item).as_deref() == id);
            found.is_none()
        })
        .await?;
        Ok(found)
    }

    /// What was created, as the endpoint shows it.
    pub(super) async fn show(&mut self, created: &Created) -> Result<Option<Value>, Halt> {
        if created.described().show.is_some() || created.names.is_empty() {
            match self.read(created.object, &created.path, &created.request).await {
                Err(Halt::NotTried(_) | Halt::Absent(..) | Halt::Broken)
                    if created.described().list.is_some() && !created.names.is_empty() => {}
                shown => return shown,
            }
        }
        // A short name is part of many others, and a list whose objects are deleted meanwhile may skip one.
        for name in created.names.iter().rev().cycle().take(MOST_SEARCHES * created.names.len()) {
            let search = part_of_name(name);
            let found = self.find(created.object, &created.path, &search, &created.request).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The object, which must be there.
    async fn must_read(&mut self, made: &Fixture) -> Result<Value, Halt> {
        match self.read(made.object, &made.path, &made.request).await? {
            Some(value) => Ok(value),
            None => {
                self.differs(Check::Law, "what was created is unknown");
                Err(Halt::Broken)
            }
        }
    }

    /// Notes where an object does not show what a request gave it.
    fn holds(&mut self, op: usize, request: &Value, shown: &Value, form: &'static Value) {
        let described = &self.model().operations[op];
        let without_effect = unsupported(described);
        let known = properties(described.document.value(), form);
        let nested = request.as_object().into_iter().flatten().filter(|(_, value)| value.is_object());
        let nested = nested.flat_map(|(_, value)| value.as_object().into_iter().flatten());
        let fields: Vec<_> = request.as_object().into_iter().flatten().chain(nested).collect();
        for (name, value) in fields {
            if without_effect.contains(&name.as_str()) || !known.iter().any(|(field, _)| field == name) {
                continue;
            }
            match shown.get(name) {
                Some(shown) if same(value, shown) => {}
                Some(shown) => self.differs(Check::Law, format!("`{name}` was set to {value} and is {shown}")),
                None if *value == "" => {}
                None => self.differs(Check::Law, format!("`{name}` was set to {value} and is missing")),
            }
        }
    }

    /// The schema of an object where it is read.
    fn form(&self, object: usize) -> &'static Value {
        let described = &self.model().objects[object];
        let Some(read) = described.show.or(described.list) else { return &Value::Null };
        let op = &self.model().operations[read];
        let document = op.document.value();
        if described.show.is_none() {
            return op.items().map_or(&Value::Null, |(_, items)| items);
        }
        let schema = op.answer_schema(op.success).unwrap_or(&Value::Null);
        let inner = properties(document, schema);
        match inner.as_slice() {
            [(_, only)] => only,
            _ => schema,
        }
    }

    async fn create_reads_back(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        let shown = self.must_read(&made).await?;
        self.holds(self.model().objects[object].create, &made.request, &shown, self.form(object));
        Ok(())
    }

    async fn create_is_distinct(&mut self, object: usize) -> Result<(), Halt> {
        let one = self.create(object, |_| {}).await?;
        let other = self.create(object, |_| {}).await?;
        if one.id() == other.id() {
            self.differs(Check::Law, format!("two objects have the id {}", one.id()));
        }
        Ok(())
    }

    /// An update that changes what can be changed, as the first example does with other texts.
    async fn update_body(&mut self, object: usize) -> Result<Option<(usize, Value)>, Halt> {
        let Some(op) = self.model().objects[object].update else { return Ok(None) };
        let Some(mut body) = bodies(&self.model().operations[op]).into_iter().next() else { return Ok(None) };
        self.adapt(op, &[], &mut body, None, true).await?;
        let text = format!("updated by {}", self.name());
        for (name, value) in body.as_object_mut().into_iter().flatten() {
            if name.contains("desc") && value.is_string() {
                *value = text.clone().into();
            }
        }
        Ok(Some((op, body)))
    }

    async fn update_reads_back(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        let Some((op, body)) = self.update_body(object).await? else { return Ok(()) };
        let answer = self.call(op, &made.path, Some(body.clone())).await?;
        self.called(op, &answer)?;
        // Some answers show the object as it is now.
        let own = unwrapped(answer.json());
        if own.get("id").is_some() {
            let own = own.clone();
            self.holds(op, &body, &own, self.form(object));
        }
        let shown = self.must_read(&made).await?;
        self.holds(op, &body, &shown, self.form(object));
        Ok(())
    }

    async fn update_is_idempotent(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        let Some((op, body)) = self.update_body(object).await? else { return Ok(()) };
        let mut states = Vec::new();
        for _ in 0..2 {
            let answer = self.call(op, &made.path, Some(body.clone())).await?;
            self.called(op, &answer)?;
            states.push((unwrapped(answer.json()).clone(), self.must_read(&made).await?));
        }
        for name in changed(&states[0].1, &states[1].1) {
            self.differs(Check::Law, format!("the same update again changes `{name}`"));
        }
        for name in changed(&states[0].0, &states[1].0) {
            self.differs(Check::Law, format!("the same update again answers with another `{name}`"));
        }
        Ok(())
    }

    async fn update_leaves_others(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        let other = self.create(object, |_| {}).await?;
        let before = self.must_read(&other).await?;
        let Some((op, body)) = self.update_body(object).await? else { return Ok(()) };
        let answer = self.call(op, &made.path, Some(body)).await?;
        self.called(op, &answer)?;
        let after = self.must_read(&other).await?;
        for name in changed(&before, &after) {
            self.differs(Check::Law, format!("the update of one object changes `{name}` of another"));
        }
        Ok(())
    }

    async fn update_leaves_rest(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        let Some((op, body)) = self.update_body(object).await? else { return Ok(()) };
        let without_effect = unsupported(&self.model().operations[op]);
        let mut before = self.must_read(&made).await?;
        let fields: Vec<_> = body.as_object().into_iter().flatten().collect();
        for (name, value) in fields {
            if without_effect.contains(&name.as_str()) {
                continue;
            }
            let answer = self.call(op, &made.path, Some(json!({name: value}))).await?;
            self.called(op, &answer)?;
            let after = self.must_read(&made).await?;
            for other in changed(&before, &after).into_iter().filter(|other| other != name) {
                self.differs(Check::Law, format!("an update of `{name}` alone changes `{other}`"));
            }
            if !same(value, &after[name]) {
                self.differs(Check::Law, format!("`{name}` was set to {value} and is {}", after[name]));
            }
            before = after;
        }
        Ok(())
    }

    async fn listed(&mut self, object: usize) -> Result<(), Halt> {
        let model = self.model();
        let Some(list) = self.model().objects[object].list else { return Ok(()) };
        let made = self.create(object, |_| {}).await?;
        let filters = [self.search(list, &self.prefix()), self.scope(list, &made.request)].concat();
        let mut found = Vec::new();
        self.walk(list, &made.path[..made.path.len() - 1], &filters, None, |items| {
            found.extend(
                items.into_iter().filter(|item| item_id(&model.objects[object], item).as_deref() == Some(made.id())),
            );
            true
        })
        .await?;
        let times = found.len();
        match found.into_iter().next() {
            Some(item) => {
                let op = &self.model().operations[list];
                let form = op.items().map_or(&Value::Null, |(_, items)| items);
                self.holds(self.model().objects[object].create, &made.request, &item, form);
                if times > 1 {
                    self.differs(Check::Law, "what was created is listed more than once");
                }
            }
            None => self.differs(Check::Law, format!("{} was created and is not listed", made.id())),
        }
        Ok(())
    }

    async fn forgotten(&mut self, object: usize) -> Result<(), Halt> {
        let described = &self.model().objects[object];
        let Some(delete) = described.delete else { return Ok(()) };
        let made = self.create(object, |_| {}).await?;
        let answer = self.delete_when_possible(object, &made.path).await?;
        if !self.check_success(delete, &answer) {
            return Ok(());
        }
        if let Some(show) = described.show {
            let answer = self.call(show, &made.path, None).await?;
            self.check_refusal(show, "what was deleted", Expected::Unknown, &answer);
        }
        if described.list.is_some() && self.find(object, &made.path, &self.prefix(), &made.request).await?.is_some() {
            self.differs(Check::Law, "what was deleted is still listed");
        }
        if let Some((update, body)) = self.update_body(object).await? {
            let answer = self.call(update, &made.path, Some(body)).await?;
            self.check_refusal(update, "the update of what was deleted", Expected::Unknown, &answer);
        }
        Ok(())
    }

    /// Stops an object as soon as its state allows; whether it was stopped before it ended by itself.
    pub(super) async fn stop(&mut self, object: usize, path: &Path) -> Result<bool, Halt> {
        let Some(stop) = self.model().objects[object].stop else { return Ok(true) };
        let mut waits = self.waits();
        loop {
            let answer = self.call(stop, path, None).await?;
            if answer.is_success() {
                return self.called(stop, &answer).map(|()| true);
            }
            if answer.is_refusal() && self.has_ended(object, path).await? {
                return Ok(false);
            }
            match waits.next() {
                Some(wait) => self.wait(wait).await,
                None => return self.called(stop, &answer).map(|()| true),
            }
        }
    }

    /// Whether an object is shown as one that has ended.
    pub(super) async fn has_ended(&mut self, object: usize, path: &Path) -> Result<bool, Halt> {
        Ok(self.read(object, path, &Value::Null).await?.as_ref().is_some_and(is_over))
    }

    /// The state that a clause needs does not come.
    pub(super) fn never_ended(&self) -> Halt {
        Halt::NotTried(format!("what it needs has not ended after {:?}", self.run.options.patience))
    }

    /// Waits until an object has ended; whether it did.
    pub(super) async fn ended(&mut self, object: usize, path: &Path) -> Result<bool, Halt> {
        let mut waits = self.waits();
        loop {
            if self.has_ended(object, path).await? {
                return Ok(true);
            }
            let Some(wait) = waits.next() else { return Ok(false) };
            self.wait(wait).await;
        }
    }

    async fn stop_ends(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        if !self.stop(object, &made.path).await? {
            return Err(ended_too_soon("stopped"));
        }
        if !self.ended(object, &made.path).await? {
            self.differs(Check::Law, format!("it was stopped and has not ended after {:?}", self.run.options.patience));
        }
        Ok(())
    }

    async fn invisible_elsewhere(&mut self, object: usize) -> Result<(), Halt> {
        let Some(op) = self.op else { return Ok(()) };
        let fixture = self.fixture(object, false).await?;
        let body = match self.model().objects[object].update {
            Some(update) if update == op => self.update_body(object).await?.map(|(_, body)| body),
            _ => None,
        };
        let request = Request {
            op,
            path: fixture.path.clone(),
            query: Vec::new(),
            body: body.map_or(Payload::None, Payload::Json),
            identity: Identity::OtherProject,
        };
        let answer = self.send(&request).await?;
        self.check_refusal(op, "an id under another project", Expected::Denied, &answer);
        Ok(())
    }

    /// The documented code of a failure of the clause's operation.
    fn documented_code(&self) -> Option<&'static str> {
        let op = &self.model().operations[self.op?];
        let failures = op.examples.iter().filter(|example| example.parameters.is_none());
        failures.filter_map(|example| example.response?.1["error_code"].as_str()).next()
    }

    async fn name_taken(&mut self, object: usize) -> Result<(), Halt> {
        let op = self.model().objects[object].create;
        let made = self.create(object, |_| {}).await?;
        let answer = self.call(op, &made.path[..made.path.len() - 1], Some(made.request.clone())).await?;
        let expected = self.documented_code().map_or(Expected::Invalid, Expected::Code);
        self.check_refusal(op, "a name that is taken", expected, &answer);
        Ok(())
    }

    async fn state_forbids(&mut self, object: usize) -> Result<(), Halt> {
        let described = &self.model().objects[object];
        let Some(op) = self.op else { return Ok(()) };
        let made = self.create(object, |_| {}).await?;
        let expected = self.documented_code().map_or(Expected::Invalid, Expected::Code);
        if described.stop == Some(op) {
            // What has ended cannot be stopped.
            self.stop(object, &made.path).await?;
            if !self.ended(object, &made.path).await? {
                return Err(self.never_ended());
            }
        } else if described.delete == Some(op) {
            // What is being stopped cannot be deleted, for as long as it takes.
            self.stop(object, &made.path).await?;
        }
        let answer = self.call(op, &made.path, None).await?;
        if described.delete == Some(op) && answer.is_success() {
            return Err(ended_too_soon("deleted"));
        }
        if described.stop != Some(op) && answer.is_success() {
            // Where another one has ended already, this one had before it was asked for.
            let other = self.create(object, |_| {}).await?;
            if self.has_ended(object, &other.path).await? {
                return Err(ended_too_soon("looked at"));
            }
        }
        self.check_refusal(op, "a state that forbids it", expected, &answer);
        Ok(())
    }

    /// The filter that finds the objects of this attempt by their names, where a list has one.
    fn search(&self, list: usize, text: &str) -> Vec<(String, String)> {
        let op = &self.model().operations[list];
        op.parameter("search_content").map(|_| ("search_content".to_owned(), text.to_owned())).into_iter().collect()
    }

    /// What a list must be asked with to hold an object at all, as the object was created with it.
    fn scope(&self, list: usize, request: &Value) -> Vec<(String, String)> {
        let op = &self.model().operations[list];
        let document = op.document.value();
        let fields = op.items().map(|(_, items)| properties(document, items)).unwrap_or_default();
        let narrows = |name: &str| !fields.iter().any(|(field, _)| *field == name);
        let parameters = op.parameters.iter().filter(|parameter| !parameter.in_path);
        parameters
            .filter(|parameter| parameter.required || narrows(parameter.name))
            .filter_map(|parameter| Some((parameter.name.to_owned(), plain(request.get(parameter.name)?)?)))
            .collect()
    }

    /// One page of a list.
    pub(super) async fn page(
        &mut self,
        list: usize,
        path: &Path,
        filters: &[(String, String)],
    ) -> Result<Vec<Value>, Halt> {
        let answer = self.list(list, path, filters).await?;
        let field = self.model().operations[list].items().map_or("", |(field, _)| field);
        Ok(answer[field].as_array().cloned().unwrap_or_default())
    }

    async fn list(&mut self, list: usize, path: &Path, filters: &[(String, String)]) -> Result<Value, Halt> {
        let op = &self.model().operations[list];
        let mut query: Vec<(String, String)> = Vec::new();
        for parameter in op.parameters.iter().filter(|parameter| parameter.required && !parameter.in_path) {
            let given = self.run.options.given.get(parameter.name).cloned();
            let documented = op.examples.iter().find_map(|example| plain(example.parameters?.get(parameter.name)?));
            query.extend(given.or(documented).map(|value| (parameter.name.to_owned(), value)));
        }
        for (name, value) in filters {
            query.retain(|(known, _)| known != name);
            query.push((name.clone(), value.clone()));
        }
        let request = Request { op: list, path: path.to_vec(), query, body: Payload::None, identity: Identity::Own };
        let answer = self.send(&request).await?;
        self.called(list, &answer)?;
        Ok(answer.json().clone())
    }

    /// The pages of a list, one after the other, until `more` has enough.
    async fn walk(
        &mut self,
        list: usize,
        path: &Path,
        filters: &[(String, String)],
        size: Option<u64>,
        mut more: impl FnMut(Vec<Value>) -> bool + Send,
    ) -> Result<(), Halt> {
        let op = &self.model().operations[list];
        let field = op.items().map_or("", |(field, _)| field);
        let pages = op.pages();
        let Some((parameter, size_parameter)) = pages.parameters() else {
            more(self.page(list, path, filters).await?);
            return Ok(());
        };
        let (first, next_marker) = match pages {
            PageShape::Numbered { first, .. } => (first, None),
            PageShape::Marked { next, .. } => (0, Some(next)),
            PageShape::Whole => (0, None),
        };
        let asked = size.unwrap_or_else(|| {
            let schema = op.parameter(size_parameter).map_or(&Value::Null, |parameter| parameter.schema);
            keyword(op.document.value(), schema, "maximum").and_then(Value::as_u64).unwrap_or(100).min(100)
        });
        let (mut marker, mut markers) = (None::<String>, HashSet::new());
        let mut taken = 0;
        for number in (first..).take(MOST_PAGES) {
            let mut query = filters.to_vec();
            query.push((size_parameter.to_owned(), asked.to_string()));
            if next_marker.is_none() {
                query.push((parameter.to_owned(), number.to_string()));
            }
            query.extend(marker.take().map(|marker| (parameter.to_owned(), marker)));
            let answer = self.list(list, path, &query).await?;
            let items = answer[field].as_array().cloned().unwrap_or_default();
            let count = items.len() as u64;
            if count > asked {
                // What the next page would be is anybody's guess.
                self.differs(Check::Law, format!("a page has {count} items where {asked} were asked for"));
                more(items);
                return Ok(());
            }
            taken += count;
            let wants_more = more(items);
            let total = op.total().and_then(|total| plain(&answer[total])).and_then(|total| total.parse::<u64>().ok());
            let has_more = if let Some(next) = next_marker {
                marker = answer.pointer(next).and_then(plain).filter(|next| !next.is_empty());
                marker.as_ref().is_some_and(|marker| {
                    let is_new = markers.insert(marker.clone());
                    if !is_new {
                        self.differs(Check::Law, "the marker of a page leads back to an earlier page");
                    }
                    is_new
                })
            } else {
                match total {
                    Some(total) if count == 0 && taken < total => {
                        self.differs(Check::Law, format!("the pages hold {taken} of {total}"));
                        return Ok(());
                    }
                    Some(total) => taken < total,
                    None => count >= asked,
                }
            };
            if !wants_more {
                return Ok(());
            }
            if !has_more {
                if let Some(total) = total.filter(|total| *total != taken) {
                    self.differs(Check::Law, format!("the pages hold {taken}, and {total} are counted"));
                }
                return Ok(());
            }
        }
        Err(Halt::NotTried(format!("{} has more than {MOST_PAGES} pages of {asked}", op.id)))
    }

    /// All pages of a list.
    async fn all(
        &mut self,
        list: usize,
        path: &Path,
        filters: &[(String, String)],
        size: Option<u64>,
    ) -> Result<Vec<Vec<Value>>, Halt> {
        let mut pages = Vec::new();
        self.walk(list, path, filters, size, |page| {
            pages.push(page);
            true
        })
        .await?;
        Ok(pages)
    }

    /// The id of an object by its name, for cleaning up.
    pub(super) async fn find_by_name(
        &mut self,
        object: usize,
        path: &Path,
        name: &str,
    ) -> Result<Option<String>, Halt> {
        let model = self.model();
        let Some(list) = self.model().objects[object].list else { return Ok(None) };
        let search = self.search(list, &part_of_name(name));
        let field = self.model().operations[self.model().objects[object].create].name_field().unwrap_or("name");
        let mut found = None;
        self.walk(list, path, &search, None, |items| {
            found =
                items.iter().find(|item| item[field] == name).and_then(|item| item_id(&model.objects[object], item));
            found.is_none()
        })
        .await?;
        let usable = found.map(|id| usable_id(self.model().objects[object].parameter, id)).transpose();
        usable.map_err(|error| Halt::NotTried(error.to_string()))
    }

    async fn list_law(&mut self, law: Law) -> Result<(), Halt> {
        let Some(list) = self.op else { return Ok(()) };
        let object = self.model().objects.iter().position(|object| object.list == Some(list));
        let mut own: Vec<Arc<Fixture>> = Vec::new();
        let mut path = Vec::new();
        for name in self.model().operations[list].path_parameters() {
            if let Some(parent) = self.model().named_by(self.model().operations[list].operation.path, name) {
                path.clone_from(&self.fixture(parent, true).await?.path);
            }
        }
        if let Some(object) = object.filter(|_| !self.run.options.read_only) {
            let create = &self.model().operations[self.model().objects[object].create];
            for index in 0..3 {
                let text = format!("made by {} as {}", self.prefix(), 3 - index);
                let describe = |body: &mut Value| {
                    for (name, value) in body.as_object_mut().into_iter().flatten() {
                        if name.contains("desc") && value.is_string() {
                            *value = text.clone().into();
                        }
                    }
                };
                // A list under a parent shows what the parent has.
                let same_parent = create.operation.path.rsplit_once('/').map(|(path, _)| path)
                    == self.model().operations[list].operation.path.rsplit_once('/').map(|(path, _)| path);
                let made = if same_parent {
                    self.create_in(object, path.clone(), describe).await?
                } else {
                    self.create(object, describe).await?
                };
                own.push(Arc::new(made));
            }
        }
        let mut filters = self.search(list, &self.prefix());
        if own.is_empty() {
            filters.clear();
        }
        filters.extend(own.first().map(|made| self.scope(list, &made.request)).unwrap_or_default());
        match law {
            Law::Pages => self.pages(list, object, &path, &filters, &own).await,
            Law::PageSize => self.page_size(list, &path, &filters, own.len()).await,
            Law::Sort(key) => self.sort(list, object, &path, &filters, &own, key).await,
            Law::Search => self.searches(list, object, &path, &filters, &own).await,
            Law::Filter(name) => self.filter(list, object, &path, &filters, &own, name).await,
            _ => Ok(()),
        }
    }

    async fn pages(
        &mut self,
        list: usize,
        object: Option<usize>,
        path: &Path,
        filters: &[(String, String)],
        own: &[Arc<Fixture>],
    ) -> Result<(), Halt> {
        let model = self.model();
        // Some ten pages, also where others have much.
        let count = self.all(list, path, filters, None).await?.iter().flatten().count() as u64;
        let size = (count / 10).max(2);
        let pages = self.all(list, path, filters, Some(size)).await?;
        let items: Vec<&Value> = pages.iter().flatten().collect();
        for made in own {
            let times = items
                .iter()
                .filter(|item| item_id(&model.objects[made.object], item).as_deref() == Some(made.id()))
                .count();
            if times != 1 {
                self.differs(Check::Law, format!("the pages hold {} {times} times", made.id()));
            }
        }
        let ids: Vec<_> = items
            .iter()
            .filter_map(|item| {
                object.and_then(|object| item_id(&model.objects[object], item)).or_else(|| plain(&item["id"]))
            })
            .collect();
        let mut known = HashSet::new();
        if let Some(twice) = ids.iter().find(|id| !known.insert(*id)) {
            self.differs(Check::Law, format!("the pages hold {twice} twice"));
        }
        if pages.iter().rev().skip(1).any(|page| page.len() as u64 != size) {
            self.differs(Check::Law, "a page before the last one is not full");
        }
        Ok(())
    }

    async fn page_size(
        &mut self,
        list: usize,
        path: &Path,
        filters: &[(String, String)],
        own: usize,
    ) -> Result<(), Halt> {
        let pages = self.model().operations[list].pages();
        let Some((parameter, size)) = pages.parameters() else { return Ok(()) };
        let mut filters = [filters, &[(size.to_owned(), "1".to_owned())]].concat();
        if let PageShape::Numbered { first, .. } = pages {
            filters.push((parameter.to_owned(), first.to_string()));
        }
        let items = self.page(list, path, &filters).await?;
        if items.len() > 1 || (own > 0 && items.is_empty()) {
            self.differs(Check::Law, format!("a page has {} items where one was asked for", items.len()));
        }
        Ok(())
    }

    async fn sort(
        &mut self,
        list: usize,
        object: Option<usize>,
        path: &Path,
        filters: &[(String, String)],
        own: &[Arc<Fixture>],
        key: &'static str,
    ) -> Result<(), Halt> {
        let model = self.model();
        let op = &self.model().operations[list];
        // One family has a parameter for the direction, the other a hyphen before the key.
        let parameter = if op.parameter("sortBy").is_some() { "sortBy" } else { "sort_by" };
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sorted_by = |direction: &str| match (op.parameter("order"), direction) {
            (Some(_), _) => vec![of(parameter, key), of("order", direction)],
            (None, "asc") => vec![of(parameter, key)],
            (None, _) => vec![of(parameter, &format!("-{key}"))],
        };
        for direction in ["asc", "desc"] {
            let query = [filters, &sorted_by(direction)].concat();
            let pages = self.all(list, path, &query, None).await?;
            let mine = |item: &&Value| {
                own.is_empty()
                    || own.iter().any(|made| {
                        item_id(&model.objects[object.unwrap_or_default()], item).as_deref() == Some(made.id())
                    })
            };
            let values: Vec<Value> = pages.iter().flatten().filter(mine).map(|item| item[key].clone()).collect();
            if values.len() < own.len() {
                self.differs(Check::Law, format!("sorted by {key} {direction} the list loses items"));
            }
            let sorted = |case: bool| {
                let mut pairs = values.windows(2).map(|pair| order(&pair[0], &pair[1], case));
                if direction == "desc" { pairs.all(|order| order.is_ge()) } else { pairs.all(|order| order.is_le()) }
            };
            // Whether capitals come first is nowhere said.
            let fits = sorted(true) || sorted(false);
            if !fits {
                self.differs(Check::Law, format!("sorted by {key} {direction} come {}", Value::from(values)));
            }
        }
        Ok(())
    }

    async fn searches(
        &mut self,
        list: usize,
        object: Option<usize>,
        path: &Path,
        filters: &[(String, String)],
        own: &[Arc<Fixture>],
    ) -> Result<(), Halt> {
        let model = self.model();
        let pages = self.all(list, path, filters, None).await?;
        let found: Vec<_> = pages.iter().flatten().filter_map(|item| item_id(&model.objects[object?], item)).collect();
        for made in own.iter().filter(|made| !found.iter().any(|id| id == made.id())) {
            self.differs(Check::Law, format!("the search for a part of its name does not find {}", made.id()));
        }
        if !own.is_empty() && found.len() > own.len() {
            self.differs(Check::Law, "the search finds what does not have the text");
        }
        let nothing = self.page(list, path, &self.search(list, "no-such-name-anywhere")).await?;
        if !nothing.is_empty() {
            self.differs(Check::Law, format!("the search for a name that nothing has finds {}", nothing.len()));
        }
        Ok(())
    }

    async fn filter(
        &mut self,
        list: usize,
        object: Option<usize>,
        path: &Path,
        filters: &[(String, String)],
        own: &[Arc<Fixture>],
        name: &'static str,
    ) -> Result<(), Halt> {
        let model = self.model();
        let id = |item: &Value| {
            object.and_then(|object| item_id(&model.objects[object], item)).or_else(|| item.get("id").and_then(plain))
        };
        let ask = |value: &str| {
            let mut query: Vec<_> = filters.iter().filter(|(known, _)| known != name).cloned().collect();
            query.push((name.to_owned(), value.to_owned()));
            query
        };
        let own = own.first().map(|made| made.id().to_owned());
        let mut before = None;
        let value = loop {
            let all = self.all(list, path, filters, None).await?;
            let mut items = all.iter().flatten();
            let first = items.find(|item| own.is_none() || id(item) == own);
            let Some(first) = first else { return Err(Halt::NotTried("the list has nothing to filter".to_owned())) };
            let Some(value) = first.get(name).and_then(plain) else {
                return Err(Halt::NotTried(format!("what is listed has no `{name}`")));
            };
            let wanted = id(first);
            let pages = self.all(list, path, &ask(&value), None).await?;
            let differs = |item: &&Value| item.get(name).and_then(plain).is_some_and(|other| other != value);
            if let Some(other) = pages.iter().flatten().find(differs) {
                self.differs(Check::Law, format!("the filter {name}={value} gives something with {}", other[name]));
            }
            if pages.iter().flatten().any(|item| id(item) == wanted) {
                break value;
            }
            // A state may have changed between the two requests; if it has not, the filter is wrong.
            if before.as_ref() == Some(&value) {
                self.differs(Check::Law, format!("the filter {name}={value} loses what has the value"));
                break value;
            }
            before = Some(value);
        };
        // A value that it does not have.
        let schema = self.model().operations[list].parameter(name).map_or(&Value::Null, |parameter| parameter.schema);
        let keyword = |name| keyword(self.model().operations[list].document.value(), schema, name);
        let other = match keyword("type").and_then(Value::as_str) {
            Some("boolean") => (value != "true").to_string(),
            _ if value.parse::<i64>().is_ok() => if value == "10" { "1" } else { "10" }.to_owned(),
            _ => "no-such-value".to_owned(),
        };
        let demanded = self.model().operations[list].parameter(name).is_some_and(|parameter| parameter.required);
        if keyword("enum").is_some() || demanded {
            return Ok(());
        }
        let pages = self.all(list, path, &ask(&other), None).await?;
        let differs = |item: &&Value| item.get(name).and_then(plain).is_some_and(|known| known != other);
        if let Some(wrong) = pages.iter().flatten().find(differs) {
            self.differs(Check::Law, format!("the filter {name}={other} gives something with {}", wrong[name]));
        }
        Ok(())
    }
}

/// A text that finds a name where a search takes twenty characters.
fn part_of_name(name: &str) -> String {
    name.chars().take(20).collect()
}

/// The state that a clause is about has passed.
pub(super) fn ended_too_soon(what: &str) -> Halt {
    Halt::NotTried(format!("it had ended before it could be {what}"))
}

/// Whether a job has come to its end: a final status, or the time of its end.
pub(super) fn is_over(shown: &Value) -> bool {
    let status = shown.get("status").and_then(|status| serde_json::from_value::<JobStatus>(status.clone()).ok());
    status.is_some_and(|status| status.is_terminal())
        || shown
            .as_object()
            .into_iter()
            .flatten()
            .any(|(name, value)| is_time(name) && name == "end_time" && !value.is_null())
}

/// Numbers by their size, texts by their characters, with regard to case or without.
fn order(left: &Value, right: &Value, case: bool) -> std::cmp::Ordering {
    let text = |value: &Value| {
        let text = plain(value).unwrap_or_default();
        if case { text } else { text.to_lowercase() }
    };
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => text(left).cmp(&text(right)),
    }
}
