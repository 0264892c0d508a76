//! Running text as HTML.

use super::plain::is_break;
use super::raw::tamed;
use super::{Medium, Writer};
use crate::domain::document::{Inline, Target};
use crate::math::Style;

impl Writer<'_> {
    pub(super) fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            self.inline(inline);
        }
    }

    fn inline(&mut self, inline: &Inline) {
        match inline {
            Inline::Text(text) => self.text(text),
            Inline::Emphasis(inner) => self.wrapped("em", inner),
            Inline::Strong(inner) => self.wrapped("strong", inner),
            Inline::Strikethrough(inner) => self.wrapped("del", inner),
            Inline::Superscript(inner) => self.wrapped("sup", inner),
            Inline::Subscript(inner) => self.wrapped("sub", inner),
            Inline::Code(code) => {
                self.open("code");
                self.text(code);
                self.close("code");
            }
            Inline::Math(tex) => self.formula(tex, Style::Inline),
            Inline::Link { target, title, content } => self.link(target, title.as_deref(), content),
            Inline::Image(image) => self.image(image),
            Inline::FootnoteReference(index) => self.note_reference(*index),
            Inline::SoftBreak => self.out.push('\n'),
            Inline::HardBreak => self.out.push_str("<br>\n"),
            Inline::Html(tag) if is_break(tag) => self.open("br"),
            Inline::Html(html) => match self.medium {
                Medium::Web => self.out.push_str(html),
                Medium::Feed | Medium::Mail => self.out.push_str(&tamed(&self.with_copies(html))),
            },
        }
    }

    fn wrapped(&mut self, tag: &str, inner: &[Inline]) {
        self.open(tag);
        self.inlines(inner);
        self.close(tag);
    }

    fn link(&mut self, target: &Target, title: Option<&str>, content: &[Inline]) {
        let href = self.links.href(target).filter(|_| !self.inside_link);
        let Some(href) = href else {
            self.inlines(content);
            return;
        };
        self.out.push_str("<a");
        self.attribute("href", &href);
        if let Some(title) = title {
            self.attribute("title", title);
        }
        self.out.push('>');
        self.inside_link = true;
        self.inlines(content);
        self.inside_link = false;
        self.close("a");
    }
}
