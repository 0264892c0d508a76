//! An SPF record followed to its ends, as a receiver does for a stranger, who matches nothing: how
//! many look-ups it takes, whom it names, and what its last word is (RFC 7208, 4.6.4).

use std::collections::BTreeSet;

use super::Findings;
use super::facts::Facts;
use super::spf::{self, Bits, Directive, Mechanism, Network, Qualifier, Record, Target};
use crate::diagnostic::Place;
use crate::egress::{Answer, Unanswered};

/// Receivers ask no more often.
pub(super) const MOST_LOOKUPS: usize = 10;
/// Receivers bear no more names that are not there.
pub(super) const MOST_VOID: usize = 2;
/// We ask no more often, only to say how many there are.
const MOST_FOLLOWED: usize = 40;

/// What following a record comes to.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The terms that a receiver has to look up, those of included records too.
    pub lookups: usize,
    /// The terms whose names are not there.
    pub void: Vec<String>,
    /// Who may send, by address.
    pub named: Vec<Network>,
    /// The records that this one includes, itself or by way of another.
    pub included: BTreeSet<String>,
    /// Whether who may send depends on the mail, by a macro or by the sender's name.
    pub is_open_ended: bool,
    /// What is said of everybody else.
    pub last_word: Option<Qualifier>,
}

struct Walker<'a> {
    walk: Walk,
    facts: &'a Facts,
    place: &'a Place,
    out: &'a mut Findings,
    /// The records that lead to the one at hand, from the first.
    chain: Vec<String>,
}

impl Walk {
    /// Follows the record of a domain; what is wrong on the way is noted in `out`.
    pub fn of(record: &Record, domain: &str, facts: &Facts, place: &Place, out: &mut Findings) -> Self {
        let mut walker = Walker { walk: Self::default(), facts, place, out, chain: vec![domain.to_owned()] };
        walker.walk.last_word = walker.follow(record, domain);
        walker.walk
    }
}

impl Walker<'_> {
    /// Follows a record of a domain and returns its last word.
    fn follow(&mut self, record: &Record, domain: &str) -> Option<Qualifier> {
        for directive in &record.directives {
            match &directive.mechanism {
                Mechanism::All => return Some(directive.qualifier),
                Mechanism::Network(network) => self.name(directive, [*network]),
                Mechanism::Include(target) => self.include(target, domain),
                Mechanism::Address(target, bits) => self.addresses(directive, target, *bits, domain),
                Mechanism::Exchange(target, bits) => self.exchanges(directive, target, *bits, domain),
                Mechanism::Reverse | Mechanism::Exists => {
                    self.walk.lookups += 1;
                    self.walk.is_open_ended |= directive.qualifier == Qualifier::Pass;
                }
            }
        }
        let target = record.redirect.as_ref().filter(|_| record.last_word().is_none())?;
        self.other_record("redirect=", target, domain)
    }

    fn name(&mut self, directive: &Directive, networks: impl IntoIterator<Item = Network>) {
        if directive.qualifier == Qualifier::Pass {
            self.walk.named.extend(networks);
        }
    }

    fn include(&mut self, target: &Target, domain: &str) {
        // What an included record says of strangers does not count (RFC 7208, 5.2).
        let _ = self.other_record("include:", target, domain);
    }

    /// Follows a record that another leads to.
    fn other_record(&mut self, by: &str, target: &Target, domain: &str) -> Option<Qualifier> {
        self.walk.lookups += 1;
        let Target::Name(name) = target else {
            self.walk.is_open_ended = true;
            return Some(Qualifier::SoftFail);
        };
        if self.chain.contains(name) {
            let message = format!("the SPF record of `{domain}` leads back to itself by `{by}{name}`");
            self.out.error(
                "spf-include",
                self.place,
                message,
                "take that term out: receivers go round until they give up",
            );
            return None;
        }
        if self.walk.lookups > MOST_FOLLOWED {
            return None;
        }
        self.walk.included.insert(name.clone());
        let record = self.record_of(by, name, domain)?;
        self.chain.push(name.clone());
        let last_word = self.follow(&record, name);
        self.chain.pop();
        last_word
    }

    /// The one readable record of a name that a term leads to.
    fn record_of(&mut self, by: &str, name: &str, domain: &str) -> Option<Record> {
        let texts = match self.facts.texts(name)? {
            Answer::Records(texts) => spf::records(texts),
            Answer::NoName | Answer::NoRecords => Vec::new(),
            Answer::Unanswered(why) => {
                self.unanswered(name, why);
                return None;
            }
        };
        let why = match texts.as_slice() {
            [text] => match Record::read(text) {
                Ok(record) => return Some(record),
                Err(term) => format!("whose record holds `{term}`, which receivers cannot read"),
            },
            [] => "which has no SPF record".to_owned(),
            _ => "which has several SPF records".to_owned(),
        };
        let message = format!("the SPF record of `{domain}` holds `{by}{name}`, {why}");
        let help = "correct the name or take the term out: as it is, all of your record is void";
        self.out.error("spf-include", self.place, message, help);
        None
    }

    fn addresses(&mut self, directive: &Directive, target: &Target, bits: Bits, domain: &str) {
        self.walk.lookups += 1;
        let Some(name) = self.plain(target, domain) else { return };
        self.hosts(directive, &name, bits, &format!("a:{name}"));
    }

    fn exchanges(&mut self, directive: &Directive, target: &Target, bits: Bits, domain: &str) {
        self.walk.lookups += 1;
        let Some(name) = self.plain(target, domain) else { return };
        let facts = self.facts;
        match facts.exchanges(&name) {
            None => {}
            Some(Answer::Records(exchanges)) => {
                for exchange in exchanges.iter().filter(|exchange| !exchange.host.is_empty()).take(MOST_LOOKUPS) {
                    self.hosts(directive, &exchange.host, bits, &format!("mx:{name}"));
                }
            }
            Some(Answer::NoName | Answer::NoRecords) => self.walk.void.push(format!("`mx:{name}`")),
            Some(Answer::Unanswered(why)) => self.unanswered(&name, why),
        }
    }

    fn hosts(&mut self, directive: &Directive, host: &str, bits: Bits, term: &str) {
        let facts = self.facts;
        match facts.addresses(host) {
            None => {}
            Some(Answer::Records(addresses)) => {
                self.name(directive, addresses.iter().map(|ip| Network::around(*ip, bits)));
            }
            Some(Answer::NoName | Answer::NoRecords) => self.walk.void.push(format!("`{term}`")),
            Some(Answer::Unanswered(why)) => self.unanswered(host, why),
        }
    }

    fn plain(&mut self, target: &Target, domain: &str) -> Option<String> {
        match target {
            Target::Own => Some(domain.to_owned()),
            Target::Name(name) => Some(name.clone()),
            Target::Macro => {
                self.walk.is_open_ended = true;
                None
            }
        }
    }

    fn unanswered(&mut self, name: &str, why: &Unanswered) {
        self.walk.is_open_ended = true;
        self.out.unanswered(self.place, &format!("`{name}`, which the SPF record leads to,"), why);
    }
}
