//! The relays of a run: how each fares, and which one the next delivery goes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use super::health::Health;

/// One relay, or the outbox, as the parts of a run share it.
#[derive(Debug)]
pub(super) struct Relay {
    /// What reports call it.
    pub name: String,
    /// Whether it is fit to be used.
    pub health: Health,
    /// Its share of the work; 0 is "only when no other can".
    weight: u32,
    /// How many deliveries are begun for it and not settled.
    load: AtomicUsize,
}

impl Relay {
    pub fn new(name: String, weight: u32) -> Arc<Self> {
        Arc::new(Self { name, health: Health::default(), weight, load: AtomicUsize::new(0) })
    }

    fn is_usable(&self, now: Instant) -> bool {
        !self.health.is_gone() && self.health.resting_until().is_none_or(|until| until <= now)
    }

    /// How far it is behind its share: the smaller, the sooner it gets the next one.
    fn backlog(&self) -> u64 {
        let load = self.load.load(Ordering::Relaxed) as u64 + 1;
        load.saturating_mul(1_000_000) / u64::from(self.weight.max(1))
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

    /// The relay for the next delivery, by its number: among the usable ones that which is least
    /// behind its share, a relay of weight 0 only when there is no other. With none usable, the
    /// one whose rest ends first.
    pub fn choose(&self, now: Instant) -> (usize, &Arc<Relay>) {
        let usable = || self.0.iter().enumerate().filter(|(_, relay)| relay.is_usable(now));
        let working = usable().filter(|(_, relay)| relay.weight > 0).min_by_key(|(_, relay)| relay.backlog());
        let spare = || usable().min_by_key(|(_, relay)| relay.backlog());
        let first_back = || self.0.iter().enumerate().min_by_key(|(_, relay)| relay.health.resting_until());
        working.or_else(spare).or_else(first_back).expect("there is at least one relay")
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

    fn share_out(relays: &Relays, n: usize) -> Vec<usize> {
        let mut loads = Vec::new();
        let mut counts = vec![0; relays.0.len()];
        for _ in 0..n {
            let (number, relay) = relays.choose(Instant::now());
            loads.push(Load::on(relay));
            counts[number] += 1;
        }
        counts
    }

    fn relays(weights: &[u32]) -> Relays {
        Relays::new(weights.iter().map(|weight| Relay::new(format!("relay of {weight}"), *weight)).collect())
    }

    #[test]
    fn the_work_is_shared_by_weight_and_a_spare_relay_gets_none() {
        assert_eq!(share_out(&relays(&[3, 1, 0]), 40), [30, 10, 0]);
        assert_eq!(share_out(&relays(&[1]), 5), [5]);
    }

    #[test]
    fn a_relay_that_rests_gets_nothing_and_the_spare_one_takes_over() {
        let relays = relays(&[3, 1, 0]);
        let now = Instant::now();
        relays.0[0].health.failed(now);
        assert_eq!(share_out(&relays, 4), [0, 4, 0]);
        assert!(relays.has_better_than(&relays.0[0], now));
        relays.0[1].health.failed(now);
        assert_eq!(share_out(&relays, 4), [0, 0, 4]);
        relays.0[2].health.failed(now);
        assert!(!relays.has_better_than(&relays.0[0], now), "no other is better off");
        assert_eq!(share_out(&relays, 4).iter().sum::<usize>(), 4, "somebody has to");
    }

    #[test]
    fn what_is_settled_no_longer_counts() {
        let relays = relays(&[1, 1]);
        let (_, first) = relays.choose(Instant::now());
        drop(Load::on(first));
        assert_eq!(first.load.load(Ordering::Relaxed), 0);
    }
}
