//! Calls operations of the generated clients with JSON values instead of types.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]
#![allow(deprecated, reason = "labeling jobs are driven too")]

use std::pin::Pin;

use huaweicloud_jobs::api::{iam, modelarts, mrs};
use huaweicloud_jobs::{Error, Session};
use serde_json::{Map, Value};

pub(crate) type Outcome<'a> = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>>;

/// An operation of the generated client, called with JSON values instead of types.
pub(crate) struct Driver {
    pub(crate) id: &'static str,
    /// Sends a request and returns the response, serialized from its generated type.
    pub(crate) send: for<'a> fn(&'a Session, &'a Map<String, Value>, Option<&'a Value>) -> Outcome<'a>,
    /// Converts a request into its generated type and back.
    pub(crate) request: Option<fn(&Value) -> Value>,
}

macro_rules! drivers {
    ($($service:ident $operation:ident ($($name:ident $(= $wire:literal)? $kind:ident),*) $(body $request:ident)? -> $answer:tt;)+) => {
        vec![$(Driver {
            id: stringify!($operation),
            send: |session, parameters, body| Box::pin(async move {
                let _ = (parameters, body);
                let scope = drivers!(@scope session $service);
                let client = drivers!(@client scope $service);
                let call = client.$operation();
                $(let call = match drivers!(@value parameters $name $(= $wire)? $kind) {
                    Some(value) => call.$name(value),
                    None => call,
                };)*
                $(let call = call.body(serde_json::from_value::<$service::types::$request>(body.unwrap().clone()).unwrap());)?
                let answer: drivers!(@answer $service $answer) = call.send().await?.into_inner();
                Ok(serde_json::to_value(answer).unwrap())
            }),
            request: drivers!(@request $service $($request)?),
        }),+]
    };
    (@scope $session:ident iam) => { $session };
    (@scope $session:ident $service:ident) => { $session.$service() };
    (@client $scope:ident iam) => { $scope.iam() };
    (@client $scope:ident $service:ident) => { $scope.client() };
    (@value $parameters:ident $name:ident $kind:ident) => { drivers!(@typed $parameters (stringify!($name)) $kind) };
    (@value $parameters:ident $name:ident = $wire:literal $kind:ident) => { drivers!(@typed $parameters ($wire) $kind) };
    (@typed $parameters:ident ($wire:expr) number) => { $parameters.get($wire).map(|value| value.as_i64().unwrap()) };
    (@typed $parameters:ident ($wire:expr) code) => { $parameters.get($wire).map(|value| i32::try_from(value.as_i64().unwrap()).unwrap()) };
    (@typed $parameters:ident ($wire:expr) truth) => { $parameters.get($wire).map(|value| value.as_bool().unwrap()) };
    (@typed $parameters:ident ($wire:expr) text) => { $parameters.get($wire).map(text) };
    (@answer $service:ident ()) => { () };
    (@answer $service:ident $answer:ident) => { $service::types::$answer };
    (@request $service:ident) => { None };
    (@request $service:ident $request:ident) => {
        Some(|value| {
            let typed: $service::types::$request = serde_json::from_value(value.clone()).unwrap();
            serde_json::to_value(typed).unwrap()
        })
    };
}

/// All operations.
pub(crate) fn drivers() -> Vec<Driver> {
    drivers! {
    iam create_token(nocatalog text) body CreateTokenRequest -> CreateTokenResponse;
    iam list_projects(domain_id text, enabled truth, is_domain truth, name text, page number, parent_id text, per_page number) -> ListProjectsResponse;
    iam list_auth_projects() -> ListAuthProjectsResponse;
    modelarts create_training_job(project_id text) body CreateTrainingJobRequest -> CreateTrainingJobResponse;
    modelarts list_training_jobs(project_id text, status text, per_page number, page number, sort_by = "sortBy" text, order text, search_content text, workspace_id text) -> ListTrainingJobsResponse;
    modelarts update_training_job(project_id text, job_id number) body UpdateTrainingJobRequest -> Acknowledgement;
    modelarts delete_training_job(project_id text, job_id number) -> Acknowledgement;
    modelarts create_training_job_version(project_id text, job_id number) body CreateTrainingJobVersionRequest -> CreateTrainingJobVersionResponse;
    modelarts list_training_job_versions(project_id text, job_id number, per_page number, page number) -> TrainingJobDetails;
    modelarts show_training_job_version(project_id text, job_id number, version_id number) -> TrainingJobVersionDetails;
    modelarts delete_training_job_version(project_id text, job_id number, version_id number) -> Acknowledgement;
    modelarts stop_training_job_version(project_id text, job_id number, version_id number) -> Acknowledgement;
    modelarts list_training_job_log_files(project_id text, job_id number, version_id number) -> ListTrainingJobLogFilesResponse;
    modelarts show_training_job_log(project_id text, job_id number, version_id number, base_line text, lines number, log_file text, order text) -> ShowTrainingJobLogResponse;
    modelarts create_training_job_config(project_id text) body CreateTrainingJobConfigRequest -> Acknowledgement;
    modelarts list_training_job_configs(project_id text, per_page number, page number, sort_by = "sortBy" text, order text, search_content text, config_type text) -> ListTrainingJobConfigsResponse;
    modelarts show_training_job_config(project_id text, config_name text, config_type text) -> TrainingJobConfigDetails;
    modelarts update_training_job_config(project_id text, config_name text) body UpdateTrainingJobConfigRequest -> Acknowledgement;
    modelarts delete_training_job_config(project_id text, config_name text) -> Acknowledgement;
    modelarts list_built_in_algorithms(project_id text, per_page number, page number, sort_by = "sortBy" text, order text, search_content text) -> ListBuiltInAlgorithmsResponse;
    modelarts list_job_resource_specs(project_id text, job_type text, engine_id number, project_type code) -> ListJobResourceSpecsResponse;
    modelarts list_job_ai_engines(project_id text, job_type text) -> ListJobAiEnginesResponse;
    modelarts create_visualization_job(project_id text) body CreateVisualizationJobRequest -> CreateVisualizationJobResponse;
    modelarts list_visualization_jobs(project_id text, status text, per_page number, page number, sort_by = "sortBy" text, order text, search_content text, workspace_id text) -> ListVisualizationJobsResponse;
    modelarts show_visualization_job(project_id text, job_id text) -> VisualizationJobDetails;
    modelarts update_visualization_job(project_id text, job_id text) body UpdateVisualizationJobRequest -> Acknowledgement;
    modelarts delete_visualization_job(project_id text, job_id text) -> Acknowledgement;
    modelarts stop_visualization_job(project_id text, job_id text) -> Acknowledgement;
    modelarts restart_visualization_job(project_id text, job_id text) -> Acknowledgement;
    modelarts create_annotation_job(project_id text) body CreateAnnotationJobRequest -> CreateAnnotationJobResponse;
    modelarts list_annotation_jobs(project_id text, offset number, limit number, sort_by text, order text, search_content text) -> ListAnnotationJobsResponse;
    modelarts update_annotation_job(project_id text, job_id text) body UpdateAnnotationJobRequest -> LabelingAcknowledgement;
    modelarts delete_annotation_job(project_id text, job_id text) -> LabelingAcknowledgement;
    modelarts show_annotation_job_validation(project_id text, job_id text) -> ShowAnnotationJobValidationResponse;
    modelarts save_annotation_job_validation(project_id text, job_id text) body SaveAnnotationJobValidationRequest -> LabelingAcknowledgement;
    mrs update_job(project_id text, job_id text) body UpdateJobRequest -> JobResponse;
    mrs show_job(project_id text, job_id text) -> JobResponse;
    mrs delete_job(project_id text, job_id text) -> ();
    mrs create_job(project_id text) body CreateJobRequest -> JobResponse;
    mrs list_jobs(project_id text, limit number, marker text, sort_by text) -> ListJobsResponse;
    mrs submit_job(project_id text) body SubmitJobRequest -> SubmitJobResponse;
    mrs list_job_exes(project_id text, cluster_id text, id text, page_size number, current_page number, job_name text, state code) -> ListJobExesResponse;
    mrs show_job_exe(project_id text, job_exe_id text) -> ShowJobExeResponse;
    mrs execute_job(project_id text, job_id text) body ExecuteJobRequest -> JobExecutionResponse;
    mrs list_job_executions(project_id text, limit number, marker text, sort_by text) -> ListJobExecutionsResponse;
    mrs show_job_execution(project_id text, job_execution_id text) -> JobExecutionResponse;
    mrs delete_job_execution(project_id text, job_execution_id text) -> ();
    mrs cancel_job_execution(project_id text, job_execution_id text) -> JobExecutionResponse;
    mrs create_job_binary(project_id text) body CreateJobBinaryRequest -> JobBinaryResponse;
    mrs list_job_binaries(project_id text, limit number, marker text, sort_by text) -> ListJobBinariesResponse;
    mrs show_job_binary(project_id text, job_binary_id text) -> JobBinaryResponse;
    mrs update_job_binary(project_id text, job_binary_id text) body UpdateJobBinaryRequest -> JobBinaryResponse;
    mrs delete_job_binary(project_id text, job_binary_id text) -> ();
    mrs create_data_source(project_id text) body CreateDataSourceRequest -> DataSourceResponse;
    mrs list_data_sources(project_id text, limit number, marker text, sort_by text) -> ListDataSourcesResponse;
    mrs show_data_source(project_id text, data_source_id text) -> DataSourceResponse;
    mrs update_data_source(project_id text, data_source_id text) body UpdateDataSourceRequest -> DataSourceResponse;
    mrs delete_data_source(project_id text, data_source_id text) -> ();
    }
}

/// A parameter as text: path parameters that are texts are printed as numbers in some examples.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
