//! Runs the shell blocks of all pages. Blocks of Rust are doc tests.

#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use huaweicloud_jobs::emulator::Emulator;

/// Blocks that are not run here: file, beginning of the block, and reason. All other blocks are run.
const NOT_RUN: &[(&str, &str, &str)] = &[
    ("README.md", "cargo hwjobs quickstart", "CI runs it from the README itself"),
    ("README.md", "cargo test", "it is what runs this"),
    ("README.md", "cargo new", "it takes a package from the registry"),
    ("README.md", "python3 -m venv", "python/run-tests builds and installs that package, and runs its example"),
    ("README.zh-CN.md", "", "its commands are those of README.md, which another test compares"),
    ("CONTRIBUTING.md", "cargo test", "it is what runs this"),
    ("docs/getting-started.md", "cargo install", "it builds and installs this crate"),
    ("docs/getting-started.md", "hwjobs profile init", "it asks on a terminal; docs/cli.md has it with the responses"),
    ("docs/cli.md", "$ ", "tests/cli/main.rs runs these and compares what is printed"),
    ("docs/sessions.md", "$ ", "tests/cli/guide.rs runs these and compares what is printed"),
    ("docs/signing.md", "$ ", "tests/cli/sign_explain.rs runs these and compares what is printed"),
    ("fuzz/README.md", "", "it installs cargo-fuzz and runs for minutes"),
    ("python/README.md", "python3 -m venv", "python/run-tests builds and installs that package, and runs its example"),
    ("docs/testing-your-program.md", "pip install", "python/run-tests builds and installs that package"),
    ("docs/publishing.md", "hwjobs emulator", "tests/description/publication.rs runs this runner"),
    ("src/spec/publish/conformance/README.md", "python3 run.py", "tests/description/publication.rs runs this runner"),
    ("docs/publishing.md", "openapi-generator-cli generate", "tests/languages/run runs this generator"),
    ("docs/publishing.md", "npx -p @redocly/cli", "tools/workflows runs these workflows"),
    ("docs/publishing.md", "npx -p openapi-typescript", "tools/generators runs this generator"),
    ("docs/publishing.md", "npx -p @hey-api/openapi-ts", "tools/generators runs this generator"),
    ("docs/publishing.md", "pip install openapi-python-client", "tools/generators runs this generator"),
    ("docs/publishing.md", "pip install openapi-generator-cli", "tests/languages/run runs this generator"),
    ("docs/publishing.md", "npx -p @stoplight/prism-cli@5.14.2 prism mock", "tools/generators asks this mock server"),
    ("docs/publishing.md", "npx -p @stoplight/prism-cli@5.14.2 prism proxy", "it stands before a cloud"),
    ("docs/publishing.md", "npx -p openapi-to-postmanv2", "it takes a package from a registry"),
    ("docs/publishing.md", "npm install openapi-2-kong", "it takes a package from a registry"),
    ("docs/releasing.md", "RUSTFLAGS=", "it builds this crate for minutes"),
];

/// Addresses of clouds in the pages, with their replacement.
const STAND_INS: [(&str, &str); 6] = [
    ("https://gateway.example", "$HWJOBS_ENDPOINT"),
    ("https://modelarts.region-1.cloud.example", "$HWJOBS_ENDPOINT"),
    ("https://mrs.region-1.cloud.example", "$HWJOBS_ENDPOINT"),
    ("https://iam.cloud.example", "$HWJOBS_ENDPOINT"),
    ("--region eu-de --profile otc", "--only 'mrs.*'"),
    ("--region eu-west-0 --profile fe", "--only 'iam.*'"),
];

/// Expected parts of the output of a file's blocks.
const PRINTED: [(&str, &str); 6] = [
    ("README.md", "trained on the May images"),
    ("README.md", "everything that was tried is honoured"),
    ("docs/getting-started.md", "my first change"),
    ("docs/credentials.md", "EXAMPLEACCESSKEY"),
    ("docs/contract-tests.md", "iam.list_projects.example"),
    ("docs/clouds.md", "CHOSEN"),
];

/// The prelude of the blocks: error responses fail, and no process remains at the end.
const PRELUDE: &str = r#"
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
curl() { command curl --silent --show-error --fail "$@" >/dev/null; }
"#;

/// Returns all pages of this repository.
fn pages(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).read_dir().unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(pages(&format!("{folder}{name}/")));
        } else if name.ends_with(".md") {
            found.push(format!("{folder}{name}"));
        }
    }
    found
}

/// Returns the shell blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let blocks = all_blocks(page).into_iter();
    let shell = blocks.filter(|(language, _)| ["sh", "bash", "shell", "console"].contains(&language.as_str()));
    shell.map(|(_, block)| block).collect()
}

/// Returns all fenced blocks of a page with their language, without its attributes.
fn all_blocks(page: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (mut lines, mut blocks) = (text.lines(), Vec::new());
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let language = language.split(',').next().unwrap().to_owned();
        let block =
            lines.by_ref().take_while(|line| line.trim_start() != "```").map(|line| format!("{line}\n")).collect();
        blocks.push((language, block));
    }
    blocks
}

/// Returns the levels of a page's headings, with the number of blocks before each.
fn outline(page: &str) -> Vec<(usize, usize)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (mut fences, mut headings) = (0, Vec::new());
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fences += 1;
        } else if fences % 2 == 0 && line.starts_with('#') {
            headings.push((line.chars().take_while(|c| *c == '#').count(), fences / 2));
        }
    }
    headings
}

fn run(page: &str, blocks: &[String], emulator: &Emulator) {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // A `cargo hwjobs` that builds nothing and is a single process.
    let (cargo, mode) = (home.path().join("cargo"), std::fs::Permissions::from_mode(0o755));
    std::fs::write(&cargo, "#!/bin/sh\ntest \"$1\" = hwjobs && shift && exec hwjobs \"$@\"\n").unwrap();
    std::fs::set_permissions(&cargo, mode).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_hwjobs")).parent().unwrap();
    let mut paths = vec![home.path().to_owned(), binary.to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut script = blocks.join("");
    // A page that starts an emulator must also set its variables.
    let variables = if script.contains("hwjobs emulator") { Vec::new() } else { emulator.environment() };
    for (cloud, stand_in) in STAND_INS {
        script = script.replace(cloud, stand_in);
    }
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("{PRELUDE}\n{script}"))
        .current_dir(folder.path())
        .env_clear()
        .envs(variables)
        .env("PATH", std::env::join_paths(paths).unwrap())
        .env("HOME", home.path())
        .output()
        .unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{page}: {}\n{said}\n{failed}", output.status);
    for (_, text) in PRINTED.iter().filter(|(of, _)| *of == page) {
        assert!(said.contains(text), "{page} does not print {text}:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_does_what_it_says() {
    let emulator = Emulator::builder().time_scale(10.0).start().await.unwrap();
    let mut unused: BTreeSet<_> = NOT_RUN.iter().collect();
    let mut to_run = BTreeMap::new();
    for page in pages("") {
        for block in blocks(&page) {
            match NOT_RUN.iter().find(|(of, begins, _)| *of == page && block.starts_with(begins)) {
                Some(exception) => _ = unused.remove(exception),
                None => to_run.entry(page.clone()).or_insert_with(Vec::new).push(block),
            }
        }
    }
    assert!(unused.is_empty(), "there are no such blocks: {unused:?}");
    for (page, _) in PRINTED {
        assert!(to_run.contains_key(page), "{page} has nothing to run");
    }
    std::thread::scope(|scope| {
        for (page, blocks) in &to_run {
            scope.spawn(|| run(page, blocks, &emulator));
        }
    });
}

/// Returns the parts of a page's code that do not depend on its language: code without comments, hidden lines and
/// quoted text, and the number of lines of outputs.
fn code(page: &str) -> Vec<(String, Vec<String>)> {
    let neutral = |line: &str| line.split("//").next().unwrap().split(['\'', '"']).step_by(2).collect::<String>();
    let neutral_block = |(language, block): (String, String)| {
        let shown = block.lines().filter(|line| *line != "#" && !line.starts_with("# "));
        let lines = match language.as_str() {
            "text" => vec![format!("{} lines", shown.count())],
            _ => shown.map(|line| neutral(line).trim_end().to_owned()).collect(),
        };
        (language, lines)
    };
    all_blocks(page).into_iter().map(neutral_block).collect()
}

#[test]
fn both_readmes_have_the_same_headings_and_code() {
    assert_eq!(outline("README.md"), outline("README.zh-CN.md"));
    assert_eq!(code("README.md"), code("README.zh-CN.md"));
}
