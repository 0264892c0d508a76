//! What a file was made from, in one digest.

use chrono::FixedOffset;

use super::Site;
use crate::domain::post::Post;
use crate::files::Fingerprint;
use crate::pictures::{Picture, Subject};

/// What every file of a site depends on: the program, the templates, the publication.
pub(super) fn of_site(site: &Site) -> String {
    // `Debug` names every setting and masks only the sender's address, which is added.
    let publication = format!("{:?} {}", site.publication, site.publication.from.address);
    Fingerprint::of("site")
        .with(&env!("CARGO_PKG_VERSION"))
        .with(&site.theme_digest)
        .with(&publication)
        .with(site.pictures.macros())
        .hex()
}

/// What lists, neighbours and redirects show of a post: not its text.
pub(super) fn of_head(post: &Post) -> String {
    let Post { slug, title, summary, language, authors, tags, image, number, .. } = post;
    Fingerprint::of("head")
        .with(&(slug, title, summary, language))
        .with(&(authors, tags, image, number))
        .with(&(post.date, post.updated))
        .with(&offsets(post))
        .hex()
}

/// The offsets of a post's moments, which their hashes leave out.
fn offsets(post: &Post) -> (FixedOffset, Option<FixedOffset>) {
    (*post.date.offset(), post.updated.as_ref().map(|updated| *updated.offset()))
}

/// Everything a post says and the pictures it shows.
pub(super) fn of_post(post: &Post, pictures: &[(Subject, Picture)]) -> String {
    Fingerprint::of("post").with(post).with(&offsets(post)).with(&pictures).hex()
}
