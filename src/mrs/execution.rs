//! Executions: job objects that are run.

use serde_json::{Map, Value};

use super::list::ExecutionsQuery;
use super::{Job, types};
use crate::api::call;
use crate::api::mrs::operations;
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::{JobExecutionId, Texts};
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
        ExecutionsQuery::list(&self.session)
    }
}

/// A job object to be run, see [`Job::execute`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ExecuteJob<'a> {
    job: &'a Job,
    cluster_id: String,
    input_id: String,
    output_id: String,
    is_protected: Option<bool>,
    is_public: Option<bool>,
    configs: Option<Map<String, Value>>,
    args: Option<Vec<String>>,
    params: Option<Map<String, Value>>,
}

impl<'a> ExecuteJob<'a> {
    pub(super) fn new(job: &'a Job, cluster_id: String, input_id: String, output_id: String) -> Self {
        Self {
            job,
            cluster_id,
            input_id,
            output_id,
            is_protected: None,
            is_public: None,
            configs: None,
            args: None,
            params: None,
        }
    }

    /// Settings of the engine by name, for example `mapred.map.tasks`.
    pub fn configs(mut self, configs: Map<String, Value>) -> Self {
        self.configs = Some(configs);
        self
    }

    /// Arguments of the program, in order.
    pub fn args(mut self, args: impl Texts) -> Self {
        self.args = Some(args.into_texts());
        self
    }

    /// Parameters of the run by name.
    pub fn params(mut self, params: Map<String, Value>) -> Self {
        self.params = Some(params);
        self
    }

    /// Whether it is protected. Documented as without effect in the current version.
    pub fn is_protected(mut self, is_protected: bool) -> Self {
        self.is_protected = Some(is_protected);
        self
    }

    /// Whether it is public. Documented as without effect in the current version.
    pub fn is_public(mut self, is_public: bool) -> Self {
        self.is_public = Some(is_public);
        self
    }

    /// Starts the execution. On a cloud this is work that is billed.
    pub async fn send(self) -> Result<Entry<Execution, types::JobExecution>, Error> {
        let body = types::ExecuteJobRequest {
            cluster_id: self.cluster_id,
            input_id: self.input_id,
            output_id: self.output_id,
            is_protected: self.is_protected,
            is_public: self.is_public,
            job_configs: types::ExecutionSettings { configs: self.configs, args: self.args, params: self.params },
        };
        let Job { session, id } = self.job;
        let request = session.mrs_client().execute_job().project_id(session.project_id()).job_id(id).body(body);
        let started = call(&operations::EXECUTE_JOB, request.send()).await?.job_execution;
        let id = operations::EXECUTE_JOB.read_id("job_execution.id", &started.id)?;
        Ok(Entry::new(Execution::new(session.clone(), id), started))
    }
}

/// One execution. The same handle whether named by id, started, or found in a list.
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

    /// What the service knows of it.
    pub async fn show(&self) -> Result<types::JobExecution, Error> {
        let request = self.session.mrs_client().show_job_execution().project_id(self.session.project_id());
        Ok(call(&operations::SHOW_JOB_EXECUTION, request.job_execution_id(&self.id).send()).await?.job_execution)
    }

    /// Cancels it, and answers what it is then.
    pub async fn cancel(&self) -> Result<types::JobExecution, Error> {
        let request = self.session.mrs_client().cancel_job_execution().project_id(self.session.project_id());
        Ok(call(&operations::CANCEL_JOB_EXECUTION, request.job_execution_id(&self.id).send()).await?.job_execution)
    }

    /// Deletes it. The id of a submitted job is taken too, and its exe object goes.
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_job_execution().project_id(self.session.project_id());
        call(&operations::DELETE_JOB_EXECUTION, request.job_execution_id(&self.id).send()).await
    }

    /// Waits until it is done, see [`waiting`](crate::waiting).
    pub fn wait(&self) -> Wait<'_, Self> {
        Wait::new(self)
    }
}

impl Awaited for Execution {
    type Details = types::JobExecution;

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

/// How far an execution is. The documentation shows no state: an execution has ended when it has an end, and it succeeded
/// unless its return code is another one than 0.
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
