//! Blocks as HTML.

use super::raw::tamed;
use super::{Medium, Writer};
use crate::domain::document::{AdmonitionKind, Block, Definition, Image, Inline, ListItem, Spacing};
use crate::domain::words::Word;
use crate::math::Style;

impl Writer<'_> {
    pub(super) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(content) => self.paragraph(content),
            Block::Heading { level, id, content } => self.heading(*level, id, content),
            Block::Code { language: Some(language), title, text, .. } if language == "mermaid" => {
                self.diagram(title.as_deref(), text);
            }
            Block::Code { language, title, marked, text } => {
                self.code(language.as_deref(), title.as_deref(), marked, text);
            }
            Block::Quote(blocks) => self.quote(blocks),
            Block::Admonition { kind, title, blocks } => self.admonition(*kind, title.as_deref(), blocks),
            Block::List { start, items } => self.list(*start, items),
            Block::Table { alignments, head, rows } => self.table(alignments, head, rows),
            Block::Definitions(definitions) => self.definitions(definitions),
            Block::Figure { image, caption } => self.figure(image, caption),
            Block::Math(tex) => self.formula(tex, Style::Display),
            Block::Rule => self.out.push_str("<hr>\n"),
            Block::Html(html) => self.raw_block(html),
            Block::More => {}
        }
    }

    fn paragraph(&mut self, content: &[Inline]) {
        self.open("p");
        self.inlines(content);
        self.out.push_str("</p>\n");
    }

    fn heading(&mut self, level: u8, id: &str, content: &[Inline]) {
        let tag = format!("h{}", self.outline.level(level));
        self.out.push('<');
        self.out.push_str(&tag);
        match self.medium {
            Medium::Web | Medium::Feed => self.attribute("id", id),
            // In mail a link to a heading leads to the web page: many clients follow no anchors.
            Medium::Mail => {}
        }
        self.out.push('>');
        self.inlines(content);
        if self.medium == Medium::Web {
            self.out.push_str(" <a class=\"anchor\"");
            self.attribute("href", &format!("#{id}"));
            self.attribute("aria-label", self.words.word(Word::Section));
            self.out.push_str(">#</a>");
        }
        self.close(&tag);
        self.out.push('\n');
    }

    fn quote(&mut self, blocks: &[Block]) {
        self.out.push_str("<blockquote>\n");
        self.blocks(blocks);
        self.out.push_str("</blockquote>\n");
    }

    fn admonition(&mut self, kind: AdmonitionKind, title: Option<&[Inline]>, blocks: &[Block]) {
        let class = kind.word().to_lowercase();
        match self.medium {
            Medium::Web => {
                self.out.push_str("<div");
                self.attribute("class", &format!("admonition {class}"));
                self.out.push_str(" role=\"note\">\n<p class=\"admonition-title\">");
            }
            Medium::Feed => self.out.push_str("<blockquote>\n<p><strong>"),
            Medium::Mail => {
                self.out.push_str(MAIL_BOX);
                self.out.push_str("<td");
                self.attribute("class", &format!("admonition {class}"));
                self.out.push_str(">\n<p class=\"admonition-title\">");
            }
        }
        match title {
            Some(title) => self.inlines(title),
            None => self.word(kind.title()),
        }
        self.out.push_str(match self.medium {
            Medium::Web | Medium::Mail => "</p>\n",
            Medium::Feed => "</strong></p>\n",
        });
        self.blocks(blocks);
        self.out.push_str(match self.medium {
            Medium::Web => "</div>\n",
            Medium::Feed => "</blockquote>\n",
            Medium::Mail => MAIL_BOX_END_LINE,
        });
    }

    fn list(&mut self, start: Option<u64>, items: &[ListItem]) {
        let tag = if start.is_some() { "ol" } else { "ul" };
        self.out.push('<');
        self.out.push_str(tag);
        if items.iter().any(|item| item.task.is_some()) {
            self.class("tasks");
        }
        if let Some(start) = start.filter(|start| *start != 1) {
            self.attribute("start", &start.to_string());
        }
        self.out.push_str(">\n");
        for item in items {
            self.item(item);
        }
        self.close(tag);
        self.out.push('\n');
    }

    fn item(&mut self, item: &ListItem) {
        self.open("li");
        let Some((first, rest)) = item.blocks.split_first() else {
            self.task(item.task);
            self.out.push_str("</li>\n");
            return;
        };
        match (first, item.spacing) {
            (Block::Paragraph(content), Spacing::Tight) => {
                self.task(item.task);
                self.inlines(content);
            }
            (Block::Paragraph(content), Spacing::Loose) => {
                self.out.push_str("\n<p>");
                self.task(item.task);
                self.inlines(content);
                self.out.push_str("</p>");
            }
            (_, Spacing::Tight | Spacing::Loose) => {
                self.task(item.task);
                self.out.push('\n');
                self.block(first);
            }
        }
        if !rest.is_empty() {
            self.out.push('\n');
        }
        for block in rest {
            match (block, item.spacing) {
                (Block::Paragraph(content), Spacing::Tight) => self.inlines(content),
                (_, Spacing::Tight | Spacing::Loose) => self.block(block),
            }
        }
        self.out.push_str("</li>\n");
    }

    /// The mark of a task: a box on the web, a sign where boxes are stripped.
    fn task(&mut self, task: Option<bool>) {
        let Some(done) = task else { return };
        let (input, word, sign) = if done {
            ("<input type=\"checkbox\" disabled checked", Word::Done, "☑ ")
        } else {
            ("<input type=\"checkbox\" disabled", Word::NotDone, "☐ ")
        };
        match self.medium {
            Medium::Web => {
                self.out.push_str(input);
                self.attribute("aria-label", self.words.word(word));
                self.out.push_str("> ");
            }
            Medium::Feed | Medium::Mail => self.out.push_str(sign),
        }
    }

    fn definitions(&mut self, definitions: &[Definition]) {
        self.out.push_str("<dl>\n");
        for definition in definitions {
            self.open("dt");
            self.inlines(&definition.term);
            self.out.push_str("</dt>\n");
            for meaning in &definition.meanings {
                self.open("dd");
                match meaning.as_slice() {
                    [Block::Paragraph(content)] => self.inlines(content),
                    blocks => {
                        self.out.push('\n');
                        self.blocks(blocks);
                    }
                }
                self.out.push_str("</dd>\n");
            }
        }
        self.out.push_str("</dl>\n");
    }

    fn figure(&mut self, image: &Image, caption: &[Inline]) {
        let (opening, closing) = self.figure_tags("figure");
        self.out.push_str(opening);
        self.image(image);
        if !caption.is_empty() {
            self.caption(|writer| writer.inlines(caption));
        }
        self.out.push_str(closing);
    }

    /// What stands around a figure. Outlook gives `figure` margins of its own.
    pub(super) fn figure_tags(&self, kind: &str) -> (&'static str, &'static str) {
        match (self.medium, kind) {
            (Medium::Mail, _) => ("<div class=\"figure\">", "</div>\n"),
            (Medium::Web, "diagram") => ("<figure class=\"diagram\">", "</figure>\n"),
            (Medium::Web | Medium::Feed, _) => ("<figure>", "</figure>\n"),
        }
    }

    /// What is written under a figure.
    pub(super) fn caption(&mut self, write: impl FnOnce(&mut Self)) {
        let (opening, closing) = match self.medium {
            Medium::Web | Medium::Feed => ("<figcaption>", "</figcaption>"),
            Medium::Mail => ("<p class=\"caption\">", "</p>"),
        };
        self.out.push_str(opening);
        write(self);
        self.out.push_str(closing);
    }

    fn raw_block(&mut self, html: &str) {
        match self.medium {
            Medium::Web => self.out.push_str(html),
            Medium::Feed | Medium::Mail => self.out.push_str(&tamed(&self.with_copies(html))),
        }
        if !html.ends_with('\n') {
            self.out.push('\n');
        }
    }
}

/// A box in mail is a table of one cell: the one thing that keeps its padding everywhere.
/// `tbody` is written because every HTML parser would add it.
pub(super) const MAIL_BOX: &str = "<table class=\"box\" role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tbody><tr>";
pub(super) const MAIL_BOX_END: &str = "</td></tr></tbody></table>";
const MAIL_BOX_END_LINE: &str = "</td></tr></tbody></table>\n";
