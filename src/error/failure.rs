//! How the bodies of the clouds say that a call failed.

use serde_json::Value;

/// Whether a body under a success status says that the call failed.
pub(crate) fn says_failure(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        is_success: Option<bool>,
        #[serde(borrow)]
        error_code: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow)]
        error: Option<&'a serde_json::value::RawValue>,
    }
    // Only an object can say it; whatever else there is, is for the generated type to judge.
    serde_json::from_slice::<Envelope<'_>>(body).is_ok_and(|envelope| {
        let coded = envelope.error_code.is_some_and(|code| !matches!(code.get(), "null" | "\"\""));
        // IAM nests its failure.
        let nested = envelope.error.is_some_and(|error| error.get().starts_with('{'));
        envelope.is_success == Some(false) || coded || nested
    })
}

pub(super) struct Failure {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Failure {
    /// Reads the shapes that the gateway, IAM, ModelArts, MRS and OpenStack's Sahara use.
    pub(super) fn read(body: &Value) -> Self {
        // IAM nests: {"error": {"code": 401, "message": ..., "title": ...}}.
        let inner = if body["error"].is_object() { &body["error"] } else { body };
        let first = |names: &[&str]| names.iter().find_map(|name| text(&inner[*name]));
        Self {
            code: first(&["error_code", "errorCode", "code", "errcode"]),
            message: first(&["error_msg", "error_message", "errorMsg", "message", "error", "title", "error_name"]),
            request_id: first(&["request_id", "requestId"]),
        }
    }
}

/// A text, or a number as text: codes come both ways.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
