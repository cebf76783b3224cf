//! The contract tests must be able to fail: a proxy breaks one thing at a time, and they have to notice it.

#![cfg(all(feature = "contract", feature = "emulator"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use huaweicloud_jobs::Session;
use huaweicloud_jobs::contract::{Clause, Kind, Plan, Runner, Verdict};
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::spec::load::{self, Operation};
use huaweicloud_jobs::spec::{self, Document};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Mutants that are not noticed, each with the reason.
const ACCEPTED: &[(&str, &str)] = &[
    ("show_visualization_job Drop(\"/service_url\")", "not required, and a job that does not run has none"),
    ("show_job_exe Drop(\"/job_execution/create_at\")", "not required, and fields come and go with the state of a run"),
    (
        "show_job_execution Drop(\"/job_execution/created_at\")",
        "not required, and fields come and go with the state of a run",
    ),
];

/// How long a run waits for a state, by the emulator's clock: a job that is stopped ends sooner, one that runs does not.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is broken, for one operation.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    // Responses that are a success.
    Drop(String),
    Rename(String),
    Retype(String),
    Unwrap,
    Wrap,
    Status(u16),
    ContentType,
    NoRequestId,
    NotJson,
    NoBody,
    Unsuccessful,
    // Responses that are a rejection.
    RejectionStatus(u16),
    RejectionCode(&'static str),
    RejectionShape,
    RejectionIsSuccess,
    RejectionIsNotJson,
    // What holds between requests.
    Stale,
    Swallow,
    SameId,
    Clear,
    LosePage,
    LoseItem,
    RepeatItem,
    Unlisted,
    IgnoreQuery(&'static str),
    Reverse,
    ForgetField(String),
    // Credentials that are accepted.
    AnyToken,
    AnySignature,
    AnyProject,
    // Limits that are tighter than documented.
    Tighter(usize),
}

#[derive(Clone, Debug)]
struct Mutant {
    operation: &'static str,
    change: Change,
    /// The clauses that are tried.
    clauses: Vec<String>,
}

impl Mutant {
    fn name(&self) -> String {
        format!("{} {:?}", self.operation, self.change)
    }
}

struct Proxy {
    upstream: String,
    project: String,
    token: String,
    operation: Operation<'static>,
    document: &'static Document,
    change: Change,
    http: reqwest::Client,
    /// The first response, to be returned again.
    first: Mutex<Option<Value>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    fn set(&mut self, value: &Value) {
        self.bytes = value.to_string().into_bytes();
    }

    fn edit(&mut self, edit: impl FnOnce(&mut Value)) {
        let mut value = self.json();
        edit(&mut value);
        self.set(&value);
    }
}

/// Returns whether a path fits a template.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(known, given)| known.starts_with('{') || known == given)
}

fn successful(status: StatusCode, body: &Value) -> bool {
    status.is_success() && body["is_success"] != false
}

async fn serve(State(proxy): State<Arc<Proxy>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let mut path = parts.uri.path().to_owned();
    let mut query: Vec<(String, String)> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let (mut headers, mut method) = (parts.headers.clone(), parts.method.clone());
    let mine = fits(proxy.operation.path, &path) && method.as_str().eq_ignore_ascii_case(proxy.operation.method)
        // The path of a submission looks like the path of a job.
        && !(path.ends_with("/submit-job") && proxy.operation.id() != "submit_job");
    let swap = |headers: &mut HeaderMap| {
        headers.remove(header::AUTHORIZATION);
        headers.insert("x-auth-token", HeaderValue::from_str(&proxy.token).unwrap());
    };
    let mut pretend = None;
    if mine {
        match &proxy.change {
            Change::AnyToken if headers.get("authorization").is_none() => swap(&mut headers),
            Change::AnySignature if headers.get("authorization").is_some() => swap(&mut headers),
            Change::AnyProject => {
                let segments: Vec<_> = path.split('/').collect();
                path = path.replace(segments[2], &proxy.project);
            }
            Change::Stale if successful_example(&proxy).is_some() => pretend = successful_example(&proxy),
            // The object is read instead of changed.
            Change::Stale => {
                method = Method::GET;
                body.clear();
            }
            Change::Swallow => pretend = Some(successful_example(&proxy).unwrap_or_default()),
            Change::Clear => {
                let mut value: Value = serde_json::from_slice(&body).unwrap_or_default();
                if let Some(fields) = value.as_object_mut() {
                    fields.entry("description").or_insert(json!(""));
                    body = value.to_string().into_bytes();
                }
            }
            Change::LosePage => {
                for (name, value) in &mut query {
                    if matches!(name.as_str(), "page" | "current_page" | "offset") {
                        *value = if name == "offset" { "0" } else { "1" }.to_owned();
                    }
                }
                query.retain(|(name, _)| name != "marker");
            }
            Change::IgnoreQuery(ignored) => query.retain(|(name, _)| name != ignored),
            Change::Reverse => {
                for (name, value) in &mut query {
                    if name == "order" {
                        *value = if value == "asc" { "desc" } else { "asc" }.to_owned();
                    }
                }
            }
            Change::ForgetField(name) => {
                let mut value: Value = serde_json::from_slice(&body).unwrap_or_default();
                if let Some(field) = value.get_mut(name).filter(|field| field.is_string()) {
                    *field = "something else".into();
                    body = value.to_string().into_bytes();
                }
            }
            Change::Tighter(length) => {
                let text = String::from_utf8_lossy(&body).into_owned();
                let longest = text.split('"').map(|part| part.chars().count()).max().unwrap_or_default();
                let query = query.iter().map(|(_, value)| value.chars().count()).max().unwrap_or_default();
                if longest.max(query) >= *length {
                    let code = if proxy.document.name() == "mrs" { "12000002" } else { "ModelArts.0104" };
                    let body =
                        json!({"is_success": false, "error_code": code, "error_msg": "no", "error_message": "no"});
                    let bytes = body.to_string().into_bytes();
                    pretend = Some((StatusCode::BAD_REQUEST, bytes));
                }
            }
            _ => {}
        }
    }
    let mut answer = match pretend {
        Some((status, bytes)) => {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert("x-request-id", HeaderValue::from_static("0"));
            Answer { status, headers, bytes }
        }
        None => {
            let mut url = reqwest::Url::parse(&format!("{}{path}", proxy.upstream)).unwrap();
            if !query.is_empty() {
                url.query_pairs_mut().extend_pairs(&query);
            }
            headers.remove(header::HOST);
            headers.remove(header::CONTENT_LENGTH);
            let sent = proxy.http.request(method, url).headers(headers).body(body).send().await.unwrap();
            let (status, headers) = (sent.status(), sent.headers().clone());
            Answer { status, headers, bytes: sent.bytes().await.unwrap().to_vec() }
        }
    };
    if mine {
        change(&proxy, &mut answer);
    }
    let mut response = Response::new(Body::from(answer.bytes));
    *response.status_mut() = answer.status;
    for name in
        [header::CONTENT_TYPE, HeaderName::from_static("x-request-id"), HeaderName::from_static("x-subject-token")]
    {
        if let Some(value) = answer.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// Returns the documented success of an operation whose response does not show the object.
fn successful_example(proxy: &Proxy) -> Option<(StatusCode, Vec<u8>)> {
    let status = proxy.document.success_status(proxy.operation)?;
    let example = proxy.document.examples(proxy.operation).into_iter().find_map(|example| example.response);
    let body = match example {
        Some((_, body))
            if body.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key("is_success")) =>
        {
            body.to_string()
        }
        None if status == 204 => String::new(),
        None if proxy.document.name() == "modelarts" => json!({"job_id": "some"}).to_string(),
        _ => return None,
    };
    Some((StatusCode::from_u16(status).ok()?, body.into_bytes()))
}

/// Returns the items of a list in a response.
fn list(value: &mut Value) -> Option<&mut Vec<Value>> {
    value.as_object_mut()?.values_mut().find_map(Value::as_array_mut)
}

fn change(proxy: &Proxy, answer: &mut Answer) {
    let body = answer.json();
    let parent =
        |pointer: &str| pointer.rsplit_once('/').map(|(parent, name)| (parent.to_owned(), name.to_owned())).unwrap();
    if !successful(answer.status, &body) {
        match &proxy.change {
            Change::RejectionStatus(status) => answer.status = StatusCode::from_u16(*status).unwrap(),
            Change::RejectionCode(code) => answer.edit(|body| body["error_code"] = (*code).into()),
            Change::RejectionShape => answer.edit(|body| {
                let text = body.as_object_mut().and_then(|fields| {
                    fields
                        .remove("error_message")
                        .or_else(|| fields.remove("error_msg"))
                        .or_else(|| fields.remove("error"))
                });
                body["reason"] = text.unwrap_or_default();
            }),
            Change::RejectionIsSuccess => {
                let status = proxy.document.success_status(proxy.operation).unwrap();
                answer.status = StatusCode::from_u16(status).unwrap();
                answer.set(&json!({"is_success": true}));
            }
            Change::RejectionIsNotJson => answer.bytes = b"<html>no</html>".to_vec(),
            _ => {}
        }
        return;
    }
    match &proxy.change {
        Change::Drop(pointer) | Change::Rename(pointer) => {
            let (parent, name) = parent(pointer);
            answer.edit(|body| {
                if let Some(fields) = body.pointer_mut(&parent).and_then(Value::as_object_mut)
                    && let Some(value) = fields.remove(&name)
                    && matches!(proxy.change, Change::Rename(_))
                {
                    fields.insert(format!("{name}_"), value);
                }
            });
        }
        Change::Retype(pointer) => answer.edit(|body| {
            if let Some(value) = body.pointer_mut(pointer) {
                *value = json!({"value": value});
            }
        }),
        Change::Unwrap => answer.edit(|body| {
            let inner = body.as_object().and_then(|fields| fields.values().next()).cloned();
            *body = inner.unwrap_or_default();
        }),
        Change::Wrap => answer.edit(|body| *body = json!({"result": body})),
        Change::Status(status) => answer.status = StatusCode::from_u16(*status).unwrap(),
        Change::ContentType => {
            answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
        Change::NoRequestId => {
            answer.headers.remove("x-request-id");
        }
        Change::NotJson => answer.bytes = b"{\"is_success\": tr".to_vec(),
        Change::NoBody => answer.bytes.clear(),
        Change::Unsuccessful => answer.edit(|body| body["is_success"] = false.into()),
        Change::Stale => {
            let status = proxy.document.success_status(proxy.operation).unwrap();
            answer.status = StatusCode::from_u16(status).unwrap();
        }
        Change::SameId => {
            let mut first = proxy.first.lock().unwrap();
            let first = first.get_or_insert(body);
            let first = first.clone();
            answer.set(&first);
        }
        Change::LoseItem => answer.edit(|body| drop(list(body).and_then(Vec::pop))),
        Change::RepeatItem => answer.edit(|body| {
            if let Some(items) = list(body)
                && let Some(first) = items.first().cloned()
            {
                items.push(first);
            }
        }),
        Change::Unlisted => answer.edit(|body| {
            if let Some(items) = list(body) {
                items.clear();
            }
        }),
        _ => {}
    }
}

/// Collects the described fields of a response: pointer, and whether it is required; required ones first.
fn fields(document: &'static Document, operation: Operation<'static>) -> Vec<(String, bool)> {
    fn walk(
        document: &'static Value,
        schema: &'static Value,
        pointer: &str,
        found: &mut Vec<(String, bool)>,
        (depth, certain): (usize, bool),
    ) {
        let schema = load::resolve(document, schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            walk(document, part, pointer, found, (depth, certain));
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let here = format!("{pointer}/{name}");
            let certain = certain && required.contains(&name.as_str());
            found.push((here.clone(), certain));
            if depth < 2 {
                walk(document, property, &here, found, (depth + 1, certain));
                let property = load::resolve(document, property);
                if let Some(items) = property.get("items") {
                    walk(document, items, &format!("{here}/0"), found, (depth + 1, certain));
                }
            }
        }
    }
    let mut found = Vec::new();
    let status = document.success_status(operation).unwrap_or(200);
    let schema =
        document.response(operation, status).and_then(|answer| answer.pointer("/content/application~1json/schema"));
    if let Some(schema) = schema {
        walk(document.value(), schema, "", &mut found, (0, true));
    }
    found.retain(|(pointer, _)| !pointer.contains("/error_"));
    found.sort_by_key(|(pointer, required)| (!required, pointer.matches('/').count()));
    found
}

/// Returns all mutants: kinds of changes over all operations.
fn mutants(plan: &Plan) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for document in spec::documents() {
        for operation in document.operations() {
            Breeder { document, operation, plan, mutants: &mut mutants }.breed();
        }
    }
    mutants
}

struct Breeder<'a> {
    document: &'static Document,
    operation: Operation<'static>,
    plan: &'a Plan,
    mutants: &'a mut Vec<Mutant>,
}

impl Breeder<'_> {
    fn add(&mut self, change: Change, wanted: impl Fn(&Clause) -> bool) {
        let clauses: Vec<String> =
            self.plan.clauses().iter().filter(|clause| wanted(clause)).map(|clause| clause.id().to_owned()).collect();
        if !clauses.is_empty() {
            self.mutants.push(Mutant { operation: self.operation.id(), change, clauses });
        }
    }

    fn breed(&mut self) {
        let (document, operation) = (self.document, self.operation);
        let id = operation.id();
        let own = move |clause: &Clause, kinds: &[Kind]| clause.operation() == id && kinds.contains(&clause.kind());
        let success = move |clause: &Clause| own(clause, &[Kind::Example, Kind::Property]);
        let status = document.success_status(operation).unwrap();
        let fields = fields(document, operation);
        let examples = document.examples(operation);
        let documented = |pointer: &str| {
            let mut answers = examples
                .iter()
                .filter(|example| example.parameters.is_some())
                .filter_map(|example| example.response)
                .peekable();
            answers.peek().is_some() && answers.all(|(_, body)| body.pointer(pointer).is_some())
        };
        let certain: Vec<&String> =
            fields.iter().filter(|(_, required)| *required).map(|(pointer, _)| pointer).collect();
        for pointer in certain.iter().take(2) {
            self.add(Change::Drop((*pointer).clone()), success);
        }
        // A field that the schema does not require and every example has.
        let shown =
            fields.iter().find(|(pointer, required)| !required && documented(pointer) && !pointer.contains("/0"));
        if let Some((pointer, _)) = shown.filter(|_| !id.starts_with("show_training_job")) {
            self.add(Change::Drop(pointer.clone()), success);
        }
        if let Some(pointer) = certain.last() {
            self.add(Change::Rename((*pointer).clone()), success);
        }
        if let Some(pointer) = certain.first() {
            self.add(Change::Retype((*pointer).clone()), success);
            self.add(Change::ContentType, success);
            self.add(Change::NotJson, success);
            self.add(if id.len() % 2 == 0 { Change::NoBody } else { Change::Wrap }, success);
        }
        if document.name() == "mrs"
            && certain.first().is_some_and(|pointer| {
                fields.iter().filter(|(other, _)| other.matches('/').count() == 1).count() == 1
                    && pointer.matches('/').count() == 1
            })
        {
            self.add(Change::Unwrap, success);
        }
        self.add(Change::Status(if status == 200 { 201 } else { 200 }), success);
        self.add(Change::NoRequestId, success);
        if document.name() == "modelarts" && !operation.path.contains("annotation") {
            self.add(Change::Unsuccessful, success);
        }

        let rejection = move |clause: &Clause| own(clause, &[Kind::Failure]);
        let codes: [&'static str; 3] = if document.name() == "mrs" {
            ["0023", "ModelArts.0104", "9999"]
        } else {
            ["ModelArts.0103", "12000002", "ModelArts.9999"]
        };
        if self.plan.clauses().iter().any(rejection) {
            self.add(Change::RejectionStatus(502), rejection);
            self.add(Change::RejectionShape, rejection);
            self.add(Change::RejectionIsSuccess, rejection);
            if document.name() != "iam" {
                self.add(Change::RejectionCode(codes[id.len() % 3]), rejection);
            }
            self.add(Change::RejectionIsNotJson, rejection);
        }
        self.properties();
        let access =
            |name: &'static str| move |clause: &Clause| own(clause, &[Kind::Access]) && clause.id().ends_with(name);
        self.add(Change::AnyToken, access("-token"));
        self.add(Change::AnySignature, access(if id.len() % 2 == 0 { "stale-date" } else { "bad-signature" }));
        self.add(Change::AnyProject, access("other-project"));
        self.limits();
    }

    fn properties(&mut self) {
        let (document, operation) = (self.document, self.operation);
        let id = operation.id();
        let line = format!("{} {}", operation.method.to_ascii_uppercase(), operation.path);
        let touching = |clause: &Clause| {
            clause.kind() == Kind::Property && (clause.operation() == id || clause.requests().contains(&line))
        };
        let named = |name: &'static str| move |clause: &Clause| clause.operation() == id && clause.id().contains(name);
        let parameter = |name: &str| document.parameters(operation).any(|parameter| parameter["name"] == name);
        let has = |plan: &Plan, name: &str| {
            plan.clauses().iter().any(|clause| clause.operation() == id && clause.id().contains(name))
        };
        if has(self.plan, ".property.idempotent") {
            self.add(Change::Stale, touching);
            if operation.method == "patch" {
                self.add(Change::Clear, touching);
            }
            let schema = document.request_schema(operation).map(|schema| load::resolve(document.value(), schema));
            for (name, field) in schema.and_then(|schema| schema["properties"].as_object()).into_iter().flatten() {
                if (name.contains("desc") || name == "name") && field.get("x-unsupported").is_none() {
                    self.add(Change::ForgetField(name.clone()), touching);
                }
            }
        }
        if has(self.plan, ".property.forgets") || has(self.plan, ".property.ends") {
            self.add(Change::Swallow, touching);
        }
        if has(self.plan, ".property.distinct") {
            // Where the name is the id, the response has none.
            if fields(document, operation).iter().any(|(pointer, _)| pointer.ends_with("id")) {
                self.add(Change::SameId, touching);
            }
            if has(self.plan, ".property.reads-back") {
                let schema = document.request_schema(operation).map(|schema| load::resolve(document.value(), schema));
                let text = schema.and_then(|schema| schema["properties"].as_object()).into_iter().flatten();
                if let Some((name, _)) = text.into_iter().find(|(name, _)| name.contains("desc")) {
                    self.add(Change::ForgetField(name.clone()), touching);
                }
            }
        }
        if has(self.plan, ".property.pages") {
            let own_objects = has(self.plan, ".property.contains-created");
            if own_objects {
                self.add(Change::LosePage, named(".property.pages"));
                self.add(Change::LoseItem, named(".property.pages"));
                self.add(Change::Unlisted, named(".property.contains-created"));
            }
            self.add(Change::RepeatItem, named(".property.pages"));
            for size in ["per_page", "limit", "page_size"] {
                if parameter(size) && own_objects {
                    self.add(Change::IgnoreQuery(size), named(".property.page"));
                }
            }
        }
        if parameter("order") && has(self.plan, ".property.sort.") {
            self.add(Change::Reverse, named(".property.sort."));
        }
        for sort in ["sortBy", "sort_by"] {
            if parameter(sort) && has(self.plan, ".property.sort.") {
                self.add(Change::IgnoreQuery(sort), named(".property.sort."));
            }
        }
        if parameter("search_content") {
            self.add(Change::IgnoreQuery("search_content"), named(".property.search"));
        }
        for filter in ["status", "id", "job_name", "name", "enabled", "domain_id"] {
            let clause = format!(".property.filter.{filter}");
            if parameter(filter) && has(self.plan, &clause) {
                let wanted = |known: &Clause| known.operation() == id && known.id().ends_with(&clause);
                self.add(Change::IgnoreQuery(filter), wanted);
            }
        }
    }

    /// Every fourth limit is ignored, and lengths are a character tighter.
    fn limits(&mut self) {
        let id = self.operation.id();
        let limits: Vec<&Clause> = self
            .plan
            .clauses()
            .iter()
            .filter(|clause| clause.operation() == id && clause.kind() == Kind::Limit)
            .collect();
        for (index, clause) in limits.into_iter().enumerate() {
            let only = clause.id().to_owned();
            if index % 4 == 0 {
                let only = only.clone();
                self.add(Change::RejectionIsSuccess, move |clause| clause.id() == only);
            }
            let accepted = clause.requests().into_iter().find_map(|line| {
                let length = line.split_once("# accepts ")?.1.split_once("= <")?.1.split_once(' ')?.0;
                length.parse::<usize>().ok()
            });
            if let Some(length) = accepted.filter(|_| clause.id().ends_with("max-length")) {
                self.add(Change::Tighter(length), move |clause| clause.id() == only);
            }
        }
    }
}

/// Checks that the contract tests notice a mutant.
async fn is_noticed(
    emulator: &Arc<Emulator>,
    http: &reqwest::Client,
    plan: &Plan,
    mutant: &Mutant,
    seed: u64,
) -> Result<(), String> {
    let (document, operation) = spec::operation(mutant.operation).unwrap();
    let proxy = Proxy {
        upstream: emulator.endpoint(),
        project: emulator.project_id().to_owned(),
        token: "emulator-token-not-a-secret".to_owned(),
        operation,
        document,
        change: mutant.change.clone(),
        http: http.clone(),
        first: Mutex::default(),
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(serve).with_state(Arc::new(proxy));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let session = Session::builder()
        .endpoint(format!("http://{address}"))
        .project_id(emulator.project_id())
        .token(emulator.token())
        .build()
        .unwrap();
    let plan = plan.clone().only(&mutant.clauses).unwrap();
    let advanced = Arc::clone(emulator);
    // The clock of the emulator stands but for these moves, so nothing depends on the speed of the machine.
    let runner = Runner::new(session).embedded(true).allow_billed(true).workers(1).seed(seed);
    let runner = runner.patience(PATIENCE).advance(move |by| advanced.advance_clock(by));
    let report = runner.run(&plan, |_| {}).await.unwrap();
    server.abort();
    if report.failures().count() > 0 {
        return Ok(());
    }
    let told = |verdict: Verdict| report.outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    let reason = report.outcomes.iter().find_map(|outcome| outcome.reason.clone()).unwrap_or_default();
    Err(format!("{} honours, {} not tried {reason}", told(Verdict::Honours), told(Verdict::NotTried)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_broken_is_noticed() {
    let plan = Arc::new(Plan::of_description());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mutants: Vec<(usize, Mutant)> = mutants(&plan).into_iter().enumerate().collect();
    assert!(mutants.len() >= 200, "{}", mutants.len());
    let total = mutants.len();
    println!("{total} mutants");
    let queue = Arc::new(Mutex::new(mutants.into_iter()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (queue, http, plan) = (Arc::clone(&queue), http.clone(), Arc::clone(&plan));
        tasks.spawn(async move {
            // One for each worker, whose runs come one after the other: nobody else moves its clock.
            let builder = Emulator::builder().quota(1_000_000).check_responses(false).time_scale(0.0);
            let emulator = Arc::new(builder.start().await.unwrap());
            let mut missed = BTreeMap::new();
            loop {
                let next = queue.lock().unwrap().next();
                let Some((seed, mutant)) = next else { return missed };
                if let Err(why) = is_noticed(&emulator, &http, &plan, &mutant, seed as u64 + 1).await {
                    missed.insert(mutant.name(), why);
                }
            }
        });
    }
    let mut missed = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        missed.extend(done.unwrap());
    }
    let share = 100.0 * (total - missed.len()) as f64 / total as f64;
    println!("{} of {total} mutants noticed, {share:.1} %", total - missed.len());
    let unknown: Vec<_> = missed.iter().filter(|(name, _)| !ACCEPTED.iter().any(|(known, _)| known == name)).collect();
    assert!(unknown.is_empty(), "{share:.1} %; not noticed: {unknown:#?}");
    assert!(share >= 97.0, "{share:.1} %");
}
