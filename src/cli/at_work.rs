//! What the sender last said of itself, for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::printer;
use crate::deliver::{Beat, Phase, RelayBeat, RelayState};
use crate::domain::time::Instant;

/// A beat as it looks at one moment, with how much its sender has to do.
pub struct AtWork<'b> {
    beat: &'b Beat,
    /// Deliveries that could be sent now, or are being sent.
    left: u64,
    now: Instant,
}

impl<'b> AtWork<'b> {
    /// `ready` is how many deliveries wait to be begun.
    pub fn new(beat: &'b Beat, ready: u64, now: Instant) -> Self {
        Self { beat, left: ready + beat.sender.begun as u64, now }
    }

    /// How long until all is done that can be done now; `None` when nothing moves.
    fn time_left(&self) -> Option<Duration> {
        let left = f64::from(u32::try_from(self.left).unwrap_or(u32::MAX));
        let is_moving = self.beat.is_alive(self.now) && self.beat.sender.rate > 0.0;
        is_moving.then(|| Duration::try_from_secs_f64((left / self.beat.sender.rate).ceil()).unwrap_or(Duration::MAX))
    }

    /// `sending`, `ended`, or `silent` for one that was killed, or hangs.
    fn state(&self) -> &'static str {
        match self.beat.sender.phase {
            Phase::Ended => "ended",
            Phase::Sending if self.beat.is_alive(self.now) => "sending",
            Phase::Sending => "silent",
        }
    }

    /// The sender as scripts read it.
    pub fn sender_json(&self) -> Value {
        let sender = &self.beat.sender;
        json!({
            "at": sender.at.to_rfc3339(), "state": self.state(), "settled": sender.settled, "rate": sender.rate,
            "eta_seconds": self.time_left().map(|left| left.as_secs()),
            "in_hand": sender.in_hand, "begun": sender.begun,
        })
    }

    /// The relays as scripts read them.
    pub fn relays_json(&self) -> Value {
        let relay = |relay: &RelayBeat| {
            json!({
                "name": relay.name, "state": relay.state, "until": relay.until.map(|until| until.to_rfc3339()),
                "reason": relay.reason, "share": f64::from(relay.share) / 1000.0, "load": relay.load,
                "messages": relay.messages, "wire_seconds": relay.wire_seconds, "wire_average": relay.wire_average,
            })
        };
        self.beat.relays.iter().map(relay).collect()
    }

    /// The sender and its relays for people: of one that is not at work, only the relays that
    /// could not be used.
    pub fn lines(&self) -> Vec<String> {
        let is_at_work = self.beat.is_alive(self.now);
        let is_shown = |relay: &&RelayBeat| is_at_work || relay.state != RelayState::Working;
        let relays = self.beat.relays.iter().filter(is_shown).map(|relay| format!("     {}", relay_line(relay)));
        std::iter::once(self.sender_line()).chain(relays).collect()
    }

    fn sender_line(&self) -> String {
        let sender = &self.beat.sender;
        let at = sender.at.format("%Y-%m-%d %H:%M:%S UTC");
        match self.state() {
            "sending" => {
                let left = self.time_left().map_or_else(|| "time left unknown".to_owned(), about);
                let (in_hand, begun) = (sender.in_hand as u64, sender.begun as u64);
                format!(
                    "sending {} a second, {left}; {} in hand, {} begun",
                    decimal(sender.rate),
                    printer::thousands(in_hand),
                    printer::thousands(begun)
                )
            }
            "silent" => format!("the sender fell silent at {at}; `fieldpost publish` goes on where it was"),
            _ => format!("no sender is at work; the last one ended at {at}"),
        }
    }
}

fn relay_line(relay: &RelayBeat) -> String {
    let until = relay.until.map(|until| format!(" until {}", until.format("%H:%M:%S UTC"))).unwrap_or_default();
    let load = if relay.load > 0 { format!(", {} begun", relay.load) } else { String::new() };
    let pace = if relay.share < 1000 { format!(", slowed to {} %", relay.share / 10) } else { String::new() };
    let wire = relay.wire_average.map(|time| format!(", {:.0} ms a message", time * 1000.0)).unwrap_or_default();
    let reason = relay.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {}{until}{load}{pace}{wire}{reason}", relay.name, relay.state.word())
}

fn decimal(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// A rough time: nobody needs the seconds of hours.
fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("about {seconds} s left"),
        seconds @ 120..7_200 => format!("about {} min left", seconds / 60),
        seconds => format!("about {} h left", printer::thousands(seconds / 3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::SenderBeat;
    use crate::domain::time::from_millis;

    fn beat(rate: f64) -> Beat {
        let at = from_millis(1_700_000_000_000);
        let sender = SenderBeat { at, phase: Phase::Sending, settled: 50, rate, in_hand: 20, begun: 10 };
        let relay = RelayBeat {
            at,
            name: "mx.example.org:25".into(),
            number: 0,
            state: RelayState::Resting,
            until: Some(at),
            reason: Some("421 4.3.2 busy".into()),
            share: 500,
            load: 10,
            messages: 50,
            wire_seconds: 2.0,
            wire_average: Some(0.04),
        };
        Beat { sender, relays: vec![relay] }
    }

    #[test]
    fn a_sender_at_work_is_shown_with_its_relays_and_a_silent_one_as_silent() {
        let beat = beat(4.0);
        let lines = AtWork::new(&beat, 90, beat.sender.at).lines();
        assert_eq!(lines[0], "sending 4.0 a second, about 25 s left; 20 in hand, 10 begun");
        let relay =
            "mx.example.org:25 resting until 22:13:20 UTC, 10 begun, slowed to 50 %, 40 ms a message: 421 4.3.2 busy";
        assert_eq!(lines[1].trim(), relay);
        let later = AtWork::new(&beat, 90, beat.sender.at + chrono::TimeDelta::minutes(1));
        assert!(later.lines()[0].starts_with("the sender fell silent at 2023-11-14 22:13:20 UTC"));
        assert_eq!(later.sender_json()["eta_seconds"], Value::Null);
    }

    #[test]
    fn where_nothing_moves_no_time_is_told() {
        let beat = beat(0.0);
        assert_eq!(AtWork::new(&beat, 1, beat.sender.at).time_left(), None);
        assert_eq!(about(Duration::from_secs(119)), "about 119 s left");
        assert_eq!(about(Duration::from_secs(200)), "about 3 min left");
        assert_eq!(about(Duration::from_secs(8_000)), "about 2 h left");
    }
}
