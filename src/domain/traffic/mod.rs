//! When, and through which relay, a message may go.
//!
//! All that the sender knows of pace is here: each relay's rate, daily cap, warm-up, adaptive
//! share, pauses and weight, and each domain's rate. The sender asks before it begins a
//! delivery ([`Traffic::ask`]) and reports what came of it ([`Traffic::heard`]); what must
//! outlive the process it gets as notes ([`Traffic::take_notes`]).
//!
//! Relays that are fit share the work by weight. One that rests, is paused or abandoned is
//! passed over; what it cannot take, the others get. A relay of weight 0 is a reserve: it is
//! used only while no other is fit.

mod relay;

use std::collections::{BTreeMap, HashMap};

use relay::RelayTraffic;

use super::adapt::{Pace, Sign};
use super::bucket::{Bucket, Stored};
use super::guard::Doubt;
use super::policy::Consequence;
use super::rate::Rate;
use super::time::Instant;

pub use relay::{Fitness, RelayLimits, without_pause};

/// The traffic of one sender.
#[derive(Debug)]
pub struct Traffic {
    relays: Vec<RelayTraffic>,
    rates: BTreeMap<String, Rate>,
    domains: HashMap<String, DomainTraffic>,
    /// What an earlier process noted of domains that this one has not met yet.
    noted: BTreeMap<String, String>,
}

/// Where a message may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// Now, through the relay of that number. Its worth is taken.
    Go(usize),
    /// Its domain has had enough: not before that moment.
    DomainFull(Instant),
    /// No relay that is fit takes a message before that moment.
    RelaysFull(Instant),
    /// No relay is fit before that moment; `None` is "not before the author has looked".
    NoneFit {
        /// When one is fit again.
        until: Option<Instant>,
        /// What the one that is fit again first has said.
        reason: String,
    },
}

/// How a relay fares just now, as its connections see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It works; so many messages were begun for it and have not ended.
    Working(usize),
    /// It rests after a failure.
    Resting,
}

/// What the sender must do after a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing more.
    None,
    /// Close the connection: it is used up.
    Reconnect,
    /// Let the relay rest for a moment, longer each time in a row.
    Rest(String),
    /// Pause the campaign, for this reason.
    PauseCampaign(String),
}

/// How a relay stands, for the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStanding {
    /// Its name: `host:port`.
    pub name: String,
    /// Whether it can be used.
    pub fitness: Fitness,
    /// Its pace, in thousandths of the full one.
    pub share: u16,
}

/// One domain's traffic.
#[derive(Debug)]
struct DomainTraffic {
    bucket: Bucket,
    pace: Pace,
    /// The last moment that was promised to somebody who was sent away.
    promised: Instant,
    changed: bool,
}

/// What outlives the process of a domain.
#[derive(serde::Serialize, serde::Deserialize)]
struct DomainNote {
    bucket: Stored,
    pace: Pace,
}

/// One reply, or the want of one, as the policy judged it.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// What the policy said the sender does.
    pub consequence: &'a Consequence,
    /// Whether the final dot was answered, when one was sent.
    pub doubt: Option<Doubt>,
}

/// The scope of every note begins with this.
pub const NOTES: &str = "pace ";

/// With so many domains in memory, those that nothing is owed to are forgotten.
const MANY_DOMAINS: usize = 10_000;

/// No promise is further away.
const LONGEST_PROMISE: chrono::Duration = chrono::Duration::days(30);

impl Traffic {
    /// The traffic over these relays, in this order, with what an earlier process noted (by
    /// scope; a note that cannot be read counts as none). `rates` are those of domains, `*`
    /// for every other.
    pub fn new(
        relays: Vec<RelayLimits>,
        rates: BTreeMap<String, Rate>,
        noted: BTreeMap<String, String>,
        now: Instant,
    ) -> Self {
        let relays = relays.into_iter().map(|limits| {
            let note = noted.get(&relay_scope(&limits.name)).and_then(|json| serde_json::from_str(json).ok());
            RelayTraffic::new(limits, note.unwrap_or_default(), now)
        });
        Self { relays: relays.collect(), rates, domains: HashMap::new(), noted }
    }

    /// Asks for the passage of one message to a domain (in ASCII and lower case). `condition`
    /// tells how each relay fares just now; `room` is how many messages may be begun and not
    /// settled, of which no relay holds more than its share while others are fit.
    pub fn ask(&mut self, domain: &str, condition: impl Fn(usize) -> Condition, room: usize, now: Instant) -> Passage {
        let fit = match self.fit(&condition, now) {
            Ok(fit) => fit,
            Err(none) => return none,
        };
        let open: Vec<usize> = fit.iter().copied().filter(|number| self.relays[*number].next(now) <= now).collect();
        if open.is_empty() {
            let first = fit.iter().map(|number| self.relays[*number].next(now)).min();
            return Passage::RelaysFull(first.expect("one is fit"));
        }
        if let Some(until) = self.domain(domain, now).and_then(|domain| domain.take(now)) {
            return Passage::DomainFull(until);
        }
        let chosen = self.turn(&fit, &open, condition, room);
        self.relays[chosen].take(now);
        Passage::Go(chosen)
    }

    /// Takes note of what came of a message that a relay was given, and says what is to be
    /// done beyond it.
    pub fn heard(&mut self, number: usize, domain: &str, news: &News<'_>, now: Instant) -> Effect {
        let relay = &mut self.relays[number];
        if let Some(doubt) = news.doubt {
            relay.note_doubt(doubt, now);
        }
        let (sign, effect) = match news.consequence {
            Consequence::None => (Sign::Good, Effect::None),
            Consequence::Reconnect => (Sign::Good, Effect::Reconnect),
            Consequence::Strain { .. } => (Sign::Weak, Effect::None),
            Consequence::SlowRelay { .. } => (Sign::Clear, Effect::None),
            Consequence::RestRelay { reason } => (Sign::Clear, Effect::Rest(reason.clone())),
            Consequence::PauseRelay { reason, wait } => {
                relay.pause(reason, wait.length(), now);
                (Sign::Clear, Effect::None)
            }
            Consequence::AbandonRelay { reason } => {
                relay.abandon(reason);
                (Sign::Good, Effect::None)
            }
            Consequence::PauseCampaign { reason } => (Sign::Good, Effect::PauseCampaign(reason.clone())),
        };
        relay.note_sign(sign, now);
        self.note_domain_sign(domain, news.consequence, now);
        match news.consequence {
            Consequence::AbandonRelay { reason } if self.are_all_abandoned(now) => {
                Effect::PauseCampaign(reason.clone())
            }
            _ => effect,
        }
    }

    /// How many connections to a relay its pace allows now, 1 or more.
    pub fn connections(&self, number: usize) -> usize {
        self.relays[number].connections()
    }

    /// Whether a relay can be used, as far as what it has said goes.
    pub fn is_fit(&mut self, number: usize, now: Instant) -> bool {
        self.relays[number].fitness(now) == Fitness::Fit
    }

    /// A moment for somebody whose domain has had enough for now; `None` if they need not be
    /// sent away. Takes nothing.
    pub fn promise(&mut self, domain: &str, now: Instant) -> Option<Instant> {
        self.domain(domain, now)?.promise(now)
    }

    /// How every relay stands.
    pub fn standing(&mut self, now: Instant) -> Vec<RelayStanding> {
        let standing = |relay: &mut RelayTraffic| RelayStanding {
            name: relay.limits.name.clone(),
            fitness: relay.fitness(now),
            share: relay.share(),
        };
        self.relays.iter_mut().map(standing).collect()
    }

    /// What has changed since the last call, as scopes with JSON: to be stored before what
    /// was asked for is sent.
    pub fn take_notes(&mut self) -> Vec<(String, String)> {
        let relays = self.relays.iter_mut().filter_map(|relay| {
            let note = relay.take_note()?;
            Some((relay_scope(&relay.limits.name), json(&note)))
        });
        let domains = self.domains.iter_mut().filter_map(|(name, domain)| {
            let note = domain.take_note()?;
            Some((domain_scope(name), json(&note)))
        });
        relays.chain(domains).collect()
    }

    /// The relays that can be used now, those that rest only if there are no others, the
    /// reserve only if there are no others at all.
    fn fit(&mut self, condition: &impl Fn(usize) -> Condition, now: Instant) -> Result<Vec<usize>, Passage> {
        let numbers = 0..self.relays.len();
        let fit: Vec<usize> = numbers.filter(|number| self.relays[*number].fitness(now) == Fitness::Fit).collect();
        if fit.is_empty() {
            return Err(self.none_fit(now));
        }
        let is_reserve = |number: &usize| self.relays[*number].limits.weight == 0;
        let groups = [(false, false), (true, false), (false, true), (true, true)];
        let group = |(reserve, resting): (bool, bool)| -> Vec<usize> {
            fit.iter()
                .copied()
                .filter(|n| is_reserve(n) == reserve && (condition(*n) == Condition::Resting) == resting)
                .collect()
        };
        Ok(groups.into_iter().map(group).find(|group| !group.is_empty()).expect("every relay is in one group"))
    }

    fn none_fit(&mut self, now: Instant) -> Passage {
        let mut first: Option<(Instant, String)> = None;
        let mut last_word = String::new();
        for relay in &mut self.relays {
            match relay.fitness(now) {
                Fitness::Paused { until, reason } if first.as_ref().is_none_or(|(best, _)| until < *best) => {
                    first = Some((until, reason));
                }
                Fitness::Abandoned { reason } => last_word = reason,
                Fitness::Paused { .. } | Fitness::Fit => {}
            }
        }
        match first {
            Some((until, reason)) => Passage::NoneFit { until: Some(until), reason },
            None => Passage::NoneFit { until: None, reason: last_word },
        }
    }

    fn are_all_abandoned(&mut self, now: Instant) -> bool {
        self.relays.iter_mut().all(|relay| matches!(relay.fitness(now), Fitness::Abandoned { .. }))
    }

    /// Whose turn it is: every fit relay's credit grows by its weight, and the one with the
    /// most pays for all. So a relay that was full for a while catches up. One that holds its
    /// share of the room already is slower than the others, and is passed over.
    fn turn(&mut self, fit: &[usize], open: &[usize], condition: impl Fn(usize) -> Condition, room: usize) -> usize {
        let weight = |relay: &RelayTraffic| i64::from(relay.limits.weight.max(1));
        let total: i64 = fit.iter().map(|number| weight(&self.relays[*number])).sum();
        for number in fit {
            let relay = &mut self.relays[*number];
            // Not without end: a relay that was full for an hour does not get the next hour alone.
            relay.credit = (relay.credit + weight(relay)).min(100 * weight(relay));
        }
        let has_its_share = |number: &usize| match condition(*number) {
            Condition::Working(begun) => {
                let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
                count(begun).saturating_mul(total) >= count(room).saturating_mul(weight(&self.relays[*number]))
            }
            Condition::Resting => false,
        };
        let most = |among: &mut dyn Iterator<Item = usize>| {
            among.max_by_key(|number| (self.relays[*number].credit, std::cmp::Reverse(*number)))
        };
        let with_room = most(&mut open.iter().copied().filter(|number| !has_its_share(number)));
        let chosen = with_room.or_else(|| most(&mut open.iter().copied())).expect("one is open");
        self.relays[chosen].credit -= total;
        chosen
    }

    /// The traffic of a domain that has a rate.
    fn domain(&mut self, name: &str, now: Instant) -> Option<&mut DomainTraffic> {
        let rate = *self.rates.get(name).or_else(|| self.rates.get("*"))?;
        if !self.domains.contains_key(name) {
            self.forget_idle_domains(now);
            let note = self.noted.remove(&domain_scope(name)).and_then(|json| serde_json::from_str(&json).ok());
            self.domains.insert(name.to_owned(), DomainTraffic::new(rate, note, now));
        }
        self.domains.get_mut(name)
    }

    fn note_domain_sign(&mut self, name: &str, consequence: &Consequence, now: Instant) {
        let sign = match consequence {
            Consequence::None => Sign::Good,
            Consequence::Strain { .. } => Sign::Weak,
            Consequence::SlowRelay { .. } => Sign::Clear,
            Consequence::Reconnect
            | Consequence::RestRelay { .. }
            | Consequence::PauseRelay { .. }
            | Consequence::AbandonRelay { .. }
            | Consequence::PauseCampaign { .. } => return,
        };
        if let Some(domain) = self.domains.get_mut(name) {
            domain.note_sign(sign, now);
        }
    }

    /// A list may have a hundred thousand domains, and each is met a few times.
    fn forget_idle_domains(&mut self, now: Instant) {
        if self.domains.len() >= MANY_DOMAINS {
            self.domains.retain(|_, domain| domain.changed || !domain.is_idle(now));
        }
    }
}

impl DomainTraffic {
    fn new(rate: Rate, note: Option<DomainNote>, now: Instant) -> Self {
        let (bucket, pace) = match note {
            Some(note) => (Bucket::restore(rate, note.bucket, now), note.pace),
            None => (Bucket::new(rate, now), Pace::default()),
        };
        let mut domain = Self { bucket, pace, promised: now, changed: false };
        domain.bucket.slow_to(domain.pace.share(), now);
        domain
    }

    /// Takes one message's worth, or promises a later moment: to each who is sent away one of
    /// their own, so that not all come back at the next.
    fn take(&mut self, now: Instant) -> Option<Instant> {
        let promise = self.promise(now);
        if promise.is_none() {
            self.bucket.reserve(now);
            self.changed = true;
        }
        promise
    }

    fn promise(&mut self, now: Instant) -> Option<Instant> {
        let next = self.bucket.next(now);
        if next <= now {
            return None;
        }
        // A promise further away than all that was promised can be worth is of another clock.
        self.promised = if self.promised > now + LONGEST_PROMISE { next } else { self.promised.max(next) };
        let promise = self.promised;
        self.promised += self.bucket.interval();
        Some(promise)
    }

    fn note_sign(&mut self, sign: Sign, now: Instant) {
        if self.pace.note(sign, now) {
            self.bucket.slow_to(self.pace.share(), now);
            self.changed = true;
        }
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.bucket.is_full(now) && self.promised <= now && !self.pace.is_slowed()
    }

    fn take_note(&mut self) -> Option<DomainNote> {
        let note = || DomainNote { bucket: self.bucket.stored(), pace: self.pace.clone() };
        std::mem::take(&mut self.changed).then(note)
    }
}

fn relay_scope(name: &str) -> String {
    format!("{NOTES}relay {name}")
}

fn domain_scope(name: &str) -> String {
    format!("{NOTES}domain {name}")
}

fn json(note: &impl serde::Serialize) -> String {
    serde_json::to_string(note).expect("numbers and texts have a JSON form")
}

#[cfg(test)]
mod tests;
