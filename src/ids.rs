//! Ids as types: what would change the path of a request cannot be one.

use std::collections::{BTreeSet, HashSet};
use std::fmt::{self, Display};
use std::iter;
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

/// Texts or ids in whatever a caller has them: an array, a slice, a vector, a set, or an iterator of the standard library.
///
/// An empty array needs no type: `job.update().libs([])`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of texts",
    note = "arrays of up to 32, slices, vectors, sets and the usual iterators are; `.collect::<Vec<_>>()` makes a vector"
)]
pub trait Texts {
    /// The texts, in order.
    fn into_texts(self) -> Vec<String>;
}

fn texts<T: Display>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

// One type alone for the empty array: an impl for arrays of any length would leave open which `[]` is meant.
impl Texts for [&str; 0] {
    fn into_texts(self) -> Vec<String> {
        Vec::new()
    }
}

macro_rules! arrays {
    ($($length:literal)+) => {$(
        impl<T: Display> Texts for [T; $length] {
            fn into_texts(self) -> Vec<String> {
                texts(self)
            }
        }
    )+};
}
arrays!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

macro_rules! collections {
    ($([$($generics:tt)+] $collection:ty;)+) => {$(
        impl<$($generics)+> Texts for $collection {
            fn into_texts(self) -> Vec<String> {
                texts(self)
            }
        }
    )+};
}
collections! {
    [T: Display] Vec<T>;
    [T: Display] &Vec<T>;
    [T: Display] &[T];
    [T: Display, const N: usize] &[T; N];
    [T: Display] BTreeSet<T>;
    [T: Display] &BTreeSet<T>;
    [T: Display, S] HashSet<T, S>;
    [T: Display, S] &HashSet<T, S>;
}

macro_rules! iterators {
    ($([$($generics:tt)+] $iterator:ty;)+) => {$(
        impl<$($generics)+> Texts for $iterator
        where
            Self: Iterator<Item: Display>,
        {
            fn into_texts(self) -> Vec<String> {
                texts(self)
            }
        }
    )+};
}
iterators! {
    ['a, T] std::slice::Iter<'a, T>;
    [T] std::vec::IntoIter<T>;
    [I] iter::Cloned<I>;
    [I] iter::Copied<I>;
    [I, F] iter::Filter<I, F>;
    [I, F] iter::FilterMap<I, F>;
    [I, F] iter::Map<I, F>;
    [I, J] iter::Chain<I, J>;
    [I] iter::Take<I>;
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

    #[test]
    fn texts_come_in_whatever_a_caller_has() {
        fn all(given: impl Texts) -> Vec<String> {
            given.into_texts()
        }
        let id = JobBinaryId::try_from("a").unwrap();
        let (ids, texts, set) = (vec![id.clone()], ["a"], HashSet::from([id.clone()]));
        assert!(all([]).is_empty());
        for given in [
            all(["a"]),
            all(["a".to_owned()]),
            all([&id]),
            all([id.clone()]),
            all([id.as_str()]),
            all(vec!["a"]),
            all(vec![id.clone()]),
            all(&ids),
            all(texts),
            all(&ids[..]),
            all(BTreeSet::from([&id])),
            all(&set),
            all([&id].iter()),
            all(["a", "b"].iter().copied().take(1)),
            all(["a", "b"].into_iter().filter(|text| *text == "a").collect::<Vec<_>>()),
            all(vec![1].into_iter().map(|_| &id)),
        ] {
            assert_eq!(given, ["a"]);
        }
    }
}
