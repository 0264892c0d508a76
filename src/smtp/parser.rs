//! Bytes to replies (RFC 5321, 4.2): synchronous, bounded, and total.
//!
//! Stricter than the RFC's advice on purpose: a line ends with CRLF and with nothing else,
//! and all lines of a reply carry the same code. A relay that echoes a part of what it was
//! sent must not be able to forge a reply by it.

use crate::domain::reply::Reply;

/// The longest line with its CRLF. RFC 5321, 4.5.3.1.5 allows 512; real relays say more.
const LONGEST_LINE: usize = 2 * 1024;
/// The longest reply, all lines together.
const LONGEST_REPLY: usize = 64 * 1024;

/// A reply as it came, line by line, without codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawReply {
    /// 200 to 599.
    pub(super) code: u16,
    /// The text of each line; never empty. Control characters are shown as `?`.
    pub(super) lines: Vec<String>,
}

impl RawReply {
    /// The reply as the rest of the crate knows it. An enhanced code is repeated on every
    /// line (RFC 2034, 4): the repetitions go.
    pub(super) fn into_reply(mut self) -> Reply {
        if let [line] = &mut self.lines[..]
            && !line.contains("  ")
            && line.trim().len() == line.len()
        {
            return Reply::new(self.code, std::mem::take(line));
        }
        let first = Reply::new(self.code, self.lines[0].as_str());
        let repeated = first.enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"));
        let mut words: Vec<&str> = self.lines[0].split_whitespace().collect();
        for line in &self.lines[1..] {
            let mut more = line.split_whitespace().peekable();
            more.next_if(|word| repeated.as_deref() == Some(*word));
            words.extend(more);
        }
        Reply::new(self.code, words.join(" "))
    }
}

/// What is wrong with what a relay sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    #[error("the relay sent a line of more than 2 KB")]
    LineTooLong,
    #[error("the relay sent a reply of more than 64 KB")]
    ReplyTooLong,
    #[error("the relay sent something that is no SMTP reply")]
    Malformed,
    #[error("the relay changed the code within one reply")]
    CodeChanged,
}

/// Reads one reply after the other from any slicing of the bytes. Holds at most one reply,
/// and the buffer of its last line.
/// After an error it must not be used again: nobody knows where the next reply begins.
#[derive(Debug, Default)]
pub(super) struct ReplyParser {
    line: Vec<u8>,
    code: Option<u16>,
    lines: Vec<String>,
    size: usize,
}

impl ReplyParser {
    /// Takes bytes until a reply is whole; returns how many it took and the reply, if any.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(usize, Option<RawReply>), ParseError> {
        let mut taken = 0;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            taken += piece.len();
            self.grow(piece)?;
            if piece.ends_with(b"\n")
                && let Some(reply) = self.end_line()?
            {
                return Ok((taken, Some(reply)));
            }
        }
        Ok((taken, None))
    }

    fn grow(&mut self, piece: &[u8]) -> Result<(), ParseError> {
        if self.line.len() + piece.len() > LONGEST_LINE {
            return Err(ParseError::LineTooLong);
        }
        self.size += piece.len();
        if self.size > LONGEST_REPLY {
            return Err(ParseError::ReplyTooLong);
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<RawReply>, ParseError> {
        let line = Line::parse(&self.line)?;
        if self.code.is_some_and(|code| code != line.code) {
            return Err(ParseError::CodeChanged);
        }
        self.code = Some(line.code);
        self.lines.push(line.text);
        self.line.clear();
        match line.position {
            Position::Within => Ok(None),
            Position::Last => {
                (self.code, self.size) = (None, 0);
                Ok(Some(RawReply { code: line.code, lines: std::mem::take(&mut self.lines) }))
            }
        }
    }

    /// Whether some but not all bytes of a reply have been taken.
    pub(super) fn is_within_reply(&self) -> bool {
        self.size > 0
    }
}

enum Position {
    Within,
    Last,
}

struct Line {
    code: u16,
    position: Position,
    text: String,
}

impl Line {
    /// Reads `250-text CRLF`, `250 text CRLF` or `250 CRLF`.
    fn parse(line: &[u8]) -> Result<Self, ParseError> {
        let line = line.strip_suffix(b"\r\n").ok_or(ParseError::Malformed)?;
        let (digits, rest) = line.split_at_checked(3).ok_or(ParseError::Malformed)?;
        if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
            return Err(ParseError::Malformed);
        }
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let (position, text) = match rest.split_first() {
            None => (Position::Last, rest),
            Some((b' ', text)) => (Position::Last, text),
            Some((b'-', text)) => (Position::Within, text),
            Some(_) => return Err(ParseError::Malformed),
        };
        Ok(Self { code, position, text: shown(text) })
    }
}

/// The text with `?` for control characters.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    // As in nearly every reply.
    if text.bytes().fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'~')) {
        return text.into_owned();
    }
    if text.chars().any(char::is_control) {
        return text.replace(char::is_control, "?");
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Option<RawReply>, ParseError> {
        ReplyParser::default().push(bytes).map(|(_, reply)| reply)
    }

    #[test]
    fn one_line_many_lines_and_no_text_are_replies() {
        let one = read(b"250 2.0.0 ok\r\n").unwrap().unwrap();
        assert_eq!((one.code, one.lines), (250, vec!["2.0.0 ok".to_owned()]));
        let many = read(b"250-relay\r\n250-SIZE 10\r\n250 DSN\r\n").unwrap().unwrap();
        assert_eq!(many.lines, ["relay", "SIZE 10", "DSN"]);
        assert_eq!(read(b"354\r\n").unwrap().unwrap().code, 354);
        assert_eq!(read(b"250-relay\r\n").unwrap(), None);
    }

    #[test]
    fn only_one_reply_is_taken_at_a_time() {
        let mut parser = ReplyParser::default();
        let bytes = b"250 a\r\n550 b\r\n";
        let (taken, first) = parser.push(bytes).unwrap();
        assert_eq!((taken, first.unwrap().code), (7, 250));
        assert!(!parser.is_within_reply());
        assert_eq!(parser.push(&bytes[taken..]).unwrap().1.unwrap().code, 550);
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for bad in [
            &b"\r\n"[..],
            b"25\r\n",
            b"250ok\r\n",
            b"150 no\r\n",
            b"650 no\r\n",
            b"2x0 no\r\n",
            b"250 ok\n",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"+OK dovecot\r\n",
        ] {
            assert_eq!(read(bad), Err(ParseError::Malformed), "{bad:?}");
        }
        assert_eq!(read(b"250-a\r\n550 b\r\n"), Err(ParseError::CodeChanged));
    }

    #[test]
    fn an_echoed_line_break_forges_no_reply() {
        assert_eq!(read(b"550 no such\n250 ok\r\n"), Err(ParseError::Malformed));
        assert_eq!(read(b"550 no such\r250 ok\r\n").unwrap().unwrap().lines, ["no such?250 ok"]);
    }

    #[test]
    fn an_enhanced_code_repeated_on_each_line_is_kept_once() {
        let raw = read(b"550-5.1.1 no such\r\n550-5.1.1 user\r\n550 5.1.1 here 5.1.1\r\n").unwrap().unwrap();
        let reply = raw.into_reply();
        assert_eq!(reply.enhanced, Some((5, 1, 1)));
        assert_eq!(reply.text, "no such user here 5.1.1");
    }

    #[test]
    fn lines_and_replies_are_bounded() {
        assert_eq!(read(&[b'2'; 5000]), Err(ParseError::LineTooLong));
        let mut endless = ReplyParser::default();
        let line = [b"250-".as_slice(), &[b'x'; 1000], b"\r\n"].concat();
        let error = (0..100).find_map(|_| endless.push(&line).err()).unwrap();
        assert_eq!(error, ParseError::ReplyTooLong);
        assert!(endless.size <= LONGEST_REPLY + LONGEST_LINE);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_no_state_outgrows_the_bounds(chunks in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
            let mut parser = ReplyParser::default();
            'chunks: for chunk in chunks {
                let mut rest = &chunk[..];
                while !rest.is_empty() {
                    let Ok((taken, reply)) = parser.push(rest) else { break 'chunks };
                    prop_assert!(taken > 0 && taken <= rest.len());
                    if let Some(reply) = reply {
                        prop_assert!((200..600).contains(&reply.code) && !reply.lines.is_empty());
                    }
                    rest = &rest[taken..];
                }
                prop_assert!(parser.line.len() <= LONGEST_LINE && parser.size <= LONGEST_REPLY);
            }
        }

        #[test]
        fn the_slicing_of_the_bytes_changes_nothing(
            code in 200u16..600,
            lines in prop::collection::vec("[ -~]{0,40}", 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let last = lines.len() - 1;
            let framed = |(i, line)| format!("{code}{}{line}\r\n", if i == last { ' ' } else { '-' });
            let wire = lines.iter().enumerate().map(framed).collect::<Vec<_>>().concat();
            let at = cut.index(wire.len());
            let mut parser = ReplyParser::default();
            let (taken, early) = parser.push(&wire.as_bytes()[..at]).unwrap();
            prop_assert_eq!((taken, early), (at, None));
            let (_, reply) = parser.push(&wire.as_bytes()[at..]).unwrap();
            prop_assert_eq!(reply, Some(RawReply { code, lines }));
        }
    }
}
