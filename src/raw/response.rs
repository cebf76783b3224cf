//! The responses to raw calls.

use std::sync::OnceLock;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::api::Operation;
use crate::error::ResponseInfo;

/// The response to a raw call.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) info: ResponseInfo,
    /// Redacted when it is read for the first time.
    pub(super) request_id: OnceLock<Option<String>>,
    pub(super) body: Value,
    pub(super) operation: &'static Operation,
}

impl Response {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. The token in `X-Subject-Token` is marked sensitive.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers.iter()
    }

    /// The id of the request, to be quoted in a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.get_or_init(|| self.info.request_id()).as_deref()
    }

    /// The body, or `null` without one.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Returns the body.
    pub fn into_body(self) -> Value {
        self.body
    }

    /// The name of the field with the items, for a list.
    pub fn list(&self) -> Option<&'static str> {
        self.operation.list.map(|list| list.items)
    }

    /// The items, for a list.
    pub fn items(&self) -> &[Value] {
        self.list().and_then(|list| self.body[list].as_array()).map_or(&[], Vec::as_slice)
    }
}

/// Reads as much as possible of a JSON text that is cut off or broken: all before that place.
pub(super) fn salvaged(text: &[u8]) -> Value {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    // The last position with a complete prefix, and the open brackets there.
    let mut cut = (0, Vec::new());
    for (place, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            // The parser does not allow more levels.
            b'{' | b'[' if open.len() > 100 => break,
            b'{' | b'[' => {
                open.push(if *byte == b'{' { b'}' } else { b']' });
                cut.0 = place + 1;
                cut.1.clone_from(&open);
            }
            b'}' | b']' if open.pop() == Some(*byte) => {
                cut.0 = place + 1;
                cut.1.clone_from(&open);
            }
            b'}' | b']' => break,
            b',' => {
                cut.0 = place;
                cut.1.clone_from(&open);
            }
            _ => {}
        }
    }
    let whole: Vec<u8> = text[..cut.0].iter().copied().chain(cut.1.into_iter().rev()).collect();
    serde_json::from_slice(&whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_comes_before_a_cut_is_read() {
        let whole = br#"{"job_execution": {"id": "a,\"}", "list": [1, {"x": 2}], "n": 12}}"#;
        for cut in 0..whole.len() {
            let read = salvaged(&whole[..cut]);
            let known = cut > 32;
            assert_eq!(read["job_execution"]["id"] == "a,\"}", known, "{cut}: {read}");
        }
        assert_eq!(salvaged(br#"{"id": "a", "x": nul"#), json!({"id": "a"}));
        assert_eq!(salvaged(b"<html>"), Value::Null);
        assert_eq!(salvaged(b"]"), Value::Null);
    }
}
