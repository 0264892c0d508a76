//! The copies of a picture that are shown in its stead.

use super::decode::decode;
use super::metadata::{moves, stripped};
use super::pixels::{Pixels, fitted};
use super::svg::Drawing;
use super::{Kind, PictureError, encode};

/// A picture in mail has so many pixels for each pixel of its width, for fine screens.
const DENSITY: u32 = 2;

/// The widths in pixels of the copies for the web: the column of a page on a common screen,
/// and on a fine one.
const WEB_WIDTHS: [u32; 2] = [720, 1440];

/// A PNG heavier than this is held against a JPEG, in bytes: a smooth photograph is flat too.
const HEAVY: usize = 150_000;

/// Whether a picture moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Motion {
    /// It does not.
    Still,
    /// It has several frames.
    Moving,
}

/// A picture as a file that browsers or mail programs show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// What the bytes are.
    pub kind: Kind,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// A picture of the author's, read and unpacked once.
#[derive(Debug)]
pub struct Picture<'a> {
    bytes: &'a [u8],
    kind: Kind,
    content: Content,
}

/// What a picture is made of.
enum Content {
    /// Pixels, upright.
    Pixels(Pixels),
    /// Lines and text.
    Drawing(Box<Drawing>),
    /// Frames, never taken apart: the size of all.
    Frames((u32, u32)),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pixels(_) => "Pixels",
            Self::Drawing(_) => "Drawing",
            Self::Frames(_) => "Frames",
        })
    }
}

impl<'a> Picture<'a> {
    /// Reads a picture, by what its bytes are and not by its name.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PictureError> {
        let kind = Kind::of(bytes).ok_or(PictureError::Unknown)?;
        let content = match kind {
            Kind::Svg => Content::Drawing(Box::new(Drawing::read(bytes)?)),
            Kind::Gif if moves(bytes, kind) => {
                // The first frame is unpacked to know that there is one.
                let first = decode(bytes, kind)?;
                Content::Frames((first.width, first.height))
            }
            Kind::Png | Kind::Jpeg | Kind::Gif | Kind::WebP | Kind::Avif => Content::Pixels(decode(bytes, kind)?),
        };
        Ok(Self { bytes, kind, content })
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it moves.
    pub fn motion(&self) -> Motion {
        if moves(self.bytes, self.kind) { Motion::Moving } else { Motion::Still }
    }

    /// Its size as shown, in pixels.
    pub fn size(&self) -> (u32, u32) {
        match &self.content {
            Content::Pixels(pixels) => (pixels.width, pixels.height),
            Content::Drawing(drawing) => drawing.size(),
            Content::Frames(size) => *size,
        }
    }

    /// The size it is shown at in a column so many pixels wide, proportions kept.
    pub fn fitted(&self, column: u32) -> (u32, u32) {
        fitted(self.size(), column.max(1))
    }

    /// Characters of a drawing's text that would be empty boxes in [`Picture::for_mail`].
    pub fn missing_characters(&self) -> &[char] {
        match &self.content {
            Content::Drawing(drawing) => &drawing.missing,
            Content::Pixels(_) | Content::Frames(_) => &[],
        }
    }

    /// The copy that every mail program shows, for a place so many pixels wide: twice as many
    /// pixels across at most, upright, without metadata; JPEG for photographs, PNG for what is
    /// flat or lets the background through. A moving GIF is passed on as it is; of other moving
    /// pictures the first frame is left. A drawing is painted on white.
    pub fn for_mail(&self, shown: u32) -> Result<Rendition, PictureError> {
        let most = shown.max(1).saturating_mul(DENSITY);
        match &self.content {
            Content::Frames((width, height)) => Ok(self.as_it_is(*width, *height)),
            Content::Drawing(drawing) => {
                let width = fitted(drawing.size(), shown.max(1)).0.saturating_mul(DENSITY);
                drawing.painted(width).map(|pixels| packed(pixels, Flatness::Flat))
            }
            Content::Pixels(pixels) if pixels.width <= most => Ok(self.unscaled(pixels)),
            Content::Pixels(pixels) => Ok(packed(pixels.clone().scaled_to(most), self.flatness(pixels))),
        }
    }

    /// Smaller copies for screens that need no more, narrowest first; none for drawings, for
    /// moving pictures, and for what is small already. Copies that would save nothing are left
    /// out.
    pub fn for_web(&self) -> Vec<Rendition> {
        let Content::Pixels(pixels) = &self.content else { return Vec::new() };
        if self.motion() == Motion::Moving {
            return Vec::new();
        }
        let narrower = WEB_WIDTHS.into_iter().filter(|width| width + width / 5 <= pixels.width);
        let copies = narrower.map(|width| packed(pixels.clone().scaled_to(width), self.flatness(pixels)));
        copies.filter(|copy| copy.bytes.len() < self.bytes.len()).collect()
    }

    /// The picture with all its pixels: without its metadata only, where that suffices.
    fn unscaled(&self, pixels: &Pixels) -> Rendition {
        let anew = || packed(pixels.clone(), self.flatness(pixels));
        match (self.kind, stripped(self.bytes, self.kind)) {
            (Kind::Jpeg, Some(bytes)) => Rendition { bytes, ..self.as_it_is(pixels.width, pixels.height) },
            (Kind::Png, Some(bytes)) => {
                let anew = anew();
                if anew.bytes.len() < bytes.len() { anew } else { Rendition { bytes, ..anew } }
            }
            (Kind::Png | Kind::Jpeg | Kind::Gif | Kind::WebP | Kind::Avif | Kind::Svg, _) => anew(),
        }
    }

    fn as_it_is(&self, width: u32, height: u32) -> Rendition {
        Rendition { kind: self.kind, width, height, bytes: self.bytes.to_vec() }
    }

    /// A JPEG was never flat to its maker, whatever it shows.
    fn flatness(&self, pixels: &Pixels) -> Flatness {
        if self.kind != Kind::Jpeg && pixels.is_flat() { Flatness::Flat } else { Flatness::Photo }
    }
}

/// What sort of compression suits a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flatness {
    /// Few colours and sharp edges: PNG.
    Flat,
    /// Light and shade: JPEG.
    Photo,
}

fn packed(pixels: Pixels, flatness: Flatness) -> Rendition {
    let (width, height) = (pixels.width, pixels.height);
    if flatness == Flatness::Photo && pixels.is_opaque() {
        return Rendition { kind: Kind::Jpeg, width, height, bytes: encode::jpeg(pixels) };
    }
    let bytes = encode::png(&pixels);
    if bytes.len() > HEAVY && pixels.is_opaque() {
        let jpeg = encode::jpeg(pixels);
        if jpeg.len() * 3 < bytes.len() {
            return Rendition { kind: Kind::Jpeg, width, height, bytes: jpeg };
        }
    }
    Rendition { kind: Kind::Png, width, height, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::samples;

    fn mail(bytes: &[u8]) -> Rendition {
        let copy = Picture::read(bytes).unwrap().for_mail(600).unwrap();
        assert_eq!(Kind::of(&copy.bytes), Some(copy.kind));
        let pixels = decode(&copy.bytes, copy.kind).unwrap();
        assert_eq!((pixels.width, pixels.height), (copy.width, copy.height));
        copy
    }

    fn shape(copy: &Rendition) -> (Kind, u32, u32) {
        (copy.kind, copy.width, copy.height)
    }

    #[test]
    fn a_photograph_becomes_a_jpeg_of_twice_the_column() {
        for (kind, bytes) in samples::encoded(&samples::photo(1600, 40)) {
            if kind != Kind::Gif {
                assert_eq!(shape(&mail(&bytes)), (Kind::Jpeg, 1200, 30), "{kind:?}");
            }
        }
    }

    #[test]
    fn a_chart_becomes_a_png_unless_its_maker_chose_jpeg() {
        for (kind, bytes) in samples::encoded(&samples::chart(1600, 40)) {
            let expected = if kind == Kind::Jpeg { Kind::Jpeg } else { Kind::Png };
            assert_eq!(shape(&mail(&bytes)), (expected, 1200, 30), "{kind:?}");
        }
    }

    #[test]
    fn a_small_picture_keeps_its_pixels() {
        let chart = samples::chart(500, 30);
        let [png, .., webp] = samples::encoded(&chart).map(|(_, bytes)| mail(&bytes));
        for copy in [png, webp] {
            assert_eq!(decode(&copy.bytes, copy.kind).unwrap(), chart);
        }
        let jpeg = samples::jpeg(&samples::photo(500, 30));
        assert_eq!(decode(&mail(&jpeg).bytes, Kind::Jpeg), decode(&jpeg, Kind::Jpeg), "not packed a second time");
    }

    #[test]
    fn what_lets_the_background_through_stays_so() {
        let mut photo = samples::photo(1300, 10);
        photo.rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 100);
        assert_eq!(mail(&encode::png(&photo)).kind, Kind::Png);
    }

    #[test]
    fn no_copy_says_where_or_by_whom_it_was_taken() {
        let small = samples::with_orientation(&samples::jpeg(&samples::photo(40, 30)), 1);
        let turned = samples::with_orientation(&samples::jpeg(&samples::photo(40, 30)), 6);
        let large = samples::with_orientation(&samples::jpeg(&samples::photo(2000, 20)), 3);
        let mut commented = samples::encoded(&samples::chart(40, 30))[0].1.clone();
        commented.splice(33..33, *b"\0\0\0\x04tEXtExif\0\0\0\0");
        for bytes in [small, turned, large, commented] {
            let copy = mail(&bytes);
            assert!(!copy.bytes.windows(4).any(|window| window == b"Exif"));
        }
    }

    #[test]
    fn a_photograph_on_its_side_stands_upright() {
        let turned = samples::with_orientation(&samples::jpeg(&samples::photo(160, 80)), 6);
        assert_eq!(shape(&mail(&turned)), (Kind::Jpeg, 80, 160));
    }

    #[test]
    fn a_moving_gif_is_passed_on_and_other_moving_pictures_stand_still() {
        let frames = [samples::chart(1400, 20), samples::chart(1400, 20)];
        let moving = samples::gif(&frames);
        assert_eq!(Picture::read(&moving).unwrap().motion(), Motion::Moving);
        assert_eq!(mail(&moving).bytes, moving);
        assert!(Picture::read(&moving).unwrap().for_web().is_empty());
        let still = samples::gif(&frames[..1]);
        assert_eq!(Picture::read(&still).unwrap().motion(), Motion::Still);
        assert_eq!(shape(&mail(&still)), (Kind::Png, 1200, 17));
    }

    #[test]
    fn a_drawing_is_painted_at_twice_the_size_it_is_shown_at() {
        let svg = |width| {
            format!("<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='100'><path d='M0 0h9v9'/></svg>")
        };
        assert_eq!(shape(&mail(svg(300).as_bytes())), (Kind::Png, 600, 200));
        assert_eq!(shape(&mail(svg(2400).as_bytes())), (Kind::Png, 1200, 50));
    }

    #[test]
    fn the_web_gets_smaller_copies_where_they_save_something() {
        let widths = |bytes: &[u8]| -> Vec<u32> {
            Picture::read(bytes).unwrap().for_web().iter().map(|copy| copy.width).collect()
        };
        assert_eq!(widths(&samples::jpeg(&samples::photo(3000, 50))), [720, 1440]);
        assert_eq!(widths(&samples::jpeg(&samples::photo(1500, 50))), [720]);
        assert_eq!(widths(&samples::jpeg(&samples::photo(800, 50))), [0; 0]);
        assert_eq!(widths(b"<svg xmlns='http://www.w3.org/2000/svg' width='3000' height='1'/>"), [0; 0]);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(Picture::read(b"%PDF-1.7").unwrap_err(), PictureError::Unknown);
        assert_eq!(Picture::read(b"\0\0\0\x20ftypavif\0\0").unwrap_err(), PictureError::Avif);
        let cut = &samples::jpeg(&samples::photo(60, 40))[..300];
        assert!(matches!(Picture::read(cut), Err(PictureError::Damaged(_))));
        for error in [PictureError::Unknown, PictureError::Avif, PictureError::TooManyBytes(1)] {
            assert!(!error.help().is_empty());
        }
    }
}
