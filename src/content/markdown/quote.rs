//! A quotation, or the remark it is in disguise: `> [!NOTE]`, with or without a title.

use pulldown_cmark::BlockQuoteKind;

use super::admonition::word;
use crate::domain::document::{AdmonitionKind, Block, Inline};

/// The block a quotation becomes.
pub(super) fn block(kind: Option<BlockQuoteKind>, mut blocks: Vec<Block>) -> Block {
    if let Some(kind) = kind {
        return Block::Admonition { kind: admonition(kind), title: None, blocks };
    }
    // The parser knows GitHub's five words alone on their line; authors also write a title
    // behind them, and other words.
    let Some(Block::Paragraph(first)) = blocks.first_mut() else { return Block::Quote(blocks) };
    let Some((kind, title)) = titled(first) else { return Block::Quote(blocks) };
    if first.is_empty() {
        blocks.remove(0);
    }
    Block::Admonition { kind, title: (!title.is_empty()).then_some(title), blocks }
}

/// Takes `[!WORD] Title` off the front of a paragraph. A word of nobody's list is a note of that
/// name, as Obsidian has it.
fn titled(inlines: &mut Vec<Inline>) -> Option<(AdmonitionKind, Vec<Inline>)> {
    let Some(Inline::Text(text)) = inlines.first() else { return None };
    let (name, rest) = text.strip_prefix("[!")?.split_once(']')?;
    if name.is_empty() || !name.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '_')) {
        return None;
    }
    let kind = word(name).map_or(AdmonitionKind::Note, kind_of);
    let fallback = capitalised(name);
    let rest = rest.trim_start_matches(['+', '-']).trim_start().to_owned();
    let line_end = inlines.iter().position(|inline| matches!(inline, Inline::SoftBreak | Inline::HardBreak));
    let mut title: Vec<Inline> = inlines.drain(..line_end.unwrap_or(inlines.len())).collect();
    if line_end.is_some() {
        inlines.remove(0);
    }
    title.remove(0);
    if !rest.is_empty() {
        title.insert(0, Inline::Text(rest));
    }
    if title.is_empty() && fallback != kind.word() {
        title.push(Inline::Text(fallback));
    }
    Some((kind, title))
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars.flat_map(char::to_lowercase)).collect()
}

fn kind_of(word: &str) -> AdmonitionKind {
    match word {
        "TIP" => AdmonitionKind::Tip,
        "IMPORTANT" => AdmonitionKind::Important,
        "WARNING" => AdmonitionKind::Warning,
        "CAUTION" => AdmonitionKind::Caution,
        _ => AdmonitionKind::Note,
    }
}

fn admonition(kind: BlockQuoteKind) -> AdmonitionKind {
    match kind {
        BlockQuoteKind::Note => AdmonitionKind::Note,
        BlockQuoteKind::Tip => AdmonitionKind::Tip,
        BlockQuoteKind::Important => AdmonitionKind::Important,
        BlockQuoteKind::Warning => AdmonitionKind::Warning,
        BlockQuoteKind::Caution => AdmonitionKind::Caution,
    }
}
