//! The time of a signature, in the form of the header `X-Sdk-Date`.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;
use jiff::civil::DateTime;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A time in UTC with a precision of seconds, for `X-Sdk-Date`.
///
/// In a request it has exactly the form `YYYYMMDDTHHMMSSZ`. Gateways accept a difference of 15 minutes. A verifier
/// checks the difference with [`unix_seconds`](Self::unix_seconds).
///
/// ```
/// use huaweicloud_jobs::session::signing::Date;
///
/// let date: Date = "20191115T033655Z".parse()?;
/// assert_eq!(date.unix_seconds(), 1_573_789_015);
/// assert_eq!(Date::try_from(std::time::SystemTime::from(date))?, date);
/// # Ok::<(), huaweicloud_jobs::session::signing::DateError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    unix_seconds: i64,
    text: [u8; 16],
}

/// The error for a string that is not `YYYYMMDDTHHMMSSZ`, or a time outside of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time in UTC written as YYYYMMDDTHHMMSSZ")]
#[non_exhaustive]
pub struct DateError;

impl Date {
    /// Returns the time this number of seconds after 1970-01-01T00:00:00Z (before, if negative).
    ///
    /// # Errors
    ///
    /// A time before 1970 or after the year 9999.
    pub fn from_unix_seconds(unix_seconds: i64) -> Result<Self, DateError> {
        let time = EPOCH.checked_add(SignedDuration::from_secs(unix_seconds)).map_err(|_| DateError)?;
        let year = u16::try_from(time.year()).ok().filter(|year| *year > 0).ok_or(DateError)?;
        let two = |number: i8| u16::from(number.unsigned_abs());
        let mut text = *b"........T......Z";
        // Hand-written because each signature needs it: a format string takes several times as long.
        let fields = [
            (year, 0..4),
            (two(time.month()), 4..6),
            (two(time.day()), 6..8),
            (two(time.hour()), 9..11),
            (two(time.minute()), 11..13),
            (two(time.second()), 13..15),
        ];
        for (mut number, place) in fields {
            for digit in text[place].iter_mut().rev() {
                *digit = b"0123456789"[usize::from(number % 10)];
                number /= 10;
            }
        }
        Ok(Self { unix_seconds, text })
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// The value of the header, for example `20191115T033655Z`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("digits and two letters")
    }

    /// The day, for example `20191115`: the first part of a credential scope.
    pub fn day(&self) -> &str {
        &self.as_str()[..8]
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).map_err(|_| DateError)?;
        let date = Self::from_unix_seconds(time.duration_since(EPOCH).as_secs())?;
        // The parser accepts more forms than the header has, for example fewer digits.
        if date.as_str() == text { Ok(date) } else { Err(DateError) }
    }
}

impl TryFrom<SystemTime> for Date {
    type Error = DateError;

    /// Truncates fractions of a second.
    fn try_from(time: SystemTime) -> Result<Self, Self::Error> {
        let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()),
            Err(before) => {
                let before = before.duration();
                i64::try_from(before.as_secs()).map(|seconds| -seconds - i64::from(before.subsec_nanos() > 0))
            }
        };
        Self::from_unix_seconds(seconds.map_err(|_| DateError)?)
    }
}

impl From<Date> for SystemTime {
    fn from(date: Date) -> Self {
        let distance = Duration::from_secs(date.unix_seconds.unsigned_abs());
        if date.unix_seconds < 0 { Self::UNIX_EPOCH - distance } else { Self::UNIX_EPOCH + distance }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("19691231T235959Z", -1),
            ("20000229T000000Z", 951_782_400),
            ("20191115T033655Z", 1_573_789_015),
            ("99991231T235959Z", 253_402_300_799),
            ("00010101T000000Z", -62_135_596_800),
        ] {
            let date: Date = text.parse().expect(text);
            assert_eq!(date.unix_seconds(), seconds, "{text}");
            assert_eq!(date.to_string(), text);
            assert_eq!(Date::try_from(SystemTime::from(date)), Ok(date));
        }
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            "20191115T033655",
            "20191115T033655z",
            "20191115 033655Z",
            "2019-11-15T03:36:55Z",
            "20190229T000000Z",
            "20191301T000000Z",
            "20190001T000000Z",
            "20191100T000000Z",
            "20191115T240000Z",
            "20191115T036055Z",
            "20191115T033660Z",
            "00000101T000000Z",
            "2019111aT033655Z",
            "+0191115T033655Z",
            "２0191115T0336Z",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!(Date::from_unix_seconds(253_402_300_800).is_err());
        assert!(Date::from_unix_seconds(i64::MAX).is_err());
        assert!(Date::from_unix_seconds(i64::MIN).is_err());
    }

    proptest::proptest! {
        #[test]
        fn there_and_back(seconds in -62_135_596_800_i64..=253_402_300_799) {
            let date = Date::from_unix_seconds(seconds).expect("in range");
            proptest::prop_assert_eq!(date.as_str().parse::<Date>(), Ok(date));
        }
    }
}
