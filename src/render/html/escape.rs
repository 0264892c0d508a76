//! Text into HTML. The same characters are escaped as an HTML parser's own serialiser
//! escapes, so that sanitising our output leaves it unchanged byte for byte.

/// Appends text as element content.
pub(in crate::render) fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '\u{a0}']) {
        out.push_str(&rest[..at]);
        let special = rest[at..].chars().next().expect("find points at a character");
        out.push_str(match special {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "&nbsp;",
        });
        rest = &rest[at + special.len_utf8()..];
    }
    out.push_str(rest);
}

/// Appends ` name="value"`.
pub(in crate::render) fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            _ => out.push(c),
        }
    }
    out.push('"');
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
        push_attribute(&mut out, "alt", "\"><script>&");
        assert_eq!(out, " alt=\"&quot;&gt;&lt;script&gt;&amp;\"");
    }
}
