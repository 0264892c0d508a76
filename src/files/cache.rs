//! A folder of things that can be made again.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::{FileError, Stamp, digest, whole};

/// A cache: whatever cannot be read from it, for whatever reason, is simply made again.
///
/// Every entry begins with the digest of the rest, so that half an entry, or one with a bit
/// flipped, is none. Two processes may use one folder: an entry is replaced whole.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// A cache in a folder, which need not exist.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What was kept under a name of plain letters, digits and dots; `None` when nothing was, or
    /// when it is damaged.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let mut kept = fs::read(self.folder.join(name)).ok()?;
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let is_whole = digest(&kept[end + 1..]).as_bytes() == &kept[..end];
        kept.drain(..=end);
        is_whole.then_some(kept)
    }

    /// Keeps bytes under a name, instead of what was there.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let entry = [digest(bytes).as_bytes(), b"\n", bytes].concat();
        let place = self.folder.join(name);
        // The folder is there but for the first time.
        whole::put(&place, &entry).or_else(|_| whole::replace(&place, &entry).map(drop))
    }

    /// The present by the clock of the disk, in nanoseconds since 1970: what stamps of files are
    /// compared with. `None` when nothing can be written there.
    pub fn moment(&self) -> Option<i64> {
        let path = self.folder.join("moment");
        // A file is touched only by other bytes.
        fs::remove_file(&path).ok();
        whole::replace(&path, b"").ok()?;
        Stamp::of(&path).map(|stamp| stamp.modified())
    }

    /// Removes every entry but those of these names. What cannot be removed stays; it does no
    /// harm.
    pub fn keep_only(&self, names: &HashSet<String>) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let is_wanted = entry.file_name().to_str().is_some_and(|name| names.contains(name));
            if !is_wanted && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_what_is_damaged_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        assert_eq!(cache.get("a.png"), None);
        cache.put("a.png", b"one\ntwo").unwrap();
        assert_eq!(cache.get("a.png").as_deref(), Some(&b"one\ntwo"[..]));
        let path = folder.path().join("cache/a.png");
        let whole = fs::read(&path).unwrap();
        for damaged in [&whole[..whole.len() - 1], &whole[..10], b"", b"\n", &[&whole[..], b"x"].concat()] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.get("a.png"), None);
        }
        cache.put("a.png", b"one\ntwo").unwrap();
        assert!(cache.get("a.png").is_some());
    }

    #[test]
    fn what_nobody_wants_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().to_owned());
        cache.put("a", b"1").unwrap();
        cache.put("b", b"2").unwrap();
        cache.keep_only(&HashSet::from(["b".to_owned()]));
        assert_eq!((cache.get("a"), cache.get("b")), (None, Some(b"2".to_vec())));
    }
}
