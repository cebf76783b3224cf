//! The shell blocks of the README and the guides do what they say. Blocks of Rust are doc tests; those of docs/cli.md and
//! docs/signing.md, which show what is printed, have tests of their own.

#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Blocks that are not run here: a file, how the block begins, and why.
const NOT_RUN: [(&str, &str, &str); 6] = [
    ("README.md", "cargo hwjobs quickstart", "CI runs it from the README itself"),
    ("README.md", "cargo test", "it is what runs this"),
    ("README.md", "cargo new", "it takes a package from the registry"),
    (
        "docs/contract-tests.md",
        "hwjobs contract run\n",
        "tests/contract.rs runs it, and its second line is about another host",
    ),
    ("docs/contract-tests.md", "hwjobs contract run --region", "it is about clouds"),
    ("docs/cli.md", "hwjobs emulator", "tests/cli.rs starts the one of that page"),
];

/// What stands before the blocks: this build of `hwjobs`, failing answers that fail, and no process left at the end.
const PRELUDE: &str = r#"
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
curl() { command curl --silent --show-error --fail "$@" >/dev/null; }
"#;

/// The shell blocks of a file that are run.
fn blocks(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.filter(|block| !NOT_RUN.iter().any(|(of, begins, _)| *of == file && block.starts_with(begins))).collect()
}

fn run(file: &str) -> String {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // `cargo hwjobs` without building anything, as one process that ends when it is told to.
    let (cargo, mode) = (home.path().join("cargo"), std::fs::Permissions::from_mode(0o755));
    std::fs::write(&cargo, "#!/bin/sh\ntest \"$1\" = hwjobs && shift && exec hwjobs \"$@\"\n").unwrap();
    std::fs::set_permissions(&cargo, mode).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_hwjobs")).parent().unwrap();
    let mut paths = vec![home.path().to_owned(), binary.to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let blocks = blocks(file);
    assert!(!blocks.is_empty(), "{file} has nothing to run");
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("{PRELUDE}\n{}", blocks.join("\n")))
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::join_paths(paths).unwrap())
        .env("HOME", home.path())
        .output()
        .unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{file}: {}\n{said}\n{failed}", output.status);
    said.into_owned()
}

#[test]
fn the_readme_does_what_it_says() {
    let said = run("README.md");
    assert!(said.contains("trained on the May images"), "{said}");
    assert!(said.contains("The embedded emulator") || said.contains("is tried"), "{said}");
}

#[test]
fn the_guide_to_the_emulator_does_what_it_says() {
    run("docs/emulator.md");
}

#[test]
fn getting_started_does_what_it_says() {
    let said = run("docs/getting-started.md");
    assert!(said.contains("my first change"), "{said}");
}

#[test]
fn both_readmes_have_the_same_commands() {
    let commands = |file| {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let lines: Vec<String> = text
            .split("```sh\n")
            .skip(1)
            .flat_map(|rest| {
                rest.split("```")
                    .next()
                    .unwrap()
                    .lines()
                    .map(|line| line.split('\'').next().unwrap().to_owned())
                    .collect::<Vec<_>>()
            })
            .collect();
        lines
    };
    assert_eq!(commands("README.md"), commands("README.zh-CN.md"));
}
