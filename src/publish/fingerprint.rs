//! What a file was made from, in one digest.

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

/// Everything a post says and the pictures it shows. The offsets are added because a moment's
/// hash leaves them out.
pub(super) fn of_post(post: &Post, pictures: &[(Subject, Picture)]) -> String {
    let offsets = (post.date.offset(), post.updated.as_ref().map(|updated| *updated.offset()));
    Fingerprint::of("post").with(post).with(&offsets).with(&pictures).hex()
}
