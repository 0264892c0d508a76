//! A table of contents where the author asks for one: `[TOC]`, `[[toc]]`, `{:toc}`.

use crate::domain::document::{Block, Document, Inline, ListItem, Spacing, Target, plain_text};

/// Puts a list of the post's headings where one is asked for first; a second request is left out.
pub(super) fn fill(document: &mut Document) {
    let Some(at) = document.blocks.iter().position(asks) else { return };
    let items = list(&document.blocks);
    document.blocks[at] = Block::List { start: None, items };
    document.retain(|index, block| match block {
        Block::List { items, .. } if index == at => !items.is_empty(),
        other => !asks(other),
    });
}

/// Whether a block is nothing but the request for a table of contents.
fn asks(block: &Block) -> bool {
    match block {
        Block::Paragraph(inlines) => {
            let words = plain_text(inlines).to_lowercase();
            matches!(words.trim(), "[toc]" | "[[toc]]" | "[[_toc_]]" | "{:toc}")
        }
        // Kramdown puts it in the place of a list of one item.
        Block::List { items, .. } => match items.as_slice() {
            [ListItem { blocks, .. }] => matches!(blocks.as_slice(), [Block::Paragraph(inlines)]
                if plain_text(inlines).trim_end().ends_with("{:toc}")),
            _ => false,
        },
        _ => false,
    }
}

struct Entry<'a> {
    level: u8,
    id: &'a str,
    content: &'a [Inline],
}

fn list(blocks: &[Block]) -> Vec<ListItem> {
    let entries: Vec<Entry<'_>> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Heading { level, id, content } => Some(Entry { level: *level, id, content }),
            _ => None,
        })
        .collect();
    items(&entries)
}

/// Headings as a list; those below one lie in its item. Six levels are the deepest there is.
fn items(entries: &[Entry<'_>]) -> Vec<ListItem> {
    let Some(highest) = entries.iter().map(|entry| entry.level).min() else { return Vec::new() };
    let first = entries.iter().position(|entry| entry.level == highest).unwrap_or(0);
    // What precedes the first heading of the highest level has none to lie in.
    let mut out = items(&entries[..first]);
    for section in entries[first..].chunk_by(|_, next| next.level > highest) {
        let Some((head, below)) = section.split_first() else { continue };
        let mut blocks = vec![Block::Paragraph(vec![link(head)])];
        let below = items(below);
        if !below.is_empty() {
            blocks.push(Block::List { start: None, items: below });
        }
        out.push(ListItem { task: None, blocks, spacing: Spacing::Tight });
    }
    out
}

fn link(entry: &Entry<'_>) -> Inline {
    let content = vec![Inline::Text(plain_text(entry.content))];
    Inline::Link { target: Target::Fragment(entry.id.to_owned()), title: None, content }
}
