//! Internal functions of the command line for the fuzz targets in `fuzz/`. Only `--cfg fuzzing`, which `cargo fuzz`
//! sets, compiles them.

use std::fs;
use std::path::Path;

use clap::{FromArgMatches, Subcommand};
use huaweicloud_jobs::{Session, spec};
use serde_json::json;

use super::fields::Field;
use super::journal::{Journal, Target};
use super::rows::Rows;
use super::sign;

/// Validates a file of updates. Accepted rows can be sent.
pub fn rows(file: &Path, session: &Session) {
    let operation = "update_training_job";
    let (Some((document, described)), Ok(base)) = (spec::operation(operation), session.request(operation)) else {
        panic!("the description has {operation}");
    };
    let name = file.to_str().expect("the path is a text");
    let Ok(rows) = Rows::open(name, Field::all(document, described), Vec::new(), Some(json!({}))) else { return };
    let Ok(summary) = rows.check(&base, || false) else { return };
    let read = rows.read().unwrap_or_else(|error| panic!("{error}"));
    let again: Vec<_> = read.map(|(line, row)| row.unwrap_or_else(|reason| panic!("{line:?}: {reason}"))).collect();
    assert_eq!(again.len(), summary.count);
    for row in again {
        row.request(&base).preview().unwrap_or_else(|error| panic!("{}: {error}", row.object()));
    }
}

/// Opens a file as the journal of a run. A file that is not a journal does not change, and a journal loses only a cut
/// line.
pub fn journal(file: &Path, session: &Session) {
    let operation = "update_training_job";
    let request = session.request(operation).unwrap_or_else(|error| panic!("{error}"));
    let target = Target::of(session, &request, operation);
    let name = file.to_str().expect("the path is a text");
    let before = fs::read(file).expect("the file is there");
    let read = Journal::read(name, &target);
    assert_eq!(fs::read(file).expect("the file is there"), before, "reading changes the file");
    let opened = Journal::open(name, &target);
    let after = fs::read(file).expect("the file is there");
    match opened {
        Err(_) => {
            assert!(read.is_err());
            assert_eq!(after, before, "a file that is rejected is changed");
        }
        Ok(_) => {
            let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            assert!(after.starts_with(&before[..whole]), "lines are lost");
            assert!(after.ends_with(b"\n"));
        }
    }
}

/// Compares a signature with a gateway's message.
pub fn compare(message: &str) {
    let command = sign::Command::augment_subcommands(clap::Command::new("sign"));
    let words =
        ["sign", "explain", "--method", "PUT", "--url", "https://example.com/a/b?c=d", "--ak", "AK", "--sk", "SK"];
    let words = words.into_iter().chain(["--date", "20200608T023900Z", "--compare", message]);
    let Ok(matches) = command.try_get_matches_from(words) else { return };
    let command = sign::Command::from_arg_matches(&matches).expect("clap has checked them");
    let mut out = Vec::new();
    let _ = sign::run(command, &mut out);
    let text = String::from_utf8(out).expect("what is printed is a text");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}
