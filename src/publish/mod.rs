//! The site's files: pages, feeds, sitemap, assets, made pictures, redirects; planned, then applied.
//!
//! [`plan`] and [`apply`] walk the same way: list every file the site should have, pass over
//! those whose inputs and whose file are as the manifest remembers, make the others, and
//! compare each with what is there. `plan` stops there; `apply` writes what differs, a file
//! at a time and each atomically, and removes what an earlier build wrote and this one does
//! not want. Pages are made in parallel and written as they are made, so that a site of ten
//! thousand posts needs the memory of a few.
//!
//! The manifest says which files are ours. A file that is not is never overwritten and never
//! removed. Only the site and the feeds are written here; no mail, no ledger.

mod bodies;
mod fingerprint;
mod make;
mod manifest;
mod place;
mod targets;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::domain::post::{Article, Post};
use crate::domain::publication::Publication;
use crate::feed::{FeedError, Limit};
use crate::files::{Change, FileError, Root};
use crate::pictures::{self, Pictures};
use crate::render::Theme;
pub use bodies::Bodies;
use make::Outline;
pub use make::feed_links;
use manifest::{Manifest, Record};
use place::{Mode, Outcome, Placer, Removal};
use targets::{Listed, Target};

/// What becomes of files that an earlier build wrote and this one does not want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftovers {
    /// They are removed: their posts are gone.
    Remove,
    /// They stay: some posts could not be read, and a broken head must not take a page, its
    /// images and its links off the web.
    Keep,
}

/// What reads the text of a post; the error is a text that cannot be had now.
pub type Read<'a> = dyn Fn(&Post) -> Result<Article, Box<Diagnostic>> + Sync + 'a;

/// A site to be published.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Whose site it is.
    pub publication: &'a Publication,
    /// The templates.
    pub theme: &'a Theme,
    /// A digest of all that the theme was loaded from. Pages are made anew when it changes.
    pub theme_digest: &'a str,
    /// The posts in any order; drafts and scheduled ones are left out here.
    pub posts: &'a [Post],
    /// How much the feeds carry.
    pub limit: Limit,
    /// The folder that is served.
    pub output: &'a Path,
    /// The manifest: a file outside the output folder, ours alone.
    pub manifest: &'a Path,
    /// How many of the newest posts have a card to be shared with.
    pub cards: usize,
    /// The pictures made of what the posts say.
    pub pictures: &'a Pictures,
    /// Texts of pages that are written already.
    pub bodies: &'a Bodies,
    /// Reads the text of a post.
    pub read: &'a Read<'a>,
    /// What becomes of files that are no longer wanted.
    pub leftovers: Leftovers,
}

/// What a build would do, or did: paths are relative to the output folder, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteChanges {
    /// Files that were not there.
    pub added: Vec<String>,
    /// Files with other content.
    pub changed: Vec<String>,
    /// Files of an earlier build that nothing wants any more.
    pub removed: Vec<String>,
    /// How many files stay as they are.
    pub unchanged: usize,
    /// The ids of entries that the feeds carry and the last feed did not.
    pub new_entries: Vec<String>,
    /// What could not be made or placed; all else was.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a build stopped. Files written before that are whole, and the next build goes on.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The disk refused.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The manifest cannot be understood, so that nobody knows which files are ours.
    #[error("`{path}` is no manifest of a site ({reason}); remove it together with the output folder to build anew")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What [`apply`] would do now. Nothing is written.
pub fn plan(site: &Site) -> Result<SiteChanges, PublishError> {
    walk(site, Mode::Plan)
}

/// Brings the output folder to what the posts say.
///
/// Called again without a change it writes nothing. Killed at any moment it leaves every file
/// whole, old or new, and a manifest that knows all that was begun; the next call finishes.
pub fn apply(site: &Site) -> Result<SiteChanges, PublishError> {
    walk(site, Mode::Apply)
}

fn walk(site: &Site, mode: Mode) -> Result<SiteChanges, PublishError> {
    let mut posts: Vec<&Post> = site.posts.iter().filter(|post| post.is_public()).collect();
    posts.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.id.cmp(&b.id)));
    let (outline, manifest) = rayon::join(|| Outline::new(site, &posts), || Manifest::load(site.manifest));
    let mut manifest = manifest?;
    let root = Root::open(site.output)?;
    let listed = targets::list(&outline);
    let placer = Placer { outline: &outline, manifest: &manifest, root: &root, mode };
    let is_done: Vec<bool> = listed.targets.par_iter().map(|target| placer.is_done(target)).collect();
    let waiting: Vec<&Target> =
        listed.targets.iter().zip(is_done).filter(|(_, is_done)| !is_done).map(|(target, _)| target).collect();

    let mut changes = SiteChanges { unchanged: listed.targets.len() - waiting.len(), ..SiteChanges::default() };
    let mut outcomes = Vec::new();
    if !waiting.is_empty() {
        changes.new_entries = make::new_entries(&outline, &root, &waiting);
        placer.announce(&waiting, site.manifest)?;
        // One by one: the lists and feeds at the end take a hundred times as long as a page, and would
        // all fall to the thread that has the last of the pages.
        let placed = waiting.par_iter().with_max_len(1).map(|target| placer.place(target));
        outcomes = placed.collect::<Result<_, _>>()?;
    }
    let placed = note(&waiting, outcomes, &mut changes);
    let forgotten = remove_leftovers(&placer, site.leftovers, &listed, &mut changes)?;
    manifest.files.extend(placed);
    for path in &forgotten {
        manifest.files.remove(path);
    }
    changes.diagnostics.extend(listed.collisions);
    if mode == Mode::Apply && (manifest.unfinished || !waiting.is_empty() || !forgotten.is_empty()) {
        manifest.save(site.manifest)?;
    }
    Ok(changes)
}

/// Notes what became of targets, and hands on what to remember of those that were placed; one
/// that failed is remembered as it was.
fn note(waiting: &[&Target], outcomes: Vec<Outcome>, changes: &mut SiteChanges) -> Vec<(String, Record)> {
    let mut placed = Vec::new();
    for (target, outcome) in waiting.iter().zip(outcomes) {
        match outcome {
            Outcome::Placed(change, record) => {
                count(changes, change, &target.path);
                placed.push((target.path.clone(), record));
            }
            Outcome::Failed(diagnostic) => changes.diagnostics.push(diagnostic),
        }
    }
    placed
}

fn count(changes: &mut SiteChanges, change: Change, path: &str) {
    match change {
        Change::Added => changes.added.push(path.to_owned()),
        Change::Changed => changes.changed.push(path.to_owned()),
        Change::Unchanged => changes.unchanged += 1,
    }
}

/// Removes what the manifest remembers and nothing wants, and says which files are to be
/// forgotten. Made pictures stay always: mails show them.
fn remove_leftovers(
    placer: &Placer,
    leftovers: Leftovers,
    listed: &Listed,
    changes: &mut SiteChanges,
) -> Result<Vec<String>, PublishError> {
    let mut forgotten = Vec::new();
    let remembered: Vec<_> = placer.manifest.files.par_iter().filter(|(path, _)| !listed.wants(path)).collect();
    for (path, record) in remembered {
        if leftovers == Leftovers::Keep || pictures::is_made(path) {
            continue;
        }
        match placer.remove(path, record)? {
            Removal::Removed => changes.removed.push(path.clone()),
            Removal::Gone => {}
            Removal::NotOurs(diagnostic) => changes.diagnostics.push(diagnostic),
        }
        forgotten.push(path.clone());
    }
    Ok(forgotten)
}

/// What a feed that could not be written means to the author.
fn feed_diagnostic(path: &Path, error: &FeedError) -> Diagnostic {
    let place = crate::diagnostic::Place::file(path);
    let diagnostic = Diagnostic::error("feed", place, format!("the feed was not written: {error}"));
    match error {
        FeedError::DuplicateId(_) => diagnostic.help("give one of the two posts another `id`"),
        FeedError::Id(_) => diagnostic.help("give the post an `id` of plain letters and digits"),
        FeedError::Date(_) => diagnostic.help("correct the post's `date`"),
        FeedError::Refused { .. } => diagnostic.help("the feed that is there was kept; please report this as a bug"),
    }
}

#[cfg(test)]
mod tests;
