//! The witness of guarantee 8: what this user remembers of a state file, kept elsewhere.
//!
//! One small file per state path, under the user's state directory: the ledger's identity,
//! the epoch of its last sender and the number of that sender's last commit. A state file
//! that is behind its witness is an old copy, and would send again what was sent since.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use super::error::LedgerError;
use super::open::beside;
use super::secrets::hex;

/// What a witness remembers, and what a state file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Age {
    pub identity: String,
    pub epoch: u64,
    pub sequence: u64,
}

/// An open witness file of a living sender.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    identity: String,
}

/// Refuses a state that is another file or an older copy than the witness remembers. No
/// witness yet, as on a machine the state was moved to, refuses nothing.
pub(super) fn check(folder: &Path, state: &Path, found: &Age) -> Result<(), LedgerError> {
    let path = witness_path(folder, state);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(LedgerError::Io { path, source }),
    };
    let what = match parse(&text) {
        None => format!("its witness `{}` cannot be read", path.display()),
        Some(age) if age.identity != found.identity => "it is another ledger than the one that stood here".to_owned(),
        Some(age) if age.epoch > found.epoch || age.sequence > found.sequence => {
            let behind = age.sequence.saturating_sub(found.sequence);
            format!("it is an older copy, {behind} commits behind")
        }
        Some(_) => return Ok(()),
    };
    Err(LedgerError::OldState { path: state.to_path_buf(), what })
}

/// Forgets the witness: the author has decided for the state as it is.
pub(super) fn forget(folder: &Path, state: &Path) -> Result<(), LedgerError> {
    let path = witness_path(folder, state);
    match fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(LedgerError::Io { path, source }),
    }
}

impl Witness {
    /// Writes the witness anew, synced, and keeps it open.
    pub(super) fn create(folder: &Path, state: &Path, age: &Age) -> Result<Self, LedgerError> {
        let path = witness_path(folder, state);
        let fresh = beside(&path, ".new");
        let file = (|| {
            fs::create_dir_all(folder)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(text(age).as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            Ok::<_, io::Error>(file)
        })();
        match file {
            Ok(file) => Ok(Self { file, path, identity: age.identity.clone() }),
            Err(source) => Err(LedgerError::Io { path, source }),
        }
    }

    /// Remembers a commit, after it is durable: never ahead of the state itself. Not synced:
    /// a witness that is a little behind after a power loss only notices a little less.
    pub(super) fn note(&self, epoch: u64, sequence: u64) -> Result<(), LedgerError> {
        let age = Age { identity: self.identity.clone(), epoch, sequence };
        self.file
            .write_all_at(text(&age).as_bytes(), 0)
            .map_err(|source| LedgerError::Io { path: self.path.clone(), source })
    }
}

fn witness_path(folder: &Path, state: &Path) -> PathBuf {
    let state = state.canonicalize().unwrap_or_else(|_| state.to_path_buf());
    let name = digest::digest(&digest::SHA256, state.as_os_str().as_encoded_bytes());
    folder.join(format!("{}.witness", &hex(name.as_ref())[..32]))
}

/// Always the same length, so that writing in place leaves nothing of the old text.
fn text(age: &Age) -> String {
    format!("fieldpost witness 1\n{}\n{:020}\n{:020}\n", age.identity, age.epoch, age.sequence)
}

fn parse(text: &str) -> Option<Age> {
    let mut lines = text.lines();
    if lines.next()? != "fieldpost witness 1" {
        return None;
    }
    let identity = lines.next()?.to_owned();
    Some(Age { identity, epoch: lines.next()?.parse().ok()?, sequence: lines.next()?.parse().ok()? })
}
