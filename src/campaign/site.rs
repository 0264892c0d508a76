//! The site as a publication's settings want it, planned or written.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::prepare::Prepared;
use crate::diagnostic::has_errors;
use crate::domain::post::{Post, Visibility};
use crate::feed::Limit;
use crate::ledger::{Ledger, LedgerError};
use crate::publish::{self, Leftovers, PublishError, Site, SiteChanges};

/// Why no site was written.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The disk or the manifest refused.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Writes the site, then remembers the posts' ids: from now on none may vanish silently.
pub fn build(prepared: &Prepared, ledger: &Ledger) -> Result<SiteChanges, BuildError> {
    let apply = || with_site(prepared, &Target::public(prepared), publish::apply);
    let (changes, news) = rayon::join(apply, || prepared.news_of_posts());
    let changes = changes?;
    prepared.pictures.sweep();
    ledger.record_posts(&news)?;
    Ok(changes)
}

/// What [`build`] would write; nothing is written.
pub fn foresee(prepared: &Prepared) -> Result<SiteChanges, BuildError> {
    Ok(with_site(prepared, &Target::public(prepared), publish::plan)?)
}

/// Writes the site into a folder of its own with drafts and scheduled posts in it, as if the
/// moment of all of them had come. Nothing else is touched. A second call writes what changed.
pub fn build_for_preview(prepared: &Prepared, folder: &Path) -> Result<SiteChanges, PublishError> {
    let public = |post: &Post| Post { visibility: Visibility::Public, ..post.clone() };
    let target = Target {
        posts: prepared.posts.iter().map(public).collect(),
        output: folder.join("site"),
        manifest: folder.join("manifest.json"),
    };
    with_site(prepared, &target, publish::apply)
}

/// What is written where.
struct Target<'a> {
    posts: Cow<'a, [Post]>,
    output: PathBuf,
    manifest: PathBuf,
}

impl<'a> Target<'a> {
    /// What everybody sees.
    fn public(prepared: &'a Prepared) -> Self {
        let config = prepared.config;
        let manifest = config.state_dir.join("site-manifest.json");
        Self { posts: Cow::Borrowed(&prepared.posts), output: config.output.clone(), manifest }
    }
}

fn with_site(
    prepared: &Prepared,
    target: &Target,
    walk: impl Fn(&Site) -> Result<SiteChanges, PublishError>,
) -> Result<SiteChanges, PublishError> {
    let config = prepared.config;
    // While a post is broken its page stays: the author is still at work on it.
    let leftovers = if has_errors(&prepared.diagnostics) { Leftovers::Keep } else { Leftovers::Remove };
    let theme_digest = prepared.theme.digest();
    walk(&Site {
        publication: &config.publication,
        theme: &prepared.theme,
        theme_digest: &theme_digest,
        posts: &target.posts,
        limit: Limit { entries: config.feed_limit, ..Limit::default() },
        output: &target.output,
        manifest: &target.manifest,
        cards: config.cards,
        pictures: &prepared.pictures,
        bodies: &prepared.bodies,
        read: &|post| prepared.texts.read(post),
        leftovers,
    })
}
