//! What the documents' examples name, so that every documented request has its documented answer.

use rusqlite::Transaction;
use serde_json::Value;

use crate::spec;

mod many;
mod modelarts;
mod mrs;

pub(super) use many::training_jobs as many_training_jobs;

/// Writes the documented world into an empty project.
pub(super) fn documented(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    modelarts::write(transaction, project)?;
    mrs::write(transaction, project)
}

/// The documented answer to the first documented request of an operation.
pub(super) fn answer(operation: &str) -> &'static Value {
    spec::operation(operation)
        .and_then(|(document, operation)| document.examples(operation).first()?.response)
        .map_or(&Value::Null, |(_, body)| body)
}
