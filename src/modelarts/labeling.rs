//! Labeling jobs, `annotation-jobs` in paths.

#![allow(deprecated, reason = "private installations may still have these operations")]

use super::types;
use crate::api::modelarts::operations;
use crate::api::wire::{bounded, checked};
use crate::api::{Operation, call};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::LabelingJobId;
use crate::paging::{Batch, List, Numbered, Position, Query};
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
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::types::{LabelingDataType, LabelingJobType};
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let jobs = session.modelarts().labeling_jobs();
    /// let job = jobs.create("cats", LabelingDataType::Obs, LabelingJobType::ManualImageClassify);
    /// let job = job.path("cat-dataset/").send().await?;
    /// println!("{}", job.id());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
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

    /// Lists the labeling jobs, see [`paging`](crate::paging).
    #[doc(alias = "query_label_jobs")]
    pub fn list(&self) -> List<LabelingJobsQuery> {
        let session = self.session.clone();
        List::new(LabelingJobsQuery { session, limit: None, search: None, sort_by: None, order: None })
    }
}

/// The creation of a labeling job, see [`LabelingJobs::create`].
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
        let body = operations::CREATE_ANNOTATION_JOB.prepare(|| {
            Ok(types::CreateAnnotationJobRequest {
                name: checked("name", self.name)?,
                description: self.description,
                data_type: self.data_type,
                path: self.path,
                filter_id: self.filter_id,
                type_: self.job_type,
            })
        })?;
        let client = self.session.modelarts_client();
        let request = client.create_annotation_job().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_ANNOTATION_JOB, request.send()).await?;
        let id = operations::CREATE_ANNOTATION_JOB.read_id("job_id", &created.job_id)?;
        Ok(Entry::new(LabelingJob::new(self.session.clone(), id), created))
    }
}

/// Labeling jobs, see [`LabelingJobs::list`].
#[derive(Clone, Debug)]
pub struct LabelingJobsQuery {
    session: Session,
    limit: Option<u32>,
    search: Option<String>,
    sort_by: Option<types::LabelingJobSortKey>,
    order: Option<types::SortOrder>,
}

impl List<LabelingJobsQuery> {
    /// Jobs on a page, from 1; 10 by default.
    pub fn limit(mut self, limit: u32) -> Self {
        self.query().limit = Some(limit);
        self
    }

    /// Only jobs whose name contains the text, 0 to 100 characters.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query().search = Some(text.into());
        self
    }

    /// What the jobs are sorted by.
    pub fn sort_by(mut self, key: types::LabelingJobSortKey) -> Self {
        self.query().sort_by = Some(key);
        self
    }

    /// Whether they are sorted upwards or downwards.
    pub fn order(mut self, order: types::SortOrder) -> Self {
        self.query().order = Some(order);
        self
    }
}

impl Query for LabelingJobsQuery {
    type Entry = Entry<LabelingJob, types::LabelingJob>;
    const OPERATION: &'static Operation = &operations::LIST_ANNOTATION_JOBS;

    fn id(entry: &Self::Entry) -> String {
        entry.id().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, limit, search, sort_by, order } = self;
        let request = session.modelarts_client().list_annotation_jobs().project_id(session.project_id());
        let mut request = request.offset(bounded("offset", at.number(Self::OPERATION)?)?);
        // Always sent: the documentation names no default, and the size is needed to know where the list ends.
        let limit = limit.or(Self::OPERATION.page_size());
        if let Some(limit) = limit {
            request = request.limit(bounded("limit", limit)?);
        }
        if let Some(text) = search {
            let text: types::ListAnnotationJobsSearchContent = checked("search_content", text)?;
            request = request.search_content(text);
        }
        if let Some(key) = sort_by {
            request = request.sort_by(key);
        }
        if let Some(order) = order {
            request = request.order(order);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        let entry = |job: types::LabelingJob| {
            Ok(Entry::new(LabelingJob::new(session.clone(), Self::OPERATION.read_id("jobs[].id", &job.id)?), job))
        };
        let entries = page.jobs.into_iter().map(entry).collect::<Result<_, Error>>()?;
        Ok(Batch::numbered(entries, page.job_total_count, limit))
    }
}

impl Numbered for LabelingJobsQuery {}

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

    /// Deletes the job.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().labeling_job("062ef90a-da4d-4af4-82ba-1523da57e78e")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "delete_label_job")]
    pub async fn delete(&self) -> Result<(), Error> {
        let Self { session, id } = self;
        let request = session.modelarts_client().delete_annotation_job().project_id(session.project_id()).job_id(id);
        call(&operations::DELETE_ANNOTATION_JOB, request.send()).await?;
        Ok(())
    }

    /// Returns the images to validate, and the result of the last validation.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.modelarts().labeling_job("062ef90a-da4d-4af4-82ba-1523da57e78e")?;
    /// for image in job.validation().await?.images {
    ///     println!("{:?} {:?}", image.url, image.tags);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "query_validation")]
    pub async fn validation(&self) -> Result<types::ShowAnnotationJobValidationResponse, Error> {
        let Self { session, id } = self;
        let request = session.modelarts_client().show_annotation_job_validation().project_id(session.project_id());
        call(&operations::SHOW_ANNOTATION_JOB_VALIDATION, request.job_id(id).send()).await
    }

    /// Saves the result of a validation: the percentage of images that passed, from 0.00 to 100.00 with at most two
    /// decimals.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let job = session.modelarts().labeling_job("062ef90a-da4d-4af4-82ba-1523da57e78e")?;
    /// job.save_validation("98.00").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save_validation(&self, pass_rate: impl AsRef<str>) -> Result<(), Error> {
        let body = operations::SAVE_ANNOTATION_JOB_VALIDATION.prepare(|| {
            let pass_rate = pass_rate.as_ref().parse().map_err(|reason| Error::invalid_field("pass_rate", reason))?;
            Ok(types::SaveAnnotationJobValidationRequest { pass_rate })
        })?;
        let Self { session, id } = self;
        let request = session.modelarts_client().save_annotation_job_validation().project_id(session.project_id());
        call(&operations::SAVE_ANNOTATION_JOB_VALIDATION, request.job_id(id).body(body).send()).await?;
        Ok(())
    }
}

/// An update of a labeling job, see [`LabelingJob::update`].
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
        let body = operations::UPDATE_ANNOTATION_JOB.prepare(|| {
            Ok(types::UpdateAnnotationJobRequest { name: checked("name", self.name)?, description: self.description })
        })?;
        let LabelingJob { session, id } = self.job;
        let request =
            session.modelarts_client().update_annotation_job().project_id(session.project_id()).job_id(id).body(body);
        call(&operations::UPDATE_ANNOTATION_JOB, request.send()).await
    }
}
