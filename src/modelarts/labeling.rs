//! Labeling jobs, `annotation-jobs` in paths.

#![allow(deprecated, reason = "private installations may still have these operations")]
use futures_core::Stream;

use super::types;
use crate::api::call;
use crate::api::modelarts::operations;
use crate::api::wire::{LabelingJobId, bounded, checked};
use crate::bulk::{self, Bulk};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, lists, setters};
use crate::paging::{Batch, List, Numbered, SortOrder};
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
    /// let job = job.path("cat-dataset/").await?;
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
        LabelingJobsQuery::list(self.session.clone())
    }

    /// Replaces the names and the descriptions of many jobs, several at once, see [`bulk`](crate::bulk). The service changes
    /// a description only together with a name.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::bulk;
    /// let job = session.modelarts().labeling_job("062ef90a-da4d-4af4-82ba-1523da57e78e")?;
    /// let updates = bulk::iter([(job, "cats", "the images of May")]);
    /// let mut updates = session.modelarts().labeling_jobs().update_descriptions(updates);
    /// while let Some(done) = updates.next().await {
    ///     println!("{}: {:?}", done.id, done.result);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "mod_label_job")]
    pub fn update_descriptions<'a, I, N, D>(
        &self,
        updates: impl Stream<Item = (I, N, D)> + Send + 'a,
    ) -> Bulk<'a, LabelingJobId>
    where
        I: Into<LabelingJobId>,
        N: Into<String>,
        D: Into<String>,
    {
        let session = self.session.clone();
        Bulk::new(self.session.clone(), updates, move |(id, name, description)| {
            let job = LabelingJob::new(session.clone(), id.into());
            let update = |update: UpdateLabelingJob, ()| async move { update.send().await.map(drop) };
            (job.id.clone(), bulk::update(job.update(name).description(description), (), update))
        })
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
    setters! {
        /// Sets the description of the job.
        description(description: impl Into<String>) = description.into();
        /// Sets the OBS path of the images, where they come from OBS.
        path(path: impl Into<String>) = path.into();
        /// Sets the filter job that the images come from.
        filter_id(filter_id: impl Into<String>) = filter_id.into();
    }

    /// Creates the job.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
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

lists! {
    /// Labeling jobs, see [`LabelingJobs::list`].
    LabelingJobsQuery { session: Session } of Entry<LabelingJob, types::LabelingJobSummary>,
        operations::LIST_ANNOTATION_JOBS;
    id(entry) entry.id().to_string();
    request(query, at) {
        let client = query.session.modelarts_client();
        let request = client.list_annotation_jobs().project_id(query.session.project_id());
        let request = request.offset(bounded("offset", at.number(Self::OPERATION)?)?);
        // Always sent: the documentation names no default, and the size is needed to know where the list ends.
        request.limit(bounded("limit", Self::OPERATION.page_size().unwrap_or(1))?)
    };
    batch(page) {
        let entry = |job: types::LabelingJobSummary| {
            let id = Self::OPERATION.read_id("jobs[].id", &job.id)?;
            Ok(Entry::new(LabelingJob::new(query.session.clone(), id), job))
        };
        let entries = page.jobs.into_iter().map(entry).collect::<Result<_, Error>>()?;
        Batch::numbered(entries, page.job_total_count, query.per_page.or(Self::OPERATION.page_size()))
    };
    filters {
    /// Sets the number of jobs on a page, from 1; 10 by default.
    #[doc(alias = "limit")]
    per_page(per_page: u32): u32 = per_page => |request| request.limit(bounded("limit", per_page)?);
    /// Returns only jobs whose name contains the text, 0 to 100 characters.
    search(text: impl Into<String>): String = text.into()
        => |request| request.search_content(checked::<types::ListAnnotationJobsSearchContent>("search_content", text)?);
    /// Sorts the jobs by this key.
    sort_by(key: types::LabelingJobSortKey): types::LabelingJobSortKey = key => |request| request.sort_by(key);
    /// Sorts upwards or downwards.
    order(order: SortOrder): SortOrder = order => |request| request.order(order);
    }
}

impl Numbered for LabelingJobsQuery {}

awaitable! {
    CreateLabelingJob => Result<Entry<LabelingJob, types::CreateAnnotationJobResponse>, Error>;
    UpdateLabelingJob => Result<types::LabelingAcknowledgement, Error>;
}

identified! {
    LabelingJob.id => LabelingJobId;
}

/// A labeling job, named by id, created or found in a list.
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
    /// job.update("label_name").description("label_description").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "mod_label_job")]
    pub fn update(&self, name: impl Into<String>) -> UpdateLabelingJob {
        UpdateLabelingJob { job: self.clone(), name: name.into(), description: None }
    }

    /// Deletes the job.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().labeling_job("062ef90a-da4d-4af4-82ba-1523da57e78e")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
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
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
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
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
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
pub struct UpdateLabelingJob {
    job: LabelingJob,
    name: String,
    description: Option<String>,
}

impl UpdateLabelingJob {
    setters! {
        /// Sets the new description; without it the old one stays.
        description(description: impl Into<String>) = description.into();
    }

    /// Changes the job.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<types::LabelingAcknowledgement, Error> {
        let body = operations::UPDATE_ANNOTATION_JOB.prepare(|| {
            Ok(types::UpdateAnnotationJobRequest { name: checked("name", self.name)?, description: self.description })
        })?;
        let LabelingJob { session, id } = self.job;
        let request =
            session.modelarts_client().update_annotation_job().project_id(session.project_id()).job_id(id).body(body);
        call(&operations::UPDATE_ANNOTATION_JOB, request.send()).await
    }
}
