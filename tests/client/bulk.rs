//! Tests of bulk updates with a service that rejects, fails and is slow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{Arrived, PROJECT, TOKEN, TestClock, read};
use huaweicloud_jobs::{Error, JobId, Session, bulk};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// A concurrent server. A function computes each response from the request and the number of concurrent requests.
struct Service {
    session: Session,
    clock: Arc<TestClock>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    async fn start(says: impl Fn(&Arrived, usize) -> (u16, &'static str) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (says, arrived) = (Arc::new(says), Arc::new(Mutex::new(Vec::new())));
        let (busy, record) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&arrived));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (says, busy, record) = (Arc::clone(&says), Arc::clone(&busy), Arc::clone(&record));
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        let at_once = busy.fetch_add(1, Ordering::SeqCst) + 1;
                        let (status, headers) = says(&request, at_once);
                        record.lock().unwrap().push(request);
                        // Other requests can arrive before it is done.
                        for _ in 0..50 {
                            tokio::task::yield_now().await;
                        }
                        let body = match status {
                            200 => r#"{"is_success": true, "job": {"id": "x", "name": "x", "type": "Spark"}}"#,
                            _ => r#"{"is_success": false, "error_message": "no"}"#,
                        };
                        let answer = format!(
                            "HTTP/1.1 {status} Status\r\n{headers}content-length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        busy.fetch_sub(1, Ordering::SeqCst);
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let clock = Arc::new(TestClock::default());
        let session = Session::builder()
            .endpoint(endpoint)
            .project_id(PROJECT)
            .token(TOKEN)
            .clock(clock.clone())
            .build()
            .unwrap();
        Self { session, clock, arrived, task }
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

/// The job that a request is about.
fn job(request: &Arrived) -> i64 {
    request.target.rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn each_update_has_its_outcome_and_refusals_are_accounted_for_one_by_one() {
    // Every seventh is rejected twice before it is accepted, every hundredth does not exist, every fiftieth connection
    // breaks once.
    let times: Arc<Mutex<BTreeMap<i64, u32>>> = Arc::default();
    let counted = Arc::clone(&times);
    let service = Service::start(move |request, _| {
        let mut times = counted.lock().unwrap();
        let time = times.entry(job(request)).or_default();
        *time += 1;
        match (job(request), *time) {
            (id, _) if id % 100 == 0 => (404, ""),
            (id, 1 | 2) if id % 7 == 0 => (429, "retry-after: 7\r\n"),
            (id, 1) if id % 50 == 25 => (503, ""),
            _ => (200, ""),
        }
    })
    .await;
    let updates = (1..=1000_i64).map(|id| (id, format!("text {id}")));
    let mut updates = service.session.modelarts().training_jobs().update_descriptions(bulk::iter(updates));
    let (mut done, mut gone, mut attempts) = (BTreeMap::new(), 0, 0);
    while let Some(one) = updates.next().await {
        assert_eq!(one.index + 1, u64::try_from(one.id.get()).unwrap());
        attempts += one.attempts;
        let expected = match one.id.get() {
            id if id % 100 == 0 => {
                assert!(one.result.as_ref().unwrap_err().is_not_found());
                gone += 1;
                1
            }
            id if id % 7 == 0 => 3,
            id if id % 50 == 25 => 2,
            _ => 1,
        };
        assert_eq!(one.attempts, expected, "{one:?}");
        assert_eq!(one.result.is_ok(), one.id.get() % 100 != 0, "{one:?}");
        assert!(done.insert(one.id.get(), ()).is_none(), "{} twice", one.id);
    }
    assert_eq!((done.len(), gone, updates.position()), (1000, 10, 1000));
    assert_eq!(service.arrived().len(), attempts as usize, "every request belongs to an update");
    // The client waits as long as the service asks.
    let pauses = service.clock.waits().iter().filter(|wait| **wait >= Duration::from_secs(7)).count();
    assert!((1..=282).contains(&pauses), "{pauses}");
    let texts = service.arrived();
    let text = texts.iter().find(|request| job(request) == 8).unwrap();
    assert_eq!(text.body, br#"{"job_desc":"text 8"}"#);
}

#[tokio::test]
async fn as_many_run_at_once_as_the_service_bears() {
    let most = Arc::new(AtomicUsize::new(0));
    let record = Arc::clone(&most);
    let service = Service::start(move |_, at_once| {
        record.fetch_max(at_once, Ordering::SeqCst);
        (200, "")
    })
    .await;
    let updates = |count: i64| bulk::iter((0..count).map(|id| (id, "x")));
    let jobs = service.session.modelarts().training_jobs();
    let mut all = jobs.update_descriptions(updates(500)).at_most(16);
    assert_eq!(all.limit(), 4, "it begins with a few");
    while all.next().await.is_some() {}
    assert_eq!(all.limit(), 16, "success raises it");
    assert_eq!(most.load(Ordering::SeqCst), 16);

    // A service that accepts three concurrent requests.
    let service = Service::start(|_, at_once| if at_once > 3 { (429, "") } else { (200, "") }).await;
    let jobs = service.session.modelarts().training_jobs();
    let mut all = jobs.update_descriptions(updates(500));
    let (mut limits, mut count) = (Vec::new(), 0);
    while let Some(done) = all.next().await {
        done.result.unwrap();
        count += 1;
        limits.push(all.limit());
    }
    assert_eq!(count, 500);
    assert!(limits[50..].iter().all(|limit| *limit <= 8), "it keeps near to what is borne: {limits:?}");
    assert!(limits[50..].iter().any(|limit| *limit < 4), "a refusal lowers it: {limits:?}");
    let refused = service.arrived().len() - 500;
    assert!(refused < 250, "{refused} refusals for 500 updates");
}

#[tokio::test]
async fn what_is_refused_again_and_again_is_an_outcome_too() {
    let service = Service::start(|request, _| if job(request) == 1 { (429, "") } else { (503, "") }).await;
    let updates = bulk::iter([(1, "throttled"), (2, "failing")]);
    let mut updates = service.session.modelarts().training_jobs().update_descriptions(updates);
    let mut done = BTreeMap::new();
    while let Some(one) = updates.next().await {
        done.insert(one.id.get(), (one.attempts, one.result.unwrap_err().status().unwrap().as_u16()));
    }
    assert_eq!(done, BTreeMap::from([(1, (20, 429)), (2, (4, 503))]));
    assert_eq!(service.arrived().len(), 24);
}

#[tokio::test]
async fn a_refusal_of_the_credentials_ends_it_and_it_can_be_resumed() {
    let service = Service::start(|request, _| if job(request) < 40 { (200, "") } else { (401, "") }).await;
    let updates = || (0..10_000).map(|id| (id, "x"));
    let mut all = service.session.modelarts().training_jobs().update_descriptions(bulk::iter(updates())).at_most(4);
    let (mut good, mut bad) = (0, 0);
    while let Some(done) = all.next().await {
        match done.result {
            Ok(()) => good += 1,
            Err(error) => {
                assert!(error.is_unauthenticated());
                bad += 1;
            }
        }
    }
    assert_eq!(good, 40);
    assert!((1..=4).contains(&bad), "{bad} were under way, none was begun after");
    assert_eq!(all.position(), 40, "what was refused is to be done again");

    // The rest, from the stored position.
    let service = Service::start(|_, _| (200, "")).await;
    let rest = bulk::iter(updates().skip(usize::try_from(all.position()).unwrap()));
    let mut rest = service.session.modelarts().training_jobs().update_descriptions(rest);
    while let Some(done) = rest.next().await {
        done.result.unwrap();
    }
    assert_eq!(rest.position(), 9960);
    assert_eq!(job(&service.arrived()[0]), 40);
}

#[tokio::test]
async fn one_update_that_is_forbidden_stops_no_other_one() {
    let service = Service::start(|request, _| if job(request) == 4 { (403, "") } else { (200, "") }).await;
    let updates = bulk::iter((1..=103_i64).map(|id| (id, "x")));
    let mut all = service.session.modelarts().training_jobs().update_descriptions(updates);
    let mut forbidden = Vec::new();
    let mut count = 0;
    while let Some(done) = all.next().await {
        count += 1;
        if let Err(error) = done.result {
            assert!(error.is_forbidden() && !error.is_unauthenticated(), "{error}");
            forbidden.push(done.id.get());
        }
    }
    assert_eq!((count, forbidden), (103, vec![4]));
    assert_eq!((all.position(), all.untried()), (103, Some(0)));
    assert!(all.ended_early().is_none());
}

#[tokio::test]
async fn keys_that_are_not_accepted_are_rejected_fewer_times_than_lock_them() {
    let service = Service::start(|_, _| (401, "")).await;
    let updates = bulk::iter((0..1000_i64).map(|id| (id, "x")));
    let mut all = service.session.modelarts().training_jobs().update_descriptions(updates).at_most(256);
    let mut tried = 0;
    while all.next().await.is_some() {
        tried += 1;
    }
    assert!(service.arrived().len() < 5, "{} rejections", service.arrived().len());
    assert!(all.ended_early().unwrap().is_unauthenticated());
    assert_eq!((all.position(), all.untried()), (0, Some(1000 - tried)));
    // An input of unknown length has no number of untried updates.
    let unknown = futures_util::StreamExt::filter(bulk::iter((0..1000_i64).map(|id| (id, "x"))), |_| async { true });
    let mut all = service.session.modelarts().training_jobs().update_descriptions(unknown);
    while all.next().await.is_some() {}
    assert_eq!((all.ended_early().is_some(), all.untried()), (true, None));
}

#[tokio::test]
async fn nothing_new_is_sent_after_credentials_were_rejected() {
    for failing in [503, 429] {
        let service = Service::start(move |request, _| match job(request) {
            id if id < 40 => (200, ""),
            50 => (401, ""),
            _ => (failing, "retry-after: 1\r\n"),
        })
        .await;
        let updates = bulk::iter((0..1000_i64).map(|id| (id, "x")));
        let mut all = service.session.modelarts().training_jobs().update_descriptions(updates).at_most(16);
        let (mut before, mut outcomes) = (None, 0);
        while let Some(done) = all.next().await {
            outcomes += 1;
            if done.result.as_ref().is_err_and(Error::is_unauthenticated) {
                before = Some(service.arrived().len());
            }
        }
        let (before, arrived) = (before.unwrap(), service.arrived());
        // Updates in flight may arrive afterwards, once each.
        let after: Vec<_> = arrived[before..].iter().map(job).collect();
        assert!(after.len() < 16, "{failing}: {after:?}");
        assert!(all.ended_early().unwrap().is_unauthenticated());
        assert_eq!(all.untried(), Some(1000 - outcomes));
        assert_eq!(all.position(), 40, "what has no outcome is to be done again");
    }
}

#[tokio::test]
async fn the_patience_bounds_what_the_service_asks_for() {
    let updates = || bulk::iter((0..100_i64).map(|id| (id, "x")));
    // Three years, each time.
    let service = Service::start(|_, _| (429, "retry-after: 94608000\r\n")).await;
    let (told, patience) = (Arc::new(Mutex::new(Vec::new())), Duration::from_secs(60));
    let record = Arc::clone(&told);
    let jobs = service.session.modelarts().training_jobs();
    let mut all = jobs.update_descriptions(updates()).patience(patience).observe_pauses(move |pause| {
        record.lock().unwrap().push((pause.duration, pause.asked));
    });
    let mut outcomes = 0;
    while let Some(done) = all.next().await {
        assert!(done.result.unwrap_err().is_throttled());
        outcomes += 1;
    }
    let waited: Duration = service.clock.waits().iter().sum();
    assert!(waited >= patience && waited < patience * 2, "{waited:?}");
    assert_eq!(*told.lock().unwrap(), [(patience, Some(Duration::from_secs(94_608_000)))]);
    assert!(all.ended_early().unwrap().is_throttled());
    assert_eq!((all.position(), all.untried()), (0, Some(100 - outcomes)));
    assert!(service.arrived().len() <= 8, "it is tried once more, and no more");

    // Three years, once: the bulk continues after the patience.
    let first = Arc::new(AtomicUsize::new(0));
    let service = Service::start(move |_, _| match first.fetch_add(1, Ordering::SeqCst) {
        0 => (429, "retry-after: 94608000\r\n"),
        _ => (200, ""),
    })
    .await;
    let mut all = service.session.modelarts().training_jobs().update_descriptions(updates());
    while let Some(done) = all.next().await {
        done.result.unwrap();
    }
    assert_eq!((all.position(), all.ended_early().is_none()), (100, true));
    let longest = service.clock.waits().into_iter().max();
    assert_eq!(longest, Some(Duration::from_secs(300)), "the default");
}

#[tokio::test]
async fn no_more_is_taken_from_the_input_than_runs() {
    let service = Service::start(|_, _| (200, "")).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let endless = std::iter::repeat_with(move || (i64::try_from(count.fetch_add(1, Ordering::SeqCst)).unwrap(), "x"));
    let mut updates = service.session.modelarts().training_jobs().update_descriptions(bulk::iter(endless)).at_most(8);
    for number in 1..=100 {
        updates.next().await.unwrap().result.unwrap();
        let ahead = taken.load(Ordering::SeqCst) - number;
        assert!(ahead <= 8, "{ahead} ahead");
        assert!(updates.position() <= number as u64);
    }
}

#[tokio::test]
async fn job_objects_of_mrs_are_updated_the_same_way() {
    let service = Service::start(|_, _| (200, "")).await;
    let ids = ["a", "b"].map(|id| (JobId::try_from(id).unwrap(), "text"));
    let mut updates = service.session.mrs().jobs().update_descriptions(bulk::iter(ids));
    let mut seen = Vec::new();
    while let Some(done) = updates.next().await {
        done.result.unwrap();
        seen.push(done.id.to_string());
    }
    seen.sort();
    assert_eq!(seen, ["a", "b"]);
    assert!(service.arrived().iter().all(|request| request.body == br#"{"description":"text"}"#));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_the_failure_of_its_update() {
    let service = Service::start(|_, _| (200, "")).await;
    let updates = bulk::iter([(1, "x".repeat(257)), (2, "x".repeat(256))]);
    let mut updates = service.session.modelarts().training_jobs().update_descriptions(updates);
    let mut failures: Vec<Error> = Vec::new();
    while let Some(done) = updates.next().await {
        failures.extend(done.result.err());
    }
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].field(), Some("job_desc"));
    assert_eq!(service.arrived().len(), 1);
}

/// Uses an emulator in a separate process, so that only the client's memory is measured.
#[cfg(all(feature = "cli", target_os = "linux"))]
#[tokio::test]
async fn a_hundred_thousand_updates_need_little_memory() {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    // The memory is that of the whole process.
    if !crate::common::is_alone("bulk::a_hundred_thousand_updates_need_little_memory", |_| {}).await {
        return;
    }
    struct Killed(Child);
    impl Drop for Killed {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    let mut emulator = Killed(command.args(["emulator"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut exports = BufReader::new(emulator.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut found = BTreeMap::new();
    let wanted = ["HWJOBS_ENDPOINT", "HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"];
    while !wanted.iter().all(|name| found.contains_key(*name)) {
        let line = exports.next().expect("the emulator says where it is");
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        found.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
    }
    let [endpoint, project, key, secret] = wanted.map(|name| found[name].as_str());
    let credentials = huaweicloud_jobs::session::credentials::Credentials::access_key(key, secret);
    let session = Session::builder().endpoint(endpoint).project_id(project).credentials(credentials);
    let jobs = session.build().unwrap().modelarts().training_jobs();

    let count = 100_000_u64;
    // One of a thousand does not exist.
    let updates = (0..count).map(|n| (if n % 1000 == 0 { 404_404 } else { 10 }, format!("description {n}")));
    let (started, mut updates) = (std::time::Instant::now(), jobs.update_descriptions(bulk::iter(updates)));
    let (mut changed, mut gone, mut seen) = (0, 0, vec![0_u64; (count / 64 + 1) as usize]);
    while let Some(done) = updates.next().await {
        let (word, bit) = ((done.index / 64) as usize, 1 << (done.index % 64));
        assert_eq!(seen[word] & bit, 0, "{} twice", done.index);
        seen[word] |= bit;
        match done.result {
            Ok(()) => changed += 1,
            Err(error) if error.is_not_found() => gone += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let took = started.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!(
        "{count} updates in {took:.1?} ({:.0} a second), {} at once, peak memory {:.1} MiB",
        count as f64 / took.as_secs_f64(),
        updates.limit(),
        kib as f64 / 1024.0
    );
    assert_eq!((changed, gone, updates.position()), (99_900, 100, count));
    assert!(kib < 64 * 1024, "{kib} KiB");
}
