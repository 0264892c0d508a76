//! What every page and mail knows of its publication.

use crate::domain::post::{Post, Slug};
use crate::domain::publication::Publication;
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

/// The topics of some posts, in the order of their paths. Tags that differ only in case or
/// punctuation are one topic, so two topics never claim the same page; a tag without any
/// letter or digit has no page.
pub fn topics_of<'a>(posts: &[&'a Post]) -> Vec<Topic<'a>> {
    let mut topics = std::collections::BTreeMap::<String, Topic<'a>>::new();
    for &post in posts {
        for tag in &post.tags {
            let Some(site_path) = topic_path(tag) else { continue };
            let topic = topics.entry(site_path.clone()).or_insert_with(|| Topic {
                title: tag.clone(),
                site_path,
                posts: Vec::new(),
            });
            if topic.posts.last().is_none_or(|last| !std::ptr::eq(*last, post)) {
                topic.posts.push(post);
            }
        }
    }
    topics.into_values().collect()
}

/// The path of a tag's page under the site. `C`, `C++` and `C#` are three topics.
pub(super) fn topic_path(tag: &str) -> Option<String> {
    let tag = tag.trim_start_matches('#').replace('/', " ").replace('+', " plus").replace('#', " sharp");
    Slug::from_text(&tag).map(|slug| format!("topics/{}/", slug.as_str()))
}
