//! MRS data sources.

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::objects::{Kind, timestamp, updated};
use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::response::Rejection;
use crate::emulator::store::next_id;

pub(super) const KIND: Kind = Kind {
    table: "data_source",
    what: "data source",
    parameter: "data_source_id",
    one: "data_source",
    columns: "id, name, type, url, description, is_public, is_protected, created, updated",
    sortable: &["name", "type"],
    read,
};

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let id = next_id(call.transaction)?;
    call.transaction
        .prepare_cached("INSERT INTO data_source VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)")?
        .execute(params![
            call.project,
            id,
            text(call.body, "name"),
            text(call.body, "url"),
            text(call.body, "type"),
            text(call.body, "description").unwrap_or_default(),
            call.body["is_public"] == true,
            call.body["is_protected"] == true,
            call.now,
        ])?;
    KIND.outcome(call, &id)
}

/// Applies the given fields; missing ones do not change.
pub(super) fn update(call: &Call<'_>) -> Result<Outcome, Rejection> {
    call.transaction
        .prepare_cached(
            "UPDATE data_source SET name = coalesce(?3, name), url = coalesce(?4, url), type = coalesce(?5, type),
             description = coalesce(?6, description), is_public = coalesce(?7, is_public),
             is_protected = coalesce(?8, is_protected), updated = ?9
             WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![
            call.project,
            call.text(KIND.parameter),
            text(call.body, "name"),
            text(call.body, "url"),
            text(call.body, "type"),
            text(call.body, "description"),
            call.body.get("is_public").and_then(Value::as_bool),
            call.body.get("is_protected").and_then(Value::as_bool),
            call.now,
        ])?;
    let outcome = KIND.show(call)?;
    // The schema validates the fields of one request; together with the stored fields they are validated here.
    let source = outcome.body.as_ref().map_or(&Value::Null, |body| &body[KIND.one]);
    let (kind, url) = (text(source, "type").unwrap_or_default(), text(source, "url").unwrap_or_default());
    match kind {
        "hdfs" if !url.starts_with('/') => Err(mismatch(kind, url, "/")),
        "obs" if !url.starts_with("s3a://") => Err(mismatch(kind, url, "s3a://")),
        _ => Ok(outcome),
    }
}

fn mismatch(kind: &str, url: &str, start: &str) -> Rejection {
    Rejection::Invalid(format!(
        "The url of a data source of type {kind} begins with {start}; that of this one is {url}."
    ))
}

fn read(call: &Call<'_>, row: &Row<'_>) -> Result<Value, Rejection> {
    Ok(json!({
        "name": row.get::<_, String>("name")?,
        "type": row.get::<_, String>("type")?,
        "url": row.get::<_, String>("url")?,
        "description": row.get::<_, String>("description")?,
        "created_at": timestamp(row.get("created")?),
        "updated_at": updated(row.get("updated")?),
        "id": row.get::<_, String>("id")?,
        "tenant_id": call.project,
        "is_public": row.get::<_, bool>("is_public")?,
        "is_protected": row.get::<_, bool>("is_protected")?,
    }))
}
