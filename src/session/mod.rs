//! Who is asking, and where the requests go.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;

use crate::api::{iam, modelarts, mrs};
use crate::error::Error;
use crate::ids::ProjectId;
use crate::modelarts::ModelArts;
use crate::mrs::Mrs;

pub mod credentials;
mod secret;
mod transport;

pub use secret::Secret;
pub use transport::Transport;
pub(crate) use transport::observe;

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
    iam: iam::Client,
    modelarts: modelarts::Client,
    mrs: mrs::Client,
}

impl Session {
    /// Starts a session from an explicit endpoint, project and token.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// The project of all requests.
    pub fn project_id(&self) -> &ProjectId {
        &self.0.project_id
    }

    /// ModelArts: training, visualization and labeling jobs.
    pub fn modelarts(&self) -> ModelArts {
        ModelArts::new(self.clone())
    }

    /// MapReduce Service: job objects.
    pub fn mrs(&self) -> Mrs {
        Mrs::new(self.clone())
    }

    /// The generated client of the identity service.
    pub fn iam(&self) -> &iam::Client {
        &self.0.iam
    }

    pub(crate) fn modelarts_client(&self) -> &modelarts::Client {
        &self.0.modelarts
    }

    pub(crate) fn mrs_client(&self) -> &mrs::Client {
        &self.0.mrs
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { project_id, iam: _, modelarts: _, mrs: _ } = &*self.0;
        f.debug_struct("Session").field("project_id", &project_id.as_str()).finish_non_exhaustive()
    }
}

/// What a [`Session`] is made from.
#[derive(Clone, Default)]
pub struct SessionBuilder {
    endpoint: Option<String>,
    project_id: Option<String>,
    token: Option<Secret>,
}

impl SessionBuilder {
    /// Base address of the APIs, for example `https://modelarts.cn-north-4.myhuaweicloud.com`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Id of the project.
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    /// A token of the identity service for this project, sent as `X-Auth-Token`.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The session, or what is missing or malformed.
    pub fn build(self) -> Result<Session, Error> {
        let missing = |what: &str| Error::configuration(format!("no {what} given: call `.{what}(..)`"));
        let endpoint = endpoint(&self.endpoint.ok_or_else(|| missing("endpoint"))?)?;
        let project_id = self.project_id.ok_or_else(|| missing("project_id"))?;
        let project_id = ProjectId::try_from(project_id).map_err(|error| Error::configuration(error.message()))?;
        let transport = Transport::new(self.token.ok_or_else(|| missing("token"))?)?;
        let http = transport::http_client()?;
        Ok(Session(Arc::new(Inner {
            project_id,
            iam: iam::Client::new_with_client(&endpoint, http.clone(), transport.clone()),
            modelarts: modelarts::Client::new_with_client(&endpoint, http.clone(), transport.clone()),
            mrs: mrs::Client::new_with_client(&endpoint, http, transport),
        })))
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, project_id, token } = self;
        f.debug_struct("SessionBuilder")
            .field("endpoint", endpoint)
            .field("project_id", project_id)
            .field("token", token)
            .finish()
    }
}

/// Checks a base address and takes the final slash off: the paths of the operations start with one.
fn endpoint(text: &str) -> Result<String, Error> {
    // The text itself is not repeated: it might hold credentials.
    let refused = |reason: &str| Error::configuration(format!("the endpoint {reason}"));
    let url = Url::parse(text).map_err(|error| refused(&format!("is not an address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("holds a query or a fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
