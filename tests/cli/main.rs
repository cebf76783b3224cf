//! The command line, as a user runs it.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use common::{Act, PROJECT, Server, TOKEN, head};
use huaweicloud_jobs::emulator::{Emulator, Transitions};
use huaweicloud_jobs::spec;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "../common/mod.rs"]
mod common;
mod guides;
mod outputs;
mod rows;
mod sign_explain;
#[cfg(unix)]
mod terminal;

fn hwjobs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hwjobs")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A user: a home folder, and variables of the environment.
struct User {
    home: TempDir,
    variables: Vec<(String, String)>,
}

impl User {
    /// A user without anything.
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A user of an endpoint, with a token.
    fn of(endpoint: &str) -> Self {
        let token = [("HWJOBS_ENDPOINT", endpoint), ("HWJOBS_TOKEN", TOKEN), ("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT)];
        token.into_iter().fold(Self::new(), |user, (name, value)| user.with(name, value))
    }

    /// A user of an emulator, with what it says of itself.
    fn of_emulator(emulator: &Emulator) -> Self {
        emulator.environment().into_iter().fold(Self::new(), |user, (name, value)| user.with(name, &value))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, file: &str) -> String {
        self.home.path().join(file).to_str().unwrap().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
        command.args(arguments).env_clear().env("HOME", self.home.path()).current_dir(self.home.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    fn runs(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints where it goes well.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.runs(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output).to_owned()
    }

    fn data(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["-o", "json"]].concat())).unwrap()
    }

    /// Runs it with a text on the standard input.
    fn told(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments);
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

/// A version of a training job, with what it cannot be used without.
fn version_answer(status: u32) -> Act {
    let ids = json!({"is_success": true, "job_id": 10, "job_name": "n", "version_id": 20, "version_name": "V1", "status": status});
    answer(200, &ids)
}

/// What signing in is answered besides the token itself.
fn token() -> Value {
    json!({"token": {"expires_at": "2030-01-01T00:00:00.000000Z", "methods": ["password"],
        "user": {"id": "1", "name": "u", "domain": {"id": "2", "name": "d"}, "password_expires_at": ""}, "roles": [], "catalog": []}})
}

/// An answer with a JSON body.
fn answer(status: u16, body: &Value) -> Act {
    let body = body.to_string();
    Act::Answer((head(status, "content-type: application/json\r\nx-request-id: req-7\r\n", body.len()) + &body).into())
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

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_early_is_no_failure() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for arguments in [
        &["quickstart"][..],
        &["training-job", "list"],
        &["training-job", "list", "-o", "json"],
        &["training-job", "list", "-o", "csv"],
        &["training-job", "list", "-o", "yaml"],
        &["mrs", "job", "list", "--dry-run"],
        &["completions", "bash"],
        &["training-job", "update", "10", "182626", "--job-desc", "x", "-o", "jsonl"],
    ] {
        let mut command = user.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("ipe"), "{arguments:?}: {}", stderr(&output));
    }
}

/// The words of every command with its help, found along the helps.
fn helps() -> &'static [(Vec<String>, String)] {
    static HELPS: LazyLock<Vec<(Vec<String>, String)>> = LazyLock::new(|| {
        let user = User::new();
        let mut found = Vec::new();
        let mut waiting = vec![Vec::new()];
        while let Some(words) = waiting.pop() {
            let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            let help = user.says(&arguments);
            let listed =
                help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
            let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
            let names = names.filter_map(|line| line.split_whitespace().next()).filter(|word| *word != "help");
            let below: Vec<_> = names.map(|word| [words.clone(), vec![word.to_owned()]].concat()).collect();
            waiting.extend(below.into_iter().rev());
            found.push((words, help));
        }
        found
    });
    &HELPS
}

#[test]
fn the_whole_surface_is_as_it_was_looked_at() {
    let mut surface = String::new();
    for (words, help) in helps() {
        let call = [&["hwjobs".to_owned()][..], words].concat().join(" ");
        let (_, examples) = help.split_once("\nExample").unwrap_or_else(|| panic!("{call} has no example"));
        for line in examples.lines().skip(1).take_while(|line| !line.is_empty()) {
            // What is to be copied is not wrapped on a usual terminal.
            assert!(line.starts_with("  ") && line.len() < 80, "{call}: {line}");
        }
        // They are the same everywhere: once is enough.
        let (before, after) = match help.split_once("Options of every call:\n") {
            Some((before, options)) if !words.is_empty() => {
                let end = options.split_once("Do not ask before deleting\n").map_or("", |(_, end)| end);
                (format!("{before}[options of every call]\n"), end)
            }
            _ => (help.clone(), ""),
        };
        surface += &format!("$ {call} --help\n{before}{after}\n");
    }
    expectorate::assert_contents(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help.txt"), &surface);
}

#[test]
fn examples_in_the_help_are_requests() {
    let mut tried = 0;
    for (operation, script, user) in examples_of_help("http://127.0.0.1:1") {
        let (document, described) = spec::operation(&operation).unwrap();
        let examples = document.examples(described);
        let body = examples.iter().find_map(|example| example.request).cloned().unwrap_or_default();
        let output = shell(&user, &format!("{script} --dry-run -o json"), &[]);
        assert!(output.status.success(), "{script}: {}", stderr(&output));
        let request: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(request["method"].as_str().unwrap().to_lowercase(), described.method, "{script}");
        // A password is not shown.
        if !body.is_null() && operation != "create_token" {
            assert_eq!(request["body"], body, "{script}");
        }
        tried += 1;
    }
    assert!(tried >= 58, "{tried}");
}

#[test]
fn every_operation_can_be_called_raw() {
    let user = User::of("http://127.0.0.1:1");
    let mut tried = 0;
    for document in spec::documents() {
        for operation in document.operations() {
            let Some(example) = document.examples(operation).into_iter().find(|example| example.parameters.is_some())
            else {
                continue;
            };
            let mut arguments = vec!["api".to_owned(), operation.id().to_owned()];
            for (name, value) in example.parameters.into_iter().flatten() {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                arguments.extend(["--param".to_owned(), format!("{name}={text}")]);
            }
            if let Some(body) = example.request {
                std::fs::write(user.path("body.json"), body.to_string()).unwrap();
                arguments.extend(["--body".to_owned(), "body.json".to_owned()]);
            }
            arguments.extend(["--dry-run", "-o", "json"].map(str::to_owned));
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let request: Value = serde_json::from_str(&user.says(&arguments)).unwrap();
            assert_eq!(request["method"].as_str().unwrap().to_lowercase(), operation.method);
            let secret = operation.id() == "create_token";
            assert!(secret || request["body"] == *example.request.unwrap_or(&Value::Null), "{arguments:?}: {request}");
            assert!(!secret || request["body"].to_string().contains("***"), "{request}");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried} of 58 operations have a documented request");
}

#[test]
fn version_and_help_name_the_exit_codes() {
    assert_eq!(stdout(&hwjobs(&["--version"])), format!("hwjobs {}\n", env!("CARGO_PKG_VERSION")));
    let help = User::new().says(&["--help"]);
    for line in ["2  usage", "3  configuration", "4  authentication", "5  not found", "6  conflict", "7  throttled"] {
        assert!(help.contains(line), "{line}");
    }
    for line in ["8  service", "9  network", "10  timeout", "11  decode", "12  permission", "130  interrupted"] {
        assert!(help.contains(line), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = User::new().command(&["--help"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn unknown_names_get_a_suggestion() {
    for (arguments, suggestion) in [
        (&["quickstrat"][..], "'quickstart'"),
        (&["trainig-job", "list"], "'training-job'"),
        (&["training-job", "lsit"], "'list'"),
        (&["training-job", "show", "10"], "tip: training-job has list, create, update, delete"),
        (&["--region", "r", "mrs", "job", "versions"], "tip: job has list, show, create, update, delete"),
        (&["training-job", "list", "--ordre", "asc"], "'--order'"),
        (&["mrs", "job", "create", "--type", "Sparc"], "'Spark'"),
        (&["api", "update_trainingjob"], "did you mean `update_training_job`?"),
    ] {
        let output = hwjobs(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(suggestion), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_reads_back_in_every_format() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::of_emulator(&emulator);
    assert_eq!(user.says(&["training-job", "update", "10", "--job-desc", "a, \"b\""]), "is_success  true\n");
    let list = ["training-job", "list", "--search-content", "test"];
    let table = user.says(&list);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("JOB_ID  JOB_NAME") && lines[0].ends_with("JOB_DESC"), "{table}");
    assert!(lines[1].starts_with("10      testModelArtsJob  10 Completed  2018-04-20T02:06:30Z"), "{table}");
    assert!(!table.contains('\u{1b}') && lines.len() == 2, "{table}");

    let data = user.data(&list);
    assert_eq!((&data["job_total_count"], &data["jobs"][0]["job_desc"]), (&json!(1), &json!("a, \"b\"")));
    let jsonl = user.says(&[&list[..], &["-o", "jsonl"]].concat());
    assert_eq!(serde_json::from_str::<Value>(&jsonl).unwrap(), data["jobs"][0]);
    let yaml: Value = serde_saphyr::from_str(&user.says(&[&list[..], &["-o", "yaml"]].concat())).unwrap();
    assert_eq!(yaml, data);
    let csv = user.says(&[&list[..], &["--output", "csv"]].concat());
    assert!(csv.starts_with("job_id,job_name,") && csv.contains(",\"a, \"\"b\"\"\","), "{csv}");

    let query = |query: &str, format: &str| user.says(&[&list[..], &["--query", query, "-o", format]].concat());
    assert_eq!(query("jobs[].job_name", "table"), "testModelArtsJob\n");
    assert_eq!(query("jobs[].[job_id, job_name]", "csv"), "10,testModelArtsJob\n");
    assert_eq!(query("jobs[0].job_id", "json"), "10\n");
    assert_eq!(query("jobs[].{id: job_id}", "jsonl"), "{\"id\":10}\n");
    assert_eq!(query("jobs[?job_id==`11`]", "table"), "");
    let wrong = user.runs(&[&list[..], &["--query", "jobs["]].concat());
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    assert!(stderr(&wrong).starts_with("hwjobs: --query: "), "{}", stderr(&wrong));
}

#[tokio::test(flavor = "multi_thread")]
async fn colour_is_for_terminals_and_can_be_switched_off() {
    let emulator = Emulator::start().await.unwrap();
    let list = ["training-job", "list"];
    // Only what is told to be a terminal gets colour here.
    let forced = User::of_emulator(&emulator).with("CLICOLOR_FORCE", "1");
    assert!(forced.says(&list).starts_with("\u{1b}[1mJOB_ID"));
    assert!(stderr(&forced.runs(&["training-job", "update", "999", "--job-desc", "x"])).contains('\u{1b}'));
    #[cfg(unix)]
    {
        use std::io::Read;
        let size = nix::pty::Winsize { ws_row: 24, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = nix::pty::openpty(Some(&size), None).unwrap();
        let user = User::of_emulator(&emulator).with("TERM", "xterm");
        let mut child = user.command(&["mrs", "job", "list"]).stdout(terminal.slave).spawn().unwrap();
        let mut master = std::fs::File::from(terminal.master);
        let mut text = Vec::new();
        // The end of the other side is an error here.
        let _ = master.read_to_end(&mut text);
        assert!(child.wait().unwrap().success());
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\u{1b}[1m") && text.lines().count() > 7, "{text}");
        let plain = text.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        assert!(plain.lines().all(|line| line.chars().count() <= 60), "{plain}");
        // Headers stay whole; what has no place is left out.
        for (list, columns) in [("training-job", 7), ("training-job-version", 7)] {
            let size = nix::pty::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
            let terminal = nix::pty::openpty(Some(&size), None).unwrap();
            let ids: &[&str] = if list == "training-job" { &[] } else { &["10"] };
            let mut command = user.command(&[&[list, "list"], ids].concat());
            let mut child = command.env("NO_COLOR", "1").stdout(terminal.slave).spawn().unwrap();
            drop(command);
            let mut text = Vec::new();
            let _ = std::fs::File::from(terminal.master).read_to_end(&mut text);
            assert!(child.wait().unwrap().success());
            let text = String::from_utf8(text).unwrap();
            let header = text.lines().next().unwrap();
            assert!(header.contains("CREATE_TIME") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
            assert_eq!(header.split_whitespace().count(), columns, "{text}");
        }
    }
    let without = forced.with("NO_COLOR", "1");
    assert!(without.says(&list).starts_with("JOB_ID"));
    assert!(!stderr(&without.runs(&["training-job", "update", "999", "--job-desc", "x"])).contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_failure_has_its_exit_code() {
    let stop = ["training-job-version", "stop", "1", "2"];
    for (status, body, code, words) in [
        (400, json!({"error_code": "X.1", "error_msg": "bad"}), 2, "invalid request: stop_training_job_version: X.1"),
        (401, json!({"error_code": "APIG.0301", "error_msg": "no"}), 4, "authentication: "),
        (403, json!({"error_code": "X.1", "error_msg": "not you"}), 12, "permission: "),
        (404, json!({"error_code": "X.1", "error_msg": "gone"}), 5, "not found: "),
        (409, json!({"error_code": "X.1", "error_msg": "taken"}), 6, "conflict: "),
        (429, json!({"error_code": "APIG.0308", "error_msg": "slow down"}), 7, "throttled: "),
        (500, json!({"error_code": "X.1", "error_msg": "broken"}), 8, "service: "),
        (200, json!({"is_success": false, "error_code": "X.1", "error_msg": "no"}), 8, "service: "),
    ] {
        let server = Server::acting([answer(status, &body)]).await;
        let output = User::of(&server.endpoint).runs(&stop);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.starts_with(&format!("hwjobs: {words}")), "{said}");
        assert!(said.contains("[request req-7]") && said.lines().count() <= 3, "{said}");
        assert!(output.stdout.is_empty());
    }
    let server = Server::acting([answer(401, &json!({"error_code": "APIG.0301", "error_msg": "no"}))]).await;
    let said = User::of(&server.endpoint).runs(&stop);
    assert!(stderr(&said).contains("\n  meaning: ") && stderr(&said).contains("\n  next: "), "{}", stderr(&said));

    // The status says that a permission is missing; the advice of a code that stands for something else does not fit.
    let codes = huaweicloud_jobs::ErrorCode::all().iter().filter(|code| code.remedy().is_some());
    let vague: Vec<_> = codes.filter(|code| code.kind().is_none()).collect();
    assert!(vague.iter().any(|code| code.code() == "ModelArts.0010"), "{vague:?}");
    for code in vague {
        let server = Server::acting([answer(403, &json!({"error_code": code.code(), "error_msg": "no"}))]).await;
        let output = User::of(&server.endpoint).runs(&stop);
        assert_eq!(output.status.code(), Some(12), "{}", stderr(&output));
        assert!(stderr(&output).contains("\n  next: Grant the permission"), "{}", stderr(&output));
        assert!(!stderr(&output).contains(code.remedy().unwrap()), "{}", stderr(&output));
    }

    let garbage = Server::raw(head(200, "content-type: application/json\r\n", 5) + "hello").await;
    assert_eq!(User::of(&garbage.endpoint).runs(&stop).status.code(), Some(11));
    let closing = Server::acting([Act::Close]).await;
    assert_eq!(User::of(&closing.endpoint).runs(&stop).status.code(), Some(9));

    let nobody = User::new().runs(&stop);
    assert_eq!(nobody.status.code(), Some(3));
    assert!(stderr(&nobody).starts_with("hwjobs: configuration: no credentials found"), "{}", stderr(&nobody));
    assert!(stderr(&nobody).contains("next: Write a profile with `hwjobs profile init`"), "{}", stderr(&nobody));
    let nowhere = User::new().with("HWJOBS_TOKEN", TOKEN).runs(&stop);
    assert_eq!((nowhere.status.code(), stderr(&nowhere).contains(".endpoint(")), (Some(3), false));
    assert!(
        stderr(&nowhere).contains("configuration: no endpoint given\n  next: Give --region"),
        "{}",
        stderr(&nowhere)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_for_other_machines_and_can_be_chosen() {
    // Nobody listens there.
    const DEAD: &str = "http://user:password-canary@127.0.0.1:9";
    const VARIABLES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let list = ["training-job", "list"];
    // An emulator of this machine is reached whatever the variables and the option say.
    let emulator = Emulator::start().await.unwrap();
    for name in VARIABLES {
        User::of_emulator(&emulator).with(name, DEAD).says(&list);
    }
    for proxy in ["none", DEAD] {
        User::of_emulator(&emulator).with("HTTP_PROXY", DEAD).says(&[&list[..], &["--proxy", proxy]].concat());
    }
    // Another machine is reached through the proxy, which the failure names without its password.
    let elsewhere = || User::of("http://service.invalid");
    let fails = |user: User, arguments: &[&str], code: i32| {
        let output = user.runs(&[&list[..], arguments].concat());
        let said = stderr(&output).to_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(!said.contains("canary"), "{said}");
        said
    };
    let said = fails(elsewhere(), &["--proxy", DEAD], 9);
    assert!(said.contains("service.invalid") && said.contains("http://127.0.0.1:9"), "{said}");
    let said = fails(elsewhere().with("HTTP_PROXY", DEAD), &[], 9);
    assert!(said.contains("http://127.0.0.1:9"), "{said}");
    // The option comes before the variables.
    let proxy = Server::acting([answer(200, &json!({"is_success": true, "job_total_count": 0, "jobs": []}))]).await;
    elsewhere().with("HTTP_PROXY", DEAD).says(&[&list[..], &["--proxy", &proxy.endpoint]].concat());
    assert!(proxy.arrived()[0].target.starts_with("http://service.invalid/v1/"), "{:?}", proxy.arrived());
    let said = fails(elsewhere().with("HTTP_PROXY", &proxy.endpoint), &["--proxy", "none"], 9);
    assert!(!said.contains("127.0.0.1") && proxy.arrived().len() == 1, "{said}");
    // What names no proxy is a mistake of the configuration, which `none` passes over.
    for wrong in ["ftp://user:password-canary@127.0.0.1", "http://"] {
        fails(elsewhere(), &["--proxy", wrong], 3);
        fails(elsewhere().with("HTTP_PROXY", wrong), &[], 3);
        User::of_emulator(&emulator).with("HTTP_PROXY", wrong).says(&[&list[..], &["--proxy", "none"]].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_before_it_is_sent() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    let long = "x".repeat(257);
    for (arguments, said) in [
        (
            &["training-job", "update", "10", "--job-desc", &long][..],
            "257 characters, which breaks the limit maxLength 256",
        ),
        (&["training-job", "update", "ten", "--job-desc", "x"], "job_id is not as described"),
        (&["training-job", "update", "10"], "--job-desc <TEXT>"),
        (&["training-job", "update", "--job-desc", "x"], "<JOB_ID>..."),
        (&["mrs", "job", "update", "..", "--name", "x"], "job_id is a relative path"),
        (&["mrs", "job", "show", "a/b"], "job_id holds a slash"),
        (&["mrs", "job", "update", "a"], "nothing is given: use --body or some of --name, --mains"),
        (&["mrs", "job", "update", "a", "--libs", "[1"], "not JSON"),
        (&["mrs", "job", "update", "a", "--is-public", "perhaps"], "neither true nor false"),
        (&["training-job", "list", "--per-page", "1001"], "more than 1000"),
        (&["api", "update_training_job", "--param", "job=1"], "no parameter `job`; there are job_id, project_id"),
        (&["api", "update_training_job", "--param", "job_id=1"], "body is missing"),
        (&["api", "list_training_jobs", "--param", "page"], "not NAME=VALUE"),
        (&["training-job", "create", "--job-name", "n", "--config", "{}"], "config: "),
        (&["training-job", "update", "1", "--body", "no-such-file"], "no-such-file: "),
        (&["training-job", "update", "10", "11", "10", "--job-desc", "x"], "10 is given twice"),
        (&["api", "list_training_jobs", "--param", "page=1", "--param", "page=2"], "--param: page is given twice"),
        (
            &["training-job", "update", "1", "--job-desc", "x", "--query", "foo(jobs)"],
            "--query: there is no function `foo`",
        ),
        (&["training-job", "list", "--query", "jobs[?a && !{b: sort_by(@, &bar(x))}.b]"], "there is no function `bar`"),
        (&["spec", "compat", "no-such-file", "openapi"], "no-such-file: "),
        (&["spec", "readme", "--check", "--file", "no-such-file"], "no-such-file: "),
        (&["spec", "show", "mrss"], "a similar value exists: 'mrs'"),
        (&["emulator", "--load", "no-such-file"], "no-such-file: "),
        (&["emulator", "--time-scale", "nan"], "it is a number that is not below 0"),
    ] {
        let output = user.runs(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    let output = user.told(&["api", "update_training_job", "--param", "job_id=1", "--body", "-"], r#"{"desc": "x"}"#);
    assert!(stderr(&output).contains("the body has no field `desc`; there are job_desc"), "{}", stderr(&output));
    assert!(server.arrived().is_empty());
    // Who knows better than the description can say so.
    let unchecked = ["api", "update_training_job", "--param", "job_id=1", "--no-check", "--body", "-"];
    assert!(user.told(&unchecked, r#"{"desc": "x"}"#).status.success());
    assert_eq!(server.arrived()[0].body, br#"{"desc":"x"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_request_and_sends_nothing() {
    let server = Server::json(200, "{}").await;
    let user = User::of(&server.endpoint);
    let update = ["training-job", "update", "10", "--job-desc", "May", "--dry-run"];
    assert_eq!(
        user.says(&update),
        format!(
            "PUT {}/v1/{PROJECT}/training-jobs/10\naccept: application/json\ncontent-type: application/json\n\
             x-auth-token: ***\n\n{{\n  \"job_desc\": \"May\"\n}}\n",
            server.endpoint
        )
    );
    let data = user.data(&update);
    assert_eq!((&data["method"], &data["body"]), (&json!("PUT"), &json!({"job_desc": "May"})));
    user.says(&["training-job", "delete", "10", "--dry-run"]);
    assert_eq!(
        user.says(
            &["training-job", "stop", "10"]
                .map(|word| if word == "stop" { "update" } else { word })
                .into_iter()
                .chain(["182626", "--job-desc", "x", "--dry-run"])
                .collect::<Vec<_>>()
        )
        .matches("PUT ")
        .count(),
        2
    );

    // A password would have to be sent for a token, and a name for the id of a project.
    let user =
        User::new().with("HWJOBS_ENDPOINT", &server.endpoint).with("HWJOBS_USER", "u").with("HWJOBS_DOMAIN", "d");
    let user = user.with("HWJOBS_PASSWORD", "canary-not-a-secret").with("HWJOBS_PROJECT_NAME", "cn-north-4_team");
    let output = user.runs(&update);
    assert!(stdout(&output).contains("/v1/id-of-cn-north-4_team/training-jobs/10"), "{}", stdout(&output));
    assert!(stdout(&output).contains("x-auth-token: ***"), "{}", stdout(&output));
    assert!(!format!("{}{}", stdout(&output), stderr(&output)).contains("canary"));
    let body = r#"{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u",
        "password": "canary-not-a-secret", "domain": {"name": "d"}}}}}}"#;
    let token = user.told(&["iam", "token", "create", "--body", "-", "--dry-run"], body);
    assert!(stdout(&token).contains("\"password\": \"***\""), "{}", stdout(&token));
    assert!(server.arrived().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_go_before_the_environment_and_that_before_the_profile() {
    let user = User::new();
    std::fs::create_dir(user.path(".huaweicloud")).unwrap();
    let file = "[default]\nak = EXAMPLEKEY\nsk = not-a-key\nendpoint = http://profile.example\nproject_id = of-profile\n\
                [team]\ntoken = not-a-token\nendpoint = http://team.example\nproject_id = of-team\n";
    std::fs::write(user.path(".huaweicloud/credentials"), file).unwrap();
    let list = ["training-job", "list", "--dry-run"];
    let url = |user: &User, more: &[&str]| user.says(&[more, &list[..]].concat()).lines().next().unwrap().to_owned();
    assert_eq!(url(&user, &[]), "GET http://profile.example/v1/of-profile/training-jobs");
    assert_eq!(url(&user, &["--profile", "team"]), "GET http://team.example/v1/of-team/training-jobs");
    let user = user.with("HWJOBS_ENDPOINT", "http://variable.example").with("HWJOBS_PROFILE", "default");
    assert_eq!(url(&user, &[]), "GET http://variable.example/v1/of-profile/training-jobs");
    assert_eq!(url(&user, &["--profile", "team"]), "GET http://variable.example/v1/of-team/training-jobs");
    let flags = ["--endpoint", "http://flag.example", "--project", "of-flag"];
    assert_eq!(url(&user, &flags), "GET http://flag.example/v1/of-flag/training-jobs");
    // Options may stand at the end as well.
    let end = user.says(&[&list[..], &flags].concat());
    assert!(end.starts_with("GET http://flag.example/v1/of-flag/"), "{end}");
    let user = user.with("HUAWEICLOUD_SDK_PROJECT_ID", "of-variable");
    assert_eq!(url(&user, &["--profile", "team"]), "GET http://variable.example/v1/of-variable/training-jobs");
    assert_eq!(url(&user, &flags), "GET http://flag.example/v1/of-flag/training-jobs");
    let shown = user.data(&["profile", "show", "team", "--endpoint", "http://flag.example", "--region", "r"]);
    let used = ["project_id", "endpoint", "region"].map(|name| shown[name].as_str().unwrap());
    assert_eq!(used, ["of-variable", "http://flag.example", "r"]);
    // With an id no name is looked up.
    let named = user.with("HWJOBS_PROJECT_NAME", "name");
    assert_eq!(url(&named, &[]), "GET http://variable.example/v1/of-variable/training-jobs");
    let unknown = named.runs(&["--profile", "gone", "training-job", "list"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(stderr(&unknown).contains("has default, team"), "{}", stderr(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_refused_without_a_terminal_unless_it_is_allowed() {
    let server = Server::acting([Act::Answer(head(204, "", 0).into())]).await;
    let user = User::of(&server.endpoint);
    for delete in [&["mrs", "job", "delete", "a", "b"][..], &["api", "delete_job", "--param", "job_id=a"]] {
        let refused = user.runs(delete);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("give --yes, since there is no terminal to ask on"), "{}", stderr(&refused));
    }
    assert!(server.arrived().is_empty());
    let done = user.runs(&["mrs", "job", "delete", "a", "--yes"]);
    assert_eq!((done.status.code(), stdout(&done), stderr(&done)), (Some(0), "", "hwjobs: done\n"));
    assert_eq!(server.arrived().len(), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn deleting_asks_on_a_terminal() {
    use std::io::Read;
    let server = Server::acting([Act::Answer(head(204, "", 0).into())]).await;
    for (typed, code, sent) in [("no\n", 2, 0), ("\n", 2, 0), ("y\n", 0, 1)] {
        let terminal = nix::pty::openpty(None, None).unwrap();
        let side = || Stdio::from(terminal.slave.try_clone().unwrap());
        let mut child = User::of(&server.endpoint)
            .command(&["training-job-version", "delete", "10", "20"])
            .stdin(side())
            .stderr(side())
            .spawn()
            .unwrap();
        // Reading ends when the command does.
        drop(terminal.slave);
        let mut master = std::fs::File::from(terminal.master);
        let mut said = Vec::new();
        while !said.ends_with(b"[y/N] ") {
            let mut byte = [0];
            master.read_exact(&mut byte).unwrap();
            said.push(byte[0]);
        }
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said, "This will delete training-job-version 10 20. Go on? [y/N] ");
        master.write_all(typed.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{typed:?}");
        assert_eq!(server.arrived().len(), sent, "{typed:?}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_with_a_code_of_its_own() {
    // Once it has waited to try again, it listens for the signal.
    let server = Server::acting([Act::Answer(head(503, "", 0).into()), Act::Hang]).await;
    let user = User::of(&server.endpoint);
    let mut command = user.command(&["training-job", "list"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while server.arrived().len() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        tokio::task::yield_now().await;
    }
    let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(130), "hwjobs: interrupted\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn verbose_shows_requests_without_secrets() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::of_emulator(&emulator);
    let output = user.runs(&["training-job", "update", "10", "--job-desc", "May", "--verbose"]);
    let said = stderr(&output);
    assert!(said.contains("> PUT http://127.0.0.1:") && said.contains("> authorization: ***"), "{said}");
    assert!(said.contains("status=200") && said.contains("< 200 OK [request "), "{said}");
    assert!(!said.contains("not-a-secret") && !said.contains("Signature="), "{said}");
    assert_eq!(stdout(&output), "is_success  true\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_put_together() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for list in [&["training-job", "list", "--per-page", "1"][..], &["visualization-job", "list", "--per-page", "2"]] {
        let whole = user.data(&list[..2]);
        let pages = user.data(&[list, &["--paginate"]].concat());
        assert_eq!(pages["jobs"], whole["jobs"], "{list:?}");
        assert!(pages["jobs"].as_array().unwrap().len() > 1);
    }
    // By marker, and by a number that the documents call an offset.
    for (list, items) in [
        (&["mrs", "job", "list", "--limit", "2"][..], "jobs"),
        (&["mrs", "job-execution", "list", "--limit", "7"], "job_executions"),
        (&["labeling-job", "list", "--limit", "1"], "jobs"),
    ] {
        let whole = user.data(&list[..list.len() - 2]);
        let pages = user.data(&[list, &["--paginate"]].concat());
        assert_eq!(pages[items], whole[items], "{list:?}");
    }
    let raw = user.data(&["api", "list_jobs", "--param", "limit=1", "--paginate"]);
    assert_eq!(raw["jobs"], user.data(&["mrs", "job", "list"])["jobs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_that_counts_items_loses_and_repeats_nothing() {
    let page = |ids: &[u32]| {
        let jobs: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string(), "name": "n"})).collect();
        answer(200, &json!({"is_success": true, "job_total_count": 5, "jobs": jobs}))
    };
    // Two on a page; one of them is read again once the service is known to count items.
    let server = Server::acting([page(&[1, 2]), page(&[2, 3]), page(&[3, 4]), page(&[4, 5]), page(&[5])]).await;
    let user = User::of(&server.endpoint);
    let list = ["labeling-job", "list", "--limit", "2", "--paginate", "--query", "jobs[].id"];
    assert_eq!(user.says(&list), "1\n2\n3\n4\n5\n");
    let offsets: Vec<_> =
        server.arrived().iter().map(|request| request.target.split('?').nth(1).unwrap().to_owned()).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4].map(|offset| format!("offset={offset}&limit=2")));
}

/// What a service returns that never comes to an end, and how the command ends all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_repeats_pages_has_failed() {
    let jobs = |next: &str, ids: &[&str]| {
        let jobs: Vec<Value> = ids.iter().map(|id| json!({"id": id, "name": "n"})).collect();
        answer(200, &json!({"markers": {"prev": null, "next": next}, "jobs": jobs}))
    };
    let numbered = |ids: &[u32]| {
        let jobs: Vec<Value> = ids.iter().map(|id| json!({"job_id": id, "job_name": "n"})).collect();
        answer(200, &json!({"is_success": true, "job_total_count": 5, "jobs": jobs}))
    };
    let circle = ["b", "c", "d", "b", "c", "d", "b", "c", "d", "b", "c", "d"].map(|next| jobs(next, &[next]));
    let empty: Vec<Act> = (0..500).map(|number: u32| jobs(&number.to_string(), &[])).collect();
    let by_marker = &["mrs", "job", "list", "--paginate"][..];
    let by_number = &["training-job", "list", "--per-page", "2", "--paginate"][..];
    for (what, command, acts, rows, most) in [
        ("its own marker", by_marker, vec![jobs("a", &["a"])], 1, 2),
        ("a circle of markers", by_marker, circle.to_vec(), 3, 12),
        ("empty pages", by_marker, empty, 0, 120),
        ("the same page", by_number, vec![numbered(&[1, 2])], 2, 3),
    ] {
        for format in ["jsonl", "csv", "json"] {
            let server = Server::acting(acts.clone()).await;
            let output = User::of(&server.endpoint).runs(&[command, &["-o", format]].concat());
            let place = format!("{what}, {format}: {}", stderr(&output));
            assert_eq!(output.status.code(), Some(8), "{place}");
            assert!(stderr(&output).contains("the service repeats pages"), "{place}");
            assert!(server.arrived().len() <= most, "{place}: {} requests", server.arrived().len());
            // What came is printed where rows stand alone.
            let header = usize::from(format == "csv" && rows > 0);
            let expected = if format == "json" { 0 } else { rows + header };
            assert_eq!(stdout(&output).lines().count(), expected, "{place}: {}", stdout(&output));
        }
    }
}

/// Each page is requested once, each row is printed once, and no more than some pages are held at a time.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_printed_page_by_page() {
    const JOBS: u32 = 20_000;
    const PAGE: u32 = 500;
    let emulator =
        Emulator::builder().empty().training_jobs(JOBS).check_answers(false).record(100).start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for format in ["jsonl", "csv"] {
        let per_page = PAGE.to_string();
        let list = ["training-job", "list", "--per-page", &per_page, "--paginate", "-o", format];
        let mut child = user.command(&list).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        // The largest memory so far, in KiB; the program waits until its rows are read.
        let memory = || -> Option<u64> {
            let text = std::fs::read_to_string(&status).ok()?;
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
        };
        let (mut rows, mut early, mut late) = (BTreeSet::new(), None, None);
        for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
            assert!(rows.insert(line.unwrap()), "{format}: a row comes twice");
            match rows.len() {
                2_000 => early = memory(),
                18_000 => late = memory(),
                _ => {}
            }
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(rows.len(), JOBS as usize + usize::from(format == "csv"), "{format}");
        let requests = emulator.take_exchanges().len();
        assert!((JOBS.div_ceil(PAGE) as usize..=JOBS.div_ceil(PAGE) as usize + 1).contains(&requests), "{requests}");
        let (early, late) = (early.unwrap(), late.unwrap());
        assert!(late < early + 6 * 1024, "{format}: {early} KiB after 2,000 rows, {late} KiB after 18,000");
    }
}

/// Rows that are printed page by page are those of the whole.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_pages_are_those_of_the_whole() {
    let emulator = Emulator::builder().training_jobs(250).start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for format in ["jsonl", "csv", "yaml", "table"] {
        let whole = user.says(&["training-job", "list", "--per-page", "1000", "-o", format]);
        let pages = user.says(&["training-job", "list", "--per-page", "7", "--paginate", "-o", format]);
        assert_eq!(pages, whole, "{format}");
        assert!(whole.lines().count() > 250, "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_answers_come_with_their_headers() {
    let body = token().to_string();
    let headers = "x-subject-token: a-token-not-a-secret\r\nx-request-id: req-7\r\n";
    let server = Server::raw(head(201, headers, body.len()) + &body).await;
    let request = r#"{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u", "password": "p",
        "domain": {"name": "d"}}}}}}"#;
    let user = User::of(&server.endpoint);
    let output = user.told(&["api", "create_token", "--body", "-", "--include", "-o", "json"], request);
    let data: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&data["status"], &data["headers"]["x-subject-token"]), (&json!(201), &json!("a-token-not-a-secret")));
    assert_eq!(server.arrived()[0].header("x-auth-token"), None);
}

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

/// The command decides as the library does, whose tables are its unit tests.
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
        // What has not ended shows in any time; what has ended must not be overtaken by the limit on a busy machine.
        let limit = if code == 10 { "200ms" } else { "1m" };
        let output = User::of(&server.endpoint).runs(&[command, &["--timeout", limit, "--interval", "1ms"]].concat());
        assert_eq!(output.status.code(), Some(code), "{body}: {}", stderr(&output));
    }
    // A failure that may pass ends no wait.
    let busy = answer(503, &json!({"error_code": "X.1", "error_msg": "later"}));
    let done = answer(200, &exe(json!(3), json!(2)));
    let acts = [vec![busy; 5], vec![done]].concat();
    let server = Server::acting(acts).await;
    let output = User::of(&server.endpoint).runs(&[of_exe, &["--interval", "1ms"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_until_its_version_ends() {
    let log = |content: &str, end: u32| {
        answer(
            200,
            &json!({"is_success": true, "content": content, "lines": 1, "start_line": "0", "end_line": end.to_string()}),
        )
    };
    let version = |status: u32| version_answer(status);
    let files = answer(200, &json!({"is_success": true, "log_file_list": ["first.log", "second.log"]}));
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

#[tokio::test(flavor = "multi_thread")]
async fn updates_from_a_file_go_on_where_they_stopped() {
    let good = || answer(200, &json!({"is_success": true}));
    let refused = answer(401, &json!({"error_code": "APIG.0301", "error_msg": "no"}));
    let gone = answer(404, &json!({"error_code": "X.1", "error_msg": "gone"}));
    let server = Server::acting([good(), gone, refused, good()]).await;
    let user = User::of(&server.endpoint);
    std::fs::write(user.path("updates.csv"), "job_id,job_desc\n1,\"one, 1\"\n2,two\n3,three\n4,four\n").unwrap();
    let update = ["training-job", "update", "--from", "updates.csv", "--concurrency", "1"];
    let dry = user.says(&[&update[..], &["--dry-run"]].concat());
    assert_eq!((dry.matches("PUT ").count(), server.arrived().len()), (4, 0));

    let first = user.runs(&update);
    // Credentials that are refused once are not tried again: that would lock them.
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

    // The power went off in the middle of a line.
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

    // Another text is another update.
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
    // All that is wrong is told, in the order of the file.
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
    // What the command line says holds for every row; lists and numbers are read as what they are.
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
    let good = || answer(200, &json!({"is_success": true}));
    let (rehearsal, production) = (Server::acting([good()]).await, Server::acting([good()]).await);
    let user = User::of(&rehearsal.endpoint);
    std::fs::write(user.path("updates.csv"), "job_id,job_desc\n1,one\n").unwrap();
    let update = ["training-job", "update", "--from", "updates.csv"];
    user.says(&update);
    for other in [&["--endpoint", &production.endpoint][..], &["--project", "another"]] {
        for more in [&[][..], &["--dry-run"]] {
            let refused = user.runs(&[&update, other, more].concat());
            assert_eq!((refused.status.code(), stdout(&refused)), (Some(2), ""));
            let said = format!(
                "hwjobs: updates.csv.journal: this is the journal of update_training_job in the project {PROJECT} at {}, \
                 and not of update_training_job in the project ",
                rehearsal.endpoint
            );
            assert!(stderr(&refused).starts_with(&said), "{}", stderr(&refused));
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
    let server = Server::acting([answer(200, &json!({"is_success": true})), Act::Hang]).await;
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
    let summary = "hwjobs: 1 done, 0 failed, 2 without an answer; journal: updates.csv.journal; the same command goes on \
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
    // What it prints first says that it listens, to signals too.
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 1, 1, "{line}{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_fails_on_the_answer_loses_nothing() {
    let server = Server::json(200, r#"{"is_success": true, "job_id": 7, "job_name": "new"}"#).await;
    let user = User::of(&server.endpoint);
    let create =
        ["visualization-job", "create", "--job-name", "new", "--train-url", "/bucket/", "--query", "length(job_id)"];
    let output = user.runs(&[&create[..], &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).starts_with("hwjobs: --query: "), "{}", stderr(&output));
    assert_eq!(serde_json::from_str::<Value>(stdout(&output)).unwrap()["job_id"], 7);
    let many = ["training-job", "update", "1", "2", "--job-desc", "x", "--query", "length(results[0].done)"];
    let output = user.runs(&many);
    assert!(stderr(&output).contains("2 done, 0 failed\n") && output.status.code() == Some(2), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_as_described_is_no_success() {
    let update = ["training-job", "update", "10", "--job-desc", "x"];
    let create = ["visualization-job", "create", "--job-name", "new", "--train-url", "/bucket/"];
    let show = ["mrs", "job", "show", "a"];
    for (command, body, said) in [
        (&update[..], "{}", "missing field `is_success`"),
        (&update[..], "[]", "is not an object"),
        (&show[..], r#"{"job": {}}"#, "body at `job`: missing field `"),
    ] {
        let server = Server::json(200, body).await;
        let output = User::of(&server.endpoint).runs(command);
        assert_eq!((output.status.code(), stdout(&output)), (Some(11), ""), "{body}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{body}: {}", stderr(&output));
    }
    let server = Server::json(200, "{}").await;
    let many = User::of(&server.endpoint).runs(&["training-job", "update", "10", "11", "--job-desc", "x"]);
    assert_eq!((many.status.code(), stderr(&many)), (Some(1), "hwjobs: 0 done, 2 failed\n"));
    // An update that is answered with nothing is made.
    let server = Server::json(200, "").await;
    assert_eq!(stderr(&User::of(&server.endpoint).runs(&update)), "hwjobs: done\n");
    // What else may be missing or come as it likes does.
    let body = r#"{"is_success": true, "job_id": "7", "job_name": "new", "more": {}}"#;
    let server = Server::json(200, body).await;
    assert!(User::of(&server.endpoint).says(&create).contains("job_id    7"));
    let raw = ["api", "update_training_job", "--param", "job_id=1", "--body", "-", "--no-check"];
    let server = Server::json(200, "[]").await;
    assert_eq!(User::of(&server.endpoint).told(&raw, "{}").status.code(), Some(0));
}

/// One field is documented in seconds and the other in milliseconds; services print both in either.
#[tokio::test(flavor = "multi_thread")]
async fn tables_show_times_by_their_number_of_digits() {
    let show = ["mrs", "job-exe", "show", "a"];
    let submit = [
        &["mrs", "job", "submit", "--job-type", "1", "--job-name", "a", "--jar-path", "s3a://x/j.jar"][..],
        &["--cluster-id", "e955a7a3-d334-4943-a39a-994976900d56"],
    ]
    .concat();
    for printed in ["1496387588913", "1496387588", "\"1496387588913\""] {
        for (command, field) in [(&show[..], "create_at"), (&submit[..], "created_at")] {
            let body = format!(r#"{{"job_execution": {{"id": "a", "{field}": {printed}, "start_time": {printed}}}}}"#);
            let server = Server::json(200, &body).await;
            let table = User::of(&server.endpoint).says(command);
            assert_eq!(table.matches("2017-06-02T07:13:08Z").count(), 2, "{printed}: {table}");
        }
    }
}

/// What was started must not be lost: what can be read of a response is printed, the id first.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_started_is_reported_whatever_its_response() {
    let (document, submit) = spec::operation("submit_job").unwrap();
    let example = document.examples(submit).into_iter().find(|example| example.response.is_some()).unwrap();
    let whole = example.response.unwrap().1.to_string();
    let id = example.response.unwrap().1["job_execution"]["id"].as_str().unwrap().to_owned();
    let command =
        ["mrs", "job", "submit", "--job-type", "1", "--job-name", "n", "--cluster-id", "c", "--jar-path", "/a.jar"];
    let cut = &whole[..whole.len() / 2];
    for (what, server, code) in [
        ("a broken body", Server::json(200, cut).await, 11),
        ("a broken connection", Server::raw(head(200, "", whole.len()) + cut).await, 9),
    ] {
        let user = User::of(&server.endpoint);
        for format in ["table", "json", "yaml"] {
            let output = user.runs(&[&command[..], &["-o", format]].concat());
            let (out, err) = (stdout(&output), stderr(&output));
            assert_eq!(output.status.code(), Some(code), "{what}, {format}: {err}");
            let first = out.lines().find(|line| line.contains("id")).unwrap_or_else(|| panic!("{what}: {out}{err}"));
            assert!(first.contains(&id), "{what}, {format}: {out}");
            assert!(err.contains("the work was started"), "{what}: {err}");
        }
        // Never sent twice.
        assert_eq!(server.arrived().len(), 3, "{what}");
    }
    // What was created without being billed is reported too.
    let server = Server::json(200, r#"{"is_success": true, "job_id": null, "job_name": "new"}"#).await;
    let create = ["visualization-job", "create", "--job-name", "new", "--train-url", "/bucket/"];
    let output = User::of(&server.endpoint).runs(&create);
    assert_eq!(output.status.code(), Some(11), "{}", stderr(&output));
    assert!(stdout(&output).contains("job_name  new"), "{}", stdout(&output));
    assert!(stderr(&output).contains("missing field `job_id`"), "{}", stderr(&output));
}

/// Each documented response of each operation is printed, by the raw command and by that of the noun.
#[tokio::test(flavor = "multi_thread")]
async fn documented_answers_are_printed() {
    let mut printed = 0;
    for (operation, script, user) in examples_of_help("http://127.0.0.1:1") {
        let (document, described) = spec::operation(&operation).unwrap();
        if script.contains(" wait ") {
            continue;
        }
        for example in document.examples(described) {
            let Some((status, body)) = example.response.filter(|(status, _)| status.starts_with('2')) else { continue };
            let server = Server::json(status.parse().unwrap(), &body.to_string()).await;
            let script = format!("{} --yes -o json", script.replace("--follow", ""));
            let output = shell(&user, &script, &[("HWJOBS_ENDPOINT", server.endpoint.clone())]);
            assert!(output.status.success(), "{script}: {}", stderr(&output));
            let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            assert!(shown == *body || body.is_null(), "{script}: {shown}");
            printed += 1;
        }
    }
    assert!(printed >= 60, "{printed}");
}

/// Each command of an operation works against the emulator with the documents' own objects.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_runs_against_the_emulator() {
    let (mut ran, mut succeeded) = (BTreeSet::new(), 0);
    for (operation, script, mut user) in examples_of_help("http://127.0.0.1:1") {
        user.variables.clear();
        let emulator = Emulator::builder().transitions(Transitions::AtOnce).start().await.unwrap();
        let environment = emulator.environment();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.clone())).collect();
        // The documents' visualization job never runs: what is waited for need not come.
        let waits = script.contains(" wait ");
        let mut fine = vec![0];
        // What a placeholder names does not exist, and some states allow less than the documents' example wants.
        fine.extend(
            // The documents' exe object ended with the final status of a failure: 1.
            [(1, waits), (5, script.contains("_ID")), (6, true), (10, waits)]
                .iter()
                .filter(|(_, may)| *may)
                .map(|(code, _)| *code),
        );
        let output = shell(&user, &format!("{} --yes", script.replace("30m", "1s")), &environment);
        let code = output.status.code().unwrap();
        assert!(fine.contains(&code), "{script}: {}{}", stdout(&output), stderr(&output));
        succeeded += usize::from(code == 0);
        ran.insert(operation);
    }
    let described = spec::documents().iter().flat_map(|document| document.operations());
    let described: BTreeSet<String> = described.map(|operation| operation.id().to_owned()).collect();
    assert_eq!(ran, described);
    assert!(succeeded > 45, "{succeeded}");
}

/// The examples of the helps with their operations, each with a user who has the documented body in `body.json`.
fn examples_of_help(endpoint: &str) -> Vec<(String, String, User)> {
    let mut found = Vec::new();
    for (_, help) in helps() {
        let Some((_, rest)) = help.split_once("Operation: ") else { continue };
        let (operation, rest) = rest.split_once('\n').unwrap();
        let (document, described) = spec::operation(operation).unwrap();
        let examples = document.examples(described);
        let body = examples.iter().find_map(|example| example.request).cloned().unwrap_or_default();
        let (_, lines) = rest.split_once("Example").unwrap();
        let lines: String =
            lines.lines().skip(1).map(|line| line.trim().trim_end_matches('\\').to_owned() + " ").collect();
        for example in lines.split("hwjobs ").skip(1).filter(|example| !example.contains("updates.csv")) {
            let user = User::of(endpoint);
            std::fs::write(user.path("body.json"), body.to_string()).unwrap();
            found.push((operation.to_owned(), format!("'{}' {example}", env!("CARGO_BIN_EXE_hwjobs")), user));
        }
    }
    found
}

fn shell(user: &User, script: &str, environment: &[(&str, String)]) -> Output {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script]).env_clear().envs(user.variables.iter().cloned()).envs(environment.iter().cloned());
    shell.env("HOME", user.home.path()).current_dir(user.home.path()).stdin(Stdio::null()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_does_not_steer_the_terminal() {
    let evil = "a\u{1b}[2J\u{9b}31m\u{202e}b\tc";
    let shown = r"a\u{1b}[2J\u{9b}31m\u{202e}b c";
    let body =
        json!({"is_success": true, "job_total_count": 1, "jobs": [{"job_id": 1, "job_name": "n", "job_desc": evil}]});
    let server = Server::acting([answer(200, &body)]).await;
    let user = User::of(&server.endpoint);
    let list = ["training-job", "list"];
    for more in [&[][..], &["--query", "jobs[].job_desc"], &["--query", "jobs[].[job_desc]"]] {
        let table = user.says(&[&list[..], more].concat());
        assert!(table.contains(shown) && !table.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{table:?}");
    }
    assert_eq!(user.data(&list)["jobs"][0]["job_desc"], evil);
    assert!(user.says(&["training-job", "list", "-o", "csv"]).contains(evil));
    let failing = Server::acting([answer(404, &json!({"error_code": "X.1", "error_msg": evil}))]).await;
    let failed = User::of(&failing.endpoint).runs(&list);
    assert!(stderr(&failed).contains(shown), "{:?}", stderr(&failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_needs_an_address_and_nothing_else() {
    let body = token();
    let server = Server::acting([answer(201, &body)]).await;
    let request = r#"{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u", "password": "p",
        "domain": {"name": "d"}}}}}}"#;
    let user = User::new().with("HWJOBS_ENDPOINT", &server.endpoint);
    for command in [&["iam", "token", "create", "--body", "-"][..], &["api", "create_token", "--body", "-"]] {
        let output = user.told(command, request);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(server.arrived().len(), 2);
    assert!(server.arrived().iter().all(|request| request.target.starts_with("/v3/auth/tokens")));
    // A profile that was meant is not passed over.
    let unknown = user.with("HWJOBS_PROFILE", "gone").told(&["api", "create_token", "--body", "-"], request);
    assert_eq!(unknown.status.code(), Some(3), "{}", stderr(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_ids_are_updated_alike() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::of_emulator(&emulator);
    let output = user.runs(&["training-job", "update", "10", "999", "182626", "--job-desc", "alike"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "hwjobs: 2 done, 1 failed\n");
    let ids = user.says(&["training-job", "list", "--query", "sort(jobs[?job_desc=='alike'].job_id)"]);
    assert_eq!(ids, "10\n182626\n");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_written_listed_chosen_and_checked() {
    use std::os::unix::fs::PermissionsExt;
    let emulator = Emulator::start().await.unwrap();
    let variables = emulator.environment();
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name).unwrap().1.as_str();
    let (ak, sk, endpoint) = (value("HUAWEICLOUD_SDK_AK"), value("HUAWEICLOUD_SDK_SK"), value("HWJOBS_ENDPOINT"));
    let project = value("HUAWEICLOUD_SDK_PROJECT_ID");
    let user = User::new();
    let file = user.path(".huaweicloud/credentials");

    let init = ["profile", "init", "--ak", ak, "--endpoint", endpoint, "--project", project];
    let output = user.told(&init, &format!("{sk}\n"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("profile default written; try it with `hwjobs profile check default`"));
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&user.path(".huaweicloud"))), (0o600, 0o700));
    let expected = format!("[default]\nak = {ak}\nsk = {sk}\nproject_id = {project}\nendpoint = {endpoint}\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    let checked = user.data(&["profile", "check"]);
    assert_eq!((&checked["credentials"], &checked["project_id"]), (&json!("accepted"), &json!(project)));

    // What else is in the file stays, comments too.
    std::fs::write(&file, format!("# by hand\n{expected}; the team's\n[basic]\nother = x\n")).unwrap();
    let again = user.told(&init, "another\n");
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("has a profile default; --yes replaces"), "{}", stderr(&again));
    let password = ["profile", "init", "team", "--domain", value("HWJOBS_DOMAIN"), "--user", value("HWJOBS_USER")];
    let output =
        user.told(&[&password[..], &["--endpoint", endpoint, "--project", project]].concat(), value("HWJOBS_PASSWORD"));
    assert!(output.status.success(), "{}", stderr(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&format!("# by hand\n{expected}; the team's\n[basic]\nother = x\n\n[team]\n")), "{text}");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(user.data(&["profile", "check", "team"])["credentials"], "accepted");
    let count = user.says(&["--profile", "team", "training-job", "list", "--query", "length(jobs) > `1`"]);
    assert_eq!(count, "true\n");

    let listed = user.says(&["profile", "list", "-o", "csv"]);
    assert!(listed.contains(&format!("\ndefault,true,key pair,,{project},\n")), "{listed}");
    assert!(
        listed.contains("\nbasic,false,") && listed.contains("holds neither keys nor a password nor a token"),
        "{listed}"
    );
    let shown = user.says(&["profile", "show", "team"]);
    assert!(shown.contains("[team]") && shown.contains("emulator-user"), "{shown}");
    for secret in [sk, value("HWJOBS_PASSWORD")] {
        assert!(!format!("{listed}{shown}{}", user.says(&["profile", "show"])).contains(secret));
    }

    // The default holds credentials itself, until they have a name of their own.
    let refused = user.runs(&["profile", "use", "team"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    std::fs::write(&file, text.replace("[default]", "[mine]")).unwrap();
    assert_eq!(user.runs(&["profile", "use", "gone"]).status.code(), Some(3));
    user.says(&["profile", "use", "team"]);
    assert!(user.says(&["profile", "show"]).contains("[team]"));
    user.says(&["profile", "use", "mine"]);
    assert!(user.says(&["profile", "show"]).contains("[mine]"));
    assert!(user.says(&["profile", "list"]).contains("mine     true"), "{}", user.says(&["profile", "list"]));

    // A secret that cannot be right is not written.
    let text = std::fs::read_to_string(&file).unwrap();
    let broken = user.told(&["profile", "init", "new", "--ak", "KEY"], "two words\n");
    assert_eq!(broken.status.code(), Some(3), "{}", stderr(&broken));
    assert!(!stderr(&broken).contains("two words"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let wrong =
        user.told(&["profile", "init", "wrong", "--ak", "WRONGKEY", "--endpoint", endpoint, "--project", "p"], "x\n");
    assert!(wrong.status.success());
    assert_eq!(user.runs(&["profile", "check", "wrong"]).status.code(), Some(4));
}

#[test]
fn a_dry_run_of_a_profile_writes_nothing() {
    let user = User::new();
    let init = ["profile", "init", "team", "--ak", "EXAMPLEKEY", "--region", "cn-north-4"];
    let output = user.told(&[&init[..], &["--dry-run"]].concat(), "canary-not-a-secret\n");
    let file = user.path(".huaweicloud/credentials");
    let shown = format!("{file}:\n[team]\nak = EXAMPLEKEY\nsk = ***\nregion = cn-north-4\n");
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), &*shown), "{}", stderr(&output));
    assert!(!Path::new(&file).exists());
    assert!(user.told(&init, "canary-not-a-secret\n").status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(user.says(&["profile", "use", "team", "--dry-run"]), format!("{file}:\n[default]\nprofile = team\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    // A file that is named has to be there, unless it is to be written.
    let named = user.with("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "elsewhere");
    let list = named.runs(&["profile", "list"]);
    assert_eq!((list.status.code(), stdout(&list)), (Some(3), ""));
    assert!(stderr(&list).contains("names elsewhere, which does not exist"), "{}", stderr(&list));
    assert!(named.told(&init, "canary-not-a-secret\n").status.success());
    assert!(named.says(&["profile", "list"]).contains("team"));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_checked_without_a_project() {
    let emulator = Emulator::builder().project("p1", "one").project("p2", "two").start().await.unwrap();
    let without = |left: &[&str]| {
        let variables = emulator.environment().into_iter();
        let variables = variables.filter(|(name, _)| !name.contains("PROJECT") && !left.contains(name));
        variables.fold(User::new(), |user, (name, value)| user.with(name, &value))
    };
    let keys = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"];
    for user in [without(&["HWJOBS_USER", "HWJOBS_PASSWORD", "HWJOBS_DOMAIN"]), without(&keys)] {
        let output = user.runs(&["profile", "check"]);
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(0), "ID  NAME  CHOSEN\np1  one   false\np2  two   false\n"),
            "{}",
            stderr(&output)
        );
        assert!(stderr(&output).contains("the credentials are good, and no project is chosen"), "{}", stderr(&output));
        assert!(user.says(&["profile", "check", "--dry-run"]).contains("/v3/auth/projects"));
        assert_eq!(user.data(&["profile", "check", "--project", "p2"])["project_name"], "two");
        let other = user.runs(&["profile", "check", "--project", "p3"]);
        assert_eq!(other.status.code(), Some(2), "{}", stderr(&other));
    }
}

/// Whether a terminal shows what is typed.
#[cfg(unix)]
fn echoes(terminal: &std::os::fd::OwnedFd) -> bool {
    use nix::sys::termios::{LocalFlags, tcgetattr};
    tcgetattr(terminal).unwrap().local_flags.contains(LocalFlags::ECHO)
}

#[cfg(unix)]
#[test]
fn ctrl_c_at_a_hidden_question_gives_the_terminal_its_echo_back() {
    use std::io::Read;
    let terminal = nix::pty::openpty(None, None).unwrap();
    assert!(echoes(&terminal.slave));
    let side = || Stdio::from(terminal.slave.try_clone().unwrap());
    let user = User::new();
    // The terminal becomes the one that controls the command.
    let program = env!("CARGO_BIN_EXE_hwjobs");
    let mut setsid = Command::new("setsid");
    let command = setsid.args(["--ctty", "--wait", program, "profile", "init", "--ak", "KEY", "--region", "r"]);
    let command = command.env_clear().env("HOME", user.home.path()).current_dir(user.home.path());
    let mut child = command
        .env("PATH", std::env::var("PATH").unwrap())
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .unwrap();
    let mut master = std::fs::File::from(terminal.master);
    let mut said = Vec::new();
    while !said.ends_with(b"(SK): ") {
        let mut byte = [0];
        master.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    while echoes(&terminal.slave) {
        std::thread::yield_now();
    }
    master.write_all(b"\x03").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(echoes(&terminal.slave));
}

#[test]
fn shells_and_man_know_the_commands() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.says(&["completions", shell]);
        assert!(script.contains("training-job-version") && script.contains("job-desc"), "{shell}");
        // Not all shells are given the values of what has no name.
        let values = script.contains("save_annotation_job_validation");
        assert!(values || matches!(shell, "fish" | "elvish" | "powershell"), "{shell}");
    }
    user.says(&["man", "pages"]);
    let page = std::fs::read_to_string(user.path("pages/hwjobs-training-job-update.1")).unwrap();
    let examples = ".SH EXAMPLES\n.EX\n  hwjobs training\\-job update 10 ";
    assert!(page.contains("job\\-desc") && page.contains(examples) && page.ends_with("\n.EE\n"), "{page}");
    let whole = std::fs::read_to_string(user.path("pages/hwjobs.1")).unwrap();
    assert!(whole.contains(".SH \"EXIT STATUS\"\n.EX\n    0  success\n"), "{whole}");
    let pages = std::fs::read_dir(user.path("pages")).unwrap().count();
    assert!(pages > 80, "{pages}");
}

/// The page shows what the commands print.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_the_command_line_is_true() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_hwjobs")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (mut written, mut in_block, mut tried) = (String::new(), false, 0);
    for line in page.lines() {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            // What was printed is written anew.
            _ if in_block && !line.starts_with("$ ") => continue,
            _ => {}
        }
        written += &format!("{line}\n");
        let Some(command) = line.strip_prefix("$ ").filter(|_| in_block) else { continue };
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .env_clear()
            .envs(emulator.environment())
            .env("PATH", &path);
        let output = shell.env("HOME", user.home.path()).current_dir(user.home.path()).output().unwrap();
        written += &steady(stdout(&output), &emulator, &user);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
    expectorate::assert_contents(file, &written);
}

/// A text without what is different in each run.
#[cfg(unix)]
fn steady(text: &str, emulator: &Emulator, user: &User) -> String {
    let text = text.replace(&emulator.endpoint(), "http://127.0.0.1:8080");
    let text = text.replace(user.home.path().to_str().unwrap(), "/home/me");
    let mut lines = String::new();
    for line in text.lines() {
        let line = match (line.split_once("x-sdk-date: "), line.split_once(" [request ")) {
            (Some((before, _)), _) => format!("{before}x-sdk-date: 20300101T000000Z"),
            (_, Some((before, rest))) => format!("{before} [request 0000...0001]{}", rest.split_once(']').unwrap().1),
            _ => line.to_owned(),
        };
        lines += &(line + "\n");
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_ends_after_the_time_that_it_is_given() {
    let server = Server::acting([Act::Hang]).await;
    let started = std::time::Instant::now();
    let output = User::of(&server.endpoint).runs(&["training-job", "list", "--timeout", "300ms"]);
    assert_eq!(output.status.code(), Some(10), "{}", stderr(&output));
    // The limit without the option is a minute.
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    for wrong in ["-1s", "soon"] {
        let output = User::of(&server.endpoint).runs(&["training-job", "list", &format!("--timeout={wrong}")]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", stderr(&output));
    }
    assert_eq!(server.arrived().len(), 1);
}
