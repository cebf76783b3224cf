//! Tests of the contract tests as a library and as a command.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use huaweicloud_jobs::contract::{Check, Format, Kind, Matrix, Plan, Report, Runner, Verdict};
use huaweicloud_jobs::emulator::{Emulator, Fault, FaultAction};
use huaweicloud_jobs::session::credentials::Credentials;
use huaweicloud_jobs::spec;
use serde_json::Value;
use tokio::io::AsyncBufReadExt as _;

mod har;
mod hostile;
mod modes;
mod mutants;

fn hwjobs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hwjobs")).args(arguments).output().unwrap()
}

async fn emulator() -> Arc<Emulator> {
    Arc::new(Emulator::start().await.unwrap())
}

fn runner(emulator: &Arc<Emulator>) -> Runner {
    let runner = Runner::new(emulator.session().unwrap()).embedded(true).allow_billed(true).workers(8);
    let emulator = Arc::clone(emulator);
    runner.advance(move |by| emulator.advance_clock(by))
}

async fn run(emulator: &Arc<Emulator>, plan: &Plan, seed: u64) -> Report {
    runner(emulator).seed(seed).run(plan, |_| {}).await.unwrap()
}

#[test]
fn the_plan_comes_from_the_description_and_stays() {
    let (plan, again) = (Plan::of_description(), Plan::of_description());
    let ids: Vec<&str> = plan.clauses().iter().map(|clause| clause.id()).collect();
    assert_eq!(ids, again.clauses().iter().map(|clause| clause.id()).collect::<Vec<_>>());
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "an id stands for two clauses");
    for document in spec::documents() {
        for operation in document.operations() {
            let own: BTreeSet<Kind> = plan
                .clauses()
                .iter()
                .filter(|clause| clause.operation() == operation.id())
                .map(|clause| clause.kind())
                .collect();
            assert!(!own.is_empty(), "{} has no clause", operation.id());
            let requests = document.examples(operation).into_iter().filter(|example| example.parameters.is_some());
            for example in requests {
                let id = format!("{}.{}.example.{}", document.name(), operation.id(), example.key);
                assert!(ids.contains(&id.as_str()), "{id}");
            }
        }
    }
    for id in [
        "modelarts.update_training_job.limit.job_desc.max-length",
        "modelarts.create_training_job.failure.name-taken",
        "mrs.update_job.property.leaves-rest",
        "iam.list_projects.access.stale-date",
    ] {
        assert!(ids.contains(&id), "{id}");
    }
    assert!(plan.clauses().iter().all(|clause| clause.sources().next().is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_honours_everything_whatever_the_seed() {
    let plan = Plan::of_description();
    for seed in [1, 0x5eed] {
        let emulator = emulator().await;
        let report = run(&emulator, &plan, seed).await;
        report.assert_honoured();
        assert_eq!(report.outcomes.len(), plan.clauses().len());
        assert!(
            report.count(Verdict::NotTried) < 5,
            "{:#?}",
            report.outcomes.iter().filter_map(|o| o.reason.as_ref()).collect::<Vec<_>>()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    let emulator = emulator().await;
    let session = emulator.session().unwrap();
    let before = session.mrs().jobs().list().try_collect::<Vec<_>>().await.unwrap().len();
    let plan = Plan::of_description().only(&["mrs.*_job.*", "modelarts.*_training_job.*"]).unwrap();
    let report = run(&emulator, &plan, 7).await;
    report.assert_honoured();
    assert_eq!(session.mrs().jobs().list().try_collect::<Vec<_>>().await.unwrap().len(), before);
    let jobs: Vec<_> = session.modelarts().training_jobs().list().try_collect().await.unwrap();
    assert!(jobs.iter().all(|job| !job.details.job_name.starts_with("hwjobs-ct-")));
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_only_sends_nothing_that_writes() {
    let emulator = Emulator::builder().record(10_000).start().await.unwrap();
    let runner = Runner::new(emulator.session().unwrap()).read_only(true).workers(8);
    let report = runner.run(&Plan::of_description(), |_| {}).await.unwrap();
    report.assert_honoured();
    assert!(report.count(Verdict::Honours) > 100, "{}", report.count(Verdict::Honours));
    let exchanges = emulator.take_exchanges();
    assert!(exchanges.iter().all(|exchange| exchange.method == "GET" && !exchange.target.ends_with("/cancel")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_paid_for_without_leave() {
    let emulator = Emulator::builder().record(10_000).start().await.unwrap();
    let report = Runner::new(emulator.session().unwrap()).run(&Plan::of_description(), |_| {}).await.unwrap();
    assert!(report.count(Verdict::NotTried) > 100);
    for exchange in emulator.take_exchanges().into_iter().filter(|exchange| exchange.method == "POST") {
        let paid = ["/training-jobs", "/versions", "/visualization-jobs", "/restart", "/execute", "/submit-job"];
        let sent = paid.iter().any(|end| exchange.target.ends_with(end));
        assert!(!sent || exchange.status == 401 || exchange.status == 403, "{} {}", exchange.target, exchange.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_cleans_up() {
    let emulator = emulator().await;
    let runner = runner(&emulator).workers(4);
    let (interrupt, seen) = (runner.interrupt(), Arc::new(Mutex::new(0)));
    let plan = Plan::of_description().only(&["mrs.*"]).unwrap();
    let report = runner
        .run(&plan, move |_| {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            if *seen == 60 {
                interrupt.stop();
            }
        })
        .await
        .unwrap();
    assert!(report.interrupted && report.outcomes.len() == plan.clauses().len());
    let reason = report.outcomes.last().and_then(|outcome| outcome.reason.as_deref());
    assert_eq!(reason, Some("the run ended before"));
    assert_eq!(report.leftovers, []);
    let jobs: Vec<_> = emulator.session().unwrap().mrs().jobs().list().try_collect().await.unwrap();
    assert!(jobs.iter().all(|job| !job.details.name.starts_with("hwjobs-ct-")));
}

/// The requests that a server received.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    target: String,
}

/// Starts an application and returns its address.
async fn listen(app: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    endpoint
}

/// Starts a server with given JSON responses and returns its address.
async fn serve(answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + Sync + 'static) -> String {
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let asked = Asked { method: request.method().to_string(), target: request.uri().to_string() };
        let (status, body) = answer(&asked);
        async move {
            let status = http::StatusCode::from_u16(status).unwrap();
            (status, [("content-type", "application/json"), ("x-request-id", "1"), ("retry-after", "0")], body)
        }
    });
    listen(app).await
}

/// Returns a session with an address, with the emulator's token and project.
fn session_at(endpoint: &str) -> huaweicloud_jobs::Session {
    let builder = huaweicloud_jobs::Session::builder().endpoint(endpoint);
    builder.project_id("5a3314075bfa49b9ae360f4ecd333695").token("emulator-token-not-a-secret").build().unwrap()
}

/// Runs `hwjobs contract run` against an endpoint with unknown credentials.
async fn run_at(endpoint: &str, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    command.args(["contract", "run", "--endpoint", endpoint, "--project", "p"]).args(arguments);
    command.env("HWJOBS_TOKEN", "made-up").output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_made_stays_whatever_the_answers() {
    let emulator = Emulator::builder().record(10_000).start().await.unwrap();
    let mrs = emulator.session().unwrap().mrs().clone();
    let names = async || -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            mrs.jobs().list().map_ok(|job| job.details.name.clone()).try_collect().await.unwrap();
        names.extend(
            mrs.data_sources().list().map_ok(|it| it.details.name.clone()).try_collect::<Vec<_>>().await.unwrap(),
        );
        names.extend(
            mrs.job_binaries().list().map_ok(|it| it.details.name.clone()).try_collect::<Vec<_>>().await.unwrap(),
        );
        names
    };
    let before = names().await;
    // The name of the documented example belongs to somebody else, and the response to its creation is incomplete.
    assert!(before.contains("my-mapreduce-job"), "{before:?}");
    emulator.faults().add(Fault::new(FaultAction::Reset).on("create_job")).unwrap();
    emulator.faults().add(Fault::new(FaultAction::Reset).on("create_data_source")).unwrap();
    let plan = Plan::of_description().only(&["mrs.create_job.*", "mrs.create_data_source.*"]).unwrap();
    Runner::new(emulator.session().unwrap()).run(&plan, |_| {}).await.unwrap();
    emulator.faults().clear();
    assert_eq!(names().await, before);
    let created = emulator.take_exchanges().into_iter().filter(|exchange| exchange.method == "POST");
    let named = |exchange: &huaweicloud_jobs::emulator::Exchange| {
        let body: Value = serde_json::from_str(&exchange.request).unwrap_or_default();
        body["name"].as_str().map(str::to_owned)
    };
    let foreign: Vec<_> =
        created.filter_map(|exchange| named(&exchange)).filter(|name| before.contains(name)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_sent_once() {
    let emulator = Emulator::builder().record(10_000).lock_out(true).start().await.unwrap();
    let session = huaweicloud_jobs::Session::builder()
        .endpoint(emulator.endpoint())
        .project_id(emulator.project_id())
        .credentials(Credentials::access_key("EMULATORACCESSKEY01", "not-the-secret-key"))
        .build()
        .unwrap();
    let plan = Plan::of_description().only(&["mrs.*"]).unwrap();
    let error = Runner::new(session).workers(8).run(&plan, |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), huaweicloud_jobs::ErrorKind::Authentication, "{error}");
    assert_eq!(emulator.take_exchanges().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_come_to_be_refused_end_a_run_with_a_report() {
    let emulator = Emulator::builder().record(10_000).start().await.unwrap();
    let session = emulator.session().unwrap();
    let plan = Plan::of_description().only(&["mrs.*"]).unwrap();
    let (seen, faulty) = (Arc::new(Mutex::new(0)), Arc::new(emulator));
    let emulator = Arc::clone(&faulty);
    let runner = Runner::new(session).workers(1);
    let report = runner
        .run(&plan, move |_| {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            if *seen == 50 {
                faulty.faults().add(Fault::status(401)).unwrap();
            }
        })
        .await
        .unwrap();
    assert!(report.aborted.is_some() && !report.is_honoured(), "{:?}", report.aborted);
    assert_eq!(report.outcomes.len(), plan.clauses().len());
    let exchanges = emulator.take_exchanges();
    let refused =
        exchanges.iter().filter(|exchange| exchange.verdict == huaweicloud_jobs::emulator::Verdict::Fault).count();
    // This includes access clauses, which use other credentials.
    assert!((3..20).contains(&refused), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_tried_is_not_green() {
    let broken = serve(|_| (500, "{}".to_owned())).await;
    let output = run_at(&broken, &["--only", "mrs.update_job.property.*"]).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("nothing could be tried"), "{text}");
    let refusing = serve(|_| (401, r#"{"error_code": "APIG.0301"}"#.to_owned())).await;
    assert_eq!(run_at(&refusing, &["--only", "mrs.*"]).await.status.code(), Some(2));
    let unknown = run_at(&broken, &["--only", "mrs.list_jobs.*", "--given", "clusterid=x"]).await;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("`clusterid`"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_says_which_endpoint_is_tried() {
    let emulator = emulator().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    let output = command
        .args(["contract", "run", "--only", "mrs.list_jobs.example.*"])
        .envs(emulator.environment())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.contains("embedded"), "{text}");
    assert!(text.starts_with(&format!("Tests {}; seed ", emulator.endpoint())), "{text}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_nobody_reads_and_ends_in_order_when_told() {
    use std::process::Stdio;
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.json");
    let emulator = emulator().await;
    emulator.faults().add(Fault::status(500).on("show_job")).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    command.args(["contract", "run", "--only", "mrs.*_job.*", "--report", &format!("json={}", report.display())]);
    command.envs(emulator.environment()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().await.unwrap().code(), Some(1));
    let read: Report = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert!(read.failures().count() > 0);
    emulator.faults().clear();

    // The run is stopped during a slow response.
    emulator.faults().add(Fault::delay(std::time::Duration::from_millis(300)).on("create_job")).unwrap();
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next_line().await.unwrap();
    let pid = nix::unistd::Pid::from_raw(child.id().unwrap().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let jobs: Vec<_> = emulator.session().unwrap().mrs().jobs().list().try_collect().await.unwrap();
    assert!(jobs.iter().all(|job| !job.details.name.starts_with("hwjobs-ct-")));
}

#[test]
fn reports_that_cannot_be_written_are_told_before_anything_is_sent() {
    let output = hwjobs(&["contract", "run", "--report", "json=/nowhere/at/all.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("/nowhere/at/all.json"));
    let plan = hwjobs(&["contract", "run", "--plan", "--read-only"]);
    let text = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(text.contains("GET /v1.1") && !text.contains("  POST /") && !text.contains("  DELETE /"));
}

#[tokio::test]
async fn nobody_at_the_address_is_an_error_of_its_own() {
    let closed = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let endpoint = format!("http://{closed}");
    let session =
        huaweicloud_jobs::Session::builder().endpoint(endpoint).project_id("p").token("made-up").build().unwrap();
    let error = Runner::new(session).run(&Plan::of_description(), |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), huaweicloud_jobs::ErrorKind::Network);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_tell_what_is_absent_and_hide_what_is_secret() {
    // A service that has none of the operations.
    let app = axum::Router::new().fallback(|| async { (http::StatusCode::NOT_IMPLEMENTED, "<html>") });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let token = "canary-of-a-token";
    let session =
        huaweicloud_jobs::Session::builder().endpoint(&*endpoint).project_id("p").token(token).build().unwrap();
    let plan = Plan::of_description().only(&["mrs.*", "iam.create_token.*"]).unwrap();
    let report = Runner::new(session).allow_billed(true).run(&plan, |_| {}).await.unwrap();
    assert!(
        report.count(Verdict::Absent) > 50 && report.count(Verdict::Honours) == 0,
        "{:?}",
        report.count(Verdict::Honours)
    );

    let json = Format::Json.report(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    let junit = Format::Junit.report(&report).unwrap();
    let read = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!((read.tests, read.failures), (report.outcomes.len(), report.failures().count()));
    let suite = &read.test_suites[0];
    let properties: Vec<_> = suite.properties.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
    assert!(properties.contains(&("endpoint", &*endpoint)), "{properties:?}");
    assert_eq!(suite.time, Some(suite.test_cases.iter().filter_map(|case| case.time).sum()));
    let sarif: Value = serde_json::from_str(&Format::Sarif.report(&report).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), report.failures().count());
    let html = Format::Html.report(&report).unwrap();
    assert!(html.contains("&lt;html&gt;") && !html.contains("src=\"http") && !html.contains("<link"));
    let markdown = Format::Markdown.report(&report).unwrap();
    for text in [&json, &junit, &html, &markdown, &sarif.to_string()] {
        assert!(!text.contains(token) && !text.contains("IAMPassword"));
        assert!(text.contains("mrs.list_jobs."));
    }
    assert!(json.contains("curl") || json.contains("$HUAWEICLOUD_TOKEN"));

    let emulator = emulator().await;
    let other = run(&emulator, &plan, 1).await;
    let mut matrix = Matrix::default();
    matrix.add("nothing", &report);
    matrix.add("emulator", &other);
    let row = matrix.rows().find(|row| row.id() == "mrs.show_job.example.map-reduce").unwrap();
    assert!(!row.agrees());
    assert!(Format::Html.matrix(&matrix).unwrap().contains("mrs.show_job.example.map-reduce"));
    let data: Value = serde_json::from_str(&Format::Json.matrix(&matrix).unwrap()).unwrap();
    assert_eq!(data["endpoints"], serde_json::json!(["nothing", "emulator"]));
    assert!(Format::Markdown.matrix(&matrix).unwrap().contains("| `mrs.show_job.example.map-reduce` |"));
    assert!(Format::Junit.matrix(&matrix).is_err());
}

#[test]
fn each_check_is_explained() {
    let guide = include_str!("../../docs/contract-tests.md");
    for check in Check::ALL {
        assert!(guide.contains(&format!("\n### {check}\n")), "{check}");
    }
    for kind in Kind::PLANNED.into_iter().chain([Kind::Recorded]) {
        assert!(guide.contains(&format!("\n| `{kind}` |")), "{kind}");
    }
}

#[test]
fn the_command_runs_replays_and_compares() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (json, html) = (file("a.json"), file("a.html"));
    let reports = format!("json={json},html={html}");
    let arguments = ["contract", "run", "--only", "mrs.*_job_binary.*", "--seed", "3", "--report", &reports];
    let output = hwjobs(&arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("Tests the embedded emulator at http://127.0.0.1:"), "{text}");
    assert!(text.contains("everything that was tried is honoured"), "{text}");
    assert!(std::fs::read_to_string(html).unwrap().contains("mrs.show_job_binary.example.program"));

    // Clauses that failed elsewhere are repeated.
    let mut report: Report = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let nothing = hwjobs(&["contract", "run", "--replay", &json]);
    assert_eq!(nothing.status.code(), Some(2));
    report.outcomes[0].verdict = Verdict::Differs;
    let failed = file("failed.json");
    std::fs::write(&failed, serde_json::to_string(&report).unwrap()).unwrap();
    let plan = hwjobs(&["contract", "run", "--plan", "--replay", &failed]);
    let text = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(text.contains(&report.outcomes[0].id) && text.contains("1 clauses"), "{text}");

    let matrix = file("matrix.html");
    let compared =
        hwjobs(&["contract", "matrix", &format!("ours={json}"), &failed, "--report", &format!("html={matrix}")]);
    let text = String::from_utf8_lossy(&compared.stdout).into_owned();
    assert!(text.contains("ours") && text.contains("the endpoints differ in 1 of"), "{text}");
    assert!(std::fs::read_to_string(matrix).unwrap().contains("differing"));

    assert_eq!(hwjobs(&["contract", "run", "--only", "no.such.clause"]).status.code(), Some(2));
    let nowhere =
        ["contract", "run", "--endpoint", "http://127.0.0.1:1", "--project", "p", "--only", "mrs.list_jobs.*"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    let output = command.args(nowhere).env("HWJOBS_TOKEN", "made-up").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
