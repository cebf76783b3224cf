//! What the transport needs to know of an operation.

use crate::error::Error;
use crate::shape::{ListShape, PageShape};

/// What is known of an operation besides its types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId` of the description, for example `update_training_job`.
    pub id: &'static str,
    /// HTTP method in upper case.
    pub method: &'static str,
    /// Path template, for example `/v1/{project_id}/training-jobs/{job_id}`.
    pub path: &'static str,
    /// Whether sending it twice has the effect of sending it once.
    pub idempotent: bool,
    /// Whether it needs a token or a signature.
    pub authenticated: bool,
    /// Names of the fields of its body that hold a secret.
    pub secrets: &'static [&'static str],
    /// The response that an empty one stands for, with `{name}` for parameters of the path: for operations whose
    /// response holds no more than that they succeeded, and for what.
    pub acknowledgement: Option<&'static str>,
    /// Whether it starts work that is billed.
    pub billed: bool,
    /// How it lists objects, if it does.
    pub list: Option<ListShape<'static>>,
}

impl Operation {
    /// Runs the checks that come before a request of this operation: their errors name it.
    pub(crate) fn prepare<T>(&self, checks: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        checks().map_err(|error| error.or_operation(self.id))
    }

    /// Reads the id of an object out of a response of this operation; `place` is where the body has it.
    ///
    /// # Errors
    ///
    /// An id that would change the path of a request is a decode failure that names the operation: the request was carried
    /// out, so the caller must not take it for one that was never sent.
    pub(crate) fn read_id<I>(&self, place: &str, id: &str) -> Result<I, Error>
    where
        I: for<'a> TryFrom<&'a str, Error = Error>,
    {
        I::try_from(id).map_err(|error| {
            let done = match self.method {
                "GET" => "",
                _ if self.billed => "; the work was started",
                _ => "; the request was carried out",
            };
            let message = format!("the response names an id that no request can use: {}{done}", error.message());
            Error::decode(place.to_owned(), message, id.as_bytes()).with_operation(self.id)
        })
    }

    /// The number of items on a page of its list where the request names none.
    pub(crate) fn page_size(&self) -> Option<u32> {
        match self.list?.pages {
            PageShape::Numbered { default, .. } => default,
            PageShape::Whole | PageShape::Marked { .. } => None,
        }
    }
}
