//! One post as a feed sees it.

use super::ids::PostId;
use super::publication::Author;
use super::time::Dated;

/// A feed entry: everything absolute, nothing left to resolve.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The post's permanent name.
    pub id: PostId,
    /// The absolute URL of its page.
    pub url: String,
    /// The title as plain text.
    pub title: String,
    /// The summary as plain text; may be empty.
    pub summary: String,
    /// The whole post as sanitised HTML with absolute URLs.
    pub html: String,
    /// The language, always given.
    pub language: String,
    /// Who wrote it.
    pub authors: Vec<Author>,
    /// What it is about.
    pub tags: Vec<String>,
    /// When it was published.
    pub published: Dated,
    /// When it last changed; equals `published` when it never did.
    pub updated: Dated,
    /// The absolute URL of the cover.
    pub image: Option<String>,
}
