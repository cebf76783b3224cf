//! Help, versions, completions, and the quickstart.

use super::*;

#[test]
fn quickstart_shows_nine_matching_updates() {
    let output = hwjobs(&["quickstart"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.ends_with("9 of 9 documented updates match\n"), "{text}");
    assert_eq!(text.matches("request ok, response ok, stored ok").count(), 9, "{text}");
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
        let (request, response) = (&update["exchange"]["request"], &update["exchange"]["response"]);
        assert!(serde_json::from_str::<Value>(request.as_str().unwrap()).unwrap().is_object(), "{update}");
        assert!(serde_json::from_str::<Value>(response.as_str().unwrap()).unwrap().is_object(), "{update}");
        for verdict in ["request_matches", "response_matches", "stored"] {
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

#[test]
fn the_whole_surface_is_as_it_was_looked_at() {
    let mut surface = String::new();
    for (words, help) in helps() {
        let call = [&["hwjobs".to_owned()][..], words].concat().join(" ");
        let (_, examples) = help.split_once("\nExample").unwrap_or_else(|| panic!("{call} has no example"));
        for line in examples.lines().skip(1).take_while(|line| !line.is_empty()) {
            // Examples are not wrapped on a usual terminal.
            assert!(line.starts_with("  ") && line.len() < 80, "{call}: {line}");
        }
        // The options are the same everywhere; one copy is enough.
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
        (&["api", "nope"], "no operation has such a name; `hwjobs api --help` lists them"),
    ] {
        let output = hwjobs(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(suggestion), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn shells_and_man_know_the_commands() {
    let user = User::new();
    std::fs::create_dir(user.home.path().join(".huaweicloud")).unwrap();
    let keys = |name: &str| format!("[{name}]\nak = a-key\nsk = a-secret\n");
    std::fs::write(user.home.path().join(".huaweicloud/credentials"), keys("office") + &keys("otc")).unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.says(&["completions", shell]);
        assert!(script.contains("HWJOBS_COMPLETE"), "{shell}: {script}");
        // The script requests the candidates for the end of a line like this.
        let offered = |words: &[&str]| {
            let mut command = user.command(&[&["--", "hwjobs"], words].concat());
            let index = words.len().to_string();
            command.env("HWJOBS_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
            let output = command.output().unwrap();
            assert!(output.status.success(), "{shell} {words:?}: {}", stderr(&output));
            stdout(&output).to_owned()
        };
        assert!(offered(&["training-job-v"]).contains("training-job-version"), "{shell}");
        assert!(offered(&["training-job", "update", "--job-d"]).contains("--job-desc"), "{shell}");
        assert!(offered(&["api", "save_annotation"]).contains("save_annotation_job_validation"), "{shell}");
        let profiles = offered(&["training-job", "list", "--profile", "o"]);
        assert!(profiles.contains("office") && profiles.contains("otc"), "{shell}: {profiles}");
        assert!(!profiles.contains("a-secret"), "{profiles}");
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
