//! Small decisions of the tree: what a paragraph is, what an image says.

use pulldown_cmark::HeadingLevel;

use crate::domain::document::{Alignment, Block, Inline, Width, plain_text};

/// A paragraph of running text; an image alone is a figure, as is one with a line in italics
/// under it; nothing is nothing.
pub(super) fn paragraph(mut inlines: Vec<Inline>) -> Option<Block> {
    while inlines.first().is_some_and(is_space) {
        inlines.remove(0);
    }
    while inlines.last().is_some_and(is_space) {
        inlines.pop();
    }
    match inlines.as_slice() {
        [] => None,
        [Inline::Image(image)] => {
            let mut image = image.clone();
            let caption = image.title.take().map(|title| vec![Inline::Text(title)]).unwrap_or_default();
            Some(Block::Figure { image, caption })
        }
        [Inline::Image(image), Inline::SoftBreak | Inline::HardBreak, Inline::Emphasis(caption)] => {
            Some(Block::Figure { image: image.clone(), caption: caption.clone() })
        }
        _ => Some(Block::Paragraph(inlines)),
    }
}

/// An image's description, and the width that Obsidian's authors write behind it: `![alt|300]`.
pub(super) fn width_in(alt: String) -> (String, Option<Width>) {
    let Some((words, size)) = alt.rsplit_once('|') else { return (alt, None) };
    let width = size.split_once('x').map_or(size, |(width, _)| width).trim();
    match Width::parse(width).filter(|_| !width.ends_with('%')) {
        Some(width) => (words.trim_end().to_owned(), Some(width)),
        None => (alt, None),
    }
}

fn is_space(inline: &Inline) -> bool {
    match inline {
        Inline::SoftBreak | Inline::HardBreak => true,
        // A no-break space is there for its look.
        Inline::Text(text) => text.trim_matches([' ', '\t', '\n']).is_empty(),
        Inline::Emphasis(_)
        | Inline::Strong(_)
        | Inline::Strikethrough(_)
        | Inline::Superscript(_)
        | Inline::Subscript(_)
        | Inline::Code(_)
        | Inline::Math(_)
        | Inline::Link { .. }
        | Inline::Image(_)
        | Inline::FootnoteReference(_)
        | Inline::Html(_) => false,
    }
}

/// The words of a description, with those of images inside it.
pub(super) fn alt_text(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Image(image) => image.alt.clone(),
            Inline::Text(_)
            | Inline::Emphasis(_)
            | Inline::Strong(_)
            | Inline::Strikethrough(_)
            | Inline::Superscript(_)
            | Inline::Subscript(_)
            | Inline::Code(_)
            | Inline::Math(_)
            | Inline::Link { .. }
            | Inline::FootnoteReference(_)
            | Inline::SoftBreak
            | Inline::HardBreak
            | Inline::Html(_) => plain_text(std::slice::from_ref(inline)),
        })
        .collect()
}

/// A comment that tells `check` what to leave unsaid: not for readers.
pub(super) fn is_for_check(html: &str) -> bool {
    let inner = html.trim().strip_prefix("<!-- fieldpost ").and_then(|rest| rest.strip_suffix("-->"));
    inner.is_some_and(|inner| !inner.contains("-->"))
}

/// `<!-- more -->`, as Hugo, Zola and Jekyll write it.
pub(super) fn is_more(html: &str) -> bool {
    let inner = html.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
    inner.is_some_and(|inner| {
        matches!(inner.trim().to_ascii_lowercase().as_str(), "more" | "truncate" | "excerpt" | "read more")
    })
}

/// The number of a heading's level.
pub(super) fn level_number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// The parser's word for an alignment in ours.
pub(super) fn alignment(alignment: pulldown_cmark::Alignment) -> Alignment {
    match alignment {
        pulldown_cmark::Alignment::None => Alignment::Natural,
        pulldown_cmark::Alignment::Left => Alignment::Left,
        pulldown_cmark::Alignment::Center => Alignment::Center,
        pulldown_cmark::Alignment::Right => Alignment::Right,
    }
}

/// The lines, from 1, of bytes of a text that go up; one that goes back is where the last was.
pub(super) fn lines_at(text: &str, places: &[usize]) -> Vec<usize> {
    let (mut done, mut line) = (0, 1);
    let line_at = |place: &usize| {
        line += text.get(done..*place).unwrap_or_default().matches('\n').count();
        done = done.max(*place);
        line
    };
    places.iter().map(line_at).collect()
}
