//! Redacts what is secret in requests and responses by its name: headers, query parameters, and fields of JSON bodies.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Headers without secrets; all others are redacted.
const HARMLESS: [&str; 13] = [
    "accept",
    "allow",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "host",
    "retry-after",
    "transfer-encoding",
    "user-agent",
    "x-project-id",
    "x-request-id",
    "x-sdk-date",
];
/// Parts of names that mean a secret.
const SECRET: [&str; 15] = [
    "password",
    "passwd",
    "passcode",
    "passphrase",
    "secret",
    "token",
    "credential",
    "authorization",
    "cookie",
    "apikey",
    "api_key",
    "access_key",
    "access.key",
    "private_key",
    "signature",
];
/// The replacement for a secret.
pub(crate) const HIDDEN: &str = "***";

/// Returns whether a name means a secret. A whole text can be searched for such names, too.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

/// Returns the value of a header, redacted if necessary; a host may contain a password.
pub(crate) fn header<'a>(name: &str, value: &'a str) -> &'a str {
    let name = name.to_ascii_lowercase();
    if HARMLESS.contains(&&*name) && !(name == "host" && value.contains('@')) { value } else { HIDDEN }
}

/// Redacts a query: the value or name of a parameter that is not `shown` may be a secret.
pub(crate) fn query(text: &str, shown: impl Fn(&str) -> bool) -> String {
    let readable = |pair: &str| match pair.split_once('=').unwrap_or((pair, "")) {
        (name, _) if name.is_empty() || shown(name) => pair.escape_default().to_string(),
        (_, "") => HIDDEN.to_owned(),
        (name, _) => format!("{}={HIDDEN}", name.escape_default()),
    };
    text.split('&').map(readable).collect::<Vec<_>>().join("&")
}

/// Redacts values whose name means a secret, or all strings and numbers. The redacted texts are added to `found`.
pub(crate) fn hide(value: &mut Value, all: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            // Parameters of jobs have the form `{"label": …, "value": …}`.
            let labelled = ["label", "name", "key"]
                .iter()
                .any(|name| fields.get(*name).and_then(Value::as_str).is_some_and(is_secret));
            for (name, value) in fields {
                // IAM has objects of these names, in which only some fields are secret.
                let open = value.is_object() && ["password", "token"].contains(&name.as_str());
                if open
                    && name == "token"
                    && let Some(id) = value.get_mut("id")
                {
                    hide(id, true, found);
                }
                hide(value, !open && (all || is_secret(name) || (labelled && name == "value")), found);
            }
        }
        Value::Array(items) => {
            let mut follows = false;
            for item in items {
                let next = item.as_str().is_some_and(is_option);
                hide(item, all || follows, found);
                follows = next;
            }
        }
        Value::String(text) if all => found.push(std::mem::replace(text, HIDDEN.to_owned())),
        Value::Number(number) if all => {
            found.push(number.to_string());
            *value = HIDDEN.into();
        }
        Value::String(text) => {
            if let Some(shown) = arguments(text, found) {
                *text = shown;
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Returns whether the next argument is a secret: `--password`.
fn is_option(argument: &str) -> bool {
    argument.starts_with('-') && !argument.contains('=') && is_secret(argument)
}

/// Redacts the values after `password=` or `--password` in arguments of a program, and of parameters in addresses. Returns
/// `None` if there are none.
fn arguments(text: &str, found: &mut Vec<String>) -> Option<String> {
    if !is_secret(text) {
        return None;
    }
    let (mut follows, before) = (false, found.len());
    let mut readable = |word: &str| {
        let hidden = std::mem::replace(&mut follows, is_option(word));
        match word.split_once('=') {
            _ if hidden => {
                found.push(word.to_owned());
                HIDDEN.to_owned()
            }
            _ if word.contains("://") => parameters(word, found),
            Some((name, value)) if is_secret(name) && !text.contains(ECHO) => {
                found.push(value.to_owned());
                format!("{name}={HIDDEN}")
            }
            _ => word.to_owned(),
        }
    };
    let shown = text.split(' ').map(&mut readable).collect::<Vec<_>>().join(" ");
    (found.len() > before).then_some(shown)
}

/// Redacts the parameters of an address whose name means a secret.
pub(crate) fn parameters(address: &str, found: &mut Vec<String>) -> String {
    let readable = |part: &str| {
        let end = if part.ends_with(['?', '&', '#']) { &part[part.len() - 1..] } else { "" };
        match part[..part.len() - end.len()].split_once('=') {
            Some((name, value)) if is_secret(&percent_decode_str(name).decode_utf8_lossy()) => {
                found.push(percent_decode_str(value).decode_utf8_lossy().into_owned());
                format!("{name}={HIDDEN}{end}")
            }
            _ => part.to_owned(),
        }
    };
    address.split_inclusive(['?', '&', '#']).map(readable).collect()
}

/// The beginning of the canonical request in a response.
const ECHO: &str = "canonicalRequest:";
/// The fields with the message of an error.
pub(crate) const MESSAGES: [&str; 3] = ["/error_msg", "/error_message", "/error/message"];

/// Redacts the repeated request in an error like the request itself. Returns whether there was one.
pub(crate) fn hide_echo(response: &mut Value, shown: impl Fn(&str) -> bool) -> bool {
    let Some(message) = MESSAGES.iter().find(|place| response.pointer(place).is_some()) else { return false };
    let Some(Value::String(message)) = response.pointer_mut(message) else { return false };
    let Some((front, request)) = message.split_once(ECHO) else { return false };
    let lines: Vec<&str> = request.split('|').collect();
    // Method, path, query, headers, then an empty line, the names of the headers and a hash.
    let headers = 3..lines.len().saturating_sub(3);
    let readable = |(place, line): (usize, &&str)| match line.split_once(':') {
        _ if place == 2 => query(line, &shown),
        Some((name, value)) if headers.contains(&place) => format!("{name}:{}", header(name, value)),
        None if headers.contains(&place) => HIDDEN.to_owned(),
        _ => (*line).to_owned(),
    };
    let redacted: Vec<String> = lines.iter().enumerate().map(readable).collect();
    *message = format!("{front}{ECHO}{}", redacted.join("|"));
    true
}
