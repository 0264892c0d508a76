//! Images and diagrams as HTML: on the web the author's picture with its smaller copies, in mail
//! and feeds the copy that every program shows.

use std::borrow::Cow;

use super::{Medium, Writer};
use crate::domain::document::{Image, Width};
use crate::picture;
use crate::pictures::{Copies, Form, MAIL_WIDTH, Picture, Subject};
use crate::render::shown;

/// How wide the column of a page is, as `templates/style.css` makes it: in pixels, and in hundredths
/// of a narrow screen.
const COLUMN: (u32, u32) = (684, 94);

/// From this width on, a copy has all the pixels that a screen can show in the column.
const ENOUGH: u32 = 1440;

impl Writer<'_> {
    pub(super) fn image(&mut self, image: &Image) {
        let copies = shown::copies(self.post, &image.target, self.pictures);
        let Some(src) = self.source(image, copies.as_ref()) else {
            self.text(&image.alt);
            return;
        };
        self.out.push_str("<img");
        self.attribute("src", &src);
        if let (Medium::Web, Some(copies)) = (self.medium, &copies) {
            self.source_set(image, copies);
        }
        self.attribute("alt", &image.alt);
        if let Some(title) = &image.title {
            self.attribute("title", title);
        }
        match (image.size, image.width) {
            (Some(size), wanted) => {
                let (width, height) = self.shown_size(size, wanted);
                self.dimensions(width, height);
            }
            (None, Some(wanted)) => self.width_alone(wanted),
            (None, None) => {}
        }
        if let (Medium::Web, Some(Width::Percent(percent))) = (self.medium, image.width) {
            self.attribute("style", &format!("width:{percent}%"));
        }
        self.end_image();
    }

    /// The address of the picture that is shown where no other is chosen.
    fn source<'i>(&self, image: &'i Image, copies: Option<&Copies>) -> Option<Cow<'i, str>> {
        let copy = copies.and_then(|copies| match self.medium {
            Medium::Web => copies.web.last().filter(|copy| copy.width >= ENOUGH),
            Medium::Feed | Medium::Mail => Some(&copies.mail),
        });
        match copy {
            Some(copy) => Some(self.made(copy).into()),
            None => self.links.href(&image.target),
        }
    }

    /// The address of a picture that was made.
    pub(super) fn made(&self, picture: &Picture) -> String {
        self.links.site(&picture.site_path)
    }

    /// The copies a browser may choose from, by their widths in pixels; the author's own file
    /// among them unless it has more pixels than any screen.
    fn source_set(&mut self, image: &Image, copies: &Copies) {
        let Some(widest) = copies.web.last() else { return };
        let own = image
            .size
            .filter(|_| widest.width < ENOUGH)
            .and_then(|(width, _)| Some((self.links.href(&image.target)?, width)));
        let copies = copies.web.iter().map(|copy| (Cow::Owned(self.made(copy)), copy.width));
        let choices: Vec<String> = copies.chain(own).map(|(url, width)| format!("{url} {width}w")).collect();
        self.attribute("srcset", &choices.join(", "));
        self.attribute("sizes", &sizes(image.width));
    }

    /// The width of an image whose proportions nobody knows.
    fn width_alone(&mut self, wanted: Width) {
        let width = match (self.medium, wanted) {
            // A style says it, of the column as it is.
            (Medium::Web, Width::Percent(_)) => return,
            (Medium::Web | Medium::Feed, Width::Pixels(width)) => width,
            (Medium::Mail, Width::Pixels(width)) => width.min(MAIL_WIDTH),
            (Medium::Feed | Medium::Mail, Width::Percent(percent)) => MAIL_WIDTH * percent / 100,
        };
        self.attribute("width", &width.to_string());
    }

    fn dimensions(&mut self, width: u32, height: u32) {
        self.attribute("width", &width.to_string());
        self.attribute("height", &height.to_string());
    }

    fn end_image(&mut self) {
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
            (Medium::Mail, None) => fitted(size),
            (Medium::Mail, Some(Width::Pixels(width))) => scaled(size, width.min(MAIL_WIDTH)),
            // No part of the column can be named here: it is taken from the mail's.
            (Medium::Feed | Medium::Mail, Some(Width::Percent(percent))) => scaled(size, MAIL_WIDTH * percent / 100),
        }
    }

    /// A diagram as a figure; its title is the caption. One that cannot be drawn is shown as its
    /// source; what is wrong with it was said when the post was read.
    pub(super) fn diagram(&mut self, title: Option<&str>, source: &str) {
        let form = match self.medium {
            Medium::Web => Form::Drawing,
            Medium::Feed | Medium::Mail => Form::Pixels,
        };
        let Ok(picture) = self.pictures.of(&Subject::Diagram { source: source.to_owned(), form }) else {
            self.code(Some("mermaid"), title, &[], source);
            return;
        };
        let (opening, closing) = self.figure_tags("diagram");
        self.out.push_str(opening);
        self.out.push_str("<img");
        self.attribute("src", &self.made(&picture));
        let described = picture::described(source);
        self.attribute("alt", title.unwrap_or(&described));
        self.dimensions(picture.width, picture.height);
        self.end_image();
        if let Some(title) = title {
            self.caption(|writer| writer.text(title));
        }
        self.out.push_str(closing);
    }
}

/// How wide a browser will show an image, for it to choose a copy by (HTML, 4.8.4.2.2).
fn sizes(wanted: Option<Width>) -> String {
    let (column, screen) = COLUMN;
    let percent = match wanted {
        Some(Width::Pixels(width)) if width < column => return format!("{width}px"),
        Some(Width::Percent(percent)) => percent,
        Some(Width::Pixels(_)) | None => 100,
    };
    format!("(max-width: 45rem) {}vw, {}px", screen * percent / 100, column * percent / 100)
}

/// The size scaled down to the mail's column, if it is wider.
pub(super) fn fitted(size: (u32, u32)) -> (u32, u32) {
    if size.0 <= MAIL_WIDTH { size } else { scaled(size, MAIL_WIDTH) }
}

/// The size scaled to a width, its proportions kept, never below one pixel.
pub(super) fn scaled((width, height): (u32, u32), wanted: u32) -> (u32, u32) {
    let (width, wanted) = (u64::from(width.max(1)), wanted.max(1));
    let height = (u64::from(height) * u64::from(wanted) + width / 2) / width;
    (wanted, u32::try_from(height).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::{Width, fitted, scaled, sizes};

    #[test]
    fn browsers_are_told_how_wide_an_image_will_be() {
        assert_eq!(sizes(None), "(max-width: 45rem) 94vw, 684px");
        assert_eq!(sizes(Some(Width::Percent(50))), "(max-width: 45rem) 47vw, 342px");
        assert_eq!(
            (sizes(Some(Width::Pixels(200))), sizes(Some(Width::Pixels(2000)))),
            ("200px".to_owned(), sizes(None))
        );
    }

    #[test]
    fn an_image_fits_the_column_of_a_mail() {
        assert_eq!(fitted((1200, 630)), (600, 315));
        assert_eq!(fitted((300, 200)), (300, 200));
        assert_eq!(fitted((10_000, 1)), (600, 1));
        assert_eq!(fitted((u32::MAX, u32::MAX)), (600, 600));
        assert_eq!(scaled((100, 50), 300), (300, 150));
        assert_eq!(scaled((0, 0), 300), (300, 1));
    }
}
