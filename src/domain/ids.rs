//! Names of things that must never be confused with each other.

use std::fmt;
use std::sync::Arc;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an id cannot be empty")]
    Empty,
    /// The text is longer than an id may be (512 bytes).
    #[error("an id is at most 512 bytes long")]
    TooLong,
    /// The text holds a space or a control character.
    #[error("an id holds no spaces and no control characters")]
    Character,
}

fn checked(text: &str) -> Result<Arc<str>, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > 512 {
        return Err(IdError::TooLong);
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain && text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(IdError::Character);
    }
    Ok(text.into())
}

/// A clone shares the text: every delivery in hand names its campaign, its issue and its post.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads an id: 1 to 512 bytes without white space or control characters.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }

            /// The id as it is written in files and in the ledger.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id! {
    /// The permanent name of a post: minted once, kept in the ledger, unchanged by a rename,
    /// another slug or another base URL. Feeds carry it as the entry's id (RFC 4287, 4.2.6).
    PostId
}

text_id! {
    /// One frozen issue, named by the digest of what was frozen.
    IssueId
}

text_id! {
    /// One campaign, short enough to be typed: `c1`, `c2`, ….
    CampaignId
}

text_id! {
    /// The Message-ID of one recipient's copy, without the angle brackets (RFC 5322, 3.6.4).
    MessageId
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub i64);
    };
}

number_id! {
    /// The ledger's row number of a subscriber.
    SubscriberId
}

number_id! {
    /// The ledger's row number of a delivery (campaign x subscriber).
    DeliveryId
}

/// Which sending of a post this is: 1, and one more for each confirmed `publish --again`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Generation(pub u32);

impl Generation {
    /// The first sending.
    pub const FIRST: Self = Self(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_refuses_what_would_break_a_feed_or_a_header() {
        assert_eq!(PostId::parse(""), Err(IdError::Empty));
        assert_eq!(PostId::parse("a b"), Err(IdError::Character));
        assert_eq!(PostId::parse("a\r\nb"), Err(IdError::Character));
        assert_eq!(PostId::parse(&"x".repeat(513)), Err(IdError::TooLong));
        assert_eq!(PostId::parse("tag:example.org,2026:a").unwrap().as_str(), "tag:example.org,2026:a");
    }
}
