//! Attacks on the emulator, its files and its state.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::common::PROJECT;
use crate::common::wire::{self, exchange, reply};
use huaweicloud_jobs::emulator::{Emulator, EmulatorBuilder};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const TOKEN: (&str, &str) = ("x-auth-token", "emulator-token-not-a-secret");
const JSON: (&str, &str) = ("content-type", "application/json");

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs an emulator, calls a function with it, and stops it.
fn with<T>(runtime: &Runtime, builder: EmulatorBuilder, act: impl FnOnce(&Emulator) -> T) -> T {
    let emulator = runtime.block_on(builder.start()).unwrap();
    let outcome = act(&emulator);
    runtime.block_on(emulator.stop());
    outcome
}

fn training_jobs() -> String {
    format!("/v1/{PROJECT}/training-jobs")
}

/// Returns all files of a folder with their content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// A database of a killed program, with a journal beside it.
fn killed(folder: &Path, journal: &str, prepare: &str) {
    let source = tempfile::tempdir().unwrap();
    let database = Connection::open(source.path().join("state.db")).unwrap();
    database.pragma_update(None, "journal_mode", journal).unwrap();
    database.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    database.execute_batch(prepare).unwrap();
    database
        .execute_batch("CREATE TABLE own (a); INSERT INTO own VALUES (1); BEGIN; INSERT INTO own VALUES (2);")
        .unwrap();
    for (name, content) in files(source.path()).iter().filter(|(name, _)| !name.ends_with("-shm")) {
        fs::write(folder.join(name), content).unwrap();
    }
}

#[test]
fn a_file_that_is_not_the_emulators_is_rejected_and_nothing_of_it_or_beside_it_changes() {
    let runtime = runtime();
    let newer = "PRAGMA application_id = 1752656482; PRAGMA user_version = 99;";
    type Make = Box<dyn Fn(&Path)>;
    let makes: [(&str, Make, &str); 8] = [
        ("with a WAL", Box::new(|folder| killed(folder, "wal", "")), "another program"),
        (
            "of a named program",
            Box::new(|folder| killed(folder, "wal", "PRAGMA application_id = 7")),
            "another program",
        ),
        ("with a journal", Box::new(|folder| killed(folder, "delete", "")), "another program"),
        ("of a newer version", Box::new(move |folder| killed(folder, "delete", newer)), "newer version"),
        (
            "without a table",
            Box::new(|folder| {
                let database = Connection::open(folder.join("state.db")).unwrap();
                database.pragma_update(None, "user_version", 7).unwrap();
            }),
            "another program",
        ),
        ("a text", Box::new(|folder| fs::write(folder.join("state.db"), "x".repeat(5000)).unwrap()), "not a database"),
        (
            "a short text",
            Box::new(|folder| fs::write(folder.join("state.db"), "key: value\n").unwrap()),
            "not a database",
        ),
        (
            "half a head",
            Box::new(|folder| fs::write(folder.join("state.db"), "SQLite format 3\0").unwrap()),
            "not a database",
        ),
    ];
    for (what, make, reason) in makes {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let before = files(folder.path());
        let rejected = runtime.block_on(Emulator::builder().data(folder.path().join("state.db")).start()).unwrap_err();
        assert!(rejected.to_string().contains(reason), "{what}: {rejected}");
        assert!(files(folder.path()) == before, "{what}: {:?}", files(folder.path()).keys());
    }
}

#[cfg(unix)]
#[test]
fn the_files_of_a_state_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    with(&runtime, Emulator::builder().data(folder.path().join("state.db")), |emulator| {
        let body = json!({"job_desc": "changed"}).to_string();
        let path = training_jobs() + "/10";
        assert_eq!(wire::send(&emulator.endpoint(), "PUT", &path, &[TOKEN, JSON], body.as_bytes()).status, 200);
        let names: Vec<_> = files(folder.path()).into_keys().collect();
        assert!(names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
        for name in names {
            let mode = fs::metadata(folder.path().join(&name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}");
        }
    });
}

#[test]
fn the_clock_of_a_file_never_goes_back_even_if_the_machines_does() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let file = folder.path().join("state.db");
    let mut last = 0;
    // A hundred days pass in each second, so that lost time is visible.
    for scale in [Some(1e7), None, None] {
        let mut builder = Emulator::builder().data(&file);
        if let Some(scale) = scale {
            builder = builder.time_scale(scale);
        }
        last = with(&runtime, builder, |emulator| {
            let mut last = last;
            for number in 0..5 {
                let body = json!({"name": format!("source-{last}-{number}"), "type": "hdfs", "url": "/x"}).to_string();
                let path = format!("/v1.1/{PROJECT}/data-sources");
                let made = wire::send(&emulator.endpoint(), "POST", &path, &[TOKEN, JSON], body.as_bytes()).json();
                let at: jiff::civil::DateTime = made["data_source"]["created_at"].as_str().unwrap().parse().unwrap();
                let at = at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
                assert!(at >= last, "{at} comes after {last}");
                last = at;
            }
            last
        });
        // The machine's clock is set back by a day, so earlier times are in the future.
        let database = Connection::open(&file).unwrap();
        database.execute("UPDATE clock SET real = real + 86400000", []).unwrap();
    }
}

#[test]
fn a_snapshot_larger_than_a_request_may_be_is_put_back_and_nobody_else_may_send_as_much() {
    let runtime = runtime();
    with(&runtime, Emulator::builder().training_jobs(24_000), |emulator| {
        let endpoint = emulator.endpoint();
        let send = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
            wire::send(&endpoint, method, path, headers, body)
        };
        let snapshot = send("GET", "/_emulator/state", &[], b"").body;
        assert!(snapshot.len() > 12 * 1024 * 1024, "{}", snapshot.len());
        assert_eq!(send("DELETE", &(training_jobs() + "/10"), &[TOKEN], b"").status, 200);
        assert_eq!(send("PUT", "/_emulator/state", &[JSON], &snapshot).status, 204);
        assert_eq!(send("PUT", &(training_jobs() + "/10"), &[TOKEN, JSON], b"{\"job_desc\":\"back\"}").status, 200);
        let page = ("origin", "http://evil.example");
        assert_eq!(send("PUT", "/_emulator/state", &[JSON, page], &snapshot).status, 413);
        assert_eq!(send("PUT", "/_emulator/clock", &[JSON], &snapshot).status, 413);
        assert_eq!(send("PUT", &(training_jobs() + "/10"), &[TOKEN, JSON], &snapshot).status, 413);
    });
}

#[test]
fn only_names_of_this_machine_and_allowed_ones_are_served_on_any_path() {
    let runtime = runtime();
    let builder = Emulator::builder().allow_host("Emulator.example").allow_host("here");
    with(&runtime, builder, |emulator| {
        let endpoint = emulator.endpoint();
        let jobs = training_jobs();
        for path in [&*jobs, "/v3", "/v3/auth/tokens", "/nothing", "/", "/docs", "/docs/mrs.json", "/_emulator/state"] {
            for (host, served) in [
                ("localhost", true),
                ("LOCALHOST.:80", true),
                ("127.0.0.1:1", true),
                ("127.9.9.9", true),
                ("[::1]:443", true),
                ("[::ffff:127.0.0.1]", true),
                ("emulator.example:8443", true),
                ("here", true),
                ("evil.example", false),
                ("evil.example:80", false),
                ("localhost.evil.example", false),
                ("127.0.0.1.evil.example", false),
                ("not-here", false),
                ("192.0.2.1", false),
                ("0.0.0.0", false),
                ("[2001:db8::1]", false),
            ] {
                let response = wire::send(&endpoint, "GET", path, &[TOKEN, ("host", host)], b"");
                assert_eq!(response.status != 403, served, "{host} {path}: {response:?}");
                let foreign =
                    wire::send(&endpoint, "GET", &format!("http://{host}{path}"), &[TOKEN, ("host", "here")], b"");
                assert_eq!(foreign.status != 403, served, "{host} in the address {path}: {foreign:?}");
            }
        }
        let foreign = wire::send(&endpoint, "GET", &jobs, &[TOKEN, ("host", "evil.example")], b"");
        let text = foreign.json()["error_msg"].as_str().unwrap().to_owned();
        assert!(text.contains("evil.example") && text.contains("--allow-host"), "{text}");
    });
    for name in ["", "a b", "here:80", "http://here", "[::1]"] {
        let error = runtime.block_on(Emulator::builder().allow_host(name).start()).unwrap_err();
        assert!(error.to_string().contains("allowed host"), "{name}: {error}");
    }
}

#[test]
fn an_address_that_is_listened_on_is_served_under_its_number() {
    let runtime = runtime();
    with(&runtime, Emulator::builder().listen(([0, 0, 0, 0], 0).into()), |emulator| {
        let port = emulator.endpoint().rsplit(':').next().unwrap().to_owned();
        // Every loopback address is this machine and can be connected to.
        let here = format!("http://127.0.0.7:{port}");
        assert_eq!(wire::send(&here, "GET", &training_jobs(), &[TOKEN], b"").status, 200);
        assert_eq!(wire::send(&here, "GET", &training_jobs(), &[TOKEN, ("host", "192.0.2.1")], b"").status, 403);
    });
}

#[test]
fn bodies_in_flight_are_bounded_over_all_connections() {
    const BODY: usize = 12 * 1024 * 1024;
    let runtime = runtime();
    with(&runtime, Emulator::builder(), |emulator| {
        let endpoint = emulator.endpoint();
        let path = training_jobs() + "/10";
        let head = format!(
            "PUT {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {BODY}\r\n\r\n"
        );
        let most = vec![b' '; BODY - 1];
        // The requests are not authenticated yet, and none of them ends.
        let one = json!({"job_desc": "x", "more": "y".repeat(BODY - 100)}).to_string();
        let (mut held, mut rejected) = (Vec::new(), None);
        while rejected.is_none() && held.len() < 64 {
            let mut stream = TcpStream::connect(&endpoint["http://".len()..]).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            // A request without memory gets its response before it is complete.
            let _ = stream.write_all(&most);
            held.push(stream);
            let small = wire::send(&endpoint, "PUT", &path, &[TOKEN, JSON], b"{\"job_desc\":\"small\"}");
            assert_eq!(small.status, 200, "short bodies always find room");
            let large = wire::send(&endpoint, "PUT", &path, &[TOKEN, JSON], one.as_bytes());
            rejected = (large.status != 200).then_some(large);
        }
        let rejected = rejected.expect("there is a bound");
        assert_eq!((rejected.status, &rejected.json()["error_code"]), (429, &json!("APIG.0308")));
        assert!((8..=12).contains(&held.len()), "{}", held.len());
        drop(held);
        // The memory is released as soon as the emulator notices the closed connections.
        let free = (0..1000).any(|_| wire::send(&endpoint, "PUT", &path, &[TOKEN, JSON], one.as_bytes()).status == 200);
        assert!(free);
    });
}

#[test]
fn a_body_in_another_coding_than_chunked_is_no_request() {
    let runtime = runtime();
    with(&runtime, Emulator::builder().record(10), |emulator| {
        let body = b"10\r\n{\"job_desc\":\"a\"}\r\n0\r\n\r\n";
        let head = |codings: &str| {
            let path = training_jobs() + "/10";
            format!(
                "PUT {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{}: {}\r\ncontent-type: application/json\r\n{codings}\r\n",
                TOKEN.0, TOKEN.1
            )
        };
        for codings in ["transfer-encoding: chunked\r\n", "Transfer-Encoding:  Chunked \r\n"] {
            let response = exchange(&emulator.endpoint(), &[head(codings).as_bytes(), body].concat()).unwrap();
            assert_eq!(reply(&response).status, 200, "{codings}");
        }
        emulator.take_exchanges();
        for codings in [
            "transfer-encoding: gzip\r\n",
            "transfer-encoding: identity\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked, chunked\r\n",
            "transfer-encoding: chunked, identity\r\n",
            "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: xchunked\r\n",
            "transfer-encoding: \r\n",
            "transfer-encoding: gzip, chunked\r\ncontent-length: 5\r\n",
        ] {
            let mut stream = TcpStream::connect(&emulator.endpoint()["http://".len()..]).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(&[head(codings).as_bytes(), body].concat()).unwrap();
            let mut response = Vec::new();
            // Unread bytes turn the end of the connection into a reset.
            let _ = stream.read_to_end(&mut response);
            let response = reply(&response);
            assert_eq!((response.status, response.body.len()), (400, 0), "{codings}");
            assert_eq!(
                (response.header("connection"), response.header("x-request-id")),
                (Some("close"), None),
                "{codings}"
            );
        }
        assert!(emulator.take_exchanges().is_empty(), "nothing of it is a request");
    });
}

/// The command, with its output in files of a folder.
#[cfg(feature = "cli")]
mod command {
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use super::*;

    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn start(arguments: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
        command.arg("emulator").args(arguments).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().unwrap())
    }

    /// Waits until a condition holds.
    fn wait<T>(mut found: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it takes too long");
            std::thread::yield_now();
        }
    }

    #[test]
    fn listening_to_other_machines_is_told() {
        for (address, told) in [("0.0.0.0:0", true), ("127.0.0.1:0", false), ("[::1]:0", false)] {
            let folder = tempfile::tempdir().unwrap();
            let ready = folder.path().join("ready");
            let mut running = start(&["--listen", address, "--log", "off", "--ready-file", ready.to_str().unwrap()]);
            let failed = wait(|| (ready.exists() || running.0.try_wait().unwrap().is_some()).then(|| !ready.exists()));
            // A machine may have no IPv6.
            if failed && address.starts_with('[') {
                continue;
            }
            running.0.kill().unwrap();
            let mut text = String::new();
            running.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text.contains("public"), told, "{address}: {text}");
        }
    }

    #[test]
    fn the_ready_file_replaces_one_of_its_own_alone_and_no_link_leads_it_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (ready, precious) = (folder.path().join("ready"), folder.path().join("precious"));
        fs::write(&precious, "precious").unwrap();
        let arguments = ["--log", "off", "--ready-file", ready.to_str().unwrap()];
        // A foreign file, and a folder.
        fs::write(&ready, "not an address").unwrap();
        for _ in 0..2 {
            let mut running = start(&arguments);
            assert!(!running.0.wait().unwrap().success());
            if ready.is_file() {
                assert_eq!(fs::read_to_string(&ready).unwrap(), "not an address");
                fs::remove_file(&ready).unwrap();
                fs::create_dir(&ready).unwrap();
            }
        }
        fs::remove_dir(&ready).unwrap();
        // A file of an earlier run; no temporary file remains.
        fs::write(&ready, "http://127.0.0.1:1").unwrap();
        let running = start(&arguments);
        // Links are placed where a careless program would write.
        let guessed = folder.path().join(format!("ready.{}", running.0.id()));
        #[cfg(unix)]
        std::os::unix::fs::symlink(&precious, &guessed).unwrap();
        let address = wait(|| fs::read_to_string(&ready).ok().filter(|text| !text.ends_with(":1")));
        assert_eq!(wire::send(&address, "GET", "/_emulator/health", &[], b"").status, 200);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        let _ = fs::remove_file(guessed);
        assert_eq!(files(folder.path()).into_keys().collect::<Vec<_>>(), ["precious", "ready"]);
    }
}

#[test]
fn a_foreign_host_spends_no_fault() {
    let runtime = runtime();
    with(&runtime, Emulator::builder(), |emulator| {
        let fault: Value = json!({"count": 1, "action": {"kind": "status", "status": 503}});
        let body = fault.to_string();
        let added = wire::send(&emulator.endpoint(), "POST", "/_emulator/faults", &[JSON], body.as_bytes());
        assert_eq!(added.status, 201);
        let foreign =
            wire::send(&emulator.endpoint(), "GET", &training_jobs(), &[TOKEN, ("host", "evil.example")], b"");
        assert_eq!(foreign.status, 403);
        assert_eq!(wire::send(&emulator.endpoint(), "GET", &training_jobs(), &[TOKEN], b"").status, 503);
    });
}
