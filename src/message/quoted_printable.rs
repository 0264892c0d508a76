//! Quoted-printable, on lines of its own (RFC 2045, 6.7).
//!
//! A crate's encoder takes a whole body; ours takes a stretch of one, so that a template can
//! be encoded around its gaps and a value re-wrapped in its gap.

use std::fmt::Write as _;

/// The most bytes of a line before the `=` of a soft break; with it the line has 76.
const LINE: usize = 75;

/// Appends the encoding of a stretch of text whose lines end with `\n`.
///
/// It begins at the start of a line and ends at the start of a line (with a soft break if
/// need be), so the encodings of two stretches, one after the other, decode to both. Lines
/// have at most 76 bytes, no character is cut in two, no line ends in white space, and none
/// begins with `.` or `From `: the one wants stuffing in SMTP, the other a `>` in mbox files.
/// It needs nothing of the text: control characters are encoded like all else.
pub(super) fn encode(text: &str, out: &mut String) {
    let mut column = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let plain = if column > 0 { plain_length(rest, LINE.saturating_sub(column)) } else { 0 };
        if plain > 0 {
            out.push_str(&rest[..plain]);
            column += plain;
            rest = &rest[plain..];
            continue;
        }
        if c == '\n' {
            out.push_str("\r\n");
            column = 0;
        } else {
            column = push(c, rest, column, out);
        }
        rest = &rest[c.len_utf8()..];
    }
    if column > 0 {
        out.push_str("=\r\n");
    }
}

/// How many bytes, of at most so many, stand for themselves wherever in a line they come, but at its
/// start.
fn plain_length(text: &str, most: usize) -> usize {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'=';
    text.as_bytes().iter().take(most).take_while(|byte| is_plain(byte)).count()
}

/// Appends one character, the first of `rest`, behind `column` bytes of a line; returns how
/// many the line has then.
fn push(c: char, rest: &str, mut column: usize, out: &mut String) -> usize {
    let width = width(c, rest);
    let is_last = rest[c.len_utf8()..].starts_with('\n');
    if column + width > LINE + usize::from(is_last) {
        out.push_str("=\r\n");
        column = 0;
    }
    if width == 1 && !(column == 0 && begins_badly(rest)) {
        out.push(c);
        column + 1
    } else {
        column + push_escaped(c, out)
    }
}

fn width(c: char, rest: &str) -> usize {
    let stands_as_it_is = match c {
        '=' => false,
        ' ' | '\t' => !rest[1..].starts_with('\n'),
        _ => c.is_ascii_graphic(),
    };
    if stands_as_it_is { 1 } else { 3 * c.len_utf8() }
}

fn begins_badly(rest: &str) -> bool {
    match rest.as_bytes()[0] {
        b'.' => true,
        b'F' => rest.starts_with("From "),
        _ => false,
    }
}

fn push_escaped(c: char, out: &mut String) -> usize {
    let mut buffer = [0; 4];
    let bytes = c.encode_utf8(&mut buffer).as_bytes();
    for byte in bytes {
        write!(out, "={byte:02X}").expect("writing to a string cannot fail");
    }
    3 * bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> String {
        let mut out = String::new();
        encode(text, &mut out);
        out
    }

    fn decoded(encoded: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = encoded;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("=\r\n") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("\r\n") {
                bytes.push(b'\n');
                rest = after;
            } else if c == '=' {
                bytes.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
                rest = &rest[3..];
            } else {
                bytes.push(u8::try_from(c).unwrap());
                rest = &rest[1..];
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_could_be_misread_is_escaped_and_plain_text_is_not() {
        assert_eq!(encoded("a = b, c\n"), "a =3D b, c\r\n");
        assert_eq!(encoded("é \n\t\n"), "=C3=A9=20\r\n=09\r\n");
        assert_eq!(encoded(".\n..x\nFrom me\nFrome\n"), "=2E\r\n=2E.x\r\n=46rom me\r\nFrome\r\n");
        assert_eq!(encoded("no end"), "no end=\r\n");
        assert_eq!(encoded(""), "");
    }

    #[test]
    fn a_line_that_just_fits_is_left_alone() {
        let line = "x".repeat(76) + "\n";
        assert_eq!(encoded(&line), line.replace('\n', "\r\n"));
        assert_eq!(encoded(&format!("x{line}")), format!("{}=\r\nxx\r\n", "x".repeat(75)));
    }

    #[test]
    fn a_soft_break_falls_between_characters_and_before_column_77() {
        assert_eq!(encoded(&"x".repeat(76)), format!("{}=\r\nx=\r\n", "x".repeat(75)));
        let dots = encoded(&".".repeat(80));
        assert!(dots.lines().all(|line| line.len() <= 76 && !line.starts_with('.')), "{dots}");
        let emoji = encoded(&"🦀".repeat(10));
        assert!(emoji.lines().all(|line| (line.len() - 1) % 12 == 0), "{emoji}");
    }

    proptest! {
        #[test]
        fn stretches_decode_to_what_they_were(first in "(\\PC|[ \t\n.=\u{0}\u{85}]|From ){0,200}", second in "[ -~é\n.]{0,100}") {
            let mut out = encoded(&first);
            encode(&second, &mut out);
            prop_assert_eq!(decoded(&out), first + &second);
            for line in out.split_terminator("\r\n") {
                prop_assert!(line.len() <= 76);
                prop_assert!(line.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)));
                prop_assert!(!line.starts_with('.') && !line.starts_with("From ") && !line.ends_with([' ', '\t']));
            }
        }
    }
}
