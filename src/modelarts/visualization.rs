//! Visualization jobs: TensorBoard and MindInsight on a training output.

use std::time::Duration;

use super::{JobState, obs, types};
use crate::api::modelarts::operations;
use crate::api::wire::job_status::{phase, runs};
use crate::api::wire::{bounded, checked};
use crate::api::{Operation, call};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::VisualizationJobId;
use crate::paging::{Batch, List, Numbered, Position, Query};
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
    /// let job = jobs.create("my-board", "/bucket/output/").stop_after(Duration::from_secs(3600)).send().await?;
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
        List::new(VisualizationJobsQuery {
            session: self.session.clone(),
            per_page: None,
            status: None,
            search: None,
            sort_by: None,
            order: None,
            workspace_id: None,
        })
    }
}

/// A visualization job to be created, see [`VisualizationJobs::create`].
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
    /// Description, 0 to 256 characters; empty by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// What shows the output; TensorBoard by default.
    pub fn job_type(mut self, job_type: types::VisualizationJobType) -> Self {
        self.job_type = Some(job_type);
        self
    }

    /// When the job stops by itself; the documents' request sends a list of one.
    pub fn schedule(mut self, schedule: impl Into<Vec<types::AutoStopInput>>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Stops the job by itself after whole hours, 24 at the most; it goes on by default.
    pub fn stop_after(mut self, time: Duration) -> Self {
        self.stop_after = Some(time);
        self
    }

    /// Code of the resources that it runs on; the free ones by default.
    pub fn flavor(mut self, code: impl Into<String>) -> Self {
        self.flavor = Some(code.into());
        self
    }

    /// Creates the job.
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
        let job = VisualizationJob::new(self.session.clone(), created.job_id.get().into());
        Ok(Entry::new(job, created))
    }
}

/// The end after a time as it goes over the wire.
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

/// Visualization jobs, see [`VisualizationJobs::list`].
#[derive(Clone, Debug)]
pub struct VisualizationJobsQuery {
    session: Session,
    per_page: Option<u32>,
    status: Option<JobState>,
    search: Option<String>,
    sort_by: Option<types::VisualizationJobSortKey>,
    order: Option<types::SortOrder>,
    workspace_id: Option<String>,
}

impl List<VisualizationJobsQuery> {
    /// Jobs on a page, 1 to 1000; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.query().per_page = Some(per_page);
        self
    }

    /// Only jobs in this state. Failed jobs are in several: see [`JobState`].
    pub fn status(mut self, state: JobState) -> Self {
        self.query().status = Some(state);
        self
    }

    /// Only jobs whose name contains the text, 0 to 64 characters.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query().search = Some(text.into());
        self
    }

    /// What the jobs are sorted by.
    pub fn sort_by(mut self, key: types::VisualizationJobSortKey) -> Self {
        self.query().sort_by = Some(key);
        self
    }

    /// Whether they are sorted upwards or downwards.
    pub fn order(mut self, order: types::SortOrder) -> Self {
        self.query().order = Some(order);
        self
    }

    /// Only jobs of this workspace; the default workspace `0` if not given.
    pub fn workspace_id(mut self, workspace_id: impl Into<String>) -> Self {
        self.query().workspace_id = Some(workspace_id.into());
        self
    }
}

impl Query for VisualizationJobsQuery {
    type Entry = Entry<VisualizationJob, types::VisualizationJob>;
    const OPERATION: &'static Operation = &operations::LIST_VISUALIZATION_JOBS;

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, per_page, status, search, sort_by, order, workspace_id } = self;
        let request = session.modelarts_client().list_visualization_jobs().project_id(session.project_id());
        let mut request = request.page(bounded("page", at.number(Self::OPERATION)?)?);
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        if let Some(state) = status {
            request = request.status(state.filter()?);
        }
        if let Some(text) = search {
            let text: types::ListVisualizationJobsSearchContent = checked("search_content", text)?;
            request = request.search_content(text);
        }
        if let Some(key) = sort_by {
            request = request.sort_by(key);
        }
        if let Some(order) = order {
            request = request.order(order);
        }
        if let Some(id) = workspace_id {
            request = request.workspace_id(id);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        let entry = |job: types::VisualizationJob| {
            Entry::new(VisualizationJob::new(session.clone(), job.job_id.get().into()), job)
        };
        let entries = page.jobs.into_iter().map(entry).collect();
        Ok(Batch::numbered(entries, page.job_total_count, per_page))
    }
}

impl Numbered for VisualizationJobsQuery {}

/// One visualization job. The same handle whether named by id, created, or found in a list.
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

    /// What the service knows of the job.
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
    #[doc(alias = "get_visualization_job_info")]
    pub async fn show(&self) -> Result<types::ShowVisualizationJobResponse, Error> {
        let client = self.session.modelarts_client();
        let request = client.show_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::SHOW_VISUALIZATION_JOB, request.send()).await
    }

    /// Replaces the description of the job.
    ///
    /// The description has 0 to 256 characters (not bytes); a longer one is refused before anything is sent.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.update_description("update visualization job").await?;
    /// # Ok(())
    /// # }
    /// ```
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
    /// Stops the job. It goes on in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "stop_visualization_job")]
    pub async fn stop(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.stop_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::STOP_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Starts the job again after it was stopped. It goes on in the background; wait for it with
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
    #[doc(alias = "restart_visualization_job")]
    pub async fn restart(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.restart_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::RESTART_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Deletes the job. It goes on in the background.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().visualization_job(8992)?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "delete_visualization_job")]
    pub async fn delete(&self) -> Result<(), Error> {
        let client = self.session.modelarts_client();
        let request = client.delete_visualization_job().project_id(self.session.project_id()).job_id(&self.id);
        call(&operations::DELETE_VISUALIZATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Waits for the job, see [`waiting`](crate::waiting).
    pub fn wait(&self) -> Wait<'_, Self> {
        Wait::new(self)
    }
}

impl Awaited for VisualizationJob {
    type Details = types::ShowVisualizationJobResponse;

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
    /// Waits until the job runs and can be looked at.
    pub async fn for_running(
        self,
    ) -> Result<types::ShowVisualizationJobResponse, WaitError<types::ShowVisualizationJobResponse>> {
        self.until(|details| runs(details.status.as_ref())).await
    }
}
