//! Running text as HTML.

use super::raw::tamed;
use super::{Medium, Writer};
use crate::domain::document::{Image, Inline, Target};
use crate::math::Style;

/// No image in a mail is shown wider than the column, in pixels.
const MAIL_WIDTH: u32 = 600;

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
        if let Some((width, height)) = image.size.map(|size| self.shown_size(size)) {
            self.attribute("width", &width.to_string());
            self.attribute("height", &height.to_string());
        }
        if self.medium == Medium::Web {
            self.out.push_str(" loading=\"lazy\" decoding=\"async\"");
        }
        self.out.push('>');
    }

    fn shown_size(&self, size: (u32, u32)) -> (u32, u32) {
        match self.medium {
            Medium::Web | Medium::Feed => size,
            Medium::Mail => fitted(size),
        }
    }
}

/// The size scaled down to the mail's column, its proportions kept, never below one pixel.
pub(super) fn fitted((width, height): (u32, u32)) -> (u32, u32) {
    if width <= MAIL_WIDTH {
        return (width, height);
    }
    let scaled = (u64::from(height) * u64::from(MAIL_WIDTH) + u64::from(width) / 2) / u64::from(width);
    (MAIL_WIDTH, u32::try_from(scaled).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn an_image_fits_the_column_of_a_mail() {
        assert_eq!(fitted((1200, 630)), (600, 315));
        assert_eq!(fitted((300, 200)), (300, 200));
        assert_eq!(fitted((10_000, 1)), (600, 1));
        assert_eq!(fitted((u32::MAX, u32::MAX)), (600, 600));
    }
}
