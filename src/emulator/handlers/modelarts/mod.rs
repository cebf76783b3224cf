//! ModelArts.

use crate::emulator::handlers::call::Handler;

mod algorithms;
mod catalog;
mod config;
mod job;
mod job_config;
mod labeling;
mod log;
mod metrics;
mod state;
mod training;
mod version;
mod visualization;

pub(super) use version::LIFECYCLE as TRAINING_JOB_VERSION;
pub(super) use visualization::LIFECYCLE as VISUALIZATION_JOB;

pub(super) fn find(operation: &str) -> Option<Handler> {
    Some(match operation {
        "create_training_job" => training::create,
        "list_training_jobs" => training::list,
        "update_training_job" => training::update,
        "delete_training_job" => training::delete,
        "create_training_job_version" => version::create,
        "list_training_job_versions" => version::list,
        "show_training_job_version" => version::show,
        "delete_training_job_version" => version::delete,
        "stop_training_job_version" => version::stop,
        "list_training_job_log_files" => log::list_files,
        "show_training_job_log" => log::show,
        "create_training_job_config" => job_config::create,
        "list_training_job_configs" => job_config::list,
        "show_training_job_config" => job_config::show,
        "update_training_job_config" => job_config::update,
        "delete_training_job_config" => job_config::delete,
        "list_built_in_algorithms" => algorithms::list,
        "list_job_resource_specs" => algorithms::list_specs,
        "list_job_ai_engines" => algorithms::list_engines,
        "create_visualization_job" => visualization::create,
        "list_visualization_jobs" => visualization::list,
        "show_visualization_job" => visualization::show,
        "update_visualization_job" => visualization::update,
        "delete_visualization_job" => visualization::delete,
        "stop_visualization_job" => visualization::stop,
        "restart_visualization_job" => visualization::restart,
        "create_annotation_job" => labeling::create,
        "list_annotation_jobs" => labeling::list,
        "update_annotation_job" => labeling::update,
        "delete_annotation_job" => labeling::delete,
        "show_annotation_job_validation" => labeling::show_validation,
        "save_annotation_job_validation" => labeling::save_validation,
        _ => return None,
    })
}
