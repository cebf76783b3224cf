//! Who works, and who waits until the endpoint has moved on.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;

/// So many times as many may be on their way as work: each may have a job at the endpoint that it waits for.
const ON_THE_WAY: usize = 4;
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Moves the endpoint's time on.
pub(super) type Advance = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What all that is done together shares.
struct Turns {
    slots: Arc<Semaphore>,
    advance: Option<Advance>,
    sleepers: Mutex<Sleepers>,
}

/// Those who wait for a time that passes only when nobody works.
#[derive(Default)]
struct Sleepers {
    now: Duration,
    count: u64,
    by_time: BTreeMap<(Duration, u64), oneshot::Sender<OwnedSemaphorePermit>>,
}

/// The right to work.
pub(super) struct Turn {
    turns: Arc<Turns>,
    slot: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Lets others work for a while.
    pub(super) async fn wait(&mut self, time: Duration) {
        if self.turns.advance.is_none() {
            self.slot = None;
            tokio::time::sleep(time).await;
            self.slot = Arc::clone(&self.turns.slots).acquire_owned().await.ok();
            return;
        }
        let (wake, woken) = oneshot::channel();
        {
            let mut sleepers = self.turns.sleepers();
            sleepers.count += 1;
            let place = (sleepers.now + time, sleepers.count);
            sleepers.by_time.insert(place, wake);
        }
        // Only now: whoever sees that nobody works has to find who waits.
        self.slot = None;
        self.slot = woken.await.ok();
    }
}

impl Turns {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves time on to where the first of those who wait goes on, and lets it work.
    async fn wake(&self, mut all: OwnedSemaphorePermit) {
        let (by, wake) = {
            let mut sleepers = self.sleepers();
            let Some(((at, _), wake)) = sleepers.by_time.pop_first() else { return };
            let by = at.saturating_sub(sleepers.now);
            sleepers.now += by;
            (by, wake)
        };
        if let Some(advance) = &self.advance {
            advance(by).await;
        }
        if let Some(slot) = all.split(1) {
            // Whoever was cut off meanwhile needs it no more.
            let _ = wake.send(slot);
        }
    }
}

/// Does something with each item, with so many working at a time. Where the endpoint's time can be moved on, waiting takes
/// none: as soon as all wait, it is the time at which the first one goes on.
pub(super) async fn each<I, T, F>(
    workers: usize,
    advance: Option<Advance>,
    mut items: impl Iterator<Item = I>,
    act: impl Fn(I, Turn) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = (T, Turn)> + Send + 'static,
{
    let all = u32::try_from(workers).unwrap_or(u32::MAX);
    let can_wait = advance.is_some();
    let turns = Arc::new(Turns { slots: Arc::new(Semaphore::new(workers)), advance, sleepers: Mutex::default() });
    let (mut tasks, mut results, mut more) = (JoinSet::<(T, Turn)>::new(), Vec::new(), true);
    loop {
        let may_begin = more && tasks.len() < workers.saturating_mul(ON_THE_WAY);
        tokio::select! {
            biased;
            // A turn ends here, so that nobody works means that all who are left wait.
            // Whoever acts catches its own panics; of what was cut off there is no result.
            Some(done) = tasks.join_next() => results.extend(done.ok().map(|(result, _)| result)),
            Ok(slot) = Arc::clone(&turns.slots).acquire_owned(), if may_begin => match items.next() {
                Some(item) => {
                    tasks.spawn(act(item, Turn { turns: Arc::clone(&turns), slot: Some(slot) }));
                }
                None => more = false,
            },
            Ok(slots) = Arc::clone(&turns.slots).acquire_many_owned(all), if can_wait && !may_begin && !tasks.is_empty() => {
                turns.wake(slots).await;
            }
            else => return results,
        }
    }
}

/// Longer and longer waits, so much in all.
pub(super) fn waits(patience: Duration) -> impl Iterator<Item = Duration> {
    let mut left = patience;
    std::iter::successors(Some(FIRST_WAIT), |wait| Some((*wait * 2).min(LONGEST_WAIT))).map_while(move |wait| {
        let wait = wait.min(left);
        left -= wait;
        (!wait.is_zero()).then_some(wait)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_moves_on_when_all_wait_and_no_further_than_to_the_first_of_them() {
        let (seen, moved) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let advance: Advance = {
            let moved = Arc::clone(&moved);
            Arc::new(move |by| {
                moved.lock().unwrap().push(by.as_secs());
                Box::pin(std::future::ready(()))
            })
        };
        let done = each(1, Some(advance), [3600, 60, 1800].into_iter(), |time, mut turn| {
            let seen = Arc::clone(&seen);
            async move {
                seen.lock().unwrap().push(format!("{time} begins"));
                turn.wait(Duration::from_secs(time)).await;
                seen.lock().unwrap().push(format!("{time} ends"));
                (time, turn)
            }
        });
        assert_eq!(done.await, [60, 1800, 3600]);
        let expected = ["3600 begins", "60 begins", "1800 begins", "60 ends", "1800 ends", "3600 ends"];
        assert_eq!(*seen.lock().unwrap(), expected);
        assert_eq!(*moved.lock().unwrap(), [60, 1740, 1800]);
    }

    #[tokio::test]
    async fn whoever_waits_for_real_lets_another_one_work() {
        let came = Arc::new(Semaphore::new(0));
        let done = each(1, None, [true, false].into_iter(), |waits, mut turn| {
            let came = Arc::clone(&came);
            async move {
                if !waits {
                    came.add_permits(1);
                }
                // Without end if the other one gets no turn meanwhile.
                while came.available_permits() == 0 {
                    turn.wait(Duration::from_millis(1)).await;
                }
                (waits, turn)
            }
        });
        assert_eq!(done.await.len(), 2);
    }

    #[test]
    fn waits_grow_and_keep_to_the_patience() {
        let all: Vec<_> = waits(Duration::from_secs(60)).collect();
        assert_eq!((all[0], all[1]), (FIRST_WAIT, FIRST_WAIT * 2));
        assert_eq!(all.iter().sum::<Duration>(), Duration::from_secs(60));
        assert!(all.iter().all(|wait| *wait <= LONGEST_WAIT));
        assert_eq!(waits(Duration::ZERO).next(), None);
    }
}
