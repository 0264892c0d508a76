//! A daily cap: so many messages in any 24 hours.
//!
//! Providers count the last 24 hours, not the calendar's day. What was sent is kept in slots
//! of ten minutes; a slot counts until its last message is 24 hours old.

use std::collections::VecDeque;

use chrono::Duration;

use super::time::{Instant, from_millis, to_millis};

/// Milliseconds of a slot.
const SLOT: i64 = 10 * 60 * 1000;
/// So many slots reach back 24 hours from any moment of the newest.
const SLOTS: i64 = 24 * 6 + 1;

/// What was sent through a relay in the last day.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Sent {
    /// Slot numbers, counted from 1970, with how many messages went in each.
    slots: VecDeque<(i64, u32)>,
}

impl Sent {
    /// When the next message may go under a cap: now, or when enough of what was sent is a
    /// day old. Takes nothing. A cap of zero counts as one.
    pub fn next(&mut self, cap: u64, now: Instant) -> Instant {
        self.forget(now);
        let mut spare = cap.max(1).saturating_sub(1);
        // From the newest back: the first slot that does not fit has to leave.
        for (slot, count) in self.slots.iter().rev() {
            match spare.checked_sub(u64::from(*count)) {
                Some(left) => spare = left,
                None => return now.max(from_millis((slot + SLOTS) * SLOT)),
            }
        }
        now
    }

    /// Counts a message that goes now.
    pub fn count(&mut self, now: Instant) {
        self.forget(now);
        let slot = slot(now);
        match self.slots.back_mut() {
            Some((newest, count)) if *newest == slot => *count = count.saturating_add(1),
            Some(_) | None => self.slots.push_back((slot, 1)),
        }
    }

    /// How many messages count now.
    pub fn total(&self) -> u64 {
        self.slots.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// Drops what is more than a day old. What lies ahead was counted by a clock that has
    /// since been set back: it counts as just sent, and leaves a day from now at the latest.
    fn forget(&mut self, now: Instant) {
        let newest = slot(now);
        self.slots.retain(|(slot, _)| slot + SLOTS > newest);
        let ahead: u32 = self.take_ahead_of(newest);
        if ahead > 0 {
            self.slots.push_back((newest, ahead));
        }
    }

    fn take_ahead_of(&mut self, newest: i64) -> u32 {
        if self.slots.back().is_none_or(|(slot, _)| *slot <= newest) {
            return 0;
        }
        let moved = self.slots.iter().filter(|(slot, _)| *slot >= newest);
        let count = moved.fold(0u32, |sum, (_, count)| sum.saturating_add(*count));
        self.slots.retain(|(slot, _)| *slot < newest);
        count
    }
}

fn slot(now: Instant) -> i64 {
    to_millis(now).div_euclid(SLOT)
}

/// How the cap of a new relay grows: receivers distrust much mail from a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmUp {
    /// Messages in the first 24 hours.
    pub start: u64,
    /// After so many days the cap has doubled, 1 or more.
    pub double_every: u32,
}

impl WarmUp {
    /// The cap on a day, where day 0 begins with the first mail through the relay. It doubles
    /// in steps: with `double_every` 2 and `start` 50 it is 50, 50, 100, 100, 200, ….
    pub fn cap(self, day: u32) -> u64 {
        let doublings = day / self.double_every.max(1);
        if doublings >= self.start.leading_zeros() { u64::MAX } else { self.start << doublings }
    }

    /// The day of a moment, counted from the first mail; 0 if the clock has been set back
    /// before it.
    pub fn day(first_mail: Instant, now: Instant) -> u32 {
        u32::try_from((now - first_mail).num_days().max(0)).unwrap_or(u32::MAX)
    }
}

/// The longest time that a cap makes anybody wait.
pub const LONGEST_WAIT: Duration = Duration::milliseconds(SLOTS * SLOT);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Instant {
        from_millis(1_700_000_400_000 + minutes * 60_000)
    }

    #[test]
    fn a_day_after_the_first_the_next_may_go() {
        let mut sent = Sent::default();
        for minute in [0, 0, 60] {
            assert_eq!(sent.next(3, at(minute)), at(minute));
            sent.count(at(minute));
        }
        let free = sent.next(3, at(60));
        assert!(free >= at(24 * 60) && free <= at(24 * 60 + 10), "{free}");
        assert_eq!(sent.next(4, at(60)), at(60), "a higher cap is heeded at once");
        assert_eq!(sent.next(3, free), free);
        assert_eq!(sent.total(), 1, "the two of the first minute no longer count");
    }

    #[test]
    fn a_clock_set_ahead_and_back_blocks_nobody_for_years() {
        let ten_years = 10 * 365 * 24 * 60;
        let mut sent = Sent::default();
        sent.count(at(ten_years));
        assert!(sent.next(1, at(0)) <= at(0) + LONGEST_WAIT);
        assert_eq!(sent.next(2, at(0)), at(0));
    }

    #[test]
    fn what_was_sent_outlives_the_process() {
        let mut sent = Sent::default();
        sent.count(at(0));
        let json = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Sent>(&json).unwrap(), sent);
    }

    #[test]
    fn a_new_relay_is_trusted_with_twice_as_much_every_other_day() {
        let warm_up = WarmUp { start: 50, double_every: 2 };
        assert_eq!([0, 1, 2, 3, 4, 10].map(|day| warm_up.cap(day)), [50, 50, 100, 100, 200, 1600]);
        assert_eq!(warm_up.cap(u32::MAX), u64::MAX);
        assert_eq!(WarmUp::day(at(0), at(24 * 60 * 3 + 1)), 3);
        assert_eq!(WarmUp::day(at(0), at(-5000)), 0);
    }

    proptest! {
        #[test]
        fn no_day_sees_more_than_the_cap(cap in 1..20u64, steps in prop::collection::vec(0..300i64, 1..300)) {
            let mut sent = Sent::default();
            let mut minute = 0;
            let mut gone: Vec<Instant> = Vec::new();
            for step in steps {
                minute += step;
                let now = at(minute);
                let next = sent.next(cap, now);
                prop_assert!(next >= now && next <= now + LONGEST_WAIT);
                if next == now {
                    sent.count(now);
                    gone.push(now);
                    let day = gone.iter().filter(|at| now - **at <= Duration::days(1)).count();
                    prop_assert!(day as u64 <= cap, "{day} in a day");
                }
            }
        }

        #[test]
        fn warm_up_never_falls(start in 1..10_000u64, every in 1..30u32, day in 0..400u32) {
            let warm_up = WarmUp { start, double_every: every };
            prop_assert!(warm_up.cap(day) <= warm_up.cap(day + 1));
        }
    }
}
