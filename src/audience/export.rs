//! Lists as files that [`read`](super::read) takes back.
//!
//! An export says how everybody stands; reading it back takes the active ones only.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use csv::WriterBuilder;
use toml::Value;

use super::cell::guarded;
use crate::domain::subscriber::{Cadence, Subscriber, SubscriberState};
use crate::domain::time::Instant;

/// The columns every CSV export has, before those of the attributes.
const COLUMNS: [&str; 6] = ["email", "name", "topics", "cadence", "state", "since"];

/// Writes a list as CSV: `email,name,topics,cadence,state,since`, then a column for each
/// attribute anybody has, by name. Topics are joined by `;`, `since` is RFC 3339. A cell that
/// a spreadsheet would run as a formula gets a `'` in front, which `read` takes off again.
pub fn to_csv(subscribers: &[Subscriber], out: impl io::Write) -> io::Result<()> {
    let attributes: BTreeSet<&str> =
        subscribers.iter().flat_map(|person| person.attributes.keys().map(String::as_str)).collect();
    let mut csv = WriterBuilder::new().from_writer(out);
    csv.write_record(COLUMNS.iter().copied().map(guarded).chain(attributes.iter().copied().map(guarded)).map(bytes))?;
    for person in subscribers {
        let own = [
            person.address.as_str().to_owned(),
            person.name.clone().unwrap_or_default(),
            person.topics.join(";"),
            person.cadence.word().to_owned(),
            person.state.word().to_owned(),
            rfc3339(person.since),
        ];
        let others = attributes.iter().map(|key| person.attributes.get(*key).cloned().unwrap_or_default());
        csv.write_record(own.into_iter().chain(others).map(|cell| guarded(&cell).into_owned()))?;
    }
    csv.flush()
}

fn bytes(cell: std::borrow::Cow<'_, str>) -> Vec<u8> {
    cell.into_owned().into_bytes()
}

fn rfc3339(moment: Instant) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Writes a list as `subscribers.toml`. What is a default (no topics, every post, active) is
/// left out.
pub fn to_toml(subscribers: &[Subscriber]) -> String {
    let mut out = String::new();
    for person in subscribers {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("[[subscriber]]\n");
        for (key, value) in fields(person) {
            writeln!(out, "{key} = {value}").expect("a string takes everything");
        }
    }
    out
}

fn fields(person: &Subscriber) -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::String(text.to_owned());
    let mut fields = vec![("email", text(person.address.as_str()))];
    if let Some(name) = &person.name {
        fields.push(("name", text(name)));
    }
    if !person.topics.is_empty() {
        fields.push(("topics", Value::Array(person.topics.iter().map(|topic| text(topic)).collect())));
    }
    if person.cadence != Cadence::default() {
        fields.push(("cadence", text(person.cadence.word())));
    }
    if person.state != SubscriberState::Active {
        fields.push(("state", text(person.state.word())));
    }
    if !person.attributes.is_empty() {
        let pairs = person.attributes.iter().map(|(key, value)| (key.clone(), text(value)));
        fields.push(("attributes", Value::Table(pairs.collect())));
    }
    fields
}
