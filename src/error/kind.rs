//! The kinds of errors.

/// What kind of failure an [`Error`](super::Error) is. The words are the ones that the command line uses too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a documented limit and was not sent, or the service rejected it as malformed.
    InvalidRequest,
    /// The session cannot be built from what was given, or the endpoint does not have the operation.
    Configuration,
    /// The credentials are not accepted.
    Authentication,
    /// The credentials are accepted, but they do not allow this request.
    Permission,
    /// The named object does not exist, or not for this project.
    NotFound,
    /// The name is taken, or the state of the object does not allow it.
    Conflict,
    /// Too many calls; later it may work.
    Throttled,
    /// The service failed or rejected the request for another reason.
    Service,
    /// No complete response came over the network.
    Network,
    /// No complete response came in time.
    Timeout,
    /// A response came that is not what the description promises.
    Decode,
}
