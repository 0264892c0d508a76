//! Running text as HTML.

use super::raw::tamed;
use super::{Medium, Writer};
use crate::domain::document::{Image, Inline, Target, Width};
use crate::math::Style;

/// No image in a mail is shown wider than the column, in pixels.
pub(super) const MAIL_WIDTH: u32 = 600;

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
            Inline::Html(html) => match self.medium {
                Medium::Web => self.out.push_str(html),
                Medium::Feed | Medium::Mail => self.out.push_str(&tamed(html)),
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

    pub(super) fn image(&mut self, image: &Image) {
        let Some(src) = self.links.href(&image.target) else {
            self.text(&image.alt);
            return;
        };
        self.out.push_str("<img");
        self.attribute("src", &src);
        self.attribute("alt", &image.alt);
        if let Some(title) = &image.title {
            self.attribute("title", title);
        }
        match image.size.map(|size| self.shown_size(size, image.width)) {
            Some((width, height)) => {
                self.attribute("width", &width.to_string());
                self.attribute("height", &height.to_string());
            }
            None => {
                if let Some(Width::Pixels(width)) = image.width {
                    self.attribute("width", &width.to_string());
                }
            }
        }
        if let (Medium::Web, Some(Width::Percent(percent))) = (self.medium, image.width) {
            self.attribute("style", &format!("width:{percent}%"));
        }
        if self.medium == Medium::Web {
            self.out.push_str(" loading=\"lazy\" decoding=\"async\"");
        }
        self.out.push('>');
    }

    /// The size to write for an image of a size, as wide as its author wants it.
    fn shown_size(&self, size: (u32, u32), wanted: Option<Width>) -> (u32, u32) {
        match (self.medium, wanted) {
            (Medium::Web | Medium::Feed, None) | (Medium::Web, Some(Width::Percent(_))) => size,
            (Medium::Web | Medium::Feed, Some(Width::Pixels(width))) => scaled(size, width),
            (Medium::Mail, None) => fitted(size, MAIL_WIDTH),
            (Medium::Mail, Some(Width::Pixels(width))) => scaled(size, width.min(MAIL_WIDTH)),
            // No part of the column can be named here: it is taken from the mail's.
            (Medium::Feed | Medium::Mail, Some(Width::Percent(percent))) => scaled(size, MAIL_WIDTH * percent / 100),
        }
    }
}

/// The size scaled down to a column, if it is wider.
pub(super) fn fitted(size: (u32, u32), column: u32) -> (u32, u32) {
    if size.0 <= column { size } else { scaled(size, column) }
}

/// The size scaled to a width, its proportions kept, never below one pixel.
fn scaled((width, height): (u32, u32), wanted: u32) -> (u32, u32) {
    let (width, wanted) = (u64::from(width.max(1)), wanted.max(1));
    let height = (u64::from(height) * u64::from(wanted) + width / 2) / width;
    (wanted, u32::try_from(height).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::{MAIL_WIDTH, fitted, scaled};

    #[test]
    fn an_image_fits_the_column_of_a_mail() {
        assert_eq!(fitted((1200, 630), MAIL_WIDTH), (600, 315));
        assert_eq!(fitted((300, 200), MAIL_WIDTH), (300, 200));
        assert_eq!(fitted((10_000, 1), MAIL_WIDTH), (600, 1));
        assert_eq!(fitted((u32::MAX, u32::MAX), MAIL_WIDTH), (600, 600));
        assert_eq!(scaled((100, 50), 300), (300, 150));
        assert_eq!(scaled((0, 0), 300), (300, 1));
    }
}
