//! Beginning: the last moment at which a delivery can still be stopped.

use rusqlite::{Connection, params};

use super::claim::Frozen;
use super::error::LedgerError;
use super::marks::{Mark, MarkSlot};
use super::moves;
use super::standing::{self, Person, Standing};
use super::words::{Resend, campaign_number};
use super::writer::Desk;
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

/// Begins one delivery inside the writer's transaction, or refuses it and moves it to where
/// the reason belongs.
pub(super) fn begin(desk: &mut Desk, tx: &Connection, ask: &Begin, now: Instant) -> Result<BeginAnswer, LedgerError> {
    let gate = gate(desk, tx, &ask.campaign, now)?;
    let is_plain = gate == Gate::Open && ask.attempt == 1 && desk.has_claimed(ask.delivery);
    if !(is_plain && begin_plainly(tx, desk.epoch, ask, now)?) {
        let Some(standing) = standing::find(tx, ask.delivery)? else {
            return Ok(BeginAnswer::Refused(Refusal::NotClaimed));
        };
        if let Some(refusal) = refusal(desk, &standing, ask, now) {
            if refusal != Refusal::NotClaimed {
                turn_away(tx, ask.delivery, &standing, refusal)?;
                desk.leaving.push(ask.delivery);
                desk.may_be_done = true;
            }
            return Ok(BeginAnswer::Refused(refusal));
        }
        begin_again(tx, desk.epoch, standing.state, ask, now)?;
    }
    freeze(tx, ask)?;
    desk.leaving.push(ask.delivery);
    if let Some(witness) = &desk.witness {
        witness.reach(ask.delivery);
    }
    let slot = desk.slots.take(ask.delivery, ask.attempt);
    // Before the commit: a delivery that is begun on disk always has its slot.
    desk.marks.write(slot, ask.delivery, ask.attempt, &Mark::Begun).map_err(|source| desk.marks_failed(&source))?;
    Ok(BeginAnswer::Begun { slot })
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

/// The way of nearly all: a first attempt at somebody who may be mailed. Checks and begins in
/// one statement; `false` when anything is not as it is for nearly all, and nothing happened.
fn begin_plainly(tx: &Connection, epoch: i64, ask: &Begin, now: Instant) -> rusqlite::Result<bool> {
    let sql = "UPDATE deliveries SET state = 'begun', epoch = ?2, attempt = 1, first_try = ?3, next = NULL,
            relay = ?4, begun = ?3, reason = NULL
        WHERE id = ?1 AND state = 'planned' AND attempt = 0 AND EXISTS (SELECT 1 FROM subscribers s
            WHERE s.id = deliveries.subscriber AND s.state IN ('pending', 'active') AND s.removed = 'no'
                AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.hash = s.hash))";
    let changed = tx.prepare_cached(sql)?.execute(params![ask.delivery.0, epoch, to_millis(now), ask.relay])?;
    Ok(changed == 1)
}

fn begin_again(tx: &Connection, epoch: i64, from: DeliveryState, ask: &Begin, now: Instant) -> rusqlite::Result<()> {
    assert!(from.may_become(DeliveryState::Begun), "only what is planned, deferred or in doubt begins");
    moves::archive_attempt(tx, ask.delivery)?;
    let sql = "UPDATE deliveries SET state = 'begun', epoch = ?3, attempt = ?4, first_try = coalesce(first_try, ?5),
            next = NULL, resend = iif(doubts > 0, 'spent', resend),
            relay = ?6, begun = ?5, settled = NULL, outcome = NULL, reply = NULL, reason = NULL
        WHERE id = ?1 AND state = ?2";
    let changed = tx.prepare_cached(sql)?.execute(params![
        ask.delivery.0,
        from.word(),
        epoch,
        ask.attempt,
        to_millis(now),
        ask.relay
    ])?;
    assert!(changed == 1, "the row was read in that state inside this transaction");
    Ok(())
}

fn freeze(tx: &Connection, ask: &Begin) -> rusqlite::Result<()> {
    let frozen = &ask.frozen;
    let sql = "INSERT INTO frozen (delivery, date, merge, message_id, keys, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (delivery) DO UPDATE SET date = excluded.date, merge = excluded.merge,
            message_id = excluded.message_id, keys = excluded.keys, digest = excluded.digest";
    tx.prepare_cached(sql)?
        .execute(params![
            ask.delivery.0,
            to_millis(frozen.date),
            frozen.merge,
            frozen.message_id.as_str(),
            frozen.keys,
            frozen.digest
        ])
        .map(|_| ())
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
    if !fit || !desk.has_claimed(ask.delivery) || ask.attempt != standing.attempt + 1 {
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
