//! Wiki links as Obsidian writes them: `[[Post]]`, `[[Post#Part|words]]`, `![[image.png|300]]`.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use super::expand::Expander;
use super::slugs::fragment;
use super::tags::escape;

/// Nobody names a post with more.
const MAX_LENGTH: usize = 300;

/// Folders in which note-taking programs keep pictures.
const ATTACHMENTS: [&str; 6] = ["attachments", "assets", "images", "img", "media", "files"];

/// What a browser shows as a picture.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "bmp"];

/// The names that a text defines links for: `[name]: …`.
pub(super) struct Definitions(HashSet<String>);

impl Definitions {
    /// All names defined in a text.
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.trim_start_matches([' ', '>']).strip_prefix('['));
        Self(lines.filter_map(|line| Some(line.split_once("]:")?.0.to_lowercase())).collect())
    }

    fn contain(&self, name: &str) -> bool {
        self.0.contains(&name.to_lowercase())
    }
}

/// A wiki link of the text.
pub(super) struct WikiLink<'a> {
    /// Whether it shows its target: `![[…]]`.
    kind: Kind,
    /// The post or file.
    name: &'a str,
    /// The part of it.
    part: Option<&'a str>,
    /// The words to show, or an image's width.
    words: Option<&'a str>,
    length: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Link,
    Embed,
}

impl<'a> Expander<'a, '_, '_> {
    /// The wiki link that begins at a place.
    pub(super) fn wiki_link(&self, at: usize, limit: usize) -> Option<WikiLink<'a>> {
        let rest = &self.file[at..limit];
        let (kind, open) = if rest.starts_with("![[") { (Kind::Embed, 3) } else { (Kind::Link, 2) };
        let inner = rest.strip_prefix("![[").or_else(|| rest.strip_prefix("[["))?;
        let end = inner.find(['[', ']', '\n']).filter(|end| *end <= MAX_LENGTH && inner[*end..].starts_with("]]"))?;
        let (inner, after) = (&inner[..end], &inner[end + 2..]);
        // `a[[0]]` is code, `[[a]](b)` and `[[a]]` with a definition are Markdown's own links.
        let before = self.file[..at].chars().next_back();
        let is_code = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '\\' | '[' | ']' | ')'));
        let is_markdown = after.starts_with(['(', '[', ':']) || self.definitions.contain(inner);
        let is_mark = inner.starts_with('^') || matches!(inner.to_lowercase().trim_matches('_'), "toc");
        if inner.trim().is_empty() || is_code || is_markdown || is_mark {
            return None;
        }
        let (target, words) = inner.split_once('|').map_or((inner, None), |(target, words)| (target, Some(words)));
        let (name, part) = target.split_once('#').map_or((target, None), |(name, part)| (name, Some(part)));
        let words = words.map(str::trim).filter(|words| !words.is_empty());
        Some(WikiLink { kind, name: name.trim().trim_end_matches('\\'), part, words, length: open + end + 2 })
    }

    /// Writes the link it stands for; a dead one is reported, and only its words stay.
    pub(super) fn write_wiki_link(&mut self, link: &WikiLink<'_>, at: usize) -> usize {
        let end = at + link.length;
        let words = link.words.unwrap_or_else(|| link.part.filter(|_| link.name.is_empty()).unwrap_or(link.name));
        let part = link.part.map(|part| format!("#{}", fragment(part))).unwrap_or_default();
        if link.kind == Kind::Embed && is_picture(link.name) {
            self.write_picture(link, at);
        } else if link.name.is_empty() {
            self.write(&format!("[{}]({part})", escape(words)), at);
        } else if let Some(page) = self.page_called(link.name) {
            self.write(&format!("[{}](<{page}{part}>)", escape(words)), at);
        } else if let Some(path) = self.file_called(link.name) {
            self.write(&format!("[{}](<{path}>)", escape(words)), at);
        } else {
            self.dead(link.name, at..end);
            self.write(&escape(words), at);
        }
        end
    }

    fn write_picture(&mut self, link: &WikiLink<'_>, at: usize) {
        let Some(path) = self.file_called(link.name) else {
            return self.dead(link.name, at..at + link.length);
        };
        let width = link.words.filter(|words| is_width(words));
        let alt = link.words.filter(|_| width.is_none()).unwrap_or_default();
        let width = width.map(|width| format!("{{width={}}}", width.split('x').next().unwrap_or(width)));
        self.write(&format!("![{}](<{path}>){}", escape(alt), width.unwrap_or_default()), at);
    }

    fn page_called(&self, name: &str) -> Option<String> {
        let slug = name.to_lowercase().replace(' ', "-");
        let page = self.linker.lookup.named(name).or_else(|| self.linker.lookup.named(&slug))?;
        Some(self.linker.lookup.site().base_url.join(&format!("{}/", page.slug.as_str())))
    }

    /// The path to a file beside the post, at the top of the site, or where programs keep
    /// attachments.
    fn file_called(&self, name: &str) -> Option<String> {
        let beside =
            std::iter::once(name.to_owned()).chain(ATTACHMENTS.iter().map(|folder| format!("{folder}/{name}")));
        for path in beside {
            if self.linker.has_beside(&path) {
                return Some(path);
            }
            if self.linker.lookup.file_at(&path).is_some() {
                return Some(format!("/{path}"));
            }
        }
        None
    }

    fn dead(&mut self, name: &str, span: Range<usize>) {
        let message = format!("there is no post and no file `{name}`; the link is left out");
        let help = "correct the name, or put the brackets in backticks if they are meant as text";
        self.linker.warn("missing-link", &span, message, help);
    }
}

fn is_picture(name: &str) -> bool {
    let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| PICTURES.contains(&extension.as_str()))
}

/// `300` or `300x200`.
fn is_width(words: &str) -> bool {
    words.split('x').count() <= 2 && words.split('x').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
