//! Files that nobody but their owner may read, and that are never written over.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::FileError;
use super::whole::{Unfinished, parent, sync_folder};

/// Writes a secret to a place where there is nothing yet, for its owner's eyes only (mode
/// 0600), making the folders above it (mode 0700). It is durable when this returns, and whole
/// whenever the process dies.
///
/// A file, folder or link that is there already is an error and stays as it is; so a second
/// call with the same path fails.
pub fn create_secret(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = parent(path);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(FileError::at("create the folder", folder))?;
    let unfinished = Unfinished::beside(path);
    let written = unfinished.create_private().and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(FileError::at("write", path))?;
    unfinished.link_to(path).map_err(FileError::at("create", path))?;
    sync_folder(folder)
}

impl Unfinished {
    /// Opens a new file for writing that its owner alone may read.
    fn create_private(&self) -> io::Result<fs::File> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.path())
    }

    /// Puts the file in a place that must be empty; unlike a rename, a link replaces nothing.
    fn link_to(&self, place: &Path) -> io::Result<()> {
        fs::hard_link(self.path(), place)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_its_owners_alone_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/mail.pem");
        create_secret(&path, b"first").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let error = create_secret(&path, b"second").unwrap_err().to_string();
        assert!(error.contains("mail.pem"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing unfinished is left");
    }
}
