//! What an answer names: a handle, and the details beside it.

use std::ops::Deref;

/// A handle together with what the answer that named it said.
///
/// It can be used like the handle itself, whether it came from `create` or out of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry<H, D> {
    /// The object, ready for further calls.
    pub handle: H,
    /// What the answer said about it.
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
