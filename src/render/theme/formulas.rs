//! What pages with formulas need: a stylesheet of their own, and a font that can stretch brackets.

use crate::render::digest;

/// A subset of STIX Two Math (`licenses/STIX-Two-Math.txt`), made by `scripts/subset-math-font`.
const FONT: &[u8] = include_bytes!("../../../templates/math.woff2");

/// How the stylesheet names the font: it lies beside it.
const FONT_NAME: &str = "math.woff2";

/// The stylesheet of pages with formulas and where it and its font lie. Both names hold a digest
/// of the content, so both may be cached for ever.
#[derive(Debug)]
pub struct Formulas {
    /// The stylesheet.
    pub stylesheet: String,
    /// Where it lies under the site.
    pub stylesheet_path: String,
    /// Where the font lies under the site.
    pub font_path: String,
}

impl Formulas {
    pub(super) fn new(stylesheet: &str) -> Self {
        let font_name = format!("math-{}.woff2", digest([FONT]));
        let stylesheet = stylesheet.replace(FONT_NAME, &font_name);
        let stylesheet_path = format!("assets/math-{}.css", digest([stylesheet.as_bytes()]));
        Self { stylesheet, stylesheet_path, font_path: format!("assets/{font_name}") }
    }
}

/// The font of formulas, as WOFF2.
pub fn math_font() -> &'static [u8] {
    FONT
}
