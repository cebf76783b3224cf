//! Runs a plan and reports what came of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::plan::{Case, Clause, Law, Plan};
use super::run::{Options, Run, lock, milliseconds};
use super::turns::{Advance, each};
use super::verdict::{Outcome, Report, Verdict};
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
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the run to come to its end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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

    /// A value for all parameters and fields of a name, for what must exist already: `cluster_id`, `train_url`.
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

    /// Moves the endpoint's time on instead of waiting, once there is nothing else to do.
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

    /// Keeps the exchanges of all clauses in the report, not only of those that differ.
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
        let run = Arc::new(Run::new(self.session.clone(), self.options.clone(), self.interrupt.clone())?);
        run.greet(plan).await?;
        let advance = self.advance.clone().map(|advance| {
            let run = Arc::clone(&run);
            let advance = move |by| {
                if let Err(error) = advance(by) {
                    lock(&run.fatal).get_or_insert(error);
                }
            };
            Arc::new(advance) as Advance
        });
        // What looks at whole lists is tried alone: others would change them meanwhile.
        let (alone, together): (Vec<_>, Vec<_>) = plan.clauses().iter().cloned().partition(is_exclusive);
        let progress: Arc<dyn Fn(&Outcome) + Send + Sync> = Arc::new(progress);
        let mut outcomes = Vec::new();
        for (clauses, workers) in [(together, self.options.workers), (alone, 1)] {
            let clauses = clauses.into_iter().take_while(|_| !run.is_over());
            let done = each(workers, advance.clone(), clauses, |clause, turn| {
                let (run, progress) = (Arc::clone(&run), Arc::clone(&progress));
                async move {
                    let (outcome, turn) = Box::pin(run.attempt(&clause, turn)).await;
                    progress(&outcome);
                    ((clause.index, outcome), turn)
                }
            });
            match done.await {
                Ok(done) => outcomes.extend(done),
                Err(error) => {
                    run.clean_up(&run.shared, advance.clone()).await;
                    std::panic::resume_unwind(error.into_panic());
                }
            }
            run.clean_up(&run.later, advance.clone()).await;
        }
        run.clean_up(&run.shared, advance).await;
        let aborted = lock(&run.fatal).take().map(|error| error.to_string());
        if self.interrupt.is_asked() || aborted.is_some() {
            let reached: HashSet<usize> = outcomes.iter().map(|(index, _)| *index).collect();
            let others = plan.clauses().iter().filter(|clause| !reached.contains(&clause.index));
            outcomes.extend(others.map(|clause| {
                let reason = Some("the run ended before".to_owned());
                (clause.index, Outcome::new(clause, Verdict::NotTried, reason))
            }));
        }
        outcomes.sort_by_key(|(index, _)| *index);
        let leftovers = std::mem::take(&mut *lock(&run.leftovers));
        Ok(Report {
            tool: concat!("hwjobs ", env!("CARGO_PKG_VERSION")).to_owned(),
            endpoints: self.endpoints(),
            embedded: self.options.embedded,
            seed: self.options.seed,
            interrupted: self.interrupt.is_asked(),
            aborted,
            outcomes: outcomes.into_iter().map(|(_, outcome)| outcome).collect(),
            leftovers,
            requests: run.requests.load(Ordering::Relaxed),
            milliseconds: milliseconds(started),
        })
    }
}

/// Whether a clause looks at a whole list that it cannot narrow down to what it created.
fn is_exclusive(clause: &Clause) -> bool {
    matches!(&clause.case, Case::Law(Law::Pages | Law::PageSize | Law::Sort(_) | Law::Filter(_) | Law::Listed(_)))
        && clause.op().parameter("search_content").is_none()
}
