//! What the documents' examples name, so that every documented request has its documented answer.

use rusqlite::Transaction;

mod many;
mod modelarts;
mod mrs;
mod responses;

pub(super) use many::training_jobs as many_training_jobs;
pub(super) use responses::answer;

/// Writes the documented world into an empty project.
pub(super) fn documented(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    modelarts::write(transaction, project)?;
    mrs::write(transaction, project)
}
