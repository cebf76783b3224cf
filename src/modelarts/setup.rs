//! Settings of a training: its code, its data, and the resources that it uses.

use super::{obs, types};
use crate::api::wire::{Bounded, EngineId, ModelId, SpecId, bounded};
use crate::error::Error;
use crate::ids::given;

/// Settings of a training: its code, its data, and the resources that it uses. A job, a version and a saved configuration
/// take the same settings.
///
/// [`new`](Self::new) takes all that the service needs. Combinations that the documents exclude do not compile.
///
/// ```
/// use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
///
/// let training = Training::new(
///     Code::own("/bucket/src/", "/bucket/src/boot.py").engine(1),
///     Data::dataset("38277e62-9e59-48f4-8d89-c8cf41622c24", "2ff0d6ba-c480-45ae-be41-09a8369bfc90"),
///     Resources::spec(1).workers(2),
/// )
/// .parameter("learning_rate", 0.01)
/// .train_url("/bucket/output/")
/// .log_url("/bucket/log/");
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing before it is given to a call"]
pub struct Training {
    code: Code,
    data: Data,
    resources: Resources,
    parameters: Vec<types::ParameterInput>,
    train_url: Option<String>,
    log_url: Option<String>,
}

impl Training {
    /// A training of this code, on this data, with these resources.
    pub fn new(code: Code, data: Data, resources: Resources) -> Self {
        Self { code, data, resources, parameters: Vec::new(), train_url: None, log_url: None }
    }

    /// Adds a running parameter; with a custom image, an environment variable of its container.
    pub fn parameter(mut self, label: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.push(types::ParameterInput { label: Some(label.into()), value: Some(value.to_string()) });
        self
    }

    /// OBS directory of the output; none by default. A version needs one.
    pub fn train_url(mut self, train_url: impl Into<String>) -> Self {
        self.train_url = Some(train_url.into());
        self
    }

    /// OBS directory of the logs; none by default.
    pub fn log_url(mut self, log_url: impl Into<String>) -> Self {
        self.log_url = Some(log_url.into());
        self
    }

    /// The fields as a request has them, or an error that names the malformed one.
    pub(super) fn fields(self) -> Result<Fields, Error> {
        let Self { code, data, resources, parameters, train_url, log_url } = self;
        let Code { app_url, boot_file_url, engine_id, model_id, user_image_url, user_command } = code;
        let app_url = app_url.map(|path| obs::directory("app_url", path)).transpose()?;
        let boot_file_url = boot_file_url.map(|path| obs::file("boot_file_url", path)).transpose()?;
        if let (Some(directory), Some(file)) = (&app_url, &boot_file_url)
            && !file.starts_with(directory)
        {
            return Err(Error::invalid_field("boot_file_url", format!("is not in the code directory {directory}")));
        }
        if user_command.is_some() && user_image_url.is_none() {
            return Err(Error::invalid_field("user_command", "goes only with a custom image, see `Code::image`"));
        }
        let mut fields = Fields {
            worker_server_num: bounded("worker_server_num", resources.workers)?,
            app_url,
            boot_file_url,
            parameter: (!parameters.is_empty()).then_some(parameters),
            data_url: None,
            dataset_id: None,
            dataset_version_id: None,
            data_source: None,
            spec_id: resources.spec_id.transpose()?.map(SpecId::get),
            pool_id: resources.pool_id,
            engine_id: engine_id.transpose()?.map(EngineId::get),
            model_id: model_id.transpose()?.map(ModelId::get),
            train_url: train_url.map(|path| obs::directory("train_url", path)).transpose()?,
            log_url: log_url.map(|path| obs::directory("log_url", path)).transpose()?,
            user_image_url,
            user_command,
        };
        match data.0 {
            Source::Path(path) => fields.data_url = Some(obs::path("data_url", path)?),
            Source::Dataset(id, version) => (fields.dataset_id, fields.dataset_version_id) = (Some(id), Some(version)),
            Source::Sources(sources) if sources.is_empty() => {
                return Err(Error::invalid_field("data_source", "is empty: the job has no data"));
            }
            Source::Sources(mut sources) => {
                for source in &mut sources {
                    if let Some(path) = source.data_url.take() {
                        source.data_url = Some(obs::path("data_url", path)?);
                    }
                }
                fields.data_source = Some(sources);
            }
        }
        Ok(fields)
    }
}

/// Makes a request type from the fields that all requests with a training share, and its further ones.
macro_rules! training_request {
    ($type:ident, $fields:ident, { $($further:tt)* }) => {
        types::$type {
            worker_server_num: $fields.worker_server_num,
            app_url: $fields.app_url,
            boot_file_url: $fields.boot_file_url,
            data_url: $fields.data_url,
            dataset_id: $fields.dataset_id,
            dataset_version_id: $fields.dataset_version_id,
            engine_id: $fields.engine_id,
            model_id: $fields.model_id,
            log_url: $fields.log_url,
            user_image_url: $fields.user_image_url,
            user_command: $fields.user_command,
            $($further)*
        }
    };
}
pub(super) use training_request;

/// The validated fields of a [`Training`].
pub(super) struct Fields {
    pub(super) worker_server_num: Bounded<1, { i32::MAX as i64 }>,
    pub(super) app_url: Option<String>,
    pub(super) boot_file_url: Option<String>,
    pub(super) parameter: Option<Vec<types::ParameterInput>>,
    pub(super) data_url: Option<String>,
    pub(super) dataset_id: Option<String>,
    pub(super) dataset_version_id: Option<String>,
    pub(super) data_source: Option<Vec<types::DataSourceInput>>,
    pub(super) spec_id: Option<i64>,
    pub(super) pool_id: Option<String>,
    pub(super) engine_id: Option<i64>,
    pub(super) model_id: Option<i64>,
    pub(super) train_url: Option<String>,
    pub(super) log_url: Option<String>,
    pub(super) user_image_url: Option<String>,
    pub(super) user_command: Option<String>,
}

/// The code of a training: own code, a built-in algorithm, or a custom image.
#[derive(Clone, Debug)]
#[must_use = "it does nothing before it is given to a call"]
pub struct Code {
    app_url: Option<String>,
    boot_file_url: Option<String>,
    // Why an id is malformed is reported when the request is sent.
    engine_id: Option<Result<EngineId, Error>>,
    model_id: Option<Result<ModelId, Error>>,
    user_image_url: Option<String>,
    user_command: Option<String>,
}

impl Code {
    const NONE: Self = Self {
        app_url: None,
        boot_file_url: None,
        engine_id: None,
        model_id: None,
        user_image_url: None,
        user_command: None,
    };

    /// Uses own code: its OBS directory, and its boot file in this directory.
    pub fn own(app_url: impl Into<String>, boot_file_url: impl Into<String>) -> Self {
        Self { app_url: Some(app_url.into()), boot_file_url: Some(boot_file_url.into()), ..Self::NONE }
    }

    /// Uses a built-in algorithm by its id, see [`built_in_algorithms`](super::ModelArts::built_in_algorithms).
    pub fn algorithm(model_id: impl TryInto<ModelId, Error: Into<Error>>) -> Self {
        Self { model_id: Some(given(model_id)), ..Self::NONE }
    }

    /// Uses a custom image by its address in the image registry.
    pub fn image(user_image_url: impl Into<String>) -> Self {
        Self { user_image_url: Some(user_image_url.into()), ..Self::NONE }
    }

    /// Sets the engine that runs the code, see [`engines`](super::ModelArts::engines); the default is engine 1.
    pub fn engine(mut self, engine_id: impl TryInto<EngineId, Error: Into<Error>>) -> Self {
        self.engine_id = Some(given(engine_id));
        self
    }

    /// Sets the command that starts the container of a custom image. It is rejected with any other code.
    pub fn command(mut self, user_command: impl Into<String>) -> Self {
        self.user_command = Some(user_command.into());
        self
    }

    /// Adds an OBS directory of code to a custom image.
    pub fn with_directory(mut self, app_url: impl Into<String>) -> Self {
        self.app_url = Some(app_url.into());
        self
    }

    /// Adds own code to a custom image or a built-in algorithm.
    pub fn with_own(mut self, app_url: impl Into<String>, boot_file_url: impl Into<String>) -> Self {
        self.boot_file_url = Some(boot_file_url.into());
        self.with_directory(app_url)
    }

    /// Adds a built-in algorithm to own code or a custom image, as in some documented requests.
    pub fn with_algorithm(mut self, model_id: impl TryInto<ModelId, Error: Into<Error>>) -> Self {
        self.model_id = Some(given(model_id));
        self
    }
}

/// The data of a training: one OBS path, one version of a dataset, or several of one of them.
#[derive(Clone, Debug)]
pub struct Data(Source);

#[derive(Clone, Debug)]
enum Source {
    Path(String),
    Dataset(String, String),
    Sources(Vec<types::DataSourceInput>),
}

impl Data {
    /// Uses one OBS path.
    pub fn obs(data_url: impl Into<String>) -> Self {
        Self(Source::Path(data_url.into()))
    }

    /// Uses one version of a dataset.
    pub fn dataset(dataset_id: impl Into<String>, dataset_version_id: impl Into<String>) -> Self {
        Self(Source::Dataset(dataset_id.into(), dataset_version_id.into()))
    }

    /// Several OBS paths, sent as a list even if it is one.
    pub fn obs_sources<P: Into<String>>(data_urls: impl IntoIterator<Item = P>) -> Self {
        let source = |path: P| types::DataSourceInput {
            type_: types::DataSourceInputType::Obs,
            data_url: Some(path.into()),
            dataset_id: None,
            dataset_version: None,
        };
        Self(Source::Sources(data_urls.into_iter().map(source).collect()))
    }

    /// Several versions of datasets, each by the ids of dataset and version, sent as a list even if it is one.
    pub fn dataset_sources<D: Into<String>, V: Into<String>>(versions: impl IntoIterator<Item = (D, V)>) -> Self {
        let source = |(dataset, version): (D, V)| types::DataSourceInput {
            type_: types::DataSourceInputType::Dataset,
            data_url: None,
            dataset_id: Some(dataset.into()),
            dataset_version: Some(version.into()),
        };
        Self(Source::Sources(versions.into_iter().map(source).collect()))
    }
}

/// The resources of a training: a specification or a dedicated pool, and the number of workers.
#[derive(Clone, Debug)]
#[must_use = "it does nothing before it is given to a call"]
pub struct Resources {
    spec_id: Option<Result<SpecId, Error>>,
    pool_id: Option<String>,
    workers: u32,
}

impl Resources {
    /// Uses the public pool with a specification by its id, see
    /// [`resource_specs`](super::ModelArts::resource_specs).
    pub fn spec(spec_id: impl TryInto<SpecId, Error: Into<Error>>) -> Self {
        Self { spec_id: Some(given(spec_id)), pool_id: None, workers: 1 }
    }

    /// Uses a dedicated pool by its id in the console.
    pub fn pool(pool_id: impl Into<String>) -> Self {
        Self { spec_id: None, pool_id: Some(pool_id.into()), workers: 1 }
    }

    /// Adds a dedicated pool to a specification, as in some documented requests.
    pub fn with_pool(mut self, pool_id: impl Into<String>) -> Self {
        self.pool_id = Some(pool_id.into());
        self
    }

    /// Sets the number of workers, at least 1; 1 by default. A specification has at most `max_num`.
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }
}

/// A volume of the containers of a training job.
#[derive(Clone, Debug)]
#[must_use = "it does nothing before it is given to a call"]
pub struct Volume(types::VolumeInput);

impl Volume {
    /// Uses a shared file system (SFS Turbo) by its id and address, with its mount point.
    pub fn nfs(id: impl Into<String>, src_path: impl Into<String>, dest_path: impl Into<String>) -> Self {
        let (id, src_path, dest_path) = (id.into(), src_path.into(), dest_path.into());
        let nfs = types::NfsVolumeInput { id, src_path, dest_path, read_only: None };
        Self(types::VolumeInput { nfs: Some(nfs), host_path: None })
    }

    /// Uses a directory of the host, with its mount point; only in a dedicated pool.
    pub fn host_path(src_path: impl Into<String>, dest_path: impl Into<String>) -> Self {
        let (src_path, dest_path) = (src_path.into(), dest_path.into());
        let host_path = types::HostPathVolumeInput { src_path, dest_path, read_only: None };
        Self(types::VolumeInput { nfs: None, host_path: Some(host_path) })
    }

    /// Sets whether the volume is read-only; the default is writable.
    pub fn read_only(mut self, read_only: bool) -> Self {
        if let Some(nfs) = &mut self.0.nfs {
            nfs.read_only = Some(read_only);
        }
        if let Some(host_path) = &mut self.0.host_path {
            host_path.read_only = Some(read_only);
        }
        self
    }
}

impl From<Volume> for types::VolumeInput {
    fn from(volume: Volume) -> Self {
        volume.0
    }
}
