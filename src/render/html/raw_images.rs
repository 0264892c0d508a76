//! The images of raw HTML, for mail and feeds: as Markdown's own, they show the copy that every
//! program shows, with its width and height, never wider than the column.

use super::images::{fitted, scaled};
use super::raw::{attribute, with_images};
use super::{Medium, Writer, push_attribute};
use crate::domain::document::Width;
use crate::pictures::MAIL_WIDTH;
use crate::render::shown;

/// What else an image may say of itself; the sanitiser judges it.
const KEPT: [&str; 6] = ["alt", "title", "class", "dir", "lang", "id"];

impl Writer<'_> {
    /// Raw HTML with its images made so.
    pub(super) fn with_copies(&self, html: &str) -> String {
        with_images(html, |tag, out| self.raw_image(tag, out))
    }

    fn raw_image(&self, tag: &str, out: &mut String) {
        let copies = shown::raw_asset(tag, self.post, &self.links).and_then(|file| self.pictures.copies(file).ok());
        let Some(copy) = copies.map(|copies| copies.mail) else { return self.image_elsewhere(tag, out) };
        let (width, height) = match wanted(tag) {
            None => (copy.width, copy.height),
            Some(Width::Pixels(width)) => scaled((copy.width, copy.height), width.min(MAIL_WIDTH)),
            Some(Width::Percent(percent)) => scaled((copy.width, copy.height), MAIL_WIDTH * percent / 100),
        };
        out.push_str("<img");
        push_attribute(out, "src", &self.made(&copy));
        keep(tag, out);
        push_attribute(out, "width", &width.to_string());
        push_attribute(out, "height", &height.to_string());
        out.push('>');
    }

    /// An image of another site is shown from there; in mail no wider than the column.
    fn image_elsewhere(&self, tag: &str, out: &mut String) {
        let size =
            |name| attribute(tag, name).and_then(|value| value.trim().trim_end_matches("px").parse::<u32>().ok());
        let (Medium::Mail, Some(width), Some(src)) = (self.medium, size("width"), attribute(tag, "src")) else {
            return out.push_str(tag);
        };
        if width <= MAIL_WIDTH {
            return out.push_str(tag);
        }
        out.push_str("<img src=\"");
        out.push_str(&src.replace('"', "&quot;"));
        out.push('"');
        keep(tag, out);
        push_attribute(out, "width", &MAIL_WIDTH.to_string());
        if let Some(height) = size("height") {
            push_attribute(out, "height", &fitted((width, height)).1.to_string());
        }
        out.push('>');
    }
}

/// Writes the attributes that stay, their entities as they are.
fn keep(tag: &str, out: &mut String) {
    for name in KEPT {
        if let Some(value) = attribute(tag, name) {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&value.replace('"', "&quot;"));
            out.push('"');
        }
    }
}

/// How wide the author wants an image: by its attribute, or by a style as many write one.
fn wanted(tag: &str) -> Option<Width> {
    let styled = || {
        let style = attribute(tag, "style")?;
        let declarations = style.split(';').filter_map(|one| one.split_once(':'));
        let mut widths = declarations.filter(|(name, _)| name.trim().eq_ignore_ascii_case("width"));
        Width::parse(widths.next()?.1.trim())
    };
    attribute(tag, "width").and_then(|value| Width::parse(value.trim())).or_else(styled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_an_attribute_or_a_style() {
        for (tag, expected) in [
            ("<img width=300>", Some(Width::Pixels(300))),
            ("<img width=\"50%\">", Some(Width::Percent(50))),
            ("<img style='max-width: 9px; Width: 120px'>", Some(Width::Pixels(120))),
            ("<img style=\"width:auto\" width=\"\">", None),
            ("<img>", None),
        ] {
            assert_eq!(wanted(tag), expected, "{tag}");
        }
    }
}
