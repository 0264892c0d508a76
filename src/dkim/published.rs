//! Key records as DNS publishes them, read (RFC 6376, 3.6.1).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::key::Algorithm;
use super::tags::{TagError, tags};

/// Keys are typed into forms by people, who lose a `=`.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a key record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The kind of key; `None` for one that nobody knows.
    pub algorithm: Option<Algorithm>,
    /// The public key; empty when it was revoked.
    pub key: Vec<u8>,
    /// Whether the domain says that it only tries signing (`t=y`): receivers ignore failures, and
    /// some the signature.
    pub testing: bool,
    /// What the record forbids that we do; `None` when it forbids nothing of it.
    pub forbids: Option<&'static str>,
}

/// Why a text is no key record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No list of tags.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// `v=` is another version, or does not stand first.
    #[error("`v=DKIM1` does not stand first")]
    Version,
    /// No `p=`.
    #[error("there is no `p=`")]
    NoKey,
    /// `p=` is no Base64.
    #[error("what follows `p=` is no Base64")]
    Base64,
}

impl Published {
    /// Reads the strings of a record, joined.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        let tags = tags(text)?;
        let value = |name: &str| tags.iter().find(|(tag, _)| *tag == name).map(|(_, value)| *value);
        if tags.iter().enumerate().any(|(nth, (tag, value))| *tag == "v" && (nth > 0 || *value != "DKIM1")) {
            return Err(RecordError::Version);
        }
        let encoded: String = value("p").ok_or(RecordError::NoKey)?.split_ascii_whitespace().collect();
        let has = |name: &str, wanted: &str| {
            value(name).is_none_or(|list| list.split(':').any(|one| matches!(one.trim(), "*") || one.trim() == wanted))
        };
        Ok(Self {
            algorithm: match value("k").unwrap_or("rsa") {
                "rsa" => Some(Algorithm::Rsa),
                "ed25519" => Some(Algorithm::Ed25519),
                _ => None,
            },
            key: LENIENT.decode(encoded).map_err(|_| RecordError::Base64)?,
            testing: value("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y")),
            forbids: if !has("h", "sha256") {
                Some("`h=` does not list `sha256`")
            } else if !has("s", "email") {
                Some("`s=` does not list `email`")
            } else {
                None
            },
        })
    }

    /// How many bits an RSA key has; `None` for another kind, and for what is no key.
    pub fn rsa_bits(&self) -> Option<usize> {
        // SubjectPublicKeyInfo (RFC 5280, 4.1), or the bare key (RFC 8017, A.1.1) as some publish it.
        let outer = Der(&self.key).inside(SEQUENCE)?;
        let bare = outer.after(SEQUENCE).and_then(|info| info.inside(BIT_STRING)?.skip(1)?.inside(SEQUENCE));
        let modulus = bare.unwrap_or(outer).inside(INTEGER)?;
        let first = modulus.0.iter().position(|byte| *byte != 0)?;
        let digits = &modulus.0[first..];
        (self.algorithm == Some(Algorithm::Rsa)).then(|| digits.len() * 8 - digits[0].leading_zeros() as usize)
    }
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Bytes in DER (X.690, 8.1), as far as a public key needs it.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// What the element of that kind that stands here holds.
    fn inside(self, kind: u8) -> Option<Self> {
        self.split(kind).map(|(inside, _)| inside)
    }

    /// What follows it.
    fn after(self, kind: u8) -> Option<Self> {
        self.split(kind).map(|(_, after)| after)
    }

    fn skip(self, bytes: usize) -> Option<Self> {
        self.0.get(bytes..).map(Self)
    }

    fn split(self, kind: u8) -> Option<(Self, Self)> {
        let [found, first, rest @ ..] = self.0 else { return None };
        let (length, rest): (usize, &'a [u8]) = match *first {
            short @ 0..=0x7f => (short.into(), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
            _ => return None,
        };
        (*found == kind && length <= rest.len()).then(|| (Self(&rest[..length]), Self(&rest[length..])))
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::super::{Signer, SigningKey};
    use super::*;

    /// The public half of `samples/pkcs8-1024.pem`.
    const SHORT: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCfDJT4SG/s0uBrWJ5btbOThPakqw4ARyyvx/LP5Ir4Fy9p89yG4n5ocJ1z8NuYPebnFlFAuSFUqz9N61NRyphM8QlD+E1vsVtZTJ2n2Gbh9jNb4E11D8Kr4ZWQeP/rIJTOmv58p8tTp5EEAgxkt7APbtbNbgeUcVXaal297RcITwIDAQAB";

    #[test]
    fn our_own_records_are_read_back() {
        for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
            let signer = Signer::new(SigningKey::generate(algorithm).unwrap(), "example.org", "s").unwrap();
            let read = Published::read(&signer.record().text).unwrap();
            assert_eq!((read.algorithm, &read.key), (Some(algorithm), &signer.public_key()));
            assert_eq!((read.testing, read.forbids), (false, None));
            assert_eq!(read.rsa_bits(), (algorithm == Algorithm::Rsa).then_some(2048));
        }
    }

    #[test]
    fn a_short_key_is_measured() {
        assert_eq!(Published::read(&format!("v=DKIM1; p={SHORT}")).unwrap().rsa_bits(), Some(1024));
        let bare = &STANDARD.decode(SHORT).unwrap()[22..];
        let record = format!("k=rsa; p={}", STANDARD.encode(bare));
        assert_eq!(Published::read(&record).unwrap().rsa_bits(), Some(1024));
    }

    #[test]
    fn flags_and_limits_are_read() {
        let read = |text: &str| Published::read(text).unwrap();
        assert!(read("v=DKIM1; t=s : y; p=").testing && read("p=").key.is_empty());
        assert!(!read("v=DKIM1;t=s;p=").testing);
        assert_eq!(read("p=; h=sha1").forbids, Some("`h=` does not list `sha256`"));
        assert_eq!(read("p=; s=tlsrpt").forbids, Some("`s=` does not list `email`"));
        assert_eq!(read("p=; s=*; h=sha1:sha256").forbids, None);
        assert_eq!(read("k=x448; p=YQ").algorithm, None);
        assert_eq!(read("p=Y Q\t; n=a note").key, b"a");
    }

    #[test]
    fn what_is_no_record_says_why() {
        for (text, why) in [
            ("k=rsa", RecordError::NoKey),
            ("k=rsa; v=DKIM1; p=", RecordError::Version),
            ("v=DKIM2; p=", RecordError::Version),
            ("p=!", RecordError::Base64),
            ("p=; p=", RecordError::Tags(TagError::Twice("p".to_owned()))),
        ] {
            assert_eq!(Published::read(text), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_measuring_fail(key in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Published { algorithm: Some(Algorithm::Rsa), key, testing: false, forbids: None }.rsa_bits();
        }
    }
}
