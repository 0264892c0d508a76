//! Files that the configuration names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::sheet::{Sheet, Typed};

/// The largest such file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The bytes of a named file; `None` after an error was noted.
pub(super) fn read(file: &Typed<String>, root: &Path, sheet: &Sheet<'_>) -> Option<Vec<u8>> {
    let path = root.join(&file.value);
    let bad = |message: String| {
        sheet.error("config-file", file.span.clone(), message, "the path is relative to the folder of fieldpost.toml");
    };
    match fs::metadata(&path) {
        Ok(found) if !found.is_file() => bad(format!("`{}` is no file", file.value)),
        Ok(found) if found.len() > MAX_FILE => bad(format!("`{}` is too large", file.value)),
        Ok(_) => match fs::read(&path) {
            Ok(bytes) => return Some(bytes),
            Err(error) => bad(format!("`{}` cannot be read: {error}", file.value)),
        },
        Err(error) => bad(format!("`{}` cannot be read: {error}", file.value)),
    }
    None
}

/// As [`read`], for a secret: a file that anybody but its owner may read is an error with
/// this code.
pub(super) fn read_secret(code: &'static str, file: &Typed<String>, root: &Path, sheet: &Sheet<'_>) -> Option<Vec<u8>> {
    let bytes = read(file, root, sheet)?;
    let mode = fs::metadata(root.join(&file.value)).map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        let message = format!("`{}` can be read by others (mode {:04o})", file.value, mode & 0o7777);
        sheet.error(code, file.span.clone(), message, format!("chmod 600 {}", file.value));
        return None;
    }
    Some(bytes)
}
