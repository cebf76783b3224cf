//! The journal of many updates: a file from which an interrupted run resumes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use huaweicloud_jobs::Session;
use huaweicloud_jobs::raw::Request;
use serde::{Deserialize, Serialize};

use super::exit::{Failure, Usage, usage};
use super::files::{self, Place};
use super::options::is_to_be_looked_up;

/// The beginning of the first line, and of each other line.
const TARGET: &str = "{\"operation\":";
const ENTRY: &str = "{\"digest\":";

/// The target of a journal, in its first line: a journal of another target does not count.
#[derive(Serialize, Deserialize, PartialEq)]
pub(super) struct Target {
    operation: String,
    endpoint: String,
    project: String,
}

impl Target {
    pub(super) fn of(session: &Session, request: &Request, operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            endpoint: request.endpoint().to_owned(),
            project: session.project_id().to_string(),
        }
    }

    /// Returns whether both are the same, as far as that is known before a project is looked up.
    fn agrees(&self, other: &Self) -> bool {
        let same_project = self.project == other.project || is_to_be_looked_up(&other.project);
        self.operation == other.operation && self.endpoint == other.endpoint && same_project
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in the project {} at {}", self.operation, self.project, self.endpoint)
    }
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) digest: String,
    pub(super) object: String,
    pub(super) done: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// The first half of a digest, which saves memory with a million updates.
type Key = [u8; 16];

fn key(digest: &str) -> Option<Key> {
    let mut key = [0; 16];
    hex::decode_to_slice(digest.get(..2 * key.len())?, &mut key).ok()?;
    Some(key)
}

/// The sorted digests of finished updates.
#[derive(Default)]
pub(super) struct Done(Vec<Key>);

impl Done {
    pub(super) fn contains(&self, digest: &str) -> bool {
        key(digest).is_some_and(|key| self.0.binary_search(&key).is_ok())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An open journal. The file is locked while it is open.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Reads a journal without changing it.
    pub(super) fn read(path: &str, target: &Target) -> Result<Done, Failure> {
        let file = match files::place(Path::new(path)) {
            Ok(Place::File) => File::open(path),
            Ok(_) => return Ok(Done::default()),
            Err(error) => Err(error),
        };
        let file = file.map_err(|error| files::named(Path::new(path), &error))?;
        Ok(Reader { path, target }.read(&file)?.0)
    }

    /// Opens a journal to resume it, or creates one.
    pub(super) fn open(path: &str, target: &Target) -> Result<(Self, Done), Failure> {
        let broken = |error: io::Error| files::named(Path::new(path), &error);
        let place = files::place(Path::new(path)).map_err(broken)?;
        let opened = match place {
            Place::Free => files::create_private(Path::new(path)),
            Place::File => OpenOptions::new().read(true).append(true).open(path),
            Place::Device => OpenOptions::new().append(true).open(path),
        };
        let file = opened.map_err(broken)?;
        let mut journal = Self { path: path.into(), file };
        if matches!(place, Place::Device) {
            // A device keeps nothing, so nothing was done before.
            journal.add(target).map_err(broken)?;
            return Ok((journal, Done::default()));
        }
        match journal.file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(format!("{path} is locked: another run of hwjobs uses it").into());
            }
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => return Err(broken(error)),
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let (done, whole) = Reader { path, target }.read(&journal.file)?;
        if whole < journal.file.metadata().map_err(broken)?.len() {
            // The last line may be incomplete after a crash.
            journal.file.set_len(whole).map_err(broken)?;
        }
        if whole == 0 {
            journal.add(target).map_err(broken)?;
        }
        Ok((journal, done))
    }

    /// Writes a line.
    pub(super) fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.file.write_all(format!("{}\n", serde_json::to_string(line)?).as_bytes())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

struct Reader<'a> {
    path: &'a str,
    target: &'a Target,
}

impl Reader<'_> {
    /// Reads the entries, and the length of the file up to its last whole line.
    fn read(&self, mut file: &File) -> Result<(Done, u64), Failure> {
        let broken = |error: io::Error| files::named(Path::new(self.path), &error);
        let mut beginning = Vec::new();
        file.take(256).read_to_end(&mut beginning).map_err(broken)?;
        if !begins(&beginning, TARGET) {
            return Ok(usage(format!(
                "{}: is no journal, and nothing was written into it; name another file with --journal",
                self.path
            ))?);
        }
        file.rewind().map_err(broken)?;
        let mut lines = BufReader::new(file);
        let (mut entries, mut line, mut number, mut whole) = (Vec::new(), Vec::new(), 0, 0);
        loop {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).map_err(broken)?;
            number += 1;
            if line.last() != Some(&b'\n') {
                let own = match number {
                    1 => line.is_empty() || serde_json::to_vec(self.target)?.starts_with(&line),
                    _ => begins(&line, ENTRY),
                };
                if !own {
                    return Err(self.foreign(number).into());
                }
                break;
            }
            whole += length as u64;
            if number == 1 {
                let other: Target = serde_json::from_slice(&line).map_err(|_| self.foreign(number))?;
                if !other.agrees(self.target) {
                    let (path, target) = (self.path, self.target);
                    let reason = format!(
                        "{path}: this is the journal of {other}, and not of {target}; name another with --journal"
                    );
                    return Ok(usage(reason)?);
                }
                continue;
            }
            let entry: Entry = serde_json::from_slice(&line).map_err(|_| self.foreign(number))?;
            entries.push((key(&entry.digest).ok_or_else(|| self.foreign(number))?, entry.done));
        }
        // The last of several lines for an update counts. The sort is stable.
        entries.sort_by_key(|(key, _)| *key);
        let last = entries.chunk_by(|(one, _), (other, _)| one == other).filter_map(<[_]>::last);
        Ok((Done(last.filter(|(_, done)| *done).map(|(key, _)| *key).collect()), whole))
    }

    fn foreign(&self, line: usize) -> Usage {
        Usage(format!("{}: line {line} is not of a journal", self.path))
    }
}

/// Returns whether a text, possibly cut off, begins as expected.
fn begins(text: &[u8], expected: &str) -> bool {
    let solid = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    solid.zip(expected.as_bytes()).all(|(byte, expected)| byte == expected)
}
