//! Tests what a terminal shows: responses cannot steer it, lines fit it, and progress takes one line.

use std::io::Read;

use serde_json::Map;

use super::*;

/// A text that sets the title, clears the screen, sets a colour by a C1 control, reverses the reading direction, ends
/// the line and returns to its start.
const HOSTILE: &str = "a\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}31m\u{202e}b\u{2028}\u{85}\r\nforged\u{8}\u{7f}\u{200b}\u{feff}z";

/// Runs a command on a terminal without colours that is wider than any line, and returns its output.
fn shown(command: &mut Command) -> String {
    on_terminal(command.env("NO_COLOR", "1").env("TERM", "dumb"), 20_000, Stdio::from)
}

/// Runs a command with the standard error on a terminal, and returns what the terminal received.
fn on_terminal(command: &mut Command, columns: u16, stdout: impl Fn(std::os::fd::OwnedFd) -> Stdio) -> String {
    let size = nix::pty::Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = nix::pty::openpty(Some(&size), None).unwrap();
    let side = || terminal.slave.try_clone().unwrap();
    let mut child = command.stdout(stdout(side())).stderr(side()).spawn().unwrap();
    // The command keeps the terminal open until it is dropped.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    drop(terminal.slave);
    let mut text = Vec::new();
    // A closed terminal is an I/O error.
    let _ = std::fs::File::from(terminal.master).read_to_end(&mut text);
    child.wait().unwrap();
    String::from_utf8(text).unwrap().replace("\r\n", "\n")
}

/// Asserts that a terminal shows every character of a text in its place.
fn assert_harmless(text: &str, what: &str) {
    let obeyed = text.chars().find(|c| *c != '\n' && !huaweicloud_jobs::terminal::is_shown(*c));
    assert_eq!(obeyed, None, "{what}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with("forged")), "{what}: {text:?}");
}

/// Returns a value with a hostile text in every string, and a field with such a name in every object.
fn poisoned(value: &Value) -> Value {
    match value {
        Value::String(_) => HOSTILE.into(),
        Value::Array(items) => items.iter().map(poisoned).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), poisoned(value)));
            fields.chain([(HOSTILE.to_owned(), HOSTILE.into())]).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// A call of each operation as it is documented.
fn calls() -> impl Iterator<Item = (spec::Example<'static>, &'static str, u16, Vec<String>)> {
    spec::documents().iter().flat_map(|document| {
        document.operations().filter_map(move |operation| {
            let examples = document.examples(operation);
            let example = examples.into_iter().find(|example| example.parameters.is_some())?;
            let mut words = vec!["api".to_owned(), operation.id().to_owned(), "--yes".to_owned()];
            for (name, value) in example.parameters.into_iter().flatten() {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                words.extend(["--param".to_owned(), format!("{name}={text}")]);
            }
            Some((example, operation.id(), document.success_status(operation)?, words))
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_a_response_steers_the_terminal() {
    let mut tried = 0;
    for (example, operation, status, words) in calls() {
        let body = example.response.map_or(json!({"is_success": true, "more": "text"}), |(_, body)| body.clone());
        let server = Server::acting([response(status, &poisoned(&body))]).await;
        let user = User::of(&server.endpoint);
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Missing fields of a response do not matter here.
        words.push("--no-check");
        if let Some(request) = example.request {
            std::fs::write(user.path("body.json"), request.to_string()).unwrap();
            words.extend(["--body", "body.json"]);
        }
        // Each operation in the table format, and alternately in the others.
        for format in ["table", ["json", "jsonl", "yaml", "csv"][tried % 4]] {
            let text = shown(&mut user.command(&[&words[..], &["-o", format]].concat()));
            assert_harmless(&text, &format!("{operation} {format}"));
            assert!(status == 204 || text.contains("forged"), "{operation} {format}: {text:?}");
        }
        tried += 1;
    }
    assert!(tried > 50, "{tried} of 58 operations have a documented request");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_a_failure_steers_the_terminal() {
    let flat = json!({"error_code": HOSTILE, "error_msg": HOSTILE, "request_id": HOSTILE});
    let other = json!({"is_success": false, "error_code": HOSTILE, "error_message": HOSTILE});
    let nested = json!({"error": {"code": HOSTILE, "message": HOSTILE, "title": HOSTILE}});
    for (status, body) in [(404, &flat), (200, &other), (401, &nested), (200, &nested), (500, &poisoned(&flat))] {
        let server = Server::acting([response(status, body)]).await;
        let user = User::of(&server.endpoint);
        for words in [
            &["training-job-version", "stop", "1", "2"][..],
            &["training-job", "update", "1", "2", "--job-desc", "x", "--verbose"],
            &["profile", "check"],
            &["api", "list_training_jobs", "--include", "-v"],
        ] {
            let text = shown(&mut user.command(words));
            assert_harmless(&text, &format!("{words:?} {body}"));
            assert!(text.contains("forged"), "{words:?}: {text:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_a_service_gives_do_not_steer_the_terminal() {
    let projects = json!({"projects": [{"id": PROJECT, "name": HOSTILE, "domain_id": HOSTILE, "enabled": true,
        "is_domain": false, "parent_id": HOSTILE, "description": HOSTILE, "links": {"self": HOSTILE}}],
        "links": {"self": HOSTILE, "previous": null, "next": null}});
    let server = Server::acting([response(200, &projects)]).await;
    let text = shown(&mut User::of(&server.endpoint).command(&["profile", "check"]));
    assert_harmless(&text, "profile check");
    assert!(text.contains("hwjobs: the credentials are good for the project a\\u{1b}"), "{text:?}");

    // A file of somebody else.
    let user = User::of("http://127.0.0.1:1");
    for content in [
        json!({"job_id": 1, HOSTILE: 2}).to_string(),
        json!({"job_id": HOSTILE, "job_desc": "x"}).to_string(),
        format!("job_id,\"{HOSTILE}\"\n1,2\n"),
    ] {
        std::fs::write(user.path("updates"), content).unwrap();
        let text = shown(&mut user.command(&["training-job", "update", "--from", "updates"]));
        assert_harmless(&text, "updates");
        assert!(text.starts_with("hwjobs: updates, line 1: ") && text.contains("forged"), "{text:?}");
    }
    let line = json!({"job_id": 1, "job_desc": HOSTILE}).to_string();
    std::fs::write(user.path("updates"), line).unwrap();
    for more in [&[][..], &["-o", "json"], &["-o", "yaml"], &["--verbose"]] {
        let words = [&["training-job", "update", "--from", "updates", "--dry-run"], more].concat();
        let text = shown(&mut user.command(&words));
        assert_harmless(&text, &format!("{words:?}"));
        assert!(text.contains("forged"), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_sets_colours_on_a_terminal_and_nothing_else() {
    let content = "\u{1b}[31mred\u{1b}[0m\n\u{1b}[2J\u{1b}]52;c;YQ==\u{7}10%\r20%\nlast \u{1b}[1;44mblue";
    let log = json!({"is_success": true, "content": content, "lines": 3, "start_line": "0", "end_line": "3"});
    let server = Server::acting([response(200, &log)]).await;
    let user = User::of(&server.endpoint);
    let logs = ["training-job-version", "logs", "10", "20", "--log-file", "a.log"];
    assert_eq!(
        shown(&mut user.command(&logs)),
        "\u{1b}[31mred\u{1b}[0m\n\\u{1b}[2J\\u{1b}]52;c;YQ==\\u{7}10%\n20%\nlast \u{1b}[1;44mblue\u{1b}[0m\n"
    );
    assert_eq!(shown(&mut user.command(&[&logs[..], &["--raw"]].concat())), format!("{content}\n"));
    // Output that does not go to a terminal is unchanged.
    assert_eq!(user.says(&logs), format!("{content}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn durations_are_for_people_in_tables_and_numbers_in_data() {
    for (milliseconds, words) in
        [(532_003, "8m 52s"), (0, "0s"), (999, "999ms"), (1999, "1s"), (3_600_000, "1h"), (97_384_000, "27h 3m 4s")]
    {
        let job = json!({"job_id": 1, "job_name": "n", "duration": milliseconds, "job_desc": "end"});
        let body = json!({"is_success": true, "job_total_count": 1, "jobs": [job]});
        let server = Server::acting([response(200, &body)]).await;
        let user = User::of(&server.endpoint);
        let table = user.says(&["training-job", "list"]);
        assert!(table.contains(&format!("  {words}  ")), "{table}");
        assert_eq!(user.data(&["training-job", "list"])["jobs"][0]["duration"], milliseconds);
        assert!(user.says(&["training-job", "list", "-o", "csv"]).contains(&format!(",{milliseconds},")));
    }
    let mut version =
        json!({"is_success": true, "job_id": 10, "job_name": "n", "version_id": 20, "version_name": "V1"});
    version["status"] = 10.into();
    version["duration"] = "61000".into();
    let server = Server::acting([response(200, &version)]).await;
    let shown = User::of(&server.endpoint).says(&["training-job-version", "show", "10", "20"]);
    assert!(shown.contains("duration      1m 1s\n"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_broken_between_words() {
    let body =
        json!({"error_code": "ModelArts.0102", "error_msg": format!("The job {} does not exist. ", "j".repeat(90))});
    let server = Server::acting([response(404, &body)]).await;
    let user = User::of(&server.endpoint);
    let update = ["training-job", "update", "10", "--job-desc", "x"];
    let wide = shown(&mut user.command(&update));
    let narrow = on_terminal(user.command(&update).env("NO_COLOR", "1").env("TERM", "dumb"), 60, Stdio::from);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&narrow), words(&wide));
    assert!(narrow.lines().count() > wide.lines().count() + 2, "{narrow}");
    for line in narrow.lines() {
        assert!(line.len() <= 60 || !line.trim().contains(' '), "{line:?} of\n{narrow}");
    }
}

/// Returns what a terminal shows after each step of an output that writes, clears lines and moves between them.
fn screens(output: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut column) = (vec![Vec::<char>::new()], 0_usize, 0);
    let mut screens = Vec::new();
    let mut rest = output.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                let mut sequence = String::new();
                while !sequence.ends_with(|c: char| c.is_ascii_alphabetic()) {
                    sequence.push(rest.next().unwrap());
                }
                let count = || sequence[1..sequence.len() - 1].parse::<usize>().unwrap_or(1);
                match sequence.as_str() {
                    "[2K" => rows[row].clear(),
                    "[K" => rows[row].truncate(column),
                    _ if sequence.ends_with('A') => row -= count(),
                    _ if sequence.ends_with('B') => row += count(),
                    // Colours, and whether the cursor shows.
                    _ if sequence.ends_with(['m', 'h', 'l']) => continue,
                    _ => panic!("{sequence:?} is unknown here"),
                }
            }
            c => {
                let line = &mut rows[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
                continue;
            }
        }
        rows.resize(rows.len().max(row + 1), Vec::new());
        let text = |line: &Vec<char>| line.iter().collect::<String>().trim_end().to_owned();
        screens.push(rows.iter().map(text).filter(|line| !line.is_empty()).collect());
    }
    screens
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_one_line_that_is_rewritten_and_then_gone() {
    const ROWS: usize = 300;
    let server = Server::acting([response(200, &json!({"is_success": true}))]).await;
    let user = User::of(&server.endpoint);
    let rows: String = (0..ROWS).map(|job| format!("{job},text\n")).collect();
    std::fs::write(user.path("updates.csv"), format!("job_id,job_desc\n{rows}")).unwrap();
    let update = ["training-job", "update", "--from", "updates.csv", "--concurrency", "2"];

    let output = on_terminal(user.command(&update).env("TERM", "xterm-256color"), 80, |_| Stdio::null());
    let screens = screens(&output);
    let bars = |screen: &Vec<String>| screen.iter().filter(|line| line.contains(&format!("/{ROWS}"))).count();
    let drawn = screens.iter().filter(|screen| bars(screen) == 1).count();
    assert!(drawn > 2, "it was drawn {drawn} times: {output:?}");
    for screen in &screens {
        assert!(bars(screen) <= 1 && screen.iter().all(|line| line.chars().count() <= 80), "{screen:#?}");
    }
    let last = screens.last().unwrap();
    assert_eq!(last, &[format!("hwjobs: {ROWS} done, 0 failed; journal: updates.csv.journal")], "{output:?}");

    // Nobody watches a pipe.
    let piped = user.runs(&[&update[..], &["--journal", "other"]].concat());
    assert_eq!(stderr(&piped), format!("hwjobs: {ROWS} done, 0 failed; journal: other\n"));
}

#[test]
fn a_matrix_fits_the_terminal_and_breaks_ids_after_dots() {
    let user = User::new();
    for (file, clauses) in [("a", "iam.create_token.*"), ("b", "modelarts.update_training_job.limit.*")] {
        let report = format!("json={file}.json");
        user.says(&["contract", "run", "--only", clauses, "--report", &report]);
    }
    let matrix = ["contract", "matrix", "first=a.json", "second=b.json"];
    let text = on_terminal(user.command(&matrix).env("NO_COLOR", "1").env("TERM", "dumb"), 60, Stdio::from);
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    let cells = |text: &str| -> String {
        let column = text.lines().filter_map(|line| line.strip_prefix('│')?.split('┆').next().map(str::trim));
        column.collect()
    };
    assert_eq!(cells(&text), cells(&user.says(&matrix)), "no id is cut, or broken elsewhere");
    assert!(text.lines().any(|line| line.trim_end_matches(['│', '┆', ' ']).ends_with('.')), "no id is broken: {text}");
}
