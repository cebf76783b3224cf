//! The objects of ModelArts that the documents' examples name.

use rusqlite::params;
use serde_json::{Value, json};

use super::responses::response;
use crate::emulator::store::{Transaction, skip};

/// Writes them into an empty project.
pub(super) fn write(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    training_jobs(transaction, project)?;
    configs(transaction, project)?;
    visualization_jobs(transaction, project)?;
    transaction.execute(
        "INSERT INTO labeling_job VALUES (?1, '062ef90a-da4d-4af4-82ba-1523da57e78e', 1, 'documented', NULL, 'OBS',
         'cat-datset/obs-9374/', NULL, 'Manual Image classify', 1524189990635, 98.0, 1524189990635)",
        [project],
    )?;
    skip(transaction, "labeling_job", 1)
}

/// Removes the fields of a documented object that the store has columns for.
fn without(object: &Value, fields: &[&str]) -> Value {
    let rest = object.as_object().into_iter().flatten().filter(|(name, _)| !fields.contains(&name.as_str()));
    rest.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into()
}

fn training_jobs(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    transaction.execute("INSERT OR IGNORE INTO training_project (id) VALUES (?1)", [project])?;
    // REST pages name job 10; the SDK's page changes job 182626; the documented search finds a waiting job.
    for (id, name, description) in [
        (10_i64, "testModelArtsJob", "This is ModelArts job"),
        (11, "waitingModelArtsJob", "This is ModelArts job"),
        (182_626, "sdk-training-job", "sdk description"),
    ] {
        transaction.execute(
            "INSERT INTO training_job (project, id, name, description, workspace_id, created, last_number)
             SELECT key, ?2, ?3, ?4, '0', 1524189990635, 5 FROM training_project WHERE id = ?1",
            params![project, id, name, description],
        )?;
        skip(transaction, "training_job", id)?;
    }
    let shown = response("show_training_job_version");
    let config = without(
        &shown,
        &[
            "is_success",
            "job_id",
            "job_name",
            "job_desc",
            "version_id",
            "version_name",
            "pre_version_id",
            "status",
            "create_time",
            "duration",
            "start_time",
            "spec_code",
        ],
    );
    let completed = (10, Some(&shown["start_time"]), &shown["duration"]);
    let waiting = (7, None, &json!(0));
    // Responses show version 10; a new version is derived from version 20.
    for (job, id, name, previous, (status, started, duration)) in [
        (10, 10, "V0004", Some(5), completed),
        (10, 20, "V0005", Some(10), completed),
        (11, 21, "V0005", None, waiting),
        (182_626, 182_626, "V0005", None, completed),
    ] {
        transaction.execute(
            "INSERT INTO training_job_version
                 (job, id, name, previous, status, created, started, duration, resource_id, config)
             SELECT job.key, ?3, ?4, ?5, ?6, 1524189990635, ?7, ?8, 'jobafd08896', ?9
             FROM training_job AS job JOIN training_project AS project ON job.project = project.key
             WHERE project.id = ?1 AND job.id = ?2",
            params![
                project,
                job,
                id,
                name,
                previous,
                status,
                started.and_then(Value::as_i64),
                duration.as_i64(),
                config.to_string(),
            ],
        )?;
        skip(transaction, "training_job_version", id)?;
    }
    Ok(())
}

fn configs(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    let facts = ["is_success", "config_name", "config_desc", "create_time"];
    let shown = &response("show_training_job_config");
    let listed = response("list_training_job_configs");
    let listed = &listed["configs"][0];
    // The documented search for `configname` finds three, the first of which it prints.
    for (name, config) in [
        ("config123", shown),
        ("config", shown),
        ("test-trainconfig", shown),
        ("configname-1", listed),
        ("configname-2", listed),
        ("configname-3", listed),
    ] {
        transaction.execute(
            "INSERT INTO training_job_config VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                project,
                name,
                config["config_desc"].as_str(),
                config["create_time"].as_i64(),
                without(config, &facts).to_string(),
            ],
        )?;
    }
    Ok(())
}

fn visualization_jobs(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    let shown = &response("show_visualization_job");
    let listed = response("list_visualization_jobs");
    let listed = &listed["jobs"][0];
    // Requests name job 10; the response prints job 197. The SDK's page names job 8992. The
    // documented search finds a waiting job with `job_name` in its name.
    for (id, name, job) in
        [(10_i64, "apiTest-11", shown), (197, "apiTest-197", shown), (8992, "sdk-job", shown), (1, "job_name", listed)]
    {
        transaction.execute(
            "INSERT INTO visualization_job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 7, NULL, ?9)",
            params![
                project,
                id,
                name,
                job["job_desc"].as_str(),
                job["train_url"].as_str(),
                job.get("schedule").map(Value::to_string),
                job["resource_id"].as_str(),
                job["create_time"].as_i64(),
                job["duration"].as_i64(),
            ],
        )?;
        skip(transaction, "visualization_job", id)?;
    }
    Ok(())
}
