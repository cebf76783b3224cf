//! The states of jobs: the extension `x-states` beside the schema of a code.

use serde_json::Value;

/// The phases that a state can have, as `x-states` spells them.
#[cfg_attr(not(test), allow(dead_code, reason = "build.rs uses it"))]
pub const PHASES: [&str; 3] = ["underway", "succeeded", "failed"];

/// A documented state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State<'a> {
    /// The code in responses.
    pub code: i64,
    /// The documentation's name of the state.
    pub name: &'a str,
    /// The name of the state in Rust, if an enum has it.
    pub variant: Option<&'a str>,
    /// The meaning of the state.
    pub meaning: &'a str,
    /// The phase of a job in this state: one of [`PHASES`].
    pub phase: &'a str,
}

/// Returns the states of a component schema, or none if it has no `x-states`.
pub fn states(schema: &Value) -> impl Iterator<Item = State<'_>> {
    schema["x-states"].as_array().into_iter().flatten().map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        State {
            code: row["code"].as_i64().unwrap_or_default(),
            name: text("name"),
            variant: row["variant"].as_str(),
            meaning: text("meaning"),
            phase: text("phase"),
        }
    })
}
