//! The jobs of ModelArts that the documents' examples name.

use rusqlite::{Transaction, params};
use serde_json::json;

use crate::emulator::store::skip;

/// Writes them into an empty project.
pub(super) fn write(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
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
    Ok(())
}
