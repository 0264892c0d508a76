//! What a file looks like from outside.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Nanoseconds in which a file can change twice and look the same: two seconds, the step of the
/// coarsest file systems.
const STEP: i64 = 2_000_000_000;

/// Length, times and identity of a file. Whoever changes a file changes these, unless it happens
/// in the very moment of an earlier change: [`Stamp::is_settled_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    length: u64,
    /// In nanoseconds since 1970.
    modified: i64,
    /// When anything about it changed, its time included; 0 where the system does not say.
    changed: i64,
    inode: u64,
}

impl Stamp {
    /// The stamp of a regular file, or of the one a link leads to; `None` when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().and_then(|found| Self::from_metadata(&found))
    }

    fn from_metadata(found: &Metadata) -> Option<Self> {
        if !found.is_file() {
            return None;
        }
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = i64::try_from(modified.as_nanos()).ok()?;
        let (changed, inode) = identity(found);
        Some(Self { length: found.len(), modified, changed, inode })
    }

    /// Whether a change after this moment (of [`super::Cache::moment`]) would show in the stamp.
    /// It might not if the file was last changed in the same step of the clock.
    pub fn is_settled_at(&self, moment: i64) -> bool {
        self.modified < moment - STEP
    }

    /// When the file was modified, in nanoseconds since 1970.
    pub(super) fn modified(&self) -> i64 {
        self.modified
    }
}

#[cfg(unix)]
fn identity(found: &Metadata) -> (i64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.ctime().saturating_mul(1_000_000_000).saturating_add(found.ctime_nsec()), found.ino())
}

#[cfg(not(unix))]
fn identity(_found: &Metadata) -> (i64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_change_shows_though_length_and_time_are_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let past = SystemTime::now() - Duration::from_mins(1);
        let set = || fs::File::options().write(true).open(&path).unwrap().set_modified(past).unwrap();
        set();
        let before = Stamp::of(&path).unwrap();
        assert_eq!(Some(before), Stamp::of(&path));
        std::thread::sleep(Duration::from_millis(30));
        fs::write(&path, "two").unwrap();
        set();
        assert_ne!(Some(before), Stamp::of(&path));
        assert_eq!(Stamp::of(folder.path()), None, "a folder is no file");
    }

    #[test]
    fn a_file_is_settled_once_the_clock_has_gone_on() {
        let stamp = Stamp { length: 1, modified: 10 * STEP, changed: 0, inode: 1 };
        assert!(!stamp.is_settled_at(10 * STEP) && !stamp.is_settled_at(11 * STEP));
        assert!(stamp.is_settled_at(11 * STEP + 1));
    }
}
