//! The first pass: every file's head, read or remembered.

use std::path::PathBuf;

use rayon::prelude::*;

use super::Options;
use super::cache::{Cache, Entry};
use super::discover::{Discovery, Found};
use super::draft::{Draft, Head, Reading};
use super::source;
use crate::diagnostic::Diagnostic;
use crate::files::Stamp;

/// What the files of a folder are.
#[derive(Default)]
pub(super) struct Readings {
    /// The posts.
    pub(super) drafts: Vec<Draft>,
    /// What is to be kept of them, in the same order; `None` for what cannot be.
    pub(super) entries: Vec<Option<Entry>>,
    /// What is to be kept of other files.
    pub(super) others: Vec<Entry>,
    /// The names of files that are there and became no draft.
    pub(super) no_drafts: Vec<String>,
    /// Contents pages, as paths on disk.
    pub(super) contents: Vec<PathBuf>,
    /// What is wrong with any of them.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// One file.
struct Sheet {
    head: Option<Head>,
    text: Option<String>,
    entry: Option<Entry>,
    unreadable: Option<Box<Diagnostic>>,
}

/// Reads every file that does not look as it did.
pub(super) fn read_all(discovery: Discovery, options: &Options<'_>, cache: &Cache) -> Readings {
    let Discovery { posts, contents, diagnostics, .. } = discovery;
    let sheets: Vec<Sheet> = posts.par_iter().map(|found| read(found, options, cache)).collect();
    let mut all = Readings { contents, diagnostics, ..Readings::default() };
    for (found, sheet) in posts.into_iter().zip(sheets) {
        all.diagnostics.extend(sheet.unreadable.map(|wrong| *wrong));
        let Some(Head { digest, reading, diagnostics }) = sheet.head else {
            all.no_drafts.push(found.name);
            continue;
        };
        all.diagnostics.extend(diagnostics);
        match reading {
            Reading::Post(meant) => {
                all.drafts.push(Draft { found, text: sheet.text, digest, meant });
                all.entries.push(sheet.entry);
            }
            Reading::NoPost | Reading::Broken => {
                all.no_drafts.push(found.name);
                all.others.extend(sheet.entry);
            }
        }
    }
    all
}

fn read(found: &Found, options: &Options<'_>, cache: &Cache) -> Sheet {
    // Before the file is read: what is changed meanwhile will look otherwise.
    let stamp = cache.moment().and_then(|_| Stamp::of(&found.path));
    let kept = cache.known(&found.name).zip(stamp);
    let known = || kept.and_then(|(known, stamp)| Some((known.head::<Head>()?, known.entry(stamp))));
    if kept.is_some_and(|(known, stamp)| known.is_trusted(stamp))
        && let Some((head, entry)) = known()
    {
        return Sheet { head: Some(head), text: None, entry: Some(entry), unreadable: None };
    }
    let source = match source::read(&found.path, &found.name) {
        Ok(source) => source,
        Err(wrong) => return Sheet { head: None, text: None, entry: None, unreadable: Some(wrong) },
    };
    if let Some((head, entry)) = known().filter(|(head, _)| head.digest == source.digest) {
        return Sheet { head: Some(head), text: Some(source.text), entry: Some(entry), unreadable: None };
    }
    let head = Head::read(found, &source, options);
    let entry = stamp.and_then(|stamp| Entry::new(&found.name, stamp, &head));
    Sheet { head: Some(head), text: Some(source.text), entry, unreadable: None }
}
