//! What the documents' examples name, so that every documented request has its documented answer.

use rusqlite::Transaction;
use serde_json::Value;

mod many;
mod modelarts;
mod mrs;

pub(super) use many::training_jobs as many_training_jobs;

/// Writes the documented world into an empty project.
pub(super) fn documented(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    modelarts::write(transaction, project)?;
    mrs::write(transaction, project)
}

/// The documented answers of ModelArts by operation: each to the first documented request.
const ANSWERS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modelarts.answers.rs"));

/// The documented answer to the first documented request of an operation.
pub(super) fn answer(operation: &str) -> Value {
    let (_, text) = ANSWERS.iter().find(|(id, _)| *id == operation).expect("it is documented");
    serde_json::from_str(text).expect("build.rs wrote it")
}
