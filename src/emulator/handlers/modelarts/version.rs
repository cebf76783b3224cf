//! Versions of training jobs.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use super::job::{self, Job};
use super::state::{self, not_in_state};
use super::{config, metrics};
use crate::emulator::check::{text, whole};
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::lifecycle::{Lifecycle, Next};
use crate::emulator::response::Rejection;
use crate::emulator::store::{Transaction, next, next_id};

/// The duration of a training run by the clock.
pub(super) const RUN_SECONDS: u64 = 25;

/// A version waits a little, trains and completes.
pub(in crate::emulator::handlers) static LIFECYCLE: Lifecycle = Lifecycle {
    kind: "training_job_version",
    next: |_, _, _, now| {
        Ok(match now {
            state::INITIALIZING => Next::after_seconds(1, state::SUBMITTING),
            state::SUBMITTING => Next::after_seconds(2, state::WAITING),
            state::WAITING => Next::after_seconds(2, state::RUNNING),
            state::RUNNING => Next::after_seconds(RUN_SECONDS, state::COMPLETED),
            state::BEING_CANCELED => Next::after_seconds(2, state::STOPPED),
            _ => None,
        })
    },
    write: |transaction: &Transaction<'_>, _, key, new, at| {
        transaction
            .prepare_cached(
                "UPDATE training_job_version SET status = ?2, started = iif(?2 = 8, ?3, started),
                 duration = iif(status = 8 AND ?2 <> 8, max(?3 - started, 0), duration) WHERE key = ?1",
            )?
            .execute(params![key, new, at])?;
        Ok(())
    },
};

/// A version as a row of the store.
pub(super) struct Version {
    key: i64,
    pub(super) id: i64,
    pub(super) name: String,
    previous: Option<i64>,
    pub(super) status: i64,
    pub(super) created: i64,
    pub(super) started: Option<i64>,
    duration: i64,
    pub(super) resource: String,
    pub(super) config: Value,
}

const COLUMNS: &str = "key, id, name, previous, status, created, started, duration, resource_id, config";

impl Version {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            id: row.get(1)?,
            name: row.get(2)?,
            previous: row.get(3)?,
            status: row.get(4)?,
            created: row.get(5)?,
            started: row.get(6)?,
            duration: row.get(7)?,
            resource: row.get(8)?,
            config: serde_json::from_str(&row.get::<_, String>(9)?).unwrap_or_default(),
        })
    }

    /// Finds the version of the request's path.
    pub(super) fn find(call: &Call<'_>) -> Result<(Job, Self), Rejection> {
        let (job, id) = (job::find(call)?, call.number("version_id"));
        let found = call
            .transaction
            .prepare_cached(&format!("SELECT {COLUMNS} FROM training_job_version WHERE job = ?1 AND id = ?2"))?
            .query_row([job.key, id], Self::read)
            .optional()?;
        let version = found.ok_or_else(|| Rejection::unknown("training job version", id))?;
        Ok((job, version))
    }

    /// Returns the duration by now.
    pub(super) fn duration(&self, now: i64) -> i64 {
        duration(self.status, self.started, self.duration, now)
    }

    /// Describes the fields that the list and the details of a version share.
    fn show(&self, call: &Call<'_>) -> Map<String, Value> {
        let mut shown = config::show(&self.config);
        shown.insert("version_id".to_owned(), json!(self.id));
        shown.insert("version_name".to_owned(), json!(self.name));
        if let Some(previous) = self.previous {
            shown.insert("pre_version_id".to_owned(), json!(previous));
        }
        shown.insert("status".to_owned(), json!(self.status));
        shown.insert("create_time".to_owned(), json!(self.created));
        shown.insert("duration".to_owned(), json!(self.duration(call.now)));
        shown.insert("resource_id".to_owned(), json!(self.resource));
        if let Some(started) = self.started {
            shown.insert("start_time".to_owned(), json!(started));
        }
        if self.status == state::COMPLETED && !shown.contains_key("model_metric_list") {
            shown.insert("model_metric_list".to_owned(), json!(metrics::of_model(self.id).to_string()));
        }
        if self.started.is_some() && !shown.contains_key("system_metric_list") {
            let metrics = metrics::of_system(self.id, self.duration(call.now));
            shown.insert("system_metric_list".to_owned(), metrics);
        }
        shown
    }
}

/// Returns the duration of a version or job by now; `ended` is the stored duration of one that has ended.
pub(super) fn duration(status: i64, started: Option<i64>, ended: i64, now: i64) -> i64 {
    match started {
        Some(started) if status == state::RUNNING => (now - started).max(0),
        _ => ended,
    }
}

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (job, config) = (job::find(call)?, &call.body["config"]);
    let previous = whole(&config["pre_version_id"]).unwrap_or_default();
    let known = call
        .transaction
        .prepare_cached("SELECT 1 FROM training_job_version WHERE job = ?1 AND id = ?2")?
        .exists([job.key, previous])?;
    if !known {
        return Err(Rejection::unknown("training job version", &config["pre_version_id"]));
    }
    // All versions share the description; a request without one does not change it.
    if let Some(description) = text(call.body, "job_desc") {
        call.transaction
            .prepare_cached("UPDATE training_job SET description = ?2 WHERE key = ?1")?
            .execute(params![job.key, description])?;
    }
    let version = insert(call, job.key, config, Some(previous))?;
    Ok(json!({
        "is_success": true,
        "job_id": job.id,
        "job_name": job.name,
        "status": version.status,
        "create_time": version.created,
        "version_id": version.id,
        "version_name": version.name,
    })
    .into())
}

/// Adds a version to a job and starts it.
pub(super) fn insert(call: &Call<'_>, job: i64, config: &Value, previous: Option<i64>) -> Result<Version, Rejection> {
    let config = config::accept(config)?;
    let number: i64 = call
        .transaction
        .prepare_cached("UPDATE training_job SET last_number = last_number + 1 WHERE key = ?1 RETURNING last_number")?
        .query_row([job], |row| row.get(0))?;
    let mut version = Version {
        key: 0,
        id: next(call.transaction, "training_job_version")?,
        name: format!("V{number:04}"),
        previous,
        status: state::INITIALIZING,
        created: call.now,
        started: None,
        duration: 0,
        resource: format!("job{}", &next_id(call.transaction)?[..8]),
        config,
    };
    call.transaction
        .prepare_cached(
            "INSERT INTO training_job_version (job, id, name, previous, status, created, duration, resource_id, config)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
        )?
        .execute(params![
            job,
            version.id,
            version.name,
            previous,
            version.status,
            version.created,
            version.resource,
            version.config.to_string(),
        ])?;
    version.key = call.transaction.last_insert_rowid();
    call.enter(&LIFECYCLE, version.key, version.status)?;
    Ok(version)
}

pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let job = job::find(call)?;
    // Page 0, the default, is the whole list.
    let (limit, offset) = if call.page_number().is_none_or(|number| number == 0) { (-1, 0) } else { call.page() };
    let versions = call
        .transaction
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM training_job_version WHERE job = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3"
        ))?
        .query_map([job.key, limit, offset], Version::read)?
        .collect::<Result<Vec<_>, _>>()?;
    let mut shown = Vec::new();
    for version in &versions {
        call.seen(&LIFECYCLE, version.key)?;
        let mut item = version.show(call);
        item.remove("spec_code");
        // A text in the list, an object in the details of a version.
        if let Some(metrics) = item.get_mut("system_metric_list") {
            *metrics = json!(metrics.to_string());
        }
        if let Some(number) = item.get("gpu_num").and_then(Value::as_i64) {
            item.insert("gpu".to_owned(), json!(number > 0));
        }
        shown.push(item.into());
    }
    let others = json!({"is_success": true, "job_id": job.id, "job_name": job.name, "job_desc": job.description});
    Ok(call.listed(shown, job.versions, others))
}

pub(super) fn show(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (job, version) = Version::find(call)?;
    call.seen(&LIFECYCLE, version.key)?;
    let mut shown = version.show(call);
    shown.insert("is_success".to_owned(), json!(true));
    shown.insert("job_id".to_owned(), json!(job.id));
    shown.insert("job_name".to_owned(), json!(job.name));
    shown.insert("job_desc".to_owned(), json!(job.description));
    for field in ["engine_type", "spec_code"] {
        shown.entry(field).or_insert(Value::Null);
    }
    Ok(Value::Object(shown).into())
}

/// Deletes a version; a job may have none.
pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (_, version) = Version::find(call)?;
    call.transaction.prepare_cached("DELETE FROM training_job_version WHERE key = ?1")?.execute([version.key])?;
    call.gone(&LIFECYCLE, version.key)?;
    Ok(json!({"is_success": true}).into())
}

/// Stopping a completed version changes nothing: a documented request stops one.
pub(super) fn stop(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (_, version) = Version::find(call)?;
    if state::is_active(version.status) {
        call.enter(&LIFECYCLE, version.key, state::BEING_CANCELED)?;
    } else if version.status != state::COMPLETED {
        return Err(not_in_state("stop", version.status));
    }
    Ok(json!({"is_success": true}).into())
}

/// Deletes all versions of a job.
pub(super) fn delete_all(call: &Call<'_>, job: i64) -> Result<(), Rejection> {
    let keys = call
        .transaction
        .prepare_cached("DELETE FROM training_job_version WHERE job = ?1 RETURNING key")?
        .query_map([job], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    keys.into_iter().try_for_each(|key| call.gone(&LIFECYCLE, key))
}

/// Counts that a response shows the latest version of a job.
pub(super) fn seen(call: &Call<'_>, job: i64, id: i64) -> Result<(), Rejection> {
    let key = call
        .transaction
        .prepare_cached("SELECT key FROM training_job_version WHERE job = ?1 AND id = ?2")?
        .query_row([job, id], |row| row.get::<_, i64>(0))
        .optional()?;
    key.map_or(Ok(()), |key| call.seen(&LIFECYCLE, key))
}

/// Stores the durations of running versions, so that a list can be sorted by them.
pub(super) fn refresh_durations(call: &Call<'_>) -> Result<(), Rejection> {
    call.transaction
        .prepare_cached("UPDATE training_job_version SET duration = max(?1 - started, 0) WHERE status = 8")?
        .execute([call.now])?;
    Ok(())
}
