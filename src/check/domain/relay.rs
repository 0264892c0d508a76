//! Whether the SPF record names the relays that the mail goes through.

use std::net::IpAddr;

use super::Findings;
use super::facts::Facts;
use super::spf::Network;
use super::walk::Walk;
use crate::config::{Config, Relay};
use crate::domain::preset::{Preset, Spf};
use crate::egress::{Answer, is_public};

/// Holds every relay against what the record names, where that can be known from here: not for
/// this machine, whose outer address we do not know, nor for relays with a return path of their own.
pub(super) fn judge(config: &Config, walk: &Walk, facts: &Facts, out: &mut Findings) {
    let domain = config.publication.from.address.domain();
    for (relay, place) in config.relays.iter().zip(&config.places.relays) {
        let is_named = match Preset::of_host(&relay.host).spf {
            Spf::Relays => true,
            Spf::Include(name) => walk.included.contains(name),
            Spf::Host => is_host_named(relay, walk, facts),
        };
        if is_named || walk.is_open_ended {
            continue;
        }
        let term = term(relay).unwrap_or_default();
        let message = format!("the SPF record of `{domain}` does not name the relay `{}`", relay.host);
        let help = format!("add `{term}` before `all`; if mail leaves the relay from other addresses, name those");
        out.warning("spf-relay", place, message, help);
    }
}

/// What is not known counts as named.
fn is_host_named(relay: &Relay, walk: &Walk, facts: &Facts) -> bool {
    let is_named = |ip: IpAddr| walk.named.iter().any(|network: &Network| network.holds(ip));
    let are_named = |addresses: &[IpAddr]| {
        let mut public = addresses.iter().copied().filter(|ip| is_public(*ip)).peekable();
        public.peek().is_none() || public.any(is_named)
    };
    if let Ok(ip) = relay.host.parse() {
        return are_named(&[ip]);
    }
    match facts.addresses(&relay.host) {
        Some(Answer::Records(addresses)) => are_named(addresses),
        None | Some(Answer::NoName | Answer::NoRecords | Answer::Unanswered(_)) => true,
    }
}

/// The term that names a relay; `None` where none is needed or known.
fn term(relay: &Relay) -> Option<String> {
    match Preset::of_host(&relay.host).spf {
        Spf::Relays => None,
        Spf::Include(name) => Some(format!("include:{name}")),
        Spf::Host => match relay.host.parse() {
            Ok(ip @ IpAddr::V4(_)) => is_public(ip).then(|| format!("ip4:{ip}")),
            Ok(ip @ IpAddr::V6(_)) => is_public(ip).then(|| format!("ip6:{ip}")),
            Err(_) => relay.host.contains('.').then(|| format!("a:{}", relay.host)),
        },
    }
}

/// The record to publish for a domain that has none.
pub(super) fn record_for(config: &Config) -> String {
    let domain = config.publication.from.address.domain();
    let mut terms: Vec<String> = config.relays.iter().filter_map(term).collect();
    terms.dedup();
    if terms.is_empty() {
        terms.push("mx".to_owned());
    }
    format!("`{domain}. TXT \"v=spf1 {} ~all\"`, with every other server that sends for you", terms.join(" "))
}
