//! Ids as types: what would change the path of a request cannot be one.

use std::fmt;
use std::str::FromStr;

use crate::api::wire::{Segment, checked};
use crate::error::Error;

macro_rules! text_ids {
    ($($(#[$attribute:meta])* $name:ident = $kind:literal;)+) => {$(
        $(#[$attribute])*
        ///
        /// The empty text, `.`, `..` and anything with a slash are refused.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Segment);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<&$name> for Segment {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                checked($kind, text).map(Self)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                text.to_owned().try_into()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = Error;

            fn try_from(text: &String) -> Result<Self, Error> {
                text.as_str().try_into()
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
    )+};
}

text_ids! {
    /// Id of a project, that is of a tenant's part of a region.
    ProjectId = "project_id";
    /// Id of a visualization job. The path takes a text, the answers print a number; both are accepted.
    VisualizationJobId = "job_id";
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
}

macro_rules! number_ids {
    ($($(#[$attribute:meta])* $name:ident = $kind:literal;)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            /// The id as number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl From<i32> for $name {
            fn from(number: i32) -> Self {
                Self(number.into())
            }
        }

        impl From<u32> for $name {
            fn from(number: u32) -> Self {
                Self(number.into())
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                let number = text.parse();
                number.map(Self).map_err(|error| Error::invalid_field($kind, format!("is not a whole number: {error}")))
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
    )+};
}

number_ids! {
    /// Id of a training job.
    TrainingJobId = "job_id";
    /// Id of a version of a training job.
    TrainingJobVersionId = "version_id";
}

impl From<i64> for VisualizationJobId {
    fn from(number: i64) -> Self {
        Self(Segment::digits(number))
    }
}

impl From<i32> for VisualizationJobId {
    fn from(number: i32) -> Self {
        Self(Segment::digits(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_path_is_no_id() {
        for text in ["", ".", "..", "a/b", "/", "..\\x", "a\nb"] {
            let error = JobId::try_from(text).unwrap_err();
            assert!(error.is_invalid_request(), "{text:?}: {error}");
            assert!(error.to_string().contains("job_id"), "{error}");
        }
        assert_eq!(JobId::try_from("a.b").unwrap().as_str(), "a.b");
        assert_eq!("182626".parse::<TrainingJobId>().unwrap().get(), 182_626);
        assert!("1/2".parse::<TrainingJobId>().unwrap_err().is_invalid_request());
    }
}
