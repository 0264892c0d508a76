//! A look at a folder nobody has described yet: what `fieldpost init` builds on.

use std::path::Path;

use crate::domain::publication::Author;

/// How a post's head is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeadKind {
    /// Between lines of `+++`.
    Toml,
    /// Between lines of `---`.
    Yaml,
    /// In braces.
    Json,
    /// `Key: value` lines up to the first blank one.
    Pelican,
    /// No head at all.
    None,
}

/// What is in a folder. Every field is a proposal for `fieldpost.toml` or a fact to print.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The folder of posts relative to the surveyed one, with `/`; `.` when it is that one.
    pub source: String,
    /// How many files in `source` are posts.
    pub posts: usize,
    /// How many posts have a head of each kind, the most frequent kind first.
    pub heads: Vec<(HeadKind, usize)>,
    /// How many posts carry a date in their file name or path.
    pub dated_names: usize,
    /// How many commits git knows; `None` outside a repository.
    pub commits: Option<usize>,
    /// The page that lists the posts, relative to the surveyed folder.
    pub contents_page: Option<String>,
    /// Markdown files and the like that are no posts, relative to the surveyed folder.
    pub no_posts: Vec<String>,
    /// The head fields that hold topics, with how many posts use each.
    pub tag_fields: Vec<(String, usize)>,
    /// Feed files of an earlier generator, relative to the surveyed folder.
    pub feeds: Vec<String>,
    /// The site generator whose configuration lies there, e.g. `Hugo`.
    pub generator: Option<String>,
    /// The publication's title.
    pub title: Option<String>,
    /// One sentence about it.
    pub description: Option<String>,
    /// Its language (BCP 47).
    pub language: Option<String>,
    /// Where the site is or would be.
    pub base_url: Option<String>,
    /// Who writes.
    pub author: Option<Author>,
    /// What was found, as sentences to print.
    pub findings: Vec<String>,
}

/// Looks at a folder; never fails, what cannot be read is not counted.
pub fn survey(dir: &Path) -> Survey {
    let _ = dir;
    Survey { source: ".".to_owned(), ..Survey::default() }
}
