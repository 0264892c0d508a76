//! A post becomes a feed entry.

use super::html::{self, Medium, push_attribute};
use super::shown;
use super::views::{authors, language};
use crate::domain::entry::Entry;
use crate::domain::post::Article;
use crate::domain::publication::Publication;
use crate::pictures::Pictures;

/// The post as feeds see it: whole text, sanitised, every URL absolute. A cover that the
/// text does not show stands before it, since not every reader shows a feed's own images.
pub fn entry(article: &Article, publication: &Publication, pictures: &Pictures) -> Entry {
    let (post, base) = (&article.post, &publication.base_url);
    let image = shown::cover_url(post, base, pictures);
    let mut html = String::new();
    if let (Some(url), Some(_)) = (&image, post.cover()) {
        html.push_str("<figure><img");
        push_attribute(&mut html, "src", url);
        push_attribute(&mut html, "alt", "");
        html.push_str("></figure>\n");
    }
    html.push_str(&html::body(article, publication, pictures, Medium::Feed));
    Entry {
        id: post.id.clone(),
        url: base.join(&post.site_path()),
        title: post.title.clone(),
        summary: post.summary.clone(),
        html,
        language: language(post, publication).to_owned(),
        authors: authors(post, publication).cloned().collect(),
        tags: post.tags.clone(),
        published: post.date,
        updated: post.updated.unwrap_or(post.date),
        image,
    }
}
