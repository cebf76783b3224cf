//! Saved configurations of training jobs.

use super::{Training, types};
use crate::api::modelarts::operations;
use crate::api::wire::{Text, bounded, checked};
use crate::api::{Operation, call};
use crate::entry::Entry;
use crate::error::Error;
use crate::ids::TrainingJobConfigName;
use crate::paging::{Batch, List, Numbered, Position, Query};
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
    /// let config = session.modelarts().training_job_configs().create("yolo-small", training).send().await?;
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
        List::new(TrainingJobConfigsQuery {
            session: self.session.clone(),
            config_type: None,
            per_page: None,
            search: None,
            sort_by: None,
            order: None,
        })
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
    /// Description, 0 to 256 characters; empty by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Saves the configuration.
    pub async fn send(self) -> Result<Entry<TrainingJobConfig, types::CreateTrainingJobConfigResponse>, Error> {
        let body = operations::CREATE_TRAINING_JOB_CONFIG.prepare(|| {
            let fields = self.training.fields()?;
            Ok(types::CreateTrainingJobConfigRequest {
                config_name: checked("config_name", &self.name)?,
                config_desc: self.description.map(|text| checked("config_desc", text)).transpose()?,
                worker_server_num: fields.worker_server_num,
                app_url: fields.app_url,
                boot_file_url: fields.boot_file_url,
                model_id: fields.model_id,
                parameter: fields.parameter,
                spec_id: public_spec(fields.spec_id, fields.pool_id.as_deref())?,
                // Only a private ModelArts has these three.
                flavor: None,
                pool_id: None,
                volumes: None,
                data_url: fields.data_url,
                dataset_id: fields.dataset_id,
                dataset_version_id: fields.dataset_version_id,
                data_source: fields.data_source,
                engine_id: fields.engine_id,
                train_url: fields.train_url,
                log_url: fields.log_url,
                user_image_url: fields.user_image_url,
                user_command: fields.user_command,
            })
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

/// Saved configurations, see [`TrainingJobConfigs::list`].
#[derive(Clone, Debug)]
pub struct TrainingJobConfigsQuery {
    session: Session,
    config_type: Option<types::TrainingJobConfigType>,
    per_page: Option<u32>,
    search: Option<String>,
    sort_by: Option<types::TrainingJobConfigSortKey>,
    order: Option<types::SortOrder>,
}

impl List<TrainingJobConfigsQuery> {
    /// One's own configurations or the samples of the service; the samples cannot be sorted by time.
    pub fn config_type(mut self, config_type: types::TrainingJobConfigType) -> Self {
        self.query().config_type = Some(config_type);
        self
    }

    /// Configurations on a page, 1 to 1000; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.query().per_page = Some(per_page);
        self
    }

    /// Only configurations whose name contains the text.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query().search = Some(text.into());
        self
    }

    /// What they are sorted by.
    pub fn sort_by(mut self, key: types::TrainingJobConfigSortKey) -> Self {
        self.query().sort_by = Some(key);
        self
    }

    /// Whether they are sorted upwards or downwards; downwards by default.
    pub fn order(mut self, order: types::SortOrder) -> Self {
        self.query().order = Some(order);
        self
    }
}

impl Query for TrainingJobConfigsQuery {
    type Entry = Entry<TrainingJobConfig, types::TrainingJobConfigSummary>;
    const OPERATION: &'static Operation = &operations::LIST_TRAINING_JOB_CONFIGS;

    fn id(entry: &Self::Entry) -> String {
        entry.name().to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, config_type, per_page, search, sort_by, order } = self;
        if config_type == Some(types::TrainingJobConfigType::Sample)
            && sort_by == Some(types::TrainingJobConfigSortKey::CreateTime)
        {
            return Err(Error::invalid_field("sortBy", "cannot be `create_time` among the samples"));
        }
        let request = session.modelarts_client().list_training_job_configs().project_id(session.project_id());
        let mut request = request.page(bounded("page", at.number(Self::OPERATION)?)?);
        if let Some(config_type) = config_type {
            request = request.config_type(config_type);
        }
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        if let Some(text) = search {
            request = request.search_content(text);
        }
        if let Some(key) = sort_by {
            request = request.sort_by(key);
        }
        if let Some(order) = order {
            request = request.order(order);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        let entry = |config: types::TrainingJobConfigSummary| {
            let name = Self::OPERATION.read_id("configs[].config_name", &config.config_name)?;
            let config_type = config_type.filter(|kind| *kind == types::TrainingJobConfigType::Sample);
            Ok(Entry::new(TrainingJobConfig { session: session.clone(), name, config_type }, config))
        };
        let entries = page.configs.into_iter().map(entry).collect::<Result<_, Error>>()?;
        Ok(Batch::numbered(entries, page.config_total_count, per_page))
    }
}

impl Numbered for TrainingJobConfigsQuery {}

/// One saved configuration, or a sample. The same handle whether named, saved, or found in a list.
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

    /// The sample of this name instead of one's own configuration. What a list of samples gave is one already.
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
    #[doc(alias = "get_job_configs_info")]
    pub async fn show(&self) -> Result<types::ShowTrainingJobConfigResponse, Error> {
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
    /// session.modelarts().training_job_config("yolo-small")?.update(training).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_job_configs")]
    pub fn update(&self, training: Training) -> UpdateTrainingJobConfig<'_> {
        UpdateTrainingJobConfig { config: self, training, description: None }
    }

    /// Deletes the configuration.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// session.modelarts().training_job_config("yolo-small")?.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
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
pub struct UpdateTrainingJobConfig<'a> {
    config: &'a TrainingJobConfig,
    training: Training,
    description: Option<String>,
}

impl UpdateTrainingJobConfig<'_> {
    /// New description, 0 to 256 characters; not sent by default.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Replaces the configuration.
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
            Ok(types::UpdateTrainingJobConfigRequest {
                config_desc: self.description.map(|text| checked("config_desc", text)).transpose()?,
                worker_server_num: fields.worker_server_num,
                app_url: fields.app_url,
                boot_file_url: fields.boot_file_url,
                model_id: fields.model_id,
                parameter: fields.parameter.map(|list| list.into_iter().map(parameter).collect()),
                spec_id: public_spec(fields.spec_id, fields.pool_id.as_deref())?,
                data_url: fields.data_url,
                dataset_id: fields.dataset_id,
                dataset_version_id: fields.dataset_version_id,
                data_source: fields.data_source.map(|list| list.into_iter().map(source).collect()),
                engine_id: fields.engine_id,
                train_url: fields.train_url,
                log_url: fields.log_url,
                user_image_url: fields.user_image_url,
                user_command: fields.user_command,
            })
        })?;
        let TrainingJobConfig { session, name, .. } = self.config;
        let request = session.modelarts_client().update_training_job_config().project_id(session.project_id());
        call(&operations::UPDATE_TRAINING_JOB_CONFIG, request.config_name(name).body(body).send()).await?;
        Ok(())
    }
}
