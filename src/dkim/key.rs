//! Private keys: made, read, and signing.

use std::fmt;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `rsa-sha256`: every receiver verifies it.
    Rsa,
    /// `ed25519-sha256` (RFC 8463): short and fast, and not verified by every receiver yet.
    Ed25519,
}

impl Algorithm {
    /// The name of the key's kind, as `k=` has it (RFC 6376, 3.6.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The name of the signature's kind, as `a=` has it (RFC 6376, 3.5).
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

/// Why a text is no key to sign with. None of them quotes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM section of a private key.
    #[error("holds no private key in PEM form")]
    NotPem,
    /// A PEM section that asks for a passphrase.
    #[error("holds an encrypted private key, and nobody is there to type its passphrase")]
    Encrypted,
    /// A key of another kind, or a damaged one.
    #[error("holds no RSA or Ed25519 key that can be read")]
    Unusable,
    /// Fewer than 2,048 bits: receivers take such a signature for none (RFC 8301, 3.2).
    #[error("holds an RSA key of fewer than 2048 bits, whose signatures large receivers do not count")]
    TooSmall,
    /// More than 8,192 bits.
    #[error("holds an RSA key of more than 8192 bits")]
    TooLarge,
}

/// A private key. `Debug` shows its kind and no more.
pub struct SigningKey(Pair);

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a key from the system's randomness: RSA of 2,048 bits, or Ed25519. An error only
    /// when the system has no randomness to give.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        Ok(Self(match algorithm {
            Algorithm::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            Algorithm::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate()?),
        }))
    }

    /// Reads the first private key of a PEM text: PKCS#8, or PKCS#1 for RSA (RFC 7468, 10).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let is_encrypted = text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4");
        if is_encrypted {
            return Err(KeyError::Encrypted);
        }
        match PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| KeyError::NotPem)? {
            PrivateKeyDer::Pkcs1(der) => checked(RsaKeyPair::from_der(der.secret_pkcs1_der())),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8(der) {
                    Ok(pair) => Ok(Self(Pair::Ed25519(pair))),
                    Err(_) => checked(RsaKeyPair::from_pkcs8(der)),
                }
            }
            _ => Err(KeyError::Unusable),
        }
    }

    /// The key as PEM, PKCS#8 version 1, which OpenSSL reads too. It is the secret itself:
    /// only for a file that its owner alone may read.
    pub fn to_pem(&self) -> String {
        let der = match &self.0 {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der>::as_der(pair).map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        let text = STANDARD.encode(der.expect("a key that was read or made can be written"));
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|byte| char::from(*byte)));
            pem.push('\n');
        }
        pem + "-----END PRIVATE KEY-----\n"
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Pair::Rsa(_) => Algorithm::Rsa,
            Pair::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The public half as DNS publishes it: `SubjectPublicKeyInfo` for RSA (RFC 6376, 3.6.1),
    /// the bare 32 bytes for Ed25519 (RFC 8463, 4.2).
    pub fn public_key(&self) -> Vec<u8> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a public key can be written");
                der.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Signs a SHA-256. The same digest always gets the same signature: PKCS#1 v1.5
    /// (RFC 8017, 8.2) and Ed25519 (RFC 8032, 5.1.6) use no randomness.
    pub(super) fn sign(&self, digest: &Digest) -> Vec<u8> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)
                    .expect("a key of at least 2048 bits has room for a SHA-256");
                signature
            }
            Pair::Ed25519(pair) => pair.sign(digest.as_ref()).as_ref().to_vec(),
        }
    }
}

fn checked(read: Result<RsaKeyPair, KeyRejected>) -> Result<SigningKey, KeyError> {
    match read {
        Ok(pair) => Ok(SigningKey(Pair::Rsa(pair))),
        Err(rejected) => Err(match rejected.description_() {
            "TooSmall" => KeyError::TooSmall,
            "TooLarge" => KeyError::TooLarge,
            _ => KeyError::Unusable,
        }),
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ***)", self.algorithm().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8463, appendix A.2, in PKCS#8.
    const ED25519_PEM: &str = include_str!("samples/rfc8463.pem");

    #[test]
    fn a_key_that_was_made_is_read_back_the_same() {
        for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
            let made = SigningKey::generate(algorithm).unwrap();
            let read = SigningKey::from_pem(&made.to_pem()).unwrap();
            assert_eq!((read.algorithm(), read.public_key()), (algorithm, made.public_key()));
            assert!(!format!("{made:?}").contains(&made.to_pem()[40..60]));
        }
    }

    #[test]
    fn keys_of_other_programs_are_read() {
        let key = SigningKey::from_pem(ED25519_PEM).unwrap();
        assert_eq!(STANDARD.encode(key.public_key()), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        for pem in [include_str!("samples/pkcs8-2048.pem"), include_str!("samples/pkcs1-2048.pem")] {
            assert_eq!(SigningKey::from_pem(pem).unwrap().algorithm(), Algorithm::Rsa);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        for (text, reason) in [
            (include_str!("samples/pkcs8-1024.pem"), KeyError::TooSmall),
            (include_str!("samples/pkcs1-1024.pem"), KeyError::TooSmall),
            (include_str!("samples/encrypted.pem"), KeyError::Encrypted),
            (include_str!("samples/p256.pem"), KeyError::Unusable),
            (&ED25519_PEM.replace("VwBCIE", "VwBCIF"), KeyError::Unusable),
            (&ED25519_PEM.replace("PRIVATE", "PUBLIC"), KeyError::NotPem),
            ("", KeyError::NotPem),
        ] {
            assert_eq!(SigningKey::from_pem(text).unwrap_err(), reason, "{text}");
        }
    }
}
