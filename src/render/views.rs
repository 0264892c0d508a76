//! What templates are told: the variables of the manual's page on themes.
//!
//! All text here is plain; templates named `.html` escape it. The only finished HTML a
//! template gets is `body`, marked as such in [`finished_html`] and nowhere else.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::Datelike;
use serde::Serialize;
use tera::Value;

use super::links::Here;
use super::site::{author_path, topic_path};
use super::theme::stylesheet_path;
use super::{FeedLink, SiteContext, Theme};
use crate::domain::post::Post;
use crate::domain::publication::{Author, Publication, SiteUrl};
use crate::domain::time::Dated;
use crate::domain::words::Vocabulary;

/// `site`: what is the same everywhere.
#[derive(Debug, Serialize)]
pub(super) struct SiteView<'a> {
    title: &'a str,
    /// One sentence; empty when the author gave none.
    description: &'a str,
    /// The home page, absolute.
    url: &'a str,
    /// The path of the home page.
    home: String,
    language: &'a str,
    /// `ltr` or `rtl`.
    direction: &'static str,
    /// The path of the stylesheet.
    stylesheet: String,
    feeds: Vec<FeedView<'a>>,
    /// The path of the page that lists the topics.
    topics: String,
    /// How many topics have pages.
    topic_count: usize,
    /// The postal address; empty when the author gave none.
    postal_address: &'a str,
    /// Where the form to subscribe is posted to; empty when there is nobody to take it.
    subscribe_url: &'a str,
    /// The words of the interface, in the language of the page or mail.
    words: BTreeMap<&'static str, &'a str>,
}

#[derive(Debug, Serialize)]
struct FeedView<'a> {
    title: &'a str,
    /// `RSS`, `Atom` or `JSON Feed`.
    name: &'static str,
    mime: &'a str,
    path: String,
    url: String,
}

impl<'a> SiteView<'a> {
    /// What a page or mail in a language is told.
    pub fn new(site: &SiteContext<'a>, theme: &Theme, here: Here, language: &str) -> Self {
        let publication = site.publication;
        let base = &publication.base_url;
        Self {
            title: &publication.title,
            description: &publication.description,
            url: base.as_str(),
            home: here.path(base, ""),
            language: &publication.language,
            direction: direction(&publication.language),
            stylesheet: here.path(base, stylesheet_path(theme)),
            feeds: site.feeds.iter().map(|feed| FeedView::new(feed, base, here)).collect(),
            topics: here.path(base, "topics/"),
            topic_count: site.topic_count,
            postal_address: publication.postal_address.as_deref().unwrap_or_default(),
            subscribe_url: publication.subscribe_url.as_deref().unwrap_or_default(),
            words: publication.words.of(language).by_key(),
        }
    }
}

impl<'a> FeedView<'a> {
    fn new(feed: &'a FeedLink, base: &SiteUrl, here: Here) -> Self {
        Self {
            title: &feed.title,
            name: match feed.mime.as_str() {
                "application/atom+xml" => "Atom",
                "application/feed+json" | "application/json" => "JSON Feed",
                _ => "RSS",
            },
            mime: &feed.mime,
            path: here.path(base, &feed.site_path),
            url: base.join(&feed.site_path),
        }
    }
}

/// `page`: what the head of a page says about it.
#[derive(Debug, Serialize)]
pub(super) struct PageView<'a> {
    pub title: &'a str,
    /// Empty when there is nothing to say.
    pub description: &'a str,
    /// The absolute URL of the page.
    pub url: String,
    pub language: &'a str,
    pub direction: &'static str,
    /// The Open Graph type: `article` or `website`.
    pub kind: &'static str,
    /// The absolute URL of its picture; empty when it has none.
    pub image: String,
    /// The path of the stylesheet for formulas; empty when it has none.
    pub math_stylesheet: String,
}

/// `post`: one post, without its text.
#[derive(Debug, Serialize)]
pub(super) struct PostView<'a> {
    title: &'a str,
    /// Plain text; may be empty.
    summary: &'a str,
    /// The absolute URL of its page.
    url: String,
    /// The path of its page.
    path: String,
    language: &'a str,
    direction: &'static str,
    date: DateView,
    /// Absent when it never changed, or changed on the day it was published.
    updated: Option<DateView>,
    authors: Vec<AuthorView<'a>>,
    tags: Vec<TagView<'a>>,
    /// The absolute URL of its cover; empty when it has none.
    image: String,
    number: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct AuthorView<'a> {
    name: &'a str,
    /// The author's own page elsewhere; empty when there is none.
    url: &'a str,
    /// The author's page in the archive; empty when there is none.
    path: String,
}

#[derive(Debug, Serialize)]
struct TagView<'a> {
    title: &'a str,
    /// Empty when the tag has no page.
    path: String,
}

impl<'a> PostView<'a> {
    pub fn new(post: &'a Post, site: &SiteContext<'a>, here: Here) -> Self {
        let publication = site.publication;
        let base = &publication.base_url;
        let language = language(post, publication);
        let changed_later = |updated: &Dated| updated.date_naive() > post.date.date_naive();
        Self {
            title: &post.title,
            summary: &post.summary,
            url: base.join(&post.site_path()),
            path: here.path(base, &post.site_path()),
            language,
            direction: direction(language),
            date: DateView::new(post.date, language),
            updated: post.updated.filter(changed_later).map(|date| DateView::new(date, language)),
            authors: authors(post, publication).map(|author| AuthorView::new(author, site, here)).collect(),
            tags: post.tags.iter().map(|tag| TagView::new(tag, base, here)).collect(),
            image: image_url(post, base).unwrap_or_default(),
            number: post.number,
        }
    }
}

impl<'a> AuthorView<'a> {
    pub fn new(author: &'a Author, site: &SiteContext, here: Here) -> Self {
        let path = author_path(author).filter(|_| site.author_count > 0);
        Self {
            name: &author.name,
            url: author.url.as_deref().unwrap_or_default(),
            path: path.map(|path| here.path(&site.publication.base_url, &path)).unwrap_or_default(),
        }
    }
}

impl<'a> TagView<'a> {
    fn new(tag: &'a str, base: &SiteUrl, here: Here) -> Self {
        Self { title: tag, path: topic_path(tag).map(|path| here.path(base, &path)).unwrap_or_default() }
    }
}

/// A date in the forms templates need.
#[derive(Debug, Serialize)]
pub(super) struct DateView {
    /// RFC 3339, for machines.
    iso: String,
    /// `2 March 2026`; in languages other than English `2026-03-02`, which all can read.
    text: String,
    /// Without the year: `2 Mar`, `03-02`.
    short: String,
    year: i32,
}

impl DateView {
    pub fn new(date: Dated, language: &str) -> Self {
        let english = primary(language) == "en";
        let (text, short) = if english { ("%-d %B %Y", "%-d %b") } else { ("%Y-%m-%d", "%m-%d") };
        Self {
            iso: date.to_rfc3339(),
            text: date.format(text).to_string(),
            short: date.format(short).to_string(),
            year: date.year(),
        }
    }
}

/// `years`: posts grouped by year, in the order they were given.
#[derive(Debug, Serialize)]
pub(super) struct YearView<'a> {
    year: i32,
    posts: Vec<PostView<'a>>,
}

/// How many posts of a list come with their summary; a longer list is scanned by title.
const WITH_SUMMARY: usize = 25;

/// Groups posts by year, the first of them with their summaries. Posts of one year that do not stand together make two groups:
/// the order is the caller's.
pub(super) fn years<'a>(posts: &[&'a Post], site: &SiteContext<'a>, here: Here) -> Vec<YearView<'a>> {
    let mut years: Vec<YearView> = Vec::new();
    for (number, post) in posts.iter().enumerate() {
        let mut view = PostView::new(post, site, here);
        // A list is read in the publication's language, whatever its posts are written in.
        view.date = DateView::new(post.date, &site.publication.language);
        if number >= WITH_SUMMARY {
            view.summary = "";
        }
        match years.last_mut() {
            Some(last) if last.year == view.date.year => last.posts.push(view),
            Some(_) | None => years.push(YearView { year: view.date.year, posts: vec![view] }),
        }
    }
    years
}

/// `topic`: one topic of the archive.
#[derive(Debug, Serialize)]
pub(super) struct TopicView<'a> {
    pub title: &'a str,
    pub path: String,
    pub count: usize,
}

/// Marks HTML that our own writers finished, so that templates do not escape it again. The
/// one place where anything is called safe.
pub(super) fn finished_html(html: &str) -> Value {
    Value::safe_string(html)
}

/// The language of a post, always known.
pub(super) fn language<'a>(post: &'a Post, publication: &'a Publication) -> &'a str {
    post.language.as_deref().unwrap_or(&publication.language)
}

/// The words for a post's readers.
pub(super) fn words<'a>(post: &Post, publication: &'a Publication) -> Vocabulary<'a> {
    publication.words.of(language(post, publication))
}

/// Who wrote a post: its own authors, or else the publication's.
pub(super) fn authors<'a>(post: &'a Post, publication: &'a Publication) -> impl Iterator<Item = &'a Author> {
    let default = publication.author.iter().filter(|_| post.authors.is_empty());
    post.authors.iter().chain(default)
}

/// Who wrote a post and when, on one line.
pub(super) fn byline(post: &Post, publication: &Publication) -> String {
    let names: Vec<&str> = authors(post, publication).map(|author| author.name.as_str()).collect();
    let parts = [names.join(", "), DateView::new(post.date, language(post, publication)).text];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The absolute URL of a post's cover.
pub(super) fn image_url(post: &Post, base: &SiteUrl) -> Option<String> {
    let links = super::links::Links::new(base, post.site_path(), super::links::Reach::Absolute);
    links.href(post.image.as_ref()?).map(Cow::into_owned)
}

/// The direction a language is written in (the scripts of CLDR's right-to-left list).
pub(super) fn direction(language: &str) -> &'static str {
    let right_to_left = ["ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"];
    let script = language.split('-').nth(1).unwrap_or_default().to_ascii_lowercase();
    match script.as_str() {
        "latn" | "cyrl" | "deva" => "ltr",
        "arab" | "hebr" | "thaa" | "syrc" | "nkoo" => "rtl",
        _ if right_to_left.contains(&primary(language).as_str()) => "rtl",
        _ => "ltr",
    }
}

fn primary(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_knows_its_direction_and_a_script_overrules_it() {
        assert_eq!(direction("en-GB"), "ltr");
        assert_eq!(direction("he"), "rtl");
        assert_eq!(direction("ar-EG"), "rtl");
        assert_eq!(direction("uz-Arab"), "rtl");
        assert_eq!(direction("ks-Deva"), "ltr");
    }

    #[test]
    fn a_date_is_written_for_its_readers() {
        let date = Dated::parse_from_rfc3339("2026-03-02T09:00:00+01:00").unwrap();
        assert_eq!(DateView::new(date, "en-GB").text, "2 March 2026");
        assert_eq!(DateView::new(date, "de").text, "2026-03-02");
        assert_eq!(DateView::new(date, "en").iso, "2026-03-02T09:00:00+01:00");
    }
}
