//! Whether a relay is fit to be used: after a failure it rests, longer each time.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// The first rest; each further failure in a row doubles it.
const FIRST_REST: Duration = Duration::from_millis(100);
/// No rest is longer.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// After so many failures in a row the relay counts as gone: some 25 seconds of trying.
const LAST_FAILURE: u32 = 9;

/// One relay's health, shared by its connections.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    resting_until: Option<Instant>,
    reason: String,
}

/// What a relay rests of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// When it may be used again; perhaps past.
    pub until: Instant,
    /// What its last failure was.
    pub reason: String,
}

/// What a failure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prognosis {
    /// The relay rests.
    Resting,
    /// It has failed too often in a row.
    Gone,
}

impl Health {
    /// Notes a success: the next failure is the first again.
    pub fn succeeded(&self) {
        self.lock().failures = 0;
    }

    /// Notes a failure. Several connections failing during one rest count once.
    pub fn failed(&self, now: Instant, reason: &str) -> Prognosis {
        let mut state = self.lock();
        reason.clone_into(&mut state.reason);
        if state.resting_until.is_none_or(|until| until <= now) {
            let rest = FIRST_REST.saturating_mul(1 << state.failures.min(16)).min(LONGEST_REST);
            state.failures += 1;
            state.resting_until = Some(now + rest);
        }
        if state.failures >= LAST_FAILURE { Prognosis::Gone } else { Prognosis::Resting }
    }

    /// Whether it has failed too often in a row.
    pub fn is_gone(&self) -> bool {
        self.lock().failures >= LAST_FAILURE
    }

    /// When the relay may be used again.
    pub fn resting_until(&self) -> Option<Instant> {
        self.lock().resting_until
    }

    /// The last rest and why, unless the relay has proved well since and the rest is over.
    pub fn rest(&self, now: Instant) -> Option<Rest> {
        let state = self.lock();
        let until = state.resting_until.filter(|until| state.failures > 0 || *until > now)?;
        Some(Rest { until, reason: state.reason.clone() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while holding this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_and_a_success_forgives() {
        let health = Health::default();
        let mut now = Instant::now();
        assert_eq!(health.rest(now), None);
        for _ in 1..LAST_FAILURE {
            assert_eq!(health.failed(now, "busy"), Prognosis::Resting);
            let until = health.resting_until().unwrap();
            assert!(until > now);
            assert_eq!(
                health.failed(now, "still busy"),
                Prognosis::Resting,
                "a second failure in the same rest counts once"
            );
            assert_eq!(health.resting_until(), Some(until));
            assert_eq!(health.rest(until), Some(Rest { until, reason: "still busy".to_owned() }));
            now = until;
        }
        assert_eq!(health.failed(now, "busy"), Prognosis::Gone);
        health.succeeded();
        assert_eq!(health.rest(now + LONGEST_REST), None, "it is over that");
        assert_eq!(health.failed(now + LONGEST_REST, "busy"), Prognosis::Resting);
    }
}
