//! What the documents' examples name, so that every documented request has its documented answer.

use rusqlite::Transaction;

mod modelarts;
mod mrs;

/// Writes the documented world into an empty project.
pub(super) fn documented(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    modelarts::write(transaction, project)?;
    mrs::write(transaction, project)
}
