//! The properties of a response besides its body.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Redactor;

/// The longest code, request id and place in a body in an error, in characters.
pub(super) const NAME: usize = 256;

/// The gateway's own name for the id of a request; some services and clouds use the others.
static REQUEST_IDS: [HeaderName; 4] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-openstack-request-id"),
    HeaderName::from_static("x-compute-request-id"),
    HeaderName::from_static("x-iam-trace-id"),
];

/// The properties of a response besides its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseInfo {
    pub(crate) status: Option<StatusCode>,
    /// As it came, and marked as sensitive until it is redacted: most are read by nobody.
    request_id: Option<HeaderValue>,
    pub(crate) retry_after: Option<Duration>,
    /// The proxy of the request, without its credentials.
    pub(crate) proxy: Option<String>,
    /// Whether the body of a successful response is blank, or `null`.
    pub(crate) is_empty: bool,
    /// Redacts the secrets of the request, which servers may echo.
    pub(crate) redactor: Redactor,
}

impl ResponseInfo {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, redactor: Redactor) -> Self {
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let retry_after = text(&RETRY_AFTER).and_then(|text| retry_after(text.trim()));
        let mut request_id =
            REQUEST_IDS.iter().find_map(|name| headers.get(name).filter(|id| id.to_str().is_ok())).cloned();
        if let Some(id) = &mut request_id {
            id.set_sensitive(true);
        }
        Self { status: Some(status), request_id, retry_after, redactor, ..Self::default() }
    }

    /// Returns the id of the request, redacted.
    pub(crate) fn request_id(&self) -> Option<String> {
        let id = self.request_id.as_ref()?.to_str().ok()?;
        Some(self.kept(id.to_owned(), NAME))
    }

    /// Shortens a text of the response for an error, with every secret of the request redacted.
    pub(super) fn kept(&self, mut text: String, most: usize) -> String {
        let cut = |text: &mut String, most| match text.char_indices().nth(most) {
            Some((end, _)) => {
                text.truncate(end);
                true
            }
            None => false,
        };
        // Redact before the cut, so that no secret is cut; but do not search megabytes.
        cut(&mut text, 16 * most);
        let mut text = self.redactor.redact(text);
        if cut(&mut text, most) {
            text.push_str("...");
        }
        text
    }
}

/// Parses `Retry-After` in both forms: seconds or a date. A date in the past means no wait.
fn retry_after(text: &str) -> Option<Duration> {
    let by_date = || Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default());
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too large to parse means a wait without end.
    if digits { Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX))) } else { by_date() }
}
