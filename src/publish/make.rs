//! A target's bytes.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use rayon::prelude::*;

use super::fingerprint;
use super::targets::{Content, Made, Target};
use super::{Site, feed_diagnostic};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::entry::Entry;
use crate::domain::post::{Channel, Post};
use crate::domain::publication::Publication;
use crate::feed::{self, Format, SitemapUrl};
use crate::files::{Fingerprint, Root};
use crate::pictures::{Picture, Problem, Subject};
use crate::render::{self, FeedLink, Neighbours, SiteContext, Topic, Writer};

/// The made pictures that a post shows.
type Shown = Vec<(Subject, Picture)>;

/// The site's posts in order, with all that several files need of them.
pub(super) struct Outline<'a> {
    /// The site.
    pub site: &'a Site<'a>,
    /// The public posts, newest first.
    pub posts: &'a [&'a Post],
    /// The made pictures that each post shows, in the same order.
    pub pictures: Vec<Shown>,
    /// The fingerprint of each post, its pictures included, in the same order.
    pub fingerprints: Vec<String>,
    /// The fingerprint of what others show of each post, in the same order.
    pub heads: Vec<String>,
    /// The fingerprint of the feeds.
    pub feed_input: String,
    /// What the feeds carry, once it was asked for.
    entries: OnceLock<Result<Vec<Entry>, Box<Diagnostic>>>,
    /// The topics, each with its posts newest first.
    pub topics: Vec<Topic<'a>>,
    /// The authors that have pages, each with their posts newest first.
    pub writers: Vec<Writer<'a>>,
    /// The feeds as pages announce them.
    feeds: Vec<FeedLink>,
    /// Where each post stands in these lists, by the address of the post.
    numbers: HashMap<usize, usize>,
    base: String,
}

impl<'a> Outline<'a> {
    /// Takes the public posts, newest first.
    pub(super) fn new(site: &'a Site<'a>, posts: &'a [&'a Post]) -> Self {
        let ((pictures, fingerprints, heads), (topics, writers, numbers)) =
            rayon::join(|| digests(site, posts), || lists(site, posts));
        let outline = Self {
            site,
            posts,
            pictures,
            fingerprints,
            heads,
            feed_input: String::new(),
            entries: OnceLock::new(),
            topics,
            writers,
            feeds: feed_links(site.publication),
            numbers,
            base: fingerprint::of_site(site),
        };
        let limit = (site.limit.entries, site.limit.bytes);
        let carried = outline.in_feeds().fold(outline.input("feeds").with(&limit), |input, post| {
            input.with(&outline.fingerprints[outline.numbers[&address(post)]])
        });
        Self { feed_input: carried.hex(), ..outline }
    }

    /// Begins the fingerprint of a file: its kind, and what every file depends on. Pages link
    /// to the list of topics and to authors when there are any, and a theme may say how many.
    pub(super) fn input(&self, kind: &str) -> Fingerprint {
        Fingerprint::of(kind).with(&self.base).with(&self.topics.len()).with(&self.writers.len())
    }

    /// The fingerprint of what others show of one of the posts.
    pub(super) fn head_of(&self, post: &Post) -> &str {
        &self.heads[self.numbers[&address(post)]]
    }

    fn context(&self) -> SiteContext<'_> {
        let Site { publication, pictures, .. } = *self.site;
        let (topic_count, author_count) = (self.topics.len(), self.writers.len());
        SiteContext { publication, feeds: &self.feeds, topic_count, author_count, pictures }
    }

    /// The card of one of the posts.
    fn card(&self, number: usize) -> Option<&Picture> {
        self.pictures[number].iter().find_map(|(subject, picture)| match subject {
            Subject::Card { .. } => Some(picture),
            Subject::Formula { .. } | Subject::Diagram { .. } | Subject::Copy { .. } => None,
        })
    }

    fn neighbours(&self, number: usize) -> Neighbours<'_> {
        Neighbours {
            newer: number.checked_sub(1).map(|newer| self.posts[newer]),
            older: self.posts.get(number + 1).copied(),
        }
    }

    /// The newest posts that go into feeds, as many as a feed may carry; made once for all feeds.
    fn entries(&self) -> Result<&[Entry], Box<Diagnostic>> {
        let Site { publication, pictures, read, .. } = *self.site;
        let entry = |post: &Post| Ok(render::entry(&read(post)?, publication, pictures));
        let in_feeds = || self.in_feeds().collect::<Vec<_>>();
        let entries = self.entries.get_or_init(|| in_feeds().into_par_iter().map(entry).collect());
        entries.as_deref().map_err(Clone::clone)
    }

    /// The posts that the feeds carry.
    fn in_feeds(&self) -> impl Iterator<Item = &'a Post> {
        let in_feeds = self.posts.iter().filter(|post| post.feed == Channel::On);
        in_feeds.take(self.site.limit.entries).copied()
    }

    /// The text of one of the posts, as its page shows it.
    fn body(&self, number: usize) -> Result<String, Box<Diagnostic>> {
        let Site { publication, pictures, bodies, read, .. } = *self.site;
        let post = self.posts[number];
        match bodies.take(&post.id) {
            Some(body) => Ok(body),
            None => Ok(render::body(&read(post)?, publication, pictures)),
        }
    }
}

/// The pictures of each post, its fingerprint, and that of what others show of it.
fn digests(site: &Site, posts: &[&Post]) -> (Vec<Shown>, Vec<String>, Vec<String>) {
    // One by one: the newest have a card each, which takes a thousand times as long as the rest.
    let all = posts.par_iter().enumerate().with_max_len(1).map(|(number, post)| {
        let pictures = shown(site, posts, number);
        let fingerprint = fingerprint::of_post(post, &pictures);
        (pictures, (fingerprint, fingerprint::of_head(post)))
    });
    let (pictures, (fingerprints, heads)) = all.unzip();
    (pictures, fingerprints, heads)
}

/// The topics, the authors, and where each post stands in the list of all.
fn lists<'a>(site: &Site<'a>, posts: &[&'a Post]) -> (Vec<Topic<'a>>, Vec<Writer<'a>>, HashMap<usize, usize>) {
    let numbers = posts.iter().enumerate().map(|(number, post)| (address(post), number));
    (render::topics_of(posts), render::writers_of(posts, site.publication), numbers.collect())
}

/// The posts of a list are those of the site themselves; to compare names takes longer.
fn address(post: &Post) -> usize {
    std::ptr::from_ref(post).addr()
}

/// The pictures that a post shows, and its card if it is one of the newest.
fn shown(site: &Site, posts: &[&Post], number: usize) -> Shown {
    let card = (number < site.cards).then(|| render::card_of(posts[number], site.publication)).flatten();
    let card = card.and_then(|card| site.pictures.of(&card).ok().map(|picture| (card, picture)));
    render::pictures_of(posts[number], &site.publication.base_url, site.pictures).into_iter().chain(card).collect()
}

/// A publication's feeds, as pages and mails announce them.
pub fn feed_links(publication: &Publication) -> Vec<FeedLink> {
    let link = |format: Format| FeedLink {
        title: format!("{} ({})", publication.title, format.name()),
        mime: format.mime().to_owned(),
        site_path: format.site_path().to_owned(),
    };
    Format::ALL.map(link).into()
}

/// Makes the bytes of a file.
pub(super) fn make(outline: &Outline, made: Made) -> Result<Vec<u8>, Box<Diagnostic>> {
    let (theme, context) = (outline.site.theme, &outline.context());
    let page = match made {
        Made::Page(number) => {
            let (post, body) = (outline.posts[number], outline.body(number)?);
            render::page(theme, context, post, &body, outline.neighbours(number), outline.card(number))
        }
        Made::Index => render::index(theme, context, outline.posts),
        Made::Topic(number) => render::topic(theme, context, &outline.topics[number]),
        Made::Author(number) => render::author(theme, context, &outline.writers[number]),
        Made::Topics => render::topics(theme, context, &outline.topics),
        Made::NotFound => render::not_found(theme, context),
        Made::Stylesheet => Ok(render::stylesheet(theme).to_owned()),
        Made::MathStylesheet => Ok(theme.formulas().stylesheet.clone()),
        Made::MathFont => return Ok(render::math_font().to_owned()),
        Made::Redirect(post) => Ok(render::redirect(context, post)),
        Made::Feed(format) => return make_feed(outline, format),
        Made::Sitemap => return Ok(make_sitemap(outline)),
        Made::Picture(post, subject) => {
            return outline.site.pictures.bytes(subject).map_err(|problem| Box::new(no_picture(post, problem)));
        }
    };
    page.map(String::into_bytes).map_err(Box::new)
}

/// A picture that was there a moment ago and cannot be made now.
fn no_picture(post: &Post, problem: Problem) -> Diagnostic {
    Diagnostic::error("picture", Place::file(&post.source), problem.message).help(problem.help)
}

fn make_feed(outline: &Outline, format: Format) -> Result<Vec<u8>, Box<Diagnostic>> {
    let path = outline.site.output.join(format.site_path());
    feed::write(format, &channel(outline.site), outline.entries()?)
        .map_err(|error| Box::new(feed_diagnostic(&path, &error)))
}

fn channel(site: &Site) -> feed::Channel {
    let publication = site.publication;
    let url = |format: Format| publication.base_url.join(format.site_path());
    feed::Channel {
        id: publication.base_url.as_str().to_owned(),
        title: publication.title.clone(),
        description: publication.description.clone(),
        home_url: publication.base_url.as_str().to_owned(),
        rss_url: url(Format::Rss),
        atom_url: url(Format::Atom),
        json_url: url(Format::Json),
        language: publication.language.clone(),
        authors: publication.author.clone().into_iter().collect(),
        limit: site.limit,
    }
}

/// The home page changes with its newest change; topics are left to the pages that link them.
fn make_sitemap(outline: &Outline) -> Vec<u8> {
    let changed = |post: &Post| post.updated.unwrap_or(post.date).max(post.date);
    let base_url = &outline.site.publication.base_url;
    let home = SitemapUrl { url: base_url.join(""), changed: outline.posts.iter().map(|post| changed(post)).max() };
    let page = |post: &&Post| SitemapUrl { url: base_url.join(&post.site_path()), changed: Some(changed(post)) };
    let pages: Vec<_> = std::iter::once(home).chain(outline.posts.iter().map(page)).collect();
    feed::sitemap(&pages)
}

/// The ids of the entries that the next feeds carry and the JSON Feed that is there does not; none
/// when that feed stays as it is.
pub(super) fn new_entries(outline: &Outline, root: &Root, waiting: &[&Target]) -> Vec<String> {
    let feeds = waiting.iter().filter_map(|target| match target.content {
        Content::Made(Made::Feed(format)) => Some(format),
        Content::Made(_) | Content::Copied(_) => None,
    });
    let feeds: Vec<Format> = feeds.collect();
    if !feeds.is_empty() {
        // Before the files are made in parallel: whoever waits for entries on a thread of rayon's
        // could be given the making of another feed meanwhile, and wait for itself.
        drop(outline.entries());
    }
    if !feeds.contains(&Format::Json) {
        return Vec::new();
    }
    let there = std::fs::read(root.folder().join(Format::Json.site_path())).unwrap_or_default();
    let there: BTreeSet<String> = feed::json_ids(&there).into_iter().collect();
    let next = make_feed(outline, Format::Json).unwrap_or_default();
    feed::json_ids(&next).into_iter().filter(|id| !there.contains(id)).collect()
}
