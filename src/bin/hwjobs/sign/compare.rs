//! Compares two canonical requests step by step.

use std::fmt::Write as _;

use huaweicloud_jobs::session::signing::Signed;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::exit::{Usage, usage};
use super::canonical::{CONTENT_HASH, Canonical, DATE, HOST, SECRET_HEADERS, SECURITY_TOKEN, UNSIGNED};

/// A difference between two canonical requests.
#[derive(Serialize)]
pub(super) struct Difference {
    pub(super) step: String,
    pub(super) ours: Option<String>,
    pub(super) theirs: Option<String>,
    /// The usual cause.
    pub(super) hint: String,
}

/// Collects all texts in a JSON value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

/// Compares our canonical request with the one in a message. Returns the steps that differ.
pub(super) fn compare(signed: &Signed, message: &str, body: &[u8]) -> Result<Vec<Difference>, Usage> {
    let json: Option<Value> = serde_json::from_str(message).ok();
    let mut candidates = Vec::new();
    match &json {
        Some(json) => texts(json, &mut candidates),
        None => candidates.push(message),
    }
    let Some(theirs) = candidates.into_iter().find_map(Canonical::find) else {
        return usage(
            "there is no complete canonical request in what --compare gives: METHOD|/path/|query|headers||names|hash",
        );
    };
    let ours = Canonical::parse(signed.canonical_request()).ok_or_else(|| Usage("our own canonical request".into()))?;

    let mut found = Vec::new();
    differ(&mut found, "method", &ours.method, &theirs.method, || {
        "The request was sent with another method than it was signed with; a redirect can change it too.".into()
    });
    differ(&mut found, "path", &ours.path, &theirs.path, || path_hint(&ours.path, &theirs.path));
    differ(&mut found, "query", &ours.query, &theirs.query, || query_hint(&ours.query, &theirs.query));
    compare_headers(&ours, &theirs, &mut found);
    differ(&mut found, "signed headers", &ours.signed_headers, &theirs.signed_headers, || {
        let set =
            |names: &str| names.split(';').map(str::to_ascii_lowercase).collect::<std::collections::BTreeSet<_>>();
        if set(&ours.signed_headers) == set(&theirs.signed_headers) {
            "The same headers in another form: names are in lower case, sorted, each once.".into()
        } else {
            "The gateway takes the list from SignedHeaders in Authorization. To sign the same headers here, give its \
             list with --signed-headers."
                .into()
        }
    });
    differ(&mut found, "body hash", &ours.payload, &theirs.payload, || {
        payload_hint(&ours.payload, &theirs.payload, body)
    });
    Ok(found)
}

/// Adds a step if its two texts differ.
fn differ(found: &mut Vec<Difference>, step: &str, ours: &str, theirs: &str, hint: impl FnOnce() -> String) {
    if ours != theirs {
        let [ours, theirs] = [ours, theirs].map(|text| Some(text.to_owned()));
        found.push(Difference { step: step.to_owned(), ours, theirs, hint: hint() });
    }
}

fn compare_headers(ours: &Canonical, theirs: &Canonical, found: &mut Vec<Difference>) {
    let values = |headers: &[(String, String)], name: &str| {
        let values: Vec<_> =
            headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect();
        (!values.is_empty()).then(|| values.join(" / "))
    };
    let before = found.len();
    let mut names: Vec<&String> = ours.headers.iter().chain(&theirs.headers).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (our_value, their_value) = (values(&ours.headers, name), values(&theirs.headers, name));
        if our_value == their_value {
            continue;
        }
        let mut hint = header_hint(name, our_value.as_deref(), their_value.as_deref());
        let mut sides = [our_value, their_value];
        if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            if let [Some(ours), Some(theirs)] = &sides {
                let _ = write!(hint, " Ours has {} bytes, the gateway's {}.", ours.len(), theirs.len());
            }
            sides = sides.map(|side| side.map(|_| "***".to_owned()));
        }
        let [ours, theirs] = sides;
        found.push(Difference { step: format!("header {name}"), ours, theirs, hint });
    }
    if found.len() == before && ours.headers != theirs.headers {
        let order = |headers: &[(String, String)]| {
            Some(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
        };
        found.push(Difference {
            step: "order of the headers".to_owned(),
            ours: order(&ours.headers),
            theirs: order(&theirs.headers),
            hint: "The lines of the headers are sorted by name.".to_owned(),
        });
    }
}

fn header_hint(name: &str, ours: Option<&str>, theirs: Option<&str>) -> String {
    let hint = match (name, ours, theirs) {
        (_, Some(_), None) => {
            "It is signed here and not there: it is not among the SignedHeaders that were sent, or it got lost on the \
             way (gateways drop names with _)."
        }
        (_, None, _) => {
            "It is signed there and not here: give it with --header, and name it if there are --signed-headers."
        }
        (HOST, Some(ours), Some(theirs)) if host_name(ours) == host_name(theirs) => {
            "The port: it goes along in Host unless it is the scheme's own, 443 or 80."
        }
        (HOST, ..) => {
            "The request reached the gateway under another name: a proxy that rewrites Host, or a name of one's own for \
             the endpoint."
        }
        (DATE, ..) => {
            "Another time: give --date as the request had it. The date that is signed has to be the one that is sent, \
             also when a request is repeated."
        }
        ("content-type", ..) => {
            "HTTP libraries add a charset or a boundary after signing. Content-Type need not be signed: leave it out."
        }
        (SECURITY_TOKEN, ..) => {
            "Another token: the keys were renewed in between, or the token was cut short or folded by a header's limit."
        }
        ("x-project-id", ..) => "Another project: compare with the one in the path.",
        (CONTENT_HASH, ..) => "Another hash of the body, or UNSIGNED-PAYLOAD on one side only.",
        ("user-agent" | "content-length" | "connection" | "accept" | "accept-encoding" | "transfer-encoding", ..) => {
            "Proxies and HTTP libraries change this header. Do not sign it."
        }
        (_, Some(ours), Some(theirs)) if ours.split_whitespace().eq(theirs.split_whitespace()) => {
            "Blanks: those at the ends of a value are cut off, those inside stay as they are."
        }
        _ => {
            "The value was changed after signing. host and x-sdk-date are enough to be signed; proxies leave these alone."
        }
    };
    hint.to_owned()
}

fn host_name(authority: &str) -> &str {
    authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(authority, |(name, _)| name)
}

/// Decodes a text until it no longer changes, so that texts that were encoded a different number of times become equal.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    loop {
        let next: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if next == bytes {
            return bytes;
        }
        bytes = next;
    }
}

fn path_hint(ours: &str, theirs: &str) -> String {
    let bare = |path: &str| path.trim_end_matches('/').to_owned();
    if bare(ours) == bare(theirs) {
        "The slash at the end: a canonical path ends in exactly one, whatever the path that is sent ends in."
    } else if decoded(&bare(ours)) == decoded(&bare(theirs)) {
        "The encoding: each segment is percent-encoded exactly once, all but A-Za-z0-9-_.~, with digits in upper case. \
         %25 is the sign of a path that was encoded twice."
    } else if bare(theirs).ends_with(&bare(ours)) || bare(ours).ends_with(&bare(theirs)) {
        "A part at the beginning: a proxy adds or takes off a prefix, or the address of the endpoint has a path of its own."
    } else {
        "The request was sent to another path than it was signed for. Look at the project and the other ids in it."
    }
    .to_owned()
}

fn query_hint(ours: &str, theirs: &str) -> String {
    let pairs = |query: &str, plus: &str| {
        let mut pairs: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let pair = pair.replace('+', plus);
                let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
                (decoded(name), decoded(value))
            })
            .collect();
        pairs.sort();
        pairs
    };
    let (our_pairs, their_pairs) = (pairs(ours, "+"), pairs(theirs, "+"));
    let sorted = |query: &str| {
        let mut pieces: Vec<_> = query.split('&').map(str::to_owned).collect();
        pieces.sort();
        pieces
    };
    if sorted(ours) == sorted(theirs) {
        return "The order: pairs are sorted by name, upper case before lower case, and then by value.".to_owned();
    }
    if our_pairs == their_pairs {
        return "The encoding: names and values are percent-encoded exactly once, all but A-Za-z0-9-_.~, and a name \
                without a value keeps its =."
            .to_owned();
    }
    // `+` and `%20` are equal only as a blank, `+` and `%2B` only as a plus.
    let blanks = |query: &str| pairs(&query.replace("%2B", "+").replace("%2b", "+"), "%20");
    if blanks(ours) == blanks(theirs) {
        return "A blank or a plus: in a canonical query a blank is %20 and a plus is %2B. HTTP libraries send a blank \
                as +, which gateways read either way."
            .to_owned();
    }
    let missing = |from: &[(Vec<u8>, Vec<u8>)], other: &[(Vec<u8>, Vec<u8>)]| {
        let names = from
            .iter()
            .filter(|pair| !other.contains(pair))
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut hint = "The query that is sent has to be the one that is signed.".to_owned();
    for (side, names) in
        [("Only ours", missing(&our_pairs, &their_pairs)), ("Only the gateway's", missing(&their_pairs, &our_pairs))]
    {
        if !names.is_empty() {
            let _ = write!(hint, " {side} has this value of: {names}.");
        }
    }
    hint
}

fn payload_hint(ours: &str, theirs: &str, body: &[u8]) -> String {
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let empty = hash(b"");
    let longer = [body, b"\n"].concat();
    let shorter = body.strip_suffix(b"\n").unwrap_or(body);
    if ours == UNSIGNED || theirs == UNSIGNED {
        "One side does not cover the body: the header X-Sdk-Content-Sha256 says UNSIGNED-PAYLOAD on one side only."
    } else if ours.eq_ignore_ascii_case(theirs) {
        "Only the case of the digits: they are in lower case."
    } else if theirs == hash(&longer) || (theirs == hash(shorter) && shorter != body) {
        "The newline at the end of the body: it is part of it on one side only. Editors and JSON encoders add it."
    } else if ours == empty {
        "Ours is the hash of an empty body: give the body with --body, exactly as it was sent."
    } else if theirs == empty {
        "The gateway saw an empty body: it was not sent, or was lost in a redirect or with Transfer-Encoding: chunked."
    } else {
        "The bytes that were sent are not those that were signed: JSON that was written a second time (order, blanks, \
         escapes), another character set, or compression. Sign exactly what is sent."
    }
    .to_owned()
}
