//! Questions about a whole document.

use std::cell::{Cell, RefCell};

use super::document::{Block, Document, Footnote, Inline, Target};

/// One thing in a document.
#[derive(Clone, Copy)]
enum Node<'a> {
    Block(&'a Block),
    /// Running text, before what is in it.
    Line(&'a [Inline]),
    Inline(&'a Inline),
}

/// Whether something holds for every stretch of running text of some blocks, and something for every block
/// of raw HTML among them, those in others included.
pub fn all_lines_and_html(
    blocks: &[Block],
    line_test: impl Fn(&[Inline]) -> bool,
    html_test: impl Fn(&str) -> bool,
) -> bool {
    !any_block(blocks, &|node| match node {
        Node::Line(line) => !line_test(line),
        Node::Block(Block::Html(html)) => !html_test(html),
        Node::Block(_) | Node::Inline(_) => false,
    })
}

/// The level at which a heading is shown: 2 for the highest the author used, since the title
/// stands above it at 1, and so on down. Outlines without gaps are what screen readers follow.
#[derive(Debug, Clone, Copy)]
pub struct Outline {
    highest: u8,
}

impl Outline {
    /// The outline of a document.
    pub fn of(document: &Document) -> Self {
        let highest = Cell::new(6);
        any(document, &|node| {
            if let Node::Block(Block::Heading { level, .. }) = node {
                highest.set(highest.get().min(*level));
            }
            false
        });
        Self { highest: highest.get() }
    }

    /// The level shown for a level written: 2 to 6.
    pub fn level(self, written: u8) -> u8 {
        (written.saturating_sub(self.highest) + 2).min(6)
    }
}

/// What a document shows that is more than text, each in reading order, notes last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Exhibits {
    /// The formulas that stand in running text, in TeX.
    pub inline_formulas: Vec<String>,
    /// The displayed formulas, in TeX.
    pub displayed_formulas: Vec<String>,
    /// The sources of the diagrams.
    pub diagrams: Vec<String>,
    /// Where the images are.
    pub images: Vec<Target>,
    /// The pieces of raw HTML that show an image.
    pub html_with_images: Vec<String>,
}

impl Exhibits {
    /// What a document shows.
    pub fn of(document: &Document) -> Self {
        let exhibits = RefCell::new(Self::default());
        any(document, &|node| {
            exhibits.borrow_mut().take(node);
            false
        });
        exhibits.into_inner()
    }

    fn take(&mut self, node: Node) {
        match node {
            Node::Inline(Inline::Math(tex)) => self.inline_formulas.push(tex.clone()),
            Node::Block(Block::Math(tex)) => self.displayed_formulas.push(tex.clone()),
            Node::Block(Block::Code { language: Some(language), text, .. }) if language == "mermaid" => {
                self.diagrams.push(text.clone());
            }
            Node::Block(Block::Figure { image, .. }) | Node::Inline(Inline::Image(image)) => {
                self.images.push(image.target.clone());
            }
            Node::Block(Block::Html(html)) | Node::Inline(Inline::Html(html)) => {
                if html.to_ascii_lowercase().contains("<img") {
                    self.html_with_images.push(html.clone());
                }
            }
            Node::Block(_) | Node::Line(_) | Node::Inline(_) => {}
        }
    }
}

/// Whether there is a block of code anywhere.
pub fn has_code(document: &Document) -> bool {
    any(document, &|node| matches!(node, Node::Block(Block::Code { .. })))
}

/// Whether a document shows an image, by its place.
pub fn shows(document: &Document, target: &Target) -> bool {
    let name = match target {
        Target::Url(name) | Target::Site(name) | Target::Fragment(name) => name.as_str(),
    };
    any(document, &|node| match node {
        Node::Block(Block::Figure { image, .. }) | Node::Inline(Inline::Image(image)) => image.target == *target,
        Node::Block(Block::Html(html)) | Node::Inline(Inline::Html(html)) => html.contains(name),
        Node::Block(_) | Node::Line(_) | Node::Inline(_) => false,
    })
}

/// How many of the notes some blocks refer to, counted from the first: notes are in the order of
/// their first reference. A note may refer to others.
pub fn notes_used(blocks: &[Block], notes: &[Footnote]) -> usize {
    let used = Cell::new(0);
    let count = |node: Node| {
        if let Node::Inline(Inline::FootnoteReference(index)) = node {
            used.set(used.get().max(index + 1).min(notes.len()));
        }
        false
    };
    any_block(blocks, &count);
    let mut seen = 0;
    while seen < used.get() {
        any_block(&notes[seen].blocks, &count);
        seen += 1;
    }
    used.get()
}

fn any(document: &Document, test: &dyn Fn(Node) -> bool) -> bool {
    any_block(&document.blocks, test) || document.footnotes.iter().any(|note| any_block(&note.blocks, test))
}

fn any_block(blocks: &[Block], test: &dyn Fn(Node) -> bool) -> bool {
    blocks.iter().any(|block| test(Node::Block(block)) || inside_block(block, test))
}

fn inside_block(block: &Block, test: &dyn Fn(Node) -> bool) -> bool {
    match block {
        Block::Paragraph(content) | Block::Heading { content, .. } | Block::Figure { caption: content, .. } => {
            any_inline(content, test)
        }
        Block::Quote(blocks) => any_block(blocks, test),
        Block::Admonition { title, blocks, .. } => {
            title.as_ref().is_some_and(|title| any_inline(title, test)) || any_block(blocks, test)
        }
        Block::List { items, .. } => items.iter().any(|item| any_block(&item.blocks, test)),
        Block::Table { head, rows, .. } => head.iter().chain(rows.iter().flatten()).any(|cell| any_inline(cell, test)),
        Block::Definitions(definitions) => definitions.iter().any(|definition| {
            any_inline(&definition.term, test) || definition.meanings.iter().any(|meaning| any_block(meaning, test))
        }),
        Block::Code { .. } | Block::Math(_) | Block::Rule | Block::Html(_) | Block::More => false,
    }
}

fn any_inline(line: &[Inline], test: &dyn Fn(Node) -> bool) -> bool {
    test(Node::Line(line)) || line.iter().any(|inline| test(Node::Inline(inline)) || inside_inline(inline, test))
}

fn inside_inline(inline: &Inline, test: &dyn Fn(Node) -> bool) -> bool {
    match inline {
        Inline::Emphasis(inner)
        | Inline::Strong(inner)
        | Inline::Strikethrough(inner)
        | Inline::Superscript(inner)
        | Inline::Subscript(inner)
        | Inline::Link { content: inner, .. } => any_inline(inner, test),
        Inline::Text(_)
        | Inline::Code(_)
        | Inline::Math(_)
        | Inline::Image(_)
        | Inline::FootnoteReference(_)
        | Inline::SoftBreak
        | Inline::HardBreak
        | Inline::Html(_) => false,
    }
}
