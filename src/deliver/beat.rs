//! What a sender says of itself once a second, for `status` and for metrics.
//!
//! A beat is a set of ledger notes: one about the run, one about each relay. It holds counts,
//! moments and masked replies, never an address. A process that was killed beats no more, and
//! its last beat grows old: that is how a reader tells.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Shared;
use super::relays::Relay;
use crate::domain::time;
use crate::domain::traffic::{Fitness, RelayStanding};
use crate::ledger::Note;

/// How often a sender speaks.
const EVERY: Duration = Duration::from_secs(1);
/// The rate is that of so long.
const LOOKBACK: Duration = Duration::from_secs(10);
/// A beat that is older than this is one of a sender that was killed, or hangs.
const FRESH_FOR: chrono::TimeDelta = chrono::TimeDelta::seconds(5);
/// The scope of the note about the run.
const SENDER: &str = "sender";
/// The scopes of the notes about relays begin with this.
const RELAY: &str = "relay ";

/// What a sender said of itself at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    /// The run.
    pub sender: SenderBeat,
    /// Its relays, in the order of the configuration.
    pub relays: Vec<RelayBeat>,
}

/// How a run stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SenderBeat {
    /// When.
    pub at: time::Instant,
    /// Whether more was to come.
    pub phase: Phase,
    /// Deliveries that came to an outcome since the run began.
    pub settled: u64,
    /// The same by the second, over the last ten seconds.
    pub rate: f64,
    /// Deliveries that were claimed and not done with.
    pub in_hand: usize,
    /// Deliveries that were begun and not durably settled.
    pub begun: usize,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It does.
    Sending,
    /// It has come to its end, every outcome recorded.
    Ended,
}

/// How a relay stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelayBeat {
    /// When: the moment of the beat.
    pub at: time::Instant,
    /// Its name: `host:port`, or where the outbox is.
    pub name: String,
    /// Its place in the configuration, from 0.
    pub number: usize,
    /// Whether it can be used.
    pub state: RelayState,
    /// Until when it cannot, where that is known.
    pub until: Option<time::Instant>,
    /// What it last objected, masked, for as long as it is not over that.
    pub reason: Option<String>,
    /// Its pace, in thousandths of the full one.
    pub share: u16,
    /// Deliveries begun for it that have not ended, recorded or not.
    pub load: usize,
    /// Messages that it has answered, or failed to, since the run began.
    pub messages: u64,
    /// How long those were on the wire, added up, in seconds.
    pub wire_seconds: f64,
    /// How long one of the last ten seconds was on the wire, in seconds; `None` without any.
    pub wire_average: Option<f64>,
}

/// Whether a relay can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// It takes mail.
    Working,
    /// It failed, and is asked again in a moment.
    Resting,
    /// It asked for a longer pause, or earned one.
    Paused,
    /// It failed too often in a row, or refused us.
    Gone,
}

impl RelayState {
    /// The state in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Resting => "resting",
            Self::Paused => "paused",
            Self::Gone => "gone",
        }
    }
}

impl Beat {
    /// The last beat among these notes of the ledger. Notes of relays that were not in it, and
    /// notes that cannot be read, count as none.
    pub fn read(notes: &BTreeMap<String, String>) -> Option<Self> {
        let sender: SenderBeat = serde_json::from_str(notes.get(SENDER)?).ok()?;
        let relays = notes.iter().filter(|(scope, _)| scope.starts_with(RELAY));
        let mut relays: Vec<RelayBeat> = relays
            .filter_map(|(_, note)| serde_json::from_str(note).ok())
            .filter(|relay: &RelayBeat| relay.at == sender.at)
            .collect();
        relays.sort_by_key(|relay| relay.number);
        Some(Self { sender, relays })
    }

    /// Whether its sender is at work, as far as anybody can tell: it has said so just now.
    pub fn is_alive(&self, now: time::Instant) -> bool {
        self.sender.phase == Phase::Sending && now - self.sender.at <= FRESH_FOR
    }

    fn notes(&self) -> Vec<Note> {
        let relay = |relay: &RelayBeat| Note { scope: format!("{RELAY}{}", relay.name), note: json(relay) };
        let sender = Note { scope: SENDER.to_owned(), note: json(&self.sender) };
        std::iter::once(sender).chain(self.relays.iter().map(relay)).collect()
    }
}

fn json(note: &impl Serialize) -> String {
    serde_json::to_string(note).expect("numbers and texts have a JSON form")
}

/// Beats until it is dropped. What could not be written is no loss: if the ledger takes no
/// notes, it takes no outcomes either, and those end the run.
pub(super) async fn run(shared: &Shared) {
    let mut pulse = Pulse::default();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let beat = pulse.beat(shared, Phase::Sending);
        let noted = shared.sender.note(beat.notes(), shared.clock.now());
        shared.tally.set_beat(beat);
        drop(noted.await);
    }
}

/// The last beat of a run that came to its end.
pub(super) fn last(shared: &Shared) -> Vec<Note> {
    let beat = Pulse::default().beat(shared, Phase::Ended);
    let notes = beat.notes();
    shared.tally.set_beat(beat);
    notes
}

/// What was counted at the beats of the last ten seconds, oldest first.
#[derive(Debug, Default)]
struct Pulse(VecDeque<Sample>);

#[derive(Debug, Clone)]
struct Sample {
    at: Instant,
    settled: u64,
    /// Messages and wire time of each relay.
    carried: Vec<(u64, Duration)>,
}

impl Pulse {
    fn beat(&mut self, shared: &Shared, phase: Phase) -> Beat {
        let now = Instant::now();
        let relays: Vec<_> = shared.relays.iter().collect();
        let carried = relays.iter().map(|relay| relay.carried()).collect();
        let sample = Sample { at: now, settled: shared.tally.read().settled(), carried };
        let before = self.push(sample.clone());
        let at = shared.clock.now();
        let standing = shared.gate.standing(at);
        let relays = relays.iter().zip(standing).map(|(relay, standing)| {
            let (messages, wire) = sample.carried[relay.number];
            RelayBeat {
                at,
                messages,
                wire_seconds: wire.as_secs_f64(),
                wire_average: average(before.carried[relay.number], (messages, wire)),
                ..relay_beat(relay, standing, now, at)
            }
        });
        let sender = SenderBeat {
            at,
            phase,
            settled: sample.settled,
            rate: rate(&before, &sample),
            in_hand: shared.in_hand(),
            begun: shared.begun(),
        };
        Beat { sender, relays: relays.collect() }
    }

    /// Takes a sample in and returns the oldest of the last ten seconds.
    fn push(&mut self, sample: Sample) -> Sample {
        let now = sample.at;
        self.0.push_back(sample);
        while self.0.len() > 1 && now - self.0[0].at > LOOKBACK {
            self.0.pop_front();
        }
        self.0[0].clone()
    }
}

fn rate(before: &Sample, now: &Sample) -> f64 {
    let seconds = (now.at - before.at).as_secs_f64();
    let settled = u32::try_from(now.settled - before.settled).unwrap_or(u32::MAX);
    if seconds > 0.0 { f64::from(settled) / seconds } else { 0.0 }
}

fn average((messages, wire): (u64, Duration), (messages_now, wire_now): (u64, Duration)) -> Option<f64> {
    let messages = u32::try_from(messages_now - messages).unwrap_or(u32::MAX);
    (messages > 0).then(|| wire_now.saturating_sub(wire).as_secs_f64() / f64::from(messages))
}

/// How a relay stands, without what it has carried.
fn relay_beat(relay: &Relay, standing: RelayStanding, now: Instant, at: time::Instant) -> RelayBeat {
    let rest = relay.health.rest(now);
    let (state, until, reason) = match (standing.fitness, rest) {
        (Fitness::Abandoned { reason }, _) => (RelayState::Gone, None, Some(reason)),
        (Fitness::Paused { until, reason }, _) => (RelayState::Paused, Some(until), Some(reason)),
        (Fitness::Fit, Some(rest)) if relay.health.is_gone() => (RelayState::Gone, None, Some(rest.reason)),
        (Fitness::Fit, Some(rest)) => {
            let left = rest.until.saturating_duration_since(now);
            let state = if left.is_zero() { RelayState::Working } else { RelayState::Resting };
            let until = (!left.is_zero()).then(|| at + left);
            (state, until, Some(rest.reason))
        }
        (Fitness::Fit, None) => (RelayState::Working, None, None),
    };
    RelayBeat {
        at,
        name: relay.name.clone(),
        number: relay.number,
        state,
        until,
        reason,
        share: standing.share,
        load: relay.load(),
        messages: 0,
        wire_seconds: 0.0,
        wire_average: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(start: Instant, second: u64, settled: u64) -> Sample {
        let carried = vec![(settled, Duration::from_millis(20 * settled))];
        Sample { at: start + Duration::from_secs(second), settled, carried }
    }

    #[test]
    fn the_rate_is_that_of_the_last_ten_seconds() {
        let start = Instant::now();
        let mut pulse = Pulse::default();
        for second in 0..=20 {
            pulse.push(sample(start, second, second * 100));
        }
        let now = sample(start, 30, 2_000 + 30);
        let before = pulse.push(now.clone());
        assert_eq!(before.at, start + Duration::from_secs(20));
        assert!((rate(&before, &now) - 3.0).abs() < 1e-9);
        assert!((average(before.carried[0], now.carried[0]).unwrap() - 0.02).abs() < 1e-9);
        assert_eq!(average(now.carried[0], now.carried[0]), None, "nothing was on the wire");
    }

    #[test]
    fn a_beat_is_read_back_without_relays_of_an_earlier_one_and_grows_old() {
        let at = time::from_millis(1_700_000_000_000);
        let relay = |name: &str, number, at| RelayBeat {
            at,
            name: name.to_owned(),
            number,
            state: RelayState::Resting,
            until: Some(at),
            reason: Some("421 4.3.2 busy".to_owned()),
            share: 500,
            load: 1,
            messages: 3,
            wire_seconds: 0.5,
            wire_average: None,
        };
        let sender = SenderBeat { at, phase: Phase::Sending, settled: 7, rate: 3.5, in_hand: 2, begun: 1 };
        let beat = Beat { sender, relays: vec![relay("b:25", 0, at), relay("a:25", 1, at)] };
        let stale = Beat { relays: vec![relay("gone:25", 0, at - EVERY)], ..beat.clone() };
        let notes = |beat: &Beat| beat.notes().into_iter().map(|note| (note.scope, note.note)).collect::<Vec<_>>();
        let all: BTreeMap<_, _> = [notes(&stale), notes(&beat)].concat().into_iter().collect();
        assert_eq!(Beat::read(&all).as_ref(), Some(&beat));
        assert!(beat.is_alive(at + FRESH_FOR));
        assert!(!beat.is_alive(at + FRESH_FOR + EVERY), "silence is not life");
        let ended = Beat { sender: SenderBeat { phase: Phase::Ended, ..beat.sender.clone() }, ..beat };
        assert!(!ended.is_alive(at));
    }
}
