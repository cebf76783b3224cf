//! The emulator in every mode, found by its control API.

use super::*;
use huaweicloud_jobs::contract::Conclusion;
use huaweicloud_jobs::emulator::Transitions;

/// Strict, empty, lock-out and seeded for each of the modes below: any two of all choices meet in one of them.
const SWITCHES: [u8; 12] =
    [0b1000, 0b1110, 0b0101, 0b0110, 0b0100, 0b1011, 0b0101, 0b1101, 0b1010, 0b1110, 0b0001, 0b0011];

/// Each transition mode with each speed of the clock.
fn modes() -> Vec<(Transitions, Option<f64>, [bool; 4])> {
    let transitions =
        [Transitions::Clock, Transitions::AtOnce, Transitions::AfterReads(1), Transitions::AfterReads(100)];
    let scales = [None, Some(0.0), Some(1e9)];
    let pairs = transitions.into_iter().flat_map(|transitions| scales.map(|scale| (transitions, scale)));
    pairs
        .zip(SWITCHES)
        .map(|((transitions, scale), bits)| (transitions, scale, [8, 4, 2, 1].map(|bit| bits & bit != 0)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_is_green_without_waiting() {
    let plan = Plan::of_description();
    for (number, (transitions, scale, [strict, empty, lock_out, seeded])) in modes().into_iter().enumerate() {
        let mode = format!(
            "{transitions:?}, time scale {scale:?}, strict {strict}, empty {empty}, lock-out {lock_out}, seeded {seeded}"
        );
        let mut builder = Emulator::builder().transitions(transitions).strict(strict).lock_out(lock_out);
        if let Some(scale) = scale {
            builder = builder.time_scale(scale);
        }
        if empty {
            builder = builder.empty();
        }
        if seeded {
            builder = builder.seed(number as u64);
        }
        let emulator = builder.start().await.unwrap();
        let session = emulator.session_with(emulator.access_key()).unwrap();
        // The runner has to find the control API by itself.
        let runner = Runner::new(session).allow_billed(true).workers(8).seed(number as u64);
        let report = runner.run(&plan, |_| {}).await.unwrap();
        let untried: Vec<_> = report.outcomes.iter().filter_map(|outcome| outcome.reason.as_deref()).collect();
        println!("{mode}: {} requests, {} ms, {untried:#?}", report.requests, report.milliseconds);
        report.assert_honoured();
        assert_eq!(report.leftovers, [], "{mode}");
        assert!(report.count(Verdict::NotTried) < 20, "{mode}: {untried:#?}");
        // Without moving the clock, objects do not reach their states within the patience of a minute.
        assert!(!untried.iter().any(|why| why.contains("has not ended")), "{mode}: {untried:#?}");
        // Some milliseconds each in a debug build.
        assert!(report.requests < 3500, "{mode}: {} requests", report.requests);
    }
}

#[test]
fn any_two_choices_meet_in_a_mode() {
    let modes = modes();
    let both = [false, true];
    for one in 0..4 {
        for on in both {
            for (transitions, ..) in &modes {
                assert!(modes.iter().any(|(other, _, switches)| other == transitions && switches[one] == on));
            }
            for (_, scale, _) in &modes {
                assert!(modes.iter().any(|(_, other, switches)| other == scale && switches[one] == on));
            }
            for (other, also) in (0..one).flat_map(|other| both.map(|also| (other, also))) {
                assert!(modes.iter().any(|(.., switches)| switches[one] == on && switches[other] == also));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_never_comes_is_not_tried_unless_the_clause_is_about_it() {
    // The clock stands, and `advance` does not move it.
    let emulator = Arc::new(Emulator::builder().time_scale(0.0).start().await.unwrap());
    let plan = Plan::of_description()
        .only(&["modelarts.restart_visualization_job.example.*", "modelarts.stop_visualization_job.property.ends"])
        .unwrap();
    let runner = Runner::new(emulator.session().unwrap()).allow_billed(true);
    let runner = runner.patience(std::time::Duration::from_secs(1)).advance(|_| Ok(()));
    let report = runner.run(&plan, |_| {}).await.unwrap();
    for outcome in &report.outcomes {
        let expected = if outcome.id.contains(".property.") { Verdict::Differs } else { Verdict::NotTried };
        assert_eq!(outcome.verdict, expected, "{outcome:#?}");
    }
    assert!(report.outcomes.iter().any(|o| o.reason.as_deref().is_some_and(|why| why.contains("has not ended"))));
    assert_eq!(report.conclusion(), Conclusion::NotHonoured);
    assert!(!report.leftovers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_emulator_is_asked_for_its_clock_and_only_where_something_waits() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let endpoint = serve({
        let seen = Arc::clone(&seen);
        move |request: &Asked| {
            seen.lock().unwrap().push(request.target.clone());
            (200, r#"{"now": "noon", "scale": 1}"#.to_owned())
        }
    })
    .await;
    let session = session_at(&endpoint);
    let plan = Plan::of_description().only(&["modelarts.stop_training_job_version.property.ends"]).unwrap();
    Runner::new(session.clone()).run(&plan, |_| {}).await.unwrap();
    assert!(!seen.lock().unwrap().iter().any(|target| target.contains("_emulator")));
    Runner::new(session).allow_billed(true).run(&plan, |_| {}).await.unwrap();
    let asked: Vec<_> = seen.lock().unwrap().iter().filter(|target| target.contains("_emulator")).cloned().collect();
    assert_eq!(asked, ["/_emulator/clock"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_and_the_last_line_say_the_same() {
    let emulator = emulator().await;
    let run = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
        command.args(["contract", "run", "--seed", "1", "--allow-billed"]).args(arguments);
        let output = command.envs(emulator.environment()).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text.lines().last().unwrap_or_default().to_owned())
    };
    let of_job = ["--only", "mrs.create_job.example.*"];
    let (code, last) = run(&of_job).await;
    assert!(code == Some(0) && last.starts_with("everything that was tried is honoured;"), "{code:?} {last}");

    emulator.faults().add(Fault::status(409).on("delete_job")).unwrap();
    let (code, last) = run(&[&of_job[..], &["--patience", "0"]].concat()).await;
    assert!(code == Some(1) && last.contains("but") && last.contains("left behind;"), "{code:?} {last}");
    emulator.faults().clear();

    emulator.faults().add(Fault::status(500).on("show_job")).unwrap();
    let (code, last) = run(&["--only", "mrs.show_job.example.*"]).await;
    assert!(code == Some(1) && last.contains("not honoured;"), "{code:?} {last}");
    emulator.faults().clear();

    let (code, last) = run(&["--only", "iam.create_token.example.*"]).await;
    assert!(code == Some(2) && last.starts_with("nothing could be tried;"), "{code:?} {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn submitted_jobs_are_removed() {
    let emulator = emulator().await;
    let session = emulator.session().unwrap();
    let count = async || session.request("list_job_exes").unwrap().send().await.unwrap().body()["totalRecord"].clone();
    let before = count().await;
    let report = run(&emulator, &Plan::of_description().only(&["mrs.submit_job.*"]).unwrap(), 1).await;
    report.assert_honoured();
    assert_eq!((report.leftovers.len(), count().await), (0, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_rejected_in_mid_run_is_renewed() {
    let emulator = Arc::new(Emulator::builder().domain("team").user("tester", "not-a-secret").start().await.unwrap());
    let credentials = Credentials::password("team", Some("tester".to_owned()), "not-a-secret");
    let plan = Plan::of_description().only(&["mrs.create_job.example.*", "mrs.update_job.property.*"]).unwrap();
    for operation in ["create_job", "show_job", "update_job", "delete_job"] {
        emulator.faults().add(Fault::status(401).on(operation).times(1)).unwrap();
        let session = emulator.session_with(credentials.clone()).unwrap();
        let report = Runner::new(session).workers(1).run(&plan, |_| {}).await.unwrap();
        report.assert_honoured();
        assert!(emulator.faults().list().iter().all(|fault| fault.hits == 1), "{operation} was not called");
        emulator.faults().clear();
    }
    // A given token cannot be renewed.
    emulator.faults().add(Fault::status(401).on("show_job")).unwrap();
    let report = Runner::new(emulator.session().unwrap()).workers(1).run(&plan, |_| {}).await.unwrap();
    let properties: Vec<_> = report.outcomes.iter().filter(|outcome| outcome.id.contains(".property.")).collect();
    assert!(!properties.is_empty());
    for outcome in properties {
        assert_eq!(outcome.verdict, Verdict::NotTried, "{outcome:#?}");
        assert!(
            outcome.reason.as_deref().is_some_and(|why| why.contains("show_job, which returned 401")),
            "{outcome:#?}"
        );
    }
}
