//! Tests of `hwjobs emulator` as a process: output, end, and durability of acknowledged changes after `kill -9`.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::common::PROJECT;
use crate::common::wire;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

const TOKEN: (&str, &str) = ("x-auth-token", "emulator-token-not-a-secret");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A process that has printed its address.
struct Process {
    child: Child,
    exports: Vec<(String, String)>,
    endpoint: String,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    command.arg("emulator").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut exports = Vec::new();
        while exports.len() < 8 {
            let Some(line) = lines.next() else {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("it ended: {said}");
            };
            let line = line.unwrap();
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            exports.push((name.to_owned(), value.to_owned()));
        }
        // More on standard output would be seen at the end.
        let endpoint = exports[0].1.clone();
        thread::spawn(move || assert_eq!(lines.count(), 0, "more on standard output than the exports"));
        Self { child, exports, endpoint }
    }

    fn on(file: &Path, more: &[&str]) -> Self {
        Self::start(&[&["--data", file.to_str().unwrap(), "--log", "off"], more].concat())
    }

    fn get(&self, path: &str) -> Value {
        let returned = wire::send(&self.endpoint, "GET", path, &[TOKEN], b"");
        assert_eq!(returned.status, 200, "{path} {returned:?}");
        returned.json()
    }

    /// Stops the process, and returns its standard error.
    fn stop(self, signal: Signal) -> String {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
        let output: Output = self.child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Kills the process.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns the error of a failed start.
fn rejected(arguments: &[&str]) -> String {
    let mut child = command(arguments).spawn().unwrap();
    let mut printed = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut printed).unwrap();
    if !printed.is_empty() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success() && printed.is_empty(), "{arguments:?}: it started");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn it_prints_the_exports_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // The file of an earlier run must not be mistaken for this one's.
        std::fs::write(&ready, "http://127.0.0.1:1").unwrap();
        let process = Process::start(&["--ready-file", ready.to_str().unwrap(), "--log", "json"]);
        assert!(std::fs::read_to_string(&ready).is_ok_and(|text| text != "http://127.0.0.1:1") || !ready.exists());
        let names: Vec<&str> = process.exports.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "HWJOBS_ENDPOINT",
                "HUAWEICLOUD_SDK_AK",
                "HUAWEICLOUD_SDK_SK",
                "HUAWEICLOUD_SDK_PROJECT_ID",
                "HWJOBS_USER",
                "HWJOBS_PASSWORD",
                "HWJOBS_DOMAIN",
                "HWJOBS_PROJECT_NAME"
            ]
        );
        // It is written after the exports are.
        while std::fs::read_to_string(&ready).unwrap_or_default().is_empty() {
            thread::yield_now();
        }
        assert_eq!(std::fs::read_to_string(&ready).unwrap(), process.endpoint);
        let path = format!("/v1/{PROJECT}/training-jobs?page=1&secret=canary-1");
        process.get(&path);
        wire::send(&process.endpoint, "GET", &path, &[("x-auth-token", "canary-2")], b"");
        let log = process.stop(signal);
        assert!(!ready.exists());
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown: Vec<_> = lines.iter().map(|line| (&line["operation"], &line["status"], &line["verdict"])).collect();
        let operation = &json!("list_training_jobs");
        assert_eq!(
            shown,
            [(operation, &json!(200), &json!("accepted")), (operation, &json!(401), &json!("rejected"))],
            "{log}"
        );
        assert_eq!(lines[0]["target"], format!("/v1/{PROJECT}/training-jobs?page=1&secret=***"));
        assert!(!log.contains("canary"), "{log}");
    }
}

#[test]
fn users_keys_and_projects_are_told() {
    let process = Process::start(&[
        "--user",
        "someone:a b'c",
        "--key",
        "AK:SK",
        "--serve-project",
        "p1:one",
        "--domain",
        "ours",
        "--seed",
        "3",
        "--transitions",
        "reads:2",
        "--time-scale",
        "0",
        "--lock-out",
        "--strict",
        "--empty",
    ]);
    let exports: HashMap<_, _> = process.exports.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(exports["HUAWEICLOUD_SDK_AK"], "AK");
    assert_eq!((exports["HUAWEICLOUD_SDK_PROJECT_ID"], exports["HWJOBS_PROJECT_NAME"]), ("p1", "one"));
    assert_eq!((exports["HWJOBS_USER"], exports["HWJOBS_PASSWORD"]), ("someone", r"'a b'\''c'"), "a shell reads it");
    assert_eq!(process.get("/v1/p1/training-jobs")["job_total_count"], 0);
    assert_eq!(process.get("/_emulator/transitions"), json!({"mode": "reads", "reads": 2}));
    assert_eq!(process.get("/_emulator/clock")["scale"], 0.0);
    let said = process.stop(Signal::SIGTERM);
    assert!(said.contains(" GET /v1/p1/training-jobs 200 "), "{said}");
    for (arguments, named) in [
        (&["--user", "nobody"][..], "colon"),
        (&["--transitions", "never"], "reads:N"),
        (&["--empty", "--documented"], "cannot be used with"),
        (&["--listen", "nowhere"], "ADDR"),
    ] {
        let output = command(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(named), "{said}");
    }
}

#[test]
fn a_file_that_it_cannot_use_is_rejected_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let path = file.to_str().unwrap();
    let first = Process::on(&file, &[]);
    let said = rejected(&["--data", path]);
    assert!(said.contains(path) && said.contains("another process uses it"), "{said}");
    let listening = first.endpoint.trim_start_matches("http://").to_owned();
    let ready = folder.path().join("ready");
    std::fs::write(&ready, "http://127.0.0.1:1").unwrap();
    let said = rejected(&["--listen", &listening, "--ready-file", ready.to_str().unwrap()]);
    assert!(said.contains(&listening) && said.contains("in use"), "{said}");
    assert!(!ready.exists(), "it leads to nobody");
    let said = rejected(&["--listen", "192.0.2.1:0"]);
    assert!(said.contains("192.0.2.1:0: ") && said.contains("assign"), "{said}");
    first.stop(Signal::SIGTERM);

    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let said = rejected(&["--data", path]);
    assert!(said.contains(path) && said.contains("format 99 of a newer version"), "{said}");
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let said = rejected(&["--data", other.to_str().unwrap()]);
    assert!(said.contains("belongs to another program"), "{said}");
    let text = folder.path().join("text");
    std::fs::write(&text, "no database, but long enough to look like one might be".repeat(20)).unwrap();
    let said = rejected(&["--data", text.to_str().unwrap()]);
    assert!(said.contains("not a database"), "{said}");
    let said = rejected(&["--load", text.to_str().unwrap()]);
    assert!(said.contains(text.to_str().unwrap()), "{said}");
    let said = rejected(&["--load", "/nowhere.json"]);
    assert!(said.contains("/nowhere.json"), "{said}");
}

#[test]
fn a_file_of_the_first_format_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let still = ["--time-scale", "0"];
    let first = Process::on(&file, &still);
    let objects = first.get("/_emulator/summary")["objects"].clone();
    let mut snapshot = first.get("/_emulator/state");
    first.stop(Signal::SIGTERM);
    rusqlite::Connection::open(&file).unwrap().execute_batch("DROP TABLE origin; PRAGMA user_version = 1").unwrap();
    let second = Process::on(&file, &still);
    assert_eq!(second.get("/_emulator/summary")["objects"], objects, "it is not taken for a new one");
    second.kill();

    snapshot["format"] = json!(1);
    let text = folder.path().join("snapshot.json");
    std::fs::write(&text, snapshot.to_string()).unwrap();
    let loaded = Process::start(&["--load", text.to_str().unwrap(), "--log", "off", "--time-scale", "0"]);
    assert_eq!(loaded.get("/_emulator/summary")["objects"], objects);
    loaded.kill();
}

#[test]
fn a_damaged_file_and_one_that_cannot_be_written_are_rejected_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    Process::on(&file, &[]).stop(Signal::SIGTERM);
    let sound = std::fs::read(&file).unwrap();
    let mut damaged = sound.clone();
    // At its end, where nothing is that a start reads.
    let end = damaged.len() - 4096;
    damaged[end..].fill(0x5a);
    let half = sound[..sound.len() / 2].to_vec();
    for bytes in [damaged, half] {
        std::fs::write(&file, bytes).unwrap();
        let said = rejected(&["--data", file.to_str().unwrap()]);
        assert!(said.contains(file.to_str().unwrap()) && said.contains("it is damaged; put a copy"), "{said}");
    }
    let nowhere = folder.path().join("nowhere/state.db");
    let said = rejected(&["--data", nowhere.to_str().unwrap()]);
    assert!(said.contains("nowhere/state.db: No such file or directory") && said.contains("name a file"), "{said}");
    let said = rejected(&["--data", folder.path().to_str().unwrap()]);
    assert!(said.contains("Is a directory"), "{said}");
    std::fs::write(&file, &sound).unwrap();
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&file, permissions).unwrap();
    // Some users may write everything.
    if std::fs::OpenOptions::new().write(true).open(&file).is_err() {
        let said = rejected(&["--data", file.to_str().unwrap()]);
        assert!(said.contains("cannot be written"), "{said}");
    }
}

#[test]
fn a_file_that_holds_a_state_goes_on_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let first = Process::on(&file, &["--empty"]);
    std::fs::write(folder.path().join("snapshot.json"), first.get("/_emulator/state").to_string()).unwrap();
    assert!(!first.stop(Signal::SIGTERM).contains("state already"));
    let count = |process: &Process| process.get(&format!("/v1/{PROJECT}/training-jobs"))["job_total_count"].clone();
    let second = Process::on(&file, &["--documented"]);
    assert_eq!(count(&second), 0);
    let said = second.stop(Signal::SIGTERM);
    assert!(said.contains(file.to_str().unwrap()) && said.contains("--documented is for new files"), "{said}");
    let third = Process::on(&file, &[]);
    assert_eq!(third.stop(Signal::SIGTERM), "", "nothing is said where nothing was");
    let snapshot = folder.path().join("snapshot.json");
    let said = rejected(&["--data", file.to_str().unwrap(), "--load", snapshot.to_str().unwrap()]);
    assert!(said.contains("holds a state already") && said.contains("name another file"), "{said}");
}

#[test]
fn a_log_that_nobody_reads_holds_up_nothing() {
    // Standard error is a pipe, which is not read before the end.
    let mut process = Process::start(&["--log", "json"]);
    let path = format!("/v1/{PROJECT}/training-jobs/{}", "x".repeat(16 * 1024));
    for _ in 0..120 {
        assert_eq!(wire::send(&process.endpoint, "GET", &path, &[TOKEN], b"").status, 405);
    }
    let log = process.child.stderr.take().unwrap();
    kill(Pid::from_raw(i32::try_from(process.child.id()).unwrap()), Signal::SIGTERM).unwrap();
    // It ends although it cannot write its whole log.
    assert!(process.child.wait().unwrap().success());
    drop(log);

    let process = Process::start(&["--log", "json"]);
    for _ in 0..120 {
        wire::send(&process.endpoint, "GET", &path, &[TOKEN], b"");
    }
    let log = process.stop(Signal::SIGTERM);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lost = lines.iter().filter_map(|line| line["lost"].as_u64()).sum::<u64>();
    let told = lines.iter().filter(|line| line["status"] == 405).count() as u64;
    assert!(lost > 0 && lost + told == 120, "{lost} {told}");
}

#[test]
fn a_snapshot_of_one_process_is_loaded_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.json");
    let first = Process::start(&["--seed", "1", "--log", "off"]);
    let body = json!({"job_desc": "in the snapshot"}).to_string();
    let path = format!("/v1/{PROJECT}/training-jobs/10");
    assert_eq!(wire::send(&first.endpoint, "PUT", &path, &[TOKEN, JSON], body.as_bytes()).status, 200);
    std::fs::write(&file, first.get("/_emulator/state").to_string()).unwrap();
    let listed = first.get(&format!("/v1/{PROJECT}/training-jobs"));
    first.kill();
    let second = Process::start(&["--load", file.to_str().unwrap(), "--log", "off"]);
    assert_eq!(second.get(&format!("/v1/{PROJECT}/training-jobs")), listed);
    second.kill();
}

#[test]
fn the_clock_goes_on_where_it_was_and_never_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let clock = |process: &Process| process.get("/_emulator/clock")["now"].as_i64().unwrap();
    let change = |process: &Process, change: Value| {
        let change = change.to_string();
        wire::send(&process.endpoint, "PATCH", "/_emulator/clock", &[JSON], change.as_bytes())
    };
    let first = Process::on(&file, &[]);
    change(&first, json!({"advance": 1e9}));
    let before = clock(&first);
    first.kill();
    let second = Process::on(&file, &[]);
    let after = clock(&second);
    assert!((before..before + 60_000).contains(&after), "{before} {after}");
    change(&second, json!({"scale": 1e6}));
    let before = clock(&second);
    second.kill();
    let third = Process::on(&file, &[]);
    assert!(clock(&third) > before, "it has gone on as fast");
    change(&third, json!({"scale": 0}));
    let stopped = clock(&third);
    third.stop(Signal::SIGTERM);
    let fourth = Process::on(&file, &["--record", "1"]);
    assert_eq!(clock(&fourth), stopped, "it stands where it stood");
    fourth.kill();
    let fifth = Process::on(&file, &["--time-scale", "2"]);
    assert_eq!(fifth.get("/_emulator/clock")["scale"], 2.0);
    fifth.kill();
}

/// The acknowledged changes.
#[derive(Default)]
struct Acknowledged {
    /// The last acknowledged number in the job's description, and the one in flight.
    description: u64,
    created: BTreeMap<String, String>,
}

/// Writes until the emulator has ended: one kind of writer changes a job, the other creates objects.
fn write(endpoint: &str, known: &Mutex<Acknowledged>, next: &AtomicU64, creates: bool) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (method, path, body) = if creates {
            let name = format!("binary-{number}");
            ("POST", format!("/v1.1/{PROJECT}/job-binaries"), json!({"name": name, "url": "/x.jar", "description": ""}))
        } else {
            ("PUT", format!("/v1/{PROJECT}/training-jobs/10"), json!({"job_desc": number.to_string()}))
        };
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{}: {}\r\n{}: {}\r\ncontent-length: {}\r\n\r\n{body}",
            TOKEN.0,
            TOKEN.1,
            JSON.0,
            JSON.1,
            body.len()
        );
        // Cut off in the middle: nothing was acknowledged.
        let Ok(response) = wire::exchange(endpoint, request.as_bytes()) else { return };
        if !response.windows(4).any(|window| window == b"\r\n\r\n") {
            return;
        }
        let response = wire::reply(&response);
        let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return };
        let mut known = known.lock().unwrap();
        if creates {
            assert_eq!(response.status, 202, "{body}");
            let binary = &body["job_binary"];
            let text = |field: &str| binary[field].as_str().unwrap().to_owned();
            known.created.insert(text("id"), text("name"));
        } else {
            assert_eq!(response.status, 200, "{body}");
            known.description = number;
        }
    }
}

#[test]
fn what_was_returned_is_there_after_kill_9() {
    let rounds = std::env::var("HWJOBS_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(50);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let known = Arc::new(Mutex::new(Acknowledged::default()));
    let next = Arc::new(AtomicU64::new(1));
    for round in 0..rounds {
        let process = Process::on(&file, &[]);
        let writers: Vec<_> = [true, true, false]
            .into_iter()
            .map(|creates| {
                let (endpoint, known, next) = (process.endpoint.clone(), Arc::clone(&known), Arc::clone(&next));
                thread::spawn(move || write(&endpoint, &known, &next, creates))
            })
            .collect();
        // At any moment: the time is the point here.
        thread::sleep(Duration::from_micros(fastrand::u64(1_000..60_000)));
        process.kill();
        writers.into_iter().for_each(|writer| writer.join().unwrap());

        let process = Process::on(&file, &[]);
        let known = known.lock().unwrap();
        let listed = process.get(&format!("/v1.1/{PROJECT}/job-binaries"));
        let stored: HashMap<&str, &str> = listed["binaries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|binary| (binary["id"].as_str().unwrap(), binary["name"].as_str().unwrap()))
            .collect();
        for (id, name) in &known.created {
            assert_eq!(stored.get(id.as_str()), Some(&name.as_str()), "round {round}: {id} is lost");
        }
        let jobs = process.get(&format!("/v1/{PROJECT}/training-jobs?search_content=testModelArtsJob"));
        let description: u64 = jobs["jobs"][0]["job_desc"].as_str().unwrap().parse().unwrap_or_default();
        assert!(description >= known.description, "round {round}: {description} < {}", known.description);
        process.kill();
    }
    let known = known.lock().unwrap();
    println!("{rounds} rounds, {} objects, {} changes", known.created.len(), known.description);
    assert!(known.created.len() > rounds / 10, "the writers wrote");
}
