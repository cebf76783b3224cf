//! Logs of training job versions.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use super::training::TrainingJobVersion;
use super::types;
use crate::api::call;
use crate::api::modelarts::operations;
use crate::api::wire::bounded;
use crate::error::Error;
use crate::handles::awaitable;
use crate::paging::next;
use crate::waiting::{Awaited, PATIENCE, Phase};

/// The largest number of lines in a response.
const MOST_LINES: u32 = 500;

impl TrainingJobVersion {
    /// Returns the names of the version's log files: one for a single node, several for a distributed run.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let version = session.modelarts().training_job(10)?.version(20)?;
    /// for name in version.log_files().await? {
    ///     let page = version.log_file(name).read().lines(10).await?;
    ///     println!("{}", page.content.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    #[doc(alias = "get_job_log_file_list")]
    pub async fn log_files(&self) -> Result<Vec<String>, Error> {
        let session = Awaited::session(self);
        let request = session.modelarts_client().list_training_job_log_files().project_id(session.project_id());
        let request = request.job_id(self.job().id()).version_id(self.id());
        Ok(call(&operations::LIST_TRAINING_JOB_LOG_FILES, request.send()).await?.log_file_list)
    }

    /// Returns a log file by its name; nothing is sent.
    #[doc(alias = "get_job_log")]
    pub fn log_file(&self, name: impl Into<String>) -> LogFile {
        LogFile { version: self.clone(), name: name.into() }
    }
}

/// A log file of a version.
#[derive(Clone, Debug)]
pub struct LogFile {
    version: TrainingJobVersion,
    name: String,
}

impl LogFile {
    /// Name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that writes it.
    pub fn version(&self) -> &TrainingJobVersion {
        &self.version
    }

    /// Reads some lines: by default the newest ones.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let log = session.modelarts().training_job(10)?.version(20)?.log_file("log1.log");
    /// let newest = log.read().lines(100).await?;
    /// if let Some(start) = newest.start_line {
    ///     let older = log.read().before(start).lines(100).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(&self) -> ReadLog {
        ReadLog { file: self.clone(), base_line: None, lines: None, order: None }
    }

    /// Follows the file: its newest lines, then every new line, until the version has ended.
    ///
    /// ```no_run
    /// # async fn example(session: huaweicloud_jobs::Session) -> Result<(), huaweicloud_jobs::Error> {
    /// let mut lines = session.modelarts().training_job(10)?.version(20)?.log_file("log1.log").follow();
    /// while let Some(line) = lines.try_next().await? {
    ///     println!("{line}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow(&self) -> FollowLog {
        let state = Following {
            file: self.clone(),
            lines: VecDeque::new(),
            behind: None,
            position: None,
            tail: None,
            every: Duration::from_secs(5),
            failures: 0,
            last: false,
            ended: false,
        };
        FollowLog { state: Some(Box::new(state)), reading: None }
    }
}

/// A request for lines, see [`LogFile::read`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ReadLog {
    file: LogFile,
    base_line: Option<String>,
    lines: Option<u32>,
    order: Option<types::LogDirection>,
}

impl ReadLog {
    /// The number of lines, 0 to 500; the default is 50.
    pub fn lines(mut self, lines: u32) -> Self {
        self.lines = Some(lines);
        self
    }

    /// Reads the lines after a position: the `end_line` of an earlier response.
    pub fn after(mut self, position: impl ToString) -> Self {
        self.base_line = Some(position.to_string());
        self.order = Some(types::LogDirection::Desc);
        self
    }

    /// Reads the lines before a position: the `start_line` of an earlier response.
    pub fn before(mut self, position: impl ToString) -> Self {
        self.base_line = Some(position.to_string());
        self.order = Some(types::LogDirection::Asc);
        self
    }

    /// Reads the lines.
    ///
    /// # Errors
    ///
    /// A value that breaks a documented limit, in which case nothing is sent; or any failure of a call, see
    /// [`Error`](crate::Error).
    pub async fn send(self) -> Result<types::ShowTrainingJobLogResponse, Error> {
        let LogFile { version, name } = &self.file;
        let session = Awaited::session(version);
        let request = session.modelarts_client().show_training_job_log().project_id(session.project_id());
        let mut request = request.job_id(version.job().id()).version_id(version.id()).log_file(name);
        if let Some(base_line) = self.base_line {
            request = request.base_line(base_line);
        }
        if let Some(lines) = self.lines {
            request = request.lines(operations::SHOW_TRAINING_JOB_LOG.prepare(|| bounded("lines", lines))?);
        }
        if let Some(order) = self.order {
            request = request.order(order);
        }
        call(&operations::SHOW_TRAINING_JOB_LOG, request.send()).await
    }
}

awaitable! {
    ReadLog => Result<types::ShowTrainingJobLogResponse, Error>;
}

/// A stream of a log file's lines, see [`LogFile::follow`].
///
/// Temporary failures are retried twice. An error ends the stream; [`position`](Self::position) returns the position to
/// resume from.
#[must_use = "nothing is sent before it is read"]
pub struct FollowLog {
    /// Taken during a read.
    state: Option<Box<Following>>,
    reading: Option<Reading>,
}

type Reading = Pin<Box<dyn Future<Output = (Box<Following>, Result<(), Error>)> + Send>>;

struct Following {
    file: LogFile,
    lines: VecDeque<String>,
    /// The range of the lines that were not returned yet.
    behind: Option<String>,
    position: Option<String>,
    tail: Option<u32>,
    every: Duration,
    failures: u32,
    /// The version has ended; its last lines must still be read.
    last: bool,
    ended: bool,
}

impl FollowLog {
    /// The number of newest lines at the beginning, 0 to 500; the default is 50.
    pub fn tail(self, lines: u32) -> Self {
        self.set(|state| state.tail = Some(lines))
    }

    /// Starts after a position, see [`position`](Self::position), instead of with the newest lines.
    pub fn after(self, position: impl ToString) -> Self {
        self.set(|state| state.position = Some(position.to_string()))
    }

    /// The wait if there are no new lines; the default is 5 seconds.
    pub fn every(self, every: Duration) -> Self {
        self.set(|state| state.every = every)
    }

    /// Returns the position to resume from. Some of the last returned lines may be repeated.
    pub fn position(&self) -> Option<&str> {
        let state = self.state.as_ref()?;
        if state.lines.is_empty() { state.position.as_deref() } else { state.behind.as_deref() }
    }

    /// Returns the next line, or `None` after the last line of an ended version.
    ///
    /// # Errors
    ///
    /// Any failure of a call, see [`Error`](crate::Error).
    pub async fn try_next(&mut self) -> Result<Option<String>, Error> {
        next(self).await.transpose()
    }

    fn set(mut self, change: impl FnOnce(&mut Following)) -> Self {
        if let Some(state) = &mut self.state {
            change(state);
        }
        self
    }
}

impl Following {
    /// Waits for new lines, or for the end.
    async fn read(&mut self) -> Result<(), Error> {
        loop {
            let mut request = self.file.read();
            request = match &self.position {
                Some(position) => request.after(position).lines(MOST_LINES),
                None => ReadLog { lines: self.tail, ..request },
            };
            let mut pause = self.every;
            match request.send().await {
                Ok(page) => {
                    self.failures = 0;
                    if self.take(page)? {
                        return Ok(());
                    }
                    if self.last {
                        self.ended = true;
                        return Ok(());
                    }
                    self.last = self.is_done().await?;
                    if self.last {
                        continue;
                    }
                }
                Err(error) => {
                    self.failures += 1;
                    if self.failures == PATIENCE || !error.is_transient() {
                        return Err(error);
                    }
                    pause = pause.max(error.retry_after().unwrap_or_default());
                }
            }
            Awaited::session(&self.file.version).clock().sleep(pause).await;
        }
    }

    /// Returns whether the version has ended.
    async fn is_done(&mut self) -> Result<bool, Error> {
        match self.file.version.show().await {
            Ok(details) => Ok(TrainingJobVersion::phase(&details).0 != Phase::Underway),
            Err(error) if error.is_transient() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Stores the new lines of a page.
    fn take(&mut self, page: types::ShowTrainingJobLogResponse) -> Result<bool, Error> {
        let content = page.content.unwrap_or_default();
        let end = page.end_line.map(|end| end.to_string()).filter(|end| !end.is_empty());
        if content.is_empty() || (end.is_some() && end == self.position) {
            self.position = self.position.take().or(end);
            return Ok(false);
        }
        let end = end.ok_or_else(|| {
            let reason = "the log has no `end_line`, so it cannot be followed".to_owned();
            Error::decode("end_line".to_owned(), reason, content.as_bytes())
                .with_operation(operations::SHOW_TRAINING_JOB_LOG.id)
        })?;
        self.behind = self.position.replace(end);
        self.lines.extend(content.lines().map(str::to_owned));
        Ok(true)
    }
}

impl Stream for FollowLog {
    type Item = Result<String, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(reading) = &mut this.reading {
                let (mut state, outcome) = ready!(reading.as_mut().poll(context));
                this.reading = None;
                state.ended |= outcome.is_err();
                this.state = Some(state);
                if let Err(error) = outcome {
                    return Poll::Ready(Some(Err(error)));
                }
            }
            let Some(mut state) = this.state.take() else { return Poll::Ready(None) };
            let line = state.lines.pop_front();
            if line.is_some() || state.ended {
                this.state = Some(state);
                return Poll::Ready(line.map(Ok));
            }
            this.reading = Some(Box::pin(async move {
                let outcome = state.read().await;
                (state, outcome)
            }));
        }
    }
}

impl fmt::Debug for FollowLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.state.as_ref().map(|state| &state.file);
        f.debug_struct("FollowLog").field("file", &file).field("position", &self.position()).finish_non_exhaustive()
    }
}
