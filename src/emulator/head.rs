//! The head of a request: its limits, and the host that it names.

use std::net::IpAddr;

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Version, header};

use super::response::Rejection;

/// The gateway's documented limits of the target, one header and all headers, in bytes.
const MAX_ADDRESS: usize = 32 * 1024;
const MAX_HEADER: usize = 32 * 1024;
const MAX_HEADERS: usize = 128 * 1024;
/// Room for twice the largest head, so that a head that is too large is rejected with a response that says so.
pub(super) const HEAD_BUFFER: usize = 2 * (MAX_ADDRESS + MAX_HEADERS);

/// Returns whether the body can be read: without a transfer coding, or with `chunked` alone.
pub(super) fn is_readable(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"))
        && codings.next().is_none()
}

/// Rejects a head that is too large, as the gateway does.
pub(super) fn too_large(parts: &Parts) -> Option<Rejection> {
    let address = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if address > MAX_ADDRESS {
        let message = format!("The address has {address} bytes; the limit is {MAX_ADDRESS}.");
        return Some(Rejection::malformed(StatusCode::URI_TOO_LONG, message));
    }
    // Counts ": " and the line break too.
    let size = |(name, value): (&header::HeaderName, &header::HeaderValue)| name.as_str().len() + value.len() + 4;
    let (largest, all) =
        parts.headers.iter().map(size).fold((0, 0), |(largest, all), size| (size.max(largest), all + size));
    let status = StatusCode::from_u16(494).unwrap_or(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    if largest > MAX_HEADER {
        let message = format!("A header has {largest} bytes; the limit is {MAX_HEADER}.");
        return Some(Rejection::malformed(status, message));
    }
    (all > MAX_HEADERS).then(|| {
        let message = format!("The headers have {all} bytes; the limit is {MAX_HEADERS}.");
        Rejection::malformed(status, message)
    })
}

/// Rejects a header `Host` that is missing, repeated or malformed, since addresses in responses are made of it, and a request
/// that came under a foreign name. A page in a browser can make a name of its own resolve to this machine, and would then be
/// allowed to read the responses.
pub(super) fn wrong_host(parts: &Parts, allowed: &[String], local: Option<IpAddr>) -> Option<Rejection> {
    let named = match named_host(parts) {
        Ok(named) => named,
        Err(problem) => {
            return Some(Rejection::malformed(StatusCode::BAD_REQUEST, format!("The header Host {problem}.")));
        }
    };
    let foreign = named.iter().chain(parts.uri.authority()).find(|host| !is_own(host.host(), allowed, local))?;
    let message = format!("The header Host names {foreign}, which is not this emulator; --allow-host lets it pass.");
    Some(Rejection::Gateway { status: StatusCode::FORBIDDEN, code: "APIG.0302", message })
}

/// Returns the header `Host`, which requests before HTTP/1.1 need not have, or what is wrong with it.
fn named_host(parts: &Parts) -> Result<Option<Authority>, &'static str> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if parts.version < Version::HTTP_11 => Ok(None),
        (None, _) => Err("is missing"),
        (Some(host), None) => {
            host.to_str().ok().and_then(parse_host).map(Some).ok_or("is no host with or without a port")
        }
        (Some(_), Some(_)) => Err("comes more than once"),
    }
}

/// Returns whether a host is a loopback name or address, the address that the client is connected to, or an allowed name.
fn is_own(host: &str, allowed: &[String], local: Option<IpAddr>) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        if address.is_loopback() || local.is_some_and(|local| local.to_canonical() == address) {
            return true;
        }
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    name.eq_ignore_ascii_case("localhost") || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

/// Reads a host with or without a port.
pub(super) fn parse_host(text: &str) -> Option<Authority> {
    let authority = text.parse::<Authority>().ok()?;
    let port = text.strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':'));
    let is_host = !authority.host().is_empty()
        && (text == authority.host() || port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok()));
    is_host.then_some(authority)
}
