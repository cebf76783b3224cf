//! Typed mocks of every operation, for your own tests: a real HTTP server with the responses that a test sets.
//!
//! [`httpmock`] is the server; this adds a method for each operation, with its parameters and its response as types. For a
//! service that remembers what was done, use the [emulator](crate::emulator) instead.
//!
//! [`error`], [`response_error`], [`entry`] and [`page`] make the values that calls return, for tests of code that takes
//! them and needs no server.
//!
//! ```
//! use huaweicloud_jobs::mock::{self, MockServer, modelarts::MockServerExt};
//! use huaweicloud_jobs::modelarts::types::{Acknowledgement, UpdateTrainingJobRequest};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = MockServer::start_async().await;
//! let session = mock::session(&server)?;
//! let body = UpdateTrainingJobRequest { job_desc: "new".parse()? };
//! let changed: Acknowledgement = serde_json::from_value(json!({"is_success": true}))?;
//! let good = server.update_training_job(|when, then| {
//!     when.job_id(10).body(&body);
//!     then.success(200, &changed);
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

use crate::entry::Entry;
use crate::error::{Error, ErrorKind, Redactor, ResponseInfo};
use crate::paging::Page;
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

/// Returns a session with a mock server. It sends each call once, without retries.
///
/// # Errors
///
/// An address of the server that is no endpoint.
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

/// An error of a kind, with a message, as a call would return it.
///
/// ```
/// use huaweicloud_jobs::{ErrorKind, mock};
/// let error = mock::error(ErrorKind::Timeout, "no complete response");
/// assert!(error.is_timeout() && error.is_retryable());
/// ```
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, message)
}

/// The error that a call returns for a response with this status and body.
///
/// ```
/// use huaweicloud_jobs::mock;
/// let error = mock::response_error(404, r#"{"error_code": "ModelArts.0102", "error_msg": "no such job"}"#);
/// assert!(error.is_not_found());
/// assert_eq!((error.code(), error.message()), (Some("ModelArts.0102"), "no such job"));
/// ```
///
/// # Panics
///
/// With a number that is no HTTP status.
pub fn response_error(status: u16, body: impl AsRef<[u8]>) -> Error {
    let status = http::StatusCode::from_u16(status).expect("an HTTP status");
    Error::answered(body.as_ref(), &ResponseInfo::new(status, &http::HeaderMap::new(), Redactor::default()))
}

/// An entry as `create` and lists return it.
///
/// ```
/// use huaweicloud_jobs::modelarts::types::TrainingJobSummary;
/// use huaweicloud_jobs::{Session, mock};
/// # let session = Session::builder().endpoint("http://127.0.0.1:1").project_id("p").token("t").build()?;
/// let details: TrainingJobSummary = serde_json::from_value(serde_json::json!({"job_id": 10, "job_name": "mine"}))?;
/// let entry = mock::entry(session.modelarts().training_job(10)?, details);
/// assert_eq!((entry.id().get(), entry.details.job_name.as_str()), (10, "mine"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn entry<H, D>(handle: H, details: D) -> Entry<H, D> {
    Entry::new(handle, details)
}

/// A page of a list: the last one, with these entries and this number of entries on all pages.
///
/// ```
/// let page = huaweicloud_jobs::mock::page(["one", "two"], Some(2));
/// assert_eq!(page.entries.len(), 2);
/// assert!(page.cursor.is_none());
/// ```
pub fn page<T>(entries: impl IntoIterator<Item = T>, total: Option<u64>) -> Page<T> {
    Page { entries: entries.into_iter().collect(), total, cursor: None }
}
