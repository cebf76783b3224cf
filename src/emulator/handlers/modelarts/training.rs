//! Training jobs and their versions.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use crate::emulator::answer::Refusal;
use crate::emulator::check::{fields, text};
use crate::emulator::handlers::{Answer, Call, anywhere};
use crate::emulator::store::{next, next_id, taken};

/// State of a job that has just been created.
const INITIALIZING: i64 = 1;

pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    let name = text(call.body, "job_name").unwrap_or_default();
    if taken(call.transaction, "training_job", call.project, name)? {
        return Err(Refusal::Taken(name.to_owned()));
    }
    let (id, created) = (next(call.transaction, "training_job")?, call.now);
    call.transaction.prepare_cached("INSERT INTO training_job VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        call.project,
        id,
        name,
        text(call.body, "job_desc").unwrap_or_default(),
        text(call.body, "workspace_id").unwrap_or("0"),
        created,
    ])?;
    // The documents' answer prints its numbers as text.
    let mut answer = json!({
        "is_success": true,
        "job_id": id.to_string(),
        "job_name": name,
        "status": INITIALIZING.to_string(),
        "create_time": created.to_string(),
    });
    if call.body["config"]["create_version"] != false {
        let (version, version_name, resource) = create_version(call, id, created)?;
        answer["version_id"] = json!(version.to_string());
        answer["version_name"] = json!(version_name);
        answer["resource_id"] = json!(resource);
    }
    Ok(answer.into())
}

fn create_version(call: &Call<'_>, job: i64, created: i64) -> Result<(i64, String, String), Refusal> {
    let version = next(call.transaction, "training_job_version")?;
    let number: i64 = call
        .transaction
        .prepare_cached("SELECT count(*) + 1 FROM training_job_version WHERE project_id = ?1 AND job_id = ?2")?
        .query_row(params![call.project, job], |row| row.get(0))?;
    let name = format!("V{number:04}");
    let id = next_id(call.transaction)?;
    let resource = format!("job{}", &id[..8]);
    call.transaction
        .prepare_cached("INSERT INTO training_job_version VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)")?
        .execute(params![
            call.project,
            job,
            version,
            name,
            INITIALIZING,
            created,
            resource,
            call.body["config"].to_string()
        ])?;
    Ok((version, name, resource))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let order = call.order(
        "sortBy",
        "job_name",
        &[
            ("job_name", "name"),
            ("job_desc", "description"),
            ("create_time", "created"),
            ("status", "status"),
            ("duration", "duration"),
            ("version_count", "versions"),
        ],
    );
    let per_page = call.number_or("per_page", 10);
    let status = call.parameters.get("status").and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
    let from =
        "FROM (SELECT job.*, v.id AS version, v.status, v.duration, v.versions FROM training_job AS job LEFT JOIN
                (SELECT job_id, max(id) AS id, status, duration, count(*) AS versions FROM training_job_version
                 WHERE project_id = ?1 GROUP BY job_id) AS v ON v.job_id = job.id)
                WHERE project_id = ?1 AND name LIKE ?2 ESCAPE '\\' AND (?3 IS NULL OR status = ?3)";
    let search = anywhere(call.text("search_content"));
    let total: i64 = call
        .transaction
        .prepare_cached(&format!("SELECT count(*) {from}"))?
        .query_row(params![call.project, search, status], |row| row.get(0))?;
    let jobs = call
        .transaction
        .prepare_cached(&format!("SELECT id, name, description, created, version, status, duration, versions {from} {order} LIMIT ?4 OFFSET ?5"))?
        .query_map(params![call.project, search, status, per_page, (call.number_or("page", 1) - 1) * per_page], |row| {
            Ok(json!({
                "job_id": row.get::<_, i64>(0)?,
                "job_name": row.get::<_, String>(1)?,
                "version_id": row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
                "status": row.get::<_, Option<i64>>(5)?.unwrap_or_default(),
                "create_time": row.get::<_, i64>(3)?,
                "duration": row.get::<_, Option<i64>>(6)?.unwrap_or_default(),
                "job_desc": row.get::<_, String>(2)?,
                "version_count": row.get::<_, Option<i64>>(7)?.unwrap_or_default(),
            }))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({
        "is_success": true,
        "quotas": 1000,
        "job_total_count": total,
        "job_count_limit": (1000 - total).max(0),
        "jobs": jobs,
    })
    .into())
}

pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.number("job_id");
    let changed = call
        .transaction
        .prepare_cached("UPDATE training_job SET description = ?3 WHERE project_id = ?1 AND id = ?2")?
        .execute(params![call.project, id, text(call.body, "job_desc")])?;
    if changed == 0 {
        return Err(Refusal::unknown("training job", id));
    }
    Ok(json!({"is_success": true}).into())
}

pub(super) fn list_versions(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.number("job_id");
    let job = call
        .transaction
        .prepare_cached("SELECT name, description FROM training_job WHERE project_id = ?1 AND id = ?2")?
        .query_row(params![call.project, id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((name, description)) = job else { return Err(Refusal::unknown("training job", id)) };
    let mut query = call.transaction.prepare_cached(
        "SELECT id, name, status, created, duration, resource_id, config,
                lag(id) OVER (ORDER BY id), count(*) OVER ()
         FROM training_job_version WHERE project_id = ?1 AND job_id = ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?4",
    )?;
    let per_page = call.number_or("per_page", 10);
    // Page 0, the default, is the whole list.
    let (limit, offset) = match call.number_or("page", 0) {
        0 => (-1, 0),
        page => (per_page, (page - 1) * per_page),
    };
    let rows =
        query.query_map(params![call.project, id, limit, offset], |row| Ok((version(row)?, row.get::<_, i64>(8)?)))?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let count = rows.first().map_or(0, |(_, count)| *count);
    Ok(json!({
        "is_success": true,
        "job_id": id,
        "job_name": name,
        "job_desc": description,
        "version_count": count,
        "versions": rows.into_iter().map(|(version, _)| version).collect::<Vec<_>>(),
    })
    .into())
}

/// A version as the list shows it: its own facts, then what it was configured with.
fn version(row: &Row<'_>) -> rusqlite::Result<Value> {
    let mut version = Map::new();
    version.insert("version_id".to_owned(), json!(row.get::<_, i64>(0)?));
    version.insert("version_name".to_owned(), json!(row.get::<_, String>(1)?));
    if let Some(previous) = row.get::<_, Option<i64>>(7)? {
        version.insert("pre_version_id".to_owned(), json!(previous));
    }
    version.insert("status".to_owned(), json!(row.get::<_, i64>(2)?));
    version.insert("create_time".to_owned(), json!(row.get::<_, i64>(3)?));
    version.insert("duration".to_owned(), json!(row.get::<_, i64>(4)?));
    version.insert("resource_id".to_owned(), json!(row.get::<_, String>(5)?));
    let config: Value = serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or_default();
    for (name, value) in fields(&config).filter(|(name, _)| *name != "create_version") {
        version.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(version))
}
