//! The parts of a picture's file, without unpacking it: does it move, what can be left out.

use image::metadata::Orientation;

use super::Kind;

/// Chunks of a PNG that its look depends on (PNG, section 11).
const PNG_LOOK: [&[u8; 4]; 10] =
    [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT"];

/// Whether a picture has several frames. A damaged one has as many as can be counted.
pub(super) fn moves(bytes: &[u8], kind: Kind) -> bool {
    match kind {
        Kind::Gif => gif_frames(bytes).unwrap_or(0) > 1,
        Kind::WebP => bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 0b10 != 0),
        Kind::Png => png_chunks(bytes).take_while(|(name, _)| *name != b"IDAT").any(|(name, _)| name == b"acTL"),
        Kind::Jpeg | Kind::Avif | Kind::Svg => false,
    }
}

/// Counts the frames of a GIF, up to two (`GIF89a`, section 20).
fn gif_frames(bytes: &[u8]) -> Option<usize> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut frames = 0;
    while frames < 2 {
        match bytes.get(at) {
            Some(0x2C) => {
                frames += 1;
                at += 11 + table(*bytes.get(at + 9)?);
            }
            Some(0x21) => at += 2,
            Some(_) | None => return Some(frames),
        }
        at = after_blocks(bytes, at)?;
    }
    Some(frames)
}

/// Where the data blocks that begin at a place end.
fn after_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

/// The file without what says where, when and by what it was made; `None` when it cannot be
/// taken apart, or is of a kind that is always made anew.
pub(super) fn stripped(bytes: &[u8], kind: Kind) -> Option<Vec<u8>> {
    match kind {
        Kind::Jpeg => stripped_jpeg(bytes),
        Kind::Png => stripped_png(bytes),
        Kind::Gif | Kind::WebP | Kind::Avif | Kind::Svg => None,
    }
}

fn stripped_png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..8)?.to_vec();
    for (name, chunk) in png_chunks(bytes).filter(|(name, _)| PNG_LOOK.contains(name)) {
        out.extend_from_slice(chunk);
        if name == b"IEND" {
            return Some(out);
        }
    }
    None
}

/// The chunks of a PNG: name, and all its bytes.
fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*bytes.get(at..at + 4)?.as_array()?);
        let end = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        let name = bytes.get(at + 4..at + 8)?.as_array()?;
        let chunk = bytes.get(at..end)?;
        at = end;
        Some((name, chunk))
    })
}

/// Copies the segments of a JPEG but for those of applications and comments; the colour
/// profile (`APP2`) and the kind of its colours (`APP14`) stay (ITU-T T.81, annex B). `None` for
/// one that is to be turned: without its Exif data it would lie on its side.
fn stripped_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..2)?.to_vec();
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1).filter(|_| bytes[at] == 0xFF)?;
        if marker == 0xFF {
            at += 1;
            continue;
        }
        // The picture itself. Telephones put a second one behind it, with data of its own.
        if marker == 0xDA {
            let length = bytes.get(at..)?.windows(2).position(|pair| pair == [0xFF, 0xD9])?;
            out.extend_from_slice(&bytes[at..at + length + 2]);
            return Some(out);
        }
        let length = usize::from(u16::from_be_bytes(*bytes.get(at + 2..at + 4)?.as_array()?));
        let segment = bytes.get(at..at + 2 + length)?;
        if marker == 0xE1 && is_to_be_turned(segment) {
            return None;
        }
        let is_profile = marker == 0xE2 && payload(segment).starts_with(b"ICC_PROFILE\0");
        let is_said_by_others = matches!(marker, 0xE0..=0xEF | 0xFE) && !is_profile && marker != 0xEE;
        if !is_said_by_others {
            out.extend_from_slice(segment);
        }
        at += 2 + length;
    }
}

/// What stands behind a segment's marker and length.
fn payload(segment: &[u8]) -> &[u8] {
    segment.get(4..).unwrap_or_default()
}

fn is_to_be_turned(segment: &[u8]) -> bool {
    let exif = payload(segment).strip_prefix(b"Exif\0\0");
    exif.and_then(Orientation::from_exif_chunk).is_some_and(|orientation| orientation != Orientation::NoTransforms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::{decode::decode, samples};

    #[test]
    fn a_stripped_file_shows_the_same_picture() {
        for (kind, bytes) in samples::encoded(&samples::photo(40, 30)) {
            let Some(stripped) = stripped(&bytes, kind) else { continue };
            assert_eq!(decode(&stripped, kind), decode(&bytes, kind), "{kind:?}");
        }
        let jpeg = samples::with_orientation(&samples::jpeg(&samples::photo(40, 30)), 1);
        assert!(stripped(&jpeg, Kind::Jpeg).unwrap().len() < jpeg.len() - 30);
    }

    #[test]
    fn a_moving_picture_is_told_from_its_parts() {
        let webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x3f\x01\0\xef\0\0";
        assert!(moves(webp, Kind::WebP));
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), b"\0\0\0\0IHDR\0\0\0\0", b"\0\0\0\0acTL\0\0\0\0"].concat();
        assert!(moves(&png, Kind::Png));
        assert!(!moves(&png[..20], Kind::Png));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_file_makes_the_readers_panic(tail in proptest::collection::vec(any::<u8>(), 0..80), kind in 0..4usize) {
            let heads: [(&[u8], Kind); 4] = [
                (b"\x89PNG\r\n\x1a\n", Kind::Png),
                (b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0", Kind::Gif),
                (b"\xff\xd8\xff\xe1", Kind::Jpeg),
                (b"RIFF\0\0\0\0WEBPVP8X", Kind::WebP),
            ];
            let bytes = [heads[kind].0, &tail].concat();
            moves(&bytes, heads[kind].1);
            stripped(&bytes, heads[kind].1);
        }
    }
}
