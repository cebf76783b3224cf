//! ModelArts.

use serde_json::Value;

use super::Handler;
use crate::emulator::answer::Refusal;

mod algorithms;
mod catalog;
mod config;
mod job_config;
mod labeling;
mod log;
mod metrics;
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

/// The documented states of training and visualization jobs that the emulator leads them through.
mod state {
    use crate::api::modelarts::states::JOB_STATUS;
    use crate::shape::{Phase, code_of, state};

    pub(super) const INITIALIZING: i64 = code_of(JOB_STATUS, "JOBSTAT_INIT");
    pub(super) const SUBMITTING: i64 = code_of(JOB_STATUS, "JOBSTAT_SUBMIT_TRYING");
    pub(super) const WAITING: i64 = code_of(JOB_STATUS, "JOBSTAT_WAITING");
    pub(super) const RUNNING: i64 = code_of(JOB_STATUS, "JOBSTAT_RUNNING");
    pub(super) const BEING_CANCELED: i64 = code_of(JOB_STATUS, "JOBSTAT_KILLING");
    pub(super) const COMPLETED: i64 = code_of(JOB_STATUS, "JOBSTAT_COMPLETED");
    pub(super) const STOPPED: i64 = code_of(JOB_STATUS, "JOBSTAT_KILLED");
    const UNKNOWN: i64 = code_of(JOB_STATUS, "JOBSTAT_UNKNOWN");

    /// Whether a job in this state is on its way or at work, so that it can be stopped.
    pub(super) fn is_active(code: i64) -> bool {
        let underway = state(JOB_STATUS, code).is_some_and(|row| row.phase == Phase::Underway);
        underway && code != BEING_CANCELED && code != UNKNOWN
    }
}

/// The documented refusal of something that makes no sense in the state of a job.
fn not_in_state(action: &str, state: i64) -> Refusal {
    not_allowed(&format!("This job can't be {action}. job status: {state}"))
}

/// The refusal of what the description allows and a rule or a state does not.
fn not_allowed(message: &str) -> Refusal {
    Refusal::Conflict { code: "ModelArts.0105", message: message.to_owned() }
}

/// A whole number of a body: `1.0` is one, too.
fn whole(value: &Value) -> Option<i64> {
    let exact = |number: f64| (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(exact))
}
