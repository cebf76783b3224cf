//! Tests properties of objects: what holds between several requests.

use serde_json::{Value, json};

use super::attempt::Attempt;
use super::clause::{Caller, Expected, Payload, Property};
use super::compare::{changed, same};
use super::exchange::Call;
use super::generate::bodies;
use super::ids::{item_id, unwrapped};
use super::model::unsupported;
use super::read::ended_too_soon;
use super::run::Halt;
use super::schema::properties;
use super::verdict::Check;
use crate::shape::Phase;

impl Attempt<'_> {
    pub(super) async fn property(&mut self, property: Property) -> Result<(), Halt> {
        match property {
            Property::CreateReadsBack(object) => self.create_reads_back(object).await,
            Property::CreateIsDistinct(object) => self.create_is_distinct(object).await,
            Property::UpdateReadsBack(object) => self.update_reads_back(object).await,
            Property::UpdateIsIdempotent(object) => self.update_is_idempotent(object).await,
            Property::UpdateLeavesRest(object) => self.update_leaves_rest(object).await,
            Property::UpdateLeavesOthers(object) => self.update_leaves_others(object).await,
            Property::Listed(object) => self.listed(object).await,
            Property::Forgotten(object) => self.forgotten(object).await,
            Property::StopEnds(object) => self.stop_ends(object).await,
            Property::InvisibleElsewhere(object) => self.invisible_elsewhere(object).await,
            Property::NameTaken(object) => self.name_taken(object).await,
            Property::StateForbids(object) => self.state_forbids(object).await,
            Property::Pages | Property::PageSize | Property::Sort(_) | Property::Search | Property::Filter(_) => {
                self.list_property(property).await
            }
        }
    }

    /// Records where an object does not show what a request set.
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
                Some(shown) => self.differs(Check::Property, format!("`{name}` was set to {value} and is {shown}")),
                None if *value == "" => {}
                None => self.differs(Check::Property, format!("`{name}` was set to {value} and is missing")),
            }
        }
    }

    /// Returns the schema of an object as the endpoint shows it.
    fn form(&self, object: usize) -> &'static Value {
        let described = &self.model().objects[object];
        let Some(read) = described.show.or(described.list) else { return &Value::Null };
        let op = &self.model().operations[read];
        let document = op.document.value();
        if described.show.is_none() {
            return op.items().map_or(&Value::Null, |(_, items)| items);
        }
        let schema = op.response_schema(op.success).unwrap_or(&Value::Null);
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
            self.differs(Check::Property, format!("two objects have the id {}", one.id()));
        }
        Ok(())
    }

    /// Returns an update as in the first example, with a new text.
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
        let reply = self.call(op, &made.path, Some(body.clone())).await?;
        self.called(op, &reply)?;
        // Some responses show the object after the update.
        let own = unwrapped(reply.json());
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
            let reply = self.call(op, &made.path, Some(body.clone())).await?;
            self.called(op, &reply)?;
            states.push((unwrapped(reply.json()).clone(), self.must_read(&made).await?));
        }
        for name in changed(&states[0].1, &states[1].1) {
            self.differs(Check::Property, format!("the same update again changes `{name}`"));
        }
        for name in changed(&states[0].0, &states[1].0) {
            self.differs(Check::Property, format!("the same update again returns another `{name}`"));
        }
        Ok(())
    }

    async fn update_leaves_others(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        let other = self.create(object, |_| {}).await?;
        let before = self.must_read(&other).await?;
        let Some((op, body)) = self.update_body(object).await? else { return Ok(()) };
        let reply = self.call(op, &made.path, Some(body)).await?;
        self.called(op, &reply)?;
        let after = self.must_read(&other).await?;
        for name in changed(&before, &after) {
            self.differs(Check::Property, format!("the update of one object changes `{name}` of another"));
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
            let reply = self.call(op, &made.path, Some(json!({name: value}))).await?;
            self.called(op, &reply)?;
            let after = self.must_read(&made).await?;
            for other in changed(&before, &after).into_iter().filter(|other| other != name) {
                self.differs(Check::Property, format!("an update of `{name}` alone changes `{other}`"));
            }
            if !same(value, &after[name]) {
                self.differs(Check::Property, format!("`{name}` was set to {value} and is {}", after[name]));
            }
            before = after;
        }
        Ok(())
    }

    async fn listed(&mut self, object: usize) -> Result<(), Halt> {
        let described = &self.model().objects[object];
        let Some(list) = described.list else { return Ok(()) };
        let made = self.create(object, |_| {}).await?;
        let filters = [self.search(list, &self.prefix()), self.scope(list, &made.request)].concat();
        let mut found = Vec::new();
        self.walk(list, &made.path[..made.path.len() - 1], &filters, None, |items| {
            found.extend(items.into_iter().filter(|item| item_id(described, item).as_deref() == Some(made.id())));
            true
        })
        .await?;
        let times = found.len();
        match found.into_iter().next() {
            Some(item) => {
                let op = &self.model().operations[list];
                let form = op.items().map_or(&Value::Null, |(_, items)| items);
                self.holds(described.create, &made.request, &item, form);
                if times > 1 {
                    self.differs(Check::Property, "what was created is listed more than once");
                }
            }
            None => self.differs(Check::Property, format!("{} was created and is not listed", made.id())),
        }
        Ok(())
    }

    async fn forgotten(&mut self, object: usize) -> Result<(), Halt> {
        let described = &self.model().objects[object];
        let Some(delete) = described.delete else { return Ok(()) };
        let made = self.create(object, |_| {}).await?;
        let reply = self.delete_when_possible(object, &made.path).await?;
        if !self.check_success(delete, &reply) {
            return Ok(());
        }
        if let Some(show) = described.show {
            let reply = self.call(show, &made.path, None).await?;
            self.check_rejection(show, "what was deleted", Expected::Unknown, &reply);
        }
        if described.list.is_some() && self.find(object, &made.path, &self.prefix(), &made.request).await?.is_some() {
            self.differs(Check::Property, "what was deleted is still listed");
        }
        if let Some((update, body)) = self.update_body(object).await? {
            let reply = self.call(update, &made.path, Some(body)).await?;
            self.check_rejection(update, "the update of what was deleted", Expected::Unknown, &reply);
        }
        Ok(())
    }

    async fn stop_ends(&mut self, object: usize) -> Result<(), Halt> {
        let made = self.create(object, |_| {}).await?;
        if !self.stop(object, &made.path).await? {
            return Err(ended_too_soon("stopped"));
        }
        match self.ended(object, &made.path).await? {
            // It may have completed by itself, just before or although it was stopped.
            Some(Phase::Succeeded) => return Err(ended_too_soon("stopped")),
            Some(_) => {}
            None => self.differs(
                Check::Property,
                format!("it was stopped and has not ended after {:?}", self.run.options.patience),
            ),
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
        let request = Call {
            op,
            path: fixture.path.clone(),
            query: Vec::new(),
            body: body.map_or(Payload::None, Payload::Json),
            caller: Caller::OtherProject,
        };
        let reply = self.send(&request).await?;
        self.check_rejection(op, "an id under another project", Expected::Denied, &reply);
        Ok(())
    }

    /// Returns the documented code of a failure of the operation under test.
    fn documented_code(&self) -> Option<&'static str> {
        let op = &self.model().operations[self.op?];
        let failures = op.examples.iter().filter(|example| example.parameters.is_none());
        failures.filter_map(|example| example.response?.1["error_code"].as_str()).next()
    }

    async fn name_taken(&mut self, object: usize) -> Result<(), Halt> {
        let op = self.model().objects[object].create;
        let made = self.create(object, |_| {}).await?;
        let reply = self.call(op, &made.path[..made.path.len() - 1], Some(made.request.clone())).await?;
        let expected = self.documented_code().map_or(Expected::Invalid, Expected::Code);
        self.check_rejection(op, "a name that is taken", expected, &reply);
        Ok(())
    }

    async fn state_forbids(&mut self, object: usize) -> Result<(), Halt> {
        let described = &self.model().objects[object];
        let Some(op) = self.op else { return Ok(()) };
        let made = self.create(object, |_| {}).await?;
        let expected = self.documented_code().map_or(Expected::Invalid, Expected::Code);
        if described.stop == Some(op) {
            // A job that has ended cannot be stopped.
            self.stop(object, &made.path).await?;
            if self.ended(object, &made.path).await?.is_none() {
                return Err(self.never_ended());
            }
        } else if described.delete == Some(op) {
            // A job cannot be deleted while it is being stopped.
            self.stop(object, &made.path).await?;
        }
        let reply = self.call(op, &made.path, None).await?;
        if described.delete == Some(op) && reply.is_success() {
            return Err(ended_too_soon("deleted"));
        }
        if described.stop != Some(op) && reply.is_success() {
            // Where another job ends at once, this one had ended before the request too.
            let other = self.create(object, |_| {}).await?;
            if self.has_ended(object, &other.path).await? {
                return Err(ended_too_soon("looked at"));
            }
        }
        self.check_rejection(op, "a state that forbids it", expected, &reply);
        Ok(())
    }
}
