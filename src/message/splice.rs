//! One recipient's copy of a frozen issue.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{self, Context, SHA256};

use super::error::{Field, Reason, Unrenderable};
use super::filling::Filling;
use super::frozen::Frozen;
use super::scan::{Flaw, scan};
use super::stencil::{Stencil, Step};
use crate::dkim::{KeyId, Signer, Signers};
use crate::domain::address::Address;
use crate::domain::ids::MessageId;
use crate::domain::issue::Slot;
use crate::domain::spliced::{Spliced, interleaved};
use crate::domain::time::Instant;

/// Whom a copy is for: what fills the gaps of the template, frozen in the delivery's row.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    /// Where it goes.
    pub address: &'a Address,
    /// The subscriber's name; without one, `To` has the bare address and the name's slot
    /// stays empty.
    pub name: Option<&'a str>,
    /// The subscriber's own unsubscribe URL: https, or http to a loopback host.
    pub unsubscribe_url: &'a str,
    /// The values of the issue's other slots ([`Frozen::slots`]), as far as there are any. A
    /// blank one counts as none.
    pub values: &'a [(Slot, String)],
}

impl<'a> Recipient<'a> {
    /// What fills a slot; empty without a value.
    pub fn value(&self, slot: &Slot) -> &'a str {
        match slot {
            Slot::UnsubscribeUrl => self.unsubscribe_url,
            Slot::SubscriberName => self.name.unwrap_or_default().trim(),
            Slot::SubscriberAddress => self.address.as_str(),
            Slot::PreferencesUrl | Slot::Attribute(_) => {
                let found = self.values.iter().find(|(known, _)| known == slot);
                found.map_or("", |(_, value)| value.trim())
            }
        }
    }
}

/// One copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its RFC 5322 bytes, signatures included: lines ended by CRLF, not dot-stuffed.
    pub content: Spliced,
    /// Two copies with the same digest have the same bytes: it is SHA-256 of the digest of what copies
    /// have in common (SHA-256 of the SHA-256 of each stretch), of the places where that stands (each as
    /// 64 bits, little-endian), and of the copy's own bytes.
    pub digest: [u8; 32],
    /// Its Message-ID, without the angle brackets.
    pub message_id: MessageId,
    /// The keys that signed it, in the order of their signatures; none when it is unsigned.
    pub keys: Vec<KeyId>,
}

impl Message {
    /// Its bytes in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        self.content.pieces().to_vec()
    }

    /// Whether a digest that was frozen is one of these bytes: this one, or the plain SHA-256 that the first
    /// ledgers hold.
    pub fn is_known_as(&self, digest: &[u8; 32]) -> bool {
        self.digest == *digest || digest::digest(&SHA256, &self.to_vec()).as_ref() == digest
    }
}

impl fmt::Debug for Message {
    /// Shows no address: the bytes hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// Fills the template's gaps for one recipient and signs the result: the signatures stand on
/// top of the message, their moment is its date (RFC 6376, 3.5, `t=`). The same arguments
/// always give the same bytes; the date counts in whole seconds.
///
/// An error is about this recipient (see [`Unrenderable`]) and comes again with every try.
pub fn assemble(
    frozen: &Frozen,
    signers: &Signers,
    recipient: &Recipient,
    message_id: &MessageId,
    date: Instant,
) -> Result<Message, Unrenderable> {
    assemble_in(Vec::new(), frozen, signers, recipient, message_id, date)
}

/// As [`assemble`], in the memory of `buffer`, whose bytes are lost.
pub fn assemble_in(
    mut buffer: Vec<u8>,
    frozen: &Frozen,
    signers: &Signers,
    recipient: &Recipient,
    message_id: &MessageId,
    date: Instant,
) -> Result<Message, Unrenderable> {
    let filling = Filling::new(recipient, message_id, date)?;
    let stencil = frozen.stencil(|slot| recipient.value(slot).is_empty());
    buffer.clear();
    let own = String::from_utf8(buffer).expect("no bytes are text");
    let mut draft = Draft { own, places: Vec::with_capacity(stencil.common.len()), stencil };
    draft.fill(&filling);
    if !signers.is_empty() {
        draft.sign(signers, date);
    }
    let digest = draft.digest();
    let content = Spliced::new(draft.own.into_bytes(), draft.places, Arc::clone(&stencil.common));
    check(&content, frozen.headers + signers.len())?;
    let keys = signers.iter().map(Signer::id).cloned().collect();
    Ok(Message { content, digest, message_id: message_id.clone(), keys })
}

fn check(message: &Spliced, headers: usize) -> Result<(), Unrenderable> {
    let flaw = match scan(message.pieces()) {
        Ok(found) if found == headers => return Ok(()),
        Ok(_) => Flaw::HeaderCount,
        Err(flaw) => flaw,
    };
    Err(Unrenderable::new(Field::Message, Reason::Malformed(flaw)))
}

/// A copy in the making: its own bytes, and where among them the stretches in common stand.
struct Draft<'a> {
    own: String,
    places: Vec<usize>,
    stencil: &'a Stencil,
}

impl Draft<'_> {
    fn fill(&mut self, filling: &Filling) {
        self.own.reserve(self.stencil.copied + 1024);
        for step in &self.stencil.steps {
            match step {
                Step::Copy(text) => self.own.push_str(text),
                Step::Common => self.places.push(self.own.len()),
                Step::Gap(gap) => filling.write(gap, &mut self.own),
            }
        }
    }

    /// Puts the signatures on top.
    fn sign(&mut self, signers: &Signers, date: Instant) {
        let first = self.places.first().copied().unwrap_or(self.own.len());
        let rest = interleaved(self.own.as_bytes(), &self.places, &self.stencil.common).skip(1);
        let signatures = signers.sign(&self.own[..first], rest, date.timestamp());
        self.own.insert_str(0, &signatures);
        self.places.iter_mut().for_each(|place| *place += signatures.len());
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Context::new(&SHA256);
        digest.update(&self.stencil.digest);
        self.places.iter().for_each(|place| digest.update(&(*place as u64).to_le_bytes()));
        digest.update(self.own.as_bytes());
        digest.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{NONCE, issue, publication, signers};
    use super::super::{Frozen, MessageIdKey, freeze, message_id};
    use super::*;
    use crate::domain::hex::hex;
    use crate::domain::ids::{Generation, SubscriberId};
    use crate::domain::issue::{Issue, Parts, Variants};
    use crate::domain::time::from_millis;

    const URL: &str = "https://notes.example.org/u/token?a=1&b='2'";

    fn copy(frozen: &Frozen, name: Option<&str>, url: &str) -> Result<Message, Unrenderable> {
        copy_by(&Signers::none(), frozen, name, url)
    }

    fn copy_by(signers: &Signers, frozen: &Frozen, name: Option<&str>, url: &str) -> Result<Message, Unrenderable> {
        let address = Address::parse("ada.lovelace@example.net").unwrap();
        let id = message_id(&MessageIdKey::new(&[7; 32]), frozen, &frozen.id(), SubscriberId(3), Generation::FIRST);
        let recipient = Recipient { address: &address, name, unsubscribe_url: url, values: &[] };
        assemble(frozen, signers, &recipient, &id, from_millis(1_790_000_000_123))
    }

    #[test]
    fn a_copy_is_the_expected_message_byte_for_byte() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        let message = copy(&frozen, Some("Ada & Co <x>"), URL).unwrap();
        let expected = include_str!("sample.eml").replace('\n', "\r\n");
        assert_eq!(String::from_utf8(message.to_vec()).unwrap(), expected);
    }

    /// A copy of the issue as the ledger keeps it, with the soft breaks of its body removed.
    fn personal(issue: &Issue, name: Option<&str>, values: &[(Slot, String)]) -> String {
        let frozen = freeze(issue, &publication()).unwrap();
        let frozen = Frozen::from_bytes(&frozen.to_bytes()).unwrap();
        let address = Address::parse("ada@example.net").unwrap();
        let id = message_id(&MessageIdKey::new(&[7; 32]), &frozen, &frozen.id(), SubscriberId(3), Generation::FIRST);
        let recipient = Recipient { address: &address, name, unsubscribe_url: URL, values };
        let message = assemble(&frozen, &Signers::none(), &recipient, &id, from_millis(0)).unwrap();
        let text = String::from_utf8(message.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        format!("{head}\r\n\r\n{}", body.replace("=\r\n", ""))
    }

    fn city() -> Slot {
        Slot::Attribute("city".to_owned())
    }

    #[test]
    fn a_version_1_template_gives_the_bytes_it_always_gave() {
        let stored = include_bytes!("sample-v1.json").trim_ascii_end();
        let frozen = Frozen::from_bytes(stored).unwrap();
        assert_eq!((frozen.version, frozen.to_bytes().as_slice()), (1, stored));
        let message = copy(&frozen, Some("Ada & Co <x>"), URL).unwrap();
        assert_eq!(String::from_utf8(message.to_vec()).unwrap(), include_str!("sample.eml").replace('\n', "\r\n"));
    }

    #[test]
    fn what_somebody_lacks_is_the_default_or_nothing() {
        let html = format!("<p title='{}'>{}</p>", city().marker_or(NONCE, "a<b"), city().marker(NONCE));
        let issue = Issue { html, text: format!("Hi {}", Slot::SubscriberName.marker_or(NONCE, "reader")), ..issue() };
        let copy = personal(&issue, Some("Ada"), &[(city(), " Wien\r\nBcc: x@y.z ".into())]);
        assert!(copy.contains("Hi Ada\r\n"), "{copy}");
        assert!(copy.contains("<p title=3D'Wien  Bcc: x@y.z'>Wien  Bcc: x@y.z</p>"), "{copy}");
        for values in [vec![], vec![(city(), " ".to_owned())]] {
            let copy = personal(&issue, Some(" "), &values);
            assert!(copy.contains("Hi reader\r\n") && copy.contains("<p title=3D'a&lt;b'></p>"), "{copy}");
        }
    }

    #[test]
    fn everybody_gets_the_variant_for_what_they_lack() {
        let parts = |text: &str| Parts { html: format!("<p>{text}</p>"), text: text.to_owned() };
        let variants = Variants {
            asked: vec![Slot::SubscriberName, city()],
            parts: vec![parts("only city"), parts("only name"), parts("neither")],
        };
        let issue = Issue { text: "both".into(), variants, ..issue() };
        let vienna = [(city(), "Vienna".to_owned())];
        for (name, values, expected) in [
            (Some("Ada"), &vienna[..], "both"),
            (None, &vienna, "only city"),
            (Some("Ada"), &[], "only name"),
            (Some(""), &[(city(), String::new())], "neither"),
        ] {
            assert!(personal(&issue, name, values).contains(&format!("\r\n{expected}\r\n")), "{expected}");
        }
        let mut damaged = freeze(&issue, &publication()).unwrap();
        damaged.variants.pop();
        assert!(Frozen::from_bytes(&damaged.to_bytes()).is_err());
    }

    proptest! {
        /// C2, and that a value is never read for markers: whoever is called as a marker looks
        /// gets that very name.
        #[test]
        fn no_value_adds_a_header_or_becomes_another(value in "(\\PC|[\r\n\0]|Bcc: a@b.c){0,40}", nth in 0..4_usize) {
            let markers = [Slot::UnsubscribeUrl, Slot::SubscriberAddress, Slot::SubscriberName, city()];
            let value = format!("{value}{}", markers[nth].marker_or(NONCE, "x"));
            let issue = Issue { text: format!("[{}]", city().marker(NONCE)), ..issue() };
            let copy = personal(&issue, None, &[(city(), value.clone())]);
            let (head, body) = copy.split_once("\r\n\r\n").unwrap();
            prop_assert_eq!(head.split("\r\n").filter(|line| !line.starts_with(' ')).count(), 12);
            prop_assert!(body.contains(&markers[nth].marker_or(NONCE, "x")));
        }
    }

    #[test]
    fn the_same_copy_has_the_same_bytes_even_from_the_stored_template() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        let stored = Frozen::from_bytes(&frozen.to_bytes()).unwrap();
        assert_eq!(stored.id(), frozen.id());
        let (first, again) = (copy(&frozen, None, URL).unwrap(), copy(&stored, None, URL).unwrap());
        assert_eq!((first.to_vec(), first.digest), (again.to_vec(), again.digest));
    }

    #[test]
    fn a_copy_made_in_the_memory_of_another_holds_nothing_of_it() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        for signers in [Signers::none(), signers()] {
            let [ada, eve] = [Some("Ada"), Some("Eve")].map(|name| copy_by(&signers, &frozen, name, URL).unwrap());
            let address = Address::parse("ada.lovelace@example.net").unwrap();
            let recipient = Recipient { address: &address, name: Some("Ada"), unsubscribe_url: URL, values: &[] };
            let date = from_millis(1_790_000_000_123);
            let again =
                assemble_in(eve.content.into_own(), &frozen, &signers, &recipient, &ada.message_id, date).unwrap();
            assert!(again == ada);
        }
    }

    /// A copy that is long enough to have something in common with others.
    fn long(html: &str) -> Frozen {
        let html = format!("<p>{html}</p>\n{}", "<p>the same for everybody, line by line</p>\n".repeat(40));
        freeze(&Issue { html, ..issue() }, &publication()).unwrap()
    }

    #[test]
    fn a_digest_stands_for_every_byte_whether_it_is_the_copys_own_or_in_common() {
        let (frozen, other) = (long("one"), long("two"));
        let digest = |frozen: &Frozen, name| copy(frozen, Some(name), URL).unwrap().digest;
        assert_eq!(digest(&frozen, "Ada"), digest(&frozen, "Ada"));
        assert_ne!(digest(&frozen, "Ada"), digest(&frozen, "Adb"), "own");
        assert_ne!(frozen.stencil(|_| false).digest, other.stencil(|_| false).digest);
        let moved = |place| {
            let stencil = frozen.stencil(|_| false);
            Draft { own: "a\r\na\r\n".to_owned(), places: vec![place], stencil }.digest()
        };
        assert_ne!(moved(0), moved(3), "the same bytes in another order");
    }

    /// What is frozen in a ledger is compared with this after an upgrade: whatever is changed in how a copy
    /// is cut, these must stay.
    #[test]
    fn the_digest_of_a_copy_is_the_same_in_every_version() {
        let message = copy(&long("one"), Some("Ada"), URL).unwrap();
        assert_eq!(message.content.pieces().iter().count(), 3, "something is in common");
        assert_eq!(hex(&message.digest), "2e6f2b0abf1a7309f7733122a34457b751c6d9c3fe71bc82e6b4ca3a0642118e");
        let plain = digest::digest(&SHA256, &message.to_vec());
        assert!(message.is_known_as(plain.as_ref().try_into().unwrap()) && message.is_known_as(&message.digest));
        let other = copy(&long("one"), Some("Eve"), URL).unwrap();
        assert!(!message.is_known_as(&other.digest));
    }

    #[test]
    fn what_is_in_common_is_signed_as_if_it_were_the_copys_own() {
        let frozen = long("one");
        let signed = copy_by(&signers(), &frozen, Some("Ada"), URL).unwrap();
        assert!(signed.content.pieces().iter().count() > 1);
        let plain = String::from_utf8(copy(&frozen, Some("Ada"), URL).unwrap().to_vec()).unwrap();
        let signatures = signers().sign(&plain, [], from_millis(1_790_000_000_123).timestamp());
        assert_eq!(String::from_utf8(signed.to_vec()).unwrap(), signatures + &plain);
    }

    #[test]
    fn a_signed_copy_is_the_unsigned_one_below_its_signatures() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        let plain = copy(&frozen, Some("Ada"), URL).unwrap();
        let signed = copy_by(&signers(), &frozen, Some("Ada"), URL).unwrap();
        let text = String::from_utf8(signed.to_vec()).unwrap();
        assert!(text.starts_with("DKIM-Signature: v=1; a=rsa-sha256;"));
        assert!(text.ends_with(std::str::from_utf8(&plain.to_vec()).unwrap()));
        assert_eq!(text.matches("DKIM-Signature: ").count(), 2);
        assert_eq!(text.matches(" t=1790000000;").count(), 2, "the moment is the Date, in whole seconds");
        assert_ne!(signed.digest, plain.digest);
        assert_eq!(signed.keys, signers().iter().map(Signer::id).cloned().collect::<Vec<_>>());
        assert!(plain.keys.is_empty());
        let again = copy_by(&signers(), &frozen, Some("Ada"), URL).unwrap();
        assert!(again == signed, "the same keys give the same bytes");
    }

    #[test]
    fn a_name_or_url_that_could_add_a_line_is_refused_for_this_recipient_alone() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        for hostile in ["a\r\nBcc: x@y.z", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b"] {
            assert_eq!(copy(&frozen, Some(hostile), URL).unwrap_err().field, Field::SubscriberName, "{hostile:?}");
            let url = format!("https://a.example/{hostile}");
            assert_eq!(copy(&frozen, None, &url).unwrap_err().field, Field::UnsubscribeUrl, "{hostile:?}");
        }
        assert!(copy(&frozen, Some("Ada"), URL).is_ok());
    }

    #[test]
    fn a_damaged_template_gives_no_message() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        for (from, to) in
            [("Subject: ", "Subject: x\\r\\nBcc: y\\r\\nX: "), ("Hello", "Hel\\nlo"), ("Hello", "H\\u0000")]
        {
            let json = String::from_utf8(frozen.to_bytes()).unwrap();
            assert!(json.contains(from));
            let damaged = Frozen::from_bytes(json.replacen(from, to, 1).as_bytes()).unwrap();
            assert_eq!(copy(&damaged, None, URL).unwrap_err().field, Field::Message, "{to}");
        }
    }
}
