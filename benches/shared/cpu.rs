//! The CPU time of this process.

use nix::sys::resource::{UsageWho, getrusage};

/// Returns the microseconds of user and of system CPU time that this process has used.
pub(crate) fn used() -> [f64; 2] {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the time used");
    [usage.user_time(), usage.system_time()].map(|time| {
        #[allow(clippy::cast_precision_loss, reason = "less than a day")]
        let micros = (time.tv_sec() * 1_000_000 + time.tv_usec()) as f64;
        micros
    })
}
