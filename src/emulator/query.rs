//! Percent-encoded parts of addresses.

use percent_encoding::percent_decode_str;

/// Decodes a part of an address.
pub(super) fn decode(text: &str) -> Result<String, &'static str> {
    let bytes = text.as_bytes();
    let broken = |(at, _): (usize, &u8)| {
        !bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').any(broken) {
        return Err("has a `%` without two hexadecimal digits");
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "is not UTF-8")?;
    if decoded.contains('\0') { Err("has the character NUL") } else { Ok(decoded.into_owned()) }
}

/// Returns the names and values of a query in their order.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, &'static str> {
    let decode = |text: &str| decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}
