//! One relay: what it may be given, when, and what it has said.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::domain::adapt::{Pace, Sign};
use crate::domain::bucket::{Bucket, Stored};
use crate::domain::guard::{Doubt, Doubts};
use crate::domain::quota::{Sent, WarmUp};
use crate::domain::rate::Rate;
use crate::domain::span::Span;
use crate::domain::time::{Instant, from_millis, to_millis};

/// For how long a relay is left alone that leaves too many final dots unanswered.
const DOUBT_PAUSE: Span = Span::of_minutes(60);

/// What the author, or a preset, allows a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLimits {
    /// Its name in reports: `host:port`.
    pub name: String,
    /// Connections at the full pace.
    pub connections: usize,
    /// Messages by time.
    pub rate: Option<Rate>,
    /// Messages in any 24 hours.
    pub daily: Option<u64>,
    /// How the daily cap of a new relay grows.
    pub warm_up: Option<WarmUp>,
    /// Its share of the work; 0 is "only when no other is fit".
    pub weight: u32,
}

impl RelayLimits {
    /// A place that takes whatever it is given.
    pub fn unlimited(name: String) -> Self {
        Self { name, connections: 1, rate: None, daily: None, warm_up: None, weight: 1 }
    }
}

/// Whether a relay can be given mail at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fitness {
    /// It can.
    Fit,
    /// Not before a moment.
    Paused {
        /// When.
        until: Instant,
        /// What it said.
        reason: String,
    },
    /// Not before the author has looked.
    Abandoned {
        /// What it said.
        reason: String,
    },
}

/// A pause as it outlives the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pause {
    since: i64,
    until: i64,
    reason: String,
}

/// What outlives the process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct RelayNote {
    bucket: Option<Stored>,
    sent: Sent,
    first_mail: Option<i64>,
    pace: Pace,
    paused: Option<Pause>,
}

/// A relay's note without its pause, for an author who has looked; `None` when it has none, or
/// is no note of a relay.
pub fn without_pause(json: &str) -> Option<String> {
    let mut note: RelayNote = serde_json::from_str(json).ok()?;
    note.paused.take()?;
    Some(super::json(&note))
}

/// The traffic of one relay.
#[derive(Debug)]
pub(super) struct RelayTraffic {
    pub limits: RelayLimits,
    bucket: Option<Bucket>,
    sent: Sent,
    first_mail: Option<Instant>,
    pace: Pace,
    paused: Option<Pause>,
    abandoned: Option<String>,
    doubts: Doubts,
    /// For the weighted turn: grows by the weight in each turn, falls when it is chosen.
    pub credit: i64,
    changed: bool,
}

impl RelayTraffic {
    pub(super) fn new(limits: RelayLimits, note: RelayNote, now: Instant) -> Self {
        let bucket = limits.rate.map(|rate| match note.bucket {
            Some(stored) => Bucket::restore(rate, stored, now),
            None => Bucket::new(rate, now),
        });
        let mut relay = Self {
            limits,
            bucket,
            sent: note.sent,
            first_mail: note.first_mail.map(from_millis),
            pace: note.pace,
            paused: note.paused,
            abandoned: None,
            doubts: Doubts::default(),
            credit: 0,
            changed: false,
        };
        relay.heed_pace(now);
        relay
    }

    /// Whether it can be used. A pause ends with its time; one that began in the future is of
    /// a clock that was set back since, and is over.
    pub(super) fn fitness(&mut self, now: Instant) -> Fitness {
        if let Some(reason) = &self.abandoned {
            return Fitness::Abandoned { reason: reason.clone() };
        }
        match &self.paused {
            Some(pause) if to_millis(now) >= pause.since && to_millis(now) < pause.until => {
                Fitness::Paused { until: from_millis(pause.until), reason: pause.reason.clone() }
            }
            Some(_) => {
                (self.paused, self.changed) = (None, true);
                Fitness::Fit
            }
            None => Fitness::Fit,
        }
    }

    /// When it may be given the next message, as its rate and cap go. Takes nothing.
    pub(super) fn next(&mut self, now: Instant) -> Instant {
        let by_rate = self.bucket.as_mut().map_or(now, |bucket| bucket.next(now));
        let by_cap = self.cap(now).map_or(now, |cap| self.sent.next(cap, now));
        by_rate.max(by_cap)
    }

    /// Takes one message's worth.
    pub(super) fn take(&mut self, now: Instant) {
        if let Some(bucket) = &mut self.bucket {
            bucket.reserve(now);
            self.changed = true;
        }
        if self.limits.daily.is_some() || self.limits.warm_up.is_some() {
            self.first_mail.get_or_insert(now);
            self.sent.count(now);
            self.changed = true;
        }
    }

    /// The cap of the last 24 hours: the author's, or what the warm-up has come to.
    fn cap(&self, now: Instant) -> Option<u64> {
        let warm = self.limits.warm_up.map(|warm_up| {
            let first = self.first_mail.unwrap_or(now);
            warm_up.cap(WarmUp::day(first, now))
        });
        [self.limits.daily, warm].into_iter().flatten().min()
    }

    pub(super) fn note_sign(&mut self, sign: Sign, now: Instant) {
        if self.pace.note(sign, now) {
            self.changed = true;
            self.heed_pace(now);
        }
    }

    /// A final dot was answered, or not. `true` when too many were not and it is paused.
    pub(super) fn note_doubt(&mut self, doubt: Doubt, now: Instant) -> bool {
        let too_many = self.doubts.note(doubt);
        if let Some(n) = too_many {
            self.pause(&format!("{n} of the last 200 messages are in doubt"), DOUBT_PAUSE.length(), now);
        }
        too_many.is_some()
    }

    pub(super) fn pause(&mut self, reason: &str, wait: Duration, now: Instant) {
        let until = to_millis(now).saturating_add(wait.num_milliseconds());
        // What was in flight when the pause began neither shortens nor renews it.
        if self.fitness(now) == Fitness::Fit {
            self.paused = Some(Pause { since: to_millis(now), until, reason: reason.to_owned() });
            self.changed = true;
        }
    }

    pub(super) fn abandon(&mut self, reason: &str) {
        self.abandoned.get_or_insert_with(|| reason.to_owned());
    }

    /// How many connections the present pace allows, 1 or more.
    pub(super) fn connections(&self) -> usize {
        self.pace.share().of(self.limits.connections)
    }

    /// How much slower than it might it goes, in thousandths of the full pace.
    pub(super) fn share(&self) -> u16 {
        self.pace.share().get()
    }

    fn heed_pace(&mut self, now: Instant) {
        if let Some(bucket) = &mut self.bucket {
            bucket.slow_to(self.pace.share(), now);
        }
    }

    /// What to store, if anything has changed since the last call.
    pub(super) fn take_note(&mut self) -> Option<RelayNote> {
        std::mem::take(&mut self.changed).then(|| RelayNote {
            bucket: self.bucket.as_ref().map(Bucket::stored),
            sent: self.sent.clone(),
            first_mail: self.first_mail.map(to_millis),
            pace: self.pace.clone(),
            paused: self.paused.clone(),
        })
    }
}
