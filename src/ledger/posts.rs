//! What the ledger remembers of posts.

use std::collections::BTreeMap;

use super::Ledger;
use super::error::LedgerError;
use crate::domain::ids::{Generation, PostId};
use crate::domain::post::KnownPost;
use crate::domain::time::Instant;

/// Whether a post is to be mailed, as decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailDecision {
    /// Nobody has decided: the first publish asks.
    Undecided,
    /// It is news: mailed.
    News,
    /// It was there before the first publish: never mailed unless the author backfills.
    Old,
}

impl Ledger {
    /// Every post the ledger has seen, in the order of first sight.
    pub fn known_posts(&self) -> Result<Vec<KnownPost>, LedgerError> {
        unimplemented!()
    }

    /// Remembers posts by id: new ones are added, moved or edited ones updated, unchanged
    /// rows are not touched. `published` never goes from yes to no.
    pub fn record_posts(&self, posts: &[KnownPost]) -> Result<(), LedgerError> {
        let _ = posts;
        unimplemented!()
    }

    /// Remembers that these posts were in a feed or a mail: their ids may not vanish silently.
    pub fn mark_published(&self, posts: &[PostId]) -> Result<(), LedgerError> {
        let _ = posts;
        unimplemented!()
    }

    /// Decides which posts are news and which are old. A later decision overrides (backfill).
    pub fn decide_news(&self, news: &[PostId], old: &[PostId]) -> Result<(), LedgerError> {
        let _ = (news, old);
        unimplemented!()
    }

    /// The posts nobody has decided about, in the order of first sight.
    pub fn undecided_posts(&self) -> Result<Vec<PostId>, LedgerError> {
        unimplemented!()
    }

    /// Every post's decision.
    pub fn mail_decisions(&self) -> Result<BTreeMap<PostId, MailDecision>, LedgerError> {
        unimplemented!()
    }

    /// When the publication was first published; `None` before.
    pub fn first_published(&self) -> Result<Option<Instant>, LedgerError> {
        unimplemented!()
    }

    /// Remembers the first publish; a second call changes nothing.
    pub fn record_first_publish(&self, now: Instant) -> Result<(), LedgerError> {
        let _ = now;
        unimplemented!()
    }

    /// The newest generation of a post that has a campaign; `None` when it was never mailed.
    pub fn latest_generation(&self, post: &PostId) -> Result<Option<Generation>, LedgerError> {
        let _ = post;
        unimplemented!()
    }
}
