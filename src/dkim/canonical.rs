//! The relaxed form of headers and bodies: what a signature is about (RFC 6376, 3.4).

use aws_lc_rs::digest::{Context, Digest, SHA256};

/// The header fields of a message in their order, and the body. Each field is as it was
/// written, folds and final CRLF included.
pub(super) fn split(message: &str) -> (Vec<&str>, &str) {
    let (head, body) = match message.find("\r\n\r\n") {
        Some(end) => (&message[..end + 2], &message[end + 4..]),
        None => (message, ""),
    };
    let mut fields = Vec::with_capacity(24);
    let mut start = 0;
    for (at, line_end) in head.match_indices("\r\n") {
        let next = at + line_end.len();
        if !head[next..].starts_with([' ', '\t']) {
            fields.push(&head[start..next]);
            start = next;
        }
    }
    (fields, body)
}

/// The name of a field, without the white space that may stand before its colon.
pub(super) fn name(field: &str) -> &str {
    field.split(':').next().unwrap_or_default().trim_ascii_end()
}

/// Writes a field in relaxed form, its CRLF not included: the name in lower case, unfolded,
/// white space one space, none at the end or around the colon (RFC 6376, 3.4.2).
pub(super) fn header(field: &str, out: &mut String) {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    let start = out.len();
    out.push_str(name.trim_ascii_end());
    out[start..].make_ascii_lowercase();
    out.push(':');
    for (nth, word) in value.split_ascii_whitespace().enumerate() {
        if nth > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// The hash of a body in relaxed form, taken in line by line (RFC 6376, 3.4.4).
///
/// A body may come in several pieces, each of whole lines, and a clone goes on from where the
/// original stands: what many messages begin with need be hashed only once.
#[derive(Clone)]
pub struct BodyHash {
    hash: Context,
    /// Empty lines since the last line with text: they count only if text follows.
    empty_lines: usize,
}

impl BodyHash {
    /// The hash of no line.
    pub fn new() -> Self {
        Self { hash: Context::new(&SHA256), empty_lines: 0 }
    }

    /// Takes in whole lines. A last line without a line end counts as one with it.
    pub fn lines(&mut self, text: &str) {
        let mut relaxed = Vec::with_capacity(text.len() + 2);
        for line in text.split_inclusive('\n') {
            let line = line.as_bytes().trim_ascii_end();
            if line.is_empty() {
                self.empty_lines += 1;
                continue;
            }
            for _ in 0..std::mem::take(&mut self.empty_lines) {
                relaxed.extend_from_slice(b"\r\n");
            }
            if has_wide_space(line) {
                squeeze(line, &mut relaxed);
            } else {
                relaxed.extend_from_slice(line);
            }
            relaxed.extend_from_slice(b"\r\n");
        }
        self.hash.update(&relaxed);
    }

    /// The hash of everything that was taken in.
    pub(super) fn finish(self) -> Digest {
        self.hash.finish()
    }
}

impl Default for BodyHash {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether white space in the line, which ends with none, is anything but single spaces.
/// Counting has no early way out, so the compiler looks at many bytes at once.
fn has_wide_space(line: &[u8]) -> bool {
    let pairs = line.iter().zip(&line[1..]);
    pairs.filter(|(one, next)| **one == b'\t' || (**one == b' ' && **next == b' ')).count() > 0
}

fn squeeze(line: &[u8], out: &mut Vec<u8>) {
    let mut after_space = false;
    for byte in line {
        let is_space = matches!(byte, b' ' | b'\t');
        if !is_space {
            out.push(*byte);
        } else if !after_space {
            out.push(b' ');
        }
        after_space = is_space;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn relaxed(field: &str) -> String {
        let mut out = String::new();
        header(field, &mut out);
        out
    }

    fn hash(pieces: &[&str]) -> Vec<u8> {
        let mut hash = BodyHash::new();
        for piece in pieces {
            hash.lines(piece);
        }
        hash.finish().as_ref().to_vec()
    }

    fn sha256(text: &str) -> Vec<u8> {
        aws_lc_rs::digest::digest(&SHA256, text.as_bytes()).as_ref().to_vec()
    }

    #[test]
    fn the_example_of_the_standard_is_canonicalised() {
        // RFC 6376, 3.4.5.
        let message = "A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (fields, body) = split(message);
        assert_eq!(fields.iter().map(|field| relaxed(field)).collect::<Vec<_>>(), ["a:X", "b:Y Z"]);
        assert_eq!(fields.iter().map(|field| name(field)).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(hash(&[body]), sha256(" C\r\nD E\r\n"));
    }

    #[test]
    fn an_empty_body_is_no_line_and_a_missing_line_end_is_added() {
        assert_eq!(hash(&[]), sha256(""));
        assert_eq!(hash(&["\r\n \r\n"]), sha256(""));
        assert_eq!(hash(&["x"]), sha256("x\r\n"));
        assert_eq!(hash(&["x\r\n\r\n", "\r\ny \r\n"]), sha256("x\r\n\r\n\r\ny\r\n"));
    }

    /// Lines of words and white space of every width.
    fn lines() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("([a-c=.]{0,3}[ \t]{0,3}){0,5}\r\n", 0..12)
    }

    proptest! {
        #[test]
        fn a_body_in_pieces_has_the_hash_of_the_whole(lines in lines(), cut in 0usize..12) {
            let (first, rest) = lines.split_at(cut.min(lines.len()));
            prop_assert_eq!(hash(&[&first.concat(), &rest.concat()]), hash(&[&lines.concat()]));
            let each: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(hash(&each), hash(&[&lines.concat()]));
        }

        #[test]
        fn white_space_may_change_its_width_and_nothing_else_may_change(lines in lines(), at in 0usize..200) {
            let body = lines.concat();
            let wider = body.replace(' ', " \t ").replace("\r\n", "  \r\n");
            prop_assert_eq!(hash(&[&(wider + "\r\n\r\n")]), hash(&[&body]));
            if let Some((at, _)) = body.char_indices().nth(at).filter(|(_, c)| c.is_ascii_graphic()) {
                let changed = format!("{}x{}", &body[..at], &body[at + 1..]);
                prop_assert_ne!(hash(&[&changed]), hash(&[&body]));
            }
        }

        #[test]
        fn a_header_in_relaxed_form_stays_as_it_is(
            name in "[A-Za-z-]{1,9}", value in "([!-~]{1,5}(\r\n)?[ \t]{1,3}){0,6}",
        ) {
            let once = relaxed(&format!("{name} :{value}\r\n"));
            prop_assert_eq!(&relaxed(&format!("{once}\r\n")), &once);
            prop_assert!(!once.contains("  ") && !once.contains(['\t', '\r', '\n']) && !once.ends_with(' '));
        }
    }
}
