//! A token bucket: when the next message may go.
//!
//! The bucket keeps the moment at which all that was taken from it will have flowed back
//! (the generic cell rate algorithm, ITU-T I.371). Nothing is rounded away between calls, so
//! even one message a day is neither lost nor gained.
//!
//! It goes by the wall clock, since it outlives the process. When that clock is set back, the
//! bucket takes it that no time has passed; when it is set ahead, the bucket is full and
//! nothing worse. A wait is therefore never longer than what was taken is worth.

use chrono::Duration;

use super::rate::Rate;
use super::time::{Instant, from_millis, to_millis};

/// A clock that goes back by less is not set back: two threads read it at slightly different
/// moments.
const SLACK: Duration = Duration::seconds(2);

/// A share of a rate, in thousandths: 1000 is all of it. At least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// All of it.
    pub const FULL: Self = Self(1000);

    /// So many thousandths, brought between 1 and 1000.
    pub const fn thousandths(n: u16) -> Self {
        Self(if n == 0 {
            1
        } else if n > 1000 {
            1000
        } else {
            n
        })
    }

    /// In thousandths.
    pub fn get(self) -> u16 {
        self.0
    }

    /// That share of a number, rounded up: of one or more, at least one.
    pub fn of(self, number: usize) -> usize {
        (number * usize::from(self.0)).div_ceil(1000)
    }
}

/// A token bucket of one relay or one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    rate: Rate,
    /// The time from one message to the next, at the present share of the rate.
    interval: Duration,
    /// When everything taken has flowed back.
    full: Instant,
    /// The clock when the bucket was last asked.
    seen: Instant,
}

/// What outlives the process. How much is owed is kept with the interval it was owed at, so
/// that a rate changed meanwhile is heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stored {
    full: i64,
    seen: i64,
    interval_ns: i64,
}

impl Bucket {
    /// A full bucket.
    pub fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, interval: rate.interval(), full: now, seen: now }
    }

    /// A bucket as it was stored, at a rate that may have changed since. It is never emptier
    /// than one that gave a day's worth: whatever stands in the store, nothing waits longer.
    pub fn restore(rate: Rate, stored: Stored, now: Instant) -> Self {
        let interval = Duration::nanoseconds(stored.interval_ns.clamp(1, i64::MAX / 4));
        let mut bucket = Self { rate, interval, full: from_millis(stored.full), seen: from_millis(stored.seen) };
        bucket.full = bucket.full.min(bucket.seen + Duration::days(1));
        bucket.look(now);
        bucket.set_interval(rate.interval());
        bucket
    }

    /// What to store.
    pub fn stored(&self) -> Stored {
        let round_up = Duration::nanoseconds(999_999);
        let full = self.full.checked_add_signed(round_up).unwrap_or(self.full);
        Stored {
            full: to_millis(full),
            seen: to_millis(self.seen),
            interval_ns: self.interval.num_nanoseconds().unwrap_or(i64::MAX / 4),
        }
    }

    /// Lets through only a share of the rate from now on. What was taken stays taken.
    pub fn slow_to(&mut self, share: Share, now: Instant) {
        self.look(now);
        let nanoseconds = self.rate.interval().num_nanoseconds().expect("a rate's interval is a day at most");
        self.set_interval(Duration::nanoseconds(nanoseconds * 1000 / i64::from(share.get())));
    }

    /// When the next message may go: now, or later. Takes nothing.
    pub fn next(&mut self, now: Instant) -> Instant {
        let now = self.look(now);
        let tolerance = self.interval * i32::try_from(self.rate.burst() - 1).expect("a burst is ten million at most");
        now.max(self.full - tolerance)
    }

    /// Takes one message's worth, and says when that message may go: now, or later. Moments
    /// given one after the other never go back, unless the clock does.
    pub fn reserve(&mut self, now: Instant) -> Instant {
        let start = self.next(now);
        self.full = self.full.max(start) + self.interval;
        start
    }

    /// The time from one message to the next at the present share.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether all that was taken has flowed back.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.look(now) >= self.full
    }

    /// Takes note of the clock. Set back, it moves what is owed back with it.
    fn look(&mut self, now: Instant) -> Instant {
        if now + SLACK < self.seen {
            self.full -= self.seen - now;
            self.seen = now;
        }
        self.seen = self.seen.max(now);
        self.seen
    }

    /// Changes the interval; what is owed is owed in messages, not in time.
    fn set_interval(&mut self, interval: Duration) {
        let owed = (self.full - self.seen).max(Duration::zero());
        let nanoseconds = |duration: Duration| i128::from(duration.num_nanoseconds().unwrap_or(i64::MAX / 4));
        let scaled = nanoseconds(owed) * nanoseconds(interval) / nanoseconds(self.interval).max(1);
        let longest = Duration::days(366);
        let scaled = i64::try_from(scaled).map_or(longest, Duration::nanoseconds).min(longest);
        self.full = self.seen + scaled;
        self.interval = interval;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    fn at(seconds: i64) -> Instant {
        from_millis(1_700_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_steady_stream_goes_at_the_rate() {
        let mut bucket = Bucket::new(rate("100/min"), at(0));
        let moments: Vec<i64> = (0..5).map(|_| (bucket.reserve(at(0)) - at(0)).num_milliseconds()).collect();
        assert_eq!(moments, [0, 600, 1200, 1800, 2400]);
        assert_eq!(bucket.next(at(60)), at(60), "after a pause the next goes at once");
    }

    #[test]
    fn asking_takes_nothing() {
        let mut bucket = Bucket::new(rate("1/hour"), at(0));
        assert_eq!((bucket.next(at(0)), bucket.next(at(0)), bucket.reserve(at(0))), (at(0), at(0), at(0)));
        assert_eq!(bucket.next(at(1)), at(3600));
    }

    #[test]
    fn a_slower_share_keeps_what_was_taken() {
        let mut bucket = Bucket::new(rate("60/min"), at(0));
        for _ in 0..10 {
            bucket.reserve(at(0));
        }
        bucket.slow_to(Share::thousandths(100), at(0));
        assert_eq!(bucket.next(at(0)), at(100), "ten messages at a tenth of the rate");
        bucket.slow_to(Share::FULL, at(50));
        assert_eq!(bucket.next(at(50)), at(55), "half of that has passed, five are left at the full rate");
    }

    #[test]
    fn a_clock_set_back_or_ahead_makes_nobody_wait_for_it() {
        let ten_years = 10 * 365 * 86_400;
        let mut bucket = Bucket::new(rate("1/min"), at(0));
        bucket.reserve(at(0));
        assert_eq!(bucket.next(at(-7200)), at(-7200) + Duration::minutes(1), "set back two hours");
        assert_eq!(bucket.reserve(at(ten_years)), at(ten_years), "set ahead ten years");
        assert_eq!(bucket.next(at(0)), at(60), "and back again");
        assert_eq!(bucket.reserve(at(60)), at(60));
    }

    #[test]
    fn a_bucket_outlives_the_process_and_a_change_of_rate() {
        let mut bucket = Bucket::new(rate("60/hour"), at(0));
        for _ in 0..3 {
            bucket.reserve(at(0));
        }
        let json = serde_json::to_string(&bucket.stored()).unwrap();
        let stored: Stored = serde_json::from_str(&json).unwrap();
        assert_eq!(Bucket::restore(rate("60/hour"), stored, at(1)).next(at(1)), at(180));
        assert_eq!(Bucket::restore(rate("60/min"), stored, at(60)).next(at(60)), at(62), "two are owed, a second each");
        let nonsense = Stored { full: i64::MAX, seen: i64::MAX, interval_ns: -5 };
        assert!(Bucket::restore(rate("1/s"), nonsense, at(0)).next(at(0)) <= at(0) + Duration::days(366));
    }

    #[test]
    fn a_share_of_the_connections_is_at_least_one() {
        assert_eq!([1, 4, 10].map(|n| Share::thousandths(250).of(n)), [1, 1, 3]);
        assert_eq!((Share::FULL.of(4), Share::thousandths(0).of(1)), (4, 1));
    }

    fn rates() -> impl Strategy<Value = Rate> {
        (1..5000u32, prop_oneof![Just("s"), Just("min"), Just("hour"), Just("day")])
            .prop_map(|(n, unit)| rate(&format!("{n}/{unit}")))
    }

    proptest! {
        #[test]
        fn no_window_lets_through_more_than_burst_and_rate(
            rate in rates(),
            steps in prop::collection::vec(0..5_000_000_000i64, 1..200),
            share in 100..=1000u16,
        ) {
            let mut now = at(0);
            let mut bucket = Bucket::new(rate, now);
            bucket.slow_to(Share::thousandths(share), now);
            let mut gone = Vec::new();
            for step in steps {
                now += Duration::nanoseconds(step);
                let moment = bucket.reserve(now);
                prop_assert!(moment >= now, "never in the past");
                prop_assert!(gone.last().is_none_or(|last| *last <= moment), "in order");
                gone.push(moment);
            }
            let interval = bucket.interval.num_nanoseconds().unwrap();
            for (i, first) in gone.iter().enumerate() {
                for (n, last) in gone[i..].iter().enumerate() {
                    let fit = (*last - *first).num_nanoseconds().unwrap() / interval + i64::from(rate.burst());
                    prop_assert!(i64::try_from(n).unwrap() < fit, "{} messages in {}", n + 1, *last - *first);
                }
            }
        }

        #[test]
        fn nobody_starves(rate in rates(), waiting in 1..300i32) {
            let mut bucket = Bucket::new(rate, at(0));
            let last = (0..waiting).map(|_| bucket.reserve(at(0))).last().unwrap();
            prop_assert!(last <= at(0) + rate.interval() * waiting);
        }

        #[test]
        fn no_jump_of_the_clock_makes_a_wait_longer_than_what_was_taken(
            rate in rates(),
            jumps in prop::collection::vec(-400_000_000..400_000_000i64, 1..50),
        ) {
            let mut bucket = Bucket::new(rate, at(0));
            for (n, jump) in (1..).zip(jumps) {
                let wait = bucket.reserve(at(jump)) - at(jump);
                prop_assert!(wait <= rate.interval() * n + SLACK, "{wait} after {n}");
            }
        }
    }
}
