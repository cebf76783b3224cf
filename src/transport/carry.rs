//! Carries an [`Error`] through the generated clients, whose own errors hold only strings: [`carry`] puts it into a response,
//! and the conversion from the generator's error takes it out.

use progenitor_client::Error as Generated;
use reqwest::Response;

use crate::error::{Error, Redactor, ResponseInfo};

/// Puts an error into a response that the generated client returns as it is.
pub(super) fn carry(error: Error) -> Response {
    let mut response = http::Response::new(Vec::new());
    // No operation documents this status, so the generated client does not parse the response.
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(error);
    response.into()
}

/// Converts every error of a generated client.
impl From<Generated<()>> for Error {
    fn from(error: Generated<()>) -> Self {
        match error {
            Generated::UnexpectedResponse(mut response) => {
                response.extensions_mut().remove().unwrap_or_else(|| failure(&response))
            }
            Generated::ErrorResponse(response) => Self::answered(b"", &info(response.status(), response.headers())),
            Generated::InvalidResponsePayload(body, error) => Self::decode(".".to_owned(), error.to_string(), &body),
            Generated::InvalidRequest(reason) => Self::invalid_request(reason),
            Generated::CommunicationError(error)
            | Generated::InvalidUpgrade(error)
            | Generated::ResponseBodyError(error) => error.into(),
            Generated::Custom(reason) => Self::service(reason),
        }
    }
}

/// Returns the error of a response that did not pass the transport.
fn failure(response: &Response) -> Error {
    Error::answered(b"", &info(response.status(), response.headers()))
}

fn info(status: http::StatusCode, headers: &http::HeaderMap) -> ResponseInfo {
    ResponseInfo::new(status, headers, Redactor::default())
}
