//! The common operations of MRS objects: show, list and delete.

use rusqlite::types::Value as Key;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use serde_json::{Value, json};

use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::response::Rejection;

/// A kind of object. Its table has the columns `number`, `project_id`, `id` and `updated`.
pub(super) struct Kind {
    pub(super) table: &'static str,
    /// The name of the kind in messages.
    pub(super) what: &'static str,
    /// The path parameter with the id.
    pub(super) parameter: &'static str,
    /// The field of a response that holds one object.
    pub(super) one: &'static str,
    /// The columns that `read` needs, `id` among them.
    pub(super) columns: &'static str,
    /// Sort keys besides `id`, `created_at` and `updated_at`; all of them are columns with an index.
    pub(super) sortable: &'static [&'static str],
    /// Describes an object as responses show it.
    pub(super) read: fn(&Call<'_>, &Row<'_>) -> Result<Value, Rejection>,
}

impl Kind {
    /// Shows the object that the path names.
    pub(super) fn show(&self, call: &Call<'_>) -> Result<Outcome, Rejection> {
        self.outcome(call, call.text(self.parameter))
    }

    /// Shows an object.
    pub(super) fn outcome(&self, call: &Call<'_>, id: &str) -> Result<Outcome, Rejection> {
        let object = self.find(call, id)?.ok_or_else(|| Rejection::unknown(self.what, id))?;
        Ok(json!({self.one: object}).into())
    }

    /// Finds an object of the project, as responses show it.
    pub(super) fn find(&self, call: &Call<'_>, id: &str) -> Result<Option<Value>, Rejection> {
        let Self { table, columns, .. } = self;
        let mut query = call
            .transaction
            .prepare_cached(&format!("SELECT {columns} FROM {table} WHERE project_id = ?1 AND id = ?2"))?;
        let mut rows = query.query([call.project, id])?;
        rows.next()?.map(|row| (self.read)(call, row)).transpose()
    }

    /// Rejects the request if the project does not have an object that it names.
    pub(super) fn must_exist(&self, call: &Call<'_>, id: &str) -> Result<(), Rejection> {
        let query = format!("SELECT 1 FROM {} WHERE project_id = ?1 AND id = ?2", self.table);
        let found = call.transaction.prepare_cached(&query)?.exists([call.project, id])?;
        if found { Ok(()) } else { Err(Rejection::unknown(self.what, id)) }
    }

    /// Deletes the object of the path.
    pub(super) fn delete(&self, call: &Call<'_>) -> Result<Outcome, Rejection> {
        let (table, id) = (self.table, call.text(self.parameter));
        let query = format!("DELETE FROM {table} WHERE project_id = ?1 AND id = ?2");
        let deleted = call.transaction.prepare_cached(&query)?.execute([call.project, id])?;
        if deleted == 0 {
            return Err(Rejection::unknown(self.what, id));
        }
        Ok(Outcome::empty())
    }

    /// Returns the objects after the one that the marker names, in the requested order, at most as many as a page has.
    ///
    /// Equal objects stay in the order of their creation. That is also the order where the request names none.
    pub(super) fn list(&self, call: &Call<'_>) -> Result<Outcome, Rejection> {
        let Self { table, columns, .. } = self;
        let (column, descending) = self.order(call.text("sort_by"));
        let (ahead, back, after, before) =
            if descending { ("DESC", "ASC", "<", ">=") } else { ("ASC", "DESC", ">", "<=") };
        let (marker, limit) = call.marker();
        let marker = marker.map(|id| self.position(call, column, id)).transpose()?;
        // One more row than the page has shows whether there is a next page.
        let mut values = vec![Key::Text(call.project.to_owned()), Key::Integer(limit.map_or(-1, |limit| limit + 1))];
        let mut beyond = String::new();
        if let Some((key, number)) = &marker {
            beyond = format!("AND ({column}, number) {after} (?3, ?4)");
            values.extend([key.clone(), Key::Integer(*number)]);
        }
        let mut query = call.transaction.prepare_cached(&format!(
            "SELECT {columns} FROM {table} WHERE project_id = ?1 {beyond}
             ORDER BY {column} {ahead}, number {ahead} LIMIT ?2"
        ))?;
        let mut rows = query.query(params_from_iter(values))?;
        let (mut objects, mut last, mut next) = (Vec::new(), None, None);
        while let Some(row) = rows.next()? {
            if limit.is_some_and(|limit| objects.len() as i64 == limit) {
                next = last.take();
                break;
            }
            last = Some(row.get::<_, String>("id")?);
            objects.push((self.read)(call, row)?);
        }
        let prev = match (marker, limit) {
            (Some((key, number)), Some(limit)) => call
                .transaction
                .prepare_cached(&format!(
                    "SELECT id FROM {table} WHERE project_id = ?1 AND ({column}, number) {before} (?3, ?4)
                     ORDER BY {column} {back}, number {back} LIMIT 1 OFFSET ?2"
                ))?
                .query_row(params![call.project, limit, key, number], |row| row.get::<_, String>(0))
                .optional()?,
            _ => None,
        };
        let total = objects.len() as i64;
        Ok(call.listed(objects, total, json!({"markers": {"prev": prev, "next": next}})))
    }

    /// Returns the column of a sort key, and whether it descends. An unknown key has no effect.
    fn order(&self, key: &str) -> (&'static str, bool) {
        let (name, descending) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
        match name {
            "id" => ("id", descending),
            "created_at" => ("number", descending),
            "updated_at" => ("updated", descending),
            _ => match self.sortable.iter().find(|column| **column == name) {
                Some(column) => (column, descending),
                None => ("number", false),
            },
        }
    }

    /// Returns the position of an object in an order.
    fn position(&self, call: &Call<'_>, column: &str, id: &str) -> Result<(Key, i64), Rejection> {
        let query = format!("SELECT {column}, number FROM {} WHERE project_id = ?1 AND id = ?2", self.table);
        let position = call
            .transaction
            .prepare_cached(&query)?
            .query_row([call.project, id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        position.ok_or_else(|| Rejection::unknown(self.what, format!("{id} of the parameter marker")))
    }
}

/// Formats milliseconds since the Unix epoch as MRS does: `2017-06-22T12:05:58`, UTC, without a zone.
pub(super) fn timestamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Formats the time of the last change; null before the first one.
pub(super) fn updated(milliseconds: i64) -> Value {
    if milliseconds == 0 { Value::Null } else { timestamp(milliseconds).into() }
}
