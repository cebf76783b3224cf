//! MRS.

use super::Handler;

mod job;

pub(super) fn find(operation: &str) -> Option<Handler> {
    Some(match operation {
        "create_job" => job::create,
        "show_job" => job::show,
        "update_job" => job::update,
        _ => return None,
    })
}
