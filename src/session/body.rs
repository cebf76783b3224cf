//! Reads the bodies of responses: everything that a server sends passes through [`read`], which knows an end.

use bytes::{Buf, BytesMut};
use reqwest::Response;

use crate::json::BYTE_ORDER_MARK;

/// The largest body of a service's response that is read, in bytes.
pub(crate) const LIMIT: usize = 16 * 1024 * 1024;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It has more bytes than are allowed. The connection is sound.
    TooLarge,
    /// The connection ended or fell silent.
    Broken(reqwest::Error),
}

/// Reads a body into `body` as far as it comes, up to `limit` bytes.
pub(crate) async fn read(response: &mut Response, body: &mut BytesMut, limit: usize) -> Result<(), Unread> {
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLarge);
        }
        // Most bodies come in one piece.
        if body.is_empty() {
            *body = chunk.into();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    // Readers of JSON take it for content.
    if body.starts_with(BYTE_ORDER_MARK) {
        body.advance(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Rust files below a folder with their text.
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
        // `raw` takes a body that the transport has read.
        others.retain(|other| !other.contains("raw.rs: .bytes().await"));
        assert!(others.is_empty(), "read it with `session::body::read`: {others:?}");
    }
}
