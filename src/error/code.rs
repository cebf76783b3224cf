//! What the documents say of each error code.

use std::fmt;

use http::StatusCode;

use super::ErrorKind;

/// A documented error code: what it means and what to do about it.
///
/// The codes are data of the description (`openapi/errors/`); those that the described operations can answer have a
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
    /// Whether it rejects a token that may have been accepted before.
    rejects_token: bool,
    group: Option<&'static str>,
    meaning: Option<&'static str>,
    remedy: Option<&'static str>,
}

/// Whether the same request may go well another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Not without a change to the request, the permissions or the account.
    No,
    /// Only once something else has ended or been released.
    Later,
    /// After a pause, unless sending it twice does harm.
    Yes,
}

include!(concat!(env!("OUT_DIR"), "/error_codes.rs"));

impl ErrorCode {
    /// Looks a code up as an answer prints it. The gateway's prefix differs between clouds (`APIG`, `APIGW`, `APIC`);
    /// all three find the same.
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

    /// Whether the gateway in front of the services gives this code, documented or not.
    pub(super) fn is_of_gateway(code: &str) -> bool {
        matches!(code.split_once('.'), Some(("APIG" | "APIGW" | "APIC", _)))
    }

    /// All documented codes, ordered by their text.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The code, for example `ModelArts.0103`, `0176` or `APIG.0301`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Whose code it is: `modelarts`, `mrs`, `iam` or `gateway`.
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// What the code is about, for example `training` or `authentication`, where the described operations can answer it.
    pub fn group(&self) -> Option<&'static str> {
        self.group
    }

    /// The HTTP statuses that the documents print for it; none for some.
    pub fn statuses(&self) -> &'static [u16] {
        self.statuses
    }

    /// Whether the same request may go well another time.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Whether the request may be sent again after a pause, unless sending it twice does harm.
    pub fn retryable(&self) -> bool {
        self.retry == Retry::Yes
    }

    /// Whether it rejects a token that may have been accepted before: it has expired or was revoked.
    pub(crate) fn rejects_token(&self) -> bool {
        self.rejects_token
    }

    /// What kind of failure it is, where the code says it better than the HTTP status.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// What it means, where the described operations can answer it.
    pub fn meaning(&self) -> Option<&'static str> {
        self.meaning
    }

    /// What to do about it, where the described operations can answer it.
    pub fn remedy(&self) -> Option<&'static str> {
        self.remedy
    }
}

/// Whether the words of a failure without a telling code reject the token itself, not what its user may do.
pub(super) fn words_reject_token(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("token") && TOKEN_REJECTED.iter().any(|word| message.contains(word))
}

/// The code, then meaning and remedy where they are known.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if let (Some(meaning), Some(remedy)) = (self.meaning, self.remedy) {
            write!(f, ": {meaning} {remedy}")?;
        }
        Ok(())
    }
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
        // The number alone is a code of MRS, not of the gateway.
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
