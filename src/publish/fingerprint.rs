//! What a file was made from, in one digest.

use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{Context, SHA256};

use super::Site;
use crate::domain::post::Post;
use crate::files;
use crate::pictures::{Picture, Subject};

/// SHA-256 as a [`Hasher`], so that whatever derives `Hash` can be part of a fingerprint.
///
/// The digest is stable between runs of one program. Another compiler may hash the same value
/// differently; then a page is made once more, which is all that can happen.
pub(super) struct Fingerprint(Context);

impl Fingerprint {
    /// Begins with a word that keeps fingerprints of different kinds of files apart.
    pub(super) fn of(kind: &str) -> Self {
        let mut fingerprint = Self(Context::new(&SHA256));
        kind.hash(&mut fingerprint);
        fingerprint
    }

    /// Adds a value.
    pub(super) fn with(mut self, value: &impl Hash) -> Self {
        value.hash(&mut self);
        self
    }

    /// The fingerprint in hex.
    pub(super) fn hex(self) -> String {
        files::hex(self.0.finish().as_ref())
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finish();
        let first: [u8; 8] = digest.as_ref()[..8].try_into().expect("a SHA-256 digest has 32 bytes");
        u64::from_be_bytes(first)
    }
}

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
