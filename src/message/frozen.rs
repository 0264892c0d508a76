//! The template the ledger keeps.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::ASSEMBLER_VERSION;
use crate::domain::address::Address;
use crate::domain::ids::{IssueId, PostId};
use crate::domain::issue::Slot;

/// An issue, assembled once: the bytes everybody gets, with gaps for what differs.
///
/// It is stored as JSON ([`Frozen::to_bytes`]) and named by the digest of that text
/// ([`Frozen::id`]): whoever reads it back can tell whether it is what was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    pub(super) version: u32,
    pub(super) post: PostId,
    #[serde(with = "address_text")]
    pub(super) from: Address,
    pub(super) list_id: String,
    /// How many header fields every copy has.
    pub(super) headers: usize,
    pub(super) segments: Vec<Segment>,
}

/// Which part of the message a slot stands in, and so how its value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// `text/plain`: a value stands as it is.
    Text,
    /// `text/html`: a value is HTML-escaped, fit for text and for a quoted attribute.
    Html,
}

/// A stretch of a message: bytes for everybody, or a gap for one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Encoded bytes, all of them ASCII, lines ended by CRLF.
    Static(String),
    /// The value of `Date`.
    Date,
    /// The value of `To`.
    To,
    /// The value of `Message-ID`.
    MessageId,
    /// The value of `List-Unsubscribe`.
    ListUnsubscribe,
    /// A slot of a part, quoted-printable, on lines of its own.
    Slot(Slot, Part),
}

/// Why stored bytes are no template.
#[derive(Debug, thiserror::Error)]
pub enum ThawError {
    /// The bytes are damaged, or were never a template.
    #[error("the frozen issue cannot be read back: {0}")]
    Syntax(#[from] serde_json::Error),
    /// A later fieldpost froze it.
    #[error("the issue was frozen by assembler {found}; this program knows up to {ASSEMBLER_VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
}

impl Frozen {
    /// The template as the ledger stores it: the same template gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a template is strings and numbers, which JSON can hold")
    }

    /// Reads a stored template. Compare its [`id`](Self::id) with the one it was stored under.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ThawError> {
        // The version comes first: a later one may have fields this program does not know.
        let Version { version } = serde_json::from_slice(bytes)?;
        if version != ASSEMBLER_VERSION {
            return Err(ThawError::Version { found: version });
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The name of what was frozen: SHA-256 of [`to_bytes`](Self::to_bytes), in hex. It costs
    /// one serialisation; keep it.
    pub fn id(&self) -> IssueId {
        IssueId::parse(&hex(digest::digest(&digest::SHA256, &self.to_bytes()).as_ref())).expect("hex digits are an id")
    }

    /// The post it was made of.
    pub fn post(&self) -> &PostId {
        &self.post
    }

    /// How many bytes every copy has at least.
    pub(super) fn static_length(&self) -> usize {
        let lengths = self.segments.iter().map(|segment| match segment {
            Segment::Static(bytes) => bytes.len(),
            Segment::Date | Segment::To | Segment::MessageId | Segment::ListUnsubscribe | Segment::Slot(..) => 0,
        });
        lengths.sum()
    }
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
        out
    })
}

/// Addresses as JSON strings; reading one parses it again.
mod address_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::address::Address;

    pub(super) fn serialize<S: Serializer>(address: &Address, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(address.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
        Address::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::freeze;
    use super::super::samples::{issue, publication};
    use super::*;

    #[test]
    fn a_template_of_a_later_fieldpost_is_told_from_a_damaged_one() {
        let json = String::from_utf8(freeze(&issue(), &publication()).unwrap().to_bytes()).unwrap();
        let later = json.replacen("\"version\":1", "\"version\":2,\"new\":[]", 1);
        assert!(matches!(Frozen::from_bytes(later.as_bytes()), Err(ThawError::Version { found: 2 })));
        for damaged in [&json[1..], &json[..json.len() - 9], &json.replacen("notes@", "notes ", 1), ""] {
            assert!(matches!(Frozen::from_bytes(damaged.as_bytes()), Err(ThawError::Syntax(_))), "{damaged}");
        }
    }

    #[test]
    fn one_changed_letter_changes_the_id() {
        let frozen = freeze(&issue(), &publication()).unwrap();
        let json = String::from_utf8(frozen.to_bytes()).unwrap();
        let changed = Frozen::from_bytes(json.replacen("Hello", "Hallo", 1).as_bytes()).unwrap();
        assert_ne!(changed.id(), frozen.id());
    }
}
