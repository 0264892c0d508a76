//! Who gets a message, and what the relay shall report about it (RFC 3461).

use std::fmt::{self, Write};

use crate::domain::address::Address;

use super::capabilities::{Capabilities, Extension};

/// Who gets a message and where its failure report goes (RFC 5321, 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go; `None` is the null return path `<>` of mail that must never bounce.
    pub return_path: Option<Address>,
    /// The one recipient.
    pub recipient: Address,
    /// What the relay is asked to report, if it offers DSN.
    pub reports: Reports,
}

impl Envelope {
    /// An envelope that asks for no reports but those a relay makes by itself.
    pub fn new(return_path: Option<Address>, recipient: Address) -> Self {
        Self { return_path, recipient, reports: Reports::Usual }
    }

    /// Writes the parameters of MAIL that ask for the report, each with its blank before it.
    pub(super) fn write_mail_parameters(&self, relay: &Capabilities, out: &mut String) -> fmt::Result {
        if !self.asks(relay) {
            return Ok(());
        }
        out.push_str(" RET=HDRS");
        if let Reports::Failures(Some(EnvelopeId(id))) = &self.reports {
            out.push_str(" ENVID=");
            write_xtext(id, out)?;
        }
        Ok(())
    }

    /// Writes the parameters of RCPT that ask for the report, each with its blank before it.
    pub(super) fn write_rcpt_parameters(&self, relay: &Capabilities, out: &mut String) -> fmt::Result {
        if !self.asks(relay) {
            return Ok(());
        }
        out.push_str(" NOTIFY=FAILURE ORCPT=rfc822;");
        write_xtext(self.recipient.as_str(), out)
    }

    /// Whether this relay is asked for anything.
    fn asks(&self, relay: &Capabilities) -> bool {
        match self.reports {
            Reports::Failures(_) => relay.offers(Extension::Dsn),
            Reports::Usual => false,
        }
    }
}

/// What a relay is asked to report to the return path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reports {
    /// What it reports by itself: failures and delays, as a rule with the whole message.
    #[default]
    Usual,
    /// Failures and nothing else, with the header of the message in place of the whole, and
    /// with the recipient as it was given to this relay. With an id, the report names it. A
    /// relay that does not offer DSN is not asked and does as usual.
    Failures(Option<EnvelopeId>),
}

/// What a report calls the transaction it is about (ENVID; RFC 3461, 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeId(String);

/// The text cannot stand behind ENVID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an envelope id is printable ASCII, at most 100 characters when `+`, `=` and blanks count three")]
pub struct EnvelopeIdError;

impl EnvelopeId {
    /// Takes printable ASCII of at most 100 characters in xtext.
    pub fn parse(text: &str) -> Result<Self, EnvelopeIdError> {
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || !is_printable || xtext(text).len() > 100 {
            return Err(EnvelopeIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Text as a parameter's value: `+`, `=` and all but printable ASCII in hexadecimal (RFC 3461, 4).
fn write_xtext(text: &str, out: &mut String) -> fmt::Result {
    let stands_for_itself = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'+' | b'=');
    if text.as_bytes().iter().all(stands_for_itself) {
        return out.write_str(text);
    }
    for byte in text.bytes() {
        if stands_for_itself(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "+{byte:02X}")?;
        }
    }
    Ok(())
}

fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    write_xtext(text, &mut out).expect("writing to a string cannot fail");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(reports: Reports, offers: &str) -> (String, String) {
        let recipient = Address::parse("ada+news@example.org").unwrap();
        let envelope = Envelope { reports, ..Envelope::new(None, recipient) };
        let relay = Capabilities::from_lines(&["relay".to_owned(), offers.to_owned()]);
        let (mut mail, mut rcpt) = (String::new(), String::new());
        envelope.write_mail_parameters(&relay, &mut mail).unwrap();
        envelope.write_rcpt_parameters(&relay, &mut rcpt).unwrap();
        (mail, rcpt)
    }

    #[test]
    fn reports_are_asked_for_where_the_relay_offers_them() {
        let id = EnvelopeId::parse("issue 7=a").unwrap();
        let (mail, rcpt) = parameters(Reports::Failures(Some(id.clone())), "dsn");
        assert_eq!(mail, " RET=HDRS ENVID=issue+207+3Da");
        assert_eq!(rcpt, " NOTIFY=FAILURE ORCPT=rfc822;ada+2Bnews@example.org");
        assert_eq!(parameters(Reports::Failures(None), "DSN").0, " RET=HDRS");
        let nothing = (String::new(), String::new());
        assert_eq!(parameters(Reports::Failures(Some(id)), "SIZE"), nothing);
        assert_eq!(parameters(Reports::Usual, "DSN"), nothing);
    }

    #[test]
    fn an_envelope_id_is_bounded_as_it_is_sent() {
        assert!(EnvelopeId::parse(&"x".repeat(100)).is_ok());
        for bad in ["", "é", "a\r\nb", &"x".repeat(101), &"+".repeat(34)] {
            assert_eq!(EnvelopeId::parse(bad), Err(EnvelopeIdError), "{bad:?}");
        }
    }

    /// Reads xtext as RFC 3461, 4 defines it; `None` if it is none.
    fn decoded(xtext: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut rest = xtext.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            match byte {
                b'+' => {
                    let (digits, behind) = rest.split_at_checked(2)?;
                    let digits = std::str::from_utf8(digits).ok().filter(|digits| *digits == digits.to_uppercase())?;
                    bytes.push(u8::from_str_radix(digits, 16).ok()?);
                    rest = behind;
                }
                b'=' | ..=b' ' | 0x7f.. => return None,
                _ => bytes.push(*byte),
            }
        }
        Some(bytes)
    }

    proptest! {
        #[test]
        fn any_text_comes_back_out_of_its_xtext(text in any::<String>()) {
            prop_assert_eq!(decoded(&xtext(&text)), Some(text.into_bytes()));
        }
    }
}
