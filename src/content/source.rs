//! One file, opened with care: bounded, regular, UTF-8.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Place};
use crate::files;

/// The largest file that is read as a post, in bytes.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// The text of a file with `\n` line ends and without a byte-order mark.
pub(super) struct Source {
    pub(super) text: String,
    /// SHA-256 of the bytes on disk, in hex.
    pub(super) digest: String,
}

/// Reads a file that was found to be regular.
pub(super) fn read(path: &Path, name: &str) -> Result<Source, Box<Diagnostic>> {
    let bytes = read_bounded(path, name)?;
    let digest = files::digest(&bytes);
    let text = decode(bytes, name)?;
    let text = match text.strip_prefix('\u{FEFF}') {
        Some(text) => text.to_owned(),
        None => text,
    };
    let text = if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
    Ok(Source { text, digest })
}

fn read_bounded(path: &Path, name: &str) -> Result<Vec<u8>, Box<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        let message = format!("the file cannot be read: {error}");
        Box::new(Diagnostic::error("file-unreadable", Place::file(name), message).help("check its permissions"))
    };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut bytes = Vec::new();
    if size <= MAX_BYTES {
        bytes.reserve(usize::try_from(size).expect("at most 10 MiB"));
        // A file can grow between the two calls.
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    let size = size.max(bytes.len() as u64);
    if size > MAX_BYTES {
        let message = format!("the file is {} MB large; a post is at most 10 MB", size.div_ceil(1024 * 1024));
        let help = "move it out of the content folder, or split it";
        return Err(Box::new(Diagnostic::error("file-too-large", Place::file(name), message).help(help)));
    }
    Ok(bytes)
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<String, Box<Diagnostic>> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let help = format!("convert it: iconv -f UTF-16 -t UTF-8 '{name}'");
        let message = "the file is UTF-16, not UTF-8";
        return Err(Box::new(Diagnostic::error("not-utf-8", Place::file(name), message).help(help)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let shown = String::from_utf8_lossy(bytes);
        // The lossy text equals the bytes up to the first bad one, where `U+FFFD` begins.
        let place = Place::span(name, &shown, offset..offset + '\u{FFFD}'.len_utf8());
        let message = format!("byte 0x{:02X} at offset {offset} is not UTF-8", bytes[offset]);
        let help = format!("save the file as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 '{name}'");
        Box::new(Diagnostic::error("not-utf-8", place, message).help(help))
    })
}
