//! A folder that no path leaves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::FileError;

/// A folder into which files are written, and which no written path leaves.
#[derive(Debug, Clone)]
pub struct Root {
    folder: PathBuf,
    /// Where it really is; `None` when it does not exist, and holds no link that leads out.
    real: Option<PathBuf>,
}

impl Root {
    /// Opens a folder, which need not exist; nothing is created.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        let real = match folder.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            real => Some(real.map_err(FileError::at("look at", folder))?),
        };
        Ok(Self { folder: folder.to_owned(), real })
    }

    /// The folder, as it was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The place of a relative path with `/` in the folder.
    ///
    /// Refused as [`FileError::Outside`]: an empty or absolute path, empty, `.` and `..`
    /// parts, backslashes, NUL, a drive colon in the first part, and a path whose existing
    /// folders lead out through a symbolic link. Nothing is created.
    pub fn join(&self, path: &str) -> Result<PathBuf, FileError> {
        if !path.split('/').all(is_plain_name) || path.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err(self.outside(path));
        }
        let place = self.folder.join(path);
        match &self.real {
            Some(real) if self.may_meet_a_link(path) && !nearest_real_folder(&place)?.starts_with(real) => {
                Err(self.outside(path))
            }
            Some(_) | None => Ok(place),
        }
    }

    /// Whether one of the folders of a path may be a link: without one, no path leads out. This is
    /// asked for every file of a site, and finding real paths takes many times as long.
    fn may_meet_a_link(&self, path: &str) -> bool {
        for (end, _) in path.match_indices('/') {
            match fs::symlink_metadata(self.folder.join(&path[..end])) {
                Ok(found) if found.is_dir() => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
                Ok(_) | Err(_) => return true,
            }
        }
        false
    }

    fn outside(&self, path: &str) -> FileError {
        FileError::Outside { path: path.to_owned(), root: self.folder.clone() }
    }
}

fn is_plain_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0'])
}

/// The real path of the nearest folder above a place that exists.
fn nearest_real_folder(place: &Path) -> Result<PathBuf, FileError> {
    let mut folder = super::whole::parent(place);
    loop {
        match folder.canonicalize() {
            Ok(real) => return Ok(real),
            // A link that leads nowhere is found by looking at itself: it must not be skipped
            // over, or a folder created later at its target would be outside.
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => {
                folder = super::whole::parent(folder);
            }
            Err(error) => return Err(FileError::at("look at", folder)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_path_is_joined() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(&folder.path().join("public")).unwrap();
        assert_eq!(root.join("größe/index.html").unwrap(), folder.path().join("public/größe/index.html"));
        assert!(root.join("a:b/c..d").is_err(), "a drive");
        assert!(root.join("a/b:c/..d").is_ok());
    }

    #[test]
    fn a_path_that_would_leave_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        for path in ["", "/", "/etc/passwd", "..", "a/../../b", "a//b", "a/", "./a", "a\\..\\b", "a\0b", "C:/x"] {
            assert!(matches!(root.join(path), Err(FileError::Outside { .. })), "{path:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_is_a_link_out_is_refused_and_one_that_stays_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::create_dir_all(public.join("inner")).unwrap();
        let root = Root::open(&public).unwrap();
        std::os::unix::fs::symlink("../elsewhere", public.join("out")).unwrap();
        std::os::unix::fs::symlink("inner", public.join("in")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", public.join("dangling")).unwrap();
        assert!(matches!(root.join("out/a/b.html"), Err(FileError::Outside { .. })));
        assert!(root.join("dangling/b.html").is_err());
        assert!(root.join("in/b.html").is_ok());
    }
}
