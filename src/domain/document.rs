//! A post's text, parsed once. Writers for the web, feeds, mail and plain text read it.
//!
//! Everything in here is data: text is as the author wrote it, never HTML-escaped and never
//! a template. Control characters that XML 1.0 forbids are already gone.

use std::ops::RangeInclusive;

use super::words::Word;

/// A whole post.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Document {
    /// The blocks in reading order.
    pub blocks: Vec<Block>,
    /// The lines of the source that the blocks begin in, from 1; empty when it has none.
    pub lines: Vec<usize>,
    /// The footnotes in order of their first reference; [`Inline::FootnoteReference`]
    /// holds an index into this.
    pub footnotes: Vec<Footnote>,
}

impl Document {
    /// The line of the source that a block begins in; 0 when that is not known.
    pub fn line(&self, block: usize) -> usize {
        self.lines.get(block).copied().unwrap_or_default()
    }

    /// Takes a block out.
    pub fn remove(&mut self, block: usize) {
        self.retain(|at, _| at != block);
    }

    /// Takes the blocks out for which `keep` says no.
    pub fn retain(&mut self, keep: impl Fn(usize, &Block) -> bool) {
        let kept: Vec<bool> = self.blocks.iter().enumerate().map(|(at, block)| keep(at, block)).collect();
        let (mut blocks, mut lines) = (kept.iter(), kept.iter());
        self.blocks.retain(|_| blocks.next().is_some_and(|kept| *kept));
        self.lines.retain(|_| lines.next().is_some_and(|kept| *kept));
    }
}

/// One footnote.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Footnote {
    /// The label the author gave it.
    pub label: String,
    /// Its text.
    pub blocks: Vec<Block>,
}

/// A block of a document.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A heading; `id` is unique in the post and safe as a fragment.
    Heading {
        /// 1 to 6, as written.
        level: u8,
        /// The fragment that links to it.
        id: String,
        /// The heading's text.
        content: Vec<Inline>,
    },
    /// A code block.
    Code {
        /// The language of the info string, in lower case, if there is one.
        language: Option<String>,
        /// A title from the info string (`title="a.py"`).
        title: Option<String>,
        /// The lines to draw attention to, counted from 1, in order and apart from each other;
        /// those beyond the last line mean nothing.
        marked: Vec<RangeInclusive<usize>>,
        /// The code, lines ended by `\n`.
        text: String,
    },
    /// A quotation.
    Quote(Vec<Block>),
    /// A note, tip, warning, ….
    Admonition {
        /// What sort of remark it is.
        kind: AdmonitionKind,
        /// The author's own title, when given.
        title: Option<Vec<Inline>>,
        /// What it says.
        blocks: Vec<Block>,
    },
    /// A list.
    List {
        /// The first number of an ordered list; `None` for bullets.
        start: Option<u64>,
        /// The items.
        items: Vec<ListItem>,
    },
    /// A table.
    Table {
        /// One alignment per column.
        alignments: Vec<Alignment>,
        /// The header's cells.
        head: Vec<Vec<Inline>>,
        /// The rows of cells.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A definition list: terms with their definitions.
    Definitions(Vec<Definition>),
    /// An image that stands alone, with its caption (the image's title, or none).
    Figure {
        /// The picture.
        image: Image,
        /// What is written under it.
        caption: Vec<Inline>,
    },
    /// A displayed formula, in TeX.
    Math(String),
    /// A thematic break.
    Rule,
    /// Raw HTML, trusted on the web and sanitised for mail and feeds. Its relative `src` and
    /// `href` are already absolute site paths or URLs.
    Html(String),
    /// The `<!-- more -->` mark: what precedes it is the summary.
    More,
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct ListItem {
    /// `Some(done)` for a task list's item.
    pub task: Option<bool>,
    /// The item's blocks; a tight item holds one paragraph without space around it.
    pub blocks: Vec<Block>,
    /// Whether the author left blank lines between items.
    pub spacing: Spacing,
}

/// Whether a list's items stand close together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// No blank line between items.
    Tight,
    /// Blank lines between items.
    Loose,
}

/// A term and what it means.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Definition {
    /// The term.
    pub term: Vec<Inline>,
    /// Its definitions.
    pub meanings: Vec<Vec<Block>>,
}

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// As the reader's software likes.
    Natural,
    /// To the left.
    Left,
    /// Centred.
    Center,
    /// To the right.
    Right,
}

/// The sorts of admonition, as GitHub names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdmonitionKind {
    /// Something worth knowing.
    Note,
    /// Advice.
    Tip,
    /// Needed to succeed.
    Important,
    /// A danger.
    Warning,
    /// A risk of bad outcomes.
    Caution,
}

impl AdmonitionKind {
    /// What readers see above it when it has no title of its own.
    pub fn title(self) -> Word {
        match self {
            Self::Note => Word::Note,
            Self::Tip => Word::Tip,
            Self::Important => Word::Important,
            Self::Warning => Word::Warning,
            Self::Caution => Word::Caution,
        }
    }

    /// What authors call it, and in lower case the CSS class.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "Note",
            Self::Tip => "Tip",
            Self::Important => "Important",
            Self::Warning => "Warning",
            Self::Caution => "Caution",
        }
    }
}

/// A piece of running text.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Inline {
    /// Text.
    Text(String),
    /// Emphasised text.
    Emphasis(Vec<Inline>),
    /// Strong text.
    Strong(Vec<Inline>),
    /// Struck text.
    Strikethrough(Vec<Inline>),
    /// Raised text.
    Superscript(Vec<Inline>),
    /// Lowered text.
    Subscript(Vec<Inline>),
    /// Code.
    Code(String),
    /// A formula in the line, in TeX.
    Math(String),
    /// A link.
    Link {
        /// Where it leads.
        target: Target,
        /// The title attribute.
        title: Option<String>,
        /// What is linked.
        content: Vec<Inline>,
    },
    /// An image in the line.
    Image(Image),
    /// A reference to the footnote of that index.
    FootnoteReference(usize),
    /// A line end in the source that is a space to the reader.
    SoftBreak,
    /// A line break the author wants.
    HardBreak,
    /// Raw inline HTML: one tag or comment.
    Html(String),
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image {
    /// Where it is.
    pub target: Target,
    /// What it shows, for who cannot see it.
    pub alt: String,
    /// The title attribute.
    pub title: Option<String>,
    /// Width and height in pixels, when the file was there to be read.
    pub size: Option<(u32, u32)>,
    /// How wide the author wants it; `None`: as wide as it is, or as there is room.
    pub width: Option<Width>,
}

/// How wide an image is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// In CSS pixels.
    Pixels(u32),
    /// In hundredths of the column, 1 to 100.
    Percent(u32),
}

impl Width {
    /// Reads `300`, `300px` or `50%`; `None` for what is no width that a picture can have.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().filter(|percent| (1..=100).contains(percent)).map(Self::Percent);
        }
        let pixels = text.strip_suffix("px").unwrap_or(text).parse().ok();
        pixels.filter(|pixels| (1..=10_000).contains(pixels)).map(Self::Pixels)
    }
}

/// Where a link or an image leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// An absolute URL elsewhere (`https:`, `mailto:`, …).
    Url(String),
    /// A path of this site, without a leading `/`; `""` is the home page. May end in `#…`.
    Site(String),
    /// A place in the same post, without the `#`.
    Fragment(String),
}

/// The words of some inlines, as a reader would speak them.
pub fn plain_text(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_plain_text(inlines, &mut out);
    out
}

fn push_plain_text(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) | Inline::Math(text) => out.push_str(text),
            Inline::Emphasis(inner)
            | Inline::Strong(inner)
            | Inline::Strikethrough(inner)
            | Inline::Superscript(inner)
            | Inline::Subscript(inner)
            | Inline::Link { content: inner, .. } => push_plain_text(inner, out),
            Inline::SoftBreak | Inline::HardBreak => out.push(' '),
            Inline::Image(_) | Inline::FootnoteReference(_) | Inline::Html(_) => {}
        }
    }
}
