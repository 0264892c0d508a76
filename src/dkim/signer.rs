//! Who signs: keys with the domain and the selector they sign for.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::key::{Algorithm, SigningKey};
use super::record::Record;

/// The longest domain or selector, in bytes (RFC 1035, 2.3.4).
const NAME_LIMIT: usize = 253;
/// The longest label of either.
const LABEL_LIMIT: usize = 63;

/// Why a domain or a selector is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no name of letters, digits and hyphens, joined by dots")]
pub struct NameError;

/// A key's permanent name: algorithm, domain, selector and the beginning of the SHA-256 of
/// the public key, joined by colons. Another key under an old selector has another id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    fn of(key: &SigningKey, domain: &str, selector: &str) -> Self {
        let print = digest(&SHA256, &key.public_key());
        let print = u64::from_be_bytes(print.as_ref()[..8].try_into().expect("a SHA-256 has 32 bytes"));
        Self(format!("{}:{domain}:{selector}:{print:016x}", key.algorithm().name()).into())
    }

    /// The id as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A private key with the domain and the selector that it signs for. `Debug` shows its id.
pub struct Signer {
    pub(super) key: SigningKey,
    pub(super) domain: String,
    pub(super) selector: String,
    id: KeyId,
}

impl Signer {
    /// Puts a key under its name. Domain and selector are ASCII names (RFC 6376, 3.1 and 3.5);
    /// they are folded to lower case, as DNS compares them.
    pub fn new(key: SigningKey, domain: &str, selector: &str) -> Result<Self, NameError> {
        if !is_name(domain) || !is_name(selector) {
            return Err(NameError);
        }
        let (domain, selector) = (domain.to_ascii_lowercase(), selector.to_ascii_lowercase());
        let id = KeyId::of(&key, &domain, &selector);
        Ok(Self { key, domain, selector, id })
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// The domain that answers for the message: `d=`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The name of the key within the domain: `s=`.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// Its permanent name.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public half of its key, as the record holds it.
    pub fn public_key(&self) -> Vec<u8> {
        self.key.public_key()
    }

    /// The DNS record that receivers look for.
    pub fn record(&self) -> Record {
        Record::of(&self.key, &self.domain, &self.selector)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

/// Whether a text can be a domain or a selector.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_LIMIT).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= NAME_LIMIT && text.split('.').all(is_label)
}

/// Everybody who signs a message, in the order of their signatures; none means that mail
/// leaves unsigned. A clone shares the keys.
#[derive(Debug, Clone, Default)]
pub struct Signers(Vec<Arc<Signer>>);

/// A key that signed an earlier copy and is not loaded now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("DKIM selector `{selector}` signed it and does not sign any more, so it would not be the same bytes")]
pub struct KeyGone {
    /// The selector, and nothing else of the key.
    pub selector: String,
}

impl Signers {
    /// Nobody: mail leaves unsigned.
    pub fn none() -> Self {
        Self::default()
    }

    /// These, in this order.
    pub fn new(signers: impl IntoIterator<Item = Signer>) -> Self {
        Self(signers.into_iter().map(Arc::new).collect())
    }

    /// Those of one algorithm.
    #[must_use]
    pub fn only(&self, algorithm: Algorithm) -> Self {
        Self(self.0.iter().filter(|signer| signer.algorithm() == algorithm).cloned().collect())
    }

    /// Exactly those whose ids were stored, in the stored order; an error names the first that
    /// is not here. No id means nobody.
    pub fn that_signed<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyGone> {
        let find = |id: &str| self.0.iter().find(|signer| signer.id.as_str() == id).cloned();
        let gone = |id: &str| KeyGone { selector: id.split(':').nth(2).unwrap_or(id).to_owned() };
        ids.into_iter().map(|id| find(id).ok_or_else(|| gone(id))).collect::<Result<_, _>>().map(Self)
    }

    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Signer> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// How many signatures a message gets.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether mail leaves unsigned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(algorithm: Algorithm, selector: &str) -> Signer {
        Signer::new(SigningKey::generate(algorithm).unwrap(), "Example.org", selector).unwrap()
    }

    #[test]
    fn an_id_names_the_key_and_not_only_its_selector() {
        let (first, second) = (signer(Algorithm::Ed25519, "mail"), signer(Algorithm::Ed25519, "mail"));
        assert!(first.id().as_str().starts_with("ed25519:example.org:mail:"), "{first:?}");
        assert_ne!(first.id(), second.id());
    }

    #[test]
    fn a_resend_is_signed_by_the_same_keys_or_by_nobody() {
        let signers = Signers::new([signer(Algorithm::Rsa, "r"), signer(Algorithm::Ed25519, "e")]);
        let ids: Vec<String> = signers.iter().map(|signer| signer.id().to_string()).collect();
        let again = signers.that_signed(ids.iter().rev().map(String::as_str)).unwrap();
        assert_eq!(again.iter().map(Signer::selector).collect::<Vec<_>>(), ["e", "r"]);
        assert!(signers.that_signed([]).unwrap().is_empty());
        let gone = signers.only(Algorithm::Rsa).that_signed(ids.iter().map(String::as_str)).unwrap_err();
        assert_eq!(gone, KeyGone { selector: "e".to_owned() });
    }

    #[test]
    fn what_could_break_out_of_its_tag_is_no_name() {
        let key = || SigningKey::generate(Algorithm::Ed25519).unwrap();
        let long = "a".repeat(64);
        for bad in ["", ".", "a..b", "-a", "a-", "a;b", "a b", "a\r\n", "é", "a_b", &long] {
            assert_eq!(Signer::new(key(), bad, "s").unwrap_err(), NameError, "{bad}");
            assert_eq!(Signer::new(key(), "example.org", bad).unwrap_err(), NameError, "{bad}");
        }
        assert!(Signer::new(key(), "example.org", "2026.mail-1").is_ok());
    }
}
