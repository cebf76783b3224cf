//! Tests of files of updates, and of other input files.

use super::*;

const UPDATE: [&str; 4] = ["training-job", "update", "--from", "updates"];

/// The result of updates from a file: exit code, messages, and the sent bodies.
async fn updated(content: &[u8]) -> (Option<i32>, String, Vec<String>) {
    let server = Server::acting([response(200, &json!({"is_success": true}))]).await;
    let user = User::of(&server.endpoint);
    std::fs::write(user.path("updates"), content).unwrap();
    let output = user.runs(&[&UPDATE[..], &["--concurrency", "1"]].concat());
    let sent = server.arrived().into_iter().map(|request| {
        let id = request.target.rsplit('/').next().unwrap().to_owned();
        format!("{id} {}", String::from_utf8(request.body).unwrap())
    });
    (output.status.code(), stderr(&output).to_owned(), sent.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_spreadsheets_and_editors_are_read_or_rejected() {
    let may = r#"10 {"job_desc":"May"}"#;
    for content in [
        "\u{feff}{\"job_id\":10,\"job_desc\":\"May\"}\r\n",
        "\u{feff}job_id,job_desc\r\n10,May\r\n",
        "\u{feff}\r\n\r\njob_id,job_desc\r\n10,May\r\n\r\n",
        "\n \n{\"job_id\":10,\"job_desc\":\"May\"}",
        "{\"id\":\"10\",\"job-desc\":\"May\"}\n\n",
        " job_id , job_desc \n10,May\n",
        "\"job_id\",\"job_desc\"\n\"10\",\"May\"\n",
        "job_id,job_desc,\n10,May,\n,,\n",
    ] {
        let (code, said, sent) = updated(content.as_bytes()).await;
        assert_eq!((code, &sent[..]), (Some(0), &[may.to_owned()][..]), "{content:?}: {said}");
    }
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (content, reason) in [
        (utf_16("\u{feff}job_id,job_desc\n10,May\n"), "updates: is UTF-16; save the file as UTF-8"),
        (utf_16("job_id,job_desc\n10,May\n"), "updates: holds NUL characters"),
        (utf_16("\u{feff}{\"job_id\":10}\n"), "updates: is UTF-16"),
        (b"job_id,job_desc\n10,\xce\xe5\xd4\xc2\n".to_vec(), "updates, line 2: is not UTF-8, it may be GBK"),
        (b"{\"job_id\":10,\"job_desc\":\"caf\xe9\"}\n".to_vec(), "updates, line 1: is not UTF-8, it may be GBK"),
        (b"job_id;job_desc\n10;May\n".to_vec(), "columns are separated by commas"),
        (b"job_id\tjob_desc\n10\tMay\n".to_vec(), "columns are separated by commas"),
        (b"[{\"job_id\":10}]\n".to_vec(), "updates: is a JSON array"),
        (b"job_id,job_desc\n".to_vec(), "updates: has no rows"),
        (b"job_id,job_desc\n,\n , \n".to_vec(), "updates: has no rows"),
        (b"\xef\xbb\xbf".to_vec(), "updates: is empty"),
        (b"\xef\xbb\xbf\r\n".to_vec(), "updates: is empty"),
        (b"\xef\xbb\xbfjob_id,job_desc".to_vec(), "updates: has no rows"),
    ] {
        let (code, said, sent) = updated(&content).await;
        assert_eq!((code, sent.len()), (Some(2), 0), "{said}");
        assert!(said.contains(reason), "{reason}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nobody_can_understand_are_told_together_before_anything_is_sent() {
    for (content, faults) in [
        ("job_id,job_desc,job_desc\n1,a,b\n2,c,d\n", &["line 1: there are two columns of job_desc"][..]),
        ("job_id,id,job_desc\n1,2,a\n", &["line 1: there are two columns of job_id"]),
        ("id,job-id,job_desc,job-desc\n1,1,a,a\n", &["columns of job_id", "columns of job_desc"]),
        (
            "job_id,job_desc,job_desc\n1,a,b\n1,c,d\n",
            &["columns of job_desc", "line 3: names the same object as line 2"],
        ),
        ("job_id,job_desc\n10,a\n010,b\n", &["line 3: job_id: `010` is another way to write 10"]),
        (
            "job_id,job_desc\n+1,a\n-0,b\n\" 3\",c\n4,d,e\nfive,f\n7,g\n7,h\n",
            &[
                "line 2: job_id: `+1` is another way",
                "line 3: job_id: `-0`",
                "line 4: job_id: ` 3` has blanks",
                "line 5: 3 cells, and the header has 2",
                "line 6: five: ",
                "line 8: names the same object as line 7",
            ],
        ),
        ("{\"job_id\":1,\"id\":2,\"job_desc\":\"a\"}\n", &["line 1: job_id is given twice, once as `id`"]),
        (
            "{\"job_id\":1,\"job_id\":1,\"job_desc\":\"a\"}\n",
            &["line 1: not a JSON object: the field `job_id` comes twice"],
        ),
        ("{\"job_id\":1,\"job_desc\":\"a\",\"job-desc\":\"b\"}\n", &["line 1: job_desc is given twice"]),
        (
            "{\"job_id\":10,\"job_desc\":\"a\"}\n{\"job_id\":\"10\",\"job_desc\":\"b\"}\n{\"job_id\":\"010\",\"job_desc\":\"b\"}\n",
            &["line 2: names the same object as line 1", "line 3: job_id: `010`"],
        ),
        (
            "{\"job_id\":10.0,\"job_desc\":\"a\"}\n{\"job_id\":null,\"job_desc\":\"a\"}\n{\"job_id\":[1],\"job_desc\":\"a\"}\n\
          {\"job_id\":1e2,\"job_desc\":\"a\"}\n{\"job_id\":true,\"job_desc\":\"a\"}\n[1]\n{\"job_id\":3} x\n",
            &[
                "line 1: job_id is neither",
                "line 2: job_id is neither",
                "line 3: job_id is neither",
                "line 4: job_id is neither",
                "line 5: job_id is neither",
                "line 6: is no JSON object",
                "line 7: not a JSON object",
            ],
        ),
        ("job_id,,job_desc\n1,x,a\n", &["line 2: column 2 has no name in the header"]),
        ("job_desc,more\na,b\n", &["line 1: no column `more`"]),
    ] {
        let (code, said, sent) = updated(content.as_bytes()).await;
        assert_eq!((code, sent.len()), (Some(2), 0), "{content:?}: {said}");
        assert_eq!(said.lines().count(), faults.len(), "{content:?}: {said}");
        for (line, fault) in said.lines().zip(faults) {
            assert!(line.contains(fault), "{content:?}: {fault}: {said}");
        }
    }
    // Numbers stay unchanged as ids of objects with string ids.
    let user = User::of("http://127.0.0.1:1");
    std::fs::write(user.path("updates"), "id,name\n007,a\n7,b\n").unwrap();
    let shown = user.says(&["mrs", "job", "update", "--from", "updates", "--dry-run"]);
    assert!(shown.contains("/jobs/007\n") && shown.contains("/jobs/7\n"), "{shown}");
    // An id on the command line must be canonical too.
    for words in [&["training-job", "update", "010", "--job-desc", "x"][..], &["mrs", "job", "show", " a"]] {
        assert_eq!(user.runs(words).status.code(), Some(2), "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_is_no_part_of_a_file_or_body() {
    let mark = "\u{feff}";
    let body = format!("{mark}{{\"is_success\": true, \"job_id\": 7, \"job_name\": \"new\"}}");
    let answered = Act::Answer((head(200, "content-type: application/json\r\n", body.len()) + &body).into());
    let server = Server::acting([answered]).await;
    let user = User::of(&server.endpoint);
    std::fs::write(user.path("body.json"), format!("{mark}{{\"job_desc\":\"May\"}}")).unwrap();
    user.says(&["training-job", "update", "10", "--body", "body.json"]);
    assert!(
        user.told(&["training-job", "update", "10", "--body", "-"], &format!("{mark}{{\"job_desc\":\"May\"}}"))
            .status
            .success()
    );
    assert!(server.arrived().iter().all(|request| request.body == br#"{"job_desc":"May"}"#));
    let failure = format!("{mark}{{\"error_code\": \"X.1\", \"error_msg\": \"gone\"}}");
    let server = Server::raw(head(404, "", failure.len()) + &failure).await;
    let said = User::of(&server.endpoint).runs(&["training-job", "list"]);
    assert!(stderr(&said).contains("X.1 (404 Not Found): gone"), "{}", stderr(&said));

    for (words, file, content) in [
        (
            &["spec", "compat", "mrs.yaml", "mrs.yaml"][..],
            "mrs.yaml",
            "openapi: 3.0.3\ninfo: {version: 0.1.0}\npaths: {}\n",
        ),
        (&["emulator", "--ready-file", "none/at/all", "--load", "state.json"], "state.json", "{}"),
    ] {
        let user = User::new();
        std::fs::write(user.path(file), format!("{mark}{content}")).unwrap();
        let said = stderr(&user.runs(words)).to_owned();
        assert!(!said.contains("JSON") && !said.contains(file), "{words:?}: {said}");
    }
    let user = User::new();
    let secret = format!("{mark}not-a-real-secret\r\n");
    let init = user.told(&["profile", "init", "--ak", "KEY", "--region", "r"], &secret);
    assert!(init.status.success(), "{}", stderr(&init));
    let written = std::fs::read_to_string(user.path(".huaweicloud/credentials")).unwrap();
    assert!(written.contains("sk = not-a-real-secret\n"), "{written:?}");
    let sign = [
        "sign",
        "explain",
        "--method",
        "GET",
        "--url",
        "https://example.com/",
        "--ak",
        "A",
        "--date",
        "20200608T023900Z",
    ];
    let with = |key: &str| user.told(&[&sign[..], &["--sk", "-"]].concat(), key).stdout;
    assert_eq!(with("not-a-key"), with(&format!("{mark}not-a-key\r\n")));
    // The error names other encodings, for every input.
    std::fs::write(user.path("wide"), b"\xff\xfe{\0}\0").unwrap();
    for words in [&["training-job", "update", "10", "--body", "wide"][..], &["spec", "compat", "wide", "wide"]] {
        let output = user.runs(words);
        assert!(stderr(&output).contains("wide: is UTF-16; save the file as UTF-8"), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_come_twice_are_rejected_in_every_json_that_is_given() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    let twice = r#"{"job_desc": "a", "job_desc": "b"}"#;
    std::fs::write(user.path("body.json"), twice).unwrap();
    for words in [
        &["training-job", "update", "10", "--body", "body.json"][..],
        &["api", "update_training_job", "--param", "job_id=1", "--body", "body.json"],
        &["training-job", "create", "--job-name", "n", "--config", r#"{"a": {"b": 1, "b": 2}}"#],
    ] {
        let output = user.runs(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(stderr(&output).contains("comes twice"), "{words:?}: {}", stderr(&output));
    }
    assert!(server.arrived().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_on_the_command_line_is_warned_of_and_not_repeated() {
    let help = User::new().says(&["iam", "token", "create", "--help"]).replace("\n          ", " ");
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("- reads it from the standard input. A password that is written here is visible to others"),
        "{help}"
    );
    let server = Server::acting([response(201, &token())]).await;
    let user = User::new().with("HWJOBS_ENDPOINT", &server.endpoint);
    let auth = r#"{"identity": {"methods": ["password"], "password": {"user": {"name": "u", "password": "canary",
        "domain": {"name": "d"}}}}}"#;
    assert!(user.told(&["iam", "token", "create", "--auth", "-"], auth).status.success());
    assert!(user.runs(&["iam", "token", "create", "--auth", auth]).status.success());
    let bodies: Vec<Value> =
        server.arrived().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert!(
        bodies.len() == 2 && bodies.iter().all(|body| body["auth"] == serde_json::from_str::<Value>(auth).unwrap())
    );
    for (words, input) in [
        (&["iam", "token", "create", "--auth", r#"{"identity": "canary"#][..], ""),
        (&["iam", "token", "create", "--auth", "canary"], ""),
        (&["iam", "token", "create", "--auth", "-"], "canary"),
        (&["iam", "token", "create", "--auth", "-"], r#"{"canary": 1, "canary": 2}"#),
        (&["iam", "token", "create", "--auth", "-", "--body", "-"], "{}"),
    ] {
        let output = user.told(words, input);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", stderr(&output));
        assert!(!format!("{}{}", stdout(&output), stderr(&output)).contains("canary"), "{}", stderr(&output));
    }
}

#[test]
fn a_profile_holds_lines_only_that_were_meant() {
    let user = User::new();
    for values in [
        &["--ak", "A\nsk = stolen"][..],
        &["--ak", "A\r"],
        &["--ak", "A", "--region", "r\n[other]"],
        &["--ak", "A", "--project", "p\u{1b}[2J"],
        &["--ak", "A", "--endpoint", "http://127.0.0.1:1\nak = B"],
        &["--ak", "A\u{2028}B"],
        &["--user", "u\nx", "--domain", "d"],
        &["--user", "u", "--domain", "d\u{85}"],
        &["team\u{1b}", "--ak", "A"],
        &["a\rb", "--ak", "A"],
    ] {
        let output = user.told(&[&["profile", "init"], values].concat(), "not-a-real-secret\n");
        assert_eq!(output.status.code(), Some(2), "{values:?}: {}", stderr(&output));
        assert!(!Path::new(&user.path(".huaweicloud/credentials")).exists());
    }
    let output = user.told(&["profile", "init", "--ak", "A", "--region", "r"], "not-a\u{1b}-secret\n");
    assert!(stderr(&output).contains("sk holds a line end or another character"), "{}", stderr(&output));
}
