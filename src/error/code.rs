//! The documented error codes.

use std::fmt;

use http::StatusCode;

use super::ErrorKind;

/// A documented error code: what it means and what to do about it.
///
/// The codes are data of the description (`openapi/errors/`). Those that the described operations can return have a
/// meaning and a remedy.
///
/// ```
/// use huaweicloud_jobs::ErrorCode;
///
/// let code = ErrorCode::lookup("APIGW.0308").expect("it is documented");
/// assert_eq!((code.code(), code.statuses(), code.retryable()), ("APIG.0308", &[429][..], true));
/// println!("{code}");
/// ```
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    code: &'static str,
    family: &'static str,
    statuses: &'static [u16],
    retry: Retry,
    kind: Option<ErrorKind>,
    /// Whether it rejects a token that may have been valid before.
    rejects_token: bool,
    group: Option<&'static str>,
    meaning: Option<&'static str>,
    remedy: Option<&'static str>,
}

/// Whether a retry of the same request can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No: the request, the permissions or the account must change first.
    No,
    /// Only after another object has ended or was released.
    Later,
    /// After a pause, if the operation is idempotent.
    Yes,
}

include!(concat!(env!("OUT_DIR"), "/error_codes.rs"));

impl ErrorCode {
    /// Looks up a code of a response. The gateway's prefix differs between clouds (`APIG`, `APIGW`, `APIC`); all three
    /// find the same entry.
    pub fn lookup(code: &str) -> Option<&'static Self> {
        let folded;
        let code = match code.split_once('.') {
            Some((_, number)) if Self::is_of_gateway(code) => {
                folded = format!("APIG.{number}");
                &folded
            }
            _ => code,
        };
        ALL.binary_search_by(|known| known.code.cmp(code)).ok().map(|index| &ALL[index])
    }

    /// Returns whether this is a code of the gateway in front of the services, documented or not.
    pub(super) fn is_of_gateway(code: &str) -> bool {
        matches!(code.split_once('.'), Some(("APIG" | "APIGW" | "APIC", _)))
    }

    /// Returns all documented codes in alphabetical order.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The code, for example `ModelArts.0103`, `0176` or `APIG.0301`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The family of the code: `modelarts`, `mrs`, `iam` or `gateway`.
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// The subject of the code, for example `training` or `authentication`, if the described operations can return it.
    pub fn group(&self) -> Option<&'static str> {
        self.group
    }

    /// The documented HTTP statuses of the code; some codes have none.
    pub fn statuses(&self) -> &'static [u16] {
        self.statuses
    }

    /// Whether a retry of the same request can succeed.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Returns whether an idempotent request can be retried after a pause.
    pub fn retryable(&self) -> bool {
        self.retry == Retry::Yes
    }

    /// Returns whether the code rejects a token that may have been valid before: it has expired or was revoked.
    pub(crate) fn rejects_token(&self) -> bool {
        self.rejects_token
    }

    /// The kind of error, if the code is more precise than the HTTP status.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// The meaning, if the described operations can return the code.
    pub fn meaning(&self) -> Option<&'static str> {
        self.meaning
    }

    /// The remedy, if the described operations can return the code.
    pub fn remedy(&self) -> Option<&'static str> {
        self.remedy
    }
}

/// Returns whether the message of an error without a known code rejects the token itself, not the rights of its user.
pub(super) fn words_reject_token(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("token") && TOKEN_REJECTED.iter().any(|word| message.contains(word))
}

/// Prints the code, then meaning and remedy if they are known.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if let (Some(meaning), Some(remedy)) = (self.meaning, self.remedy) {
            write!(f, ": {meaning} {remedy}")?;
        }
        Ok(())
    }
}

/// Returns the kind of the error code, otherwise that of the status.
pub(super) fn kind_of(status: StatusCode, code: Option<&str>) -> ErrorKind {
    let by_code = code.and_then(ErrorCode::lookup).and_then(ErrorCode::kind);
    by_code.unwrap_or(match status.as_u16() {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::Permission,
        // The gateway knows only operations and backends: none of its codes is about an object.
        404 if code.is_some_and(ErrorCode::is_of_gateway) => ErrorKind::Service,
        404 => ErrorKind::NotFound,
        // The proxy requires credentials of its own.
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
    fn every_code_is_found_and_none_twice() {
        assert!(ErrorCode::all().is_sorted_by(|a, b| a.code < b.code));
        for code in ErrorCode::all() {
            assert_eq!(ErrorCode::lookup(code.code), Some(code));
        }
        assert!(ErrorCode::all().len() > 1100, "{}", ErrorCode::all().len());
    }

    #[test]
    fn prefixes_of_the_gateway_are_one() {
        for prefix in ["APIG", "APIGW", "APIC"] {
            assert_eq!(ErrorCode::lookup(&format!("{prefix}.0301")).map(ErrorCode::code), Some("APIG.0301"));
        }
        // A number without the prefix is a code of MRS, not of the gateway.
        assert_eq!(ErrorCode::lookup("0201").map(ErrorCode::family), Some("mrs"));
        assert_eq!(ErrorCode::lookup("APIX.0301"), None);
        assert_eq!(ErrorCode::lookup(""), None);
    }

    #[test]
    fn rejected_credentials_are_never_sent_again() {
        // Several failures in a row lock the key.
        for code in ErrorCode::all().iter().filter(|code| code.kind == Some(ErrorKind::Authentication)) {
            assert_eq!(code.retry, Retry::No, "{}", code.code);
        }
    }

    #[test]
    fn what_is_described_is_described_whole() {
        for code in ErrorCode::all() {
            let parts = [code.group, code.meaning, code.remedy];
            let described = parts.iter().flatten().count();
            assert!(described == 0 || described == 3, "{}", code.code);
            assert!(parts.iter().flatten().all(|text| !text.is_empty()), "{}", code.code);
        }
    }

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
