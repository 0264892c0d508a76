//! Moments, in the one shape the whole house uses.

use chrono::{DateTime, FixedOffset, Utc};

/// A moment on the wall clock of the machine, in UTC. Always an argument: only the loops
/// that run a worker or a command ask the system for it.
pub type Instant = DateTime<Utc>;

/// A moment with the offset its author wrote, so that a feed shows the author's day.
pub type Dated = DateTime<FixedOffset>;

/// Writes a moment as the ledger keeps it: milliseconds since 1970, UTC.
pub fn to_millis(moment: Instant) -> i64 {
    moment.timestamp_millis()
}

/// Reads a moment the ledger kept; the epoch for a number outside the calendar.
pub fn from_millis(millis: i64) -> Instant {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// How a moment is kept in a cache: nothing of it is lost, not the seconds of an old zone's offset.
pub mod exact {
    use chrono::{DateTime, FixedOffset};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Dated;

    /// Writes a moment as seconds, nanoseconds and offset.
    pub fn serialize<S: Serializer>(moment: &Option<Dated>, to: S) -> Result<S::Ok, S::Error> {
        let parts = |at: &Dated| (at.timestamp(), at.timestamp_subsec_nanos(), at.offset().local_minus_utc());
        moment.as_ref().map(parts).serialize(to)
    }

    /// Reads it again.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Dated>, D::Error> {
        let Some((seconds, nanoseconds, offset)) = Option::<(i64, u32, i32)>::deserialize(from)? else {
            return Ok(None);
        };
        let zone = FixedOffset::east_opt(offset);
        let moment = DateTime::from_timestamp(seconds, nanoseconds).zip(zone).map(|(at, zone)| at.with_timezone(&zone));
        moment.map(Some).ok_or_else(|| serde::de::Error::custom("no moment"))
    }
}
