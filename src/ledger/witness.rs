//! The witness of guarantee 8: what this user remembers of a state file, kept elsewhere.
//!
//! One small file per state path, under the user's state directory: the ledger's identity,
//! the epoch of its last sender, the number of that sender's last commit, and the highest
//! number of a delivery that was ever begun. A state file that is behind its witness is an old
//! copy, and would send again what was sent since; to whom that can have been, the last number tells.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::digest;

use super::error::LedgerError;
use super::open::beside;
use crate::domain::hex::hex;
use crate::domain::ids::DeliveryId;

/// What a witness remembers, and what a state file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Age {
    pub identity: String,
    pub epoch: u64,
    pub sequence: u64,
}

/// What a state file cannot know of what was sent since it was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing was, as far as is known.
    None,
    /// Deliveries up to this one may have been begun.
    UpTo(DeliveryId),
    /// The witness is older than that number: any delivery may have been begun.
    Unknown,
}

/// A witness file's content.
struct Memory {
    age: Age,
    furthest: Option<i64>,
}

/// An open witness file of a living sender.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    identity: String,
    furthest: AtomicI64,
}

/// Refuses a state that is another file or an older copy than the witness remembers. No
/// witness yet, as on a machine the state was moved to, refuses nothing.
pub(super) fn check(folder: &Path, state: &Path, found: &Age) -> Result<(), LedgerError> {
    let path = witness_path(folder, state);
    let Some(text) = read(&path)? else { return Ok(()) };
    let what = match parse(&text) {
        None => format!("its witness `{}` cannot be read", path.display()),
        Some(Memory { age, .. }) if age.identity != found.identity => {
            "it is another ledger than the one that stood here".to_owned()
        }
        Some(Memory { age, .. }) if is_ahead(&age, found) => {
            let behind = age.sequence.saturating_sub(found.sequence);
            format!("it is an older copy, {behind} commits behind")
        }
        Some(_) => return Ok(()),
    };
    Err(LedgerError::OldState { path: state.to_path_buf(), what })
}

/// What may have been sent since the state was copied. Another ledger's witness says nothing
/// of this one.
pub(super) fn gap(folder: &Path, state: &Path, found: &Age) -> Result<Gap, LedgerError> {
    let Some(text) = read(&witness_path(folder, state))? else { return Ok(Gap::None) };
    Ok(match parse(&text) {
        Some(memory) if memory.age.identity == found.identity && is_ahead(&memory.age, found) => {
            memory.furthest.map_or(Gap::Unknown, |furthest| Gap::UpTo(DeliveryId(furthest)))
        }
        Some(_) | None => Gap::None,
    })
}

fn is_ahead(remembered: &Age, found: &Age) -> bool {
    remembered.epoch > found.epoch || remembered.sequence > found.sequence
}

fn read(path: &Path) -> Result<Option<String>, LedgerError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LedgerError::Io { path: path.to_path_buf(), source }),
    }
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
    /// Writes the witness anew, synced, and keeps it open. How far this ledger's deliveries
    /// were begun is carried over.
    pub(super) fn create(folder: &Path, state: &Path, age: &Age) -> Result<Self, LedgerError> {
        let path = witness_path(folder, state);
        let before = read(&path)?.and_then(|text| parse(&text)).filter(|memory| memory.age.identity == age.identity);
        let furthest = before.and_then(|memory| memory.furthest).unwrap_or_default();
        let fresh = beside(&path, ".new");
        let file = (|| {
            fs::create_dir_all(folder)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(text(age, furthest).as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            Ok::<_, io::Error>(file)
        })();
        match file {
            Ok(file) => Ok(Self { file, path, identity: age.identity.clone(), furthest: AtomicI64::new(furthest) }),
            Err(source) => Err(LedgerError::Io { path, source }),
        }
    }

    /// Notes that a delivery begins; [`Witness::note`] remembers it, before its final dot leaves.
    pub(super) fn reach(&self, delivery: DeliveryId) {
        self.furthest.fetch_max(delivery.0, Ordering::Relaxed);
    }

    /// Remembers a commit, after it is durable: never ahead of the state itself. Not synced:
    /// a witness that is a little behind after a power loss only notices a little less.
    pub(super) fn note(&self, epoch: u64, sequence: u64) -> Result<(), LedgerError> {
        let age = Age { identity: self.identity.clone(), epoch, sequence };
        self.file
            .write_all_at(text(&age, self.furthest.load(Ordering::Relaxed)).as_bytes(), 0)
            .map_err(|source| LedgerError::Io { path: self.path.clone(), source })
    }
}

fn witness_path(folder: &Path, state: &Path) -> PathBuf {
    let state = state.canonicalize().unwrap_or_else(|_| state.to_path_buf());
    let name = digest::digest(&digest::SHA256, state.as_os_str().as_encoded_bytes());
    folder.join(format!("{}.witness", &hex(name.as_ref())[..32]))
}

/// Always the same length, so that writing in place leaves nothing of the old text.
fn text(age: &Age, furthest: i64) -> String {
    format!("fieldpost witness 2\n{}\n{:020}\n{:020}\n{furthest:020}\n", age.identity, age.epoch, age.sequence)
}

fn parse(text: &str) -> Option<Memory> {
    let mut lines = text.lines();
    let version = lines.next()?;
    let identity = lines.next()?.to_owned();
    let age = Age { identity, epoch: lines.next()?.parse().ok()?, sequence: lines.next()?.parse().ok()? };
    match version {
        "fieldpost witness 1" => Some(Memory { age, furthest: None }),
        "fieldpost witness 2" => Some(Memory { age, furthest: Some(lines.next()?.parse().ok()?) }),
        _ => None,
    }
}
