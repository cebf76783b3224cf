//! What kind of failure an error is.

use http::StatusCode;

use super::ErrorCode;

/// What kind of failure an [`Error`] is. The words are the ones that the command line uses too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a documented limit and was not sent, or the service refused it as malformed.
    InvalidRequest,
    /// The session cannot be built from what was given.
    Configuration,
    /// The gateway or the service does not accept who is asking.
    Authentication,
    /// The named object does not exist, or not for this project.
    NotFound,
    /// The name is taken, or the state of the object does not allow it.
    Conflict,
    /// Too many calls; later it may work.
    Throttled,
    /// The service failed or refused for another reason.
    Service,
    /// No complete answer came over the network.
    Network,
    /// No complete answer came in time.
    Timeout,
    /// An answer came that is not what the description promises.
    Decode,
}

/// The kind that a code says, else the one that the status says.
pub(super) fn kind_of(status: StatusCode, code: Option<&str>) -> ErrorKind {
    let by_code = code.and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
    by_code.unwrap_or(match status.as_u16() {
        401 | 403 => ErrorKind::Authentication,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        400 | 405..=428 => ErrorKind::InvalidRequest,
        _ => ErrorKind::Service,
    })
}
