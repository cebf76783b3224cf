//! Tests of the command line as a user runs it.

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

mod calls;
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod guide;
mod guides;
mod help;
mod lists;
mod operations;
mod outputs;
mod profiles;
mod record;
mod rows;
mod sign_explain;
#[cfg(unix)]
mod terminal;
mod updates;
mod waiting;

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
    /// Returns a user without any settings.
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// Returns a user of an endpoint, with a token.
    fn of(endpoint: &str) -> Self {
        let token = [("HWJOBS_ENDPOINT", endpoint), ("HWJOBS_TOKEN", TOKEN), ("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT)];
        token.into_iter().fold(Self::new(), |user, (name, value)| user.with(name, value))
    }

    /// Returns a user of an emulator, with its variables.
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

    /// Returns the output of a successful command.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.runs(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output).to_owned()
    }

    fn data(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["-o", "json"]].concat())).unwrap()
    }

    /// Runs a command with a text on standard input.
    fn told(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments);
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

/// A version of a training job with its required fields.
fn version_answer(status: u32) -> Act {
    let ids = json!({"is_success": true, "job_id": 10, "job_name": "n", "version_id": 20, "version_name": "V1", "status": status});
    response(200, &ids)
}

/// The body of the response to a login.
fn token() -> Value {
    json!({"token": {"expires_at": "2030-01-01T00:00:00.000000Z", "methods": ["password"],
        "user": {"id": "1", "name": "u", "domain": {"id": "2", "name": "d"}, "password_expires_at": ""}, "roles": [], "catalog": []}})
}

/// Returns a response with a JSON body.
fn response(status: u16, body: &Value) -> Act {
    let body = body.to_string();
    Act::Answer((head(status, "content-type: application/json\r\nx-request-id: req-7\r\n", body.len()) + &body).into())
}

/// Returns the words of every command with its help, found by following the helps.
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
