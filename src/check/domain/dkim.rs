//! Whether receivers find the keys that sign the mail (RFC 6376, 3.6.2).

use super::Findings;
use super::facts::Facts;
use crate::config::Config;
use crate::diagnostic::Place;
use crate::dkim::{Algorithm, Published, Signer};
use crate::domain::preset::{Preset, Signing};
use crate::egress::{Answer, Text};

/// Large receivers do not count signatures by shorter keys (RFC 8301, 3.2).
const LEAST_BITS: usize = 2048;

/// Holds the record of every key that signs against the key.
pub(super) fn judge(config: &Config, facts: &Facts, out: &mut Findings) {
    let signers = config.signers();
    if signers.is_empty() {
        unsigned(config, out);
    }
    for (signer, place) in config.dkim.iter().zip(&config.places.dkim) {
        if signers.iter().any(|other| other.id() == signer.id()) {
            key(signer, facts, place, out);
        }
    }
}

/// Nobody of ours signs; whether a relay does cannot be seen from here, but for those we know.
fn unsigned(config: &Config, out: &mut Findings) {
    let is_signed_by_relay = |host: &str| Preset::of_host(host).signing == Signing::Relays;
    let Some(relay) = config.relays.iter().find(|relay| !is_signed_by_relay(&relay.host)) else { return };
    let domain = config.publication.from.address.domain();
    let message = format!(
        "no key of ours signs the mail; whether `{}` signs it for `{domain}` cannot be seen from here",
        relay.host
    );
    let help = "receivers want a signature that covers List-Unsubscribe: `fieldpost keys dkim` makes the keys; \
                if the relay signs, say so with `[[silence]] code = \"dkim-unsigned\"`";
    out.warning("dkim-unsigned", &config.places.from, message, help);
}

fn key(signer: &Signer, facts: &Facts, place: &Place, out: &mut Findings) {
    let record = signer.record();
    let publish = format!("publish `{}. TXT \"{}\"` (`fieldpost keys show` prints it)", record.name, record.text);
    match facts.texts(&record.name) {
        None => {}
        Some(Answer::Records(texts)) => records(signer, texts, &publish, place, out),
        Some(Answer::NoName | Answer::NoRecords) => {
            let message = format!("there is no record `{}`: no receiver can verify this key's signatures", record.name);
            out.error("dkim-missing", place, message, publish);
        }
        Some(Answer::Unanswered(why)) => out.unanswered(place, &format!("the DKIM record `{}`", record.name), why),
    }
}

fn records(signer: &Signer, texts: &[Text], publish: &str, place: &Place, out: &mut Findings) {
    let name = signer.record().name;
    let [text] = texts else {
        let message = format!("`{name}` has {} records, and receivers take any of them, or none", texts.len());
        let help = format!("keep one; a long value is one record of several strings; {publish}");
        return out.error("dkim-several", place, message, help);
    };
    match Published::read(&text.joined()) {
        Err(why) => {
            let message = format!("receivers cannot read the record `{name}`: {why}");
            out.error("dkim-syntax", place, message, publish);
        }
        Ok(published) if published.key.is_empty() => {
            let message = format!("the record `{name}` says that the key is revoked (`p=` is empty)");
            out.error("dkim-revoked", place, message, format!("make another with `fieldpost keys dkim`, or {publish}"));
        }
        Ok(published) => compared(signer, &published, publish, place, out),
    }
}

fn compared(signer: &Signer, published: &Published, publish: &str, place: &Place, out: &mut Findings) {
    let name = signer.record().name;
    if published.algorithm != Some(signer.algorithm()) || published.key != signer.public_key() {
        let short = published.rsa_bits().filter(|bits| *bits < LEAST_BITS);
        let short = short.map_or(String::new(), |bits| format!(", of {bits} bits, which large receivers do not count"));
        let message = format!("the record `{name}` holds another key than ours{short}: no signature verifies");
        return out.error("dkim-other-key", place, message, publish);
    }
    if let Some(why) = published.forbids {
        let message = format!("the record `{name}` does not allow our signatures: {why}");
        return out.error("dkim-forbidden", place, message, publish);
    }
    let kind = match signer.algorithm() {
        Algorithm::Rsa => "RSA",
        Algorithm::Ed25519 => "Ed25519",
    };
    out.found.push(format!("DKIM {name}: our {kind} key"));
    if published.testing {
        let message =
            format!("the record `{name}` says that signing is only tried out (`t=y`): some count it for nothing");
        out.warning("dkim-testing", place, message, "take `t=y` out of the record");
    }
}
