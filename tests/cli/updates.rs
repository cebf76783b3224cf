//! Many updates from a file, with a journal.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn updates_from_a_file_go_on_where_they_stopped() {
    let good = || response(200, &json!({"is_success": true}));
    let rejected = response(401, &json!({"error_code": "APIG.0301", "error_msg": "no"}));
    let gone = response(404, &json!({"error_code": "X.1", "error_msg": "gone"}));
    let server = Server::acting([good(), gone, rejected, good()]).await;
    let user = User::of(&server.endpoint);
    std::fs::write(user.path("updates.csv"), "job_id,job_desc\n1,\"one, 1\"\n2,two\n3,three\n4,four\n").unwrap();
    let update = ["training-job", "update", "--from", "updates.csv", "--concurrency", "1"];
    let dry = user.says(&[&update[..], &["--dry-run"]].concat());
    assert_eq!((dry.matches("PUT ").count(), server.arrived().len()), (4, 0));

    let first = user.runs(&update);
    // Rejected credentials are not retried, which would lock them.
    assert_eq!(first.status.code(), Some(4), "{}", stderr(&first));
    assert!(
        stderr(&first).contains("1 done, 2 failed, 1 not tried; journal: updates.csv.journal"),
        "{}",
        stderr(&first)
    );
    assert!(stdout(&first).contains("X.1 (404 Not Found): gone"), "{}", stdout(&first));
    let journal = std::fs::read_to_string(user.path("updates.csv.journal")).unwrap();
    let head = json!({"operation": "update_training_job", "endpoint": server.endpoint, "project": PROJECT});
    assert_eq!(serde_json::from_str::<Value>(journal.lines().next().unwrap()).unwrap(), head);
    assert_eq!(journal.lines().count(), 4);
    let dry = user.runs(&[&update[..], &["--dry-run"]].concat());
    assert_eq!(stdout(&dry).matches("PUT ").count(), 3);
    assert_eq!(stderr(&dry), "hwjobs: done before, and not sent again: 1\n");

    // A crash has cut the last line.
    std::fs::write(user.path("updates.csv.journal"), format!("{journal}{{\"digest\": \"12")).unwrap();
    let second = user.runs(&update);
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert!(stderr(&second).contains("3 done, 0 failed, 1 done before"), "{}", stderr(&second));
    let sent: Vec<_> =
        server.arrived().iter().map(|request| String::from_utf8(request.body.clone()).unwrap()).collect();
    let texts = ["one, 1", "two", "three", "two", "three", "four"];
    assert_eq!(sent, texts.map(|text| json!({"job_desc": text}).to_string()));
    let third = user.runs(&update);
    assert!(stderr(&third).contains("0 done, 0 failed, 4 done before"), "{}", stderr(&third));
    assert_eq!(server.arrived().len(), 6);

    // A changed text is a new update.
    let lines = "{\"id\": 1, \"job_desc\": \"new\"}\n\n{\"job_id\": 4, \"job_desc\": \"four\"}\n";
    std::fs::write(user.path("updates.jsonl"), lines).unwrap();
    let more = ["training-job", "update", "--from", "updates.jsonl", "--journal", "updates.csv.journal"];
    assert!(stderr(&user.runs(&more)).contains("1 done, 0 failed, 1 done before"));
}

#[test]
fn a_file_of_updates_is_checked_before_the_first_is_sent() {
    let user = User::of("http://127.0.0.1:1");
    for (text, said) in [
        ("job_id,job_desc\n1,a\n1,b\n", "line 3: names the same object as line 2"),
        ("", "updates: is empty"),
        (" \n\n", "updates: is empty"),
        ("job_id,job_desc\n1,\"cut off\n2,b\n", "updates, line 2: a quotation mark is opened and not closed"),
        ("job_id,desc\n1,a\n", "line 1: no column `desc`; there are job_id, job_desc"),
        ("job_desc\na\n", "line 1: job_id is missing"),
        ("{\"job_id\": 1, \"job_desc\": 5}\n", "updates, line 1: 1: update_training_job: job_desc: "),
        ("{\"job_id\": 1\n", "line 1: not a JSON object"),
        ("job_id,job_desc\n1\n", "line 2: 1 cells, and the header has 2"),
        ("job_id\n1\n", "\"job_desc\" is a required property"),
    ] {
        std::fs::write(user.path("updates"), text).unwrap();
        let output = user.runs(&["training-job", "update", "--from", "updates"]);
        assert_eq!(output.status.code(), Some(2), "{text}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{text}: {}", stderr(&output));
    }
    // All errors are reported in the order of the file.
    let rows = "job_id,job_desc\n1,\"say \"\"a, b\"\"\"\nten,x\n1,again\n2,fine\n3,x,y\nelf,y\n";
    let output = user.told(&["training-job", "update", "--from", "-"], rows);
    let lines: Vec<_> =
        stderr(&output).lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        lines,
        [
            "hwjobs: -, line 3",
            "  -, line 4: names the same object as line 2",
            "  -, line 6: 3 cells, and the header has 2",
            "  -, line 7: elf"
        ]
    );
    // Values of the command line apply to every row; lists and numbers are parsed by their type.
    let rows = "id,libs,is_public,description\na,\"[\"\"x\"\", \"\"y\"\"]\",true,\nb,z,,text\n";
    let update = ["mrs", "job", "update", "--from", "-", "--name", "all", "--dry-run", "-o", "jsonl"];
    let output = user.told(&update, rows);
    let requests: Vec<Value> = stdout(&output)
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(requests[0]["body"], json!({"name": "all", "libs": ["x", "y"], "is_public": true}));
    assert_eq!(requests[1]["body"], json!({"name": "all", "libs": ["z"], "description": "text"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_of_one_target() {
    let good = || response(200, &json!({"is_success": true}));
    let (rehearsal, production) = (Server::acting([good()]).await, Server::acting([good()]).await);
    let user = User::of(&rehearsal.endpoint);
    std::fs::write(user.path("updates.csv"), "job_id,job_desc\n1,one\n").unwrap();
    let update = ["training-job", "update", "--from", "updates.csv"];
    user.says(&update);
    for other in [&["--endpoint", &production.endpoint][..], &["--project", "another"]] {
        for more in [&[][..], &["--dry-run"]] {
            let rejected = user.runs(&[&update, other, more].concat());
            assert_eq!((rejected.status.code(), stdout(&rejected)), (Some(2), ""));
            let said = format!(
                "hwjobs: updates.csv.journal: this is the journal of update_training_job in the project {PROJECT} at {}, \
                 and not of update_training_job in the project ",
                rehearsal.endpoint
            );
            assert!(stderr(&rejected).starts_with(&said), "{}", stderr(&rejected));
        }
    }
    let other = ["visualization-job", "update", "--from", "updates.csv"];
    assert_eq!(user.runs(&other).status.code(), Some(2));
    let own = ["--endpoint", &production.endpoint, "--journal", "production"];
    assert!(stderr(&user.runs(&[&update[..], &own].concat())).contains("1 done, 0 failed; journal: production"));
    assert_eq!((rehearsal.arrived().len(), production.arrived().len()), (1, 1));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_updates_say_how_to_go_on() {
    for signal in [nix::sys::signal::Signal::SIGINT, nix::sys::signal::Signal::SIGTERM] {
        interrupted_updates(signal).await;
    }
}

#[cfg(unix)]
async fn interrupted_updates(signal: nix::sys::signal::Signal) {
    let server = Server::acting([response(200, &json!({"is_success": true})), Act::Hang]).await;
    let user = User::of(&server.endpoint);
    std::fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n2,b\n3,c\n").unwrap();
    let mut command = user.command(&["training-job", "update", "--from", "updates.csv", "--concurrency", "1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while server.arrived().len() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        tokio::task::yield_now().await;
    }
    let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(id, signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let summary = "hwjobs: 1 done, 0 failed, 2 without a response; journal: updates.csv.journal; the same command goes on \
                   from there\nhwjobs: interrupted\n";
    assert_eq!(stderr(&output), summary);
    assert_eq!(stdout(&output), "OBJECT  DONE   ERROR\n1       true\n");
}

#[cfg(target_os = "linux")]
#[test]
fn what_nohup_starts_goes_on_when_the_terminal_is_closed() {
    let mut command = Command::new("nohup");
    command.args([env!("CARGO_BIN_EXE_hwjobs"), "emulator"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    // Its first output means that it handles requests and signals.
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 1, 1, "{line}{status}");
}
