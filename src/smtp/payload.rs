//! What may be sent at all: bytes that every receiver reads as one message.

use std::fmt::{self, Write};

use crate::domain::address::Address;
use crate::domain::lines::{Dots, Kind, LONGEST};
use crate::domain::spliced::{Pieces, Spliced};

use super::capabilities::{Capabilities, Extension};
use super::envelope::Envelope;

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

/// What a look at every octet of a message has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nature {
    octets: Octets,
    dots: Dots,
}

/// A message that has been checked and may go out: borrow it, it holds no copy.
#[derive(Clone, Copy)]
pub struct Sendable<'a> {
    envelope: &'a Envelope,
    message: Pieces<'a>,
    nature: Nature,
}

/// A message that has been checked and keeps its envelope and bytes: checked once, however
/// often it is sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    envelope: Envelope,
    message: Spliced,
    nature: Nature,
}

impl Outgoing {
    /// Checks the bytes as [`Sendable::new`] does, and keeps them.
    pub fn new(envelope: Envelope, message: Spliced) -> Result<Self, Unsendable> {
        let nature = Nature::of(message.pieces())?;
        Ok(Self { envelope, message, nature })
    }

    /// The message as a session takes it.
    pub fn sendable(&self) -> Sendable<'_> {
        Sendable { envelope: &self.envelope, message: self.message.pieces(), nature: self.nature }
    }

    /// The bytes, not dot-stuffed, in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        self.message.pieces().to_vec()
    }

    /// The bytes that are the message's own, and their memory with them.
    pub fn into_own(self) -> Vec<u8> {
        self.message.into_own()
    }
}

impl<'a> Sendable<'a> {
    /// Checks the bytes of a message before dot-stuffing. Nothing is repaired: a repair would
    /// break a signature and the promise that a resend is byte-identical.
    pub fn new(envelope: &'a Envelope, message: impl Into<Pieces<'a>>) -> Result<Self, Unsendable> {
        let message = message.into();
        let nature = Nature::of(message)?;
        Ok(Self { envelope, message, nature })
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
        let (needed, word) = match self.nature.octets {
            Octets::Ascii => return None,
            Octets::EightBitBody => (Extension::EightBitMime, "8BITMIME"),
            Octets::EightBitHeader => (Extension::SmtpUtf8, "SMTPUTF8"),
        };
        let missing = !relay.offers(needed);
        missing.then(|| (554, format!("5.6.3 the message needs {word}, which the relay does not offer")))
    }

    /// The MAIL and RCPT lines for a relay with these capabilities, each with its CRLF.
    pub(super) fn mail_and_rcpt(&self, relay: &Capabilities) -> String {
        let mut lines = String::with_capacity(256);
        self.write_mail(relay, &mut lines).expect("writing to a string cannot fail");
        self.write_rcpt(relay, &mut lines).expect("writing to a string cannot fail");
        lines
    }

    fn write_mail(&self, relay: &Capabilities, out: &mut String) -> fmt::Result {
        let return_path = self.envelope.return_path.as_ref().map_or("", Address::as_str);
        out.extend(["MAIL FROM:<", return_path, ">"]);
        if relay.offers(Extension::Size) {
            write!(out, " SIZE={}", self.size())?;
        }
        out.push_str(match self.nature.octets {
            Octets::Ascii => "",
            Octets::EightBitBody => " BODY=8BITMIME",
            Octets::EightBitHeader => " BODY=8BITMIME SMTPUTF8",
        });
        self.envelope.write_mail_parameters(relay, out)?;
        out.write_str("\r\n")
    }

    fn write_rcpt(&self, relay: &Capabilities, out: &mut String) -> fmt::Result {
        out.extend(["RCPT TO:<", self.envelope.recipient.as_str(), ">"]);
        self.envelope.write_rcpt_parameters(relay, out)?;
        out.write_str("\r\n")
    }

    /// The message as it goes over the wire, dots stuffed (RFC 5321, 4.5.2), without the final
    /// dot. Most messages need no stuffing, and are not copied: `None`.
    pub(super) fn stuffed(&self) -> Option<Vec<u8>> {
        if self.nature.dots == Dots::None {
            return None;
        }
        let message = self.message.to_vec();
        let mut out = Vec::with_capacity(message.len() + message.len() / 64);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            if line.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(line);
        }
        Some(out)
    }

    /// The message as it is: what BDAT sends (RFC 3030), and DATA where nothing is to be stuffed.
    pub(super) fn pieces(&self) -> Pieces<'a> {
        self.message
    }

    fn size(&self) -> u64 {
        self.message.len() as u64
    }
}

impl Nature {
    /// The nature of a message, nearly always known by the look at it that was taken already: ASCII, no NUL,
    /// lines of at most 998 octets that end with CRLF. What is not plain is looked at line by line.
    fn of(message: Pieces<'_>) -> Result<Self, Unsendable> {
        let look = message.look();
        match look.kind {
            Kind::Printable | Kind::Ascii => Ok(Self { octets: Octets::Ascii, dots: look.dots }),
            Kind::Doubtful => check_lines(&message.to_vec()),
        }
    }
}

fn check_lines(message: &[u8]) -> Result<Nature, Unsendable> {
    if message.is_empty() {
        return Err(Unsendable::Empty);
    }
    let (mut octets, mut dots) = (Octets::Ascii, Dots::None);
    let mut in_header = true;
    for (line, number) in message.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        let line = check_line(line, number)?;
        in_header &= !line.is_empty();
        if line.first() == Some(&b'.') {
            dots = Dots::Some;
        }
        octets = match octets {
            Octets::Ascii if !line.is_ascii() && in_header => Octets::EightBitHeader,
            Octets::Ascii if !line.is_ascii() => Octets::EightBitBody,
            known => known,
        };
    }
    Ok(Nature { octets, dots })
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
    if content.len() > LONGEST {
        return Err(Unsendable::LongLine { line: number });
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope::new(None, Address::parse("ada@example.org").unwrap())
    }

    fn check(message: &[u8]) -> Result<(), Unsendable> {
        Nature::of(message.into()).map(drop)
    }

    fn relay(lines: &[&str]) -> Capabilities {
        let lines: Vec<String> = std::iter::once(&"relay").chain(lines).map(|line| (*line).to_owned()).collect();
        Capabilities::from_lines(&lines)
    }

    #[test]
    fn what_two_receivers_could_read_differently_is_refused() {
        for (bad, why) in [
            (&b""[..], Unsendable::Empty),
            (b"a\nb\r\n", Unsendable::BareLineBreak { line: 1 }),
            (b"a\r\nb\rc\r\n", Unsendable::BareLineBreak { line: 2 }),
            (b"a\r\n\r.\r\r\n", Unsendable::BareLineBreak { line: 2 }),
            (b"a\r\nb\r", Unsendable::BareLineBreak { line: 2 }),
            (b"a\r\nb\0c\r\n", Unsendable::Nul { line: 2 }),
            (b"a\r\nb", Unsendable::Unfinished),
        ] {
            assert_eq!(check(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn a_line_of_998_octets_is_the_longest() {
        assert_eq!(check(&[&[b'x'; 998][..], b"\r\n"].concat()), Ok(()));
        assert_eq!(check(&[&[b'x'; 999][..], b"\r\n"].concat()), Err(Unsendable::LongLine { line: 1 }));
    }

    #[test]
    fn the_size_is_announced_and_refused_before_mail() {
        let envelope = envelope();
        let message = b"Subject: x\r\n\r\n.\r\n";
        let sendable = Sendable::new(&envelope, message).unwrap();
        let lines = sendable.mail_and_rcpt(&relay(&["SIZE 17"]));
        assert_eq!(lines, "MAIL FROM:<> SIZE=17\r\nRCPT TO:<ada@example.org>\r\n");
        assert_eq!(sendable.mail_and_rcpt(&relay(&[])), "MAIL FROM:<>\r\nRCPT TO:<ada@example.org>\r\n");
        assert_eq!(sendable.objection(&relay(&["SIZE 17"])), None);
        assert_eq!(sendable.objection(&relay(&["SIZE"])), None);
        assert_eq!(sendable.objection(&relay(&["SIZE 16"])).unwrap().0, 552);
    }

    #[test]
    fn eight_bits_go_only_where_they_are_welcome() {
        let envelope = envelope();
        let body = Sendable::new(&envelope, "Subject: x\r\n\r\né\r\n".as_bytes()).unwrap();
        assert_eq!(body.objection(&relay(&[])).unwrap().0, 554);
        assert_eq!(body.objection(&relay(&["8bitmime"])), None);
        assert!(body.mail_and_rcpt(&relay(&["8BITMIME"])).contains(" BODY=8BITMIME\r\n"));
        let header = Sendable::new(&envelope, "Subject: é\r\n\r\nx\r\n".as_bytes()).unwrap();
        assert_eq!(header.objection(&relay(&["8BITMIME"])).unwrap().0, 554);
        assert_eq!(header.objection(&relay(&["8BITMIME", "SMTPUTF8"])), None);
    }

    /// A receiver, known by what it takes for a line break.
    struct Receiver {
        breaks: &'static [&'static [u8]],
    }

    const STRICT: Receiver = Receiver { breaks: &[b"\r\n"] };
    const LENIENT: Receiver = Receiver { breaks: &[b"\r\n", b"\n", b"\r"] };

    impl Receiver {
        fn line_break(&self, bytes: &[u8]) -> Option<usize> {
            self.breaks.iter().find(|b| bytes.starts_with(b)).map(|b| b.len())
        }

        /// Reads one message behind DATA; returns it and what it takes for the next commands.
        fn read<'b>(&self, bytes: &'b [u8]) -> Option<(Vec<u8>, &'b [u8])> {
            let (mut message, mut at, mut line_start) = (Vec::new(), 0, true);
            while at < bytes.len() {
                if line_start && bytes[at] == b'.' {
                    at += 1;
                    if let Some(n) = self.line_break(&bytes[at..]) {
                        return Some((message, &bytes[at + n..]));
                    }
                }
                let n = self.line_break(&bytes[at..]);
                line_start = n.is_some();
                let step = n.unwrap_or(1);
                message.extend_from_slice(&bytes[at..at + step]);
                at += step;
            }
            None
        }
    }

    /// Bytes that are likely to be trouble.
    fn troubled() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            6 => Just(&b"\r\n"[..]),
            4 => Just(&b"."[..]),
            3 => Just(&b"x"[..]),
            1 => Just(&b"\n"[..]),
            1 => Just(&b"\r"[..]),
            1 => Just(&b"\xff"[..]),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    /// Lines that are fit to be sent, many of them beginning with dots.
    fn lines() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec("\\.{0,3}[aé .]{0,6}", 1..12).prop_map(|lines| (lines.join("\r\n") + "\r\n").into())
    }

    fn assert_both_receivers_agree(message: &[u8]) -> Result<(), TestCaseError> {
        let envelope = envelope();
        let Ok(sendable) = Sendable::new(&envelope, message) else { return Ok(()) };
        let next = b"MAIL FROM:<>\r\n";
        let body = sendable.stuffed().unwrap_or_else(|| message.to_vec());
        let wire = [&body[..], b".\r\n", next].concat();
        for receiver in [STRICT, LENIENT] {
            prop_assert_eq!(receiver.read(&wire), Some((message.to_vec(), &next[..])));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn the_quick_look_says_what_the_long_one_says(message in prop_oneof![troubled(), lines(), "[a\r\n]{990,1010}\r\n".prop_map(String::into_bytes)]) {
            let ascii = check_lines(&message).ok().filter(|nature| nature.octets == Octets::Ascii);
            prop_assert_eq!(Nature::of(message[..].into()).ok().filter(|nature| nature.octets == Octets::Ascii), ascii);
        }

        #[test]
        fn any_bytes_are_refused_or_read_as_one_message_by_all(message in troubled()) {
            assert_both_receivers_agree(&message)?;
        }

        #[test]
        fn proper_lines_are_never_refused_and_arrive_unchanged(message in lines()) {
            prop_assert_eq!(check(&message), Ok(()));
            assert_both_receivers_agree(&message)?;
        }
    }
}
