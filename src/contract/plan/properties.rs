//! Derives clauses for properties: what holds between several requests.

use serde_json::Value;

use super::Planner;
use crate::contract::clause::{Case, Kind, Property};
use crate::contract::schema::properties;
use crate::spec::{PageShape, load};

impl Planner {
    pub(super) fn properties(&mut self, op: usize) {
        let described = &self.model.operations[op];
        let objects = &self.model.objects;
        for (index, object) in objects.iter().enumerate() {
            let readable = object.show.is_some() || object.list.is_some();
            let property = |planner: &mut Self, name: &str, summary: &str, property: Property| {
                planner.add(op, Kind::Property, name, summary.to_owned(), Case::Property(property));
            };
            if object.create == op {
                property(
                    self,
                    "distinct",
                    "Each creation makes an object of its own.",
                    Property::CreateIsDistinct(index),
                );
                if readable && described.body.is_some() {
                    property(self, "reads-back", "What was created reads back.", Property::CreateReadsBack(index));
                }
            }
            if object.update == Some(op) && readable {
                property(self, "reads-back", "What was updated reads back.", Property::UpdateReadsBack(index));
                property(
                    self,
                    "idempotent",
                    "The same update twice is the update once.",
                    Property::UpdateIsIdempotent(index),
                );
                property(
                    self,
                    "leaves-others",
                    "An update changes its own object only.",
                    Property::UpdateLeavesOthers(index),
                );
                if described.operation.method == "patch" {
                    property(
                        self,
                        "leaves-rest",
                        "What an update leaves out stays.",
                        Property::UpdateLeavesRest(index),
                    );
                }
            }
            if object.list == Some(op) {
                property(self, "contains-created", "What was created is listed.", Property::Listed(index));
            }
            if object.delete == Some(op) {
                property(self, "forgets", "What was deleted is unknown.", Property::Forgotten(index));
            }
            if object.stop == Some(op) {
                property(self, "ends", "What was stopped ends.", Property::StopEnds(index));
            }
            if object.show == Some(op) || (object.show.is_none() && object.update == Some(op)) {
                let summary = "An id means nothing in another project.";
                property(self, "invisible-elsewhere", summary, Property::InvisibleElsewhere(index));
            }
        }
        let Some((_, items)) = described.items() else { return };
        let document = described.document.value();
        let fields = properties(document, items);
        let known = |name: &str| fields.iter().any(|(field, _)| *field == name);
        if described.pages() != PageShape::Whole {
            let summary = "The pages hold everything exactly once.".to_owned();
            self.add(op, Kind::Property, "pages", summary, Case::Property(Property::Pages));
            let summary = "A page holds no more items than the request asks for.".to_owned();
            self.add(op, Kind::Property, "page-size", summary, Case::Property(Property::PageSize));
        }
        for parameter in described.parameters.iter().filter(|parameter| !parameter.in_path) {
            match parameter.name {
                "sortBy" | "sort_by" => {
                    let documented =
                        described.examples.iter().filter_map(|example| example.parameters?.get(parameter.name));
                    let keys: Vec<&'static str> = match load::resolve(document, parameter.schema)["enum"].as_array() {
                        Some(keys) => keys.iter().filter_map(Value::as_str).collect(),
                        None => documented.filter_map(Value::as_str).collect(),
                    };
                    for key in keys.into_iter().filter(|key| known(key)) {
                        let summary = format!("Sorting by `{key}` holds in both directions.");
                        let name = format!("sort.{key}");
                        if !self
                            .clauses
                            .iter()
                            .any(|clause| clause.op == op && clause.id.ends_with(&format!(".property.{name}")))
                        {
                            self.add(op, Kind::Property, &name, summary, Case::Property(Property::Sort(key)));
                        }
                    }
                }
                "search_content" => {
                    let summary = "A search finds what has the text and nothing else.".to_owned();
                    self.add(op, Kind::Property, "search", summary, Case::Property(Property::Search));
                }
                name if known(name) => {
                    let summary = format!("The filter `{name}` returns what has the value and nothing else.");
                    self.add(
                        op,
                        Kind::Property,
                        &format!("filter.{name}"),
                        summary,
                        Case::Property(Property::Filter(name)),
                    );
                }
                _ => {}
            }
        }
    }
}
