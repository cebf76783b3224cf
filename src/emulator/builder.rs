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
use super::lifecycle::Transitions;
use super::log::{AccessLog, Log};
use super::state::State;
use super::{
    Emulator, body, check_scale, clock, connection, failed, faults, head, printed, record, routes, snapshot, store,
};
use crate::error::Error;
use crate::secret::Secret;

/// The project of the seed data.
const PROJECT_ID: &str = "5a3314075bfa49b9ae360f4ecd333695";
/// The name of the project, which looks like that of a region.
const PROJECT_NAME: &str = "emulator-1";
/// The default number of objects of each kind that a project may have.
const QUOTA: u32 = 10_000_000;
/// The time at which a clock with a seed stands: 2040-01-01T00:00:00Z in milliseconds since the Unix epoch.
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

/// An emulator to be started, see [`Emulator::builder`].
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
    strict: bool,
    as_printed: bool,
    transitions: Transitions,
    quota: u32,
    seed: Option<u64>,
    training_jobs: u32,
    check_answers: bool,
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
            strict: false,
            as_printed: false,
            transitions: Transitions::default(),
            quota: QUOTA,
            seed: None,
            training_jobs: 0,
            check_answers: cfg!(debug_assertions),
            record: 0,
            log: AccessLog::Off,
            allow_remote: false,
            allowed_hosts: Vec::new(),
            client_time: connection::CLIENT_TIME,
        }
    }
}

impl EmulatorBuilder {
    /// The account (IAM calls it a domain) of all users, keys and projects that are given here.
    pub fn domain(mut self, name: impl Into<String>) -> Self {
        self.domain = name.into();
        self
    }

    /// Serves this project instead of the one of the documents' examples. Can be said again for more; the first one is
    /// the [`project_id`](Emulator::project_id).
    pub fn project(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.projects.push(access::Project { id: id.into(), name: name.into() });
        self
    }

    /// Lets this user sign in instead of the default one. Can be said again for more.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.users.push((name.into(), password.into()));
        self
    }

    /// Accepts signatures of this key pair instead of the default one. Can be said again for more.
    pub fn key(mut self, access_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        let (access_key, secret_key) = (access_key.into(), secret_key.into());
        self.keys.push(access::Key { access_key, secret_key, security_token: None });
        self
    }

    /// The same with a temporary key pair, whose security token each request has to carry.
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

    /// The token that it accepts for ever, for the first user and project.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = token.into();
        self
    }

    /// Whether five failed signatures in a row lock a key for five minutes by the emulator's clock, as the gateway does;
    /// otherwise not.
    pub fn lock_out(mut self, lock_out: bool) -> Self {
        self.lock_out = lock_out;
        self
    }

    /// The address to listen on; a free port of loopback by default.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Starts with nothing instead of with what the documents' examples name.
    pub fn empty(mut self) -> Self {
        self.origin = snapshot::Origin::Empty;
        self
    }

    /// Starts with a snapshot, see [`Emulator::snapshot`], instead of with what the documents' examples name.
    ///
    /// A file of [`data`](Self::data) that holds a state already is refused.
    pub fn load(mut self, snapshot: serde_json::Value) -> Self {
        self.origin = snapshot::Origin::Snapshot(snapshot);
        self
    }

    /// Keeps the state in a file, which stays when the emulator ends; in memory by default.
    ///
    /// What it starts with is written only into a new file; another one goes on with what it holds, and
    /// [`Emulator::reset`] leads it back to what it began with.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// What moves jobs from one state to the next; the clock by default.
    pub fn transitions(mut self, transitions: Transitions) -> Self {
        self.transitions = transitions;
        self
    }

    /// How many objects of each kind a project may have; ten million by default, which no test reaches unawares.
    pub fn quota(mut self, quota: u32) -> Self {
        self.quota = quota;
        self
    }

    /// Makes ids, tokens and times follow from a number: the same requests have the same answers, byte for byte.
    ///
    /// The clock stands still at the beginning of the year 2040, far ahead, so that no client takes a token for expired.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Starts with so many training jobs that have ended, besides the others: to see how a program deals with long lists.
    pub fn training_jobs(mut self, count: u32) -> Self {
        self.training_jobs = count;
        self
    }

    /// Whether every answer is checked against the description before it is sent; in debug builds it is.
    pub fn check_answers(mut self, check_answers: bool) -> Self {
        self.check_answers = check_answers;
        self
    }

    /// Lets the emulator's time pass so many times as fast as real time; 0 stops it. A clock that comes from a file goes
    /// on as it did by default.
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.time_scale = Some(scale);
        self
    }

    /// Rejects requests that differ from the documents where clients do: fields of bodies and query parameters that are
    /// not described, fields that are empty instead of missing, and missing ones that only the tables call mandatory. By
    /// default they have no effect.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Responds with the types and the order of fields that the documents' examples print, for example with the text `10`
    /// as `job_id`; by default with the types of the tables, as the cloud does.
    pub fn as_printed(mut self, as_printed: bool) -> Self {
        self.as_printed = as_printed;
        self
    }

    /// Writes a line on standard error for each request; by default it does not.
    pub fn log(mut self, log: AccessLog) -> Self {
        self.log = log;
        self
    }

    /// How long a client may take to send the head of a request, to send its body, and to read the answer; 30 seconds by
    /// default. An idle connection is closed after the same time.
    pub fn client_time(mut self, time: Duration) -> Self {
        self.client_time = time;
        self
    }

    /// Lets the control API serve other machines too. It has no authentication.
    pub fn allow_remote(mut self, allow_remote: bool) -> Self {
        self.allow_remote = allow_remote;
        self
    }

    /// Serves requests whose header `Host` has this name, with any port. Can be said again for more.
    ///
    /// Without it only names of this machine and the address that a client is connected to are served: a page in a browser
    /// could make a name of its own lead here and read what the emulator holds.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// How many of the latest exchanges are kept for [`Emulator::take_exchanges`]; none by default.
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
            routes: routes::Routes::new(),
            access,
            endpoint: format!("http://{address}"),
            check_answers: self.check_answers,
            strict: self.strict,
            printed: self.as_printed.then(printed::Printed::new),
            record: Mutex::new(record::Record::new(self.record)),
            log: Log::start(self.log).map_err(|error| failed("start its access log").with_source(error))?,
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
            begun.map_err(|refusal| failed(&format!("write what it begins with: {}", refusal.text())))?;
        }
        // A file may hold jobs on their way, begun under other transitions.
        state.set_transitions(self.transitions).map_err(|refusal| failed(&refusal.text()))?;
        let server = tokio::spawn(connection::serve(listener, Arc::clone(&state), stopped));
        Ok(Emulator { address, state, resumed: kept.is_some(), stop: Some(stop), server })
    }

    /// What was given, and for what was not the defaults.
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

    /// What of names and secrets no client could send.
    fn problem(&self) -> Option<&'static str> {
        // As the header `Authorization` has it, in which these characters end it.
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
        } else if self.allowed_hosts.iter().any(|name| name.contains(':') || !head::is_host(name)) {
            Some("an allowed host is no name of a host; leave its port out")
        } else {
            None
        }
    }
}
