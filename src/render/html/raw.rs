//! Raw HTML taken to pieces: just enough to rename a tag or to read the words.
//!
//! This is no parser. What must be safe is parsed by the sanitiser; what is read here is
//! either its output or on its way into it.

use super::escape::{push_attribute, push_text};

/// A stretch of raw HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum Piece<'a> {
    /// What stands between tags.
    Text(&'a str),
    /// A tag with its brackets.
    Tag(&'a str),
    /// A comment, a doctype, a processing instruction.
    Comment(&'a str),
}

/// The pieces of raw HTML in order; joined they are the input again.
pub(in crate::render) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, length) = next_piece(rest);
        rest = &rest[length..];
        Some(piece)
    })
}

fn next_piece(html: &str) -> (Piece<'_>, usize) {
    if let Some(comment) = html.strip_prefix("<!--") {
        let end = comment.find("-->").map_or(html.len(), |at| at + "<!---->".len());
        return (Piece::Comment(&html[..end]), end);
    }
    if html.starts_with("<!") || html.starts_with("<?") {
        let end = html.find('>').map_or(html.len(), |at| at + 1);
        return (Piece::Comment(&html[..end]), end);
    }
    if let Some(end) = tag_end(html) {
        return (Piece::Tag(&html[..end]), end);
    }
    let end = html.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(html.len(), |(at, _)| at);
    (Piece::Text(&html[..end]), end)
}

/// Where the tag that begins here ends; `None` when no tag begins here.
fn tag_end(html: &str) -> Option<usize> {
    let after = html.strip_prefix('<')?;
    let name = after.strip_prefix('/').unwrap_or(after);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

/// HTML in which each `<img>` tag is what `write` makes of it; all else stays as it is.
pub(in crate::render) fn with_images(html: &str, mut write: impl FnMut(&str, &mut String)) -> String {
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece {
            Piece::Tag(tag) if tag_name(tag) == "img" => write(tag, &mut out),
            Piece::Text(other) | Piece::Tag(other) | Piece::Comment(other) => out.push_str(other),
        }
    }
    out
}

/// The name of a tag in lower case, with a leading `/` when it closes.
pub(in crate::render) fn tag_name(tag: &str) -> String {
    let inner = tag.trim_start_matches('<');
    let (slash, inner) = inner.strip_prefix('/').map_or(("", inner), |inner| ("/", inner));
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(inner.len());
    format!("{slash}{}", inner[..end].to_ascii_lowercase())
}

/// The value of a tag's attribute, its entities as written; `None` when it has none.
pub(in crate::render) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag.trim_start_matches('<').trim_end_matches('>');
    rest = &rest[rest.find(|c: char| c.is_ascii_whitespace())?..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        let found = rest[..end].eq_ignore_ascii_case(name);
        let after = rest[end..].trim_start();
        let Some(after) = after.strip_prefix('=') else {
            rest = if end == 0 { "" } else { &rest[end..] };
            continue;
        };
        let (value, after) = attribute_value(after.trim_start());
        if found {
            return Some(value);
        }
        rest = after;
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len()))
}

/// Raw HTML with what neither mail nor feed readers show turned into what they do: a
/// `details` is shown open with its summary as a strong line, and an embedded page becomes
/// a link to it. Comments are for the author's eyes: they go.
pub(in crate::render) fn tamed(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Comment(_) => {}
            Piece::Tag(tag) => match tag_name(tag).as_str() {
                "details" => out.push_str("<div>"),
                "/details" => out.push_str("</div>"),
                "summary" => out.push_str("<p><strong>"),
                "/summary" => out.push_str("</strong></p>"),
                "iframe" => push_embedded(&mut out, tag),
                "/iframe" => {}
                _ => out.push_str(tag),
            },
        }
    }
    out
}

fn push_embedded(out: &mut String, tag: &str) {
    let scheme_is_safe = |src: &&str| ["https://", "http://", "//", "/"].iter().any(|start| src.starts_with(start));
    let Some(src) = attribute(tag, "src").map(str::trim).filter(scheme_is_safe) else { return };
    let label = attribute(tag, "title").filter(|title| !title.trim().is_empty()).unwrap_or(src);
    out.push_str("<p><a");
    push_attribute(out, "href", &src.replace("&amp;", "&"));
    out.push('>');
    push_text(out, &label.replace("&amp;", "&"));
    out.push_str("</a></p>");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_told_from_text_even_when_they_quote_brackets() {
        let found: Vec<Piece> = pieces("a < b <img alt='>' src=x> c<!-- <b> --></P >").collect();
        assert_eq!(
            found,
            [
                Piece::Text("a "),
                Piece::Text("< b "),
                Piece::Tag("<img alt='>' src=x>"),
                Piece::Text(" c"),
                Piece::Comment("<!-- <b> -->"),
                Piece::Tag("</P >"),
            ]
        );
        assert_eq!(tag_name("</P >"), "/p");
        assert_eq!(attribute("<img ALT='>' src=x>", "alt"), Some(">"));
        assert_eq!(attribute("<img alt='>' src=x>", "src"), Some("x"));
        assert_eq!(attribute("<a download href = \"y\">", "href"), Some("y"));
        assert_eq!(attribute("<a =x = y>", "href"), None);
    }

    #[test]
    fn details_are_shown_open_and_a_frame_becomes_a_link() {
        assert_eq!(
            tamed("<Details open><summary>More</summary>x</details>"),
            "<div><p><strong>More</strong></p>x</div>"
        );
        assert_eq!(
            tamed("<iframe src=\"https://v.example/e?a=1&amp;b=2\" title=\"A film\"></iframe>"),
            "<p><a href=\"https://v.example/e?a=1&amp;b=2\">A film</a></p>"
        );
    }

    proptest! {
        #[test]
        fn the_pieces_joined_are_the_input(html in "[<>!/a-c\"' =-]{0,40}") {
            let joined: String = pieces(&html).map(|piece| match piece {
                Piece::Text(text) | Piece::Tag(text) | Piece::Comment(text) => text,
            }).collect();
            prop_assert_eq!(joined, html);
        }

        #[test]
        fn looking_for_an_attribute_always_ends(tag in "<[<>!/a-c\"' =-]{0,40}>") {
            attribute(&tag, "href");
        }
    }
}
