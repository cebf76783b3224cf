//! What is published beside the descriptions agrees with them.
#![cfg(feature = "spec")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use huaweicloud_jobs::ErrorCode;
use huaweicloud_jobs::spec::{self, deviations};
use serde_json::Value;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn readme_is_current() {
    let (current, written) = (read("openapi/README.md"), deviations::readme());
    let line = current.lines().zip(written.lines()).take_while(|(old, new)| old == new).count() + 1;
    assert!(current == written, "openapi/README.md is stale from line {line} on; run `cargo hwjobs spec readme`");
}

#[test]
fn links_of_the_readme_lead_somewhere() {
    let page = read("openapi/README.md");
    let anchors: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|title| {
            let title = title.trim_start_matches('#').trim().to_lowercase();
            title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
        })
        .collect();
    let mut links = 0;
    for (target, _) in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
        links += 1;
        match target.strip_prefix('#') {
            Some(anchor) => assert!(anchors.contains(anchor), "no heading for #{anchor}"),
            None => {
                assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(target).exists(), "no file {target}")
            }
        }
    }
    assert!(links > 50, "{links} links found");
}

/// How many entries stand under a key in a document.
fn count(value: &Value, key: &str) -> usize {
    match value {
        Value::Object(map) => {
            map.get(key).and_then(Value::as_array).map_or(0, Vec::len)
                + map.values().map(|inner| count(inner, key)).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(|inner| count(inner, key)).sum(),
        _ => 0,
    }
}

#[test]
fn every_deviation_is_listed_and_complete() {
    let mut total = 0;
    for document in spec::documents() {
        let found = deviations::deviations(document.value());
        assert_eq!(found.len(), count(document.value(), "x-deviation"), "{}", document.name());
        for deviation in &found {
            let texts = [deviation.documented, deviation.observed, deviation.decision];
            assert!(texts.iter().all(|text| !text.is_empty()) && !deviation.ids.is_empty(), "{}", deviation.pointer);
        }
        let exempt = deviations::exemptions(document.value());
        assert_eq!(exempt.len(), count(document.value(), "x-no-deviation"), "{}", document.name());
        let decided: BTreeSet<_> = found.iter().flat_map(|deviation| &deviation.ids).collect();
        for exemption in &exempt {
            assert!(!exemption.reason.is_empty() && !exemption.ids.is_empty(), "{}", exemption.operation);
            let both = exemption.ids.iter().find(|id| decided.contains(id));
            assert!(both.is_none(), "{both:?} is decided and called needless, at {}", exemption.operation);
        }
        total += found.len();
    }
    assert!(total > 200, "{total} deviations");
}

/// Every `error_code` in a value.
fn codes(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(code)) = map.get("error_code") {
                found.insert(code.clone());
            }
            if let Some(Value::Number(code)) = map.get("error").and_then(|error| error.get("code")) {
                found.insert(code.to_string());
            }
            map.values().for_each(|inner| codes(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| codes(inner, found)),
        _ => {}
    }
}

#[test]
fn codes_of_documented_failures_are_described() {
    let mut found = BTreeSet::new();
    for document in spec::documents() {
        for operation in document.operations() {
            for example in document.examples(operation) {
                if let Some((_, body)) = example.response {
                    codes(body, &mut found);
                }
            }
        }
    }
    assert!(found.contains("ModelArts.0105") && found.contains("401"), "{found:?}");
    for code in found {
        let known = ErrorCode::lookup(&code).unwrap_or_else(|| panic!("{code} is in no file of openapi/errors"));
        assert!(known.meaning().is_some(), "{code} has no meaning");
    }
}

/// Texts in quotes that look like an error code.
fn quoted_codes(source: &str) -> impl Iterator<Item = &str> {
    source.split('"').skip(1).step_by(2).filter(|text| {
        let number = text.rsplit('.').next().unwrap_or_default();
        let prefix = &text[..text.len() - number.len()];
        let digits = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        digits && matches!(prefix, "" | "ModelArts." | "APIG." | "MRS.")
    })
}

#[test]
fn codes_of_the_emulator_are_described() {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = std::fs::read_to_string(&path).unwrap();
                found.extend(source.lines().flat_map(quoted_codes).map(str::to_owned));
            }
        }
    }
    assert!(["APIG.0301", "0176", "ModelArts.0104", "12000068"].iter().all(|code| found.contains(*code)), "{found:?}");
    for code in found {
        let known = ErrorCode::lookup(&code).unwrap_or_else(|| panic!("{code} is in no file of openapi/errors"));
        assert!(known.meaning().is_some(), "{code} has no meaning");
    }
}
