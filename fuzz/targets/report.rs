//! Reports of contract runs that somebody else gives: each is refused, or can be shown in every format.

#![no_main]

use huaweicloud_jobs::contract::{Format, Matrix, Report};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(report) = serde_json::from_slice::<Report>(file) else { return };
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html, Format::Sarif] {
        let text = format.report(&report).expect("every report can be written");
        if format == Format::Junit {
            let is_xml = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
            assert!(text.chars().all(is_xml), "{text:?}");
        }
    }
    let mut matrix = Matrix::default();
    matrix.add("one", &report);
    matrix.add("two", &report);
    for format in [Format::Json, Format::Markdown, Format::Html] {
        format.matrix(&matrix).expect("every matrix can be written");
    }
});
