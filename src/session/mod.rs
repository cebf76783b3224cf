//! Sessions: the project, the credentials, and the addresses of the services.

use std::fmt;
use std::sync::Arc;

use progenitor_client::ClientInfo;

use crate::api::{iam, modelarts, mrs};
use crate::cloud::Cloud;
use crate::ids::ProjectId;

mod auth;
mod builder;
pub mod credentials;
mod proxy;
mod regions;
pub mod signing;
mod tokens;

pub use crate::clock::{Clock, SystemClock};
pub use crate::secret::Secret;
pub use crate::transport::{RetryPolicy, Transport};
#[cfg(feature = "contract")]
pub(crate) use auth::stranger;
pub use builder::SessionBuilder;
pub use credentials::Service;

/// A project of an endpoint, and the right to use it.
///
/// Cloning is cheap: clones share connections and credentials.
///
/// ```
/// use huaweicloud_jobs::Session;
///
/// let session = Session::builder()
///     .endpoint("https://modelarts.cn-north-4.myhuaweicloud.com")
///     .project_id("cbfb9585c5854926a411a3f5a984fc09")
///     .token("a token that the identity service gave")
///     .build()?;
/// let job = session.modelarts().training_job(182626)?;
/// # Ok::<(), huaweicloud_jobs::Error>(())
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    project_id: ProjectId,
    cloud: Option<Cloud>,
    iam: iam::Client,
    modelarts: modelarts::Client,
    mrs: mrs::Client,
}

impl Session {
    /// Returns the project of all requests.
    pub fn project_id(&self) -> &ProjectId {
        &self.0.project_id
    }

    /// The cloud that was named, see [`SessionBuilder::cloud`].
    pub fn cloud(&self) -> Option<Cloud> {
        self.0.cloud
    }

    /// The generated client of the identity service.
    pub fn iam(&self) -> &iam::Client {
        &self.0.iam
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.modelarts.inner().clock()
    }

    pub(crate) fn modelarts_client(&self) -> &modelarts::Client {
        &self.0.modelarts
    }

    pub(crate) fn mrs_client(&self) -> &mrs::Client {
        &self.0.mrs
    }

    /// The transport, the HTTP client and the base address of the service that a document describes.
    #[cfg(any(feature = "contract", feature = "raw"))]
    pub(crate) fn way_to(&self, document: &str) -> (&Transport, &reqwest::Client, &str) {
        fn parts<C: ClientInfo<Transport>>(client: &C) -> (&Transport, &reqwest::Client, &str) {
            (client.inner(), client.client(), client.baseurl())
        }
        match document {
            "iam" => parts(self.iam()),
            "modelarts" => parts(self.modelarts_client()),
            _ => parts(self.mrs_client()),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { project_id, cloud: _, iam: _, modelarts: _, mrs: _ } = &*self.0;
        f.debug_struct("Session").field("project_id", &project_id.as_str()).finish_non_exhaustive()
    }
}
