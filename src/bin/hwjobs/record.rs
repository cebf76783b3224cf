//! `--record`: what a command sends and receives, as a HAR file.

use std::io::{self, Write};
use std::path::Path;

use huaweicloud_jobs::har::{self, Recorder};

use super::exit::{Failure, Outcome};
use super::files::{Output, Readers};

/// The record of a command, and its file.
pub(super) struct Record {
    pub(super) recorder: Recorder,
    file: Output,
}

impl Record {
    /// Opens the file before anything is sent, since a record that cannot be written is worth no call.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self { recorder: Recorder::default(), file: Output::open(path, Readers::Owner, har::wrote)? })
    }

    /// Writes the record of a command that has ended, however it ended.
    pub(super) fn write(self, outcome: Outcome) -> Outcome {
        let written = self.file.write(self.recorder.har().as_bytes());
        let dropped = self.recorder.dropped();
        if dropped > 0 {
            // A closed standard error is no reason to stop.
            let _ = writeln!(io::stderr(), "hwjobs: note: the record is full; {dropped} exchanges are not in it");
        }
        match (outcome, written) {
            (Err(error), Err(failure)) => {
                // The exit code is that of the command.
                let _ = writeln!(io::stderr(), "hwjobs: {failure}");
                Err(error)
            }
            (outcome, written) => outcome.and_then(|outcome| written.map(|()| outcome)),
        }
    }
}
