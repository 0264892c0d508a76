//! Who may send, and who may draft: advisory locks that the system frees when a process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::LedgerError;
use super::open::beside;
use crate::domain::time::{Instant, from_millis, to_millis};

/// A held lock; dropping it, or dying, frees it.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the sender's lock or names its holder. The lock file keeps the holder's process id
/// and the moment it began; it is never deleted, for two processes could then hold two files.
pub(super) fn lock_sender(state: &Path, now: Instant) -> Result<Lock, LedgerError> {
    let path = beside(state, ".lock");
    let mut file = open(&path)?;
    match file.try_lock() {
        Ok(()) => {
            sign(&mut file, now).map_err(|source| LedgerError::Io { path, source })?;
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let (pid, since) = holder(&mut file);
            Err(LedgerError::Held { path: state.to_path_buf(), pid, since })
        }
        Err(TryLockError::Error(source)) => Err(LedgerError::Io { path, source }),
    }
}

/// Takes the lock under which campaigns are drafted, waiting for another drafter. Whoever
/// holds it knows that every draft in the file is dead.
pub(super) fn lock_drafting(state: &Path) -> Result<Lock, LedgerError> {
    let path = beside(state, ".draft");
    let file = open(&path)?;
    file.lock().map_err(|source| LedgerError::Io { path, source })?;
    Ok(Lock { _file: file })
}

/// The same without waiting; `None` while somebody drafts.
pub(super) fn try_lock_drafting(state: &Path) -> Result<Option<Lock>, LedgerError> {
    let path = beside(state, ".draft");
    let file = open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(LedgerError::Io { path, source }),
    }
}

fn open(path: &PathBuf) -> Result<File, LedgerError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| LedgerError::Io { path: path.clone(), source })
}

fn sign(file: &mut File, now: Instant) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}\n{}", std::process::id(), to_millis(now))
}

/// Reads the holder's signature. The winner of a race signs a moment after it has locked:
/// what an older, dead holder left is read again until a living process stands there.
fn holder(file: &mut File) -> (Option<u32>, Option<Instant>) {
    for _ in 0..20 {
        let mut text = String::new();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
        let mut lines = text.lines();
        let pid = lines.next().and_then(|line| line.parse::<u32>().ok());
        let since = lines.next().and_then(|line| line.parse().ok()).map(from_millis);
        if let (Ok(_), Some(pid), Some(_)) = (read, pid, since)
            && Path::new(&format!("/proc/{pid}")).exists()
        {
            return (Some(pid), since);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    (None, None)
}
