//! How fast a relay or a domain lets us go: less after a sign of strain, more after good
//! messages.
//!
//! Replies are counted in cohorts of twenty. A clear sign (a `421`, a reply that a rule says
//! to slow down for) halves the pace at once; three weak ones (`450`, `451`, `452`) in one
//! cohort do the same. A cohort without that raises the pace by a tenth of the full one. The
//! messages in flight when the pace was halved knew nothing of it: what they bring back
//! within five seconds does not halve it again.

use chrono::Duration;

use super::bucket::Share;
use super::time::{Instant, from_millis, to_millis};

/// So many replies make a cohort.
const COHORT: u16 = 20;
/// So many weak signs in one cohort count as a clear one.
const WEAK_SIGNS: u16 = 3;
/// What a good cohort adds, in thousandths of the full pace.
const STEP: u16 = 100;
/// The pace is never less, in thousandths of the full one: a sixteenth.
const FLOOR: u16 = 63;
/// For so long after a halving no other follows.
const CALM: Duration = Duration::seconds(5);

/// What a reply says of the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Nothing: it was taken, or refused for its own sake.
    Good,
    /// One of several that would mean something together.
    Weak,
    /// Too fast.
    Clear,
}

/// The pace of one relay or one domain, as a share of the full one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pace {
    thousandths: u16,
    replies: u16,
    weak: u16,
    halved: Option<i64>,
}

impl Default for Pace {
    /// The full pace.
    fn default() -> Self {
        Self { thousandths: 1000, replies: 0, weak: 0, halved: None }
    }
}

impl Pace {
    /// The share of the full pace to go at now.
    pub fn share(&self) -> Share {
        Share::thousandths(self.thousandths.max(FLOOR))
    }

    /// Whether it is below the full pace.
    pub fn is_slowed(&self) -> bool {
        self.share() < Share::FULL
    }

    /// Takes note of a reply. `true` when the pace changed.
    pub fn note(&mut self, sign: Sign, now: Instant) -> bool {
        let before = self.share();
        self.replies += 1;
        self.weak += u16::from(sign == Sign::Weak);
        if sign == Sign::Clear || self.weak >= WEAK_SIGNS {
            self.halve(now);
        } else if self.replies >= COHORT {
            self.thousandths = self.thousandths.saturating_add(STEP).clamp(FLOOR, 1000);
            (self.replies, self.weak) = (0, 0);
        }
        self.share() != before
    }

    fn halve(&mut self, now: Instant) {
        (self.replies, self.weak) = (0, 0);
        let is_calm = self.halved.is_some_and(|at| {
            let since = now - from_millis(at);
            // A moment in the future is one of a clock that was set back since.
            since >= Duration::zero() && since < CALM
        });
        if !is_calm {
            self.thousandths = (self.thousandths / 2).clamp(FLOOR, 1000);
            self.halved = Some(to_millis(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Instant {
        from_millis(seconds * 1000)
    }

    fn note(pace: &mut Pace, sign: Sign, times: usize, now: Instant) -> u16 {
        for _ in 0..times {
            pace.note(sign, now);
        }
        pace.share().get()
    }

    #[test]
    fn a_clear_sign_halves_and_good_cohorts_restore() {
        let mut pace = Pace::default();
        assert!(!pace.is_slowed());
        assert_eq!(note(&mut pace, Sign::Clear, 1, at(0)), 500);
        assert_eq!(note(&mut pace, Sign::Clear, 9, at(4)), 500, "what was in flight does not count again");
        assert_eq!(note(&mut pace, Sign::Clear, 1, at(6)), 250);
        assert_eq!(note(&mut pace, Sign::Good, 19, at(7)), 250);
        assert_eq!(note(&mut pace, Sign::Good, 1, at(7)), 350);
        assert_eq!(note(&mut pace, Sign::Good, 20 * 7, at(8)), 1000, "never above the full pace");
    }

    #[test]
    fn weak_signs_count_together() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            note(&mut pace, Sign::Weak, 2, at(0));
            note(&mut pace, Sign::Good, 18, at(0));
        }
        assert!(!pace.is_slowed(), "one in ten is life");
        assert_eq!(note(&mut pace, Sign::Weak, 3, at(0)), 500);
    }

    #[test]
    fn there_is_a_floor_and_a_way_back_from_it() {
        let mut pace = Pace::default();
        for n in 0..20 {
            pace.note(Sign::Clear, at(n * 10));
        }
        assert_eq!(pace.share().get(), FLOOR);
        assert_eq!(note(&mut pace, Sign::Good, 200, at(500)), 1000);
    }

    #[test]
    fn a_clock_set_back_does_not_disarm_it() {
        let mut pace = Pace::default();
        note(&mut pace, Sign::Clear, 1, at(10_000));
        assert_eq!(note(&mut pace, Sign::Clear, 1, at(0)), 250);
    }

    #[test]
    fn it_outlives_the_process() {
        let mut pace = Pace::default();
        note(&mut pace, Sign::Clear, 1, at(0));
        let json = serde_json::to_string(&pace).unwrap();
        assert_eq!(serde_json::from_str::<Pace>(&json).unwrap(), pace);
    }

    proptest! {
        #[test]
        fn it_stays_between_floor_and_full_and_only_good_cohorts_raise_it(
            signs in prop::collection::vec((0..3u8, 0..20i64), 0..500),
        ) {
            let mut pace = Pace::default();
            let mut now = at(0);
            for (sign, pause) in signs {
                let sign = [Sign::Good, Sign::Weak, Sign::Clear][usize::from(sign)];
                now += Duration::seconds(pause);
                let before = pace.share();
                let changed = pace.note(sign, now);
                let share = pace.share();
                prop_assert!((FLOOR..=1000).contains(&share.get()));
                prop_assert_eq!(changed, share != before);
                prop_assert!(sign != Sign::Clear || share <= before);
                prop_assert!(share.get() <= before.get() + STEP);
            }
        }
    }
}
