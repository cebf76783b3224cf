//! Facts of the description that the client needs at run time: shapes of lists and states of jobs.
//!
//! `build.rs` reads them from the extensions `x-list` and `x-states` and writes them as constants beside the clients.

/// The shape of an operation's list: the extension `x-list` of the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListShape<'a> {
    /// The field of the response that holds the items.
    pub items: &'a str,
    /// The field that identifies an item, or `None` if an item is a string.
    pub id: Option<&'a str>,
    /// The field of the response that counts the items of all pages.
    pub total: Option<&'a str>,
    /// The addressing of the pages.
    pub pages: PageShape<'a>,
}

/// The addressing of a list's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageShape<'a> {
    /// The response holds all items.
    Whole,
    /// A query parameter holds the number of the page.
    Numbered {
        /// The parameter for the number.
        parameter: &'a str,
        /// The number of the first page.
        first: u32,
        /// The parameter for the number of items on a page.
        size: &'a str,
        /// The default number of items on a page.
        default: Option<u32>,
        /// Whether a service may count items instead of pages, because the documentation is ambiguous.
        ambiguous: bool,
    },
    /// A query parameter holds a marker, which the response before it has returned.
    Marked {
        /// The parameter for the marker.
        parameter: &'a str,
        /// JSON pointer to the marker of the next page in a response.
        next: &'a str,
        /// The parameter for the number of items on a page.
        size: &'a str,
    },
}

impl<'a> PageShape<'a> {
    /// Returns the query parameters that address a page and set its size. A list with one page has none.
    pub const fn parameters(&self) -> Option<(&'a str, &'a str)> {
        match self {
            Self::Whole => None,
            Self::Numbered { parameter, size, .. } | Self::Marked { parameter, size, .. } => Some((*parameter, *size)),
        }
    }
}

/// The phase of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The job is running or will run.
    Underway,
    /// The job succeeded.
    Succeeded,
    /// The job ended without success.
    Failed,
}

/// A documented state of a job: a row of the extension `x-states` of the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The code that responses print.
    pub(crate) code: i64,
    /// The documentation's name of the state.
    pub(crate) name: &'static str,
    /// The phase of a job in this state.
    pub(crate) phase: Phase,
}

/// Returns the row of a code, or `None` for an undocumented code.
pub(crate) fn state(states: &'static [State], code: i64) -> Option<&'static State> {
    states.iter().find(|state| state.code == code)
}

/// Returns the code of a documented state. In a constant, an undocumented name does not compile.
#[cfg(feature = "emulator")]
pub(crate) const fn code_of(states: &[State], name: &str) -> i64 {
    let mut index = 0;
    while index < states.len() {
        if is_same(states[index].name.as_bytes(), name.as_bytes()) {
            return states[index].code;
        }
        index += 1;
    }
    panic!("the description has no such state")
}

#[cfg(feature = "emulator")]
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}
