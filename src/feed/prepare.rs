//! What a feed will carry: chosen, put in order, and free of what no feed can hold.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{Datelike, Offset, SubsecRound, Utc};
use url::Url;

use super::{Channel, FeedError, Limit};
use crate::domain::entry::Entry;
use crate::domain::ids::PostId;
use crate::domain::publication::Author;
use crate::domain::time::Dated;

/// A channel and its entries, ready for any format.
pub(super) struct Prepared {
    /// The settings, cleaned.
    pub channel: Channel,
    /// The channel's language, when it is a language tag.
    pub language: Option<String>,
    /// The entries, cleaned, newest first. `language` is a language tag or empty.
    pub entries: Vec<Entry>,
    /// When the newest change was made; `None` without entries.
    pub updated: Option<Dated>,
}

/// Chooses and cleans. No two entries that come out have the same id.
pub(super) fn prepare(channel: &Channel, entries: &[Entry]) -> Result<Prepared, FeedError> {
    let mut newest: Vec<&Entry> = entries.iter().collect();
    newest.sort_by(|a, b| b.published.cmp(&a.published).then_with(|| a.id.cmp(&b.id)));
    let entries = within(channel.limit, newest).into_iter().map(clean_entry).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    if let Some(twice) = entries.iter().find(|entry| !seen.insert(&entry.id)) {
        return Err(FeedError::DuplicateId(twice.id.to_string()));
    }
    Ok(Prepared {
        channel: clean_channel(channel),
        language: language_tag(&channel.language),
        updated: entries.iter().map(|entry| entry.updated).max(),
        entries,
    })
}

/// The first entries that keep within the limit, at least one.
fn within(limit: Limit, entries: Vec<&Entry>) -> Vec<&Entry> {
    let mut bytes = 0;
    let fits = |(number, entry): &(usize, &Entry)| {
        bytes += entry.html.len() + entry.summary.len();
        *number == 0 || bytes <= limit.bytes
    };
    entries.into_iter().take(limit.entries).enumerate().take_while(fits).map(|(_, entry)| entry).collect()
}

fn clean_channel(channel: &Channel) -> Channel {
    Channel {
        id: line(&channel.id),
        title: line(&channel.title),
        description: line(&channel.description),
        home_url: line(&channel.home_url),
        rss_url: line(&channel.rss_url),
        atom_url: line(&channel.atom_url),
        json_url: line(&channel.json_url),
        language: channel.language.clone(),
        authors: clean_authors(&channel.authors),
        limit: channel.limit,
    }
}

fn clean_entry(entry: &Entry) -> Result<Entry, FeedError> {
    Ok(Entry {
        id: PostId::parse(&legal(entry.id.as_str())).map_err(|_| FeedError::Id(entry.url.clone()))?,
        url: line(&entry.url),
        title: line(&entry.title),
        summary: line(&entry.summary),
        html: legal(&entry.html).into_owned(),
        language: language_tag(&entry.language).unwrap_or_default(),
        authors: clean_authors(&entry.authors),
        tags: entry.tags.iter().map(|tag| line(tag)).filter(|tag| !tag.is_empty()).collect(),
        published: clean_date(entry.published, entry)?,
        updated: clean_date(entry.updated, entry)?,
        image: entry.image.as_deref().and_then(absolute),
    })
}

fn clean_authors(authors: &[Author]) -> Vec<Author> {
    let clean = |author: &Author| Author { name: line(&author.name), url: author.url.as_deref().and_then(absolute) };
    authors.iter().map(clean).filter(|author| !author.name.is_empty()).collect()
}

/// A date as feeds write it: whole seconds, and an offset of whole minutes (RFC 3339, 4.2).
fn clean_date(date: Dated, entry: &Entry) -> Result<Dated, FeedError> {
    let date = if date.offset().local_minus_utc() % 60 == 0 { date } else { date.with_timezone(&Utc.fix()) };
    let date = date.trunc_subsecs(0);
    if (1..=9999).contains(&date.year()) && (1..=9999).contains(&date.naive_utc().year()) {
        Ok(date)
    } else {
        Err(FeedError::Date(entry.url.clone()))
    }
}

/// A URL with everything encoded that a URI cannot hold (RFC 3986); `None` for what is no
/// absolute URL, and would be resolved against whatever page shows it.
fn absolute(url: &str) -> Option<String> {
    Url::parse(&line(url)).ok().map(String::from)
}

/// A text on one line: legal characters, each run of white space one space, none at the ends.
pub(super) fn line(text: &str) -> String {
    words(&legal(text))
}

/// A text with each run of white space made one space, and none at the ends.
pub(super) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without the characters that XML 1.0 (2.2) forbids, and with every line end a
/// single line feed, as an XML parser would deliver it (2.11).
fn legal(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c == '\r' || !is_legal(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| is_legal(*c)).collect())
}

/// Whether XML 1.0 allows a character (2.2, `Char`).
pub(super) fn is_legal(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        c => c >= ' ',
    }
}

/// A language as feeds may name it (RFC 5646 in its outer form, as RFC 4287's schema asks):
/// `en_US` is read as `en-US`; `None` for what is no language tag.
fn language_tag(language: &str) -> Option<String> {
    let tag = language.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let fits = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let primary = parts.next().is_some_and(|part| fits(part) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    (primary && parts.all(fits)).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_vanish_and_line_ends_are_one() {
        assert_eq!(legal("a\u{0}\u{8}\u{B}\u{1F}\u{FFFE}\u{FFFF}b\tc\r\nd\re🐟\u{1FFFE}"), "ab\tc\nd\ne🐟\u{1FFFE}");
        assert!(matches!(legal("plain\n"), Cow::Borrowed(_)));
        assert_eq!(line(" a\r\n\u{0} b\u{a0}"), "a b");
    }

    #[test]
    fn only_absolute_urls_are_carried() {
        assert_eq!(
            absolute("https://a.example/ü \"<x>\"").as_deref(),
            Some("https://a.example/%C3%BC%20%22%3Cx%3E%22")
        );
        assert_eq!(absolute("/cover.png"), None);
        assert_eq!(absolute(""), None);
    }

    #[test]
    fn only_language_tags_are_named() {
        assert_eq!(language_tag("en_US").as_deref(), Some("en-US"));
        assert_eq!(language_tag("zh-Hant-TW").as_deref(), Some("zh-Hant-TW"));
        for wrong in ["", "e n", "english language", "1", "en-", "abcdefghi"] {
            assert_eq!(language_tag(wrong), None, "{wrong:?}");
        }
    }
}
