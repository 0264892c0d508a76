//! Pixels become the bytes of a file, without any metadata but the colour profile.

use std::borrow::Cow;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use png::{BitDepth, ColorType, Compression, Encoder, Info};

use super::palette::{Indexed, indexed};
use super::pixels::Pixels;

/// The quality of JPEG, of 100: the difference is not seen, the file is a third.
const JPEG_QUALITY: u8 = 82;

/// A JPEG. What is not opaque is put on white.
pub(super) fn jpeg(picture: Pixels) -> Vec<u8> {
    let picture = picture.on_white();
    let rgb: Vec<u8> = picture.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    if let Some(profile) = picture.profile {
        encoder.set_icc_profile(profile).expect("JPEG holds colour profiles");
    }
    encoder
        .write_image(&rgb, picture.width, picture.height, ExtendedColorType::Rgb8)
        .expect("memory takes all bytes, and the sides were bounded");
    bytes
}

/// A PNG, with a palette where that is possible.
pub(super) fn png(picture: &Pixels) -> Vec<u8> {
    let Some(indexed) = indexed(picture) else { return true_colour(picture) };
    with_palette(picture, &indexed)
}

fn with_palette(picture: &Pixels, indexed: &Indexed) -> Vec<u8> {
    let mut info = Info::with_size(picture.width, picture.height);
    let depth = match indexed.colours.len() {
        0..=2 => BitDepth::One,
        3..=4 => BitDepth::Two,
        5..=16 => BitDepth::Four,
        _ => BitDepth::Eight,
    };
    (info.color_type, info.bit_depth) = (ColorType::Indexed, depth);
    info.palette = Some(indexed.colours.iter().flat_map(|colour| [colour[0], colour[1], colour[2]]).collect());
    let opacities: Vec<u8> =
        indexed.colours.iter().map(|colour| colour[3]).take_while(|opacity| *opacity != 255).collect();
    info.trns = (!opacities.is_empty()).then_some(Cow::Owned(opacities));
    let packed = packed(&indexed.indices, picture.width as usize, depth as usize);
    written(info, picture, &packed, png::Filter::NoFilter)
}

/// Rows of numbers of a few bits each, every row begun on a byte (PNG, section 7.2).
fn packed(indices: &[u8], width: usize, bits: usize) -> Vec<u8> {
    let in_byte = 8 / bits;
    let pack = |some: &[u8]| {
        let shifted = some.iter().enumerate().map(|(at, index)| index << (8 - bits * (at + 1)));
        shifted.fold(0, |byte, part| byte | part)
    };
    indices.chunks_exact(width).flat_map(|row| row.chunks(in_byte).map(pack)).collect()
}

fn true_colour(picture: &Pixels) -> Vec<u8> {
    let mut info = Info::with_size(picture.width, picture.height);
    info.bit_depth = BitDepth::Eight;
    if picture.is_opaque() {
        info.color_type = ColorType::Rgb;
        let rgb: Vec<u8> = picture.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        return written(info, picture, &rgb, png::Filter::Adaptive);
    }
    info.color_type = ColorType::Rgba;
    written(info, picture, &picture.rgba, png::Filter::Adaptive)
}

fn written<'p>(mut info: Info<'p>, picture: &'p Pixels, data: &[u8], filter: png::Filter) -> Vec<u8> {
    info.icc_profile = picture.profile.as_deref().map(Cow::Borrowed);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::with_info(&mut bytes, info).expect("the picture has a size and a type");
    encoder.set_compression(Compression::High);
    encoder.set_filter(filter);
    let mut writer = encoder.write_header().expect("memory takes all bytes");
    writer.write_image_data(data).expect("there are as many bytes as the header says");
    writer.finish().expect("memory takes all bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Kind, decode::decode, samples};

    #[test]
    fn what_a_png_holds_comes_back_at_every_depth() {
        for colours in [1_u8, 2, 3, 5, 17, 120] {
            let shade = |at: u32| u8::try_from(at % u32::from(colours)).unwrap();
            let rgba = (0..37 * 11).flat_map(|at| [shade(at), 40, 200, if at % 7 == 0 { 90 } else { 255 }]).collect();
            let picture = Pixels { width: 37, height: 11, rgba, profile: None };
            assert_eq!(decode(&png(&picture), Kind::Png).unwrap(), picture, "{colours}");
        }
        let photo = samples::photo(37, 23);
        assert_eq!(decode(&true_colour(&photo), Kind::Png).unwrap(), photo);
    }

    #[test]
    fn a_palette_makes_a_chart_small() {
        let chart = samples::chart(800, 100).scaled_to(600);
        let (small, large) = (png(&chart).len(), true_colour(&chart).len());
        assert!(small < large, "{small} {large}");
    }

    #[test]
    fn a_colour_profile_is_carried_on() {
        let profile = samples::rgb_profile();
        let picture = Pixels { profile: Some(profile.clone()), ..samples::photo(20, 10) };
        assert_eq!(decode(&png(&picture), Kind::Png).unwrap().profile, Some(profile.clone()));
        assert_eq!(decode(&jpeg(picture), Kind::Jpeg).unwrap().profile, Some(profile));
    }

    #[test]
    fn the_same_picture_gives_the_same_bytes() {
        let chart = samples::chart(900, 50).scaled_to(600);
        assert_eq!(png(&chart), png(&chart));
    }
}
