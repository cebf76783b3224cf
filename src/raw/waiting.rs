//! Waiting for the job that the response to a raw call shows.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Request, Response};
use crate::api::wire::job_status;
use crate::error::Error;
use crate::modelarts::{JobStatus, TrainingJob, TrainingJobVersion, VisualizationJob};
use crate::mrs::{Execution, JobExe};
use crate::session::Session;
use crate::waiting::{Awaited, Phase, Wait, WaitError};

impl Request {
    /// Waits until the job in the response has ended, see [`waiting`](crate::waiting).
    pub fn wait<'a>(&self) -> Wait<'a, Self> {
        Wait::new(self.clone())
    }
}

/// Only requests for the details of one job can wait; others fail at once.
impl Awaited for Request {
    type Details = Response;

    fn session(&self) -> &Session {
        &self.session
    }

    async fn details(&self) -> Result<Response, Error> {
        let response = self.send().await?;
        // An unreadable state must not look like a running one.
        response.progress()?;
        Ok(response)
    }

    fn phase(response: &Response) -> (Phase, String) {
        response.progress().unwrap_or_else(|_| (Phase::Underway, "not known".to_owned()))
    }
}

impl Wait<'_, Request> {
    /// Waits until a visualization job runs and can be opened.
    ///
    /// # Errors
    ///
    /// The same as of [`for_completion`](Wait::for_completion).
    pub async fn for_running(self) -> Result<Response, WaitError<Response>> {
        self.until(|response| {
            let status = serde_json::from_value::<JobStatus>(response.body["status"].clone()).ok();
            job_status::runs(status.as_ref())
        })
        .await
    }
}

impl Response {
    /// Returns the phase of the job in the response, like the handle of the job.
    fn progress(&self) -> Result<(Phase, String), Error> {
        let details = match self.operation.id {
            "show_job_execution" | "cancel_job_execution" | "show_job_exe" => &self.body["job_execution"],
            _ => &self.body,
        };
        progress(self.operation.id, details)
            .unwrap_or_else(|| Err(Error::invalid_request("its response shows no job that can be waited for")))
            .map_err(|error| error.or_operation(self.operation.id))
    }
}

/// Returns the phase of a job by its details, as the response of an operation has them. `None` where that response shows no
/// single job.
pub(crate) fn progress(operation: &str, details: &Value) -> Option<Result<(Phase, String), Error>> {
    Some(match operation {
        "list_training_job_versions" => phase::<TrainingJob>(details),
        "show_training_job_version" => phase::<TrainingJobVersion>(details),
        "show_visualization_job" => phase::<VisualizationJob>(details),
        "show_job_execution" | "cancel_job_execution" => phase::<Execution>(details),
        "show_job_exe" => phase::<JobExe>(details),
        _ => return None,
    })
}

/// Returns the phase of a job from the JSON of its details.
fn phase<J: Awaited<Details: DeserializeOwned>>(details: &Value) -> Result<(Phase, String), Error> {
    let details: J::Details = serde_path_to_error::deserialize(details).map_err(|error| {
        let place = error.path().to_string();
        Error::decode(place, error.into_inner().to_string(), details.to_string().as_bytes())
    })?;
    Ok(J::phase(&details))
}
