//! What DNS has to say about a key (RFC 6376, 3.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::SigningKey;

/// The most bytes of one character string of a TXT record (RFC 1035, 3.3).
const STRING_LIMIT: usize = 255;

/// The TXT record that publishes a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The name, such as `mail._domainkey.example.org`, without a dot at the end.
    pub name: String,
    /// The text: `v=DKIM1; k=…; p=…`.
    pub text: String,
}

impl Record {
    pub(super) fn of(key: &SigningKey, domain: &str, selector: &str) -> Self {
        let public = STANDARD.encode(key.public_key());
        Self {
            name: format!("{selector}._domainkey.{domain}"),
            text: format!("v=DKIM1; k={}; p={public}", key.algorithm().name()),
        }
    }

    /// The text in pieces of at most 255 bytes, since a TXT record holds no longer string.
    /// Readers join them without anything in between (RFC 6376, 3.6.2.2).
    pub fn strings(&self) -> Vec<&str> {
        let cuts = (0..self.text.len()).step_by(STRING_LIMIT);
        cuts.map(|at| &self.text[at..self.text.len().min(at + STRING_LIMIT)]).collect()
    }

    /// The record as a line of a zone file (RFC 1035, 5.1).
    pub fn zone_line(&self) -> String {
        format!("{}. IN TXT ( \"{}\" )", self.name, self.strings().join("\" \""))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Algorithm;
    use super::*;

    #[test]
    fn a_long_record_is_cut_where_dns_wants_it_and_joins_again() {
        let key = SigningKey::generate(Algorithm::Rsa).unwrap();
        let record = Record::of(&key, "example.org", "mail");
        assert_eq!(record.name, "mail._domainkey.example.org");
        assert!(record.text.starts_with("v=DKIM1; k=rsa; p=MIIBIjAN"), "{}", record.text);
        assert_eq!(record.strings().iter().map(|string| string.len()).collect::<Vec<_>>(), [255, 155]);
        assert_eq!(record.strings().concat(), record.text);
        let line = record.zone_line();
        assert!(line.starts_with("mail._domainkey.example.org. IN TXT ( \"v=DKIM1; ") && line.ends_with("\" )"));
    }

    #[test]
    fn an_ed25519_record_is_one_short_string() {
        let key = SigningKey::generate(Algorithm::Ed25519).unwrap();
        let record = Record::of(&key, "example.org", "mail");
        assert_eq!(record.strings().len(), 1);
        assert_eq!(record.text.len(), "v=DKIM1; k=ed25519; p=".len() + 44);
    }
}
