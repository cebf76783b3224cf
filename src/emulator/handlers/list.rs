//! Pages of lists.

use rusqlite::{Row, ToSql};
use serde_json::Value;

use super::call::Call;
use crate::emulator::response::Rejection;

/// A page of a table.
pub(super) struct List<'a> {
    pub(super) columns: &'a str,
    /// The table and its condition.
    pub(super) from: &'a str,
    /// The parameters of the condition.
    pub(super) parameters: &'a [&'a dyn ToSql],
    /// The column to sort by, and the column that orders equal values.
    pub(super) order: [&'a str; 2],
    pub(super) descending: bool,
    pub(super) limit: i64,
    pub(super) offset: i64,
}

impl List<'_> {
    /// Counts the rows of all pages.
    pub(super) fn count(&self, call: &Call<'_>) -> Result<i64, Rejection> {
        let query = format!("SELECT count(*) FROM {}", self.from);
        Ok(call.transaction.prepare_cached(&query)?.query_row(self.parameters, |row| row.get(0))?)
    }

    /// Reads the page, of `total` rows. A page in the second half is read from the end: the last one is as cheap as the first.
    pub(super) fn read(
        &self,
        call: &Call<'_>,
        total: i64,
        item: impl FnMut(&Row<'_>) -> rusqlite::Result<Value>,
    ) -> Result<Vec<Value>, Rejection> {
        let limit = self.limit.min(total.saturating_sub(self.offset));
        if limit <= 0 {
            return Ok(Vec::new());
        }
        let behind = total - self.offset - limit;
        let backwards = behind < self.offset;
        let mut page = self.rows(call, backwards, limit, self.offset.min(behind), item)?;
        if backwards {
            page.reverse();
        }
        Ok(page)
    }

    /// Reads the page of rows that have to be found and sorted first, and the number of rows of all pages. They are found again
    /// to be counted only if the page does not show how many there are.
    pub(super) fn find(
        &self,
        call: &Call<'_>,
        item: impl FnMut(&Row<'_>) -> rusqlite::Result<Value>,
    ) -> Result<(Vec<Value>, i64), Rejection> {
        let page = self.rows(call, false, self.limit, self.offset, item)?;
        let length = page.len() as i64;
        let is_last = length < self.limit && (length > 0 || self.offset == 0);
        let total = if is_last { self.offset + length } else { self.count(call)? };
        Ok((page, total))
    }

    fn rows(
        &self,
        call: &Call<'_>,
        backwards: bool,
        limit: i64,
        offset: i64,
        item: impl FnMut(&Row<'_>) -> rusqlite::Result<Value>,
    ) -> Result<Vec<Value>, Rejection> {
        let direction = if backwards == self.descending { "ASC" } else { "DESC" };
        let [key, tie] = self.order;
        let query = format!(
            "SELECT {} FROM {} ORDER BY {key} {direction}, {tie} {direction} LIMIT ?{} OFFSET ?{}",
            self.columns,
            self.from,
            self.parameters.len() + 1,
            self.parameters.len() + 2,
        );
        let parameters: Vec<&dyn ToSql> = self.parameters.iter().copied().chain([&limit as _, &offset as _]).collect();
        let mut statement = call.transaction.prepare_cached(&query)?;
        Ok(statement.query_map(&*parameters, item)?.collect::<Result<Vec<_>, _>>()?)
    }
}
