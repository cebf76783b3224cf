//! The clock of the emulator, which can be stopped, accelerated and advanced.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rusqlite::{OptionalExtension, params};

use super::response::Rejection;
use super::store::{Store, Transaction};

/// The clock stops at this time: 9999-01-01T00:00:00Z in milliseconds since the Unix epoch. These APIs have no format for
/// later years, and the rest of that year is left for times in the future, such as the expiry of a token.
const END: i64 = 253_370_764_800_000;
/// The real time in milliseconds by which the stored time is ahead of the clock, so that not every request writes.
const AHEAD: i64 = 1000;
/// The highest speed.
pub(super) const MAX_SCALE: f64 = 1e9;

/// Returns whether the clock can have this speed.
pub(super) fn is_scale(scale: f64) -> bool {
    (0.0..=MAX_SCALE).contains(&scale)
}

/// Virtual time: a point of it, the real instant of that point, and the speed since. The store keeps it, so that an
/// emulator that resumes from a file continues the time.
pub(super) struct Clock {
    hand: Mutex<Hand>,
    /// The time up to which the store covers the clock. A resumed clock starts there at the earliest, even if the machine's
    /// clock was set back.
    kept_to: AtomicI64,
    /// The start of the clock where the store has none.
    start: Start,
}

/// The start of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Start {
    /// Milliseconds since the Unix epoch; the real time if absent.
    pub(super) at: Option<i64>,
    /// Virtual seconds for each real second; the default is 1.
    pub(super) scale: Option<f64>,
}

#[derive(Clone, Copy)]
struct Hand {
    /// Milliseconds since the Unix epoch at `since`.
    at: i64,
    since: Instant,
    /// Virtual seconds for each real second; 0 while the clock is stopped.
    scale: f64,
}

impl Hand {
    fn now(self) -> i64 {
        self.at.saturating_add((self.since.elapsed().as_secs_f64() * self.scale * 1000.0) as i64).clamp(0, END)
    }

    fn scaled(self, scale: f64) -> Self {
        Self { at: self.now(), since: Instant::now(), scale }
    }
}

impl Start {
    fn hand(self) -> Hand {
        Hand { at: self.at.unwrap_or_else(real), since: Instant::now(), scale: self.scale.unwrap_or(1.0) }
    }
}

/// Returns the machine's time in milliseconds since the Unix epoch.
fn real() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

impl Clock {
    /// Opens the clock of a store; a new one starts as `start` says.
    pub(super) fn open(store: &Store, start: Start) -> rusqlite::Result<Self> {
        let hand = store.write(|transaction| {
            let hand = match (kept(transaction)?, start.scale) {
                (None, _) => start.hand(),
                (Some(hand), None) => return Ok(hand),
                (Some(hand), Some(scale)) => hand.scaled(scale),
            };
            keep(transaction, hand)?;
            Ok::<_, rusqlite::Error>(hand)
        })?;
        Ok(Self { hand: Mutex::new(hand), kept_to: AtomicI64::new(i64::MIN), start })
    }

    /// Returns the time in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> i64 {
        self.hand().now()
    }

    /// Returns the time for a response, and covers it in the store: a file that is reopened never shows an earlier time.
    pub(super) fn shown(&self, store: &Store) -> rusqlite::Result<i64> {
        let hand = self.hand();
        let now = hand.now();
        if store.is_file() && hand.scale > 0.0 && now > self.kept_to.load(Ordering::Relaxed) {
            let ahead = Hand { at: now.saturating_add((AHEAD as f64 * hand.scale) as i64).min(END), ..hand };
            store.write(|transaction| write(transaction, ahead.at, real().saturating_add(AHEAD), ahead.scale))?;
            self.kept_to.store(ahead.at, Ordering::Relaxed);
        }
        Ok(now)
    }

    /// Returns the time as a system time.
    pub(super) fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.now()).unwrap_or_default())
    }

    /// Returns the speed: virtual seconds in a real second.
    pub(super) fn scale(&self) -> f64 {
        self.hand().scale
    }

    /// Advances the clock at once, and changes its speed if one is given.
    pub(super) fn change(&self, store: &Store, by: Duration, scale: Option<f64>) -> Result<(), Rejection> {
        store.write(|transaction| {
            let mut hand = self.hand();
            hand = hand.scaled(scale.unwrap_or(hand.scale));
            hand.at = hand.at.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
            if hand.at > END {
                let message = "advance: the clock goes to 9999-01-01T00:00:00Z and not beyond".to_owned();
                return Err(Rejection::Invalid(message));
            }
            keep(transaction, hand)?;
            self.set(hand);
            Ok(())
        })
    }

    /// Starts the clock anew, or continues the time of a store that has been loaded.
    pub(super) fn restart(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let hand = kept(transaction)?.unwrap_or_else(|| self.start.hand());
        keep(transaction, hand)?;
        self.set(hand);
        Ok(())
    }

    fn hand(&self) -> Hand {
        *self.hand.lock()
    }

    fn set(&self, hand: Hand) {
        *self.hand.lock() = hand;
        // The store now covers another time.
        self.kept_to.store(i64::MIN, Ordering::Relaxed);
    }
}

/// Reads the clock of a store. It has gone on since it was written, but never back.
fn kept(transaction: &Transaction<'_>) -> rusqlite::Result<Option<Hand>> {
    let row = transaction
        .query_row("SELECT at, real, scale FROM clock", [], |row| {
            // A snapshot may be hand-written.
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, f64>(2)?.clamp(0.0, MAX_SCALE)))
        })
        .optional()?;
    Ok(row.map(|(at, since, scale)| {
        let passed = real().saturating_sub(since).max(0) as f64 * scale;
        Hand { at: at.saturating_add(passed as i64), since: Instant::now(), scale }
    }))
}

fn keep(transaction: &Transaction<'_>, hand: Hand) -> rusqlite::Result<()> {
    // While the clock is stopped the real time has no meaning, and would differ in each run of the same requests.
    let since = if hand.scale == 0.0 { 0 } else { real() };
    write(transaction, hand.now(), since, hand.scale)
}

/// Stores a virtual time (`at`), its real time and the speed.
fn write(transaction: &Transaction<'_>, at: i64, real: i64, scale: f64) -> rusqlite::Result<()> {
    transaction.execute("REPLACE INTO clock VALUES (1, ?1, ?2, ?3)", params![at, real, scale]).map(|_| ())
}

/// Formats a time of the emulator's clock, in milliseconds since the Unix epoch, for example `2040-01-01T00:00:00Z`.
pub(super) fn iso(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap_or_default().to_string()
}
