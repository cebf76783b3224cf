//! Builds and starts an emulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::access::{self, Access};
use super::handlers::LIFECYCLES;
use super::lifecycle::Transitions;
use super::log::{AccessLog, Log};
use super::state::State;
use super::{
    Emulator, body, check_scale, clock, connection, failed, faults, head, printed, record, routes, snapshot, store,
};
use crate::cloud::Cloud;
use crate::error::Error;
use crate::secret::Secret;

/// The project of the seed data.
const PROJECT_ID: &str = "5a3314075bfa49b9ae360f4ecd333695";
/// The name of the project, which looks like that of a region.
const PROJECT_NAME: &str = "emulator-1";
/// The default number of objects of each kind that a project may have.
const QUOTA: u32 = 10_000_000;
/// The time of a clock with a seed: 2040-01-01T00:00:00Z in milliseconds since the Unix epoch.
const SEEDED_TIME: i64 = 2_208_988_800_000;
/// Credentials that only the emulator accepts; their values say so.
const DOMAIN: &str = "emulator-domain";
const USER: &str = "emulator-user";
const PASSWORD: &str = "emulator-password-not-a-secret";
const ACCESS_KEY: &str = "EMULATORACCESSKEY01";
const SECRET_KEY: &str = "emulator-secret-key-not-a-secret";
const TOKEN: &str = "emulator-token-not-a-secret";

impl Emulator {
    /// Starts an emulator with the seed data of the documents' examples, on a free port of loopback.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Returns a builder with the settings of an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }
}

/// The settings of an emulator, see [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    domain: String,
    projects: Vec<access::Project>,
    users: Vec<(String, Secret)>,
    keys: Vec<access::Key>,
    token: Secret,
    lock_out: bool,
    origin: snapshot::Origin,
    data: Option<PathBuf>,
    time_scale: Option<f64>,
    cloud: Option<Cloud>,
    mrs_version: Option<String>,
    strict: bool,
    as_printed: bool,
    transitions: Transitions,
    quota: u32,
    seed: Option<u64>,
    training_jobs: u32,
    check_responses: bool,
    record: usize,
    log: AccessLog,
    allow_remote: bool,
    allowed_hosts: Vec<String>,
    client_time: Duration,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            domain: DOMAIN.to_owned(),
            projects: Vec::new(),
            users: Vec::new(),
            keys: Vec::new(),
            token: TOKEN.into(),
            lock_out: false,
            origin: snapshot::Origin::Documented,
            data: None,
            time_scale: None,
            cloud: None,
            mrs_version: None,
            strict: false,
            as_printed: false,
            transitions: Transitions::default(),
            quota: QUOTA,
            seed: None,
            training_jobs: 0,
            check_responses: cfg!(debug_assertions),
            record: 0,
            log: AccessLog::Off,
            allow_remote: false,
            allowed_hosts: Vec::new(),
            client_time: connection::CLIENT_TIME,
        }
    }
}

impl EmulatorBuilder {
    /// Sets the domain of all users, keys and projects of this builder.
    pub fn domain(mut self, name: impl Into<String>) -> Self {
        self.domain = name.into();
        self
    }

    /// Serves this project instead of the one of the documentation's examples. Repeat the call for more projects; the
    /// first one is the [`project_id`](Emulator::project_id).
    pub fn project(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.projects.push(access::Project { id: id.into(), name: name.into() });
        self
    }

    /// Adds a user instead of the default one. Repeat the call for more users.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.users.push((name.into(), password.into()));
        self
    }

    /// Adds a key pair instead of the default one. Repeat the call for more key pairs.
    pub fn key(mut self, access_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        let (access_key, secret_key) = (access_key.into(), secret_key.into());
        self.keys.push(access::Key { access_key, secret_key, security_token: None });
        self
    }

    /// Adds a temporary key pair; each request must contain its security token.
    pub fn temporary_key(
        mut self,
        access_key: impl Into<String>,
        secret_key: impl Into<Secret>,
        security_token: impl Into<Secret>,
    ) -> Self {
        let (access_key, secret_key) = (access_key.into(), secret_key.into());
        self.keys.push(access::Key { access_key, secret_key, security_token: Some(security_token.into()) });
        self
    }

    /// Sets the token that does not expire, for the first user and project.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = token.into();
        self
    }

    /// Sets whether five failed signatures in a row lock a key for five minutes of the emulator's clock, like in the
    /// gateway. The default is not.
    pub fn lock_out(mut self, lock_out: bool) -> Self {
        self.lock_out = lock_out;
        self
    }

    /// Serves what a cloud documents, with its limits; the gateway returns 404 for other operations, and its codes have the
    /// prefix of the cloud. Otherwise all operations are served, and what any cloud allows is accepted.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// use huaweicloud_jobs::ErrorKind;
    /// use huaweicloud_jobs::emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().cloud("huawei".parse()?).start().await?;
    /// // Huawei Cloud has no job objects.
    /// let error = emulator.session()?.mrs().jobs().list().try_next().await.unwrap_err();
    /// assert_eq!((error.status().map(|status| status.as_u16()), error.kind()), (Some(404), ErrorKind::Configuration));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// The version of all clusters of MRS, for example `3.1.0`. Where the documentation says that such a cluster does not
    /// serve version 1.1, its operations are rejected. By default the clusters serve it.
    pub fn mrs_version(mut self, version: impl Into<String>) -> Self {
        self.mrs_version = Some(version.into());
        self
    }

    /// Sets the address to listen on; the default is a free loopback port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Starts with an empty state instead of the documented seed data.
    pub fn empty(mut self) -> Self {
        self.origin = snapshot::Origin::Empty;
        self
    }

    /// Starts with a snapshot, see [`Emulator::snapshot`], instead of the documented seed data.
    ///
    /// A file of [`data`](Self::data) that already has a state is rejected.
    pub fn load(mut self, snapshot: serde_json::Value) -> Self {
        self.origin = snapshot::Origin::Snapshot(snapshot);
        self
    }

    /// Stores the state in a file, which remains when the emulator ends. The default is memory.
    ///
    /// Only a new file gets the initial state; an existing one keeps its state, and [`Emulator::reset`] returns to the
    /// state that the file began with.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// Sets the transition mode; the default is the clock.
    pub fn transitions(mut self, transitions: Transitions) -> Self {
        self.transitions = transitions;
        self
    }

    /// Sets the quota of a project for each kind of object; the default is ten million, which no test reaches by
    /// accident.
    pub fn quota(mut self, quota: u32) -> Self {
        self.quota = quota;
        self
    }

    /// Derives ids, tokens and times from a number: the same requests get the same responses, byte for byte.
    ///
    /// The clock stands still at the beginning of the year 2040, far in the future, so that tokens do not expire for
    /// clients.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a number of completed training jobs to the initial state, to test programs with long lists.
    pub fn training_jobs(mut self, count: u32) -> Self {
        self.training_jobs = count;
        self
    }

    /// Sets whether every response is validated with the description before it is sent. The default is to do so in
    /// debug builds.
    pub fn check_responses(mut self, check_responses: bool) -> Self {
        self.check_responses = check_responses;
        self
    }

    /// Sets the speed of the emulator's clock as a multiple of real time; 0 stops it. By default, the clock of a file
    /// keeps its speed.
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.time_scale = Some(scale);
        self
    }

    /// Enables strict mode: rejects undescribed fields and query parameters, fields that are empty instead of missing,
    /// and missing fields that only the tables call mandatory. By default such requests are accepted.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Responds with the types and the field order of the documentation's examples, for example with the string `10` as
    /// `job_id`. The default is the types of the tables, like the cloud.
    pub fn as_printed(mut self, as_printed: bool) -> Self {
        self.as_printed = as_printed;
        self
    }

    /// Writes a line on standard error for each request. The default is no log.
    pub fn log(mut self, log: AccessLog) -> Self {
        self.log = log;
        self
    }

    /// Sets the time limit for the head of a request, for its body, and for reading the response; the default is 30
    /// seconds. An idle connection is closed after the same time.
    pub fn client_time(mut self, time: Duration) -> Self {
        self.client_time = time;
        self
    }

    /// Allows other machines to use the control API. It has no authentication.
    pub fn allow_remote(mut self, allow_remote: bool) -> Self {
        self.allow_remote = allow_remote;
        self
    }

    /// Serves requests whose header `Host` has this name, with any port. Repeat the call for more names.
    ///
    /// By default, only names of this machine and the address of the connection are served, since a web page could make
    /// a name of its own resolve to this machine (DNS rebinding) and read the emulator's state.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// Sets the number of latest exchanges that are recorded for [`Emulator::take_exchanges`]; the default is 0.
    pub fn record(mut self, exchanges: usize) -> Self {
        self.record = exchanges;
        self
    }

    /// Starts it.
    pub async fn start(self) -> Result<Emulator, Error> {
        if let Some(scale) = self.time_scale {
            check_scale(scale)?;
        }
        let store = store::Store::open(self.data.as_deref())?;
        let kept = store
            .write(snapshot::Origin::read)
            .map_err(|error| failed("read what its state began with").with_source(error))?;
        if let (Some(_), snapshot::Origin::Snapshot(_), Some(file)) = (&kept, &self.origin, &self.data) {
            return Err(failed(&format!(
                "load the snapshot: the file {} holds a state already, and it would be lost. Leave the snapshot out to go \
                 on with that state, name another file, or put the snapshot into the running emulator \
                 (PUT /_emulator/state)",
                file.display()
            )));
        }
        let origin = kept.clone().unwrap_or_else(|| self.origin.clone());
        let access = self.access(!matches!(origin, snapshot::Origin::Empty))?;
        let start = match self.seed {
            None => clock::Start { at: None, scale: self.time_scale },
            Some(_) => clock::Start { at: Some(SEEDED_TIME), scale: Some(self.time_scale.unwrap_or(0.0)) },
        };
        let clock = clock::Clock::open(&store, start).map_err(|error| failed("start its clock").with_source(error))?;
        let mrs_version = self
            .mrs_version
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|reason: String| Error::configuration(reason))?;
        let listener = TcpListener::bind(self.address)
            .await
            .map_err(|error| failed(&format!("listen on {}: {error}", self.address)).with_source(error))?;
        let address = listener.local_addr().map_err(|error| failed("listen").with_source(error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let state = Arc::new(State {
            store,
            clock,
            transitions: Mutex::new(self.transitions),
            quota: self.quota.into(),
            seed: self.seed,
            training_jobs: self.training_jobs,
            routes: routes::Routes::new(self.cloud, mrs_version),
            cloud: self.cloud,
            access,
            endpoint: format!("http://{address}"),
            check_responses: self.check_responses,
            strict: self.strict,
            printed: self.as_printed.then(printed::Printed::new),
            record: Mutex::new(record::Record::new(self.record)),
            log: Log::start(self.log).map_err(|error| failed("start its access log").with_source(error))?,
            events: super::events::Events::new(),
            faults: Mutex::new(faults::Injected::new(self.seed)),
            allow_remote: self.allow_remote,
            allowed_hosts: self.allowed_hosts,
            room: body::Room::new(),
            client_time: self.client_time,
            origin,
            panics: AtomicU64::default(),
            control_requests: AtomicU64::default(),
            requests: AtomicU64::default(),
        });
        if kept.is_none() {
            let begun = state.store.write(|transaction| state.begin(transaction));
            begun.map_err(|rejection| failed(&format!("write what it begins with: {}", rejection.text())))?;
        }
        // The file may contain running jobs of another transition mode.
        state.set_transitions(self.transitions, &LIFECYCLES).map_err(|rejection| failed(&rejection.text()))?;
        let server = tokio::spawn(connection::serve(listener, Arc::clone(&state), stopped));
        Ok(Emulator { address, state, resumed: kept.is_some(), stop: Some(stop), server })
    }

    /// The given values, with defaults for missing ones.
    fn access(&self, documented: bool) -> Result<Access, Error> {
        let mut given = self.clone();
        if given.projects.is_empty() {
            given = given.project(PROJECT_ID, PROJECT_NAME);
        }
        if given.users.is_empty() {
            given = given.user(USER, PASSWORD);
        }
        if given.keys.is_empty() {
            given = given.key(ACCESS_KEY, SECRET_KEY);
        }
        if let Some(problem) = given.problem() {
            return Err(Error::configuration(format!("the emulator cannot start: {problem}")));
        }
        let domain = access::Domain::new(&given.domain, given.projects, given.users);
        Access::new(domain, given.keys, given.token, documented, given.lock_out)
    }

    /// Reports names and secrets that no client could send.
    fn problem(&self) -> Option<&'static str> {
        // These characters would end the value in the header `Authorization`.
        let is_key = |key: &str| !key.is_empty() && key.bytes().all(|c| c.is_ascii_graphic() && !b",/=:".contains(&c));
        let is_token = |token: &Secret| {
            let token = token.expose();
            !token.is_empty() && token.bytes().all(|c| c.is_ascii_graphic())
        };
        let is_missing = |name: &str, secret: &Secret| name.is_empty() || secret.expose().is_empty();
        let keys = || self.keys.iter();
        if self.domain.is_empty() {
            Some("the account (domain) has no name")
        } else if self.users.iter().any(|(name, password)| is_missing(name, password)) {
            Some("a user has no name or no password")
        } else if !keys().all(|key| is_key(&key.access_key)) {
            Some("an access key is empty or has a blank, `,`, `/`, `=`, `:` or a character beyond ASCII")
        } else if keys().any(|key| key.secret_key.expose().is_empty()) {
            Some("an access key has no secret key")
        } else if !keys().filter_map(|key| key.security_token.as_ref()).chain([&self.token]).all(is_token) {
            Some("a token is empty or has a blank or a character beyond ASCII")
        } else if self.allowed_hosts.iter().any(|name| name.contains(':') || head::parse_host(name).is_none()) {
            Some("an allowed host is no name of a host; leave its port out")
        } else {
            None
        }
    }
}
