//! The canonical request: the text that signer and verifier must agree on.

use std::borrow::Cow;
use std::collections::HashSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The characters that a canonical request encodes: all but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');

/// The payload line of a request with an unsigned body.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The variants of the canonical form. Clients differ where the documentation is ambiguous.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The documented form, which this crate signs.
    Plain,
    /// The form of the vendor's Python core: it decodes the path before it splits it, so that `%2F` separates segments
    /// too.
    DecodedPath,
    /// The form of gophertelekomcloud: like `DecodedPath`, but only the first value of a repeated query name counts,
    /// names are sorted without regard to case, and runs of blanks in a header become one blank.
    FirstValues,
}

/// Appends the canonical request, and returns the range of the signed headers' line in `out`.
///
/// `headers` are the signed ones in their order, the names in lower case, the values trimmed.
pub(super) fn write(
    out: &mut String,
    method: &str,
    path: &str,
    query: &str,
    headers: &[(impl AsRef<str>, &str)],
    payload: &str,
    dialect: Dialect,
) -> std::ops::Range<usize> {
    out.push_str(method);
    out.push('\n');
    write_path(out, path, dialect);
    out.push('\n');
    write_query(out, query, dialect);
    out.push('\n');
    for (name, value) in headers {
        out.push_str(name.as_ref());
        out.push(':');
        match dialect {
            Dialect::FirstValues => collapse(out, value),
            _ => out.push_str(value),
        }
        out.push('\n');
    }
    out.push('\n');
    let start = out.len();
    for (place, (name, _)) in headers.iter().enumerate() {
        if place > 0 {
            out.push(';');
        }
        out.push_str(name.as_ref());
    }
    let end = out.len();
    out.push('\n');
    out.push_str(payload);
    start..end
}

fn collapse(out: &mut String, value: &str) {
    let mut blank = false;
    out.extend(value.chars().filter(|c| !(std::mem::replace(&mut blank, *c == ' ') && blank)));
}

/// Appends each segment encoded once, with a slash at the start and at the end.
fn write_path(out: &mut String, path: &str, dialect: Dialect) {
    if !path.starts_with('/') {
        out.push('/');
    }
    recode_path(out, path, dialect != Dialect::Plain);
    if !out.ends_with('/') {
        out.push('/');
    }
}

/// Returns whether a path needs no encoding or decoding.
pub(in crate::session) fn is_plain_path(path: &str) -> bool {
    // Checking every byte is faster than an early exit, since most paths are plain.
    path.bytes().fold(true, |plain, byte| plain & ((byte == b'/') | is_unreserved(byte)))
}

/// Encodes each segment of a path that may be encoded already, completely or in part.
pub(super) fn recode_path(out: &mut String, path: &str, slash_is_slash: bool) {
    if is_plain_path(path) {
        return out.push_str(path);
    }
    for (place, segment) in path.split('/').enumerate() {
        if place > 0 {
            out.push('/');
        }
        let reserved = if slash_is_slash { RESERVED_BUT_SLASH } else { RESERVED };
        out.extend(percent_encode(&decode(segment), reserved));
    }
}

/// Name and value.
pub(super) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Returns the decoded pairs of a query. An empty piece is a pair too, so that an added or removed `&` changes the
/// result.
fn pairs(query: &str) -> Vec<Pair<'_>> {
    if query.is_empty() {
        return Vec::new();
    }
    let pair = |piece| {
        let (name, value) = str::split_once(piece, '=').unwrap_or((piece, ""));
        (decode(name), decode(value))
    };
    query.split('&').map(pair).collect()
}

/// Go decodes a `+` as a blank.
fn without_plus(query: &str) -> String {
    query.replace('+', "%20")
}

fn write_query(out: &mut String, query: &str, dialect: Dialect) {
    if dialect == Dialect::FirstValues {
        let query = without_plus(query);
        let mut pairs = pairs(&query);
        let mut seen = HashSet::new();
        pairs.retain(|(name, _)| seen.insert(name.clone()));
        pairs.sort_by_cached_key(|(name, _)| {
            let mut key = String::new();
            encode(&mut key, name);
            key.to_ascii_lowercase()
        });
        join(out, &pairs);
    } else {
        let mut pairs = pairs(query);
        pairs.sort();
        join(out, &pairs);
    }
}

/// Returns the query in the form of Go's `url.Values.Encode`: sorted by name only, a blank as `+`.
pub(super) fn go_query(query: &str) -> String {
    let query = without_plus(query);
    let mut pairs = pairs(&query);
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut out = String::with_capacity(query.len());
    join(&mut out, &pairs);
    out.replace("%20", "+")
}

/// Appends `name=value&name=value`, encoded.
pub(super) fn join(out: &mut String, pairs: &[Pair<'_>]) {
    for (place, (name, value)) in pairs.iter().enumerate() {
        if place > 0 {
            out.push('&');
        }
        encode(out, name);
        out.push('=');
        encode(out, value);
    }
}

/// Decodes `%XX`. A `%` without two digits and a `+` stay unchanged.
fn decode(text: &str) -> Cow<'_, [u8]> {
    percent_decode_str(text).into()
}

/// Appends the bytes with all but `A-Za-z0-9-_.~` as `%XX`.
pub(super) fn encode(out: &mut String, bytes: &[u8]) {
    out.extend(percent_encode(bytes, RESERVED));
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_') | (byte == b'.') | (byte == b'~')
}
