//! MRS job objects.

use http::StatusCode;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::emulator::answer::Refusal;
use crate::emulator::check::text;
use crate::emulator::handlers::{Answer, Call};
use crate::emulator::store::next_id;

const COLUMNS: &str = "id, name, type, description, mains, libs, interface, is_public, is_protected, created, updated";

pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    let kind = text(call.body, "type").unwrap_or_default();
    let (mains, libs) = (references(call, "mains")?, references(call, "libs")?);
    // Documented for these types, with codes of their own.
    if matches!(kind, "Hive" | "SparkScript") && mains == "[]" {
        return Err(Refusal::Rule { status: StatusCode::BAD_REQUEST, code: "12000068" });
    }
    if matches!(kind, "MapReduce" | "Spark") && libs == "[]" {
        return Err(Refusal::Rule { status: StatusCode::BAD_REQUEST, code: "12000069" });
    }
    let (id, created) = (next_id(call.transaction)?, timestamp(call.now));
    call.transaction
        .prepare_cached("INSERT INTO job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)")?
        .execute(params![
            call.project,
            id,
            text(call.body, "name"),
            kind,
            text(call.body, "description").unwrap_or_default(),
            mains,
            libs,
            call.body.get("interface").map_or_else(|| "[]".to_owned(), Value::to_string),
            call.body["is_public"] == true,
            call.body["is_protected"] == true,
            created,
        ])?;
    Ok(json!({"job": read(call, &id)?}).into())
}

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Refusal> {
    Ok(json!({"job": read(call, call.text("job_id"))?}).into())
}

/// Applies all eight fields; those that are absent stay.
///
/// The documents say that the current version applies only three of them, but their own example answers with all.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.text("job_id");
    let given = |field: &str| call.body.get(field).map(|_| references(call, field)).transpose();
    let changed = call
        .transaction
        .prepare_cached(
            "UPDATE job SET name = coalesce(?3, name), type = coalesce(?4, type), description = coalesce(?5, description),
             mains = coalesce(?6, mains), libs = coalesce(?7, libs), interface = coalesce(?8, interface),
             is_public = coalesce(?9, is_public), is_protected = coalesce(?10, is_protected), updated = ?11
             WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![
            call.project,
            id,
            text(call.body, "name"),
            text(call.body, "type"),
            text(call.body, "description"),
            given("mains")?,
            given("libs")?,
            call.body.get("interface").map(Value::to_string),
            call.body.get("is_public").and_then(Value::as_bool),
            call.body.get("is_protected").and_then(Value::as_bool),
            timestamp(call.now),
        ])?;
    if changed == 0 {
        return Err(Refusal::unknown("job", id));
    }
    show(call)
}

/// The ids of a request's `mains` or `libs`, each of a job binary that exists.
fn references(call: &Call<'_>, field: &str) -> Result<String, Refusal> {
    let ids = call.body.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for id in ids.iter().filter_map(Value::as_str) {
        if binary(call, id)?.is_none() {
            return Err(Refusal::Invalid(format!(
                "The field {field} names the job binary {id}, which does not exist."
            )));
        }
    }
    Ok(Value::from(ids).to_string())
}

fn binary(call: &Call<'_>, id: &str) -> Result<Option<Value>, Refusal> {
    let row = call
        .transaction
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
                "is_public": row.get::<_, Option<bool>>(4)?,
                "is_protected": row.get::<_, Option<bool>>(5)?,
                "extra": null,
            }))
        });
    Ok(row.optional()?)
}

fn read(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let job = |row: &Row<'_>| {
        Ok(json!({
            "name": row.get::<_, String>(1)?,
            "type": row.get::<_, String>(2)?,
            "description": row.get::<_, String>(3)?,
            "mains": serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or(Value::Null),
            "libs": serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or(Value::Null),
            "created_at": row.get::<_, String>(9)?,
            "updated_at": row.get::<_, String>(10)?,
            "id": row.get::<_, String>(0)?,
            "tenant_id": call.project,
            "is_public": row.get::<_, bool>(7)?,
            "is_protected": row.get::<_, bool>(8)?,
            "interface": serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or(Value::Null),
        }))
    };
    let found = call
        .transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM job WHERE project_id = ?1 AND id = ?2"))?
        .query_row([call.project, id], job)
        .optional()?;
    let mut job = found.ok_or_else(|| Refusal::unknown("job", id))?;
    // Requests name job binaries by id, answers show them whole.
    for field in ["mains", "libs"] {
        for reference in job[field].as_array_mut().into_iter().flatten() {
            if let Some(whole) = binary(call, reference.as_str().unwrap_or_default())? {
                *reference = whole;
            }
        }
    }
    Ok(job)
}

/// Milliseconds since the Unix epoch in the form of MRS: `2017-06-22T12:05:58`, UTC, without a zone.
fn timestamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
