//! The parser's events become a tree, without recursion: hostile nesting meets a limit here,
//! and nothing behind this point needs one of its own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Tag};

use super::expand::Body;
use super::frame::{Frame, Open, flushed};
use super::pieces::{alignment, alt_text, is_for_check, is_more, level_number, lines_at, paragraph, width_in};
use super::slugs::Slugs;
use super::words::finished;
use super::{code, contents, formula, illustration, quote};
use crate::content::characters::{holds_forbidden, is_forbidden, without_forbidden};
use crate::content::elements::Tags;
use crate::content::html;
use crate::content::links::Linker;
use crate::diagnostic::Diagnostic;
use crate::domain::document::{Block, Definition, Document, Footnote, Image, Inline, ListItem, Spacing, plain_text};

/// How many elements may lie in each other.
const MAX_DEPTH: usize = 100;

/// Builds the tree of one post.
pub(super) struct Builder<'b, 'l, 's> {
    file: &'b str,
    body: &'b Body<'b>,
    linker: &'l mut Linker<'s>,
    stack: Vec<Frame>,
    slugs: Slugs,
    tags: Tags,
    /// Labels in the order of their first reference.
    labels: Vec<String>,
    /// Folded label → its place in `labels`.
    numbers: HashMap<String, usize>,
    /// Folded label → the first definition of it.
    definitions: HashMap<String, Footnote>,
    /// How many diagrams were met.
    diagrams: usize,
    /// The formulas that are drawn.
    drawn: formula::Drawn,
    coloured: code::Coloured,
    /// The bytes of the file that the blocks at the root begin at.
    starts: Vec<usize>,
}

impl<'b, 'l, 's> Builder<'b, 'l, 's> {
    pub(super) fn new(file: &'b str, body: &'b Body<'b>, linker: &'l mut Linker<'s>) -> Self {
        let root = Frame { open: Open::Root, blocks: Vec::new(), inlines: Vec::new(), span: 0..0 };
        Self {
            file,
            body,
            linker,
            stack: vec![root],
            slugs: Slugs::default(),
            tags: Tags::default(),
            labels: Vec::new(),
            numbers: HashMap::new(),
            definitions: HashMap::new(),
            diagrams: 0,
            drawn: formula::Drawn::default(),
            coloured: code::Coloured::default(),
            starts: Vec::new(),
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Box<Diagnostic>> {
        let start = range.start;
        self.take(event, range)?;
        if self.stack[0].blocks.len() > self.starts.len() {
            self.starts.resize(self.stack[0].blocks.len(), self.body.file_span(start..start).start);
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::Start(tag) => return self.start(tag, range),
            Event::End(_) => self.end(range),
            Event::Text(text) => self.text(&text, &range),
            Event::Code(code) => {
                let code = self.clean(&code, &range).into_owned();
                self.inline(Inline::Code(code));
            }
            Event::InlineMath(tex) => {
                let tex = self.clean(&tex, &range).into_owned();
                let inline = formula::inline(tex, range, &mut self.drawn, self.body, self.linker);
                self.inline(inline);
            }
            Event::DisplayMath(tex) => {
                let tex = self.clean(&tex, &range).trim().to_owned();
                let block = formula::block(tex, range, &mut self.drawn, self.body, self.linker);
                self.standalone(block);
            }
            Event::Html(html) => self.html_line(&html),
            Event::InlineHtml(html) => self.inline_html(&html, range),
            Event::FootnoteReference(label) => {
                let index = self.footnote_index(&label);
                self.inline(Inline::FootnoteReference(index));
            }
            Event::SoftBreak => self.inline(Inline::SoftBreak),
            Event::HardBreak => self.inline(Inline::HardBreak),
            Event::Rule => self.block(Block::Rule),
            Event::TaskListMarker(done) => self.task(Some(done)),
        }
        Ok(())
    }

    /// The finished document; footnotes that nothing refers to are left out.
    pub(super) fn finish(mut self) -> Document {
        let root = self.stack.pop().expect("the root is never closed by an event");
        let blocks = flushed(root);
        let footnotes = self.labels.iter().map(|label| {
            let defined = self.definitions.remove(&label.to_lowercase());
            defined.unwrap_or_else(|| Footnote { label: label.clone(), blocks: Vec::new() })
        });
        let footnotes = footnotes.collect();
        let lines = lines_at(self.file, &self.starts);
        let mut document = Document { blocks, lines, footnotes };
        contents::fill(&mut document);
        document
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) -> Result<(), Box<Diagnostic>> {
        if self.stack.len() > MAX_DEPTH {
            let place = self.linker.place(self.body.file_span(range));
            let message = format!("more than {MAX_DEPTH} elements lie in each other here");
            let help = "close brackets and emphasis, and lift lists and quotations out of each other";
            return Err(Box::new(Diagnostic::error("nesting-too-deep", place, message).help(help)));
        }
        let open = self.opened(tag, &range);
        if matches!(open, Open::Paragraph) {
            self.loosen();
        }
        self.stack.push(Frame { open, blocks: Vec::new(), inlines: Vec::new(), span: range });
        Ok(())
    }

    fn opened(&mut self, tag: Tag<'_>, range: &Range<usize>) -> Open {
        match tag {
            Tag::Paragraph => Open::Paragraph,
            Tag::Heading { level, id, .. } => {
                Open::Heading { level: level_number(level), id: id.map(|id| id.to_string()) }
            }
            Tag::BlockQuote(kind) => Open::Quote(kind),
            Tag::CodeBlock(CodeBlockKind::Indented) => Open::Code { info: String::new(), text: String::new() },
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                Open::Code { info: self.clean(&info, range).into_owned(), text: String::new() }
            }
            Tag::HtmlBlock => Open::Html(String::new()),
            Tag::List(start) => Open::List { start, items: Vec::new(), spacing: Spacing::Tight },
            Tag::Item => Open::Item { task: None },
            Tag::FootnoteDefinition(label) => Open::Footnote(self.clean(&label, range).into_owned()),
            Tag::Table(alignments) => {
                let alignments = alignments.into_iter().map(alignment).collect();
                Open::Table { alignments, head: Vec::new(), rows: Vec::new() }
            }
            Tag::TableHead | Tag::TableRow => Open::Row(Vec::new()),
            Tag::TableCell => Open::Cell,
            Tag::Emphasis => Open::Emphasis,
            Tag::Strong => Open::Strong,
            Tag::Strikethrough => Open::Strikethrough,
            Tag::Link { link_type, dest_url, title, .. } => {
                let mailbox = link_type == LinkType::Email;
                let destination = if mailbox { format!("mailto:{dest_url}") } else { dest_url.into_string() };
                Open::Link { destination, title: self.clean(&title, range).into_owned() }
            }
            Tag::Image { dest_url, title, .. } => {
                Open::Image { destination: dest_url.into_string(), title: self.clean(&title, range).into_owned() }
            }
            Tag::DefinitionList => Open::Definitions(Vec::new()),
            Tag::DefinitionListTitle => Open::Term,
            Tag::DefinitionListDefinition => Open::Meaning,
            Tag::Superscript | Tag::Subscript | Tag::MetadataBlock(_) => Open::Unused,
        }
    }

    fn end(&mut self, range: Range<usize>) {
        let mut frame = self.stack.pop().expect("events are balanced");
        let is_linked = self.inside_link() || matches!(frame.open, Open::Link { .. });
        frame.inlines = finished(std::mem::take(&mut frame.inlines), is_linked);
        match frame.open {
            Open::Root | Open::Unused => {}
            Open::Paragraph => flushed(frame).into_iter().for_each(|block| self.block(block)),
            Open::Heading { level, ref id } => {
                self.linker.saw_heading(level, &self.body.file_span(frame.span.clone()));
                let id = self.slugs.give(id.as_deref().unwrap_or(&plain_text(&frame.inlines)));
                self.block(Block::Heading { level, id, content: frame.inlines });
            }
            Open::Quote(kind) => self.block(quote::block(kind, flushed(frame))),
            Open::Code { info, text } => {
                let span = self.info_span(&info, frame.span);
                let mut block = code::block(&info, text, &span, &mut self.coloured, self.linker);
                illustration::check(&mut block, range, &mut self.diagrams, self.body, self.linker);
                self.block(block);
            }
            Open::Html(html) => self.html_block(&html, range),
            Open::List { start, items, spacing } => {
                let items = items.into_iter().map(|item| ListItem { spacing, ..item }).collect();
                self.block(Block::List { start, items });
            }
            Open::Item { task } => {
                let item = ListItem { task, blocks: flushed(frame), spacing: Spacing::Tight };
                if let Some(Frame { open: Open::List { items, .. }, .. }) = self.stack.last_mut() {
                    items.push(item);
                }
            }
            Open::Footnote(ref label) => {
                let label = label.clone();
                let footnote = Footnote { label: label.clone(), blocks: flushed(frame) };
                self.definitions.entry(label.to_lowercase()).or_insert(footnote);
            }
            Open::Table { alignments, head, rows } => self.block(Block::Table { alignments, head, rows }),
            Open::Row(cells) => self.row(cells),
            Open::Cell => {
                if let Some(Frame { open: Open::Row(cells), .. }) = self.stack.last_mut() {
                    cells.push(frame.inlines);
                }
            }
            Open::Definitions(definitions) => self.block(Block::Definitions(definitions)),
            Open::Term => self.definition(|definitions| {
                definitions.push(Definition { term: frame.inlines, meanings: Vec::new() });
            }),
            Open::Meaning => self.definition(|definitions| {
                definitions.last_mut().expect("a term comes first").meanings.push(flushed(frame));
            }),
            Open::Emphasis => self.inline(Inline::Emphasis(frame.inlines)),
            Open::Strong => self.inline(Inline::Strong(frame.inlines)),
            Open::Strikethrough => self.inline(Inline::Strikethrough(frame.inlines)),
            Open::Link { destination, title } => self.link(&destination, title, frame.inlines, frame.span),
            Open::Image { destination, title } => self.image(&destination, title, &frame.inlines, frame.span),
        }
    }

    /// Where the info string of a block of code stands in the file.
    fn info_span(&self, info: &str, block: Range<usize>) -> Range<usize> {
        let at = self.body.text[block.clone()].find(info).map(|at| block.start + at);
        self.body.file_span(at.map_or(block, |at| at..at + info.len()))
    }

    fn row(&mut self, cells: Vec<Vec<Inline>>) {
        if let Some(Frame { open: Open::Table { head, rows, .. }, .. }) = self.stack.last_mut() {
            // The parser sends the head first, and a table always has one.
            if head.is_empty() && rows.is_empty() { *head = cells } else { rows.push(cells) }
        }
    }

    fn definition(&mut self, add: impl FnOnce(&mut Vec<Definition>)) {
        if let Open::Definitions(definitions) = &mut self.top().open {
            add(definitions);
        }
    }

    fn link(&mut self, destination: &str, title: String, content: Vec<Inline>, span: Range<usize>) {
        let span = self.body.file_span(span);
        match self.linker.link(destination, span.clone()) {
            Some(target) => {
                self.linker.saw_link(&target, &content, &span);
                let title = (!title.is_empty()).then_some(title);
                self.inline(Inline::Link { target, title, content });
            }
            None => content.into_iter().for_each(|inline| self.inline(inline)),
        }
    }

    fn image(&mut self, destination: &str, title: String, alt: &[Inline], span: Range<usize>) {
        let (alt, width) = width_in(alt_text(alt));
        let span = self.body.file_span(span);
        match self.linker.image(destination, span.clone()) {
            Some((target, size)) => {
                self.linker.saw_image(&alt, &span);
                let title = (!title.is_empty()).then_some(title);
                self.inline(Inline::Image(Image { target, alt, title, size, width }));
            }
            None => self.words(&alt),
        }
    }

    fn text(&mut self, text: &str, range: &Range<usize>) {
        let clean = self.clean(text, range);
        if let Open::Code { text, .. } | Open::Html(text) = &mut self.top().open {
            text.push_str(&clean);
        } else {
            if self.linker.lints() {
                self.linker.saw_text(&clean, &self.body.file_span(range.clone()));
            }
            self.words(&clean);
        }
    }

    fn inline(&mut self, inline: Inline) {
        match inline {
            Inline::Text(words) => self.words(&words),
            inline => push(&mut self.top().inlines, inline),
        }
    }

    /// Running text; the parser hands it out in pieces.
    fn words(&mut self, words: &str) {
        let inlines = &mut self.top().inlines;
        match inlines.last_mut() {
            Some(Inline::Text(text)) => text.push_str(words),
            Some(_) | None if words.is_empty() => {}
            Some(_) | None => push(inlines, Inline::Text(words.to_owned())),
        }
    }

    fn block(&mut self, block: Block) {
        let is_linked = self.inside_link();
        let top = self.top();
        // The text of a tight item, before what lies in it.
        let pending = finished(std::mem::take(&mut top.inlines), is_linked);
        top.blocks.extend(paragraph(pending));
        top.blocks.push(block);
    }

    /// A block that the author wrote in the middle of running text.
    fn standalone(&mut self, block: Block) {
        match (&self.top().open, block) {
            (
                Open::Paragraph | Open::Root | Open::Quote(_) | Open::Item { .. } | Open::Footnote(_) | Open::Meaning,
                block,
            ) => {
                self.block(block);
            }
            (_, Block::Math(tex)) => self.inline(Inline::Math(tex)),
            (_, _) => {}
        }
    }

    fn html_line(&mut self, html: &str) {
        if let Open::Html(text) = &mut self.top().open {
            text.push_str(html);
        }
    }

    fn html_block(&mut self, html: &str, range: Range<usize>) {
        if is_for_check(html) {
            return;
        }
        if is_more(html) {
            if self.stack.len() == 1 {
                self.block(Block::More);
            }
            return;
        }
        let mut html = self.tags.html(html);
        if !html.contains('<') {
            // Nothing in it was a tag: it is a paragraph that began with `<T>`.
            html = format!("<p>{}</p>\n", html.trim_end()).into();
        }
        let span = self.body.file_span(range);
        self.clean(&html, &span);
        self.linker.saw_html(&html, &span);
        let html = html::rewrite(&html, self.linker, self.file, span);
        self.block(Block::Html(html));
    }

    fn inline_html(&mut self, html: &str, range: Range<usize>) {
        if is_for_check(html) {
            return;
        }
        if is_more(html) {
            if self.stack.len() <= 2 {
                self.standalone(Block::More);
            }
            return;
        }
        let (before, after) = (&self.body.text[..range.start], &self.body.text[range.end..]);
        if !self.tags.is_html(html, before, after) {
            return self.text(html, &range);
        }
        self.clean(html, &range);
        let span = self.body.file_span(range);
        self.linker.saw_html(html, &span);
        let html = html::rewrite(html, self.linker, self.file, span);
        self.inline(Inline::Html(html));
    }

    fn footnote_index(&mut self, label: &str) -> usize {
        let label = without_forbidden(label).into_owned();
        let next = self.labels.len();
        let index = *self.numbers.entry(label.to_lowercase()).or_insert(next);
        if index == next {
            self.labels.push(label);
        }
        index
    }

    fn task(&mut self, mark: Option<bool>) {
        let item = self.stack.iter_mut().rev().find_map(|frame| {
            let Open::Item { task } = &mut frame.open else { return None };
            Some(task)
        });
        if let Some(task) = item {
            *task = mark;
        }
    }

    /// A paragraph directly in an item means that blank lines divide the items.
    fn loosen(&mut self) {
        if let [.., Frame { open: Open::List { spacing, .. }, .. }, Frame { open: Open::Item { .. }, .. }] =
            &mut self.stack[..]
        {
            *spacing = Spacing::Loose;
        }
    }

    fn inside_link(&self) -> bool {
        self.stack.iter().any(|frame| matches!(frame.open, Open::Link { .. } | Open::Image { .. }))
    }

    fn top(&mut self) -> &mut Frame {
        self.stack.last_mut().expect("the root is never closed by an event")
    }

    /// Text without the characters that no feed can carry: those of the file are gone already,
    /// but `&#8;` makes new ones.
    fn clean<'t>(&mut self, text: &'t str, range: &Range<usize>) -> Cow<'t, str> {
        if !holds_forbidden(text) {
            return Cow::Borrowed(text);
        }
        let c = text.chars().find(|c| is_forbidden(*c)).expect("the text holds one");
        self.linker.control_character(&self.body.file_span(range.clone()), c);
        without_forbidden(text)
    }
}

/// Most running text, and most of what is linked or emphasised, is one piece: the vector gets room
/// for one before it gets room for more.
fn push(inlines: &mut Vec<Inline>, inline: Inline) {
    if inlines.is_empty() {
        inlines.reserve_exact(1);
    }
    inlines.push(inline);
}
