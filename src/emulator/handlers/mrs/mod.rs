//! MRS.

use crate::emulator::handlers::call::Handler;

mod data_source;
mod job;
mod job_binary;
mod objects;
mod run;

pub(super) use run::LIFECYCLE as RUN;

pub(super) fn find(operation: &str) -> Option<Handler> {
    Some(match operation {
        "create_job_binary" => job_binary::create,
        "list_job_binaries" => |call| job_binary::KIND.list(call),
        "show_job_binary" => |call| job_binary::KIND.show(call),
        "update_job_binary" => job_binary::update,
        "delete_job_binary" => |call| job_binary::KIND.delete(call),
        "create_data_source" => data_source::create,
        "list_data_sources" => |call| data_source::KIND.list(call),
        "show_data_source" => |call| data_source::KIND.show(call),
        "update_data_source" => data_source::update,
        "delete_data_source" => |call| data_source::KIND.delete(call),
        "create_job" => job::create,
        "list_jobs" => |call| job::KIND.list(call),
        "show_job" => |call| job::KIND.show(call),
        "update_job" => job::update,
        "delete_job" => |call| job::KIND.delete(call),
        "execute_job" => run::execute,
        "list_job_executions" => run::list,
        "show_job_execution" => run::show,
        "cancel_job_execution" => run::cancel,
        "delete_job_execution" => run::delete,
        "submit_job" => run::submit,
        "list_job_exes" => run::list_exes,
        "show_job_exe" => run::show_exe,
        _ => return None,
    })
}
