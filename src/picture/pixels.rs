//! A picture unpacked, and scaled.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, Resizer};

/// A picture unpacked: upright, eight bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pixels {
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// Four bytes a pixel: red, green, blue, opacity, not premultiplied; row by row.
    pub rgba: Vec<u8>,
    /// The ICC profile of its colours, when they are not sRGB.
    pub profile: Option<Vec<u8>>,
}

/// A picture where at least this share of the pixels equals the one to the left is flat: a
/// drawing, a chart, a screenshot. Photographs have a tenth of it.
const FLAT_SHARE: (usize, usize) = (2, 5);

impl Pixels {
    /// Whether no pixel lets the background through.
    pub fn is_opaque(&self) -> bool {
        self.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255)
    }

    /// Whether large parts have one colour, so that PNG is small and JPEG smears. Asked before
    /// scaling, which mixes colours at every edge.
    pub fn is_flat(&self) -> bool {
        let row = self.width as usize * 4;
        let mut equal = 0;
        for row in self.rgba.chunks_exact(row) {
            equal += row.chunks_exact(4).zip(row[4..].chunks_exact(4)).filter(|(left, right)| left == right).count();
        }
        equal * FLAT_SHARE.1 >= self.rgba.len() / 4 * FLAT_SHARE.0
    }

    /// The picture at most this wide, its proportions kept; never made larger.
    pub fn scaled_to(self, most: u32) -> Self {
        if self.width <= most {
            return self;
        }
        let (width, height) = fitted((self.width, self.height), most);
        let source = ImageRef::new(self.width, self.height, &self.rgba, PixelType::U8x4)
            .expect("there are four bytes for each pixel");
        let mut scaled = Image::new(width, height, PixelType::U8x4);
        Resizer::new().resize(&source, &mut scaled, None).expect("both have the same type of pixel");
        Self { width, height, rgba: scaled.into_vec(), profile: self.profile }
    }

    /// The picture on white, so that nothing shows through.
    pub fn on_white(mut self) -> Self {
        for pixel in self.rgba.chunks_exact_mut(4).filter(|pixel| pixel[3] != 255) {
            let opacity = u32::from(pixel[3]);
            for channel in &mut pixel[..3] {
                let mixed = (u32::from(*channel) * opacity + 255 * (255 - opacity) + 127) / 255;
                *channel = u8::try_from(mixed).expect("a mean of bytes is a byte");
            }
            pixel[3] = 255;
        }
        self
    }
}

/// A size scaled down to a width, proportions kept, never below one pixel.
pub(super) fn fitted((width, height): (u32, u32), most: u32) -> (u32, u32) {
    if width <= most {
        return (width, height);
    }
    let scaled = (u64::from(height) * u64::from(most) + u64::from(width) / 2) / u64::from(width);
    (most, u32::try_from(scaled).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::samples;

    #[test]
    fn a_picture_is_made_smaller_and_never_larger() {
        let picture = samples::photo(400, 300);
        let small = picture.clone().scaled_to(100);
        assert_eq!((small.width, small.height, small.rgba.len()), (100, 75, 30_000));
        assert_eq!(picture.clone().scaled_to(400), picture);
        assert_eq!(picture.clone().scaled_to(4000), picture);
        assert_eq!(samples::photo(4000, 1).scaled_to(10).height, 1);
    }

    #[test]
    fn a_colour_behind_nothing_does_not_bleed_when_scaled() {
        // Left half opaque red, right half transparent green.
        let rgba = (0..64 * 64).flat_map(|at| if at % 64 < 32 { [255, 0, 0, 255] } else { [0, 255, 0, 0] }).collect();
        let small = Pixels { width: 64, height: 64, rgba, profile: None }.scaled_to(16);
        assert!(small.rgba.chunks_exact(4).all(|pixel| pixel[1] < 8 || pixel[3] == 0), "{:?}", &small.rgba[..64]);
    }

    #[test]
    fn a_chart_is_flat_and_a_photograph_is_not() {
        assert!(samples::chart(300, 200).is_flat());
        assert!(!samples::photo(300, 200).is_flat());
    }

    #[test]
    fn on_white_nothing_shows_through() {
        let picture = Pixels { width: 2, height: 1, rgba: vec![0, 0, 0, 0, 0, 0, 0, 128], profile: None };
        assert_eq!(picture.on_white().rgba, [255, 255, 255, 255, 127, 127, 127, 255]);
    }
}
