//! What stands between a delivery and the wire: the reader's day, paces and caps, the relays'
//! fitness, and the watch over refusals.
//!
//! Everything here is decided by pure modules of `domain`; this is where they are kept while a
//! run goes on, behind locks, and where what must outlive the run is handed to the ledger.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use chrono_tz::Tz;

use crate::domain::delivery::{Outcome, Suppress};
use crate::domain::guard::{Doubt, Refusals, Seen, Word};
use crate::domain::ids::{CampaignId, DeliveryId};
use crate::domain::policy::{Consequence, Event};
use crate::domain::rate::Rate;
use crate::domain::reply::Stage;
use crate::domain::rules::Rules;
use crate::domain::time::Instant;
use crate::domain::traffic::{Condition, Effect, NOTES, News, Passage, RelayLimits, RelayStanding, Traffic};
use crate::domain::window::Day;
use crate::ledger::{Claim, Note, Purpose};

/// When mail goes, how fast, and what replies mean.
#[derive(Debug, Clone, Default)]
pub struct Timing {
    /// Messages by time to single domains; `*` is every other, each for itself.
    pub domain_rates: BTreeMap<String, Rate>,
    /// The hours of the day.
    pub day: Day,
    /// Where a reader lives who does not say.
    pub zone: Tz,
    /// What particular replies mean.
    pub rules: Rules,
}

/// A suppression that waits until its stretch of replies is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub delivery: DeliveryId,
    pub reason: String,
}

/// What the watch over refusals has to say after an outcome.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// Go on; these suppressions may be booked.
    GoOn(Vec<Held>),
    /// Pause the campaign, for this reason.
    Alarm(String),
}

/// The gate of one run.
pub(super) struct Gate {
    traffic: Mutex<Traffic>,
    refusals: Mutex<HashMap<CampaignId, Refusals<Held>>>,
    halted: Mutex<HashSet<CampaignId>>,
    day: Day,
    zone: Tz,
    pub rules: Rules,
}

impl Gate {
    /// The gate before these relays, with what an earlier run noted.
    pub fn new(timing: Timing, relays: Vec<RelayLimits>, noted: BTreeMap<String, String>, now: Instant) -> Self {
        let Timing { domain_rates, day, zone, rules } = timing;
        Self {
            traffic: Mutex::new(Traffic::new(relays, domain_rates, noted, now)),
            refusals: Mutex::default(),
            halted: Mutex::default(),
            day,
            zone,
            rules,
        }
    }

    /// The notes that a gate is made with begin with this.
    pub fn notes() -> &'static str {
        NOTES
    }

    /// Until when a claim waits for its reader's day or its domain, and why; `None` is "not
    /// at all, as far as that goes". What is in doubt does not wait.
    pub fn wait(&self, claim: &Claim, now: Instant) -> Option<(Instant, &'static str)> {
        if claim.purpose == Purpose::Resend {
            return None;
        }
        let for_the_domain = || Some((lock(&self.traffic).promise(claim.address.domain(), now)?, DOMAIN_FULL));
        self.wait_for_the_day(claim, now).or_else(for_the_domain)
    }

    /// The same as far as the reader's day goes, which may have come to its end since the claim.
    pub fn wait_for_the_day(&self, claim: &Claim, now: Instant) -> Option<(Instant, &'static str)> {
        if self.day == Day::default() || claim.purpose == Purpose::Resend {
            return None;
        }
        let zone = claim.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(self.zone);
        let free = self.day.free_from(claim.start, now, zone);
        (free > now).then_some((free, "it is not the time of day for it where the reader lives"))
    }

    /// Asks for the passage of one claim.
    pub fn ask(&self, claim: &Claim, condition: impl Fn(usize) -> Condition, room: usize, now: Instant) -> Passage {
        lock(&self.traffic).ask(claim.address.domain(), condition, room, now)
    }

    /// What was taken and heard since the last call.
    pub fn take_notes(&self) -> Vec<Note> {
        let notes = lock(&self.traffic).take_notes();
        notes.into_iter().map(|(scope, note)| Note { scope, note }).collect()
    }

    /// Takes note of what a relay said to a message.
    pub fn heard(&self, relay: usize, claim: &Claim, event: &Event, consequence: &Consequence, now: Instant) -> Effect {
        let news = News { consequence, doubt: doubt(event) };
        lock(&self.traffic).heard(relay, claim.address.domain(), &news, now)
    }

    /// Takes note of an outcome, taking its suppression out: that waits here.
    pub fn watch(&self, claim: &Claim, outcome: &mut Outcome) -> Watch {
        let mut said = String::new();
        let seen = match outcome {
            Outcome::Rejected { suppress, reason, .. } => {
                said.clone_from(reason);
                match std::mem::replace(suppress, Suppress::No) {
                    Suppress::Yes => Seen::Suppressing(Held { delivery: claim.delivery, reason: reason.clone() }),
                    Suppress::No => Seen::Refusal,
                }
            }
            Outcome::Accepted { .. } | Outcome::Deferred { .. } | Outcome::Expired { .. } => Seen::NoRefusal,
            // The relay has said nothing about this one.
            Outcome::Withdrawn { .. } | Outcome::InDoubt { .. } => return Watch::GoOn(Vec::new()),
        };
        match lock(&self.refusals).entry(claim.campaign.clone()).or_default().note(seen) {
            Word::GoOn(held) => Watch::GoOn(held),
            Word::Alarm { refused, of } => {
                Watch::Alarm(format!("{refused} of the last {of} were refused for good, the last with: {said}"))
            }
        }
    }

    /// The end of the run: the suppressions that may still be booked.
    pub fn close(&self) -> Vec<Held> {
        lock(&self.refusals).values_mut().flat_map(Refusals::close).collect()
    }

    /// Nothing more of this campaign leaves in this run.
    pub fn halt(&self, campaign: &CampaignId) {
        lock(&self.halted).insert(campaign.clone());
    }

    /// Whether nothing more of this campaign leaves in this run. The ledger may not know yet.
    pub fn is_halted(&self, campaign: &CampaignId) -> bool {
        lock(&self.halted).contains(campaign)
    }

    /// Whether something stands against sending what was begun.
    pub fn is_shut(&self, relay: usize, campaign: Option<&CampaignId>, now: Instant) -> bool {
        campaign.is_some_and(|campaign| self.is_halted(campaign)) || !lock(&self.traffic).is_fit(relay, now)
    }

    /// How every relay stands, as far as what it has said goes.
    pub fn standing(&self, now: Instant) -> Vec<RelayStanding> {
        lock(&self.traffic).standing(now)
    }

    /// How many connections to a relay its pace allows.
    pub fn connections(&self, relay: usize) -> usize {
        lock(&self.traffic).connections(relay)
    }
}

/// Why a delivery to a domain with a rate waits.
pub(super) const DOMAIN_FULL: &str = "its domain gets no more just now";

/// Whether the final dot was answered, when one was sent.
fn doubt(event: &Event) -> Option<Doubt> {
    match event {
        Event::Replied(Stage::Dot, _) => Some(Doubt::Answered),
        Event::Broke(Stage::Dot, _) => Some(Doubt::InDoubt),
        Event::Replied(..) | Event::Broke(..) => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while holding this lock")
}
