//! Input and output files of commands.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::path::{Display, Path, PathBuf};

use huaweicloud_jobs::json::{self, BYTE_ORDER_MARK};
use serde_json::Value;
use tempfile::{Builder, NamedTempFile};

use super::exit::{Failure, Usage, usage};

/// The number of bytes by which a file is recognized.
const BEGINNING: u64 = 64 * 1024;

/// Reads the text of a file, or of the standard input for `-`.
pub(super) fn text(file: impl AsRef<Path>) -> Result<String, Usage> {
    text_up_to(file, u64::MAX)
}

/// Reads the text of a file of at most `limit` bytes.
pub(super) fn text_up_to(file: impl AsRef<Path>, limit: u64) -> Result<String, Usage> {
    let (file, mut bytes) = (file.as_ref(), Vec::new());
    let most = limit.saturating_add(1);
    let read = if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    let text = match read {
        Ok(length) if length as u64 > limit => Err(format!("has more than {limit} bytes")),
        Ok(_) => decoded(bytes),
        Err(error) => Err(error.to_string()),
    };
    text.or_else(|reason| usage(format!("{}: {reason}", shown(file))))
}

/// Reads the JSON in a file.
pub(super) fn json(file: impl AsRef<Path>) -> Result<Value, Usage> {
    let text = text(&file)?;
    let shown = shown(file.as_ref());
    if text.trim().is_empty() {
        return usage(format!("{shown}: is empty"));
    }
    json::parse(text.as_bytes()).or_else(|error| usage(format!("{shown}: not JSON: {error}")))
}

/// Decodes UTF-8, without a byte order mark.
pub(super) fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let mark = mark_length(&bytes)?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} {NOT_UTF_8}")
    })?;
    text.drain(..mark);
    Ok(text)
}

/// The message about bytes that are not UTF-8.
pub(super) const NOT_UTF_8: &str = "is not UTF-8, it may be GBK or another legacy encoding; save the file as UTF-8";

/// Returns the length of the byte order mark of UTF-8 at the beginning of a file. Fails for other encodings.
pub(super) fn mark_length(beginning: &[u8]) -> Result<usize, String> {
    let other = match beginning {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "is UTF-32",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16",
        _ if beginning.contains(&0) => "holds NUL characters, it is UTF-16 or no text at all",
        _ if beginning.starts_with(BYTE_ORDER_MARK) => return Ok(BYTE_ORDER_MARK.len()),
        _ => return Ok(0),
    };
    Err(format!("{other}; save the file as UTF-8"))
}

/// Opens a file, or standard input for `-`, so that it can be read several times.
pub(super) fn open(file: &str) -> Result<File, Usage> {
    let opened = match file {
        "-" => spooled(io::stdin().lock()),
        file => File::open(file).and_then(|opened| match opened.metadata()?.file_type() {
            kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            kind if kind.is_file() => Ok(opened),
            _ => spooled(opened),
        }),
    };
    opened.or_else(|error| usage(format!("{}: {error}", shown(Path::new(file)))))
}

fn spooled(mut from: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Returns the name of a file in messages.
pub(super) fn shown(file: &Path) -> Display<'_> {
    if file == Path::new("-") { Path::new("standard input").display() } else { file.display() }
}

/// The target of a path that will be written.
pub(super) enum Place {
    /// It does not exist.
    Free,
    /// The path is a file, or a link to one.
    File,
    /// A device or a pipe: writing into it replaces nothing.
    Device,
}

/// Finds the target of a path. Fails if it cannot be written.
pub(super) fn place(path: &Path) -> io::Result<Place> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder")),
        Ok(found) if found.is_file() => Ok(Place::File),
        Ok(_) => Ok(Place::Device),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.symlink_metadata() {
            // A dangling link may be meant for another file.
            Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "is a link that leads nowhere")),
            Err(_) => Ok(Place::Free),
        },
        Err(error) => Err(error),
    }
}

/// Creates a file that only its owner may read. Fails if the file exists.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that is written whole or not at all. An existing file is replaced only if this program wrote it.
pub(super) struct Output {
    path: PathBuf,
    to: To,
}

enum To {
    /// A temporary file beside a path that does not exist yet.
    New(NamedTempFile),
    /// A temporary file beside the file that is replaced.
    Instead(NamedTempFile, PathBuf),
    Device(File),
}

/// The permissions of a new file. An overwritten one keeps its permissions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Only its owner can read it.
    Owner,
    /// The user's umask applies.
    Others,
}

impl Output {
    /// Prepares writing. Nothing changes before [`write`](Self::write). `is_own` recognizes a file that this program wrote by
    /// its beginning.
    pub(super) fn open(path: &Path, readers: Readers, is_own: impl Fn(&[u8]) -> bool) -> Result<Self, Failure> {
        let to = Self::prepare(path, readers, is_own).map_err(|error| named(path, &error))?;
        Ok(Self { path: path.to_owned(), to })
    }

    fn prepare(path: &Path, readers: Readers, is_own: impl Fn(&[u8]) -> bool) -> io::Result<To> {
        match place(path)? {
            Place::Free => Ok(To::New(beside(path, readers)?)),
            Place::Device => Ok(To::Device(OpenOptions::new().write(true).open(path)?)),
            Place::File => {
                let mut beginning = Vec::new();
                File::open(path)?.take(BEGINNING).read_to_end(&mut beginning)?;
                if !beginning.is_empty() && !is_own(&beginning) {
                    let reason =
                        "is there and was not written by hwjobs; nothing was written: remove it or name another file";
                    return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
                }
                // A link remains a link.
                let real = fs::canonicalize(path)?;
                let temporary = beside(&real, readers)?;
                let before = fs::metadata(&real)?.permissions();
                if before.readonly() {
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, "is read-only"));
                }
                temporary.as_file().set_permissions(before)?;
                Ok(To::Instead(temporary, real))
            }
        }
    }

    /// Writes the content.
    pub(super) fn write(self, content: &[u8]) -> Result<(), Failure> {
        let written = || match self.to {
            To::New(mut file) => {
                file.write_all(content)?;
                file.persist_noclobber(&self.path).map_err(|error| error.error)
            }
            To::Instead(mut file, real) => {
                file.write_all(content)?;
                file.persist(real).map_err(|error| error.error)
            }
            To::Device(mut file) => file.write_all(content).map(|()| file),
        };
        written().map(drop).map_err(|error| named(&self.path, &error))
    }
}

/// Creates a temporary file in the folder of another one.
fn beside(path: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    #[cfg(unix)]
    let permissions = |mode| <Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode);
    #[cfg(unix)]
    builder.permissions(permissions(if readers == Readers::Owner { 0o600 } else { 0o666 }));
    builder.tempfile_in(folder)
}

/// Returns an error with the name of the file.
pub(super) fn named(path: &Path, error: &io::Error) -> Failure {
    format!("{}: {error}", path.display()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_or_its_encoding_is_named() {
        assert_eq!(decoded(b"\xef\xbb\xbfa".to_vec()).as_deref(), Ok("a"));
        assert_eq!(decoded("训练".into()).as_deref(), Ok("训练"));
        for (bytes, said) in [
            (&b"\xff\xfea\0"[..], "is UTF-16"),
            (b"\xfe\xff\0a", "is UTF-16"),
            (b"\xff\xfe\0\0a\0\0\0", "is UTF-32"),
            (b"a\0,\0", "UTF-16 or no text"),
            (b"a\nb\n\xce\xe5\xd4\xc2\n", "line 3 is not UTF-8"),
            (b"caf\xe9", "line 1 is not UTF-8"),
        ] {
            let reason = decoded(bytes.to_vec()).expect_err("it is no UTF-8");
            assert!(reason.contains(said) && reason.ends_with("save the file as UTF-8"), "{reason}");
        }
    }
}
