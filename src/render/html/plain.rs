//! Raw HTML so plain that no parser would make anything else of it.
//!
//! Reading a post's HTML as a browser does and writing it again is by far the dearest step of
//! making a page. Most raw HTML that people write in Markdown is a comment, a `<br>` or a
//! `<small>…</small>` in running text; then there is nothing to close or to move.

use crate::domain::document::{Block, Document, Inline};
use crate::domain::walk;

/// Elements of running text that every medium keeps and that HTML's rules never pull apart.
const ELEMENTS: [&str; 10] =
    ["<abbr>", "<cite>", "<ins>", "<kbd>", "<mark>", "<q>", "<samp>", "<small>", "<sub>", "<sup>"];

/// So deep they may lie in each other: far from where depth would matter to a parser.
const DEEPEST: usize = 4;

/// Whether all raw HTML of a document is plain.
pub(super) fn is_plain(document: &Document) -> bool {
    are_plain(&document.blocks) && document.footnotes.iter().all(|note| are_plain(&note.blocks))
}

/// Whether all raw HTML of some blocks is such elements without attributes, each closed in the
/// line of text that it was opened in, `<br>`, and comments.
pub(super) fn are_plain(blocks: &[Block]) -> bool {
    walk::all_lines_and_html(blocks, is_plain_line, |html| is_comment(html.trim()))
}

/// A line break, in whichever way it is written; we write it as `<br>`.
pub(super) fn is_break(tag: &str) -> bool {
    matches!(tag, "<br>" | "<br/>" | "<br />")
}

/// One whole comment that every parser ends at the same place (HTML, 13.1.6).
fn is_comment(html: &str) -> bool {
    let inner = html.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
    inner.is_some_and(|inner| {
        !["-->", "--!>", "<!--"].iter().any(|end| inner.contains(end))
            && !inner.starts_with(['>', '-'])
            && !inner.ends_with('-')
    })
}

fn is_plain_line(line: &[Inline]) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for inline in line {
        let Inline::Html(tag) = inline else { continue };
        if is_break(tag) || is_comment(tag) {
            continue;
        }
        if ELEMENTS.contains(&tag.as_str()) && open.len() < DEEPEST {
            open.push(tag);
        } else if open.pop().is_none_or(|opened| !closes(tag, opened)) {
            return false;
        }
    }
    open.is_empty()
}

/// Whether `</x>` stands for `<x>`.
fn closes(end: &str, start: &str) -> bool {
    end.strip_prefix("</").is_some_and(|end| start.strip_prefix('<') == Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(parts: &[&str]) -> Document {
        let inline = |part: &&str| {
            if part.starts_with('<') { Inline::Html((*part).to_owned()) } else { Inline::Text((*part).to_owned()) }
        };
        Document { blocks: vec![Block::Paragraph(parts.iter().map(inline).collect())], ..Document::default() }
    }

    #[test]
    fn a_line_is_plain_when_nothing_in_it_has_to_be_closed_or_removed() {
        for plain in [
            &["a"][..],
            &["a", "<br>", "b", "<br/>", "<br />"],
            &["<!-- a -- b -->"],
            &["<small>", "a", "<sub>", "2", "</sub>", "</small>"],
        ] {
            assert!(is_plain(&line(plain)), "{plain:?}");
        }
        for other in [
            &["<small>", "a"][..],
            &["a", "</small>"],
            &["<small>", "<sub>", "</small>", "</sub>"],
            &["<small class=x>", "</small>"],
            &["<b>", "a", "</b>"],
            &["<!-- a --> b -->"],
            &["<!-->"],
            &["<!--->a-->"],
            &["<!-- a --!> b -->"],
            &["<br class=x>"],
        ] {
            assert!(!is_plain(&line(other)), "{other:?}");
        }
        let across = Inline::Emphasis(vec![Inline::Html("<small>".into())]);
        let blocks = vec![Block::Paragraph(vec![across, Inline::Html("</small>".into())])];
        assert!(!is_plain(&Document { blocks, ..Document::default() }));
        let blocks = vec![Block::Html("<!-- a\nb -->\n".into())];
        assert!(is_plain(&Document { blocks, ..Document::default() }));
        let blocks = vec![Block::Html("<!-- a --><br><!-- b -->".into())];
        assert!(!is_plain(&Document { blocks, ..Document::default() }));
    }
}
