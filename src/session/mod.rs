//! Who is asking, and where the requests go.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::tls::Certificate;

use crate::api::{call, iam, modelarts, mrs};
use crate::error::Error;
use crate::ids::ProjectId;
use crate::modelarts::ModelArts;
use crate::mrs::Mrs;

mod auth;
mod clock;
mod regions;
mod retry;
mod secret;
pub mod signing;
mod tokens;
mod transport;

pub use clock::{Clock, SystemClock};
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use transport::Transport;
pub(crate) use transport::observe;

use auth::{Auth, SigningKey};
use retry::Budget;
use tokens::{Project, SignIn, Tokens};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const USER_AGENT: &str = concat!("huaweicloud-jobs/", env!("CARGO_PKG_VERSION"));

/// A service with an address of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Identity and Access Management: tokens and projects.
    Iam,
    /// ModelArts.
    ModelArts,
    /// MapReduce Service.
    Mrs,
}

impl Service {
    /// The name in addresses: `iam`, `modelarts`, `mrs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::ModelArts => "modelarts",
            Self::Mrs => "mrs",
        }
    }
}

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
#[derive(Clone)]
pub struct SessionBuilder {
    region: Option<String>,
    endpoint: Option<String>,
    endpoints: Vec<(Service, String)>,
    project_id: Option<String>,
    project_name: Option<String>,
    identity: Option<Identity>,
    retry: RetryPolicy,
    connect_timeout: Duration,
    timeout: Duration,
    certificates: Vec<u8>,
    verify: bool,
    clock: Arc<dyn Clock>,
}

/// Where each service is.
struct Addresses {
    iam: String,
    modelarts: String,
    mrs: String,
}

fn missing(what: &str) -> Error {
    Error::configuration(format!("no {what} given: call `.{what}(..)`"))
}

/// Who signs in, as far as it was said.
#[derive(Clone, Debug)]
enum Identity {
    Token(Secret),
    Password { account: String, user: String, password: Secret },
    Signature(SigningKey),
}

impl Default for SessionBuilder {
    fn default() -> Self {
        Self {
            region: None,
            endpoint: None,
            endpoints: Vec::new(),
            project_id: None,
            project_name: None,
            identity: None,
            retry: RetryPolicy::default(),
            connect_timeout: CONNECT_TIMEOUT,
            timeout: CALL_TIMEOUT,
            certificates: Vec::new(),
            verify: true,
            clock: Arc::new(SystemClock),
        }
    }
}

impl SessionBuilder {
    /// A region of Huawei Cloud, for example `cn-north-4`: it gives the address of every service.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// One base address for all services, for example a gateway's or the emulator's; goes before the region's.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Base address of one service, for partner clouds and private ones; goes before everything else.
    pub fn endpoint_of(mut self, service: Service, endpoint: impl Into<String>) -> Self {
        self.endpoints.push((service, endpoint.into()));
        self
    }

    /// Id of the project.
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    /// Name of the project, for [`connect`](Self::connect) to look up its id; the region's name by default.
    pub fn project_name(mut self, project_name: impl Into<String>) -> Self {
        self.project_name = Some(project_name.into());
        self
    }

    /// A token of the identity service for this project, sent as it is in `X-Auth-Token`.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.identity = Some(Identity::Token(token.into()));
        self
    }

    /// A user of an account: tokens are fetched from the identity service when needed, and renewed.
    pub fn password(
        mut self,
        account: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        self.identity =
            Some(Identity::Password { account: account.into(), user: user.into(), password: password.into() });
        self
    }

    /// An access key and its secret key: every request is signed, and signed again when it is repeated.
    pub fn access_key(mut self, access_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        let (access_key, secret_key) = (access_key.into(), secret_key.into());
        self.identity =
            Some(Identity::Signature(SigningKey { access_key, secret_key, security_token: None, project_id: None }));
        self
    }

    /// A temporary access key, its secret key and the security token that came with them.
    pub fn temporary_access_key(
        mut self,
        access_key: impl Into<String>,
        secret_key: impl Into<Secret>,
        security_token: impl Into<Secret>,
    ) -> Self {
        self.identity = Some(Identity::Signature(SigningKey {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: Some(security_token.into()),
            project_id: None,
        }));
        self
    }

    /// When calls are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long connecting may take; 5 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take, all its attempts and waits together; 60 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Certificates (PEM) to trust besides those of the system, for private clouds.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates = pem.into();
        self
    }

    /// Trusts whoever answers. Everyone on the way can then read and change what is sent, credentials included; each
    /// session that does so warns in the traces.
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.verify = false;
        self
    }

    /// The clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The session, or what is missing or malformed; nothing is sent.
    pub fn build(self) -> Result<Session, Error> {
        let project_id = self.project_id.clone().ok_or_else(|| missing("project_id"))?;
        let project_id = ProjectId::try_from(project_id).map_err(|error| Error::configuration(error.message()))?;
        let addresses = self.addresses()?;
        let http = self.http_client()?;
        let auth = self.auth(&addresses, &http, Project::Id(project_id.as_str().to_owned()))?;
        Ok(self.assemble(&addresses, &http, auth, project_id))
    }

    /// The session; where no project id was given, the one whose name was, or whose name is the region's, is looked up
    /// with the identity service.
    pub async fn connect(self) -> Result<Session, Error> {
        if self.project_id.is_some() {
            return self.build();
        }
        let name = self.project_name.clone().or_else(|| self.region.clone()).ok_or_else(|| missing("project_id"))?;
        let addresses = self.addresses()?;
        let http = self.http_client()?;
        let auth = Arc::new(self.auth(&addresses, &http, Project::Name(name.clone()))?);
        let iam = iam::Client::new_with_client(&addresses.iam, http.clone(), self.transport(Arc::clone(&auth)));
        let answer = call(&iam::operations::LIST_PROJECTS, iam.list_projects().name(&name).send()).await?;
        let mut ids = answer.projects.into_iter().filter(|project| project.name == name).map(|project| project.id);
        let project_id = match (ids.next(), ids.next()) {
            (Some(id), None) => ProjectId::try_from(id)?,
            (None, _) => return Err(Error::configuration(format!("there is no project of the name {name}"))),
            (Some(_), Some(_)) => {
                return Err(Error::configuration(format!(
                    "several projects have the name {name}: give the project's id"
                )));
            }
        };
        // A token is for the project already; a signature says the project in each request.
        let auth = match &*auth {
            Auth::Signature(key) => {
                let project_id = Some(project_id.as_str().to_owned());
                Arc::new(Auth::Signature(SigningKey { project_id, ..key.clone() }))
            }
            _ => auth,
        };
        Ok(self.assemble(&addresses, &http, auth, project_id))
    }

    fn addresses(&self) -> Result<Addresses, Error> {
        let of = |service: Service| {
            let own = self.endpoints.iter().rev().find(|(named, _)| *named == service).map(|(_, endpoint)| endpoint);
            match (own.or(self.endpoint.as_ref()), &self.region) {
                (Some(given), _) => endpoint(given),
                (None, Some(region)) => regions::endpoint(service, region),
                (None, None) => Err(missing("endpoint")),
            }
        };
        Ok(Addresses { iam: of(Service::Iam)?, modelarts: of(Service::ModelArts)?, mrs: of(Service::Mrs)? })
    }

    fn auth(&self, addresses: &Addresses, http: &reqwest::Client, project: Project) -> Result<Auth, Error> {
        match self.identity.clone().ok_or_else(|| missing("token"))? {
            Identity::Token(token) => Auth::token(token),
            Identity::Signature(key) => {
                let project_id = match project {
                    Project::Id(id) => Some(id),
                    // Its id is what is looked for.
                    Project::Name(_) => None,
                };
                Ok(Auth::Signature(SigningKey { project_id, ..key }.checked()?))
            }
            Identity::Password { account, user, password } => {
                let transport = self.transport(Auth::Nobody.into());
                let client = iam::Client::new_with_client(&addresses.iam, http.clone(), transport);
                Ok(Auth::Password(Box::new(Tokens::new(client, SignIn { account, user, password, project }))))
            }
        }
    }

    fn transport(&self, auth: Arc<Auth>) -> Transport {
        Transport::new(transport::Inner {
            auth,
            retry: self.retry,
            budget: Budget::default(),
            clock: Arc::clone(&self.clock),
            timeout: self.timeout,
        })
    }

    fn assemble(
        &self,
        addresses: &Addresses,
        http: &reqwest::Client,
        auth: impl Into<Arc<Auth>>,
        project_id: ProjectId,
    ) -> Session {
        let transport = self.transport(auth.into());
        let Addresses { iam, modelarts, mrs } = addresses;
        Session(Arc::new(Inner {
            project_id,
            iam: iam::Client::new_with_client(iam, http.clone(), transport.clone()),
            modelarts: modelarts::Client::new_with_client(modelarts, http.clone(), transport.clone()),
            mrs: mrs::Client::new_with_client(mrs, http.clone(), transport),
        }))
    }

    fn http_client(&self) -> Result<reqwest::Client, Error> {
        // A program that has chosen a TLS provider keeps its choice.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(self.connect_timeout)
            // A redirect would send the credentials elsewhere; these APIs have none.
            .redirect(reqwest::redirect::Policy::none());
        if !self.certificates.is_empty() {
            let certificates = Certificate::from_pem_bundle(&self.certificates)
                .map_err(|error| Error::configuration("the root certificates are not PEM").with_source(error))?;
            if certificates.is_empty() {
                return Err(Error::configuration("the root certificates hold no certificate in PEM"));
            }
            client = client.tls_certs_merge(certificates);
        }
        if !self.verify {
            tracing::warn!("certificates are not verified: whoever is on the way can read what is sent");
            client = client.tls_danger_accept_invalid_certs(true);
        }
        client.build().map_err(|error| Error::configuration("the HTTP client cannot be set up").with_source(error))
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            endpoint: _,
            endpoints: _,
            project_id,
            project_name,
            identity,
            retry,
            connect_timeout,
            timeout,
            certificates: _,
            verify,
            clock,
        } = self;
        // Addresses are left out: before `build` has looked at them they may hold credentials.
        f.debug_struct("SessionBuilder")
            .field("region", region)
            .field("project_id", project_id)
            .field("project_name", project_name)
            .field("identity", identity)
            .field("retry", retry)
            .field("connect_timeout", connect_timeout)
            .field("timeout", timeout)
            .field("verify", verify)
            .field("clock", clock)
            .finish_non_exhaustive()
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
