//! Lists that change while they are read, and services that answer them badly.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::api::{modelarts, mrs};

type Ids = Arc<Mutex<Vec<u32>>>;
/// What happens to the list when a page is asked for.
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
    const START: Position = Position::Page(1);

    fn id(entry: &u32) -> String {
        entry.to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
        let mut ids = self.ids.lock().unwrap();
        (self.happens.lock().unwrap())(&mut ids, &at);
        let from = (at.page()? as usize - 1) * self.size as usize;
        let page = ids.iter().skip(from).take(self.size as usize).copied().collect();
        Ok(Batch::numbered(page, Some((ids.len() as i64).into()), self.size))
    }
}

fn list(ids: Vec<u32>, size: u32, happens: impl FnMut(&mut Vec<u32>, &Position) + Send + 'static) -> List<Pretended> {
    List::new(Pretended { ids: Arc::new(Mutex::new(ids)), happens: Arc::new(Mutex::new(happens)), size })
}

#[derive(Clone, Debug)]
enum Change {
    Nothing,
    /// So many come to the front.
    Come(u32),
    /// The one at this place goes.
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
    // The one that was given goes before its page is read again.
    read_while_it_changes(35, 11, vec![Nothing, Go(0)], Some(1)).unwrap();
}

/// Nothing that is there all the time is lost or given twice, also when the reader stops once and goes on later.
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
            // Kept as text and read on from there.
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

/// Answers what it is told to, page after page.
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
    const START: Position = Position::Marker(None);

    fn id(entry: &u32) -> String {
        entry.to_string()
    }

    async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
        self.asked.lock().unwrap().push(at.clone());
        Ok(self.answers.answer(&at))
    }
}

/// What a list gives and how it ends, and what was asked for.
fn told(
    start: Position,
    answers: impl Fn(&Position) -> Batch<u32> + Send + Sync + 'static,
) -> (Vec<u32>, Option<Error>, Vec<Position>) {
    let asked = Arc::default();
    let mut list = List::new(Told { answers: Arc::new(Says(answers)), asked: Arc::clone(&asked) });
    list = list.resume(Cursor { at: start, ..Cursor::start::<Told>() });
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
    let asked = asked.lock().unwrap().clone();
    (given, failure, asked)
}

fn total(count: i64) -> Option<Integer> {
    Some(count.into())
}

#[test]
fn an_empty_page_in_the_middle_ends_nothing() {
    let (given, failure, asked) = told(Position::Page(1), |at| match at.page().unwrap() {
        1 => Batch::numbered(vec![1, 2], total(6), 2),
        2 => Batch::numbered(vec![], total(6), 2),
        3 => Batch::numbered(vec![5, 6], total(6), 2),
        _ => Batch::numbered(vec![], total(6), 2),
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
        let from = (at.page().unwrap() - 1) * 3;
        Batch::numbered((from..8.min(from + 3)).collect(), total(8), 1000)
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), ((0..8).collect(), 3));
}

#[test]
fn what_repeats_itself_is_an_error_and_no_loop() {
    type Answer = Box<dyn Fn(&Position) -> Batch<u32> + Send + Sync>;
    let cases: [(&str, Position, Answer, Vec<u32>, usize); 6] = [
        (
            "the page number is ignored",
            Position::Page(1),
            Box::new(|_| Batch::numbered(vec![1, 2], total(100), 2)),
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
        (
            "a count beyond all bounds",
            Position::Page(1),
            Box::new(|_| Batch::numbered(vec![], total(i64::MAX), 10)),
            vec![],
            IDLE as usize,
        ),
        (
            "a count that goes up and down",
            Position::Page(1),
            Box::new(|at| Batch::numbered(vec![1], total(i64::from(at.page().unwrap() % 2 * 50 + 100)), 10)),
            vec![1],
            IDLE as usize + 1,
        ),
    ];
    for (name, start, answers, expected, requests) in cases {
        let (given, failure, asked) = told(start, answers);
        let error = failure.unwrap_or_else(|| panic!("{name}: no error"));
        assert_eq!(error.kind(), crate::ErrorKind::Decode, "{name}");
        assert!(error.to_string().contains("repeats itself"), "{name}: {error}");
        assert_eq!(error.operation(), Some("list_jobs"), "{name}");
        assert_eq!(given, expected, "{name}");
        assert!(asked.len() <= requests, "{name}: {} requests", asked.len());
    }
}

#[test]
fn without_a_count_the_list_ends_where_nothing_new_comes() {
    let (given, failure, asked) = told(Position::Page(1), |at| {
        let page = at.page().unwrap();
        Batch::numbered(if page < 4 { vec![page] } else { vec![] }, None, 1)
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), (vec![1, 2, 3], 4));
    // A service that does not turn pages has said everything at once.
    let (given, failure, asked) = told(Position::Page(1), |_| Batch::numbered(vec![1, 2, 3], None, 1));
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!((given, asked.len()), (vec![1, 2, 3], 2));
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let cursor = Cursor::start::<Told>();
    let error = futures(list(vec![1], 1, |_, _| {}).resume(cursor).try_next()).unwrap_err();
    assert_eq!(error.field(), Some("cursor"), "{error}");
    // Nor does one of this list that points into the other kind do harm.
    let mut cursor = Cursor::start::<Pretended>();
    cursor.at = Position::Marker(None);
    let error = futures(list(vec![1], 1, |_, _| {}).resume(cursor).try_next()).unwrap_err();
    assert!(error.is_invalid_request(), "{error}");
}

#[test]
fn a_list_may_begin_in_the_middle() {
    #[derive(Clone, Debug)]
    struct Counted;
    impl Query for Counted {
        type Entry = u32;
        const OPERATION: &'static Operation = &modelarts::operations::LIST_TRAINING_JOBS;
        const START: Position = Position::Page(1);

        fn id(entry: &u32) -> String {
            entry.to_string()
        }

        async fn fetch(self, at: Position) -> Result<Batch<u32>, Error> {
            let from = (at.page()? - 1) * 10;
            assert!(from < 30, "asked for more than there is");
            Ok(Batch::numbered((from..from + 10).collect(), total(30), 10))
        }
    }
    impl Numbered for Counted {}
    let given: Vec<u32> = futures(List::new(Counted).page(2).try_collect()).unwrap();
    assert_eq!(given, (10..30).collect::<Vec<_>>());
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut entries = list((0..10_000).collect(), 1000, |_, _| {});
    futures(async { while entries.try_next().await.unwrap().is_some_and(|entry| entry < 8500) {} });
    let cursor = entries.cursor().unwrap();
    assert_eq!(cursor.recent.len(), REMEMBERED);
    assert!(serde_json::to_string(&cursor).unwrap().len() < 20_000);
}
