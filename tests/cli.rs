//! The command line, as a user runs it.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn hwjobs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hwjobs")).args(arguments).output().unwrap()
}

#[test]
fn quickstart_shows_nine_matching_updates() {
    let output = hwjobs(&["quickstart"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.ends_with("9 of 9 documented updates match\n"), "{text}");
    assert_eq!(text.matches("request ok, answer ok, stored ok").count(), 9, "{text}");
    assert!(text.contains("> x-auth-token: ***"), "{text}");
    assert!(!text.contains("not-a-secret"), "{text}");
    assert!(output.stderr.is_empty());
}

#[test]
fn quickstart_gives_the_same_as_data() {
    let output = hwjobs(&["quickstart", "--format", "json"]);
    assert!(output.status.success());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("not-a-secret"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["matches"], true);
    let updates = report["updates"].as_array().unwrap();
    let numbers: Vec<&str> = updates.iter().map(|update| update["number"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["1", "2a", "2b", "2c", "3a", "3b", "3c", "4", "5"]);
    for update in updates {
        let (request, answer) = (&update["exchange"]["request"], &update["exchange"]["answer"]);
        assert!(serde_json::from_str::<Value>(request.as_str().unwrap()).unwrap().is_object(), "{update}");
        assert!(serde_json::from_str::<Value>(answer.as_str().unwrap()).unwrap().is_object(), "{update}");
        for verdict in ["request_matches", "answer_matches", "stored"] {
            assert_eq!(update[verdict], true, "{update}");
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hwjobs"))
        .arg("quickstart")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_not_a_command_is_refused_with_help() {
    let output = hwjobs(&["quickstrat"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'quickstart'"));
}
