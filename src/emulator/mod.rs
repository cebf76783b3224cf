//! A stateful stand-in for the cloud.
//!
//! It serves the described operations on loopback, checks every request against the strict description, keeps its
//! state in SQLite, and answers with the documented codes. It is the same walk as a call of the client, from the
//! other end: find the operation, authenticate, check the request, act on the store, check the answer.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! use huaweicloud_jobs::emulator::Emulator;
//!
//! let emulator = Emulator::start().await?;
//! let session = emulator.session()?;
//! session.modelarts().training_job(10)?.update_description("seen by nobody else").await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::session::{Secret, Session};

mod answer;
mod check;
mod clock;
mod connection;
mod control;
mod faults;
mod handlers;
mod json;
mod record;
mod server;
mod snapshot;
mod store;
mod world;

pub use faults::{ActiveFault, Fault, FaultAction, Faults};
pub use record::{AccessLog, Exchange, Verdict};

/// The project that the documented world lives in.
const PROJECT_ID: &str = "5a3314075bfa49b9ae360f4ecd333695";
/// A token that says what it is. Nothing else accepts it.
const TOKEN: &str = "emulator-token-not-a-secret";

/// A running emulator. It stops when it is dropped.
pub struct Emulator {
    address: SocketAddr,
    project_id: String,
    token: Secret,
    state: Arc<server::State>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Starts an emulator with the documented world on a free port of loopback.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// What an emulator can be told before it starts.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// Base address, for example `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The project that its token is for.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The token that it accepts.
    pub fn token(&self) -> Secret {
        self.token.clone()
    }

    /// A session with it.
    pub fn session(&self) -> Result<Session, Error> {
        Session::builder().endpoint(self.endpoint()).project_id(self.project_id()).token(self.token()).build()
    }

    /// The variables with which a client finds and may use it, the base address first.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HWJOBS_ENDPOINT", self.endpoint()),
            ("HUAWEICLOUD_SDK_PROJECT_ID", self.project_id.clone()),
            ("HWJOBS_TOKEN", self.token.expose().to_owned()),
        ]
    }

    /// The time of the emulator's clock.
    pub fn now(&self) -> SystemTime {
        let now = self.state.clock.now();
        UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or_default())
    }

    /// Moves the emulator's clock on at once.
    pub fn advance_clock(&self, by: Duration) -> Result<(), Error> {
        self.change_clock(by, None)
    }

    /// Lets the emulator's time pass so many times as fast as real time from now on; 0 stops it.
    pub fn set_time_scale(&self, scale: f64) -> Result<(), Error> {
        check_scale(scale)?;
        self.change_clock(Duration::ZERO, Some(scale))
    }

    fn change_clock(&self, by: Duration, scale: Option<f64>) -> Result<(), Error> {
        let failed = |error| failed("change its clock").with_source(error);
        self.state.clock.change(&self.state.store, by, scale).map_err(failed)
    }

    /// The faults that it shows, to be added to and taken from.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// use huaweicloud_jobs::emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// // The next two updates answer 503; the client tries again and gets through.
    /// emulator.faults().add(Fault::status(503).on("update_training_job").times(2))?;
    /// emulator.session()?.modelarts().training_job(10)?.update_description("third time lucky").await?;
    /// # assert!(emulator.faults().list().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn faults(&self) -> Faults<'_> {
        Faults(&self.state.faults)
    }

    /// The whole state as JSON, for [`EmulatorBuilder::load`].
    pub fn snapshot(&self) -> Result<serde_json::Value, Error> {
        self.state.snapshot().map_err(|refusal| failed(&format!("write a snapshot: {}", refusal.text())))
    }

    /// Puts a snapshot, with its time, in the place of all that is there.
    pub fn load(&self, snapshot: &serde_json::Value) -> Result<(), Error> {
        self.state.load(snapshot).map_err(|refusal| failed(&format!("load the snapshot: {}", refusal.text())))
    }

    /// Goes back to what it began with: state, time, faults and recorded exchanges.
    pub fn reset(&self) -> Result<(), Error> {
        self.state.reset().map_err(|refusal| failed(&format!("begin anew: {}", refusal.text())))
    }

    /// Takes the latest exchanges out of the record, the oldest first.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        server::lock(&self.state.record).take()
    }

    /// Stops it and waits until what it was answering is answered.
    pub async fn stop(mut self) {
        self.stop.take();
        // A panic of the server would be a defect of the emulator: it must not pass unseen.
        if let Err(error) = (&mut self.server).await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, project_id, token, state: _, stop: _, server: _ } = self;
        f.debug_struct("Emulator")
            .field("address", address)
            .field("project_id", project_id)
            .field("token", token)
            .finish_non_exhaustive()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // `stop` has taken the sender; otherwise nobody waits for open connections.
        if self.stop.take().is_some() {
            self.server.abort();
        }
    }
}

/// An emulator to be started, see [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    project_id: String,
    token: Secret,
    documented: bool,
    snapshot: Option<serde_json::Value>,
    data: Option<PathBuf>,
    time_scale: Option<f64>,
    strict: bool,
    check_answers: bool,
    record: usize,
    log: AccessLog,
    allow_remote: bool,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            project_id: PROJECT_ID.to_owned(),
            token: TOKEN.into(),
            documented: true,
            snapshot: None,
            data: None,
            time_scale: None,
            strict: false,
            check_answers: cfg!(debug_assertions),
            record: 0,
            log: AccessLog::Off,
            allow_remote: false,
        }
    }
}

impl EmulatorBuilder {
    /// The project that it serves; the one of the documents' examples by default.
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = project_id.into();
        self
    }

    /// The token that it accepts.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = token.into();
        self
    }

    /// The address to listen on; a free port of loopback by default.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Starts with nothing instead of with what the documents' examples name.
    pub fn empty(mut self) -> Self {
        self.documented = false;
        self
    }

    /// Starts with a snapshot, see [`Emulator::snapshot`], instead of with what the documents' examples name.
    ///
    /// What a file of [`data`](Self::data) holds is replaced.
    pub fn load(mut self, snapshot: serde_json::Value) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Keeps the state in a file, which stays when the emulator ends; in memory by default.
    ///
    /// The documented world is written only into a new file.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
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

    /// Refuses fields of bodies and query parameters that are not described; by default they have no effect.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Writes a line on standard error for each request; by default it does not.
    pub fn log(mut self, log: AccessLog) -> Self {
        self.log = log;
        self
    }

    /// Lets the control API serve other machines too. It has no authentication.
    pub fn allow_remote(mut self, allow_remote: bool) -> Self {
        self.allow_remote = allow_remote;
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
        let is_new = store.is_new;
        let start = clock::Start { at: None, scale: self.time_scale };
        let clock = clock::Clock::open(&store, start).map_err(|error| failed("start its clock").with_source(error))?;
        let listener = TcpListener::bind(self.address)
            .await
            .map_err(|error| failed(&format!("listen on {}", self.address)).with_source(error))?;
        let address = listener.local_addr().map_err(|error| failed("listen").with_source(error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let state = Arc::new(server::State {
            store,
            clock,
            routes: server::Routes::new(),
            project_id: self.project_id.clone(),
            token: self.token.clone(),
            check_answers: self.check_answers,
            strict: self.strict,
            record: Mutex::new(record::Record::new(self.record)),
            log: self.log,
            faults: Mutex::new(faults::Injected::new(0)),
            allow_remote: self.allow_remote,
            documented: self.documented && self.snapshot.is_none(),
            panics: AtomicU64::default(),
            control_requests: AtomicU64::default(),
            requests: AtomicU64::default(),
        });
        if let Some(snapshot) = &self.snapshot {
            state.load(snapshot).map_err(|refusal| failed(&format!("load the snapshot: {}", refusal.text())))?;
        } else if is_new {
            let write = |error: rusqlite::Error| failed("write the documented world").with_source(error);
            state.store.write(|transaction| state.populate(transaction)).map_err(write)?;
        }
        let server = tokio::spawn(connection::serve(listener, Arc::clone(&state), stopped));
        Ok(Emulator { address, project_id: self.project_id, token: self.token, state, stop: Some(stop), server })
    }
}

fn failed(what: &str) -> Error {
    Error::configuration(format!("the emulator cannot {what}"))
}

fn check_scale(scale: f64) -> Result<(), Error> {
    let refused =
        || Error::configuration(format!("time cannot pass {scale} times as fast: 0 to {}", control::MAX_SCALE));
    control::is_scale(scale).then_some(()).ok_or_else(refused)
}
