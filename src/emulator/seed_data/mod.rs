//! The seed data: the objects that the documents' examples name, so that each documented request has its documented response.

use crate::emulator::store::Transaction;

mod many;
mod modelarts;
mod mrs;
mod responses;

pub(super) use many::training_jobs as many_training_jobs;
pub(super) use responses::response;

/// Writes the seed data into an empty project.
pub(super) fn documented(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    modelarts::write(transaction, project)?;
    mrs::write(transaction, project)
}
