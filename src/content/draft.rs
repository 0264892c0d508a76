//! A post half read: its head is understood, its text is not parsed yet.
//!
//! Links need to know every post's URL before the first text is parsed, so loading takes two
//! passes, and this is what the first leaves to the second.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Options;
use super::discover::{Found, Shelf};
use super::git::FileHistory;
use super::head::{Fields, HeadKind, Placed, Status, Surroundings, at_local_midnight, read_fields, read_head};
use super::links::Linker;
use super::names::file_name;
use super::source::{self, Source};
use super::texts::Whereabouts;
use crate::diagnostic::{Diagnostic, Place, has_errors};
use crate::domain::post::Visibility;
use crate::domain::publication::Author;
use crate::domain::time::Dated;

/// Layouts by which Jekyll, Hugo and Eleventy tell pages from posts.
const PAGE_LAYOUTS: [&str; 9] =
    ["page", "home", "archive", "archives", "search", "404", "about", "contact", "redirect"];

/// A post's file with its head understood.
pub(super) struct Draft {
    pub(super) found: Found,
    /// The whole file, when it was read.
    pub(super) text: Option<String>,
    pub(super) digest: String,
    pub(super) meant: Box<Meant>,
}

/// What a post's head says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meant {
    pub(super) kind: HeadKind,
    /// The byte at which the text begins.
    pub(super) body: usize,
    pub(super) fields: Fields,
}

/// What a file is by its head.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reading {
    /// A post.
    Post(Box<Meant>),
    /// A page or the like, by its own word.
    NoPost,
    /// Wrong in a way that leaves no post; the diagnostics say how.
    Broken,
}

/// What is found out about a file from itself alone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// SHA-256 of the file, in hex.
    pub(super) digest: String,
    pub(super) reading: Reading,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Head {
    /// Reads the head of a file.
    pub(super) fn read(found: &Found, source: &Source, options: &Options<'_>) -> Self {
        let mut diagnostics = Vec::new();
        let reading = Reading::of(found, source, options, &mut diagnostics);
        Self { digest: source.digest.clone(), reading, diagnostics }
    }
}

impl Reading {
    fn of(found: &Found, source: &Source, options: &Options<'_>, out: &mut Vec<Diagnostic>) -> Self {
        let head = match read_head(&source.text) {
            Ok(head) => head,
            Err(error) => {
                let place = Place::span(&found.name, &source.text, error.span);
                out.push(Diagnostic::error("front-matter-syntax", place, error.message).help(error.help));
                return Self::Broken;
            }
        };
        let around =
            Surroundings { file: &found.name, text: &source.text, zone: options.time_zone, base_url: options.base_url };
        let fields = read_fields(&head, around, out);
        if has_errors(out) {
            return Self::Broken;
        }
        if fields.layout.as_deref().is_some_and(|layout| PAGE_LAYOUTS.contains(&layout.to_lowercase().as_str())) {
            return Self::NoPost;
        }
        Self::Post(Box::new(Meant { kind: head.kind, body: head.body, fields }))
    }
}

impl Draft {
    /// The folders the file lies in inside the content folder, with `/`. A bundle's own folder
    /// is its name, not its place.
    pub(super) fn folders(&self) -> &str {
        let folders = self.found.relative.rsplit_once('/').map_or("", |(folders, _)| folders);
        let is_bundle = Path::new(&self.found.relative).file_stem().is_some_and(|stem| *stem != *self.found.stem);
        if is_bundle { folders.rsplit_once('/').map_or("", |(outer, _)| outer) } else { folders }
    }

    /// Where its text is found again.
    pub(super) fn whereabouts(&self) -> Whereabouts {
        let Meant { body, fields, .. } = &*self.meant;
        let Found { path, name, .. } = &self.found;
        Whereabouts { name: name.clone(), path: path.clone(), body: *body, title: fields.title.clone() }
    }

    /// A place in the file, which is read for that if it was not.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let read = || source::read(&self.found.path, &self.found.name).map(|source| source.text).unwrap_or_default();
        let text = self.text.as_ref().map_or_else(|| Cow::Owned(read()), Cow::Borrowed);
        Place::span(&self.found.name, &text, span)
    }

    /// When it was published and changed, and by whom.
    pub(super) fn origin(
        &self,
        history: Option<&FileHistory>,
        options: &Options<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> Origin {
        let first = history.and_then(|history| history.first.as_ref());
        let last = history.and_then(|history| history.last.as_ref());
        let named = || file_name(self.folders(), &self.found.stem).date;
        let date = self.meant.fields.date.or_else(|| dated_by_name(named(), first.map(|commit| commit.date), options));
        let date = date.or(first.map(|commit| commit.date)).unwrap_or_else(|| self.file_time(options, out));
        let headless = self.meant.kind == HeadKind::None;
        let changed = last.filter(|last| headless && first.is_some_and(|first| first.hash != last.hash));
        let committer = first
            .map(|commit| Author { name: commit.author.clone(), url: None })
            .filter(|author| !author.name.is_empty());
        let default = options.default_author.cloned();
        let author = if headless { committer.or(default) } else { default.or(committer) };
        let authors = if self.meant.fields.authors.is_empty() {
            author.into_iter().collect()
        } else {
            self.meant.fields.authors.clone()
        };
        Origin {
            date,
            updated: self.meant.fields.updated.or(changed.map(|commit| commit.date)).filter(|updated| *updated > date),
            authors,
            commit: last.or(first).map(|commit| commit.hash.clone()),
        }
    }

    fn file_time(&self, options: &Options<'_>, out: &mut Vec<Diagnostic>) -> Dated {
        let modified =
            std::fs::metadata(&self.found.path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let message = "no date in the front matter, the file name or git: the file's own time is used";
        out.push(
            Diagnostic::warning("date-unknown", Place::line(&self.found.name, 1), message)
                .help("add a date to the front matter; a copy of the file would have another"),
        );
        DateTime::<Utc>::from(modified).with_timezone(&options.time_zone).fixed_offset()
    }

    /// Whether readers may see it at the moment of loading.
    pub(super) fn visibility(&self, date: Dated, options: &Options<'_>) -> Visibility {
        if self.meant.fields.status == Status::Draft || self.found.shelf == Shelf::Drafts {
            Visibility::Draft
        } else if date > options.now {
            Visibility::Scheduled
        } else {
            Visibility::Public
        }
    }

    /// The cover named in the head, as a link from the post; a path that is not beside the post
    /// is looked for from the top of the content folder, as Jekyll does.
    pub(super) fn cover(&self, linker: &Linker<'_>) -> Option<Placed<String>> {
        let cover = self.meant.fields.image.clone()?;
        let beside = linker.has_beside(&cover.value);
        let is_relative = !cover.value.contains(':') && !cover.value.starts_with('/');
        let value = if is_relative && !beside && !cover.value.starts_with('.') {
            format!("/{}", cover.value)
        } else {
            cover.value
        };
        Some(Placed { value, span: cover.span })
    }
}

/// The day in a file's name is the author's word; git, if it saw the file that day, adds the hour.
fn dated_by_name(named: Option<NaiveDate>, first: Option<Dated>, options: &Options<'_>) -> Option<Dated> {
    let day = named?;
    let committed = first.filter(|first| first.with_timezone(&options.time_zone).date_naive() == day);
    Some(committed.unwrap_or_else(|| at_local_midnight(day, options.time_zone)))
}

/// Where a post comes from.
pub(super) struct Origin {
    pub(super) date: Dated,
    pub(super) updated: Option<Dated>,
    pub(super) authors: Vec<Author>,
    pub(super) commit: Option<String>,
}
