//! Commands that are one operation: options, formats, failures.

use super::*;

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
    // Only a terminal gets colours.
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
        // A closed terminal is an I/O error.
        let _ = master.read_to_end(&mut text);
        assert!(child.wait().unwrap().success());
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\u{1b}[1m") && text.lines().count() == 7, "{text}");
        let plain = text.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        assert!(plain.lines().all(|line| line.chars().count() <= 60), "{plain}");
        // Headers are complete; columns without room are left out.
        for (list, columns) in [("training-job", 5), ("training-job-version", 5)] {
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
        let server = Server::acting([response(status, &body)]).await;
        let output = User::of(&server.endpoint).runs(&stop);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.starts_with(&format!("hwjobs: {words}")), "{said}");
        assert!(said.contains("[request req-7]") && said.lines().count() <= 3, "{said}");
        assert!(output.stdout.is_empty());
    }
    let server = Server::acting([response(401, &json!({"error_code": "APIG.0301", "error_msg": "no"}))]).await;
    let said = User::of(&server.endpoint).runs(&stop);
    assert!(stderr(&said).contains("\n  meaning: ") && stderr(&said).contains("\n  next: "), "{}", stderr(&said));

    // The status means a missing permission; the remedy of a general code does not fit.
    let codes = huaweicloud_jobs::ErrorCode::all().iter().filter(|code| code.remedy().is_some());
    let vague: Vec<_> = codes.filter(|code| code.kind().is_none()).collect();
    assert!(vague.iter().any(|code| code.code() == "ModelArts.0010"), "{vague:?}");
    for code in vague {
        let server = Server::acting([response(403, &json!({"error_code": code.code(), "error_msg": "no"}))]).await;
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
    // Nothing listens there.
    const DEAD: &str = "http://user:password-canary@127.0.0.1:9";
    const VARIABLES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let list = ["training-job", "list"];
    // An emulator of this machine is reached without a proxy, whatever the variables and the option say.
    let emulator = Emulator::start().await.unwrap();
    for name in VARIABLES {
        User::of_emulator(&emulator).with(name, DEAD).says(&list);
    }
    for proxy in ["none", DEAD] {
        User::of_emulator(&emulator).with("HTTP_PROXY", DEAD).says(&[&list[..], &["--proxy", proxy]].concat());
    }
    // Another machine is reached through the proxy, which the error names without its password.
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
    let proxy = Server::acting([response(200, &json!({"is_success": true, "job_total_count": 0, "jobs": []}))]).await;
    elsewhere().with("HTTP_PROXY", DEAD).says(&[&list[..], &["--proxy", &proxy.endpoint]].concat());
    assert!(proxy.arrived()[0].target.starts_with("http://service.invalid/v1/"), "{:?}", proxy.arrived());
    let said = fails(elsewhere().with("HTTP_PROXY", &proxy.endpoint), &["--proxy", "none"], 9);
    assert!(!said.contains("127.0.0.1") && proxy.arrived().len() == 1, "{said}");
    // A malformed proxy is a configuration error, which `none` ignores.
    for wrong in ["ftp://user:password-canary@127.0.0.1", "http://"] {
        fails(elsewhere(), &["--proxy", wrong], 3);
        fails(elsewhere().with("HTTP_PROXY", wrong), &[], 3);
        User::of_emulator(&emulator).with("HTTP_PROXY", wrong).says(&[&list[..], &["--proxy", "none"]].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_rejected_before_it_is_sent() {
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
    // Validation can be disabled.
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

    // A token would need a password request, and a project id a look-up by name.
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
    // With an id, no name is looked up.
    let named = user.with("HWJOBS_PROJECT_NAME", "name");
    assert_eq!(url(&named, &[]), "GET http://variable.example/v1/of-variable/training-jobs");
    let unknown = named.runs(&["--profile", "gone", "training-job", "list"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(stderr(&unknown).contains("has default, team"), "{}", stderr(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_rejected_without_a_terminal_unless_it_is_allowed() {
    let server = Server::acting([Act::Answer(head(204, "", 0).into())]).await;
    let user = User::of(&server.endpoint);
    for delete in [&["mrs", "job", "delete", "a", "b"][..], &["api", "delete_job", "--param", "job_id=a"]] {
        let rejected = user.runs(delete);
        assert_eq!(rejected.status.code(), Some(2));
        assert!(
            stderr(&rejected).contains("give --yes, since there is no terminal to ask on"),
            "{}",
            stderr(&rejected)
        );
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
        // The read ends with the command.
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
    // After its first wait before a retry, it handles the signal.
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

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_the_system_are_read_for_tls_alone() {
    let emulator = Emulator::start().await.unwrap();
    let without = |user: User| user.with("SSL_CERT_FILE", "/no/such/file").with("SSL_CERT_DIR", "/no/such/folder");
    without(User::of_emulator(&emulator)).says(&["training-job", "list"]);
    let output = without(User::of("https://127.0.0.1:9")).runs(&["training-job", "list"]);
    assert!(!output.status.success() && stderr(&output).contains("certificates"), "{}", stderr(&output));
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
    // An update with an empty response has succeeded.
    let server = Server::json(200, "").await;
    assert_eq!(stderr(&User::of(&server.endpoint).runs(&update)), "hwjobs: done\n");
    // All optional fields may be missing or have any form.
    let body = r#"{"is_success": true, "job_id": "7", "job_name": "new", "more": {}}"#;
    let server = Server::json(200, body).await;
    assert!(User::of(&server.endpoint).says(&create).contains("job_id    7"));
    let raw = ["api", "update_training_job", "--param", "job_id=1", "--body", "-", "--no-check"];
    let server = Server::json(200, "[]").await;
    assert_eq!(User::of(&server.endpoint).told(&raw, "{}").status.code(), Some(0));
}

/// The id of started work must not be lost: the readable part of a response is printed, the id first.
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
    // Created objects without billing are reported too.
    let server = Server::json(200, r#"{"is_success": true, "job_id": null, "job_name": "new"}"#).await;
    let create = ["visualization-job", "create", "--job-name", "new", "--train-url", "/bucket/"];
    let output = User::of(&server.endpoint).runs(&create);
    assert_eq!(output.status.code(), Some(11), "{}", stderr(&output));
    assert!(stdout(&output).contains("job_name  new"), "{}", stdout(&output));
    assert!(stderr(&output).contains("missing field `job_id`"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_does_not_steer_the_terminal() {
    let evil = "a\u{1b}[2J\u{9b}31m\u{202e}b\tc";
    let shown = r"a\u{1b}[2J\u{9b}31m\u{202e}b c";
    let body =
        json!({"is_success": true, "job_total_count": 1, "jobs": [{"job_id": 1, "job_name": "n", "job_desc": evil}]});
    let server = Server::acting([response(200, &body)]).await;
    let user = User::of(&server.endpoint);
    let list = ["training-job", "list"];
    for more in [&[][..], &["--query", "jobs[].job_desc"], &["--query", "jobs[].[job_desc]"]] {
        let table = user.says(&[&list[..], more].concat());
        assert!(table.contains(shown) && !table.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{table:?}");
    }
    assert_eq!(user.data(&list)["jobs"][0]["job_desc"], evil);
    assert!(user.says(&["training-job", "list", "-o", "csv"]).contains(evil));
    let failing = Server::acting([response(404, &json!({"error_code": "X.1", "error_msg": evil}))]).await;
    let failed = User::of(&failing.endpoint).runs(&list);
    assert!(stderr(&failed).contains(shown), "{:?}", stderr(&failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_needs_an_address_and_nothing_else() {
    let body = token();
    let server = Server::acting([response(201, &body)]).await;
    let request = r#"{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u", "password": "p",
        "domain": {"name": "d"}}}}}}"#;
    let user = User::new().with("HWJOBS_ENDPOINT", &server.endpoint);
    for command in [&["iam", "token", "create", "--body", "-"][..], &["api", "create_token", "--body", "-"]] {
        let output = user.told(command, request);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(server.arrived().len(), 2);
    assert!(server.arrived().iter().all(|request| request.target.starts_with("/v3/auth/tokens")));
    // A selected profile is never ignored.
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
