//! A run's counters in the text format of Prometheus. No address and no reply is in it: a
//! collector keeps what it gets, and anybody on the machine may ask.

use std::fmt::Write as _;

use crate::deliver::{Beat, Count, RelayBeat, RelayState};

/// What a collector is told the text is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counters now, and the gauges as of the run's last beat.
pub fn text(count: Count, beat: Option<&Beat>) -> String {
    let mut text = Text(String::new());
    text.family("fieldpost_deliveries_total", "counter", "Outcomes of attempts since the run began.");
    for (outcome, n) in [
        ("accepted", count.accepted),
        ("deferred", count.deferred),
        ("rejected", count.rejected),
        ("in_doubt", count.in_doubt),
        ("withdrawn", count.withdrawn),
        ("excluded", count.excluded),
    ] {
        text.sample("fieldpost_deliveries_total", &[("outcome", outcome)], n);
    }
    if let Some(beat) = beat {
        text.sender(beat);
        text.relays(&beat.relays);
    }
    text.0
}

struct Text(String);

impl Text {
    fn sender(&mut self, beat: &Beat) {
        let sender = &beat.sender;
        self.family("fieldpost_in_hand", "gauge", "Deliveries that are claimed and not done with.");
        self.sample("fieldpost_in_hand", &[], sender.in_hand);
        self.family("fieldpost_begun", "gauge", "Deliveries that are begun and not durably settled.");
        self.sample("fieldpost_begun", &[], sender.begun);
        self.family("fieldpost_deliveries_per_second", "gauge", "Deliveries settled a second, over the last ten.");
        self.sample("fieldpost_deliveries_per_second", &[], sender.rate);
    }

    fn relays(&mut self, relays: &[RelayBeat]) {
        self.family(
            "fieldpost_relay_up",
            "gauge",
            "1 while the relay takes mail, 0 while it rests, is paused or gone.",
        );
        for relay in relays {
            let is_up = relay.state == RelayState::Working;
            self.sample("fieldpost_relay_up", &[("relay", &relay.name)], u8::from(is_up));
        }
        self.family("fieldpost_relay_state", "gauge", "1 for the state that the relay is in, 0 for the others.");
        for relay in relays {
            for state in [RelayState::Working, RelayState::Resting, RelayState::Paused, RelayState::Gone] {
                let labels = [("relay", relay.name.as_str()), ("state", state.word())];
                self.sample("fieldpost_relay_state", &labels, u8::from(relay.state == state));
            }
        }
        self.family("fieldpost_relay_begun", "gauge", "Deliveries begun for the relay that have not ended.");
        for relay in relays {
            self.sample("fieldpost_relay_begun", &[("relay", &relay.name)], relay.load);
        }
        self.family("fieldpost_relay_pace_ratio", "gauge", "The relay's pace; 1 is the full one.");
        for relay in relays {
            self.sample("fieldpost_relay_pace_ratio", &[("relay", &relay.name)], f64::from(relay.share) / 1000.0);
        }
        self.family("fieldpost_wire_seconds", "summary", "How long messages were on the wire.");
        for relay in relays {
            let labels = [("relay", relay.name.as_str())];
            self.sample("fieldpost_wire_seconds_sum", &labels, relay.wire_seconds);
            self.sample("fieldpost_wire_seconds_count", &labels, relay.messages);
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a text takes everything");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.0, "{name}{labels} {value}").expect("a text takes everything");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_escaped_and_a_run_that_has_not_begun_has_counters_only() {
        let mut one = Text(String::new());
        one.sample("fieldpost_relay_up", &[("relay", "a\"b\\c\n")], 1);
        assert_eq!(one.0, "fieldpost_relay_up{relay=\"a\\\"b\\\\c\\n\"} 1\n");
        let count = Count { accepted: 7, ..Count::default() };
        let text = text(count, None);
        assert!(text.contains("fieldpost_deliveries_total{outcome=\"accepted\"} 7\n"));
        assert!(!text.contains("fieldpost_in_hand"));
    }
}
