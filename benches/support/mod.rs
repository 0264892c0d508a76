//! What the benchmarks share: medians over rounds, with the spread beside them.

use std::time::Duration;

pub use rustix::time::ClockId;
use rustix::time::clock_gettime;

/// How often each thing is measured. Odd, so that the median is one of the rounds.
pub const ROUNDS: usize = 7;

/// Rates, one for each round.
#[derive(Debug, Default)]
pub struct Rates(Vec<f64>);

impl Rates {
    /// Runs some work and notes how many times a second it did what it says it did, by the
    /// monotonic clock or, where other work on the machine shall not count, by the thread's
    /// processor time.
    pub fn measure(&mut self, clock: ClockId, work: impl FnOnce() -> usize) {
        let now = || Duration::try_from(clock_gettime(clock)).expect("neither clock goes below zero");
        let start = now();
        let done = f64::from(u32::try_from(work()).expect("a round is short"));
        self.0.push(done / now().saturating_sub(start).as_secs_f64());
    }

    /// The rate in the middle.
    pub fn median(&self) -> f64 {
        self.sorted()[self.0.len() / 2]
    }

    /// The slowest round and the fastest.
    pub fn spread(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted[0], sorted[sorted.len() - 1])
    }

    fn sorted(&self) -> Vec<f64> {
        assert!(!self.0.is_empty(), "nothing was measured");
        let mut rates = self.0.clone();
        rates.sort_by(f64::total_cmp);
        rates
    }
}

/// One line of the result: the median, the spread, and what is counted.
pub fn line(what: &str, unit: &str, rates: &Rates) -> String {
    let (slowest, fastest) = rates.spread();
    let rounds = format!("{slowest:.0} to {fastest:.0} in {ROUNDS} rounds");
    format!("{what:<28}{:>10.0} {unit:<14}({rounds})", rates.median())
}
