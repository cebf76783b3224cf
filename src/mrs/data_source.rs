//! Data sources, the places that executions read from and write to.

use serde_json::{Map, Value};

use super::list::lists;
use super::types;
use crate::api::mrs::operations;
use crate::api::{call, wire::checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::DataSourceId;
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
    /// let input = session.mrs().data_sources().create("input", "s3a://bucket/in/", Type::Obs).send().await?;
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
        DataSourcesQuery::list(&self.session)
    }
}

lists! {
    /// Data sources, see [`DataSources::list`].
    DataSourcesQuery: "Data sources",
        LIST_DATA_SOURCES list_data_sources(ListDataSourcesMarker, ListDataSourcesSortBy),
        data_sources -> DataSource, DataSource;
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
    credentials: Option<crate::api::wire::Hidden<Map<String, Value>>>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
    description: Option<String>,
}

impl CreateDataSource {
    /// Credentials for the place, by names that the documents do not give. They are sent and not shown.
    pub fn credentials(mut self, credentials: Map<String, Value>) -> Self {
        self.credentials = Some(credentials.into());
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

    /// Description, at most 65535 characters; empty by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Creates the data source.
    pub async fn send(self) -> Result<Entry<DataSource, types::DataSource>, Error> {
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

/// One data source. The same handle whether named by id, created, or found in a list.
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

    /// What the service knows of it.
    pub async fn show(&self) -> Result<types::DataSource, Error> {
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
    /// source.update().source_type(Type::Obs).url("s3a://bucket/may/").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateDataSource<'_> {
        UpdateDataSource {
            source: self,
            source_type: None,
            name: None,
            url: None,
            description: None,
            is_protected: None,
            is_public: None,
        }
    }

    /// Deletes it. The data stay where they are.
    pub async fn delete(&self) -> Result<(), Error> {
        let request = self.session.mrs_client().delete_data_source().project_id(self.session.project_id());
        call(&operations::DELETE_DATA_SOURCE, request.data_source_id(&self.id).send()).await
    }
}

/// An update of a data source, see [`DataSource::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateDataSource<'a> {
    source: &'a DataSource,
    source_type: Option<types::DataSourceTypeForRequest>,
    name: Option<String>,
    url: Option<String>,
    description: Option<String>,
    is_protected: Option<bool>,
    is_public: Option<bool>,
}

impl UpdateDataSource<'_> {
    /// New name, 1 to 80 letters, digits, `-` or `_`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// New type; the URL has to fit it.
    pub fn source_type(mut self, source_type: types::DataSourceTypeForRequest) -> Self {
        self.source_type = Some(source_type);
        self
    }

    /// New place of the data, at most 255 characters; begins with `/` for HDFS, with `s3a://` for OBS.
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

    /// Changes the data source and answers what it is now.
    pub async fn send(self) -> Result<types::DataSource, Error> {
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
        let DataSource { session, id } = self.source;
        let request = session.mrs_client().update_data_source().project_id(session.project_id()).data_source_id(id);
        match call(&operations::UPDATE_DATA_SOURCE, request.body(body).send()).await {
            // The change is made; the service did not say what the object is now.
            Err(error) if error.is_empty_success() => self.source.show().await,
            response => Ok(response?.data_source),
        }
    }
}
