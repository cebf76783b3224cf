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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::session::{Secret, Session};

mod answer;
mod check;
mod clock;
mod handlers;
mod lifecycle;
mod record;
mod server;
mod store;
mod world;

pub use lifecycle::Transitions;
pub use record::Exchange;

/// The project that the documented world lives in.
const PROJECT_ID: &str = "5a3314075bfa49b9ae360f4ecd333695";
/// How many objects of each kind a project may have.
const QUOTA: u32 = 10_000_000;
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

    /// Moves the emulator's clock on at once.
    pub fn advance_clock(&self, by: Duration) {
        self.state.clock.advance(by);
    }

    /// Lets the emulator's time pass so many times as fast as real time from now on; 0 stops it.
    pub fn set_time_scale(&self, scale: f64) {
        self.state.clock.set_scale(scale);
    }

    /// Chooses what moves jobs from one state to the next from now on, also those that are on their way.
    pub fn set_transitions(&self, transitions: Transitions) -> Result<(), Error> {
        self.state.set_transitions(transitions)
    }

    /// Takes the latest exchanges out of the record, the oldest first.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.state.record.lock().unwrap_or_else(PoisonError::into_inner).take()
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
    data: Option<PathBuf>,
    transitions: Transitions,
    quota: u32,
    check_answers: bool,
    record: usize,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            project_id: PROJECT_ID.to_owned(),
            token: TOKEN.into(),
            documented: true,
            data: None,
            transitions: Transitions::default(),
            quota: QUOTA,
            check_answers: cfg!(debug_assertions),
            record: 0,
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

    /// Starts with nothing instead of with what the documents' examples name.
    pub fn empty(mut self) -> Self {
        self.documented = false;
        self
    }

    /// Keeps the state in a file, which stays when the emulator ends; in memory by default.
    ///
    /// The documented world is written only into a new file.
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

    /// Whether every answer is checked against the description before it is sent; in debug builds it is.
    pub fn check_answers(mut self, check_answers: bool) -> Self {
        self.check_answers = check_answers;
        self
    }

    /// How many of the latest exchanges are kept for [`Emulator::take_exchanges`]; none by default.
    pub fn record(mut self, exchanges: usize) -> Self {
        self.record = exchanges;
        self
    }

    /// Starts it.
    pub async fn start(self) -> Result<Emulator, Error> {
        let failed = |what: &str| Error::configuration(format!("the emulator cannot {what}"));
        let store = store::Store::open(self.data.as_deref())?;
        if self.documented && store.is_new {
            store
                .write(|transaction| world::documented(transaction, &self.project_id))
                .map_err(|error| failed("write the documented world").with_source(error))?;
        }
        let listener = TcpListener::bind(self.address).await.map_err(|error| failed("listen").with_source(error))?;
        let address = listener.local_addr().map_err(|error| failed("listen").with_source(error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let state = Arc::new(server::State {
            store,
            clock: clock::Clock::new(None, 1.0),
            transitions: Mutex::new(self.transitions),
            quota: self.quota.into(),
            routes: server::Routes::new(),
            project_id: self.project_id.clone(),
            token: self.token.clone(),
            check_answers: self.check_answers,
            record: Mutex::new(record::Record::new(self.record)),
            requests: AtomicU64::default(),
        });
        // A file may hold jobs on their way, begun under other transitions.
        state.set_transitions(self.transitions)?;
        let router = server::router(Arc::clone(&state));
        let server = tokio::spawn(async move {
            let serve = axum::serve(listener, router);
            // Ends when the sender is dropped.
            let stopped = async move { drop(stopped.await) };
            // `axum::serve` retries failed accepts by itself and has no other error.
            let _ = serve.with_graceful_shutdown(stopped).await;
        });
        Ok(Emulator { address, project_id: self.project_id, token: self.token, state, stop: Some(stop), server })
    }
}
