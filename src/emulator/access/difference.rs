//! Explains a wrong signature: tries the usual mistakes of clients one after the other.

use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::session::signing::{Authorization, Mismatch, Request};

/// Describes the mistake that leads to this signature.
pub(super) fn find(
    authorization: &Authorization<'_>,
    mismatch: &Mismatch,
    request: &Request<'_>,
    secret_key: &Secret,
) -> String {
    let lines: Vec<&str> = mismatch.canonical_request().split('\n').collect();
    let fits = |place: usize, line: &str| {
        let mut lines = lines.clone();
        lines[place] = line;
        authorization.fits(&lines.join("\n"), mismatch, secret_key)
    };
    let payload = lines.len() - 1;
    let mut slips: Vec<(usize, String, &str)> = Vec::new();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        slips.push((0, method.to_owned(), "the method differs from the one that was signed"));
    }
    let open = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
    slips.push((1, open(lines[1]), "the path was signed without the slash at its end"));
    // The path as it was sent, encoded once more, and not encoded.
    let decoded = percent_decode_str(lines[1]).decode_utf8_lossy().into_owned();
    for path in [request.path.to_owned(), lines[1].replace('%', "%25"), decoded] {
        let open = open(&path);
        slips.push((1, format!("{open}/"), "the path was signed with another encoding"));
        slips.push((1, open, "the path was signed with another encoding and without the slash at its end"));
    }
    slips.push((2, String::new(), "the query was not signed"));
    slips.push((2, request.query.to_owned(), "the query was signed unsorted or with another encoding"));
    slips.push((2, lines[2].replace("%20", "+"), "a blank in the query was signed as `+`"));
    for (place, line) in lines.iter().enumerate().take(payload - 2).skip(3) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let candidates: &[String] = match name {
            "host" => {
                let bare = value.rsplit_once(':').map_or(value, |(host, _)| host);
                &[bare.to_owned(), format!("{bare}:80"), format!("{bare}:443")]
            }
            "content-type" => &["", ";charset=utf8", ";charset=utf-8", ";charset=UTF-8", "; charset=utf-8"]
                .map(|charset| format!("application/json{charset}")),
            _ => &[],
        };
        for other in candidates.iter().map(String::as_str).chain([""]) {
            if fits(place, &format!("{name}:{other}")) {
                return format!("the header `{name}` was signed as `{other}`");
            }
        }
    }
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let body = request.body;
    slips.push((payload, hash(b""), "the body was not signed"));
    slips.push((payload, "UNSIGNED-PAYLOAD".to_owned(), "`UNSIGNED-PAYLOAD` was signed without its header"));
    slips.push((payload, hash(&[body, b"\n"].concat()), "the body was signed with a newline at its end"));
    slips.push((payload, hash(body.trim_ascii()), "the body was signed without the white space at its ends"));
    match slips.into_iter().find(|(place, line, _)| fits(*place, line)) {
        Some((_, _, what)) => what.to_owned(),
        None => "the secret key or a line of the canonical request differs".to_owned(),
    }
}

/// Writes the canonical request on one line, as the gateway does, with a security token redacted.
pub(super) fn echo(canonical_request: &str) -> String {
    let hide = |line: &str| match line.split_once(':') {
        Some((name @ "x-security-token", _)) => format!("{name}:***"),
        _ => line.to_owned(),
    };
    canonical_request.split('\n').map(hide).collect::<Vec<_>>().join("|")
}
