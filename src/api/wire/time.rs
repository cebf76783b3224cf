//! Times and durations of responses in the five forms of the APIs.
//!
//! Each type keeps the printed value and serializes it in the same form. A number outside of the calendar becomes the
//! end of the calendar.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Integer, Number, Text};

macro_rules! numbers {
    ($($(#[$attribute:meta])* $name:ident($inner:ty) -> $method:ident: $typed:ty, $convert:expr;)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            #[doc = concat!("The ", stringify!($method), ".")]
            pub fn $method(&self) -> $typed {
                let convert: fn(&$inner) -> $typed = $convert;
                convert(&self.0)
            }

            /// The printed value.
            pub fn as_printed(&self) -> &$inner {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = <$inner as FromStr>::Err;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

numbers! {
    /// A time, printed in milliseconds since 1970 in UTC.
    ///
    /// ```
    /// use huaweicloud_jobs::api::wire::EpochMillis;
    /// let created: EpochMillis = serde_json::from_str("\"1524189990635\"")?;
    /// assert_eq!(created.timestamp().to_string(), "2018-04-20T02:06:30.635Z");
    /// assert_eq!(serde_json::to_string(&created)?, "\"1524189990635\"");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    EpochMillis(Integer) -> timestamp: Timestamp,
    |number| since_epoch(number.get());

    /// A time, printed in seconds since 1970 in UTC. Services also print milliseconds, see [`since_epoch`].
    EpochSeconds(Integer) -> timestamp: Timestamp,
    |number| since_epoch(number.get());

    /// A duration, printed in milliseconds.
    Millis(Integer) -> duration: SignedDuration,
    |number| SignedDuration::from_millis(number.get());

    /// A duration, printed in seconds with a fraction.
    Seconds(Number) -> duration: SignedDuration,
    |number| SignedDuration::try_from_secs_f64(number.get()).unwrap_or_default();
}

/// Converts a number of a response into a time; it counts from 1970 in UTC.
///
/// The same field has seconds in one response and milliseconds in another, so the size of the number decides: up to
/// eleven digits are seconds (until the year 5138), more digits are milliseconds (since March 1973).
///
/// ```
/// use huaweicloud_jobs::api::wire::since_epoch;
/// assert_eq!(since_epoch(1_496_387_588).to_string(), "2017-06-02T07:13:08Z");
/// assert_eq!(since_epoch(1_496_387_588_913).to_string(), "2017-06-02T07:13:08.913Z");
/// ```
pub fn since_epoch(number: i64) -> Timestamp {
    let end = if number < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let counts_seconds = number.unsigned_abs() < 100_000_000_000;
    let time = if counts_seconds { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) };
    time.unwrap_or(end)
}

/// A time, printed without a zone: `2017-06-22T12:05:58`.
///
/// The documentation names no time zone. UTC is assumed, since MRS stores its other times in UTC (they count from
/// 1970). A string with a time zone keeps it.
///
/// ```
/// use huaweicloud_jobs::api::wire::ZonelessTime;
/// let created: ZonelessTime = serde_json::from_str("\"2017-06-22T12:05:58\"")?;
/// assert_eq!(created.timestamp().unwrap().to_string(), "2017-06-22T12:05:58Z");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZonelessTime(Text);

impl ZonelessTime {
    /// The time, or `None` if the string is not a time.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let text = self.0.to_string();
        let with_zone = text.parse::<Timestamp>().ok();
        with_zone.or_else(|| Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
    }

    /// The printed value.
    pub fn as_printed(&self) -> &Text {
        &self.0
    }
}

impl fmt::Display for ZonelessTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ZonelessTime {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_calendar_holds_is_its_end() {
        let parse = |text: &str| serde_json::from_str::<EpochMillis>(text).unwrap().timestamp();
        assert_eq!(parse("9223372036854775807"), Timestamp::MAX);
        assert_eq!(parse("-9223372036854775808"), Timestamp::MIN);
        let seconds = |text: &str| serde_json::from_str::<Seconds>(text).unwrap().duration();
        assert_eq!(seconds("1.5"), SignedDuration::from_millis(1500));
        assert_eq!(seconds("1e300"), SignedDuration::ZERO);
        assert_eq!(
            serde_json::from_str::<Millis>("\"532003\"").unwrap().duration(),
            SignedDuration::from_millis(532_003)
        );
    }

    /// The unit of the field in the description does not matter.
    #[test]
    fn the_number_of_digits_tells_seconds_from_milliseconds() {
        for (printed, expected) in [
            ("1498125600", "2017-06-22T10:00:00Z"),
            ("\"1498125600\"", "2017-06-22T10:00:00Z"),
            ("1496387588913", "2017-06-02T07:13:08.913Z"),
            ("\"1496387588913\"", "2017-06-02T07:13:08.913Z"),
            ("99999999999", "5138-11-16T09:46:39Z"),
            ("100000000000", "1973-03-03T09:46:40Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("-1", "1969-12-31T23:59:59Z"),
        ] {
            let seconds: EpochSeconds = serde_json::from_str(printed).unwrap();
            let millis: EpochMillis = serde_json::from_str(printed).unwrap();
            assert_eq!(seconds.timestamp().to_string(), expected);
            assert_eq!(millis.timestamp().to_string(), expected);
            assert_eq!(serde_json::to_string(&seconds).unwrap(), printed);
        }
    }

    #[test]
    fn a_text_that_is_no_time_is_kept() {
        for (text, expected) in [
            ("2017-06-22T12:05:58", Some("2017-06-22T12:05:58Z")),
            ("2017-06-22 12:05:58.25", Some("2017-06-22T12:05:58.25Z")),
            ("2017-06-22T12:05:58+08:00", Some("2017-06-22T04:05:58Z")),
            ("now", None),
        ] {
            let time: ZonelessTime = text.parse().unwrap();
            assert_eq!(time.timestamp().map(|time| time.to_string()).as_deref(), expected, "{text}");
            assert_eq!(serde_json::to_value(&time).unwrap(), text);
        }
        let number: ZonelessTime = serde_json::from_str("7").unwrap();
        assert_eq!((number.timestamp(), number.to_string().as_str()), (None, "7"));
    }
}
