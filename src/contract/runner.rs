//! Runs a plan and reports what came of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::clocks::Clocks;
use super::inventory::{Inventory, Owner};
use super::model::Model;
use super::plan::{Case, Clause, Law, Plan};
use super::run::{Options, Run, caught, lock, milliseconds};
use super::turns::{Advance, each};
use super::verdict::{Leftover, Outcome, Report, Verdict};
use crate::error::Error;
use crate::session::Session;

/// Tries a plan against the endpoint of a session.
#[derive(Clone)]
#[must_use = "nothing is sent before `run`"]
pub struct Runner {
    session: Session,
    options: Options,
    interrupt: Interrupt,
    advance: Option<TryAdvance>,
}

/// Moves the endpoint's time on, if it can.
type TryAdvance = Arc<dyn Fn(Duration) -> Result<(), Error> + Send + Sync>;

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, options, interrupt: _, advance: _ } = self;
        f.debug_struct("Runner").field("session", session).field("options", options).finish_non_exhaustive()
    }
}

/// Stops a run: what is going on is finished, and everything is cleaned up.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    asked: AtomicBool,
    /// What the runs have created that did not end by themselves. A run whose future is dropped leaves its inventory here.
    inventories: Mutex<Vec<Arc<Inventory>>>,
}

impl Interrupt {
    /// Asks the run to come to its end.
    pub fn stop(&self) {
        self.0.asked.store(true, Ordering::Relaxed);
    }

    /// Returns what has been created so far and not removed, for callers that do not wait until the run has ended: what
    /// requests in flight may create is included. It stays here after the future of [`Runner::run`] was dropped. Once that
    /// future has returned a report, [`Report::leftovers`] has them instead.
    pub fn leftovers(&self) -> Vec<Leftover> {
        lock(&self.0.inventories).iter().flat_map(|inventory| inventory.leftovers()).collect()
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Returns the inventory of a new run.
    pub(super) fn inventory(&self, model: &'static Model) -> Arc<Inventory> {
        let inventory = Arc::new(Inventory::new(model));
        lock(&self.0.inventories).push(Arc::clone(&inventory));
        inventory
    }

    /// Drops the inventory of a run that has ended by itself.
    fn ended(&self, inventory: &Arc<Inventory>) {
        lock(&self.0.inventories).retain(|other| !Arc::ptr_eq(other, inventory));
    }
}

impl Runner {
    /// Tries clauses as the owner of a session. Without further leave it starts no work that is paid for.
    pub fn new(session: Session) -> Self {
        let options = Options {
            read_only: false,
            allow_billed: false,
            workers: 4,
            seed: 0,
            interval: None,
            given: BTreeMap::new(),
            patience: Duration::from_secs(60),
            embedded: false,
            exchanges: false,
        };
        Self { session, options, interrupt: Interrupt::default(), advance: None }
    }

    /// Sends only what changes nothing; what exists is looked at instead of what would be created.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.options.read_only = read_only;
        self
    }

    /// Tries also what starts work that is paid for.
    pub fn allow_billed(mut self, allow_billed: bool) -> Self {
        self.options.allow_billed = allow_billed;
        self
    }

    /// How many clauses are tried at a time; 4 by default. One that waits for a job lets another one go on.
    pub fn workers(mut self, workers: usize) -> Self {
        self.options.workers = workers.max(1);
        self
    }

    /// What names and values are chosen by: the same seed, the same requests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// How many requests are sent in a second at most; any number where it is not above zero.
    pub fn rate(mut self, rate: f64) -> Self {
        self.options.interval = Duration::try_from_secs_f64(rate.recip()).ok();
        self
    }

    /// Sets the value of all parameters and fields of a name, for objects that must exist already: `cluster_id`,
    /// `train_url`.
    pub fn given(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.given.insert(name.into(), value.into());
        self
    }

    /// How long is waited for a job to end or to become removable; a minute by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// Says that the endpoint is the embedded emulator: the report tells it, and the documents' own user can sign in.
    pub fn embedded(mut self, embedded: bool) -> Self {
        self.options.embedded = embedded;
        self
    }

    /// Moves the endpoint's time on instead of waiting, once there is nothing else to do. Without it the runner does so by
    /// itself where the endpoint has the emulator's control API.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// use std::sync::Arc;
    ///
    /// use huaweicloud_jobs::contract::{Plan, Runner};
    /// use huaweicloud_jobs::emulator::Emulator;
    ///
    /// let emulator = Arc::new(Emulator::start().await?);
    /// let runner = Runner::new(emulator.session()?).allow_billed(true);
    /// let runner = runner.advance(move |by| emulator.advance_clock(by));
    /// let plan = Plan::of_description().only(&["modelarts.stop_training_job_version.law.*"])?;
    /// runner.run(&plan, |_| {}).await?.assert_honoured();
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn advance(mut self, advance: impl Fn(Duration) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        self.advance = Some(Arc::new(advance));
        self
    }

    /// Keeps the exchanges of all clauses in the report, not only those of differences.
    pub fn keep_exchanges(mut self, keep: bool) -> Self {
        self.options.exchanges = keep;
        self
    }

    /// The base address of each service that is tried, by the service's name.
    pub fn endpoints(&self) -> BTreeMap<String, String> {
        let of = |service: &str| (service.to_owned(), self.session.way_to(service).2.to_owned());
        ["iam", "modelarts", "mrs"].map(of).into()
    }

    /// What stops the run from outside.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Tries all clauses of a plan; each outcome is handed on as soon as it is known.
    ///
    /// # Errors
    ///
    /// Nothing can be tried: the endpoint cannot be reached, the credentials are not to be had or are refused, or a value is
    /// [given](Self::given) for a name that nothing has. What happens later is told by [`Report::aborted`].
    pub async fn run(&self, plan: &Plan, progress: impl Fn(&Outcome) + Send + Sync + 'static) -> Result<Report, Error> {
        let started = Instant::now();
        let run = Arc::new(Run::new(plan.model(), self.session.clone(), self.options.clone(), self.interrupt.clone())?);
        if let Err(error) = run.greet(plan).await {
            self.interrupt.ended(&run.inventory);
            return Err(error);
        }
        let advance = self.move_time(&run, plan).await;
        // What looks at whole lists is tried alone: others would change them meanwhile.
        let (alone, together): (Vec<_>, Vec<_>) = plan.clauses().iter().cloned().partition(is_exclusive);
        let progress: Arc<dyn Fn(&Outcome) + Send + Sync> = Arc::new(progress);
        let mut outcomes = Vec::new();
        for (clauses, workers) in [(together, self.options.workers), (alone, 1)] {
            let clauses = clauses.into_iter().take_while(|_| !run.is_over());
            let done = each(workers, advance.clone(), clauses, |clause, mut turn| {
                let (run, progress) = (Arc::clone(&run), Arc::clone(&progress));
                async move {
                    let outcome = Box::pin(run.attempt(&clause, &mut turn)).await;
                    if let Err(panic) = caught(async { progress(&outcome) }).await {
                        run.end(Error::service(format!("what is told of the progress failed: {panic}")));
                    }
                    ((clause.index, outcome), turn)
                }
            });
            outcomes.extend(done.await);
            run.clean_up(Owner::Later, advance.clone()).await;
        }
        run.clean_up(Owner::Shared, advance.clone()).await;
        // What could not be removed at once may be of clauses that were cut off.
        run.clean_up(Owner::Later, advance).await;
        let aborted = run.fatal().map(|error| error.to_string());
        if self.interrupt.is_asked() || aborted.is_some() {
            let reached: HashSet<usize> = outcomes.iter().map(|(index, _)| *index).collect();
            let others = plan.clauses().iter().filter(|clause| !reached.contains(&clause.index));
            outcomes.extend(others.map(|clause| {
                let reason = Some("the run ended before".to_owned());
                (clause.index, Outcome::new(clause, Verdict::NotTried, reason))
            }));
        }
        outcomes.sort_by_key(|(index, _)| *index);
        self.interrupt.ended(&run.inventory);
        Ok(Report {
            tool: concat!("hwjobs ", env!("CARGO_PKG_VERSION")).to_owned(),
            cloud: plan.cloud().map(Into::into),
            endpoints: self.endpoints(),
            embedded: self.options.embedded,
            seed: self.options.seed,
            interrupted: self.interrupt.is_asked(),
            aborted,
            outcomes: outcomes.into_iter().map(|(_, outcome)| outcome).collect(),
            leftovers: run.inventory.leftovers(),
            requests: run.requests.load(Ordering::Relaxed),
            milliseconds: milliseconds(started),
        })
    }

    /// How the endpoint's time is moved on: as the caller says, or by the control API of an emulator. Only clauses that start
    /// work wait for anything, so others ask nobody for it.
    async fn move_time(&self, run: &Arc<Run>, plan: &Plan) -> Option<Advance> {
        let (run, waits) = (Arc::clone(run), !self.options.read_only && self.options.allow_billed);
        if let Some(advance) = self.advance.clone() {
            return Some(Arc::new(move |by| {
                if let Err(error) = advance(by) {
                    run.end(error);
                }
                Box::pin(std::future::ready(()))
            }));
        }
        if !waits || !plan.clauses().iter().any(Clause::is_billed) {
            return None;
        }
        let services = plan.clauses().iter().map(Clause::service).collect();
        let clocks = Clocks::of(&self.session, &services).await?;
        Some(Arc::new(move |by| {
            let (run, clocks) = (Arc::clone(&run), clocks.clone());
            Box::pin(async move {
                if let Err(error) = clocks.advance(by).await {
                    run.end(error);
                }
            })
        }))
    }
}

/// Whether a clause looks at a whole list that it cannot narrow down to what it created.
fn is_exclusive(clause: &Clause) -> bool {
    matches!(&clause.case, Case::Law(Law::Pages | Law::PageSize | Law::Sort(_) | Law::Filter(_) | Law::Listed(_)))
        && clause.op().parameter("search_content").is_none()
}
