//! Footnotes as HTML: raised numbers in the text, a list at its end, and ways back.

use super::{Medium, Writer};
use crate::domain::document::{Block, Footnote};
use crate::domain::words::Word;

impl Writer<'_> {
    /// The raised number that refers to a note. A reference to a note that does not exist is
    /// written as nothing: the parser makes none.
    pub(super) fn note_reference(&mut self, index: usize) {
        let Some(uses) = self.note_uses.get_mut(index) else { return };
        *uses += 1;
        let id = self.reference_id(index, self.note_uses[index]);
        self.out.push_str("<sup");
        self.attribute("id", &id);
        self.class("noteref");
        self.out.push('>');
        if self.inside_link {
            self.text(&(index + 1).to_string());
        } else {
            self.out.push_str("<a");
            let href = self.note_link(&self.note_id(index));
            self.attribute("href", &href);
            if self.medium == Medium::Web {
                self.out.push_str(" role=\"doc-noteref\"");
            }
            self.out.push('>');
            self.text(&(index + 1).to_string());
            self.close("a");
        }
        self.close("sup");
    }

    /// The list of notes.
    pub(super) fn notes(&mut self) {
        if self.document.footnotes.is_empty() {
            return;
        }
        match self.medium {
            Medium::Web => {
                self.out.push_str("<section class=\"notes\" role=\"doc-endnotes\"");
                self.attribute("aria-label", self.words.word(Word::Notes));
                self.out.push_str(">\n<ol>\n");
            }
            Medium::Feed => self.out.push_str("<section>\n<ol>\n"),
            Medium::Mail => self.out.push_str("<div class=\"notes\">\n<ol>\n"),
        }
        let footnotes = &self.document.footnotes;
        for (index, note) in footnotes.iter().enumerate() {
            self.note(index, note);
        }
        self.out.push_str(match self.medium {
            Medium::Web | Medium::Feed => "</ol>\n</section>\n",
            Medium::Mail => "</ol>\n</div>\n",
        });
    }

    fn note(&mut self, index: usize, note: &Footnote) {
        let id = self.note_id(index);
        self.out.push_str("<li");
        self.attribute("id", &id);
        self.out.push('>');
        if self.medium == Medium::Mail {
            // Gmail follows a link only to an empty, named anchor, which HTML wants to be a link;
            // nobody shall reach it as one.
            self.out.push_str("<a");
            self.attribute("href", &format!("#{id}"));
            self.attribute("name", &id);
            self.out.push_str(" tabindex=\"-1\" aria-hidden=\"true\"></a>");
        }
        self.out.push('\n');
        // The ways back stand at the end of the last paragraph, or in one of their own.
        let (last, before) = match note.blocks.split_last() {
            Some((Block::Paragraph(content), before)) => (content.as_slice(), before),
            Some(_) | None => (&[][..], note.blocks.as_slice()),
        };
        self.blocks(before);
        self.open("p");
        self.inlines(last);
        self.ways_back(index);
        self.out.push_str("</p>\n");
        self.out.push_str("</li>\n");
    }

    /// One link back for each reference to the note.
    fn ways_back(&mut self, index: usize) {
        for number in 1..=self.note_uses[index] {
            self.out.push_str(" <a");
            let href = self.note_link(&self.reference_id(index, number));
            self.attribute("href", &href);
            if self.medium == Medium::Web {
                self.out.push_str(" role=\"doc-backlink\"");
                self.attribute("aria-label", &self.words.word(Word::Back).replace("{note}", &(index + 1).to_string()));
                self.class("backlink");
            }
            // U+FE0E keeps the arrow from becoming an emoji.
            self.out.push_str(">↩\u{fe0e}</a>");
        }
    }

    fn note_id(&self, index: usize) -> String {
        format!("fn-{}-{}", self.note_prefix, index + 1)
    }

    fn reference_id(&self, index: usize, number: usize) -> String {
        let base = format!("fnref-{}-{}", self.note_prefix, index + 1);
        if number == 1 { base } else { format!("{base}-{number}") }
    }

    /// On the web and in mail a note is in the same text; a feed reader may show the text
    /// anywhere, so there the link is whole.
    fn note_link(&self, id: &str) -> String {
        match self.medium {
            Medium::Web | Medium::Mail => format!("#{id}"),
            Medium::Feed => self.links.fragment(id),
        }
    }
}
