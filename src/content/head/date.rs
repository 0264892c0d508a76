//! Dates in the forms authors write them.

use chrono::{DateTime, Datelike, Duration, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::domain::time::Dated;

/// The date forms, without time. Forms such as `03/04/2025` are missing on purpose: they mean
/// two different days to two different readers.
const DATES: [&str; 9] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%A, %B %d, %Y",
    "%A, %d %B %Y",
];
/// The forms of a time of day.
const TIMES: [&str; 6] = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M%p", "%H:%M:%S,%f"];

/// Reads a date with or without time and zone; a missing time is midnight, a missing zone the
/// given one. `None` for what is no date of the years 1900 to 9999.
pub(in super::super) fn parse_date(text: &str, zone: Tz) -> Option<Dated> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let dated = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc2822(text))
        .ok()
        .or_else(|| parse_loosely(text, zone))?;
    (1900..=9999).contains(&dated.year()).then_some(dated)
}

/// Midnight of a day where the publication lives.
pub(in super::super) fn at_local_midnight(day: NaiveDate, zone: Tz) -> Dated {
    in_zone(day.and_time(NaiveTime::MIN), zone)
}

fn parse_loosely(text: &str, zone: Tz) -> Option<Dated> {
    if let Some(day) = parse_day(text) {
        return Some(at_local_midnight(day, zone));
    }
    // The time begins at the last `T` or space before the first `:`.
    let colon = text.find(':')?;
    let split = text[..colon].rfind(['T', 't', ' '])?;
    let day = parse_day(text[..split].trim_end_matches([',', ' ']))?;
    let (time, zone_text) = split_zone(text[split + 1..].trim());
    let moment = day.and_time(parse_time(time)?);
    match zone_text {
        None => Some(in_zone(moment, zone)),
        Some(name) => {
            if let Some(offset) = parse_offset(name) {
                return offset.from_local_datetime(&moment).single();
            }
            name.parse::<Tz>().ok().map(|zone| in_zone(moment, zone))
        }
    }
}

fn parse_day(text: &str) -> Option<NaiveDate> {
    DATES.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    TIMES.iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// Divides `10:00:00 +0100` into the time and what names its zone.
fn split_zone(text: &str) -> (&str, Option<&str>) {
    let upper = text.to_ascii_uppercase();
    if upper.ends_with("AM") || upper.ends_with("PM") {
        return (text, None);
    }
    let at = text.find(|c: char| matches!(c, '+' | '-') || (c.is_ascii_alphabetic()));
    match at {
        Some(at) => (text[..at].trim_end(), Some(text[at..].trim())),
        None => (text, None),
    }
}

fn parse_offset(text: &str) -> Option<FixedOffset> {
    if matches!(text.to_ascii_uppercase().as_str(), "Z" | "UTC" | "GMT" | "UT") {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if !(digits.len() == 4 || digits.len() == 2) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

/// A wall-clock time in a zone. A time that the clock skipped moves on to where the clock went;
/// of a time that came twice, the first is meant.
fn in_zone(moment: NaiveDateTime, zone: Tz) -> Dated {
    let mut moment = moment;
    // The longest gap in the zone database is a whole day (Samoa, 2011).
    for _ in 0..=48 {
        match zone.from_local_datetime(&moment) {
            LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => return found.fixed_offset(),
            LocalResult::None => moment += Duration::minutes(30),
        }
    }
    moment.and_utc().fixed_offset()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, zone: &str) -> Option<String> {
        parse_date(text, zone.parse().unwrap()).map(|date| date.to_rfc3339())
    }

    #[test]
    fn a_date_is_read_in_every_form_authors_use() {
        let winter = Some("2025-01-15T00:00:00+01:00".to_owned());
        for text in
            ["2025-01-15", "2025/01/15", "2025.01.15", "15.01.2025", "15 January 2025", "Jan 15, 2025", "2025-1-15"]
        {
            assert_eq!(shown(text, "Europe/Berlin"), winter, "{text}");
        }
        let noon = Some("2025-01-15T12:30:00+01:00".to_owned());
        for text in [
            "2025-01-15 12:30",
            "2025-01-15T12:30:00",
            "2025-01-15 12:30:00 +0100",
            "2025-01-15 12:30:00 +01:00",
            "2025-01-15 12:30:00 Europe/Berlin",
            "2025-01-15T12:30+01:00",
            "2025/01/15 12:30 PM",
            "Wed, 15 Jan 2025 12:30:00 +0100",
            "January 15, 2025 12:30",
        ] {
            assert_eq!(shown(text, "Europe/Berlin"), noon, "{text}");
        }
        assert_eq!(shown("2025-01-15T12:30:00Z", "Europe/Berlin").unwrap(), "2025-01-15T12:30:00+00:00");
        assert_eq!(shown("2025-01-15 12:30 UTC", "Asia/Tokyo").unwrap(), "2025-01-15T12:30:00+00:00");
    }

    #[test]
    fn what_is_no_date_or_two_dates_is_refused() {
        for text in [
            "",
            "yesterday",
            "2025-13-01",
            "2025-02-30",
            "03/04/2025",
            "0001-01-01",
            "2025",
            "2025-01-15 25:00",
            "12:30",
        ] {
            assert_eq!(shown(text, "UTC"), None, "{text}");
        }
    }

    #[test]
    fn a_time_the_clock_skipped_moves_on_and_a_doubled_one_is_the_first() {
        assert_eq!(shown("2025-03-30 02:30", "Europe/Berlin").unwrap(), "2025-03-30T03:00:00+02:00");
        assert_eq!(shown("2025-10-26 02:30", "Europe/Berlin").unwrap(), "2025-10-26T02:30:00+02:00");
        assert_eq!(shown("2011-12-30", "Pacific/Apia").unwrap(), "2011-12-31T00:00:00+14:00");
        // Midnight itself was skipped in Beirut.
        assert_eq!(shown("2024-03-31", "Asia/Beirut").unwrap(), "2024-03-31T01:00:00+03:00");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}|[0-9:T+ /.-]{0,30}") {
            parse_date(&text, Tz::UTC);
        }
    }
}
