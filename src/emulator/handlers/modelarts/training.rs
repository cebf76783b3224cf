//! Training jobs.

use rusqlite::{Row, ToSql, params};
use serde_json::json;

use super::job::{PROJECT, find, unknown};
use super::version;
use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome, anywhere};
use crate::emulator::handlers::list::List;
use crate::emulator::response::Rejection;
use crate::emulator::store::next;

/// The number of parts of a text to look for. Looking for one more takes longer than reading the few names that have these two
/// without the text itself.
const MAX_PARTS: usize = 2;

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let name = text(call.body, "job_name").unwrap_or_default();
    call.transaction
        .prepare_cached("INSERT OR IGNORE INTO training_project (id) VALUES (?1)")?
        .execute([call.project])?;
    let taken = call
        .transaction
        .prepare_cached(&format!("SELECT 1 FROM training_job WHERE project = {PROJECT} AND name = ?2"))?
        .exists([call.project, name])?;
    if taken {
        return Err(Rejection::Taken(name.to_owned()));
    }
    call.within_quota("training_job")?;
    let id = next(call.transaction, "training_job")?;
    call.transaction
        .prepare_cached(&format!(
            "INSERT INTO training_job (project, id, name, description, workspace_id, created)
             VALUES ({PROJECT}, ?2, ?3, ?4, ?5, ?6)"
        ))?
        .execute(params![
            call.project,
            id,
            name,
            text(call.body, "job_desc").unwrap_or_default(),
            text(call.body, "workspace_id").unwrap_or("0"),
            call.now,
        ])?;
    let mut response = json!({
        "is_success": true,
        "job_id": id,
        "job_name": name,
        "status": super::state::INITIALIZING,
        "create_time": call.now,
    });
    let config = &call.body["config"];
    if config["create_version"] == false {
        super::config::accept(config)?;
    } else {
        let version = version::insert(call, call.transaction.last_insert_rowid(), config, None)?;
        response["version_id"] = json!(version.id);
        response["version_name"] = json!(version.name);
        response["resource_id"] = json!(version.resource);
    }
    Ok(response.into())
}

pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let key = match call.text("sortBy") {
        "job_desc" => "description",
        "create_time" => "created",
        "status" => "status",
        "duration" => "duration",
        "version_count" => "versions",
        _ => "name",
    };
    if key == "duration" {
        version::refresh_durations(call)?;
    }
    let workspace = Some(call.text("workspace_id")).filter(|id| !id.is_empty()).unwrap_or("0");
    let (status, search) = (call.status_filter(), call.text("search_content"));
    let (limit, offset) = call.page();
    let mut condition = format!("project = {PROJECT} AND workspace_id = ?2");
    let mut parameters: Vec<&dyn ToSql> = vec![&call.project, &workspace];
    if let Some(status) = &status {
        parameters.push(status);
        condition += &format!(" AND status = ?{}", parameters.len());
    }
    let (pattern, parts) = (anywhere(search), rare_parts(call, search)?);
    if !search.is_empty() {
        parameters.push(&pattern);
        condition += &format!(" AND name LIKE ?{} ESCAPE '\\'", parameters.len());
    }
    let mut table = "training_job".to_owned();
    if let Some(parts) = &parts {
        parameters.push(parts);
        // SQLite evaluates a cross join from left to right.
        let found = format!("(SELECT rowid AS found FROM training_job_search (?{}))", parameters.len());
        table = format!("{found} CROSS JOIN training_job ON key = found");
    }
    let from = format!("{table} WHERE {condition}");
    let list = List {
        columns: "id, name, description, created, latest, status, duration, versions, key, started",
        from: &from,
        parameters: &parameters,
        order: [key, "id"],
        descending: call.text("order") == "desc",
        limit,
        offset,
    };
    let mut shown = Vec::new();
    let item = |row: &Row<'_>| {
        let (status, started) = (row.get(5)?, row.get::<_, Option<i64>>(9)?);
        shown.push((row.get(8)?, row.get(4)?));
        Ok(json!({
            "job_id": row.get::<_, i64>(0)?,
            "job_name": row.get::<_, String>(1)?,
            "version_id": row.get::<_, i64>(4)?,
            "status": status,
            "create_time": row.get::<_, i64>(3)?,
            "duration": version::duration(status, started, row.get(6)?, call.now),
            "job_desc": row.get::<_, String>(2)?,
            "version_count": row.get::<_, i64>(7)?,
        }))
    };
    let (jobs, total) = if parts.is_some() {
        list.find(call, item)?
    } else {
        let total =
            if search.is_empty() { call.tally("training_job", Some(workspace), status)? } else { list.count(call)? };
        (list.read(call, total, item)?, total)
    };
    for (job, version) in shown {
        version::seen(call, job, version)?;
    }
    let others = json!({"is_success": true, "quotas": call.quota, "job_count_limit": call.left("training_job")?});
    Ok(call.listed(jobs, total, others))
}

/// Finds the parts of three characters of a text that are rarest in a sample of the names, as a query for the index of parts of
/// names: only names with all of them are read. Returns `None` for shorter texts, and for parts of so many names that reading
/// all names is faster.
fn rare_parts(call: &Call<'_>, search: &str) -> Result<Option<String>, Rejection> {
    let characters: Vec<char> = search.to_lowercase().chars().collect();
    if characters.len() < 3 {
        return Ok(None);
    }
    let sample = call
        .transaction
        .prepare_cached(
            "WITH RECURSIVE place (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 64)
             SELECT lower(name) FROM training_job
             WHERE key IN (SELECT (SELECT max(key) FROM training_job) * n / 64 FROM place)",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    let parts = characters.windows(3).map(|part| part.iter().collect::<String>());
    let counted = parts.map(|part| (sample.iter().filter(|name| name.contains(&part)).count(), part));
    let mut rare: Vec<_> = counted.filter(|(count, _)| count * 4 <= sample.len()).collect();
    rare.sort_by_key(|(count, _)| *count);
    rare.truncate(MAX_PARTS);
    let quoted: Vec<_> = rare.iter().map(|(_, part)| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    Ok((!quoted.is_empty()).then(|| quoted.join(" AND ")))
}

pub(super) fn update(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let id = call.number("job_id");
    let changed = call
        .transaction
        .prepare_cached(&format!("UPDATE training_job SET description = ?3 WHERE project = {PROJECT} AND id = ?2"))?
        .execute(params![call.project, id, text(call.body, "job_desc")])?;
    if changed == 0 {
        return Err(unknown(call));
    }
    Ok(json!({"is_success": true}).into())
}

pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let job = find(call)?;
    version::delete_all(call, job.key)?;
    call.transaction.prepare_cached("DELETE FROM training_job WHERE key = ?1")?.execute([job.key])?;
    Ok(json!({"is_success": true}).into())
}
