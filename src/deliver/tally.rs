//! What a run has done so far, for whoever watches it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::beat::Beat;
use crate::domain::delivery::Outcome;

/// Counters that workers raise, and a progress bar and metrics read.
#[derive(Debug, Default)]
pub struct Tally {
    accepted: AtomicU64,
    deferred: AtomicU64,
    rejected: AtomicU64,
    in_doubt: AtomicU64,
    withdrawn: AtomicU64,
    excluded: AtomicU64,
    beat: Mutex<Option<Beat>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Taken by the relay.
    pub accepted: u64,
    /// To be tried again later.
    pub deferred: u64,
    /// Refused for good, or expired.
    pub rejected: u64,
    /// Perhaps taken.
    pub in_doubt: u64,
    /// Begun and proved unsent; they come up again.
    pub withdrawn: u64,
    /// Suppressed, cancelled or paused before they were begun.
    pub excluded: u64,
}

impl Count {
    /// Deliveries that this run is done with, for now or for good.
    pub fn settled(&self) -> u64 {
        self.accepted + self.deferred + self.rejected + self.in_doubt + self.excluded
    }
}

impl Tally {
    /// Counts one outcome.
    pub fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Accepted { .. } => &self.accepted,
            Outcome::Deferred { .. } => &self.deferred,
            Outcome::Rejected { .. } | Outcome::Expired { .. } => &self.rejected,
            Outcome::InDoubt { .. } => &self.in_doubt,
            Outcome::Withdrawn { .. } => &self.withdrawn,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one delivery that was refused a beginning.
    pub fn count_excluded(&self) {
        self.excluded.fetch_add(1, Ordering::Relaxed);
    }

    /// What the run last said of itself; `None` before it has begun.
    pub fn beat(&self) -> Option<Beat> {
        self.lock_beat().clone()
    }

    pub(super) fn set_beat(&self, beat: Beat) {
        *self.lock_beat() = Some(beat);
    }

    fn lock_beat(&self) -> std::sync::MutexGuard<'_, Option<Beat>> {
        self.beat.lock().expect("no thread panics while holding this lock")
    }

    /// The counters now.
    pub fn read(&self) -> Count {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Count {
            accepted: get(&self.accepted),
            deferred: get(&self.deferred),
            rejected: get(&self.rejected),
            in_doubt: get(&self.in_doubt),
            withdrawn: get(&self.withdrawn),
            excluded: get(&self.excluded),
        }
    }
}
