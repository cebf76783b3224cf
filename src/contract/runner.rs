//! Runs a plan and reports the results.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::clause::{Caller, Case, Clause, Payload, Property};
use super::clocks::Clocks;
use super::exchange::Call;
use super::interrupt::Interrupt;
use super::inventory::Owner;
use super::model::Op;
use super::plan::Plan;
use super::run::{Halt, Options, RunState, caught, milliseconds};
use super::scheduler::{Advance, each};
use super::schema::all_names;
use super::verdict::{Outcome, Report, Verdict};
use crate::error::Error;
use crate::session::Session;

/// Tests the endpoint of a session by a plan.
#[derive(Clone)]
#[must_use = "nothing is sent before `run`"]
pub struct Runner {
    session: Session,
    options: Options,
    interrupt: Interrupt,
    advance: Option<TryAdvance>,
}

/// Moves the clock of the endpoint, or fails.
type TryAdvance = Arc<dyn Fn(Duration) -> Result<(), Error> + Send + Sync>;

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, options, interrupt: _, advance: _ } = self;
        f.debug_struct("Runner").field("session", session).field("options", options).finish_non_exhaustive()
    }
}

impl Runner {
    /// Creates a runner with the credentials of a session. It starts billed work only with
    /// [`allow_billed`](Self::allow_billed).
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

    /// Sends only requests that change nothing. Clauses read existing objects instead of creating some.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.options.read_only = read_only;
        self
    }

    /// Allows clauses that start billed work.
    pub fn allow_billed(mut self, allow_billed: bool) -> Self {
        self.options.allow_billed = allow_billed;
        self
    }

    /// Sets how many clauses run at a time; 4 by default. While one waits for a job, another one runs.
    pub fn workers(mut self, workers: usize) -> Self {
        self.options.workers = workers.max(1);
        self
    }

    /// Sets the seed by which names and values are chosen: the same seed leads to the same requests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Limits the requests in a second; a rate that is not above zero is no limit.
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

    /// Sets how long a clause waits until a job ends or can be removed, and how long a throttled request is retried; a
    /// minute by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// Declares that the endpoint is the embedded emulator: the report says so, and the documents' own user can sign
    /// in.
    pub fn embedded(mut self, embedded: bool) -> Self {
        self.options.embedded = embedded;
        self
    }

    /// Sets what moves the endpoint's clock when all clauses wait. Without it the runner moves the clock by itself
    /// where the endpoint has the emulator's control API.
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
    /// let plan = Plan::of_description().only(&["modelarts.stop_training_job_version.property.*"])?;
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

    /// Returns the base address of each service under test, by the service's name.
    pub fn endpoints(&self) -> BTreeMap<String, String> {
        let of = |service: &str| (service.to_owned(), self.session.way_to(service).2.to_owned());
        ["iam", "modelarts", "mrs"].map(of).into()
    }

    /// Returns the handle that stops the run from outside.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Tests all clauses of a plan. `progress` receives each outcome as soon as it is known.
    ///
    /// # Errors
    ///
    /// Nothing can be tested: the endpoint cannot be reached, there are no credentials or they are rejected, or a value
    /// is [given](Self::given) for a name that nothing has. Later failures are in [`Report::aborted`].
    pub async fn run(&self, plan: &Plan, progress: impl Fn(&Outcome) + Send + Sync + 'static) -> Result<Report, Error> {
        let started = Instant::now();
        let run =
            Arc::new(RunState::new(plan.model(), self.session.clone(), self.options.clone(), self.interrupt.clone())?);
        if let Err(error) = run.greet(plan).await {
            self.interrupt.ended(&run.inventory);
            return Err(error);
        }
        let advance = self.move_time(&run, plan).await;
        // Clauses about whole lists run alone: others would change the lists meanwhile.
        let (alone, together): (Vec<_>, Vec<_>) = plan.clauses().iter().cloned().partition(is_exclusive);
        let progress: Arc<dyn Fn(&Outcome) + Send + Sync> = Arc::new(progress);
        let mut outcomes = Vec::new();
        for (clauses, workers) in [(together, self.options.workers), (alone, 1)] {
            let clauses = clauses.into_iter().take_while(|_| !run.is_over());
            let done = each(workers, advance.clone(), clauses, |clause, mut slot| {
                let (run, progress) = (Arc::clone(&run), Arc::clone(&progress));
                async move {
                    let outcome = Box::pin(run.attempt(&clause, &mut slot)).await;
                    if let Err(panic) = caught(async { progress(&outcome) }).await {
                        run.end(Error::service(format!("the callback for the progress failed: {panic}")));
                    }
                    ((clause.index, outcome), slot)
                }
            });
            outcomes.extend(done.await);
            run.clean_up(Owner::Later, advance.clone()).await;
        }
        run.clean_up(Owner::Shared, advance.clone()).await;
        // Objects that could not be removed at once may be of clauses that were aborted.
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

    /// Returns what moves the endpoint's clock: the caller's function, or the control API of an emulator. Only clauses
    /// that start work wait for anything, so no other plan looks for an emulator.
    async fn move_time(&self, run: &Arc<RunState>, plan: &Plan) -> Option<Advance> {
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

/// Returns whether a clause reads a whole list that it cannot narrow down to what it created.
fn is_exclusive(clause: &Clause) -> bool {
    matches!(
        &clause.case,
        Case::Property(
            Property::Pages | Property::PageSize | Property::Sort(_) | Property::Filter(_) | Property::Listed(_)
        )
    ) && clause.op().parameter("search_content").is_none()
}

impl RunState {
    /// Sends one request to each service of a plan, so that credentials that the service rejects are sent only once.
    pub(super) async fn greet(&self, plan: &Plan) -> Result<(), Error> {
        let known = |name: &str| {
            let has = |op: &Op| {
                op.parameter(name).is_some()
                    || op.body.is_some_and(|schema| all_names(op.document.value(), schema).contains(&name))
            };
            self.model.operations.iter().any(has)
        };
        if let Some(unknown) = self.options.given.keys().find(|name| !known(name)) {
            return Err(Error::configuration(format!("no parameter or field is called `{unknown}`")));
        }
        let services: BTreeSet<&str> = plan.clauses().iter().map(|clause| clause.op().service()).collect();
        for service in services {
            let easy = |op: &Op| {
                op.service() == service
                    && op.reads()
                    && op.is_authenticated()
                    && op.path_parameters().next().is_none()
                    && op.parameters.iter().all(|parameter| parameter.in_path || !parameter.required)
            };
            let Some(op) = self.model.operations.iter().position(easy) else { continue };
            let request = Call { op, path: vec![], query: vec![], body: Payload::None, caller: Caller::Own };
            match Attempt::new(self, None, usize::MAX, Owner::Shared).send(&request).await {
                Err(Halt::Fatal(error)) => return Err(error),
                Ok(reply) if reply.status == 401 => return Err(reply.rejection(&self.model.operations[op])),
                _ => {}
            }
        }
        Ok(())
    }
}
