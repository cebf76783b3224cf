//! Tests `COVERAGE.md`, the parts that each operation has. `EXPECTORATE=overwrite` updates it.

#![cfg(all(feature = "cli", feature = "contract"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use huaweicloud_jobs::api::{iam, modelarts, mrs};
use huaweicloud_jobs::contract::{Kind, Plan};
use huaweicloud_jobs::spec;

/// Returns all Rust sources below a directory as one text.
fn sources(directory: &str) -> String {
    fn read(path: &Path, text: &mut String) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_dir() {
                read(&path, text)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path)?);
            }
        }
        Ok(())
    }
    let mut text = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut text).unwrap();
    text
}

#[test]
fn every_operation_is_complete() {
    let handles = sources("src/modelarts") + &sources("src/mrs") + &sources("src/session");
    let (nouns, emulator) = (sources("src/bin/hwjobs"), sources("src/emulator/handlers"));
    let plan = Plan::of_description();
    let clients = [iam::operations::ALL, modelarts::operations::ALL, mrs::operations::ALL].concat();
    let mut text = "# Coverage\n\n<!-- Written by tests/description/coverage.rs: EXPECTORATE=overwrite cargo test --all-features --test description coverage -->\n\n\
        What there is for each described operation. An operation is complete with a description, a client method, a handle or \
        a command, a route of the emulator, and contract clauses. Examples are as many as the documents print.\n".to_owned();
    let mut holes = Vec::new();
    for document in spec::documents() {
        let title = document.value()["info"]["title"].as_str().unwrap();
        let kinds = Kind::PLANNED.map(Kind::name).join(" | ");
        writeln!(text, "\n## {title}\n\n| Operation | Examples | Client | Handle | Command | Emulator | {kinds} |")
            .unwrap();
        writeln!(text, "| --- | ---: | --- | --- | --- | --- |{}", " ---: |".repeat(Kind::PLANNED.len())).unwrap();
        for operation in document.operations() {
            let id = operation.id();
            // The word alone, since the lists of MRS use it in a macro.
            let constant = id.to_ascii_uppercase();
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let has_handle = handles.split(|c| !is_of_name(c)).any(|word| word == constant);
            let client = clients.iter().any(|known| known.id == id);
            let (command, served) = (nouns.contains(&format!("\"{id}\"")), emulator.contains(&format!("\"{id}\"")));
            let clauses = Kind::PLANNED.map(|kind| {
                plan.clauses().iter().filter(|clause| clause.operation() == id && clause.kind() == kind).count()
            });
            let needed = [
                (client, "client method"),
                (has_handle || command, "handle or command"),
                (served, "route of the emulator"),
                (clauses.iter().sum::<usize>() > 0, "contract clause"),
            ];
            holes.extend(needed.iter().filter(|(there, _)| !there).map(|(_, what)| format!("{id} has no {what}")));
            let mark = |there: bool| if there { "yes" } else { "" };
            let examples = document.examples(operation).len();
            let counts = clauses.map(|count| count.to_string()).join(" | ");
            let row = [client, has_handle, command, served].map(mark).join(" | ");
            writeln!(text, "| `{id}` | {examples} | {row} | {counts} |").unwrap();
        }
    }
    let totals = Kind::PLANNED.map(|kind| {
        let count = plan.clauses().iter().filter(|clause| clause.kind() == kind).count();
        format!("{count} {kind}")
    });
    writeln!(text, "\n{} contract clauses: {}.", plan.clauses().len(), totals.join(", ")).unwrap();
    assert!(holes.is_empty(), "{holes:#?}");
    expectorate::assert_contents(Path::new(env!("CARGO_MANIFEST_DIR")).join("COVERAGE.md"), &text);
}
