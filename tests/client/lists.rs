//! Tests every typed and raw list with every page size and any number of objects, also with services that count in
//! another way than documented.

#![cfg(all(feature = "emulator", feature = "raw"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{PROJECT, TOKEN};
use axum::Router;
use axum::extract::{RawQuery, State};
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::modelarts::types::{LabelingDataType, LabelingJobType};
use huaweicloud_jobs::modelarts::{Code, Data, JobState, Resources, Training};
use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
use huaweicloud_jobs::mrs::{JobExeState, JobExeType};
use huaweicloud_jobs::paging::{List, Query};
use huaweicloud_jobs::raw::Request;
use huaweicloud_jobs::spec::{self, PageShape};
use huaweicloud_jobs::{ErrorKind, Session};
use serde_json::{Value, json};

/// The tested numbers of objects.
const COUNTS: [usize; 4] = [0, 1, 25, 250];
/// The tested page sizes; `None` is the default.
const SIZES: [Option<u32>; 4] = [None, Some(1), Some(2), Some(7)];

type Ids = Vec<String>;

fn sorted(mut ids: Ids) -> Ids {
    ids.sort_unstable();
    ids
}

/// Reads a typed list, and from `stop` on by another list that goes on there.
async fn typed<Q: Query>(list: impl Fn() -> List<Q>, stop: Option<usize>) -> Ids {
    let (mut reader, mut ids) = (list(), Vec::new());
    if let Some(stop) = stop {
        while ids.len() < stop
            && let Some(entry) = reader.try_next().await.unwrap()
        {
            ids.push(Q::id(&entry));
        }
        let kept = serde_json::to_string(&reader.cursor()).unwrap();
        let Some(cursor) = serde_json::from_str(&kept).unwrap() else { return ids };
        reader = list().resume(cursor);
    }
    while let Some(entry) = reader.try_next().await.unwrap() {
        ids.push(Q::id(&entry));
    }
    ids
}

/// Reads a raw list, and from the page `stop` on by other pages that go on there.
async fn raw(request: &Request, operation: &str, stop: Option<usize>) -> Ids {
    let id = spec::list(spec::operation(operation).unwrap().1).unwrap().id;
    let text = |item: &Value| match id {
        Some(id) => item[id].as_str().map_or_else(|| item[id].to_string(), str::to_owned),
        None => item.as_str().unwrap().to_owned(),
    };
    let (mut pages, mut ids, mut count) = (request.clone().pages(), Vec::new(), 0);
    while let Some(page) = pages.next().await.unwrap_or_else(|error| panic!("{error}")) {
        ids.extend(page.items().iter().map(text));
        count += 1;
        if stop == Some(count) {
            let kept = serde_json::to_string(&pages.cursor()).unwrap();
            let Some(cursor) = serde_json::from_str(&kept).unwrap() else { return ids };
            pages = request.clone().pages().resume(cursor);
        }
    }
    ids
}

/// The raw request of a list with a size of pages.
fn request(session: &Session, operation: &str, scope: &[(&str, String)], size: Option<u32>) -> Request {
    let shape = spec::list(spec::operation(operation).unwrap().1).unwrap();
    let request = session.request(operation).unwrap();
    let request = scope.iter().fold(request, |request, (name, value)| request.param(*name, value));
    match (shape.pages.parameters(), size) {
        (Some((_, parameter)), Some(size)) => request.param(parameter, size),
        _ => request,
    }
}

/// Walks a list in every way; `expected` are the ids of all objects.
async fn walk<Q: Query>(
    session: &Session,
    operation: &str,
    scope: &[(&str, String)],
    list: impl Fn(Option<u32>) -> List<Q>,
    expected: &[String],
) {
    let expected = sorted(expected.to_vec());
    for size in SIZES {
        let place = format!("{operation}, {} objects, size {size:?}", expected.len());
        assert_eq!(sorted(typed(|| list(size), None).await), expected, "typed {place}");
        let request = request(session, operation, scope, size);
        assert_eq!(sorted(raw(&request, operation, None).await), expected, "raw {place}");
        // Many small pages are slow, and hold nothing else for a reader that goes on.
        if expected.len() > 100 && size.is_some_and(|size| size < 3) {
            continue;
        }
        let stop = expected.len() / 2 + 1;
        assert_eq!(sorted(typed(|| list(size), Some(stop)).await), expected, "typed and resumed: {place}");
        assert_eq!(sorted(raw(&request, operation, Some(2)).await), expected, "raw and resumed: {place}");
    }
}

/// Its time stands still: no object leaves a filtered list between two pages, however slow the machine is.
async fn emulator() -> Emulator {
    Emulator::builder().empty().quota(1000).time_scale(0.0).start().await.unwrap()
}

fn training() -> Training {
    let (code, data) = (Code::own("/bucket/src/", "/bucket/src/boot.py"), Data::obs("/bucket/data/"));
    Training::new(code, data, Resources::spec(1)).train_url("/bucket/out/")
}

/// The lists that the tests below walk.
const WALKED: [&str; 11] = [
    "list_training_jobs",
    "list_training_job_versions",
    "list_training_job_configs",
    "list_built_in_algorithms",
    "list_visualization_jobs",
    "list_annotation_jobs",
    "list_jobs",
    "list_job_executions",
    "list_job_binaries",
    "list_data_sources",
    "list_job_exes",
];

#[test]
fn every_list_in_pages_is_walked() {
    let operations = spec::documents().iter().flat_map(|document| document.operations());
    let paged =
        operations.filter(|operation| spec::list(*operation).is_some_and(|list| list.pages != PageShape::Whole));
    let paged: BTreeSet<&str> = paged.map(|operation| operation.id()).collect();
    // Projects have no typed list.
    assert_eq!(paged, WALKED.into_iter().chain(["list_projects"]).collect());
}

macro_rules! walks {
    ($($test:ident: $operation:literal, $session:ident,
        create $number:ident => $create:expr, list $list:expr, sized $per:ident
        $(, filtered $filtered:expr, $filter:literal = $value:expr, $keeps:expr)?;)+) => {$(
        #[tokio::test]
        async fn $test() {
            let emulator = emulator().await;
            let $session = emulator.session().unwrap();
            let mut ids = Ids::new();
            for count in COUNTS {
                for $number in ids.len()..count {
                    ids.push($create);
                }
                let list = |size: Option<u32>| match size {
                    Some(size) => $list.$per(size),
                    None => $list,
                };
                walk(&$session, $operation, &[], list, &ids).await;
                $(
                    let kept: Ids = ids.iter().enumerate().filter(|(n, _)| $keeps(*n)).map(|(_, id)| id.clone()).collect();
                    let list = |size: Option<u32>| match size {
                        Some(size) => $filtered.$per(size),
                        None => $filtered,
                    };
                    walk(&$session, $operation, &[($filter, $value.to_string())], list, &kept).await;
                )?
            }
        }
    )+};
}

/// Whether the number of an object has a 7, as names are searched for it.
fn has_seven(number: usize) -> bool {
    number.to_string().contains('7')
}

walks! {
    labeling_jobs: "list_annotation_jobs", session,
        create n => {
            let jobs = session.modelarts().labeling_jobs();
            let create = jobs.create(format!("n{n}"), LabelingDataType::Obs, LabelingJobType::ManualImageClassify);
            create.path("bucket/").send().await.unwrap().id().to_string()
        },
        list session.modelarts().labeling_jobs().list(), sized per_page,
        filtered session.modelarts().labeling_jobs().list().search("7"), "search_content" = "7", has_seven;
    training_job_configs: "list_training_job_configs", session,
        create n => {
            session.modelarts().training_job_configs().create(format!("n{n}"), training()).send().await.unwrap();
            format!("n{n}")
        },
        list session.modelarts().training_job_configs().list(), sized per_page,
        filtered session.modelarts().training_job_configs().list().search("7"), "search_content" = "7", has_seven;
    visualization_jobs: "list_visualization_jobs", session,
        create n => {
            let create = session.modelarts().visualization_jobs().create(format!("n{n}"), "/bucket/out/");
            create.send().await.unwrap().id().to_string()
        },
        list session.modelarts().visualization_jobs().list(), sized per_page,
        filtered session.modelarts().visualization_jobs().list().search("7"), "search_content" = "7", has_seven;
    job_binaries: "list_job_binaries", session,
        create n => {
            let created = session.mrs().job_binaries().create(format!("n{n}"), "/a.jar", "").send().await.unwrap();
            created.id().to_string()
        },
        list session.mrs().job_binaries().list(), sized per_page,
        filtered session.mrs().job_binaries().list().sort_by("-name"), "sort_by" = "-name", |_| true;
    data_sources: "list_data_sources", session,
        create n => {
            let sources = session.mrs().data_sources();
            let create = sources.create(format!("n{n}"), "/data/", DataSourceTypeForRequest::Hdfs);
            create.send().await.unwrap().id().to_string()
        },
        list session.mrs().data_sources().list(), sized per_page;
    job_objects: "list_jobs", session,
        create n => {
            let binary = session.mrs().job_binaries().create(format!("b{n}"), "/a.sql", "").send().await.unwrap();
            let create = session.mrs().jobs().create(format!("n{n}"), JobTypeForCreate::Hive);
            create.mains([binary.id().as_str()]).send().await.unwrap().id().to_string()
        },
        list session.mrs().jobs().list(), sized per_page;
    job_exes: "list_job_exes", session,
        create n => {
            let submit = session.mrs().job_exes().submit(format!("n{n}"), JobExeType::MapReduce, "cluster");
            submit.jar_path("/a.jar").send().await.unwrap().id().to_string()
        },
        list session.mrs().job_exes().list("cluster"), sized per_page,
        filtered session.mrs().job_exes().list("cluster").state(JobExeState::Running), "state" = 2, |_| true;
}

#[tokio::test]
async fn job_executions() {
    let emulator = emulator().await;
    let session = emulator.session().unwrap();
    let mrs = session.mrs();
    let binary = mrs.job_binaries().create("script", "/a.sql", "").send().await.unwrap();
    let source = mrs.data_sources().create("data", "/data", DataSourceTypeForRequest::Hdfs).send().await.unwrap();
    let job = mrs.jobs().create("hive", JobTypeForCreate::Hive).mains([binary.id().as_str()]).send().await.unwrap();
    let mut ids = Ids::new();
    for count in COUNTS {
        while ids.len() < count {
            let execute = job.execute("cluster", source.id().as_str(), source.id().as_str());
            ids.push(execute.send().await.unwrap().id().to_string());
        }
        let list = |size: Option<u32>| match size {
            Some(size) => mrs.executions().list().per_page(size),
            None => mrs.executions().list(),
        };
        walk(&session, "list_job_executions", &[], list, &ids).await;
    }
}

#[tokio::test]
async fn training_jobs() {
    for count in COUNTS {
        let emulator = Emulator::builder().empty().training_jobs(count as u32).start().await.unwrap();
        let session = emulator.session().unwrap();
        let ids = typed(|| session.modelarts().training_jobs().list().per_page(1000), None).await;
        assert_eq!(ids.len(), count);
        let list = |size: Option<u32>| match size {
            Some(size) => session.modelarts().training_jobs().list().per_page(size),
            None => session.modelarts().training_jobs().list(),
        };
        walk(&session, "list_training_jobs", &[], list, &ids).await;
        let stopped = typed(|| list(Some(1000)).status(JobState::Stopped), None).await;
        assert_eq!(stopped.len(), count / 8);
        let filter = [("status", "12".to_owned())];
        walk(&session, "list_training_jobs", &filter, |size| list(size).status(JobState::Stopped), &stopped).await;
    }
}

#[tokio::test]
async fn training_job_versions() {
    let emulator = emulator().await;
    let session = emulator.session().unwrap();
    let created = session.modelarts().training_jobs().create("n", training()).send().await.unwrap();
    let job = session.modelarts().training_job(created.id()).unwrap();
    let first = job.show().await.unwrap().versions[0].version_id.get();
    let mut ids = vec![first.to_string()];
    for count in &COUNTS[1..] {
        while ids.len() < *count {
            // Only what has ended can have a successor.
            emulator.advance_clock(std::time::Duration::from_secs(3600)).unwrap();
            let version = job.versions().create(first, training()).send().await.unwrap();
            ids.push(version.id().to_string());
        }
        let list = |size: Option<u32>| match size {
            Some(size) => job.versions().list().per_page(size),
            None => job.versions().list(),
        };
        let scope = [("job_id", created.id().to_string())];
        walk(&session, "list_training_job_versions", &scope, list, &ids).await;
    }
}

#[tokio::test]
async fn built_in_algorithms() {
    let emulator = emulator().await;
    let session = emulator.session().unwrap();
    let ids = typed(|| session.modelarts().built_in_algorithms().per_page(100), None).await;
    assert!(!ids.is_empty());
    let list = |size: Option<u32>| match size {
        Some(size) => session.modelarts().built_in_algorithms().per_page(size),
        None => session.modelarts().built_in_algorithms(),
    };
    walk(&session, "list_built_in_algorithms", &[], list, &ids).await;
}

#[tokio::test]
async fn projects() {
    for count in [1, 25, 250] {
        let mut builder = Emulator::builder().empty();
        for n in 0..count {
            builder = builder.project(format!("p{n}"), format!("n{n}"));
        }
        let emulator = builder.start().await.unwrap();
        let session = emulator.session().unwrap();
        let expected = sorted(raw(&request(&session, "list_projects", &[], Some(5000)), "list_projects", None).await);
        assert!(expected.len() >= count, "{}", expected.len());
        for size in SIZES {
            for stop in [None, Some(2)] {
                let request = request(&session, "list_projects", &[], size);
                assert_eq!(sorted(raw(&request, "list_projects", stop).await), expected, "size {size:?}");
            }
        }
    }
}

/// A service that returns one list.
#[derive(Clone)]
struct Service {
    operation: &'static str,
    item: Value,
    count: usize,
    counts_items: bool,
    total: fn(usize, usize) -> Value,
    requests: Arc<AtomicUsize>,
}

async fn page(State(service): State<Service>, RawQuery(query): RawQuery) -> axum::Json<Value> {
    service.requests.fetch_add(1, Ordering::Relaxed);
    let query = query.unwrap_or_default();
    let given = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.map(|text| text.parse::<usize>().unwrap())
    };
    let shape = spec::list(spec::operation(service.operation).unwrap().1).unwrap();
    let PageShape::Numbered { parameter, first, size, default, .. } = shape.pages else { panic!("no numbers") };
    let (size, first) = (given(size).or(default.map(|size| size as usize)).unwrap_or(10), first as usize);
    let number = given(parameter).unwrap_or(first) - first;
    let from = if service.counts_items { number } else { number * size };
    let items: Vec<Value> = (0..service.count)
        .skip(from)
        .take(size)
        .map(|number| {
            let mut item = service.item.clone();
            let id = shape.id.unwrap();
            item[id] = if item[id].is_number() { json!(number) } else { json!(format!("n{number}")) };
            item
        })
        .collect();
    let mut body = json!({"is_success": true, "job_id": 10, "job_name": "n", "links": {}});
    if let Some(total) = shape.total {
        body[total] = (service.total)(service.count, items.len());
    }
    body[shape.items] = items.into();
    axum::Json(body)
}

async fn serve(service: Service) -> Session {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(page).with_state(service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Session::builder().endpoint(endpoint).project_id(PROJECT).token(TOKEN).build().unwrap()
}

/// An item as documented, or the little that an item needs.
fn item(operation: &str) -> Value {
    let (document, described) = spec::operation(operation).unwrap();
    let items = spec::list(described).unwrap().items;
    let examples = document.examples(described);
    let documented = examples.iter().find_map(|example| example.response?.1[items].get(0).cloned());
    documented.unwrap_or_else(|| json!({"id": "x", "name": "n"}))
}

/// The total count in a service's responses.
type Total = fn(usize, usize) -> Value;

const TOTALS: [(&str, Total); 6] = [
    ("right", |all, _| json!(all)),
    ("null", |_, _| Value::Null),
    ("as text", |all, _| json!(all.to_string())),
    ("of the page", |_, here| json!(here)),
    ("too few", |all, _| json!(all - 3)),
    ("too many", |all, _| json!(all + 30)),
];

/// Each list whose pages have numbers, and the one whose number may count items in both ways, raw and typed.
#[tokio::test]
async fn wrong_counts_lose_and_repeat_nothing() {
    let operations = spec::documents().iter().flat_map(|document| document.operations());
    let shapes = operations.filter_map(|operation| Some((operation.id(), spec::list(operation)?.pages)));
    for (operation, pages) in shapes {
        let PageShape::Numbered { ambiguous, .. } = pages else { continue };
        for counts_items in [false, true].into_iter().take(1 + usize::from(ambiguous)) {
            for (says, total) in TOTALS {
                for size in SIZES {
                    let requests = Arc::new(AtomicUsize::new(0));
                    let item = item(operation);
                    let service = Service { operation, item, count: 25, counts_items, total, requests };
                    let session = serve(service.clone()).await;
                    let place = format!("{operation}, total {says}, size {size:?}, counts items {counts_items}");
                    let scope = [("job_id", "10".to_owned())];
                    let scope = if operation == "list_training_job_versions" { &scope[..] } else { &[] };
                    let ids = sorted(raw(&request(&session, operation, scope, size), operation, None).await);
                    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (25, 25), "raw {place}");
                    if operation == "list_annotation_jobs" {
                        let list = || match size {
                            Some(size) => session.modelarts().labeling_jobs().list().per_page(size),
                            None => session.modelarts().labeling_jobs().list(),
                        };
                        for stop in [None, Some(1), Some(8)] {
                            assert_eq!(sorted(typed(list, stop).await), ids, "typed {place}, stop {stop:?}");
                        }
                    }
                    assert!(service.requests.load(Ordering::Relaxed) < 900, "{place}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_service_that_repeats_pages_has_failed() {
    // The marker of the next page is that of the page itself.
    let body = json!({"markers": {"prev": null, "next": "a"}, "jobs": [{"id": "a", "name": "n"}]}).to_string();
    let server = common::Server::json(200, &body).await;
    let mut pages = server.session().request("list_jobs").unwrap().pages();
    let mut count = 0;
    let error = loop {
        match pages.next().await {
            Ok(Some(page)) => count += page.items().len(),
            Ok(None) => panic!("the list seems to end"),
            Err(error) => break error,
        }
    };
    assert_eq!((count, error.kind(), error.operation()), (1, ErrorKind::Service, Some("list_jobs")), "{error}");
    assert!(pages.next().await.unwrap().is_none());
    let error = server.session().mrs().jobs().list().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service, "{error}");
}
