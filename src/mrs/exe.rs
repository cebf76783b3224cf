//! Jobs that are submitted to a cluster, and their exe objects.

use super::types;
use crate::api::call;
use crate::api::mrs::{operations, states};
use crate::api::wire::{ClusterId, Integer, JobExeId, bounded, checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, lists, setters};
use crate::ids::given;
use crate::paging::{Batch, List, Numbered};
use crate::session::Session;
use crate::shape::state;
use crate::waiting::{Awaited, Phase, Wait};

/// The jobs that were submitted in a project.
#[derive(Clone, Debug)]
pub struct JobExes {
    session: Session,
}

impl JobExes {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Submits a job to a running cluster.
    ///
    /// The name has 1 to 64 letters, digits, `-` or `_`. Which other values a type of job needs:
    /// MapReduce and Spark a `jar_path`, scripts a `hive_script_path`, copies a `file_action`, Spark SQL a `hql`.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::mrs::JobExeType;
    /// let submitted = session
    ///     .mrs()
    ///     .job_exes()
    ///     .submit("wordcount", JobExeType::MapReduce, "e955a7a3-d334-4943-a39a-994976900d56")
    ///     .jar_path("s3a://bucket/wordcount.jar")
    ///     .arguments("wordcount")
    ///     .input("s3a://bucket/in/")
    ///     .output("s3a://bucket/out/")
    ///     .await?;
    /// submitted.wait().for_completion().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn submit(
        &self,
        name: impl Into<String>,
        job_type: JobExeType,
        cluster_id: impl TryInto<ClusterId, Error: Into<Error>>,
    ) -> SubmitJob {
        SubmitJob {
            session: self.session.clone(),
            name: name.into(),
            job_type,
            cluster_id: given(cluster_id),
            jar_path: None,
            arguments: None,
            input: None,
            output: None,
            job_log: None,
            hive_script_path: None,
            file_action: None,
            hql: None,
        }
    }

    /// Lists the exe objects of a cluster, see [`paging`](crate::paging). A malformed id is reported by the first call.
    pub fn list(&self, cluster_id: impl TryInto<ClusterId, Error: Into<Error>>) -> List<JobExesQuery> {
        JobExesQuery::list(self.session.clone(), given(cluster_id))
    }
}

macro_rules! coded {
    ($(#[$attribute:meta])* $name:ident, $wire:ty: $($code:literal $variant:ident $meaning:literal,)+) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!($meaning, " (", $code, ").")] $variant = $code,)+
        }

        impl TryFrom<$name> for $wire {
            type Error = Error;

            fn try_from(value: $name) -> Result<Self, Error> {
                // The codes are those of the description; a test converts each one.
                Self::try_from(value as i32).map_err(|reason| Error::invalid_request(reason.to_string()))
            }
        }
    };
}

coded! {
    /// The types of submitted jobs. The documentation lists two more as unsupported.
    JobExeType, types::SubmitJobType:
    1 MapReduce "A MapReduce program",
    2 Spark "A Spark program",
    3 HiveScript "A Hive script",
    5 DistCp "A copy between HDFS and OBS",
    6 SparkScript "A Spark script",
}

coded! {
    /// The states of submitted jobs for the filter of a list.
    JobExeState, types::JobExeStateFilter:
    -1 Terminated "Terminated",
    2 Running "Running",
    3 Completed "Completed",
    4 Abnormal "Abnormal",
}

/// The submission of a job, see [`JobExes::submit`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct SubmitJob {
    session: Session,
    name: String,
    job_type: JobExeType,
    /// Why the id is malformed is reported by `send`.
    cluster_id: Result<ClusterId, Error>,
    jar_path: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    output: Option<String>,
    job_log: Option<String>,
    hive_script_path: Option<String>,
    file_action: Option<types::FileAction>,
    hql: Option<String>,
}

impl SubmitJob {
    setters! {
        /// Sets the program, at most 1023 characters; begins with `s3a://` (OBS) or `/` (HDFS) and ends in `.jar`, or in
        /// `.sql` for a Spark script.
        jar_path(path: impl Into<String>) = path.into();
        /// Sets the arguments of the program in one text, at most 2047 characters.
        arguments(arguments: impl Into<String>) = arguments.into();
        /// Sets where the input is, at most 1023 characters; `s3a://` or `/`.
        input(path: impl Into<String>) = path.into();
        /// Sets where the output goes, at most 1023 characters; `s3a://` or `/`.
        output(path: impl Into<String>) = path.into();
        /// Sets where the logs go, at most 1023 characters; `s3a://` or `/`.
        job_log(path: impl Into<String>) = path.into();
        /// Sets the script, at most 1023 characters; `s3a://` or `/`, ends in `.sql`.
        hive_script_path(path: impl Into<String>) = path.into();
        /// Sets the direction of a copy.
        file_action(action: types::FileAction) = action;
        /// Sets the statement, where the cloud supports that type.
        hql(hql: impl Into<String>) = hql.into();
    }

    /// Submits the job. A cloud bills this work.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<JobExe, types::SubmittedJob>, Error> {
        let body = operations::SUBMIT_JOB.prepare(|| {
            Ok(types::SubmitJobRequest {
                job_type: self.job_type.try_into()?,
                job_name: checked("job_name", self.name)?,
                cluster_id: self.cluster_id?.into(),
                jar_path: self.jar_path.map(|text| checked("jar_path", text)).transpose()?,
                arguments: self.arguments.map(|text| checked("arguments", text)).transpose()?,
                input: self.input.map(|text| checked("input", text)).transpose()?,
                output: self.output.map(|text| checked("output", text)).transpose()?,
                job_log: self.job_log.map(|text| checked("job_log", text)).transpose()?,
                hive_script_path: self.hive_script_path.map(|text| checked("hive_script_path", text)).transpose()?,
                file_action: self.file_action,
                hql: self.hql,
                // They have no effect.
                is_protected: None,
                is_public: None,
            })
        })?;
        let request = self.session.mrs_client().submit_job().project_id(self.session.project_id()).body(body);
        let submitted = call(&operations::SUBMIT_JOB, request.send()).await?.job_execution;
        let id = operations::SUBMIT_JOB.read_id("job_execution.id", &submitted.id)?;
        Ok(Entry::new(JobExe::new(self.session, id), submitted))
    }
}

lists! {
    /// Exe objects, see [`JobExes::list`].
    JobExesQuery { session: Session, cluster_id: Result<ClusterId, Error> } of Entry<JobExe, types::JobExeDetails>,
        operations::LIST_JOB_EXES;
    id(entry) entry.id().to_string();
    request(query, at) {
        let request = query.session.mrs_client().list_job_exes().project_id(query.session.project_id());
        let request = request.cluster_id(query.cluster_id.clone()?);
        let request = request.current_page(bounded("current_page", at.number(Self::OPERATION)?)?);
        // Always sent: the documentation names no default, and the size is needed to know where the list ends.
        request.page_size(bounded("page_size", Self::OPERATION.page_size().unwrap_or(1))?)
    };
    batch(page) {
        let entry = |exe: types::JobExeDetails| {
            let id = Self::OPERATION.read_id("job_executions[].id", &exe.id)?;
            Ok(Entry::new(JobExe::new(query.session.clone(), id), exe))
        };
        let entries = page.job_executions.into_iter().map(entry).collect::<Result<_, Error>>()?;
        Batch::numbered(entries, page.total_record, query.per_page.or(Self::OPERATION.page_size()))
    };
    filters {
    /// Sets the number of exe objects on a page, 1 to 100; 10 by default.
    #[doc(alias = "page_size")]
    per_page(per_page: u32): u32 = per_page => |request| request.page_size(bounded("page_size", per_page)?);
    /// Returns only the exe object with this id.
    id(id: impl TryInto<JobExeId, Error: Into<Error>>): Result<JobExeId, Error> = given(id) => |request| request.id(id?);
    /// Returns only jobs of this name.
    job_name(name: impl Into<String>): String = name.into() => |request| request.job_name(name);
    /// Returns only jobs in this state.
    state(state: JobExeState): JobExeState = state
        => |request| request.state(types::JobExeStateFilter::try_from(state)?);
    }
}

impl Numbered for JobExesQuery {}

awaitable! {
    SubmitJob => Result<Entry<JobExe, types::SubmittedJob>, Error>;
}

identified! {
    JobExe.id => JobExeId;
}

/// A submitted job, named by id, submitted or found in a list.
#[derive(Clone, Debug)]
pub struct JobExe {
    session: Session,
    id: JobExeId,
}

impl JobExe {
    pub(super) fn new(session: Session, id: JobExeId) -> Self {
        Self { session, id }
    }

    /// Id of the exe object.
    pub fn id(&self) -> &JobExeId {
        &self.id
    }

    /// Returns the details of the job.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn show(&self) -> Result<types::JobExeDetails, Error> {
        let request = self.session.mrs_client().show_job_exe().project_id(self.session.project_id());
        Ok(call(&operations::SHOW_JOB_EXE, request.job_exe_id(&self.id).send()).await?.job_execution)
    }

    /// Deletes the exe object.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_job_execution().project_id(self.session.project_id());
        call(&operations::DELETE_JOB_EXECUTION, request.job_execution_id(self.id.as_str()).send()).await
    }

    /// Waits until the job has ended, see [`waiting`](crate::waiting).
    pub fn wait<'a>(&self) -> Wait<'a, Self> {
        Wait::new(self.clone())
    }
}

impl Awaited for JobExe {
    type Details = types::JobExeDetails;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Self::Details, Error> {
        self.show().await
    }

    fn phase(details: &Self::Details) -> (Phase, String) {
        phase(details.job_state.map(Integer::get), details.job_final_status.map(Integer::get))
    }
}

/// Returns the phase of a submitted job from its state and its final status, and the documented name of its state.
///
/// The state decides whether the job has ended, because the documentation prints a running job with a final status. The
/// final status decides how it ended; if it says nothing, the final state does. Without a documented state, the final
/// status decides both.
fn phase(job_state: Option<i64>, final_status: Option<i64>) -> (Phase, String) {
    let state_row = job_state.and_then(|code| state(states::JOB_EXE_STATE, code));
    let final_phase = final_status.and_then(|code| state(states::JOB_EXE_FINAL_STATUS, code)).map(|row| row.phase);
    let phase = match (state_row.map(|row| row.phase), final_phase) {
        (Some(Phase::Underway), _) | (None, None) => Phase::Underway,
        (Some(ended), None | Some(Phase::Underway)) => ended,
        (_, Some(end)) => end,
    };
    let word = match (state_row, job_state) {
        (Some(row), _) => row.name.to_owned(),
        (None, Some(code)) => code.to_string(),
        (None, None) => "not given".to_owned(),
    };
    (phase, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests each combination of state and final status, undocumented and missing ones included.
    #[test]
    fn state_and_final_status_have_one_meaning() {
        use Phase::{Failed as F, Succeeded as S, Underway as U};
        // Final status: missing, 0 unfinished, 1 error, 2 success, 3 canceled, undocumented.
        let finals = [None, Some(0), Some(1), Some(2), Some(3), Some(9)];
        let table = [
            (None, [U, U, F, S, F, U]),
            (Some(-1), [F, F, F, S, F, F]),
            (Some(1), [U, U, U, U, U, U]),
            (Some(2), [U, U, U, U, U, U]),
            (Some(3), [S, S, F, S, F, S]),
            (Some(4), [F, F, F, S, F, F]),
            (Some(5), [F, F, F, S, F, F]),
            (Some(7), [U, U, F, S, F, U]),
        ];
        let known = states::JOB_EXE_STATE.iter().map(|row| Some(row.code));
        assert!(known.clone().all(|code| table.iter().any(|(state, _)| *state == code)));
        assert!(states::JOB_EXE_FINAL_STATUS.iter().all(|row| finals.contains(&Some(row.code))));
        for (state, phases) in table {
            for (end, expected) in finals.into_iter().zip(phases) {
                assert_eq!(phase(state, end).0, expected, "state {state:?}, final status {end:?}");
            }
        }
        assert_eq!(
            [phase(Some(4), None).1, phase(Some(7), None).1, phase(None, None).1],
            ["abnormal", "7", "not given"]
        );
    }

    #[test]
    fn codes_are_the_described_ones() {
        use JobExeType::*;
        for job_type in [MapReduce, Spark, HiveScript, DistCp, SparkScript] {
            assert_eq!(*types::SubmitJobType::try_from(job_type).unwrap(), job_type as i32);
        }
        for state in [JobExeState::Terminated, JobExeState::Running, JobExeState::Completed, JobExeState::Abnormal] {
            assert_eq!(*types::JobExeStateFilter::try_from(state).unwrap(), state as i32);
        }
    }
}
