//! The one writer of files.
//!
//! Every file fieldpost makes goes through here: written whole beside its place and renamed
//! into it, so that a reader sees the old file or the new one and never a mix, whenever the
//! process dies. A file that already holds the bytes is not touched. [`Root`] keeps every
//! path inside the folder it was made for; [`Maildir`] delivers a message once.

mod asset;
mod cache;
mod fingerprint;
mod maildir;
mod packed;
mod root;
mod secret;
mod stamp;
mod whole;

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::hex::hex;

pub use asset::{compare_asset, copy_asset};
pub use cache::Cache;
pub use fingerprint::Fingerprint;
pub use maildir::{Delivered, Maildir};
pub use packed::{packed, unpacked};
pub use root::Root;
pub use secret::create_secret;
pub use stamp::Stamp;
pub use whole::{compare, parent, remove, replace, replace_durably, sweep};

/// What a write did to the file at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// There was none.
    Added,
    /// There was another.
    Changed,
    /// It held these bytes already and was not touched.
    Unchanged,
}

/// Why a file could not be read, written or removed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The path would leave the folder it belongs to, or is no path that a site can hold.
    /// Nothing was done.
    #[error("`{path}` leads out of `{root}`")]
    Outside {
        /// The path as it was asked for.
        path: String,
        /// The folder it had to stay in.
        root: PathBuf,
    },
    /// The system refused: a full disk, a missing permission, a folder in the way.
    #[error("cannot {action} `{path}`: {source}")]
    System {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FileError {
    /// Whether something else stands in the way of this one file, so that others may still
    /// be written: a file where a folder is needed, a folder where a file is, a link out.
    pub fn is_about_this_path(&self) -> bool {
        use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
        match self {
            Self::Outside { .. } => true,
            Self::System { source, .. } => {
                matches!(source.kind(), AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory)
            }
        }
    }

    /// Makes the closure that names an I/O error's action and path, for `map_err`.
    fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::System { action, path, source }
    }
}

/// The SHA-256 of some bytes, in lower-case hex: how a file is known to be ours.
pub fn digest(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}
