//! JSON Feed 1.1 (jsonfeed.org/version/1.1).

use chrono::SecondsFormat;
use serde::Serialize;

use super::check::{check_with_feed_rs, refused};
use super::prepare::Prepared;
use super::{FeedError, Format};
use crate::domain::entry::Entry;
use crate::domain::publication::Author;
use crate::domain::time::Dated;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    #[serde(rename = "feed_url")]
    own_url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person<'a>>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Person<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
    content_html: &'a str,
}

/// The ids of the entries in a JSON Feed, in its order; none for what is no JSON Feed.
pub(super) fn ids(bytes: &[u8]) -> Vec<String> {
    let feed: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let items = feed["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

/// Builds, writes and reads back.
pub(super) fn write(prepared: &Prepared) -> Result<Vec<u8>, FeedError> {
    let feed = feed(prepared);
    let mut bytes = serde_json::to_vec_pretty(&feed).expect("strings and lists are always JSON");
    bytes.push(b'\n');
    check(&feed, &bytes)?;
    check_with_feed_rs(Format::Json, &bytes, prepared)?;
    Ok(bytes)
}

fn check(feed: &Feed, bytes: &[u8]) -> Result<(), FeedError> {
    let refuse = |reason: String| refused(Format::Json, "a JSON parser", reason);
    let found: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
    let wanted = serde_json::to_value(feed).expect("strings and lists are always JSON");
    if found == wanted { Ok(()) } else { Err(refuse("it reads differently".to_owned())) }
}

fn feed(prepared: &Prepared) -> Feed<'_> {
    let settings = &prepared.channel;
    Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: &settings.title,
        home_page_url: &settings.home_url,
        own_url: &settings.json_url,
        description: &settings.description,
        language: prepared.language.as_deref(),
        authors: people(&settings.authors),
        items: prepared.entries.iter().map(item).collect(),
    }
}

fn item(entry: &Entry) -> Item<'_> {
    Item {
        id: entry.id.as_str(),
        url: &entry.url,
        title: &entry.title,
        summary: &entry.summary,
        image: entry.image.as_deref(),
        date_published: date(entry.published),
        date_modified: date(entry.updated),
        authors: people(&entry.authors),
        tags: &entry.tags,
        language: &entry.language,
        content_html: &entry.html,
    }
}

fn people(authors: &[Author]) -> Vec<Person<'_>> {
    authors.iter().map(|author| Person { name: &author.name, url: author.url.as_deref() }).collect()
}

fn date(date: Dated) -> String {
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}
