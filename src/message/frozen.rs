//! The template the ledger keeps.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::ASSEMBLER_VERSION;
use super::splice::Recipient;
use super::stencil::Stencil;
use crate::domain::address::Address;
use crate::domain::hex::hex;
use crate::domain::ids::{IssueId, PostId};
use crate::domain::issue::{Slot, Variants};

/// An issue, assembled once: the bytes everybody gets, with gaps for what differs.
///
/// It is stored as JSON ([`Frozen::to_bytes`]) and named by the digest of that text
/// ([`Frozen::id`]): whoever reads it back can tell whether it is what was frozen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    pub(super) version: u32,
    pub(super) post: PostId,
    #[serde(with = "address_text")]
    pub(super) from: Address,
    pub(super) list_id: String,
    /// How many header fields every copy has.
    pub(super) headers: usize,
    /// The copy of those who lack nothing that is asked about.
    pub(super) segments: Vec<Segment>,
    /// What a template asks about, and so what chooses the variant. From version 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) asked: Vec<Slot>,
    /// The copies of those who lack some of it, in the order of
    /// [`Variants::parts`](crate::domain::issue::Variants::parts). From version 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) variants: Vec<Vec<Segment>>,
    /// The pictures that every copy holds, in Base64. From version 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pictures: Vec<String>,
    /// What copies are made with, made when the first one is.
    #[serde(skip)]
    pub(super) stencils: OnceLock<Vec<Stencil>>,
}

/// One subject, one HTML, one text; three slots, empty for those who lack the value.
pub(super) const FIRST_VERSION: u32 = 1;
/// The first to know defaults, attributes and variants.
const SECOND_VERSION: u32 = 2;

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
    /// The same, with what stands there for those who lack the value. From version 2.
    SlotOr(Slot, Part, String),
    /// The picture of that number. From version 3.
    Picture(usize),
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
        if !(FIRST_VERSION..=ASSEMBLER_VERSION).contains(&version) {
            return Err(ThawError::Version { found: version });
        }
        let frozen: Self = serde_json::from_slice(bytes)?;
        if frozen.asked.len() > Variants::MOST_ASKED || frozen.variants.len() != (1 << frozen.asked.len()) - 1 {
            return Err(<serde_json::Error as serde::de::Error>::custom("a variant is missing").into());
        }
        let is_there = |segment: &Segment| !matches!(segment, Segment::Picture(nth) if *nth >= frozen.pictures.len());
        if !frozen.all_segments().all(is_there) {
            return Err(<serde_json::Error as serde::de::Error>::custom("a picture is missing").into());
        }
        Ok(frozen)
    }

    /// An issue is frozen by the lowest version that can: what needs nothing new keeps its
    /// name, and an older fieldpost can send it.
    pub(super) fn of_the_lowest_version(mut self) -> Self {
        let is_new = !self.asked.is_empty() || self.all_segments().any(Segment::is_new);
        self.version = match (is_new, self.pictures.is_empty()) {
            (_, false) => ASSEMBLER_VERSION,
            (true, true) => SECOND_VERSION,
            (false, true) => FIRST_VERSION,
        };
        self
    }

    fn all_segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().chain(self.variants.iter().flatten())
    }

    /// The slots that need a value beyond those every [`Recipient`](super::Recipient) has. May
    /// name one twice.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        let slots = self.all_segments().filter_map(Segment::slot).chain(&self.asked);
        slots.filter(|slot| match slot {
            Slot::UnsubscribeUrl | Slot::SubscriberName | Slot::SubscriberAddress => false,
            Slot::PreferencesUrl | Slot::Attribute(_) => true,
        })
    }

    /// What a recipient's copy is made with.
    pub(super) fn stencil(&self, lacks: impl Fn(&Slot) -> bool) -> &Stencil {
        let lacking = self.asked.iter().enumerate().filter(|(_, slot)| lacks(slot)).map(|(nth, _)| 1 << nth);
        &self.stencils.get_or_init(|| Stencil::all_of(self))[lacking.sum::<usize>()]
    }

    /// A made-up person for each variant: what fails for one of them fails for everybody who
    /// gets that variant. `url` is where their preferences are.
    pub fn made_up(&self, url: &str) -> impl Iterator<Item = Someone> {
        (0..=self.variants.len()).map(move |lacking| {
            let lacks = |slot: &Slot| {
                self.asked.iter().enumerate().any(|(nth, asked)| asked == slot && lacking & (1 << nth) != 0)
            };
            let value = |slot: &Slot| match slot {
                Slot::PreferencesUrl => url.to_owned(),
                Slot::Attribute(_) | Slot::UnsubscribeUrl | Slot::SubscriberName | Slot::SubscriberAddress => {
                    "x".to_owned()
                }
            };
            let values = self.slots().filter(|slot| !lacks(slot)).map(|slot| (slot.clone(), value(slot)));
            Someone { name: (!lacks(&Slot::SubscriberName)).then_some("Nobody"), values: values.collect() }
        })
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
}

/// A recipient who does not exist.
pub struct Someone {
    name: Option<&'static str>,
    values: Vec<(Slot, String)>,
}

impl Someone {
    /// As the recipient of a copy.
    pub fn recipient<'a>(&'a self, address: &'a Address, unsubscribe_url: &'a str) -> Recipient<'a> {
        Recipient { address, name: self.name, unsubscribe_url, values: &self.values }
    }
}

impl Segment {
    fn slot(&self) -> Option<&Slot> {
        match self {
            Self::Slot(slot, _) | Self::SlotOr(slot, _, _) => Some(slot),
            Self::Static(_) | Self::Picture(_) | Self::Date | Self::To | Self::MessageId | Self::ListUnsubscribe => {
                None
            }
        }
    }

    /// Whether version 1 does not know it, but version 2 does.
    fn is_new(&self) -> bool {
        match self {
            Self::SlotOr(..) => true,
            Self::Slot(slot, _) => match slot {
                Slot::PreferencesUrl | Slot::Attribute(_) => true,
                Slot::UnsubscribeUrl | Slot::SubscriberName | Slot::SubscriberAddress => false,
            },
            Self::Static(_) | Self::Picture(_) | Self::Date | Self::To | Self::MessageId | Self::ListUnsubscribe => {
                false
            }
        }
    }
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
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
        let later = json.replacen("\"version\":1", "\"version\":4,\"new\":[]", 1);
        assert!(matches!(Frozen::from_bytes(later.as_bytes()), Err(ThawError::Version { found: 4 })));
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
