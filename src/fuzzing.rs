//! Internal functions for the fuzz targets in `fuzz/`. Only `--cfg fuzzing`, which `cargo fuzz` sets, compiles them.

use http::{HeaderMap, StatusCode};

use crate::error::{Error, Redactor, ResponseInfo, says_failure};

/// A secret of the request.
pub const SECRET: &str = "fuzz-token-not-a-secret";

/// Returns the error of a call whose response has this status, from 100 to 999, and body, or `None` for a success.
pub fn failure(status: u16, body: &[u8]) -> Option<Error> {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let url = reqwest::Url::parse("http://127.0.0.1/").expect("it is an address");
    let mut request = reqwest::Request::new(http::Method::GET, url);
    let mut token = http::HeaderValue::from_static(SECRET);
    // As the session marks it: what is not sensitive is not redacted.
    token.set_sensitive(true);
    request.headers_mut().insert("x-auth-token", token);
    let info = ResponseInfo::new(status, &HeaderMap::new(), Redactor::of(&request, &[]));
    (!status.is_success() || says_failure(body)).then(|| Error::answered(body, &info))
}
