//! The kinds of errors.

use std::fmt;

/// The kinds of failures, each with its word: variant, word, meaning.
macro_rules! kinds {
    ($($(#[$attribute:meta])+ $kind:ident = $word:literal;)+) => {
        /// What kind of failure an [`Error`](super::Error) is. The words are the ones that the command line prints.
        ///
        /// ```
        /// use huaweicloud_jobs::ErrorKind;
        /// assert_eq!(ErrorKind::NotFound.to_string(), "not found");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$attribute])+ $kind,)+
        }

        impl ErrorKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The word for the kind, for example `not found`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)+
                }
            }
        }
    };
}

kinds! {
    /// The request breaks a documented limit and was not sent, or the service rejected it as malformed.
    InvalidRequest = "invalid request";
    /// The session cannot be built from its settings, or the endpoint does not have the operation.
    Configuration = "configuration";
    /// The credentials are not accepted.
    Authentication = "authentication";
    /// The credentials are accepted, but they do not allow this request.
    Permission = "permission";
    /// The named object does not exist, or not for this project.
    NotFound = "not found";
    /// The name is taken, or the state of the object does not allow the request.
    Conflict = "conflict";
    /// There are too many requests; a later one may succeed.
    Throttled = "throttled";
    /// The service failed or rejected the request for another reason.
    Service = "service";
    /// No complete response was received.
    Network = "network";
    /// No complete response was received in time.
    Timeout = "timeout";
    /// A response came that does not match the description.
    Decode = "decode";
}

impl AsRef<str> for ErrorKind {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
