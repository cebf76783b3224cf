//! ModelArts.

use super::Handler;

mod labeling;
mod training;
mod visualization;

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
        _ => return None,
    })
}
