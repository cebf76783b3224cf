//! Tests the command line, the library and the contract runner with a misbehaving server. `table.rs` has the behaviours
//! and the expected results.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]
#![allow(unreachable_pub, reason = "the modules of a test are its own")]

#[path = "../common/mod.rs"]
mod common;

mod call;
mod server;
mod table;

use std::collections::VecDeque;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use call::{Call, PASSWORD, SECRET_KEY};
use common::{Arrived, TOKEN};
use huaweicloud_jobs::{Error, ErrorKind};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::Server;
use table::{BULK, End, Row, rows};
use tempfile::TempDir;

/// Rows that are tried at a time: most of them wait.
const AT_A_TIME: usize = 8;

/// The time limit after which a command is killed.
const DEADLINE: Duration = Duration::from_secs(30);

/// The result of a row.
struct Measured {
    time: Duration,
    /// The most memory that the process had, in megabytes.
    memory: u64,
    requests: usize,
}

/// Tests all rows, several at a time, and fails with all differences from the table.
fn all(rows: impl Iterator<Item = Row>, try_row: impl Fn(&Row, &mut Vec<String>) -> Measured + Sync) {
    // One surface after the other, so that each has the machine for itself.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = Mutex::new(rows.collect::<VecDeque<_>>());
    let (wrong, figures) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(row) = waiting.lock().unwrap().pop_front() else { return };
                    let mut found = Vec::new();
                    let Measured { time, memory, requests } = try_row(&row, &mut found);
                    if time > row.time {
                        found.push(format!("it took {time:.1?}, and {:?} are allowed", row.time));
                    }
                    if memory > row.memory {
                        found.push(format!("it took {memory} MB, and {} are allowed", row.memory));
                    }
                    if requests > row.requests {
                        found.push(format!("it sent {requests} requests, and {} are allowed", row.requests));
                    }
                    figures.lock().unwrap().push(format!(
                        "{:>6.2} s {memory:>5} MB {requests:>6} requests  {}",
                        time.as_secs_f64(),
                        row.name
                    ));
                    wrong.lock().unwrap().extend(found.iter().map(|what| format!("{}: {what}", row.name)));
                }
            });
        }
    });
    let mut figures = figures.into_inner().unwrap();
    figures.sort();
    println!("{}", figures.join("\n"));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs a command against the server of a row.
fn run(row: &Row, words: &[&str], found: &mut Vec<String>) -> (Output, Measured) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(row.behaviour));
    let folder = tempfile::tempdir().unwrap();
    Call::files(&folder);
    let started = Instant::now();
    let (output, memory) = measured(row, words, &server.endpoint, &folder);
    let time = started.elapsed();
    let arrived = server.arrived();
    for request in &arrived {
        if request.header("cookie").is_some() {
            found.push(format!("a cookie was sent: {}", request.target));
        }
        if !table::is_own(request) {
            found.push(format!("it went elsewhere: {} {}", request.method, request.target));
        }
    }
    inspect(&output, &secrets(&arrived), found);
    (output, Measured { time, memory, requests: arrived.len() })
}

/// Runs a command to its end; the most memory that it had, in megabytes.
fn measured(row: &Row, words: &[&str], endpoint: &str, folder: &TempDir) -> (Output, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    command.args(words).env_clear().env("HOME", folder.path()).current_dir(folder.path());
    command.envs(row.call.variables(endpoint)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let process = Pid::from_raw(child.id().cast_signed());
    let most = AtomicU64::new(0);
    let ended = std::sync::atomic::AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The system keeps the largest value itself, for as long as the process lives.
            let started = Instant::now();
            while !ended.load(Ordering::Relaxed) {
                if started.elapsed() > DEADLINE {
                    let _ = kill(process, Signal::SIGKILL);
                }
                let text = std::fs::read_to_string(&status).unwrap_or_default();
                let line =
                    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
                most.fetch_max(line.unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let output = match row.call {
            // Its reader closes the output after a while, like `head`.
            Call::PagesOfMany if words[0] != "contract" => {
                let mut out = child.stdout.take().unwrap();
                std::io::copy(&mut std::io::Read::take(&mut out, 1 << 20), &mut std::io::sink()).unwrap();
                drop(out);
                child.wait_with_output().unwrap()
            }
            _ => child.wait_with_output().unwrap(),
        };
        ended.store(true, Ordering::Relaxed);
        output
    });
    (output, most.into_inner() / 1024)
}

/// Returns everything that must never be printed: given secrets and derived ones.
fn secrets(arrived: &[Arrived]) -> Vec<String> {
    let mut secrets: Vec<String> = [TOKEN, PASSWORD, SECRET_KEY].map(str::to_owned).into();
    for secret in arrived.iter().flat_map(table::sent_secrets) {
        // Only the signature of a signed request is secret.
        secrets.push(secret.rsplit_once("Signature=").map_or(secret.as_str(), |(_, signature)| signature).to_owned());
    }
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// The secret that a text holds, as it is or escaped for JSON or for addresses.
fn leaks(secrets: &[String], text: &str) -> Option<String> {
    let plain = unescaped(text);
    let found = secrets.iter().find(|secret| text.contains(secret.as_str()) || plain.contains(secret.as_str()))?;
    Some(format!("a secret is printed: {found}"))
}

/// A text with its escapes of JSON and of addresses taken off.
fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let digits = |from: usize, count: usize| {
            u8::from_str_radix(rest.get(from..from + count)?.trim_start_matches("00"), 16).ok()
        };
        let (byte, length) = match first {
            '%' => (digits(1, 2), 3),
            '\\' if rest[1..].starts_with('u') => (digits(2, 4), 6),
            '\\' if rest[1..].starts_with(['"', '\\', '/']) => (rest.as_bytes().get(1).copied(), 2),
            _ => (None, 0),
        };
        match byte {
            // A Latin letter beyond ASCII has two bytes, but behind a percent sign it is a byte.
            Some(byte) if first == '%' || byte.is_ascii() => bytes.push(byte),
            Some(byte) => bytes.extend(char::from(byte).to_string().bytes()),
            None => bytes.extend(first.to_string().bytes()),
        }
        rest = &rest[if byte.is_some() { length } else { first.len_utf8() }..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Checks that output has no secret, no control character, no panic, and a limited length.
fn inspect(output: &Output, secrets: &[String], found: &mut Vec<String>) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    found.extend(leaks(secrets, &out));
    found.extend(leaks(secrets, &err));
    let steers = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    if let Some(c) = out.chars().chain(err.chars()).find(|c| steers(*c)) {
        found.push(format!("{c:?} is printed"));
    }
    if err.lines().any(|line| line.starts_with("hwjobs: forged")) {
        found.push("a line of the program's own is forged".to_owned());
    }
    if err.contains("panicked") || output.status.code().is_none_or(|code| code == 101) {
        found.push(format!("{}: {err}", output.status));
    }
    if err.len() > 40_000 {
        found.push(format!("{} bytes on the standard error", err.len()));
    }
}

/// The documented exit code.
fn exit_code(end: End) -> i32 {
    match end {
        End::Done => 0,
        End::Partly => 1,
        End::Fails(kind) => match kind {
            ErrorKind::InvalidRequest => 2,
            ErrorKind::Configuration => 3,
            ErrorKind::Authentication => 4,
            ErrorKind::NotFound => 5,
            ErrorKind::Conflict => 6,
            ErrorKind::Throttled => 7,
            ErrorKind::Service => 8,
            ErrorKind::Network => 9,
            ErrorKind::Timeout => 10,
            ErrorKind::Decode => 11,
            ErrorKind::Permission => 12,
            _ => panic!("a kind without exit code: {kind:?}"),
        },
    }
}

#[test]
fn the_command_line_withstands() {
    all(rows().copied(), |row, found| {
        let mut words = row.call.words().to_vec();
        words.extend(["--timeout", "2s"]);
        let (output, measured) = run(row, &words, found);
        if output.status.code() != Some(exit_code(row.end)) {
            found.push(format!(
                "{} instead of {}: {}",
                output.status,
                exit_code(row.end),
                String::from_utf8_lossy(&output.stderr).chars().take(600).collect::<String>()
            ));
        }
        measured
    });
}

#[test]
fn the_library_withstands() {
    all(rows().copied(), |row, found| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start(row.behaviour).await;
            let started = Instant::now();
            let Ok(outcome) = tokio::time::timeout(DEADLINE, row.call.by_library(&server.endpoint)).await else {
                found.push("it does not end".to_owned());
                return Measured { time: DEADLINE, memory: 0, requests: server.arrived().len() };
            };
            let time = started.elapsed();
            let end = match &outcome {
                Ok(true) => End::Done,
                Ok(false) => End::Partly,
                Err(error) => End::Fails(error.kind()),
            };
            if end != row.library() {
                found.push(format!("{end:?} instead of {:?}: {outcome:?}", row.library()));
            }
            let arrived = server.arrived();
            if let Err(error) = &outcome {
                told(error, &secrets(&arrived), found);
            }
            Measured { time, memory: 0, requests: arrived.len() }
        })
    });
}

/// An error is one line, holds no secret and no escapes, and has bounds.
fn told(error: &Error, secrets: &[String], found: &mut Vec<String>) {
    let line = error.to_string();
    if line.chars().any(char::is_control) {
        found.push(format!("the error has controls: {line:?}"));
    }
    for text in [&line, &format!("{error:?}")] {
        found.extend(leaks(secrets, text));
        if text.len() > 40_000 {
            found.push(format!("the error has {} bytes", text.len()));
        }
    }
}

#[test]
fn the_contract_runner_withstands() {
    const CLAUSES: [&str; 3] = [
        "modelarts.list_training_jobs.example.search",
        "mrs.list_jobs.property.pages",
        "mrs.create_job_binary.property.reads-back",
    ];
    // What is kept for the reports comes on top; a run sends several requests, more before it gives up, and cleans up.
    let bounds = |row: &Row| Row { memory: row.memory + 100, time: 2 * row.time, requests: 200, ..*row };
    all(rows().map(bounds), |row, found| {
        let mut words = vec!["contract", "run", "--timeout", "2s", "--patience", "1", "--seed", "1"];
        words.extend(CLAUSES.iter().flat_map(|clause| ["--only", clause]));
        words.extend([
            "--report",
            "json=report.json,markdown=report.md,junit=report.xml,html=report.html,sarif=report.sarif",
        ]);
        let (output, measured) = run(row, &words, found);
        let printed = output.stdout.len() + output.stderr.len();
        if printed > 40_000 {
            found.push(format!("it prints {printed} bytes"));
        }
        let code = i32::from(row.contract);
        if output.status.code() != Some(code) {
            let told =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            found.push(format!("{} instead of {code}: {}", output.status, told.chars().take(1500).collect::<String>()));
        }
        measured
    });
}

#[test]
fn the_table_has_each_row_once() {
    let mut names: Vec<_> = rows().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows().count());
    assert!(rows().any(|row| row.requests >= BULK));
}

/// Every test that SECURITY.md names exists and is a test.
#[test]
fn each_promise_has_the_test_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let promises = text.lines().skip_while(|line| *line != "## Promises").filter(|line| line.starts_with('|'));
    let promises: Vec<&str> =
        promises.filter(|line| !line.starts_with("| ---") && !line.ends_with("| Test |")).collect();
    assert!(promises.len() > 30, "{} promises", promises.len());
    let mut sources = Vec::new();
    let mut folders = vec![root.join("tests"), root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                Some(extension) if extension == "rs" => sources.push(std::fs::read_to_string(&path).unwrap()),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    let is_test = |name: &str| {
        let tests = sources
            .iter()
            .flat_map(|source| source.split("test]\n").chain(source.split("test(flavor = \"multi_thread\")]\n")));
        tests.into_iter().any(|after| {
            let declared = after.lines().find(|line| !line.trim_start().starts_with('#')).unwrap_or_default();
            declared.contains(&format!("fn {name}("))
        })
    };
    for promise in promises {
        let (_, tests) = promise.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let names: Vec<&str> = tests.split(", ").map(|name| name.trim_matches('`')).collect();
        assert!(!names.is_empty());
        for name in names {
            assert!(is_test(name), "{name} is no test: {promise}");
        }
    }
}
