//! The properties of an operation that the transport needs.

use crate::error::Error;
use crate::shape::{ListShape, PageShape};

/// The properties of an operation besides its types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId` of the description, for example `update_training_job`.
    pub id: &'static str,
    /// The HTTP method in upper case.
    pub method: &'static str,
    /// The path template, for example `/v1/{project_id}/training-jobs/{job_id}`.
    pub path: &'static str,
    /// Whether the operation is idempotent.
    pub idempotent: bool,
    /// Whether the operation needs a token or a signature.
    pub authenticated: bool,
    /// The names of the body's fields that hold a secret.
    pub secrets: &'static [&'static str],
    /// The response that an empty one stands for, with `{name}` for parameters of the path: for operations whose
    /// response holds no more than that they succeeded, and for what.
    pub acknowledgement: Option<&'static str>,
    /// Whether the operation starts billed work.
    pub billed: bool,
    /// The shape of the list, if the operation lists objects.
    pub list: Option<ListShape<'static>>,
}

impl Operation {
    /// Runs the validation before a request of this operation. Its errors name the operation.
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

    /// The default number of items on a page.
    pub(crate) fn page_size(&self) -> Option<u32> {
        match self.list?.pages {
            PageShape::Numbered { default, .. } => default,
            PageShape::Whole | PageShape::Marked { .. } => None,
        }
    }
}
