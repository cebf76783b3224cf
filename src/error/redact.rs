//! Redacts the secrets of a request in the response.
//!
//! Servers, proxies and firewalls echo rejected requests, with escapes for the form of the response. The redactor
//! searches for each secret in the text itself and in the text without its escapes, one kind after the other.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Request;
use serde_json::Value;

use super::confidential::HIDDEN;
use crate::secret::Secret;

/// The length from which on a value is treated as a secret.
const SHORTEST: usize = 3;
/// A shorter secret is only redacted as a separate word, since it could be part of other words by chance.
const WORD: usize = 8;
/// The length of the parts of a secret of at least [`LONG`] bytes that are redacted, because echoes may be cut off.
const PART: usize = 12;
const LONG: usize = 16;
/// The largest number of nested escapes: JSON inside JSON inside HTML.
const DEPTH: usize = 3;
/// In a longer text, only one level of escapes is undone.
const DEEP: usize = 64 * 1024;

/// Takes the secrets of a request out of texts. Cheap to make and to clone: the work is done where a text is redacted.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// The sensitive headers, which the request shares, and whether they are `Authorization`.
    headers: Vec<(HeaderValue, bool)>,
    /// The secrets of the body.
    fields: Vec<Secret>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets().count())
    }
}

impl Redactor {
    /// Creates a redactor for an authenticated request: its secrets are sensitive headers and fields of its JSON body.
    pub(crate) fn of(request: &Request, fields: &[&str]) -> Self {
        let headers = request.headers().iter().filter(|(_, value)| value.is_sensitive());
        let mut redactor = Self {
            headers: headers.map(|(name, value)| (value.clone(), name == AUTHORIZATION)).collect(),
            fields: Vec::new(),
        };
        if !fields.is_empty()
            && let Some(body) = request.body().and_then(reqwest::Body::as_bytes)
            && let Ok(body) = serde_json::from_slice(body)
        {
            collect(&body, fields, &mut redactor.fields);
        }
        redactor
    }

    /// Creates a redactor for known secrets.
    pub(crate) fn knowing(secrets: impl IntoIterator<Item = String>) -> Self {
        Self { headers: Vec::new(), fields: secrets.into_iter().map(Secret::from).collect() }
    }

    /// The texts that are not to be shown.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().filter_map(|(value, is_authorization)| {
            let value = value.to_str().ok()?;
            // The id of the key and the names of the headers are not secret, and messages contain them.
            Some(if *is_authorization { credential(value) } else { value })
        });
        headers.chain(self.fields.iter().map(Secret::expose))
    }

    /// Returns the text with every secret replaced.
    pub(crate) fn redact(&self, text: String) -> String {
        if self.may_be_in(text.len()) { self.patterns().redact(text) } else { text }
    }

    /// Whether a text of so many bytes can hold a secret: escapes only make it longer.
    fn may_be_in(&self, length: usize) -> bool {
        self.secrets().filter_map(|secret| pattern_length(secret.as_bytes())).any(|least| least <= length)
    }

    /// Redacts every string of a JSON body, names of fields included. `bytes` is its length: a large body is only
    /// searched completely if it contains an unescaped secret.
    #[cfg(feature = "raw")]
    pub(crate) fn redact_body(&self, length: usize, body: &mut Value) {
        if self.may_be_in(longest_text(body)) && (length <= DEEP || self.is_echoed_in(body)) {
            self.patterns().redact_value(body);
        }
    }

    #[cfg(feature = "raw")]
    fn is_echoed_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.secrets().any(|secret| text.contains(secret)),
            Value::Array(items) => items.iter().any(|item| self.is_echoed_in(item)),
            Value::Object(fields) => fields.values().any(|value| self.is_echoed_in(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Prepares the search, for many texts.
    pub(crate) fn patterns(&self) -> Patterns<'_> {
        let mut patterns: Vec<Pattern<'_>> = Vec::new();
        for secret in self.secrets().filter_map(|secret| Pattern::of(secret.as_bytes())) {
            // One look at a place of a text serves all secrets with parts of this length.
            let alike = |known: &&mut Pattern<'_>| (known.length, known.is_word) == (secret.length, secret.is_word);
            match patterns.iter_mut().find(alike) {
                Some(known) => {
                    known.parts.extend(secret.parts);
                    known.begins.iter_mut().zip(secret.begins.iter()).for_each(|(known, own)| *known |= own);
                }
                None => patterns.push(secret),
            }
        }
        Patterns(patterns)
    }
}

/// The secrets of a [`Redactor`], prepared for the search in texts.
pub(crate) struct Patterns<'a>(Vec<Pattern<'a>>);

impl Patterns<'_> {
    /// Returns the text with every secret replaced.
    pub(crate) fn redact(&self, text: String) -> String {
        if self.0.iter().all(|pattern| pattern.length > text.len()) {
            return text;
        }
        let depth = if text.len() > DEEP { 1 } else { DEPTH };
        let mut found = Vec::new();
        let raw = Reading { bytes: text.bytes().collect(), spans: None };
        search(raw, &self.0, depth, &mut HashSet::new(), &mut found);
        if found.is_empty() { text } else { replace(&text, found) }
    }

    /// Redacts every string of a JSON value, names of fields included.
    pub(crate) fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redact(std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(fields) => {
                for (name, mut value) in std::mem::take(fields) {
                    self.redact_value(&mut value);
                    fields.insert(self.redact(name), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The bytes of the longest text or name of a JSON value.
#[cfg(feature = "raw")]
fn longest_text(value: &Value) -> usize {
    let fields = |(name, value): (&String, &Value)| name.len().max(longest_text(value));
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(longest_text).max().unwrap_or_default(),
        Value::Object(object) => object.iter().map(fields).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Finds the secrets in one reading of a text, and in all of its decodings.
fn search(
    reading: Reading,
    patterns: &[Pattern<'_>],
    depth: usize,
    seen: &mut HashSet<Vec<u8>>,
    found: &mut Vec<Range<usize>>,
) {
    let is_in = |bytes: &[u8]| patterns.iter().any(|pattern| pattern.occurrences(bytes).next().is_some());
    for range in patterns.iter().flat_map(|pattern| pattern.occurrences(&reading.bytes)) {
        found.push(reading.raw(range));
    }
    for run in base64_runs(&reading.bytes) {
        if decoded(&reading.bytes[run.clone()]).any(|bytes| is_in(&bytes)) {
            found.push(reading.raw(run));
        }
    }
    if depth == 0 {
        return;
    }
    let escapes: [(&[u8], Escape); 4] =
        [(b"\\", json_escape), (b"%", percent_escape), (b"+%", form_escape), (b"&", html_escape)];
    for (signs, escape) in escapes {
        if let Some(next) = reading.decode(signs, escape)
            && seen.insert(next.bytes.clone())
        {
            search(next, patterns, depth - 1, seen, found);
        }
    }
}

/// Returns the secret part of `Authorization`: the signature, otherwise everything after the name of the scheme.
pub(crate) fn credential(header: &str) -> &str {
    match header.split_once("Signature=") {
        Some((_, signature)) => signature.split(',').next().unwrap_or_default().trim(),
        None => header.split_once(' ').map_or(header, |(_, credential)| credential.trim()),
    }
}

fn collect(value: &Value, fields: &[&str], secrets: &mut Vec<Secret>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if fields.contains(&name.as_str()) => secrets.push(text.as_str().into()),
                    value => collect(value, fields, secrets),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, fields, secrets)),
        _ => {}
    }
}

/// A text, or the text without some of its escapes, with the original position of each byte.
struct Reading {
    bytes: Vec<u8>,
    /// `None` for the text itself.
    spans: Option<Vec<Range<usize>>>,
}

/// Decodes the escape at the beginning of a text. Returns its bytes and its length.
type Escape = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

impl Reading {
    /// Returns the position of a part of this reading in the text.
    fn raw(&self, range: Range<usize>) -> Range<usize> {
        match &self.spans {
            Some(spans) => spans[range.start].start..spans[range.end - 1].end,
            None => range,
        }
    }

    /// The reading without escapes of one kind, which begin with one of the signs, if there are any.
    fn decode(&self, signs: &[u8], escape: Escape) -> Option<Self> {
        if !self.bytes.iter().any(|byte| signs.contains(byte)) {
            return None;
        }
        let (mut bytes, mut spans) = (Vec::with_capacity(self.bytes.len()), Vec::with_capacity(self.bytes.len()));
        let (mut at, mut changed) = (0, false);
        while at < self.bytes.len() {
            let Some((decoded, length)) = escape(&self.bytes[at..]) else {
                spans.push(self.raw(at..at + 1));
                bytes.push(self.bytes[at]);
                at += 1;
                continue;
            };
            changed = true;
            spans.extend(decoded.iter().map(|_| self.raw(at..at + length)));
            bytes.extend(decoded);
            at += length;
        }
        changed.then_some(Self { bytes, spans: Some(spans) })
    }
}

fn character(code: u32, length: usize) -> Option<(Vec<u8>, usize)> {
    Some((char::from_u32(code)?.to_string().into_bytes(), length))
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?, 16).ok()
}

fn json_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let plain = |byte: u8| Some((vec![byte], 2));
    match text {
        [b'\\', b'u', rest @ ..] if rest.len() >= 4 => {
            let first = hex(&rest[..4])?;
            if let [b'\\', b'u', low @ ..] = &rest[4..]
                && (0xd800..0xdc00).contains(&first)
                && low.len() >= 4
                && let Some(low @ 0xdc00..0xe000) = hex(&low[..4])
            {
                return character(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00), 12);
            }
            character(first, 6)
        }
        [b'\\', b'n', ..] => plain(b'\n'),
        [b'\\', b'r', ..] => plain(b'\r'),
        [b'\\', b't', ..] => plain(b'\t'),
        [b'\\', b'b', ..] => plain(8),
        [b'\\', b'f', ..] => plain(12),
        [b'\\', byte @ (b'"' | b'\\' | b'/' | b'\''), ..] => plain(*byte),
        _ => None,
    }
}

fn percent_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text {
        [b'%', high, low, ..] => Some((vec![u8::try_from(hex(&[*high, *low])?).ok()?], 3)),
        _ => None,
    }
}

/// Percent-encoding of forms, with a plus for a blank.
fn form_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    if text.starts_with(b"+") { Some((b" ".to_vec(), 1)) } else { percent_escape(text) }
}

fn html_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let name = text.strip_prefix(b"&")?;
    // No name is longer than this.
    let end = name.iter().take(10).position(|byte| *byte == b';')?;
    let length = end + 2;
    let plain = |byte: u8| Some((vec![byte], length));
    match &name[..end] {
        b"amp" => plain(b'&'),
        b"lt" => plain(b'<'),
        b"gt" => plain(b'>'),
        b"quot" => plain(b'"'),
        b"apos" => plain(b'\''),
        [b'#', b'x' | b'X', digits @ ..] => character(hex(digits)?, length),
        [b'#', digits @ ..] => character(std::str::from_utf8(digits).ok()?.parse().ok()?, length),
        _ => None,
    }
}

/// A search pattern: a secret, or all parts of a long one.
struct Pattern<'a> {
    /// The parts, all of the same length.
    parts: HashSet<&'a [u8]>,
    /// A bit for each pair of bytes with which a part begins: most places of a text need no look at the parts.
    begins: Box<[u64; 1024]>,
    length: usize,
    /// Whether it must be a separate word.
    is_word: bool,
}

/// Returns the place of the bit for a pair of bytes.
fn bit(first: u8, second: u8) -> (usize, u64) {
    let pair = usize::from(u16::from_be_bytes([first, second]));
    (pair / 64, 1 << (pair % 64))
}

/// The bytes of the parts of a secret that are looked for, if it is one.
fn pattern_length(secret: &[u8]) -> Option<usize> {
    let length = if secret.len() >= LONG { PART } else { secret.len() };
    (length >= SHORTEST).then_some(length)
}

impl<'a> Pattern<'a> {
    fn of(secret: &'a [u8]) -> Option<Self> {
        let length = pattern_length(secret)?;
        let parts: HashSet<_> = secret.windows(length).collect();
        let mut begins = Box::new([0; 1024]);
        for part in &parts {
            let (word, bit) = bit(part[0], part[1]);
            begins[word] |= bit;
        }
        Some(Self { parts, begins, length, is_word: secret.len() < WORD })
    }

    /// Returns the positions of the parts in some bytes.
    fn occurrences<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = Range<usize>> + use<'a, 'b> {
        let stands_alone = |range: &Range<usize>| {
            let before = range.start.checked_sub(1).map(|at| bytes[at]);
            !before.into_iter().chain(bytes.get(range.end).copied()).any(|byte| byte.is_ascii_alphanumeric())
        };
        let may_begin = |window: &[u8]| {
            let (word, bit) = bit(window[0], window[1]);
            self.begins[word] & bit != 0
        };
        let places = bytes.windows(self.length).enumerate();
        let places = places.filter(move |(_, window)| may_begin(window) && self.parts.contains(window));
        places.map(|(at, _)| at..at + self.length).filter(move |range| !self.is_word || stands_alone(range))
    }
}

/// Returns the parts of a text that may be base64.
fn base64_runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let (mut runs, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_inside(byte)).count();
        if length >= PART {
            runs.push(at..at + length);
        }
        at += length + 1;
    }
    runs
}

/// Decodes a text as base64, from each possible start.
fn decoded(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    (0..4).filter_map(move |start| {
        let text = text.get(start..)?;
        // A single character at the end does not make a byte.
        let text = if text.len() % 4 == 1 { &text[..text.len() - 1] } else { text };
        let alphabet = if text.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
        GeneralPurpose::new(alphabet, config).decode(text).ok()
    })
}

/// Replaces each range by a mark; adjacent ranges share one.
fn replace(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let (mut redacted, mut end) = (String::with_capacity(text.len()), 0);
    for mut range in merged {
        // A range can begin or end inside a character.
        while !text.is_char_boundary(range.start) {
            range.start -= 1;
        }
        while !text.is_char_boundary(range.end) {
            range.end += 1;
        }
        redacted += text.get(end..range.start).unwrap_or_default();
        redacted += HIDDEN;
        end = range.end;
    }
    redacted + &text[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters that need escapes everywhere, and a letter beyond ASCII.
    const SECRET: &str = "pa\"ss/w&o<r>d% +\\\u{e9}'x\n";

    fn redactor(secrets: &[&str]) -> Redactor {
        Redactor { headers: Vec::new(), fields: secrets.iter().map(|secret| Secret::from(*secret)).collect() }
    }

    fn json(text: &str) -> String {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    }

    fn json_ascii(text: &str) -> String {
        text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
    }

    fn percent(text: &str) -> String {
        text.bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") })
            .collect()
    }

    fn form(text: &str) -> String {
        percent(text).replace("%20", "+").to_lowercase()
    }

    fn html(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    }

    fn html_numbers(text: &str) -> String {
        text.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect()
    }

    #[test]
    fn every_escape_is_seen_through_and_every_two_of_them() {
        let escapes: [fn(&str) -> String; 7] = [str::to_owned, json, json_ascii, percent, form, html, html_numbers];
        let redactor = redactor(&[SECRET]);
        for inner in escapes {
            for outer in escapes {
                let echo = outer(&inner(SECRET));
                assert_eq!(
                    redactor.redact(format!("got \u{e9}{echo}\u{e9} here")),
                    "got \u{e9}***\u{e9} here",
                    "{echo}"
                );
            }
        }
    }

    #[test]
    fn base64_of_what_holds_it_is_seen_through_wherever_it_begins() {
        use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
        let redactor = redactor(&["correct-horse-battery"]);
        for before in ["", "a", "ab", "user:", "{\"auth\": {\"password\": \""] {
            let body = format!("{before}correct-horse-battery\"}}?~\u{ff}");
            for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD] {
                let redacted = redactor.redact(format!("body={} end", engine.encode(&body)));
                assert_eq!(redacted.trim_end_matches(" end").trim_end_matches('='), "body=***", "{before}");
            }
        }
    }

    #[test]
    fn a_part_of_a_long_secret_is_one_too_and_a_short_one_must_be_a_word() {
        let token: String = (0..400).map(|n| format!("{n:03}")).collect();
        let long = redactor(&[&token]);
        assert_eq!(long.redact(format!("token {}... is bad", &token[..40])), "token ***... is bad");
        assert_eq!(long.redact(format!("...{}", &token[600..])), "...***");
        assert_eq!(long.redact("001002".to_owned()), "001002", "what is as short as that tells nothing");
        let short = redactor(&["key1", "p"]);
        assert_eq!(short.redact("monkey1 key1, key12 'key1' p".to_owned()), "monkey1 ***, key12 '***' p");
        assert_eq!(Redactor::default().redact("text".to_owned()), "text");
    }

    #[test]
    fn what_proves_who_is_asking_is_taken_from_the_request() {
        let mut request = Request::new(http::Method::POST, "http://h/".parse().expect("an address"));
        let mut header = |name: &'static str, value: &'static str, secret: bool| {
            let mut value = http::HeaderValue::from_static(value);
            value.set_sensitive(secret);
            request.headers_mut().insert(name, value);
        };
        header("authorization", "SDK-HMAC-SHA256 Access=AKID, SignedHeaders=host, Signature=0123456789abcdef", true);
        header("x-security-token", "security-token", true);
        header("x-project-id", "project-id", false);
        *request.body_mut() = Some(r#"{"a": [{"password": "in the body", "name": "n"}], "password": {"x": 1}}"#.into());
        let redactor = Redactor::of(&request, &["password"]);
        let text = "SDK-HMAC-SHA256 AKID 0123456789abcdef security-token project-id in the body n host".to_owned();
        assert_eq!(redactor.redact(text), "SDK-HMAC-SHA256 AKID *** *** project-id *** n host");
        request.headers_mut().insert("authorization", {
            let mut value = http::HeaderValue::from_static("Bearer another-token");
            value.set_sensitive(true);
            value
        });
        assert_eq!(Redactor::of(&request, &[]).redact("Bearer another-token".to_owned()), "Bearer ***");
    }
}
