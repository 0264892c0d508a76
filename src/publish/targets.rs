//! Every file the site should have.

use std::collections::HashMap;
use std::fmt;

use super::make::Outline;
use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::post::{Asset, Post};
use crate::feed::Format;
use crate::files::Fingerprint;
use crate::pictures::Subject;
use crate::render;

/// Where a file's bytes come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// They are made from posts.
    Made(Made<'a>),
    /// They are a file of the author's.
    Copied(&'a Asset),
}

/// What a made file holds. Numbers are places in the [`Outline`]'s lists.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made<'a> {
    /// The page of a post.
    Page(usize),
    /// The home page.
    Index,
    /// The page of a topic.
    Topic(usize),
    /// The list of topics.
    Topics,
    /// The page of an author.
    Author(usize),
    /// The page for addresses that lead nowhere.
    NotFound,
    /// A feed.
    Feed(Format),
    /// The sitemap.
    Sitemap,
    /// The stylesheet.
    Stylesheet,
    /// The stylesheet of pages with formulas.
    MathStylesheet,
    /// The font of formulas.
    MathFont,
    /// The page at an old address of a post.
    Redirect(&'a Post),
    /// A picture made of something a post says.
    Picture(&'a Post, &'a Subject),
}

/// On whose behalf a file is made, as the author would say it.
#[derive(Debug, Clone, Copy)]
pub(super) enum WantedBy<'a> {
    /// A post, by its source file.
    Post(&'a str),
    /// A topic, by its title.
    Topic(&'a str),
    /// An author, by their name.
    Author(&'a str),
    /// The site as a whole: `the feeds`.
    Site(&'static str),
}

impl<'a> WantedBy<'a> {
    /// The file a diagnostic points to: the post's source, where there is one.
    pub(super) fn place(self, site_path: &str) -> Place {
        Place::file(self.source().unwrap_or(site_path))
    }

    fn source(self) -> Option<&'a str> {
        match self {
            Self::Post(source) => Some(source),
            Self::Topic(_) | Self::Author(_) | Self::Site(_) => None,
        }
    }
}

impl fmt::Display for WantedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(source) => write!(f, "`{source}`"),
            Self::Topic(title) => write!(f, "the topic `{title}`"),
            Self::Author(name) => write!(f, "the author `{name}`"),
            Self::Site(name) => f.write_str(name),
        }
    }
}

/// One file of the site.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// Its path under the output folder, with `/`.
    pub path: String,
    /// Who wants it.
    pub wanted_by: WantedBy<'a>,
    /// The fingerprint of all that it is made from.
    pub input: String,
    /// What it holds.
    pub content: Content<'a>,
}

/// The targets, and those that cannot be.
pub(super) struct Listed<'a> {
    /// One target a path, sorted by path.
    pub targets: Vec<Target<'a>>,
    /// Paths that several want, or that would be file and folder at once: none gets them, and
    /// what stands there stays.
    pub contested: Vec<String>,
    /// One error for each.
    pub collisions: Vec<Diagnostic>,
}

impl Listed<'_> {
    /// Whether somebody wants a path, alone or not.
    pub(super) fn wants(&self, path: &str) -> bool {
        let is_target = self.targets.binary_search_by(|target| target.path.as_str().cmp(path)).is_ok();
        is_target || self.contested.binary_search_by(|contested| contested.as_str().cmp(path)).is_ok()
    }
}

/// Lists every file the site should have.
pub(super) fn list<'a>(outline: &'a Outline) -> Listed<'a> {
    let (mut all, shared) = rayon::join(|| posts(outline), || shared(outline));
    all.extend(shared);
    // Stable: of one file that is wanted twice, the first stays.
    all.sort_by(|a, b| a.path.cmp(&b.path));
    let mut targets = Vec::<Target>::with_capacity(all.len());
    for target in all {
        let mut rivals = targets.iter().rev().take_while(|rival| rival.path == target.path);
        if !rivals.any(|rival| is_same_file(rival, &target)) {
            targets.push(target);
        }
    }
    divide(targets)
}

/// Whether two targets of one path are the same file, wanted twice.
fn is_same_file(one: &Target, two: &Target) -> bool {
    match (one.content, two.content) {
        (Content::Copied(one), Content::Copied(two)) => one.source == two.source,
        // The path of a picture is a digest of its bytes.
        (Content::Made(Made::Picture(..)), Content::Made(Made::Picture(..))) => true,
        (Content::Copied(_) | Content::Made(_), Content::Copied(_) | Content::Made(_)) => false,
    }
}

/// Keeps the targets that have their path to themselves.
fn divide(mut targets: Vec<Target>) -> Listed {
    let all_rivals = || targets.chunk_by(|one, other| one.path == other.path);
    let folders: HashMap<&str, WantedBy> = all_rivals()
        .flat_map(|rivals| folders_above(&rivals[0].path).map(|folder| (folder, rivals[0].wanted_by)))
        .collect();
    let (mut collisions, mut contested) = (Vec::new(), Vec::new());
    for rivals in all_rivals() {
        let path = &rivals[0].path;
        let as_folder = folders.get(path.as_str()).copied();
        let wanted_by: Vec<WantedBy> = rivals.iter().map(|rival| rival.wanted_by).chain(as_folder).collect();
        if wanted_by.len() > 1 {
            collisions.push(collision(path, &wanted_by));
            contested.push(path.clone());
        }
    }
    targets.retain(|target| contested.binary_search(&target.path).is_err());
    Listed { targets, contested, collisions }
}

fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

fn collision(path: &str, wanted_by: &[WantedBy]) -> Diagnostic {
    let all: Vec<String> = wanted_by.iter().map(WantedBy::to_string).collect();
    let post = wanted_by.iter().find(|wanted_by| wanted_by.source().is_some());
    let place = post.unwrap_or(&wanted_by[0]).place(path);
    Diagnostic::error("path-collision", place, format!("{} all want to be `{path}` of the site", all.join(" and ")))
        .help("give one of them another `slug`, or take the path out of `aliases`")
}

fn posts<'a>(outline: &'a Outline) -> Vec<Target<'a>> {
    (0..outline.posts.len()).into_par_iter().flat_map_iter(|number| of_post(outline, number)).collect()
}

/// The files that one of the posts wants.
fn of_post<'a>(outline: &'a Outline, number: usize) -> impl Iterator<Item = Target<'a>> {
    let post = outline.posts[number];
    let wanted = move |path, input, content| Target { path, wanted_by: WantedBy::Post(&post.source), input, content };
    let own = format!("{}index.html", post.site_path());
    let page = wanted(own.clone(), page_input(outline, number), Content::Made(Made::Page(number)));
    let redirects = post.aliases.iter().map(|alias| alias_path(alias)).filter(move |path| *path != own);
    let redirects = redirects.map(move |path| {
        let input = outline.input("redirect").with(&outline.heads[number]).hex();
        wanted(path, input, Content::Made(Made::Redirect(post)))
    });
    let assets = post.assets.iter();
    let assets = assets.map(move |asset| wanted(asset.site_path.clone(), String::new(), Content::Copied(asset)));
    let pictures = outline.pictures[number].iter().map(move |(subject, picture)| {
        let path = &picture.site_path;
        wanted(path.clone(), path.clone(), Content::Made(Made::Picture(post, subject)))
    });
    std::iter::once(page).chain(redirects).chain(assets).chain(pictures)
}

/// A page shows its neighbours, so it changes when they do.
fn page_input(outline: &Outline, number: usize) -> String {
    let newer = number.checked_sub(1).map(|newer| &outline.heads[newer]);
    let older = outline.heads.get(number + 1);
    outline.input("page").with(&outline.fingerprints[number]).with(&(newer, older)).hex()
}

/// The file that answers at an old address: `old/` and `old` are folders, `old.html` is a file.
fn alias_path(alias: &str) -> String {
    let alias = alias.trim_start_matches('/');
    let last = alias.rsplit('/').next().unwrap_or_default();
    let is_page = [".html", ".htm", ".xml"].iter().any(|end| last.to_ascii_lowercase().ends_with(end));
    if is_page { alias.to_owned() } else { format!("{}/index.html", alias.trim_end_matches('/')) }
}

/// The files that belong to no post alone.
fn shared<'a>(outline: &'a Outline) -> Vec<Target<'a>> {
    let all = outline.input("all posts").with(&outline.heads).hex();
    let shared = |path: &str, name, input: &str, made| Target {
        path: path.to_owned(),
        wanted_by: WantedBy::Site(name),
        input: input.to_owned(),
        content: Content::Made(made),
    };
    let mut targets = vec![
        shared("index.html", "the home page", &all, Made::Index),
        shared("404.html", "the page for lost readers", &outline.input("404").hex(), Made::NotFound),
        shared("sitemap.xml", "the sitemap", &all, Made::Sitemap),
        shared(
            render::stylesheet_path(outline.site.theme),
            "the stylesheet",
            &outline.input("style").hex(),
            Made::Stylesheet,
        ),
    ];
    targets.extend(
        Format::ALL.map(|format| shared(format.site_path(), "the feeds", &outline.feed_input, Made::Feed(format))),
    );
    if outline.posts.iter().any(|post| post.contents.has_formulas()) {
        let formulas = outline.site.theme.formulas();
        let input = outline.input("math").hex();
        targets.push(shared(&formulas.stylesheet_path, "the formulas", &input, Made::MathStylesheet));
        targets.push(shared(&formulas.font_path, "the formulas", &input, Made::MathFont));
    }
    if !outline.topics.is_empty() {
        targets.push(shared("topics/index.html", "the list of topics", &all, Made::Topics));
    }
    targets.par_extend(outline.topics.par_iter().enumerate().map(|(number, topic)| Target {
        path: format!("{}index.html", topic.site_path),
        wanted_by: WantedBy::Topic(&topic.title),
        input: list_input(outline, outline.input("topic").with(&topic.title), &topic.posts),
        content: Content::Made(Made::Topic(number)),
    }));
    targets.par_extend(outline.writers.par_iter().enumerate().map(|(number, writer)| Target {
        path: format!("{}index.html", writer.site_path),
        wanted_by: WantedBy::Author(&writer.author.name),
        input: list_input(outline, outline.input("author").with(writer.author), &writer.posts),
        content: Content::Made(Made::Author(number)),
    }));
    targets
}

/// A list of posts changes when one of them does.
fn list_input(outline: &Outline, begun: Fingerprint, posts: &[&Post]) -> String {
    posts.iter().fold(begun, |input, post| input.with(&outline.head_of(post))).hex()
}

#[cfg(test)]
mod tests {
    use super::alias_path;

    #[test]
    fn an_alias_is_a_file_or_a_folder() {
        assert_eq!(alias_path("/2020/01/old/"), "2020/01/old/index.html");
        assert_eq!(alias_path("old"), "old/index.html");
        assert_eq!(alias_path("release-1.2"), "release-1.2/index.html");
        assert_eq!(alias_path("a/Old.HTML"), "a/Old.HTML");
    }
}
