//! Tests of lists that change while they are read, and of services with wrong responses.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::api::{modelarts, mrs};

type Ids = Arc<Mutex<Vec<u32>>>;
/// A change of the list when a page is requested.
type Happens = Arc<Mutex<dyn FnMut(&mut Vec<u32>, &Position) + Send>>;

#[derive(Clone)]
struct Pretended {
    ids: Ids,
    happens: Happens,
    size: u32,
}

impl fmt::Debug for Pretended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pretended")
    }
}

impl Query for Pretended {
    type Entry = u32;
    const OPERATION: &'static Operation = &modelarts::operations::LIST_TRAINING_JOBS;

    fn id(entry: &u32) -> String {
        entry.to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
        let mut ids = self.ids.lock().unwrap();
        (self.happens.lock().unwrap())(&mut ids, &at);
        let from = (at.number(Self::OPERATION)? as usize - 1) * self.size as usize;
        let page = ids.iter().skip(from).take(self.size as usize).copied().collect();
        Ok(Batch::numbered(page, Some((ids.len() as i64).into()), Some(self.size)))
    }
}

/// The number of a page, from 1.
fn page(at: &Position) -> u32 {
    match at {
        Position::Page(page) => *page,
        at => panic!("no page: {at:?}"),
    }
}

fn list(ids: Vec<u32>, size: u32, happens: impl FnMut(&mut Vec<u32>, &Position) + Send + 'static) -> List<Pretended> {
    List::new(Pretended { ids: Arc::new(Mutex::new(ids)), happens: Arc::new(Mutex::new(happens)), size })
}

#[derive(Clone, Debug)]
enum Change {
    Nothing,
    /// This number of entries is inserted at the front.
    Come(u32),
    /// The entry at this place is deleted.
    Go(usize),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_there_all_the_time_is_given_once(
        length in 0..60_u32,
        size in 1..12_u32,
        changes in proptest::collection::vec(prop_oneof![
            3 => Just(Change::Nothing),
            1 => (1..30_u32).prop_map(Change::Come),
            2 => (0..60_usize).prop_map(Change::Go),
        ], 0..40),
        stop in proptest::option::of(0..40_usize),
    ) {
        read_while_it_changes(length, size, changes, stop)?;
    }
}

#[test]
fn what_went_from_the_first_page_does_not_count_as_given() {
    use Change::*;
    let changes = vec![Nothing, Nothing, Nothing, Come(18), Go(18), Go(18), Go(18), Go(10)];
    read_while_it_changes(24, 10, changes, Some(1)).unwrap();
    // The returned entry is deleted before its page is read again.
    read_while_it_changes(35, 11, vec![Nothing, Go(0)], Some(1)).unwrap();
}

/// No entry that exists all the time is lost or repeated, also if the reader stops and resumes later.
fn read_while_it_changes(
    length: u32,
    size: u32,
    changes: Vec<Change>,
    stop: Option<usize>,
) -> Result<(), TestCaseError> {
    let ids: Vec<u32> = (1000..1000 + length).collect();
    let gone = Arc::new(Mutex::new(BTreeSet::new()));
    let (mut changes, mut next, record) = (changes.into_iter(), 0, Arc::clone(&gone));
    let mut entries = list(ids.clone(), size, move |ids, _| match changes.next() {
        Some(Change::Come(count)) => {
            let new: Vec<u32> = (next..next + count).collect();
            next += count;
            ids.splice(0..0, new);
        }
        Some(Change::Go(place)) if place < ids.len() => {
            record.lock().unwrap().insert(ids.remove(place));
        }
        _ => {}
    });
    let given: Vec<u32> = futures(async {
        let mut given = Vec::new();
        if let Some(stop) = stop {
            while given.len() < stop
                && let Some(entry) = entries.try_next().await.unwrap()
            {
                given.push(entry);
            }
            // The cursor is stored as text and resumed.
            let kept = serde_json::to_string(&entries.cursor()).unwrap();
            let Some(cursor) = serde_json::from_str(&kept).unwrap() else { return given };
            entries = List::new(entries.pages.query.clone()).resume(cursor);
        }
        given.extend(entries.try_collect::<Vec<_>>().await.unwrap());
        given
    });
    let distinct: BTreeSet<u32> = given.iter().copied().collect();
    prop_assert_eq!(distinct.len(), given.len(), "given twice: {:?}", given);
    let gone = gone.lock().unwrap();
    let lost: Vec<&u32> = ids.iter().filter(|id| !gone.contains(id) && !distinct.contains(id)).collect();
    prop_assert!(lost.is_empty(), "lost {:?} of {:?}", lost, given);
    Ok(())
}

fn futures<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A service that returns given pages.
#[derive(Clone, Debug)]
struct Told {
    answers: Arc<dyn Answers>,
    asked: Arc<Mutex<Vec<Position>>>,
}

trait Answers: fmt::Debug + Send + Sync {
    fn answer(&self, at: &Position) -> Batch<u32>;
}

struct Says<F>(F);

impl<F> fmt::Debug for Says<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Says")
    }
}

impl<F: Fn(&Position) -> Batch<u32> + Send + Sync> Answers for Says<F> {
    fn answer(&self, at: &Position) -> Batch<u32> {
        self.0(at)
    }
}

impl Query for Told {
    type Entry = u32;
    const OPERATION: &'static Operation = &mrs::operations::LIST_JOBS;

    fn id(entry: &u32) -> String {
        entry.to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
        self.asked.lock().unwrap().push(at.clone());
        Ok(self.answers.answer(&at))
    }
}

/// Tests a list whose pages have numbers.
#[derive(Clone, Debug)]
struct Counted(Told);

impl Query for Counted {
    type Entry = u32;
    const OPERATION: &'static Operation = &modelarts::operations::LIST_TRAINING_JOBS;

    fn id(entry: &u32) -> String {
        entry.to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
        self.0.fetch(at).await
    }
}

impl Numbered for Counted {}

/// Tests the list whose number may count items.
#[derive(Clone, Debug)]
struct Ambiguous(Told);

impl Query for Ambiguous {
    type Entry = u32;
    const OPERATION: &'static Operation = &modelarts::operations::LIST_ANNOTATION_JOBS;

    fn id(entry: &u32) -> String {
        entry.to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
        self.0.fetch(at).await
    }
}

/// The entries of a list, its end, and the requests.
fn told(
    start: Position,
    answers: impl Fn(&Position) -> Batch<u32> + Send + Sync + 'static,
) -> (Vec<u32>, Option<Error>, Vec<Position>) {
    let asked = Arc::default();
    let told = Told { answers: Arc::new(Says(answers)), asked: Arc::clone(&asked) };
    let (given, failure) = match start {
        Position::Marker(_) => drained(List::new(told)),
        _ => drained(List::new(Counted(told))),
    };
    let asked = asked.lock().unwrap().clone();
    (given, failure, asked)
}

fn drained<Q: Query<Entry = u32>>(mut list: List<Q>) -> (Vec<u32>, Option<Error>) {
    let (mut given, mut failure) = (Vec::new(), None);
    futures(async {
        loop {
            match list.try_next().await {
                Ok(Some(entry)) => given.push(entry),
                Ok(None) => break,
                Err(error) => {
                    assert!(list.cursor().is_some(), "after an error it can be resumed");
                    assert!(list.try_next().await.unwrap().is_none(), "after an error it is at its end");
                    failure = Some(error);
                    break;
                }
            }
        }
    });
    (given, failure)
}

fn total(count: i64) -> Option<Integer> {
    Some(count.into())
}

#[test]
fn an_empty_page_in_the_middle_ends_nothing() {
    let (given, failure, asked) = told(Position::Page(1), |at| match page(at) {
        1 => Batch::numbered(vec![1, 2], total(6), Some(2)),
        2 => Batch::numbered(vec![], total(6), Some(2)),
        3 => Batch::numbered(vec![5, 6], total(6), Some(2)),
        _ => Batch::numbered(vec![], total(6), Some(2)),
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), (vec![1, 2, 5, 6], 4));

    let (given, failure, _) = told(Position::Marker(None), |at| match at.marker().unwrap() {
        None => Batch::marked(vec![1], Some("a".to_owned())),
        Some("a") => Batch::marked(vec![], Some("b".to_owned())),
        Some(_) => Batch::marked(vec![2], None),
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(given, [1, 2]);
}

#[test]
fn pages_may_be_smaller_than_asked_for() {
    let (given, failure, asked) = told(Position::Page(1), |at| {
        let from = (page(at) - 1) * 3;
        Batch::numbered((from..8.min(from + 3)).collect(), total(8), Some(1000))
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), ((0..8).collect(), 3));
}

#[test]
fn what_repeats_itself_is_an_error_and_no_loop() {
    type Answer = Box<dyn Fn(&Position) -> Batch<u32> + Send + Sync>;
    let cases: [(&str, Position, Answer, Vec<u32>, usize); 4] = [
        (
            "the page number is ignored",
            Position::Page(1),
            Box::new(|_| Batch::numbered(vec![1, 2], total(100), Some(2))),
            vec![1, 2],
            2,
        ),
        (
            "the marker is its own successor",
            Position::Marker(None),
            Box::new(|at| Batch::marked(vec![at.marker().unwrap().map_or(0, |_| 1)], Some("a".to_owned()))),
            vec![0, 1],
            2,
        ),
        (
            "the markers go in a circle",
            Position::Marker(None),
            Box::new(|at| {
                let place: u32 = at.marker().unwrap().map_or(0, |marker| marker.parse().unwrap());
                Batch::marked(vec![place], Some(((place + 1) % 5).to_string()))
            }),
            vec![0, 1, 2, 3, 4],
            13,
        ),
        (
            "new markers for ever",
            Position::Marker(None),
            Box::new(|at| {
                let place: u64 = at.marker().unwrap().map_or(0, |marker| marker.parse().unwrap());
                Batch::marked(vec![], Some((place + 1).to_string()))
            }),
            vec![],
            IDLE as usize,
        ),
    ];
    for (name, start, answers, expected, requests) in cases {
        let (given, failure, asked) = told(start, answers);
        let error = failure.unwrap_or_else(|| panic!("{name}: no error"));
        assert_eq!(error.kind(), crate::ErrorKind::Service, "{name}");
        assert!(error.to_string().contains("the service repeats pages"), "{name}: {error}");
        assert!(matches!(error.operation(), Some("list_jobs" | "list_training_jobs")), "{name}");
        assert_eq!(given, expected, "{name}");
        assert!(asked.len() <= requests, "{name}: {} requests", asked.len());
    }
}

#[test]
fn without_a_count_the_list_ends_where_nothing_new_comes() {
    let (given, failure, asked) = told(Position::Page(1), |at| {
        let page = page(at);
        Batch::numbered(if page < 4 { vec![page] } else { vec![] }, None, Some(1))
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), (vec![1, 2, 3], 4));
    // A service that ignores page numbers has returned everything with the first page.
    let (given, failure, asked) = told(Position::Page(1), |_| Batch::numbered(vec![1, 2, 3], None, Some(1)));
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), (vec![1, 2, 3], 2));
}

#[test]
fn a_count_beyond_all_bounds_ends_with_the_entries() {
    let (given, failure, asked) = told(Position::Page(1), |at| {
        let page = page(at);
        Batch::numbered(if page == 1 { vec![1, 2] } else { vec![] }, total(i64::MAX), Some(2))
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), (vec![1, 2], 1 + IDLE as usize));
}

/// The meaning of a page number for a service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Counts {
    Pages,
    PagesFromOne,
    Items,
}

/// The total count of a service, computed from the real total, the entries of the page, and the entries before it.
type Total = fn(usize, usize, usize) -> Option<i64>;

const TOTALS: [(&str, Total); 9] = [
    ("right", |all, _, _| Some(all as i64)),
    ("none", |_, _, _| None),
    ("0", |_, _, _| Some(0)),
    ("too few", |all, _, _| Some(all as i64 - 1)),
    ("too many", |all, _, _| Some(all as i64 + 1)),
    ("twice", |all, _, _| Some(2 * all as i64)),
    ("far too many", |_, _, _| Some(999_999)),
    ("of the page", |_, here, _| Some(here as i64)),
    ("what is left", |all, _, before| Some((all - before.min(all)) as i64)),
];

#[test]
fn whatever_a_service_counts_each_entry_comes_once() {
    for counts in [Counts::Pages, Counts::PagesFromOne, Counts::Items] {
        for (says, total) in TOTALS {
            for size in [1, 2, 3, 7, 10] {
                for all in [0, 1, 2, 7, 10, 15, 25, 30] {
                    for stop in [None, Some(1), Some(all / 2)] {
                        each_comes_once(counts, (says, total), size, all, stop);
                    }
                }
            }
        }
    }
}

fn each_comes_once(counts: Counts, (says, total): (&str, Total), size: usize, all: usize, stop: Option<usize>) {
    let asked: Arc<Mutex<Vec<Position>>> = Arc::default();
    let answer = move |at: &Position| {
        let number = at.number(Ambiguous::OPERATION).unwrap() as usize;
        let from = match counts {
            Counts::Pages => number * size,
            Counts::PagesFromOne => number.saturating_sub(1) * size,
            Counts::Items => number,
        };
        let page: Vec<u32> = (0..all as u32).skip(from).take(size).collect();
        let total = total(all, page.len(), from).map(Integer::from);
        Batch::numbered(page, total, Some(size as u32))
    };
    let query = Ambiguous(Told { answers: Arc::new(Says(answer)), asked: Arc::clone(&asked) });
    let place = format!("{counts:?}, total {says}, size {size}, {all} entries, stop {stop:?}");
    let given: Vec<u32> = futures(async {
        let (mut list, mut given) = (List::new(query.clone()), Vec::new());
        if let Some(stop) = stop {
            while given.len() < stop
                && let Some(entry) = list.try_next().await.unwrap_or_else(|error| panic!("{place}: {error}"))
            {
                given.push(entry);
            }
            let kept = serde_json::to_string(&list.cursor()).unwrap();
            let Some(cursor) = serde_json::from_str(&kept).unwrap() else { return given };
            list = List::new(query).resume(cursor);
        }
        given.extend(list.try_collect::<Vec<_>>().await.unwrap_or_else(|error| panic!("{place}: {error}")));
        given
    });
    let requests = asked.lock().unwrap().len();
    assert_eq!(given, (0..all as u32).collect::<Vec<_>>(), "{place}");
    if says == "right" && stop.is_none() && size > 3 {
        let pages = all / size + 1;
        let allowed = if counts == Counts::Pages { pages } else { 2 * pages + 3 };
        assert!(requests <= allowed, "{place}: {requests} requests");
    }
}

/// Two insertions between two requests look like a service that counts items; nothing is skipped nevertheless.
#[test]
fn insertions_are_not_taken_for_another_way_of_counting() {
    let calls = Arc::new(Mutex::new(0));
    let answer = move |at: &Position| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        let new = if *calls == 1 { 100..100 } else { 100..101 };
        let number = at.number(Ambiguous::OPERATION).unwrap() as usize;
        Batch::numbered(new.chain(0..9).skip(number * 2).take(2).collect(), None, Some(2))
    };
    let (mut given, failure) =
        drained(List::new(Ambiguous(Told { answers: Arc::new(Says(answer)), asked: Arc::default() })));
    given.sort_unstable();
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(given, (0..9).collect::<Vec<_>>());
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let cursor = Walk::new(Told::OPERATION).cursor;
    let error = futures(list(vec![1], 1, |_, _| {}).resume(cursor).try_next()).unwrap_err();
    assert_eq!(error.field(), Some("cursor"), "{error}");
    // A cursor of this list that points into the other kind does no harm either.
    let mut cursor = Walk::new(Pretended::OPERATION).cursor;
    cursor.at = Position::Marker(None);
    let error = futures(list(vec![1], 1, |_, _| {}).resume(cursor).try_next()).unwrap_err();
    assert!(error.is_invalid_request(), "{error}");
}

#[test]
fn a_list_may_begin_in_the_middle() {
    let asked = Arc::default();
    let answer = |at: &Position| {
        let from = (page(at) - 1) * 10;
        Batch::numbered((from..30.min(from + 10)).collect(), total(30), Some(10))
    };
    let query = Counted(Told { answers: Arc::new(Says(answer)), asked: Arc::clone(&asked) });
    let given: Vec<u32> = futures(List::new(query).page(2).try_collect()).unwrap();
    assert_eq!(given, (10..30).collect::<Vec<_>>());
    let asked: Vec<Position> = asked.lock().unwrap().clone();
    assert_eq!(asked, [2, 3, 4].map(Position::Page));
}

#[test]
fn a_cursor_in_a_large_page_returns_nothing_twice() {
    let mut entries = list((0..6000).collect(), 5000, |_, _| {});
    futures(async {
        for _ in 0..4000 {
            entries.try_next().await.unwrap();
        }
    });
    let cursor = entries.cursor().unwrap();
    let rest = futures(List::new(entries.pages.query.clone()).resume(cursor).try_collect::<Vec<_>>()).unwrap();
    assert_eq!(rest, (4000..6000).collect::<Vec<_>>());
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut entries = list((0..10_000).collect(), 1000, |_, _| {});
    futures(async { while entries.try_next().await.unwrap().is_some_and(|entry| entry < 8500) {} });
    let cursor = entries.cursor().unwrap();
    assert!(cursor.recent.order.len() <= REMEMBERED);
    assert!(serde_json::to_string(&cursor).unwrap().len() < 20_000);
}
