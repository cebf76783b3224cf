//! Typed mocks of every operation, for tests of one's own: a real HTTP server that says what a test tells it to.
//!
//! [`httpmock`] is the server; this adds a method for each operation, with its parameters and its answer as types. For a
//! service that remembers what was done, use the [emulator](crate::emulator) instead.
//!
//! ```
//! use huaweicloud_jobs::mock::{self, MockServer, modelarts::MockServerExt};
//! use huaweicloud_jobs::modelarts::types::{UpdateTrainingJobRequest, UpdateTrainingJobResponse};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = MockServer::start_async().await;
//! let session = mock::session(&server)?;
//! let body = UpdateTrainingJobRequest { job_desc: "new".parse()? };
//! let good = server.update_training_job(|when, then| {
//!     when.job_id(10).body(&body);
//!     then.success(200, &UpdateTrainingJobResponse { is_success: true, error_code: None, error_message: None });
//! });
//! let gone = server.update_training_job(|when, then| {
//!     when.job_id(11);
//!     mock::fail(then.into_inner(), 404, "ModelArts.0102", "no such job");
//! });
//!
//! session.modelarts().training_job(10)?.update_description("new").await?;
//! let error = session.modelarts().training_job(11)?.update_description("new").await.unwrap_err();
//! assert!(error.is_not_found());
//! good.assert();
//! gone.assert();
//! # Ok(())
//! # }
//! ```

#[doc(no_inline)]
pub use httpmock::MockServer;
use httpmock::Then;

use crate::error::Error;
use crate::session::{RetryPolicy, Session};

/// A project and a token that are valid for no service.
const PROJECT_ID: &str = "mock-project";
const TOKEN: &str = "mock-token-not-a-secret";

macro_rules! service {
    ($name:ident, $title:literal) => {
        #[doc = concat!("Mocks of ", $title, ".")]
        #[allow(
            missing_docs,
            unreachable_pub,
            unused_imports,
            clippy::all,
            clippy::allow_attributes_without_reason,
            clippy::unwrap_used,
            rustdoc::all,
            reason = "generated from the description"
        )]
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "_mock.rs"));
        }
    };
}

service!(iam, "IAM v3");
service!(modelarts, "ModelArts v1");
service!(mrs, "MRS v1.1");

/// A session with a mock server, that sends each call once.
pub fn session(server: &MockServer) -> Result<Session, Error> {
    let session = Session::builder().endpoint(server.base_url()).project_id(PROJECT_ID).token(TOKEN);
    session.retry(RetryPolicy::never()).no_proxy().build()
}

/// Returns an error in the form of ModelArts and MRS.
pub fn fail(then: Then, status: u16, code: &str, message: &str) -> Then {
    let body = serde_json::json!({
        "is_success": false,
        "error_code": code,
        "error_message": message,
        "error_msg": message,
    });
    then.status(status).json_body(body)
}
