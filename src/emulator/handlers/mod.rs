//! What each operation does with the store.

use std::collections::HashMap;

use rusqlite::Transaction;
use serde_json::Value;

use super::answer::Refusal;

mod job;
mod labeling;
mod training;
mod visualization;

/// One checked request.
pub(super) struct Call<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) project: &'a str,
    pub(super) parameters: &'a HashMap<&'static str, Value>,
    pub(super) body: &'a Value,
}

/// Does an operation: the body of its answer, if it has one.
pub(super) type Handler = fn(&Call<'_>) -> Result<Option<Value>, Refusal>;

/// The handler of an operation.
pub(super) fn find(operation: &str) -> Option<Handler> {
    Some(match operation {
        "create_training_job" => training::create,
        "list_training_jobs" => training::list,
        "update_training_job" => training::update,
        "list_training_job_versions" => training::list_versions,
        "create_visualization_job" => visualization::create,
        "list_visualization_jobs" => visualization::list,
        "show_visualization_job" => visualization::show,
        "update_visualization_job" => visualization::update,
        "create_annotation_job" => labeling::create,
        "list_annotation_jobs" => labeling::list,
        "update_annotation_job" => labeling::update,
        "create_job" => job::create,
        "show_job" => job::show,
        "update_job" => job::update,
        _ => return None,
    })
}

impl Call<'_> {
    /// A numeric path parameter.
    fn number(&self, name: &str) -> i64 {
        self.parameters.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A path or query parameter as text, empty if it was not given.
    fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A numeric query parameter, or its documented default.
    fn number_or(&self, name: &str, default: i64) -> i64 {
        self.parameters.get(name).and_then(Value::as_i64).unwrap_or(default)
    }

    /// `ORDER BY` for the sort keys of the description, which are column names but for the ones given.
    fn order(&self, key: &str, default: &str, columns: &[(&str, &str)]) -> String {
        let wanted = Some(self.text(key)).filter(|text| !text.is_empty()).unwrap_or(default);
        let column = columns.iter().find(|(name, _)| *name == wanted).map_or("id", |(_, column)| column);
        let direction = if self.text("order") == "desc" { "DESC" } else { "ASC" };
        format!("ORDER BY {column} {direction}, id {direction}")
    }
}

/// A text to be found anywhere in another one by `LIKE ... ESCAPE '\'`.
fn anywhere(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
