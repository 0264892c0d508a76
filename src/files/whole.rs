//! Whole files: replaced by a rename, or not touched.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Change, FileError};

/// How the names of unfinished files begin; [`sweep`] removes what a crash left of them.
const UNFINISHED: &str = ".fieldpost-unfinished-";

/// How sure a write is when it returns.
#[derive(Clone, Copy)]
enum Care {
    /// Readers never see half a file. After a power loss it may be the old one, or empty.
    Atomic,
    /// Also on the disk, name and bytes.
    Durable,
}

/// Makes the file at `path` hold exactly `bytes`, creating the folders above it.
///
/// A file that holds them already keeps its time and its inode. Otherwise the bytes are
/// written beside the place and renamed into it: a reader, or a crash, finds the old file or
/// the new one whole. A symbolic link at the place is replaced, never followed. Not durable
/// against power loss; see [`replace_durably`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<Change, FileError> {
    replace_with(path, bytes, Care::Atomic)
}

/// As [`replace`], for a file that is not there or holds something else: nobody looks, and the
/// folder must be there. It saves the half of what a small file costs.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let unfinished = Unfinished::beside(path);
    unfinished.write(bytes, Care::Atomic).map_err(FileError::at("write", path))?;
    unfinished.rename_to(path).map_err(FileError::at("replace", path))
}

/// As [`replace`], and when it returns the file survives a power loss (file and folder are synced).
pub fn replace_durably(path: &Path, bytes: &[u8]) -> Result<Change, FileError> {
    replace_with(path, bytes, Care::Durable)
}

fn replace_with(path: &Path, bytes: &[u8], care: Care) -> Result<Change, FileError> {
    let change = compare(path, bytes)?;
    if change == Change::Unchanged {
        return Ok(change);
    }
    let folder = parent(path);
    fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))?;
    let unfinished = Unfinished::beside(path);
    unfinished.write(bytes, care).map_err(FileError::at("write", path))?;
    unfinished.rename_to(path).map_err(FileError::at("replace", path))?;
    if let Care::Durable = care {
        sync_folder(folder)?;
    }
    Ok(change)
}

/// What [`replace`] would do with these bytes; nothing is written. The length is compared
/// before a byte is read.
pub fn compare(path: &Path, bytes: &[u8]) -> Result<Change, FileError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Change::Added),
        Err(error) => return Err(FileError::at("look at", path)(error)),
    };
    if !found.is_file() || found.len() != bytes.len() as u64 {
        return Ok(Change::Changed);
    }
    let held = fs::read(path).map_err(FileError::at("read", path))?;
    Ok(if held == bytes { Change::Unchanged } else { Change::Changed })
}

/// Removes a file; one that is gone already is no error. Returns whether it was there.
///
/// Folders above it that are left empty are removed too, up to but not including `root`.
pub fn remove(root: &Path, path: &Path) -> Result<bool, FileError> {
    let was_there = match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(FileError::at("remove", path)(error)),
    };
    let mut folder = parent(path);
    while folder != root && folder.starts_with(root) && fs::remove_dir(folder).is_ok() {
        folder = parent(folder);
    }
    Ok(was_there)
}

/// Removes the unfinished files that a killed process left under a folder, and counts them.
///
/// Only names that [`replace`] gives to its own unfinished files are removed. Symbolic links
/// are not followed. A folder that does not exist holds none.
pub fn sweep(folder: &Path) -> Result<usize, FileError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(FileError::at("list", folder)(error)),
    };
    let mut swept = 0;
    for entry in entries {
        let entry = entry.map_err(FileError::at("list", folder))?;
        let kind = entry.file_type().map_err(FileError::at("look at", &entry.path()))?;
        if kind.is_dir() {
            swept += sweep(&entry.path())?;
        } else if kind.is_file() && entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_file(entry.path()).map_err(FileError::at("remove", &entry.path()))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// The folder a path stands in; `.` for a bare name.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder's names durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::at("sync the folder", folder))
}

/// A file being written beside its place. Dropped before it was renamed, it is removed.
pub(super) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Chooses a name in the folder of `place` that no other writer, in this process or
    /// another, chooses at the same time.
    pub(super) fn beside(place: &Path) -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{UNFINISHED}{}-{number}", std::process::id());
        Self { path: parent(place).join(name) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file for writing, empty.
    pub(super) fn create(&self) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).open(&self.path)
    }

    fn write(&self, bytes: &[u8], care: Care) -> io::Result<()> {
        let mut file = self.create()?;
        file.write_all(bytes)?;
        match care {
            Care::Atomic => Ok(()),
            Care::Durable => file.sync_all(),
        }
    }

    /// Puts the file in its place.
    pub(super) fn rename_to(self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Nothing depends on it: `sweep` removes what this cannot.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_added_then_changed_then_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.txt");
        assert_eq!(replace(&path, b"one").unwrap(), Change::Added);
        assert_eq!(replace(&path, b"two").unwrap(), Change::Changed);
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(replace(&path, b"two").unwrap(), Change::Unchanged);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(replace_durably(&path, b"three").unwrap(), Change::Changed);
    }

    #[test]
    fn a_reader_finds_the_old_file_or_the_new_one_whole_ten_thousand_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.xml");
        let versions: Vec<Vec<u8>> = (b'a'..=b'h').map(|c| vec![c; 20_000 + usize::from(c) * 97]).collect();
        replace(&path, &versions[0]).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        let (reads, seen) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = std::collections::BTreeSet::new();
                for _ in 0..10_000 {
                    let held = fs::read(&path).unwrap();
                    assert!(versions.contains(&held), "a mix of {} bytes", held.len());
                    seen.insert(held[0]);
                }
                done.store(true, Ordering::Relaxed);
                (10_000, seen)
            });
            for version in versions.iter().cycle() {
                replace(&path, version).unwrap();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
            reader.join().unwrap()
        });
        assert_eq!(reads, 10_000);
        assert!(seen.len() > 1, "the file was never replaced while it was read");
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_that_names_it_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page");
        fs::create_dir(&path).unwrap();
        let error = replace(&path, b"x").unwrap_err().to_string();
        assert!(error.contains("page"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_at_the_place_is_replaced_and_its_target_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(replace(&link, b"kept").unwrap(), Change::Changed);
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read(&target).unwrap(), b"kept");
    }

    #[test]
    fn removing_takes_empty_folders_with_it_and_stops_at_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("public");
        replace(&root.join("a/b/index.html"), b"x").unwrap();
        replace(&root.join("a/other"), b"x").unwrap();
        assert!(remove(&root, &root.join("a/b/index.html")).unwrap());
        assert!(!root.join("a/b").exists() && root.join("a/other").exists());
        assert!(remove(&root, &root.join("a/other")).unwrap());
        assert!(root.exists() && !root.join("a").exists());
        assert!(!remove(&root, &root.join("a/other")).unwrap());
    }

    #[test]
    fn sweeping_removes_unfinished_files_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join(format!("{UNFINISHED}1-2")), "half").unwrap();
        fs::write(inner.join(".htaccess"), "whole").unwrap();
        assert_eq!(sweep(folder.path()).unwrap(), 1);
        assert!(inner.join(".htaccess").exists());
        assert_eq!(sweep(&folder.path().join("missing")).unwrap(), 0);
    }
}
