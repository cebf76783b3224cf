//! Responses and rejections, in the forms of the API families.

use std::fmt;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::error::ErrorCode;

/// A response, whole in memory.
pub(super) type Response = http::Response<Bytes>;

/// A response that breaks HTTP: these bytes are sent as they are, then the connection ends.
#[derive(Debug)]
pub(super) struct Abort {
    pub(super) bytes: Vec<u8>,
    /// Whether the connection is reset instead of closed.
    pub(super) reset: bool,
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is to be cut")
    }
}

impl std::error::Error for Abort {}

/// The bytes of a response on the wire, with a declared length that may be wrong.
pub(super) fn on_the_wire(response: &Response, content_length: usize) -> Vec<u8> {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(format!("content-length: {content_length}\r\n\r\n").into_bytes());
    bytes.extend(response.body());
    bytes
}
/// The API families, which differ in the form of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Training and visualization: `is_success`, `error_message`, `error_code`.
    Job,
    /// Labeling: `error_code`, `error_msg`.
    Labeling,
    /// MRS: `error_code`, `error_msg`.
    Mrs,
    /// IAM: `error` with `code`, `message`, `title`.
    Identity,
}

impl Family {
    /// Returns the family of an operation by its path.
    pub(super) fn of(path: &str) -> Self {
        match path {
            _ if path.starts_with("/v3/") => Self::Identity,
            _ if path.starts_with("/v1.1/") => Self::Mrs,
            _ if path.contains("/annotation-jobs") => Self::Labeling,
            _ => Self::Job,
        }
    }
}

/// Why a request is rejected. The gateway and the families have different bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The gateway rejects; the service does not receive the request.
    Gateway { status: StatusCode, code: &'static str, message: String },
    /// The caller is not authenticated. IAM reports it itself, the gateway reports it for the other services.
    Unauthenticated { code: &'static str, reason: String },
    /// A value breaks the description or a documented rule.
    Invalid(String),
    /// The object is unknown in this project.
    Unknown { what: &'static str, id: String },
    /// The name is taken.
    Taken(String),
    /// The project of the path is not the project of the token.
    OtherProject,
    /// A documented rejection with its own message.
    Documented { code: &'static str, message: String },
    /// The state of the object does not allow the request.
    Conflict { code: &'static str, message: String },
    /// The quota of the project for this kind of object is used up.
    QuotaReached(i64),
    /// The emulator itself failed.
    Broken(String),
}

impl Rejection {
    /// The token is not accepted.
    pub(super) fn token(reason: impl Into<String>) -> Self {
        Self::Unauthenticated { code: "APIG.0301", reason: reason.into() }
    }

    /// The signature is not accepted: the gateway rejects the request for every service.
    pub(super) fn signature(reason: &str) -> Self {
        Self::Gateway {
            status: StatusCode::UNAUTHORIZED,
            code: "APIG.0301",
            message: format!("Incorrect IAM authentication information: {reason}"),
        }
    }

    /// The gateway cannot parse the request.
    pub(super) fn malformed(status: StatusCode, message: String) -> Self {
        Self::Gateway { status, code: "APIG.0201", message }
    }

    /// Returns whether a part of the request may not have been read, so that the connection cannot be used again.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(self, Self::Gateway { status, code: "APIG.0201", .. }
            if matches!(*status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT))
            || matches!(self, Self::Gateway { status: StatusCode::TOO_MANY_REQUESTS, .. })
    }

    /// The description allows the request, and a rule or a state of an object does not.
    pub(super) fn not_allowed(message: &str) -> Self {
        Self::Conflict { code: "ModelArts.0105", message: message.to_owned() }
    }

    pub(super) fn unknown(what: &'static str, id: impl ToString) -> Self {
        Self::Unknown { what, id: id.to_string() }
    }

    /// Returns the message.
    pub(super) fn text(self) -> String {
        self.parts(Family::Job).2
    }

    /// Returns status, code and message as the family documents them.
    fn parts(self, family: Family) -> (StatusCode, &'static str, String) {
        let mrs = family == Family::Mrs;
        match self {
            Self::Gateway { status, code, message } => (status, code, message),
            Self::Unauthenticated { code, reason } => {
                let front = if family == Family::Identity { "" } else { "Incorrect IAM authentication information: " };
                (StatusCode::UNAUTHORIZED, code, format!("{front}{reason}"))
            }
            Self::Invalid(message) => {
                let code = if mrs { "12000002" } else { "ModelArts.0104" };
                (documented(code, StatusCode::BAD_REQUEST), code, message)
            }
            Self::Unknown { what, id } => {
                let code = if mrs { "0176" } else { "ModelArts.0102" };
                // IAM has no code. The clients of OpenStack and of Sahara need this status to find and delete objects
                // of MRS; it is not the documented one of the code.
                let status = match family {
                    Family::Mrs | Family::Identity => StatusCode::NOT_FOUND,
                    Family::Job | Family::Labeling => documented(code, StatusCode::NOT_FOUND),
                };
                (status, code, format!("The {what} {id} does not exist."))
            }
            Self::Taken(name) => {
                let code = if mrs { "12000002" } else { "ModelArts.0103" };
                (documented(code, StatusCode::CONFLICT), code, format!("Job name:{name} is existed"))
            }
            Self::OtherProject => {
                let code = if mrs { "APIG.0302" } else { "ModelArts.0210" };
                (StatusCode::FORBIDDEN, code, meaning(code))
            }
            Self::Documented { code, message } => (documented(code, StatusCode::BAD_REQUEST), code, message),
            Self::Conflict { code, message } => (documented(code, StatusCode::CONFLICT), code, message),
            Self::QuotaReached(quota) => {
                let code = "ModelArts.0106";
                let message = format!("The project has {quota} objects of this kind, which is the limit.");
                (documented(code, StatusCode::CONFLICT), code, message)
            }
            Self::Broken(message) => {
                let code = if mrs { "0193" } else { "ModelArts.0010" };
                (documented(code, StatusCode::INTERNAL_SERVER_ERROR), code, message)
            }
        }
    }

    /// Builds the response.
    pub(super) fn into_response(self, family: Family, request_id: &str) -> Response {
        let gateway = match self {
            Self::Gateway { .. } => true,
            Self::Unauthenticated { .. } => family != Family::Identity,
            _ => false,
        };
        let broken = matches!(self, Self::Broken(_));
        let (status, code, message) = self.parts(family);
        let mut response = failure((!gateway).then_some(family), status, code, &message, request_id);
        if broken {
            response.extensions_mut().insert(Defect);
        }
        response
    }
}

/// Marks a response as caused by a defect of the emulator. The status does not show that: the documents give 500 to some
/// invalid requests.
#[derive(Clone, Copy)]
pub(super) struct Defect;

/// Returns the first status that the tables of the documentation print for a code, or `otherwise` if they print none.
fn documented(code: &str, otherwise: StatusCode) -> StatusCode {
    let statuses = ErrorCode::lookup(code).map(ErrorCode::statuses).unwrap_or_default();
    statuses.first().and_then(|status| StatusCode::from_u16(*status).ok()).unwrap_or(otherwise)
}

/// Builds a failure in the form of a family, or of the gateway.
fn failure(family: Option<Family>, status: StatusCode, code: &str, message: &str, request_id: &str) -> Response {
    let body = match family {
        None => json!({"error_msg": message, "error_code": code, "request_id": request_id}),
        Some(Family::Job) => json!({"is_success": false, "error_message": message, "error_code": code}),
        Some(Family::Labeling | Family::Mrs) => json!({"error_code": code, "error_msg": message}),
        Some(Family::Identity) => json!({"error": {
            "code": status.as_u16(),
            "message": message,
            "title": status.canonical_reason().unwrap_or_default(),
        }}),
    };
    respond(status, Some(&body), request_id)
}

/// Builds the failure of an injected fault. Code and message default to those of the status.
pub(super) fn commanded(
    family: Family,
    status: StatusCode,
    code: Option<&str>,
    message: Option<&str>,
    request_id: &str,
) -> Response {
    let code = code.unwrap_or_else(|| usual(family, status));
    let message = message.map_or_else(|| meaning(code), str::to_owned);
    failure((!code.starts_with("API")).then_some(family), status, code, &message, request_id)
}

/// Returns the usual code of a status: that of the family, or of the gateway for failures that it detects.
fn usual(family: Family, status: StatusCode) -> &'static str {
    let own = |rejection: Rejection| rejection.parts(family).1;
    match (family, status.as_u16()) {
        // IAM repeats the status as the code, and has no gateway before it.
        (Family::Identity, 400 | 401 | 403 | 404 | 500 | 503) => {
            ErrorCode::lookup(status.as_str()).map_or("", ErrorCode::code)
        }
        (_, 401) => "APIG.0301",
        (_, 403) => "APIG.0302",
        (_, 404) => own(Rejection::unknown("", "")),
        (_, 405) => "APIG.0101",
        (_, 409) => own(Rejection::Taken(String::new())),
        (_, 413 | 414 | 494) => "APIG.0201",
        (_, 429) => "APIG.0308",
        (_, 502) => "APIG.0202",
        (_, 503) => "APIG.0613",
        (_, 504) => "APIG.0203",
        (_, 500..) => own(Rejection::Broken(String::new())),
        _ => own(Rejection::Invalid(String::new())),
    }
}

impl From<rusqlite::Error> for Rejection {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(format!("the store failed: {error}"))
    }
}

/// Returns the documented meaning of a code.
fn meaning(code: &str) -> String {
    ErrorCode::lookup(code).and_then(ErrorCode::meaning).unwrap_or_default().to_owned()
}

/// Builds a response with the headers that all responses have.
pub(super) fn respond(status: StatusCode, body: Option<&Value>, request_id: &str) -> Response {
    let bytes = body.map(ToString::to_string).unwrap_or_default();
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), request_id);
    }
    response
}
