//! Tests of `hwjobs sign explain` as a user runs it.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const HOST: &str = "service.endpoint.myhuaweicloud.com";
const URL: &str = "https://service.endpoint.myhuaweicloud.com/resources?size=1";
const DATE: &str = "20200608T023900Z";
/// The published signature of that (vector P1).
const SIGNATURE: &str = "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const CANARY: &str = "canary-0123456789";

/// A run with no keys in its environment but the given variables, and with a standard input.
fn run(variables: &[(&str, &str)], input: &[u8], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    for name in ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"] {
        command.env_remove(name);
    }
    let mut child = command
        .args(["sign", "explain"])
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    match child.stdin.take().unwrap().write_all(input) {
        // It does not read what it does not need.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        outcome => outcome.unwrap(),
    }
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

const KEYS: [&str; 4] = ["--ak", "AccessKey", "--sk", "SecretKey"];

/// Vector P1 and more arguments.
fn explain(arguments: &[&str]) -> Output {
    run(&[], b"", &[&["--method", "GET", "--url", URL, "--date", DATE][..], &KEYS, arguments].concat())
}

/// Returns the JSON output of a successful run.
fn as_json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    assert!(output.stderr.is_empty(), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code 2, nothing on the standard output, and one line of message, which it gives.
fn rejected(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(2), "{}{}", stdout(output), stderr(output));
    assert_eq!(stdout(output), "");
    let message = stderr(output).strip_prefix("hwjobs: ").unwrap().strip_suffix('\n').unwrap();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn gives_what_the_suite_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signing");
    let (mut count, mut failures) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if case.get("hkdf").is_some() || case.get("verify_only").is_some() {
            continue;
        }
        count += 1;
        let (expected, name) = (&case["expected"], &case["name"]);
        let fields = ["canonical_request", "string_to_sign", "signature", "authorization"];
        let expected = Value::Object(fields.iter().map(|name| ((*name).to_owned(), expected[name].clone())).collect());
        for way in [Way::AbsoluteAndFile, Way::PathAndStdin] {
            let output = explain_case(&case, way);
            let ours: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if !output.status.success() || ours != expected {
                failures.push(format!("{name}: {}\n{ours:#}\nshould be\n{expected:#}", stderr(&output)));
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 90, "there are only {count} cases");
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Host from an absolute address, `X-Sdk-Date` from `--date`, body from a file, the secret key as a flag.
    AbsoluteAndFile,
    /// All headers as they are in the case, body from the standard input, the secret key from the environment.
    PathAndStdin,
}

fn explain_case(case: &Value, way: Way) -> Output {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let request = &case["request"];
    let body = match &request["body_hex"] {
        Value::String(digits) => hex::decode(digits).unwrap(),
        _ => text(&request["body"]).into_bytes(),
    };
    let headers: Vec<(String, String)> = serde_json::from_value(request["headers"].clone()).unwrap();
    let (path, query) = (text(&request["path"]), text(&request["query"]));
    let mut target = if path.is_empty() && way == Way::PathAndStdin { "/".to_owned() } else { path };
    if !query.is_empty() {
        target += &format!("?{query}");
    }
    let mut arguments: Vec<String> = vec![];
    let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    add("--method", text(&request["method"]));
    add("--date", text(&case["date"]));
    add("--ak", text(&case["access_key"]));
    add("--algorithm", text(&case["algorithm"]));
    add("--format", "json".to_owned());
    if let Some(scope) = case.get("scope") {
        add("--region", text(&scope["region"]));
        add("--service", text(&scope["service"]));
    }
    match &case["sign"] {
        Value::Array(names) => add("--signed-headers", names.iter().map(text).collect::<Vec<_>>().join(";")),
        sign if sign == "usual" => {
            let usual = "host;x-domain-id;x-project-id;x-sdk-content-sha256;x-sdk-date;x-security-token";
            let is_there = |name: &&str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            add("--signed-headers", usual.split(';').filter(is_there).collect::<Vec<_>>().join(";"));
        }
        sign => assert_eq!(sign, "every"),
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &body).unwrap();
    let secret_key = text(&case["secret_key"]);
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    for (name, value) in &headers {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match () {
            () if way == Way::PathAndStdin => add("--header", format!("{name}:{value}")),
            () if is("host") || is("x-sdk-date") => {}
            () if is("x-project-id") => add("--project-id", value.clone()),
            () if is("x-security-token") => add("--security-token", value.clone()),
            () => add("--header", format!("{name}: {value}")),
        }
    }
    let variables: &[(&str, &str)] = match way {
        Way::AbsoluteAndFile => {
            // 443 stays in an http address.
            let (_, host) = host.unwrap();
            let scheme = if host.ends_with(":443") { "http" } else { "https" };
            add("--url", format!("{scheme}://{host}{target}"));
            add("--body", file.path().to_str().unwrap().to_owned());
            add("--sk", secret_key);
            &[]
        }
        Way::PathAndStdin => {
            add("--url", target);
            add("--body", "-".to_owned());
            &[("HUAWEICLOUD_SDK_SK", &secret_key.clone())]
        }
    };
    run(variables, &body, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn text_for_people() {
    let output = explain(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "== Canonical request\n\
         GET\n\
         /resources/\n\
         size=1\n\
         host:service.endpoint.myhuaweicloud.com\n\
         x-sdk-date:20200608T023900Z\n\
         \n\
         host;x-sdk-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
         \n\
         == String to sign\n\
         SDK-HMAC-SHA256\n\
         20200608T023900Z\n\
         de94dd1e1ccdb730b403ce35d7e14f7c7b04337f6def1c3a3a2ba936852b133f\n\
         \n\
         == Signature\n\
         cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842\n\
         \n\
         == Authorization\n\
         SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=host;x-sdk-date, \
         Signature=cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842\n"
    );
}

#[test]
fn every_header_that_is_given_is_signed_unless_some_are_named() {
    let headers = ["--header", "Content-Type: application/json", "--header", "TEST_HEADER: 1", "--format", "json"];
    let signed = |arguments: &[&str]| {
        let value = as_json(&explain(&[&headers[..], arguments].concat()));
        value["canonical_request"].as_str().unwrap().rsplit('\n').nth(1).unwrap().to_owned()
    };
    assert_eq!(signed(&[]), "content-type;host;x-sdk-date");
    assert_eq!(signed(&["--project-id", "1"]), "content-type;host;x-project-id;x-sdk-date");
    assert_eq!(signed(&["--signed-headers", "Host; test_header"]), "host;test_header;x-sdk-date");
    assert_eq!(signed(&["--signed-headers", "x-sdk-date"]), "x-sdk-date");
}

#[test]
fn address_gives_host_path_and_query() {
    let host = |url: &str, header: &[&str]| {
        let arguments = [&["--method", "GET", "--date", DATE, "--format", "json", "--url", url][..], &KEYS, header];
        let value = as_json(&run(&[], b"", &arguments.concat()));
        let lines: Vec<&str> = value["canonical_request"].as_str().unwrap().split('\n').collect();
        lines[1..4].join(" ")
    };
    assert_eq!(host("https://example.com", &[]), "/  host:example.com");
    assert_eq!(host("https://example.com:443?b&a=1", &[]), "/ a=1&b= host:example.com");
    assert_eq!(host("HTTP://example.com:80/a", &[]), "/a/  host:example.com");
    assert_eq!(host("http://example.com:443/a", &[]), "/a/  host:example.com:443");
    assert_eq!(host("https://[::1]:8443/a/../b%2fc", &[]), "/a/../b%2Fc/  host:[::1]:8443");
    assert_eq!(
        host("https://example.com/?to=https://other.example", &[]).split(' ').next_back(),
        Some("host:example.com")
    );
    assert_eq!(host("/a", &["--header", "HOST: example.com:1"]), "/a/  host:example.com:1");
    // The sent form is the signed form.
    assert_eq!(host("https://example.com/a", &["--header", "Host: other.example"]), "/a/  host:other.example");
}

#[test]
fn date_is_the_flag_the_header_or_now() {
    let date = |arguments: &[&str]| {
        let arguments = [&["--method", "GET", "--url", URL, "--format", "json"][..], &KEYS, arguments].concat();
        let value = as_json(&run(&[], b"", &arguments));
        value["string_to_sign"].as_str().unwrap().split('\n').nth(1).unwrap().to_owned()
    };
    assert_eq!(date(&["--date", DATE]), DATE);
    assert_eq!(date(&["--header", "X-Sdk-Date: 20200608T023901Z"]), "20200608T023901Z");
    let now: huaweicloud_jobs::session::signing::Date = date(&[]).parse().unwrap();
    let distance = std::time::SystemTime::now().duration_since(now.into()).unwrap();
    assert!(distance.as_secs() < 60, "{now}");
}

#[test]
fn keys_from_the_environment_and_the_standard_input() {
    let request = ["--method", "GET", "--url", URL, "--date", DATE, "--format", "json"];
    let run = |variables: &[(&str, &str)], input: &str, arguments: &[&str]| {
        as_json(&run(variables, input.as_bytes(), &[&request[..], arguments].concat()))
    };
    let (ak, sk) = (("HUAWEICLOUD_SDK_AK", "AccessKey"), ("HUAWEICLOUD_SDK_SK", "SecretKey"));
    let token = ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "a-token");
    let wrong = ("HUAWEICLOUD_SDK_SK", "wrong");
    assert_eq!(run(&[ak, sk], "", &[])["signature"], SIGNATURE);
    for line_end in ["", "\n", "\r\n"] {
        assert_eq!(run(&[ak], &format!("SecretKey{line_end}"), &["--sk", "-"])["signature"], SIGNATURE);
    }
    // Arguments override the environment.
    assert_eq!(run(&[("HUAWEICLOUD_SDK_AK", "Other"), wrong], "", &KEYS)["signature"], SIGNATURE);
    assert_eq!(run(&[ak, wrong], "SecretKey", &["--sk", "-"])["signature"], SIGNATURE);
    // An empty variable is the same as none.
    assert_eq!(run(&[ak, sk, ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "")], "", &[])["signature"], SIGNATURE);
    // A token belongs to the secret key that it is found with.
    let tokens = |value: Value| value["canonical_request"].as_str().unwrap().matches("x-security-token:").count();
    assert_eq!(tokens(run(&[ak, sk, token], "", &[])), 1);
    assert_eq!(tokens(run(&[ak, sk, token], "", &["--header", "X-Security-Token: other"])), 1);
    assert_eq!(run(&[ak, sk, token], "", &KEYS)["signature"], SIGNATURE);
    assert_eq!(run(&[ak, token], "SecretKey", &["--sk", "-"])["signature"], SIGNATURE);
    let other = run(&[ak, sk, token], "", &["--security-token", "other"]);
    assert!(other["canonical_request"].as_str().unwrap().contains("x-security-token:other\n"));
}

const ECHO: &str = "GET|/resources/|size=1|host:service.endpoint.myhuaweicloud.com|x-sdk-date:20200608T023900Z||host;x-sdk-date|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn equal_however_the_gateway_writes_it() {
    let sentence =
        format!("Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:{ECHO}");
    let response = json!({"error_msg": sentence, "error_code": "APIG.0301", "request_id": "1"});
    for text in [
        ECHO.to_owned(),
        ECHO.replace('|', "\n"),
        ECHO.replace('|', "\n") + "\n",
        ECHO.replace('|', "\r\n"),
        ECHO.replace('|', "\\n"),
        format!("  {ECHO}\n"),
        sentence.clone(),
        sentence.clone() + ", signer: SDK-HMAC-SHA256|x",
        sentence.replace('|', "\n"),
        format!("canonicalRequest: \"{ECHO}\"}}"),
        format!("HTTP/1.1 401\nerror: canonical request is '{ECHO}'."),
        format!("the gateway had {ECHO}"),
        response.to_string(),
        format!("{response:#}"),
        // The form in the source of a response.
        format!("{:?}", response.to_string()),
    ] {
        let output = explain(&["--compare", &text]);
        assert_eq!(output.status.code(), Some(0), "{text}\n{}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).contains("\n== Comparison\nThe canonical requests are equal."), "{}", stdout(&output));
        let output = explain(&["--format", "json", "--compare", &text]);
        assert_eq!(as_json(&output)["differences"], json!([]));
    }
    // A value may look like a line break.
    let note = ["--header", "X-Note: a|b:c||d"];
    let text = ECHO.replace("|x-sdk-date:", "|x-note:a|b:c||d|x-sdk-date:").replace(";x-sdk", ";x-note;x-sdk");
    assert_eq!(explain(&[&note[..], &["--compare", &text]].concat()).status.code(), Some(0));
}

/// The steps that differ, with hints; text and JSON tell the same.
fn differences(arguments: &[&str], theirs: &str) -> Vec<(String, Value, Value, String)> {
    let all = [arguments, &["--compare", theirs]].concat();
    let output = explain(&[&all[..], &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = explain(&all);
    assert_eq!(text.status.code(), Some(1));
    assert!(text.stderr.is_empty());
    let differences = value["differences"].as_array().unwrap().iter().map(|difference| {
        let text_of = |name: &str| difference[name].as_str().unwrap_or("(none)");
        let section = format!(
            "== Different: {}\nours:    {}\ngateway: {}\n{}\n",
            text_of("step"),
            text_of("ours"),
            text_of("theirs"),
            text_of("hint")
        );
        assert!(stdout(&text).contains(&section), "{}\nshould have\n{section}", stdout(&text));
        let [step, hint] = ["step", "hint"].map(|name| text_of(name).to_owned());
        (step, difference["ours"].clone(), difference["theirs"].clone(), hint)
    });
    differences.collect()
}

#[test]
fn each_difference_is_named_with_its_usual_cause() {
    let body = tempfile::NamedTempFile::new().unwrap();
    fs::write(body.path(), "{}").unwrap();
    let body = ["--body", body.path().to_str().unwrap()];
    let url = |path: &'static str| ["--url", path, "--header", "Host: service.endpoint.myhuaweicloud.com"];
    let note = ["--header", "X-Note: a  b"];
    let noted = |value: &str| {
        ECHO.replace("|x-sdk-date:", &format!("|x-note:{value}|x-sdk-date:")).replace(";x-sdk", ";x-note;x-sdk")
    };
    let content_type = ["--header", "Content-Type: application/json"];
    let with_type = ECHO
        .replace("|host:", "|content-type:application/json; charset=utf-8|host:")
        .replace("|host;", "|content-type;host;");
    let hash_of = |text: &str| ECHO.replace(EMPTY, text);
    let upper = EMPTY.to_uppercase();
    let object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let object_and_newline = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356";
    let cases: &[(&[&str], String, &str, &str, &str)] = &[
        (&[], ECHO.replace("GET", "POST"), "method", "POST", "another method"),
        (&[], ECHO.replace("/resources/", "/resources"), "path", "/resources", "ends in exactly one"),
        (&[], ECHO.replace("/resources/", "/v1/resources/"), "path", "/v1/resources/", "a prefix"),
        (&[], ECHO.replace("/resources/", "/other/"), "path", "/other/", "another path"),
        (&[], ECHO.replace("size=1", ""), "query", "", "Only ours has this value of: size."),
        (
            &[],
            ECHO.replace("size=1", "size=2&start=0"),
            "query",
            "size=2&start=0",
            "gateway's has this value of: size, start.",
        ),
        (&[], ECHO.replace("size=1", "size=%31"), "query", "size=%31", "The encoding"),
        (&[], ECHO.replace(HOST, "localhost"), "header host", "localhost", "under another name"),
        (
            &[],
            ECHO.replace(HOST, &format!("{HOST}:443")),
            "header host",
            "service.endpoint.myhuaweicloud.com:443",
            "The port",
        ),
        (&[], ECHO.replace(DATE, "20200608T023901Z"), "header x-sdk-date", "20200608T023901Z", "give --date"),
        (&note, noted("a b"), "header x-note", "a b", "Blanks"),
        (&note, noted("c"), "header x-note", "c", "changed after signing"),
        (&content_type, with_type, "header content-type", "application/json; charset=utf-8", "add a charset"),
        (&[], ECHO.replace("host;x-sdk", "Host;x-sdk"), "signed headers", "Host;x-sdk-date", "lower case, sorted"),
        (&[], hash_of(object), "body hash", object, "give the body with --body"),
        (&body, hash_of(EMPTY), "body hash", EMPTY, "saw an empty body"),
        (&body, hash_of(object_and_newline), "body hash", object_and_newline, "newline at the end"),
        (&body, hash_of("UNSIGNED-PAYLOAD"), "body hash", "UNSIGNED-PAYLOAD", "does not cover the body"),
        (&[], hash_of(&upper), "body hash", &upper, "case of the digits"),
        (&body, hash_of("0123"), "body hash", "0123", "not those that were signed"),
    ];
    for (arguments, text, step, theirs, hint) in cases {
        let found = differences(arguments, text);
        let [(found_step, ours, found_theirs, found_hint)] = &found[..] else { panic!("{text}: {found:?}") };
        assert_eq!((found_step.as_str(), found_theirs), (*step, &json!(theirs)), "{text}");
        assert!(ours.is_string() && ours != found_theirs, "{text}");
        assert!(found_hint.contains(*hint), "{text}: {found_hint}");
    }

    for (path, echoed, expected) in [
        ("/a%20b", "/a%2520b/|", "encoded twice"),
        ("/?b=2&a=1", "/|b=2&a=1", "The order"),
        ("/?a=x%20y", "/|a=x+y", "A blank or a plus"),
        ("/?a=x%20y", "/|a=x%2By", "A blank or a plus"),
    ] {
        let text = ECHO.replace("/resources/|size=1", echoed);
        let output =
            run(&[], b"", &[&["--method", "GET", "--date", DATE, "--compare", &text][..], &KEYS, &url(path)].concat());
        assert_eq!(output.status.code(), Some(1), "{path}: {}", stderr(&output));
        assert_eq!(stdout(&output).matches("== Different").count(), 1, "{}", stdout(&output));
        assert!(stdout(&output).contains(expected), "{path}: {}", stdout(&output));
    }
}

#[test]
fn headers_that_only_one_side_signs() {
    let found = differences(&["--header", "X-Note: a"], ECHO);
    let steps: Vec<_> = found.iter().map(|(step, ..)| step.as_str()).collect();
    assert_eq!(steps, ["header x-note", "signed headers"]);
    assert_eq!((&found[0].1, &found[0].2), (&json!("a"), &Value::Null));
    assert!(found[0].3.contains("signed here and not there"), "{}", found[0].3);
    assert_eq!((&found[1].1, &found[1].2), (&json!("host;x-note;x-sdk-date"), &json!("host;x-sdk-date")));
    assert!(found[1].3.contains("--signed-headers"), "{}", found[1].3);

    let found = differences(&["--signed-headers", "x-sdk-date"], ECHO);
    assert_eq!((found[0].0.as_str(), &found[0].1), ("header host", &Value::Null));
    assert!(found[0].3.contains("signed there and not here"), "{}", found[0].3);
}

#[test]
fn all_steps_are_compared() {
    let text = ECHO.replace("GET", "PUT").replace("/resources/", "/other/").replace(EMPTY, "00").replace(HOST, "other");
    let steps: Vec<_> = differences(&[], &text).into_iter().map(|(step, ..)| step).collect();
    assert_eq!(steps, ["method", "path", "header host", "body hash"]);
    let swapped = ECHO.replace(
        "host:service.endpoint.myhuaweicloud.com|x-sdk-date:20200608T023900Z",
        "x-sdk-date:20200608T023900Z|host:service.endpoint.myhuaweicloud.com",
    );
    assert_eq!(differences(&[], &swapped)[0].0, "order of the headers");
}

#[test]
fn what_holds_no_canonical_request_cannot_be_compared() {
    for text in [
        "",
        "|",
        "garbage",
        "canonicalRequest:",
        "canonicalRequest:GET",
        "GET|/resources/|size=1",
        "GET|/resources/|size=1|host:a||host",
        "GET|/resources/|size=1|host:a||host|",
        "{\"error_code\":\"APIG.0301\"}",
        "canonicalRequest:größe|ß|||||",
        "||||||||||",
    ] {
        let output = explain(&["--compare", text]);
        assert!(
            rejected(&output).starts_with("there is no complete canonical request in what --compare gives"),
            "{text}"
        );
    }
}

#[test]
fn an_echo_cannot_steer_the_terminal() {
    let output = explain(&["--compare", &ECHO.replace("size=1", "size=\u{1b}[2J\u{9b}")]);
    assert!(stdout(&output).contains("gateway: size=\\u{1b}[2J\\u{9b}\n"), "{}", stdout(&output));
}

#[test]
fn secrets_are_never_printed() {
    let request = ["--method", "GET", "--url", URL, "--date", DATE, "--ak", "AccessKey"];
    let environment = [("HUAWEICLOUD_SDK_SK", CANARY), ("HUAWEICLOUD_SDK_SECURITY_TOKEN", CANARY)];
    let sk = format!("--sk={CANARY}");
    let hyphened = format!("-{CANARY}");
    let two_lines = format!("{CANARY}\n{CANARY}");
    let header = format!("X-Auth-Token: {CANARY}");
    let tokened = ECHO
        .replace("023900Z||", &format!("023900Z|x-security-token:{CANARY}-other||"))
        .replace("x-sdk-date|", "x-sdk-date;x-security-token|");
    let password = format!("https://user:{CANARY}@example.com/");
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);
    let cases: &[Case] = &[
        (&[], "", &["--sk", CANARY]),
        (&[], "", &["--sk", &hyphened]),
        (&[], "", &["--sk", CANARY, "--security-token", CANARY]),
        (&[], "", &["--sk", CANARY, "--security-token", &hyphened]),
        (&[], "", &["--sk", CANARY, "--security-token", CANARY, "--compare", &tokened]),
        (&[], "", &["--sk", CANARY, "--header", &header]),
        (&[], "", &["--sk", CANARY, "--format", "json"]),
        (&environment, "", &[]),
        (&environment, "", &["--help"]),
        (&environment, "", &["-h"]),
        (&[], CANARY, &["--sk", "-"]),
        // Mistakes.
        (&environment, "", &["--compare", CANARY]),
        (&environment, "", &["--header", CANARY]),
        (&environment, "", &["--date", CANARY]),
        (&environment, "", &["--signed-headers", &two_lines]),
        (&[], "", &["--sk", CANARY, "--sk", CANARY]),
        (&[], "", &[&sk, CANARY]),
        (&[], "", &["--sk", "", CANARY]),
        (&[], "", &["--", CANARY]),
        (&[], "", &["--sk", CANARY, "--project-id", CANARY, "--region", "a"]),
        (&[], "", &["--secret-key", CANARY]),
        (&[], "", &[&format!("--secret-key={CANARY}")]),
        (&[], &two_lines, &["--sk", "-"]),
        (&[], CANARY, &["--sk", "-", "--body", "-"]),
        (&[], "", &["--sk", CANARY, "--security-token", &two_lines]),
        (&[("HUAWEICLOUD_SDK_SK", &two_lines), ("HUAWEICLOUD_SDK_SECURITY_TOKEN", &two_lines)], "", &[]),
    ];
    let check = |output: &Output, arguments: &[&str]| {
        for text in [stdout(output), stderr(output)] {
            assert!(!text.contains("canary"), "{arguments:?}: {text}");
        }
    };
    for (variables, input, arguments) in cases {
        check(&run(variables, input.as_bytes(), &[&request[..], arguments].concat()), arguments);
    }
    check(&run(&[], b"", &["--method", "GET", "--url", &password]), &[]);
    check(&run(&[], b"", &["--sk", CANARY]), &[]);

    // There they are needed: in the one form that is for programs.
    let output = run(&environment, b"", &[&request[..], &["--format", "json"]].concat());
    assert_eq!(stdout(&output).matches(CANARY).count(), 1);
    let output = run(&environment, b"", &request);
    assert!(stdout(&output).contains("x-security-token:***\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("*** stands for the value of x-security-token"), "{}", stdout(&output));
    let output = run(&environment, b"", &[&request[..], &["--compare", &tokened]].concat());
    assert!(stdout(&output).contains("ours:    ***\ngateway: ***\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("Ours has 17 bytes, the gateway's 23."), "{}", stdout(&output));
}

#[test]
fn mistakes_are_one_line_and_exit_code_2() {
    let keys = [&["--method", "GET"][..], &KEYS].concat();
    let message = |arguments: &[&str]| rejected(&run(&[], b"", &[&keys[..], arguments].concat())).to_owned();
    for url in [
        "",
        "example.com/a",
        "ftp://example.com/",
        "https://",
        "https:///a",
        "https://a b/",
        "https://a:b/",
        "https://a:99999/",
        "https://[::1/",
        "https://user@example.com/",
        "https://example.com/#a",
        "https://example.com/a\nb",
        "https://?a",
    ] {
        assert!(message(&["--url", url]).starts_with("--url "), "{url}");
    }
    assert!(message(&["--url", "/a"]).starts_with("there is no host: "));
    for header in ["", "a", ":a", "a b: c", " a: b"] {
        let text = message(&["--url", URL, "--header", "x-a: b", "--header", header]);
        assert_eq!(text, "--header number 2 is not `name: value`", "{header}");
    }
    for (arguments, expected) in [
        (&["--header", "x-a: a\nb"][..], "the header `x-a` is malformed"),
        (&["--header", "x-a: b", "--header", "X-A: b"], "the header `x-a` is there more than once"),
        (&["--header", "x-project-id: b", "--project-id", "b"], "the header `x-project-id` is there more than once"),
        (&["--signed-headers", ""], "--signed-headers are not names of headers with `;` between them"),
        (&["--signed-headers", "host;"], "--signed-headers are not names of headers with `;` between them"),
        (&["--signed-headers", "host,x-a"], "--signed-headers are not names of headers with `;` between them"),
        (&["--signed-headers", "x-a"], "the request has no header `x-a`"),
        (&["--date", ""], "--date is not a time in UTC written as YYYYMMDDTHHMMSSZ"),
        (&["--date", "2020-06-08T02:39:00Z"], "--date is not a time in UTC written as YYYYMMDDTHHMMSSZ"),
        (&["--header", "X-Sdk-Date: now"], "the header `x-sdk-date` is not a time in UTC written as YYYYMMDDTHHMMSSZ"),
        (
            &["--header", "X-Sdk-Date: 20200608T023900Z", "--date", "20200608T023901Z"],
            "the header `x-sdk-date` is not the date to sign with",
        ),
        (&["--algorithm", "V11-HMAC-SHA256"], "V11-HMAC-SHA256 needs --region and --service"),
        (
            &["--algorithm", "V11-HMAC-SHA256", "--region", "", "--service", "a"],
            "V11-HMAC-SHA256 needs --region and --service",
        ),
        (&["--region", "a/b", "--service", "a"], "the region is malformed"),
        (&["a b"], "there is a value without an option before it; values with blanks or `;` need quotes"),
    ] {
        assert_eq!(message(&[&["--url", URL], arguments].concat()), expected);
    }
    assert!(message(&["--url", URL, "--body", "/not/there"]).starts_with("--body /not/there: "));

    let request = ["--method", "GET", "--url", URL];
    let message = |variables: &[(&str, &str)], input: &[u8], arguments: &[&str]| {
        rejected(&run(variables, input, &[&request[..], arguments].concat())).to_owned()
    };
    let no_access_key = "there is no access key: give --ak or set HUAWEICLOUD_SDK_AK";
    let no_secret_key =
        "there is no secret key: set HUAWEICLOUD_SDK_SK, or give --sk - and the key on the standard input";
    assert_eq!(message(&[], b"", &[]), no_access_key);
    assert_eq!(message(&[("HUAWEICLOUD_SDK_AK", "")], b"", &["--sk", "a"]), no_access_key);
    assert_eq!(message(&[("HUAWEICLOUD_SDK_AK", "a")], b"", &[]), no_secret_key);
    assert_eq!(message(&[("HUAWEICLOUD_SDK_SK", "")], b"", &["--ak", "a"]), no_secret_key);
    assert_eq!(message(&[], b"", &["--ak", "", "--sk", "a"]), "the access key is malformed");
    assert_eq!(message(&[], b"", &["--ak", "a", "--sk", ""]), "--sk is empty");
    assert_eq!(
        message(&[], b"a", &["--ak", "a", "--sk", "-", "--body", "-"]),
        "--sk - and --body - both read the standard input; give one of them another way"
    );
    assert_eq!(message(&[], b"\n", &["--ak", "a", "--sk", "-"]), "there is no secret key on the standard input");
    assert_eq!(
        message(&[], b"a\nb\n", &["--ak", "a", "--sk", "-"]),
        "there is more than one line on the standard input, where the secret key should be"
    );
    assert_eq!(message(&[], b"\xff", &["--ak", "a", "--sk", "-"]), "the secret key on the standard input is no text");
    assert_eq!(run(&[], b"", &[]).status.code(), Some(2));
}

#[test]
fn help_says_who_sees_a_key() {
    let output = run(&[], b"", &["--help"]);
    assert!(output.status.success());
    let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("A key that is written here is visible to others"), "{text}");
    assert!(text.contains("Examples: export HUAWEICLOUD_SDK_AK=AccessKey hwjobs sign explain --method GET"), "{text}");
    assert!(!text.to_lowercase().contains("stray"), "{text}");
}

/// The page shows the actual output of the commands.
#[test]
#[cfg(unix)]
fn the_page_about_signing_is_true() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/signing.md")).unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_hwjobs")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let blocks: Vec<&str> = page.split("```console\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(blocks.len() >= 3, "{}", blocks.len());
    let work = tempfile::tempdir().unwrap();
    for block in blocks {
        let mut lines = block.strip_prefix("$ ").unwrap().split_inclusive('\n');
        let mut command = String::new();
        for line in lines.by_ref() {
            command += line;
            if !line.ends_with("\\\n") {
                break;
            }
        }
        let expected: String = lines.collect();
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command} }} 2>&1")])
            .env("PATH", &path)
            .env("HUAWEICLOUD_SDK_AK", "AccessKey")
            .env("HUAWEICLOUD_SDK_SK", "SecretKey")
            .env_remove("HUAWEICLOUD_SDK_SECURITY_TOKEN")
            .current_dir(work.path())
            .output()
            .unwrap();
        assert_eq!(stdout(&output), expected, "{command}");
    }
}
