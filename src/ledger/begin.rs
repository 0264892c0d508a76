//! Beginning: the last moment at which a delivery can still be stopped.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::claim::Frozen;
use super::desk::Desk;
use super::error::LedgerError;
use super::letters::Letter;
use super::marks::MarkSlot;
use super::moves;
use super::standing::{self, Person, Standing};
use super::words::{Resend, campaign_number};
use crate::domain::delivery::{CampaignState, DeliveryState};
use crate::domain::ids::{CampaignId, DeliveryId};
use crate::domain::time::{Instant, to_millis};

/// One delivery whose final dot is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The attempt, as claimed.
    pub attempt: u32,
    /// The relay it is made for.
    pub relay: String,
    /// What is frozen with it.
    pub frozen: Frozen,
}

/// What a `begin` answers, one per delivery in the order asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginAnswer {
    /// It is durable: the dot may leave, once marked in this slot.
    Begun {
        /// Where to mark.
        slot: MarkSlot,
    },
    /// Nothing may be sent.
    Refused(Refusal),
}

/// Why a delivery may not begin. The ledger has already moved it accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The address was suppressed meanwhile.
    Suppressed,
    /// The person left meanwhile.
    Unsubscribed,
    /// The campaign was cancelled meanwhile.
    Cancelled,
    /// The campaign was paused meanwhile; the delivery waits.
    Paused,
    /// The campaign's time is over.
    Expired,
    /// A resend would not be byte-identical; it stays in doubt, with the reason.
    DigestDiffers,
    /// It is not claimed by this sender for this attempt.
    NotClaimed,
}

/// What a transaction knows of a campaign, looked up once for all its begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Its deliveries may begin.
    Open,
    /// Something stands against it: each delivery is looked at.
    Shut,
}

/// Begins deliveries inside the writer's transaction; each of them, or it is refused and moved to
/// where the reason belongs.
pub(super) fn begin(
    desk: &mut Desk,
    tx: &Connection,
    asks: Vec<Begin>,
    now: Instant,
) -> Result<Vec<BeginAnswer>, LedgerError> {
    let plain = may_begin_plainly(tx, &asks)?;
    asks.into_iter().map(|ask| begin_one(desk, tx, ask, &plain, now)).collect()
}

fn begin_one(
    desk: &mut Desk,
    tx: &Connection,
    ask: Begin,
    plain: &HashSet<DeliveryId>,
    now: Instant,
) -> Result<BeginAnswer, LedgerError> {
    let gate = gate(desk, tx, &ask.campaign, now)?;
    let is_plain = gate == Gate::Open && ask.attempt == 1 && desk.is_claimed_only(ask.delivery);
    if !(is_plain && plain.contains(&ask.delivery))
        && let Some(refusal) = look_closer(desk, tx, &ask, now)?
    {
        return Ok(BeginAnswer::Refused(refusal));
    }
    if let Some(witness) = &desk.witness {
        witness.reach(ask.delivery);
    }
    let slot = desk.under_way.begin(Letter::new(ask, now));
    Ok(BeginAnswer::Begun { slot })
}

/// Looks at everything that could speak against one delivery. What does moves it to where it
/// belongs, and ends its claim.
fn look_closer(desk: &mut Desk, tx: &Connection, ask: &Begin, now: Instant) -> rusqlite::Result<Option<Refusal>> {
    let Some(standing) = standing::find(tx, ask.delivery)? else { return Ok(Some(Refusal::NotClaimed)) };
    let refusal = refusal(desk, &standing, ask, now);
    if let Some(refusal) = refusal.filter(|refusal| *refusal != Refusal::NotClaimed) {
        turn_away(tx, ask.delivery, &standing, refusal)?;
        desk.leaving.push(ask.delivery);
        desk.may_be_done = true;
    }
    Ok(refusal)
}

/// Looks at the campaign, and notes with its first begin that it is running.
fn gate(desk: &mut Desk, tx: &Connection, campaign: &CampaignId, now: Instant) -> Result<Gate, LedgerError> {
    if let Some(gate) = desk.gates.get(campaign) {
        return Ok(*gate);
    }
    let number = campaign_number(campaign);
    let sql =
        "SELECT 1 FROM campaigns WHERE id = ?1 AND state IN ('planned', 'running') AND ifnull(expires > ?2, true)";
    let gate = if tx.prepare_cached(sql)?.exists(params![number, to_millis(now)])? { Gate::Open } else { Gate::Shut };
    if gate == Gate::Open {
        let sql = "UPDATE campaigns SET state = 'running' WHERE id = ?1 AND state = 'planned'";
        tx.prepare_cached(sql)?.execute([number])?;
    }
    desk.gates.insert(campaign.clone(), gate);
    Ok(gate)
}

/// Those that may begin as nearly all do: a first attempt at somebody who may be mailed. At the others
/// a closer look is taken, as at all that do not lie close together: one query is for a stretch.
fn may_begin_plainly(tx: &Connection, asks: &[Begin]) -> rusqlite::Result<HashSet<DeliveryId>> {
    let ids = || asks.iter().map(|ask| ask.delivery.0);
    let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(HashSet::new()) };
    if last.abs_diff(first) > 4 * asks.len() as u64 {
        return Ok(HashSet::new());
    }
    let sql = "SELECT d.id FROM deliveries d CROSS JOIN subscribers s ON s.id = d.subscriber
        WHERE d.id BETWEEN ?1 AND ?2 AND d.state = 'planned' AND d.attempt = 0
            AND s.state IN ('pending', 'active') AND s.removed = 'no'
            AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.hash = s.hash)";
    let mut statement = tx.prepare_cached(sql)?;
    let plain = statement.query_map([first, last], |row| row.get(0).map(DeliveryId))?;
    plain.collect()
}

fn refusal(desk: &Desk, standing: &Standing, ask: &Begin, now: Instant) -> Option<Refusal> {
    let fit = match standing.state {
        DeliveryState::Planned | DeliveryState::Deferred => true,
        DeliveryState::InDoubt => matches!(standing.resend, Resend::None | Resend::Ordered),
        DeliveryState::Cancelled => return Some(Refusal::Cancelled),
        DeliveryState::Begun
        | DeliveryState::Accepted
        | DeliveryState::Rejected
        | DeliveryState::Abandoned
        | DeliveryState::Suppressed
        | DeliveryState::Expired => false,
    };
    if !fit || !desk.is_claimed_only(ask.delivery) || ask.attempt != standing.attempt + 1 {
        return Some(Refusal::NotClaimed);
    }
    match standing.campaign_state {
        CampaignState::Planned | CampaignState::Running => {}
        CampaignState::Paused => return Some(Refusal::Paused),
        CampaignState::Drafting | CampaignState::Finished | CampaignState::Cancelled => {
            return Some(Refusal::Cancelled);
        }
    }
    match standing.person {
        Person::Reachable => {}
        Person::Suppressed => return Some(Refusal::Suppressed),
        Person::Gone => return Some(Refusal::Unsubscribed),
    }
    if standing.expires.is_some_and(|end| end <= now) {
        return Some(Refusal::Expired);
    }
    let same = standing.digest.as_deref() == Some(&ask.frozen.digest[..]);
    // Of a copy that a lost ledger sent nothing is known here; the author has seen that.
    let is_wished = standing.digest.is_none() && standing.resend == Resend::Ordered;
    (standing.state == DeliveryState::InDoubt && !same && !is_wished).then_some(Refusal::DigestDiffers)
}

fn turn_away(tx: &Connection, id: DeliveryId, standing: &Standing, refusal: Refusal) -> rusqlite::Result<()> {
    if standing.state == DeliveryState::InDoubt {
        return hold(tx, id, refusal);
    }
    let (state, reason) = match refusal {
        // It stays where it is.
        Refusal::Cancelled | Refusal::NotClaimed | Refusal::Paused | Refusal::DigestDiffers => return Ok(()),
        Refusal::Suppressed => (DeliveryState::Suppressed, "the address was suppressed before anything was sent"),
        Refusal::Unsubscribed => (DeliveryState::Suppressed, "unsubscribed before anything was sent"),
        Refusal::Expired => (DeliveryState::Expired, "the campaign's time was over"),
    };
    assert!(standing.state.may_become(state), "what was not begun may leave to every side");
    let sql = "UPDATE deliveries SET state = ?2, reason = ?3, next = NULL WHERE id = ?1 AND state = ?4";
    tx.prepare_cached(sql)?.execute(params![id.0, state.word(), reason, standing.state.word()])?;
    if moves::releases_coverage(state) {
        moves::release_coverage(tx, id)?;
    }
    Ok(())
}

/// A resend that may not be: the doubt stays, with the reason. A pause only postpones it.
fn hold(tx: &Connection, id: DeliveryId, refusal: Refusal) -> rusqlite::Result<()> {
    let reason = match refusal {
        Refusal::Suppressed => "in doubt; not resent: the address was suppressed",
        Refusal::Unsubscribed => "in doubt; not resent: unsubscribed",
        Refusal::Expired => "in doubt; not resent: the campaign's time was over",
        Refusal::DigestDiffers => "in doubt; not resent: the message would not be the same bytes",
        Refusal::Paused | Refusal::Cancelled | Refusal::NotClaimed => return Ok(()),
    };
    let sql = "UPDATE deliveries SET resend = 'held', reason = ?2 WHERE id = ?1 AND state = 'in_doubt'";
    tx.prepare_cached(sql)?.execute(params![id.0, reason]).map(|_| ())
}
