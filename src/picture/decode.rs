//! Bytes become pixels, within bounds.

use std::io::Cursor;
use std::sync::Mutex;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::pixels::Pixels;
use super::{Kind, MOST_BYTES, MOST_PIXELS, PictureError};

/// What a decoder may take for itself, beside the pixels: 512 MiB.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;

/// A picture of more pixels than this waits for others of its sort: unpacked, it takes as much
/// memory as all the rest of a build.
const LARGE: u64 = 12_000_000;

static ONE_LARGE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A colour profile longer than this is a table for a printer, and left out.
const LONGEST_PROFILE: usize = 16 * 1024;

/// Unpacks a PNG, JPEG, GIF or WebP, upright as its Exif data says; of a moving picture the
/// first frame. What claims more than [`MOST_PIXELS`] is refused before anything is unpacked.
pub(super) fn decode(bytes: &[u8], kind: Kind) -> Result<Pixels, PictureError> {
    let decoder = opened(bytes, kind)?;
    let (width, height) = decoder.dimensions();
    let is_large = u64::from(width) * u64::from(height) > LARGE;
    let _turn = is_large.then(|| ONE_LARGE_AT_A_TIME.lock());
    unpacked(decoder, kind)
}

/// The size that a picture's header claims, within bounds; as stored, not as shown.
pub(super) fn dimensions(bytes: &[u8], kind: Kind) -> Result<(u32, u32), PictureError> {
    opened(bytes, kind).map(|decoder| decoder.dimensions())
}

fn opened(bytes: &[u8], kind: Kind) -> Result<impl ImageDecoder, PictureError> {
    if bytes.len() > MOST_BYTES {
        return Err(PictureError::TooManyBytes(bytes.len()));
    }
    let format = match kind {
        Kind::Png => ImageFormat::Png,
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Gif => ImageFormat::Gif,
        Kind::WebP => ImageFormat::WebP,
        Kind::Avif => return Err(PictureError::Avif),
        Kind::Svg => return Err(PictureError::Unknown),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    within_bounds(width, height)?;
    Ok(decoder)
}

/// Refuses a size that is no size, or more than we unpack.
pub(super) fn within_bounds(width: u32, height: u32) -> Result<(), PictureError> {
    match u64::from(width) * u64::from(height) {
        0 => Err(PictureError::Damaged("it has no width or no height".to_owned())),
        count if count > MOST_PIXELS => Err(PictureError::TooManyPixels { width, height }),
        _ => Ok(()),
    }
}

fn unpacked(mut decoder: impl ImageDecoder, kind: Kind) -> Result<Pixels, PictureError> {
    // Browsers turn these two and no others.
    let turns = matches!(kind, Kind::Jpeg | Kind::WebP);
    let orientation = decoder.orientation().ok().filter(|_| turns).unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default().filter(|profile| is_worth_keeping(profile));
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    let rgba = picture.into_rgba8();
    Ok(Pixels { width: rgba.width(), height: rgba.height(), rgba: rgba.into_raw(), profile })
}

/// A profile of red, green and blue that is not sRGB: without it, a telephone's photographs
/// look pale. One for CMYK or grey is no longer true of what was unpacked.
fn is_worth_keeping(profile: &[u8]) -> bool {
    let is_rgb = profile.get(16..20) == Some(b"RGB ");
    let is_standard = profile.windows(4).any(|window| window == b"sRGB" || window == b"s\0R\0");
    is_rgb && !is_standard && profile.len() <= LONGEST_PROFILE
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn damaged(error: image::ImageError) -> PictureError {
    PictureError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::samples;

    #[test]
    fn every_sort_is_unpacked() {
        let picture = samples::chart(40, 30);
        for (kind, bytes) in samples::encoded(&picture) {
            let unpacked = decode(&bytes, kind).unwrap();
            assert_eq!((unpacked.width, unpacked.height), (40, 30), "{kind:?}");
        }
    }

    #[test]
    fn a_photograph_is_turned_upright() {
        let turned = samples::with_orientation(&samples::jpeg(&samples::photo(40, 30)), 6);
        let upright = decode(&turned, Kind::Jpeg).unwrap();
        assert_eq!((upright.width, upright.height), (30, 40));
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = samples::png_claiming(100_000, 100_000);
        assert_eq!(decode(&bomb, Kind::Png), Err(PictureError::TooManyPixels { width: 100_000, height: 100_000 }));
        let gif = [b"GIF89a".as_slice(), &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x3B]].concat();
        assert!(decode(&gif, Kind::Gif).is_err());
        assert!(decode(&samples::png_claiming(0, 5), Kind::Png).is_err());
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_or_a_picture_and_never_a_panic() {
        for (kind, bytes) in samples::encoded(&samples::photo(24, 16)) {
            for end in 0..bytes.len() {
                let cut = decode(&bytes[..end], kind);
                assert!(cut.is_err() || cut.is_ok_and(|pixels| pixels.width == 24), "{kind:?} {end}");
            }
        }
    }
}
