//! Clouds: the overlays that make the edition of a cloud out of the description.

use std::sync::LazyLock;

use serde_json::Value;

use super::overlay::Overlay;
use crate::cloud::{Cloud, Documented};

/// Name, YAML and JSON of each overlay.
const FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/overlays.rs"));

/// The overlay of a cloud.
#[derive(Debug)]
pub struct CloudFile {
    yaml: &'static str,
    value: Value,
}

impl CloudFile {
    /// The overlay as it is written, in YAML.
    pub fn yaml(&self) -> &'static str {
        self.yaml
    }

    /// The overlay as a JSON value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The overlay, ready to be applied.
    pub fn parsed(&self) -> Overlay {
        Overlay::parse(&self.value).expect("build.rs has parsed it")
    }

    /// What its operator documents, in one sentence or two.
    pub fn summary(&self) -> &str {
        self.value["x-cloud"]["summary"].as_str().unwrap_or_default()
    }

    /// What is to know about accounts and projects.
    pub fn sign_in(&self) -> impl Iterator<Item = &str> {
        self.value["x-cloud"]["sign-in"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// The changes: each with its target, the reason and the sources.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        self.value["actions"].as_array().into_iter().flatten().map(Change)
    }
}

/// A change that an overlay makes.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a>(&'a Value);

impl<'a> Change<'a> {
    /// What is changed, as JSONPath.
    pub fn target(self) -> &'a str {
        self.0["target"].as_str().unwrap_or_default()
    }

    /// Why.
    pub fn reason(self) -> &'a str {
        self.0["description"].as_str().unwrap_or_default()
    }

    /// The pages that say so.
    pub fn sources(self) -> impl Iterator<Item = &'a str> {
        self.0["x-source"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }
}

/// The overlay of a cloud.
pub fn overlay(cloud: Cloud) -> &'static CloudFile {
    static OVERLAYS: LazyLock<Vec<CloudFile>> = LazyLock::new(|| {
        let file = |(_, yaml, json): &(&str, &'static str, &str)| CloudFile {
            yaml,
            value: serde_json::from_str(json).expect("build.rs wrote it"),
        };
        FILES.iter().map(file).collect()
    });
    &OVERLAYS[cloud.index()]
}

/// A region of which only some pages are known.
#[derive(Debug)]
pub struct Partial(Value);

impl Partial {
    /// Its title with the id of the region.
    pub fn heading(&self) -> String {
        let text = |key: &str| self.0[key].as_str().unwrap_or_default();
        format!("{} (`{}`)", text("title"), text("region"))
    }

    /// What else is to say, in one sentence or two.
    pub fn note(&self) -> &str {
        self.0["note"].as_str().unwrap_or_default()
    }

    fn has(&self, key: &str, operation: &str) -> bool {
        self.0[key].as_array().is_some_and(|all| all.iter().any(|one| one == operation))
    }

    /// Whether its documentation has an operation.
    pub fn documents(&self, operation: &str) -> Documented {
        match () {
            () if self.has("unknown", operation) => Documented::Unknown,
            () if self.has("documented", operation) || self.deprecates(operation) => Documented::Yes,
            () => Documented::No,
        }
    }

    /// Whether it calls an operation deprecated.
    pub fn deprecates(&self, operation: &str) -> bool {
        self.has("deprecated", operation)
    }
}

/// The regions of which only some pages are known.
pub fn partial() -> &'static [Partial] {
    static EDITIONS: LazyLock<Vec<Partial>> = LazyLock::new(|| {
        let json = include_str!(concat!(env!("OUT_DIR"), "/partial_editions.json"));
        let file: Value = serde_json::from_str(json).expect("build.rs wrote it");
        file["editions"].as_object().into_iter().flatten().map(|(_, edition)| Partial(edition.clone())).collect()
    });
    &EDITIONS
}
