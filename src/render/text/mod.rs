//! The document as plain text, good enough to prefer: 72 columns, links numbered and listed
//! at the end, code indented, tables aligned.
//!
//! Each block becomes lines for a given width, and what holds it puts its mark in front, so
//! that a list in a quotation in a list wraps where it should.

mod flow;
mod inlines;
mod raw;
mod tables;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;

use crate::domain::document::{AdmonitionKind, Block, Definition, Document, Footnote, Inline, ListItem, Spacing};
use crate::domain::post::Article;
use crate::domain::publication::Publication;
use crate::domain::walk::Outline;
use crate::domain::words::{Vocabulary, Word};
use crate::pictures::Pictures;

use super::html::Sanitizer;
use super::links::{Links, Reach};
use super::views::words;
use flow::Flow;

/// How wide a line of text is, in columns.
pub(super) const WIDTH: usize = 72;

/// What holds a block indents it no further than to leave this many columns.
const NARROWEST: usize = 24;

/// The body of a post as text, with its notes and the list of its links; lines end in `\n`.
pub(super) fn body(article: &Article, publication: &Publication, pictures: &Pictures) -> String {
    let mut writer = Writer {
        pictures,
        words: words(&article.post, publication),
        links: Links::new(&publication.base_url, article.post.site_path(), Reach::Absolute),
        listed: HashMap::new(),
        outline: Outline::of(&article.document),
        sanitizer: OnceCell::new(),
        raw_link: None,
        hidden: None,
    };
    let mut lines = writer.document(&article.document);
    writer.push_list_of_links(&mut lines);
    joined(&lines)
}

/// A title with a line of `mark` under it, no wider than its widest line.
pub(super) fn underlined(title: &str, mark: char) -> String {
    let mut flow = Flow::default();
    flow.text(title);
    joined(&with_underline(flow.lines(WIDTH), mark)).trim_end().to_owned()
}

/// Running text wrapped to the usual width, each line behind a mark; no line end at the end.
pub(super) fn behind(mark: &str, text: &str) -> String {
    let mut flow = Flow::default();
    flow.text(text);
    let lines: Vec<String> = flow.lines(WIDTH - mark.len()).iter().map(|line| format!("{mark}{line}")).collect();
    joined(&lines).trim_end().to_owned()
}

fn joined(lines: &[String]) -> String {
    let mut out = String::new();
    for line in lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Writes one document.
struct Writer<'a> {
    /// Knows which formulas are text.
    pictures: &'a Pictures,
    /// What is said beside the author's own words.
    words: Vocabulary<'a>,
    links: Links,
    /// The URLs referred to so far, with their numbers: a table of contents has thousands.
    listed: HashMap<String, usize>,
    /// Which levels the headings are shown at, as in the HTML.
    outline: Outline,
    /// Reads raw HTML; made when the first is met.
    sanitizer: OnceCell<Sanitizer>,
    /// The target of a raw `<a>` that is open.
    raw_link: Option<String>,
    /// The raw element whose content nobody is meant to read, while it is open.
    hidden: Option<&'static str>,
}

impl Writer<'_> {
    fn document(&mut self, document: &Document) -> Vec<String> {
        let mut lines = self.blocks(&document.blocks, WIDTH);
        if !document.footnotes.is_empty() {
            push_section(&mut lines, self.words.word(Word::Notes));
            for (index, note) in document.footnotes.iter().enumerate() {
                lines.extend(self.note(index, note));
            }
        }
        lines
    }

    fn note(&mut self, index: usize, note: &Footnote) -> Vec<String> {
        let mark = format!("[^{}] ", index + 1);
        self.marked(&note.blocks, WIDTH, &mark)
    }

    fn push_list_of_links(&self, lines: &mut Vec<String>) {
        if self.listed.is_empty() {
            return;
        }
        push_section(lines, self.words.word(Word::Links));
        let mut listed: Vec<(&String, &usize)> = self.listed.iter().collect();
        listed.sort_unstable_by_key(|(_, number)| **number);
        lines.extend(listed.into_iter().map(|(url, number)| format!("[{number}] {url}")));
    }

    /// The number of a URL in the list of links; the same URL always has the same number.
    fn number_of(&mut self, url: &str) -> usize {
        if let Some(number) = self.listed.get(url) {
            return *number;
        }
        let number = self.listed.len() + 1;
        self.listed.insert(url.to_owned(), number);
        number
    }

    fn blocks(&mut self, blocks: &[Block], width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for block in blocks {
            let next = self.block(block, width);
            if next.is_empty() {
                continue;
            }
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(next);
        }
        lines
    }

    fn block(&mut self, block: &Block, width: usize) -> Vec<String> {
        match block {
            Block::Paragraph(content) => self.flow(content).lines(width),
            Block::Heading { level, content, .. } => self.heading(*level, content, width),
            Block::Code { title, text, .. } => code(title.as_deref(), text),
            Block::Quote(blocks) => {
                let (width, mark) = room(width, "> ");
                prefixed(self.blocks(blocks, width), mark, mark)
            }
            Block::Admonition { kind, title, blocks } => self.admonition(*kind, title.as_deref(), blocks, width),
            Block::List { start, items } => self.list(*start, items, width),
            Block::Table { alignments, head, rows } => self.table(alignments, head, rows, width),
            Block::Definitions(definitions) => self.definitions(definitions, width),
            Block::Figure { image, caption } => {
                let mut lines = self.picture(image).lines(width);
                lines.extend(self.flow(caption).lines(width));
                lines
            }
            Block::Math(tex) => indented(tex.trim()),
            Block::Rule => vec!["* * *".to_owned()],
            Block::Html(html) => self.raw_block(html, width),
            Block::More => Vec::new(),
        }
    }

    fn heading(&mut self, level: u8, content: &[Inline], width: usize) -> Vec<String> {
        let lines = self.flow(content).lines(width);
        match self.outline.level(level) {
            2 => with_underline(lines, '-'),
            3 => with_underline(lines, '~'),
            _ => lines,
        }
    }

    fn admonition(
        &mut self,
        kind: AdmonitionKind,
        title: Option<&[Inline]>,
        blocks: &[Block],
        width: usize,
    ) -> Vec<String> {
        let mut head = Flow::default();
        head.text(&format!("{}:", self.words.word(kind.title()).to_uppercase()));
        if let Some(title) = title {
            head.space();
            self.inlines(title, &mut head);
        }
        let mut lines = head.lines(width);
        let (width, mark) = room(width, "  ");
        lines.extend(prefixed(self.blocks(blocks, width), mark, mark));
        lines
    }

    fn list(&mut self, start: Option<u64>, items: &[ListItem], width: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let last = start.map(|start| start.saturating_add(items.len() as u64).saturating_sub(1).to_string().len());
        for (number, item) in (start.unwrap_or(0)..).zip(items) {
            let mark = match last {
                Some(digits) => format!("{number:>digits$}. "),
                None => "- ".to_owned(),
            };
            let task = match item.task {
                Some(true) => "[x] ",
                Some(false) => "[ ] ",
                None => "",
            };
            if item.spacing == Spacing::Loose && !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(self.item(item, width, &format!("{mark}{task}")));
        }
        lines
    }

    fn item(&mut self, item: &ListItem, width: usize, mark: &str) -> Vec<String> {
        match (item.spacing, item.blocks.as_slice()) {
            // In a tight list a sub-list follows its item's words without a blank line.
            (Spacing::Tight, [Block::Paragraph(content), rest @ ..]) => {
                let hanging = " ".repeat(mark.len());
                let (inner, hanging) = room(width, &hanging);
                let mut lines = self.flow(content).lines(inner);
                lines.extend(self.blocks(rest, inner));
                behind_mark(lines, mark, hanging)
            }
            (Spacing::Tight | Spacing::Loose, blocks) => self.marked(blocks, width, mark),
        }
    }

    /// Blocks with a mark in front of the first line and the rest hanging under its text.
    fn marked(&mut self, blocks: &[Block], width: usize, mark: &str) -> Vec<String> {
        let hanging = " ".repeat(mark.len());
        let (inner, hanging) = room(width, &hanging);
        let lines = self.blocks(blocks, inner);
        behind_mark(lines, mark, hanging)
    }

    fn definitions(&mut self, definitions: &[Definition], width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for definition in definitions {
            lines.extend(self.flow(&definition.term).lines(width));
            let (inner, mark) = room(width, "    ");
            for meaning in &definition.meanings {
                lines.extend(prefixed(self.blocks(meaning, inner), mark, mark));
            }
        }
        lines
    }

    fn flow(&mut self, content: &[Inline]) -> Flow {
        let mut flow = Flow::default();
        self.inlines(content, &mut flow);
        flow
    }
}

/// What is left of a width behind a mark; in a column already narrow the mark is dropped,
/// so that deep nesting never pushes text past the edge.
fn room(width: usize, mark: &str) -> (usize, &str) {
    if width < NARROWEST + mark.len() { (width, "") } else { (width - mark.len(), mark) }
}

fn behind_mark(lines: Vec<String>, mark: &str, hanging: &str) -> Vec<String> {
    if hanging.is_empty() || lines.is_empty() {
        let mut all = vec![mark.trim_end().to_owned()];
        all.extend(lines);
        return all;
    }
    prefixed(lines, mark, hanging)
}

fn prefixed(lines: Vec<String>, first: &str, rest: &str) -> Vec<String> {
    let mut mark = first;
    lines
        .into_iter()
        .map(|line| {
            let line = format!("{mark}{line}");
            mark = rest;
            line
        })
        .collect()
}

fn push_section(lines: &mut Vec<String>, title: &str) {
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.extend(with_underline(vec![title.to_owned()], '-'));
    lines.push(String::new());
}

fn with_underline(mut lines: Vec<String>, mark: char) -> Vec<String> {
    let width = lines.iter().map(|line| line.width()).max().unwrap_or(0);
    if width > 0 {
        lines.push(mark.to_string().repeat(width));
    }
    lines
}

/// Code, four columns in and never wrapped.
fn code(title: Option<&str>, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = title.map(|title| format!("{title}:")).into_iter().collect();
    lines.extend(indented(text.trim_end_matches('\n')));
    lines
}

fn indented(text: &str) -> Vec<String> {
    text.lines().map(|line| if line.is_empty() { String::new() } else { format!("    {line}") }).collect()
}
