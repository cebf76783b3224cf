//! Visualization jobs.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, ToSql, params};
use serde_json::{Value, json};

use super::state::{self, not_in_state};
use super::version;
use crate::emulator::check::{text, whole};
use crate::emulator::handlers::call::{Call, Outcome, anywhere};
use crate::emulator::handlers::list::List;
use crate::emulator::lifecycle::{Lifecycle, Next};
use crate::emulator::response::Rejection;
use crate::emulator::store::{Transaction, next, next_id, taken};

const COLUMNS: &str = "id, name, description, train_url, schedule, resource_id, created, status, started, duration";

/// A job starts after a little while and runs until it is stopped or its scheduled time ends.
pub(in crate::emulator::handlers) static LIFECYCLE: Lifecycle = Lifecycle {
    kind: "visualization_job",
    next: |transaction, project, id, now| {
        Ok(match now {
            state::INITIALIZING => Next::after_seconds(1, state::SUBMITTING),
            state::SUBMITTING => Next::after_seconds(1, state::WAITING),
            state::WAITING => Next::after_seconds(2, state::RUNNING),
            state::RUNNING => {
                let schedule = transaction
                    .prepare_cached("SELECT schedule FROM visualization_job WHERE project_id = ?1 AND id = ?2")?
                    .query_row([project, id], |row| row.get::<_, Option<String>>(0))
                    .optional()?;
                hours(schedule.flatten().as_deref()).map(|hours| Next {
                    state: state::BEING_CANCELED,
                    after: Duration::from_secs(hours * 3600),
                    timed: true,
                })
            }
            state::BEING_CANCELED => Next::after_seconds(2, state::STOPPED),
            _ => None,
        })
    },
    write: |transaction: &Transaction<'_>, project, id, new, at| {
        // A restart begins a new run.
        transaction
            .prepare_cached(
                "UPDATE visualization_job SET status = ?3, started = CASE ?3 WHEN 1 THEN NULL WHEN 8 THEN ?4 ELSE started END,
                 duration = CASE WHEN ?3 = 1 THEN 0 WHEN status = 8 THEN max(?4 - started, 0) ELSE duration END
                 WHERE project_id = ?1 AND id = ?2",
            )?
            .execute(params![project, id, new, at])?;
        Ok(())
    },
};

/// Returns the number of hours after which a schedule stops a job.
fn hours(schedule: Option<&str>) -> Option<u64> {
    let rules: Value = serde_json::from_str(schedule?).ok()?;
    rules.as_array()?.iter().filter_map(|rule| u64::try_from(whole(&rule["duration"])?).ok()).min()
}

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let name = text(call.body, "job_name").unwrap_or_default();
    if taken(call.transaction, "visualization_job", call.project, name)? {
        return Err(Rejection::Taken(name.to_owned()));
    }
    call.within_quota("visualization_job")?;
    let id = next(call.transaction, "visualization_job")?;
    // Responses call the unit of time `timeUnit`.
    let rule =
        |rule: &Value| json!({"type": rule["type"], "timeUnit": rule["time_unit"], "duration": rule["duration"]});
    let schedule = call.body.get("schedule").and_then(Value::as_array);
    let schedule = schedule.map(|rules| Value::from(rules.iter().map(rule).collect::<Vec<_>>()).to_string());
    call.transaction
        .prepare_cached("INSERT INTO visualization_job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, 0)")?
        .execute(params![
            call.project,
            id,
            name,
            text(call.body, "job_desc").unwrap_or_default(),
            text(call.body, "train_url"),
            schedule,
            next_id(call.transaction)?,
            call.now,
            state::INITIALIZING,
        ])?;
    call.enter(&LIFECYCLE, id, state::INITIALIZING)?;
    Ok(json!({
        "is_success": true,
        "job_id": id,
        "job_name": name,
        "status": state::INITIALIZING,
        "create_time": call.now,
        "service_url": service_url(call, id),
    })
    .into())
}

pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let key = match call.text("sortBy") {
        "job_name" => "name",
        "job_desc" => "description",
        "create_time" => "created",
        "status" => "status",
        _ => "id",
    };
    let (limit, offset) = call.page();
    let (status, search) = (call.status_filter(), anywhere(call.text("search_content")));
    // Requests can create them only in the default workspace.
    let elsewhere = !matches!(call.text("workspace_id"), "" | "0");
    let parameters: [&dyn ToSql; 4] = [&call.project, &search, &status, &elsewhere];
    let list = List {
        columns: COLUMNS,
        from: "visualization_job WHERE project_id = ?1 AND name LIKE ?2 ESCAPE '\\' AND status = coalesce(?3, status)
               AND NOT ?4",
        parameters: &parameters,
        order: [key, "id"],
        descending: call.text("order") == "desc",
        limit,
        offset,
    };
    let total = list.count(call)?;
    let jobs = list.read(call, total, |row| job(call, row))?;
    for job in &jobs {
        call.seen(&LIFECYCLE, &job["job_id"])?;
    }
    let others = json!({"quotas": call.quota, "is_success": true, "job_count_limit": call.left("visualization_job")?});
    Ok(call.listed(jobs, total, others))
}

pub(super) fn show(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let found = call
        .transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM visualization_job WHERE project_id = ?1 AND id = ?2"))?
        .query_row(params![call.project, id(call)?], |row| job(call, row))
        .optional()?;
    let mut job = found.ok_or_else(|| unknown(call))?;
    call.seen(&LIFECYCLE, &job["job_id"])?;
    job["is_success"] = json!(true);
    Ok(job.into())
}

pub(super) fn update(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let changed = call
        .transaction
        .prepare_cached("UPDATE visualization_job SET description = ?3 WHERE project_id = ?1 AND id = ?2")?
        .execute(params![call.project, id(call)?, text(call.body, "job_desc")])?;
    if changed == 0 {
        return Err(unknown(call));
    }
    Ok(json!({"is_success": true}).into())
}

pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (id, status) = status(call)?;
    if status == state::BEING_CANCELED {
        return Err(not_in_state("delete", status));
    }
    call.transaction
        .prepare_cached("DELETE FROM visualization_job WHERE project_id = ?1 AND id = ?2")?
        .execute(params![call.project, id])?;
    call.gone(&LIFECYCLE, id)?;
    Ok(json!({"is_success": true}).into())
}

pub(super) fn stop(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (id, status) = status(call)?;
    if !state::is_active(status) {
        return Err(not_in_state("stop", status));
    }
    call.enter(&LIFECYCLE, id, state::BEING_CANCELED)?;
    Ok(json!({"is_success": true}).into())
}

/// A waiting job can be restarted: a documented request restarts one.
pub(super) fn restart(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (id, status) = status(call)?;
    if status == state::BEING_CANCELED || state::is_active(status) && status != state::WAITING {
        return Err(not_in_state("resubmit", status));
    }
    call.enter(&LIFECYCLE, id, state::INITIALIZING)?;
    Ok(json!({"is_success": true}).into())
}

/// Finds the id and the state of the job of the request's path.
fn status(call: &Call<'_>) -> Result<(i64, i64), Rejection> {
    call.transaction
        .prepare_cached("SELECT id, status FROM visualization_job WHERE project_id = ?1 AND id = ?2")?
        .query_row(params![call.project, id(call)?], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| unknown(call))
}

/// The path accepts any text; existing ids are numbers as responses print them.
fn id(call: &Call<'_>) -> Result<i64, Rejection> {
    let text = call.text("job_id");
    text.parse().ok().filter(|id: &i64| id.to_string() == text).ok_or_else(|| unknown(call))
}

fn unknown(call: &Call<'_>) -> Rejection {
    Rejection::unknown("visualization job", call.text("job_id"))
}

fn service_url(call: &Call<'_>, id: i64) -> String {
    format!("https://console.huaweicloud.com/modelarts2/tensorboard/{}/{id}/", call.project)
}

fn job(call: &Call<'_>, row: &Row<'_>) -> rusqlite::Result<Value> {
    let (id, status, started): (i64, i64, Option<i64>) = (row.get(0)?, row.get(7)?, row.get(8)?);
    let schedule = row.get::<_, Option<String>>(4)?;
    let duration = version::duration(status, started, row.get(9)?, call.now);
    // The unit is not documented; the unit of `duration` is assumed.
    let whole = hours(schedule.as_deref()).filter(|_| status == state::RUNNING).map(|hours| hours as i64 * 3_600_000);
    let mut job = json!({
        "job_id": id,
        "job_name": row.get::<_, String>(1)?,
        "status": status,
        "create_time": row.get::<_, i64>(6)?,
        "resource_id": row.get::<_, String>(5)?,
        "duration": duration,
        "job_desc": row.get::<_, String>(2)?,
        "service_url": service_url(call, id),
        "train_url": row.get::<_, String>(3)?,
        "remaining_duration": whole.map(|whole| (whole - duration).max(0)),
    });
    if let Some(schedule) = schedule {
        job["schedule"] = serde_json::from_str(&schedule).unwrap_or_default();
    }
    Ok(job)
}
