//! RaTeX: reads TeX, measures and draws it with the fonts of KaTeX.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ratex_layout::{LayoutOptions, layout, to_display_list, validate_layout};
use ratex_parser::{ParseError, ParseNode, Parser};
use ratex_render::{RenderOptions, render_to_png};
use ratex_types::{Color, DisplayItem, DisplayList, MathStyle};

use super::canvas::{Canvas, Raster};
use super::source::Source;
use super::{Fault, Style};

/// Pixels to the em. At this size the x of the formula is as high as that of Georgia or
/// Charter at 18 px, which are mostly wider and higher than the letters of TeX.
const EM: f32 = 20.0;

/// White around the drawing, in pixels: rounding must not cut a stroke.
const MARGIN: f32 = 1.0;

/// Device pixels to the pixel.
const DENSITY: f32 = 2.0;

/// No formula is drawn wider or higher, in em.
const LARGEST: f64 = 80.0;

/// Whether the formula can be read.
pub(super) fn check(source: &Source) -> Result<(), Fault> {
    sheltered(|| parsed(source).map(drop))
}

/// Draws the formula.
pub(super) fn draw(source: &Source, style: Style) -> Result<Raster, Fault> {
    sheltered(|| {
        let list = laid_out(&parsed(source)?, style)?;
        check_size(&list)?;
        check_fonts(&list)?;
        let png = render_to_png(&list, &options()).map_err(|reason| whole(&reason, "make it smaller"))?;
        let baseline = f64::from(MARGIN) + list.height * f64::from(EM);
        let canvas =
            Canvas::decode(&png).ok_or_else(|| whole("the drawing came out broken", "report this as a bug"))?;
        Ok(canvas.finish(baseline))
    })
}

/// The engine is young. Where it panics on something nobody has tried, one formula stays TeX
/// and the publication goes out.
fn sheltered<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(whole("this formula is more than can be set", "write it in a simpler way")))
}

fn parsed(source: &Source) -> Result<Vec<ParseNode>, Fault> {
    if source.text.trim().is_empty() {
        return Err(whole("the formula is empty", "write something between the dollars, or take them out"));
    }
    Parser::new(&with_bold_one(&source.text)).parse().map_err(|error| fault(&error, &source.text))
}

/// The fonts have no `1` with a double stroke; a bold one is what papers wrote before there was.
/// Places stay as they are.
fn with_bold_one(text: &str) -> String {
    ["{1}", " {1}", " 1"]
        .iter()
        .fold(text.to_owned(), |text, one| text.replace(&format!("\\mathbb{one}"), &format!("\\mathbf{one}")))
}

fn laid_out(nodes: &[ParseNode], style: Style) -> Result<DisplayList, Fault> {
    let style = match style {
        Style::Inline => MathStyle::Text,
        Style::Display => MathStyle::Display,
    };
    let laid = layout(nodes, &LayoutOptions { style, ..LayoutOptions::default() });
    validate_layout(&laid).map_err(|reason| whole(&reason, "make it smaller"))?;
    Ok(to_display_list(&laid))
}

fn check_size(list: &DisplayList) -> Result<(), Fault> {
    let height = list.height + list.depth;
    let fits = |length: f64| (0.0..=LARGEST).contains(&length);
    if fits(list.width) && fits(height) {
        return Ok(());
    }
    let message = format!(
        "the formula would be {:.0} em wide and {height:.0} em high, and {LARGEST} is the most that is drawn",
        list.width
    );
    Err(whole(&message, "break it into lines with `aligned`, or into several formulas"))
}

/// Refuses characters that would come from a font of this system, or from none: the picture
/// would differ from one machine to the next.
fn check_fonts(list: &DisplayList) -> Result<(), Fault> {
    for item in &list.items {
        let DisplayItem::GlyphPath { font, char_code, .. } = item else { continue };
        if font.starts_with("CJK") || font.starts_with("Emoji") {
            let character = char::from_u32(*char_code).unwrap_or('\u{FFFD}');
            let message = format!("the fonts of formulas have no `{character}`");
            return Err(whole(&message, "write it outside of the formula"));
        }
    }
    Ok(())
}

fn options() -> RenderOptions {
    RenderOptions {
        font_size: EM,
        padding: MARGIN,
        background_color: Color::WHITE,
        font_dir: String::new(),
        device_pixel_ratio: DENSITY,
    }
}

/// A complaint about the formula as a whole.
fn whole(message: &str, help: &str) -> Fault {
    Fault { message: message.to_owned(), help: help.to_owned(), at: 0..usize::MAX }
}

fn fault(error: &ParseError, text: &str) -> Fault {
    let at = error.loc.as_ref().map_or(0..usize::MAX, |loc| within(loc.start..loc.end, text));
    let message = error.message.trim_end_matches('.').to_owned();
    let help = match unknown_command(&message) {
        Some(name) => format!(
            "spell it another way, or define it in fieldpost.toml: `{}` under `[math.macros]`",
            format_args!("{} = \"…\"", name.trim_start_matches('\\'))
        ),
        None => "compare the braces and the names with what you meant".to_owned(),
    };
    Fault { message, help, at }
}

fn unknown_command(message: &str) -> Option<&str> {
    message.strip_prefix("Undefined control sequence: ")
}

fn within(range: Range<usize>, text: &str) -> Range<usize> {
    let start = range.start.min(text.len());
    start..range.end.clamp(start, text.len())
}
