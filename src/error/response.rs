//! What is known of a response besides its body.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Redactor;

/// How much of a code, of the id of a request and of a place in a body an error keeps, in characters.
pub(super) const NAME: usize = 256;

/// The gateway's own name for the id of a request; some services and clouds use the others.
static REQUEST_IDS: [HeaderName; 4] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-openstack-request-id"),
    HeaderName::from_static("x-compute-request-id"),
    HeaderName::from_static("x-iam-trace-id"),
];

/// What is known of a response besides its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseInfo {
    pub(crate) status: Option<StatusCode>,
    /// As it came, and marked as sensitive until it is redacted: most are read by nobody.
    request_id: Option<HeaderValue>,
    pub(crate) retry_after: Option<Duration>,
    /// The proxy that the request went through, without its credentials.
    pub(crate) proxy: Option<String>,
    /// Whether the body of a success is blank, or `null`.
    pub(crate) is_empty: bool,
    /// Knows what was sent and may come back: servers echo.
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

    /// Returns as much of a text of the response as an error keeps, with every secret of the request redacted.
    pub(super) fn kept(&self, mut text: String, most: usize) -> String {
        let cut = |text: &mut String, most| match text.char_indices().nth(most) {
            Some((end, _)) => {
                text.truncate(end);
                true
            }
            None => false,
        };
        // Beyond what is kept, so that no secret in it is cut off; a text of megabytes is not looked at in full.
        cut(&mut text, 16 * most);
        let mut text = self.redactor.redact(text);
        if cut(&mut text, most) {
            text.push_str("...");
        }
        text
    }
}

/// `Retry-After` in both its forms: seconds, or a date; a date that has passed asks for no wait.
fn retry_after(text: &str) -> Option<Duration> {
    let by_date = || Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default());
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large to be read asks for longer than anyone waits.
    if digits { Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX))) } else { by_date() }
}
