//! Pictures for tests, made and not kept.

use super::Kind;
use super::encode;
use super::pixels::Pixels;

/// A picture in which no two neighbours are equal, as in photographs.
pub(super) fn photo(width: u32, height: u32) -> Pixels {
    let mut noise = 0x2545_F491_u32;
    let rgba = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let grain = noise % 9;
        let channel = |value: u32| u8::try_from(value % 200 + grain).unwrap();
        [channel(x / 2 + y), channel(x + 40), channel(y / 2 + 90), 255]
    });
    Pixels { width, height, rgba: rgba.collect(), profile: None }
}

/// Slanted bars of a few colours on white, as in charts.
pub(super) fn chart(width: u32, height: u32) -> Pixels {
    let colours = [[29, 95, 168, 255], [31, 112, 64, 255], [173, 42, 42, 255], [138, 87, 0, 255]];
    let rgba = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| {
        let bar = (x + y / 3) / 47;
        if bar.is_multiple_of(2) { [255; 4] } else { colours[(bar / 2 % 4) as usize] }
    });
    Pixels { width, height, rgba: rgba.collect(), profile: None }
}

/// The picture as each sort that we read.
pub(super) fn encoded(picture: &Pixels) -> [(Kind, Vec<u8>); 4] {
    [
        (Kind::Png, encode::png(picture)),
        (Kind::Jpeg, jpeg(picture)),
        (Kind::Gif, gif(std::slice::from_ref(picture))),
        (Kind::WebP, webp(picture)),
    ]
}

/// The picture as a JPEG.
pub(super) fn jpeg(picture: &Pixels) -> Vec<u8> {
    encode::jpeg(picture.clone())
}

/// The pictures as the frames of a GIF.
pub(super) fn gif(frames: &[Pixels]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for frame in frames {
        encoder.encode(&frame.rgba, frame.width, frame.height, image::ExtendedColorType::Rgba8).unwrap();
    }
    drop(encoder);
    bytes
}

/// The picture as a lossless WebP.
pub(super) fn webp(picture: &Pixels) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)
        .encode(&picture.rgba, picture.width, picture.height, image::ExtendedColorType::Rgba8)
        .unwrap();
    bytes
}

/// A JPEG with Exif data that names how the camera was held.
pub(super) fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff =
        [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], b"\0\0\0\0\0\0"].concat();
    let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xFF\xE1", &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

/// A PNG whose header claims a size, with next to nothing behind it.
pub(super) fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encode::png(&photo(2, 2));
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

/// The cyclic redundancy check of a PNG chunk (PNG, section 5.5).
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// What looks like a colour profile for a wide screen.
pub(super) fn rgb_profile() -> Vec<u8> {
    let mut profile = vec![0; 132];
    profile[..4].copy_from_slice(&132_u32.to_be_bytes());
    profile[8] = 4;
    profile[12..24].copy_from_slice(b"mntrRGB XYZ ");
    profile[36..40].copy_from_slice(b"acsp");
    profile
}
