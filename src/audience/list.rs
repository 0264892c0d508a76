//! A list of subscribers as a file, whatever its format.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::rows::Rows;
use super::table;
use crate::diagnostic::Diagnostic;
use crate::domain::subscriber::Enrolment;

/// How many people [`read`] asks for at a time.
const BATCH: usize = 10_000;

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// `[[subscriber]]` tables.
    Toml,
    /// A header line with `email`, and a row per person.
    Csv,
}

impl ListKind {
    /// The format that a file's name promises: `.toml` is TOML, anything else CSV.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(ending) if ending.eq_ignore_ascii_case("toml") => Self::Toml,
            Some(_) | None => Self::Csv,
        }
    }
}

/// Why a list cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the list `{}`: {source}", path.display())]
pub struct ListError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A whole list.
#[derive(Debug, Default)]
pub struct Listing {
    /// The people, each once, in the order of the file.
    pub enrolments: Vec<Enrolment>,
    /// What is wrong with the rows that were left out, and what is odd about others.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a whole list into memory; [`List`] is for those that are too long for that.
/// `source` becomes the consent source of everybody in it.
pub fn read(path: &Path, source: &str) -> Result<Listing, ListError> {
    let mut list = List::open(path, source)?;
    let mut enrolments = Vec::new();
    loop {
        let mut batch = list.next_batch(BATCH);
        if batch.is_empty() {
            return Ok(Listing { enrolments, diagnostics: list.finish() });
        }
        enrolments.append(&mut batch);
    }
}

/// A list being read, a batch at a time. CSV is read as a stream, TOML (64 MB at most) whole.
///
/// A person listed twice is taken once, as the first row says, with a warning. A row that an
/// export marked as anything but `active` is left out and counted.
#[derive(Debug)]
pub struct List {
    path: PathBuf,
    rows: Kind,
}

#[derive(Debug)]
enum Kind {
    Read(std::vec::IntoIter<Enrolment>, Vec<Diagnostic>),
    Stream(Box<Rows>),
}

impl List {
    /// Opens a list. Only a file that cannot be read is an error; one that makes no sense is
    /// an empty list with diagnostics.
    pub fn open(path: &Path, source: &str) -> Result<Self, ListError> {
        let failed = |source| ListError { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let rows = match ListKind::of(path) {
            ListKind::Csv => Kind::Stream(Box::new(Rows::open(file, path, source).map_err(failed)?)),
            ListKind::Toml => {
                let listing = table::read(file, path, source).map_err(failed)?;
                Kind::Read(listing.enrolments.into_iter(), listing.diagnostics)
            }
        };
        Ok(Self { path: path.to_owned(), rows })
    }

    /// The next people, at most `size` of them; empty at the end and ever after.
    pub fn next_batch(&mut self, size: usize) -> Vec<Enrolment> {
        match &mut self.rows {
            Kind::Read(people, _) => people.by_ref().take(size).collect(),
            Kind::Stream(rows) => rows.by_ref().take(size).collect(),
        }
    }

    /// What was found in the rows read so far.
    pub fn finish(self) -> Vec<Diagnostic> {
        match self.rows {
            Kind::Read(_, diagnostics) => diagnostics,
            Kind::Stream(rows) => rows.finish(&self.path),
        }
    }
}
