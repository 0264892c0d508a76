//! How many messages may go in how long, as an author writes it: `14/s`, `100/min`, `10000/day`.

use std::fmt;

use chrono::Duration;

use super::span::unit_seconds;

/// No rate counts more messages than this in its unit of time.
const MOST: u32 = 10_000_000;

/// A rate: at least one message in a second, a minute, an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    messages: u32,
    per_seconds: i64,
}

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// No `/`.
    #[error("`{0}` has no `/` between the number of messages and the unit of time")]
    Shape(String),
    /// The part before the `/` is no number, or nothing, or too much.
    #[error("`{0}` is no number of messages from 1 to {MOST}")]
    Number(String),
    /// The part behind the `/` is no unit.
    #[error("`{0}` is no unit of time: s, min, hour, day")]
    Unit(String),
}

impl Rate {
    /// Reads `N/unit`; the unit is `s`, `min`, `hour` or `day`, or one of their other
    /// spellings.
    pub fn parse(text: &str) -> Result<Self, RateError> {
        let (number, unit) = text.split_once('/').ok_or_else(|| RateError::Shape(text.trim().to_owned()))?;
        let (number, unit) = (number.trim(), unit.trim());
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let messages = number.parse().ok().filter(|n| is_number && (1..=MOST).contains(n));
        let messages = messages.ok_or_else(|| RateError::Number(number.to_owned()))?;
        let per_seconds = unit_seconds(unit).ok_or_else(|| RateError::Unit(unit.to_owned()))?;
        Ok(Self { messages, per_seconds })
    }

    /// The time from one message to the next, at least a nanosecond.
    pub fn interval(self) -> Duration {
        Duration::nanoseconds((self.per_seconds * 1_000_000_000 / i64::from(self.messages)).max(1))
    }

    /// How many may go at once after a pause: the messages of a tenth of a second and one
    /// more, so that a sender that wakes a little late does not fall behind for good.
    pub fn burst(self) -> u32 {
        u32::try_from(i64::from(self.messages) / (10 * self.per_seconds)).unwrap_or(MOST) + 1
    }

    /// How many messages that is in a day, rounded down.
    pub fn per_day(self) -> u64 {
        u64::from(self.messages) * u64::try_from(86_400 / self.per_seconds).expect("a unit is a day at most")
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per_seconds {
            1 => "s",
            60 => "min",
            3600 => "hour",
            _ => "day",
        };
        write!(f, "{}/{unit}", self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, shown, interval_ms, burst, per_day) in [
            ("14/s", "14/s", 71, 2, 1_209_600),
            ("100/min", "100/min", 600, 1, 144_000),
            ("1 / hour", "1/hour", 3_600_000, 1, 24),
            ("10000/day", "10000/day", 8640, 1, 10_000),
            ("1000/second", "1000/s", 1, 101, 86_400_000),
        ] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!(rate.to_string(), shown);
            assert_eq!(Rate::parse(shown), Ok(rate));
            assert_eq!(
                (rate.interval().num_milliseconds(), rate.burst(), rate.per_day()),
                (interval_ms, burst, per_day)
            );
        }
    }

    #[test]
    fn what_is_no_rate_says_why() {
        for (text, why) in [
            ("100", "has no `/`"),
            ("0/s", "is no number of messages"),
            ("+3/s", "is no number of messages"),
            ("many/s", "is no number of messages"),
            ("10000001/s", "is no number of messages"),
            ("3/week", "is no unit of time"),
            ("3/", "is no unit of time"),
        ] {
            let error = Rate::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
