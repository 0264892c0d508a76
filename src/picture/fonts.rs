//! The one typeface that pictures are written in: Inter, embedded, so that the same text gives
//! the same pixels on every machine. Its licence (SIL OFL 1.1) lies beside it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb::{Database, ID, Source};
use resvg::usvg::{FontResolver, ImageHrefResolver, Options, Tree};

const REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.ttf");

/// From this weight on, text is written in the bolder of the two cuts.
const BOLD_FROM: u16 = 550;

struct Fonts {
    database: Arc<Database>,
    regular: ID,
    semi_bold: ID,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let mut database = Database::new();
    let mut load = |bytes: &'static [u8]| database.load_font_source(Source::Binary(Arc::new(bytes)))[0];
    let (regular, semi_bold) = (load(REGULAR), load(SEMI_BOLD));
    Fonts { database: Arc::new(database), regular, semi_bold }
});

/// Whether the typeface lacked something while text was laid out.
#[derive(Debug, Clone, Default)]
pub(super) struct Missing(Arc<AtomicBool>);

impl Missing {
    /// Whether anything was missing so far.
    pub fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How drawings are read: any family is ours, no file and no address is opened, and it is noted
/// when the typeface lacks something.
pub(super) fn options(missing: &Missing) -> Options<'static> {
    let missing = missing.clone();
    Options {
        font_family: "Inter".to_owned(),
        fontdb: Arc::clone(&FONTS.database),
        font_resolver: FontResolver {
            select_font: Box::new(|font, _| {
                Some(if font.weight() < BOLD_FROM { FONTS.regular } else { FONTS.semi_bold })
            }),
            select_fallback: Box::new(move |_, _, _| {
                missing.0.store(true, Ordering::Relaxed);
                None
            }),
        },
        image_href_resolver: ImageHrefResolver {
            resolve_data: ImageHrefResolver::default_data_resolver(),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    }
}

/// How a line of text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    /// In pixels.
    pub size: f32,
    /// 400 or 600.
    pub weight: u16,
}

/// How wide a line is, in pixels, kerning included.
pub(super) fn width(text: &str, style: Style) -> f32 {
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"><text y=\"1\" font-size=\"{}\" font-weight=\"{}\">{}</text></svg>",
        style.size,
        style.weight,
        escaped(text),
    );
    let tree = Tree::from_str(&drawing, &options(&Missing::default())).expect("we wrote it well-formed");
    tree.root().abs_bounding_box().width()
}

/// The characters of a text that would be shown as empty boxes, in order.
pub(super) fn lacking(text: &str) -> Vec<char> {
    if !lacks_any(text) {
        return Vec::new();
    }
    let distinct: BTreeSet<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    distinct.into_iter().filter(|c| lacks_any(c.encode_utf8(&mut [0; 4]))).collect()
}

/// The letters and digits of a text that our typeface lacks: a card that says it would hold
/// empty boxes. Emoji are none.
pub fn lacking_letters(text: &str) -> Vec<char> {
    lacking(text).into_iter().filter(|c| c.is_alphanumeric()).collect()
}

fn lacks_any(text: &str) -> bool {
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"><text>{}</text></svg>",
        escaped(text)
    );
    let missing = Missing::default();
    Tree::from_str(&drawing, &options(&missing)).expect("we wrote it well-formed");
    missing.is_any()
}

/// Text for XML: markup escaped, characters that XML forbids left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Style = Style { size: 20.0, weight: 400 };

    #[test]
    fn a_line_is_as_wide_as_its_letters() {
        let (narrow, wide) = (width("illi", BODY), width("MWMW", BODY));
        assert!(narrow * 3.0 < wide, "{narrow} {wide}");
        assert!(width("MWMW", Style { weight: 600, ..BODY }) > wide);
        assert!((width("MWMW", Style { size: 40.0, ..BODY }) - 2.0 * wide).abs() < 1.0);
        assert!(width("", BODY) < 1.0);
    }

    #[test]
    fn what_the_typeface_lacks_is_told() {
        assert_eq!(lacking("Größe, naïve, Łódź, Ελλάδα, Москва, “x” → 2 × 3 ≤ 7 € … ½"), Vec::<char>::new());
        assert_eq!(lacking("漢字 and אב"), ['א', 'ב', '字', '漢']);
    }

    #[test]
    fn text_cannot_break_out_of_a_drawing() {
        assert_eq!(escaped("a<b>&\"'\u{1}\u{ffff}c"), "a&lt;b&gt;&amp;&quot;&apos; c");
    }
}
