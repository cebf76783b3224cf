//! Sessions: the project, the credentials, and the addresses of the services.
//!
//! [`Session::from_environment`] looks for credentials in variables and in the user's files; [`Session::builder`] takes them one
//! by one, and settings for time limits, retries, proxies and certificates. All calls of a session share its connections.
//!
//! ```
//! use std::time::Duration;
//! use huaweicloud_jobs::{Credentials, RetryPolicy, Service, Session};
//!
//! let session = Session::builder()
//!     .region("cn-north-4")
//!     .project_id("cbfb9585c5854926a411a3f5a984fc09")
//!     .credentials(Credentials::access_key("EXAMPLEKEY", "not-a-key"))
//!     .timeout(Duration::from_secs(30))
//!     .retry(RetryPolicy::never())
//!     .user_agent_suffix("my-program/1.0")
//!     .build()?;
//! assert_eq!(session.endpoint(Service::ModelArts), Some("https://modelarts.cn-north-4.myhuaweicloud.com"));
//! let other = session.for_project("0123456789abcdef0123456789abcdef")?;
//! # Ok::<(), huaweicloud_jobs::Error>(())
//! ```
//!
//! [`credentials`] explains where credentials are looked for, [`signing`] how requests are signed.

use std::fmt;
use std::sync::Arc;

use progenitor_client::ClientInfo;

use crate::api::wire::ProjectId;
use crate::api::{iam, modelarts, mrs};
use crate::cloud::Cloud;
use crate::error::Error;
use crate::ids::given;

mod auth;
mod builder;
pub mod credentials;
mod proxy;
mod regions;
pub mod signing;
mod tls;
mod tokens;

pub use crate::clock::{Clock, SystemClock};
pub use crate::secret::Secret;
pub use crate::transport::{RetryPolicy, Transport};
#[cfg(feature = "contract")]
pub(crate) use auth::stranger;
use auth::{Auth, Scope, Scoped};
pub use builder::SessionBuilder;
pub use credentials::Service;

/// A project of an endpoint, with the credentials to use it.
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
    region: Option<String>,
    auth: Arc<Auth>,
    /// What requests to the identity service are signed for; the project if there is none.
    domain: Option<Scope>,
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

    /// The region, if one was given.
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The base address of a service, if it is known.
    pub fn endpoint(&self, service: Service) -> Option<&str> {
        let (transport, _, address) = self.way_to(service.name());
        Some(address).filter(|_| transport.is_addressed())
    }

    /// A session for another project, with the same connections, credentials and settings. Nothing is sent.
    ///
    /// A user and password get tokens for the new project, and a key pair signs for it. A token that was given is used as it
    /// is, so it has to be valid for both projects.
    ///
    /// ```
    /// # fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let other = session.for_project("cbfb9585c5854926a411a3f5a984fc09")?;
    /// let jobs = other.modelarts().training_jobs();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A text that cannot be the id of a project.
    pub fn for_project(&self, project_id: impl TryInto<ProjectId, Error: Into<Error>>) -> Result<Self, Error> {
        fn scoped<C: ClientInfo<Transport>>(client: &C, auth: &Arc<Auth>, scope: Scope) -> Transport {
            client.inner().authenticated_by(Arc::new(Scoped { auth: Arc::clone(auth), scope: Some(scope) }))
        }
        let Inner { project_id: _, cloud, region, auth, domain, iam, modelarts, mrs } = &*self.0;
        let project_id = given(project_id)?;
        let auth = match auth.for_project(&project_id) {
            Some(auth) => Arc::new(auth),
            None => Arc::clone(auth),
        };
        let project = || Scope::Project(project_id.as_str().to_owned());
        let to_iam = scoped(iam, &auth, domain.clone().unwrap_or_else(project));
        let (to_modelarts, to_mrs) = (scoped(modelarts, &auth, project()), scoped(mrs, &auth, project()));
        Ok(Self(Arc::new(Inner {
            cloud: *cloud,
            region: region.clone(),
            domain: domain.clone(),
            iam: iam::Client::new_with_client(iam.baseurl(), iam.client().clone(), to_iam),
            modelarts: modelarts::Client::new_with_client(
                modelarts.baseurl(),
                modelarts.client().clone(),
                to_modelarts,
            ),
            mrs: mrs::Client::new_with_client(mrs.baseurl(), mrs.client().clone(), to_mrs),
            auth,
            project_id,
        })))
    }

    /// Returns the generated client of the identity service.
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

    /// Returns the transport, the HTTP client and the base address of the service that a document describes.
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
        let Inner { project_id, cloud: _, region, auth: _, domain: _, iam: _, modelarts: _, mrs: _ } = &*self.0;
        f.debug_struct("Session")
            .field("project_id", &project_id.as_str())
            .field("region", region)
            .finish_non_exhaustive()
    }
}
