//! The state, in SQLite: one code path for memory and for a file.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// What the tables are. Ids of training and visualization jobs are numbers, the others texts, as in the documents.
const SCHEMA: &str = "
    CREATE TABLE sequence (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE training_job (
        project_id TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
        workspace_id TEXT NOT NULL, created INTEGER NOT NULL,
        PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE training_job_version (
        project_id TEXT NOT NULL, job_id INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
        status INTEGER NOT NULL, created INTEGER NOT NULL, duration INTEGER NOT NULL, resource_id TEXT NOT NULL,
        config TEXT NOT NULL,
        PRIMARY KEY (project_id, job_id, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE visualization_job (
        project_id TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
        train_url TEXT NOT NULL, status INTEGER NOT NULL, created INTEGER NOT NULL, duration INTEGER NOT NULL,
        resource_id TEXT NOT NULL,
        PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE labeling_job (
        project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, description TEXT, data_type TEXT NOT NULL,
        path TEXT, filter_id TEXT, type TEXT NOT NULL, created INTEGER NOT NULL,
        PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE job_binary (
        project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, description TEXT NOT NULL,
        is_public INTEGER, is_protected INTEGER,
        PRIMARY KEY (project_id, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE job (
        project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL,
        mains TEXT NOT NULL, libs TEXT NOT NULL, interface TEXT NOT NULL, is_public INTEGER NOT NULL,
        is_protected INTEGER NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,
        PRIMARY KEY (project_id, id)
    ) STRICT, WITHOUT ROWID;
";

/// The one connection; SQLite has one writer at a time anyway.
pub(super) struct Store(Mutex<Connection>);

impl Store {
    /// An empty store that ends with the emulator.
    pub(super) fn in_memory() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(SCHEMA)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self(Mutex::new(connection)))
    }

    /// Runs one request: all of what it does is kept, or nothing.
    pub(super) fn write<T, E: From<rusqlite::Error>>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // A panicking request has rolled back; the connection itself is sound.
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = act(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }
}

/// The next number of a sequence; the first is 1.
pub(super) fn next(transaction: &Transaction<'_>, sequence: &str) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO sequence VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last",
        )?
        .query_row([sequence], |row| row.get(0))
}

/// Makes a sequence go on after a number.
pub(super) fn skip(transaction: &Transaction<'_>, sequence: &str, past: i64) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO sequence VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET last = max(last, ?2)",
        params![sequence, past],
    )?;
    Ok(())
}

/// An id in the form that the documents print, the same for the same sequence of calls.
pub(super) fn next_id(transaction: &Transaction<'_>) -> rusqlite::Result<String> {
    let number = next(transaction, "id")?;
    let (high, low) = (scramble(number as u64), scramble(!(number as u64)));
    // Version and variant bits of a random UUID.
    Ok(format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        0x8000 | low >> 48 & 0x3fff,
        low & 0xffff_ffff_ffff
    ))
}

/// The finalizer of SplitMix64: one to one, so ids never repeat.
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Whether a name is taken in a table of this schema.
pub(super) fn taken(
    transaction: &Transaction<'_>,
    table: &'static str,
    project: &str,
    name: &str,
) -> rusqlite::Result<bool> {
    let query = format!("SELECT 1 FROM {table} WHERE project_id = ?1 AND name = ?2");
    transaction.prepare_cached(&query)?.query_row([project, name], |_| Ok(())).optional().map(|row| row.is_some())
}

/// Milliseconds since the Unix epoch, the time of ModelArts.
pub(super) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
