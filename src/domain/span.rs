//! A span of time as an author writes it: `90 s`, `10 min`, `1 hour`, `2 days`.

use std::fmt;

use chrono::Duration;

/// No span is longer: ten years and a bit. A longer one is a slip of the finger.
const LONGEST_DAYS: i64 = 4000;

/// A span of time, at least a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

/// Why a text is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// No whole number in front.
    #[error("`{0}` does not begin with a whole number of at least 1")]
    Number(String),
    /// The word behind the number is no unit.
    #[error("`{0}` is no unit of time: s, min, hours, days")]
    Unit(String),
    /// Longer than some ten years.
    #[error("`{0}` is longer than {LONGEST_DAYS} days")]
    TooLong(String),
}

impl Span {
    /// Reads a whole number and a unit, with or without a space between: seconds (`s`),
    /// minutes (`m`, `min`), hours (`h`) or days (`d`); the full words, too.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let too_long = || SpanError::TooLong(text.to_owned());
        if digits.bytes().all(|digit| digit == b'0') {
            return Err(SpanError::Number(text.to_owned()));
        }
        let seconds = unit_seconds(unit.trim()).ok_or_else(|| SpanError::Unit(unit.trim().to_owned()))?;
        let number: i64 = digits.parse().map_err(|_| too_long())?;
        let seconds = number.checked_mul(seconds).filter(|seconds| *seconds <= LONGEST_DAYS * 86_400);
        seconds.map(|seconds| Self(Duration::seconds(seconds))).ok_or_else(too_long)
    }

    /// A span known to be good.
    pub const fn of_minutes(minutes: u16) -> Self {
        Self(Duration::minutes(minutes as i64))
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        self.0
    }
}

/// The seconds of a unit of time, by its letter, its abbreviation or its word.
pub(super) fn unit_seconds(unit: &str) -> Option<i64> {
    Some(match unit {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    })
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.num_seconds();
        let (number, unit) = [(86_400, "day"), (3600, "hour"), (60, "minute")]
            .into_iter()
            .find(|(length, _)| seconds % length == 0)
            .map_or((seconds, "second"), |(length, unit)| (seconds / length, unit));
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds, shown) in [
            ("90 s", 90, "90 seconds"),
            ("10min", 600, "10 minutes"),
            ("1 hour", 3600, "1 hour"),
            (" 48 h ", 172_800, "2 days"),
            ("2 days", 172_800, "2 days"),
            ("1d", 86_400, "1 day"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.length().num_seconds(), span.to_string().as_str()), (seconds, shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_says_why() {
        for (text, why) in [
            ("", "does not begin"),
            ("soon", "does not begin"),
            ("0 days", "does not begin"),
            ("-1 day", "does not begin"),
            ("1", "is no unit"),
            ("1.5 h", "is no unit"),
            ("2 fortnights", "is no unit"),
            ("99999 days", "is longer"),
            ("99999999999999999999 s", "is longer"),
        ] {
            let error = Span::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_span_that_is_shown_is_read_back(seconds in 1..=LONGEST_DAYS * 86_400) {
            let span = Span(Duration::seconds(seconds));
            prop_assert_eq!(Span::parse(&span.to_string()), Ok(span));
        }
    }
}
