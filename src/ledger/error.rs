//! Why the ledger could not do what it was asked.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode as Code;

use crate::domain::time::Instant;

/// The world failed, or the state forbids what was asked. A variant stands where a caller
/// decides differently; each carries the file it is about.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process is the sender (exit code 75).
    #[error("`{}` is held by another sender{}", path.display(), holder(*pid, *since))]
    Held {
        /// The state file.
        path: PathBuf,
        /// The holder's process id, when its lock file could be read.
        pid: Option<u32>,
        /// Since when it sends.
        since: Option<Instant>,
    },
    /// The state cannot be written (exit code 74): read-only, wrong owner, disk full, I/O.
    #[error("`{}` cannot be written: {why}\nhelp: {remedy}", path.display())]
    NotWritable {
        /// The file or folder that refused.
        path: PathBuf,
        /// What the system said.
        why: String,
        /// What to type or to change.
        remedy: String,
    },
    /// The file is no ledger, or no longer a sound one. Nothing was changed.
    #[error(
        "`{}` is damaged: {what}\nhelp: run `fieldpost state verify`; restore a backup, or move the file away to start anew",
        path.display()
    )]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A newer fieldpost wrote this file.
    #[error(
        "`{}` was written by a newer fieldpost (schema {found}, this one knows {known})\nhelp: upgrade fieldpost",
        path.display()
    )]
    Newer {
        /// The state file.
        path: PathBuf,
        /// The schema found in it.
        found: i64,
        /// The newest schema we know.
        known: i64,
    },
    /// The state is older than what this user's witness remembers, or another file: an old
    /// backup must not send again what was sent since (guarantee 8).
    #[error(
        "`{}` is not the state that sent last from here: {what}\nhelp: put the newer file back, or run `fieldpost state accept` to go on with this one, campaigns paused",
        path.display()
    )]
    OldState {
        /// The state file.
        path: PathBuf,
        /// How it differs from the witness.
        what: String,
    },
    /// Another sender took over: this one may write nothing more.
    #[error("another sender took over `{}`", path.display())]
    Superseded {
        /// The state file.
        path: PathBuf,
    },
    /// No campaign of that name.
    #[error("there is no campaign `{campaign}`\nhelp: `fieldpost status` lists the campaigns")]
    UnknownCampaign {
        /// What was asked for.
        campaign: String,
    },
    /// The campaign is in a state that forbids it.
    #[error("campaign `{campaign}` is {state}: {why}")]
    WrongState {
        /// The campaign.
        campaign: String,
        /// Its state in words.
        state: String,
        /// Why that forbids what was asked.
        why: &'static str,
    },
    /// A lock, mark or witness file failed.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `SQLite` failed in a way that has no remedy of its own.
    #[error("`{}`: {source}", path.display())]
    Sqlite {
        /// The state file; empty until the error leaves the ledger.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
}

fn holder(pid: Option<u32>, since: Option<Instant>) -> String {
    match (pid, since) {
        (Some(pid), Some(since)) => format!(", process {pid}, since {}", since.format("%Y-%m-%d %H:%M:%S UTC")),
        (Some(pid), None) => format!(", process {pid}"),
        (None, _) => String::new(),
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite { path: PathBuf::new(), source }
    }
}

impl LedgerError {
    /// Gives an error of `SQLite` its file, and its name where a caller decides differently.
    pub(super) fn at(self, path: &Path) -> Self {
        let Self::Sqlite { source, .. } = self else { return self };
        let path = path.to_path_buf();
        // An error in the SQL is among them: ours has none, so it names what has gone from the file.
        if let rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) = &source
        {
            return Self::Damaged { path, what: source.to_string() };
        }
        match source.sqlite_error_code() {
            // The last one is what an error in the SQL has, too, while a statement runs.
            Some(Code::DatabaseCorrupt | Code::NotADatabase | Code::Unknown) => {
                Self::Damaged { path, what: source.to_string() }
            }
            Some(Code::DiskFull | Code::SystemIoFailure) => Self::NotWritable {
                path,
                why: source.to_string(),
                remedy: "make room on the disk or replace it; run the command again to resume".into(),
            },
            Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => Self::not_writable(&path, &source),
            _ => Self::Sqlite { path, source },
        }
    }

    /// The same error for somebody else who waits for the same commit.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Damaged { path, what } => Self::Damaged { path: path.clone(), what: what.clone() },
            Self::Superseded { path } => Self::Superseded { path: path.clone() },
            Self::NotWritable { path, why, remedy } => {
                Self::NotWritable { path: path.clone(), why: why.clone(), remedy: remedy.clone() }
            }
            Self::Held { path, .. }
            | Self::Newer { path, .. }
            | Self::OldState { path, .. }
            | Self::Io { path, .. }
            | Self::Sqlite { path, .. } => Self::failed(path.clone(), self),
            Self::UnknownCampaign { .. } | Self::WrongState { .. } => Self::failed(PathBuf::new(), self),
        }
    }

    fn failed(path: PathBuf, why: &Self) -> Self {
        let remedy = "run the command again: it resumes where the ledger stands".into();
        Self::NotWritable { path, why: why.to_string(), remedy }
    }

    /// A file that this user may not write.
    pub(super) fn not_writable(path: &Path, why: &dyn std::fmt::Display) -> Self {
        let name = path.display();
        let remedy = format!("`chmod u+w {name}` and its folder, or run as the user who owns it (`ls -l {name}`)");
        Self::NotWritable { path: path.to_path_buf(), why: why.to_string(), remedy }
    }
}

/// A stored word that is no state: a flipped bit, or a hand in the file.
pub(super) fn unreadable(what: &str, found: &str) -> rusqlite::Error {
    let message = format!("`{found}` is no {what}");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, message.into())
}
