//! The width and height of an image, from the first bytes of its file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How far into a JPEG the frame header is looked for.
const JPEG_SEGMENTS: usize = 200;

/// The size in pixels of a PNG, JPEG, GIF or WebP file; `None` for anything else.
pub(super) fn image_size(path: &Path) -> Option<(u32, u32)> {
    let mut file = File::open(path).ok()?;
    let mut head = [0; 30];
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..]).ok()? {
            0 => break,
            read => length += read,
        }
    }
    let size = if head.starts_with(&[0xFF, 0xD8]) { jpeg(&mut file) } else { from_head(&head[..length]) };
    size.filter(|&(width, height)| width > 0 && height > 0)
}

fn from_head(head: &[u8]) -> Option<(u32, u32)> {
    if head.starts_with(b"\x89PNG\r\n\x1a\n") && head.get(12..16) == Some(b"IHDR") {
        return Some((big(head.get(16..20)?), big(head.get(20..24)?)));
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Some((little(head.get(6..8)?), little(head.get(8..10)?)));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return webp(head);
    }
    None
}

/// The three kinds of WebP: lossy, lossless, extended (RFC 9649, section 2).
fn webp(head: &[u8]) -> Option<(u32, u32)> {
    match head.get(12..16)? {
        b"VP8 " => Some((little(head.get(26..28)?) & 0x3FFF, little(head.get(28..30)?) & 0x3FFF)),
        b"VP8L" => {
            let bits = little(head.get(21..25)?);
            Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
        }
        b"VP8X" => Some((little(head.get(24..27)?) + 1, little(head.get(27..30)?) + 1)),
        _ => None,
    }
}

/// Walks the segments of a JPEG to its frame header (ITU-T T.81, annex B).
fn jpeg(file: &mut File) -> Option<(u32, u32)> {
    let mut at = 2;
    for _ in 0..JPEG_SEGMENTS {
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut segment = [0; 9];
        file.read_exact(&mut segment).ok()?;
        if segment[0] != 0xFF {
            return None;
        }
        let is_frame = matches!(segment[1], 0xC0..=0xCF) && !matches!(segment[1], 0xC4 | 0xC8 | 0xCC);
        if is_frame {
            return Some((big(&segment[7..9]), big(&segment[5..7])));
        }
        at += match segment[1] {
            0xFF => 1,
            0x01 | 0xD0..=0xD8 => 2,
            _ => 2 + u64::from(big(&segment[2..4])),
        };
    }
    None
}

fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn little(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size_of(bytes: &[u8]) -> Option<(u32, u32)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        std::fs::write(&path, bytes).unwrap();
        image_size(&path)
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
        assert_eq!(size_of(b"<svg/>"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_file_makes_the_reader_panic(tail in proptest::collection::vec(any::<u8>(), 0..64), kind in 0..4usize) {
            let heads: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8"];
            size_of(&[heads[kind], &tail].concat());
        }
    }
}
