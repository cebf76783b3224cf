//! Job binaries, the programs and scripts that job objects name.

use super::list::marked_list;
use super::types;
use crate::api::call;
use crate::api::mrs::operations;
use crate::api::wire::{JobBinaryId, checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, setters};
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
    /// let binary = session.mrs().job_binaries().create("wordcount", "s3a://bucket/wordcount.jar", "").await?;
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
        JobBinariesQuery::list(self.session.clone())
    }
}

marked_list! {
    /// Job binaries, see [`JobBinaries::list`].
    JobBinariesQuery: "job binaries", LIST_JOB_BINARIES list_job_binaries(JobBinaryMarker), binaries -> JobBinary, JobBinaryDetails;
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
    setters! {
        /// Sets whether it is protected. Documented as without effect in the current version.
        is_protected(is_protected: bool) = is_protected;
        /// Sets whether it is public. Documented as without effect in the current version.
        is_public(is_public: bool) = is_public;
    }

    /// Creates the job binary.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<JobBinary, types::JobBinaryDetails>, Error> {
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

awaitable! {
    CreateJobBinary => Result<Entry<JobBinary, types::JobBinaryDetails>, Error>;
    UpdateJobBinary => Result<types::JobBinaryDetails, Error>;
}

identified! {
    JobBinary.id => JobBinaryId;
}

/// A job binary, named by id, created or found in a list.
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

    /// Returns the details of the object.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn show(&self) -> Result<types::JobBinaryDetails, Error> {
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
    /// binary.update().url("s3a://bucket/may.jar").description("the program of May").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateJobBinary {
        UpdateJobBinary {
            binary: self.clone(),
            description: None,
            name: None,
            url: None,
            is_protected: None,
            is_public: None,
        }
    }

    /// Replaces the description.
    ///
    /// # Errors
    ///
    /// A description of more than 65535 characters; else as any call, see [`Error`].
    pub async fn update_description(&self, description: impl Into<String>) -> Result<(), Error> {
        self.update().description(description).send().await.map(drop)
    }

    /// Deletes it. The program that it names stays where it is.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_job_binary().project_id(self.session.project_id());
        call(&operations::DELETE_JOB_BINARY, request.job_binary_id(&self.id).send()).await
    }
}

/// An update of a job binary, see [`JobBinary::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateJobBinary {
    binary: JobBinary,
    description: Option<String>,
    name: Option<String>,
    url: Option<String>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
}

impl UpdateJobBinary {
    setters! {
        /// Sets the new name, 1 to 80 letters, digits, `-` or `_`.
        name(name: impl Into<String>) = name.into();
        /// Sets the new place of the program, at most 255 characters; begins with `s3a://` (OBS) or `/` (HDFS).
        url(url: impl Into<String>) = url.into();
        /// Sets the new description, at most 65535 characters. The empty text is a value and is sent.
        description(description: impl Into<String>) = description.into();
        /// Sets whether it is protected. Documented as without effect in the current version.
        is_protected(is_protected: bool) = is_protected;
        /// Sets whether it is public. Documented as without effect in the current version.
        is_public(is_public: bool) = is_public;
    }

    /// Changes the job binary and returns its new state.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<types::JobBinaryDetails, Error> {
        let body = operations::UPDATE_JOB_BINARY.prepare(|| {
            Ok(types::UpdateJobBinaryRequest {
                name: self.name.map(|text| checked("name", text)).transpose()?,
                url: self.url.map(|text| checked("url", text)).transpose()?,
                is_protected: self.is_protected,
                is_public: self.is_public,
                description: self.description.map(|text| checked("description", text)).transpose()?,
            })
        })?;
        let JobBinary { session, id } = &self.binary;
        let request = session.mrs_client().update_job_binary().project_id(session.project_id()).job_binary_id(id);
        match call(&operations::UPDATE_JOB_BINARY, request.body(body).send()).await {
            // The change is made; the response did not hold the new state.
            Err(error) if error.is_empty_success() => self.binary.show().await,
            response => Ok(response?.job_binary),
        }
    }
}
