//! Profiles: written, listed, chosen and checked.

use super::*;

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

    // All other content of the file stays, comments too.
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

    // The default section has credentials itself until they get a name.
    let rejected = user.runs(&["profile", "use", "team"]);
    assert_eq!(rejected.status.code(), Some(2), "{}", stderr(&rejected));
    std::fs::write(&file, text.replace("[default]", "[mine]")).unwrap();
    assert_eq!(user.runs(&["profile", "use", "gone"]).status.code(), Some(3));
    user.says(&["profile", "use", "team"]);
    assert!(user.says(&["profile", "show"]).contains("[team]"));
    user.says(&["profile", "use", "mine"]);
    assert!(user.says(&["profile", "show"]).contains("[mine]"));
    assert!(user.says(&["profile", "list"]).contains("mine     true"), "{}", user.says(&["profile", "list"]));

    // A malformed secret is not written.
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
    // A named file must exist, unless it is written.
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

/// Returns whether a terminal echoes typed text.
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
    // The terminal becomes the controlling one of the command.
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
