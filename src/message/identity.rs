//! Who a message is, and where its failures return to.

use std::fmt;

use aws_lc_rs::hmac;

use super::frozen::Frozen;
use crate::domain::address::Address;
use crate::domain::hex::hex;
use crate::domain::ids::{Generation, IssueId, MessageId, SubscriberId};

/// The key of Message-IDs, ready for use: making it ready takes as long as using it. `Debug` prints
/// `***`.
#[derive(Clone)]
pub struct MessageIdKey(hmac::Key);

impl MessageIdKey {
    /// A key from the ledger's secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl fmt::Debug for MessageIdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The Message-ID of one subscriber's copy: a keyed hash of (list, issue, subscriber,
/// generation), at the sender's domain (RFC 5322, 3.6.4).
///
/// The same copy always has the same id, so a resend is recognised as one; without the key
/// nobody can tell from an id who got the mail. `issue` is [`Frozen::id`], passed in because
/// computing it costs more than the hash.
pub fn message_id(
    key: &MessageIdKey,
    frozen: &Frozen,
    issue: &IssueId,
    subscriber: SubscriberId,
    generation: Generation,
) -> MessageId {
    // NUL cannot stand in any of the four, so no two copies share one text.
    let [subscriber, generation] = [subscriber.0.to_string(), generation.0.to_string()];
    let copy = ["message-id", &frozen.list_id, issue.as_str(), &subscriber, &generation].join("\0");
    let tag = hmac::sign(&key.0, copy.as_bytes());
    let text = [&hex(&tag.as_ref()[..16]), "@", frozen.from.domain()].concat();
    MessageId::parse(&text).expect("hex digits and a domain of at most 253 bytes are an id")
}

/// The envelope's return path (RFC 5321, 4.4): the sender's address.
pub fn return_path(frozen: &Frozen) -> &Address {
    &frozen.from
}

#[cfg(test)]
mod tests {
    use super::super::freeze;
    use super::super::samples::{issue, publication};
    use super::*;
    use crate::domain::publication::Publication;

    #[test]
    fn one_copy_has_one_id_and_every_other_copy_another() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        let elsewhere =
            freeze(&issue(), &Publication { list_id: "other.example.org".into(), ..publication() }).unwrap();
        let (first, other) = (IssueId::parse("a").unwrap(), IssueId::parse("b").unwrap());
        let (one, two) = (SubscriberId(1), SubscriberId(12));
        let [key, other_key] = [1, 2].map(|byte| MessageIdKey::new(&[byte; 32]));
        let id = message_id(&key, &frozen, &first, one, Generation::FIRST);
        assert_eq!(id, message_id(&key, &frozen, &first, one, Generation::FIRST));
        for another in [
            message_id(&other_key, &frozen, &first, one, Generation::FIRST),
            message_id(&key, &elsewhere, &first, one, Generation::FIRST),
            message_id(&key, &frozen, &other, one, Generation::FIRST),
            message_id(&key, &frozen, &first, two, Generation::FIRST),
            message_id(&key, &frozen, &first, one, Generation(2)),
        ] {
            assert_ne!(another, id);
        }
        assert!(id.as_str().ends_with("@example.org"));
        assert_eq!(return_path(&frozen).as_str(), "notes@example.org");
    }
}
