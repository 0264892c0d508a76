//! The relays of a run, and how each fares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::health::Health;
use crate::domain::traffic::Condition;

/// One relay, or the outbox, as the parts of a run share it.
#[derive(Debug)]
pub(super) struct Relay {
    /// Its number among the relays of the run, from 0.
    pub number: usize,
    /// What reports call it.
    pub name: String,
    /// Whether it is fit to be used.
    pub health: Health,
    /// How many deliveries are begun for it and have not ended, recorded or not.
    load: AtomicUsize,
    /// How many messages it has carried, and for how many microseconds in all.
    messages: AtomicU64,
    wire_micros: AtomicU64,
}

impl Relay {
    pub fn new(number: usize, name: String) -> Arc<Self> {
        Arc::new(Self {
            number,
            name,
            health: Health::default(),
            load: AtomicUsize::new(0),
            messages: AtomicU64::new(0),
            wire_micros: AtomicU64::new(0),
        })
    }

    /// How many deliveries are begun for it and have not ended, recorded or not.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Counts a message that was so long on the wire, whatever became of it.
    pub fn carry(&self, time: Duration) {
        self.wire_micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(0), Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// How many messages it has carried, and how long those were on the wire, added up.
    pub fn carried(&self) -> (u64, Duration) {
        let messages = self.messages.load(Ordering::Relaxed);
        (messages, Duration::from_micros(self.wire_micros.load(Ordering::Relaxed)))
    }

    fn is_usable(&self, now: Instant) -> bool {
        !self.health.is_gone() && self.health.resting_until().is_none_or(|until| until <= now)
    }

    /// How it fares, for the choice of a relay.
    fn condition(&self, now: Instant) -> Condition {
        if self.is_usable(now) { Condition::Working(self.load()) } else { Condition::Resting }
    }
}

/// One delivery's part in a relay's load, for as long as it lives.
#[derive(Debug)]
pub(super) struct Load(Arc<Relay>);

impl Load {
    pub fn on(relay: &Arc<Relay>) -> Self {
        relay.load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(relay))
    }

    /// The relay's name.
    pub fn relay(&self) -> &str {
        &self.0.name
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All relays of a run, at least one.
#[derive(Debug)]
pub(super) struct Relays(Vec<Arc<Relay>>);

impl Relays {
    pub fn new(relays: Vec<Arc<Relay>>) -> Self {
        assert!(!relays.is_empty(), "a transport has at least one place to send to");
        Self(relays)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Relay>> {
        self.0.iter()
    }

    /// A relay by its number.
    pub fn get(&self, number: usize) -> &Arc<Relay> {
        &self.0[number]
    }

    /// How a relay fares, for the choice of one.
    pub fn condition(&self, number: usize, now: Instant) -> Condition {
        self.0[number].condition(now)
    }

    /// Whether a delivery that waits for this relay would fare better with another.
    pub fn has_better_than(&self, relay: &Relay, now: Instant) -> bool {
        !relay.is_usable(now) && self.0.iter().any(|other| other.is_usable(now))
    }

    /// Whether none can be reached any more.
    pub fn are_gone(&self) -> bool {
        self.0.iter().all(|relay| relay.health.is_gone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relays(n: usize) -> Relays {
        Relays::new((0..n).map(|number| Relay::new(number, format!("relay {number}"))).collect())
    }

    #[test]
    fn a_relay_knows_what_it_has_to_do() {
        let relays = relays(1);
        let now = Instant::now();
        let load = Load::on(relays.get(0));
        assert_eq!(relays.condition(0, now), Condition::Working(1));
        drop(load);
        assert_eq!(relays.condition(0, now), Condition::Working(0), "what is settled no longer counts");
    }

    #[test]
    fn a_relay_that_rests_says_so_and_another_is_better_off() {
        let relays = relays(2);
        let now = Instant::now();
        relays.get(0).health.failed(now, "busy");
        assert_eq!((relays.condition(0, now), relays.condition(1, now)), (Condition::Resting, Condition::Working(0)));
        assert!(relays.has_better_than(relays.get(0), now));
        relays.get(1).health.failed(now, "busy");
        assert!(!relays.has_better_than(relays.get(0), now), "no other is better off");
    }
}
