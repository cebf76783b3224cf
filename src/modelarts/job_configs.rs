//! Saved configurations of training jobs.

use super::setup::training_request;
use super::{Training, types};
use crate::api::call;
use crate::api::modelarts::operations;
use crate::api::wire::{Text, TrainingJobConfigName, bounded, checked};
use crate::entry::Entry;
use crate::error::Error;
use crate::handles::{awaitable, identified, lists, setters};
use crate::paging::{Batch, List, Numbered, SortOrder};
use crate::session::Session;

/// The saved configurations of a project, and the samples of the service.
#[derive(Clone, Debug)]
pub struct TrainingJobConfigs {
    session: Session,
}

impl TrainingJobConfigs {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Saves a configuration. The name has 1 to 64 letters, digits, `_` or `-`.
    ///
    /// It needs a specification of the public pool; a dedicated pool is rejected.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
    /// let training = Training::new(Code::algorithm(7), Data::obs("/bucket/data/"), Resources::spec(1));
    /// let config = session.modelarts().training_job_configs().create("yolo-small", training).await?;
    /// println!("saved {}", config.name());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "create_job_configs")]
    pub fn create(&self, name: impl Into<String>, training: Training) -> CreateTrainingJobConfig {
        CreateTrainingJobConfig { session: self.session.clone(), name: name.into(), training, description: None }
    }

    /// Lists the configurations, see [`paging`](crate::paging).
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let mut configs = session.modelarts().training_job_configs().list().search("yolo");
    /// while let Some(config) = configs.try_next().await? {
    ///     println!("{} {:?}", config.name(), config.details.config_desc);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_job_configs_list")]
    #[doc(alias = "get_job_configs_object_list")]
    pub fn list(&self) -> List<TrainingJobConfigsQuery> {
        TrainingJobConfigsQuery::list(self.session.clone())
    }
}

/// The creation of a configuration, see [`TrainingJobConfigs::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTrainingJobConfig {
    session: Session,
    name: String,
    training: Training,
    description: Option<String>,
}

impl CreateTrainingJobConfig {
    setters! {
        /// Sets the description, 0 to 256 characters; empty by default.
        description(description: impl Into<String>) = description.into();
    }

    /// Saves the configuration.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<Entry<TrainingJobConfig, types::Acknowledgement>, Error> {
        let body = operations::CREATE_TRAINING_JOB_CONFIG.prepare(|| {
            let fields = self.training.fields()?;
            Ok(training_request!(CreateTrainingJobConfigRequest, fields, {
                config_name: checked("config_name", &self.name)?,
                config_desc: self.description.map(|text| checked("config_desc", text)).transpose()?,
                parameter: fields.parameter,
                // Only a private ModelArts has these three.
                flavor: None,
                pool_id: None,
                volumes: None,
                data_source: fields.data_source,
                spec_id: public_spec(fields.spec_id, fields.pool_id.as_deref())?,
                train_url: fields.train_url,
            }))
        })?;
        let name = operations::CREATE_TRAINING_JOB_CONFIG.prepare(|| self.name.try_into())?;
        let client = self.session.modelarts_client();
        let request = client.create_training_job_config().project_id(self.session.project_id()).body(body);
        let created = call(&operations::CREATE_TRAINING_JOB_CONFIG, request.send()).await?;
        Ok(Entry::new(TrainingJobConfig::new(self.session.clone(), name), created))
    }
}

/// Returns the specification of a configuration, which cannot have a dedicated pool.
fn public_spec(spec_id: Option<i64>, pool_id: Option<&str>) -> Result<i64, Error> {
    match (spec_id, pool_id) {
        (Some(spec_id), None) => Ok(spec_id),
        (_, Some(_)) => Err(Error::invalid_field("pool_id", "cannot be saved in a configuration")),
        (None, None) => Err(Error::invalid_field("spec_id", "is needed in a configuration, see `Resources::spec`")),
    }
}

lists! {
    /// Saved configurations, see [`TrainingJobConfigs::list`].
    TrainingJobConfigsQuery { session: Session } of Entry<TrainingJobConfig, types::TrainingJobConfigSummary>,
        operations::LIST_TRAINING_JOB_CONFIGS;
    id(entry) entry.name().to_string();
    request(query, at) {
        if query.config_type == Some(types::TrainingJobConfigType::Sample)
            && query.sort_by == Some(types::TrainingJobConfigSortKey::CreateTime)
        {
            return Err(Error::invalid_field("sortBy", "cannot be `create_time` among the samples"));
        }
        let client = query.session.modelarts_client();
        let request = client.list_training_job_configs().project_id(query.session.project_id());
        request.page(bounded("page", at.number(Self::OPERATION)?)?)
    };
    batch(page) {
        let config_type = query.config_type.filter(|kind| *kind == types::TrainingJobConfigType::Sample);
        let entry = |config: types::TrainingJobConfigSummary| {
            let name = Self::OPERATION.read_id("configs[].config_name", &config.config_name)?;
            Ok(Entry::new(TrainingJobConfig { session: query.session.clone(), name, config_type }, config))
        };
        let entries = page.configs.into_iter().map(entry).collect::<Result<_, Error>>()?;
        Batch::numbered(entries, page.config_total_count, query.per_page)
    };
    filters {
    /// Returns the project's own configurations or the samples of the service. The samples cannot be sorted by time.
    config_type(config_type: types::TrainingJobConfigType): types::TrainingJobConfigType = config_type
        => |request| request.config_type(config_type);
    /// Sets the number of configurations on a page, 1 to 1000; 10 by default.
    per_page(per_page: u32): u32 = per_page => |request| request.per_page(bounded("per_page", per_page)?);
    /// Returns only configurations whose name contains the text.
    search(text: impl Into<String>): String = text.into() => |request| request.search_content(text);
    /// Sorts the configurations by this key.
    sort_by(key: types::TrainingJobConfigSortKey): types::TrainingJobConfigSortKey = key
        => |request| request.sort_by(key);
    /// Sorts upwards or downwards; downwards by default.
    order(order: SortOrder): SortOrder = order => |request| request.order(order);
    }
}

impl Numbered for TrainingJobConfigsQuery {}

awaitable! {
    CreateTrainingJobConfig => Result<Entry<TrainingJobConfig, types::Acknowledgement>, Error>;
    UpdateTrainingJobConfig => Result<(), Error>;
}

identified! {
    TrainingJobConfig.name => TrainingJobConfigName;
}

/// A saved configuration or a sample, named, created or found in a list.
#[derive(Clone, Debug)]
pub struct TrainingJobConfig {
    session: Session,
    name: TrainingJobConfigName,
    config_type: Option<types::TrainingJobConfigType>,
}

impl TrainingJobConfig {
    pub(super) fn new(session: Session, name: TrainingJobConfigName) -> Self {
        Self { session, name, config_type: None }
    }

    /// Name of the configuration.
    pub fn name(&self) -> &TrainingJobConfigName {
        &self.name
    }

    /// Selects the sample of this name instead of the project's own configuration. Entries of a list of samples are samples
    /// already.
    pub fn sample(mut self) -> Self {
        self.config_type = Some(types::TrainingJobConfigType::Sample);
        self
    }

    /// Returns the details of the configuration.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let config = session.modelarts().training_job_config("yolo-small")?.show().await?;
    /// println!("{:?} on {:?}", config.engine_name, config.spec_code);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "get_job_configs_info")]
    pub async fn show(&self) -> Result<types::TrainingJobConfigDetails, Error> {
        let Self { session, name, config_type } = self;
        let mut request = session.modelarts_client().show_training_job_config().project_id(session.project_id());
        if let Some(config_type) = config_type {
            request = request.config_type(*config_type);
        }
        call(&operations::SHOW_TRAINING_JOB_CONFIG, request.config_name(name).send()).await
    }

    /// Replaces the configuration, and the description if one is given.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
    /// let training = Training::new(Code::algorithm(7), Data::obs("/bucket/more-data/"), Resources::spec(2));
    /// session.modelarts().training_job_config("yolo-small")?.update(training).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_job_configs")]
    pub fn update(&self, training: Training) -> UpdateTrainingJobConfig {
        UpdateTrainingJobConfig { config: self.clone(), training, description: None }
    }

    /// Deletes the configuration.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job_config("yolo-small")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "delete_job_configs")]
    pub async fn delete(&self) -> Result<(), Error> {
        let Self { session, name, .. } = self;
        let request = session.modelarts_client().delete_training_job_config().project_id(session.project_id());
        call(&operations::DELETE_TRAINING_JOB_CONFIG, request.config_name(name).send()).await?;
        Ok(())
    }
}

/// An update of a configuration, see [`TrainingJobConfig::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateTrainingJobConfig {
    config: TrainingJobConfig,
    training: Training,
    description: Option<String>,
}

impl UpdateTrainingJobConfig {
    setters! {
        /// Sets the new description, 0 to 256 characters; not sent by default.
        description(description: impl Into<String>) = description.into();
    }

    /// Replaces the configuration.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<(), Error> {
        let body = operations::UPDATE_TRAINING_JOB_CONFIG.prepare(|| {
            let fields = self.training.fields()?;
            let parameter = |input: types::ParameterInput| types::TrainingJobConfigParameterInput {
                label: input.label,
                key: None,
                value: input.value.map(Text::String),
            };
            let source = |input: types::DataSourceInput| types::TrainingJobConfigDataSourceInput {
                dataset_id: input.dataset_id,
                dataset_version: input.dataset_version,
                type_: Some(input.type_),
                data_url: input.data_url,
            };
            Ok(training_request!(UpdateTrainingJobConfigRequest, fields, {
                config_desc: self.description.map(|text| checked("config_desc", text)).transpose()?,
                parameter: fields.parameter.map(|list| list.into_iter().map(parameter).collect()),
                data_source: fields.data_source.map(|list| list.into_iter().map(source).collect()),
                spec_id: public_spec(fields.spec_id, fields.pool_id.as_deref())?,
                train_url: fields.train_url,
            }))
        })?;
        let TrainingJobConfig { session, name, .. } = self.config;
        let request = session.modelarts_client().update_training_job_config().project_id(session.project_id());
        call(&operations::UPDATE_TRAINING_JOB_CONFIG, request.config_name(&name).body(body).send()).await?;
        Ok(())
    }
}
