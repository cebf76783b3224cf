//! `hwjobs emulator`: the stand-in for the cloud as a process of its own.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use huaweicloud_jobs::emulator::Emulator;
use tokio::signal;

/// How to run it.
#[derive(Args)]
pub(super) struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the state in this file, which stays; in memory by default.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Start with what the documents' examples name (the default).
    #[arg(long, conflicts_with = "empty")]
    documented: bool,
    /// Start with nothing.
    #[arg(long)]
    empty: bool,
    /// Let the emulator's time pass so many times as fast as real time; 0 stops it.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Write the base address into this file as soon as requests are answered.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Keep so many of the latest exchanges.
    #[arg(long, value_name = "N", default_value_t = 0)]
    record: usize,
}

/// Serves until it is told to stop.
pub(super) async fn run(options: Options, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    // Heard from here on: a signal that comes while it starts stops it in the same orderly way.
    let stopped = stop_signal()?;
    let mut builder = Emulator::builder().listen(options.listen).record(options.record);
    if options.empty {
        builder = builder.empty();
    }
    if let Some(file) = options.data {
        builder = builder.data(file);
    }
    let emulator = builder.start().await?;
    emulator.set_time_scale(options.time_scale);
    for (name, value) in emulator.environment() {
        writeln!(out, "export {name}={value}")?;
    }
    out.flush()?;
    if let Some(file) = &options.ready_file {
        std::fs::write(file, emulator.endpoint()).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    stopped.await;
    emulator.stop().await;
    if let Some(file) = &options.ready_file {
        // Someone else may have removed it already.
        let _ = std::fs::remove_file(file);
    }
    Ok(true)
}

/// Ends when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    // Without a handler the process ends at once, which loses nothing that was answered.
    Ok(async { drop(signal::ctrl_c().await) })
}
