//! Redacts the secrets of recorded traffic, also where another exchange repeats them.

use std::collections::BTreeSet;

use reqwest::Url;
use serde_json::Value;

use super::{Entry, Message};
use crate::error::{Patterns, Redactor, confidential, credential};

/// A shorter cookie is a setting such as a language, which other texts contain by chance.
const COOKIE: usize = 16;
/// The replacement for a body in which secrets cannot be found.
const UNREADABLE: &str = "a body that is not JSON and may hold a secret was left out";

/// Redacts all secrets of some entries.
pub(crate) fn redact<'a>(entries: impl IntoIterator<Item = &'a mut Entry>) {
    let mut entries: Vec<&mut Entry> = entries.into_iter().collect();
    let mut found = Vec::new();
    for entry in &mut entries {
        entry.url = address(&entry.url, &mut found);
        hide(&mut entry.request, &mut found);
        hide(&mut entry.response, &mut found);
    }
    let secrets: BTreeSet<String> = found.into_iter().filter(|secret| secret != confidential::HIDDEN).collect();
    let redactor = Redactor::knowing(secrets);
    let patterns = redactor.patterns();
    for Entry { url, request, status_text, response, .. } in entries {
        *url = repeated_in_address(std::mem::take(url), &patterns);
        *status_text = patterns.redact(std::mem::take(status_text));
        repeated(request, &patterns);
        repeated(response, &patterns);
    }
}

/// Redacts the login and the parameters of an address by their names.
fn address(text: &str, found: &mut Vec<String>) -> String {
    let Ok(mut url) = Url::parse(text) else { return confidential::parameters(text, found) };
    if let Some(password) = url.password() {
        found.push(percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned());
    }
    let _ = (url.set_username(""), url.set_password(None));
    url.set_fragment(None);
    confidential::parameters(url.as_str(), found)
}

/// Redacts what is secret by its name, and notes it.
fn hide(message: &mut Message, found: &mut Vec<String>) {
    let mut cookies = std::mem::take(&mut message.cookies);
    for (name, value) in &mut message.headers {
        let shown = confidential::header(name, value).to_owned();
        let value = std::mem::replace(value, shown);
        match name.to_ascii_lowercase().as_str() {
            "cookie" | "set-cookie" => {
                let values = value.split(';').filter_map(|cookie| Some(cookie.split_once('=')?.1.to_owned()));
                cookies.extend(values);
            }
            name if name.ends_with("authorization") => found.push(credential(&value).to_owned()),
            name if confidential::is_secret(name) => found.push(value),
            _ => {}
        }
    }
    found.extend(cookies.into_iter().filter(|cookie| cookie.len() >= COOKIE));
    let Some(text) = &mut message.body else { return };
    match serde_json::from_str::<Value>(text) {
        Ok(mut body) => {
            let before = found.len();
            confidential::hide(&mut body, false, found);
            if confidential::hide_echo(&mut body, |name| !confidential::is_secret(name)) || found.len() > before {
                *text = body.to_string();
            }
        }
        Err(_) if confidential::is_secret(text) => {
            message.body = None;
            message.comment = Some(UNREADABLE.to_owned());
        }
        Err(_) => {}
    }
}

/// Redacts secrets in path and query. The host is none.
fn repeated_in_address(url: String, patterns: &Patterns<'_>) -> String {
    let after_host = url.find("://").and_then(|at| Some(at + 3 + url[at + 3..].find('/')?)).unwrap_or(url.len());
    let (host, rest) = url.split_at(after_host);
    format!("{host}{}", patterns.redact(rest.to_owned()))
}

/// Redacts secrets that a message repeats.
fn repeated(message: &mut Message, patterns: &Patterns<'_>) {
    for (_, value) in &mut message.headers {
        *value = patterns.redact(std::mem::take(value));
    }
    for text in [&mut message.version, &mut message.media_type].into_iter().chain(&mut message.comment) {
        *text = patterns.redact(std::mem::take(text));
    }
    let Some(text) = &mut message.body else { return };
    // Only texts and names inside of JSON are replaced, so it stays JSON with the same types.
    match serde_json::from_str::<Value>(text) {
        Ok(before) => {
            let mut body = before.clone();
            patterns.redact_value(&mut body);
            if body != before {
                *text = body.to_string();
            }
        }
        Err(_) => *text = patterns.redact(std::mem::take(text)),
    }
}
