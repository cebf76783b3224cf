//! Waiting for jobs, and following logs.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_job() {
    let version = |status: u32| version_answer(status);
    let wait = ["training-job-version", "wait", "10", "20", "--interval", "1ms"];
    for (end, code) in [(10, 0), (11, 1)] {
        let server = Server::acting([version(7), version(8), version(end)]).await;
        let output = User::of(&server.endpoint).runs(&wait);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stdout(&output).contains("status        1"), "{}", stdout(&output));
        assert_eq!(server.arrived().len(), 3);
    }
    let server = Server::acting([version(8)]).await;
    let output = User::of(&server.endpoint).runs(&[&wait[..], &["--timeout", "5ms"]].concat());
    assert_eq!(output.status.code(), Some(10));
    assert!(stderr(&output).contains("not at its end after 5ms"), "{}", stderr(&output));
}

/// The command uses the library's rules, which have their own unit tests.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_jobs_of_mrs_ends_as_the_library_says() {
    let exe = |state: Value, end: Value| json!({"job_execution": {"id": "a", "job_id": "a", "job_name": "n", "job_state": state, "job_final_status": end}});
    let execution = |end: Value, code: Value| json!({"job_execution": {"id": "a", "job_id": "b", "end_time": end, "return_code": code}});
    let ended = || json!("2017-06-22T06:25:02");
    let (of_exe, of_execution) = (&["mrs", "job-exe", "wait", "a"][..], &["mrs", "job-execution", "wait", "a"][..]);
    for (command, body, code) in [
        (of_exe, exe(json!(3), json!(0)), 0),
        (of_exe, exe(json!("3"), json!("2")), 0),
        (of_exe, exe(json!(3), json!(1)), 1),
        (of_exe, exe(Value::Null, json!(1)), 1),
        (of_exe, exe(Value::Null, json!(2)), 0),
        (of_exe, exe(Value::Null, json!(3)), 1),
        (of_exe, exe(json!(2), json!(1)), 10),
        (of_exe, exe(json!(-1), json!(3)), 1),
        (of_execution, execution(ended(), json!("")), 0),
        (of_execution, execution(ended(), Value::Null), 0),
        (of_execution, execution(ended(), json!("0")), 0),
        (of_execution, execution(ended(), json!("1")), 1),
        (of_execution, execution(Value::Null, Value::Null), 10),
    ] {
        let server = Server::json(200, &body.to_string()).await;
        // A running job may use a short limit; for an ended one the limit must be long enough on a busy machine.
        let limit = if code == 10 { "200ms" } else { "1m" };
        let output = User::of(&server.endpoint).runs(&[command, &["--timeout", limit, "--interval", "1ms"]].concat());
        assert_eq!(output.status.code(), Some(code), "{body}: {}", stderr(&output));
    }
    // A temporary failure does not end a wait.
    let busy = response(503, &json!({"error_code": "X.1", "error_msg": "later"}));
    let done = response(200, &exe(json!(3), json!(2)));
    let acts = [vec![busy; 5], vec![done]].concat();
    let server = Server::acting(acts).await;
    let output = User::of(&server.endpoint).runs(&[of_exe, &["--interval", "1ms"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_until_its_version_ends() {
    let log = |content: &str, end: u32| {
        response(
            200,
            &json!({"is_success": true, "content": content, "lines": 1, "start_line": "0", "end_line": end.to_string()}),
        )
    };
    let version = |status: u32| version_answer(status);
    let files = response(200, &json!({"is_success": true, "log_file_list": ["first.log", "second.log"]}));
    let server = Server::acting([
        files.clone(),
        log("one\n", 1),
        log("", 1),
        version(8),
        log("two\n", 2),
        log("", 2),
        version(10),
        log("three", 3),
        log("", 3),
    ])
    .await;
    let follow = ["training-job-version", "logs", "10", "20", "--follow", "--interval", "1ms"];
    assert_eq!(User::of(&server.endpoint).says(&follow), "one\ntwo\nthree\n");
    let arrived = server.arrived();
    assert!(arrived[1].target.ends_with("/aom-log?log_file=first.log"), "{}", arrived[1].target);
    let last = &arrived.last().unwrap().target;
    assert!(last.contains("base_line=3") && last.contains("order=desc"), "{last}");

    let server = Server::acting([log("only\n", 1)]).await;
    let once = ["training-job-version", "logs", "10", "20", "--log-file", "second.log"];
    assert_eq!(User::of(&server.endpoint).says(&once), "only\n");
}
