//! The site as a publication's settings want it, planned or written.

use super::prepare::Prepared;
use crate::diagnostic::has_errors;
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
    let changes = with_site(prepared, publish::apply)?;
    prepared.pictures.sweep();
    ledger.record_posts(&prepared.known())?;
    Ok(changes)
}

/// What [`build`] would write; nothing is written.
pub fn foresee(prepared: &Prepared) -> Result<SiteChanges, BuildError> {
    Ok(with_site(prepared, publish::plan)?)
}

fn with_site(
    prepared: &Prepared,
    walk: impl Fn(&Site) -> Result<SiteChanges, PublishError>,
) -> Result<SiteChanges, PublishError> {
    let config = prepared.config;
    let manifest = config.state_dir.join("site-manifest.json");
    // While a post is broken its page stays: the author is still at work on it.
    let leftovers = if has_errors(&prepared.diagnostics) { Leftovers::Keep } else { Leftovers::Remove };
    let theme_digest = prepared.theme.digest();
    walk(&Site {
        publication: &config.publication,
        theme: &prepared.theme,
        theme_digest: &theme_digest,
        posts: &prepared.posts,
        limit: Limit { entries: config.feed_limit, ..Limit::default() },
        output: &config.output,
        manifest: &manifest,
        pictures: &prepared.pictures,
        leftovers,
    })
}
