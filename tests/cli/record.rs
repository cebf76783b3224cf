//! `--record`: what a command sends and receives, as a HAR file.

use huaweicloud_jobs::contract::{Recording, Report, Verdict};
use huaweicloud_jobs::emulator::{Fault, FaultAction};

use super::*;

fn file(user: &User) -> Value {
    serde_json::from_str(&std::fs::read_to_string(user.path("calls.har")).unwrap()).unwrap()
}

/// Method, path and status of each entry.
fn lines(har: &Value) -> Vec<String> {
    let line = |entry: &Value| {
        let url = entry["request"]["url"].as_str().unwrap();
        let path = url.splitn(4, '/').nth(3).unwrap().replace(PROJECT, "p");
        format!("{} /{path} {}", entry["request"]["method"].as_str().unwrap(), entry["response"]["status"])
    };
    har["log"]["entries"].as_array().unwrap().iter().map(line).collect()
}

fn checked(har: &Value) -> Report {
    Recording::read(&har.to_string(), None).unwrap().check()
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_and_calls_are_recorded_without_secrets() {
    let emulator = Emulator::start().await.unwrap();
    let secrets: Vec<String> = emulator
        .environment()
        .into_iter()
        .filter(|(name, _)| ["HUAWEICLOUD_SDK_SK", "HWJOBS_PASSWORD"].contains(name))
        .map(|(_, value)| value)
        .collect();
    let mut user = User::of_emulator(&emulator);
    user.variables
        .retain(|(name, _)| !name.starts_with("HUAWEICLOUD_SDK_AK") && !name.starts_with("HUAWEICLOUD_SDK_SK"));
    let arguments = ["training-job", "update", "10", "--job-desc", "recorded", "--record", "calls.har"];
    let output = user.runs(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let har = file(&user);
    assert_eq!(lines(&har), ["POST /v3/auth/tokens 201", "PUT /v1/p/training-jobs/10 200"]);
    let text = har.to_string();
    assert!(text.contains("recorded") && secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    let sign_in = &har["log"]["entries"][0];
    let header = |name: &str| {
        let headers = sign_in["response"]["headers"].as_array().unwrap();
        headers.iter().find(|header| header["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((header("x-subject-token"), header("content-type")), (json!("***"), json!("application/json")));
    assert!(checked(&har).is_honoured(), "{:?}", checked(&har));
    #[cfg(unix)]
    {
        let mode = std::fs::metadata(user.path("calls.har")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    }
    // A later record replaces it.
    assert!(user.runs(&arguments).status.success());
    assert_eq!(lines(&file(&user)).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_recorded_also_of_a_command_that_fails() {
    let emulator = Emulator::start().await.unwrap();
    let busy = FaultAction::Status { status: 503, code: None, message: None, retry_after: Some(0) };
    emulator.faults().add(Fault::new(busy).times(1)).unwrap();
    let user = User::of_emulator(&emulator);
    assert!(user.runs(&["training-job", "list", "--record", "calls.har"]).status.success());
    assert_eq!(lines(&file(&user)), ["GET /v1/p/training-jobs 503", "GET /v1/p/training-jobs 200"]);
    let output = user.runs(&[
        "api",
        "show_training_job_version",
        "--param",
        "job_id=99",
        "--param",
        "version_id=9",
        "--record",
        "calls.har",
    ]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let har = file(&user);
    assert_eq!(lines(&har).len(), 1, "{har}");
    assert!(checked(&har).is_honoured());
    assert!(!har.to_string().contains(&emulator.environment()[2].1), "the secret key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_response_is_recorded() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let user = User::of(&format!("http://{gone}"));
    let output = user.runs(&["training-job", "list", "--timeout", "1s", "--record", "calls.har"]);
    assert!([9, 10].contains(&output.status.code().unwrap()), "{}", stderr(&output));
    let report = checked(&file(&user));
    assert_eq!(report.outcomes[0].verdict, Verdict::NotTried);
    assert_eq!(report.outcomes[0].reason.as_deref(), Some("no connection could be made"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_somebody_else_stays_and_nothing_is_sent() {
    let server = Server::json(200, "{}").await;
    let user = User::of(&server.endpoint);
    std::fs::write(user.path("calls.har"), "{\"log\": {}}").unwrap();
    let output = user.runs(&["training-job", "list", "--record", "calls.har"]);
    assert!(!output.status.success() && stderr(&output).contains("was not written by hwjobs"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(user.path("calls.har")).unwrap(), "{\"log\": {}}");
    assert!(server.arrived().is_empty());
    let missing = user.runs(&["training-job", "list", "--record", "no-folder/calls.har"]);
    assert!(!missing.status.success() && server.arrived().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_is_left_out() {
    let body = format!("{{\"is_success\": true, \"filler\": \"{}\"}}", "a".repeat(1024 * 1024));
    let server = Server::json(200, &body).await;
    let user = User::of(&server.endpoint);
    user.runs(&["training-job", "list", "--record", "calls.har"]);
    let har = file(&user);
    let content = &har["log"]["entries"][0]["response"]["content"];
    assert_eq!((&content["size"], &content["text"]), (&json!(body.len()), &Value::Null));
    let reason = checked(&har).outcomes[0].reason.clone().unwrap();
    assert!(reason.contains("was not recorded: a body of") && reason.contains("the limit is 1048576"), "{reason}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_command_leaves_a_complete_file() {
    use nix::sys::signal::{Signal, kill};

    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = Server::acting([Act::Answer(head(503, "retry-after: 0\r\n", 0).into()), Act::Hang]).await;
        let user = User::of(&server.endpoint);
        let mut command = user.command(&["training-job", "list", "--record", "calls.har"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while server.arrived().len() < 2 {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            tokio::task::yield_now().await;
        }
        kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(130), "hwjobs: interrupted\n"));
        let har = file(&user);
        assert_eq!(lines(&har), ["GET /v1/p/training-jobs 503", "GET /v1/p/training-jobs 0"]);
        assert_eq!(checked(&har).outcomes[1].reason.as_deref(), Some("the request was abandoned"));
        // No temporary file is left.
        assert_eq!(user.home.path().read_dir().unwrap().count(), 1);
    }
}
