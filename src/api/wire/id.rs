//! Ids as types. A text that would change the path of a request cannot be an id.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Integer, Segment, Text, checked};
use crate::error::Error;

/// What text ids and number ids have in common: they come from references and from optional fields of responses.
macro_rules! any_id {
    ($name:ident = $kind:literal) => {
        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                Clone::clone(id)
            }
        }

        impl From<&&$name> for $name {
            fn from(id: &&$name) -> Self {
                Clone::clone(*id)
            }
        }

        /// An optional field of a response; a missing value is an error.
        impl TryFrom<Option<$name>> for $name {
            type Error = Error;

            fn try_from(id: Option<$name>) -> Result<Self, Error> {
                id.ok_or_else(|| Error::invalid_field($kind, "is missing: the response that it comes from has none"))
            }
        }

        impl TryFrom<&Option<$name>> for $name {
            type Error = Error;

            fn try_from(id: &Option<$name>) -> Result<Self, Error> {
                Clone::clone(id).try_into()
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.as_str().try_into()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = Error;

            fn try_from(text: &String) -> Result<Self, Error> {
                text.as_str().try_into()
            }
        }

        impl TryFrom<&&str> for $name {
            type Error = Error;

            fn try_from(text: &&str) -> Result<Self, Error> {
                (*text).try_into()
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                text.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! text_ids {
    ($($(#[$attribute:meta])* $name:ident = $kind:literal;)+) => {$(
        $(#[$attribute])*
        ///
        /// The empty text, `.`, `..` and anything with a slash are rejected.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Segment);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                checked($kind, text).map(Self)
            }
        }

        text!($name);
        any_id!($name = $kind);
    )+};
}

/// An id that is a segment of a path.
macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl From<$name> for Segment {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<&$name> for Segment {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }
    };
}

text_ids! {
    /// Id of a project, that is of a tenant's part of a region.
    ProjectId = "project_id";
    /// Name of a saved configuration of training jobs, by which it is found.
    TrainingJobConfigName = "config_name";
    /// Id of a labeling job.
    LabelingJobId = "job_id";
    /// Id of an MRS job object.
    JobId = "job_id";
    /// Id of an MRS job binary.
    JobBinaryId = "job_binary_id";
    /// Id of an MRS data source.
    DataSourceId = "data_source_id";
    /// Id of an execution of an MRS job object.
    JobExecutionId = "job_execution_id";
    /// Id of a job submitted to an MRS cluster.
    JobExeId = "job_exe_id";
    /// Id of an MRS cluster.
    ClusterId = "cluster_id";
}

macro_rules! number_ids {
    ($($(#[$attribute:meta])* $name:ident = $kind:literal;)+) => {$(
        $(#[$attribute])*
        ///
        /// Responses print it as a number or as text; it is written back as it was read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Integer);

        impl $name {
            /// The id as a number.
            pub const fn get(self) -> i64 {
                self.0.get()
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.get()
            }
        }

        impl From<&$name> for i64 {
            fn from(id: &$name) -> Self {
                id.get()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                let number = text.parse::<i64>();
                let refused = |error| Error::invalid_field($kind, format!("is not a whole number: {error}: {text:?}"));
                number.map(Self::from).map_err(refused)
            }
        }

        numbers!($name(number) = $kind: Self(i64::from(number).into()));
        any_id!($name = $kind);
    )+};
}

/// Conversions from every kind of number; those that may not fit can fail.
macro_rules! numbers {
    ($name:ident($number:ident) = $kind:literal: $value:expr) => {
        numbers!(@sound $name($number): $value; i8 i16 i32 i64 u8 u16 u32);
        numbers!(@checked $name = $kind; isize u64 usize);
    };
    (@sound $name:ident($number:ident): $value:expr; $($sound:ty)+) => {$(
        impl From<$sound> for $name {
            fn from($number: $sound) -> Self {
                $value
            }
        }
    )+};
    (@checked $name:ident = $kind:literal; $($checked:ty)+) => {$(
        impl TryFrom<$checked> for $name {
            type Error = Error;

            fn try_from(number: $checked) -> Result<Self, Error> {
                let refused = |_| Error::invalid_field($kind, format!("is too large for an id: {number}"));
                i64::try_from(number).map(Self::from).map_err(refused)
            }
        }
    )+};
}

number_ids! {
    /// Id of a training job.
    TrainingJobId = "job_id";
    /// Id of a version of a training job.
    TrainingJobVersionId = "version_id";
    /// Id of an engine that runs code.
    EngineId = "engine_id";
    /// Id of a resource specification.
    SpecId = "spec_id";
    /// Id of a built-in algorithm, which the service calls a model.
    ModelId = "model_id";
}

/// Id of a visualization job. The path takes a text, responses print a number; both are accepted.
///
/// The empty text, `.`, `..` and anything with a slash are rejected.
#[derive(Clone)]
pub struct VisualizationJobId(Segment, Printed);

/// How an id goes into JSON.
#[derive(Clone, Copy)]
enum Printed {
    Text,
    Number,
}

text!(VisualizationJobId);
any_id!(VisualizationJobId = "job_id");
numbers!(VisualizationJobId(number) = "job_id": Self(Segment::digits(number), Printed::Number));

impl TryFrom<&str> for VisualizationJobId {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        checked("job_id", text).map(|segment| Self(segment, Printed::Text))
    }
}

impl fmt::Debug for VisualizationJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VisualizationJobId").field(&format_args!("{}", self.as_str())).finish()
    }
}

/// Two ids are equal however they were printed.
impl PartialEq for VisualizationJobId {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for VisualizationJobId {}

impl Hash for VisualizationJobId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialOrd for VisualizationJobId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VisualizationJobId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl Serialize for VisualizationJobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.1, self.as_str().parse::<i64>()) {
            (Printed::Number, Ok(number)) => serializer.serialize_i64(number),
            _ => serializer.serialize_str(self.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for VisualizationJobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (text, printed) = match Text::deserialize(deserializer)? {
            Text::String(text) => (text, Printed::Text),
            Text::Number(number) => (number.to_string(), Printed::Number),
        };
        Segment::try_from(text).map(|segment| Self(segment, printed)).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    #[test]
    fn what_changes_a_path_is_no_id() {
        for text in ["", ".", "..", "a/b", "/", "..\\x", "a\nb"] {
            let error = JobId::try_from(text).unwrap_err();
            assert!(error.is_invalid_request(), "{text:?}: {error}");
            assert!(error.to_string().contains("job_id"), "{error}");
            assert!(VisualizationJobId::try_from(text).is_err(), "{text:?}");
            assert!(serde_json::from_value::<JobId>(text.into()).is_err(), "{text:?}");
        }
        assert_eq!(JobId::try_from("a.b").unwrap().as_str(), "a.b");
        assert_eq!("182626".parse::<TrainingJobId>().unwrap().get(), 182_626);
        assert!("1/2".parse::<TrainingJobId>().unwrap_err().is_invalid_request());
        assert!(TrainingJobId::try_from(u64::MAX).unwrap_err().to_string().contains("too large"));
    }

    #[test]
    fn ids_are_equal_however_they_were_printed() {
        let (number, text): (TrainingJobId, TrainingJobId) =
            (serde_json::from_str("10").unwrap(), serde_json::from_str("\"10\"").unwrap());
        assert_eq!(number, text);
        assert_eq!(format!("{number:?} {text:?} {text}"), "TrainingJobId(10) TrainingJobId(10) 10");
        assert_eq!(HashSet::from([number, text, 10.into()]).len(), 1);
        assert_eq!(BTreeSet::from([number, text, 9.into()]).len(), 2);
        assert_eq!(serde_json::to_string(&[number, text]).unwrap(), r#"[10,"10"]"#);

        let (number, text): (VisualizationJobId, VisualizationJobId) =
            (serde_json::from_str("197").unwrap(), serde_json::from_str("\"197\"").unwrap());
        assert_eq!((&number, format!("{number:?}")), (&text, "VisualizationJobId(197)".to_owned()));
        assert_eq!(HashSet::from([number.clone(), text.clone(), 197_u64.try_into().unwrap()]).len(), 1);
        assert_eq!(serde_json::to_string(&[number, text]).unwrap(), r#"[197,"197"]"#);
    }
}
