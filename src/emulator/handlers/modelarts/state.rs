//! The documented states of training and visualization jobs in their lifecycle.

use crate::api::modelarts::states::JOB_STATUS;
use crate::emulator::response::Rejection;
use crate::shape::{Phase, code_of, state};

pub(super) const INITIALIZING: i64 = code_of(JOB_STATUS, "JOBSTAT_INIT");
pub(super) const SUBMITTING: i64 = code_of(JOB_STATUS, "JOBSTAT_SUBMIT_TRYING");
pub(super) const WAITING: i64 = code_of(JOB_STATUS, "JOBSTAT_WAITING");
pub(super) const RUNNING: i64 = code_of(JOB_STATUS, "JOBSTAT_RUNNING");
pub(super) const BEING_CANCELED: i64 = code_of(JOB_STATUS, "JOBSTAT_KILLING");
pub(super) const COMPLETED: i64 = code_of(JOB_STATUS, "JOBSTAT_COMPLETED");
pub(super) const STOPPED: i64 = code_of(JOB_STATUS, "JOBSTAT_KILLED");
const UNKNOWN: i64 = code_of(JOB_STATUS, "JOBSTAT_UNKNOWN");

/// Returns whether a job in this state is under way, so that it can be stopped.
pub(super) fn is_active(code: i64) -> bool {
    let underway = state(JOB_STATUS, code).is_some_and(|row| row.phase == Phase::Underway);
    underway && code != BEING_CANCELED && code != UNKNOWN
}

/// Returns the documented rejection of an action that the state of a job does not allow.
pub(super) fn not_in_state(action: &str, state: i64) -> Rejection {
    Rejection::not_allowed(&format!("This job can't be {action}. job status: {state}"))
}
