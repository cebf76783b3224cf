//! The emulator: a local, stateful replacement for the cloud.
//!
//! It serves the described operations on loopback, validates every request with the strict description, stores its
//! state in SQLite, and returns the documented codes. For each request it finds the operation, authenticates the
//! caller, validates the request, changes the store, and checks the response.
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
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::secret::Secret;
use crate::session::credentials::Credentials;
use crate::session::{Session, SessionBuilder};

mod access;
mod body;
mod builder;
mod check;
mod clock;
mod connection;
mod control;
mod events;
mod faults;
mod handlers;
mod head;
mod leniency;
mod lifecycle;
mod log;
mod pages;
mod printed;
mod query;
mod record;
mod response;
mod routes;
mod seed_data;
mod server;
mod snapshot;
mod state;
mod store;
mod stream;
mod view;

pub use builder::EmulatorBuilder;
pub use faults::{ActiveFault, Fault, FaultAction, Faults};
pub use lifecycle::Transitions;
pub use log::AccessLog;
pub use record::{Exchange, Verdict};

/// A running emulator. It stops when it is dropped.
pub struct Emulator {
    address: SocketAddr,
    state: Arc<state::State>,
    resumed: bool,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Base address, for example `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns whether it uses the existing state of a file of [`EmulatorBuilder::data`].
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Returns the project of its token.
    pub fn project_id(&self) -> &str {
        &self.state.access.project().id
    }

    /// Returns a token that does not expire.
    pub fn token(&self) -> Secret {
        self.state.access.token().clone()
    }

    /// Returns a valid key pair.
    pub fn access_key(&self) -> Credentials {
        let access::Key { access_key, secret_key, security_token } = self.state.access.key().clone();
        match security_token {
            Some(security_token) => Credentials::temporary(access_key, secret_key, security_token, None),
            None => Credentials::access_key(access_key, secret_key),
        }
    }

    /// Returns a valid login.
    pub fn login(&self) -> Credentials {
        let (account, user, password) = self.state.access.login();
        Credentials::password(account, Some(user.to_owned()), password.clone())
    }

    /// Returns a session with the emulator that uses its token.
    ///
    /// # Errors
    ///
    /// None while the emulator runs.
    pub fn session(&self) -> Result<Session, Error> {
        self.session_builder().build()
    }

    /// A builder of a session with it, with its address, its project and its token, for further settings.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// use huaweicloud_jobs::RetryPolicy;
    /// use huaweicloud_jobs::emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// let session = emulator.session_builder().retry(RetryPolicy::never()).build()?;
    /// # assert!(session.modelarts().training_job(10)?.show().await.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn session_builder(&self) -> SessionBuilder {
        // The emulator is in this process, so no proxy is needed.
        Session::builder().endpoint(self.endpoint()).no_proxy().project_id(self.project_id()).token(self.token())
    }

    /// Returns a session with the emulator that uses other credentials, for example [`access_key`](Self::access_key) or
    /// [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// Malformed credentials.
    pub fn session_with(&self, credentials: Credentials) -> Result<Session, Error> {
        self.session_builder().credentials(credentials).build()
    }

    /// Returns the environment variables for clients, the base address first.
    ///
    /// They hold a key pair and a login; clients prefer the key pair. The values are secrets of this emulator.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let access = &self.state.access;
        let (domain, user, password) = access.login();
        let access::Key { access_key, secret_key, security_token } = access.key();
        let mut variables = vec![
            ("HWJOBS_ENDPOINT", self.endpoint()),
            ("HUAWEICLOUD_SDK_AK", access_key.clone()),
            ("HUAWEICLOUD_SDK_SK", secret_key.expose().to_owned()),
            ("HUAWEICLOUD_SDK_PROJECT_ID", self.project_id().to_owned()),
            ("HWJOBS_USER", user.to_owned()),
            ("HWJOBS_PASSWORD", password.expose().to_owned()),
            ("HWJOBS_DOMAIN", domain.to_owned()),
            ("HWJOBS_PROJECT_NAME", access.project().name.clone()),
        ];
        variables
            .extend(security_token.as_ref().map(|token| ("HUAWEICLOUD_SDK_SECURITY_TOKEN", token.expose().to_owned())));
        variables
    }

    /// Returns the time of the emulator's clock.
    pub fn now(&self) -> SystemTime {
        self.state.clock.system_time()
    }

    /// Moves the emulator's clock forward, at most to the beginning of the year 9999.
    ///
    /// # Errors
    ///
    /// A time that no calendar holds, or state that cannot be written.
    pub fn advance_clock(&self, by: Duration) -> Result<(), Error> {
        self.change_clock(by, None)
    }

    /// Sets the speed of the emulator's clock as a multiple of real time; 0 stops it.
    ///
    /// # Errors
    ///
    /// A factor that is negative or no number, or state that cannot be written.
    pub fn set_time_scale(&self, scale: f64) -> Result<(), Error> {
        check_scale(scale)?;
        self.change_clock(Duration::ZERO, Some(scale))
    }

    fn change_clock(&self, by: Duration, scale: Option<f64>) -> Result<(), Error> {
        self.state
            .change_clock(by, scale)
            .map_err(|rejection| failed(&format!("change its clock: {}", rejection.text())))
    }

    /// Returns the active faults, to add and remove some.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// use huaweicloud_jobs::emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// // The next two updates return 503; the client retries until it succeeds.
    /// emulator.faults().add(Fault::status(503).on("update_training_job").times(2))?;
    /// emulator.session()?.modelarts().training_job(10)?.update_description("third time lucky").await?;
    /// # assert!(emulator.faults().list().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn faults(&self) -> Faults<'_> {
        self.state.faults()
    }

    /// Returns the whole state as JSON, for [`EmulatorBuilder::load`].
    ///
    /// # Errors
    ///
    /// State that cannot be read.
    pub fn snapshot(&self) -> Result<serde_json::Value, Error> {
        self.state.snapshot().map_err(|rejection| failed(&format!("write a snapshot: {}", rejection.text())))
    }

    /// Replaces the whole state by a snapshot, its clock included.
    ///
    /// # Errors
    ///
    /// A snapshot that is malformed; the state stays as it was.
    pub fn load(&self, snapshot: &serde_json::Value) -> Result<(), Error> {
        let put = |transaction: &store::Transaction<'_>| snapshot::load(transaction, snapshot);
        self.state.load(put).map_err(|rejection| failed(&format!("load the snapshot: {}", rejection.text())))
    }

    /// Resets the emulator to its initial state: objects, clock, faults and recorded exchanges.
    ///
    /// # Errors
    ///
    /// State that cannot be written.
    pub fn reset(&self) -> Result<(), Error> {
        self.state.reset().map_err(|rejection| failed(&format!("begin anew: {}", rejection.text())))
    }

    /// Sets the transition mode, also for running jobs.
    ///
    /// # Errors
    ///
    /// State that cannot be written.
    pub fn set_transitions(&self, transitions: Transitions) -> Result<(), Error> {
        self.state.set_transitions(transitions, &handlers::LIFECYCLES).map_err(|rejection| failed(&rejection.text()))
    }

    /// Removes the recorded exchanges and returns them, the oldest first.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.state.take_exchanges()
    }

    /// Stops the emulator, and waits for the requests that have begun.
    pub async fn stop(mut self) {
        self.stop.take();
        let ended = (&mut self.server).await;
        let state = Arc::clone(&self.state);
        // The wait is limited by the access log.
        let _ = tokio::task::spawn_blocking(move || state.log.flush()).await;
        // A panic of the server is a defect of the emulator and must not be hidden.
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, state: _, resumed: _, stop: _, server: _ } = self;
        f.debug_struct("Emulator")
            .field("address", address)
            .field("project_id", &self.project_id())
            .finish_non_exhaustive()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // After `stop` the sender is gone; without `stop`, open connections are not awaited.
        if self.stop.take().is_some() {
            self.server.abort();
        }
    }
}

fn failed(what: &str) -> Error {
    Error::configuration(format!("the emulator cannot {what}"))
}

fn check_scale(scale: f64) -> Result<(), Error> {
    let invalid = || Error::configuration(format!("time cannot pass {scale} times as fast: 0 to {}", clock::MAX_SCALE));
    clock::is_scale(scale).then_some(()).ok_or_else(invalid)
}
