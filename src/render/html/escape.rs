//! Text into HTML. The same characters are escaped as an HTML parser's own serialiser
//! escapes, so that sanitising our output leaves it unchanged byte for byte.

use crate::domain::bytes;

/// Appends text as element content.
pub(in crate::render) fn push_text(out: &mut String, text: &str) {
    push(out, text, |byte| matches!(byte, b'&' | b'<' | b'>' | NO_BREAK));
}

/// Appends ` name="value"`.
pub(in crate::render) fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push(out, value, |byte| matches!(byte, b'&' | b'"' | b'<' | b'>' | NO_BREAK));
    out.push('"');
}

/// What a no-break space begins with in UTF-8, and signs from U+0080 to U+00BF beside it.
const NO_BREAK: u8 = 0xC2;

/// Appends a text, with what begins with such a byte escaped. Nearly all of a text is none, and
/// is copied at once.
fn push(out: &mut String, text: &str, is_special: impl Fn(u8) -> bool) {
    let mut rest = text;
    while let Some(at) = bytes::first(rest.as_bytes(), &is_special) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let special = from.chars().next().expect("a character begins there");
        match special {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            other => out.push(other),
        }
        rest = &from[special.len_utf8()..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_open_a_tag_or_end_an_attribute() {
        let mut out = String::new();
        push_text(&mut out, "a < b & c > d\u{a0}\"e\"");
        assert_eq!(out, "a &lt; b &amp; c &gt; d&nbsp;\"e\"");
        let mut out = String::new();
        push_text(&mut out, "© ¿größer?\u{a0}& ± 💡");
        assert_eq!(out, "© ¿größer?&nbsp;&amp; ± 💡");
        let mut out = String::new();
        push_attribute(&mut out, "alt", "\"><script>&");
        assert_eq!(out, " alt=\"&quot;&gt;&lt;script&gt;&amp;\"");
    }
}
