//! Lists that are returned in pages.
//!
//! `list()` of every kind of object returns a [`List`]: set filters on it, then read it as a [`Stream`] of entries, or
//! without any other crate by [`try_next`](List::try_next) and [`try_collect`](List::try_collect). Pages are requested as
//! they are needed. ModelArts counts pages, MRS passes markers; both are the same type here.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), huaweicloud_jobs::Error> {
//! # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
//! # let session = emulator.session()?;
//! let mut jobs = session.modelarts().training_jobs().list().per_page(100);
//! while let Some(job) = jobs.try_next().await? {
//!     println!("{} {}", job.id(), job.details.job_name);
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```
//!
//! Lists that change while they are read, and services that count in another way:
//!
//! - An entry that moves to a later page, because others came before it, is not returned twice: the ids of the last 2000
//!   entries are remembered, or those of two pages where a page is larger.
//! - Where entries are deleted, those behind them move to pages that were read already. Lists with page numbers count
//!   their entries; when there are fewer than before, the pages that may hold what moved are read again.
//! - A list ends at a page without anything new. A count alone does not end it, because counts may be wrong.
//! - An empty page before the counted end does not end a list; 100 of them in a row do.
//! - Where the documentation leaves open whether a number counts pages or entries, pages that overlap show it.
//! - A list that repeats itself is a failure of the service and not a loop.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::api::wire::Integer;
use crate::api::{Operation, PageShape};
use crate::error::Error;

/// The order of a list, upwards or downwards.
pub use crate::api::modelarts::types::SortOrder;

/// The smallest number of remembered ids: two of the largest pages of ModelArts.
const REMEMBERED: usize = 2000;
/// Pages without anything new, one after the other, before a list counts as endless.
const IDLE: u32 = 100;
/// Pages without anything new, one after the other, after which a count that falls does not lead back any more.
const BACK: u32 = 30;

/// The request of a list. Only the lists of this crate implement this trait.
pub trait Query: Clone + fmt::Debug + Send + Sync + Unpin + 'static {
    /// The items of the list.
    type Entry: Send + Unpin + 'static;

    /// The operation that returns a page.
    #[doc(hidden)]
    const OPERATION: &'static Operation;

    /// Returns the id of an entry.
    #[doc(hidden)]
    fn id(entry: &Self::Entry) -> String;

    /// Requests one page.
    #[doc(hidden)]
    fn fetch(self, at: Position) -> impl Future<Output = Result<Batch<Self::Entry>, Error>> + Send;
}

/// Lists whose pages have numbers.
pub trait Numbered: Query {}

/// The position of a page.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// The number of the page, from 1.
    Page(u32),
    /// The number of items before the page, if a service counts items instead of pages.
    Item {
        /// The number of items.
        offset: u32,
        /// The number of the next page in case the service counts pages after all, or `None` once this is certain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<u32>,
    },
    /// The marker: the page begins after this id. Without one, the first page.
    Marker(Option<String>),
}

impl Position {
    /// Returns the position of the first page of a list.
    pub(crate) fn start(shape: &PageShape<'_>) -> Self {
        match shape {
            PageShape::Marked { .. } => Self::Marker(None),
            PageShape::Numbered { .. } | PageShape::Whole => Self::Page(1),
        }
    }

    /// Returns the number of the page in a request, as the list of the operation counts.
    pub(crate) fn number(&self, operation: &Operation) -> Result<i32, Error> {
        let first = match operation.list.map(|list| list.pages) {
            Some(PageShape::Numbered { first, .. }) => first,
            _ => return Err(foreign()),
        };
        let number = match self {
            Self::Page(page) => first.saturating_add(page.saturating_sub(1)),
            Self::Item { offset, .. } => *offset,
            Self::Marker(_) => return Err(foreign()),
        };
        i32::try_from(number).map_err(|_| Error::invalid_field("page", "is too large"))
    }

    /// Returns the marker of the page in a request.
    pub(crate) fn marker(&self) -> Result<Option<&str>, Error> {
        match self {
            Self::Marker(marker) => Ok(marker.as_deref()),
            Self::Page(_) | Self::Item { .. } => Err(foreign()),
        }
    }
}

fn foreign() -> Error {
    Error::invalid_field("cursor", "is of another list")
}

/// A returned page.
#[doc(hidden)]
#[derive(Debug)]
pub struct Batch<T> {
    entries: Vec<T>,
    then: Then,
}

/// The information of a page about the following ones.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// The total count of entries, and the requested page size.
    Count { total: Option<u64>, size: Option<u32> },
    /// The marker of the next page.
    Marker(Option<String>),
    /// The list has one page.
    Nothing,
}

impl<T> Batch<T> {
    /// Returns a page that has all entries.
    pub(crate) fn whole(entries: Vec<T>) -> Self {
        Self { entries, then: Then::Nothing }
    }

    /// Returns a page with a number; `size` is the requested size, if there was one.
    pub(crate) fn numbered(entries: Vec<T>, total: Option<Integer>, size: Option<u32>) -> Self {
        let total = total.and_then(|total| u64::try_from(total.get()).ok());
        Self { entries, then: Then::Count { total, size } }
    }

    /// Returns a page with the marker of the next one.
    pub(crate) fn marked(entries: Vec<T>, next: Option<String>) -> Self {
        Self { entries, then: Then::Marker(next) }
    }
}

/// The ids of the latest entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "VecDeque<String>", into = "VecDeque<String>")]
struct Recent {
    order: VecDeque<String>,
    known: HashSet<String>,
}

impl From<VecDeque<String>> for Recent {
    fn from(order: VecDeque<String>) -> Self {
        Self { known: order.iter().cloned().collect(), order }
    }
}

impl From<Recent> for VecDeque<String> {
    fn from(recent: Recent) -> Self {
        recent.order
    }
}

impl Recent {
    /// Remembers an id, at most `capacity` in all, and returns whether it is new.
    fn insert(&mut self, id: &str, capacity: usize) -> bool {
        if !self.known.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        while self.order.len() > capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }
}

/// Shares the ids between the cursors of a list; they are copied only for a cursor that the caller keeps.
mod shared {
    use super::{Arc, Recent};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(recent: &Arc<Recent>, serializer: S) -> Result<S::Ok, S::Error> {
        recent.order.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Recent>, D::Error> {
        Recent::deserialize(deserializer).map(Arc::new)
    }
}

/// The position in a list. It can be stored, for example as JSON, and resumed by another process: see [`List::resume`].
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
/// # let session = emulator.session()?;
/// let mut jobs = session.modelarts().training_jobs().list();
/// jobs.try_next().await?;
/// let kept = serde_json::to_string(&jobs.cursor())?;
///
/// // Later:
/// let mut jobs = session.modelarts().training_jobs().list();
/// if let Some(cursor) = serde_json::from_str(&kept)? {
///     let rest: Vec<_> = jobs.resume(cursor).try_collect().await?;
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    list: String,
    at: Position,
    /// The number of entries that were returned, and the count of the last page.
    given: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// The highest number of a page so far.
    furthest: u32,
    #[serde(with = "shared")]
    recent: Arc<Recent>,
    /// The number of pages in a row without anything new.
    idle: u32,
    /// The number of pages so far, and an earlier marker, to detect a cycle.
    pages: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
}

/// The walk through the pages of one list: which page comes next, and which of its entries are new.
///
/// It does not send requests: typed and raw lists use the same walk.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    operation: &'static Operation,
    shape: PageShape<'static>,
    cursor: Cursor,
    /// The ids of the page that was read last by this process.
    before: Vec<String>,
    /// The length of the largest page that this process read.
    largest: u32,
    ended: bool,
    /// The error that ends the walk, to be returned after the previous page.
    failure: Option<Error>,
}

impl Walk {
    pub(crate) fn new(operation: &'static Operation) -> Self {
        let shape = operation.list.map_or(PageShape::Whole, |list| list.pages);
        let cursor = Cursor {
            list: operation.id.to_owned(),
            at: Position::start(&shape),
            given: 0,
            total: None,
            furthest: 0,
            recent: Arc::default(),
            idle: 0,
            pages: 0,
            checkpoint: None,
        };
        Self { operation, shape, cursor, before: Vec::new(), largest: 0, ended: false, failure: None }
    }

    /// Starts at a page instead of the first one.
    pub(crate) fn begin(&mut self, at: Position) {
        self.cursor.at = at;
    }

    pub(crate) fn resume(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// Returns the position of the walk, or `None` at its end.
    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        Some(&self.cursor).filter(|_| !self.ended)
    }

    /// Returns the page to request, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Position>, Error> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if self.cursor.list != self.operation.id {
            return Err(foreign().or_operation(self.operation.id));
        }
        Ok(Some(self.cursor.at.clone()).filter(|_| !self.ended))
    }

    /// Processes a page: returns which of its entries are new, and moves to the next page. A page after which the list
    /// cannot continue is processed too; then [`next`](Self::next) fails once.
    pub(crate) fn take(&mut self, ids: Vec<String>, then: Then) -> Vec<bool> {
        let capacity = REMEMBERED.max(2 * ids.len());
        let recent = Arc::make_mut(&mut self.cursor.recent);
        let new: Vec<bool> = ids.iter().map(|id| recent.insert(id, capacity)).collect();
        let fresh = new.iter().filter(|new| **new).count();
        let cursor = &mut self.cursor;
        cursor.given += fresh as u64;
        cursor.pages += 1;
        cursor.idle = if fresh == 0 { cursor.idle + 1 } else { 0 };
        let more = match then {
            Then::Count { total, size } => self.turn(&ids, &new, total, size),
            // An empty marker would request the first page again.
            Then::Marker(next) => self.follow(next.filter(|next| !next.is_empty())),
            Then::Nothing => Ok(false),
        };
        self.before = ids;
        match more {
            Ok(more) => self.ended = !more,
            Err(error) => self.failure = Some(error.or_operation(self.operation.id)),
        }
        new
    }

    /// Moves to the next page with a number.
    fn turn(&mut self, ids: &[String], new: &[bool], total: Option<u64>, size: Option<u32>) -> Result<bool, Error> {
        let (default, ambiguous) = match self.shape {
            PageShape::Numbered { default, ambiguous, .. } => (default, ambiguous),
            PageShape::Whole | PageShape::Marked { .. } => return Err(foreign()),
        };
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let size = size.or(default).unwrap_or(count).max(1);
        let cursor = &mut self.cursor;
        self.largest = self.largest.max(count);
        let (here, number) = match cursor.at {
            Position::Page(page) => {
                let before = page.saturating_sub(1 + u32::from(ambiguous));
                (before.saturating_mul(size.min(self.largest)), page)
            }
            Position::Item { offset, .. } => (offset, offset),
            Position::Marker(_) => return Err(foreign()),
        };
        // A page that is read again because entries were deleted does not end the list.
        let again = number <= cursor.furthest && !ids.is_empty();
        cursor.furthest = cursor.furthest.max(number);
        // The page itself has more entries: a smaller count is wrong and is ignored.
        let total = total.filter(|total| count == 0 || *total >= u64::from(here) + u64::from(count));
        let repeated = !ids.is_empty() && self.before == ids;
        let fewer = cursor.total.zip(total).map_or(0, |(before, now)| before.saturating_sub(now));
        let goes_back = fewer > 0 && cursor.idle < BACK;
        let unchanged = cursor.total == total;
        let nothing_new = !new.contains(&true);
        cursor.total = total;
        // Deleted entries may have been returned: they do not count any more.
        cursor.given = cursor.given.saturating_sub(fewer);
        let (next, behind) = match &cursor.at {
            Position::Page(page) => {
                if cursor.pages == 1 {
                    // A list that begins with a later page counts the entries of the pages before it as returned.
                    cursor.given += u64::from(page.saturating_sub(1)) * u64::from(size);
                }
                if goes_back && *page > 1 {
                    let back = u32::try_from(fewer.div_ceil(size.into())).unwrap_or(u32::MAX);
                    cursor.at = Position::Page(page.saturating_sub(back).max(1));
                    return Ok(total != Some(0));
                }
                let page = page.saturating_add(1);
                // A service that counts items returns the previous page, shifted by one.
                let overlaps = self.before.len() > 1 && ids.len() > 1 && ids.starts_with(&self.before[1..]);
                let next = if ambiguous && cursor.pages == 2 && page == 3 && overlaps && unchanged && !nothing_new {
                    cursor.furthest = 0;
                    Position::Item { offset: u32::try_from(cursor.given - 1).unwrap_or(u32::MAX), page: Some(page) }
                } else {
                    Position::Page(page)
                };
                // The first page may have the first number or the next one.
                (next, u64::from(page - 1 - u32::from(ambiguous)) * u64::from(size))
            }
            Position::Item { offset, page } => {
                if let (Some(page), true) = (page, new.first() != Some(&false)) {
                    // The page does not begin with the last item of the previous one: the service counts pages. The
                    // requested number may be the next page.
                    let read = u32::from(*offset + 1 == *page);
                    cursor.furthest = *page - 1 + read;
                    cursor.at = Position::Page(*page + read);
                    return Ok(true);
                }
                if goes_back {
                    let back = u32::try_from(fewer).unwrap_or(u32::MAX);
                    cursor.at = Position::Item { offset: offset.saturating_sub(back), page: None };
                    return Ok(total != Some(0));
                }
                // Requests one item again, to notice a service that counts pages after all.
                let offset = offset.saturating_add(count.max(2) - 1);
                (Position::Item { offset, page: None }, u64::from(offset) + 1)
            }
            Position::Marker(_) => return Err(foreign()),
        };
        cursor.at = next;
        if !nothing_new {
            // Two facts agree: the page is not full, and all counted entries have been returned.
            return Ok(count >= size || total != Some(cursor.given));
        }
        if again || (ambiguous && !ids.is_empty() && cursor.pages == 2) {
            // If the number of the first page is uncertain, the second request may return the first page again.
            return if cursor.idle < IDLE { Ok(true) } else { Err(endless("it returns no others")) };
        }
        // Without a count, a page without anything new is the end.
        let Some(total) = total else { return Ok(false) };
        if behind >= total || (ids.is_empty() && cursor.idle >= IDLE) {
            return Ok(false);
        }
        if cursor.idle >= IDLE || (repeated && unchanged) {
            return Err(endless("a page brings what the one before it brought"));
        }
        Ok(true)
    }

    /// Moves to the next page with a marker.
    fn follow(&mut self, next: Option<String>) -> Result<bool, Error> {
        let cursor = &mut self.cursor;
        let current = cursor.at.marker()?;
        let Some(next) = next else { return Ok(false) };
        if current == Some(&next) || cursor.checkpoint.as_ref() == Some(&next) {
            return Err(endless(format!("the marker {next} came before")));
        }
        if cursor.idle >= IDLE {
            return Err(endless(format!("{IDLE} pages in a row brought nothing new")));
        }
        // Brent's algorithm detects a cycle of any length: keep each marker twice as long as the previous one.
        if cursor.pages.is_power_of_two() {
            cursor.checkpoint = Some(next.clone());
        }
        cursor.at = Position::Marker(Some(next));
        Ok(true)
    }
}

fn endless(reason: impl fmt::Display) -> Error {
    Error::service(format!("the service repeats pages of the list: {reason}"))
}

/// A page of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries that no earlier page had.
    pub entries: Vec<T>,
    /// The number of entries of all pages, if the service counts them.
    pub total: Option<u64>,
    /// The position after this page, or `None` at the end.
    pub cursor: Option<Cursor>,
}

/// The pages of a list, see [`List::pages`].
///
/// An error ends the stream; [`cursor`](Self::cursor) still returns the position to resume from.
#[must_use = "nothing is sent before it is read"]
pub struct Pages<Q: Query> {
    query: Q,
    walk: Walk,
    fetch: Option<Fetch<Q::Entry>>,
    failed: bool,
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Batch<T>, Error>> + Send>>;

impl<Q: Query> Pages<Q> {
    /// Returns the next page, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`].
    pub async fn try_next(&mut self) -> Result<Option<Page<Q::Entry>>, Error> {
        next(self).await.transpose()
    }

    /// Returns the position of the next page, or `None` at the end.
    pub fn cursor(&self) -> Option<Cursor> {
        self.walk.cursor().cloned()
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Page<Q::Entry>>, Error>> {
        if self.failed {
            return Poll::Ready(Ok(None));
        }
        if self.fetch.is_none() {
            let at = self.walk.next().inspect_err(|_| self.failed = true)?;
            let Some(at) = at else { return Poll::Ready(Ok(None)) };
            self.fetch = Some(Box::pin(self.query.clone().fetch(at)));
        }
        let Some(fetch) = &mut self.fetch else { return Poll::Ready(Ok(None)) };
        let outcome = ready!(fetch.as_mut().poll(context));
        self.fetch = None;
        let batch = outcome.map_err(|error| error.or_operation(Q::OPERATION.id)).inspect_err(|_| self.failed = true)?;
        let ids = batch.entries.iter().map(Q::id).collect();
        let mut new = self.walk.take(ids, batch.then).into_iter();
        let mut entries = batch.entries;
        entries.retain(|_| new.next().unwrap_or_default());
        Poll::Ready(Ok(Some(Page { entries, total: self.walk.cursor.total, cursor: self.cursor() })))
    }
}

impl<Q: Query> Stream for Pages<Q> {
    type Item = Result<Page<Q::Entry>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(context).map(Result::transpose)
    }
}

impl<Q: Query> fmt::Debug for Pages<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { query, walk, fetch, failed } = self;
        f.debug_struct("Pages")
            .field("query", query)
            .field("cursor", &walk.cursor())
            .field("waits", &fetch.is_some())
            .field("failed", failed)
            .finish_non_exhaustive()
    }
}

/// A list of objects: set filters, then read it. Pages are requested as they are needed.
///
/// It is a [`Stream`] of entries; without another crate, use [`try_next`](Self::try_next) or
/// [`try_collect`](Self::try_collect). After an error it is at its end; [`cursor`](Self::cursor) still says where to go on.
#[derive(Debug)]
#[must_use = "nothing is sent before it is read"]
pub struct List<Q: Query> {
    pages: Pages<Q>,
    /// The rest of the last page that was read, its original length, and the position of that page. The ids are those
    /// of the walk.
    rest: VecDeque<Q::Entry>,
    fresh: usize,
    here: Option<Cursor>,
}

impl<Q: Query> List<Q> {
    pub(crate) fn new(query: Q) -> Self {
        let pages = Pages { query, walk: Walk::new(Q::OPERATION), fetch: None, failed: false };
        Self { pages, rest: VecDeque::new(), fresh: 0, here: None }
    }

    /// Returns the request, to set filters.
    pub(crate) fn query(&mut self) -> &mut Q {
        &mut self.pages.query
    }

    /// Resumes a list with the same filters. A cursor of another kind of list is rejected.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.pages.walk.resume(cursor);
        self
    }

    /// Returns the position after the last returned entry, or `None` at the end.
    pub fn cursor(&self) -> Option<Cursor> {
        let Some(here) = self.here.as_ref().filter(|_| !self.rest.is_empty()) else { return self.pages.cursor() };
        // The ids of the rest are the latest remembered ones.
        let known = &self.pages.walk.cursor.recent.order;
        let order: VecDeque<String> = known.iter().take(known.len().saturating_sub(self.rest.len())).cloned().collect();
        let given = here.given + (self.fresh - self.rest.len()) as u64;
        Some(Cursor { recent: Arc::new(order.into()), given, ..here.clone() })
    }

    /// Returns the list as a stream of pages.
    pub fn pages(self) -> Pages<Q> {
        self.pages
    }

    /// Requests one page alone: the first one, or the one that [`page`](Self::page) or [`resume`](Self::resume) chose.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), huaweicloud_jobs::Error> {
    /// # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
    /// # let session = emulator.session()?;
    /// let page = session.modelarts().training_jobs().list().per_page(2).page(2).fetch_page().await?;
    /// println!("{} of {:?} jobs", page.entries.len(), page.total);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// As any call, see [`Error`].
    pub async fn fetch_page(self) -> Result<Page<Q::Entry>, Error> {
        let page = self.pages().try_next().await?;
        Ok(page.unwrap_or(Page { entries: Vec::new(), total: None, cursor: None }))
    }

    /// Returns the next entry, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`].
    pub async fn try_next(&mut self) -> Result<Option<Q::Entry>, Error> {
        next(self).await.transpose()
    }

    /// Returns all entries, or the first error.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`].
    pub async fn try_collect<C: Default + Extend<Q::Entry>>(mut self) -> Result<C, Error> {
        let mut entries = C::default();
        while let Some(entry) = self.try_next().await? {
            entries.extend([entry]);
        }
        Ok(entries)
    }
}

impl<Q: Numbered> List<Q> {
    /// Begins with this page, counted from 1; 1 by default. For a page alone, see [`fetch_page`](Self::fetch_page).
    pub fn page(mut self, page: u32) -> Self {
        self.pages.walk = Walk::new(Q::OPERATION);
        self.pages.walk.begin(Position::Page(page));
        self
    }
}

impl<Q: Query> Stream for List<Q> {
    type Item = Result<Q::Entry, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(entry) = this.rest.pop_front() {
                return Poll::Ready(Some(Ok(entry)));
            }
            // Without the ids: a shared list of them would have to be copied for each page.
            let here = this.pages.walk.cursor().map(|here| {
                let Cursor { list, at, checkpoint, .. } = here;
                let (list, at, checkpoint) = (list.clone(), at.clone(), checkpoint.clone());
                Cursor { list, at, checkpoint, recent: Arc::default(), ..*here }
            });
            match ready!(this.pages.poll_page(context)) {
                Ok(Some(page)) => {
                    this.rest = page.entries.into();
                    this.fresh = this.rest.len();
                    // A reader that requests this page again must notice entries that were deleted in between.
                    this.here = here.map(|here| Cursor { total: here.total.max(page.total), ..here });
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// Returns the next item of a stream.
pub(crate) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

#[cfg(test)]
mod tests;
