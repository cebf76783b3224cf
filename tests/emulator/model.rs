//! Compares the emulator with a model: several concurrent clients in two projects, and a simple state in memory.
//!
//! A run is a sequence of rounds. In a round each client does one thing, all at the same time; what they see must be what
//! the model says when they take turns in some order. So names stay unique, no update is lost and lists are consistent,
//! whoever comes in between. `PROPTEST_CASES` says how many runs there are.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use huaweicloud_jobs::emulator::{Emulator, Transitions};
use huaweicloud_jobs::spec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Kinds of objects that are created, listed, changed and deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    JobBinary,
    DataSource,
    Job,
    LabelingJob,
    TrainingJob,
    VisualizationJob,
}

const KINDS: [Kind; 6] =
    [Kind::JobBinary, Kind::DataSource, Kind::Job, Kind::LabelingJob, Kind::TrainingJob, Kind::VisualizationJob];

/// The requests and fields of a kind.
struct Wire {
    collection: &'static str,
    /// The operation whose documented example is the body of a creation.
    create: &'static str,
    list: &'static str,
    id: &'static str,
    name: &'static str,
    description: &'static str,
    update: Method,
    /// Whether an update can change the name, and whether it must.
    renames: Option<bool>,
    shows: bool,
}

impl Kind {
    fn wire(self) -> Wire {
        let mrs = |collection, create, list, update| Wire {
            collection,
            create,
            list,
            id: "id",
            name: "name",
            description: "description",
            update,
            renames: Some(false),
            shows: true,
        };
        let job = |collection, create, shows| Wire {
            collection,
            create,
            list: "jobs",
            id: "job_id",
            name: "job_name",
            description: "job_desc",
            update: Method::PUT,
            renames: None,
            shows,
        };
        match self {
            Self::JobBinary => mrs("v1.1/{}/job-binaries", "create_job_binary", "binaries", Method::PUT),
            Self::DataSource => mrs("v1.1/{}/data-sources", "create_data_source", "data_sources", Method::PUT),
            Self::Job => mrs("v1.1/{}/jobs", "create_job", "jobs", Method::PATCH),
            Self::LabelingJob => Wire {
                renames: Some(true),
                shows: false,
                ..mrs("v1/{}/annotation-jobs", "create_annotation_job", "jobs", Method::PUT)
            },
            Self::TrainingJob => job("v1/{}/training-jobs", "create_training_job", false),
            Self::VisualizationJob => job("v1/{}/visualization-jobs", "create_visualization_job", true),
        }
    }

    fn is_mrs(self) -> bool {
        matches!(self, Self::JobBinary | Self::DataSource | Self::Job)
    }

    /// Names of MRS objects may repeat.
    fn has_unique_names(self) -> bool {
        !self.is_mrs()
    }
}

/// A step of a client. Its target is any id that was created for the kind, in any project.
#[derive(Clone, Debug)]
enum Act {
    Create {
        name: usize,
    },
    Update {
        target: usize,
        name: Option<usize>,
        describes: bool,
    },
    Delete {
        target: usize,
    },
    Show {
        target: usize,
    },
    List,
    /// Reads page by page while the others continue.
    Walk {
        limit: usize,
    },
}

#[derive(Clone, Debug)]
struct Step {
    project: usize,
    kind: Kind,
    act: Act,
}

fn step() -> impl Strategy<Value = Step> {
    let target = || 0..64_usize;
    let act = prop_oneof![
        5 => (0..4_usize).prop_map(|name| Act::Create { name }),
        5 => (target(), proptest::option::of(0..4_usize), any::<bool>())
            .prop_map(|(target, name, describes)| Act::Update { target, name, describes }),
        3 => target().prop_map(|target| Act::Delete { target }),
        2 => target().prop_map(|target| Act::Show { target }),
        2 => Just(Act::List),
        1 => (1..4_usize).prop_map(|limit| Act::Walk { limit }),
    ];
    (prop_oneof![4 => Just(0_usize), 1 => Just(1)], proptest::sample::select(KINDS.to_vec()), act)
        .prop_map(|(project, kind, act)| Step { project, kind, act })
}

/// Most rounds are about one kind, so that the clients conflict.
fn rounds() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let round = (
        proptest::collection::vec(step(), 1..5),
        proptest::option::weighted(0.8, proptest::sample::select(KINDS.to_vec())),
    );
    let round = round.prop_map(|(mut steps, kind)| {
        for step in &mut steps {
            step.kind = kind.unwrap_or(step.kind);
        }
        steps
    });
    proptest::collection::vec(round, 1..30)
}

/// Name and description of an object.
type Object = (String, String);

/// The observation of a client.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Created(String),
    Object(Object),
    Done,
    Unknown,
    Taken,
    Objects(BTreeMap<String, Object>),
    /// The pages, or `None` if one began after a deleted object.
    Pages(Option<Vec<Vec<String>>>),
}

/// The objects by project, kind and id.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(BTreeMap<(usize, Kind), BTreeMap<String, Object>>);

/// A step with what it names and writes.
#[derive(Clone, Debug)]
struct Planned {
    step: Step,
    id: String,
    text: String,
}

impl Planned {
    fn name(name: usize) -> String {
        format!("name-{name}")
    }

    /// The name that an update gives: some kinds need one, others have none.
    fn new_name(&self, given: Option<usize>) -> Option<String> {
        match self.step.kind.wire().renames {
            None => None,
            Some(needed) => given.or(needed.then_some(0)).map(Self::name),
        }
    }

    /// Whether an update says something new about the description; where there is nothing else, it has to.
    fn describes(&self, describes: bool) -> bool {
        describes || self.step.kind.wire().renames.is_none()
    }
}

impl Model {
    /// Applies a step, and returns whether the model makes the same observation.
    fn take(&mut self, planned: &Planned, seen: &Seen) -> bool {
        let Step { project, kind, act } = &planned.step;
        let objects = self.0.entry((*project, *kind)).or_default();
        let taken = |objects: &BTreeMap<String, Object>, name: &str, id: &str| {
            kind.has_unique_names() && objects.iter().any(|(other, (taken, _))| taken == name && other != id)
        };
        let id = &planned.id;
        match act {
            Act::Create { name } => {
                let name = Planned::name(*name);
                if taken(objects, &name, "") {
                    return *seen == Seen::Taken;
                }
                let Seen::Created(id) = seen else { return false };
                objects.insert(id.clone(), (name, planned.text.clone())).is_none()
            }
            Act::Update { name, describes, .. } => {
                let name = planned.new_name(*name);
                // If both are true, either is valid.
                let is_taken = name.as_ref().is_some_and(|name| taken(objects, name, id));
                let Some(object) = objects.get_mut(id) else {
                    return *seen == Seen::Unknown || is_taken && *seen == Seen::Taken;
                };
                if is_taken {
                    return *seen == Seen::Taken;
                }
                object.0 = name.unwrap_or_else(|| object.0.clone());
                if planned.describes(*describes) {
                    object.1 = planned.text.clone();
                }
                match seen {
                    Seen::Object(shown) => shown == object,
                    _ => *seen == Seen::Done && !kind.is_mrs(),
                }
            }
            Act::Delete { .. } => match objects.remove(id) {
                Some(_) => *seen == Seen::Done,
                None => *seen == Seen::Unknown,
            },
            Act::Show { .. } => match objects.get(id) {
                Some(object) => *seen == Seen::Object(object.clone()),
                None => *seen == Seen::Unknown,
            },
            Act::List => *seen == Seen::Objects(objects.clone()),
            Act::Walk { .. } => true,
        }
    }

    /// Returns all possible final states of a round: one for each order of its steps that explains all observations.
    fn after(&self, round: &[(Planned, Seen)]) -> Vec<Model> {
        let Some(_) = round.first() else { return vec![self.clone()] };
        let mut ends: Vec<Model> = Vec::new();
        for first in 0..round.len() {
            let (mut next, mut rest) = (self.clone(), round.to_vec());
            let (planned, seen) = rest.remove(first);
            if next.take(&planned, &seen) {
                for end in next.after(&rest) {
                    if !ends.contains(&end) {
                        ends.push(end);
                    }
                }
            }
        }
        ends
    }
}

/// Returns the number of runs, and of further runs to shrink a failing one.
const SHRINKS: u32 = 200;

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

/// One emulator for all runs, each of which has two projects of its own.
struct World {
    emulator: Emulator,
    http: reqwest::Client,
    next: AtomicU32,
}

impl World {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Emulator::builder().empty().transitions(Transitions::AtOnce);
        for number in 0..2 * (cases() + SHRINKS) {
            builder = builder.project(format!("{number:032x}"), format!("project-{number}"));
        }
        let emulator = builder.start().await.unwrap();
        Self { emulator, http: reqwest::Client::builder().no_proxy().build().unwrap(), next: AtomicU32::default() }
    }

    /// Returns two unused projects.
    async fn enter(&self) -> Cloud {
        let first = self.next.fetch_add(2, Ordering::Relaxed);
        let mut projects = Vec::new();
        for id in [first, first + 1].map(|number| format!("{number:032x}")) {
            let user = json!({
                "name": "emulator-user",
                "password": "emulator-password-not-a-secret",
                "domain": {"name": "emulator-domain"},
            });
            let identity = json!({"methods": ["password"], "password": {"user": user}});
            let body = json!({"auth": {"identity": identity, "scope": {"project": {"id": id}}}});
            let request = self.http.post(format!("{}/v3/auth/tokens", self.emulator.endpoint()));
            let request = request.header("content-type", "application/json").body(body.to_string());
            let response = request.send().await.unwrap();
            projects.push((id, response.headers()["x-subject-token"].to_str().unwrap().to_owned()));
        }
        Cloud { endpoint: self.emulator.endpoint(), http: self.http.clone(), projects }
    }
}

/// The emulator for the clients of a run.
struct Cloud {
    endpoint: String,
    http: reqwest::Client,
    /// Id and token of each.
    projects: Vec<(String, String)>,
}

impl Cloud {
    async fn call(&self, method: Method, project: usize, path: &str, body: Option<Value>) -> (u16, Value) {
        let (id, token) = &self.projects[project];
        let url = format!("{}/{}", self.endpoint, path.replacen("{}", id, 1));
        let mut request = self.http.request(method, url).header("x-auth-token", token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, bytes) = (response.status().as_u16(), response.bytes().await.unwrap());
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }

    /// Applies a step.
    async fn take(&self, planned: &Planned) -> Seen {
        let Step { project, kind, act } = &planned.step;
        let wire = kind.wire();
        let one = format!("{}/{}", wire.collection, planned.id);
        let (status, body) = match act {
            Act::Create { name } => {
                let (document, operation) = spec::operation(wire.create).unwrap();
                let examples = document.examples(operation);
                // A job that needs no job binaries.
                let example = examples.iter().filter_map(|example| example.request);
                let mut body =
                    example.clone().find(|body| body["type"] == "DistCp").or(example.clone().next()).unwrap().clone();
                // Lists show the default workspace.
                body.as_object_mut().unwrap().remove("workspace_id");
                body[wire.name] = json!(Planned::name(*name));
                body[wire.description] = json!(planned.text);
                self.call(Method::POST, *project, wire.collection, Some(body)).await
            }
            Act::Update { name, describes, .. } => {
                let mut body = json!({});
                if let Some(name) = planned.new_name(*name) {
                    body[wire.name] = json!(name);
                }
                if planned.describes(*describes) {
                    body[wire.description] = json!(planned.text);
                }
                self.call(wire.update.clone(), *project, &one, Some(body)).await
            }
            Act::Delete { .. } => self.call(Method::DELETE, *project, &one, None).await,
            Act::Show { .. } => self.call(Method::GET, *project, &one, None).await,
            Act::List => return Seen::Objects(self.list(*project, *kind).await),
            Act::Walk { limit } => return Seen::Pages(self.walk(*project, *kind, *limit).await),
        };
        match (status, act) {
            (404, Act::Update { .. } | Act::Delete { .. } | Act::Show { .. }) => Seen::Unknown,
            (400, Act::Update { .. } | Act::Delete { .. } | Act::Show { .. })
                if body["error_code"] == "ModelArts.0102" =>
            {
                Seen::Unknown
            }
            (409, Act::Create { .. } | Act::Update { .. }) if body["error_code"] == "ModelArts.0103" => Seen::Taken,
            (200 | 202, Act::Create { .. }) => Seen::Created(id(kind.unwrap(&body), &wire)),
            (200, Act::Show { .. }) => Seen::Object(object(kind.unwrap(&body), &wire)),
            (202, Act::Update { .. }) => Seen::Object(object(kind.unwrap(&body), &wire)),
            (200, Act::Update { .. } | Act::Delete { .. }) | (204, Act::Delete { .. }) => Seen::Done,
            _ => panic!("{planned:?}: {status} {body}"),
        }
    }

    /// Returns the whole list of one response.
    async fn list(&self, project: usize, kind: Kind) -> BTreeMap<String, Object> {
        let wire = kind.wire();
        let query = match kind {
            Kind::LabelingJob => "?limit=100",
            Kind::TrainingJob | Kind::VisualizationJob => "?per_page=1000",
            _ => "",
        };
        let (status, body) = self.call(Method::GET, project, &format!("{}{query}", wire.collection), None).await;
        assert_eq!(status, 200, "{body}");
        let listed = body[wire.list].as_array().unwrap();
        let objects: BTreeMap<_, _> = listed.iter().map(|one| (id(one, &wire), object(one, &wire))).collect();
        assert_eq!(objects.len(), listed.len(), "none is listed twice: {body}");
        if !kind.is_mrs() {
            assert_eq!(body["job_total_count"], json!(listed.len()));
        }
        objects
    }

    /// Returns the ids on each page.
    async fn walk(&self, project: usize, kind: Kind, limit: usize) -> Option<Vec<Vec<String>>> {
        let wire = kind.wire();
        let (mut pages, mut marker) = (Vec::new(), String::new());
        loop {
            let query = match kind {
                Kind::LabelingJob => format!("limit={limit}&offset={}", pages.len()),
                Kind::TrainingJob | Kind::VisualizationJob => format!("per_page={limit}&page={}", pages.len() + 1),
                _ => format!("limit={limit}{marker}"),
            };
            let (status, body) = self.call(Method::GET, project, &format!("{}?{query}", wire.collection), None).await;
            if status == 404 && !marker.is_empty() {
                return None;
            }
            assert_eq!(status, 200, "{body}");
            let page: Vec<String> = body[wire.list].as_array().unwrap().iter().map(|one| id(one, &wire)).collect();
            assert!(page.len() <= limit, "{body}");
            let more = !page.is_empty();
            pages.push(page);
            match (kind.is_mrs(), body["markers"]["next"].as_str()) {
                (true, Some(next)) => marker = format!("&marker={next}"),
                (true, None) => return Some(pages),
                (false, _) if more => {}
                (false, _) => return Some(pages),
            }
        }
    }
}

impl Kind {
    /// Returns the object of a response, which MRS wraps.
    fn unwrap(self, body: &Value) -> &Value {
        if self.is_mrs() { body.as_object().unwrap().values().next().unwrap() } else { body }
    }
}

fn id(object: &Value, wire: &Wire) -> String {
    let id = object.get(wire.id).or_else(|| object.get("job_id")).unwrap();
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn object(object: &Value, wire: &Wire) -> Object {
    let text = |field: &str| object[field].as_str().unwrap_or_else(|| panic!("{object}")).to_owned();
    (text(wire.name), text(wire.description))
}

/// Checks the properties of a reader of pages that hold for any concurrent changes.
fn judge_walk(planned: &Planned, pages: Option<&Vec<Vec<String>>>, before: &[Model], round: &[(Planned, Seen)]) {
    let place = (planned.step.project, planned.step.kind);
    let others = || round.iter().filter(|(other, _)| (other.step.project, other.step.kind) == place);
    let deleted: BTreeSet<&str> = others()
        .filter(|(other, _)| matches!(other.step.act, Act::Delete { .. }))
        .map(|(other, _)| other.id.as_str())
        .collect();
    let Some(pages) = pages else {
        assert!(!deleted.is_empty(), "{planned:?}: a marker was unknown though nothing was deleted: {round:?}");
        return;
    };
    let seen: Vec<&str> = pages.iter().flatten().map(String::as_str).collect();
    let once: BTreeSet<&str> = seen.iter().copied().collect();
    let created = |id: &str| others().any(|(_, seen)| *seen == Seen::Created(id.to_owned()));
    let there = |model: &Model, id: &str| model.0.get(&place).is_some_and(|objects| objects.contains_key(id));
    let quiet = others().all(|(other, _)| matches!(other.step.act, Act::Show { .. } | Act::List | Act::Walk { .. }));
    // Numbered pages shift when objects are created or deleted; pages by marker do not.
    if place.1.is_mrs() || quiet {
        assert_eq!(once.len(), seen.len(), "{planned:?}: seen twice: {pages:?}");
        let stays = |id: &&String| !deleted.contains(id.as_str());
        let missed = before.iter().all(|model| {
            let objects = model.0.get(&place).into_iter().flatten();
            objects.map(|(id, _)| id).filter(stays).any(|id| !once.contains(id.as_str()))
        });
        assert!(!missed, "{planned:?}: not all was seen: {pages:?} of {before:?}");
    }
    for id in once {
        assert!(created(id) || before.iter().any(|model| there(model, id)), "{planned:?}: {id} comes from nowhere");
    }
}

async fn run(cloud: Cloud, rounds: Vec<Vec<Step>>) {
    let cloud = Arc::new(cloud);
    let mut states = vec![Model::default()];
    let mut known: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    for (number, round) in rounds.into_iter().enumerate() {
        let mut clients = JoinSet::new();
        for (client, step) in round.into_iter().enumerate() {
            let ids = known.get(&step.kind).map(Vec::as_slice).unwrap_or_default();
            let target = match step.act {
                Act::Update { target, .. } | Act::Delete { target } | Act::Show { target } => target,
                _ => 0,
            };
            let id = ids.get(target % ids.len().max(1)).cloned().unwrap_or_else(|| "999999".to_owned());
            let planned = Planned { step, id, text: format!("by {client} in {number}") };
            // Kinds without a show operation are listed instead.
            let planned = match planned.step {
                Step { act: Act::Show { .. }, kind, .. } if !kind.wire().shows => {
                    Planned { step: Step { act: Act::List, ..planned.step }, ..planned }
                }
                _ => planned,
            };
            let cloud = Arc::clone(&cloud);
            clients.spawn(async move {
                let seen = cloud.take(&planned).await;
                (planned, seen)
            });
        }
        let round = clients.join_all().await;
        for (planned, seen) in &round {
            match seen {
                Seen::Created(id) => {
                    let ids = known.entry(planned.step.kind).or_default();
                    assert!(!ids.contains(id), "{id} is given twice");
                    ids.push(id.clone());
                }
                Seen::Pages(pages) => judge_walk(planned, pages.as_ref(), &states, &round),
                _ => {}
            }
        }
        let mut ends: Vec<Model> = Vec::new();
        for end in states.iter().flat_map(|state| state.after(&round)) {
            if !ends.contains(&end) {
                ends.push(end);
            }
        }
        assert!(!ends.is_empty(), "no order of this round explains what was seen: {round:#?}\nbefore: {states:#?}");
        states = ends;
    }
    // Without concurrent changes, lists and pages are equal.
    for project in 0..cloud.projects.len() {
        for kind in KINDS {
            let listed = cloud.list(project, kind).await;
            states.retain(|state| state.0.get(&(project, kind)).cloned().unwrap_or_default() == listed);
            assert!(!states.is_empty(), "{kind:?}: the list is of no possible state: {listed:?}");
            for limit in 1..=3 {
                let pages = cloud.walk(project, kind, limit).await.unwrap();
                let seen: Vec<&String> = pages.iter().flatten().collect();
                assert_eq!(seen.len(), listed.len(), "{kind:?} by {limit}: {pages:?}");
                assert!(listed.keys().all(|id| seen.contains(&id)), "{kind:?} by {limit}: {pages:?}");
            }
        }
    }
}

#[test]
fn what_clients_see_is_what_some_order_of_their_steps_explains() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(World::start());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: cases(),
        max_shrink_iters: SHRINKS,
        // Concurrent runs are not reproducible.
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&rounds(), |rounds| {
        runtime.block_on(async { run(world.enter().await, rounds).await });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
