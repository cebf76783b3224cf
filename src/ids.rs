//! Arguments that name objects: one id or several, in whatever form a caller has them.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;
use std::iter;

use crate::error::Error;

/// Converts an id. Builders keep the outcome, so that a malformed id is reported when the request is sent.
pub(crate) fn given<K>(id: impl TryInto<K, Error: Into<Error>>) -> Result<K, Error> {
    id.try_into().map_err(Into::into)
}

/// Several ids in whatever a caller has them: an array, a slice, a vector, a set, or an iterator of the standard library,
/// each of ids, of references to ids, of texts, of handles, or of [entries](crate::Entry).
///
/// An empty array needs no type: `job.update().libs([])`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of `{K}`",
    note = "arrays of up to 32, slices, vectors, sets and the usual iterators are; `.collect::<Vec<_>>()` makes a vector"
)]
pub trait Ids<K> {
    /// Converts the ids, in order.
    ///
    /// # Errors
    ///
    /// The first id that is malformed.
    fn into_ids(self) -> Result<Vec<K>, Error>;
}

/// Several texts in whatever a caller has them: an array, a slice, a vector, a set, or an iterator of the standard library.
///
/// An empty array needs no type: `job.execute(cluster, input, output).args([])`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of texts",
    note = "arrays of up to 32, slices, vectors, sets and the usual iterators are; `.collect::<Vec<_>>()` makes a vector"
)]
pub trait Texts {
    /// Converts the items to texts, in order.
    fn into_texts(self) -> Vec<String>;
}

fn ids<K>(items: impl IntoIterator<Item: TryInto<K, Error: Into<Error>>>) -> Result<Vec<K>, Error> {
    items.into_iter().map(given).collect()
}

fn texts<T: Display>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

// Only one type has an impl for the empty array: an impl for arrays of any length would make `[]` ambiguous.
impl<K> Ids<K> for [&str; 0] {
    fn into_ids(self) -> Result<Vec<K>, Error> {
        Ok(Vec::new())
    }
}

impl Texts for [&str; 0] {
    fn into_texts(self) -> Vec<String> {
        Vec::new()
    }
}

/// Implements both traits for a collection with items of one type.
macro_rules! collections {
    ($([$($generics:tt)*] $collection:ty, $item:ty;)+) => {$(
        impl<$($generics)*, K> Ids<K> for $collection
        where
            $item: TryInto<K, Error: Into<Error>>,
        {
            fn into_ids(self) -> Result<Vec<K>, Error> {
                ids(self)
            }
        }

        impl<$($generics)*> Texts for $collection
        where
            $item: Display,
        {
            fn into_texts(self) -> Vec<String> {
                texts(self)
            }
        }
    )+};
}
collections! {
    [T] Vec<T>, T;
    ['a, T] &'a Vec<T>, &'a T;
    ['a, T] &'a [T], &'a T;
    ['a, T, const N: usize] &'a [T; N], &'a T;
    [T] BTreeSet<T>, T;
    ['a, T] &'a BTreeSet<T>, &'a T;
    [T, S] HashSet<T, S>, T;
    ['a, T, S] &'a HashSet<T, S>, &'a T;
    ['a, T] std::slice::Iter<'a, T>, &'a T;
    [T] std::vec::IntoIter<T>, T;
}

macro_rules! arrays {
    ($($length:literal)+) => {
        collections! {$([T] [T; $length], T;)+}
    };
}
arrays!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

/// Implements both traits for iterators that other iterators are made into.
macro_rules! iterators {
    ($([$($generics:ident),+] $iterator:ty;)+) => {$(
        impl<K, $($generics),+> Ids<K> for $iterator
        where
            Self: Iterator<Item: TryInto<K, Error: Into<Error>>>,
        {
            fn into_ids(self) -> Result<Vec<K>, Error> {
                ids(self)
            }
        }

        impl<$($generics),+> Texts for $iterator
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
    use crate::api::wire::JobBinaryId;

    #[test]
    fn texts_and_ids_come_in_whatever_a_caller_has() {
        fn all(given: impl Ids<JobBinaryId> + Texts + Clone) -> Vec<String> {
            let ids: Vec<String> = given.clone().into_ids().unwrap().into_iter().map(String::from).collect();
            assert_eq!(ids, given.into_texts());
            ids
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
            all(&texts),
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
        let error = Ids::<JobBinaryId>::into_ids(["a", ".."]).unwrap_err();
        assert_eq!(error.field(), Some("job_binary_id"));
    }
}
