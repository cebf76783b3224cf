//! The environment of providers: variables, files, clock and HTTP, which tests can replace.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::broken;
use crate::error::Error;

/// The size limit of a file.
const MAX_FILE: u64 = 1024 * 1024;

type Files = Arc<dyn Fn(&Path) -> io::Result<Vec<u8>> + Send + Sync>;
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The environment of credential providers.
///
/// The default is this process: its current environment, its user's home folder, its files and clock. Each part can be
/// replaced. [`Context::empty`] has none of them.
#[derive(Clone)]
#[must_use = "nothing is looked at before it is given to a chain or a session"]
pub struct Context {
    variables: BTreeMap<OsString, OsString>,
    home: Option<PathBuf>,
    files: Files,
    clock: Clock,
    http: Option<reqwest::Client>,
    profile: Option<String>,
    metadata: Option<bool>,
    metadata_endpoint: String,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            variables: std::env::vars_os().filter(|(name, _)| is_ours(name)).collect(),
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            files: Arc::new(read),
            ..Self::empty()
        }
    }
}

impl Context {
    /// Returns a context without variables, home folder and files, but with the real clock and HTTP.
    pub fn empty() -> Self {
        Self {
            variables: BTreeMap::new(),
            home: None,
            files: Arc::new(|_| Err(io::ErrorKind::NotFound.into())),
            clock: Arc::new(Timestamp::now),
            http: None,
            profile: None,
            metadata: None,
            metadata_endpoint: "http://169.254.169.254".to_owned(),
        }
    }

    /// Replaces the variables.
    pub fn variables<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        self.variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// Replaces the home folder.
    pub fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Replaces the function that reads a file. [`NotFound`](io::ErrorKind::NotFound) means that the file does not
    /// exist.
    pub fn files(mut self, read: impl Fn(&Path) -> io::Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        self.files = Arc::new(read);
        self
    }

    /// Reads files of the disk again, after [`Context::empty`].
    pub fn real_files(self) -> Self {
        self.files(read)
    }

    /// Replaces the clock.
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(now);
        self
    }

    /// Replaces the HTTP client for the metadata service. The default one has 3 s for a connection and 3 s for a
    /// response, and uses no proxy.
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Selects a profile by name, like `--profile`. It overrides the variable `HWJOBS_PROFILE`. Keys in the environment
    /// are then ignored, and an unknown profile is an error.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Allows or forbids the metadata service. It overrides the variable `HWJOBS_METADATA`; the default is to forbid
    /// it.
    pub fn metadata(mut self, allowed: bool) -> Self {
        self.metadata = Some(allowed);
        self
    }

    /// Replaces the address of the metadata service, `http://169.254.169.254`.
    pub fn metadata_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.metadata_endpoint = endpoint.into();
        self
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns the value of a variable without surrounding white space. An empty variable is the same as none.
    pub(super) fn variable(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.raw_variable(name)?.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()))
    }

    /// Returns the unchanged value of a variable, unless it is empty.
    pub(super) fn raw_variable(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(value) = self.variables.get(&OsString::from(name)) else { return Ok(None) };
        let value = value.to_str().ok_or_else(|| broken(name, "is not UTF-8"))?;
        Ok(Some(value.to_owned()).filter(|value| !value.is_empty()))
    }

    /// Returns the names of variables with a prefix.
    pub(super) fn variables_with(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.variables.keys().filter_map(|name| name.to_str()).filter(move |name| name.starts_with(prefix))
    }

    /// Returns the path of a file in the home folder.
    pub(super) fn at_home(&self, path: &str) -> Option<PathBuf> {
        Some(self.home.as_ref()?.join(path))
    }

    /// Returns the selected profile, and the source of the selection.
    pub(super) fn asked_profile(&self) -> Result<Option<(String, &'static str)>, Error> {
        if let Some(name) = &self.profile {
            return Ok(Some((name.clone(), "the caller")));
        }
        Ok(self.variable("HWJOBS_PROFILE")?.map(|name| (name, "HWJOBS_PROFILE")))
    }

    /// Returns whether the metadata service is allowed, or the reason why not.
    pub(super) fn metadata_allowed(&self) -> Result<Result<(), &'static str>, Error> {
        let allowed = match self.metadata {
            Some(allowed) => return Ok(if allowed { Ok(()) } else { Err("the caller does not allow it") }),
            None => self.variable("HWJOBS_METADATA")?,
        };
        match allowed.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None => Ok(Err("not allowed: set HWJOBS_METADATA=1 on a cloud server")),
            Some("1" | "true" | "on" | "yes") => Ok(Ok(())),
            Some("0" | "false" | "off" | "no") => Ok(Err("HWJOBS_METADATA does not allow it")),
            Some(_) => Err(broken("HWJOBS_METADATA", "is neither 1 nor 0")),
        }
    }

    pub(super) fn metadata_base(&self) -> &str {
        self.metadata_endpoint.trim_end_matches('/')
    }

    pub(super) fn http_client(&self) -> Option<&reqwest::Client> {
        self.http.as_ref()
    }

    /// Returns the content of a file, if it exists.
    pub(super) fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        let bytes = match (self.files)(path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(broken(path.display(), format_args!("cannot be read: {error}"))),
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
                Err(broken(path.display(), format_args!("is not UTF-8: line {line}")))
            }
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variables, home, files: _, clock: _, http: _, profile, metadata, metadata_endpoint: _ } = self;
        f.debug_struct("Context")
            // Values are never shown.
            .field("variables", &variables.keys().collect::<Vec<_>>())
            .field("home", home)
            .field("profile", profile)
            .field("metadata", metadata)
            .finish_non_exhaustive()
    }
}

fn is_ours(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("HUAWEICLOUD_SDK_") || name.starts_with("HWJOBS_"))
}

/// Reads a file of the disk.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}
