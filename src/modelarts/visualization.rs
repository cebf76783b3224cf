//! Visualization jobs: TensorBoard and MindInsight on a training output.

use std::time::Duration;

use futures_core::Stream;

use super::{JobState, obs, types};
use crate::api::call;
use crate::api::modelarts::operations;
use crate::api::wire::job_status::{phase, runs};
use crate::api::wire::{VisualizationJobId, bounded, checked};
use crate::bulk::{self, Bulk};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, lists, setters};
use crate::paging::{Batch, List, Numbered, SortOrder};
use crate::session::Session;
use crate::waiting::{Awaited, Phase, Wait, WaitError};

/// The visualization jobs of a project.
#[derive(Clone, Debug)]
pub struct VisualizationJobs {
    session: Session,
}

impl VisualizationJobs {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a visualization job that shows the training output at an OBS path.
    ///
    /// The name has 1 to 20 letters, digits, `_` or `-`; the path is a directory, `/bucket/dir/`.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use std::time::Duration;
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let jobs = session.modelarts().visualization_jobs();
    /// let job = jobs.create("my-board", "/bucket/output/").stop_after(Duration::from_secs(3600)).await?;
    /// println!("{:?}", job.details.service_url);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    #[doc(alias = "create_visualization_job")]
    pub fn create(&self, name: impl Into<String>, train_url: impl Into<String>) -> CreateVisualizationJob {
        CreateVisualizationJob {
            session: self.session.clone(),
            name: name.into(),
            train_url: train_url.into(),
            description: None,
            job_type: None,
            flavor: None,
            schedule: None,
            stop_after: None,
        }
    }

    /// Lists the visualization jobs, see [`paging`](crate::paging).
    #[doc(alias = "get_visualization_job_list")]
    #[doc(alias = "get_visualization_job_object_list")]
    pub fn list(&self) -> List<VisualizationJobsQuery> {
        VisualizationJobsQuery::list(self.session.clone())
    }

    /// Replaces the descriptions of many jobs concurrently, see [`bulk`](crate::bulk).
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::bulk;
    /// let updates = bulk::iter([(8992, "first board"), (8993, "second board")]);
    /// let mut updates = session.modelarts().visualization_jobs().update_descriptions(updates);
    /// while let Some(done) = updates.next().await {
    ///     println!("{}: {:?}", done.id, done.result);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_visualization_job")]
    pub fn update_descriptions<'a, I, D>(
        &self,
        updates: impl Stream<Item = (I, D)> + Send + 'a,
    ) -> Bulk<'a, VisualizationJobId>
    where
        I: Into<VisualizationJobId>,
        D: Into<String>,
    {
        let session = self.session.clone();
        Bulk::new(self.session.clone(), updates, move |(id, description)| {
            let job = VisualizationJob::new(session.clone(), id.into());
            let update = |job: VisualizationJob, text: String| async move { job.update_description(text).await };
            (job.id.clone(), bulk::update(job, description.into(), update))
        })
    }
}

/// The creation of a visualization job, see [`VisualizationJobs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateVisualizationJob {
    session: Session,
    name: String,
    train_url: String,
    description: Option<String>,
    job_type: Option<types::VisualizationJobType>,
    flavor: Option<String>,
    schedule: Option<Vec<types::AutoStopInput>>,
    stop_after: Option<Duration>,
}

impl CreateVisualizationJob {
    setters! {
        /// Sets the description, 0 to 256 characters; empty by default.
        description(description: impl Into<String>) = description.into();
        /// Sets the tool that shows the output; TensorBoard by default.
        job_type(job_type: types::VisualizationJobType) = job_type;
        /// Sets when the job stops by itself; the documents' request has a list of one.
        schedule(schedule: impl Into<Vec<types::AutoStopInput>>) = schedule.into();
        /// Stops the job by itself after whole hours, 24 at the most; by default it does not stop.
        stop_after(time: Duration) = time;
        /// Sets the code of the resources that the job runs on; the free ones by default.
        flavor(code: impl Into<String>) = code.into();
    }

    /// Creates the job.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<VisualizationJob, types::CreateVisualizationJobResponse>, Error> {
        let body = operations::CREATE_VISUALIZATION_JOB.prepare(|| {
            let schedule = match self.stop_after {
                Some(time) => Some(vec![after(time)?]),
                None => self.schedule,
            };
            Ok(types::CreateVisualizationJobRequest {
                job_name: checked("job_name", self.name)?,
                job_desc: self.description.map(|text| checked("job_desc", text)).transpose()?,
                train_url: obs::directory("train_url", self.train_url)?,
                job_type: self.job_type,
                flavor: self.flavor.map(|code| types::VisualizationFlavorInput { code }),
                schedule,
            })
        })?;
        let client = self.session.modelarts_client();
        let request = client.create_visualization_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_VISUALIZATION_JOB, request.send()).await?;
        let job = VisualizationJob::new(self.session.clone(), created.job_id.clone());
        Ok(Entry::new(job, created))
    }
}

/// Converts the schedule into the form of a request.
fn after(time: Duration) -> Result<types::AutoStopInput, Error> {
    let refuse = || Error::invalid_field("duration", format!("is whole hours, from 0 to 24, not {time:?}"));
    let hours = i64::try_from(time.as_secs() / 3600).map_err(|_| refuse())?;
    if Duration::from_secs(time.as_secs() / 3600 * 3600) != time {
        return Err(refuse());
    }
    Ok(types::AutoStopInput {
        type_: types::AutoStopType::Stop,
        time_unit: types::AutoStopTimeUnit::Hours,
        duration: hours.try_into().map_err(|_| refuse())?,
    })
}

lists! {
    /// Visualization jobs, see [`VisualizationJobs::list`].
    VisualizationJobsQuery { session: Session } of Entry<VisualizationJob, types::VisualizationJobSummary>,
        operations::LIST_VISUALIZATION_JOBS;
    id(entry) entry.id().to_string();
    request(query, at) {
        let client = query.session.modelarts_client();
        let request = client.list_visualization_jobs().project_id(query.session.project_id());
        request.page(bounded("page", at.number(Self::OPERATION)?)?)
    };
    batch(page) {
        let entry = |job: types::VisualizationJobSummary| {
            Entry::new(VisualizationJob::new(query.session.clone(), job.job_id.clone()), job)
        };
        Batch::numbered(page.jobs.into_iter().map(entry).collect(), page.job_total_count, query.per_page)
    };
    filters {
    /// Sets the number of jobs on a page, 1 to 1000; 10 by default.
    per_page(per_page: u32): u32 = per_page => |request| request.per_page(bounded("per_page", per_page)?);
    /// Returns only jobs in this state. Failed jobs are in several: see [`JobState`].
    status(state: JobState): JobState = state => |request| request.status(state.filter()?);
    /// Returns only jobs whose name contains the text, 0 to 64 characters.
    search(text: impl Into<String>): String = text.into()
        => |request| request.search_content(checked::<types::JobSearchContent>("search_content", text)?);
    /// Sorts the jobs by this key.
    sort_by(key: types::VisualizationJobSortKey): types::VisualizationJobSortKey = key => |request| request.sort_by(key);
    /// Sorts upwards or downwards.
    order(order: SortOrder): SortOrder = order => |request| request.order(order);
    /// Returns only jobs of this workspace; the default workspace `0` if not given.
    workspace_id(workspace_id: impl Into<String>): String = workspace_id.into()
        => |request| request.workspace_id(workspace_id);
    }
}

impl Numbered for VisualizationJobsQuery {}

awaitable! {
    CreateVisualizationJob => Result<Entry<VisualizationJob, types::CreateVisualizationJobResponse>, Error>;
}

identified! {
    VisualizationJob.id => VisualizationJobId;
}

/// A visualization job, named by id, created or found in a list.
#[derive(Clone, Debug)]
pub struct VisualizationJob {
    session: Session,
    id: VisualizationJobId,
}

impl VisualizationJob {
    pub(super) fn new(session: Session, id: VisualizationJobId) -> Self {
        Self { session, id }
    }

    /// Id of the job.
    pub fn id(&self) -> &VisualizationJobId {
        &self.id
    }

    /// Returns the details of the job.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let job = session.modelarts().visualization_job(8992)?.show().await?;
    /// println!("{} at {:?}", job.job_name, job.service_url);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "get_visualization_job_info")]
    pub async fn show(&self) -> Result<types::VisualizationJobDetails, Error> {
        let client = self.session.modelarts_client();
        let request = client.show_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::SHOW_VISUALIZATION_JOB, request.send()).await
    }

    /// Replaces the description of the job.
    ///
    /// The description has 0 to 256 characters (not bytes); a longer one is rejected before anything is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.update_description("update visualization job").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    #[doc(alias = "update_visualization_job")]
    pub async fn update_description(&self, description: impl AsRef<str>) -> Result<(), Error> {
        let body = operations::UPDATE_VISUALIZATION_JOB
            .prepare(|| Ok(types::UpdateVisualizationJobRequest { job_desc: checked("job_desc", description)? }))?;
        let client = self.session.modelarts_client();
        let request =
            client.update_visualization_job().project_id(self.session.project_id()).job_id(&self.id).body(body);
        call(&operations::UPDATE_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Stops the job. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "stop_visualization_job")]
    pub async fn stop(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.stop_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::STOP_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Restarts a stopped job. The service continues in the background; wait for it with
    /// [`for_running`](Wait::for_running).
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.modelarts().visualization_job(8992)?;
    /// job.restart().await?;
    /// println!("{:?}", job.wait().for_running().await?.service_url);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "restart_visualization_job")]
    pub async fn restart(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.restart_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::RESTART_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Deletes the job. The service continues in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "delete_visualization_job")]
    pub async fn delete(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.delete_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::DELETE_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Waits for the job, see [`waiting`](crate::waiting).
    pub fn wait<'a>(&self) -> Wait<'a, Self> {
        Wait::new(self.clone())
    }
}

impl Awaited for VisualizationJob {
    type Details = types::VisualizationJobDetails;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Self::Details, Error> {
        self.show().await
    }

    fn phase(details: &Self::Details) -> (Phase, String) {
        phase(details.status.as_ref())
    }
}

impl Wait<'_, VisualizationJob> {
    /// Waits until the job runs and can be opened.
    ///
    /// # Errors
    ///
    /// As [`for_completion`](Wait::for_completion).
    pub async fn for_running(
        self,
    ) -> Result<types::VisualizationJobDetails, WaitError<types::VisualizationJobDetails>> {
        self.until(|details| runs(details.status.as_ref())).await
    }
}
