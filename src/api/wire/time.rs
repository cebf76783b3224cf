//! Times and durations of answers, in the five ways in which the APIs print them.
//!
//! Each keeps what was printed and writes it back the same way. A number that no calendar holds is taken as the end of
//! the calendar.

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

            /// What was printed.
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
    |number| Timestamp::from_millisecond(number.get()).unwrap_or_else(|_| end(number.get()));

    /// A time, printed in seconds since 1970 in UTC.
    EpochSeconds(Integer) -> timestamp: Timestamp,
    |number| Timestamp::from_second(number.get()).unwrap_or_else(|_| end(number.get()));

    /// A duration, printed in milliseconds.
    Millis(Integer) -> duration: SignedDuration,
    |number| SignedDuration::from_millis(number.get());

    /// A duration, printed in seconds with a fraction.
    Seconds(Number) -> duration: SignedDuration,
    |number| SignedDuration::try_from_secs_f64(number.get()).unwrap_or_default();
}

fn end(number: i64) -> Timestamp {
    if number < 0 { Timestamp::MIN } else { Timestamp::MAX }
}

/// A time, printed without a zone: `2017-06-22T12:05:58`.
///
/// The documents name no zone. It is taken as UTC, in which MRS keeps its other times (they are counted from 1970). A
/// text that does say its zone is taken at its word.
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
    /// The time; none if the text is no time.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let text = self.0.to_string();
        let with_zone = text.parse::<Timestamp>().ok();
        with_zone.or_else(|| Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
    }

    /// What was printed.
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
        let seconds: EpochSeconds = serde_json::from_str("1498125600").unwrap();
        assert_eq!(seconds.timestamp().to_string(), "2017-06-22T10:00:00Z");
        let seconds = |text: &str| serde_json::from_str::<Seconds>(text).unwrap().duration();
        assert_eq!(seconds("1.5"), SignedDuration::from_millis(1500));
        assert_eq!(seconds("1e300"), SignedDuration::ZERO);
        assert_eq!(
            serde_json::from_str::<Millis>("\"532003\"").unwrap().duration(),
            SignedDuration::from_millis(532_003)
        );
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
