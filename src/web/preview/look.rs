//! Whether anything that a publication is made of has changed on the disk.
//!
//! Looked at again and again instead of being told by the system: that works on every disk,
//! with every editor's way of saving, and costs some milliseconds for thousands of files.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// No folder is looked into deeper than this.
const DEEPEST: usize = 12;

/// The files and folders to look at.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// Files, and folders with all that is in them.
    pub roots: Vec<PathBuf>,
    /// What is left out: what fieldpost itself writes.
    pub without: Vec<PathBuf>,
}

impl Places {
    /// What they look like now: another number after any change of a name, a size or a time.
    pub fn look(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for root in &self.roots {
            self.add(root, DEEPEST, &mut hasher);
        }
        hasher.finish()
    }

    fn add(&self, path: &Path, depth: usize, hasher: &mut DefaultHasher) {
        let Ok(about) = std::fs::metadata(path) else { return };
        if self.without.iter().any(|left_out| left_out == path) {
            return;
        }
        path.hash(hasher);
        if !about.is_dir() {
            about.len().hash(hasher);
            about.modified().unwrap_or(SystemTime::UNIX_EPOCH).hash(hasher);
            return;
        }
        let Ok(entries) = std::fs::read_dir(path) else { return };
        let mut entries: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_shown(path)).collect();
        entries.sort();
        if depth > 0 {
            for entry in &entries {
                self.add(entry, depth - 1, hasher);
            }
        }
    }
}

/// Hidden folders such as `.git` change all the time and hold no posts.
fn is_shown(path: &Path) -> bool {
    path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_anywhere_is_seen_and_what_we_write_ourselves_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("content/deep")).unwrap();
        fs::create_dir_all(path("public")).unwrap();
        fs::write(path("content/deep/a.md"), "a").unwrap();
        let places = Places { roots: vec![folder.path().to_owned()], without: vec![path("public")] };
        let first = places.look();
        fs::write(path("public/index.html"), "made").unwrap();
        fs::create_dir(path(".git")).unwrap();
        assert_eq!(places.look(), first);
        fs::write(path("content/deep/a.md"), "ab").unwrap();
        let second = places.look();
        assert_ne!(second, first);
        fs::write(path("content/b.md"), "").unwrap();
        assert_ne!(places.look(), second);
    }
}
