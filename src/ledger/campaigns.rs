//! One issue to one audience: opened in slices, steered by the author.

use std::collections::BTreeMap;

use super::Ledger;
use super::error::LedgerError;
use crate::domain::audience::Audience;
use crate::domain::delivery::CampaignState;
use crate::domain::ids::{CampaignId, DeliveryId, Generation, IssueId, PostId};
use crate::domain::time::Instant;

/// What [`Ledger::open_campaign`] freezes.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    /// The post.
    pub post: PostId,
    /// The issue, frozen before by [`Ledger::freeze_issue`].
    pub issue: IssueId,
    /// Which sending of the post this is.
    pub generation: Generation,
    /// Who gets it, and the count of those who do not.
    pub audience: Audience,
    /// Nothing is claimed before that moment.
    pub not_before: Option<Instant>,
    /// What has not begun by then expires.
    pub expires: Option<Instant>,
}

/// A campaign as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// `c1`, `c2`, ….
    pub id: CampaignId,
    /// The post.
    pub post: PostId,
    /// The frozen issue.
    pub issue: IssueId,
    /// Which sending of the post this is.
    pub generation: Generation,
    /// Where it stands.
    pub state: CampaignState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// When it was opened.
    pub opened: Instant,
    /// Nothing is claimed before that moment.
    pub not_before: Option<Instant>,
    /// When its last delivery became terminal.
    pub finished: Option<Instant>,
    /// Who was left out when it was opened: reason in words, count.
    pub excluded: BTreeMap<String, u64>,
}

/// What to do about deliveries in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Send the same bytes once more, whatever the policy and however often it was in doubt.
    Resend,
    /// Give up: nobody will know.
    Abandon,
    /// There is evidence that it arrived, such as a line of the relay's log.
    Accepted {
        /// The evidence, kept as the reason.
        evidence: String,
    },
    /// There is evidence that it did not.
    Rejected {
        /// The evidence, kept as the reason.
        evidence: String,
    },
}

/// Which deliveries in doubt a resolution is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubtful {
    /// All of a campaign.
    Of(CampaignId),
    /// One delivery.
    One(DeliveryId),
}

impl Ledger {
    /// Opens a campaign: deliveries and their coverage are drafted 1,000 at a time under a
    /// campaign that claims cannot see; one short transaction then re-checks who has left
    /// meanwhile and makes it planned. Someone already covered (same post and generation) is
    /// left out and counted as `covered`. A crash leaves a draft that nobody sees; the next
    /// opening, or the next sender, discards it.
    pub fn open_campaign(&self, new: &NewCampaign, now: Instant) -> Result<CampaignId, LedgerError> {
        let _ = (new, now);
        unimplemented!()
    }

    /// Every campaign that is not a draft, oldest first.
    pub fn campaigns(&self) -> Result<Vec<Campaign>, LedgerError> {
        unimplemented!()
    }

    /// One campaign; [`LedgerError::UnknownCampaign`] if there is none.
    pub fn campaign(&self, id: &CampaignId) -> Result<Campaign, LedgerError> {
        let _ = id;
        unimplemented!()
    }

    /// Holds a campaign: nothing more of it is claimed or begun. Pausing a paused one keeps
    /// the first reason.
    pub fn pause(&self, id: &CampaignId, reason: &str) -> Result<(), LedgerError> {
        let _ = (id, reason);
        unimplemented!()
    }

    /// Lets a paused campaign go on; one that is not paused is left as it is.
    pub fn resume(&self, id: &CampaignId) -> Result<(), LedgerError> {
        let _ = id;
        unimplemented!()
    }

    /// Stops a campaign: what has not begun is cancelled and its coverage released. What has
    /// begun or is in doubt keeps its state.
    pub fn cancel(&self, id: &CampaignId, now: Instant) -> Result<u64, LedgerError> {
        let _ = (id, now);
        unimplemented!()
    }

    /// Makes every deferred delivery of a campaign due now; returns how many.
    pub fn retry(&self, id: &CampaignId, now: Instant) -> Result<u64, LedgerError> {
        let _ = (id, now);
        unimplemented!()
    }

    /// Settles doubt by the author's word; returns how many deliveries it touched. Those not
    /// in doubt are left as they are.
    pub fn resolve(&self, which: &Doubtful, resolution: &Resolution, now: Instant) -> Result<u64, LedgerError> {
        let _ = (which, resolution, now);
        unimplemented!()
    }
}
