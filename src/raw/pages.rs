//! The pages of lists, one raw call each.

use serde_json::Value;

use super::{Request, Response};
use crate::api::PageShape;
use crate::error::Error;
use crate::paging::{Cursor, Position, Then, Walk};

/// The default number of items on a page, which every list allows.
const PER_PAGE: u32 = 100;

impl Request {
    /// The pages of a list, one call each. An operation without pages has one.
    ///
    /// They begin with the page in the request, otherwise with the first one.
    pub fn pages(self) -> Pages {
        let mut walk = Walk::new(self.operation);
        let given = |parameter: &str| self.parameters.get(parameter);
        match self.operation.list.map(|list| list.pages) {
            Some(PageShape::Numbered { parameter, first, .. }) => {
                if let Some(number) = given(parameter).and_then(|text| text.parse::<u32>().ok()) {
                    walk.begin(Position::Page(number.saturating_sub(first).saturating_add(1)));
                }
            }
            Some(PageShape::Marked { parameter, .. }) => walk.begin(Position::Marker(given(parameter).cloned())),
            Some(PageShape::Whole) | None => {}
        }
        Pages { request: self, walk, failed: false }
    }
}

/// The pages of a list, see [`Request::pages`].
///
/// They follow the rules of [`paging`](crate::paging): each page contains the items that no earlier page had. An error
/// ends them; [`cursor`](Self::cursor) still returns the position to resume from.
#[derive(Debug)]
#[must_use = "nothing is sent before `next`"]
pub struct Pages {
    request: Request,
    walk: Walk,
    failed: bool,
}

impl Pages {
    /// Returns the next page, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// The call failed, or the service repeats pages.
    pub async fn next(&mut self) -> Result<Option<Response>, Error> {
        if self.failed {
            return Ok(None);
        }
        let page = self.page().await;
        self.failed = page.is_err();
        page
    }

    /// Returns the position of the next page, or `None` at the end.
    pub fn cursor(&self) -> Option<Cursor> {
        self.walk.cursor().cloned()
    }

    /// Resumes the pages of the same request. A cursor of another operation is rejected.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.walk.resume(cursor);
        self
    }

    async fn page(&mut self) -> Result<Option<Response>, Error> {
        let Some(at) = self.walk.next()? else { return Ok(None) };
        let operation = self.request.operation;
        let list = operation.list.filter(|list| list.pages != PageShape::Whole);
        let mut request = self.request.clone();
        let mut asked = None;
        match list.map(|list| list.pages) {
            Some(PageShape::Numbered { parameter, size, .. }) => {
                if request.parameters.get(parameter).is_some_and(|text| text.parse::<u32>().is_err()) {
                    return Err(Error::invalid_field(parameter, "is no number of a page").or_operation(operation.id));
                }
                asked = request.parameters.get(size).map_or(Some(PER_PAGE), |text| text.parse().ok());
                request = request.param(parameter, at.number(operation)?);
                if !request.parameters.contains_key(size) {
                    request = request.param(size, PER_PAGE);
                }
            }
            Some(PageShape::Marked { parameter, .. }) => {
                if let Some(marker) = at.marker()? {
                    request = request.param(parameter, marker);
                }
            }
            Some(PageShape::Whole) | None => {}
        }
        let mut response = request.send().await?;
        let Some(list) = list else {
            self.walk.take(Vec::new(), Then::Nothing);
            return Ok(Some(response));
        };
        let then = match list.pages {
            PageShape::Marked { next, .. } => {
                Then::Marker(response.body.pointer(next).and_then(Value::as_str).map(str::to_owned))
            }
            _ => Then::Count { total: list.total.and_then(|total| whole(&response.body[total])), size: asked },
        };
        let ids = response.items().iter().map(|item| id_of(item, list.id)).collect();
        let mut new = self.walk.take(ids, then).into_iter();
        if let Some(items) = response.body.get_mut(list.items).and_then(Value::as_array_mut) {
            items.retain(|_| new.next().unwrap_or_default());
        }
        Ok(Some(response))
    }
}

/// Returns the identity of an item: its id, or the whole item without one.
fn id_of(item: &Value, id: Option<&str>) -> String {
    match id.map(|id| &item[id]) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => number.to_string(),
        _ => item.to_string(),
    }
}

/// Parses a count, which some responses print as a string.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
