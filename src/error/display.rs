//! How errors print: `{}` is one line for logs, `{:?}` the same with a few facts more, `{:#?}` every part by its name.

use std::fmt;

use http::StatusCode;

use super::{Error, Inner, in_words};
use crate::terminal::line;

/// Returns a status with its reason phrase, where one is registered: `404 Not Found`, `599`.
pub(crate) fn in_full(status: StatusCode) -> String {
    let reason = status.canonical_reason().map(|reason| format!(" {reason}"));
    format!("{}{}", status.as_str(), reason.unwrap_or_default())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, status, code, message, request_id, place, proxy, .. } = &*self.0;
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        match (code, status) {
            (Some(code), Some(status)) => write!(f, "{} ({}): ", line(code), in_full(*status))?,
            (Some(code), None) => write!(f, "{}: ", line(code))?,
            (None, Some(status)) => write!(f, "{}: ", in_full(*status))?,
            (None, None) => {}
        }
        if let Some(place) = place {
            write!(f, "body at `{}`: ", line(place))?;
        }
        f.write_str(&line(message))?;
        // An error with a code comes from the service; any other may come from the proxy.
        if let (Some(proxy), None) = (proxy, code) {
            write!(f, " (through the proxy {proxy})")?;
        }
        match request_id {
            Some(request_id) => write!(f, " [request {}]", line(request_id)),
            None => Ok(()),
        }
    }
}

/// `{:?}` reads as the message of a program that ends with the error: the line of `Display`, then what the line does not
/// hold. `{:#?}` shows every part by its name.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All fields are named, so that a new one is not forgotten here.
        let Inner {
            kind: _,
            operation,
            status,
            code,
            message,
            request_id,
            authorization_message,
            retry_after,
            field,
            place,
            excerpt,
            proxy,
            host,
            attempts,
            may_have_been_sent,
            missing: _,
            source,
        } = &*self.0;
        if !f.alternate() {
            write!(f, "{self} (kind: {}", self.kind())?;
            if let Some(wait) = retry_after {
                write!(f, ", retry after {}", in_words(*wait))?;
            }
            if let Some(text) = authorization_message {
                write!(f, ", encoded authorization message: {}", line(text))?;
            }
            return f.write_str(")");
        }
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind()).field("message", message);
        let parts: [(&str, Option<&dyn fmt::Debug>); 13] = [
            ("operation", operation.as_ref().map(|v| v as _)),
            ("status", status.as_ref().map(|v| v as _)),
            ("code", code.as_ref().map(|v| v as _)),
            ("request_id", request_id.as_ref().map(|v| v as _)),
            ("encoded_authorization_message", authorization_message.as_ref().map(|v| v as _)),
            ("retry_after", retry_after.as_ref().map(|v| v as _)),
            ("field", field.as_ref().map(|v| v as _)),
            ("place", place.as_ref().map(|v| v as _)),
            ("excerpt", excerpt.as_ref().map(|v| v as _)),
            ("proxy", proxy.as_ref().map(|v| v as _)),
            ("host", host.as_ref().map(|v| v as _)),
            ("attempts", Some(attempts).filter(|attempts| **attempts > 0).map(|v| v as _)),
            ("source", source.as_ref().map(|v| v as _)),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                debug.field(name, value);
            }
        }
        debug.field("may_have_been_sent", may_have_been_sent).finish()
    }
}
