//! Trying clauses against an endpoint.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use progenitor_client::encode_path;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::compare::{Comparison, plain};
use super::generate::item;
use super::model::{Object, Op, keyword, model, properties};
use super::plan::{Case, Clause, Expected, Identity, Law, Payload, Plan, Target, Trial, bodies};
use super::turns::{Advance, Turn, each, waits};
use super::verdict::{Check, Difference, Exchange, Leftover, Outcome, Report, Verdict};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::secret::Secret;
use crate::session::credentials::Credentials;
use crate::session::{Session, Transport};
use crate::spec::load;

/// The largest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// So many refusals in a row of the own credentials end a run: five lock a key.
const MOST_REFUSALS: u32 = 3;
/// So many requests in a row without an answer end a run.
const MOST_SILENCES: u32 = 3;
/// How often a request is sent that is throttled.
const ATTEMPTS: u32 = 6;
/// Headers of answers that are kept.
const KEPT: [&str; 4] = ["content-type", "x-request-id", "retry-after", "allow"];
/// What all names begin with that the tests give.
const PREFIX: &str = "hwjobs-ct-";

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

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) read_only: bool,
    allow_billed: bool,
    workers: usize,
    seed: u64,
    /// The least time between two requests.
    interval: Option<Duration>,
    pub(super) given: BTreeMap<String, String>,
    pub(super) patience: Duration,
    embedded: bool,
    exchanges: bool,
}

/// Stops a run: what is going on is finished, and everything is cleaned up.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the run to come to its end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Whether a clause looks at a whole list that it cannot narrow down to what it created.
fn is_exclusive(clause: &Clause) -> bool {
    matches!(&clause.case, Case::Law(Law::Pages | Law::PageSize | Law::Sort(_) | Law::Filter(_) | Law::Listed(_)))
        && clause.op().parameter("search_content").is_none()
}

/// What all clauses of a run share.
pub(super) struct Run {
    pub(super) options: Options,
    session: Session,
    /// Signs with a made-up key, now and a week ago.
    strangers: [Transport; 2],
    /// One object of each kind that clauses share.
    fixtures: Vec<OnceCell<Result<Arc<Fixture>, String>>>,
    /// Objects that clauses share: they are removed in the end.
    shared: Mutex<Vec<Created>>,
    /// Objects whose state did not allow to remove them at once.
    later: Mutex<Vec<Created>>,
    leftovers: Mutex<Vec<Leftover>>,
    fatal: Mutex<Option<Error>>,
    interrupt: Interrupt,
    requests: AtomicUsize,
    /// How often in a row the own credentials were refused.
    refusals: AtomicU32,
    /// How often in a row no answer came in time.
    silences: AtomicU32,
    /// When the next request may be sent.
    next: tokio::sync::Mutex<Instant>,
    tag: String,
}

/// An object to try things on.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) object: usize,
    /// Values of the path, its own last.
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) request: Value,
    pub(super) answer: Value,
}

impl Fixture {
    pub(super) fn id(&self) -> &str {
        self.path.last().map_or("", |(_, id)| id)
    }
}

/// What is to be removed in the end.
#[derive(Clone, Debug)]
struct Created {
    object: usize,
    path: Vec<(&'static str, String)>,
    /// The id, unless the answer told none.
    id: Option<String>,
    name: Option<String>,
}

/// A clock that is a week behind.
#[derive(Debug)]
struct LastWeek;

impl Clock for LastWeek {
    fn now(&self) -> SystemTime {
        SystemTime::now() - Duration::from_secs(7 * 24 * 60 * 60)
    }

    fn sleep(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock.sleep(duration)
    }
}

/// Why an attempt goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// The endpoint does not have an operation.
    Absent(usize, String),
    /// Something is missing that the clause needs.
    NotTried(String),
    /// The differences say it all.
    Broken,
    Fatal(Error),
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) op: usize,
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Payload,
    pub(super) identity: Identity,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    text: String,
    pub(super) body: Option<Value>,
    /// Which exchange it is.
    exchange: usize,
}

impl Answer {
    /// Whether the service did what it was asked; some say under 200 that they did not.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.body.as_ref().is_none_or(|body| body["is_success"] != false)
    }

    pub(super) fn json(&self) -> &Value {
        self.body.as_ref().unwrap_or(&Value::Null)
    }

    fn code(&self) -> Option<&str> {
        self.json()["error_code"].as_str()
    }

    /// The answer as the error that a client would see.
    fn refusal(&self, op: usize) -> Error {
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        let answer = crate::error::ResponseInfo::new(status, &self.headers, None);
        Error::answered(self.text.as_bytes(), &answer).with_operation(model().operations[op].id)
    }

    fn told(&self) -> String {
        format!("{} {}", self.status, self.text.chars().take(200).collect::<String>())
    }
}

impl Run {
    fn new(session: Session, options: Options, interrupt: Interrupt) -> Result<Self, Error> {
        let made_up = Credentials::access_key("HWJOBSCONTRACTMADEUP", "made-up-and-known-to-nobody");
        let strangers =
            [Transport::stranger(&made_up, Arc::new(SystemClock))?, Transport::stranger(&made_up, Arc::new(LastWeek))?];
        let tag = base36(options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20, 5);
        Ok(Self {
            options,
            session,
            strangers,
            fixtures: model().objects.iter().map(|_| OnceCell::new()).collect(),
            shared: Mutex::default(),
            later: Mutex::default(),
            leftovers: Mutex::default(),
            fatal: Mutex::default(),
            interrupt,
            requests: AtomicUsize::default(),
            refusals: AtomicU32::default(),
            silences: AtomicU32::default(),
            next: tokio::sync::Mutex::new(Instant::now()),
            tag,
        })
    }

    fn is_over(&self) -> bool {
        self.interrupt.is_asked() || lock(&self.fatal).is_some()
    }

    /// Tries one clause and removes what it created.
    async fn attempt(&self, clause: &Clause, turn: Turn) -> (Outcome, Turn) {
        let reason = match &clause.case {
            Case::Untried(reason) => Some((*reason).to_owned()),
            _ if self.options.read_only && !clause.reads => Some("it writes, and only reading is allowed".to_owned()),
            _ if !self.options.read_only && !self.options.allow_billed && clause.billed => {
                Some("it starts work that is paid for; allow it with --allow-billed".to_owned())
            }
            _ => None,
        };
        if let Some(reason) = reason {
            return (Outcome::new(clause, Verdict::NotTried, Some(reason)), turn);
        }
        let started = Instant::now();
        let mut turn = turn;
        let mut attempt = Attempt { turn: Some(&mut turn), ..Attempt::new(self, Some(clause.op), clause.index) };
        let halt = match &clause.case {
            Case::Trials(trials) => attempt.trials(trials).await,
            Case::Law(law) => Box::pin(attempt.law(*law)).await,
            Case::Untried(_) => Ok(()),
        };
        for object in std::mem::take(&mut attempt.created).into_iter().rev() {
            match self.remove(&object, None).await {
                Ok(true) => {}
                Ok(false) => lock(&self.later).push(object),
                Err(reason) => self.leave(object, reason),
            }
        }
        let (verdict, reason) = match halt {
            Err(Halt::Fatal(error)) => {
                let reason = error.to_string();
                *lock(&self.fatal) = Some(error);
                (Verdict::NotTried, Some(reason))
            }
            _ if !attempt.differences.is_empty() => (Verdict::Differs, None),
            Err(Halt::Absent(op, how)) if op == clause.op => (Verdict::Absent, Some(how)),
            Err(Halt::Absent(op, _)) => {
                (Verdict::NotTried, Some(format!("it needs {}, which is absent", model().operations[op].id)))
            }
            Err(Halt::NotTried(reason)) => (Verdict::NotTried, Some(reason)),
            Ok(()) | Err(Halt::Broken) => (Verdict::Honours, None),
        };
        let mut outcome = Outcome::new(clause, verdict, reason);
        outcome.requests = attempt.exchanges.len();
        outcome.milliseconds = milliseconds(started);
        outcome.differences = attempt.differences;
        if verdict != Verdict::Honours || self.options.exchanges {
            outcome.exchanges = attempt.exchanges;
        }
        (outcome, turn)
    }

    /// Asks each service of a plan for something, so that credentials that it refuses are sent once and no more.
    async fn greet(&self, plan: &Plan) -> Result<(), Error> {
        let known = |name: &str| {
            let has = |op: &Op| {
                op.parameter(name).is_some()
                    || op.body.is_some_and(|schema| all_names(op.document.value(), schema).contains(&name))
            };
            model().operations.iter().any(has)
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
            let Some(op) = model().operations.iter().position(easy) else { continue };
            let request = Request { op, path: vec![], query: vec![], body: Payload::None, identity: Identity::Own };
            match Attempt::new(self, None, usize::MAX).send(&request).await {
                Err(Halt::Fatal(error)) => return Err(error),
                Ok(answer) if answer.status == 401 => return Err(answer.refusal(op)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes objects, however long their states take.
    async fn clean_up(self: &Arc<Self>, created: &Mutex<Vec<Created>>, advance: Option<Advance>) {
        let created = std::mem::take(&mut *lock(created));
        let done = each(self.options.workers, advance, created.into_iter().rev(), |object, mut turn| {
            let run = Arc::clone(self);
            async move {
                if let Err(reason) = run.remove(&object, Some(&mut turn)).await {
                    run.leave(object, reason);
                }
                ((), turn)
            }
        });
        if let Err(error) = done.await {
            std::panic::resume_unwind(error.into_panic());
        }
    }

    /// Notes that an object stays.
    fn leave(&self, object: Created, reason: String) {
        let Object { item, create, delete, .. } = &model().objects[object.object];
        let what = match &object.id {
            Some(_) => object
                .path
                .iter()
                .fold((*item).to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value)),
            None => object.name.unwrap_or_else(|| "an object without name and id".to_owned()),
        };
        let created_by = model().operations[*create].id.to_owned();
        lock(&self.leftovers).push(Leftover { created_by, what, reason, lasts: delete.is_none() });
    }

    /// Removes an object. Without a turn that could be given up it does not wait until the object's state allows it, and
    /// then it is not removed yet.
    async fn remove(&self, created: &Created, turn: Option<&mut Turn>) -> Result<bool, String> {
        let object = &model().objects[created.object];
        let Some(delete) = object.delete else {
            return Err("no operation deletes it".to_owned());
        };
        if lock(&self.fatal).as_ref().is_some_and(Error::is_unauthenticated) {
            return Err("the credentials are refused".to_owned());
        }
        let may_wait = turn.is_some();
        let mut attempt = Attempt { turn, ..Attempt::new(self, None, usize::MAX) };
        let mut path = created.path.clone();
        if created.id.is_none() {
            // The answer told no id: the list may. What has a name of another kind is somebody else's.
            let Some(name) = created.name.as_ref().filter(|name| name.starts_with(PREFIX)) else {
                return Err("its id is not known".to_owned());
            };
            let found = attempt.find_by_name(created.object, &path, name).await;
            let Ok(Some(id)) = found else { return Err("its id is not known, and no list has its name".to_owned()) };
            path.push((object.parameter, id));
        }
        match attempt.delete_when_possible(created.object, &path).await {
            Ok(answer) if answer.is_success() || is_unknown(&answer) => Ok(true),
            Ok(_) if !may_wait => Ok(false),
            Ok(answer) => Err(format!("{} answered {}", model().operations[delete].id, answer.told())),
            Err(Halt::Absent(..)) => Err(format!("{} is absent", model().operations[delete].id)),
            Err(Halt::NotTried(reason)) => Err(reason),
            Err(Halt::Broken) => Err("no whole answer came".to_owned()),
            Err(Halt::Fatal(error)) => Err(error.to_string()),
        }
    }

    /// Waits until the next request may be sent.
    async fn paced(&self) {
        let Some(interval) = self.options.interval else { return };
        let mut next = self.next.lock().await;
        let now = Instant::now();
        let at = (*next).max(now);
        *next = at + interval;
        drop(next);
        tokio::time::sleep(at - now).await;
    }

    /// Puts the proof of an identity onto a request; gives the secret to hide.
    async fn prove(
        &self,
        identity: Identity,
        transport: &Transport,
        request: &mut reqwest::Request,
    ) -> Result<Option<Secret>, Error> {
        match identity {
            Identity::Own | Identity::OtherProject => transport.authenticate(request).await,
            Identity::Nobody => Ok(None),
            Identity::BadToken => {
                let token = HeaderValue::from_static("made-up-token-known-to-nobody");
                request.headers_mut().insert("x-auth-token", token);
                Ok(None)
            }
            Identity::BadSignature => self.strangers[0].authenticate(request).await,
            Identity::StaleDate => self.strangers[1].authenticate(request).await,
        }
    }
}

/// Whether an answer says that there is no such object.
pub(super) fn is_unknown(answer: &Answer) -> bool {
    let kind = answer.code().and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
    kind == Some(ErrorKind::NotFound) || (kind.is_none() && answer.status == 404)
}

fn base36(mut number: u64, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).unwrap_or_default()];
        number /= 36;
    }
    String::from_utf8(text).unwrap_or_default()
}

/// One clause on its way.
pub(super) struct Attempt<'a> {
    pub(super) run: &'a Run,
    /// The operation that is looked at; calls of others only have to work.
    pub(super) op: Option<usize>,
    /// What its names are told apart by.
    index: usize,
    names: usize,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) differences: Vec<Difference>,
    created: Vec<Created>,
    /// Objects that it has for itself.
    own: Vec<Arc<Fixture>>,
    /// What it gives up while it waits; without it, it does not wait.
    turn: Option<&'a mut Turn>,
}

impl<'a> Attempt<'a> {
    fn new(run: &'a Run, op: Option<usize>, index: usize) -> Self {
        Self {
            run,
            op,
            index,
            names: 0,
            exchanges: Vec::new(),
            differences: Vec::new(),
            created: Vec::new(),
            own: Vec::new(),
            turn: None,
        }
    }

    /// How long to wait, and again, for the state of an object to change.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        waits(if self.turn.is_some() { self.run.options.patience } else { Duration::ZERO })
    }

    pub(super) async fn wait(&mut self, time: Duration) {
        if let Some(turn) = &mut self.turn {
            turn.wait(time).await;
        }
    }

    /// What all names of this attempt begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{PREFIX}{}{}", self.run.tag, base36(self.index as u64, 3))
    }

    /// A name that nobody else has.
    pub(super) fn name(&mut self) -> String {
        self.names += 1;
        // Later ones sort before earlier ones, so that the order of names is not that of creation.
        format!("{}{}", self.prefix(), base36(36 * 36 - 1 - self.names as u64, 2))
    }

    /// A name of a length that nobody else has, where there is room for that.
    fn name_of(&mut self, length: usize) -> String {
        let name = self.name();
        match length.checked_sub(name.len()) {
            Some(more) => name + &"a".repeat(more),
            // The end tells names apart.
            None => name[name.len() - length..].to_owned(),
        }
    }

    pub(super) fn differs(&mut self, check: Check, text: impl Into<String>) {
        let exchange = self.exchanges.len().saturating_sub(1);
        self.differences.push(Difference { check, text: text.into(), exchange });
    }

    async fn trials(&mut self, trials: &[Trial]) -> Result<(), Halt> {
        let mut excuse = None;
        for trial in trials {
            let answer = self.trial(trial).await?;
            let is_query = trial.place.is_none() && model().object_of(&model().operations[trial.op]).is_some();
            // A good value may lead to another object, which is not there.
            if trial.expected == Expected::Accepted && !answer.is_success() && !(is_query && is_unknown(&answer)) {
                // A value that no example shows may need others beside it, which only sentences tell.
                match self.rules(trial) {
                    Some(rule) => {
                        excuse = Some(format!(
                            "{} was refused with {}; it may be by the rule: {rule}",
                            trial.what,
                            answer.told()
                        ));
                    }
                    None => {
                        let text = format!(
                            "{}: {} instead of {}",
                            trial.what,
                            answer.told(),
                            model().operations[trial.op].success
                        );
                        self.differs(Check::Status, text);
                    }
                }
            }
        }
        match excuse {
            Some(excuse) if self.differences.is_empty() => Err(Halt::NotTried(excuse)),
            _ => Ok(()),
        }
    }

    /// The rules between fields that hold where an enumerated value is on trial that no example shows.
    fn rules(&self, trial: &Trial) -> Option<String> {
        let (Some(place), Payload::Json(body)) = (&trial.place, &trial.body) else { return None };
        let op = &model().operations[trial.op];
        let document = op.document.value();
        let value = body.pointer(place);
        if op.examples.iter().any(|example| example.request.is_some_and(|body| body.pointer(place) == value)) {
            return None;
        }
        let (mut schema, mut rules) = (op.body?, Vec::new());
        for token in place.split('/').skip(1) {
            let here = keyword(document, schema, "x-rules").and_then(Value::as_array);
            rules.extend(here.into_iter().flatten().filter_map(Value::as_str));
            schema = match token.parse::<usize>() {
                Ok(_) => item(document, schema),
                Err(_) => properties(document, schema).into_iter().find(|(name, _)| *name == token)?.1,
            };
        }
        let rules = rules.join(" ");
        (keyword(document, schema, "enum").is_some() && !rules.is_empty()).then_some(rules)
    }

    async fn trial(&mut self, trial: &Trial) -> Result<Answer, Halt> {
        let signs_in =
            matches!(trial.expected, Expected::Accepted | Expected::Documented(_) | Expected::Unauthenticated);
        if signs_in && !model().operations[trial.op].is_authenticated() && !self.run.options.embedded {
            return Err(Halt::NotTried(
                "it signs in as a user that only the documents and the emulator know".to_owned(),
            ));
        }
        let request = self.prepare(trial).await?;
        let mut answer = self.send(&request).await?;
        if trial.target == Target::Fresh && matches!(trial.expected, Expected::Accepted | Expected::Documented(_)) {
            answer = self.in_another_state(&request, answer).await?;
        }
        match trial.expected {
            Expected::Accepted => {
                if answer.is_success() {
                    self.check_success(trial.op, &answer);
                }
            }
            Expected::Documented(index) => {
                if self.check_success(trial.op, &answer) {
                    self.compare(trial, index, &request, &answer).await?;
                }
            }
            expected => self.check_refusal(trial.op, &trial.what, expected, &answer),
        }
        Ok(answer)
    }

    /// The answer to the same request once the object has ended, if its first state does not allow it.
    async fn in_another_state(&mut self, request: &Request, answer: Answer) -> Result<Answer, Halt> {
        let object = model().object_of(&model().operations[request.op]);
        match object {
            Some(object)
                if !answer.is_success() && model().objects[object].stop.is_some_and(|stop| stop != request.op) =>
            {
                self.stop(object, &request.path).await?;
                self.ended(object, &request.path).await?;
                self.send(request).await
            }
            _ => Ok(answer),
        }
    }

    /// The request of a trial, with what must exist created.
    async fn prepare(&mut self, trial: &Trial) -> Result<Request, Halt> {
        let op = &model().operations[trial.op];
        let mut path: Vec<(&'static str, String)> = Vec::new();
        let mut unknown = trial.target == Target::Unknown;
        let names: Vec<&'static str> = op.path_parameters().collect();
        for (index, name) in names.iter().copied().enumerate() {
            unknown |= trial.target == Target::UnknownAt(name);
            match model().named_by(op.operation.path, name) {
                Some(object) if !unknown => {
                    let fresh = trial.target == Target::Fresh && index + 1 == names.len();
                    path.clone_from(&self.fixture(object, fresh).await?.path);
                }
                _ => path.push((name, self.unknown_id(op, name))),
            }
        }
        for (name, value) in &mut path {
            if let Some(on_trial) = trial.parameters.get(*name).and_then(plain) {
                *value = on_trial;
            }
        }
        let mut query = Vec::new();
        for (name, value) in trial.parameters.iter() {
            if names.contains(&name.as_str()) {
                continue;
            }
            let given = self.run.options.given.get(name).cloned();
            let is_documented = matches!(trial.expected, Expected::Documented(_));
            let object = model().objects.iter().position(|object| object.list == Some(trial.op));
            let text = match (given, object) {
                (Some(given), _) => given,
                // The example's marker is an object that only the documents know.
                (None, Some(object)) if name == "marker" && is_documented => {
                    self.fixture(object, false).await?.id().to_owned()
                }
                _ => plain(value).unwrap_or_default(),
            };
            query.push((name.clone(), text));
        }
        let accepted = matches!(trial.expected, Expected::Accepted | Expected::Documented(_));
        let body = match &trial.body {
            Payload::Json(body) => {
                let mut body = body.clone();
                if trial.target == Target::Unknown {
                    self.rename(op, &mut body, trial.place.as_deref(), accepted);
                } else {
                    self.adapt(trial.op, &path, &mut body, trial.place.as_deref(), accepted).await?;
                }
                Payload::Json(body)
            }
            other => other.clone(),
        };
        Ok(Request { op: trial.op, path, query, body, identity: trial.identity })
    }

    /// An id that no object has.
    fn unknown_id(&mut self, op: &Op, name: &str) -> String {
        let schema = op.parameter(name).map_or(&Value::Null, |parameter| parameter.schema);
        let integer = keyword(op.document.value(), schema, "type").is_some_and(|kind| kind == "integer");
        let number = fastrand::Rng::with_seed(self.run.options.seed ^ self.index as u64).u64(0..1 << 40);
        if integer { (number + (1 << 50)).to_string() } else { format!("00000000-0000-4000-8000-{number:012x}") }
    }

    /// Puts what exists here in the place of what the documents name; what is on trial stays as it is.
    pub(super) async fn adapt(
        &mut self,
        op: usize,
        path: &[(&'static str, String)],
        body: &mut Value,
        place: Option<&str>,
        accepted: bool,
    ) -> Result<(), Halt> {
        let described = &model().operations[op];
        let Some(schema) = described.body else { return Ok(()) };
        let mut references = Vec::new();
        refers(described.document.value(), schema, body, String::new(), &mut references);
        for (pointer, target) in references {
            if place == Some(&pointer) {
                continue;
            }
            let Some(object) = model().op(target).and_then(|op| model().created_by(op)) else { continue };
            let id = self.reference(object, path).await?;
            if let Some(spot) = body.pointer_mut(&pointer) {
                // The type is the one that the schema gives the field.
                *spot = match (&*spot, id.parse::<i64>()) {
                    (Value::Number(_), Ok(number)) => number.into(),
                    _ => id.into(),
                };
            }
        }
        self.rename(described, body, place, accepted);
        give(&self.run.options.given, body, String::new(), place);
        Ok(())
    }

    /// Gives what a request names a name of its own; one that is on trial keeps its form.
    fn rename(&mut self, described: &Op, body: &mut Value, place: Option<&str>, accepted: bool) {
        if let Some(name) = described.name_field()
            && body.get(name).is_some_and(Value::is_string)
        {
            let on_trial = place == Some(&format!("/{name}"));
            let known = body[name].as_str().unwrap_or_default();
            if !on_trial {
                body[name] = self.name().into();
            } else if accepted && known.chars().all(|c| c == 'a') {
                body[name] = self.name_of(known.len()).into();
            } else if accepted {
                body[name] = format!("{}{known}", self.name()).chars().take(20).collect::<String>().into();
            }
        }
    }

    /// An object to refer to: one that the parent brought along, else one that is shared.
    async fn reference(&mut self, object: usize, path: &[(&'static str, String)]) -> Result<String, Halt> {
        let parameter = model().objects[object].parameter;
        let shared = self.run.fixtures.iter().filter_map(|cell| cell.get()?.as_ref().ok());
        let parent = self.own.iter().chain(shared).find(|fixture| !path.is_empty() && fixture.path == path);
        if let Some(id) = parent.and_then(|parent| plain(parent.answer.get(parameter)?)) {
            return Ok(id);
        }
        Ok(self.fixture(object, false).await?.id().to_owned())
    }

    /// An object of a kind: the one that all share, or one of the attempt's own.
    pub(super) async fn fixture(&mut self, object: usize, fresh: bool) -> Result<Arc<Fixture>, Halt> {
        let run = self.run;
        if fresh && !run.options.read_only {
            let made = Arc::new(Box::pin(self.create(object, |_| {})).await?);
            self.own.push(Arc::clone(&made));
            return Ok(made);
        }
        let shared = run.fixtures[object].get_or_init(|| async {
            let mut attempt = Attempt::new(run, None, 46_000 + object);
            let made = if run.options.read_only {
                Box::pin(attempt.first(object)).await
            } else {
                Box::pin(attempt.create(object, |_| {})).await
            };
            lock(&run.shared).append(&mut attempt.created);
            made.map(Arc::new).map_err(|halt| match halt {
                Halt::NotTried(reason) => reason,
                Halt::Absent(op, _) => format!("it needs {}, which is absent", model().operations[op].id),
                Halt::Broken => format!(
                    "it needs {}, which gave no whole answer",
                    model().operations[model().objects[object].create].id
                ),
                Halt::Fatal(error) => error.to_string(),
            })
        });
        Box::pin(shared).await.clone().map_err(Halt::NotTried)
    }

    /// Creates an object as the first example does, changed by `edit`.
    pub(super) async fn create(&mut self, object: usize, edit: impl Fn(&mut Value) + Send) -> Result<Fixture, Halt> {
        let op = model().objects[object].create;
        let described = &model().operations[op];
        let mut path = Vec::new();
        for name in described.path_parameters() {
            if let Some(parent) = model().named_by(described.operation.path, name) {
                path.clone_from(&self.fixture(parent, false).await?.path);
            }
        }
        self.create_in(object, path, edit).await
    }

    /// The same under a given parent.
    pub(super) async fn create_in(
        &mut self,
        object: usize,
        path: Vec<(&'static str, String)>,
        edit: impl Fn(&mut Value) + Send,
    ) -> Result<Fixture, Halt> {
        let op = model().objects[object].create;
        let described = &model().operations[op];
        let mut body = bodies(described).into_iter().next();
        if let Some(body) = &mut body {
            self.adapt(op, &path, body, None, true).await?;
            edit(body);
        }
        let request = Request {
            op,
            path: path.clone(),
            query: Vec::new(),
            body: body.clone().map_or(Payload::None, Payload::Json),
            identity: Identity::Own,
        };
        let answer = self.send(&request).await?;
        self.called(op, &answer)?;
        let own = id_of(object, answer.json(), body.as_ref());
        let Some(id) = own else {
            return Err(Halt::NotTried(format!("it needs {}, whose answer has no id", described.id)));
        };
        let mut path: Vec<_> = path
            .into_iter()
            .filter(|(name, _)| model().objects[object].item.contains(&format!("{{{name}}}")))
            .collect();
        path.retain(|(name, _)| *name != model().objects[object].parameter);
        path.push((model().objects[object].parameter, id));
        Ok(Fixture { object, path, request: body.unwrap_or_default(), answer: unwrapped(answer.json()).clone() })
    }

    /// The first object that a list has, where nothing may be created.
    async fn first(&mut self, object: usize) -> Result<Fixture, Halt> {
        let described = &model().objects[object];
        let none = || Halt::NotTried(format!("only reading is allowed, and no {} was found", described.parameter));
        let list = described.list.ok_or_else(none)?;
        let mut path = Vec::new();
        for name in model().operations[list].path_parameters() {
            if let Some(parent) = model().named_by(model().operations[list].operation.path, name) {
                path.clone_from(&self.fixture(parent, false).await?.path);
            }
        }
        let items = self.page(list, &path, &[]).await?;
        let first = items.first().ok_or_else(none)?;
        let id = item_id(object, first).ok_or_else(none)?;
        path.push((described.parameter, id));
        Ok(Fixture { object, path, request: Value::Null, answer: first.clone() })
    }

    /// A call in the course of something else: it must work, and if it is of the clause's own operation, well.
    pub(super) fn called(&mut self, op: usize, answer: &Answer) -> Result<(), Halt> {
        if self.op == Some(op) {
            return if self.check_success(op, answer) { Ok(()) } else { Err(Halt::Broken) };
        }
        if answer.is_success() {
            return Ok(());
        }
        Err(Halt::NotTried(format!("it needs {}, which answered {}", model().operations[op].id, answer.told())))
    }

    /// Deletes as soon as the state of the object allows, which may take a stop and some time.
    pub(super) async fn delete_when_possible(
        &mut self,
        object: usize,
        path: &[(&'static str, String)],
    ) -> Result<Answer, Halt> {
        let described = &model().objects[object];
        let Some(delete) = described.delete else {
            return Err(Halt::NotTried("no operation deletes it".to_owned()));
        };
        let request =
            Request { op: delete, path: path.to_vec(), query: vec![], body: Payload::None, identity: Identity::Own };
        let mut waits = self.waits();
        loop {
            let answer = self.send(&request).await?;
            if answer.is_success() || is_unknown(&answer) {
                return Ok(answer);
            }
            if let Some(stop) = described.stop {
                let request = Request { op: stop, ..request.clone() };
                self.send(&request).await?;
            }
            let Some(wait) = waits.next() else { return Ok(answer) };
            self.wait(wait).await;
        }
    }

    /// Sends a request, again while it is throttled; notes what it creates.
    pub(super) async fn send(&mut self, request: &Request) -> Result<Answer, Halt> {
        let op = &model().operations[request.op];
        let (transport, http, base) = self.run.session.way_to(op.service());
        let other = other_project(self.run.session.project_id().as_str());
        let project =
            if request.identity == Identity::OtherProject { &other } else { self.run.session.project_id().as_str() };
        let mut path = op.operation.path.replace("{project_id}", &encode_path(project));
        for (name, value) in &request.path {
            path = path.replace(&format!("{{{name}}}"), &encode_path(value));
        }
        let malformed = |error: &dyn std::fmt::Display| Halt::NotTried(format!("the request cannot be made: {error}"));
        let mut url = reqwest::Url::parse(&format!("{base}{path}")).map_err(|error| malformed(&error))?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let body = match &request.body {
            Payload::None => None,
            Payload::Json(body) => Some(body.to_string()),
            Payload::Raw(text) => Some((*text).to_owned()),
        };
        let method = Method::from_bytes(op.operation.method.to_ascii_uppercase().as_bytes())
            .map_err(|error| malformed(&error))?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut outgoing = reqwest::Request::new(method.clone(), url.clone());
            outgoing.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(body) = &body {
                outgoing.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *outgoing.body_mut() = Some(body.clone().into());
            }
            *outgoing.timeout_mut() = Some(Duration::from_secs(60));
            let secret = if op.is_authenticated() {
                self.run.prove(request.identity, transport, &mut outgoing).await.map_err(Halt::Fatal)?
            } else {
                None
            };
            self.run.paced().await;
            self.run.requests.fetch_add(1, Ordering::Relaxed);
            let mut exchange = Exchange {
                operation: op.id.to_owned(),
                method: method.to_string(),
                url: outgoing.url().to_string(),
                headers: shown(outgoing.headers()),
                body: body.as_deref().map(|body| hidden(op, body)),
                status: 0,
                answer_headers: Vec::new(),
                answer: String::new(),
            };
            let outcome = match http.execute(outgoing).await {
                Ok(response) => {
                    let (status, headers) = (response.status().as_u16(), response.headers().clone());
                    response.bytes().await.map(|bytes| (status, headers, bytes))
                }
                Err(error) => Err(error),
            };
            let (status, headers, bytes) = match outcome {
                Ok(answer) => answer,
                Err(error) if error.is_connect() => return Err(Halt::Fatal(error.into())),
                Err(error) => {
                    self.note(request, None);
                    let silences = &self.run.silences;
                    if error.is_timeout() && silences.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENCES {
                        return Err(Halt::Fatal(error.into()));
                    }
                    self.exchanges.push(exchange);
                    self.differs(Check::Status, format!("no whole answer came: {}", error.without_url()));
                    return Err(Halt::Broken);
                }
            };
            self.run.silences.store(0, Ordering::Relaxed);
            if status == 429 && attempt < ATTEMPTS {
                let asked = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                tokio::time::sleep(asked.map_or(Duration::from_secs(1), Duration::from_secs).min(LONGEST_WAIT)).await;
                continue;
            }
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            let parsed = serde_json::from_slice(&bytes).ok();
            if let Some(secret) = secret {
                text = text.replace(secret.expose(), "***");
            }
            exchange.status = status;
            exchange.answer.clone_from(&text);
            exchange.answer_headers = KEPT
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned())))
                .collect();
            self.exchanges.push(exchange);
            let answer = Answer { status, headers, text, body: parsed, exchange: self.exchanges.len() - 1 };
            if answer.is_success() {
                self.note(request, Some(&answer));
            }
            if request.identity == Identity::Own && op.is_authenticated() {
                let refusals = &self.run.refusals;
                if status != 401 {
                    refusals.store(0, Ordering::Relaxed);
                } else if refusals.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_REFUSALS {
                    return Err(Halt::Fatal(answer.refusal(request.op)));
                }
            }
            let gateway = answer
                .code()
                .is_some_and(|code| ErrorCode::lookup(code).is_some_and(|code| code.code() == "APIG.0101"));
            if matches!(status, 405 | 501) || (status == 404 && (gateway || answer.body.is_none())) {
                return Err(Halt::Absent(
                    request.op,
                    format!("{} {} answered {}", method, op.operation.path, answer.told()),
                ));
            }
            return Ok(answer);
        }
    }

    /// Notes what a request creates or deletes; without an answer it may have.
    fn note(&mut self, request: &Request, answer: Option<&Answer>) {
        if let Some(object) = model().created_by(request.op) {
            let described = &model().objects[object];
            let body = if let Payload::Json(body) = &request.body { Some(body) } else { None };
            // What is no JSON says nothing of an object, whatever its status.
            let id = answer.and_then(|answer| id_of(object, answer.body.as_ref()?, body));
            let mut path: Vec<_> = request
                .path
                .iter()
                .filter(|(name, _)| described.item.contains(&format!("{{{name}}}")))
                .cloned()
                .collect();
            path.retain(|(name, _)| *name != described.parameter);
            path.extend(id.clone().map(|id| (described.parameter, id)));
            let name = model().operations[request.op].name_field().and_then(|name| plain(&body?[name]));
            self.created.push(Created { object, path, id, name });
        }
        if answer.is_some() {
            let gone = |created: &Created| {
                model().objects[created.object].delete == Some(request.op) && created.path == request.path
            };
            self.created.retain(|created| !gone(created));
            lock(&self.run.shared).retain(|created| !gone(created));
        }
    }

    /// Whether an answer is a success as described; notes what is not.
    pub(super) fn check_success(&mut self, op: usize, answer: &Answer) -> bool {
        let described = &model().operations[op];
        if answer.status != described.success || !answer.is_success() {
            let text = format!("{} instead of {}", answer.told(), described.success);
            self.note_difference(Check::Status, text, answer);
            return false;
        }
        self.check_form(op, answer);
        true
    }

    /// Content type, headers and schema.
    fn check_form(&mut self, op: usize, answer: &Answer) {
        let described = &model().operations[op];
        let schema = described.answer_schema(answer.status);
        let media_type =
            answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match (schema, answer.text.is_empty()) {
            (None, false) => self.note_difference(
                Check::ContentType,
                format!("a body where none is described: {}", answer.told()),
                answer,
            ),
            (None, true) => {}
            (Some(_), true) => {
                self.note_difference(Check::ContentType, "no body where one is described".to_owned(), answer)
            }
            (Some(_), false) => {
                if media_type.split(';').next().map(str::trim) != Some("application/json") {
                    self.note_difference(
                        Check::ContentType,
                        format!("the body is announced as `{media_type}`"),
                        answer,
                    );
                }
                match &answer.body {
                    None => self.note_difference(
                        Check::ContentType,
                        format!("the body is no JSON: {}", answer.told()),
                        answer,
                    ),
                    Some(body) => {
                        for difference in described.differences(answer.status, body) {
                            self.note_difference(Check::Schema, difference, answer);
                        }
                    }
                }
            }
        }
        for name in described.answer_headers(answer.status) {
            if !answer.headers.contains_key(name) {
                self.note_difference(Check::Headers, format!("the header `{name}` is missing"), answer);
            }
        }
    }

    /// Whether a request is refused as it must be; notes what is not.
    pub(super) fn check_refusal(&mut self, op: usize, what: &str, expected: Expected, answer: &Answer) {
        let code = answer.code().and_then(ErrorCode::lookup);
        let kind = code.and_then(ErrorCode::kind);
        let access = matches!(expected, Expected::Unauthenticated | Expected::Denied);
        let check = if access { Check::Access } else { Check::Status };
        if answer.is_success() {
            return self.note_difference(check, format!("{what}: accepted with {}", answer.told()), answer);
        }
        let fits = match expected {
            Expected::Unauthenticated => answer.status == 401,
            Expected::Denied => matches!(answer.status, 401 | 403 | 404),
            // Some services say with a code that it is the request, and with the status something else.
            _ => {
                (400..500).contains(&answer.status) || code.is_some_and(|code| code.statuses().contains(&answer.status))
            }
        };
        if !fits {
            return self.note_difference(check, format!("{what}: {}", answer.told()), answer);
        }
        self.check_form(op, answer);
        let service = model().operations[op].service();
        match (code, answer.code()) {
            (Some(code), _) if code.family() != service && code.family() != "gateway" => {
                self.note_difference(
                    Check::Code,
                    format!("{what}: {} is a code of {}", code.code(), code.family()),
                    answer,
                );
            }
            (None, Some(unknown)) if service != "iam" => {
                self.note_difference(Check::Code, format!("{what}: the code `{unknown}` is not documented"), answer);
            }
            _ => {}
        }
        // Such a code says that the service failed, and the status that it was the request.
        if let Some(code) = code
            && kind.is_none()
            && (400..500).contains(&answer.status)
            && !code.statuses().is_empty()
            && code.statuses().iter().all(|status| *status >= 500)
        {
            let text = format!("{what}: the code {} is documented with {:?} alone", code.code(), code.statuses());
            self.note_difference(Check::Code, text, answer);
        }
        let means = match expected {
            Expected::Code(wanted) => code.is_some_and(|code| code.code() == wanted),
            Expected::Unknown => {
                service == "iam" || kind == Some(ErrorKind::NotFound) || (code.is_none() && answer.status == 404)
            }
            Expected::Invalid => !matches!(kind, Some(ErrorKind::Authentication | ErrorKind::Conflict)),
            Expected::Unauthenticated => kind.is_none_or(|kind| kind == ErrorKind::Authentication),
            _ => true,
        };
        if !means {
            let wanted = match expected {
                Expected::Code(wanted) => format!("the documented code is {wanted}"),
                Expected::Unknown => "the code does not say that it is unknown".to_owned(),
                _ => "the code says something else".to_owned(),
            };
            self.note_difference(Check::Code, format!("{what}: {}, {wanted}", answer.told()), answer);
        }
    }

    fn note_difference(&mut self, check: Check, text: String, answer: &Answer) {
        self.differences.push(Difference { check, text, exchange: answer.exchange });
    }

    /// Holds an answer against the documented one.
    async fn compare(&mut self, trial: &Trial, index: usize, request: &Request, answer: &Answer) -> Result<(), Halt> {
        let op = &model().operations[trial.op];
        let example = &op.examples[index];
        let Some((_, documented)) = example.response else { return Ok(()) };
        let mut determined = Vec::new();
        let mut given = Vec::new();
        for (name, value) in example.parameters.into_iter().flatten() {
            let sent = request.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            determined.extend(sent.map(|sent| (name.clone(), value.clone(), Value::from(sent))));
        }
        if let (Some(documented), Payload::Json(sent)) = (example.request, &request.body) {
            let unsupported = unsupported(op);
            pair(documented, sent, &mut determined);
            determined.retain(|(name, ..)| !unsupported.contains(&name.as_str()));
            given.extend(names(sent));
        }
        let mut optional = Vec::new();
        let creates = model().object_of(op).map(|object| &model().objects[object]).or_else(|| {
            model().objects.iter().find(|object| object.create == trial.op || object.list == Some(trial.op))
        });
        if let Some(object) = creates {
            let create = &model().operations[object.create];
            optional = create.body.map(|schema| all_names(create.document.value(), schema)).unwrap_or_default();
            if trial.op != object.create && !self.run.options.read_only {
                let fixture = self.run.fixtures[model().created_by(object.create).unwrap_or_default()].get();
                given.extend(fixture.into_iter().flatten().flat_map(|fixture| names(&fixture.request)));
            }
        }
        let editions = op.examples.iter().filter_map(|example| example.response);
        let editions = editions.filter(|(status, _)| status.starts_with('2')).map(|(_, body)| body).collect();
        let shows = model().objects.iter().any(|object| object.show == Some(trial.op));
        let mut comparison = Comparison { determined, optional, given, editions, shows, differences: Vec::new() };
        comparison.compare("", "", documented, answer.json());
        for difference in comparison.differences {
            self.note_difference(Check::Example, difference, answer);
        }
        Ok(())
    }
}

/// A project that is not the own one.
fn other_project(own: &str) -> String {
    let other = "0123456789abcdef0123456789abcdef";
    if own == other { other.chars().rev().collect() } else { other.to_owned() }
}

/// Headers of a request, proofs as variables of a shell.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let variable = |name: &str| match name {
        "x-auth-token" => Some("$HUAWEICLOUD_TOKEN"),
        "authorization" => Some("$HUAWEICLOUD_AUTHORIZATION"),
        "x-security-token" => Some("$HUAWEICLOUD_SECURITY_TOKEN"),
        _ => None,
    };
    headers
        .iter()
        .map(|(name, value)| {
            let value = variable(name.as_str())
                .map_or_else(|| String::from_utf8_lossy(value.as_bytes()).into_owned(), str::to_owned);
            (name.to_string(), value)
        })
        .collect()
}

/// A body without what the description calls a password.
fn hidden(op: &Op, body: &str) -> String {
    let is_secret = op.body.is_some_and(|schema| all_names(op.document.value(), schema).contains(&"password"));
    match serde_json::from_str::<Value>(body) {
        Ok(mut body) if is_secret => {
            if let Some(password) = body.pointer_mut("/auth/identity/password/user/password") {
                *password = "***".into();
            }
            body.to_string()
        }
        _ => body.to_owned(),
    }
}

/// Where a body refers to other objects: pointer and the operation that creates them.
fn refers(
    document: &'static Value,
    schema: &'static Value,
    body: &Value,
    pointer: String,
    found: &mut Vec<(String, &'static str)>,
) {
    if let Some(target) = load::resolve(document, schema).get("x-refers-to").and_then(Value::as_str) {
        found.push((pointer, target));
        return;
    }
    match body {
        Value::Object(fields) => {
            for (name, inner) in properties(document, schema) {
                if let Some(value) = fields.get(name) {
                    refers(document, inner, value, format!("{pointer}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                refers(document, item(document, schema), value, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Puts given values at all fields of their names.
fn give(given: &BTreeMap<String, String>, value: &mut Value, pointer: String, place: Option<&str>) {
    if given.is_empty() {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let pointer = format!("{pointer}/{name}");
                match given.get(name) {
                    Some(text) if place != Some(&pointer) => {
                        *value = match (&*value, text.parse::<i64>()) {
                            (Value::Number(_), Ok(number)) => number.into(),
                            _ => text.clone().into(),
                        };
                    }
                    _ => give(given, value, pointer, place),
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                give(given, value, format!("{pointer}/{index}"), place);
            }
        }
        _ => {}
    }
}

/// What is inside of an answer that wraps an object in one field.
pub(super) fn unwrapped(answer: &Value) -> &Value {
    let inner = answer.as_object().and_then(|fields| fields.values().find(|value| value.get("id").is_some()));
    inner.unwrap_or(answer)
}

/// The id of what was created, out of the answer or, where the name is the id, out of the request.
fn id_of(object: usize, answer: &Value, request: Option<&Value>) -> Option<String> {
    let parameter = model().objects[object].parameter;
    let own = unwrapped(answer);
    [answer.get(parameter), own.get("id"), request.and_then(|request| request.get(parameter))]
        .into_iter()
        .flatten()
        .find_map(plain)
        .filter(|id| !id.is_empty())
}

/// The id of an item of a list.
pub(super) fn item_id(object: usize, item: &Value) -> Option<String> {
    item.get(model().objects[object].parameter).or_else(|| item.get("id")).and_then(plain)
}

/// Documented values by name with what was sent in their place.
fn pair(documented: &Value, sent: &Value, pairs: &mut Vec<(String, Value, Value)>) {
    let Value::Object(fields) = documented else { return };
    for (name, value) in fields {
        match (value, sent.get(name)) {
            (Value::Object(_), Some(sent)) => pair(value, sent, pairs),
            (Value::String(_) | Value::Number(_) | Value::Bool(_), Some(sent)) => {
                pairs.push((name.clone(), value.clone(), sent.clone()));
            }
            _ => {}
        }
    }
}

/// All names of fields in a value.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// All names of fields in a schema.
fn all_names(document: &'static Value, schema: &'static Value) -> Vec<&'static str> {
    let items = item(document, schema);
    let inside = if items.is_null() { Vec::new() } else { all_names(document, items) };
    properties(document, schema)
        .into_iter()
        .flat_map(|(name, inner)| [vec![name], all_names(document, inner)].concat())
        .chain(inside)
        .collect()
}

/// Fields of a request that change nothing.
pub(super) fn unsupported(op: &Op) -> Vec<&'static str> {
    let Some(schema) = op.body else { return Vec::new() };
    let document = op.document.value();
    let without_effect =
        |schema: &'static Value| keyword(document, schema, "x-unsupported") == Some(&Value::Bool(true));
    properties(document, schema)
        .into_iter()
        .filter(|(_, schema)| without_effect(schema))
        .map(|(name, _)| name)
        .collect()
}
