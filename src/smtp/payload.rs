//! What may be sent at all: the envelope, and bytes that every receiver reads as one message.

use crate::domain::address::Address;

use super::capabilities::{Capabilities, Extension};

/// RFC 5321, 4.5.3.1.6: the longest line without its CRLF, in octets.
const LONGEST_LINE: usize = 998;

/// Who gets a message and where its failure report goes (RFC 5321, 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go; `None` is the null return path `<>` of mail that must never bounce.
    pub return_path: Option<Address>,
    /// The one recipient.
    pub recipient: Address,
}

/// Why bytes are no message we would send. Each would let one receiver see another message
/// than the next one does (SMTP smuggling), or be refused by most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// There are no bytes.
    #[error("the message is empty")]
    Empty,
    /// A CR without its LF, or the other way round.
    #[error("line {line} of the message holds a bare CR or LF")]
    BareLineBreak {
        /// The line, counted from 1.
        line: usize,
    },
    /// A NUL octet (RFC 5322, 4.1).
    #[error("line {line} of the message holds a NUL")]
    Nul {
        /// The line, counted from 1.
        line: usize,
    },
    /// More than 998 octets before the CRLF.
    #[error("line {line} of the message is longer than 998 octets")]
    LongLine {
        /// The line, counted from 1.
        line: usize,
    },
    /// The last line has no CRLF.
    #[error("the message does not end with a line break")]
    Unfinished,
}

/// Which octets a message holds, and so what the relay must offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Octets {
    /// Plain ASCII: any relay takes it.
    Ascii,
    /// The eighth bit in the body: 8BITMIME.
    EightBitBody,
    /// The eighth bit in the header: SMTPUTF8.
    EightBitHeader,
}

/// A message that has been checked and may go out: borrow it, it holds no copy.
#[derive(Debug, Clone, Copy)]
pub struct Sendable<'a> {
    envelope: &'a Envelope,
    message: &'a [u8],
    octets: Octets,
}

impl<'a> Sendable<'a> {
    /// Checks the bytes of a message before dot-stuffing. Nothing is repaired: a repair would
    /// break a signature and the promise that a resend is byte-identical.
    pub fn new(envelope: &'a Envelope, message: &'a [u8]) -> Result<Self, Unsendable> {
        if message.is_empty() {
            return Err(Unsendable::Empty);
        }
        let mut octets = Octets::Ascii;
        let mut in_header = true;
        for (line, number) in message.split_inclusive(|byte| *byte == b'\n').zip(1..) {
            let line = check_line(line, number)?;
            in_header &= !line.is_empty();
            octets = match octets {
                Octets::Ascii if !line.is_ascii() && in_header => Octets::EightBitHeader,
                Octets::Ascii if !line.is_ascii() => Octets::EightBitBody,
                known => known,
            };
        }
        Ok(Self { envelope, message, octets })
    }

    /// The envelope it was given.
    pub fn envelope(&self) -> &'a Envelope {
        self.envelope
    }

    /// Why this relay would refuse it, in the code and words a relay would use, or `None`.
    /// Asked before MAIL, so that a message too large costs no transfer (RFC 1870, 6.3).
    pub(super) fn objection(&self, relay: &Capabilities) -> Option<(u16, String)> {
        if let Some(limit) = relay.size_limit()
            && self.size() > limit
        {
            let size = self.size();
            return Some((552, format!("5.3.4 the message has {size} bytes and the relay takes {limit}")));
        }
        let (needed, word) = match self.octets {
            Octets::Ascii => return None,
            Octets::EightBitBody => (Extension::EightBitMime, "8BITMIME"),
            Octets::EightBitHeader => (Extension::SmtpUtf8, "SMTPUTF8"),
        };
        let missing = !relay.offers(needed);
        missing.then(|| (554, format!("5.6.3 the message needs {word}, which the relay does not offer")))
    }

    /// The MAIL and RCPT lines for a relay with these capabilities, each with its CRLF.
    pub(super) fn mail_and_rcpt(&self, relay: &Capabilities) -> (String, String) {
        let return_path = self.envelope.return_path.as_ref().map_or("", Address::as_str);
        let mut mail = format!("MAIL FROM:<{return_path}>");
        if relay.offers(Extension::Size) {
            mail.push_str(&format!(" SIZE={}", self.size()));
        }
        mail.push_str(match self.octets {
            Octets::Ascii => "",
            Octets::EightBitBody => " BODY=8BITMIME",
            Octets::EightBitHeader => " BODY=8BITMIME SMTPUTF8",
        });
        mail.push_str("\r\n");
        (mail, format!("RCPT TO:<{}>\r\n", self.envelope.recipient.as_str()))
    }

    /// The message as it goes over the wire, dots stuffed (RFC 5321, 4.5.2), without the final dot.
    pub(super) fn stuffed(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.len() + self.message.len() / 64 + 256);
        for line in self.message.split_inclusive(|byte| *byte == b'\n') {
            if line.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(line);
        }
        out
    }

    fn size(&self) -> u64 {
        self.message.len() as u64
    }
}

/// Checks one line, which ends with the only LF in it, if with any; returns it without its CRLF.
fn check_line(line: &[u8], number: usize) -> Result<&[u8], Unsendable> {
    let Some(without_lf) = line.strip_suffix(b"\n") else {
        let bare = line.contains(&b'\r');
        return Err(if bare { Unsendable::BareLineBreak { line: number } } else { Unsendable::Unfinished });
    };
    let Some(content) = without_lf.strip_suffix(b"\r").filter(|content| !content.contains(&b'\r')) else {
        return Err(Unsendable::BareLineBreak { line: number });
    };
    if content.contains(&0) {
        return Err(Unsendable::Nul { line: number });
    }
    if content.len() > LONGEST_LINE {
        return Err(Unsendable::LongLine { line: number });
    }
    Ok(content)
}
