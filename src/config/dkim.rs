//! Who signs the mail: `[[dkim]]`, and what a relay lets through.

use std::path::Path;

use super::named;
use super::raw::{RawDkim, RawRelay};
use super::relay::{Relay, Sign};
use super::sheet::{Sheet, Typed};
use crate::dkim::{Algorithm, Signer, Signers, SigningKey};
use crate::domain::address::Mailbox;

/// Reads the keys of all sections, noting everything that is wrong. Without `from` no domain
/// can be judged; an error about that has been noted already.
pub(super) fn signers(raw: &[RawDkim], from: Option<&Mailbox>, sheet: &Sheet<'_>, root: &Path) -> Signers {
    let mut signers: Vec<Signer> = Vec::with_capacity(raw.len());
    for section in raw {
        let Some(signer) = signer(section, from, sheet, root) else { continue };
        if signers.iter().any(|other| other.algorithm() == signer.algorithm()) {
            let message = format!("a second {} key: one message is signed once by each kind", kind(signer.algorithm()));
            let help = "keep the one whose record is in DNS; the old record stays there for a week, \
                        so that mail on its way still verifies";
            sheet.error("dkim-second-key", section.span.clone(), message, help);
            continue;
        }
        signers.push(signer);
    }
    Signers::new(signers)
}

fn kind(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rsa => "RSA",
        Algorithm::Ed25519 => "Ed25519",
    }
}

fn signer(raw: &RawDkim, from: Option<&Mailbox>, sheet: &Sheet<'_>, root: &Path) -> Option<Signer> {
    note_missing(raw, sheet);
    let key = raw.key_file.as_ref().and_then(|file| key(file, sheet, root));
    let domain = domain(raw.domain.as_ref(), from?.address.domain(), sheet);
    let selector = raw.selector.as_ref()?;
    let (key, domain) = (key?, domain?);
    let signer = Signer::new(key, &domain, &selector.value);
    if let Err(error) = &signer {
        let message = format!("`{}` {error}, so it cannot be a selector", selector.value.escape_debug());
        sheet.error("dkim-selector", selector.span.clone(), message, "such as selector = \"mail2026\"");
    }
    signer.ok()
}

fn note_missing(raw: &RawDkim, sheet: &Sheet<'_>) {
    for (value, example) in [(&raw.selector, "selector = \"mail2026\""), (&raw.key_file, "key_file = \"dkim.pem\"")] {
        if value.is_none() {
            let message = format!("`[[dkim]]` has no `{}`", example.split(' ').next().unwrap_or(example));
            let help = format!("below it, write {example}; `fieldpost keys dkim` makes a key and prints the section");
            sheet.error("dkim-incomplete", raw.span.clone(), message, help);
        }
    }
}

fn key(file: &Typed<String>, sheet: &Sheet<'_>, root: &Path) -> Option<SigningKey> {
    let bytes = named::read_secret("dkim-key", file, root, sheet)?;
    let key = SigningKey::from_pem(&String::from_utf8_lossy(&bytes));
    if let Err(error) = &key {
        let message = format!("`{}` {error}", file.value);
        let help = "`fieldpost keys dkim` makes a key; \
                    `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem` makes one too";
        sheet.error("dkim-key", file.span.clone(), message, help);
    }
    key.ok()
}

/// The signing domain: as typed, else that of `from`. Receivers count a signature for the
/// sender only if the two are aligned (RFC 9989), which the same domain or one above it is.
fn domain(raw: Option<&Typed<String>>, from: &str, sheet: &Sheet<'_>) -> Option<String> {
    let Some(typed) = raw else { return Some(from.to_owned()) };
    let domain = idna::domain_to_ascii(typed.value.trim()).unwrap_or_default();
    let is_above = domain.contains('.') && from.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    if domain == from || is_above {
        return Some(domain);
    }
    let message = format!("`{}` is neither the domain of `[mail] from` nor one above it", typed.value.escape_debug());
    let help =
        format!("write domain = \"{from}\", or leave the line out; a signature of another domain counts nothing");
    sheet.error("dkim-domain", typed.span.clone(), message, help);
    None
}

/// What the relays let through of the keys. All relays share one campaign's deliveries, so
/// they cannot be given different signatures.
pub(super) fn note_disagreement(raw: &[RawRelay], relays: &[Relay], signers: &Signers, sheet: &Sheet<'_>) {
    let first = relays.first().map(|relay| relay.sign);
    for (raw, relay) in raw.iter().zip(relays) {
        let place = raw.sign.as_ref().map_or(raw.span.clone(), |typed| typed.span.clone());
        let matters = raw.sign.is_some() || !signers.is_empty();
        if matters && Some(relay.sign) != first {
            let message = "the relays do not agree on `sign`, and all of them share the same messages";
            sheet.error("relay-sign", place, message, "write the same `sign` below every [[relay]]");
        } else if relay.sign == Sign::Rsa && !signers.is_empty() && signers.only(Algorithm::Rsa).is_empty() {
            let message = "only an RSA signature may leave, and no `[[dkim]]` section has an RSA key";
            sheet.error("relay-sign", place, message, "`fieldpost keys dkim --algorithm rsa` makes one");
        }
    }
}
