//! The elements that are open while a document is built.

use std::ops::Range;

use super::pieces::paragraph;
use crate::domain::document::{Alignment, Block, Definition, Inline, ListItem, Spacing};

/// An element whose end has not come yet.
pub(super) struct Frame {
    pub(super) open: Open,
    pub(super) blocks: Vec<Block>,
    pub(super) inlines: Vec<Inline>,
    pub(super) span: Range<usize>,
}

/// Which element that is, with what of it came so far.
pub(super) enum Open {
    Root,
    Paragraph,
    Heading {
        level: u8,
        id: Option<String>,
    },
    Quote(Option<pulldown_cmark::BlockQuoteKind>),
    Code {
        info: String,
        text: String,
    },
    Html(String),
    List {
        start: Option<u64>,
        items: Vec<ListItem>,
        spacing: Spacing,
    },
    Item {
        task: Option<bool>,
    },
    Footnote(String),
    Table {
        alignments: Vec<Alignment>,
        head: Vec<Vec<Inline>>,
        rows: Vec<Vec<Vec<Inline>>>,
    },
    Row(Vec<Vec<Inline>>),
    Cell,
    Definitions(Vec<Definition>),
    Term,
    Meaning,
    Emphasis,
    Strong,
    Strikethrough,
    Link {
        destination: String,
        title: String,
    },
    Image {
        destination: String,
        title: String,
    },
    /// An element of an extension that is switched off.
    Unused,
}

/// What a frame holds, its pending text included.
pub(super) fn flushed(frame: Frame) -> Vec<Block> {
    let mut blocks = frame.blocks;
    if let Some(paragraph) = paragraph(frame.inlines) {
        blocks.reserve_exact(1);
        blocks.push(paragraph);
    }
    blocks
}
