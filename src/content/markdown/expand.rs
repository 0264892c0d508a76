//! Shortcodes, fenced notes, wiki links and bracketed formulas, turned into plain Markdown
//! before it is parsed: only so do they work inside links, lists and quotations.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag as MarkdownTag};

use super::OPTIONS;
use super::shortcode::tag;
use super::wiki::Definitions;
use super::{admonition, brackets, liquid};
use crate::content::characters::{first_forbidden, holds_forbidden};
use crate::content::links::Linker;

/// How deep notes may lie in notes.
pub(super) const MAX_NOTES: usize = 20;
/// How many unclosed notes are looked after in one post.
const MAX_UNCLOSED: usize = 100;

/// What begins something to expand.
const MARKS: [&str; 9] = ["{{", "{%", "{:", ":::", "!!! ", "??? ", "[[", "\\(", "\\["];

/// Markdown ready to be parsed, and where each part of it came from.
pub(super) struct Body<'a> {
    pub(super) text: Cow<'a, str>,
    pieces: Vec<Piece>,
}

struct Piece {
    /// Where it begins in the Markdown.
    at: usize,
    /// Where it came from in the file.
    file: usize,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Byte by byte from the file.
    Copied,
    /// Written for something in the file.
    Written,
}

impl Body<'_> {
    /// The bytes of the file that a part of the Markdown stands for.
    pub(super) fn file_span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.file_offset(range.start);
        start..self.file_offset(range.end).max(start)
    }

    fn file_offset(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|piece| piece.at <= at);
        match self.pieces[..index].last() {
            Some(piece) if piece.origin == Origin::Copied => piece.file + (at - piece.at),
            Some(piece) => piece.file,
            None => 0,
        }
    }
}

/// Expands the shortcodes of a post's text, which begins at `body` in the file.
pub(super) fn expand<'a>(file: &'a str, body: usize, linker: &mut Linker<'_>) -> Body<'a> {
    let text = &file[body..];
    if !MARKS.iter().any(|mark| text.contains(mark)) && !holds_forbidden(text) {
        let pieces = vec![Piece { at: 0, file: body, origin: Origin::Copied }];
        return Body { text: Cow::Borrowed(text), pieces };
    }
    let mut expander = Expander {
        file,
        linker,
        body,
        regions: OnceCell::new(),
        definitions: Definitions::of(text),
        out: String::with_capacity(text.len()),
        pieces: Vec::new(),
        prefix: String::new(),
        never_closed: HashSet::new(),
        unclosed_notes: 0,
        open_unknown: 0,
    };
    expander.run(body..file.len(), 0);
    Body { text: Cow::Owned(expander.out), pieces: expander.pieces }
}

/// Writes the Markdown; the tags are in `tags`, the wiki links in `wiki`.
pub(super) struct Expander<'a, 'l, 's> {
    pub(super) file: &'a str,
    pub(super) linker: &'l mut Linker<'s>,
    /// Where the text begins in the file.
    body: usize,
    /// Where nothing is expanded, once something could be.
    regions: OnceCell<Regions>,
    /// The names that the text defines links for.
    pub(super) definitions: Definitions,
    out: String,
    pieces: Vec<Piece>,
    /// What begins every line inside a quotation or note.
    prefix: String,
    /// Names for which the rest of the file holds no closing tag.
    pub(super) never_closed: HashSet<String>,
    unclosed_notes: usize,
    /// Zola's `{% end %}` does not say what it ends.
    pub(super) open_unknown: usize,
}

/// Parts of a text that mean what they say, as byte ranges of the file.
#[derive(Default)]
struct Regions {
    /// Its code: nothing in it is expanded.
    code: Vec<Range<usize>>,
    /// Its HTML and formulas, where brackets are no links.
    literal: Vec<Range<usize>>,
}

impl Regions {
    /// Only a parser can tell; it costs as much as all else here.
    fn of(file: &str, body: usize) -> Self {
        let mut regions = Self::default();
        for (event, range) in Parser::new_ext(&file[body..], OPTIONS).into_offset_iter() {
            let range = range.start + body..range.end + body;
            match event {
                Event::Start(MarkdownTag::CodeBlock(_)) | Event::Code(_) => regions.code.push(range),
                Event::Html(_) | Event::InlineHtml(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {
                    regions.literal.push(range);
                }
                _ => {}
            }
        }
        regions
    }
}

impl Expander<'_, '_, '_> {
    /// Expands a part of the file.
    pub(super) fn run(&mut self, range: Range<usize>, depth: usize) {
        let mut at = range.start;
        let mut copied = at;
        while at < range.end {
            if self.may_begin(at, range.end) {
                if let Some(end) = ends_within(&self.regions().code, at) {
                    at = end.min(range.end);
                    continue;
                }
                if let Some(end) = self.expanded(at, copied, range.clone(), depth) {
                    (at, copied) = (end, end);
                    continue;
                }
            }
            at = self.next_beginning(at, range.end);
        }
        self.copy(copied..range.end);
    }

    fn regions(&self) -> &Regions {
        self.regions.get_or_init(|| Regions::of(self.file, self.body))
    }

    /// Whether something begins at a place, if it is not in code. Many texts have `[[1] …](…)` and
    /// `{:?}` and nothing to expand: they need not be parsed to know that.
    fn may_begin(&self, at: usize, limit: usize) -> bool {
        let rest = &self.file[at..limit];
        match rest.as_bytes() {
            [b'!', b'!', ..] | [b'?', b'?', ..] | [b':', b':', b':', ..] => true,
            [b'{', b'{' | b'%', ..] => liquid::path(rest).is_some() || tag(rest).is_some(),
            [b'[', b'[', ..] | [b'!', b'[', b'[', ..] => self.wiki_link(at, limit).is_some(),
            [b'\\', b'(' | b'[', ..] => brackets::find(self.file, at, limit).is_some(),
            [b' ' | b'\t' | b'{', ..] => attribute_line(rest).is_some(),
            _ => false,
        }
    }

    /// The next place behind `at` where something can begin: a line, a brace, a bracket.
    fn next_beginning(&self, at: usize, limit: usize) -> usize {
        let here = self.file[at..].chars().next();
        let next = at + here.map_or(1, char::len_utf8);
        if here == Some('\n') {
            return next;
        }
        let found = self.file[next..limit].find(['{', '\n', '[', '!', '\\']).map(|found| next + found);
        found.map_or(limit, |found| if self.file.as_bytes()[found] == b'\n' { found + 1 } else { found })
    }

    /// Expands what begins at a place, and writes what precedes it from `copied` on; returns
    /// where the text goes on.
    fn expanded(&mut self, at: usize, copied: usize, range: Range<usize>, depth: usize) -> Option<usize> {
        let at_line_start = at == range.start || self.file.as_bytes()[at - 1] == b'\n';
        if at_line_start && let Some(end) = self.line(at, copied, range.clone(), depth) {
            return Some(end);
        }
        let rest = &self.file[at..range.end];
        if let Some((path, length)) = liquid::path(rest) {
            self.copy(copied..at);
            self.write(&path.replace(' ', "%20"), at);
            return Some(at + length);
        }
        if let Some(tag) = tag(rest) {
            self.copy(copied..at);
            return Some(self.tag(&tag, at, range.end, depth));
        }
        if ends_within(&self.regions().literal, at).is_some() {
            return None;
        }
        if let Some(link) = self.wiki_link(at, range.end) {
            self.copy(copied..at);
            return Some(self.write_wiki_link(&link, at));
        }
        let formula = brackets::find(self.file, at, range.end)?;
        self.copy(copied..at);
        self.write(formula.mark, at);
        self.copy(formula.tex.clone());
        self.write(formula.mark, at);
        Some(formula.end)
    }

    /// Expands what takes whole lines.
    fn line(&mut self, at: usize, copied: usize, range: Range<usize>, depth: usize) -> Option<usize> {
        if let Some(end) = attribute_line(&self.file[at..range.end]) {
            self.copy(copied..at);
            return Some(at + end);
        }
        if depth >= MAX_NOTES || self.unclosed_notes >= MAX_UNCLOSED {
            return None;
        }
        match admonition::find(self.file, at..range.end)? {
            admonition::Found::Note(note) => {
                self.copy(copied..at);
                self.quoted(&note.head(), &note.lines, note.start, depth);
                Some(note.end)
            }
            admonition::Found::Box(inside) => {
                self.copy(copied..at);
                self.block(at);
                for line in &inside.lines {
                    self.run(line.clone(), depth + 1);
                }
                self.block(inside.end);
                Some(inside.end)
            }
            admonition::Found::Unclosed => {
                self.unclosed_notes += 1;
                // A colon at the beginning of a line would define a term.
                self.copy(copied..at);
                self.write("\\", at);
                self.copy(at..at + 1);
                Some(at + 1)
            }
        }
    }

    pub(super) fn copy(&mut self, range: Range<usize>) {
        if self.prefix.is_empty() {
            return self.copy_line(range);
        }
        let mut at = range.start;
        for line in self.file[range].split_inclusive('\n') {
            self.begin_line(at);
            self.copy_line(at..at + line.len());
            at += line.len();
        }
    }

    /// Copies without the characters that no feed can carry: left in, they would also keep
    /// Markdown from being read as what it is.
    fn copy_line(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while let Some((found, c)) = first_forbidden(self.file, at..range.end) {
            self.copy_clean(at..found.start);
            self.linker.control_character(&found, c);
            at = found.end;
        }
        self.copy_clean(at..range.end);
    }

    fn copy_clean(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.pieces.push(Piece { at: self.out.len(), file: range.start, origin: Origin::Copied });
            self.out.push_str(&self.file[range]);
        }
    }

    pub(super) fn write(&mut self, text: &str, file: usize) {
        for line in text.split_inclusive('\n') {
            self.begin_line(file);
            self.pieces.push(Piece { at: self.out.len(), file, origin: Origin::Written });
            self.out.push_str(line);
        }
    }

    fn begin_line(&mut self, file: usize) {
        let fresh = self.out.is_empty() || self.out.ends_with('\n');
        if fresh && !self.prefix.is_empty() {
            self.pieces.push(Piece { at: self.out.len(), file, origin: Origin::Written });
            self.out.push_str(&self.prefix);
        }
    }

    /// Begins a paragraph of its own.
    pub(super) fn block(&mut self, file: usize) {
        if !self.out.is_empty() {
            if !self.out.ends_with('\n') {
                self.write("\n", file);
            }
            self.write("\n", file);
        }
    }

    /// Writes lines of the file as a quotation under a first line.
    pub(super) fn quoted(&mut self, first: &str, lines: &[Range<usize>], file: usize, depth: usize) {
        self.block(file);
        let outer = self.prefix.len();
        self.prefix.push_str("> ");
        if !first.trim().is_empty() {
            self.write(&format!("{}\n", first.trim_end()), file);
        }
        for line in lines {
            self.run(line.clone(), depth + 1);
        }
        self.prefix.truncate(outer);
        self.block(file);
    }
}

/// Where the range around a place ends, among ranges in order.
fn ends_within(ranges: &[Range<usize>], at: usize) -> Option<usize> {
    let index = ranges.partition_point(|range| range.start <= at);
    ranges[..index].last().filter(|range| at < range.end).map(|range| range.end)
}

/// The length of a line that only gives attributes to the block above it, as Kramdown has them:
/// `{: .lead}`. The one that asks for a table of contents stays for whoever makes it.
fn attribute_line(text: &str) -> Option<usize> {
    text.trim_start_matches([' ', '\t']).strip_prefix("{:")?;
    let end = text.find('\n').map_or(text.len(), |end| end + 1);
    let inner = text[..end].trim().strip_prefix("{:")?.strip_suffix('}')?;
    let is_contents = inner.trim() == "toc";
    (!is_contents && !inner.contains(['{', '}'])).then_some(end)
}
