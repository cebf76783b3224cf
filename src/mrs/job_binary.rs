//! Job binaries, the programs and scripts that job objects name.

use super::list::lists;
use super::types;
use crate::api::mrs::operations;
use crate::api::{call, wire::checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::JobBinaryId;
use crate::paging::List;
use crate::session::Session;

/// The job binaries of a project.
#[derive(Clone, Debug)]
pub struct JobBinaries {
    session: Session,
}

impl JobBinaries {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a job binary: a named program in OBS (`s3a://`) or HDFS (`/`).
    ///
    /// The name has 1 to 80 letters, digits, `-` or `_`, the URL at most 255 characters, the description at most 65535.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let binary = session.mrs().job_binaries().create("wordcount", "s3a://bucket/wordcount.jar", "").send().await?;
    /// println!("{} is {}", binary.id(), binary.details.name);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        &self,
        name: impl Into<String>,
        url: impl Into<String>,
        description: impl Into<String>,
    ) -> CreateJobBinary {
        CreateJobBinary {
            session: self.session.clone(),
            name: name.into(),
            url: url.into(),
            description: description.into(),
            is_protected: None,
            is_public: None,
        }
    }

    /// Lists the job binaries, see [`paging`](crate::paging).
    pub fn list(&self) -> List<JobBinariesQuery> {
        JobBinariesQuery::list(&self.session)
    }
}

lists! {
    /// Job binaries, see [`JobBinaries::list`].
    JobBinariesQuery: "Job binaries",
        LIST_JOB_BINARIES list_job_binaries(ListJobBinariesMarker, ListJobBinariesSortBy),
        binaries -> JobBinary, JobBinary;
}

/// The creation of a job binary, see [`JobBinaries::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateJobBinary {
    session: Session,
    name: String,
    url: String,
    description: String,
    is_protected: Option<bool>,
    is_public: Option<bool>,
}

impl CreateJobBinary {
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

    /// Creates the job binary.
    pub async fn send(self) -> Result<Entry<JobBinary, types::JobBinary>, Error> {
        let body = operations::CREATE_JOB_BINARY.prepare(|| {
            Ok(types::CreateJobBinaryRequest {
                name: checked("name", self.name)?,
                url: checked("url", self.url)?,
                is_protected: self.is_protected,
                is_public: self.is_public,
                description: Some(checked("description", self.description)?),
            })
        })?;
        let request = self.session.mrs_client().create_job_binary().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_JOB_BINARY, request.send()).await?.job_binary;
        let id = operations::CREATE_JOB_BINARY.read_id("job_binary.id", &created.id)?;
        Ok(Entry::new(JobBinary::new(self.session, id), created))
    }
}

/// One job binary. The same handle whether named by id, created, or found in a list.
#[derive(Clone, Debug)]
pub struct JobBinary {
    session: Session,
    id: JobBinaryId,
}

impl JobBinary {
    pub(super) fn new(session: Session, id: JobBinaryId) -> Self {
        Self { session, id }
    }

    /// Id of the job binary.
    pub fn id(&self) -> &JobBinaryId {
        &self.id
    }

    /// What the service knows of it.
    pub async fn show(&self) -> Result<types::JobBinary, Error> {
        let request = self.session.mrs_client().show_job_binary().project_id(self.session.project_id());
        Ok(call(&operations::SHOW_JOB_BINARY, request.job_binary_id(&self.id).send()).await?.job_binary)
    }

    /// Changes the given fields; other ones stay unchanged.
    ///
    /// The documentation calls the description mandatory; real clients leave it out, and services accept that.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let binary = session.mrs().job_binary("2628d0e4-6109-4a09-a338-c4ee1b0963ed")?;
    /// binary.update().url("s3a://bucket/may.jar").description("the program of May").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateJobBinary<'_> {
        UpdateJobBinary { binary: self, description: None, name: None, url: None, is_protected: None, is_public: None }
    }

    /// Deletes it. What it names stays where it is.
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_job_binary().project_id(self.session.project_id());
        call(&operations::DELETE_JOB_BINARY, request.job_binary_id(&self.id).send()).await
    }
}

/// An update of a job binary, see [`JobBinary::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateJobBinary<'a> {
    binary: &'a JobBinary,
    description: Option<String>,
    name: Option<String>,
    url: Option<String>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
}

impl UpdateJobBinary<'_> {
    /// New name, 1 to 80 letters, digits, `-` or `_`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// New place of the program, at most 255 characters; begins with `s3a://` (OBS) or `/` (HDFS).
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// New description, at most 65535 characters. The empty text is a value and is sent.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
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

    /// Changes the job binary and answers what it is now.
    pub async fn send(self) -> Result<types::JobBinary, Error> {
        let body = operations::UPDATE_JOB_BINARY.prepare(|| {
            Ok(types::UpdateJobBinaryRequest {
                name: self.name.map(|text| checked("name", text)).transpose()?,
                url: self.url.map(|text| checked("url", text)).transpose()?,
                is_protected: self.is_protected,
                is_public: self.is_public,
                description: self.description.map(|text| checked("description", text)).transpose()?,
            })
        })?;
        let JobBinary { session, id } = self.binary;
        let request = session.mrs_client().update_job_binary().project_id(session.project_id()).job_binary_id(id);
        match call(&operations::UPDATE_JOB_BINARY, request.body(body).send()).await {
            // The change is made; the service did not say what the object is now.
            Err(error) if error.is_empty_success() => self.binary.show().await,
            response => Ok(response?.job_binary),
        }
    }
}
