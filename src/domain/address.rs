//! One mail address, parsed once and safe everywhere after.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Why a text is no address we would mail to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing on one side of it.
    #[error("an address has the form `name@domain`")]
    Shape,
    /// A control character, a space, or a character that RFC 5321 forbids unquoted.
    #[error("an address holds no spaces, control characters, quotes or brackets")]
    Character,
    /// The part before the `@` is longer than 64 bytes, or the whole longer than 254.
    #[error("the part before the `@` is at most 64 bytes long and the whole at most 254")]
    TooLong,
    /// The part before the `@` is not ASCII: that needs a relay with SMTPUTF8 (RFC 6531).
    #[error("the part before the `@` must be ASCII")]
    LocalPartNotAscii,
    /// The part after the `@` is no domain name.
    #[error("the part after the `@` is no domain name")]
    Domain,
}

/// A mail address fit for an envelope (RFC 5321, 4.1.2) and for a header.
///
/// The local part is kept as written, the domain is folded to lower-case ASCII (IDNA).
/// Two addresses are equal when they differ only in the case of letters: in practice no
/// mailbox provider tells `Ada@` from `ada@`, and mailing both would be a duplicate.
/// `Debug` and logs show it masked; `Display` shows all of it.
#[derive(Clone, Eq)]
pub struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// Reads an address, trimming surrounding white space.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        check_local_part(local)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::Domain)?;
        if domain.is_empty() || domain.starts_with('.') || domain.ends_with('.') || domain.contains("..") {
            return Err(AddressError::Domain);
        }
        if local.len() + 1 + domain.len() > 254 {
            return Err(AddressError::TooLong);
        }
        Ok(Self { at: local.len(), text: [local, "@", &domain].concat() })
    }

    /// The address as it goes into an envelope.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`, as written.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, in lower-case ASCII.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// What makes two addresses the same person: the whole in lower case.
    pub fn key(&self) -> String {
        self.text.to_ascii_lowercase()
    }

    /// The address as a log may show it: `a***@example.org`.
    pub fn masked(&self) -> String {
        let first: String = self.text.chars().take(1).collect();
        format!("{first}***@{}", self.domain())
    }
}

fn check_local_part(local: &str) -> Result<(), AddressError> {
    if local.is_empty() {
        return Err(AddressError::Shape);
    }
    // As nearly all are.
    let is_plain = local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte));
    if !is_plain
        && local.chars().any(|c| c.is_control() || c.is_whitespace() || "\"(),:;<>@[\\]\u{2028}\u{2029}".contains(c))
    {
        return Err(AddressError::Character);
    }
    if local.len() > 64 {
        return Err(AddressError::TooLong);
    }
    if !local.is_ascii() {
        return Err(AddressError::LocalPartNotAscii);
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(AddressError::Character);
    }
    Ok(())
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// A display name and an address, as in `ML Field Notes <notes@example.org>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name shown beside the address; header injection is impossible, since
    /// [`Mailbox::parse`] and the message builder refuse or encode control characters.
    pub name: Option<String>,
    /// Where the mail goes.
    pub address: Address,
}

impl Mailbox {
    /// Reads `Name <address>`, `"Name" <address>` or a bare address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let Some(open) = text.rfind('<') else {
            return Ok(Self { name: None, address: Address::parse(text)? });
        };
        let address = text[open + 1..].strip_suffix('>').ok_or(AddressError::Shape)?;
        let name = text[..open].trim().trim_matches('"').trim();
        if name.chars().any(char::is_control) {
            return Err(AddressError::Character);
        }
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { name, address: Address::parse(address)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded_where_the_standards_allow_it() {
        let address = Address::parse(" Ada@Bücher.Example ").unwrap();
        assert_eq!(address.as_str(), "Ada@xn--bcher-kva.example");
        assert_eq!(address, Address::parse("ada@xn--bcher-kva.example").unwrap());
        assert_eq!(format!("{address:?}"), "A***@xn--bcher-kva.example");
    }

    #[test]
    fn nothing_that_could_end_a_header_or_a_command_is_an_address() {
        for bad in [
            "a",
            "@b",
            "a@",
            "a b@c.d",
            "a\r\n@c.d",
            "a@c.d\nBcc: x",
            "a@c.d>",
            "<a@c.d",
            "a\u{2028}@c.d",
            "\"a\"@c.d",
            "a@c..d",
            "a@c_d.e",
            "a..b@c.d",
            "ä@c.d",
            "a@b@c.d",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(Address::parse(&format!("{}@c.d", "a".repeat(65))), Err(AddressError::TooLong));
    }

    #[test]
    fn a_mailbox_keeps_its_name() {
        let mailbox = Mailbox::parse("\"ML, Field Notes\" <notes@example.org>").unwrap();
        assert_eq!(mailbox.name.as_deref(), Some("ML, Field Notes"));
        assert_eq!(Mailbox::parse("notes@example.org").unwrap().name, None);
        assert!(Mailbox::parse("x <notes@example.org> y").is_err());
    }
}
