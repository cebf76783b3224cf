//! Logs of versions, derived from the id and the duration of a version, so that they grow and never change.

use serde_json::json;

use super::state;
use super::version::{RUN_SECONDS, Version};
use crate::emulator::check::whole;
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::response::Rejection;
use crate::emulator::store::scramble;

/// The time between two lines, in milliseconds.
const PACE: i64 = 100;

pub(super) fn list_files(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (job, version) = Version::find(call)?;
    let count = nodes(&version);
    let files = (0..count).map(|node| format!("{}.{node}", job.name).into()).collect();
    Ok(call.listed(files, count, json!({"is_success": true})))
}

/// Positions lie between lines, so reading on from either end of a response neither repeats a line nor leaves one out.
pub(super) fn show(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (job, version) = Version::find(call)?;
    let file = call.text("log_file");
    // The documents' example reads a file `log1.log`.
    let node = file
        .strip_prefix("log")
        .and_then(|rest| rest.strip_suffix(".log")?.parse::<i64>().ok()?.checked_sub(1))
        .or_else(|| file.strip_prefix(&job.name)?.strip_prefix('.')?.parse().ok())
        .filter(|node| (0..nodes(&version)).contains(node))
        .ok_or_else(|| Rejection::unknown("log file", file))?;
    let origin = version.started.unwrap_or(version.created).saturating_mul(1_000_000);
    let written = written(&version, call.now);
    let base = match call.text("base_line") {
        "" => None,
        text => Some(text.parse::<i64>().map_err(|_| Rejection::unknown("position", text))?),
    };
    let base = base.map(|base| base.saturating_sub(origin).clamp(0, written));
    let wanted = call.number_or("lines", 50);
    let (start, end) = match (base, call.text("order")) {
        (None, _) => ((written - wanted).max(0), written),
        (Some(base), "asc") => ((base - wanted).max(0), base),
        (Some(base), _) => (base, (base + wanted).min(written)),
    };
    let content: Vec<String> = (start..end).map(|number| line(&version, node, number)).collect();
    Ok(json!({
        "is_success": true,
        "start_line": origin.saturating_add(start).to_string(),
        "content": content.join("\n"),
        "end_line": origin.saturating_add(end).to_string(),
        "lines": end - start,
    })
    .into())
}

/// Returns the number of workers, each of which writes a file; at most a thousand.
fn nodes(version: &Version) -> i64 {
    whole(&version.config["worker_server_num"]).unwrap_or(1).clamp(1, 1000)
}

/// Returns the number of lines by now: none before the start, and those of a whole run for a version that completed at once.
fn written(version: &Version, now: i64) -> i64 {
    if version.started.is_none() {
        return 0;
    }
    let least = if version.status == state::COMPLETED { RUN_SECONDS as i64 * 1000 } else { 0 };
    version.duration(now).max(least) / PACE
}

fn line(version: &Version, node: i64, number: i64) -> String {
    let at = version.started.unwrap_or_default().saturating_add(number.saturating_mul(PACE));
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S.%3f");
    let noise = scramble((version.id as u64) << 40 ^ (node as u64) << 30 ^ number as u64) % 1000;
    match number {
        0 => format!("{at} [INFO] {} node {node}: training starts", version.resource),
        _ => {
            let loss = 2.3 / (1.0 + number as f64 / 20.0) + noise as f64 / 20_000.0;
            format!("{at} [INFO] {} node {node}: step {number}, loss {loss:.4}", version.resource)
        }
    }
}
