//! Where everything will be: which source becomes which page, known before any text is parsed.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::Look;
use super::discover::{Scope, is_contents, is_markdown};
use super::held::Held;
use crate::domain::post::{Slug, Visibility};
use crate::domain::publication::SiteUrl;
use crate::pictures::Pictures;

/// A page that a source becomes.
#[derive(Debug, Clone, Hash)]
pub(super) struct PageRef {
    pub(super) slug: Slug,
    pub(super) visibility: Visibility,
}

/// All pages, as links see them.
#[derive(Debug)]
pub(super) struct Site {
    /// The publication's folder.
    pub(super) root: PathBuf,
    /// The folder of posts.
    pub(super) source: PathBuf,
    pub(super) base_url: SiteUrl,
    /// What is looked for beside the posts.
    pub(super) look: Look,
    pub(super) pictures: Arc<Pictures>,
    /// The texts that will be wanted again.
    pub(super) held: Held,
    /// When the load began, by the clock of the disk.
    pub(super) moment: Option<i64>,
    /// The publication's folder with links resolved: no file outside it is shown.
    pub(super) boundary: PathBuf,
    /// The pages with their sources, in the order in which these were found.
    pages: Vec<(PathBuf, PageRef)>,
    /// Their numbers in the order of the sources' paths.
    by_path: Vec<usize>,
    /// Stems, in lower case, and slugs → numbers of pages: how shortcodes and permalinks name posts.
    names: OnceLock<HashMap<String, usize>>,
    contents: HashSet<PathBuf>,
}

impl Site {
    /// Gathers the pages. Of two sources with one name, the first keeps it.
    pub(super) fn new(
        scope: Scope<'_>,
        (base_url, pictures): (&SiteUrl, Arc<Pictures>),
        boundary: PathBuf,
        pages: Vec<(PathBuf, PageRef)>,
        contents: Vec<PathBuf>,
    ) -> Self {
        let mut by_path: Vec<usize> = (0..pages.len()).collect();
        by_path.sort_by_key(|&number| pages[number].0.as_path());
        let (root, source, base_url) = (scope.root.to_owned(), scope.source.to_owned(), base_url.clone());
        Self {
            root,
            source,
            base_url,
            look: Look::Build,
            pictures,
            held: Held::default(),
            moment: None,
            boundary,
            pages,
            by_path,
            names: OnceLock::new(),
            contents: contents.into_iter().collect(),
        }
    }

    /// The page a source file becomes.
    pub(super) fn page(&self, path: &Path) -> Option<&PageRef> {
        let found = self.by_path.binary_search_by_key(&path, |&number| &self.pages[number].0).ok()?;
        Some(&self.pages[self.by_path[found]].1)
    }

    /// Whether a file is a contents page: its readers are sent to the home page.
    pub(super) fn is_contents(&self, path: &Path) -> bool {
        self.contents.contains(path) || (is_contents(path) && self.page(path).is_none())
    }

    /// The page that a shortcode or an old permalink names: by path, by file name, by slug.
    pub(super) fn named(&self, name: &str) -> Option<&PageRef> {
        let name = name.trim_matches('/');
        let by_path = self.page(&normal(&self.source.join(name)));
        let bare = name.trim_end_matches(".html").trim_end_matches(".markdown").trim_end_matches(".md");
        let bare = bare.trim_end_matches("/index").trim_end_matches("/_index").to_lowercase();
        let last = bare.rsplit('/').next().unwrap_or_default();
        let by_name = || self.names().get(&bare).or_else(|| self.names().get(last));
        by_path.or_else(|| by_name().map(|&number| &self.pages[number].1))
    }

    /// The names of all sources, gathered when the first is asked for.
    fn names(&self) -> &HashMap<String, usize> {
        self.names.get_or_init(|| {
            let mut names = HashMap::with_capacity(self.pages.len());
            for (number, (path, page)) in self.pages.iter().enumerate() {
                let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
                let slug = page.slug.as_str();
                let last = slug.rsplit('/').next().unwrap_or_default();
                for name in [slug, &stem, last] {
                    if !names.contains_key(name) {
                        names.insert(name.to_owned(), number);
                    }
                }
            }
            names
        })
    }

    /// The file an absolute path of the site may mean.
    pub(super) fn file_at(&self, path: &str) -> Option<PathBuf> {
        let folders = [self.source.clone(), self.source.join("static"), self.root.join("static"), self.root.clone()];
        folders.iter().map(|folder| normal(&folder.join(path))).find(|file| file.is_file())
    }

    /// Where a local file is copied to: its path inside the content folder, or inside the
    /// publication for a file beside it.
    pub(super) fn asset_path(&self, file: &Path) -> String {
        let folders = [self.source.join("static"), self.root.join("static"), self.source.clone(), self.root.clone()];
        let inner = folders.iter().find_map(|folder| file.strip_prefix(folder).ok()).unwrap_or(file);
        let parts = inner.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// Whether a file may be shown to readers: inside the publication with all links resolved,
    /// nothing hidden, nothing that holds settings or subscribers.
    pub(super) fn may_show(&self, file: &Path) -> Showable {
        let Ok(real) = std::fs::canonicalize(file) else { return Showable::Outside };
        let Ok(inner) = real.strip_prefix(&self.boundary) else { return Showable::Outside };
        let hidden = inner.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
        let name = inner.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let private = name.starts_with("fieldpost.") || name.starts_with("subscribers.") || name.ends_with(".password");
        if hidden || private { Showable::Private } else { Showable::Yes }
    }
}

/// Whether a local file may be copied to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Showable {
    /// It may.
    Yes,
    /// It lies outside the publication, or leads there.
    Outside,
    /// It holds settings, state or addresses.
    Private,
}

/// A path without `.` and `..`, decided by its text alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// Whether a path could be a post by its name.
pub(super) fn names_markdown(path: &str) -> bool {
    is_markdown(Path::new(path))
}
