//! The state in SQLite, in memory or in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::error::Error;

/// The migrations of the tables: each entry leads from one version to the next. Never change an entry, only add new
/// ones.
const MIGRATIONS: [&str; 2] = [
    concat!(
        include_str!("schema/base.sql"),
        include_str!("schema/access.sql"),
        include_str!("schema/modelarts.sql"),
        include_str!("schema/mrs.sql")
    ),
    include_str!("schema/origin.sql"),
];

/// The version of the tables.
pub(super) const FORMAT: usize = MIGRATIONS.len();

/// The application id of an emulator's SQLite file: `hwjb`.
const APPLICATION: i64 = 0x6877_6a62;

/// The size of a page of a file in bytes. A small change of an object changes several pages, and each of them is written whole.
const PAGE: i64 = 1024;

/// The journal of a file is written back into it after so many pages, which waits for the disk: rarely, and never for longer
/// than 32 MiB take.
const CHECKPOINT: i64 = 32 * 1024 * 1024 / PAGE;

/// The head of a SQLite file: its beginning, its length, and the positions of application id and version.
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEAD: usize = 100;
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

const NO_DATABASE: &str = "it is not a database; name another file";
const DAMAGED: &str = "it is damaged; put a copy in its place, or name another file";

/// The only connection, since SQLite allows one writer at a time.
pub(super) struct Store {
    connection: Mutex<Connection>,
    is_file: bool,
}

impl Store {
    /// Opens a store in memory, or in a file.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Error> {
        let shown = file.map_or_else(|| "memory".into(), |file| format!("the file {}", file.display()));
        let unusable =
            |reason: &str| Error::configuration(format!("the emulator cannot keep its state in {shown}: {reason}"));
        let failed = |error: rusqlite::Error| {
            use rusqlite::ErrorCode::{
                CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase, ReadOnly,
            };
            let reason = match error.sqlite_error_code() {
                Some(NotADatabase) => NO_DATABASE.to_owned(),
                Some(DatabaseCorrupt) => DAMAGED.to_owned(),
                Some(DatabaseBusy | DatabaseLocked) => {
                    "another process uses it; stop that one, or name another file".to_owned()
                }
                Some(ReadOnly) => "it or its folder cannot be written; allow that, or name another file".to_owned(),
                Some(CannotOpen) => {
                    format!("{}; name a file in a folder that is there and can be written", cause(file))
                }
                _ => error.to_string(),
            };
            unusable(&reason).with_source(error)
        };
        // These names have a special meaning in SQLite.
        if file.is_some_and(|file| file.as_os_str().is_empty() || file == Path::new(":memory:")) {
            return Err(unusable("that is no name of a file; name none to keep it in memory"));
        }
        let newer = |version: i64| {
            unusable(&format!("it has format {version} of a newer version of hwjobs; this one knows {FORMAT}"))
        };
        // SQLite changes a file when it opens it: it replays a journal or changes its mode. So the owner of the file is
        // checked first.
        match file.map(look).transpose().map_err(|reason| unusable(&reason))?.flatten() {
            Some((application, _)) if application != APPLICATION => {
                return Err(unusable("it belongs to another program; name another file"));
            }
            Some((_, version)) if version > FORMAT as i64 => return Err(newer(version)),
            Some(_) => {}
            None => file.into_iter().for_each(create_private),
        }
        let connection = match file {
            Some(file) => Connection::open_with_flags(file, OpenFlags::default() - OpenFlags::SQLITE_OPEN_URI),
            None => Connection::open_in_memory(),
        }
        .map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(128);
        if file.is_some() {
            // Commits survive the end of this process; one process at a time owns the file.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
            // An existing file keeps its size of a page.
            connection.execute_batch(&format!("PRAGMA page_size = {PAGE}")).map_err(failed)?;
            // Written before a journal exists, so that the file itself contains its application id.
            connection.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
            connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT).map_err(failed)?;
        }
        let transaction = Transaction::begin(&connection, "BEGIN EXCLUSIVE").map_err(failed)?;
        let version =
            transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).map_err(failed)?;
        let sound: String = transaction.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(failed)?;
        if sound != "ok" {
            return Err(unusable(DAMAGED));
        }
        let done = usize::try_from(version).ok().filter(|done| *done <= FORMAT).ok_or_else(|| newer(version))?;
        migrate(&transaction, done, FORMAT).map_err(failed)?;
        transaction.pragma_update(None, "user_version", FORMAT as i64).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(Self { connection: Mutex::new(connection), is_file: file.is_some() })
    }

    /// Returns whether the state is in a file.
    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// Runs a request in a transaction.
    pub(super) fn write<T, E: From<rusqlite::Error>>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.connection.lock();
        let transaction = Transaction::begin(&connection, "BEGIN IMMEDIATE")?;
        let outcome = act(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Runs `act` in a transaction that is rolled back.
    pub(super) fn peek<T, E: From<rusqlite::Error>>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.connection.lock();
        act(&Transaction::begin(&connection, "BEGIN IMMEDIATE")?)
    }
}

/// A transaction that is under way. It is rolled back when it is dropped before it is committed.
pub(super) struct Transaction<'a>(&'a Connection);

impl<'a> Transaction<'a> {
    /// Unlike that of the library, its statements are compiled once: each request has such a transaction.
    fn begin(connection: &'a Connection, begin: &str) -> rusqlite::Result<Self> {
        connection.prepare_cached(begin)?.execute([])?;
        Ok(Self(connection))
    }

    fn commit(self) -> rusqlite::Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // Where that fails, the next transaction cannot begin, and says so.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

/// Reads application id and version from the head of a file. Returns `None` for a missing or empty file, and for an
/// error that SQLite will report.
fn look(file: &Path) -> Result<Option<(i64, i64)>, String> {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(HEAD as u64).read_to_end(&mut head));
    match read {
        Err(_) | Ok(0) => Ok(None),
        Ok(HEAD) if head.starts_with(MAGIC) => {
            let number = |at: usize| head[at..].first_chunk().map_or(0, |bytes| i64::from(i32::from_be_bytes(*bytes)));
            Ok(Some((number(APPLICATION_ID), number(USER_VERSION))))
        }
        Ok(_) => Err(NO_DATABASE.to_owned()),
    }
}

/// Creates a file that only its owner can read, since it will contain passwords and arguments. SQLite gives its other
/// files the same permissions. Errors are reported when the file is opened.
fn create_private(file: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _: io::Result<File> = options.open(file);
}

/// Returns the system's error for opening a file, which SQLite does not report.
fn cause(file: Option<&Path>) -> String {
    let opened = file.map(|file| OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file));
    opened.and_then(Result::err).map_or_else(|| "it cannot be opened".to_owned(), |error| error.to_string())
}

/// Migrates the tables from one version to another.
pub(super) fn migrate(transaction: &Transaction<'_>, from: usize, to: usize) -> rusqlite::Result<()> {
    MIGRATIONS[from..to].iter().try_for_each(|migration| transaction.execute_batch(migration))
}

/// Returns the next number of a sequence; the first is 1.
pub(super) fn next(transaction: &Transaction<'_>, sequence: &str) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO sequence VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last",
        )?
        .query_row([sequence], |row| row.get(0))
}

/// Sets the last number of a sequence.
pub(super) fn skip(transaction: &Transaction<'_>, sequence: &str, past: i64) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO sequence VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET last = max(last, ?2)",
        params![sequence, past],
    )?;
    Ok(())
}

/// Seeds the random values of a store.
pub(super) fn set_seed(transaction: &Transaction<'_>, seed: u64) -> rusqlite::Result<()> {
    // The same 64 bits, since SQLite has only signed integers.
    transaction.execute("REPLACE INTO sequence VALUES ('seed', ?1)", [seed as i64])?;
    Ok(())
}

/// Returns an id in the documented form, the same for the same seed and sequence of calls.
pub(super) fn next_id(transaction: &Transaction<'_>) -> rusqlite::Result<String> {
    let number = next(transaction, "id")? as u64;
    let seed = transaction
        .prepare_cached("SELECT last FROM sequence WHERE name = 'seed'")?
        .query_row([], |row| row.get::<_, i64>(0))
        .optional()?;
    let number = scramble(seed.unwrap_or_default() as u64).wrapping_add(number);
    let (high, low) = (scramble(number), scramble(!number));
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

/// The finalizer of SplitMix64. It is a bijection, so ids never repeat.
pub(super) fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Returns whether a name is taken in a table of this schema.
pub(super) fn taken(
    transaction: &Transaction<'_>,
    table: &'static str,
    project: &str,
    name: &str,
) -> rusqlite::Result<bool> {
    let query = format!("SELECT 1 FROM {table} WHERE project_id = ?1 AND name = ?2");
    transaction.prepare_cached(&query)?.query_row([project, name], |_| Ok(())).optional().map(|row| row.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Emulator;

    #[tokio::test]
    async fn a_file_that_was_left_before_its_first_write_begins_as_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        // The state after a kill: the tables exist and are empty.
        drop(Store::open(Some(&file)).unwrap());
        let emulator = Emulator::builder().data(&file).start().await.unwrap();
        emulator.session().unwrap().modelarts().training_job(10).unwrap().update_description("there").await.unwrap();
    }
}
