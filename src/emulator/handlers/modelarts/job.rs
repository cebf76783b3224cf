//! Training jobs as their versions refer to them.

use rusqlite::{OptionalExtension, params};

use crate::emulator::handlers::call::Call;
use crate::emulator::response::Rejection;

/// Returns the store's number of a project that may have training jobs.
pub(super) const PROJECT: &str = "(SELECT key FROM training_project WHERE id = ?1)";

/// Returns a job in the form of its versions.
pub(super) struct Job {
    pub(super) key: i64,
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) versions: i64,
}

/// Returns the job of the request's path.
pub(super) fn find(call: &Call<'_>) -> Result<Job, Rejection> {
    let id = call.number("job_id");
    call.transaction
        .prepare_cached(&format!(
            "SELECT key, name, description, versions FROM training_job WHERE project = {PROJECT} AND id = ?2"
        ))?
        .query_row(params![call.project, id], |row| {
            Ok(Job { key: row.get(0)?, id, name: row.get(1)?, description: row.get(2)?, versions: row.get(3)? })
        })
        .optional()?
        .ok_or_else(|| unknown(call))
}

pub(super) fn unknown(call: &Call<'_>) -> Rejection {
    Rejection::unknown("training job", call.number("job_id"))
}
