//! The secret part of the links in a subscriber's mail.
//!
//! A token says who and is worth one thing only: it is an HMAC over its [`Purpose`], the key's
//! number and the subscriber's row, so that a link to leave can never be turned into a link to
//! read or change anything, nor into somebody else's. It carries no address. It never expires:
//! people leave by old mail (RFC 8058 asks for a URI that works), and a ledger never gives a
//! row to another person.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::ids::SubscriberId;
use crate::domain::publication::SiteUrl;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Leaving the list, and nothing else.
    Unsubscribe,
    /// Seeing and changing topics and cadence.
    Preferences,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Unsubscribe => b"fieldpost 1 unsubscribe\0",
            Self::Preferences => b"fieldpost 1 preferences\0",
        }
    }
}

/// A key that makes and checks tokens. `Debug` shows its number only.
#[derive(Clone)]
pub struct TokenKey {
    id: u8,
    key: hmac::Key,
}

impl TokenKey {
    /// A key from the ledger's secret (`Ledger::secret`). `id` tells keys apart once a second
    /// one exists; the first is 1.
    pub fn new(id: u8, secret: &[u8; 32]) -> Self {
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Key number, row and tag: 1, 8 and 32 bytes.
const LENGTH: usize = 41;

/// A token as it stands in a URL: 55 characters of the URL-safe base64 alphabet.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; LENGTH]);

impl Token {
    /// Makes the token of a subscriber; the same input makes the same token.
    pub fn mint(key: &TokenKey, purpose: Purpose, subscriber: SubscriberId) -> Self {
        let mut bytes = [0; LENGTH];
        bytes[0] = key.id;
        bytes[1..9].copy_from_slice(&subscriber.0.to_be_bytes());
        let tag = hmac::sign(&key.key, &signed(purpose, &bytes[..9]));
        bytes[9..].copy_from_slice(tag.as_ref());
        Self(bytes)
    }

    /// Reads a token without trusting it; `None` for a text that cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(LENGTH) => Some(Self(bytes)),
            Ok(_) | Err(_) => None,
        }
    }

    /// The number of the key it claims to be made with.
    pub fn key_id(&self) -> u8 {
        self.0[0]
    }

    /// Whose it is, if it was made with this key for this purpose. The comparison takes the
    /// same time whatever is wrong.
    pub fn subscriber(&self, key: &TokenKey, purpose: Purpose) -> Option<SubscriberId> {
        let (claim, tag) = self.0.split_at(9);
        hmac::verify(&key.key, &signed(purpose, claim), tag).ok()?;
        let row = claim[1..].try_into().expect("a claim is 9 bytes long");
        Some(SubscriberId(i64::from_be_bytes(row)))
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

fn signed(purpose: Purpose, claim: &[u8]) -> Vec<u8> {
    [purpose.label(), claim].concat()
}

/// The link by which a subscriber leaves: `https://host/base/unsubscribe/<token>`.
pub fn unsubscribe_url(base_url: &SiteUrl, key: &TokenKey, subscriber: SubscriberId) -> String {
    below(base_url, "unsubscribe", &Token::mint(key, Purpose::Unsubscribe, subscriber))
}

/// The link by which a subscriber chooses topics and cadence: `https://host/base/preferences/<token>`.
pub fn preferences_url(base_url: &SiteUrl, key: &TokenKey, subscriber: SubscriberId) -> String {
    below(base_url, "preferences", &Token::mint(key, Purpose::Preferences, subscriber))
}

/// Written and not resolved: neither part holds anything that a URL would have to encode, and
/// every recipient has such links.
fn below(base_url: &SiteUrl, folder: &str, token: &Token) -> String {
    format!("{}{folder}/{token}", base_url.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADA: SubscriberId = SubscriberId(7);

    fn key(id: u8) -> TokenKey {
        TokenKey::new(id, &[id; 32])
    }

    #[test]
    fn a_token_is_good_for_its_person_key_and_purpose_only() {
        let token = Token::parse(&Token::mint(&key(1), Purpose::Unsubscribe, ADA).to_string()).unwrap();
        assert_eq!(token.key_id(), 1);
        assert_eq!(token.subscriber(&key(1), Purpose::Unsubscribe), Some(ADA));
        assert_eq!(token.subscriber(&key(1), Purpose::Preferences), None);
        assert_eq!(token.subscriber(&key(2), Purpose::Unsubscribe), None);
        assert_eq!(token.subscriber(&TokenKey::new(2, &[1; 32]), Purpose::Unsubscribe), Some(ADA));
        assert!(!format!("{token:?} {:?}", key(1)).contains(&token.to_string()));
    }

    #[test]
    fn every_subscriber_has_another_url_under_the_site() {
        let base = SiteUrl::parse("https://example.org/notes").unwrap();
        let url = unsubscribe_url(&base, &key(1), ADA);
        assert!(url.starts_with("https://example.org/notes/unsubscribe/AQ"), "{url}");
        assert!(url.is_ascii() && url.len() < 120);
        assert_ne!(url, unsubscribe_url(&base, &key(1), SubscriberId(8)));
        let preferences = preferences_url(&base, &key(1), ADA);
        let token = Token::parse(preferences.strip_prefix("https://example.org/notes/preferences/").unwrap()).unwrap();
        assert_eq!(token.subscriber(&key(1), Purpose::Preferences), Some(ADA));
        assert_eq!(token.subscriber(&key(1), Purpose::Unsubscribe), None);
    }

    proptest! {
        #[test]
        fn a_token_with_any_bit_changed_is_worthless(bit in 0..LENGTH * 8, row in any::<i64>()) {
            let mut token = Token::mint(&key(1), Purpose::Unsubscribe, SubscriberId(row));
            token.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(token.subscriber(&key(1), Purpose::Unsubscribe), None);
        }

        #[test]
        fn any_text_is_read_without_harm(text in ".{0,80}") {
            if let Some(token) = Token::parse(&text) {
                prop_assert_eq!(token.subscriber(&key(1), Purpose::Unsubscribe), None);
            }
        }
    }
}
