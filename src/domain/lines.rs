//! The lines of a mail as bytes (RFC 5322, 2.1), looked at many bytes at a time.
//!
//! Every message is looked at from its first byte to its last, and nearly every one is as it should
//! be. So each question here is one pass without an early way out, which the compiler turns into
//! steps of sixteen bytes and more; where the answer is no, the caller goes line by line to say why.

#![expect(clippy::needless_bitwise_bool, reason = "lazy operators are early ways out")]

/// The most bytes of a line, without its CRLF (RFC 5322, 2.1.1; RFC 5321, 4.5.3.1.6).
pub const LONGEST: usize = 998;

/// What the bytes of a text are, from the plainest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whole and short lines of printable ASCII and tabs.
    Printable,
    /// Whole and short lines of ASCII without NUL.
    Ascii,
    /// Anything else, which has to be looked at line by line; also no bytes at all.
    Doubtful,
}

/// Whether a line begins with a dot, which goes over the wire as two (RFC 5321, 4.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dots {
    /// None does, as in most messages.
    None,
    /// One does, or more. Of [`Kind::Doubtful`] text nothing is said by that.
    Some,
}

/// What a look at every byte of a text has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What the bytes are.
    pub kind: Kind,
    /// Whether they have to be stuffed.
    pub dots: Dots,
}

impl Look {
    /// Looks at every byte.
    pub fn at(text: &[u8]) -> Self {
        let kind = if !(are_whole(text) && are_short(text)) {
            Kind::Doubtful
        } else if are_printable(text) {
            Kind::Printable
        } else if are_ascii(text) {
            Kind::Ascii
        } else {
            Kind::Doubtful
        };
        let dots = if have_a_leading_dot(text) { Dots::Some } else { Dots::None };
        Self { kind, dots }
    }

    /// What a look at two texts of whole lines has found, one behind the other.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        Self { kind: self.kind.max(next.kind), dots: self.dots.max(next.dots) }
    }
}

/// Whether the text is lines that each end with CRLF, and no CR or LF stands elsewhere. No bytes are
/// no lines.
pub fn are_whole(text: &[u8]) -> bool {
    let ends_whole = text.ends_with(b"\r\n") && text[0] != b'\n';
    ends_whole && pairs(text).fold(true, |whole, (one, next)| whole & ((*one == b'\r') == (*next == b'\n')))
}

/// Whether no line is longer than [`LONGEST`]. The lines are [whole](are_whole).
fn are_short(text: &[u8]) -> bool {
    const REACH: usize = LONGEST + b"\r\n".len();
    let mut rest = text;
    while rest.len() > REACH {
        // Whatever ends within reach of a line's start is short, and so is all before it.
        let Some(end) = memchr::memrchr(b'\n', &rest[..REACH]) else { return false };
        rest = &rest[end + 1..];
    }
    true
}

/// Whether every byte is printable ASCII, a tab, CR or LF.
fn are_printable(text: &[u8]) -> bool {
    text.iter().fold(true, |so_far, byte| so_far & (is_printable(*byte) | matches!(byte, b'\r' | b'\n')))
}

/// Whether every byte is ASCII and none is NUL.
fn are_ascii(text: &[u8]) -> bool {
    text.iter().fold(true, |so_far, byte| so_far & matches!(byte, 1..=127))
}

/// Printable ASCII or a tab: what a line of text may hold.
pub fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}

/// Whether a line begins with a dot. The lines are [whole](are_whole).
fn have_a_leading_dot(text: &[u8]) -> bool {
    text.starts_with(b".") || pairs(text).fold(false, |found, (one, next)| found | ((*one == b'\n') & (*next == b'.')))
}

/// Each byte with the one behind it. Of two slices, and not of an iterator that skips: only so does the
/// compiler see that it may take many at a time.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&u8, &u8)> {
    text.iter().zip(text.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines without their ends, one byte at a time; `None` when one has no whole end.
    fn lines(text: &[u8]) -> Option<Vec<&[u8]>> {
        let lines: Option<Vec<_>> =
            text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r\n")).collect();
        lines.filter(|lines| !lines.is_empty() && lines.iter().all(|line| !line.contains(&b'\r')))
    }

    #[test]
    fn a_line_of_998_bytes_is_short_and_one_more_is_too_long() {
        for at in [0, 1, 500, 2000] {
            for (length, fits) in [(LONGEST, true), (LONGEST + 1, false)] {
                let text = format!("{}{}\r\nx\r\n", "\r\n".repeat(at), "x".repeat(length));
                assert_eq!(are_short(text.as_bytes()), fits, "{length} bytes behind {at} lines");
            }
        }
    }

    proptest! {
        #[test]
        fn many_bytes_at_a_time_give_the_answers_of_one_at_a_time(
            pieces in prop::collection::vec("\r\n|\r\n\\.|[ -~\t]{0,40}|x{300,400}|\r|\n|\r\r\n|[\u{0}\u{7f}é]", 0..40),
        ) {
            let text = pieces.concat() + "\r\n";
            let text = text.as_bytes();
            let known = lines(text);
            prop_assert_eq!(are_whole(text), known.is_some());
            prop_assert_eq!(are_printable(text), text.iter().all(|byte| is_printable(*byte) || b"\r\n".contains(byte)));
            prop_assert_eq!(are_ascii(text), text.is_ascii() && !text.contains(&0));
            prop_assert_eq!(Look::at(text).kind == Kind::Doubtful, !(are_whole(text) && are_short(text) && are_ascii(text)));
            if let Some(lines) = known {
                prop_assert_eq!(are_short(text), lines.iter().all(|line| line.len() <= LONGEST));
                prop_assert_eq!(have_a_leading_dot(text), lines.iter().any(|line| line.starts_with(b".")));
            }
        }
    }
}
