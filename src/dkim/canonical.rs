//! The relaxed form of headers and bodies: what a signature is about (RFC 6376, 3.4).

use aws_lc_rs::digest::{Context, Digest, SHA256};
use memchr::{memchr_iter, memmem};

/// The header fields of a message in their order, and the body. Each field is as it was
/// written, folds and final CRLF included.
pub(super) fn split(message: &str) -> (Vec<&str>, &str) {
    let (head, body) = match memmem::find(message.as_bytes(), b"\r\n\r\n") {
        Some(end) => (&message[..end + 2], &message[end + 4..]),
        None => (message, ""),
    };
    let mut fields = Vec::with_capacity(24);
    let mut start = 0;
    for next in memchr_iter(b'\n', head.as_bytes()).map(|at| at + 1) {
        let (field, rest) = (&head[start..next], &head[next..]);
        if field.ends_with("\r\n") && !rest.starts_with([' ', '\t']) {
            fields.push(field);
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

/// Bodies are looked at in blocks of about so many bytes.
const BLOCK: usize = 4096;

/// The hash of a body in relaxed form (RFC 6376, 3.4.4), of which each piece but the last ends with a
/// line. A last line without a line end counts as one with it.
pub(super) fn body_hash<'a>(body: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut hash = BodyHash { hash: Context::new(&SHA256), empty_lines: 0 };
    body.into_iter().for_each(|piece| hash.piece(piece));
    hash.hash.finish()
}

/// A hash in the making.
struct BodyHash {
    hash: Context,
    /// Empty lines since the last line with text: they count only if text follows.
    empty_lines: usize,
}

impl BodyHash {
    fn piece(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let line_end = |at: usize| rest[at..].iter().position(|byte| *byte == b'\n').map(|found| at + found + 1);
            let (block, later) = rest.split_at(line_end(rest.len().min(BLOCK) - 1).unwrap_or(rest.len()));
            self.block(block);
            rest = later;
        }
    }

    /// Takes in whole lines, as they are where they are relaxed already: most are.
    fn block(&mut self, block: &[u8]) {
        if is_relaxed(block) {
            self.flush_empty_lines();
            self.hash.update(block);
        } else {
            block.split_inclusive(|byte| *byte == b'\n').for_each(|line| self.line(line));
        }
    }

    fn line(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            self.empty_lines += 1;
            return;
        }
        self.flush_empty_lines();
        let mut relaxed = Vec::with_capacity(line.len() + 2);
        squeeze(line, &mut relaxed);
        relaxed.extend_from_slice(b"\r\n");
        self.hash.update(&relaxed);
    }

    fn flush_empty_lines(&mut self) {
        for _ in 0..std::mem::take(&mut self.empty_lines) {
            self.hash.update(b"\r\n");
        }
    }
}

/// Whether whole lines are in relaxed form, with text in the last.
fn is_relaxed(lines: &[u8]) -> bool {
    let ends_in_text = lines.ends_with(b"\r\n") && !lines.ends_with(b"\n\r\n") && lines != b"\r\n";
    ends_in_text && lines.iter().zip(&lines[1..]).fold(0, |wrong, (one, next)| wrong | is_wrong(*one, *next)) == 0
}

/// 1 where two bytes in a row are not relaxed: a tab, a space before a space or a line end, a
/// line end of LF alone. Numbers and not truth values, so that the compiler looks at many
/// bytes at once.
fn is_wrong(one: u8, next: u8) -> u8 {
    let before_space = u8::from(next == b' ') | u8::from(next == b'\r') | u8::from(next == b'\n');
    u8::from(one == b'\t') | (u8::from(one == b' ') & before_space) | (u8::from(one != b'\r') & u8::from(next == b'\n'))
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

    fn hash(body: &str) -> Vec<u8> {
        body_hash([body.as_bytes()]).as_ref().to_vec()
    }

    /// The standard's five steps, one after the other.
    fn plainly(body: &str) -> String {
        let lines = body.split_inclusive("\r\n").map(|line| line.trim_end_matches("\r\n"));
        let squeezed = lines.map(|line| {
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let indent = if line.starts_with([' ', '\t']) && !words.is_empty() { " " } else { "" };
            format!("{indent}{}\r\n", words.join(" "))
        });
        let joined: String = squeezed.collect();
        let text = joined.trim_end_matches("\r\n");
        if text.is_empty() { String::new() } else { format!("{text}\r\n") }
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
        assert_eq!(hash(body), sha256(" C\r\nD E\r\n"));
    }

    #[test]
    fn an_empty_body_is_no_line_and_a_missing_line_end_is_added() {
        assert_eq!(hash(""), sha256(""));
        assert_eq!(hash("\r\n \r\n"), sha256(""));
        assert_eq!(hash("\r\n"), sha256(""));
        assert_eq!(hash("x"), sha256("x\r\n"));
        assert_eq!(hash("x\r\n\r\n\r\ny \r\n"), sha256("x\r\n\r\n\r\ny\r\n"));
        assert_eq!(hash("\r\nx\r\n"), sha256("\r\nx\r\n"));
    }

    /// Lines of words and white space of every width.
    fn lines() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("([a-c=.]{0,3}[ \t]{0,3}){0,5}\r\n", 0..12)
    }

    proptest! {
        #[test]
        fn the_hash_is_that_of_the_relaxed_form(lines in lines(), filler in 0usize..90, blocks in 0usize..3) {
            // Long enough that what is not relaxed stands in one block or in another.
            let clean = format!("{}\r\n", "x".repeat(filler)).repeat(blocks * BLOCK / (filler + 2) + blocks);
            for body in [lines.concat(), format!("{clean}{}", lines.concat()), format!("{}{clean}{clean}", lines.concat())] {
                prop_assert_eq!(hash(&body), sha256(&plainly(&body)));
                let by_line = body_hash(body.as_bytes().split_inclusive(|byte| *byte == b'\n'));
                prop_assert_eq!(by_line.as_ref(), hash(&body));
            }
        }

        #[test]
        fn white_space_may_change_its_width_and_nothing_else_may_change(lines in lines(), at in 0usize..200) {
            let body = lines.concat();
            let wider = body.replace(' ', " \t ").replace("\r\n", "  \r\n");
            prop_assert_eq!(hash(&(wider + "\r\n\r\n")), hash(&body));
            if let Some((at, _)) = body.char_indices().nth(at).filter(|(_, c)| c.is_ascii_graphic()) {
                let changed = format!("{}x{}", &body[..at], &body[at + 1..]);
                prop_assert_ne!(hash(&changed), hash(&body));
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
