//! A look at a folder nobody has described yet: what `fieldpost init` builds on.

mod findings;
mod generator;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use self::generator::Settings;
use super::discover::{Discovery, Found, Scope, discover};
use super::git::{History, git};
use super::head::{HeadKind, Value, read_head};
use super::names::{file_name, title_of};
use super::source;
use crate::domain::publication::Author;

/// Where earlier generators leave their feeds.
const FEED_FOLDERS: [&str; 7] = ["", "public", "_site", "output", "docs", "static", "dist"];
/// What they call them.
const FEED_NAMES: [&str; 6] = ["feed.xml", "atom.xml", "rss.xml", "index.xml", "feed.json", "feed/index.xml"];
/// Head fields that hold topics.
const TAG_FIELDS: [&str; 6] = ["tags", "tag", "categories", "category", "topics", "keywords"];

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
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let output = dir.join("public");
    let whole = discover(Scope { root: &dir, source: &dir, output: &output, ignore: &[] });
    let source = source_folder(&whole.posts);
    let source_path = if source == "." { dir.clone() } else { dir.join(&source) };
    let inner = discover(Scope { root: &dir, source: &source_path, output: &output, ignore: &[] });
    let history = History::read(&dir).ok();
    let settings = Settings::find(&dir);
    let mut survey = Survey { source, posts: inner.posts.len(), ..Survey::default() };
    survey.read_posts(&inner.posts);
    survey.contents_page = contents_page(&dir, &inner, &whole);
    survey.no_posts = merged(&inner.no_posts, &whole.no_posts);
    survey.commits = history.as_ref().map(|history| history.commits);
    survey.feeds = feeds(&dir);
    survey.describe(&dir, settings, history.as_ref(), &inner.posts);
    survey.findings = findings::sentences(&survey);
    survey
}

impl Survey {
    fn read_posts(&mut self, posts: &[Found]) {
        let mut heads: BTreeMap<HeadKind, usize> = BTreeMap::new();
        let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
        for found in posts {
            let folders = found.relative.rsplit_once('/').map_or("", |(folders, _)| folders);
            self.dated_names += usize::from(file_name(folders, &found.stem).date.is_some());
            let Some(head) =
                source::read(&found.path, &found.name).ok().and_then(|source| read_head(&source.text).ok())
            else {
                continue;
            };
            *heads.entry(head.kind).or_default() += 1;
            for field in TAG_FIELDS.into_iter().filter(|field| has_field(&head.fields, field)) {
                *tags.entry(field).or_default() += 1;
            }
        }
        self.heads = heads.into_iter().collect();
        self.heads.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.tag_fields = tags.into_iter().map(|(field, count)| (field.to_owned(), count)).collect();
        self.tag_fields.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    }

    fn describe(&mut self, dir: &Path, settings: Settings, history: Option<&History>, posts: &[Found]) {
        let readme = Readme::read(dir).or_else(|| Readme::read(&dir.join(&self.source)));
        let folder = dir.file_name().map(|name| title_of(&name.to_string_lossy()));
        self.generator = settings.generator.map(str::to_owned);
        self.title = settings.title.or(readme.as_ref().and_then(|readme| readme.title.clone())).or(folder);
        self.description = settings.description.or(readme.and_then(|readme| readme.description));
        self.language = settings.language;
        self.base_url = settings.base_url.or_else(|| cname(dir)).or_else(|| remote_pages(dir));
        let writer = || history.and_then(|history| main_writer(history, posts)).or_else(|| git_says(dir, "user.name"));
        self.author = settings.author.or_else(writer).map(|name| Author { name, url: None });
    }
}

/// The folder that holds most of the posts, found by walking down from the top.
fn source_folder(posts: &[Found]) -> String {
    let mut folder = String::new();
    loop {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut inner: BTreeMap<&str, usize> = BTreeMap::new();
        let mut total = 0;
        for rest in posts.iter().filter_map(|post| post.relative.strip_prefix(&prefix)) {
            total += 1;
            // A bundle's folder is its post.
            if let Some((child, rest)) = rest.split_once('/').filter(|(_, rest)| !rest.eq_ignore_ascii_case("index.md"))
            {
                let is_year = child.bytes().all(|byte| byte.is_ascii_digit());
                let is_shelf = child.starts_with('_') || child == "drafts";
                if !rest.is_empty() && !is_year && !is_shelf {
                    *inner.entry(child).or_default() += 1;
                }
            }
        }
        let Some((child, count)) = inner.into_iter().max_by_key(|(_, count)| *count) else { break };
        if count * 3 < total * 2 {
            break;
        }
        folder = format!("{prefix}{child}");
    }
    if folder.is_empty() { ".".to_owned() } else { folder }
}

fn has_field(fields: &[(String, super::head::Node)], name: &str) -> bool {
    fields.iter().any(|(key, node)| {
        key.eq_ignore_ascii_case(name)
            || match &node.value {
                Value::Map(inner) => inner.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)),
                Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => false,
            }
    })
}

/// The contents page among the posts, or the one at the top if it names a post.
fn contents_page(dir: &Path, inner: &Discovery, whole: &Discovery) -> Option<String> {
    let pages = inner.contents.iter().chain(&whole.contents);
    let lists_posts = |page: &&PathBuf| {
        let text = fs::read_to_string(page).unwrap_or_default();
        inner.posts.iter().any(|post| post.path.file_name().is_some_and(|name| text.contains(&*name.to_string_lossy())))
    };
    let page = pages.clone().find(lists_posts)?;
    Some(page.strip_prefix(dir).unwrap_or(page).to_string_lossy().replace('\\', "/"))
}

fn merged(first: &[String], second: &[String]) -> Vec<String> {
    let mut all: Vec<String> = first.iter().chain(second).cloned().collect();
    all.sort();
    all.dedup();
    all
}

fn feeds(dir: &Path) -> Vec<String> {
    let names = FEED_FOLDERS.iter().flat_map(|folder| {
        FEED_NAMES
            .iter()
            .map(move |name| if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") })
    });
    names.filter(|name| dir.join(name).is_file()).collect()
}

fn cname(dir: &Path) -> Option<String> {
    let text = ["CNAME", "static/CNAME", "docs/CNAME", "public/CNAME"]
        .iter()
        .find_map(|name| fs::read_to_string(dir.join(name)).ok())?;
    let host = text.trim();
    let is_host = host.contains('.') && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'));
    is_host.then(|| format!("https://{host}/"))
}

/// Where GitHub and GitLab would show a repository's pages.
fn remote_pages(dir: &Path) -> Option<String> {
    let remote = git_says(dir, "remote.origin.url")?;
    let remote = remote.trim_end_matches('/').trim_end_matches(".git");
    let hosts = [("github.com", "github.io"), ("gitlab.com", "gitlab.io"), ("codeberg.org", "codeberg.page")];
    hosts.iter().find_map(|(host, pages)| {
        let (_, path) = remote.split_once(host)?;
        let (user, repository) = path.trim_start_matches([':', '/']).split_once('/')?;
        let user = user.to_lowercase();
        let own = format!("{user}.{pages}");
        let is_own = repository.eq_ignore_ascii_case(&own);
        Some(if is_own { format!("https://{own}/") } else { format!("https://{own}/{repository}/") })
    })
}

fn git_says(dir: &Path, key: &str) -> Option<String> {
    let output = git(dir).args(["config", "--get", key]).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Who first committed most of the posts.
fn main_writer(history: &History, posts: &[Found]) -> Option<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for first in posts.iter().filter_map(|post| history.of(&post.path)?.first.as_ref()) {
        *count.entry(first.author.as_str()).or_default() += 1;
    }
    let writer = count.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)))?;
    (!writer.0.is_empty()).then(|| writer.0.to_owned())
}

/// What a contents page says about the whole.
struct Readme {
    title: Option<String>,
    description: Option<String>,
}

impl Readme {
    fn read(dir: &Path) -> Option<Self> {
        let names = ["README.md", "readme.md", "Readme.md", "README.markdown", "index.md"];
        let text = names.iter().find_map(|name| source::read(&dir.join(name), name).ok())?.text;
        let body = read_head(&text).map_or(0, |head| head.body);
        let mut lines = text[body..].lines();
        let title = lines
            .find_map(|line| line.strip_prefix("# "))
            .map(|title| title.trim().trim_end_matches('#').trim().to_owned());
        let prose = |line: &&str| line.starts_with(|c: char| c.is_alphabetic()) && line.contains(' ');
        let line = lines.map(str::trim).take(12).find(prose).map(first_sentence);
        Some(Self { title: title.filter(|title| !title.is_empty()), description: line })
    }
}

fn first_sentence(line: &str) -> String {
    let end = line.find(". ").map_or(line.len(), |at| at + 1);
    line[..end].replace(['*', '`'], "").trim().to_owned()
}
