//! The documented responses that seed data is made from.

use serde_json::Value;

/// The documented responses of ModelArts by operation: each to the first documented request.
const RESPONSES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modelarts.responses.rs"));

/// The documented response to the first documented request of an operation.
pub(in crate::emulator) fn response(operation: &str) -> Value {
    let (_, text) = RESPONSES.iter().find(|(id, _)| *id == operation).expect("it is documented");
    serde_json::from_str(text).expect("build.rs wrote it")
}
