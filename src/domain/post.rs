//! One Markdown source, read.

use std::path::PathBuf;

use super::document::{Document, Target};
use super::ids::PostId;
use super::publication::Author;
use super::time::Dated;
use super::walk::{self, Exhibits};

/// The part of a post's URL that is its own: lower-case words joined by `-`, possibly in
/// folders. Never empty, never with `..`, never with a leading or trailing `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Slug(String);

impl Slug {
    /// Makes a slug of any text: letters and digits of every script are kept in lower case,
    /// `/` divides folders, everything else becomes `-`. `None` when nothing is left.
    pub fn from_text(text: &str) -> Option<Self> {
        let parts: Vec<String> = text.split('/').map(slug_part).filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| Self(parts.join("/")))
    }

    /// The slug as it stands in URLs and paths.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn slug_part(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || c == '_' || (c == '.' && !out.is_empty() && !out.ends_with(['.', '-'])) {
            out.push(c);
        } else if c != '\'' && c != '’' && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches(['-', '.']).to_owned()
}

/// Whether the world may see a post now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// In the archive, the feeds and the mail.
    Public,
    /// Its date lies ahead: nowhere yet.
    Scheduled,
    /// The author is not done: nowhere.
    Draft,
}

/// A channel a post can be kept out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Channel {
    /// The post goes there.
    On,
    /// The author said `email: false` or `feed: false`.
    Off,
}

/// A file that a post needs beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Asset {
    /// The file on disk.
    pub source: PathBuf,
    /// Where it is copied to under the site, without a leading `/`.
    pub site_path: String,
}

impl Asset {
    /// Where links to it lead: its path as that of a URL, in which what would end the path is
    /// encoded.
    pub fn url_path(&self) -> String {
        self.site_path.replace('%', "%25").replace('#', "%23").replace('?', "%3F")
    }
}

/// What a post's text holds, known without reading it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Contents {
    /// A digest of all that it says: equal texts are written alike.
    pub digest: String,
    /// What it shows that is more than text.
    pub exhibits: Exhibits,
    /// Whether the cover of the post is among what it shows.
    pub shows_cover: bool,
}

impl Contents {
    /// What a text holds; `cover` is that of its post.
    pub fn of(document: &Document, cover: Option<&Target>, digest: String) -> Self {
        let shows_cover = cover.is_some_and(|cover| walk::shows(document, cover));
        Self { digest, exhibits: Exhibits::of(document), shows_cover }
    }

    /// Whether it says anything in TeX.
    pub fn has_formulas(&self) -> bool {
        !self.exhibits.inline_formulas.is_empty() || !self.exhibits.displayed_formulas.is_empty()
    }
}

/// A post with its text, for as long as it is being written: ten thousand texts are never held at
/// once.
#[derive(Debug, Clone)]
pub struct Article {
    /// The post.
    pub post: Post,
    /// What it says, without the footer that leads back to a contents page.
    pub document: Document,
}

/// A post as content loading leaves it: complete, with every default filled in, and small enough
/// to hold all of them.
#[derive(Debug, Clone, Hash)]
pub struct Post {
    /// Its permanent name.
    pub id: PostId,
    /// The source file relative to the publication's folder, with `/`.
    pub source: String,
    /// Its own part of the URL.
    pub slug: Slug,
    /// The title as plain text, without an ordinal.
    pub title: String,
    /// One to three sentences of plain text; may be empty.
    pub summary: String,
    /// Its language, when not the publication's.
    pub language: Option<String>,
    /// When it was published.
    pub date: Dated,
    /// When it last changed in a way worth saying.
    pub updated: Option<Dated>,
    /// Who wrote it.
    pub authors: Vec<Author>,
    /// What it is about, in the author's spelling.
    pub tags: Vec<String>,
    /// The cover.
    pub image: Option<Target>,
    /// The issue number, when the author numbers them.
    pub number: Option<u32>,
    /// Old site paths that lead here.
    pub aliases: Vec<String>,
    /// Whether it is shown at all.
    pub visibility: Visibility,
    /// Whether it is mailed.
    pub email: Channel,
    /// Whether it is in the feeds.
    pub feed: Channel,
    /// What its text holds; the text itself is read again when it is written.
    pub contents: Contents,
    /// The files it needs.
    pub assets: Vec<Asset>,
    /// The git commit that last changed it, if any.
    pub commit: Option<String>,
    /// SHA-256 of the source file, in hex: how a moved file is known again.
    pub source_digest: String,
}

impl Post {
    /// The path of the post's page under the site: `slug/`.
    pub fn site_path(&self) -> String {
        format!("{}/", self.slug.as_str())
    }

    /// The cover, unless the text shows the same image itself: nobody wants it twice.
    pub fn cover(&self) -> Option<&Target> {
        self.image.as_ref().filter(|_| !self.contents.shows_cover)
    }

    /// Whether readers may see it now.
    pub fn is_public(&self) -> bool {
        self.visibility == Visibility::Public
    }
}

/// What the ledger remembers of a post it has seen: enough to know it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KnownPost {
    /// The id that was minted or declared.
    pub id: PostId,
    /// Where its source was.
    pub source: String,
    /// The digest of its source then.
    pub source_digest: String,
    /// Whether it was in a feed or a mail: then its id may not vanish silently.
    pub published: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_words_joined_by_hyphens() {
        let slug = |text| Slug::from_text(text).map(|slug| slug.as_str().to_owned());
        assert_eq!(slug("Don't Panic: 80/20!").as_deref(), Some("dont-panic-80/20"));
        assert_eq!(slug("Größe über alles").as_deref(), Some("größe-über-alles"));
        assert_eq!(slug("state-of-rust-0.11.0").as_deref(), Some("state-of-rust-0.11.0"));
        assert_eq!(slug("../../etc/passwd").as_deref(), Some("etc/passwd"));
        assert_eq!(slug(" !? "), None);
    }
}
