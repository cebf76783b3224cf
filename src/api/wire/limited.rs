//! Texts of requests with documented limits.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::pattern::{Pattern, mismatch};

/// A text of a request that has `MIN` to `MAX` characters (not bytes) and matches a [`Pattern`].
///
/// ```
/// use huaweicloud_jobs::api::wire::{Limited, pattern};
/// type Name = Limited<pattern::Word, 1, 64>;
/// assert_eq!(Name::try_from("wordcount")?.as_str(), "wordcount");
/// assert_eq!(
///     Name::try_from("a b").unwrap_err().to_string(),
///     r#""a b" may have letters, digits, "-" and "_" only"#
/// );
/// # Ok::<(), huaweicloud_jobs::api::wire::OutOfLimits>(())
/// ```
pub struct Limited<P, const MIN: usize, const MAX: usize>(String, PhantomData<P>);

/// A text that is not within the documented limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutOfLimits(String);

impl<P, const MIN: usize, const MAX: usize> Limited<P, MIN, MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<P: Pattern, const MIN: usize, const MAX: usize> TryFrom<String> for Limited<P, MIN, MAX> {
    type Error = OutOfLimits;

    fn try_from(text: String) -> Result<Self, OutOfLimits> {
        let length = text.chars().count();
        Err(OutOfLimits(match () {
            () if length < MIN => format!("shorter than {MIN} characters"),
            () if length > MAX => format!("longer than {MAX} characters"),
            () if !P::matches(&text) => mismatch(&text, P::PATTERN),
            () => return Ok(Self(text, PhantomData)),
        }))
    }
}

impl<P: Pattern, const MIN: usize, const MAX: usize> TryFrom<&str> for Limited<P, MIN, MAX> {
    type Error = OutOfLimits;

    fn try_from(text: &str) -> Result<Self, OutOfLimits> {
        text.to_owned().try_into()
    }
}

impl<P: Pattern, const MIN: usize, const MAX: usize> FromStr for Limited<P, MIN, MAX> {
    type Err = OutOfLimits;

    fn from_str(text: &str) -> Result<Self, OutOfLimits> {
        text.try_into()
    }
}

impl<P, const MIN: usize, const MAX: usize> From<Limited<P, MIN, MAX>> for String {
    fn from(limited: Limited<P, MIN, MAX>) -> Self {
        limited.0
    }
}

impl<P, const MIN: usize, const MAX: usize> Deref for Limited<P, MIN, MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<P, const MIN: usize, const MAX: usize> AsRef<str> for Limited<P, MIN, MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<P, const MIN: usize, const MAX: usize> Clone for Limited<P, MIN, MAX> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<P, const MIN: usize, const MAX: usize> PartialEq for Limited<P, MIN, MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<P, const MIN: usize, const MAX: usize> Eq for Limited<P, MIN, MAX> {}

/// Shows the text alone.
impl<P, const MIN: usize, const MAX: usize> fmt::Debug for Limited<P, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<P, const MIN: usize, const MAX: usize> fmt::Display for Limited<P, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<P, const MIN: usize, const MAX: usize> Serialize for Limited<P, MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, P: Pattern, const MIN: usize, const MAX: usize> Deserialize<'de> for Limited<P, MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::wire::pattern::{Any, Word};

    #[test]
    fn limits_count_characters_from_both_sides() {
        type Name = Limited<Word, 1, 4>;
        for good in ["a", "a-_9"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for (bad, reason) in [
            ("", "shorter than 1 characters"),
            ("abcde", "longer than 4 characters"),
            ("a b", r#""a b" may have letters, digits, "-" and "_" only"#),
        ] {
            assert_eq!(bad.parse::<Name>().unwrap_err().to_string(), reason);
            assert!(serde_json::from_value::<Name>(bad.into()).unwrap_err().to_string().contains(reason));
        }
        let text = "é".repeat(256);
        assert!(Limited::<Any, 0, 256>::try_from(text.as_str()).is_ok());
        assert!(Limited::<Any, 0, 256>::try_from(text + "é").is_err());
    }
}
