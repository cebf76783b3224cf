//! Lists that are answered in pages.
//!
//! `list()` of every kind of object gives a [`List`]: set filters on it, then read it as a [`Stream`] of entries, or
//! without any other crate by [`try_next`](List::try_next) and [`try_collect`](List::try_collect). Pages are asked for as
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
//! What changes while it is read:
//!
//! - An entry that moves to a later page, because others came before it, is not given twice: the ids of the last 2000
//!   entries are remembered, no more.
//! - Where entries are deleted, those behind them move to pages that were read already. Lists with page numbers say how
//!   many entries there are; when it is fewer than before, the pages that may hold what moved are read again.
//! - An empty page in the middle ends nothing. A list that repeats itself is an error and not a loop.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::api::Operation;
use crate::api::wire::Integer;
use crate::error::Error;

/// How many ids are remembered: the largest page of ModelArts twice.
const REMEMBERED: usize = 2000;
/// Pages without anything new, one after the other, before a list counts as endless.
const IDLE: u32 = 1000;

/// What a list asks for, and how. Implemented by the lists of this crate alone.
pub trait Query: Clone + fmt::Debug + Send + Sync + Unpin + 'static {
    /// What the list holds.
    type Entry: Send + Unpin + 'static;

    /// The operation that answers a page.
    #[doc(hidden)]
    const OPERATION: &'static Operation;

    /// Where the first page is.
    #[doc(hidden)]
    const START: Position;

    /// What tells an entry from all others.
    #[doc(hidden)]
    fn id(entry: &Self::Entry) -> String;

    /// Asks for one page.
    #[doc(hidden)]
    fn fetch(self, at: Position) -> impl Future<Output = Result<Batch<Self::Entry>, Error>> + Send;
}

/// Lists whose pages have numbers.
pub trait Numbered: Query {}

/// Where a page is.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// The number of the page, from 1.
    Page(u32),
    /// The id that the page begins behind; without one, the first page.
    Marker(Option<String>),
}

impl Position {
    pub(crate) fn page(&self) -> Result<u32, Error> {
        match self {
            Self::Page(page) => Ok(*page),
            Self::Marker(_) => Err(foreign()),
        }
    }

    pub(crate) fn marker(&self) -> Result<Option<&str>, Error> {
        match self {
            Self::Marker(marker) => Ok(marker.as_deref()),
            Self::Page(_) => Err(foreign()),
        }
    }
}

fn foreign() -> Error {
    Error::invalid_field("cursor", "is of another list")
}

/// A page as it was answered.
#[doc(hidden)]
#[derive(Debug)]
pub struct Batch<T> {
    entries: Vec<T>,
    then: Then,
}

#[derive(Debug)]
enum Then {
    /// How many entries there are on all pages, and how many a page was asked to hold.
    Count {
        total: Option<u64>,
        size: u32,
    },
    Marker(Option<String>),
    /// The list has one page.
    Nothing,
}

impl<T> Batch<T> {
    /// All there is.
    pub(crate) fn whole(entries: Vec<T>) -> Self {
        Self { entries, then: Then::Nothing }
    }

    /// A page with a number; `size` is what was asked for, or the documented default.
    pub(crate) fn numbered(entries: Vec<T>, total: Option<Integer>, size: u32) -> Self {
        let total = total.and_then(|total| u64::try_from(total.get()).ok());
        Self { entries, then: Then::Count { total, size: size.max(1) } }
    }

    /// A page with the marker of the next one.
    pub(crate) fn marked(entries: Vec<T>, next: Option<String>) -> Self {
        // An empty marker would ask for the first page again.
        Self { entries, then: Then::Marker(next.filter(|next| !next.is_empty())) }
    }
}

/// Where a list goes on. It can be kept, as JSON for example, and resumed by another process: see [`List::resume`].
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
    /// Entries given, and how many there were at the last page.
    given: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Ids of the entries given last.
    recent: VecDeque<String>,
    /// Pages in a row that brought nothing new.
    idle: u32,
    /// Pages so far, and a marker from before, to notice a circle.
    pages: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
}

impl Cursor {
    fn start<Q: Query>() -> Self {
        Self {
            list: Q::OPERATION.id.to_owned(),
            at: Q::START,
            given: 0,
            total: None,
            recent: VecDeque::new(),
            idle: 0,
            pages: 0,
            checkpoint: None,
        }
    }

    fn give(&mut self, id: String) {
        self.given += 1;
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(id);
    }

    /// Takes a page: what is new on it, and whether there is another one, to which it moves. A page after which the list
    /// cannot go on is given all the same.
    ///
    /// `before` are the ids of the page before, where that one was read just now.
    fn take<Q: Query>(
        &mut self,
        batch: Batch<Q::Entry>,
        before: &mut Option<Vec<String>>,
    ) -> (Vec<Q::Entry>, Result<bool, Error>) {
        let ids: Vec<String> = batch.entries.iter().map(Q::id).collect();
        let new: Vec<bool> = {
            let mut seen: HashSet<&str> = self.recent.iter().map(String::as_str).collect();
            ids.iter().map(|id| seen.insert(id)).collect()
        };
        let fresh: Vec<Q::Entry> =
            batch.entries.into_iter().zip(&new).filter(|(_, new)| **new).map(|(entry, _)| entry).collect();
        ids.iter().zip(&new).filter(|(_, new)| **new).for_each(|(id, _)| self.give(id.clone()));
        self.pages += 1;
        self.idle = if fresh.is_empty() { self.idle + 1 } else { 0 };
        let more = match batch.then {
            Then::Count { total, size } => self.turn(&ids, fresh.is_empty(), total, size, before.as_ref()),
            Then::Marker(next) => self.follow(next),
            Then::Nothing => Ok(false),
        };
        *before = Some(ids);
        match more {
            Ok(true) if self.idle >= IDLE => {
                (fresh, Err(endless(format!("{IDLE} pages in a row brought nothing new"))))
            }
            more => (fresh, more),
        }
    }

    /// Turns to the next numbered page.
    fn turn(
        &mut self,
        ids: &[String],
        nothing_new: bool,
        total: Option<u64>,
        size: u32,
        before: Option<&Vec<String>>,
    ) -> Result<bool, Error> {
        let page = self.at.page()?;
        let repeated = !ids.is_empty() && before.is_some_and(|before| before == ids);
        let fewer = self.total.zip(total).map_or(0, |(before, now)| before.saturating_sub(now));
        let unchanged = self.total == total;
        self.total = total;
        if self.pages == 1 {
            // Where it did not begin with the first page, what is before counts as given.
            self.given += u64::from(page.saturating_sub(1)) * u64::from(size);
        }
        let Some(total) = total else {
            // Nobody says how much there is: a service that does not turn pages answers the same one again.
            self.at = Position::Page(page.saturating_add(1));
            return Ok(!ids.is_empty() && !repeated);
        };
        // What went may have been given: then it does not count any more.
        self.given = self.given.saturating_sub(fewer);
        if fewer > 0 && page > 1 {
            let back = u32::try_from(fewer.div_ceil(size.into())).unwrap_or(u32::MAX);
            self.at = Position::Page(page.saturating_sub(back).max(1));
            return Ok(total > 0);
        }
        if self.given >= total || (nothing_new && u64::from(page) * u64::from(size) >= total) {
            return Ok(false);
        }
        if repeated && unchanged {
            return Err(endless(format!("page {page} is the one before it")));
        }
        self.at = Position::Page(page.saturating_add(1));
        Ok(true)
    }

    /// Follows the marker to the next page.
    fn follow(&mut self, next: Option<String>) -> Result<bool, Error> {
        let current = self.at.marker()?;
        let Some(next) = next else { return Ok(false) };
        if current == Some(&next) || self.checkpoint.as_ref() == Some(&next) {
            return Err(endless(format!("the marker {next} came before")));
        }
        // Brent's way to notice a circle of any length: keep a marker twice as long as the one before.
        if self.pages.is_power_of_two() {
            self.checkpoint = Some(next.clone());
        }
        self.at = Position::Marker(Some(next));
        Ok(true)
    }
}

fn endless(reason: String) -> Error {
    Error::decode(".".to_owned(), format!("the list repeats itself: {reason}"), b"")
}

/// One page of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries that were on no page before.
    pub entries: Vec<T>,
    /// How many entries all pages hold, where the service says so.
    pub total: Option<u64>,
    /// Where the list goes on; nothing at its end.
    pub cursor: Option<Cursor>,
}

/// The pages of a list, see [`List::pages`].
///
/// After an error it is at its end; [`cursor`](Self::cursor) still says where to go on.
#[must_use = "nothing is sent before it is read"]
pub struct Pages<Q: Query> {
    query: Q,
    cursor: Option<Cursor>,
    /// Ids of the page that was read last.
    before: Option<Vec<String>>,
    fetch: Option<Fetch<Q::Entry>>,
    /// Why it does not go on, to be said after the page before.
    failure: Option<Error>,
    failed: bool,
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Batch<T>, Error>> + Send>>;

impl<Q: Query> Pages<Q> {
    /// The next page; nothing at the end.
    pub async fn try_next(&mut self) -> Result<Option<Page<Q::Entry>>, Error> {
        next(self).await.transpose()
    }

    /// Where the pages go on; nothing at their end.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor.clone()
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Page<Q::Entry>>, Error>> {
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Err(error));
        }
        let Some(cursor) = self.cursor.as_mut().filter(|_| !self.failed) else { return Poll::Ready(Ok(None)) };
        let fetch = self.fetch.get_or_insert_with(|| {
            let (query, at) = (self.query.clone(), cursor.at.clone());
            if cursor.list == Q::OPERATION.id {
                Box::pin(query.fetch(at))
            } else {
                Box::pin(std::future::ready(Err(foreign())))
            }
        });
        let answered = ready!(fetch.as_mut().poll(context));
        self.fetch = None;
        let batch =
            answered.map_err(|error| error.or_operation(Q::OPERATION.id)).inspect_err(|_| self.failed = true)?;
        let (entries, more) = cursor.take::<Q>(batch, &mut self.before);
        let total = cursor.total;
        match more {
            Ok(true) => {}
            Ok(false) => self.cursor = None,
            Err(error) => {
                self.failed = true;
                self.failure = Some(error.or_operation(Q::OPERATION.id));
            }
        }
        Poll::Ready(Ok(Some(Page { entries, total, cursor: self.cursor.clone() })))
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
        let Self { query, cursor, before: _, fetch, failure: _, failed } = self;
        f.debug_struct("Pages")
            .field("query", query)
            .field("cursor", cursor)
            .field("waits", &fetch.is_some())
            .field("failed", failed)
            .finish_non_exhaustive()
    }
}

/// A list of objects: set filters, then read it. Pages are asked for as they are needed.
///
/// It is a [`Stream`] of entries; without another crate, use [`try_next`](Self::try_next) or
/// [`try_collect`](Self::try_collect). After an error it is at its end; [`cursor`](Self::cursor) still says where to go on.
#[derive(Debug)]
#[must_use = "nothing is sent before it is read"]
pub struct List<Q: Query> {
    pages: Pages<Q>,
    /// Of the page that was read last: what is still to be given, and where that page was.
    rest: VecDeque<Q::Entry>,
    here: Option<Cursor>,
}

impl<Q: Query> List<Q> {
    pub(crate) fn new(query: Q) -> Self {
        let pages = Pages {
            query,
            cursor: Some(Cursor::start::<Q>()),
            before: None,
            fetch: None,
            failure: None,
            failed: false,
        };
        Self { pages, rest: VecDeque::new(), here: None }
    }

    /// What is asked for, to set filters on.
    pub(crate) fn query(&mut self) -> &mut Q {
        &mut self.pages.query
    }

    /// Goes on where a list with the same filters was. A cursor of another kind of list is refused.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.pages.cursor = Some(cursor);
        self
    }

    /// Where the list goes on: behind the last entry given. Nothing at its end.
    pub fn cursor(&self) -> Option<Cursor> {
        if self.rest.is_empty() { self.pages.cursor() } else { self.here.clone() }
    }

    /// The list page by page.
    pub fn pages(self) -> Pages<Q> {
        self.pages
    }

    /// The next entry; nothing at the end.
    pub async fn try_next(&mut self) -> Result<Option<Q::Entry>, Error> {
        next(self).await.transpose()
    }

    /// All entries, or the first error.
    pub async fn try_collect<C: Default + Extend<Q::Entry>>(mut self) -> Result<C, Error> {
        let mut entries = C::default();
        while let Some(entry) = self.try_next().await? {
            entries.extend([entry]);
        }
        Ok(entries)
    }
}

impl<Q: Numbered> List<Q> {
    /// Begins with this page, counted from 1; 1 by default.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// // The third page alone:
    /// let page = session.modelarts().training_jobs().list().per_page(50).page(3).pages().try_next().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn page(mut self, page: u32) -> Self {
        self.pages.cursor = Some(Cursor { at: Position::Page(page), ..Cursor::start::<Q>() });
        self
    }
}

impl<Q: Query> Stream for List<Q> {
    type Item = Result<Q::Entry, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(entry) = this.rest.pop_front() {
                if let Some(here) = &mut this.here {
                    here.give(Q::id(&entry));
                }
                return Poll::Ready(Some(Ok(entry)));
            }
            let here = this.pages.cursor();
            match ready!(this.pages.poll_page(context)) {
                Ok(Some(page)) => {
                    this.rest = page.entries.into();
                    // Who reads this page again must notice what went in between.
                    this.here = here.map(|here| Cursor { total: here.total.max(page.total), ..here });
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// The next item of a stream.
pub(crate) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

#[cfg(test)]
mod tests;
