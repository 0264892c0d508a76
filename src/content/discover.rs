//! Which files of a folder are posts, which are contents pages, and which are neither.

use std::fs::{self, DirEntry, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::ignore::is_ignored;
use crate::diagnostic::{Diagnostic, Place};

/// Folders of the publication that hold no posts, when they lie directly in it.
const NO_CONTENT: [&str; 8] = ["templates", "layouts", "themes", "archetypes", "static", "target", "vendor", "public"];
/// Stems of files that list or introduce the posts.
const CONTENTS: [&str; 7] = ["readme", "index", "_index", "contents", "toc", "table-of-contents", "summary"];
/// Stems of files that every repository has and no reader follows.
const NO_POSTS: [&str; 12] = [
    "license",
    "licence",
    "copying",
    "contributing",
    "changelog",
    "code_of_conduct",
    "code-of-conduct",
    "security",
    "maintainers",
    "authors",
    "support",
    "404",
];
/// Markups that we do not read, but that an author may take for posts.
const OTHER_MARKUP: [&str; 6] = ["rst", "adoc", "asciidoc", "org", "textile", "mdx"];

/// Where to look, and where not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) root: &'a Path,
    pub(super) source: &'a Path,
    pub(super) output: &'a Path,
    pub(super) ignore: &'a [String],
}

impl Scope<'_> {
    /// A file as the author would name it: relative to the publication, with `/`.
    pub(super) fn name(&self, path: &Path) -> String {
        let inner = path.strip_prefix(self.root).or_else(|_| path.strip_prefix(self.source)).unwrap_or(path);
        inner.to_string_lossy().replace('\\', "/")
    }
}

/// Whether the folder a file lies in says that it is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Posts,
    Drafts,
}

/// One file that may be a post.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The file on disk.
    pub(super) path: PathBuf,
    /// Its name relative to the publication, with `/`.
    pub(super) name: String,
    /// Its name relative to the content folder, with `/`.
    pub(super) relative: String,
    /// What it is called: the file's stem, or its folder's name for an `index.md` that owns one.
    pub(super) stem: String,
    /// Where it lies.
    pub(super) shelf: Shelf,
}

/// What a walk through the content folder brings.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    /// Files that may be posts, by name.
    pub(super) posts: Vec<Found>,
    /// Contents pages, as paths on disk.
    pub(super) contents: Vec<PathBuf>,
    /// Names of files that look like posts and are none.
    pub(super) no_posts: Vec<String>,
    /// Files that cannot be read as content.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Walks the content folder in the order of names.
pub(super) fn discover(scope: Scope<'_>) -> Discovery {
    let mut walk = Walk { scope, boundary: boundary(scope), found: Discovery::default() };
    if scope.source.join("_posts").is_dir() {
        // Jekyll: beside `_posts` and `_drafts` lie pages, not posts.
        walk.folder(&scope.source.join("_posts"), Shelf::Posts);
        walk.folder(&scope.source.join("_drafts"), Shelf::Drafts);
        walk.contents_beside_jekyll();
    } else {
        walk.folder(scope.source, shelf_of(scope.source));
    }
    walk.found
}

/// The folder no link may lead out of, with links resolved.
pub(super) fn boundary(scope: Scope<'_>) -> PathBuf {
    let outer = if scope.source.starts_with(scope.root) { scope.root } else { scope.source };
    fs::canonicalize(outer).unwrap_or_else(|_| outer.to_owned())
}

fn shelf_of(folder: &Path) -> Shelf {
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("drafts" | "_drafts") => Shelf::Drafts,
        Some(_) | None => Shelf::Posts,
    }
}

struct Walk<'a> {
    scope: Scope<'a>,
    boundary: PathBuf,
    found: Discovery,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, place: Shelf) {
        let mut open = vec![(folder.to_owned(), place)];
        while let Some((folder, place)) = open.pop() {
            let entries = self.entries(&folder);
            let markdown = entries.iter().filter(|item| is_markdown(&item.path)).count();
            let within = Within { name: self.scope.name(&folder), relative: self.relative(&folder), markdown };
            let mut inner = Vec::new();
            for item in entries {
                let kind = self.kind(&item);
                let path = item.path;
                match kind {
                    Kind::Folder if self.is_content_folder(&path) => {
                        let place = if place == Shelf::Drafts { place } else { shelf_of(&path) };
                        inner.push((path, place));
                    }
                    Kind::File => self.file(path, place, &within),
                    Kind::Folder | Kind::Refused => {}
                }
            }
            open.extend(inner.into_iter().rev());
        }
        self.found.posts.sort_by(|a, b| a.relative.cmp(&b.relative));
    }

    /// What lies in a folder, in the order of names.
    fn entries(&mut self, folder: &Path) -> Vec<Item> {
        let named = |entry: io::Result<DirEntry>| entry.map(|entry| (entry.file_name(), entry.file_type()));
        let read: io::Result<Vec<_>> = fs::read_dir(folder).and_then(|entries| entries.map(named).collect());
        match read {
            Ok(mut entries) => {
                // By bare names: comparing whole paths takes longer than everything else here.
                entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                let item = |(name, kind): (_, io::Result<FileType>)| Item { path: folder.join(name), kind: kind.ok() };
                entries.into_iter().map(item).collect()
            }
            // Jekyll's `_drafts` need not exist.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && folder != self.scope.source => Vec::new(),
            Err(error) => {
                let place = Place::file(self.scope.name(folder));
                let message = format!("the folder cannot be read: {error}");
                self.found.diagnostics.push(
                    Diagnostic::error("folder-unreadable", place, message)
                        .help("check `[source] path` and the folder's permissions"),
                );
                Vec::new()
            }
        }
    }

    /// What a path is, without opening it. Links are followed only to files inside the publication.
    fn kind(&mut self, Item { path, kind }: &Item) -> Kind {
        let Some(meta) = kind else { return Kind::Refused };
        if meta.is_symlink() {
            return self.link_kind(path);
        }
        if meta.is_dir() {
            return Kind::Folder;
        }
        if !meta.is_file() && is_markdown(path) {
            self.refuse(
                path,
                "not-a-file",
                "this is no regular file and is never opened",
                "move it out of the content folder",
            );
        }
        if meta.is_file() { Kind::File } else { Kind::Refused }
    }

    fn link_kind(&mut self, path: &Path) -> Kind {
        let target = fs::canonicalize(path);
        let is_folder = target.as_ref().is_ok_and(|target| target.is_dir());
        if is_hidden(path) || !(is_folder || is_markdown(path)) {
            return Kind::Refused;
        }
        match target {
            Err(_) => {
                self.refuse(
                    path,
                    "symlink-broken",
                    "the link leads nowhere",
                    "remove it, or restore what it points to",
                );
                Kind::Refused
            }
            Ok(target) if !target.starts_with(&self.boundary) => {
                let help = "copy the file into the content folder: nothing outside the publication is read";
                self.refuse(path, "symlink-outside", "the link leads out of the publication", help);
                Kind::Refused
            }
            Ok(target) if target.is_file() => Kind::File,
            Ok(target) if target.is_dir() => {
                let place = Place::file(self.scope.name(path));
                let message = "the link leads to a folder and is not followed";
                self.found.diagnostics.push(
                    Diagnostic::warning("symlink-folder", place, message)
                        .help("move the folder here, or name it as `[source] path`"),
                );
                Kind::Refused
            }
            Ok(_) => {
                let help = "move it out of the content folder";
                self.refuse(path, "not-a-file", "the link leads to no regular file; it is never opened", help);
                Kind::Refused
            }
        }
    }

    fn refuse(&mut self, path: &Path, code: &'static str, message: &str, help: &str) {
        let place = Place::file(self.scope.name(path));
        self.found.diagnostics.push(Diagnostic::error(code, place, message).help(help));
    }

    fn is_content_folder(&mut self, path: &Path) -> bool {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        if path == self.scope.output || is_ignored(&self.relative(path), self.scope.ignore) {
            return false;
        }
        let special = name.starts_with('.') || name == "node_modules" || name.starts_with('_');
        let directly_in_root = path.parent() == Some(self.scope.root) && NO_CONTENT.contains(&name);
        let pelican_pages = name == "pages" && path.parent() == Some(self.scope.source);
        if pelican_pages {
            let pages = self.entries(path).into_iter().map(|item| item.path).filter(|page| is_markdown(page));
            let names: Vec<String> = pages.map(|page| self.scope.name(&page)).collect();
            self.found.no_posts.extend(names);
        }
        !(special || directly_in_root || pelican_pages)
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(self.scope.source).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    fn file(&mut self, path: PathBuf, place: Shelf, within: &Within) {
        if is_hidden(&path) {
            return;
        }
        let file = path.file_name().unwrap_or_default().to_string_lossy().replace('\\', "/");
        let (name, relative) = (inside(&within.name, &file), inside(&within.relative, &file));
        if is_ignored(&relative, self.scope.ignore) {
            return;
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let lower = stem.to_lowercase();
        if NO_POSTS.contains(&lower.as_str()) && (is_markdown(&path) || extension.is_empty() || extension == "txt") {
            self.found.no_posts.push(name);
        } else if is_markdown(&path) {
            self.markdown(Found { path, name, relative, stem, shelf: place }, &lower, within.markdown);
        } else if OTHER_MARKUP.contains(&extension.as_str()) {
            let message = format!("`.{extension}` is not read: posts are Markdown");
            let help = "convert it to Markdown (pandoc can), or list it in `[source] ignore`";
            self.found.diagnostics.push(Diagnostic::warning("not-markdown", Place::file(name), message).help(help));
        }
    }

    fn markdown(&mut self, mut found: Found, lower: &str, markdown_beside: usize) {
        let owner = found.path.parent().filter(|folder| *folder != self.scope.source && *folder != self.scope.root);
        if let Some(folder) = owner.filter(|_| lower == "index" && markdown_beside == 1) {
            // A page bundle, as Hugo and Zola call it: a folder with one post and its pictures.
            found.stem = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            self.found.posts.push(found);
        } else if CONTENTS.contains(&lower) {
            self.found.no_posts.push(found.name);
            self.found.contents.push(found.path);
        } else if !lower.starts_with('_') {
            self.found.posts.push(found);
        }
    }

    fn contents_beside_jekyll(&mut self) {
        for Item { path, .. } in self.entries(self.scope.source) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_lowercase();
            if is_markdown(&path) && path.is_file() {
                self.found.no_posts.push(self.scope.name(&path));
                if CONTENTS.contains(&stem.as_str()) {
                    self.found.contents.push(path);
                }
            }
        }
    }
}

/// The folder of some files: its names, as those of a [`Found`], and how many Markdown files it has.
struct Within {
    name: String,
    relative: String,
    markdown: usize,
}

/// The name of something in a folder, which is nameless at the top.
fn inside(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { [folder, "/", file].concat() }
}

/// Something in a folder.
struct Item {
    path: PathBuf,
    /// What it is, links not followed; `None` when the system does not say.
    kind: Option<FileType>,
}

enum Kind {
    File,
    Folder,
    Refused,
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a file is Markdown by its name.
pub(super) fn is_markdown(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    extension.eq_ignore_ascii_case("md") || extension.eq_ignore_ascii_case("markdown")
}

/// Whether a file is a contents page by its name, wherever it lies.
pub(super) fn is_contents(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_lowercase();
    is_markdown(path) && CONTENTS.contains(&stem.as_str())
}
