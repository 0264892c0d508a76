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
