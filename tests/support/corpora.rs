//! The real inputs, where the machine has them.

use std::path::PathBuf;

/// A file of the corpora, or `None`, said loudly, when `FIELDPOST_CORPORA` is not set. In
/// continuous integration that is a failure: nothing may be skipped there.
pub fn file(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("FIELDPOST_CORPORA") else {
        skip(&format!("FIELDPOST_CORPORA is not set, so {name} cannot be read"));
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    assert!(path.is_file(), "{} is not there", path.display());
    Some(path)
}

/// Says that a test was skipped; fails instead where nothing may be skipped.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "nothing may be skipped here: {reason}");
    eprintln!("SKIPPED: {reason}");
}
