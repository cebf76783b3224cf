//! What the documents' examples name, so that every documented request has its documented answer.

use rusqlite::{Transaction, params};
use serde_json::json;

use super::store::skip;

/// Writes the documented world into an empty project.
pub(super) fn documented(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    let completed = 10;
    // REST pages change job 10; the SDK's page changes job 182626.
    for (id, name, description) in
        [(10_i64, "testModelArtsJob", "This is ModelArts job"), (182_626, "sdk-training-job", "sdk description")]
    {
        transaction.execute(
            "INSERT INTO training_job VALUES (?1, ?2, ?3, ?4, '0', 1524189990635)",
            params![project, id, name, description],
        )?;
        let config = json!({
            "worker_server_num": 1, "app_url": "/usr/app/", "boot_file_url": "/usr/app/boot.py",
            "parameter": [{"label": "learning_rate", "value": "0.01"}], "data_url": "/usr/data/",
            "spec_id": 1, "engine_id": 1, "train_url": "/usr/train/", "log_url": "/usr/log/",
        });
        transaction.execute(
            "INSERT INTO training_job_version VALUES (?1, ?2, ?2, 'V0001', ?3, 1524189990635, 532003, 'jobafd08896', ?4)",
            params![project, id, completed, config.to_string()],
        )?;
        skip(transaction, "training_job", id)?;
        skip(transaction, "training_job_version", id)?;
    }
    for (id, name) in [(10_i64, "visualization-job"), (197, "apiTest-11"), (8992, "sdk-job")] {
        transaction.execute(
            "INSERT INTO visualization_job VALUES
             (?1, ?2, ?3, 'This is a visualization job', '/obs/name/', 7, 1565149736000, 33000, ?4)",
            params![project, id, name, "e17dd874-b5e0-4e9b-aaf0-22b045ad8571"],
        )?;
        skip(transaction, "visualization_job", id)?;
    }
    transaction.execute(
        "INSERT INTO labeling_job VALUES (?1, '062ef90a-da4d-4af4-82ba-1523da57e78e', 'documented', NULL, 'OBS',
         'cat-datset/obs-9374/', NULL, 'Manual Image classify', 1524189990635)",
        [project],
    )?;
    // The first is the one that the answers show; the others are named in requests.
    for (id, name, protected) in [
        ("2628d0e4-6109-4a09-a338-c4ee1b0963ed", "my-job-binary-666", None),
        ("092b628b-26a3-4571-9ba4-f8d000df8877", "my-job-binary-map", Some(false)),
        ("ed2ffd92-6308-44cb-b930-e10b6d65d3aa", "my-job-binary-spark", Some(false)),
        ("0d58a7e1-3ea7-413e-9a94-7702f99a9fa2", "my-job-binary-hive", Some(false)),
        ("89e6a8bc-dde1-4053-97c1-72504f630dbf", "my-job-binary-script", Some(false)),
    ] {
        transaction.execute(
            "INSERT INTO job_binary VALUES (?1, ?2, ?3, '/simple/mapreduce/program', 'this is the job binary template', 0, ?4)",
            params![project, id, name, protected],
        )?;
    }
    for (id, created) in [
        ("b8ea4daa-0042-45e0-a522-e8b714e74760", "2017-06-22T12:05:58"),
        ("38a04cba-c113-4868-b11f-f50e8b1bf252", "2017-06-22T09:39:13"),
    ] {
        transaction.execute(
            "INSERT INTO job VALUES (?1, ?2, 'my-mapreduce-job', 'MapReduce', 'This is the MapReduce job template', '[]',
             '[\"2628d0e4-6109-4a09-a338-c4ee1b0963ed\"]', '[]', 0, 0, ?3, ?3)",
            params![project, id, created],
        )?;
    }
    Ok(())
}
