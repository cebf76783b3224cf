//! Builds sessions from given values, or from the environment and the user's files.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::auth::{Auth, Keys, Scope, Scoped};
use super::credentials::{self, Chain, Context, Credentials, Service, Settings};
use super::proxy::{Proxies, Route as Way};
use super::tls::Tls;
use super::tokens::{Project, SignIn, Tokens};
use super::{Inner, Session, regions};
use crate::api::wire::ProjectId;
use crate::api::{call, iam, modelarts, mrs};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Setting};
use crate::har::Recorder;
use crate::secret::Secret;
use crate::transport::{self, Budget, RetryPolicy, Route, Transport};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The placeholder for an unknown address of a service: the transport sends nothing to it.
const NO_ADDRESS: &str = "http://no-address.invalid";
const USER_AGENT: &str = concat!("huaweicloud-jobs/", env!("CARGO_PKG_VERSION"));

impl Session {
    /// Starts a session from explicit values.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// Starts a session from the environment and the user's files; see `docs/credentials.md`.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), huaweicloud_jobs::Error> {
    /// let session = huaweicloud_jobs::Session::from_environment().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`SessionBuilder::connect`].
    pub async fn from_environment() -> Result<Self, Error> {
        Self::builder().connect().await
    }
}

/// Builds a [`Session`], see [`Session::builder`].
#[derive(Clone)]
#[must_use = "no session is built before `build` or `connect`"]
pub struct SessionBuilder {
    settings: Settings,
    credentials: Option<Credentials>,
    context: Option<Context>,
    retry: RetryPolicy,
    connect_timeout: Duration,
    timeout: Duration,
    proxies: Proxies,
    tls: Tls,
    user_agent: String,
    http: Option<reqwest::Client>,
    chain: Chain,
    clock: Arc<dyn Clock>,
    recorder: Option<Recorder>,
}

impl Default for SessionBuilder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            credentials: None,
            context: None,
            retry: RetryPolicy::default(),
            connect_timeout: CONNECT_TIMEOUT,
            timeout: CALL_TIMEOUT,
            proxies: Proxies::default(),
            tls: Tls::default(),
            user_agent: USER_AGENT.to_owned(),
            http: None,
            chain: Chain::default(),
            clock: Arc::new(SystemClock),
            recorder: None,
        }
    }
}

impl SessionBuilder {
    /// The cloud, by its name or as a [`Cloud`](crate::Cloud): it gives the form of the addresses in its regions. Huawei
    /// Cloud by default; the clouds are in `docs/clouds.md`.
    ///
    /// ```
    /// use huaweicloud_jobs::Session;
    ///
    /// let session = Session::builder()
    ///     .cloud("otc")
    ///     .region("eu-de")
    ///     .project_id("5a3314075bfa49b9ae360f4ecd333695")
    ///     .token("a token of the cloud")
    ///     .build()?;
    /// assert_eq!(session.cloud().map(|cloud| cloud.title()), Some("Open Telekom Cloud"));
    /// # Ok::<(), huaweicloud_jobs::Error>(())
    /// ```
    pub fn cloud(mut self, cloud: impl Into<String>) -> Self {
        self.settings.cloud = Some(cloud.into());
        self
    }

    /// Sets the region of the cloud, for example `cn-north-4`; it determines the address of every service.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.settings.region = Some(region.into());
        self
    }

    /// Sets one base address for all services, for example of a gateway or of the emulator. It takes precedence over the
    /// region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the base address of one service, for partner clouds and private ones. It takes precedence over all other
    /// addresses.
    ///
    /// A session for one service needs no address of the others: the first call of a service without an address fails.
    /// The address may end with the version of the service's paths, for example `/v3` for the identity service.
    pub fn endpoint_of(mut self, service: Service, endpoint: impl Into<String>) -> Self {
        *self.settings.own_endpoint(service) = Some(endpoint.into());
        self
    }

    /// Sets the id of the project.
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.settings.project_id = Some(project_id.into());
        self
    }

    /// Sets the name of the project, for [`connect`](Self::connect) to look up its id; the region's name by default.
    pub fn project_name(mut self, project_name: impl Into<String>) -> Self {
        self.settings.project_name = Some(project_name.into());
        self
    }

    /// Sets project, region and addresses together. Values that are set by the other methods take precedence.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Settings::layered([std::mem::take(&mut self.settings), settings]);
        self
    }

    /// Sets the id of the account, which the documents call a domain. Requests to the identity service, which is in no project,
    /// are signed with it; a token has its own.
    pub fn domain_id(mut self, domain_id: impl Into<String>) -> Self {
        self.settings.domain_id = Some(domain_id.into());
        self
    }

    /// Sets the credentials.
    ///
    /// A key pair signs every request and every retry. For a user and password, tokens are fetched from the identity service
    /// when needed, and renewed. A token is used as it is.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets a token of the identity service for this project, which is sent as it is in `X-Auth-Token`.
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.credentials(Credentials::Token(token.into()))
    }

    /// Sets where [`connect`](Self::connect) looks for credentials and settings that are not given here; by default the
    /// environment of this process and the files of its user.
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// Sets how often and after which delays calls are retried.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how long connecting may take; 5 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long a call may take, all its attempts and delays together; 60 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends all requests through a proxy, for example `http://user:password@proxy.example:3128`, whatever the environment
    /// names. The scheme is `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`.
    ///
    /// Addresses of this machine (`localhost`, `127.0.0.0/8`, `::1`) are never reached through a proxy.
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxies = Proxies::Given(proxy.into());
        self
    }

    /// Sends all requests without a proxy, whatever the environment names.
    ///
    /// By default the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` count, in capitals or small
    /// letters, and where none is set the settings of the system.
    pub fn no_proxy(mut self) -> Self {
        self.proxies = Proxies::Direct;
        self
    }

    /// Adds trusted certificates (PEM) to those of the system, for private clouds.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.certificates = pem.into();
        self
    }

    /// Authenticates connections with a certificate, for gateways that ask for one: the certificate, its chain and its private
    /// key, all in PEM. [`build`](Self::build) rejects a text that lacks one of them.
    pub fn client_certificate(mut self, pem: impl Into<Secret>) -> Self {
        self.tls.identity = Some(pem.into());
        self
    }

    /// Adds the name of the program to the `User-Agent` of each request, for example `my-program/1.0`.
    pub fn user_agent_suffix(mut self, suffix: impl AsRef<str>) -> Self {
        self.user_agent = format!("{USER_AGENT} {}", suffix.as_ref());
        self
    }

    /// Sends all requests with this HTTP client. Its own proxies, certificates, user agent and time for a connection apply
    /// instead of those of this builder. Build it with `redirect(Policy::none())`: it would send a token along a redirect.
    ///
    /// It takes a [`reqwest::Client`] of the version that this crate depends on.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Looks for credentials with these providers instead of the default [`Chain`]; also when temporary keys are renewed.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), huaweicloud_jobs::Error> {
    /// use huaweicloud_jobs::Session;
    /// use huaweicloud_jobs::session::credentials::{Chain, Metadata, Profile};
    /// let chain = Chain::first_try(Profile).or_else(Metadata);
    /// let session = Session::builder().chain(chain).region("cn-north-4").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn chain(mut self, chain: Chain) -> Self {
        self.chain = chain;
        self
    }

    /// Accepts any certificate of a server. Everyone on the network path can then read and change what is sent, credentials
    /// included. Each session that does so logs a warning with `tracing`.
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.tls.verify = false;
        self
    }

    /// Sets the clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Records all requests and responses of the session, for a HAR file; see [`Recorder`].
    pub fn record(mut self, recorder: &Recorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    /// Builds the session from the values given here alone; nothing is sent or looked for.
    ///
    /// # Errors
    ///
    /// Of kind [`Configuration`](crate::ErrorKind::Configuration): a value is missing or malformed.
    pub fn build(self) -> Result<Session, Error> {
        let project_id = self.settings.project_id.clone().ok_or_else(|| Error::missing_setting(Setting::ProjectId))?;
        let endpoints = self.endpoints()?;
        let credentials = self.credentials.clone().ok_or_else(|| Error::missing_setting(Setting::Credentials))?;
        let auth = self.auth(credentials, &endpoints, Some(Project::Id(project_id.clone())))?;
        self.assemble(endpoints, auth.into(), project_id)
    }

    /// Builds the session and looks for what is not given here: credentials along the [chain](credentials::Chain), and the
    /// id of the project by its name, which by default is the region's name.
    ///
    /// # Errors
    ///
    /// A value is missing or malformed, a provider of credentials is broken, or the identity service failed.
    pub async fn connect(mut self) -> Result<Session, Error> {
        let keys = self.find().await?;
        let credentials = self.credentials.clone().ok_or_else(|| Error::missing_setting(Setting::Credentials))?;
        let endpoints = self.endpoints()?;
        let name = self.settings.project_name.clone().or_else(|| self.settings.region.clone());
        let project = match (&self.settings.project_id, name) {
            (Some(id), _) => Project::Id(id.clone()),
            (None, Some(name)) => Project::Name(name),
            (None, None) => return Err(Error::missing_setting(Setting::ProjectId)),
        };
        let auth = Arc::new(match keys {
            Some(keys) => Auth::Keys(keys.into()),
            None => self.auth(credentials, &endpoints, Some(project.clone()))?,
        });
        let project_id = match project {
            Project::Id(id) => id,
            Project::Name(name) => Box::pin(self.look_up(&endpoints, Arc::clone(&auth), &name)).await?,
        };
        self.assemble(endpoints, auth, project_id)
    }

    /// Returns the projects that the credentials can use. No project has to be given for that.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn projects(mut self) -> Result<Vec<iam::types::AuthProject>, Error> {
        self.find().await?;
        let credentials = self.credentials.clone().ok_or_else(|| Error::missing_setting(Setting::Credentials))?;
        let endpoints = self.endpoints()?;
        let auth = self.auth(credentials, &endpoints, None)?;
        let iam = self.iam_client(&endpoints, auth.into(), self.domain());
        Ok(call(&iam::operations::LIST_AUTH_PROJECTS, iam.list_auth_projects().send()).await?.projects)
    }

    /// Looks for credentials if none are given. Returns those that expire, together with the chain that renews them.
    async fn find(&mut self) -> Result<Option<Keys>, Error> {
        if self.credentials.is_some() {
            return Ok(None);
        }
        let context = self.context.take().unwrap_or_default();
        let found = Box::pin(self.chain.resolve(&context)).await?;
        self.settings = Settings::layered([std::mem::take(&mut self.settings), found.settings.clone()]);
        self.credentials = Some(found.credentials.clone());
        Ok(found.expires_at().is_some().then(|| Keys::new(self.chain.clone(), context, found)))
    }

    async fn look_up(&self, endpoints: &Endpoints, auth: Arc<Auth>, name: &str) -> Result<String, Error> {
        let iam = self.iam_client(endpoints, auth, self.domain());
        let response = call(&iam::operations::LIST_PROJECTS, iam.list_projects().name(name).send()).await?;
        let mut ids = response.projects.into_iter().filter(|project| project.name == name).map(|project| project.id);
        match (ids.next(), ids.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(Error::configuration(format!("there is no project of the name {name}"))),
            (Some(_), Some(_)) => {
                Err(Error::configuration(format!("several projects have the name {name}: give the project's id")))
            }
        }
    }

    fn endpoints(&self) -> Result<Endpoints, Error> {
        self.settings.validate()?;
        self.proxies.validate()?;
        let addresses = [self.address(Service::Iam)?, self.address(Service::ModelArts)?, self.address(Service::Mrs)?];
        if addresses.iter().all(Option::is_none) {
            return Err(Error::missing_setting(Setting::Endpoint));
        }
        if !self.tls.verify {
            tracing::warn!("certificates are not verified: whoever is on the way can read what is sent");
        }
        // One for the addresses behind a proxy, one for the others.
        let is_plain = addresses.iter().flatten().all(|address| address.starts_with("http:"));
        let (mut proxied, mut direct) = (None::<reqwest::Client>, None::<reqwest::Client>);
        let mut endpoint = |service: Service, address: Option<String>| -> Result<Endpoint, Error> {
            let (to, unaddressed) = match &address {
                Some(address) => (self.proxies.route(address), None),
                None => (Way::Direct, Some(service)),
            };
            let (http, proxy) = match to {
                Way::Direct => (&mut direct, None),
                Way::Through(proxy) => (&mut proxied, Some(proxy)),
            };
            let http = match http {
                Some(http) => http.clone(),
                None => http.insert(self.client(proxy.is_none(), is_plain)?).clone(),
            };
            Ok(Endpoint { address: address.unwrap_or_else(|| NO_ADDRESS.to_owned()), http, proxy, unaddressed })
        };
        let [iam, modelarts, mrs] = addresses;
        Ok(Endpoints {
            iam: endpoint(Service::Iam, iam)?,
            modelarts: endpoint(Service::ModelArts, modelarts)?,
            mrs: endpoint(Service::Mrs, mrs)?,
        })
    }

    /// Returns the base address of a service, if it is known.
    fn address(&self, service: Service) -> Result<Option<String>, Error> {
        let cloud = self.settings.known_cloud()?;
        let Settings { project_id, .. } = &self.settings;
        let region = self.settings.known_region(cloud);
        match (self.settings.endpoint_of(service, None), region) {
            (Some(given), _) => credentials::endpoint(given)
                .map(|address| Some(credentials::base(service, &address, project_id.as_deref())))
                .map_err(|reason| Error::configuration(format!("the endpoint {reason}"))),
            (None, Some(region)) => regions::endpoint(service, region, cloud),
            (None, None) => Ok(None),
        }
    }

    fn auth(&self, credentials: Credentials, endpoints: &Endpoints, project: Option<Project>) -> Result<Auth, Error> {
        match credentials {
            Credentials::Token(token) => Auth::token(token),
            Credentials::Password { account, user, password } => {
                for (name, text) in [("account", &*account), ("user", &*user), ("password", password.expose())] {
                    if text.trim().is_empty() {
                        return Err(Error::blank(name));
                    }
                }
                let client = self.iam_client(endpoints, Auth::Nobody.into(), None);
                Ok(Auth::Password(Tokens::new(client, SignIn { account, user, password, project }).into()))
            }
            Credentials::AccessKey { .. } => Auth::signature(&credentials),
        }
    }

    /// The domain, for the service that belongs to no project.
    fn domain(&self) -> Option<Scope> {
        self.settings.domain_id.clone().map(Scope::Domain)
    }

    fn iam_client(&self, endpoints: &Endpoints, auth: Arc<Auth>, scope: Option<Scope>) -> iam::Client {
        let Endpoint { address, http, .. } = &endpoints.iam;
        let transport = self.transport(Scoped { auth, scope }).routed(endpoints.iam.route());
        iam::Client::new_with_client(address, http.clone(), transport)
    }

    fn transport(&self, auth: Scoped) -> Transport {
        Transport::new(transport::Inner {
            auth: Arc::new(auth),
            route: Route::default(),
            retry: self.retry,
            budget: Budget::default(),
            clock: Arc::clone(&self.clock),
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            recorder: self.recorder.clone(),
        })
    }

    fn assemble(&self, endpoints: Endpoints, auth: Arc<Auth>, project_id: String) -> Result<Session, Error> {
        let project_id = ProjectId::try_from(project_id).map_err(|error| Error::configuration(error.message()))?;
        let scope = Scope::Project(project_id.as_str().to_owned());
        let domain = self.domain();
        let transport = self.transport(Scoped { auth: Arc::clone(&auth), scope: Some(scope) });
        let global = match domain.clone() {
            None => transport.clone(),
            Some(domain) => {
                transport.authenticated_by(Arc::new(Scoped { auth: Arc::clone(&auth), scope: Some(domain) }))
            }
        };
        let Endpoints { iam, modelarts, mrs } = endpoints;
        let to_iam = global.routed(iam.route());
        let (to_modelarts, to_mrs) = (transport.routed(modelarts.route()), transport.routed(mrs.route()));
        Ok(Session(Arc::new(Inner {
            project_id,
            cloud: self.settings.known_cloud()?,
            region: self.settings.region.clone(),
            auth,
            domain,
            iam: iam::Client::new_with_client(&iam.address, iam.http, to_iam),
            modelarts: modelarts::Client::new_with_client(&modelarts.address, modelarts.http, to_modelarts),
            mrs: mrs::Client::new_with_client(&mrs.address, mrs.http, to_mrs),
        })))
    }

    /// A client for addresses that a proxy leads to, or that are reached directly; `is_plain` if none of them has TLS.
    fn client(&self, direct: bool, is_plain: bool) -> Result<reqwest::Client, Error> {
        if let Some(client) = &self.http {
            return Ok(client.clone());
        }
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::configuration("the user agent holds a character that no header can have"))?;
        let mut client = reqwest::Client::builder()
            // A proxy may be reached by TLS itself. Redirects, which could lead to TLS, are not followed.
            .tls_backend_preconfigured(self.tls.config(direct && is_plain)?)
            .user_agent(user_agent)
            .connect_timeout(self.connect_timeout)
            // Only the transport retries.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            // A redirect would send the credentials elsewhere; these APIs have none.
            .redirect(reqwest::redirect::Policy::none());
        client = if direct { client.no_proxy() } else { self.proxies.apply(client)? };
        client.build().map_err(|error| Error::configuration("the HTTP client cannot be set up").with_source(error))
    }
}

/// The routes of all services.
struct Endpoints {
    iam: Endpoint,
    modelarts: Endpoint,
    mrs: Endpoint,
}

/// The address of a service and the route to it.
struct Endpoint {
    address: String,
    http: reqwest::Client,
    /// The proxy, without its credentials.
    proxy: Option<String>,
    /// The service, if its address is unknown.
    unaddressed: Option<Service>,
}

impl Endpoint {
    fn route(&self) -> Route {
        let Self { proxy, unaddressed, .. } = self;
        Route { proxy: proxy.clone(), unaddressed: unaddressed.map(Service::without_address) }
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All fields are named, so that a new one is not forgotten here. Addresses, also of a proxy, are left out:
        // until `build` has validated them, they can contain credentials.
        let Self {
            settings,
            credentials,
            context: _,
            retry,
            connect_timeout,
            timeout,
            proxies: _,
            tls: Tls { certificates: _, identity: _, verify },
            user_agent,
            http: _,
            chain: _,
            clock,
            recorder,
        } = self;
        f.debug_struct("SessionBuilder")
            .field("region", &settings.region)
            .field("project_id", &settings.project_id)
            .field("project_name", &settings.project_name)
            .field("credentials", credentials)
            .field("retry", retry)
            .field("connect_timeout", connect_timeout)
            .field("timeout", timeout)
            .field("verify", verify)
            .field("user_agent", user_agent)
            .field("clock", clock)
            .field("recorder", recorder)
            .finish_non_exhaustive()
    }
}
