//! What kind of failure an error is.

use http::StatusCode;

use super::ErrorCode;

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

/// Returns the kind that the error code says, else the one that the status says.
pub(super) fn kind_of(status: StatusCode, code: Option<&str>) -> ErrorKind {
    let by_code = code.and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
    by_code.unwrap_or(match status.as_u16() {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::Permission,
        // The gateway knows operations and backends only: no code of its own is about an object.
        404 if code.is_some_and(ErrorCode::is_of_gateway) => ErrorKind::Service,
        404 => ErrorKind::NotFound,
        // A proxy asks for its own credentials.
        407 => ErrorKind::Configuration,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::InvalidRequest,
        _ => ErrorKind::Service,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_of_the_gateway_is_about_an_object() {
        let documented = ErrorCode::all().iter().filter(|code| code.family() == "gateway");
        let codes = documented.map(|code| code.code().to_owned()).chain(["APIG.9999".to_owned()]);
        let mut count = 0;
        for code in codes {
            for prefix in ["APIG", "APIGW", "APIC"] {
                let code = code.replace("APIG", prefix);
                for status in 400..600 {
                    let kind = kind_of(StatusCode::from_u16(status).expect("a status"), Some(&code));
                    assert_ne!(kind, ErrorKind::NotFound, "{code} under {status}");
                }
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }

    #[test]
    fn only_credentials_that_are_not_accepted_are_a_failure_to_authenticate() {
        for code in ErrorCode::all() {
            let forbidden = code.statuses().contains(&403) && !code.statuses().contains(&401);
            if code.kind() == Some(ErrorKind::Authentication) {
                let about = code.meaning().unwrap_or_default().to_lowercase();
                let credentials = ["token", "signature", "credential", "user", "key", "valid", "authentication"];
                assert!(credentials.iter().any(|word| about.contains(word)), "{code}");
                assert!(!forbidden || about.contains("token"), "{code}");
            }
        }
    }
}
