//! Opening a campaign: drafted in slices, planned in one short transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::LedgerError;
use super::lock::lock_drafting;
use super::posts::intern_post;
use super::words::campaign_id;
use super::{Ledger, moves};
use crate::domain::audience::{Audience, Exclusion};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{CampaignId, Generation, IssueId, PostId, SubscriberId};
use crate::domain::time::{Instant, to_millis};

/// How many deliveries one transaction drafts, so that others can write in between.
const SLICE: usize = 1000;

/// What [`Ledger::open_campaign`] freezes.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    /// The post, or the name of a digest.
    pub post: PostId,
    /// The posts that a digest carries: who gets it has been sent them.
    pub carried: Vec<PostId>,
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

impl Ledger {
    /// Opens a campaign: deliveries and their coverage are drafted 1,000 at a time under a
    /// campaign that claims cannot see; one short transaction then re-checks who has left
    /// meanwhile (they count as `suppressed`) and makes it planned. Someone already covered
    /// (same post and generation; of a digest, any of its posts) is left out and counted as `covered`. With nobody left the
    /// campaign is finished at once. A crash leaves a draft that nobody sees; the next
    /// opening, or the next sender, discards it. Waits while another process drafts.
    pub fn open_campaign(&self, new: &NewCampaign, now: Instant) -> Result<CampaignId, LedgerError> {
        let _drafting = lock_drafting(self.path())?;
        let draft = self.write(|tx| {
            // A dead draft holds coverage: its people would be left out as already covered.
            discard_drafts(tx)?;
            begin_draft(tx, new, now)
        })?;
        let mut covered = 0;
        for slice in new.audience.members.chunks(SLICE) {
            covered += self.write(|tx| Ok(draft.add(tx, slice)?))?;
        }
        self.write(|tx| {
            draft.plan(tx, covered)?;
            moves::finish_what_is_done(tx, now)?;
            Ok(campaign_id(draft.campaign))
        })
    }
}

struct Draft {
    campaign: i64,
    /// Its post; of a digest its name, and the posts it carries.
    covers: Vec<i64>,
    generation: Generation,
}

fn begin_draft(tx: &Connection, new: &NewCampaign, now: Instant) -> Result<Draft, LedgerError> {
    let post = intern_post(tx, &new.post)?;
    let issue: Option<i64> =
        tx.query_row("SELECT number FROM issues WHERE id = ?1", [new.issue.as_str()], |row| row.get(0)).optional()?;
    let issue = issue.expect("an issue is frozen before its campaign is opened");
    let sql = "INSERT INTO campaigns (post, issue, generation, state, opened, not_before, expires)
        VALUES (?1, ?2, ?3, 'drafting', ?4, ?5, ?6)";
    let (not_before, expires) = (new.not_before.map(to_millis), new.expires.map(to_millis));
    tx.execute(sql, params![post, issue, new.generation.0, to_millis(now), not_before, expires])?;
    let campaign = tx.last_insert_rowid();
    let mut covers = vec![post];
    for carried in &new.carried {
        let carried = intern_post(tx, carried)?;
        tx.execute("INSERT INTO carried (campaign, post) VALUES (?1, ?2)", [campaign, carried])?;
        covers.push(carried);
    }
    let draft = Draft { campaign, covers, generation: new.generation };
    draft.exclude(tx, &new.audience.excluded)?;
    Ok(draft)
}

impl Draft {
    fn exclude(&self, tx: &Connection, excluded: &BTreeMap<Exclusion, u64>) -> rusqlite::Result<()> {
        let sql = "INSERT INTO exclusions (campaign, reason, count) VALUES (?1, ?2, ?3)
            ON CONFLICT (campaign, reason) DO UPDATE SET count = count + excluded.count";
        for (reason, count) in excluded {
            tx.execute(sql, params![self.campaign, reason.word(), i64::try_from(*count).unwrap_or(i64::MAX)])?;
        }
        Ok(())
    }

    /// Adds a slice of members; returns how many were covered already.
    fn add(&self, tx: &Connection, members: &[SubscriberId]) -> rusqlite::Result<u64> {
        let mut deliver =
            tx.prepare_cached("INSERT INTO deliveries (campaign, subscriber, state) VALUES (?1, ?2, 'planned')")?;
        let mut cover =
            tx.prepare_cached("INSERT INTO coverage (post, generation, subscriber, delivery) VALUES (?1, ?2, ?3, ?4)")?;
        let mut covered = 0;
        for member in members {
            if self.has_covered(tx, *member)? {
                covered += 1;
                continue;
            }
            let delivery = deliver.insert(params![self.campaign, member.0])?;
            for post in &self.covers {
                cover.execute(params![post, self.generation.0, member.0, delivery])?;
            }
        }
        Ok(covered)
    }

    /// Whether somebody has been sent any of it.
    fn has_covered(&self, tx: &Connection, member: SubscriberId) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM coverage WHERE post = ?1 AND generation = ?2 AND subscriber = ?3";
        let mut statement = tx.prepare_cached(sql)?;
        for post in &self.covers {
            if statement.exists(params![post, self.generation.0, member.0])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Re-checks who has left since the audience was resolved, and lets claims see the rest.
    fn plan(&self, tx: &Connection, covered: u64) -> rusqlite::Result<()> {
        if covered > 0 {
            self.exclude(tx, &BTreeMap::from([(Exclusion::Covered, covered)]))?;
        }
        let sql = "UPDATE deliveries SET state = 'suppressed', reason = 'left before the campaign was planned'
            WHERE campaign = ?1 AND state <> 'accepted' AND state = 'planned' AND subscriber IN (SELECT id FROM subscribers
                WHERE state <> 'active' OR removed = 'yes'
                    OR EXISTS (SELECT 1 FROM suppressions WHERE suppressions.hash = subscribers.hash))";
        if tx.execute(sql, [self.campaign])? > 0 {
            moves::release_coverage_of(tx, self.campaign, DeliveryState::Suppressed)?;
        }
        let planned =
            tx.execute("UPDATE campaigns SET state = 'planned' WHERE id = ?1 AND state = 'drafting'", [self.campaign])?;
        assert!(planned == 1, "a draft is discarded only under the drafting lock, which is held here");
        Ok(())
    }
}

/// Deletes every draft with its deliveries and coverage; returns how many there were. Only
/// under the drafting lock: all drafts are dead then.
pub(super) fn discard_drafts(tx: &Connection) -> rusqlite::Result<u64> {
    let mut statement = tx.prepare_cached("SELECT id FROM campaigns WHERE state = 'drafting'")?;
    let drafts: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for draft in &drafts {
        moves::release_coverage_of(tx, *draft, DeliveryState::Planned)?;
        tx.execute("DELETE FROM deliveries WHERE campaign = ?1", [draft])?;
        tx.execute("DELETE FROM exclusions WHERE campaign = ?1", [draft])?;
        tx.execute("DELETE FROM carried WHERE campaign = ?1", [draft])?;
        tx.execute("DELETE FROM campaigns WHERE id = ?1", [draft])?;
    }
    Ok(drafts.len() as u64)
}
