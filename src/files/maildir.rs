//! A Maildir that takes each message once.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::whole::sync_folder;
use super::{FileError, digest};

/// What a delivery to a Maildir found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The message is in `new/` now.
    Now,
    /// It was there before, read or unread: an earlier try had come through.
    Before,
}

/// A Maildir: `tmp/`, `new/` and `cur/`, readable by its owner only, for it holds addresses.
///
/// A message's file name comes from its Message-ID alone, so a retry after any crash finds
/// what an earlier try left: in `tmp/` it is overwritten, in `new/` or `cur/` it counts as
/// delivered. Several threads may deliver different messages at once (a claim belongs to one
/// worker); two processes may not.
#[derive(Debug)]
pub struct Maildir {
    folder: PathBuf,
    /// The names in `new/` and `cur/` without their flags, as found on opening, and those
    /// delivered since. A mail reader moves files from `new/` to `cur/` meanwhile, never
    /// out of sight of this set.
    held: Mutex<HashSet<String>>,
}

impl Maildir {
    /// Opens a Maildir, creating its folders, and lists what it holds.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        let mut held = HashSet::new();
        for part in ["tmp", "new", "cur"] {
            let part = folder.join(part);
            create_private_folder(&part).map_err(FileError::at("create the folder", &part))?;
        }
        // `new` first: a message moved to `cur` meanwhile is then found there.
        for part in ["new", "cur"] {
            list_names(&folder.join(part), &mut held)?;
        }
        sync_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), held: Mutex::new(held) })
    }

    /// The folder, as it was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many messages it holds, as far as this opening knows.
    pub fn len(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it holds no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a message into `new/` under a name made of its Message-ID, unless it is there.
    ///
    /// The message's bytes are on the disk when this returns; its name is only after
    /// [`Maildir::sync`], which may follow once for many. A crash in between can lose the name:
    /// record a delivery as settled after the sync.
    pub fn deliver(&self, message_id: &str, bytes: &[u8]) -> Result<Delivered, FileError> {
        let name = file_name(message_id);
        if !self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
            return Ok(Delivered::Before);
        }
        let delivered = self.put(&name, bytes);
        if delivered.is_err() {
            self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        }
        delivered
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<Delivered, FileError> {
        let unfinished = self.folder.join("tmp").join(name);
        write_private(&unfinished, bytes).map_err(FileError::at("write", &unfinished))?;
        let place = self.folder.join("new").join(name);
        fs::rename(&unfinished, &place).map_err(FileError::at("deliver", &place))?;
        Ok(Delivered::Now)
    }

    /// Makes the names of all delivered messages durable.
    pub fn sync(&self) -> Result<(), FileError> {
        sync_folder(&self.folder.join("new"))
    }
}

/// The file name of a message: letters, digits and `.-_@+` of its Message-ID, everything
/// else as `=XX`, so that two ids never share a name; the digest of an id that is too long.
fn file_name(message_id: &str) -> String {
    let written = |(index, byte): (usize, u8)| match byte {
        b'-' | b'_' | b'@' | b'+' => char::from(byte).to_string(),
        // A leading dot would hide the file.
        b'.' if index > 0 => ".".to_owned(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("={byte:02X}"),
    };
    let name: String = message_id.bytes().enumerate().map(written).collect();
    if name.is_empty() || name.len() > 200 { format!("={}", digest(message_id.as_bytes())) } else { name }
}

fn list_names(folder: &Path, names: &mut HashSet<String>) -> Result<(), FileError> {
    for entry in fs::read_dir(folder).map_err(FileError::at("list", folder))? {
        let entry = entry.map_err(FileError::at("list", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let unique = name.split_once(":2,").map_or(name.as_str(), |(unique, _)| unique);
        names.insert(unique.to_owned());
    }
    Ok(())
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_delivered_once_even_after_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path()).unwrap();
        assert_eq!(maildir.deliver("a1@example.org", b"one").unwrap(), Delivered::Now);
        assert_eq!(maildir.deliver("a1@example.org", b"one").unwrap(), Delivered::Before);
        maildir.sync().unwrap();
        let new = folder.path().join("new/a1@example.org");
        assert_eq!(fs::read(&new).unwrap(), b"one");

        let again = Maildir::open(folder.path()).unwrap();
        assert_eq!(again.deliver("a1@example.org", b"one").unwrap(), Delivered::Before);
        fs::rename(&new, folder.path().join("cur/a1@example.org:2,RS")).unwrap();
        let again = Maildir::open(folder.path()).unwrap();
        assert_eq!(again.deliver("a1@example.org", b"one").unwrap(), Delivered::Before);
        assert_eq!(again.len(), 1);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_left_in_tmp_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path()).unwrap();
        fs::write(folder.path().join("tmp/a@b"), "half a message, longer than the whole").unwrap();
        assert_eq!(maildir.deliver("a@b", b"whole").unwrap(), Delivered::Now);
        assert_eq!(fs::read(folder.path().join("new/a@b")).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_failed_delivery_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path()).unwrap();
        fs::create_dir(folder.path().join("tmp/a@b")).unwrap();
        assert!(maildir.deliver("a@b", b"x").is_err());
        fs::remove_dir(folder.path().join("tmp/a@b")).unwrap();
        assert_eq!(maildir.deliver("a@b", b"x").unwrap(), Delivered::Now);
    }

    #[test]
    fn a_name_is_safe_and_two_ids_never_share_one() {
        assert_eq!(file_name("a.b-c_d+e@example.org"), "a.b-c_d+e@example.org");
        assert_eq!(file_name("../x:2,S"), "=2E.=2Fx=3A2=2CS");
        assert_ne!(file_name("a=3D"), file_name("a="));
        assert_eq!(file_name(&"x".repeat(300)).len(), 65);
        assert_ne!(file_name(&"x".repeat(300)), file_name(&"x".repeat(301)));
        assert!(!file_name("").is_empty());
    }

    #[test]
    fn threads_deliver_side_by_side() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let maildir = &maildir;
                scope.spawn(move || {
                    for n in 0..25 {
                        let id = format!("{thread}.{n}@example.org");
                        assert_eq!(maildir.deliver(&id, b"x").unwrap(), Delivered::Now);
                    }
                });
            }
        });
        assert_eq!(maildir.len(), 100);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 100);
    }
}
