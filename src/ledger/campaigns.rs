//! Campaigns as the author sees and steers them.

use std::collections::BTreeMap;

use chrono::Duration;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::LedgerError;
use super::words::{campaign_id, campaign_number, campaign_state, count, issue_id, maybe_moment, moment, post_id};
use super::{Ledger, moves};
use crate::domain::delivery::{CampaignState, DeliveryState};
use crate::domain::ids::{CampaignId, DeliveryId, Generation, IssueId, PostId};
use crate::domain::time::{Instant, to_millis};

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
    /// Leave it as it is: nothing is resent, whatever the policy, until the author decides.
    Hold,
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

/// How the reason of a campaign begins that is held because its time passed while nothing ran.
pub const OVERDUE: &str = "overdue";

/// A campaign is overdue when its time passed longer ago than this.
const PATIENCE: Duration = Duration::hours(1);

impl Ledger {
    /// Every campaign that is not a draft, oldest first.
    pub fn campaigns(&self) -> Result<Vec<Campaign>, LedgerError> {
        self.read(|tx| {
            let sql = format!("{SELECT} WHERE campaigns.state <> 'drafting' ORDER BY campaigns.id");
            let mut statement = tx.prepare_cached(&sql)?;
            let rows = statement.query_map([], campaign)?;
            let mut campaigns: Vec<Campaign> = rows.collect::<Result<_, _>>()?;
            for campaign in &mut campaigns {
                campaign.excluded = exclusions(tx, &campaign.id)?;
            }
            Ok(campaigns)
        })
    }

    /// One campaign; [`LedgerError::UnknownCampaign`] if there is none.
    pub fn campaign(&self, id: &CampaignId) -> Result<Campaign, LedgerError> {
        self.read(|tx| {
            let sql = format!("{SELECT} WHERE campaigns.id = ?1 AND campaigns.state <> 'drafting'");
            let found = tx.prepare_cached(&sql)?.query_row([campaign_number(id)], campaign).optional()?;
            let mut campaign = found.ok_or_else(|| unknown(id))?;
            campaign.excluded = exclusions(tx, id)?;
            Ok(campaign)
        })
    }

    /// Holds a campaign: nothing more of it is claimed or begun. Pausing a paused one keeps
    /// the first reason.
    pub fn pause(&self, id: &CampaignId, reason: &str) -> Result<(), LedgerError> {
        self.write(|tx| {
            let (number, state) = find(tx, id)?;
            match state {
                CampaignState::Planned | CampaignState::Running => {
                    let sql = "UPDATE campaigns SET state = 'paused', reason = ?2 WHERE id = ?1";
                    tx.execute(sql, params![number, reason])?;
                    Ok(())
                }
                CampaignState::Paused => Ok(()),
                CampaignState::Drafting | CampaignState::Finished | CampaignState::Cancelled => {
                    Err(wrong(id, state, "nothing of it is left to pause"))
                }
            }
        })
    }

    /// Holds every campaign that should have begun more than an hour ago and has not: the machine
    /// was down, and nobody knows whether its author still wants it sent. A second call finds none.
    pub fn hold_overdue(&self, now: Instant) -> Result<Vec<CampaignId>, LedgerError> {
        self.write(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id, not_before FROM campaigns WHERE state = 'planned' AND not_before < ?1 ORDER BY id",
            )?;
            let rows = statement.query_map([to_millis(now - PATIENCE)], |row| {
                Ok((row.get::<_, i64>("id")?, moment(row, "not_before")?))
            })?;
            let overdue: Vec<(i64, Instant)> = rows.collect::<Result<_, _>>()?;
            for (number, since) in &overdue {
                let reason = format!("{OVERDUE}: it should have been mailed at {}", since.format("%Y-%m-%d %H:%M UTC"));
                let sql = "UPDATE campaigns SET state = 'paused', reason = ?2 WHERE id = ?1";
                tx.execute(sql, params![number, reason])?;
            }
            Ok(overdue.into_iter().map(|(number, _)| campaign_id(number)).collect())
        })
    }

    /// Lets a paused campaign go on; one that is planned or running is left as it is. A moment
    /// it should have waited for is forgotten when it has passed, so that it is never overdue again.
    pub fn resume(&self, id: &CampaignId, now: Instant) -> Result<(), LedgerError> {
        self.write(|tx| {
            let (number, state) = find(tx, id)?;
            match state {
                CampaignState::Paused => {
                    let sql = "UPDATE campaigns SET state = 'planned', reason = NULL,
                            not_before = iif(not_before <= ?2, NULL, not_before) WHERE id = ?1";
                    tx.execute(sql, params![number, to_millis(now)])?;
                    Ok(())
                }
                CampaignState::Planned | CampaignState::Running => Ok(()),
                CampaignState::Drafting | CampaignState::Finished | CampaignState::Cancelled => {
                    Err(wrong(id, state, "nothing of it is left to send"))
                }
            }
        })
    }

    /// Stops a campaign: what has not begun is cancelled and its coverage released; returns
    /// how many. What has begun or is in doubt keeps its state. A second call changes nothing.
    pub fn cancel(&self, id: &CampaignId, now: Instant) -> Result<u64, LedgerError> {
        self.write(|tx| {
            let (number, state) = find(tx, id)?;
            match state {
                CampaignState::Planned | CampaignState::Running | CampaignState::Paused => cancel(tx, number, now),
                CampaignState::Cancelled => Ok(0),
                CampaignState::Drafting | CampaignState::Finished => {
                    Err(wrong(id, state, "nothing of it is left to cancel"))
                }
            }
        })
    }

    /// Makes everything of a campaign that waits for its next try due now; returns how many.
    pub fn retry(&self, id: &CampaignId, now: Instant) -> Result<u64, LedgerError> {
        self.write(|tx| {
            let (number, _) = find(tx, id)?;
            let sql = "UPDATE deliveries SET next = ?2
                WHERE campaign = ?1 AND state <> 'accepted' AND state IN ('deferred', 'in_doubt') AND next > ?2";
            Ok(tx.execute(sql, params![number, to_millis(now)])? as u64)
        })
    }

    /// Settles doubt by the author's word; returns how many deliveries it touched. Those not
    /// in doubt are left as they are.
    pub fn resolve(&self, which: &Doubtful, resolution: &Resolution, now: Instant) -> Result<u64, LedgerError> {
        self.write(|tx| {
            let doubtful = match which {
                Doubtful::Of(id) => doubtful_of(tx, find(tx, id)?.0)?,
                Doubtful::One(id) => doubtful_one(tx, *id)?,
            };
            for delivery in &doubtful {
                resolve_one(tx, *delivery, resolution)?;
            }
            moves::finish_what_is_done(tx, now)?;
            Ok(doubtful.len() as u64)
        })
    }
}

const SELECT: &str = "SELECT campaigns.id, posts.id AS post, issues.id AS issue, generation, state, reason, opened,
        not_before, finished
    FROM campaigns JOIN posts ON posts.number = campaigns.post JOIN issues ON issues.number = campaigns.issue";

fn campaign(row: &Row<'_>) -> rusqlite::Result<Campaign> {
    Ok(Campaign {
        id: campaign_id(row.get("id")?),
        post: post_id(row, "post")?,
        issue: issue_id(row, "issue")?,
        generation: Generation(row.get("generation")?),
        state: campaign_state(row, "state")?,
        reason: row.get("reason")?,
        opened: moment(row, "opened")?,
        not_before: maybe_moment(row, "not_before")?,
        finished: maybe_moment(row, "finished")?,
        excluded: BTreeMap::new(),
    })
}

fn exclusions(tx: &Connection, id: &CampaignId) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut statement = tx.prepare_cached("SELECT reason, count FROM exclusions WHERE campaign = ?1")?;
    statement.query_map([campaign_number(id)], |row| Ok((row.get(0)?, count(row.get(1)?))))?.collect()
}

/// A campaign's row number and state; drafts included.
pub(super) fn find(tx: &Connection, id: &CampaignId) -> Result<(i64, CampaignState), LedgerError> {
    tx.prepare_cached("SELECT id, state FROM campaigns WHERE id = ?1")?
        .query_row([campaign_number(id)], |row| Ok((row.get("id")?, campaign_state(row, "state")?)))
        .optional()?
        .ok_or_else(|| unknown(id))
}

fn unknown(id: &CampaignId) -> LedgerError {
    LedgerError::UnknownCampaign { campaign: id.to_string() }
}

fn wrong(id: &CampaignId, state: CampaignState, why: &'static str) -> LedgerError {
    LedgerError::WrongState { campaign: id.to_string(), state: state.word().to_owned(), why }
}

fn cancel(tx: &Connection, number: i64, now: Instant) -> Result<u64, LedgerError> {
    let sql = "UPDATE deliveries SET state = 'cancelled', next = NULL, reason = 'the campaign was cancelled'
        WHERE campaign = ?1 AND state <> 'accepted' AND state IN ('planned', 'deferred')
            AND id NOT IN (SELECT id FROM under_way)";
    let cancelled = tx.execute(sql, [number])?;
    moves::release_coverage_of(tx, number, DeliveryState::Cancelled)?;
    let sql = "UPDATE campaigns SET state = 'cancelled', finished = ?2 WHERE id = ?1";
    tx.execute(sql, params![number, to_millis(now)])?;
    Ok(cancelled as u64)
}

fn doubtful_of(tx: &Connection, campaign: i64) -> rusqlite::Result<Vec<DeliveryId>> {
    let sql = "SELECT id FROM not_accepted WHERE campaign = ?1 AND state = 'in_doubt' AND id NOT IN (SELECT id FROM under_way)";
    let mut statement = tx.prepare_cached(sql)?;
    statement.query_map([campaign], |row| Ok(DeliveryId(row.get(0)?)))?.collect()
}

fn doubtful_one(tx: &Connection, id: DeliveryId) -> rusqlite::Result<Vec<DeliveryId>> {
    let sql = "SELECT id FROM deliveries WHERE id = ?1 AND state = 'in_doubt' AND id NOT IN (SELECT id FROM under_way)";
    let mut statement = tx.prepare_cached(sql)?;
    statement.query_map([id.0], |row| Ok(DeliveryId(row.get(0)?)))?.collect()
}

fn resolve_one(tx: &Connection, id: DeliveryId, resolution: &Resolution) -> rusqlite::Result<()> {
    let (state, reason) = match resolution {
        Resolution::Resend => {
            let sql = "UPDATE deliveries SET resend = 'ordered', next = NULL, reason = 'the author ordered a resend'
                WHERE id = ?1 AND state = 'in_doubt'";
            return tx.prepare_cached(sql)?.execute([id.0]).map(|_| ());
        }
        Resolution::Hold => {
            let sql = "UPDATE deliveries SET resend = 'held', next = NULL, reason = 'in doubt; held by the author'
                WHERE id = ?1 AND state = 'in_doubt'";
            return tx.prepare_cached(sql)?.execute([id.0]).map(|_| ());
        }
        Resolution::Abandon => (DeliveryState::Abandoned, "given up by the author"),
        Resolution::Accepted { evidence } => (DeliveryState::Accepted, evidence.as_str()),
        Resolution::Rejected { evidence } => (DeliveryState::Rejected, evidence.as_str()),
    };
    assert!(DeliveryState::InDoubt.may_become(state), "a resolution ends a doubt");
    let sql = "UPDATE deliveries SET state = ?2, reason = ?3, next = NULL WHERE id = ?1 AND state = 'in_doubt'";
    tx.prepare_cached(sql)?.execute(params![id.0, state.word(), reason]).map(|_| ())
}
