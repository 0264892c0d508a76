//! What could be better in posts, mails and templates; the silencing of what an author has
//! heard; and the repair of what needs no judgement.

mod domain;
mod links;
mod posts;
mod silence;
mod support;
mod templates;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::content;
use crate::diagnostic::Diagnostic;
use crate::files::{self, Change, FileError};

pub use domain::{Findings, domain};
pub use links::links;
pub use posts::posts;
pub use silence::silence;
pub use templates::templates;

/// The diagnostic that content loading gives for text read in the wrong encoding.
const MOJIBAKE: &str = "mojibake";

/// Repairs the files that `diagnostics` says hold mojibake; returns those that were changed,
/// relative to `root`. Each is replaced whole; killed in between, a second call does the rest.
pub fn repair_mojibake(root: &Path, diagnostics: &[Diagnostic]) -> Result<Vec<PathBuf>, FileError> {
    let named: BTreeSet<&Path> =
        diagnostics.iter().filter(|one| one.code == MOJIBAKE).map(|one| one.place.file.as_path()).collect();
    let mut repaired = Vec::new();
    for file in named {
        let path = root.join(file);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Some(sound) = content::repair_mojibake(&text) else { continue };
        if files::replace_durably(&path, sound.as_bytes())? != Change::Unchanged {
            repaired.push(file.to_owned());
        }
    }
    Ok(repaired)
}
