//! What a browser sees: the console, and an API reference that sends requests to the emulator.
//!
//! They load nothing from other servers, and their content security policy forbids it.

use std::sync::atomic::Ordering;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::response::{Response, respond};
use super::state::State;
use super::store::Transaction;
use crate::api::mrs::states;
use crate::api::wire::Integer;
use crate::api::wire::JobStatus;
use crate::shape::state;
use crate::spec;

/// The number of recorded requests that are shown, the latest first.
const LATEST: usize = 50;
/// What a page may do: load and ask from here, and nothing else.
macro_rules! policy {
    ($style:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'",
            $style,
            "; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    };
}
const POLICY: &str = policy!("");
/// The reference is drawn by a component that brings its styles within its elements.
const REFERENCE_POLICY: &str = policy!(" 'unsafe-inline'");

/// A file of the pages: its path, type and content, and whether that is compressed.
const FILES: [(&str, &str, &[u8], bool); 11] = [
    ("/", HTML, include_bytes!("../../assets/console/index.html"), false),
    ("/docs", HTML, include_bytes!("../../assets/console/docs.html"), false),
    ("/_emulator/pages/console.js", SCRIPT, include_bytes!("../../assets/console/console.js"), false),
    ("/_emulator/pages/controls.js", SCRIPT, include_bytes!("../../assets/console/controls.js"), false),
    ("/_emulator/pages/description.js", SCRIPT, include_bytes!("../../assets/console/description.js"), false),
    ("/_emulator/pages/objects.js", SCRIPT, include_bytes!("../../assets/console/objects.js"), false),
    ("/_emulator/pages/page.js", SCRIPT, include_bytes!("../../assets/console/page.js"), false),
    ("/_emulator/pages/requests.js", SCRIPT, include_bytes!("../../assets/console/requests.js"), false),
    ("/_emulator/pages/docs.js", SCRIPT, include_bytes!("../../assets/console/docs.js"), false),
    ("/_emulator/pages/style.css", "text/css; charset=utf-8", include_bytes!("../../assets/console/style.css"), false),
    ("/_emulator/pages/rapidoc.js", SCRIPT, include_bytes!("../../assets/rapidoc/rapidoc-min.js.gz"), true),
];
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Returns the response to a request for a page, if the path is one.
pub(super) fn find(state: &State, parts: &Parts) -> Option<Response> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return None;
    }
    let path = parts.uri.path();
    let mut response = match FILES.iter().find(|(known, ..)| *known == path) {
        Some((_, kind, content, compressed)) => file(kind, content, *compressed),
        None => reference(state, path.strip_prefix("/docs/")?.strip_suffix(".json")?)?,
    };
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, if path.starts_with("/docs") { REFERENCE_POLICY } else { POLICY }),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

fn file(kind: &'static str, content: &'static [u8], compressed: bool) -> Response {
    let mut response = Response::new(content.into());
    let mut set = |name: HeaderName, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, kind);
    if compressed {
        set(header::CONTENT_ENCODING, "gzip");
    }
    response
}

/// Returns a description with this emulator's address, and with values that make requests work at once.
fn reference(state: &State, name: &str) -> Option<Response> {
    let documents = state.cloud.map_or_else(spec::documents, spec::documents_of);
    let mut document =
        documents.iter().chain([spec::control()]).find(|document| document.name() == name)?.value().clone();
    let base = if name == spec::control().name() { "/_emulator" } else { "" };
    let project = &state.access.project().id;
    document["servers"] = json!([{"url": format!("{}{base}", state.endpoint)}]);
    document["x-emulator"] = json!({"project_id": project, "token": state.access.token().expose()});
    if let Some(parameter) = document.pointer_mut("/components/parameters/ProjectId") {
        parameter["example"] = json!(project);
    }
    Some(respond(StatusCode::OK, Some(&document), "emulator"))
}

/// What there is at a glance.
pub(super) fn summary(state: &State) -> rusqlite::Result<Value> {
    let objects = state.store.write(objects)?;
    let latest: Vec<Value> = state
        .record
        .lock()
        .list()
        .iter()
        .rev()
        .take(LATEST)
        .map(|exchange| {
            let verdict = match &exchange.reason {
                Some(reason) => json!(reason),
                None => json!(exchange.verdict),
            };
            json!({
                "method": exchange.method,
                "target": exchange.target,
                "status": exchange.status,
                "verdict": verdict,
            })
        })
        .collect();
    let time = Timestamp::from_millisecond(state.clock.now()).unwrap_or_default();
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "requests": state.requests.load(Ordering::Relaxed),
        "objects": objects,
        "latest": latest,
    }))
}

/// Counts the objects of each kind in each project, by state if they have one.
fn objects(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Value>> {
    // The counts of lists exist already; the other tables are small.
    let mut query = transaction.prepare_cached(
        "SELECT project_id, kind, status, sum(amount) FROM tally GROUP BY 1, 2, 3 HAVING sum(amount) > 0
         UNION ALL SELECT project_id, 'job_binary', NULL, count(*) FROM job_binary GROUP BY 1
         UNION ALL SELECT project_id, 'data_source', NULL, count(*) FROM data_source GROUP BY 1
         UNION ALL SELECT project_id, 'job', NULL, count(*) FROM job GROUP BY 1
         UNION ALL SELECT project_id, 'job_execution', NULL, count(*) FROM run WHERE job_id <> '' GROUP BY 1
         ORDER BY 1, 2, 3",
    )?;
    let rows = query.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<i64>>(2)?, row.get::<_, i64>(3)?))
    })?;
    let mut objects: Vec<Value> = Vec::new();
    for row in rows {
        let (project, kind, status, count) = row?;
        let label = kind.replace('_', " ");
        let word = match (kind.as_str(), status) {
            ("training_job" | "visualization_job", Some(status)) => {
                Some(JobStatus::Code(Integer::from(status)).state().name())
            }
            ("job_exe", Some(code)) => Some(state(states::JOB_EXE_STATE, code).map_or("undocumented", |row| row.name)),
            _ => None,
        };
        match objects.last_mut().filter(|last| last["project"] == project && last["kind"] == label) {
            Some(last) => last["count"] = json!(last["count"].as_i64().unwrap_or_default() + count),
            None => objects.push(json!({"project": project, "kind": label, "count": count, "states": []})),
        }
        if let (Some(state), Some(states)) = (word, objects.last_mut().and_then(|last| last["states"].as_array_mut())) {
            states.push(json!({"state": state, "count": count}));
        }
    }
    Ok(objects)
}
