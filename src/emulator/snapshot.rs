//! Snapshots: the whole state as one JSON value. The origin of a state.

use std::fmt;

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{OptionalExtension, params_from_iter};
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::response::Rejection;
use super::store::{self, FORMAT, Transaction};
use crate::json;

/// The origin of a state: its content at the start. It is stored, so that a resumed file can be reset to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Origin {
    /// The seed data: objects of the documents' examples.
    Documented,
    /// An empty state.
    Empty,
    /// A snapshot of another state.
    Snapshot(Value),
}

impl Origin {
    /// Reads the origin of a state; `None` for a new one.
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

/// Writes all tables into a snapshot.
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

/// Replaces the state by a snapshot. A snapshot of an older version is migrated.
pub(super) fn load(transaction: &Transaction<'_>, snapshot: &Value) -> Result<(), Rejection> {
    // A snapshot that was written by hand may have `tables` first.
    let parts = ["format", "tables"].into_iter().filter_map(|part| Some((part, snapshot.get(part)?)));
    let parts: MapDeserializer<'_, _, serde_json::Error> = MapDeserializer::new(parts);
    let loaded = Snapshot(transaction).deserialize(parts);
    loaded.map_err(|error| invalid(&error))
}

/// Replaces the state by the text of a snapshot. It is read row by row, because it may be large.
pub(super) fn read(transaction: &Transaction<'_>, text: &[u8]) -> Result<(), Rejection> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let loaded = Snapshot(transaction).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    loaded.map_err(|error| invalid(&error))
}

fn invalid(error: &serde_json::Error) -> Rejection {
    Rejection::Invalid(format!("The snapshot cannot be loaded: {error}"))
}

/// A snapshot that is written into the tables while it is parsed.
struct Snapshot<'a>(&'a Transaction<'a>);

/// The tables of a snapshot.
struct Tables<'a>(&'a Transaction<'a>);

/// The rows of one table.
struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    table: &'a str,
}

/// Deserializes a value with this visitor.
macro_rules! seed {
    ($name:ident, $deserialize:ident) => {
        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.$deserialize(self)
            }
        }
    };
}

seed!(Snapshot, deserialize_map);
seed!(Tables, deserialize_map);
seed!(Rows, deserialize_seq);

impl<'de> Visitor<'de> for Snapshot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `format` and `tables`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        let (mut format, mut done) = (None, false);
        while let Some(part) = parts.next_key::<String>()? {
            match (part.as_str(), format) {
                ("format", None) => {
                    let known = self::format(&parts.next_value()?).map_err(A::Error::custom)?;
                    clear(self.0).and_then(|()| store::migrate(self.0, 0, known)).map_err(A::Error::custom)?;
                    format = Some(known);
                }
                ("tables", Some(_)) if !done => {
                    parts.next_value_seed(Tables(self.0))?;
                    done = true;
                }
                ("tables", None) => return Err(A::Error::custom("the number `format` must stand before `tables`")),
                _ => return Err(A::Error::custom(format_args!("`{}` comes twice or is unknown", part.escape_debug()))),
            }
        }
        match format {
            None => Err(A::Error::custom("the number `format` is missing")),
            Some(_) if !done => Err(A::Error::custom("the object `tables` is missing")),
            Some(format) => store::migrate(self.0, format, FORMAT).map_err(A::Error::custom),
        }
    }
}

/// Reads the format of a snapshot. Fails if it is unknown.
fn format(format: &Value) -> Result<usize, String> {
    let format = format.as_u64().ok_or("the field `format` is no number")?;
    let known = usize::try_from(format).ok().filter(|format| (1..=FORMAT).contains(format));
    known.ok_or_else(|| {
        let newer = if format == 0 { "" } else { " of a newer version of hwjobs" };
        format!("it has format {format}{newer}; this one knows 1 to {FORMAT}")
    })
}

impl<'de> Visitor<'de> for Tables<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut tables: A) -> Result<(), A::Error> {
        let known = names(self.0, false).map_err(A::Error::custom)?;
        while let Some(table) = tables.next_key::<String>()? {
            if !known.contains(&table) {
                return Err(A::Error::custom(format_args!("there is no table `{}`", table.escape_debug())));
            }
            tables.next_value_seed(Rows { transaction: self.0, table: &table })?;
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of the rows of `{}`", self.table)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let Self { transaction, table } = self;
        let query = transaction.prepare(&format!("SELECT * FROM {table}")).map_err(A::Error::custom)?;
        let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let mut insert =
            transaction.prepare(&format!("INSERT INTO {table} VALUES ({marks})")).map_err(A::Error::custom)?;
        let mut index = 0;
        while let Some(row) = rows.next_element_seed(json::Strict)? {
            let wrong = |message: String| A::Error::custom(format_args!("row {index} of `{table}`: {message}"));
            let row = row.as_object().ok_or_else(|| wrong("it is no object".to_owned()))?;
            if let Some(name) = row.keys().find(|name| !columns.contains(name)) {
                return Err(wrong(format!("there is no column `{}`", name.escape_debug())));
            }
            let values: Vec<Sql> = columns
                .iter()
                .map(|column| sql(row.get(column).unwrap_or(&Value::Null)).ok_or_else(|| wrong(format!("`{column}`"))))
                .collect::<Result<_, _>>()?;
            insert.execute(params_from_iter(values)).map_err(|error| wrong(error.to_string()))?;
            index += 1;
        }
        Ok(())
    }
}

/// Deletes everything and creates the tables anew.
pub(super) fn empty(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    clear(transaction)?;
    store::migrate(transaction, 0, FORMAT)
}

fn clear(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    // Tables can refer to each other.
    transaction.pragma_update(None, "defer_foreign_keys", true)?;
    for table in names(transaction, true)? {
        transaction.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(())
}

/// Lists the tables in the order of their creation. Unless `all` is set, `origin` and the tables that triggers derive from
/// others are left out: `tally`, and those of virtual indexes. The names are constants of this crate.
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

/// Converts a JSON value to a value of a row, if that is possible.
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
