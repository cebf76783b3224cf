//! Labeling jobs.

use rusqlite::{Row, params};
use serde_json::{Map, Value, json};

use crate::emulator::answer::Refusal;
use crate::emulator::check::text;
use crate::emulator::handlers::{Answer, Call, anywhere};
use crate::emulator::store::{next_id, taken};

pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    let name = text(call.body, "name").unwrap_or_default();
    if taken(call.transaction, "labeling_job", call.project, name)? {
        return Err(Refusal::Taken(name.to_owned()));
    }
    let id = next_id(call.transaction)?;
    call.transaction.prepare_cached("INSERT INTO labeling_job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
        params![
            call.project,
            id,
            name,
            text(call.body, "description"),
            text(call.body, "data_type"),
            text(call.body, "path"),
            text(call.body, "filter_id"),
            text(call.body, "type"),
            call.now,
        ],
    )?;
    Ok(json!({"job_id": id}).into())
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let order = call.order("sort_by", "name", &[("name", "name"), ("create_time", "created")]);
    let limit = call.number_or("limit", 10);
    let search = anywhere(call.text("search_content"));
    let from = "FROM labeling_job WHERE project_id = ?1 AND name LIKE ?2 ESCAPE '\\'";
    let total: i64 = call
        .transaction
        .prepare_cached(&format!("SELECT count(*) {from}"))?
        .query_row(params![call.project, search], |row| row.get(0))?;
    // The documents call `offset` the number of the page.
    let jobs = call
        .transaction
        .prepare_cached(&format!(
            "SELECT id, name, description, data_type, path, filter_id, type, created {from} {order} LIMIT ?3 OFFSET ?4"
        ))?
        .query_map(params![call.project, search, limit, call.number_or("offset", 0) * limit], job)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({"job_total_count": total, "manual_annotation_count_limit": (1000 - total).max(0), "jobs": jobs}).into())
}

pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (id, name) = (call.text("job_id"), text(call.body, "name").unwrap_or_default());
    let other: i64 = call
        .transaction
        .prepare_cached("SELECT count(*) FROM labeling_job WHERE project_id = ?1 AND name = ?2 AND id <> ?3")?
        .query_row(params![call.project, name, id], |row| row.get(0))?;
    if other > 0 {
        return Err(Refusal::Taken(name.to_owned()));
    }
    let changed = call
        .transaction
        .prepare_cached(
            "UPDATE labeling_job SET name = ?3, description = coalesce(?4, description) WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![call.project, id, name, text(call.body, "description")])?;
    if changed == 0 {
        return Err(Refusal::unknown("labeling job", id));
    }
    Ok(json!({"job_id": id}).into())
}

fn job(row: &Row<'_>) -> rusqlite::Result<Value> {
    let mut job = Map::new();
    for (index, name) in
        ["id", "name", "description", "data_type", "path", "filter_name", "type"].into_iter().enumerate()
    {
        if let Some(text) = row.get::<_, Option<String>>(index)? {
            job.insert(name.to_owned(), json!(text));
        }
    }
    job.insert("create_time".to_owned(), json!(row.get::<_, i64>(7)?));
    Ok(Value::Object(job))
}
