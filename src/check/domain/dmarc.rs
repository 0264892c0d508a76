//! What receivers are told to do with mail that is not ours (RFC 9989, which replaced RFC 7489).

use super::Findings;
use super::facts::Facts;
use crate::config::Config;
use crate::diagnostic::Place;
use crate::dkim::tags;
use crate::egress::{Answer, Text};

/// No more names are asked on the way up (RFC 9989, 4.10).
const MOST_STEPS: usize = 8;

/// A policy and the domain that publishes it.
struct Policy<'f> {
    domain: String,
    text: &'f str,
    tags: Vec<(String, String)>,
}

impl Policy<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }
}

/// The policy of the sender's domain, its own or of one above it, and whether our signatures are
/// aligned by it. The return path is the sender's address, so SPF is aligned whatever it says.
pub(super) fn judge(config: &Config, facts: &Facts, out: &mut Findings) {
    let (domain, place) = (config.publication.from.address.domain(), &config.places.from);
    let policy = match record_at(domain, facts, place, out) {
        None => return,
        Some(Some(text)) => Some((domain.to_owned(), text)),
        Some(None) => match organisation(domain, facts, place, out) {
            None => return,
            Some((home, text)) => text.map(|text| (home, text)),
        },
    };
    let Some((at, text)) = policy else {
        let message = format!("`{domain}` has no DMARC record: large receivers want one of who sends in bulk");
        let help = format!(
            "publish `_dmarc.{domain}. TXT \"v=DMARC1; p=none; rua=mailto:dmarc@{domain}\"`, and a stricter `p` later"
        );
        return out.warning("dmarc-missing", place, message, help);
    };
    out.found.push(format!("DMARC {at}: {text}"));
    match tags(&text) {
        Ok(tags) => {
            let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let policy = Policy { domain: at, text: &text, tags };
            request(&policy, domain, place, out);
            reports(&policy, facts, place, out);
            alignment(config, &policy, facts, out);
        }
        Err(why) => {
            let message = format!("receivers cannot read the DMARC record of `{at}`: {why}");
            out.error("dmarc-syntax", place, message, "write `v=DMARC1; p=none; rua=mailto:…`, joined by semicolons");
        }
    }
}

/// What is asked of receivers.
fn request(policy: &Policy, domain: &str, place: &Place, out: &mut Findings) {
    let at = &policy.domain;
    let tag = if *at != domain && policy.value("sp").is_some() { "sp" } else { "p" };
    match policy.value(tag) {
        Some("reject" | "quarantine") => {}
        Some("none") if policy.value("rua").is_some() => {}
        Some("none") => {
            let message = format!(
                "the DMARC record of `{at}` asks nothing of receivers, and no reports (`{tag}=none`, no `rua`)"
            );
            let help = format!("add `rua=mailto:dmarc@{domain}`, read the reports, then write `p=quarantine`");
            out.warning("dmarc-idle", place, message, help);
        }
        other => {
            let said = other.map_or_else(|| format!("has no `{tag}`"), |value| format!("says `{tag}={value}`"));
            let message = format!("the DMARC record of `{at}` {said}: receivers take it for `p=none`, or for none");
            out.error("dmarc-syntax", place, message, "write `p=none`, `p=quarantine` or `p=reject`");
        }
    }
    let part = policy.value("pct").filter(|pct| *pct != "100").map(|pct| format!("pct={pct}"));
    let trial = policy.value("t").filter(|t| *t == "y").map(|_| "t=y".to_owned());
    if let Some(tag) = part.or(trial) {
        let message = format!(
            "the DMARC record of `{at}` is only tried out (`{tag}`): receivers do less than `{}` says",
            policy.text
        );
        out.warning(
            "dmarc-trial",
            place,
            message,
            format!("take `{tag}` out when the reports show nothing of yours failing"),
        );
    }
}

/// Reports to another domain need its consent (RFC 9990, 4).
fn reports(policy: &Policy, facts: &Facts, place: &Place, out: &mut Findings) {
    for address in policy.value("rua").into_iter().flat_map(|list| list.split(',')).map(str::trim) {
        let target = address.strip_prefix("mailto:").and_then(|rest| rest.rsplit_once('@'));
        let Some((_, target)) = target else {
            let message = format!("in the DMARC record of `{}`, `{address}` is no `mailto:` address", policy.domain);
            out.error("dmarc-syntax", place, message, "write `rua=mailto:dmarc@your.domain`");
            continue;
        };
        let target = target.split('!').next().unwrap_or(target).to_ascii_lowercase();
        let is_inside = |inner: &str, outer: &str| inner == outer || inner.ends_with(&format!(".{outer}"));
        if is_inside(&target, &policy.domain) || is_inside(&policy.domain, &target) {
            continue;
        }
        let name = format!("{}._report._dmarc.{target}", policy.domain);
        match facts.texts(&name) {
            Some(Answer::NoName | Answer::NoRecords) => {
                let message = format!("`{target}` does not say that it takes DMARC reports about `{}`", policy.domain);
                let help = format!("have `{name}. TXT \"v=DMARC1\"` published there, or name an address of your own");
                out.warning("dmarc-reports", place, message, help);
            }
            None | Some(Answer::Records(_) | Answer::Unanswered(_)) => {}
        }
    }
}

/// Whether our signatures count for the sender.
fn alignment(config: &Config, policy: &Policy, facts: &Facts, out: &mut Findings) {
    let domain = config.publication.from.address.domain();
    let is_strict = policy.value("adkim") == Some("s");
    for (signer, place) in config.dkim.iter().zip(&config.places.dkim).filter(|(signer, _)| signer.domain() != domain) {
        let Some((home, _)) = organisation(domain, facts, place, out) else { continue };
        let Some((other, _)) = organisation(signer.domain(), facts, place, out) else { continue };
        let why = if is_strict {
            format!("the DMARC record of `{}` wants the same domain (`adkim=s`)", policy.domain)
        } else if other == home {
            continue;
        } else {
            format!("by their DMARC records they belong to `{other}` and `{home}`")
        };
        let message = format!("signatures of `{}` do not count for `{domain}`: {why}", signer.domain());
        let help = format!("sign with `domain = \"{domain}\"`, or leave the line out");
        out.error("dmarc-alignment", place, message, help);
    }
}

/// The organisational domain by the walk up the tree, with its policy (RFC 9989, 4.10.2).
fn organisation(domain: &str, facts: &Facts, place: &Place, out: &mut Findings) -> Option<(String, Option<String>)> {
    let mut found = (domain.to_owned(), None);
    let names = steps(domain);
    for (nth, name) in names.iter().enumerate() {
        let Some(text) = record_at(name, facts, place, out)? else { continue };
        let psd = tags(&text)
            .ok()
            .and_then(|tags| tags.iter().find(|(tag, _)| *tag == "psd").map(|(_, value)| *value == "y"));
        match psd {
            Some(false) => return Some((name.clone(), Some(text))),
            // A public suffix is nobody's: the name below it is the organisation's.
            Some(true) if nth > 0 => {
                let below = names[nth - 1].clone();
                let own = record_at(&below, facts, place, out)?;
                return Some((below, own.or(Some(text))));
            }
            Some(true) | None => found = (name.clone(), Some(text)),
        }
    }
    Some(found)
}

/// A domain and the names above it, at most [`MOST_STEPS`]: of a longer one the names in the
/// middle are skipped.
fn steps(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let skipped = labels.len().saturating_sub(MOST_STEPS);
    let above = (1 + skipped..labels.len()).map(|from| labels[from..].join("."));
    std::iter::once(domain.to_owned()).chain(above).collect()
}

/// The record that a domain itself publishes: the inner `None` is none, or several, which
/// receivers take for none. The outer one: not known yet, or not to be known.
#[expect(clippy::option_option, reason = "nothing there and nothing known are two things")]
fn record_at(domain: &str, facts: &Facts, place: &Place, out: &mut Findings) -> Option<Option<String>> {
    match facts.texts(&format!("_dmarc.{domain}"))? {
        Answer::Records(texts) => {
            let mut records: Vec<String> = texts.iter().map(Text::joined).filter(|text| is_record(text)).collect();
            if records.len() > 1 {
                let count = records.len();
                let message = format!("`_dmarc.{domain}` has {count} DMARC records, and receivers then read none");
                out.error("dmarc-several", place, message, "keep one of them");
                return Some(None);
            }
            Some(records.pop())
        }
        Answer::NoName | Answer::NoRecords => Some(None),
        Answer::Unanswered(why) => {
            out.unanswered(place, &format!("the DMARC record of `{domain}`"), why);
            None
        }
    }
}

/// Whether a text is meant as a DMARC record: `v=DMARC1` stands first.
fn is_record(text: &str) -> bool {
    let version = text.split(';').next().and_then(|first| first.split_once('='));
    version.is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_has_at_most_eight_steps() {
        assert_eq!(steps("a.example.org"), ["a.example.org", "example.org", "org"]);
        let long = steps("a.b.c.d.e.f.g.h.i.org");
        assert_eq!((long.len(), long[1].as_str()), (8, "d.e.f.g.h.i.org"));
    }

    #[test]
    fn only_a_record_that_begins_with_its_version_is_one() {
        assert!(is_record("v=DMARC1") && is_record("v = DMARC1 ; p=none"));
        for text in ["p=none; v=DMARC1", "v=dmarc1", "v=DMARC12", "V=DMARC1", "v=spf1 -all", ""] {
            assert!(!is_record(text), "{text}");
        }
    }
}
