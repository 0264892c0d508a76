//! A post half read: its head is understood, its text is not parsed yet.
//!
//! Links need to know every post's URL before the first text is parsed, so loading takes two
//! passes, and this is what the first leaves to the second.

use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, Utc};

use super::Options;
use super::discover::{Found, Shelf};
use super::git::FileHistory;
use super::head::{Fields, HeadKind, Placed, Status, Surroundings, at_local_midnight, read_fields, read_head};
use super::names::file_name;
use super::site::normal;
use super::source;
use super::texts::Whereabouts;
use crate::diagnostic::{Diagnostic, Place, has_errors};
use crate::domain::post::Visibility;
use crate::domain::publication::Author;
use crate::domain::time::Dated;

/// Layouts by which Jekyll, Hugo and Eleventy tell pages from posts.
const PAGE_LAYOUTS: [&str; 9] =
    ["page", "home", "archive", "archives", "search", "404", "about", "contact", "redirect"];

/// A file read, with its head understood.
pub(super) struct Draft {
    pub(super) found: Found,
    pub(super) text: String,
    pub(super) digest: String,
    pub(super) head: HeadKind,
    /// The byte at which the text begins.
    pub(super) body: usize,
    pub(super) fields: Fields,
}

/// What came of reading one file.
pub(super) enum Reading {
    /// A post.
    Draft(Box<Draft>),
    /// A page or the like, by its own word.
    NoPost,
    /// Wrong in a way that leaves no post; the diagnostics say how.
    Broken,
}

impl Draft {
    /// Reads a file and its head.
    pub(super) fn read(found: &Found, options: &Options<'_>, out: &mut Vec<Diagnostic>) -> Reading {
        let source = match source::read(&found.path, &found.name) {
            Ok(source) => source,
            Err(diagnostic) => {
                out.push(*diagnostic);
                return Reading::Broken;
            }
        };
        let head = match read_head(&source.text) {
            Ok(head) => head,
            Err(error) => {
                let place = Place::span(&found.name, &source.text, error.span);
                out.push(Diagnostic::error("front-matter-syntax", place, error.message).help(error.help));
                return Reading::Broken;
            }
        };
        let around =
            Surroundings { file: &found.name, text: &source.text, zone: options.time_zone, base_url: options.base_url };
        let mut found_wrong = Vec::new();
        let fields = read_fields(&head, around, &mut found_wrong);
        let broken = has_errors(&found_wrong);
        out.append(&mut found_wrong);
        if broken {
            return Reading::Broken;
        }
        if fields.layout.as_deref().is_some_and(|layout| PAGE_LAYOUTS.contains(&layout.to_lowercase().as_str())) {
            return Reading::NoPost;
        }
        let (found, text, digest) = (found.clone(), source.text, source.digest);
        Reading::Draft(Box::new(Self { found, text, digest, head: head.kind, body: head.body, fields }))
    }

    /// The folders the file lies in inside the content folder, with `/`. A bundle's own folder
    /// is its name, not its place.
    pub(super) fn folders(&self) -> &str {
        let folders = self.found.relative.rsplit_once('/').map_or("", |(folders, _)| folders);
        let is_bundle = Path::new(&self.found.relative).file_stem().is_some_and(|stem| *stem != *self.found.stem);
        if is_bundle { folders.rsplit_once('/').map_or("", |(outer, _)| outer) } else { folders }
    }

    /// Where its text is found again.
    pub(super) fn whereabouts(&self) -> Whereabouts {
        Whereabouts { path: self.found.path.clone(), body: self.body, title: self.fields.title.clone() }
    }

    /// A place in the file.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::span(&self.found.name, &self.text, span)
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
        let named = file_name(self.folders(), &self.found.stem).date;
        let date = self.fields.date.or_else(|| dated_by_name(named, first.map(|commit| commit.date), options));
        let date = date.or(first.map(|commit| commit.date)).unwrap_or_else(|| self.file_time(options, out));
        let headless = self.head == HeadKind::None;
        let changed = last.filter(|last| headless && first.is_some_and(|first| first.hash != last.hash));
        let committer = first
            .map(|commit| Author { name: commit.author.clone(), url: None })
            .filter(|author| !author.name.is_empty());
        let default = options.default_author.cloned();
        let author = if headless { committer.or(default) } else { default.or(committer) };
        let authors =
            if self.fields.authors.is_empty() { author.into_iter().collect() } else { self.fields.authors.clone() };
        Origin {
            date,
            updated: self.fields.updated.or(changed.map(|commit| commit.date)).filter(|updated| *updated > date),
            authors,
            commit: last.or(first).map(|commit| commit.hash.clone()),
        }
    }

    fn file_time(&self, options: &Options<'_>, out: &mut Vec<Diagnostic>) -> Dated {
        let modified =
            std::fs::metadata(&self.found.path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let message = "no date in the front matter, the file name or git: the file's own time is used";
        out.push(
            Diagnostic::warning("date-unknown", Place::file(&self.found.name), message)
                .help("add a date to the front matter; a copy of the file would have another"),
        );
        DateTime::<Utc>::from(modified).with_timezone(&options.time_zone).fixed_offset()
    }

    /// Whether readers may see it at the moment of loading.
    pub(super) fn visibility(&self, date: Dated, options: &Options<'_>) -> Visibility {
        if self.fields.status == Status::Draft || self.found.shelf == Shelf::Drafts {
            Visibility::Draft
        } else if date > options.now {
            Visibility::Scheduled
        } else {
            Visibility::Public
        }
    }

    /// The cover named in the head, as a link from the post; a path that is not beside the post
    /// is looked for from the top of the content folder, as Jekyll does.
    pub(super) fn cover(&self) -> Option<Placed<String>> {
        let cover = self.fields.image.clone()?;
        let beside = self.found.path.parent().is_some_and(|folder| normal(&folder.join(&cover.value)).is_file());
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
