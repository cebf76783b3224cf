//! Hand-written types for schemas whose generated types would be too strict or too loose.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Number as JsonNumber, Value};

use crate::error::Error;

mod id;
pub(crate) mod job_status;
pub(crate) mod lenient;
mod limited;
mod open_enum;
pub mod pattern;
mod time;

pub use id::{
    ClusterId, DataSourceId, EngineId, JobBinaryId, JobExeId, JobExecutionId, JobId, LabelingJobId, ModelId, ProjectId,
    SpecId, TrainingJobConfigName, TrainingJobId, TrainingJobVersionId, VisualizationJobId,
};
pub use job_status::{JobState, JobStatus};
pub use limited::{Limited, OutOfLimits};
pub(crate) use open_enum::open_enum;
pub use time::{EpochMillis, EpochSeconds, Millis, Seconds, ZonelessTime, since_epoch};

/// A whole number of a response, printed as a number or as its decimal text.
///
/// The documentation's examples print ids in both forms. A value is serialized in its original form.
///
/// ```
/// use huaweicloud_jobs::api::wire::Integer;
/// let id: Integer = serde_json::from_str("\"10\"")?;
/// assert_eq!(id.get(), 10);
/// assert_eq!(serde_json::to_string(&id)?, "\"10\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Integer {
    value: i64,
    quoted: bool,
}

/// Shows the number alone.
impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Integer {
    /// The number.
    pub const fn get(self) -> i64 {
        self.value
    }
}

/// Two numbers are equal in any form.
impl PartialEq for Integer {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Integer {}

impl Hash for Integer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl PartialEq<i64> for Integer {
    fn eq(&self, other: &i64) -> bool {
        self.value == *other
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self { value, quoted: false }
    }
}

impl From<Integer> for i64 {
    fn from(integer: Integer) -> Self {
        integer.value
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl FromStr for Integer {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|value| Self { value, quoted: true })
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.quoted { serializer.collect_str(&self.value) } else { serializer.serialize_i64(self.value) }
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or its decimal text")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Integer, E> {
                Ok(value.into())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Integer, E> {
                i64::try_from(value)
                    .map(Into::into)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Integer, E> {
                // 2^53: above it a float cannot represent every integer.
                if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
                    Ok((value as i64).into())
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(value), &self))
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Integer, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A number of a response, printed as a number or as its decimal text.
#[derive(Clone, Debug, PartialEq)]
pub struct Number(Text);

impl Number {
    /// The number; a whole number beyond 2^53 is rounded.
    pub fn get(&self) -> f64 {
        match &self.0 {
            Text::String(text) => text.parse().unwrap_or(f64::NAN),
            Text::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Number {
    type Err = std::num::ParseFloatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<f64>().map(|_| Self(Text::String(text.to_owned())))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Text::deserialize(deserializer)? {
            Text::String(text) => text
                .parse()
                .map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &"a number or its decimal text")),
            number => Ok(Self(number)),
        }
    }
}

/// A text of a response that the documents' examples also print as a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// As documented.
    String(String),
    /// Printed as a number.
    Number(JsonNumber),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::String(text)),
            Value::Number(number) => Ok(Self::Number(number)),
            // One edition documents a time as a boolean.
            Value::Bool(value) => Ok(Self::String(value.to_string())),
            other => Err(de::Error::custom(format!("{other} is neither a text nor a number"))),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl FromStr for Text {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::String(text.to_owned()))
    }
}

/// A truth value of a response, printed as a boolean or as its text.
#[derive(Clone, Copy)]
pub struct Boolean {
    value: bool,
    quoted: bool,
}

/// Shows the value alone.
impl fmt::Debug for Boolean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Boolean {
    /// The value.
    pub const fn get(self) -> bool {
        self.value
    }
}

/// Two values are equal in any form.
impl PartialEq for Boolean {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Boolean {}

impl fmt::Display for Boolean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl FromStr for Boolean {
    type Err = std::str::ParseBoolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_ascii_lowercase().parse().map(|value| Self { value, quoted: true })
    }
}

impl Serialize for Boolean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.quoted { serializer.collect_str(&self.value) } else { serializer.serialize_bool(self.value) }
    }
}

impl<'de> Deserialize<'de> for Boolean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(value) => Ok(Self { value, quoted: false }),
            Value::Number(number) if number.as_i64() == Some(0) => Ok(Self { value: false, quoted: false }),
            Value::Number(number) if number.as_i64() == Some(1) => Ok(Self { value: true, quoted: false }),
            Value::String(text) => {
                text.parse().map_err(|_| de::Error::custom(format!("{text:?} is neither a truth value nor its text")))
            }
            other => Err(de::Error::custom(format!("{other} is neither a truth value nor its text"))),
        }
    }
}

/// A percentage from 0 to 100 with at most two decimals, sent as a number or as a string.
///
/// ```
/// use huaweicloud_jobs::api::wire::Percent;
/// assert_eq!("98.00".parse::<Percent>()?.to_string(), "98.00");
/// assert!("100.01".parse::<Percent>().is_err());
/// # Ok::<(), huaweicloud_jobs::api::wire::NotAPercent>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Percent(Number);

/// The error for a string or number that is not a percentage with at most two decimals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not from 0.00 to 100.00 with at most two decimals")]
pub struct NotAPercent(String);

impl Percent {
    /// The percentage, from 0 to 100.
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

impl TryFrom<Number> for Percent {
    type Error = NotAPercent;

    fn try_from(number: Number) -> Result<Self, NotAPercent> {
        let text = number.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let plain = !whole.is_empty() && digits(whole) && digits(decimals) && decimals.len() <= 2;
        if plain && (0.0..=100.0).contains(&number.get()) { Ok(Self(number)) } else { Err(NotAPercent(text)) }
    }
}

impl FromStr for Percent {
    type Err = NotAPercent;

    fn from_str(text: &str) -> Result<Self, NotAPercent> {
        text.parse::<Number>().map_err(|_| NotAPercent(text.to_owned()))?.try_into()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Number::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

/// A value that some responses print as JSON and others as a text that holds its JSON.
///
/// ```
/// use huaweicloud_jobs::api::wire::Embedded;
/// let both: [Embedded<Vec<u8>>; 2] = serde_json::from_str(r#"[[1, 2], "[1, 2]"]"#)?;
/// assert_eq!(both[0].get()?, both[1].get()?);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Embedded<T> {
    json: Value,
    #[serde(skip)]
    value: PhantomData<T>,
}

impl<T: DeserializeOwned> Embedded<T> {
    /// The value, parsed.
    ///
    /// # Errors
    ///
    /// A text that holds other JSON.
    pub fn get(&self) -> Result<T, serde_json::Error> {
        match &self.json {
            Value::String(text) => serde_json::from_str(text),
            json => T::deserialize(json),
        }
    }
}

impl<T> fmt::Display for Embedded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.json {
            Value::String(text) => text.fmt(f),
            json => json.fmt(f),
        }
    }
}

impl<T> FromStr for Embedded<T> {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { json: Value::String(text.to_owned()), value: PhantomData })
    }
}

/// A value that is sent unchanged and cannot be printed.
///
/// ```
/// use huaweicloud_jobs::api::wire::Hidden;
/// let hidden: Hidden<Vec<u8>> = serde_json::from_str("[1, 2]")?;
/// assert_eq!(format!("{hidden:?}"), "Hidden(***)");
/// assert_eq!(hidden.get(), &[1, 2]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden<T>(T);

impl<T> Hidden<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Hidden<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(***)")
    }
}

/// An integer of a request, from `LOW` to `HIGH`, both included.
///
/// ```
/// use huaweicloud_jobs::api::wire::Bounded;
/// assert_eq!(Bounded::<1, 1000>::try_from(10_u32)?.get(), 10);
/// assert_eq!(Bounded::<1, 1000>::try_from(0_u32).unwrap_err().to_string(), "0 is not from 1 to 1000");
/// # Ok::<(), huaweicloud_jobs::api::wire::OutOfBounds>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Bounded<const LOW: i64, const HIGH: i64>(i64);

/// The error for a number outside the documented bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not from {low} to {high}")]
pub struct OutOfBounds {
    value: i64,
    low: i64,
    high: i64,
}

impl<const LOW: i64, const HIGH: i64> Bounded<LOW, HIGH> {
    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const LOW: i64, const HIGH: i64> TryFrom<i64> for Bounded<LOW, HIGH> {
    type Error = OutOfBounds;

    fn try_from(value: i64) -> Result<Self, OutOfBounds> {
        if (LOW..=HIGH).contains(&value) { Ok(Self(value)) } else { Err(OutOfBounds { value, low: LOW, high: HIGH }) }
    }
}

macro_rules! bounded_from {
    ($($number:ty)+) => {$(
        impl<const LOW: i64, const HIGH: i64> TryFrom<$number> for Bounded<LOW, HIGH> {
            type Error = OutOfBounds;

            fn try_from(value: $number) -> Result<Self, OutOfBounds> {
                i64::from(value).try_into()
            }
        }
    )+};
}
bounded_from!(i32 u32);

impl<const LOW: i64, const HIGH: i64> fmt::Display for Bounded<LOW, HIGH> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const LOW: i64, const HIGH: i64> FromStr for Bounded<LOW, HIGH> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value: i64 = text.parse().map_err(|error| format!("{text}: {error}"))?;
        value.try_into().map_err(|error: OutOfBounds| error.to_string())
    }
}

impl<'de, const LOW: i64, const HIGH: i64> Deserialize<'de> for Bounded<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

/// One segment of a path. A text that would change the rest of the path is rejected: the empty text, `.`, `..`, anything with a slash.
///
/// ```
/// use huaweicloud_jobs::api::wire::Segment;
/// assert!(Segment::try_from("b8ea4daa-0042-45e0-a522-e8b714e74760").is_ok());
/// assert_eq!(Segment::try_from("..").unwrap_err().to_string(), "is a relative path");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Segment(String);

/// The reason why a string cannot be a segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotASegment(&'static str);

impl Segment {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits of a number, which are always a valid segment.
    pub(crate) fn digits(number: impl Into<i64>) -> Self {
        Self(number.into().to_string())
    }
}

impl TryFrom<String> for Segment {
    type Error = NotASegment;

    fn try_from(text: String) -> Result<Self, NotASegment> {
        Err(NotASegment(match text.as_str() {
            text if text.trim().is_empty() => "is empty",
            "." | ".." => "is a relative path",
            _ if text.contains(['/', '\\']) => "holds a slash",
            _ if text.contains(char::is_control) => "holds a control character",
            _ => return Ok(Self(text)),
        }))
    }
}

impl TryFrom<&str> for Segment {
    type Error = NotASegment;

    fn try_from(text: &str) -> Result<Self, NotASegment> {
        text.to_owned().try_into()
    }
}

impl FromStr for Segment {
    type Err = NotASegment;

    fn from_str(text: &str) -> Result<Self, NotASegment> {
        text.try_into()
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A time in the form of IAM, `2020-01-04T09:05:22.701000Z`.
pub(crate) fn time(text: &str) -> Option<SystemTime> {
    text.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}

/// Converts a number to the generated type of a field, or returns an error that names the field and its limit.
pub(crate) fn bounded<const LOW: i64, const HIGH: i64>(
    field: &'static str,
    value: impl Into<i64>,
) -> Result<Bounded<LOW, HIGH>, Error> {
    Bounded::try_from(value.into()).map_err(|reason| Error::invalid_field(field, reason))
}

/// Converts a text to the generated type of a field, or returns an error that names the field, its limit and the length.
pub(crate) fn checked<T>(field: &'static str, text: impl AsRef<str>) -> Result<T, Error>
where
    T: for<'a> TryFrom<&'a str, Error: fmt::Display>,
{
    let text = text.as_ref();
    T::try_from(text).map_err(|reason| {
        let reason = reason.to_string();
        // A message that shows the value follows the field and a colon, any other one continues the sentence.
        match reason.starts_with('"') {
            true => Error::mismatched_field(field, reason),
            false => {
                Error::invalid_field(field, format!("{reason} (the value has {} characters)", text.chars().count()))
            }
        }
    })
}
