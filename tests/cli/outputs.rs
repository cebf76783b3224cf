//! Tests of output files: no foreign file is overwritten.

use std::fs;

use super::*;

/// The content of a foreign file at an output path.
const FOREIGN: [&str; 4] =
    ["my own notes", "my own notes\n", "{\"operation\": \"mine\"}", "{\n  \"tool\": \"mine\"\n}\n"];

/// Commands with an output file, each with the word `FILE` for it.
const WRITERS: [&[&str]; 10] = [
    &["training-job", "update", "--from", "updates.csv", "--journal", "FILE"],
    &["contract", "run", "--only", "*", "--report", "json=FILE"],
    &["contract", "run", "--only", "*", "--report", "junit=FILE"],
    &["contract", "run", "--only", "*", "--report", "markdown=FILE"],
    &["contract", "run", "--only", "*", "--report", "html=FILE"],
    &["contract", "run", "--only", "*", "--report", "sarif=FILE"],
    &["emulator", "--ready-file", "FILE"],
    &["spec", "readme", "--file", "FILE"],
    &["profile", "init", "--ak", "A", "--region", "r"],
    &["profile", "use", "team"],
];

/// Runs a command that must fail, and returns its message. A journal needs a server, which counts its requests.
fn rejected(user: &User, words: &[&str], file: &str) -> String {
    let words: Vec<String> = words.iter().map(|word| word.replace("FILE", file)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = user.command(&words);
    command.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Some commands end before they read their input.
    let _ = child.stdin.take().unwrap().write_all(b"not-a-real-secret\n");
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "{words:?}: {}", stderr(&output));
    stderr(&output).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_somebody_else_wrote_is_lost() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    for (index, words) in WRITERS.into_iter().enumerate() {
        // The journal has the most variants.
        let tried = if words.contains(&"--journal") { &FOREIGN[..] } else { &FOREIGN[index % FOREIGN.len()..][..1] };
        for foreign in tried {
            fs::write(user.path("mine"), foreign).unwrap();
            let said = rejected(&user, words, "mine");
            assert!(said.contains("mine"), "{words:?}: {said}");
            assert_eq!(fs::read_to_string(user.path("mine")).unwrap(), *foreign, "{words:?}");
            #[cfg(unix)]
            {
                let link = user.path("link");
                std::os::unix::fs::symlink("mine", &link).unwrap();
                rejected(&user, words, "link");
                assert_eq!(fs::read_link(&link).unwrap(), Path::new("mine"), "{words:?}");
                assert_eq!(fs::read_to_string(user.path("mine")).unwrap(), *foreign, "{words:?}");
                fs::remove_file(link).unwrap();
            }
        }
        // A folder is not a file, and stays unchanged.
        fs::create_dir(user.path("folder")).unwrap();
        let said = rejected(&user, words, "folder");
        assert!(said.contains("folder"), "{words:?}: {said}");
        assert_eq!(fs::read_dir(user.path("folder")).unwrap().count(), 0);
        fs::remove_dir(user.path("folder")).unwrap();
        // Nothing can be written below a file.
        rejected(&user, words, "mine/below");
        let left = fs::read_dir(user.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert!(left.iter().all(|name| name == "mine" || name == "updates.csv"), "{words:?}: {left:?}");
    }
    assert!(server.arrived().is_empty());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_nowhere_makes_no_file_there() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    std::os::unix::fs::symlink("elsewhere", user.path("link")).unwrap();
    for words in WRITERS {
        let said = rejected(&user, words, "link");
        assert!(said.contains("link"), "{words:?}: {said}");
        assert!(!Path::new(&user.path("elsewhere")).exists(), "{words:?}");
    }
    assert!(server.arrived().is_empty());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_place_where_nothing_can_be_written_is_known_before_anything_is_sent() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    fs::create_dir(user.path("locked")).unwrap();
    fs::set_permissions(user.path("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    // Permissions do not bind root, but nobody can write to `/proc`.
    let places = if fs::write(user.path("locked/probe"), "").is_ok() { ["/proc/none"] } else { ["locked/file"] };
    for words in WRITERS {
        for file in places.iter().filter(|_| cfg!(target_os = "linux")) {
            let said = rejected(&user, words, file);
            assert!(said.contains(file), "{words:?}: {said}");
        }
    }
    assert!(server.arrived().is_empty());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_with_the_name_of_the_file() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    std::os::unix::fs::symlink("/dev/full", user.path("full")).unwrap();
    for words in WRITERS.iter().filter(|words| words[0] != "contract" && words[0] != "profile") {
        for file in ["/dev/full", "full"] {
            let said = rejected(&user, words, file);
            assert!(said.contains(file) && said.contains("No space left on device"), "{words:?}: {said}");
        }
    }
    // The results are printed nevertheless, and the other reports are written.
    let user = User::new();
    let reports = "json=/dev/full,markdown=report.md";
    let output = user.runs(&["contract", "run", "--only", "iam.list_projects.*", "--report", reports]);
    assert!(!output.status.success() && stdout(&output).contains(" requests in "), "{output:?}");
    assert!(stderr(&output).contains("/dev/full: No space left on device"), "{}", stderr(&output));
    assert!(fs::read_to_string(user.path("report.md")).unwrap().starts_with("# Contract tests"));
    assert!(server.arrived().is_empty());
    for words in
        [&["completions", "bash"][..], &["spec", "show", "mrs"], &["spec", "list"], &["--help"], &["profile", "list"]]
    {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = User::new().command(words).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
    }
}

#[test]
fn folders_of_pages_keep_what_somebody_else_wrote() {
    for (words, name) in [(["man", "pages"], "hwjobs-spec-list.1"), (["spec export", "pages"], "mrs.yaml")] {
        let words: Vec<&str> = words[0].split(' ').chain([words[1]]).collect();
        let user = User::new();
        fs::create_dir(user.path("pages")).unwrap();
        let (file, all) = (user.path(&format!("pages/{name}")), || fs::read_dir(user.path("pages")).unwrap().count());
        fs::write(&file, "mine").unwrap();
        let output = user.runs(&words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(stderr(&output).contains(name), "{words:?}: {}", stderr(&output));
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), all()), ("mine", 1), "{words:?}");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert_eq!((user.runs(&words).status.code(), all()), (Some(1), 1), "{words:?}");
        fs::remove_dir(&file).unwrap();
        #[cfg(unix)]
        {
            fs::write(user.path("mine"), "mine").unwrap();
            std::os::unix::fs::symlink("../mine", &file).unwrap();
            assert_eq!((user.runs(&words).status.code(), all()), (Some(1), 1), "{words:?}");
            assert_eq!(fs::read_to_string(user.path("mine")).unwrap(), "mine");
            fs::remove_file(&file).unwrap();
        }
        // Its own pages are overwritten, but not changed ones.
        user.says(&words);
        let written = fs::read_to_string(&file).unwrap();
        user.says(&words);
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
        fs::write(&file, "changed").unwrap();
        assert_eq!(user.runs(&words).status.code(), Some(1), "{words:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "changed");
        let places: &[&str] =
            if cfg!(target_os = "linux") { &["updates/below", "/proc/none"] } else { &["updates/below"] };
        fs::write(user.path("updates"), "").unwrap();
        for place in places {
            let words = [&words[..words.len() - 1], &[place]].concat();
            let output = user.runs(&words);
            assert_eq!(output.status.code(), Some(1), "{words:?}");
            assert!(stderr(&output).contains(place), "{}", stderr(&output));
        }
    }
    // A foreign checksum file does not make other files part of an export.
    let user = User::new();
    fs::write(user.path("index.html"), "mine").unwrap();
    fs::write(user.path("SHA256SUMS"), "00  index.html\n00  README.md\n").unwrap();
    assert_eq!(user.runs(&["spec", "export", "."]).status.code(), Some(1));
    assert_eq!(fs::read_to_string(user.path("index.html")).unwrap(), "mine");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_names_jobs_and_projects_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    let mode = |file: &str| fs::metadata(user.path(file)).unwrap().permissions().mode() & 0o777;
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    user.says(&["training-job", "update", "--from", "updates.csv"]);
    assert_eq!(mode("updates.csv.journal"), 0o600);

    let user = User::new();
    let formats = ["json", "junit", "markdown", "html", "sarif"];
    let reports = formats.map(|format| format!("{format}=report.{format}")).join(",");
    let run = ["contract", "run", "--only", "iam.list_projects.*", "--seed", "1", "--report", &reports];
    let mode = |file: &str| fs::metadata(user.path(file)).unwrap().permissions().mode() & 0o777;
    // The second run overwrites its own reports and keeps their permissions.
    for mask in [0o600, 0o640] {
        user.says(&run);
        for format in formats {
            let file = format!("report.{format}");
            assert_eq!(mode(&file), mask, "{file}");
            assert!(fs::metadata(user.path(&file)).unwrap().len() > 0, "{file}");
            fs::set_permissions(user.path(&file), fs::Permissions::from_mode(0o640)).unwrap();
        }
    }
    let matrix = ["contract", "matrix", "report.json", "--report", "json=m.json,markdown=m.md,html=m.html"];
    user.says(&matrix);
    user.says(&matrix);
    assert_eq!(["m.json", "m.md", "m.html"].map(mode), [0o600; 3]);
    let other = user.runs(&["contract", "matrix", "report.json", "--report", "json=report.html"]);
    assert!(!other.status.success(), "a report in another format is another file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_used_by_one_run_at_a_time() {
    let server = Server::acting([Act::Hang]).await;
    let user = User::of(&server.endpoint);
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    let update = ["training-job", "update", "--from", "updates.csv"];
    let mut first = user.command(&update).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while server.arrived().is_empty() {
        assert!(first.try_wait().unwrap().is_none(), "it ended by itself");
        tokio::task::yield_now().await;
    }
    let second = user.runs(&update);
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(stderr(&second), "hwjobs: updates.csv.journal is locked: another run of hwjobs uses it\n");
    assert_eq!(server.arrived().len(), 1);
    // A dry run is allowed.
    assert!(user.says(&[&update[..], &["--dry-run"]].concat()).contains("PUT "));
    first.kill().unwrap();
    first.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_of_a_journal_is_dropped_and_no_other_line() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    fs::write(user.path("updates.csv"), "job_id,job_desc\n1,a\n").unwrap();
    let update = ["training-job", "update", "--from", "updates.csv", "--journal", "journal"];
    user.says(&update);
    let journal = fs::read_to_string(user.path("journal")).unwrap();
    let first = journal.find('\n').unwrap() + 1;
    for cut in (0..journal.len()).filter(|cut| *cut < 20 || (first - 3..first + 20).contains(cut)) {
        fs::write(user.path("journal"), &journal[..cut]).unwrap();
        user.says(&update);
        assert_eq!(fs::read_to_string(user.path("journal")).unwrap(), journal, "{cut}");
    }
    for foreign in
        ["\n", "{\"operation\":\"mine\"}", "{\"operation\":\"update_training_job\",\"endpoint\":\"x", "{", "\0"]
    {
        fs::write(user.path("journal"), foreign).unwrap();
        let output = user.runs(&update);
        let is_begun = foreign == "{";
        assert_eq!(output.status.success(), is_begun, "{foreign:?}: {}", stderr(&output));
        assert!(is_begun || fs::read_to_string(user.path("journal")).unwrap() == foreign);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_under_a_journal_loses_nothing() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let user = User::of(&server.endpoint);
    let rows: String = (1..=40).map(|id| format!("{id},a\n")).collect();
    fs::write(user.path("updates.csv"), format!("job_id,job_desc\n{rows}")).unwrap();
    let update = ["training-job", "update", "--from", "updates.csv", "--concurrency", "3"];
    // Files can have one or two blocks, so the journal ends after some lines.
    let script = format!("ulimit -f 2; trap '' XFSZ; exec '{}' {}", env!("CARGO_BIN_EXE_hwjobs"), update.join(" "));
    let variables = user.variables.iter().map(|(name, value)| (name, value));
    let mut shell = Command::new("/bin/bash");
    let output =
        shell.args(["-c", &script]).env_clear().envs(variables).current_dir(user.home.path()).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].contains(" done, 0 failed, ") && lines[0].ends_with(" not tried; journal: updates.csv.journal"),
        "{said}"
    );
    let (_, unnoted) = lines[1].split_once("; nothing more was sent; done and not noted there: ").unwrap();
    assert!(lines[1].starts_with("hwjobs: updates.csv.journal: "), "{said}");
    let unnoted: Vec<&str> = unnoted.split(", ").collect();
    let sent = server.arrived().len();
    assert!((1..=3).contains(&unnoted.len()) && sent < 40, "{said}");
    // With free space, recorded updates are not repeated.
    let again = user.runs(&update);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(server.arrived().len(), 40 + unnoted.len(), "{said}{}", stderr(&again));
}
