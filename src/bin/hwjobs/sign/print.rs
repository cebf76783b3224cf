//! Prints a signature, step by step.

use std::fmt::Write as _;

use huaweicloud_jobs::session::signing::Signed;
use huaweicloud_jobs::terminal;
use serde_json::json;

use super::canonical::SECRET_HEADERS;
use super::compare::Difference;

pub(super) fn as_text(signed: &Signed, differences: Option<&[Difference]>) -> String {
    let canonical_request = signed.canonical_request();
    let (shown, hidden) = without_secrets(canonical_request);
    let mut out = String::new();
    let mut section = |title: &str, text: &str| {
        let space = if out.is_empty() { "" } else { "\n" };
        // Writing into a text never fails.
        let _ = writeln!(out, "{space}== {title}\n{}", terminal::text(text));
    };
    section("Canonical request", &shown);
    section("String to sign", signed.string_to_sign());
    section("Signature", signed.signature());
    section("Authorization", signed.authorization());
    if !hidden.is_empty() {
        let text = format!("*** stands for the value of {}; --format json has it.", hidden.join(" and "));
        section("Note", &text);
    }
    match differences {
        None => {}
        Some([]) => section(
            "Comparison",
            "The canonical requests are equal. If the gateway still rejects the signature, it has another secret key:\n\
             look for a key of another account, a blank or line break that came along, or temporary keys without their\n\
             security token.",
        ),
        Some(differences) => {
            for Difference { step, ours, theirs, hint } in differences {
                let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".to_owned());
                section(
                    &format!("Different: {step}"),
                    &format!("ours:    {}\ngateway: {}\n{hint}", side(ours), side(theirs)),
                );
            }
        }
    }
    out
}

pub(super) fn as_json(signed: &Signed, differences: Option<&[Difference]>) -> String {
    let mut value = json!({
        "canonical_request": signed.canonical_request(),
        "string_to_sign": signed.string_to_sign(),
        "signature": signed.signature(),
        "authorization": signed.authorization(),
    });
    if let Some(differences) = differences {
        value["differences"] = json!(differences);
    }
    format!("{value:#}\n")
}

/// Redacts the secret values of a canonical request. Returns it with the names of their headers.
fn without_secrets(canonical_request: &str) -> (String, Vec<&str>) {
    let mut hidden = Vec::new();
    let mut lines = Vec::new();
    let mut in_headers = true;
    for (place, line) in canonical_request.split('\n').enumerate() {
        in_headers &= place < 3 || !line.is_empty();
        match line.split_once(':') {
            Some((name, _)) if place >= 3 && in_headers && SECRET_HEADERS.contains(&name) => {
                hidden.push(name);
                lines.push(format!("{name}:***"));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    (lines.join("\n"), hidden)
}
