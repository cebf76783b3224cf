//! The address of a request to be signed.

use huaweicloud_jobs::session::signing::wire_host;

use super::super::exit::{Usage, usage};

/// The parts of an address as they were written, without decoding or normalization.
#[derive(Debug, PartialEq)]
pub(super) struct Address<'a> {
    pub(super) host: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
}

impl<'a> Address<'a> {
    /// Splits an address. Errors do not repeat it, because it may hold a password.
    pub(super) fn parse(url: &'a str) -> Result<Self, Usage> {
        let (host, target) = match url.split_once("://") {
            _ if url.starts_with('/') => (None, url),
            Some((scheme, rest)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                if authority.contains('@') {
                    return usage("--url has a user in it, which no signature covers; leave it out");
                }
                let host = wire_host(&scheme.to_ascii_lowercase(), authority);
                if !is_host(host) {
                    return usage("--url has a malformed host");
                }
                (Some(host), target)
            }
            _ => return usage("--url is neither https://HOST/PATH or http://HOST/PATH, nor a path that begins with /"),
        };
        if target.contains('#') {
            return usage("--url has a `#` in it; what follows is never sent, and in a path or query it is `%23`");
        }
        if target.contains(char::is_control) {
            return usage("--url has a control character in it");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Self { host, path, query })
    }
}

fn is_host(authority: &str) -> bool {
    let (name, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) if name.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte)) => {
            (name, port)
        }
        Some(_) => return false,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
    !name.is_empty()
        && !name.contains(|c: char| c.is_control() || c.is_whitespace() || "[]\\\"<>^`{|}%".contains(c))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}
