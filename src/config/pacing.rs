//! How fast, how much and when: what stands in `[[relay]]` and `[delivery]` about pace.

use std::collections::BTreeMap;

use chrono::NaiveTime;

use super::nearest::nearest;
use super::raw::{RawDelivery, RawRelay, RawWarmUp, Text};
use super::sheet::{Sheet, Typed};
use crate::domain::preset::Preset;
use crate::domain::quota::WarmUp;
use crate::domain::rate::Rate;
use crate::domain::span::Span;
use crate::domain::window::{Day, QuietHours};

/// How a relay is treated: what the author wrote, else its preset.
#[derive(Debug, Clone)]
pub struct RelayPace {
    /// How many connections to hold open, 1 to 100.
    pub connections: usize,
    /// Messages on one connection before it is closed; `None` is any number.
    pub max_messages: Option<u32>,
    /// After how long a connection is closed.
    pub max_age: Span,
    /// Messages in flight on one connection when the relay takes BDAT, 1 to 64.
    pub window: usize,
    /// Messages by time; `None` is any rate.
    pub rate: Option<Rate>,
    /// Messages in any 24 hours; `None` is any number.
    pub daily: Option<u64>,
    /// How the daily cap of a new relay grows.
    pub warm_up: Option<WarmUp>,
    /// Its share of the work among several relays; 0 is "only when no other can".
    pub weight: u32,
}

/// When mail goes, and how fast to which domain.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The rates of single domains, in ASCII and lower case; `*` is every other domain, each
    /// for itself.
    pub domain_rates: BTreeMap<String, Rate>,
    /// The hours in which nothing is sent, and the time at which everything is, by the clocks
    /// where the reader lives.
    pub day: Day,
    /// What has not been sent so long after its campaign was opened expires.
    pub expires_after: Option<Span>,
}

/// Builds a relay's pace: what the author wrote, else what its preset says.
pub(super) fn relay_pace(raw: &RawRelay, preset: &Preset, sheet: &Sheet<'_>) -> RelayPace {
    let own_rate = rate(&raw.rate, sheet);
    if preset.name == "ses" && raw.rate.is_none() {
        let span = raw.url.as_ref().map_or(raw.span.clone(), |url| url.span.clone());
        let help = "write the maximum send rate that the SES console shows, such as rate = \"14/s\"";
        sheet.warn("relay-rate", span, "no `rate` is set, so one message a second is sent to Amazon SES", help);
    }
    RelayPace {
        connections: raw.connections.unwrap_or(preset.connections),
        max_messages: raw.max_messages.and_then(|n| u32::try_from(n).ok()).or(preset.max_messages),
        max_age: span("max_age", &raw.max_age, sheet).unwrap_or(preset.max_age),
        window: raw.window.unwrap_or(1),
        rate: own_rate.or(preset.rate),
        daily: raw.daily.map(|n| n as u64).or(preset.daily),
        warm_up: warm_up(&raw.warm_up, sheet),
        weight: raw.weight.map_or(1, |n| u32::try_from(n).expect("a weight is 1000 at most")),
    }
}

/// The preset that the author named, else that of the relay's host, in ASCII.
pub(super) fn preset(raw: &Text, host: &str, sheet: &Sheet<'_>) -> Preset {
    let Some(typed) = raw else { return Preset::of_host(host) };
    Preset::named(&typed.value).unwrap_or_else(|| {
        let help = match nearest(&typed.value, Preset::names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known: {}", Preset::names().collect::<Vec<_>>().join(", ")),
        };
        sheet.error("relay-preset", typed.span.clone(), format!("`{}` is no known kind of relay", typed.value), help);
        Preset::of_host(host)
    })
}

fn warm_up(raw: &RawWarmUp, sheet: &Sheet<'_>) -> Option<WarmUp> {
    let whole = raw.span.clone()?;
    let (start, double_every) = (rate(&raw.start, sheet), span("double_every", &raw.double_every, sheet));
    if raw.start.is_none() || raw.double_every.is_none() {
        let help = "write warm_up = { start = \"50/day\", double_every = \"2 days\" }";
        sheet.error("warm-up", whole, "`warm_up` needs a `start` and a `double_every`", help);
        return None;
    }
    let days = double_every?.length().num_days();
    if days == 0 {
        let place = raw.double_every.as_ref().map_or(whole, |typed| typed.span.clone());
        sheet.error("warm-up", place, "`double_every` is at least a day", "write double_every = \"2 days\"");
        return None;
    }
    Some(WarmUp { start: start?.per_day(), double_every: u32::try_from(days).expect("a span is 4000 days at most") })
}

/// Builds what `[delivery]` says of time.
pub(super) fn timing(raw: &RawDelivery, sheet: &Sheet<'_>) -> Timing {
    Timing {
        domain_rates: domain_rates(&raw.domain_rates, sheet),
        day: Day { send_at: send_at(&raw.send_at, sheet), quiet_hours: quiet_hours(&raw.quiet_hours, sheet) },
        expires_after: span("expires_after", &raw.expires_after, sheet),
    }
}

fn domain_rates(raw: &[(Typed<String>, Typed<String>)], sheet: &Sheet<'_>) -> BTreeMap<String, Rate> {
    let mut rates = BTreeMap::new();
    for (name, typed) in raw {
        let domain = match name.value.trim() {
            "*" => Some("*".to_owned()),
            other => idna::domain_to_ascii(other).ok().filter(|ascii| ascii.contains('.') && !ascii.contains('*')),
        };
        if domain.is_none() {
            let message = format!("`{}` is no domain of an address", name.value);
            sheet.error("domain-rate", name.span.clone(), message, "write \"gmail.com\", or \"*\" for every other");
        }
        if let (Some(domain), Some(rate)) = (domain, one_rate(typed, sheet)) {
            rates.insert(domain, rate);
        }
    }
    rates
}

fn quiet_hours(raw: &Text, sheet: &Sheet<'_>) -> Option<QuietHours> {
    let typed = raw.as_ref()?;
    let noted = |error: &dyn std::fmt::Display| {
        sheet.error("quiet-hours", typed.span.clone(), error.to_string(), "write quiet_hours = \"22:00-07:00\"");
    };
    QuietHours::parse(&typed.value).map_err(|error| noted(&error)).ok()
}

fn send_at(raw: &Text, sheet: &Sheet<'_>) -> Option<NaiveTime> {
    let typed = raw.as_ref()?;
    let time = NaiveTime::parse_from_str(typed.value.trim(), "%H:%M").ok();
    if time.is_none() {
        let message = format!("`{}` is no time of the day", typed.value);
        sheet.error("send-at", typed.span.clone(), message, "write send_at = \"09:00\"");
    }
    time
}

fn rate(raw: &Text, sheet: &Sheet<'_>) -> Option<Rate> {
    one_rate(raw.as_ref()?, sheet)
}

fn one_rate(typed: &Typed<String>, sheet: &Sheet<'_>) -> Option<Rate> {
    let help = "write a number, a slash and s, min, hour or day, such as \"14/s\" or \"100/min\"";
    Rate::parse(&typed.value).map_err(|error| sheet.error("rate", typed.span.clone(), error.to_string(), help)).ok()
}

/// A span of time under a key.
pub(super) fn span(key: &str, raw: &Text, sheet: &Sheet<'_>) -> Option<Span> {
    let typed = raw.as_ref()?;
    let help = format!("write a number and a unit, such as {key} = \"10 min\" or {key} = \"2 days\"");
    Span::parse(&typed.value).map_err(|error| sheet.error("span", typed.span.clone(), error.to_string(), help)).ok()
}
