//! How far ahead of the wire deliveries may be begun.
//!
//! What is begun is what a power loss leaves in doubt and what a pause can no longer hold
//! back, so it is kept as small as the relay's speed allows: never more than the relay takes
//! in 50 milliseconds when it is kept busy, at least what keeps every lane busy, at most
//! `begin_ahead`. The relay's speed is read off how long it takes for a message,
//! and not off how many were settled, which also depends on the disk: a slow disk would let
//! fewer be begun, and with fewer begun it would stay slow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The span of the relay's time that is begun ahead.
const SPAN: Duration = Duration::from_millis(50);
/// How much one message moves the average: a sixteenth.
const WEIGHT: u64 = 16;

/// Averages how long a message is on the wire, and says how many deliveries may be begun and
/// not settled.
#[derive(Debug)]
pub(super) struct Pace {
    least: usize,
    most: usize,
    /// Nanoseconds; 0 while nothing is known.
    average: AtomicU64,
}

impl Pace {
    /// A pace for lanes that have so many messages on the wire at once, bounded by `begin_ahead`
    /// if that is not fewer. Each lane is kept busy by two more: one whose envelope rides behind
    /// the last one's dot, and one that is begun while the outcome of another is recorded.
    pub fn new(lanes: usize, on_the_wire: usize, begin_ahead: usize) -> Self {
        let most = begin_ahead.max(on_the_wire).max(1);
        Self { least: (on_the_wire + 2 * lanes).clamp(1, most), most, average: AtomicU64::new(0) }
    }

    /// The bound that is never passed.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Notes how long the relay had a message before it answered.
    pub fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / WEIGHT).max(1);
        let average = self.average.load(Ordering::Relaxed);
        // Two notes at once lose one of them, which an average can bear.
        let next = if average == 0 { took } else { average - average / WEIGHT + took / WEIGHT };
        self.average.store(next.max(1), Ordering::Relaxed);
    }

    /// How many may be begun now.
    pub fn allowed(&self) -> usize {
        let average = u128::from(self.average.load(Ordering::Relaxed));
        let taken = (self.least as u128 * SPAN.as_nanos()).checked_div(average).unwrap_or(0);
        usize::try_from(taken).unwrap_or(usize::MAX).clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_the_relay_the_further_ahead_between_the_two_bounds() {
        let pace = Pace::new(2, 2, 64);
        assert_eq!(pace.allowed(), 6, "nothing is known yet: each lane has one and the next two");
        pace.note(Duration::from_millis(20));
        assert_eq!(pace.allowed(), 15, "six at a time, each 20 ms: fifteen in 50 ms");
        (0..200).for_each(|_| pace.note(Duration::from_micros(100)));
        assert_eq!(pace.allowed(), 64, "never more than begin_ahead");
        (0..200).for_each(|_| pace.note(Duration::from_secs(1)));
        assert_eq!(pace.allowed(), 6, "a relay that stalls is not run ahead of");
    }

    #[test]
    fn begin_ahead_is_never_passed_but_by_what_is_on_the_wire() {
        assert_eq!(Pace::new(1, 1, 1).most(), 1);
        assert_eq!(Pace::new(1, 1, 1).allowed(), 1);
        assert_eq!(Pace::new(4, 32, 16).most(), 32);
        assert_eq!(Pace::new(4, 32, 256).allowed(), 40);
    }
}
