//! Opening the state file: where it may lie, how `SQLite` is set, who it is.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::error::LedgerError;
use super::{schema, secrets};
use crate::domain::time::{Instant, to_millis};

/// The state file. Cheap to clone; every method is a short transaction that can run beside a
/// sender, in this process or another.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    db: Mutex<Connection>,
    hashing: hmac::Key,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the state file, creating it (mode 0600) and its folders, and brings its schema
    /// up to date. A file that cannot be written, lies on a network file system, is no
    /// ledger or was written by a newer fieldpost is refused before anything is changed.
    pub fn open(path: &Path, now: Instant) -> Result<Self, LedgerError> {
        create(path)?;
        let (db, hashing) = prepare(path, now).map_err(|error| error.at(path))?;
        Ok(Self { inner: Arc::new(Inner { path: path.to_path_buf(), db: Mutex::new(db), hashing }) })
    }

    /// Where the state lies.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The key of suppression hashes.
    pub(super) fn hashing(&self) -> &hmac::Key {
        &self.inner.hashing
    }

    /// Runs reads on one snapshot.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut db = self.lock();
        let result = db.transaction().map_err(LedgerError::from).and_then(|tx| work(&tx));
        result.map_err(|error| error.at(&self.inner.path))
    }

    /// Runs one short write transaction; it is durable on return, or nothing of it happened.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        write_on(&mut self.lock(), work).map_err(|error| error.at(&self.inner.path))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction rolled it back: the connection is sound.
        self.inner.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One write transaction on a connection, begun at once so that it never fails half-way for
/// want of the lock.
pub(super) fn write_on<T>(
    db: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&tx)?;
    tx.commit()?;
    Ok(value)
}

/// A path beside the state file: `state.db.lock`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn create(path: &Path) -> Result<(), LedgerError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| refused(folder, source))?;
    if let Some(kind) = network_file_system(folder) {
        return Err(LedgerError::NotWritable {
            path: path.to_path_buf(),
            why: format!("it lies on a network file system ({kind}), where SQLite's locks do not hold"),
            remedy: "set `[ledger] url` to a file on a local disk".into(),
        });
    }
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => check_writable(path, folder),
        Err(error) => Err(refused(path, error)),
    }
}

fn check_writable(path: &Path, folder: &Path) -> Result<(), LedgerError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|source| refused(path, source))?;
    for place in [path, folder] {
        // To root every file is writable; a state that was made read-only is meant to be left alone.
        let facts = fs::metadata(place).map_err(|source| refused(place, source))?;
        if facts.permissions().readonly() {
            return Err(LedgerError::not_writable(place, &"it is read-only"));
        }
    }
    Ok(())
}

fn refused(path: &Path, source: std::io::Error) -> LedgerError {
    match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => LedgerError::not_writable(path, &source),
        ErrorKind::StorageFull => LedgerError::NotWritable {
            path: path.to_path_buf(),
            why: source.to_string(),
            remedy: "make room on the disk; run the command again to resume".into(),
        },
        _ => LedgerError::Io { path: path.to_path_buf(), source },
    }
}

/// The kind of file system a folder lies on, when it is a network's.
fn network_file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let (_, kind) = mounts
        .lines()
        .filter_map(|line| {
            let (mount, rest) = line.split_once(" - ")?;
            let point = mount.split(' ').nth(4)?.replace("\\040", " ");
            let kind = rest.split(' ').next()?;
            folder.starts_with(&point).then(|| (point.len(), kind.to_owned()))
        })
        .max_by_key(|(length, _)| *length)?;
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph"].contains(&kind.as_str()).then_some(kind)
}

/// How often, a millisecond apart, a locked file is tried again.
const PATIENCE: i32 = 15_000;

/// A connection with our settings: write-ahead log, every commit synced, foreign keys on.
pub(super) fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let mut db = Connection::open(path)?;
    // A short writer beside a busy sender finds the lock free for a few milliseconds at a
    // time; SQLite's own handler soon sleeps for 100 and would miss them.
    db.busy_handler(Some(|tried: i32| {
        std::thread::sleep(Duration::from_millis(1));
        tried < PATIENCE
    }))?;
    db.set_prepared_statement_cache_capacity(64);
    // Otherwise a statement over a table with partial indexes is compiled anew whenever its
    // values change, to see whether they allow another plan: a third of a sender's time.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let found = schema::version(&db)?;
    if found > schema::newest() {
        return Err(LedgerError::Newer { path: path.to_path_buf(), found, known: schema::newest() });
    }
    write_ahead(&db, path)?;
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    Ok(db)
}

/// Switching to the write-ahead log needs the file for itself for a moment, and `SQLite` does
/// not ask the busy handler there: fifty processes that start at once take turns here.
fn write_ahead(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    for _ in 0..1000 {
        match db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {}
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {}
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(LedgerError::NotWritable {
        path: path.to_path_buf(),
        why: "the write-ahead log could not be switched on".into(),
        remedy: "end the programs that read this file in another journal mode (`fuser` lists them)".into(),
    })
}

fn prepare(path: &Path, now: Instant) -> Result<(Connection, hmac::Key), LedgerError> {
    let mut db = connect(path)?;
    refuse_a_stranger(&db, path)?;
    schema::migrate(&mut db)?;
    let known: Option<i64> = db.query_row("SELECT one FROM ledger", [], |row| row.get(0)).optional()?;
    if known.is_none() {
        let identity = secrets::random_name();
        write_on(&mut db, |tx| {
            let sql = "INSERT OR IGNORE INTO ledger (one, identity, created) VALUES (1, ?1, ?2)";
            tx.execute(sql, params![identity, to_millis(now)])?;
            Ok(())
        })?;
    }
    let key = secrets::mint(&mut db, "suppression")?;
    Ok((db, hmac::Key::new(hmac::HMAC_SHA256, key.bytes())))
}

/// A database that is not ours is left alone: it has tables, and not our mark.
fn refuse_a_stranger(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    // In this order: whoever makes a new ledger at this moment adds both in one transaction.
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let mark: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if tables > 0 && mark != schema::APPLICATION {
        let what = "it is an SQLite file, but no fieldpost ledger".into();
        return Err(LedgerError::Damaged { path: path.to_path_buf(), what });
    }
    Ok(())
}
