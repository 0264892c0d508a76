//! What every page and mail knows of its publication.

use std::collections::{BTreeMap, HashMap};

use super::views::authors;
use crate::domain::post::{Post, Slug};
use crate::domain::publication::{Author, Publication};
use crate::pictures::Pictures;

/// A feed that pages announce, so that a reader's software finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    /// What the reader sees when choosing among several: `ML Field Notes (RSS)`.
    pub title: String,
    /// Its media type without parameters: `application/rss+xml`, `application/atom+xml` or
    /// `application/feed+json`.
    pub mime: String,
    /// Where it lies under the site, without a leading `/`: `feed.xml`.
    pub site_path: String,
}

/// What is the same on every page of a publication.
#[derive(Debug, Clone, Copy)]
pub struct SiteContext<'a> {
    /// The publication.
    pub publication: &'a Publication,
    /// Its feeds, the preferred one first.
    pub feeds: &'a [FeedLink],
    /// How many topics have a page; at 0 no page links to the list of topics.
    pub topic_count: usize,
    /// How many authors have a page; at 0 a name leads to the author's own page elsewhere.
    pub author_count: usize,
    /// The pictures made of what its posts say.
    pub pictures: &'a Pictures,
}

/// A topic of the archive and the posts about it.
#[derive(Debug, Clone)]
pub struct Topic<'a> {
    /// The tag in the spelling of the newest post that bears it.
    pub title: String,
    /// Where its page lies under the site: `topics/machine-learning/`.
    pub site_path: String,
    /// The posts, in the order they were given.
    pub posts: Vec<&'a Post>,
}

/// Somebody who writes for the publication, and what they wrote.
#[derive(Debug, Clone)]
pub struct Writer<'a> {
    /// Who it is.
    pub author: &'a Author,
    /// Where the page lies under the site: `authors/ada-byron/`.
    pub site_path: String,
    /// The posts, in the order they were given.
    pub posts: Vec<&'a Post>,
}

/// Who wrote some posts, in the order of their paths. Names that differ only in case or
/// punctuation are one writer; the first page of their own that any post names is theirs. A
/// publication of one writer has none: the home page is theirs.
pub fn writers_of<'a>(posts: &[&'a Post], publication: &'a Publication) -> Vec<Writer<'a>> {
    let mut writers = BTreeMap::<String, Writer<'a>>::new();
    let mut paths = HashMap::<&str, Option<String>>::new();
    for &post in posts {
        for author in authors(post, publication) {
            let path = paths.entry(&author.name).or_insert_with(|| author_path(author));
            let Some(site_path) = path.clone() else { continue };
            let writer =
                writers.entry(site_path.clone()).or_insert_with(|| Writer { author, site_path, posts: Vec::new() });
            if writer.author.url.is_none() {
                writer.author = author;
            }
            if writer.posts.last().is_none_or(|last| !std::ptr::eq(*last, post)) {
                writer.posts.push(post);
            }
        }
    }
    if writers.len() < 2 { Vec::new() } else { writers.into_values().collect() }
}

/// The path of an author's page under the site.
pub(super) fn author_path(author: &Author) -> Option<String> {
    Slug::from_text(&author.name.replace('/', " ")).map(|slug| format!("authors/{}/", slug.as_str()))
}

/// The topics of some posts, in the order of their paths. Tags that differ only in case or
/// punctuation are one topic, so two topics never claim the same page; a tag without any
/// letter or digit has no page.
pub fn topics_of<'a>(posts: &[&'a Post]) -> Vec<Topic<'a>> {
    let mut topics = Vec::<Topic<'a>>::new();
    let mut by_path = HashMap::<String, usize>::new();
    // Thousands of posts share some dozens of tags.
    let mut by_tag = HashMap::<&str, Option<usize>>::new();
    for &post in posts {
        for tag in &post.tags {
            let number = *by_tag.entry(tag).or_insert_with(|| {
                let site_path = topic_path(tag)?;
                Some(*by_path.entry(site_path.clone()).or_insert_with(|| {
                    topics.push(Topic { title: tag.clone(), site_path, posts: Vec::new() });
                    topics.len() - 1
                }))
            });
            let Some(topic) = number.map(|number| &mut topics[number]) else { continue };
            if topic.posts.last().is_none_or(|last| !std::ptr::eq(*last, post)) {
                topic.posts.push(post);
            }
        }
    }
    topics.sort_by(|a, b| a.site_path.cmp(&b.site_path));
    topics
}

/// The path of a tag's page under the site. `C`, `C++` and `C#` are three topics.
pub(super) fn topic_path(tag: &str) -> Option<String> {
    let tag = tag.trim_start_matches('#').replace('/', " ").replace('+', " plus").replace('#', " sharp");
    Slug::from_text(&tag).map(|slug| format!("topics/{}/", slug.as_str()))
}
