//! Names of time zones, and moments that are read in one.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::nearest::nearest;
use crate::domain::time::Instant;
use crate::domain::window;

/// Reads an IANA zone name such as `Europe/Vienna`; the error is what to do about it.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.trim().parse().map_err(|_| match nearest(text.trim(), TZ_VARIANTS.iter().map(|zone| zone.name())) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "use a name of the IANA list such as `Europe/Vienna` or `UTC`".to_owned(),
    })
}

/// Reads a date (`2026-01-31`, midnight in the zone), a local date and time, or a moment with
/// its offset. `None` for anything else. What a change of the clock does is told at
/// `domain::window`.
pub fn moment(text: &str, zone: Tz) -> Option<Instant> {
    let text = text.trim();
    if let Ok(exact) =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)))
    {
        return Some(exact.to_utc());
    }
    let local = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => day.and_hms_opt(0, 0, 0)?,
        Err(_) => local_time(text)?,
    };
    window::on_the_wall(zone, local)
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_midnight_where_the_publication_lives() {
        let vienna = zone("Europe/Vienna").unwrap();
        for (text, utc) in [
            ("2026-01-31", "2026-01-30T23:00:00+00:00"),
            ("2026-07-01T09:30", "2026-07-01T07:30:00+00:00"),
            ("2026-07-01 09:30:00", "2026-07-01T07:30:00+00:00"),
            ("2026-07-01 09:30:00Z", "2026-07-01T09:30:00+00:00"),
            ("2026-03-29T02:30", "2026-03-29T01:30:00+00:00"),
        ] {
            assert_eq!(moment(text, vienna).unwrap().to_rfc3339(), utc, "{text}");
        }
        assert_eq!(moment("31.1.2026", vienna), None);
        assert_eq!(moment("2026-02-30", vienna), None);
    }

    #[test]
    fn a_misspelt_zone_is_answered_with_the_right_one() {
        assert_eq!(zone("Europe/Viena").unwrap_err(), "did you mean `Europe/Vienna`?");
        assert!(zone("Mars/Olympus").unwrap_err().contains("IANA"));
    }
}
