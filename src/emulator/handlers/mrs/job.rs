//! MRS job objects.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::job_binary;
use super::objects::{Kind, timestamp};
use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::response::Rejection;
use crate::emulator::store::next_id;

pub(super) const KIND: Kind = Kind {
    table: "job",
    what: "job",
    parameter: "job_id",
    one: "job",
    columns: "id, name, type, description, mains, libs, interface, is_public, is_protected, created, updated",
    sortable: &["name", "type"],
    read,
};

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (mains, libs) = (references(call, "mains")?, references(call, "libs")?);
    let id = next_id(call.transaction)?;
    call.transaction
        .prepare_cached("INSERT INTO job VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)")?
        .execute(params![
            call.project,
            id,
            text(call.body, "name"),
            text(call.body, "type"),
            text(call.body, "description").unwrap_or_default(),
            mains,
            libs,
            call.body.get("interface").map_or_else(|| "[]".to_owned(), Value::to_string),
            call.body["is_public"] == true,
            call.body["is_protected"] == true,
            call.now,
        ])?;
    KIND.outcome(call, &id)
}

/// Applies all eight fields; missing ones do not change.
///
/// The documents say that the current version applies only three of them, but their own example responds with all.
pub(super) fn update(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let given = |field: &str| call.body.get(field).map(|_| references(call, field)).transpose();
    call.transaction
        .prepare_cached(
            "UPDATE job SET name = coalesce(?3, name), type = coalesce(?4, type), description = coalesce(?5, description),
             mains = coalesce(?6, mains), libs = coalesce(?7, libs), interface = coalesce(?8, interface),
             is_public = coalesce(?9, is_public), is_protected = coalesce(?10, is_protected), updated = ?11
             WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![
            call.project,
            call.text(KIND.parameter),
            text(call.body, "name"),
            text(call.body, "type"),
            text(call.body, "description"),
            given("mains")?,
            given("libs")?,
            call.body.get("interface").map(Value::to_string),
            call.body.get("is_public").and_then(Value::as_bool),
            call.body.get("is_protected").and_then(Value::as_bool),
            call.now,
        ])?;
    let mut outcome = KIND.show(call)?;
    // For a binary that was created without `is_protected`, the update prints null and other responses false.
    for field in ["mains", "libs"] {
        let binaries = outcome.body.as_mut().and_then(|body| body["job"][field].as_array_mut());
        for binary in binaries.into_iter().flatten() {
            binary["is_protected"] = call
                .transaction
                .prepare_cached("SELECT is_protected FROM job_binary WHERE project_id = ?1 AND id = ?2")?
                .query_row(params![call.project, text(binary, "id")], |row| row.get::<_, Option<bool>>(0))?
                .into();
        }
    }
    Ok(outcome)
}

/// Reads the ids of `mains` or `libs`, each of an existing job binary.
fn references(call: &Call<'_>, field: &str) -> Result<String, Rejection> {
    let ids = call.body.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for id in ids.iter().filter_map(Value::as_str) {
        job_binary::KIND.must_exist(call, id)?;
    }
    Ok(Value::from(ids).to_string())
}

/// Describes a job binary as a job shows it.
fn binary(call: &Call<'_>, id: &str) -> rusqlite::Result<Option<Value>> {
    call.transaction
        .prepare_cached(
            "SELECT name, url, description, id, is_public, is_protected FROM job_binary WHERE project_id = ?1 AND id = ?2",
        )?
        .query_row([call.project, id], |row| {
            Ok(json!({
                "name": row.get::<_, String>(0)?,
                "url": row.get::<_, String>(1)?,
                "description": row.get::<_, String>(2)?,
                "id": row.get::<_, String>(3)?,
                "tenant_id": call.project,
                "is_public": row.get::<_, bool>(4)?,
                "is_protected": row.get::<_, Option<bool>>(5)?.unwrap_or_default(),
                "extra": null,
            }))
        })
        .optional()
}

fn read(call: &Call<'_>, row: &Row<'_>) -> Result<Value, Rejection> {
    // Requests name job binaries by id, responses show them whole, without those that have been deleted.
    let binaries = |column: &str| -> Result<Vec<Value>, Rejection> {
        let ids: Vec<String> = serde_json::from_str(&row.get::<_, String>(column)?).unwrap_or_default();
        let found: Result<Vec<_>, _> = ids.iter().map(|id| binary(call, id)).collect();
        Ok(found?.into_iter().flatten().collect())
    };
    Ok(json!({
        "name": row.get::<_, String>("name")?,
        "type": row.get::<_, String>("type")?,
        "description": row.get::<_, String>("description")?,
        "mains": binaries("mains")?,
        "libs": binaries("libs")?,
        "created_at": timestamp(row.get("created")?),
        "updated_at": timestamp(row.get("updated")?),
        "id": row.get::<_, String>("id")?,
        "tenant_id": call.project,
        "is_public": row.get::<_, bool>("is_public")?,
        "is_protected": row.get::<_, bool>("is_protected")?,
        "interface": serde_json::from_str(&row.get::<_, String>("interface")?).unwrap_or(Value::Null),
    }))
}
