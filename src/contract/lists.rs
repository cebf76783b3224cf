//! Walks lists, page by page.

use std::collections::HashSet;

use serde_json::Value;

use super::attempt::Attempt;
use super::clause::{Caller, Payload};
use super::compare::plain;
use super::exchange::Call;
use super::ids::{item_id, usable_id};
use super::run::{Halt, Path};
use super::schema::{keyword, properties};
use super::verdict::Check;
use crate::spec::PageShape;

/// A list with more pages counts as endless.
const MOST_PAGES: usize = 500;
/// A list with more empty pages in a row counts as endless.
const MOST_EMPTY_PAGES: usize = 20;

impl Attempt<'_> {
    /// Returns the filter that finds the objects of this attempt by their names, where a list has one.
    pub(super) fn search(&self, list: usize, text: &str) -> Vec<(String, String)> {
        let op = &self.model().operations[list];
        op.parameter("search_content").map(|_| ("search_content".to_owned(), text.to_owned())).into_iter().collect()
    }

    /// Returns the parameters without which a list does not have an object, with the values of its creation.
    pub(super) fn scope(&self, list: usize, request: &Value) -> Vec<(String, String)> {
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

    /// Reads one page of a list.
    pub(super) async fn page(
        &mut self,
        list: usize,
        path: &Path,
        filters: &[(String, String)],
    ) -> Result<Vec<Value>, Halt> {
        let reply = self.list(list, path, filters).await?;
        let field = self.model().operations[list].items().map_or("", |(field, _)| field);
        Ok(reply[field].as_array().cloned().unwrap_or_default())
    }

    pub(super) async fn list(&mut self, list: usize, path: &Path, filters: &[(String, String)]) -> Result<Value, Halt> {
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
        let request = Call { op: list, path: path.to_vec(), query, body: Payload::None, caller: Caller::Own };
        let reply = self.send(&request).await?;
        self.called(list, &reply)?;
        Ok(reply.json().clone())
    }

    /// Reads the pages of a list, one after the other, until `more` returns false.
    pub(super) async fn walk(
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
        let (mut taken, mut empty) = (0, 0);
        for number in (first..).take(MOST_PAGES) {
            let mut query = filters.to_vec();
            query.push((size_parameter.to_owned(), asked.to_string()));
            if next_marker.is_none() {
                query.push((parameter.to_owned(), number.to_string()));
            }
            query.extend(marker.take().map(|marker| (parameter.to_owned(), marker)));
            let reply = self.list(list, path, &query).await?;
            let items = reply[field].as_array().cloned().unwrap_or_default();
            let count = items.len() as u64;
            if count > asked {
                // Where the next page begins is not known.
                self.differs(Check::Property, format!("a page has {count} items where {asked} were asked for"));
                more(items);
                return Ok(());
            }
            taken += count;
            empty = if count == 0 { empty + 1 } else { 0 };
            if empty > MOST_EMPTY_PAGES {
                return Err(Halt::NotTried(format!("{} has more than {MOST_EMPTY_PAGES} empty pages in a row", op.id)));
            }
            let wants_more = more(items);
            let total = op.total().and_then(|total| plain(&reply[total])).and_then(|total| total.parse::<u64>().ok());
            let has_more = if let Some(next) = next_marker {
                marker = reply.pointer(next).and_then(plain).filter(|next| !next.is_empty());
                marker.as_ref().is_some_and(|marker| {
                    let is_new = markers.insert(marker.clone());
                    if !is_new {
                        self.differs(Check::Property, "the marker of a page leads back to an earlier page");
                    }
                    is_new
                })
            } else {
                match total {
                    Some(total) if count == 0 && taken < total => {
                        self.differs(Check::Property, format!("the pages hold {taken} of {total}"));
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
                    self.differs(Check::Property, format!("the pages hold {taken}, and {total} are counted"));
                }
                return Ok(());
            }
        }
        Err(Halt::NotTried(format!("{} has more than {MOST_PAGES} pages of {asked}", op.id)))
    }

    /// Reads all pages of a list.
    pub(super) async fn all(
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

    /// Finds the id of an object by its name, for the clean-up.
    pub(super) async fn find_by_name(
        &mut self,
        object: usize,
        path: &Path,
        name: &str,
    ) -> Result<Option<String>, Halt> {
        let described = &self.model().objects[object];
        let Some(list) = described.list else { return Ok(None) };
        let search = self.search(list, &part_of_name(name));
        let field = self.model().operations[described.create].name_field().unwrap_or("name");
        let mut found = None;
        self.walk(list, path, &search, None, |items| {
            found = items.iter().find(|item| item[field] == name).and_then(|item| item_id(described, item));
            found.is_none()
        })
        .await?;
        let usable = found.map(|id| usable_id(described.parameter, id)).transpose();
        usable.map_err(|error| Halt::NotTried(error.to_string()))
    }
}

/// Returns as much of a name as a search accepts: twenty characters.
pub(super) fn part_of_name(name: &str) -> String {
    name.chars().take(20).collect()
}
