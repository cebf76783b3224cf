//! Schedules tasks that wait for the endpoint: while one waits, others run.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;

/// The number of started tasks for each worker: all but one of them may wait for a job of the endpoint.
const STARTED_PER_WORKER: usize = 4;
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Moves the clock of the endpoint on.
pub(super) type Advance = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the tasks of a schedule share.
struct Scheduler {
    permits: Arc<Semaphore>,
    advance: Option<Advance>,
    waiting: Mutex<Waiting>,
}

/// Tasks that wait for a time that passes only when no task runs.
#[derive(Default)]
struct Waiting {
    now: Duration,
    count: u64,
    by_time: BTreeMap<(Duration, u64), oneshot::Sender<OwnedSemaphorePermit>>,
}

/// The right of a task to run.
pub(super) struct Slot {
    scheduler: Arc<Scheduler>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Slot {
    /// Yields to other tasks for a time.
    pub(super) async fn wait(&mut self, time: Duration) {
        if self.scheduler.advance.is_none() {
            self.permit = None;
            tokio::time::sleep(time).await;
            self.permit = Arc::clone(&self.scheduler.permits).acquire_owned().await.ok();
            return;
        }
        let (wake, woken) = oneshot::channel();
        {
            let mut waiting = self.scheduler.waiting();
            waiting.count += 1;
            let place = (waiting.now + time, waiting.count);
            waiting.by_time.insert(place, wake);
        }
        // Only now, since the scheduler wakes the first waiting task as soon as no task runs.
        self.permit = None;
        self.permit = woken.await.ok();
    }
}

impl Scheduler {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock to the time for which the first task waits, and lets that task run.
    async fn wake(&self, mut all: OwnedSemaphorePermit) {
        let (by, wake) = {
            let mut waiting = self.waiting();
            let Some(((at, _), wake)) = waiting.by_time.pop_first() else { return };
            let by = at.saturating_sub(waiting.now);
            waiting.now += by;
            (by, wake)
        };
        if let Some(advance) = &self.advance {
            advance(by).await;
        }
        if let Some(permit) = all.split(1) {
            // A task that was aborted meanwhile does not receive it.
            let _ = wake.send(permit);
        }
    }
}

/// Runs a task for each item, with a number of workers. Where the endpoint's clock can be moved, waiting takes no time:
/// as soon as all tasks wait, the clock moves to the time for which the first one waits.
pub(super) async fn each<I, T, F>(
    workers: usize,
    advance: Option<Advance>,
    mut items: impl Iterator<Item = I>,
    act: impl Fn(I, Slot) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = (T, Slot)> + Send + 'static,
{
    let all = u32::try_from(workers).unwrap_or(u32::MAX);
    let can_wait = advance.is_some();
    let scheduler =
        Arc::new(Scheduler { permits: Arc::new(Semaphore::new(workers)), advance, waiting: Mutex::default() });
    let (mut tasks, mut results, mut more) = (JoinSet::<(T, Slot)>::new(), Vec::new(), true);
    loop {
        let may_begin = more && tasks.len() < workers.saturating_mul(STARTED_PER_WORKER);
        tokio::select! {
            biased;
            // A task returns its slot here: once all permits are free, all remaining tasks wait.
            // Tasks catch their own panics. A task that was aborted has no result.
            Some(done) = tasks.join_next() => results.extend(done.ok().map(|(result, _)| result)),
            Ok(permit) = Arc::clone(&scheduler.permits).acquire_owned(), if may_begin => match items.next() {
                Some(item) => {
                    tasks.spawn(act(item, Slot { scheduler: Arc::clone(&scheduler), permit: Some(permit) }));
                }
                None => more = false,
            },
            Ok(permits) = Arc::clone(&scheduler.permits).acquire_many_owned(all), if can_wait && !may_begin && !tasks.is_empty() => {
                scheduler.wake(permits).await;
            }
            else => return results,
        }
    }
}

/// Returns longer and longer waits, which add up to the patience.
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
        let done = each(1, Some(advance), [3600, 60, 1800].into_iter(), |time, mut slot| {
            let seen = Arc::clone(&seen);
            async move {
                seen.lock().unwrap().push(format!("{time} begins"));
                slot.wait(Duration::from_secs(time)).await;
                seen.lock().unwrap().push(format!("{time} ends"));
                (time, slot)
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
        let done = each(1, None, [true, false].into_iter(), |waits, mut slot| {
            let came = Arc::clone(&came);
            async move {
                if !waits {
                    came.add_permits(1);
                }
                // This loop has no end if the other task does not run meanwhile.
                while came.available_permits() == 0 {
                    slot.wait(Duration::from_millis(1)).await;
                }
                (waits, slot)
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
