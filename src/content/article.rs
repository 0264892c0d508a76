//! What a document says about itself: title, summary, cover, and what of it is navigation.

use super::names::title_without_ordinal;
use crate::domain::document::{Block, Document, Inline, Target, plain_text};
use crate::math::{self, Macros};

/// A summary is cut at the end of a sentence before this many characters, if it has one.
const SUMMARY_LENGTH: usize = 300;

/// Takes the first heading out of a document as its title, without its ordinal.
pub(super) fn take_title(document: &mut Document, macros: &Macros) -> Option<String> {
    let index = document.blocks.iter().position(|block| matches!(block, Block::Heading { .. }))?;
    let Block::Heading { content, .. } = &document.blocks[index] else { return None };
    let words = words_of(content, macros);
    let title = title_without_ordinal(words.trim()).split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() {
        return None;
    }
    document.remove(index);
    Some(title)
}

/// Removes a first heading that only repeats the title: readers see the title above it.
pub(super) fn remove_repeated_title(document: &mut Document, title: &str) {
    let Some(Block::Heading { level: 1, content, .. }) = document.blocks.first() else { return };
    let words = plain_text(content);
    if folded(&words) == folded(title) || folded(title_without_ordinal(words.trim())) == folded(title) {
        document.remove(0);
    }
}

fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Removes a last line that only leads back to the contents page, and the rule above it.
pub(super) fn remove_footer(document: &mut Document) {
    let is_footer = matches!(document.blocks.last(), Some(Block::Paragraph(inlines)) if leads_home(inlines));
    if !is_footer {
        return;
    }
    document.remove(document.blocks.len() - 1);
    if document.blocks.last() == Some(&Block::Rule) {
        document.remove(document.blocks.len() - 1);
    }
}

/// One link to the home page, and nothing else but arrows, dots and spaces.
fn leads_home(inlines: &[Inline]) -> bool {
    let mut links = 0;
    for inline in inlines {
        match inline {
            Inline::Link { target: Target::Site(path), .. } if path.is_empty() => links += 1,
            Inline::Emphasis(inner) | Inline::Strong(inner) if leads_home(inner) => links += 1,
            Inline::Text(text) if !text.contains(char::is_alphanumeric) => {}
            Inline::SoftBreak | Inline::HardBreak => {}
            Inline::Text(_)
            | Inline::Emphasis(_)
            | Inline::Strong(_)
            | Inline::Strikethrough(_)
            | Inline::Superscript(_)
            | Inline::Subscript(_)
            | Inline::Code(_)
            | Inline::Math(_)
            | Inline::Link { .. }
            | Inline::Image(_)
            | Inline::FootnoteReference(_)
            | Inline::Html(_) => return false,
        }
    }
    links == 1
}

/// What precedes the `more` mark, or the first paragraph, in one to three sentences.
pub(super) fn summary(document: &Document, macros: &Macros) -> String {
    let paragraph_text = |block: &Block| paragraph_text(block, macros);
    let more = document.blocks.iter().position(|block| *block == Block::More);
    let words = match more {
        Some(end) => document.blocks[..end].iter().filter_map(paragraph_text).collect::<Vec<_>>().join(" "),
        None => document.blocks.iter().find_map(paragraph_text).unwrap_or_default(),
    };
    shortened(&words)
}

fn paragraph_text(block: &Block, macros: &Macros) -> Option<String> {
    let Block::Paragraph(inlines) = block else { return None };
    let words = words_of(inlines, macros).split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// The words of some inlines, with formulas as letters where they are no more than that.
fn words_of(inlines: &[Inline], macros: &Macros) -> String {
    inlines.iter().fold(String::new(), |words, inline| match inline {
        Inline::Math(tex) => words + math::letters(tex, macros).as_deref().unwrap_or(tex),
        other => words + &plain_text(std::slice::from_ref(other)),
    })
}

fn shortened(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(SUMMARY_LENGTH) else { return text.to_owned() };
    let head = &text[..cut];
    let mut sentences = head.match_indices(['.', '!', '?', '…', '。']).filter(|(at, mark)| {
        let next = text[at + mark.len()..].chars().next();
        next.is_none_or(char::is_whitespace) || *mark == "。"
    });
    match sentences.next_back() {
        Some((at, mark)) if at > SUMMARY_LENGTH / 4 => head[..at + mark.len()].to_owned(),
        Some(_) | None => {
            let words = head.rfind(char::is_whitespace).map_or(head, |space| &head[..space]);
            format!("{}…", words.trim_end_matches([',', ';', ':', '-', ' ']))
        }
    }
}

/// The first image of a document.
pub(super) fn cover(document: &Document) -> Option<Target> {
    // Depth is bounded where the document is built.
    document.blocks.iter().find_map(block_image)
}

fn block_image(block: &Block) -> Option<Target> {
    match block {
        Block::Figure { image, .. } => Some(image.target.clone()),
        Block::Paragraph(inlines) => inlines.iter().find_map(inline_image),
        Block::Quote(blocks) | Block::Admonition { blocks, .. } => blocks.iter().find_map(block_image),
        Block::List { items, .. } => items.iter().flat_map(|item| &item.blocks).find_map(block_image),
        Block::Heading { .. }
        | Block::Code { .. }
        | Block::Table { .. }
        | Block::Definitions(_)
        | Block::Math(_)
        | Block::Rule
        | Block::Html(_)
        | Block::More => None,
    }
}

fn inline_image(inline: &Inline) -> Option<Target> {
    match inline {
        Inline::Image(image) => Some(image.target.clone()),
        Inline::Link { content, .. } | Inline::Emphasis(content) | Inline::Strong(content) => {
            content.iter().find_map(inline_image)
        }
        Inline::Text(_)
        | Inline::Strikethrough(_)
        | Inline::Superscript(_)
        | Inline::Subscript(_)
        | Inline::Code(_)
        | Inline::Math(_)
        | Inline::FootnoteReference(_)
        | Inline::SoftBreak
        | Inline::HardBreak
        | Inline::Html(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_ends_with_a_sentence_or_a_word() {
        assert_eq!(shortened("Short."), "Short.");
        let sentences = format!("{} {}", "A sentence of some length, which stands here. ".repeat(5), "x".repeat(200));
        assert!(shortened(&sentences).ends_with("stands here."));
        let words = "word ".repeat(200);
        let short = shortened(words.trim());
        assert!(short.ends_with("word…") && short.chars().count() <= SUMMARY_LENGTH + 1);
        assert_eq!(shortened(&"日".repeat(400)).chars().count(), SUMMARY_LENGTH + 1);
    }
}
