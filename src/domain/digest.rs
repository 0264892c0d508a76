//! Digests: one mail of several posts, for those who want fewer mails than there are posts.
//!
//! A digest is of a period that is over: yesterday, the last week from Monday to Sunday, the
//! last month, in the publication's zone; or of everything since a day. Its name stands where
//! a post's id would, so that nobody gets the same digest twice.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::ids::PostId;
use super::subscriber::Cadence;
use super::time::Instant;

/// Ids of digests begin with this; a post's id never does.
const PREFIX: &str = "digest:";

/// A stretch of days that a digest is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Who wants it.
    pub cadence: Cadence,
    /// Its first day.
    pub first: NaiveDate,
    /// The day after its last.
    pub end: NaiveDate,
    zone: Tz,
}

impl Period {
    /// The last whole period of a cadence before a moment; `None` for those who want every
    /// post by itself.
    pub fn last(cadence: Cadence, now: Instant, zone: Tz) -> Option<Self> {
        let today = now.with_timezone(&zone).date_naive();
        let (first, end) = match cadence {
            Cadence::Every => return None,
            Cadence::Daily => (today - Days::new(1), today),
            Cadence::Weekly => {
                let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
                (monday - Days::new(7), monday)
            }
            Cadence::Monthly => {
                let first = today.with_day(1).expect("every month has a first day");
                (first - Months::new(1), first)
            }
        };
        Some(Self { cadence, first, end, zone })
    }

    /// From a day up to now, for those who get every post by itself.
    pub fn since(first: NaiveDate, now: Instant, zone: Tz) -> Self {
        let end = now.with_timezone(&zone).date_naive() + Days::new(1);
        Self { cadence: Cadence::Every, first, end, zone }
    }

    /// What the ledger calls the digest in place of a post: `digest:weekly:2026-11-16`.
    pub fn id(&self) -> PostId {
        let end = match self.cadence {
            // Two of these on different days have different posts.
            Cadence::Every => format!("..{}", self.end - Days::new(1)),
            Cadence::Daily | Cadence::Weekly | Cadence::Monthly => String::new(),
        };
        let text = format!("{PREFIX}{}:{}{end}", self.cadence.word(), self.first);
        PostId::parse(&text).expect("a word and dates are an id")
    }

    /// The moment it begins.
    pub fn starts(&self) -> Instant {
        start_of_day(self.first, self.zone)
    }

    /// The moment it is over.
    pub fn ends(&self) -> Instant {
        start_of_day(self.end, self.zone)
    }

    /// Its last day.
    pub fn last_day(&self) -> NaiveDate {
        self.end - Days::new(1)
    }
}

/// Whether an id is a digest's.
pub fn is_digest(id: &PostId) -> bool {
    id.as_str().starts_with(PREFIX)
}

/// The first moment of a day in a zone; in a zone that skips midnight, the first there is.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Instant {
    let midnight = day.and_time(NaiveTime::MIN);
    let local = |moment| zone.from_local_datetime(&moment).earliest();
    let moment = local(midnight).or_else(|| local(midnight + TimeDelta::hours(1)));
    moment.map_or_else(|| midnight.and_utc(), |moment: DateTime<Tz>| moment.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn period(cadence: Cadence, now: &str, zone: Tz) -> (String, String, String) {
        let period = Period::last(cadence, at(now), zone).unwrap();
        (period.id().to_string(), period.starts().to_rfc3339(), period.ends().to_rfc3339())
    }

    #[test]
    fn a_digest_is_of_the_last_whole_day_week_or_month() {
        // A Friday.
        let now = "2026-11-27T12:00:00Z";
        let of = |cadence| period(cadence, now, Tz::UTC).0;
        assert_eq!(of(Cadence::Daily), "digest:daily:2026-11-26");
        assert_eq!(of(Cadence::Weekly), "digest:weekly:2026-11-16");
        assert_eq!(of(Cadence::Monthly), "digest:monthly:2026-10-01");
        assert_eq!(Period::last(Cadence::Every, at(now), Tz::UTC), None);
        assert_eq!(period(Cadence::Weekly, "2026-11-23T00:00:00Z", Tz::UTC).0, "digest:weekly:2026-11-16");
        assert_eq!(period(Cadence::Monthly, "2026-01-31T12:00:00Z", Tz::UTC).0, "digest:monthly:2025-12-01");
    }

    #[test]
    fn days_begin_where_the_publication_lives() {
        // Vienna has been in Saturday for half an hour; its clocks changed on 25 October.
        let zone = Tz::Europe__Vienna;
        let (id, starts, ends) = period(Cadence::Daily, "2026-11-27T23:30:00Z", zone);
        assert_eq!(id, "digest:daily:2026-11-27");
        assert_eq!((starts.as_str(), ends.as_str()), ("2026-11-26T23:00:00+00:00", "2026-11-27T23:00:00+00:00"));
        let (_, starts, ends) = period(Cadence::Monthly, "2026-11-01T12:00:00Z", zone);
        assert_eq!((starts.as_str(), ends.as_str()), ("2026-09-30T22:00:00+00:00", "2026-10-31T23:00:00+00:00"));
    }

    #[test]
    fn everything_since_a_day_ends_today() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let period = Period::since(day, at("2026-11-27T12:00:00Z"), Tz::UTC);
        assert_eq!(period.id().as_str(), "digest:every:2026-11-01..2026-11-27");
        assert!(is_digest(&period.id()) && !is_digest(&PostId::parse("tag:example.org,2026:a").unwrap()));
    }
}
