//! Lists as text that [`read`](super::read) takes back, person by person, so that a list of any
//! length is exported in little memory.
//!
//! An export says how everybody stands; reading it back takes the active ones only.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml::Value;

use super::cell::guarded;
use crate::domain::subscriber::{Cadence, Subscriber, SubscriberState};

/// The columns every CSV export has, before those of the attributes.
const COLUMNS: [&str; 6] = ["email", "name", "topics", "cadence", "state", "since"];

/// The header of a CSV export: `email,name,topics,cadence,state,since`, then a column for each
/// attribute of `attributes`, the names that anybody on the list has.
pub fn csv_header(attributes: &BTreeSet<String>) -> String {
    line(COLUMNS.iter().copied().chain(attributes.iter().map(String::as_str)))
}

/// One person under that header. Topics are joined by `;`, `since` is RFC 3339. A cell that a
/// spreadsheet would run as a formula gets a `'` in front, which `read` takes off again.
pub fn csv_row(person: &Subscriber, attributes: &BTreeSet<String>) -> String {
    let topics = person.topics.join(";");
    let since = person.since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let own = [
        person.address.as_str(),
        person.name.as_deref().unwrap_or_default(),
        &topics,
        person.cadence.word(),
        person.state.word(),
        &since,
    ];
    let others = attributes.iter().map(|key| person.attributes.get(key).map_or("", String::as_str));
    line(own.into_iter().chain(others))
}

fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let mut out = String::new();
    for cell in cells {
        if !out.is_empty() {
            out.push(',');
        }
        push_cell(&mut out, &guarded(cell));
    }
    out.push_str("\r\n");
    out
}

/// RFC 4180, section 2: in quotes when it holds a quote, a comma or a line end. A `;` is
/// quoted as well, since half of the spreadsheets divide at it.
fn push_cell(out: &mut String, cell: &str) {
    if cell.contains(['"', ',', ';', '\r', '\n', '\t']) {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

/// One person as a `[[subscriber]]` table, ended by an empty line. What is a default (no
/// topics, every post, active) is left out.
pub fn toml_entry(person: &Subscriber) -> String {
    let text = |text: &str| Value::String(text.to_owned());
    let mut out = "[[subscriber]]\n".to_owned();
    let mut push = |key: &str, value: Value| writeln!(out, "{key} = {value}").expect("a string takes everything");
    push("email", text(person.address.as_str()));
    if let Some(name) = &person.name {
        push("name", text(name));
    }
    if !person.topics.is_empty() {
        push("topics", Value::Array(person.topics.iter().map(|topic| text(topic)).collect()));
    }
    if person.cadence != Cadence::default() {
        push("cadence", text(person.cadence.word()));
    }
    if person.state != SubscriberState::Active {
        push("state", text(person.state.word()));
    }
    if !person.attributes.is_empty() {
        let pairs = person.attributes.iter().map(|(key, value)| (key.clone(), text(value)));
        push("attributes", Value::Table(pairs.collect()));
    }
    out.push('\n');
    out
}
