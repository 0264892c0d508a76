//! Header text: bare, quoted or encoded, and folded (RFC 5322, 2.2.3; RFC 2047).
//!
//! lettre's own encoder is not asked. It leaves text that looks like an encoded word for the
//! reader to decode, never breaks a long word or a run of spaces, and turns every name with a
//! comma or an apostrophe into base64.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most bytes of a line that can be folded (RFC 2047, 2).
const FOLD: usize = 76;
/// What an encoded word has around its text: `=?utf-8?q?` and `?=`.
const AROUND: usize = 12;
/// Words and names up to here may stand unencoded; longer ones become encoded words, which
/// can be split.
const WORD: usize = 60;

/// Whether the byte may stand in an atom (RFC 5322, 3.2.3).
pub(super) fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// Whether the text can stand unencoded: what looks like an encoded word would be decoded.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("=?")
}

/// A header value in the making, folded as it grows.
pub(super) struct Line {
    out: String,
    column: usize,
}

impl Line {
    /// A line that begins with the header's name, colon and space.
    pub(super) fn after(header: &str) -> Self {
        Self { out: String::with_capacity(FOLD), column: header.len() }
    }

    /// The value, without the header's name.
    pub(super) fn into_value(self) -> String {
        self.out
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }

    fn fold(&mut self) {
        self.out.push_str("\r\n ");
        self.column = 1;
    }

    /// A word after a space, or after a fold that stands for the space.
    pub(super) fn word(&mut self, word: &str) {
        if !self.out.is_empty() {
            if self.column + 1 + word.len() > FOLD {
                self.fold();
            } else {
                self.push(" ");
            }
        }
        self.push(word);
    }

    /// Unstructured text whose words have one space between them: folded, or encoded.
    pub(super) fn text(&mut self, text: &str) {
        if is_printable(text) && text.split(' ').all(|word| word.len() <= WORD) {
            text.split(' ').for_each(|word| self.word(word));
        } else {
            self.encoded_words(text);
        }
    }

    /// A display name: bare words, a quoted string, or encoded words (RFC 5322, 3.2.5).
    pub(super) fn phrase(&mut self, text: &str) {
        let escapes = text.bytes().filter(|byte| matches!(byte, b'\\' | b'"')).count();
        if !is_printable(text) || "\"\"".len() + text.len() + escapes > WORD {
            self.encoded_words(text);
        } else if text.split(' ').all(|word| !word.is_empty() && word.bytes().all(is_atext)) {
            text.split(' ').for_each(|word| self.word(word));
        } else {
            self.word(&format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
        }
    }

    /// The text as encoded words of at most 75 bytes, one a line, no character cut in two
    /// (RFC 2047, 2 and 5), in whichever of the two encodings is shorter.
    fn encoded_words(&mut self, text: &str) {
        let quoted: usize = text.chars().map(q_width).sum();
        let is_quoted_shorter = quoted <= text.len().div_ceil(3) * 4;
        let mut rest = text;
        while !rest.is_empty() {
            let room = FOLD - AROUND - self.column;
            let fits = if is_quoted_shorter { q_prefix(rest, room) } else { b_prefix(rest, room) };
            // A reader that wrongly shows the seam as a space shows it between two words.
            let after_space = rest[..fits].rfind(' ').map(|at| at + 1).filter(|_| fits < rest.len());
            let (now, later) = rest.split_at(after_space.unwrap_or(fits));
            self.push(&if is_quoted_shorter { q_word(now) } else { b_word(now) });
            if !later.is_empty() {
                self.fold();
            }
            rest = later;
        }
    }
}

fn q_width(c: char) -> usize {
    if c == ' ' || q_is_plain(c) { 1 } else { 3 * c.len_utf8() }
}

/// What may stand unencoded even in a phrase (RFC 2047, 5, rule 3).
fn q_is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!*+-/".contains(c)
}

fn q_prefix(text: &str, room: usize) -> usize {
    prefix(text, |c, used| used + q_width(c) <= room, q_width)
}

fn b_prefix(text: &str, room: usize) -> usize {
    prefix(text, |c, used| (used + c.len_utf8()).div_ceil(3) * 4 <= room, char::len_utf8)
}

fn prefix(text: &str, fits: impl Fn(char, usize) -> bool, width: impl Fn(char) -> usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if !fits(c, used) {
            return at;
        }
        used += width(c);
    }
    text.len()
}

fn q_word(text: &str) -> String {
    let mut out = String::from("=?utf-8?q?");
    for c in text.chars() {
        if c == ' ' {
            out.push('_');
        } else if q_is_plain(c) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(out, "={byte:02X}").expect("writing to a string cannot fail");
            }
        }
    }
    out + "?="
}

fn b_word(text: &str) -> String {
    format!("=?utf-8?b?{}?=", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::error::Field;
    use super::super::header::{mailbox, name, one_line, unstructured};
    use super::*;
    use crate::domain::address::Address;

    fn ada() -> Address {
        Address::parse("ada@example.org").unwrap()
    }

    fn decode_word(word: &str) -> Vec<u8> {
        let inner = word.strip_prefix("=?utf-8?").unwrap().strip_suffix("?=").unwrap();
        if let Some(base64) = inner.strip_prefix("b?") {
            return STANDARD.decode(base64).unwrap();
        }
        let mut bytes = Vec::new();
        let mut rest = inner.strip_prefix("q?").unwrap().bytes();
        while let Some(b) = rest.next() {
            match b {
                b'_' => bytes.push(b' '),
                b'=' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                }
                b => bytes.push(b),
            }
        }
        bytes
    }

    /// What a reader makes of an unstructured value.
    fn read(value: &str) -> String {
        let value = value.replace("\r\n ", " ");
        if !value.starts_with("=?") {
            return value;
        }
        let bytes = value.split(' ').flat_map(|word| {
            assert!(word.len() <= 75, "{word}");
            let bytes = decode_word(word);
            assert!(std::str::from_utf8(&bytes).is_ok(), "{word} cuts a character in two");
            bytes
        });
        String::from_utf8(bytes.collect()).unwrap()
    }

    #[test]
    fn a_name_is_quoted_only_when_it_must_be() {
        assert_eq!(mailbox("To: ", Some("Ada Lovelace"), &ada()), "Ada Lovelace <ada@example.org>");
        assert_eq!(
            mailbox("To: ", Some("O'Brien, A. \"B\" \\"), &ada()),
            r#""O'Brien, A. \"B\" \\" <ada@example.org>"#
        );
        assert_eq!(mailbox("To: ", Some("Zoë"), &ada()), "=?utf-8?q?Zo=C3=AB?= <ada@example.org>");
        assert_eq!(mailbox("To: ", Some("=?x?="), &ada()), "=?utf-8?b?PT94Pz0=?= <ada@example.org>");
        assert_eq!(mailbox("To: ", None, &ada()), "ada@example.org");
    }

    #[test]
    fn encoded_words_are_cut_between_words_where_there_are_some() {
        let value = unstructured("Subject: ", "Why the loss went up on a Tuesday – and two lines");
        assert_eq!(value, "=?utf-8?q?Why_the_loss_went_up_on_a_Tuesday_=E2=80=93_and_two_?=\r\n =?utf-8?q?lines?=");
    }

    #[test]
    fn a_subject_is_folded_at_its_spaces() {
        let subject = ["twelve bytes"; 12].join(" ");
        let value = unstructured("Subject: ", &subject);
        assert!(value.contains("\r\n twelve") || value.contains("\r\n bytes"), "{value}");
        assert_eq!(value.replace("\r\n", ""), subject);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_header(text in "(\\PC|[\u{0}-\u{9f}\u{2028}]|=\\?utf-8\\?q\\?| ){0,120}") {
            let line = one_line(Field::Subject, &text).unwrap();
            let value = unstructured("Subject: ", &line);
            prop_assert_eq!(read(&value), line);
            for line in format!("Subject: {value}").split("\r\n") {
                prop_assert!(line.len() <= 76 && is_clean(line), "{}", line);
            }
        }

        #[test]
        fn a_mailbox_is_one_field_whatever_the_name(text in "[^\\pC\u{2028}\u{2029}]{0,70}") {
            let value = mailbox("To: ", name(Field::SubscriberName, Some(&text)).unwrap(), &ada());
            prop_assert!(value.split("\r\n").all(|line| line.len() <= 76 && is_clean(line)), "{}", value);
            prop_assert!(value.split("\r\n").skip(1).all(|line| line.starts_with(' ')), "{}", value);
        }
    }

    fn is_clean(line: &str) -> bool {
        line.bytes().all(|b| (b' '..=b'~').contains(&b)) && !line.trim().is_empty()
    }
}
