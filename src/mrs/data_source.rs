//! Data sources, the places that executions read from and write to.

use serde_json::{Map, Value};

use super::list::marked_list;
use super::types;
use crate::api::call;
use crate::api::mrs::operations;
use crate::api::wire::{DataSourceId, Hidden, checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, setters};
use crate::paging::List;
use crate::session::Session;

/// The data sources of a project.
#[derive(Clone, Debug)]
pub struct DataSources {
    session: Session,
}

impl DataSources {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates a data source.
    ///
    /// The name has 1 to 80 letters, digits, `-` or `_`. The URL has at most 255 characters and begins with `/` for HDFS, with
    /// `s3a://` for OBS.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::mrs::types::DataSourceTypeForRequest as Type;
    /// let input = session.mrs().data_sources().create("input", "s3a://bucket/in/", Type::Obs).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        &self,
        name: impl Into<String>,
        url: impl Into<String>,
        source_type: types::DataSourceTypeForRequest,
    ) -> CreateDataSource {
        CreateDataSource {
            session: self.session.clone(),
            name: name.into(),
            url: url.into(),
            source_type,
            credentials: None,
            is_protected: None,
            is_public: None,
            description: None,
        }
    }

    /// Lists the data sources, see [`paging`](crate::paging).
    pub fn list(&self) -> List<DataSourcesQuery> {
        DataSourcesQuery::list(self.session.clone())
    }
}

marked_list! {
    /// Data sources, see [`DataSources::list`].
    DataSourcesQuery: "data sources", LIST_DATA_SOURCES list_data_sources(DataSourceMarker),
        data_sources -> DataSource, DataSourceDetails;
}

/// Validates a URL for its type of data source, which a schema cannot express.
fn fitting<T>(url: String, source_type: Option<types::DataSourceTypeForRequest>) -> Result<T, Error>
where
    T: for<'a> TryFrom<&'a str, Error: std::fmt::Display>,
{
    let prefix = match source_type {
        Some(types::DataSourceTypeForRequest::Hdfs) => "/",
        Some(types::DataSourceTypeForRequest::Obs) => "s3a://",
        Some(types::DataSourceTypeForRequest::Swift) | None => "",
    };
    if !url.starts_with(prefix) {
        return Err(Error::invalid_field("url", format!("does not begin with {prefix}, as its type wants")));
    }
    checked("url", url)
}

/// The creation of a data source, see [`DataSources::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateDataSource {
    session: Session,
    name: String,
    url: String,
    source_type: types::DataSourceTypeForRequest,
    credentials: Option<Hidden<Map<String, Value>>>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
    description: Option<String>,
}

impl CreateDataSource {
    setters! {
        /// Sets credentials for the place, by names that the documents do not list. They are sent and never printed.
        credentials(credentials: Map<String, Value>) = credentials.into();
        /// Sets whether it is protected. Documented as without effect in the current version.
        is_protected(is_protected: bool) = is_protected;
        /// Sets whether it is public. Documented as without effect in the current version.
        is_public(is_public: bool) = is_public;
        /// Sets the description, at most 65535 characters; empty by default.
        description(description: impl Into<String>) = description.into();
    }

    /// Creates the data source.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<DataSource, types::DataSourceDetails>, Error> {
        let body = operations::CREATE_DATA_SOURCE.prepare(|| {
            Ok(types::CreateDataSourceRequest {
                name: checked("name", self.name)?,
                url: fitting(self.url, Some(self.source_type))?,
                credentials: self.credentials,
                is_protected: self.is_protected,
                is_public: self.is_public,
                type_: self.source_type,
                description: self.description.map(|text| checked("description", text)).transpose()?,
            })
        })?;
        let request = self.session.mrs_client().create_data_source().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_DATA_SOURCE, request.send()).await?.data_source;
        let id = operations::CREATE_DATA_SOURCE.read_id("data_source.id", &created.id)?;
        Ok(Entry::new(DataSource::new(self.session, id), created))
    }
}

awaitable! {
    CreateDataSource => Result<Entry<DataSource, types::DataSourceDetails>, Error>;
    UpdateDataSource => Result<types::DataSourceDetails, Error>;
}

identified! {
    DataSource.id => DataSourceId;
}

/// A data source, named by id, created or found in a list.
#[derive(Clone, Debug)]
pub struct DataSource {
    session: Session,
    id: DataSourceId,
}

impl DataSource {
    pub(super) fn new(session: Session, id: DataSourceId) -> Self {
        Self { session, id }
    }

    /// Id of the data source.
    pub fn id(&self) -> &DataSourceId {
        &self.id
    }

    /// Returns the details of the object.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn show(&self) -> Result<types::DataSourceDetails, Error> {
        let request = self.session.mrs_client().show_data_source().project_id(self.session.project_id());
        Ok(call(&operations::SHOW_DATA_SOURCE, request.data_source_id(&self.id).send()).await?.data_source)
    }

    /// Changes the given fields; other ones stay unchanged.
    ///
    /// The documentation calls the type mandatory; real clients leave it out, and services accept that.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::mrs::types::DataSourceTypeForRequest as Type;
    /// let source = session.mrs().data_source("b2a7d0e4-6109-4a09-a338-c4ee1b0963ed")?;
    /// source.update().source_type(Type::Obs).url("s3a://bucket/may/").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateDataSource {
        UpdateDataSource {
            source: self.clone(),
            source_type: None,
            name: None,
            url: None,
            description: None,
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

    /// Deletes the data source, but not its data.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_data_source().project_id(self.session.project_id());
        call(&operations::DELETE_DATA_SOURCE, request.data_source_id(&self.id).send()).await
    }
}

/// An update of a data source, see [`DataSource::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateDataSource {
    source: DataSource,
    source_type: Option<types::DataSourceTypeForRequest>,
    name: Option<String>,
    url: Option<String>,
    description: Option<String>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
}

impl UpdateDataSource {
    setters! {
        /// Sets the new name, 1 to 80 letters, digits, `-` or `_`.
        name(name: impl Into<String>) = name.into();
        /// Sets the new type; the URL has to fit it.
        source_type(source_type: types::DataSourceTypeForRequest) = source_type;
        /// Sets the new place of the data, at most 255 characters; begins with `/` for HDFS, with `s3a://` for OBS.
        url(url: impl Into<String>) = url.into();
        /// Sets the new description, at most 65535 characters. The empty text is a value and is sent.
        description(description: impl Into<String>) = description.into();
        /// Sets whether it is protected. Documented as without effect in the current version.
        is_protected(is_protected: bool) = is_protected;
        /// Sets whether it is public. Documented as without effect in the current version.
        is_public(is_public: bool) = is_public;
    }

    /// Changes the data source and returns its new state.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<types::DataSourceDetails, Error> {
        let body = operations::UPDATE_DATA_SOURCE.prepare(|| {
            Ok(types::UpdateDataSourceRequest {
                name: self.name.map(|text| checked("name", text)).transpose()?,
                type_: self.source_type,
                url: self.url.map(|url| fitting(url, self.source_type)).transpose()?,
                description: self.description.map(|text| checked("description", text)).transpose()?,
                is_protected: self.is_protected,
                is_public: self.is_public,
            })
        })?;
        let DataSource { session, id } = &self.source;
        let request = session.mrs_client().update_data_source().project_id(session.project_id()).data_source_id(id);
        match call(&operations::UPDATE_DATA_SOURCE, request.body(body).send()).await {
            // The change is made; the response did not hold the new state.
            Err(error) if error.is_empty_success() => self.source.show().await,
            response => Ok(response?.data_source),
        }
    }
}
