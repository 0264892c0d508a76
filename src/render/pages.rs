//! The pages of the web archive.

use super::{SiteContext, Theme, Topic};
use crate::diagnostic::Diagnostic;
use crate::domain::post::Post;

/// The posts before and after one in time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Neighbours<'a> {
    /// The next one, if there is one.
    pub newer: Option<&'a Post>,
    /// The one before, if there is one.
    pub older: Option<&'a Post>,
}

/// The page of one post.
pub fn page(_theme: &Theme, _site: &SiteContext, _post: &Post, _neighbours: Neighbours) -> Result<String, Diagnostic> {
    Ok(String::new())
}

/// The home page: the posts, newest first as given, grouped by year, and the feeds.
pub fn index(_theme: &Theme, _site: &SiteContext, _posts: &[&Post]) -> Result<String, Diagnostic> {
    Ok(String::new())
}

/// The page of one topic: the posts about it, grouped by year.
pub fn topic(_theme: &Theme, _site: &SiteContext, _topic: &Topic) -> Result<String, Diagnostic> {
    Ok(String::new())
}

/// The page that lists all topics (`topics/index.html`).
pub fn topics(_theme: &Theme, _site: &SiteContext, _topics: &[Topic]) -> Result<String, Diagnostic> {
    Ok(String::new())
}

/// The page a web server shows for an address that leads nowhere (`404.html`). Its links are
/// root-relative, so it works at any depth.
pub fn not_found(_theme: &Theme, _site: &SiteContext) -> Result<String, Diagnostic> {
    Ok(String::new())
}

/// The page at an old address of a post: it sends browsers and search engines on.
pub fn redirect(_site: &SiteContext, _post: &Post) -> String {
    String::new()
}
