//! Visualization jobs.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::emulator::answer::Refusal;
use crate::emulator::check::text;
use crate::emulator::handlers::{Answer, Call, anywhere};
use crate::emulator::store::{next, next_id, taken};

const COLUMNS: &str = "id, name, description, train_url, status, created, duration, resource_id";
/// State of a job that has just been created.
const INITIALIZING: i64 = 1;

pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    let name = text(call.body, "job_name").unwrap_or_default();
    if taken(call.transaction, "visualization_job", call.project, name)? {
        return Err(Refusal::Taken(name.to_owned()));
    }
    let (id, created) = (next(call.transaction, "visualization_job")?, call.now);
    call.transaction
        .prepare_cached("INSERT INTO visualization_job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)")?
        .execute(params![
            call.project,
            id,
            name,
            text(call.body, "job_desc").unwrap_or_default(),
            text(call.body, "train_url"),
            INITIALIZING,
            created,
            next_id(call.transaction)?,
        ])?;
    // The documents' answer prints its numbers as text.
    Ok(json!({
        "is_success": true,
        "job_id": id.to_string(),
        "job_name": name,
        "status": INITIALIZING.to_string(),
        "create_time": created.to_string(),
    })
    .into())
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let order = call.order(
        "sortBy",
        "job_id",
        &[
            ("job_id", "id"),
            ("job_name", "name"),
            ("job_desc", "description"),
            ("create_time", "created"),
            ("status", "status"),
        ],
    );
    let per_page = call.number_or("per_page", 10);
    let status = call.parameters.get("status").and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
    let search = anywhere(call.text("search_content"));
    let from =
        "FROM visualization_job WHERE project_id = ?1 AND name LIKE ?2 ESCAPE '\\' AND (?3 IS NULL OR status = ?3)";
    let total: i64 = call
        .transaction
        .prepare_cached(&format!("SELECT count(*) {from}"))?
        .query_row(params![call.project, search, status], |row| row.get(0))?;
    let jobs = call
        .transaction
        .prepare_cached(&format!("SELECT {COLUMNS} {from} {order} LIMIT ?4 OFFSET ?5"))?
        .query_map(params![call.project, search, status, per_page, (call.number_or("page", 1) - 1) * per_page], job)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({
        "quotas": 100,
        "is_success": true,
        "job_total_count": total,
        "job_count_limit": (100 - total).max(0),
        "jobs": jobs,
    })
    .into())
}

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Refusal> {
    let found = call
        .transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM visualization_job WHERE project_id = ?1 AND id = ?2"))?
        .query_row(params![call.project, id(call)?], job)
        .optional()?;
    let mut job = found.ok_or_else(|| unknown(call))?;
    job["is_success"] = json!(true);
    Ok(job.into())
}

pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refusal> {
    let changed = call
        .transaction
        .prepare_cached("UPDATE visualization_job SET description = ?3 WHERE project_id = ?1 AND id = ?2")?
        .execute(params![call.project, id(call)?, text(call.body, "job_desc")])?;
    if changed == 0 {
        return Err(unknown(call));
    }
    Ok(json!({"is_success": true}).into())
}

/// The path takes any text, the ids that exist are numbers.
fn id(call: &Call<'_>) -> Result<i64, Refusal> {
    call.text("job_id").parse().map_err(|_| unknown(call))
}

fn unknown(call: &Call<'_>) -> Refusal {
    Refusal::unknown("visualization job", call.text("job_id"))
}

fn job(row: &Row<'_>) -> rusqlite::Result<Value> {
    let id: i64 = row.get(0)?;
    Ok(json!({
        "job_id": id,
        "job_name": row.get::<_, String>(1)?,
        "status": row.get::<_, i64>(4)?,
        "create_time": row.get::<_, i64>(5)?,
        "resource_id": row.get::<_, String>(7)?,
        "duration": row.get::<_, i64>(6)?,
        "job_desc": row.get::<_, String>(2)?,
        "service_url": format!("https://console.huaweicloud.com/modelarts/tensorboard/{id}"),
        "train_url": row.get::<_, String>(3)?,
    }))
}
