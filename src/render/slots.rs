//! How mail templates see a subscriber whom nobody knows yet.
//!
//! A value that a subscriber has is a marker. One that a subscriber lacks is empty text that
//! is called safe, which nothing else in a mail is: so the filter `default` can tell it from
//! the author's empty texts. What the filter makes of it is a marker too, of a text that is
//! the same for everybody, since only then can two renderings be compared word by word.

use std::collections::BTreeMap;
use std::ops::Range;

use tera::{Context, Error, Kwargs, State, TeraResult, Value};

use crate::domain::issue::{Marker, Slot};

/// The variable by which the filter knows what is a marker.
const NONCE: &str = "__nonce";

/// Sets `subscriber` and the URLs of a subscriber; of `fields`, those marked `true` are lacking.
pub(super) fn insert<'a>(context: &mut Context, nonce: &str, fields: impl Iterator<Item = (&'a Slot, bool)>) {
    let marker = |slot: &Slot| Value::normal_string(&slot.marker(nonce));
    let mut subscriber = BTreeMap::from([("address", marker(&Slot::SubscriberAddress))]);
    for (slot, is_lacking) in fields {
        let value = if is_lacking { Value::safe_string("") } else { marker(slot) };
        subscriber.insert(key(slot), value);
    }
    let subscriber: BTreeMap<String, Value> =
        subscriber.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    context.insert_value("subscriber", subscriber.into());
    context.insert_value("unsubscribe_url", marker(&Slot::UnsubscribeUrl));
    context.insert_value("preferences_url", marker(&Slot::PreferencesUrl));
    context.insert(NONCE, nonce);
}

/// What of `subscriber` it is.
pub(super) fn key(slot: &Slot) -> &str {
    match slot {
        Slot::Attribute(name) => name,
        Slot::SubscriberName => "name",
        Slot::SubscriberAddress => "address",
        Slot::UnsubscribeUrl => "unsubscribe_url",
        Slot::PreferencesUrl => "preferences_url",
    }
}

/// `default(value=…)` as Tera has it, and for a subscriber's values.
#[expect(clippy::needless_pass_by_value, reason = "the signature Tera calls")]
pub(super) fn default(value: Value, arguments: Kwargs, state: &State) -> TeraResult<Value> {
    let default = arguments.must_get::<Value>("value")?;
    let is_boolean = arguments.get::<bool>("boolean")?.unwrap_or_default();
    let nonce = state.get::<String>(NONCE)?;
    if let (Some(nonce), Some(text)) = (&nonce, value.as_str()) {
        let is_lacking = text.is_empty() && value.is_safe();
        let slot = whole_slot(text, nonce);
        if is_lacking || slot.is_some() {
            let default = default_text(&default, nonce)?;
            return Ok(slot.map_or_else(|| literal(nonce, &default), |slot| slot.marker_or(nonce, &default)).into());
        }
    }
    let is_missing = if is_boolean { !value.is_truthy() } else { value.is_undefined() };
    Ok(if is_missing { default } else { value })
}

/// The slot of a text that is a marker without a default and nothing else.
fn whole_slot(text: &str, nonce: &str) -> Option<Slot> {
    let marker = Marker::first(text, nonce)?;
    (marker.before.is_empty() && marker.after.is_empty() && marker.default.is_empty()).then_some(marker.slot)
}

fn default_text(default: &Value, nonce: &str) -> TeraResult<String> {
    let text = match default.as_str() {
        Some(text) => text.to_owned(),
        None => default.to_string(),
    };
    if text.contains(nonce) {
        return Err(Error::message("the default of a subscriber's value must not be another value of the subscriber"));
    }
    Ok(text)
}

/// A text for everybody, as a marker.
fn literal(nonce: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { Slot::Attribute(String::new()).marker_or(nonce, text) }
}

/// The text with each marker of a slot that `is_lacking` as those read it who lack it.
pub(super) fn without(text: &str, nonce: &str, is_lacking: impl Fn(&Slot) -> bool) -> String {
    replaced(text, nonce, |marker| {
        let default = &marker.default;
        is_lacking(&marker.slot).then(|| literal(nonce, default))
    })
}

/// The text with the defaults written out, for those who lack what they stand for. `escape`
/// makes a default fit for where it stands.
pub(super) fn written_out(text: &str, nonce: &str, escape: fn(&str) -> String) -> String {
    let is_literal = |slot: &Slot| *slot == Slot::Attribute(String::new());
    replaced(text, nonce, |marker| is_literal(&marker.slot).then(|| escape(&marker.default)))
}

fn replaced(text: &str, nonce: &str, by: impl Fn(&Marker) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(marker) = Marker::first(rest, nonce) {
        out.push_str(marker.before);
        match by(&marker) {
            Some(replacement) => out.push_str(&replacement),
            None => out.push_str(&marker.slot.marker_or(nonce, &marker.default)),
        }
        rest = marker.after;
    }
    out.push_str(rest);
    out
}

/// What the templates may use of a subscriber who may lack it: the name, and each attribute
/// that stands in them as `subscriber.city` or `subscriber["Home town"]`.
pub(super) fn mentioned<'a>(templates: impl Iterator<Item = &'a str>) -> Vec<Slot> {
    let mut slots: Vec<Slot> = templates.flat_map(mentions).collect();
    slots.sort();
    slots.dedup();
    slots
}

/// Whoever says `subscriber` without saying what of it may mean the name.
fn mentions(template: &str) -> impl Iterator<Item = Slot> {
    words(template).filter_map(|at| match field(template[at + WORD.len()..].trim_start()).unwrap_or("name") {
        "address" => None,
        "name" | "" => Some(Slot::SubscriberName),
        attribute => Some(Slot::Attribute(attribute.to_owned())),
    })
}

const WORD: &str = "subscriber";

/// Where a template speaks of the subscriber.
fn words(template: &str) -> impl Iterator<Item = usize> {
    template.match_indices(WORD).map(|(at, _)| at).filter(|at| {
        let follows_a_name = template[..*at].ends_with(|c: char| c == '.' || is_in_names(c));
        !follows_a_name && !template[at + WORD.len()..].starts_with(is_in_names)
    })
}

/// Where a template compares a value of the subscriber with something. It is not known while
/// the mail is rendered, so that the answer would be the same for everybody.
pub(super) fn comparisons(template: &str) -> Vec<Range<usize>> {
    const SIGNS: [&str; 4] = ["==", "!=", "<", ">"];
    let mut found = Vec::new();
    for at in words(template) {
        let after = &template[at + WORD.len()..];
        let length = after.find(|c: char| !is_in_names(c) && c != '.').unwrap_or(after.len());
        let is_before = SIGNS.iter().any(|sign| after[length..].trim_start().starts_with(sign));
        let is_behind = SIGNS[..2].iter().any(|sign| template[..at].trim_end().ends_with(sign));
        if length > 1 && (is_before || is_behind) && is_in_a_tag(template, at) {
            found.push(at..at + WORD.len() + length);
        }
    }
    found
}

/// Whether a place lies between `{%` or `{{` and its end.
fn is_in_a_tag(template: &str, at: usize) -> bool {
    let last = |signs: [&str; 2]| signs.iter().filter_map(|sign| template[..at].rfind(sign)).max();
    last(["{%", "{{"]) > last(["%}", "}}"])
}

fn field(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('?').unwrap_or(rest);
    if let Some(rest) = rest.strip_prefix('.') {
        let rest = rest.trim_start();
        return Some(&rest[..rest.find(|c| !is_in_names(c)).unwrap_or(rest.len())]);
    }
    let rest = rest.strip_prefix('[')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    rest[1..].split_once(quote).map(|(name, _)| name)
}

fn is_in_names(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_templates_use_of_a_subscriber_is_found() {
        let attribute = |name: &str| Slot::Attribute(name.to_owned());
        for (template, expected) in [
            ("{{ subscriber.city }}{% if subscriber.city %}", vec![attribute("city")]),
            ("{{ subscriber[\"Home town\"] }}{{ subscriber?.x }}", vec![attribute("Home town"), attribute("x")]),
            ("{% if subscriber %}", vec![Slot::SubscriberName]),
            ("{{ subscriber.name }}{{ subscriber.address }}", vec![Slot::SubscriberName]),
            ("{{ subscribers.city }}{{ site.subscriber.city }}{{ no_subscriber.x }}", vec![]),
        ] {
            assert_eq!(mentioned([template].into_iter()), expected, "{template}");
        }
    }
}
