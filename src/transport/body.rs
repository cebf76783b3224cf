//! Reads the bodies of responses. [`read`] limits the size of every body, and decodes a body that the server compressed
//! without a request to do so.

use std::io::{self, Read};

use bytes::{Buf, BufMut, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use reqwest::Response;

use crate::json::BYTE_ORDER_MARK;

/// The largest body of a service's response that is read, in bytes.
pub(crate) const LIMIT: usize = 16 * 1024 * 1024;

/// The largest number of nested compressions; servers use one.
const MAX_ENCODINGS: usize = 3;

/// The reason why a body was not read completely.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The body exceeds the limit. The connection is intact.
    TooLarge,
    /// The connection ended or timed out.
    Broken(reqwest::Error),
    /// The body cannot be decompressed, with the reason.
    Undecodable(String),
}

/// Reads a body into `body`. `limit` is the largest number of bytes, both received and decoded. Afterwards the headers
/// of the response describe the decoded body.
pub(crate) async fn read(response: &mut Response, body: &mut BytesMut, limit: usize) -> Result<(), Unread> {
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLarge);
        }
        // Most bodies arrive in one piece.
        if body.is_empty() {
            *body = chunk.into();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    decode(response, body, limit)?;
    // JSON parsers reject a byte order mark.
    if body.starts_with(BYTE_ORDER_MARK) {
        body.advance(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// Undoes every `Content-Encoding`.
fn decode(response: &mut Response, body: &mut BytesMut, limit: usize) -> Result<(), Unread> {
    if !response.headers().contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let values = response.headers().get_all(CONTENT_ENCODING);
    let named = values.iter().flat_map(|value| value.to_str().unwrap_or("unreadable").split(','));
    let encodings = named.map(|name| name.trim().to_ascii_lowercase());
    let encodings: Vec<_> = encodings.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
    if encodings.len() > MAX_ENCODINGS {
        body.clear();
        return Err(Unread::Undecodable(format!("the body is compressed {} times", encodings.len())));
    }
    // The last encoding was applied last, so it is undone first.
    for encoding in encodings.iter().rev() {
        let whole = body.split();
        *body = match encoding.as_str() {
            _ if whole.is_empty() => whole,
            // A proxy may have decoded the body and left the header.
            "gzip" | "x-gzip" if !whole.starts_with(&[0x1f, 0x8b]) => whole,
            "gzip" | "x-gzip" => inflated(encoding, MultiGzDecoder::new(&*whole), limit)?,
            "deflate" if is_zlib(&whole) => inflated(encoding, ZlibDecoder::new(&*whole), limit)?,
            // Some servers leave out the zlib header.
            "deflate" => inflated(encoding, DeflateDecoder::new(&*whole), limit)?,
            _ => {
                return Err(Unread::Undecodable(format!(
                    "the body is compressed as `{}`, which was not asked for",
                    encoding.escape_debug()
                )));
            }
        };
    }
    response.headers_mut().remove(CONTENT_ENCODING);
    response.headers_mut().remove(CONTENT_LENGTH);
    Ok(())
}

/// Returns whether a body begins with a zlib header (RFC 1950).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

/// A few bytes can decompress to gigabytes, so the output never exceeds the limit.
fn inflated(encoding: &str, decoder: impl Read, limit: usize) -> Result<BytesMut, Unread> {
    let mut body = BytesMut::new().writer();
    let read = io::copy(&mut decoder.take(limit as u64 + 1), &mut body);
    let body = body.into_inner();
    if body.len() > limit {
        return Err(Unread::TooLarge);
    }
    match read {
        Ok(_) => Ok(body),
        Err(error) => {
            let reason = if error.kind() == io::ErrorKind::UnexpectedEof { "breaks off" } else { "is damaged" };
            Err(Unread::Undecodable(format!("the body is compressed as `{encoding}` and {reason}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Returns the Rust files below a folder with their content.
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn no_other_place_reads_what_a_server_sends() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let mut others = Vec::new();
        for (file, text) in found {
            let text: String = text.split_whitespace().collect();
            for read in [".chunk()", ".bytes()", ".text()", ".json()", ".bytes_stream()"] {
                let read = format!("{read}.await");
                if text.contains(&read) && !file.ends_with("body.rs") {
                    others.push(format!("{file}: {read}"));
                }
            }
        }
        // `raw` parses a body that the transport has read.
        others.retain(|other| !other.contains("raw/mod.rs: .bytes().await"));
        assert!(others.is_empty(), "read it with `transport::body::read`: {others:?}");
    }
}
