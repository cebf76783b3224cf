//! The published error codes: `openapi/errors/`.
//!
//! To look up a code, use [`crate::ErrorCode`], which has the same data.

use std::sync::LazyLock;

use serde_json::Value;

#[cfg(feature = "publish")]
use crate::error::ErrorCode;

/// The codes of one family.
#[derive(Debug)]
pub struct ErrorFile {
    name: &'static str,
    yaml: &'static str,
    value: Value,
}

macro_rules! files {
    ($($name:literal),+) => {
        static FILES: LazyLock<Vec<ErrorFile>> = LazyLock::new(|| {
            vec![$(ErrorFile {
                name: $name,
                yaml: include_str!(concat!("../../openapi/errors/", $name, ".yaml")),
                value: serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/errors_", $name, ".json")))
                    .expect("build.rs wrote it"),
            }),+]
        });
    };
}
files!("gateway", "iam", "modelarts", "mrs");

/// All files.
pub fn files() -> &'static [ErrorFile] {
    &FILES
}

impl ErrorFile {
    /// Name of the family: `gateway`, `iam`, `modelarts` or `mrs`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The published YAML of the file.
    pub fn yaml(&self) -> &'static str {
        self.yaml
    }

    /// The file as a JSON value; the order of keys is that of the YAML.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

/// The status that a documented failure comes with: the one that the tables of codes print, else 400.
#[cfg(feature = "publish")]
pub(in crate::spec) fn status_of_failure(body: &Value) -> u16 {
    let inner = if body["error"].is_object() { &body["error"] } else { body };
    let code = inner.get("error_code").or_else(|| inner.get("errorCode")).or_else(|| inner.get("code"));
    let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
    let statuses = code.and_then(|code| ErrorCode::lookup(&code)).map_or(&[][..], ErrorCode::statuses);
    statuses.iter().copied().find(|status| *status >= 400).unwrap_or(400)
}
