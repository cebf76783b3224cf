//! Tests properties of lists: pages, order, searches and filters.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::attempt::Attempt;
use super::clause::Property;
use super::compare::{is_time, plain};
use super::ids::item_id;
use super::model::Object;
use super::run::{Fixture, Halt};
use super::schema::keyword;
use super::verdict::Check;
use crate::spec::PageShape;

/// How far apart objects are created that a list must sort by time.
const TIME_STEP: Duration = Duration::from_millis(1100);

/// A list under test.
struct Listing {
    /// The place of its operation.
    list: usize,
    kind: Option<&'static Object>,
    path: Vec<(&'static str, String)>,
    /// The parameters that limit the list to the objects of this test.
    filters: Vec<(String, String)>,
    /// The objects that the test created, which the list must hold.
    own: Vec<Arc<Fixture>>,
}

impl Listing {
    fn id(&self, item: &Value) -> Option<String> {
        self.kind.and_then(|kind| item_id(kind, item)).or_else(|| plain(&item["id"]))
    }
}

impl Attempt<'_> {
    pub(super) async fn list_property(&mut self, property: Property) -> Result<(), Halt> {
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
                // Times are shown in seconds: objects of one second have no order.
                if matches!(property, Property::Sort(key) if is_time(key)) && index > 0 {
                    self.wait(TIME_STEP).await;
                }
                let text = format!("made by {} as {}", self.prefix(), 3 - index);
                let describe = |body: &mut Value| {
                    for (name, value) in body.as_object_mut().into_iter().flatten() {
                        if name.contains("desc") && value.is_string() {
                            *value = text.clone().into();
                        }
                    }
                };
                // A list under a parent has the objects of that parent only.
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
        let kind = object.map(|object| &self.model().objects[object]);
        let listing = Listing { list, kind, path, filters, own };
        match property {
            Property::Pages => self.pages(&listing).await,
            Property::PageSize => self.page_size(&listing).await,
            Property::Sort(key) => self.sort(&listing, key).await,
            Property::Search => self.searches(&listing).await,
            Property::Filter(name) => self.filter(&listing, name).await,
            _ => Ok(()),
        }
    }

    async fn pages(&mut self, listing: &Listing) -> Result<(), Halt> {
        let Listing { list, path, filters, own, .. } = listing;
        // About ten pages, also where others have many objects.
        let count = self.all(*list, path, filters, None).await?.iter().flatten().count() as u64;
        let size = (count / 10).max(2);
        let pages = self.all(*list, path, filters, Some(size)).await?;
        let items: Vec<&Value> = pages.iter().flatten().collect();
        for made in own {
            let is_it = |item: &&&Value| listing.id(item).as_deref() == Some(made.id());
            let times = items.iter().filter(is_it).count();
            if times != 1 {
                self.differs(Check::Property, format!("the pages hold {} {times} times", made.id()));
            }
        }
        let ids: Vec<_> = items.iter().filter_map(|item| listing.id(item)).collect();
        let mut known = HashSet::new();
        if let Some(twice) = ids.iter().find(|id| !known.insert(*id)) {
            self.differs(Check::Property, format!("the pages hold {twice} twice"));
        }
        if pages.iter().rev().skip(1).any(|page| page.len() as u64 != size) {
            self.differs(Check::Property, "a page before the last one is not full");
        }
        Ok(())
    }

    async fn page_size(&mut self, listing: &Listing) -> Result<(), Halt> {
        let Listing { list, path, filters, own, .. } = listing;
        let pages = self.model().operations[*list].pages();
        let Some((parameter, size)) = pages.parameters() else { return Ok(()) };
        let mut filters = [filters.as_slice(), &[(size.to_owned(), "1".to_owned())]].concat();
        if let PageShape::Numbered { first, .. } = pages {
            filters.push((parameter.to_owned(), first.to_string()));
        }
        let items = self.page(*list, path, &filters).await?;
        if items.len() > 1 || (!own.is_empty() && items.is_empty()) {
            self.differs(Check::Property, format!("a page has {} items where one was asked for", items.len()));
        }
        Ok(())
    }

    async fn sort(&mut self, listing: &Listing, key: &'static str) -> Result<(), Halt> {
        let Listing { list, path, filters, own, .. } = listing;
        let op = &self.model().operations[*list];
        // One service has a parameter for the direction, the other a hyphen before the key.
        let parameter = if op.parameter("sortBy").is_some() { "sortBy" } else { "sort_by" };
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sorted_by = |direction: &str| match (op.parameter("order"), direction) {
            (Some(_), _) => vec![of(parameter, key), of("order", direction)],
            (None, "asc") => vec![of(parameter, key)],
            (None, _) => vec![of(parameter, &format!("-{key}"))],
        };
        for direction in ["asc", "desc"] {
            let query = [filters.as_slice(), &sorted_by(direction)].concat();
            let pages = self.all(*list, path, &query, None).await?;
            let mine =
                |item: &&Value| own.is_empty() || own.iter().any(|made| listing.id(item).as_deref() == Some(made.id()));
            let values: Vec<Value> = pages.iter().flatten().filter(mine).map(|item| item[key].clone()).collect();
            if values.len() < own.len() {
                self.differs(Check::Property, format!("sorted by {key} {direction} the list loses items"));
            }
            let sorted = |case: bool| {
                let mut pairs = values.windows(2).map(|pair| order(&pair[0], &pair[1], case));
                if direction == "desc" { pairs.all(|order| order.is_ge()) } else { pairs.all(|order| order.is_le()) }
            };
            // Whether capitals come first is not documented.
            let fits = sorted(true) || sorted(false);
            if !fits {
                self.differs(
                    Check::Property,
                    format!("sorted by {key} {direction} the list has {}", Value::from(values)),
                );
            }
        }
        Ok(())
    }

    async fn searches(&mut self, listing: &Listing) -> Result<(), Halt> {
        let Listing { list, path, filters, own, .. } = listing;
        let pages = self.all(*list, path, filters, None).await?;
        let found: Vec<_> = pages.iter().flatten().filter_map(|item| listing.id(item)).collect();
        for made in own.iter().filter(|made| !found.iter().any(|id| id == made.id())) {
            self.differs(Check::Property, format!("the search for a part of its name does not find {}", made.id()));
        }
        if !own.is_empty() && found.len() > own.len() {
            self.differs(Check::Property, "the search finds what does not have the text");
        }
        let nothing = self.page(*list, path, &self.search(*list, "no-such-name-anywhere")).await?;
        if !nothing.is_empty() {
            self.differs(Check::Property, format!("the search for a name that nothing has finds {}", nothing.len()));
        }
        Ok(())
    }

    async fn filter(&mut self, listing: &Listing, name: &'static str) -> Result<(), Halt> {
        let Listing { list, path, filters, own, .. } = listing;
        let ask = |value: &str| {
            let mut query: Vec<_> = filters.iter().filter(|(known, _)| known != name).cloned().collect();
            query.push((name.to_owned(), value.to_owned()));
            query
        };
        let own = own.first().map(|made| made.id().to_owned());
        let mut before = None;
        let value = loop {
            let all = self.all(*list, path, filters, None).await?;
            let mut items = all.iter().flatten();
            let first = items.find(|item| own.is_none() || listing.id(item) == own);
            let Some(first) = first else { return Err(Halt::NotTried("the list has nothing to filter".to_owned())) };
            let Some(value) = first.get(name).and_then(plain) else {
                return Err(Halt::NotTried(format!("what is listed has no `{name}`")));
            };
            let wanted = listing.id(first);
            let pages = self.all(*list, path, &ask(&value), None).await?;
            let differs = |item: &&Value| item.get(name).and_then(plain).is_some_and(|other| other != value);
            if let Some(other) = pages.iter().flatten().find(differs) {
                self.differs(
                    Check::Property,
                    format!("the filter {name}={value} returns an object with {}", other[name]),
                );
            }
            if pages.iter().flatten().any(|item| listing.id(item) == wanted) {
                break value;
            }
            // A state may have changed between the two requests; if it has not, the filter is wrong.
            if before.as_ref() == Some(&value) {
                self.differs(Check::Property, format!("the filter {name}={value} loses what has the value"));
                break value;
            }
            before = Some(value);
        };
        // A value that the object does not have.
        let schema = self.model().operations[*list].parameter(name).map_or(&Value::Null, |parameter| parameter.schema);
        let keyword = |name| keyword(self.model().operations[*list].document.value(), schema, name);
        let other = match keyword("type").and_then(Value::as_str) {
            Some("boolean") => (value != "true").to_string(),
            _ if value.parse::<i64>().is_ok() => if value == "10" { "1" } else { "10" }.to_owned(),
            _ => "no-such-value".to_owned(),
        };
        let demanded = self.model().operations[*list].parameter(name).is_some_and(|parameter| parameter.required);
        if keyword("enum").is_some() || demanded {
            return Ok(());
        }
        let pages = self.all(*list, path, &ask(&other), None).await?;
        let differs = |item: &&Value| item.get(name).and_then(plain).is_some_and(|known| known != other);
        if let Some(wrong) = pages.iter().flatten().find(differs) {
            self.differs(Check::Property, format!("the filter {name}={other} returns an object with {}", wrong[name]));
        }
        Ok(())
    }
}

/// Orders numbers by size, and texts by their characters with or without regard to case.
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
