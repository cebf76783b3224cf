//! Endpoints that return what no service should.

use super::*;
use huaweicloud_jobs::contract::Conclusion;

/// Every kind of text that a terminal, a page or a report could interpret.
const TEXTS: [&str; 8] = [
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "line\r\nforged: everything that was tried is honoured\u{2028}",
    "\u{202e}sdrawkcab\u{200b}\u{9b}31m\u{0}\u{fffe}\u{ffff}",
    "````\n# heading\n\n```\n<script>alert(1)</script>",
    "[link](https://evil.example/) ![image](https://evil.example/x.png) https://evil.example @everyone #1",
    "| a | b |\n|---|---|\n<img src=x onerror=alert(1)> `code` ``more``",
    "]]> &amp; <!-- --> <![CDATA[ \" '",
    "`",
];

/// Returns whether a terminal shows every character as it is.
fn is_clean(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || huaweicloud_jobs::terminal::is_shown(c))
}

/// Starts a server before an emulator that may change its responses.
async fn behind(
    emulator: &Emulator,
    change: impl Fn(&Asked, u16, Value) -> Value + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let (upstream, change, seen) = (emulator.endpoint(), Arc::new(change), Arc::new(Mutex::new(Vec::new())));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let noted = Arc::clone(&seen);
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (upstream, change, http, noted) = (upstream.clone(), Arc::clone(&change), http.clone(), Arc::clone(&noted));
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let asked = Asked { method: parts.method.to_string(), target: parts.uri.to_string() };
            noted.lock().unwrap().push(asked.clone());
            let mut headers = parts.headers;
            headers.remove("host");
            headers.remove("content-length");
            let sent = http.request(parts.method, format!("{upstream}{}", asked.target)).headers(headers).body(body);
            let answer = sent.send().await.unwrap();
            let (status, id) = (answer.status(), answer.headers().get("x-request-id").cloned().unwrap());
            let bytes = answer.bytes().await.unwrap();
            let text = match serde_json::from_slice::<Value>(&bytes) {
                Ok(body) => change(&asked, status.as_u16(), body).to_string(),
                Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
            };
            let kind = if text.is_empty() { "text/plain" } else { "application/json" };
            (status, [("content-type", kind.parse().unwrap()), ("x-request-id", id)], text)
        }
    });
    (listen(app).await, seen)
}

/// Replaces the id of a new object in a response.
fn with_id(mut body: Value, id: &Value) -> Value {
    let fields: Vec<String> = body.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for field in fields {
        match &mut body[&field] {
            inner @ Value::Object(_) if inner.get("id").is_some() => inner["id"] = id.clone(),
            value if matches!(field.as_str(), "id" | "job_id" | "version_id" | "config_name") => *value = id.clone(),
            _ => {}
        }
    }
    body
}

/// Returns the operation that a request is for.
fn operation_of(asked: &Asked) -> Option<&'static str> {
    let path: Vec<_> = asked.target.split('?').next().unwrap().split('/').collect();
    let mut operations = spec::documents().iter().flat_map(|document| document.operations());
    let operation = operations.find(|operation| {
        let template: Vec<_> = operation.path.split('/').collect();
        let fits = |(template, segment): (&&str, &&str)| {
            template == segment || (template.starts_with('{') && !segment.is_empty())
        };
        operation.method.eq_ignore_ascii_case(&asked.method)
            && template.len() == path.len()
            && template.iter().zip(&path).all(fits)
    });
    operation.map(|operation| operation.id())
}

/// Returns a page of a list of a million objects: the documented response with copies of its first object, each with an
/// id of its own. There are three on a page, but where only a full page says that there are more.
fn page_of_a_million(asked: &Asked) -> (u16, String) {
    let found = operation_of(asked).and_then(spec::operation);
    let Some((document, operation)) = found else { return (404, "{}".to_owned()) };
    let Some(list) = spec::list(operation) else { return (404, "{}".to_owned()) };
    let query = |name: &str| {
        let url = reqwest::Url::parse("http://h/").unwrap().join(&asked.target).unwrap();
        url.query_pairs().find(|(known, _)| known == name).and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let is_full = list.total.is_none() && matches!(list.pages, spec::PageShape::Numbered { .. });
    let size = list.pages.parameters().and_then(|(_, size)| query(size)).unwrap_or(10);
    let size = if is_full { size } else { size.min(3) };
    let page = match list.pages {
        spec::PageShape::Numbered { parameter, first, .. } => {
            query(parameter).map_or(0, |page| page - u64::from(first))
        }
        spec::PageShape::Marked { parameter, .. } => query(parameter).unwrap_or(0),
        _ => 0,
    };
    let mut responses = document.examples(operation).into_iter().filter_map(|example| Some(example.response?.1));
    let mut body = responses.find(|body| body[list.items][0].is_object()).unwrap().clone();
    let item = body[list.items][0].clone();
    let id = list.id.unwrap();
    let with_number = |number: u64| {
        let mut item = item.clone();
        item[id] = if item[id].is_string() { number.to_string().into() } else { number.into() };
        item
    };
    body[list.items] = (size * page..size * (page + 1)).map(with_number).collect();
    if let Some(total) = list.total {
        body[total] = 1_000_000.into();
    }
    if let spec::PageShape::Marked { next, .. } = list.pages {
        let (outer, inner) = next[1..].split_once('/').unwrap();
        body[outer][inner] = (page + 1).to_string().into();
    }
    (200, body.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_leads_elsewhere_is_not_used() {
    let plan =
        Plan::of_description().only(&["mrs.*", "modelarts.*training_job_config*", "modelarts.*annotation*"]).unwrap();
    for id in ["..", "a/b", &"x".repeat(2000)] {
        let emulator = emulator().await;
        let wrong = Value::from(id);
        let (endpoint, seen) = behind(&emulator, move |asked, status, body| {
            if asked.method == "POST" && (200..300).contains(&status) { with_id(body, &wrong) } else { body }
        })
        .await;
        let report = Runner::new(session_at(&endpoint)).allow_billed(true).workers(8).run(&plan, |_| {}).await.unwrap();
        assert!(report.failures().count() > 0, "{id:?}");
        for asked in seen.lock().unwrap().iter() {
            let path = asked.target.split('?').next().unwrap();
            assert!(operation_of(asked).is_some() || path.starts_with("/_emulator/"), "{id:?}: {asked:?}");
            assert!(path.len() < 1000, "{id:?}: {}", path.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_something_that_others_made_changes_nothing_of_theirs() {
    // Jobs do not change their state.
    let emulator = Arc::new(Emulator::builder().seed(1).time_scale(0.0).start().await.unwrap());
    let session = emulator.session().unwrap();
    let lists = [
        ("/jobs", "list_jobs"),
        ("/job-binaries", "list_job_binaries"),
        ("/data-sources", "list_data_sources"),
        ("/training-jobs", "list_training_jobs"),
        ("/visualization-jobs", "list_visualization_jobs"),
        ("/annotation-jobs", "list_annotation_jobs"),
    ];
    let items = async |operation: &str| session.request(operation).unwrap().send().await.unwrap().items().to_vec();
    let objects = async || {
        let mut objects = BTreeSet::new();
        for (_, operation) in lists {
            objects.extend(items(operation).await.iter().map(Value::to_string));
        }
        objects
    };
    let before = objects().await;
    // The objects of the documents exist already: they belong to others.
    let mut victims: Vec<(&str, Value)> = Vec::new();
    for (path, operation) in lists {
        let first = items(operation).await.into_iter().next();
        victims.extend(first.map(|item| (path, item.get("id").unwrap_or(&item["job_id"]).clone())));
    }
    assert!(victims.len() > 3);
    let creators: BTreeSet<&str> = spec::documents()
        .iter()
        .flat_map(|document| document.operations())
        .filter(|operation| operation.method == "post" && victims.iter().any(|(end, _)| operation.path.ends_with(end)))
        .map(|operation| operation.id())
        .collect();
    let ids: Vec<String> =
        victims.iter().map(|(path, id)| format!("{path}/{}", id.to_string().trim_matches('"'))).collect();
    let is_shown = |create: &str| {
        let (document, create) = spec::operation(create).unwrap();
        document.operations().any(|operation| {
            let item = operation.path.strip_prefix(create.path).and_then(|rest| rest.strip_prefix("/{"));
            operation.method == "get" && item.is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
        })
    };
    let (endpoint, seen) = behind(&emulator, move |asked, status, body| {
        let path = asked.target.split('?').next().unwrap();
        let victim = victims.iter().find(|(end, _)| path.ends_with(end));
        match victim {
            Some((_, id)) if asked.method == "POST" && (200..300).contains(&status) => with_id(body, id),
            _ => body,
        }
    })
    .await;
    let plan = Plan::of_description();
    let runner = Runner::new(session_at(&endpoint)).allow_billed(true).workers(8);
    let runner = runner.patience(std::time::Duration::from_secs(1)).advance(|_| Ok(()));
    let report = runner.run(&plan, |_| {}).await.unwrap();
    // Each operation that created an object differs, with the reason if an operation shows the object.
    let told: BTreeSet<_> = report
        .outcomes
        .iter()
        .filter(|it| it.differences.iter().any(|it| it.text.contains("which is that of an object with")))
        .map(|outcome| outcome.operation.as_str())
        .collect();
    assert_eq!(told, creators.iter().copied().filter(|create| is_shown(create)).collect(), "{told:?}");
    let differing: BTreeSet<_> = report.failures().map(|outcome| outcome.operation.as_str()).collect();
    assert!(creators.is_subset(&differing), "{differing:?}");
    for asked in seen.lock().unwrap().iter().filter(|asked| asked.method != "GET" || asked.target.ends_with("/cancel"))
    {
        // Requests without valid credentials, or for another project, may name it: they must be rejected.
        let own = asked.target.contains(emulator.project_id());
        assert!(
            !(own && ids.iter().any(|id| asked.target.contains(&format!("{id}/")) || asked.target.ends_with(id))),
            "{asked:?}"
        );
    }
    let after = objects().await;
    let lost: Vec<_> = before.difference(&after).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_ends_in_a_verdict() {
    let app = axum::Router::new().fallback(|| async {
        let endless =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b'a'; 1 << 16])));
        ([("content-type", "application/json")], axum::body::Body::from_stream(endless))
    });
    let endpoint = listen(app).await;
    let plan = Plan::of_description().only(&["mrs.list_jobs.example.*", "mrs.create_job_binary.example.*"]).unwrap();
    let report = Runner::new(session_at(&endpoint)).run(&plan, |_| {}).await.unwrap();
    let told = report.failures().filter(|it| it.differences.iter().any(|it| it.text.contains("larger than")));
    assert!(told.count() > 0 && report.count(Verdict::Honours) == 0, "{report:#?}");
    // The object may exist, and no operation can show it.
    assert!(report.leftovers.iter().all(|it| it.created_by == "create_job_binary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_million_ends_in_a_verdict() {
    let lists = ["mrs.list_jobs", "modelarts.list_training_jobs"];
    let clauses = lists.map(|list| [format!("{list}.property.page-size"), format!("{list}.property.pages")]).concat();
    let plan = Plan::of_description().only(&clauses).unwrap();
    let at_once = serve(|asked| {
        let item = if asked.target.contains("training-jobs") { r#"{"job_id":1}"# } else { r#"{"id":"1"}"# };
        (
            200,
            format!(
                r#"{{"is_success":true,"job_total_count":1000000,"jobs":[{}{item}]}}"#,
                format!("{item},").repeat(999_999)
            ),
        )
    });
    let report = Runner::new(session_at(&at_once.await)).read_only(true).run(&plan, |_| {}).await.unwrap();
    for outcome in &report.outcomes {
        assert_eq!(outcome.verdict, Verdict::Differs, "{outcome:#?}");
        let told = outcome.differences.iter().any(|it| it.text.contains("returned 1000000 items at once"));
        assert!(told && outcome.differences.len() <= 20, "{outcome:#?}");
    }
    let lists = ["modelarts.list_training_jobs.property.pages", "modelarts.list_visualization_jobs.property.pages"];
    let plan = Plan::of_description().only(&[lists[0], lists[1], "mrs.list_jobs.property.pages"]).unwrap();
    let by_page = serve(page_of_a_million).await;
    let report = Runner::new(session_at(&by_page)).read_only(true).workers(8).run(&plan, |_| {}).await.unwrap();
    for outcome in &report.outcomes {
        let reason = outcome.reason.as_deref().unwrap_or_default();
        assert!(outcome.verdict == Verdict::NotTried && reason.contains("more than 500 pages"), "{outcome:#?}");
        assert!((500..510).contains(&outcome.requests), "{outcome:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_the_report_is_bounded() {
    let large = serve(|_| (200, format!(r#"{{"surprise": "{}"}}"#, "é".repeat(500_000))));
    let runner = Runner::new(session_at(&large.await)).allow_billed(true).keep_exchanges(true).workers(8);
    let report = runner.run(&Plan::of_description().only(&["mrs.*"]).unwrap(), |_| {}).await.unwrap();
    let texts = report.outcomes.iter().flat_map(|outcome| &outcome.exchanges).map(|exchange| exchange.response.len());
    assert!(texts.clone().all(|length| length < 66 * 1024) && texts.clone().count() > 100);
    assert!(texts.sum::<usize>() < 34 * 1024 * 1024);
    let told = report.outcomes.iter().flat_map(|outcome| &outcome.differences).map(|difference| difference.text.len());
    assert!(told.max().unwrap() < 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_short_whatever_the_endpoint_names_an_object() {
    let name = "n".repeat(300_000);
    let named = serve(move |_| (200, format!(r#"{{"is_success": true, "id": "7", "name": "{name}"}}"#))).await;
    let plan = Plan::of_description().only(&["mrs.create_job.example.*", "mrs.update_job.property.*"]).unwrap();
    let report = Runner::new(session_at(&named)).run(&plan, |_| {}).await.unwrap();
    let reasons = report.outcomes.iter().filter_map(|outcome| outcome.reason.as_ref());
    let lengths: Vec<usize> =
        reasons.chain(report.leftovers.iter().map(|leftover| &leftover.reason)).map(String::len).collect();
    assert!(lengths.iter().any(|length| *length > 1000) && lengths.iter().all(|length| *length < 3000), "{lengths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_loses_a_worker_cleans_up_and_reports() {
    let emulator = emulator().await;
    let seen = Arc::new(Mutex::new(0));
    let plan = Plan::of_description().only(&["mrs.*"]).unwrap();
    let report = runner(&emulator)
        .workers(4)
        .run(&plan, move |_| {
            let count = {
                let mut seen = seen.lock().unwrap();
                *seen += 1;
                *seen
            };
            assert!(count != 60, "the sixtieth");
        })
        .await
        .unwrap();
    assert_eq!(report.conclusion(), Conclusion::EndedEarly);
    assert!(report.aborted.as_deref().unwrap().contains("the sixtieth"), "{:?}", report.aborted);
    assert_eq!((report.outcomes.len(), &report.leftovers[..]), (plan.clauses().len(), &[][..]));
    let jobs: Vec<_> = emulator.session().unwrap().mrs().jobs().list().try_collect().await.unwrap();
    assert!(jobs.iter().all(|job| !job.details.name.starts_with("hwjobs-ct-")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_throttles_everything_ends_a_run() {
    let throttling = serve(|_| (429, r#"{"error_code": "APIG.0308", "error_msg": "slow down"}"#.to_owned())).await;
    let plan = Plan::of_description().only(&["mrs.show_job.failure.*", "mrs.list_jobs.*"]).unwrap();
    let outcome = Runner::new(session_at(&throttling)).read_only(true).run(&plan, |_| {}).await;
    let ended = outcome.map_or_else(|error| error.to_string(), |report| report.aborted.unwrap());
    assert!(ended.contains("APIG.0308"), "{ended}");
}

/// Starts a server before an emulator that keeps back one kind of response, once, for ever: the emulator has done what the
/// request said, and the client does not learn of it. The future ends when a response is kept back.
async fn keeping_back(emulator: &Emulator, is_kept: fn(&Asked) -> bool) -> (String, impl Future<Output = ()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (upstream, http) = (emulator.endpoint(), reqwest::Client::builder().no_proxy().build().unwrap());
    let (kept, is_there) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let told = Arc::clone(&is_there);
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (url, http, told) = (format!("{upstream}{}", request.uri()), http.clone(), Arc::clone(&told));
        let kept = Arc::clone(&kept);
        async move {
            let (mut parts, body) = request.into_parts();
            let asked = Asked { method: parts.method.to_string(), target: parts.uri.to_string() };
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            parts.headers.remove("host");
            let response = http.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
            if is_kept(&asked) {
                told.notify_one();
                kept.notified().await;
            }
            let (status, headers) = (response.status(), response.headers().clone());
            (status, headers, response.bytes().await.unwrap())
        }
    });
    (listen(app).await, async move { is_there.notified().await })
}

/// Returns whether a request deletes a job.
fn deletes_a_job(asked: &Asked) -> bool {
    asked.method == "DELETE" && asked.target.contains("/jobs/")
}

/// Returns whether a request creates a job.
fn creates_a_job(asked: &Asked) -> bool {
    asked.method == "POST" && asked.target.ends_with("/jobs")
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_and_says_what_is_left() {
    use nix::sys::signal::{Signal, kill};
    use std::process::Stdio;
    // An object was created and its deletion hangs, or the response to its creation does.
    for (is_kept, reason) in
        [(deletes_a_job as fn(&Asked) -> bool, "the run ended before it was removed"), (creates_a_job, "it may exist")]
    {
        let emulator = emulator().await;
        let (endpoint, is_there) = keeping_back(&emulator, is_kept).await;
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
        command.args(["contract", "run", "--only", "mrs.create_job.*", "--seed", "1", "--endpoint", &endpoint]);
        command.args(["--project", emulator.project_id()]).env("HWJOBS_TOKEN", "emulator-token-not-a-secret");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = nix::unistd::Pid::from_raw(child.id().unwrap().try_into().unwrap());
        is_there.await;
        kill(pid, Signal::SIGINT).unwrap();
        let mut errors = tokio::io::BufReader::new(child.stderr.take().unwrap()).lines();
        while !errors.next_line().await.unwrap().unwrap().contains("stopping") {}
        kill(pid, Signal::SIGINT).unwrap();
        let mut left = Vec::new();
        while let Some(line) = errors.next_line().await.unwrap() {
            left.push(line);
        }
        assert_eq!(child.wait().await.unwrap().code(), Some(130), "{left:?}");
        let is_told = |line: &String| {
            let is_named = line.starts_with("left behind: ") && line.contains("create_job") && line.contains(reason);
            is_named && (line.contains("hwjobs-ct-") || line.contains("/jobs/"))
        };
        assert!(left.iter().any(is_told), "{reason}: {left:?}");
        assert_eq!(left.last().map(String::as_str), Some("hwjobs: interrupted"), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_dropped_still_says_what_it_may_have_left() {
    for is_kept in [deletes_a_job as fn(&Asked) -> bool, creates_a_job] {
        let emulator = emulator().await;
        let (endpoint, is_there) = keeping_back(&emulator, is_kept).await;
        let runner = Runner::new(session_at(&endpoint)).workers(1);
        let interrupt = runner.interrupt();
        let plan = Plan::of_description().only(&["mrs.create_job.example.*"]).unwrap();
        {
            let mut running = std::pin::pin!(runner.run(&plan, |_| {}));
            tokio::select! {
                report = &mut running => panic!("{report:#?}"),
                () = is_there => {}
            }
        }
        // Only the tasks that are ending still hold the run.
        tokio::task::yield_now().await;
        // The job needs a binary, which remains too.
        let left: Vec<_> = interrupt.leftovers().into_iter().filter(|it| it.created_by == "create_job").collect();
        assert_eq!(left.len(), 1, "{left:#?}");
        let is_named = left[0].what.starts_with("hwjobs-ct-");
        assert_eq!(is_named, left[0].reason.contains("it may exist"), "{left:#?}");
    }
    let emulator = emulator().await;
    let runner = runner(&emulator);
    let plan = Plan::of_description().only(&["mrs.create_job.example.*"]).unwrap();
    runner.run(&plan, |_| {}).await.unwrap().assert_honoured();
    assert_eq!(runner.interrupt().leftovers(), []);
}

/// Returns a report with a text in every field that a server determines.
fn report_of(text: &str) -> Report {
    let report = serde_json::json!({
        "tool": "hwjobs 0", "endpoints": {"mrs": format!("http://127.0.0.1:1/{text}")}, "embedded": false, "seed": 1,
        "interrupted": false, "requests": 1, "milliseconds": 1,
        "leftovers": [{"created_by": "create_job", "what": text, "reason": text}],
        "outcomes": [
            {
                "id": format!("mrs.show_job.{text}"), "kind": "example", "service": "mrs", "operation": "show_job",
                "summary": "The documented example returns its documented response.", "sources": ["a page"],
                "verdict": "differs", "requests": 1, "milliseconds": 1,
                "differences": [{"check": "schema", "text": text, "exchange": 0}],
                "exchanges": [{
                    "operation": "show_job", "method": "GET", "url": "http://127.0.0.1:1/", "headers": [], "body": text,
                    "status": 200, "response_headers": [["x-request-id", text]], "response": text,
                }],
            },
            {
                "id": "mrs.show_job.other", "kind": "property", "service": "mrs", "operation": "show_job", "summary": "It holds.",
                "sources": ["a page"], "verdict": "not-tried", "reason": text, "requests": 1, "milliseconds": 1,
            },
        ],
    });
    serde_json::from_value(report).unwrap()
}

#[test]
fn what_a_server_says_stays_text_in_every_report() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    for text in TEXTS {
        let report = report_of(text);
        let mut matrix = Matrix::default();
        matrix.add(text, &report);
        matrix.add("b", &report);
        for markdown in [Format::Markdown.report(&report).unwrap(), Format::Markdown.matrix(&matrix).unwrap()] {
            assert!(is_clean(&markdown), "{markdown:?}");
            let mut headings = 0;
            let mut cells = Vec::new();
            let mut in_code = false;
            for event in Parser::new_ext(&markdown, Options::all()) {
                match event {
                    Event::Html(_) | Event::InlineHtml(_) => panic!("{text:?} is HTML in {markdown}"),
                    Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::BlockQuote(_)) => {
                        panic!("{text:?}: {markdown}")
                    }
                    Event::Start(Tag::Heading { .. }) => headings += 1,
                    Event::Start(Tag::CodeBlock(_)) => in_code = true,
                    Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
                    Event::Start(Tag::Table(alignments)) => cells.push(alignments.len()),
                    // Outside of code, where pages create links and mentions.
                    Event::Text(outside) if !in_code => {
                        assert!(!outside.contains("evil") && !outside.contains('@'), "{outside} in {markdown}");
                    }
                    _ => {}
                }
            }
            assert!(headings == 2 || (headings == 0 && cells == [3]), "{headings} {cells:?}\n{markdown}");
        }
        let junit = Format::Junit.report(&report).unwrap();
        let allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(junit.chars().all(allowed), "{junit:?}");
        let read = quick_junit::Report::deserialize_from_str(&junit).unwrap();
        assert_eq!((read.tests, read.failures), (2, 1));
        let html = Format::Html.report(&report).unwrap() + &Format::Html.matrix(&matrix).unwrap();
        assert!(!html.contains("<script>alert") && !html.contains("<img"), "{html}");
        let sarif: Value = serde_json::from_str(&Format::Sarif.report(&report).unwrap()).unwrap();
        let message = sarif["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
        assert!(is_clean(message) && !message.replace("\\]", "").contains("]("), "{message:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_does_nothing_to_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    for (number, text) in TEXTS.into_iter().enumerate() {
        let body = serde_json::json!({"error_code": text, "error_msg": text, "error": {"code": text, "message": text}});
        let endpoint = serve(move |_| (404, body.to_string())).await;
        let output = run_at(&endpoint, &["--only", "mrs.*job*"]).await;
        let shown = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(is_clean(&shown), "{shown:?}");
        assert!(!shown.lines().any(|line| line.starts_with("forged")), "{shown}");

        let mut other = report_of(text);
        other.outcomes[0].verdict = Verdict::Honours;
        let files = [("a", report_of(text)), ("b", other)].map(|(name, report)| {
            let file = directory.path().join(format!("{name}{number}.json"));
            std::fs::write(&file, serde_json::to_string(&report).unwrap()).unwrap();
            file.to_str().unwrap().to_owned()
        });
        let output = hwjobs(&["contract", "matrix", "--all", &files[0], &files[1]]);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && is_clean(&shown), "{shown:?}");
    }
}
