//! MRS job binaries.

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::objects::{Kind, timestamp, updated};
use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::response::Rejection;
use crate::emulator::store::next_id;

pub(super) const KIND: Kind = Kind {
    table: "job_binary",
    what: "job binary",
    parameter: "job_binary_id",
    one: "job_binary",
    columns: "id, name, url, description, is_public, is_protected, created, updated",
    sortable: &["name"],
    read,
};

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let id = next_id(call.transaction)?;
    call.transaction
        .prepare_cached("INSERT INTO job_binary VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)")?
        .execute(params![
            call.project,
            id,
            text(call.body, "name"),
            text(call.body, "url"),
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
            "UPDATE job_binary SET name = coalesce(?3, name), url = coalesce(?4, url),
             description = coalesce(?5, description), is_public = coalesce(?6, is_public),
             is_protected = coalesce(?7, is_protected), updated = ?8
             WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![
            call.project,
            call.text(KIND.parameter),
            text(call.body, "name"),
            text(call.body, "url"),
            text(call.body, "description"),
            call.body.get("is_public").and_then(Value::as_bool),
            call.body.get("is_protected").and_then(Value::as_bool),
            call.now,
        ])?;
    KIND.show(call)
}

fn read(call: &Call<'_>, row: &Row<'_>) -> Result<Value, Rejection> {
    Ok(json!({
        "name": row.get::<_, String>("name")?,
        "url": row.get::<_, String>("url")?,
        "description": row.get::<_, String>("description")?,
        "created_at": timestamp(row.get("created")?),
        "updated_at": updated(row.get("updated")?),
        "id": row.get::<_, String>("id")?,
        "tenant_id": call.project,
        "is_public": row.get::<_, bool>("is_public")?,
        "is_protected": row.get::<_, Option<bool>>("is_protected")?.unwrap_or_default(),
    }))
}
