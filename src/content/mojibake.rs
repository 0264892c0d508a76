//! Text that was UTF-8 once, was read as Mac Roman, Windows-1252 or Latin-1, and was saved again.
//!
//! A run of broken text, written back in the encoding it was read in, is one UTF-8 character
//! again. That alone would accuse honest text (`Ã©` can be meant), so the character must be one
//! that authors write: an emoji, a sign, or a letter of a script that the file uses anyway.

use std::ops::Range;

use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1252};

/// One run of broken text and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mojibake {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What the author meant.
    pub repaired: String,
}

/// Every run of broken text, in order.
pub fn find_mojibake(text: &str) -> Vec<Mojibake> {
    if text.is_ascii() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text.as_bytes()[at..].iter().position(|byte| !byte.is_ascii()) {
        at += offset;
        match repair_at(&text[at..]) {
            Some((length, repaired)) => {
                push(&mut found, at..at + length, repaired);
                at += length;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// The text with every broken run repaired; `None` when nothing is broken.
pub fn repair_mojibake(text: &str) -> Option<String> {
    let found = find_mojibake(text);
    if found.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for run in found {
        out.push_str(&text[done..run.range.start]);
        out.push_str(&run.repaired);
        done = run.range.end;
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// Runs that touch are one: the parts of an emoji sequence, or a word.
fn push(found: &mut Vec<Mojibake>, range: Range<usize>, repaired: char) {
    match found.last_mut() {
        Some(last) if last.range.end == range.start => {
            last.range.end = range.end;
            last.repaired.push(repaired);
        }
        Some(_) | None => found.push(Mojibake { range, repaired: repaired.to_string() }),
    }
}

/// The character that the text begins with, if it is broken: its length now, and what it was. One
/// that stands alone among plain letters is whole: what was broken is two characters at least.
fn repair_at(text: &str) -> Option<(usize, char)> {
    text.chars().nth(1).filter(|second| !second.is_ascii())?;
    [Legacy::MacRoman, Legacy::Windows1252, Legacy::Latin1].into_iter().find_map(|legacy| legacy.repair(text))
}

#[derive(Clone, Copy)]
enum Legacy {
    MacRoman,
    Windows1252,
    Latin1,
}

impl Legacy {
    fn repair(self, text: &str) -> Option<(usize, char)> {
        let first = self.byte(text.chars().next()?)?;
        // Mac Roman reads 0xF0 as U+F8FF, a private character that editors like to drop: then
        // an emoji begins with its second byte.
        let lost = matches!(self, Self::MacRoman) && first == 0x9F;
        let count = if lost { 3 } else { sequence_length(first)? };
        let mut bytes = if lost { vec![0xF0] } else { Vec::with_capacity(4) };
        let mut length = 0;
        for c in text.chars().take(count) {
            bytes.push(self.byte(c)?);
            length += c.len_utf8();
        }
        let repaired = std::str::from_utf8(&bytes).ok()?.chars().next()?;
        is_plausible(repaired).then_some((length, repaired))
    }

    /// The byte that this encoding read as a character.
    fn byte(self, c: char) -> Option<u8> {
        let encoding: &'static Encoding = match self {
            Self::MacRoman => MACINTOSH,
            Self::Windows1252 => WINDOWS_1252,
            Self::Latin1 => return u8::try_from(u32::from(c)).ok().filter(|byte| *byte >= 0x80),
        };
        let mut buffer = [0; 4];
        let (bytes, _, unmappable) = encoding.encode(c.encode_utf8(&mut buffer));
        (!unmappable && bytes.len() == 1 && bytes[0] >= 0x80).then(|| bytes[0])
    }
}

/// Whether authors write a character: a sign, an emoji, or a Latin letter.
fn is_plausible(c: char) -> bool {
    let code = u32::from(c);
    let is_sign = matches!(code, 0x2010..=0x206F | 0x20A0..=0x27BF | 0x2B00..=0x2BFF | 0xFE0E..=0xFE0F);
    let is_emoji = (0x1F000..=0x1FAFF).contains(&code);
    let is_latin = matches!(code, 0xA0..=0x24F)
        && (c.is_alphabetic() || matches!(code, 0xA0 | 0xA7 | 0xA9 | 0xAB | 0xAE | 0xB0 | 0xB1 | 0xB7 | 0xBB | 0xD7));
    is_sign || is_emoji || is_latin
}

/// How many bytes a UTF-8 sequence has that begins with this one (RFC 3629, section 3).
fn sequence_length(first: u8) -> Option<usize> {
    match first {
        0xC2..=0xDF => Some(2),
        0xE2 | 0xEF => Some(3),
        0xF0 => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn broken_text_is_found_and_repaired() {
        for (broken, meant) in [
            ("üöÄ Production Reality", "🚀 Production Reality"),
            ("\u{F8FF}üöÄ go", "🚀 go"),
            ("caf√© ‚Äî It‚Äôs", "café — It’s"),
            ("‚úÖ done", "✅ done"),
            ("‚ö†Ô∏è careful", "⚠️ careful"),
            ("ðŸš€ Itâ€™s cafÃ©", "🚀 It’s café"),
            ("It\u{e2}\u{80}\u{99}s \u{c3}\u{a9}", "It’s é"),
            ("â€œquotedâ€\u{9d}", "“quoted”"),
        ] {
            assert_eq!(repair_mojibake(broken).as_deref(), Some(meant), "{broken}");
        }
    }

    #[test]
    fn honest_text_is_left_alone() {
        for text in [
            "Größe übertrifft ÄÖÜ",
            "façade déjà vu",
            "√ 2 ≠ 1",
            "🚀 ⚠️ 👨‍💻 — “ok” … café",
            "日本語 и русский",
            "Ã alone, â alone",
            "naïve coöperation, Ångström, ¿qué?",
            "© 2025 · 20 °C ± 1 €",
        ] {
            assert_eq!(repair_mojibake(text), None, "{text}");
        }
    }

    #[test]
    fn the_place_of_a_run_is_exact() {
        let text = "a üöÄ b";
        let found = find_mojibake(text);
        assert_eq!(&text[found[0].range.clone()], "üöÄ");
        assert_eq!(found.len(), 1);
    }

    proptest! {
        #[test]
        fn repairing_undoes_what_windows_1252_did_to_any_emoji(c in proptest::char::range('\u{1F300}', '\u{1F64F}')) {
            let bytes = c.to_string().into_bytes();
            let (broken, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
            prop_assert_eq!(repair_mojibake(&broken), Some(c.to_string()));
        }

        #[test]
        fn no_text_makes_the_search_panic(text in "\\PC*") {
            if let Some(repaired) = repair_mojibake(&text) {
                prop_assert_ne!(repaired, text);
            }
        }
    }
}
