//! Characters that XML 1.0 cannot hold, and which therefore never enter a document.

use std::borrow::Cow;
use std::ops::Range;

use crate::domain::bytes;

/// Whether XML 1.0 forbids a character (section 2.2, production `Char`).
pub(super) fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether a text holds a forbidden character. Hardly any does, so the bytes are looked at first:
/// only a control character, and what begins the three bytes of U+FFFE, is worth a reading.
pub(super) fn holds_forbidden(text: &str) -> bool {
    let may_be = |byte: u8| matches!(byte, 0..=0x8 | 0xB | 0xC | 0xE..=0x1F | 0xEF);
    bytes::first(text.as_bytes(), may_be).is_some() && text.contains(is_forbidden)
}

/// The text without forbidden characters.
pub(super) fn without_forbidden(text: &str) -> Cow<'_, str> {
    if holds_forbidden(text) { text.chars().filter(|&c| !is_forbidden(c)).collect() } else { Cow::Borrowed(text) }
}

/// The first forbidden character of a part of a text, as a byte range of the whole.
pub(super) fn first_forbidden(text: &str, within: Range<usize>) -> Option<(Range<usize>, char)> {
    let part = text.get(within.clone()).filter(|part| holds_forbidden(part))?;
    let (at, c) = part.char_indices().find(|(_, c)| is_forbidden(*c))?;
    let start = within.start + at;
    Some((start..start + c.len_utf8(), c))
}

/// Removes numeric references to forbidden characters (`&#8;`, `&#x1F;`) from HTML, where they
/// would come back to life in whatever reads it.
pub(super) fn without_forbidden_references(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("&#") {
        out.push_str(&rest[..at]);
        let reference = &rest[at..];
        let length = numeric_reference(reference).map_or(0, |(length, _)| length);
        let forbidden = numeric_reference(reference).is_some_and(|(_, c)| c.is_none_or(is_forbidden));
        if !forbidden {
            out.push_str(&reference[..length.max(2)]);
        }
        rest = &reference[length.max(2)..];
    }
    out.push_str(rest);
    out
}

/// The length of the numeric reference a text begins with, and the character it stands for
/// (`None`: no character at all, such as a surrogate).
fn numeric_reference(text: &str) -> Option<(usize, Option<char>)> {
    let digits = text.strip_prefix("&#")?;
    let (digits, radix, prefix) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 3),
        None => (digits, 10, 2),
    };
    let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    let number = u32::from_str_radix(&digits[..count], radix).ok();
    let semicolon = usize::from(digits[count..].starts_with(';'));
    Some((prefix + count + semicolon, number.and_then(char::from_u32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_control_characters_are_removed_and_others_stay() {
        assert_eq!(without_forbidden_references("a&#8;b&#x1F;c&#xD800;d&#0e"), "abcde");
        assert_eq!(without_forbidden_references("&#65;&#x1F680;&#;&#x;&amp;&#10;"), "&#65;&#x1F680;&#;&#x;&amp;&#10;");
    }
}
