//! Formulas as HTML: MathML for browsers, letters or pictures for everything else.

use super::images::fitted;
use super::{Medium, Writer};
use crate::math::{self, Piece, Style};
use crate::pictures::{Formula, Picture};

impl Writer<'_> {
    /// A formula. One that cannot be set is shown as its author typed it; what is wrong with it
    /// was said when the post was read.
    pub(super) fn formula(&mut self, tex: &str, style: Style) {
        if self.medium == Medium::Web
            && let Ok(mathml) = math::mathml(tex, style, self.pictures.macros())
        {
            return self.mathml(&mathml, style);
        }
        match self.pictures.formula(tex, style) {
            Ok(Formula::Text(pieces)) => self.pieces(&pieces),
            Ok(Formula::Picture(picture)) => self.formula_picture(tex, &picture, style),
            Err(_) => self.typed_formula(tex, style),
        }
    }

    fn mathml(&mut self, mathml: &str, style: Style) {
        match style {
            Style::Inline => self.out.push_str(mathml),
            Style::Display => {
                // A formula wider than the page scrolls, and what scrolls must be reachable by keyboard.
                self.out.push_str("<div class=\"formula\" tabindex=\"0\">");
                self.out.push_str(mathml);
                self.out.push_str("</div>\n");
            }
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Letters(text) => {
                    self.open("i");
                    self.text(text);
                    self.close("i");
                }
                Piece::Signs(text) => self.text(text),
                Piece::Raised(inner) => self.script("sup", inner),
                Piece::Lowered(inner) => self.script("sub", inner),
            }
        }
    }

    fn script(&mut self, tag: &str, inner: &[Piece]) {
        self.open(tag);
        self.pieces(inner);
        self.close(tag);
    }

    fn formula_picture(&mut self, tex: &str, picture: &Picture, style: Style) {
        match style {
            Style::Inline => self.formula_image(tex, picture, Some(picture.depth)),
            Style::Display => {
                self.out.push_str("<p");
                self.class("formula");
                self.out.push('>');
                self.formula_image(tex, picture, None);
                self.out.push_str("</p>\n");
            }
        }
    }

    /// The picture of a formula, lowered to the line it stands in. Its style is an attribute:
    /// every formula has its own, and it must hold where no stylesheet is read.
    fn formula_image(&mut self, tex: &str, picture: &Picture, depth: Option<u32>) {
        let src = self.made(picture);
        let (width, height) = match (self.medium, depth) {
            (Medium::Mail, None) => fitted((picture.width, picture.height)),
            (Medium::Mail | Medium::Web | Medium::Feed, _) => (picture.width, picture.height),
        };
        self.out.push_str("<img");
        self.class("m");
        self.attribute("src", &src);
        self.attribute("alt", &tex.split_whitespace().collect::<Vec<_>>().join(" "));
        self.attribute("width", &width.to_string());
        self.attribute("height", &height.to_string());
        match (self.medium, depth) {
            (Medium::Web | Medium::Mail, Some(depth)) => self.attribute("style", &lowered(depth)),
            (Medium::Web | Medium::Mail, None) | (Medium::Feed, _) => {}
        }
        self.out.push('>');
    }

    fn typed_formula(&mut self, tex: &str, style: Style) {
        match style {
            Style::Inline => self.typed(tex),
            Style::Display => {
                self.out.push_str("<pre");
                self.class("math");
                self.out.push('>');
                self.typed(tex.trim());
                self.out.push_str("</pre>\n");
            }
        }
    }

    fn typed(&mut self, tex: &str) {
        self.out.push_str("<code");
        self.class("math");
        self.out.push('>');
        self.text(tex);
        self.close("code");
    }
}

/// The style that lowers a picture by hundredths of a pixel.
fn lowered(depth: u32) -> String {
    format!("{LOWERED}{}.{:02}px", depth / 100, depth % 100)
}

const LOWERED: &str = "vertical-align:-";

/// Whether a style is one of those above, and nothing else.
pub(super) fn is_lowering(style: &str) -> bool {
    let pixels = style.strip_prefix(LOWERED).and_then(|rest| rest.strip_suffix("px"));
    pixels.is_some_and(|pixels| !pixels.is_empty() && pixels.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_style_is_known_as_ours() {
        assert!(is_lowering(&lowered(550)) && is_lowering(&lowered(3)));
        for other in
            ["", "vertical-align:-px", "vertical-align:-1px;color:red", "color:red", "vertical-align:-url(x)px"]
        {
            assert!(!is_lowering(other), "{other}");
        }
    }
}
