//! Canonical requests: their headers, and finding one in the message of a gateway.

pub(super) const HOST: &str = "host";
pub(super) const DATE: &str = "x-sdk-date";
pub(super) const CONTENT_HASH: &str = "x-sdk-content-sha256";
pub(super) const SECURITY_TOKEN: &str = "x-security-token";
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Headers whose values are not printed.
pub(super) const SECRET_HEADERS: [&str; 6] =
    [SECURITY_TOKEN, "x-auth-token", "x-subject-token", "authorization", "proxy-authorization", "cookie"];

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A parsed canonical request.
pub(super) struct Canonical {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) signed_headers: String,
    pub(super) payload: String,
}

/// The forms of a line break in echoes.
const BREAKS: [&str; 3] = ["\n", "|", "\\n"];

impl Canonical {
    /// Parses the canonical request at the beginning of a text. The rest of the text is ignored.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (method, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_alphabetic).count());
        let line_break = BREAKS.into_iter().find(|line_break| rest.starts_with(line_break))?;
        let lines: Vec<&str> = text.split(line_break).collect();
        // A value can look like the list of signed headers, but does not name all of them.
        let is_list = |at: usize| lines[at - 1].is_empty() && lines[at].split(';').all(is_name);
        let has = |name, until: usize| {
            lines[3..until].iter().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
        };
        let mut places = (4..lines.len().saturating_sub(1)).filter(|at| is_list(*at));
        let first = places.clone().next()?;
        let place = places.find(|at| lines[*at].split(';').all(|name| has(name, *at))).unwrap_or(first);
        let (names, payload) = (lines[place], lines[place + 1]);
        let payload =
            &payload[..payload.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count()];
        if method.is_empty() || payload.is_empty() {
            return None;
        }
        // A value may contain a `|`.
        let header_lines = &lines[3..place - 1];
        let mut headers = join(header_lines, line_break, |name| names.split(';').any(|other| other == name));
        if headers.len() != names.split(';').count() {
            headers = join(header_lines, line_break, is_name);
        }
        let [path, query, signed_headers, payload] = [lines[1], lines[2], names, payload].map(str::to_owned);
        Some(Self { method: method.to_owned(), path, query, headers, signed_headers, payload })
    }

    /// Finds the canonical request in a message.
    pub(super) fn find(text: &str) -> Option<Self> {
        let text = text.trim().replace("\r\n", "\n");
        let lower = text.to_ascii_lowercase();
        let named = ["canonicalrequest", "canonical_request", "canonical request"].iter().find_map(|name| {
            let after = lower.find(name)? + name.len();
            Some(text[after..].trim_start_matches(|c: char| c.is_whitespace() || ":=\"'`\\".contains(c)))
        });
        let beginnings = text.char_indices().filter(|(at, c)| {
            let rest = &text[at + c.len_utf8()..];
            !c.is_ascii_alphabetic() && rest.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        named.and_then(Self::parse).or_else(|| Self::parse(&text)).or_else(|| {
            beginnings
                .map(|(at, c)| Self::parse(&text[at + c.len_utf8()..]))
                .find_map(|found| found.filter(|found| found.path.starts_with('/')))
        })
    }
}

/// Parses lines of headers. A line that begins with no header name continues the value before it.
fn join(lines: &[&str], line_break: &str, is_name: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match headers.last_mut() {
            Some((_, before)) if !is_name(name) => {
                before.push_str(line_break);
                before.push_str(line);
            }
            _ => headers.push((name.to_owned(), value.to_owned())),
        }
    }
    headers
}
