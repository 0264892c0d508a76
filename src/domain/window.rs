//! Hours of the day, where the reader lives: quiet hours, and sends at a time on the wall.

use std::fmt;

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::time::Instant;

/// The hours in which nothing is sent, such as 22:00 to 07:00, by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

/// Why a text is no quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuietHoursError {
    /// Not two times with a `-` between.
    #[error("`{0}` is not two times of the day such as `22:00-07:00`")]
    Shape(String),
    /// The two are the same: is that never, or always?
    #[error("`{0}` begins and ends at the same time")]
    Empty(String),
}

impl QuietHours {
    /// Reads `22:00-07:00`: from the first time, included, to the second, not included. When
    /// the second is earlier, it is that of the next day.
    pub fn parse(text: &str) -> Result<Self, QuietHoursError> {
        let shape = || QuietHoursError::Shape(text.trim().to_owned());
        let (from, to) = text.split_once('-').ok_or_else(shape)?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| shape());
        let (from, to) = (time(from)?, time(to)?);
        if from == to {
            return Err(QuietHoursError::Empty(text.trim().to_owned()));
        }
        Ok(Self { from, to })
    }

    /// When something may go in a zone: now, or when the quiet hours end.
    ///
    /// Across a change of the clock this holds: the moment is never earlier than now, never
    /// in the quiet hours by the clock on the wall, and at most 25 hours away (48 where a
    /// country once skipped a whole day).
    pub fn free_from(self, now: Instant, zone: Tz) -> Instant {
        if !self.is_quiet(now, zone) {
            return now;
        }
        let today = now.with_timezone(&zone).date_naive();
        // An end that comes twice, when clocks go back, has two moments; and one that comes
        // while the hour repeats itself may lie in quiet hours again.
        let ends = today.iter_days().take(4).flat_map(|day| moments(zone, day.and_time(self.to)));
        let end = ends.into_iter().find(|end| *end >= now && !self.is_quiet(*end, zone));
        end.unwrap_or(now)
    }

    fn is_quiet(self, now: Instant, zone: Tz) -> bool {
        let time = now.with_timezone(&zone).time();
        if self.from < self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to }
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H:%M"), self.to.format("%H:%M"))
    }
}

/// When a delivery may go, as far as its reader's day goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Day {
    /// The time at which it goes; `None` is at once.
    pub send_at: Option<NaiveTime>,
    /// The hours in which it does not.
    pub quiet_hours: Option<QuietHours>,
}

impl Day {
    /// When a delivery of a campaign that began at `begun` may go in a zone: now, or later.
    /// `send_at` is the first such time after the campaign began, quiet or not.
    pub fn free_from(self, begun: Instant, now: Instant, zone: Tz) -> Instant {
        if let Some(time) = self.send_at {
            return now.max(first_at(time, begun, zone));
        }
        self.quiet_hours.map_or(now, |hours| hours.free_from(now, zone))
    }
}

/// The first moment, not before `from`, at which a zone's clocks show a time (or, on the day
/// that skips it, the one it is taken for).
fn first_at(time: NaiveTime, from: Instant, zone: Tz) -> Instant {
    let today = from.with_timezone(&zone).date_naive();
    let all = today.iter_days().take(3).filter_map(|day| on_the_wall(zone, day.and_time(time)));
    all.into_iter().find(|moment| *moment >= from).unwrap_or(from)
}

/// The moment at which the clock on a zone's walls shows a time. A time that a change of the
/// clock skips is read with the offset before the change (so, mostly an hour later); of one
/// that comes twice the first is taken. `None` outside of the calendar.
pub fn on_the_wall(zone: Tz, local: NaiveDateTime) -> Option<Instant> {
    moments(zone, local).into_iter().next()
}

/// Every moment at which a zone's clocks show a time, in order; for a skipped one, the one it
/// is taken for.
fn moments(zone: Tz, local: NaiveDateTime) -> Vec<Instant> {
    let utc = |moment: DateTime<Tz>| moment.to_utc();
    match zone.from_local_datetime(&local) {
        LocalResult::Single(one) => vec![utc(one)],
        LocalResult::Ambiguous(first, second) => vec![utc(first), utc(second)],
        LocalResult::None => skipped(zone, local).into_iter().collect(),
    }
}

fn skipped(zone: Tz, local: NaiveDateTime) -> Option<Instant> {
    let day_before = local.checked_sub_signed(TimeDelta::days(1))?;
    let before = zone.offset_from_utc_datetime(&day_before);
    let offset = Duration::seconds(i64::from(chrono::Offset::fix(&before).local_minus_utc()));
    Some(local.checked_sub_signed(offset)?.and_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(text: &str) -> Instant {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
    }

    fn free(hours: &str, now: &str, zone: Tz) -> String {
        let free = QuietHours::parse(hours).unwrap().free_from(moment(now), zone);
        free.with_timezone(&zone).to_rfc3339()
    }

    #[test]
    fn at_night_it_waits_for_the_morning_where_the_reader_lives() {
        let vienna = Tz::Europe__Vienna;
        for (now, expected) in [
            ("2026-01-10T20:59:59Z", "2026-01-10T21:59:59+01:00"),
            ("2026-01-10T21:00:00Z", "2026-01-11T07:00:00+01:00"),
            ("2026-01-11T02:00:00Z", "2026-01-11T07:00:00+01:00"),
            ("2026-01-11T06:00:00Z", "2026-01-11T07:00:00+01:00"),
        ] {
            assert_eq!(free("22:00-07:00", now, vienna), expected, "{now}");
        }
        assert_eq!(free("22:00-07:00", "2026-01-10T21:00:00Z", Tz::America__New_York), "2026-01-10T16:00:00-05:00");
        assert_eq!(free("12:00-13:30", "2026-01-10T12:15:00Z", Tz::UTC), "2026-01-10T13:30:00+00:00");
    }

    #[test]
    fn clocks_that_change_in_the_night_change_nothing() {
        let vienna = Tz::Europe__Vienna;
        for (hours, now, expected) in [
            // Forward on 29 March 2026, 02:00 to 03:00: the night is short.
            ("22:00-07:00", "2026-03-28T22:00:00Z", "2026-03-29T07:00:00+02:00"),
            ("22:00-02:30", "2026-03-29T00:00:00Z", "2026-03-29T03:30:00+02:00"),
            // Back on 25 October 2026, 03:00 to 02:00: the night is long.
            ("22:00-07:00", "2026-10-24T22:00:00Z", "2026-10-25T07:00:00+01:00"),
            ("22:00-02:30", "2026-10-24T23:50:00Z", "2026-10-25T02:30:00+02:00"),
            ("22:00-02:30", "2026-10-25T01:10:00Z", "2026-10-25T02:30:00+01:00"),
            ("02:15-02:45", "2026-10-25T01:20:00Z", "2026-10-25T02:45:00+01:00"),
        ] {
            assert_eq!(free(hours, now, vienna), expected, "{hours} at {now}");
        }
        assert_eq!(free("22:00-07:00", "2028-02-28T23:00:00Z", Tz::UTC), "2028-02-29T07:00:00+00:00", "a leap day");
    }

    #[test]
    fn a_time_on_the_wall_is_one_moment() {
        for (zone, wall, expected) in [
            (Tz::Europe__Vienna, "2026-07-01T09:00", "2026-07-01T07:00:00+00:00"),
            (Tz::Asia__Tokyo, "2026-07-01T09:00", "2026-07-01T00:00:00+00:00"),
            (Tz::America__New_York, "2028-02-29T09:00", "2028-02-29T14:00:00+00:00"),
            // Skipped, and coming twice.
            (Tz::Europe__Vienna, "2026-03-29T02:30", "2026-03-29T01:30:00+00:00"),
            (Tz::Europe__Vienna, "2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),
            // Half an hour is skipped on Lord Howe Island; a whole day was on Samoa.
            (Tz::Australia__Lord_Howe, "2026-10-04T02:15", "2026-10-03T15:45:00+00:00"),
            (Tz::Pacific__Apia, "2011-12-30T10:00", "2011-12-30T20:00:00+00:00"),
        ] {
            assert_eq!(on_the_wall(zone, local(wall)).unwrap().to_rfc3339(), expected, "{zone} {wall}");
        }
        assert_eq!(on_the_wall(Tz::America__New_York, NaiveDateTime::MAX), None);
    }

    #[test]
    fn everybody_gets_it_at_nine_in_the_morning() {
        let nine = NaiveTime::from_hms_opt(9, 0, 0);
        let day = Day { send_at: nine, quiet_hours: QuietHours::parse("08:00-10:00").ok() };
        let begun = moment("2026-03-27T10:00:00Z");
        for (zone, expected) in [
            (Tz::Pacific__Auckland, "2026-03-27T20:00:00+00:00"),
            (Tz::Europe__Vienna, "2026-03-28T08:00:00+00:00"),
            (Tz::America__New_York, "2026-03-27T13:00:00+00:00"),
            (Tz::UTC, "2026-03-28T09:00:00+00:00"),
        ] {
            assert_eq!(day.free_from(begun, begun, zone).to_rfc3339(), expected, "{zone}");
        }
        let late = moment("2026-03-30T12:00:00Z");
        assert_eq!(day.free_from(begun, late, Tz::UTC), late, "what is late goes at once");
        let quiet = Day { send_at: None, ..day };
        assert_eq!(quiet.free_from(begun, late, Tz::UTC), late);
        assert_eq!(Day::default().free_from(begun, begun, Tz::UTC), begun);
        let half_past_two = Day { send_at: NaiveTime::from_hms_opt(2, 30, 0), quiet_hours: None };
        let night = moment("2026-03-28T23:00:00Z");
        let skipped = half_past_two.free_from(night, night, Tz::Europe__Vienna);
        assert_eq!(skipped.to_rfc3339(), "2026-03-29T01:30:00+00:00");
    }

    #[test]
    fn what_are_no_quiet_hours_says_why() {
        for (text, why) in [
            ("22:00", "not two times"),
            ("22-7", "not two times"),
            ("24:00-07:00", "not two times"),
            ("at night", "not two times"),
            ("07:00-07:00", "the same time"),
        ] {
            let error = QuietHours::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert_eq!(QuietHours::parse(" 9:05 - 10:00 ").unwrap().to_string(), "09:05-10:00");
    }

    fn zones() -> impl Strategy<Value = Tz> {
        (0..chrono_tz::TZ_VARIANTS.len()).prop_map(|i| chrono_tz::TZ_VARIANTS[i])
    }

    fn times() -> impl Strategy<Value = NaiveTime> {
        (0..24 * 60u32).prop_map(|minute| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn in_every_zone_and_at_every_time_the_quiet_is_kept_and_ends(
            zone in zones(),
            from in times(),
            to in times(),
            now in 1_577_836_800..2_208_988_800i64,
        ) {
            prop_assume!(from != to);
            let hours = QuietHours { from, to };
            let now = DateTime::from_timestamp(now, 0).unwrap();
            let free = hours.free_from(now, zone);
            prop_assert!(free >= now && free - now <= Duration::hours(49), "{}", free - now);
            prop_assert!(!hours.is_quiet(free, zone));
            prop_assert!(hours.is_quiet(now, zone) || free == now);
        }

        #[test]
        fn the_clock_shows_the_time_at_the_moment_it_names(zone in zones(), minute in 0..36_000_000i64) {
            let local = local("2000-01-01T00:00") + Duration::minutes(minute);
            let moment = on_the_wall(zone, local).unwrap();
            let shown = moment.with_timezone(&zone).naive_local();
            prop_assert!(shown == local || (zone.from_local_datetime(&local) == LocalResult::None && shown > local));
        }
    }
}
