//! The handlers of all operations.

use super::lifecycle::Lifecycle;
use call::Handler;

pub(super) mod call;
pub(super) mod iam;
mod list;
mod modelarts;
mod mrs;

/// All kinds of jobs with a lifecycle.
pub(super) static LIFECYCLES: [&Lifecycle; 3] =
    [&modelarts::TRAINING_JOB_VERSION, &modelarts::VISUALIZATION_JOB, &mrs::RUN];

/// Finds the handler of an operation.
pub(super) fn find(operation: &str) -> Option<Handler> {
    iam::find(operation).or_else(|| modelarts::find(operation)).or_else(|| mrs::find(operation))
}
