//! The memory of what we wrote: which files are ours, and what they were made from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::PublishError;
use crate::files;

/// What the manifest knows of one file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Record {
    /// The fingerprint of what it was made from; empty while it is being made.
    pub input: String,
    /// The SHA-256 of its bytes; empty while it is being made, and for a copied asset.
    pub digest: String,
    /// Its length and modification time (nanoseconds since 1970) when we left it: a file
    /// that shows others is looked at again.
    pub stamp: Option<(u64, u64)>,
}

impl Record {
    /// The record of a file that is about to be made.
    pub(super) fn begun() -> Self {
        Self { input: String::new(), digest: String::new(), stamp: None }
    }
}

/// The files we wrote, by their path under the output folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The shape of this file; 1.
    version: u32,
    /// Whether a build has begun and not ended, so that unfinished files may lie about: true while
    /// the file that says what was begun is there.
    pub unfinished: bool,
    /// The files.
    pub files: BTreeMap<String, Record>,
}

impl Manifest {
    /// Reads a manifest; a missing one remembers nothing.
    pub(super) fn load(path: &Path) -> Result<Self, PublishError> {
        let refuse = |reason: String| PublishError::Manifest { path: path.to_owned(), reason };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::with(BTreeMap::new()).with_begun(path));
            }
            Err(error) => return Err(refuse(error.to_string())),
        };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        match manifest.version {
            1 => Ok(manifest.with_begun(path)),
            other => Err(refuse(format!("it has the version {other}"))),
        }
    }

    /// The manifest with what a build that never ended had begun.
    fn with_begun(mut self, path: &Path) -> Self {
        let Ok(bytes) = std::fs::read(begun(path)) else { return self };
        self.unfinished = true;
        // It is written whole: one that cannot be read is not ours.
        let paths: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
        self.files.extend(paths.into_iter().map(|path| (path, Record::begun())));
        self
    }

    /// Notes durably, before the first file changes, which files will be there that are not yet.
    pub(super) fn begin(path: &Path, files: &[&str]) -> Result<(), PublishError> {
        let bytes = serde_json::to_vec(files).expect("a list of strings is always JSON");
        if files.is_empty() {
            // Then nothing depends on it but the sweeping up after a kill.
            files::replace(&begun(path), &bytes)?;
        } else {
            files::replace_durably(&begun(path), &bytes)?;
        }
        Ok(())
    }

    fn with(files: BTreeMap<String, Record>) -> Self {
        Self { version: 1, unfinished: false, files }
    }

    /// Writes it durably; one that says nothing new is not touched. From then on nothing is begun.
    pub(super) fn save(&mut self, path: &Path) -> Result<(), PublishError> {
        self.unfinished = false;
        let bytes = serde_json::to_vec(self).expect("a map of strings is always JSON");
        files::replace_durably(path, &bytes)?;
        let begun = begun(path);
        files::remove(files::parent(&begun), &begun)?;
        Ok(())
    }
}

/// The file beside a manifest that says what a build has begun; it is there until the build ends.
fn begun(manifest: &Path) -> PathBuf {
    manifest.with_extension("begun")
}

/// A file's length and modification time; `None` when there is no plain file.
pub(super) fn stamp(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((found.len(), u64::try_from(since.as_nanos()).ok()?))
}
