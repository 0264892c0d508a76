//! Entries in, bytes out: RSS 2.0, Atom 1.0, JSON Feed 1.1, and the sitemap.
//!
//! RSS and Atom are built as the types of the crates `rss` and `atom_syndication`, and
//! written by the small writer in `xml`, because those crates' own writers pass on
//! characters that XML forbids, leave the encoding out of the declaration, put feed-level
//! extensions after the entries, know no language of an entry and cannot write a title as
//! the RSS profile asks. The crates' types never leave their file.
//!
//! What is written is read back before anyone else may see it: by the crate it was built
//! with, by feed-rs, and by a pass that knows namespaces and legal characters. Nothing here
//! reads a clock: the same entries give the same bytes on any day.

mod atom;
mod check;
mod json;
mod prepare;
mod rss;
mod sitemap;
mod xml;

use crate::domain::entry::Entry;
use crate::domain::publication::Author;

pub use sitemap::{SitemapUrl, sitemap};

/// A syndication format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// RSS 2.0, with the rules of the RSS Advisory Board's profile.
    Rss,
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// All of them, in the order in which pages offer them.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// The path of the feed under the site.
    pub fn site_path(self) -> &'static str {
        match self {
            Self::Rss => "feed.xml",
            Self::Atom => "atom.xml",
            Self::Json => "feed.json",
        }
    }

    /// The media type for autodiscovery links and HTTP headers.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }

    /// The name readers know.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }
}

/// How much a feed carries: some readers refuse feeds of more than a few megabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// At most so many entries.
    pub entries: usize,
    /// At most so many bytes of content and summaries; the newest entry is carried however
    /// long it is.
    pub bytes: usize,
}

impl Default for Limit {
    /// 20 entries and a million bytes.
    fn default() -> Self {
        Self { entries: 20, bytes: 1_000_000 }
    }
}

/// What a feed says about itself.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The permanent id of the feed: an absolute URI (RFC 4287, 4.2.6).
    pub id: String,
    /// The title as plain text.
    pub title: String,
    /// What it is about as plain text; may be empty.
    pub description: String,
    /// The absolute URL of the site.
    pub home_url: String,
    /// The absolute URL from which the RSS file is served.
    pub rss_url: String,
    /// The absolute URL from which the Atom file is served.
    pub atom_url: String,
    /// The absolute URL from which the JSON file is served.
    pub json_url: String,
    /// The language (BCP 47).
    pub language: String,
    /// Whose entries they are when an entry does not say; may be empty.
    pub authors: Vec<Author>,
    /// How much the feed carries.
    pub limit: Limit,
}

/// Why a feed could not be written. Whoever asked keeps the file there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Two entries have one id: readers would show one of them, or both for ever.
    #[error("two entries have the id `{0}`")]
    DuplicateId(String),
    /// An entry's id has no character that XML can hold.
    #[error("the id of `{0}` holds only characters that a feed cannot carry")]
    Id(String),
    /// An entry's date lies outside the years 1 to 9999, which is all that feeds can say.
    #[error("the date of `{0}` lies outside the years 1 to 9999")]
    Date(String),
    /// A reader did not find in the written bytes what was put in. This is a fault of
    /// fieldpost or of the reader, found before a subscriber could.
    #[error("the {} that was written does not pass {reader}: {reason}", .format.name())]
    Refused {
        /// The format that was written.
        format: Format,
        /// Who read it back.
        reader: &'static str,
        /// What was wrong.
        reason: String,
    },
}

/// Writes a feed of the newest entries, in any order given, and reads it back.
///
/// Entries are sorted by date, newest first, and cut by the channel's [`Limit`]. Characters
/// that XML 1.0 forbids are left out of every format alike. The result depends on nothing
/// but the arguments.
pub fn write(format: Format, channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>, FeedError> {
    match format {
        Format::Rss => rss(channel, entries),
        Format::Atom => atom(channel, entries),
        Format::Json => json(channel, entries),
    }
}

/// Writes RSS 2.0; see [`write`](fn@write).
pub fn rss(channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>, FeedError> {
    rss::write(&prepare::prepare(channel, entries)?)
}

/// Writes Atom 1.0; see [`write`](fn@write).
pub fn atom(channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>, FeedError> {
    atom::write(&prepare::prepare(channel, entries)?)
}

/// Writes JSON Feed 1.1; see [`write`](fn@write).
pub fn json(channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>, FeedError> {
    json::write(&prepare::prepare(channel, entries)?)
}

/// The ids of the entries that a JSON Feed file holds, to tell which entries a new one adds.
/// A file that is no JSON Feed holds none.
pub fn json_ids(bytes: &[u8]) -> Vec<String> {
    json::ids(bytes)
}

#[cfg(test)]
mod tests;
