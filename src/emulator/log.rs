//! The access log: a line on standard error for each request.
//!
//! A thread of its own writes the lines, so that a slow reader delays no request. Lines that do not fit into the queue are
//! dropped and counted.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use serde_json::json;

use super::record::Exchange;

/// The size of the queue, in bytes.
const QUEUE: usize = 1024 * 1024;
/// The longest wait of a stop for the queue.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// A line on standard error for each request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLog {
    /// Text for people.
    Text,
    /// One JSON object for each line.
    Json,
    /// None.
    #[default]
    Off,
}

/// Facts of a response that the record does not have.
pub(super) struct Sent {
    pub(super) peer: SocketAddr,
    pub(super) took: Duration,
    /// Length of the body.
    pub(super) bytes: usize,
}

/// The log of one emulator. Its thread ends when the log is closed and the queue is written.
pub(super) struct Log {
    format: AccessLog,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Notified of each change of the queue.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<String>,
    /// The length of the queued lines and of the one that is being written.
    bytes: usize,
    /// The number of lines dropped since the last one.
    lost: u64,
    closed: bool,
}

impl Log {
    pub(super) fn start(format: AccessLog) -> io::Result<Self> {
        Self::writing(format, io::stderr())
    }

    fn writing(format: AccessLog, out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        if format != AccessLog::Off {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("access-log".to_owned()).spawn(move || shared.write(format, out))?;
        }
        Ok(Self { format, shared })
    }

    pub(super) fn is_on(&self) -> bool {
        self.format != AccessLog::Off
    }

    /// Queues the line of an exchange, if it fits.
    pub(super) fn add(&self, exchange: &Exchange, sent: &Sent) {
        let line = match self.format {
            AccessLog::Off => return,
            AccessLog::Json => as_json(exchange, sent),
            AccessLog::Text => as_text(exchange, sent),
        };
        self.shared.add(self.format, line);
    }

    /// Waits until the queue is written, but not long for a slow reader.
    pub(super) fn flush(&self) {
        let until = Instant::now() + FLUSH_TIME;
        let mut queue = self.shared.queue.lock();
        while self.is_on() && (queue.bytes > 0 || queue.lost > 0) {
            if self.shared.changed.wait_until(&mut queue, until).timed_out() {
                return;
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.queue.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn add(&self, format: AccessLog, line: String) {
        let mut queue = self.queue.lock();
        let before = (queue.lost > 0).then(|| lost(format, queue.lost));
        let bytes = before.as_ref().map_or(0, String::len) + line.len();
        // A line that is longer than the whole queue is accepted alone.
        if queue.bytes > 0 && queue.bytes + bytes > QUEUE {
            queue.lost += 1;
            return;
        }
        queue.lost = 0;
        queue.bytes += bytes;
        queue.lines.extend(before);
        queue.lines.push_back(line);
        self.changed.notify_all();
    }

    /// Writes lines until the log is closed and the queue is empty.
    fn write(&self, format: AccessLog, mut out: impl Write) {
        let mut queue = self.queue.lock();
        loop {
            let line = match queue.lines.pop_front() {
                Some(line) => line,
                // The queue is empty: report the dropped lines.
                None if queue.lost > 0 => {
                    let line = lost(format, std::mem::take(&mut queue.lost));
                    queue.bytes += line.len();
                    line
                }
                None if queue.closed => return,
                None => {
                    self.changed.wait(&mut queue);
                    continue;
                }
            };
            // There is no other place to report a failure of this.
            let _ = parking_lot::MutexGuard::unlocked(&mut queue, || out.write_all(line.as_bytes()));
            queue.bytes -= line.len();
            self.changed.notify_all();
        }
    }
}

fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

fn lost(format: AccessLog, lines: u64) -> String {
    match format {
        AccessLog::Json => format!("{}\n", json!({"time": now(), "lost": lines})),
        _ => format!("{} {lines} lines are lost: they came faster than they were read\n", now()),
    }
}

fn as_json(exchange: &Exchange, Sent { peer, took, bytes }: &Sent) -> String {
    let Exchange { method, target, status, request_id, operation, verdict, reason, ignored, .. } = exchange;
    let line = json!({
        "time": now(), "peer": peer.to_string(), "method": method, "target": target, "status": status,
        "bytes": bytes, "milliseconds": milliseconds(*took), "request_id": request_id, "operation": operation,
        "verdict": verdict, "reason": reason, "ignored": ignored,
    });
    format!("{line}\n")
}

fn as_text(exchange: &Exchange, Sent { peer, took, .. }: &Sent) -> String {
    let Exchange { method, target, status, request_id, operation, reason, ignored, .. } = exchange;
    let (operation, milliseconds) = (operation.as_deref().unwrap_or("-"), milliseconds(*took));
    let mut line = format!("{} {peer} {method} {target} {status} {milliseconds:.1}ms {request_id} {operation}", now());
    if let Some(reason) = reason {
        line += &format!(": {}", reason.escape_debug());
    }
    if !ignored.is_empty() {
        line += &format!(" (ignored: {})", ignored.join(", ").escape_debug());
    }
    line + "\n"
}

fn milliseconds(took: Duration) -> f64 {
    took.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A writer that accepts each line only with permission.
    struct Slow {
        allowed: mpsc::Receiver<()>,
        taken: mpsc::Sender<String>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.allowed.recv().map_err(io::Error::other)?;
            self.taken.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_do_not_fit_are_counted_where_they_are_missing() {
        let ((allow, allowed), (taken, lines)) = (mpsc::channel(), mpsc::channel());
        let log = Log::writing(AccessLog::Text, Slow { allowed, taken }).unwrap();
        let line = |name: char| format!("{}\n", name.to_string().repeat(QUEUE / 2 - 1));
        for name in ['a', 'b', 'c', 'd'] {
            log.shared.add(AccessLog::Text, line(name));
        }
        let next = || {
            allow.send(()).unwrap();
            lines.recv_timeout(Duration::from_secs(10)).unwrap()
        };
        assert_eq!((next(), next()), (line('a'), line('b')));
        assert!(next().contains(" 2 lines are lost"), "although no line follows");
        log.shared.add(AccessLog::Text, line('e'));
        assert_eq!(next(), line('e'));
        log.flush();
        // Nothing reads this line; the stop does not wait forever.
        log.shared.add(AccessLog::Text, line('f'));
        let started = Instant::now();
        log.flush();
        assert!(started.elapsed() >= FLUSH_TIME);
    }
}
