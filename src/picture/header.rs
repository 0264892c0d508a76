//! How large a picture is shown, from the first bytes of its file.

use std::io::{Read, Seek, SeekFrom};

use image::metadata::Orientation;

use super::Kind;

/// How many parts of a file are looked at before it is given up.
const MOST_PARTS: usize = 200;

/// How much of a drawing is read: its first tag stands in there.
const HEAD: u64 = 16 * 1024;

/// The width and height in pixels that a browser shows a picture at: turned as its Exif data
/// says; for an SVG by its `width` and `height`, or its `viewBox`. Reads a few hundred bytes of
/// a file of any length. `None` for what is no picture, or says no size.
pub fn size(file: &mut (impl Read + Seek)) -> Option<(u32, u32)> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).ok()?;
    let size = match Kind::of(&head)? {
        Kind::Png => Some((big(head.get(16..20)?), big(head.get(20..24)?))),
        Kind::Gif => Some((little(head.get(6..8)?), little(head.get(8..10)?))),
        Kind::WebP => webp(&head, file),
        Kind::Jpeg => jpeg(file),
        Kind::Svg => svg(&String::from_utf8_lossy(&head)),
        Kind::Avif => avif(&head),
    };
    size.filter(|&(width, height)| width > 0 && height > 0)
}

/// The largest of the sizes that an AVIF names: beside the picture's there may be those of its
/// parts and of a thumbnail (ISO/IEC 23008-12, section 6.5.3).
fn avif(head: &[u8]) -> Option<(u32, u32)> {
    let boxes = head.windows(16).filter(|window| window.starts_with(b"ispe"));
    boxes
        .map(|found| (big(&found[8..12]), big(&found[12..16])))
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

/// The three kinds of WebP: lossy, lossless, extended (RFC 9649, section 2).
fn webp(head: &[u8], file: &mut (impl Read + Seek)) -> Option<(u32, u32)> {
    match head.get(12..16)? {
        b"VP8 " => Some((little(head.get(26..28)?) & 0x3FFF, little(head.get(28..30)?) & 0x3FFF)),
        b"VP8L" => {
            let bits = little(head.get(21..25)?);
            Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
        }
        b"VP8X" => {
            let size = (little(head.get(24..27)?) + 1, little(head.get(27..30)?) + 1);
            let has_exif = head.get(20)? & 0b1000 != 0;
            Some(turned(size, has_exif.then(|| webp_exif(file)).flatten()))
        }
        _ => None,
    }
}

/// The Exif chunk of a WebP, which stands behind the picture.
fn webp_exif(file: &mut (impl Read + Seek)) -> Option<Vec<u8>> {
    let mut at = 12;
    for _ in 0..MOST_PARTS {
        let mut chunk = [0; 8];
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut chunk).ok()?;
        let length = u64::from(little(&chunk[4..]));
        if &chunk[..4] == b"EXIF" {
            return read(file, length);
        }
        at += 8 + length + length % 2;
    }
    None
}

/// Walks the segments of a JPEG to its frame header (ITU-T T.81, annex B).
fn jpeg(file: &mut (impl Read + Seek)) -> Option<(u32, u32)> {
    let (mut at, mut exif) = (2, None);
    for _ in 0..MOST_PARTS {
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut segment = [0; 10];
        file.read_exact(&mut segment).ok()?;
        if segment[0] != 0xFF {
            return None;
        }
        let length = u64::from(big(&segment[2..4]));
        match segment[1] {
            0xC4 | 0xC8 | 0xCC => at += 2 + length,
            0xC0..=0xCF => return Some(turned((big(&segment[7..9]), big(&segment[5..7])), exif)),
            0xE1 if &segment[4..10] == b"Exif\0\0" => {
                exif = read(file, length.saturating_sub(8));
                at += 2 + length;
            }
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            _ => at += 2 + length,
        }
    }
    None
}

fn read(file: &mut impl Read, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(length.min(64 * 1024)).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The size as shown, when the camera was held on its side.
fn turned((width, height): (u32, u32), exif: Option<Vec<u8>>) -> (u32, u32) {
    let on_its_side = exif.and_then(|exif| Orientation::from_exif_chunk(&exif)).is_some_and(|orientation| {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
    });
    if on_its_side { (height, width) } else { (width, height) }
}

/// The size of a drawing (SVG 2, section 8.2): lengths, or the proportions of its `viewBox`.
fn svg(text: &str) -> Option<(u32, u32)> {
    let start = text.find("<svg")?;
    let tag = &text[start..start + text[start..].find('>')?];
    let length = |name: &str| attribute(tag, name).and_then(pixels);
    let view = attribute(tag, "viewBox").and_then(view_box);
    let (width, height) = match (length("width"), length("height"), view) {
        (Some(width), Some(height), _) => (width, height),
        (Some(width), None, Some((w, h))) => (width, width * h / w),
        (None, Some(height), Some((w, h))) => (height * w / h, height),
        (None, None, Some(view)) => view,
        (_, _, None) => return None,
    };
    Some((whole(width)?, whole(height)?))
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.match_indices(name).find_map(|(at, _)| {
        let rest = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let value = rest[1..].split(quote).next()?;
        tag[..at].ends_with(|c: char| c.is_ascii_whitespace()).then_some(value)
    })
}

/// A length in CSS pixels; `None` for a share of a box we do not know.
fn pixels(length: &str) -> Option<f64> {
    let length = length.trim();
    let end = length.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(length.len());
    let unit = match &length[end..] {
        "" | "px" => 1.0,
        "pt" => 96.0 / 72.0,
        "pc" => 16.0,
        "in" => 96.0,
        "cm" => 96.0 / 2.54,
        "mm" => 9.6 / 2.54,
        _ => return None,
    };
    length[..end].trim().parse::<f64>().ok().map(|number| number * unit)
}

fn view_box(value: &str) -> Option<(f64, f64)> {
    let numbers = value.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|part| !part.is_empty());
    let numbers: Vec<f64> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    let [_, _, width, height] = numbers[..] else { return None };
    (width > 0.0 && height > 0.0).then_some((width, height))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
fn whole(side: f64) -> Option<u32> {
    (0.5..1e9).contains(&side).then(|| side.round() as u32)
}

fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn little(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::picture::samples;

    fn size_of(bytes: &[u8]) -> Option<(u32, u32)> {
        size(&mut Cursor::new(bytes))
    }

    #[test]
    fn the_size_is_read_from_the_header_of_each_format() {
        assert_eq!(size_of(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x05\xdc\0\0\x02\x58\x08\x06"), Some((1500, 600)));
        assert_eq!(size_of(b"GIF89a\x40\x01\xf0\0\xf7\0\0"), Some((320, 240)));
        let jpeg =
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\0\xf0\x01\x40\x03\x01\x22\0";
        assert_eq!(size_of(jpeg), Some((320, 240)));
        assert_eq!(size_of(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\x01\0\xef\0\0"), Some((320, 240)));
        assert_eq!(size_of(b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x3f\xc1\x3b\0\0\0\0\0\0"), Some((320, 240)));
        let avif =
            b"\0\0\0\x20ftypavif\0\0\0\x14ispe\0\0\0\0\0\0\0\x64\0\0\0\x32\0\0\0\x14ispe\0\0\0\0\0\0\x01\x40\0\0\0\xf0";
        assert_eq!(size_of(avif), Some((320, 240)));
        assert_eq!(size_of(b"%PDF-1.7"), None);
        for (kind, bytes) in samples::encoded(&samples::chart(40, 30)) {
            assert_eq!(size_of(&bytes), Some((40, 30)), "{kind:?}");
        }
    }

    #[test]
    fn a_photograph_on_its_side_is_measured_upright() {
        let jpeg = samples::jpeg(&samples::photo(40, 30));
        for (orientation, expected) in [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))] {
            assert_eq!(size_of(&samples::with_orientation(&jpeg, orientation)), Some(expected), "{orientation}");
        }
    }

    #[test]
    fn a_drawing_says_its_size_in_many_ways() {
        for (tag, expected) in [
            ("<svg width=\"300\" height='200px'>", Some((300, 200))),
            ("<?xml version='1.0'?><!-- c --><svg\n viewBox=\"0 0 640 480\">", Some((640, 480))),
            ("<svg width=\"100%\" viewBox=\"0,0,64.4,48\">", Some((64, 48))),
            ("<svg width=\"3in\" height=\"72pt\">", Some((288, 96))),
            ("<svg width=\"200\" viewBox=\"0 0 100 50\">", Some((200, 100))),
            ("<svg stroke-width=\"2\" data-height=\"3\" viewBox=\"0 0 10 20\">", Some((10, 20))),
            ("<svg width=\"1e99\" height=\"1\">", None),
            ("<svg viewBox=\"0 0 0 5\">", None),
            ("<svg>", None),
        ] {
            assert_eq!(size_of(tag.as_bytes()), expected, "{tag}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_file_makes_the_reader_panic(tail in proptest::collection::vec(any::<u8>(), 0..64), kind in 0..6usize) {
            let heads: [&[u8]; 6] =
                [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8", b"<svg width=", b"\xff\xd8\xff\xe1\0\x10Exif\0\0"];
            size_of(&[heads[kind], &tail].concat());
        }
    }
}
