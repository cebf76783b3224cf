//! An object of a response: its handle and its details.

use std::ops::Deref;

/// A handle together with the details of the response that named it.
///
/// It dereferences to the handle, whether `create` or a list returned it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry<H, D> {
    /// The handle of the object.
    pub handle: H,
    /// The details of the object in the response.
    pub details: D,
}

impl<H, D> Entry<H, D> {
    pub(crate) fn new(handle: H, details: D) -> Self {
        Self { handle, details }
    }
}

impl<H, D> Deref for Entry<H, D> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handle
    }
}
