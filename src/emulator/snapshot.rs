//! The whole state as one JSON value, and back; and what a state begins with.

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{OptionalExtension, Transaction, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::store::{self, FORMAT};

/// What a state begins with. It stays with the state, so that a file that goes on begins anew as it began.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Origin {
    /// What the documents' examples name.
    Documented,
    /// Nothing.
    Empty,
    /// What another state was.
    Snapshot(Value),
}

impl Origin {
    /// What a state began with; nothing if it has yet to begin, which happens all at once.
    pub(super) fn read(transaction: &Transaction<'_>) -> rusqlite::Result<Option<Self>> {
        let text = transaction.query_row("SELECT value FROM origin", [], |row| row.get::<_, String>(0)).optional()?;
        let parse = |text: String| {
            serde_json::from_str(&text).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
            })
        };
        text.map(parse).transpose()
    }

    pub(super) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction.execute("REPLACE INTO origin VALUES (1, ?1)", [json!(self).to_string()]).map(|_| ())
    }
}

/// Everything that the tables hold.
pub(super) fn dump(transaction: &Transaction<'_>) -> rusqlite::Result<Value> {
    let mut tables = Map::new();
    for table in names(transaction, false)? {
        let mut query = transaction.prepare(&format!("SELECT * FROM {table}"))?;
        let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
        let rows = query.query_map([], |row| {
            let value = |(index, name): (usize, &String)| {
                let value = match row.get_ref(index)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => number.into(),
                    ValueRef::Real(number) => number.into(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                    ValueRef::Blob(bytes) => json!({"hex": hex::encode(bytes)}),
                };
                Ok((name.clone(), value))
            };
            columns.iter().enumerate().map(value).collect::<rusqlite::Result<Map<_, _>>>()
        })?;
        let rows: Vec<Value> = rows.map(|row| row.map(Value::Object)).collect::<rusqlite::Result<_>>()?;
        tables.insert(table, rows.into());
    }
    Ok(json!({"format": FORMAT, "tables": tables}))
}

/// Puts a snapshot in the place of all that is there. One of an older version is brought up to this one.
pub(super) fn load(transaction: &Transaction<'_>, snapshot: &Value) -> Result<(), Refusal> {
    let invalid = |message: String| Refusal::Invalid(format!("The snapshot cannot be loaded: {message}"));
    let format = snapshot["format"].as_u64().ok_or_else(|| invalid("the number `format` is missing".to_owned()))?;
    let known = usize::try_from(format).ok().filter(|format| (1..=FORMAT).contains(format));
    let format = known.ok_or_else(|| {
        let newer = if format == 0 { "" } else { " of a newer version of hwjobs" };
        invalid(format!("it has format {format}{newer}; this one knows 1 to {FORMAT}"))
    })?;
    let tables = snapshot["tables"].as_object().ok_or_else(|| invalid("the object `tables` is missing".to_owned()))?;
    clear(transaction)?;
    store::migrate(transaction, 0, format)?;
    let known = names(transaction, false)?;
    for (table, rows) in tables {
        if !known.contains(table) {
            return Err(invalid(format!("there is no table `{}`", table.escape_debug())));
        }
        let rows = rows.as_array().ok_or_else(|| invalid(format!("`{table}` is no array")))?;
        let columns: Vec<String> =
            transaction.prepare(&format!("SELECT * FROM {table}"))?.column_names().map(str::to_owned).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?;
        for (index, row) in rows.iter().enumerate() {
            let wrong = |message: String| invalid(format!("row {index} of `{table}`: {message}"));
            let row = row.as_object().ok_or_else(|| wrong("it is no object".to_owned()))?;
            if let Some(name) = row.keys().find(|name| !columns.contains(name)) {
                return Err(wrong(format!("there is no column `{}`", name.escape_debug())));
            }
            let values: Vec<Sql> = columns
                .iter()
                .map(|column| sql(row.get(column).unwrap_or(&Value::Null)).ok_or_else(|| wrong(format!("`{column}`"))))
                .collect::<Result<_, _>>()?;
            insert.execute(params_from_iter(values)).map_err(|error| wrong(error.to_string()))?;
        }
    }
    store::migrate(transaction, format, FORMAT)?;
    Ok(())
}

/// Takes everything away and makes the tables anew.
pub(super) fn empty(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    clear(transaction)?;
    store::migrate(transaction, 0, FORMAT)
}

fn clear(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    // Tables may refer to each other.
    transaction.pragma_update(None, "defer_foreign_keys", true)?;
    for table in names(transaction, true)? {
        transaction.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(())
}

/// The tables in the order in which they were made; their names come from this crate. Not among them, unless all are
/// wanted, are the `origin`, and what triggers derive from others: a `tally`, and tables of indexes that are virtual.
fn names(transaction: &Transaction<'_>, all: bool) -> rusqlite::Result<Vec<String>> {
    transaction
        .prepare(
            "SELECT name FROM sqlite_schema JOIN pragma_table_list USING (name)
             WHERE sqlite_schema.type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             AND pragma_table_list.type <> 'shadow'
             AND (?1 OR pragma_table_list.type = 'table' AND name NOT IN ('origin', 'tally'))
             ORDER BY sqlite_schema.rowid",
        )?
        .query_map([all], |row| row.get(0))?
        .collect()
}

/// A value of a row, if it can be one.
fn sql(value: &Value) -> Option<Sql> {
    Some(match value {
        Value::Null => Sql::Null,
        Value::Number(number) => match number.as_i64() {
            Some(number) => Sql::Integer(number),
            None => Sql::Real(number.as_f64()?),
        },
        Value::String(text) => Sql::Text(text.clone()),
        Value::Object(object) => Sql::Blob(hex::decode(object.get("hex")?.as_str()?).ok()?),
        Value::Bool(_) | Value::Array(_) => return None,
    })
}
