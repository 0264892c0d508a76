//! The last look at a message's bytes before anybody may send them.

use crate::domain::lines::{self, Kind, LONGEST};
use crate::domain::spliced::Pieces;

/// What may not leave the house (RFC 5322, 2.1 and 2.2; RFC 2045, 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A CR or LF that is not part of a CRLF, or a last line without one.
    #[error("a line does not end with CR LF")]
    LineEnd,
    /// NUL, another control character, or a byte above 126.
    #[error("a byte is no printable ASCII")]
    Byte,
    /// A line of more than 998 bytes.
    #[error("a line is longer than 998 bytes")]
    LongLine,
    /// A line of the header section that is neither a field nor a continuation, or no empty
    /// line after them.
    #[error("a header line has no name")]
    HeaderLine,
    /// Another number of header fields than the issue's template has, or a field that must
    /// stand exactly once and does not.
    #[error("a header field is missing or stands twice")]
    HeaderCount,
}

/// Says whether a message's bytes may leave, and counts its header fields, which all lie in its first
/// piece.
pub(super) fn scan(message: Pieces<'_>) -> Result<usize, Flaw> {
    if message.look().kind != Kind::Printable {
        each_line(&message.to_vec()).try_for_each(check_line)?;
    }
    count_fields(message.first())
}

/// The lines with their ends; the last one may have none.
fn each_line(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut ends = memchr::memchr_iter(b'\n', message);
    let mut start = 0;
    std::iter::from_fn(move || {
        let end = ends.next().map_or(message.len(), |at| at + 1);
        let line = &message[start..end];
        start = end;
        (!line.is_empty()).then_some(line)
    })
}

/// The names of the header fields in their order, as written. The message has been scanned.
pub(super) fn field_names(message: &[u8]) -> Vec<&[u8]> {
    let lines = message.split(|byte| *byte == b'\n').take_while(|line| *line != b"\r");
    lines.filter_map(field_name).collect()
}

/// Says what is wrong with a line, if anything is.
fn check_line(line: &[u8]) -> Result<(), Flaw> {
    let line = line.strip_suffix(b"\r\n").ok_or(Flaw::LineEnd)?;
    if line.len() > LONGEST {
        return Err(Flaw::LongLine);
    }
    if line.iter().copied().all(lines::is_printable) {
        return Ok(());
    }
    Err(if line.contains(&b'\r') { Flaw::LineEnd } else { Flaw::Byte })
}

/// Counts the fields up to the empty line, of lines that are whole.
fn count_fields(message: &[u8]) -> Result<usize, Flaw> {
    let mut fields = 0;
    for line in each_line(message) {
        let line = line.strip_suffix(b"\r\n").ok_or(Flaw::LineEnd)?;
        match after_header_line(line, fields)? {
            Some(so_far) => fields = so_far,
            None => return Ok(fields),
        }
    }
    Err(Flaw::HeaderLine)
}

/// How many fields there are after this line of the header section; `None` at its end.
fn after_header_line(line: &[u8], so_far: usize) -> Result<Option<usize>, Flaw> {
    if line.is_empty() {
        return Ok(None);
    }
    let is_continuation = so_far > 0 && matches!(line[0], b' ' | b'\t') && !line.trim_ascii().is_empty();
    match field_name(line) {
        Some(_) => Ok(Some(so_far + 1)),
        None if is_continuation => Ok(Some(so_far)),
        None => Err(Flaw::HeaderLine),
    }
}

/// A name is letters, digits and hyphens, and a colon follows it.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-')?;
    (colon > 0 && line[colon] == b':').then(|| &line[..colon])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_message_passes_and_its_fields_are_counted() {
        let message = "From: a@b.c\r\nSubject: x\r\n y: z\r\n\r\nbody: 1\r\n\r\n\tz\r\n";
        assert_eq!(scan(message.as_bytes().into()), Ok(2));
        assert_eq!(field_names(message.as_bytes()), [b"From".as_slice(), b"Subject"]);
    }

    #[test]
    fn every_flaw_is_found() {
        let long = format!("A: b\r\n\r\n{}\r\n", "x".repeat(999));
        for (message, flaw) in [
            ("A: b\n\r\n", Flaw::LineEnd),
            ("A: b\r\n\r\nx\ry\r\n", Flaw::LineEnd),
            ("A: b\r\n\r\nx\r\r\n", Flaw::LineEnd),
            ("A: b\r\n\r\nx", Flaw::LineEnd),
            ("A: b\r\n\r\nx\0\r\n", Flaw::Byte),
            ("A: é\r\n\r\n", Flaw::Byte),
            (long.as_str(), Flaw::LongLine),
            (" A: b\r\n\r\n", Flaw::HeaderLine),
            ("A: b\r\n \r\n\r\n", Flaw::HeaderLine),
            ("A b\r\n\r\n", Flaw::HeaderLine),
            ("A: b\r\n", Flaw::HeaderLine),
            ("", Flaw::HeaderLine),
        ] {
            assert_eq!(scan(message.as_bytes().into()), Err(flaw), "{message:?}");
        }
    }
}
