//! Labeling jobs, `annotation-jobs` on the wire.

use super::types;
use crate::api::modelarts::{builder, operations};
use crate::api::{call, wire::checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::LabelingJobId;
use crate::session::Session;

/// The labeling jobs of a project.
#[derive(Clone, Debug)]
pub struct LabelingJobs {
    session: Session,
}

impl LabelingJobs {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a labeling job.
    #[doc(alias = "create_label_job")]
    pub fn create(
        &self,
        name: impl Into<String>,
        data_type: types::LabelingDataType,
        job_type: types::LabelingJobType,
    ) -> CreateLabelingJob {
        CreateLabelingJob {
            session: self.session.clone(),
            name: name.into(),
            data_type,
            job_type,
            description: None,
            path: None,
            filter_id: None,
        }
    }

    /// Lists the labeling jobs.
    #[doc(alias = "query_label_jobs")]
    pub fn list(&self) -> ListLabelingJobs<'_> {
        let request = self.session.modelarts_client().list_annotation_jobs().project_id(self.session.project_id());
        ListLabelingJobs { session: &self.session, request }
    }
}

/// A labeling job to be created, see [`LabelingJobs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateLabelingJob {
    session: Session,
    name: String,
    data_type: types::LabelingDataType,
    job_type: types::LabelingJobType,
    description: Option<String>,
    path: Option<String>,
    filter_id: Option<String>,
}

impl CreateLabelingJob {
    /// Description of the job.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// OBS path of the images, where they come from OBS.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The filter job that the images come from.
    pub fn filter_id(mut self, filter_id: impl Into<String>) -> Self {
        self.filter_id = Some(filter_id.into());
        self
    }

    /// Creates the job.
    pub async fn send(self) -> Result<Entry<LabelingJob, types::CreateAnnotationJobResponse>, Error> {
        let body = types::CreateAnnotationJobRequest {
            name: checked("name", self.name)?,
            description: self.description,
            data_type: self.data_type,
            path: self.path,
            filter_id: self.filter_id,
            type_: self.job_type,
        };
        let client = self.session.modelarts_client();
        let request = client.create_annotation_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_ANNOTATION_JOB, request.send()).await?;
        let id = created.job_id.as_str().try_into()?;
        Ok(Entry::new(LabelingJob::new(self.session.clone(), id), created))
    }
}

/// A list of labeling jobs to be asked for, see [`LabelingJobs::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListLabelingJobs<'a> {
    session: &'a Session,
    request: builder::ListAnnotationJobs<'a>,
}

impl ListLabelingJobs<'_> {
    /// Jobs in the answer.
    pub fn limit(mut self, limit: i32) -> Self {
        self.request = self.request.limit(limit);
        self
    }

    /// Only jobs whose name contains the text, 0 to 100 characters.
    pub fn search(mut self, text: &str) -> Self {
        self.request = self.request.search_content(text);
        self
    }

    /// Asks for the jobs.
    pub async fn send(self) -> Result<Vec<Entry<LabelingJob, types::LabelingJob>>, Error> {
        let page = call(&operations::LIST_ANNOTATION_JOBS, self.request.send()).await?;
        let entry = |job: types::LabelingJob| {
            Ok(Entry::new(LabelingJob::new(self.session.clone(), job.id.as_str().try_into()?), job))
        };
        page.jobs.into_iter().map(entry).collect()
    }
}

/// One labeling job. The same handle whether named by id, created, or found in a list.
#[derive(Clone, Debug)]
pub struct LabelingJob {
    session: Session,
    id: LabelingJobId,
}

impl LabelingJob {
    pub(super) fn new(session: Session, id: LabelingJobId) -> Self {
        Self { session, id }
    }

    /// Id of the job.
    pub fn id(&self) -> &LabelingJobId {
        &self.id
    }

    /// Changes the name and, if given, the description of the job.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.modelarts().labeling_job("062ef90a-da4d-4af4-82ba-1523da57e78e")?;
    /// job.update("label_name").description("label_description").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "mod_label_job")]
    pub fn update(&self, name: impl Into<String>) -> UpdateLabelingJob<'_> {
        UpdateLabelingJob { job: self, name: name.into(), description: None }
    }
}

/// A change of a labeling job, see [`LabelingJob::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateLabelingJob<'a> {
    job: &'a LabelingJob,
    name: String,
    description: Option<String>,
}

impl UpdateLabelingJob<'_> {
    /// New description; without it the old one stays.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Changes the job.
    pub async fn send(self) -> Result<types::UpdateAnnotationJobResponse, Error> {
        let body =
            types::UpdateAnnotationJobRequest { name: checked("name", self.name)?, description: self.description };
        let LabelingJob { session, id } = self.job;
        let request =
            session.modelarts_client().update_annotation_job().project_id(session.project_id()).job_id(id).body(body);
        call(&operations::UPDATE_ANNOTATION_JOB, request.send()).await
    }
}
