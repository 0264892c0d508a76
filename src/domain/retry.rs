//! When a deferred delivery is tried again.

use chrono::Duration;

use super::time::Instant;

/// How long a delivery is tried before it expires.
pub const PATIENCE: Duration = Duration::hours(48);

/// The moment of the next try after `failures` failures (1 or more), or `None` when the
/// delivery, first tried at `first`, has been tried for [`PATIENCE`].
///
/// 1, 5, 15 and 60 minutes, then hourly. `spread` (any number, e.g. the delivery's id)
/// moves the moment by up to a tenth, so that a thousand deferred together do not return
/// together; the same input gives the same moment.
pub fn next_try(first: Instant, now: Instant, failures: u32, spread: u64) -> Option<Instant> {
    if now - first >= PATIENCE {
        return None;
    }
    let minutes = match failures {
        0 | 1 => 1,
        2 => 5,
        3 => 15,
        _ => 60,
    };
    let pause = Duration::minutes(minutes);
    let tenth = pause.num_milliseconds() / 10;
    let jitter = i64::try_from(spread.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40).unwrap_or(0) % tenth;
    Some(now + pause + Duration::milliseconds(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_millis;

    #[test]
    fn pauses_grow_to_an_hour_and_end_after_two_days() {
        let first = from_millis(0);
        for (failures, minutes) in [(1, 1), (2, 5), (3, 15), (4, 60), (40, 60)] {
            let next = next_try(first, first, failures, 7).unwrap();
            assert!(next >= first + Duration::minutes(minutes));
            assert!(next < first + Duration::seconds(minutes * 66));
        }
        assert_eq!(next_try(first, first + PATIENCE, 9, 7), None);
    }
}
