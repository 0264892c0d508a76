//! Pictures: bytes in, bytes out. Knows nothing of posts, pages or mails.
//!
//! [`size`] reads how large a picture is shown; a [`Picture`] gives the copy that every mail
//! program shows, and smaller ones for narrow screens; [`diagram`] draws Mermaid; [`card`] draws
//! what a link to a page looks like where it is shared.
//!
//! Nothing here reads a file, a clock, the network or a font of the system: the same bytes
//! always give the same bytes. Hostile pictures end in a [`PictureError`], within the bounds
//! that this module states and no others.

mod bounds;
mod card;
mod decode;
mod diagram;
mod encode;
mod fonts;
mod header;
mod kind;
mod metadata;
mod palette;
mod pixels;
mod rendition;
#[cfg(test)]
mod samples;
mod svg;

pub use card::{Card, CardText, card};
pub use diagram::{Diagram, DiagramError, described, diagram};
pub use fonts::lacking_letters;
pub use header::size;
pub use kind::Kind;
pub use rendition::{Motion, Picture, Rendition};

/// A picture with more pixels than this is refused: 50 million, which is what telephones make.
pub const MOST_PIXELS: u64 = 50_000_000;

/// A picture file longer than this is refused, in bytes.
pub const MOST_BYTES: usize = 40_000_000;

/// Why a picture could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The bytes begin like no picture we know.
    #[error("this is no PNG, JPEG, GIF, WebP or SVG")]
    Unknown,
    /// It is AVIF, which mail programs do not show and which we cannot read.
    #[error("AVIF pictures cannot be turned into what mail programs show")]
    Avif,
    /// It is, or claims to be, larger than we are willing to unpack.
    #[error("the picture claims to be {width} x {height} pixels, more than {} million", MOST_PIXELS / 1_000_000)]
    TooManyPixels {
        /// Claimed width in pixels.
        width: u32,
        /// Claimed height in pixels.
        height: u32,
    },
    /// The file is longer than [`MOST_BYTES`], or an SVG longer than its own bound.
    #[error("the picture's file has {0} bytes, which is too many")]
    TooManyBytes(usize),
    /// It ends early, or its parts contradict each other.
    #[error("the picture is damaged: {0}")]
    Damaged(String),
    /// It is an SVG that asks for what we do not draw.
    #[error("the drawing cannot be turned into pixels: {0}")]
    Undrawable(String),
}

impl PictureError {
    /// What the author can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unknown => "save it as PNG or JPEG",
            Self::Avif => "keep a PNG or JPEG beside it and show that one",
            Self::TooManyPixels { .. } => "scale it down: nobody's screen is that large",
            Self::TooManyBytes(_) => "make it smaller: readers load it too",
            Self::Damaged(_) => "open it in a picture program and save it anew",
            Self::Undrawable(_) => "export it as PNG at twice the width it is shown at",
        }
    }
}
