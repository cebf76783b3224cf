//! HAR files that somebody else gives: each is refused, or can be checked, reported and shared.

#![no_main]

use huaweicloud_jobs::contract::{Format, Recording};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(text) = std::str::from_utf8(file) else { return };
    let Ok(recording) = Recording::read(text, None) else { return };
    let report = recording.check();
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html, Format::Sarif] {
        format.report(&report).expect("every report can be written");
    }
    let copy = recording.redacted();
    let again = Recording::read(&copy, None).expect("the copy is a HAR file");
    assert!(again.check().outcomes.len() <= report.outcomes.len());
});
