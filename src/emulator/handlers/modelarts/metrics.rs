//! Metrics of versions: plausible numbers, the same for the same version.

use serde_json::{Value, json};

use crate::emulator::store::scramble;

/// The largest number of values in a series.
const LONGEST: i64 = 60;

/// Returns a number from 0 to 1, the same for the same version and place.
fn chance(version: i64, place: u64) -> f64 {
    (scramble((version as u64) << 20 ^ place) >> 11) as f64 / (1_u64 << 53) as f64
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Returns the metrics of a trained model.
pub(super) fn of_model(version: i64) -> Value {
    let value = |place| rounded(0.85 + chance(version, place) * 0.14);
    let (recall, precision, accuracy) = (value(1), value(2), value(3));
    let f1 = rounded(2.0 * precision * recall / (precision + recall));
    json!({
        "metric": [{
            "metric_values": {"recall": recall, "precision": precision, "accuracy": accuracy},
            "reserved_data": {},
            "metric_meta": {"class_name": 0, "class_id": 0},
        }],
        "total_metric": {
            "total_metric_meta": {},
            "total_reserved_data": {},
            "total_metric_values": {
                "f1_score": f1, "recall": recall, "id": 0, "precision": precision, "accuracy": accuracy,
            },
        },
    })
}

/// Returns the load of the machines, a value for each second of a run; for a long run, the latest ones.
pub(super) fn of_system(version: i64, duration: i64) -> Value {
    let seconds = duration / 1000;
    let series = |number: u64, scale: f64| -> Vec<String> {
        ((seconds - LONGEST).max(0)..seconds)
            .map(|second| format!("{:.2}", chance(version, number << 40 ^ second as u64) * scale))
            .collect()
    };
    json!({
        "cpuUsage": series(1, 100.0),
        "memUsage": series(2, 60.0),
        "gpuUtil": series(3, 100.0),
        "gpuMemUsage": series(4, 90.0),
        "diskReadRate": series(5, 100_000.0),
        "diskWriteRate": series(6, 1000.0),
        "recvBytesRate": series(7, 10_000_000.0),
        "sendBytesRate": series(8, 10_000_000.0),
        "interval": 1,
    })
}
