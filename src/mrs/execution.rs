//! Executions: job objects that are run.

use super::list::marked_list;
use super::types;
use crate::api::call;
use crate::api::mrs::operations;
use crate::api::wire::{JobExecutionId, checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::identified;
use crate::paging::List;
use crate::session::Session;
use crate::waiting::{Awaited, Phase, Wait};

/// The executions of a project.
#[derive(Clone, Debug)]
pub struct Executions {
    session: Session,
}

impl Executions {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Lists the executions, see [`paging`](crate::paging).
    pub fn list(&self) -> List<ExecutionsQuery> {
        ExecutionsQuery::list(self.session.clone())
    }
}

marked_list! {
    /// Executions of job objects, see [`Executions::list`].
    ExecutionsQuery: "executions", LIST_JOB_EXECUTIONS list_job_executions(JobExecutionMarker),
        job_executions -> Execution, JobExecutionDetails;
}

identified! {
    Execution.id => JobExecutionId;
}

/// An execution, named by id, started or found in a list.
#[derive(Clone, Debug)]
pub struct Execution {
    session: Session,
    id: JobExecutionId,
}

impl Execution {
    pub(super) fn new(session: Session, id: JobExecutionId) -> Self {
        Self { session, id }
    }

    /// Id of the execution.
    pub fn id(&self) -> &JobExecutionId {
        &self.id
    }

    /// Returns the details of the object.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn show(&self) -> Result<types::JobExecutionDetails, Error> {
        let request = self.session.mrs_client().show_job_execution().project_id(self.session.project_id());
        Ok(call(&operations::SHOW_JOB_EXECUTION, request.job_execution_id(&self.id).send()).await?.job_execution)
    }

    /// Cancels it and returns its new state.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn cancel(&self) -> Result<types::JobExecutionDetails, Error> {
        let request = self.session.mrs_client().cancel_job_execution().project_id(self.session.project_id());
        Ok(call(&operations::CANCEL_JOB_EXECUTION, request.job_execution_id(&self.id).send()).await?.job_execution)
    }

    /// Deletes it. The service takes the id of a submitted job too and then deletes its exe object.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_job_execution().project_id(self.session.project_id());
        call(&operations::DELETE_JOB_EXECUTION, request.job_execution_id(&self.id).send()).await
    }

    /// Waits until the execution has ended, see [`waiting`](crate::waiting).
    pub fn wait<'a>(&self) -> Wait<'a, Self> {
        Wait::new(self.clone())
    }
}

impl Awaited for Execution {
    type Details = types::JobExecutionDetails;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Self::Details, Error> {
        self.show().await
    }

    fn phase(details: &Self::Details) -> (Phase, String) {
        phase(details.end_time.is_some(), details.return_code.as_deref())
    }
}

/// Returns the phase of an execution. The documentation has no state: an execution has ended if it has an end time, and
/// it has succeeded unless its return code differs from 0.
fn phase(has_end: bool, return_code: Option<&str>) -> (Phase, String) {
    let code = return_code.map(str::trim).filter(|code| !code.is_empty());
    match (has_end, code) {
        (false, _) => (Phase::Underway, "running".to_owned()),
        (true, Some(code)) if code.parse::<i64>() != Ok(0) => (Phase::Failed, format!("return code {code}")),
        (true, _) => (Phase::Succeeded, "ended".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_and_return_code_have_one_meaning() {
        use Phase::{Failed, Succeeded, Underway};
        for (code, ended) in [
            (None, Succeeded),
            (Some(""), Succeeded),
            (Some(" "), Succeeded),
            (Some("0"), Succeeded),
            (Some("00"), Succeeded),
            (Some("1"), Failed),
            (Some("-1"), Failed),
            (Some("killed"), Failed),
        ] {
            assert_eq!(phase(true, code).0, ended, "ended, {code:?}");
            assert_eq!(phase(false, code).0, Underway, "not ended, {code:?}");
        }
        assert_eq!(phase(true, Some("137")).1, "return code 137");
    }
}
