//! What known relays bear, so that an author need not look it up.
//!
//! The figures are the providers' own where they publish some, and cautious where they do
//! not; the manual's page on relays says which is which. Whatever the author writes wins.

use super::rate::Rate;
use super::span::Span;

/// How a relay wants to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The name in the configuration.
    pub name: &'static str,
    /// Connections at once.
    pub connections: usize,
    /// Messages on one connection before it is closed; `None` is any number.
    pub max_messages: Option<u32>,
    /// After how long a connection is closed.
    pub max_age: Span,
    /// Messages by time; `None` is any rate.
    pub rate: Option<Rate>,
    /// Messages in any 24 hours; `None` is any number.
    pub daily: Option<u64>,
    /// Whose DKIM signatures mail through it bears.
    pub signing: Signing,
    /// Whose SPF record counts, and what it has to say.
    pub spf: Spf,
}

/// What receivers hold the return path of mail through a relay against (RFC 7208).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spf {
    /// Our domain's record, which has to name the relay's own addresses.
    Host,
    /// Our domain's record, which has to include this one.
    Include(&'static str),
    /// The relay's: it puts a return path of its own in the place of ours.
    Relays,
}

/// Who signs what goes through a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// We may.
    Ours,
    /// The relay does, and refuses a message that is signed already.
    Relays,
}

/// A row of the table: how the relay is called, and its hosts, where `*` stands for a part.
struct Row {
    name: &'static str,
    hosts: &'static [&'static str],
    connections: usize,
    max_messages: Option<u32>,
    rate: Option<&'static str>,
    daily: Option<u64>,
    signing: Signing,
    spf: Spf,
}

/// Connections are closed after five minutes unless a relay asks for something else: what
/// Postfix does as a client.
const MAX_AGE: Span = Span::of_minutes(5);

const ROWS: &[Row] = &[
    // 50 connections from one client by default (postconf(5), smtpd_client_connection_count_limit).
    Row {
        name: "postfix",
        hosts: &["localhost", "127.0.0.1", "::1"],
        connections: 4,
        max_messages: None,
        rate: None,
        daily: None,
        signing: Signing::Ours,
        spf: Spf::Host,
    },
    // Rate and quota belong to the account; a new one has 1/s and 200 a day. "Don't maintain long-lived connections."
    // A second DKIM-Signature is refused: "554 Transaction failed: Duplicate header".
    Row {
        name: "ses",
        hosts: &["email-smtp.*.amazonaws.com", "email-smtp-fips.*.amazonaws.com"],
        connections: 4,
        max_messages: Some(100),
        rate: Some("1/s"),
        daily: None,
        signing: Signing::Relays,
        spf: Spf::Relays,
    },
    // "At most 10 concurrent connections from one address" is asked for, not enforced.
    Row {
        name: "postmark",
        hosts: &["smtp.postmarkapp.com", "smtp-broadcasts.postmarkapp.com"],
        connections: 8,
        max_messages: None,
        rate: None,
        daily: None,
        signing: Signing::Ours,
        spf: Spf::Relays,
    },
    // 10,000 a day for each user.
    Row {
        name: "google-relay",
        hosts: &["smtp-relay.gmail.com"],
        connections: 2,
        max_messages: Some(100),
        rate: None,
        daily: Some(10_000),
        signing: Signing::Ours,
        spf: Spf::Include("_spf.google.com"),
    },
    // 500 a day; with Workspace 2,000.
    Row {
        name: "gmail",
        hosts: &["smtp.gmail.com"],
        connections: 2,
        max_messages: Some(100),
        rate: None,
        daily: Some(500),
        signing: Signing::Ours,
        spf: Spf::Include("_spf.google.com"),
    },
    // 3 connections, 30 messages a minute, 10,000 recipients a day for each mailbox.
    Row {
        name: "microsoft",
        hosts: &["smtp.office365.com", "smtp-legacy.office365.com"],
        connections: 2,
        max_messages: None,
        rate: Some("30/min"),
        daily: Some(10_000),
        signing: Signing::Ours,
        spf: Spf::Include("spf.protection.outlook.com"),
    },
    // Limits exist; we found no numbers.
    Row {
        name: "fastmail",
        hosts: &["smtp.fastmail.com"],
        connections: 2,
        max_messages: None,
        rate: Some("1/s"),
        daily: None,
        signing: Signing::Ours,
        spf: Spf::Include("spf.messagingengine.com"),
    },
    // Three messages on one connection: what Mailgun told the authors of KumoMTA.
    Row {
        name: "mailgun",
        hosts: &["smtp.mailgun.org", "smtp.eu.mailgun.org", "smtp.mailgun.com"],
        connections: 10,
        max_messages: Some(3),
        rate: None,
        daily: None,
        signing: Signing::Ours,
        spf: Spf::Relays,
    },
    // 10 connections, 50 messages on each.
    Row {
        name: "socketlabs",
        hosts: &["smtp.socketlabs.com"],
        connections: 8,
        max_messages: Some(50),
        rate: None,
        daily: None,
        signing: Signing::Ours,
        spf: Spf::Relays,
    },
];

/// A relay nobody knows: four connections, no limit.
pub const UNKNOWN: Preset = Preset {
    name: "none",
    connections: 4,
    max_messages: None,
    max_age: MAX_AGE,
    rate: None,
    daily: None,
    signing: Signing::Ours,
    spf: Spf::Host,
};

impl Preset {
    /// The preset of that name; `none` is a relay nobody knows.
    pub fn named(name: &str) -> Option<Self> {
        let row = ROWS.iter().find(|row| row.name == name).map(Row::preset);
        row.or((name == UNKNOWN.name).then_some(UNKNOWN))
    }

    /// The preset of a relay's host, [`UNKNOWN`] for a stranger. The host is in lower case.
    pub fn of_host(host: &str) -> Self {
        ROWS.iter().find(|row| row.hosts.iter().any(|own| is_host(own, host))).map_or(UNKNOWN, Row::preset)
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|row| row.name).chain([UNKNOWN.name])
    }
}

impl Row {
    fn preset(&self) -> Preset {
        Preset {
            name: self.name,
            connections: self.connections,
            max_messages: self.max_messages,
            max_age: MAX_AGE,
            rate: self.rate.map(|rate| Rate::parse(rate).expect("a test reads every row")),
            daily: self.daily,
            signing: self.signing,
            spf: self.spf,
        }
    }
}

fn is_host(pattern: &str, host: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == host,
        Some((before, after)) => {
            let middle = host.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            middle.is_some_and(|middle| !middle.is_empty() && !middle.contains('.'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_its_hosts() {
        for row in ROWS {
            assert_eq!(Preset::named(row.name), Some(row.preset()));
            for host in row.hosts {
                assert_eq!(Preset::of_host(&host.replace('*', "eu-west-1")), row.preset(), "{host}");
            }
        }
        assert_eq!(Preset::names().count(), ROWS.len() + 1);
    }

    #[test]
    fn a_stranger_gets_what_a_stranger_gets() {
        for host in ["mail.example.org", "email-smtp..amazonaws.com", "email-smtp.a.b.amazonaws.com", "xsmtp.gmail.com"]
        {
            assert_eq!(Preset::of_host(host), UNKNOWN, "{host}");
        }
        assert_eq!((Preset::named("none"), Preset::named("sendmail")), (Some(UNKNOWN), None));
    }
}
