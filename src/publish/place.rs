//! One target, put in its place or only compared with it.

use std::path::Path;

use super::PublishError;
use super::make::{Outline, make};
use super::manifest::{Manifest, Record, stamp};
use super::targets::{Content, Made, Target};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::post::Asset;
use crate::files::{self, Change, FileError, Root};

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing.
    Plan,
    /// What differs.
    Apply,
}

/// What became of a target.
pub(super) enum Outcome {
    /// It is in its place, or would be.
    Placed(Change, Record),
    /// It could not be made, or something else stands in its place; that was kept.
    Failed(Diagnostic),
}

/// What became of a file that nothing wants.
pub(super) enum Removal {
    /// It is gone now, or would be.
    Removed,
    /// It was gone already.
    Gone,
    /// It is not what we wrote: somebody else's now, and kept.
    NotOurs(Diagnostic),
}

/// Puts targets in their place.
pub(super) struct Placer<'a> {
    /// What the site should be.
    pub outline: &'a Outline<'a>,
    /// What we wrote before.
    pub manifest: &'a Manifest,
    /// The output folder.
    pub root: &'a Root,
    /// Whether anything is written.
    pub mode: Mode,
}

impl Placer<'_> {
    /// Whether a target was made from the same input before and its file was not touched since.
    pub(super) fn is_done(&self, target: &Target) -> bool {
        let Some(record) = self.manifest.files.get(&target.path) else { return false };
        let Ok(place) = self.root.join(&target.path) else { return false };
        let untouched = record.stamp.is_some() && record.stamp == stamp(&place);
        match target.content {
            Content::Copied(asset) => untouched && record.stamp == stamp(&asset.source),
            Content::Made(_) => untouched && record.input == target.input,
        }
    }

    /// Before the first file changes: sweeps up after a build that was killed, and notes beside the
    /// manifest every file that is not there yet, so that it is known as ours from now on.
    pub(super) fn announce(&self, waiting: &[&Target], manifest: &Path) -> Result<(), PublishError> {
        if self.mode == Mode::Plan {
            return Ok(());
        }
        if self.manifest.unfinished {
            files::sweep(self.root.folder())?;
        }
        let is_free = |target: &&&Target| {
            self.root.join(&target.path).is_ok_and(|place| std::fs::symlink_metadata(place).is_err())
        };
        let begun: Vec<&str> = waiting.iter().filter(is_free).map(|target| target.path.as_str()).collect();
        Manifest::begin(manifest, &begun)
    }

    /// Makes a target and puts it in its place.
    pub(super) fn place(&self, target: &Target) -> Result<Outcome, PublishError> {
        let placed = match target.content {
            Content::Copied(asset) => self.place_asset(target, asset),
            Content::Made(made) => self.place_made(target, made),
        };
        match placed {
            Err(error) if error.is_about_this_path() => Ok(Outcome::Failed(in_the_way(target, &error))),
            placed => Ok(placed?),
        }
    }

    fn place_made(&self, target: &Target, made: Made) -> Result<Outcome, FileError> {
        let bytes = match make(self.outline, made) {
            Ok(bytes) => bytes,
            Err(diagnostic) => return Ok(Outcome::Failed(*diagnostic)),
        };
        let place = self.root.join(&target.path)?;
        let change = files::compare(&place, &bytes)?;
        if self.is_foreign(target, change) {
            return Ok(Outcome::Failed(foreign(target, &place)));
        }
        if self.mode == Mode::Apply {
            files::replace(&place, &bytes)?;
        }
        let record = Record { input: target.input.clone(), digest: files::digest(&bytes), stamp: stamp(&place) };
        Ok(Outcome::Placed(change, record))
    }

    fn place_asset(&self, target: &Target, asset: &Asset) -> Result<Outcome, FileError> {
        if stamp(&asset.source).is_none() {
            return Ok(Outcome::Failed(missing(target, asset)));
        }
        let place = self.root.join(&target.path)?;
        let change = files::compare_asset(&asset.source, &place)?;
        if self.is_foreign(target, change) {
            return Ok(Outcome::Failed(foreign(target, &place)));
        }
        if self.mode == Mode::Apply {
            files::copy_asset(&asset.source, &place)?;
        }
        let record = Record { input: String::new(), digest: String::new(), stamp: stamp(&place) };
        Ok(Outcome::Placed(change, record))
    }

    fn is_foreign(&self, target: &Target, change: Change) -> bool {
        change == Change::Changed && !self.manifest.files.contains_key(&target.path)
    }

    /// Removes a file of an earlier build, if it is still what that build wrote.
    pub(super) fn remove(&self, path: &str, record: &Record) -> Result<Removal, PublishError> {
        let Ok(place) = self.root.join(path) else { return Ok(Removal::Gone) };
        let Ok(found) = std::fs::symlink_metadata(&place) else { return Ok(Removal::Gone) };
        if !found.is_file() || !is_ours(&place, record) {
            return Ok(Removal::NotOurs(edited(&place)));
        }
        if self.mode == Mode::Apply {
            files::remove(self.root.folder(), &place)?;
        }
        Ok(Removal::Removed)
    }
}

/// Whether a file is what a record says. One that was only begun is: nothing stood there before.
fn is_ours(place: &Path, record: &Record) -> bool {
    let untouched = record.stamp.is_none() || record.stamp == stamp(place);
    untouched || std::fs::read(place).is_ok_and(|bytes| files::digest(&bytes) == record.digest)
}

fn foreign(target: &Target, place: &Path) -> Diagnostic {
    let message =
        format!("`{}` is not a file fieldpost wrote, and {} would replace it", place.display(), target.wanted_by);
    Diagnostic::error("foreign-file", Place::file(place), message)
        .help("move it away, or remove it if it came from an earlier build whose state is lost")
}

fn edited(place: &Path) -> Diagnostic {
    let message = format!("`{}` belongs to no post any more, but was changed by hand and is kept", place.display());
    Diagnostic::warning("foreign-file", Place::file(place), message).help("remove it if it is not needed")
}

fn in_the_way(target: &Target, error: &FileError) -> Diagnostic {
    let message = format!("`{}` cannot be written for {}: {error}", target.path, target.wanted_by);
    Diagnostic::error("path-blocked", target.wanted_by.place(&target.path), message)
        .help("move away what stands there, or choose another `slug`, `aliases` or file name")
}

fn missing(target: &Target, asset: &Asset) -> Diagnostic {
    let message = format!("the file `{}` cannot be read", asset.source.display());
    Diagnostic::error("missing-file", target.wanted_by.place(&target.path), message)
        .help("add the file, or take the link out")
}
