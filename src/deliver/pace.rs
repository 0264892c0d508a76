//! How far ahead of the wire deliveries may be begun.
//!
//! What is begun is what a power loss leaves in doubt and what a pause can no longer hold
//! back, so it is kept as small as the relay's speed allows: never more than was settled in
//! the last 50 milliseconds, at least one for each lane, at most `begin_ahead`.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// The span whose settles are counted.
const SPAN: Duration = Duration::from_millis(50);

/// Counts settles and says how many deliveries may be begun and not settled.
#[derive(Debug)]
pub(super) struct Pace {
    least: usize,
    most: usize,
    settled: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// A pace for `lanes` lanes, bounded by `begin_ahead`.
    pub fn new(lanes: usize, begin_ahead: usize) -> Self {
        let least = lanes.max(1);
        Self { least, most: begin_ahead.max(least), settled: Mutex::default() }
    }

    /// The bound that is never passed.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Notes that a delivery was settled.
    pub fn note(&self, now: Instant) {
        let mut settled = self.settled.lock().expect("no thread panics while holding this lock");
        if settled.len() == self.most {
            settled.pop_front();
        }
        settled.push_back(now);
    }

    /// How many may be in hand now.
    pub fn allowed(&self, now: Instant) -> usize {
        let settled = self.settled.lock().expect("no thread panics while holding this lock");
        let recent = settled.iter().rev().take_while(|at| now.duration_since(**at) <= SPAN).count();
        recent.clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_the_relay_the_further_ahead_between_the_two_bounds() {
        let pace = Pace::new(4, 16);
        let start = Instant::now();
        assert_eq!(pace.allowed(start), 4, "nothing is known yet");
        (0..10).for_each(|_| pace.note(start));
        assert_eq!(pace.allowed(start), 10);
        (0..100).for_each(|_| pace.note(start));
        assert_eq!(pace.allowed(start), 16, "never more than begin_ahead");
        assert_eq!(pace.allowed(start + 2 * SPAN), 4, "a relay that stalls is not run ahead of");
    }
}
