//! What sort of picture some bytes are.

/// The sorts of picture that posts hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Portable Network Graphics.
    Png,
    /// JPEG (JFIF or Exif).
    Jpeg,
    /// GIF, still or moving.
    Gif,
    /// WebP, still or moving.
    WebP,
    /// AVIF, which is recognised and not read.
    Avif,
    /// A drawing in SVG.
    Svg,
}

/// How far into a text an `<svg` is looked for: past a licence in a comment.
const SVG_REACH: usize = 16 * 1024;

impl Kind {
    /// Tells the sort by what the file begins with, never by its name; `None` for all else.
    /// A few hundred bytes suffice, but for an SVG below a long comment.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if head.starts_with(b"\xFF\xD8\xFF") {
            Some(Self::Jpeg)
        } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if head.get(4..8) == Some(b"ftyp") && matches!(head.get(8..12), Some(b"avif" | b"avis")) {
            Some(Self::Avif)
        } else {
            is_svg(head).then_some(Self::Svg)
        }
    }

    /// The ending that files of this sort have, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Svg => "svg",
        }
    }

    /// The sort a file's ending promises, in any case; `None` for an ending of no picture.
    pub fn promised_by(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "png" | "apng" => Self::Png,
            "jpg" | "jpeg" | "jpe" | "jfif" => Self::Jpeg,
            "gif" => Self::Gif,
            "webp" => Self::WebP,
            "avif" => Self::Avif,
            "svg" => Self::Svg,
            _ => return None,
        })
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// Whether the first tag is `<svg`, after a declaration, a doctype and comments.
fn is_svg(head: &[u8]) -> bool {
    let head = &head[..head.len().min(SVG_REACH)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).expect("it is valid up to there"),
    };
    let mut rest = valid.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!") => ">",
            _ => {
                return rest
                    .strip_prefix("<svg")
                    .is_some_and(|rest| rest.starts_with([' ', '\n', '\r', '\t', '>', '/']));
            }
        };
        let Some(at) = rest.find(end) else { return false };
        rest = rest[at + end.len()..].trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sort_is_told_by_the_bytes() {
        let cases: [(&[u8], Option<Kind>); 10] = [
            (b"\x89PNG\r\n\x1a\n", Some(Kind::Png)),
            (b"\xFF\xD8\xFF\xE0", Some(Kind::Jpeg)),
            (b"GIF89a", Some(Kind::Gif)),
            (b"RIFF....WEBPVP8 ", Some(Kind::WebP)),
            (b"\0\0\0\x20ftypavif", Some(Kind::Avif)),
            (
                b"\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- <svg> by hand -->\n<!DOCTYPE svg>\n<svg xmlns=''>",
                Some(Kind::Svg),
            ),
            (b"<svg/>", Some(Kind::Svg)),
            (b"<svgfoo>", None),
            (b"<html><svg>", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            assert_eq!(Kind::of(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn an_ending_promises_a_sort() {
        assert_eq!(Kind::promised_by("JPEG"), Some(Kind::Jpeg));
        assert_eq!(Kind::promised_by("pdf"), None);
        for kind in [Kind::Png, Kind::Jpeg, Kind::Gif, Kind::WebP, Kind::Avif, Kind::Svg] {
            assert_eq!(Kind::promised_by(kind.extension()), Some(kind));
            assert!(kind.media_type().starts_with("image/"));
        }
    }
}
