//! Who may send for the domain: its SPF record, read (RFC 7208).

use std::net::IpAddr;

use super::facts::Facts;
use super::walk::{MOST_LOOKUPS, MOST_VOID, Walk};
use super::{Findings, relay};
use crate::config::Config;
use crate::diagnostic::Place;
use crate::egress::{Answer, Text};

/// A record, its terms in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub directives: Vec<Directive>,
    /// The record that decides when no term of this one does.
    pub redirect: Option<Target>,
}

/// A term that may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub qualifier: Qualifier,
    pub mechanism: Mechanism,
}

/// What a matching term says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// What a term matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(Target),
    /// The addresses of a name, as networks of so many bits.
    Address(Target, Bits),
    /// Those of the mail exchanges of a name.
    Exchange(Target, Bits),
    Reverse,
    Network(Network),
    Exists,
}

/// The name a term is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The domain of the record.
    Own,
    Name(String),
    /// With macros: it differs from mail to mail.
    Macro,
}

/// How many bits of an address count, of IPv4 and IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits(pub u8, pub u8);

const ALL_BITS: Bits = Bits(32, 128);

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    pub ip: IpAddr,
    pub bits: u8,
}

impl Network {
    /// The network of an address.
    pub fn around(ip: IpAddr, Bits(four, six): Bits) -> Self {
        Self { ip, bits: if ip.is_ipv4() { four } else { six } }
    }

    /// Whether an address lies in it.
    pub fn holds(&self, ip: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.ip, ip) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => (u32::from(own) ^ u32::from(ip)).leading_zeros() >= bits,
            (IpAddr::V6(own), IpAddr::V6(ip)) => (u128::from(own) ^ u128::from(ip)).leading_zeros() >= bits,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Whether a text is meant as an SPF record (RFC 7208, 4.5).
pub(super) fn is_record(text: &str) -> bool {
    let mark = text.get(..6).is_some_and(|mark| mark.eq_ignore_ascii_case("v=spf1"));
    mark && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// The records of an answer that are SPF.
pub(super) fn records(texts: &[Text]) -> Vec<String> {
    texts.iter().map(Text::joined).filter(|text| is_record(text)).collect()
}

impl Record {
    /// Reads a record; the error is the term that receivers cannot read.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut record = Self { directives: Vec::new(), redirect: None };
        for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
            record.add(term).ok_or_else(|| term.to_owned())?;
        }
        Ok(record)
    }

    fn add(&mut self, term: &str) -> Option<()> {
        // A modifier has its `=` before any `:` or `/` (RFC 7208, 4.6.1).
        if let Some((name, value)) = term.split_once('=').filter(|(name, _)| is_name(name)) {
            if name.eq_ignore_ascii_case("redirect") {
                let is_first = self.redirect.replace(target(value)?).is_none();
                return is_first.then_some(());
            }
            return Some(());
        }
        let (qualifier, rest) = match term.as_bytes().first()? {
            b'+' => (Qualifier::Pass, &term[1..]),
            b'-' => (Qualifier::Fail, &term[1..]),
            b'~' => (Qualifier::SoftFail, &term[1..]),
            b'?' => (Qualifier::Neutral, &term[1..]),
            _ => (Qualifier::Pass, term),
        };
        self.directives.push(Directive { qualifier, mechanism: mechanism(rest)? });
        Some(())
    }

    /// What the last word on everybody else is; `None` when the record has none of its own.
    pub fn last_word(&self) -> Option<Qualifier> {
        self.directives.iter().find(|one| one.mechanism == Mechanism::All).map(|one| one.qualifier)
    }

    /// Whether terms stand behind `all`, where nobody reads them.
    fn has_unread_terms(&self) -> bool {
        let all = self.directives.iter().position(|one| one.mechanism == Mechanism::All);
        all.is_some_and(|at| at + 1 < self.directives.len())
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn mechanism(text: &str) -> Option<Mechanism> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let value = rest.strip_prefix(':');
    match (name.to_ascii_lowercase().as_str(), value) {
        ("all", None) if rest.is_empty() => Some(Mechanism::All),
        ("include", Some(value)) => Some(Mechanism::Include(target(value)?)),
        ("exists", Some(value)) => target(value).map(|_| Mechanism::Exists),
        ("a", _) => ranged(rest).map(|(target, bits)| Mechanism::Address(target, bits)),
        ("mx", _) => ranged(rest).map(|(target, bits)| Mechanism::Exchange(target, bits)),
        ("ptr", Some(value)) => target(value).map(|_| Mechanism::Reverse),
        ("ptr", None) if rest.is_empty() => Some(Mechanism::Reverse),
        ("ip4", Some(value)) => network(value, 32).filter(|net| net.ip.is_ipv4()).map(Mechanism::Network),
        ("ip6", Some(value)) => network(value, 128).filter(|net| net.ip.is_ipv6()).map(Mechanism::Network),
        _ => None,
    }
}

/// `:name/24//64`, each part optional.
fn ranged(text: &str) -> Option<(Target, Bits)> {
    let (name, bits) = text.split_at(text.find('/').unwrap_or(text.len()));
    let own = if name.is_empty() { Target::Own } else { target(name.strip_prefix(':')?)? };
    let (four, six) = bits.split_once("//").map_or((bits, None), |(four, six)| (four, Some(six)));
    let four = match four.strip_prefix('/') {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= 32)?,
        None if four.is_empty() => ALL_BITS.0,
        None => return None,
    };
    let six = six.map_or(Some(ALL_BITS.1), |bits| bits.parse().ok().filter(|bits| *bits <= 128))?;
    Some((own, Bits(four, six)))
}

fn network(text: &str, most: u8) -> Option<Network> {
    let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
    Some(Network { ip: ip.parse().ok()?, bits })
}

fn target(text: &str) -> Option<Target> {
    if text.contains('%') {
        return Some(Target::Macro);
    }
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_graphic());
    (name.contains('.') && name.split('.').all(is_label)).then_some(Target::Name(name))
}

/// The sender's SPF record, followed to its ends.
pub(super) fn judge(config: &Config, facts: &Facts, out: &mut Findings) {
    let (domain, place) = (config.publication.from.address.domain(), &config.places.from);
    let texts = match facts.texts(domain) {
        // That there is no such domain is said of its MX.
        None | Some(Answer::NoName) => return,
        Some(Answer::Records(texts)) => records(texts),
        Some(Answer::NoRecords) => Vec::new(),
        Some(Answer::Unanswered(why)) => return out.unanswered(place, &format!("the SPF record of `{domain}`"), why),
    };
    match texts.as_slice() {
        [] => {
            let message = format!("`{domain}` has no SPF record: receivers cannot tell who may send for it");
            out.warning("spf-missing", place, message, format!("publish {}", relay::record_for(config)));
        }
        [text] => match Record::read(text) {
            Ok(record) => {
                let lookups = followed(config, &record, facts, out);
                out.found.push(format!("SPF {domain}: {text} ({lookups} of {MOST_LOOKUPS} look-ups)"));
            }
            Err(term) => {
                let message = format!("receivers cannot read `{term}` in the SPF record of `{domain}`");
                out.error("spf-syntax", place, message, "correct that term: until then all of the record is void");
            }
        },
        several => {
            let message = format!("`{domain}` has {} SPF records, and receivers then read none", several.len());
            out.error("spf-several", place, message, "join their terms in one record, and remove the others");
        }
    }
}

/// Says what is wrong with a record that can be read; how many look-ups it needs.
fn followed(config: &Config, record: &Record, facts: &Facts, out: &mut Findings) -> usize {
    let (domain, place) = (config.publication.from.address.domain(), &config.places.from);
    let walk = Walk::of(record, domain, facts, place, out);
    if walk.lookups > MOST_LOOKUPS {
        let message = format!(
            "the SPF record of `{domain}` needs {} look-ups, and receivers stop after {MOST_LOOKUPS}",
            walk.lookups
        );
        let help = "name addresses (`ip4:`, `ip6:`) where you know them, and take out senders you no longer use";
        out.error("spf-lookups", place, message, help);
    }
    if walk.void.len() > MOST_VOID {
        let message = format!("the SPF record of `{domain}` names what is not there: {}", walk.void.join(", "));
        let help = format!("take these terms out: after {MOST_VOID} of them receivers may give up");
        out.warning("spf-void", place, message, help);
    }
    last_word(domain, walk.last_word, place, out);
    if record.has_unread_terms() {
        let message = format!("in the SPF record of `{domain}` terms stand behind `all`, where nobody reads them");
        out.warning("spf-all", place, message, "put `all` last");
    }
    relay::judge(config, &walk, facts, out);
    walk.lookups
}

/// What the record says of everybody it does not name.
fn last_word(domain: &str, word: Option<Qualifier>, place: &Place, out: &mut Findings) {
    let help = "end it with `~all`, or with `-all` once all your senders are in it";
    match word {
        Some(Qualifier::Fail | Qualifier::SoftFail) => {}
        Some(Qualifier::Pass) => {
            let message = format!("the SPF record of `{domain}` ends in `+all`: it lets everybody send in your name");
            out.error("spf-open", place, message, help);
        }
        Some(Qualifier::Neutral) | None => {
            let message = format!("the SPF record of `{domain}` says nothing about those it does not name");
            out.warning("spf-all", place, message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn only(text: &str) -> Mechanism {
        let mut record = Record::read(&format!("v=spf1 {text}")).unwrap();
        assert_eq!(record.directives.len(), 1, "{text}");
        record.directives.remove(0).mechanism
    }

    fn name(text: &str) -> Target {
        Target::Name(text.to_owned())
    }

    #[test]
    fn every_term_of_the_standard_is_read() {
        assert_eq!(only("-all"), Mechanism::All);
        assert_eq!(only("include:_spf.Example.org."), Mechanism::Include(name("_spf.example.org")));
        assert_eq!(only("a"), Mechanism::Address(Target::Own, ALL_BITS));
        assert_eq!(only("a/24//64"), Mechanism::Address(Target::Own, Bits(24, 64)));
        assert_eq!(only("?A:b.example//96"), Mechanism::Address(name("b.example"), Bits(32, 96)));
        assert_eq!(only("mx:b.example/30"), Mechanism::Exchange(name("b.example"), Bits(30, 128)));
        assert_eq!(only("exists:%{i}.b.example"), Mechanism::Exists);
        assert_eq!(only("ptr"), Mechanism::Reverse);
        assert_eq!(only("include:%{d}.b.example"), Mechanism::Include(Target::Macro));
        let redirect = Record::read("v=spf1 redirect=b.example exp=why.example x-y=1").unwrap();
        assert_eq!((redirect.redirect, redirect.directives.len()), (Some(name("b.example")), 0));
    }

    #[test]
    fn what_receivers_cannot_read_is_named() {
        for term in [
            "ip4:1.2.3",
            "ip4:1.2.3.4/33",
            "ip6:1.2.3.4",
            "ip4:::1",
            "all:x",
            "include",
            "include:",
            "include:localhost",
            "a:",
            "a/33",
            "mx//129",
            "ipv4:1.2.3.4",
            "mx=example.org:",
            "-",
            "all/8",
            "a:b..example",
            "ip4=1.2.3.4:x/",
        ] {
            let read = Record::read(&format!("v=spf1 a {term} -all"));
            // An unknown modifier is no mistake (RFC 7208, 6).
            let is_modifier = term.contains('=');
            assert_eq!(read.is_err(), !is_modifier, "{term}");
        }
        assert_eq!(Record::read("v=spf1 redirect=a.example redirect=b.example"), Err("redirect=b.example".to_owned()));
    }

    #[test]
    fn only_a_whole_mark_makes_a_record() {
        assert!(is_record("v=spf1") && is_record("V=SPF1 -all"));
        for text in ["v=spf10 -all", " v=spf1", "v=spf1-all", "spf1", "é=spf1", ""] {
            assert!(!is_record(text), "{text}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let holds = |net: &str, most: u8, ip: &str| network(net, most).unwrap().holds(ip.parse().unwrap());
        assert!(holds("192.0.2.0/24", 32, "192.0.2.77") && !holds("192.0.2.0/24", 32, "192.0.3.1"));
        assert!(holds("192.0.2.7", 32, "192.0.2.7") && !holds("192.0.2.7", 32, "192.0.2.6"));
        assert!(holds("0.0.0.0/0", 32, "8.8.8.8") && !holds("0.0.0.0/0", 32, "::1"));
        assert!(holds("2001:db8::/32", 128, "2001:db8:1::9") && !holds("2001:db8::/32", 128, "2001:db9::"));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(
            terms in proptest::collection::vec("[-+~?]?(a|mx|ip4|ip6|include|all|ptr|exists|redirect)?[:=/]{0,2}\\PC{0,8}", 0..6),
            text in "\\PC{0,20}",
        ) {
            is_record(&text);
            let _ = Record::read(&format!("v=spf1 {} {text}", terms.join(" ")));
        }
    }
}
