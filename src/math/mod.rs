//! Formulas: TeX goes in; MathML for browsers, a picture for mail clients and feed readers, or
//! plain letters where those say the same come out.
//!
//! Nothing here knows what a newsletter is, and no type of the two engines (RaTeX draws,
//! math-core writes MathML) leaves. The author's macros are spelt out before either sees a
//! formula, so that both mean the same by it and every complaint has its place in what the
//! author typed. The engine that draws is the judge: what it refuses is refused everywhere.

mod canvas;
mod engine;
mod macros;
mod mathml;
mod plain;
mod portable;
mod source;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use canvas::Raster;
pub use macros::{MacroError, Macros};
pub use plain::Piece;
use source::Source;

/// Where a formula stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// In a line of text: limits beside sums, small fractions.
    Inline,
    /// On lines of its own.
    Display,
}

/// What is wrong with a formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong, one sentence without a final dot.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where, in bytes of the TeX as it was typed; empty ranges point between characters.
    pub at: Range<usize>,
}

/// The version of the drawings: pictures kept from another one are made again. To be raised
/// with every change of how a formula looks.
pub const VERSION: u32 = 1;

/// The formula as MathML Core: one `<math>` element. What needs more than MathML can say is an
/// error even when [`raster`] can draw it.
pub fn mathml(tex: &str, style: Style, macros: &Macros) -> Result<String, Error> {
    let source = Source::of(tex, macros)?;
    engine::check(&source).and_then(|()| mathml::write(&source, style)).map_err(|fault| fault.located(&source))
}

/// The formula as a PNG at two device pixels to the pixel, dark on opaque white, for text of
/// 18 px. The same TeX always gives the same bytes: fonts are in the binary, and a character
/// that they lack is an error.
pub fn raster(tex: &str, style: Style, macros: &Macros) -> Result<Raster, Error> {
    let source = Source::of(tex, macros)?;
    engine::draw(&source, style).map_err(|fault| fault.located(&source))
}

/// The formula as letters, signs and what is raised or lowered, when that is all it is:
/// `x`, `α_1`, `n²`, `k ≤ 10`. `None` for everything that needs typesetting.
pub fn plain(tex: &str, macros: &Macros) -> Option<Vec<Piece>> {
    plain::pieces(&Source::of(tex, macros).ok()?.text)
}

/// The formula in characters alone, for plain text: `x²`, `αᵢ`. `None` when it is more than text,
/// or when Unicode has no such raised or lowered character.
pub fn letters(tex: &str, macros: &Macros) -> Option<String> {
    plain::characters(&plain(tex, macros)?)
}

/// What an engine complains about, in the text it was given.
struct Fault {
    message: String,
    help: String,
    at: Range<usize>,
}

impl Fault {
    fn located(self, source: &Source) -> Error {
        Error { message: self.message, help: self.help, at: source.typed(self.at) }
    }
}
